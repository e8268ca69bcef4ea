//! What the use cases of this domain work with.

use auth::{Issuer, Sessions};
use docstore::Collection;
use kernel::{Principal, Refusal, Result, SessionId, UserId};
use subgraph::service::Deps;
use subgraph::{caller, messages};
use wechat::Wechat;

use crate::config::UserConfig;
use crate::relations::Relations;
use crate::store::UserDoc;

/// The domain's stores and services.
#[derive(Clone)]
pub struct App {
    /// What every subgraph has.
    pub deps: Deps,
    /// Roles, memberships, badges.
    pub relations: Relations,
    /// Sessions and their refresh tokens.
    pub sessions: Sessions,
    /// Makes access tokens.
    pub issuer: Issuer,
    /// WeChat, or its sandbox.
    pub wechat: Wechat,
    /// Settings.
    pub config: UserConfig,
}

impl App {
    /// The users.
    pub fn users(&self) -> Collection<UserDoc> {
        self.deps.store.collection()
    }

    /// The person who asks, as stored.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` where it is nobody, or somebody whose account is gone.
    pub async fn myself(&self, principal: &Principal) -> Result<UserDoc> {
        let id = caller::person(principal)?;
        let user = self.users().get(id).await?;
        user.ok_or_else(|| Refusal::unauthenticated().into())
    }

    /// Forgets what is cached of a session's standing, so that the change is seen at once by every process.
    pub async fn forget_account(&self, session: SessionId) -> Result<()> {
        Ok(self
            .deps
            .cache
            .delete(&subgraph::account::cache_key(session))
            .await?)
    }

    /// Tells that somebody's roles or membership changed, which was done in another store. Who is not told because this
    /// fails is refused, and does it again.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` where the store does not answer.
    pub async fn tell_edited(&self, id: UserId) -> Result<()> {
        let mut batch = docstore::Batch::new();
        self.deps.outbox.emit(&mut batch, id, &messages::UserEdited {})?;
        Ok(self.deps.store.commit(batch).await?)
    }

    /// Changes a user, and tells the other domains where they compute with what changed. Runs again where
    /// somebody else changed the user in the meantime.
    ///
    /// # Errors
    /// `NOT_FOUND`, and what `change` refuses.
    pub async fn change(
        &self,
        id: UserId,
        change: impl Fn(&mut UserDoc) -> Result<()> + Send + Sync,
    ) -> Result<UserDoc> {
        docstore::retry_stale(async || {
            let mut user = self.users().get(id).await?.ok_or_else(Refusal::not_found)?;
            let before = user.clone();
            change(&mut user)?;
            if user == before {
                return Ok(user);
            }
            user.updated_at = self.deps.clock.now().as_millisecond();
            let mut batch = docstore::Batch::new();
            let told = before.known() != user.known();
            if told {
                user.rules.version += 1;
                let event = messages::UserChanged { user: user.known() };
                self.deps.outbox.emit(&mut batch, id, &event)?;
            } else {
                self.deps.outbox.emit(&mut batch, id, &messages::UserEdited {})?;
            }
            batch.replace(&mut user);
            self.deps.store.commit(batch).await?;
            Ok(user)
        })
        .await
    }
}

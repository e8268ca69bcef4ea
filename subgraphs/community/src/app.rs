//! What the use cases of this domain work with.

use docstore::{Batch, Collection};
use events::Payload;
use kernel::{Principal, Result, UserId};
use subgraph::service::Deps;
use subgraph::visibility::Visibility;

use crate::config::CommunityConfig;
use crate::relations::{Between, Relations};
use crate::store::{CommentDoc, LikeDoc, PostDoc};

/// The domain's stores and services.
#[derive(Clone)]
pub struct App {
    /// What every subgraph has.
    pub deps: Deps,
    /// What people are to each other.
    pub relations: Relations,
    /// Settings.
    pub config: CommunityConfig,
}

impl App {
    /// The posts.
    pub fn posts(&self) -> Collection<PostDoc> {
        self.deps.store.collection()
    }

    /// Who likes what.
    pub fn likes(&self) -> Collection<LikeDoc> {
        self.deps.store.collection()
    }

    /// The comments.
    pub fn comments(&self) -> Collection<CommentDoc> {
        self.deps.store.collection()
    }

    /// Tells what was done in the relational store. Who is not told because this fails is refused, and does it again:
    /// so what was done already is told again, and whoever listens must not mind.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` where the store does not answer.
    pub async fn tell(&self, user: UserId, event: &impl Payload) -> Result<()> {
        let mut batch = Batch::new();
        self.deps.outbox.emit(&mut batch, user, event)?;
        Ok(self.deps.store.commit(batch).await?)
    }

    /// What stands between two people.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` where the store does not answer.
    pub async fn between(&self, me: UserId, other: UserId) -> Result<Between> {
        let found = self.relations.between(me, &[other]).await?;
        Ok(found.get(&other).copied().unwrap_or_default())
    }
}

impl PostDoc {
    /// Whether somebody may see it who stands to its author like this.
    pub fn is_visible_to(&self, principal: &Principal, between: &Between) -> bool {
        if principal.is_service() || principal.user_id() == Some(self.user_id) {
            return true;
        }
        principal.user_id().is_some()
            && !between.is_apart()
            && match self.visibility {
                Visibility::Public => true,
                Visibility::Friends => between.is_friend,
                Visibility::Private => false,
            }
    }
}

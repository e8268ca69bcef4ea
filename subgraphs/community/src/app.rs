//! What the use cases of this domain work with.

use docstore::Collection;
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

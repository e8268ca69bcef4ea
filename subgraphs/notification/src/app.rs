//! What the use cases of this domain work with.

use std::sync::Arc;

use docstore::Collection;
use kernel::{NotificationId, Principal, Refusal, Result, UserId};
use subgraph::caller;
use subgraph::service::Deps;

use crate::config::NotificationConfig;
use crate::live::Live;
use crate::store::{InboxDoc, LikeDoc, NotificationDoc, PostDoc};

/// The domain's stores and services.
#[derive(Clone)]
pub struct App {
    /// What every subgraph has.
    pub deps: Deps,
    /// Settings.
    pub config: NotificationConfig,
    /// Who listens in this process.
    pub live: Arc<Live>,
}

impl App {
    /// The domain, with nobody who listens.
    pub fn new(config: NotificationConfig, deps: Deps) -> Self {
        Self {
            deps,
            config,
            live: Arc::default(),
        }
    }

    /// The notifications.
    pub fn notifications(&self) -> Collection<NotificationDoc> {
        self.deps.store.collection()
    }

    /// What is counted of each person's notifications.
    pub fn inboxes(&self) -> Collection<InboxDoc> {
        self.deps.store.collection()
    }

    /// Which notifications tell of which posts.
    pub fn posts(&self) -> Collection<PostDoc> {
        self.deps.store.collection()
    }

    /// The likes that were told.
    pub fn likes(&self) -> Collection<LikeDoc> {
        self.deps.store.collection()
    }

    /// Somebody's inbox; `None` where they were never told anything.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn inbox(&self, user: UserId) -> Result<Option<InboxDoc>> {
        Ok(self.inboxes().get(user).await?)
    }

    /// A notification of the person who asks.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `NOT_FOUND` where there is none, or it is somebody else's.
    pub async fn own(&self, principal: &Principal, id: NotificationId) -> Result<NotificationDoc> {
        let user = caller::person(principal)?;
        let found = self.notifications().get(id).await?;
        let own = found.filter(|notification| notification.user_id == user);
        Ok(own.ok_or_else(Refusal::not_found)?)
    }
}

//! Look-ups that one request makes in batches.

use std::sync::Arc;

use jiff::Timestamp;
use kernel::UserId;
use subgraph::loader::Loader;

use crate::app::App;
use crate::relations::Membership;
use crate::store::UserDoc;

/// The loaders of one request.
pub struct Loaders {
    /// Users by id.
    pub users: Loader<UserId, Arc<UserDoc>>,
    /// Memberships by user.
    pub memberships: Loader<UserId, Membership>,
    /// Badges by user.
    pub badges: Loader<UserId, Vec<(String, Timestamp)>>,
}

impl Loaders {
    /// Loaders that know nothing yet.
    pub fn new(app: &App) -> Self {
        let users = app.users();
        let (memberships, badges) = (app.relations.clone(), app.relations.clone());
        Self {
            users: Loader::new(move |ids: Vec<UserId>| {
                let users = users.clone();
                async move {
                    let found = users.get_many(&ids).await?;
                    Ok(found.into_iter().map(|user| (user.id, Arc::new(user))).collect())
                }
            }),
            memberships: Loader::new(move |ids: Vec<UserId>| {
                let relations = memberships.clone();
                async move { relations.memberships(&ids).await }
            }),
            badges: Loader::new(move |ids: Vec<UserId>| {
                let relations = badges.clone();
                async move { relations.badges(&ids).await }
            }),
        }
    }
}

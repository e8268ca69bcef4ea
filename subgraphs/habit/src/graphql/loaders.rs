//! Look-ups that one request makes in batches.

use std::sync::Arc;

use kernel::{HabitId, UserId};
use subgraph::loader::Loader;

use crate::app::App;
use crate::store::{HabitDoc, OwnerDoc};

/// The loaders of one request.
pub struct Loaders {
    /// Habits by id.
    pub habits: Loader<HabitId, Arc<HabitDoc>>,
    /// What is counted of each person's habits.
    pub owners: Loader<UserId, Arc<OwnerDoc>>,
}

impl Loaders {
    /// Loaders that know nothing yet.
    pub fn new(app: &App) -> Self {
        let (habits, owners) = (app.habits(), app.owners());
        Self {
            habits: Loader::new(move |ids: Vec<HabitId>| {
                let habits = habits.clone();
                async move {
                    let found = habits.get_many(&ids).await?;
                    Ok(found
                        .into_iter()
                        .map(|habit| (habit.id, Arc::new(habit)))
                        .collect())
                }
            }),
            owners: Loader::new(move |ids: Vec<UserId>| {
                let owners = owners.clone();
                async move {
                    let found = owners.get_many(&ids).await?;
                    Ok(found
                        .into_iter()
                        .map(|owner| (owner.id, Arc::new(owner)))
                        .collect())
                }
            }),
        }
    }
}

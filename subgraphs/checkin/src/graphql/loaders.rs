//! Look-ups that one request makes in batches.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use futures::future::try_join_all;
use kernel::{CheckInId, HabitId, Scope, UserId};
use subgraph::loader::Loader;

use crate::app::{App, Standing};
use crate::ops::refresh;
use crate::store::{CheckInDoc, UserLog};

/// The loaders of one request.
pub struct Loaders {
    /// People, as new as the owning domains say.
    pub fresh: Loader<UserId, Arc<UserLog>>,
    /// Habits by id, as they are stored.
    pub habits: Loader<HabitId, Arc<Standing>>,
    /// People with all their habits, as new as the owning domains say.
    pub everything: Loader<UserId, Arc<Everything>>,
    /// Check-ins by id.
    pub check_ins: Loader<CheckInId, Arc<CheckInDoc>>,
}

/// A person with all their habits.
pub struct Everything {
    /// The person.
    pub owner: Arc<UserLog>,
    /// The habits.
    pub habits: Arc<[Arc<Standing>]>,
}

impl Loaders {
    /// Loaders of a scope, which know nothing yet.
    pub fn new(app: &App, scope: Weak<Scope>) -> Self {
        let (of_people, everything, everything_scope) = (app.clone(), app.clone(), scope.clone());
        let (logs, check_ins) = (app.logs(), app.check_ins());
        let habits = Loader::new(move |ids: Vec<HabitId>| {
            let logs = logs.clone();
            async move {
                let found = logs.get_many(&ids).await?;
                Ok(found
                    .into_iter()
                    .map(|log| (log.id, Arc::new(Standing::new(log))))
                    .collect())
            }
        });
        let fresh = Loader::new(move |ids: Vec<UserId>| {
            let (app, scope) = (of_people.clone(), scope.upgrade().unwrap_or_default());
            async move {
                // A request is about one or two people.
                let found = try_join_all(ids.iter().map(|id| refresh::fresh(&app, *id, &scope))).await?;
                Ok(found.into_iter().map(|log| (log.id, Arc::new(log))).collect())
            }
        });
        let (by_id, people) = (habits.clone(), fresh.clone());
        Self {
            fresh,
            habits,
            everything: Loader::new(move |ids: Vec<UserId>| {
                let (app, scope) = (everything.clone(), everything_scope.upgrade().unwrap_or_default());
                let (by_id, people) = (by_id.clone(), people.clone());
                async move {
                    let found =
                        try_join_all(ids.iter().map(|id| refresh::everything(&app, *id, &scope))).await?;
                    let mut everything = HashMap::with_capacity(found.len());
                    for (owner, logs) in found {
                        let owner = Arc::new(owner);
                        people.prime(owner.id, owner.clone());
                        let mut habits = Vec::with_capacity(logs.len());
                        for log in logs {
                            let (id, habit) = (log.id, Arc::new(Standing::new(log)));
                            by_id.prime(id, habit.clone());
                            habits.push(habit);
                        }
                        let habits = habits.into();
                        everything.insert(owner.id, Arc::new(Everything { owner, habits }));
                    }
                    Ok(everything)
                }
            }),
            check_ins: Loader::new(move |ids: Vec<CheckInId>| {
                let check_ins = check_ins.clone();
                async move {
                    let found = check_ins.get_many(&ids).await?;
                    let standing = found.into_iter().filter(|check_in| !check_in.is_undone);
                    Ok(standing
                        .map(|check_in| (check_in.id, Arc::new(check_in)))
                        .collect())
                }
            }),
        }
    }
}

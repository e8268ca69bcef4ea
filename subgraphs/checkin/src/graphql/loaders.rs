//! Look-ups that one request makes in batches.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use docstore::Query;
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
    /// All habits of a person, as they are stored: to be asked after the person was made fresh.
    pub habits_of: Loader<UserId, Arc<[Arc<Standing>]>>,
    /// Check-ins by id.
    pub check_ins: Loader<CheckInId, Arc<CheckInDoc>>,
}

impl Loaders {
    /// Loaders of a scope, which know nothing yet.
    pub fn new(app: &App, scope: Weak<Scope>) -> Self {
        let (fresh, logs, logs_of, check_ins) = (app.clone(), app.logs(), app.logs(), app.check_ins());
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
        let by_id = habits.clone();
        Self {
            fresh: Loader::new(move |ids: Vec<UserId>| {
                let (app, scope) = (fresh.clone(), scope.upgrade().unwrap_or_default());
                async move {
                    // A request is about one or two people.
                    let found = try_join_all(ids.iter().map(|id| refresh::fresh(&app, *id, &scope))).await?;
                    Ok(found.into_iter().map(|log| (log.id, Arc::new(log))).collect())
                }
            }),
            habits,
            habits_of: Loader::new(move |ids: Vec<UserId>| {
                let (logs, by_id) = (logs_of.clone(), by_id.clone());
                async move {
                    let of_users = Query::all().is_in("userId", ids.iter().copied());
                    let mut of: HashMap<UserId, Vec<Arc<Standing>>> =
                        ids.iter().map(|id| (*id, Vec::new())).collect();
                    for log in logs.find(of_users).await? {
                        let (id, user) = (log.id, log.user_id);
                        let habit = Arc::new(Standing::new(log));
                        by_id.prime(id, habit.clone());
                        of.entry(user).or_default().push(habit);
                    }
                    Ok(of
                        .into_iter()
                        .map(|(user, habits)| (user, habits.into()))
                        .collect())
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

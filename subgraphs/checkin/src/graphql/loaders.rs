//! Look-ups that one request makes in batches.

use std::collections::HashMap;
use std::sync::Arc;

use docstore::Query;
use futures::future::try_join_all;
use kernel::{CheckInId, HabitId, UserId};
use subgraph::loader::Loader;

use crate::app::App;
use crate::ops::refresh;
use crate::store::{CheckInDoc, HabitLog, UserLog};

/// The loaders of one request.
pub struct Loaders {
    /// People, as new as the owning domains say.
    pub fresh: Loader<UserId, Arc<UserLog>>,
    /// Habits by id, as they are stored.
    pub logs: Loader<HabitId, Arc<HabitLog>>,
    /// All habits of a person, as they are stored: to be asked after the person was made fresh.
    pub logs_of: Loader<UserId, Arc<Vec<HabitLog>>>,
    /// Check-ins by id.
    pub check_ins: Loader<CheckInId, Arc<CheckInDoc>>,
}

impl Loaders {
    /// Loaders that know nothing yet.
    pub fn new(app: &App) -> Self {
        let (fresh, logs, logs_of, check_ins) = (app.clone(), app.logs(), app.logs(), app.check_ins());
        Self {
            fresh: Loader::new(move |ids: Vec<UserId>| {
                let app = fresh.clone();
                async move {
                    // A request is about one or two people.
                    let found = try_join_all(ids.iter().map(|id| refresh::fresh(&app, *id))).await?;
                    Ok(found.into_iter().map(|log| (log.id, Arc::new(log))).collect())
                }
            }),
            logs: Loader::new(move |ids: Vec<HabitId>| {
                let logs = logs.clone();
                async move {
                    let found = logs.get_many(&ids).await?;
                    Ok(found.into_iter().map(|log| (log.id, Arc::new(log))).collect())
                }
            }),
            logs_of: Loader::new(move |ids: Vec<UserId>| {
                let logs = logs_of.clone();
                async move {
                    let found = logs
                        .find(Query::all().is_in("userId", ids.iter().copied()))
                        .await?;
                    let mut of: HashMap<UserId, Vec<HabitLog>> =
                        ids.iter().map(|id| (*id, Vec::new())).collect();
                    for log in found {
                        of.entry(log.user_id).or_default().push(log);
                    }
                    Ok(of
                        .into_iter()
                        .map(|(user, logs)| (user, Arc::new(logs)))
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

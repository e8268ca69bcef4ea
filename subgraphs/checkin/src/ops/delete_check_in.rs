//! Taking a check-in back. What it joined is split again.

use docstore::Batch;
use kernel::{CheckInId, Principal, Result};
use rules::Fact;
use subgraph::messages::CheckInDeleted;

use super::create_check_in::settle_day;
use super::update_check_in::own;
use crate::app::App;
use crate::store::Undone;

/// Takes a check-in of the person who asks back.
///
/// # Errors
/// `NOT_FOUND`, also where it was taken back before; `FORBIDDEN`.
pub async fn delete_check_in(app: &App, principal: &Principal, id: CheckInId) -> Result<()> {
    docstore::retry_stale(async || {
        let mut check_in = own(app, principal, id).await?;
        let mut judged = app.own(check_in.user_id, check_in.habit_id).await?;
        let now = app.now();
        let of = rules::fact_id(id);
        let what = judged
            .ask(app, |state, rules| state.accept_undo(rules, of, now))
            .await?;
        let fact = Fact {
            id: app.deps.random.id(now),
            at: now,
            what,
        };
        let mut batch = Batch::new();
        judged.apply(app, &mut batch, &fact).await?;
        check_in.undone = Some(Undone {
            fact: fact.id,
            at: now.as_millisecond(),
        });
        check_in.is_undone = true;
        let told = check_in.tell()?;
        settle_day(app, &mut batch, &judged, &mut check_in).await?;
        batch.replace(&mut check_in);
        app.deps
            .outbox
            .emit(&mut batch, check_in.user_id, &CheckInDeleted { check_in: told })?;
        Ok(app.deps.store.commit(batch).await?)
    })
    .await
}

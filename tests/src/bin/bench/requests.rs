//! Requests against what they cost without the platform around them.

use std::time::Instant;

use checkin::seed::{CheckInDoc, HabitLog, UserLog};
use docstore::{Batch, DocStore, Order, Query};
use events::Outbox;
use futures::future::try_join_all;
use habit::seed::{HabitDoc, OwnerDoc};
use http::Method;
use jiff::civil::Date;
use kernel::HabitId;
use serde_json::{Value, json};
use subgraph::messages::CheckInCreated;
use user::UserDoc;

use crate::Failure;
use crate::figures::{Figure, Limit};
use crate::history::give;
use crate::stage::{Somebody, Stage};

const TODAY_SCREEN: &str = include_str!("../../../../schema/operations/app/today-screen.graphql");
const HABITS: usize = 20;
const MONTH: i64 = 30;
const DECADE: i64 = 3650;
/// Rounds of reads, and reads of each side in a round.
const ROUNDS: usize = 40;
const READS: usize = 10;
/// Rounds before which nothing counts: plans, caches and statements are made.
const WARM_UP: usize = 5;
/// Rounds of check-ins, and people who check in with all their habits in each.
const WRITE_ROUNDS: usize = 8;
const WRITERS: usize = 16;

/// The "Today" screen against the same reads of the store, and after ten years against after a month.
pub(crate) async fn today_screen(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let month = stage.log_in("bench-month").await?;
    let decade = stage.log_in("bench-decade").await?;
    give(stage, &month, HABITS, MONTH, true).await?;
    give(stage, &decade, HABITS, DECADE, true).await?;
    let ask = ask_today(stage);
    for somebody in [&month, &decade] {
        let habits = stage
            .graphql(Some(somebody), TODAY_SCREEN, ask["variables"].clone())
            .await?;
        let habits = habits
            .pointer("/today/habits")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        whole(habits == HABITS)?;
    }
    let (store, ask) = (stage.store(), ask.to_string());
    let mut rounds: Vec<[f64; 4]> = Vec::new();
    for _ in 0..WARM_UP + ROUNDS {
        rounds.push([
            timed(async || post(stage, &month, &ask).await).await?,
            timed(async || read_at_once(store, &month).await).await?,
            timed(async || read_in_turn(store, &month).await).await?,
            timed(async || post(stage, &decade, &ask).await).await?,
        ]);
    }
    rounds.drain(..WARM_UP);
    let before = store.calls();
    post(stage, &month, &ask).await?;
    let calls = (store.calls().reads - before.reads) as f64;
    let time = |what: &str, of: usize| {
        Figure::new(
            what,
            " ms",
            rounds.iter().map(|round| round[of]).collect(),
            Limit::None,
        )
    };
    let ratio = |what: &str, of: usize, to: usize, limit: Limit| {
        Figure::new(
            what,
            " ×",
            rounds.iter().map(|round| round[of] / round[to]).collect(),
            limit,
        )
    };
    Ok(vec![
        Figure::new("store reads of one Today screen", "", vec![calls], Limit::None),
        time("Today screen, 20 habits, one month", 0),
        time("its store reads alone, at once where they can", 1),
        time("its store reads alone, one after the other", 2),
        time("Today screen, 20 habits, ten years", 3),
        ratio("Today screen / its reads one after the other", 0, 2, Limit::None),
        ratio("Today screen / its store reads", 0, 1, Limit::AtMost(1.5)),
        ratio("Today screen, ten years / one month", 3, 0, Limit::AtMost(1.2)),
    ])
}

/// A read over REST against the same over GraphQL.
pub(crate) async fn rest(stage: &Stage) -> Result<Figure, Failure> {
    let somebody = stage.log_in("bench-rest").await?;
    give(stage, &somebody, HABITS, MONTH, true).await?;
    let query = concat!(
        include_str!("../../../../schema/operations/check-ins/today.graphql"),
        include_str!("../../../../schema/operations/fragments/check-in.graphql")
    )
    .replace("@rest(method: GET, path: \"/api/v1/checkins/today\")", "");
    let found = stage.graphql(Some(&somebody), &query, json!({})).await?;
    whole(found.pointer("/today/habits").is_some())?;
    let ask = json!({ "query": query }).to_string();
    let mut ratios = Vec::new();
    for round in 0..WARM_UP + ROUNDS {
        let graphql = timed(async || post(stage, &somebody, &ask).await).await?;
        let rest = timed(async || {
            stage
                .call(Some(&somebody), Method::GET, "/api/v1/checkins/today", None)
                .await
                .map(drop)
        })
        .await?;
        if round >= WARM_UP {
            ratios.push(rest / graphql);
        }
    }
    Ok(Figure::new(
        "today's habits over REST / over GraphQL",
        " ×",
        ratios,
        Limit::AtMost(1.1),
    ))
}

/// Check-ins through the gateway against bare inserts of the same documents, and against bare commits of all that a
/// check-in writes: its document, the state of its habit, its event.
pub(crate) async fn check_ins(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let mut figures = Vec::new();
    for at_once in [1, WRITERS] {
        let mut rounds: Vec<[f64; 3]> = Vec::new();
        for round in 0..WRITE_ROUNDS {
            let writers = writers(stage, &format!("bench-{at_once}-{round}")).await?;
            let count = writers.len() * HABITS;
            let mut rates = [0.0; 3];
            // Each goes first in turn: what one leaves behind in the store's log the next pays for.
            for part in 0..rates.len() {
                let side = (part + round) % rates.len();
                let begun = match side {
                    0 => {
                        let begun = Instant::now();
                        check_in_all(stage, &writers, at_once).await?;
                        begun
                    }
                    1 => {
                        let documents = documents(stage, count).await?;
                        let begun = Instant::now();
                        insert_all(stage.store(), &documents, at_once).await?;
                        begun
                    }
                    _ => {
                        let documents = documents(stage, count).await?;
                        let mut logs = logs(stage, &writers).await?;
                        let begun = Instant::now();
                        commit_all(stage, &documents, &mut logs, at_once).await?;
                        begun
                    }
                };
                rates[side] = count as f64 / begun.elapsed().as_secs_f64();
            }
            rounds.push(rates);
        }
        let figure = |what: &str, unit, sample: &dyn Fn(&[f64; 3]) -> f64, limit| {
            let what = format!("{what}, {at_once} at once");
            Figure::new(what, unit, rounds.iter().map(sample).collect(), limit)
        };
        figures.extend([
            figure("check-ins", " /s", &|rates| rates[0], Limit::None),
            figure("bare inserts", " /s", &|rates| rates[1], Limit::None),
            figure(
                "bare commits of all that a check-in writes",
                " /s",
                &|rates| rates[2],
                Limit::None,
            ),
            figure(
                "check-ins / such commits",
                " %",
                &|rates| 100.0 * rates[0] / rates[2],
                Limit::None,
            ),
            figure(
                "check-ins / bare inserts",
                " %",
                &|rates| 100.0 * rates[0] / rates[1],
                Limit::AtLeast(60.0),
            ),
        ]);
    }
    Ok(figures)
}

/// Milliseconds of one run, as the mean of some.
async fn timed(run: impl AsyncFn() -> Result<(), Failure>) -> Result<f64, Failure> {
    let begun = Instant::now();
    for _ in 0..READS {
        run().await?;
    }
    Ok(begun.elapsed().as_secs_f64() * 1000.0 / READS as f64)
}

/// The screen's request of this month.
fn ask_today(stage: &Stage) -> Value {
    let today = jiff::tz::TimeZone::UTC.to_datetime(stage.clock.now()).date();
    json!({ "query": TODAY_SCREEN, "variables": { "year": today.year(), "month": today.month() } })
}

/// Asks over GraphQL, and leaves it to the client to read the answer.
async fn post(stage: &Stage, somebody: &Somebody, body: &str) -> Result<(), Failure> {
    stage
        .call(Some(somebody), Method::POST, "/graphql", Some(body.to_owned()))
        .await
        .map(drop)
}

/// The reads of the screen, with their documents taken apart as the platform does: the user, who says which date is
/// today; their count of habits, their habits, what the check-in domain knows of them and of the habits; and the
/// check-ins of today. All but the last at once.
async fn read_at_once(store: &DocStore, somebody: &Somebody) -> Result<(), Failure> {
    let (users, owners) = (store.collection::<UserDoc>(), store.collection::<OwnerDoc>());
    let (habits, known) = (store.collection::<HabitDoc>(), store.collection::<UserLog>());
    let logs = store.collection::<HabitLog>();
    let of_user = || Query::all().eq("userId", somebody.id);
    let (user, owner, habits, log, logs) = tokio::try_join!(
        users.get(somebody.id),
        owners.get(somebody.id),
        habits.find(of_user().sort("position", Order::Asc)),
        known.get(somebody.id),
        logs.find(of_user()),
    )?;
    let today = today(user)?;
    let made = store.collection::<CheckInDoc>().find(on(somebody, today)).await?;
    whole(
        owner.is_some()
            && log.is_some()
            && habits.len() == HABITS
            && logs.len() == HABITS
            && !made.is_empty(),
    )
}

/// The same, one after the other.
async fn read_in_turn(store: &DocStore, somebody: &Somebody) -> Result<(), Failure> {
    let today = today(store.collection::<UserDoc>().get(somebody.id).await?)?;
    let owner = store.collection::<OwnerDoc>().get(somebody.id).await?;
    let of_user = || Query::all().eq("userId", somebody.id);
    let habits = store
        .collection::<HabitDoc>()
        .find(of_user().sort("position", Order::Asc))
        .await?;
    let log = store.collection::<UserLog>().get(somebody.id).await?;
    let logs = store.collection::<HabitLog>().find(of_user()).await?;
    let made = store.collection::<CheckInDoc>().find(on(somebody, today)).await?;
    whole(
        owner.is_some()
            && log.is_some()
            && habits.len() == HABITS
            && logs.len() == HABITS
            && !made.is_empty(),
    )
}

fn today(user: Option<UserDoc>) -> Result<Date, Failure> {
    let user = user.ok_or("the account is gone")?;
    Ok(user.rules.times.today(kernel::Clock::system().now()).date)
}

fn on(somebody: &Somebody, date: Date) -> Query {
    let of_user = Query::all()
        .eq("userId", somebody.id)
        .eq("date", date.to_string())
        .eq("isUndone", false);
    of_user.sort("date", Order::Desc).sort("at", Order::Desc)
}

fn whole(whole: bool) -> Result<(), Failure> {
    if whole {
        Ok(())
    } else {
        Err("the store does not hold what was written".into())
    }
}

/// People who have not checked in today, with a month behind them.
async fn writers(stage: &Stage, name: &str) -> Result<Vec<(Somebody, Vec<HabitId>)>, Failure> {
    let mut writers = Vec::new();
    for number in 0..WRITERS {
        let somebody = stage.log_in(&format!("{name}-{number}")).await?;
        let habits = give(stage, &somebody, HABITS, MONTH, false).await?;
        writers.push((somebody, habits));
    }
    Ok(writers)
}

/// Everybody checks in once with each habit: all at once, or one after the other.
async fn check_in_all(
    stage: &Stage,
    writers: &[(Somebody, Vec<HabitId>)],
    at_once: usize,
) -> Result<(), Failure> {
    let some = writers.len().div_ceil(at_once);
    try_join_all(writers.chunks(some).map(async |writers| {
        for (somebody, habits) in writers {
            for habit in habits {
                check_in(stage, somebody, *habit).await?;
            }
        }
        Ok::<_, Failure>(())
    }))
    .await?;
    Ok(())
}

async fn check_in(stage: &Stage, somebody: &Somebody, habit: HabitId) -> Result<(), Failure> {
    let query = "mutation($input: CreateCheckInInput!) { createCheckIn(input: $input) { id isCompleted } }";
    let input =
        json!({ "habitId": habit, "duration": 25, "mood": 4, "note": "Felt great today.", "tags": ["home"] });
    stage
        .graphql(Some(somebody), query, json!({ "input": input }))
        .await
        .map(drop)
}

/// Check-ins like those that are made, of nobody.
async fn documents(stage: &Stage, count: usize) -> Result<Vec<CheckInDoc>, Failure> {
    let like = stage
        .store()
        .collection::<CheckInDoc>()
        .find_one(Query::all())
        .await?;
    let like = like.ok_or("there is no check-in")?;
    let now = stage.clock.now();
    let copy = |_| CheckInDoc {
        id: stage.random.id(now),
        user_id: stage.random.id(now),
        habit_id: stage.random.id(now),
        ..like.clone()
    };
    Ok((0..count).map(copy).collect())
}

/// The states of the writers' habits.
async fn logs(stage: &Stage, writers: &[(Somebody, Vec<HabitId>)]) -> Result<Vec<HabitLog>, Failure> {
    let mut logs = Vec::new();
    for (somebody, _) in writers {
        let of_user = Query::all().eq("userId", somebody.id);
        logs.extend(stage.store().collection::<HabitLog>().find(of_user).await?);
    }
    Ok(logs)
}

/// What a check-in writes, without anything that leads to it.
async fn commit_all(
    stage: &Stage,
    documents: &[CheckInDoc],
    logs: &mut [HabitLog],
    at_once: usize,
) -> Result<(), Failure> {
    // Nobody carries the events of this source.
    let outbox = Outbox::new("bench", stage.clock.clone(), stage.random.clone());
    let some = documents.len().div_ceil(at_once);
    let parts = documents.chunks(some).zip(logs.chunks_mut(some));
    try_join_all(parts.map(async |(documents, logs)| {
        for (document, log) in documents.iter().zip(logs) {
            let mut batch = Batch::new();
            batch.replace(log);
            batch.insert(document);
            let check_in = document.tell()?;
            outbox.emit(&mut batch, document.user_id, &CheckInCreated { check_in })?;
            stage.store().commit(batch).await?;
        }
        Ok::<_, Failure>(())
    }))
    .await?;
    Ok(())
}

async fn insert_all(store: &DocStore, documents: &[CheckInDoc], at_once: usize) -> Result<(), Failure> {
    let some = documents.len().div_ceil(at_once);
    try_join_all(documents.chunks(some).map(async |documents| {
        for document in documents {
            store.collection::<CheckInDoc>().insert(document).await?;
        }
        Ok::<_, Failure>(())
    }))
    .await?;
    Ok(())
}

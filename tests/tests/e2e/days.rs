//! What becomes of days: check-ins, makeups, skips, pauses, freezes, edits and undo.

use std::time::{Duration, Instant};

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::{Value, json};
use tests::{Caller, Daka};

scenarios!(
    a_new_goal_holds_at_once,
    a_deleted_habit_takes_its_check_ins_along,
    an_archived_habit_is_not_due,
    a_paused_habit_is_not_due_until_it_is_resumed,
    a_pause_of_all_habits_reaches_each,
    a_skipped_day_can_be_taken_back,
    freezes_are_held_up_to_two,
    a_missed_day_is_made_up_within_window_and_quota,
    dates_that_are_not_there_are_refused,
    taking_a_check_in_back_splits_the_streak,
    previews_change_nothing,
    a_day_is_explained,
    linked_habits_make_no_circle,
    habits_are_put_in_order,
);

const STANDING: &str = "query($id: ID!) {
    habit(id: $id) { isPaused isArchived today { status amount target }
        stats { totalCheckIns currentStreak longestStreak completionRate freezesHeld makeupsLeft } }
}";
const UPDATE: &str =
    "mutation($id: ID!, $input: UpdateHabitInput!) { updateHabit(id: $id, input: $input) { id } }";
const CHECK_IN: &str =
    "mutation($input: CreateCheckInInput!) { createCheckIn(input: $input) { id provenance } }";

async fn standing(caller: &Caller, habit: &str) -> Value {
    caller.query(STANDING, json!({ "id": habit })).await["habit"].take()
}

async fn status(caller: &Caller, habit: &str) -> Value {
    standing(caller, habit).await["today"]["status"].take()
}

/// A habit without a goal that began so many days ago.
async fn habit_since(caller: &Caller, days: i64) -> (String, Date) {
    let today = caller.today().await;
    let start = today.saturating_sub(days.days());
    (
        caller
            .new_habit(json!({ "title": "Read", "startDate": start.to_string() }))
            .await,
        today,
    )
}

fn before(today: Date, days: i64) -> String {
    today.saturating_sub(days.days()).to_string()
}

async fn make_up(caller: &Caller, habit: &str, date: &str) -> Value {
    let made = caller
        .query(CHECK_IN, json!({ "input": { "habitId": habit, "date": date } }))
        .await;
    made["createCheckIn"].clone()
}

async fn a_new_goal_holds_at_once(daka: &Daka) {
    let alice = daka.someone().await;
    let habit = alice
        .new_habit(json!({ "title": "Push-ups", "goal": { "type": "COUNT", "value": 10 } }))
        .await;
    alice.check_in(json!({ "habitId": habit, "count": 6 })).await;
    let today = standing(&alice, &habit).await;
    assert_eq!(
        today["today"],
        json!({ "status": "DUE", "amount": 6.0, "target": 10.0 })
    );
    for (value, status, streak) in [(5, "DONE", 1), (20, "DUE", 0), (6, "DONE", 1)] {
        let input = json!({ "goal": { "type": "COUNT", "value": value } });
        alice.query(UPDATE, json!({ "id": habit, "input": input })).await;
        let now = standing(&alice, &habit).await;
        assert_eq!(now["today"]["status"], status, "a goal of {value}: {now}");
        assert_eq!(now["stats"]["currentStreak"], streak, "a goal of {value}: {now}");
        let listed = alice
            .query("{ today { habits { status target } } }", json!({}))
            .await;
        let expected = json!([{ "status": status, "target": f64::from(value) }]);
        assert_eq!(listed["today"]["habits"], expected);
    }
    alice.check_in(json!({ "habitId": habit, "count": 1 })).await;
    assert_eq!(standing(&alice, &habit).await["today"]["amount"], 7.0);
}

async fn a_deleted_habit_takes_its_check_ins_along(daka: &Daka) {
    let alice = daka.someone().await;
    let (kept, gone) = (
        alice.new_habit(json!({ "title": "Kept" })).await,
        alice.new_habit(json!({ "title": "Gone" })).await,
    );
    alice.check_in(json!({ "habitId": kept })).await;
    let check_in = alice.check_in(json!({ "habitId": gone })).await;
    alice
        .query(
            "mutation($id: ID!) { deleteHabit(id: $id) }",
            json!({ "id": gone }),
        )
        .await;
    let query = "query($habit: ID!, $entry: ID!) {
        habit(id: $habit) { id } checkIn(id: $entry) { id }
        checkIns { habitId } todayCheckIns { habitId } today { habits { habitId } } myStats { totalHabits totalCheckIns }
    }";
    let input = json!({ "input": { "habitId": gone } });
    assert_eq!(alice.refused(CHECK_IN, input).await, "NOT_FOUND");
    let variables = json!({ "habit": gone, "entry": check_in });
    let mut seen = alice.query(query, variables.clone()).await;
    assert_eq!(seen["habit"], json!(null));
    // Its check-ins follow when their domain hears of it.
    let since = Instant::now();
    while !seen["checkIn"].is_null() && since.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        seen = alice.query(query, variables.clone()).await;
    }
    let of_kept = json!([{ "habitId": kept }]);
    assert_eq!(seen["checkIn"], json!(null));
    assert_eq!((&seen["checkIns"], &seen["todayCheckIns"]), (&of_kept, &of_kept));
    assert_eq!(seen["today"]["habits"], of_kept);
    assert_eq!(seen["myStats"], json!({ "totalHabits": 1, "totalCheckIns": 1 }));
}

async fn an_archived_habit_is_not_due(daka: &Daka) {
    let alice = daka.someone().await;
    let habit = alice.new_habit(json!({ "title": "Read" })).await;
    let archive = "mutation($id: ID!) { archiveHabit(id: $id) { isArchived } }";
    let archived = alice.query(archive, json!({ "id": habit })).await;
    assert_eq!(archived["archiveHabit"]["isArchived"], true);
    assert_eq!(status(&alice, &habit).await, "PAUSED");
    let listed = "{ habits { id } habitsConnection(filter: { isArchived: true }) { nodes { id } } }";
    let listed = alice.query(listed, json!({})).await;
    assert_eq!(listed["habits"], json!([]));
    assert_eq!(listed["habitsConnection"]["nodes"], json!([{ "id": habit }]));
    let explain = "query($id: ID!, $date: Date!) {
        explainDay(habitId: $id, date: $date) { day { status } reason text }
    }";
    let today = json!({ "id": habit, "date": alice.today().await.to_string() });
    let explained = alice.speaking("en").query(explain, today).await;
    let expected = json!({
        "day": { "status": "PAUSED" }, "reason": "ARCHIVED", "text": "The habit was archived.",
    });
    assert_eq!(explained["explainDay"], expected);
    assert_eq!(
        alice
            .refused(CHECK_IN, json!({ "input": { "habitId": habit } }))
            .await,
        "CONFLICT/HABIT_ARCHIVED"
    );
    let out = "mutation($id: ID!) { unarchiveHabit(id: $id) { isArchived } }";
    alice.query(out, json!({ "id": habit })).await;
    assert_eq!(status(&alice, &habit).await, "DUE");
}

async fn a_paused_habit_is_not_due_until_it_is_resumed(daka: &Daka) {
    let alice = daka.someone().await;
    let habit = alice.new_habit(json!({ "title": "Read" })).await;
    let pause = "mutation($id: ID!) { pauseHabit(id: $id) { isPaused today { status } } }";
    let paused = alice.query(pause, json!({ "id": habit })).await;
    assert_eq!(
        paused["pauseHabit"],
        json!({ "isPaused": true, "today": { "status": "PAUSED" } })
    );
    assert_eq!(
        alice.refused(pause, json!({ "id": habit })).await,
        "CONFLICT/ALREADY_PAUSED"
    );
    let resume = "mutation($id: ID!) { resumeHabit(id: $id) { isPaused today { status } } }";
    let resumed = alice.query(resume, json!({ "id": habit })).await;
    assert_eq!(
        resumed["resumeHabit"],
        json!({ "isPaused": false, "today": { "status": "DUE" } })
    );
    assert_eq!(
        alice.refused(resume, json!({ "id": habit })).await,
        "CONFLICT/NOT_PAUSED"
    );
}

async fn a_pause_of_all_habits_reaches_each(daka: &Daka) {
    let alice = daka.someone().await;
    let habit = alice.new_habit(json!({ "title": "Read" })).await;
    alice.query("mutation { pauseAllHabits { id } }", json!({})).await;
    assert_eq!(status(&alice, &habit).await, "PAUSED");
    alice
        .query("mutation { resumeAllHabits { id } }", json!({}))
        .await;
    assert_eq!(status(&alice, &habit).await, "DUE");
}

async fn a_skipped_day_can_be_taken_back(daka: &Daka) {
    let alice = daka.someone().await;
    let (habit, today) = habit_since(&alice, 0).await;
    let skip = "mutation($id: ID!) { skipDay(habitId: $id) { today { status } } }";
    let unskip =
        "mutation($id: ID!, $date: Date!) { unskipDay(habitId: $id, date: $date) { today { status } } }";
    let skipped = alice.query(skip, json!({ "id": habit })).await;
    assert_eq!(skipped["skipDay"]["today"]["status"], "SKIPPED");
    assert_eq!(
        alice.refused(skip, json!({ "id": habit })).await,
        "CONFLICT/ALREADY_SKIPPED"
    );
    let day = json!({ "id": habit, "date": today.to_string() });
    let back = alice.query(unskip, day.clone()).await;
    assert_eq!(back["unskipDay"]["today"]["status"], "DUE");
    assert_eq!(alice.refused(unskip, day).await, "CONFLICT/NOT_SKIPPED");
    alice.check_in(json!({ "habitId": habit })).await;
    assert_eq!(
        alice.refused(skip, json!({ "id": habit })).await,
        "CONFLICT/ALREADY_DONE"
    );
}

async fn freezes_are_held_up_to_two(daka: &Daka) {
    let alice = daka.someone().await;
    let habit = alice.new_habit(json!({ "title": "Read" })).await;
    let buy = "mutation($id: ID!) { buyFreeze(habitId: $id) { stats { freezesHeld } } }";
    for held in [1, 2] {
        let bought = alice.query(buy, json!({ "id": habit })).await;
        assert_eq!(bought["buyFreeze"]["stats"]["freezesHeld"], held);
    }
    assert_eq!(
        alice.refused(buy, json!({ "id": habit })).await,
        "CONFLICT/FREEZE_LIMIT"
    );
}

async fn a_missed_day_is_made_up_within_window_and_quota(daka: &Daka) {
    let alice = daka.someone().await;
    let (habit, today) = habit_since(&alice, 20).await;
    let left = standing(&alice, &habit).await["stats"]["makeupsLeft"]
        .as_i64()
        .expect("a number");
    assert_eq!(left, 3);
    for days in [3, 2, 1] {
        assert_eq!(
            make_up(&alice, &habit, &before(today, days)).await["provenance"],
            "MAKEUP"
        );
    }
    let now = standing(&alice, &habit).await;
    assert_eq!(
        (&now["stats"]["currentStreak"], &now["stats"]["makeupsLeft"]),
        (&json!(3), &json!(0))
    );
    let refused = async |days| {
        let input = json!({ "input": { "habitId": habit, "date": before(today, days) } });
        alice.refused(CHECK_IN, input).await
    };
    assert_eq!(refused(4).await, "CONFLICT/MAKEUP_QUOTA_SPENT");
    assert_eq!(refused(8).await, "CONFLICT/OUTSIDE_MAKEUP_WINDOW");
    assert_eq!(refused(2).await, "CONFLICT/ALREADY_CHECKED_IN");
    alice.check_in(json!({ "habitId": habit })).await;
    assert_eq!(standing(&alice, &habit).await["stats"]["currentStreak"], 4);
}

async fn dates_that_are_not_there_are_refused(daka: &Daka) {
    let alice = daka.someone().await;
    let (habit, today) = habit_since(&alice, 3).await;
    let tomorrow = before(today, -1);
    for (date, code) in [
        ("2026-02-31", "INVALID_DATE"),
        ("yesterday", "INVALID_DATE"),
        (&tomorrow, "FUTURE_DATE"),
    ] {
        let answer = alice
            .graphql(CHECK_IN, json!({ "input": { "habitId": habit, "date": date } }))
            .await;
        assert_eq!(answer.refusal(), "BAD_USER_INPUT", "{date}: {}", answer.body);
        assert_eq!(answer.issues(), [format!("input.date {code}")], "{date}");
    }
    assert_eq!(standing(&alice, &habit).await["stats"]["totalCheckIns"], 0);
}

async fn taking_a_check_in_back_splits_the_streak(daka: &Daka) {
    let alice = daka.someone().await;
    let (habit, today) = habit_since(&alice, 2).await;
    make_up(&alice, &habit, &before(today, 2)).await;
    let middle = make_up(&alice, &habit, &before(today, 1)).await;
    alice.check_in(json!({ "habitId": habit })).await;
    let joined = standing(&alice, &habit).await;
    assert_eq!(
        (
            &joined["stats"]["currentStreak"],
            &joined["stats"]["longestStreak"]
        ),
        (&json!(3), &json!(3))
    );
    let undo = "mutation($id: ID!) { deleteCheckIn(id: $id) }";
    alice.query(undo, json!({ "id": middle["id"] })).await;
    let split = standing(&alice, &habit).await;
    assert_eq!(
        (&split["stats"]["currentStreak"], &split["stats"]["longestStreak"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(split["stats"]["totalCheckIns"], 2);
    make_up(&alice, &habit, &before(today, 1)).await;
    assert_eq!(standing(&alice, &habit).await["stats"]["currentStreak"], 3);
}

async fn previews_change_nothing(daka: &Daka) {
    let alice = daka.someone().await;
    let (habit, today) = habit_since(&alice, 2).await;
    make_up(&alice, &habit, &before(today, 2)).await;
    alice.check_in(json!({ "habitId": habit })).await;
    let now = standing(&alice, &habit).await;
    let preview = "query($habit: ID!, $date: Date!, $input: PreviewHabitInput!) {
        previewMakeup(habitId: $habit, date: $date) {
            before { currentStreak } after { currentStreak } days { date before after }
        }
        previewHabitUpdate(id: $habit, input: $input) { before { currentStreak } after { currentStreak } }
    }";
    let yesterday = before(today, 1);
    let input = json!({ "startDate": today.to_string() });
    let seen = alice
        .query(
            preview,
            json!({ "habit": habit, "date": yesterday, "input": input }),
        )
        .await;
    assert_eq!(seen["previewMakeup"]["before"], json!({ "currentStreak": 1 }));
    assert_eq!(seen["previewMakeup"]["after"], json!({ "currentStreak": 3 }));
    let days = json!([{ "date": yesterday, "before": "MISSED", "after": "MADE_UP" }]);
    assert_eq!(seen["previewMakeup"]["days"], days);
    assert_eq!(standing(&alice, &habit).await, now);
}

async fn a_day_is_explained(daka: &Daka) {
    let alice = daka.someone().await;
    let (habit, today) = habit_since(&alice, 2).await;
    let made = make_up(&alice, &habit, &before(today, 1)).await;
    let explain = "query($habit: ID!, $date: Date!) {
        explainDay(habitId: $habit, date: $date) { day { status } reason text factId }
    }";
    let explained = async |caller: &Caller, days| {
        let asked = json!({ "habit": habit, "date": before(today, days) });
        caller.query(explain, asked).await["explainDay"].take()
    };
    let day = explained(&alice, 1).await;
    assert_eq!(
        (&day["day"]["status"], &day["reason"]),
        (&json!("MADE_UP"), &json!("ACHIEVED_BY_MAKEUP"))
    );
    assert_eq!(day["factId"], made["id"]);
    assert_eq!(explained(&alice, 2).await["day"]["status"], "MISSED");
    assert_eq!(explained(&alice, 0).await["reason"], "STILL_OPEN");
    assert_eq!(explained(&alice, 3).await["reason"], "BEFORE_START");
    let chinese = explained(&alice.speaking("zh-CN"), 2).await;
    assert_ne!(chinese["text"], explained(&alice.speaking("en"), 2).await["text"]);
}

async fn linked_habits_make_no_circle(daka: &Daka) {
    let alice = daka.someone().await;
    let first = alice.new_habit(json!({ "title": "First" })).await;
    let second = alice
        .new_habit(json!({ "title": "Second", "linkedHabits": [first] }))
        .await;
    let query = "query($id: ID!) { habit(id: $id) { linkedHabits { title linkedHabits { title } } } }";
    let seen = alice.query(query, json!({ "id": second })).await;
    assert_eq!(
        seen["habit"]["linkedHabits"],
        json!([{ "title": "First", "linkedHabits": [] }])
    );
    let answer = alice
        .graphql(
            UPDATE,
            json!({ "id": first, "input": { "linkedHabits": [second] } }),
        )
        .await;
    assert_eq!(answer.refusal(), "BAD_USER_INPUT");
    assert_eq!(answer.issues(), ["input.linkedHabits.0 CYCLE"]);
}

async fn habits_are_put_in_order(daka: &Daka) {
    let alice = daka.someone().await;
    let mut ids = Vec::new();
    for title in ["A", "B", "C"] {
        ids.push(alice.new_habit(json!({ "title": title })).await);
    }
    let reorder = "mutation($ids: [ID!]!) { reorderHabits(ids: $ids) { title } }";
    let ordered = alice.query(reorder, json!({ "ids": [ids[2], ids[0]] })).await;
    let expected = json!([{ "title": "C" }, { "title": "A" }, { "title": "B" }]);
    assert_eq!(ordered["reorderHabits"], expected);
    assert_eq!(
        alice.query("{ habits { title } }", json!({})).await["habits"],
        expected
    );
}

//! Answers that the router keeps: nobody is told what is out of date once its event is there, and who changes something is
//! not told it even once.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Caller, Daka, Shape};

const ON: [(&str, &str); 2] = [
    ("DAKA__ROUTER__RESPONSE_CACHE__ENABLED", "true"),
    ("DAKA__ROUTER__RESPONSE_CACHE__DEBUG", "true"),
];

const HABIT: &str = "query($id: ID!) { habit(id: $id) { title frequency { type } } }";
const RENAME: &str =
    "mutation($id: ID!, $title: String!) { updateHabit(id: $id, input: { title: $title }) { id } }";
const PERSON: &str = "query($id: ID!) { user(id: $id) { nickname badges { code } } }";
const CALL_ME: &str = "mutation($name: String!) { updateProfile(input: { nickname: $name }) { id } }";
const CHECK_INS: &str = "query($id: ID!) { checkIns(filter: { userId: $id }) { id note time { start } } }";
const NOTE: &str =
    "mutation($id: ID!, $note: String!) { updateCheckIn(id: $id, input: { note: $note }) { id } }";
const OPEN: &str = "mutation {
    updatePreferences(input: { privacy: { profileVisibility: PUBLIC, activityVisibility: PUBLIC } }) { id }
}";
const CLOSE: &str =
    "mutation { updatePreferences(input: { privacy: { activityVisibility: PRIVATE } }) { id } }";
const DELETE: &str = "mutation($id: ID!) { deleteHabit(id: $id) }";

/// Runs in both shapes, with answers kept.
macro_rules! keeping {
    ($($name:ident),* $(,)?) => {
        mod embedded {
            $(#[test] fn $name() { tests::block_on(super::$name(super::start(tests::Shape::Embedded))); })*
        }
        mod distributed {
            $(#[test] fn $name() { tests::block_on(super::$name(super::start(tests::Shape::Distributed))); })*
        }
    };
}

keeping! {
    who_changes_something_sees_it,
    what_others_see_is_as_new_as_the_events,
    events_are_not_lost_with_the_processes,
    templates_are_kept_for_everybody_in_their_language,
    what_changes_as_time_goes_by_is_not_kept,
}

async fn start(shape: Shape) -> Daka {
    Daka::start_with(shape, &ON).await
}

/// An answer, and whether all of it was kept.
async fn told(who: &Caller, query: &str, variables: &Value) -> (Value, bool) {
    let answer = who.graphql(query, variables.clone()).await.body;
    assert!(
        answer.get("errors").is_none(),
        "{query}\nis answered with {answer}"
    );
    let lookups = answer["extensions"]["responseCache"]
        .as_array()
        .expect("look-ups");
    let types = lookups
        .iter()
        .flat_map(|lookup| lookup["types"].as_array().into_iter().flatten());
    let misses: u64 = types.filter_map(|of_type| of_type["misses"].as_u64()).sum();
    (answer["data"].clone(), misses == 0 && !lookups.is_empty())
}

/// The same once it is kept.
async fn kept(who: &Caller, query: &str, variables: &Value) -> Value {
    patiently(async || {
        let (data, is_kept) = told(who, query, variables).await;
        is_kept.then_some(data)
    })
    .await
}

/// Asks until the answer is as expected.
async fn until(who: &Caller, query: &str, variables: &Value, is_it: impl Fn(&Value) -> bool) {
    patiently(async || is_it(&told(who, query, variables).await.0).then_some(())).await;
}

async fn patiently<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    let patience = tokio::time::timeout(Duration::from_secs(60), asking);
    patience.await.expect("it comes to be")
}

async fn public_habit(who: &Caller) -> String {
    who.new_habit(json!({ "title": "Read", "isPublic": true })).await
}

async fn who_changes_something_sees_it(daka: impl Future<Output = Daka>) {
    let mut daka = daka.await;
    let alice = daka.someone().await;
    // Another router, where the platform has several processes.
    let elsewhere = match daka.shape() {
        Shape::Embedded => alice.clone(),
        Shape::Distributed => {
            let base = daka.another_router().await;
            alice.at(&base)
        }
    };
    let id = public_habit(&alice).await;
    let habit = json!({ "id": id });
    for turn in 0..10 {
        let (changing, reading) = match turn % 2 {
            0 => (&alice, &elsewhere),
            _ => (&elsewhere, &alice),
        };
        kept(reading, HABIT, &habit).await;
        let title = format!("Read {turn}");
        changing.query(RENAME, json!({ "id": id, "title": title })).await;
        for who in [reading, changing] {
            assert_eq!(told(who, HABIT, &habit).await.0["habit"]["title"], title);
        }
    }
    // Over REST too, in both directions.
    let path = format!("/api/v1/habits/{id}");
    kept(&elsewhere, HABIT, &habit).await;
    alice.put(&path, json!({ "title": "Write" })).await.ok(200);
    assert_eq!(told(&elsewhere, HABIT, &habit).await.0["habit"]["title"], "Write");
    elsewhere
        .query(RENAME, json!({ "id": id, "title": "Draw" }))
        .await;
    assert_eq!(alice.get(&path).await.ok(200)["title"], "Draw");
}

async fn what_others_see_is_as_new_as_the_events(daka: impl Future<Output = Daka>) {
    let daka = daka.await;
    let (alice, bob) = (daka.someone().await, daka.someone().await);
    alice.query(OPEN, json!({})).await;
    let id = public_habit(&alice).await;
    let check_in = alice
        .check_in(json!({ "habitId": id, "isPublic": true, "note": "one" }))
        .await;
    let (habit, person) = (json!({ "id": id }), json!({ "id": alice.id }));
    // Until then the check-in domain may not know Alice.
    until(&bob, CHECK_INS, &person, |data| {
        data["checkIns"][0]["note"] == "one"
    })
    .await;

    kept(&bob, HABIT, &habit).await;
    alice.query(RENAME, json!({ "id": id, "title": "Write" })).await;
    until(&bob, HABIT, &habit, |data| data["habit"]["title"] == "Write").await;

    kept(&bob, PERSON, &person).await;
    alice.query(CALL_ME, json!({ "name": "Alice" })).await;
    until(&bob, PERSON, &person, |data| data["user"]["nickname"] == "Alice").await;

    kept(&bob, CHECK_INS, &person).await;
    alice.query(NOTE, json!({ "id": check_in, "note": "two" })).await;
    until(&bob, CHECK_INS, &person, |data| {
        data["checkIns"][0]["note"] == "two"
    })
    .await;

    kept(&bob, CHECK_INS, &person).await;
    alice.query(CLOSE, json!({})).await;
    until(&bob, CHECK_INS, &person, |data| data["checkIns"] == json!([])).await;

    kept(&bob, HABIT, &habit).await;
    alice.query(DELETE, habit.clone()).await;
    until(&bob, HABIT, &habit, |data| data["habit"].is_null()).await;
}

async fn events_are_not_lost_with_the_processes(daka: impl Future<Output = Daka>) {
    let mut daka = daka.await;
    let (alice, bob) = (daka.someone().await, daka.someone().await);
    let id = public_habit(&alice).await;
    let habit = json!({ "id": id });
    kept(&bob, HABIT, &habit).await;
    alice.query(RENAME, json!({ "id": id, "title": "Write" })).await;
    daka.restart().await;
    until(&bob, HABIT, &habit, |data| data["habit"]["title"] == "Write").await;
    assert_eq!(kept(&bob, HABIT, &habit).await["habit"]["title"], "Write");
}

async fn templates_are_kept_for_everybody_in_their_language(daka: impl Future<Output = Daka>) {
    let daka = daka.await;
    let query = "{ habitTemplates { title frequency { type } goal { value } } }";
    let templates = kept(&daka.someone().await.speaking("en"), query, &json!({})).await;
    let (others, is_kept) = told(&daka.someone().await.speaking("en"), query, &json!({})).await;
    assert!(is_kept, "it was kept for somebody else");
    assert_eq!(others, templates);
    let (chinese, is_kept) = told(&daka.someone().await.speaking("zh-CN"), query, &json!({})).await;
    assert!(!is_kept);
    assert_ne!(chinese, templates);
}

async fn what_changes_as_time_goes_by_is_not_kept(daka: impl Future<Output = Daka>) {
    let daka = daka.await;
    let alice = daka.someone().await;
    let id = public_habit(&alice).await;
    let of_habit = |fields: &str| format!("query($id: ID!) {{ habit(id: $id) {{ {fields} }} }}");
    for (subgraph, query) in [
        ("checkin", of_habit("stats { currentStreak }")),
        ("checkin", of_habit("isPaused")),
        ("checkin", of_habit("today { status }")),
        ("checkin", "{ today { date habits { status } } }".to_owned()),
        ("checkin", "{ todayCheckIns { id } }".to_owned()),
        ("checkin", "{ myStats { currentStreak } }".to_owned()),
        ("user", "{ me { membershipType } }".to_owned()),
    ] {
        for _ in 0..2 {
            let answer = alice.graphql(&query, json!({ "id": id })).await.body;
            assert!(
                answer.get("errors").is_none(),
                "{query}\nis answered with {answer}"
            );
            let lookups = answer["extensions"]["responseCache"]
                .as_array()
                .expect("look-ups");
            let mut of_subgraph = lookups.iter().filter(|lookup| lookup["subgraph"] == subgraph);
            let hits = of_subgraph.any(|lookup| lookup["types"][0]["hits"] != 0);
            assert!(!hits, "{query}\nis answered with {answer}");
        }
    }
}

#[test]
fn answers_are_not_kept_where_no_event_reaches_them() {
    let folder = testkit::data_dir();
    let config = "[router.response_cache]\nenabled = true\n";
    std::fs::write(folder.path().join("daka.toml"), config).expect("a file can be written");
    let ran = tests::run_in(folder.path(), &["router"]);
    assert!(!ran.is_ok);
    assert!(
        ran.err.contains("needs a cache that processes share"),
        "{}",
        ran.err
    );
}

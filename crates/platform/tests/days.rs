//! The whole platform in this process, with a clock that the tests move.
#![expect(clippy::unwrap_used, reason = "tests")]

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use jiff::SignedDuration;
use kernel::{ManualClock, Random};
use platform::config::{Config, Layer};
use platform::embedded::Platform;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// A platform in a folder of its own, at a time of its own.
struct World {
    routes: Router,
    platform: Platform,
    clock: ManualClock,
    token: String,
    shutdown: CancellationToken,
    _data: tempfile::TempDir,
}

impl World {
    /// Somebody in Shanghai logs in at noon of 1 March 2026.
    async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let folder = format!("data = {:?}", data.path());
        let config = Config::load([Layer::new("the test", folder.parse().unwrap())]).unwrap();
        let clock = ManualClock::at("2026-03-01T04:00:00Z".parse().unwrap());
        let (metrics, shutdown) = (telemetry::Metrics::install(), CancellationToken::new());
        let platform = Platform::start(&config, clock.clock(), Random::seeded(1), metrics, &shutdown)
            .await
            .unwrap();
        let mut world = Self {
            routes: platform.routes.clone(),
            platform,
            clock,
            token: String::new(),
            shutdown,
            _data: data,
        };
        world.log_in().await;
        world
    }

    async fn log_in(&mut self) {
        self.token.clear();
        let data = self
            .ask(
                r#"mutation { login(code: "sandbox:mei") { accessToken } }"#,
                json!({}),
            )
            .await;
        self.token = data["login"]["accessToken"].as_str().unwrap().to_owned();
    }

    /// The data of an answer without errors.
    async fn ask(&self, query: &str, variables: Value) -> Value {
        let answer = self.answer(query, variables).await;
        assert_eq!(answer["errors"], Value::Null, "{query}: {answer:#}");
        answer["data"].clone()
    }

    async fn answer(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let mut request = Request::post("/graphql").header("content-type", "application/json");
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        let response = self
            .routes
            .clone()
            .oneshot(request.body(Body::from(body)).unwrap())
            .await
            .unwrap();
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
    }

    /// So many days later, logged in anew.
    async fn days_later(&mut self, days: i64) {
        self.clock.advance(SignedDuration::from_hours(24 * days));
        self.log_in().await;
    }

    async fn habit(&self, input: Value) -> String {
        let made = self
            .ask(
                "mutation($input: CreateHabitInput!) { createHabit(input: $input) { id } }",
                json!({ "input": input }),
            )
            .await;
        made["createHabit"]["id"].as_str().unwrap().to_owned()
    }

    async fn check_in(&self, habit: &str) {
        let query = "mutation($id: ID!) { createCheckIn(input: { habitId: $id }) { id } }";
        self.ask(query, json!({ "id": habit })).await;
    }

    async fn stats(&self, habit: &str) -> Value {
        let query =
            "query($id: ID!) { habit(id: $id) { stats { currentStreak longestStreak completionRate } } }";
        self.ask(query, json!({ "id": habit })).await["habit"]["stats"].clone()
    }

    async fn finish(self) {
        self.shutdown.cancel();
        self.platform.finish().await;
    }
}

#[tokio::test]
async fn a_streak_grows_day_by_day_and_ends_with_a_missed_one() {
    let mut world = World::new().await;
    let habit = world.habit(json!({ "title": "Read" })).await;
    for _ in 0..3 {
        world.check_in(&habit).await;
        world.days_later(1).await;
    }
    assert_eq!(
        world.stats(&habit).await["currentStreak"],
        3,
        "today is open and breaks nothing"
    );
    world.days_later(1).await;
    assert_eq!(
        world.stats(&habit).await,
        json!({ "currentStreak": 0, "longestStreak": 3, "completionRate": 0.75 })
    );
    world.finish().await;
}

#[tokio::test]
async fn a_made_up_day_joins_what_it_connects_and_taking_it_back_splits_it() {
    let mut world = World::new().await;
    let habit = world.habit(json!({ "title": "Run" })).await;
    world.check_in(&habit).await;
    world.days_later(2).await;
    world.check_in(&habit).await;
    assert_eq!(world.stats(&habit).await["currentStreak"], 1);

    let made = world
        .ask(
            r#"mutation($id: ID!) { createCheckIn(input: { habitId: $id, date: "2026-03-02" }) { id provenance } }"#,
            json!({ "id": habit }),
        )
        .await;
    assert_eq!(made["createCheckIn"]["provenance"], "MAKEUP");
    assert_eq!(world.stats(&habit).await["currentStreak"], 3);

    let query = "mutation($id: ID!) { deleteCheckIn(id: $id) }";
    world
        .ask(query, json!({ "id": made["createCheckIn"]["id"] }))
        .await;
    assert_eq!(world.stats(&habit).await["currentStreak"], 1);
    world.finish().await;
}

#[tokio::test]
async fn a_day_start_at_four_lets_the_night_belong_to_the_evening() {
    let mut world = World::new().await;
    world
        .ask(
            "mutation { updatePreferences(input: { dayStart: 240 }) { id } }",
            json!({}),
        )
        .await;
    let habit = world.habit(json!({ "title": "Sleep early" })).await;
    // 2 o'clock in the night of 2 March, in Shanghai.
    world.clock.set("2026-03-01T18:00:00Z".parse().unwrap());
    world.log_in().await;
    let made = world
        .ask(
            "mutation($id: ID!) { createCheckIn(input: { habitId: $id }) { date } }",
            json!({ "id": habit }),
        )
        .await;
    assert_eq!(made["createCheckIn"]["date"], "2026-03-01");
    world.finish().await;
}

#[tokio::test]
async fn an_old_check_in_can_be_taken_back_long_after_its_day() {
    let mut world = World::new().await;
    let habit = world.habit(json!({ "title": "Read" })).await;
    let query = "mutation($id: ID!) { createCheckIn(input: { habitId: $id }) { id } }";
    let first = world.ask(query, json!({ "id": habit })).await["createCheckIn"]["id"].clone();
    for _ in 0..120 {
        world.clock.advance(SignedDuration::from_hours(24));
        world.log_in().await;
        world.check_in(&habit).await;
    }
    assert_eq!(world.stats(&habit).await["currentStreak"], 121);
    world
        .ask(
            "mutation($id: ID!) { deleteCheckIn(id: $id) }",
            json!({ "id": first }),
        )
        .await;
    assert_eq!(world.stats(&habit).await["currentStreak"], 120);
    let month = world
        .ask(
            "{ calendarView(year: 2026, month: 3) { days { doneCount } } }",
            json!({}),
        )
        .await;
    let done: i64 = month["calendarView"]["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| day["doneCount"].as_i64().unwrap())
        .sum();
    assert_eq!(done, 30);
    world.finish().await;
}

#[tokio::test]
async fn a_screen_of_twenty_habits_makes_as_many_store_calls_as_a_screen_of_two() {
    let world = World::new().await;
    let screen = "{ me { nickname stats { currentStreak } }
        habits { title user { nickname } linkedHabits { title } stats { score } today { status }
                 checkIns(first: 1) { nodes { id } } }
        today { habits { habit { title stats { score } } status } checkIns { habit { title } } }
        calendarView(year: 2026, month: 3) { days { dueCount } } }";
    let first = world.habit(json!({ "title": "Habit 0" })).await;
    // What goes on beside requests reads too: the fewest of several counts are the request's own.
    let calls = async |world: &World| {
        let mut fewest = u64::MAX;
        for _ in 0..10 {
            let before = world.platform.stores.documents.calls().reads;
            world.ask(screen, json!({})).await;
            fewest = fewest.min(world.platform.stores.documents.calls().reads - before);
        }
        fewest
    };
    let mut of_two = 0;
    for number in 1..20 {
        let habit = world
            .habit(json!({ "title": format!("Habit {number}"), "linkedHabits": [first] }))
            .await;
        world.check_in(&habit).await;
        if number == 1 {
            of_two = calls(&world).await;
        }
    }
    let of_twenty = calls(&world).await;
    // A page of check-ins for each habit is a read for each habit: that is its price.
    assert_eq!(
        of_twenty - 18,
        of_two,
        "{of_twenty} reads for twenty habits, {of_two} for two"
    );
    world.finish().await;
}

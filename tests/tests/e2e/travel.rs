//! Changes of the time zone, there and back: nobody gains a day by them, and nobody loses a streak. Time passes here as
//! the test says, so the platform runs in this process.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use kernel::{ManualClock, Random};
use platform::config::{Config, Layer};
use platform::embedded::Platform;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

const CHECK_IN: &str = "mutation($id: ID!) { createCheckIn(input: { habitId: $id }) { id } }";
const MOVE: &str = "mutation($zone: TimeZone!) { updatePreferences(input: { timezone: $zone }) { id } }";

/// A platform with a clock of its own, on which Mei, who lives in Shanghai, is logged in and has a habit.
struct World {
    platform: Platform,
    routes: Router,
    clock: ManualClock,
    shutdown: CancellationToken,
    token: String,
    habit: Value,
    _data: tempfile::TempDir,
}

impl World {
    /// Noon of 20 November 2026 in Shanghai.
    async fn new() -> Self {
        let data = testkit::data_dir();
        let folder = format!("data = {:?}", data.path());
        let config = Layer::new("the test", folder.parse().expect("TOML"));
        let config = Config::load([config]).expect("a configuration");
        let clock = ManualClock::at("2026-11-20T04:00:00Z".parse().expect("an instant"));
        let (metrics, shutdown) = (telemetry::Metrics::install(), CancellationToken::new());
        let platform = Platform::start(&config, clock.clock(), Random::seeded(1), metrics, &shutdown)
            .await
            .expect("the platform starts");
        let mut world = Self {
            routes: platform.routes.clone(),
            platform,
            clock,
            shutdown,
            token: String::new(),
            habit: Value::Null,
            _data: data,
        };
        world.log_in().await;
        let create = "mutation { createHabit(input: { title: \"Read\" }) { id } }";
        world.habit = world.ask(create, json!({})).await["data"]["createHabit"]["id"].take();
        world
    }

    /// The token of an earlier day has expired.
    async fn log_in(&mut self) {
        self.token.clear();
        let log_in = "mutation { login(code: \"sandbox:mei\") { accessToken } }";
        let answer = self.ask(log_in, json!({})).await;
        let token = answer["data"]["login"]["accessToken"].as_str();
        self.token = token.expect("a token").to_owned();
    }

    async fn at(&mut self, instant: &str) {
        self.clock.set(instant.parse().expect("an instant"));
        self.log_in().await;
    }

    async fn ask(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let mut request = Request::post("/graphql").header("content-type", "application/json");
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        let request = request.body(Body::from(body)).expect("a request");
        let answered = self.routes.clone().oneshot(request).await;
        let body = answered.expect("an answer").into_body().collect().await;
        serde_json::from_slice(&body.expect("a body").to_bytes()).expect("JSON")
    }

    /// The reason of the refusal, or nothing.
    async fn check_in(&self) -> Value {
        let answer = self.ask(CHECK_IN, json!({ "id": self.habit })).await;
        answer["errors"][0]["extensions"]["reason"].clone()
    }

    /// The code of the refusal, or nothing.
    async fn fly_to(&self, zone: &str) -> Value {
        let answer = self.ask(MOVE, json!({ "zone": zone })).await;
        answer["errors"][0]["extensions"]["code"].clone()
    }

    /// The date, what it is worth, and the streak.
    async fn today(&self) -> (String, String, i64) {
        let query = "query($id: ID!) {
            today { date } habit(id: $id) { today { status } stats { currentStreak } } me { stats { currentStreak } }
        }";
        let seen = self.ask(query, json!({ "id": self.habit })).await["data"].take();
        let text = |pointer| {
            seen.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let streak = seen["habit"]["stats"]["currentStreak"].as_i64();
        assert_eq!(seen["me"]["stats"]["currentStreak"].as_i64(), streak, "{seen}");
        (
            text("/today/date"),
            text("/habit/today/status"),
            streak.expect("a streak"),
        )
    }

    /// Checks in at 23:00 of the 20th, 21st and 22nd.
    async fn three_days(&mut self) {
        for day in 20..=22 {
            self.at(&format!("2026-11-{day}T15:00:00Z")).await;
            assert_eq!(self.check_in().await, Value::Null);
        }
        assert_eq!(self.today().await, day("2026-11-22", "DONE", 3));
    }

    async fn finish(self) {
        self.shutdown.cancel();
        self.platform.finish().await;
    }
}

fn day(date: &str, status: &str, streak: i64) -> (String, String, i64) {
    (date.to_owned(), status.to_owned(), streak)
}

#[test]
fn a_flight_into_tomorrow_and_back_gives_no_second_day() {
    tests::block_on(async {
        let mut world = World::new().await;
        world.three_days().await;
        assert_eq!(world.fly_to("Pacific/Kiritimati").await, Value::Null);
        assert_eq!(world.today().await, day("2026-11-23", "DUE", 3));
        assert_eq!(world.check_in().await, Value::Null);
        assert_eq!(world.check_in().await, "ALREADY_CHECKED_IN");
        assert_eq!(world.today().await, day("2026-11-23", "DONE", 4));

        world.at("2026-11-22T15:10:00Z").await;
        assert_eq!(world.fly_to("Asia/Shanghai").await, Value::Null);
        assert_eq!(world.today().await, day("2026-11-22", "DONE", 4));
        assert_eq!(world.check_in().await, "ALREADY_CHECKED_IN");
        world.at("2026-11-23T04:00:00Z").await;
        assert_eq!(world.check_in().await, "ALREADY_CHECKED_IN");
        assert_eq!(world.today().await, day("2026-11-23", "DONE", 4));
        world.finish().await;
    });
}

#[test]
fn flights_there_and_back_lose_no_streak() {
    tests::block_on(async {
        let mut world = World::new().await;
        world.three_days().await;
        for (there, back, zone, date) in [
            ("15:10", "15:20", "Pacific/Kiritimati", "2026-11-23"),
            // Where it is still the 22nd when the 23rd has begun in Shanghai.
            ("17:00", "17:10", "America/Los_Angeles", "2026-11-22"),
        ] {
            world.at(&format!("2026-11-22T{there}:00Z")).await;
            assert_eq!(world.fly_to(zone).await, Value::Null);
            let (today, _, streak) = world.today().await;
            assert_eq!((today.as_str(), streak), (date, 3));
            world.at(&format!("2026-11-22T{back}:00Z")).await;
            assert_eq!(world.fly_to("Asia/Shanghai").await, Value::Null);
            assert_eq!(world.today().await.2, 3);
        }
        assert_eq!(world.today().await, day("2026-11-23", "DUE", 3));
        world.at("2026-11-23T15:00:00Z").await;
        assert_eq!(world.check_in().await, Value::Null);
        world.at("2026-11-24T15:00:00Z").await;
        assert_eq!(world.check_in().await, Value::Null);
        assert_eq!(world.today().await, day("2026-11-24", "DONE", 5));
        world.finish().await;
    });
}

#[test]
fn the_time_zone_changes_ten_times_a_day_at_the_most() {
    tests::block_on(async {
        let mut world = World::new().await;
        let zones = ["Europe/Berlin", "Asia/Shanghai"];
        for zone in zones.iter().cycle().take(10) {
            world.clock.advance(jiff::SignedDuration::from_mins(5));
            assert_eq!(world.fly_to(zone).await, Value::Null);
        }
        assert_eq!(world.fly_to("Europe/Berlin").await, "RATE_LIMITED");
        assert_eq!(
            world.fly_to("Asia/Shanghai").await,
            Value::Null,
            "this is no change"
        );
        world.at("2026-11-21T04:05:00Z").await;
        assert_eq!(world.fly_to("Europe/Berlin").await, Value::Null);
        world.finish().await;
    });
}

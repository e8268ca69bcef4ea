//! The first minutes with the platform.

use serde_json::json;
use tests::{Caller, Daka, Shape};

scenarios!(
    one_can_begin_over_graphql,
    one_can_begin_over_rest,
    a_habit_begins_from_a_template
);

const FIGURES: &str = "query($habit: ID!, $year: Int!, $month: Int!) {
    me { id stats { totalHabits totalCheckIns currentStreak } }
    habit(id: $habit) {
        title isPaused
        stats { totalCheckIns currentStreak longestStreak completionRate }
        today { status checkInCount isCompleted }
        checkIns(first: 5) { nodes { id habitId } }
    }
    today { habits { habitId status habit { title } } checkIns { id habit { title } user { id } } }
    calendarView(year: $year, month: $month) { days { date doneCount habits { habitId status } } }
    myStats { totalHabits totalCheckIns currentStreak }
    habitStats(habitId: $habit) { totalCheckIns currentStreak }
}";

async fn one_can_begin_over_graphql(daka: &Daka) {
    let alice = daka.someone().await;
    let habit = alice.new_habit(json!({ "title": "Read" })).await;
    let check_in = alice.check_in(json!({ "habitId": habit })).await;
    sees_it(&alice, &habit, &check_in).await;
}

async fn sees_it(alice: &Caller, habit: &str, check_in: &str) {
    let today = alice.today().await;
    let month = json!({ "habit": habit, "year": today.year(), "month": today.month() });
    let seen = alice.query(FIGURES, month).await;
    assert_eq!(seen["me"]["id"], json!(alice.id));
    assert_eq!(
        seen["me"]["stats"],
        json!({ "totalHabits": 1, "totalCheckIns": 1, "currentStreak": 1 })
    );
    assert_eq!(seen["myStats"], seen["me"]["stats"]);
    assert_eq!(seen["habit"]["title"], "Read");
    let stats = json!({ "totalCheckIns": 1, "currentStreak": 1, "longestStreak": 1, "completionRate": 1.0 });
    assert_eq!(seen["habit"]["stats"], stats);
    assert_eq!(
        seen["habitStats"],
        json!({ "totalCheckIns": 1, "currentStreak": 1 })
    );
    assert_eq!(
        seen["habit"]["today"],
        json!({ "status": "DONE", "checkInCount": 1, "isCompleted": true })
    );
    assert_eq!(
        seen["habit"]["checkIns"]["nodes"],
        json!([{ "id": check_in, "habitId": habit }])
    );
    let due = json!([{ "habitId": habit, "status": "DONE", "habit": { "title": "Read" } }]);
    assert_eq!(seen["today"]["habits"], due);
    let made = json!([{ "id": check_in, "habit": { "title": "Read" }, "user": { "id": alice.id } }]);
    assert_eq!(seen["today"]["checkIns"], made);
    let days = seen["calendarView"]["days"].as_array().expect("days");
    let day = days
        .iter()
        .find(|day| day["date"] == json!(today.to_string()))
        .expect("today is in its month");
    assert_eq!(day["doneCount"], 1);
    assert_eq!(day["habits"], json!([{ "habitId": habit, "status": "DONE" }]));
}

async fn one_can_begin_over_rest(daka: &Daka) {
    let name = testkit::unique_name("rest");
    let login = json!({ "code": format!("sandbox:{name}"), "device": "Phone" });
    let login = daka.nobody().post("/api/v1/auth/login", login).await.ok(200);
    let bob = daka.nobody().logged_in(&login);
    let habit = bob.post("/api/v1/habits", json!({ "title": "Run" })).await;
    assert_eq!(
        habit.header("location"),
        format!("/api/v1/habits/{}", habit.body["id"].as_str().expect("an id"))
    );
    let habit = habit.ok(201);
    let check_in = bob
        .post(
            "/api/v1/checkins",
            json!({ "habitId": habit["id"], "note": "Slow" }),
        )
        .await
        .ok(201);
    assert_eq!(
        (&check_in["note"], &check_in["provenance"]),
        (&json!("Slow"), &json!("ON_TIME"))
    );

    let path = format!("/api/v1/habits/{}/stats", habit["id"].as_str().expect("an id"));
    assert_eq!(bob.get(&path).await.ok(200)["currentStreak"], 1);
    assert_eq!(
        bob.get("/api/v1/users/me/stats").await.ok(200)["currentStreak"],
        1
    );
    let today = bob.get("/api/v1/checkins/today").await.ok(200);
    assert_eq!(today["habits"][0]["status"], "DONE");
    assert_eq!(today["checkIns"][0]["id"], check_in["id"]);
    let date: jiff::civil::Date = today["date"].as_str().expect("a date").parse().expect("a date");
    let path = format!(
        "/api/v1/checkins/calendar?year={}&month={}",
        date.year(),
        date.month()
    );
    let calendar = bob.get(&path).await.ok(200);
    let days = calendar["days"].as_array().expect("days");
    assert!(
        days.iter()
            .any(|day| day["date"] == today["date"] && day["doneCount"] == 1),
        "{calendar}"
    );
}

async fn a_habit_begins_from_a_template(daka: &Daka) {
    let templates = "{ habitTemplates { id title isTemplate userId } }";
    let english = daka.nobody().speaking("en").query(templates, json!({})).await;
    let chinese = daka.nobody().speaking("zh-CN").query(templates, json!({})).await;
    let first = &english["habitTemplates"][0];
    assert_eq!(
        (&first["isTemplate"], &first["userId"]),
        (&json!(true), &json!(null))
    );
    assert_eq!(first["id"], chinese["habitTemplates"][0]["id"]);
    assert_ne!(first["title"], chinese["habitTemplates"][0]["title"]);

    let carol = daka.someone().await;
    let habit = carol
        .new_habit(json!({ "title": "Mine", "templateId": first["id"] }))
        .await;
    let query = "query($id: ID!) { habit(id: $id) { title templateId isTemplate userId } }";
    let habit = carol.query(query, json!({ "id": habit })).await;
    let expected =
        json!({ "title": "Mine", "templateId": first["id"], "isTemplate": false, "userId": carol.id });
    assert_eq!(habit["habit"], expected);
}

#[test]
fn everything_is_there_after_a_restart() {
    tests::block_on(async {
        let mut daka = Daka::start(Shape::Embedded).await;
        let alice = daka.login("alice").await;
        let habit = alice.new_habit(json!({ "title": "Read" })).await;
        let check_in = alice.check_in(json!({ "habitId": habit })).await;
        daka.restart().await;
        sees_it(&alice, &habit, &check_in).await;

        let renew = "mutation($token: String!) {
            refreshToken(refreshToken: $token) { accessToken refreshToken user { id } }
        }";
        let renewed = alice.query(renew, json!({ "token": alice.refresh })).await;
        sees_it(&alice.logged_in(&renewed["refreshToken"]), &habit, &check_in).await;
        let again = daka.login("alice").await;
        assert_eq!(again.id, alice.id);
    });
}

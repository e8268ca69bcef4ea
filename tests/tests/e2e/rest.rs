//! REST, as the design's table of endpoints says.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Caller, Daka};

scenarios!(
    exactly_the_designed_endpoints_exist,
    every_endpoint_but_the_public_ones_wants_a_login,
    what_is_not_there_or_not_ones_own_is_not_found,
    bad_input_is_told_with_its_places,
    bad_parameters_are_told_by_their_names,
    a_second_check_in_is_refused,
    a_repeated_request_creates_once,
    an_unchanged_read_is_not_sent_again,
    an_update_of_an_older_version_is_refused,
    pages_lead_to_every_item_once,
    what_was_changed_and_deleted_is_so,
    a_person_changes_profile_and_preferences,
);

/// Method, path, whether it is for everybody, and a body that is good.
const ENDPOINTS: &[(&str, &str, bool, &str)] = &[
    ("POST", "/api/v1/auth/login", true, r#"{"code":"sandbox:table"}"#),
    ("POST", "/api/v1/auth/refresh", true, r#"{"refreshToken":"x"}"#),
    ("POST", "/api/v1/auth/logout", false, "{}"),
    ("GET", "/api/v1/auth/sessions", false, ""),
    ("DELETE", "/api/v1/auth/sessions/{id}", false, ""),
    ("GET", "/api/v1/users/me", false, ""),
    ("PUT", "/api/v1/users/me", false, r#"{"bio":"Hello"}"#),
    ("GET", "/api/v1/users/{id}", false, ""),
    ("GET", "/api/v1/users/me/stats", false, ""),
    ("PUT", "/api/v1/users/preferences", false, r#"{"theme":"DARK"}"#),
    ("GET", "/api/v1/habits", false, ""),
    ("POST", "/api/v1/habits", false, r#"{"title":"Read"}"#),
    ("GET", "/api/v1/habits/{id}", false, ""),
    ("PUT", "/api/v1/habits/{id}", false, r#"{"title":"Read"}"#),
    ("DELETE", "/api/v1/habits/{id}", false, ""),
    ("GET", "/api/v1/habits/{id}/stats", false, ""),
    ("GET", "/api/v1/habits/templates", true, ""),
    ("GET", "/api/v1/checkins", false, ""),
    (
        "POST",
        "/api/v1/checkins",
        false,
        r#"{"habitId":"000000000000000000000000"}"#,
    ),
    ("GET", "/api/v1/checkins/{id}", false, ""),
    ("PUT", "/api/v1/checkins/{id}", false, r#"{"note":"x"}"#),
    ("DELETE", "/api/v1/checkins/{id}", false, ""),
    ("GET", "/api/v1/checkins/today", false, ""),
    ("GET", "/api/v1/checkins/calendar", false, ""),
    ("GET", "/api/v1/posts", false, ""),
    ("POST", "/api/v1/posts", false, r#"{"content":"Hello"}"#),
    ("GET", "/api/v1/posts/{id}", false, ""),
    ("DELETE", "/api/v1/posts/{id}", false, ""),
    ("POST", "/api/v1/posts/{id}/like", false, ""),
    ("DELETE", "/api/v1/posts/{id}/like", false, ""),
    (
        "POST",
        "/api/v1/posts/{id}/comments",
        false,
        r#"{"content":"Hello"}"#,
    ),
    ("DELETE", "/api/v1/comments/{id}", false, ""),
    ("GET", "/api/v1/friends", false, ""),
    ("GET", "/api/v1/friends/requests", false, ""),
    ("POST", "/api/v1/friends/{id}", false, ""),
    ("DELETE", "/api/v1/friends/{id}", false, ""),
    ("POST", "/api/v1/users/{id}/follow", false, ""),
    ("DELETE", "/api/v1/users/{id}/follow", false, ""),
    ("GET", "/api/v1/notifications", false, ""),
    ("GET", "/api/v1/notifications/unread-count", false, ""),
    ("POST", "/api/v1/notifications/{id}/read", false, ""),
    ("POST", "/api/v1/notifications/read-all", false, ""),
    ("DELETE", "/api/v1/notifications/{id}", false, ""),
];

async fn send(caller: &Caller, method: &str, path: &str, body: &'static str) -> tests::Response {
    let request = caller.request(method.parse().expect("a method"), path);
    if body.is_empty() {
        request.send().await
    } else {
        request.raw(body).send().await
    }
}

async fn exactly_the_designed_endpoints_exist(daka: &Daka) {
    let described = daka.nobody().get("/openapi.json").await.ok(200);
    let mut there = BTreeSet::new();
    for (path, methods) in described["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            there.insert((method.to_uppercase(), path.clone()));
        }
    }
    let designed = ENDPOINTS
        .iter()
        .map(|(method, path, ..)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    assert_eq!(there, designed);
    let unknown = daka.nobody().get("/api/v1/articles").await;
    assert_eq!(unknown.refusal(), "404 NOT_FOUND");
}

async fn every_endpoint_but_the_public_ones_wants_a_login(daka: &Daka) {
    let nobody = daka.nobody();
    let mallory = nobody.with_token("garbage");
    for (method, path, is_public, body) in ENDPOINTS {
        let path = path
            .replace("{id}", "0123456789abcdef01234567")
            .replace("calendar", "calendar?year=2026&month=1");
        let answer = send(&nobody, method, &path, body).await;
        match (*is_public, path.ends_with("refresh")) {
            (true, false) => assert_eq!(answer.status, 200, "{method} {path}: {}", answer.body),
            _ => assert_eq!(answer.refusal(), "401 UNAUTHENTICATED", "{method} {path}"),
        }
        let answer = send(&mallory, method, &path, body).await;
        assert_eq!(
            answer.refusal(),
            "401 UNAUTHENTICATED",
            "{method} {path} with garbage"
        );
    }
}

async fn what_is_not_there_or_not_ones_own_is_not_found(daka: &Daka) {
    let (alice, bob) = (daka.someone().await, daka.someone().await);
    let habit = alice.new_habit(json!({ "title": "Mine" })).await;
    let check_in = alice.check_in(json!({ "habitId": habit })).await;
    let sessions = alice.get("/api/v1/auth/sessions").await.ok(200);
    let session = sessions[0]["id"].as_str().expect("an id");
    let post = json!({ "content": "Mine", "visibility": "PRIVATE" });
    let post = alice.post("/api/v1/posts", post).await.ok(201);
    let post = post["id"].as_str().expect("an id");
    for (method, path, _, body) in ENDPOINTS.iter().filter(|(_, path, ..)| path.contains("{id}")) {
        let of_another = match () {
            () if path.contains("sessions") => session,
            () if path.contains("habits") => &habit,
            () if path.contains("checkins") => &check_in,
            () if path.contains("posts") => post,
            // People may be related to whomever they like.
            () if path.contains("friends") || path.contains("follow") => "x",
            () => &alice.id,
        };
        for id in [of_another, "0123456789abcdef01234567", "nonsense"] {
            let answer = send(&bob, method, &path.replace("{id}", id), body).await;
            assert_eq!(answer.refusal(), "404 NOT_FOUND", "{method} {path} of {id}");
        }
    }
    let answer = bob.post("/api/v1/checkins", json!({ "habitId": habit })).await;
    assert_eq!(answer.refusal(), "404 NOT_FOUND");
    let listed = bob
        .get(&format!("/api/v1/habits?userId={}", alice.id))
        .await
        .ok(200);
    assert_eq!(listed, json!([]));
    let listed = bob
        .get(&format!("/api/v1/checkins?userId={}", alice.id))
        .await
        .ok(200);
    assert_eq!(listed, json!([]));
}

async fn bad_input_is_told_with_its_places(daka: &Daka) {
    let alice = daka.someone().await;
    let habit = json!({
        "title": "", "color": "red", "tags": ["a", "a"],
        "frequency": { "type": "WEEKLY", "days": [9] }, "goal": { "type": "COUNT", "value": -1 },
    });
    let refused = alice.post("/api/v1/habits", habit).await;
    assert_eq!(refused.refusal(), "422 BAD_USER_INPUT");
    let places: BTreeSet<String> = refused
        .issues()
        .iter()
        .filter_map(|issue| issue.split_once(' '))
        .map(|(path, _)| path.to_owned())
        .collect();
    let expected = ["color", "frequency.days.0", "goal.value", "tags.1", "title"];
    assert_eq!(
        places,
        expected.map(str::to_owned).into_iter().collect(),
        "{}",
        refused.body
    );

    let habit = alice.new_habit(json!({ "title": "Read" })).await;
    let bad = json!({ "habitId": habit, "mood": 6, "date": "2026-02-31", "images": ["ftp://x"] });
    let refused = alice.post("/api/v1/checkins", bad).await;
    assert_eq!(refused.refusal(), "422 BAD_USER_INPUT");
    assert_eq!(
        refused.issues(),
        ["date INVALID_DATE", "mood OUT_OF_RANGE", "images.0 INVALID_URL"]
    );
    let refused = alice
        .put(
            "/api/v1/users/preferences",
            json!({ "timezone": "Mars/Olympus", "dayStart": 1440 }),
        )
        .await;
    assert_eq!(refused.refusal(), "422 BAD_USER_INPUT");
    assert_eq!(
        refused.issues(),
        ["timezone UNKNOWN_TIME_ZONE", "dayStart OUT_OF_RANGE"]
    );
    let refused = alice.put("/api/v1/users/me", json!({ "nickname": "" })).await;
    assert_eq!(refused.refusal(), "422 BAD_USER_INPUT");
    let refused = alice
        .post("/api/v1/habits", json!({ "title": "Read", "colour": "#000000" }))
        .await;
    assert_eq!(refused.refusal(), "422 BAD_USER_INPUT");
    assert_eq!(refused.issues(), ["colour UNKNOWN_FIELD"]);
    let broken = alice
        .request(Method::POST, "/api/v1/habits")
        .raw("{")
        .send()
        .await;
    assert_eq!(broken.status, 400, "{}", broken.body);
}

async fn bad_parameters_are_told_by_their_names(daka: &Daka) {
    let alice = daka.someone().await;
    for (path, issues) in [
        (
            "/api/v1/checkins/calendar",
            &["year REQUIRED", "month REQUIRED"][..],
        ),
        (
            "/api/v1/checkins/calendar?year=2026&month=13",
            &["month OUT_OF_RANGE"],
        ),
        ("/api/v1/habits?limit=0", &["limit OUT_OF_RANGE"]),
        (
            "/api/v1/habits?limit=many&color=red",
            &["limit INVALID_TYPE", "color UNKNOWN_PARAMETER"],
        ),
    ] {
        let refused = alice.get(path).await;
        assert_eq!(refused.refusal(), "422 BAD_USER_INPUT", "{path}");
        assert_eq!(refused.issues(), issues, "{path}");
        let names = |issue: &Value| issue["parameter"] == issue["path"][0];
        let all = refused.body["issues"].as_array();
        assert!(all.is_some_and(|all| all.iter().all(names)), "{}", refused.body);
    }
}

async fn a_second_check_in_is_refused(daka: &Daka) {
    let alice = daka.someone().await;
    let habit = alice.new_habit(json!({ "title": "Read" })).await;
    let input = json!({ "habitId": habit });
    let (one, other) = tokio::join!(
        alice.post("/api/v1/checkins", input.clone()),
        alice.post("/api/v1/checkins", input.clone())
    );
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "{} {}", one.body, other.body);
    let again = alice.post("/api/v1/checkins", input).await;
    assert_eq!(again.refusal(), "409 CONFLICT/ALREADY_CHECKED_IN");
}

async fn a_repeated_request_creates_once(daka: &Daka) {
    let alice = daka.someone().await;
    let create = async |path: &str, key: &str, body: Value| {
        alice
            .request(Method::POST, path)
            .header("idempotency-key", key)
            .body(body)
            .send()
            .await
    };
    let first = create("/api/v1/habits", "k1", json!({ "title": "Read" }))
        .await
        .ok(201);
    let again = create("/api/v1/habits", "k1", json!({ "title": "Read" }))
        .await
        .ok(201);
    assert_eq!(first["id"], again["id"]);
    let other = create("/api/v1/habits", "k1", json!({ "title": "Run" })).await;
    assert_eq!(other.refusal(), "409 CONFLICT/IDEMPOTENCY_MISMATCH");
    let habits = alice.get("/api/v1/habits").await.ok(200);
    assert_eq!(habits.as_array().expect("a list").len(), 1);

    let input = json!({ "habitId": first["id"] });
    let one = create("/api/v1/checkins", "k2", input.clone()).await.ok(201);
    let again = create("/api/v1/checkins", "k2", input).await.ok(201);
    assert_eq!(one["id"], again["id"]);
    let other = create(
        "/api/v1/checkins",
        "k2",
        json!({ "habitId": first["id"], "note": "x" }),
    )
    .await;
    assert_eq!(other.refusal(), "409 CONFLICT/IDEMPOTENCY_MISMATCH");
}

async fn an_unchanged_read_is_not_sent_again(daka: &Daka) {
    let alice = daka.someone().await;
    let habit = format!(
        "/api/v1/habits/{}",
        alice.new_habit(json!({ "title": "Read" })).await
    );
    for path in [
        habit.as_str(),
        "/api/v1/habits",
        "/api/v1/users/me",
        "/api/v1/checkins/today",
    ] {
        let first = alice.get(path).await;
        let tag = first.header("etag").to_owned();
        assert!(!tag.is_empty(), "{path} has no ETag");
        let again = alice
            .request(Method::GET, path)
            .header("if-none-match", &tag)
            .send()
            .await;
        assert_eq!((again.status, again.body), (304, json!("")), "{path}");
    }
    let tag = alice.get(&habit).await.header("etag").to_owned();
    alice.put(&habit, json!({ "title": "Read more" })).await.ok(200);
    let changed = alice
        .request(Method::GET, &habit)
        .header("if-none-match", &tag)
        .send()
        .await
        .ok(200);
    assert_eq!(changed["title"], "Read more");
}

async fn an_update_of_an_older_version_is_refused(daka: &Daka) {
    let alice = daka.someone().await;
    let habit = alice.new_habit(json!({ "title": "Read" })).await;
    let check_in = alice.check_in(json!({ "habitId": habit })).await;
    let entities = [
        (format!("/api/v1/habits/{habit}"), json!({ "title": "Changed" })),
        (
            format!("/api/v1/checkins/{check_in}"),
            json!({ "note": "Changed" }),
        ),
    ];
    for (path, change) in entities {
        let tag = alice.get(&path).await.header("etag").to_owned();
        let update = async |tag: &str| {
            alice
                .request(Method::PUT, &path)
                .header("if-match", tag)
                .body(change.clone())
                .send()
                .await
        };
        update(&tag).await.ok(200);
        assert_eq!(
            update(&tag).await.refusal(),
            "409 CONFLICT/VERSION_MISMATCH",
            "{path}"
        );
        assert_eq!(update("nonsense").await.refusal(), "422 BAD_USER_INPUT", "{path}");
    }
}

async fn pages_lead_to_every_item_once(daka: &Daka) {
    let alice = daka.someone().await;
    let mut made = BTreeSet::new();
    for number in 0..7 {
        let habit = alice
            .new_habit(json!({ "title": format!("Habit {number}") }))
            .await;
        alice.check_in(json!({ "habitId": habit })).await;
        made.insert(habit);
    }
    for (base, key) in [
        ("/api/v1/habits?limit=3", "id"),
        ("/api/v1/checkins?limit=3", "habitId"),
    ] {
        let (mut path, mut seen, mut pages) = (Some(base.to_owned()), Vec::new(), 0);
        while let Some(next) = path {
            let page = alice.get(&next).await;
            path = next_of(page.header("link"));
            let page = page.ok(200);
            seen.extend(
                page.as_array()
                    .expect("a list")
                    .iter()
                    .map(|item| item[key].clone()),
            );
            pages += 1;
        }
        assert_eq!((pages, seen.len()), (3, 7), "{base}");
        let seen: BTreeSet<String> = seen.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        assert_eq!(seen, made, "{base}");
        let refused = alice.get(&format!("{base}&cursor=nonsense")).await;
        assert_eq!(refused.refusal(), "422 BAD_USER_INPUT");
    }
}

/// The path of `<…>; rel="next"`, as in RFC 8288.
fn next_of(link: &str) -> Option<String> {
    let (address, parameters) = link.strip_prefix('<')?.split_once('>')?;
    assert_eq!(parameters.trim(), "; rel=\"next\"");
    Some(address.get(address.find("/api/")?..)?.to_owned())
}

async fn what_was_changed_and_deleted_is_so(daka: &Daka) {
    let alice = daka.someone().await;
    let habit = alice
        .new_habit(json!({ "title": "Read", "goal": { "type": "COUNT", "value": 2 } }))
        .await;
    let path = format!("/api/v1/habits/{habit}");
    let changed = alice
        .put(&path, json!({ "title": "Run", "tags": ["sport"], "goal": null }))
        .await
        .ok(200);
    assert_eq!(
        (&changed["title"], &changed["goal"]),
        (&json!("Run"), &json!(null))
    );
    assert_eq!(alice.get(&path).await.ok(200), changed);

    let check_in = alice.check_in(json!({ "habitId": habit })).await;
    let entry = format!("/api/v1/checkins/{check_in}");
    let changed = alice
        .put(&entry, json!({ "note": "Rain", "mood": 2 }))
        .await
        .ok(200);
    assert_eq!((&changed["note"], &changed["mood"]), (&json!("Rain"), &json!(2)));
    assert_eq!(alice.get(&entry).await.ok(200), changed);
    assert_eq!(alice.delete(&entry).await.status, 204);
    assert_eq!(alice.get(&entry).await.refusal(), "404 NOT_FOUND");
    assert_eq!(alice.delete(&path).await.status, 204);
    assert_eq!(alice.get(&path).await.refusal(), "404 NOT_FOUND");
    assert_eq!(alice.delete(&path).await.refusal(), "404 NOT_FOUND");
    assert_eq!(
        alice.get(&format!("{path}/stats")).await.refusal(),
        "404 NOT_FOUND"
    );
}

async fn a_person_changes_profile_and_preferences(daka: &Daka) {
    let alice = daka.someone().await;
    let changed = alice
        .put("/api/v1/users/me", json!({ "nickname": "Alice", "gender": 2 }))
        .await
        .ok(200);
    assert_eq!(
        (&changed["nickname"], &changed["gender"]),
        (&json!("Alice"), &json!(2))
    );
    let wishes = json!({ "theme": "DARK", "timezone": "Europe/Berlin", "dayStart": 240, "language": "EN" });
    let changed = alice.put("/api/v1/users/preferences", wishes).await.ok(200);
    let preferences = &changed["preferences"];
    assert_eq!(
        (&preferences["theme"], &preferences["timezone"]),
        (&json!("DARK"), &json!("Europe/Berlin"))
    );
    let seen = alice.get("/api/v1/users/me").await.ok(200);
    assert_eq!(
        (&seen["nickname"], &seen["preferences"]["dayStart"]),
        (&json!("Alice"), &json!(240))
    );
    let other = daka.someone().await;
    let profile = format!("/api/v1/users/{}", alice.id);
    assert_eq!(other.get(&profile).await.refusal(), "404 NOT_FOUND");
    let wishes = json!({ "privacy": { "profileVisibility": "PUBLIC" } });
    alice.put("/api/v1/users/preferences", wishes).await.ok(200);
    let seen = other.get(&profile).await.ok(200);
    assert_eq!(seen["nickname"], "Alice");
    assert_eq!(seen.get("preferences"), None);
}

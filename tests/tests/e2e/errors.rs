//! What is wrong with a request is said with a stable code, its place, and in the caller's language.

use serde_json::json;
use tests::Daka;

scenarios!(
    a_request_that_does_not_fit_the_schema_is_refused,
    refusals_speak_the_callers_language,
    a_refused_nullable_field_leaves_its_siblings,
    what_is_hidden_is_null_where_something_shown_refers_to_it,
);

async fn a_request_that_does_not_fit_the_schema_is_refused(daka: &Daka) {
    let alice = daka.someone().await;
    let create = "mutation($input: CreateHabitInput!) { createHabit(input: $input) { id } }";
    let requests = [
        ("an unknown field", "{ me { shoeSize } }", json!({})),
        ("no selection", "{ me }", json!({})),
        ("a syntax error", "{ me { id }", json!({})),
        ("a missing argument", "{ habit { id } }", json!({})),
        (
            "an unknown enum value",
            create,
            json!({ "input": { "title": "x", "frequency": { "type": "HOURLY" } } }),
        ),
        ("a wrong type", create, json!({ "input": { "title": 7 } })),
        (
            "an unknown input field",
            create,
            json!({ "input": { "title": "x", "colour": "#000000" } }),
        ),
        ("a missing input field", create, json!({ "input": {} })),
        ("a missing variable", create, json!({})),
    ];
    for (what, query, variables) in requests {
        let answer = alice.graphql(query, variables).await;
        assert!(
            !answer.refusal().is_empty() && answer.refusal() != "INTERNAL",
            "{what}: {}",
            answer.body
        );
        let data = answer.body.get("data").unwrap_or(&json!(null)).clone();
        assert!(
            data.is_null() || data["createHabit"].is_null(),
            "{what}: {}",
            answer.body
        );
    }
    for body in [
        json!({ "query": "{ me { id } }", "variables": 7 }),
        json!({ "query": 7 }),
        json!([]),
        json!({}),
    ] {
        let answer = alice.post_graphql(&body).await;
        assert!(
            (400..500).contains(&answer.status),
            "{body}: {} {}",
            answer.status,
            answer.body
        );
        assert!(!answer.refusal().is_empty(), "{body}: {}", answer.body);
    }
    assert_eq!(
        alice.query("{ habits { id } }", json!({})).await["habits"],
        json!([])
    );
}

async fn refusals_speak_the_callers_language(daka: &Daka) {
    let alice = daka.someone().await;
    let create = "mutation { createHabit(input: { title: \"\" }) { id } }";
    let mut messages = Vec::new();
    for language in ["en", "zh-CN,zh;q=0.9"] {
        let answer = alice.speaking(language).graphql(create, json!({})).await;
        assert_eq!(answer.refusal(), "BAD_USER_INPUT");
        assert_eq!(answer.issues(), ["input.title REQUIRED"]);
        assert_eq!(answer.body["errors"][0]["path"], json!(["createHabit"]));
        let error = &answer.body["errors"][0];
        messages.push((
            error["message"].clone(),
            error["extensions"]["issues"][0]["message"].clone(),
        ));
        let nobody = daka.nobody().speaking(language).with_token("garbage");
        messages.push((
            nobody.get("/api/v1/users/me").await.body["detail"].clone(),
            json!(null),
        ));
    }
    assert_eq!(
        messages[0],
        (json!("The input is not valid."), json!("Is required."))
    );
    assert_eq!(messages[1].0, "Please log in.");
    assert_eq!(messages[2], (json!("输入有误。"), json!("必填。")));
    assert_eq!(messages[3].0, "请先登录。");
}

async fn a_refused_nullable_field_leaves_its_siblings(daka: &Daka) {
    let alice = daka.someone().await;
    let query = "{ habit(id: \"nonsense\") { id } checkIn(id: \"nonsense\") { id } me { id } }";
    let answer = alice.graphql(query, json!({})).await;
    let data = json!({ "habit": null, "checkIn": null, "me": { "id": alice.id } });
    assert_eq!(answer.body["data"], data);
}

async fn what_is_hidden_is_null_where_something_shown_refers_to_it(daka: &Daka) {
    let (alice, bob) = (daka.someone().await, daka.someone().await);
    let update = "mutation($input: UpdatePreferencesInput!) { updatePreferences(input: $input) { id } }";
    let public = json!({ "profileVisibility": "PUBLIC", "activityVisibility": "PUBLIC" });
    alice
        .query(update, json!({ "input": { "privacy": public } }))
        .await;
    let hidden = alice.new_habit(json!({ "title": "Hidden" })).await;
    let check_in = alice
        .check_in(json!({ "habitId": hidden, "isPublic": true }))
        .await;
    let query = "query($id: ID!) { checkIn(id: $id) { id habit { title } } }";
    let id = json!({ "id": check_in });
    let own = json!({ "checkIn": { "id": check_in, "habit": { "title": "Hidden" } } });
    assert_eq!(alice.query(query, id.clone()).await, own);
    let seen = bob.graphql(query, id).await.body;
    assert_eq!(
        seen,
        json!({ "data": { "checkIn": { "id": check_in, "habit": null } } })
    );
}

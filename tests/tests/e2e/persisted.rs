//! Operations that clients name instead of sending their text.

use serde_json::{Value, json};
use tests::Daka;

scenarios!(
    the_first_screen_is_asked_by_its_id,
    a_text_that_was_registered_is_asked_by_its_hash,
);

/// The committed manifest: what a mini-program is built with.
fn id_of(name: &str) -> String {
    let manifest: Value = serde_json::from_str(include_str!("../../../schema/persisted.json")).expect("JSON");
    let operations = manifest["operations"].as_array().cloned().unwrap_or_default();
    let found = operations.into_iter().find(|operation| operation["name"] == name);
    found.expect("the operation is in the manifest")["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

async fn the_first_screen_is_asked_by_its_id(daka: &Daka) {
    let alice = daka.someone().await;
    alice.new_habit(json!({ "title": "Read" })).await;
    let id = id_of("TodayScreen");
    let variables = "%7B%22year%22%3A2026%2C%22month%22%3A3%7D";
    let screen = alice
        .get(&format!("/graphql/persisted/{id}?variables={variables}"))
        .await;
    assert_eq!(screen.status, 200, "{}", screen.body);
    assert_eq!(
        screen.body["data"]["today"]["habits"][0]["habit"]["title"],
        "Read"
    );
    let unknown = alice.get("/graphql/persisted/unknown").await;
    assert_eq!(unknown.status, 404);
}

async fn a_text_that_was_registered_is_asked_by_its_hash(daka: &Daka) {
    let alice = daka.someone().await;
    let text = "query Registered { me { id } }";
    let id = router::document_id(text);
    let named = json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": id } } });
    let mut sent = named.clone();
    sent["query"] = text.into();
    let expected = json!({ "data": { "me": { "id": alice.id } } });
    let unknown = alice.post_graphql(&named).await;
    assert_eq!(unknown.refusal(), "PERSISTED_QUERY_NOT_FOUND");
    for request in [&sent, &named] {
        assert_eq!(alice.post_graphql(request).await.body, expected);
    }
}

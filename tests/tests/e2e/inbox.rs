//! What people are told, in their inbox and live.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Caller, Daka};

scenarios!(
    who_is_new_is_welcomed_once_in_their_language,
    marks_at_the_same_time_are_counted_once,
    somebody_elses_notification_is_not_there,
    notifications_are_read_and_deleted_over_rest,
    what_others_do_with_a_post_is_told_to_its_author,
    who_listens_hears_at_once_what_they_are_told,
);

/// The welcome of somebody who has just registered. Events take a moment.
pub async fn welcome(caller: &Caller) -> Value {
    for _ in 0..300 {
        let told = caller
            .query("{ notifications { id type text isRead } }", json!({}))
            .await;
        if let Some(first) = told["notifications"].get(0) {
            return first.clone();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody is welcomed");
}

async fn unread(caller: &Caller) -> Value {
    let asked = "{ unreadNotificationCount me { unreadNotifications } }";
    let counted = caller.query(asked, json!({})).await;
    assert_eq!(
        counted["unreadNotificationCount"],
        counted["me"]["unreadNotifications"]
    );
    counted["unreadNotificationCount"].clone()
}

async fn who_is_new_is_welcomed_once_in_their_language(daka: &Daka) {
    let alice = daka.someone().await;
    let english = welcome(&alice.speaking("en")).await;
    assert_eq!(english["type"], "WELCOME");
    assert!(
        english["text"]
            .as_str()
            .is_some_and(|text| text.starts_with("Welcome"))
    );
    let chinese = welcome(&alice.speaking("zh-CN")).await;
    assert!(
        chinese["text"]
            .as_str()
            .is_some_and(|text| text.starts_with("欢迎"))
    );
    assert_eq!(english["id"], chinese["id"]);
    assert_eq!(unread(&alice).await, 1);
}

async fn marks_at_the_same_time_are_counted_once(daka: &Daka) {
    let alice = daka.someone().await;
    let id = welcome(&alice).await["id"].clone();
    let one = "mutation($id: ID!) { markNotificationRead(id: $id) { isRead } }";
    let variables = json!({ "id": id });
    let (first, second, all) = tokio::join!(
        alice.query(one, variables.clone()),
        alice.query(one, variables.clone()),
        alice.query("mutation { markAllNotificationsRead }", json!({})),
    );
    assert_eq!(first["markNotificationRead"]["isRead"], true);
    assert_eq!(second, first);
    assert!(
        all["markAllNotificationsRead"]
            .as_i64()
            .is_some_and(|all| all <= 1)
    );
    assert_eq!(unread(&alice).await, 0);
}

async fn somebody_elses_notification_is_not_there(daka: &Daka) {
    let (alice, bob) = (daka.someone().await, daka.someone().await);
    let id = welcome(&alice).await["id"].clone();
    let variables = json!({ "id": id });
    let seen = bob
        .query(
            "query($id: ID!) { notification(id: $id) { id } }",
            variables.clone(),
        )
        .await;
    assert_eq!(seen["notification"], json!(null));
    let mark = "mutation($id: ID!) { markNotificationRead(id: $id) { id } }";
    assert_eq!(bob.refused(mark, variables).await, "NOT_FOUND");
    assert_eq!(unread(&alice).await, 1);
}

async fn notifications_are_read_and_deleted_over_rest(daka: &Daka) {
    let alice = daka.someone().await;
    let id = welcome(&alice).await["id"].as_str().expect("an id").to_owned();
    let read = alice
        .post(&format!("/api/v1/notifications/{id}/read"), json!({}))
        .await;
    assert_eq!(read.status, 200, "{}", read.body);
    let count = alice.get("/api/v1/notifications/unread-count").await;
    assert_eq!(count.body, json!(0));
    let path = format!("/api/v1/notifications/{id}");
    let deleted = alice.request(Method::DELETE, &path).send().await;
    assert_eq!(deleted.status, 204, "{}", deleted.body);
    let left = alice.get("/api/v1/notifications").await;
    assert_eq!(left.body, json!([]));
}

/// The types of what somebody is told, the newest first, once there are so many.
async fn told(caller: &Caller, many: usize) -> Vec<(String, i64)> {
    let mut types = Vec::new();
    for _ in 0..300 {
        let query = "{ notifications { type count } }";
        let found = caller.query(query, json!({})).await["notifications"].take();
        let found = found.as_array().cloned().unwrap_or_default();
        let told = |one: &Value| {
            let kind = one["type"].as_str().unwrap_or_default().to_owned();
            (kind, one["count"].as_i64().unwrap_or_default())
        };
        types = found.iter().map(told).collect();
        if types.iter().map(|(_, count)| *count as usize).sum::<usize>() >= many {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    types
}

async fn what_others_do_with_a_post_is_told_to_its_author(daka: &Daka) {
    let (alice, bob, carol) = (daka.someone().await, daka.someone().await, daka.someone().await);
    welcome(&alice).await;
    let share = "mutation { createPost(input: { content: \"Seven days!\" }) { id } }";
    let post = alice.query(share, json!({})).await["createPost"]["id"].take();
    let like = "mutation($id: ID!) { likePost(id: $id) { id } }";
    for fan in [&bob, &carol, &alice] {
        fan.query(like, json!({ "id": post })).await;
    }
    assert_eq!(
        told(&alice, 3).await,
        [("POST_LIKED".to_owned(), 2), ("WELCOME".to_owned(), 1)]
    );
    let comment =
        "mutation($id: ID!) { createComment(postId: $id, input: { content: \"Well done\" }) { id } }";
    bob.query(comment, json!({ "id": post })).await;
    // Who follows again is told of once.
    for mutation in ["followUser", "unfollowUser", "followUser"] {
        let mutation = format!("mutation($id: ID!) {{ {mutation}(id: $id) {{ id }} }}");
        carol.query(&mutation, json!({ "id": alice.id })).await;
        told(&alice, 5).await;
    }
    let mut all = told(&alice, 5).await;
    all.sort();
    let expected = ["FOLLOWED", "POST_COMMENTED", "POST_LIKED", "WELCOME"];
    let types: Vec<&str> = all.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(types, expected);
}

async fn who_listens_hears_at_once_what_they_are_told(daka: &Daka) {
    let (alice, bob) = (daka.someone().await, daka.someone().await);
    welcome(&alice).await;
    let query = "subscription { notificationReceived(withUnread: true) { type actor { id } } }";
    let asked = alice.request(Method::POST, "/graphql");
    let mut heard = asked.body(json!({ "query": query })).subscribe().await;
    let told = |kind: &str, actor: Value| json!({ "data": { "notificationReceived": { "type": kind, "actor": actor } } });
    assert_eq!(heard.next().await, told("WELCOME", Value::Null));
    let follow = "mutation($id: ID!) { followUser(id: $id) { id } }";
    bob.query(follow, json!({ "id": alice.id })).await;
    assert_eq!(heard.next().await, told("FOLLOWED", json!({ "id": bob.id })));
}

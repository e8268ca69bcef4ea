//! Who changes something sees it: what was kept for them alone is worth nothing from then on.

use std::time::Duration;

use kernel::Principal;
use router::{Invalidation, RequestContext};
use serde_json::{Value, json};

use super::in_memory_and_in_redis;
use super::library::{Library, Place, ask, person};

in_memory_and_in_redis! {
    who_changes_something_is_not_told_what_was_kept_before
    what_is_read_while_a_change_is_under_way_is_not_kept
    a_change_whose_client_has_left_counts_all_the_same
    a_change_through_another_router_counts
    a_change_by_the_same_person_in_another_session_counts
    what_is_kept_for_one_caller_is_dropped_by_who_they_are
    those_whom_only_subgraphs_know_are_told_apart_by_their_credentials
}

const LENT: &str = "{ lent }";
const NOTE: &str = "{ books { id note } }";
const LEND: &str = "mutation { lend(id: \"1\") { id } }";

/// How often something was lent, as somebody is told.
async fn lent(library: &Library, who: &Principal) -> Value {
    let answer = library.ask_as(LENT, json!({}), who.clone()).await;
    answer["data"]["lent"].clone()
}

async fn who_changes_something_is_not_told_what_was_kept_before(place: Place) {
    let library = Library::open(&place, json!({})).await;
    let (one, other) = (person(1), person(2));
    for who in [&one, &other] {
        assert_eq!(lent(&library, who).await, 0);
        library.ask_as(NOTE, json!({}), who.clone()).await;
    }
    library.asked();
    library.ask_as(LEND, json!({}), one.clone()).await;
    assert_eq!(lent(&library, &one).await, 1);
    library.ask_as(NOTE, json!({}), one.clone()).await;
    // What is for everybody stays, of whichever subgraph all that is for the person goes.
    assert_eq!(
        library.asked(),
        ["catalog: lend", "catalog: lent", "stock: 1 2 3"]
    );
    // Others are told what was kept for them, as long as it holds.
    assert_eq!(lent(&library, &other).await, 0);
    library.ask_as(NOTE, json!({}), other.clone()).await;
    assert!(library.asked().is_empty());
}

async fn what_is_read_while_a_change_is_under_way_is_not_kept(place: Place) {
    let library = Library::open(&place, json!({})).await;
    let who = person(1);
    library.hold();
    let reading = library.begin_as(LENT, json!({}), who.clone());
    library.until_asked(1).await;
    // The subgraph has read, and has not answered yet.
    let changing = library.begin_as(LEND, json!({}), who.clone());
    library.until_asked(2).await;
    library.release();
    assert_eq!(reading.await.expect("an answer")["data"]["lent"], 0);
    changing.await.expect("an answer");
    assert_eq!(lent(&library, &who).await, 1);
}

async fn a_change_whose_client_has_left_counts_all_the_same(place: Place) {
    let library = Library::open(&place, json!({})).await;
    let who = person(1);
    lent(&library, &who).await;
    library.hold();
    let changing = library.begin_as(LEND, json!({}), who.clone());
    library.until_asked(1).await;
    changing.abort();
    assert!(changing.await.is_err());
    library.release();
    let seen = async {
        while lent(&library, &who).await != 1 {
            tokio::task::yield_now().await;
        }
    };
    let patience = Duration::from_secs(20);
    tokio::time::timeout(patience, seen)
        .await
        .expect("what was kept is dropped");
}

async fn a_change_through_another_router_counts(place: Place) {
    let library = Library::open(&place, json!({})).await;
    let (other, who) = (library.with_another_router(), person(1));
    assert_eq!(lent(&library, &who).await, 0);
    assert_eq!(lent(&other, &who).await, 0);
    assert_eq!(
        library.asked(),
        ["catalog: lent"],
        "the routers share what is kept"
    );
    other.ask_as(LEND, json!({}), who.clone()).await;
    assert_eq!(lent(&library, &who).await, 1);
}

async fn a_change_by_the_same_person_in_another_session_counts(place: Place) {
    let library = Library::open(&place, json!({})).await;
    let phone = person(1);
    let id = phone.user_id().expect("a person");
    let tablet = Principal::user(id, "65f1c0ffee65f1c0ffee65f1".parse().expect("an id"));
    assert_eq!(lent(&library, &phone).await, 0);
    library.ask_as(LEND, json!({}), tablet).await;
    assert_eq!(lent(&library, &phone).await, 1);
}

async fn what_is_kept_for_one_caller_is_dropped_by_who_they_are(place: Place) {
    let library = Library::open(&place, json!({})).await;
    let (one, other) = (person(1), person(2));
    for who in [&one, &other] {
        lent(&library, who).await;
    }
    library.asked();
    let subject = one.user_id().expect("a person").to_string();
    let what: Vec<Invalidation> =
        serde_json::from_value(json!([{ "kind": "caller", "subject": subject }])).expect("a list");
    library.engine.invalidate(&what).await.expect("the cache answers");
    lent(&library, &other).await;
    assert!(library.asked().is_empty());
    lent(&library, &one).await;
    assert_eq!(library.asked(), ["catalog: lent"]);
}

async fn those_whom_only_subgraphs_know_are_told_apart_by_their_credentials(place: Place) {
    let settings = json!({});
    let library = Library::open_passing_on(&place, settings, &["authorization", "cookie"]).await;
    let told = async |query: &str, token: &'static str| {
        let mut headers = http::HeaderMap::new();
        headers.insert("authorization", http::HeaderValue::from_static(token));
        let context = RequestContext::new(std::sync::Arc::new(Principal::anonymous())).with_headers(headers);
        ask(&library.engine, query, &json!({}), context).await["data"]["lent"].clone()
    };
    for token in ["one", "other"] {
        assert_eq!(told(LENT, token).await, 0);
    }
    told(LEND, "one").await;
    assert_eq!(told(LENT, "one").await, 1);
    assert_eq!(told(LENT, "other").await, 0, "it is kept for that caller");
}

#[tokio::test]
async fn a_change_while_redis_is_away_counts_once_it_is_back() {
    let place = Place::redis().await;
    let library = Library::open(&place, json!({})).await;
    let who = person(1);
    assert_eq!(lent(&library, &who).await, 0);
    place.stop().await;
    library.ask_as(LEND, json!({}), who.clone()).await;
    // It has on its disk what was kept before.
    place.start_again().await;
    let served = async {
        loop {
            library.asked();
            assert_eq!(lent(&library, &who).await, 1, "never what was kept before");
            if library.asked().is_empty() {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    let patience = Duration::from_secs(20);
    tokio::time::timeout(patience, served)
        .await
        .expect("answers are kept again");
}

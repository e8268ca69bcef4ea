//! What subgraphs answered is kept for as long and for whom they say, and never longer.

mod changes;
mod library;
mod privacy;
mod serving;

use std::time::Duration;

use kernel::Principal;
use router::Invalidation;
use serde_json::{Value, json};

use library::{Library, person};

/// Runs each case with the cache in memory and in Redis.
macro_rules! in_memory_and_in_redis {
    ($($case:ident)*) => {
        mod in_memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::response_cache::library::Place::memory().await).await;
            })*
        }
        mod in_redis {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::response_cache::library::Place::redis().await).await;
            })*
        }
    };
}
use in_memory_and_in_redis;
use library::Place;

in_memory_and_in_redis! {
    an_answer_is_kept_as_long_as_the_schema_says
    entities_that_are_known_are_not_asked_about_again
    the_least_of_all_that_is_asked_decides
    what_a_subgraph_says_of_an_answer_counts
    without_a_word_nothing_is_kept
    answers_with_errors_are_not_kept
    an_error_about_the_rest_stands_at_its_place
    what_is_known_is_shown_where_the_subgraph_is_gone
    what_is_known_is_shown_where_the_subgraph_loses_the_rest
    changes_are_never_answered_from_what_is_kept
    another_supergraph_has_its_own_answers
    what_is_dropped_is_asked_again
    what_was_read_before_it_was_dropped_is_not_kept
    of_many_who_miss_the_same_one_asks
    who_asks_first_may_go_away
    what_is_too_large_is_not_kept
    hostile_values_are_what_they_are
}

const BOOKS: &str = "{ books { id title } }";
const SHELF: &str = "query($ids: [ID!]!) { pick(ids: $ids) { id shelf } }";
const STOCK: &str = "query($ids: [ID!]!) { pick(ids: $ids) { id stock } }";

async fn an_answer_is_kept_as_long_as_the_schema_says(place: Place) {
    let library = Library::open(&place, json!({})).await;
    let first = library.ask(BOOKS, json!({})).await;
    library.clock.advance(jiff::SignedDuration::from_secs(59));
    assert_eq!(library.ask(BOOKS, json!({})).await, first);
    assert_eq!(library.asked(), ["catalog: books"]);
    library.clock.advance(jiff::SignedDuration::from_secs(2));
    assert_eq!(library.ask(BOOKS, json!({})).await, first);
    assert_eq!(library.asked(), ["catalog: books"]);
}

async fn entities_that_are_known_are_not_asked_about_again(place: Place) {
    let library = Library::open(&place, json!({})).await;
    library.ask(STOCK, json!({ "ids": ["1", "2"] })).await;
    assert_eq!(library.asked(), ["catalog: pick", "stock: 1 2"]);
    let answer = library.ask(STOCK, json!({ "ids": ["3", "2", "1", "4"] })).await;
    assert_eq!(library.asked(), ["catalog: pick", "stock: 3 4"]);
    let stock = |id: &str| json!({ "id": id, "stock": id.parse::<i64>().expect("it is there") * 10 });
    let all: Vec<Value> = ["3", "2", "1", "4"].map(stock).to_vec();
    assert_eq!(answer, json!({ "data": { "pick": all } }));
    // Another question about the same entities is another one.
    library.ask("{ pick(ids: [\"1\"]) { shelf } }", json!({})).await;
    assert_eq!(library.asked(), ["catalog: pick", "stock: 1"]);
}

async fn the_least_of_all_that_is_asked_decides(place: Place) {
    let library = Library::open(&place, json!({})).await;
    let both = "{ books { id title price } }";
    for _ in 0..2 {
        library.ask(both, json!({})).await;
    }
    library.clock.advance(jiff::SignedDuration::from_secs(6));
    library.ask(both, json!({})).await;
    assert_eq!(library.asked(), ["catalog: books", "catalog: books"]);
    // A root field or an object of which nothing is said is not kept, nor is what is asked with it.
    for query in ["{ books { id } news }", "{ books { id author { name } } }"] {
        library.ask(query, json!({})).await;
        library.ask(query, json!({})).await;
        assert_eq!(library.asked().len(), 2, "{query}");
    }
}

async fn what_a_subgraph_says_of_an_answer_counts(place: Place) {
    let library = Library::open(&place, json!({})).await;
    let kept = async |query: &str, control: &'static str| {
        library.say(control);
        let salted = format!("query Q{} {query}", control.len());
        for _ in 0..2 {
            library.ask(&salted, json!({})).await;
        }
        library.drop_all().await;
        library.asked().len() == 1
    };
    assert!(kept("{ news }", "max-age=30").await);
    assert!(kept(BOOKS, "max-age=30").await);
    for never in ["no-store", "max-age=0", "private, no-cache", "max-age=nonsense"] {
        assert!(!kept(BOOKS, never).await, "{never}");
    }
}

async fn without_a_word_nothing_is_kept(place: Place) {
    let library = Library::open(&place, json!({})).await;
    library.ask("{ news }", json!({})).await;
    library.ask("{ news }", json!({})).await;
    assert_eq!(library.asked(), ["catalog: news", "catalog: news"]);
    let off = Library::open(&place, json!({ "subgraphs": { "catalog": false } })).await;
    off.ask(BOOKS, json!({})).await;
    off.ask(BOOKS, json!({})).await;
    assert_eq!(off.asked(), ["catalog: books", "catalog: books"]);
    let off = Library::open(&place, json!({ "enabled": false })).await;
    off.ask(BOOKS, json!({})).await;
    off.ask(BOOKS, json!({})).await;
    assert_eq!(off.asked(), ["catalog: books", "catalog: books"]);
}

async fn answers_with_errors_are_not_kept(place: Place) {
    let library = Library::open(&place, json!({})).await;
    library.ask(STOCK, json!({ "ids": ["1", "bad"] })).await;
    library.ask(STOCK, json!({ "ids": ["1", "bad"] })).await;
    assert_eq!(library.asked(), ["catalog: pick", "stock: 1 bad", "stock: 1 bad"]);
}

async fn an_error_about_the_rest_stands_at_its_place(place: Place) {
    let library = Library::open(&place, json!({})).await;
    library.ask(STOCK, json!({ "ids": ["1", "2"] })).await;
    let answer = library.ask(STOCK, json!({ "ids": ["1", "bad", "2", "3"] })).await;
    assert_eq!(
        library.asked(),
        ["catalog: pick", "stock: 1 2", "catalog: pick", "stock: bad 3"]
    );
    assert_eq!(
        answer.pointer("/errors/0/path"),
        Some(&json!(["pick", 1, "stock"]))
    );
    assert_eq!(answer.pointer("/errors/1"), None);
    let stocks = answer
        .pointer("/data/pick")
        .expect("it is there")
        .as_array()
        .expect("it is there")
        .iter();
    let stocks: Vec<&Value> = stocks.map(|book| &book["stock"]).collect();
    assert_eq!(stocks, [&json!(10), &Value::Null, &json!(20), &json!(30)]);
}

async fn what_is_known_is_shown_where_the_subgraph_loses_the_rest(place: Place) {
    let library = Library::open(&place, json!({})).await;
    library.ask(SHELF, json!({ "ids": ["1", "2"] })).await;
    let answer = library.ask(SHELF, json!({ "ids": ["1", "3", "bad", "2"] })).await;
    let shelves = answer
        .pointer("/data/pick")
        .expect("it is there")
        .as_array()
        .expect("it is there")
        .iter();
    let shelves: Vec<&Value> = shelves.map(|book| &book["shelf"]).collect();
    assert_eq!(
        shelves,
        [&json!("left"), &Value::Null, &Value::Null, &json!("left")]
    );
    let errors = answer["errors"].as_array().expect("it is there").iter();
    let mut places: Vec<String> = errors.map(|error| error["path"].to_string()).collect();
    places.sort();
    assert_eq!(places, ["[\"pick\",1,\"shelf\"]", "[\"pick\",2,\"shelf\"]"]);
}

async fn what_is_known_is_shown_where_the_subgraph_is_gone(place: Place) {
    let library = Library::open(&place, json!({})).await;
    library.ask(STOCK, json!({ "ids": ["1"] })).await;
    library.fail(true);
    let answer = library.ask(STOCK, json!({ "ids": ["2", "1"] })).await;
    assert_eq!(answer.pointer("/data/pick/0/stock"), Some(&Value::Null));
    assert_eq!(answer.pointer("/data/pick/1/stock"), Some(&json!(10)));
    assert_eq!(
        answer.pointer("/errors/0/path"),
        Some(&json!(["pick", 0, "stock"]))
    );
    library.fail(false);
    let answer = library.ask(STOCK, json!({ "ids": ["2", "1"] })).await;
    assert_eq!(answer.pointer("/data/pick/0/stock"), Some(&json!(20)));
}

async fn changes_are_never_answered_from_what_is_kept(place: Place) {
    let library = Library::open(&place, json!({})).await;
    library.ask(STOCK, json!({ "ids": ["1"] })).await;
    library.asked();
    let change = "mutation { lend(id: \"1\") { id stock } }";
    for _ in 0..2 {
        library.ask(change, json!({})).await;
        assert_eq!(library.asked(), ["catalog: lend", "stock: 1"]);
    }
}

async fn another_supergraph_has_its_own_answers(place: Place) {
    let library = Library::open(&place, json!({})).await;
    library.ask(BOOKS, json!({})).await;
    let other = library.with_a_new_supergraph();
    other.ask(BOOKS, json!({})).await;
    assert_eq!(library.asked(), ["catalog: books", "catalog: books"]);
}

async fn what_is_dropped_is_asked_again(place: Place) {
    let library = Library::open(&place, json!({})).await;
    let all = json!({ "ids": ["1", "2"] });
    let asked = async |what: Value| {
        library.ask(STOCK, all.clone()).await;
        library.asked();
        let what: Vec<Invalidation> = serde_json::from_value(json!([what])).expect("it is there");
        // Another router, of another supergraph even, drops it.
        library
            .with_a_new_supergraph()
            .engine
            .invalidate(&what)
            .await
            .expect("it is there");
        library.ask(STOCK, all.clone()).await;
        library.asked()
    };
    let entity = |subgraph: &str, id: Value| json!({ "kind": "entity", "subgraph": subgraph, "type": "Book", "key": { "id": id } });
    assert_eq!(asked(entity("stock", json!("2"))).await, ["stock: 2"]);
    assert_eq!(asked(entity("stock", json!(1))).await, ["stock: 1"]);
    assert!(asked(entity("stock", json!("3"))).await.is_empty());
    // What holds books as a part may hold this one.
    assert_eq!(asked(entity("catalog", json!("1"))).await, ["catalog: pick"]);
    let of_type = |subgraph: &str, name: &str| json!({ "kind": "type", "subgraph": subgraph, "type": name });
    assert_eq!(asked(of_type("stock", "Book")).await, ["stock: 1 2"]);
    assert_eq!(asked(of_type("stock", "Item")).await, ["stock: 1 2"]);
    assert_eq!(asked(of_type("catalog", "Book")).await, ["catalog: pick"]);
    assert_eq!(
        asked(json!({ "kind": "subgraph", "subgraph": "stock" })).await,
        ["stock: 1 2"]
    );
    let unknown = |what: Value| {
        let what: Vec<Invalidation> = serde_json::from_value(json!([what])).expect("it is there");
        let library = &library;
        async move {
            library
                .engine
                .invalidate(&what)
                .await
                .expect_err("it is refused")
                .to_string()
        }
    };
    assert_eq!(
        unknown(of_type("nowhere", "Book")).await,
        "there is no subgraph `nowhere` in the supergraph"
    );
    assert_eq!(
        unknown(of_type("stock", "Boat")).await,
        "there is no type `Boat` in the supergraph"
    );
    let keyless = json!({ "kind": "entity", "subgraph": "stock", "type": "Book", "key": { "upc": 1 } });
    assert_eq!(
        unknown(keyless).await,
        "there is no entity with the key `{\"upc\":1}` in the supergraph"
    );
}

async fn what_was_read_before_it_was_dropped_is_not_kept(place: Place) {
    let library = Library::open(&place, json!({})).await;
    for query in [BOOKS, "{ pick(ids: [\"1\"]) { stock } }"] {
        library.hold();
        let reading = library.begin(query);
        library.until_asked(1).await;
        // The subgraph has read, and has not answered yet.
        library.drop_all().await;
        library.release();
        reading.await.expect("it is there");
        let before = library.asked().len();
        library.ask(query, json!({})).await;
        assert_eq!(
            library.asked().first().expect("it is there").split(':').next(),
            Some("catalog"),
            "{before}"
        );
        library.drop_all().await;
    }
}

async fn of_many_who_miss_the_same_one_asks(place: Place) {
    let library = Library::open(&place, json!({})).await;
    library.ask(STOCK, json!({ "ids": ["1", "2", "3"] })).await;
    library.asked();
    library.drop_all().await;
    library.hold();
    // They differ in who asks, so they are no equal reads; what is for everybody is asked once even so.
    let ids = json!({ "ids": ["1", "2", "3"] });
    let asking: Vec<_> = (0..50)
        .map(|seed| library.begin_as(STOCK, ids.clone(), person(seed)))
        .collect();
    library.until_asked(1).await;
    library.release();
    for answer in asking {
        assert_eq!(
            answer.await.expect("it is there").pointer("/data/pick/2/stock"),
            Some(&json!(30))
        );
    }
    let asked = library.asked();
    assert_eq!(asked, ["catalog: pick", "stock: 1 2 3"]);
}

async fn who_asks_first_may_go_away(place: Place) {
    let library = Library::open(&place, json!({})).await;
    library.ask(BOOKS, json!({})).await;
    library.asked();
    library.drop_all().await;
    library.hold();
    let first = library.begin(BOOKS);
    library.until_asked(1).await;
    let others: Vec<_> = (0..5).map(|_| library.begin(BOOKS)).collect();
    first.abort();
    assert!(first.await.is_err());
    library.release();
    for other in others {
        assert!(
            tokio::time::timeout(Duration::from_secs(20), other)
                .await
                .expect("it is there")
                .expect("it is there")["errors"]
                .is_null()
        );
    }
}

async fn what_is_too_large_is_not_kept(place: Place) {
    let library = Library::open(&place, json!({ "max_entry_bytes": 40 })).await;
    library.ask(BOOKS, json!({})).await;
    library.ask(BOOKS, json!({})).await;
    assert_eq!(library.asked(), ["catalog: books", "catalog: books"]);
    library.ask(STOCK, json!({ "ids": ["1"] })).await;
    library.asked();
    library.ask(STOCK, json!({ "ids": ["1"] })).await;
    assert_eq!(library.asked(), ["catalog: pick"], "an entity is small enough");
}

async fn hostile_values_are_what_they_are(place: Place) {
    let library = Library::open(&place, json!({})).await;
    let ids = ["", "\"}{", "打卡", "1\u{0}2", "\u{2028}", "a'; FLUSHALL", "7"];
    let ids = json!({ "ids": ids });
    let first = library.ask(STOCK, ids.clone()).await;
    let asked = library.asked();
    assert_eq!(library.ask(STOCK, ids).await, first);
    assert!(library.asked().is_empty(), "{asked:?}");
    assert_eq!(first["data"]["pick"][2]["id"], "打卡");
}

#[tokio::test]
async fn while_redis_is_away_subgraphs_are_asked() {
    let place = Place::redis().await;
    let library = Library::open(&place, json!({})).await;
    library.ask(BOOKS, json!({})).await;
    place.stop().await;
    for _ in 0..3 {
        let answer = library.ask_as(BOOKS, json!({}), Principal::anonymous()).await;
        assert!(answer["errors"].is_null(), "{answer}");
    }
    assert_eq!(library.asked(), ["catalog: books"; 4]);
    let all: Vec<Invalidation> =
        serde_json::from_value(json!([{ "kind": "subgraph", "subgraph": "stock" }])).expect("it is there");
    assert!(
        library.engine.invalidate(&all).await.is_err(),
        "nobody can know that it is dropped"
    );
}

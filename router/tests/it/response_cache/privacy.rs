//! Nobody ever gets what is another's.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use kernel::Principal;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use router::RequestContext;
use serde_json::{Value, json};

use super::library::{Library, Place, ask, name, person};

const LANGUAGES: [&str; 3] = ["en", "zh", ""];

/// Somebody asks something.
#[derive(Debug, Clone)]
struct Step {
    who: u64,
    query: usize,
    language: usize,
    ids: Vec<u8>,
    drops: bool,
}

const QUERIES: [&str; 5] = [
    "query($ids: [ID!]!) { pick(ids: $ids) { id note } mine }",
    "query($ids: [ID!]!) { pick(ids: $ids) { id note stock } greeting }",
    "query($ids: [ID!]!) { mine greeting pick(ids: $ids) { id } }",
    "query($ids: [ID!]!) { pick(ids: $ids) { id note shelf } }",
    "query($ids: [ID!]!) { greeting pick(ids: $ids) { stock id } }",
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ids = prop::collection::vec(1..5_u8, 0..4);
    let step = (
        0..4_u64,
        0..QUERIES.len(),
        0..LANGUAGES.len(),
        ids,
        prop::bool::weighted(0.1),
    );
    let step = step.prop_map(|(who, query, language, ids, drops)| Step {
        who,
        query,
        language,
        ids,
        drops,
    });
    prop::collection::vec(step, 1..25)
}

fn caller(who: u64) -> Principal {
    match who {
        0 => Principal::anonymous(),
        seed => person(seed),
    }
}

async fn take(library: &Library, step: &Step) -> Result<(), TestCaseError> {
    if step.drops {
        library.drop_all().await;
    }
    let principal = caller(step.who);
    let own = name(&principal);
    let mut headers = HeaderMap::new();
    let language = LANGUAGES[step.language];
    headers.insert("accept-language", HeaderValue::from_static(language));
    let context = RequestContext::new(Arc::new(principal)).with_headers(headers);
    let ids: Vec<String> = step.ids.iter().map(u8::to_string).collect();
    let answer = ask(
        &library.engine,
        QUERIES[step.query],
        &json!({ "ids": ids }),
        context,
    )
    .await;
    let data = &answer["data"];
    let is = |value: &Value, expected: String| value.is_null() || value.as_str() == Some(&expected);
    prop_assert!(answer["errors"].is_null(), "{answer}");
    prop_assert!(is(&data["mine"], own.clone()), "{answer} for {own}");
    prop_assert!(
        is(&data["greeting"], format!("hello in {language}")),
        "{answer} in {language}"
    );
    let books = data["pick"].as_array().expect("books");
    prop_assert_eq!(books.len(), ids.len());
    for (book, id) in books.iter().zip(&ids) {
        prop_assert_eq!(book["id"].as_str(), Some(id.as_str()));
        prop_assert!(is(&book["note"], format!("{id} of {own}")), "{answer} for {own}");
    }
    Ok(())
}

fn whoever_asks_gets_their_own(place: &Place, cases: u32) {
    let runtime = tokio::runtime::Handle::current();
    let library = tokio::task::block_in_place(|| runtime.block_on(Library::open(place, json!({}))));
    let mut runner = TestRunner::new(Config::with_cases(cases));
    let run = |steps: Vec<Step>| {
        tokio::task::block_in_place(|| {
            runtime.block_on(async {
                for step in &steps {
                    take(&library, step).await?;
                }
                Ok(())
            })
        })
    };
    runner.run(&steps(), run).expect("everybody gets their own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_gets_their_own_from_memory() {
    whoever_asks_gets_their_own(&Place::memory().await, 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_gets_their_own_from_redis() {
    whoever_asks_gets_their_own(&Place::redis().await, 20);
}

#[tokio::test]
async fn what_is_for_one_caller_is_kept_for_that_caller() {
    let library = Library::open(&Place::memory().await, json!({})).await;
    for _ in 0..2 {
        for who in [1, 2] {
            let answer = library.ask_as("{ mine }", json!({}), person(who)).await;
            assert_eq!(answer, json!({ "data": { "mine": name(&person(who)) } }));
        }
    }
    assert_eq!(library.asked(), ["catalog: mine", "catalog: mine"]);
}

#[tokio::test]
async fn what_is_for_one_caller_may_be_kept_for_nobody() {
    let library = Library::open(&Place::memory().await, json!({ "private": false })).await;
    for _ in 0..2 {
        library.ask_as("{ mine }", json!({}), person(1)).await;
        library.ask_as("{ greeting }", json!({}), person(1)).await;
    }
    assert_eq!(
        library.asked(),
        ["catalog: mine", "catalog: greeting", "catalog: mine"]
    );
}

#[tokio::test]
async fn what_a_subgraph_that_knows_who_asks_does_not_say_is_for_everybody_is_not() {
    let library = Library::open(&Place::memory().await, json!({})).await;
    library.say("max-age=30");
    for who in [1, 2, 1, 2] {
        library.ask_as("{ news }", json!({}), person(who)).await;
    }
    assert_eq!(library.asked(), ["catalog: news", "catalog: news"]);
    library.say("max-age=30, public");
    for who in [3, 4, 3, 4] {
        library.ask_as("{ news }", json!({}), person(who)).await;
    }
    assert_eq!(library.asked(), ["catalog: news"]);
}

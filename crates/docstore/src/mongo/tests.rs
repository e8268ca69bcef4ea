//! That queries use the indexes made for them, by the plans of a real server.

use bson::{Document, doc};
use kernel::Key;

use super::{Mongo, read, translate};
use crate::document::{CollectionSpec, IndexSpec, Order};
use crate::keyset;
use crate::query::{Filter, Query};

const CHECK_INS: CollectionSpec = CollectionSpec {
    name: "checkins",
    indexes: &[
        IndexSpec {
            name: "day",
            fields: &[("userId", Order::Asc), ("day.date", Order::Desc)],
            unique: false,
        },
        IndexSpec {
            name: "key",
            fields: &[("userId", Order::Asc), ("key", Order::Asc)],
            unique: true,
        },
    ],
};

async fn database() -> Mongo {
    let mongo = Mongo::open(&testkit::servers::mongo_url(), &testkit::unique_name("docstore"))
        .await
        .unwrap();
    mongo.ensure(&[CHECK_INS]).await.unwrap();
    mongo
}

/// The stages of the plan of a query, as JSON.
async fn plan(mongo: &Mongo, filter: Document, query: &Query) -> String {
    let sort = translate::sort(&keyset::total(&query.sort)).unwrap();
    let find = doc! { "find": "checkins", "filter": filter, "sort": sort, "limit": 5 };
    let plan = mongo
        .database
        .run_command(doc! { "explain": find, "verbosity": "queryPlanner" })
        .await
        .unwrap();
    plan.get_document("queryPlanner")
        .unwrap()
        .get_document("winningPlan")
        .unwrap()
        .to_string()
}

fn assert_served_by(plan: &str, index: &str) {
    assert!(plan.contains(&format!("\"indexName\": \"{index}\"")), "{plan}");
    for slow in ["\"COLLSCAN\"", "\"SORT\""] {
        assert!(!plan.contains(slow), "{plan}");
    }
}

#[tokio::test]
async fn pages_are_ranges_of_their_index() {
    let mongo = database().await;
    for order in [Order::Asc, Order::Desc] {
        let query = Query::all().eq("userId", "u").sort("day.date", order);
        let first = translate::all(&query.filters).unwrap();
        assert_served_by(&plan(&mongo, first, &query).await, "day");
        for date in [Key::Null, Key::from("2026-03-29")] {
            let sort = keyset::total(&query.sort);
            let parts = keyset::beyond(&sort, &[date, Key::from("id")], false);
            let next = read::any_of(&query.filters, parts).unwrap();
            assert_served_by(&plan(&mongo, next, &query).await, "day");
        }
    }
}

#[tokio::test]
async fn a_unique_key_is_looked_up() {
    let mongo = database().await;
    let query = Query::all().eq("userId", "u").eq("key", "k");
    let filter = translate::all(&query.filters).unwrap();
    let find = doc! { "find": "checkins", "filter": filter };
    let plan = mongo
        .database
        .run_command(doc! { "explain": find, "verbosity": "queryPlanner" })
        .await
        .unwrap();
    assert_served_by(&plan.to_string(), "key");
}

#[tokio::test]
async fn an_index_that_is_declared_otherwise_is_made_anew() {
    const OTHERWISE: CollectionSpec = CollectionSpec {
        name: "checkins",
        indexes: &[
            IndexSpec {
                name: "day",
                fields: &[("other", Order::Asc)],
                unique: false,
            },
            IndexSpec {
                name: "renamed",
                fields: &[("userId", Order::Asc), ("key", Order::Asc)],
                unique: true,
            },
        ],
    };
    let mongo = database().await;
    for _ in 0..2 {
        mongo.ensure(&[OTHERWISE]).await.unwrap();
    }
    let query = Query::all().filter(Filter::Eq("other".into(), Key::Int(1)));
    let filter = translate::all(&query.filters).unwrap();
    assert_served_by(&plan(&mongo, filter, &query).await, "day");
    let mut names = mongo.collection("checkins").list_index_names().await.unwrap();
    names.sort();
    assert_eq!(names, ["_id_", "day", "renamed"]);
}

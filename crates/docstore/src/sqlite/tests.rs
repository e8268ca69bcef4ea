//! That queries use the indexes made for them.

use kernel::Key;
use rusqlite::{Connection, params_from_iter};

use super::schema;
use super::sql::Sql;
use crate::collection::Find;
use crate::document::{CollectionSpec, IndexSpec, Order};
use crate::error::Error;
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

fn database() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    schema::ensure(&connection, &[CHECK_INS]).unwrap();
    connection
}

fn find(query: Query) -> Find {
    Find {
        collection: CHECK_INS,
        filters: query.filters,
        sort: keyset::total(&query.sort),
        limit: query.limit,
    }
}

fn plan(find: &Find) -> String {
    let sql = Sql::select("doc", find).unwrap();
    let connection = database();
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {}", sql.text))
        .unwrap();
    let steps = statement
        .query_map(params_from_iter(sql.params), |row| row.get::<_, String>(3))
        .unwrap();
    steps.map(Result::unwrap).collect::<Vec<_>>().join("; ")
}

const OF_USER: &str = "SEARCH checkins USING INDEX checkins.day (<expr>=?)";
const IN_RANGE: &str = "SEARCH checkins USING INDEX checkins.day (<expr>=? AND <expr>>?)";

#[test]
fn a_list_in_the_order_of_its_index_is_neither_searched_nor_sorted() {
    for order in [Order::Asc, Order::Desc] {
        let query = Query::all().eq("userId", "u").sort("day.date", order).limit(5);
        assert_eq!(plan(&find(query)), OF_USER);
    }
    let query = Query::all()
        .eq("userId", "u")
        .gte("day.date", "2026-03-01")
        .sort("day.date", Order::Asc);
    assert_eq!(plan(&find(query)), IN_RANGE);
}

#[test]
fn every_part_of_a_page_is_a_range_of_the_index() {
    for order in [Order::Asc, Order::Desc] {
        for date in [Key::Null, Key::from("2026-03-29")] {
            let whole = find(Query::all().eq("userId", "u").sort("day.date", order).limit(5));
            for part in keyset::beyond(&whole.sort, &[date.clone(), Key::from("id")], false) {
                let mut find = whole.clone();
                find.filters.extend(part);
                let plan = plan(&find);
                assert!(
                    plan.starts_with("SEARCH checkins USING INDEX checkins.day (<expr>=? AND"),
                    "{plan}"
                );
                assert!(!plan.contains(';'), "{plan}");
            }
        }
    }
}

#[test]
fn a_unique_key_and_lists_of_values_are_looked_up() {
    let query = Query::all().eq("userId", "u").eq("key", "k");
    assert!(
        plan(&find(query)).starts_with("SEARCH checkins USING INDEX checkins.key (<expr>=? AND <expr>=?)")
    );
    let query = Query::all().eq("userId", "u").is_in("key", ["k", "l"]);
    assert!(plan(&find(query)).contains("SEARCH checkins USING INDEX checkins.key (<expr>=? AND <expr>=?)"));
    let ids = Filter::In("_id".to_owned(), vec![Key::from("a"), Key::from("b")]);
    assert!(plan(&find(Query::all().filter(ids))).contains("SEARCH checkins USING INDEX sqlite_autoindex"));
}

#[test]
fn an_index_that_is_declared_otherwise_is_made_anew() {
    const OTHERWISE: CollectionSpec = CollectionSpec {
        name: "checkins",
        indexes: &[IndexSpec {
            name: "day",
            fields: &[("other", Order::Asc)],
            unique: false,
        }],
    };
    let connection = database();
    schema::ensure(&connection, &[OTHERWISE]).unwrap();
    schema::ensure(&connection, &[OTHERWISE]).unwrap();
    let query = "SELECT sql FROM sqlite_schema WHERE name = 'checkins.day'";
    let sql: String = connection.query_row(query, [], |row| row.get(0)).unwrap();
    assert_eq!(
        sql,
        r#"CREATE INDEX "checkins.day" ON "checkins" ((doc ->> '$."other"'), _id)"#
    );
}

#[test]
fn a_unique_index_that_stored_documents_break_is_named() {
    const UNIQUE: CollectionSpec = CollectionSpec {
        name: "checkins",
        indexes: &[IndexSpec {
            name: "one",
            fields: &[("a", Order::Asc)],
            unique: true,
        }],
    };
    let connection = database();
    for id in ["x", "y"] {
        connection
            .execute("INSERT INTO checkins (_id, doc) VALUES (?, '{\"a\":1}')", [id])
            .unwrap();
    }
    let Err(Error::Internal(cause)) = schema::ensure(&connection, &[UNIQUE]) else {
        panic!("two documents have the same value");
    };
    assert!(cause.to_string().contains("checkins.one"), "{cause}");
}

//! Which documents a query finds, and in which order.

use docstore::{Error, Filter, Order, Query, Value};
use kernel::{Cursor, Direction, PageRequest};

use crate::{Fixture, Frequency, Habit, on_both};

on_both! {
    a_filter_finds_what_fits
    null_sorts_first_and_ids_break_ties
    a_limit_counts_in_the_order
    many_are_read_at_once
    what_fits_is_counted_and_deleted
    a_cursor_of_another_list_is_refused
}

async fn five(fixture: &Fixture) {
    let habit = |id: &str, date: Option<&str>, position, score, kind: &str, tags: &[&str]| Habit {
        date: date.map(str::to_owned),
        position,
        score,
        archived: position == Some(2),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        frequency: Frequency {
            kind: kind.to_owned(),
            times: position,
        },
        ..Habit::new(id)
    };
    fixture
        .insert(&[
            habit("a", Some("2026-03-01"), Some(2), 0.5, "daily", &["x", "y"]),
            habit("b", Some("2026-03-02"), None, 1.0, "weekly", &[]),
            habit("c", None, Some(1), -1.5, "weekly", &["y"]),
            habit("d", Some("2026-03-02"), Some(2), 2.0, "monthly", &["xy"]),
            habit("e", None, Some(3), 0.5, "每日", &["x"]),
        ])
        .await;
}

async fn found(fixture: &Fixture, query: Query) -> String {
    let habits = fixture.habits().find(query.clone()).await.unwrap();
    assert_eq!(fixture.habits().exists(query).await.unwrap(), !habits.is_empty());
    habits.into_iter().map(|habit| habit.id).collect()
}

async fn a_filter_finds_what_fits(fixture: &Fixture) {
    five(fixture).await;
    let null = Value::Null;
    let all = Query::all;
    let not = |filter| Query::all().filter(Filter::Not(Box::new(filter)));
    for (query, expected) in [
        (all(), "abcde"),
        (all().eq("userId", "bob"), ""),
        (all().eq("frequency.type", "weekly"), "bc"),
        (all().eq("frequency.type", "每日"), "e"),
        (all().eq("archived", true), "ad"),
        (all().eq("archived", false), "bce"),
        (all().eq("score", 0.5), "ae"),
        (all().eq("position", 2_i64), "ad"),
        (all().eq("date", null.clone()), "ce"),
        (all().eq("nowhere", null.clone()), "abcde"),
        (all().eq("frequency.nowhere", 1_i64), ""),
        (all().gt("position", 1_i64), "ade"),
        (all().gte("position", 2_i64).lt("position", 3_i64), "ad"),
        (all().lte("position", 2_i64), "acd"),
        (all().lt("score", 0.0), "c"),
        (all().gt("date", "2026-03-01"), "bd"),
        (all().gt("date", null.clone()), "abd"),
        (all().gte("date", null.clone()), "abcde"),
        (all().lt("date", null.clone()), ""),
        (all().lte("date", null.clone()), "ce"),
        (all().is_in("frequency.type", ["daily", "weekly"]), "abc"),
        (all().is_in("position", [1_i64, 3]), "ce"),
        (all().is_in("position", [null.clone(), Value::Int(3)]), "be"),
        (all().is_in("archived", [true]), "ad"),
        (all().is_in("position", Vec::<i64>::new()), ""),
        (all().is_in("_id", ["e", "a", "nobody"]), "ae"),
        (all().contains("tags", "x"), "ae"),
        (all().contains("tags", "y").contains("tags", "x"), "a"),
        (all().contains("title", "Read"), ""),
        (
            all().filter(Filter::Or(vec![
                Filter::Eq("_id".into(), "b".into()),
                Filter::Contains("tags".into(), "x".into()),
            ])),
            "abe",
        ),
        (all().filter(Filter::Or(vec![])), ""),
        (all().filter(Filter::And(vec![])), "abcde"),
        (not(Filter::Eq("position".into(), Value::Int(2))), "bce"),
        (not(Filter::Gt("position".into(), Value::Int(1))), "bc"),
        (not(Filter::Eq("position".into(), null)), "acde"),
        (not(Filter::Contains("tags".into(), "x".into())), "bcd"),
        (not(Filter::And(vec![])), ""),
        (all().eq("title", "' OR 1=1 --"), ""),
    ] {
        assert_eq!(found(fixture, query.clone()).await, expected, "{query:?}");
    }
}

async fn null_sorts_first_and_ids_break_ties(fixture: &Fixture) {
    five(fixture).await;
    use Order::{Asc, Desc};
    let mine = || Query::all().eq("userId", "alice");
    for (query, expected) in [
        (mine().sort("date", Asc), "ceabd"),
        (mine().sort("date", Desc), "dbaec"),
        (mine().sort("date", Desc).sort("_id", Asc), "bdace"),
        (mine().sort("date", Asc).sort("position", Desc), "ecadb"),
        (mine().sort("date", Desc).sort("position", Asc), "bdace"),
        (mine().sort("score", Desc), "dbeac"),
        (mine().sort("frequency.type", Asc), "adbce"),
        (mine().sort("_id", Desc), "edcba"),
    ] {
        assert_eq!(found(fixture, query.clone()).await, expected, "{query:?}");
    }
}

async fn a_limit_counts_in_the_order(fixture: &Fixture) {
    five(fixture).await;
    let latest = || Query::all().sort("date", Order::Desc);
    assert_eq!(found(fixture, latest().limit(2)).await, "db");
    assert!(fixture.habits().find(latest().limit(0)).await.unwrap().is_empty());
    assert_eq!(
        fixture.habits().find_one(latest()).await.unwrap().unwrap().id,
        "d"
    );
    assert_eq!(
        fixture
            .habits()
            .find_one(latest().eq("userId", "bob"))
            .await
            .unwrap(),
        None
    );
}

async fn many_are_read_at_once(fixture: &Fixture) {
    five(fixture).await;
    let before = fixture.store.calls().reads;
    let mut many = fixture
        .habits()
        .get_many(["d", "a", "nobody", "d"])
        .await
        .unwrap();
    many.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(
        many.iter().map(|habit| habit.id.as_str()).collect::<String>(),
        "ad"
    );
    assert_eq!(fixture.store.calls().reads, before + 1);
    assert!(
        fixture
            .habits()
            .get_many(Vec::<String>::new())
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(fixture.store.calls().reads, before + 1);
}

async fn what_fits_is_counted_and_deleted(fixture: &Fixture) {
    five(fixture).await;
    let dated = || Query::all().gt("date", Value::Null);
    assert_eq!(fixture.habits().count(dated()).await.unwrap(), 3);
    let oldest = dated().sort("date", Order::Asc).limit(2);
    assert_eq!(fixture.habits().delete_where(oldest).await.unwrap(), 2);
    assert_eq!(found(fixture, Query::all()).await, "cde");
    assert_eq!(fixture.habits().delete_where(dated().limit(0)).await.unwrap(), 0);
    assert_eq!(
        fixture
            .habits()
            .delete_where(Query::all().eq("date", Value::Null))
            .await
            .unwrap(),
        2
    );
    assert_eq!(found(fixture, Query::all()).await, "d");
}

async fn a_cursor_of_another_list_is_refused(fixture: &Fixture) {
    five(fixture).await;
    let query = || Query::all().sort("date", Order::Desc);
    for keys in [
        vec![],
        vec![Value::Null],
        vec![Value::Null, Value::Int(1)],
        vec![Value::Null; 40],
    ] {
        let from = Some(Cursor(keys));
        let request = PageRequest {
            limit: 2,
            direction: Direction::Backward,
            from,
        };
        let result = fixture.habits().page(query(), &request).await;
        assert!(
            matches!(result, Err(Error::InvalidCursor(Direction::Backward))),
            "{result:?}"
        );
    }
    // A key of another type is a place in the order of no document: some page, and no failure.
    let strange = Some(Cursor(vec![Value::Bool(true), Value::from("a")]));
    let request = PageRequest {
        from: strange,
        ..PageRequest::first(2)
    };
    fixture.habits().page(query(), &request).await.unwrap();
    let result = fixture
        .habits()
        .find(Query::all().eq("$where", "sleep(1000)"))
        .await;
    assert!(matches!(result, Err(Error::Internal(_))), "{result:?}");
}

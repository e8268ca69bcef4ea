//! Writing documents, and reading them back.

use docstore::{Batch, Conflict, ConflictKind, DocStore, Error, Filter, Query, Update};
use serde_json::json;

use crate::{Fixture, Habit, on_both};

on_both! {
    every_kind_of_value_comes_back_as_it_was
    an_id_exists_once
    a_unique_key_exists_once_and_null_is_no_key
    a_replacement_needs_the_version_that_was_read
    put_overwrites_whatever_is_there
    fields_are_set_removed_and_counted
    an_update_needs_a_document_that_fits
    what_is_no_number_cannot_be_counted
    deleting_what_is_not_there_is_fine_unless_a_version_is_wanted
    many_alike_do_what_each_does
    a_batch_whose_last_write_fails_leaves_nothing
    writes_of_a_batch_see_those_before_them
    a_long_batch_is_one_commit
    a_commit_wakes_who_waits_for_it
    a_reopened_store_has_everything
}

fn conflict(kind: ConflictKind, index: Option<&str>) -> Conflict {
    Conflict {
        collection: "habits",
        kind,
        index: index.map(str::to_owned),
    }
}

fn conflict_of<T: std::fmt::Debug>(result: docstore::Result<T>) -> Conflict {
    match result {
        Err(Error::Conflict(conflict)) => conflict,
        other => panic!("{other:?} is no conflict"),
    }
}

async fn every_kind_of_value_comes_back_as_it_was(fixture: &Fixture) {
    let mut habit = Habit::new("h1");
    habit.title = "读书 📚 \"quoted\" \\ \u{0} \u{2028}".to_owned();
    habit.date = Some("2026-03-29".to_owned());
    habit.position = Some(i64::MIN);
    habit.score = 0.1 + 0.2;
    habit.archived = true;
    habit.tags = vec!["".to_owned(), "晨".to_owned()];
    habit.count = Some(i64::MAX);
    habit.extra = json!({
        "null": null, "list": [1, 2.5, [null, {}], "x"], "empty": {}, "one": 1.0, "tiny": 5e-324,
        "huge": 1.7976931348623157e308, "$date": "no date", "a.b": {"$oid": 1}, "int": -1,
    });
    fixture.habits().insert(&habit).await.unwrap();
    assert_eq!(fixture.habits().get("h1").await.unwrap(), Some(habit));
    assert_eq!(fixture.habits().get("h2").await.unwrap(), None);
}

async fn an_id_exists_once(fixture: &Fixture) {
    let habit = Habit::new("h1");
    fixture.habits().insert(&habit).await.unwrap();
    let again = fixture.habits().insert(&habit).await;
    assert_eq!(conflict_of(again), conflict(ConflictKind::Duplicate, Some("_id")));
}

async fn a_unique_key_exists_once_and_null_is_no_key(fixture: &Fixture) {
    let coded = |id: &str, code: Option<&str>| Habit {
        code: code.map(str::to_owned),
        ..Habit::new(id)
    };
    for (id, code) in [
        ("h1", Some("run")),
        ("h2", None),
        ("h3", None),
        ("h4", Some("walk")),
    ] {
        fixture.habits().insert(&coded(id, code)).await.unwrap();
    }
    let taken = fixture.habits().insert(&coded("h5", Some("run"))).await;
    assert!(
        taken
            .as_ref()
            .is_err_and(|error| error.is_duplicate("habits", "code"))
    );
    assert_eq!(
        conflict_of(taken),
        conflict(ConflictKind::Duplicate, Some("code"))
    );
    let taken = fixture.habits().replace(&mut coded("h4", Some("run"))).await;
    assert_eq!(
        conflict_of(taken),
        conflict(ConflictKind::Duplicate, Some("code"))
    );
    let mut batch = Batch::new();
    batch.update::<Habit>("h2", Update::new().set("code", "run"));
    assert_eq!(
        conflict_of(fixture.store.commit(batch).await),
        conflict(ConflictKind::Duplicate, Some("code"))
    );
    let mut batch = Batch::new();
    batch
        .update::<Habit>("h1", Update::new().set("code", None::<&str>))
        .put(&coded("h4", Some("run")));
    fixture.store.commit(batch).await.unwrap();
    let freed = fixture.habits().get("h1").await.unwrap().unwrap();
    assert_eq!(freed.code, None);
    let other = Habit {
        user_id: "bob".to_owned(),
        ..coded("h6", Some("run"))
    };
    fixture.habits().insert(&other).await.unwrap();
}

async fn a_replacement_needs_the_version_that_was_read(fixture: &Fixture) {
    let mut first = Habit::new("h1");
    fixture.habits().insert(&first).await.unwrap();
    let mut second = first.clone();
    first.title = "Run".to_owned();
    fixture.habits().replace(&mut first).await.unwrap();
    assert_eq!(first.version, 1);
    let late = fixture.habits().replace(&mut second).await;
    assert_eq!(conflict_of(late), conflict(ConflictKind::Stale, None));
    assert_eq!(fixture.habits().get("h1").await.unwrap(), Some(first));
    let gone = fixture.habits().replace(&mut Habit::new("h2")).await;
    assert_eq!(conflict_of(gone), conflict(ConflictKind::Stale, None));
}

async fn put_overwrites_whatever_is_there(fixture: &Fixture) {
    for (title, version) in [("Read", 7), ("Run", 3)] {
        let habit = Habit {
            title: title.to_owned(),
            version,
            ..Habit::new("h1")
        };
        let mut batch = Batch::new();
        batch.put(&habit);
        fixture.store.commit(batch).await.unwrap();
        assert_eq!(fixture.habits().get("h1").await.unwrap(), Some(habit));
    }
}

async fn fields_are_set_removed_and_counted(fixture: &Fixture) {
    let habit = Habit {
        count: Some(5),
        extra: json!({"a": 1, "b": {"c": 2}}),
        ..Habit::new("h1")
    };
    fixture.habits().insert(&habit).await.unwrap();
    let update = Update::new()
        .set("title", "跑步")
        .set("archived", true)
        .set("score", 0.5)
        .set("frequency.times", 3_i64)
        .set_json("tags", &["a", "b"])
        .set_json("extra.new.deep", &json!({"x": [1.5, null]}))
        .unset("extra.b.c")
        .unset("extra.missing")
        .inc("count", -7)
        .inc("extra.a", 10)
        .inc("extra.fresh", 1);
    let mut batch = Batch::new();
    batch.update::<Habit>("h1", update);
    fixture.store.commit(batch).await.unwrap();
    let expected = Habit {
        version: 1,
        title: "跑步".to_owned(),
        archived: true,
        score: 0.5,
        tags: vec!["a".to_owned(), "b".to_owned()],
        frequency: crate::Frequency {
            kind: "daily".to_owned(),
            times: Some(3),
        },
        extra: json!({"a": 11, "b": {}, "new": {"deep": {"x": [1.5, null]}}, "fresh": 1}),
        count: Some(-2),
        ..habit
    };
    assert_eq!(fixture.habits().get("h1").await.unwrap(), Some(expected));
}

async fn an_update_needs_a_document_that_fits(fixture: &Fixture) {
    fixture.habits().insert(&Habit::new("h1")).await.unwrap();
    let update = || {
        Update::new()
            .set("title", "Run")
            .when(Filter::Eq("archived".into(), true.into()))
    };
    for id in ["h1", "h2"] {
        let mut batch = Batch::new();
        batch.update::<Habit>(id, update());
        assert_eq!(
            conflict_of(fixture.store.commit(batch).await),
            conflict(ConflictKind::Missing, None)
        );
        let mut batch = Batch::new();
        batch.update::<Habit>(id, update().or_ignore());
        fixture.store.commit(batch).await.unwrap();
    }
    assert_eq!(fixture.habits().get("h1").await.unwrap(), Some(Habit::new("h1")));
    let mut batch = Batch::new();
    let fits = Filter::And(vec![
        Filter::Eq("archived".into(), false.into()),
        Filter::Gt("position".into(), docstore::Value::Null),
    ]);
    batch.update::<Habit>("h1", Update::new().set("position", 1_i64));
    batch.update::<Habit>("h1", Update::new().inc("position", 1).when(fits));
    fixture.store.commit(batch).await.unwrap();
    let habit = fixture.habits().get("h1").await.unwrap().unwrap();
    assert_eq!((habit.position, habit.version), (Some(2), 2));
}

async fn what_is_no_number_cannot_be_counted(fixture: &Fixture) {
    fixture.habits().insert(&Habit::new("h1")).await.unwrap();
    for path in ["title", "position", "tags"] {
        let mut batch = Batch::new();
        batch.update::<Habit>("h1", Update::new().inc(path, 1));
        let result = fixture.store.commit(batch).await;
        assert!(matches!(result, Err(Error::Internal(_))), "{path}: {result:?}");
    }
    assert_eq!(fixture.habits().get("h1").await.unwrap(), Some(Habit::new("h1")));
}

async fn deleting_what_is_not_there_is_fine_unless_a_version_is_wanted(fixture: &Fixture) {
    let habit = Habit::new("h1");
    fixture.habits().insert(&habit).await.unwrap();
    let mut batch = Batch::new();
    batch.delete_version(&Habit {
        version: 1,
        ..habit.clone()
    });
    assert_eq!(
        conflict_of(fixture.store.commit(batch).await),
        conflict(ConflictKind::Stale, None)
    );
    let mut batch = Batch::new();
    batch.delete_version(&habit).delete::<Habit>("h2");
    fixture.store.commit(batch).await.unwrap();
    assert_eq!(fixture.habits().get("h1").await.unwrap(), None);
    let mut batch = Batch::new();
    batch.delete_version(&habit);
    assert_eq!(
        conflict_of(fixture.store.commit(batch).await),
        conflict(ConflictKind::Stale, None)
    );
}

async fn many_alike_do_what_each_does(fixture: &Fixture) {
    for id in ["a", "b", "c", "d", "e"] {
        fixture.habits().insert(&Habit::new(id)).await.unwrap();
    }
    let counted = || Update::new().inc("count", 1).or_ignore();
    let mut batch = Batch::new();
    for id in ["a", "nobody", "b", "a"] {
        batch.update::<Habit>(id, counted());
    }
    batch.update::<Habit>("b", Update::new().inc("count", 5).or_ignore());
    batch.delete::<Habit>("c").delete::<Habit>("nobody");
    batch.delete::<Habit>("d").delete::<Habit>("c");
    batch.insert(&Habit::new("c"));
    fixture.store.commit(batch).await.unwrap();
    let mut left = Vec::new();
    for habit in fixture.habits().find(Query::all()).await.unwrap() {
        left.push((habit.id, habit.count, habit.version));
    }
    left.sort();
    let expected = [
        ("a", Some(2), 2),
        ("b", Some(6), 2),
        ("c", None, 0),
        ("e", None, 0),
    ];
    assert_eq!(
        left,
        expected.map(|(id, count, version)| (id.to_owned(), count, version))
    );
}

async fn a_batch_whose_last_write_fails_leaves_nothing(fixture: &Fixture) {
    let mut kept = Habit::new("kept");
    fixture.habits().insert(&kept).await.unwrap();
    let before = *fixture.store.committed().borrow();
    let failing: [fn(&mut Batch); 4] = [
        |batch| _ = batch.insert(&Habit::new("kept")),
        |batch| {
            _ = batch.replace(&mut Habit {
                version: 9,
                ..Habit::new("kept")
            })
        },
        |batch| _ = batch.update::<Habit>("nobody", Update::new().inc("count", 1)),
        |batch| _ = batch.delete_version(&Habit::new("nobody")),
    ];
    for fail in failing {
        let mut batch = Batch::new();
        let mut changed = Habit {
            title: "Changed".to_owned(),
            ..kept.clone()
        };
        batch
            .insert(&Habit::new("new"))
            .insert(&Habit::new("newer"))
            .replace(&mut changed);
        batch
            .put(&Habit::new("put"))
            .update::<Habit>("new", Update::new().inc("count", 1));
        fail(&mut batch);
        conflict_of(fixture.store.commit(batch).await);
    }
    assert_eq!(fixture.habits().find(Query::all()).await.unwrap(), [kept.clone()]);
    assert_eq!(*fixture.store.committed().borrow(), before);
    fixture.habits().replace(&mut kept).await.unwrap();
}

async fn writes_of_a_batch_see_those_before_them(fixture: &Fixture) {
    let mut habit = Habit::new("h1");
    let mut batch = Batch::new();
    batch.insert(&habit).replace(&mut habit);
    let mut more = Batch::new();
    more.update::<Habit>("h1", Update::new().inc("count", 1))
        .insert(&Habit::new("h2"))
        .delete::<Habit>("h2");
    batch.append(more);
    assert!(!batch.is_empty());
    fixture.store.commit(batch).await.unwrap();
    let stored = fixture.habits().get("h1").await.unwrap().unwrap();
    assert_eq!((stored.version, stored.count), (2, Some(1)));
    assert_eq!(fixture.habits().get("h2").await.unwrap(), None);
}

async fn a_long_batch_is_one_commit(fixture: &Fixture) {
    let habits: Vec<_> = (0..500).map(|n| Habit::new(&format!("h{n}"))).collect();
    fixture.insert(&habits).await;
    assert_eq!(fixture.habits().count(Query::all()).await.unwrap(), 500);
    assert_eq!(fixture.store.calls(), docstore::Calls { reads: 1, writes: 1 });
    let mut batch = Batch::new();
    for n in 500..600 {
        batch.insert(&Habit::new(&format!("h{n}")));
    }
    batch.insert(&Habit::new("h77"));
    assert_eq!(
        conflict_of(fixture.store.commit(batch).await),
        conflict(ConflictKind::Duplicate, Some("_id"))
    );
    assert_eq!(fixture.habits().count(Query::all()).await.unwrap(), 500);
}

async fn a_commit_wakes_who_waits_for_it(fixture: &Fixture) {
    let mut committed = fixture.store.committed();
    let waiting = tokio::spawn(async move { committed.changed().await.is_ok() });
    fixture.store.commit(Batch::new()).await.unwrap();
    fixture.habits().insert(&Habit::new("h1")).await.unwrap();
    assert!(waiting.await.unwrap());
}

async fn a_reopened_store_has_everything(fixture: &Fixture) {
    fixture
        .insert(&[
            Habit::new("h1"),
            Habit {
                code: Some("run".to_owned()),
                ..Habit::new("h2")
            },
        ])
        .await;
    let again = DocStore::open(&fixture.config).await.unwrap();
    again
        .ensure(&[<Habit as docstore::Document>::COLLECTION])
        .await
        .unwrap();
    again.ping().await.unwrap();
    assert_eq!(
        again
            .collection::<Habit>()
            .get_many(["h1", "h2", "h3"])
            .await
            .unwrap()
            .len(),
        2
    );
    let taken = again
        .collection()
        .insert(&Habit {
            code: Some("run".to_owned()),
            ..Habit::new("h3")
        })
        .await;
    assert_eq!(
        conflict_of(taken),
        conflict(ConflictKind::Duplicate, Some("code"))
    );
}

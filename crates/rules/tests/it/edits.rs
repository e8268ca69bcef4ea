//! Edits of the rules, and what they would change.

use rules::{HabitRules, Pause, Rules, Schedule, Stop};

use crate::world::{World, at_least, date};

#[test]
fn an_edit_is_in_force_from_today_or_a_later_date_on() {
    let mut habit = HabitRules::new(1, date("2026-11-01"), None, Schedule::Daily, None).unwrap();
    let today = date("2026-11-16");
    let issues = habit
        .edit(Some(date("2026-11-15")), Schedule::Daily, at_least(2.0), today)
        .unwrap_err();
    assert_eq!(issues[0].code, "IN_THE_PAST");
    habit
        .edit(Some(date("2026-12-01")), Schedule::Daily, at_least(2.0), today)
        .unwrap();
    habit.edit(None, Schedule::Daily, at_least(3.0), today).unwrap();
    habit.edit(None, Schedule::Daily, at_least(4.0), today).unwrap();
    let in_force = [
        "2026-10-01",
        "2026-11-15",
        "2026-11-16",
        "2026-11-30",
        "2026-12-01",
    ]
    .map(|day| habit.in_force(date(day)).number);
    assert_eq!(in_force, [1, 1, 4, 4, 2]);
    let text = serde_json::to_string(&habit).unwrap();
    assert_eq!(serde_json::from_str::<HabitRules>(&text).unwrap(), habit);
}

#[test]
fn a_previewed_edit_tells_before_and_after_and_changes_nothing() {
    let mut world = World::daily("2026-11-16");
    world.check_in().unwrap();
    world.on("2026-11-18");
    let state = world.state.clone();
    let mut new = world.habit.clone();
    new.start = date("2026-11-17");
    new.edit(
        None,
        Schedule::WeeklyDays { days: vec![1] },
        None,
        date("2026-11-18"),
    )
    .unwrap();
    let new = Rules::new(&new, &world.user);
    let change = state.preview_update(world.rules(), new, world.now).unwrap();
    assert_eq!(state, world.state);
    assert_eq!(change.before, world.stats());
    assert_eq!(change.after, rules::stats(new, &world.facts, world.now));
    assert_eq!(
        change,
        rules::preview_update(world.rules(), new, &world.facts, world.now)
    );
    let days: Vec<_> = change
        .days
        .iter()
        .map(|day| (day.date, day.after.as_str()))
        .collect();
    assert_eq!(days, [(date("2026-11-18"), "NOT_DUE")]);
}

#[test]
fn a_change_of_old_days_needs_a_rebuild_and_one_of_new_days_does_not() {
    let mut world = World::daily("2025-01-01");
    world.on("2026-01-01");
    world.import("2025-01-01");
    world.rebuild();
    let begin = world.state.window_begin().unwrap();
    assert_eq!(begin, date("2025-10-31"));
    let fits = |edit: &dyn Fn(&mut HabitRules)| {
        let mut habit = world.habit.clone();
        habit.version += 1;
        edit(&mut habit);
        world.state.fits(Rules::new(&habit, &world.user))
    };
    assert!(fits(&|_| {}));
    assert!(fits(&|habit| habit.end = Some(date("2026-06-01"))));
    assert!(fits(&|habit| habit.end = Some(date("2025-10-30"))));
    assert!(!fits(&|habit| habit.end = Some(date("2025-10-29"))));
    assert!(!fits(&|habit| habit.start = date("2025-01-02")));
    assert!(fits(&|habit| {
        habit
            .edit(
                None,
                Schedule::WeeklyTimes { times: 3 },
                at_least(2.0),
                date("2025-10-31"),
            )
            .unwrap();
    }));
    assert!(!fits(&|habit| {
        habit
            .edit(None, Schedule::WeeklyTimes { times: 3 }, None, date("2025-10-30"))
            .unwrap();
    }));
    let pause_from = |day: &str, to: Option<&str>| {
        let mut user = world.user.clone();
        user.version += 1;
        user.pauses.push(Pause {
            id: world.facts[0].id,
            from: date(day),
            to: to.map(date),
        });
        world.state.fits(Rules::new(&world.habit, &user))
    };
    assert!(pause_from("2025-10-31", None));
    assert!(!pause_from("2025-10-30", None));
    assert!(!pause_from("2025-05-01", Some("2025-05-02")));
    let skipped = world.state.days(world.rules(), begin..=begin, world.now);
    assert!(skipped.is_ok());
    let older = world
        .state
        .explain_day(world.rules(), date("2025-10-30"), world.now);
    assert!(older.is_err());
}

#[test]
fn a_fact_older_than_the_window_needs_a_rebuild_and_changes_nothing() {
    let mut world = World::daily("2025-01-01");
    world.on("2025-12-31");
    let old = world.import("2025-01-05");
    world.rebuild();
    let state = world.state.clone();
    assert_eq!(
        state.accept_undo(world.rules(), old, world.now),
        Err(Stop::NeedsRebuild(rules::NeedsRebuild))
    );
    world.import("2025-01-07");
    assert_eq!(world.rebuilds, 2);
    assert_eq!(world.stats().done_units, 2);

    world.state = rules::HabitState::unfolded(world.rules(), &world.facts);
    world.undo(old).unwrap();
    assert_eq!((world.stats().done_units, world.rebuilds), (1, 2));
}

#[test]
fn a_clock_before_the_window_needs_a_rebuild() {
    let mut world = World::daily("2025-01-01");
    world.on("2025-12-31");
    world.rebuild();
    world.on("2025-01-05");
    assert!(world.state.stats(world.rules(), world.now).is_err());
}

//! N times in a week or a month.

use rules::DayStatus::{Done, Due, Frozen, MadeUp, Missed, NotDue, Partial, Paused, Skipped};
use rules::{DayStatus, Reason, Schedule, UnitResult};

use crate::world::{World, date, user_time};

fn weekly(start: &str, times: u8) -> World {
    World::new(start, Schedule::WeeklyTimes { times }, None)
}

fn unit(world: &World, day: &str) -> (String, String, DayStatus, u32, u32) {
    let UnitResult {
        from,
        to,
        status,
        done,
        need,
    } = world.day(day).unit.unwrap();
    (from.to_string(), to.to_string(), status, done, need)
}

#[test]
fn a_week_is_done_when_its_days_are_done() {
    let mut world = weekly("2026-11-16", 2);
    world.check_in().unwrap();
    assert_eq!(world.streaks(), (0, 0));
    world.on("2026-11-19");
    assert_eq!(
        world.statuses("2026-11-16", "2026-11-22"),
        [Done, NotDue, NotDue, Due, Due, Due, Due]
    );
    world.check_in().unwrap();
    // The open week counts as soon as it is done, and asks for no more.
    assert_eq!(world.streaks(), (1, 1));
    assert_eq!(world.day("2026-11-20").reason, Reason::PeriodComplete);
    world.on("2026-11-21").check_in().unwrap();
    assert_eq!(world.status("2026-11-21"), Done);
    assert_eq!(world.streaks(), (1, 1));
    let stats = world.stats();
    assert_eq!(
        (stats.done_units, stats.counted_units, stats.completion_rate),
        (1, 1, 1.0)
    );
}

#[test]
fn a_failed_week_shows_on_its_last_free_day() {
    let mut world = weekly("2026-11-16", 3);
    world.on("2026-11-18").check_in().unwrap();
    world.on("2026-11-22").check_in().unwrap();
    world.on("2026-11-23");
    assert_eq!(
        world.statuses("2026-11-16", "2026-11-22"),
        [NotDue, NotDue, Done, NotDue, NotDue, Partial, Done]
    );
    world.on("2026-11-30");
    assert_eq!(world.status("2026-11-29"), Missed);
    assert_eq!(world.day("2026-11-28").reason, Reason::PeriodHasOthers);
    assert_eq!(world.streaks(), (0, 0));
}

#[test]
fn a_week_that_begins_late_asks_for_its_share() {
    // From Saturday on, three times a week leave ceil(3 · 2/7) = 1.
    let world = weekly("2026-11-21", 3);
    assert_eq!(
        unit(&world, "2026-11-21"),
        ("2026-11-21".into(), "2026-11-22".into(), Due, 0, 1)
    );
    assert_eq!(unit(&world, "2026-11-23").4, 3);
}

#[test]
fn a_month_has_its_own_length() {
    let mut world = World::new("2026-02-01", Schedule::MonthlyTimes { times: 28 }, None);
    assert_eq!(unit(&world, "2026-02-14").4, 28);
    assert_eq!(unit(&world, "2026-03-31").4, 28);
    world.habit.end = Some(date("2026-04-15"));
    world.habit.version += 1;
    world.rules_changed();
    assert_eq!(
        unit(&world, "2026-04-15"),
        ("2026-04-01".into(), "2026-04-15".into(), Due, 0, 14)
    );
}

#[test]
fn months_follow_each_other_in_a_streak() {
    let mut world = World::new("2026-01-01", Schedule::MonthlyTimes { times: 2 }, None);
    for day in [
        "2026-01-30",
        "2026-01-31",
        "2026-02-01",
        "2026-02-28",
        "2026-03-01",
    ] {
        world.on(day).check_in().unwrap();
    }
    assert_eq!(world.streaks(), (2, 2));
    world.on("2026-04-01");
    assert_eq!(world.status("2026-03-31"), Partial);
    assert_eq!(world.streaks(), (0, 2));
}

#[test]
fn a_new_number_within_a_week_counts_for_its_share_of_days() {
    // Monday to Wednesday at three, Thursday to Sunday at five: (3·3 + 4·5)/7, rounded up, is 5.
    let mut world = weekly("2026-11-16", 3);
    world
        .on("2026-11-19")
        .edit(Schedule::WeeklyTimes { times: 5 }, None);
    let week = ("2026-11-16".into(), "2026-11-22".into(), Due, 0, 5);
    assert_eq!(unit(&world, "2026-11-16"), week);
    assert_eq!(world.day("2026-11-18").version, Some(1));
    assert_eq!(world.day("2026-11-19").version, Some(2));
}

#[test]
fn another_kind_of_schedule_cuts_the_week() {
    let mut world = weekly("2026-11-16", 3);
    world.on("2026-11-17").check_in().unwrap();
    world.on("2026-11-19").edit(Schedule::Daily, None);
    // Three days of the week leave ceil(3 · 3/7) = 2.
    assert_eq!(
        unit(&world, "2026-11-16"),
        ("2026-11-16".into(), "2026-11-18".into(), Partial, 1, 2)
    );
    assert_eq!(world.status("2026-11-19"), Due);
}

#[test]
fn the_week_begins_where_the_user_says_from_the_next_such_day_on() {
    let mut world = weekly("2026-11-16", 7);
    // On Wednesday the user moves the start of weeks to Sunday: this week ends on Saturday.
    world.on("2026-11-18").travel(user_time("UTC", 0, 7));
    assert_eq!(
        unit(&world, "2026-11-18"),
        ("2026-11-16".into(), "2026-11-21".into(), Due, 0, 6)
    );
    assert_eq!(
        unit(&world, "2026-11-22"),
        ("2026-11-22".into(), "2026-11-28".into(), Due, 0, 7)
    );
}

#[test]
fn paused_and_skipped_days_lower_what_a_week_asks_for() {
    let mut world = weekly("2026-11-16", 3);
    world.pause(None, Some("2026-11-19")).unwrap();
    world.skip(Some("2026-11-22")).unwrap();
    // Friday and Saturday are left: ceil(3 · 2/7) = 1.
    assert_eq!(unit(&world, "2026-11-20").4, 1);
    world.on("2026-11-21").check_in().unwrap();
    assert_eq!(
        world.statuses("2026-11-19", "2026-11-22"),
        [Paused, NotDue, Done, Skipped]
    );
    assert_eq!(world.streaks(), (1, 1));
}

#[test]
fn a_week_that_is_paused_altogether_neither_breaks_nor_lengthens() {
    let mut world = weekly("2026-11-16", 1);
    world.check_in().unwrap();
    world.on("2026-11-23").pause(None, Some("2026-11-29")).unwrap();
    world.on("2026-11-30").check_in().unwrap();
    assert_eq!(world.day("2026-11-25").unit.unwrap().status, Paused);
    let stats = world.stats();
    assert_eq!((stats.current_streak, stats.counted_units), (2, 2));
}

#[test]
fn a_makeup_completes_a_week_that_is_over() {
    let mut world = weekly("2026-11-16", 2);
    world.check_in().unwrap();
    world.on("2026-11-24");
    assert_eq!(world.day("2026-11-22").unit.unwrap().status, Partial);
    world.check_in_for("2026-11-20").unwrap();
    assert_eq!(world.day("2026-11-22").unit.unwrap().status, MadeUp);
    assert_eq!(
        world.statuses("2026-11-20", "2026-11-22"),
        [MadeUp, NotDue, NotDue]
    );
    assert_eq!(world.streaks(), (1, 1));
}

#[test]
fn a_freeze_covers_a_whole_week() {
    let mut world = weekly("2026-11-16", 2);
    world.check_in().unwrap();
    let freeze = world.on("2026-11-20").buy_freeze().unwrap();
    world.on("2026-11-23");
    let day = world.day("2026-11-22");
    assert_eq!((day.status, day.fact), (Frozen, Some(freeze)));
    assert_eq!(world.stats().freezes_held, 0);
}

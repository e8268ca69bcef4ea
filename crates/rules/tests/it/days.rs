//! What a day is worth, for each kind of schedule and goal.

use rules::DayStatus::{Done, Due, MadeUp, Missed, NotDue, Partial};
use rules::{Amount, Goal, GoalDirection, GoalKind, NewCheckIn, Reason, Schedule, What};

use crate::world::{World, at_least, at_most, date};

fn due_dates(schedule: Schedule, start: &str, from: &str, to: &str) -> Vec<String> {
    let mut world = World::new(start, schedule, None);
    world.on(start);
    rules::evaluate(world.rules(), &[], date(from)..=date(to), world.now)
        .into_iter()
        .filter(|day| day.status == Due)
        .map(|day| day.date.to_string())
        .collect()
}

#[test]
fn a_daily_habit_is_due_every_day_from_its_start() {
    let dates = due_dates(Schedule::Daily, "2026-02-27", "2026-02-25", "2026-03-01");
    assert_eq!(dates, ["2026-02-27", "2026-02-28", "2026-03-01"]);
}

#[test]
fn weekdays_are_due_every_week() {
    let schedule = Schedule::WeeklyDays { days: vec![1, 4] };
    let dates = due_dates(schedule, "2026-11-16", "2026-11-16", "2026-11-30");
    assert_eq!(
        dates,
        [
            "2026-11-16",
            "2026-11-19",
            "2026-11-23",
            "2026-11-26",
            "2026-11-30"
        ]
    );
}

#[test]
fn every_third_day_is_counted_from_the_anchor_across_months_and_not_before_it() {
    let schedule = Schedule::EveryDays {
        interval: 3,
        anchor: date("2028-02-26"),
    };
    let dates = due_dates(schedule, "2028-02-20", "2028-02-20", "2028-03-06");
    assert_eq!(dates, ["2028-02-26", "2028-02-29", "2028-03-03", "2028-03-06"]);
}

#[test]
fn weekdays_every_second_week_are_counted_from_the_week_of_the_anchor() {
    // The anchor is a Wednesday: the Monday of its week lies before it.
    let schedule = Schedule::EveryWeeksDays {
        days: vec![1, 5],
        interval: 2,
        anchor: date("2026-11-18"),
    };
    let dates = due_dates(schedule, "2026-11-01", "2026-11-01", "2026-12-20");
    assert_eq!(
        dates,
        [
            "2026-11-20",
            "2026-11-30",
            "2026-12-04",
            "2026-12-14",
            "2026-12-18"
        ]
    );
}

#[test]
fn nothing_is_missed_before_the_day_is_closed() {
    let mut world = World::daily("2026-11-16");
    world.at("2026-11-16T23:59:59.999Z");
    assert_eq!(world.day("2026-11-16").reason, Reason::StillOpen);
    world.at("2026-11-17T00:00:00Z");
    assert_eq!(
        world.statuses("2026-11-15", "2026-11-18"),
        [NotDue, Missed, Due, Due]
    );
    assert_eq!(world.day("2026-11-16").reason, Reason::NothingEntered);
}

#[test]
fn a_habit_without_goal_is_done_by_any_check_in() {
    let mut world = World::daily("2026-11-16");
    let id = world.check_in().unwrap();
    let day = world.day("2026-11-16");
    assert_eq!((day.status, day.reason), (Done, Reason::Achieved));
    assert_eq!((day.fact, day.version), (Some(id), Some(1)));
    assert!(day.completed);
}

#[test]
fn amounts_add_up_to_the_goal() {
    let mut world = World::new("2026-11-16", Schedule::Daily, at_least(8.0));
    world.enter(3.0).unwrap();
    world.enter(4.5).unwrap();
    let day = world.day("2026-11-16");
    assert_eq!(
        (day.status, day.amount, day.fraction),
        (Due, Amount::new(7.5).unwrap(), 0.9375)
    );
    let last = world.enter(0.5).unwrap();
    let day = world.day("2026-11-16");
    assert_eq!((day.status, day.fact), (Done, Some(last)));
    world.enter(20.0).unwrap();
    assert_eq!(world.day("2026-11-16").fraction, 1.0);
    world.on("2026-11-17").enter(1.0).unwrap();
    world.on("2026-11-18");
    assert_eq!(world.statuses("2026-11-16", "2026-11-18"), [Done, Partial, Due]);
    assert_eq!(world.day("2026-11-17").reason, Reason::TooLittle);
}

#[test]
fn an_at_most_goal_is_kept_only_when_the_day_closes() {
    let mut world = World::new("2026-11-16", Schedule::Daily, at_most(4.0));
    world.enter(4.0).unwrap();
    assert_eq!(world.status("2026-11-16"), Due);
    world.on("2026-11-17").enter(5.0).unwrap();
    world.on("2026-11-18").enter(9.0).unwrap();
    assert_eq!(world.status("2026-11-18"), Due);
    world.on("2026-11-20");
    // Nothing entered is nothing smoked.
    assert_eq!(
        world.statuses("2026-11-16", "2026-11-20"),
        [Done, Partial, Missed, Done, Due]
    );
    assert_eq!(world.day("2026-11-18").reason, Reason::Exceeded);
    assert_eq!(world.day("2026-11-19").reason, Reason::KeptBelow);
}

#[test]
fn a_tap_on_a_duration_habit_is_the_whole_duration() {
    let goal = Goal::new(GoalKind::Duration, 0.5, "hours", GoalDirection::AtLeast).unwrap();
    let mut world = World::new("2026-11-16", Schedule::Daily, Some(goal));
    world.check_in().unwrap();
    assert_eq!(world.status("2026-11-16"), Done);
    assert_eq!(world.stats().total_duration, Amount::whole(30));
}

#[test]
fn a_day_that_is_done_in_time_is_not_made_up_by_a_later_makeup() {
    let mut world = World::new("2026-11-16", Schedule::Daily, at_least(2.0));
    world.enter(2.0).unwrap();
    world.on("2026-11-17").enter(1.0).unwrap();
    world.on("2026-11-18");
    for day in ["2026-11-16", "2026-11-17"] {
        world.check_in_for(day).unwrap();
    }
    assert_eq!(world.statuses("2026-11-16", "2026-11-17"), [Done, MadeUp]);
    assert_eq!(world.day("2026-11-17").reason, Reason::AchievedByMakeup);
}

#[test]
fn the_target_is_the_one_in_force_on_the_date() {
    let mut world = World::new("2026-11-16", Schedule::Daily, at_least(2.0));
    world.enter(2.0).unwrap();
    world.on("2026-11-17").edit(Schedule::Daily, at_least(5.0));
    world.enter(2.0).unwrap();
    world.on("2026-11-18");
    assert_eq!(world.statuses("2026-11-16", "2026-11-18"), [Done, Partial, Due]);
    assert_eq!(world.day("2026-11-16").version, Some(1));
    assert_eq!(world.day("2026-11-17").version, Some(2));
    assert_eq!(world.day("2026-11-17").target, Some(Amount::whole(5)));
}

#[test]
fn a_check_in_on_a_day_that_is_not_due_counts_but_changes_no_streak() {
    let mut world = World::new("2026-11-16", Schedule::WeeklyDays { days: vec![1] }, None);
    world.check_in().unwrap();
    world.on("2026-11-18").check_in().unwrap();
    let day = world.day("2026-11-18");
    assert_eq!(
        (day.status, day.reason, day.completed),
        (NotDue, Reason::OffSchedule, true)
    );
    let stats = world.stats();
    assert_eq!(
        (stats.total_check_ins, stats.current_streak, stats.counted_units),
        (2, 1, 1)
    );
}

#[test]
fn an_ended_habit_asks_for_nothing_more() {
    let mut world = World::daily("2026-11-16");
    world.check_in().unwrap();
    world.habit.end = Some(date("2026-11-17"));
    world.habit.version += 1;
    world.rules_changed();
    world.on("2026-12-24");
    assert_eq!(world.statuses("2026-11-16", "2026-11-18"), [Done, Missed, NotDue]);
    assert_eq!(world.day("2026-11-18").reason, Reason::AfterEnd);
    let stats = world.stats();
    assert_eq!((stats.counted_units, stats.completion_rate), (2, 0.5));
}

#[test]
fn an_amended_check_in_counts_with_its_last_amounts() {
    let mut world = World::new("2026-11-16", Schedule::Daily, at_least(5.0));
    let id = world.enter(2.0).unwrap();
    for count in [4, 5] {
        let what = world
            .state
            .accept_amend(
                world.rules(),
                &world.policy,
                id,
                Some(Amount::whole(count)),
                None,
                world.now,
            )
            .unwrap();
        world.record(what);
    }
    assert_eq!(world.status("2026-11-16"), Done);
    assert_eq!(world.stats().total_count, Amount::whole(5));
}

#[test]
fn the_same_fact_twice_counts_once() {
    let mut world = World::new("2026-11-16", Schedule::Daily, at_least(5.0));
    world.check_in_with(NewCheckIn::default()).unwrap();
    let fact = world.facts[0].clone();
    assert!(matches!(fact.what, What::CheckIn(_)));
    let change = world
        .state
        .clone()
        .apply(world.rules(), &fact, world.now)
        .unwrap();
    assert_eq!(change.before, change.after);
    world.facts.push(fact);
    world.agree();
    assert_eq!(world.stats().total_check_ins, 1);
}

//! Streak, completion rate, score.

use rules::Schedule;

use crate::world::{World, at_least, date, same, user_time};

fn done_on(world: &mut World, days: &[&str]) {
    for day in days {
        world.on(day).check_in().unwrap();
    }
}

#[test]
fn an_open_day_neither_breaks_a_streak_nor_is_missing_from_it() {
    let mut world = World::daily("2026-11-16");
    done_on(&mut world, &["2026-11-16", "2026-11-17"]);
    assert_eq!(world.streaks(), (2, 2));
    world.at("2026-11-18T23:59:00Z");
    assert_eq!(world.streaks(), (2, 2));
    world.at("2026-11-19T00:00:00Z");
    assert_eq!(world.streaks(), (0, 2));
}

#[test]
fn a_back_dated_check_in_joins_what_it_connects_and_an_undo_splits_it_again() {
    let mut world = World::daily("2026-11-16");
    done_on(
        &mut world,
        &["2026-11-16", "2026-11-17", "2026-11-19", "2026-11-20"],
    );
    assert_eq!(world.streaks(), (2, 2));
    let makeup = world.check_in_for("2026-11-18").unwrap();
    assert_eq!(world.streaks(), (5, 5));
    world.undo(makeup).unwrap();
    assert_eq!(world.streaks(), (2, 2));
}

#[test]
fn a_streak_of_weekdays_runs_over_the_days_between() {
    let mut world = World::new("2026-11-16", Schedule::WeeklyDays { days: vec![1, 3, 5] }, None);
    done_on(
        &mut world,
        &["2026-11-16", "2026-11-18", "2026-11-20", "2026-11-23"],
    );
    assert_eq!(world.streaks(), (4, 4));
}

#[test]
fn an_imported_check_in_before_the_start_is_the_effective_start() {
    let mut world = World::daily("2026-11-16");
    world.on("2026-11-18");
    world.import("2026-11-15");
    let stats = world.stats();
    assert_eq!((stats.counted_units, stats.done_units), (3, 1));
    world.import("2016-02-29");
    assert_eq!(world.stats().counted_units, 3915);
}

#[test]
fn the_completion_rate_is_never_over_one() {
    let mut world = World::new("2026-11-16", Schedule::WeeklyTimes { times: 1 }, None);
    assert_eq!(world.stats().completion_rate, 0.0);
    done_on(&mut world, &["2026-11-16", "2026-11-17", "2026-11-18"]);
    assert_eq!(world.stats().completion_rate, 1.0);
    world.on("2026-12-01");
    assert_eq!(world.stats().completion_rate, 0.5);
}

#[test]
fn the_score_of_perfect_days_is_loops() {
    let mut world = World::daily("2026-01-01");
    for (days, score) in [(30, 0.798), (60, 0.959), (90, 0.992)] {
        while world.stats().total_check_ins < days {
            world.check_in().unwrap();
            world.now += jiff::SignedDuration::from_hours(24);
        }
        assert!(
            (world.stats().score - score).abs() < 0.0005,
            "{}",
            world.stats().score
        );
    }
}

#[test]
fn a_perfect_weekly_habit_gains_score_on_every_day() {
    let mut world = World::new("2026-01-05", Schedule::WeeklyDays { days: vec![1] }, None);
    for _ in 0..10 {
        world.check_in().unwrap();
        world.now += jiff::SignedDuration::from_hours(7 * 24);
    }
    // 70 days are closed, each worth 1: 1 − 0.5^(√(1/7) · 70/13).
    let expected = 1.0 - 0.5_f64.powf((1.0_f64 / 7.0).sqrt() * 70.0 / 13.0);
    assert!((world.stats().score - expected).abs() < 1e-12);
}

#[test]
fn a_day_half_done_is_worth_half_and_a_skip_or_pause_holds_the_score_still() {
    let mut world = World::new("2026-11-16", Schedule::Daily, at_least(2.0));
    world.enter(1.0).unwrap();
    world.on("2026-11-17");
    let multiplier = 0.5_f64.powf(1.0 / 13.0);
    let half = 0.5 * (1.0 - multiplier);
    assert!((world.stats().score - half).abs() < 1e-12);
    world.skip(None).unwrap();
    world.on("2026-11-18").pause(None, Some("2026-11-30")).unwrap();
    world.on("2026-12-01");
    assert!((world.stats().score - half).abs() < 1e-12);
    world.on("2026-12-02");
    assert!((world.stats().score - half * multiplier).abs() < 1e-12);
}

#[test]
fn an_edit_never_rewrites_the_past() {
    let mut world = World::daily("2026-11-16");
    done_on(&mut world, &["2026-11-16", "2026-11-17", "2026-11-18"]);
    world.on("2026-11-19");
    let before = (world.stats(), world.statuses("2026-11-16", "2026-11-18"));
    world.edit(Schedule::WeeklyDays { days: vec![7] }, at_least(100.0));
    assert_eq!(
        before,
        (world.stats(), world.statuses("2026-11-16", "2026-11-18"))
    );
}

#[test]
fn travelling_back_over_midnight_takes_nothing_from_the_streak() {
    let mut world = World::daily("2026-11-16");
    world.travel(user_time("Asia/Shanghai", 0, 1));
    world.at("2026-11-16T10:00:00Z").check_in().unwrap();
    world.at("2026-11-16T17:00:00Z").check_in().unwrap();
    assert_eq!(world.streaks(), (2, 2));
    world
        .at("2026-11-16T18:00:00Z")
        .travel(user_time("America/New_York", 0, 1));
    assert_eq!(world.today(), date("2026-11-16"));
    assert_eq!(world.streaks(), (2, 2));
}

#[test]
fn ten_years_leave_a_state_as_small_as_half_a_year() {
    let mut world = World::daily("2016-01-01");
    world.at("2016-01-01T12:00:00Z");
    let mut facts = Vec::new();
    let mut size_of_half_a_year = 0;
    for day in 0..3650 {
        let check_in = world
            .state
            .accept_check_in(
                world.rules(),
                &world.policy,
                &rules::NewCheckIn::default(),
                world.now,
            )
            .unwrap();
        let fact = rules::Fact {
            id: world.next_id(),
            at: world.now,
            what: rules::What::CheckIn(check_in),
        };
        let rules = rules::Rules::new(&world.habit, &world.user);
        world.state.apply(rules, &fact, world.now).unwrap();
        facts.push(fact);
        world.now += jiff::SignedDuration::from_hours(24);
        let size = serde_json::to_string(&world.state).unwrap().len();
        if day == 182 {
            size_of_half_a_year = size;
        }
        assert!(size <= 6_000, "{size}");
    }
    assert!(size_of_half_a_year > 0);
    let stats = world.state.stats(world.rules(), world.now).unwrap();
    assert_eq!((stats.current_streak, stats.total_check_ins), (3650, 3650));
    same(&stats, &rules::stats(world.rules(), &facts, world.now));
}

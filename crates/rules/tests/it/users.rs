//! The streak of a user over all habits.

use jiff::{SignedDuration, Timestamp};
use rules::{Fact, HabitRules, HabitState, Rules, Schedule, UserState, UserStreaks, UserTotals};

use crate::world::{World, date};

/// The user of the first world, with the habits of all.
fn streaks(worlds: &[&World], now: Timestamp) -> (u32, u32) {
    let user = &worlds[0].user;
    let facts: Vec<(&HabitRules, &[Fact])> = worlds
        .iter()
        .map(|world| (&world.habit, world.facts.as_slice()))
        .collect();
    let states: Vec<HabitState> = worlds
        .iter()
        .map(|world| HabitState::rebuild(Rules::new(&world.habit, user), &world.facts, now))
        .collect();
    let habits: Vec<(&HabitRules, &HabitState)> =
        worlds.iter().map(|world| &world.habit).zip(&states).collect();
    let UserStreaks {
        current_streak,
        longest_streak,
        ..
    } = UserState::rebuild(user, &facts, now)
        .view(user, &habits, now)
        .unwrap();
    (current_streak, longest_streak)
}

#[test]
fn one_completed_habit_makes_the_day() {
    let mut reading = World::daily("2026-11-16");
    let mut running = World::daily("2026-11-16");
    reading.check_in().unwrap();
    running.on("2026-11-17").check_in().unwrap();
    let now = running.on("2026-11-18").now;
    assert_eq!(streaks(&[&reading, &running], now), (2, 2));
    let now = running.on("2026-11-19").now;
    assert_eq!(streaks(&[&reading, &running], now), (0, 2));
}

#[test]
fn a_day_on_which_nothing_was_due_does_not_break() {
    let mut mondays = World::new("2026-11-16", Schedule::WeeklyDays { days: vec![1] }, None);
    let weekly = World::new("2026-11-16", Schedule::WeeklyTimes { times: 7 }, None);
    mondays.check_in().unwrap();
    mondays.on("2026-11-23").check_in().unwrap();
    assert_eq!(streaks(&[&mondays, &weekly], mondays.now), (2, 2));
    // An extra day counts as well.
    mondays.on("2026-11-25").check_in().unwrap();
    assert_eq!(streaks(&[&mondays, &weekly], mondays.now), (3, 3));
}

#[test]
fn skipped_paused_and_frozen_days_do_not_break() {
    let mut world = World::daily("2026-11-16");
    world.check_in().unwrap();
    world.on("2026-11-17").skip(None).unwrap();
    world.on("2026-11-18").buy_freeze().unwrap();
    world.on("2026-11-19").pause(None, Some("2026-11-19")).unwrap();
    world.on("2026-11-20").check_in().unwrap();
    assert_eq!(streaks(&[&world], world.now), (2, 2));
}

#[test]
fn the_stored_part_moves_on_and_says_the_same() {
    let mut world = World::daily("2025-01-01");
    let mut user_state = UserState::default();
    for day in 0..300 {
        if day % 50 != 49 {
            world.check_in().unwrap();
        }
        world.now += SignedDuration::from_hours(24);
        if day % 10 == 0 {
            let habits = [(&world.habit, &world.state)];
            user_state.advance(&world.user, &habits, world.now).unwrap();
        }
    }
    let habits = [(&world.habit, &world.state)];
    let view = user_state.view(&world.user, &habits, world.now).unwrap();
    assert_eq!(
        (view.current_streak, view.longest_streak),
        streaks(&[&world], world.now)
    );
    assert_eq!((view.current_streak, view.longest_streak), (0, 49));
    assert!(!view.completed_today);
    assert!(user_state.touched(date("2025-03-01")).is_err());
    assert!(user_state.touched(world.today()).is_ok());
}

#[test]
fn a_user_without_habits_has_no_streak() {
    let world = World::daily("2026-11-16");
    let view = UserState::default().view(&world.user, &[], world.now).unwrap();
    assert_eq!(
        (view.current_streak, view.longest_streak, view.completed_today),
        (0, 0, false)
    );
}

#[test]
fn totals_weigh_every_unit_the_same() {
    let mut reading = World::daily("2026-11-16");
    reading.check_in().unwrap();
    reading.on("2026-11-19");
    let mut running = World::daily("2026-11-16");
    running.check_in().unwrap();
    let totals = UserTotals::of([&reading.stats(), &running.stats()]);
    assert_eq!((totals.total_check_ins, totals.completion_rate), (2, 0.5));
}

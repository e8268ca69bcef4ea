//! Skips, pauses, the archive, freezes and makeups.

use rules::DayStatus::{Done, Due, Frozen, MadeUp, Missed, Paused, Skipped};
use rules::{Pause, Reason, Refused};

use crate::world::{World, at_least, at_most, date};

#[test]
fn skipped_and_paused_days_neither_break_nor_lengthen_a_streak() {
    let mut world = World::daily("2026-11-16");
    world.check_in().unwrap();
    let skip = world.on("2026-11-17").skip(None).unwrap();
    let pause = world.on("2026-11-18").pause(None, None).unwrap();
    world.on("2026-11-20").resume().unwrap();
    world.check_in().unwrap();
    assert_eq!(
        world.statuses("2026-11-16", "2026-11-20"),
        [Done, Skipped, Paused, Paused, Done]
    );
    assert_eq!(world.day("2026-11-17").fact, Some(skip));
    assert_eq!(world.day("2026-11-19").fact, Some(pause));
    let stats = world.stats();
    assert_eq!((stats.current_streak, stats.completion_rate), (2, 1.0));
}

#[test]
fn what_was_done_beats_what_excuses() {
    let mut world = World::daily("2026-11-16");
    world.skip(None).unwrap();
    world.pause(None, None).unwrap();
    assert_eq!(world.status("2026-11-16"), Skipped);
    let id = world.check_in().unwrap();
    assert_eq!(world.status("2026-11-16"), Done);
    world.undo(id).unwrap();
    assert_eq!(world.status("2026-11-16"), Skipped);
}

#[test]
fn a_paused_day_without_entries_keeps_no_at_most_goal() {
    let mut world = World::new("2026-11-16", rules::Schedule::Daily, at_most(3.0));
    world.pause(None, Some("2026-11-16")).unwrap();
    world.on("2026-11-18");
    assert_eq!(world.statuses("2026-11-16", "2026-11-17"), [Paused, Done]);
}

#[test]
fn a_pause_of_all_habits_and_the_archive_are_pauses() {
    let mut world = World::daily("2026-11-16");
    let pause = Pause {
        id: world.next_id(),
        from: date("2026-11-17"),
        to: Some(date("2026-11-18")),
    };
    world.user.pauses.push(pause.clone());
    let archive = Pause {
        id: world.next_id(),
        from: date("2026-11-19"),
        to: None,
    };
    world.habit.archives.push(archive.clone());
    world.user.version += 1;
    world.rules_changed();
    world.on("2027-02-01");
    let day = world.day("2026-11-18");
    assert_eq!(
        (day.status, day.reason, day.fact),
        (Paused, Reason::AllPaused, Some(pause.id))
    );
    let day = world.day("2027-01-31");
    assert_eq!(
        (day.status, day.reason, day.fact),
        (Paused, Reason::Archived, Some(archive.id))
    );
    assert_eq!(world.stats().counted_units, 1);
    assert_eq!(world.check_in(), Err(Refused::HabitArchived));
}

#[test]
fn a_freeze_is_spent_by_the_first_missed_day_after_it_was_bought() {
    let mut world = World::daily("2026-11-16");
    world.check_in().unwrap();
    world.on("2026-11-18");
    assert_eq!(world.status("2026-11-17"), Missed);
    world.check_in().unwrap();
    let first = world.buy_freeze().unwrap();
    let second = world.buy_freeze().unwrap();
    assert_eq!(world.buy_freeze(), Err(Refused::FreezeLimit));
    world.on("2026-11-23");
    // The day missed before the purchase stays missed; of the days after it two are covered.
    assert_eq!(
        world.statuses("2026-11-16", "2026-11-23"),
        [Done, Missed, Done, Frozen, Frozen, Missed, Missed, Due]
    );
    assert_eq!(world.day("2026-11-19").fact, Some(first));
    assert_eq!(world.day("2026-11-20").fact, Some(second));
    let stats = world.stats();
    assert_eq!((stats.freezes_held, stats.counted_units), (0, 5));
}

#[test]
fn a_freeze_keeps_the_streak_and_a_makeup_gives_the_freeze_back() {
    let mut world = World::daily("2026-11-16");
    world.check_in().unwrap();
    let freeze = world.buy_freeze().unwrap();
    world.on("2026-11-18").check_in().unwrap();
    assert_eq!(world.streaks(), (2, 2));
    assert_eq!(world.undo(freeze), Err(Refused::FreezeSpent));
    world.check_in_for("2026-11-17").unwrap();
    assert_eq!(world.status("2026-11-17"), MadeUp);
    assert_eq!((world.streaks(), world.stats().freezes_held), ((3, 3), 1));
    world.undo(freeze).unwrap();
    assert_eq!(world.stats().freezes_held, 0);
}

#[test]
fn a_freeze_also_covers_a_day_that_was_only_begun() {
    let mut world = World::new("2026-11-16", rules::Schedule::Daily, at_least(10.0));
    world.enter(9.0).unwrap();
    world.buy_freeze().unwrap();
    world.on("2026-11-17");
    assert_eq!(world.status("2026-11-16"), Frozen);
}

#[test]
fn a_makeup_counts_for_the_streak_and_is_recorded_as_one() {
    let mut world = World::daily("2026-11-16");
    world.on("2026-11-17").check_in().unwrap();
    let before = world.state.clone();
    let preview = before
        .preview_makeup(
            world.rules(),
            &world.policy,
            &rules::NewCheckIn {
                date: Some(date("2026-11-16")),
                ..Default::default()
            },
            world.now,
        )
        .unwrap();
    assert_eq!(before, world.state);
    world.check_in_for("2026-11-16").unwrap();
    assert_eq!(world.status("2026-11-16"), MadeUp);
    assert_eq!((preview.before.current_streak, preview.after), (1, world.stats()));
    assert_eq!(preview.days.len(), 1);
    let view = world.state.view(world.rules(), &world.policy, world.now).unwrap();
    assert_eq!((view.makeups_used, view.makeups_left), (1, 2));
}

#[test]
fn a_freeze_that_is_held_for_long_can_still_be_taken_back() {
    let mut world = World::new("2026-01-01", rules::Schedule::WeeklyTimes { times: 1 }, None);
    let freeze = world.buy_freeze().unwrap();
    for _ in 0..20 {
        world.check_in().unwrap();
        world.now += jiff::SignedDuration::from_hours(7 * 24);
    }
    world.rebuild();
    assert!(world.state.window_begin() > Some(date("2026-01-01")));
    world.undo(freeze).unwrap();
    assert_eq!((world.stats().freezes_held, world.rebuilds), (0, 1));
}

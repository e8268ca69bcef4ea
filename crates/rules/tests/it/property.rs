//! Whatever happens in whatever order: the stored state and the full fold agree, and the figures make sense.

use jiff::{SignedDuration, Span};
use proptest::prelude::*;
use rules::{
    Amount, CheckInPolicy, DayResult, Fact, Goal, GoalDirection, GoalKind, HabitState, NewCheckIn, Pause,
    Rules, Schedule, Stop, UserState, What,
};

use crate::world::{World, at_least, at_most, date, same, user_time};

#[derive(Debug, Clone)]
enum Step {
    CheckIn {
        back: i64,
        count: Option<u8>,
    },
    Import {
        back: i64,
    },
    Undo {
        which: usize,
    },
    Amend {
        which: usize,
        count: u8,
    },
    Skip {
        ahead: i64,
    },
    Pause {
        ahead: i64,
        days: Option<i64>,
    },
    Resume,
    PauseAll {
        days: i64,
    },
    Archive,
    Freeze,
    Edit {
        schedule: Schedule,
        goal: Option<Goal>,
        ahead: i64,
    },
    End {
        ahead: Option<i64>,
    },
    Travel {
        zone: usize,
        day_start: i64,
        week_start: i64,
    },
    Hours {
        hours: i64,
    },
    Days {
        days: i64,
        done: bool,
    },
    Store,
    Rebuild,
}

const ZONES: [&str; 6] = [
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Pacific/Pago_Pago",
    "Pacific/Kiritimati",
    "UTC",
];

fn schedules() -> impl Strategy<Value = Schedule> {
    let days = || prop::sample::subsequence(vec![1, 2, 3, 4, 5, 6, 7], 1..=7);
    let anchor = || (0..40_i64).prop_map(|days| date("2026-01-01") + Span::new().days(days));
    prop_oneof![
        3 => Just(Schedule::Daily),
        1 => days().prop_map(|days| Schedule::WeeklyDays { days }),
        2 => (1..=7_u8).prop_map(|times| Schedule::WeeklyTimes { times }),
        2 => (1..=28_u8).prop_map(|times| Schedule::MonthlyTimes { times }),
        1 => (1..=10_u16, anchor()).prop_map(|(interval, anchor)| Schedule::EveryDays { interval, anchor }),
        1 => (days(), 1..=3_u16, anchor()).prop_map(|(days, interval, anchor)| Schedule::EveryWeeksDays {
            days,
            interval,
            anchor
        }),
    ]
}

fn goals() -> impl Strategy<Value = Option<Goal>> {
    prop_oneof![
        3 => Just(None),
        2 => (1..5_u8).prop_map(|count| at_least(count.into())),
        1 => (0..3_u8).prop_map(|count| at_most(count.into())),
        1 => Just(Some(Goal::new(GoalKind::Duration, 1.0, "h", GoalDirection::AtLeast).unwrap())),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (prop_oneof![2 => Just(0_i64), 1 => 0..9_i64], prop::option::of(0..4_u8))
            .prop_map(|(back, count)| Step::CheckIn { back, count }),
        2 => (0..200_i64).prop_map(|back| Step::Import { back }),
        2 => any::<prop::sample::Index>().prop_map(|index| Step::Undo { which: index.index(1000) }),
        1 => (any::<prop::sample::Index>(), 0..6_u8)
            .prop_map(|(index, count)| Step::Amend { which: index.index(1000), count }),
        2 => (0..5_i64).prop_map(|ahead| Step::Skip { ahead }),
        1 => (0..5_i64, prop::option::of(0..20_i64)).prop_map(|(ahead, days)| Step::Pause { ahead, days }),
        1 => Just(Step::Resume),
        1 => (0..10_i64).prop_map(|days| Step::PauseAll { days }),
        1 => Just(Step::Archive),
        2 => Just(Step::Freeze),
        2 => (schedules(), goals(), prop_oneof![2 => Just(0_i64), 1 => 0..20_i64])
            .prop_map(|(schedule, goal, ahead)| Step::Edit { schedule, goal, ahead }),
        1 => prop::option::of(0..40_i64).prop_map(|ahead| Step::End { ahead }),
        2 => (0..ZONES.len(), prop_oneof![Just(0_i64), 0..1440_i64], 1..=7_i64)
            .prop_map(|(zone, day_start, week_start)| Step::Travel { zone, day_start, week_start }),
        6 => (-30..60_i64).prop_map(|hours| Step::Hours { hours }),
        4 => (1..50_i64, any::<bool>()).prop_map(|(days, done)| Step::Days { days, done }),
        1 => Just(Step::Store),
        1 => Just(Step::Rebuild),
    ]
}

/// Accepted, or refused for a reason; where the state cannot tell, one that can is made.
fn ask<T>(world: &mut World, ask: impl Fn(&World) -> Result<T, Stop>) -> Option<T> {
    match ask(world) {
        Ok(answer) => Some(answer),
        Err(Stop::Refused(_)) => None,
        Err(Stop::NeedsRebuild(_)) => {
            let rules = Rules::new(&world.habit, &world.user);
            world.state = HabitState::unfolded(rules, &world.facts);
            match ask(world) {
                Ok(answer) => Some(answer),
                Err(Stop::Refused(_)) => None,
                // Only a fact that is undone already, or of another kind, is not in the whole book.
                Err(Stop::NeedsRebuild(_)) => None,
            }
        }
    }
}

fn take(world: &mut World, step: &Step) {
    let today = world.today();
    let ahead = |days: i64| today + Span::new().days(days);
    match step.clone() {
        Step::CheckIn { back, count } => {
            let new = NewCheckIn {
                date: Some(ahead(-back)),
                count: count.map(|count| Amount::whole(count.into())),
                minutes: count.map(|count| Amount::whole(u32::from(count) * 25)),
            };
            let check_in = ask(world, |w| {
                w.state.accept_check_in(w.rules(), &w.policy, &new, w.now)
            });
            if let Some(check_in) = check_in {
                world.record(What::CheckIn(check_in));
            }
        }
        Step::Import { back } => {
            let new = NewCheckIn {
                date: Some(ahead(-back)),
                ..NewCheckIn::default()
            };
            if let Ok(check_in) = rules::accept_import(world.rules(), &new, world.now) {
                world.record(What::CheckIn(check_in));
            }
        }
        Step::Undo { which } => {
            let Some(of) = pick(world, which) else { return };
            if let Some(what) = ask(world, |w| w.state.accept_undo(w.rules(), of, w.now)) {
                world.record(what);
            }
        }
        Step::Amend { which, count } => {
            let Some(of) = pick(world, which) else { return };
            let count = Some(Amount::whole(count.into()));
            let amend = |w: &World| w.state.accept_amend(w.rules(), &w.policy, of, count, None, w.now);
            if let Some(what) = ask(world, amend) {
                world.record(what);
            }
        }
        Step::Skip { ahead: days } => {
            let day = Some(ahead(days));
            if let Some(what) = ask(world, |w| w.state.accept_skip(w.rules(), day, w.now)) {
                world.record(what);
            }
        }
        Step::Pause { ahead: begin, days } => {
            let (from, to) = (ahead(begin), days.map(|days| ahead(begin + days)));
            let pause = |w: &World| w.state.accept_pause(w.rules(), Some(from), to, w.now);
            if let Some(what) = ask(world, pause) {
                world.record(what);
            }
        }
        Step::Resume => {
            if let Some(what) = ask(world, |w| w.state.accept_resume(w.rules(), w.now)) {
                world.record(what);
            }
        }
        Step::Freeze => {
            if let Some(what) = ask(world, |w| w.state.accept_freeze(w.rules(), w.now)) {
                world.record(what);
            }
        }
        other => take_rules_or_time(world, &other),
    }
}

fn take_rules_or_time(world: &mut World, step: &Step) {
    let today = world.today();
    let ahead = |days: i64| today + Span::new().days(days);
    match step.clone() {
        Step::PauseAll { days } => {
            let id = world.next_id();
            world.user.pauses.push(Pause {
                id,
                from: today,
                to: Some(ahead(days)),
            });
            world.user.version += 1;
            world.rules_changed();
        }
        Step::Archive => {
            match world.habit.archives.last_mut().filter(|pause| pause.to.is_none()) {
                Some(open) => open.to = Some(ahead(-1)),
                None => {
                    let id = world.next_id();
                    world.habit.archives.push(Pause {
                        id,
                        from: today,
                        to: None,
                    });
                }
            }
            world.habit.version += 1;
            world.rules_changed();
        }
        Step::Edit {
            schedule,
            goal,
            ahead: days,
        } => {
            // At most of a period is refused, and changes nothing.
            let _ = world.habit.edit(Some(ahead(days)), schedule, goal, today);
            world.habit.version += 1;
            world.rules_changed();
        }
        Step::End { ahead: days } => {
            world.habit.end = days.map(ahead).map(|end| end.max(world.habit.start));
            world.habit.version += 1;
            world.rules_changed();
        }
        Step::Travel {
            zone,
            day_start,
            week_start,
        } => world.travel(user_time(ZONES[zone], day_start, week_start)),
        Step::Hours { hours } => world.now += SignedDuration::from_hours(hours),
        Step::Days { days, done } => live(world, days, done),
        Step::Store => {
            let text = serde_json::to_string(&world.state).unwrap();
            world.state = serde_json::from_str(&text).unwrap();
        }
        Step::Rebuild => world.rebuild(),
        _ => {}
    }
}

/// Lets days go by; with check-ins it makes a window that is worth folding.
fn live(world: &mut World, days: i64, done: bool) {
    world.careful = false;
    for _ in 0..days {
        world.now += SignedDuration::from_hours(24);
        if done {
            let count = Some(4);
            take(world, &Step::CheckIn { back: 0, count });
        }
    }
    world.careful = true;
}

fn pick(world: &World, which: usize) -> Option<rules::FactId> {
    let facts: Vec<&Fact> = world
        .facts
        .iter()
        .filter(|fact| {
            !matches!(
                fact.what,
                What::Undo { .. } | What::Amend { .. } | What::Resume { .. }
            )
        })
        .collect();
    // Mostly recent ones.
    let back = which % facts.len().clamp(1, 20);
    facts.iter().rev().nth(back).map(|fact| fact.id)
}

/// The streaks and the rate, counted once more from the explained days.
fn recount(days: &[DayResult]) -> (u32, u32, u32, u32) {
    let (mut run, mut longest, mut done, mut counted) = (0, 0, 0, 0);
    for day in days {
        let status = match day.unit {
            Some(unit) if unit.to == day.date => unit.status,
            Some(_) => continue,
            None => day.status,
        };
        if status.is_done() {
            run += 1;
            longest = run.max(longest);
            done += 1;
            counted += 1;
        } else if status.is_failed() {
            run = 0;
            counted += 1;
        }
    }
    (run, longest, done, counted)
}

fn hold(world: &World) {
    world.agree();
    let rules = world.rules();
    let stats = rules::stats(rules, &world.facts, world.now);
    let rebuilt = HabitState::rebuild(rules, &world.facts, world.now);
    same(&rebuilt.stats(rules, world.now).unwrap(), &stats);
    assert!((0.0..=1.0).contains(&stats.completion_rate), "{stats:?}");
    assert!((0.0..=1.0).contains(&stats.score), "{stats:?}");
    assert!(stats.longest_streak >= stats.current_streak, "{stats:?}");

    let mut reversed = world.facts.clone();
    reversed.reverse();
    assert_eq!(
        rules::stats(rules, &reversed, world.now),
        stats,
        "the order of facts"
    );

    let range = date("2025-06-01")..=world.today() + Span::new().days(40);
    let days = rules::evaluate(rules, &world.facts, range.clone(), world.now);
    assert_eq!(
        days,
        rules::evaluate(rules, &world.facts, range.clone(), world.now)
    );
    let dates = range.start().series(Span::new().days(1));
    assert!(days.iter().map(|day| day.date).eq(dates.take(days.len())));
    assert_eq!(days.last().map(|day| day.date), Some(*range.end()));
    let counted = (
        stats.current_streak,
        stats.longest_streak,
        stats.done_units,
        stats.counted_units,
    );
    assert_eq!(recount(&days), counted);
    let (first_open, today) = (world.user.times.today(world.now).first_open, world.today());
    for day in &days {
        let over = day.status.is_failed() || day.status == rules::DayStatus::Frozen;
        assert!(!over || day.date < first_open, "{day:?}");
        assert!(
            day.status != rules::DayStatus::Due || day.date >= first_open,
            "{day:?}"
        );
        assert!((0.0..=1.0).contains(&day.fraction), "{day:?}");
    }
    assert!(first_open <= today && (today - first_open).get_days() <= 3);
}

fn worlds(schedule: Schedule, goal: Option<Goal>) -> World {
    // At most of a period is refused.
    let goal = goal.filter(|goal| rules::validate(&schedule, Some(goal)).is_empty());
    let mut world = World::new("2026-01-10", schedule, goal);
    world.policy = CheckInPolicy {
        makeup_quota: 5,
        ..CheckInPolicy::default()
    };
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_stored_state_agrees_with_the_full_fold(
        schedule in schedules(),
        goal in goals(),
        steps in prop::collection::vec(steps(), 1..40),
    ) {
        let mut world = worlds(schedule, goal);
        for step in &steps {
            take(&mut world, step);
            hold(&world);
        }
    }

    #[test]
    fn the_streak_of_a_user_agrees_with_its_full_fold(
        schedule in schedules(),
        steps in prop::collection::vec((0..2_usize, steps()), 1..30),
    ) {
        let mut worlds = [World::daily("2026-01-10"), worlds(schedule, None)];
        let mut state = UserState::default();
        for (which, step) in &steps {
            // Both habits have one owner and one clock.
            let (user, now) = (worlds[1 - which].user.clone(), worlds[1 - which].now);
            let world = &mut worlds[*which];
            world.now = now;
            world.user = user;
            world.rules_changed();
            world.since = None;
            let rules_before = world.habit.clone();
            take(world, step);
            let (user, now) = (world.user.clone(), world.now);
            let other = &mut worlds[1 - which];
            other.user = user.clone();
            other.now = now;
            other.rules_changed();
            for world in &mut worlds {
                if world.state.stats(Rules::new(&world.habit, &user), now).is_err() {
                    world.rebuild();
                }
            }
            let facts: Vec<_> = worlds.iter().map(|w| (&w.habit, w.facts.as_slice())).collect();
            let states: Vec<_> = worlds.iter().map(|w| (&w.habit, &w.state)).collect();
            let rebuilt = UserState::rebuild(&user, &facts, now);
            let since = worlds[*which].since;
            // Of the rules a cleared end can be old; what it touches is not followed here.
            let old = worlds[*which].habit != rules_before
                || since.is_some_and(|since| state.touched(since).is_err());
            if old {
                state = rebuilt.clone();
            }
            let expected = rebuilt.view(&user, &states, now);
            // From the habits' latest days as well, as far as they reach.
            let latest: Option<Vec<_>> = worlds
                .iter()
                .map(|w| {
                    let rules = Rules::new(&w.habit, &user);
                    w.state.outlook(rules, &CheckInPolicy::default(), state.first_day(), now).ok()
                })
                .collect();
            if let Some(latest) = latest {
                let days: Vec<_> = latest.iter().map(|outlook| outlook.days.as_slice()).collect();
                let (view, ahead) = state.view_days(&user, &days, now).unwrap();
                prop_assert_eq!(&Ok(view), &expected);
                let mut advanced = state.clone();
                if advanced.advance(&user, &states, now) == Ok(true) {
                    prop_assert_eq!(ahead, Some(advanced));
                }
            }
            match state.view(&user, &states, now) {
                Ok(view) => prop_assert_eq!(Ok(view), expected),
                Err(_) => state = rebuilt,
            }
            let _ = state.advance(&user, &states, now);
        }
    }
}

//! What is refused, and with which code.

use rules::{CheckInPolicy, HabitRules, NewCheckIn, Provenance, Refused, Schedule, What};

use crate::world::{World, at_least, date, refused, user_time};

#[test]
fn a_second_check_in_is_refused_for_a_habit_without_goal() {
    let mut world = World::daily("2026-11-16");
    let first = world.check_in().unwrap();
    assert_eq!(
        world.check_in(),
        Err(Refused::AlreadyCheckedIn { existing: first })
    );
    world.undo(first).unwrap();
    world.check_in().unwrap();
}

#[test]
fn a_habit_with_a_goal_takes_many_check_ins_but_not_without_end() {
    let mut world = World::new("2026-11-16", Schedule::Daily, at_least(1000.0));
    for _ in 0..rules::CHECK_INS_A_DAY_MAX {
        let new = NewCheckIn::default();
        let check_in = world
            .state
            .accept_check_in(world.rules(), &world.policy, &new, world.now)
            .unwrap();
        let fact = rules::Fact {
            id: world.next_id(),
            at: world.now,
            what: What::CheckIn(check_in),
        };
        let rules = rules::Rules::new(&world.habit, &world.user);
        world.state.apply(rules, &fact, world.now).unwrap();
    }
    assert_eq!(world.check_in(), Err(Refused::TooManyCheckIns));
}

#[test]
fn the_future_is_refused_by_the_users_own_date() {
    let mut world = World::daily("2026-11-16");
    world.travel(user_time("Asia/Shanghai", 240, 1));
    // 03:59 on the 17th in Shanghai is still the 16th for somebody whose day starts at four.
    world.at("2026-11-16T19:59:00Z");
    let today = date("2026-11-16");
    assert_eq!(
        world.check_in_for("2026-11-17"),
        Err(Refused::FutureDate { today })
    );
    world
        .at("2026-11-16T20:00:00Z")
        .check_in_for("2026-11-17")
        .unwrap();
}

#[test]
fn makeups_are_limited_by_window_and_quota() {
    let mut world = World::daily("2026-11-01");
    world.on("2026-11-20");
    let oldest = date("2026-11-13");
    assert_eq!(
        world.check_in_for("2026-11-12"),
        Err(Refused::OutsideMakeupWindow { oldest })
    );
    for day in ["2026-11-13", "2026-11-15", "2026-11-19"] {
        world.check_in_for(day).unwrap();
    }
    assert_eq!(
        world.check_in_for("2026-11-18"),
        Err(Refused::MakeupQuotaSpent { quota: 3 })
    );
    // An undone makeup frees its place.
    let last = world.facts.last().unwrap().id;
    world.undo(last).unwrap();
    world.check_in_for("2026-11-18").unwrap();
    assert_eq!(
        world.check_in_for("2026-11-19"),
        Err(Refused::MakeupQuotaSpent { quota: 3 })
    );
}

#[test]
fn the_quota_is_one_of_the_month_that_is_made_up() {
    let mut world = World::daily("2026-10-01");
    world.on("2026-11-04");
    for day in ["2026-10-29", "2026-10-30", "2026-10-31"] {
        world.check_in_for(day).unwrap();
    }
    assert_eq!(
        world.check_in_for("2026-10-28"),
        Err(Refused::MakeupQuotaSpent { quota: 3 })
    );
    world.check_in_for("2026-11-01").unwrap();
}

#[test]
fn more_for_a_date_that_is_being_made_up_costs_no_second_makeup() {
    let mut world = World::new("2026-11-01", Schedule::Daily, at_least(10.0));
    world.policy.makeup_quota = 1;
    world.on("2026-11-04");
    world.check_in_for("2026-11-03").unwrap();
    world.check_in_for("2026-11-03").unwrap();
    assert_eq!(
        world.check_in_for("2026-11-02"),
        Err(Refused::MakeupQuotaSpent { quota: 1 })
    );
}

#[test]
fn late_entries_are_free_where_the_deployment_allows_them() {
    let mut world = World::daily("2026-11-01");
    world.policy = CheckInPolicy {
        allow_late: true,
        ..CheckInPolicy::default()
    };
    world.on("2026-11-08");
    for day in 1..=7 {
        world.check_in_for(&format!("2026-11-0{day}")).unwrap();
    }
    let late = world
        .facts
        .iter()
        .filter(|fact| matches!(&fact.what, What::CheckIn(c) if c.provenance == Provenance::Late));
    assert_eq!(late.count(), 7);
    assert_eq!(world.status("2026-11-01"), rules::DayStatus::Done);
    let oldest = date("2026-11-01");
    assert_eq!(
        world.check_in_for("2026-10-31"),
        Err(Refused::OutsideMakeupWindow { oldest })
    );
}

#[test]
fn a_date_that_is_past_but_still_open_after_a_flight_is_on_time() {
    let mut world = World::daily("2026-11-16");
    world.travel(user_time("Pacific/Honolulu", 0, 1));
    world
        .at("2026-11-17T02:00:00Z")
        .travel(user_time("Asia/Tokyo", 0, 1));
    assert_eq!(world.today(), date("2026-11-17"));
    // In Honolulu it is still the 16th.
    world.check_in_for("2026-11-16").unwrap();
    let What::CheckIn(check_in) = &world.facts[0].what else {
        panic!("a check-in")
    };
    assert_eq!(check_in.provenance, Provenance::OnTime);
}

#[test]
fn closed_days_cannot_be_excused_or_raised_afterwards() {
    let mut world = World::new("2026-11-16", Schedule::Daily, at_least(2.0));
    let id = world.enter(1.0).unwrap();
    world.on("2026-11-17");
    let first_open = date("2026-11-17");
    assert_eq!(
        world.skip(Some("2026-11-16")),
        Err(Refused::DayClosed { first_open })
    );
    assert_eq!(
        world.pause(Some("2026-11-16"), None),
        Err(Refused::DayClosed { first_open })
    );
    let amend = |count: f64| {
        let count = rules::Amount::new(count);
        refused(
            world
                .state
                .accept_amend(world.rules(), &world.policy, id, count, None, world.now),
        )
    };
    assert_eq!(amend(2.0), Err(Refused::DayClosed { first_open }));
    assert!(amend(0.5).is_ok());
}

#[test]
fn skips_and_pauses_need_something_to_excuse() {
    let mut world = World::new("2026-11-16", Schedule::WeeklyDays { days: vec![1, 2] }, None);
    world.check_in().unwrap();
    assert_eq!(world.skip(None), Err(Refused::AlreadyDone));
    assert_eq!(world.skip(Some("2026-11-18")), Err(Refused::NotDue));
    world.skip(Some("2026-11-17")).unwrap();
    assert_eq!(world.skip(Some("2026-11-17")), Err(Refused::AlreadySkipped));
    assert!(matches!(
        world.skip(Some("2028-11-21")),
        Err(Refused::TooFarAhead { .. })
    ));
    assert_eq!(world.resume(), Err(Refused::NotPaused));
    assert_eq!(
        world.pause(Some("2026-11-20"), Some("2026-11-19")),
        Err(Refused::EndBeforeStart)
    );
    world.pause(Some("2026-11-20"), Some("2026-11-22")).unwrap();
    assert_eq!(world.pause(None, None), Err(Refused::AlreadyPaused));
    world.pause(Some("2026-11-23"), None).unwrap();
}

#[test]
fn an_ended_habit_takes_no_check_in_after_its_end() {
    let mut world = World::daily("2026-11-16");
    let end = date("2026-11-17");
    world.habit = HabitRules::new(2, date("2026-11-16"), Some(end), Schedule::Daily, None).unwrap();
    world.rules_changed();
    world.on("2026-11-18");
    assert_eq!(world.check_in(), Err(Refused::HabitEnded { end }));
    assert_eq!(world.buy_freeze(), Err(Refused::HabitEnded { end }));
    world.check_in_for("2026-11-17").unwrap();
}

#[test]
fn a_date_that_never_was_is_refused() {
    let mut world = World::daily("2011-12-28");
    world.travel(user_time("Pacific/Apia", 0, 1));
    world.at("2011-12-30T12:00:00Z");
    assert_eq!(world.today(), date("2011-12-31"));
    assert_eq!(world.check_in_for("2011-12-30"), Err(Refused::NoSuchDate));
    assert_eq!(world.check_in_for("1969-12-31"), Err(Refused::DateOutOfRange));
}

#[test]
fn a_refusal_becomes_bad_input_or_a_conflict() {
    let refusal = Refused::NoSuchDate.refusal(&["input".into()]);
    assert_eq!(refusal.to_string(), "BAD_USER_INPUT NO_SUCH_DATE.input.date");
    let refusal = Refused::FreezeLimit.refusal(&[]);
    assert_eq!(refusal.to_string(), "CONFLICT FREEZE_LIMIT");
}

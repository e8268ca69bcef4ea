//! Changes of the time zone, there and back: nobody gains a day by them, and nobody loses a streak.

use rules::DayStatus::{Done, Due};
use rules::Refused;

use crate::world::{World, date, user_time};

/// Somebody in Shanghai who has done the last three days, at 23:00 of the third.
fn three_days_in_shanghai() -> World {
    let mut world = World::daily("2026-11-20");
    world
        .at("2026-11-20T00:00:00Z")
        .travel(user_time("Asia/Shanghai", 0, 1));
    for day in ["20", "21", "22"] {
        world.at(&format!("2026-11-{day}T15:00:00Z")).check_in().unwrap();
    }
    assert_eq!(world.streaks(), (3, 3));
    world
}

/// The date is done already.
fn refuses(world: &mut World) {
    let refused = world.check_in();
    assert!(
        matches!(refused, Err(Refused::AlreadyCheckedIn { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_flight_into_tomorrow_and_back_gives_no_second_day() {
    let mut world = three_days_in_shanghai();
    world.travel(user_time("Pacific/Kiritimati", 0, 1));
    assert_eq!(world.today(), date("2026-11-23"));
    world.check_in().unwrap();
    refuses(&mut world);
    assert_eq!(world.streaks(), (4, 4));

    // Back in Shanghai tomorrow has not come yet, and when it comes it is done already.
    world
        .at("2026-11-22T15:10:00Z")
        .travel(user_time("Asia/Shanghai", 0, 1));
    assert_eq!(world.today(), date("2026-11-22"));
    refuses(&mut world);
    // What was done stays done: travelling back takes nothing from the streak.
    assert_eq!(world.streaks(), (4, 4));
    world.at("2026-11-23T04:00:00Z");
    refuses(&mut world);
    assert_eq!(world.streaks(), (4, 4));
    assert_eq!(world.stats().total_check_ins, 4);
}

#[test]
fn a_flight_into_yesterday_and_back_gives_no_second_day() {
    let mut world = three_days_in_shanghai();
    // 01:00 of the 23rd, which is 09:00 of the 22nd in Los Angeles.
    world
        .at("2026-11-22T17:00:00Z")
        .travel(user_time("America/Los_Angeles", 0, 1));
    assert_eq!(world.today(), date("2026-11-22"));
    refuses(&mut world);
    world
        .at("2026-11-22T17:10:00Z")
        .travel(user_time("Asia/Shanghai", 0, 1));
    world.check_in().unwrap();
    refuses(&mut world);
    assert_eq!(world.streaks(), (4, 4));
}

#[test]
fn flights_there_and_back_lose_no_streak() {
    let mut world = three_days_in_shanghai();
    for (there, back, zone) in [
        ("15:10", "15:20", "Pacific/Kiritimati"),
        ("17:00", "17:10", "America/Los_Angeles"),
    ] {
        world
            .at(&format!("2026-11-22T{there}:00Z"))
            .travel(user_time(zone, 0, 1));
        assert_eq!(world.streaks(), (3, 3), "in {zone}");
        world
            .at(&format!("2026-11-22T{back}:00Z"))
            .travel(user_time("Asia/Shanghai", 0, 1));
        assert_eq!(world.streaks(), (3, 3), "back from {zone}");
    }
    assert_eq!(
        world.statuses("2026-11-20", "2026-11-23"),
        [Done, Done, Done, Due]
    );
    world.at("2026-11-23T15:00:00Z").check_in().unwrap();
    assert_eq!(world.streaks(), (4, 4));
    // The 23rd was over in Kiritimati first, and counts as over when it is in Shanghai.
    world.at("2026-11-24T04:00:00Z");
    assert_eq!(world.streaks(), (4, 4));
}

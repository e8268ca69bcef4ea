//! Logical dates, day bounds, and when a day is closed.

use rules::DayStatus::{Done, Missed, NotDue};
use rules::{Reason, UserTime, Zone, ZoneError, ZoneHistory, day_bounds, day_is_closed, logical_date};

use crate::world::{World, date, instant, user_time};

fn bounds(day: &str, time: &UserTime) -> (String, String) {
    let (start, end) = day_bounds(date(day), time);
    (start.to_string(), end.to_string())
}

#[test]
fn only_names_of_the_iana_database_are_zones() {
    for name in [
        "Asia/Shanghai",
        "UTC",
        "Etc/UTC",
        "Europe/Berlin",
        "America/Argentina/Buenos_Aires",
        "GMT0",
    ] {
        assert!(Zone::parse(name).is_ok(), "{name}");
    }
    assert_eq!(Zone::parse("asia/shanghai").unwrap().name(), "Asia/Shanghai");
    for name in [
        "+08:00",
        "-0330",
        "UTC+8",
        "UTC-03:00",
        "GMT+8",
        "Etc/GMT-8",
        "etc/gmt+5",
        "08:00",
        "\u{2212}05:00",
    ] {
        assert_eq!(Zone::parse(name), Err(ZoneError::NumericOffset), "{name}");
    }
    for name in [
        "",
        "Mars/Olympus",
        "Etc/Unknown",
        "../etc/passwd",
        &"x".repeat(1000),
    ] {
        assert_eq!(Zone::parse(name), Err(ZoneError::Unknown), "{name}");
    }
}

#[test]
fn every_issue_of_a_users_time_is_told_at_once() {
    let issues = UserTime::new("UTC+8", 1440, 0).unwrap_err();
    let found: Vec<_> = issues
        .iter()
        .map(|issue| (issue.path[0].to_string(), issue.code))
        .collect();
    assert_eq!(
        found,
        [
            ("timezone".into(), "NUMERIC_OFFSET"),
            ("dayStart".into(), "OUT_OF_RANGE"),
            ("weekStart".into(), "OUT_OF_RANGE")
        ]
    );
}

#[test]
fn the_day_start_decides_the_logical_date() {
    let shanghai = user_time("Asia/Shanghai", 240, 1);
    assert_eq!(
        logical_date(instant("2026-11-16T19:59:59.999Z"), &shanghai),
        date("2026-11-16")
    );
    assert_eq!(
        logical_date(instant("2026-11-16T20:00:00Z"), &shanghai),
        date("2026-11-17")
    );
    let late = user_time("Asia/Shanghai", 1439, 1);
    assert_eq!(
        logical_date(instant("2026-11-17T15:58:00Z"), &late),
        date("2026-11-16")
    );
}

#[test]
fn days_in_berlin_are_23_and_25_hours_long_when_clocks_change() {
    let berlin = user_time("Europe/Berlin", 0, 1);
    assert_eq!(
        bounds("2026-03-29", &berlin),
        ("2026-03-28T23:00:00Z".into(), "2026-03-29T22:00:00Z".into())
    );
    assert_eq!(
        bounds("2026-10-25", &berlin),
        ("2026-10-24T22:00:00Z".into(), "2026-10-25T23:00:00Z".into())
    );
}

#[test]
fn a_day_start_in_a_gap_is_the_first_instant_after_it_and_one_in_an_overlap_comes_twice() {
    let berlin = user_time("Europe/Berlin", 150, 1);
    // 02:30 does not exist on 2026-03-29: the day starts at 03:00 local, 01:00 UTC.
    assert_eq!(
        bounds("2026-03-29", &berlin),
        ("2026-03-29T01:00:00Z".into(), "2026-03-30T00:30:00Z".into())
    );
    // 02:30 comes twice on 2026-10-25: the new day starts at the first, the old is over at the second.
    assert_eq!(bounds("2026-10-25", &berlin).0, "2026-10-25T00:30:00Z");
    assert_eq!(bounds("2026-10-24", &berlin).1, "2026-10-25T01:30:00Z");
    assert_eq!(
        logical_date(instant("2026-10-25T00:45:00Z"), &berlin),
        date("2026-10-25")
    );
    assert_eq!(
        logical_date(instant("2026-10-25T01:15:00Z"), &berlin),
        date("2026-10-24")
    );
    let history = ZoneHistory::new(berlin);
    assert!(!day_is_closed(
        date("2026-10-24"),
        instant("2026-10-25T01:29:59Z"),
        &history
    ));
    assert!(day_is_closed(
        date("2026-10-24"),
        instant("2026-10-25T01:30:00Z"),
        &history
    ));
}

#[test]
fn midnight_was_left_out_in_sao_paulo_when_summer_began() {
    // On 2018-11-04 the clocks went from 00:00 to 01:00, on 2018-02-18 from 00:00 back to 23:00.
    let sao_paulo = user_time("America/Sao_Paulo", 0, 1);
    assert_eq!(
        bounds("2018-11-04", &sao_paulo),
        ("2018-11-04T03:00:00Z".into(), "2018-11-05T02:00:00Z".into())
    );
    assert_eq!(
        bounds("2018-02-17", &sao_paulo),
        ("2018-02-17T02:00:00Z".into(), "2018-02-18T03:00:00Z".into())
    );
    assert_eq!(
        logical_date(instant("2018-02-18T02:30:00Z"), &sao_paulo),
        date("2018-02-17")
    );
    // Since 2019 there is no summer time.
    assert_eq!(bounds("2026-11-01", &sao_paulo).0, "2026-11-01T03:00:00Z");
}

#[test]
fn shanghai_has_no_summer_time_now_but_had_one() {
    let shanghai = user_time("Asia/Shanghai", 0, 1);
    assert_eq!(bounds("2026-07-01", &shanghai).0, "2026-06-30T16:00:00Z");
    assert_eq!(bounds("1988-07-01", &shanghai).0, "1988-06-30T15:00:00Z");
}

#[test]
fn apia_had_no_30th_of_december_2011_and_no_streak_breaks_there() {
    let apia = user_time("Pacific/Apia", 0, 1);
    let (start, end) = day_bounds(date("2011-12-30"), &apia);
    assert_eq!(start, end);
    assert!(!ZoneHistory::new(apia.clone()).exists(date("2011-12-30")));
    // Somebody whose day starts at four had four hours of it.
    let late = user_time("Pacific/Apia", 240, 1);
    assert_eq!(
        bounds("2011-12-30", &late),
        ("2011-12-30T10:00:00Z".into(), "2011-12-30T14:00:00Z".into())
    );

    let mut world = World::daily("2011-12-28");
    world.travel(apia);
    // Each at 23:00 UTC, 13:00 of the same date in the old offset, −10; the 31st in the new one, +14.
    for now in [
        "2011-12-28T23:00:00Z",
        "2011-12-29T23:00:00Z",
        "2011-12-30T23:00:00Z",
    ] {
        world.at(now).check_in().unwrap();
    }
    assert_eq!(
        world.statuses("2011-12-28", "2011-12-31"),
        [Done, Done, NotDue, Done]
    );
    assert_eq!(world.day("2011-12-30").reason, Reason::NoSuchDate);
    assert_eq!(world.streaks(), (3, 3));
}

#[test]
fn a_date_that_a_flight_jumped_over_is_not_missed() {
    let mut world = World::daily("2026-11-15");
    world.travel(user_time("Pacific/Pago_Pago", 0, 1));
    world.at("2026-11-17T10:30:00Z").check_in().unwrap();
    assert_eq!(world.today(), date("2026-11-16"));
    world
        .at("2026-11-17T10:45:00Z")
        .travel(user_time("Pacific/Kiritimati", 0, 1));
    assert_eq!(world.today(), date("2026-11-18"));
    world.at("2026-11-19T10:45:00Z");
    assert_eq!(
        world.statuses("2026-11-15", "2026-11-18"),
        [Missed, Done, NotDue, Missed]
    );
}

#[test]
fn a_day_closes_in_every_zone_that_the_user_had_on_it() {
    let mut history = ZoneHistory::new(user_time("America/New_York", 0, 1));
    history.change(instant("2026-11-16T20:00:00Z"), user_time("Asia/Tokyo", 0, 1));
    // 20:00 UTC is 15:00 of the 16th in New York and 05:00 of the 17th in Tokyo.
    let day = date("2026-11-16");
    assert!(!day_is_closed(day, instant("2026-11-16T20:00:00Z"), &history));
    assert!(!day_is_closed(day, instant("2026-11-17T04:59:59Z"), &history));
    assert!(day_is_closed(day, instant("2026-11-17T05:00:00Z"), &history));
    // The day after was spent in Tokyo alone.
    assert!(day_is_closed(
        date("2026-11-17"),
        instant("2026-11-17T15:00:00Z"),
        &history
    ));
}

#[test]
fn a_day_is_open_again_for_somebody_who_flew_back_into_it() {
    let mut history = ZoneHistory::new(user_time("Asia/Shanghai", 0, 1));
    let day = date("2026-11-16");
    assert!(day_is_closed(day, instant("2026-11-16T16:00:00Z"), &history));
    history.change(
        instant("2026-11-16T17:00:00Z"),
        user_time("America/Los_Angeles", 0, 1),
    );
    assert!(!day_is_closed(day, instant("2026-11-16T17:00:00Z"), &history));
    assert!(day_is_closed(day, instant("2026-11-17T08:00:00Z"), &history));
}

#[test]
fn a_stored_history_is_in_order_and_its_first_entry_holds_since_always() {
    let text = r#"[{"timezone":"UTC","dayStart":0,"weekStart":1},{"from":"2026-01-01T00:00:00Z","timezone":"Asia/Tokyo","dayStart":60,"weekStart":7}]"#;
    let history: ZoneHistory = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&history).unwrap(), text);
    for bad in [
        "[]",
        r#"[{"from":"2026-01-01T00:00:00Z","timezone":"UTC"}]"#,
        r#"[{"timezone":"UTC"},{"timezone":"UTC"}]"#,
        r#"[{"timezone":"+08:00"}]"#,
    ] {
        assert!(serde_json::from_str::<ZoneHistory>(bad).is_err(), "{bad}");
    }
}

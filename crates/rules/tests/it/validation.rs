//! Frequencies and goals as the API writes them.

use kernel::Issue;
use rules::{Frequency, FrequencyType, Goal, GoalDirection, GoalKind, Schedule, validate, validate_dates};

use crate::world::date;

fn read(json: &str) -> Result<Schedule, Vec<String>> {
    let frequency: Frequency = serde_json::from_str(json).unwrap();
    frequency
        .schedule(date("2026-11-16"))
        .map_err(|issues| said(&issues))
}

fn said(issues: &[Issue]) -> Vec<String> {
    issues
        .iter()
        .map(|issue| {
            let path: Vec<_> = issue.path.iter().map(ToString::to_string).collect();
            format!("{} {}", path.join("."), issue.code)
        })
        .collect()
}

#[test]
fn every_kind_of_frequency_is_read_and_written() {
    let anchor = date("2026-11-16");
    for (json, schedule) in [
        (r#"{"type":"DAILY"}"#, Schedule::Daily),
        (
            r#"{"type":"WEEKLY","days":[1,3]}"#,
            Schedule::WeeklyDays { days: vec![1, 3] },
        ),
        (
            r#"{"type":"WEEKLY","times":7}"#,
            Schedule::WeeklyTimes { times: 7 },
        ),
        (
            r#"{"type":"MONTHLY","times":28}"#,
            Schedule::MonthlyTimes { times: 28 },
        ),
        (
            r#"{"type":"CUSTOM","interval":366,"anchor":"2026-11-16"}"#,
            Schedule::EveryDays {
                interval: 366,
                anchor,
            },
        ),
        (
            r#"{"type":"CUSTOM","days":[6,7],"interval":2,"anchor":"2026-11-16"}"#,
            Schedule::EveryWeeksDays {
                days: vec![6, 7],
                interval: 2,
                anchor,
            },
        ),
    ] {
        assert_eq!(read(json), Ok(schedule.clone()));
        assert_eq!(serde_json::to_string(&schedule.frequency()).unwrap(), json);
        let text = serde_json::to_string(&schedule).unwrap();
        assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule);
    }
}

#[test]
fn fields_that_say_nothing_new_are_accepted() {
    for json in [
        r#"{"type":"DAILY","days":[],"times":1,"interval":1}"#,
        r#"{"type":"WEEKLY","days":[3,1],"times":2}"#,
        r#"{"type":"CUSTOM","days":[1]}"#,
    ] {
        assert!(read(json).is_ok(), "{json}");
    }
}

#[test]
fn every_issue_of_a_frequency_is_told_at_once() {
    for (json, issues) in [
        (
            r#"{"type":"WEEKLY","days":[1,8,1,0]}"#,
            vec![
                "frequency.days.1 OUT_OF_RANGE",
                "frequency.days.2 DUPLICATE",
                "frequency.days.3 OUT_OF_RANGE",
            ],
        ),
        (r#"{"type":"WEEKLY"}"#, vec!["frequency.times REQUIRED"]),
        (
            r#"{"type":"WEEKLY","times":8}"#,
            vec!["frequency.times UNREACHABLE"],
        ),
        (
            r#"{"type":"WEEKLY","times":0}"#,
            vec!["frequency.times OUT_OF_RANGE"],
        ),
        (
            r#"{"type":"WEEKLY","days":[1],"times":3}"#,
            vec!["frequency.times NOT_APPLICABLE"],
        ),
        (
            r#"{"type":"MONTHLY","times":29}"#,
            vec!["frequency.times UNREACHABLE"],
        ),
        (
            r#"{"type":"MONTHLY","times":-1,"days":[1],"anchor":"2026-01-01"}"#,
            vec![
                "frequency.days NOT_APPLICABLE",
                "frequency.anchor NOT_APPLICABLE",
                "frequency.times OUT_OF_RANGE",
            ],
        ),
        (r#"{"type":"CUSTOM"}"#, vec!["frequency.interval REQUIRED"]),
        (
            r#"{"type":"CUSTOM","interval":367}"#,
            vec!["frequency.interval OUT_OF_RANGE"],
        ),
        (
            r#"{"type":"CUSTOM","interval":0,"anchor":"1969-12-31"}"#,
            vec!["frequency.anchor OUT_OF_RANGE", "frequency.interval OUT_OF_RANGE"],
        ),
        (
            r#"{"type":"DAILY","times":2}"#,
            vec!["frequency.times NOT_APPLICABLE"],
        ),
    ] {
        assert_eq!(
            read(json),
            Err(issues.into_iter().map(String::from).collect()),
            "{json}"
        );
    }
    let hostile = Frequency {
        kind: FrequencyType::Weekly,
        days: Some(vec![9; 100_000]),
        times: None,
        interval: None,
        anchor: None,
    };
    assert_eq!(hostile.schedule(date("2026-01-01")).unwrap_err().len(), 16);
}

#[test]
fn an_at_most_goal_needs_days() {
    let goal = Goal::new(GoalKind::Count, 3.0, "cups", GoalDirection::AtMost).unwrap();
    assert_eq!(
        said(&validate(&Schedule::WeeklyTimes { times: 3 }, Some(&goal))),
        ["goal.direction NOT_APPLICABLE"]
    );
    assert_eq!(validate(&Schedule::Daily, Some(&goal)), []);
}

#[test]
fn a_habit_ends_no_earlier_than_it_starts() {
    let start = date("2026-11-16");
    assert_eq!(validate_dates(start, Some(start)), []);
    assert_eq!(
        said(&validate_dates(start, Some(date("2026-11-15")))),
        ["endDate END_BEFORE_START"]
    );
    assert_eq!(
        said(&validate_dates(date("1969-12-31"), None)),
        ["startDate OUT_OF_RANGE"]
    );
}

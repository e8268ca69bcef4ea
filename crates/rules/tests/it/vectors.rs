//! The published vectors hold for this implementation.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use rules::{
    CheckInPolicy, DayStatus, Fact, Frequency, Goal, HabitRules, HabitState, NewCheckIn, Pause, Rules, Stop,
    UserRules, UserState, UserTime, Zone, ZoneHistory, day_bounds, logical_date,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::world::date;

#[derive(Deserialize)]
struct User {
    times: ZoneHistory,
    #[serde(default)]
    pauses: Vec<Pause>,
}

#[derive(Deserialize)]
struct Habit {
    start: Date,
    end: Option<Date>,
    versions: Vec<Version>,
    #[serde(default)]
    archives: Vec<Pause>,
}

#[derive(Deserialize)]
struct Version {
    effective: Date,
    frequency: Frequency,
    goal: Option<Goal>,
}

impl User {
    fn rules(self) -> UserRules {
        UserRules {
            pauses: self.pauses,
            ..UserRules::new(1, self.times)
        }
    }
}

impl Habit {
    fn rules(self) -> HabitRules {
        let mut versions = self.versions.into_iter();
        let first = versions.next().unwrap();
        let schedule = first.frequency.schedule(self.start).unwrap();
        let mut habit = HabitRules::new(1, self.start, self.end, schedule, first.goal).unwrap();
        for version in versions {
            let schedule = version.frequency.schedule(version.effective).unwrap();
            habit
                .edit(Some(version.effective), schedule, version.goal, version.effective)
                .unwrap();
        }
        habit.archives = self.archives;
        habit
    }
}

fn read(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn cases(file: &str, list: &str) -> Vec<Value> {
    let cases = read(file)[list].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

fn get<T: DeserializeOwned>(case: &Value, field: &str) -> T {
    serde_json::from_value(case[field].clone()).unwrap_or_else(|error| panic!("{field} of {case}: {error}"))
}

/// Every field that is expected is there; numbers may differ by 10⁻⁹.
fn assert_has(found: &Value, expected: &Value, case: &Value) {
    for (field, expected) in expected.as_object().unwrap() {
        let found = &found[field];
        let equal = match (found.as_f64(), expected.as_f64()) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
            _ => found == expected,
        };
        assert!(equal, "{}: {field} is {found}, not {expected}", case["name"]);
    }
}

#[test]
fn every_file_of_vectors_is_checked() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "README.md",
            "check-ins.json",
            "habits.json",
            "schedules.json",
            "time.json",
            "users.json"
        ]
    );
}

#[test]
fn times() {
    for case in cases("time.json", "logicalDates") {
        let time: UserTime = get(&case, "time");
        assert_eq!(
            logical_date(get(&case, "instant"), &time),
            get(&case, "date"),
            "{case}"
        );
    }
    for case in cases("time.json", "dayBounds") {
        let time: UserTime = get(&case, "time");
        let bounds = day_bounds(get(&case, "date"), &time);
        assert_eq!(bounds, (get(&case, "start"), get(&case, "end")), "{case}");
    }
    for case in cases("time.json", "closing") {
        let history: ZoneHistory = get(&case, "times");
        let today = history.today(get(&case, "now"));
        assert_eq!(
            (today.date, today.first_open),
            (get(&case, "today"), get(&case, "firstOpen")),
            "{case}"
        );
    }
    for case in cases("time.json", "zones") {
        let name: String = get(&case, "name");
        assert_eq!(
            Zone::parse(&name).is_ok(),
            get::<bool>(&case, "accepted"),
            "{case}"
        );
    }
}

#[test]
fn schedules() {
    for case in cases("schedules.json", "due") {
        let start: Date = get(&case, "start");
        let frequency: Frequency = get(&case, "frequency");
        let schedule = frequency.schedule(start).unwrap();
        let habit = HabitRules::new(1, start, None, schedule, None).unwrap();
        let user = UserRules::new(1, get(&case, "times"));
        // On the first day of the range nothing is closed yet.
        let now = day_bounds(get(&case, "from"), user.times.at(Timestamp::MIN)).0;
        let range = get(&case, "from")..=get(&case, "to");
        let due: Vec<Date> = rules::evaluate(Rules::new(&habit, &user), &[], range, now)
            .into_iter()
            .filter(|day| day.status == DayStatus::Due)
            .map(|day| day.date)
            .collect();
        assert_eq!(due, get::<Vec<Date>>(&case, "due"), "{case}");
    }
    for case in cases("schedules.json", "invalid") {
        let frequency: Frequency = get(&case, "frequency");
        let issues = frequency.schedule(date("2026-01-01")).unwrap_err();
        let issues: Vec<Value> = issues
            .iter()
            .map(|issue| {
                let path: Vec<Value> = issue
                    .path
                    .iter()
                    .map(|segment| match segment {
                        kernel::PathSegment::Field(name) => json!(name),
                        kernel::PathSegment::Index(index) => json!(index),
                    })
                    .collect();
                json!({ "path": path, "code": issue.code })
            })
            .collect();
        assert_eq!(json!(issues), case["issues"], "{case}");
    }
}

#[test]
fn habits() {
    for case in cases("habits.json", "cases") {
        let user = get::<User>(&case, "user").rules();
        let habit = get::<Habit>(&case, "habit").rules();
        let rules = Rules::new(&habit, &user);
        let facts: Vec<Fact> = get(&case, "facts");
        let now: Timestamp = get(&case, "now");
        let state = HabitState::rebuild(rules, &facts, now);
        for stats in [rules::stats(rules, &facts, now), state.stats(rules, now).unwrap()] {
            assert_has(&serde_json::to_value(stats).unwrap(), &case["stats"], &case);
        }
        for expected in case["days"].as_array().unwrap() {
            let day = rules::explain_day(rules, &facts, get(expected, "date"), now);
            assert_has(&serde_json::to_value(day).unwrap(), expected, &case);
        }
    }
}

#[test]
fn check_ins() {
    for case in cases("check-ins.json", "cases") {
        let user = get::<User>(&case, "user").rules();
        let habit = get::<Habit>(&case, "habit").rules();
        let rules = Rules::new(&habit, &user);
        let facts: Vec<Fact> = get(&case, "facts");
        let now: Timestamp = get(&case, "now");
        let policy: CheckInPolicy = get(&case, "policy");
        let request: NewCheckIn = get(&case, "request");
        let state = HabitState::rebuild(rules, &facts, now);
        let answer = match state.accept_check_in(rules, &policy, &request, now) {
            Ok(check_in) => json!({ "accepted": check_in }),
            Err(Stop::Refused(refused)) => json!({ "refused": refused.code() }),
            Err(Stop::NeedsRebuild(error)) => panic!("{error}: {case}"),
        };
        match case.get("accepted") {
            Some(expected) => assert_eq!(&answer["accepted"], expected, "{case}"),
            None => assert_eq!(answer["refused"], case["refused"], "{case}"),
        }
    }
}

#[test]
fn users() {
    for case in cases("users.json", "cases") {
        let user = get::<User>(&case, "user").rules();
        let now: Timestamp = get(&case, "now");
        let habits: Vec<(HabitRules, Vec<Fact>)> = case["habits"]
            .as_array()
            .unwrap()
            .iter()
            .map(|habit| (get::<Habit>(habit, "habit").rules(), get(habit, "facts")))
            .collect();
        let states: Vec<HabitState> = habits
            .iter()
            .map(|(habit, facts)| HabitState::rebuild(Rules::new(habit, &user), facts, now))
            .collect();
        let facts: Vec<(&HabitRules, &[Fact])> = habits
            .iter()
            .map(|(habit, facts)| (habit, facts.as_slice()))
            .collect();
        let states: Vec<(&HabitRules, &HabitState)> =
            habits.iter().map(|(habit, _)| habit).zip(&states).collect();
        let streaks = UserState::rebuild(&user, &facts, now)
            .view(&user, &states, now)
            .unwrap();
        let expected = json!({
            "currentStreak": case["currentStreak"],
            "longestStreak": case["longestStreak"],
            "completedToday": case["completedToday"],
        });
        assert_eq!(serde_json::to_value(streaks).unwrap(), expected, "{case}");
    }
}

//! What demo people must hold.

use std::collections::HashSet;

use jiff::Timestamp;
use rules::{CheckIn, CheckInPolicy, Fact, HabitState, NewCheckIn, Rules, What};

use super::people::{Account, Setting, Somebody, somebody};

fn setting(seed: u64) -> Setting {
    let now = "2026-11-22T00:00:00Z".parse().unwrap();
    Setting {
        seed,
        days: 200,
        now,
        policy: CheckInPolicy::default(),
    }
}

fn person(seed: u64, number: u32) -> Somebody {
    let account = Account {
        number,
        openid: format!("openid-{number}"),
        unionid: None,
    };
    somebody(&setting(seed), account).unwrap()
}

#[test]
fn the_same_seed_makes_the_same_person() {
    assert_eq!(format!("{:?}", person(1, 7)), format!("{:?}", person(1, 7)));
    assert_ne!(person(1, 7).user.id, person(2, 7).user.id);
    assert_ne!(person(1, 7).user.id, person(1, 8).user.id);
}

#[test]
fn every_kind_of_schedule_and_fact_occurs() {
    let people: Vec<Somebody> = (1..=80).map(|number| person(1, number)).collect();
    let habits = people.iter().flat_map(|person| &person.habits);
    let kinds: HashSet<_> = habits
        .flat_map(|habit| habit.rules.versions())
        .map(|version| std::mem::discriminant(&version.schedule))
        .collect();
    assert_eq!(kinds.len(), 6);
    let histories = || people.iter().flat_map(|person| &person.record.habits);
    let facts: HashSet<_> = histories()
        .flat_map(|history| &history.facts)
        .map(|fact| std::mem::discriminant(&fact.what))
        .collect();
    assert_eq!(facts.len(), 3);
    let entries = || histories().flat_map(|history| &history.entries);
    assert!(entries().any(|entry| entry.provenance == rules::Provenance::Makeup));
    assert!(entries().any(|entry| entry.undone.is_some()));
    assert!(entries().any(|entry| !entry.note.is_empty() && entry.mood.is_some()));
}

/// Everything that the people did would have been accepted from them at the time.
#[test]
fn the_rules_accept_what_the_people_did() {
    for number in 1..=15 {
        let person = person(3, number);
        for history in &person.record.habits {
            let rules = Rules::new(&history.habit.rules, &person.record.known.rules);
            let mut told: Vec<(Timestamp, Fact)> =
                history.facts.iter().map(|fact| (fact.at, fact.clone())).collect();
            for entry in &history.entries {
                let (date, count, minutes) = (entry.date, entry.count, entry.minutes);
                let check_in = CheckIn {
                    date,
                    count,
                    minutes,
                    provenance: entry.provenance,
                };
                let made = Fact::check_in(entry.id, entry.at, check_in);
                if let Some((id, at)) = entry.undone {
                    told.push((
                        at,
                        Fact {
                            id,
                            at,
                            what: What::Undo { of: made.id },
                        },
                    ));
                }
                told.push((entry.at, made));
            }
            told.sort_by_key(|(at, _)| *at);
            let mut state = HabitState::new(rules);
            for (at, fact) in told {
                assert!(at <= setting(3).now);
                let accepted = accept(&state, rules, &fact, at);
                assert_eq!(accepted, Ok(fact.what.clone()), "{number}: {fact:?}");
                state.apply(rules, &fact, at).unwrap();
            }
        }
    }
}

fn accept(state: &HabitState, rules: Rules<'_>, fact: &Fact, at: Timestamp) -> Result<What, rules::Stop> {
    let policy = CheckInPolicy::default();
    match &fact.what {
        What::CheckIn(check_in) => {
            let (date, count, minutes) = (Some(check_in.date), check_in.count, check_in.minutes);
            state
                .accept_check_in(rules, &policy, &NewCheckIn { date, count, minutes }, at)
                .map(What::CheckIn)
        }
        What::Undo { of } => state.accept_undo(rules, *of, at),
        What::Skip { date } => state.accept_skip(rules, Some(*date), at),
        What::Pause { from, to } => state.accept_pause(rules, Some(*from), *to, at),
        What::Freeze { .. } => state.accept_freeze(rules, at),
        other => panic!("the demo has no {other:?}"),
    }
}

//! Judges what clients send of a habit.

use async_graphql::{ID, MaybeUndefined};
use kernel::{HabitId, Text};
use subgraph::input::Checker;

use crate::graphql::inputs::{ReminderInput, TriggerInput};
use crate::store::{Reminder, Trigger};

/// Most times of the day at which somebody is reminded of one habit.
const MAX_REMINDERS: usize = 10;
/// Most habits that one is linked to.
const MAX_LINKS: usize = 20;
/// Most triggers of a habit, and bytes of one's condition.
const MAX_TRIGGERS: usize = 10;
const MAX_CONDITION: usize = 2048;

/// A changed text: `None` stays, an empty one where `null` clears it.
pub fn text(
    check: &mut Checker,
    name: &'static str,
    text: &MaybeUndefined<String>,
    min: usize,
    max: usize,
) -> Option<String> {
    check.at(name, |check| match text {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => check.text("", min, max),
        MaybeUndefined::Value(text) => check.text(text, min, max),
    })
}

/// A colour as `#RRGGBB`.
pub fn color(check: &mut Checker, color: &MaybeUndefined<String>) -> Option<String> {
    check.at("color", |check| match color {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(DEFAULT_COLOR.to_owned()),
        MaybeUndefined::Value(color) => {
            let digits = color.strip_prefix('#').unwrap_or_default();
            let valid = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !valid {
                check.issue("INVALID_COLOR", Text::new("issue-invalid-color"));
            }
            valid.then(|| color.to_ascii_uppercase())
        }
    })
}

/// The colour of a habit that was given none.
pub const DEFAULT_COLOR: &str = "#4F46E5";

/// Words to find a habit by, each once.
pub fn tags(check: &mut Checker, tags: &Option<Vec<String>>) -> Option<Vec<String>> {
    tags.as_ref().map(|tags| check.tags(tags))
}

/// Ids of other habits, each once; whether they exist is judged by [`crate::ops::links`].
pub fn links(check: &mut Checker, links: &Option<Vec<ID>>) -> Option<Vec<HabitId>> {
    let links = links.as_ref()?;
    check.at("linkedHabits", |check| {
        check.at_most(links.len(), MAX_LINKS);
        let mut known = std::collections::BTreeSet::new();
        Some(check.each(links, |check, id| {
            let id = check.id(id)?;
            if !known.insert(id) {
                check.issue("DUPLICATE", Text::new("issue-duplicate"));
            }
            Some(id)
        }))
    })
}

/// Reminders, changed from what they were.
pub fn reminder(check: &mut Checker, input: &Option<ReminderInput>, before: &Reminder) -> Reminder {
    let mut reminder = before.clone();
    let Some(input) = input else { return reminder };
    check.at("reminder", |check| {
        if let Some(times) = &input.time {
            reminder.time = check.at("time", |check| {
                check.at_most(times.len(), MAX_REMINDERS);
                let mut known = std::collections::BTreeSet::new();
                check.each(times, |check, time| {
                    check.time(time)?;
                    if !known.insert(time.0.clone()) {
                        check.issue("DUPLICATE", Text::new("issue-duplicate"));
                    }
                    Some(time.0.clone())
                })
            });
        }
        if let Some(advance) = input.advance {
            let judged = check.at("advance", |check| check.range(advance.into(), 0, 24 * 60));
            reminder.advance = judged.unwrap_or_default() as i32;
        }
        // Who gives times wants to be reminded.
        let given = input.time.as_ref().is_some_and(|times| !times.is_empty());
        reminder.enabled = input.enabled.unwrap_or(before.enabled || given);
        if reminder.enabled && reminder.time.is_empty() && check.is_clean() {
            check.at("time", |check| {
                check.issue("REQUIRED", Text::new("issue-required"))
            });
        }
    });
    reminder
}

/// What sets a habit off.
pub fn triggers(check: &mut Checker, triggers: &Option<Vec<TriggerInput>>) -> Option<Vec<Trigger>> {
    let triggers = triggers.as_ref()?;
    check.at("triggers", |check| {
        check.at_most(triggers.len(), MAX_TRIGGERS);
        Some(check.each(triggers, |check, trigger| {
            let kind = check.at("type", |check| check.text(&trigger.kind, 1, 30));
            let condition = trigger.condition.0.to_string();
            if condition.len() > MAX_CONDITION {
                check.at("condition", |check| {
                    check.issue("TOO_LONG", Text::new("issue-too-long").with("max", MAX_CONDITION));
                });
            }
            Some(Trigger {
                kind: kind?,
                condition,
            })
        }))
    })
}

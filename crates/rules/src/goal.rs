//! What a day has to reach, or not to exceed.

use kernel::{Issue, PathSegment, Text};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::time::out_of_range;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GoalKind {
    /// The counts of a day's check-ins.
    Count,
    /// Their durations.
    Duration,
}

/// On which side of the value a day is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GoalDirection {
    /// Done as soon as the value is reached.
    #[default]
    AtLeast,
    /// Done when the day closes and the value is not exceeded; a day without any entry is such a day.
    AtMost,
}

/// A quantity goal of each day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// What is counted.
    #[serde(rename = "type")]
    pub kind: GoalKind,
    /// How much, in `unit`.
    pub value: Amount,
    /// For counts any word (`cups`, `页`), for durations one of the names of the minute or the hour.
    pub unit: String,
    /// Whether the value is to be reached or not to be exceeded.
    #[serde(default)]
    pub direction: GoalDirection,
}

const MINUTE: &[&str] = &["min", "mins", "minute", "minutes", "m", "分钟", "分"];
const HOUR: &[&str] = &["h", "hr", "hrs", "hour", "hours", "小时", "钟头"];
const UNIT_MAX_CHARS: usize = 20;

impl Goal {
    /// A goal of that value.
    ///
    /// # Errors
    /// Every issue, at `goal.value` and `goal.unit`.
    pub fn new(kind: GoalKind, value: f64, unit: &str, direction: GoalDirection) -> Result<Self, Vec<Issue>> {
        let issue = |field: &'static str, code, text| Issue {
            path: vec!["goal".into(), PathSegment::from(field)],
            code,
            text,
        };
        let amount = Amount::new(value);
        let goal = Self {
            kind,
            value: amount.unwrap_or_default(),
            unit: unit.trim().to_owned(),
            direction,
        };
        let mut issues = goal.issues();
        if amount.is_none() {
            issues.retain(|issue| issue.path.last() != Some(&"value".into()));
            issues.push(issue(
                "value",
                "OUT_OF_RANGE",
                out_of_range(0.0, Amount::MAX_ENTERED.to_f64()),
            ));
        }
        if issues.is_empty() { Ok(goal) } else { Err(issues) }
    }

    /// The value as the check-ins count it: a duration's in minutes.
    pub fn target(&self) -> Amount {
        let in_hours = self.kind == GoalKind::Duration && is_one_of(HOUR, &self.unit);
        self.value.times(if in_hours { 60 } else { 1 })
    }

    /// What an entry without an amount stands for: one of what is counted, or the whole duration.
    /// None where nothing can be assumed: for a duration that is not to be exceeded.
    pub(crate) fn assumed(&self) -> Option<Amount> {
        match (self.kind, self.direction) {
            (GoalKind::Count, _) => Some(Amount::whole(1)),
            (GoalKind::Duration, GoalDirection::AtLeast) => Some(self.target()),
            (GoalKind::Duration, GoalDirection::AtMost) => None,
        }
    }

    /// How much of the goal a day's total achieves, 0..=1. Beyond an at-most value it falls to 0 at twice the
    /// value, as Loop Habit Tracker has it.
    pub(crate) fn fraction(&self, total: Amount) -> f64 {
        let (total, target) = (total.to_f64(), self.target().to_f64());
        match self.direction {
            GoalDirection::AtLeast if target > 0.0 => (total / target).min(1.0),
            GoalDirection::AtMost if total <= target => 1.0,
            GoalDirection::AtMost if target > 0.0 => (1.0 - (total - target) / target).clamp(0.0, 1.0),
            GoalDirection::AtLeast => 1.0,
            GoalDirection::AtMost => 0.0,
        }
    }

    pub(crate) fn issues(&self) -> Vec<Issue> {
        let mut issues = Vec::new();
        let mut add = |field: &'static str, code, text| {
            issues.push(Issue {
                path: vec!["goal".into(), PathSegment::from(field)],
                code,
                text,
            });
        };
        // "At most 0 cigarettes" is a goal, "at least 0 pages" is none.
        if self.direction == GoalDirection::AtLeast && self.value == Amount::ZERO {
            add(
                "value",
                "OUT_OF_RANGE",
                out_of_range(0.001, Amount::MAX_ENTERED.to_f64()),
            );
        } else if self.value > Amount::MAX_ENTERED {
            add(
                "value",
                "OUT_OF_RANGE",
                out_of_range(0.0, Amount::MAX_ENTERED.to_f64()),
            );
        }
        if self.unit.chars().count() > UNIT_MAX_CHARS {
            let max = u32::try_from(UNIT_MAX_CHARS).unwrap_or(u32::MAX);
            add("unit", "TOO_LONG", Text::new("too-long").with("max", max));
        } else if self.kind == GoalKind::Duration
            && !is_one_of(MINUTE, &self.unit)
            && !is_one_of(HOUR, &self.unit)
        {
            add("unit", "UNKNOWN_UNIT", Text::new("unknown-duration-unit"));
        }
        issues
    }
}

fn is_one_of(names: &[&str], unit: &str) -> bool {
    // Asked for each day of a fold: a length tells most apart.
    names
        .iter()
        .any(|name| name.len() == unit.len() && unit.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_counted_in_minutes() {
        let hours = Goal::new(GoalKind::Duration, 1.5, "小时", GoalDirection::AtLeast).unwrap();
        assert_eq!(hours.target(), Amount::whole(90));
        let minutes = Goal::new(GoalKind::Duration, 90.0, "Minutes", GoalDirection::AtLeast).unwrap();
        assert_eq!(minutes.target(), Amount::whole(90));
    }

    #[test]
    fn a_day_over_an_at_most_goal_loses_its_worth_step_by_step() {
        let goal = Goal::new(GoalKind::Count, 4.0, "cups", GoalDirection::AtMost).unwrap();
        let worth = [0, 4, 5, 6, 8, 20].map(|cups| goal.fraction(Amount::whole(cups)));
        assert_eq!(worth, [1.0, 1.0, 0.75, 0.5, 0.0, 0.0]);
    }

    #[test]
    fn every_issue_of_a_goal_is_told_at_once() {
        let issues = Goal::new(GoalKind::Duration, -1.0, "pages", GoalDirection::AtLeast).unwrap_err();
        let codes: Vec<_> = issues.iter().map(|issue| issue.code).collect();
        assert_eq!(codes, ["UNKNOWN_UNIT", "OUT_OF_RANGE"]);
        assert!(Goal::new(GoalKind::Count, 0.0, "pages", GoalDirection::AtLeast).is_err());
        assert!(Goal::new(GoalKind::Count, 0.0, "cigarettes", GoalDirection::AtMost).is_ok());
        assert!(Goal::new(GoalKind::Count, 1.0, &"x".repeat(21), GoalDirection::AtMost).is_err());
    }
}

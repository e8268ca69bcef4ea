//! The habit rules in GraphQL's words, for every domain that takes or shows them.

use async_graphql::{Enum, InputObject, SimpleObject};
use jiff::civil::Date as CivilDate;
use kernel::PathSegment;
use rules::{
    Frequency as Written, Goal as RuleGoal, GoalDirection as Direction, GoalKind as Kind, HabitRules,
    Schedule,
};

use crate::directives::{kept_as_parent, list_size};
use crate::input::Checker;
use crate::plain::{leaf, text};
use crate::plain_fields;
use crate::scalars::Date;

/// The kind of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum FrequencyType {
    /// Every day.
    Daily,
    /// On `days` of the week, or `times` in each calendar week.
    Weekly,
    /// `times` in each calendar month.
    Monthly,
    /// Every `interval` days from an anchor, or on `days` every `interval` weeks.
    Custom,
}

/// When a habit is due.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
#[graphql(shareable, directive = kept_as_parent::apply(true))]
pub struct Frequency {
    /// The kind of schedule.
    #[graphql(name = "type")]
    pub kind: FrequencyType,
    /// ISO weekdays, 1 (Monday) to 7; empty where any day counts.
    #[graphql(directive = list_size::apply(7))]
    pub days: Vec<i32>,
    /// How many times in each week or month.
    pub times: Option<i32>,
    /// Every how many days or weeks.
    pub interval: Option<i32>,
    /// From which date intervals are counted.
    pub anchor: Option<Date>,
}

/// When a habit is due.
#[derive(Debug, Clone, InputObject)]
pub struct FrequencyInput {
    /// The kind of schedule.
    #[graphql(name = "type")]
    pub kind: FrequencyType,
    /// ISO weekdays, 1 (Monday) to 7, each once.
    pub days: Option<Vec<i32>>,
    /// How many times in each week or month.
    pub times: Option<i32>,
    /// Every how many days or weeks, 1 to 366.
    pub interval: Option<i32>,
    /// From which date intervals are counted; by default from the habit's start.
    pub anchor: Option<Date>,
}

/// What a goal counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum GoalType {
    /// Time.
    Duration,
    /// Things.
    Count,
}

/// On which side of its value a goal is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum GoalDirection {
    /// At the value or above.
    AtLeast,
    /// At the value or below, once the day is over.
    AtMost,
}

/// What makes a day done.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
#[graphql(shareable, directive = kept_as_parent::apply(true))]
pub struct Goal {
    /// What is counted.
    #[graphql(name = "type")]
    pub kind: GoalType,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: String,
    /// At least or at most.
    pub direction: GoalDirection,
}

plain_fields!(Goal, |goal, _field| {
    "type" => leaf(goal.kind),
    "value" => leaf(goal.value),
    "unit" => text(&goal.unit),
    "direction" => leaf(goal.direction),
});

/// What makes a day done.
#[derive(Debug, Clone, InputObject)]
pub struct GoalInput {
    /// What is counted.
    #[graphql(name = "type")]
    pub kind: GoalType,
    /// How much, above 0.
    pub value: f64,
    /// Of what; for a duration `minutes` or `hours`. By default minutes or times.
    pub unit: Option<String>,
    /// At least (the default) or at most.
    #[graphql(default_with = "GoalDirection::AtLeast")]
    pub direction: GoalDirection,
}

impl FrequencyInput {
    /// The schedule, with intervals counted from `anchor` where nothing else is said. Issues stand under the
    /// place where the checker is, which is the frequency itself.
    pub fn judge(&self, check: &mut Checker, anchor: CivilDate) -> Option<Schedule> {
        let own = self
            .anchor
            .as_ref()
            .map(|date| check.at("anchor", |check| check.date(date)));
        let written = Written {
            kind: self.kind.into(),
            days: self
                .days
                .as_ref()
                .map(|days| days.iter().copied().map(i64::from).collect()),
            times: self.times.map(i64::from),
            interval: self.interval.map(i64::from),
            anchor: own.flatten(),
        };
        judged(check, "frequency", written.schedule(anchor))
    }
}

impl GoalInput {
    /// The goal. Issues stand under the place where the checker is, which is the goal itself.
    pub fn judge(&self, check: &mut Checker) -> Option<RuleGoal> {
        let default = match self.kind {
            GoalType::Duration => "minutes",
            GoalType::Count => "times",
        };
        let unit = self.unit.as_deref().unwrap_or(default);
        let unit = check.at("unit", |check| check.text(unit, 1, 20))?;
        judged(
            check,
            "goal",
            RuleGoal::new(self.kind.into(), self.value, &unit, self.direction.into()),
        )
    }
}

/// A change of a habit's rules, as it is sent. What is not given stays; `Some(None)` clears.
#[derive(Debug)]
pub struct RulesChange<'a> {
    /// When it is due, from the effective date on.
    pub frequency: Option<&'a FrequencyInput>,
    /// What makes a day done, from the effective date on.
    pub goal: Option<Option<&'a GoalInput>>,
    /// From which day on those hold; by default today.
    pub effective: Option<&'a Date>,
    /// The first day.
    pub start: Option<&'a Date>,
    /// The last day.
    pub end: Option<Option<&'a Date>>,
}

impl RulesChange<'_> {
    /// The rules with the change. Issues stand under the place where the checker is, which is the input itself;
    /// with issues, the rules that come back mean nothing.
    pub fn apply(&self, check: &mut Checker, before: &HabitRules, today: CivilDate) -> HabitRules {
        let mut rules = before.clone();
        let start = check.at("startDate", |check| self.start.and_then(|date| check.date(date)));
        let end = check.at("endDate", |check| match self.end {
            None => None,
            Some(None) => Some(None),
            Some(Some(date)) => check.date(date).map(Some),
        });
        let effective = check.at("effectiveDate", |check| {
            self.effective.and_then(|date| check.date(date))
        });
        let from = effective.unwrap_or(today);
        let current = before.in_force(from);
        let schedule = match self.frequency {
            Some(frequency) => check.at("frequency", |check| frequency.judge(check, from)),
            None => Some(current.schedule.clone()),
        };
        let goal = match self.goal {
            None => Some(current.goal.clone()),
            Some(None) => Some(None),
            Some(Some(goal)) => check.at("goal", |check| goal.judge(check)).map(Some),
        };
        let (Some(schedule), Some(goal)) = (schedule, goal) else {
            return rules;
        };
        let dates = (start.unwrap_or(rules.start), end.unwrap_or(rules.end));
        let mut issues = Vec::new();
        if dates != (rules.start, rules.end) {
            issues.extend(rules::validate_dates(dates.0, dates.1));
            (rules.start, rules.end) = dates;
        }
        if schedule != current.schedule || goal != current.goal {
            issues.extend(
                rules
                    .edit(effective, schedule, goal, today)
                    .err()
                    .unwrap_or_default(),
            );
        }
        for issue in issues {
            check.issue_at(issue.path, issue.code, issue.text);
        }
        if rules != *before {
            rules.version += 1;
        }
        rules
    }
}

/// Takes over issues whose paths begin with the thing that the checker stands at.
fn judged<T>(check: &mut Checker, here: &str, result: Result<T, Vec<kernel::Issue>>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(issues) => {
            for issue in issues {
                let skip =
                    usize::from(matches!(issue.path.first(), Some(PathSegment::Field(name)) if name == here));
                check.issue_at(issue.path.into_iter().skip(skip), issue.code, issue.text);
            }
            None
        }
    }
}

impl From<&Schedule> for Frequency {
    fn from(schedule: &Schedule) -> Self {
        let written = schedule.frequency();
        let number = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
        Self {
            kind: written.kind.into(),
            days: written.days.unwrap_or_default().into_iter().map(number).collect(),
            times: written.times.map(number),
            interval: written.interval.map(number),
            anchor: written.anchor.map(Date::from),
        }
    }
}

impl From<&RuleGoal> for Goal {
    fn from(goal: &RuleGoal) -> Self {
        Self {
            kind: goal.kind.into(),
            value: goal.value.to_f64(),
            unit: goal.unit.clone(),
            direction: goal.direction.into(),
        }
    }
}

macro_rules! same {
    ($($ours:ident <=> $theirs:path { $($variant:ident),* })*) => {$(
        impl From<$ours> for $theirs {
            fn from(value: $ours) -> Self {
                match value { $($ours::$variant => Self::$variant,)* }
            }
        }

        impl From<$theirs> for $ours {
            fn from(value: $theirs) -> Self {
                match value { $(<$theirs>::$variant => Self::$variant,)* }
            }
        }
    )*};
}

same! {
    FrequencyType <=> rules::FrequencyType { Daily, Weekly, Monthly, Custom }
    GoalType <=> Kind { Duration, Count }
    GoalDirection <=> Direction { AtLeast, AtMost }
}

//! What a habit's owner has laid down: start and end, versions of schedule and goal, archiving; and what is the
//! same for all habits of a user.

use jiff::civil::Date;
use kernel::{Issue, PathSegment, Text};
use serde::{Deserialize, Serialize};

use crate::civil::{FIRST_DATE, LAST_DATE};
use crate::fact::FactId;
use crate::goal::{Goal, GoalDirection};
use crate::history::ZoneHistory;
use crate::schedule::Schedule;

/// Versions that one habit can have.
pub const VERSIONS_MAX: usize = 1000;

/// A schedule and a goal, in force from a date until the next version's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleVersion {
    /// Counted from 1 in the order of the edits.
    pub number: u32,
    /// The first date on which it is in force.
    pub effective: Date,
    /// When the habit is due.
    pub schedule: Schedule,
    /// What a due day has to reach; without one any check-in does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
}

/// Dates on which nothing is asked: a pause, or the time a habit lies in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// The fact that began it.
    pub id: FactId,
    /// The first date.
    pub from: Date,
    /// The last date; none while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
}

/// The rules of one habit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "RawHabitRules")]
pub struct HabitRules {
    /// Changes with every change of the rest.
    pub version: i64,
    /// The first date. A check-in before it makes the habit start earlier.
    pub start: Date,
    /// The last date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Date>,
    versions: Vec<RuleVersion>,
    /// When the habit lay in the archive: such dates count as paused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub archives: Vec<Pause>,
}

/// What holds for all habits of a user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserRules {
    /// Changes with every change of the rest.
    pub version: i64,
    /// Zone, day start and week start over time.
    pub times: ZoneHistory,
    /// Pauses of all habits at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
}

/// Everything that decides what a habit's facts are worth.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The habit's own rules.
    pub habit: &'a HabitRules,
    /// Its owner's.
    pub user: &'a UserRules,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawHabitRules {
    version: i64,
    start: Date,
    #[serde(default)]
    end: Option<Date>,
    versions: Vec<RuleVersion>,
    #[serde(default)]
    archives: Vec<Pause>,
}

/// Every rule that a schedule and a goal break, with paths from `frequency` and `goal` on.
pub fn validate(schedule: &Schedule, goal: Option<&Goal>) -> Vec<Issue> {
    let mut issues = schedule.issues();
    let Some(goal) = goal else { return issues };
    issues.extend(goal.issues());
    // Any untouched day keeps an at-most goal, so that "three of them a week" would ask for nothing.
    if goal.direction == GoalDirection::AtMost && schedule.period().is_some() {
        issues.push(issue(
            &["goal", "direction"],
            "NOT_APPLICABLE",
            "at-most-needs-days",
        ));
    }
    issues
}

/// Every rule that start and end break, at `startDate` and `endDate`.
pub fn validate_dates(start: Date, end: Option<Date>) -> Vec<Issue> {
    let mut issues = Vec::new();
    let range = FIRST_DATE..=LAST_DATE;
    if !range.contains(&start) {
        issues.push(issue(&["startDate"], "OUT_OF_RANGE", "date-out-of-range"));
    }
    if let Some(end) = end {
        if !range.contains(&end) {
            issues.push(issue(&["endDate"], "OUT_OF_RANGE", "date-out-of-range"));
        } else if end < start {
            issues.push(issue(&["endDate"], "END_BEFORE_START", "end-before-start"));
        }
    }
    issues
}

impl HabitRules {
    /// The rules of a new habit, whose first version is in force from its start.
    ///
    /// # Errors
    /// Every issue of dates, schedule and goal.
    pub fn new(
        version: i64,
        start: Date,
        end: Option<Date>,
        schedule: Schedule,
        goal: Option<Goal>,
    ) -> Result<Self, Vec<Issue>> {
        let mut issues = validate_dates(start, end);
        issues.extend(validate(&schedule, goal.as_ref()));
        if !issues.is_empty() {
            return Err(issues);
        }
        Ok(Self {
            version,
            start,
            end,
            versions: vec![RuleVersion {
                number: 1,
                effective: start,
                schedule,
                goal,
            }],
            archives: Vec::new(),
        })
    }

    /// Appends a version, in force from `effective` or else from today. The past keeps the version it had.
    ///
    /// # Errors
    /// Every issue of schedule and goal; at `effectiveDate` a date before today (`IN_THE_PAST`) or out of range;
    /// at `frequency` that there are [`VERSIONS_MAX`] versions (`TOO_MANY_VERSIONS`).
    pub fn edit(
        &mut self,
        effective: Option<Date>,
        schedule: Schedule,
        goal: Option<Goal>,
        today: Date,
    ) -> Result<(), Vec<Issue>> {
        let mut issues = validate(&schedule, goal.as_ref());
        let effective = effective.unwrap_or(today);
        if effective < today {
            issues.push(issue(&["effectiveDate"], "IN_THE_PAST", "date-in-the-past"));
        } else if effective > LAST_DATE {
            issues.push(issue(&["effectiveDate"], "OUT_OF_RANGE", "date-out-of-range"));
        }
        if self.versions.len() >= VERSIONS_MAX {
            issues.push(issue(&["frequency"], "TOO_MANY_VERSIONS", "too-many-versions"));
        }
        if !issues.is_empty() {
            return Err(issues);
        }
        let number = self
            .versions
            .iter()
            .map(|version| version.number)
            .max()
            .unwrap_or(0);
        let version = RuleVersion {
            number: number.saturating_add(1),
            effective,
            schedule,
            goal,
        };
        let place = self
            .versions
            .partition_point(|other| other.effective <= effective);
        self.versions.insert(place, version);
        Ok(())
    }

    /// All versions by the date on which they come into force; there is at least one.
    pub fn versions(&self) -> &[RuleVersion] {
        &self.versions
    }

    /// The version in force on a date; before the first one's date, the first.
    pub fn in_force(&self, date: Date) -> &RuleVersion {
        &self.versions[self.index_in_force(date)]
    }

    /// The time in the archive that holds the date.
    pub fn archived_on(&self, date: Date) -> Option<&Pause> {
        self.archives.iter().find(|pause| pause.covers(date))
    }

    pub(crate) fn index_in_force(&self, date: Date) -> usize {
        self.versions
            .partition_point(|version| version.effective <= date)
            .saturating_sub(1)
    }
}

impl Pause {
    /// Whether nothing is asked on that date.
    pub fn covers(&self, date: Date) -> bool {
        self.from <= date && self.to.is_none_or(|to| date <= to)
    }
}

impl UserRules {
    /// The rules of a user without pauses.
    pub fn new(version: i64, times: ZoneHistory) -> Self {
        Self {
            version,
            times,
            pauses: Vec::new(),
        }
    }
}

impl<'a> Rules<'a> {
    /// The rules of a habit and of its owner.
    pub fn new(habit: &'a HabitRules, user: &'a UserRules) -> Self {
        Self { habit, user }
    }
}

impl TryFrom<RawHabitRules> for HabitRules {
    type Error = &'static str;

    fn try_from(raw: RawHabitRules) -> Result<Self, Self::Error> {
        let mut versions = raw.versions;
        if versions.is_empty() {
            return Err("a habit has at least one version");
        }
        versions.sort_by_key(|version| (version.effective, version.number));
        Ok(Self {
            version: raw.version,
            start: raw.start,
            end: raw.end,
            versions,
            archives: raw.archives,
        })
    }
}

fn issue(path: &[&'static str], code: &'static str, text: &'static str) -> Issue {
    Issue {
        path: path.iter().map(|field| PathSegment::from(*field)).collect(),
        code,
        text: Text::new(text),
    }
}

//! When a habit is due.

use jiff::civil::Date;
use kernel::{Issue, PathSegment, Text};
use serde::{Deserialize, Serialize};

use crate::civil::{days_between, iso_weekday};
use crate::history::Weeks;
use crate::time::out_of_range;

/// When a habit is due.
///
/// Intervals are anchored on a civil date, never on an instant, and count from it on: nothing is due before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum Schedule {
    /// Every day.
    Daily,
    /// On these weekdays.
    WeeklyDays {
        /// ISO weekdays, 1..=7, each once.
        days: Vec<u8>,
    },
    /// That many days of each calendar week, any ones.
    WeeklyTimes {
        /// 1..=7.
        times: u8,
    },
    /// That many days of each calendar month, any ones.
    MonthlyTimes {
        /// 1..=28, which every month has.
        times: u8,
    },
    /// On the anchor and every so many days after it.
    EveryDays {
        /// Days, 1..=366.
        interval: u16,
        /// The first due date.
        anchor: Date,
    },
    /// On these weekdays of the anchor's week and of every so many weeks after it.
    EveryWeeksDays {
        /// ISO weekdays, 1..=7, each once.
        days: Vec<u8>,
        /// Weeks, 1..=366.
        interval: u16,
        /// A date of the first week; nothing is due before it.
        anchor: Date,
    },
}

/// A calendar period of which a number of days has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Period {
    /// From the user's week start on.
    Week,
    /// A calendar month.
    Month,
}

impl Schedule {
    /// The period whose days are counted, for the schedules of n times in a period.
    pub fn period(&self) -> Option<Period> {
        match self {
            Self::WeeklyTimes { .. } => Some(Period::Week),
            Self::MonthlyTimes { .. } => Some(Period::Month),
            _ => None,
        }
    }

    /// How many times a day the habit is expected on average, 0..=1. A month counts as 30 days, as in Loop
    /// Habit Tracker.
    pub fn expected_per_day(&self) -> f64 {
        match self {
            Self::Daily => 1.0,
            Self::WeeklyDays { days } => days.len() as f64 / 7.0,
            Self::WeeklyTimes { times } => f64::from(*times) / 7.0,
            Self::MonthlyTimes { times } => (f64::from(*times) / 30.0).min(1.0),
            Self::EveryDays { interval, .. } => 1.0 / f64::from((*interval).max(1)),
            Self::EveryWeeksDays { days, interval, .. } => {
                days.len() as f64 / (7.0 * f64::from((*interval).max(1)))
            }
        }
    }

    /// Every rule that the schedule breaks, with paths from `frequency` on.
    pub fn issues(&self) -> Vec<Issue> {
        let mut issues = Vec::new();
        let mut within = |field: &'static str, value: u16, min: u16, max: u16, code| {
            if !(min..=max).contains(&value) {
                issues.push(issue(&[field.into()], code, out_of_range(min, max)));
            }
        };
        match self {
            Self::Daily => {}
            Self::WeeklyDays { days } => issues = day_issues(days.iter().map(|day| i64::from(*day))),
            Self::WeeklyTimes { times } => within("times", (*times).into(), 1, 7, times_code(*times)),
            Self::MonthlyTimes { times } => within("times", (*times).into(), 1, 28, times_code(*times)),
            Self::EveryDays { interval, .. } => within("interval", *interval, 1, 366, "OUT_OF_RANGE"),
            Self::EveryWeeksDays { days, interval, .. } => {
                within("interval", *interval, 1, 366, "OUT_OF_RANGE");
                issues.extend(day_issues(days.iter().map(|day| i64::from(*day))));
            }
        }
        issues
    }

    /// The days asked for of a whole period; 1 for a schedule by days.
    pub(crate) fn times(&self) -> u32 {
        match self {
            Self::WeeklyTimes { times } | Self::MonthlyTimes { times } => (*times).into(),
            _ => 1,
        }
    }

    /// Whether the date itself is due. A schedule of n times in a period makes no date due.
    pub(crate) fn is_due(&self, date: Date, weeks: &Weeks) -> bool {
        match self {
            Self::Daily => true,
            Self::WeeklyDays { days } => days.contains(&iso_weekday(date)),
            Self::WeeklyTimes { .. } | Self::MonthlyTimes { .. } => false,
            Self::EveryDays { interval, anchor } => {
                date >= *anchor && days_between(*anchor, date) % i64::from((*interval).max(1)) == 0
            }
            Self::EveryWeeksDays {
                days,
                interval,
                anchor,
            } => {
                date >= *anchor
                    && days.contains(&iso_weekday(date))
                    && weeks.since(*anchor, date) % i64::from((*interval).max(1)) == 0
            }
        }
    }
}

/// Issues of a list of weekdays: it is empty, or has one that is no weekday or comes twice.
pub(crate) fn day_issues(days: impl Iterator<Item = i64>) -> Vec<Issue> {
    let mut issues = Vec::new();
    let mut seen = [false; 8];
    let mut count = 0_usize;
    for (index, day) in days.enumerate() {
        count += 1;
        // A hostile list is not answered with a message for each of its items.
        if issues.len() >= 16 {
            break;
        }
        let path = [PathSegment::from("days"), index.into()];
        match usize::try_from(day).ok().filter(|day| (1..=7).contains(day)) {
            None => issues.push(issue(&path, "OUT_OF_RANGE", out_of_range(1_u8, 7_u8))),
            Some(day) if seen[day] => issues.push(issue(&path, "DUPLICATE", Text::new("duplicate"))),
            Some(day) => seen[day] = true,
        }
    }
    if count == 0 {
        issues.push(issue(&["days".into()], "REQUIRED", Text::new("required")));
    }
    issues
}

pub(crate) fn issue(path: &[PathSegment], code: &'static str, text: Text) -> Issue {
    let mut full = vec![PathSegment::from("frequency")];
    full.extend_from_slice(path);
    Issue {
        path: full,
        code,
        text,
    }
}

fn times_code(times: u8) -> &'static str {
    if times == 0 { "OUT_OF_RANGE" } else { "UNREACHABLE" }
}

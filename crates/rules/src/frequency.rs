//! The schedule in the shape that the API has for it: a type with optional days, times and interval.

use jiff::civil::Date;
use kernel::{Issue, Text};
use serde::{Deserialize, Serialize};

use crate::civil::{FIRST_DATE, LAST_DATE};
use crate::schedule::{Schedule, day_issues, issue};
use crate::time::out_of_range;

/// The type of a frequency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FrequencyType {
    /// Every day.
    Daily,
    /// On weekdays, or a number of times a week.
    Weekly,
    /// A number of times a month.
    Monthly,
    /// Every so many days, or on weekdays every so many weeks.
    Custom,
}

/// A schedule as it is written in the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frequency {
    /// Which of the other fields count.
    #[serde(rename = "type")]
    pub kind: FrequencyType,
    /// ISO weekdays, 1..=7. An empty list is the same as none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<Vec<i64>>,
    /// Times in a week (1..=7) or a month (1..=28).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<i64>,
    /// Days, or with `days` weeks, from one to the next: 1..=366.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<i64>,
    /// Where an interval is counted from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Date>,
}

impl Frequency {
    /// The schedule that is meant. `default_anchor` stands in for a missing anchor: the habit's start date, or
    /// the effective date of an edit.
    ///
    /// Fields that say nothing new are accepted: `times` equal to the number of `days`, `times: 1` of a day,
    /// an interval of 1.
    ///
    /// # Errors
    /// Every issue, with paths such as `["frequency", "days", 2]` and the codes `REQUIRED`, `OUT_OF_RANGE`,
    /// `DUPLICATE`, `UNREACHABLE` (more times than the period has days) and `NOT_APPLICABLE` (a field that
    /// this type does not have).
    pub fn schedule(&self, default_anchor: Date) -> Result<Schedule, Vec<Issue>> {
        let mut issues = Vec::new();
        let days = self.days.as_deref().filter(|days| !days.is_empty());
        if let Some(days) = days {
            issues.extend(day_issues(days.iter().copied()));
        }
        let weekdays: Option<Vec<u8>> =
            days.map(|days| days.iter().filter_map(|day| u8::try_from(*day).ok()).collect());
        self.inapplicable(days, &mut issues);
        let anchor = self.anchor.unwrap_or(default_anchor);
        if self.kind == FrequencyType::Custom && !(FIRST_DATE..=LAST_DATE).contains(&anchor) {
            issues.push(issue(
                &["anchor".into()],
                "OUT_OF_RANGE",
                Text::new("date-out-of-range"),
            ));
        }
        let schedule = match (self.kind, weekdays) {
            (FrequencyType::Daily, _) => Some(Schedule::Daily),
            (FrequencyType::Weekly, Some(days)) => Some(Schedule::WeeklyDays { days: sorted(days) }),
            (FrequencyType::Weekly, None) => {
                let times = number("times", self.times, 7, "UNREACHABLE", &mut issues);
                times.map(|times| Schedule::WeeklyTimes { times })
            }
            (FrequencyType::Monthly, _) => {
                let times = number("times", self.times, 28, "UNREACHABLE", &mut issues);
                times.map(|times| Schedule::MonthlyTimes { times })
            }
            (FrequencyType::Custom, Some(days)) => {
                let interval = self.interval.or(Some(1));
                number("interval", interval, 366, "OUT_OF_RANGE", &mut issues).map(|interval| {
                    Schedule::EveryWeeksDays {
                        days: sorted(days),
                        interval,
                        anchor,
                    }
                })
            }
            (FrequencyType::Custom, None) => {
                number("interval", self.interval, 366, "OUT_OF_RANGE", &mut issues)
                    .map(|interval| Schedule::EveryDays { interval, anchor })
            }
        };
        match schedule {
            Some(schedule) if issues.is_empty() => Ok(schedule),
            _ => Err(issues),
        }
    }

    fn inapplicable(&self, days: Option<&[i64]>, issues: &mut Vec<Issue>) {
        let count = days.map(|days| i64::try_from(days.len()).unwrap_or(i64::MAX));
        let days_fit = matches!(self.kind, FrequencyType::Weekly | FrequencyType::Custom);
        let times_fit = match (self.kind, count) {
            (FrequencyType::Weekly, None) | (FrequencyType::Monthly, _) => true,
            (FrequencyType::Weekly | FrequencyType::Custom, Some(count)) => {
                self.times.is_none_or(|times| times == count)
            }
            (FrequencyType::Daily | FrequencyType::Custom, _) => self.times.is_none_or(|times| times == 1),
        };
        let interval_fits =
            self.kind == FrequencyType::Custom || self.interval.is_none_or(|interval| interval == 1);
        let anchor_fits = self.kind == FrequencyType::Custom || self.anchor.is_none();
        for (field, fits) in [
            ("days", days_fit || count.is_none()),
            ("times", times_fit),
            ("interval", interval_fits),
            ("anchor", anchor_fits),
        ] {
            if !fits {
                issues.push(issue(
                    &[field.into()],
                    "NOT_APPLICABLE",
                    Text::new("not-applicable"),
                ));
            }
        }
    }
}

impl Schedule {
    /// The schedule in the API's shape.
    pub fn frequency(&self) -> Frequency {
        let mut frequency = Frequency {
            kind: FrequencyType::Daily,
            days: None,
            times: None,
            interval: None,
            anchor: None,
        };
        let wide = |days: &[u8]| Some(days.iter().map(|day| i64::from(*day)).collect());
        match self {
            Self::Daily => {}
            Self::WeeklyDays { days } => {
                frequency.kind = FrequencyType::Weekly;
                frequency.days = wide(days);
            }
            Self::WeeklyTimes { times } => {
                frequency.kind = FrequencyType::Weekly;
                frequency.times = Some((*times).into());
            }
            Self::MonthlyTimes { times } => {
                frequency.kind = FrequencyType::Monthly;
                frequency.times = Some((*times).into());
            }
            Self::EveryDays { interval, anchor } => {
                frequency.kind = FrequencyType::Custom;
                frequency.interval = Some((*interval).into());
                frequency.anchor = Some(*anchor);
            }
            Self::EveryWeeksDays {
                days,
                interval,
                anchor,
            } => {
                frequency.kind = FrequencyType::Custom;
                frequency.days = wide(days);
                frequency.interval = Some((*interval).into());
                frequency.anchor = Some(*anchor);
            }
        }
        frequency
    }
}

fn number<T: TryFrom<i64>>(
    field: &'static str,
    value: Option<i64>,
    max: i64,
    over: &'static str,
    issues: &mut Vec<Issue>,
) -> Option<T> {
    let Some(value) = value else {
        issues.push(issue(&[field.into()], "REQUIRED", Text::new("required")));
        return None;
    };
    if (1..=max).contains(&value) {
        return T::try_from(value).ok();
    }
    let code = if value > max { over } else { "OUT_OF_RANGE" };
    issues.push(issue(&[field.into()], code, out_of_range(1.0, max as f64)));
    None
}

fn sorted(mut days: Vec<u8>) -> Vec<u8> {
    days.sort_unstable();
    days
}

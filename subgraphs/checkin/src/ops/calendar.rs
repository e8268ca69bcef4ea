//! A month of days over all habits.

use std::ops::RangeInclusive;

use jiff::civil::Date;
use kernel::{HabitId, Refusal, Result};
use rules::{DayResult, DayStatus};
use subgraph::input::Checker;

use super::preview::YEARS;
use crate::app::App;
use crate::store::{HabitLog, UserLog};

/// A day over all habits.
#[derive(Debug, Clone)]
pub struct Day {
    /// The date.
    pub date: Date,
    /// What the day is for each habit that has anything to do with it.
    pub habits: Vec<(HabitId, DayResult)>,
}

/// The days of a month.
///
/// # Errors
/// `BAD_USER_INPUT` for a month that there is not.
pub fn month(year: i32, month: i32) -> Result<RangeInclusive<Date>, Refusal> {
    let mut check = Checker::new("year");
    let year = check.range(year.into(), (*YEARS.start()).into(), (*YEARS.end()).into());
    check.finish()?;
    let mut check = Checker::new("month");
    let month = check.range(month.into(), 1, 12);
    check.finish()?;
    let first = Date::new(year.unwrap_or(1970) as i16, month.unwrap_or(1) as i8, 1)
        .map_err(|_| Refusal::not_found())?;
    Ok(first..=first.last_of_month())
}

/// What each day of a range is for each habit.
///
/// # Errors
/// Where the store does not answer.
pub async fn days(
    app: &App,
    owner: &UserLog,
    logs: &[HabitLog],
    range: RangeInclusive<Date>,
) -> Result<Vec<Day>> {
    let mut days: Vec<Day> = Vec::new();
    let mut date = *range.start();
    while date <= *range.end() {
        days.push(Day {
            date,
            habits: Vec::new(),
        });
        let Ok(next) = date.tomorrow() else { break };
        date = next;
    }
    for log in logs {
        for (day, result) in days.iter_mut().zip(app.days(log, owner, range.clone()).await?) {
            if concerns(&result) {
                day.habits.push((log.id, result));
            }
        }
    }
    Ok(days)
}

/// Whether a habit has anything to do with a day: it is due, or something was done.
pub fn concerns(day: &DayResult) -> bool {
    day.status != DayStatus::NotDue || day.check_ins > 0
}

//! A month of days over all habits.

use std::ops::RangeInclusive;
use std::sync::Arc;

use jiff::civil::Date;
use kernel::{HabitId, Refusal, Result};
use rules::{DayResult, DayStatus};
use subgraph::input::Checker;

use super::preview::YEARS;
use crate::app::{App, Standing};
use crate::store::UserLog;

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
    habits: &[Arc<Standing>],
    range: RangeInclusive<Date>,
) -> Result<Vec<Day>> {
    let mut days: Vec<Day> = Vec::new();
    let mut date = *range.start();
    while date <= *range.end() {
        days.push(Day {
            date,
            habits: Vec::with_capacity(habits.len()),
        });
        let Ok(next) = date.tomorrow() else { break };
        date = next;
    }
    for habit in habits {
        let latest = &habit.outlook(app, owner).await?.days;
        let is_within = |day: &DayResult| range.contains(&day.date);
        let first = latest.iter().position(is_within).unwrap_or_default();
        let known = latest.get(first..first + days.len()).unwrap_or_default();
        if known.len() == days.len() && known.iter().all(is_within) {
            push(&mut days, habit.log.id, known.iter().cloned());
        } else {
            let results = app.days(&habit.log, owner, range.clone()).await?;
            push(&mut days, habit.log.id, results);
        }
    }
    Ok(days)
}

fn push(days: &mut [Day], habit: HabitId, results: impl IntoIterator<Item = DayResult>) {
    for (day, result) in days.iter_mut().zip(results) {
        if concerns(&result) {
            day.habits.push((habit, result));
        }
    }
}

/// Whether a habit has anything to do with a day: it is due, or something was done.
pub fn concerns(day: &DayResult) -> bool {
    day.status != DayStatus::NotDue || day.check_ins > 0
}

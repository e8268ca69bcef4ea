//! Arithmetic on civil dates, which saturates instead of failing at the ends of the calendar.

use jiff::SignedDuration;
use jiff::civil::Date;

/// The earliest date that habits and check-ins may carry.
pub const FIRST_DATE: Date = Date::constant(1970, 1, 1);
/// The latest one.
pub const LAST_DATE: Date = Date::constant(2999, 12, 31);

/// The text is no date of the calendar in the form `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a date is written YYYY-MM-DD and exists in the calendar")]
pub struct InvalidDate;

/// Reads `YYYY-MM-DD` and nothing else: no other form of ISO 8601, no date like `2026-02-31`.
///
/// # Errors
/// The text has another form, or the calendar has no such date.
pub fn parse_date(text: &str) -> Result<Date, InvalidDate> {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10
        && bytes.iter().enumerate().all(|(i, byte)| match i {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !shape {
        return Err(InvalidDate);
    }
    text.parse().map_err(|_| InvalidDate)
}

pub(crate) fn next(date: Date) -> Date {
    date.tomorrow().unwrap_or(Date::MAX)
}

pub(crate) fn previous(date: Date) -> Date {
    date.yesterday().unwrap_or(Date::MIN)
}

pub(crate) fn plus_days(date: Date, days: i64) -> Date {
    // More days than the calendar has would overflow the duration.
    let days = days.clamp(-10_000_000, 10_000_000);
    date.saturating_add(SignedDuration::from_hours(days * 24))
}

/// Days from `a` to `b`; negative when `b` is the earlier one.
pub(crate) fn days_between(a: Date, b: Date) -> i64 {
    a.duration_until(b).as_hours() / 24
}

/// Monday is 1, Sunday 7.
pub(crate) fn iso_weekday(date: Date) -> u8 {
    date.weekday().to_monday_one_offset().unsigned_abs()
}

/// The first day of the week of `date` when weeks start on that ISO weekday.
pub(crate) fn week_begin(date: Date, week_start: u8) -> Date {
    let back = (iso_weekday(date) + 7 - week_start) % 7;
    plus_days(date, -i64::from(back))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn only_dates_of_the_calendar_are_read() {
        assert_eq!(parse_date("2028-02-29"), Ok(date(2028, 2, 29)));
        for text in [
            "2026-02-29",
            "2026-02-31",
            "2026-13-01",
            "2026-00-10",
            "20260101",
            "2026-1-1",
            "2026-W01-1",
            "2026-01-01T00:00",
            "+02026-01-01",
            "",
            "2026-01-0\u{0661}",
        ] {
            assert_eq!(parse_date(text), Err(InvalidDate), "{text}");
        }
    }

    #[test]
    fn a_week_begins_on_the_day_that_the_user_says() {
        let wednesday = date(2026, 11, 18);
        assert_eq!(week_begin(wednesday, 1), date(2026, 11, 16));
        assert_eq!(week_begin(wednesday, 3), wednesday);
        assert_eq!(week_begin(wednesday, 7), date(2026, 11, 15));
    }

    #[test]
    fn arithmetic_stops_at_the_ends_of_the_calendar() {
        assert_eq!(next(Date::MAX), Date::MAX);
        assert_eq!(previous(Date::MIN), Date::MIN);
        assert_eq!(plus_days(date(2026, 1, 1), i64::MAX), Date::MAX);
        assert_eq!(days_between(date(2026, 3, 1), date(2026, 2, 1)), -28);
    }
}

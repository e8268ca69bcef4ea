//! The zones, day starts and week starts that a user has had, and what they say about days.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::civil::{self, days_between, iso_weekday, next, plus_days, previous};
use crate::time::{UserTime, day_bounds, logical_date};

/// A user's zone, day start and week start over time. The first entry holds since always.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<TimeVersion>", into = "Vec<TimeVersion>")]
pub struct ZoneHistory {
    versions: Vec<TimeVersion>,
}

/// One entry of the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeVersion {
    /// Since when; nothing in the first entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// What held from then on.
    #[serde(flatten)]
    pub time: UserTime,
}

/// Where a user stands in the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Today {
    /// The logical date now.
    pub date: Date,
    /// Every day before this one is closed; this one and later ones are not. Mostly it is `date`; after a
    /// change of zone it can be up to three days earlier.
    pub first_open: Date,
}

/// Calendar weeks, whose first weekday may have changed.
#[derive(Debug, Clone)]
pub(crate) struct Weeks {
    /// From which date on which weekday begins a week; later entries begin on that weekday.
    starts: Vec<(Date, u8)>,
}

/// Whether a day has ended: in the user's zone and in every zone that the user had on it.
///
/// Days close in order: one that would be over is still open while an earlier one is.
pub fn day_is_closed(date: Date, now: Timestamp, history: &ZoneHistory) -> bool {
    date < history.today(now).first_open
}

impl ZoneHistory {
    /// A user who has changed nothing so far.
    pub fn new(time: UserTime) -> Self {
        Self {
            versions: vec![TimeVersion { from: None, time }],
        }
    }

    /// From `at` on, `time` holds. What was said about `at` and later before is dropped.
    pub fn change(&mut self, at: Timestamp, time: UserTime) {
        self.versions
            .retain(|version| version.from.is_none_or(|from| from < at));
        self.versions.push(TimeVersion { from: Some(at), time });
    }

    /// All entries, oldest first; there is at least one.
    pub fn versions(&self) -> &[TimeVersion] {
        &self.versions
    }

    /// What holds at an instant.
    pub fn at(&self, instant: Timestamp) -> &UserTime {
        let after = self
            .versions
            .partition_point(|version| version.from.is_none_or(|from| from <= instant));
        &self.versions[after.saturating_sub(1)].time
    }

    /// The logical date at `now`, and how far days are closed.
    pub fn today(&self, now: Timestamp) -> Today {
        let date = logical_date(now, self.at(now));
        // Zones lie at most 26 hours apart and day starts at most 24: no older day can be open.
        // Where nothing changed lately they close in order anyway, and one look is enough.
        let settled = self.versions.last().is_some_and(|version| {
            let week = SignedDuration::from_hours(7 * 24);
            version
                .from
                .is_none_or(|from| from.saturating_add(week).is_ok_and(|later| later < now))
        });
        let first_open = (1..=if settled { 1 } else { 3 })
            .rev()
            .map(|back| plus_days(date, -back))
            .find(|day| !self.has_ended(*day, now))
            .unwrap_or(date);
        Today { date, first_open }
    }

    /// Whether the user has any instant of that date. Not so for a date that the zone left out (2011-12-30 in
    /// Pacific/Apia), or one that was jumped over by a change of zone.
    pub fn exists(&self, date: Date) -> bool {
        self.tenures_around(date, date).any(|(_, (from, to, time))| {
            let (start, end) = day_bounds(date, time);
            start < end && from < end && start < to
        })
    }

    /// The dates of a range that do not exist for the user. Its cost grows with the changes of the clocks in
    /// the range, not with its days.
    pub(crate) fn missing_dates(&self, first: Date, last: Date) -> Vec<Date> {
        let mut candidates = Vec::new();
        for (index, (from, to, time)) in self.tenures_around(first, last) {
            let since = utc_midnight(plus_days(first, -2)).max(from);
            let until = utc_midnight(plus_days(last, 4)).min(to);
            if let Some(before) = index.checked_sub(1).and_then(|index| self.versions.get(index)) {
                add_between(
                    &mut candidates,
                    logical_date(from, &before.time),
                    logical_date(from, time),
                );
            }
            let zone = time.zone().rules();
            let mut offset = zone.to_offset(since);
            for transition in zone.following(since) {
                if transition.timestamp() >= until {
                    break;
                }
                let jump = i64::from(transition.offset().seconds()) - i64::from(offset.seconds());
                if jump >= 24 * 3600 {
                    let instant = transition.timestamp();
                    let earlier = instant
                        .saturating_sub(SignedDuration::from_secs(1))
                        .unwrap_or(instant);
                    add_between(
                        &mut candidates,
                        logical_date(earlier, time),
                        logical_date(instant, time),
                    );
                }
                offset = transition.offset();
            }
        }
        candidates.retain(|date| (first..=last).contains(date) && !self.exists(*date));
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }

    /// A change of the week start takes effect with the first new week, so that it cuts one week short and
    /// never regroups the past.
    pub(crate) fn weeks(&self) -> Weeks {
        let mut starts: Vec<(Date, u8)> = Vec::new();
        for version in &self.versions {
            let weekday = version.time.week_start();
            let Some(from) = version.from else {
                starts.push((Date::MIN, weekday));
                continue;
            };
            if starts.last().is_some_and(|(_, last)| *last == weekday) {
                continue;
            }
            let effective = logical_date(from, &version.time);
            let ahead = (weekday + 7 - iso_weekday(effective)) % 7;
            let begin = plus_days(effective, ahead.into());
            // A second change before the first took effect replaces it.
            starts.retain(|(date, _)| *date < begin);
            if starts.last().is_none_or(|(_, last)| *last != weekday) {
                starts.push((begin, weekday));
            }
        }
        Weeks { starts }
    }

    /// The tenures, with their places, that may meet the dates in any zone: a coarse choice that looks at no
    /// zone's rules.
    fn tenures_around(
        &self,
        first: Date,
        last: Date,
    ) -> impl Iterator<Item = (usize, (Timestamp, Timestamp, &UserTime))> {
        let since = utc_midnight(plus_days(first, -2));
        let until = utc_midnight(plus_days(last, 4));
        self.tenures()
            .enumerate()
            .filter(move |(_, (from, to, _))| *to >= since && *from <= until)
    }

    fn tenures(&self) -> impl DoubleEndedIterator<Item = (Timestamp, Timestamp, &UserTime)> {
        (0..self.versions.len()).map(|i| {
            let from = self.versions[i].from.unwrap_or(Timestamp::MIN);
            let to = self
                .versions
                .get(i + 1)
                .and_then(|version| version.from)
                .unwrap_or(Timestamp::MAX);
            (from, to, &self.versions[i].time)
        })
    }

    /// For dates of the last few days only.
    fn has_ended(&self, date: Date, now: Timestamp) -> bool {
        let week_ago = now
            .saturating_sub(SignedDuration::from_hours(7 * 24))
            .unwrap_or(Timestamp::MIN);
        self.tenures()
            .rev()
            .skip_while(|(from, ..)| *from > now)
            .take_while(|(_, to, _)| *to >= week_ago)
            .all(|(from, to, time)| {
                let (start, end) = day_bounds(date, time);
                let was_there = start < end && from < end && start < to;
                !was_there || end <= now
            })
    }
}

impl TryFrom<Vec<TimeVersion>> for ZoneHistory {
    type Error = &'static str;

    fn try_from(versions: Vec<TimeVersion>) -> Result<Self, Self::Error> {
        let first_holds_since_always = versions.first().is_some_and(|version| version.from.is_none());
        // `None` is less than any instant, so this also refuses a second entry without one.
        let in_order = versions.windows(2).all(|pair| pair[0].from < pair[1].from);
        if first_holds_since_always && in_order {
            Ok(Self { versions })
        } else {
            Err("the first entry has no `from`, and the others are in order")
        }
    }
}

impl From<ZoneHistory> for Vec<TimeVersion> {
    fn from(history: ZoneHistory) -> Self {
        history.versions
    }
}

impl Weeks {
    /// The first and the last day of the calendar week of a date.
    pub(crate) fn of(&self, date: Date) -> (Date, Date) {
        let after = self.starts.partition_point(|(begin, _)| *begin <= date);
        let (begin, weekday) = self
            .starts
            .get(after.saturating_sub(1))
            .copied()
            .unwrap_or((Date::MIN, 1));
        let first = civil::week_begin(date, weekday);
        let mut last = plus_days(first, 6);
        if let Some((cut, _)) = self.starts.get(after) {
            last = last.min(previous(*cut));
        }
        (first.max(begin), last)
    }

    /// How many weeks after the week of `anchor` the week of `date` is, both counted by the week start in force
    /// on `date`.
    pub(crate) fn since(&self, anchor: Date, date: Date) -> i64 {
        let after = self.starts.partition_point(|(begin, _)| *begin <= date);
        let weekday = self
            .starts
            .get(after.saturating_sub(1))
            .map_or(1, |(_, weekday)| *weekday);
        days_between(
            civil::week_begin(anchor, weekday),
            civil::week_begin(date, weekday),
        )
        .div_euclid(7)
    }
}

fn utc_midnight(date: Date) -> Timestamp {
    let edge = if date.year() > 0 {
        Timestamp::MAX
    } else {
        Timestamp::MIN
    };
    TimeZone::UTC
        .to_timestamp(date.to_datetime(Time::MIN))
        .unwrap_or(edge)
}

/// The dates strictly between two; a hostile pair adds no more than four.
fn add_between(dates: &mut Vec<Date>, before: Date, after: Date) {
    let mut date = next(before);
    for _ in 0..4 {
        if date >= after {
            break;
        }
        dates.push(date);
        date = next(date);
    }
}

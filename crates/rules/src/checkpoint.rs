//! Where a stored fold stands, and under which rules it was folded.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::civil::next;
use crate::fold::Fold;
use crate::habit::{Pause, RuleVersion, Rules};
use crate::schedule::Schedule;

/// The fold of all days before a date that begins a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    pub(crate) date: Date,
    pub(crate) fold: Fold,
    /// Of the rules as far as they concern earlier days. As long as it does not change, neither does the fold.
    pub(crate) fingerprint: i64,
}

/// FNV-1a over 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>): the same on every platform, which the
/// standard library's hashes do not promise.
struct Digest(u64);

/// Everything in the rules that decides what days before `date` are worth, as one number.
pub(crate) fn fingerprint(rules: Rules<'_>, date: Date) -> i64 {
    let mut digest = Digest(0xcbf2_9ce4_8422_2325);
    let habit = rules.habit;
    digest.date(habit.start.min(date));
    digest.date(habit.end.map_or(date, |end| next(end).min(date)));
    for (index, version) in habit.versions().iter().enumerate() {
        // The first version also counts before its date.
        if index == 0 || version.effective < date {
            digest.version(version, index > 0);
        }
    }
    digest.pauses(&rules.user.pauses, date);
    digest.pauses(&habit.archives, date);
    // Local dates lie within a day of UTC's, and a day start adds less than another.
    let limit = next(next(date))
        .to_datetime(Time::MIN)
        .to_zoned(TimeZone::UTC)
        .map(|zoned| zoned.timestamp());
    for version in rules.user.times.versions() {
        let Some(from) = version.from else {
            digest.time(i64::MIN, &version.time);
            continue;
        };
        if limit.as_ref().is_ok_and(|limit| from < *limit) {
            digest.time(from.as_millisecond(), &version.time);
        }
    }
    digest.0.cast_signed()
}

impl Digest {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn number(&mut self, number: i64) {
        self.bytes(&number.to_le_bytes());
    }

    fn date(&mut self, date: Date) {
        self.number(i64::from(date.year()) * 400 + i64::from(date.day_of_year()));
    }

    fn version(&mut self, version: &RuleVersion, dated: bool) {
        if dated {
            self.date(version.effective);
        }
        self.number(version.number.into());
        match &version.schedule {
            Schedule::Daily => self.number(1),
            Schedule::WeeklyDays { days } => self.days(2, days),
            Schedule::WeeklyTimes { times } => self.number(300 + i64::from(*times)),
            Schedule::MonthlyTimes { times } => self.number(600 + i64::from(*times)),
            Schedule::EveryDays { interval, anchor } => {
                self.number(1000 + i64::from(*interval));
                self.date(*anchor);
            }
            Schedule::EveryWeeksDays {
                days,
                interval,
                anchor,
            } => {
                self.days(3, days);
                self.number((*interval).into());
                self.date(*anchor);
            }
        }
        match &version.goal {
            None => self.number(0),
            Some(goal) => {
                self.number(1 + goal.kind as i64 * 2 + goal.direction as i64);
                self.number(goal.target().thousandths());
            }
        }
    }

    fn days(&mut self, kind: i64, days: &[u8]) {
        self.number(kind);
        self.number(i64::try_from(days.len()).unwrap_or(i64::MAX));
        self.bytes(days);
    }

    fn pauses(&mut self, pauses: &[Pause], date: Date) {
        for pause in pauses.iter().filter(|pause| pause.from < date) {
            self.date(pause.from);
            self.date(pause.to.map_or(date, |to| next(to).min(date)));
        }
        self.number(-1);
    }

    fn time(&mut self, from: i64, time: &crate::time::UserTime) {
        self.number(from);
        self.bytes(time.zone().name().as_bytes());
        self.number(time.day_start().into());
        self.number(time.week_start().into());
    }
}

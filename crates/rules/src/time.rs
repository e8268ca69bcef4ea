//! When a user's days begin and end: the zone, the day start, and the logical date of an instant.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use kernel::{Issue, Text};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::civil;

/// A time zone of the IANA database, never a numeric offset.
#[derive(Clone)]
pub struct Zone {
    name: Box<str>,
    zone: TimeZone,
}

/// Why a text names no time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// The database has no zone of that name.
    #[error("the IANA database has no such time zone")]
    Unknown,
    /// It is an offset in disguise, such as `+08:00`, `UTC+8` or `Etc/GMT-8`: it would be wrong after the next
    /// change of the clocks.
    #[error("a time zone is an IANA name such as Asia/Shanghai, not an offset")]
    NumericOffset,
}

/// What decides a user's logical dates and weeks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawUserTime", into = "RawUserTime")]
pub struct UserTime {
    zone: Zone,
    day_start: u16,
    week_start: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawUserTime {
    timezone: String,
    #[serde(default)]
    day_start: i64,
    #[serde(default = "monday")]
    week_start: i64,
}

/// The logical date of an instant: the civil date in the user's zone of (local time − day start).
///
/// Where clocks are set back over the day start, the date steps back with them for the repeated minutes.
pub fn logical_date(instant: Timestamp, time: &UserTime) -> Date {
    let local = time.zone.zone.to_datetime(instant);
    let minutes = i32::from(local.hour()) * 60 + i32::from(local.minute());
    if minutes < i32::from(time.day_start) {
        civil::previous(local.date())
    } else {
        local.date()
    }
}

/// The first instant of a logical date, and the instant at which it is over for good.
///
/// Both are the same for a date that the zone left out, such as 2011-12-30 in Pacific/Apia. A day start inside a
/// DST gap is the first instant after the gap. One inside an overlap comes twice: the new day starts at the
/// first, the old one is over at the second.
pub fn day_bounds(date: Date, time: &UserTime) -> (Timestamp, Timestamp) {
    let (start, _) = day_start(date, time);
    let (_, end) = day_start(civil::next(date), time);
    (start, end)
}

impl Zone {
    /// The zone of that IANA name, in any case.
    ///
    /// # Errors
    /// The name is unknown, or is a numeric offset.
    pub fn parse(name: &str) -> Result<Self, ZoneError> {
        if is_numeric_offset(name) {
            return Err(ZoneError::NumericOffset);
        }
        // The longest name of the database has 32 bytes.
        if name.len() > 64 {
            return Err(ZoneError::Unknown);
        }
        let zone = TimeZone::get(name).map_err(|_| ZoneError::Unknown)?;
        let name = zone.iana_name().ok_or(ZoneError::Unknown)?.into();
        Ok(Self { name, zone })
    }

    /// The IANA name, as the database writes it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The rules of the zone.
    pub fn rules(&self) -> &TimeZone {
        &self.zone
    }
}

impl UserTime {
    /// Checks all three: `day_start` in minutes after midnight (0..=1439), `week_start` as ISO weekday (1..=7).
    ///
    /// # Errors
    /// Every issue, at `timezone`, `dayStart` and `weekStart`.
    pub fn new(zone: &str, day_start: i64, week_start: i64) -> Result<Self, Vec<Issue>> {
        let mut issues = Vec::new();
        let zone = Zone::parse(zone)
            .map_err(|error| {
                let (code, text) = match error {
                    ZoneError::Unknown => ("UNKNOWN_TIME_ZONE", "unknown-time-zone"),
                    ZoneError::NumericOffset => ("NUMERIC_OFFSET", "numeric-offset"),
                };
                issues.push(Issue {
                    path: vec!["timezone".into()],
                    code,
                    text: Text::new(text),
                });
            })
            .ok();
        let mut within = |field: &'static str, value: i64, min: u16, max: u16| {
            u16::try_from(value)
                .ok()
                .filter(|value| (min..=max).contains(value))
                .or_else(|| {
                    issues.push(Issue {
                        path: vec![field.into()],
                        code: "OUT_OF_RANGE",
                        text: out_of_range(min, max),
                    });
                    None
                })
        };
        let day_start = within("dayStart", day_start, 0, 1439);
        let week_start = within("weekStart", week_start, 1, 7).and_then(|day| u8::try_from(day).ok());
        match (zone, day_start, week_start) {
            (Some(zone), Some(day_start), Some(week_start)) => Ok(Self {
                zone,
                day_start,
                week_start,
            }),
            _ => Err(issues),
        }
    }

    /// UTC, days from midnight, weeks from Monday.
    pub fn utc() -> Self {
        Self {
            zone: Zone {
                name: "UTC".into(),
                zone: TimeZone::UTC,
            },
            day_start: 0,
            week_start: 1,
        }
    }

    /// The time zone.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Minutes after midnight at which a day starts, 0..=1439.
    pub fn day_start(&self) -> u16 {
        self.day_start
    }

    /// The ISO weekday on which a week starts, 1..=7.
    pub fn week_start(&self) -> u8 {
        self.week_start
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).map_err(serde::de::Error::custom)
    }
}

impl TryFrom<RawUserTime> for UserTime {
    type Error = String;

    fn try_from(raw: RawUserTime) -> Result<Self, String> {
        Self::new(&raw.timezone, raw.day_start, raw.week_start).map_err(|issues| {
            issues
                .iter()
                .map(|issue| issue.code)
                .collect::<Vec<_>>()
                .join(", ")
        })
    }
}

impl From<UserTime> for RawUserTime {
    fn from(time: UserTime) -> Self {
        Self {
            timezone: time.zone.name.into(),
            day_start: time.day_start.into(),
            week_start: time.week_start.into(),
        }
    }
}

pub(crate) fn out_of_range(min: impl Into<f64>, max: impl Into<f64>) -> Text {
    Text::new("out-of-range")
        .with("min", min.into())
        .with("max", max.into())
}

fn monday() -> i64 {
    1
}

/// The first and the last instant at which the local clock reaches the start of that logical date.
fn day_start(date: Date, time: &UserTime) -> (Timestamp, Timestamp) {
    let hour = i8::try_from(time.day_start / 60).unwrap_or(0);
    let minute = i8::try_from(time.day_start % 60).unwrap_or(0);
    let local = date.to_datetime(Time::new(hour, minute, 0, 0).unwrap_or(Time::MIN));
    let ambiguous = time.zone.zone.to_ambiguous_timestamp(local);
    let instants = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => ambiguous.compatible().map(|instant| (instant, instant)),
        AmbiguousOffset::Fold { .. } => ambiguous
            .earlier()
            .and_then(|first| ambiguous.later().map(|last| (first, last))),
        // Read with the offset after the gap, the local time names an instant shortly before the gap.
        AmbiguousOffset::Gap { .. } => ambiguous.earlier().map(|before| {
            let gap = time.zone.zone.following(before).next();
            let instant = gap.map_or(before, |transition| transition.timestamp());
            (instant, instant)
        }),
    };
    // Only dates at the very ends of the calendar have no instant.
    let edge = if date.year() > 0 {
        Timestamp::MAX
    } else {
        Timestamp::MIN
    };
    instants.unwrap_or((edge, edge))
}

fn is_numeric_offset(name: &str) -> bool {
    let lower = name.trim().to_ascii_lowercase();
    let bare = lower.strip_prefix("etc/").unwrap_or(&lower);
    let offset = bare
        .strip_prefix("utc")
        .or_else(|| bare.strip_prefix("gmt"))
        .unwrap_or(bare);
    // `Etc/GMT+0`, `GMT0` and their like are old names of UTC.
    let is_utc = offset.len() < bare.len() && matches!(offset, "+0" | "-0" | "0");
    !is_utc && offset.starts_with(|c: char| matches!(c, '+' | '-' | '\u{2212}') || c.is_ascii_digit())
}

//! How the days of a book are stored: as one text, since a store reads them with every look at a habit, and as JSON they
//! would be most of what it reads.
//!
//! It is the Base64 (RFC 4648 §5, no padding) of a version, and then for each day how many days it is after the one before
//! (the first: after 1970-01-01), how many check-ins and skips it has, and those. Numbers are LEB128, signed ones in
//! zigzag order, as in Protocol Buffers (<https://protobuf.dev/programming-guides/encoding/>); ids are their bytes.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use jiff::Timestamp;
use serde::de::{Error as _, Visitor};
use serde::{Deserializer, Serializer};
use smallvec::SmallVec;

use crate::amount::Amount;
use crate::book::{Day, Entry};
use crate::civil::{FIRST_DATE, days_between, next, plus_days};
use crate::fact::{FactId, Provenance};

/// The first byte: of what is laid out as said above.
const VERSION: u8 = 1;

/// Milliseconds.
const DAY: i64 = 86_400_000;

const COUNT: u8 = 1;
const MINUTES: u8 = 2;
const AMENDED: u8 = 4;
/// From this bit on: how it came to be entered.
const PROVENANCE: u32 = 3;
const PROVENANCES: [Provenance; 4] = [
    Provenance::OnTime,
    Provenance::Late,
    Provenance::Makeup,
    Provenance::Import,
];

pub(crate) fn serialize<S: Serializer>(days: &[Day], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64.encode(pack(days)))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Day>, D::Error> {
    struct Packed;

    impl Visitor<'_> for Packed {
        type Value = Vec<Day>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("packed days")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Vec<Day>, E> {
            let bytes = BASE64.decode(text).map_err(E::custom)?;
            Reader(&bytes).days().ok_or_else(|| E::custom("damaged days"))
        }
    }

    deserializer.deserialize_str(Packed).map_err(D::Error::custom)
}

fn pack(days: &[Day]) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    let mut before = FIRST_DATE;
    for day in days {
        signed(&mut bytes, days_between(before, day.date));
        before = day.date;
        unsigned(&mut bytes, day.entries.len() as u64);
        unsigned(&mut bytes, day.skips.len() as u64);
        for entry in &day.entries {
            pack_entry(&mut bytes, day, entry);
        }
        for skip in &day.skips {
            bytes.extend(skip.bytes());
        }
    }
    bytes
}

fn pack_entry(bytes: &mut Vec<u8>, day: &Day, entry: &Entry) {
    bytes.extend(entry.id.bytes());
    let provenance = PROVENANCES.iter().position(|known| *known == entry.provenance);
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    bytes.push(
        flag(entry.count.is_some(), COUNT)
            | flag(entry.minutes.is_some(), MINUTES)
            | flag(entry.amended.is_some(), AMENDED)
            | (provenance.unwrap_or_default() as u8) << PROVENANCE,
    );
    let at = entry.at.as_millisecond();
    signed(bytes, at - begin(day));
    for amount in [entry.count, entry.minutes].into_iter().flatten() {
        signed(bytes, amount.thousandths());
    }
    if let Some(amended) = entry.amended {
        signed(bytes, amended.as_millisecond() - at);
    }
}

/// What instants of a day are counted from, in milliseconds since 1970: they are near it.
fn begin(day: &Day) -> i64 {
    days_between(FIRST_DATE, day.date) * DAY
}

fn signed(bytes: &mut Vec<u8>, number: i64) {
    unsigned(bytes, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

fn unsigned(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// What is left to read; everything gives nothing where the bytes are damaged.
struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn days(mut self) -> Option<Vec<Day>> {
        if self.byte()? != VERSION {
            return None;
        }
        let mut days: Vec<Day> = Vec::with_capacity(self.0.len() / 16);
        let mut begin = 0_i64;
        while !self.0.is_empty() {
            let before = days.last().map_or(FIRST_DATE, |day| day.date);
            let (date, entries, skips) = (self.signed()?, self.length()?, self.length()?);
            begin = begin.checked_add(date.checked_mul(DAY)?)?;
            let mut day = Day {
                date: if date == 1 {
                    next(before)
                } else {
                    plus_days(before, date)
                },
                entries: SmallVec::with_capacity(entries),
                skips: Vec::with_capacity(skips),
            };
            for _ in 0..entries {
                let entry = self.entry(begin)?;
                day.entries.push(entry);
            }
            for _ in 0..skips {
                day.skips.push(self.id()?);
            }
            days.push(day);
        }
        Some(days)
    }

    /// `begin`: as [`begin`] says of the day.
    fn entry(&mut self, begin: i64) -> Option<Entry> {
        let (id, flags) = (self.id()?, self.byte()?);
        let at = begin.checked_add(self.signed()?)?;
        let mut amount = |flag| match flags & flag {
            0 => Some(None),
            _ => Amount::from_thousandths(self.signed()?).map(Some),
        };
        let (count, minutes) = (amount(COUNT)?, amount(MINUTES)?);
        let amended = match flags & AMENDED {
            0 => None,
            _ => Some(Timestamp::from_millisecond(at.checked_add(self.signed()?)?).ok()?),
        };
        Some(Entry {
            id,
            at: Timestamp::from_millisecond(at).ok()?,
            count,
            minutes,
            provenance: *PROVENANCES.get(usize::from(flags >> PROVENANCE))?,
            amended,
        })
    }

    fn id(&mut self) -> Option<FactId> {
        let (id, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(FactId::from_bytes(*id))
    }

    /// A number of things that each take a byte at least, so that a damaged one cannot ask for all the memory.
    fn length(&mut self) -> Option<usize> {
        let length = usize::try_from(self.unsigned()?).ok()?;
        (length <= self.0.len()).then_some(length)
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.unsigned()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn entries() -> impl Strategy<Value = Entry> {
        let amounts = || prop::option::of(0..1_000_000_000_000_i64);
        let parts = (
            any::<[u8; 12]>(),
            -1_000_000_000_000_i64..4_000_000_000_000,
            amounts(),
            amounts(),
            0..4_usize,
        );
        (parts, prop::option::of(0..10_000_000_i64)).prop_map(
            |((id, at, count, minutes, provenance), amended)| {
                let amount = |thousandths: Option<i64>| thousandths.and_then(Amount::from_thousandths);
                Entry {
                    id: FactId::from_bytes(id),
                    at: Timestamp::from_millisecond(at).unwrap(),
                    count: amount(count),
                    minutes: amount(minutes),
                    provenance: PROVENANCES[provenance],
                    amended: amended.map(|after| Timestamp::from_millisecond(at + after).unwrap()),
                }
            },
        )
    }

    fn days() -> impl Strategy<Value = Vec<Day>> {
        let day = (
            -40_000..40_000_i64,
            prop::collection::vec(entries(), 0..4),
            prop::collection::vec(any::<[u8; 12]>().prop_map(FactId::from_bytes), 0..3),
        );
        let day = day.prop_map(|(after, entries, skips)| Day {
            date: plus_days(date(2026, 1, 1), after),
            entries: entries.into(),
            skips,
        });
        prop::collection::vec(day, 0..40)
    }

    proptest! {
        #[test]
        fn days_come_back_as_they_were(days in days()) {
            prop_assert_eq!(Reader(&pack(&days)).days(), Some(days));
        }

        #[test]
        fn damaged_days_are_refused_or_read_but_never_break(
            days in days(), place in any::<prop::sample::Index>(), byte in any::<u8>(), length in any::<prop::sample::Index>(),
        ) {
            let mut bytes = pack(&days);
            let place = place.index(bytes.len());
            bytes[place] = byte;
            bytes.truncate(length.index(bytes.len() + 1));
            let _ = Reader(&bytes).days();
        }
    }

    #[test]
    fn the_layout_stays() {
        let entry = Entry {
            id: FactId::from_bytes([7; 12]),
            at: "2026-03-29T06:00:00Z".parse().unwrap(),
            count: None,
            minutes: Some(Amount::whole(25)),
            provenance: Provenance::Makeup,
            amended: None,
        };
        let day = Day {
            date: date(2026, 3, 29),
            entries: SmallVec::from_iter([entry]),
            skips: Vec::new(),
        };
        assert_eq!(BASE64.encode(pack(&[day])), "AfrAAgEABwcHBwcHBwcHBwcHEoDczBTQhgM");
    }
}

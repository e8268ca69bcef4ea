//! One kept answer, as it lies in the cache.

use bytes::Bytes;
use kernel::Clock;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::digest::Name;
use super::freshness::CacheControl;
use crate::header_rules::{KeptField, ResponseHeaders};
use crate::transport::Head;

#[derive(Serialize, Deserialize)]
struct Entry {
    /// Half of the digest of what was asked: the other half is the entry's name.
    check: String,
    /// What the tags were when the subgraph was asked.
    tags: Vec<u64>,
    /// Milliseconds since 1970.
    until: i64,
    is_private: bool,
    /// What the client gets of the answer's headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<KeptField>,
    /// `data` of a root fetch; of an entity what each of the lists says of it.
    values: Vec<Box<RawValue>>,
}

/// What is kept of one question.
pub(crate) struct Hit {
    pub(crate) values: Vec<Box<RawValue>>,
    pub(crate) headers: ResponseHeaders,
    until: i64,
    is_private: bool,
}

impl Hit {
    /// Reads an entry. `None` if it is none, is another one's, or does not hold any more.
    pub(crate) fn read(
        json: &[u8],
        name: &Name,
        tags: &[u64],
        is_private: bool,
        clock: &Clock,
    ) -> Option<Self> {
        let entry: Entry = serde_json::from_slice(json).ok()?;
        let holds = entry.check == name.check()
            && entry.tags == tags
            && entry.is_private == is_private
            && entry.until > clock.now().as_millisecond();
        let headers = ResponseHeaders::of_kept(&entry.headers)?;
        holds.then_some(Self {
            values: entry.values,
            headers,
            until: entry.until,
            is_private: entry.is_private,
        })
    }

    /// For how long it holds still.
    pub(crate) fn left(&self, clock: &Clock) -> Option<CacheControl> {
        let seconds = (self.until - clock.now().as_millisecond()).max(0) / 1000;
        Some(CacheControl {
            max_age: u32::try_from(seconds).unwrap_or(u32::MAX),
            is_private: self.is_private,
        })
    }
}

/// The head of an answer that is put together of what was kept and what a subgraph said of the rest. Parts of one answer
/// were kept with the same headers, which count once.
pub(crate) fn head(hits: &[Option<Hit>], own: &ResponseHeaders) -> Head {
    let mut seen: Vec<&ResponseHeaders> = vec![own];
    let mut headers = ResponseHeaders::default();
    for hit in hits.iter().flatten() {
        if !hit.headers.is_empty() && !seen.contains(&&hit.headers) {
            headers.merge(&hit.headers);
            seen.push(&hit.headers);
        }
    }
    headers.merge(own);
    Head {
        headers,
        ..Head::default()
    }
}

/// Writes an entry.
pub(crate) fn write(
    name: &Name,
    tags: Vec<u64>,
    control: CacheControl,
    values: &[Bytes],
    headers: Vec<KeptField>,
    clock: &Clock,
) -> Option<Vec<u8>> {
    let values = values.iter().map(|value| {
        let text = std::str::from_utf8(value).ok()?;
        RawValue::from_string(text.to_owned()).ok()
    });
    let entry = Entry {
        check: name.check(),
        tags,
        until: clock.now().as_millisecond() + i64::from(control.max_age) * 1000,
        is_private: control.is_private,
        headers,
        values: values.collect::<Option<_>>()?,
    };
    serde_json::to_vec(&entry).ok()
}

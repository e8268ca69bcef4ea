//! What a subgraph answered, taken apart as far as it is kept by parts.

use std::borrow::Cow;
use std::collections::HashMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::transport::{Answer, CallError};

/// What a subgraph answered.
pub(crate) struct Reply {
    pub(crate) text: Bytes,
    pub(crate) data: Data,
    pub(crate) errors: Vec<Map<String, Value>>,
}

/// `data`, in parts.
pub(crate) enum Data {
    /// There is none.
    Null,
    /// Of a root fetch.
    Root(Bytes),
    /// Of an entity fetch: by group, by list, by entity.
    Entities(Vec<Vec<Vec<Bytes>>>),
}

/// What is asked about: by group, the lists and how many entities each must have.
pub(crate) type Expected<'e> = Vec<(&'e [String], usize)>;

#[derive(Deserialize)]
struct Wire<'w> {
    #[serde(borrow, default)]
    data: Option<&'w RawValue>,
    #[serde(default)]
    errors: Option<Vec<Map<String, Value>>>,
}

impl Reply {
    /// Takes an answer apart. `expected` is nothing for a root fetch.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn of(answer: &Answer, expected: Option<&Expected<'_>>) -> Result<Self, CallError> {
        let text: Bytes = match answer {
            Answer::Text(text, _) | Answer::Partial(text, ..) => text.clone(),
            Answer::Local(response) => serde_json::to_vec(response)
                .map_err(|error| CallError::Malformed(error.to_string()))?
                .into(),
        };
        let (data, errors) = take_apart(&text, expected).map_err(CallError::Malformed)?;
        Ok(Self { text, data, errors })
    }

    pub(super) fn value(&self, group: usize, list: usize, at: usize) -> Option<&[u8]> {
        match &self.data {
            Data::Entities(groups) => groups.get(group)?.get(list)?.get(at).map(|value| &value[..]),
            _ => None,
        }
    }

    /// What is kept of one unit: whole objects only.
    pub(super) fn values(&self, group: usize, at: usize) -> Option<Vec<Bytes>> {
        let values: Vec<Bytes> = match &self.data {
            Data::Null => return None,
            Data::Root(data) => vec![data.clone()],
            Data::Entities(groups) => {
                let lists = groups.get(group)?.iter();
                lists.map(|list| list.get(at).cloned()).collect::<Option<_>>()?
            }
        };
        values
            .iter()
            .all(|value| value.starts_with(b"{"))
            .then_some(values)
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }
}

fn take_apart(
    text: &Bytes,
    expected: Option<&Expected<'_>>,
) -> Result<(Data, Vec<Map<String, Value>>), String> {
    let wire: Wire<'_> = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let part = |raw: &RawValue| text.slice_ref(raw.get().as_bytes());
    let data = wire.data.filter(|data| data.get() != "null");
    let errors = wire.errors.unwrap_or_default();
    let data = match (data, expected) {
        (None, _) if errors.is_empty() => return Err("neither `data` nor `errors`".to_owned()),
        (None, _) => Data::Null,
        (Some(data), None) if data.get().starts_with('{') => Data::Root(part(data)),
        (Some(_), None) => return Err("`data` is not an object".to_owned()),
        (Some(data), Some(expected)) => {
            let lists: HashMap<Cow<'_, str>, &RawValue> =
                serde_json::from_str(data.get()).map_err(|error| error.to_string())?;
            let list = |(name, count): (&String, usize)| {
                let raw = lists.get(name.as_str()).map_or("null", |raw| raw.get());
                let items: Option<Vec<&RawValue>> = serde_json::from_str(raw).ok();
                let items = items.filter(|items| items.len() == count);
                let items = items.ok_or_else(|| format!("`{name}` is no list of {count} entities"))?;
                Ok(items.into_iter().map(part).collect())
            };
            let group = |(names, count): &(&[String], usize)| {
                let lists = names.iter().map(|name| list((name, *count)));
                lists.collect::<Result<Vec<Vec<Bytes>>, String>>()
            };
            Data::Entities(expected.iter().map(group).collect::<Result<_, _>>()?)
        }
    };
    Ok((data, errors))
}

//! The headers that a client gets from subgraphs, merged of all that have answered.

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::config::HeaderMerge;

/// Bytes of all that is passed on to one client: proxies and clients take little more.
const MAX_BYTES: usize = 16 << 10;

/// The headers that a client gets from subgraphs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseHeaders(Vec<Field>);

/// One header, perhaps with several values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    name: HeaderName,
    values: Vec<HeaderValue>,
    merge: HeaderMerge,
}

/// One header as it is kept with an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptField {
    name: String,
    values: Vec<String>,
    merge: HeaderMerge,
}

impl Field {
    pub(super) fn new(name: &HeaderName, values: Vec<HeaderValue>, merge: HeaderMerge) -> Self {
        Self {
            name: name.clone(),
            values,
            merge,
        }
    }

    fn bytes(&self) -> usize {
        self.values
            .iter()
            .map(|value| self.name.as_str().len() + value.len())
            .sum()
    }
}

impl ResponseHeaders {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values of a header, in order.
    pub fn get(&self, name: &str) -> impl Iterator<Item = &HeaderValue> {
        let fields = self.0.iter().filter(move |field| field.name.as_str() == name);
        fields.flat_map(|field| &field.values)
    }

    /// Takes another answer's headers in, as their rules say.
    pub(crate) fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|field| self.add(field));
    }

    pub(super) fn add(&mut self, field: &Field) {
        if self.bytes() + field.bytes() > MAX_BYTES {
            tracing::warn!(name = %field.name, "a header of a subgraph is not passed on, since there are too many");
            return;
        }
        match self.0.iter_mut().find(|known| known.name == field.name) {
            None => self.0.push(field.clone()),
            Some(known) => match field.merge {
                HeaderMerge::First => {}
                HeaderMerge::Last => known.clone_from(field),
                HeaderMerge::Append => {
                    known.values.extend_from_slice(&field.values);
                    known.merge = HeaderMerge::Append;
                }
            },
        }
    }

    /// Bytes of all names and values.
    pub(crate) fn bytes(&self) -> usize {
        self.0.iter().map(Field::bytes).sum()
    }

    /// Writes them to an answer's head.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        for field in &self.0 {
            headers.remove(&field.name);
            if field.merge == HeaderMerge::Append && field.name != SET_COOKIE {
                let joined = field.values.iter().map(HeaderValue::as_bytes).collect::<Vec<_>>();
                if let Ok(value) = HeaderValue::from_bytes(&joined.join(b", ".as_slice())) {
                    headers.insert(field.name.clone(), value);
                }
                continue;
            }
            for value in &field.values {
                headers.append(field.name.clone(), value.clone());
            }
        }
    }

    /// How they are kept with an answer. `None` if they are for one client only, or no text.
    pub(crate) fn kept(&self) -> Option<Vec<KeptField>> {
        let field = |field: &Field| {
            let values = field
                .values
                .iter()
                .map(|value| value.to_str().ok().map(str::to_owned));
            Some(KeptField {
                name: (field.name != SET_COOKIE).then(|| field.name.to_string())?,
                values: values.collect::<Option<_>>()?,
                merge: field.merge,
            })
        };
        self.0.iter().map(field).collect()
    }

    /// What was kept. `None` if it is not what this program keeps.
    pub(crate) fn of_kept(kept: &[KeptField]) -> Option<Self> {
        let field = |kept: &KeptField| {
            let values = kept.values.iter().map(|value| HeaderValue::try_from(value).ok());
            Some(Field {
                name: HeaderName::try_from(&kept.name).ok()?,
                values: values.collect::<Option<_>>()?,
                merge: kept.merge,
            })
        };
        kept.iter().map(field).collect::<Option<_>>().map(Self)
    }
}

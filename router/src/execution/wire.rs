//! Reads a subgraph's answer, from wherever it comes.

use std::fmt;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json};

use super::State;
use super::data::client_name;
use super::decode::decode;
use super::masking;
use super::tree::{ObjectId, Value};
use crate::error::{GraphQlError, PathSegment};
use crate::plan::Fetch;
use crate::transport::{Answer, CallError, Service, in_process};

/// An error as a subgraph sends it. Its locations speak of the subgraph's document and are dropped.
#[derive(Debug, Deserialize)]
pub(super) struct WireError {
    #[serde(default)]
    message: String,
    #[serde(default)]
    path: Option<Vec<WireSegment>>,
    #[serde(default)]
    extensions: Option<Map<String, Json>>,
}

/// So many errors of one answer are read: in memory each takes up to a hundred times its text, and no client gets more
/// of them than the configuration lets through.
const MAX_ERRORS: usize = 10_000;

/// The first errors of an answer; those beyond [`MAX_ERRORS`] are checked and dropped.
#[derive(Default)]
struct FirstErrors(Vec<WireError>);

impl<'de> Deserialize<'de> for FirstErrors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct First;
        impl<'de> Visitor<'de> for First {
            type Value = FirstErrors;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of errors")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<FirstErrors, A::Error> {
                let mut errors = Vec::new();
                while errors.len() < MAX_ERRORS {
                    match items.next_element()? {
                        Some(error) => errors.push(error),
                        None => return Ok(FirstErrors(errors)),
                    }
                }
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(FirstErrors(errors))
            }
        }
        deserializer.deserialize_seq(First)
    }
}

/// One step to the place of an error.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum WireSegment {
    Key(String),
    Index(usize),
}

/// An answer, read.
pub(super) struct Read {
    pub(super) data: Option<ObjectId>,
    pub(super) errors: Vec<WireError>,
}

/// Reads an answer; its text becomes one of the sources.
pub(super) fn read(answer: Answer, fetch: &Fetch, state: &mut State) -> Result<Read, CallError> {
    let malformed = |error: &dyn fmt::Display| CallError::Malformed(error.to_string());
    match answer {
        Answer::Text(text, _) | Answer::Partial(text, ..) => {
            let source = state.sources.next();
            let mut decoded = decode(&text, &fetch.shape, source, fetch.may_share, &mut state.tree)
                .map_err(|error| malformed(&error))?;
            if fetch.may_share && decoded.errors.is_some() {
                // An error speaks of one place, where equal objects are different ones.
                decoded = decode(&text, &fetch.shape, source, false, &mut state.tree)
                    .map_err(|error| malformed(&error))?;
            }
            let errors = decoded
                .errors
                .and_then(|(start, end)| text.get(start..end))
                .unwrap_or(b"[]");
            let errors: Option<FirstErrors> =
                serde_json::from_slice(errors).map_err(|error| malformed(&error))?;
            state.sources.add(text);
            let data = match decoded.data {
                Some(Value::Object(data)) => Some(data),
                Some(Value::Null) | None => None,
                Some(_) => return Err(CallError::Malformed("`data` is not an object".into())),
            };
            let FirstErrors(errors) = errors.unwrap_or_default();
            if data.is_none() && errors.is_empty() {
                return Err(CallError::Malformed("neither `data` nor `errors`".into()));
            }
            Ok(Read { data, errors })
        }
        Answer::Local(response) => {
            let mut text = Vec::new();
            let source = state.sources.next();
            let data = in_process::decode(response.data, &fetch.shape, source, &mut text, &mut state.tree);
            state.sources.add(text.into());
            let errors = response.errors.into_iter().take(MAX_ERRORS);
            let errors: Vec<_> = errors.map(WireError::from).collect();
            if data.is_none() && errors.is_empty() {
                return Err(CallError::Malformed("neither `data` nor `errors`".into()));
            }
            Ok(Read { data, errors })
        }
    }
}

impl From<async_graphql::ServerError> for WireError {
    fn from(error: async_graphql::ServerError) -> Self {
        let path = error.path.into_iter().map(|segment| match segment {
            async_graphql::PathSegment::Field(name) => WireSegment::Key(name),
            async_graphql::PathSegment::Index(index) => WireSegment::Index(index),
        });
        let extensions = error
            .extensions
            .and_then(|extensions| serde_json::to_value(extensions).ok());
        Self {
            message: error.message,
            path: Some(path.collect()),
            extensions: extensions.and_then(|extensions| match extensions {
                Json::Object(extensions) => Some(extensions),
                _ => None,
            }),
        }
    }
}

/// The error as clients see it, still without its place, and the place in the subgraph's answer.
pub(super) fn client_error(service: &Service, error: WireError) -> (Vec<WireSegment>, GraphQlError) {
    let extensions = error.extensions.unwrap_or_default();
    let seen = masking::client_error(&service.name, service.errors(), error.message, extensions);
    (error.path.unwrap_or_default(), seen)
}

/// A step of a path by the client's names.
pub(super) fn segment(segment: &WireSegment) -> PathSegment {
    match segment {
        WireSegment::Key(key) => PathSegment::Key(client_name(key).into()),
        WireSegment::Index(index) => PathSegment::Index(*index),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_errors_the_first_are_read_and_all_are_checked() {
        let many = format!("[{}{{\"message\":\"last\"}}]", "{},".repeat(MAX_ERRORS + 5));
        let FirstErrors(errors) = serde_json::from_str(&many).expect("errors");
        assert_eq!(errors.len(), MAX_ERRORS);
        let broken = many.replace("\"last\"", "\"last");
        assert!(serde_json::from_str::<FirstErrors>(&broken).is_err());
        let FirstErrors(few) = serde_json::from_str("[{},{}]").expect("errors");
        assert_eq!(few.len(), 2);
    }
}

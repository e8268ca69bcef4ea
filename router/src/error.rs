//! GraphQL errors as clients see them, and the codes that the router itself gives.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// One entry of `errors` in a GraphQL response.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GraphQlError {
    /// For people.
    pub message: String,
    /// Places in the request's document.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
    /// The place in the response, by the client's own names; empty for errors of the request as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<PathSegment>,
    /// For programs: at least `code` on every error that the router makes itself.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub extensions: Map<String, Value>,
}

/// A place in a document, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Location {
    /// The line.
    pub line: usize,
    /// The character within the line.
    pub column: usize,
}

/// One step from the response's root to the place of an error.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PathSegment {
    /// A response key.
    Key(Arc<str>),
    /// A position in a list, from 0.
    Index(usize),
}

/// The codes of errors that the router makes itself, beside those of [`kernel::ErrorCode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The document is not GraphQL.
    ParseFailed,
    /// The document does not fit the schema.
    ValidationFailed,
    /// The document has no such operation, or several and none was named.
    OperationResolutionFailure,
    /// A persisted operation that nobody registered.
    PersistedQueryNotFound,
    /// A text that came with the hash of another one.
    PersistedQueryHashMismatch,
    /// A text where this caller may only name operations by their ids.
    PersistedQueryIdRequired,
    /// A text that this caller may not ask.
    QueryNotInSafelist,
    /// A subscription whose client does not take an answer that goes on.
    SubscriptionNotAcceptable,
    /// More subscriptions than are taken.
    SubscriptionLimit,
    /// A subscription that ended because another schema has taken over.
    SubscriptionSchemaReload,
    /// Something that this router does not do.
    NotSupported,
    /// A code of the whole platform.
    Platform(kernel::ErrorCode),
}

impl Code {
    /// As it stands in `extensions.code`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::OperationResolutionFailure => "OPERATION_RESOLUTION_FAILURE",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::PersistedQueryHashMismatch => "PERSISTED_QUERY_HASH_MISMATCH",
            Self::PersistedQueryIdRequired => "PERSISTED_QUERY_ID_REQUIRED",
            Self::QueryNotInSafelist => "QUERY_NOT_IN_SAFELIST",
            Self::SubscriptionNotAcceptable => "SUBSCRIPTION_NOT_ACCEPTABLE",
            Self::SubscriptionLimit => "SUBSCRIPTION_LIMIT",
            Self::SubscriptionSchemaReload => "SUBSCRIPTION_SCHEMA_RELOAD",
            Self::NotSupported => "NOT_SUPPORTED",
            Self::Platform(code) => code.as_str(),
        }
    }
}

impl From<kernel::ErrorCode> for Code {
    fn from(code: kernel::ErrorCode) -> Self {
        Self::Platform(code)
    }
}

impl GraphQlError {
    /// An error with a code, without a place.
    pub fn new(code: impl Into<Code>, message: impl Into<String>) -> Self {
        let mut extensions = Map::new();
        extensions.insert("code".to_owned(), code.into().as_str().into());
        Self {
            message: message.into(),
            locations: Vec::new(),
            path: Vec::new(),
            extensions,
        }
    }

    /// The fixed text that stands for every fault of the router itself; its cause goes to the log.
    pub fn internal() -> Self {
        Self::new(kernel::ErrorCode::Internal, "internal error")
    }

    /// The same error with one more extension.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extensions.insert(name.to_owned(), value.into());
        self
    }

    /// The same error at a place in the response.
    #[must_use]
    pub fn at(mut self, path: Vec<PathSegment>) -> Self {
        self.path = path;
        self
    }

    /// `extensions.code`.
    pub fn code(&self) -> Option<&str> {
        self.extensions.get("code").and_then(Value::as_str)
    }
}

impl fmt::Display for GraphQlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Serialize for PathSegment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Key(key) => serializer.serialize_str(key),
            Self::Index(index) => serializer.serialize_u64(*index as u64),
        }
    }
}

impl From<&str> for PathSegment {
    fn from(key: &str) -> Self {
        Self::Key(key.into())
    }
}

impl From<usize> for PathSegment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl fmt::Display for PathSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::Index(index) => write!(f, "{index}"),
        }
    }
}

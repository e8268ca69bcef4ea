//! Refusals, which the caller can act upon, and internal errors, of which the caller learns nothing.

use std::borrow::Cow;
use std::fmt;

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a use case did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller is told, with a stable code.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The caller is told a fixed text; the cause goes to the log once.
    #[error("internal error: {0}")]
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

/// The stable codes of the API, each with its HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// No principal, or one that has expired (401).
    Unauthenticated,
    /// The principal may not do this (403).
    Forbidden,
    /// It does not exist, or the principal may not see it (404).
    NotFound,
    /// The input breaks a rule; `issues` say which (422).
    BadUserInput,
    /// The state does not allow it; the reason is one more code (409).
    Conflict,
    /// Too many requests (429).
    RateLimited,
    /// The request would cost too much (400).
    CostLimitExceeded,
    /// Something that is needed does not answer; the same request may be sent again later (503).
    ServiceUnavailable,
    /// A fault of the platform (500).
    Internal,
}

/// An answer that says no: stable code, localised message, and for bad input every issue at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The stable code.
    pub code: ErrorCode,
    /// For conflicts: which one, as a stable code such as `ALREADY_CHECKED_IN`.
    pub reason: Option<&'static str>,
    /// What the message says.
    pub text: Text,
    /// What is wrong with the input, by place.
    pub issues: Vec<Issue>,
    /// Seconds after which the same request may succeed.
    pub retry_after: Option<u64>,
}

/// One thing that is wrong with the input.
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    /// Where, from the operation's arguments on: `["input", "goal", "value"]`.
    pub path: Vec<PathSegment>,
    /// The rule that is broken, as a stable code such as `TOO_LONG`.
    pub code: &'static str,
    /// What the message says.
    pub text: Text,
}

/// One step of the path to a bad input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathSegment {
    /// A field or an argument.
    Field(Cow<'static, str>),
    /// A position in a list, from 0.
    Index(usize),
}

/// A text by its key in the catalogues, with the values it mentions.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// The key, which is the same in every language.
    pub key: &'static str,
    /// Named values.
    pub args: Vec<(&'static str, TextArg)>,
}

/// A value that a text mentions.
#[derive(Debug, Clone, PartialEq)]
pub enum TextArg {
    /// Shown by the rules of the language.
    Number(f64),
    /// Shown as it is.
    String(String),
}

impl Error {
    /// A fault of the platform with its cause.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    /// The code that the caller sees.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Refused(refusal) => refusal.code,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }

    /// Whether this is a conflict for that reason.
    pub fn is_conflict(&self, reason: &str) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code == ErrorCode::Conflict && refusal.reason == Some(reason))
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl ErrorCode {
    /// As it stands in `extensions.code`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::Conflict => "CONFLICT",
            Self::RateLimited => "RATE_LIMITED",
            Self::CostLimitExceeded => "COST_LIMIT_EXCEEDED",
            Self::ServiceUnavailable => "SERVICE_UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }

    /// The HTTP status of a REST answer with this code.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::BadUserInput => 422,
            Self::Conflict => 409,
            Self::RateLimited => 429,
            Self::CostLimitExceeded => 400,
            Self::ServiceUnavailable => 503,
            Self::Internal => 500,
        }
    }

    /// The code of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::Unauthenticated,
            Self::Forbidden,
            Self::NotFound,
            Self::BadUserInput,
            Self::Conflict,
            Self::RateLimited,
            Self::CostLimitExceeded,
            Self::ServiceUnavailable,
            Self::Internal,
        ]
        .into_iter()
        .find(|code| code.as_str() == name)
    }
}

impl Refusal {
    /// A refusal with a code and a text.
    pub fn new(code: ErrorCode, text: Text) -> Self {
        Self {
            code,
            reason: None,
            text,
            issues: Vec::new(),
            retry_after: None,
        }
    }

    /// Nobody is logged in.
    pub fn unauthenticated() -> Self {
        Self::new(ErrorCode::Unauthenticated, Text::new("unauthenticated"))
    }

    /// Somebody is logged in who may not do this.
    pub fn forbidden() -> Self {
        Self::new(ErrorCode::Forbidden, Text::new("forbidden"))
    }

    /// What was named does not exist for this caller.
    pub fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, Text::new("not-found"))
    }

    /// The state does not allow it. The text's key is the reason in kebab case.
    pub fn conflict(reason: &'static str, text: Text) -> Self {
        Self {
            reason: Some(reason),
            ..Self::new(ErrorCode::Conflict, text)
        }
    }

    /// The input is bad in at least one place.
    pub fn bad_input(issues: Vec<Issue>) -> Self {
        Self {
            issues,
            ..Self::new(ErrorCode::BadUserInput, Text::new("bad-user-input"))
        }
    }

    /// Something that is needed does not answer.
    pub fn unavailable(retry_after: u64) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(ErrorCode::ServiceUnavailable, Text::new("service-unavailable"))
        }
    }

    /// Too many requests.
    pub fn rate_limited(retry_after: u64) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(ErrorCode::RateLimited, Text::new("rate-limited"))
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code.as_str())?;
        if let Some(reason) = self.reason {
            write!(f, " {reason}")?;
        }
        for issue in &self.issues {
            write!(f, " {}", issue.code)?;
            for segment in &issue.path {
                write!(f, ".{segment}")?;
            }
        }
        Ok(())
    }
}

impl Text {
    /// A text that mentions nothing.
    pub const fn new(key: &'static str) -> Self {
        Self {
            key,
            args: Vec::new(),
        }
    }

    /// The same text, mentioning one more value.
    pub fn with(mut self, name: &'static str, value: impl Into<TextArg>) -> Self {
        self.args.push((name, value.into()));
        self
    }
}

impl From<f64> for TextArg {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<i32> for TextArg {
    fn from(value: i32) -> Self {
        Self::Number(value.into())
    }
}

impl From<u32> for TextArg {
    fn from(value: u32) -> Self {
        Self::Number(value.into())
    }
}

impl From<usize> for TextArg {
    fn from(value: usize) -> Self {
        Self::Number(value as f64)
    }
}

impl From<String> for TextArg {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<&str> for TextArg {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<&'static str> for PathSegment {
    fn from(field: &'static str) -> Self {
        Self::Field(field.into())
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
            Self::Field(name) => f.write_str(name),
            Self::Index(index) => write!(f, "{index}"),
        }
    }
}

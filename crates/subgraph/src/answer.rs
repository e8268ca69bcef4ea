//! Turns what use cases return into what GraphQL answers: errors with stable codes and localised messages.

use async_graphql::{Context, ErrorExtensionValues, Value};
use kernel::{Error, ErrorCode, Issue, Locale, PathSegment, Refusal, Text};

use crate::caller::Caller;
use crate::texts;

/// How resolvers answer.
pub trait Answer {
    /// For a field that is never null: the value or the error.
    fn answer<T>(&self, result: Result<T, impl Into<Error>>) -> async_graphql::Result<T>;

    /// For a field that may be null: an error stands beside it and does not spread to its siblings, as
    /// async-graphql would let it.
    fn nullable<T>(&self, result: Result<Option<T>, impl Into<Error>>) -> Option<T>;
}

impl Answer for Context<'_> {
    fn answer<T>(&self, result: Result<T, impl Into<Error>>) -> async_graphql::Result<T> {
        result.map_err(|error| to_graphql(&error.into(), self.caller().locale))
    }

    fn nullable<T>(&self, result: Result<Option<T>, impl Into<Error>>) -> Option<T> {
        match result {
            Ok(value) => value,
            Err(error) => {
                let error = to_graphql(&error.into(), self.caller().locale);
                self.add_error(self.set_error_path(error.into_server_error(self.item.pos)));
                None
            }
        }
    }
}

/// The GraphQL form of an error. An internal one is logged here, once, and shown without its cause.
pub fn to_graphql(error: &Error, locale: Locale) -> async_graphql::Error {
    match error {
        Error::Refused(refusal) => refused(refusal, locale),
        Error::Internal(cause) => {
            tracing::error!(error.type = "INTERNAL", error = %cause, "internal error");
            refused(&Refusal::new(ErrorCode::Internal, Text::new("internal")), locale)
        }
    }
}

fn refused(refusal: &Refusal, locale: Locale) -> async_graphql::Error {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", refusal.code.as_str());
    if let Some(reason) = refusal.reason {
        extensions.set("reason", reason);
    }
    if let Some(seconds) = refusal.retry_after {
        extensions.set("retryAfter", seconds);
    }
    if !refusal.issues.is_empty() {
        extensions.set(
            "issues",
            Value::List(refusal.issues.iter().map(|one| issue(one, locale)).collect()),
        );
    }
    let mut error = async_graphql::Error::new(texts::render(&refusal.text, locale));
    error.extensions = Some(extensions);
    error
}

fn issue(issue: &Issue, locale: Locale) -> Value {
    let path = issue.path.iter().map(|segment| match segment {
        PathSegment::Field(name) => Value::from(name.to_string()),
        PathSegment::Index(index) => Value::from(*index),
    });
    let fields = [
        ("path", Value::List(path.collect())),
        ("code", Value::from(issue.code)),
        ("message", Value::from(texts::render(&issue.text, locale))),
    ];
    Value::Object(
        fields
            .into_iter()
            .map(|(name, value)| (async_graphql::Name::new(name), value))
            .collect(),
    )
}

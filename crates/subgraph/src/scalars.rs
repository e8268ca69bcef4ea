//! The scalars of the API. As input they hold what the client sent; [`crate::input`] judges it, so that every
//! bad value becomes an issue with its path.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use jiff::Timestamp;

macro_rules! text_scalars {
    ($($(#[$doc:meta])* $name:ident($graphql:literal $(, $url:literal)?);)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $name(pub String);

        $(#[$doc])*
        #[Scalar(name = $graphql $(, specified_by_url = $url)?)]
        impl ScalarType for $name {
            fn parse(value: Value) -> InputValueResult<Self> {
                match value {
                    Value::String(text) => Ok(Self(text)),
                    other => Err(InputValueError::expected_type(other)),
                }
            }

            fn to_value(&self) -> Value {
                Value::String(self.0.clone())
            }
        }
    )*};
}

text_scalars! {
    /// A civil date without a time, as `YYYY-MM-DD` (RFC 3339 full-date).
    Date("Date", "https://scalars.graphql.org/andimarek/local-date.html");
    /// A time of day without a date, as `HH:MM` from `00:00` to `23:59`.
    TimeOfDay("TimeOfDay");
    /// The name of a time zone of the IANA database, such as `Asia/Shanghai`; never an offset.
    TimeZone("TimeZone");
    /// An absolute `http` or `https` address (RFC 3986).
    Url("URL", "https://datatracker.ietf.org/doc/html/rfc3986");
    /// An instant in UTC with milliseconds, as RFC 3339: `2026-03-29T01:00:00.000Z`.
    DateTime("DateTime", "https://scalars.graphql.org/andimarek/date-time.html");
}

impl From<Timestamp> for DateTime {
    fn from(instant: Timestamp) -> Self {
        Self(format!("{instant:.3}"))
    }
}

impl From<jiff::civil::Date> for Date {
    fn from(date: jiff::civil::Date) -> Self {
        Self(date.to_string())
    }
}

impl From<jiff::civil::Time> for TimeOfDay {
    fn from(time: jiff::civil::Time) -> Self {
        Self(format!("{:02}:{:02}", time.hour(), time.minute()))
    }
}

/// Any JSON value; only where the shape is free by design.
#[derive(Debug, Clone, PartialEq)]
pub struct Json(pub serde_json::Value);

/// Any JSON value; only where the shape is free by design.
#[Scalar(name = "JSON")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(value.into_json()?))
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_always_have_milliseconds() {
        let instant: Timestamp = "2026-03-29T01:00:00Z".parse().unwrap();
        assert_eq!(DateTime::from(instant).0, "2026-03-29T01:00:00.000Z");
    }
}

//! Which share of the requests each label of a progressive `@override` is on for.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Hundred-millionths of a percent in all requests: as exact as `percent(…)` may be.
pub(crate) const ALL_REQUESTS: u64 = 100 * ONE_PERCENT;

const ONE_PERCENT: u64 = 100_000_000;

/// What the labels of `@override` say that are names; those that are `percent(…)` say it themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OverridesConfig {
    /// By label: `true`, `false`, or percents of the requests. A label that is not named is off, so the subgraph that had
    /// the field before answers.
    pub labels: BTreeMap<String, RequestShare>,
}

/// A share of the requests: `true`, `false`, or percents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestShare(u64);

impl RequestShare {
    /// All requests, or none.
    pub const fn all(is_on: bool) -> Self {
        Self(if is_on { ALL_REQUESTS } else { 0 })
    }

    /// So many percents of the requests; `None` if that is not between 0 and 100.
    pub fn percent(percent: f64) -> Option<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "it is between 0 and 100"
        )]
        (0.0..=100.0)
            .contains(&percent)
            .then(|| Self((percent * ONE_PERCENT as f64).round() as u64))
    }

    /// In hundred-millionths of a percent.
    pub(crate) fn get(self) -> u64 {
        self.0
    }
}

impl Serialize for RequestShare {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(clippy::cast_precision_loss, reason = "it is small enough to be exact")]
        serializer.serialize_f64(self.0 as f64 / ONE_PERCENT as f64)
    }
}

impl<'de> Deserialize<'de> for RequestShare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Switch(bool),
            Percent(f64),
        }
        let wrong = || D::Error::custom("expected true, false, or percents between 0 and 100");
        match Written::deserialize(deserializer).map_err(|_| wrong())? {
            Written::Switch(is_on) => Ok(Self::all(is_on)),
            Written::Percent(percent) => Self::percent(percent).ok_or_else(wrong),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn a_share_is_a_switch_or_percents() {
        let read = |value| from_value::<RequestShare>(value).map(RequestShare::get);
        assert_eq!(read(json!(true)).unwrap(), ALL_REQUESTS);
        assert_eq!(read(json!(false)).unwrap(), 0);
        assert_eq!(read(json!(7)).unwrap(), 700_000_000);
        assert_eq!(read(json!(0.29)).unwrap(), 29_000_000);
        for wrong in [json!(-1), json!(100.5), json!("half"), json!(null)] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.contains("between 0 and 100"), "{error}");
        }
        let share = RequestShare::percent(0.29).unwrap();
        assert_eq!(
            from_value::<RequestShare>(to_value(share).unwrap()).unwrap(),
            share
        );
    }
}

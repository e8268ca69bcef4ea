//! For how long and for whom an answer holds: by what was said of it, and what clients are told.

use std::time::Duration;

use http::header::{AGE, CACHE_CONTROL, VARY};
use http::{HeaderMap, StatusCode};

use super::hints::Declared;
use crate::config::ResponseCacheConfig;

/// For how long and for whom an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheControl {
    /// Seconds from now.
    pub max_age: u32,
    /// Whether it is for this caller only.
    pub is_private: bool,
}

/// What a subgraph says with an answer (<https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2>).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// Seconds for which it holds from now on.
    pub(crate) max_age: Option<u32>,
    /// It is for this caller only.
    pub(crate) is_private: bool,
    /// It is for everybody.
    pub(crate) is_public: bool,
    /// It is not to be kept.
    pub(crate) no_store: bool,
}

/// For how long and for whom a whole answer holds: the least of its parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Nothing was asked yet.
    #[default]
    Unasked,
    /// So long.
    Fresh(CacheControl),
    /// Not at all.
    Stale,
}

impl Said {
    /// What an answer's head says.
    pub(crate) fn of(status: StatusCode, headers: &HeaderMap) -> Self {
        let mut said = Self {
            no_store: status != StatusCode::OK,
            ..Self::default()
        };
        let (mut own, mut shared) = (None, None);
        for value in headers.get_all(CACHE_CONTROL) {
            let Ok(text) = value.to_str() else {
                said.no_store = true;
                continue;
            };
            for directive in text.split(',') {
                let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
                let value = value.trim().trim_matches('"');
                match name.trim().to_ascii_lowercase().as_str() {
                    "no-store" | "no-cache" => said.no_store = true,
                    "private" => said.is_private = true,
                    "public" => said.is_public = true,
                    "max-age" => own = Some(least(own, seconds(value))),
                    "s-maxage" => shared = Some(least(shared, seconds(value))),
                    _ => {}
                }
            }
        }
        said.is_public |= shared.is_some();
        said.is_public &= !said.is_private;
        let age = headers.get(AGE).and_then(|value| value.to_str().ok());
        let age = age.and_then(|age| number(age.trim())).unwrap_or(0);
        said.max_age = shared.or(own).map(|max_age| max_age.saturating_sub(age));
        let varies = |value: &http::HeaderValue| value.to_str().is_ok_and(|value| value.contains('*'));
        said.no_store |= headers.get_all(VARY).iter().any(varies);
        said
    }

    /// What an answer of this process says. Its 0 is that it says nothing, and -1 that it must not be kept.
    pub(crate) fn local(said: async_graphql::CacheControl) -> Self {
        Self {
            max_age: u32::try_from(said.max_age).ok().filter(|max_age| *max_age > 0),
            is_private: !said.public,
            is_public: false,
            no_store: said.max_age < 0,
        }
    }

    /// For how long and for whom the answer holds. `tells` whether the subgraph knew who asks: then what is not said to be
    /// for everybody is for this caller.
    pub(crate) fn settle(
        self,
        declared: &Declared,
        config: &ResponseCacheConfig,
        tells: bool,
    ) -> Option<CacheControl> {
        if self.no_store {
            return None;
        }
        let said = match (self.max_age, declared.is_silent) {
            (None, true) => Some(config.default_max_age_s),
            (said, _) => said,
        };
        let max_age = [said, declared.max_age].into_iter().flatten().min()?;
        let max_age = max_age.min(config.max_age_s);
        let is_public = self.is_public || declared.is_public;
        let is_private = self.is_private || declared.is_private || (tells && !is_public);
        let keeps = max_age > 0 && (config.private || !is_private);
        keeps.then_some(CacheControl { max_age, is_private })
    }
}

impl CacheControl {
    /// How long it holds.
    pub(crate) fn lifetime(self) -> Duration {
        Duration::from_secs(self.max_age.into())
    }

    /// The value of the header.
    pub fn header(self) -> String {
        let scope = if self.is_private { "private" } else { "public" };
        format!("max-age={}, {scope}", self.max_age)
    }
}

impl Freshness {
    /// With other parts.
    pub(crate) fn with(self, other: Self) -> Self {
        match other {
            Self::Unasked => self,
            Self::Fresh(other) => self.and(Some(other)),
            Self::Stale => Self::Stale,
        }
    }

    /// With another part.
    pub(crate) fn and(self, other: Option<CacheControl>) -> Self {
        match (self, other) {
            (Self::Stale, _) | (_, None) => Self::Stale,
            (Self::Unasked, Some(other)) => Self::Fresh(other),
            (Self::Fresh(own), Some(other)) => Self::Fresh(CacheControl {
                max_age: own.max_age.min(other.max_age),
                is_private: own.is_private || other.is_private,
            }),
        }
    }
}

fn least(known: Option<u32>, other: u32) -> u32 {
    known.map_or(other, |known| known.min(other))
}

/// What is no number holds no longer (RFC 9111, 4.2.1).
fn seconds(text: &str) -> u32 {
    number(text).unwrap_or(0)
}

/// A number, however great.
fn number(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn said(lines: &[(&'static str, &'static str)]) -> Said {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        Said::of(StatusCode::OK, &headers)
    }

    fn control(value: &'static str) -> Said {
        said(&[("cache-control", value)])
    }

    fn kept(said: Said, declared: Declared, tells: bool) -> Option<String> {
        let settled = said.settle(&declared, &ResponseCacheConfig::default(), tells);
        settled.map(CacheControl::header)
    }

    const SILENT: Declared = Declared {
        max_age: None,
        is_silent: true,
        is_private: false,
        is_public: false,
    };

    const MINUTE: Declared = Declared {
        max_age: Some(60),
        is_silent: false,
        is_private: false,
        is_public: false,
    };

    #[test]
    fn without_a_word_nothing_is_kept() {
        assert_eq!(kept(said(&[]), SILENT, false), None);
        assert_eq!(kept(control("public"), SILENT, false), None);
    }

    #[test]
    fn the_header_decides_where_the_schema_is_silent() {
        assert_eq!(
            kept(control("max-age=5"), SILENT, false).unwrap(),
            "max-age=5, public"
        );
        let shared = control("max-age=5, s-maxage=9");
        assert_eq!(kept(shared, SILENT, true).unwrap(), "max-age=9, public");
        let aged = said(&[("cache-control", "public, Max-Age=\"50\""), ("age", "20")]);
        assert_eq!(kept(aged, SILENT, true).unwrap(), "max-age=30, public");
        let split = said(&[("cache-control", "max-age=50"), ("cache-control", "private")]);
        assert_eq!(kept(split, SILENT, false).unwrap(), "max-age=50, private");
    }

    #[test]
    fn the_less_of_both_holds_and_private_wins() {
        assert_eq!(kept(said(&[]), MINUTE, false).unwrap(), "max-age=60, public");
        assert_eq!(
            kept(control("max-age=5"), MINUTE, false).unwrap(),
            "max-age=5, public"
        );
        assert_eq!(
            kept(control("max-age=500, private"), MINUTE, false).unwrap(),
            "max-age=60, private"
        );
        assert_eq!(
            kept(control("public, private, max-age=9"), MINUTE, false).unwrap(),
            "max-age=9, private"
        );
    }

    #[test]
    fn what_is_not_said_to_be_for_everybody_is_for_the_one_who_was_told_of() {
        assert_eq!(
            kept(control("max-age=5"), SILENT, true).unwrap(),
            "max-age=5, private"
        );
        assert_eq!(kept(said(&[]), MINUTE, true).unwrap(), "max-age=60, private");
    }

    #[test]
    fn what_must_not_be_kept_is_not() {
        for value in [
            "no-store",
            "no-cache",
            "max-age=0",
            "max-age=-1",
            "max-age=x",
            "max-age",
            "No-Store, max-age=9",
        ] {
            assert_eq!(kept(control(value), MINUTE, false), None, "{value}");
        }
        let varying = said(&[("cache-control", "max-age=9"), ("vary", "*")]);
        assert_eq!(kept(varying, MINUTE, false), None);
        assert_eq!(
            kept(
                Said::of(StatusCode::INTERNAL_SERVER_ERROR, &HeaderMap::new()),
                MINUTE,
                false
            ),
            None
        );
        let old = said(&[("cache-control", "max-age=9"), ("age", "10")]);
        assert_eq!(kept(old, SILENT, false), None);
    }

    #[test]
    fn numbers_beyond_all_bounds_mean_for_as_long_as_may_be() {
        let long = control("max-age=99999999999999999999");
        assert_eq!(kept(long, SILENT, false).unwrap(), "max-age=86400, public");
    }
}

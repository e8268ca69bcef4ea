//! The languages that texts exist in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A language that every user-facing text exists in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Locale {
    /// English, also what is used where nothing else is asked for.
    #[default]
    #[serde(rename = "en")]
    En,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    ZhCn,
}

impl Locale {
    /// Every language, the default first.
    pub const ALL: [Self; 2] = [Self::En, Self::ZhCn];

    /// The BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::ZhCn => "zh-CN",
        }
    }

    /// The best language for an `Accept-Language` header (RFC 9110 §12.5.4), by quality, then by order.
    pub fn from_accept_language(header: &str) -> Self {
        let mut best: Option<(Self, f32)> = None;
        for range in header.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let Some(locale) = parts.next().and_then(|tag| tag.parse().ok()) else {
                continue;
            };
            let quality = parts
                .find_map(|part| part.strip_prefix("q="))
                .map_or(Some(1.0), |q| q.parse::<f32>().ok());
            let Some(quality) = quality.filter(|quality| *quality > 0.0) else {
                continue;
            };
            if best.is_none_or(|(_, other)| quality > other) {
                best = Some((locale, quality));
            }
        }
        best.map(|(locale, _)| locale).unwrap_or_default()
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

impl FromStr for Locale {
    type Err = ();

    /// Takes any tag of a language that is known: `zh`, `zh_CN` and `zh-Hans-CN` are all Chinese.
    fn from_str(tag: &str) -> Result<Self, ()> {
        match tag
            .split(['-', '_'])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
            .as_str()
        {
            "en" => Ok(Self::En),
            "zh" => Ok(Self::ZhCn),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_language_wins() {
        for (header, expected) in [
            ("", Locale::En),
            ("zh-CN,zh;q=0.9,en;q=0.8", Locale::ZhCn),
            ("fr, en;q=0.3, zh;q=0.7", Locale::ZhCn),
            ("zh;q=0, en;q=0.1", Locale::En),
            ("de, *;q=0.1", Locale::En),
            ("zh;q=nonsense", Locale::En),
        ] {
            assert_eq!(Locale::from_accept_language(header), expected, "{header}");
        }
    }
}

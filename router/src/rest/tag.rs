//! Entity tags (RFC 9110 §8.8.3), strong: made from the bytes of the answer, and naming the version of an
//! answer that has one, so that `If-Match` can be turned into the version that an update expects.

use std::hash::Hasher as _;

use http::HeaderMap;
use http::header::IF_NONE_MATCH;

/// What `If-Match` asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// Any version, as long as there is one.
    Any,
    /// This version.
    Version(i32),
}

/// The tag of a representation.
pub(super) fn of(body: &[u8], version: Option<i32>) -> String {
    // SipHash with fixed keys: equal bytes get equal tags in every process of one build, which is all that a
    // validator needs. After a new build clients fetch once more.
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(body);
    let hash = hasher.finish();
    match version {
        Some(version) => format!("\"{version}.{hash:016x}\""),
        None => format!("\"{hash:016x}\""),
    }
}

/// Whether the client has the representation already. Comparison is weak (RFC 9110 §13.1.2): a proxy that
/// compresses marks the tag as weak.
pub(super) fn none_match(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    // Our tags hold no commas.
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag)
}

/// Reads `If-Match`: `*`, a tag that [`of`] made, or just the version in quotes. `None` for anything else.
pub(super) fn condition(header: &str) -> Option<Condition> {
    let header = header.trim();
    if header == "*" {
        return Some(Condition::Any);
    }
    let tag = header.strip_prefix('"')?.strip_suffix('"')?;
    let version = tag.split_once('.').map_or(tag, |(version, _)| version);
    let is_number = !version.is_empty() && version.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| version.parse().ok().map(Condition::Version))?
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_tag_leads_back_to_the_version_it_names() {
        assert_eq!(condition(&of(b"{}", Some(7))), Some(Condition::Version(7)));
        assert_eq!(condition("\"3\""), Some(Condition::Version(3)));
        assert_eq!(condition("*"), Some(Condition::Any));
    }

    #[test]
    fn a_tag_without_a_version_is_no_condition() {
        for header in [
            "",
            "3",
            "\"\"",
            "\"x.1\"",
            "W/\"3\"",
            "\"3\", \"4\"",
            "\"-3\"",
            "\"99999999999\"",
        ] {
            assert_eq!(condition(header), None, "{header}");
        }
    }

    #[test]
    fn a_client_that_has_the_answer_is_recognised() {
        let tag = of(b"{}", None);
        let mut headers = HeaderMap::new();
        assert!(!none_match(&headers, &tag));
        headers.append(IF_NONE_MATCH, HeaderValue::from_static("\"0\", \"1\""));
        assert!(!none_match(&headers, &tag));
        let weak = format!("W/{tag}");
        headers.append(IF_NONE_MATCH, HeaderValue::from_str(&weak).expect("a header"));
        assert!(none_match(&headers, &tag));
        assert_ne!(tag, of(b"{} ", None));
    }
}

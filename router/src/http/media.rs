//! Media types: what a request's body is, and what its answer should be.

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};

/// The media type of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MediaType {
    /// Status codes tell whether the request was executed.
    GraphQl,
    /// The older one: 200 for every well-formed request.
    Json,
}

impl MediaType {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::GraphQl => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// What the client takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accepted {
    /// Of an answer that is all there and not an event.
    pub(super) media_type: MediaType,
    /// Of an answer that goes on; `None` if the client does not take any, or likes others better.
    pub(super) delivery: Option<Delivery>,
    /// Whether an answer may come in parts, in the form that <https://specs.apollo.dev/incremental/v0.1/> describes.
    pub(super) parts: bool,
}

/// How an answer that goes on is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// As server-sent events, whatever is asked.
    Events,
    /// In parts, for a subscription.
    Parts,
}

/// What the client takes; `None` if that is nothing that there is.
pub(super) fn accepted(headers: &HeaderMap) -> Option<Accepted> {
    let delivery = delivery(headers);
    let parts = delivery != Some(Delivery::Events) && takes_multipart(headers, "deferSpec", "20220824");
    let media_type = match media_type(headers) {
        Some(media_type) => media_type,
        // Who takes nothing else gets the errors of requests so.
        None if parts => MediaType::Json,
        None if delivery.is_some() => MediaType::GraphQl,
        None => return None,
    };
    Some(Accepted {
        media_type,
        delivery,
        parts,
    })
}

/// The media type that the client likes best; `None` if it takes neither.
fn media_type(headers: &HeaderMap) -> Option<MediaType> {
    let ranges = ranges(headers);
    if ranges.is_empty() {
        return Some(MediaType::Json);
    }
    let graphql = weight(&ranges, "application", "graphql-response+json");
    let json = weight(&ranges, "application", "json");
    match (graphql > 0.0, json > 0.0) {
        (false, false) => None,
        (true, false) => Some(MediaType::GraphQl),
        (false, true) => Some(MediaType::Json),
        // Of two that are liked alike the one that is named wins; with none named, the older one.
        (true, true) => {
            let named = ranges
                .iter()
                .any(|range| range.subtype == "graphql-response+json");
            if named && graphql >= json {
                Some(MediaType::GraphQl)
            } else {
                Some(MediaType::Json)
            }
        }
    }
}

/// How a client takes an answer that goes on, if it does and likes nothing else better.
fn delivery(headers: &HeaderMap) -> Option<Delivery> {
    if takes_multipart(headers, "subscriptionSpec", "1.0") {
        return Some(Delivery::Parts);
    }
    let ranges = ranges(headers);
    let is_named = ranges
        .iter()
        .any(|range| range.kind == "text" && range.subtype == "event-stream" && range.weight > 0.0);
    let others =
        weight(&ranges, "application", "graphql-response+json").max(weight(&ranges, "application", "json"));
    (is_named && weight(&ranges, "text", "event-stream") >= others).then_some(Delivery::Events)
}

/// Whether `multipart/mixed` with that parameter is among what the client takes.
fn takes_multipart(headers: &HeaderMap, wanted: &str, specification: &str) -> bool {
    texts(headers).any(|text| {
        let mut parts = text.split(';').map(str::trim);
        let is_multipart = parts
            .next()
            .is_some_and(|it| it.eq_ignore_ascii_case("multipart/mixed"));
        let mut parameters = parts.filter_map(|parameter| parameter.split_once('='));
        is_multipart
            && parameters.any(|(name, value)| {
                name.eq_ignore_ascii_case(wanted) && value.trim_matches('"') == specification
            })
            && parse(text).is_some_and(|range| range.weight > 0.0)
    })
}

/// Whether a browser opens the address as a page.
pub(super) fn prefers_html(headers: &HeaderMap) -> bool {
    let ranges = ranges(headers);
    let json = weight(&ranges, "application", "json");
    let named = ranges
        .iter()
        .any(|range| range.kind == "text" && range.subtype == "html");
    named && weight(&ranges, "text", "html") >= json
}

/// Whether the body is JSON in UTF-8.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    is_json && utf8
}

struct Range<'h> {
    kind: &'h str,
    subtype: &'h str,
    weight: f32,
}

fn ranges(headers: &HeaderMap) -> Vec<Range<'_>> {
    texts(headers).filter_map(parse).collect()
}

/// The entries of `Accept`.
fn texts(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(ACCEPT).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(','))
}

fn parse(text: &str) -> Option<Range<'_>> {
    let mut parts = text.split(';').map(str::trim);
    let (kind, subtype) = parts.next()?.split_once('/')?;
    let weight = parts.find_map(|parameter| parameter.strip_prefix("q=")?.parse().ok());
    Some(Range {
        kind,
        subtype,
        weight: weight.unwrap_or(1.0),
    })
}

/// By the most particular range that fits (RFC 9110 §12.5.1).
fn weight(ranges: &[Range<'_>], kind: &str, subtype: &str) -> f32 {
    let fits = |range: &&Range<'_>, exact: u8| match exact {
        2 => range.kind.eq_ignore_ascii_case(kind) && range.subtype.eq_ignore_ascii_case(subtype),
        1 => range.kind.eq_ignore_ascii_case(kind) && range.subtype == "*",
        _ => range.kind == "*" && range.subtype == "*",
    };
    let found = [2, 1, 0]
        .into_iter()
        .find_map(|exact| ranges.iter().find(|range| fits(range, exact)));
    found.map_or(0.0, |range| range.weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(accept: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().expect("a header"));
        headers
    }

    #[test]
    fn the_answer_is_of_the_type_that_the_client_likes_best() {
        for (accept, expected) in [
            ("application/graphql-response+json", Some(MediaType::GraphQl)),
            ("application/json", Some(MediaType::Json)),
            ("*/*", Some(MediaType::Json)),
            ("application/*", Some(MediaType::Json)),
            (
                "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8",
                Some(MediaType::GraphQl),
            ),
            (
                "application/json, application/graphql-response+json;q=0.5",
                Some(MediaType::Json),
            ),
            ("application/json;q=0, */*", Some(MediaType::GraphQl)),
            ("text/html", None),
            ("image/png, application/json;q=0", None),
        ] {
            assert_eq!(media_type(&headers(accept)), expected, "{accept}");
        }
        assert_eq!(media_type(&HeaderMap::new()), Some(MediaType::Json));
    }

    #[test]
    fn parts_are_for_those_who_say_in_which_form_they_take_them() {
        for (accept, expected) in [
            ("multipart/mixed;deferSpec=20220824,application/json", true),
            (
                "multipart/mixed; deferSpec=\"20220824\"; q=0.9, application/json",
                true,
            ),
            ("application/json, Multipart/Mixed ; deferspec=20220824", true),
            ("multipart/mixed;deferSpec=20220824;q=0, application/json", false),
            ("multipart/mixed, application/json", false),
            ("multipart/mixed;deferSpec=20230621", false),
            (
                "multipart/mixed;subscriptionSpec=1.0, application/json;deferSpec=20220824",
                false,
            ),
            ("*/*", false),
        ] {
            let taken = accepted(&headers(accept)).map(|accepted| accepted.parts);
            assert_eq!(taken.unwrap_or_default(), expected, "{accept}");
        }
    }

    #[test]
    fn who_takes_streams_only_is_told_of_errors_all_the_same() {
        let taken = |accept| accepted(&headers(accept)).map(|it| (it.media_type, it.delivery, it.parts));
        let (events, parts) = (Some(Delivery::Events), Some(Delivery::Parts));
        for (accept, expected) in [
            (
                "multipart/mixed;deferSpec=20220824",
                (MediaType::Json, None, true),
            ),
            (
                "multipart/mixed;subscriptionSpec=1.0",
                (MediaType::GraphQl, parts, false),
            ),
            (
                "multipart/mixed;subscriptionSpec=1.0, multipart/mixed;deferSpec=20220824, application/json",
                (MediaType::Json, parts, true),
            ),
            (
                "text/event-stream, multipart/mixed;deferSpec=20220824",
                (MediaType::GraphQl, events, false),
            ),
        ] {
            assert_eq!(taken(accept), Some(expected), "{accept}");
        }
    }

    #[test]
    fn browsers_are_told_from_programs() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert!(prefers_html(&headers(browser)));
        assert!(!prefers_html(&headers("*/*")));
        assert!(!prefers_html(&headers("application/json, text/html;q=0.1")));
    }
}

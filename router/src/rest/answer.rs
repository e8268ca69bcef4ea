//! Turns the engine's answer into an HTTP response: the root field's bytes as they are, with the headers of a
//! read, a page, or something made.

use std::borrow::Cow;
use std::collections::BTreeSet;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LINK, LOCATION, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use kernel::Locale;
use serde::Deserialize;

use super::endpoint::Endpoint;
use super::problem::Problem;
use super::{cut, request, tag};
use crate::{CacheControl, GraphQlError, PathSegment, Response};

/// Lists the parts of an answer that are null because something failed.
pub(super) const PARTIAL: HeaderName = HeaderName::from_static("daka-partial");

/// So long may the list get, in bytes, before positions in lists are written as `*`.
const LONGEST_PARTIAL: usize = 1_000;

/// What the response depends on beside the answer.
pub(super) struct Asked<'r> {
    pub(super) uri: &'r Uri,
    pub(super) headers: &'r HeaderMap,
    pub(super) locale: Locale,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo<'j> {
    has_next_page: bool,
    #[serde(borrow)]
    end_cursor: Option<Cow<'j, str>>,
}

/// The response, or the problem that stands in its place.
pub(super) fn respond(
    endpoint: &Endpoint,
    answer: &Response,
    asked: &Asked<'_>,
) -> Result<http::Response<Bytes>, Box<Problem>> {
    let root = answer
        .field_bytes(&endpoint.root)
        .filter(|root| root.as_ref() != b"null");
    let Some(root) = root else {
        let problem = match answer.errors.as_slice() {
            [] => Problem::not_found(asked.locale),
            errors => Problem::of_errors(errors, endpoint),
        };
        return Err(problem.into());
    };
    let mut response = http::Response::new(Bytes::new());
    *response.status_mut() = endpoint.status;
    let headers = response.headers_mut();
    let whole = answer.errors.is_empty();
    if !whole && let Ok(paths) = HeaderValue::try_from(partial(&answer.errors, endpoint)) {
        headers.insert(PARTIAL, paths);
    }
    if endpoint.is_read() && whole {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        if let Some(control) = answer.cache_control {
            // What else it varies with is not told here.
            let own = CacheControl {
                is_private: true,
                ..control
            };
            insert(headers, CACHE_CONTROL, own.header());
        }
        headers.insert(VARY, HeaderValue::from_static("authorization, accept-language"));
        let version = endpoint.has_version.then(|| version(&root)).flatten();
        let tag = tag::of(&root, version);
        let had = tag::none_match(asked.headers, &tag);
        insert(headers, ETAG, tag);
        if had {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
    } else {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Some(location) = location(endpoint, &root) {
        insert(headers, LOCATION, location);
    }
    if endpoint.status == StatusCode::NO_CONTENT {
        return Ok(response);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = if endpoint.is_page {
        let (nodes, next) = page(&root).ok_or_else(|| {
            tracing::error!(
                endpoint = endpoint.name,
                "the answer of a page does not have the form of one"
            );
            Problem::of_errors(&[], endpoint)
        })?;
        if let Some(cursor) = next {
            let query = request::with_cursor(asked.uri.query().unwrap_or_default(), &cursor);
            insert(
                response.headers_mut(),
                LINK,
                format!("<{}?{query}>; rel=\"next\"", asked.uri.path()),
            );
        }
        nodes
    } else {
        root
    };
    Ok(response)
}

/// The nodes, and the cursor of the next page if there is one.
fn page(root: &Bytes) -> Option<(Bytes, Option<String>)> {
    let (nodes, info) = cut::page(root)?;
    let info: PageInfo<'_> = serde_json::from_slice(info).ok()?;
    let next = info.end_cursor.filter(|_| info.has_next_page);
    Some((root.slice(nodes), next.map(Cow::into_owned)))
}

fn version(root: &[u8]) -> Option<i32> {
    std::str::from_utf8(cut::member(root, "version")?)
        .ok()?
        .parse()
        .ok()
}

fn location(endpoint: &Endpoint, root: &[u8]) -> Option<String> {
    endpoint.location.as_ref()?.fill(|name| {
        let value = cut::member(root, name)?;
        match serde_json::from_slice(value).ok()? {
            serde_json::Value::String(text) => Some(text.into()),
            serde_json::Value::Number(number) => Some(number.to_string().into()),
            _ => None,
        }
    })
}

/// The paths of the errors, from the body on. A long list is shortened by leaving out which items of lists
/// are concerned.
fn partial(errors: &[GraphQlError], endpoint: &Endpoint) -> String {
    let inner = if endpoint.is_page { 2 } else { 1 };
    let path = |error: &GraphQlError, with_index: bool| {
        let steps = error.path.iter().skip(inner).map(|step| match step {
            PathSegment::Index(_) if !with_index => "*".to_owned(),
            step => step.to_string(),
        });
        let path = steps.collect::<Vec<_>>().join(".");
        // An error without a place of its own: something is missing, nobody knows what.
        if path.is_empty() { "*".to_owned() } else { path }
    };
    let join = |with_index: bool| {
        let paths: BTreeSet<String> = errors.iter().map(|error| path(error, with_index)).collect();
        paths.into_iter().collect::<Vec<_>>().join(", ")
    };
    let paths = join(true);
    if paths.len() > LONGEST_PARTIAL {
        join(false)
    } else {
        paths
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: String) {
    match HeaderValue::try_from(value) {
        Ok(value) => {
            headers.insert(name, value);
        }
        Err(error) => tracing::error!(%name, %error, "a response header could not be written"),
    }
}

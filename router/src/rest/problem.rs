//! Errors as problem documents (RFC 9457).

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode};
use kernel::{ErrorCode, Locale};
use serde_json::{Map, Value, json};

use super::endpoint::Endpoint;
use super::place;
use super::rule::{Issue, Step};
use crate::GraphQlError;

/// The media type of problem documents.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// An error, about to be sent.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: String,
    detail: String,
    /// Why it is a conflict, as a stable code.
    reason: Option<String>,
    issues: Vec<Value>,
    /// Seconds after which the same request may succeed.
    retry_after: Option<u64>,
    allow: Option<String>,
    /// What the operation costs, and what it may cost.
    cost: Option<(u64, u64)>,
}

/// What is wrong before any operation runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    NoSuchPath,
    MediaType,
    TooLarge,
    MalformedBody,
}

impl Problem {
    /// A code of the API with its text.
    pub(super) fn new(code: ErrorCode, detail: impl Into<String>, retry_after: Option<u64>) -> Self {
        let status = StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self {
            retry_after,
            ..Self::raw(status, code.as_str(), detail.into())
        }
    }

    /// The request cannot be understood as one for this API.
    pub(super) fn fault(fault: Fault, locale: Locale) -> Self {
        let (status, code, english, chinese) = match fault {
            Fault::NoSuchPath => (
                StatusCode::NOT_FOUND,
                "NOT_FOUND",
                "There is nothing at this path.",
                "此路径不存在。",
            ),
            Fault::MediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UNSUPPORTED_MEDIA_TYPE",
                "The body must be application/json.",
                "请求体必须是 application/json。",
            ),
            Fault::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "PAYLOAD_TOO_LARGE",
                "The request body is too large.",
                "请求体过大。",
            ),
            Fault::MalformedBody => (
                StatusCode::BAD_REQUEST,
                "MALFORMED_BODY",
                "The body is not valid JSON.",
                "请求体不是有效的 JSON。",
            ),
        };
        Self::raw(status, code, pick(locale, english, chinese))
    }

    /// The path exists, with other methods.
    pub(super) fn method_not_allowed(allow: String, locale: Locale) -> Self {
        let detail = pick(
            locale,
            "This path does not have this method.",
            "此路径不支持该方法。",
        );
        Self {
            allow: Some(allow),
            ..Self::raw(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", detail)
        }
    }

    /// The root of the answer is null: what was asked for does not exist, or not for this caller.
    pub(super) fn not_found(locale: Locale) -> Self {
        Self::new(
            ErrorCode::NotFound,
            pick(locale, "It does not exist.", "不存在。"),
            None,
        )
    }

    /// The request does not fit its endpoint.
    pub(super) fn bad_input(issues: &[Issue], locale: Locale) -> Self {
        let detail = pick(
            locale,
            "The input is not valid; see the issues.",
            "输入无效，详见 issues。",
        );
        Self {
            issues: issues.iter().map(|issue| issue.to_json(locale)).collect(),
            ..Self::new(ErrorCode::BadUserInput, detail, None)
        }
    }

    /// The errors of an operation that has no answer. Of several the one that the caller can do most about
    /// stands for all.
    pub(super) fn of_errors(errors: &[GraphQlError], endpoint: &Endpoint) -> Self {
        let rank = |error: &&GraphQlError| {
            let code = error.code().and_then(ErrorCode::parse);
            ORDER
                .iter()
                .position(|other| code == Some(*other))
                .unwrap_or(ORDER.len())
        };
        match errors.iter().min_by_key(rank) {
            Some(error) => Self::of_error(error, endpoint),
            None => Self::new(ErrorCode::Internal, "internal error", None),
        }
    }

    fn of_error(error: &GraphQlError, endpoint: &Endpoint) -> Self {
        let extensions = &error.extensions;
        let text = |name: &str| extensions.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| extensions.get(name).and_then(Value::as_u64);
        let known = error
            .code()
            .and_then(ErrorCode::parse)
            .unwrap_or(ErrorCode::Internal);
        let mut issues = match extensions.get("issues") {
            Some(Value::Array(issues)) => issues.clone(),
            _ => Vec::new(),
        };
        for issue in issues.iter_mut().filter_map(Value::as_object_mut) {
            show_place(issue, endpoint);
        }
        Self {
            code: error.code().unwrap_or(known.as_str()).to_owned(),
            cost: number("cost").zip(number("limit")),
            reason: (known == ErrorCode::Conflict).then(|| text("reason")).flatten(),
            issues,
            ..Self::new(known, error.message.as_str(), number("retryAfter"))
        }
    }

    fn raw(status: StatusCode, code: &str, detail: String) -> Self {
        Self {
            status,
            code: code.to_owned(),
            detail,
            reason: None,
            issues: Vec::new(),
            retry_after: None,
            allow: None,
            cost: None,
        }
    }

    /// As it is sent.
    pub(super) fn into_response(self, trace_id: Option<&str>) -> http::Response<Bytes> {
        let kind = self.reason.as_deref().unwrap_or(&self.code);
        let mut document = json!({
            "type": type_uri(kind),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code,
        });
        if let Some(members) = document.as_object_mut() {
            let optional = [
                ("reason", self.reason.as_ref().map(|reason| json!(reason))),
                ("issues", (!self.issues.is_empty()).then_some(json!(self.issues))),
                ("cost", self.cost.map(|(cost, _)| json!(cost))),
                ("limit", self.cost.map(|(_, limit)| json!(limit))),
                ("retryAfter", self.retry_after.map(|seconds| json!(seconds))),
                ("traceId", trace_id.map(|id| json!(id))),
            ];
            members.extend(
                optional
                    .into_iter()
                    .filter_map(|(name, value)| Some((name.to_owned(), value?))),
            );
        }
        let mut response = http::Response::new(Bytes::from(document.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(Ok(allow)) = self.allow.map(HeaderValue::try_from) {
            headers.insert(ALLOW, allow);
        }
        response
    }
}

/// The value of `Allow` for a path with these methods.
pub(super) fn allow<'m>(methods: impl Iterator<Item = &'m Method>) -> String {
    let mut allow = String::new();
    for method in methods {
        allow.push_str(method.as_str());
        allow.push_str(", ");
        if *method == Method::GET {
            allow.push_str("HEAD, ");
        }
    }
    allow.push_str("OPTIONS");
    allow
}

/// The problem type of a code.
pub(super) fn type_uri(code: &str) -> String {
    format!("urn:problem-type:{}", code.to_ascii_lowercase().replace('_', "-"))
}

/// Which of several errors stands for all: what the caller can do something about comes first.
const ORDER: [ErrorCode; 9] = [
    ErrorCode::Unauthenticated,
    ErrorCode::Forbidden,
    ErrorCode::NotFound,
    ErrorCode::BadUserInput,
    ErrorCode::Conflict,
    ErrorCode::RateLimited,
    ErrorCode::CostLimitExceeded,
    ErrorCode::ServiceUnavailable,
    ErrorCode::Internal,
];

/// Says where the request has what an issue is about: a subgraph knows the argument only.
fn show_place(issue: &mut Map<String, Value>, endpoint: &Endpoint) {
    let argument = issue.get("path").and_then(Value::as_array);
    let argument: Option<Vec<Step>> = argument.and_then(|path| path.iter().map(Step::of_json).collect());
    let Some(argument) = argument else {
        return;
    };
    let place = place::of_argument(endpoint, &argument);
    let path = place.path.iter().map(Step::to_json).collect();
    issue.insert("path".to_owned(), path);
    if let Some(parameter) = place.parameter {
        issue.insert("parameter".to_owned(), json!(parameter));
    }
}

fn pick(locale: Locale, english: &str, chinese: &str) -> String {
    match locale {
        Locale::En => english.to_owned(),
        Locale::ZhCn => chinese.to_owned(),
    }
}

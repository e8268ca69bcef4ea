//! Carries a trace from process to process, in the headers of W3C Trace Context (<https://www.w3.org/TR/trace-context/>).

use std::sync::LazyLock;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

static W3C: LazyLock<TraceContextPropagator> = LazyLock::new(TraceContextPropagator::new);

/// Makes a new span part of the trace that the headers of a received request name. Headers that name none, or cannot be
/// read, change nothing. To be called before the span is entered.
pub fn adopt(span: &Span, headers: &HeaderMap) {
    let context = W3C.extract(&Received(headers));
    if context.span().span_context().is_valid() {
        // It fails where no traces are made, and then there is nothing to do.
        let _ = span.set_parent(context);
    }
}

/// Names the current span to whoever gets these headers, in place of what they named before. Does nothing where no
/// traces are made.
pub fn inject(headers: &mut HeaderMap) {
    let context = Span::current().context();
    if context.span().span_context().is_valid() {
        W3C.inject_context(&context, &mut Sent(headers));
    }
}

/// The `traceparent` of the current span, for messages that carry no headers. None where no traces are made.
pub fn traceparent() -> Option<String> {
    let mut headers = HeaderMap::new();
    inject(&mut headers);
    headers
        .get("traceparent")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

/// Links a span to the one that a `traceparent` names: what it does was caused there, in a trace of its own. One that
/// cannot be read, and a place where no traces are made, change nothing.
pub fn link(span: &Span, traceparent: &str) {
    let Ok(value) = HeaderValue::from_str(traceparent) else {
        return;
    };
    let headers = HeaderMap::from_iter([(HeaderName::from_static("traceparent"), value)]);
    let context = W3C.extract(&Received(&headers));
    // Without an effect where it is not valid.
    span.add_link(context.span().span_context().clone());
}

/// The id of the trace that the current span is part of: 32 hexadecimal digits. None where no traces are made.
pub fn trace_id() -> Option<String> {
    id_of(&Span::current())
}

/// The id of the trace that a span is part of.
pub(crate) fn id_of(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| span.trace_id().to_string())
}

struct Received<'a>(&'a HeaderMap);

impl Extractor for Received<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct Sent<'a>(&'a mut HeaderMap);

impl Injector for Sent<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn received(traceparent: &str) -> HeaderMap {
        HeaderMap::from_iter([(
            HeaderName::from_static("traceparent"),
            HeaderValue::try_from(traceparent).unwrap(),
        )])
    }

    fn traced<T>(run: impl FnOnce() -> T) -> T {
        let layer = tracing_opentelemetry::layer().with_tracer(SdkTracerProvider::default().tracer("tests"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), run)
    }

    #[test]
    fn a_trace_goes_on_from_one_process_to_the_next() {
        let sent = traced(|| {
            let span = tracing::info_span!("request");
            adopt(&span, &received(&format!("00-{TRACE}-00f067aa0ba902b7-01")));
            span.in_scope(|| {
                assert_eq!(trace_id().as_deref(), Some(TRACE));
                let mut headers = received("00-11111111111111111111111111111111-2222222222222222-01");
                inject(&mut headers);
                headers
            })
        });
        let traceparent = sent["traceparent"].to_str().unwrap();
        assert!(traceparent.starts_with(&format!("00-{TRACE}-")), "{traceparent}");
        assert!(
            !traceparent.contains("00f067aa0ba902b7"),
            "the parent is now our own span"
        );
        assert_eq!(sent.get_all("traceparent").iter().count(), 1);
    }

    #[test]
    fn headers_that_name_no_trace_start_a_new_one() {
        let zeros = "00-00000000000000000000000000000000-0000000000000000-01".to_owned();
        for hostile in [
            "",
            "00",
            "ff-zz",
            "00-é",
            &format!("00-{TRACE}-00f067aa0ba902b7"),
            &zeros,
            &"0".repeat(10_000),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(
                "traceparent",
                HeaderValue::from_bytes(hostile.as_bytes()).unwrap(),
            );
            let id = traced(|| {
                let span = tracing::info_span!("request");
                adopt(&span, &headers);
                id_of(&span)
            });
            assert_ne!(id.as_deref(), Some(TRACE), "{hostile}");
            assert_eq!(id.map(|id| id.len()), Some(32));
        }
    }

    #[test]
    fn without_traces_nothing_is_sent() {
        let mut headers = HeaderMap::new();
        tracing::subscriber::with_default(tracing_subscriber::registry(), || {
            let span = tracing::info_span!("request");
            adopt(&span, &received(&format!("00-{TRACE}-00f067aa0ba902b7-01")));
            span.in_scope(|| inject(&mut headers));
        });
        assert!(headers.is_empty());
        assert_eq!(trace_id(), None);
    }
}

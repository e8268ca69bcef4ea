//! Bodies under watch: one that is read must come in time and fit, one that is sent is held until it is taken.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use router::{Buffers, Held};
use tokio::sync::oneshot;
use tokio::time::Sleep;

use super::connection::UnderWay;

/// What is known of a request's body while the request is under way; what was read counts as held as long.
pub(super) struct Reading {
    problem: Arc<AtomicU8>,
}

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Problem {
    /// The client took too long to send it.
    Slow = 1,
    /// There is no room for it now.
    Large = 2,
}

/// A body that must come in time and fit.
struct Watched {
    body: Body,
    within: Duration,
    // Made when the body first lets wait: most come with their heads.
    timer: Option<Pin<Box<Sleep>>>,
    held: Held,
    problem: Arc<AtomicU8>,
}

/// A body whose bytes are held until they are taken.
struct Sent {
    body: Body,
    keeping: Arc<Keeping>,
}

/// What lasts as long as any byte of an answer.
#[derive(Debug)]
#[expect(dead_code, reason = "kept until it is dropped")]
pub(super) struct Keeping {
    /// Of the budget; nothing for a stream, whose length nobody knows.
    pub(super) held: Option<Held>,
    pub(super) under_way: UnderWay,
    /// Dropped when the client has taken everything.
    pub(super) taken: Option<oneshot::Sender<()>>,
}

/// Watches a body that is to be read.
pub(super) fn watched(body: Body, within: Duration, buffers: &Buffers) -> (Body, Option<Reading>) {
    if body.is_end_stream() {
        return (body, None);
    }
    let problem = Arc::<AtomicU8>::default();
    let watched = Watched {
        body,
        within,
        timer: None,
        held: buffers.none(),
        problem: problem.clone(),
    };
    (Body::new(watched), Some(Reading { problem }))
}

/// Keeps what goes along with the bytes of a body.
pub(super) fn sent(body: Body, keeping: Keeping) -> Body {
    Body::new(Sent {
        body,
        keeping: Arc::new(keeping),
    })
}

impl Reading {
    /// Why the body was not read, if it was not.
    pub(super) fn problem(&self) -> Option<Problem> {
        match self.problem.load(Ordering::Relaxed) {
            1 => Some(Problem::Slow),
            2 => Some(Problem::Large),
            _ => None,
        }
    }
}

impl Watched {
    fn fail<T>(&self, problem: Problem) -> Poll<Option<Result<T, axum::Error>>> {
        self.problem.store(problem as u8, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new("the body is not read to its end"))))
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) else {
            let within = this.within;
            let timer = this
                .timer
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(within)));
            ready!(timer.as_mut().poll(cx));
            return this.fail(Problem::Slow);
        };
        let more = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
        if more.is_some_and(|bytes| !this.held.grow(bytes.len())) {
            return this.fail(Problem::Large);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        struct Kept(
            Bytes,
            #[expect(dead_code, reason = "held until it is dropped")] Arc<Keeping>,
        );
        impl AsRef<[u8]> for Kept {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let keeping = &self.keeping;
        let keep = |bytes| Bytes::from_owner(Kept(bytes, keeping.clone()));
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(keep))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

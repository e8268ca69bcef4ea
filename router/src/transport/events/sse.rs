//! Events of a subgraph as server-sent events, each answer in a connection of its own
//! (<https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>, distinct connections mode;
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>).

use bytes::{Bytes, BytesMut};
use futures::stream::{self, Stream};

use super::super::attempt::Attempt;
use super::super::compression::AnswerBody;
use super::super::http::{HttpSubgraph, Taken, read};
use super::super::remote::Question;
use super::super::{Answer, CallError, Head};
use crate::buffers::Buffers;
use crate::config::SubgraphConfig;

/// Subscribes. A subgraph that answers at once instead gives that one answer.
pub(super) async fn open(
    subgraph: &HttpSubgraph,
    question: Question,
    config: &SubgraphConfig,
    attempt: &mut Attempt<'_>,
) -> Result<impl Stream<Item = Result<Answer, CallError>> + Send + use<>, CallError> {
    let max_bytes = config.max_response_bytes;
    let path = config.subscription.path.as_deref();
    let accept = "text/event-stream, application/graphql-response+json;q=0.9, application/json;q=0.8";
    let response = subgraph
        .post(question.body, question.headers, accept, path, attempt)
        .await?;
    let is_stream = response
        .headers()
        .get(http::header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let source = match is_stream && response.status().is_success() {
        true => {
            let (parts, body) = response.into_parts();
            Source::Events(Events {
                body: AnswerBody::new(body, &parts.headers)?,
                reader: Reader::new(max_bytes),
            })
        }
        false => {
            let taken = Taken {
                max_bytes,
                headers: None,
                buffers: &Buffers::default(),
            };
            Source::Once(read(response, taken).await?.0)
        }
    };
    Ok(stream::unfold(source, |source| async {
        match source {
            Source::Once(text) => Some((Ok(Answer::Text(text, Head::default())), Source::Ended)),
            Source::Ended => None,
            Source::Events(mut events) => match events.next().await {
                Some(Ok(text)) => Some((Ok(Answer::Text(text, Head::default())), Source::Events(events))),
                Some(Err(error)) => Some((Err(error), Source::Ended)),
                None => None,
            },
        }
    }))
}

enum Source {
    Events(Events),
    Once(Bytes),
    Ended,
}

struct Events {
    body: AnswerBody,
    reader: Reader,
}

impl Events {
    /// The next answer; `None` once the subgraph says that there are no more.
    async fn next(&mut self) -> Option<Result<Bytes, CallError>> {
        loop {
            match self.reader.next() {
                Ok(Some(event)) if event.kind == b"next"[..] => return Some(Ok(event.data)),
                Ok(Some(event)) if event.kind == b"complete"[..] => return None,
                // Something that a later version of the protocol tells.
                Ok(Some(_)) => {}
                Ok(None) => match self.body.next().await {
                    Some(Ok(data)) => self.reader.take(&data),
                    Some(Err(error)) => return Some(Err(error)),
                    None => {
                        return Some(Err(CallError::Closed(
                            "the stream of events broke off".to_owned(),
                        )));
                    }
                },
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// One event.
#[derive(Debug, PartialEq, Eq)]
struct Event {
    kind: Bytes,
    data: Bytes,
}

/// Takes text in pieces, and gives events.
struct Reader {
    /// What has come and was not read yet.
    text: BytesMut,
    /// So many bytes of it hold no end of a line.
    seen: usize,
    kind: BytesMut,
    data: BytesMut,
    has_data: bool,
    max_bytes: usize,
}

impl Reader {
    fn new(max_bytes: usize) -> Self {
        Self {
            text: BytesMut::new(),
            seen: 0,
            kind: BytesMut::new(),
            data: BytesMut::new(),
            has_data: false,
            max_bytes,
        }
    }

    fn take(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
    }

    /// The next event, once all of it has come.
    fn next(&mut self) -> Result<Option<Event>, CallError> {
        while let Some(end) = self.end_of_line() {
            self.seen = 0;
            let mut line = self.text.split_to(end + 1);
            line.truncate(end);
            // Lines end with a line feed, mostly after a carriage return; one alone ends none here, as JSON has none.
            if line.last() == Some(&b'\r') {
                line.truncate(end - 1);
            }
            if line.is_empty() {
                let kind = self.kind.split().freeze();
                let data = self.data.split().freeze();
                if std::mem::take(&mut self.has_data) || !kind.is_empty() {
                    return Ok(Some(Event { kind, data }));
                }
                continue;
            }
            self.line(&line);
            self.bounded(self.data.len())?;
        }
        self.seen = self.text.len();
        self.bounded(self.data.len() + self.text.len())?;
        Ok(None)
    }

    fn end_of_line(&self) -> Option<usize> {
        let unseen = self.text.get(self.seen..)?;
        let end = unseen.iter().position(|byte| *byte == b'\n')?;
        Some(self.seen + end)
    }

    fn line(&mut self, line: &[u8]) {
        let (name, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => line.split_at(colon),
            None => (line, &b":"[..]),
        };
        let value = value.get(1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"event" => {
                self.kind.clear();
                self.kind.extend_from_slice(value);
            }
            b"data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.extend_from_slice(b"\n");
                }
                self.data.extend_from_slice(value);
            }
            // A comment, or something that there is no use for.
            _ => {}
        }
    }

    fn bounded(&self, bytes: usize) -> Result<(), CallError> {
        match bytes > self.max_bytes {
            true => Err(CallError::TooLarge(self.max_bytes)),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&str]) -> Result<Vec<(String, String)>, CallError> {
        let mut reader = Reader::new(100);
        let mut all = Vec::new();
        for piece in pieces {
            reader.take(piece.as_bytes());
            while let Some(event) = reader.next()? {
                let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
                all.push((text(&event.kind), text(&event.data)));
            }
        }
        Ok(all)
    }

    #[test]
    fn events_are_read_however_they_are_cut_into_pieces() {
        let text =
            ":\n\nevent: next\r\ndata: {\"data\":\r\ndata: {}}\r\n\r\n: alive\n\nevent:complete\ndata:\n\n";
        let expected = [("next", "{\"data\":\n{}}"), ("complete", "")];
        let expected = expected.map(|(kind, data)| (kind.to_owned(), data.to_owned()));
        for size in 1..text.len() {
            let pieces: Vec<&str> = text
                .as_bytes()
                .chunks(size)
                .map(|piece| std::str::from_utf8(piece).unwrap())
                .collect();
            assert_eq!(events(&pieces).unwrap(), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn an_event_without_an_end_is_refused() {
        let line = "data: 0123456789\n";
        let many: Vec<&str> = std::iter::repeat_n(line, 20).collect();
        assert!(matches!(events(&many), Err(CallError::TooLarge(100))));
        let long = "x".repeat(200);
        assert!(matches!(events(&[&long]), Err(CallError::TooLarge(100))));
    }
}

//! Compresses what is sent to subgraphs, and reads what they have compressed, never more of it than asked for.

use std::io::Error;

use async_compression::Level;
use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use async_compression::tokio::write::{BrotliEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
use async_compression::zstd::DParameter;
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt, BodyStream};
use hyper::body::{Body as _, Incoming};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_util::io::StreamReader;

use super::CallError;
use super::remote::Question;
use crate::config::{Coding, CompressionConfig};

/// Shorter bodies are sent as they are: compressed, they are hardly shorter.
const MIN_BYTES: usize = 1 << 10;

/// Bytes that are decompressed at a time.
const CHUNK: usize = 16 << 10;

/// What zstd may keep of what it has read, as a power of 2: as much as HTTP allows
/// (<https://www.rfc-editor.org/rfc/rfc9659>). An answer could demand 128 MiB otherwise.
const ZSTD_WINDOW: u32 = 23;

/// How one subgraph is sent and answers what is compressed.
pub(super) struct Compression {
    requests: Option<Coding>,
    accepted: Option<HeaderValue>,
}

/// A body of an answer, as it comes.
pub(super) enum AnswerBody {
    Plain(Incoming),
    Coded(Box<dyn AsyncRead + Send + Unpin>),
}

impl Compression {
    pub(super) fn new(config: &CompressionConfig) -> Self {
        let names: Vec<&str> = config.answers.iter().map(|coding| coding.name()).collect();
        let accepted = (!names.is_empty()).then(|| HeaderValue::try_from(names.join(", ")).ok());
        Self {
            requests: config.requests,
            accepted: accepted.flatten(),
        }
    }

    /// The question as it is sent.
    pub(super) async fn apply(&self, mut question: Question) -> Result<Question, CallError> {
        if let Some(accepted) = &self.accepted {
            question.headers.insert(ACCEPT_ENCODING, accepted.clone());
        }
        if let Some(coding) = self.requests.filter(|_| question.body.len() >= MIN_BYTES) {
            let coded = HeaderValue::from_static(coding.name());
            question.headers.insert(CONTENT_ENCODING, coded);
            // On the heap: encoders hold kilobytes, and few questions are compressed.
            let compressed = Box::pin(compress(&question.body, coding)).await;
            question.body = compressed.map_err(|error| CallError::Request(error.to_string()))?;
        }
        Ok(question)
    }
}

async fn compress(body: &[u8], coding: Coding) -> Result<Bytes, Error> {
    async fn all<W: AsyncWrite + Unpin>(mut to: W, body: &[u8]) -> Result<W, Error> {
        to.write_all(body).await?;
        to.shutdown().await?;
        Ok(to)
    }
    let (out, fast) = (Vec::new(), Level::Fastest);
    Ok(match coding {
        Coding::Gzip => all(GzipEncoder::with_quality(out, fast), body)
            .await?
            .into_inner(),
        Coding::Brotli => all(BrotliEncoder::with_quality(out, fast), body)
            .await?
            .into_inner(),
        Coding::Zstd => all(ZstdEncoder::with_quality(out, fast), body)
            .await?
            .into_inner(),
        Coding::Deflate => all(ZlibEncoder::with_quality(out, fast), body)
            .await?
            .into_inner(),
    }
    .into())
}

impl AnswerBody {
    /// The body of an answer with that head.
    ///
    /// # Errors
    /// A way of compressing that is not known.
    pub(super) fn new(body: Incoming, head: &HeaderMap) -> Result<Self, CallError> {
        let coding = head.get(CONTENT_ENCODING).map_or(&b""[..], HeaderValue::as_bytes);
        let name = String::from_utf8_lossy(coding).trim().to_ascii_lowercase();
        let several = head.get_all(CONTENT_ENCODING).iter().count() > 1;
        if !several && matches!(name.as_str(), "" | "identity") {
            return Ok(Self::Plain(body));
        }
        let frames = TryStreamExt::map_err(BodyStream::new(body), Error::other);
        let data = frames.try_filter_map(|frame| async { Ok(frame.into_data().ok()) });
        let coded = StreamReader::new(Box::pin(data));
        let reader: Box<dyn AsyncRead + Send + Unpin> = match name.as_str() {
            _ if several => return Err(CallError::Coding(name)),
            "gzip" | "x-gzip" => {
                let mut decoder = GzipDecoder::new(coded);
                decoder.multiple_members(true);
                Box::new(decoder)
            }
            "br" => Box::new(BrotliDecoder::new(coded)),
            "zstd" => {
                let window = DParameter::window_log_max(ZSTD_WINDOW);
                Box::new(ZstdDecoder::with_params(coded, &[window]))
            }
            "deflate" => Box::new(ZlibDecoder::new(coded)),
            _ => return Err(CallError::Coding(name)),
        };
        Ok(Self::Coded(reader))
    }

    /// The next bytes; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, CallError>> {
        match self {
            Self::Plain(body) => loop {
                match body.frame().await? {
                    Ok(frame) => match frame.into_data() {
                        Ok(data) => return Some(Ok(data)),
                        Err(_) => continue,
                    },
                    Err(error) => return Some(Err(CallError::Closed(error.to_string()))),
                }
            },
            Self::Coded(reader) => {
                let mut chunk = BytesMut::with_capacity(CHUNK);
                match reader.read_buf(&mut chunk).await {
                    Ok(0) => None,
                    Ok(_) => Some(Ok(chunk.freeze())),
                    Err(error) => Some(Err(broken(&error))),
                }
            }
        }
    }

    /// Whether it is known that nothing more comes.
    pub(super) fn is_end(&self) -> bool {
        match self {
            Self::Plain(body) => body.is_end_stream(),
            Self::Coded(_) => false,
        }
    }
}

fn broken(error: &Error) -> CallError {
    let is_connection = error.get_ref().is_some_and(|inner| inner.is::<hyper::Error>());
    match is_connection {
        true => CallError::Closed(error.to_string()),
        false => CallError::Malformed(format!("it cannot be decompressed: {error}")),
    }
}

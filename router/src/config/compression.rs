//! What is compressed between the router and a subgraph.

use serde::{Deserialize, Serialize};

/// What is compressed between the router and a subgraph. Nothing by default: most subgraphs are near, where the time that it
/// takes is more than the time that it saves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CompressionConfig {
    /// How bodies of requests are compressed, but for short ones. The subgraph must be known to take it: there is no way to
    /// ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<Coding>,
    /// In which ways answers may be compressed, the best first.
    pub answers: Vec<Coding>,
}

/// A way of compressing, by its name in HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Coding {
    /// gzip.
    #[serde(rename = "gzip")]
    Gzip,
    /// Brotli.
    #[serde(rename = "br")]
    Brotli,
    /// Zstandard.
    #[serde(rename = "zstd")]
    Zstd,
    /// deflate, within zlib.
    #[serde(rename = "deflate")]
    Deflate,
}

impl Coding {
    /// Its name in HTTP.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Deflate => "deflate",
        }
    }
}

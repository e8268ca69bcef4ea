//! What clients see of subgraphs' errors.

use serde::{Deserialize, Serialize};

/// What clients see of a subgraph's errors. An internal one, by its code, is masked whatever is set here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorsConfig {
    /// Whether messages and extensions are shown. Where not, an error keeps its place, its code and the service's name.
    pub show: bool,
    /// Codes whose errors are shown even so: those that are meant for people.
    pub shown_codes: Vec<String>,
    /// Extensions that are never shown.
    pub hidden_extensions: Vec<String>,
}

impl Default for ErrorsConfig {
    fn default() -> Self {
        // What Apollo Server, graphql-java and others add while they are being debugged.
        let hidden = ["stacktrace", "exception", "debugMessage", "trace"];
        Self {
            show: true,
            shown_codes: Vec::new(),
            hidden_extensions: hidden.map(str::to_owned).to_vec(),
        }
    }
}

//! Finds the document of a request: sent along, known by an id, or registered before by its hash; and judges whether the
//! caller may ask it.
//!
//! Automatic persisted queries follow Apollo's protocol
//! (<https://www.apollographql.com/docs/apollo-server/performance/apq#protocol>): a client names a text by its SHA-256, and
//! sends text and hash together where the router does not know it yet.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use cache::Cache;
use kernel::{ErrorCode, Principal};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::config::{Allowed, Safelist};
use crate::engine::GraphQlRequest;
use crate::error::{Code, GraphQlError};
use crate::persisted::PersistedOperations;
use crate::prepared::Prepared;

/// How long a registered text is kept after it was last written.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// Bytes of registered texts that a process keeps at hand, so that it need not ask a server for each request.
const AT_HAND: u64 = 8 << 20;

/// By which id a text is registered: its SHA-256 in hexadecimal.
pub fn document_id(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// The documents that requests may name, and what each kind of caller may ask.
#[derive(Default)]
pub(crate) struct Documents {
    operations: PersistedOperations,
    /// Those of them that are ready to run, by id.
    ready: HashMap<String, Arc<Prepared>>,
    /// The texts of all of them.
    texts: HashSet<Arc<str>>,
    registered: Option<Registered>,
    safelist: Safelist,
}

/// Texts that clients registered.
struct Registered {
    shared: Cache,
    at_hand: moka::sync::Cache<String, Arc<str>>,
}

/// A request's document.
pub(crate) enum Found<'r> {
    /// One that is ready.
    Ready(Arc<Prepared>),
    /// A text.
    Text(Arc<str>),
    /// The text that the request brings; to be registered by its hash once it has proved good.
    Sent {
        text: &'r str,
        register_as: Option<&'r str>,
    },
}

impl Documents {
    pub(crate) fn new(safelist: Safelist) -> Self {
        Self {
            safelist,
            ..Self::default()
        }
    }

    /// Lets clients register texts, kept in that cache.
    pub(crate) fn register_in(&mut self, shared: Cache) {
        let weight =
            |hash: &String, text: &Arc<str>| u32::try_from(hash.len() + text.len()).unwrap_or(u32::MAX);
        self.registered = Some(Registered {
            shared,
            at_hand: moka::sync::Cache::builder()
                .max_capacity(AT_HAND)
                .weigher(weight)
                .build(),
        });
    }

    /// Takes over known operations, made ready as far as `prepare` can.
    pub(crate) fn know(
        &mut self,
        operations: PersistedOperations,
        prepare: impl Fn(&str) -> Result<Arc<Prepared>, Vec<GraphQlError>>,
    ) {
        self.ready.clear();
        for (id, text) in operations.iter() {
            match prepare(text) {
                Ok(prepared) => {
                    self.ready.insert(id.to_owned(), prepared);
                }
                // Several operations in one document: the request says which.
                Err(errors) if errors.iter().all(is_unnamed) => {}
                Err(errors) => {
                    let reason = errors.first().map(|error| error.message.as_str());
                    tracing::warn!(id, reason, "a persisted operation does not fit the schema");
                }
            }
        }
        self.texts = operations.texts().cloned().collect();
        self.operations = operations;
    }

    /// The document of a request.
    ///
    /// # Errors
    /// A request that names none, or an unknown one, or one that the caller may not ask.
    pub(crate) async fn find<'r>(
        &self,
        request: &'r GraphQlRequest,
        principal: &Principal,
    ) -> Result<Found<'r>, GraphQlError> {
        // A part of the platform itself may ask anything.
        let allowed = self.safelist.of(principal).copied().unwrap_or_default();
        match (request.query.as_deref(), named(request)?) {
            (None, None) => Err(GraphQlError::new(
                ErrorCode::BadUserInput,
                "the request has neither `query` nor `extensions.persistedQuery.sha256Hash`",
            )),
            (None, Some(id)) => self.by_id(id, request, allowed).await,
            (Some(text), id) => self.sent(text, id, allowed),
        }
    }

    /// Remembers a text by its hash, if clients may register.
    pub(crate) async fn register(&self, hash: &str, text: &str) {
        let Some(registered) = &self.registered else {
            return;
        };
        registered.at_hand.insert(hash.to_owned(), text.into());
        if let Err(error) = registered.shared.set(&key(hash), &text, KEPT).await {
            tracing::debug!(%error, "a registered document is kept in this process alone");
        }
    }

    async fn by_id(
        &self,
        id: &str,
        request: &GraphQlRequest,
        allowed: Allowed,
    ) -> Result<Found<'static>, GraphQlError> {
        let is_unnamed = request.operation_name.as_deref().is_none_or(str::is_empty);
        if let Some(prepared) = self.ready.get(id)
            && (is_unnamed || prepared.name() == request.operation_name.as_deref())
        {
            return Ok(Found::Ready(prepared.clone()));
        }
        if let Some(text) = self.operations.get(id) {
            return Ok(Found::Text(text.clone()));
        }
        let not_found = || GraphQlError::new(Code::PersistedQueryNotFound, "PersistedQueryNotFound");
        let Some(registered) = self.registered.as_ref().filter(|_| allowed == Allowed::Any) else {
            return Err(not_found());
        };
        if let Some(text) = registered.at_hand.get(id) {
            return Ok(Found::Text(text));
        }
        let kept = registered.shared.get::<String>(&key(id)).await.ok().flatten();
        // Whoever else writes to the cache must not decide what an id means.
        let text: Arc<str> = kept
            .filter(|text| document_id(text) == id)
            .ok_or_else(not_found)?
            .into();
        registered.at_hand.insert(id.to_owned(), text.clone());
        Ok(Found::Text(text))
    }

    fn sent<'r>(
        &self,
        text: &'r str,
        id: Option<&'r str>,
        allowed: Allowed,
    ) -> Result<Found<'r>, GraphQlError> {
        if let Some(id) = id
            && self.operations.get(id).is_none_or(|known| **known != *text)
            && document_id(text) != id
        {
            return Err(GraphQlError::new(
                Code::PersistedQueryHashMismatch,
                "`extensions.persistedQuery.sha256Hash` is not the SHA-256 of `query`",
            ));
        }
        match allowed {
            Allowed::Any => Ok(Found::Sent {
                text,
                register_as: id.filter(|_| self.registered.is_some()),
            }),
            Allowed::Known if self.texts.contains(text) => Ok(Found::Sent {
                text,
                register_as: None,
            }),
            Allowed::Known => Err(GraphQlError::new(
                Code::QueryNotInSafelist,
                "this operation is not one of those that may be asked here",
            )),
            Allowed::Ids => Err(GraphQlError::new(
                Code::PersistedQueryIdRequired,
                "operations are asked by their ids here",
            )),
        }
    }
}

/// The id by which a request names its document.
fn named(request: &GraphQlRequest) -> Result<Option<&str>, GraphQlError> {
    let bad = |message| Err(GraphQlError::new(ErrorCode::BadUserInput, message));
    match request.extensions.get("persistedQuery") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(named)) => {
            if named.get("version").is_some_and(|version| *version != 1) {
                return bad("`extensions.persistedQuery.version` must be 1");
            }
            match named.get("sha256Hash") {
                Some(Value::String(id)) if !id.is_empty() => Ok(Some(id)),
                _ => bad("`extensions.persistedQuery.sha256Hash` must be a text"),
            }
        }
        Some(_) => bad("`extensions.persistedQuery` must be an object"),
    }
}

fn is_unnamed(error: &GraphQlError) -> bool {
    error.code() == Some(Code::OperationResolutionFailure.as_str())
}

fn key(hash: &str) -> String {
    format!("router:document:{hash}")
}

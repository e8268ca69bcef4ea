//! Drops what is kept.

use std::collections::BTreeSet;
use std::sync::Arc;

use cache::Cache;
use serde::Deserialize;
use serde_json::Value;

use super::dropping::{Dropping, Forgets};
use super::tags::{self, Tag};
use super::{Known, ResponseCache, digest_of};
use crate::context::RequestContext;
use crate::metrics::RESPONSE_CACHE_INVALIDATIONS;
use crate::schema::{self, LoadError};

/// What is to be dropped, as Apollo Router's endpoint for it has it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Invalidation {
    /// All of a subgraph.
    Subgraph {
        /// Which one.
        subgraph: String,
    },
    /// All that a subgraph says of objects of a type, and of what holds such objects.
    Type {
        /// Which subgraph.
        subgraph: String,
        /// Which type.
        #[serde(rename = "type")]
        type_name: String,
    },
    /// What a subgraph says of one entity, and all answers that hold objects of its type elsewhere: they may hold it. Of a
    /// type that the subgraph knows by several keys, all entities.
    Entity {
        /// Which subgraph.
        subgraph: String,
        /// Its type.
        #[serde(rename = "type")]
        type_name: String,
        /// Its key's fields.
        key: Value,
    },
    /// All that is for one caller only, of every subgraph.
    Caller {
        /// Who vouches for the caller (`iss`); nobody for a person of this platform.
        #[serde(default)]
        issuer: String,
        /// Who the caller is (`sub`).
        subject: String,
    },
}

/// Drops what routers keep of subgraphs' answers, wherever their cache is at hand. Clones are the same.
#[derive(Clone)]
pub struct Invalidator {
    pub(super) known: Arc<Known>,
    pub(super) dropping: Arc<Dropping>,
}

/// Why nothing was dropped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidationError {
    /// There is no such subgraph, type or key.
    #[error("there is no {what} `{name}` in the supergraph")]
    Unknown {
        /// What there is not.
        what: &'static str,
        /// What it is called.
        name: String,
    },
    /// The cache does not answer.
    #[error("the cache does not answer: {0}")]
    Unavailable(String),
}

impl Invalidator {
    /// For the routers of a supergraph that keep answers in that cache.
    ///
    /// # Errors
    /// A text that is not a supergraph.
    pub fn new(supergraph_sdl: &str, cache: Cache) -> Result<Self, LoadError> {
        let supergraph = schema::load(supergraph_sdl, false)?;
        Ok(Self::of(
            Known::new(digest_of(supergraph_sdl), &supergraph),
            cache,
        ))
    }

    pub(crate) fn of(known: Known, cache: Cache) -> Self {
        let everything = known.subgraphs.iter().map(|name| Tag::Subgraph(name).name());
        Self {
            dropping: Arc::new(Dropping::new(cache, everything.collect())),
            known: Arc::new(known),
        }
    }

    /// Drops what is kept, at once for all routers that share the cache, and what was read already but is not kept yet.
    ///
    /// # Errors
    /// What is not of this supergraph, or a cache that does not answer: then it has to be asked again.
    pub async fn invalidate(&self, what: &[Invalidation]) -> Result<(), InvalidationError> {
        let mut tags = BTreeSet::new();
        for one in what {
            self.known.tags_of(one, &mut tags)?;
        }
        let tags: Vec<String> = tags.into_iter().collect();
        let dropped = self.dropping.try_now(&tags).await;
        dropped.map_err(|error| InvalidationError::Unavailable(error.to_string()))?;
        for one in what {
            let kind = match one {
                Invalidation::Subgraph { .. } => "subgraph",
                Invalidation::Type { .. } => "type",
                Invalidation::Entity { .. } => "entity",
                Invalidation::Caller { .. } => "caller",
            };
            metrics::counter!(RESPONSE_CACHE_INVALIDATIONS, "kind" => kind).increment(1);
        }
        Ok(())
    }
}

impl ResponseCache {
    /// What is to be dropped once the caller has changed something. Whatever it is, all that is kept for them goes.
    pub(crate) fn forgets(&self, context: &RequestContext) -> Option<Forgets> {
        self.config.private.then(|| Forgets {
            dropping: self.invalidator.dropping.clone(),
            tag: tags::of_caller(context),
        })
    }
}

impl Known {
    fn tags_of(&self, what: &Invalidation, tags: &mut BTreeSet<String>) -> Result<(), InvalidationError> {
        let subgraph = match what {
            Invalidation::Subgraph { subgraph }
            | Invalidation::Type { subgraph, .. }
            | Invalidation::Entity { subgraph, .. } => subgraph,
            Invalidation::Caller { issuer, subject } => {
                tags.insert(Tag::Caller(issuer, subject).name());
                return Ok(());
            }
        };
        let unknown = |what, name: &str| {
            let name = name.chars().take(100).collect();
            Err(InvalidationError::Unknown { what, name })
        };
        if !self.subgraphs.contains(subgraph) {
            return unknown("subgraph", subgraph);
        }
        let (type_name, key) = match what {
            Invalidation::Subgraph { .. } | Invalidation::Caller { .. } => {
                tags.insert(Tag::Subgraph(subgraph).name());
                return Ok(());
            }
            Invalidation::Type { type_name, .. } => (type_name, None),
            Invalidation::Entity { type_name, key, .. } => (type_name, Some(key)),
        };
        let (types, keys) = (&self.types, &self.keys);
        if !keys.knows(type_name) && !types.is_abstract(type_name) {
            return unknown("type", type_name);
        }
        if let Some(key) = key
            && keys.lacks(subgraph, type_name, key)
        {
            return unknown("entity with the key", &key.to_string());
        }
        // A subgraph may know the same object by an interface or a union, and an interface by its objects.
        let own = std::iter::once(type_name.as_str());
        for name in own.chain(types.above(type_name)).chain(types.behind(type_name)) {
            tags.insert(Tag::Nested(subgraph, name).name());
            tags.insert(match key.and_then(|key| keys.key(subgraph, name, key)) {
                Some(key) => Tag::Entity(subgraph, name, &key).name(),
                None => Tag::Type(subgraph, name).name(),
            });
        }
        Ok(())
    }
}

//! Keeps what subgraphs answered: a root fetch as a whole, an entity fetch by entity.
//!
//! An entry is named by a digest of everything that the answer depends on. It holds what its tags (the subgraph, types,
//! the entity) were when the subgraph was asked: each tag is a random number in the cache. Whoever drops a tag makes all
//! entries that depend on it worthless at once, for every router of that cache, and also those that are stored after that
//! but were read before it. A cache that loses a tag loses what depends on it.
//!
//! Without an answer from the cache nothing is looked up or kept, and subgraphs are asked.

mod compose;
mod digest;
mod dropping;
mod entry;
mod flights;
mod freshness;
mod hints;
pub(crate) mod http;
mod invalidation;
mod lookup;
mod reply;
mod tags;

use std::sync::Arc;
use std::time::Duration;

use cache::Cache;
use kernel::{Clock, Random};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::config::ResponseCacheConfig;
use crate::header_rules::ResponseHeaders;
use crate::metrics::RESPONSE_CACHE_LOOKUPS;
use crate::response::Response;
use crate::schema::{Supergraph, TypeTable};
use crate::transport::{Answer, Call, CallError, Head, Service};
use entry::Hit;
use flights::{Flights, Learned, Pilot, Seat, landed};
use lookup::{Looked, Questions};
use reply::Reply;

pub(crate) use dropping::Forgets;
pub use freshness::CacheControl;
pub(crate) use freshness::{Freshness, Said};
pub(crate) use hints::{Caching, Hints, Keeping};
pub use invalidation::{Invalidation, InvalidationError, Invalidator};
pub(crate) use tags::EntityKeys;

/// How often somebody waits for others who ask the same: one who asked may have gone away.
const WAITS: usize = 3;

/// How long somebody waits for others at most.
const PATIENCE: Duration = Duration::from_secs(30);

/// What subgraphs answered. Clones of the cache share it.
pub(crate) struct ResponseCache {
    cache: Cache,
    config: ResponseCacheConfig,
    clock: Clock,
    random: Random,
    pub(crate) invalidator: Invalidator,
    flights: Flights,
}

/// What the supergraph says of subgraphs and types.
pub(crate) struct Known {
    /// Tells supergraphs apart: an answer to another one's question may be of another shape.
    pub(crate) digest: [u8; 64],
    pub(crate) subgraphs: Vec<String>,
    pub(crate) types: Arc<TypeTable>,
    pub(crate) keys: Arc<EntityKeys>,
}

impl Known {
    pub(crate) fn new(digest: [u8; 64], supergraph: &Supergraph) -> Self {
        Self {
            digest,
            subgraphs: supergraph.subgraphs.iter().map(|it| it.name.clone()).collect(),
            types: supergraph.types.clone(),
            keys: supergraph.entity_keys.clone(),
        }
    }
}

/// An answer, from wherever it comes, with how it was come by.
pub(crate) struct Asked {
    pub(crate) answer: Result<Answer, CallError>,
    pub(crate) freshness: Freshness,
    /// For debugging.
    pub(crate) trace: Option<Value>,
}

impl ResponseCache {
    pub(crate) fn new(
        cache: Cache,
        config: ResponseCacheConfig,
        clock: Clock,
        random: Random,
        supergraph: Known,
    ) -> Self {
        Self {
            invalidator: Invalidator::of(supergraph, cache.clone()),
            cache,
            config,
            clock,
            random,
            flights: Flights::default(),
        }
    }

    /// Says of an answer for how long and for whom it holds. With errors it does not.
    pub(crate) fn describe(&self, freshness: Freshness, lookups: Vec<Value>, response: &mut Response) {
        if let Freshness::Fresh(control) = freshness
            && response.errors.is_empty()
            && control.max_age > 0
            && self.config.tell_clients.unwrap_or(true)
        {
            response.cache_control = Some(control);
        }
        if self.config.debug {
            let lookups = Value::Array(lookups);
            response.extensions.insert("responseCache".to_owned(), lookups);
        }
    }

    /// What a subgraph answers, or answered.
    pub(crate) async fn ask(&self, service: &Service, call: Call<'_>, caching: &Caching) -> Asked {
        let questions = match Questions::new(self, service, &call, caching) {
            Some(questions) => questions,
            None => return Asked::plainly(service.call(call).await),
        };
        let Some((looked, pilot)) = self.look_or_wait(&questions, &call, caching).await else {
            return Asked::plainly(service.call(call).await);
        };
        self.count(service, &questions, &looked);
        let trace = self.config.debug.then(|| trace(service, &questions, &looked));
        let mut asked = if looked.is_whole() {
            let freshness = self.freshness_of(looked.hits.iter().flatten());
            Asked {
                answer: Ok(Answer::Text(
                    questions.compose(&looked.hits, None),
                    entry::head(&looked.hits, &ResponseHeaders::default()),
                )),
                freshness,
                trace: None,
            }
        } else {
            self.ask_for_rest(service, call, caching, &questions, looked, pilot)
                .await
        };
        asked.trace = trace;
        asked
    }

    /// What is kept, and the right to ask for what is not. `None` if the cache does not answer.
    async fn look_or_wait(
        &self,
        questions: &Questions<'_>,
        call: &Call<'_>,
        caching: &Caching,
    ) -> Option<(Looked, Option<Pilot<'_>>)> {
        let patience = Instant::now() + PATIENCE;
        let deadline = call
            .context
            .deadline
            .map_or(patience, |deadline| deadline.min(patience));
        let mut waits = 0;
        loop {
            let looked = questions.look(self).await?;
            let learned = Learned::load(&caching.learned);
            if looked.is_whole() || learned == Learned::NotKept || waits == WAITS {
                return Some((looked, None));
            }
            let names = questions.names(&looked, learned == Learned::Private);
            let flight = match self.flights.board(names) {
                Seat::Passenger(flight) => flight,
                Seat::Pilot(pilot) if waits > 0 => return Some((looked, Some(pilot))),
                Seat::Pilot(pilot) => {
                    // Another one may have landed between the look and the boarding.
                    let looked = questions.look(self).await?;
                    return Some((looked, Some(pilot)));
                }
            };
            waits += 1;
            // Who has waited in vain asks for itself.
            let _ = tokio::time::timeout_at(deadline, landed(flight)).await;
        }
    }

    async fn ask_for_rest(
        &self,
        service: &Service,
        call: Call<'_>,
        caching: &Caching,
        questions: &Questions<'_>,
        looked: Looked,
        pilot: Option<Pilot<'_>>,
    ) -> Asked {
        // Before the subgraph is asked: what is dropped from now on must not be kept.
        let tags = questions.ensure_tags(self, looked.tags).await;
        let arguments = questions.missing(&looked.hits);
        let rest = Call {
            arguments: arguments.as_deref().unwrap_or(call.arguments),
            ..call
        };
        let answer = service.call(rest).await;
        let hits = looked.hits;
        let has_hits = hits.iter().any(Option::is_some);
        let partly = |error| {
            let head = entry::head(&hits, &ResponseHeaders::default());
            Ok(Answer::Partial(questions.compose(&hits, None), head, error))
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if has_hits => return Asked::plainly(partly(error)),
            Err(error) => return Asked::plainly(Err(error)),
        };
        let mut settled = questions.settle(self, service, caching, answer.said());
        let headers = service.headers_of(&answer).into_owned();
        let kept_headers = headers.kept();
        if kept_headers.is_none() {
            settled.fill(None);
        }
        if !has_hits && settled.iter().all(Option::is_none) {
            Learned::NotKept.store(&caching.learned);
            return Asked::plainly(Ok(answer));
        }
        let said = answer.said();
        let reply = match Reply::of(&answer, questions.expected(&hits).as_ref()) {
            Ok(reply) => reply,
            Err(error) if has_hits => return Asked::plainly(partly(error)),
            // It is told of where all answers are read.
            Err(_) => return Asked::plainly(Ok(answer)),
        };
        if !reply.errors.is_empty() {
            settled.fill(None);
        }
        let learned = settled.iter().flatten().next();
        let learned = learned.map(|control| match control.is_private {
            true => Learned::Private,
            false => Learned::Public,
        });
        learned.unwrap_or(Learned::NotKept).store(&caching.learned);
        if let Some(tags) = tags {
            let headers = kept_headers.unwrap_or_default();
            questions
                .keep(self, &hits, (&reply, &headers), &settled, &tags)
                .await;
        }
        drop(pilot);
        let own = settled
            .iter()
            .fold(Freshness::Unasked, |all, control| all.and(*control));
        let kept = hits.iter().flatten().map(|hit| hit.left(&self.clock));
        let freshness = kept.fold(own, |all, control| all.and(control));
        let answer = match has_hits {
            false => Answer::Text(reply.text, Head { said, headers }),
            true => Answer::Text(
                questions.compose(&hits, Some(&reply)),
                entry::head(&hits, &headers),
            ),
        };
        Asked {
            answer: Ok(answer),
            freshness,
            trace: None,
        }
    }

    fn freshness_of<'h>(&self, hits: impl Iterator<Item = &'h Hit>) -> Freshness {
        hits.fold(Freshness::Unasked, |all, hit| all.and(hit.left(&self.clock)))
    }

    fn count(&self, service: &Service, questions: &Questions<'_>, looked: &Looked) {
        for (name, hits, misses) in questions.by_type(&looked.hits) {
            let counts = [("hit", hits), ("miss", misses)];
            for (outcome, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
                let labels = [
                    ("subgraph.name", service.name.clone()),
                    ("type", name.to_owned()),
                    ("outcome", outcome.to_owned()),
                ];
                metrics::counter!(RESPONSE_CACHE_LOOKUPS, &labels).increment(count);
            }
        }
    }
}

impl Asked {
    /// An answer that is not kept.
    pub(crate) fn plainly(answer: Result<Answer, CallError>) -> Self {
        Self {
            answer,
            freshness: Freshness::Stale,
            trace: None,
        }
    }
}

/// What tells a supergraph from others.
pub(crate) fn digest_of(sdl: &str) -> [u8; 64] {
    <sha2::Sha512 as sha2::Digest>::digest(sdl.as_bytes()).into()
}

fn trace(service: &Service, questions: &Questions<'_>, looked: &Looked) -> Value {
    let by_type = questions.by_type(&looked.hits);
    let by_type = by_type.map(|(name, hits, misses)| json!({ "type": name, "hits": hits, "misses": misses }));
    json!({ "subgraph": service.name, "types": by_type.collect::<Vec<_>>() })
}

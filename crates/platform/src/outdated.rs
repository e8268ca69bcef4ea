//! Tells the routers that keep answers what is out of date: the domains say it of their own answers, event by event.

use async_trait::async_trait;
use cache::{Cache, CacheConfig};
use events::{Event, Handler, HandlerError};
use kernel::Clock;
use router::{Invalidation, InvalidationError, Invalidator};
use subgraph::outdated::{Outdated, Outdating};

use crate::cli::Failure;
use crate::config::Config;
use crate::supergraph;

/// The consumer group.
pub const GROUP: &str = "responses";

/// What each domain says of its answers.
const DOMAINS: [(&str, Outdating); 5] = [
    (user::NAME, user::OUTDATING),
    (habit::NAME, habit::OUTDATING),
    (checkin::NAME, checkin::OUTDATING),
    (community::NAME, community::OUTDATING),
    (notification::NAME, notification::OUTDATING),
];

/// Drops what routers keep and is out of date. Dropping again does no harm, so events may come twice and in any order; while
/// the cache is away they wait, as what is kept in it does.
pub struct DropOutdated(pub Invalidator);

/// What drops answers that routers of other processes keep: nothing unless it is switched on, and they share a cache.
///
/// # Errors
/// Where the cache's address is none.
pub fn shared(config: &Config, clock: &Clock) -> Result<Option<Invalidator>, Failure> {
    if !config.router.response_cache.enabled || !matches!(config.cache, CacheConfig::Redis { .. }) {
        return Ok(None);
    }
    let composed = supergraph::compose(&Default::default())?;
    let cache = Cache::open(&config.cache, clock.clone())?;
    Ok(Some(Invalidator::new(&composed.supergraph_sdl, cache)?))
}

/// The kinds of events after which anything is out of date.
pub fn kinds() -> Vec<&'static str> {
    let mut kinds: Vec<&str> = DOMAINS
        .iter()
        .flat_map(|(_, domain)| domain.kinds)
        .copied()
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// What is out of date after an event.
fn after(event: &Event) -> events::Result<Vec<Invalidation>> {
    // Whatever a person is told of their own may follow from what happened to them.
    let mut all = vec![Invalidation::Caller {
        issuer: String::new(),
        subject: event.user.to_string(),
    }];
    for (subgraph, domain) in DOMAINS {
        if !domain.kinds.contains(&&*event.kind) {
            continue;
        }
        let subgraph = subgraph.to_owned();
        all.extend((domain.after)(event)?.into_iter().map(|outdated| match outdated {
            Outdated::Entity(type_name, key) => Invalidation::Entity {
                subgraph: subgraph.clone(),
                type_name: type_name.to_owned(),
                key,
            },
            Outdated::Type(type_name) => Invalidation::Type {
                subgraph: subgraph.clone(),
                type_name: type_name.to_owned(),
            },
        }));
    }
    Ok(all)
}

#[async_trait]
impl Handler for DropOutdated {
    async fn handle(&self, event: &Event) -> Result<(), HandlerError> {
        let outdated = after(event)?;
        self.0.invalidate(&outdated).await.map_err(|error| match error {
            InvalidationError::Unavailable(_) => HandlerError::retry(error),
            InvalidationError::Unknown { .. } => HandlerError::failed(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use kernel::Random;
    use serde_json::{Value, json};
    use subgraph::messages::KnownHabit;

    use super::*;

    fn event(kind: &str) -> Event {
        let random = Random::seeded(1);
        let now = Clock::system().now();
        let user: kernel::UserId = random.id(now);
        let id: kernel::HabitId = random.id(now);
        let start = "2026-03-29".parse().unwrap();
        let rules = rules::HabitRules::new(1, start, None, rules::Schedule::Daily, None).unwrap();
        let habit = KnownHabit {
            id,
            user_id: user,
            rules,
            is_public: true,
            is_archived: false,
        };
        let check_in = json!({
            "id": id, "habitId": id, "date": "2026-03-29", "at": now, "provenance": "ON_TIME",
            "isCompleted": true, "minutes": null, "count": null, "mood": null, "isPublic": false,
        });
        let payload: Value = match kind {
            "habit.created" | "habit.changed" => json!({ "habit": habit }),
            "habit.deleted" | "checkin.marked" => json!({ "habitId": id }),
            "habit.edited" => json!({ "habitIds": [id] }),
            "checkin.created" | "checkin.updated" | "checkin.deleted" => json!({ "checkIn": check_in }),
            "post.liked" | "post.unliked" => json!({ "postId": id, "authorId": user }),
            "relations.changed" => json!({ "otherId": user }),
            _ => json!({}),
        };
        Event {
            id: "65f1c0ffee65f1c0ffee65f1".to_owned(),
            kind: kind.to_owned(),
            user,
            at: now,
            payload,
            traceparent: None,
            source: kind.split('.').next().unwrap_or_default().to_owned(),
        }
    }

    #[tokio::test]
    async fn what_the_domains_say_is_out_of_date_is_in_the_supergraph() {
        let composed = supergraph::compose(&Default::default()).unwrap();
        let cache = Cache::open(&CacheConfig::default(), Clock::system()).unwrap();
        let handler = DropOutdated(Invalidator::new(&composed.supergraph_sdl, cache).unwrap());
        for kind in kinds() {
            let event = event(kind);
            assert!(after(&event).unwrap().len() > 1, "{kind}");
            handler.handle(&event).await.unwrap();
        }
    }
    #[tokio::test]
    async fn while_the_cache_is_away_events_wait() {
        let composed = supergraph::compose(&Default::default()).unwrap();
        let config = CacheConfig::Redis {
            url: "redis://127.0.0.1:1".to_owned(),
            prefix: String::new(),
        };
        let cache = Cache::open(&config, Clock::system()).unwrap();
        let handler = DropOutdated(Invalidator::new(&composed.supergraph_sdl, cache).unwrap());
        let handled = handler.handle(&event("checkin.created")).await;
        assert!(matches!(handled, Err(HandlerError::Retry(_))), "{handled:?}");
    }
}

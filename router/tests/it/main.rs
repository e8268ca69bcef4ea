//! The router from the outside: what clients get for what subgraphs answer.

mod absent;
mod compression;
mod defer;
mod delivery;
mod demand;
mod differential;
mod failures;
mod federations;
mod generate;
mod graph;
mod harness;
mod headers;
mod leaving;
mod overrides;
mod persisted;
mod queries;
mod rate_limits;
mod refusals;
mod requires;
mod response_cache;
mod serving;
mod shaping;
mod sharing;
mod shop;
mod standards;
mod subscriptions;

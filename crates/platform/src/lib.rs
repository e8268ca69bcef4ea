//! The `daka` program: wires the domains, the router and the stores together, in the shape that the configuration
//! says. No rule of any domain lives here.

pub mod check;
pub mod cli;
pub mod config;
pub mod demo;
pub mod distributed;
pub mod embedded;
pub mod gatekeeper;
pub mod generate;
pub mod health;
pub mod jwt;
mod metrics;
pub mod outdated;
pub mod router_alone;
pub mod serve;
pub mod stores;
pub mod subgraphs;
pub mod supergraph;
pub mod workers;

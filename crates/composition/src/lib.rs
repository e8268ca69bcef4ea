//! Composes Apollo Federation subgraphs (versions 1 and 2) into one supergraph.
//!
//! [`compose`] takes the SDL of the subgraphs and gives the supergraph SDL for a router and the API SDL for
//! clients, or errors with the published Federation codes. [`changes`] tells what another schema means for clients. It
//! has no I/O; [`config`] reads `supergraph.yaml`.

mod api;
mod build;
pub mod changes;
pub mod config;
mod error;
mod fieldset;
mod link;
mod merge;
mod names;
mod print;
mod satisfiability;
mod spec;
mod subgraph;
mod supergraph;
mod validate;

pub use api::api_sdl;
pub use error::{CompositionError, ErrorCode, Hint};

use error::Report;
use subgraph::Subgraph;

/// One subgraph to compose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubgraphSource {
    /// Its name, unique in the supergraph.
    pub name: String,
    /// Where the router finds it; empty in the supergraph if there is none.
    pub url: Option<String>,
    /// Its schema, Federation 1 or 2.
    pub sdl: String,
}

impl SubgraphSource {
    /// A subgraph by name, address and SDL.
    #[must_use]
    pub fn new(name: impl Into<String>, url: Option<String>, sdl: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            url,
            sdl: sdl.into(),
        }
    }
}

/// A composed supergraph. The same subgraphs give the same text, in whatever order they come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    /// For routers: join v0.5.
    pub supergraph_sdl: String,
    /// For clients: without the machinery of federation and without what is `@inaccessible`.
    pub api_sdl: String,
    /// What composes but may not be meant.
    pub hints: Vec<Hint>,
}

/// Composes subgraphs.
///
/// # Errors
/// All errors of the first stage that has any: reading the subgraphs, merging them, validating the result,
/// and at last whether every query can be resolved.
pub fn compose(subgraphs: &[SubgraphSource]) -> Result<Composed, Vec<CompositionError>> {
    let mut report = Report::default();
    let subgraphs = read(subgraphs, &mut report);
    stop_at_errors(&mut report)?;
    let mut supergraph = merge::merge(&subgraphs, &mut report);
    validate::validate(&mut supergraph, &subgraphs, &mut report);
    stop_at_errors(&mut report)?;
    validate::validate_selections(&supergraph, &subgraphs, &mut report);
    satisfiability::check(&supergraph, &subgraphs, &mut report);
    stop_at_errors(&mut report)?;
    let supergraph_sdl = print::supergraph(&supergraph, &subgraphs);
    let api_sdl = api_sdl(&supergraph_sdl).map_err(|error| vec![error])?;
    validate::validate_api(&api_sdl, &mut report);
    stop_at_errors(&mut report)?;
    Ok(Composed {
        supergraph_sdl,
        api_sdl,
        hints: report.hints,
    })
}

fn read(sources: &[SubgraphSource], report: &mut Report) -> Vec<Subgraph> {
    let mut sorted: Vec<&SubgraphSource> = sources.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let graphs = names::graphs(&sorted, report);
    let mut subgraphs = Vec::with_capacity(sorted.len());
    for (source, graph) in sorted.into_iter().zip(graphs) {
        if let Some(mut subgraph) = subgraph::parse::parse(source, graph, report) {
            subgraph::analyze::analyze(&mut subgraph, report);
            subgraph::check::check(&subgraph, report);
            subgraphs.push(subgraph);
        }
    }
    subgraphs
}

fn stop_at_errors(report: &mut Report) -> Result<(), Vec<CompositionError>> {
    if report.errors.is_empty() {
        Ok(())
    } else {
        Err(std::mem::take(&mut report.errors))
    }
}

//! How long operations take to be made ready for the first time: parsed, validated, planned.

use std::time::Instant;

use platform::supergraph::operations;
use router::rest::RestApi;
use router::{Engine, RouterConfig, Transports};

use crate::Failure;
use crate::figures::{Figure, Limit};

/// Engines that have never seen an operation, one after the other.
const ENGINES: usize = 20;
const SUPERGRAPH: &str = include_str!("../../../../schema/supergraph.graphql");

/// Prepares every operation of `schema/operations` in one new engine after the other.
pub(crate) fn measure() -> Result<Vec<Figure>, Failure> {
    let api = RestApi::load(&engine()?, &operations()).map_err(|errors| format!("{errors:?}"))?;
    let texts: Vec<(&str, &str)> = api.operations().collect();
    let mut times = vec![Vec::with_capacity(ENGINES); texts.len()];
    for _ in 0..ENGINES {
        let engine = engine()?;
        for ((name, text), times) in texts.iter().zip(&mut times) {
            let begun = Instant::now();
            let prepared = engine.prepare(text, None);
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
            prepared.map_err(|errors| format!("{name}: {errors:?}"))?;
        }
    }
    let figure = |((name, _), times): (&(&str, &str), Vec<f64>)| {
        let what = format!("{name}, the slowest of {} operations to be planned", texts.len());
        Figure::new(what, " ms", times, Limit::AtMost(5.0))
    };
    let figures = texts.iter().zip(times).map(figure);
    let slowest = figures.max_by(|one, other| one.median().total_cmp(&other.median()));
    Ok(slowest.into_iter().collect())
}

/// Of the platform's supergraph; nothing is asked of its subgraphs.
fn engine() -> Result<Engine, Failure> {
    let engine = Engine::new(SUPERGRAPH, &RouterConfig::default(), Transports::default());
    Ok(engine?)
}

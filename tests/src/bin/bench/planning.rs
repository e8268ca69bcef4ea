//! How long operations take to be made ready for the first time: parsed, validated, planned.

use std::time::Instant;

use router::{Engine, RouterConfig, Transports};
use serde_json::Value;

use crate::Failure;
use crate::figures::{Figure, Limit};

/// Engines that have never seen an operation, one after the other.
const ENGINES: usize = 20;
const SUPERGRAPH: &str = include_str!("../../../../schema/supergraph.graphql");
const PERSISTED: &str = include_str!("../../../../schema/persisted.json");

/// Prepares every persisted operation in one new engine after the other.
pub(crate) fn measure() -> Result<Vec<Figure>, Failure> {
    let manifest: Value = serde_json::from_str(PERSISTED)?;
    let operations = manifest["operations"].as_array().ok_or("no operations")?;
    let texts: Vec<(&str, &str)> = operations
        .iter()
        .filter_map(|it| Some((it["name"].as_str()?, it["body"].as_str()?)))
        .collect();
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

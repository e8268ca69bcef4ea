//! Measures the figures that the platform promises, prints them next to their limits, and fails where one is missed.
//!
//! Figures are ratios of what is measured in one run, in rounds that take turns, so that a slow machine is slow for
//! both sides; medians decide, and the smallest and the largest are shown beside. The platform runs in this process
//! and is called without sockets, with the middleware that it is served with; only its memory and its start are
//! those of the program itself, `daka`, which must have been built beside this one.

#[path = "bench/figures.rs"]
mod figures;
#[path = "bench/history.rs"]
mod history;
#[path = "bench/planning.rs"]
mod planning;
#[path = "bench/program.rs"]
mod program;
#[path = "bench/requests.rs"]
mod requests;
#[path = "bench/stage.rs"]
mod stage;

use std::process::ExitCode;

use figures::Figure;
use stage::{Backend, Stage};

/// What went wrong, as a text for the terminal.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match measure().await {
        Ok(figures) => {
            figures::print(&figures);
            if figures.iter().all(Figure::is_ok) {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What can be measured by itself, by the name given on the command line; without names everything is.
const PARTS: [&str; 5] = ["program", "planning", "today", "rest", "check-ins"];
/// Names that say on which backends.
const BACKENDS: [&str; 2] = ["sqlite", "mongodb"];

async fn measure() -> Result<Vec<Figure>, Failure> {
    let named: Vec<String> = std::env::args().skip(1).collect();
    let (on, wanted): (Vec<String>, Vec<String>) = named
        .into_iter()
        .partition(|name| BACKENDS.contains(&name.as_str()));
    if let Some(unknown) = wanted.iter().find(|name| !PARTS.contains(&name.as_str())) {
        let known = [&PARTS[..], &BACKENDS[..]].concat().join(", ");
        return Err(format!("there is no part {unknown}; there are {known}").into());
    }
    let wants = |part: &str| {
        let wants = wanted.is_empty() || wanted.iter().any(|name| name == part);
        if wants {
            eprintln!("measuring: {part}");
        }
        wants
    };
    let mut figures = Vec::new();
    // The program first: while nothing else of this process competes with it.
    if wants("program") {
        figures.extend(program::measure().await?);
    }
    if wants("planning") {
        figures.extend(planning::measure()?);
    }
    let on_all = on.is_empty();
    let is_staged = |name: &String| !["program", "planning"].contains(&name.as_str());
    if !wanted.is_empty() && !wanted.iter().any(is_staged) {
        return Ok(figures);
    }
    let named = |backend: &Backend| on_all || on.contains(&backend.name().to_lowercase());
    for backend in Backend::ALL.into_iter().filter(named) {
        let stage = Stage::set(backend).await?;
        let mut measured = Vec::new();
        if wants("today") {
            measured.extend(requests::today_screen(&stage).await?);
        }
        if wants("rest") {
            measured.push(requests::rest(&stage).await?);
        }
        if wants("check-ins") {
            measured.extend(requests::check_ins(&stage).await?);
        }
        stage.end().await;
        figures.extend(measured.into_iter().map(|figure| figure.on(backend.name())));
    }
    Ok(figures)
}

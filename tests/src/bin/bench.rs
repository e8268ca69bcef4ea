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
#[path = "bench/program.rs"]
mod program;
#[path = "bench/requests.rs"]
mod requests;
#[path = "bench/stage.rs"]
mod stage;

use std::process::ExitCode;

use figures::Figure;
use stage::Stage;

/// What went wrong, as a text for the terminal.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match measure().await {
        Ok(figures) => {
            figures::print(&figures);
            if figures.iter().all(Figure::is_ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure() -> Result<Vec<Figure>, Failure> {
    // The program first: while nothing else of this process competes with it.
    let mut figures = program::measure().await?;
    let stage = Stage::set().await?;
    figures.extend(requests::today_screen(&stage).await?);
    figures.push(requests::rest(&stage).await?);
    figures.extend(requests::check_ins(&stage).await?);
    stage.end().await;
    Ok(figures)
}

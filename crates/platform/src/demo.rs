//! Plausible people with habits and years of check-ins.

use clap::Args;

use crate::cli::Failure;
use crate::config::Config;

/// How many of what.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// How many people.
    #[arg(long, default_value_t = 1000)]
    users: u32,
    /// How many days back they began at the most.
    #[arg(long, default_value_t = 365)]
    days: u32,
    /// The same seed makes the same people.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Fills the store.
///
/// # Errors
/// Where a store is not ready.
pub async fn run(_config: Config, _args: &DemoArgs) -> Result<(), Failure> {
    Err("the demo is being written".into())
}

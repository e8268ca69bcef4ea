//! `cargo xtask bench`: the figures that the project promises.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::Outcome;
use crate::run::{cargo, root, run};
use crate::servers::Servers;

/// The benchmarks: programs of the end-to-end tests' package, so that they reach every crate. Each prints its figures next
/// to their limits, and fails when one is missed.
const PLATFORM: &str = "bench";

/// The router as federated gateways are measured; it needs no servers.
const ROUTER: &str = "router_bench";

/// Builds and runs the benchmarks in release mode, on servers where they need some. `router` and what follows it is for
/// the router's own.
pub(crate) fn run_benchmarks(args: &[String]) -> Outcome {
    if let Some(("router", cases)) = args.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        build()?;
        return run(Command::new(program(ROUTER)).args(cases));
    }
    let servers = Servers::start()?;
    build()?;
    let mut command = Command::new(program(PLATFORM));
    servers.name_to(command.args(args));
    run(&mut command)
}

/// The benchmarks start the program itself too. Both are built at once: each alone would have its own selection of features,
/// and build every dependency again.
fn build() -> Outcome {
    run(&mut cargo([
        "build",
        "--release",
        "--package",
        "platform",
        "--package",
        "tests",
        "--bins",
    ]))
}

/// Where a program is when it has been built.
fn program(name: &str) -> PathBuf {
    let folder = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    folder.join("release").join(name)
}

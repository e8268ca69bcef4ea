//! `cargo xtask bench`: the figures that the project promises.

use crate::Outcome;
use crate::run::{cargo, root, run};
use crate::servers::Servers;

/// The benchmarks: a program of the end-to-end tests' package, so that it reaches every crate. It prints its figures next to
/// their limits, and fails when one is missed.
const SOURCE: &str = "tests/src/bin/bench.rs";

/// Starts the servers, and builds and runs the benchmarks in release mode.
pub(crate) fn run_benchmarks(args: &[String]) -> Outcome {
    if !root().join(SOURCE).is_file() {
        return Err(format!("there are no benchmarks: {SOURCE} does not exist"));
    }
    let servers = Servers::start()?;
    // Benchmarks start the program itself too.
    run(&mut cargo([
        "build",
        "--release",
        "--package",
        "platform",
        "--bin",
        "daka",
    ]))?;
    let mut command = cargo(["run", "--release", "--package", "tests", "--bin", "bench", "--"]);
    servers.name_to(command.args(args));
    run(&mut command)
}

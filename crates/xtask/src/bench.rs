//! `cargo xtask bench`: the figures that the project promises.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::Outcome;
use crate::run::{cargo, root, run};
use crate::servers::Servers;

/// The benchmarks: a program of the end-to-end tests' package, so that it reaches every crate. It prints its figures next to
/// their limits, and fails when one is missed.
const SOURCE: &str = "tests/src/bin/bench.rs";

/// What is built of it, in the folder that cargo builds in.
const PROGRAM: &str = "release/bench";

/// Starts the servers, and builds and runs the benchmarks in release mode.
pub(crate) fn run_benchmarks(args: &[String]) -> Outcome {
    if !root().join(SOURCE).is_file() {
        return Err(format!("there are no benchmarks: {SOURCE} does not exist"));
    }
    let servers = Servers::start()?;
    // The benchmarks start the program itself too. Both are built at once: each alone would have its own selection of
    // features, and build every dependency again.
    run(&mut cargo([
        "build",
        "--release",
        "--package",
        "platform",
        "--package",
        "tests",
        "--bins",
    ]))?;
    let folder = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let mut command = Command::new(folder.join(PROGRAM));
    servers.name_to(command.args(args));
    run(&mut command)
}

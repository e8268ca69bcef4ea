//! `cargo xtask fuzz`: libFuzzer on one target, with what the stable compiler can do: coverage, but no sanitizers.

use std::fs;
use std::process::Command;

use crate::Outcome;
use crate::run::{cargo, root, run};

/// What has the compiler count which branches are taken and what is compared with what.
const COVERAGE: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
];

/// Builds a target's program and runs it. What it finds interesting is kept below `target/fuzz`, and tried first the next
/// time; the committed corpus is only read.
pub(crate) fn run_target(target: &str, seconds: u32) -> Outcome {
    let seeds = root().join("crates/fuzzing/corpus").join(target);
    if !seeds.is_dir() {
        return Err(format!("there is no target `{target}`"));
    }
    let (host, folder, program) = (host()?, root().join("target/fuzz"), format!("fuzz_{target}"));
    // With a target named, build scripts and macros are built without counters.
    let mut build = cargo([
        "build",
        "--profile",
        "fuzz",
        "--package",
        "fuzzing",
        "--features",
        "libfuzzer",
    ]);
    build.args(["--target", &host, "--bin", &program]);
    build
        .env("RUSTFLAGS", COVERAGE.join(" "))
        .env("CARGO_TARGET_DIR", &folder);
    run(&mut build)?;
    let (found, crashes) = (
        folder.join("corpus").join(target),
        folder.join("crashes").join(target),
    );
    for folder in [&found, &crashes] {
        fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    }
    let mut fuzz = Command::new(folder.join(&host).join("fuzz").join(&program));
    fuzz.arg(found)
        .arg(seeds)
        .args(["-timeout=10", "-rss_limit_mb=4096", "-max_len=8192"]);
    fuzz.arg(format!("-max_total_time={seconds}"));
    fuzz.arg(format!("-artifact_prefix={}/", crashes.display()));
    run(&mut fuzz)
}

/// The triple of this machine.
fn host() -> Outcome<String> {
    let output = Command::new("rustc").arg("-vV").output();
    let output = output.map_err(|error| format!("rustc could not be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| "rustc does not tell its host".to_owned())
}

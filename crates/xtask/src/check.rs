//! `cargo xtask test`: every check and test, and a summary.

use std::process::Command;
use std::time::Instant;

use crate::Outcome;
use crate::run::{cargo, run, run_reading};
use crate::servers::Servers;
use crate::wasm;

/// Runs every check and test, all of them even where some fail.
pub(crate) fn everything() -> Outcome {
    let servers = Servers::start()?;
    let mut summary = Summary::default();
    summary.step("format", || run(&mut cargo(["fmt", "--all", "--check"])));
    summary.step("lints", || {
        run(&mut cargo([
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ]))
    });
    let mut tests = Tests::default();
    // The house rules that no lint knows are among the tests (crates/xtask/tests/tidy).
    summary.step("tests", || {
        tests.run(&servers, cargo(["test", "--workspace", "--no-fail-fast"]))
    });
    summary.step("rules as WebAssembly", wasm::build_rules);
    drop(servers);
    summary.print(&tests)
}

/// Runs `cargo test` with these arguments.
pub(crate) fn some_tests(args: &[String]) -> Outcome {
    let servers = Servers::start()?;
    let mut summary = Summary::default();
    let mut tests = Tests::default();
    summary.step("tests", || {
        tests.run(
            &servers,
            cargo(["test"].into_iter().chain(args.iter().map(String::as_str))),
        )
    });
    drop(servers);
    summary.print(&tests)
}

/// What was run, how long it took, and how it ended.
#[derive(Default)]
struct Summary {
    steps: Vec<(&'static str, f64, Outcome)>,
}

impl Summary {
    fn step(&mut self, name: &'static str, run: impl FnOnce() -> Outcome) {
        let start = Instant::now();
        let outcome = run();
        self.steps.push((name, start.elapsed().as_secs_f64(), outcome));
    }

    /// Prints it; an error when a step failed.
    fn print(self, tests: &Tests) -> Outcome {
        println!("\nSummary");
        let mut failed = 0;
        for (name, seconds, outcome) in &self.steps {
            let verdict = outcome.as_ref().map_or_else(String::as_str, |()| "ok");
            println!("  {name:<22} {seconds:>6.0} s  {verdict}");
            failed += usize::from(outcome.is_err());
        }
        println!("tests: {} passed, {} failed", tests.passed, tests.failed);
        if failed == 0 {
            Ok(())
        } else {
            Err(format!("{failed} of {} steps failed", self.steps.len()))
        }
    }
}

/// The counts of all test binaries together.
#[derive(Default)]
struct Tests {
    passed: u64,
    failed: u64,
}

impl Tests {
    fn run(&mut self, servers: &Servers, mut command: Command) -> Outcome {
        servers.name_to(&mut command);
        run_reading(&mut command, |line| self.count(line))
    }

    /// Reads a line such as `test result: ok. 9 passed; 0 failed; 0 ignored; …`.
    fn count(&mut self, line: &str) {
        let Some((_, counts)) = line
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for count in counts.split("; ") {
            match count.split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                Some((number, "failed")) => self.failed += number.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_binaries_add_up() {
        let mut tests = Tests::default();
        tests.count("running 9 tests");
        tests.count(
            "test result: ok. 9 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 2.57s",
        );
        tests.count(
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
        );
        assert_eq!((tests.passed, tests.failed), (12, 2));
    }
}

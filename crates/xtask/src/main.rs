//! The project's own commands: `cargo xtask test`, `servers`, `bench`, `fuzz`, `generate`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod check;
mod fuzz;
mod generate;
mod install;
mod run;
mod servers;
mod wasm;

/// Whatever went wrong, as a sentence for whoever runs the command.
type Outcome<T = ()> = Result<T, String>;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Everything that developing Daka takes, beside cargo itself"
)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Installs what the tests need, starts private servers, and runs every check and test.
    ///
    /// With arguments, only `cargo test` with those arguments: `cargo xtask test -p docstore outbox`.
    Test {
        /// Arguments for `cargo test`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Installs and starts MongoDB, MariaDB and Redis for tests run by hand, until it is interrupted.
    Servers,
    /// Runs the benchmarks and prints their figures next to their limits; `bench router` measures the router as federated
    /// gateways are measured.
    Bench {
        /// Arguments for the benchmarks.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Has libFuzzer drive a target (docs/fuzzing.md); takes a C++ compiler.
    Fuzz {
        /// `answer`, `composition`, `document`, `http` or `rest`.
        target: String,
        /// How long; for ever if it is 0.
        #[arg(long, default_value_t = 600)]
        seconds: u32,
    },
    /// Writes the committed generated files anew.
    Generate,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Task::Test { args } if args.is_empty() => check::everything(),
        Task::Test { args } => check::some_tests(&args),
        Task::Servers => servers::until_interrupted(),
        Task::Bench { args } => bench::run_benchmarks(&args),
        Task::Fuzz { target, seconds } => fuzz::run_target(&target, seconds),
        Task::Generate => generate::run_generator(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

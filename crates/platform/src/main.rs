//! The `daka` program.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match platform::cli::run(platform::cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("daka: {error}");
            ExitCode::FAILURE
        }
    }
}

//! Builds `rules` for WebAssembly, which is how clients get it.

use std::env;
use std::process::Command;

use crate::Outcome;
use crate::install;
use crate::run::{cargo, run, succeeds};

const TARGET: &str = "wasm32-unknown-unknown";

/// Builds `rules` for `wasm32-unknown-unknown`, by the toolchain in use where it has or gets that target, else by
/// Debian's.
pub(crate) fn build_rules() -> Outcome {
    if installed() || (succeeds(Command::new("rustup").args(["target", "add", TARGET])) && installed()) {
        return run(&mut cargo([
            "build",
            "--package",
            "rules",
            "--release",
            "--target",
            TARGET,
        ]));
    }
    // Debian ships no standard library for this target, but its sources: `-Zbuild-std` builds it, and
    // RUSTC_BOOTSTRAP lets a stable compiler do that.
    install::debian(&["rustc-web", "cargo-web", "rust-web-src", "lld-19"])?;
    let path = format!("/usr/bin:{}", env::var("PATH").unwrap_or_default());
    let mut command = Command::new("/usr/bin/cargo");
    command
        .args([
            "build",
            "--package",
            "rules",
            "--release",
            "-Zbuild-std=std,panic_abort",
            "--target",
            TARGET,
        ])
        .current_dir(crate::run::root())
        .env("PATH", path)
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-19");
    run(&mut command)
}

/// Whether the toolchain in use has the target's standard library, however it was installed.
fn installed() -> bool {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output();
    let Ok(output) = output else { return false };
    let folder = String::from_utf8_lossy(&output.stdout);
    std::fs::read_dir(folder.trim()).is_ok_and(|mut files| {
        files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd-")))
    })
}

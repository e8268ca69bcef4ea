//! `cargo xtask generate`: the committed files that are generated from the code.

use crate::Outcome;
use crate::run::{cargo, root, run};

/// The program whose `generate` writes them.
const SOURCE: &str = "crates/platform/src/main.rs";

/// Lets `daka generate` write schema/ anew. That the committed files are the generated ones is for a test to say.
pub(crate) fn run_generator() -> Outcome {
    if !root().join(SOURCE).is_file() {
        return Err(format!("nothing can be generated: {SOURCE} does not exist"));
    }
    run(&mut cargo([
        "run",
        "--quiet",
        "--package",
        "platform",
        "--bin",
        "daka",
        "--",
        "generate",
    ]))
}

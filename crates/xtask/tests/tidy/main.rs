//! The house rules that no lint holds: how sources look, who may depend on whom, which licences come in, and that every
//! text is there in every language. Each check names every place that breaks it.

#![expect(clippy::unwrap_used, reason = "whatever cannot be read fails the test")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

mod arrows;
mod licences;
mod locales;
mod sources;
mod spdx;

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// What `cargo metadata` says, by the committed lock file.
fn metadata(args: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(args)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A text of the entry `key`, or an empty one.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// The files of the checkout that are ours, with their paths from the root: no build folders, no installed packages, no
/// libraries of others.
fn files() -> Vec<(String, PathBuf)> {
    fn walk(folder: &Path, root: &Path, files: &mut Vec<(String, PathBuf)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            let built = folder == root && (name.starts_with("target") || ["data", "vendor"].contains(&name));
            if path.is_symlink() || built || [".git", "node_modules", "dist"].contains(&name) {
                continue;
            }
            if path.is_dir() {
                walk(&path, root, files);
            } else {
                let relative = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                files.push((relative, path));
            }
        }
    }
    let root = root();
    let mut files = Vec::new();
    walk(&root, &root, &mut files);
    files.sort();
    files
}

/// Fails with all complaints, where there are any.
#[track_caller]
fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n  {}\n", complaints.join("\n  "));
}

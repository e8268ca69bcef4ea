//! How source files look.

use std::fs;

use crate::{files, none};

const MAX_LINES: usize = 500;

/// The text files among ours that are sources of a program.
fn programs() -> Vec<(String, String)> {
    let extensions = [".rs", ".ts", ".tsx", ".js", ".mjs", ".py", ".sh"];
    let source = |path: &str| extensions.iter().any(|extension| path.ends_with(extension));
    files()
        .into_iter()
        .filter(|(path, _)| source(path))
        .map(|(path, file)| (path, fs::read_to_string(file).unwrap()))
        .collect()
}

fn rust() -> Vec<(String, String)> {
    programs()
        .into_iter()
        .filter(|(path, _)| path.ends_with(".rs"))
        .collect()
}

/// Generated and taken-over files say so in their first line.
fn generated(text: &str) -> bool {
    text.lines()
        .next()
        .is_some_and(|line| line.contains("@generated"))
}

/// Minified scripts of others, bundled into the binary, lie in folders of this name.
fn bundled(path: &str) -> bool {
    path.contains("/assets/")
}

#[test]
fn modules_are_files_of_their_own_name() {
    let complaints: Vec<_> = files()
        .into_iter()
        .filter(|(path, _)| path.ends_with("/mod.rs"))
        .map(|(path, _)| format!("{path}: name the file as the module, beside its folder"))
        .collect();
    none(&complaints);
}

#[test]
fn every_module_opens_by_saying_what_it_is() {
    let opens = |text: &str| text.starts_with("//! ") || generated(text);
    let complaints: Vec<_> = rust()
        .into_iter()
        .filter(|(_, text)| !opens(text))
        .map(|(path, _)| format!("{path}: no `//!` line"))
        .collect();
    none(&complaints);
}

#[test]
fn files_stay_short() {
    let complaints: Vec<_> = programs()
        .into_iter()
        .filter(|(path, text)| text.lines().count() > MAX_LINES && !generated(text) && !bundled(path))
        .map(|(path, text)| format!("{path}: {} lines, more than {MAX_LINES}", text.lines().count()))
        .collect();
    none(&complaints);
}

#[test]
fn lints_are_expected_with_a_reason_never_allowed() {
    let allowing = ["#[", "#!["].map(|open| format!("{open}allow("));
    let mut complaints = Vec::new();
    for (path, text) in rust() {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_start();
            if allowing.iter().any(|allow| line.starts_with(allow)) {
                complaints.push(format!(
                    "{path}:{}: `#[expect(lint, reason = …)]` instead",
                    number + 1
                ));
            }
        }
    }
    none(&complaints);
}

#[test]
fn no_test_is_switched_off() {
    let ignoring = format!("#[{}", "ignore");
    let complaints: Vec<_> = rust()
        .into_iter()
        .filter(|(_, text)| text.lines().any(|line| line.trim_start().starts_with(&ignoring)))
        .map(|(path, _)| format!("{path}: an ignored test"))
        .collect();
    none(&complaints);
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let members = files()
        .into_iter()
        .filter(|(path, _)| path.ends_with("/Cargo.toml"));
    let complaints: Vec<_> = members
        .filter(|(_, file)| {
            let manifest: toml::Table = toml::from_str(&fs::read_to_string(file).unwrap()).unwrap();
            manifest
                .get("lints")
                .and_then(|lints| lints.get("workspace"))
                .and_then(toml::Value::as_bool)
                != Some(true)
        })
        .map(|(path, _)| format!("{path}: `lints.workspace = true` is missing"))
        .collect();
    none(&complaints);
}

#[test]
fn nothing_names_one_machine_or_one_mirror() {
    // In halves, so that this file does not break its own rule.
    let paths = ["/wo|rk/", "/ro|ot/", "/ho|me/", "/Us|ers/"];
    let hosts = [
        "registry.np|mjs.org",
        "static.cra|tes.io",
        "index.cra|tes.io",
        "files.python|hosted.org",
        "//py|pi.org",
    ];
    let forbidden: Vec<_> = paths
        .iter()
        .chain(&hosts)
        .map(|halves| halves.replace('|', ""))
        .collect();
    let mut complaints = Vec::new();
    for (path, file) in files() {
        // What is no text names nothing; bundled scripts of others are as they are.
        let Ok(text) = fs::read_to_string(file) else {
            continue;
        };
        if bundled(&path) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            if let Some(found) = forbidden.iter().find(|&part| line.contains(part)) {
                complaints.push(format!("{path}:{}: names {found}", number + 1));
            }
        }
    }
    none(&complaints);
}

#[test]
fn every_dependency_comes_from_the_one_registry() {
    let lock: toml::Table =
        toml::from_str(&fs::read_to_string(crate::root().join("Cargo.lock")).unwrap()).unwrap();
    let packages = lock["package"].as_array().unwrap();
    let complaints: Vec<_> = packages
        .iter()
        .filter_map(|package| Some((package["name"].as_str()?, package.get("source")?.as_str()?)))
        .filter(|(_, source)| *source != "registry+https://github.com/rust-lang/crates.io-index")
        .map(|(name, source)| format!("Cargo.lock: {name} comes from {source}"))
        .collect();
    none(&complaints);
}

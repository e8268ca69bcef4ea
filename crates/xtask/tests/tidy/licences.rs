//! Every dependency may be used and passed on as our own licence promises: by the list in deny.toml, which `cargo deny
//! check licenses` reads too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::{metadata, none, root, spdx, text};

/// The `[licenses]` table of deny.toml, as far as this check knows it.
struct Policy {
    allowed: BTreeSet<String>,
    /// Licences allowed for one crate alone.
    exceptions: BTreeMap<String, BTreeSet<String>>,
}

impl Policy {
    fn read() -> Self {
        let file: toml::Table =
            toml::from_str(&fs::read_to_string(root().join("deny.toml")).unwrap()).unwrap();
        let licences = file["licenses"].as_table().unwrap();
        let names = |value: &toml::Value| -> BTreeSet<String> {
            value
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap().to_owned())
                .collect()
        };
        let exceptions = licences
            .get("exceptions")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten();
        Self {
            allowed: names(&licences["allow"]),
            exceptions: exceptions
                .map(|entry| {
                    (
                        entry["crate"].as_str().unwrap().to_owned(),
                        names(&entry["allow"]),
                    )
                })
                .collect(),
        }
    }

    fn allows(&self, package: &str, licence: &str) -> bool {
        let excepted = || {
            self.exceptions
                .get(package)
                .is_some_and(|licences| licences.contains(licence))
        };
        self.allowed.contains(licence) || excepted()
    }
}

/// The triple of the machine that builds. What is only for other systems need not even be downloaded here.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(output.stdout).unwrap();
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap()
        .to_owned()
}

/// A package without an expression brings a file; it has to be MIT's text.
fn is_mit_text(package: &Value) -> bool {
    let manifest = Path::new(text(package, "manifest_path"));
    let Some(file) = package["license_file"]
        .as_str()
        .and_then(|file| Some(manifest.parent()?.join(file)))
    else {
        return false;
    };
    let licence = fs::read_to_string(file)
        .unwrap_or_default()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    licence.contains(
        "Permission is hereby granted, free of charge, to any person obtaining a copy of this software",
    ) && licence
        .contains("The above copyright notice and this permission notice shall be included in all copies")
}

#[test]
fn every_dependency_has_a_permissive_licence() {
    let policy = Policy::read();
    let metadata = metadata(&["--filter-platform", &host()]);
    let used: BTreeSet<_> = metadata["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| text(node, "id"))
        .collect();
    let packages = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| used.contains(text(package, "id")));
    let mut complaints = Vec::new();
    for package in packages {
        let name = text(package, "name");
        let fine = match package["license"].as_str() {
            Some(expression) => spdx::satisfied(expression, &|licence| policy.allows(name, licence)),
            None => is_mit_text(package),
        };
        if !fine {
            complaints.push(format!(
                "{name} {}: {}",
                text(package, "version"),
                package["license"]
            ));
        }
    }
    none(&complaints);
}

//! Who may depend on whom (ARCHITECTURE.md): read from what the crates declare.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{metadata, none, root, text};

/// The crates that know no domain.
const NO_DOMAIN: &[&str] = &["composition", "router"];

/// Which crates of ours each crate may use in what it ships. The subgraphs share one entry.
const ARROWS: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("rules", &["kernel"]),
    ("composition", &[]),
    ("docstore", &["kernel"]),
    ("relstore", &["kernel"]),
    ("cache", &["kernel"]),
    ("events", &["cache", "docstore", "kernel"]),
    ("auth", &["cache", "docstore", "kernel", "relstore"]),
    ("telemetry", &["kernel"]),
    ("wechat", &["cache", "kernel"]),
    ("router", &["auth", "cache", "composition", "kernel", "telemetry"]),
    (
        "subgraph",
        &[
            "auth",
            "cache",
            "docstore",
            "events",
            "kernel",
            "relstore",
            "rules",
            "telemetry",
        ],
    ),
    (
        SUBGRAPHS,
        &[
            "auth",
            "cache",
            "docstore",
            "events",
            "kernel",
            "relstore",
            "rules",
            "subgraph",
            "telemetry",
            "wechat",
        ],
    ),
    ("fuzzing", &["composition", "kernel", "router"]),
    ("testkit", &[]),
    ("xtask", &["testkit"]),
];

/// The crates at the top, which may use everything but development tools; `tests` ships nothing and may use those too.
const TOP: &[&str] = &["platform", "tests"];

const SUBGRAPHS: &str = "subgraphs/*";

/// Which crates alone may use an outside one, directly, in what they ship; a test may look from outside.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("mongodb", &["docstore"]),
    ("rusqlite", &["docstore"]),
    ("redis", &["cache", "events"]),
    ("apalis-redis", &["events"]),
    ("sea-orm", &["relstore", SUBGRAPHS]),
    ("sea-orm-migration", &["relstore", SUBGRAPHS]),
    ("sqlx", &[]),
    ("async-graphql", &["subgraph", SUBGRAPHS, "router", "platform"]),
    ("hive-router-query-planner", &["router"]),
    ("jsonwebtoken", &["auth"]),
    ("metrics-exporter-prometheus", &["telemetry"]),
    ("opentelemetry_sdk", &["telemetry"]),
    ("opentelemetry-otlp", &["telemetry"]),
    ("tracing-subscriber", &["telemetry"]),
];

/// What `kernel` and `rules` may take from outside: nothing that does I/O or waits, and so nothing that keeps them from
/// building for WebAssembly.
const PURE: &[(&str, &[&str])] = &[
    (
        "kernel",
        &[
            "base64",
            "getrandom",
            "const-hex",
            "jiff",
            "rand",
            "serde",
            "serde_json",
            "thiserror",
        ],
    ),
    ("rules", &["base64", "jiff", "serde", "smallvec", "thiserror"]),
];

struct Crate {
    name: String,
    subgraph: bool,
    /// Name and whether it is for development only.
    uses: Vec<(String, bool)>,
}

impl Crate {
    /// Its name in the tables above.
    fn entry(&self) -> &str {
        if self.subgraph { SUBGRAPHS } else { &self.name }
    }
}

fn members() -> BTreeMap<String, Crate> {
    let metadata = metadata(&["--no-deps"]);
    let root = root();
    let read = |package: &Value| {
        let dependency = |dependency: &Value| {
            (
                text(dependency, "name").to_owned(),
                text(dependency, "kind") == "dev",
            )
        };
        let name = text(package, "name").to_owned();
        let subgraph = text(package, "manifest_path").starts_with(&*root.join("subgraphs").to_string_lossy());
        let uses = package["dependencies"]
            .as_array()
            .into_iter()
            .flatten()
            .map(dependency)
            .collect();
        (name.clone(), Crate { name, subgraph, uses })
    };
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(read)
        .collect()
}

#[test]
fn crates_depend_only_downwards() {
    let members = members();
    let mut complaints = Vec::new();
    for user in members.values() {
        let allowed = ARROWS
            .iter()
            .find(|(name, _)| *name == user.entry())
            .map(|(_, allowed)| *allowed);
        let top = TOP.contains(&user.entry());
        if allowed.is_none() && !top {
            complaints.push(format!(
                "{} is in no table: say in crates/xtask/tests/tidy/arrows.rs what it may use",
                user.name
            ));
        }
        for (used, for_development) in &user.uses {
            let tool = ["testkit", "xtask"].contains(&used.as_str());
            let fine = if !members.contains_key(used) || *for_development {
                true
            } else if top {
                !tool || user.name == "tests"
            } else {
                allowed.is_none_or(|allowed| allowed.contains(&used.as_str()))
            };
            if !fine {
                complaints.push(format!("{} uses {used}", user.name));
            }
        }
    }
    none(&complaints);
}

#[test]
fn subgraphs_meet_in_the_supergraph_and_in_events_only() {
    let members = members();
    let subgraph = |name: &str| members.get(name).is_some_and(|member| member.subgraph);
    let mut complaints = Vec::new();
    for user in members
        .values()
        .filter(|user| user.subgraph || user.name == "subgraph")
    {
        let others = user.uses.iter().filter(|(used, _)| subgraph(used));
        complaints.extend(others.map(|(used, _)| format!("{} uses {used}", user.name)));
    }
    none(&complaints);
}

#[test]
fn the_router_and_its_composition_know_no_domain() {
    let members = members();
    let domain = |name: &str| {
        members.get(name).is_some_and(|member| member.subgraph)
            || ["rules", "subgraph", "wechat"].contains(&name)
    };
    let mut complaints = Vec::new();
    for user in members.values().filter(|user| NO_DOMAIN.contains(&user.entry())) {
        let domains = user.uses.iter().filter(|(used, _)| domain(used));
        complaints.extend(domains.map(|(used, _)| format!("{} uses {used}", user.name)));
    }
    none(&complaints);
}

#[test]
fn each_driver_has_its_one_place() {
    let members = members();
    let mut complaints = Vec::new();
    for user in members.values().filter(|user| user.name != "tests") {
        for (outside, places) in OUTSIDE {
            let used = user
                .uses
                .iter()
                .any(|(used, for_development)| used == outside && !for_development);
            if used && !places.contains(&user.entry()) {
                complaints.push(format!(
                    "{} uses {outside}, which is for {places:?} alone",
                    user.name
                ));
            }
        }
    }
    none(&complaints);
}

#[test]
fn the_kernel_and_the_rules_are_pure() {
    let members = members();
    let mut complaints = Vec::new();
    for (name, allowed) in PURE {
        let user = &members[*name];
        let shipped = user
            .uses
            .iter()
            .filter(|(used, for_development)| !for_development && !members.contains_key(used));
        let strange = shipped.filter(|(used, _)| !allowed.contains(&used.as_str()));
        complaints.extend(strange.map(|(used, _)| format!("{name} uses {used}")));
    }
    none(&complaints);
}

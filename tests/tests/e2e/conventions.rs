//! The API reads as if one hand wrote it.

use std::path::Path;

use serde_json::{Value, json};
use tests::Daka;

scenarios!(names_and_descriptions_follow_the_conventions);

/// Names from the original design, which stay.
const BOOLEANS: &[&str] = &[
    "enabled",
    "pushEnabled",
    "allowFriendRequest",
    "checkInReminder",
    "streakAlert",
    "communityActivity",
    "systemNotice",
];
/// Relay's, whose lists are sized by the connection's own field.
const CONNECTION_LISTS: &[&str] = &["nodes", "edges"];
const SCHEMA: &str = "{ __schema { types { name kind description
    fields { name description type { kind name ofType { kind name } } args { name description } }
    inputFields { name description type { kind name ofType { kind name } } }
    enumValues { name description } } } }";

async fn names_and_descriptions_follow_the_conventions(daka: &Daka) {
    let schema = daka.nobody().query(SCHEMA, json!({})).await;
    let mut faults = Vec::new();
    for kind in list(&schema["__schema"]["types"]) {
        let name = text(&kind["name"]);
        let is_built_in =
            ["String", "Int", "Float", "Boolean", "ID"].contains(&name) || name.starts_with("__");
        if is_built_in {
            continue;
        }
        let mut check = |holds: bool, what: String| (!holds).then(|| faults.push(what));
        check(is_pascal(name), format!("{name} is not in PascalCase"));
        // Connections of async-graphql have no description of their own.
        check(
            !text(&kind["description"]).is_empty() || name.ends_with("Connection"),
            format!("{name}: describe it"),
        );
        for value in list(&kind["enumValues"]) {
            let value_name = text(&value["name"]);
            check(
                is_upper(value_name),
                format!("{name}.{value_name} is not in UPPER_CASE"),
            );
            check(
                !text(&value["description"]).is_empty(),
                format!("{name}.{value_name}: describe it"),
            );
        }
        for field in list(&kind["fields"]).iter().chain(list(&kind["inputFields"])) {
            let path = format!("{name}.{}", text(&field["name"]));
            check(
                is_camel(text(&field["name"])),
                format!("{path} is not in camelCase"),
            );
            check(
                !text(&field["description"]).is_empty(),
                format!("{path}: describe it"),
            );
            check(
                name == "Mutation" || says_boolean(field),
                format!("{path}: begin with is, has or can"),
            );
            for argument in list(&field["args"]) {
                let path = format!("{path}({})", text(&argument["name"]));
                check(
                    is_camel(text(&argument["name"])),
                    format!("{path} is not in camelCase"),
                );
                check(
                    !text(&argument["description"]).is_empty(),
                    format!("{path}: describe it"),
                );
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn says_boolean(field: &Value) -> bool {
    let name = text(&field["name"]);
    let is_boolean = [&field["type"]["name"], &field["type"]["ofType"]["name"]].contains(&&json!("Boolean"));
    let begins = |word: &str| {
        name.strip_prefix(word)
            .is_some_and(|rest| rest.starts_with(char::is_uppercase))
    };
    !is_boolean || ["is", "has", "can"].into_iter().any(begins) || BOOLEANS.contains(&name)
}

fn is_pascal(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.chars().all(|one| one.is_ascii_alphanumeric())
}

fn is_camel(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|one| one.is_ascii_alphanumeric())
}

fn is_upper(name: &str) -> bool {
    name.chars()
        .all(|one| one.is_ascii_uppercase() || one.is_ascii_digit() || one == '_')
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn every_list_field_says_its_size() {
    let faults = fields_where(|of, name, line| {
        let is_list = line.split(" @").next().unwrap_or_default().contains(": [");
        let is_told =
            line.contains("@listSize") || (of.ends_with("Connection") && CONNECTION_LISTS.contains(&name));
        is_list && !is_told
    });
    assert!(faults.is_empty(), "without @listSize: {faults:?}");
}

#[test]
fn every_root_field_is_guarded_or_said_to_be_public() {
    let public = ["Mutation.login", "Mutation.refreshToken", "Query.habitTemplates"];
    let open = fields_where(|of, _, line| {
        let is_guarded = ["@authenticated", "@policy", "@requiresScopes"]
            .iter()
            .any(|guard| line.contains(guard));
        ["Query", "Mutation"].contains(&of) && !is_guarded
    });
    assert_eq!(open, public);
}

/// The fields of object types of the supergraph, as `Type.field`, whose line with their type and directives is so.
/// Inaccessible ones are no part of the API.
fn fields_where(is_so: impl Fn(&str, &str, &str) -> bool) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/supergraph.graphql");
    let sdl = std::fs::read_to_string(path).expect("the schema is committed");
    let (mut of, mut name, mut found) = ("", "", Vec::new());
    let mut is_described = false;
    for line in sdl.lines() {
        if let Some(rest) = line.strip_prefix("type ") {
            of = rest.split_whitespace().next().unwrap_or_default();
        } else if line.starts_with('}') {
            of = "";
        }
        let quotes = line.matches("\"\"\"").count();
        if quotes == 1 {
            is_described = !is_described;
        }
        let indented = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '));
        let Some(rest) = indented.filter(|_| !of.is_empty() && quotes == 0 && !is_described) else {
            continue;
        };
        if rest.starts_with('@') {
            continue;
        }
        if !rest.starts_with(')') {
            name = rest.split([':', '(']).next().unwrap_or_default();
        }
        if !rest.ends_with('(') && !rest.contains("@inaccessible") && is_so(of, name, rest) {
            found.push(format!("{of}.{name}"));
        }
    }
    found
}

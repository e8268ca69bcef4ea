//! Composes the same subgraphs with `@theguild/federation-composition` and compares what comes out.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use apollo_compiler::Node;
use apollo_compiler::ast::{Definition, DirectiveList, Document, FieldDefinition, InputValueDefinition};
use serde_json::{Value, json};

use crate::cases::expand;

/// What the oracle says of one set.
pub(crate) struct Outcome {
    pub(crate) codes: Vec<String>,
    pub(crate) messages: Vec<String>,
    pub(crate) supergraph: Option<String>,
}

/// Runs the oracle once for all sets.
pub(crate) fn outcomes(sets: &[(String, Vec<(String, String)>)]) -> Vec<Outcome> {
    let folder = installed();
    let cases: Vec<Value> = sets
        .iter()
        .map(|(name, subgraphs)| {
            let subgraphs: Vec<Value> = subgraphs
                .iter()
                .map(|(name, sdl)| json!({"name": name, "url": format!("http://{name}"), "sdl": expand(sdl)}))
                .collect();
            json!({"name": name, "subgraphs": subgraphs})
        })
        .collect();
    let mut child = Command::new("node")
        .arg("compose.mjs")
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the oracle needs node 20 or newer on the PATH");
    let input = serde_json::to_vec(&cases).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the oracle failed");
    let outcomes: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    outcomes.iter().map(read).collect()
}

fn read(outcome: &Value) -> Outcome {
    let errors = outcome["errors"].as_array().unwrap();
    let text = |error: &Value, key: &str| error[key].as_str().unwrap_or_default().to_owned();
    Outcome {
        codes: errors.iter().map(|error| text(error, "code")).collect(),
        messages: errors.iter().map(|error| text(error, "message")).collect(),
        supergraph: outcome["supergraph"].as_str().map(str::to_owned),
    }
}

/// The folder of the oracle, with its packages.
fn installed() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
    testkit::node::install(&folder, "@theguild/federation-composition");
    folder
}

/// A supergraph as a set of statements that do not depend on order and abbreviation.
pub(crate) fn statements(sdl: &str) -> BTreeSet<String> {
    let document = Document::parse(sdl, "supergraph.graphql").unwrap();
    let mut out = BTreeSet::new();
    for definition in &document.definitions {
        let Some(name) = definition.name() else { continue };
        if name.contains("__") && name != "join__Graph" {
            continue;
        }
        statements_of(definition, name, &mut out);
    }
    out
}

fn statements_of(definition: &Definition, name: &str, out: &mut BTreeSet<String>) {
    let graphs: BTreeSet<String> = definition
        .directives()
        .get_all("join__type")
        .filter_map(|one| one.specified_argument_by_name("graph"))
        .map(ToString::to_string)
        .collect();
    match definition {
        Definition::ObjectTypeDefinition(def) => {
            out.insert(format!(
                "type {name} implements {:?}",
                sorted(&def.implements_interfaces)
            ));
            fields(name, &def.fields, &graphs, out);
        }
        Definition::InterfaceTypeDefinition(def) => {
            out.insert(format!(
                "interface {name} implements {:?}",
                sorted(&def.implements_interfaces)
            ));
            fields(name, &def.fields, &graphs, out);
        }
        Definition::UnionTypeDefinition(def) => {
            out.insert(format!("union {name} = {:?}", sorted(&def.members)));
        }
        Definition::EnumTypeDefinition(def) => {
            for value in &def.values {
                directives(&format!("{name}.{}", value.value), &value.directives, out);
            }
        }
        Definition::InputObjectTypeDefinition(def) => inputs(name, &def.fields, &graphs, out),
        Definition::ScalarTypeDefinition(_) => {}
        _ => return,
    }
    directives(name, definition.directives(), out);
}

fn sorted<T: ToString>(names: &[T]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

fn fields(
    parent: &str,
    fields: &[Node<FieldDefinition>],
    graphs: &BTreeSet<String>,
    out: &mut BTreeSet<String>,
) {
    for field in fields {
        let place = format!("{parent}.{}", field.name);
        out.insert(format!("{place}: {}", field.ty));
        everywhere(&place, &field.directives, graphs, out);
        directives(&place, &field.directives, out);
        for arg in &field.arguments {
            let place = format!("{place}({}:)", arg.name);
            out.insert(input(&place, arg));
            directives(&place, &arg.directives, out);
        }
    }
}

fn inputs(
    parent: &str,
    inputs: &[Node<InputValueDefinition>],
    graphs: &BTreeSet<String>,
    out: &mut BTreeSet<String>,
) {
    for field in inputs {
        let place = format!("{parent}.{}", field.name);
        out.insert(input(&place, field));
        everywhere(&place, &field.directives, graphs, out);
        directives(&place, &field.directives, out);
    }
}

fn input(place: &str, input: &InputValueDefinition) -> String {
    let default = input
        .default_value
        .as_ref()
        .map(|value| value.serialize().no_indent().to_string());
    format!("{place}: {} = {default:?}", input.ty)
}

/// No `@join__field` at all says that all subgraphs of the type have the field.
fn everywhere(place: &str, own: &DirectiveList, graphs: &BTreeSet<String>, out: &mut BTreeSet<String>) {
    if !own.has("join__field") {
        for graph in graphs {
            out.insert(format!("{place} @join__field graph: {graph}"));
        }
    }
}

fn directives(place: &str, own: &DirectiveList, out: &mut BTreeSet<String>) {
    for directive in &own.0 {
        let arguments: BTreeMap<String, String> = directive
            .arguments
            .iter()
            // The planner makes nothing of it, and versions of composition differ in writing it.
            .filter(|argument| argument.name != "extension")
            .map(|argument| (argument.name.to_string(), value(&argument.value)))
            .collect();
        let arguments: Vec<String> = arguments
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        out.insert(
            format!("{place} @{} {}", directive.name, arguments.join(" "))
                .trim_end()
                .to_owned(),
        );
    }
}

/// Lists are sets here, and field sets have one spelling.
fn value(value: &apollo_compiler::ast::Value) -> String {
    use apollo_compiler::ast::Value as V;
    match value {
        V::List(items) => {
            let items: BTreeSet<String> = items.iter().map(|item| self::value(item)).collect();
            format!("{items:?}")
        }
        V::String(text) => {
            let spaced = text
                .replace('{', " { ")
                .replace('}', " } ")
                .replace(',', " ")
                .replace(':', ": ");
            let spaced = spaced.replace("...", " ... ");
            format!("{:?}", spaced.split_whitespace().collect::<Vec<_>>().join(" "))
        }
        other => other.to_string(),
    }
}

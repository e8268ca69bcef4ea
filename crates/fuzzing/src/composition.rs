//! The target `composition`: the schemas of subgraphs.

use composition::{SubgraphSource, api_sdl, compose};
use router::apollo_compiler::Schema;
use router::apollo_compiler::schema::ExtendedType;
use router::{Engine, RouterConfig, Transports};

use crate::{on_a_small_stack, text};

/// A line of this beginning, a comment to GraphQL, begins another subgraph.
const SUBGRAPH: &str = "# subgraph ";

/// So many root fields are asked.
const MOST_FIELDS: usize = 20;

/// Takes the schemas of subgraphs, one after the other, each below a line `# subgraph NAME`. What is right:
///
/// - They do not compose, for reasons with a text each.
/// - Or they do: then the order in which they come does not matter, the client's schema is a valid one, and the router
///   loads the supergraph.
/// - Every root field that needs no arguments can then be planned, since composition has seen that all can be resolved.
///
/// # Panics
/// Where one of these does not hold.
pub fn composition(bytes: &[u8]) {
    let text = text(bytes);
    on_a_small_stack(|| check(&text));
}

fn check(text: &str) {
    let sources = sources(text);
    let backwards: Vec<_> = sources.iter().rev().cloned().collect();
    let (composed, other) = (compose(&sources), compose(&backwards));
    let composed = match (composed, other) {
        (Ok(composed), Ok(other)) => {
            assert_eq!(composed.supergraph_sdl, other.supergraph_sdl, "the order matters");
            composed
        }
        (Err(errors), Err(_)) => {
            assert!(!errors.is_empty(), "refused without a reason");
            return assert!(
                errors.iter().all(|error| !error.message.is_empty()),
                "no text: {errors:?}"
            );
        }
        (Err(errors), _) | (_, Err(errors)) => panic!("it composes in one order only: {errors:?}"),
    };
    let api = Schema::parse_and_validate(&composed.api_sdl, "api.graphql");
    let api = api.unwrap_or_else(|invalid| panic!("the client's schema is invalid: {}", invalid.errors));
    let again = api_sdl(&composed.supergraph_sdl).expect("the client's schema");
    assert_eq!(again, composed.api_sdl, "the client's schema is another one");
    let engine = Engine::new(
        &composed.supergraph_sdl,
        &RouterConfig::default(),
        Transports::default(),
    );
    let engine = engine.unwrap_or_else(|error| panic!("{error}\n{}", composed.supergraph_sdl));
    for query in queries(&api) {
        if let Err(errors) = engine.prepare(&query, None) {
            panic!("{query} cannot be asked: {errors:?}\n{}", composed.supergraph_sdl);
        }
    }
}

fn sources(text: &str) -> Vec<SubgraphSource> {
    let mut sources = Vec::new();
    let mut name = "first".to_owned();
    let mut sdl = String::new();
    for line in text.lines() {
        if let Some(next) = line.strip_prefix(SUBGRAPH) {
            if !sdl.trim().is_empty() {
                sources.push(source(&name, &sdl));
            }
            sdl.clear();
            name = next.trim().to_owned();
        } else {
            sdl.push_str(line);
            sdl.push('\n');
        }
    }
    sources.push(source(&name, &sdl));
    sources
}

fn source(name: &str, sdl: &str) -> SubgraphSource {
    SubgraphSource::new(name, Some("http://127.0.0.1:1/".to_owned()), sdl)
}

/// A query for each root field without arguments that must be given, with the leaves below it.
fn queries(api: &Schema) -> Vec<String> {
    let Some(query) = api.schema_definition.query.as_ref() else {
        return Vec::new();
    };
    let Some(ExtendedType::Object(root)) = api.types.get(&query.name) else {
        return Vec::new();
    };
    let fields = root.fields.values().filter(|field| can_be_asked(field));
    let query = |field: &router::apollo_compiler::schema::FieldDefinition| {
        format!(
            "{{ {}{} }}",
            field.name,
            selection(api, field.ty.inner_named_type(), 2)
        )
    };
    fields.take(MOST_FIELDS).map(|field| query(field)).collect()
}

fn can_be_asked(field: &router::apollo_compiler::schema::FieldDefinition) -> bool {
    !field.arguments.iter().any(|argument| argument.is_required())
}

/// What can be selected of a type, so many levels deep.
fn selection(api: &Schema, type_name: &str, levels: usize) -> String {
    let fields = match api.types.get(type_name) {
        Some(ExtendedType::Object(object)) => &object.fields,
        Some(ExtendedType::Interface(interface)) => &interface.fields,
        Some(ExtendedType::Union(_)) => return " { __typename }".to_owned(),
        _ => return String::new(),
    };
    let mut text = " { __typename".to_owned();
    for field in fields
        .values()
        .filter(|field| can_be_asked(field))
        .take(MOST_FIELDS)
    {
        let inner = field.ty.inner_named_type();
        let is_leaf = api
            .types
            .get(inner)
            .is_some_and(|it| it.is_scalar() || it.is_enum());
        if is_leaf || levels > 0 {
            let below = selection(api, inner, levels.saturating_sub(1));
            text.push_str(&format!(" {}{below}", field.name));
        }
    }
    text + " }"
}

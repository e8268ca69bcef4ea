//! What an answer depends on, so that it can be dropped when that changes: the subgraph, the types of its objects, the
//! entity, the caller whom it is for.

use std::collections::HashMap;

use apollo_compiler::ast::{self, Definition, Document};
use http::header::{AUTHORIZATION, COOKIE};
use kernel::Actor;
use serde_json::Value;

use super::digest::Digest;
use crate::context::RequestContext;

/// By what entities are told apart: by type and subgraph.
#[derive(Debug, Default)]
pub(crate) struct EntityKeys(HashMap<Box<str>, HashMap<Box<str>, Vec<KeySet>>>);

/// The fields of one `@key`.
type KeySet = Vec<KeyField>;

#[derive(Debug, PartialEq)]
struct KeyField {
    name: Box<str>,
    set: KeySet,
}

/// Something that answers depend on. Its name in the cache says nothing of what it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tag<'t> {
    /// Everything of a subgraph.
    Subgraph(&'t str),
    /// What a subgraph says of entities of a type that it was asked about.
    Type(&'t str, &'t str),
    /// What a subgraph says of objects of a type anywhere else in its answers.
    Nested(&'t str, &'t str),
    /// What a subgraph says of one entity; last, its key.
    Entity(&'t str, &'t str, &'t str),
    /// What is kept for one caller only: who vouches for them, nobody for a person of this platform, and who they are
    /// there.
    Caller(&'t str, &'t str),
}

impl Tag<'_> {
    /// The name in the cache.
    pub(crate) fn name(self) -> String {
        let parts: &[&str] = match &self {
            Self::Subgraph(subgraph) => &["subgraph", subgraph],
            Self::Type(subgraph, name) => &["type", subgraph, name],
            Self::Nested(subgraph, name) => &["nested", subgraph, name],
            Self::Entity(subgraph, name, key) => &["entity", subgraph, name, key],
            Self::Caller(issuer, subject) => &["caller", issuer, subject],
        };
        let mut digest = Digest::default();
        parts.iter().for_each(|part| digest.add(part.as_bytes()));
        digest.name().tag()
    }
}

/// The name of the tag of what is kept for the caller only.
pub(crate) fn of_caller(context: &RequestContext) -> String {
    match &context.principal.actor {
        Actor::User { id, .. } => Tag::Caller("", &id.to_string()).name(),
        Actor::External(external) => Tag::Caller(&external.issuer, &external.subject).name(),
        Actor::Service { name } => Tag::Caller("service", &name.0).name(),
        // Where the router knows nobody, subgraphs tell callers apart by what is passed on.
        Actor::Anonymous => {
            let mut digest = Digest::default();
            for name in [AUTHORIZATION, COOKIE] {
                digest.add(name.as_str().as_bytes());
                let values = context.headers.get_all(name).iter();
                values.for_each(|value| digest.add(value.as_bytes()));
            }
            digest.name().tag()
        }
    }
}

impl EntityKeys {
    /// Reads a supergraph.
    pub(crate) fn read(document: &Document) -> Self {
        let mut graphs: HashMap<&str, &str> = HashMap::new();
        for definition in &document.definitions {
            let Definition::EnumTypeDefinition(all) = definition else {
                continue;
            };
            for value in all.values.iter().filter(|_| all.name == "join__Graph") {
                let graph = value.directives.get("join__graph");
                let name = graph.and_then(|graph| graph.specified_argument_by_name("name"));
                graphs.extend(name.and_then(|name| Some((value.value.as_str(), name.as_str()?))));
            }
        }
        let mut keys = Self::default();
        for definition in &document.definitions {
            let (name, directives) = match definition {
                Definition::ObjectTypeDefinition(object) => (&object.name, &object.directives),
                Definition::InterfaceTypeDefinition(interface) => (&interface.name, &interface.directives),
                _ => continue,
            };
            for (graph, set) in directives.iter().filter_map(|it| join(it)) {
                let Some(subgraph) = graphs.get(graph) else {
                    continue;
                };
                let of_type = keys.0.entry(name.as_str().into()).or_default();
                let sets = of_type.entry((*subgraph).into()).or_default();
                if let Some(set) = set.filter(|set| !sets.contains(set)) {
                    sets.push(set);
                }
            }
        }
        keys
    }

    /// Whether the type is known at all.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether these fields are none of the keys by which a subgraph knows entities of a type.
    pub(crate) fn lacks(&self, subgraph: &str, name: &str, fields: &Value) -> bool {
        let sets = self.0.get(name).and_then(|of_type| of_type.get(subgraph));
        let is_key = |set: &KeySet| fields.is_object() && write(set, fields, &mut String::new()).is_some();
        sets.is_some_and(|sets| !sets.is_empty() && !sets.iter().any(is_key))
    }

    /// What tells an entity from others, as one text, where a subgraph knows its type by one key. `fields` holds at least
    /// that key.
    pub(crate) fn key(&self, subgraph: &str, name: &str, fields: &Value) -> Option<String> {
        let [set] = self.0.get(name)?.get(subgraph)?.as_slice() else {
            return None;
        };
        let mut text = String::new();
        let written = fields.is_object().then(|| write(set, fields, &mut text));
        written.flatten().map(|()| text)
    }
}

fn join(directive: &ast::Directive) -> Option<(&str, Option<KeySet>)> {
    if directive.name != "join__type" {
        return None;
    }
    let graph = directive.specified_argument_by_name("graph")?.as_enum()?;
    let key = directive
        .specified_argument_by_name("key")
        .and_then(|key| key.as_str());
    let set = key.map(|key| {
        let spaced = key.replace('{', " { ").replace('}', " } ");
        read(&mut spaced.split_whitespace().peekable(), 0)
    });
    Some((graph.as_str(), set))
}

/// A field set, in the order of the names: the same key may be written in several ways.
fn read<'k>(words: &mut std::iter::Peekable<impl Iterator<Item = &'k str>>, depth: usize) -> KeySet {
    const MAX_DEPTH: usize = 20;
    let mut set = KeySet::new();
    while let Some(word) = words.next() {
        if word == "}" {
            break;
        }
        let mut inner = KeySet::new();
        if depth < MAX_DEPTH && words.next_if_eq(&"{").is_some() {
            inner = read(words, depth + 1);
        }
        set.push(KeyField {
            name: word.into(),
            set: inner,
        });
    }
    set.sort_by(|a, b| a.name.cmp(&b.name));
    set
}

/// Writes the key's values. A number is as good as the same as text: both may be an ID.
fn write(set: &KeySet, value: &Value, text: &mut String) -> Option<()> {
    match value {
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write(set, item, text)?;
            }
            text.push(']');
        }
        Value::Object(fields) if !set.is_empty() => {
            text.push('{');
            for field in set {
                write(&field.set, fields.get(&*field.name)?, text)?;
            }
            text.push('}');
        }
        _ if !set.is_empty() => return None,
        Value::String(plain) => text.push_str(&format!("{}:{plain},", plain.len())),
        other => {
            let plain = other.to_string();
            text.push_str(&format!("{}:{plain},", plain.len()));
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(sdl: &str, fields: &Value) -> Option<String> {
        let graphs = "enum join__Graph { A @join__graph(name: \"a\", url: \"\") }";
        let document = Document::parse(format!("{graphs} {sdl}"), "s.graphql").expect("a document");
        EntityKeys::read(&document).key("a", "T", fields)
    }

    #[test]
    fn the_same_entity_has_the_same_key_however_it_is_written() {
        let sdl = "type T @join__type(graph: A, key: \"org{id name} id\") { id: ID }";
        let one = key(
            sdl,
            &json!({ "__typename": "T", "org": { "name": "x", "id": 1 }, "id": "7" }),
        );
        let other = key(
            sdl,
            &json!({ "id": 7, "weight": 3, "org": { "id": "1", "name": "x" } }),
        );
        assert!(one.is_some());
        assert_eq!(one, other);
        assert_ne!(
            one,
            key(sdl, &json!({ "id": 7, "org": { "id": "1", "name": "y" } }))
        );
    }

    #[test]
    fn what_is_not_told_by_one_key_has_none() {
        let two = "type T @join__type(graph: A, key: \"id\") @join__type(graph: A, key: \"upc\") { id: ID }";
        assert_eq!(key(two, &json!({ "id": 7 })), None);
        let one = "type T @join__type(graph: A, key: \"id\") { id: ID }";
        assert_eq!(key(one, &json!({ "upc": 7 })), None);
        assert_eq!(key(one, &json!("hostile")), None);
        assert_eq!(
            key("type T @join__type(graph: A) { id: ID }", &json!({ "id": 7 })),
            None
        );
    }

    #[test]
    fn values_cannot_be_made_up_of_others() {
        let sdl = "type T @join__type(graph: A, key: \"a b\") { a: ID }";
        let one = key(sdl, &json!({ "a": "1,1:2", "b": "3" }));
        let other = key(sdl, &json!({ "a": "1", "b": "2,1:3" }));
        assert_ne!(one, other);
    }
}

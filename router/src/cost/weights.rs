//! What the supergraph says of costs: `@cost` and `@listSize`, whatever they are called there.

use std::collections::HashMap;
use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::ast::{
    Definition, Directive, DirectiveList, Document, FieldDefinition, InputValueDefinition, Value,
};

/// The last part of the specification's address: <https://specs.apollo.dev/cost/v0.1>.
const SPEC: &str = "cost";

/// The weights and list sizes of a whole supergraph.
#[derive(Debug, Default)]
pub(crate) struct Weights {
    /// Of types that have one.
    types: HashMap<Name, u64>,
    fields: HashMap<Name, HashMap<Name, FieldFacts>>,
    /// Every input type with every field.
    inputs: HashMap<Name, HashMap<Name, InputFacts>>,
}

/// What is said of one field.
#[derive(Debug, Default)]
pub(super) struct FieldFacts {
    /// What it costs, in place of what its type does.
    pub(super) weight: Option<u64>,
    pub(super) arguments: HashMap<Name, u64>,
    pub(super) list: Option<Arc<ListSize>>,
}

/// What is said of one field of an input type.
#[derive(Debug)]
pub(super) struct InputFacts {
    pub(super) weight: Option<u64>,
    /// Its type, without lists and bangs.
    pub(super) ty: Name,
}

/// How long a list is, or the lists below an object.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ListSize {
    pub(super) assumed: Option<u64>,
    /// Paths from an argument into what it holds.
    pub(super) slicing: Vec<Vec<Box<str>>>,
    /// Paths to the lists below that have this size.
    pub(super) sized: Vec<Vec<Box<str>>>,
    /// Whether exactly one of the slicing arguments must be there.
    pub(super) require_one: bool,
}

impl Weights {
    /// Reads what a supergraph says.
    pub(crate) fn read(document: &Document) -> Self {
        let [cost, list_size] = directive_names(document);
        let mut weights = Self::default();
        for definition in &document.definitions {
            let (name, directives, fields) = match definition {
                Definition::ObjectTypeDefinition(it) => (&it.name, &it.directives, &*it.fields),
                Definition::InterfaceTypeDefinition(it) => (&it.name, &it.directives, &*it.fields),
                Definition::UnionTypeDefinition(it) => (&it.name, &it.directives, &[][..]),
                Definition::ScalarTypeDefinition(it) => (&it.name, &it.directives, &[][..]),
                Definition::EnumTypeDefinition(it) => (&it.name, &it.directives, &[][..]),
                Definition::InputObjectTypeDefinition(it) => {
                    let fields = it
                        .fields
                        .iter()
                        .map(|field| (field.name.clone(), input(field, &cost)));
                    weights.inputs.insert(it.name.clone(), fields.collect());
                    (&it.name, &it.directives, &[][..])
                }
                _ => continue,
            };
            if let Some(weight) = weight(directives, &cost) {
                weights.types.insert(name.clone(), weight);
            }
            for field in fields {
                if let Some(facts) = facts(field, &cost, &list_size) {
                    let of_type = weights.fields.entry(name.clone()).or_default();
                    of_type.insert(field.name.clone(), facts);
                }
            }
        }
        weights
    }

    pub(super) fn of_type(&self, name: &str) -> Option<u64> {
        self.types.get(name).copied()
    }

    pub(super) fn of_field(&self, parent: &str, field: &str) -> Option<&FieldFacts> {
        self.fields.get(parent)?.get(field)
    }

    /// The fields of an input type; `None` for every other type.
    pub(super) fn of_input(&self, name: &str) -> Option<&HashMap<Name, InputFacts>> {
        self.inputs.get(name)
    }
}

/// What `@cost` and `@listSize` are called here: by import, by import under another name, or behind the
/// specification's own name here.
fn directive_names(document: &Document) -> [String; 2] {
    let mut names = ["cost".to_owned(), "listSize".to_owned()];
    for definition in &document.definitions {
        let directives = match definition {
            Definition::SchemaDefinition(schema) => &schema.directives,
            Definition::SchemaExtension(schema) => &schema.directives,
            _ => continue,
        };
        for link in directives.iter().filter(|directive| directive.name == "link") {
            let url = link
                .specified_argument_by_name("url")
                .and_then(|url| url.as_str());
            if url.is_some_and(|url| url.trim_end_matches('/').rsplit('/').nth(1) == Some(SPEC)) {
                names = ["cost", "listSize"].map(|element| local_name(link, element));
            }
        }
    }
    names
}

fn local_name(link: &Directive, element: &str) -> String {
    let imports = link
        .specified_argument_by_name("import")
        .and_then(|list| list.as_list());
    for import in imports.unwrap_or_default() {
        let member = |key: &str| {
            let (_, value) = import.as_object()?.iter().find(|(name, _)| name == key)?;
            value.as_str()
        };
        let name = import.as_str().or_else(|| member("name"));
        if name.and_then(|name| name.strip_prefix('@')) == Some(element) {
            let local = member("as").or(name).unwrap_or_default();
            return local.trim_start_matches('@').to_owned();
        }
    }
    let alias = link
        .specified_argument_by_name("as")
        .and_then(|name| name.as_str());
    let prefix = alias.unwrap_or(SPEC);
    match element == SPEC {
        true => prefix.to_owned(),
        false => format!("{prefix}__{element}"),
    }
}

fn weight(directives: &DirectiveList, cost: &str) -> Option<u64> {
    match directives
        .get(cost)?
        .specified_argument_by_name("weight")?
        .as_ref()
    {
        // The specification's weights are texts, Apollo's are numbers.
        Value::String(text) => whole(text),
        Value::Int(number) => whole(number.as_str()),
        Value::Float(number) => whole(number.as_str()),
        _ => None,
    }
}

fn whole(text: &str) -> Option<u64> {
    let number: f64 = text.trim().parse().ok()?;
    // A cast of a float saturates.
    number.is_finite().then_some(number.max(0.0).ceil() as u64)
}

fn facts(field: &FieldDefinition, cost: &str, list_size: &str) -> Option<FieldFacts> {
    let arguments = field.arguments.iter();
    let facts = FieldFacts {
        weight: weight(&field.directives, cost),
        arguments: arguments
            .filter_map(|argument| Some((argument.name.clone(), weight(&argument.directives, cost)?)))
            .collect(),
        list: field
            .directives
            .get(list_size)
            .map(|directive| Arc::new(read_size(directive))),
    };
    let says_nothing = facts.weight.is_none() && facts.arguments.is_empty() && facts.list.is_none();
    (!says_nothing).then_some(facts)
}

fn input(field: &InputValueDefinition, cost: &str) -> InputFacts {
    InputFacts {
        weight: weight(&field.directives, cost),
        ty: field.ty.inner_named_type().clone(),
    }
}

fn read_size(directive: &Directive) -> ListSize {
    let argument = |name: &str| directive.specified_argument_by_name(name);
    let texts = |name: &str| {
        let list = argument(name).and_then(|value| value.as_list());
        list.unwrap_or_default().iter().filter_map(|item| item.as_str())
    };
    let assumed = argument("assumedSize").and_then(|value| value.to_i32());
    ListSize {
        assumed: assumed.map(|size| u64::try_from(size).unwrap_or(0)),
        slicing: texts("slicingArguments")
            .map(|path| path.split('.').map(|step| step.trim().into()).collect())
            .collect(),
        sized: texts("sizedFields").flat_map(paths).collect(),
        require_one: argument("requireOneSlicingArgument")
            .and_then(|value| value.to_bool())
            .unwrap_or(true),
    }
}

/// The paths of an entry of `sizedFields`: a field, `outer.inner`, or a selection such as `outer { inner }`.
fn paths(text: &str) -> Vec<Vec<Box<str>>> {
    let spaced = text.replace('{', " { ").replace('}', " } ");
    let (mut paths, mut outer, mut last) = (Vec::new(), Vec::new(), Vec::new());
    for word in spaced.split_whitespace() {
        match word {
            "{" => outer = std::mem::take(&mut last),
            "}" => {
                if !last.is_empty() {
                    paths.push(std::mem::take(&mut last));
                }
                outer.pop();
            }
            name => {
                if !last.is_empty() {
                    paths.push(std::mem::take(&mut last));
                }
                last.clone_from(&outer);
                last.extend(name.split('.').map(Box::from));
            }
        }
    }
    if !last.is_empty() {
        paths.push(last);
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sized_fields_are_names_paths_and_selections() {
        let shown = |text| {
            paths(text)
                .into_iter()
                .map(|path| path.join("/"))
                .collect::<Vec<_>>()
        };
        assert_eq!(shown("edges"), ["edges"]);
        assert_eq!(shown("results.page"), ["results/page"]);
        assert_eq!(shown("results { page }"), ["results/page"]);
        assert_eq!(shown("a { b c { d } } e"), ["a/b", "a/c/d", "e"]);
        assert_eq!(shown("} {"), [""; 0]);
    }

    #[test]
    fn weights_are_texts_or_numbers_and_never_below_zero() {
        for (text, expected) in [("5", 5), (" 2.5 ", 3), ("-7", 0), ("1e30", u64::MAX)] {
            assert_eq!(whole(text), Some(expected), "{text}");
        }
        assert_eq!(whole("much"), None);
        assert_eq!(whole("NaN"), None);
    }
}

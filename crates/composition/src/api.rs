//! The API schema: what clients see of a supergraph.

use std::collections::BTreeSet;

use apollo_compiler::ast::{Definition, DirectiveLocation, Document, FieldDefinition, InputValueDefinition};
use apollo_compiler::{Name, Node};

use crate::error::{CompositionError, ErrorCode};

/// The API schema of a supergraph: no machinery of federation, and nothing that is `@inaccessible`.
///
/// Reads supergraphs made elsewhere too (join v0.1 to v0.5).
///
/// # Errors
/// When the text is not SDL, with [`ErrorCode::InvalidGraphql`].
pub fn api_sdl(supergraph_sdl: &str) -> Result<String, CompositionError> {
    let mut document = Document::parse(supergraph_sdl, "supergraph.graphql").map_err(|failed| {
        let first = failed.errors.iter().next();
        CompositionError {
            code: ErrorCode::InvalidGraphql,
            message: first
                .as_ref()
                .map_or_else(String::new, |problem| problem.error.to_string()),
            subgraph: None,
            line: first
                .and_then(|problem| problem.line_column_range())
                .and_then(|range| u32::try_from(range.start.line).ok()),
        }
    })?;
    let mut features = Features::read(&document);
    features.hide(&document);
    document
        .definitions
        .retain(|definition| features.keeps(definition));
    for definition in &mut document.definitions {
        features.strip(definition);
    }
    document.definitions.retain(|definition| !is_empty(definition));
    let mut text = document.to_string();
    let trimmed = text.trim_end().len();
    text.truncate(trimmed);
    text.push('\n');
    Ok(text)
}

/// Directives that say something to clients.
const PUBLIC: [&str; 4] = ["deprecated", "specifiedBy", "oneOf", "defer"];

/// The names of the linked specifications in this supergraph.
struct Features {
    prefixes: BTreeSet<String>,
    /// What `@inaccessible` is called.
    inaccessible: String,
    /// The types that are so.
    hidden: BTreeSet<Name>,
}

impl Features {
    fn read(document: &Document) -> Self {
        let mut prefixes: BTreeSet<String> = ["join", "link", "core", "federation"]
            .map(str::to_owned)
            .into_iter()
            .collect();
        let mut inaccessible = "inaccessible".to_owned();
        for definition in &document.definitions {
            if !matches!(
                definition,
                Definition::SchemaDefinition(_) | Definition::SchemaExtension(_)
            ) {
                continue;
            }
            for link in definition
                .directives()
                .0
                .iter()
                .filter(|one| one.name == "link" || one.name == "core")
            {
                let text = |name: &str| {
                    link.specified_argument_by_name(name)
                        .and_then(|value| value.as_str())
                };
                let Some(url) = text("url").or_else(|| text("feature")) else {
                    continue;
                };
                let name = url
                    .rsplit('/')
                    .find(|part| !part.starts_with('v') || !part.contains('.'));
                let Some(name) = name else { continue };
                let local = text("as").unwrap_or(name);
                if name == "inaccessible" {
                    local.clone_into(&mut inaccessible);
                }
                prefixes.insert(local.to_owned());
            }
        }
        Self {
            prefixes,
            inaccessible,
            hidden: BTreeSet::new(),
        }
    }

    fn hide(&mut self, document: &Document) {
        let hidden = document.definitions.iter().filter(|one| self.is_hidden(one));
        self.hidden = hidden.filter_map(|one| one.name().cloned()).collect();
    }

    fn is_machinery(&self, name: &str) -> bool {
        name.split_once("__")
            .is_some_and(|(prefix, _)| self.prefixes.contains(prefix))
    }

    fn is_hidden(&self, definition: &Definition) -> bool {
        definition.directives().has(&self.inaccessible)
    }

    fn keeps(&self, definition: &Definition) -> bool {
        if let Definition::DirectiveDefinition(directive) = definition {
            // Readers of older GraphQL need its definition.
            if directive.name == "oneOf" {
                return true;
            }
            return !self.is_machinery(&directive.name)
                && !self.prefixes.contains(directive.name.as_str())
                && directive.locations.iter().any(is_executable);
        }
        let machinery = definition.name().is_some_and(|name| self.is_machinery(name));
        !machinery && !self.is_hidden(definition)
    }

    fn strip(&self, definition: &mut Definition) {
        match definition {
            Definition::DirectiveDefinition(directive) => {
                let directive = directive.make_mut();
                if directive.name != "oneOf" {
                    directive.locations.retain(is_executable);
                }
                self.arguments(&mut directive.arguments);
            }
            Definition::SchemaDefinition(schema) => schema.make_mut().directives.0.clear(),
            Definition::ScalarTypeDefinition(def) => public(&mut def.make_mut().directives.0),
            Definition::ObjectTypeDefinition(def) => {
                let def = def.make_mut();
                public(&mut def.directives.0);
                def.implements_interfaces
                    .retain(|name| !self.hidden.contains(name));
                self.fields(&mut def.fields);
            }
            Definition::InterfaceTypeDefinition(def) => {
                let def = def.make_mut();
                public(&mut def.directives.0);
                def.implements_interfaces
                    .retain(|name| !self.hidden.contains(name));
                self.fields(&mut def.fields);
            }
            Definition::UnionTypeDefinition(def) => {
                let def = def.make_mut();
                public(&mut def.directives.0);
                def.members.retain(|name| !self.hidden.contains(name));
            }
            Definition::EnumTypeDefinition(def) => {
                let def = def.make_mut();
                public(&mut def.directives.0);
                def.values
                    .retain(|value| !value.directives.has(&self.inaccessible));
                for value in &mut def.values {
                    public(&mut value.make_mut().directives.0);
                }
            }
            Definition::InputObjectTypeDefinition(def) => {
                let def = def.make_mut();
                public(&mut def.directives.0);
                self.arguments(&mut def.fields);
            }
            _ => {}
        }
    }

    fn fields(&self, fields: &mut Vec<Node<FieldDefinition>>) {
        fields.retain(|field| !field.directives.has(&self.inaccessible));
        for field in fields {
            let field = field.make_mut();
            public(&mut field.directives.0);
            self.arguments(&mut field.arguments);
        }
    }

    fn arguments(&self, arguments: &mut Vec<Node<InputValueDefinition>>) {
        arguments.retain(|argument| !argument.directives.has(&self.inaccessible));
        for argument in arguments {
            public(&mut argument.make_mut().directives.0);
        }
    }
}

fn public(directives: &mut Vec<Node<apollo_compiler::ast::Directive>>) {
    directives.retain(|directive| PUBLIC.contains(&directive.name.as_str()));
}

fn is_executable(location: &DirectiveLocation) -> bool {
    use DirectiveLocation as L;
    matches!(
        location,
        L::Query
            | L::Mutation
            | L::Subscription
            | L::Field
            | L::FragmentDefinition
            | L::FragmentSpread
            | L::InlineFragment
            | L::VariableDefinition
    )
}

fn is_empty(definition: &Definition) -> bool {
    match definition {
        Definition::ObjectTypeDefinition(def) => def.fields.is_empty(),
        _ => false,
    }
}

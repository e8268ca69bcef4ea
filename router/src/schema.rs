//! What a supergraph says: the schema that clients see, the subgraphs, and who may see what.

mod additions;
mod types;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use apollo_compiler::ast::{self, Definition, Document};
use apollo_compiler::schema::{FieldDefinition, Implementers};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};

pub(crate) use types::TypeTable;

use crate::authorization::Access;
use crate::config::{HeaderRuleError, ResponseCacheError};
use crate::cost::Weights;
use crate::rate_limit;
use crate::response_cache::{EntityKeys, Hints};

/// A supergraph that cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The text is not a GraphQL schema, or not a valid one.
    #[error("the supergraph is not a valid schema: {0}")]
    Schema(String),
    /// The text is a schema, but not a supergraph: it has no `join__Graph`.
    #[error("this is a schema, but not a supergraph: it has no enum `join__Graph`")]
    NotASupergraph,
    /// The planner does not take it.
    #[error("the planner does not take the supergraph: {0}")]
    Planner(String),
    /// The configuration asks for something that cannot work.
    #[error(transparent)]
    Config(#[from] ResponseCacheError),
    /// A rule about headers cannot work.
    #[error(transparent)]
    Headers(#[from] HeaderRuleError),
    /// A subgraph has no usable address, or its transport cannot be made.
    #[error("subgraph `{subgraph}`: {message}")]
    Subgraph {
        /// Which one.
        subgraph: String,
        /// Why.
        message: String,
    },
}

/// One subgraph, as the supergraph names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubgraphInfo {
    /// Its name.
    pub name: String,
    /// Where the supergraph says it is; empty if nowhere.
    pub url: String,
}

/// What a supergraph says.
pub(crate) struct Supergraph {
    /// What clients see: nothing of `join`, `link` and `@inaccessible`.
    pub(crate) api: Valid<Schema>,
    /// Who implements what, in the client's schema.
    pub(crate) implementers: apollo_compiler::collections::HashMap<Name, Implementers>,
    /// The same by plain names, for the hot path: abstract type → its object types.
    pub(crate) types: Arc<TypeTable>,
    /// The subgraphs in the supergraph's order.
    pub(crate) subgraphs: Vec<SubgraphInfo>,
    /// Who may see what.
    pub(crate) access: Access,
    /// What fields cost.
    pub(crate) weights: Arc<Weights>,
    /// The type whose field `rateLimit` the router answers, if it does.
    pub(crate) rate_limit_on: Option<Name>,
    /// What is said of caching.
    pub(crate) hints: Hints,
    /// By what entities are told apart.
    pub(crate) entity_keys: Arc<EntityKeys>,
}

/// Reads a supergraph; with `rate_limits`, clients may ask how theirs stands.
pub(crate) fn load(sdl: &str, rate_limits: bool) -> Result<Supergraph, LoadError> {
    let document =
        Document::parse(sdl, "supergraph.graphql").map_err(|e| LoadError::Schema(e.errors.to_string()))?;
    let subgraphs = subgraphs(&document)?;
    let features = Features::read(&document);
    let access = Access::read(&document, |spec| features.local_name(spec));
    let types = Arc::new(TypeTable::read(&document));
    let mut api = Document::new();
    api.definitions = document
        .definitions
        .iter()
        .filter_map(|definition| features.visible(definition))
        .collect();
    let schema = Schema::builder()
        .adopt_orphan_extensions()
        .add_ast(&api)
        .build()
        .map_err(|e| LoadError::Schema(e.errors.to_string()))?;
    let mut schema = additions::with_defer(additions::with_one_of(schema));
    let rate_limit_on = rate_limits.then(|| rate_limit::field::add(&mut schema)).flatten();
    let api = schema
        .validate()
        .map_err(|e| LoadError::Schema(e.errors.to_string()))?;
    Ok(Supergraph {
        implementers: api.implementers_map(),
        api,
        types,
        subgraphs,
        access,
        weights: Arc::new(Weights::read(&document)),
        rate_limit_on,
        hints: Hints::read(&document),
        entity_keys: Arc::new(EntityKeys::read(&document)),
    })
}

/// The features that the supergraph links, by which its own machinery is told from the clients' schema.
#[derive(Default)]
struct Features {
    /// Specification name → the name it has here.
    local: HashMap<String, String>,
    /// Directives and types (directives with their `@`) that came by import.
    imported: HashSet<String>,
}

impl Features {
    fn read(document: &Document) -> Self {
        let mut features = Self::default();
        for definition in &document.definitions {
            let directives = match definition {
                Definition::SchemaDefinition(schema) => &schema.directives,
                Definition::SchemaExtension(schema) => &schema.directives,
                _ => continue,
            };
            for directive in directives {
                if directive.name == "link" || directive.name == "core" {
                    features.add(directive);
                }
            }
        }
        for own in ["link", "core", "join", "inaccessible"] {
            features
                .local
                .entry(own.to_owned())
                .or_insert_with(|| own.to_owned());
        }
        features
    }

    fn add(&mut self, link: &ast::Directive) {
        let argument = |name: &str| link.specified_argument_by_name(name);
        let Some(url) = argument("url")
            .or_else(|| argument("feature"))
            .and_then(|url| url.as_str())
        else {
            return;
        };
        let mut parts = url.trim_end_matches('/').rsplit('/');
        let last = parts.next().unwrap_or_default();
        let is_version = last
            .strip_prefix('v')
            .is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit()));
        let spec = if is_version {
            parts.next().unwrap_or_default()
        } else {
            last
        };
        let local = argument("as").and_then(|name| name.as_str()).unwrap_or(spec);
        self.local.insert(spec.to_owned(), local.to_owned());
        let imports = argument("import")
            .and_then(|list| list.as_list())
            .unwrap_or_default();
        for import in imports {
            let field = |key: &str| {
                let fields = import.as_object()?;
                fields.iter().find(|(name, _)| name == key)?.1.as_str()
            };
            if let Some(name) = import.as_str().or_else(|| field("as")).or_else(|| field("name")) {
                self.imported.insert(name.to_owned());
            }
        }
    }

    fn local_name(&self, spec: &str) -> String {
        self.local.get(spec).cloned().unwrap_or_else(|| spec.to_owned())
    }

    fn owns(&self, name: &str) -> bool {
        name.split_once("__")
            .is_some_and(|(prefix, _)| self.local.values().any(|local| local == prefix))
    }

    fn hides_type(&self, name: &str) -> bool {
        self.owns(name) || self.imported.contains(name)
    }

    fn hides_directive(&self, name: &str) -> bool {
        self.owns(name)
            || self.local.values().any(|local| local == name)
            || self.imported.contains(&format!("@{name}"))
    }

    fn inaccessible(&self, directives: &ast::DirectiveList) -> bool {
        directives.has(&self.local_name("inaccessible"))
    }

    fn directives(&self, directives: &ast::DirectiveList) -> ast::DirectiveList {
        let kept = directives
            .iter()
            .filter(|directive| ["deprecated", "specifiedBy", "oneOf"].contains(&directive.name.as_str()));
        ast::DirectiveList(kept.cloned().collect())
    }

    /// The definition without what clients must not see.
    fn visible(&self, definition: &Definition) -> Option<Definition> {
        let hidden = definition.name().is_some_and(|name| match definition {
            Definition::DirectiveDefinition(_) => self.hides_directive(name),
            _ => self.hides_type(name),
        });
        if hidden {
            return None;
        }
        let mut definition = definition.clone();
        macro_rules! type_definition {
            ($node:ident) => {{
                if self.inaccessible(&$node.directives) {
                    return None;
                }
                let inner = $node.make_mut();
                inner.directives = self.directives(&inner.directives);
                inner
            }};
        }
        match &mut definition {
            Definition::SchemaDefinition(node) => node.make_mut().directives = Default::default(),
            Definition::SchemaExtension(node) => node.make_mut().directives = Default::default(),
            Definition::DirectiveDefinition(node) => {
                let executable = node.locations.iter().any(is_executable);
                if !executable && !["deprecated", "specifiedBy", "oneOf"].contains(&node.name.as_str()) {
                    return None;
                }
                self.arguments(&mut node.make_mut().arguments);
            }
            Definition::ScalarTypeDefinition(node) => {
                type_definition!(node);
            }
            Definition::ObjectTypeDefinition(node) => self.fields(&mut type_definition!(node).fields),
            Definition::InterfaceTypeDefinition(node) => self.fields(&mut type_definition!(node).fields),
            Definition::UnionTypeDefinition(node) => {
                type_definition!(node);
            }
            Definition::EnumTypeDefinition(node) => {
                let values = &mut type_definition!(node).values;
                values.retain(|value| !self.inaccessible(&value.directives));
                for value in values {
                    let value = value.make_mut();
                    value.directives = self.directives(&value.directives);
                }
            }
            Definition::InputObjectTypeDefinition(node) => self.arguments(&mut type_definition!(node).fields),
            _ => {}
        }
        Some(definition)
    }

    fn fields(&self, fields: &mut Vec<Node<FieldDefinition>>) {
        fields.retain(|field| !self.inaccessible(&field.directives));
        for field in fields {
            let field = field.make_mut();
            field.directives = self.directives(&field.directives);
            self.arguments(&mut field.arguments);
        }
    }

    fn arguments(&self, arguments: &mut Vec<Node<ast::InputValueDefinition>>) {
        arguments.retain(|argument| !self.inaccessible(&argument.directives));
        for argument in arguments {
            let argument = argument.make_mut();
            argument.directives = self.directives(&argument.directives);
        }
    }
}

fn is_executable(location: &ast::DirectiveLocation) -> bool {
    use ast::DirectiveLocation as At;
    matches!(
        location,
        At::Query
            | At::Mutation
            | At::Subscription
            | At::Field
            | At::FragmentDefinition
            | At::FragmentSpread
            | At::InlineFragment
            | At::VariableDefinition
    )
}

fn subgraphs(document: &Document) -> Result<Vec<SubgraphInfo>, LoadError> {
    let graphs = document
        .definitions
        .iter()
        .find_map(|definition| match definition {
            Definition::EnumTypeDefinition(graphs) if graphs.name == "join__Graph" => Some(graphs),
            _ => None,
        });
    let graphs = graphs.ok_or(LoadError::NotASupergraph)?;
    let argument = |directive: &ast::Directive, name: &str| {
        let value = directive.specified_argument_by_name(name)?;
        value.as_str().map(str::to_owned)
    };
    let info = |value: &Node<ast::EnumValueDefinition>| {
        let directive = value.directives.get("join__graph")?;
        Some(SubgraphInfo {
            name: argument(directive, "name")?,
            url: argument(directive, "url").unwrap_or_default(),
        })
    };
    Ok(graphs.values.iter().filter_map(info).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUPERGRAPH: &str = r#"
        schema @link(url: "https://specs.apollo.dev/link/v1.0")
          @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
          @link(url: "https://specs.apollo.dev/inaccessible/v0.2")
          @link(url: "https://example.com/custom/v1.0", import: ["@audit"]) { query: Query }
        directive @join__graph(name: String!, url: String!) on ENUM_VALUE
        directive @join__type(graph: join__Graph!) repeatable on OBJECT
        directive @link(url: String!, for: link__Purpose, import: [String]) repeatable on SCHEMA
        directive @inaccessible on FIELD_DEFINITION | OBJECT
        directive @audit on FIELD_DEFINITION
        directive @shout on FIELD
        enum link__Purpose { EXECUTION }
        enum join__Graph { A @join__graph(name: "a", url: "http://a/") }
        union Thing @join__type(graph: A) = Shown | Hidden
        type Shown @join__type(graph: A) { id: ID! @audit, old: Int @deprecated(reason: "use id"), secret: Int @inaccessible }
        type Hidden @join__type(graph: A) @inaccessible { id: ID! }
        input Choice @join__type(graph: A) @oneOf { a: Int b: Int }
        type Query @join__type(graph: A) { thing(by: Choice): Thing }
    "#;

    #[test]
    fn clients_see_nothing_of_the_machinery_and_of_what_is_inaccessible() {
        let supergraph = load(SUPERGRAPH, false).expect("a supergraph");
        insta::assert_snapshot!(supergraph.api.to_string(), @r#"
        directive @shout on FIELD

        """Exactly one field of the input object must be given, and not be null."""
        directive @oneOf on INPUT_OBJECT

        """The fragment may come after the rest of the answer."""
        directive @defer(label: String, if: Boolean! = true) on FRAGMENT_SPREAD | INLINE_FRAGMENT

        union Thing = Shown

        type Shown {
          id: ID!
          old: Int @deprecated(reason: "use id")
        }

        input Choice @oneOf {
          a: Int
          b: Int
        }

        type Query {
          thing(by: Choice): Thing
        }
        "#);
        assert_eq!(supergraph.subgraphs.len(), 1);
        assert!(supergraph.types.satisfies("Hidden", "Thing"));
        assert!(!supergraph.types.satisfies("Thing", "Shown"));
    }

    #[test]
    fn a_plain_schema_is_not_a_supergraph() {
        assert!(matches!(
            load("type Query { a: Int }", false),
            Err(LoadError::NotASupergraph)
        ));
        assert!(matches!(load("type Query {", false), Err(LoadError::Schema(_))));
    }
}

//! Prints the merged model as supergraph SDL (join v0.5, <https://specs.apollo.dev/join/v0.5>).

use std::fmt::Write as _;

use apollo_compiler::ast::{
    self, Definition, Directive, DirectiveList, Document, EnumTypeDefinition, EnumValueDefinition,
    FieldDefinition, InputObjectTypeDefinition, InputValueDefinition, InterfaceTypeDefinition,
    ObjectTypeDefinition, ScalarTypeDefinition, UnionTypeDefinition,
};
use apollo_compiler::{Name, Node};

use crate::build;
use crate::spec::{ANYWHERE, Known, Spec};
use crate::subgraph::{Kind, Subgraph};
use crate::supergraph::{ComposedLink, Merged, MergedField, MergedInput, Supergraph};

const JOIN: &str = "\
directive @join__directive(graphs: [join__Graph!], name: String!, args: join__DirectiveArguments) repeatable on SCHEMA | OBJECT | INTERFACE | FIELD_DEFINITION

directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE

directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean, overrideLabel: String, contextArguments: [join__ContextArgument!]) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION

directive @join__graph(name: String!, url: String!) on ENUM_VALUE

directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE

directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR

directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION

directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA

input join__ContextArgument {
  name: String!
  type: String!
  context: String!
  selection: join__FieldValue!
}

scalar join__DirectiveArguments

scalar join__FieldSet

scalar join__FieldValue

scalar link__Import

enum link__Purpose {
  \"\"\"
  `SECURITY` features provide metadata necessary to securely resolve fields.
  \"\"\"
  SECURITY

  \"\"\"
  `EXECUTION` features provide metadata necessary for operation execution.
  \"\"\"
  EXECUTION
}
";

/// The whole supergraph as text.
pub(crate) fn supergraph(supergraph: &Supergraph, subgraphs: &[Subgraph]) -> String {
    let mut out = String::new();
    schema(supergraph, &mut out);
    for known in &supergraph.used {
        known_definition(*known, supergraph, &mut out);
    }
    let composed: Vec<Definition> = supergraph
        .directives
        .values()
        .map(|one| Definition::DirectiveDefinition(one.clone()))
        .collect();
    definitions(composed, &mut out);
    out.push_str(JOIN);
    out.push('\n');
    definitions(vec![graphs(subgraphs)], &mut out);
    for merged in supergraph.types.values() {
        readable(merged, &mut out);
    }
    let trimmed = out.trim_end().len();
    out.truncate(trimmed);
    out.push('\n');
    out
}

fn definitions(all: Vec<Definition>, out: &mut String) {
    if all.is_empty() {
        return;
    }
    let mut document = Document::new();
    document.definitions = all;
    let _ = writeln!(out, "{}", document.to_string().trim_end());
    out.push('\n');
}

/// A type with each of its directives on a line of its own, for the sake of whoever reads differences.
fn readable(merged: &Merged, out: &mut String) {
    let mut bare = merged.clone();
    bare.directives.clear();
    if let Some(description) = bare.description.take() {
        // A scalar prints nothing else.
        let only = ScalarTypeDefinition {
            description: Some(description),
            name: merged.name.clone(),
            directives: DirectiveList::default(),
        };
        let text = Node::new(only).to_string();
        let end = text.trim_end().rfind('\n').map_or(0, |end| end + 1);
        out.push_str(text.get(..end).unwrap_or_default());
    }
    let mut text = String::new();
    definitions(vec![type_definition(&bare)], &mut text);
    let text = text.trim_end();
    let body = match merged.kind {
        Kind::Scalar => None,
        Kind::Union => text.find(" ="),
        _ => text.find(" {"),
    };
    let (head, rest) = text.split_at(body.unwrap_or(text.len()));
    out.push_str(head);
    for directive in &merged.directives {
        let _ = write!(out, "\n  {directive}");
    }
    match merged.kind {
        Kind::Scalar => {}
        Kind::Union => {
            let _ = write!(out, "\n {rest}");
        }
        _ => {
            let _ = write!(out, "\n{}", rest.trim_start());
        }
    }
    out.push_str("\n\n");
}

fn schema(supergraph: &Supergraph, out: &mut String) {
    out.push_str("schema\n  @link(url: \"https://specs.apollo.dev/link/v1.0\")\n");
    out.push_str("  @link(url: \"https://specs.apollo.dev/join/v0.5\", for: EXECUTION)\n");
    let specs: std::collections::BTreeSet<&str> = supergraph
        .used
        .iter()
        .filter_map(|known| known.spec())
        .filter_map(Spec::supergraph_link)
        .map(|(url, _)| url)
        .collect();
    for url in specs {
        let spec = supergraph
            .used
            .iter()
            .filter_map(|known| known.spec())
            .find(|spec| spec.supergraph_link().is_some_and(|(own, _)| own == url));
        let purpose = spec
            .and_then(Spec::supergraph_link)
            .and_then(|(_, purpose)| purpose);
        let _ = write!(out, "  @link(url: \"{url}\"");
        if spec == Some(Spec::Cost) && supergraph.used.contains(&Known::ListSize) {
            out.push_str(", import: [\"@listSize\"]");
        }
        if let Some(purpose) = purpose {
            let _ = write!(out, ", for: {purpose}");
        }
        out.push_str(")\n");
    }
    for link in &supergraph.links {
        let _ = writeln!(out, "  {}", composed_link(link));
    }
    for directive in &supergraph.schema_directives {
        let _ = writeln!(out, "  {directive}");
    }
    out.push_str("{\n");
    for (operation, root) in [
        ("query", "Query"),
        ("mutation", "Mutation"),
        ("subscription", "Subscription"),
    ] {
        if supergraph.types.contains_key(root) {
            let _ = writeln!(out, "  {operation}: {root}");
        }
    }
    out.push_str("}\n\n");
}

fn composed_link(link: &ComposedLink) -> Directive {
    let url = match link.version {
        Some((major, minor)) => format!("{}/v{major}.{minor}", link.identity),
        None => link.identity.clone(),
    };
    let imports = link.imports.iter().map(|(element, alias)| match alias {
        None => build::string(element),
        Some(alias) => Node::new(ast::Value::Object(vec![
            (build::name("name"), build::string(element)),
            (build::name("as"), build::string(alias)),
        ])),
    });
    let mut args = vec![(build::name("url"), build::string(url))];
    if let Some(alias) = &link.alias {
        args.push((build::name("as"), build::string(alias)));
    }
    args.push((build::name("import"), build::list(imports.collect())));
    build::directive(build::name("link"), args)
}

/// The definition of a known directive, and of the scalar it uses.
fn known_definition(known: Known, supergraph: &Supergraph, out: &mut String) {
    let text = match known {
        Known::Tag => format!("directive @tag(name: String!) repeatable on {ANYWHERE} | SCHEMA"),
        Known::Inaccessible => format!("directive @inaccessible on {ANYWHERE}"),
        Known::Authenticated => {
            "directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM".to_owned()
        }
        Known::RequiresScopes => {
            "directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM\n\nscalar requiresScopes__Scope".to_owned()
        }
        Known::Policy => {
            "directive @policy(policies: [[policy__Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM\n\nscalar policy__Policy".to_owned()
        }
        Known::Cost => {
            "directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR".to_owned()
        }
        Known::ListSize => {
            "directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION".to_owned()
        }
        Known::OneOf => "directive @oneOf on INPUT_OBJECT".to_owned(),
        _ => return,
    };
    // A subgraph may not take the name of a known directive for another meaning.
    if !supergraph
        .directives
        .contains_key(text.split(['@', '(', ' ']).nth(2).unwrap_or_default())
    {
        let _ = writeln!(out, "{text}\n");
    }
}

fn graphs(subgraphs: &[Subgraph]) -> Definition {
    let value = |subgraph: &Subgraph| {
        let args = vec![
            (build::name("name"), build::string(subgraph.name.clone())),
            (build::name("url"), build::string(subgraph.url.clone())),
        ];
        Node::new(EnumValueDefinition {
            description: None,
            value: subgraph.graph.clone(),
            directives: list(&[build::directive(build::name("join__graph"), args)]),
        })
    };
    Definition::EnumTypeDefinition(Node::new(EnumTypeDefinition {
        description: None,
        name: build::name("join__Graph"),
        directives: DirectiveList::default(),
        values: subgraphs.iter().map(value).collect(),
    }))
}

fn list(directives: &[Directive]) -> DirectiveList {
    DirectiveList(directives.iter().cloned().map(Node::new).collect())
}

fn type_definition(merged: &Merged) -> Definition {
    let description = merged.description.clone();
    let name: Name = merged.name.clone();
    let directives = list(&merged.directives);
    let fields = || merged.fields.values().map(field).collect();
    let implements_interfaces = merged.interfaces.iter().cloned().collect();
    match merged.kind {
        Kind::Scalar => Definition::ScalarTypeDefinition(Node::new(ScalarTypeDefinition {
            description,
            name,
            directives,
        })),
        Kind::Object => Definition::ObjectTypeDefinition(Node::new(ObjectTypeDefinition {
            description,
            name,
            implements_interfaces,
            directives,
            fields: fields(),
        })),
        Kind::Interface => Definition::InterfaceTypeDefinition(Node::new(InterfaceTypeDefinition {
            description,
            name,
            implements_interfaces,
            directives,
            fields: fields(),
        })),
        Kind::Union => Definition::UnionTypeDefinition(Node::new(UnionTypeDefinition {
            description,
            name,
            directives,
            members: merged.members.iter().cloned().collect(),
        })),
        Kind::Enum => Definition::EnumTypeDefinition(Node::new(EnumTypeDefinition {
            description,
            name,
            directives,
            values: merged
                .values
                .values()
                .map(|value| {
                    Node::new(EnumValueDefinition {
                        description: value.description.clone(),
                        value: value.name.clone(),
                        directives: list(&value.directives),
                    })
                })
                .collect(),
        })),
        Kind::Input => Definition::InputObjectTypeDefinition(Node::new(InputObjectTypeDefinition {
            description,
            name,
            directives,
            fields: merged.inputs.values().map(input).collect(),
        })),
    }
}

fn field(field: &MergedField) -> Node<FieldDefinition> {
    Node::new(FieldDefinition {
        description: field.description.clone(),
        name: field.name.clone(),
        arguments: field.args.values().map(input).collect(),
        ty: field.ty.clone(),
        directives: list(&field.directives),
    })
}

fn input(input: &MergedInput) -> Node<InputValueDefinition> {
    Node::new(InputValueDefinition {
        description: input.description.clone(),
        name: input.name.clone(),
        ty: Node::new(input.ty.clone()),
        default_value: input.default.clone(),
        directives: list(&input.directives),
    })
}

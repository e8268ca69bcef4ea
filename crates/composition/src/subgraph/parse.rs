//! From SDL text to the model of a subgraph.

use apollo_compiler::ast::{
    self, Definition, DirectiveDefinition, DirectiveList, Document, FieldDefinition, InputValueDefinition,
    OperationType, Type,
};
use apollo_compiler::parser::{SourceMap, SourceSpan};
use apollo_compiler::{Name, Node};
use indexmap::{IndexMap, IndexSet};

use super::{Applied, FieldDef, InputDef, Kind, Subgraph, TypeDef, ValueDef, schema_check};
use crate::SubgraphSource;
use crate::error::{ErrorCode, Report};
use crate::link::Links;
use crate::spec::{self, Known};

/// Parses one subgraph. `None` means that what it says cannot be read at all; the report says why.
pub(crate) fn parse(source: &SubgraphSource, graph: Name, report: &mut Report) -> Option<Subgraph> {
    let document = match Document::parser().parse_ast(&source.sdl, format!("{}.graphql", source.name)) {
        Ok(document) => document,
        Err(failed) => {
            for problem in failed.errors.iter() {
                let line = problem
                    .line_column_range()
                    .and_then(|range| line_number(range.start.line));
                report.at(
                    ErrorCode::InvalidGraphql,
                    &source.name,
                    line,
                    problem.error.to_string(),
                );
            }
            return None;
        }
    };
    let document = without_federation_queries(document);
    let failures = report.errors.len();
    let links = read_links(&document, &source.name, report);
    if report.errors.len() == failures {
        schema_check::check(&document, &links, &source.name, report);
    }
    if report.errors.len() > failures {
        return None;
    }
    let renames = root_renames(&document, &source.name, report)?;
    let reader = Reader {
        sources: &document.sources,
        links: &links,
        renames,
    };
    let (types, directives, schema_applied) = reader.read(&document);
    let compose = super::all(&schema_applied, Known::ComposeDirective);
    let composed = compose
        .map(|one| (one.str_arg("name").unwrap_or_default().to_owned(), one.line))
        .collect();
    let url = source.url.clone().unwrap_or_default();
    let name = source.name.clone();
    Some(Subgraph {
        name,
        url,
        graph,
        links,
        types,
        directives,
        composed,
        schema_applied,
    })
}

fn line_number(line: usize) -> Option<u32> {
    u32::try_from(line).ok()
}

pub(crate) fn line_of(span: Option<SourceSpan>, sources: &SourceMap) -> Option<u32> {
    span.and_then(|span| span.line_column(sources))
        .and_then(|position| line_number(position.line))
}

/// Federation's own `_service` and `_entities` are part of the protocol, not of the domain.
fn without_federation_queries(mut document: Document) -> Document {
    let query = query_name(&document);
    let is_own = |field: &Node<FieldDefinition>| matches!(field.name.as_str(), "_service" | "_entities");
    document.definitions.retain_mut(|definition| match definition {
        Definition::ObjectTypeDefinition(object) if object.name == query => {
            object.make_mut().fields.retain(|field| !is_own(field));
            !object.fields.is_empty()
        }
        Definition::ObjectTypeExtension(object) if object.name == query => {
            object.make_mut().fields.retain(|field| !is_own(field));
            !object.fields.is_empty() || !object.directives.0.is_empty()
        }
        Definition::UnionTypeDefinition(def) => def.name != "_Entity",
        Definition::ObjectTypeDefinition(def) => def.name != "_Service",
        _ => true,
    });
    let has_query = document
        .definitions
        .iter()
        .any(|definition| definition.name() == Some(&query));
    for definition in &mut document.definitions {
        if let Definition::SchemaDefinition(schema) = definition {
            schema
                .make_mut()
                .root_operations
                .retain(|root| has_query || root.0 != OperationType::Query);
        }
    }
    document
}

fn roots(document: &Document) -> impl Iterator<Item = &Node<(OperationType, Name)>> {
    document
        .definitions
        .iter()
        .flat_map(|definition| match definition {
            Definition::SchemaDefinition(schema) => schema.root_operations.as_slice(),
            Definition::SchemaExtension(schema) => schema.root_operations.as_slice(),
            _ => &[],
        })
}

fn query_name(document: &Document) -> Name {
    roots(document)
        .find(|root| root.0 == OperationType::Query)
        .map_or_else(|| Name::new_static_unchecked("Query"), |root| root.1.clone())
}

fn read_links(document: &Document, subgraph: &str, report: &mut Report) -> Links {
    let applied = document
        .definitions
        .iter()
        .filter_map(|definition| match definition {
            Definition::SchemaDefinition(_) | Definition::SchemaExtension(_) => Some(definition.directives()),
            _ => None,
        });
    let with_lines = applied.flat_map(|list| {
        list.0
            .iter()
            .map(|directive| (directive, line_of(directive.location(), &document.sources)))
    });
    Links::read(with_lines, subgraph, report)
}

/// Root types have one name each in the supergraph.
fn root_renames(document: &Document, subgraph: &str, report: &mut Report) -> Option<Vec<(Name, Name)>> {
    let mut renames = Vec::new();
    for root in roots(document) {
        let (canonical, code) = match root.0 {
            OperationType::Query => ("Query", ErrorCode::RootQueryUsed),
            OperationType::Mutation => ("Mutation", ErrorCode::RootMutationUsed),
            OperationType::Subscription => ("Subscription", ErrorCode::RootSubscriptionUsed),
        };
        if root.1 == canonical {
            continue;
        }
        let taken = document
            .definitions
            .iter()
            .any(|other| other.name().is_some_and(|name| name == canonical));
        if taken {
            let line = line_of(root.location(), &document.sources);
            let message = format!(
                "The schema has a type named \"{canonical}\" but it is not set as the {} root type (\"{}\" is \
                 instead): this is not supported by federation.",
                root.0.name(),
                root.1
            );
            report.at(code, subgraph, line, message);
            return None;
        }
        renames.push((root.1.clone(), Name::new_static_unchecked(canonical)));
    }
    Some(renames)
}

struct Reader<'a> {
    sources: &'a SourceMap,
    links: &'a Links,
    renames: Vec<(Name, Name)>,
}

type Types = IndexMap<Name, TypeDef>;
type Directives = IndexMap<Name, Node<DirectiveDefinition>>;

impl Reader<'_> {
    /// The types, the directive definitions, and what is applied to the schema.
    fn read(&self, document: &Document) -> (Types, Directives, Vec<Applied>) {
        let mut types = Types::new();
        let mut directives = Directives::new();
        let mut schema_applied = Vec::new();
        for definition in &document.definitions {
            match definition {
                Definition::DirectiveDefinition(directive) => {
                    let built_in = matches!(directive.name.as_str(), "link" | "include" | "skip");
                    if spec::resolve(&directive.name, self.links).is_none() && !built_in {
                        directives.insert(directive.name.clone(), directive.clone());
                    }
                }
                Definition::SchemaDefinition(_) | Definition::SchemaExtension(_) => {
                    schema_applied.extend(self.applied(definition.directives(), false));
                }
                _ => self.read_type(definition, &mut types),
            }
        }
        types.retain(|name, _| !spec::is_spec_type(name, self.links));
        // Every subgraph has the query root: federation itself asks it for entities.
        let query = Name::new_static_unchecked("Query");
        types
            .entry(query.clone())
            .or_insert_with(|| empty(query, Kind::Object, None));
        for def in types.values_mut() {
            def.interface_object = def.has(Known::InterfaceObject);
            if def.has(Known::Extends) {
                def.extended = true;
                // Federation 2 takes `@extends` for a definition with a remark.
                def.defined &= self.links.federation().is_some();
            }
        }
        (types, directives, schema_applied)
    }

    fn name(&self, name: &Name) -> Name {
        let renamed = self.renames.iter().find(|(from, _)| from == name);
        renamed.map_or_else(|| name.clone(), |(_, to)| to.clone())
    }

    fn ty(&self, ty: &Type) -> Type {
        match ty {
            Type::Named(name) => Type::Named(self.name(name)),
            Type::NonNullNamed(name) => Type::NonNullNamed(self.name(name)),
            Type::List(inner) => Type::List(Box::new(self.ty(inner))),
            Type::NonNullList(inner) => Type::NonNullList(Box::new(self.ty(inner))),
        }
    }

    fn line<T: ?Sized>(&self, node: &Node<T>) -> Option<u32> {
        line_of(node.location(), self.sources)
    }

    fn applied(&self, directives: &DirectiveList, of_extension: bool) -> Vec<Applied> {
        let read = |directive: &Node<ast::Directive>| Applied {
            name: directive.name.clone(),
            known: spec::resolve(&directive.name, self.links),
            args: directive
                .arguments
                .iter()
                .map(|arg| (arg.name.clone(), arg.value.clone()))
                .collect(),
            line: self.line(directive),
            of_extension,
        };
        directives.0.iter().map(read).collect()
    }

    fn read_type(&self, definition: &Definition, types: &mut IndexMap<Name, TypeDef>) {
        use Definition as D;
        let kind = match definition {
            D::ScalarTypeDefinition(_) | D::ScalarTypeExtension(_) => Kind::Scalar,
            D::ObjectTypeDefinition(_) | D::ObjectTypeExtension(_) => Kind::Object,
            D::InterfaceTypeDefinition(_) | D::InterfaceTypeExtension(_) => Kind::Interface,
            D::UnionTypeDefinition(_) | D::UnionTypeExtension(_) => Kind::Union,
            D::EnumTypeDefinition(_) | D::EnumTypeExtension(_) => Kind::Enum,
            D::InputObjectTypeDefinition(_) | D::InputObjectTypeExtension(_) => Kind::Input,
            _ => return,
        };
        let Some(name) = definition.name() else { return };
        let name = self.name(name);
        let extension = definition.is_extension_definition();
        let line = line_of(definition.location(), self.sources);
        let def = types
            .entry(name.clone())
            .or_insert_with(|| empty(name, kind, line));
        def.extended |= extension;
        def.defined |= !extension;
        if !extension {
            def.line = line;
            def.description = description(definition);
        }
        def.applied
            .extend(self.applied(definition.directives(), extension));
        let (interfaces, fields): (&[Name], &[Node<FieldDefinition>]) = match definition {
            D::ObjectTypeDefinition(own) => (&own.implements_interfaces, &own.fields),
            D::ObjectTypeExtension(own) => (&own.implements_interfaces, &own.fields),
            D::InterfaceTypeDefinition(own) => (&own.implements_interfaces, &own.fields),
            D::InterfaceTypeExtension(own) => (&own.implements_interfaces, &own.fields),
            _ => (&[], &[]),
        };
        def.interfaces.extend(interfaces.iter().cloned());
        def.fields.extend(
            fields
                .iter()
                .map(|field| (field.name.clone(), self.field(field, extension))),
        );
        match definition {
            D::UnionTypeDefinition(own) => def.members.extend(own.members.iter().map(|name| self.name(name))),
            D::UnionTypeExtension(own) => def.members.extend(own.members.iter().map(|name| self.name(name))),
            D::EnumTypeDefinition(own) => self.values(&own.values, def),
            D::EnumTypeExtension(own) => self.values(&own.values, def),
            D::InputObjectTypeDefinition(own) => def.inputs.extend(self.inputs(&own.fields)),
            D::InputObjectTypeExtension(own) => def.inputs.extend(self.inputs(&own.fields)),
            _ => {}
        }
    }

    fn field(&self, field: &Node<FieldDefinition>, of_extension: bool) -> FieldDef {
        FieldDef {
            name: field.name.clone(),
            description: field.description.clone(),
            ty: self.ty(&field.ty),
            args: self.inputs(&field.arguments).collect(),
            applied: self.applied(&field.directives, of_extension),
            line: self.line(field),
            external: false,
            in_key: false,
            provided: false,
            shareable: false,
            requires: None,
            provides: None,
            overrides: None,
        }
    }

    fn inputs<'a>(
        &'a self,
        inputs: &'a [Node<InputValueDefinition>],
    ) -> impl Iterator<Item = (Name, InputDef)> + 'a {
        inputs.iter().map(|input| {
            let def = InputDef {
                name: input.name.clone(),
                description: input.description.clone(),
                ty: self.ty(&input.ty),
                default: input.default_value.clone(),
                applied: self.applied(&input.directives, false),
                line: self.line(input),
            };
            (input.name.clone(), def)
        })
    }

    fn values(&self, values: &[Node<ast::EnumValueDefinition>], def: &mut TypeDef) {
        for value in values {
            let own = ValueDef {
                description: value.description.clone(),
                applied: self.applied(&value.directives, false),
            };
            def.values.insert(value.value.clone(), own);
        }
    }
}

fn empty(name: Name, kind: Kind, line: Option<u32>) -> TypeDef {
    TypeDef {
        name,
        kind,
        description: None,
        applied: Vec::new(),
        defined: false,
        extended: false,
        interface_object: false,
        interfaces: IndexSet::new(),
        fields: IndexMap::new(),
        members: IndexSet::new(),
        values: IndexMap::new(),
        inputs: IndexMap::new(),
        keys: Vec::new(),
        line,
    }
}

fn description(definition: &Definition) -> Option<Node<str>> {
    match definition {
        Definition::ScalarTypeDefinition(def) => def.description.clone(),
        Definition::ObjectTypeDefinition(def) => def.description.clone(),
        Definition::InterfaceTypeDefinition(def) => def.description.clone(),
        Definition::UnionTypeDefinition(def) => def.description.clone(),
        Definition::EnumTypeDefinition(def) => def.description.clone(),
        Definition::InputObjectTypeDefinition(def) => def.description.clone(),
        _ => None,
    }
}

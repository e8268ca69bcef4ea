//! A supergraph with places to begin at: for each entity a root field that gives it with no more than its key, out of a
//! subgraph that nobody asks. A plan from there says which key the entity has to bring and what is asked of the real
//! subgraphs then, the entity's own one included. The planner library itself plans from the root only.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use apollo_compiler::ast::{
    Argument, Definition, Directive, DirectiveList, Document, EnumValueDefinition, FieldDefinition,
    Selection, Type, Value,
};
use apollo_compiler::executable::{self, Field, InlineFragment};
use apollo_compiler::{Name, Node, name, ty};
use hive_router_query_planner::ast::document::Document as Asked;
use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::SelectionSet;
use hive_router_query_planner::planner::plan_nodes::{PlanNode, QueryPlan, SequenceNode};

use super::PlanError;

/// Of an entity's keys so many are tried.
const MAX_KEYS: usize = 4;

/// How the names of the added subgraphs, as well as of their root fields, begin.
const PREFIX: &str = "_entry";

/// A supergraph with places to begin at.
pub(super) struct Entries {
    /// Its text.
    pub(super) sdl: String,
    /// By type: the root fields that give an object of it, each with another key.
    pub(super) fields: HashMap<String, Vec<Name>>,
}

/// Adds the places to begin at. `None`: the text is no supergraph, or has no entities.
pub(super) fn add(supergraph_sdl: &str) -> Option<Entries> {
    let mut document = Document::parse(supergraph_sdl, "supergraph.graphql").ok()?;
    let types = Types::read(&document);
    let levels = types.objects.values().map(|object| object.keys.len()).max()?;
    let levels = levels.min(MAX_KEYS);
    let mut fields: HashMap<String, Vec<Name>> = HashMap::new();
    for level in 0..levels {
        let entry = Entry::of(&types, level);
        entry.write(&types, &mut document)?;
        for root in entry.roots {
            let field = entry_field(level, root)?;
            fields.entry(root.to_owned()).or_default().push(field);
        }
    }
    (levels > 0).then(|| Entries {
        sdl: document.to_string(),
        fields,
    })
}

/// How many calls there are in a plan.
pub(super) fn calls(node: &PlanNode) -> usize {
    match node {
        PlanNode::Sequence(sequence) => sequence.nodes.iter().map(calls).sum(),
        PlanNode::Parallel(parallel) => parallel.nodes.iter().map(calls).sum(),
        PlanNode::Flatten(flatten) => calls(&flatten.node),
        _ => 1,
    }
}

/// Takes the call of the added subgraph off a plan: what it asks for of the entity, and what remains to do.
pub(super) fn take_off(plan: QueryPlan) -> Result<(executable::SelectionSet, QueryPlan), PlanError> {
    let (first, rest) = match plan.node {
        Some(PlanNode::Sequence(SequenceNode { mut nodes })) if !nodes.is_empty() => {
            let first = nodes.remove(0);
            (Some(first), Some(PlanNode::Sequence(SequenceNode { nodes })))
        }
        first => (first, None),
    };
    let fetch = match &first {
        Some(PlanNode::Fetch(fetch)) if fetch.service_name.starts_with(PREFIX) => fetch,
        _ => return Err(PlanError::Failed("the plan does not begin at the entity".into())),
    };
    let asked = &fetch.operation.document;
    let needed = match asked.operation.selection_set.items.as_slice() {
        [SelectionItem::Field(entity)] => selections(&entity.selections, asked)?,
        _ => return Err(PlanError::Failed("the plan begins at several places".into())),
    };
    let rest = QueryPlan {
        kind: plan.kind,
        node: rest,
    };
    Ok((needed, rest))
}

/// The library's selections as those of the compiler; only their text counts.
fn selections(set: &SelectionSet, asked: &Asked) -> Result<executable::SelectionSet, PlanError> {
    let no_name = |error: apollo_compiler::InvalidNameError| PlanError::Failed(error.to_string());
    let mut all = executable::SelectionSet::new(name!("_Any"));
    for item in &set.items {
        match item {
            SelectionItem::Field(field) => {
                let name = Name::new(&field.name).map_err(no_name)?;
                let definition = FieldDefinition {
                    description: None,
                    name: name.clone(),
                    arguments: Vec::new(),
                    ty: ty!(_Any),
                    directives: DirectiveList::default(),
                };
                all.push(Field {
                    definition: Node::new(definition),
                    alias: field
                        .alias
                        .as_deref()
                        .map(Name::new)
                        .transpose()
                        .map_err(no_name)?,
                    name,
                    arguments: Vec::new(),
                    directives: DirectiveList::default(),
                    selection_set: selections(&field.selections, asked)?,
                });
            }
            SelectionItem::InlineFragment(fragment) => all.push(InlineFragment {
                type_condition: Some(Name::new(&fragment.type_condition).map_err(no_name)?),
                directives: DirectiveList::default(),
                selection_set: selections(&fragment.selections, asked)?,
            }),
            SelectionItem::FragmentSpread(name) => {
                let fragment = asked.fragments.iter().find(|fragment| fragment.name == *name);
                if let Some(fragment) = fragment {
                    all.push(InlineFragment {
                        type_condition: Some(Name::new(&fragment.type_condition).map_err(no_name)?),
                        directives: DirectiveList::default(),
                        selection_set: selections(&fragment.selection_set, asked)?,
                    });
                }
            }
        }
    }
    Ok(all)
}

/// What of the supergraph's types matters here.
#[derive(Default)]
struct Types {
    query: String,
    objects: BTreeMap<String, Object>,
    /// Interfaces and unions with the object types behind them.
    outer: BTreeMap<String, BTreeSet<String>>,
}

/// An object type or an interface.
struct Object {
    is_interface: bool,
    /// The type of each field.
    fields: HashMap<String, String>,
    /// The keys by which some subgraph finds it, as sets of fields.
    keys: Vec<Node<Selections>>,
}

type Selections = Vec<Selection>;

impl Types {
    fn read(document: &Document) -> Self {
        let mut types = Self {
            query: "Query".to_owned(),
            ..Self::default()
        };
        for definition in &document.definitions {
            match definition {
                Definition::SchemaDefinition(schema) => {
                    let query = schema
                        .root_operations
                        .iter()
                        .find(|root| root.0 == apollo_compiler::ast::OperationType::Query);
                    types.query = query.map_or_else(|| "Query".to_owned(), |root| root.1.to_string());
                }
                Definition::ObjectTypeDefinition(object) => {
                    let known = Object::of(false, &object.fields, &object.directives);
                    types.objects.insert(object.name.to_string(), known);
                    for outer in &object.implements_interfaces {
                        let members = types.outer.entry(outer.to_string()).or_default();
                        members.insert(object.name.to_string());
                    }
                }
                Definition::UnionTypeDefinition(union) => {
                    let members = types.outer.entry(union.name.to_string()).or_default();
                    members.extend(union.members.iter().map(ToString::to_string));
                }
                Definition::InterfaceTypeDefinition(interface) => {
                    let known = Object::of(true, &interface.fields, &interface.directives);
                    types.objects.insert(interface.name.to_string(), known);
                }
                _ => {}
            }
        }
        types
    }
}

impl Object {
    fn of(is_interface: bool, fields: &[Node<FieldDefinition>], directives: &DirectiveList) -> Self {
        let fields = fields.iter();
        let fields = fields.map(|it| (it.name.to_string(), it.ty.inner_named_type().to_string()));
        Self {
            is_interface,
            fields: fields.collect(),
            keys: keys(directives),
        }
    }
}

/// The different keys by which subgraphs find an object.
fn keys(directives: &DirectiveList) -> Vec<Node<Selections>> {
    let mut keys: Vec<Node<Selections>> = Vec::new();
    for join in directives.get_all("join__type") {
        let resolvable = join.specified_argument_by_name("resolvable");
        let key = join
            .specified_argument_by_name("key")
            .and_then(|key| key.as_str());
        let Some(key) = key.filter(|_| resolvable.and_then(|it| it.to_bool()) != Some(false)) else {
            continue;
        };
        let Ok(document) = Document::parse(format!("{{ {key} }}"), "key.graphql") else {
            continue;
        };
        let Some(Definition::OperationDefinition(operation)) = document.definitions.first() else {
            continue;
        };
        let key = Node::new(operation.selection_set.clone());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// One added subgraph.
struct Entry<'t> {
    level: usize,
    /// The types that it gives at its root.
    roots: Vec<&'t str>,
    /// The fields that it knows, by type; of a leaf none.
    known: BTreeMap<&'t str, BTreeSet<&'t str>>,
    /// Which object types it knows behind which abstract ones.
    members: BTreeMap<&'t str, &'t BTreeSet<String>>,
}

impl<'t> Entry<'t> {
    /// The subgraph that knows of each entity the key of that number.
    fn of(types: &'t Types, level: usize) -> Self {
        let mut entry = Self {
            level,
            roots: Vec::new(),
            known: BTreeMap::new(),
            members: BTreeMap::new(),
        };
        for (name, object) in &types.objects {
            if let Some(key) = object.keys.get(level) {
                entry.know(types, name, key);
                if !object.is_interface {
                    entry.roots.push(name);
                }
            }
        }
        entry.abstract_types(types);
        entry
    }

    fn know(&mut self, types: &'t Types, of: &'t str, key: &'t Selections) {
        let Some(object) = types.objects.get(of) else {
            return;
        };
        self.known.entry(of).or_default();
        for selection in key {
            let Selection::Field(field) = selection else {
                continue;
            };
            let Some((name, returns)) = object.fields.get_key_value(field.name.as_str()) else {
                continue;
            };
            self.known.entry(of).or_default().insert(name);
            self.known.entry(returns).or_default();
            self.know(types, returns, &field.selection_set);
        }
    }

    /// Adds the abstract types behind which only entities with such a key are.
    fn abstract_types(&mut self, types: &'t Types) {
        for (outer, members) in &types.outer {
            let has_key = |name: &String| {
                types
                    .objects
                    .get(name)
                    .is_some_and(|it| it.keys.len() > self.level)
            };
            if members.iter().all(has_key) {
                self.roots.push(outer);
                self.known.entry(outer).or_default();
                self.members.insert(outer, members);
            }
        }
    }

    fn write(&self, types: &Types, document: &mut Document) -> Option<()> {
        let subgraph = format!("{PREFIX}{}", self.level);
        let graph = Name::new(&subgraph.to_uppercase()).ok()?;
        for definition in &mut document.definitions {
            let name = definition.name().map(ToString::to_string).unwrap_or_default();
            if name == "join__Graph"
                && let Definition::EnumTypeDefinition(graphs) = definition
            {
                let name = Node::new(Value::String(subgraph.clone()));
                let url = Node::new(Value::String(String::new()));
                let directive = directive(name!("join__graph"), [(name!("name"), name), (name!("url"), url)]);
                graphs.make_mut().values.push(Node::new(EnumValueDefinition {
                    description: None,
                    value: graph.clone(),
                    directives: DirectiveList(vec![directive]),
                }));
            } else if name == types.query
                && let Definition::ObjectTypeDefinition(query) = definition
            {
                let query = query.make_mut();
                join_type(&mut query.directives, &mut query.fields, &graph, &BTreeSet::new());
                for root in &self.roots {
                    query.fields.push(Node::new(FieldDefinition {
                        description: None,
                        name: entry_field(self.level, root)?,
                        arguments: Vec::new(),
                        ty: Type::Named(Name::new(root).ok()?),
                        directives: DirectiveList(vec![join(name!("join__field"), &graph, None)]),
                    }));
                }
            } else if let Some(fields) = self.known.get(name.as_str()) {
                self.extend(definition, &name, &graph, fields);
            }
        }
        Some(())
    }

    fn extend(&self, definition: &mut Definition, name: &str, graph: &Name, known: &BTreeSet<&str>) {
        let join_type_only = |directives: &mut DirectiveList| {
            directives.push(join(name!("join__type"), graph, None));
        };
        match definition {
            Definition::ObjectTypeDefinition(object) => {
                let object = object.make_mut();
                join_type(&mut object.directives, &mut object.fields, graph, known);
                for (outer, members) in &self.members {
                    if members.contains(name) && object.implements_interfaces.iter().any(|it| it == outer) {
                        let implements = join(name!("join__implements"), graph, Some(("interface", outer)));
                        object.directives.push(implements);
                    }
                }
            }
            Definition::InterfaceTypeDefinition(interface) => {
                let interface = interface.make_mut();
                join_type(&mut interface.directives, &mut interface.fields, graph, known);
            }
            Definition::UnionTypeDefinition(union) => {
                let union = union.make_mut();
                join_type_only(&mut union.directives);
                for member in &union.members {
                    let member = join(name!("join__unionMember"), graph, Some(("member", member)));
                    union.directives.push(member);
                }
            }
            Definition::EnumTypeDefinition(definition) => {
                let definition = definition.make_mut();
                join_type_only(&mut definition.directives);
                for value in &mut definition.values {
                    let value = value.make_mut();
                    value.directives.push(join(name!("join__enumValue"), graph, None));
                }
            }
            Definition::ScalarTypeDefinition(scalar) => join_type_only(&mut scalar.make_mut().directives),
            _ => {}
        }
    }
}

/// Makes a type known to that subgraph, with those fields only.
fn join_type(
    directives: &mut DirectiveList,
    fields: &mut [Node<FieldDefinition>],
    graph: &Name,
    known: &BTreeSet<&str>,
) {
    let mut graphs: Vec<Name> = Vec::new();
    for join in directives.get_all("join__type") {
        let graph = join
            .specified_argument_by_name("graph")
            .and_then(|it| it.as_enum());
        graphs.extend(graph.filter(|graph| !graphs.contains(graph)).cloned());
    }
    for field in fields {
        let field = field.make_mut();
        // A field that names no subgraph is known to all that know its type.
        if !field.directives.has("join__field") {
            let all = graphs.iter().map(|graph| join(name!("join__field"), graph, None));
            field.directives.extend(all);
        }
        if known.contains(field.name.as_str()) {
            field.directives.push(join(name!("join__field"), graph, None));
        }
    }
    directives.push(join(name!("join__type"), graph, None));
}

fn join(name: Name, graph: &Name, more: Option<(&str, &str)>) -> Node<Directive> {
    let graph = (name!("graph"), Node::new(Value::Enum(graph.clone())));
    let more = more.and_then(|(name, value)| {
        let value = Node::new(Value::String(value.to_owned()));
        Some((Name::new(name).ok()?, value))
    });
    directive(name, std::iter::once(graph).chain(more))
}

fn directive(name: Name, arguments: impl IntoIterator<Item = (Name, Node<Value>)>) -> Node<Directive> {
    let arguments = arguments.into_iter();
    Node::new(Directive {
        name,
        arguments: arguments
            .map(|(name, value)| Node::new(Argument { name, value }))
            .collect(),
    })
}

fn entry_field(level: usize, type_name: &str) -> Option<Name> {
    Name::new(&format!("{PREFIX}{level}_{type_name}")).ok()
}

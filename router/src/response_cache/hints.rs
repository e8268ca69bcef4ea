//! What a schema says of caching (`@cacheControl`), and what follows from it for one fetch, by Apollo Server's rules:
//! <https://www.apollographql.com/docs/apollo-server/performance/caching>.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::AtomicU8;

use apollo_compiler::Node;
use apollo_compiler::ast::{self, Definition, Document};
use hive_router_query_planner::ast::operation::SubgraphFetchOperation;
use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::SelectionSet;

use crate::config::ResponseCacheConfig;
use crate::plan::FetchKind;
use crate::schema::TypeTable;

/// The name of the directive in the supergraph.
const DIRECTIVE: &str = "cacheControl";

/// What a schema says, by type.
#[derive(Debug, Default)]
pub(crate) struct Hints {
    types: HashMap<Box<str>, TypeHints>,
    /// The type of the root.
    query: Box<str>,
}

/// Whose answers are kept, and what the schema says of that.
#[derive(Clone, Copy)]
pub(crate) struct Keeping<'k> {
    pub(crate) hints: &'k Hints,
    pub(crate) config: &'k ResponseCacheConfig,
}

#[derive(Debug, Default)]
struct TypeHints {
    own: Hint,
    fields: HashMap<Box<str>, FieldHints>,
}

#[derive(Debug)]
struct FieldHints {
    own: Hint,
    returns: Box<str>,
}

/// One `@cacheControl`, or several that say the least together.
#[derive(Debug, Default, Clone, Copy)]
struct Hint {
    max_age: Option<u32>,
    is_private: bool,
    is_public: bool,
    inherits: bool,
}

/// What is said of all that a fetch asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Declared {
    /// The least of all that is said, in seconds.
    pub(crate) max_age: Option<u32>,
    /// Of some root field or object nothing is said.
    pub(crate) is_silent: bool,
    /// Something is for one caller only.
    pub(crate) is_private: bool,
    /// Whatever is said says that it is for everybody.
    pub(crate) is_public: bool,
}

/// How the answers to one fetch are kept.
#[derive(Debug)]
pub(crate) struct Caching {
    /// Of a root fetch one; of an entity fetch one for each variable of representations.
    pub(crate) groups: Vec<Group>,
    /// Whether answers were kept lately, and for whom: see [`super::flights`].
    pub(crate) learned: AtomicU8,
}

/// Entities that are asked about by one variable; or all of a root fetch.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) declared: Declared,
    /// The types of all objects in the answer, but entities that were asked about.
    pub(crate) nested: BTreeSet<Box<str>>,
    /// The names of the lists in the answer; none for a root fetch.
    pub(crate) lists: Vec<String>,
}

impl<'k> Keeping<'k> {
    /// For a subgraph whose answers are kept.
    pub(crate) fn of(self, subgraph: &str) -> Option<&'k Hints> {
        self.config.includes(subgraph).then_some(self.hints)
    }
}

impl Hints {
    /// Reads a supergraph.
    pub(crate) fn read(document: &Document) -> Self {
        let mut hints = Self {
            query: "Query".into(),
            ..Self::default()
        };
        for definition in &document.definitions {
            match definition {
                Definition::SchemaDefinition(schema) => {
                    let operations = schema.root_operations.iter();
                    let mut query = operations.filter(|it| it.0 == ast::OperationType::Query);
                    if let Some(query) = query.next() {
                        hints.query = query.1.as_str().into();
                    }
                }
                Definition::ObjectTypeDefinition(object) => {
                    hints.add(&object.name, &object.directives, &object.fields);
                }
                Definition::InterfaceTypeDefinition(interface) => {
                    hints.add(&interface.name, &interface.directives, &interface.fields);
                }
                Definition::UnionTypeDefinition(union) => {
                    hints.add(&union.name, &union.directives, &[]);
                }
                _ => {}
            }
        }
        hints
    }

    fn add(&mut self, name: &str, directives: &ast::DirectiveList, fields: &[Node<ast::FieldDefinition>]) {
        let fields = fields.iter().map(|field| {
            let hints = FieldHints {
                own: Hint::of(&field.directives),
                returns: field.ty.inner_named_type().as_str().into(),
            };
            (field.name.as_str().into(), hints)
        });
        let hints = TypeHints {
            own: Hint::of(directives),
            fields: fields.collect(),
        };
        self.types.insert(name.into(), hints);
    }

    /// How the answers to a fetch are kept.
    pub(crate) fn caching(
        &self,
        operation: &SubgraphFetchOperation,
        kind: &FetchKind,
        types: &TypeTable,
    ) -> Caching {
        let walk = Walk {
            hints: self,
            types,
            operation,
        };
        let set = &operation.document.operation.selection_set;
        let groups = match kind {
            FetchKind::Root { .. } => {
                let mut found = Found::default();
                found.nested.insert(self.query.clone());
                walk.set(set, &self.query, true, &mut found);
                vec![found.group(Vec::new())]
            }
            FetchKind::Entities(batches) => {
                let first = batches.iter().filter(|batch| batch.same_as.is_none());
                let group = |variable: &str| {
                    let mut found = Found::default();
                    let lists: Vec<String> = batches
                        .iter()
                        .filter(|batch| batch.variable == variable)
                        .map(|batch| batch.field.clone())
                        .collect();
                    lists.iter().for_each(|list| walk.entities(set, list, &mut found));
                    found.group(lists)
                };
                first.map(|batch| group(&batch.variable)).collect()
            }
        };
        Caching {
            groups,
            learned: AtomicU8::default(),
        }
    }

    fn of_type(&self, name: &str) -> Option<&TypeHints> {
        self.types.get(name)
    }
}

impl Hint {
    fn of(directives: &ast::DirectiveList) -> Self {
        let mut hint = Self {
            is_public: true,
            ..Self::default()
        };
        let mut is_there = false;
        for directive in directives.iter().filter(|directive| directive.name == DIRECTIVE) {
            is_there = true;
            let argument = |name: &str| directive.specified_argument_by_name(name);
            if let Some(max_age) = argument("maxAge") {
                // What is no such number says that nothing is to be kept.
                let seconds = max_age.to_i32().and_then(|seconds| u32::try_from(seconds).ok());
                let seconds = seconds.unwrap_or(0);
                hint.max_age = Some(hint.max_age.map_or(seconds, |known| known.min(seconds)));
            }
            let scope = argument("scope").and_then(|scope| scope.as_enum());
            hint.is_private |= scope.is_some_and(|scope| scope == "PRIVATE");
            hint.is_public &= scope.is_some_and(|scope| scope == "PUBLIC");
            hint.inherits |= argument("inheritMaxAge")
                .and_then(|it| it.to_bool())
                .unwrap_or(false);
        }
        hint.is_public &= is_there;
        hint
    }

    /// Where it is not known which of two holds.
    fn either(self, other: Self) -> Self {
        Self {
            // If one of them says nothing, what is above decides.
            max_age: self.max_age.zip(other.max_age).map(|(a, b)| a.min(b)),
            is_private: self.is_private || other.is_private,
            is_public: self.is_public && other.is_public,
            inherits: self.inherits && other.inherits,
        }
    }
}

/// What was found on the way.
#[derive(Default)]
struct Found {
    declared: Declared,
    nested: BTreeSet<Box<str>>,
    says_otherwise: bool,
}

impl Found {
    fn note(&mut self, hint: Hint) {
        if let Some(max_age) = hint.max_age {
            let known = self.declared.max_age;
            self.declared.max_age = Some(known.map_or(max_age, |known| known.min(max_age)));
            self.says_otherwise |= !hint.is_public;
        }
        self.declared.is_private |= hint.is_private;
    }

    fn group(mut self, lists: Vec<String>) -> Group {
        let is_said = self.declared.max_age.is_some();
        self.declared.is_public = is_said && !self.says_otherwise && !self.declared.is_private;
        Group {
            declared: self.declared,
            nested: self.nested,
            lists,
        }
    }
}

struct Walk<'w> {
    hints: &'w Hints,
    types: &'w TypeTable,
    operation: &'w SubgraphFetchOperation,
}

impl Walk<'_> {
    fn entities(&self, set: &SelectionSet, list: &str, found: &mut Found) {
        for item in &set.items {
            let SelectionItem::Field(field) = item else {
                continue;
            };
            if field.selection_identifier() != list {
                continue;
            }
            for (condition, set) in field.selections.items.iter().filter_map(|it| self.fragment(it)) {
                let hint = self.type_hint(condition);
                found.declared.is_silent |= hint.max_age.is_none();
                found.note(hint);
                self.set(set, condition, false, found);
            }
        }
    }

    fn fragment<'i>(&'i self, item: &'i SelectionItem) -> Option<(&'i str, &'i SelectionSet)> {
        match item {
            SelectionItem::InlineFragment(fragment) => Some((&fragment.type_condition, &fragment.selections)),
            SelectionItem::FragmentSpread(name) => {
                let mut fragments = self.operation.document.fragments.iter();
                let fragment = fragments.find(|fragment| fragment.name == *name)?;
                Some((&fragment.type_condition, &fragment.selection_set))
            }
            SelectionItem::Field(_) => None,
        }
    }

    fn set(&self, set: &SelectionSet, parent: &str, is_root: bool, found: &mut Found) {
        for item in &set.items {
            match item {
                SelectionItem::Field(field) if field.name.starts_with("__") => {}
                SelectionItem::Field(field) => {
                    let Some((hint, returns)) = self.field(parent, &field.name) else {
                        found.declared.is_silent = true;
                        continue;
                    };
                    self.field_hint(hint, returns, is_root, found);
                    if self.hints.of_type(returns).is_some() {
                        found.nested.insert(returns.into());
                        self.set(&field.selections, returns, false, found);
                    }
                }
                other => {
                    if let Some((condition, set)) = self.fragment(other) {
                        let parent = if condition.is_empty() { parent } else { condition };
                        self.set(set, parent, is_root, found);
                    }
                }
            }
        }
    }

    fn field_hint(&self, hint: Hint, returns: &str, is_root: bool, found: &mut Found) {
        let is_object = self.hints.of_type(returns).is_some();
        let behind = is_object.then(|| self.type_hint(returns));
        found.note(hint);
        if let Some(behind) = behind {
            // Who says how long the field lives overrules the type, but never opens what is private.
            found.declared.is_private |= behind.is_private;
            if hint.max_age.is_none() && behind.max_age.is_some() {
                found.note(behind);
                return;
            }
        }
        let inherits = hint.inherits || behind.is_some_and(|behind| behind.inherits);
        if hint.max_age.is_none() && (is_root || (is_object && !inherits)) {
            found.declared.is_silent = true;
        }
    }

    /// What is said of a field, whichever of the parent's types the object is of.
    fn field(&self, parent: &str, name: &str) -> Option<(Hint, &str)> {
        let own = self
            .hints
            .of_type(parent)
            .and_then(|parent| parent.fields.get(name));
        let mut all = own.map(|field| (field.own, &*field.returns));
        for object in self.types.behind(parent) {
            let field = self
                .hints
                .of_type(object)
                .and_then(|object| object.fields.get(name));
            if let Some(field) = field {
                let hint = all.map_or(field.own, |(hint, _)| match field.own.says() {
                    true => hint.either(field.own),
                    false => hint,
                });
                all = Some((hint, all.map_or(&*field.returns, |(_, returns)| returns)));
            }
        }
        all
    }

    /// What is said of objects of a type; of an abstract one, whichever of its types they are of.
    fn type_hint(&self, name: &str) -> Hint {
        let own = self.hints.of_type(name).map(|it| it.own).unwrap_or_default();
        let objects = self.types.behind(name).filter_map(|object| {
            let hint = self.hints.of_type(object)?.own;
            // A type that says nothing itself is as its interface says.
            Some(if hint.says() { hint } else { own })
        });
        objects.reduce(Hint::either).unwrap_or(own)
    }
}

impl Hint {
    fn says(self) -> bool {
        self.max_age.is_some() || self.is_private || self.inherits
    }
}

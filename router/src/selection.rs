//! What the client asked for, made ready to write the answer: for every object type that may come, the fields in their
//! order with their types and conditions, fragments followed and equal response keys put together (CollectFields and
//! MergeSelectionSets of the GraphQL specification, done once for an operation instead of for every object). Deferred
//! fragments stay apart.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use apollo_compiler::ast::{Directive, Type, Value};
use apollo_compiler::executable::{ExecutableDocument, Field, Operation, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema};
use indexmap::IndexMap;
use kernel::ErrorCode;

use crate::error::GraphQlError;
use crate::execution::data::{Key, Keys, asked_as};
use crate::rate_limit::field;

/// The answer's shape of one operation.
#[derive(Debug)]
pub(crate) struct Selections {
    sets: Vec<Set>,
    root: usize,
}

/// What is selected of a composite type.
#[derive(Debug)]
pub(crate) struct Set {
    /// The declared type.
    pub(crate) parent: Name,
    /// By object type.
    by_type: HashMap<Name, Shape>,
    /// If the object's type is not known better than the declared one.
    fallback: Shape,
    /// Whether the declared type is an object type.
    is_object: bool,
    /// Whether what is shown of an object depends on its type.
    pub(crate) needs_type: bool,
    /// The declared type as JSON.
    pub(crate) parent_json: Box<[u8]>,
}

/// What is selected of objects of one type.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// In their order.
    pub(crate) fields: Arc<[OutField]>,
    /// The fragments that come later.
    pub(crate) deferred: Vec<LaterFragment>,
}

/// A fragment that comes later.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LaterFragment {
    /// Its number in the operation.
    pub(crate) fragment: usize,
    /// The number of the set that it selects.
    pub(crate) set: usize,
}

/// One field of the answer.
#[derive(Debug)]
pub(crate) struct OutField {
    /// The key under which it is asked for.
    pub(crate) key: Key,
    /// Its response key.
    pub(crate) name: Arc<str>,
    /// The same as JSON, with a colon.
    pub(crate) prefix: Box<[u8]>,
    /// Where its value comes from.
    pub(crate) source: Source,
    /// Its type.
    pub(crate) ty: OutType,
}

/// Where a field's value comes from.
#[derive(Debug)]
pub(crate) enum Source {
    /// From subgraphs.
    Data,
    /// It is the name of the object's type.
    TypeName,
    /// From the router itself: `__schema`, `__type` or `rateLimit`, or a field below.
    Introspection {
        /// The field's own name.
        field: Name,
        /// The arguments as written.
        arguments: Vec<(Name, Node<Value>)>,
    },
    /// From nowhere: the caller may not see it.
    Denied(ErrorCode),
}

/// A type of the answer.
#[derive(Debug)]
pub(crate) struct OutType {
    /// Whether it must not be null.
    pub(crate) non_null: bool,
    /// What it is.
    pub(crate) kind: OutKind,
}

/// What a type is.
#[derive(Debug)]
pub(crate) enum OutKind {
    /// A list.
    List(Box<OutType>),
    /// A scalar or an enum.
    Leaf(Leaf),
    /// Objects: the number of the set.
    Composite(usize),
}

/// How a leaf is written.
#[derive(Debug)]
pub(crate) enum Leaf {
    /// A 32-bit integer.
    Int,
    /// A number.
    Float,
    /// A text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A text; numbers become one.
    Id,
    /// One of these names.
    Enum(HashSet<Name>),
    /// Any JSON.
    Custom,
}

/// For whom and for what an operation is compiled: what remains of it is without conditions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Case {
    /// Fields that the caller may not see, by declared parent type and field.
    pub(crate) denied: HashMap<(Name, Name), ErrorCode>,
    /// The Boolean variables of `@skip`, `@include` and `@defer` that are true.
    pub(crate) truths: HashSet<Name>,
    /// Whether fragments with `@defer` may come later.
    pub(crate) defers: bool,
    /// Whether the fragment of each [`fragment_number`] does come later.
    pub(crate) later: Vec<bool>,
    /// The type whose field `rateLimit` the router answers, if it does.
    pub(crate) rate_limit_on: Option<Name>,
}

impl Case {
    /// Whether the router itself answers a field: all of introspection, and `rateLimit`.
    pub(crate) fn is_own(&self, parent: &Name, field: &Name) -> bool {
        let is_meta = field.starts_with("__") && field != "__typename";
        let is_rate =
            || parent == field::TYPE || field == field::FIELD && self.rate_limit_on.as_ref() == Some(parent);
        is_meta || parent.starts_with("__") || self.rate_limit_on.is_some() && is_rate()
    }

    /// The label of a selection with these directives if it comes later.
    pub(crate) fn deferred<'d>(&self, directives: &'d [Node<Directive>]) -> Option<Option<&'d str>> {
        let defer = directives
            .iter()
            .find(|it| it.name == "defer")
            .filter(|_| self.defers)?;
        let on = match defer.specified_argument_by_name("if").map(|value| value.as_ref()) {
            Some(Value::Boolean(on)) => *on,
            Some(Value::Variable(variable)) => self.truths.contains(variable),
            _ => true,
        };
        let label = defer.specified_argument_by_name("label");
        on.then(|| label.and_then(|label| label.as_str()))
    }

    /// Whether a selection with these directives is there at all.
    pub(crate) fn includes(&self, directives: &[Node<Directive>]) -> bool {
        directives.iter().all(|directive| {
            let wanted = match directive.name.as_str() {
                "skip" => false,
                "include" => true,
                _ => return true,
            };
            match directive
                .specified_argument_by_name("if")
                .map(|value| value.as_ref())
            {
                Some(Value::Boolean(value)) => *value == wanted,
                Some(Value::Variable(variable)) => self.truths.contains(variable) == wanted,
                _ => true,
            }
        })
    }
}

impl Selections {
    /// What is selected of the root.
    pub(crate) fn root(&self) -> &Set {
        self.set(self.root)
    }

    /// The set of that number, which comes from these selections.
    pub(crate) fn set(&self, number: usize) -> &Set {
        &self.sets[number]
    }

    /// Works out the shape of an operation. `max_fields` bounds the work.
    pub(crate) fn of(
        schema: &Schema,
        possible: &dyn Fn(&Name) -> Vec<Name>,
        document: &ExecutableDocument,
        operation: &Operation,
        keys: &mut Keys,
        case: &Case,
        max_fields: usize,
    ) -> Result<Self, GraphQlError> {
        let mut builder = Builder {
            schema,
            possible,
            document,
            keys,
            case,
            budget: max_fields,
            sets: Vec::new(),
            known: HashMap::new(),
        };
        let part = Part(&operation.selection_set);
        let root = builder.set(operation.object_type(), vec![part])?;
        Ok(Self {
            sets: builder.sets.into_iter().flatten().collect(),
            root,
        })
    }
}

impl Shape {
    /// Whether an object that is taken for one of the other shape is shown otherwise: with other fields, or another
    /// `__typename`.
    fn differs(&self, other: &Self) -> bool {
        let tells = self
            .fields
            .iter()
            .any(|field| matches!(field.source, Source::TypeName));
        tells
            || !self
                .fields
                .iter()
                .map(|field| &field.name)
                .eq(other.fields.iter().map(|field| &field.name))
    }
}

impl Set {
    /// What is selected of an object of that type, as far as the type is known.
    pub(crate) fn shape(&self, type_name: Option<&str>) -> &Shape {
        type_name
            .filter(|name| self.parent != **name)
            .and_then(|name| self.by_type.get(name))
            .unwrap_or(&self.fallback)
    }

    /// The fields of an object of that type, as far as the type is known.
    pub(crate) fn fields(&self, type_name: Option<&str>) -> &[OutField] {
        &self.shape(type_name).fields
    }

    /// Whether objects of that type may stand here.
    pub(crate) fn allows(&self, type_name: &str) -> bool {
        match self.parent == *type_name {
            true => self.is_object,
            false => self.by_type.contains_key(type_name),
        }
    }
}

/// The number of a fragment that may come later; documents of clients have none.
pub(crate) fn fragment_number(directives: &[Node<Directive>]) -> Option<usize> {
    let [marker] = directives else { return None };
    let number = marker.specified_argument_by_name("number")?.to_i32()?;
    usize::try_from(number).ok()
}

/// A selection set of the document, known by its place.
#[derive(Clone, Copy)]
struct Part<'d>(&'d SelectionSet);

impl PartialEq for Part<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Part<'_> {}

impl std::hash::Hash for Part<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::ptr::hash(self.0, state);
    }
}

struct Builder<'d, 'k> {
    schema: &'d Schema,
    possible: &'k dyn Fn(&Name) -> Vec<Name>,
    document: &'d ExecutableDocument,
    keys: &'k mut Keys,
    case: &'k Case,
    budget: usize,
    sets: Vec<Option<Set>>,
    known: HashMap<(Name, Vec<Part<'d>>), usize>,
}

/// What was found to be selected of an object.
#[derive(Default)]
struct Found<'d> {
    /// A response key's fields in the document, with the declared type that each is selected on.
    fields: IndexMap<Name, Vec<(&'d Name, &'d Node<Field>)>>,
    /// The fragments that come later, by number.
    deferred: Vec<(usize, Part<'d>)>,
}

impl<'d> Builder<'d, '_> {
    fn set(&mut self, parent: &Name, parts: Vec<Part<'d>>) -> Result<usize, GraphQlError> {
        let key = (parent.clone(), parts);
        if let Some(number) = self.known.get(&key) {
            return Ok(*number);
        }
        let number = self.sets.len();
        self.sets.push(None);
        self.known.insert(key.clone(), number);
        let parts = key.1;
        let mut by_type = HashMap::new();
        for object in (self.possible)(parent) {
            let shape = self.shape(&object, &parts)?;
            by_type.insert(object, shape);
        }
        let fallback = match by_type.get(parent) {
            Some(shape) => shape.clone(),
            None => self.shape(parent, &parts)?,
        };
        let set = Set {
            parent_json: format!("\"{parent}\"").into_bytes().into(),
            parent: parent.clone(),
            is_object: by_type.contains_key(parent),
            needs_type: !by_type.contains_key(parent)
                && by_type.values().any(|shape| shape.differs(&fallback)),
            by_type,
            fallback,
        };
        if let Some(slot) = self.sets.get_mut(number) {
            *slot = Some(set);
        }
        Ok(number)
    }

    fn shape(&mut self, object: &Name, parts: &[Part<'d>]) -> Result<Shape, GraphQlError> {
        let mut found = Found::default();
        for part in parts {
            self.collect(object, part.0, &mut found)?;
        }
        let fields: Vec<_> = found
            .fields
            .into_iter()
            .map(|(key, occurrences)| self.field(object, &key, occurrences))
            .collect::<Result<_, _>>()?;
        let deferred = found.deferred.into_iter().map(|(fragment, part)| {
            let set = self.set(&part.0.ty, vec![part])?;
            Ok(LaterFragment { fragment, set })
        });
        Ok(Shape {
            deferred: deferred.collect::<Result<_, GraphQlError>>()?,
            fields: fields.into(),
        })
    }

    fn collect(
        &mut self,
        object: &Name,
        set: &'d SelectionSet,
        found: &mut Found<'d>,
    ) -> Result<(), GraphQlError> {
        for selection in &set.selections {
            self.budget = self.budget.checked_sub(1).ok_or_else(too_large)?;
            if !self.case.includes(selection.directives()) {
                continue;
            }
            match selection {
                Selection::Field(field) => {
                    found
                        .fields
                        .entry(field.response_key().clone())
                        .or_default()
                        .push((&set.ty, field));
                }
                Selection::InlineFragment(fragment) => {
                    if !self.applies(object, fragment.type_condition.as_ref()) {
                        continue;
                    }
                    let number = fragment_number(&fragment.directives);
                    match number.filter(|number| self.case.later.get(*number) == Some(&true)) {
                        Some(number) => found.deferred.push((number, Part(&fragment.selection_set))),
                        None => self.collect(object, &fragment.selection_set, found)?,
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.fragment_name);
                    if let Some(fragment) =
                        fragment.filter(|f| self.applies(object, Some(f.type_condition())))
                    {
                        self.collect(object, &fragment.selection_set, found)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn applies(&self, object: &Name, condition: Option<&Name>) -> bool {
        condition.is_none_or(|condition| condition == object || self.schema.is_subtype(condition, object))
    }

    fn field(
        &mut self,
        object: &Name,
        key: &Name,
        occurrences: Vec<(&'d Name, &'d Node<Field>)>,
    ) -> Result<OutField, GraphQlError> {
        let denied = occurrences.iter().find_map(|(parent, field)| {
            self.case
                .denied
                .get(&((*parent).clone(), field.name.clone()))
                .copied()
        });
        let (_, first) = occurrences.first().ok_or_else(GraphQlError::internal)?;
        let source = match denied {
            Some(code) => Source::Denied(code),
            None if first.name == "__typename" => Source::TypeName,
            None if self.case.is_own(object, &first.name) => Source::Introspection {
                field: first.name.clone(),
                arguments: first
                    .arguments
                    .iter()
                    .map(|a| (a.name.clone(), a.value.clone()))
                    .collect(),
            },
            None => Source::Data,
        };
        let asked = asked_as(&first.name, first.alias.as_deref(), !first.arguments.is_empty());
        // An object's field may be declared narrower than the interface's through which it is selected.
        let own = self
            .schema
            .type_field(object, &first.name)
            .ok()
            .map(|own| own.ty.clone());
        let ty = own.unwrap_or_else(|| first.ty().clone());
        let parts = occurrences
            .iter()
            .map(|(_, field)| Part(&field.selection_set))
            .collect();
        Ok(OutField {
            key: self.keys.intern(asked.as_deref().unwrap_or(&first.name)),
            name: key.as_str().into(),
            prefix: format!("\"{key}\":").into_bytes().into(),
            source,
            ty: self.ty(&ty, parts)?,
        })
    }

    fn ty(&mut self, ty: &Type, parts: Vec<Part<'d>>) -> Result<OutType, GraphQlError> {
        let kind = match ty {
            Type::List(item) | Type::NonNullList(item) => OutKind::List(Box::new(self.ty(item, parts)?)),
            Type::Named(name) | Type::NonNullNamed(name) => match self.schema.types.get(name) {
                Some(ExtendedType::Scalar(_)) | None => OutKind::Leaf(leaf(name)),
                Some(ExtendedType::Enum(definition)) => {
                    OutKind::Leaf(Leaf::Enum(definition.values.keys().cloned().collect()))
                }
                Some(_) => OutKind::Composite(self.set(name, parts)?),
            },
        };
        Ok(OutType {
            non_null: ty.is_non_null(),
            kind,
        })
    }
}

fn leaf(name: &str) -> Leaf {
    match name {
        "Int" => Leaf::Int,
        "Float" => Leaf::Float,
        "String" => Leaf::String,
        "Boolean" => Leaf::Boolean,
        "ID" => Leaf::Id,
        _ => Leaf::Custom,
    }
}

pub(crate) fn too_large() -> GraphQlError {
    GraphQlError::new(
        ErrorCode::CostLimitExceeded,
        "the operation selects too many fields once its fragments are put in their places",
    )
}

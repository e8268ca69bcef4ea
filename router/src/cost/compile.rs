//! Makes the cost expression of an operation: for every object type that may come, the fields that cost something,
//! fragments followed and equal response keys put together.

use std::collections::HashMap;
use std::sync::Arc;

use apollo_compiler::ast::OperationType;
use apollo_compiler::executable::{ExecutableDocument, Field, Operation, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema};
use indexmap::IndexMap;
use serde_json::Map;

use super::MUTATION;
use super::expression::{Amount, Cost, CostField, CostSet, Unknown};
use super::inputs::{Scored, Sizing};
use super::weights::{FieldFacts, Weights};
use crate::error::GraphQlError;
use crate::selection::{Case, too_large};

/// What costs are made from.
pub(crate) struct Pricing<'p> {
    /// The clients' schema.
    pub(crate) schema: &'p Schema,
    /// What it says of costs.
    pub(crate) weights: &'p Arc<Weights>,
    /// The object types behind a type.
    pub(crate) possible: &'p dyn Fn(&Name) -> Vec<Name>,
    /// How long a list counts of which nothing is said.
    pub(crate) list_size: u64,
    /// Bounds the work.
    pub(crate) max_fields: usize,
}

impl Pricing<'_> {
    /// The cost of a case of an operation.
    ///
    /// # Errors
    /// An operation that is too large once its fragments are put in their places.
    pub(crate) fn of(
        &self,
        document: &ExecutableDocument,
        operation: &Operation,
        case: &Case,
    ) -> Result<Cost, GraphQlError> {
        let mut builder = Builder {
            pricing: self,
            document,
            case,
            budget: self.max_fields,
            sets: Vec::new(),
            known: HashMap::new(),
            unknowns: Vec::new(),
            fault: None,
        };
        let root = Part(&operation.selection_set);
        builder.set(operation.object_type(), vec![root], Vec::new())?;
        let Builder {
            sets,
            unknowns,
            fault,
            ..
        } = builder;
        let is_mutation = operation.operation_type == OperationType::Mutation;
        let mut cost = Cost {
            base: if is_mutation { MUTATION } else { 0 },
            sets,
            unknowns,
            fault,
            constant: None,
        };
        cost.constant = cost.unknowns.is_empty().then(|| cost.evaluate(&[]));
        Ok(cost)
    }
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

/// Lists below whose size something above has said: the way there, and the size.
type SizedBelow = Vec<(Vec<Box<str>>, Amount)>;

struct Builder<'d, 'p> {
    pricing: &'p Pricing<'p>,
    document: &'d ExecutableDocument,
    case: &'p Case,
    budget: usize,
    sets: Vec<CostSet>,
    known: HashMap<(Name, Vec<Part<'d>>, SizedBelow), usize>,
    unknowns: Vec<Unknown>,
    fault: Option<String>,
}

/// A response key's fields in the document, with the declared type that each is selected on.
type Found<'d> = IndexMap<Name, Vec<(&'d Name, &'d Node<Field>)>>;

impl<'d> Builder<'d, '_> {
    fn set(&mut self, parent: &Name, parts: Vec<Part<'d>>, sized: SizedBelow) -> Result<usize, GraphQlError> {
        let key = (parent.clone(), parts, sized);
        if let Some(number) = self.known.get(&key) {
            return Ok(*number);
        }
        let mut objects = (self.pricing.possible)(parent);
        if objects.is_empty() {
            objects.push(parent.clone());
        }
        let mut variants: Vec<Vec<CostField>> = Vec::new();
        for object in objects {
            let fields = self.fields(&object, &key.1, &key.2)?;
            if !variants.contains(&fields) {
                variants.push(fields);
            }
        }
        // After the sets within it, which have their numbers by now.
        let number = self.sets.len();
        self.sets.push(CostSet { variants });
        self.known.insert(key, number);
        Ok(number)
    }

    fn fields(
        &mut self,
        object: &Name,
        parts: &[Part<'d>],
        sized: &SizedBelow,
    ) -> Result<Vec<CostField>, GraphQlError> {
        let mut found = Found::new();
        for part in parts {
            self.collect(object, part.0, &mut found)?;
        }
        let mut fields = Vec::new();
        for (key, occurrences) in found {
            fields.extend(self.field(object, &key, &occurrences, sized)?);
        }
        Ok(fields)
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
            let schema = self.pricing.schema;
            let applies = |condition: Option<&Name>| {
                condition.is_none_or(|condition| condition == object || schema.is_subtype(condition, object))
            };
            match selection {
                Selection::Field(field) => {
                    let of_key = found.entry(field.response_key().clone()).or_default();
                    of_key.push((&set.ty, field));
                }
                Selection::InlineFragment(fragment) => {
                    if applies(fragment.type_condition.as_ref()) {
                        self.collect(object, &fragment.selection_set, found)?;
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.fragment_name);
                    if let Some(fragment) = fragment.filter(|it| applies(Some(it.type_condition()))) {
                        self.collect(object, &fragment.selection_set, found)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The cost of a field; `None` if there is none. What the router answers by itself costs nothing.
    fn field(
        &mut self,
        object: &Name,
        key: &Name,
        occurrences: &[(&'d Name, &'d Node<Field>)],
        sized: &SizedBelow,
    ) -> Result<Option<CostField>, GraphQlError> {
        let Some((declared_on, first)) = occurrences.first() else {
            return Ok(None);
        };
        let is_denied = occurrences.iter().any(|(parent, field)| {
            let denied = &self.case.denied;
            denied.contains_key(&((*parent).clone(), field.name.clone()))
        });
        if is_denied || first.name == "__typename" || self.case.is_own(object, &first.name) {
            return Ok(None);
        }
        let Pricing { schema, weights, .. } = self.pricing;
        let facts = weights
            .of_field(object, &first.name)
            .or_else(|| weights.of_field(declared_on, &first.name));
        let definition = schema.type_field(object, &first.name);
        let ty = definition.map_or_else(|_| first.ty(), |own| &own.ty);
        let returns = ty.inner_named_type();
        let (own_size, below) = self.sizes(object, first, facts, sized);
        let size = match ty.is_list() {
            true => own_size,
            false => Amount::Known(1),
        };
        let weight = facts.and_then(|facts| facts.weight).or(weights.of_type(returns));
        let is_leaf = matches!(
            schema.types.get(returns),
            Some(ExtendedType::Scalar(_) | ExtendedType::Enum(_)) | None
        );
        let set = match is_leaf {
            true => None,
            false => {
                let parts = occurrences
                    .iter()
                    .map(|(_, field)| Part(&field.selection_set))
                    .collect();
                Some(self.set(returns, parts, below)?)
            }
        };
        let field = CostField {
            key: key.as_str().into(),
            weight: weight.unwrap_or(u64::from(!is_leaf)),
            arguments: self.arguments(first, facts),
            size,
            set,
        };
        let is_free = field.set.is_none() && field.weight == 0 && field.arguments == Amount::Known(0);
        Ok((!is_free).then_some(field))
    }

    /// How long the field is if it is a list, and the lists below it of which it or something above says so.
    fn sizes(
        &mut self,
        object: &Name,
        field: &Field,
        facts: Option<&FieldFacts>,
        sized: &SizedBelow,
    ) -> (Amount, SizedBelow) {
        let of_this = sized
            .iter()
            .filter_map(|(path, amount)| Some((path.split_first()?, *amount)));
        let of_this = of_this.filter(|((first, _), _)| ***first == *field.name);
        let from_above = of_this
            .clone()
            .find(|((_, rest), _)| rest.is_empty())
            .map(|(_, amount)| amount);
        let mut below: SizedBelow = of_this
            .filter(|((_, rest), _)| !rest.is_empty())
            .map(|((_, rest), amount)| (rest.to_vec(), amount))
            .collect();
        let otherwise = self.pricing.list_size;
        let Some(list) = facts.and_then(|facts| facts.list.as_ref()) else {
            return (from_above.unwrap_or(Amount::Known(otherwise)), below);
        };
        let place = format!("{object}.{}", field.name);
        let schema = self.pricing.schema;
        let sizing = Sizing::of(
            list,
            schema,
            &field.definition,
            &field.arguments,
            &place,
            otherwise,
        );
        let own = if sizing.is_known() {
            let (size, fault) = sizing.size(&Map::new());
            self.fault = self.fault.take().or(fault);
            Amount::Known(size)
        } else {
            self.unknown(Unknown::Size(sizing))
        };
        below.extend(list.sized.iter().map(|path| (path.clone(), own)));
        (from_above.unwrap_or(own), below)
    }

    fn arguments(&mut self, field: &Field, facts: Option<&FieldFacts>) -> Amount {
        let scored = Scored::of(self.pricing.weights, facts, &field.definition, &field.arguments);
        match scored.known() {
            Some(score) => Amount::Known(score),
            None => self.unknown(Unknown::Arguments(scored)),
        }
    }

    fn unknown(&mut self, unknown: Unknown) -> Amount {
        self.unknowns.push(unknown);
        Amount::Unknown(self.unknowns.len() - 1)
    }
}

//! What arguments say of costs: how long lists get, and what the input itself costs.

use std::sync::Arc;

use apollo_compiler::Node;
use apollo_compiler::Schema;
use apollo_compiler::ast::{Argument, FieldDefinition, InputValueDefinition, Value as Literal};
use apollo_compiler::schema::ExtendedType;
use serde_json::{Map, Value};

use super::weights::{FieldFacts, ListSize, Weights};
use crate::variables;

/// How long a list is, by its slicing arguments.
#[derive(Debug)]
pub(super) struct Sizing {
    /// One for each slicing argument.
    sources: Vec<Source>,
    /// If none of them says anything.
    otherwise: u64,
    /// Where exactly one of them must say something: of which field.
    require_one: Option<String>,
}

/// Where the value of a slicing argument comes from.
#[derive(Debug)]
enum Source {
    /// Known: what it says, if it says anything.
    Known(Option<u64>),
    /// A variable, and the way into it.
    Variable {
        name: Box<str>,
        path: Vec<Box<str>>,
        /// If the variable has no value, or nothing there.
        default: Option<u64>,
    },
}

/// What the arguments of a field cost.
#[derive(Debug, Default)]
pub(super) struct Scored {
    known: u64,
    variables: Vec<ScoredVariable>,
    weights: Arc<Weights>,
}

#[derive(Debug)]
struct ScoredVariable {
    name: Box<str>,
    ty: Box<str>,
    weight: Option<u64>,
}

impl Sizing {
    /// The size of the field's list, and of the lists below that depend on it. `None` if nothing is said of it.
    pub(super) fn of(
        list: &ListSize,
        schema: &Schema,
        definition: &FieldDefinition,
        arguments: &[Node<Argument>],
        place: &str,
        otherwise: u64,
    ) -> Self {
        let sources = list
            .slicing
            .iter()
            .map(|path| Source::of(path, schema, definition, arguments));
        Self {
            sources: sources.collect(),
            otherwise: list.assumed.unwrap_or(otherwise),
            require_one: (list.require_one && !list.slicing.is_empty()).then(|| place.to_owned()),
        }
    }

    /// Whether no variable changes it.
    pub(super) fn is_known(&self) -> bool {
        self.sources
            .iter()
            .all(|source| matches!(source, Source::Known(_)))
    }

    /// The size: the greatest of what the slicing arguments say. And what is wrong with them.
    pub(super) fn size(&self, variables: &Map<String, Value>) -> (u64, Option<String>) {
        let (mut greatest, mut said) = (None, 0);
        for size in self.sources.iter().filter_map(|source| source.size(variables)) {
            greatest = greatest.max(Some(size));
            said += 1;
        }
        let fault = self.require_one.as_ref().filter(|_| said != 1);
        let fault =
            fault.map(|place| format!("{place} takes exactly one argument that limits it, and has {said}"));
        (greatest.unwrap_or(self.otherwise), fault)
    }
}

impl Source {
    fn of(
        path: &[Box<str>],
        schema: &Schema,
        definition: &FieldDefinition,
        arguments: &[Node<Argument>],
    ) -> Self {
        let Some((argument, rest)) = path.split_first() else {
            return Self::Known(None);
        };
        let Some(declared) = definition.argument_by_name(argument) else {
            return Self::Known(None);
        };
        let given = arguments.iter().find(|given| given.name == **argument);
        Self::at(given.map(|given| &*given.value), declared, rest, schema)
    }

    /// What stands at the end of `path` in a value of `declared`.
    fn at(
        given: Option<&Literal>,
        declared: &InputValueDefinition,
        path: &[Box<str>],
        schema: &Schema,
    ) -> Self {
        let field = |name: &str| match schema.types.get(declared.ty.inner_named_type()) {
            Some(ExtendedType::InputObject(input)) => input.fields.get(name),
            _ => None,
        };
        match given {
            Some(Literal::Variable(name)) => {
                let default = match Self::at(None, declared, path, schema) {
                    Self::Known(default) => default,
                    Self::Variable { .. } => None,
                };
                Self::Variable {
                    name: name.as_str().into(),
                    path: path.to_vec(),
                    default,
                }
            }
            Some(value) => match (path.split_first(), value) {
                (None, value) => Self::Known(literal_size(value)),
                (Some((step, rest)), Literal::Object(fields)) => {
                    let given = fields.iter().find(|(name, _)| *name == **step);
                    let inner = field(step)
                        .map(|declared| Self::at(given.map(|(_, value)| &**value), declared, rest, schema));
                    inner.unwrap_or(Self::Known(None))
                }
                _ => Self::Known(None),
            },
            None => match (&declared.default_value, path.split_first()) {
                (Some(default), _) => Self::at(Some(default), declared, path, schema),
                // A default further down holds for an object that is there without the field.
                (None, Some((step, rest))) => {
                    let inner = field(step).map(|declared| Self::at(None, declared, rest, schema));
                    inner.unwrap_or(Self::Known(None))
                }
                (None, None) => Self::Known(None),
            },
        }
    }

    fn size(&self, variables: &Map<String, Value>) -> Option<u64> {
        match self {
            Self::Known(size) => *size,
            Self::Variable { name, path, default } => {
                let mut value = variables.get(&**name);
                for step in path {
                    match value {
                        Some(Value::Object(object)) => value = object.get(&**step),
                        Some(_) => return None,
                        None => break,
                    }
                }
                value.map_or(*default, value_size)
            }
        }
    }
}

impl Scored {
    /// What the arguments of a field cost.
    pub(super) fn of(
        weights: &Arc<Weights>,
        facts: Option<&FieldFacts>,
        definition: &FieldDefinition,
        arguments: &[Node<Argument>],
    ) -> Self {
        let mut scored = Self {
            weights: weights.clone(),
            ..Self::default()
        };
        for argument in arguments {
            let Some(declared) = definition.argument_by_name(&argument.name) else {
                continue;
            };
            let ty = declared.ty.inner_named_type();
            let own = facts.and_then(|facts| facts.arguments.get(&argument.name).copied());
            scored.literal(&argument.value, ty, own);
        }
        scored
    }

    /// The score, if no variable changes it.
    pub(super) fn known(&self) -> Option<u64> {
        self.variables.is_empty().then_some(self.known)
    }

    pub(super) fn score(&self, variables: &Map<String, Value>) -> u64 {
        let scores = self.variables.iter().filter_map(|scored| {
            let value = variables.get(&*scored.name)?;
            Some(self.weights.score(value, &scored.ty, scored.weight))
        });
        scores.fold(self.known, u64::saturating_add)
    }

    fn literal(&mut self, value: &Literal, ty: &str, own: Option<u64>) {
        let weights = self.weights.clone();
        match (value, weights.of_input(ty)) {
            (Literal::Variable(name), _) => {
                let scalar_is_free = weights.of_input(ty).is_none() && weights.leaf(ty, own) == 0;
                if !scalar_is_free {
                    self.variables.push(ScoredVariable {
                        name: name.as_str().into(),
                        ty: ty.into(),
                        weight: own,
                    });
                }
            }
            (Literal::List(items), _) => {
                self.add(own.or(weights.of_type(ty)).unwrap_or(0));
                for item in items {
                    self.literal(item, ty, own);
                }
            }
            (Literal::Object(fields), Some(facts)) => {
                self.add(weights.object(ty, own));
                for (name, value) in fields {
                    if let Some(facts) = facts.get(name) {
                        self.literal(value, &facts.ty, facts.weight);
                    }
                }
            }
            (Literal::Null, _) => {}
            _ => self.add(weights.leaf(ty, own)),
        }
    }

    fn add(&mut self, cost: u64) {
        self.known = self.known.saturating_add(cost);
    }
}

impl Weights {
    fn leaf(&self, ty: &str, own: Option<u64>) -> u64 {
        own.or(self.of_type(ty)).unwrap_or(0)
    }

    fn object(&self, ty: &str, own: Option<u64>) -> u64 {
        own.or(self.of_type(ty)).unwrap_or(1)
    }

    /// What a value of an input type costs; coercion has bounded its depth.
    fn score(&self, value: &Value, ty: &str, own: Option<u64>) -> u64 {
        match (value, self.of_input(ty)) {
            (Value::Null, _) => 0,
            (Value::Array(items), _) => {
                let items = items.iter().map(|item| self.score(item, ty, own));
                items.fold(self.leaf(ty, own), u64::saturating_add)
            }
            (Value::Object(fields), Some(facts)) => {
                let fields = fields.iter().filter_map(|(name, value)| {
                    let facts = facts.get(name.as_str())?;
                    Some(self.score(value, &facts.ty, facts.weight))
                });
                fields.fold(self.object(ty, own), u64::saturating_add)
            }
            _ => self.leaf(ty, own),
        }
    }
}

/// How long a list is whose slicing argument has that value: a number, or a list with something for each item.
fn value_size(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => match number.as_u64() {
            Some(size) => Some(size),
            // Negative numbers count as 0; a cast of a float saturates.
            None => number.as_f64().map(|size| size as u64),
        },
        Value::Array(items) => Some(items.len() as u64),
        _ => None,
    }
}

fn literal_size(value: &Literal) -> Option<u64> {
    match value {
        Literal::List(items) => Some(items.len() as u64),
        value => value_size(&variables::literal(value)),
    }
}

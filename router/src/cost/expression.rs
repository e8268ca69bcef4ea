//! The cost of an operation as an expression over its variables: made once, evaluated for each request without a look at
//! the schema.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::inputs::{Scored, Sizing};

/// What an operation costs, as far as it depends on variables.
#[derive(Debug)]
pub(crate) struct Cost {
    /// What it costs beside its fields.
    pub(super) base: u64,
    /// Selection sets; each comes after those within it, and the last one is the root.
    pub(super) sets: Vec<CostSet>,
    /// What only variables say.
    pub(super) unknowns: Vec<Unknown>,
    /// What is wrong with the operation whatever the variables are.
    pub(super) fault: Option<String>,
    /// The cost, where no variable changes it.
    pub(super) constant: Option<u64>,
}

/// What is selected of a composite type, by the types that its objects may have.
#[derive(Debug, PartialEq)]
pub(super) struct CostSet {
    pub(super) variants: Vec<Vec<CostField>>,
}

/// A field that costs something, or below which something does.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CostField {
    /// Its response key.
    pub(super) key: Arc<str>,
    /// What each value of it costs.
    pub(super) weight: u64,
    /// What its arguments cost, once.
    pub(super) arguments: Amount,
    /// How many values it has.
    pub(super) size: Amount,
    /// What is selected of each value.
    pub(super) set: Option<usize>,
}

/// A number, known or still to be found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Amount {
    Known(u64),
    /// The unknown of that number.
    Unknown(usize),
}

/// A number that depends on variables.
#[derive(Debug)]
pub(super) enum Unknown {
    /// How long a list is.
    Size(Sizing),
    /// What the arguments of a field cost.
    Arguments(Scored),
}

/// The cost of an operation with the variables of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Priced {
    /// What it costs if every list is as long as it may be.
    pub(crate) estimate: u64,
    /// Why the schema does not permit it: a list that must be sliced is not, or in several ways.
    pub(crate) fault: Option<String>,
    pub(super) unknowns: Vec<u64>,
}

impl Cost {
    /// What the operation costs with these variables, which are coerced.
    pub(crate) fn price(&self, variables: &Map<String, Value>) -> Priced {
        if let Some(estimate) = self.constant {
            return Priced {
                estimate,
                fault: self.fault.clone(),
                unknowns: Vec::new(),
            };
        }
        let mut fault = self.fault.clone();
        let value = |unknown: &Unknown| match unknown {
            Unknown::Arguments(scored) => scored.score(variables),
            Unknown::Size(sizing) => {
                let (size, wrong) = sizing.size(variables);
                fault = fault.take().or(wrong);
                size
            }
        };
        let unknowns: Vec<u64> = self.unknowns.iter().map(value).collect();
        Priced {
            estimate: self.evaluate(&unknowns),
            fault,
            unknowns,
        }
    }

    pub(super) fn evaluate(&self, unknowns: &[u64]) -> u64 {
        let mut costs = Vec::with_capacity(self.sets.len());
        for set in &self.sets {
            let variants = set.variants.iter().map(|fields| {
                let fields = fields.iter().map(|field| {
                    let inner = field.set.and_then(|set| costs.get(set)).copied().unwrap_or(0);
                    let each = field.weight.saturating_add(inner);
                    let all = each.saturating_mul(field.size.value(unknowns));
                    all.saturating_add(field.arguments.value(unknowns))
                });
                fields.fold(0_u64, u64::saturating_add)
            });
            // An object is of one type: the costliest.
            costs.push(variants.max().unwrap_or(0));
        }
        self.base.saturating_add(costs.last().copied().unwrap_or(0))
    }
}

impl Amount {
    pub(super) fn value(self, unknowns: &[u64]) -> u64 {
        match self {
            Self::Known(value) => value,
            Self::Unknown(number) => unknowns.get(number).copied().unwrap_or(0),
        }
    }
}

//! Which documents are meant, and in which order.

use crate::document::Order;

/// A value that is compared with a field: what kernel's sort keys are made of.
pub type Value = kernel::Key;

/// A condition on a document.
///
/// Fields are named by path (`"frequency.type"`), through objects only. Comparisons with [`Value::Null`]
/// treat null as absent and as smaller than everything else; comparisons with another value hold for no
/// absent field. All but [`Filter::Contains`] are for fields that hold a single value.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// The field has this value; for null: is null or absent.
    Eq(String, Value),
    /// The field has one of these values.
    In(String, Vec<Value>),
    /// The field is smaller.
    Lt(String, Value),
    /// The field is smaller or equal.
    Lte(String, Value),
    /// The field is greater.
    Gt(String, Value),
    /// The field is greater or equal.
    Gte(String, Value),
    /// The field is a list that has this value in it.
    Contains(String, Value),
    /// Every one holds.
    And(Vec<Filter>),
    /// At least one holds.
    Or(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
}

/// Which documents of a collection, in which order, and how many. `_id` always is the last sort key, in the
/// order of the sort key before it.
///
/// There is no skipping: [`Collection::page`](crate::Collection::page) goes on from where a page ended.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    pub(crate) filters: Vec<Filter>,
    pub(crate) sort: Vec<(String, Order)>,
    pub(crate) limit: Option<usize>,
}

impl Query {
    /// Every document.
    pub fn all() -> Self {
        Self::default()
    }

    /// Only where the field has this value; for null: is null or absent.
    pub fn eq(self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.filter(Filter::Eq(field.into(), value.into()))
    }

    /// Only where the field has one of these values.
    pub fn is_in(self, field: impl Into<String>, values: impl IntoIterator<Item = impl Into<Value>>) -> Self {
        self.filter(Filter::In(
            field.into(),
            values.into_iter().map(Into::into).collect(),
        ))
    }

    /// Only where the field is smaller.
    pub fn lt(self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.filter(Filter::Lt(field.into(), value.into()))
    }

    /// Only where the field is smaller or equal.
    pub fn lte(self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.filter(Filter::Lte(field.into(), value.into()))
    }

    /// Only where the field is greater.
    pub fn gt(self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.filter(Filter::Gt(field.into(), value.into()))
    }

    /// Only where the field is greater or equal.
    pub fn gte(self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.filter(Filter::Gte(field.into(), value.into()))
    }

    /// Only where the field is a list that has this value in it.
    pub fn contains(self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.filter(Filter::Contains(field.into(), value.into()))
    }

    /// Only where this holds too.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// Sorted by this field, after the fields named before.
    pub fn sort(mut self, field: impl Into<String>, order: Order) -> Self {
        self.sort.push((field.into(), order));
        self
    }

    /// At most this many. Pages have their own limit.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }
}

//! Whether an answer is one to its operation, by the GraphQL specification (§6.4): the fields that were selected, with values
//! of their types, and null nowhere where none may be.

use router::apollo_compiler::Schema;
use router::apollo_compiler::ast::Type;
use router::apollo_compiler::executable::{ExecutableDocument, Field, Operation, Selection, SelectionSet};
use router::apollo_compiler::schema::ExtendedType;
use serde_json::{Map, Value};

/// An operation without `@skip` and `@include`, and the schema that it is asked of.
pub(crate) struct Shape<'s> {
    pub(crate) schema: &'s Schema,
    pub(crate) document: &'s ExecutableDocument,
}

impl Shape<'_> {
    /// What is wrong about the `data` of an answer.
    pub(crate) fn fault(&self, operation: &Operation, data: &Value) -> Option<String> {
        match data {
            Value::Null => None,
            Value::Object(fields) => {
                self.object(&operation.selection_set, fields, operation.object_type().as_str())
            }
            other => Some(format!("the data is {other}")),
        }
    }

    fn object(&self, set: &SelectionSet, fields: &Map<String, Value>, type_name: &str) -> Option<String> {
        let mut asked: Vec<(&str, Vec<&Field>)> = Vec::new();
        self.collect(set, type_name, &mut asked);
        let unasked = fields
            .keys()
            .find(|key| !asked.iter().any(|(asked, _)| *asked == key.as_str()));
        if let Some(key) = unasked {
            return Some(format!("`{key}` was not asked for"));
        }
        asked.iter().find_map(|(key, same)| {
            let Some(value) = fields.get(*key) else {
                return Some(format!("`{key}` is missing"));
            };
            let fault = self.value(same, same.first()?.ty(), value);
            fault.map(|fault| format!("{key}: {fault}"))
        })
    }

    /// The fields of an object of that type by response key.
    fn collect<'d>(
        &'d self,
        set: &'d SelectionSet,
        type_name: &str,
        asked: &mut Vec<(&'d str, Vec<&'d Field>)>,
    ) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    let key = field.response_key().as_str();
                    match asked.iter_mut().find(|(asked, _)| *asked == key) {
                        Some((_, same)) => same.push(field),
                        None => asked.push((key, vec![field])),
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.type_condition.as_ref();
                    if condition.is_none_or(|condition| self.is_of(type_name, condition)) {
                        self.collect(&fragment.selection_set, type_name, asked);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.fragment_name)
                        && self.is_of(type_name, fragment.type_condition())
                    {
                        self.collect(&fragment.selection_set, type_name, asked);
                    }
                }
            }
        }
    }

    fn is_of(&self, type_name: &str, condition: &str) -> bool {
        type_name == condition || self.schema.is_subtype(condition, type_name)
    }

    fn value(&self, same: &[&Field], ty: &Type, value: &Value) -> Option<String> {
        if value.is_null() {
            return ty.is_non_null().then(|| "null where none may be".to_owned());
        }
        if ty.is_list() {
            let Value::Array(items) = value else {
                return Some(format!("{value} is no list"));
            };
            return items
                .iter()
                .find_map(|item| self.value(same, ty.item_type(), item));
        }
        let name = ty.inner_named_type();
        let fits = match (name.as_str(), self.schema.types.get(name)?) {
            ("Int", _) => value
                .as_f64()
                .is_some_and(|it| it.fract() == 0.0 && it.abs() < 2_147_483_649.0),
            ("Float", _) => value.is_number(),
            ("Boolean", _) => value.is_boolean(),
            ("String" | "ID", _) => value.is_string(),
            (_, ExtendedType::Scalar(_)) => true,
            (_, ExtendedType::Enum(definition)) => value
                .as_str()
                .is_some_and(|value| definition.values.contains_key(value)),
            (_, definition) => return self.composite(same, definition, value),
        };
        (!fits).then(|| format!("{value} is no {name}"))
    }

    fn composite(&self, same: &[&Field], definition: &ExtendedType, value: &Value) -> Option<String> {
        let Value::Object(fields) = value else {
            return Some(format!("{value} is no object"));
        };
        let mut sets = SelectionSet::new(definition.name().clone());
        let selections = same.iter().flat_map(|field| &field.selection_set.selections);
        sets.selections.extend(selections.cloned());
        if definition.is_object() {
            return self.object(&sets, fields, definition.name());
        }
        // A subgraph that does not tell an object's type gets the fields of none.
        self.object(&sets, fields, definition.name())?;
        // An object whose type the answer does not tell is one of those that it may be.
        let objects = self
            .schema
            .types
            .iter()
            .filter(|(name, other)| other.is_object() && self.schema.is_subtype(definition.name(), name));
        let mut fault = None;
        for (name, _) in objects {
            let told = fields.get("__typename").and_then(Value::as_str);
            if told.is_some_and(|told| told != name.as_str() && sets.fields().any(is_typename)) {
                continue;
            }
            fault = self.object(&sets, fields, name);
            fault.as_ref()?;
        }
        fault.or_else(|| Some(format!("{value} is of no known type")))
    }
}

fn is_typename(field: &router::apollo_compiler::Node<Field>) -> bool {
    field.alias.is_none() && field.name == "__typename"
}

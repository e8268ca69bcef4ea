//! Where an operation's variables go: which argument each is given to, and what the schema says about it.

use std::collections::HashMap;

use apollo_compiler::ast::{InputValueDefinition, Type, Value};
use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet};
use apollo_compiler::{ExecutableDocument, Node, Schema};

/// The first place that a variable is given to.
#[derive(Debug, Clone)]
pub(super) struct Usage {
    /// From the field's arguments on: `["input", "title"]`.
    pub(super) path: Vec<String>,
    /// Whether the field is the operation's root field.
    pub(super) at_root: bool,
    /// The argument or input field.
    pub(super) definition: Node<InputValueDefinition>,
}

/// The first use of every variable, root field first.
pub(super) fn usages(
    schema: &Schema,
    document: &ExecutableDocument,
    operation: &Operation,
) -> HashMap<String, Usage> {
    let mut walk = Walk {
        schema,
        document,
        found: HashMap::new(),
        fragments: Vec::new(),
    };
    walk.selections(&operation.selection_set, true);
    walk.found
}

struct Walk<'d> {
    schema: &'d Schema,
    document: &'d ExecutableDocument,
    found: HashMap<String, Usage>,
    fragments: Vec<&'d str>,
}

impl<'d> Walk<'d> {
    fn selections(&mut self, set: &'d SelectionSet, at_root: bool) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    self.field(field, at_root);
                    self.selections(&field.selection_set, false);
                }
                Selection::InlineFragment(inline) => self.selections(&inline.selection_set, at_root),
                Selection::FragmentSpread(spread) => {
                    let name = spread.fragment_name.as_str();
                    if self.fragments.contains(&name) {
                        continue;
                    }
                    self.fragments.push(name);
                    if let Some(fragment) = self.document.fragments.get(name) {
                        self.selections(&fragment.selection_set, at_root);
                    }
                }
            }
        }
    }

    fn field(&mut self, field: &Field, at_root: bool) {
        for argument in &field.arguments {
            if let Some(definition) = field.definition.argument_by_name(&argument.name) {
                let path = vec![argument.name.to_string()];
                self.value(&argument.value, definition, path, at_root);
            }
        }
    }

    fn value(
        &mut self,
        value: &Value,
        definition: &Node<InputValueDefinition>,
        path: Vec<String>,
        at_root: bool,
    ) {
        match value {
            Value::Variable(name) => {
                let usage = Usage {
                    path,
                    at_root,
                    definition: definition.clone(),
                };
                self.found.entry(name.to_string()).or_insert(usage);
            }
            Value::List(values) => {
                for value in values {
                    self.value(value, definition, path.clone(), at_root);
                }
            }
            Value::Object(fields) => {
                let schema = self.schema;
                let object = schema.get_input_object(inner(&definition.ty));
                for (name, value) in fields {
                    if let Some(field) = object.and_then(|object| object.fields.get(name)) {
                        let mut path = path.clone();
                        path.push(name.to_string());
                        self.value(value, &field.node, path, at_root);
                    }
                }
            }
            _ => {}
        }
    }
}

fn inner(ty: &Type) -> &str {
    ty.inner_named_type().as_str()
}

//! What of an operation goes to the planner.

use apollo_compiler::ast::{DirectiveList, OperationType};
use apollo_compiler::executable::{
    ExecutableDocument, Field, InlineFragment, Operation, Selection, SelectionSet,
};
use apollo_compiler::{Name, Node, name};

use crate::execution::data::asked_as;
use crate::schema::TypeTable;
use crate::selection::{Case, fragment_number};

/// The operation's selections as the planner gets them: without introspection and without what its case leaves out,
/// with its fragments in their places. Fragments with a number keep it.
pub(super) fn selections(
    document: &ExecutableDocument,
    operation: &Operation,
    case: &Case,
    types: &TypeTable,
) -> SelectionSet {
    let trimmer = Trimmer {
        document,
        case,
        types,
    };
    trimmer.set(&operation.selection_set, true)
}

/// The text of an operation of its own that selects this of the root, with the other operation's variables. `None` if
/// nothing is selected.
pub(super) fn text(
    operation: &Operation,
    operation_type: OperationType,
    selection_set: SelectionSet,
) -> Option<String> {
    if selection_set.selections.is_empty() {
        return None;
    }
    let mut trimmed = ExecutableDocument::new();
    trimmed.operations.insert(Operation {
        operation_type,
        name: None,
        directives: Default::default(),
        selection_set,
        ..operation.clone()
    });
    Some(trimmed.serialize().no_indent().to_string())
}

struct Trimmer<'d> {
    document: &'d ExecutableDocument,
    case: &'d Case,
    types: &'d TypeTable,
}

impl Trimmer<'_> {
    fn set(&self, set: &SelectionSet, is_root: bool) -> SelectionSet {
        let mut trimmed = SelectionSet::new(set.ty.clone());
        for selection in &set.selections {
            if !self.case.includes(selection.directives()) {
                continue;
            }
            match selection {
                Selection::Field(field) => {
                    let is_own =
                        self.case.is_own(&set.ty, &field.name) || (is_root && field.name == "__typename");
                    if is_own
                        || self
                            .case
                            .denied
                            .contains_key(&(set.ty.clone(), field.name.clone()))
                    {
                        continue;
                    }
                    trimmed.push(self.field(field));
                }
                Selection::InlineFragment(fragment) => {
                    let selection_set = self.set(&fragment.selection_set, is_root);
                    if !selection_set.selections.is_empty() {
                        let number = fragment_number(&fragment.directives);
                        trimmed.push(InlineFragment {
                            type_condition: fragment.type_condition.clone(),
                            directives: match number {
                                Some(_) => fragment.directives.clone(),
                                None => DirectiveList::default(),
                            },
                            selection_set,
                        });
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.fragment_name);
                    let inner = fragment.map(|fragment| self.set(&fragment.selection_set, is_root));
                    if let Some(selection_set) = inner.filter(|inner| !inner.selections.is_empty()) {
                        trimmed.push(InlineFragment {
                            type_condition: Some(selection_set.ty.clone()),
                            directives: Default::default(),
                            selection_set,
                        });
                    }
                }
            }
        }
        // A subgraph that knows the interface as an object does not know what the fragments ask for.
        let has_fragments = || {
            trimmed
                .selections
                .iter()
                .any(|it| it.as_inline_fragment().is_some())
        };
        if self.types.is_interface_object(&set.ty) && has_fragments() {
            trimmed.push(type_name_field());
        }
        trimmed
    }

    fn field(&self, field: &Field) -> Field {
        let mut field = field.clone();
        field.directives = Default::default();
        let asked = asked_as(&field.name, field.alias.as_deref(), !field.arguments.is_empty());
        // `__typename` is the same under every name, and needed under its own.
        let asked = asked.filter(|_| field.name != "__typename");
        field.alias = asked.and_then(|asked| Name::try_from(asked).ok());
        if !field.selection_set.selections.is_empty() {
            field.selection_set = self.set(&field.selection_set, false);
            keep_object(&mut field.selection_set);
        }
        field
    }
}

/// An object of which nothing is left to ask is still there, or null: its type name tells.
pub(super) fn keep_object(set: &mut SelectionSet) {
    if set.selections.is_empty() {
        set.push(type_name_field());
    }
}

fn type_name_field() -> Field {
    bare_field(name!("__typename"))
}

/// A field of which only the name counts.
pub(super) fn bare_field(name: Name) -> Field {
    let definition = apollo_compiler::schema::FieldDefinition {
        description: None,
        name: name.clone(),
        arguments: Vec::new(),
        ty: apollo_compiler::ty!(_Any),
        directives: Default::default(),
    };
    Field {
        definition: Node::new(definition),
        alias: None,
        name,
        arguments: Vec::new(),
        directives: Default::default(),
        selection_set: SelectionSet::new(name!("_Any")),
    }
}

//! What of a schema an operation uses.

mod differing;

use std::collections::HashSet;

use apollo_compiler::ast::{Argument, Directive, DirectiveList, InputValueDefinition, Type, Value};
use apollo_compiler::executable::{ExecutableDocument, Field, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema};

use super::place::Place;
use super::{Change, ChangeCode as Code};
use differing::Differing;

/// What an operation uses.
#[derive(Debug, Default)]
pub(super) struct Usage {
    roots: HashSet<Name>,
    /// Types of what is selected, and the conditions of fragments.
    selected: HashSet<Name>,
    /// Types that variables may bring values of, however deep. No validation sees those values.
    open: HashSet<Name>,
    /// Types of values that the operation itself writes.
    written: HashSet<Name>,
    /// Types of values that it writes with another number of fields than one.
    loose: HashSet<Name>,
    /// Fields, arguments and directives.
    places: HashSet<Place>,
    /// Fields whose answers clients may have to read differently now, and types with such fields. Where an operation is not
    /// valid any more, all of them.
    differ: Option<Differing>,
}

impl Usage {
    /// Of a document that is valid in the old schema, and maybe in the new one, too.
    pub(super) fn of(
        schema: &Schema,
        document: &ExecutableDocument,
        after: Option<(&Schema, &ExecutableDocument)>,
    ) -> Self {
        let operations = || document.operations.iter();
        let variables = operations().flat_map(|operation| &operation.variables);
        let nullable = variables.filter(|variable| !variable.ty.is_non_null());
        let mut walk = Walk {
            schema,
            document,
            usage: Self::default(),
            fragments: HashSet::new(),
            nullable: nullable.map(|variable| &variable.name).collect(),
        };
        for operation in operations() {
            walk.usage.roots.insert(operation.object_type().clone());
            walk.directives(&operation.directives);
            for variable in &operation.variables {
                walk.directives(&variable.directives);
                walk.open(variable.ty.inner_named_type());
                if let Some(default) = &variable.default_value {
                    walk.value(&variable.ty, default);
                }
            }
            walk.selections(&operation.selection_set);
        }
        let mut usage = walk.usage;
        usage.differ = after.map(|(new, after)| Differing::between((schema, document), (new, after)));
        usage
    }

    fn field_differs(&self, place: &Place) -> bool {
        self.differ
            .as_ref()
            .is_none_or(|differ| differ.fields.contains(place))
    }

    fn type_differs(&self, name: &Name) -> bool {
        self.differ
            .as_ref()
            .is_none_or(|differ| differ.types.contains(name))
    }

    /// Whether a change concerns the operation. `broken` says that it is not valid any more: what validation decides
    /// (arguments, directives, written values) is used only then, the rest wherever the operation meets it.
    pub(super) fn meets(&self, change: &Change, broken: bool) -> bool {
        let place = &change.place;
        let owner = place.owner();
        let input = || self.open.contains(owner) || broken && self.written.contains(owner);
        let around = || self.places.contains(&place.without_argument());
        let selected = |name: &Name| self.selected.contains(name);
        match change.code {
            Code::RootTypeChanged | Code::RootTypeRemoved => self.roots.contains(owner),
            Code::TypeChangedKind | Code::ValueRemovedFromEnum => selected(owner) || input(),
            // Who does not name it does not see that it has another name.
            Code::TypeRemoved => selected(owner) && self.type_differs(owner) || input(),
            Code::TypeRemovedFromUnion | Code::ImplementedInterfaceRemoved => {
                selected(owner) && change.other.as_ref().is_some_and(selected)
            }
            Code::FieldChangedKind => self.places.contains(place) && self.field_differs(place) || input(),
            Code::FieldRemoved => self.places.contains(place) || input(),
            Code::InputFieldBecameRequired | Code::RequiredInputFieldAdded => input(),
            Code::ArgRemoved | Code::DirectiveArgRemoved => broken && self.places.contains(place),
            Code::ArgBecameRequired
            | Code::ArgChangedKind
            | Code::DirectiveArgBecameRequired
            | Code::DirectiveArgChangedKind
            | Code::DirectiveLocationRemoved
            | Code::DirectiveRemoved
            | Code::DirectiveRepeatableRemoved
            | Code::RequiredArgAdded
            | Code::RequiredDirectiveArgAdded => broken && around(),
            Code::ArgDefaultValueChange | Code::DirectiveArgDefaultValueChange | Code::OptionalArgAdded => {
                around()
            }
            Code::ImplementedInterfaceAdded => change.other.as_ref().is_some_and(selected),
            // Validation does not know `@oneOf`.
            Code::InputBecameOneOf => self.open.contains(owner) || self.loose.contains(owner),
            Code::InputFieldDefaultValueChange | Code::OptionalInputFieldAdded => {
                self.open.contains(owner) || self.written.contains(owner)
            }
            Code::TypeAddedToUnion | Code::ValueAddedToEnum => selected(owner),
            // Safe changes concern nobody.
            _ => false,
        }
    }
}

struct Walk<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    usage: Usage,
    fragments: HashSet<&'a Name>,
    /// The variables that may be null.
    nullable: HashSet<&'a Name>,
}

impl<'a> Walk<'a> {
    fn selections(&mut self, set: &'a SelectionSet) {
        self.usage.selected.insert(set.ty.clone());
        for selection in &set.selections {
            self.directives(selection.directives());
            match selection {
                Selection::Field(field) => self.field(&set.ty, field),
                Selection::InlineFragment(inline) => self.selections(&inline.selection_set),
                Selection::FragmentSpread(spread) => {
                    if self.fragments.insert(&spread.fragment_name)
                        && let Some(fragment) = self.document.fragments.get(&spread.fragment_name)
                    {
                        self.directives(&fragment.directives);
                        self.selections(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn field(&mut self, owner: &Name, field: &'a Field) {
        let place = Place::Member(owner.clone(), field.name.clone());
        self.usage.places.insert(place);
        self.usage.selected.insert(field.ty().inner_named_type().clone());
        for argument in &field.arguments {
            let place = Place::Argument(owner.clone(), field.name.clone(), argument.name.clone());
            self.usage.places.insert(place);
        }
        self.arguments(&field.definition.arguments, &field.arguments);
        if !field.selection_set.selections.is_empty() {
            self.selections(&field.selection_set);
        }
    }

    fn directives(&mut self, directives: &DirectiveList) {
        for directive in directives.iter() {
            self.directive(directive);
        }
    }

    fn directive(&mut self, directive: &Directive) {
        let name = &directive.name;
        self.usage.places.insert(Place::Directive(name.clone()));
        for argument in &directive.arguments {
            let place = Place::DirectiveArgument(name.clone(), argument.name.clone());
            self.usage.places.insert(place);
        }
        if let Some(definition) = self.schema.directive_definitions.get(name) {
            self.arguments(&definition.arguments, &directive.arguments);
        }
    }

    fn arguments(&mut self, definitions: &[Node<InputValueDefinition>], arguments: &[Node<Argument>]) {
        for argument in arguments {
            let definition = definitions.iter().find(|one| one.name == argument.name);
            if let Some(definition) = definition {
                self.value(&definition.ty, &argument.value);
            }
        }
    }

    fn value(&mut self, ty: &Type, value: &Value) {
        if matches!(value, Value::Variable(_)) {
            return;
        }
        let name = ty.inner_named_type();
        self.usage.written.insert(name.clone());
        match value {
            Value::List(items) => {
                for item in items {
                    self.value(ty, item);
                }
            }
            Value::Object(fields) => {
                let is_one = match &fields[..] {
                    [(_, value)] => match &**value {
                        Value::Null => false,
                        Value::Variable(name) => !self.nullable.contains(name),
                        _ => true,
                    },
                    _ => false,
                };
                if !is_one {
                    self.usage.loose.insert(name.clone());
                }
                let Some(input) = self.schema.get_input_object(name) else {
                    return;
                };
                for (name, value) in fields {
                    if let Some(field) = input.fields.get(name) {
                        self.value(&field.ty, value);
                    }
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, name: &Name) {
        if !self.usage.open.insert(name.clone()) {
            return;
        }
        if let Some(ExtendedType::InputObject(input)) = self.schema.types.get(name) {
            for field in input.fields.values() {
                self.open(field.ty.inner_named_type());
            }
        }
    }
}

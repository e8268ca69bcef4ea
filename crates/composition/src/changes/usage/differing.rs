//! Whether clients read the same from the answers to an operation as before, where types have other names.

use std::collections::HashSet;

use apollo_compiler::executable::{ExecutableDocument, Field, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Schema};

use super::super::place::Place;

/// What clients may have to read differently.
#[derive(Debug, Default)]
pub(super) struct Differing {
    pub(super) fields: HashSet<Place>,
    /// Types by which something differs: their name is asked for, or a field of theirs is another one.
    pub(super) types: HashSet<Name>,
}

/// A document, valid in its schema.
pub(super) type In<'a> = (&'a Schema, &'a ExecutableDocument);

struct Walk<'a> {
    before: In<'a>,
    after: In<'a>,
    found: Differing,
    /// The fragments that were looked at, each for objects of which renamed type.
    seen: HashSet<(&'a Name, Option<&'a Name>)>,
}

impl Differing {
    /// The same document in both schemas.
    pub(super) fn between(before: In<'_>, after: In<'_>) -> Self {
        let mut walk = Walk {
            before,
            after,
            found: Self::default(),
            seen: HashSet::new(),
        };
        for (one, other) in before.1.operations.iter().zip(after.1.operations.iter()) {
            walk.selections(&one.selection_set, &other.selection_set, None);
        }
        walk.found
    }
}

impl<'a> Walk<'a> {
    /// `renamed` is the type of the objects, if it has another name now.
    fn selections(&mut self, before: &'a SelectionSet, after: &'a SelectionSet, renamed: Option<&'a Name>) {
        for (one, other) in before.selections.iter().zip(&after.selections) {
            match (one, other) {
                (Selection::Field(one), Selection::Field(other)) => {
                    if let Some(renamed) = renamed.filter(|_| one.name == "__typename") {
                        self.found.types.insert(renamed.clone());
                    }
                    self.field(&before.ty, one, &after.ty, other);
                    let (old, new) = (one.ty().inner_named_type(), other.ty().inner_named_type());
                    let renamed = (old != new).then_some(old);
                    self.selections(&one.selection_set, &other.selection_set, renamed);
                }
                (Selection::InlineFragment(one), Selection::InlineFragment(other)) => {
                    self.selections(&one.selection_set, &other.selection_set, renamed);
                }
                (Selection::FragmentSpread(spread), Selection::FragmentSpread(_)) => {
                    let name = &spread.fragment_name;
                    let both = (
                        self.before.1.fragments.get(name),
                        self.after.1.fragments.get(name),
                    );
                    if let (Some(one), Some(other)) = both
                        && self.seen.insert((name, renamed))
                    {
                        self.selections(&one.selection_set, &other.selection_set, renamed);
                    }
                }
                // A document has the same selections in all schemas in which it is valid.
                _ => {}
            }
        }
    }

    fn field(&mut self, owner: &Name, before: &Field, new_owner: &Name, after: &Field) {
        let reads_alike = self.reads_alike(before, after);
        if !reads_alike {
            let place = Place::Member(owner.clone(), before.name.clone());
            self.found.fields.insert(place);
            self.found.types.insert(before.ty().inner_named_type().clone());
        }
        // Fields of types with other names are nowhere else compared.
        let is_asked_alike = before.definition.arguments == after.definition.arguments;
        if owner != new_owner && !(reads_alike && is_asked_alike) {
            self.found.types.insert(owner.clone());
        }
    }

    /// Whether a field's value looks the same, but for the name of its type, which is not asked for here.
    fn reads_alike(&self, before: &Field, after: &Field) -> bool {
        let (old, new) = (before.ty(), after.ty());
        let (old_name, new_name) = (old.inner_named_type(), new.inner_named_type());
        if old_name == new_name {
            return new.is_assignable_to(old);
        }
        let renamed = with_name(new, old_name);
        self.is_renamed(old_name, new_name) && renamed.is_assignable_to(old)
    }

    /// Whether a type is gone, and another one new, of which fields can be asked.
    fn is_renamed(&self, old: &Name, new: &Name) -> bool {
        use ExtendedType as T;
        let (before, after) = (&self.before.0.types, &self.after.0.types);
        let is_same_kind = matches!(
            (before.get(old), after.get(new)),
            (Some(T::Object(_)), Some(T::Object(_)))
                | (Some(T::Interface(_)), Some(T::Interface(_)))
                | (Some(T::Union(_)), Some(T::Union(_)))
        );
        is_same_kind && !after.contains_key(old) && !before.contains_key(new)
    }
}

fn with_name(ty: &apollo_compiler::ast::Type, name: &Name) -> apollo_compiler::ast::Type {
    use apollo_compiler::ast::Type;
    match ty {
        Type::Named(_) => Type::Named(name.clone()),
        Type::NonNullNamed(_) => Type::NonNullNamed(name.clone()),
        Type::List(inner) => Type::List(Box::new(with_name(inner, name))),
        Type::NonNullList(inner) => Type::NonNullList(Box::new(with_name(inner, name))),
    }
}

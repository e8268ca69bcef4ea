//! The shape of what a subgraph was asked for: which names its answer holds, and which of them have fields.

use std::collections::HashSet;

use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::SelectionSet;

use super::data::{Key, Keys};

/// The fields of an object, whatever its type: all fragments are put together.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct DecodeSet {
    /// Which of the answer's sets it is.
    pub(crate) number: u32,
    /// Whether every field has a key of its own.
    pub(crate) keys_differ: bool,
    /// In the order of the question.
    pub(crate) fields: Vec<DecodeField>,
}

/// One field of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DecodeField {
    /// The name in the subgraph's answer.
    pub(crate) name: Box<str>,
    /// The same as JSON, with a colon.
    pub(crate) prefix: Box<[u8]>,
    /// The key in ours.
    pub(crate) key: Key,
    /// The fields behind it; a leaf has none.
    pub(crate) set: Option<DecodeSet>,
}

impl DecodeField {
    /// A field.
    pub(crate) fn new(name: &str, key: Key, set: Option<DecodeSet>) -> Self {
        Self {
            name: name.into(),
            prefix: format!("\"{name}\":").into_bytes().into(),
            key,
            set,
        }
    }
}

/// An answer's field that has another name in ours: names from the top down, and the new last one.
pub(crate) struct Rename {
    /// Where, by the names of the answer.
    pub(crate) path: Vec<String>,
    /// What it is called in ours.
    pub(crate) to: String,
}

/// Named fragments of a subgraph operation.
pub(crate) type Fragments<'a> = dyn Fn(&str) -> Option<&'a SelectionSet> + 'a;

impl DecodeSet {
    /// The shape of a selection set.
    pub(crate) fn of<'a>(
        selections: &'a SelectionSet,
        fragments: &Fragments<'a>,
        renames: &[Rename],
        keys: &mut Keys,
    ) -> Self {
        let mut set = Self::default();
        set.extend(
            selections,
            fragments,
            &renames.iter().map(|r| (r, 0)).collect::<Vec<_>>(),
            keys,
        );
        set.finish(&mut 0);
        set
    }

    fn finish(&mut self, next: &mut u32) {
        self.number = *next;
        *next += 1;
        let keys: HashSet<Key> = self.fields.iter().map(|field| field.key).collect();
        self.keys_differ = keys.len() == self.fields.len();
        for set in self.fields.iter_mut().filter_map(|field| field.set.as_mut()) {
            set.finish(next);
        }
    }

    /// The field of that name in the subgraph's answer.
    pub(crate) fn field(&self, name: &str) -> Option<&DecodeField> {
        self.fields.iter().find(|field| &*field.name == name)
    }

    fn extend<'a>(
        &mut self,
        selections: &'a SelectionSet,
        fragments: &Fragments<'a>,
        renames: &[(&Rename, usize)],
        keys: &mut Keys,
    ) {
        for item in &selections.items {
            match item {
                SelectionItem::Field(field) => {
                    let name = field.selection_identifier();
                    let here: Vec<_> = renames
                        .iter()
                        .filter(|(rename, depth)| rename.path.get(*depth).is_some_and(|step| step == name))
                        .map(|(rename, depth)| (*rename, depth + 1))
                        .collect();
                    let renamed = here.iter().find(|(rename, depth)| rename.path.len() == *depth);
                    let key = keys.intern(renamed.map_or(name, |(rename, _)| &rename.to));
                    let position = self.fields.iter().position(|known| &*known.name == name);
                    let position = position.unwrap_or_else(|| {
                        self.fields.push(DecodeField::new(name, key, None));
                        self.fields.len() - 1
                    });
                    if let Some(known) = self
                        .fields
                        .get_mut(position)
                        .filter(|_| !field.selections.items.is_empty())
                    {
                        let set = known.set.get_or_insert_default();
                        set.extend(&field.selections, fragments, &here, keys);
                    }
                }
                SelectionItem::InlineFragment(fragment) => {
                    self.extend(&fragment.selections, fragments, renames, keys);
                }
                SelectionItem::FragmentSpread(name) => {
                    if let Some(fragment) = fragments(name) {
                        self.extend(fragment, fragments, renames, keys);
                    }
                }
            }
        }
    }
}

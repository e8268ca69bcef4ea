//! What a document may be at most: depth, aliases, root fields and fields altogether, fragments followed.
//!
//! Fragments that spread fragments can stand for far more fields than the text has tokens, so every fragment is
//! counted once and its figures are added wherever it is spread.

use std::collections::HashMap;

use apollo_compiler::Name;
use apollo_compiler::executable::{ExecutableDocument, Operation, Selection, SelectionSet};
use kernel::ErrorCode;

use crate::config::Limits;
use crate::error::GraphQlError;

/// Refuses an operation that is larger than allowed. The document must be free of fragment cycles.
pub(crate) fn check(
    document: &ExecutableDocument,
    operation: &Operation,
    limits: &Limits,
) -> Vec<GraphQlError> {
    let mut counter = Counter {
        document,
        fragments: HashMap::new(),
    };
    let size = counter.set(&operation.selection_set);
    let too_many = |what: &str, actual: usize, limit: usize| {
        let message = format!("the operation has {what} {actual}; {limit} is the limit");
        (actual > limit)
            .then(|| GraphQlError::new(ErrorCode::CostLimitExceeded, message).with("limit", limit))
    };
    [
        too_many("a depth of", size.depth, limits.max_depth),
        too_many("aliases,", size.aliases, limits.max_aliases),
        too_many("root fields,", size.top, limits.max_root_fields),
        too_many("fields,", size.fields, limits.max_fields),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[derive(Debug, Clone, Copy, Default)]
struct Size {
    depth: usize,
    aliases: usize,
    fields: usize,
    /// Fields of the set itself.
    top: usize,
}

struct Counter<'d> {
    document: &'d ExecutableDocument,
    fragments: HashMap<&'d Name, Size>,
}

impl<'d> Counter<'d> {
    fn set(&mut self, set: &'d SelectionSet) -> Size {
        let mut sum = Size::default();
        for selection in &set.selections {
            let size = self.selection(selection);
            sum.depth = sum.depth.max(size.depth);
            sum.aliases = sum.aliases.saturating_add(size.aliases);
            sum.fields = sum.fields.saturating_add(size.fields);
            sum.top = sum.top.saturating_add(size.top);
        }
        sum
    }

    fn selection(&mut self, selection: &'d Selection) -> Size {
        match selection {
            Selection::Field(field) => {
                let inner = self.set(&field.selection_set);
                Size {
                    depth: inner.depth + 1,
                    aliases: inner.aliases.saturating_add(usize::from(field.alias.is_some())),
                    fields: inner.fields.saturating_add(1),
                    top: 1,
                }
            }
            Selection::InlineFragment(fragment) => self.set(&fragment.selection_set),
            Selection::FragmentSpread(spread) => {
                if let Some(size) = self.fragments.get(&spread.fragment_name) {
                    return *size;
                }
                let fragment = self.document.fragments.get(&spread.fragment_name);
                let size = fragment
                    .map(|fragment| self.set(&fragment.selection_set))
                    .unwrap_or_default();
                self.fragments.insert(&spread.fragment_name, size);
                size
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use apollo_compiler::Schema;

    #[test]
    fn fragments_that_multiply_are_counted_by_what_they_stand_for() {
        let schema = Schema::parse_and_validate("type Query { q: Query a: Int }", "s").expect("a schema");
        let mut text = "{ ...F0 } fragment F60 on Query { a }".to_owned();
        for n in 0..60 {
            text += &format!(
                " fragment F{n} on Query {{ x: q {{ ...F{} }} y: q {{ ...F{} }} }}",
                n + 1,
                n + 1
            );
        }
        let document = ExecutableDocument::parse(&schema, text, "d").expect("a document");
        let operation = document.operations.get(None).expect("an operation");
        let errors = check(&document, operation, &Limits::default());
        let codes: Vec<_> = errors.iter().filter_map(GraphQlError::code).collect();
        assert_eq!(codes, ["COST_LIMIT_EXCEEDED"; 3]);
    }
}

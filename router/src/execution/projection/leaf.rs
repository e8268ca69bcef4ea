//! Writes leaves: the text that a subgraph sent, if it is of the leaf's type.

use super::{MustNotBeNull, Writer};
use crate::execution::data::Span;
use crate::execution::tree::Value;
use crate::selection::{Leaf, OutField, OutKind, Source};

impl Writer<'_> {
    /// Writes what is most usual: a leaf that is as it should be. `false` if it is something else.
    pub(super) fn plain(&mut self, value: Option<Value>, field: &OutField) -> bool {
        let (OutKind::Leaf(leaf), Some(Value::Scalar(span)), Source::Data) =
            (&field.ty.kind, value, &field.source)
        else {
            return false;
        };
        let text = self.state.sources.text(span);
        let fits = match leaf {
            Leaf::String | Leaf::Id => text.first() == Some(&b'"'),
            Leaf::Int => is_i32(text),
            Leaf::Boolean => matches!(text, b"true" | b"false"),
            Leaf::Custom => true,
            Leaf::Float | Leaf::Enum(_) => false,
        };
        if fits {
            self.out.extend_from_slice(text);
        }
        fits
    }

    /// Any JSON: what a subgraph sends for a custom scalar is passed on as it is.
    pub(super) fn any(&mut self, value: Value) {
        match value {
            Value::Scalar(span) => self.out.extend_from_slice(self.state.sources.text(span)),
            Value::List(list) => {
                self.out.push(b'[');
                for (index, item) in self.state.tree.items(list).iter().enumerate() {
                    if index > 0 {
                        self.out.push(b',');
                    }
                    self.any(*item);
                }
                self.out.push(b']');
            }
            Value::Null | Value::Failed(_) | Value::Object(_) => self.out.extend_from_slice(b"null"),
        }
    }

    pub(super) fn leaf(&mut self, leaf: &Leaf, span: Span) -> Result<(), MustNotBeNull> {
        let text = self.state.sources.text(span);
        let first = text.first().copied().unwrap_or_default();
        let is_number = first == b'-' || first.is_ascii_digit();
        let fits = match leaf {
            Leaf::Int => is_i32(text),
            Leaf::Float => is_number,
            Leaf::String => first == b'"',
            Leaf::Boolean => matches!(text, b"true" | b"false"),
            Leaf::Id if is_number && !text.iter().any(|b| matches!(b, b'.' | b'e' | b'E')) => {
                self.out.push(b'"');
                self.out.extend_from_slice(text);
                self.out.push(b'"');
                return Ok(());
            }
            Leaf::Id => first == b'"',
            Leaf::Enum(values) => self
                .state
                .sources
                .plain_string(span)
                .is_some_and(|name| values.contains(name)),
            Leaf::Custom => true,
        };
        if !fits {
            return self.malformed("a value that is not of its type");
        }
        self.out.extend_from_slice(text);
        Ok(())
    }
}

/// Whether a JSON number is a 32-bit integer. `1.0` is one to JSON, but no GraphQL server writes it so.
fn is_i32(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    match digits.len() {
        1..=9 => digits.iter().all(u8::is_ascii_digit),
        _ => std::str::from_utf8(text).is_ok_and(|text| text.parse::<i32>().is_ok()),
    }
}

//! Pages by keyset: a cursor holds the sort key of one item, so pages stay stable while items are inserted.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// One value of a sort key. Values of one field are all of one variant.
#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Key {
    /// Absent or null: sorts first.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number; instants are milliseconds since 1970.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A text, an id, or a civil date as `YYYY-MM-DD`.
    Text(String),
}

/// An opaque position in a list: the sort key of the item it stands at.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor(pub Vec<Key>);

/// The text is no cursor that this API gave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this list")]
pub struct InvalidCursor;

/// From which end a page is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// The first items after a position.
    #[default]
    Forward,
    /// The last items before a position.
    Backward,
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct PageRequest {
    /// How many items at the most.
    pub limit: usize,
    /// From which end.
    pub direction: Direction,
    /// Only items after this position (forward) or before it (backward).
    pub from: Option<Cursor>,
}

/// A part of a list, always in the list's own order.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The items with the cursor of each.
    pub items: Vec<(Cursor, T)>,
    /// Whether there was an item after the last one.
    pub has_next: bool,
    /// Whether there was an item before the first one.
    pub has_previous: bool,
}

impl Cursor {
    /// The text that clients see.
    pub fn encode(&self) -> String {
        // Keys are plain values: writing them as JSON cannot fail.
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&self.0).unwrap_or_default())
    }

    /// Reads what [`Cursor::encode`] wrote.
    pub fn decode(text: &str) -> Result<Self, InvalidCursor> {
        let json = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor)?;
        serde_json::from_slice(&json).map(Self).map_err(|_| InvalidCursor)
    }
}

impl PageRequest {
    /// The first `limit` items.
    pub const fn first(limit: usize) -> Self {
        Self {
            limit,
            direction: Direction::Forward,
            from: None,
        }
    }
}

impl<T> Page<T> {
    /// The only page of a list that has nothing.
    pub fn empty() -> Self {
        Self {
            items: Vec::new(),
            has_next: false,
            has_previous: false,
        }
    }

    /// The items without their cursors.
    pub fn into_items(self) -> Vec<T> {
        self.items.into_iter().map(|(_, item)| item).collect()
    }
}

impl From<bool> for Key {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Key {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Key {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Key {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Key {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T> From<crate::Id<T>> for Key {
    fn from(id: crate::Id<T>) -> Self {
        Self::Text(id.to_string())
    }
}

impl From<jiff::Timestamp> for Key {
    fn from(instant: jiff::Timestamp) -> Self {
        Self::Int(instant.as_millisecond())
    }
}

impl From<jiff::civil::Date> for Key {
    fn from(date: jiff::civil::Date) -> Self {
        Self::Text(date.to_string())
    }
}

impl<T: Into<Key>> From<Option<T>> for Key {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys() -> impl Strategy<Value = Vec<Key>> {
        let key = prop_oneof![
            Just(Key::Null),
            any::<bool>().prop_map(Key::Bool),
            any::<i64>().prop_map(Key::Int),
            ".*".prop_map(Key::Text),
        ];
        prop::collection::vec(key, 0..4)
    }

    proptest! {
        #[test]
        fn a_cursor_is_read_as_it_was_written(keys in keys()) {
            let cursor = Cursor(keys);
            prop_assert_eq!(Cursor::decode(&cursor.encode()), Ok(cursor));
        }

        #[test]
        fn any_text_is_a_cursor_or_refused(text in ".*") {
            let _ = Cursor::decode(&text);
        }
    }
}

//! The answer while it grows: objects whose leaves are spans of JSON text.
//!
//! Objects lie in one place and refer to each other by number, so nothing is allocated for one alone. An object may be
//! *shared*: be what several places refer to. That holds where whatever comes later does the same to all of these places:
//! they have the same way from the root but for positions in lists, and no step of the plan takes some of them for their
//! type. Where two of them turn out to differ, each gets a copy first ([`Copies`]).

use std::collections::HashMap;

use super::data::{Key, Sources, Span, TYPENAME, UNTOLD_TYPE};
use super::shape::{DecodeField, DecodeSet};

/// An object's number.
pub(crate) type ObjectId = u32;

/// A field with its value.
pub(crate) type Field = (Key, Value);

/// A value of the answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    /// `null`.
    Null,
    /// Null because of the failure of that number.
    Failed(u32),
    /// The JSON text of a scalar; of a custom one, any JSON text but an array.
    Scalar(Span),
    /// A list.
    List(List),
    /// An object.
    Object(ObjectId),
}

/// Where the items of a list are. No two objects refer to the same list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct List {
    start: u32,
    len: u32,
}

/// All objects of an answer.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    fields: Vec<Field>,
    items: Vec<Value>,
    /// Shared objects of which a place has got a copy of its own, with those copies, in the order in which they came.
    copies: Vec<(ObjectId, ObjectId)>,
}

/// The copies that places have got of objects since some time, by the object that was there then.
#[derive(Debug)]
pub(crate) struct Copies {
    seen: usize,
    first: HashMap<ObjectId, ObjectId>,
    copies: HashMap<ObjectId, Vec<ObjectId>>,
}

impl Copies {
    /// None of those yet that have come since there were so many.
    pub(crate) fn since(before: usize) -> Self {
        Self {
            seen: before,
            first: HashMap::new(),
            copies: HashMap::new(),
        }
    }

    /// Takes in what has come meanwhile.
    pub(crate) fn follow(&mut self, tree: &Tree) {
        for (original, copy) in tree.copies.get(self.seen..).unwrap_or_default() {
            let original = self.first.get(original).copied().unwrap_or(*original);
            self.first.insert(*copy, original);
            self.copies.entry(original).or_default().push(*copy);
        }
        self.seen = tree.copies.len();
    }

    /// The copies of an object.
    pub(crate) fn of(&self, object: ObjectId) -> &[ObjectId] {
        self.copies.get(&object).map(Vec::as_slice).unwrap_or_default()
    }
}

/// An object: few fields, in the order in which they came, so they are searched one after another.
#[derive(Debug, Clone, Copy)]
struct Node {
    start: u32,
    len: u32,
    shared: bool,
}

/// Where a value is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    in_list: bool,
    at: usize,
}

/// Whether the name of a type that is there stays, and not another that a subgraph tells.
pub(crate) type KeepsType<'k> = &'k dyn Fn(Span, Span) -> bool;

impl Tree {
    /// A new object of these fields, whose keys are different.
    pub(crate) fn object(&mut self, fields: impl IntoIterator<Item = Field>) -> ObjectId {
        let start = self.fields.len();
        self.fields.extend(fields);
        self.nodes.push(Node {
            start: start as u32,
            len: (self.fields.len() - start) as u32,
            shared: false,
        });
        (self.nodes.len() - 1) as ObjectId
    }

    /// A new list.
    pub(crate) fn list(&mut self, items: impl IntoIterator<Item = Value>) -> List {
        let start = self.items.len();
        self.items.extend(items);
        List {
            start: start as u32,
            len: (self.items.len() - start) as u32,
        }
    }

    /// An object's fields.
    pub(crate) fn fields(&self, object: ObjectId) -> &[Field] {
        let range = self.range(object);
        self.fields.get(range).unwrap_or_default()
    }

    /// A list's items.
    pub(crate) fn items(&self, list: List) -> &[Value] {
        self.items.get(list.range()).unwrap_or_default()
    }

    /// The place of a list's item.
    pub(crate) fn item_slot(&self, list: List, index: usize) -> Option<Slot> {
        let at = list.start as usize + index;
        (index < list.len as usize).then_some(Slot { in_list: true, at })
    }

    /// The place of a field's value, which holds until the object gets another field.
    pub(crate) fn field_slot(&self, object: ObjectId, key: Key) -> Option<Slot> {
        let position = self.fields(object).iter().position(|(known, _)| *known == key)?;
        let at = self.range(object).start + position;
        Some(Slot { in_list: false, at })
    }

    /// The value at a place.
    pub(crate) fn at(&self, slot: Slot) -> Value {
        let value = match slot.in_list {
            true => self.items.get(slot.at),
            false => self.fields.get(slot.at).map(|(_, value)| value),
        };
        value.copied().unwrap_or(Value::Null)
    }

    /// Changes the value at a place.
    pub(crate) fn set(&mut self, slot: Slot, value: Value) {
        let place = match slot.in_list {
            true => self.items.get_mut(slot.at),
            false => self.fields.get_mut(slot.at).map(|(_, value)| value),
        };
        if let Some(place) = place {
            *place = value;
        }
    }

    /// A field's value.
    pub(crate) fn get(&self, object: ObjectId, key: Key) -> Option<Value> {
        let found = self.fields(object).iter().find(|(known, _)| *known == key);
        found.map(|(_, value)| *value)
    }

    /// Sets a field; of two with the same key the later counts.
    pub(crate) fn put(&mut self, object: ObjectId, key: Key, value: Value) {
        match self.field_slot(object, key) {
            Some(slot) => self.set(slot, value),
            None => self.append(object, key, value),
        }
    }

    /// The object's type by its `__typename`.
    pub(crate) fn type_name<'s>(&self, object: ObjectId, sources: &'s Sources) -> Option<&'s str> {
        match self.get(object, TYPENAME)? {
            Value::Scalar(span) => sources.plain_string(span),
            _ => None,
        }
    }

    /// Whether several places may refer to the object.
    pub(crate) fn is_shared(&self, object: ObjectId) -> bool {
        self.nodes.get(object as usize).is_some_and(|node| node.shared)
    }

    /// Notes that several places refer to the object.
    pub(crate) fn share(&mut self, object: ObjectId) {
        if let Some(node) = self.nodes.get_mut(object as usize) {
            node.shared = true;
        }
    }

    /// The object, or a copy of it if it is shared: to be changed for one place alone. What lies below is shared by both.
    fn own(&mut self, object: ObjectId) -> ObjectId {
        if !self.is_shared(object) {
            return object;
        }
        let copy = self.shallow_copy(object);
        self.copies.push((object, copy));
        copy
    }

    /// How many copies of shared objects there are.
    pub(crate) fn copies(&self) -> usize {
        self.copies.len()
    }

    fn shallow_copy(&mut self, object: ObjectId) -> ObjectId {
        let range = self.range(object);
        let start = self.fields.len();
        self.fields.extend_from_within(range);
        for at in start..self.fields.len() {
            self.share_below(Slot { in_list: false, at });
        }
        self.nodes.push(Node {
            start: start as u32,
            len: (self.fields.len() - start) as u32,
            shared: false,
        });
        (self.nodes.len() - 1) as ObjectId
    }

    /// Another object that shares nothing with this one. What was shared within it is shared within the copy; `copies`
    /// knows the copies of those.
    pub(crate) fn copy(&mut self, object: ObjectId, copies: &mut HashMap<ObjectId, ObjectId>) -> ObjectId {
        if let Some(copy) = copies.get(&object) {
            return *copy;
        }
        let fields: Vec<Field> = self.fields(object).to_vec();
        let fields: Vec<Field> = fields
            .into_iter()
            .map(|(key, value)| (key, self.copied(value, copies)))
            .collect();
        let copy = self.object(fields);
        if self.is_shared(object) {
            self.share(copy);
            copies.insert(object, copy);
        }
        copy
    }

    /// Takes over the fields of another answer about the same object. Where both have something, objects and lists of the
    /// same length are joined; else what is there stays, unless it is null. `other` is not to be used any more, unless it
    /// is shared.
    pub(crate) fn merge(&mut self, object: ObjectId, other: ObjectId, keeps_type: KeepsType<'_>) {
        let other = match self.is_shared(other) {
            true => self.shallow_copy(other),
            false => other,
        };
        let known = self.fields(object).len();
        let range = self.range(other);
        let mut both = false;
        for at in range.clone() {
            let Some((key, value)) = self.fields.get(at).copied() else {
                continue;
            };
            match self.position_within(object, key, known) {
                Some(_) => both = true,
                None => self.append(object, key, value),
            }
        }
        if !both {
            return;
        }
        for at in range {
            let Some((key, value)) = self.fields.get(at).copied() else {
                continue;
            };
            let Some(position) = self.position_within(object, key, known) else {
                continue;
            };
            let at = self.range(object).start + position;
            let slot = Slot { in_list: false, at };
            match (self.at(slot), value) {
                (Value::Scalar(old), Value::Scalar(new)) if key == TYPENAME => {
                    if !keeps_type(old, new) {
                        self.set(slot, value);
                    }
                }
                (_, Value::Scalar(_)) if key == TYPENAME => self.set(slot, value),
                _ if key == TYPENAME => {}
                _ => self.merge_value(slot, value, keeps_type),
            }
        }
    }

    /// Notes that what was asked of the object has failed: every field that is not there, or is null without a reason. In
    /// objects that are there already, what was asked of them.
    pub(crate) fn fail(&mut self, object: ObjectId, asked: &[DecodeField], failure: u32) {
        for field in asked {
            let key = if field.key == TYPENAME {
                UNTOLD_TYPE
            } else {
                field.key
            };
            match self.field_slot(object, key) {
                None => self.append(object, key, Value::Failed(failure)),
                Some(slot) => self.fail_value(slot, field.set.as_ref(), failure),
            }
        }
    }

    fn fail_value(&mut self, slot: Slot, asked: Option<&DecodeSet>, failure: u32) {
        match (self.at(slot), asked) {
            (Value::Null, _) => self.set(slot, Value::Failed(failure)),
            (Value::Object(object), Some(asked)) => {
                let object = self.own(object);
                self.set(slot, Value::Object(object));
                self.fail(object, &asked.fields, failure);
            }
            (Value::List(list), Some(_)) => {
                for at in list.range() {
                    let slot = Slot { in_list: true, at };
                    if self.at(slot) != Value::Null {
                        self.fail_value(slot, asked, failure);
                    }
                }
            }
            _ => {}
        }
    }

    fn merge_value(&mut self, slot: Slot, new: Value, keeps_type: KeepsType<'_>) {
        match (self.at(slot), new) {
            (Value::Object(old), Value::Object(new)) => {
                let old = self.own(old);
                self.set(slot, Value::Object(old));
                self.merge(old, new, keeps_type);
            }
            (Value::List(old), Value::List(new)) if old.len == new.len => {
                for (at, new) in old.range().zip(new.range()) {
                    let new = self.at(Slot {
                        in_list: true,
                        at: new,
                    });
                    self.merge_value(Slot { in_list: true, at }, new, keeps_type);
                }
            }
            (Value::Null, new) => self.set(slot, new),
            (Value::Failed(_), new) if new != Value::Null => self.set(slot, new),
            _ => {}
        }
    }

    /// Adds a field. The fields of an object lie together: one that cannot grow where it is moves.
    fn append(&mut self, object: ObjectId, key: Key, value: Value) {
        let range = self.range(object);
        let mut start = range.start;
        if range.end != self.fields.len() {
            start = self.fields.len();
            self.fields.extend_from_within(range);
        }
        self.fields.push((key, value));
        let len = (self.fields.len() - start) as u32;
        if let Some(node) = self.nodes.get_mut(object as usize) {
            node.start = start as u32;
            node.len = len;
        }
    }

    /// The object at a place becomes shared. A list there is replaced by a copy, and the objects in it become shared.
    fn share_below(&mut self, slot: Slot) {
        match self.at(slot) {
            Value::Object(object) => self.share(object),
            Value::List(list) => {
                let start = self.items.len();
                self.items.extend_from_within(list.range());
                let own = List {
                    start: start as u32,
                    len: list.len,
                };
                self.set(slot, Value::List(own));
                for at in own.range() {
                    self.share_below(Slot { in_list: true, at });
                }
            }
            Value::Null | Value::Failed(_) | Value::Scalar(_) => {}
        }
    }

    fn copied(&mut self, value: Value, copies: &mut HashMap<ObjectId, ObjectId>) -> Value {
        match value {
            Value::Object(object) => Value::Object(self.copy(object, copies)),
            Value::List(list) => {
                let items: Vec<Value> = self.items(list).to_vec();
                let items: Vec<Value> = items.into_iter().map(|item| self.copied(item, copies)).collect();
                Value::List(self.list(items))
            }
            leaf => leaf,
        }
    }

    fn position_within(&self, object: ObjectId, key: Key, first: usize) -> Option<usize> {
        let fields = self.fields(object).iter().take(first);
        fields.map(|(known, _)| *known).position(|known| known == key)
    }

    fn range(&self, object: ObjectId) -> std::ops::Range<usize> {
        let node = self.nodes.get(object as usize);
        node.map_or(0..0, |node| node.start as usize..(node.start + node.len) as usize)
    }
}

impl List {
    fn range(self) -> std::ops::Range<usize> {
        self.start as usize..(self.start + self.len) as usize
    }
}

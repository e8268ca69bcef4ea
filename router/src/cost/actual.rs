//! What an answer was worth: the same sum over what is really there, in one pass over the text that goes out.

use std::fmt;

use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::expression::{Cost, CostField, CostSet, Priced};

impl Cost {
    /// What the answer was worth, by the JSON text of its `data`. Of an object whose type is not known, fields are
    /// counted by the first type that has them. `None` for a text that is not such an answer.
    pub(crate) fn actual(&self, priced: &Priced, data: &[u8]) -> Option<u64> {
        let mut total = self.base;
        let count = Count {
            cost: self,
            unknowns: &priced.unknowns,
            total: &mut total,
        };
        let mut text = serde_json::Deserializer::from_slice(data);
        let root = Values {
            count,
            weight: 0,
            set: self.sets.last(),
        };
        root.deserialize(&mut text).ok()?;
        Some(total)
    }
}

struct Count<'c> {
    cost: &'c Cost,
    unknowns: &'c [u64],
    total: &'c mut u64,
}

impl Count<'_> {
    fn add(&mut self, cost: u64) {
        *self.total = self.total.saturating_add(cost);
    }

    fn again(&mut self) -> Count<'_> {
        Count {
            cost: self.cost,
            unknowns: self.unknowns,
            total: self.total,
        }
    }
}

/// The value of a field, or the values in its list.
struct Values<'c> {
    count: Count<'c>,
    weight: u64,
    set: Option<&'c CostSet>,
}

impl Values<'_> {
    fn leaf(mut self) {
        // An object that is not there costs nothing.
        if self.set.is_none() {
            self.count.add(self.weight);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Values<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.set.is_none() && self.weight == 0 {
            return IgnoredAny::deserialize(deserializer).map(|_| ());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value of a field")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.leaf();
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.leaf();
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.leaf();
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.leaf();
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.leaf();
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.leaf();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        loop {
            let item = Values {
                count: self.count.again(),
                weight: self.weight,
                set: self.set,
            };
            if items.next_element_seed(item)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        self.count.add(self.weight);
        let variants = self.set.map_or(&[][..], |set| &set.variants);
        let mut place = (0, 0);
        while let Some(key) = fields.next_key::<&str>()? {
            let Some(field) = find(variants, &mut place, key) else {
                fields.next_value::<IgnoredAny>()?;
                continue;
            };
            self.count.add(field.arguments.value(self.count.unknowns));
            let cost = self.count.cost;
            fields.next_value_seed(Values {
                count: self.count.again(),
                weight: field.weight,
                set: field.set.and_then(|set| cost.sets.get(set)),
            })?;
        }
        Ok(())
    }
}

/// The field of that response key. `place` is the variant, and where in it the next one is expected: fields come in the
/// order in which they were selected.
fn find<'c>(variants: &'c [Vec<CostField>], place: &mut (usize, usize), key: &str) -> Option<&'c CostField> {
    let (variant, next) = *place;
    let known = variants.get(variant)?;
    if let Some(field) = known.get(next).filter(|field| *field.key == *key) {
        place.1 += 1;
        return Some(field);
    }
    let others = (0..variants.len()).filter(|other| *other != variant);
    for variant in std::iter::once(variant).chain(others) {
        let fields = variants.get(variant)?;
        if let Some(at) = fields.iter().position(|field| *field.key == *key) {
            *place = (variant, at + 1);
            return fields.get(at);
        }
    }
    None
}

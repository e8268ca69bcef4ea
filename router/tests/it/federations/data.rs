//! The data behind a random federation.

use serde_json::{Map, Value, json};

use super::{Base, Field, Maker};

impl Maker {
    pub(super) fn data(&mut self) -> Value {
        let mut entities = Map::new();
        for number in 0..self.entities.len() {
            for instance in 0..3 {
                let id = format!("{number}{instance}");
                let mut entity = json!({"__typename": format!("E{number}"), "id": id, "code": format!("c{id}"),
                    "place": {"__typename": "Place", "row": instance, "col": "\"ö\\"},
                    "name": format!("Name {id}"), "interfaces": ["Named", "Item"]});
                let fields = self.entities[number].fields.clone();
                let added = self.added.clone();
                for field in fields.iter().chain(&added) {
                    entity[&field.name] = self.wrapped(field, field.wrap);
                }
                entities.insert(format!("E{number}/{instance}"), entity);
            }
        }
        let mut query = Map::new();
        for field in self.roots.clone() {
            let value = self.wrapped(&field, field.wrap);
            query.insert(field.name, value);
        }
        let mut mutation = Map::new();
        for graph in 0..self.graphs {
            mutation.insert(format!("m{graph}"), value_object(graph));
            mutation.insert(format!("n{graph}"), json!("done"));
        }
        json!({"Query": query, "Mutation": mutation, "entities": entities})
    }

    fn wrapped(&mut self, field: &Field, wrap: &str) -> Value {
        if self.dice.chance(self.failing) && !self.needed.contains(&field.name) {
            return json!({"error": format!("no {}", field.name)});
        }
        self.plain(field, wrap)
    }

    fn plain(&mut self, field: &Field, wrap: &str) -> Value {
        let inner = wrap.strip_suffix('!');
        if inner.is_none() && self.dice.chance(20) {
            return Value::Null;
        }
        let inner = inner.unwrap_or(wrap);
        if let Some(item) = inner.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
            return (0..self.dice.below(4)).map(|_| self.plain(field, item)).collect();
        }
        self.base(&field.base)
    }

    fn base(&mut self, base: &Base) -> Value {
        let any: Vec<usize> = (0..self.entities.len()).collect();
        match base {
            Base::Leaf("Int") => json!(self.dice.below(100)),
            Base::Leaf("String") => json!(format!("text {}", self.dice.below(100))),
            Base::Leaf("ID") => json!(format!("x{}", self.dice.below(100))),
            Base::Leaf("Float") => json!(self.dice.below(100) as f64 / 2.0 + 0.25),
            Base::Leaf("Boolean") => json!(self.dice.chance(50)),
            Base::Leaf("Color") => json!(*self.dice.pick(&["RED", "GREEN"])),
            Base::Leaf(_) => json!(*self.dice.pick(&["a", "b \"c\""])),
            Base::Value => value_object(self.dice.below(9)),
            Base::Entity(number) => self.reference(&[*number]),
            Base::Named | Base::Item => self.reference(&any),
            Base::Union(graph) => self.reference(&self.unions[*graph].clone()),
            Base::Box(graph) => self.boxed(*graph),
        }
    }

    fn reference(&mut self, of: &[usize]) -> Value {
        let number = *self.dice.pick(of);
        json!(format!("@E{number}/{}", self.dice.below(3)))
    }

    /// A box within a box is null, so that there is an end.
    fn boxed(&mut self, graph: usize) -> Value {
        let mut fields = Map::new();
        fields.insert("__typename".to_owned(), json!(format!("Box{graph}")));
        for field in self.boxes[graph].clone() {
            let value = match field.base {
                Base::Box(_) => Value::Null,
                _ => self.wrapped(&field, field.wrap),
            };
            fields.insert(field.name, value);
        }
        Value::Object(fields)
    }
}

fn value_object(number: usize) -> Value {
    json!({"__typename": "V", "x": (number != 3).then_some(number), "y": format!("y{number}"),
        "z": (number != 4).then_some([[Some(1), None].into_iter().flatten().collect::<Vec<i32>>()]), "c": "RED"})
}

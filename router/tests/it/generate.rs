//! Random valid queries, the same ones for the same seed.

use router::apollo_compiler::Schema;
use router::apollo_compiler::schema::{ExtendedType, FieldDefinition};

pub(crate) struct Generator<'s> {
    schema: &'s Schema,
    state: u64,
    aliases: usize,
    depth: usize,
    defers: bool,
}

impl<'s> Generator<'s> {
    pub(crate) fn new(schema: &'s Schema, seed: u64) -> Self {
        Self {
            schema,
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15),
            aliases: 0,
            depth: 1 + seed as usize % 4,
            defers: false,
        }
    }

    /// The same with fragments that are deferred.
    pub(crate) fn deferring(schema: &'s Schema, seed: u64) -> Self {
        Self {
            defers: true,
            ..Self::new(schema, seed)
        }
    }

    /// A query with the Boolean variables `$t` and `$f`.
    pub(crate) fn query(&mut self) -> String {
        let selection = self.selection("Query", self.depth);
        format!(
            "query($t: Boolean!, $f: Boolean!) {{ x: __typename @include(if: $t) y: __typename @skip(if: $f) {selection} }}"
        )
    }

    /// A number below `n` (xorshift).
    fn below(&mut self, n: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state % n as u64) as usize
    }

    fn fields(&self, name: &str) -> Vec<&'s FieldDefinition> {
        match self.schema.types.get(name) {
            Some(ExtendedType::Object(object)) => object.fields.values().map(|field| &***field).collect(),
            Some(ExtendedType::Interface(interface)) => {
                interface.fields.values().map(|field| &***field).collect()
            }
            _ => Vec::new(),
        }
    }

    fn objects(&self, name: &str) -> Vec<&'s str> {
        let objects = self
            .schema
            .types
            .iter()
            .filter(|(_, it)| it.is_object() && !it.is_built_in());
        let names = objects.map(|(name, _)| name.as_str());
        names
            .filter(|object| *object == name || self.schema.is_subtype(name, object))
            .collect()
    }

    fn condition(&mut self) -> &'static str {
        [
            " @include(if: $t)",
            " @skip(if: $f)",
            " @include(if: $f)",
            " @skip(if: $t) @include(if: $f)",
            "",
            "",
            "",
            "",
            "",
            "",
        ][self.below(10)]
    }

    fn selection(&mut self, parent: &str, depth: usize) -> String {
        let mut parts = Vec::new();
        let fields = self.fields(parent);
        if !fields.is_empty() {
            for _ in 0..1 + self.below(4) {
                let field = fields[self.below(fields.len())];
                parts.extend(self.field(field, depth));
            }
        }
        let objects = self.objects(parent);
        if fields.is_empty() || self.below(3) == 0 {
            for _ in 0..1 + self.below(2) {
                let object = objects[self.below(objects.len())];
                let condition = self.condition();
                let inner = self.selection(object, depth.saturating_sub(1));
                parts.push(format!("... on {object}{condition} {{ {inner} }}"));
            }
        }
        if parts.is_empty() || self.below(4) == 0 {
            parts.push("__typename".to_owned());
        }
        if self.defers && self.below(2) == 0 {
            let condition = ["", "(if: $t)", "(if: $f)", ""][self.below(4)];
            let first = self.below(parts.len());
            let deferred = parts.split_off(first).join(" ");
            parts.push(format!("... @defer{condition} {{ {deferred} }}"));
        }
        parts.join(" ")
    }

    fn field(&mut self, field: &'s FieldDefinition, depth: usize) -> Option<String> {
        let returns = field.ty.inner_named_type().as_str();
        let composite = !self
            .schema
            .types
            .get(returns)
            .is_some_and(|definition| definition.is_leaf());
        if composite && depth == 0 {
            return None;
        }
        // Two fields under one key must be the same: an alias of its own for every other, and for all with arguments.
        let arguments = if field.arguments.is_empty() {
            String::new()
        } else {
            self.arguments(field)
        };
        let clashes = ["code", "name", "title"].contains(&field.name.as_str());
        let alias = if self.below(3) == 0 || !field.arguments.is_empty() || clashes {
            self.aliases += 1;
            format!("a{}: ", self.aliases)
        } else {
            String::new()
        };
        let condition = self.condition();
        let selection = match composite {
            true => format!(" {{ {} }}", self.selection(returns, depth - 1)),
            false => String::new(),
        };
        Some(format!("{alias}{}{arguments}{condition}{selection}", field.name))
    }

    fn arguments(&mut self, field: &FieldDefinition) -> String {
        let argument = &field.arguments[0];
        match argument.ty.inner_named_type().as_str() {
            "Int" => format!("({}: {})", argument.name, self.below(4)),
            "Boolean" => format!("({}: {})", argument.name, ["true", "$t", "$f"][self.below(3)]),
            "ID" => format!("({}: \"{}\")", argument.name, self.below(4)),
            _ => String::new(),
        }
    }
}

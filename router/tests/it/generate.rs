//! Random valid queries, the same ones for the same seed.

use std::collections::BTreeSet;

use router::apollo_compiler::Schema;
use router::apollo_compiler::ast::Type;
use router::apollo_compiler::schema::{ExtendedType, FieldDefinition};

/// Numbers that look random, the same ones for the same seed (xorshift).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }
}

pub(crate) struct Generator<'s> {
    schema: &'s Schema,
    dice: Dice,
    aliases: usize,
    depth: usize,
    defers: bool,
    /// The variables that are used beside `$t` and `$f`, as they are declared.
    used: BTreeSet<&'static str>,
}

impl<'s> Generator<'s> {
    pub(crate) fn new(schema: &'s Schema, seed: u64) -> Self {
        Self {
            schema,
            dice: Dice::new(seed),
            aliases: 0,
            depth: 1 + seed as usize % 4,
            defers: false,
            used: BTreeSet::new(),
        }
    }

    /// The same with fragments that are deferred.
    pub(crate) fn deferring(schema: &'s Schema, seed: u64) -> Self {
        Self {
            defers: true,
            ..Self::new(schema, seed)
        }
    }

    /// A query with the Boolean variables `$t` and `$f`. `$n`, `$s` and `$i` have defaults or need no value.
    pub(crate) fn query(&mut self) -> String {
        self.operation("query", "Query")
    }

    pub(crate) fn mutation(&mut self) -> String {
        self.operation("mutation", "Mutation")
    }

    fn operation(&mut self, kind: &str, root: &str) -> String {
        let selection = self.selection(root, self.depth);
        let used: Vec<_> = self.used.iter().copied().collect();
        format!(
            "{kind}($t: Boolean!, $f: Boolean!{}) {{ x: __typename @include(if: $t) y: __typename @skip(if: $f) {selection} }}",
            used.concat()
        )
    }

    fn below(&mut self, n: usize) -> usize {
        self.dice.below(n)
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

    /// The types that a fragment may name where an object of this type stands.
    fn conditions(&self, name: &str) -> Vec<&'s str> {
        let objects = |of: &str| -> BTreeSet<&'s str> {
            let all = self
                .schema
                .types
                .iter()
                .filter(|(_, it)| it.is_object() && !it.is_built_in());
            let names = all.map(|(name, _)| name.as_str());
            names
                .filter(|object| *object == of || self.schema.is_subtype(of, object))
                .collect()
        };
        let own = objects(name);
        let all = self.schema.types.iter().filter(|(name, it)| {
            (it.is_object() || it.is_interface() || it.is_union()) && !it.is_built_in() && *name != "Query"
        });
        let all = all.map(|(name, _)| name.as_str());
        all.filter(|other| *other == name || !objects(other).is_disjoint(&own))
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
        let mut conditions = self.conditions(parent);
        if depth == 0 {
            // A fragment on a union within a union would have no end.
            conditions.retain(|name| !self.fields(name).is_empty());
        }
        if !conditions.is_empty() && (fields.is_empty() || self.below(3) == 0) {
            for _ in 0..1 + self.below(2) {
                let of = conditions[self.below(conditions.len())];
                let condition = self.condition();
                let inner = self.selection(of, depth.saturating_sub(1));
                parts.push(format!("... on {of}{condition} {{ {inner} }}"));
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
        let mut given = Vec::new();
        for argument in &field.arguments {
            if argument.is_required() || self.dice.chance(70) {
                given.push(format!("{}: {}", argument.name, self.input(&argument.ty, 2)));
            }
        }
        match given.is_empty() {
            true => String::new(),
            false => format!("({})", given.join(", ")),
        }
    }

    fn input(&mut self, ty: &Type, depth: usize) -> String {
        if !ty.is_non_null() && (depth == 0 || self.dice.chance(10)) {
            return "null".to_owned();
        }
        if ty.is_list() {
            let items: Vec<_> = (0..self.below(3))
                .map(|_| self.input(ty.item_type(), depth))
                .collect();
            return format!("[{}]", items.join(", "));
        }
        let variable = !ty.is_non_null() && self.dice.chance(30);
        match ty.inner_named_type().as_str() {
            "Int" if variable => self.variable(", $n: Int = 2"),
            "Int" => self.below(4).to_string(),
            "Boolean" => (*self.dice.pick(&["true", "$t", "$f"])).to_owned(),
            "ID" => format!("\"{}\"", self.below(4)),
            "String" if variable => self.variable(", $s: String"),
            "String" => (*self.dice.pick(&[r#""a\"b\\""#, r#""""Köln""""#, r#""""#])).to_owned(),
            "Filter" if variable => self.variable(", $i: Filter = {a: 7}"),
            name => match self.schema.types.get(name) {
                Some(ExtendedType::Enum(it)) => it.values[self.below(it.values.len())].value.to_string(),
                Some(ExtendedType::InputObject(it)) => {
                    let mut given = Vec::new();
                    for field in it.fields.values() {
                        if field.is_required() || self.dice.chance(50) {
                            let value = self.input(&field.ty, depth.saturating_sub(1));
                            given.push(format!("{}: {value}", field.name));
                        }
                    }
                    format!("{{{}}}", given.join(", "))
                }
                _ => "null".to_owned(),
            },
        }
    }

    /// Uses a variable, given as it is declared: `, $name: …`.
    fn variable(&mut self, declared: &'static str) -> String {
        self.used.insert(declared);
        let name = declared.trim_start_matches(", ").split(':').next();
        name.unwrap_or_default().to_owned()
    }
}

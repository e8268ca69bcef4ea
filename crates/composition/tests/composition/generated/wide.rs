//! Random sets that use all of a subgraph's language: interfaces, unions, enums, inputs, arguments with defaults,
//! nullability that differs, Federation 1 beside 2, and every directive that says who has a field and who may see it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Dice;

/// A field of an entity, in the subgraphs that have it.
struct Field {
    name: String,
    ty: &'static str,
    owners: BTreeSet<usize>,
    /// How often its definitions may differ, per cent.
    varies: u64,
    arguments: bool,
    /// Whether it is marked as one that several subgraphs may have.
    shared: bool,
    /// Whether the last of its subgraphs takes it over.
    moves: bool,
}

struct Maker {
    dice: Dice,
    /// Which subgraphs are of Federation 1.
    first: Vec<bool>,
    entities: Vec<Vec<Field>>,
    /// The subgraph that knows the interface `Item`, if there is one; others may add to it.
    items: Option<usize>,
    /// How often something is a bit wrong, per cent.
    wrong: u64,
    /// Whether anything is inaccessible.
    hides: bool,
    /// Whether a field of the value type has an argument.
    asks: bool,
}

const TYPES: [&str; 17] = [
    "Int",
    "Int!",
    "String",
    "[Int]",
    "[String!]!",
    "Color",
    "Shade!",
    "Shade",
    "V",
    "[V!]",
    "Any",
    "[Named]",
    "Named",
    "T0",
    "[T0!]!",
    "Date",
    "Item",
];

/// Name and SDL of two to four subgraphs.
pub(crate) fn set(seed: u64) -> Vec<(String, String)> {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let graphs = 2 + dice.index(3);
    let mixed = dice.chance(30);
    let first = (0..graphs).map(|_| mixed && dice.chance(50)).collect();
    let wrong = [0, 0, 1, 4][dice.index(4)];
    let items = dice.chance(50).then(|| dice.index(graphs));
    let mut maker = Maker {
        dice,
        first,
        entities: Vec::new(),
        items,
        wrong,
        hides: false,
        asks: false,
    };
    maker.asks = maker.dice.chance(40);
    maker.hides = maker.dice.chance(25);
    for entity in 0..1 + maker.dice.index(3) {
        let fields = (0..2 + maker.dice.index(4))
            .map(|number| maker.field(entity, number))
            .collect();
        maker.entities.push(fields);
    }
    let mut set: Vec<_> = (0..graphs)
        .map(|graph| (format!("g{graph}"), maker.subgraph(graph)))
        .collect();
    set.extend(maker.objects().map(|sdl| ("objects".to_owned(), sdl)));
    set
}

impl Dice {
    fn index(&mut self, limit: usize) -> usize {
        usize::try_from(self.below(limit as u64)).unwrap()
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.index(of.len())]
    }
}

impl Maker {
    fn field(&mut self, entity: usize, number: usize) -> Field {
        let graphs = self.first.len();
        let dice = &mut self.dice;
        let mut owners = BTreeSet::from([dice.index(graphs)]);
        if dice.chance(40) {
            owners.insert(dice.index(graphs));
        }
        let ty = loop {
            let ty = dice.pick(&TYPES);
            if ty != "Item" || self.items.is_some() {
                break ty;
            }
        };
        // Only the subgraph with the interface has fields of it.
        if let (true, Some(items)) = (ty == "Item", self.items) {
            owners = BTreeSet::from([items]);
        }
        Field {
            name: format!("t{entity}f{number}"),
            ty,
            varies: dice.pick(&[0, 0, 30]),
            arguments: dice.chance(30),
            shared: owners.len() > 1 || dice.chance(30),
            moves: owners.len() > 1 && dice.chance(40),
            owners,
        }
    }

    /// Something that is a bit wrong, where this set has such.
    fn errs(&mut self) -> bool {
        let wrong = self.wrong;
        self.dice.chance(wrong)
    }

    /// What hides and marks something, if it may.
    fn marks(&mut self, graph: usize) -> String {
        let mut marks = String::new();
        if self.first[graph] {
            return marks;
        }
        if self.dice.chance(6) {
            let _ = write!(marks, " @tag(name: \"{}\")", self.dice.pick(&["a", "b"]));
        }
        if self.hides && self.dice.chance(2) {
            marks.push_str(" @inaccessible");
        }
        marks
    }

    fn arguments(&mut self, graph: usize, varies: u64) -> String {
        let mut first = "Int = 3";
        if varies > 0 && self.errs() {
            first = self.dice.pick(&["Int!", "Int = 4", "String"]);
        }
        let mut arguments = vec![format!("first: {first}{}", self.marks(graph))];
        if self.dice.chance(60) {
            let ty = self.dice.pick(&["Filter", "Filter", "Filter!"]);
            let ty = if varies == 0 { "Filter" } else { ty };
            arguments.push(format!("by: {ty}{}", self.marks(graph)));
        }
        if varies > 0 && self.dice.chance(20) {
            arguments.push("extra: Int = 1".to_owned());
        }
        format!("({})", arguments.join(", "))
    }

    /// The type as this subgraph writes it: more or less sure that it is there.
    fn variant(&mut self, ty: &'static str, varies: u64) -> String {
        if self.errs() {
            return "Boolean".to_owned();
        }
        if !self.dice.chance(varies) {
            return ty.to_owned();
        }
        match ty.strip_suffix('!') {
            Some(nullable) => nullable.to_owned(),
            None => format!("{ty}!"),
        }
    }

    fn subgraph(&mut self, graph: usize) -> String {
        let mut out = String::new();
        if self.first[graph] {
            out.push_str("#1\n");
        }
        self.values(graph, true, &mut out);
        let mut query = String::new();
        let mut externals: Vec<BTreeSet<(String, &'static str)>> =
            self.entities.iter().map(|_| BTreeSet::new()).collect();
        let bodies: Vec<String> = (0..self.entities.len())
            .map(|entity| self.body(graph, entity, &mut externals))
            .collect();
        for (entity, body) in bodies.iter().enumerate() {
            self.entity(graph, entity, body, &externals[entity], &mut out);
            if self.dice.chance(50) {
                let arguments = self.arguments(graph, 0);
                let _ = writeln!(
                    query,
                    "  q{graph}t{entity}{arguments}: T{entity}{}",
                    self.marks(graph)
                );
            }
        }
        self.items(graph, &mut out, &mut query);
        if graph == 0 {
            query.push_str("  start: T0\n");
        }
        if self.dice.chance(20) {
            let shared = if self.first[graph] { "" } else { " @shareable" };
            let _ = writeln!(query, "  shared: Int{shared}");
        }
        if !query.is_empty() {
            let extend = if self.first[graph] && self.dice.chance(50) {
                "extend "
            } else {
                ""
            };
            let _ = writeln!(out, "{extend}type Query {{\n{query}}}");
        }
        out
    }

    /// Types that are no entities.
    fn values(&mut self, graph: usize, entities: bool, out: &mut String) {
        let shareable = if self.first[graph] { "" } else { " @shareable" };
        let _ = writeln!(out, "scalar Date{}", self.marks(graph));
        let colors = if self.errs() { "RED" } else { "RED GREEN" };
        let shades = self
            .dice
            .pick(&["LIGHT DARK", "LIGHT DARK", "LIGHT", "DARK OTHER"]);
        let levels = self.dice.pick(&["LOW HIGH", "LOW HIGH", "LOW HIGH TOP", "LOW"]);
        for (name, values) in [("Color", colors), ("Shade", shades), ("Level", levels)] {
            let mark = self.marks(graph);
            let _ = writeln!(out, "enum {name}{} {{ {values}{mark} }}", self.marks(graph));
        }
        let x = self.variant("Int", 20);
        let _ = writeln!(
            out,
            "type V{shareable}{} {{\n  x: {x}{}",
            self.marks(graph),
            self.marks(graph)
        );
        if !self.errs() {
            let y = self.variant("String", 20);
            let argument = if self.asks { "(of: Color = GREEN)" } else { "" };
            let _ = writeln!(out, "  y{argument}: {y}");
        }
        out.push_str("}\n");
        let _ = writeln!(
            out,
            "input Filter{} {{\n  a: Int{}",
            self.marks(graph),
            self.marks(graph)
        );
        if self.dice.chance(70) {
            let b = self
                .dice
                .pick(&["String = \"x\"", "String = \"x\"", "String = \"x\"", "String"]);
            let _ = writeln!(out, "  b: {b}");
        }
        if self.dice.chance(60) {
            let _ = writeln!(out, "  c: Color{}", self.marks(graph));
        }
        if self.dice.chance(60) {
            let _ = writeln!(out, "  d: Level{}", self.marks(graph));
        }
        if self.dice.chance(40) {
            out.push_str("  not: Filter\n");
        }
        if self.errs() {
            out.push_str("  must: Int!\n");
        }
        out.push_str("}\n");
        if !entities {
            return;
        }
        let _ = writeln!(
            out,
            "interface Named{} {{\n  id: ID!{}",
            self.marks(graph),
            self.marks(graph)
        );
        if self.dice.chance(40) {
            out.push_str("  id2: ID\n");
        }
        out.push_str("}\n");
        let count = self.entities.len();
        let members: Vec<String> = (0..count).map(|entity| format!("T{entity}")).collect();
        let members = if self.dice.chance(70) {
            &members[..]
        } else {
            &members[..1]
        };
        let _ = writeln!(out, "union Any{} = {}", self.marks(graph), members.join(" | "));
    }

    fn body(
        &mut self,
        graph: usize,
        entity: usize,
        externals: &mut [BTreeSet<(String, &'static str)>],
    ) -> String {
        let mut body = String::new();
        for number in 0..self.entities[entity].len() {
            let field = &self.entities[entity][number];
            if !field.owners.contains(&graph) {
                continue;
            }
            let (name, ty, varies, arguments) = (field.name.clone(), field.ty, field.varies, field.arguments);
            let moves = field.moves;
            let written = self.variant(ty, varies);
            let arguments = if arguments {
                self.arguments(graph, varies)
            } else {
                String::new()
            };
            let mut directives = self.marks(graph);
            if !self.first[graph] {
                directives.push_str(&self.owning(graph, entity, number));
            }
            if !moves
                && self.dice.chance(20)
                && let Some(needed) = self.foreign(graph, entity, false)
            {
                let _ = write!(directives, " @requires(fields: \"{}\")", needed.0);
                externals[entity].insert(needed);
            }
            if !moves
                && ["T0", "[T0!]!"].contains(&ty)
                && self.dice.chance(40)
                && let Some(given) = self.foreign(graph, 0, true)
            {
                let _ = write!(directives, " @provides(fields: \"{}\")", given.0);
                externals[0].insert(given);
            }
            let _ = writeln!(body, "  {name}{arguments}: {written}{directives}");
        }
        body
    }

    /// How a field is there in several subgraphs.
    fn owning(&mut self, graph: usize, entity: usize, number: usize) -> String {
        if self.errs() {
            return format!(" @override(from: \"g{}\")", self.dice.below(4));
        }
        let forgets = self.errs();
        let field = &self.entities[entity][number];
        let other = field.owners.first().filter(|owner| **owner != graph);
        match (field.moves, other) {
            (true, Some(from)) => {
                let label = self.dice.pick(&[
                    "",
                    ", label: \"percent(25)\"",
                    ", label: \"percent(5.5)\"",
                    ", label: \"slow\"",
                ]);
                format!(" @override(from: \"g{from}\"{label})")
            }
            (false, _) if field.shared && !forgets => " @shareable".to_owned(),
            _ => String::new(),
        }
    }

    /// A plain field of an entity that this subgraph does not have; one that others may have, too, if it is to be given.
    fn foreign(&mut self, graph: usize, entity: usize, given: bool) -> Option<(String, &'static str)> {
        let of = &self.entities[entity];
        let pick = self.dice.index(of.len());
        let field = &of[pick];
        let is_plain =
            ["Int", "Int!", "String", "[Int]", "Color", "Date"].contains(&field.ty) && !field.arguments;
        let may = (!given || field.shared && !field.moves) && (!field.moves || field.varies == 0);
        (is_plain && may && !field.owners.contains(&graph)).then(|| (field.name.clone(), field.ty))
    }

    fn entity(
        &mut self,
        graph: usize,
        entity: usize,
        body: &str,
        externals: &BTreeSet<(String, &'static str)>,
        out: &mut String,
    ) {
        let plain = self.items == Some(graph);
        let (keys, own) = match self.dice.below(8) {
            _ if plain => ("@key(fields: \"id\")", "id: ID!"),
            0 if self.errs() => ("@key(fields: \"code\")", "code: String! id: ID!"),
            1 => (
                "@key(fields: \"id\") @key(fields: \"code\")",
                "id: ID! code: String!",
            ),
            2 if !self.first[graph] => ("@key(fields: \"id\", resolvable: false)", "id: ID!"),
            3 => (
                "@key(fields: \"id\") @key(fields: \"place { row }\")",
                "id: ID! place: Place!",
            ),
            _ => ("@key(fields: \"id\")", "id: ID!"),
        };
        if keys.contains("place") && !out.contains("type Place") {
            let shareable = if self.first[graph] { "" } else { " @shareable" };
            let _ = writeln!(out, "type Place{shareable} {{ row: Int! }}");
        }
        // Beside what is keyed, fields that all have.
        let own = match (self.first[graph], keys.contains("id")) {
            (false, false) => own.replace("id: ID!", "id: ID! @shareable"),
            _ => own.to_owned(),
        };
        let extend = if self.first[graph] && self.dice.chance(50) {
            "extend "
        } else {
            ""
        };
        let own = if extend.is_empty() {
            own
        } else {
            own.replace('!', "! @external")
        };
        let mut implements = vec!["Named"];
        if self.items == Some(graph) {
            implements.push("Item");
        }
        let id2 = match out.contains("id2: ID\n") {
            true if self.first[graph] => "  id2: ID\n",
            true => "  id2: ID @shareable\n",
            false => "",
        };
        let _ = write!(
            out,
            "{extend}type T{entity} implements {} {keys}{} {{\n  {own}\n{id2}{body}",
            implements.join(" & "),
            self.marks(graph)
        );
        for (name, ty) in externals {
            let _ = writeln!(out, "  {name}: {ty} @external");
        }
        out.push_str("}\n");
    }

    /// The interface with a key.
    fn items(&mut self, graph: usize, out: &mut String, query: &mut String) {
        if self.items != Some(graph) {
            return;
        }
        // Federation 1 has no keys of interfaces.
        if self.first[graph] {
            out.push_str("interface Item { id: ID! }\n");
        } else {
            let mark = self.marks(graph);
            let _ = writeln!(out, "interface Item @key(fields: \"id\"){mark} {{ id: ID! }}");
            query.push_str("  items: [Item]\n");
        }
    }

    /// A subgraph that knows the interface as an object, and nothing of what implements it.
    fn objects(&mut self) -> Option<String> {
        let is_keyed = self.items.is_some_and(|items| !self.first[items]);
        if !is_keyed || self.dice.chance(30) {
            return None;
        }
        self.first.push(false);
        let graph = self.first.len() - 1;
        let mut out = String::new();
        self.values(graph, false, &mut out);
        let added = self.dice.pick(&["Int", "String!", "Color", "V"]);
        let arguments = self.arguments(graph, 0);
        let _ = writeln!(
            out,
            "type Item @key(fields: \"id\") @interfaceObject{} {{ id: ID! added{arguments}: {added}{} }}",
            self.marks(graph),
            self.marks(graph)
        );
        if self.dice.chance(50) {
            out.push_str("type Query { objects: [Item!] }\n");
        }
        Some(out)
    }
}

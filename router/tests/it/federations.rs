//! Random schemas split into random subgraphs, with data: what a monolith would serve, spread over several services.
//!
//! Entities, interfaces, unions and value types are the same ones for all of a federation; dice say which subgraph has
//! which field, what it is, and what it refers to.

mod data;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use composition::{SubgraphSource, compose};
use serde_json::Value;

use crate::generate::Dice;

/// Subgraphs by name, what they compose to, and the data behind them.
pub(crate) struct World {
    pub(crate) subgraphs: Vec<(String, String)>,
    pub(crate) supergraph: String,
    pub(crate) graph: Value,
}

/// How an entity is known.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// `id`, and in some subgraphs `code` too.
    Plain,
    /// `id place { row col }`.
    Nested,
}

/// What a field is of, without lists and exclamation marks.
#[derive(Clone, PartialEq)]
enum Base {
    Leaf(&'static str),
    Entity(usize),
    /// The value type of all subgraphs.
    Value,
    /// A value type of that subgraph alone, with references.
    Box(usize),
    /// The interface `Named`.
    Named,
    /// The keyed interface `Item`.
    Item,
    /// The union of that subgraph.
    Union(usize),
}

#[derive(Clone)]
struct Field {
    name: String,
    base: Base,
    /// `%` stands for the base.
    wrap: &'static str,
    owners: Vec<usize>,
    /// `@override`: the first owner gives it to the second.
    moves: bool,
    arguments: bool,
}

struct Entity {
    kind: Kind,
    fields: Vec<Field>,
}

struct Maker {
    dice: Dice,
    graphs: usize,
    entities: Vec<Entity>,
    /// The subgraph that knows `Item` as an object.
    objects: Option<usize>,
    /// By subgraph: the entities of its union.
    unions: Vec<Vec<usize>>,
    roots: Vec<Field>,
    boxes: Vec<Vec<Field>>,
    /// Fields of `Item` beyond its implementations.
    added: Vec<Field>,
    /// Per cent of values that are an error.
    failing: usize,
    /// Fields that must not fail: others depend on them.
    needed: Vec<String>,
}

const WRAPS: [&str; 8] = ["%", "%", "%!", "[%]", "[%!]!", "[%!]", "[[%]]", "[[%!]!]!"];
const LEAVES: [&str; 7] = ["Int", "String", "Float", "Boolean", "ID", "Color", "Json"];
const HEADER: &str = "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.9\", import: [\"@key\", \
    \"@shareable\", \"@external\", \"@requires\", \"@provides\", \"@interfaceObject\", \"@override\"])\n";

impl World {
    /// Nothing where the dice give subgraphs that do not compose; says why.
    pub(crate) fn new(seed: u64, failing: usize) -> Result<Self, String> {
        let mut maker = Maker::new(seed, failing);
        let subgraphs: Vec<_> = (0..maker.graphs)
            .map(|graph| (maker.name(graph), maker.subgraph(graph)))
            .collect();
        let supergraph = compose_all(&subgraphs)?;
        let graph = maker.data();
        Ok(Self {
            subgraphs,
            supergraph,
            graph,
        })
    }

    pub(crate) fn sdl(&self) -> String {
        let all = self.subgraphs.iter();
        all.map(|(name, sdl)| format!("# {name}\n{sdl}\n")).collect()
    }
}

/// What subgraphs, given by name and SDL, compose to, or what is against it.
pub(crate) fn compose_all(subgraphs: &[(String, String)]) -> Result<String, String> {
    let sources: Vec<_> = subgraphs
        .iter()
        .map(|(name, sdl)| SubgraphSource::new(name, Some("http://127.0.0.1:1/".to_owned()), sdl))
        .collect();
    match compose(&sources) {
        Ok(composed) => Ok(composed.supergraph_sdl),
        Err(errors) => Err(errors.iter().map(|error| format!("{error}\n")).collect()),
    }
}

/// A subgraph's SDL with Federation's directives at hand.
pub(crate) fn with_header(sdl: &str) -> String {
    format!("{HEADER}{sdl}")
}

impl Maker {
    fn new(seed: u64, failing: usize) -> Self {
        let mut dice = Dice::new(seed);
        let graphs = 2 + dice.below(3);
        let objects = dice.chance(40).then_some(graphs - 1);
        let mut maker = Self {
            graphs,
            entities: Vec::new(),
            objects,
            unions: Vec::new(),
            roots: Vec::new(),
            boxes: Vec::new(),
            added: Vec::new(),
            failing,
            needed: Vec::new(),
            dice,
        };
        let entities = 2 + maker.dice.below(3);
        for number in 0..entities {
            let kind = match number > 1 && maker.dice.chance(40) {
                true => Kind::Nested,
                false => Kind::Plain,
            };
            maker.entities.push(Entity {
                kind,
                fields: Vec::new(),
            });
        }
        let plain = if objects.is_some() { graphs - 1 } else { graphs };
        maker.unions = (0..graphs)
            .map(|_| (0..entities).filter(|_| maker.dice.chance(70)).collect())
            .collect();
        for number in 0..entities {
            let count = 3 + maker.dice.below(4);
            let fields = (0..count)
                .map(|field| maker.field(format!("e{number}f{field}"), plain))
                .collect();
            maker.entities[number].fields = fields;
        }
        for graph in 0..graphs {
            let inside = if Some(graph) == objects { Some(graph) } else { None };
            let roots: Vec<_> = (0..1 + maker.dice.below(3))
                .map(|root| maker.own_field(format!("q{graph}x{root}"), graph, inside))
                .collect();
            maker.roots.extend(roots);
            let mut boxed: Vec<_> = (0..2 + maker.dice.below(2))
                .map(|field| maker.own_field(format!("b{graph}f{field}"), graph, inside))
                .collect();
            for field in boxed
                .iter_mut()
                .filter(|field| matches!(field.base, Base::Box(_)))
            {
                field.wrap = "%";
            }
            maker.boxes.push(boxed);
            if inside.is_some() {
                maker.added = (0..2)
                    .map(|field| maker.own_field(format!("added{field}"), graph, inside))
                    .collect();
            }
        }
        maker
    }

    /// A field of one or several of the first subgraphs.
    fn field(&mut self, name: String, graphs: usize) -> Field {
        let owner = self.dice.below(graphs);
        let mut field = self.own_field(name, owner, None);
        let second = self.dice.below(graphs);
        let shared = matches!(field.base, Base::Leaf(_) | Base::Value | Base::Entity(_));
        if second != owner && shared && !field.arguments && self.dice.chance(35) {
            field.owners.push(second);
            field.moves = self.dice.chance(30);
        }
        field
    }

    fn own_field(&mut self, name: String, graph: usize, objects: Option<usize>) -> Field {
        let entities = self.entities.len();
        let base = match self.dice.below(if objects.is_some() { 4 } else { 11 }) {
            0 | 1 => Base::Leaf(LEAVES[self.dice.below(LEAVES.len())]),
            2 => Base::Value,
            3 if objects.is_some() => Base::Item,
            3 => Base::Leaf("Int"),
            4..=6 => Base::Entity(self.dice.below(entities)),
            7 => Base::Box(graph),
            8 => Base::Named,
            9 if !self.unions[graph].is_empty() => Base::Union(graph),
            10 if self.objects.is_some() && graph == 0 => Base::Item,
            _ => Base::Entity(self.dice.below(entities)),
        };
        let arguments =
            matches!(base, Base::Leaf("String" | "Int") | Base::Entity(_)) && self.dice.chance(25);
        Field {
            name,
            base,
            wrap: WRAPS[self.dice.below(WRAPS.len())],
            owners: vec![graph],
            moves: false,
            arguments,
        }
    }

    /// The names are in another order than the subgraphs: the planner goes by names.
    fn name(&self, graph: usize) -> String {
        match Some(graph) == self.objects {
            true => format!("f{graph}"),
            false => format!("g{graph}"),
        }
    }

    fn subgraph(&mut self, graph: usize) -> String {
        let mut out = String::from(HEADER);
        out.push_str(
            "type V @shareable { x: Int y: String! z: [[Int!]] c: Color! }\nenum Color { RED GREEN }\nscalar Json\n\
             input Filter { a: Int = 1 b: [Color!] c: Filter d: Float }\n",
        );
        let all = self.roots.clone();
        let roots = self.lines(all.iter().filter(|field| field.owners.contains(&graph)));
        let _ = writeln!(
            out,
            "type Query {{\n{roots}}}\ntype Mutation {{ m{graph}: V n{graph}(x: Int!): String }}"
        );
        let boxed = self.lines(self.boxes[graph].iter());
        let _ = writeln!(out, "type Box{graph} {{\n{boxed}}}");
        if Some(graph) == self.objects {
            let added = self.lines(self.added.iter());
            let _ = writeln!(
                out,
                "type Item @interfaceObject @key(fields: \"id\") {{\n  id: ID!\n{added}}}"
            );
            return out;
        }
        out.push_str("interface Named { name: String }\n");
        if graph == 0 && self.objects.is_some() {
            out.push_str("interface Item @key(fields: \"id\") { id: ID! }\n");
        }
        if !self.unions[graph].is_empty() {
            let members: Vec<_> = self.unions[graph].iter().map(|e| format!("E{e}")).collect();
            let _ = writeln!(out, "union U{graph} = {}", members.join(" | "));
        }
        if self.entities.iter().any(|entity| entity.kind == Kind::Nested) {
            out.push_str("type Place @shareable { row: Int! col: String! }\n");
        }
        let mut externals: BTreeMap<usize, BTreeMap<String, String>> = BTreeMap::new();
        let bodies: Vec<_> = (0..self.entities.len())
            .map(|entity| self.entity(entity, graph, &mut externals))
            .collect();
        for (entity, body) in bodies.iter().enumerate() {
            let _ = writeln!(out, "{body}");
            for line in externals.get(&entity).into_iter().flat_map(BTreeMap::values) {
                let _ = writeln!(out, "  {line} @external");
            }
            out.push_str("}\n");
        }
        out
    }

    fn lines<'f>(&self, fields: impl Iterator<Item = &'f Field>) -> String {
        fields.map(|field| format!("  {}\n", self.line(field))).collect()
    }

    fn line(&self, field: &Field) -> String {
        let base = match &field.base {
            Base::Leaf(name) => (*name).to_owned(),
            Base::Entity(number) => format!("E{number}"),
            Base::Value => "V".to_owned(),
            Base::Box(graph) => format!("Box{graph}"),
            Base::Named => "Named".to_owned(),
            Base::Item => "Item".to_owned(),
            Base::Union(graph) => format!("U{graph}"),
        };
        let arguments = match field.arguments {
            true => "(first: Int = 2, filter: Filter, c: [Color])",
            false => "",
        };
        format!("{}{arguments}: {}", field.name, field.wrap.replace('%', &base))
    }

    /// The type without its end. Fields of others that it names are added to the externals.
    fn entity(
        &mut self,
        number: usize,
        graph: usize,
        externals: &mut BTreeMap<usize, BTreeMap<String, String>>,
    ) -> String {
        let item = if graph == 0 && self.objects.is_some() {
            " & Item"
        } else {
            ""
        };
        let nested = self.entities[number].kind == Kind::Nested;
        let (keys, own) = match nested {
            true => ("@key(fields: \"id place { row col }\")", "id: ID! place: Place!"),
            false if graph == 0 => (
                "@key(fields: \"id\") @key(fields: \"code\")",
                "id: ID! code: String!",
            ),
            false if self.dice.chance(15) => ("@key(fields: \"code\")", "code: String!"),
            false => ("@key(fields: \"id\")", "id: ID!"),
        };
        let keys = match (nested, item) {
            (true, " & Item") => "@key(fields: \"id place { row col }\") @key(fields: \"id\")",
            _ => keys,
        };
        let mut out =
            format!("type E{number} implements Named{item} {keys} {{\n  {own} name: String @shareable\n");
        for field in self.entities[number].fields.clone() {
            if !field.owners.contains(&graph) {
                continue;
            }
            let mut line = self.line(&field);
            match (field.owners.as_slice(), field.moves) {
                ([from, to], true) if *to == graph => {
                    let label = *self
                        .dice
                        .pick(&["", ", label: \"percent(30)\"", ", label: \"slow\""]);
                    let _ = write!(line, " @override(from: \"g{from}\"{label})");
                }
                ([_, _], false) => line.push_str(" @shareable"),
                _ => {}
            }
            if !field.moves && self.dice.chance(35) {
                line.push_str(&self.requires(number, graph, externals));
            }
            if let (Base::Entity(target), false) = (&field.base, field.moves) {
                line.push_str(&self.provides(*target, graph, externals));
            }
            let _ = writeln!(out, "  {line}");
        }
        out
    }

    fn requires(
        &mut self,
        number: usize,
        graph: usize,
        externals: &mut BTreeMap<usize, BTreeMap<String, String>>,
    ) -> String {
        let foreign: Vec<Field> = self.entities[number]
            .fields
            .iter()
            .filter(|field| !field.owners.contains(&graph) && !field.arguments)
            .filter(|field| matches!(field.base, Base::Leaf(_) | Base::Value | Base::Entity(_)))
            .cloned()
            .collect();
        if foreign.is_empty() {
            return String::new();
        }
        let field = self.dice.pick(&foreign).clone();
        self.needed.push(field.name.clone());
        externals
            .entry(number)
            .or_default()
            .insert(field.name.clone(), self.line(&field));
        let set = match &field.base {
            Base::Value => format!("{} {{ y z }}", field.name),
            Base::Entity(_) => format!("{} {{ name }}", field.name),
            _ => field.name.clone(),
        };
        format!(" @requires(fields: \"{set}\")")
    }

    fn provides(
        &mut self,
        target: usize,
        graph: usize,
        externals: &mut BTreeMap<usize, BTreeMap<String, String>>,
    ) -> String {
        let shared =
            |field: &&Field| field.owners.len() == 2 && !field.moves && !field.owners.contains(&graph);
        let foreign: Vec<Field> = self.entities[target]
            .fields
            .iter()
            .filter(shared)
            .cloned()
            .collect();
        let foreign: Vec<_> = foreign
            .into_iter()
            .filter(|field| matches!(field.base, Base::Leaf(_) | Base::Value))
            .collect();
        if foreign.is_empty() || self.dice.chance(60) {
            return String::new();
        }
        let field = self.dice.pick(&foreign).clone();
        externals
            .entry(target)
            .or_default()
            .insert(field.name.clone(), self.line(&field));
        match &field.base {
            Base::Value => format!(" @provides(fields: \"{} {{ x }}\")", field.name),
            _ => format!(" @provides(fields: \"{}\")", field.name),
        }
    }
}

//! Random sets of subgraphs: entities with fields spread over subgraphs, some of them wrongly.

pub(crate) mod wide;

use std::fmt::Write as _;

/// A small generator of numbers; the same seed gives the same subgraphs.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        // Xorshift64* (Vigna, 2014).
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limit
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

struct Field {
    name: String,
    ty: String,
    entity: Option<usize>,
    owners: Vec<usize>,
    shareable: bool,
}

/// Name and SDL of two to four subgraphs.
pub(crate) fn set(seed: u64) -> Vec<(String, String)> {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let graphs = 2 + usize::try_from(dice.below(3)).unwrap();
    let entities = 1 + usize::try_from(dice.below(3)).unwrap();
    let fields: Vec<Vec<Field>> = (0..entities)
        .map(|entity| fields(&mut dice, entity, entities, graphs))
        .collect();
    (0..graphs)
        .map(|graph| (format!("g{graph}"), subgraph(&mut dice, graph, &fields)))
        .collect()
}

fn fields(dice: &mut Dice, entity: usize, entities: usize, graphs: usize) -> Vec<Field> {
    let count = 2 + dice.below(4);
    let field = |number: u64, dice: &mut Dice| {
        let target = usize::try_from(dice.below(entities as u64)).unwrap();
        let (ty, entity_type) = match dice.below(7) {
            0 => (format!("E{target}"), Some(target)),
            1 => (format!("[E{target}!]!"), Some(target)),
            2 => ("V".to_owned(), None),
            3 => ("Color!".to_owned(), None),
            4 => ("[Int]".to_owned(), None),
            5 => ("N".to_owned(), None),
            _ => ("Int".to_owned(), None),
        };
        let mut owners = vec![usize::try_from(dice.below(graphs as u64)).unwrap()];
        let shareable = dice.chance(30);
        if shareable || dice.chance(5) {
            let other = usize::try_from(dice.below(graphs as u64)).unwrap();
            if !owners.contains(&other) {
                owners.push(other);
            }
        }
        Field {
            name: format!("e{entity}f{number}"),
            ty,
            entity: entity_type,
            owners,
            shareable,
        }
    };
    (0..count).map(|number| field(number, dice)).collect()
}

fn subgraph(dice: &mut Dice, graph: usize, all: &[Vec<Field>]) -> String {
    let mut out = String::from(
        "type V @shareable { x: Int y: String }\nenum Color { RED GREEN }\ninterface N { x: Int }\n\
         type W implements N @shareable { x: Int }\n",
    );
    let mut query = String::new();
    let mut externals: Vec<Vec<String>> = all.iter().map(|_| Vec::new()).collect();
    let mut bodies: Vec<String> = Vec::new();
    for (entity, fields) in all.iter().enumerate() {
        let mut body = String::new();
        for field in fields.iter().filter(|field| field.owners.contains(&graph)) {
            let mut directives = if field.shareable { " @shareable" } else { "" }.to_owned();
            let foreign = |entity: usize, dice: &mut Dice| {
                let of = &all[entity];
                let pick = &of[usize::try_from(dice.below(of.len() as u64)).unwrap()];
                (pick.ty == "Int" && !pick.owners.contains(&graph))
                    .then(|| (pick.name.clone(), pick.shareable))
            };
            if dice.chance(30)
                && let Some((name, _)) = foreign(entity, dice)
            {
                let _ = write!(directives, " @requires(fields: \"{name}\")");
                externals[entity].push(name);
            }
            if let Some(target) = field.entity
                && dice.chance(30)
                && let Some((name, true)) = foreign(target, dice)
            {
                let _ = write!(directives, " @provides(fields: \"{name}\")");
                externals[target].push(name);
            }
            if dice.chance(5) {
                directives.push_str(" @inaccessible");
            }
            // Never of one that overrides itself.
            if dice.chance(20) && field.owners.iter().max() == Some(&graph) {
                let _ = write!(directives, " @override(from: \"g{}\")", dice.below(4));
            }
            let _ = writeln!(body, "  {}: {}{directives}", field.name, field.ty);
        }
        bodies.push(body);
        if dice.chance(50) {
            let _ = writeln!(query, "  q{graph}e{entity}(first: Int = 3): E{entity}");
        }
    }
    for (entity, body) in bodies.iter().enumerate() {
        let (keys, own) = match dice.below(8) {
            0 => ("@key(fields: \"code\")", "code: String!"),
            1 => (
                "@key(fields: \"id\") @key(fields: \"code\")",
                "id: ID! code: String!",
            ),
            2 => ("@key(fields: \"id\", resolvable: false)", "id: ID!"),
            _ => ("@key(fields: \"id\")", "id: ID!"),
        };
        let _ = writeln!(out, "type E{entity} {keys} {{\n  {own}\n{body}");
        externals[entity].sort();
        externals[entity].dedup();
        for name in &externals[entity] {
            let _ = writeln!(out, "  {name}: Int @external");
        }
        out.push_str("}\n");
    }
    if graph == 0 {
        query.push_str("  start: E0\n");
    }
    if !query.is_empty() {
        let _ = writeln!(out, "type Query {{\n{query}}}");
    }
    out
}

//! Moves between subgraphs and through fields.

use std::collections::HashMap;

use apollo_compiler::Name;
use indexmap::{IndexMap, IndexSet};

use crate::fieldset::Sel;
use crate::merge::{Overridden, overridden};
use crate::subgraph::{FieldDef, Key, Kind, Subgraph, TypeDef};
use crate::supergraph::{Merged, Supergraph};

/// A type in a subgraph, with what the way there has provided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Node {
    pub(super) graph: usize,
    /// Index into the types of the subgraph.
    local: usize,
    /// Index into the table of provided selections; 0 is nothing.
    provided: usize,
}

/// The subgraphs as a graph of moves.
pub(crate) struct Graph<'a> {
    pub(super) supergraph: &'a Supergraph,
    pub(super) subgraphs: &'a [Subgraph],
    /// The labels of gradual overrides that are on.
    on: IndexSet<&'a str>,
    overrides: HashMap<(Name, Name), IndexMap<usize, Overridden>>,
    /// Selections that `@provides` gives, by index.
    provided: Vec<Vec<&'a [Sel]>>,
    closures: HashMap<(Name, Vec<Node>), Vec<Node>>,
    /// Closures and requirements being worked out, against going round in circles.
    /// The value is what is known so far.
    open_closures: HashMap<(Name, Vec<Node>), Vec<Node>>,
    open_requires: IndexSet<(usize, Name, Name)>,
    /// A circle was cut short: what was found so far may be incomplete and is not remembered.
    cut: bool,
}

impl<'a> Graph<'a> {
    pub(crate) fn new(supergraph: &'a Supergraph, subgraphs: &'a [Subgraph], on: IndexSet<&'a str>) -> Self {
        let mut by_field: IndexMap<(Name, Name), Vec<(usize, &FieldDef)>> = IndexMap::new();
        for (index, subgraph) in subgraphs.iter().enumerate() {
            for def in subgraph.types.values() {
                for field in def.fields.values() {
                    by_field
                        .entry((def.name.clone(), field.name.clone()))
                        .or_default()
                        .push((index, field));
                }
            }
        }
        let mut overrides = HashMap::new();
        for (coordinate, own) in by_field {
            let states = overridden(subgraphs, &coordinate.0, &own);
            if !states.is_empty() {
                overrides.insert(coordinate, states);
            }
        }
        Self {
            supergraph,
            subgraphs,
            on,
            overrides,
            provided: vec![Vec::new()],
            closures: HashMap::new(),
            open_closures: HashMap::new(),
            open_requires: IndexSet::new(),
            cut: false,
        }
    }

    /// All subgraphs that have a root type.
    pub(crate) fn roots(&self, merged: &Merged) -> Vec<Node> {
        (0..self.subgraphs.len())
            .filter_map(|graph| self.node(graph, &merged.name))
            .collect()
    }

    pub(super) fn def(&self, node: Node) -> Option<&'a TypeDef> {
        let subgraphs = self.subgraphs;
        subgraphs
            .get(node.graph)?
            .types
            .get_index(node.local)
            .map(|(_, def)| def)
    }

    fn node(&self, graph: usize, name: &str) -> Option<Node> {
        let local = self.subgraphs.get(graph)?.types.get_index_of(name)?;
        Some(Node {
            graph,
            local,
            provided: 0,
        })
    }

    /// The nodes that can hold an object of the type.
    pub(crate) fn narrow(&self, nodes: &[Node], merged: &Merged) -> Vec<Node> {
        let mut out = Vec::new();
        for node in nodes {
            let Some(def) = self.def(*node) else { continue };
            let narrowed = if def.interface_object {
                merged.interfaces.contains(&def.name).then_some(*node)
            } else if def.name == merged.name {
                Some(*node)
            } else {
                let possible = self
                    .subgraphs
                    .get(node.graph)
                    .is_some_and(|subgraph| subgraph.runtime_types(&def.name).contains(&merged.name));
                let own = self.node(node.graph, &merged.name).filter(|_| possible);
                own.map(|own| Node {
                    provided: node.provided,
                    ..own
                })
            };
            out.extend(narrowed.filter(|narrowed| !out.contains(narrowed)));
        }
        out
    }

    /// Whether one of the nodes knows the type itself, not only an interface that stands for it.
    pub(crate) fn knows_type(&self, merged: &Merged, nodes: &[Node]) -> bool {
        nodes
            .iter()
            .any(|node| self.def(*node).is_some_and(|def| def.name == merged.name))
    }

    /// The nodes of a type and all that keys lead to from them.
    pub(crate) fn closure(&mut self, merged: &'a Merged, start: &[Node]) -> Vec<Node> {
        let mut start = start.to_vec();
        start.sort_unstable();
        start.dedup();
        let key = (merged.name.clone(), start.clone());
        if let Some(known) = self.closures.get(&key) {
            return known.clone();
        }
        if let Some(so_far) = self.open_closures.get(&key) {
            self.cut = true;
            return so_far.clone();
        }
        let cut_before = std::mem::take(&mut self.cut);
        let mut nodes = start;
        if matches!(merged.name.as_str(), "Query" | "Mutation") {
            nodes.extend(self.roots(merged));
        }
        loop {
            self.open_closures.insert(key.clone(), nodes.clone());
            let candidates = self.candidates(merged, &nodes);
            let mut more = Vec::new();
            for (node, keys) in candidates {
                if keys
                    .iter()
                    .any(|key| self.resolves(merged, &nodes, &key.fields.selections))
                {
                    more.push(node);
                }
            }
            if more.is_empty() {
                break;
            }
            nodes.extend(more);
        }
        nodes.sort_unstable();
        nodes.dedup();
        self.open_closures.remove(&key);
        // Outside of all circles nothing is missing any more.
        let outermost = self.open_closures.is_empty() && self.open_requires.is_empty();
        if !self.cut || outermost {
            self.closures.insert(key, nodes.clone());
        }
        self.cut = !outermost && (self.cut || cut_before);
        nodes
    }

    /// Where a key could lead, with the keys that do.
    fn candidates(&self, merged: &Merged, nodes: &[Node]) -> Vec<(Node, Vec<&'a Key>)> {
        let subgraphs = self.subgraphs;
        let typed = self.knows_type(merged, nodes);
        let mut out = Vec::new();
        for (graph, subgraph) in subgraphs.iter().enumerate() {
            let taken = |node: &Node| {
                nodes
                    .iter()
                    .any(|other| (other.graph, other.local, other.provided) == (graph, node.local, 0))
            };
            if let Some(node) = self.node(graph, &merged.name).filter(|node| !taken(node)) {
                let own = subgraph.types.get(&merged.name);
                let mut keys: Vec<&'a Key> = Vec::new();
                if let Some(own) = own {
                    if typed {
                        keys.extend(own.keys.iter().filter(|key| key.resolvable));
                    }
                    let interfaces = own.interfaces.iter().filter_map(|name| subgraph.types.get(name));
                    let interfaces = interfaces.filter(|def| def.kind == Kind::Interface);
                    keys.extend(interfaces.flat_map(|def| &def.keys).filter(|key| key.resolvable));
                }
                out.push((node, keys));
            }
            for name in &merged.interfaces {
                let Some(def) = subgraph.types.get(name).filter(|def| def.interface_object) else {
                    continue;
                };
                if let Some(node) = self.node(graph, name).filter(|node| !taken(node)) {
                    out.push((node, def.keys.iter().filter(|key| key.resolvable).collect()));
                }
            }
        }
        out
    }

    /// Whether a selection on an object can be gathered from the nodes.
    pub(super) fn resolves(&mut self, merged: &'a Merged, nodes: &[Node], selections: &'a [Sel]) -> bool {
        selections.iter().all(|selection| match selection {
            Sel::Field(selected) if selected.name == "__typename" => self.knows_type(merged, nodes),
            Sel::Field(selected) => {
                let mut next = Vec::new();
                let mut found = false;
                for node in nodes {
                    if let Some(targets) = self.step(merged, *node, &selected.name) {
                        found = true;
                        next.extend(targets);
                    }
                }
                found && self.resolves_below(merged, &selected.name, &next, &selected.selections)
            }
            Sel::Fragment { on, selections } => {
                let applies = on
                    .as_ref()
                    .is_none_or(|on| *on == merged.name || self.supergraph.is_subtype(on, &merged.name));
                !applies || self.resolves(merged, nodes, selections)
            }
        })
    }

    fn resolves_below(
        &mut self,
        parent: &'a Merged,
        field: &Name,
        next: &[Node],
        selections: &'a [Sel],
    ) -> bool {
        if selections.is_empty() {
            return true;
        }
        let supergraph = self.supergraph;
        let Some(ty) = self.field_type(parent, field) else {
            return false;
        };
        let Some(target) = supergraph.types.get(&ty) else {
            return false;
        };
        supergraph.runtime_types(&target.name).iter().all(|name| {
            let Some(object) = supergraph.types.get(name) else {
                return true;
            };
            let nodes = self.narrow(next, object);
            if nodes.is_empty() {
                return true;
            }
            let nodes = self.closure(object, &nodes);
            self.resolves(object, &nodes, selections)
        })
    }

    fn field_type(&self, parent: &Merged, field: &Name) -> Option<Name> {
        parent
            .fields
            .get(field)
            .map(|field| field.ty.inner_named_type().clone())
    }

    /// The nodes that a field leads to, from all nodes that can resolve it; `None` if none can.
    pub(crate) fn step_all(&mut self, merged: &'a Merged, nodes: &[Node], field: &Name) -> Option<Vec<Node>> {
        let mut out = None;
        for node in nodes {
            if let Some(targets) = self.step(merged, *node, field) {
                out.get_or_insert_with(Vec::new).extend(targets);
            }
        }
        out
    }

    /// One field in one subgraph.
    fn step(&mut self, merged: &'a Merged, node: Node, field: &Name) -> Option<Option<Node>> {
        let def = self.def(node)?;
        let own = def.fields.get(field)?;
        if self.is_overridden(def, field, node.graph) {
            return None;
        }
        let given = self.given(node, def, field);
        if own.external && given.is_none() {
            return None;
        }
        if own.requires.is_some() && given.is_none() && !self.requirement_holds(merged, node, own) {
            return None;
        }
        let target = self.node(node.graph, own.ty.inner_named_type());
        let mut provided = given.unwrap_or_default();
        provided.extend(own.provides.as_ref().map(|set| set.selections.as_slice()));
        provided.retain(|selections| !selections.is_empty());
        Some(target.map(|target| Node {
            provided: self.intern(provided),
            ..target
        }))
    }

    /// An overridden field is not resolved here any more, not even for a key.
    fn is_overridden(&self, def: &TypeDef, field: &Name, graph: usize) -> bool {
        let coordinate = (def.name.clone(), field.clone());
        let Some(state) = self
            .overrides
            .get(&coordinate)
            .and_then(|states| states.get(&graph))
        else {
            return false;
        };
        match (&state.label, state.overridden) {
            (Some(label), overridden) => overridden == self.on.contains(label.as_str()),
            (None, overridden) => overridden,
        }
    }

    /// The selections below a field that the way to the node provides; `None` if it does not provide it.
    fn given(&self, node: Node, def: &TypeDef, field: &Name) -> Option<Vec<&'a [Sel]>> {
        let mut out = Vec::new();
        let mut found = false;
        for selections in self.provided.get(node.provided)? {
            provided_below(selections, def, field, &mut out, &mut found);
        }
        found.then_some(out)
    }

    fn intern(&mut self, provided: Vec<&'a [Sel]>) -> usize {
        let same = |other: &Vec<&'a [Sel]>| {
            other.len() == provided.len()
                && other
                    .iter()
                    .zip(&provided)
                    .all(|(a, b)| std::ptr::eq(a.as_ptr(), b.as_ptr()))
        };
        if let Some(index) = self.provided.iter().position(same) {
            return index;
        }
        self.provided.push(provided);
        self.provided.len() - 1
    }

    pub(super) fn requirement_holds(&mut self, merged: &'a Merged, node: Node, field: &'a FieldDef) -> bool {
        let Some(requires) = &field.requires else {
            return true;
        };
        let Some(def) = self.def(node) else { return false };
        let open = (node.graph, def.name.clone(), field.name.clone());
        if !self.open_requires.insert(open.clone()) {
            self.cut = true;
            return false;
        }
        let here = self.resolves(merged, &[node], &requires.selections);
        // What comes from elsewhere is asked for from here, and handed in by a key of this subgraph.
        let holds = here || {
            let nodes = self.closure(merged, &[node]);
            self.resolves(merged, &nodes, &requires.selections)
                && def
                    .keys
                    .iter()
                    .any(|key| self.resolves(merged, &nodes, &key.fields.selections))
        };
        self.open_requires.shift_remove(&open);
        holds
    }
}

fn provided_below<'a>(
    selections: &'a [Sel],
    def: &TypeDef,
    field: &Name,
    out: &mut Vec<&'a [Sel]>,
    found: &mut bool,
) {
    for selection in selections {
        match selection {
            Sel::Field(selected) if selected.name == *field => {
                *found = true;
                out.push(&selected.selections);
            }
            Sel::Field(_) => {}
            Sel::Fragment { on, selections } => {
                let applies = on
                    .as_ref()
                    .is_none_or(|on| *on == def.name || def.interfaces.contains(on));
                if applies {
                    provided_below(selections, def, field, out, found);
                }
            }
        }
    }
}

//! From the planner library's nodes to ours.

use std::collections::HashMap;

use hive_router_query_planner::ast::operation::SubgraphFetchOperation;
use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::SelectionSet;
use hive_router_query_planner::planner::plan_nodes::{
    BatchFetchNode, ConditionNode, FetchNode, FetchNodePathSegment, FetchRewrite, FlattenNodePathSegment,
    PlanNode, QueryPlan,
};
use hive_router_query_planner::state::supergraph_state::OperationKind;

use super::{
    Batch, Change, Conversion, Fetch, FetchKind, Node, PlainKey, Plan, PlanError, Require, Rewrite,
    RewriteStep, Step,
};
use crate::execution::data::Keys;
use crate::execution::shape::{DecodeSet, Rename};
use crate::response_cache::Keeping;
use crate::schema::TypeTable;

pub(super) struct Converter<'a> {
    keys: &'a mut Keys,
    services: &'a HashMap<String, (usize, bool)>,
    types: &'a TypeTable,
    keeping: Keeping<'a>,
    /// The path that the plan's only root field stands for.
    root_field: Option<&'a [Step]>,
}

impl<'a> Converter<'a> {
    pub(super) fn new(conversion: Conversion<'a>, root_field: Option<&'a [Step]>) -> Self {
        let Conversion {
            keys,
            services,
            types,
            keeping,
            ..
        } = conversion;
        Self {
            keys,
            services,
            types,
            keeping,
            root_field,
        }
    }

    pub(super) fn plan(mut self, plan: QueryPlan) -> Result<Plan, PlanError> {
        let root = plan.node.map(|node| self.node(node, Vec::new())).transpose()?;
        let mut plan = Plan { root };
        decide_sharing(std::slice::from_mut(&mut plan));
        Ok(plan)
    }

    fn node(&mut self, node: PlanNode, path: Vec<Step>) -> Result<Node, PlanError> {
        match node {
            PlanNode::Fetch(fetch) => self.fetch(fetch, path),
            PlanNode::BatchFetch(fetch) => self.batch_fetch(fetch),
            PlanNode::Sequence(sequence) => Ok(Node::Sequence(self.nodes(sequence.nodes)?)),
            PlanNode::Parallel(parallel) => Ok(Node::Parallel(self.nodes(parallel.nodes)?)),
            PlanNode::Flatten(flatten) => {
                let path = self.path(flatten.path.as_slice());
                self.node(*flatten.node, path)
            }
            PlanNode::Condition(condition) => self.condition(condition, path),
            PlanNode::Subscription(subscription) => self.fetch(subscription.primary, path),
            PlanNode::Defer(_) => Err(PlanError::NotSupported("@defer")),
        }
    }

    fn nodes(&mut self, nodes: Vec<PlanNode>) -> Result<Vec<Node>, PlanError> {
        nodes
            .into_iter()
            .map(|node| self.node(node, Vec::new()))
            .collect()
    }

    fn condition(&mut self, condition: ConditionNode, path: Vec<Step>) -> Result<Node, PlanError> {
        // A path stands above a single fetch only, so it goes to one of the two.
        let mut paths = [Some(path), None];
        let mut clause = |node: Option<Box<PlanNode>>| {
            let Some(node) = node else { return Ok(None) };
            let path = paths.iter_mut().find_map(Option::take).unwrap_or_default();
            self.node(*node, path).map(Box::new).map(Some)
        };
        Ok(Node::Condition {
            met: clause(condition.if_clause)?,
            unmet: clause(condition.else_clause)?,
            variable: condition.condition,
        })
    }

    fn path(&mut self, path: &[FlattenNodePathSegment]) -> Vec<Step> {
        let step = |segment: &FlattenNodePathSegment| match segment {
            FlattenNodePathSegment::Field(name) => Step::Field(self.keys.intern(name)),
            FlattenNodePathSegment::TypeCondition(types) => Step::Types(types.iter().cloned().collect()),
            FlattenNodePathSegment::List => Step::List,
        };
        match self.root_field {
            None => path.iter().map(step).collect(),
            Some(before) => before
                .iter()
                .cloned()
                .chain(path.iter().skip(1).map(step))
                .collect(),
        }
    }

    fn fetch(&mut self, fetch: FetchNode, path: Vec<Step>) -> Result<Node, PlanError> {
        let renames = renames(
            fetch.output_rewrites.as_deref(),
            fetch.requires.is_some().then_some("_entities"),
        )?;
        let kind = match &fetch.requires {
            None => FetchKind::Root { path },
            Some(requires) => {
                let requires = self.entity_requires(requires, &fetch.operation, "_entities");
                let rewrites = rewrites(fetch.input_rewrites.as_deref());
                FetchKind::Entities(vec![Batch {
                    field: "_entities".to_owned(),
                    variable: "representations".to_owned(),
                    same_as: None,
                    paths: vec![path],
                    plain_key: PlainKey::of(&requires, &rewrites),
                    requires,
                    rewrites,
                }])
            }
        };
        let variables = fetch.variable_usages.into_iter().flatten().collect();
        let mutation = fetch.operation_kind == Some(OperationKind::Mutation);
        self.call(
            &fetch.service_name,
            &fetch.operation,
            variables,
            mutation,
            &renames,
            kind,
        )
    }

    fn batch_fetch(&mut self, fetch: BatchFetchNode) -> Result<Node, PlanError> {
        let mut batches: Vec<Batch> = Vec::new();
        let mut all_renames = Vec::new();
        for alias in fetch.entity_batch.aliases {
            all_renames.extend(renames(alias.output_rewrites.as_deref(), Some(&alias.alias))?);
            let variable = alias.representations_variable_name;
            let requires = self.entity_requires(&alias.requires, &fetch.operation, &alias.alias);
            let rewrites = rewrites(alias.input_rewrites.as_deref());
            let batch = Batch {
                same_as: batches.iter().position(|earlier| earlier.variable == variable),
                field: alias.alias,
                variable,
                paths: alias
                    .merge_paths
                    .iter()
                    .map(|path| self.path(path.as_slice()))
                    .collect(),
                plain_key: PlainKey::of(&requires, &rewrites),
                requires,
                rewrites,
            };
            batches.push(batch);
        }
        let variables = fetch.variable_usages.into_iter().flatten().collect();
        let kind = FetchKind::Entities(batches);
        self.call(
            &fetch.service_name,
            &fetch.operation,
            variables,
            false,
            &all_renames,
            kind,
        )
    }

    fn call(
        &mut self,
        service: &str,
        operation: &SubgraphFetchOperation,
        variables: Vec<String>,
        mutation: bool,
        renames: &[Rename],
        kind: FetchKind,
    ) -> Result<Node, PlanError> {
        let unknown = || PlanError::Failed(format!("the plan names an unknown subgraph `{service}`"));
        let hints = self.keeping.of(service).filter(|_| !mutation);
        let caching = hints.map(|hints| hints.caching(operation, &kind, self.types));
        let (service, in_process) = self.services.get(service).copied().ok_or_else(unknown)?;
        let fragments = &operation.document.fragments;
        let fragment = |name: &str| {
            fragments
                .iter()
                .find(|f| f.name == name)
                .map(|f| &f.selection_set)
        };
        let shape = DecodeSet::of(
            &operation.document.operation.selection_set,
            &fragment,
            renames,
            self.keys,
        );
        let text = &operation.document_str;
        let parsed = in_process
            .then(|| async_graphql::parser::parse_query(text))
            .transpose()
            .map_err(|error| PlanError::Failed(format!("the planned document does not parse: {error}")))?;
        let mut body = b"{\"query\":".to_vec();
        serde_json::to_writer(&mut body, text).map_err(|error| PlanError::Failed(error.to_string()))?;
        Ok(Node::Fetch(Box::new(Fetch {
            service,
            body: body.into(),
            parsed,
            variables,
            mutation,
            shape,
            may_share: false,
            kind,
            caching,
        })))
    }

    /// What representations are made of. Where the subgraph knows an interface as an object (`@interfaceObject`), it is
    /// asked about objects of every type behind the interface: of several such types the planner names only one when it
    /// merges what is asked about them.
    fn entity_requires(
        &mut self,
        set: &SelectionSet,
        operation: &SubgraphFetchOperation,
        field: &str,
    ) -> Vec<Require> {
        let mut all = self.requires(set);
        let asked = operation
            .document
            .operation
            .selection_set
            .items
            .iter()
            .find_map(|item| match item {
                SelectionItem::Field(asked) if asked.selection_identifier() == field => {
                    Some(&asked.selections)
                }
                _ => None,
            });
        let items = asked.into_iter().flat_map(|asked| &asked.items);
        let fragments = &operation.document.fragments;
        let conditions: Vec<&String> = items
            .filter_map(|item| match item {
                SelectionItem::InlineFragment(fragment) => Some(&fragment.type_condition),
                SelectionItem::FragmentSpread(name) => fragments
                    .iter()
                    .find(|fragment| fragment.name == *name)
                    .map(|fragment| &fragment.type_condition),
                SelectionItem::Field(_) => None,
            })
            .filter(|condition| self.types.is_interface_object(condition))
            .collect();
        for require in &mut all {
            if let Require::On { condition, .. } = require {
                let wider = conditions
                    .iter()
                    .find(|wider| self.types.satisfies(condition, wider));
                if let Some(wider) = wider {
                    condition.clone_from(wider);
                }
            }
        }
        all
    }

    fn requires(&mut self, set: &SelectionSet) -> Vec<Require> {
        let mut all = Vec::new();
        for item in &set.items {
            match item {
                // After a rename the planner writes `client: internal`: the answer holds `internal`.
                SelectionItem::Field(field) => all.push(Require::Field {
                    key: self.keys.intern(&field.name),
                    name: field.selection_identifier().to_owned(),
                    set: self.requires(&field.selections),
                }),
                SelectionItem::InlineFragment(fragment) => all.push(Require::On {
                    condition: fragment.type_condition.clone(),
                    set: self.requires(&fragment.selections),
                }),
                SelectionItem::FragmentSpread(_) => {}
            }
        }
        all
    }
}

/// Decides whether the answers of plans that work on the same tree may share objects.
pub(super) fn decide_sharing(plans: &mut [Plan]) {
    let mut by_type = false;
    let mut nodes: Vec<&mut Node> = plans.iter_mut().filter_map(|plan| plan.root.as_mut()).collect();
    for node in &mut nodes {
        each_fetch(node, &mut |fetch| {
            by_type |= fetch.paths().any(|path| chooses_by_type(path))
        });
    }
    for node in nodes {
        each_fetch(node, &mut |fetch| fetch.may_share = !by_type);
    }
}

fn each_fetch(node: &mut Node, call: &mut dyn FnMut(&mut Fetch)) {
    match node {
        Node::Sequence(nodes) | Node::Parallel(nodes) => {
            nodes.iter_mut().for_each(|node| each_fetch(node, call))
        }
        Node::Condition { met, unmet, .. } => {
            let clauses = [met, unmet].into_iter().flatten();
            clauses.for_each(|node| each_fetch(node, call));
        }
        Node::Fetch(fetch) => call(fetch),
    }
}

/// Whether a path goes on below objects of certain types only.
fn chooses_by_type(path: &[Step]) -> bool {
    let types = path.iter().position(|step| matches!(step, Step::Types(_)));
    let below = types.and_then(|types| path.get(types..)).unwrap_or_default();
    below.iter().any(|step| matches!(step, Step::Field(_)))
}

fn renames(rewrites: Option<&[FetchRewrite]>, below: Option<&str>) -> Result<Vec<Rename>, PlanError> {
    let rename = |rewrite: &FetchRewrite| {
        let FetchRewrite::KeyRenamer(renamer) = rewrite else {
            return Err(PlanError::NotSupported("a value set in an answer"));
        };
        let steps = renamer.path.iter().filter_map(|step| match step {
            FetchNodePathSegment::Key(key) => Some(key.clone()),
            FetchNodePathSegment::TypenameEquals(_) => None,
        });
        let path = below.map(str::to_owned).into_iter().chain(steps).collect();
        Ok(Rename {
            path,
            to: renamer.rename_key_to.clone(),
        })
    };
    rewrites.unwrap_or_default().iter().map(rename).collect()
}

fn rewrites(rewrites: Option<&[FetchRewrite]>) -> Vec<Rewrite> {
    let steps = |path: &[FetchNodePathSegment]| {
        let step = |segment: &FetchNodePathSegment| match segment {
            FetchNodePathSegment::Key(key) => RewriteStep::Key(key.clone()),
            FetchNodePathSegment::TypenameEquals(types) => {
                RewriteStep::Types(types.iter().cloned().collect())
            }
        };
        path.iter().map(step).collect()
    };
    let rewrite = |rewrite: &FetchRewrite| match rewrite {
        FetchRewrite::ValueSetter(setter) => Rewrite {
            path: steps(&setter.path),
            change: Change::Set(setter.set_value_to.clone()),
        },
        FetchRewrite::KeyRenamer(renamer) => Rewrite {
            path: steps(&renamer.path),
            change: Change::Rename(renamer.rename_key_to.clone()),
        },
    };
    rewrites.unwrap_or_default().iter().map(rewrite).collect()
}

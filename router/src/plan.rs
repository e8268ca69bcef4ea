//! Query planning: the only module that knows the planner library, and what comes out of it, made ready to run.

mod convert;
mod entry;

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::time::Duration;

use apollo_compiler::Name;
use apollo_compiler::executable::SelectionSet;
use bytes::Bytes;
use hive_router_query_planner::ast::normalization::normalize_operation;
use hive_router_query_planner::graph::{OverrideLabel, PlannerOverrideContext};
use hive_router_query_planner::planner::plan_nodes::QueryPlan;
use hive_router_query_planner::planner::{Planner as Library, QueryPlannerOptions};
use hive_router_query_planner::utils::cancellation::CancellationToken;
use hive_router_query_planner::utils::parsing::{safe_parse_operation, safe_parse_schema};

use crate::execution::data::{Key, Keys};
use crate::execution::shape::DecodeSet;
use crate::overrides::{Draw, Shares};
use crate::response_cache::{Caching, Keeping};
use crate::schema::{LoadError, TypeTable};

/// Makes plans for one supergraph.
pub(crate) struct Planner {
    library: Library,
    timeout: Duration,
    supergraph_sdl: Box<str>,
    /// Of the labels of progressive overrides.
    shares: Shares,
    /// Made when the first operation defers something; `None` if that cannot be.
    entries: OnceLock<Option<Entries>>,
}

/// Plans that begin at an entity instead of at the root.
struct Entries {
    library: Library,
    fields: HashMap<String, Vec<Name>>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    /// The library says no.
    #[error("planning failed: {0}")]
    Failed(String),
    /// The library's parser does not take so much nesting.
    #[error("nested too deep: {0}")]
    TooDeep(String),
    /// The library panicked.
    #[error("the planner panicked: {0}")]
    Panicked(String),
    /// The plan holds something that is not executed here.
    #[error("not supported: {0}")]
    NotSupported(&'static str),
}

/// What has to be asked of whom, and in which order.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Nothing, if the operation asks nothing of any subgraph.
    pub(crate) root: Option<Node>,
}

/// A step of a plan.
#[derive(Debug)]
pub(crate) enum Node {
    /// One after the other.
    Sequence(Vec<Node>),
    /// All at once.
    Parallel(Vec<Node>),
    /// By the value of a Boolean variable.
    Condition {
        /// Its name.
        variable: String,
        /// What to do if it is true.
        met: Option<Box<Node>>,
        /// What to do if it is not.
        unmet: Option<Box<Node>>,
    },
    /// One call of one subgraph.
    Fetch(Box<Fetch>),
}

/// One call of one subgraph.
#[derive(Debug)]
pub(crate) struct Fetch {
    /// Which subgraph: its position in the engine.
    pub(crate) service: usize,
    /// `{"query":"…"`, the beginning of the request's body.
    pub(crate) body: Bytes,
    /// The document, parsed, for subgraphs in this process.
    pub(crate) parsed: Option<async_graphql::parser::types::ExecutableDocument>,
    /// The client's variables that it uses.
    pub(crate) variables: Vec<String>,
    /// Whether the call changes something: such a call is never sent twice.
    pub(crate) mutation: bool,
    /// What `data` of the answer looks like.
    pub(crate) shape: DecodeSet,
    /// Whether equal objects of the answer may be one: no step of the plan goes to some of them for what is above them.
    pub(crate) may_share: bool,
    /// What is asked for, and where it belongs.
    pub(crate) kind: FetchKind,
    /// How answers are kept; `None` if they are not.
    pub(crate) caching: Option<Caching>,
}

/// What is asked for, and where it belongs.
#[derive(Debug)]
pub(crate) enum FetchKind {
    /// Root fields; they belong to every object at the path, which is mostly the root itself.
    Root {
        /// From the root.
        path: Vec<Step>,
    },
    /// More about objects that are there already.
    Entities(Vec<Batch>),
}

/// Objects of one kind about which more is asked.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The name of the list in the answer: `_entities` or its alias.
    pub(crate) field: String,
    /// The variable that takes the representations.
    pub(crate) variable: String,
    /// The earlier batch of the same call whose variable this is, too.
    pub(crate) same_as: Option<usize>,
    /// Where the objects are.
    pub(crate) paths: Vec<Vec<Step>>,
    /// What a representation is made of.
    pub(crate) requires: Vec<Require>,
    /// Changes to the representations.
    pub(crate) rewrites: Vec<Rewrite>,
    /// The same as both, if it is that simple.
    pub(crate) plain_key: Option<PlainKey>,
}

/// A representation of fields without fields, of objects of one type, as they are.
#[derive(Debug, PartialEq)]
pub(crate) struct PlainKey {
    /// The type.
    pub(crate) condition: String,
    /// The same as JSON.
    pub(crate) condition_json: Box<[u8]>,
    /// What is written before each value, and where the value is in the answer so far.
    pub(crate) fields: Vec<(Box<[u8]>, Key)>,
}

/// One step on the way from the root to objects.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Into a field.
    Field(Key),
    /// Into every item of a list.
    List,
    /// Only objects of these types.
    Types(Vec<String>),
}

/// A part of a representation.
#[derive(Debug, PartialEq)]
pub(crate) enum Require {
    /// A field.
    Field {
        /// Where it is in the answer so far.
        key: Key,
        /// What the subgraph calls it.
        name: String,
        /// What of it; empty for a leaf.
        set: Vec<Require>,
    },
    /// Fields of objects of one type.
    On {
        /// The type.
        condition: String,
        /// The fields.
        set: Vec<Require>,
    },
}

/// A change to representations.
#[derive(Debug, PartialEq)]
pub(crate) struct Rewrite {
    /// Which field.
    pub(crate) path: Vec<RewriteStep>,
    /// What happens to it.
    pub(crate) change: Change,
}

/// One step on the way to the field that changes.
#[derive(Debug, PartialEq)]
pub(crate) enum RewriteStep {
    /// Into a field; lists are passed through.
    Key(String),
    /// Only objects of these types.
    Types(Vec<String>),
}

/// What happens to a field of a representation.
#[derive(Debug, PartialEq)]
pub(crate) enum Change {
    /// It is this text.
    Set(String),
    /// It has this name.
    Rename(String),
}

impl PlainKey {
    fn of(requires: &[Require], rewrites: &[Rewrite]) -> Option<Self> {
        let ([Require::On { condition, set }], []) = (requires, rewrites) else {
            return None;
        };
        let mut fields: Vec<(Box<[u8]>, Key)> = Vec::new();
        let mut names = HashSet::new();
        for require in set {
            let Require::Field { key, name, set } = require else {
                return None;
            };
            if !set.is_empty() || !names.insert(name) {
                return None;
            }
            let before = if fields.is_empty() { '{' } else { ',' };
            fields.push((format!("{before}\"{name}\":").into_bytes().into(), *key));
        }
        (!fields.is_empty()).then(|| Self {
            condition_json: format!("\"{condition}\"").into_bytes().into(),
            condition: condition.clone(),
            fields,
        })
    }
}

impl Fetch {
    /// Every path that leads to what is asked about.
    fn paths(&self) -> impl Iterator<Item = &Vec<Step>> {
        let (root, batches) = match &self.kind {
            FetchKind::Root { path } => (Some(path), &[][..]),
            FetchKind::Entities(batches) => (None, batches.as_slice()),
        };
        root.into_iter()
            .chain(batches.iter().flat_map(|batch| &batch.paths))
    }
}

impl Plan {
    /// Of a subscription: the call whose answers are its events. It comes first.
    pub(crate) fn source(&self) -> Option<&Fetch> {
        let mut node = self.root.as_ref()?;
        while let Node::Sequence(nodes) = node {
            node = nodes.first()?;
        }
        match node {
            Node::Fetch(fetch) => Some(fetch),
            _ => None,
        }
    }

    /// Makes plans fit to work on the same tree.
    pub(crate) fn join(plans: &mut [Self]) {
        convert::decide_sharing(plans);
    }
}

/// What turning plans of the library into ours needs.
pub(crate) struct Conversion<'a> {
    /// Response keys.
    pub(crate) keys: &'a mut Keys,
    /// By subgraph name: its position, and whether it lives in this process.
    pub(crate) services: &'a HashMap<String, (usize, bool)>,
    /// The supergraph's types.
    pub(crate) types: &'a TypeTable,
    /// What is kept of answers.
    pub(crate) keeping: Keeping<'a>,
    /// What the request has drawn.
    pub(crate) draw: &'a Draw,
}

impl Planner {
    /// Reads the supergraph.
    pub(crate) fn new(supergraph_sdl: &str, timeout: Duration, shares: Shares) -> Result<Self, LoadError> {
        let library = library(supergraph_sdl).map_err(|error| LoadError::Planner(error.to_string()))?;
        let known = &library.supergraph.progressive_overrides.flags;
        for label in shares.labels().filter(|label| !known.contains(*label)) {
            tracing::warn!(
                label,
                "the supergraph has no `@override` with a label for which a share is set"
            );
        }
        Ok(Self {
            library,
            timeout,
            shares,
            supergraph_sdl: supergraph_sdl.into(),
            entries: OnceLock::new(),
        })
    }

    /// Plans a document of one valid operation.
    pub(crate) fn plan(&self, document: &str, conversion: Conversion<'_>) -> Result<Plan, PlanError> {
        let plan = self.ask(&self.library, document, conversion.draw)?;
        convert::Converter::new(conversion, None).plan(plan)
    }

    /// How many calls a document of one valid operation takes.
    pub(crate) fn calls(&self, document: &str, draw: &Draw) -> Result<usize, PlanError> {
        let plan = self.ask(&self.library, document, draw)?;
        Ok(plan.node.as_ref().map_or(0, entry::calls))
    }

    /// The root fields from which [`Self::plan_from`] can begin to ask about objects of that type, each by another key;
    /// empty if they are no entities.
    pub(crate) fn entries(&self, type_name: &str) -> &[Name] {
        let fields = self.entered().map(|entries| &entries.fields);
        let fields = fields.and_then(|fields| fields.get(type_name));
        fields.map(Vec::as_slice).unwrap_or_default()
    }

    /// Plans a query of one root field, one of [`Self::entries`], for the objects at a path of another plan. Gives what
    /// that plan has to fetch of each of the objects before.
    pub(crate) fn plan_from(
        &self,
        document: &str,
        path: &[Step],
        conversion: Conversion<'_>,
    ) -> Result<(Plan, SelectionSet), PlanError> {
        let entries = self
            .entered()
            .ok_or(PlanError::NotSupported("plans from an entity"))?;
        let plan = self.ask(&entries.library, document, conversion.draw)?;
        let (needed, rest) = entry::take_off(plan)?;
        let plan = convert::Converter::new(conversion, Some(path)).plan(rest)?;
        Ok((plan, needed))
    }

    fn entered(&self) -> Option<&Entries> {
        let made = self.entries.get_or_init(|| {
            let entries = entry::add(&self.supergraph_sdl)?;
            match library(&entries.sdl) {
                Ok(library) => Some(Entries {
                    library,
                    fields: entries.fields,
                }),
                Err(error) => {
                    tracing::warn!(%error, "nothing can be deferred with this supergraph");
                    None
                }
            }
        });
        made.as_ref()
    }

    fn ask(&self, library: &Library, document: &str, draw: &Draw) -> Result<QueryPlan, PlanError> {
        let plan = guarded(|| {
            // It is valid, so there is nothing else that could be wrong with it.
            let document = safe_parse_operation(document).map_err(|e| PlanError::TooDeep(e.to_string()))?;
            let normalized = normalize_operation(&library.supergraph, &document, None)
                .map_err(|e| PlanError::Failed(e.to_string()))?;
            let (shares, draw) = (self.shares.clone(), draw.clone());
            let overrides = PlannerOverrideContext::deciding(move |label| {
                draw.is_below(match label {
                    OverrideLabel::Custom(label) => shares.of(label),
                    OverrideLabel::Percentage(share) => *share,
                })
            });
            let cancellation = CancellationToken::with_timeout(self.timeout);
            library
                .plan_from_normalized_operation(normalized.executable_operation(), overrides, &cancellation)
                .map_err(|e| PlanError::Failed(e.to_string()))
        })?;
        tracing::trace!(plan = %plan, "planned");
        Ok(plan)
    }
}

fn library(supergraph_sdl: &str) -> Result<Library, PlanError> {
    guarded(|| {
        let document = safe_parse_schema(supergraph_sdl).map_err(|e| PlanError::Failed(e.to_string()))?;
        Library::new_from_supergraph(&document, QueryPlannerOptions::default())
            .map_err(|e| PlanError::Failed(e.to_string()))
    })
}

/// The library panics on some strange input; that must stay the trouble of one request.
fn guarded<T>(work: impl FnOnce() -> Result<T, PlanError>) -> Result<T, PlanError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(PlanError::Panicked(text.unwrap_or("no message").to_owned()))
    })
}

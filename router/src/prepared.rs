//! A document made ready: parsed, validated and measured once; planned once for every case of it.
//!
//! A case is a set of fields that the caller may not see, which for most callers is none, and the values of the
//! variables in `@skip`, `@include` and `@defer`. A plan for one case has no conditions left in it: that is simpler to run, asks
//! subgraphs for less, and does not depend on the planner's view of conditions that overlap. Where fields move from one
//! subgraph to another, a case has a plan for each range of the numbers that requests draw.

mod cases;
mod defer;
mod kind;
mod trim;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use apollo_compiler::ast::OperationType;
use apollo_compiler::executable::{ExecutableDocument, Field, Operation, Selection, SelectionSet};
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{Name, Node};
use kernel::{ErrorCode, Principal};
use serde_json::{Map, Value};

use crate::authorization::Requirement;
use crate::config::RouterConfig;
use crate::cost::{Cost, Pricing};
use crate::error::{Code, GraphQlError, Location};
use crate::execution::data::Keys;
use crate::limits;
use crate::overrides::{Draw, Drawing};
use crate::plan::{Conversion, Plan, PlanError, Planner};
use crate::response_cache::Keeping;
use crate::schema::Supergraph;
use crate::selection::{Case, Selections};
use cases::Cases;
pub(crate) use cases::Unknown;
pub(crate) use defer::Deferred;
pub use kind::OperationKind;

/// Deeper nesting of a document's text is refused while it is parsed; guards the stack.
const RECURSION_LIMIT: usize = 200;

/// One operation, ready to run with any variables for any caller.
pub struct Prepared {
    document: Arc<Valid<ExecutableDocument>>,
    operation: Node<Operation>,
    /// Whether it asks for `__schema` or `__type`.
    introspects: bool,
    /// What a caller must meet, and which fields (declared type, field) they lose if not.
    guards: Vec<(Requirement, Vec<(Name, Name)>)>,
    /// The variables of `@skip`, `@include` and `@defer`.
    switches: Vec<Name>,
    /// Whether it has a `@defer` that this router heeds.
    defers: bool,
    cases: Cases,
}

/// A plan with the shape of the answer; both speak of response keys by the same numbers.
pub(crate) struct Compiled {
    pub(crate) keys: Keys,
    pub(crate) selections: Selections,
    pub(crate) plan: Plan,
    /// If costs are of interest.
    pub(crate) cost: Option<Cost>,
    /// The fragments that come later, by number.
    pub(crate) deferred: Vec<Deferred>,
    /// How many bytes the last answer took.
    pub(crate) length: AtomicUsize,
    /// Of what requests draw, with which numbers it holds.
    numbers: Range<u64>,
}

/// What is needed to make operations ready.
pub(crate) struct Compiler {
    pub(crate) supergraph: Supergraph,
    pub(crate) planner: Planner,
    pub(crate) config: RouterConfig,
    /// By subgraph name: its position, and whether it lives in this process.
    pub(crate) services: HashMap<String, (usize, bool)>,
}

impl Prepared {
    /// What the operation does.
    pub fn kind(&self) -> OperationKind {
        match self.operation.operation_type {
            OperationType::Query => OperationKind::Query,
            OperationType::Mutation => OperationKind::Mutation,
            OperationType::Subscription => OperationKind::Subscription,
        }
    }

    /// The operation's name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.operation.name.as_ref().map(Name::as_str)
    }

    /// The whole document.
    pub fn document(&self) -> &Valid<ExecutableDocument> {
        &self.document
    }

    /// The operation with its types: variables, and the selection with the definition of every field.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Why a caller may not ask it, whatever the variables are.
    pub(crate) fn refusal(&self, principal: &Principal, config: &RouterConfig) -> Option<GraphQlError> {
        let may_introspect = config.introspection.of(principal).copied().unwrap_or(true);
        (self.introspects && !may_introspect)
            .then(|| GraphQlError::new(ErrorCode::Forbidden, "introspection is not for this caller"))
    }

    /// Whether its answer may come in parts.
    pub(crate) fn defers(&self) -> bool {
        self.defers
    }

    /// The plan and shape for a caller and variables, if they have been made already; else what makes them. `in_parts`
    /// says whether the answer may come in parts.
    pub(crate) fn compiled(
        &self,
        principal: &Principal,
        variables: &Map<String, Value>,
        in_parts: bool,
        drawing: Drawing<'_>,
    ) -> Result<Arc<Compiled>, Unknown> {
        let refusal = |(number, (requirement, _)): (usize, &(Requirement, _))| {
            let code = requirement.refusal(principal)?;
            Some((number, code == ErrorCode::Unauthenticated))
        };
        let refused = self.guards.iter().enumerate().filter_map(refusal).collect();
        let case = (refused, self.switches_on(variables), in_parts && self.defers);
        self.cases.find(case, drawing)
    }

    /// What the operation costs at most with these variables for who may see all of it; `None` where costs are of no
    /// interest, or where the variables make a case that nobody has asked yet.
    pub fn estimate(&self, variables: &Map<String, Value>) -> Option<u64> {
        let case = (Vec::new(), self.switches_on(variables), false);
        let compiled = self.cases.any(&case)?;
        Some(compiled.cost.as_ref()?.price(variables).estimate)
    }

    fn switches_on(&self, variables: &Map<String, Value>) -> Vec<bool> {
        let is_on = |name: &Name| variables.get(name.as_str()) == Some(&Value::Bool(true));
        self.switches.iter().map(is_on).collect()
    }

    /// Makes the plan and shape of a case.
    pub(crate) fn compile(
        &self,
        compiler: &Compiler,
        unknown: Unknown,
    ) -> Result<Arc<Compiled>, GraphQlError> {
        let (refused, switches, in_parts) = &unknown.case;
        let mut case = Case {
            defers: *in_parts,
            rate_limit_on: compiler.supergraph.rate_limit_on.clone(),
            ..Case::default()
        };
        for (number, nobody) in refused {
            let code = if *nobody {
                ErrorCode::Unauthenticated
            } else {
                ErrorCode::Forbidden
            };
            let fields = self
                .guards
                .get(*number)
                .into_iter()
                .flat_map(|(_, fields)| fields);
            case.denied.extend(fields.map(|field| (field.clone(), code)));
        }
        let on = self.switches.iter().zip(switches).filter(|(_, is_on)| **is_on);
        case.truths.extend(on.map(|(name, _)| name.clone()));
        let compiled = Arc::new(compiler.compile(&self.document, &self.operation, &case, unknown.number)?);
        self.cases.keep(unknown, &compiled);
        Ok(compiled)
    }
}

impl Compiler {
    /// Parses and validates a document.
    pub(crate) fn document(&self, text: &str) -> Result<Arc<Valid<ExecutableDocument>>, Vec<GraphQlError>> {
        let mut parser = Parser::new()
            .token_limit(self.config.limits.max_tokens)
            .recursion_limit(RECURSION_LIMIT);
        let ast = parser
            .parse_ast(text, "operation.graphql")
            .map_err(|e| diagnostics(Code::ParseFailed, &e.errors))?;
        let document = ast
            .to_executable_validate(&self.supergraph.api)
            .map_err(|e| diagnostics(Code::ValidationFailed, &e.errors))?;
        Ok(Arc::new(document))
    }

    /// Makes one operation of a document ready.
    pub(crate) fn prepare(
        &self,
        document: &Arc<Valid<ExecutableDocument>>,
        operation_name: Option<&str>,
    ) -> Result<Prepared, Vec<GraphQlError>> {
        let operation = document.operations.get(operation_name).map_err(|error| {
            vec![GraphQlError::new(
                Code::OperationResolutionFailure,
                error.message().to_string(),
            )]
        })?;
        let mut errors = limits::check(document, operation, &self.config.limits);
        if errors.is_empty() {
            errors = self.refused_fields(document, operation);
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let prepared = Prepared {
            introspects: introspects(document, operation),
            guards: self.guards(document, operation),
            switches: switches(document, operation),
            defers: defers(document, operation),
            document: document.clone(),
            operation: operation.clone(),
            cases: Cases::default(),
        };
        // The most usual case: a caller who may see everything, with the variables' defaults, fields where they were.
        let is_on = |name: &Name| {
            let definition = operation.variables.iter().find(|variable| variable.name == *name);
            definition
                .and_then(|it| it.default_value.as_ref()?.to_bool())
                .unwrap_or(false)
        };
        let case = (Vec::new(), prepared.switches.iter().map(is_on).collect(), false);
        prepared
            .compile(self, Unknown::unmoved(case))
            .map_err(|error| vec![error])?;
        Ok(prepared)
    }

    fn compile(
        &self,
        document: &Valid<ExecutableDocument>,
        operation: &Node<Operation>,
        case: &Case,
        number: u64,
    ) -> Result<Compiled, GraphQlError> {
        let draw = Draw::of(number);
        if case.defers
            && let Some(compiled) = self.compile_deferred(document, operation, case, &draw)?
        {
            return Ok(compiled);
        }
        let mut keys = Keys::new();
        let selections = self.selections(document, operation, &mut keys, case)?;
        let first = trim::selections(document, operation, case, &self.supergraph.types);
        let plan = match trim::text(operation, operation.operation_type, first) {
            None => Plan::default(),
            Some(text) => {
                let conversion = self.conversion(&mut keys, &draw);
                self.planner.plan(&text, conversion).map_err(plan_error)?
            }
        };
        Ok(Compiled {
            keys,
            selections,
            plan,
            cost: self.cost(document, operation, case)?,
            deferred: Vec::new(),
            length: AtomicUsize::new(0),
            numbers: draw.same(),
        })
    }

    fn selections(
        &self,
        document: &ExecutableDocument,
        operation: &Operation,
        keys: &mut Keys,
        case: &Case,
    ) -> Result<Selections, GraphQlError> {
        let possible = |name: &Name| self.possible_types(name);
        let api = &self.supergraph.api;
        Selections::of(api, &possible, document, operation, keys, case, self.max_work())
    }

    fn cost(
        &self,
        document: &ExecutableDocument,
        operation: &Operation,
        case: &Case,
    ) -> Result<Option<Cost>, GraphQlError> {
        let pricing = Pricing {
            schema: &self.supergraph.api,
            weights: &self.supergraph.weights,
            possible: &|name: &Name| self.possible_types(name),
            list_size: self.config.demand.list_size.into(),
            max_fields: self.max_work(),
        };
        let is_priced = self.config.counts_costs();
        is_priced
            .then(|| pricing.of(document, operation, case))
            .transpose()
    }

    /// So many selections are looked at, each as often as it is spread.
    fn max_work(&self) -> usize {
        self.config.limits.max_fields.saturating_mul(8)
    }

    fn conversion<'k>(&'k self, keys: &'k mut Keys, draw: &'k Draw) -> Conversion<'k> {
        Conversion {
            keys,
            services: &self.services,
            types: &self.supergraph.types,
            keeping: Keeping {
                hints: &self.supergraph.hints,
                config: &self.config.response_cache,
            },
            draw,
        }
    }

    fn possible_types(&self, name: &Name) -> Vec<Name> {
        use apollo_compiler::schema::ExtendedType;
        match self.supergraph.api.types.get(name) {
            Some(ExtendedType::Object(_)) => vec![name.clone()],
            Some(ExtendedType::Union(union)) => {
                union.members.iter().map(|member| member.name.clone()).collect()
            }
            _ => {
                let implementers = self.supergraph.implementers.get(name);
                implementers
                    .map(|all| all.objects.iter().cloned().collect())
                    .unwrap_or_default()
            }
        }
    }

    /// What validation lets through and is not done here.
    fn refused_fields(&self, document: &ExecutableDocument, operation: &Operation) -> Vec<GraphQlError> {
        let mut errors = Vec::new();
        each_field(document, &operation.selection_set, &mut |_, field| {
            if field.alias.as_ref().is_some_and(|alias| alias.starts_with("__")) {
                let message = "aliases that begin with `__` are reserved";
                errors.push(GraphQlError::new(Code::ValidationFailed, message));
            }
        });
        errors.truncate(20);
        errors
    }

    fn guards(
        &self,
        document: &ExecutableDocument,
        operation: &Operation,
    ) -> Vec<(Requirement, Vec<(Name, Name)>)> {
        let mut guards: HashMap<Requirement, HashSet<(Name, Name)>> = HashMap::new();
        if self.supergraph.access.is_empty() {
            return Vec::new();
        }
        each_field(document, &operation.selection_set, &mut |set, field| {
            let returns = field.ty().inner_named_type();
            for requirement in
                self.supergraph
                    .access
                    .of_field(&self.supergraph.api, &set.ty, &field.name, returns)
            {
                let fields = guards.entry(requirement.clone()).or_default();
                fields.insert((set.ty.clone(), field.name.clone()));
            }
        });
        guards
            .into_iter()
            .map(|(requirement, fields)| (requirement, fields.into_iter().collect()))
            .collect()
    }
}

fn introspects(document: &ExecutableDocument, operation: &Operation) -> bool {
    let mut found = false;
    each_field(document, &operation.selection_set, &mut |_, field| {
        found |= field.name == "__schema" || field.name == "__type";
    });
    found
}

/// Whether the operation has a `@defer` that this router heeds.
fn defers(document: &ExecutableDocument, operation: &Operation) -> bool {
    let mut defers = false;
    each_selection(document, &operation.selection_set, &mut |_, selection| {
        defers |= selection.directives().has("defer");
    });
    defers && operation.operation_type != OperationType::Subscription
}

/// The variables of `@skip`, `@include` and `@defer`.
fn switches(document: &ExecutableDocument, operation: &Operation) -> Vec<Name> {
    let mut switches = Vec::new();
    each_selection(document, &operation.selection_set, &mut |_, selection| {
        for directive in selection
            .directives()
            .iter()
            .filter(|it| ["skip", "include", "defer"].contains(&it.name.as_str()))
        {
            let value = directive.specified_argument_by_name("if");
            if let Some(variable) = value
                .and_then(|value| value.as_variable())
                .filter(|it| !switches.contains(*it))
            {
                switches.push(variable.clone());
            }
        }
    });
    switches
}

/// Calls back for every field of the operation and of the fragments that it uses, each fragment once.
fn each_field<'d>(
    document: &'d ExecutableDocument,
    set: &'d SelectionSet,
    call: &mut dyn FnMut(&'d SelectionSet, &'d Field),
) {
    each_selection(document, set, &mut |set, selection| {
        if let Selection::Field(field) = selection {
            call(set, field);
        }
    });
}

/// Calls back for every selection of the operation and of the fragments that it uses, each fragment once.
fn each_selection<'d>(
    document: &'d ExecutableDocument,
    set: &'d SelectionSet,
    call: &mut dyn FnMut(&'d SelectionSet, &'d Selection),
) {
    let mut seen = HashSet::new();
    let mut stack = vec![set];
    while let Some(set) = stack.pop() {
        for selection in &set.selections {
            call(set, selection);
            match selection {
                Selection::Field(field) => stack.push(&field.selection_set),
                Selection::InlineFragment(fragment) => stack.push(&fragment.selection_set),
                Selection::FragmentSpread(spread) => {
                    let fragment = document.fragments.get(&spread.fragment_name);
                    if let Some(fragment) = fragment.filter(|_| seen.insert(&spread.fragment_name)) {
                        stack.push(&fragment.selection_set);
                    }
                }
            }
        }
    }
}

fn plan_error(error: PlanError) -> GraphQlError {
    match error {
        PlanError::NotSupported(what) => GraphQlError::new(
            Code::NotSupported,
            format!("this router does not do this yet: {what}"),
        ),
        PlanError::TooDeep(_) => {
            tracing::debug!(%error, "an operation could not be planned");
            let message = "the operation's fields, fragments and arguments are nested too deep";
            GraphQlError::new(ErrorCode::CostLimitExceeded, message)
        }
        PlanError::Failed(_) | PlanError::Panicked(_) => {
            tracing::error!(%error, "an operation could not be planned");
            GraphQlError::internal()
        }
    }
}

fn diagnostics(code: Code, list: &DiagnosticList) -> Vec<GraphQlError> {
    let mut errors = Vec::new();
    for diagnostic in list.iter().take(20) {
        let mut error = GraphQlError::new(code, diagnostic.error.to_string());
        let place = diagnostic.line_column_range();
        error.locations.extend(place.map(|place| Location {
            line: place.start.line,
            column: place.start.column,
        }));
        errors.push(error);
    }
    errors
}

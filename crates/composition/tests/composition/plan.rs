//! Loads supergraphs into the planner that the router uses, and plans queries.

use composition::Composed;
use hive_router_query_planner::ast::normalization::normalize_operation;
use hive_router_query_planner::graph::PlannerOverrideContext;
use hive_router_query_planner::planner::{Planner, QueryPlannerOptions};
use hive_router_query_planner::utils::cancellation::CancellationToken;
use hive_router_query_planner::utils::parsing::{safe_parse_operation, safe_parse_schema};

/// The plan as text; a supergraph or query that the planner refuses fails the test.
pub(crate) fn plan(composed: &Composed, query: &str) -> String {
    try_plan(composed, query).unwrap_or_else(|error| panic!("cannot plan {query}: {error}"))
}

/// The plan as text, or what the planner has against the query; the supergraph must load.
pub(crate) fn try_plan(composed: &Composed, query: &str) -> Result<String, String> {
    let schema = safe_parse_schema(&composed.supergraph_sdl).expect("the planner parses the supergraph");
    let planner = Planner::new_from_supergraph(&schema, QueryPlannerOptions::default())
        .expect("the planner loads the supergraph");
    let document = safe_parse_operation(query).expect("the query parses");
    let normalized = normalize_operation(&planner.supergraph, &document, None).expect("the query normalises");
    let plan = planner.plan_from_normalized_operation(
        normalized.executable_operation(),
        PlannerOverrideContext::from_percentage(100.0),
        &CancellationToken::new(),
    );
    plan.map(|plan| plan.to_string())
        .map_err(|error| error.to_string())
}

/// A query for the first root field that needs no arguments, two levels deep.
pub(crate) fn simple_query(composed: &Composed) -> Option<String> {
    let schema = apollo_compiler::Schema::parse_and_validate(&composed.api_sdl, "api.graphql")
        .expect("the API schema is valid");
    let query = schema.get_object("Query")?;
    let field = query
        .fields
        .values()
        .find(|field| field.arguments.iter().all(|arg| !arg.is_required()))?;
    let selection = selection(&schema, field.ty.inner_named_type(), 3);
    Some(format!("{{ {}{selection} }}", field.name))
}

fn selection(schema: &apollo_compiler::Schema, ty: &str, depth: usize) -> String {
    use apollo_compiler::schema::ExtendedType;
    let fields = match schema.types.get(ty) {
        Some(ExtendedType::Object(object)) => &object.fields,
        Some(ExtendedType::Interface(interface)) => &interface.fields,
        Some(ExtendedType::Union(_)) => return " { __typename }".to_owned(),
        _ => return String::new(),
    };
    let mut inner = vec!["__typename".to_owned()];
    for field in fields
        .values()
        .filter(|field| field.arguments.iter().all(|arg| !arg.is_required()))
    {
        let next = field.ty.inner_named_type();
        let leaf = schema.types.get(next).is_none_or(|ty| ty.is_leaf());
        if leaf {
            inner.push(field.name.to_string());
        } else if depth > 0 {
            inner.push(format!("{}{}", field.name, selection(schema, next, depth - 1)));
        }
    }
    format!(" {{ {} }}", inner.join(" "))
}

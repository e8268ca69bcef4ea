//! Where a request has what an issue is about. Operations and subgraphs speak of arguments (`input.title`, `filter.tags`);
//! a client of REST knows the place in its body (`title`) and the names of parameters (`tags`) and headers.

use super::endpoint::Endpoint;
use super::parameter::Body;
use super::rule::Step;

/// A place in a request.
#[derive(Debug, PartialEq)]
pub(super) struct Location {
    /// The way to it: from the top of the body on, or from the name of the parameter or header on.
    pub(super) path: Vec<Step>,
    /// The parameter or header, where it is in one.
    pub(super) parameter: Option<String>,
}

/// The place that an argument, or a part of it, comes from. The way to the argument itself where nothing in the request
/// gives it a value.
pub(super) fn of_argument(endpoint: &Endpoint, argument: &[Step]) -> Location {
    let sources = sources(endpoint).filter(|source| leads_to(source.argument, argument));
    // `input.goal` may come from somewhere else than the rest of `input`.
    let nearest = sources.max_by_key(|source| source.argument.len());
    let Some(source) = nearest else {
        return Location {
            path: argument.to_vec(),
            parameter: None,
        };
    };
    let own = source.name.map(|name| Step::Field(name.to_owned()));
    let below = argument.iter().skip(source.argument.len()).cloned();
    Location {
        path: own.into_iter().chain(below).collect(),
        parameter: source.name.filter(|_| !source.in_body).map(str::to_owned),
    }
}

/// A part of a request that gives an argument its value.
struct Source<'e> {
    argument: &'e [String],
    /// Of the parameter, header or field; the body as a whole has none.
    name: Option<&'e str>,
    in_body: bool,
}

fn sources(endpoint: &Endpoint) -> impl Iterator<Item = Source<'_>> {
    let parameters = endpoint.parameters.iter().map(|parameter| Source {
        argument: &parameter.argument,
        name: Some(&parameter.name),
        in_body: false,
    });
    let in_body = endpoint.variables.iter().filter_map(|variable| {
        let name = match endpoint.body.as_ref()? {
            Body::Variable(whole) if *whole == variable.name => None,
            Body::Fields(names) if names.contains(&variable.name) => Some(variable.name.as_str()),
            _ => return None,
        };
        Some(Source {
            argument: &variable.argument,
            name,
            in_body: true,
        })
    });
    let headers = [
        (super::request::IDEMPOTENCY_KEY_NAME, &endpoint.idempotency_key),
        (super::request::IF_MATCH_NAME, &endpoint.version),
    ];
    let headers = headers.into_iter().filter_map(|(name, target)| {
        let target = target.as_ref()?;
        // What a header may give may stand in the body as well, unless it is a variable of its own.
        (target.target.len() == 1).then_some(Source {
            argument: &target.argument,
            name: Some(name),
            in_body: false,
        })
    });
    parameters.chain(in_body).chain(headers)
}

fn leads_to(source: &[String], argument: &[Step]) -> bool {
    let is_same = |(name, step): (&String, &Step)| matches!(step, Step::Field(field) if field == name);
    source.len() <= argument.len() && source.iter().zip(argument).all(is_same)
}

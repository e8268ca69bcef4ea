//! Passes headers on by rules: the client's to subgraphs, and the subgraphs' to the client.

mod owned;
mod passed;

use http::{HeaderMap, HeaderName, HeaderValue};
use regex::Regex;

use crate::config::{
    HeaderMatch, HeaderMerge, HeaderRuleError, HeaderRules, Propagate, RouterConfig, SubgraphConfig,
};
use owned::is_owned;
use passed::Field;
pub(crate) use passed::KeptField;
pub use passed::ResponseHeaders;

/// Which way headers go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the client to a subgraph.
    Request,
    /// From a subgraph to the client.
    Answer,
}

/// The rules of one subgraph, ready to be applied.
pub(crate) struct SubgraphHeaders {
    /// `None` without rules: then there is nothing to do for a request.
    requests: Option<Rules>,
    answers: Option<Rules>,
    /// What tells these rules for answers from others; empty without any.
    digest: Vec<u8>,
}

/// The rules of one direction.
struct Rules {
    direction: Direction,
    propagate: Vec<Rule>,
    remove: Vec<Names>,
    insert: Vec<(HeaderName, HeaderValue)>,
}

struct Rule {
    names: Names,
    rename: Option<Rename>,
    default: Option<HeaderValue>,
    merge: HeaderMerge,
}

enum Names {
    One(HeaderName),
    Matching(Regex),
}

enum Rename {
    To(HeaderName),
    /// With `$1` for what was matched.
    Template(String),
}

/// Checks all rules of a configuration, those of subgraphs included that the supergraph does not have.
///
/// # Errors
/// What cannot work, by its place.
pub(crate) fn check(config: &RouterConfig) -> Result<(), HeaderRuleError> {
    SubgraphHeaders::new(&config.all_subgraphs, "router.all_subgraphs")?;
    for (name, subgraph) in &config.subgraphs {
        SubgraphHeaders::new(subgraph, &format!("router.subgraphs.{name}"))?;
    }
    Ok(())
}

/// The names under which answers bring headers of subgraphs, as far as they can be told.
pub(crate) fn answered(config: &RouterConfig) -> impl Iterator<Item = HeaderName> {
    let subgraphs = config.subgraphs.values().chain([&config.all_subgraphs]);
    let names = subgraphs.flat_map(|subgraph| {
        let rules = &subgraph.response_headers;
        let propagated = rules.propagate.iter().filter_map(|rule| match &rule.matching {
            None => rule.rename.as_ref().or(rule.name.as_ref()),
            Some(_) => rule.rename.as_ref().filter(|name| !name.contains('$')),
        });
        propagated.chain(rules.insert.keys())
    });
    names.filter_map(|name| HeaderName::try_from(name).ok())
}

impl SubgraphHeaders {
    /// The rules of a subgraph, whose configuration stands at that place.
    ///
    /// # Errors
    /// What cannot work, by its place.
    pub(crate) fn new(config: &SubgraphConfig, place: &str) -> Result<Self, HeaderRuleError> {
        let requests = Rules::new(&config.headers, Direction::Request, &format!("{place}.headers"))?;
        let answers = &config.response_headers;
        let rules = Rules::new(answers, Direction::Answer, &format!("{place}.response_headers"))?;
        let digest = match &rules {
            Some(_) => serde_json::to_vec(answers).unwrap_or_default(),
            None => Vec::new(),
        };
        Ok(Self {
            requests,
            answers: rules,
            digest,
        })
    }

    /// What the subgraph is sent of the client's headers, with what is added.
    pub(crate) fn request(&self, client: &HeaderMap) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(rules) = &self.requests {
            rules.apply(client, |name, values, _| {
                values.for_each(|value| {
                    headers.append(name.clone(), value.clone());
                });
            });
        }
        headers
    }

    /// Whether anything of the subgraph's answers goes to the client.
    pub(crate) fn passes_answers(&self) -> bool {
        self.answers.is_some()
    }

    /// What the client gets of an answer's headers, with what is added.
    pub(crate) fn answer(&self, answer: &HeaderMap) -> ResponseHeaders {
        let mut headers = ResponseHeaders::default();
        if let Some(rules) = &self.answers {
            rules.apply(answer, |name, values, merge| {
                headers.add(&Field::new(name, values.cloned().collect(), merge));
            });
        }
        headers
    }

    /// Whether the subgraph may set cookies: its answers are for one client only.
    pub(crate) fn passes_cookies(&self) -> bool {
        let cookie =
            |rule: &Rule| matches!(&rule.names, Names::One(name) if *name == http::header::SET_COOKIE);
        self.answers
            .as_ref()
            .is_some_and(|rules| rules.propagate.iter().any(cookie))
    }

    /// What tells these rules for answers from others; empty without any.
    pub(crate) fn digest(&self) -> &[u8] {
        &self.digest
    }
}

impl Rules {
    fn new(rules: &HeaderRules, direction: Direction, place: &str) -> Result<Option<Self>, HeaderRuleError> {
        let propagate = rules.propagate.iter().enumerate().map(|(at, rule)| {
            let place = format!("{place}.propagate[{at}]");
            Rule::new(rule, direction, &place)
        });
        let remove = rules
            .remove
            .iter()
            .enumerate()
            .map(|(at, HeaderMatch { name, matching })| {
                let place = format!("{place}.remove[{at}]");
                names(name.as_deref(), matching.as_deref(), direction, &place)
            });
        let insert = rules.insert.iter().map(|(key, text)| {
            let place = format!("{place}.insert.{key}");
            Ok((header(key, direction, &place)?, value(text, &place)?))
        });
        let compiled = Self {
            direction,
            propagate: propagate.collect::<Result<_, _>>()?,
            remove: remove.collect::<Result<_, _>>()?,
            insert: insert.collect::<Result<_, _>>()?,
        };
        Ok((!rules.is_empty()).then_some(compiled))
    }

    /// Gives what is passed on of these headers, each name once.
    fn apply(
        &self,
        from: &HeaderMap,
        mut give: impl FnMut(&HeaderName, &mut dyn Iterator<Item = &HeaderValue>, HeaderMerge),
    ) {
        let mut given: Vec<HeaderName> = Vec::new();
        let kept_back = |name: &HeaderName| {
            self.remove.iter().any(|names| names.matches(name))
                || self.insert.iter().any(|(inserted, _)| inserted == name)
        };
        for rule in &self.propagate {
            let mut pass = |name: &HeaderName, values: &mut dyn Iterator<Item = &HeaderValue>| {
                if !given.contains(name) && !kept_back(name) {
                    give(name, values, rule.merge);
                    given.push(name.clone());
                }
            };
            match &rule.names {
                Names::One(source) => {
                    let name = rule.name(source);
                    if from.contains_key(source) && !is_nominated(from, source) {
                        pass(name, &mut from.get_all(source).iter());
                    } else if let Some(default) = &rule.default {
                        pass(name, &mut std::iter::once(default));
                    }
                }
                Names::Matching(pattern) => {
                    for source in from.keys().filter(|name| pattern.is_match(name.as_str())) {
                        if is_owned(source, self.direction, true) || is_nominated(from, source) {
                            continue;
                        }
                        let Some(name) = rule.matched(source, pattern) else {
                            continue;
                        };
                        if !is_owned(&name, self.direction, true) {
                            pass(&name, &mut from.get_all(source).iter());
                        }
                    }
                }
            }
        }
        for (name, value) in &self.insert {
            give(name, &mut std::iter::once(value), HeaderMerge::Last);
        }
    }
}

impl Rule {
    fn new(rule: &Propagate, direction: Direction, place: &str) -> Result<Self, HeaderRuleError> {
        let names = names(rule.name.as_deref(), rule.matching.as_deref(), direction, place)?;
        let is_pattern = matches!(names, Names::Matching(_));
        if is_pattern && rule.default.is_some() {
            return Err(wrong(format!("{place}.default"), "a pattern has no default"));
        }
        if direction == Direction::Request && rule.merge.is_some() {
            return Err(wrong(format!("{place}.merge"), "only answers are merged"));
        }
        let to = format!("{place}.rename");
        let rename = match &rule.rename {
            Some(template) if is_pattern && template.contains('$') => {
                Some(Rename::Template(template.clone()))
            }
            Some(name) => Some(Rename::To(header(name, direction, &to)?)),
            None => None,
        };
        let default = rule.default.as_deref();
        let default = default.map(|text| value(text, &format!("{place}.default")));
        Ok(Self {
            names,
            rename,
            default: default.transpose()?,
            merge: rule.merge.unwrap_or_default(),
        })
    }

    /// The name under which one is passed on.
    fn name<'r>(&'r self, source: &'r HeaderName) -> &'r HeaderName {
        match &self.rename {
            Some(Rename::To(name)) => name,
            _ => source,
        }
    }

    /// The same for one that was found by the pattern. `None` if what comes out is no name.
    fn matched(&self, source: &HeaderName, pattern: &Regex) -> Option<HeaderName> {
        match &self.rename {
            Some(Rename::Template(template)) => {
                let mut name = String::new();
                pattern.captures(source.as_str())?.expand(template, &mut name);
                HeaderName::try_from(name).ok()
            }
            _ => Some(self.name(source).clone()),
        }
    }
}

impl Names {
    fn matches(&self, name: &HeaderName) -> bool {
        match self {
            Self::One(own) => own == name,
            Self::Matching(pattern) => pattern.is_match(name.as_str()),
        }
    }
}

fn names(
    name: Option<&str>,
    matching: Option<&str>,
    direction: Direction,
    place: &str,
) -> Result<Names, HeaderRuleError> {
    match (name, matching) {
        (Some(name), None) => header(name, direction, &format!("{place}.name")).map(Names::One),
        (None, Some(pattern)) => {
            // The whole name, in whichever case it is written.
            let alone = Regex::new(pattern);
            let whole = alone.and_then(|_| Regex::new(&format!("(?i)^(?:{pattern})$")));
            let refused = |error: regex::Error| wrong(format!("{place}.matching"), error.to_string());
            whole.map(Names::Matching).map_err(refused)
        }
        _ => Err(wrong(place.to_owned(), "either `name` or `matching` is needed")),
    }
}

fn header(name: &str, direction: Direction, place: &str) -> Result<HeaderName, HeaderRuleError> {
    let parsed = HeaderName::try_from(name);
    let parsed =
        parsed.map_err(|_| wrong(place.to_owned(), format!("`{name}` is not the name of a header")))?;
    if is_owned(&parsed, direction, false) {
        let problem = format!("`{name}` belongs to the router or to one connection, and no rule may name it");
        return Err(wrong(place.to_owned(), problem));
    }
    Ok(parsed)
}

fn value(text: &str, place: &str) -> Result<HeaderValue, HeaderRuleError> {
    // The text is not told: it may be a secret.
    HeaderValue::try_from(text).map_err(|_| wrong(place.to_owned(), "not the value of a header"))
}

fn wrong(place: String, problem: impl Into<String>) -> HeaderRuleError {
    HeaderRuleError {
        place,
        problem: problem.into(),
    }
}

/// Whether `Connection` says that a header is for this connection only.
fn is_nominated(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get_all(http::header::CONNECTION).iter().any(|options| {
        let mut options = options.as_bytes().split(|byte| *byte == b',');
        options.any(|option| option.trim_ascii().eq_ignore_ascii_case(name.as_str().as_bytes()))
    })
}

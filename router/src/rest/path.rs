//! Path templates such as `/api/v1/habits/{id}`, and the table that finds the endpoint of a path.

use std::collections::HashMap;
use std::fmt;

use http::Method;

/// A path whose segments are words or `{name}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Word(String),
    Parameter(String),
}

/// Which endpoints there are, by path and method. Where several templates fit a path, a word wins over a
/// parameter, from left to right.
#[derive(Debug)]
pub(super) struct Routes {
    nodes: Vec<Node>,
}

/// The methods of one path, each with the number of its endpoint.
pub(super) type Methods = Vec<(Method, usize)>;

#[derive(Debug, Default)]
struct Node {
    words: HashMap<String, usize>,
    parameter: Option<usize>,
    methods: Methods,
}

impl Template {
    /// Reads a template. The error says what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix('/') else {
            return Err(format!("the path `{text}` must begin with `/`"));
        };
        let mut segments = Vec::new();
        for segment in rest.split('/') {
            let parameter = segment
                .strip_prefix('{')
                .and_then(|segment| segment.strip_suffix('}'));
            segments.push(match parameter {
                Some(name) if is_name(name) => Segment::Parameter(name.to_owned()),
                None if is_word(segment) => Segment::Word(segment.to_owned()),
                _ => return Err(format!("the path `{text}` has the segment `{segment}`: a segment is a word or a whole `{{name}}`")),
            });
        }
        let template = Self { segments };
        for (index, name) in template.parameters().enumerate() {
            if template.parameters().take(index).any(|other| other == name) {
                return Err(format!("the path `{text}` names `{{{name}}}` twice"));
            }
        }
        Ok(template)
    }

    /// The names of the parameters, from left to right.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Parameter(name) => Some(name.as_str()),
            Segment::Word(_) => None,
        })
    }

    /// The words before the first parameter.
    pub(super) fn leading_words(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().map_while(|segment| match segment {
            Segment::Word(word) => Some(word.as_str()),
            Segment::Parameter(_) => None,
        })
    }

    /// The path with values in place of the parameters; `None` where one has no value.
    pub(super) fn fill<'v>(
        &self,
        value: impl Fn(&str) -> Option<std::borrow::Cow<'v, str>>,
    ) -> Option<String> {
        let mut path = String::new();
        for segment in &self.segments {
            path.push('/');
            match segment {
                Segment::Word(word) => path.push_str(word),
                Segment::Parameter(name) => super::percent::encode_into(&value(name)?, &mut path),
            }
        }
        Some(path)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Word(word) => write!(f, "/{word}")?,
                Segment::Parameter(name) => write!(f, "/{{{name}}}")?,
            }
        }
        Ok(())
    }
}

impl Routes {
    /// No routes.
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
        }
    }

    /// Adds an endpoint. The error is the number of the endpoint that already answers the same requests.
    pub(super) fn insert(
        &mut self,
        template: &Template,
        method: &Method,
        endpoint: usize,
    ) -> Result<(), usize> {
        let mut at = 0;
        for segment in &template.segments {
            let next = self.nodes.len();
            let slot = match segment {
                Segment::Word(word) => *self.nodes[at].words.entry(word.clone()).or_insert(next),
                Segment::Parameter(_) => *self.nodes[at].parameter.get_or_insert(next),
            };
            if slot == next {
                self.nodes.push(Node::default());
            }
            at = slot;
        }
        let methods = &mut self.nodes[at].methods;
        if let Some((_, other)) = methods.iter().find(|(other, _)| other == method) {
            return Err(*other);
        }
        methods.push((method.clone(), endpoint));
        Ok(())
    }

    /// The methods of a path, and the raw texts that stand where its template has parameters.
    pub(super) fn find<'p>(&self, path: &'p str) -> Option<(&Methods, Vec<&'p str>)> {
        let mut parameters = Vec::new();
        let methods = self.walk(0, path.strip_prefix('/')?, &mut parameters)?;
        Some((methods, parameters))
    }

    fn walk<'p>(&self, at: usize, rest: &'p str, parameters: &mut Vec<&'p str>) -> Option<&Methods> {
        let node = self.nodes.get(at)?;
        let (segment, rest) = match rest.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (rest, None),
        };
        let go_on = |next: usize, parameters: &mut Vec<&'p str>| match rest {
            Some(rest) => self.walk(next, rest, parameters),
            None => self
                .nodes
                .get(next)
                .map(|node| &node.methods)
                .filter(|methods| !methods.is_empty()),
        };
        if let Some(found) = node.words.get(segment).and_then(|next| go_on(*next, parameters)) {
            return Some(found);
        }
        let next = node.parameter.filter(|_| !segment.is_empty())?;
        let depth = parameters.len();
        parameters.push(segment);
        let found = go_on(next, parameters);
        if found.is_none() {
            parameters.truncate(depth);
        }
        found
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

fn is_word(text: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_' | '~');
    !text.is_empty() && text != "." && text != ".." && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(templates: &[&str]) -> Routes {
        let mut routes = Routes::new();
        for (index, template) in templates.iter().enumerate() {
            let template = Template::parse(template).expect("a template");
            routes
                .insert(&template, &Method::GET, index)
                .expect("a free route");
        }
        routes
    }

    fn found<'p>(routes: &Routes, path: &'p str) -> Option<(usize, Vec<&'p str>)> {
        routes
            .find(path)
            .map(|(methods, parameters)| (methods[0].1, parameters))
    }

    #[test]
    fn a_word_wins_over_a_parameter_and_is_given_up_when_it_leads_nowhere() {
        let routes = routes(&[
            "/habits/{id}",
            "/habits/templates",
            "/habits/{id}/stats",
            "/habits/templates/new",
        ]);
        assert_eq!(found(&routes, "/habits/templates"), Some((1, vec![])));
        assert_eq!(found(&routes, "/habits/7"), Some((0, vec!["7"])));
        assert_eq!(
            found(&routes, "/habits/templates/stats"),
            Some((2, vec!["templates"]))
        );
        for path in [
            "/habits",
            "/habits/",
            "/habits/7/",
            "/habits//stats",
            "habits/7",
            "",
            "/",
        ] {
            assert_eq!(found(&routes, path), None, "{path}");
        }
    }

    #[test]
    fn two_endpoints_for_the_same_requests_are_refused() {
        let mut routes = routes(&["/habits/{id}"]);
        let same = Template::parse("/habits/{habitId}").expect("a template");
        assert_eq!(routes.insert(&same, &Method::GET, 1), Err(0));
        assert_eq!(routes.insert(&same, &Method::PUT, 1), Ok(()));
    }

    #[test]
    fn strange_templates_are_refused() {
        for text in [
            "",
            "habits",
            "/habits/",
            "/habits/x{id}",
            "/{a}/{a}",
            "/{}",
            "/..",
            "/a b",
            "/{1}",
        ] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}

//! Turns what a request holds into the variables of its operation. Everything wrong is told at once.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::IF_MATCH;
use serde_json::{Map, Value};

use super::endpoint::Endpoint;
use super::input::{Inputs, MOST_ISSUES};
use super::parameter::{Body, HeaderTarget, Parameter, Place};
use super::rule::{Expected, Issue, Rule, Step};
use super::{percent, place, tag};

/// The header that names a creating request, so that it may be sent again.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The headers' names as they are shown.
pub(super) const IDEMPOTENCY_KEY_NAME: &str = "Idempotency-Key";
pub(super) const IF_MATCH_NAME: &str = "If-Match";

/// The parts of a request that variables come from.
pub(super) struct Parts<'r> {
    /// The raw segments that stand where the template has parameters.
    pub(super) path: &'r [&'r str],
    /// The raw query string.
    pub(super) query: &'r str,
    pub(super) headers: &'r HeaderMap,
    /// The JSON body; `None` where there is none.
    pub(super) body: Option<Value>,
}

/// The variables, or what is wrong.
pub(super) fn variables(
    endpoint: &Endpoint,
    inputs: &Inputs,
    parts: Parts<'_>,
) -> Result<Map<String, Value>, Vec<Issue>> {
    let mut reader = Reader {
        endpoint,
        inputs,
        variables: Map::new(),
        issues: Vec::new(),
    };
    reader.path(parts.path);
    reader.query(parts.query);
    reader.body(parts.body);
    reader.headers(parts.headers);
    reader.check();
    if reader.issues.is_empty() {
        Ok(reader.variables)
    } else {
        Err(reader.issues)
    }
}

struct Reader<'r> {
    endpoint: &'r Endpoint,
    inputs: &'r Inputs,
    variables: Map<String, Value>,
    issues: Vec<Issue>,
}

impl Reader<'_> {
    fn path(&mut self, segments: &[&str]) {
        for (name, segment) in self.endpoint.template.parameters().zip(segments) {
            let of_name = |parameter: &&Parameter| parameter.place == Place::Path && parameter.name == name;
            let Some(parameter) = self.endpoint.parameters.iter().find(of_name) else {
                continue;
            };
            let read = percent::decode_segment(segment).ok_or(Rule::InvalidEncoding);
            match read.and_then(|text| self.inputs.parse(&text, parameter.index)) {
                Ok(value) => self.set(&parameter.target, value),
                Err(rule) => self.refuse_parameter(name, rule),
            }
        }
    }

    fn query(&mut self, query: &str) {
        for pair in percent::pairs(query) {
            let Some((name, text)) = pair else {
                self.refuse(Vec::new(), None, Rule::InvalidEncoding);
                continue;
            };
            let of_name = |parameter: &&Parameter| parameter.place == Place::Query && parameter.name == name;
            match self.endpoint.parameters.iter().find(of_name) {
                Some(parameter) => self.query_parameter(parameter, &text),
                None => self.refuse_parameter(&name, Rule::UnknownParameter),
            }
        }
    }

    fn query_parameter(&mut self, parameter: &Parameter, text: &str) {
        let value = match self.inputs.parse(text, parameter.index) {
            Ok(value) => value,
            Err(rule) => return self.refuse_parameter(&parameter.name, rule),
        };
        match (parameter.is_list, self.get(&parameter.target)) {
            (false, None) => self.set(&parameter.target, value),
            (false, Some(_)) => self.refuse_parameter(&parameter.name, Rule::Repeated),
            (true, Some(Value::Array(values))) => values.push(value),
            (true, _) => self.set(&parameter.target, Value::Array(vec![value])),
        }
    }

    fn body(&mut self, body: Option<Value>) {
        let endpoint = self.endpoint;
        match (&endpoint.body, body) {
            (Some(Body::Variable(name)), Some(value)) => {
                self.variables.insert(name.clone(), value);
            }
            (Some(Body::Fields(names)), Some(Value::Object(fields))) => {
                for (name, value) in fields {
                    if names.contains(&name) {
                        self.variables.insert(name, value);
                    } else {
                        self.refuse(vec![Step::Field(name)], None, Rule::UnknownField);
                    }
                }
            }
            (None, Some(Value::Object(fields))) => {
                for (name, _) in fields {
                    self.refuse(vec![Step::Field(name)], None, Rule::UnknownField);
                }
            }
            (Some(Body::Fields(_)) | None, Some(_)) => {
                self.refuse(Vec::new(), None, Rule::InvalidType(Expected::Object));
            }
            (_, None) => {}
        }
    }

    fn headers(&mut self, headers: &HeaderMap) {
        let endpoint = self.endpoint;
        if let (Some(target), Some(key)) = (&endpoint.idempotency_key, headers.get(IDEMPOTENCY_KEY)) {
            match key.to_str() {
                Ok(key) => self.header(target, IDEMPOTENCY_KEY_NAME, Value::from(key)),
                Err(_) => self.refuse_parameter(IDEMPOTENCY_KEY_NAME, Rule::InvalidEncoding),
            }
        }
        let mut conditions = headers.get_all(IF_MATCH).iter();
        if let (Some(target), Some(condition)) = (&endpoint.version, conditions.next()) {
            let condition = condition.to_str().unwrap_or_default();
            match tag::condition(condition) {
                Some(tag::Condition::Any) if conditions.next().is_none() => {}
                Some(tag::Condition::Version(version)) if conditions.next().is_none() => {
                    self.header(target, IF_MATCH_NAME, Value::from(version));
                }
                _ => self.refuse_parameter(IF_MATCH_NAME, Rule::EntityTag),
            }
        }
    }

    /// A header's value, which may be in the body too, but then the same.
    fn header(&mut self, target: &HeaderTarget, name: &'static str, value: Value) {
        match self.get(&target.target) {
            None | Some(Value::Null) => self.set(&target.target, value),
            Some(given) if *given == value => {}
            Some(_) => {
                let argument: Vec<Step> = target.argument.iter().cloned().map(Step::Field).collect();
                let place = place::of_argument(self.endpoint, &argument);
                self.refuse(place.path, Some(name), Rule::HeaderDiffers(name));
            }
        }
    }

    /// Every variable against its type.
    fn check(&mut self) {
        for variable in &self.endpoint.variables {
            let mut path: Vec<Step> = variable.argument.iter().cloned().map(Step::Field).collect();
            let mut issues = Vec::new();
            match self.variables.get_mut(&variable.name) {
                Some(value) => self.inputs.check(value, &variable.ty, &mut path, &mut issues),
                None if variable.required => issues.push(Issue {
                    path,
                    parameter: None,
                    rule: Rule::Required,
                }),
                None => {}
            }
            for issue in issues {
                let place = place::of_argument(self.endpoint, &issue.path);
                let is_there = |other: &Issue| other.path == place.path;
                // A parameter or header that is there but unreadable has been refused already.
                if issue.rule != Rule::Required || !self.issues.iter().any(is_there) {
                    self.refuse(place.path, place.parameter.as_deref(), issue.rule);
                }
            }
        }
    }

    fn get(&mut self, target: &[String]) -> Option<&mut Value> {
        let (variable, fields) = target.split_first()?;
        let mut value = self.variables.get_mut(variable)?;
        for field in fields {
            value = value.as_object_mut()?.get_mut(field)?;
        }
        Some(value)
    }

    /// Sets a value, making the objects on the way. What is there and no object stays: it is refused later.
    fn set(&mut self, target: &[String], value: Value) {
        let mut at = &mut self.variables;
        let Some((last, way)) = target.split_last() else {
            return;
        };
        for field in way {
            let next = at
                .entry(field.as_str())
                .or_insert_with(|| Value::Object(Map::new()));
            match next.as_object_mut() {
                Some(object) => at = object,
                None => return,
            }
        }
        at.insert(last.clone(), value);
    }

    /// Refuses a parameter or header.
    fn refuse_parameter(&mut self, name: &str, rule: Rule) {
        self.refuse(vec![Step::Field(name.to_owned())], Some(name), rule);
    }

    fn refuse(&mut self, path: Vec<Step>, parameter: Option<&str>, rule: Rule) {
        if self.issues.len() < MOST_ISSUES {
            self.issues.push(Issue {
                path,
                parameter: parameter.map(str::to_owned),
                rule,
            });
        }
    }
}

/// The raw query string of the next page.
pub(super) fn with_cursor(query: &str, cursor: &str) -> String {
    let mut next = String::new();
    let kept = percent::pairs(query)
        .flatten()
        .filter(|(name, _)| name != "cursor");
    for (name, value) in kept.chain([(Cow::Borrowed("cursor"), Cow::Borrowed(cursor))]) {
        if !next.is_empty() {
            next.push('&');
        }
        percent::encode_into(&name, &mut next);
        next.push('=');
        percent::encode_into(&value, &mut next);
    }
    next
}

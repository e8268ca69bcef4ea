//! REST endpoints made from GraphQL operations with `@rest`, and their OpenAPI 3.1 description.
//!
//! Operation files are validated against the API schema and compiled once ([`RestApi::load`]); a [`RestHandle`]
//! holds them together with the engine that runs them, and serves them ([`RestHandle::router`]).

mod answer;
mod cut;
mod directive;
mod docs;
mod endpoint;
mod http;
mod input;
mod load;
mod openapi;
mod parameter;
mod path;
mod percent;
mod place;
mod problem;
mod request;
mod rule;
mod tag;
#[cfg(test)]
mod tests;
mod text;
mod usage;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::{fmt, fs, io};

use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;
use kernel::Locale;
use serde_json::{Map, Value};

pub use self::directive::SDL;
use self::endpoint::Endpoint;
pub use self::http::{RestOptions, TraceId};
use self::input::Inputs;
pub use self::openapi::{Info, OpenApi};
use self::path::Routes;
use crate::{Engine, Prepared};

/// A file with operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationFile {
    /// Its path, for error messages.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// Something wrong with an operation file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub struct RestError {
    /// The file; empty where no file is to blame.
    pub file: String,
    /// The line, from 1; 0 where no line is to blame.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// The endpoints of a set of operation files.
#[derive(Debug)]
pub struct RestApi {
    schema: Valid<Schema>,
    inputs: Inputs,
    endpoints: Vec<Endpoint>,
    routes: Routes,
    others: Vec<OtherOperation>,
}

/// An operation of the files that is no endpoint.
#[derive(Debug, Clone)]
pub struct OtherOperation {
    /// Its name.
    pub name: String,
    /// `query` or `mutation`.
    pub kind: &'static str,
    /// Its text, with the fragments that it uses.
    pub text: String,
}

/// The endpoints in force. Clones share them, so that a new supergraph replaces them everywhere at once.
#[derive(Clone)]
pub struct RestHandle(Arc<RwLock<Arc<Live>>>);

/// Endpoints with the engine that runs them.
struct Live {
    api: Arc<RestApi>,
    engine: Arc<Engine>,
    /// One for every endpoint.
    prepared: Vec<Arc<Prepared>>,
    /// The OpenAPI document.
    openapi: String,
}

impl OperationFile {
    /// Reads every `*.graphql` file of a folder and of the folders in it, in the order of their paths. Paths are
    /// told from the folder on.
    ///
    /// # Errors
    /// A folder or file that cannot be read.
    pub fn read_folder(folder: &Path) -> io::Result<Vec<Self>> {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(current) = folders.pop() {
            for entry in fs::read_dir(&current)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "graphql") {
                    let text = fs::read_to_string(&path)?;
                    let path = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
                    files.push(Self { path, text });
                }
            }
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }
}

/// An operation's name with the variables of a request, or the issues that it has.
#[doc(hidden)]
pub type Mapped<'a> = (&'a str, Result<Map<String, Value>, Vec<Value>>);

impl RestApi {
    /// Reads operation files for the schema of an engine.
    ///
    /// # Errors
    /// All that is wrong, by file and line.
    pub fn load(engine: &Engine, files: &[OperationFile]) -> Result<Self, Vec<RestError>> {
        let guarded = |object: &str, field: &str| engine.requires_login(object, field);
        Self::compile(engine.api_schema(), &guarded, files)
    }

    /// Reads operation files. Fragments are shared among the files; operations without `@rest` are validated
    /// like the others, and give no endpoint. `guarded` says whether a field (of that type, with that name) is
    /// for callers who are logged in; it is used for the documentation only.
    ///
    /// # Errors
    /// All that is wrong, by file and line.
    pub fn compile(
        schema: &Valid<Schema>,
        guarded: &dyn Fn(&str, &str) -> bool,
        files: &[OperationFile],
    ) -> Result<Self, Vec<RestError>> {
        let extended = directive::extend(schema).map_err(|message| vec![RestError::global(message)])?;
        let operations = load::load(&extended, files)?;
        let mut api = Self {
            schema: schema.clone(),
            inputs: Inputs::default(),
            endpoints: Vec::new(),
            routes: Routes::new(),
            others: Vec::new(),
        };
        let mut errors = Vec::new();
        for operation in &operations {
            match endpoint::compile(schema, guarded, &mut api.inputs, operation) {
                Some(Ok(endpoint)) => api.add(endpoint, operation, &mut errors),
                Some(Err(refused)) => errors.extend(refused),
                None => api.others.push(operation.other()),
            }
        }
        errors.extend(openapi::check_examples(&api));
        if errors.is_empty() {
            return Ok(api);
        }
        errors.sort();
        Err(errors)
    }

    /// The operations of the files that are no endpoints: what clients of the platform's own ask over GraphQL.
    pub fn others(&self) -> &[OtherOperation] {
        &self.others
    }

    /// Name and text of every operation of the files.
    pub fn operations(&self) -> impl Iterator<Item = (&str, &str)> {
        let endpoints = self.endpoints.iter();
        let endpoints = endpoints.map(|endpoint| (endpoint.name.as_str(), endpoint.document.as_str()));
        let others = self.others.iter();
        endpoints.chain(others.map(|other| (other.name.as_str(), other.text.as_str())))
    }

    /// The OpenAPI 3.1 document of the endpoints.
    pub fn openapi(&self, info: &Info) -> OpenApi {
        openapi::document(self, info)
    }

    /// Method and path template of every endpoint, such as `("GET", "/api/v1/habits/{id}")`, in the order of the
    /// files.
    pub fn endpoints(&self) -> impl Iterator<Item = (&str, String)> {
        let endpoints = self.endpoints.iter();
        endpoints.map(|endpoint| (endpoint.method.as_str(), endpoint.template.to_string()))
    }

    /// The operation that a request is mapped onto, with the variables that it gives or the issues as they are told: what
    /// serving begins with, for fuzzing. `None` where there is no endpoint.
    #[doc(hidden)]
    pub fn mapped<'a>(&'a self, parts: &::http::request::Parts, body: Option<Value>) -> Option<Mapped<'a>> {
        let (methods, segments) = self.routes.find(parts.uri.path())?;
        let (_, index) = methods.iter().find(|(method, _)| *method == parts.method)?;
        let endpoint = self.endpoints.get(*index)?;
        let given = request::Parts {
            path: &segments,
            query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
            body: body.filter(|_| http::takes_body(endpoint)),
        };
        let told = |issues: Vec<rule::Issue>| issues.iter().map(|it| it.to_json(Locale::En)).collect();
        let variables = request::variables(endpoint, &self.inputs, given).map_err(told);
        Some((&endpoint.name, variables))
    }

    fn add(&mut self, endpoint: Endpoint, operation: &load::Operation, errors: &mut Vec<RestError>) {
        let number = self.endpoints.len();
        if let Err(other) = self.routes.insert(&endpoint.template, &endpoint.method, number) {
            let other = &self.endpoints[other].name;
            let place = operation.executable.operations.get(Some(&endpoint.name)).ok();
            let place = place.and_then(|operation| operation.location());
            let message = format!(
                "{} {} is the endpoint of `{other}` already",
                endpoint.method, endpoint.template
            );
            errors.push(load::error_at(&operation.ast.sources, place, message));
        }
        self.endpoints.push(endpoint);
    }

    fn first_words(&self) -> BTreeSet<&str> {
        self.endpoints
            .iter()
            .filter_map(|endpoint| endpoint.template.leading_words().next())
            .collect()
    }
}

impl RestHandle {
    /// Prepares every endpoint's operation with the engine.
    ///
    /// # Errors
    /// The operations that the engine does not take.
    pub fn new(api: Arc<RestApi>, engine: Arc<Engine>, info: &Info) -> Result<Self, Vec<RestError>> {
        Ok(Self(Arc::new(RwLock::new(Arc::new(Live::new(
            api, engine, info,
        )?)))))
    }

    /// Puts other endpoints, or the same with another engine, in force. Requests that are running end with
    /// what they began with. Paths below a new first word are not served before the next start.
    ///
    /// # Errors
    /// The operations that the engine does not take; then nothing changes.
    pub fn swap(&self, api: Arc<RestApi>, engine: Arc<Engine>, info: &Info) -> Result<(), Vec<RestError>> {
        let live = Arc::new(Live::new(api, engine, info)?);
        *self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner) = live;
        Ok(())
    }

    /// The endpoints, `/openapi.json` and the documentation page `/docs`.
    pub fn router(&self, options: RestOptions) -> axum::Router {
        http::router(self.clone(), options)
    }

    fn load(&self) -> Arc<Live> {
        self.0
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }
}

impl Live {
    fn new(api: Arc<RestApi>, engine: Arc<Engine>, info: &Info) -> Result<Self, Vec<RestError>> {
        let mut prepared = Vec::new();
        let mut errors = Vec::new();
        for endpoint in &api.endpoints {
            match engine.prepare(&endpoint.document, Some(&endpoint.name)) {
                Ok(operation) => prepared.push(operation),
                Err(refused) => errors.extend(refused.iter().map(|error| {
                    RestError::global(format!("the operation `{}`: {}", endpoint.name, error.message))
                })),
            }
        }
        let openapi = api.openapi(info).to_string();
        let live = Self {
            api,
            engine,
            prepared,
            openapi,
        };
        if errors.is_empty() { Ok(live) } else { Err(errors) }
    }
}

impl RestError {
    fn global(message: String) -> Self {
        Self {
            file: String::new(),
            line: 0,
            message,
        }
    }
}

impl fmt::Display for RestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.file.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

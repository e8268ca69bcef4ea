//! Where the variables of an endpoint come from: path, query string, body or headers.

use std::collections::HashMap;

use apollo_compiler::ast::{InputValueDefinition, Type, Value, VariableDefinition};
use apollo_compiler::executable::Operation;
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::{ExecutableDocument, Node, Schema};
use http::Method;

use super::directive::{ParamDirective, RestDirective};
use super::input::{Inputs, Named, Ty};
use super::path::Template;
use super::usage::{Usage, usages};

/// Input objects are flattened into query parameters only so deep.
const DEEPEST_FILTER: usize = 4;

/// A parameter of the path or the query string.
#[derive(Debug)]
pub(super) struct Parameter {
    /// Its name on the wire.
    pub(super) name: String,
    pub(super) place: Place,
    /// Where its value goes: the variable, and for a flattened input object the fields.
    pub(super) target: Vec<String>,
    /// The same place, seen from the operation's arguments: what subgraphs name in `issues`.
    pub(super) argument: Vec<String>,
    /// The number of its type, or of its items' type.
    pub(super) index: usize,
    pub(super) is_list: bool,
    pub(super) docs: ParameterDocs,
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
}

/// What only the documentation needs.
#[derive(Debug)]
pub(super) struct ParameterDocs {
    pub(super) ty: Type,
    pub(super) required: bool,
    pub(super) default: Option<Node<Value>>,
    pub(super) description: Option<String>,
    pub(super) example: Option<Node<Value>>,
    pub(super) deprecated: bool,
}

/// What the JSON body is.
#[derive(Debug)]
pub(super) enum Body {
    /// The value of one variable.
    Variable(String),
    /// An object with these variables as its fields.
    Fields(Vec<String>),
}

/// A variable of the operation.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    /// The place it is given to, seen from the operation's arguments.
    pub(super) argument: Vec<String>,
    pub(super) ty: Ty,
    /// Must be given.
    pub(super) required: bool,
    pub(super) docs: ParameterDocs,
}

/// Where the value of a header goes.
#[derive(Debug)]
pub(super) struct HeaderTarget {
    /// The variable, and the field of its value where it is an input object.
    pub(super) target: Vec<String>,
    /// Seen from the operation's arguments.
    pub(super) argument: Vec<String>,
}

/// The compiler of all that.
pub(super) struct Mapping<'c> {
    schema: &'c Schema,
    operation: &'c Operation,
    directive: &'c RestDirective,
    template: &'c Template,
    is_page: bool,
    usages: HashMap<String, Usage>,
    done: Mapped,
}

/// What the compiler makes.
#[derive(Default)]
pub(super) struct Mapped {
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Body>,
    pub(super) variables: Vec<Variable>,
    pub(super) idempotency_key: Option<HeaderTarget>,
    pub(super) version: Option<HeaderTarget>,
    pub(super) errors: Vec<(String, Option<SourceSpan>)>,
}

impl<'c> Mapping<'c> {
    pub(super) fn new(
        schema: &'c Schema,
        document: &'c ExecutableDocument,
        operation: &'c Operation,
        directive: &'c RestDirective,
        template: &'c Template,
        is_page: bool,
    ) -> Self {
        Self {
            schema,
            operation,
            directive,
            template,
            is_page,
            usages: usages(schema, document, operation),
            done: Mapped::default(),
        }
    }

    pub(super) fn compile(mut self, inputs: &mut Inputs) -> Mapped {
        self.check_names();
        let body_variable = self.body_variable();
        let mut fields = Vec::new();
        for definition in &self.operation.variables {
            let Some(variable) = self.variable(inputs, definition) else {
                continue;
            };
            let name = variable.name.as_str();
            if self.template.parameters().any(|parameter| parameter == name) {
                self.path_parameter(inputs, definition, &variable);
            } else if body_variable.as_deref() == Some(name) {
                self.headers_into_body(inputs, &variable);
            } else if self.header(&variable) {
                // The header is the only way in.
            } else if self.comes_from_query(name) {
                self.query_parameter(inputs, definition, &variable);
            } else if body_variable.is_some() {
                let message = format!("nothing gives `${name}` a value: name it in `query` or in the path");
                self.wrong(message, definition);
            } else {
                fields.push(variable.name.clone());
            }
            self.done.variables.push(variable);
        }
        self.done.body = match body_variable {
            Some(variable) => Some(Body::Variable(variable)),
            None => Some(fields).filter(|fields| !fields.is_empty()).map(Body::Fields),
        };
        self.check_parameters();
        self.done
    }

    /// Every name in the directive must be a variable.
    fn check_names(&mut self) {
        let named = self.template.parameters().map(|name| ("path", name));
        let named = named.chain(self.directive.query.iter().map(|name| ("query", name.as_str())));
        let named = named.chain(self.directive.body.iter().map(|name| ("body", name.as_str())));
        for (place, name) in named {
            if !self
                .operation
                .variables
                .iter()
                .any(|variable| variable.name == name)
            {
                let message = format!("the {place} names `{name}`, which is no variable of the operation");
                self.done.errors.push((message, None));
            }
        }
        let is_read = self.directive.method == Method::GET;
        if is_read && self.directive.body.is_some() {
            self.done.errors.push(("a GET has no body".to_owned(), None));
        }
        for argument in ["first", "after"].into_iter().filter(|_| self.is_page) {
            let given = |usage: &Usage| usage.at_root && usage.path == [argument];
            if !self.usages.values().any(given) {
                let message = format!("a page needs a variable for the argument `{argument}`");
                self.done.errors.push((message, None));
            }
        }
    }

    fn body_variable(&self) -> Option<String> {
        let has_body = [Method::POST, Method::PUT, Method::PATCH].contains(&self.directive.method);
        let input = || {
            self.operation
                .variables
                .iter()
                .any(|variable| variable.name == "input")
        };
        let named = self.directive.body.clone();
        named.or_else(|| (has_body && input()).then(|| "input".to_owned()))
    }

    fn comes_from_query(&self, name: &str) -> bool {
        self.directive.query.iter().any(|other| other == name)
            || [Method::GET, Method::DELETE].contains(&self.directive.method)
    }

    fn variable(&mut self, inputs: &mut Inputs, definition: &Node<VariableDefinition>) -> Option<Variable> {
        let name = definition.name.to_string();
        let usage = self.usages.get(&name);
        let argument = match usage {
            Some(usage) if usage.at_root => usage.path.clone(),
            _ => vec![name.clone()],
        };
        let docs = docs(definition, usage);
        let required = docs.required;
        // A validated operation's variables have input types.
        let ty = inputs.resolve(self.schema, &definition.ty)?;
        Some(Variable {
            name,
            argument,
            ty,
            required,
            docs,
        })
    }

    fn path_parameter(
        &mut self,
        inputs: &Inputs,
        definition: &Node<VariableDefinition>,
        variable: &Variable,
    ) {
        match &variable.ty {
            Ty::Named { index, .. } if !matches!(inputs.get(*index), Named::Object(_)) => {
                let docs = ParameterDocs {
                    required: true,
                    ..docs(definition, self.usages.get(&variable.name))
                };
                self.done.parameters.push(Parameter {
                    name: variable.name.clone(),
                    place: Place::Path,
                    target: vec![variable.name.clone()],
                    argument: variable.argument.clone(),
                    index: *index,
                    is_list: false,
                    docs,
                });
            }
            _ => self.wrong(
                format!(
                    "`${}` is no single value: it cannot stand in a path",
                    variable.name
                ),
                definition,
            ),
        }
    }

    fn query_parameter(
        &mut self,
        inputs: &Inputs,
        definition: &Node<VariableDefinition>,
        variable: &Variable,
    ) {
        let directive = ParamDirective::of(&definition.directives);
        let place = (vec![variable.name.clone()], variable.argument.clone());
        if let Some(object) = self.schema.get_input_object(definition.ty.inner_named_type())
            && inputs.object(&variable.ty).is_some()
        {
            let fields = object.fields.values().map(|field| field.node.clone()).collect();
            let prefix = directive.name.map_or_else(String::new, |name| format!("{name}."));
            return self.flatten(inputs, (&variable.ty, fields), &prefix, place, definition);
        }
        let name = directive.name.unwrap_or_else(|| self.wire_name(variable));
        let docs = docs(definition, self.usages.get(&variable.name));
        self.push_query(inputs, name, place, &variable.ty, docs, definition);
    }

    /// One query parameter for each field of an input object.
    fn flatten(
        &mut self,
        inputs: &Inputs,
        (ty, fields): (&Ty, Vec<Node<InputValueDefinition>>),
        prefix: &str,
        (target, argument): (Vec<String>, Vec<String>),
        variable: &Node<VariableDefinition>,
    ) {
        if target.len() > DEEPEST_FILTER {
            return self.wrong(
                format!("`${}` is nested too deep for query parameters", variable.name),
                variable,
            );
        }
        for field in fields {
            let name = format!("{prefix}{}", field.name);
            let below = |path: &[String]| path.iter().cloned().chain([field.name.to_string()]).collect();
            let place = (below(&target), below(&argument));
            let Some(own) = inputs
                .object(ty)
                .and_then(|object| object.fields.get(field.name.as_str()))
            else {
                continue;
            };
            match self.schema.get_input_object(field.ty.inner_named_type()) {
                Some(object) if inputs.object(&own.ty).is_some() => {
                    let fields = object.fields.values().map(|field| field.node.clone()).collect();
                    self.flatten(inputs, (&own.ty, fields), &format!("{name}."), place, variable);
                }
                _ => {
                    let docs = ParameterDocs {
                        required: field.is_required() && target.len() == 1 && variable.ty.is_non_null(),
                        ..field_docs(&field)
                    };
                    self.push_query(inputs, name, place, &own.ty, docs, variable);
                }
            }
        }
    }

    fn push_query(
        &mut self,
        inputs: &Inputs,
        name: String,
        (target, argument): (Vec<String>, Vec<String>),
        ty: &Ty,
        docs: ParameterDocs,
        variable: &Node<VariableDefinition>,
    ) {
        let (item, is_list) = match ty {
            Ty::List { item, .. } => (&**item, true),
            named @ Ty::Named { .. } => (named, false),
        };
        match item {
            Ty::Named { index, .. } if !matches!(inputs.get(*index), Named::Object(_)) => {
                let parameter = Parameter {
                    name,
                    place: Place::Query,
                    target,
                    argument,
                    index: *index,
                    is_list,
                    docs,
                };
                self.done.parameters.push(parameter);
            }
            _ => self.wrong(
                format!("the type of `{name}` cannot be written in a query string"),
                variable,
            ),
        }
    }

    /// Pages have the same parameters everywhere, whatever the variables are called.
    fn wire_name(&self, variable: &Variable) -> String {
        match variable.argument.as_slice() {
            [argument] if self.is_page && argument == "first" => "limit".to_owned(),
            [argument] if self.is_page && argument == "after" => "cursor".to_owned(),
            _ => variable.name.clone(),
        }
    }

    /// Whether the variable is one that a header gives.
    fn header(&mut self, variable: &Variable) -> bool {
        if !self.operation.operation_type.is_mutation() {
            return false;
        }
        let slot = match variable.name.as_str() {
            "idempotencyKey" => &mut self.done.idempotency_key,
            "version" => &mut self.done.version,
            _ => return false,
        };
        *slot = Some(HeaderTarget {
            target: vec![variable.name.clone()],
            argument: variable.argument.clone(),
        });
        true
    }

    fn headers_into_body(&mut self, inputs: &Inputs, variable: &Variable) {
        let Some(object) = inputs
            .object(&variable.ty)
            .filter(|_| self.operation.operation_type.is_mutation())
        else {
            return;
        };
        let target = |field: &str| {
            let below = |path: &[String]| path.iter().cloned().chain([field.to_owned()]).collect();
            object.fields.contains_key(field).then(|| HeaderTarget {
                target: vec![variable.name.clone(), field.to_owned()],
                argument: below(&variable.argument),
            })
        };
        self.done.idempotency_key = target("idempotencyKey").or(self.done.idempotency_key.take());
        self.done.version = target("version").or(self.done.version.take());
    }

    fn check_parameters(&mut self) {
        let query = |parameter: &&Parameter| parameter.place == Place::Query;
        let names: Vec<&str> = self
            .done
            .parameters
            .iter()
            .filter(query)
            .map(|parameter| parameter.name.as_str())
            .collect();
        for (index, name) in names.iter().enumerate() {
            if names.iter().take(index).any(|other| other == name) {
                let message =
                    format!("two query parameters are called `{name}`: rename one with @param(name:)");
                self.done.errors.push((message, None));
            }
        }
    }

    fn wrong(&mut self, message: String, variable: &Node<VariableDefinition>) {
        self.done.errors.push((message, variable.location()));
    }
}

fn docs(variable: &Node<VariableDefinition>, usage: Option<&Usage>) -> ParameterDocs {
    let directive = ParamDirective::of(&variable.directives);
    let argument = usage.map(|usage| field_docs(&usage.definition));
    let described = argument
        .as_ref()
        .and_then(|argument| argument.description.clone());
    ParameterDocs {
        ty: Type::clone(&variable.ty),
        required: variable.ty.is_non_null() && variable.default_value.is_none(),
        default: variable
            .default_value
            .clone()
            .or_else(|| argument.as_ref()?.default.clone()),
        description: directive.description.or(described),
        example: directive.example,
        deprecated: argument.is_some_and(|argument| argument.deprecated),
    }
}

fn field_docs(field: &InputValueDefinition) -> ParameterDocs {
    ParameterDocs {
        ty: Type::clone(&field.ty),
        required: field.is_required(),
        default: field.default_value.clone(),
        description: field.description.as_deref().map(super::text::unwrapped),
        example: None,
        deprecated: field.directives.has("deprecated"),
    }
}

//! One REST endpoint: an operation with `@rest`, compiled to what a request needs.

use apollo_compiler::ast::{self, Definition, Selection, Type, Value};
use apollo_compiler::executable::{self, Operation as Typed};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Node, Schema, name};
use http::{Method, StatusCode};

use super::RestError;
use super::directive::{self, RestDirective};
use super::input::Inputs;
use super::load::{Operation, error_at};
use super::parameter::{Body, HeaderTarget, Mapping, Parameter, Variable};
use super::path::Template;

/// An endpoint, compiled.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// The operation's name.
    pub(super) name: String,
    pub(super) method: Method,
    pub(super) template: Template,
    /// The status of success.
    pub(super) status: StatusCode,
    /// The operation and its fragments as the engine gets them.
    pub(super) document: String,
    /// The response key of the root field.
    pub(super) root: String,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Body>,
    pub(super) variables: Vec<Variable>,
    /// Where the header `Idempotency-Key` goes.
    pub(super) idempotency_key: Option<HeaderTarget>,
    /// Where the version of the header `If-Match` goes.
    pub(super) version: Option<HeaderTarget>,
    /// The root field is a connection of which the answer shows the bare nodes.
    pub(super) is_page: bool,
    /// The answer is an object with its `version`, which the entity tag then names.
    pub(super) has_version: bool,
    /// The path of what was made.
    pub(super) location: Option<Template>,
    pub(super) docs: Docs,
}

/// Whether a field (of that type, with that name) is for callers who are logged in.
pub(super) type Guarded<'g> = dyn Fn(&str, &str) -> bool + 'g;

/// What only the documentation needs.
#[derive(Debug)]
pub(super) struct Docs {
    pub(super) summary: Option<String>,
    pub(super) description: Option<String>,
    pub(super) tag: String,
    pub(super) example: Option<Node<Value>>,
    pub(super) needs_login: bool,
    pub(super) executable: Valid<ExecutableDocument>,
}

impl Endpoint {
    /// Whether the method only reads (RFC 9110 §9.2.1).
    pub(super) fn is_read(&self) -> bool {
        self.method == Method::GET
    }

    /// The root field with its types.
    pub(super) fn root_field(&self) -> Option<&Node<executable::Field>> {
        let operation = self.docs.executable.operations.iter().next()?;
        operation.selection_set.fields().next()
    }
}

/// Compiles an operation; `None` where it has no `@rest`. Every error is told.
pub(super) fn compile(
    schema: &Schema,
    guarded: &Guarded<'_>,
    inputs: &mut Inputs,
    operation: &Operation,
) -> Option<Result<Endpoint, Vec<RestError>>> {
    let typed = operation
        .executable
        .operations
        .get(Some(operation.name.as_str()))
        .ok()?;
    let compiled = match RestDirective::of(&typed.directives)? {
        Ok(directive) => {
            let compiler = Compiler {
                schema,
                guarded,
                operation,
                typed,
                directive: &directive,
                errors: Vec::new(),
            };
            compiler.run(inputs)
        }
        Err(message) => Err(vec![error_at(&operation.ast.sources, typed.location(), message)]),
    };
    Some(compiled)
}

struct Compiler<'c> {
    schema: &'c Schema,
    guarded: &'c Guarded<'c>,
    operation: &'c Operation,
    typed: &'c Node<Typed>,
    directive: &'c RestDirective,
    errors: Vec<RestError>,
}

impl Compiler<'_> {
    fn run(mut self, inputs: &mut Inputs) -> Result<Endpoint, Vec<RestError>> {
        if self.typed.operation_type.is_subscription() {
            self.wrong("a subscription cannot be a REST endpoint");
        }
        if self.typed.operation_type.is_mutation() && self.directive.method == Method::GET {
            self.wrong("a mutation cannot be a GET");
        }
        let template = self.template(&self.directive.path);
        let root = self.root();
        let (Some(template), Some(root)) = (template, root) else {
            return Err(self.errors);
        };
        if template.leading_words().next().is_none() {
            self.wrong("the first segment of the path must be a word");
        }
        let is_page = self.is_page(&root);
        let mapping = Mapping::new(
            self.schema,
            &self.operation.executable,
            self.typed,
            self.directive,
            &template,
            is_page,
        );
        let mapping = mapping.compile(inputs);
        for (message, span) in &mapping.errors {
            self.errors.push(error_at(
                &self.operation.ast.sources,
                span.or(self.directive.span),
                message.clone(),
            ));
        }
        let has_version = !is_page
            && self
                .leaf(&root, "version")
                .is_some_and(|ty| ty.inner_named_type() == "Int");
        let location = self.location(&root);
        let document = self.document(is_page);
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        Ok(Endpoint {
            name: self.operation.name.to_string(),
            method: self.directive.method.clone(),
            status: self.directive.status,
            document,
            root: root.response_key().to_string(),
            parameters: mapping.parameters,
            body: mapping.body,
            variables: mapping.variables,
            idempotency_key: mapping.idempotency_key,
            version: mapping.version,
            is_page,
            has_version,
            location,
            docs: self.docs(&root, &template),
            template,
        })
    }

    fn template(&mut self, text: &str) -> Option<Template> {
        match Template::parse(text) {
            Ok(template) => Some(template),
            Err(message) => {
                self.wrong(&message);
                None
            }
        }
    }

    /// The single root field.
    fn root(&mut self) -> Option<Node<executable::Field>> {
        match self.typed.selection_set.selections.as_slice() {
            [executable::Selection::Field(field)]
                if field.directives.is_empty() && !field.name.starts_with("__") =>
            {
                Some(field.clone())
            }
            _ => {
                self.wrong("an operation with @rest selects exactly one root field, without fragments and directives");
                None
            }
        }
    }

    fn is_page(&self, root: &executable::Field) -> bool {
        let ty = root.ty();
        let connection = self.schema.get_object(ty.inner_named_type());
        !ty.is_list()
            && ty.inner_named_type().ends_with("Connection")
            && connection.is_some_and(|connection| connection.fields.contains_key("pageInfo"))
    }

    /// The type of a field of the answer that has no fields itself and is no list.
    fn leaf(&self, root: &executable::Field, key: &str) -> Option<Type> {
        if root.ty().is_list() {
            return None;
        }
        let mut fields = root.selection_set.all_fields(&self.operation.executable);
        let field = fields.find(|field| {
            let direct = root
                .selection_set
                .fields()
                .any(|other| std::ptr::eq(&**other, &***field));
            field.response_key() == key && (direct || self.is_in_spread(root, field))
        })?;
        let plain = field.selection_set.is_empty() && !field.ty().is_list() && field.directives.is_empty();
        plain.then(|| field.ty().clone())
    }

    /// Whether the field stands in a fragment that the root field's selection spreads, and that always applies.
    fn is_in_spread(&self, root: &executable::Field, field: &Node<executable::Field>) -> bool {
        root.selection_set
            .selections
            .iter()
            .any(|selection| match selection {
                executable::Selection::FragmentSpread(spread) if spread.directives.is_empty() => {
                    let fragment = spread.fragment_def(&self.operation.executable);
                    fragment.is_some_and(|fragment| {
                        fragment.type_condition() == root.ty().inner_named_type()
                            && fragment.selection_set.fields().any(|other| other.ptr_eq(field))
                    })
                }
                _ => false,
            })
    }

    fn location(&mut self, root: &executable::Field) -> Option<Template> {
        let template = self.template(self.directive.location.as_deref()?)?;
        let unknown: Vec<String> = template
            .parameters()
            .filter(|name| self.leaf(root, name).is_none())
            .map(str::to_owned)
            .collect();
        for name in unknown {
            self.wrong(&format!(
                "the location names `{{{name}}}`, which is no field of the answer"
            ));
        }
        Some(template)
    }

    /// The operation as the engine gets it: without our directives, and a page in the one order that answers are
    /// cut by.
    fn document(&mut self, is_page: bool) -> String {
        let mut document = self.operation.ast.clone();
        for definition in &mut document.definitions {
            let Definition::OperationDefinition(operation) = definition else {
                continue;
            };
            let operation = operation.make_mut();
            directive::strip(&mut operation.directives);
            for variable in &mut operation.variables {
                directive::strip(&mut variable.make_mut().directives);
            }
            if let ([Selection::Field(root)], true) = (operation.selection_set.as_mut_slice(), is_page) {
                match page_selection(&root.selection_set) {
                    Some(selections) => root.make_mut().selection_set = selections,
                    None => self.wrong("a page selects `nodes { … }` and `pageInfo { … }`, and nothing else"),
                }
            }
        }
        document.to_string()
    }

    fn docs(&self, root: &executable::Field, template: &Template) -> Docs {
        let described = root.definition.description.as_deref().map(super::text::unwrapped);
        let first = described.as_deref().map(super::text::first_sentence);
        let tag = template
            .leading_words()
            .find(|word| *word != "api" && !super::text::is_version(word));
        let tag = self.directive.tag.clone().or_else(|| tag.map(str::to_owned));
        let object = self.typed.object_type();
        Docs {
            summary: self
                .directive
                .summary
                .clone()
                .or(first.map(|first| first.trim_end_matches('.').to_owned())),
            description: described,
            tag: tag.unwrap_or_else(|| "other".to_owned()),
            example: self.directive.example.clone(),
            needs_login: (self.guarded)(object, &root.name),
            executable: self.operation.executable.clone(),
        }
    }

    fn wrong(&mut self, message: &str) {
        let place: Option<SourceSpan> = self.directive.span;
        self.errors
            .push(error_at(&self.operation.ast.sources, place, message.to_owned()));
    }
}

/// `nodes` first, then what the `Link` header needs.
fn page_selection(written: &[Selection]) -> Option<Vec<Selection>> {
    let mut nodes = None;
    let mut has_page_info = false;
    for selection in written {
        let field = selection.as_field()?;
        if field.alias.is_some() || !field.directives.is_empty() {
            return None;
        }
        match field.name.as_str() {
            "nodes" if nodes.is_none() => nodes = Some(selection.clone()),
            "pageInfo" if !has_page_info => has_page_info = true,
            _ => return None,
        }
    }
    let leaf = |name| {
        Selection::Field(Node::new(ast::Field {
            alias: None,
            name,
            arguments: Vec::new(),
            directives: ast::DirectiveList::new(),
            selection_set: Vec::new(),
        }))
    };
    let page_info = Selection::Field(Node::new(ast::Field {
        alias: None,
        name: name!("pageInfo"),
        arguments: Vec::new(),
        directives: ast::DirectiveList::new(),
        selection_set: vec![leaf(name!("hasNextPage")), leaf(name!("endCursor"))],
    }));
    nodes
        .filter(|_| has_page_info)
        .map(|nodes| vec![nodes, page_info])
}

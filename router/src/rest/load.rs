//! Reads operation files: parses them, gives every operation the fragments it uses, and validates each
//! against the schema.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use apollo_compiler::ast::{Definition, Document, FragmentDefinition, OperationDefinition, Selection};
use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::parser::{SourceMap, SourceSpan};
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{ExecutableDocument, Name, Node, Schema};

use super::{OperationFile, OtherOperation, RestError};

/// One operation, valid, with the fragments that it uses.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) name: Name,
    /// As written, `@rest` and all.
    pub(super) ast: Document,
    pub(super) executable: Valid<ExecutableDocument>,
}

impl Operation {
    /// The operation as what it is where it is no endpoint.
    pub(super) fn other(&self) -> OtherOperation {
        let is_mutation = self
            .executable
            .operations
            .get(None)
            .is_ok_and(|operation| operation.is_mutation());
        OtherOperation {
            name: self.name.to_string(),
            kind: if is_mutation { "mutation" } else { "query" },
            text: self.ast.to_string(),
        }
    }
}

/// Reads all files together: fragments are shared among them. Every error is told.
pub(super) fn load(
    schema: &Valid<Schema>,
    files: &[OperationFile],
) -> Result<Vec<Operation>, Vec<RestError>> {
    let mut errors = Vec::new();
    let found = Definitions::collect(files, &mut errors);
    let mut used = BTreeSet::new();
    let mut operations = Vec::new();
    for definition in &found.operations {
        let fragments = found.fragments_of(definition);
        used.extend(fragments.iter().map(|fragment| fragment.name.clone()));
        let Some(name) = definition.name.clone() else {
            errors.push(found.error(definition.location(), "an operation in a file needs a name"));
            continue;
        };
        let mut definitions = vec![Definition::OperationDefinition(definition.clone())];
        definitions.extend(fragments.into_iter().cloned().map(Definition::FragmentDefinition));
        let ast = Document {
            sources: found.sources.clone(),
            definitions,
        };
        match ast.to_executable_validate(schema) {
            Ok(executable) => operations.push(Operation {
                name,
                ast,
                executable,
            }),
            Err(refused) => diagnostics(&refused.errors, &mut errors),
        }
    }
    for fragment in found
        .fragments
        .values()
        .filter(|fragment| !used.contains(&fragment.name))
    {
        let message = format!("the fragment `{}` is used by no operation", fragment.name);
        errors.push(found.error(fragment.location(), &message));
    }
    // A fault in a shared fragment shows up once for every operation that uses it.
    errors.sort();
    errors.dedup();
    if errors.is_empty() {
        Ok(operations)
    } else {
        Err(errors)
    }
}

/// An error at a place of a source.
pub(super) fn error_at(sources: &SourceMap, span: Option<SourceSpan>, message: String) -> RestError {
    let file = span.and_then(|span| sources.get(&span.file_id()));
    RestError {
        file: file
            .map(|file| file.path().display().to_string())
            .unwrap_or_default(),
        line: span
            .and_then(|span| span.line_column(sources))
            .map_or(0, |at| at.line),
        message,
    }
}

#[derive(Default)]
struct Definitions {
    sources: SourceMap,
    operations: Vec<Node<OperationDefinition>>,
    fragments: HashMap<Name, Node<FragmentDefinition>>,
}

impl Definitions {
    fn collect(files: &[OperationFile], errors: &mut Vec<RestError>) -> Self {
        let mut found = Self::default();
        for file in files {
            let document = match Document::parse(file.text.as_str(), &file.path) {
                Ok(document) => document,
                Err(refused) => {
                    diagnostics(&refused.errors, errors);
                    continue;
                }
            };
            Arc::make_mut(&mut found.sources)
                .extend(document.sources.iter().map(|(id, source)| (*id, source.clone())));
            for definition in document.definitions {
                found.add(definition, errors);
            }
        }
        found
    }

    fn add(&mut self, definition: Definition, errors: &mut Vec<RestError>) {
        let place = definition.location();
        let twice = match definition {
            Definition::OperationDefinition(operation) => {
                let taken = self
                    .operations
                    .iter()
                    .any(|other| other.name.is_some() && other.name == operation.name);
                let name = operation.name.clone();
                self.operations.push(operation);
                name.filter(|_| taken)
                    .map(|name| format!("there is another operation `{name}`"))
            }
            Definition::FragmentDefinition(fragment) => {
                let name = fragment.name.clone();
                let taken = self.fragments.insert(name.clone(), fragment);
                taken.map(|_| format!("there is another fragment `{name}`"))
            }
            _ => Some("operation files hold operations and fragments, no types".to_owned()),
        };
        if let Some(message) = twice {
            errors.push(self.error(place, &message));
        }
    }

    /// The fragments that an operation uses, directly or through others, in the order of first use. Unknown ones
    /// are left to validation.
    fn fragments_of(&self, operation: &OperationDefinition) -> Vec<&Node<FragmentDefinition>> {
        let mut seen = Vec::new();
        self.follow(&operation.selection_set, &mut seen);
        seen
    }

    fn follow<'d>(&'d self, selections: &[Selection], seen: &mut Vec<&'d Node<FragmentDefinition>>) {
        for selection in selections {
            match selection {
                Selection::Field(field) => self.follow(&field.selection_set, seen),
                Selection::InlineFragment(inline) => self.follow(&inline.selection_set, seen),
                Selection::FragmentSpread(spread) => {
                    let fragment = self.fragments.get(&spread.fragment_name);
                    let new =
                        fragment.filter(|fragment| !seen.iter().any(|other| other.name == fragment.name));
                    if let Some(fragment) = new {
                        seen.push(fragment);
                        self.follow(&fragment.selection_set, seen);
                    }
                }
            }
        }
    }

    fn error(&self, span: Option<SourceSpan>, message: &str) -> RestError {
        error_at(&self.sources, span, message.to_owned())
    }
}

fn diagnostics(list: &DiagnosticList, errors: &mut Vec<RestError>) {
    errors.extend(list.iter().map(|diagnostic| {
        let message = diagnostic.error.to_string();
        error_at(diagnostic.sources, diagnostic.error.location(), message)
    }));
}

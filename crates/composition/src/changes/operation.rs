//! Operations that clients are known to send.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{Definition, Document, FragmentDefinition, OperationDefinition, Selection};
use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::parser::{SourceMap, SourceSpan};
use apollo_compiler::validation::DiagnosticList;

/// A text with operations and fragments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationSource {
    /// Where it is from, for messages.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// One operation, with the fragments that it uses.
#[derive(Clone, Debug)]
pub struct Operation {
    name: String,
    pub(super) document: Document,
}

/// Something wrong at a place of a source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The path of the source.
    pub file: String,
    /// The line, from 1; 0 where no line is to blame.
    pub line: usize,
    /// The column, from 1; 0 where no line is to blame.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl Operation {
    /// Reads all operations of some sources. A source's own fragments come first; others are shared among all.
    /// `@rest` and `@param`, which make REST endpoints, are left out: they are nothing to a schema.
    ///
    /// # Errors
    /// Everything that cannot be read, and fragments that are not the only one of their name.
    pub fn read(sources: &[OperationSource]) -> Result<Vec<Self>, Vec<Fault>> {
        let mut faults = Vec::new();
        let read = Sources::read(sources, &mut faults);
        let mut operations = Vec::new();
        for file in &read.files {
            for operation in &file.operations {
                let definitions = read.closed(file, operation, &mut faults);
                operations.push(Self {
                    name: operation
                        .name
                        .as_ref()
                        .map_or_else(|| file.path.clone(), ToString::to_string),
                    document: Document {
                        sources: read.map.clone(),
                        definitions,
                    },
                });
            }
        }
        faults.sort();
        faults.dedup();
        if faults.is_empty() {
            Ok(operations)
        } else {
            Err(faults)
        }
    }

    /// Its name; the path of its source where it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// What a parser or validator says, by place.
pub(super) fn faults(list: &DiagnosticList) -> Vec<Fault> {
    list.iter()
        .map(|diagnostic| {
            let message = diagnostic.error.to_string();
            fault(diagnostic.sources, diagnostic.error.location(), message)
        })
        .collect()
}

fn fault(sources: &SourceMap, span: Option<SourceSpan>, message: String) -> Fault {
    let file = span.and_then(|span| sources.get(&span.file_id()));
    let place = span.and_then(|span| span.line_column(sources));
    Fault {
        file: file
            .map(|file| file.path().display().to_string())
            .unwrap_or_default(),
        line: place.map_or(0, |place| place.line),
        column: place.map_or(0, |place| place.column),
        message,
    }
}

type Fragment = Node<FragmentDefinition>;

#[derive(Default)]
struct File {
    path: String,
    operations: Vec<Node<OperationDefinition>>,
    fragments: HashMap<Name, Fragment>,
}

#[derive(Default)]
struct Sources {
    map: SourceMap,
    files: Vec<File>,
    /// Of all files.
    fragments: HashMap<Name, Vec<Fragment>>,
}

impl Sources {
    fn read(sources: &[OperationSource], problems: &mut Vec<Fault>) -> Self {
        let mut read = Self::default();
        for source in sources {
            match Document::parse(source.text.as_str(), &source.path) {
                Ok(document) => read.add(&source.path, document, problems),
                Err(refused) => problems.extend(faults(&refused.errors)),
            }
        }
        read
    }

    fn add(&mut self, path: &str, document: Document, problems: &mut Vec<Fault>) {
        Arc::make_mut(&mut self.map)
            .extend(document.sources.iter().map(|(id, source)| (*id, source.clone())));
        let mut file = File {
            path: path.to_owned(),
            ..File::default()
        };
        for definition in document.definitions {
            let place = definition.location();
            let problem = match definition {
                Definition::OperationDefinition(mut operation) => {
                    strip(operation.make_mut());
                    file.operations.push(operation);
                    None
                }
                Definition::FragmentDefinition(fragment) => {
                    let name = fragment.name.clone();
                    let shared = self.fragments.entry(name.clone()).or_default();
                    shared.push(fragment.clone());
                    let other = file.fragments.insert(name.clone(), fragment);
                    other.map(|_| format!("there is another fragment `{name}`"))
                }
                _ => Some("operation files hold operations and fragments, no types".to_owned()),
            };
            problems.extend(problem.map(|message| fault(&self.map, place, message)));
        }
        self.files.push(file);
    }

    /// The operation with all fragments that it uses. Unknown ones are left to validation.
    fn closed(
        &self,
        file: &File,
        operation: &Node<OperationDefinition>,
        problems: &mut Vec<Fault>,
    ) -> Vec<Definition> {
        let mut definitions = vec![Definition::OperationDefinition(operation.clone())];
        let mut seen = HashSet::new();
        let mut open = Vec::new();
        spreads(&operation.selection_set, &mut open);
        while let Some(name) = open.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let shared = self.fragments.get(&name).map_or(&[][..], Vec::as_slice);
            let fragment = match (file.fragments.get(&name), shared) {
                (Some(own), _) => own,
                (None, []) => continue,
                (None, [only]) => only,
                (None, [first, ..]) => {
                    let message = format!("`{name}` may be any of {} fragments", shared.len());
                    problems.push(fault(&self.map, operation.location(), message));
                    first
                }
            };
            spreads(&fragment.selection_set, &mut open);
            definitions.push(Definition::FragmentDefinition(fragment.clone()));
        }
        definitions
    }
}

fn spreads(selections: &[Selection], found: &mut Vec<Name>) {
    for selection in selections {
        match selection {
            Selection::Field(field) => spreads(&field.selection_set, found),
            Selection::InlineFragment(inline) => spreads(&inline.selection_set, found),
            Selection::FragmentSpread(spread) => found.push(spread.fragment_name.clone()),
        }
    }
}

fn strip(operation: &mut OperationDefinition) {
    operation
        .directives
        .0
        .retain(|directive| directive.name != "rest");
    for variable in &mut operation.variables {
        if variable.directives.has("param") {
            let directives = &mut variable.make_mut().directives.0;
            directives.retain(|directive| directive.name != "param");
        }
    }
}

//! What changes between two schemas, and what it means for clients and for the operations they are known to send.
//!
//! [`changes`] tells all changes; [`Comparison::judge`] holds them against operations.

mod code;
mod diff;
mod judge;
mod operation;
mod place;
mod usage;

use std::fmt;

use apollo_compiler::ast::{Definition, Document};
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{Name, Schema};

pub use self::code::{ChangeCode, Level};
pub use self::judge::{Broken, Judged, Verdict};
pub use self::operation::{Fault, Operation, OperationSource};
use self::place::Place;
use crate::api_sdl;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// How bad it is.
    pub level: Level,
    /// What kind of change it is.
    pub code: ChangeCode,
    /// Where: a schema coordinate, such as `Query.habits(first:)`.
    pub coordinate: String,
    /// What changed there, for a person.
    pub message: String,
    place: Place,
    /// The member of a union, or the interface, that came or went.
    other: Option<Name>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            level,
            code,
            coordinate,
            message,
            ..
        } = self;
        write!(f, "{level} {code} {coordinate}: {message}")
    }
}

/// Which of two schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that clients know.
    Old,
    /// The one to come.
    New,
}

/// One of the schemas cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {} schema cannot be read: {message}", if *side == Side::Old { "old" } else { "new" })]
pub struct ChangeError {
    /// Which one.
    pub side: Side,
    /// What is wrong first, a line each, by line and column.
    pub message: String,
}

/// Two schemas, next to each other.
#[derive(Debug)]
pub struct Comparison {
    old: Valid<Schema>,
    new: Valid<Schema>,
}

/// All changes between two schemas, by level, coordinate and code. Each may be a supergraph, of which clients see the
/// API schema, or such an API schema.
///
/// # Errors
/// A text that is no valid schema.
pub fn changes(old_sdl: &str, new_sdl: &str) -> Result<Vec<Change>, ChangeError> {
    Ok(Comparison::read(old_sdl, new_sdl)?.changes())
}

impl Comparison {
    /// Reads both, as [`changes`] does.
    ///
    /// # Errors
    /// A text that is no valid schema.
    pub fn read(old_sdl: &str, new_sdl: &str) -> Result<Self, ChangeError> {
        let read = |side, sdl| schema(sdl).map_err(|message| ChangeError { side, message });
        Ok(Self {
            old: read(Side::Old, old_sdl)?,
            new: read(Side::New, new_sdl)?,
        })
    }

    /// All changes, as [`changes`] tells them.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        diff::diff(&self.old, &self.new)
    }

    /// Holds the changes against the operations that clients send. Without any, all breaking changes count.
    #[must_use]
    pub fn judge(&self, operations: &[Operation]) -> Verdict {
        judge::judge(&self.old, &self.new, self.changes(), operations)
    }
}

/// The specification defines it, the parser does not.
const ONE_OF: &str = "directive @oneOf on INPUT_OBJECT";

fn schema(sdl: &str) -> Result<Valid<Schema>, String> {
    let document = Document::parse(sdl, "schema.graphql").map_err(|failed| told(&failed.errors))?;
    let api = is_supergraph(&document).then(|| api_sdl(sdl)).transpose();
    let sdl = api
        .map_err(|error| error.to_string())?
        .unwrap_or_else(|| sdl.to_owned());
    let mut builder = Schema::builder().parse(sdl, "schema.graphql");
    let defined = |one: &Definition| {
        one.as_directive_definition()
            .is_some_and(|one| one.name == "oneOf")
    };
    if !document.definitions.iter().any(defined) {
        builder = builder.parse(ONE_OF, "one_of.graphql");
    }
    let schema = builder.build().map_err(|failed| told(&failed.errors))?;
    schema.validate().map_err(|failed| told(&failed.errors))
}

/// Whether it has the machinery of the join specification, under whichever of its versions.
fn is_supergraph(document: &Document) -> bool {
    document.definitions.iter().any(|definition| {
        let links = matches!(
            definition,
            Definition::SchemaDefinition(_) | Definition::SchemaExtension(_)
        );
        let joins = || {
            let directives = definition.directives();
            directives.iter().any(|directive| {
                ["url", "feature"].iter().any(|argument| {
                    let url = directive.specified_argument_by_name(argument);
                    url.and_then(|url| url.as_str())
                        .is_some_and(|url| url.contains("/join/"))
                })
            })
        };
        links && joins() || definition.name().is_some_and(|name| name.starts_with("join__"))
    })
}

/// One fault makes a parser see many: the first ones say enough.
const TOLD: usize = 5;

fn told(errors: &DiagnosticList) -> String {
    let lines = errors.iter().take(TOLD).map(|diagnostic| {
        let message = diagnostic.error.to_string();
        match diagnostic.line_column_range() {
            Some(range) => format!("{}:{}: {message}", range.start.line, range.start.column),
            None => message,
        }
    });
    let mut lines: Vec<_> = lines.collect();
    if errors.len() > TOLD {
        lines.push(format!("and {} more", errors.len() - TOLD));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;

//! Field sets: the `fields` of `@key`, `@requires` and `@provides`.

use std::fmt::Write as _;

use apollo_compiler::ast::{Argument, Definition, Document, Selection, Value};
use apollo_compiler::{Name, Node};

/// A parsed field set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldSet {
    pub(crate) selections: Vec<Sel>,
    pub(crate) line: Option<u32>,
}

/// One selection of a field set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sel {
    Field(FieldSel),
    Fragment { on: Option<Name>, selections: Vec<Sel> },
}

/// A field of a field set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldSel {
    pub(crate) name: Name,
    pub(crate) arguments: Vec<Node<Argument>>,
    pub(crate) selections: Vec<Sel>,
}

/// Why a field set does not parse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FieldSetError {
    /// The argument is not a string.
    NotAString(String),
    Syntax(String),
    /// Directives are not allowed in field sets.
    Directive(String),
}

impl FieldSet {
    /// Reads the value of a `fields` argument. Federation 1 also allowed a list of strings.
    pub(crate) fn read(
        value: Option<&Node<Value>>,
        line: Option<u32>,
        lists: bool,
    ) -> Result<Self, FieldSetError> {
        let text = match value.map(Node::as_ref) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Enum(name)) if lists => name.to_string(),
            Some(Value::List(items)) if lists => {
                let texts: Option<Vec<String>> = items
                    .iter()
                    .map(|item| match item.as_ref() {
                        Value::String(text) => Some(text.clone()),
                        Value::Enum(name) => Some(name.to_string()),
                        _ => None,
                    })
                    .collect();
                texts
                    .ok_or_else(|| FieldSetError::NotAString(value.map_or_else(String::new, print_value)))?
                    .join(" ")
            }
            _ => {
                return Err(FieldSetError::NotAString(
                    value.map_or_else(String::new, print_value),
                ));
            }
        };
        Ok(Self {
            selections: parse(&text)?,
            line,
        })
    }

    /// The field set in one normal form: single spaces, no commas.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        write(&self.selections, &mut out);
        out
    }
}

fn print_value(value: &Node<Value>) -> String {
    value.to_string()
}

fn parse(text: &str) -> Result<Vec<Sel>, FieldSetError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(FieldSetError::Syntax("it selects nothing".to_owned()));
    }
    let braced = if trimmed.starts_with('{') {
        trimmed.to_owned()
    } else {
        format!("{{{trimmed}}}")
    };
    let document = Document::parser()
        .recursion_limit(64)
        .parse_ast(braced, "fields")
        .map_err(|failed| FieldSetError::Syntax(first_message(&failed.errors)))?;
    let [Definition::OperationDefinition(operation)] = document.definitions.as_slice() else {
        return Err(FieldSetError::Syntax("it is not one selection".to_owned()));
    };
    convert(&operation.selection_set)
}

fn first_message(errors: &apollo_compiler::validation::DiagnosticList) -> String {
    errors
        .iter()
        .next()
        .map_or_else(String::new, |first| first.error.to_string())
}

fn convert(selections: &[Selection]) -> Result<Vec<Sel>, FieldSetError> {
    let mut out = Vec::with_capacity(selections.len());
    for selection in selections {
        match selection {
            Selection::Field(field) => {
                if let Some(directive) = field.directives.0.first() {
                    return Err(FieldSetError::Directive(format!("@{}", directive.name)));
                }
                if field.alias.is_some() {
                    return Err(FieldSetError::Syntax(format!("\"{}\" has an alias", field.name)));
                }
                out.push(Sel::Field(FieldSel {
                    name: field.name.clone(),
                    arguments: field.arguments.clone(),
                    selections: convert(&field.selection_set)?,
                }));
            }
            Selection::InlineFragment(fragment) => {
                if let Some(directive) = fragment.directives.0.first() {
                    return Err(FieldSetError::Directive(format!("@{}", directive.name)));
                }
                out.push(Sel::Fragment {
                    on: fragment.type_condition.clone(),
                    selections: convert(&fragment.selection_set)?,
                });
            }
            Selection::FragmentSpread(spread) => {
                return Err(FieldSetError::Syntax(format!(
                    "the named fragment \"{}\" is not allowed",
                    spread.fragment_name
                )));
            }
        }
    }
    Ok(out)
}

fn write(selections: &[Sel], out: &mut String) {
    for (index, selection) in selections.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        let inner = match selection {
            Sel::Field(field) => {
                out.push_str(&field.name);
                if !field.arguments.is_empty() {
                    let arguments: Vec<String> = field
                        .arguments
                        .iter()
                        .map(|argument| {
                            format!("{}: {}", argument.name, argument.value.serialize().no_indent())
                        })
                        .collect();
                    let _ = write!(out, "({})", arguments.join(", "));
                }
                &field.selections
            }
            Sel::Fragment { on, selections } => {
                out.push_str("...");
                if let Some(on) = on {
                    let _ = write!(out, " on {on}");
                }
                selections
            }
        };
        if !inner.is_empty() {
            out.push_str(" { ");
            write(inner, out);
            out.push_str(" }");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Result<String, FieldSetError> {
        let value = Node::new(Value::String(text.to_owned()));
        FieldSet::read(Some(&value), None, false).map(|set| set.text())
    }

    #[test]
    fn a_field_set_has_one_normal_form() {
        assert_eq!(
            set("id,\n organization{ id  ... on A {x} }").unwrap(),
            "id organization { id ... on A { x } }"
        );
        assert_eq!(set("price(currency:USD)").unwrap(), "price(currency: USD)");
    }

    #[test]
    fn what_is_no_field_set_is_refused() {
        assert!(matches!(set("id {"), Err(FieldSetError::Syntax(_))));
        assert!(matches!(set(""), Err(FieldSetError::Syntax(_))));
        assert!(matches!(
            set("id @tag(name: \"x\")"),
            Err(FieldSetError::Directive(_))
        ));
        assert!(matches!(set("a: id"), Err(FieldSetError::Syntax(_))));
        assert!(matches!(
            FieldSet::read(None, None, false),
            Err(FieldSetError::NotAString(_))
        ));
    }
}

//! JSON and XML read into one tree.

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Map, Value};

use super::PushError;

/// Deeper nesting than any push has.
const MAX_DEPTH: usize = 16;

/// More elements than any push has.
const MAX_NODES: u32 = 20_000;

/// The body of a push as an object. XML becomes what JSON would have been: elements are members, repeated ones an
/// array; only numbers stay texts.
pub(crate) fn read(body: &[u8]) -> Result<Value, PushError> {
    let text = std::str::from_utf8(body).map_err(|_| PushError::Malformed)?;
    let text = text.trim_start_matches('\u{feff}').trim();
    let tree = if text.starts_with('<') {
        // Document types, and with them entities, are refused by these options.
        let options = ParsingOptions {
            nodes_limit: MAX_NODES,
            ..ParsingOptions::default()
        };
        let document = Document::parse_with_options(text, options).map_err(|_| PushError::Malformed)?;
        element(document.root_element(), MAX_DEPTH)?
    } else {
        serde_json::from_str(text).map_err(|_| PushError::Malformed)?
    };
    if tree.is_object() {
        Ok(tree)
    } else {
        Err(PushError::Malformed)
    }
}

fn element(node: Node<'_, '_>, depth: usize) -> Result<Value, PushError> {
    if depth == 0 {
        return Err(PushError::Malformed);
    }
    let mut members = Map::new();
    for child in node.children().filter(Node::is_element) {
        let value = element(child, depth - 1)?;
        match members.get_mut(child.tag_name().name()) {
            None => {
                members.insert(child.tag_name().name().to_owned(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    if members.is_empty() {
        // A text may come in several pieces, plain and CDATA.
        let text: String = node.children().filter_map(|child| child.text()).collect();
        return Ok(Value::String(text.trim().to_owned()));
    }
    Ok(Value::Object(members))
}

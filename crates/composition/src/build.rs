//! Small helpers to build AST nodes.

use apollo_compiler::ast::{Argument, Directive, Value};
use apollo_compiler::{Name, Node};

/// A name that is known to be one.
pub(crate) const fn name(text: &'static str) -> Name {
    Name::new_static_unchecked(text)
}

pub(crate) fn directive(name: Name, args: Vec<(Name, Node<Value>)>) -> Directive {
    let arguments = args
        .into_iter()
        .map(|(name, value)| Node::new(Argument { name, value }))
        .collect();
    Directive { name, arguments }
}

pub(crate) fn string(text: impl Into<String>) -> Node<Value> {
    Node::new(Value::String(text.into()))
}

pub(crate) fn boolean(value: bool) -> Node<Value> {
    Node::new(Value::Boolean(value))
}

pub(crate) fn int(value: i64) -> Node<Value> {
    Node::new(Value::Int(apollo_compiler::ast::IntValue::new_parsed(
        &value.to_string(),
    )))
}

pub(crate) fn variant(name: &Name) -> Node<Value> {
    Node::new(Value::Enum(name.clone()))
}

pub(crate) fn list(items: Vec<Node<Value>>) -> Node<Value> {
    Node::new(Value::List(items))
}

//! Objects that have their fields at hand, answered on the spot.
//!
//! async-graphql makes a future of each field, on the heap, and then waits for all of them. That is right for fields
//! that look something up, and most of the cost of a screen full of numbers. Where everything that is asked of an
//! object is plain, it is read off here; where anything else is asked too, async-graphql answers as always. What comes
//! out is the same either way.

use std::borrow::Cow;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::ContainerType;
use async_graphql::{ContextSelectionSet, InputType, OutputType, Positioned, ServerResult, Value};

/// An object with plain fields.
pub trait PlainFields: OutputType + ContainerType {
    /// The names of these fields.
    const PLAIN: &'static [&'static str];

    /// The value of a field that takes no arguments and needs nothing but the object; `None` for every other field.
    fn plain(&self, field: &Field) -> Option<Value>;
}

/// An object in an answer, read off where that is possible.
pub struct Plain<T>(pub T);

/// A list of objects in an answer, read off where that is possible.
pub struct PlainList<T>(pub Vec<T>);

/// Says which fields of an object are plain, by their names in GraphQL, and what they are. `object` names the object in
/// the values, and `field` the field as it was asked for.
#[macro_export]
macro_rules! plain_fields {
    ($type:ty, |$object:ident, $field:ident| { $($name:literal => $value:expr,)* }) => {
        impl $crate::plain::PlainFields for $type {
            const PLAIN: &'static [&'static str] = &[$($name,)*];

            fn plain(
                &self,
                $field: &async_graphql::parser::types::Field,
            ) -> Option<async_graphql::Value> {
                let $object = self;
                match $field.name.node.as_str() {
                    $($name => $value,)*
                    _ => None,
                }
            }
        }
    };
}

/// For tests: asks an object for all its plain fields in both ways, and demands the same answers. `below` says what to
/// ask of fields that lead to other objects.
#[macro_export]
macro_rules! assert_plain_fields_agree {
    ($type:ty, $object:expr $(, $below:literal => $asked:literal)*) => {{
        struct Root;

        #[async_graphql::Object]
        impl Root {
            async fn usual(&self) -> $type {
                $object
            }

            async fn plain(&self) -> $crate::plain::Plain<$type> {
                $crate::plain::Plain($object)
            }
        }

        let below: std::collections::HashMap<&str, &str> = [$(($below, $asked)),*].into();
        let asked = <$type as $crate::plain::PlainFields>::PLAIN
            .iter()
            .map(|name| format!("{name} {}", below.get(name).copied().unwrap_or_default()));
        let asked = asked.collect::<Vec<_>>().join(" ");
        let schema = async_graphql::Schema::new(
            Root,
            async_graphql::EmptyMutation,
            async_graphql::EmptySubscription,
        );
        let query = format!("{{ usual {{ __typename {asked} }} plain {{ __typename {asked} }} }}");
        let answer = schema.execute(query.as_str()).await;
        assert_eq!(answer.errors, [], "{query}");
        let async_graphql::Value::Object(data) = answer.data else {
            panic!("no data for {query}");
        };
        assert_eq!(data["usual"], data["plain"]);
    }};
}

/// The value of a plain leaf.
pub fn leaf(value: impl InputType) -> Option<Value> {
    Some(value.to_value())
}

/// The value of a plain text.
pub fn text(value: &str) -> Option<Value> {
    Some(Value::String(value.to_owned()))
}

/// The value of a plain field that leads to another object, if all that is asked of that one is plain as well.
pub fn object<T: PlainFields>(object: &T, field: &Field) -> Option<Value> {
    read_off(object, &field.selection_set.node)
}

fn read_off<T: PlainFields>(object: &T, asked: &SelectionSet) -> Option<Value> {
    let mut values = IndexMap::with_capacity(asked.items.len());
    for selection in &asked.items {
        let Selection::Field(field) = &selection.node else {
            return None;
        };
        let field = &field.node;
        if !field.directives.is_empty() || !field.arguments.is_empty() {
            return None;
        }
        let value = match field.name.node.as_str() {
            "__typename" => Value::String(T::type_name().into_owned()),
            _ => object.plain(field)?,
        };
        // What is asked for twice under one name has to be merged.
        if values.insert(field.response_key().node.clone(), value).is_some() {
            return None;
        }
    }
    Some(Value::Object(values))
}

impl<T: PlainFields> OutputType for Plain<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.0.introspection_type_name()
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        match read_off(&self.0, &ctx.item.node) {
            Some(value) => Ok(value),
            // In a box, so that what is read off does not carry its size around.
            None => Box::pin(self.0.resolve(ctx, field)).await,
        }
    }
}

impl<T: PlainFields> OutputType for PlainList<T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<T>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<T>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<T>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let read = self.0.iter().map(|object| read_off(object, &ctx.item.node));
        match read.collect::<Option<Vec<Value>>>() {
            Some(values) => Ok(Value::List(values)),
            None => Box::pin(self.0.resolve(ctx, field)).await,
        }
    }
}

impl<T> From<Vec<T>> for PlainList<T> {
    fn from(objects: Vec<T>) -> Self {
        Self(objects)
    }
}

impl<T> FromIterator<T> for PlainList<T> {
    fn from_iter<I: IntoIterator<Item = T>>(objects: I) -> Self {
        Self(objects.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};

    use super::*;

    /// Counts how often it is asked in the usual way.
    #[derive(Clone, Default)]
    struct Day {
        number: i32,
        asked: Arc<AtomicUsize>,
    }

    #[Object]
    impl Day {
        async fn number(&self, #[graphql(default = 1)] times: i32) -> i32 {
            self.asked.fetch_add(1, Ordering::Relaxed);
            self.number * times
        }

        async fn note(&self) -> String {
            self.asked.fetch_add(1, Ordering::Relaxed);
            format!("day {}", self.number)
        }

        async fn next(&self) -> Self {
            self.asked.fetch_add(1, Ordering::Relaxed);
            self.following()
        }
    }

    plain_fields!(Day, |day, field| {
        "number" => leaf(day.number),
        "next" => object(&day.following(), field),
    });

    impl Day {
        fn following(&self) -> Self {
            Self {
                number: self.number + 1,
                asked: self.asked.clone(),
            }
        }
    }

    struct Month(Day);

    #[Object]
    impl Month {
        async fn days(&self) -> PlainList<Day> {
            [self.0.clone(), self.0.following()].into_iter().collect()
        }
    }

    /// The answer, and how often an object was asked in the usual way.
    async fn ask(asked: &str) -> (String, usize) {
        let day = Day::default();
        let schema = Schema::new(Month(day.clone()), EmptyMutation, EmptySubscription);
        let answer = schema.execute(format!("{{ days {asked} }}")).await;
        assert_eq!(answer.errors, []);
        (answer.data.to_string(), day.asked.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn what_is_plain_is_read_off() {
        let (answer, asked) = ask("{ __typename of: number next { number } }").await;
        assert_eq!(
            answer,
            r#"{days: [{__typename: "Day", of: 0, next: {number: 1}}, {__typename: "Day", of: 1, next: {number: 2}}]}"#
        );
        assert_eq!(asked, 0);
    }

    #[tokio::test]
    async fn anything_else_is_answered_as_always() {
        for (question, day) in [
            ("{ number note }", r#"{number: 1, note: "day 1"}"#),
            ("{ number(times: 3) }", "{number: 3}"),
            ("{ ... on Day { number } }", "{number: 1}"),
            (
                "{ next { number } next { note } }",
                r#"{next: {number: 2, note: "day 2"}}"#,
            ),
            ("{ next { next { note } } }", r#"{next: {next: {note: "day 3"}}}"#),
        ] {
            let (answer, asked) = ask(question).await;
            assert!(answer.ends_with(&format!(", {day}]}}")), "{question}: {answer}");
            assert!(asked > 0, "{question}");
        }
    }

    #[tokio::test]
    async fn both_ways_agree() {
        assert_plain_fields_agree!(Day, Day::default(), "next" => "{ number }");
    }
}

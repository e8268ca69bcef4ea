//! The text of statements, with their parameters.

use kernel::Key;
use rusqlite::types::Value as SqlValue;

use crate::collection::Find;
use crate::document::{Order, check_path};
use crate::error::{Error, Result};
use crate::query::Filter;

/// Smaller than every number, and numbers are smaller than texts: "not null" in a form that is a range of an
/// index.
const LEAST: &str = "-9e999";

/// A statement with its parameters.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sql {
    pub(super) text: String,
    pub(super) params: Vec<SqlValue>,
}

impl Sql {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            params: Vec::new(),
        }
    }

    /// `SELECT … FROM … WHERE … ORDER BY … LIMIT …` of a query.
    pub(super) fn select(columns: &str, find: &Find) -> Result<Self> {
        let mut sql = Self::new(format!("SELECT {columns} FROM \"{}\"", find.collection.name));
        sql.filters(&find.filters)?;
        sql.order(find)?;
        if let Some(limit) = find.limit {
            sql.text.push_str(" LIMIT ");
            sql.param(SqlValue::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
        }
        Ok(sql)
    }

    pub(super) fn filters(&mut self, filters: &[Filter]) -> Result<()> {
        for (position, filter) in filters.iter().enumerate() {
            self.text
                .push_str(if position == 0 { " WHERE " } else { " AND " });
            self.filter(filter)?;
        }
        Ok(())
    }

    pub(super) fn param(&mut self, value: impl Into<SqlValue>) {
        self.text.push('?');
        self.params.push(value.into());
    }

    pub(super) fn filter(&mut self, filter: &Filter) -> Result<()> {
        match filter {
            Filter::Eq(path, Key::Null) | Filter::Lte(path, Key::Null) => self.push_with(path, " IS NULL"),
            Filter::Lt(_, Key::Null) => self.push("FALSE"),
            Filter::Gte(_, Key::Null) => self.push("TRUE"),
            Filter::Gt(path, Key::Null) => self.push_with(path, &format!(" >= {LEAST}")),
            Filter::Eq(path, value) => self.compare(path, " = ", value),
            Filter::Lt(path, value) => self.compare(path, " < ", value),
            Filter::Lte(path, value) => self.compare(path, " <= ", value),
            Filter::Gt(path, value) => self.compare(path, " > ", value),
            Filter::Gte(path, value) => self.compare(path, " >= ", value),
            Filter::In(path, values) => self.is_in(path, values),
            Filter::Contains(path, value) => {
                let path = json_path(path)?;
                // A single value would be its own only element.
                self.text.push_str(&format!(
                    "(json_type(doc, {path}) IS 'array' AND EXISTS (SELECT 1 FROM json_each(doc, {path}) \
                     WHERE type NOT IN ('object', 'array') AND value IS "
                ));
                self.param(bound(value));
                self.push("))")
            }
            Filter::And(filters) => self.joined(filters, " AND ", "TRUE"),
            Filter::Or(filters) => self.joined(filters, " OR ", "FALSE"),
            Filter::Not(filter) => {
                self.text.push('(');
                self.filter(filter)?;
                // Not "NOT", which leaves null what is null.
                self.text.push_str(") IS NOT TRUE");
                Ok(())
            }
        }
    }

    /// Without the fields that have one value only: SQLite does not see that for null.
    fn order(&mut self, find: &Find) -> Result<()> {
        let fixed = |path: &str| {
            find.filters
                .iter()
                .any(|filter| matches!(filter, Filter::Eq(field, _) if field == path))
        };
        let mut separator = " ORDER BY ";
        for (path, order) in find.sort.iter().filter(|(path, _)| !fixed(path)) {
            self.text.push_str(separator);
            self.text.push_str(&term(path, *order)?);
            separator = ", ";
        }
        Ok(())
    }

    fn joined(&mut self, filters: &[Filter], operator: &str, empty: &str) -> Result<()> {
        if filters.is_empty() {
            return self.push(empty);
        }
        self.text.push('(');
        for (position, filter) in filters.iter().enumerate() {
            if position > 0 {
                self.text.push_str(operator);
            }
            self.filter(filter)?;
        }
        self.text.push(')');
        Ok(())
    }

    fn compare(&mut self, path: &str, operator: &str, value: &Key) -> Result<()> {
        self.push_with(path, operator)?;
        self.param(bound(value));
        Ok(())
    }

    /// The values are one parameter, so that lists of every length share one prepared statement.
    fn is_in(&mut self, path: &str, values: &[Key]) -> Result<()> {
        let field = expression(path)?;
        let (nulls, values): (Vec<&Key>, Vec<&Key>) = values.iter().partition(|value| **value == Key::Null);
        let list = serde_json::to_string(&values).map_err(Error::internal)?;
        let start = if nulls.is_empty() {
            "("
        } else {
            "(({field} IS NULL) OR "
        };
        self.text.push_str(&start.replace("{field}", &field));
        self.text
            .push_str(&format!("{field} IN (SELECT value FROM json_each("));
        self.param(list);
        self.text.push_str(")))");
        Ok(())
    }

    fn push(&mut self, text: &str) -> Result<()> {
        self.text.push_str(text);
        Ok(())
    }

    fn push_with(&mut self, path: &str, rest: &str) -> Result<()> {
        self.text.push_str(&expression(path)?);
        self.text.push_str(rest);
        Ok(())
    }
}

/// The value of a field. An index serves it only if it is written the same in both places.
pub(super) fn expression(path: &str) -> Result<String> {
    match path {
        "_id" => Ok(path.to_owned()),
        _ => Ok(format!("(doc ->> {})", json_path(path)?)),
    }
}

/// A field with its order, for an index or for sorting.
pub(super) fn term(path: &str, order: Order) -> Result<String> {
    let field = expression(path)?;
    Ok(match order {
        Order::Asc => field,
        Order::Desc => format!("{field} DESC"),
    })
}

/// A path as SQLite writes it, each name quoted: `'$."frequency"."type"'`.
pub(super) fn json_path(path: &str) -> Result<String> {
    check_path(path)?;
    let mut text = String::from("'$");
    for name in path.split('.') {
        text.push_str(&format!(".\"{name}\""));
    }
    text.push('\'');
    Ok(text)
}

/// A value as a parameter. SQLite's JSON functions return truth values as 0 and 1.
pub(super) fn bound(value: &Key) -> SqlValue {
    match value {
        Key::Null => SqlValue::Null,
        Key::Bool(truth) => SqlValue::Integer(i64::from(*truth)),
        Key::Int(number) => SqlValue::Integer(*number),
        Key::Float(number) => SqlValue::Real(*number),
        Key::Text(text) => SqlValue::Text(text.clone()),
    }
}

/// A column as a sort key.
pub(super) fn key(value: SqlValue) -> Key {
    match value {
        SqlValue::Null | SqlValue::Blob(_) => Key::Null,
        SqlValue::Integer(number) => Key::Int(number),
        SqlValue::Real(number) => Key::Float(number),
        SqlValue::Text(text) => Key::Text(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(filter: &Filter) -> String {
        let mut sql = Sql::default();
        sql.filter(filter).unwrap();
        sql.text
    }

    #[test]
    fn a_dotted_path_goes_through_objects() {
        let filter = Filter::Eq("frequency.type".into(), "daily".into());
        assert_eq!(written(&filter), r#"(doc ->> '$."frequency"."type"') = ?"#);
    }

    #[test]
    fn null_is_absent_and_smallest() {
        let null = || ("x".to_owned(), Key::Null);
        let field = r#"(doc ->> '$."x"')"#;
        assert_eq!(
            written(&Filter::Eq(null().0, null().1)),
            format!("{field} IS NULL")
        );
        assert_eq!(
            written(&Filter::Gt(null().0, null().1)),
            format!("{field} >= -9e999")
        );
        assert_eq!(written(&Filter::Lt(null().0, null().1)), "FALSE");
    }

    #[test]
    fn a_name_cannot_become_part_of_the_statement() {
        for name in ["x\"') OR 1 --", "", "a..b", "a b", "$x", "a\u{0}"] {
            assert!(expression(name).is_err(), "{name:?}");
        }
    }
}

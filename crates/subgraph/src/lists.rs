//! How lists are asked for: the seed's plain lists, and Relay's connections.

use async_graphql::OutputType;
use async_graphql::connection::{Connection, Edge, EmptyFields};
use kernel::{Cursor, Direction, Page, PageRequest, Refusal, Text};

use crate::input::Checker;

/// How many items a list has where nothing is asked for.
pub const DEFAULT_LIMIT: i32 = 50;
/// How many items a list has at the most.
pub const MAX_LIMIT: i32 = 200;

/// A connection with opaque cursors.
pub type Connected<T> = Connection<String, T, EmptyFields, EmptyFields>;

/// Relay's four arguments.
#[derive(Debug, Clone, Default)]
pub struct PageArgs {
    /// The first so many …
    pub first: Option<i32>,
    /// … after this cursor.
    pub after: Option<String>,
    /// The last so many …
    pub last: Option<i32>,
    /// … before this cursor.
    pub before: Option<String>,
}

impl PageArgs {
    /// The page that is asked for.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` where arguments contradict each other, a number is out of range, or a cursor is none.
    pub fn request(&self) -> Result<PageRequest, Refusal> {
        let mut issues = Vec::new();
        let mut judge = |argument: &'static str, judge: &mut dyn FnMut(&mut Checker)| {
            let mut check = Checker::new(argument);
            judge(&mut check);
            if let Err(refusal) = check.finish() {
                issues.extend(refusal.issues);
            }
        };
        let backward = self.last.is_some() || (self.before.is_some() && self.first.is_none());
        let (limit_name, limit, from_name, from) = if backward {
            ("last", self.last, "before", &self.before)
        } else {
            ("first", self.first, "after", &self.after)
        };
        let other = if backward {
            self.first.is_some() || self.after.is_some()
        } else {
            self.before.is_some()
        };
        let mut request = PageRequest {
            limit: limit.unwrap_or(DEFAULT_LIMIT) as usize,
            direction: if backward {
                Direction::Backward
            } else {
                Direction::Forward
            },
            from: None,
        };
        judge(limit_name, &mut |check| {
            if other {
                check.issue("CONTRADICTION", Text::new("issue-contradiction"));
            }
            if let Some(limit) = limit {
                check.range(limit.into(), 1, MAX_LIMIT.into());
            }
        });
        if let Some(cursor) = from {
            judge(from_name, &mut |check| match Cursor::decode(cursor) {
                Ok(cursor) => request.from = Some(cursor),
                Err(_) => check.issue("INVALID_CURSOR", Text::new("issue-invalid-cursor")),
            });
        }
        if issues.is_empty() {
            Ok(request)
        } else {
            Err(Refusal::bad_input(issues))
        }
    }
}

/// The connection for a page.
pub fn connected<D, T: OutputType>(page: Page<D>, mut wrap: impl FnMut(D) -> T) -> Connected<T> {
    let mut connection = Connection::new(page.has_previous, page.has_next);
    connection.edges.extend(
        page.items
            .into_iter()
            .map(|(cursor, item)| Edge::new(cursor.encode(), wrap(item))),
    );
    connection
}

/// The `limit` argument of a plain list.
///
/// # Errors
/// `BAD_USER_INPUT` where it is out of range.
pub fn limit(limit: Option<i32>) -> Result<usize, Refusal> {
    let mut check = Checker::new("limit");
    let judged = check.range(limit.unwrap_or(DEFAULT_LIMIT).into(), 1, MAX_LIMIT.into());
    check.finish()?;
    Ok(judged.unwrap_or(1) as usize)
}

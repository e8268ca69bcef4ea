//! Where a page begins: what lies beyond a cursor, as filters that an index can serve.

use kernel::{Cursor, Direction, Key};

use crate::document::Order;
use crate::error::{Error, Result};
use crate::query::Filter;

/// Fields to sort by; `_id` is the last.
pub(crate) type Sort = Vec<(String, Order)>;

/// The sort keys of a query, with `_id` as the last one.
pub(crate) fn total(sort: &[(String, Order)]) -> Sort {
    let mut total: Sort = Vec::with_capacity(sort.len() + 1);
    for (field, order) in sort {
        if total.iter().all(|(known, _)| known != field) {
            total.push((field.clone(), *order));
        }
        if field == "_id" {
            return total;
        }
    }
    let order = total.last().map_or(Order::Asc, |(_, order)| *order);
    total.push(("_id".to_owned(), order));
    total
}

/// The same fields in the opposite order.
pub(crate) fn reversed(sort: &Sort) -> Sort {
    sort.iter()
        .map(|(field, order)| (field.clone(), order.reversed()))
        .collect()
}

/// Checks that a cursor can be one of a list with this order.
pub(crate) fn check(sort: &Sort, cursor: &Cursor, direction: Direction) -> Result<()> {
    let fits = cursor.0.len() == sort.len() && matches!(cursor.0.last(), Some(Key::Text(_)));
    if fits {
        Ok(())
    } else {
        Err(Error::InvalidCursor(direction))
    }
}

/// What comes after a position in this order, as disjoint parts, the nearest first. Each part is a range of
/// an index that has the same fields, which a comparison of whole tuples would not be.
pub(crate) fn beyond(sort: &Sort, position: &[Key], inclusive: bool) -> Vec<Vec<Filter>> {
    let same = |until: usize| -> Vec<Filter> {
        let fields = sort.iter().zip(position).take(until);
        fields
            .map(|((field, _), key)| Filter::Eq(field.clone(), key.clone()))
            .collect()
    };
    let mut parts = Vec::new();
    if inclusive {
        parts.push(same(sort.len()));
    }
    for (at, ((field, order), key)) in sort.iter().zip(position).enumerate().rev() {
        let further = match (order, key) {
            (Order::Asc, _) => vec![Filter::Gt(field.clone(), key.clone())],
            (Order::Desc, Key::Null) => vec![],
            (Order::Desc, _) if field == "_id" => vec![Filter::Lt(field.clone(), key.clone())],
            (Order::Desc, _) => {
                vec![
                    Filter::Lt(field.clone(), key.clone()),
                    Filter::Eq(field.clone(), Key::Null),
                ]
            }
        };
        for filter in further {
            let mut part = same(at);
            part.push(filter);
            parts.push(part);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_ends_every_order() {
        let sort = total(&[("date".to_owned(), Order::Desc), ("date".to_owned(), Order::Asc)]);
        assert_eq!(
            sort,
            [("date".to_owned(), Order::Desc), ("_id".to_owned(), Order::Desc)]
        );
        assert_eq!(total(&[]), [("_id".to_owned(), Order::Asc)]);
    }

    #[test]
    fn nulls_come_after_everything_in_a_descending_list() {
        let sort = total(&[("date".to_owned(), Order::Desc)]);
        let parts = beyond(&sort, &[Key::from("2026-03-29"), Key::from("a")], false);
        assert_eq!(
            parts,
            [
                vec![
                    Filter::Eq("date".into(), "2026-03-29".into()),
                    Filter::Lt("_id".into(), "a".into())
                ],
                vec![Filter::Lt("date".into(), "2026-03-29".into())],
                vec![Filter::Eq("date".into(), Key::Null)],
            ]
        );
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let sort = total(&[("date".to_owned(), Order::Desc)]);
        for keys in [vec![], vec![Key::from("a")], vec![Key::from("a"), Key::Null]] {
            assert!(check(&sort, &Cursor(keys), Direction::Forward).is_err());
        }
    }
}

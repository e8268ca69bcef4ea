//! Progressive `@override`: which of two subgraphs answers a field that moves from one to the other, said by a label.
//!
//! Each request draws one number, and a label is on if the number lies below the label's share. So whoever is moved by
//! `percent(5)` is moved by `percent(10)`, too, and between two shares all requests are equal: a plan holds for a range of
//! numbers, which the labels make that the planner asked about. Most plans hold for every number, and then none is drawn.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use kernel::Random;

use crate::config::{ALL_REQUESTS, OverridesConfig};

/// The number with which a field stays where it was, unless it has moved for all requests.
pub(crate) const LAST: u64 = ALL_REQUESTS - 1;

/// The numbers that a request may draw.
pub(crate) const ANY: Range<u64> = 0..ALL_REQUESTS;

/// The shares of those labels that are names, in the same measure as the numbers.
#[derive(Debug, Default, Clone)]
pub(crate) struct Shares(Arc<HashMap<String, u64>>);

/// What a request has drawn, and all numbers with which the labels asked about so far are the same.
#[derive(Debug, Clone)]
pub(crate) struct Draw {
    number: u64,
    same: Rc<RefCell<Range<u64>>>,
}

/// The number of a request, drawn when it is first of interest.
pub(crate) struct Drawing<'r> {
    random: Option<&'r Random>,
    number: Option<u64>,
}

impl Shares {
    pub(crate) fn new(config: &OverridesConfig) -> Self {
        let labels = config.labels.iter();
        Self(Arc::new(
            labels
                .map(|(label, share)| (label.clone(), share.get()))
                .collect(),
        ))
    }

    /// The labels for which something is set.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The share of a label that is a name.
    pub(crate) fn of(&self, label: &str) -> u64 {
        self.0.get(label).copied().unwrap_or(0)
    }
}

impl Draw {
    pub(crate) fn of(number: u64) -> Self {
        Self {
            number,
            same: Rc::new(RefCell::new(ANY)),
        }
    }

    /// Whether a label with that share is on.
    pub(crate) fn is_below(&self, share: u64) -> bool {
        let mut same = self.same.borrow_mut();
        if self.number < share {
            same.end = same.end.min(share);
            true
        } else {
            same.start = same.start.max(share);
            false
        }
    }

    /// The numbers with which all labels are the same that somebody asked about.
    pub(crate) fn same(&self) -> Range<u64> {
        self.same.borrow().clone()
    }
}

impl<'r> Drawing<'r> {
    /// Without randomness it is always [`LAST`].
    pub(crate) fn new(random: Option<&'r Random>) -> Self {
        Self { random, number: None }
    }

    pub(crate) fn number(&mut self) -> u64 {
        let random = self.random;
        let draw = || random.map_or(LAST, |random| u64::from_be_bytes(random.bytes()) % ALL_REQUESTS);
        *self.number.get_or_insert_with(draw)
    }

    /// Whether that is among those.
    pub(crate) fn is_in(&mut self, range: &Range<u64>) -> bool {
        *range == ANY || range.contains(&self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_knows_which_others_would_have_been_told_the_same() {
        let draw = Draw::of(30);
        assert_eq!(draw.same(), ANY);
        let shares = [90, 10, 50, 20, 30];
        let on: Vec<bool> = shares.iter().map(|share| draw.is_below(*share)).collect();
        assert_eq!(on, [true, false, true, false, false]);
        assert_eq!(draw.same(), 30..50);
        assert!(!draw.is_below(0) && draw.is_below(ALL_REQUESTS));
        assert_eq!(draw.same(), 30..50, "these are the same for everybody");
    }

    #[test]
    fn a_request_draws_once_and_only_if_it_matters() {
        let random = Random::seeded(7);
        let mut drawing = Drawing::new(Some(&random));
        assert!(drawing.is_in(&ANY));
        assert_eq!(drawing.number, None);
        let number = drawing.number();
        assert!(drawing.is_in(&(number..number + 1)) && !drawing.is_in(&(0..number)));
        assert_eq!(Drawing::new(None).number(), LAST);
    }
}

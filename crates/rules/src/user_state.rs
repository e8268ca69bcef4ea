//! The streak of a user over all habits: logical days with at least one completed habit.
//!
//! A closed day on which a habit was due and failed, and none was completed, ends it. A day on which nothing
//! was due, or everything due was skipped, paused or frozen, does not; nor does a period that fails, because n
//! times in a period make no day due.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::book::Book;
use crate::civil::{days_between, next, plus_days};
use crate::day::DayResult;
use crate::evaluate::run;
use crate::fact::Fact;
use crate::habit::{HabitRules, Rules, UserRules};
use crate::history::Today;
use crate::state::{HabitState, NeedsRebuild};

/// The open end of the window: days that may still change without a rebuild of the user's state.
const KEPT_DAYS: i64 = 14;
/// When it has grown to this, the checkpoint moves on.
const SPAN_KEPT: i64 = 28;

/// The stored part of a user's streak: the fold of all days before a date.
///
/// The days since come from the windows of the habits' states, which reach further back
/// ([`crate::WINDOW_DAYS`]), so that either may move on without the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserState {
    /// None: nothing is folded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begin: Option<Date>,
    run: u32,
    longest: u32,
}

/// The streaks of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserStreaks {
    /// Days in a row, up to now.
    pub current_streak: u32,
    /// The most days that there ever were in a row.
    pub longest_streak: u32,
    /// Whether a habit is completed today.
    pub completed_today: bool,
}

/// What the habits together made of a day.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    completed: bool,
    failed: bool,
}

/// The marks of consecutive days.
struct Marks {
    first: Date,
    marks: Vec<Mark>,
}

impl UserState {
    /// The state from all facts of all habits.
    pub fn rebuild(user: &UserRules, habits: &[(&HabitRules, &[Fact])], now: Timestamp) -> Self {
        let today = user.times.today(now);
        let books: Vec<(Rules<'_>, Book)> = habits
            .iter()
            .map(|(habit, facts)| (Rules::new(habit, user), Book::of(facts)))
            .collect();
        let first = books
            .iter()
            .map(|(rules, book)| effective_start(*rules, book))
            .min();
        let mut state = Self::default();
        let end = plus_days(today.first_open, -KEPT_DAYS);
        let Some(first) = first.filter(|first| *first < end) else {
            return state;
        };
        let mut marks = Marks::new(first, end);
        for (rules, book) in &books {
            marks.add(&run(*rules, book, None, Some(marks.range()), today).days);
        }
        state.fold_until(&marks, today, end);
        state
    }

    /// To be called with [`crate::Change::since`] of every change, for changes of the rules with that of
    /// [`crate::preview_update`]: one of days before the window needs a rebuild. So does a habit that is deleted.
    ///
    /// # Errors
    /// The date is folded already.
    pub fn touched(&self, since: Date) -> Result<(), NeedsRebuild> {
        match self.begin {
            Some(begin) if since < begin => Err(NeedsRebuild),
            _ => Ok(()),
        }
    }

    /// The streaks now, from the states of all habits of the user, also archived and ended ones.
    ///
    /// # Errors
    /// The state of a habit does not reach back to this one, or its rules do not fit.
    pub fn view(
        &self,
        user: &UserRules,
        habits: &[(&HabitRules, &HabitState)],
        now: Timestamp,
    ) -> Result<UserStreaks, NeedsRebuild> {
        let today = user.times.today(now);
        Ok(self.streaks(&self.marks(user, habits, today, now)?, today))
    }

    /// The first day that is not folded; none where nothing is.
    pub fn first_day(&self) -> Option<Date> {
        self.begin
    }

    /// What [`Self::view`] says, from the days of all habits of the user as [`HabitState::outlook`] gives them since
    /// [`Self::first_day`]; and the state that [`Self::advance`] leads to, where it changes.
    ///
    /// # Errors
    /// `now` lies before the first day, or the days of a habit begin after it.
    pub fn view_days(
        &self,
        user: &UserRules,
        habits: &[&[DayResult]],
        now: Timestamp,
    ) -> Result<(UserStreaks, Option<Self>), NeedsRebuild> {
        let today = user.times.today(now);
        self.check(today)?;
        let reaches = |days: &&[DayResult]| match (self.begin, days.first()) {
            (Some(begin), Some(first)) => first.date <= begin,
            _ => true,
        };
        if !habits.iter().all(reaches) {
            return Err(NeedsRebuild);
        }
        let of_habits = || {
            habits
                .iter()
                .filter_map(|days| Some((days.first()?, days.last()?)))
        };
        let first = self
            .begin
            .or_else(|| of_habits().map(|(first, _)| first.date).min());
        let last = of_habits().map(|(_, last)| last.date).fold(today.date, Date::max);
        let mut marks = Marks::new(first.unwrap_or(today.date).min(today.date), next(last));
        for days in habits {
            marks.add(days);
        }
        let mut ahead = self.clone();
        let advanced = ahead.fold_old(&marks, today).then_some(ahead);
        Ok((self.streaks(&marks, today), advanced))
    }

    /// Folds old days if the window has grown large, and says whether it did. Answers do not depend on it.
    ///
    /// # Errors
    /// As for [`Self::view`].
    pub fn advance(
        &mut self,
        user: &UserRules,
        habits: &[(&HabitRules, &HabitState)],
        now: Timestamp,
    ) -> Result<bool, NeedsRebuild> {
        let today = user.times.today(now);
        let marks = self.marks(user, habits, today, now)?;
        Ok(self.fold_old(&marks, today))
    }

    fn streaks(&self, marks: &Marks, today: Today) -> UserStreaks {
        let mut end = self.clone();
        end.fold_until(marks, today, next(*marks.range().end()));
        UserStreaks {
            current_streak: end.run,
            longest_streak: end.longest,
            completed_today: marks.at(today.date).is_some_and(|mark| mark.completed),
        }
    }

    fn fold_old(&mut self, marks: &Marks, today: Today) -> bool {
        let large = days_between(marks.first, today.first_open) > SPAN_KEPT;
        if large {
            self.fold_until(marks, today, plus_days(today.first_open, -KEPT_DAYS));
        }
        large
    }

    fn check(&self, today: Today) -> Result<(), NeedsRebuild> {
        match self.begin {
            Some(begin) if today.first_open < begin => Err(NeedsRebuild),
            _ => Ok(()),
        }
    }

    fn marks(
        &self,
        user: &UserRules,
        habits: &[(&HabitRules, &HabitState)],
        today: Today,
        now: Timestamp,
    ) -> Result<Marks, NeedsRebuild> {
        self.check(today)?;
        let rules = |habit| Rules::new(habit, user);
        let starts = habits
            .iter()
            .map(|(habit, state)| effective_start(rules(habit), &state.book));
        let first = self.begin.or_else(|| starts.min()).unwrap_or(today.date);
        let horizon = habits
            .iter()
            .filter_map(|(_, state)| state.book.last_entry())
            .fold(today.date, Date::max);
        let mut marks = Marks::new(first.min(today.date), next(horizon));
        for (habit, state) in habits {
            marks.add(&state.days(rules(habit), marks.range(), now)?);
        }
        Ok(marks)
    }

    /// Folds the days before `end`.
    fn fold_until(&mut self, marks: &Marks, today: Today, end: Date) {
        let mut date = marks.first;
        for mark in &marks.marks {
            if date >= end {
                break;
            }
            if mark.completed {
                self.run = self.run.saturating_add(1);
                self.longest = self.longest.max(self.run);
            } else if mark.failed && date < today.first_open {
                self.run = 0;
            }
            date = next(date);
        }
        self.begin = Some(date);
    }
}

impl Marks {
    /// Unmarked days from `first` until before `end`.
    fn new(first: Date, end: Date) -> Self {
        let days = usize::try_from(days_between(first, end)).unwrap_or(0).max(1);
        Self {
            first,
            marks: vec![Mark::default(); days],
        }
    }

    fn range(&self) -> RangeInclusive<Date> {
        let days = i64::try_from(self.marks.len()).unwrap_or(i64::MAX);
        self.first..=plus_days(self.first, days - 1)
    }

    /// There is one result for each date of the days' range.
    fn add(&mut self, days: &[DayResult]) {
        let Some(first) = days.first() else { return };
        let apart = days_between(first.date, self.first);
        let earlier = usize::try_from(apart).unwrap_or_default();
        let later = usize::try_from(-apart).unwrap_or_default();
        let marks = self.marks.iter_mut().skip(later);
        for (mark, day) in marks.zip(days.iter().skip(earlier)) {
            mark.completed |= day.completed;
            mark.failed |= day.status.is_failed() && day.unit.is_none();
        }
    }

    fn at(&self, date: Date) -> Option<Mark> {
        let place = usize::try_from(days_between(self.first, date)).ok()?;
        self.marks.get(place).copied()
    }
}

fn effective_start(rules: Rules<'_>, book: &Book) -> Date {
    book.first_entry()
        .map_or(rules.habit.start, |date| date.min(rules.habit.start))
}

//! What a store keeps of a habit: one bounded document, from which everything that is asked every day is
//! answered without the history.
//!
//! It is a checkpoint, the fold of all older days, with the facts since. The checkpoint lies at the beginning of
//! a unit at least [`WINDOW_DAYS`] before the first open day, and moves on when the window has grown large. A
//! change in the window is exact; one of an older day needs a rebuild from all facts.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::book::Book;
use crate::change::Change;
use crate::checkpoint::{Checkpoint, fingerprint};
use crate::civil::{days_between, plus_days};
use crate::day::DayResult;
use crate::evaluate::{Outcome, run};
use crate::fact::{Fact, FactId, What};
use crate::habit::Rules;
use crate::history::Today;
use crate::policy::CheckInPolicy;
use crate::stats::Stats;
use crate::walk::Walk;

/// The days before the first open one that a state always keeps.
pub const WINDOW_DAYS: u16 = 62;

/// Days with facts after which the checkpoint moves on.
const DAYS_KEPT: usize = 70;
/// Days without them after which it does as well: an absence leaves little to keep, but much to walk over.
const SPAN_KEPT: i64 = 400;

/// The stored state of one habit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HabitState {
    habit_version: i64,
    user_version: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) book: Book,
}

/// The state cannot answer: the question, the fact or the change of rules is about days before its window, or
/// the clock is. [`HabitState::unfolded`], from all facts, answers and takes everything in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the state does not reach back that far")]
pub struct NeedsRebuild;

/// What a habit shows now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HabitView {
    /// Its figures.
    pub stats: Stats,
    /// The logical date of today, and what it is worth so far.
    pub today: DayResult,
    /// Dates of this calendar month that were made up.
    pub makeups_used: u32,
    /// Dates of this calendar month that may still be made up.
    pub makeups_left: u32,
}

/// What a habit shows now, with its latest days.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    /// What it shows now.
    pub view: HabitView,
    /// The days of this calendar month, and earlier and later ones that were asked for; one for each date.
    pub days: Vec<DayResult>,
}

impl HabitState {
    /// The state of a habit to which nothing has happened.
    pub fn new(rules: Rules<'_>) -> Self {
        Self {
            habit_version: rules.habit.version,
            user_version: rules.user.version,
            checkpoint: None,
            book: Book::default(),
        }
    }

    /// The state after these facts, in any order.
    pub fn rebuild(rules: Rules<'_>, facts: &[Fact], now: Timestamp) -> Self {
        let mut state = Self::unfolded(rules, facts);
        state.move_checkpoint(rules, now);
        state
    }

    /// The state after these facts, in any order, with no day folded yet: it never [`NeedsRebuild`], whatever
    /// the age of the days in question, and is as large as the history until [`Self::apply`] or
    /// [`Self::advance`] folds it.
    pub fn unfolded(rules: Rules<'_>, facts: &[Fact]) -> Self {
        let mut state = Self::new(rules);
        state.book = Book::of(facts);
        state
    }

    /// Whether the rules agree, for all days before the window, with those that these were folded with.
    pub fn fits(&self, rules: Rules<'_>) -> bool {
        if (self.habit_version, self.user_version) == (rules.habit.version, rules.user.version) {
            return true;
        }
        self.checkpoint
            .as_ref()
            .is_none_or(|checkpoint| fingerprint(rules, checkpoint.date) == checkpoint.fingerprint)
    }

    /// The versions of the habit's and the user's rules that it was last brought to.
    pub fn versions(&self) -> (i64, i64) {
        (self.habit_version, self.user_version)
    }

    /// Takes other rules. Every other method also accepts rules that fit; this makes it remember so.
    ///
    /// # Errors
    /// The rules differ for days before the window.
    pub fn rules_changed(&mut self, rules: Rules<'_>) -> Result<(), NeedsRebuild> {
        if !self.fits(rules) {
            return Err(NeedsRebuild);
        }
        self.habit_version = rules.habit.version;
        self.user_version = rules.user.version;
        Ok(())
    }

    /// Takes a fact that was accepted, and returns the first date that it can change; none where it was taken before.
    ///
    /// # Errors
    /// The fact is about days before the window; nothing was changed.
    pub fn take(
        &mut self,
        rules: Rules<'_>,
        fact: &Fact,
        now: Timestamp,
    ) -> Result<Option<Date>, NeedsRebuild> {
        let since = self.enter(rules, fact, now)?;
        if since.is_some() {
            self.advance(rules, now)?;
        }
        Ok(since)
    }

    /// As [`Self::take`], and says what it changes, which costs more.
    ///
    /// # Errors
    /// As for [`Self::take`].
    pub fn apply(&mut self, rules: Rules<'_>, fact: &Fact, now: Timestamp) -> Result<Change, NeedsRebuild> {
        let mut new = self.clone();
        let Some(since) = new.enter(rules, fact, now)? else {
            return Ok(Change::none(
                rules.user.times.today(now).date,
                self.stats(rules, now)?,
            ));
        };
        let change = Change::between(self.side(rules), new.side(rules), Some(since), now);
        new.advance(rules, now)?;
        *self = new;
        Ok(change)
    }

    /// Folds old days into the checkpoint if the window has grown large, and says whether it did. [`Self::apply`]
    /// does so itself; answers do not depend on it.
    ///
    /// # Errors
    /// The rules do not fit.
    pub fn advance(&mut self, rules: Rules<'_>, now: Timestamp) -> Result<bool, NeedsRebuild> {
        self.check(rules, now)?;
        let span = days_between(self.first_day(rules), rules.user.times.today(now).first_open);
        let large = span > SPAN_KEPT || (self.book.days.len() > DAYS_KEPT && span > i64::from(WINDOW_DAYS));
        Ok(large && self.move_checkpoint(rules, now))
    }

    /// What the habit shows now.
    ///
    /// # Errors
    /// The rules do not fit, or `now` lies before the window.
    pub fn view(
        &self,
        rules: Rules<'_>,
        policy: &CheckInPolicy,
        now: Timestamp,
    ) -> Result<HabitView, NeedsRebuild> {
        self.check(rules, now)?;
        let today = rules.user.times.today(now);
        let outcome = self.run(rules, Some(today.date..=today.date), today);
        Ok(self.view_of(&outcome, policy, today.date))
    }

    /// What the habit shows now, with the days of this month, for the price of either. The days begin no later than
    /// `since`, or else with the window, and go on to the last check-in if that lies ahead.
    ///
    /// # Errors
    /// As for [`Self::view`], or one of the days lies before the window.
    pub fn outlook(
        &self,
        rules: Rules<'_>,
        policy: &CheckInPolicy,
        since: Option<Date>,
        now: Timestamp,
    ) -> Result<Outlook, NeedsRebuild> {
        self.check(rules, now)?;
        let today = rules.user.times.today(now);
        let since = since.unwrap_or_else(|| self.first_day(rules));
        let first = today.date.first_of_month().min(since);
        if self.begins_after(first) {
            return Err(NeedsRebuild);
        }
        let last = today.date.last_of_month();
        let last = self.book.last_entry().map_or(last, |date| date.max(last));
        let outcome = self.run(rules, Some(first..=last), today);
        Ok(Outlook {
            view: self.view_of(&outcome, policy, today.date),
            days: outcome.days,
        })
    }

    /// The figures alone.
    ///
    /// # Errors
    /// As for [`Self::view`].
    pub fn stats(&self, rules: Rules<'_>, now: Timestamp) -> Result<Stats, NeedsRebuild> {
        self.check(rules, now)?;
        let today = rules.user.times.today(now);
        Ok(Stats::of(&self.run(rules, None, today).fold))
    }

    /// The days of a range, one for each date of it. It may lie ahead; the cost grows with it, so the caller
    /// bounds it.
    ///
    /// # Errors
    /// As for [`Self::view`], or the range begins before the window.
    pub fn days(
        &self,
        rules: Rules<'_>,
        range: RangeInclusive<Date>,
        now: Timestamp,
    ) -> Result<Vec<DayResult>, NeedsRebuild> {
        self.check(rules, now)?;
        if self.begins_after(*range.start()) {
            return Err(NeedsRebuild);
        }
        Ok(self.run(rules, Some(range), rules.user.times.today(now)).days)
    }

    /// One day with its reason.
    ///
    /// # Errors
    /// As for [`Self::days`].
    pub fn explain_day(
        &self,
        rules: Rules<'_>,
        date: Date,
        now: Timestamp,
    ) -> Result<DayResult, NeedsRebuild> {
        let mut days = self.days(rules, date..=date, now)?;
        Ok(days.pop().unwrap_or_else(|| Walk::after_calendar(date)))
    }

    /// The first date that the state can tell about; none if it knows all.
    pub fn window_begin(&self) -> Option<Date> {
        self.checkpoint.as_ref().map(|checkpoint| checkpoint.date)
    }

    pub(crate) fn check(&self, rules: Rules<'_>, now: Timestamp) -> Result<(), NeedsRebuild> {
        // The first open day is no more than five days before the date in UTC.
        let near = plus_days(TimeZone::UTC.to_datetime(now).date(), -5);
        let too_early = self.checkpoint.as_ref().is_some_and(|checkpoint| {
            near < checkpoint.date && rules.user.times.today(now).first_open < checkpoint.date
        });
        if too_early || !self.fits(rules) {
            return Err(NeedsRebuild);
        }
        Ok(())
    }

    /// The first date of the window.
    fn first_day(&self, rules: Rules<'_>) -> Date {
        match (&self.checkpoint, self.book.first_entry()) {
            (Some(checkpoint), _) => checkpoint.date,
            (None, Some(entry)) => entry.min(rules.habit.start),
            (None, None) => rules.habit.start,
        }
    }

    fn enter(&mut self, rules: Rules<'_>, fact: &Fact, now: Timestamp) -> Result<Option<Date>, NeedsRebuild> {
        self.check(rules, now)?;
        let since = self.add(fact)?;
        self.rules_changed(rules)?;
        Ok(since)
    }

    fn view_of(&self, outcome: &Outcome, policy: &CheckInPolicy, date: Date) -> HabitView {
        let today = outcome.days.iter().find(|day| day.date == date);
        let used = self.makeups_used(date);
        HabitView {
            stats: Stats::of(&outcome.fold),
            today: today.cloned().unwrap_or_else(|| Walk::before_start(date)),
            makeups_used: used,
            makeups_left: u32::from(policy.makeup_quota).saturating_sub(used),
        }
    }

    pub(crate) fn run(&self, rules: Rules<'_>, range: Option<RangeInclusive<Date>>, today: Today) -> Outcome {
        run(rules, &self.book, self.checkpoint.as_ref(), range, today)
    }

    /// Makes the fingerprint alone decide whether rules fit.
    pub(crate) fn forget_versions(&mut self) {
        self.habit_version = i64::MIN;
        self.user_version = i64::MIN;
    }

    pub(crate) fn side<'a>(&'a self, rules: Rules<'a>) -> (Rules<'a>, &'a Book, Option<&'a Checkpoint>) {
        (rules, &self.book, self.checkpoint.as_ref())
    }

    pub(crate) fn begins_after(&self, date: Date) -> bool {
        self.checkpoint
            .as_ref()
            .is_some_and(|checkpoint| date < checkpoint.date)
    }

    /// Adds a fact and returns the first date it can change; none if it was there already.
    pub(crate) fn add(&mut self, fact: &Fact) -> Result<Option<Date>, NeedsRebuild> {
        let concerns = match &fact.what {
            What::CheckIn(check_in) => Some(check_in.date),
            What::Skip { date } | What::Freeze { date } => Some(*date),
            What::Pause { from, .. } => Some(*from),
            What::Resume { on, .. } => Some(*on),
            What::Undo { of } => {
                if let Some(date) = self.give_back_freeze(*of) {
                    return Ok(Some(date));
                }
                let pause = self.book.pauses.iter().find(|pause| pause.id == *of);
                pause.map(|pause| pause.from)
            }
            What::Amend { .. } => None,
        };
        if concerns.is_some_and(|date| self.begins_after(date)) {
            return Err(NeedsRebuild);
        }
        self.book.add(fact).map_err(|_| NeedsRebuild)
    }

    /// Dates of that date's month with a makeup: the quota is one of the record, not of when it is entered.
    pub(crate) fn makeups_used(&self, date: Date) -> u32 {
        use crate::fact::Provenance::Makeup;
        let month = date.first_of_month()..=date.last_of_month();
        let days = self.book.days.iter().filter(|day| {
            month.contains(&day.date) && day.entries.iter().any(|entry| entry.provenance == Makeup)
        });
        u32::try_from(days.count()).unwrap_or(u32::MAX)
    }

    /// A freeze that is held at the checkpoint has had no part in the days before it, as the first bought is
    /// spent first.
    fn give_back_freeze(&mut self, id: FactId) -> Option<Date> {
        let checkpoint = self.checkpoint.as_mut()?;
        let place = checkpoint
            .fold
            .freezes
            .iter()
            .position(|freeze| freeze.id == id)?;
        checkpoint.fold.freezes.remove(place);
        Some(checkpoint.date)
    }

    /// Moves the checkpoint to the last unit that begins [`WINDOW_DAYS`] before the first open day.
    fn move_checkpoint(&mut self, rules: Rules<'_>, now: Timestamp) -> bool {
        let today = rules.user.times.today(now);
        let mut walk = Walk::begin(rules, &self.book, self.checkpoint.as_ref(), None, today);
        let target = plus_days(walk.today.first_open, -i64::from(WINDOW_DAYS));
        let date = walk.last_boundary(target);
        if date <= walk.next {
            return false;
        }
        while walk.next < date {
            walk.step(None);
        }
        let fold = walk.fold_for_checkpoint();
        self.checkpoint = Some(Checkpoint {
            date,
            fold,
            fingerprint: fingerprint(rules, date),
        });
        self.book.forget_before(date);
        true
    }
}

//! The one fold over schedule versions and facts, from unit to unit.
//!
//! A unit is a day, or for n times in a period the period; the crate's page says how periods are cut, and what
//! beats what.

use jiff::civil::Date;

use crate::amount::Amount;
use crate::book::{Book, Day};
use crate::checkpoint::Checkpoint;
use crate::civil::{LAST_DATE, days_between, next, previous};
use crate::day::{DayResult, DayStatus, Measured, Reason, UnitResult};
use crate::fact::FactId;
use crate::fold::Fold;
use crate::habit::{RuleVersion, Rules};
use crate::history::{Today, Weeks};
use crate::period::{PeriodDay, excused_period, period_results};
use crate::schedule::Period;

/// The fold on its way.
#[derive(Clone)]
pub(crate) struct Walk<'a> {
    rules: Rules<'a>,
    book: &'a Book,
    pub(crate) today: Today,
    weeks: Weeks,
    missing: Vec<Date>,
    /// The first date of the habit's days: earlier ones were never due.
    pub(crate) start: Date,
    /// The last date that counts: today, or the last check-in's where it is ahead of today.
    pub(crate) horizon: Date,
    /// The first date not yet folded.
    pub(crate) next: Date,
    pub(crate) fold: Fold,
    /// Days of the book that lie behind: the walk meets them in their order.
    passed: usize,
    /// How many of the book's freezes are in the fold.
    bought: usize,
    /// The last version asked for, with the multiplier of its score.
    multiplier: Option<(usize, f64)>,
}

pub(crate) type Excuse = (DayStatus, Reason, FactId);

impl<'a> Walk<'a> {
    /// A walk that begins at the checkpoint, or else at the habit's effective start.
    pub(crate) fn begin(
        rules: Rules<'a>,
        book: &'a Book,
        checkpoint: Option<&Checkpoint>,
        until: Option<Date>,
        today: Today,
    ) -> Self {
        let start = match (checkpoint, book.first_entry()) {
            (Some(checkpoint), _) => checkpoint.date,
            (None, Some(first)) => rules.habit.start.min(first),
            (None, None) => rules.habit.start,
        };
        let horizon = today.date.max(book.last_entry().unwrap_or(today.date));
        let last = until.unwrap_or(horizon).max(horizon).min(LAST_DATE);
        // A period that is still open looks ahead to its end.
        let missing = rules
            .user
            .times
            .missing_dates(start, crate::civil::plus_days(last, 31));
        Self {
            rules,
            book,
            today,
            weeks: rules.user.times.weeks(),
            missing,
            start,
            horizon,
            next: start,
            fold: checkpoint.map_or_else(Fold::default, |checkpoint| checkpoint.fold.clone()),
            passed: 0,
            bought: 0,
            multiplier: None,
        }
    }

    /// Folds everything that counts and returns the fold, with all freezes that are held.
    pub(crate) fn finish(mut self) -> Fold {
        while self.next <= self.horizon && !self.is_over() {
            self.step(None);
        }
        self.buy_until(Date::MAX);
        self.fold
    }

    /// Folds the next unit. Returns whether it is closed, and adds the results of its days to `out`.
    pub(crate) fn step(&mut self, out: Option<&mut Vec<DayResult>>) -> bool {
        let date = self.next;
        let end = self.unit_end(date);
        self.next = next(end);
        match self.period_at(date) {
            Some(period) => self.fold_period(period, date, end, out),
            None => self.fold_day(date, out),
        }
        end < self.today.first_open
    }

    /// Whether nothing that follows can count.
    pub(crate) fn is_over(&self) -> bool {
        self.rules.habit.end.is_some_and(|end| self.next > end)
            && self.book.last_entry().is_none_or(|last| last < self.next)
    }

    /// The result of a date before the first one that is folded.
    pub(crate) fn before_start(date: Date) -> DayResult {
        nothing_asked(date, Reason::BeforeStart, None)
    }

    /// The result of a date after the last one that habits can have.
    pub(crate) fn after_calendar(date: Date) -> DayResult {
        nothing_asked(date, Reason::AfterEnd, None)
    }

    /// The last date up to `target` that begins a unit; the next date where there is none.
    pub(crate) fn last_boundary(&self, target: Date) -> Date {
        let mut date = self.next;
        loop {
            let following = next(self.unit_end(date));
            if following > target || following <= date {
                return date;
            }
            date = following;
        }
    }

    /// What the book has of a date, which is not before one that was asked for.
    fn day(&mut self, date: Date) -> Option<&'a Day> {
        let ahead = self.book.days.get(self.passed..).unwrap_or_default();
        self.passed += ahead.iter().take_while(|day| day.date < date).count();
        self.book.days.get(self.passed).filter(|day| day.date == date)
    }

    fn period_at(&self, date: Date) -> Option<Period> {
        if self.is_after_end(date) {
            return None;
        }
        self.rules.habit.in_force(date).schedule.period()
    }

    fn is_after_end(&self, date: Date) -> bool {
        self.rules.habit.end.is_some_and(|end| date > end)
    }

    fn unit_end(&self, date: Date) -> Date {
        let Some(period) = self.period_at(date) else {
            return date;
        };
        let mut end = match period {
            Period::Week => self.weeks.of(date).1,
            Period::Month => date.last_of_month(),
        };
        if let Some(last) = self.rules.habit.end {
            end = end.min(last);
        }
        let versions = self.rules.habit.versions();
        let later = versions
            .iter()
            .skip_while(|version| version.effective <= date)
            .take_while(|version| version.effective <= end);
        // Of versions with the same date the last one counts, so the date alone is taken from here.
        for effective in later.map(|version| version.effective) {
            if self.rules.habit.in_force(effective).schedule.period() != Some(period) {
                return previous(effective).max(date);
            }
        }
        end
    }

    fn fold_day(&mut self, date: Date, out: Option<&mut Vec<DayResult>>) {
        let closed = date < self.today.first_open;
        let day = self.day(date);
        if let Some(day) = day {
            self.fold.add_day(day);
        }
        let reason = if self.is_after_end(date) {
            Some(Reason::AfterEnd)
        } else {
            self.is_missing(date).then_some(Reason::NoSuchDate)
        };
        if let Some(reason) = reason {
            if let Some(out) = out {
                out.push(nothing_asked(date, reason, day));
            }
            return;
        }
        let version = self.rules.habit.in_force(date);
        let measured = Measured::of(day, version.goal.as_ref(), closed);
        let excuse = self.excuse(date, day);
        let due = version.schedule.is_due(date, &self.weeks);
        let (status, reason, fact) = if due {
            self.judge(date, closed, &measured, excuse)
        } else {
            (DayStatus::NotDue, Reason::OffSchedule, None)
        };
        self.fold.add_unit(status);
        if closed || status.is_done() {
            if due {
                self.fold.worth = worth(status, measured.fraction);
            }
            if due || excuse.is_none() {
                self.score_day(date);
            }
        }
        if let Some(out) = out {
            let mut result = result_of(date, status, reason, version, &measured);
            result.fact = fact.or(result.fact);
            // At most zero without any entry is done, but on a day that asks for nothing it is no deed.
            result.completed = if due {
                status.is_done()
            } else {
                measured.entered_and_achieved()
            };
            out.push(result);
        }
    }

    /// The status of a due day.
    fn judge(
        &mut self,
        date: Date,
        closed: bool,
        measured: &Measured,
        excuse: Option<Excuse>,
    ) -> (DayStatus, Reason, Option<FactId>) {
        if measured.entered_and_achieved() || (measured.achieved && excuse.is_none()) {
            let (status, reason) = measured.done_status();
            return (status, reason, measured.decided_by);
        }
        if let Some((status, reason, fact)) = excuse {
            return (status, reason, Some(fact));
        }
        if !closed {
            return (DayStatus::Due, Reason::StillOpen, None);
        }
        if let Some(freeze) = self.spend_freeze(date) {
            return (DayStatus::Frozen, Reason::FreezeSpent, Some(freeze));
        }
        let (status, reason) = measured.failed_status();
        (status, reason, measured.decided_by)
    }

    fn fold_period(&mut self, period: Period, from: Date, to: Date, out: Option<&mut Vec<DayResult>>) {
        let days = self.period_days(from, to);
        let length = match period {
            Period::Week => 7,
            Period::Month => u32::from(from.days_in_month().unsigned_abs()),
        };
        let asked: u32 = days
            .iter()
            .filter(|day| day.is_asked())
            .map(|day| day.version.schedule.times())
            .sum();
        let need = asked.div_ceil(length);
        let completed = |by_makeup: bool| {
            let days = days
                .iter()
                .filter(|day| day.completed() && (by_makeup || !day.measured.by_makeup));
            u32::try_from(days.count()).unwrap_or(u32::MAX)
        };
        let (done, done_in_time) = (completed(true), completed(false));
        let closed = to < self.today.first_open;
        let mut freeze = None;
        let status = if asked == 0 {
            excused_period(&days)
        } else if done >= need {
            if done_in_time >= need {
                DayStatus::Done
            } else {
                DayStatus::MadeUp
            }
        } else if !closed {
            DayStatus::Due
        } else {
            freeze = self.spend_freeze(to);
            match freeze {
                Some(_) => DayStatus::Frozen,
                None if done > 0 => DayStatus::Partial,
                None => DayStatus::Missed,
            }
        };
        self.fold.add_unit(status);
        let fraction = f64::from(done) / f64::from(need.max(1));
        self.score_period(&days, status, fraction, closed);
        if let Some(out) = out {
            let unit = UnitResult {
                from,
                to,
                status,
                done,
                need,
            };
            out.extend(period_results(&days, unit, freeze, self.today.first_open));
        }
    }

    fn period_days(&mut self, from: Date, to: Date) -> Vec<PeriodDay<'a>> {
        let mut days = Vec::with_capacity(31);
        let mut date = from;
        for _ in 0..=days_between(from, to) {
            let day = self.day(date);
            if let Some(day) = day {
                self.fold.add_day(day);
            }
            let version = self.rules.habit.in_force(date);
            days.push(PeriodDay {
                date,
                version,
                measured: Measured::of(day, version.goal.as_ref(), date < self.today.first_open),
                excuse: self.excuse(date, day),
                exists: !self.is_missing(date),
            });
            date = next(date);
        }
        days
    }

    fn score_period(&mut self, days: &[PeriodDay<'_>], status: DayStatus, fraction: f64, closed: bool) {
        if !closed && !status.is_done() {
            return;
        }
        self.fold.worth = worth(status, fraction.min(1.0));
        for day in days {
            if (closed || day.date <= self.horizon) && day.is_asked() {
                self.score_day(day.date);
            }
        }
    }

    fn score_day(&mut self, date: Date) {
        let index = self.rules.habit.index_in_force(date);
        let multiplier = match self.multiplier {
            Some((cached, multiplier)) if cached == index => multiplier,
            _ => {
                let expected = self.rules.habit.versions()[index].schedule.expected_per_day();
                let multiplier = 0.5_f64.powf(expected.sqrt() / 13.0);
                self.multiplier = Some((index, multiplier));
                multiplier
            }
        };
        self.fold.add_score(multiplier);
    }

    fn is_missing(&self, date: Date) -> bool {
        self.missing.binary_search(&date).is_ok()
    }

    fn excuse(&self, date: Date, day: Option<&Day>) -> Option<Excuse> {
        if let Some(skip) = day.and_then(|day| day.skips.first()) {
            return Some((DayStatus::Skipped, Reason::SkipEntered, *skip));
        }
        let sources = [
            (&self.book.pauses, Reason::HabitPaused),
            (&self.rules.user.pauses, Reason::AllPaused),
            (&self.rules.habit.archives, Reason::Archived),
        ];
        sources.into_iter().find_map(|(pauses, reason)| {
            let pause = pauses.iter().find(|pause| pause.covers(date))?;
            Some((DayStatus::Paused, reason, pause.id))
        })
    }

    /// Takes the freezes bought until that date into the fold.
    fn buy_until(&mut self, date: Date) {
        let bought = self
            .book
            .freezes
            .iter()
            .skip(self.bought)
            .take_while(|freeze| freeze.date <= date);
        let before = self.fold.freezes.len();
        self.fold.freezes.extend(bought);
        self.bought += self.fold.freezes.len() - before;
    }

    /// Spends the first bought freeze on a unit that ends on that date, if one was bought by then.
    fn spend_freeze(&mut self, end: Date) -> Option<FactId> {
        self.buy_until(end);
        if self.fold.freezes.is_empty() {
            return None;
        }
        Some(self.fold.freezes.remove(0).id)
    }

    /// Moves the freezes bought before the next date from the book to the fold, for a checkpoint there.
    pub(crate) fn fold_for_checkpoint(&self) -> Fold {
        let mut walk = self.clone();
        walk.buy_until(previous(self.next));
        walk.fold
    }
}

/// What a unit adds to the score each day; nothing if it was excused.
fn worth(status: DayStatus, fraction: f64) -> Option<f64> {
    match status {
        DayStatus::Done | DayStatus::MadeUp => Some(1.0),
        // A freeze saves the streak; the strength of the habit is what was really done.
        DayStatus::Partial | DayStatus::Missed | DayStatus::Frozen => Some(fraction),
        DayStatus::Skipped | DayStatus::Paused | DayStatus::NotDue | DayStatus::Due => None,
    }
}

pub(crate) fn result_of(
    date: Date,
    status: DayStatus,
    reason: Reason,
    version: &RuleVersion,
    measured: &Measured,
) -> DayResult {
    DayResult {
        date,
        status,
        reason,
        version: Some(version.number),
        fact: None,
        check_ins: measured.check_ins,
        amount: measured.amount,
        target: measured.target,
        fraction: measured.fraction,
        completed: false,
        unit: None,
    }
}

fn nothing_asked(date: Date, reason: Reason, day: Option<&Day>) -> DayResult {
    DayResult {
        date,
        status: DayStatus::NotDue,
        reason,
        version: None,
        fact: None,
        check_ins: day.map_or(0, |day| u32::try_from(day.entries.len()).unwrap_or(u32::MAX)),
        amount: day.map_or(Amount::ZERO, Day::count),
        target: None,
        fraction: 0.0,
        completed: false,
        unit: None,
    }
}

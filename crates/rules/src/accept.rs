//! Requests against the state of a habit: each is refused, or becomes the fact that is then recorded and
//! applied.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::amount::Amount;
use crate::book::Book;
use crate::change::Change;
use crate::civil::{FIRST_DATE, plus_days};
use crate::day::{DayStatus, Measured, Reason};
use crate::fact::{CheckIn, Fact, FactId, Provenance, What};
use crate::goal::{Goal, GoalKind};
use crate::habit::Rules;
use crate::history::Today;
use crate::policy::{
    AHEAD_MAX_DAYS, CHECK_INS_A_DAY_MAX, CheckInPolicy, FREEZES_HELD_MAX, NewCheckIn, PAUSES_MAX, Refused,
    Stop,
};
use crate::state::{HabitState, NeedsRebuild};

/// A check-in from another product or an archive: any date up to today, of whatever age, without quota.
///
/// # Errors
/// The date or the amount is refused.
pub fn accept_import(rules: Rules<'_>, new: &NewCheckIn, now: Timestamp) -> Result<CheckIn, Refused> {
    let today = rules.user.times.today(now);
    let date = new.date.unwrap_or(today.date);
    check_date(rules, date, today)?;
    with_amounts(rules, date, Provenance::Import, new.count, new.minutes)
}

impl HabitState {
    /// Decides a check-in: its date, its amounts, and its provenance. It is on time until the date closes; after
    /// that a makeup, or late where the policy says so.
    ///
    /// A date that is not due, or is skipped or paused, may be checked in. A date before the habit's start makes
    /// it start then.
    ///
    /// # Errors
    /// A refusal; or the state does not reach back far enough to tell.
    pub fn accept_check_in(
        &self,
        rules: Rules<'_>,
        policy: &CheckInPolicy,
        new: &NewCheckIn,
        now: Timestamp,
    ) -> Result<CheckIn, Stop> {
        self.check(rules, now)?;
        let today = rules.user.times.today(now);
        let date = new.date.unwrap_or(today.date);
        check_date(rules, date, today)?;
        check_lasting(rules, date, today)?;
        let entries = self.book.day(date).map_or(&[][..], |day| &day.entries[..]);
        let goal = rules.habit.in_force(date).goal.as_ref();
        if let (None, Some(first)) = (goal, entries.first()) {
            return Err(Refused::AlreadyCheckedIn { existing: first.id }.into());
        }
        if entries.len() >= CHECK_INS_A_DAY_MAX {
            return Err(Refused::TooManyCheckIns.into());
        }
        let provenance = self.provenance(policy, date, today)?;
        Ok(with_amounts(rules, date, provenance, new.count, new.minutes)?)
    }

    /// Decides new amounts for a check-in. Once its day is closed they may not make it worth more: that would be
    /// a makeup without quota.
    ///
    /// # Errors
    /// A refusal; or the state does not know the check-in.
    pub fn accept_amend(
        &self,
        rules: Rules<'_>,
        policy: &CheckInPolicy,
        of: FactId,
        count: Option<Amount>,
        minutes: Option<Amount>,
        now: Timestamp,
    ) -> Result<What, Stop> {
        self.check(rules, now)?;
        let today = rules.user.times.today(now);
        let (date, entry) = self.book.find(of).ok_or(NeedsRebuild)?;
        let amended = with_amounts(rules, date, entry.provenance, count, minutes)?;
        let what = What::Amend {
            of,
            count: amended.count,
            minutes: amended.minutes,
        };
        let in_window = date >= plus_days(today.date, -i64::from(policy.makeup_window_days));
        if date < today.first_open && !(policy.allow_late && in_window) {
            let goal = rules.habit.in_force(date).goal.as_ref();
            let worth = |book: &Book| Measured::of(book.day(date), goal, true).fraction;
            let mut book = self.book.clone();
            let fact = Fact {
                id: of,
                at: now,
                what: what.clone(),
            };
            book.add(&fact).map_err(|_| NeedsRebuild)?;
            if worth(&book) > worth(&self.book) {
                return Err(closed(today));
            }
        }
        Ok(what)
    }

    /// Decides that a check-in, a skip, a pause or a freeze is taken back.
    ///
    /// # Errors
    /// A spent freeze is not given back; or the state does not know the fact.
    pub fn accept_undo(&self, rules: Rules<'_>, of: FactId, now: Timestamp) -> Result<What, Stop> {
        self.check(rules, now)?;
        if self.book.freezes.iter().any(|freeze| freeze.id == of) {
            let fold = self.run(rules, None, rules.user.times.today(now)).fold;
            if !fold.freezes.iter().any(|freeze| freeze.id == of) {
                return Err(Refused::FreezeSpent.into());
            }
        }
        let what = What::Undo { of };
        let fact = Fact {
            id: of,
            at: now,
            what: what.clone(),
        };
        self.clone().add(&fact)?;
        Ok(what)
    }

    /// Decides that a date, or today, is let go: one that is asked for and not over.
    ///
    /// # Errors
    /// A refusal.
    pub fn accept_skip(&self, rules: Rules<'_>, date: Option<Date>, now: Timestamp) -> Result<What, Stop> {
        self.check(rules, now)?;
        let today = rules.user.times.today(now);
        let date = date.unwrap_or(today.date);
        check_open(date, today)?;
        check_lasting(rules, date, today)?;
        let day = self.explain_day(rules, date, now)?;
        match (day.status, day.reason) {
            (DayStatus::Skipped, _) => Err(Refused::AlreadySkipped.into()),
            (DayStatus::Due | DayStatus::Paused, _) => Ok(What::Skip { date }),
            (_, Reason::NoSuchDate) => Err(Refused::NoSuchDate.into()),
            (DayStatus::NotDue, _) => Err(Refused::NotDue.into()),
            _ => Err(Refused::AlreadyDone.into()),
        }
    }

    /// Decides a pause, from today when no date is said, until further notice when no end is.
    ///
    /// # Errors
    /// A refusal: days that are over cannot be excused.
    pub fn accept_pause(
        &self,
        rules: Rules<'_>,
        from: Option<Date>,
        to: Option<Date>,
        now: Timestamp,
    ) -> Result<What, Stop> {
        self.check(rules, now)?;
        let today = rules.user.times.today(now);
        let from = from.unwrap_or(today.date);
        check_open(from, today)?;
        check_lasting(rules, from, today)?;
        if to.is_some_and(|to| to < from) {
            return Err(Refused::EndBeforeStart.into());
        }
        let meets = |pause: &crate::habit::Pause| {
            let empty = pause.to.is_some_and(|end| end < pause.from);
            !empty && to.is_none_or(|to| pause.from <= to) && pause.to.is_none_or(|end| end >= from)
        };
        if self.book.pauses.iter().any(meets) {
            return Err(Refused::AlreadyPaused.into());
        }
        if self.book.pauses.len() >= PAUSES_MAX {
            return Err(Refused::TooManyPauses.into());
        }
        Ok(What::Pause { from, to })
    }

    /// Decides that the pause of today is over: today is asked for again.
    ///
    /// # Errors
    /// There is none.
    pub fn accept_resume(&self, rules: Rules<'_>, now: Timestamp) -> Result<What, Stop> {
        self.check(rules, now)?;
        let on = rules.user.times.today(now).date;
        let pause = self.book.pauses.iter().find(|pause| pause.covers(on));
        let of = pause.ok_or(Refused::NotPaused)?.id;
        Ok(What::Resume { of, on })
    }

    /// Decides that a freeze is bought. Paying for it is the caller's.
    ///
    /// # Errors
    /// [`FREEZES_HELD_MAX`] are held already, or the habit is over.
    pub fn accept_freeze(&self, rules: Rules<'_>, now: Timestamp) -> Result<What, Stop> {
        let held = self.stats(rules, now)?.freezes_held;
        let today = rules.user.times.today(now);
        check_lasting(rules, today.date, today)?;
        // A makeup of a frozen day gives its freeze back, so that more may be held for a while.
        if held >= FREEZES_HELD_MAX {
            return Err(Refused::FreezeLimit.into());
        }
        Ok(What::Freeze { date: today.date })
    }

    /// What facts would change. Nothing is kept.
    ///
    /// # Errors
    /// A fact is about days before the window.
    pub fn preview(&self, rules: Rules<'_>, facts: &[Fact], now: Timestamp) -> Result<Change, NeedsRebuild> {
        self.check(rules, now)?;
        let mut new = self.clone();
        let mut since: Option<Date> = None;
        for fact in facts {
            if let Some(date) = new.add(fact)? {
                since = Some(since.map_or(date, |since| since.min(date)));
            }
        }
        match since {
            None => Ok(Change::none(
                rules.user.times.today(now).date,
                self.stats(rules, now)?,
            )),
            Some(_) => Ok(Change::between(self.side(rules), new.side(rules), since, now)),
        }
    }

    /// What a check-in, mostly for a past date, would change. Nothing is kept.
    ///
    /// # Errors
    /// It would be refused.
    pub fn preview_makeup(
        &self,
        rules: Rules<'_>,
        policy: &CheckInPolicy,
        new: &NewCheckIn,
        now: Timestamp,
    ) -> Result<Change, Stop> {
        let check_in = self.accept_check_in(rules, policy, new, now)?;
        let fact = Fact {
            id: FactId::from_bytes([0xff; 12]),
            at: now,
            what: What::CheckIn(check_in),
        };
        Ok(self.preview(rules, &[fact], now)?)
    }

    /// What other rules would change. Nothing is kept.
    ///
    /// # Errors
    /// They differ for days before the window: [`crate::preview_update`] answers from the facts.
    pub fn preview_update(
        &self,
        rules: Rules<'_>,
        new: Rules<'_>,
        now: Timestamp,
    ) -> Result<Change, NeedsRebuild> {
        self.check(rules, now)?;
        // New rules may still have the version of the old ones, so that only the fingerprint tells.
        let mut unversioned = self.clone();
        unversioned.forget_versions();
        unversioned.check(new, now)?;
        Ok(Change::between(self.side(rules), self.side(new), None, now))
    }

    fn provenance(&self, policy: &CheckInPolicy, date: Date, today: Today) -> Result<Provenance, Stop> {
        if date >= today.first_open {
            return Ok(Provenance::OnTime);
        }
        let oldest = plus_days(today.date, -i64::from(policy.makeup_window_days));
        if date < oldest {
            return Err(Refused::OutsideMakeupWindow { oldest }.into());
        }
        if self.begins_after(date) {
            return Err(Stop::NeedsRebuild(NeedsRebuild));
        }
        if policy.allow_late {
            return Ok(Provenance::Late);
        }
        // More for a date that is being made up anyway costs no second makeup.
        let begun = self.book.day(date).is_some_and(|day| {
            let mut entries = day.entries.iter();
            entries.any(|entry| entry.provenance == Provenance::Makeup)
        });
        if !begun && self.makeups_used(date) >= policy.makeup_quota.into() {
            let quota = policy.makeup_quota;
            return Err(Refused::MakeupQuotaSpent { quota }.into());
        }
        Ok(Provenance::Makeup)
    }
}

fn check_date(rules: Rules<'_>, date: Date, today: Today) -> Result<(), Refused> {
    if date > today.date {
        return Err(Refused::FutureDate { today: today.date });
    }
    if date < FIRST_DATE {
        return Err(Refused::DateOutOfRange);
    }
    if date != today.date && !rules.user.times.exists(date) {
        return Err(Refused::NoSuchDate);
    }
    Ok(())
}

fn check_lasting(rules: Rules<'_>, date: Date, today: Today) -> Result<(), Refused> {
    if let Some(end) = rules.habit.end.filter(|end| date > *end) {
        return Err(Refused::HabitEnded { end });
    }
    if rules.habit.archived_on(today.date).is_some() {
        return Err(Refused::HabitArchived);
    }
    Ok(())
}

fn check_open(date: Date, today: Today) -> Result<(), Stop> {
    if date < today.first_open {
        return Err(closed(today));
    }
    let latest = plus_days(today.date, AHEAD_MAX_DAYS.into());
    if date > latest {
        return Err(Refused::TooFarAhead { latest }.into());
    }
    Ok(())
}

fn closed(today: Today) -> Stop {
    let first_open = today.first_open;
    Refused::DayClosed { first_open }.into()
}

/// Decides the amount that the goal in force asks for, so that a later change of the goal finds it.
fn with_amounts(
    rules: Rules<'_>,
    date: Date,
    provenance: Provenance,
    count: Option<Amount>,
    minutes: Option<Amount>,
) -> Result<CheckIn, Refused> {
    let mut check_in = CheckIn {
        date,
        count,
        minutes,
        provenance,
    };
    let goal = rules.habit.in_force(date).goal.as_ref();
    match goal.map(|goal| goal.kind) {
        Some(GoalKind::Count) => check_in.count = count.or(goal.and_then(Goal::assumed)),
        Some(GoalKind::Duration) => {
            check_in.minutes = minutes.or(goal.and_then(Goal::assumed));
            if check_in.minutes.is_none() {
                return Err(Refused::AmountRequired);
            }
        }
        None => {}
    }
    Ok(check_in)
}

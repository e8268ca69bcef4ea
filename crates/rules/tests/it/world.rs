//! A habit with its owner, whose stored state is held against the full fold at every step.

use jiff::Timestamp;
use jiff::civil::Date;
use rules::{
    Amount, Change, CheckInPolicy, DayResult, DayStatus, Fact, FactId, Goal, GoalDirection, GoalKind,
    HabitRules, HabitState, NewCheckIn, Refused, Rules, Schedule, Stats, Stop, UserRules, UserTime, What,
    ZoneHistory,
};

pub(crate) struct World {
    pub(crate) user: UserRules,
    pub(crate) habit: HabitRules,
    pub(crate) policy: CheckInPolicy,
    pub(crate) facts: Vec<Fact>,
    pub(crate) state: HabitState,
    pub(crate) now: Timestamp,
    pub(crate) rebuilds: u32,
    /// The first date that a fact has changed, until somebody takes it.
    pub(crate) since: Option<Date>,
    /// Whether every step is checked.
    pub(crate) careful: bool,
    ids: u64,
}

pub(crate) fn date(text: &str) -> Date {
    rules::parse_date(text).unwrap()
}

pub(crate) fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn user_time(zone: &str, day_start: i64, week_start: i64) -> UserTime {
    UserTime::new(zone, day_start, week_start).unwrap()
}

pub(crate) fn at_least(count: f64) -> Option<Goal> {
    Some(Goal::new(GoalKind::Count, count, "cups", GoalDirection::AtLeast).unwrap())
}

pub(crate) fn at_most(count: f64) -> Option<Goal> {
    Some(Goal::new(GoalKind::Count, count, "cigarettes", GoalDirection::AtMost).unwrap())
}

impl World {
    /// A habit in UTC, at noon of its first day.
    pub(crate) fn new(start: &str, schedule: Schedule, goal: Option<Goal>) -> Self {
        let user = UserRules::new(1, ZoneHistory::new(UserTime::utc()));
        let habit = HabitRules::new(1, date(start), None, schedule, goal).unwrap();
        let state = HabitState::new(Rules::new(&habit, &user));
        Self {
            user,
            habit,
            policy: CheckInPolicy::default(),
            facts: Vec::new(),
            state,
            now: instant(&format!("{start}T12:00:00Z")),
            rebuilds: 0,
            since: None,
            careful: true,
            ids: 0,
        }
    }

    pub(crate) fn daily(start: &str) -> Self {
        Self::new(start, Schedule::Daily, None)
    }

    pub(crate) fn rules(&self) -> Rules<'_> {
        Rules::new(&self.habit, &self.user)
    }

    /// Sets the clock to noon UTC.
    pub(crate) fn on(&mut self, day: &str) -> &mut Self {
        self.at(&format!("{day}T12:00:00Z"))
    }

    pub(crate) fn at(&mut self, now: &str) -> &mut Self {
        self.now = instant(now);
        self
    }

    pub(crate) fn today(&self) -> Date {
        self.user.times.today(self.now).date
    }

    pub(crate) fn next_id(&mut self) -> FactId {
        self.ids += 1;
        let mut bytes = [0; 12];
        bytes[4..].copy_from_slice(&self.ids.to_be_bytes());
        FactId::from_bytes(bytes)
    }

    /// Records what was accepted, in the log and in the state.
    pub(crate) fn record(&mut self, what: What) -> (FactId, Change) {
        let id = self.next_id();
        let fact = Fact {
            id,
            at: self.now,
            what,
        };
        self.facts.push(fact.clone());
        let rules = Rules::new(&self.habit, &self.user);
        let mut taken = self.state.clone();
        let since = taken.take(rules, &fact, self.now);
        let change = match self.state.apply(rules, &fact, self.now) {
            Ok(change) => {
                // Whether it is asked what the fact changes or not. What changes nothing, such as an amendment older
                // than the last one, changes nothing from today on.
                let since = since.map(|since| since.unwrap_or(rules.user.times.today(self.now).date));
                assert_eq!((since, &taken), (Ok(change.since), &self.state));
                change
            }
            Err(_) => {
                let before = rules::stats(self.rules(), &self.facts[..self.facts.len() - 1], self.now);
                self.rebuild();
                Change {
                    since: rules::FIRST_DATE,
                    before,
                    after: self.stats(),
                    days: Vec::new(),
                }
            }
        };
        self.since = Some(self.since.map_or(change.since, |since| since.min(change.since)));
        self.agree();
        (id, change)
    }

    pub(crate) fn rebuild(&mut self) {
        self.rebuilds += 1;
        self.state = HabitState::rebuild(Rules::new(&self.habit, &self.user), &self.facts, self.now);
    }

    pub(crate) fn check_in(&mut self) -> Result<FactId, Refused> {
        self.check_in_with(NewCheckIn::default())
    }

    pub(crate) fn check_in_for(&mut self, day: &str) -> Result<FactId, Refused> {
        self.check_in_with(NewCheckIn {
            date: Some(date(day)),
            ..NewCheckIn::default()
        })
    }

    pub(crate) fn enter(&mut self, count: f64) -> Result<FactId, Refused> {
        self.check_in_with(NewCheckIn {
            count: Amount::new(count),
            ..NewCheckIn::default()
        })
    }

    pub(crate) fn check_in_with(&mut self, new: NewCheckIn) -> Result<FactId, Refused> {
        let accepted = self
            .state
            .accept_check_in(self.rules(), &self.policy, &new, self.now);
        let check_in = refused(accepted)?;
        Ok(self.record(What::CheckIn(check_in)).0)
    }

    pub(crate) fn import(&mut self, day: &str) -> FactId {
        let new = NewCheckIn {
            date: Some(date(day)),
            ..NewCheckIn::default()
        };
        let check_in = rules::accept_import(self.rules(), &new, self.now).unwrap();
        self.record(What::CheckIn(check_in)).0
    }

    pub(crate) fn undo(&mut self, of: FactId) -> Result<(), Refused> {
        let what = refused(self.state.accept_undo(self.rules(), of, self.now))?;
        self.record(what);
        Ok(())
    }

    pub(crate) fn skip(&mut self, day: Option<&str>) -> Result<FactId, Refused> {
        let what = refused(self.state.accept_skip(self.rules(), day.map(date), self.now))?;
        Ok(self.record(what).0)
    }

    pub(crate) fn pause(&mut self, from: Option<&str>, to: Option<&str>) -> Result<FactId, Refused> {
        let accepted = self
            .state
            .accept_pause(self.rules(), from.map(date), to.map(date), self.now);
        let what = refused(accepted)?;
        Ok(self.record(what).0)
    }

    pub(crate) fn resume(&mut self) -> Result<(), Refused> {
        let what = refused(self.state.accept_resume(self.rules(), self.now))?;
        self.record(what);
        Ok(())
    }

    pub(crate) fn buy_freeze(&mut self) -> Result<FactId, Refused> {
        let what = refused(self.state.accept_freeze(self.rules(), self.now))?;
        Ok(self.record(what).0)
    }

    pub(crate) fn edit(&mut self, schedule: Schedule, goal: Option<Goal>) {
        let today = self.today();
        self.habit.edit(None, schedule, goal, today).unwrap();
        self.habit.version += 1;
        self.rules_changed();
    }

    pub(crate) fn travel(&mut self, time: UserTime) {
        self.user.times.change(self.now, time);
        self.user.version += 1;
        self.rules_changed();
    }

    pub(crate) fn rules_changed(&mut self) {
        if self
            .state
            .rules_changed(Rules::new(&self.habit, &self.user))
            .is_err()
        {
            self.rebuild();
        }
        self.agree();
    }

    pub(crate) fn stats(&self) -> Stats {
        self.agree();
        rules::stats(self.rules(), &self.facts, self.now)
    }

    pub(crate) fn streaks(&self) -> (u32, u32) {
        let stats = self.stats();
        (stats.current_streak, stats.longest_streak)
    }

    pub(crate) fn day(&self, day: &str) -> DayResult {
        self.agree();
        rules::explain_day(self.rules(), &self.facts, date(day), self.now)
    }

    pub(crate) fn status(&self, day: &str) -> DayStatus {
        self.day(day).status
    }

    pub(crate) fn statuses(&self, from: &str, to: &str) -> Vec<DayStatus> {
        self.agree();
        rules::evaluate(self.rules(), &self.facts, date(from)..=date(to), self.now)
            .iter()
            .map(|day| day.status)
            .collect()
    }

    /// The state and the full fold say the same.
    pub(crate) fn agree(&self) {
        if !self.careful {
            return;
        }
        let rules = self.rules();
        let Ok(view) = self.state.view(rules, &self.policy, self.now) else {
            return;
        };
        same(&view.stats, &rules::stats(rules, &self.facts, self.now));
        let today = self.today();
        let from = self.state.window_begin().unwrap_or(self.habit.start).min(today);
        let to = today.checked_add(jiff::Span::new().days(9)).unwrap();
        let days = self.state.days(rules, from..=to, self.now).unwrap();
        assert_eq!(days, rules::evaluate(rules, &self.facts, from..=to, self.now));
        assert!(days.contains(&view.today));
    }
}

/// A score that was stored as text may differ in its last digit.
pub(crate) fn same(a: &Stats, b: &Stats) {
    assert!((a.score - b.score).abs() < 1e-12, "{a:?}\n{b:?}");
    let b = Stats {
        score: a.score,
        ..b.clone()
    };
    assert_eq!(*a, b);
}

/// In examples everything is within the window.
pub(crate) fn refused<T>(accepted: Result<T, Stop>) -> Result<T, Refused> {
    accepted.map_err(|stop| match stop {
        Stop::Refused(refused) => refused,
        Stop::NeedsRebuild(_) => panic!("the state does not reach back"),
    })
}

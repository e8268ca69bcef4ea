//! What the use cases of this domain work with.

use std::ops::RangeInclusive;
use std::sync::Arc;

use docstore::{Batch, Collection, Query};
use jiff::Timestamp;
use jiff::civil::Date;
use kernel::{HabitId, Refusal, Result, UserId};
use rules::{DayResult, Fact, HabitState, NeedsRebuild, Outlook, Rules, UserState};
use subgraph::service::Deps;
use tokio::sync::OnceCell;

use crate::config::CheckInConfig;
use crate::ops::refresh;
use crate::store::{CheckInDoc, FactDoc, HabitLog, UserLog};

/// The domain's stores and services.
#[derive(Clone)]
pub struct App {
    /// What every subgraph has.
    pub deps: Deps,
    /// Settings.
    pub config: CheckInConfig,
}

/// A habit as it was found for a request. What it shows is worked out once.
#[derive(Debug)]
pub struct Standing {
    /// What is stored.
    pub log: HabitLog,
    outlook: OnceCell<Outlook>,
}

/// A habit with everything that its days are judged by.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The habit.
    pub log: HabitLog,
    /// Its owner.
    pub owner: UserLog,
}

/// Facts that are read at once when a state is computed anew.
const FACTS_PER_READ: usize = 1000;

impl App {
    /// The check-ins.
    pub fn check_ins(&self) -> Collection<CheckInDoc> {
        self.deps.store.collection()
    }

    /// Facts that are no check-ins.
    pub fn facts(&self) -> Collection<FactDoc> {
        self.deps.store.collection()
    }

    /// What is known of habits.
    pub fn logs(&self) -> Collection<HabitLog> {
        self.deps.store.collection()
    }

    /// What is known of people.
    pub fn users(&self) -> Collection<UserLog> {
        self.deps.store.collection()
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.deps.clock.now()
    }

    /// A habit of a person, with both known as they are now.
    ///
    /// # Errors
    /// `NOT_FOUND` where the person has no such habit; `SERVICE_UNAVAILABLE` where an owning domain does not
    /// answer.
    pub async fn own(&self, user: UserId, habit: HabitId) -> Result<Judged> {
        let (scope, logs) = (Arc::default(), self.logs());
        let found = tokio::try_join!(refresh::up_to_date(self, user, &scope), async {
            Ok(logs.get(habit).await?)
        })?;
        let (owner, log) = match found {
            (Some(owner), log) => (owner, log),
            // What is stored of the habit changes with what is known of the person.
            (None, _) => (refresh::refresh(self, user).await?, logs.get(habit).await?),
        };
        let log = log
            .filter(|log| log.user_id == user)
            .ok_or_else(Refusal::not_found)?;
        Ok(Judged { log, owner })
    }

    /// All facts of a habit, for a state that is computed anew.
    pub async fn facts_of(&self, habit: HabitId) -> Result<Vec<Fact>> {
        let mut facts = Vec::new();
        let mut page = kernel::PageRequest::first(FACTS_PER_READ);
        loop {
            let found = self
                .check_ins()
                .page(of_habit(habit).sort("date", docstore::Order::Asc), &page)
                .await?;
            let (more, last) = (
                found.has_next,
                found.items.last().map(|(cursor, _)| cursor.clone()),
            );
            for check_in in found.into_items() {
                facts.extend(check_in.facts()?);
            }
            if !more {
                break;
            }
            page.from = last;
        }
        facts.extend(
            self.facts()
                .find(of_habit(habit))
                .await?
                .into_iter()
                .map(|doc| doc.fact),
        );
        Ok(facts)
    }

    /// The results of a range of days, from the state or, where they are older, from the facts.
    pub async fn days(
        &self,
        log: &HabitLog,
        owner: &UserLog,
        days: RangeInclusive<Date>,
    ) -> Result<Vec<DayResult>> {
        let (now, rules) = (self.now(), Rules::new(&log.known.rules, &owner.known.rules));
        match log.state.days(rules, days.clone(), now) {
            Ok(results) => Ok(results),
            Err(NeedsRebuild) => {
                let facts = self.facts_of(log.id).await?;
                Ok(rules::evaluate(rules, &facts, days, now))
            }
        }
    }
}

impl Standing {
    /// A habit of which nothing was asked yet.
    pub fn new(log: HabitLog) -> Self {
        Self {
            log,
            outlook: OnceCell::new(),
        }
    }

    /// What the habit shows now.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub async fn outlook(&self, app: &App, owner: &UserLog) -> Result<&Outlook> {
        let work_out = async || {
            let (now, policy) = (app.now(), app.config.policy());
            let rules = Rules::new(&self.log.known.rules, &owner.known.rules);
            let today = Some(owner.known.rules.times.today(now).date);
            let outlook = |state: &HabitState, since| state.outlook(rules, &policy, since, now);
            // The streaks over all habits need their days since then. If they are too far behind they are computed
            // anew, and the days of this month are enough.
            let since = owner.streaks.as_ref().map_or(today, UserState::first_day);
            match outlook(&self.log.state, since).or_else(|_| outlook(&self.log.state, today)) {
                Ok(outlook) => Ok(outlook),
                Err(NeedsRebuild) => {
                    let facts = app.facts_of(self.log.id).await?;
                    let state = HabitState::unfolded(rules, &facts);
                    outlook(&state, today).map_err(kernel::Error::internal)
                }
            }
        };
        self.outlook.get_or_try_init(work_out).await
    }
}

impl Judged {
    /// The rules that are in force.
    pub fn rules(&self) -> Rules<'_> {
        Rules::new(&self.log.known.rules, &self.owner.known.rules)
    }

    /// Asks the state for something, computing it anew from the facts where the question is older than what it
    /// holds.
    ///
    /// # Errors
    /// What `ask` refuses.
    pub async fn ask<T>(
        &mut self,
        app: &App,
        ask: impl Fn(&mut HabitState, Rules<'_>) -> Result<T, rules::Stop>,
    ) -> Result<T> {
        let rules = Rules::new(&self.log.known.rules, &self.owner.known.rules);
        let first = ask(&mut self.log.state, rules);
        let answer = match first {
            Err(rules::Stop::NeedsRebuild(_)) => {
                let facts = app.facts_of(self.log.id).await?;
                self.log.state = HabitState::unfolded(rules, &facts);
                ask(&mut self.log.state, rules)
            }
            other => other,
        };
        answer.map_err(|stop| match stop {
            rules::Stop::Refused(refused) => refused.refusal(&[]).into(),
            rules::Stop::NeedsRebuild(_) => kernel::Error::internal("a rebuilt state asks to be rebuilt"),
        })
    }

    /// Applies a fact that was accepted, and adds what follows from it to the batch: the habit's new state, and
    /// that the person's streaks must be computed anew where it reaches behind what is folded of them.
    pub async fn apply(&mut self, app: &App, batch: &mut Batch, fact: &Fact) -> Result<()> {
        let now = app.now();
        let since = self
            .ask(app, |state, rules| Ok(state.take(rules, fact, now)?))
            .await?;
        batch.replace(&mut self.log);
        let streaks = self.owner.streaks.as_ref();
        let kept = since
            .zip(streaks)
            .is_none_or(|(since, streaks)| streaks.touched(since).is_ok());
        if !kept {
            self.owner.streaks = None;
            batch.replace(&mut self.owner);
        }
        Ok(())
    }
}

/// Everything of a habit.
pub fn of_habit(habit: HabitId) -> Query {
    Query::all().eq("habitId", habit)
}

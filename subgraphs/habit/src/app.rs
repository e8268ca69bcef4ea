//! What the use cases of this domain work with.

use docstore::{Batch, Collection, Query, Update};
use events::Payload;
use jiff::civil::Date;
use kernel::{HabitId, Principal, Refusal, Result, Text, UserId};
use subgraph::messages::KnownUser;
use subgraph::service::Deps;
use subgraph::{caller, peers};

use crate::config::HabitConfig;
use crate::store::{HabitDoc, OwnerDoc};

/// The domain's stores and services.
#[derive(Clone)]
pub struct App {
    /// What every subgraph has.
    pub deps: Deps,
    /// Settings.
    pub config: HabitConfig,
}

impl App {
    /// The habits.
    pub fn habits(&self) -> Collection<HabitDoc> {
        self.deps.store.collection()
    }

    /// What is counted of each person's habits.
    pub fn owners(&self) -> Collection<OwnerDoc> {
        self.deps.store.collection()
    }

    /// All habits of somebody, in their order.
    pub fn of_user(user: UserId) -> Query {
        Query::all()
            .eq("userId", user)
            .sort("position", docstore::Order::Asc)
    }

    /// A habit of the person who asks. One of somebody else, public or not, is not theirs to change.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `NOT_FOUND` where there is none that the person may see, `FORBIDDEN` where it is
    /// somebody else's public one.
    pub async fn own(&self, principal: &Principal, id: HabitId) -> Result<HabitDoc> {
        let user = caller::person(principal)?;
        let habit = self.habits().get(id).await?.ok_or_else(Refusal::not_found)?;
        match () {
            () if habit.user_id == user => Ok(habit),
            () if habit.is_visible_to(Some(user)) => Err(Refusal::forbidden().into()),
            () => Err(Refusal::not_found().into()),
        }
    }

    /// What the user domain says of the person now.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` where it does not answer; `UNAUTHENTICATED` where the account is gone.
    pub async fn known_user(&self, user: UserId) -> Result<KnownUser> {
        Ok(peers::user(&self.deps.peers, user)
            .await?
            .ok_or_else(Refusal::unauthenticated)?)
    }

    /// The logical date of now for somebody.
    ///
    /// # Errors
    /// As [`App::known_user`].
    pub async fn today(&self, user: UserId) -> Result<Date> {
        Ok(self
            .known_user(user)
            .await?
            .rules
            .times
            .today(self.deps.clock.now())
            .date)
    }

    /// Adds to a batch that somebody's habits changed in what other domains compute with: the revision grows,
    /// and an event tells it.
    ///
    /// # Errors
    /// Where the event cannot be written.
    pub fn tell(&self, batch: &mut Batch, user: UserId, event: &impl Payload) -> Result<()> {
        batch.update::<OwnerDoc>(user, Update::new().inc("revision", 1));
        self.deps.outbox.emit(batch, user, event)?;
        Ok(())
    }

    /// Refuses a change that was made against another version.
    ///
    /// # Errors
    /// `CONFLICT` with `VERSION_MISMATCH`.
    pub fn expect_version(habit: &HabitDoc, version: Option<i32>) -> Result<()> {
        match version {
            Some(version) if i64::from(version) != habit.version => {
                Err(Refusal::conflict("VERSION_MISMATCH", Text::new("version-mismatch")).into())
            }
            _ => Ok(()),
        }
    }
}

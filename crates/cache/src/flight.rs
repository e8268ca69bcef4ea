//! Single flight: of many who want the same value at once, one loads it and the others wait for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// The loads that are under way, by key.
#[derive(Default)]
pub(crate) struct Flights(Mutex<HashMap<String, watch::Receiver<Outcome>>>);

/// How a load ended.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// Not yet; if the sender is gone, its task was cancelled.
    UnderWay,
    /// With this value as JSON.
    Loaded(Arc<[u8]>),
    /// With an error, which only the one who loaded sees.
    Failed,
}

/// Who loads, and who waits.
pub(crate) enum Seat<'a> {
    Pilot(Pilot<'a>),
    Passenger(watch::Receiver<Outcome>),
}

/// The one who loads. Dropped without an outcome, the flight is called off and a passenger takes over.
pub(crate) struct Pilot<'a> {
    flights: &'a Flights,
    key: String,
    outcome: watch::Sender<Outcome>,
}

impl Flights {
    pub(crate) fn board(&self, key: &str) -> Seat<'_> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(key) {
            return Seat::Passenger(flight.clone());
        }
        let (outcome, flight) = watch::channel(Outcome::UnderWay);
        flights.insert(key.to_owned(), flight);
        Seat::Pilot(Pilot {
            flights: self,
            key: key.to_owned(),
            outcome,
        })
    }
}

impl Pilot<'_> {
    pub(crate) fn land(self, outcome: Outcome) {
        self.outcome.send_replace(outcome);
    }
}

impl Drop for Pilot<'_> {
    fn drop(&mut self) {
        self.flights
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

/// Waits for the pilot. [`Outcome::UnderWay`] means that the flight was called off.
pub(crate) async fn arrival(mut flight: watch::Receiver<Outcome>) -> Outcome {
    let landed = flight
        .wait_for(|outcome| !matches!(outcome, Outcome::UnderWay))
        .await;
    landed.map_or(Outcome::UnderWay, |outcome| outcome.clone())
}

//! Of many who miss the same at once, one asks, and the others wait for what is then kept.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::digest::Name;

/// What is being asked for, by the name of the entry.
#[derive(Default)]
pub(crate) struct Flights(Mutex<HashMap<Name, watch::Receiver<()>>>);

/// Who asks, or whom to wait for.
pub(crate) enum Seat<'f> {
    /// Nobody asks for any of it yet.
    Pilot(Pilot<'f>),
    /// Somebody asks for some of it.
    Passenger(watch::Receiver<()>),
}

/// The one who asks. When it is dropped, in whatever way, those who wait look again.
pub(crate) struct Pilot<'f> {
    flights: &'f Flights,
    names: Vec<Name>,
    _ends: watch::Sender<()>,
}

/// For whom the answers to a fetch were kept when they last were: without that nobody waits for anybody, since what is
/// never kept would then be asked by one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Learned {
    /// They were not.
    NotKept,
    /// For everybody.
    Public,
    /// For the caller.
    Private,
}

impl Flights {
    /// Takes the flight for all of these, unless somebody is on the way for one of them.
    pub(crate) fn board(&self, names: Vec<Name>) -> Seat<'_> {
        let mut flights = self.flights();
        if let Some(flight) = names.iter().find_map(|name| flights.get(name)) {
            return Seat::Passenger(flight.clone());
        }
        let (ends, flight) = watch::channel(());
        flights.extend(names.iter().map(|name| (*name, flight.clone())));
        Seat::Pilot(Pilot {
            flights: self,
            names,
            _ends: ends,
        })
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<Name, watch::Receiver<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pilot<'_> {
    fn drop(&mut self) {
        let mut flights = self.flights.flights();
        for name in &self.names {
            flights.remove(name);
        }
    }
}

/// Waits until the pilot has landed, or is gone.
pub(crate) async fn landed(mut flight: watch::Receiver<()>) {
    // Nothing is ever sent: it ends with the sender.
    while flight.changed().await.is_ok() {}
}

impl Learned {
    pub(crate) fn load(from: &AtomicU8) -> Self {
        match from.load(Ordering::Relaxed) {
            1 => Self::Public,
            2 => Self::Private,
            _ => Self::NotKept,
        }
    }

    pub(crate) fn store(self, to: &AtomicU8) {
        let number = match self {
            Self::NotKept => 0,
            Self::Public => 1,
            Self::Private => 2,
        };
        to.store(number, Ordering::Relaxed);
    }
}

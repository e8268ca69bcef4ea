//! An event: what happened to whom.

use jiff::Timestamp;
use kernel::UserId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};

/// Something that happened, as it is carried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// 24 hexadecimal digits: the same however often the event is delivered.
    pub id: String,
    /// What happened, such as `habit.created`.
    pub kind: String,
    /// Whose it is; events of one user keep their order.
    pub user: UserId,
    /// When it was emitted.
    pub at: Timestamp,
    /// The details, in the shape that belongs to the kind.
    pub payload: Value,
    /// The trace it belongs to, as W3C Trace Context has it: <https://www.w3.org/TR/trace-context/>.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The service that emitted it.
    pub source: String,
}

/// The details of one kind of event. Fields may be added later, if they have a default.
pub trait Payload: Serialize + DeserializeOwned {
    /// The kind, such as `habit.created`.
    const KIND: &'static str;
}

impl Event {
    /// The details.
    ///
    /// # Errors
    /// [`Error::Internal`] if the event is of another kind, or its details have another shape.
    pub fn payload_as<P: Payload>(&self) -> Result<P> {
        if self.kind != P::KIND {
            return Err(Error::internal(format!("{} is no {}", self.kind, P::KIND)));
        }
        P::deserialize(&self.payload).map_err(Error::internal)
    }

    /// Which of `partitions` it belongs to: the same for all events of a user, in every process and release.
    pub(crate) fn partition(&self, partitions: u16) -> u16 {
        // FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/
        let hash = self
            .user
            .bytes()
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            });
        // The low bits of FNV alone are weak; the remainder fits, because the divisor does.
        ((hash ^ (hash >> 32)) % u64::from(partitions.max(1))) as u16
    }
}

#[cfg(test)]
mod tests {
    use kernel::Random;

    use super::*;

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct HabitCreated {
        title: String,
        goal: f64,
    }

    impl Payload for HabitCreated {
        const KIND: &'static str = "habit.created";
    }

    fn event(user: UserId, payload: &HabitCreated) -> Event {
        Event {
            id: "65f1c0ffee65f1c0ffee65f1".to_owned(),
            kind: HabitCreated::KIND.to_owned(),
            user,
            at: "2026-03-29T01:00:00.25Z".parse().unwrap(),
            payload: serde_json::to_value(payload).unwrap(),
            traceparent: None,
            source: "habit".to_owned(),
        }
    }

    #[test]
    fn an_event_is_read_as_it_was_written() {
        let payload = HabitCreated {
            title: "打卡".to_owned(),
            goal: 1.0,
        };
        let event = event(Random::seeded(1).id(Timestamp::UNIX_EPOCH), &payload);
        let json = serde_json::to_string(&event).unwrap();
        let read: Event = serde_json::from_str(&json).unwrap();
        assert_eq!(read, event);
        assert_eq!(read.payload_as::<HabitCreated>().unwrap(), payload);
        let other = Event {
            kind: "habit.deleted".to_owned(),
            ..read
        };
        assert!(other.payload_as::<HabitCreated>().is_err());
    }

    #[test]
    fn users_spread_over_the_partitions_and_stay_where_they_are() {
        let random = Random::seeded(1);
        let payload = HabitCreated {
            title: String::new(),
            goal: 0.0,
        };
        let mut counts = [0; 16];
        for _ in 0..1600 {
            let event = event(random.id(Timestamp::UNIX_EPOCH), &payload);
            assert_eq!(event.partition(16), event.partition(16));
            counts[usize::from(event.partition(16))] += 1;
        }
        assert!(counts.iter().all(|count| (50..200).contains(count)), "{counts:?}");
        let known = event("65f1c0ffee65f1c0ffee65f1".parse().unwrap(), &payload);
        assert_eq!(
            (known.partition(16), known.partition(4)),
            (8, 0),
            "changing this loses the order"
        );
    }
}

//! What happened: the append-only facts of a habit.

use jiff::Timestamp;
use jiff::civil::Date;
use kernel::{CheckInId, Id};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;

/// Any fact, as a kind of id.
#[derive(Debug)]
pub enum AnyFact {}

/// The id of a fact. A check-in's has the bytes of its [`CheckInId`].
pub type FactId = Id<AnyFact>;

/// One thing that happened to a habit. Facts are added, never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Its own id: the same fact twice counts once.
    pub id: FactId,
    /// When it was recorded. Whole milliseconds count.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What can happen to a habit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum What {
    /// Something was done.
    CheckIn(CheckIn),
    /// The amounts of a check-in are replaced. Of several, the latest recorded counts.
    Amend {
        /// The check-in.
        of: FactId,
        /// Its new count.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<Amount>,
        /// Its new duration in minutes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minutes: Option<Amount>,
    },
    /// A check-in, a skip, a pause or a freeze is taken back, for good.
    Undo {
        /// The fact that is taken back.
        of: FactId,
    },
    /// A date is let go on purpose.
    Skip {
        /// Which one.
        date: Date,
    },
    /// Nothing is asked from a date on.
    Pause {
        /// The first date.
        from: Date,
        /// The last date; none for until further notice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Date>,
    },
    /// A pause is over. Of several, the earliest date counts.
    Resume {
        /// The pause.
        of: FactId,
        /// The first date that is asked for again.
        on: Date,
    },
    /// A freeze was bought.
    Freeze {
        /// On which date. It covers the first unit from then on that would be missed.
        date: Date,
    },
}

/// Something that was done on a date.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckIn {
    /// The logical date, decided once when the check-in was made.
    pub date: Date,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<Amount>,
    /// How long, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<Amount>,
    /// How it came to be entered.
    #[serde(default)]
    pub provenance: Provenance,
}

/// How a check-in came to be entered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Provenance {
    /// Before its date closed.
    #[default]
    OnTime,
    /// After it closed, where the deployment allows that.
    Late,
    /// After it closed, against the quota of makeups.
    Makeup,
    /// From another product, or an archive.
    Import,
}

impl Provenance {
    /// As it stands in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnTime => "ON_TIME",
            Self::Late => "LATE",
            Self::Makeup => "MAKEUP",
            Self::Import => "IMPORT",
        }
    }
}

impl Fact {
    /// The fact that a check-in was made.
    pub fn check_in(id: CheckInId, at: Timestamp, check_in: CheckIn) -> Self {
        Self {
            id: fact_id(id),
            at,
            what: What::CheckIn(check_in),
        }
    }
}

/// The id of a check-in as the id of a fact.
pub const fn fact_id(id: CheckInId) -> FactId {
    FactId::from_bytes(id.bytes())
}

/// The id of a fact as that of the check-in that it is.
pub const fn check_in_id(id: FactId) -> CheckInId {
    CheckInId::from_bytes(id.bytes())
}

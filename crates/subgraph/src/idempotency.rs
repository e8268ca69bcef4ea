//! Creating twice with one key: the first result comes back, for at least a day.

use docstore::{Batch, DocStore, IndexSpec, Order};
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Id, Refusal, Result, Text, UserId};
use serde::{Deserialize, Serialize};

/// How long a key is remembered: longer than the 24 hours that the API promises.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(48);

/// What was created with a key. Inserted together with what it stands for, so that one of two concurrent
/// requests wins and the other finds this.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remembered {
    #[serde(rename = "_id")]
    id: String,
    version: i64,
    /// A hash of the input, to tell a repetition from a mistake.
    input: String,
    /// The id of what was created.
    created: String,
    /// When the record may be purged, in milliseconds since 1970.
    expires_at: i64,
}

docstore::document!(
    Remembered,
    "idempotency",
    &[IndexSpec {
        name: "expires",
        fields: &[("expiresAt", Order::Asc)],
        unique: false,
    }]
);

/// One creating request with a key.
#[derive(Debug, Clone)]
pub struct Idempotent {
    id: String,
    input: String,
}

impl Idempotent {
    /// The request of a user for an operation; `None` where the client sent no key.
    pub fn new(
        user: UserId,
        operation: &str,
        key: Option<&str>,
        input: &impl std::fmt::Debug,
    ) -> Option<Self> {
        let key = key?;
        Some(Self {
            id: format!("{user}:{operation}:{key}"),
            input: fingerprint(&format!("{input:?}")),
        })
    }

    /// The id of what an earlier request with this key created.
    ///
    /// # Errors
    /// `CONFLICT` with `IDEMPOTENCY_MISMATCH` where it had another input.
    pub async fn earlier<T>(&self, store: &DocStore) -> Result<Option<Id<T>>> {
        let Some(found) = store.collection::<Remembered>().get(&self.id).await? else {
            return Ok(None);
        };
        if found.input != self.input {
            return Err(Refusal::conflict("IDEMPOTENCY_MISMATCH", Text::new("idempotency-mismatch")).into());
        }
        found.created.parse().map(Some).map_err(Error::internal)
    }

    /// Remembers what the batch creates.
    pub fn remember<T>(&self, batch: &mut Batch, created: Id<T>, now: Timestamp) {
        batch.insert(&Remembered {
            id: self.id.clone(),
            version: 0,
            input: self.input.clone(),
            created: created.to_string(),
            expires_at: now.as_millisecond() + REMEMBERED.as_millis() as i64,
        });
    }
}

/// Whether the key has a length and characters that are taken: 1 to 128 printable ASCII characters.
pub fn is_valid_key(key: &str) -> bool {
    (1..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

fn fingerprint(text: &str) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(text.as_bytes()))
}

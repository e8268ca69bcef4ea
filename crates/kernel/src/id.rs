//! Identifiers: 12 bytes, written as 24 lower-case hexadecimal digits, ordered roughly by creation.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

/// An id of a thing of kind `T`. Kinds do not mix: a `HabitId` is no `UserId`.
///
/// The first four bytes are the second of creation, as in MongoDB's ObjectId, the other eight are random.
pub struct Id<T> {
    bytes: [u8; 12],
    kind: PhantomData<fn() -> T>,
}

/// The text was not 24 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 24 hexadecimal digits")]
pub struct InvalidId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $kind:ident;)*) => {
        /// The kinds of things that have ids.
        pub mod kinds {
            $($(#[$doc])* #[derive(Debug)] pub enum $kind {})*
        }
        $($(#[$doc])* pub type $name = Id<kinds::$kind>;)*
    };
}

ids! {
    /// A person with an account.
    UserId = User;
    /// A habit.
    HabitId = Habit;
    /// A habit template.
    TemplateId = Template;
    /// A check-in.
    CheckInId = CheckIn;
    /// A log-in session, which is also a family of refresh tokens.
    SessionId = Session;
    /// A post of the community.
    PostId = Post;
    /// A comment on a post.
    CommentId = Comment;
    /// Something that somebody is told.
    NotificationId = Notification;
}

impl<T> Id<T> {
    /// The id with exactly these bytes.
    pub const fn from_bytes(bytes: [u8; 12]) -> Self {
        Self {
            bytes,
            kind: PhantomData,
        }
    }

    /// The bytes of the id.
    pub const fn bytes(&self) -> [u8; 12] {
        self.bytes
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<T> Eq for Id<T> {}

impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bytes.cmp(&other.bytes)
    }
}

impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 24];
        // 24 digits are exactly what 12 bytes need, so neither step can fail.
        hex::encode_to_slice(self.bytes, &mut digits).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T> FromStr for Id<T> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let mut bytes = [0; 12];
        // The decoder would also take digits behind `0x`: then there are more than 24 characters, or too few digits.
        if text.len() != 24 {
            return Err(InvalidId);
        }
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidId)?;
        Ok(Self::from_bytes(bytes))
    }
}

impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits<T>(PhantomData<T>);
        impl<T> serde::de::Visitor<'_> for Digits<T> {
            type Value = Id<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("24 hexadecimal digits")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Id<T>, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer
            .deserialize_str(Digits(PhantomData))
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id: UserId = "65f1c0ffee65f1c0ffee65f1".parse().unwrap();
        assert_eq!(id.to_string(), "65f1c0ffee65f1c0ffee65f1");
        assert_eq!(
            serde_json::to_string(&id).unwrap(),
            r#""65f1c0ffee65f1c0ffee65f1""#
        );
        assert_eq!(
            serde_json::from_str::<UserId>(r#""65f1c0ffee65f1c0ffee65f1""#).unwrap(),
            id
        );
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "65f1",
            "65f1c0ffee65f1c0ffee65f",
            "65f1c0ffee65f1c0ffee65f12",
            "zzf1c0ffee65f1c0ffee65f1",
            "'; drop table--",
        ] {
            assert_eq!(text.parse::<HabitId>(), Err(InvalidId), "{text}");
        }
    }
}

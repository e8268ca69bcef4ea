//! What every other crate speaks: typed ids, the clock, randomness, pages and cursors, secrets, the principal, the
//! scope of a request, and the kinds of refusal. No I/O and no async.

mod clock;
mod deadline;
mod error;
mod id;
mod locale;
mod page;
mod principal;
mod random;
mod scope;
mod secret;

pub use clock::{Clock, ManualClock};
pub use deadline::{TIME_LEFT_HEADER, time_left};
pub use error::{Error, ErrorCode, Issue, PathSegment, Refusal, Result, Text, TextArg};
pub use id::{
    CheckInId, CommentId, HabitId, Id, InvalidId, NotificationId, PostId, SessionId, TemplateId, UserId,
    kinds,
};
pub use locale::Locale;
pub use page::{Cursor, Direction, InvalidCursor, Key, Page, PageRequest};
pub use principal::{Actor, External, Principal, Service};
pub use random::Random;
pub use scope::Scope;
pub use secret::Secret;

//! People in bulk, for demonstrations and benchmarks: documents from plain values, without a log-in and without events.

use docstore::{Batch, CollectionSpec, Document as _, Query};
use jiff::Timestamp;
use kernel::{Locale, UserId};
use rules::UserRules;

use crate::store::{Preferences, Theme, UserDoc, Visibility};

/// The collections that [`write`] writes to.
pub const COLLECTIONS: [CollectionSpec; 1] = [UserDoc::COLLECTION];

/// A person as they are to be.
#[derive(Debug, Clone)]
pub struct Person {
    /// The id.
    pub id: UserId,
    /// The WeChat OpenID: whom a log-in with it finds.
    pub openid: String,
    /// The WeChat UnionID.
    pub unionid: Option<String>,
    /// Shown name.
    pub nickname: String,
    /// 0 unknown, 1 male, 2 female.
    pub gender: i32,
    /// Some words about oneself.
    pub bio: String,
    /// Language of texts; `None` follows the client.
    pub locale: Option<Locale>,
    /// Whether the app is dark for them; `None` follows the device.
    pub dark: Option<bool>,
    /// Daily reminders as `HH:MM`.
    pub reminders: Vec<String>,
    /// Who sees the profile.
    pub profile: Visibility,
    /// Who sees activity.
    pub activity: Visibility,
    /// Zones, day starts and pauses.
    pub rules: UserRules,
    /// When they came.
    pub created_at: Timestamp,
    /// When they last logged in.
    pub last_login_at: Timestamp,
}

/// The document of a person.
pub fn document(person: Person) -> UserDoc {
    let mut preferences = Preferences {
        theme: match person.dark {
            None => Theme::System,
            Some(true) => Theme::Dark,
            Some(false) => Theme::Light,
        },
        locale: person.locale,
        ..Preferences::default()
    };
    preferences.notification.reminder_time = person.reminders;
    preferences.privacy.profile_visibility = person.profile;
    preferences.privacy.activity_visibility = person.activity;
    UserDoc {
        id: person.id,
        version: 0,
        openid: person.openid,
        unionid: person.unionid,
        nickname: person.nickname,
        avatar: String::new(),
        gender: person.gender,
        bio: person.bio,
        created_at: person.created_at.as_millisecond(),
        updated_at: person.created_at.as_millisecond(),
        last_login_at: person.last_login_at.as_millisecond(),
        level: 1,
        is_verified: false,
        preferences,
        rules: person.rules,
    }
}

/// Adds a person to a batch; one of the same id is replaced.
pub fn write(batch: &mut Batch, person: &UserDoc) {
    batch.put(person);
}

/// The people behind some OpenIDs.
pub fn by_openid<'a>(openids: impl IntoIterator<Item = &'a String>) -> Query {
    Query::all().is_in("openid", openids.into_iter().map(String::as_str))
}

//! What clients send.

use async_graphql::{Enum, InputObject, MaybeUndefined};
use kernel::Locale;
use subgraph::scalars::{TimeOfDay, TimeZone, Url};

use crate::store::{Theme, Visibility};

/// A language that texts exist in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Language {
    /// English.
    En,
    /// Simplified Chinese.
    ZhCn,
}

/// Changes of the own profile. What is left out stays, `null` clears.
#[derive(Debug, InputObject)]
pub struct UpdateProfileInput {
    /// Shown name, 1 to 30 characters.
    pub nickname: MaybeUndefined<String>,
    /// Address of the picture.
    pub avatar: MaybeUndefined<Url>,
    /// 0 unknown, 1 male, 2 female.
    pub gender: MaybeUndefined<i32>,
    /// Some words about oneself, up to 500 characters.
    pub bio: MaybeUndefined<String>,
    /// The version that the change was made against; another one is refused with `VERSION_MISMATCH`.
    pub version: Option<i32>,
}

/// Changes of the own preferences. What is left out stays.
#[derive(Debug, InputObject)]
pub struct UpdatePreferencesInput {
    /// Look of the app.
    pub theme: Option<Theme>,
    /// Language of texts; `null` follows the client.
    pub language: MaybeUndefined<Language>,
    /// What the person is told, and when.
    pub notification: Option<NotificationPreferencesInput>,
    /// Who sees what.
    pub privacy: Option<PrivacyPreferencesInput>,
    /// Name of a time zone of the IANA database. From now on days are counted by it; past days stay.
    pub timezone: Option<TimeZone>,
    /// Minutes after midnight at which a day starts, 0 to 1439.
    pub day_start: Option<i32>,
    /// ISO weekday on which a week starts, 1 (Monday) to 7.
    pub week_start: Option<i32>,
    /// The version that the change was made against; another one is refused with `VERSION_MISMATCH`.
    pub version: Option<i32>,
}

/// Changes of what the person is told, and when.
#[derive(Debug, InputObject)]
pub struct NotificationPreferencesInput {
    /// Whether anything is pushed.
    pub push_enabled: Option<bool>,
    /// Daily reminders by the person's wall clock, at most 10.
    pub reminder_time: Option<Vec<TimeOfDay>>,
    /// What is told.
    pub types: Option<NotificationTypesInput>,
}

/// Changes of what is told.
#[derive(Debug, InputObject)]
pub struct NotificationTypesInput {
    /// Reminders to check in.
    pub check_in_reminder: Option<bool>,
    /// Warnings that a streak is about to end.
    pub streak_alert: Option<bool>,
    /// Likes, comments, follows.
    pub community_activity: Option<bool>,
    /// Notices of the platform.
    pub system_notice: Option<bool>,
}

/// Changes of who sees what.
#[derive(Debug, InputObject)]
pub struct PrivacyPreferencesInput {
    /// Who sees the profile.
    pub profile_visibility: Option<Visibility>,
    /// Who sees statistics and public check-ins.
    pub activity_visibility: Option<Visibility>,
    /// Whether others may ask for friendship.
    pub allow_friend_request: Option<bool>,
}

impl From<Language> for Locale {
    fn from(language: Language) -> Self {
        match language {
            Language::En => Self::En,
            Language::ZhCn => Self::ZhCn,
        }
    }
}

impl From<Locale> for Language {
    fn from(locale: Locale) -> Self {
        match locale {
            Locale::En => Self::En,
            Locale::ZhCn => Self::ZhCn,
        }
    }
}

//! What is stored of a user.

use docstore::{IndexSpec, Order};
use jiff::Timestamp;
use kernel::{Locale, UserId};
use rules::{UserRules, UserTime, ZoneHistory};
use serde::{Deserialize, Serialize};
use subgraph::messages::{KnownNotices, KnownUser};
pub use subgraph::visibility::Visibility;

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserDoc {
    /// The id.
    #[serde(rename = "_id")]
    pub id: UserId,
    /// For optimistic concurrency.
    pub version: i64,
    /// The WeChat OpenID: one account each.
    pub openid: String,
    /// The WeChat UnionID, where the mini-program is bound to an open platform account.
    pub unionid: Option<String>,
    /// Shown name.
    pub nickname: String,
    /// Address of the picture; empty for none.
    pub avatar: String,
    /// 0 unknown, 1 male, 2 female.
    pub gender: i32,
    /// Some words about oneself.
    pub bio: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
    /// Milliseconds since 1970.
    pub last_login_at: i64,
    /// Level, from 1.
    pub level: i32,
    /// Whether the person's name was verified.
    pub is_verified: bool,
    /// What the person set.
    pub preferences: Preferences,
    /// What days are counted by: zones, day starts and pauses with their history.
    pub rules: UserRules,
}

/// What a person set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preferences {
    /// Look of the app.
    pub theme: Theme,
    /// Language of texts; `None` follows the client.
    pub locale: Option<Locale>,
    /// What the person is told.
    pub notification: NotificationPreferences,
    /// Who sees what.
    pub privacy: Privacy,
}

/// Look of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    /// As the device.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// What the person is told, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationPreferences {
    /// Whether anything is pushed.
    pub push_enabled: bool,
    /// Daily reminders as `HH:MM` of the person's wall clock.
    pub reminder_time: Vec<String>,
    /// Reminders to check in.
    pub check_in_reminder: bool,
    /// Warnings that a streak is about to end.
    pub streak_alert: bool,
    /// Likes, comments, follows.
    pub community_activity: bool,
    /// Notices of the platform.
    pub system_notice: bool,
}

/// Who sees what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Privacy {
    /// Who sees the profile.
    pub profile_visibility: Visibility,
    /// Who sees activity: statistics and public check-ins.
    pub activity_visibility: Visibility,
    /// Whether others may ask for friendship.
    pub allow_friend_request: bool,
}

docstore::document!(
    UserDoc,
    "users",
    &[IndexSpec {
        name: "openid",
        fields: &[("openid", Order::Asc)],
        unique: true,
    }]
);

impl UserDoc {
    /// Somebody who logs in for the first time.
    pub fn new(id: UserId, openid: String, unionid: Option<String>, time: UserTime, now: Timestamp) -> Self {
        let now = now.as_millisecond();
        Self {
            id,
            version: 0,
            openid,
            unionid,
            nickname: format!("Daka {}", &id.to_string()[18..]),
            avatar: String::new(),
            gender: 0,
            bio: String::new(),
            created_at: now,
            updated_at: now,
            last_login_at: now,
            level: 1,
            is_verified: false,
            preferences: Preferences::default(),
            rules: UserRules {
                version: 1,
                times: ZoneHistory::new(time),
                pauses: Vec::new(),
            },
        }
    }

    /// What other domains know of the person.
    pub fn known(&self) -> KnownUser {
        let activity = self.preferences.privacy.activity_visibility;
        KnownUser {
            rules: self.rules.clone(),
            is_activity_public: activity == Visibility::Public,
            is_open_to_friends: self.preferences.privacy.allow_friend_request,
            notices: KnownNotices {
                community_activity: self.preferences.notification.community_activity,
                system_notice: self.preferences.notification.system_notice,
            },
        }
    }

    /// Whether another person may see the profile. Friends are known to the community domain alone, so what is
    /// for friends is not shown here.
    pub fn is_profile_public(&self) -> bool {
        self.preferences.privacy.profile_visibility == Visibility::Public
    }
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            locale: None,
            notification: NotificationPreferences {
                push_enabled: true,
                reminder_time: Vec::new(),
                check_in_reminder: true,
                streak_alert: true,
                community_activity: true,
                system_notice: true,
            },
            privacy: Privacy {
                profile_visibility: Visibility::Private,
                activity_visibility: Visibility::Private,
                allow_friend_request: true,
            },
        }
    }
}

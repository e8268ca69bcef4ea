//! What clients get.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, Object, SimpleObject};
use jiff::Timestamp;
use kernel::Result;
use subgraph::answer::Answer;
use subgraph::caller::{self, Caller};
use subgraph::directives::{KEPT_S, authenticated, kept, kept_as_parent, list_size};
use subgraph::scalars::{DateTime, Json, TimeOfDay, TimeZone, Url};

use super::inputs::Language;
use super::loaders::Loaders;
use crate::app::App;
use crate::ops::log_in::LoggedIn;
use crate::relations::{Membership, MembershipType};
use crate::store::{Theme, UserDoc, Visibility};

/// A person with an account. Others see the profile where its visibility lets them.
pub struct User(pub Arc<UserDoc>);

impl User {
    /// Whether the caller is the person, or staff who may see people.
    fn is_open_to(&self, ctx: &Context<'_>) -> bool {
        let caller = ctx.caller();
        caller.user_id() == Some(self.0.id) || caller.may(auth::permissions::USERS_READ)
    }

    fn private<T>(&self, ctx: &Context<'_>, value: impl FnOnce(&UserDoc) -> T) -> Option<T> {
        self.is_open_to(ctx).then(|| value(&self.0))
    }

    async fn membership(&self, ctx: &Context<'_>) -> Result<Option<Membership>> {
        if !self.is_open_to(ctx) {
            return Ok(None);
        }
        let now = loaders_and_app(ctx).1.deps.clock.now();
        let membership = loaders_and_app(ctx).0.memberships.get(self.0.id).await?;
        Ok(membership.map(|membership| membership.in_force(now)))
    }
}

/// A person with an account. Others see the profile where its visibility lets them.
#[Object(directive = kept::apply(KEPT_S))]
impl User {
    /// The id.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The WeChat OpenID; only for the person.
    #[graphql(directive = authenticated::apply())]
    async fn openid(&self, ctx: &Context<'_>) -> Option<String> {
        self.private(ctx, |user| user.openid.clone())
    }

    /// The WeChat UnionID; only for the person.
    #[graphql(directive = authenticated::apply())]
    async fn unionid(&self, ctx: &Context<'_>) -> Option<String> {
        self.private(ctx, |user| user.unionid.clone()).flatten()
    }

    /// Shown name.
    async fn nickname(&self) -> &str {
        &self.0.nickname
    }

    /// Address of the picture.
    async fn avatar(&self) -> Option<Url> {
        Some(self.0.avatar.clone())
            .filter(|avatar| !avatar.is_empty())
            .map(Url)
    }

    /// 0 unknown, 1 male, 2 female.
    async fn gender(&self) -> i32 {
        self.0.gender
    }

    /// Some words about oneself.
    async fn bio(&self) -> &str {
        &self.0.bio
    }

    /// When the account was made.
    async fn created_at(&self) -> DateTime {
        instant(self.0.created_at)
    }

    /// When the profile or the preferences were last changed.
    async fn updated_at(&self) -> DateTime {
        instant(self.0.updated_at)
    }

    /// When the person last logged in; only for the person.
    #[graphql(directive = authenticated::apply())]
    async fn last_login_at(&self, ctx: &Context<'_>) -> Option<DateTime> {
        self.private(ctx, |user| instant(user.last_login_at))
    }

    /// What the person set; only for the person.
    #[graphql(directive = authenticated::apply())]
    async fn preferences(&self, ctx: &Context<'_>) -> Option<UserPreferences> {
        let now = loaders_and_app(ctx).1.deps.clock.now();
        self.private(ctx, |user| UserPreferences::of(user, now))
    }

    /// Level, from 1.
    async fn level(&self) -> i32 {
        self.0.level
    }

    /// The badges that the person was awarded, oldest first.
    #[graphql(directive = list_size::apply(20))]
    async fn badges(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Badge>> {
        let badges = ctx.answer(loaders_and_app(ctx).0.badges.get(self.0.id).await)?;
        let badge = |(code, awarded): (String, Timestamp)| Badge {
            code,
            awarded_at: awarded.into(),
        };
        Ok(badges.unwrap_or_default().into_iter().map(badge).collect())
    }

    /// Whether the person's name was verified.
    async fn is_verified(&self) -> bool {
        self.0.is_verified
    }

    /// What the person is a member of; only for the person.
    #[graphql(directive = authenticated::apply(), directive = kept::apply(0))]
    async fn membership_type(&self, ctx: &Context<'_>) -> Option<MembershipType> {
        ctx.nullable(self.membership(ctx).await)
            .map(|membership| membership.kind)
    }

    /// When the membership ends; absent where it does not; only for the person.
    #[graphql(directive = authenticated::apply(), directive = kept::apply(0))]
    async fn membership_expire_at(&self, ctx: &Context<'_>) -> Option<DateTime> {
        ctx.nullable(self.membership(ctx).await)
            .and_then(|membership| membership.expires_at)
            .map(DateTime::from)
    }

    /// The roles that the person has; only for the person.
    #[graphql(directive = authenticated::apply(), directive = list_size::apply(4))]
    async fn roles(&self, ctx: &Context<'_>) -> Option<Vec<String>> {
        if !self.is_open_to(ctx) {
            return None;
        }
        let found = loaders_and_app(ctx).1.relations.roles(self.0.id).await;
        ctx.nullable(found.map(|(roles, _)| Some(roles.into_iter().collect())))
    }

    /// Grows with each change; for `version` in updates. Only for the person.
    #[graphql(directive = authenticated::apply())]
    async fn version(&self, ctx: &Context<'_>) -> Option<i64> {
        self.private(ctx, |user| user.version)
    }

    /// Grows with each change of time settings and privacy, which other domains compute with.
    #[graphql(inaccessible)]
    async fn rules_version(&self) -> i64 {
        self.0.rules.version
    }

    /// What other domains compute with.
    #[graphql(inaccessible)]
    async fn known(&self, ctx: &Context<'_>) -> async_graphql::Result<Json> {
        ctx.answer(caller::service_only(&ctx.caller()))?;
        ctx.answer(
            serde_json::to_value(self.0.known())
                .map(Json)
                .map_err(kernel::Error::internal),
        )
    }
}

/// What a person set.
#[derive(SimpleObject)]
#[graphql(directive = kept_as_parent::apply(true))]
pub struct UserPreferences {
    /// Look of the app.
    theme: Theme,
    /// Language of texts; absent to follow the client.
    language: Option<Language>,
    /// What the person is told, and when.
    notification: NotificationPreferences,
    /// Who sees what.
    privacy: PrivacyPreferences,
    /// Name of the time zone in the IANA database.
    timezone: TimeZone,
    /// Minutes after midnight at which a day starts, 0 to 1439.
    day_start: i32,
    /// ISO weekday on which a week starts, 1 (Monday) to 7.
    week_start: i32,
}

/// What a person is told, and when.
#[derive(SimpleObject)]
#[graphql(directive = kept_as_parent::apply(true))]
pub struct NotificationPreferences {
    /// Whether anything is pushed.
    push_enabled: bool,
    /// Daily reminders by the person's wall clock.
    #[graphql(directive = list_size::apply(10))]
    reminder_time: Vec<TimeOfDay>,
    /// What is told.
    types: NotificationTypes,
}

/// What a person is told.
#[derive(SimpleObject)]
#[graphql(directive = kept_as_parent::apply(true))]
pub struct NotificationTypes {
    /// Reminders to check in.
    check_in_reminder: bool,
    /// Warnings that a streak is about to end.
    streak_alert: bool,
    /// Likes, comments, follows.
    community_activity: bool,
    /// Notices of the platform.
    system_notice: bool,
}

/// Who sees what.
#[derive(SimpleObject)]
#[graphql(directive = kept_as_parent::apply(true))]
pub struct PrivacyPreferences {
    /// Who sees the profile.
    profile_visibility: Visibility,
    /// Who sees statistics and public check-ins.
    activity_visibility: Visibility,
    /// Whether others may ask for friendship.
    allow_friend_request: bool,
}

/// Something that somebody earned.
#[derive(SimpleObject)]
#[graphql(directive = kept_as_parent::apply(true))]
pub struct Badge {
    /// Which one, as a stable code.
    code: String,
    /// When it was awarded.
    awarded_at: DateTime,
}

/// What a log-in gives.
#[derive(SimpleObject)]
pub struct LoginPayload {
    /// Goes into `Authorization: Bearer …`.
    access_token: String,
    /// Renews the log-in, once: each renewal gives another one.
    refresh_token: String,
    /// Seconds for which the access token is good.
    expires_in: i64,
    /// Who is logged in.
    user: User,
}

/// A log-in on one device.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Session {
    #[graphql(skip)]
    session: auth::Session,
    /// Whether it is the one that asks.
    is_current: bool,
}

/// The fields that come from the stored session.
#[ComplexObject]
impl Session {
    /// The id.
    async fn id(&self) -> ID {
        self.session.id.to_string().into()
    }

    /// Name of the device, as it told at the log-in.
    async fn device(&self) -> &str {
        &self.session.device.name
    }

    /// When it began.
    async fn created_at(&self) -> DateTime {
        self.session.created_at.into()
    }

    /// When it was last renewed.
    async fn last_used_at(&self) -> DateTime {
        self.session.last_used_at.into()
    }

    /// When it ends unless it is renewed.
    async fn expires_at(&self) -> DateTime {
        self.session.expires_at.into()
    }
}

impl Session {
    /// A session as its user sees it.
    pub fn of(session: auth::Session, current: kernel::SessionId) -> Self {
        Self {
            is_current: session.id == current,
            session,
        }
    }
}

impl LoginPayload {
    /// What a log-in gives, with access tokens that live so many seconds.
    pub fn of(logged_in: LoggedIn, expires_in: i64) -> Self {
        Self {
            access_token: logged_in.access_token,
            refresh_token: logged_in.refresh_token.expose().to_owned(),
            expires_in,
            user: User(Arc::new(logged_in.user)),
        }
    }
}

impl UserPreferences {
    fn of(user: &UserDoc, now: Timestamp) -> Self {
        let preferences = &user.preferences;
        let time = user.rules.times.at(now);
        let notification = &preferences.notification;
        Self {
            theme: preferences.theme,
            language: preferences.locale.map(Language::from),
            notification: NotificationPreferences {
                push_enabled: notification.push_enabled,
                reminder_time: notification
                    .reminder_time
                    .iter()
                    .cloned()
                    .map(TimeOfDay)
                    .collect(),
                types: NotificationTypes {
                    check_in_reminder: notification.check_in_reminder,
                    streak_alert: notification.streak_alert,
                    community_activity: notification.community_activity,
                    system_notice: notification.system_notice,
                },
            },
            privacy: PrivacyPreferences {
                profile_visibility: preferences.privacy.profile_visibility,
                activity_visibility: preferences.privacy.activity_visibility,
                allow_friend_request: preferences.privacy.allow_friend_request,
            },
            timezone: TimeZone(time.zone().name().to_owned()),
            day_start: time.day_start().into(),
            week_start: time.week_start().into(),
        }
    }
}

fn instant(millisecond: i64) -> DateTime {
    Timestamp::from_millisecond(millisecond)
        .unwrap_or_default()
        .into()
}

pub(super) fn loaders_and_app<'a>(ctx: &Context<'a>) -> (&'a Loaders, &'a App) {
    (ctx.data_unchecked::<Arc<Loaders>>(), ctx.data_unchecked())
}

//! Changing how the platform treats a person: look, language, reminders, privacy, time.

use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Issue, Principal, Refusal, Result, Text};
use rules::{UserTime, ZoneHistory};
use subgraph::caller;
use subgraph::input::Checker;

use super::update_profile::{expect_version, set};
use crate::app::App;
use crate::graphql::inputs::UpdatePreferencesInput;
use crate::store::UserDoc;

struct Judged {
    reminder_time: Option<Vec<String>>,
}

/// Most daily reminders that somebody may set.
const MAX_REMINDERS: usize = 10;

/// How often the time settings may change within [`A_DAY`]: more than any journey needs. Each change is kept for good,
/// and whoever computes with days walks them.
const MAX_TIME_CHANGES: usize = 10;
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// Changes the preferences of the person who asks. What is not given stays.
///
/// # Errors
/// `BAD_USER_INPUT`; `CONFLICT` with `VERSION_MISMATCH` where a version is given that is not the current one;
/// `RATE_LIMITED` where the time settings change too often.
pub async fn update_preferences(
    app: &App,
    principal: &Principal,
    input: &UpdatePreferencesInput,
) -> Result<UserDoc> {
    let id = caller::person(principal)?;
    let judged = judge(input)?;
    app.change(id, |user| {
        expect_version(user, input.version)?;
        apply(user, input, &judged);
        let now = app.deps.clock.now();
        let current = user.rules.times.at(now);
        let time = time(input, current).map_err(|_| Error::internal("stored time settings do not hold"))?;
        if time != *current {
            expect_patience(&user.rules.times, now)?;
            user.rules.times.change(now, time);
        }
        Ok(())
    })
    .await
}

/// Refuses one more change of the time settings where there were many lately.
fn expect_patience(times: &ZoneHistory, now: Timestamp) -> Result<(), Refusal> {
    let nth_last = times.versions().iter().rev().nth(MAX_TIME_CHANGES - 1);
    let waited = nth_last
        .and_then(|version| version.from)
        .map_or(A_DAY, |from| now.duration_since(from));
    if waited >= A_DAY {
        return Ok(());
    }
    let seconds = (A_DAY - waited).as_secs();
    Err(Refusal::rate_limited(u64::try_from(seconds).unwrap_or(0).max(1)))
}

/// The time settings with the changes.
fn time(input: &UpdatePreferencesInput, current: &UserTime) -> Result<UserTime, Vec<Issue>> {
    let zone = input
        .timezone
        .as_ref()
        .map_or(current.zone().name(), |zone| zone.0.as_str());
    let day_start = input.day_start.map_or(i64::from(current.day_start()), i64::from);
    let week_start = input
        .week_start
        .map_or(i64::from(current.week_start()), i64::from);
    UserTime::new(zone, day_start, week_start)
}

fn apply(user: &mut UserDoc, input: &UpdatePreferencesInput, judged: &Judged) {
    let preferences = &mut user.preferences;
    set(&mut preferences.theme, &input.theme);
    if let Some(language) = input.language.as_opt_ref() {
        preferences.locale = language.map(|language| (*language).into());
    }
    if let Some(changes) = &input.notification {
        let notification = &mut preferences.notification;
        set(&mut notification.push_enabled, &changes.push_enabled);
        set(&mut notification.reminder_time, &judged.reminder_time);
        if let Some(types) = &changes.types {
            set(&mut notification.check_in_reminder, &types.check_in_reminder);
            set(&mut notification.streak_alert, &types.streak_alert);
            set(&mut notification.community_activity, &types.community_activity);
            set(&mut notification.system_notice, &types.system_notice);
        }
    }
    if let Some(changes) = &input.privacy {
        let privacy = &mut preferences.privacy;
        set(&mut privacy.profile_visibility, &changes.profile_visibility);
        set(&mut privacy.activity_visibility, &changes.activity_visibility);
        set(&mut privacy.allow_friend_request, &changes.allow_friend_request);
    }
}

fn judge(input: &UpdatePreferencesInput) -> Result<Judged, Refusal> {
    let mut check = Checker::new("input");
    let reminders = input
        .notification
        .as_ref()
        .and_then(|notification| notification.reminder_time.as_ref());
    let reminder_time = reminders.map(|times| {
        check.at("notification", |check| {
            check.at("reminderTime", |check| {
                check.at_most(times.len(), MAX_REMINDERS);
                let mut known = std::collections::BTreeSet::new();
                check.each(times, |check, time| {
                    check.time(time)?;
                    if !known.insert(time.0.clone()) {
                        check.issue("DUPLICATE", Text::new("issue-duplicate"));
                    }
                    Some(time.0.clone())
                })
            })
        })
    });
    for issue in time(input, &UserTime::utc()).err().unwrap_or_default() {
        check.issue_at(issue.path, issue.code, issue.text);
    }
    check.finish()?;
    Ok(Judged { reminder_time })
}

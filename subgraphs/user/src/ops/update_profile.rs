//! Changing what others see of a person.

use async_graphql::MaybeUndefined;
use kernel::{Principal, Refusal, Result, Text};
use subgraph::caller;
use subgraph::input::Checker;

use crate::app::App;
use crate::graphql::inputs::UpdateProfileInput;
use crate::store::UserDoc;

struct Changes {
    nickname: Option<String>,
    avatar: Option<String>,
    gender: Option<i32>,
    bio: Option<String>,
}

/// Changes the profile of the person who asks. What is not given stays; `null` clears.
///
/// # Errors
/// `BAD_USER_INPUT`; `CONFLICT` with `VERSION_MISMATCH` where a version is given that is not the current one.
pub async fn update_profile(app: &App, principal: &Principal, input: &UpdateProfileInput) -> Result<UserDoc> {
    let id = caller::person(principal)?;
    let changes = judge(input)?;
    app.change(id, |user| {
        expect_version(user, input.version)?;
        let Changes {
            nickname,
            avatar,
            gender,
            bio,
        } = &changes;
        set(&mut user.nickname, nickname);
        set(&mut user.avatar, avatar);
        set(&mut user.gender, gender);
        set(&mut user.bio, bio);
        Ok(())
    })
    .await
}

/// Refuses a change that was made against another version.
pub(super) fn expect_version(user: &UserDoc, version: Option<i32>) -> Result<()> {
    match version {
        Some(version) if i64::from(version) != user.version => {
            Err(Refusal::conflict("VERSION_MISMATCH", Text::new("version-mismatch")).into())
        }
        _ => Ok(()),
    }
}

pub(super) fn set<T: Clone>(field: &mut T, change: &Option<T>) {
    if let Some(value) = change {
        field.clone_from(value);
    }
}

fn judge(input: &UpdateProfileInput) -> Result<Changes, Refusal> {
    let mut check = Checker::new("input");
    let nickname = check.at("nickname", |check| match &input.nickname {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => check.text("", 1, 30),
        MaybeUndefined::Value(nickname) => check.text(nickname, 1, 30),
    });
    let avatar = check.at("avatar", |check| match &input.avatar {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(String::new()),
        MaybeUndefined::Value(avatar) => check.url(avatar),
    });
    let gender = check.at("gender", |check| match input.gender {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(0),
        MaybeUndefined::Value(gender) => check.range(gender.into(), 0, 2).map(|gender| gender as i32),
    });
    let bio = check.at("bio", |check| match &input.bio {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(String::new()),
        MaybeUndefined::Value(bio) => check.text(bio, 0, 500),
    });
    check.finish()?;
    Ok(Changes {
        nickname,
        avatar,
        gender,
        bio,
    })
}

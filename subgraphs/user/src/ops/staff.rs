//! What staff do: give and take roles, set memberships, verify people.

use jiff::Timestamp;
use kernel::{Principal, Refusal, Result, Text, UserId};
use subgraph::caller;
use subgraph::input::Checker;

use crate::app::App;
use crate::relations::{Membership, MembershipType};
use crate::store::UserDoc;

/// Gives somebody a role.
///
/// # Errors
/// `FORBIDDEN` without `roles:grant`, `BAD_USER_INPUT` for a role that there is not, `NOT_FOUND` for nobody.
pub async fn grant_role(app: &App, principal: &Principal, user: UserId, role: &str) -> Result<UserDoc> {
    let found = judge_role(app, principal, user, role).await?;
    app.relations
        .grant(user, role, principal.user_id(), app.deps.clock.now())
        .await?;
    app.tell_edited(user).await?;
    forget_accounts(app, user).await?;
    Ok(found)
}

/// Takes a role from somebody.
///
/// # Errors
/// As for giving one, and `CONFLICT` with `LAST_ROLE` for the last administrator.
pub async fn revoke_role(app: &App, principal: &Principal, user: UserId, role: &str) -> Result<UserDoc> {
    let found = judge_role(app, principal, user, role).await?;
    app.relations.revoke(user, role).await?;
    app.tell_edited(user).await?;
    forget_accounts(app, user).await?;
    Ok(found)
}

/// Sets what somebody is a member of.
///
/// # Errors
/// `FORBIDDEN` without `users:write`, `NOT_FOUND` for nobody.
pub async fn set_membership(
    app: &App,
    principal: &Principal,
    user: UserId,
    kind: MembershipType,
    expires_at: Option<Timestamp>,
) -> Result<UserDoc> {
    caller::permitted(principal, auth::permissions::USERS_WRITE)?;
    let found = app.users().get(user).await?.ok_or_else(Refusal::not_found)?;
    app.relations
        .set_membership(user, Membership { kind, expires_at })
        .await?;
    app.tell_edited(user).await?;
    Ok(found)
}

/// Says whether somebody's name was verified.
///
/// # Errors
/// `FORBIDDEN` without `users:write`, `NOT_FOUND` for nobody.
pub async fn set_verified(app: &App, principal: &Principal, user: UserId, verified: bool) -> Result<UserDoc> {
    caller::permitted(principal, auth::permissions::USERS_WRITE)?;
    app.change(user, |user| {
        user.is_verified = verified;
        Ok(())
    })
    .await
}

async fn judge_role(app: &App, principal: &Principal, user: UserId, role: &str) -> Result<UserDoc> {
    caller::permitted(principal, auth::permissions::ROLES_GRANT)?;
    if !app.relations.role_exists(role).await? {
        let mut check = Checker::new("role");
        check.issue("NOT_FOUND", Text::new("issue-not-found"));
        check.finish()?;
    }
    Ok(app.users().get(user).await?.ok_or_else(Refusal::not_found)?)
}

async fn forget_accounts(app: &App, user: UserId) -> Result<()> {
    for session in app.sessions.list(user).await? {
        app.forget_account(session.id).await?;
    }
    Ok(())
}

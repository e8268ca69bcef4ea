//! Ending sessions: this one, another one, all others.

use auth::Session;
use kernel::{Actor, Principal, Refusal, Result, SessionId};
use subgraph::caller;

use crate::app::App;

/// The sessions of the person who asks, last used first.
///
/// # Errors
/// `UNAUTHENTICATED`; so do all functions here.
pub async fn sessions(app: &App, principal: &Principal) -> Result<Vec<Session>> {
    let user = caller::person(principal)?;
    app.sessions.list(user).await
}

/// Ends the session of the access token.
pub async fn log_out(app: &App, principal: &Principal) -> Result<()> {
    let session = current(principal)?;
    app.sessions.revoke(session).await?;
    app.forget_account(session).await
}

/// Ends one session of the person who asks.
///
/// # Errors
/// `NOT_FOUND` for a session of somebody else.
pub async fn revoke(app: &App, principal: &Principal, session: SessionId) -> Result<()> {
    let mine = sessions(app, principal).await?;
    if !mine.iter().any(|one| one.id == session) {
        return Err(Refusal::not_found().into());
    }
    app.sessions.revoke(session).await?;
    app.forget_account(session).await
}

/// Ends all sessions of the person who asks but the one of the access token, and tells how many.
pub async fn revoke_others(app: &App, principal: &Principal) -> Result<usize> {
    let user = caller::person(principal)?;
    let kept = current(principal)?;
    let standing = app.sessions.list(user).await?;
    let ended = app.sessions.revoke_all(user, Some(kept)).await?;
    for session in standing.iter().filter(|session| session.id != kept) {
        app.forget_account(session.id).await?;
    }
    Ok(ended)
}

/// The session of the access token.
pub fn current(principal: &Principal) -> Result<SessionId> {
    match &principal.actor {
        Actor::User { session, .. } => Ok(*session),
        Actor::Anonymous => Err(Refusal::unauthenticated().into()),
        Actor::External(_) | Actor::Service { .. } => Err(Refusal::forbidden().into()),
    }
}

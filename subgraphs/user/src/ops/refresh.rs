//! Renewing a log-in with its refresh token.

use auth::RotateError;
use kernel::{ErrorCode, Refusal, Result, Text};

use crate::app::App;
use crate::ops::log_in::LoggedIn;

/// Renews a log-in: the refresh token is replaced, and one that was replaced before ends the whole session.
///
/// # Errors
/// `UNAUTHENTICATED` for a token that is unknown, expired, revoked, or was used before.
pub async fn refresh(app: &App, token: &str) -> Result<LoggedIn> {
    let now = app.deps.clock.now();
    let ended = || Refusal::new(ErrorCode::Unauthenticated, Text::new("refresh-token-invalid"));
    let rotated = app.sessions.rotate(token).await;
    if let Err(RotateError::Reused { session }) = &rotated {
        // The access token ends with the session, wherever it is known.
        app.forget_account(*session).await?;
    }
    let (session, refresh_token) = rotated.map_err(|error| match error {
        RotateError::Failed(error) => error,
        refused => {
            tracing::info!(reason = %refused, "a refresh token is refused");
            ended().into()
        }
    })?;
    let user = app.users().get(session.user_id).await?.ok_or_else(ended)?;
    let access_token = app.issuer.issue(user.id, session.id, now)?;
    Ok(LoggedIn {
        user,
        refresh_token,
        access_token,
    })
}

//! Logging in with a WeChat code. The first time makes the account.

use auth::{Device, RefreshToken};
use docstore::{Batch, Query};
use kernel::{Error, Result};
use rules::UserTime;
use subgraph::input::Checker;
use subgraph::messages;
use wechat::WechatSession;

use crate::app::App;
use crate::store::UserDoc;

/// What a log-in, and each renewal of it, gives.
#[derive(Debug)]
pub struct LoggedIn {
    /// Who.
    pub user: UserDoc,
    /// Shown once.
    pub refresh_token: RefreshToken,
    /// Good for [`App`]'s access time to live.
    pub access_token: String,
}

/// Logs in.
///
/// # Errors
/// `BAD_USER_INPUT` for a code that WeChat does not take, `RATE_LIMITED`, `FORBIDDEN` for a user whom WeChat
/// holds for a risk, `SERVICE_UNAVAILABLE` where WeChat does not answer.
pub async fn log_in(app: &App, code: &str, device: Option<&str>) -> Result<LoggedIn> {
    let mut check = Checker::new("code");
    check.text(code, 1, 128);
    check.finish()?;
    let mut check = Checker::new("device");
    let device = device
        .and_then(|device| check.text(device, 0, 100))
        .unwrap_or_default();
    check.finish()?;

    let known = app.wechat.code_to_session(code).await?;
    let user = find_or_register(app, &known).await?;
    if app.config.administrators.contains(&known.openid) {
        app.relations
            .grant(user.id, auth::permissions::ADMIN, None, app.deps.clock.now())
            .await?;
        app.tell_edited(user.id).await?;
    }
    let (session, refresh_token) = app
        .sessions
        .create(
            user.id,
            Device {
                name: device,
                ..Device::default()
            },
        )
        .await?;
    let access_token = app.issuer.issue(user.id, session.id, app.deps.clock.now())?;
    Ok(LoggedIn {
        user,
        refresh_token,
        access_token,
    })
}

/// The user of an OpenID. The unique index lets one of two concurrent first log-ins make the account; the other
/// one finds it on its second round.
async fn find_or_register(app: &App, known: &WechatSession) -> Result<UserDoc> {
    docstore::retry_stale(async || {
        let now = app.deps.clock.now();
        let found = app
            .users()
            .find_one(Query::all().eq("openid", known.openid.as_str()))
            .await?;
        let mut batch = Batch::new();
        let user = match found {
            Some(mut user) => {
                user.last_login_at = now.as_millisecond();
                if known.unionid.is_some() {
                    user.unionid.clone_from(&known.unionid);
                }
                batch.replace(&mut user);
                app.deps
                    .outbox
                    .emit(&mut batch, user.id, &messages::UserEdited {})?;
                user
            }
            None => {
                let id = app.deps.random.id(now);
                let time = UserTime::new(&app.config.default_timezone, 0, 1)
                    .map_err(|_| Error::internal("the configured default_timezone is no time zone"))?;
                let user = UserDoc::new(id, known.openid.clone(), known.unionid.clone(), time, now);
                batch.insert(&user);
                app.deps
                    .outbox
                    .emit(&mut batch, id, &messages::UserRegistered { user: user.known() })?;
                user
            }
        };
        app.deps.store.commit(batch).await?;
        Ok(user)
    })
    .await
}

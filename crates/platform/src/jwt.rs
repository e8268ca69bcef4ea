//! Judges tokens of other issuers, for a router that stands alone.

use std::sync::Arc;
use std::time::Duration;

use auth::{JwtConfig, TokenError, Tokens};
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName};
use kernel::{Clock, Locale, Principal};
use router::{Anonymous, AuthError, Authenticator};
use tokio_util::sync::CancellationToken;

use crate::cli::Failure;

/// Tells who asks by a token in a header.
struct JwtAuthenticator {
    tokens: Tokens,
    clock: Clock,
    header: HeaderName,
    prefix: String,
    is_required: bool,
}

/// What judges credentials by that configuration. The issuers' keys are followed until the end.
///
/// # Errors
/// Settings that cannot work, by their keys.
pub fn authenticator(
    config: &JwtConfig,
    clock: &Clock,
    shutdown: &CancellationToken,
) -> Result<Arc<dyn Authenticator>, Failure> {
    if config.is_off() {
        return Ok(Arc::new(Anonymous));
    }
    let header = HeaderName::try_from(config.header.as_str())
        .map_err(|_| format!("jwt.header: `{}` is no name of a header", config.header))?;
    let tokens = Tokens::new(config, &reqwest::Client::new(), clock)?;
    for keys in tokens.keys() {
        let following = keys.clone().follow(Duration::from_secs(config.keys_max_age_s));
        tokio::spawn(shutdown.clone().run_until_cancelled_owned(following));
    }
    Ok(Arc::new(JwtAuthenticator {
        tokens,
        clock: clock.clone(),
        header,
        prefix: config.prefix.clone(),
        is_required: config.require,
    }))
}

impl JwtAuthenticator {
    async fn judge(&self, headers: &HeaderMap) -> Result<Principal, AuthError> {
        let mut sent = headers.get_all(&self.header).iter();
        let token = match (sent.next(), sent.next()) {
            (None, _) if self.is_required => return Err(AuthError::required("a token is needed")),
            (None, _) => return Ok(Principal::anonymous()),
            (Some(one), None) => one.to_str().ok().and_then(|value| token(value, &self.prefix)),
            (Some(_), Some(_)) => None,
        };
        let refused = || AuthError::unauthenticated("the token is not good");
        let token = token.ok_or_else(refused)?;
        match self.tokens.judge(token, self.clock.now()).await {
            Ok(actor) => Ok(Principal {
                actor,
                locale: Locale::default(),
            }),
            Err(TokenError::Unjudged { retry_after }) => {
                let message = "the token cannot be judged now";
                Err(AuthError::unavailable(message, retry_after))
            }
            Err(error) => {
                tracing::debug!(%error, "a token is refused");
                Err(refused())
            }
        }
    }
}

impl Authenticator for JwtAuthenticator {
    fn authenticate<'a>(&'a self, headers: &'a HeaderMap) -> BoxFuture<'a, Result<Principal, AuthError>> {
        Box::pin(self.judge(headers))
    }
}

/// What stands behind the prefix.
fn token<'v>(value: &'v str, prefix: &str) -> Option<&'v str> {
    if prefix.is_empty() {
        return Some(value.trim());
    }
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case(prefix).then_some(token.trim())
}

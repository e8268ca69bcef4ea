//! Judges credentials, once, for the whole platform.

use std::sync::Arc;
use std::time::Duration;

use auth::{Claims, TokenError, Verifier};
use cache::Cache;
use futures::future::BoxFuture;
use http::HeaderMap;
use http::header::{ACCEPT_LANGUAGE, AUTHORIZATION};
use kernel::{Clock, Locale, Principal, Text};
use router::{AuthError, Authenticator};
use subgraph::account::{self, Account};
use subgraph::peers::Peers;
use subgraph::texts;

/// How long the standing of a session is remembered where nobody says that it changed.
const ACCOUNT_TTL: Duration = Duration::from_secs(30);

/// Judges access tokens, and asks the user domain how the session behind one stands.
pub struct Gatekeeper {
    tokens: Verifier,
    cache: Cache,
    clock: Clock,
    peers: Peers,
}

impl Gatekeeper {
    /// A gatekeeper with what judges tokens and its way to the user domain.
    pub fn new(tokens: Verifier, cache: Cache, clock: Clock, peers: Peers) -> Self {
        Self {
            tokens,
            cache,
            clock,
            peers,
        }
    }

    async fn judge(&self, headers: &HeaderMap) -> Result<Principal, AuthError> {
        let language = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let locale = language.map(Locale::from_accept_language).unwrap_or_default();
        let Some(credentials) = headers.get(AUTHORIZATION) else {
            return Ok(Principal::anonymous().speaking(locale));
        };
        let refused = || unauthenticated(locale);
        let token = credentials.to_str().ok().and_then(bearer).ok_or_else(refused)?;
        let claims = self.tokens.verify(token, self.clock.now()).await;
        let claims = claims.map_err(|error| not_accepted(error, locale))?;
        match self.account(&claims).await {
            Some(account) if !account.is_session_live => Err(refused()),
            Some(account) => Ok(claims.principal(Arc::new(account.permissions), locale)),
            // The token is good and short-lived: its owner may go on, without what roles permit.
            None => Ok(claims.principal(Arc::default(), locale)),
        }
    }

    /// How the account stands; `None` where the user domain does not answer.
    async fn account(&self, claims: &Claims) -> Option<Account> {
        let key = account::cache_key(claims.session);
        if let Ok(Some(account)) = self.cache.get::<Account>(&key).await {
            return Some(account);
        }
        match self.ask(claims).await {
            Ok(account) => {
                if let Err(error) = self.cache.set(&key, &account, ACCOUNT_TTL).await {
                    tracing::debug!(%error, "an account is not cached");
                }
                Some(account)
            }
            Err(error) => {
                tracing::warn!(%error, "the user domain does not say how an account stands");
                None
            }
        }
    }

    async fn ask(&self, claims: &Claims) -> kernel::Result<Account> {
        #[derive(serde::Deserialize)]
        struct Asked {
            account: Account,
        }
        let query = "query($user: ID!, $session: ID!) { account(userId: $user, sessionId: $session) }";
        let variables = serde_json::json!({ "user": claims.user, "session": claims.session });
        let asked: Asked = self
            .peers
            .query(user::NAME, query, variables, Arc::default())
            .await?;
        Ok(asked.account)
    }
}

impl Authenticator for Gatekeeper {
    fn authenticate<'a>(&'a self, headers: &'a HeaderMap) -> BoxFuture<'a, Result<Principal, AuthError>> {
        Box::pin(self.judge(headers))
    }
}

fn bearer(credentials: &str) -> Option<&str> {
    let (scheme, token) = credentials.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn not_accepted(error: TokenError, locale: Locale) -> AuthError {
    match error {
        TokenError::Unjudged { retry_after } => {
            let message = texts::render(&Text::new("service-unavailable"), locale);
            AuthError::unavailable(message, retry_after)
        }
        error => {
            tracing::debug!(%error, "an access token is refused");
            unauthenticated(locale)
        }
    }
}

fn unauthenticated(locale: Locale) -> AuthError {
    AuthError::unauthenticated(texts::render(&Text::new("unauthenticated"), locale))
}

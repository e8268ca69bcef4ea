//! Judges credentials, once, for the whole platform.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use auth::{Claims, TokenError, Verifier};
use cache::Cache;
use futures::future::BoxFuture;
use http::HeaderMap;
use http::header::{ACCEPT_LANGUAGE, AUTHORIZATION};
use jiff::Timestamp;
use kernel::{Clock, ErrorCode, Locale, Principal, Text};
use router::{AuthError, Authenticator};
use subgraph::account::{self, Account};
use subgraph::peers::Peers;
use subgraph::texts;

/// How long the standing of a session is remembered where nobody says that it changed.
const ACCOUNT_TTL: Duration = Duration::from_secs(30);
/// Seconds between two look-ups of published keys.
const KEYS_PAUSE: i64 = 10;

/// Judges access tokens, and asks the user domain how the session behind one stands.
pub struct Gatekeeper {
    keys: Arc<PublishedKeys>,
    cache: Cache,
    clock: Clock,
    peers: Peers,
}

/// The keys that access tokens are verified with: given, or published by the user domain.
pub struct PublishedKeys {
    verifier: RwLock<Option<Verifier>>,
    published: Option<Published>,
}

struct Published {
    url: String,
    client: reqwest::Client,
    issuer: String,
    audience: String,
    asked_at: tokio::sync::Mutex<Option<Timestamp>>,
}

impl PublishedKeys {
    /// Keys of this process.
    pub fn own(verifier: Verifier) -> Self {
        Self {
            verifier: RwLock::new(Some(verifier)),
            published: None,
        }
    }

    /// Keys that are published at an address as a JWK set (RFC 7517), looked up when a token names one that is
    /// not known.
    pub fn at(url: String, client: reqwest::Client, issuer: &str, audience: &str) -> Self {
        let (issuer, audience) = (issuer.to_owned(), audience.to_owned());
        let published = Published {
            url,
            client,
            issuer,
            audience,
            asked_at: tokio::sync::Mutex::default(),
        };
        Self {
            verifier: RwLock::default(),
            published: Some(published),
        }
    }

    async fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        match self.known(token, now) {
            Some(Err(TokenError::UnknownKey)) | None => {
                self.look_up(now).await;
                self.known(token, now).unwrap_or(Err(TokenError::UnknownKey))
            }
            Some(judged) => judged,
        }
    }

    fn known(&self, token: &str, now: Timestamp) -> Option<Result<Claims, TokenError>> {
        let verifier = self.verifier.read().unwrap_or_else(PoisonError::into_inner);
        verifier.as_ref().map(|verifier| verifier.verify(token, now))
    }

    async fn look_up(&self, now: Timestamp) {
        let Some(published) = &self.published else { return };
        let mut asked_at = published.asked_at.lock().await;
        // Tokens with invented keys must not make a look-up each.
        if asked_at.is_some_and(|asked| now.as_second() - asked.as_second() < KEYS_PAUSE) {
            return;
        }
        *asked_at = Some(now);
        match published.verifier().await {
            Ok(verifier) => *self.verifier.write().unwrap_or_else(PoisonError::into_inner) = Some(verifier),
            Err(error) => {
                *asked_at = None;
                tracing::warn!(url = published.url, %error, "the published keys cannot be looked up");
            }
        }
    }
}

impl Published {
    async fn verifier(&self) -> Result<Verifier, Box<dyn std::error::Error + Send + Sync>> {
        let set = self
            .client
            .get(&self.url)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        Ok(Verifier::from_jwks(&set, &self.issuer, &self.audience)?)
    }
}

impl Gatekeeper {
    /// A gatekeeper with its keys and its way to the user domain.
    pub fn new(keys: PublishedKeys, cache: Cache, clock: Clock, peers: Peers) -> Self {
        Self {
            keys: Arc::new(keys),
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
        let claims = self.keys.verify(token, self.clock.now()).await.map_err(|error| {
            tracing::debug!(%error, "an access token is refused");
            refused()
        })?;
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

fn unauthenticated(locale: Locale) -> AuthError {
    let message = texts::render(&Text::new("unauthenticated"), locale);
    AuthError {
        code: ErrorCode::Unauthenticated,
        message,
        retry_after: None,
    }
}

//! The client: one call with its retries and its access token.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cache::Cache;
use kernel::{Clock, Secret};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::Instrument as _;

use crate::token::Tokens;
use crate::transport::{Exchange, Transport};
use crate::{Sandbox, WechatConfig, WechatError};

/// WeChat's server API for one mini-program. Cheap to clone.
#[derive(Clone)]
pub struct Wechat(Arc<Inner>);

pub(crate) struct Inner {
    transport: Transport,
    pub(crate) appid: String,
    pub(crate) secret: Secret,
    timeout: Duration,
    retries: u32,
    retry_pause: Duration,
    pub(crate) clock: Clock,
    tokens: Tokens,
}

/// One call of the API, as the modules beside this one describe it.
pub(crate) struct Call<'a> {
    pub(crate) path: &'static str,
    pub(crate) query: Vec<(&'static str, &'a str)>,
    pub(crate) body: Option<Value>,
    /// Whether making it twice does no more than making it once, so that a lost answer may be asked for again.
    pub(crate) repeatable: bool,
}

impl Wechat {
    /// The API at the configured address, whatever the configured mode. The access token is shared through `cache`.
    ///
    /// # Errors
    /// Internal, when TLS cannot be set up.
    pub fn new(config: &WechatConfig, cache: Cache, clock: Clock) -> kernel::Result<Self> {
        let transport = Transport::http(&config.base_url, config.timeout).map_err(kernel::Error::internal)?;
        let (appid, secret) = (config.appid.clone(), config.secret.clone());
        Ok(Self::over(transport, appid, secret, config, cache, clock))
    }

    /// A sandbox of this process, called without a socket, under the sandbox's own appid and secret.
    pub fn in_process(sandbox: &Sandbox, config: &WechatConfig, cache: Cache, clock: Clock) -> Self {
        let transport = Transport::InProcess(crate::sandbox::router(sandbox.clone()));
        let (appid, secret) = (sandbox.appid().to_owned(), sandbox.secret().clone());
        Self::over(transport, appid, secret, config, cache, clock)
    }

    /// The mini-program's id.
    pub fn appid(&self) -> &str {
        &self.0.appid
    }

    /// A token that WeChat accepts now: from memory, from the cache, or fetched by one caller for all.
    ///
    /// # Errors
    /// When none is at hand and WeChat gives none.
    pub async fn access_token(&self) -> Result<Secret, WechatError> {
        self.0.tokens.get(&self.0, None).await.map(Secret::new)
    }

    fn over(
        transport: Transport,
        appid: String,
        secret: Secret,
        config: &WechatConfig,
        cache: Cache,
        clock: Clock,
    ) -> Self {
        Self(Arc::new(Inner {
            transport,
            tokens: Tokens::new(&appid, cache),
            appid,
            secret,
            timeout: config.timeout,
            retries: config.retries,
            retry_pause: config.retry_pause,
            clock,
        }))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Makes a call that needs an access token. A token that is not accepted any more is dropped and the call made
    /// once again with another.
    pub(crate) async fn call<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, WechatError> {
        let token = self.0.tokens.get(&self.0, None).await?;
        match self.0.call(call, Some(&token)).await {
            Err(WechatError::TokenRejected) => {
                let other = self.0.tokens.get(&self.0, Some(&token)).await?;
                self.0.call(call, Some(&other)).await
            }
            done => done,
        }
    }
}

impl Inner {
    /// Makes a call, again where that is safe.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        call: &Call<'_>,
        token: Option<&str>,
    ) -> Result<T, WechatError> {
        let mut exchange = Exchange {
            path: call.path,
            query: call.query.clone(),
            body: call.body.as_ref().map(|body| body.to_string().into_bytes()),
        };
        if let Some(token) = token {
            exchange.query.insert(0, ("access_token", token));
        }
        let span = tracing::debug_span!("wechat", url.path = call.path);
        async {
            let mut pause = self.retry_pause;
            for _ in 0..self.retries {
                let failure = match self.once(&exchange).await {
                    Err(error @ (WechatError::Busy | WechatError::Unreachable)) => error,
                    Err(error @ WechatError::Ambiguous) if call.repeatable => error,
                    done => return done,
                };
                tracing::debug!(error = %failure, "WeChat is asked again");
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2);
            }
            self.once(&exchange).await
        }
        .instrument(span)
        .await
    }

    async fn once<T: DeserializeOwned>(&self, exchange: &Exchange<'_>) -> Result<T, WechatError> {
        let answer = self.transport.send(exchange, self.timeout).await?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|_| WechatError::Protocol("no JSON"))?;
        // Some answers that grant the wish have no `errcode`.
        match answer.get("errcode").map_or(Some(0), Value::as_i64) {
            Some(0) => {}
            Some(code) => {
                let message = answer.get("errmsg").and_then(Value::as_str).unwrap_or_default();
                return Err(WechatError::from_code(code, message));
            }
            None => return Err(WechatError::Protocol("an errcode that is no number")),
        }
        serde_json::from_value(answer).map_err(|_| WechatError::Protocol("an answer without its parts"))
    }
}

impl fmt::Debug for Wechat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wechat({})", self.0.appid)
    }
}

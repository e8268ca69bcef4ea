//! The access token: fetched by one caller at a time, shared with other processes through the cache.

use std::time::Duration;

use cache::Cache;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex;

use crate::WechatError;
use crate::client::{Call, Inner};

/// WeChat renews a token in its last five minutes and then accepts both for five. Asked a minute into that time it
/// surely gives the new one.
const RENEW_BEFORE_MS: i64 = 4 * 60 * 1000;

/// Should it give the old one all the same, it is not asked again at once.
const ASK_AGAIN_MS: i64 = 10 * 1000;

pub(crate) struct Tokens {
    cache: Cache,
    key: String,
    held: Mutex<Option<Held>>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Held {
    token: String,
    /// Milliseconds since 1970 from which on a new one should be asked for.
    renew_at: i64,
    /// Milliseconds since 1970 from which on it is worth nothing.
    expires_at: i64,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: i64,
}

impl Tokens {
    pub(crate) fn new(appid: &str, cache: Cache) -> Self {
        Self {
            cache,
            key: format!("wechat:token:{appid}"),
            held: Mutex::new(None),
        }
    }

    /// A token to call with, other than the one that was `rejected`. Never asks for a forced renewal: that would
    /// kill the token which other processes hold.
    pub(crate) async fn get(&self, wechat: &Inner, rejected: Option<&str>) -> Result<String, WechatError> {
        // Held over the fetch: all others wait for the one that asks.
        let mut held = self.held.lock().await;
        let now = wechat.clock.now().as_millisecond();
        let usable = |held: &Held| rejected != Some(held.token.as_str()) && now < held.expires_at;
        held.take_if(|held| !usable(held));
        if let Some(fresh) = held.as_ref().filter(|held| now < held.renew_at) {
            return Ok(fresh.token.clone());
        }
        if let Ok(Some(shared)) = self.cache.get::<Held>(&self.key).await
            && usable(&shared)
            && now < shared.renew_at
        {
            return Ok(held.insert(shared).token.clone());
        }
        match fetch(wechat, now).await {
            Ok(fetched) => {
                let left = u64::try_from(fetched.expires_at - now).unwrap_or(0);
                // Without the cache each process asks for itself and gets the same token.
                if let Err(error) = self
                    .cache
                    .set(&self.key, &fetched, Duration::from_millis(left))
                    .await
                {
                    tracing::debug!(%error, "the access token was not shared");
                }
                Ok(held.insert(fetched).token.clone())
            }
            // The one at hand is still good for some minutes.
            Err(error) => held.as_ref().map(|held| held.token.clone()).ok_or(error),
        }
    }
}

async fn fetch(wechat: &Inner, now: i64) -> Result<Held, WechatError> {
    let call = Call {
        path: "/cgi-bin/stable_token",
        query: Vec::new(),
        body: Some(json!({
            "grant_type": "client_credential",
            "appid": wechat.appid,
            "secret": wechat.secret.expose(),
        })),
        repeatable: true,
    };
    let answer: Answer = wechat.call(&call, None).await?;
    if answer.access_token.is_empty() {
        return Err(WechatError::Protocol("an empty token"));
    }
    // Two hours are the most that WeChat gives.
    let expires_at = now + answer.expires_in.clamp(0, 7200) * 1000;
    let renew_at = (expires_at - RENEW_BEFORE_MS)
        .max(now + ASK_AGAIN_MS)
        .min(expires_at);
    Ok(Held {
        token: answer.access_token,
        renew_at,
        expires_at,
    })
}

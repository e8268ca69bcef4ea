//! The way to WeChat: over HTTP, or straight into a sandbox of this process.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Limited};
use reqwest::{Method, StatusCode};
use tower::ServiceExt as _;
use url::form_urlencoded;

use crate::WechatError;

/// No answer of WeChat's comes near this.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

pub(crate) enum Transport {
    Http { client: reqwest::Client, base: String },
    InProcess(axum::Router),
}

/// One HTTP exchange to be made. The query carries credentials: it is never logged.
pub(crate) struct Exchange<'a> {
    pub(crate) path: &'static str,
    pub(crate) query: Vec<(&'static str, &'a str)>,
    /// Posted as JSON if there is one, else it is a GET.
    pub(crate) body: Option<Vec<u8>>,
}

impl Transport {
    pub(crate) fn http(base_url: &str, timeout: Duration) -> Result<Self, reqwest::Error> {
        // Connecting ends before the whole call does: then it is sure that nothing was sent.
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(timeout / 2);
        let local = url::Url::parse(base_url).is_ok_and(|url| match url.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        });
        if local {
            // A sandbox on this machine is not behind the proxy that the environment may name.
            builder = builder.no_proxy();
        }
        Ok(Self::Http {
            client: builder.build()?,
            base: base_url.trim_end_matches('/').to_owned(),
        })
    }

    /// The body of the answer.
    ///
    /// # Errors
    /// [`WechatError::Unreachable`] only when nothing was sent; [`WechatError::Ambiguous`] when it was sent and no
    /// whole answer came.
    pub(crate) async fn send(
        &self,
        exchange: &Exchange<'_>,
        timeout: Duration,
    ) -> Result<Bytes, WechatError> {
        let mut target = exchange.path.to_owned();
        if !exchange.query.is_empty() {
            target.push('?');
            let from = target.len();
            form_urlencoded::Serializer::for_suffix(&mut target, from).extend_pairs(&exchange.query);
        }
        let answer = async {
            match self {
                Self::Http { client, base } => over_http(client, format!("{base}{target}"), exchange).await,
                Self::InProcess(router) => in_process(router.clone(), &target, exchange).await,
            }
        };
        tokio::time::timeout(timeout, answer)
            .await
            .unwrap_or(Err(WechatError::Ambiguous))
    }
}

async fn over_http(
    client: &reqwest::Client,
    url: String,
    exchange: &Exchange<'_>,
) -> Result<Bytes, WechatError> {
    let request = match &exchange.body {
        Some(body) => client
            .request(Method::POST, url)
            .header("content-type", "application/json")
            .body(body.clone()),
        None => client.request(Method::GET, url),
    };
    // The library's errors show the URL and with it credentials: they are not kept.
    let mut response = request.send().await.map_err(|error| {
        if error.is_connect() || error.is_builder() {
            WechatError::Unreachable
        } else {
            WechatError::Ambiguous
        }
    })?;
    accepted(response.status())?;
    let mut answer = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| WechatError::Ambiguous)? {
        if answer.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(WechatError::Protocol("too long"));
        }
        answer.extend_from_slice(&chunk);
    }
    Ok(answer.freeze())
}

async fn in_process(
    router: axum::Router,
    target: &str,
    exchange: &Exchange<'_>,
) -> Result<Bytes, WechatError> {
    let request = match &exchange.body {
        Some(body) => axum::http::Request::post(target)
            .header("content-type", "application/json")
            .body(Body::from(body.clone())),
        None => axum::http::Request::get(target).body(Body::empty()),
    };
    let request = request.map_err(|_| WechatError::Unreachable)?;
    let response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    accepted(response.status())?;
    let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
        .collect()
        .await;
    body.map(|body| body.to_bytes())
        .map_err(|_| WechatError::Ambiguous)
}

/// WeChat's refusals come with status 200. Another status is of something in between, which cannot know whether
/// WeChat acted, unless it says that the request itself was wrong.
fn accepted(status: StatusCode) -> Result<(), WechatError> {
    if status.is_success() {
        Ok(())
    } else if status.is_client_error() {
        Err(WechatError::Protocol("an HTTP status that is no success"))
    } else {
        Err(WechatError::Ambiguous)
    }
}

//! WeChat's own paths.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{Query, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use super::Sandbox;
use super::state::{Failure, Lost, Posted, Refusal};
use crate::login::sign_nothing;
use crate::security::MAX_TEXT_CHARS;

type Params = Query<HashMap<String, String>>;

/// An answer, always with status 200.
struct Answer(Value);

pub(super) fn router(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/sns/jscode2session", get(code_to_session))
        .route("/wxa/checksession", get(check_session))
        .route("/cgi-bin/stable_token", post(stable_token))
        .route("/cgi-bin/message/subscribe/send", post(send))
        .route("/wxa/msg_sec_check", post(msg_sec_check))
        .route("/wxa/media_check_async", post(media_check_async))
        .route("/wxa/business/getuserphonenumber", post(phone_number))
        .method_not_allowed_fallback(wrong_method)
        .route_layer(middleware::from_fn_with_state(sandbox.clone(), around))
        .fallback(async || Refusal(40066).answer(""))
        .with_state(sandbox)
}

/// What comes before every call: the failures that were asked for, the access token, the quota.
async fn around(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let fault = sandbox.fault(&path);
    match fault {
        Some(Failure::Errcode(code)) => return Refusal(code).answer("").into_response(),
        Some(Failure::Status(status)) => {
            return StatusCode::from_u16(status)
                .unwrap_or(StatusCode::BAD_GATEWAY)
                .into_response();
        }
        Some(Failure::Lose(Lost::Request)) => return sandbox.never().await,
        Some(Failure::Lose(Lost::Answer)) | None => {}
    }
    let response = match sandbox.admit(&path, request.uri().query().unwrap_or_default()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.answer("").into_response(),
    };
    if fault.is_some() {
        return sandbox.never().await;
    }
    response
}

impl Sandbox {
    fn admit(&self, path: &str, query: &str) -> Result<(), Refusal> {
        if !matches!(path, "/sns/jscode2session" | "/cgi-bin/stable_token") {
            let token =
                url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "access_token");
            self.check_token(token.as_ref().map(|(_, token)| &**token))?;
        }
        self.spend_quota(path)
    }

    fn check_app(&self, appid: Option<&str>, secret: Option<&str>) -> Result<(), Refusal> {
        let appid = appid.filter(|text| !text.is_empty()).ok_or(Refusal(41002))?;
        let secret = secret.filter(|text| !text.is_empty()).ok_or(Refusal(41004))?;
        if appid != self.appid() {
            return Err(Refusal(40013));
        }
        if !bool::from(secret.as_bytes().ct_eq(self.secret().expose().as_bytes())) {
            return Err(Refusal(40125));
        }
        Ok(())
    }

    /// Answers nothing for as long as the server runs.
    async fn never(&self) -> Response {
        self.0.closing.cancelled().await;
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    }

    /// What a text or a URL asks to be taken for.
    pub(super) fn judge(text: &str) -> (&'static str, u32) {
        if text.contains("[review]") {
            return ("review", 21000);
        }
        match text.split_once("[risky") {
            Some((_, rest)) => {
                let label = rest.strip_prefix(':').and_then(|rest| rest.split(']').next());
                (
                    "risky",
                    label.and_then(|label| label.parse().ok()).unwrap_or(20001),
                )
            }
            None => ("pass", 100),
        }
    }
}

async fn code_to_session(State(sandbox): State<Sandbox>, Query(params): Params) -> Result<Answer, Answer> {
    let param = |name: &str| params.get(name).map(String::as_str);
    sandbox.check_app(param("appid"), param("secret"))?;
    if param("grant_type") != Some("authorization_code") {
        return Err(Refusal(40002).into());
    }
    let code = param("js_code")
        .filter(|code| !code.is_empty())
        .ok_or(Refusal(41008))?;
    let login = sandbox.log_in(code)?;
    let mut answer = json!({"openid": login.openid, "session_key": login.session_key.expose()});
    if let Some(unionid) = login.unionid {
        answer["unionid"] = unionid.into();
    }
    // As with WeChat, a success has no errcode here.
    Ok(Answer(answer))
}

async fn check_session(State(sandbox): State<Sandbox>, Query(params): Params) -> Result<Answer, Answer> {
    let param = |name: &str| params.get(name).map(String::as_str).unwrap_or_default();
    if !sandbox.is_openid(param("openid")) {
        return Err(Refusal(40003).into());
    }
    let state = sandbox.state();
    let key = state
        .users
        .get(param("openid"))
        .and_then(|user| user.session_key.as_ref());
    let expected = key.map(sign_nothing).unwrap_or_default();
    let same = bool::from(expected.as_bytes().ct_eq(param("signature").as_bytes()));
    if expected.is_empty() || !same || param("sig_method") != "hmac_sha256" {
        return Err(Refusal(87009).into());
    }
    Ok(Answer::ok(json!({})))
}

async fn stable_token(State(sandbox): State<Sandbox>, body: Bytes) -> Result<Answer, Answer> {
    #[derive(Deserialize)]
    struct Asked {
        grant_type: Option<String>,
        appid: Option<String>,
        secret: Option<String>,
        #[serde(default)]
        force_refresh: bool,
    }
    let asked: Asked = read(&body)?;
    if asked.grant_type.as_deref() != Some("client_credential") {
        return Err(Refusal(40002).into());
    }
    sandbox.check_app(asked.appid.as_deref(), asked.secret.as_deref())?;
    let (token, seconds) = sandbox.stable_token(asked.force_refresh)?;
    Ok(Answer(json!({"access_token": token, "expires_in": seconds})))
}

async fn send(State(sandbox): State<Sandbox>, body: Bytes) -> Result<Answer, Answer> {
    let whole: Value = read(&body)?;
    // Here an unknown language or state is a format error too.
    let posted: Posted = serde_json::from_value(whole.clone()).map_err(|_| Refusal(47001))?;
    let _ = (posted.lang, posted.miniprogram_state);
    let message = sandbox
        .send(&posted, whole)
        .map_err(|(refusal, more)| refusal.answer(&more))?;
    sandbox.push_sent(&posted.touser, &posted.template_id, &message);
    Ok(Answer::ok(json!({})))
}

async fn msg_sec_check(State(sandbox): State<Sandbox>, body: Bytes) -> Result<Answer, Answer> {
    #[derive(Deserialize)]
    struct Asked {
        version: u8,
        #[serde(default)]
        openid: String,
        #[serde(default)]
        scene: u8,
        #[serde(default)]
        content: String,
    }
    let asked: Asked = read(&body)?;
    if asked.version != 2 || asked.content.is_empty() {
        return Err(Refusal(47001).into());
    }
    if !(1..=4).contains(&asked.scene) {
        return Err(Refusal(40129).into());
    }
    if asked.content.chars().count() > MAX_TEXT_CHARS {
        return Err(Refusal(45002).into());
    }
    sandbox.visited(&asked.openid)?;
    let (suggest, label) = Sandbox::judge(&asked.content);
    Ok(Answer::ok(json!({
        "trace_id": sandbox.trace_id(),
        "result": {"suggest": suggest, "label": label},
        "detail": [{"strategy": "content_model", "errcode": 0, "suggest": suggest, "label": label, "prob": 90}],
    })))
}

async fn media_check_async(State(sandbox): State<Sandbox>, body: Bytes) -> Result<Answer, Answer> {
    #[derive(Deserialize)]
    struct Asked {
        version: u8,
        #[serde(default)]
        openid: String,
        #[serde(default)]
        scene: u8,
        #[serde(default)]
        media_url: String,
        media_type: u8,
    }
    let asked: Asked = read(&body)?;
    if asked.version != 2 || asked.media_url.is_empty() || !(1..=2).contains(&asked.media_type) {
        return Err(Refusal(47001).into());
    }
    if !(1..=4).contains(&asked.scene) {
        return Err(Refusal(40129).into());
    }
    sandbox.visited(&asked.openid)?;
    let trace_id = sandbox.trace_id();
    sandbox.push_media_verdict(&asked.openid, &trace_id, &asked.media_url);
    Ok(Answer::ok(json!({"trace_id": trace_id})))
}

async fn phone_number(State(sandbox): State<Sandbox>, body: Bytes) -> Result<Answer, Answer> {
    #[derive(Deserialize)]
    struct Asked {
        #[serde(default)]
        code: String,
    }
    let asked: Asked = read(&body)?;
    let (number, country) = sandbox.redeem_phone_code(&asked.code)?;
    let whole = match country.as_str() {
        "86" => number.clone(),
        _ => format!("+{country}{number}"),
    };
    Ok(Answer::ok(json!({
        "phone_info": {
            "phoneNumber": whole,
            "purePhoneNumber": number,
            "countryCode": country,
            "watermark": {"timestamp": sandbox.now().as_second(), "appid": sandbox.appid()},
        },
    })))
}

async fn wrong_method(method: Method) -> Answer {
    match method {
        Method::GET => Refusal(43002).answer(""),
        _ => Refusal(43001).answer(""),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    if body.is_empty() {
        return Err(Refusal(44002));
    }
    serde_json::from_slice(body).map_err(|_| Refusal(47001))
}

impl Sandbox {
    fn trace_id(&self) -> String {
        let bytes = self.0.random.bytes::<12>();
        let text = hex::encode(bytes);
        format!("{}-{}-{}", &text[..8], &text[8..16], &text[16..])
    }
}

impl Refusal {
    fn answer(self, more: &str) -> Answer {
        // WeChat adds the request's id; the text behind it is for people.
        let text = format!("{}{more} rid: 00000000-00000000-00000000", self.text());
        Answer(json!({"errcode": self.0, "errmsg": text}))
    }
}

impl Answer {
    fn ok(mut body: Value) -> Self {
        body["errcode"] = 0.into();
        body["errmsg"] = "ok".into();
        Self(body)
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        refusal.answer("")
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        Json(self.0).into_response()
    }
}

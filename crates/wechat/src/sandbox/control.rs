//! The control paths, which WeChat does not have.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::credentials::is_name;
use super::state::{Fault, Quota, SentMessage};
use super::{PushTarget, Sandbox};

/// A control call that makes no sense, with the reason.
struct Nonsense(&'static str);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Phone {
    phone_number: String,
    #[serde(default = "china")]
    country_code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Changed {
    name: String,
    high_risk: Option<bool>,
    unlinked: Option<bool>,
    #[serde(default)]
    visits: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Answered {
    name: String,
    template_id: String,
    #[serde(default = "yes")]
    accept: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Credit {
    openid: String,
    template_id: String,
    credits: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advance {
    advance_seconds: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PathQuota {
    path: String,
    per_day: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Template {
    template_id: String,
    #[serde(default)]
    keys: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Pages {
    pages: BTreeSet<String>,
}

pub(super) fn router(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/sandbox", get(overview))
        .route("/sandbox/codes", post(issue_code))
        .route("/sandbox/phone-codes", post(issue_phone_code))
        .route("/sandbox/users", put(change_user))
        .route("/sandbox/subscriptions", get(credits).post(answer).put(refuse))
        .route("/sandbox/messages", get(messages).delete(forget_messages))
        .route("/sandbox/faults", post(fail).delete(forget_faults))
        .route("/sandbox/clock", get(clock).post(advance))
        .route("/sandbox/quotas", put(limit))
        .route("/sandbox/templates", put(know_template))
        .route("/sandbox/pages", put(set_pages))
        .route("/sandbox/push", put(push_to))
        .route("/sandbox/pushes", get(pending))
        .route("/sandbox/pushes/deliver", post(deliver))
        .with_state(sandbox)
}

async fn overview(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(json!({
        "what": "a sandbox of WeChat's server API; nothing here reaches WeChat",
        "appid": sandbox.appid(),
        "now": sandbox.now(),
        "logIn": "the code sandbox:<name> logs in the user of that name, as often as you like",
        "control": [
            "codes", "phone-codes", "users", "subscriptions", "messages", "faults", "clock", "quotas", "templates",
            "pages", "push", "pushes", "pushes/deliver",
        ],
    }))
}

async fn issue_code(
    State(sandbox): State<Sandbox>,
    Json(asked): Json<Named>,
) -> Result<Json<Value>, Nonsense> {
    let name = checked(&asked.name)?;
    let code = sandbox.issue_code(name);
    Ok(Json(json!({"code": code, "openid": sandbox.openid(name)})))
}

async fn issue_phone_code(State(sandbox): State<Sandbox>, Json(asked): Json<Phone>) -> Json<Value> {
    let code = sandbox.issue_phone_code(asked.phone_number, asked.country_code);
    Json(json!({"code": code}))
}

async fn change_user(
    State(sandbox): State<Sandbox>,
    Json(asked): Json<Changed>,
) -> Result<Json<Value>, Nonsense> {
    let openid = sandbox.openid(checked(&asked.name)?);
    let now = sandbox.now();
    let mut state = sandbox.state();
    let user = state.users.entry(openid.clone()).or_default();
    if let Some(high_risk) = asked.high_risk {
        user.high_risk = high_risk;
    }
    if let Some(unlinked) = asked.unlinked {
        user.unlinked = unlinked;
    }
    if asked.visits {
        user.last_visit = Some(now);
    }
    Ok(Json(json!({
        "openid": openid,
        "highRisk": user.high_risk,
        "unlinked": user.unlinked,
        "lastVisit": user.last_visit,
    })))
}

async fn answer(
    State(sandbox): State<Sandbox>,
    Json(asked): Json<Answered>,
) -> Result<Json<Credit>, Nonsense> {
    let openid = sandbox.openid(checked(&asked.name)?);
    let credits = {
        let mut state = sandbox.state();
        let credits = state
            .credits
            .entry((openid.clone(), asked.template_id.clone()))
            .or_default();
        if asked.accept {
            *credits = credits.saturating_add(1);
        }
        *credits
    };
    sandbox.push_popup(&openid, &asked.template_id, asked.accept);
    Ok(Json(Credit {
        openid,
        template_id: asked.template_id,
        credits,
    }))
}

async fn refuse(
    State(sandbox): State<Sandbox>,
    Json(asked): Json<Answered>,
) -> Result<Json<Credit>, Nonsense> {
    let openid = sandbox.openid(checked(&asked.name)?);
    let key = (openid.clone(), asked.template_id.clone());
    sandbox.state().credits.remove(&key);
    sandbox.push_change(&openid, &asked.template_id);
    Ok(Json(Credit {
        openid,
        template_id: asked.template_id,
        credits: 0,
    }))
}

async fn credits(State(sandbox): State<Sandbox>) -> Json<Vec<Credit>> {
    let state = sandbox.state();
    let credits = state
        .credits
        .iter()
        .map(|((openid, template_id), credits)| Credit {
            openid: openid.clone(),
            template_id: template_id.clone(),
            credits: *credits,
        });
    Json(credits.collect())
}

async fn messages(State(sandbox): State<Sandbox>) -> Json<Vec<SentMessage>> {
    Json(sandbox.state().sent.iter().cloned().collect())
}

async fn forget_messages(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.state().sent.clear();
    StatusCode::NO_CONTENT
}

async fn fail(State(sandbox): State<Sandbox>, Json(fault): Json<Fault>) -> StatusCode {
    sandbox.state().faults.push_back(fault);
    StatusCode::NO_CONTENT
}

async fn forget_faults(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.state().faults.clear();
    StatusCode::NO_CONTENT
}

async fn clock(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(json!({"now": sandbox.now()}))
}

async fn advance(State(sandbox): State<Sandbox>, Json(asked): Json<Advance>) -> Json<Value> {
    sandbox.advance(SignedDuration::from_secs(asked.advance_seconds));
    Json(json!({"now": sandbox.now()}))
}

async fn limit(State(sandbox): State<Sandbox>, Json(asked): Json<PathQuota>) -> StatusCode {
    let quota = Quota::new(asked.per_day);
    sandbox.state().quotas.insert(asked.path, quota);
    StatusCode::NO_CONTENT
}

async fn know_template(State(sandbox): State<Sandbox>, Json(asked): Json<Template>) -> StatusCode {
    sandbox.state().templates.insert(asked.template_id, asked.keys);
    StatusCode::NO_CONTENT
}

async fn set_pages(State(sandbox): State<Sandbox>, Json(asked): Json<Pages>) -> StatusCode {
    sandbox.state().pages = asked.pages;
    StatusCode::NO_CONTENT
}

async fn push_to(
    State(sandbox): State<Sandbox>,
    Json(target): Json<PushTarget>,
) -> Result<StatusCode, Nonsense> {
    sandbox
        .push_to(target)
        .map_err(|_| Nonsense("the token is empty, or the mode needs an encodingAesKey of 43 characters"))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn pending(State(sandbox): State<Sandbox>) -> Response {
    Json(sandbox.pending()).into_response()
}

async fn deliver(State(sandbox): State<Sandbox>) -> Json<Value> {
    let (delivered, again) = sandbox.deliver().await;
    Json(json!({"delivered": delivered, "again": again}))
}

fn checked(name: &str) -> Result<&str, Nonsense> {
    is_name(name)
        .then_some(name)
        .ok_or(Nonsense("a name has 1 to 64 characters"))
}

fn china() -> String {
    "86".to_owned()
}

fn yes() -> bool {
    true
}

impl IntoResponse for Nonsense {
    fn into_response(self) -> Response {
        (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"message": self.0}))).into_response()
    }
}

//! Asks other subgraphs for what their entities are now, on the platform's own behalf.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Request, Response, Value, Variables};
use kernel::{Error, Principal, Refusal, Result, UserId};
use serde::de::DeserializeOwned;

use crate::messages::{KnownHabits, KnownUser};
use crate::service::Executable;

/// The other subgraphs, by name. Filled once all of them are built, since they may need each other.
#[derive(Clone)]
pub struct Peers {
    principal: Arc<Principal>,
    subgraphs: Arc<OnceLock<HashMap<String, Peer>>>,
    parsed: Arc<RwLock<HashMap<&'static str, ExecutableDocument>>>,
}

/// How another subgraph is reached.
pub enum Peer {
    /// In this process.
    InProcess(Arc<dyn Executable>),
    /// Over HTTP.
    Http(HttpPeer),
}

/// A subgraph over HTTP.
pub struct HttpPeer {
    /// Where it answers.
    pub url: String,
    /// The pooled client.
    pub client: reqwest::Client,
    /// Makes the header that hands over a principal: name and value.
    pub seal: Seal,
}

/// Makes the header that hands over a principal.
pub type Seal = Arc<dyn Fn(&Principal) -> Result<(http::HeaderName, http::HeaderValue)> + Send + Sync>;

impl Peers {
    /// Peers that are asked in the name of a service.
    pub fn new(service: &str) -> Self {
        Self {
            principal: Arc::new(Principal::service(service)),
            subgraphs: Arc::default(),
            parsed: Arc::default(),
        }
    }

    /// Says how the others are reached. Only the first call counts.
    pub fn connect(&self, subgraphs: HashMap<String, Peer>) {
        let _ = self.subgraphs.set(subgraphs);
    }

    /// Looks entities up by representation; the answers stand in the same order, `None` for what is not there.
    ///
    /// `query` must have the form `query($representations: [_Any!]!) { _entities(representations:
    /// $representations) { … } }`.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` where the other subgraph cannot be reached, internal where it answers with errors.
    pub async fn entities<T: DeserializeOwned>(
        &self,
        subgraph: &str,
        query: &'static str,
        representations: serde_json::Value,
    ) -> Result<Vec<Option<T>>> {
        #[derive(serde::Deserialize)]
        struct Entities<T> {
            _entities: Vec<Option<T>>,
        }
        let variables = serde_json::json!({ "representations": representations });
        let entities: Entities<T> = self.query(subgraph, query, variables).await?;
        Ok(entities._entities)
    }

    /// Asks a query of another subgraph; `T` is the shape of its data.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` where the other subgraph cannot be reached, internal where it answers with errors.
    pub async fn query<T: DeserializeOwned>(
        &self,
        subgraph: &str,
        query: &'static str,
        variables: serde_json::Value,
    ) -> Result<T> {
        let peer = self.subgraphs.get().and_then(|peers| peers.get(subgraph));
        let Some(peer) = peer else {
            return Err(Error::internal(format!("no way to the subgraph {subgraph}")));
        };
        let data = match peer {
            Peer::InProcess(schema) => {
                let mut request = Request::new(query).variables(Variables::from_json(variables));
                request.set_parsed_query(self.parsed(query)?);
                data(
                    subgraph,
                    schema.execute(request.data(self.principal.clone())).await,
                )?
            }
            Peer::Http(peer) => data(subgraph, peer.post(&self.principal, query, &variables).await?)?,
        };
        async_graphql::from_value(data).map_err(|error| Error::internal(error.to_string()))
    }

    fn parsed(&self, query: &'static str) -> Result<ExecutableDocument> {
        if let Some(document) = self
            .parsed
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(query)
        {
            return Ok(document.clone());
        }
        let document = async_graphql::parser::parse_query(query).map_err(Error::internal)?;
        self.parsed
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(query, document.clone());
        Ok(document)
    }
}

impl HttpPeer {
    async fn post(
        &self,
        principal: &Principal,
        query: &str,
        variables: &serde_json::Value,
    ) -> Result<Response> {
        let (name, value) = (self.seal)(principal)?;
        let mut headers = http::HeaderMap::from_iter([(name, value)]);
        telemetry::propagation::inject(&mut headers);
        let sent = self
            .client
            .post(&self.url)
            .headers(headers)
            .json(&serde_json::json!({ "query": query, "variables": variables }))
            .send()
            .await
            .and_then(reqwest::Response::error_for_status);
        let answer = match sent {
            Ok(answer) => answer.json().await,
            Err(error) => Err(error),
        };
        answer.map_err(|error| {
            tracing::warn!(server.address = self.url, error = %error, "a subgraph does not answer");
            Refusal::unavailable(1).into()
        })
    }
}

/// What the user domain says of somebody now; `None` where the account is gone.
///
/// # Errors
/// As [`Peers::entities`].
pub async fn user(peers: &Peers, user: UserId) -> Result<Option<KnownUser>> {
    #[derive(serde::Deserialize)]
    struct Entity {
        known: KnownUser,
    }
    let query = "query($representations: [_Any!]!) { _entities(representations: $representations) { ... on User { known } } }";
    let found = peers
        .entities::<Entity>("user", query, representation(user))
        .await?;
    Ok(found.into_iter().next().flatten().map(|entity| entity.known))
}

/// What the habit domain says of somebody's habits now.
///
/// # Errors
/// As [`Peers::entities`].
pub async fn habits(peers: &Peers, user: UserId) -> Result<Option<KnownHabits>> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entity {
        known_habits: KnownHabits,
    }
    let query = "query($representations: [_Any!]!) { _entities(representations: $representations) { ... on User { knownHabits } } }";
    let found = peers
        .entities::<Entity>("habit", query, representation(user))
        .await?;
    Ok(found
        .into_iter()
        .next()
        .flatten()
        .map(|entity| entity.known_habits))
}

/// The version of what the user domain says of somebody; `None` where the account is gone.
///
/// # Errors
/// As [`Peers::entities`].
pub async fn user_version(peers: &Peers, user: UserId) -> Result<Option<i64>> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entity {
        rules_version: i64,
    }
    let query = "query($representations: [_Any!]!) { _entities(representations: $representations) { ... on User { rulesVersion } } }";
    let found = peers
        .entities::<Entity>("user", query, representation(user))
        .await?;
    Ok(found
        .into_iter()
        .next()
        .flatten()
        .map(|entity| entity.rules_version))
}

/// The revision of somebody's habits.
///
/// # Errors
/// As [`Peers::entities`].
pub async fn habits_revision(peers: &Peers, user: UserId) -> Result<Option<i64>> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entity {
        habits_revision: i64,
    }
    let query = "query($representations: [_Any!]!) { _entities(representations: $representations) { ... on User { habitsRevision } } }";
    let found = peers
        .entities::<Entity>("habit", query, representation(user))
        .await?;
    Ok(found
        .into_iter()
        .next()
        .flatten()
        .map(|entity| entity.habits_revision))
}

fn representation(user: UserId) -> serde_json::Value {
    serde_json::json!([{ "__typename": "User", "id": user }])
}

fn data(subgraph: &str, response: Response) -> Result<Value> {
    if let Some(error) = response.errors.first() {
        let unavailable = error.extensions.as_ref().and_then(|values| values.get("code"))
            == Some(&Value::from("SERVICE_UNAVAILABLE"));
        if unavailable {
            return Err(Refusal::unavailable(1).into());
        }
        return Err(Error::internal(format!(
            "the subgraph {subgraph} answers: {}",
            error.message
        )));
    }
    Ok(response.data)
}

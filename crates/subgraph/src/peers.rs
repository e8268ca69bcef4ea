//! Asks other subgraphs for what their entities are now, on the platform's own behalf.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Request, Response, Value, Variables};
use kernel::{CheckInId, Error, HabitId, Principal, Refusal, Result, Scope, UserId};
use serde::de::DeserializeOwned;

use crate::messages::{KnownHabits, KnownUser};
use crate::service::{Executable, VersionOf};

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
    InProcess {
        /// Answers requests.
        schema: Arc<dyn Executable>,
        /// Says which version of a person it knows.
        version_of: Option<VersionOf>,
    },
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

    /// Looks up one field of somebody; `None` where the other subgraph does not know them.
    ///
    /// `query` must have the form `query($representations: [_Any!]!) { _entities(representations:
    /// $representations) { ... on User { field } } }`. What the scope has learned of the other subgraph is not asked
    /// again.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` where the other subgraph cannot be reached, internal where it answers with errors.
    pub async fn entity_of_user<T: DeserializeOwned>(
        &self,
        subgraph: &str,
        query: &'static str,
        user: UserId,
        scope: Arc<Scope>,
    ) -> Result<Option<T>> {
        #[derive(serde::Deserialize)]
        struct Entities<T> {
            _entities: Vec<Option<HashMap<String, T>>>,
        }
        let variables = serde_json::json!({ "representations": [{ "__typename": "User", "id": user }] });
        let entities: Entities<T> = self.query(subgraph, query, variables, scope).await?;
        let found = entities._entities.into_iter().next().flatten();
        Ok(found.and_then(|fields| fields.into_values().next()))
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
        scope: Arc<Scope>,
    ) -> Result<T> {
        let data = match self.peer(subgraph)? {
            Peer::InProcess { schema, .. } => {
                let mut request = Request::new(query).variables(Variables::from_json(variables));
                request.set_parsed_query(self.parsed(query)?);
                let request = request.data(self.principal.clone()).data(scope);
                data(subgraph, schema.execute(request).await)?
            }
            Peer::Http(peer) => data(subgraph, peer.post(&self.principal, query, &variables).await?)?,
        };
        async_graphql::from_value(data).map_err(|error| Error::internal(error.to_string()))
    }

    /// The version of a person that another subgraph knows, as new as the scope. `query` as for
    /// [`Peers::entity_of_user`].
    async fn version_of_user(
        &self,
        subgraph: &str,
        query: &'static str,
        user: UserId,
        scope: Arc<Scope>,
    ) -> Result<Option<i64>> {
        match self.peer(subgraph)? {
            Peer::InProcess {
                version_of: Some(version_of),
                ..
            } => version_of(user, scope).await,
            _ => self.entity_of_user(subgraph, query, user, scope).await,
        }
    }

    fn peer(&self, subgraph: &str) -> Result<&Peer> {
        let peer = self.subgraphs.get().and_then(|peers| peers.get(subgraph));
        peer.ok_or_else(|| Error::internal(format!("no way to the subgraph {subgraph}")))
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
/// As [`Peers::entity_of_user`].
pub async fn user(peers: &Peers, user: UserId) -> Result<Option<KnownUser>> {
    let query = "query($representations: [_Any!]!) { _entities(representations: $representations) { ... on User { known } } }";
    peers.entity_of_user("user", query, user, Arc::default()).await
}

/// What the habit domain says of somebody's habits now.
///
/// # Errors
/// As [`Peers::entity_of_user`].
pub async fn habits(peers: &Peers, user: UserId) -> Result<Option<KnownHabits>> {
    let query = "query($representations: [_Any!]!) { _entities(representations: $representations) { ... on User { knownHabits } } }";
    peers.entity_of_user("habit", query, user, Arc::default()).await
}

/// Whose a habit is; `None` where there is none.
///
/// # Errors
/// As [`Peers::entity_of_user`].
pub async fn habit_owner(peers: &Peers, habit: HabitId) -> Result<Option<UserId>> {
    let query = "query($representations: [_Any!]!) { _entities(representations: $representations) { ... on Habit { userId } } }";
    owner(peers, "habit", query, "Habit", habit.to_string()).await
}

/// Whose a check-in is; `None` where there is none.
///
/// # Errors
/// As [`Peers::entity_of_user`].
pub async fn check_in_owner(peers: &Peers, check_in: CheckInId) -> Result<Option<UserId>> {
    let query = "query($representations: [_Any!]!) { _entities(representations: $representations) { ... on CheckIn { userId } } }";
    owner(peers, "checkin", query, "CheckIn", check_in.to_string()).await
}

async fn owner(
    peers: &Peers,
    subgraph: &str,
    query: &'static str,
    type_name: &str,
    id: String,
) -> Result<Option<UserId>> {
    #[derive(serde::Deserialize)]
    struct Owned {
        #[serde(rename = "userId")]
        user: Option<UserId>,
    }
    #[derive(serde::Deserialize)]
    struct Entities {
        _entities: Vec<Option<Owned>>,
    }
    let variables = serde_json::json!({ "representations": [{ "__typename": type_name, "id": id }] });
    let found: Entities = peers.query(subgraph, query, variables, Arc::default()).await?;
    Ok(found._entities.into_iter().flatten().find_map(|owned| owned.user))
}

/// The version of what the user domain says of somebody, as new as the scope; `None` where the account is gone.
///
/// # Errors
/// As [`Peers::entity_of_user`].
pub async fn user_version(peers: &Peers, user: UserId, scope: Arc<Scope>) -> Result<Option<i64>> {
    let query = "query($representations: [_Any!]!) { _entities(representations: $representations) { ... on User { rulesVersion } } }";
    peers.version_of_user("user", query, user, scope).await
}

/// The revision of somebody's habits, as new as the scope.
///
/// # Errors
/// As [`Peers::entity_of_user`].
pub async fn habits_revision(peers: &Peers, user: UserId, scope: Arc<Scope>) -> Result<Option<i64>> {
    let query = "query($representations: [_Any!]!) { _entities(representations: $representations) { ... on User { habitsRevision } } }";
    peers.version_of_user("habit", query, user, scope).await
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

//! Builds the domains' subgraphs.

use std::collections::HashMap;

use auth::{AuthConfig, Issuer, Keys, Sessions};
use events::Outbox;
use kernel::Principal;
use subgraph::peers::{HttpPeer, Peer, Peers, Seal};
use subgraph::service::{Deps, Subgraph};
use wechat::{Mode, Sandbox, SandboxConfig, Wechat};

use crate::cli::Failure;
use crate::config::Config;
use crate::stores::Stores;

/// The names of all subgraphs.
pub const NAMES: [&str; 5] = [
    user::NAME,
    habit::NAME,
    checkin::NAME,
    community::NAME,
    notification::NAME,
];

/// The SDL of every subgraph, without any store.
pub fn sdls() -> [(&'static str, String); 5] {
    [
        (user::NAME, user::sdl()),
        (habit::NAME, habit::sdl()),
        (checkin::NAME, checkin::sdl()),
        (community::NAME, community::sdl()),
        (notification::NAME, notification::sdl()),
    ]
}

/// Builds subgraphs on open stores.
pub struct Builder<'a> {
    /// Settings.
    pub config: &'a Config,
    /// Everything that keeps data.
    pub stores: &'a Stores,
    /// The keys that sign access tokens, with their settings.
    pub keys: &'a (Keys, AuthConfig),
}

impl Builder<'_> {
    /// Builds one subgraph, and its way to others: to be connected once they are built.
    ///
    /// # Errors
    /// For a name that there is not, or where a store is not ready.
    pub async fn build(&self, name: &str) -> Result<(Subgraph, Peers), Failure> {
        let (deps, peers) = self.deps(name);
        let built = match name {
            user::NAME => user::build(self.config.user.clone(), deps, self.user_services()?).await?,
            habit::NAME => habit::build(self.config.habit.clone(), deps),
            checkin::NAME => checkin::build(self.config.checkin.clone(), deps),
            community::NAME => community::build(self.config.community.clone(), deps).await?,
            notification::NAME => notification::build(self.config.notification.clone(), deps),
            _ => return Err(format!("there is no subgraph `{name}`; there are {}", NAMES.join(", ")).into()),
        };
        self.stores.documents.ensure(&built.collections).await?;
        Ok((built, peers))
    }

    /// Builds all subgraphs in this process.
    ///
    /// # Errors
    /// Where a store is not ready.
    pub async fn build_all(&self) -> Result<Vec<Subgraph>, Failure> {
        let mut subgraphs = Vec::new();
        let mut ways = Vec::new();
        for name in NAMES {
            let (subgraph, peers) = self.build(name).await?;
            subgraphs.push(subgraph);
            ways.push(peers);
        }
        for peers in ways {
            peers.connect(in_process(&subgraphs));
        }
        Ok(subgraphs)
    }

    fn deps(&self, name: &str) -> (Deps, Peers) {
        let Stores {
            documents,
            relations,
            cache,
            clock,
            random,
            ..
        } = self.stores.clone();
        let peers = Peers::new(name);
        let outbox = Outbox::new(name, clock.clone(), random.clone())
            .tracing_with(std::sync::Arc::new(telemetry::propagation::traceparent));
        let deps = Deps {
            store: documents,
            relations,
            cache,
            outbox,
            clock,
            random: random.fork(),
            peers: peers.clone(),
        };
        (deps, peers)
    }

    fn user_services(&self) -> Result<user::Services, Failure> {
        let Stores {
            documents,
            cache,
            clock,
            random,
            ..
        } = self.stores.clone();
        let (keys, auth) = self.keys;
        let wechat = match self.config.wechat.mode {
            Mode::Sandbox => {
                let sandbox = Sandbox::new(
                    clock.clone(),
                    random.fork(),
                    SandboxConfig {
                        always_visiting: true,
                        ..SandboxConfig::default()
                    },
                );
                Wechat::in_process(&sandbox, &self.config.wechat, cache.clone(), clock.clone())
            }
            Mode::Real => Wechat::new(&self.config.wechat, cache.clone(), clock.clone())?,
        };
        Ok(user::Services {
            sessions: Sessions::new(documents, cache, clock, random.fork(), auth),
            issuer: Issuer::new(keys, auth),
            wechat,
        })
    }
}

/// The way to subgraphs of this process.
pub fn in_process(subgraphs: &[Subgraph]) -> HashMap<String, Peer> {
    let peer = |subgraph: &Subgraph| {
        let peer = Peer::InProcess {
            schema: subgraph.schema.clone(),
            version_of: subgraph.version_of.clone(),
        };
        (subgraph.name.to_owned(), peer)
    };
    subgraphs.iter().map(peer).collect()
}

/// The way to subgraphs that are processes of their own.
///
/// # Errors
/// Where the configuration does not say where one is, or has no secret to be trusted by.
pub fn over_http(config: &Config, clock: &kernel::Clock) -> Result<HashMap<String, Peer>, Failure> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(std::time::Duration::from_secs(10))
        .build()?;
    let tokens = service_token(config)?;
    let mut peers = HashMap::new();
    for name in NAMES {
        let url = config
            .subgraphs
            .get(name)
            .ok_or_else(|| format!("subgraphs.{name} is not configured"))?;
        let (tokens, clock) = (tokens.clone(), clock.clone());
        let seal: Seal =
            std::sync::Arc::new(move |principal: &Principal| sealed(&tokens, principal, name, &clock));
        peers.insert(
            name.to_owned(),
            Peer::Http(HttpPeer {
                url: url.clone(),
                client: client.clone(),
                seal,
            }),
        );
    }
    Ok(peers)
}

/// What the processes of one platform trust each other by.
///
/// # Errors
/// Where no secret is configured, or a short one.
pub fn service_token(config: &Config) -> Result<std::sync::Arc<auth::ServiceToken>, Failure> {
    let secret = config
        .auth
        .internal_secret
        .as_ref()
        .ok_or("auth.internal_secret is needed where router and subgraphs are processes of their own")?;
    Ok(std::sync::Arc::new(auth::ServiceToken::new(secret)?))
}

/// The header that hands a principal to a subgraph.
///
/// # Errors
/// Where it cannot be signed.
pub fn sealed(
    tokens: &auth::ServiceToken,
    principal: &Principal,
    subgraph: &str,
    clock: &kernel::Clock,
) -> kernel::Result<(http::HeaderName, http::HeaderValue)> {
    let token = tokens.seal(principal, subgraph, clock.now())?;
    let value = http::HeaderValue::from_str(&token).map_err(kernel::Error::internal)?;
    Ok((http::HeaderName::from_static(auth::PRINCIPAL_HEADER), value))
}

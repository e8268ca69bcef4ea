//! The platform's own supergraph, and the engine and endpoints that serve it.

use std::path::Path;
use std::sync::Arc;

use composition::SubgraphSource;
use kernel::Random;
use router::rest::{Info, OperationFile, RestApi, RestHandle, RestOptions};
use router::{Engine, EngineHandle, Invalidator, PersistedOperations, Transports};
use subgraph::service::Executable;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cli::Failure;
use crate::config::Config;
use crate::subgraphs;

/// The hand-written operations, as they were when the program was built.
static OPERATIONS: include_dir::Dir<'static> =
    include_dir::include_dir!("$CARGO_MANIFEST_DIR/../../schema/operations");

/// Composes the platform's supergraph. The addresses are where the subgraphs are, by name; where there is none
/// they are in this process.
///
/// # Errors
/// What composition finds wrong, a line each.
pub fn compose(
    addresses: &std::collections::BTreeMap<String, String>,
) -> Result<composition::Composed, Failure> {
    let sources: Vec<SubgraphSource> = subgraphs::sdls()
        .into_iter()
        .map(|(name, sdl)| SubgraphSource {
            name: name.to_owned(),
            url: addresses.get(name).cloned(),
            sdl,
        })
        .collect();
    composition::compose(&sources).map_err(|errors| lines(&errors))
}

/// Errors as one text, a line each.
pub fn lines(errors: &[impl ToString]) -> Failure {
    errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
        .into()
}

/// The operation files with their paths, in order.
pub fn operations() -> Vec<OperationFile> {
    fn collect(dir: &include_dir::Dir<'_>, files: &mut Vec<OperationFile>) {
        for file in dir.files() {
            let text = file.contents_utf8().unwrap_or_default().to_owned();
            files.push(OperationFile {
                path: shown(file.path()),
                text,
            });
        }
        for dir in dir.dirs() {
            collect(dir, files);
        }
    }
    fn shown(path: &Path) -> String {
        format!("schema/operations/{}", path.display())
    }
    let mut files = Vec::new();
    collect(&OPERATIONS, &mut files);
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// What the OpenAPI document says of the whole.
pub fn info() -> Info {
    Info {
        title: "Daka".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        description: Some(
            "Habits and check-ins. Every endpoint is a persisted operation of the GraphQL API.".to_owned(),
        ),
        ..Info::default()
    }
}

/// GraphQL and REST over one supergraph.
pub struct Gateway {
    /// The routes: GraphQL, REST, their documentation.
    pub routes: axum::Router,
    /// The WebSockets that are open.
    pub sockets: TaskTracker,
    /// What drops what is kept of subgraphs' answers, if anything is.
    pub kept: Option<Invalidator>,
}

/// Loads a supergraph and what is served of it. Documents that clients register are kept in the cache.
///
/// # Errors
/// Where the supergraph, an operation file or a manifest does not hold.
pub fn gateway(
    config: &Config,
    supergraph: &str,
    transports: Transports,
    authenticator: Arc<dyn router::Authenticator>,
    cache: cache::Cache,
    clock: kernel::Clock,
    shutdown: &CancellationToken,
) -> Result<Gateway, Failure> {
    let router = config.router.clone().for_platform();
    // What subgraphs answered has a part of its own: in memory it must not push out what else is kept.
    let responses = cache::Cache::open(&config.cache, clock.clone())?;
    let engine = Engine::new(supergraph, &router, transports)?
        .with_registered_in(cache.clone())
        .with_rate_limits_in(cache, clock.clone())
        .with_responses_in(responses, clock, Random::from_os())
        .with_overrides_by(Random::from_os());
    let api = Arc::new(RestApi::load(&engine, &operations()).map_err(|errors| lines(&errors))?);
    let own = api.others().iter();
    let own = own.map(|operation| (router::document_id(&operation.text), operation.text.clone()));
    let mut persisted: PersistedOperations = own.collect();
    persisted.extend(PersistedOperations::load(&router.persisted.manifests)?);
    let engine = Arc::new(engine.with_persisted(persisted));
    let rest = RestHandle::new(api, engine.clone(), &info()).map_err(|errors| lines(&errors))?;
    let http = router::http::HttpOptions {
        authenticator,
        config: router,
        shutdown: shutdown.clone(),
        ..Default::default()
    };
    let options = RestOptions {
        http: Arc::new(http.clone()),
        trace_id: Some(Arc::new(telemetry::propagation::trace_id)),
    };
    let (sockets, kept) = (http.connections.clone(), engine.invalidator());
    let routes = router::http::service(EngineHandle::new(engine), http).merge(rest.router(options));
    Ok(Gateway {
        routes,
        sockets,
        kept,
    })
}

/// A subgraph of this process, as the router asks it.
pub struct InProcess(pub Arc<dyn Executable>);

impl router::InProcessSchema for InProcess {
    fn execute(
        &self,
        request: async_graphql::Request,
    ) -> futures::future::BoxFuture<'_, async_graphql::Response> {
        self.0.execute(request)
    }

    fn execute_stream(
        &self,
        request: async_graphql::Request,
    ) -> futures::stream::BoxStream<'static, async_graphql::Response> {
        self.0.execute_stream(request)
    }
}

#[cfg(test)]
mod tests {
    use router::{ByCaller, RouterConfig};
    use serde_json::json;

    use super::*;

    /// What each operation of the platform's own costs at most, with lists as long as a page may be.
    fn costs(router: &RouterConfig) -> Vec<(String, u64)> {
        let address = |name: &str| (name.to_owned(), format!("http://{name}/graphql"));
        let composed = compose(&subgraphs::NAMES.into_iter().map(address).collect()).unwrap();
        let engine = Engine::new(&composed.supergraph_sdl, router, Transports::default()).unwrap();
        let longest = json!({ "first": 100 }).as_object().cloned().unwrap();
        let api = RestApi::load(&engine, &operations()).unwrap();
        let cost = |(name, text): (&str, &str)| {
            let prepared = engine.prepare(text, None).unwrap();
            (name.to_owned(), prepared.estimate(&longest).unwrap())
        };
        api.operations().map(cost).collect()
    }

    #[test]
    fn every_operation_of_the_platforms_own_fits_well_within_the_limits() {
        let router = RouterConfig::default().for_platform();
        let ByCaller {
            anonymous,
            people,
            apps,
            staff,
        } = router.demand.max_cost;
        let lowest = [anonymous, people, apps, staff].into_iter().min().unwrap();
        let costs = costs(&router);
        for (name, cost) in &costs {
            assert!(cost * 2 <= lowest, "{name} costs {cost} of {lowest}");
        }
        let shown: Vec<String> = costs
            .iter()
            .map(|(name, cost)| format!("{name} {cost}"))
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        Login 32
        Logout 10
        RefreshToken 32
        RevokeSession 10
        Sessions 10
        Calendar 652
        CheckIn 3
        CheckIns 302
        CreateCheckIn 13
        DeleteCheckIn 10
        Today 101
        UpdateCheckIn 13
        CreateHabit 44
        DeleteHabit 10
        HabitStats 1
        Habit 34
        Habits 3402
        HabitTemplates 1020
        UpdateHabit 44
        DeleteNotification 10
        MarkAllNotificationsRead 10
        MarkNotificationRead 12
        Notifications 202
        UnreadNotificationCount 0
        FollowUser 12
        FriendRequests 100
        Friends 100
        RemoveFriend 12
        RequestFriend 12
        UnfollowUser 12
        CreateComment 11
        CreatePost 12
        DeleteComment 10
        DeletePost 10
        LikePost 12
        Post 52
        Posts 202
        UnlikePost 12
        Me 26
        MyStats 1
        UpdateMe 36
        UpdatePreferences 36
        User 21
        TodayScreen 135
        ");
    }
}

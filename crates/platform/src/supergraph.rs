//! The platform's own supergraph, and the engine and endpoints that serve it.

use std::path::Path;
use std::sync::Arc;

use composition::SubgraphSource;
use router::rest::{Info, OperationFile, RestApi, RestHandle, RestOptions};
use router::{Engine, EngineHandle, PersistedOperations, Transports};
use subgraph::service::Executable;

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
) -> Result<Gateway, Failure> {
    let engine = Engine::new(supergraph, &config.router, transports)?.with_registered_in(cache);
    let api = Arc::new(RestApi::load(&engine, &operations()).map_err(|errors| lines(&errors))?);
    let own = api.others().iter();
    let own = own.map(|operation| (router::document_id(&operation.text), operation.text.clone()));
    let mut persisted: PersistedOperations = own.collect();
    persisted.extend(PersistedOperations::load(&config.router.persisted.manifests)?);
    let engine = Arc::new(engine.with_persisted(persisted));
    let rest = RestHandle::new(api, engine.clone(), &info()).map_err(|errors| lines(&errors))?;
    let http = router::http::HttpOptions {
        authenticator,
        config: config.router.clone(),
        ..Default::default()
    };
    let options = RestOptions {
        http: Arc::new(http.clone()),
        trace_id: Some(Arc::new(telemetry::propagation::trace_id)),
    };
    let routes = router::http::service(EngineHandle::new(engine), http).merge(rest.router(options));
    Ok(Gateway { routes })
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
}

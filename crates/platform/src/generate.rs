//! The committed files under schema/ that follow from the code: each subgraph's SDL, the supergraph, what clients
//! see of it, the persisted operations, the OpenAPI document.

use std::path::{Path, PathBuf};

use router::rest::RestApi;
use router::{Engine, RouterConfig, Transports};

use crate::cli::Failure;
use crate::{subgraphs, supergraph};

/// Where the subgraphs are in the generated supergraph: what a compose file names them.
const ADDRESS: &str = "http://{name}:4000/graphql";

/// Writes the files anew.
///
/// # Errors
/// Where the schemas do not compose, or a file cannot be written.
pub fn run(folder: &Path) -> Result<(), Failure> {
    for (path, text) in files()? {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, text)?;
    }
    Ok(())
}

/// The operations of the platform's own clients, in Apollo's form: each is known by the SHA-256 of its text.
fn manifest(api: &RestApi) -> Result<String, Failure> {
    let operation = |operation: &router::rest::OtherOperation| {
        serde_json::json!({
            "id": router::document_id(&operation.text),
            "name": operation.name,
            "type": operation.kind,
            "body": operation.text,
        })
    };
    let manifest = serde_json::json!({
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": api.others().iter().map(operation).collect::<Vec<_>>(),
    });
    Ok(format!("{}\n", serde_json::to_string_pretty(&manifest)?))
}

/// The files, by their path under schema/.
///
/// # Errors
/// Where the schemas do not compose, or an operation does not hold.
pub fn files() -> Result<Vec<(PathBuf, String)>, Failure> {
    let addresses = subgraphs::NAMES
        .iter()
        .map(|name| ((*name).to_owned(), ADDRESS.replace("{name}", name)))
        .collect();
    let composed = supergraph::compose(&addresses)?;
    let engine = Engine::new(
        &composed.supergraph_sdl,
        &RouterConfig::default().for_platform(),
        Transports::default(),
    )?;
    let operations = supergraph::operations();
    let api = RestApi::load(&engine, &operations).map_err(|errors| supergraph::lines(&errors))?;

    let mut files: Vec<(PathBuf, String)> = subgraphs::sdls()
        .into_iter()
        .map(|(name, sdl)| (PathBuf::from(format!("subgraphs/{name}.graphql")), sdl))
        .collect();
    files.push((PathBuf::from("supergraph.graphql"), composed.supergraph_sdl));
    files.push((PathBuf::from("api.graphql"), engine.api_schema().to_string()));
    files.push((PathBuf::from("persisted.json"), manifest(&api)?));
    files.push((
        PathBuf::from("openapi.json"),
        format!("{}\n", api.openapi(&supergraph::info())),
    ));
    Ok(files)
}

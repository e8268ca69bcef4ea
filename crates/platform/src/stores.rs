//! Opens the stores that the configuration names.

use std::path::Path;

use auth::{AuthConfig, Keys};
use cache::Cache;
use docstore::{DocStore, Document as _, StoreConfig};
use events::Bus;
use kernel::{Clock, Random};
use relstore::{RelStore, RelStoreConfig};

use crate::cli::Failure;
use crate::config::Config;

/// Everything that keeps data.
#[derive(Clone)]
pub struct Stores {
    /// Documents.
    pub documents: DocStore,
    /// Relations.
    pub relations: RelStore,
    /// Hot data.
    pub cache: Cache,
    /// Events.
    pub bus: Bus,
    /// The time.
    pub clock: Clock,
    /// Ids and secrets.
    pub random: Random,
}

/// Opens all stores. Databases that are servers may still be away: what needs them says so then.
///
/// # Errors
/// Where a file cannot be opened, or a server's address is none.
pub async fn open(config: &Config, clock: Clock, random: Random) -> Result<Stores, Failure> {
    std::fs::create_dir_all(&config.data)?;
    let documents = DocStore::open(&under(&config.data, &config.store)).await?;
    documents.ensure(events::COLLECTIONS).await?;
    documents.ensure(auth::COLLECTIONS).await?;
    documents
        .ensure(&[subgraph::idempotency::Remembered::COLLECTION])
        .await?;
    let relations = RelStore::open(&relations_under(&config.data, &config.relations)).await?;
    let cache = Cache::open(&config.cache, clock.clone())?;
    let bus = Bus::open(&config.bus, documents.clone(), clock.clone(), random.clone())?;
    Ok(Stores {
        documents,
        relations,
        cache,
        bus,
        clock,
        random,
    })
}

/// The keys that sign access tokens.
///
/// # Errors
/// Where they cannot be read or made.
pub fn keys(config: &Config, random: &Random) -> Result<(Keys, AuthConfig), Failure> {
    let auth = config.auth.clone().under(&config.data);
    Ok((Keys::load(&auth, random)?, auth))
}

fn under(data: &Path, config: &StoreConfig) -> StoreConfig {
    match config {
        StoreConfig::Sqlite { path } => StoreConfig::Sqlite {
            path: data.join(path),
        },
        server => server.clone(),
    }
}

fn relations_under(data: &Path, config: &RelStoreConfig) -> RelStoreConfig {
    match config.url.strip_prefix("sqlite://") {
        Some(rest) if !rest.contains(":memory:") => {
            let (path, options) = rest.split_once('?').unwrap_or((rest, "mode=rwc"));
            RelStoreConfig {
                url: format!("sqlite://{}?{options}", data.join(path).display()),
            }
        }
        _ => config.clone(),
    }
}

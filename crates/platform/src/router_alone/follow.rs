//! Looks whether what a router serves has changed, and lets it take over where it holds: every now and then, at once when
//! a file is written, and when the program is told to by SIGHUP. Requests under way are finished by the engine and the
//! configuration that they began with.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use super::{Inputs, Loader, Served};
use crate::cli::Failure;
use crate::config::Config;
use crate::metrics::RELOADS;

/// How long a file is left alone after it was written: whoever writes several, or one in pieces, gets to the end.
const SETTLED: Duration = Duration::from_millis(50);

/// What tells that it is time to look.
pub(super) struct Occasions {
    written: Arc<Notify>,
    hangup: Option<Signal>,
    /// Watches until it is dropped.
    watcher: Option<RecommendedWatcher>,
}

/// Follows what changes, for ever.
pub(super) async fn follow(loader: Arc<Loader>, mut known: Inputs, served: Served, mut occasions: Occasions) {
    occasions.watch(&loader.files(&known), known.config.router.reload_ms);
    let mut refused = None;
    let mut told = None;
    loop {
        occasions.next(known.config.router.reload_ms).await;
        let inputs = match loader.inputs().await {
            Ok(inputs) => inputs,
            Err(error) => {
                // It is said once, and again when it is another one.
                let error = error.to_string();
                if told.as_ref() != Some(&error) {
                    tracing::warn!(%error, "what is to be served cannot be looked at; the one before is served");
                    told = Some(error);
                }
                continue;
            }
        };
        if told.take().is_some() {
            tracing::info!("what is to be served can be looked at again");
        }
        if inputs == known || refused.as_ref() == Some(&inputs) {
            continue;
        }
        let inputs = Arc::new(inputs);
        let made = take_over(&loader, &inputs, &known.config, &served).await;
        let outcome = if made.is_ok() { "ok" } else { "refused" };
        metrics::counter!(RELOADS, "outcome" => outcome).increment(1);
        let Some(inputs) = Arc::into_inner(inputs) else {
            continue;
        };
        match made {
            Ok(()) => {
                warn_of_what_stays(&loader.first, &inputs.config);
                occasions.watch(&loader.files(&inputs), inputs.config.router.reload_ms);
                (known, refused) = (inputs, None);
                tracing::info!("a new supergraph or configuration has taken over");
            }
            Err(error) => {
                tracing::error!(%error, "the new supergraph does not hold; the one before is served");
                refused = Some(inputs);
            }
        }
    }
}

async fn take_over(
    loader: &Arc<Loader>,
    inputs: &Arc<Inputs>,
    before: &Config,
    served: &Served,
) -> Result<(), Failure> {
    let (making, with, old) = (loader.clone(), inputs.clone(), served.engine.load());
    let made =
        tokio::task::spawn_blocking(move || Ok::<_, Failure>(making.engine(&with)?.with_documents_of(&old)));
    let engine = made.await.unwrap_or_else(|error| Err(error.into()))?;
    served.engine.swap(Arc::new(engine));
    if inputs.config.router != before.router {
        served.routes.swap(
            loader.routes(&served.engine, &inputs.config),
            &inputs.config.router,
        );
    }
    Ok(())
}

/// Names the changed parts of the configuration that are in force from the next start on only: all but `router`.
fn warn_of_what_stays(first: &Config, now: &Config) {
    let (Ok(toml::Value::Table(first)), Ok(toml::Value::Table(now))) =
        (toml::Value::try_from(first), toml::Value::try_from(now))
    else {
        return;
    };
    for (key, value) in &now {
        if key != "router" && first.get(key) != Some(value) {
            tracing::warn!(key, "a changed setting is in force from the next start on");
        }
    }
}

impl Occasions {
    /// SIGHUP alone, which from now on does not end the program any more.
    pub(super) fn new() -> Self {
        let hangup = signal(SignalKind::hangup())
            .inspect_err(|error| tracing::warn!(%error, "SIGHUP is not listened to"))
            .ok();
        Self {
            written: Arc::default(),
            hangup,
            watcher: None,
        }
    }

    /// Writes of these files too, and one look at once: they may have been written since they were read. With
    /// `reload_ms` 0 nothing is watched.
    fn watch(&mut self, files: &[PathBuf], reload_ms: u64) {
        self.watcher = None;
        if reload_ms == 0 {
            return;
        }
        match watch(files, self.written.clone()) {
            Ok(watcher) => self.watcher = Some(watcher),
            Err(error) => tracing::warn!(%error, "files are not watched, only looked at"),
        }
        self.written.notify_one();
    }

    async fn next(&mut self, reload_ms: u64) {
        let pause = async {
            match reload_ms {
                0 => std::future::pending().await,
                pause => tokio::time::sleep(Duration::from_millis(pause)).await,
            }
        };
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = pause => {}
            _ = hangup => {}
            () = self.written.notified(), if self.watcher.is_some() => tokio::time::sleep(SETTLED).await,
        }
    }
}

/// Watches the folders of files, since many editors put another file into a file's place.
fn watch(files: &[PathBuf], written: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let named: Vec<_> = files
        .iter()
        .filter_map(|file| file.file_name())
        .map(ToOwned::to_owned)
        .collect();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let is_ours = event.is_ok_and(|event| {
            let changes = matches!(
                event.kind,
                EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_)
            );
            let name = |path: &PathBuf| {
                path.file_name()
                    .is_some_and(|name| named.iter().any(|ours| ours == name))
            };
            changes && event.paths.iter().any(name)
        });
        if is_ours {
            written.notify_one();
        }
    })?;
    let mut folders: Vec<&Path> = files.iter().map(|file| folder(file)).collect();
    folders.sort_unstable();
    folders.dedup();
    for folder in folders {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

//! Who is measured: the router in two settings, other routers where they are installed, and a bare proxy.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cases::{Case, manifest};
use crate::process::{this, which};
use crate::{Failure, subgraphs};

/// Somebody who is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Contestant {
    /// The router of this project.
    Daka(Setting),
    /// Hive Router, which sends equal reads once unless it is told otherwise.
    Hive { program: PathBuf, dedupe: bool },
    /// Apollo Router.
    Apollo(PathBuf),
    /// A proxy of nothing but hyper before the first subgraph.
    Proxy,
}

/// What the router of this project does with equal reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    /// Sends each.
    Plain,
    /// Sends those once that are under way at the same time.
    Dedupe,
    /// Keeps what subgraphs answered for a minute.
    Cache,
}

/// Names of other routers' programs on `PATH`, and the variable that may name one elsewhere.
const HIVE: (&str, &str) = ("hive_router", "DAKA_BENCH_HIVE_ROUTER");
const APOLLO: (&str, &str) = ("router", "DAKA_BENCH_APOLLO_ROUTER");

impl Contestant {
    /// Who takes part in a case.
    pub(crate) fn of(case: &Case) -> Vec<Self> {
        let settings = [Setting::Plain, Setting::Dedupe, Setting::Cache];
        let mut all: Vec<_> = settings.map(Self::Daka).into();
        if !case.persisted {
            let hive = |dedupe| found(HIVE).map(|program| Self::Hive { program, dedupe });
            all.extend(hive(false).into_iter().chain(hive(true)));
            all.extend(found(APOLLO).map(Self::Apollo));
        }
        if case.name == "tiny" {
            all.push(Self::Proxy);
        }
        all
    }

    /// For people.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Daka(Setting::Plain) => "daka",
            Self::Daka(Setting::Dedupe) => "daka, dedupe",
            Self::Daka(Setting::Cache) => "daka, response cache",
            Self::Hive { dedupe: false, .. } => "Hive Router",
            Self::Hive { dedupe: true, .. } => "Hive Router, dedupe",
            Self::Apollo(_) => "Apollo Router",
            Self::Proxy => "bare hyper proxy",
        }
    }

    /// How it is started at an address before those subgraphs, with its files in a folder.
    pub(crate) fn command(
        &self,
        address: &str,
        subgraphs: &[String],
        folder: &Path,
    ) -> Result<Command, Failure> {
        let supergraph = folder.join("supergraph.graphql");
        std::fs::write(&supergraph, subgraphs::supergraph(subgraphs)?)?;
        match self {
            Self::Daka(setting) => daka(*setting, address, folder),
            Self::Hive { program, dedupe } => {
                let config = folder.join("router.config.yaml");
                std::fs::write(
                    &config,
                    format!("traffic_shaping: {{ all: {{ dedupe_enabled: {dedupe} }} }}\n"),
                )?;
                let (host, port) = address.split_once(':').ok_or("an address without a port")?;
                let mut command = Command::new(program);
                command
                    .current_dir(folder)
                    .env("ROUTER_CONFIG_FILE_PATH", config)
                    .env("HIVE_SUPERGRAPH_SOURCE", "file")
                    .env("HIVE_SUPERGRAPH_PATH", &supergraph)
                    .env("HOST", host)
                    .env("PORT", port);
                Ok(command)
            }
            Self::Apollo(program) => {
                let config = folder.join("router.yaml");
                std::fs::write(
                    &config,
                    format!("supergraph: {{ path: /graphql, listen: '{address}' }}\n"),
                )?;
                let mut command = Command::new(program);
                command.env("APOLLO_TELEMETRY_DISABLED", "true");
                command
                    .arg("--supergraph")
                    .arg(&supergraph)
                    .arg("--config")
                    .arg(config);
                Ok(command)
            }
            Self::Proxy => {
                let mut command = this("proxy")?;
                command.arg(address).arg(subgraphs.first().ok_or("no subgraphs")?);
                Ok(command)
            }
        }
    }
}

fn found((name, variable): (&str, &str)) -> Option<PathBuf> {
    let given = std::env::var_os(variable).map(PathBuf::from);
    given.or_else(|| which(name))
}

/// The program, which lies beside this one.
fn daka(setting: Setting, address: &str, folder: &Path) -> Result<Command, Failure> {
    let program = std::env::current_exe()?.with_file_name("daka");
    if !program.is_file() {
        return Err(format!("{} is not there: build it first", program.display()).into());
    }
    std::fs::write(folder.join("manifest.json"), manifest())?;
    let config = folder.join("daka.toml");
    let (dedupe, cache) = (setting == Setting::Dedupe, setting == Setting::Cache);
    let text = format!(
        "[router.all_subgraphs]\ndedupe = {dedupe}\n[router.response_cache]\nenabled = {cache}\n\
         default_max_age_s = 60\n[router.persisted]\nmanifests = ['{}']\n",
        folder.join("manifest.json").display()
    );
    std::fs::write(&config, text)?;
    let mut command = Command::new(program);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DAKA_")) {
        command.env_remove(name);
    }
    command
        .args([
            "router",
            "--supergraph",
            "supergraph.graphql",
            "--listen",
            address,
        ])
        .arg("--config")
        .arg(config)
        .arg("--data")
        .arg(folder)
        .current_dir(folder);
    Ok(command)
}

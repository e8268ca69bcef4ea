//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use toml::{Table, Value};

use crate::config::{Config, Layer};
use crate::router_alone::{Source, Supergraph};
use crate::{check, demo, distributed, embedded, generate, router_alone};

/// What a command failed with: a text for the terminal.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Daka: a GraphQL-first API platform for habits and check-ins.
///
/// Without a command everything starts in this process, with its data under ./data.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Options that override the configuration.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Where to listen, such as 127.0.0.1:4000.
    #[arg(long, global = true, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// The folder for databases and keys.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration file; by default daka.toml, where there is one.
    #[arg(long, global = true, value_name = "FILE", env = "DAKA_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything in this process (the default).
    All,
    /// The router alone: of this platform's subgraphs, or of any supergraph.
    Router(RouterArgs),
    /// One subgraph as a process of its own.
    Subgraph {
        /// Which one.
        name: String,
    },
    /// What happens on events, without serving anybody.
    Worker,
    /// Prints the supergraph composed from a supergraph.yaml.
    Compose {
        /// The file.
        #[arg(long, value_name = "FILE", default_value = "supergraph.yaml")]
        config: PathBuf,
    },
    /// Tells what changes between two schemas, and fails where clients cannot live with it.
    Check {
        /// The schema that clients know: a file with a supergraph or an API schema.
        old: PathBuf,
        /// The schema to come.
        new: PathBuf,
        /// What clients send, to tell which changes matter: a folder of *.graphql files, such a file, or a manifest
        /// of persisted operations. May be given more than once.
        #[arg(long, value_name = "PATH")]
        operations: Vec<PathBuf>,
    },
    /// Prints the configuration in force, secrets masked.
    Config,
    /// Fills the store with plausible people, habits and check-ins.
    Demo(demo::DemoArgs),
    /// Writes the generated files under schema/ anew.
    Generate {
        /// The folder.
        #[arg(long, value_name = "DIR", default_value = "schema")]
        schema: PathBuf,
    },
}

/// Which supergraph a router serves: by default this platform's. `--config` with a supergraph.yaml composes that.
#[derive(Debug, Args)]
struct RouterArgs {
    /// A composed supergraph: a file with SDL.
    #[arg(long, value_name = "FILE")]
    supergraph: Option<PathBuf>,
}

/// Runs a command to its end.
///
/// # Errors
/// A text for the terminal.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(dispatch(cli))
}

async fn dispatch(cli: Cli) -> Result<(), Failure> {
    let options = cli.options;
    match cli.command.unwrap_or(Command::All) {
        Command::All => embedded::run(options.load_platform()?).await,
        Command::Router(args) => match options.supergraph(&args) {
            Some(supergraph) => {
                let options = options.without_supergraph();
                let source = Source {
                    file: options.file(),
                    load: Box::new(move || options.load()),
                };
                router_alone::run(source, supergraph).await
            }
            None => distributed::router(options.load_platform()?).await,
        },
        Command::Subgraph { name } => distributed::subgraph(options.load()?, &name).await,
        Command::Worker => embedded::work(options.load()?).await,
        Command::Compose { config } => router_alone::compose(&config).await,
        Command::Check { old, new, operations } => check::run(&old, &new, &operations),
        Command::Config => {
            println!("{}", options.load()?.masked()?);
            Ok(())
        }
        Command::Demo(args) => demo::run(options.load()?, &args).await,
        Command::Generate { schema } => generate::run(&schema),
    }
}

impl Options {
    /// The supergraph of somebody else that a router is asked to serve.
    fn supergraph(&self, args: &RouterArgs) -> Option<Supergraph> {
        let composed = args.supergraph.clone().map(Supergraph::Composed);
        composed.or_else(|| {
            self.config
                .clone()
                .filter(|file| is_yaml(file))
                .map(Supergraph::Sources)
        })
    }

    fn without_supergraph(&self) -> Self {
        let config = self.config.clone().filter(|file| !is_yaml(file));
        Self {
            config,
            ..self.clone()
        }
    }

    /// The configuration of this platform's own supergraph, which knows its people by tokens of its own.
    fn load_platform(&self) -> Result<Config, Failure> {
        let config = self.load()?;
        if !config.jwt.is_off() {
            return Err("jwt: tokens of other issuers are for a router that stands alone".into());
        }
        Ok(config)
    }

    fn file(&self) -> Option<PathBuf> {
        let default = PathBuf::from("daka.toml");
        let default = default.exists().then_some(default);
        self.config.clone().or(default)
    }

    fn load(&self) -> Result<Config, Failure> {
        let mut flags = Table::new();
        if let Some(listen) = self.listen {
            flags.insert("listen".to_owned(), Value::String(listen.to_string()));
        }
        if let Some(data) = &self.data {
            flags.insert(
                "data".to_owned(),
                Value::String(data.to_string_lossy().into_owned()),
            );
        }
        let mut layers = Vec::new();
        if let Some(file) = self.file() {
            layers.push(Layer::file(&file)?);
        }
        layers.push(Layer::environment(std::env::vars())?);
        layers.push(Layer::new("the command line", flags));
        Ok(Config::load(layers)?)
    }
}

fn is_yaml(file: &std::path::Path) -> bool {
    file.extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml")
}

//! Real MongoDB, MariaDB and Redis servers: the shared ones of a test run, and private ones that a test may kill.
//!
//! `cargo xtask test` installs the programs and starts the shared servers; `cargo xtask servers` does the same for tests
//! run by hand. A test that stops or kills a server starts one of its own ([`Mongo`], [`MariaDb`], [`Redis`]).

mod find;
mod instance;
mod mongo_wire;
mod watchdog;

pub use find::{Program, tools_dir};
pub use instance::{Instance, Kind, StartError};
pub use watchdog::Watchdog;

/// The shared MongoDB replica set, e.g. `mongodb://127.0.0.1:23456/?replicaSet=rs0`, from `DAKA_TEST_MONGO_URL`.
/// Take a database of your own in it ([`crate::unique_name`]).
///
/// # Panics
/// When the variable is not set.
pub fn mongo_url() -> String {
    shared(Kind::Mongo)
}

/// The shared MariaDB server, e.g. `mysql://root@127.0.0.1:23457`, from `DAKA_TEST_MYSQL_URL`. No database is named:
/// create one of your own ([`crate::unique_name`]).
///
/// # Panics
/// When the variable is not set.
pub fn mysql_url() -> String {
    shared(Kind::MariaDb)
}

/// The shared Redis server, e.g. `redis://127.0.0.1:23458`, from `DAKA_TEST_REDIS_URL`. Begin every key with a prefix of
/// your own ([`crate::unique_name`]), and never flush.
///
/// # Panics
/// When the variable is not set.
pub fn redis_url() -> String {
    shared(Kind::Redis)
}

fn shared(kind: Kind) -> String {
    let variable = kind.variable();
    std::env::var(variable)
        .ok()
        .filter(|url| !url.is_empty())
        .unwrap_or_else(|| {
            panic!(
                "{variable} is not set: run `cargo xtask test` (it installs and starts the servers), or keep \
             `cargo xtask servers` running and load its file: `set -a; . target/test-servers.env; set +a`"
            )
        })
}

/// Declares the asynchronous face of one kind of private server.
macro_rules! private_server {
    ($(#[$doc:meta])* $name:ident, $kind:expr) => {
        $(#[$doc])*
        ///
        /// It runs on a free port in a temporary folder, and both are gone when the value is dropped, or when the test
        /// process ends in whatever way.
        #[derive(Debug)]
        pub struct $name {
            // `None` only while a restart that was itself cancelled holds it.
            instance: Option<Instance>,
            url: String,
        }

        impl $name {
            /// Starts a server and waits until it takes writes.
            ///
            /// # Panics
            /// When the program is not installed or does not get ready; the message tells what to do, with the end of
            /// the server's log.
            pub async fn start() -> Self {
                let started = tokio::task::spawn_blocking(|| Instance::start($kind)).await;
                let instance = started.expect("the starting thread ends").unwrap_or_else(|error| panic!("{error}"));
                let url = instance.url();
                Self { instance: Some(instance), url }
            }

            /// Where clients connect; the same for the whole life of the value, restarts included.
            pub fn url(&self) -> &str {
                &self.url
            }

            /// Ends the server at once, as a crash or a power cut of its process would (SIGKILL); its files stay. When
            /// this returns, the port is closed. Killing a killed server does nothing.
            pub fn kill(&mut self) {
                if let Some(instance) = &mut self.instance {
                    instance.kill();
                }
            }

            /// Starts the server again on the same port and files (killing it first where it still runs), and waits
            /// until it takes writes.
            ///
            /// # Panics
            /// As [`Self::start`].
            pub async fn restart(&mut self) {
                let mut instance = self.instance.take().expect("the restart before this one was not cancelled");
                let restarted = tokio::task::spawn_blocking(move || instance.restart().map(|()| instance)).await;
                let instance = restarted.expect("the starting thread ends").unwrap_or_else(|error| panic!("{error}"));
                self.instance = Some(instance);
            }
        }
    };
}

private_server!(
    /// A private MongoDB replica set of one member.
    Mongo,
    Kind::Mongo
);
private_server!(
    /// A private MariaDB server: user `root`, no password, no database yet.
    MariaDb,
    Kind::MariaDb
);
private_server!(
    /// A private Redis server with an append-only file.
    Redis,
    Kind::Redis
);

#[cfg(test)]
mod tests;

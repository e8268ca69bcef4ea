//! Where the servers' programs are on this machine.

use std::env;
use std::path::{Path, PathBuf};

/// A program that the servers need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// MongoDB's server.
    Mongod,
    /// MariaDB's server.
    Mariadbd,
    /// Lays the system tables of a new MariaDB folder.
    MariadbInstallDb,
    /// Redis's server.
    RedisServer,
}

impl Program {
    /// The file's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mongod => "mongod",
            Self::Mariadbd => "mariadbd",
            Self::MariadbInstallDb => "mariadb-install-db",
            Self::RedisServer => "redis-server",
        }
    }

    /// Looks the program up: first among what `cargo xtask` installed for this workspace, then on `PATH`, then in the
    /// folders of system programs, which are not on everybody's `PATH`.
    pub fn find(self) -> Option<PathBuf> {
        let installed = (self == Self::Mongod).then(|| tools_dir().join("mongodb/fiftyone/db/bin"));
        let path = env::var_os("PATH").unwrap_or_default();
        let system = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
        installed
            .into_iter()
            .chain(env::split_paths(&path))
            .chain(system)
            .map(|folder| folder.join(self.name()))
            .find(|file| file.is_file())
    }
}

/// The folder for programs installed for this workspace alone: `target/tools`, whatever `CARGO_TARGET_DIR` says, so that
/// every build folder of a checkout finds them.
pub fn tools_dir() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .ancestors()
        .nth(2)
        .unwrap_or(manifest)
        .join("target/tools")
}

//! The servers that a run of tests shares.

use std::env;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use testkit::servers::{Instance, Kind, Watchdog};

use crate::run::root;
use crate::{Outcome, install};

/// Running servers, one of each kind: our own, or somebody's that the environment names. Ours end with the value.
pub(crate) struct Servers {
    own: Vec<Instance>,
    urls: Vec<(&'static str, String)>,
}

impl Servers {
    /// Installs what is missing and starts what the environment does not name.
    pub(crate) fn start() -> Outcome<Self> {
        install::servers(&Kind::ALL)?;
        let named = |kind: &Kind| env::var(kind.variable()).ok().filter(|url| !url.is_empty());
        let to_start: Vec<_> = Kind::ALL
            .into_iter()
            .filter(|kind| named(kind).is_none())
            .collect();
        let starting: Vec<_> = to_start
            .iter()
            .map(|&kind| thread::spawn(move || Instance::start(kind)))
            .collect();
        let mut own = Vec::new();
        let mut urls: Vec<_> = Kind::ALL
            .into_iter()
            .filter_map(|kind| Some((kind.variable(), named(&kind)?)))
            .collect();
        for (kind, thread) in to_start.into_iter().zip(starting) {
            let started = thread
                .join()
                .map_err(|_| format!("starting {kind:?} broke off"))?;
            let instance = started.map_err(|error| error.to_string())?;
            urls.push((kind.variable(), instance.url()));
            own.push(instance);
        }
        Ok(Self { own, urls })
    }

    /// Names the servers to a command, and so to all that it runs.
    pub(crate) fn name_to(&self, command: &mut Command) {
        command.envs(self.urls.iter().map(|(variable, url)| (variable, url)));
    }

    /// The lines of a shell's environment file.
    fn lines(&self) -> String {
        // In quotes: a url may hold what a shell would interpret.
        self.urls
            .iter()
            .map(|(variable, url)| format!("{variable}='{url}'\n"))
            .collect()
    }
}

/// `cargo xtask servers`.
pub(crate) fn until_interrupted() -> Outcome {
    let file = root().join("target/test-servers.env");
    if already_running(&file) {
        let lines = fs::read_to_string(&file).unwrap_or_default();
        return Err(format!(
            "servers of this checkout are running already, see {}:\n{lines}",
            file.display()
        ));
    }
    let servers = Servers::start()?;
    // The default effect of an interrupt is all that is needed: the watchdogs end the servers and remove the files.
    let _watchdog = Watchdog::over(None, std::slice::from_ref(&file)).map_err(|error| error.to_string())?;
    write_whole(&file, &servers.lines()).map_err(|error| format!("{}: {error}", file.display()))?;
    println!("{}", servers.lines());
    println!(
        "{} servers run until ctrl-c. In another terminal:",
        servers.own.len()
    );
    println!("  set -a; . target/test-servers.env; set +a; cargo test -p docstore");
    loop {
        thread::park();
    }
}

/// Whether every server that the file names listens.
fn already_running(file: &Path) -> bool {
    let Ok(lines) = fs::read_to_string(file) else {
        return false;
    };
    let mut addresses = lines.lines().filter_map(address).peekable();
    addresses.peek().is_some() && addresses.all(|address| TcpStream::connect(address).is_ok())
}

/// The loopback address in a line such as `DAKA_TEST_REDIS_URL='redis://127.0.0.1:23456'`.
fn address(line: &str) -> Option<SocketAddr> {
    let start = line.find("127.0.0.1:")?;
    let end = line[start..]
        .find(['/', '\''])
        .map_or(line.len(), |length| start + length);
    line[start..end].parse().ok()
}

/// So that who waits for the file never reads half of it.
fn write_whole(file: &Path, text: &str) -> std::io::Result<()> {
    let mut draft = PathBuf::from(file);
    draft.set_extension("env.new");
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&draft, text)?;
    fs::rename(draft, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_line_names_an_address() {
        let expected = "127.0.0.1:23456".parse().ok();
        assert_eq!(address("DAKA_TEST_REDIS_URL='redis://127.0.0.1:23456'"), expected);
        assert_eq!(
            address("DAKA_TEST_MONGO_URL='mongodb://127.0.0.1:23456/?replicaSet=rs0'"),
            expected
        );
        assert_eq!(address("DAKA_TEST_REDIS_URL='redis://cache.example:6379'"), None);
    }
}

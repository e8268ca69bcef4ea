//! The `daka` program: built once, started, stopped, and gone with the test process.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use testkit::servers::Watchdog;

/// How long a program may take to get ready or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `daka`. Dropping it kills it; so does the end of the test process.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    address: String,
    log: PathBuf,
    _watchdog: Watchdog,
}

impl Process {
    /// Starts `daka` with arguments on an address, with its data and its log in a folder.
    pub(crate) fn start(args: &[&str], address: &str, folder: &Path, env: &[(String, String)]) -> Self {
        Self::start_program(program(), args, address, folder, env)
    }

    /// Starts a program that takes the same options.
    pub(crate) fn start_program(
        program: &Path,
        args: &[&str],
        address: &str,
        folder: &Path,
        env: &[(String, String)],
    ) -> Self {
        let log = folder.join(format!("daka-{}.log", args.join("-")));
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .expect("a log can be written");
        let child = Command::new(program)
            .args(args)
            .args(["--listen", address, "--data"])
            .arg(folder)
            .env_remove("DAKA_CONFIG")
            .envs(env.iter().map(|(name, value)| (name, value)))
            // Away from a daka.toml of the developer's own.
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a file handle doubles"))
            .stderr(file)
            .process_group(0)
            .spawn()
            .expect("daka starts");
        let watchdog = Watchdog::over(Some(&child), &[folder.to_owned()]).expect("sh starts");
        Self {
            child,
            address: address.to_owned(),
            log,
            _watchdog: watchdog,
        }
    }

    /// Waits until the process says that it is ready.
    ///
    /// # Panics
    /// With what it wrote, when it ends before or takes too long.
    pub(crate) async fn ready(&mut self, client: &reqwest::Client) {
        let url = format!("http://{}/health/ready", self.address);
        let since = Instant::now();
        loop {
            let answer = client.get(&url).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            let ended = self.child.try_wait().expect("a child can be waited for");
            if ended.is_some() || since.elapsed() > PATIENCE {
                panic!("daka does not get ready ({ended:?}):\n{}", self.log());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the process wrote.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The end of what the process wrote, for who looks why a test failed.
    pub(crate) fn last_words(&self) -> String {
        const LINES: usize = 40;
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default();
        format!("{} ends with\n{}", self.log.display(), last.join("\n"))
    }

    /// The most memory that the process has had at once, in bytes.
    ///
    /// # Panics
    /// When the process has ended.
    pub(crate) fn peak_memory(&self) -> usize {
        self.memory("VmHWM:")
    }

    /// The memory that the process has now, in bytes.
    ///
    /// # Panics
    /// When the process has ended.
    pub(crate) fn memory_now(&self) -> usize {
        self.memory("VmRSS:")
    }

    fn memory(&self, what: &str) -> usize {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix(what));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok());
        kilobytes.expect("the kernel tells it") << 10
    }

    /// Asks the process to stop, as a service manager does.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends the process a signal, such as `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status()
            .expect("kill runs");
        assert!(sent.success(), "daka is gone already:\n{}", self.log());
    }

    /// Waits until a process that was asked to stop has ended.
    pub(crate) async fn ended(&mut self) {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                assert!(status.success(), "daka ends with {status}:\n{}", self.log());
                return;
            }
            assert!(since.elapsed() < PATIENCE, "daka does not end:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.last_words());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address of this machine that nobody listens on, with a port below those that outgoing connections get.
pub(crate) fn free_address() -> String {
    let taken = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let port = (0..1000)
        .map(|_| 10_000 + u16::try_from(digits() % 10_000).unwrap_or(0))
        .find(taken);
    format!("127.0.0.1:{}", port.expect("a port is free"))
}

fn digits() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    std::hash::RandomState::new().build_hasher().finish()
}

/// The program: the one that `DAKA_TEST_PROGRAM` names, such as a release; else it is built by the cargo that runs
/// the tests, beside them.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(given) = std::env::var_os("DAKA_TEST_PROGRAM") {
            return PathBuf::from(given);
        }
        let this = std::env::current_exe().expect("a test has a path");
        // target/PROFILE/deps/e2e-HASH
        let built = this
            .ancestors()
            .nth(2)
            .expect("tests are built in a target folder");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        // Together with this package, so that both have the same features, and most is built once.
        build.args([
            "build",
            "--quiet",
            "--package",
            "platform",
            "--package",
            "tests",
            "--bin",
            "daka",
            "--target-dir",
        ]);
        build.arg(built.parent().unwrap_or(built));
        if built.ends_with("release") {
            build.arg("--release");
        }
        let status = build
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo runs");
        assert!(status.success(), "daka does not build");
        built.join("daka")
    })
}

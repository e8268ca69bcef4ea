//! One server process with its folder and port: start, kill, restart.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Program, Watchdog, mongo_wire};

/// What sort of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// MongoDB, a replica set of one member.
    Mongo,
    /// MariaDB, for everything that speaks MySQL's protocol.
    MariaDb,
    /// Redis with an append-only file.
    Redis,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Mongo, Self::MariaDb, Self::Redis];

    /// The environment variable that names the shared server of this kind.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Mongo => "DAKA_TEST_MONGO_URL",
            Self::MariaDb => "DAKA_TEST_MYSQL_URL",
            Self::Redis => "DAKA_TEST_REDIS_URL",
        }
    }

    /// The programs that it takes to run one.
    pub fn programs(self) -> &'static [Program] {
        match self {
            Self::Mongo => &[Program::Mongod],
            Self::MariaDb => &[Program::Mariadbd, Program::MariadbInstallDb],
            Self::Redis => &[Program::RedisServer],
        }
    }
}

/// Why a server did not start.
#[derive(Debug)]
pub enum StartError {
    /// A program is nowhere to be found.
    NotInstalled(Program),
    /// The system refused something.
    Io(io::Error),
    /// The server ended or did not get ready in time.
    NotReady {
        /// What was awaited.
        kind: Kind,
        /// Whether the process had ended.
        ended: bool,
        /// The end of its log.
        log: String,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled(program) => {
                write!(
                    out,
                    "`{}` is not installed: run `cargo xtask servers` or `cargo xtask test` once",
                    program.name()
                )
            }
            Self::Io(error) => write!(out, "a server could not be started: {error}"),
            Self::NotReady { kind, ended, log } => {
                let what = if *ended {
                    "ended"
                } else {
                    "did not get ready in time"
                };
                write!(out, "the {kind:?} server {what}; its log ends with:\n{log}")
            }
        }
    }
}

impl std::error::Error for StartError {}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A server on a free port in a temporary folder. Dropping it kills the server and removes the folder; so does the end
/// of this process, in whatever way it comes.
#[derive(Debug)]
pub struct Instance {
    kind: Kind,
    port: u16,
    // Before the folder: fields are dropped in order.
    running: Option<Running>,
    dir: TempDir,
}

impl Instance {
    /// Starts a new, empty server and waits until it takes writes. Blocks for some seconds.
    ///
    /// # Errors
    /// When a program is missing, the system refuses, or the server does not get ready.
    pub fn start(kind: Kind) -> Result<Self, StartError> {
        let mut tries = 0;
        loop {
            let dir = tempfile::Builder::new().prefix("daka-server-").tempdir()?;
            let mut server = Self {
                kind,
                port: free_port()?,
                running: None,
                dir,
            };
            tries += 1;
            match server.lay_files().and_then(|()| server.run()) {
                // Somebody else may have taken the port in between.
                Err(StartError::NotReady { ended: true, .. }) if tries < 3 => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(server),
            }
        }
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        let port = self.port;
        match self.kind {
            Kind::Mongo => format!("mongodb://127.0.0.1:{port}/?replicaSet=rs0"),
            Kind::MariaDb => format!("mysql://root@127.0.0.1:{port}"),
            Kind::Redis => format!("redis://127.0.0.1:{port}"),
        }
    }

    /// Ends the process at once (SIGKILL) and waits until it is gone. The files stay.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// Starts the server again on the same port and files; one that still runs is killed first.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn restart(&mut self) -> Result<(), StartError> {
        self.kill();
        self.run()
    }

    /// The folder with the server's files.
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// Makes what the server wants to find in its folder before its first start.
    fn lay_files(&self) -> Result<(), StartError> {
        let data = self.data();
        fs::create_dir(&data)?;
        if self.kind != Kind::MariaDb {
            return Ok(());
        }
        let mut command = self.command(Program::MariadbInstallDb)?;
        command
            .args([
                "--no-defaults",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ])
            .args(self.mariadb_user()?)
            .arg(option("--datadir=", &data));
        let mut child = command.spawn()?;
        let _watchdog = Watchdog::over(Some(&child), &[self.dir.path().to_owned()])?;
        if child.wait()?.success() {
            Ok(())
        } else {
            Err(self.not_ready(true))
        }
    }

    /// Starts the process and waits until it takes writes.
    fn run(&mut self) -> Result<(), StartError> {
        let mut command = match self.kind {
            Kind::Mongo => self.mongod()?,
            Kind::MariaDb => self.mariadbd()?,
            Kind::Redis => self.redis_server()?,
        };
        let child = command.spawn()?;
        let running = self.running.insert(Running {
            watchdog: None,
            child,
        });
        running.watchdog = Some(Watchdog::over(
            Some(&running.child),
            &[self.dir.path().to_owned()],
        )?);

        let deadline = Instant::now() + Duration::from_secs(90);
        let mut founded = false;
        loop {
            let ended = match &mut self.running {
                Some(running) => running.child.try_wait()?.is_some(),
                None => true,
            };
            if ended || Instant::now() > deadline {
                let error = self.not_ready(ended);
                self.running = None;
                return Err(error);
            }
            if self.takes_writes(&mut founded) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn takes_writes(&self, founded: &mut bool) -> bool {
        let port = self.port;
        match self.kind {
            Kind::Mongo => {
                if !*founded && mongo_wire::answers(port) {
                    *founded = mongo_wire::found_replica_set(port).is_ok();
                }
                *founded && mongo_wire::takes_writes(port).unwrap_or(false)
            }
            // The server's greeting opens with the length of the packet, its number 0, and the protocol's version 10
            // (https://mariadb.com/kb/en/connection/).
            Kind::MariaDb => exchange::<5>(port, b"").is_ok_and(|greeting| greeting[3..] == [0, 10]),
            // While it loads its file, Redis answers PING with an error.
            Kind::Redis => exchange::<5>(port, b"PING\r\n").is_ok_and(|answer| &answer == b"+PONG"),
        }
    }

    fn mongod(&self) -> Result<Command, StartError> {
        let mut command = self.command(Program::Mongod)?;
        command
            .args([
                "--bind_ip",
                "127.0.0.1",
                // A killed client leaves its transaction open until then, and others wait for it.
                "--setParameter",
                "transactionLifetimeLimitSeconds=5",
                "--replSet",
                "rs0",
                "--wiredTigerCacheSizeGB",
                "0.25",
            ])
            .args(["--oplogSize", "128", "--nounixsocket"])
            // Its own measurements every second only cost time and disk here.
            .args(["--setParameter", "diagnosticDataCollectionEnabled=false"])
            .args(["--port", &self.port.to_string()])
            .arg("--dbpath")
            .arg(self.data());
        Ok(command)
    }

    fn mariadbd(&self) -> Result<Command, StartError> {
        let mut command = self.command(Program::Mariadbd)?;
        command
            .args([
                "--no-defaults",
                "--bind-address=127.0.0.1",
                "--skip-name-resolve",
                "--max-connections=500",
            ])
            // As MySQL 8 does by itself.
            .args(["--character-set-server=utf8mb4", "--default-time-zone=+00:00"])
            .args(["--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M"])
            .args(self.mariadb_user()?)
            .arg(format!("--port={}", self.port))
            .arg(option("--datadir=", &self.data()))
            .arg(option("--socket=", &self.dir.path().join("socket")))
            .arg(option("--pid-file=", &self.dir.path().join("pid")));
        Ok(command)
    }

    fn redis_server(&self) -> Result<Command, StartError> {
        let mut command = self.command(Program::RedisServer)?;
        command
            .args(["--bind", "127.0.0.1", "--appendonly", "yes", "--save", ""])
            .args(["--port", &self.port.to_string()])
            .arg("--dir")
            .arg(self.data());
        Ok(command)
    }

    /// A command in a process group of its own that writes to the log.
    fn command(&self, program: Program) -> Result<Command, StartError> {
        let path = program.find().ok_or(StartError::NotInstalled(program))?;
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        let mut command = Command::new(path);
        command
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        Ok(command)
    }

    /// MariaDB runs as root only when it is told so by name.
    fn mariadb_user(&self) -> io::Result<Option<&'static str>> {
        Ok((fs::metadata(self.dir.path())?.uid() == 0).then_some("--user=root"))
    }

    fn not_ready(&self, ended: bool) -> StartError {
        let mut log = String::new();
        let _ = File::open(self.log()).and_then(|mut file| file.read_to_string(&mut log));
        let lines: Vec<_> = log.lines().collect();
        let log = lines[lines.len().saturating_sub(20)..].join("\n");
        StartError::NotReady {
            kind: self.kind,
            ended,
            log,
        }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }
}

#[derive(Debug)]
struct Running {
    child: Child,
    watchdog: Option<Watchdog>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Only now: had we been killed in between, the watchdog would still have ended the server.
        self.watchdog = None;
    }
}

/// A port that nobody listens on, below those that systems give to outgoing connections: a client that keeps connecting
/// to a killed server could be given the server's own port as its source, and would then talk to itself and keep the
/// port from the restarted server.
fn free_port() -> io::Result<u16> {
    const FIRST: u64 = 20_000;
    const COUNT: u64 = 12_000;
    for _ in 0..200 {
        let port = u16::try_from(FIRST + crate::random() % COUNT).unwrap_or(u16::MAX);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "no free port was found"))
}

/// Connects, sends, and reads the first bytes of the answer.
fn exchange<const LENGTH: usize>(port: u16, send: &[u8]) -> io::Result<[u8; LENGTH]> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(send)?;
    let mut answer = [0; LENGTH];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(path);
    option
}

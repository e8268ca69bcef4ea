//! Processes that are measured: started on cores of their own, ended when dropped, and what they use.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Failure, load};

/// When a start is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which cores who gets: lists as `taskset` takes them.
#[derive(Debug)]
pub(crate) struct Cores {
    pub(crate) router: String,
    pub(crate) others: String,
    /// For people.
    pub(crate) told: String,
}

impl Cores {
    /// A share of this machine's cores: one for the router where there are two or three, two where there are more. The
    /// load and the subgraphs have the others. `None` without `taskset` or with one core alone.
    pub(crate) fn share() -> Option<Self> {
        let count = std::thread::available_parallelism().ok()?.get();
        if count < 2 || which("taskset").is_none() {
            return None;
        }
        let own = if count < 4 { 1 } else { 2 };
        let list =
            |cores: std::ops::Range<usize>| cores.map(|core| core.to_string()).collect::<Vec<_>>().join(",");
        let (router, others) = (list(0..own), list(own..count));
        Some(Self {
            told: format!("the router has core {router}; load and subgraphs share {others}"),
            router,
            others,
        })
    }
}

/// A started program, ended when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: String,
}

impl Process {
    /// Starts it on some cores, and waits until it answers at that address.
    pub(crate) async fn start(command: Command, cores: Option<&str>, address: &str) -> Result<Self, Failure> {
        let mut command = pinned(command, cores);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let mut process = Self {
            child,
            address: address.to_owned(),
        };
        let since = Instant::now();
        let probe = r#"{"query":"{ __typename }"}"#;
        while load::ask(address, probe).await.is_err() {
            if since.elapsed() > PATIENCE || process.child.try_wait()?.is_some() {
                return Err(format!("{command:?} does not answer").into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(process)
    }

    /// Seconds of all cores that it has used so far: user and system time (proc(5), `/proc/PID/stat`), in hundredths.
    pub(crate) fn cpu_seconds(&self) -> Result<f64, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The second field is the program's name in parentheses, which may hold spaces.
        let rest = stat.rsplit_once(") ").ok_or("a strange /proc/PID/stat")?.1;
        let ticks = rest.split(' ').skip(11).take(2).map(str::parse::<f64>);
        Ok(ticks.sum::<Result<f64, _>>()? / 100.0)
    }

    /// The most memory that it ever had resident (`VmHWM`), in units of 1024 × 1024 bytes.
    pub(crate) fn peak_megabytes(&self) -> Result<f64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .ok_or("no VmHWM")?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse::<f64>()? / 1024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The same command on some cores alone.
pub(crate) fn pinned(command: Command, cores: Option<&str>) -> Command {
    let Some(cores) = cores else { return command };
    let mut pinned = Command::new("taskset");
    pinned
        .args(["--cpu-list", cores])
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => pinned.env(name, value),
            None => pinned.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        pinned.current_dir(folder);
    }
    pinned
}

/// This program in another role.
pub(crate) fn this(role: &str) -> Result<Command, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(role);
    Ok(command)
}

/// An address of this machine that nobody listens on.
pub(crate) fn free_address() -> Result<String, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .to_string())
}

/// Where a program lies on `PATH`.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| Path::is_file(file))
}

//! The program itself: its memory, and how soon it is ready.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::figures::{Figure, Limit};

/// Starts of the program.
const STARTS: usize = 5;
/// How long the program idles before its memory is read.
const IDLE: Duration = Duration::from_secs(5);
/// When a start is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A started program, ended when dropped.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Fills a store, starts the program on it some times, and reads how soon it is ready and what it holds in memory.
pub(crate) async fn measure() -> Result<Vec<Figure>, Failure> {
    let program = program()?;
    let data = testkit::data_dir();
    let filled = daka(&program, data.path())
        .args(["demo", "--users", "100", "--days", "180"])
        .stdout(Stdio::null())
        .status()?;
    if !filled.success() {
        return Err("daka demo failed".into());
    }
    let client = reqwest::Client::builder().no_proxy().build()?;
    let (mut ready, mut resident) = (Vec::new(), Vec::new());
    // The first start makes what every later one finds, such as the key that signs tokens.
    for start in 0..=STARTS {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let begun = Instant::now();
        let address = format!("127.0.0.1:{port}");
        let child = daka(&program, data.path())
            .args(["--listen", &address])
            .stdout(Stdio::null())
            .spawn()?;
        let started = Started(child);
        let url = format!("http://{address}/health/ready");
        while !client
            .get(&url)
            .send()
            .await
            .is_ok_and(|answer| answer.status().is_success())
        {
            if begun.elapsed() > PATIENCE {
                return Err("daka does not become ready".into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        if start > 0 {
            ready.push(begun.elapsed().as_secs_f64());
            tokio::time::sleep(IDLE).await;
            resident.push(resident_megabytes(started.0.id())?);
        }
    }
    Ok(vec![
        Figure::new("idle memory, resident", " MB", resident, Limit::AtMost(60.0)),
        Figure::new(
            "ready after its start on an existing store",
            " s",
            ready,
            Limit::AtMost(1.0),
        ),
    ])
}

/// The program, which lies beside this one.
fn program() -> Result<PathBuf, Failure> {
    let program = std::env::current_exe()?.with_file_name("daka");
    if !program.is_file() {
        return Err(format!("{} is not there: build it first", program.display()).into());
    }
    Ok(program)
}

/// The program with its defaults, whatever this process's surroundings say.
fn daka(program: &Path, data: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DAKA_")) {
        command.env_remove(name);
    }
    command.current_dir(data).arg("--data").arg(data);
    command
}

/// `VmRSS` of a process (proc(5)), in units of 1024 × 1024 bytes.
fn resident_megabytes(process: u32) -> Result<f64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .ok_or("no VmRSS")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kilobytes / 1024.0)
}

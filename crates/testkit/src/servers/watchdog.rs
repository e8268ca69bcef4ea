//! Ends child processes when this process ends in a way that runs no destructor.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Kills a process group, and removes paths, when the process that holds this value is gone. Dropping the value calls
/// the watch off.
///
/// It is a shell that reads from a pipe which only this process holds: however this process ends, SIGKILL included, the
/// pipe ends with it. (The parent-death signal of Linux would not do: it is sent when the *thread* ends that started the
/// child, and test threads end early; see `PR_SET_PDEATHSIG` in prctl(2).)
#[derive(Debug)]
pub struct Watchdog {
    shell: Child,
}

/// `$1` is the process group or empty, the rest are the paths. The second `rm` is for files made while the first one ran.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
while read -r line; do :; done
[ -z "$1" ] || kill -9 "-$1" 2>/dev/null
shift
[ $# -eq 0 ] || rm -rf -- "$@" 2>/dev/null || { sleep 1; rm -rf -- "$@"; }
"#;

impl Watchdog {
    /// Watches over `leader`, a child that was started as the leader of a process group of its own
    /// (`CommandExt::process_group(0)`), if there is one, and over `paths`, files or folders that must not stay behind.
    ///
    /// # Errors
    /// When `sh` cannot be started.
    pub fn over(leader: Option<&Child>, paths: &[PathBuf]) -> io::Result<Self> {
        let shell = Command::new("sh")
            .args(["-c", SCRIPT, "daka-watchdog"])
            .arg(leader.map(|leader| leader.id().to_string()).unwrap_or_default())
            .args(paths)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Not in our group: what ends us by a signal to the group must not end the watchdog.
            .process_group(0)
            .spawn()?;
        Ok(Self { shell })
    }

    /// Does to the pipe what the end of this process does to it.
    #[cfg(test)]
    pub(crate) fn release_pipe(&mut self) {
        self.shell.stdin = None;
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // The pipe is still open here, so the shell dies before it can read the end of it.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

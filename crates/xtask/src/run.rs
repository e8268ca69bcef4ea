//! Running other programs so that none outlives this one.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use testkit::servers::Watchdog;

use crate::Outcome;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_owned()
}

/// A cargo command at the root of the workspace, by the cargo that runs us.
pub(crate) fn cargo(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    command
}

/// Runs a command to its end. It, and all that it started, ends with us.
pub(crate) fn run(command: &mut Command) -> Outcome {
    announce(command);
    let (mut child, _watchdog) = spawn(command)?;
    finished(command, &mut child)
}

/// As [`run`], and hands each line of its standard output to `each` after showing it.
pub(crate) fn run_reading(command: &mut Command, mut each: impl FnMut(&str)) -> Outcome {
    announce(command);
    let (mut child, _watchdog) = spawn(command.stdout(Stdio::piped()))?;
    let mut shown = std::io::stdout().lock();
    if let Some(output) = child.stdout.take() {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output
            .read_until(b'\n', &mut line)
            .map_err(|error| error.to_string())?
            > 0
        {
            // Whoever reads our output may be gone; the run goes on for its exit code.
            let _ = shown.write_all(&line).and_then(|()| shown.flush());
            each(String::from_utf8_lossy(&line).trim_end());
            line.clear();
        }
    }
    finished(command, &mut child)
}

/// Whether a command runs and succeeds; it is not shown.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The command as one would type it.
pub(crate) fn text(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

pub(crate) fn announce(command: &Command) {
    println!("\n$ {}", text(command));
}

fn spawn(command: &mut Command) -> Outcome<(Child, Watchdog)> {
    let child = command.stdin(Stdio::null()).process_group(0).spawn();
    let child = child.map_err(|error| format!("`{}` could not be started: {error}", text(command)))?;
    let watchdog =
        Watchdog::over(Some(&child), &[]).map_err(|error| format!("sh could not be started: {error}"))?;
    Ok((child, watchdog))
}

fn finished(command: &Command, child: &mut Child) -> Outcome {
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{}` failed ({status})", text(command)))
    }
}

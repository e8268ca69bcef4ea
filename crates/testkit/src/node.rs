//! Scripts for Node.js with which tests ask what others' tools say.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Sees to it that a folder with a `package-lock.json` has its packages, of which `package` is one. What packages would
/// run while they are installed is left out.
///
/// # Panics
/// When npm is not on the `PATH` or does not install them.
pub fn install(folder: &Path, package: &str) {
    // Several tests of one program may need the same folder.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let installed = || {
        let manifest = Path::new("node_modules").join(package).join("package.json");
        folder.join(manifest).exists()
    };
    if installed() {
        return;
    }
    let status = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .status()
        .expect("npm is on the PATH, with node 20 or newer");
    assert!(
        status.success() && installed(),
        "npm ci failed in {}",
        folder.display()
    );
}

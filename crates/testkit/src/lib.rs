//! What tests share: real servers, others' tools, private folders and names that do not collide. For development only: nothing that
//! ships depends on it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

pub mod node;
pub mod servers;

/// A name that no other call of this or of any other process gets: a database, a key prefix, a stream on a shared
/// server. It is `prefix`, an underscore, and lower-case hexadecimal digits; at most 26 characters longer than `prefix`.
pub fn unique_name(prefix: &str) -> String {
    // The process id alone comes round again while a shared server lives for days; std seeds its hashers by the OS.
    static PROCESS: OnceLock<u64> = OnceLock::new();
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let process = PROCESS.get_or_init(random);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}_{process:016x}{call:x}")
}

/// A fresh empty folder, removed with all that is in it when the value is dropped.
///
/// # Panics
/// When the temporary folder of the system cannot be written.
pub fn data_dir() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("daka-test-")
        .tempdir()
        .expect("the temporary folder can be written")
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_never_repeat() {
        let names: HashSet<_> = (0..1000).map(|_| unique_name("habits")).collect();
        assert_eq!(names.len(), 1000);
        assert!(
            names
                .iter()
                .all(|name| name.starts_with("habits_") && name.len() <= "habits".len() + 26)
        );
    }

    #[test]
    fn a_data_dir_goes_with_its_value() {
        let dir = data_dir();
        let path = dir.path().to_owned();
        assert!(path.is_dir());
        drop(dir);
        assert!(!path.exists());
    }
}

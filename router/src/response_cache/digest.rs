//! How entries are named: by a digest of everything that the answer depends on.

use sha2::{Digest as _, Sha512};

/// Takes in everything that an answer depends on, part by part.
#[derive(Clone, Default)]
pub(crate) struct Digest(Sha512);

/// 512 bits: one half names the entry, the other is kept in it and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    half: [u8; 32],
    other: [u8; 32],
}

impl Digest {
    /// Takes in one part. Parts cannot be mistaken for others of the same bytes that are divided elsewhere.
    pub(crate) fn add(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    /// The same with another part.
    pub(crate) fn with(&self, part: &[u8]) -> Self {
        let mut digest = self.clone();
        digest.add(part);
        digest
    }

    /// What came out.
    pub(crate) fn name(self) -> Name {
        let (mut half, mut other) = ([0; 32], [0; 32]);
        let all = self.0.finalize();
        for (to, from) in half.iter_mut().chain(&mut other).zip(all) {
            *to = from;
        }
        Name { half, other }
    }
}

impl Name {
    /// The key of an entry.
    pub(crate) fn entry(&self) -> String {
        format!("response:{}", hex::encode(self.half))
    }

    /// What is kept in the entry.
    pub(crate) fn check(&self) -> String {
        hex::encode(self.other)
    }

    /// The key of a tag.
    pub(crate) fn tag(&self) -> String {
        format!("response-tag:{}", hex::encode(self.half))
    }
}

//! Objects of an answer that have been read, to be found again by their text.

use crate::execution::tree::ObjectId;

/// Shorter texts are read as they are.
const WORTH_SHARING: usize = 512;

/// So many bytes of an object's text decide where it is remembered.
const WINDOW: usize = 32;

/// How many objects are remembered at a time, as a power of two.
const REMEMBERED: u32 = 7;

/// Objects that were read, by how their text begins: a later one takes the place of an earlier one.
pub(super) struct Known(Vec<Option<Read>>);

/// An object that was read.
#[derive(Clone, Copy)]
pub(super) struct Read {
    pub(super) set: u32,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) object: ObjectId,
}

impl Known {
    /// Remembers nothing of answers that may not, or are not worth it.
    pub(super) fn new(share: bool, text: usize) -> Self {
        let length = if share && text > WORTH_SHARING {
            1 << REMEMBERED
        } else {
            0
        };
        Self(vec![None; length])
    }

    /// Where an object of that shape is remembered whose text begins there.
    pub(super) fn place(&mut self, text: &[u8], at: usize, set: u32) -> Option<&mut Option<Read>> {
        if self.0.is_empty() {
            return None;
        }
        let window = text.get(at..at + WINDOW)?;
        let mut hash = u64::from(set);
        for word in window.as_chunks::<8>().0 {
            // Fibonacci hashing; whoever makes texts collide only makes them be read.
            hash = (hash.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
        self.0.get_mut((hash >> (64 - REMEMBERED)) as usize)
    }
}

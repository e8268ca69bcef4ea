//! Values with a time to live, counters, leaderboards and token buckets, in Redis or in the memory of the
//! process.
//!
//! # When Redis does not answer
//! No call waits longer than about a quarter of a second for it, and after the first failure calls do not wait
//! at all: one call every half second tries it again. Until it answers:
//!
//! * what is only a cache **degrades**: [`Cache::get`], [`Cache::set`], [`Cache::delete`],
//!   [`Cache::get_or_load`] and [`Cache::try_spend`] work on a memory of this process, and keys that were written
//!   or deleted in the meantime are deleted from Redis when it is back, so that no outdated value returns;
//! * what would be wrong if two processes answered it separately **refuses** with [`Error::Unavailable`]:
//!   [`Cache::set_if_absent`], [`Cache::take`], [`Cache::increment`], all of [`SortedSet`], the strict twins
//!   [`Cache::get_strict`], [`Cache::set_strict`] and [`Cache::delete_strict`], and what works on many values at once.
//!
//! A refused call that changes something may have been carried out all the same (its answer was lost).

mod bucket;
mod cache;
mod circuit;
mod config;
mod error;
mod flight;
mod memory;
mod remote;
mod sorted_set;

pub use bucket::{Bucket, Spend};
pub use cache::{Cache, Health};
pub use config::CacheConfig;
pub use error::{Error, Result};
pub use sorted_set::SortedSet;

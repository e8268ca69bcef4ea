//! The use cases of this domain, one file each.

pub mod calendar;
pub mod create_check_in;
pub mod delete_check_in;
pub mod judge;
pub mod list_check_ins;
pub mod mark_days;
pub mod preview;
pub mod refresh;
pub mod statistics;
pub mod update_check_in;

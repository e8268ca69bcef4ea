//! The use cases of this domain, one file each.

pub mod archive_habit;
pub mod create_habit;
pub mod delete_habit;
pub mod judge;
pub mod links;
pub mod list_habits;
pub mod reorder_habits;
pub mod update_habit;

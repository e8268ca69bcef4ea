//! The use cases of this domain, one file each.

pub mod log_in;
pub mod log_out;
pub mod pause_habits;
pub mod refresh;
pub mod staff;
pub mod update_preferences;
pub mod update_profile;

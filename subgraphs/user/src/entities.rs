//! The tables of this domain.

pub mod badge;
pub mod membership;
pub mod role_permission;
pub mod user_role;

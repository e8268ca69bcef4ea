//! The use cases of this domain, one file each.

pub mod comment;
pub mod create_post;
pub mod delete_post;
pub mod like_post;
pub mod list_posts;
pub mod relate;
pub mod see;

//! The use cases of this domain, one file each.

pub mod delete_notification;
pub mod follow_inbox;
pub mod list_notifications;
pub mod mark_read;
pub mod tell;
pub mod tell_likes;

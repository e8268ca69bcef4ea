//! The contract of WeChat's server API, point by point: client against sandbox, over a socket and in process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "contract/login.rs"]
mod login;
#[path = "contract/messages.rs"]
mod messages;
#[path = "contract/moderation.rs"]
mod moderation;
#[path = "contract/tokens.rs"]
mod tokens;
#[path = "contract/trouble.rs"]
mod trouble;
#[path = "contract/world.rs"]
mod world;

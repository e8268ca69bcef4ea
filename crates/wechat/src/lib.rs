//! WeChat's server API: a client, the receiver of its pushes, and a sandbox that behaves like it.
//!
//! The client speaks to `api.weixin.qq.com` or to a sandbox, over HTTP or, for a program that carries its own
//! sandbox, by calling it directly. Codes, limits and names are those of WeChat's server API documentation,
//! <https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/>.

mod client;
mod config;
mod error;
pub mod fields;
mod login;
mod message;
pub mod push;
pub mod sandbox;
mod security;
mod token;
mod transport;

pub use client::Wechat;
pub use config::{Mode, WechatConfig};
pub use error::WechatError;
pub use login::{PhoneNumber, WechatSession};
pub use message::{MessageLanguage, MiniprogramState, SubscribeMessage};
pub use sandbox::{Sandbox, SandboxConfig};
pub use security::{Label, MediaCheck, MediaType, Scene, Suggestion, TextCheck, Verdict, VerdictDetail};

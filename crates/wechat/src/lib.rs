//! wechat.

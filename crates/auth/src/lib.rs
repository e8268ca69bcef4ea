//! Who is it, and may they: signed access tokens, log-in sessions with rotating refresh tokens, the sealed
//! principal that travels between processes, tokens of other issuers, and the names of roles and permissions. Knows no
//! transport, but where keys are published.

mod access;
mod config;
mod jwt;
mod key_set;
mod keys;
pub mod permissions;
mod published;
mod service;
mod sessions;
mod tokens;

pub use access::{Claims, Issuer, TokenError, Verifier};
pub use config::{AuthConfig, KeySource};
pub use keys::{KeyError, Keys};
pub use published::{KeyLocation, PublishedKeys};
pub use service::{PRINCIPAL_HEADER, ServiceToken};
pub use sessions::{COLLECTIONS, Device, RefreshToken, RevokedBy, RotateError, Session, Sessions};
pub use tokens::{IssuerConfig, JwtConfig, JwtConfigError, Tokens};

//! Who is it, and may they: signed access tokens, log-in sessions with rotating refresh tokens, the sealed
//! principal that travels between processes, and the names of roles and permissions. Knows no transport.

mod access;
mod config;
mod jwt;
mod keys;
pub mod permissions;
mod service;
mod sessions;

pub use access::{Claims, Issuer, TokenError, Verifier};
pub use config::{AuthConfig, KeySource};
pub use keys::{KeyError, Keys};
pub use service::{PRINCIPAL_HEADER, ServiceToken};
pub use sessions::{COLLECTIONS, Device, RefreshToken, RevokedBy, RotateError, Session, Sessions};

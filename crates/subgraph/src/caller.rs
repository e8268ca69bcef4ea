//! Who asks, as resolvers see it.

use std::sync::Arc;

use async_graphql::Context;
use kernel::{Principal, Refusal, UserId};

/// What a subgraph asks of the principal that the router (or the embedded platform) put into the request.
pub trait Caller {
    /// The principal; nobody where none was handed over.
    fn caller(&self) -> Arc<Principal>;
}

impl Caller for Context<'_> {
    fn caller(&self) -> Arc<Principal> {
        self.data_opt::<Arc<Principal>>()
            .cloned()
            .unwrap_or_else(|| Arc::new(Principal::anonymous()))
    }
}

/// The person who asks.
///
/// # Errors
/// `UNAUTHENTICATED` where it is nobody, `FORBIDDEN` where it is a service that acts for no person.
pub fn person(principal: &Principal) -> Result<UserId, Refusal> {
    match principal.user_id() {
        Some(id) => Ok(id),
        None if principal.is_service() => Err(Refusal::forbidden()),
        None => Err(Refusal::unauthenticated()),
    }
}

/// Demands a staff permission.
///
/// # Errors
/// `UNAUTHENTICATED` where it is nobody, `FORBIDDEN` where it is somebody without the permission.
pub fn permitted(principal: &Principal, permission: &str) -> Result<(), Refusal> {
    if principal.may(permission) {
        return Ok(());
    }
    person(principal)?;
    Err(Refusal::forbidden())
}

/// Demands that the principal is a part of the platform: for fields that other subgraphs read.
///
/// # Errors
/// `FORBIDDEN`.
pub fn service_only(principal: &Principal) -> Result<(), Refusal> {
    if principal.is_service() {
        Ok(())
    } else {
        Err(Refusal::forbidden())
    }
}

//! The federation directives that async-graphql does not write itself. They say in the schema what the router
//! enforces and counts; [`crate::sdl`] imports them from the federation specification.

use async_graphql::TypeDirective;

/// Only for somebody who is logged in.
#[TypeDirective(location = "FieldDefinition", location = "Object")]
pub fn authenticated() {}

/// Only for a principal that satisfies one of the lists of policies: here names of staff permissions.
#[TypeDirective(location = "FieldDefinition", location = "Object")]
pub fn policy(policies: Vec<Vec<String>>) {}

/// How long the list is: as long as one of the arguments says, or as assumed.
#[TypeDirective(name = "listSize", location = "FieldDefinition")]
pub fn list_size(assumed_size: i32) {}

/// How long a connection's list is: as one of the arguments says.
#[TypeDirective(name = "listSize", location = "FieldDefinition")]
pub fn page_size(
    assumed_size: i32,
    slicing_arguments: Vec<String>,
    sized_fields: Vec<String>,
    require_one_slicing_argument: bool,
) {
}

/// Seconds for which routers keep what only its owner changes, and of which every change is an event: beyond that even an
/// event that is lost does no harm.
pub const KEPT_S: i32 = 300;

/// Seconds for which routers keep what only a release changes.
pub const RELEASED_S: i32 = 3600;

/// For whom routers keep something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
pub enum CacheControlScope {
    /// For everybody.
    Public,
}

/// For how many seconds routers keep it for the caller at most, where they keep answers: 0 for what changes as time goes by.
/// What is not said to be for everybody is for the caller, since subgraphs know who asks.
#[TypeDirective(name = "cacheControl", location = "FieldDefinition", location = "Object")]
pub fn kept(max_age: i32) {}

/// The same for everybody.
#[TypeDirective(name = "cacheControl", location = "FieldDefinition", location = "Object")]
pub fn kept_for_all(max_age: i32, scope: CacheControlScope) {}

/// Routers keep it as long as what it is a part of.
#[TypeDirective(name = "cacheControl", location = "FieldDefinition", location = "Object")]
pub fn kept_as_parent(inherit_max_age: bool) {}

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

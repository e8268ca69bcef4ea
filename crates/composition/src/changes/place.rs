//! Places in a schema, as the GraphQL specification's schema coordinates name them.

use std::fmt;

use apollo_compiler::Name;

/// A place, and how it is written: <https://spec.graphql.org/draft/#sec-Schema-Coordinates>.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// `Type`
    Type(Name),
    /// `Type.field`, `Input.field`, `Enum.VALUE`
    Member(Name, Name),
    /// `Type.field(arg:)`
    Argument(Name, Name, Name),
    /// `@directive`
    Directive(Name),
    /// `@directive(arg:)`
    DirectiveArgument(Name, Name),
}

impl Place {
    /// The type or directive that it is in.
    pub(super) const fn owner(&self) -> &Name {
        match self {
            Self::Type(owner)
            | Self::Member(owner, _)
            | Self::Argument(owner, ..)
            | Self::Directive(owner)
            | Self::DirectiveArgument(owner, _) => owner,
        }
    }

    /// What it is an argument of; otherwise itself.
    pub(super) fn without_argument(&self) -> Self {
        match self {
            Self::Argument(owner, field, _) => Self::Member(owner.clone(), field.clone()),
            Self::DirectiveArgument(directive, _) => Self::Directive(directive.clone()),
            other => other.clone(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(name) => write!(f, "{name}"),
            Self::Member(owner, member) => write!(f, "{owner}.{member}"),
            Self::Argument(owner, field, argument) => write!(f, "{owner}.{field}({argument}:)"),
            Self::Directive(name) => write!(f, "@{name}"),
            Self::DirectiveArgument(directive, argument) => write!(f, "@{directive}({argument}:)"),
        }
    }
}

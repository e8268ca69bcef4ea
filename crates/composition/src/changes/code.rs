//! The codes of changes, and how bad each is.

use std::fmt;

/// What a change means for clients. The worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Operations that worked may be refused, or be answered in a way their clients cannot read.
    Breaking,
    /// Operations still work, but their clients may meet what they do not expect.
    Dangerous,
    /// No client can notice.
    Safe,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Breaking => "BREAKING",
            Self::Dangerous => "DANGEROUS",
            Self::Safe => "SAFE",
        })
    }
}

macro_rules! codes {
    ($($level:ident { $($variant:ident => $text:literal,)* })*) => {
        /// What changed. Codes that graphql-js has (`findBreakingChanges`, `findDangerousChanges`) mean the same.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ChangeCode {
            $($(#[doc = concat!("`", $text, "`")] $variant,)*)*
        }

        impl ChangeCode {
            /// The code as text, for example `FIELD_REMOVED`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($(Self::$variant => $text,)*)* }
            }

            /// How bad such a change is.
            #[must_use]
            pub const fn level(self) -> Level {
                match self { $($(Self::$variant => Level::$level,)*)* }
            }
        }
    };
}

codes! {
    Breaking {
        ArgBecameRequired => "ARG_BECAME_REQUIRED",
        ArgChangedKind => "ARG_CHANGED_KIND",
        ArgRemoved => "ARG_REMOVED",
        DirectiveArgBecameRequired => "DIRECTIVE_ARG_BECAME_REQUIRED",
        DirectiveArgChangedKind => "DIRECTIVE_ARG_CHANGED_KIND",
        DirectiveArgRemoved => "DIRECTIVE_ARG_REMOVED",
        DirectiveLocationRemoved => "DIRECTIVE_LOCATION_REMOVED",
        DirectiveRemoved => "DIRECTIVE_REMOVED",
        DirectiveRepeatableRemoved => "DIRECTIVE_REPEATABLE_REMOVED",
        FieldChangedKind => "FIELD_CHANGED_KIND",
        FieldRemoved => "FIELD_REMOVED",
        ImplementedInterfaceRemoved => "IMPLEMENTED_INTERFACE_REMOVED",
        InputBecameOneOf => "INPUT_BECAME_ONE_OF",
        InputFieldBecameRequired => "INPUT_FIELD_BECAME_REQUIRED",
        RequiredArgAdded => "REQUIRED_ARG_ADDED",
        RequiredDirectiveArgAdded => "REQUIRED_DIRECTIVE_ARG_ADDED",
        RequiredInputFieldAdded => "REQUIRED_INPUT_FIELD_ADDED",
        RootTypeChanged => "ROOT_TYPE_CHANGED",
        RootTypeRemoved => "ROOT_TYPE_REMOVED",
        TypeChangedKind => "TYPE_CHANGED_KIND",
        TypeRemoved => "TYPE_REMOVED",
        TypeRemovedFromUnion => "TYPE_REMOVED_FROM_UNION",
        ValueRemovedFromEnum => "VALUE_REMOVED_FROM_ENUM",
    }
    Dangerous {
        ArgDefaultValueChange => "ARG_DEFAULT_VALUE_CHANGE",
        DirectiveArgDefaultValueChange => "DIRECTIVE_ARG_DEFAULT_VALUE_CHANGE",
        ImplementedInterfaceAdded => "IMPLEMENTED_INTERFACE_ADDED",
        InputFieldDefaultValueChange => "INPUT_FIELD_DEFAULT_VALUE_CHANGE",
        OptionalArgAdded => "OPTIONAL_ARG_ADDED",
        OptionalInputFieldAdded => "OPTIONAL_INPUT_FIELD_ADDED",
        TypeAddedToUnion => "TYPE_ADDED_TO_UNION",
        ValueAddedToEnum => "VALUE_ADDED_TO_ENUM",
    }
    Safe {
        ArgDefaultValueAdded => "ARG_DEFAULT_VALUE_ADDED",
        ArgTypeWidened => "ARG_TYPE_WIDENED",
        ArgDeprecated => "ARG_DEPRECATED",
        DeprecationReasonChanged => "DEPRECATION_REASON_CHANGED",
        DescriptionChanged => "DESCRIPTION_CHANGED",
        DirectiveAdded => "DIRECTIVE_ADDED",
        DirectiveArgDefaultValueAdded => "DIRECTIVE_ARG_DEFAULT_VALUE_ADDED",
        DirectiveArgTypeWidened => "DIRECTIVE_ARG_TYPE_WIDENED",
        DirectiveLocationAdded => "DIRECTIVE_LOCATION_ADDED",
        DirectiveRepeatableAdded => "DIRECTIVE_REPEATABLE_ADDED",
        FieldAdded => "FIELD_ADDED",
        FieldDeprecated => "FIELD_DEPRECATED",
        FieldTypeNarrowed => "FIELD_TYPE_NARROWED",
        FieldUndeprecated => "FIELD_UNDEPRECATED",
        InputCeasedOneOf => "INPUT_CEASED_ONE_OF",
        InputFieldDefaultValueAdded => "INPUT_FIELD_DEFAULT_VALUE_ADDED",
        InputFieldTypeWidened => "INPUT_FIELD_TYPE_WIDENED",
        OptionalDirectiveArgAdded => "OPTIONAL_DIRECTIVE_ARG_ADDED",
        RootTypeAdded => "ROOT_TYPE_ADDED",
        TypeAdded => "TYPE_ADDED",
        ArgUndeprecated => "ARG_UNDEPRECATED",
        ValueDeprecated => "VALUE_DEPRECATED",
        ValueUndeprecated => "VALUE_UNDEPRECATED",
    }
}

impl fmt::Display for ChangeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

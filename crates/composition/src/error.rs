//! What composition reports: errors with the published Federation codes, and hints.

use std::fmt;

macro_rules! codes {
    ($($variant:ident => $text:literal,)*) => {
        /// A published Federation error code
        /// (<https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/errors>).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ErrorCode {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
        }

        impl ErrorCode {
            /// The code as it is published, for example `INVALID_FIELD_SHARING`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

codes! {
    AuthRequirementsAppliedOnInterface => "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE",
    CostAppliedToInterfaceField => "COST_APPLIED_TO_INTERFACE_FIELD",
    DefaultValueUsesInaccessible => "DEFAULT_VALUE_USES_INACCESSIBLE",
    DirectiveCompositionError => "DIRECTIVE_COMPOSITION_ERROR",
    DirectiveDefinitionInvalid => "DIRECTIVE_DEFINITION_INVALID",
    DisallowedInaccessible => "DISALLOWED_INACCESSIBLE",
    EmptyMergedEnumType => "EMPTY_MERGED_ENUM_TYPE",
    EmptyMergedInputType => "EMPTY_MERGED_INPUT_TYPE",
    EnumValueMismatch => "ENUM_VALUE_MISMATCH",
    ExtensionWithNoBase => "EXTENSION_WITH_NO_BASE",
    ExternalArgumentDefaultMismatch => "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH",
    ExternalArgumentMissing => "EXTERNAL_ARGUMENT_MISSING",
    ExternalArgumentTypeMismatch => "EXTERNAL_ARGUMENT_TYPE_MISMATCH",
    ExternalMissingOnBase => "EXTERNAL_MISSING_ON_BASE",
    ExternalOnInterface => "EXTERNAL_ON_INTERFACE",
    ExternalTypeMismatch => "EXTERNAL_TYPE_MISMATCH",
    ExternalUnused => "EXTERNAL_UNUSED",
    FieldArgumentDefaultMismatch => "FIELD_ARGUMENT_DEFAULT_MISMATCH",
    FieldArgumentTypeMismatch => "FIELD_ARGUMENT_TYPE_MISMATCH",
    FieldTypeMismatch => "FIELD_TYPE_MISMATCH",
    ImplementedByInaccessible => "IMPLEMENTED_BY_INACCESSIBLE",
    InputFieldDefaultMismatch => "INPUT_FIELD_DEFAULT_MISMATCH",
    InterfaceFieldNoImplem => "INTERFACE_FIELD_NO_IMPLEM",
    InterfaceKeyMissingImplementationType => "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
    InterfaceKeyNotOnImplementation => "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
    InterfaceObjectUsageError => "INTERFACE_OBJECT_USAGE_ERROR",
    InvalidFieldSharing => "INVALID_FIELD_SHARING",
    InvalidGraphql => "INVALID_GRAPHQL",
    InvalidLinkDirectiveUsage => "INVALID_LINK_DIRECTIVE_USAGE",
    InvalidLinkIdentifier => "INVALID_LINK_IDENTIFIER",
    InvalidShareableUsage => "INVALID_SHAREABLE_USAGE",
    InvalidSubgraphName => "INVALID_SUBGRAPH_NAME",
    KeyDirectiveInFieldsArg => "KEY_DIRECTIVE_IN_FIELDS_ARG",
    KeyFieldsHasArgs => "KEY_FIELDS_HAS_ARGS",
    KeyFieldsSelectInvalidType => "KEY_FIELDS_SELECT_INVALID_TYPE",
    KeyInvalidFields => "KEY_INVALID_FIELDS",
    KeyInvalidFieldsType => "KEY_INVALID_FIELDS_TYPE",
    KeyUnsupportedOnInterface => "KEY_UNSUPPORTED_ON_INTERFACE",
    LinkImportNameMismatch => "LINK_IMPORT_NAME_MISMATCH",
    ListSizeAppliedToNonList => "LIST_SIZE_APPLIED_TO_NON_LIST",
    ListSizeInvalidAssumedSize => "LIST_SIZE_INVALID_ASSUMED_SIZE",
    ListSizeInvalidSizedField => "LIST_SIZE_INVALID_SIZED_FIELD",
    ListSizeInvalidSlicingArgument => "LIST_SIZE_INVALID_SLICING_ARGUMENT",
    MergedDirectiveApplicationOnExternal => "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL",
    MissingTransitiveAuthRequirements => "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
    NoQueries => "NO_QUERIES",
    OnlyInaccessibleChildren => "ONLY_INACCESSIBLE_CHILDREN",
    OverrideCollisionWithAnotherDirective => "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
    OverrideFromSelfError => "OVERRIDE_FROM_SELF_ERROR",
    OverrideLabelInvalid => "OVERRIDE_LABEL_INVALID",
    OverrideOnInterface => "OVERRIDE_ON_INTERFACE",
    OverrideSourceHasOverride => "OVERRIDE_SOURCE_HAS_OVERRIDE",
    ProvidesDirectiveInFieldsArg => "PROVIDES_DIRECTIVE_IN_FIELDS_ARG",
    ProvidesFieldsHasArgs => "PROVIDES_FIELDS_HAS_ARGS",
    ProvidesFieldsMissingExternal => "PROVIDES_FIELDS_MISSING_EXTERNAL",
    ProvidesInvalidFields => "PROVIDES_INVALID_FIELDS",
    ProvidesInvalidFieldsType => "PROVIDES_INVALID_FIELDS_TYPE",
    ProvidesOnNonObjectField => "PROVIDES_ON_NON_OBJECT_FIELD",
    ProvidesUnsupportedOnInterface => "PROVIDES_UNSUPPORTED_ON_INTERFACE",
    QueryRootTypeInaccessible => "QUERY_ROOT_TYPE_INACCESSIBLE",
    ReferencedInaccessible => "REFERENCED_INACCESSIBLE",
    RequiredArgumentMissingInSomeSubgraph => "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
    RequiredInaccessible => "REQUIRED_INACCESSIBLE",
    RequiredInputFieldMissingInSomeSubgraph => "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
    RequiresDirectiveInFieldsArg => "REQUIRES_DIRECTIVE_IN_FIELDS_ARG",
    RequiresFieldsMissingExternal => "REQUIRES_FIELDS_MISSING_EXTERNAL",
    RequiresInvalidFields => "REQUIRES_INVALID_FIELDS",
    RequiresInvalidFieldsType => "REQUIRES_INVALID_FIELDS_TYPE",
    RequiresUnsupportedOnInterface => "REQUIRES_UNSUPPORTED_ON_INTERFACE",
    RootMutationUsed => "ROOT_MUTATION_USED",
    RootQueryUsed => "ROOT_QUERY_USED",
    RootSubscriptionUsed => "ROOT_SUBSCRIPTION_USED",
    SatisfiabilityError => "SATISFIABILITY_ERROR",
    ShareableHasMismatchedRuntimeTypes => "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES",
    TypeDefinitionInvalid => "TYPE_DEFINITION_INVALID",
    TypeKindMismatch => "TYPE_KIND_MISMATCH",
    UnknownFederationLinkVersion => "UNKNOWN_FEDERATION_LINK_VERSION",
    UnknownLinkVersion => "UNKNOWN_LINK_VERSION",
    UnsupportedFeature => "UNSUPPORTED_FEATURE",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a set of subgraphs does not compose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompositionError {
    /// The published code.
    pub code: ErrorCode,
    /// A sentence for a person.
    pub message: String,
    /// The subgraph at fault, where it is one.
    pub subgraph: Option<String>,
    /// The line in that subgraph's SDL, counted from 1.
    pub line: Option<u32>,
}

impl fmt::Display for CompositionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        match (&self.subgraph, self.line) {
            (Some(subgraph), Some(line)) => write!(f, " [{subgraph}:{line}]")?,
            (Some(subgraph), None) => write!(f, " [{subgraph}]")?,
            _ => {}
        }
        write!(f, " {}", self.message)
    }
}

impl std::error::Error for CompositionError {}

/// Something that composes, but may not be what its authors meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// A published Federation hint code, for example `INCONSISTENT_DESCRIPTION`.
    pub code: &'static str,
    /// A sentence for a person.
    pub message: String,
    /// The subgraph it is about, where it is one.
    pub subgraph: Option<String>,
    /// The line in that subgraph's SDL, counted from 1.
    pub line: Option<u32>,
}

/// Collects what one run of composition has to say.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) errors: Vec<CompositionError>,
    pub(crate) hints: Vec<Hint>,
}

impl Report {
    /// An error of one subgraph.
    pub(crate) fn at(
        &mut self,
        code: ErrorCode,
        subgraph: &str,
        line: Option<u32>,
        message: impl Into<String>,
    ) {
        self.errors.push(CompositionError {
            code,
            message: message.into(),
            subgraph: Some(subgraph.to_owned()),
            line,
        });
    }

    /// An error between subgraphs.
    pub(crate) fn error(&mut self, code: ErrorCode, message: impl Into<String>) {
        self.errors.push(CompositionError {
            code,
            message: message.into(),
            subgraph: None,
            line: None,
        });
    }

    pub(crate) fn hint(&mut self, code: &'static str, message: impl Into<String>) {
        self.hints.push(Hint {
            code,
            message: message.into(),
            subgraph: None,
            line: None,
        });
    }
}

/// `"a", "b" and "c"`, for messages.
pub(crate) fn quoted_list<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let names: Vec<String> = names
        .into_iter()
        .map(|name| format!("\"{}\"", name.as_ref()))
        .collect();
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

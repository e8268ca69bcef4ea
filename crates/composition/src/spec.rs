//! The specifications that composition knows: their elements, versions and definitions.
//!
//! Source: <https://www.apollographql.com/docs/graphos/reference/federation/versions> and the pages under
//! <https://specs.apollo.dev>.

use std::fmt::Write as _;

use crate::link::Links;

/// A specification at `https://specs.apollo.dev/…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Spec {
    Link,
    Federation,
    Tag,
    Inaccessible,
    Authenticated,
    RequiresScopes,
    Policy,
    Cost,
    Context,
}

impl Spec {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "link" => Self::Link,
            "federation" => Self::Federation,
            "tag" => Self::Tag,
            "inaccessible" => Self::Inaccessible,
            "authenticated" => Self::Authenticated,
            "requiresScopes" => Self::RequiresScopes,
            "policy" => Self::Policy,
            "cost" => Self::Cost,
            "context" => Self::Context,
            _ => return None,
        })
    }

    /// The supergraph link of a directive, for example `tag/v0.3`, with its purpose.
    pub(crate) fn supergraph_link(self) -> Option<(&'static str, Option<&'static str>)> {
        Some(match self {
            Self::Tag => ("https://specs.apollo.dev/tag/v0.3", None),
            Self::Inaccessible => ("https://specs.apollo.dev/inaccessible/v0.2", Some("SECURITY")),
            Self::Authenticated => ("https://specs.apollo.dev/authenticated/v0.1", Some("SECURITY")),
            Self::RequiresScopes => ("https://specs.apollo.dev/requiresScopes/v0.1", Some("SECURITY")),
            Self::Policy => ("https://specs.apollo.dev/policy/v0.1", Some("SECURITY")),
            Self::Cost => ("https://specs.apollo.dev/cost/v0.1", None),
            Self::Link | Self::Federation | Self::Context => return None,
        })
    }

    pub(crate) fn knows_version(self, version: Option<(u32, u32)>) -> bool {
        let Some((major, minor)) = version else {
            return self != Self::Federation;
        };
        match self {
            Self::Federation => major == 2 && minor <= NEWEST_MINOR,
            Self::Link => (major, minor) == (1, 0),
            Self::Tag => major == 0 && (1..=3).contains(&minor),
            Self::Inaccessible => major == 0 && (1..=2).contains(&minor),
            _ => major == 0 && minor <= 1,
        }
    }

    /// Whether the specification has the element (`@key`, `FieldSet`) in its minor version.
    pub(crate) fn has_element(self, element: &str, minor: u32) -> bool {
        match self {
            Self::Federation => ELEMENTS
                .iter()
                .any(|known| known.since <= minor && (known.at_name == element || known.ty == element)),
            Self::Link => matches!(element, "@link" | "Import" | "Purpose"),
            Self::Tag => element == "@tag",
            Self::Inaccessible => element == "@inaccessible",
            Self::Authenticated => element == "@authenticated",
            Self::RequiresScopes => matches!(element, "@requiresScopes" | "Scope"),
            Self::Policy => matches!(element, "@policy" | "Policy"),
            Self::Cost => matches!(element, "@cost" | "@listSize"),
            Self::Context => matches!(element, "@context" | "@fromContext" | "ContextFieldValue"),
        }
    }

    /// The directive of this specification with that bare name.
    pub(crate) fn element(self, bare: &str) -> Option<&'static str> {
        let name = ELEMENTS.iter().find(|known| known.name == bare)?.name;
        let known = match self {
            Self::Federation => true,
            other => other.has_element(&format!("@{name}"), 0),
        };
        known.then_some(name)
    }
}

const NEWEST_MINOR: u32 = 12;

struct Element {
    /// The bare name of the directive.
    name: &'static str,
    at_name: &'static str,
    /// The first Federation 2 minor version that has it.
    since: u32,
    in_federation_1: bool,
    /// A type that its definition uses, or nothing.
    ty: &'static str,
    /// Arguments and locations; `$T` is the local name of `ty`.
    definition: &'static str,
}

macro_rules! element {
    ($name:literal, $since:literal, $fed1:literal, $ty:literal, $definition:literal) => {
        Element {
            name: $name,
            at_name: concat!("@", $name),
            since: $since,
            in_federation_1: $fed1,
            ty: $ty,
            definition: $definition,
        }
    };
}

pub(crate) const ANYWHERE: &str = "FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ENUM | ENUM_VALUE | SCALAR | INPUT_OBJECT | INPUT_FIELD_DEFINITION | ARGUMENT_DEFINITION";

static ELEMENTS: [Element; 19] = [
    element!(
        "key",
        0,
        true,
        "FieldSet",
        "(fields: $T!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE"
    ),
    element!(
        "requires",
        0,
        true,
        "FieldSet",
        "(fields: $T!) on FIELD_DEFINITION"
    ),
    element!(
        "provides",
        0,
        true,
        "FieldSet",
        "(fields: $T!) on FIELD_DEFINITION"
    ),
    element!(
        "external",
        0,
        true,
        "",
        "(reason: String) on OBJECT | FIELD_DEFINITION"
    ),
    element!("extends", 0, true, "", " on OBJECT | INTERFACE"),
    element!("tag", 0, true, "", "(name: String!) repeatable on $A | SCHEMA"),
    element!("inaccessible", 0, true, "", " on $A"),
    element!(
        "override",
        0,
        true,
        "",
        "(from: String!, label: String) on FIELD_DEFINITION"
    ),
    element!(
        "shareable",
        0,
        false,
        "",
        " repeatable on FIELD_DEFINITION | OBJECT"
    ),
    element!(
        "composeDirective",
        1,
        false,
        "",
        "(name: String!) repeatable on SCHEMA"
    ),
    element!("interfaceObject", 3, false, "", " on OBJECT"),
    element!(
        "authenticated",
        5,
        false,
        "",
        " on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"
    ),
    element!(
        "requiresScopes",
        5,
        false,
        "Scope",
        "(scopes: [[$T!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"
    ),
    element!(
        "policy",
        6,
        false,
        "Policy",
        "(policies: [[$T!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"
    ),
    element!(
        "context",
        8,
        false,
        "",
        "(name: String!) repeatable on INTERFACE | OBJECT | UNION"
    ),
    element!(
        "fromContext",
        8,
        false,
        "ContextFieldValue",
        "(field: $T) on ARGUMENT_DEFINITION"
    ),
    element!(
        "cost",
        9,
        false,
        "",
        "(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR"
    ),
    element!(
        "listSize",
        9,
        false,
        "",
        "(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION"
    ),
    element!(
        "cacheTag",
        12,
        false,
        "",
        "(format: String!) repeatable on OBJECT | FIELD_DEFINITION"
    ),
];

/// The name of a feature that composition refuses.
pub(crate) fn unsupported(element: &str) -> Option<&'static str> {
    match element {
        "@context" => Some("@context"),
        "@fromContext" => Some("@fromContext"),
        "@cacheTag" => Some("@cacheTag"),
        _ => None,
    }
}

/// A directive whose meaning composition knows, whatever its name in the subgraph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Known {
    Key,
    Requires,
    Provides,
    External,
    Extends,
    Tag,
    Inaccessible,
    Override,
    Shareable,
    ComposeDirective,
    InterfaceObject,
    Authenticated,
    RequiresScopes,
    Policy,
    Cost,
    ListSize,
    Context,
    Deprecated,
    SpecifiedBy,
    OneOf,
}

impl Known {
    /// The specification whose link the supergraph needs when the directive occurs in it.
    pub(crate) const fn spec(self) -> Option<Spec> {
        Some(match self {
            Self::Tag => Spec::Tag,
            Self::Inaccessible => Spec::Inaccessible,
            Self::Authenticated => Spec::Authenticated,
            Self::RequiresScopes => Spec::RequiresScopes,
            Self::Policy => Spec::Policy,
            Self::Cost | Self::ListSize => Spec::Cost,
            _ => return None,
        })
    }

    fn from_element(name: &str) -> Option<Self> {
        Some(match name {
            "key" => Self::Key,
            "requires" => Self::Requires,
            "provides" => Self::Provides,
            "external" => Self::External,
            "extends" => Self::Extends,
            "tag" => Self::Tag,
            "inaccessible" => Self::Inaccessible,
            "override" => Self::Override,
            "shareable" => Self::Shareable,
            "composeDirective" => Self::ComposeDirective,
            "interfaceObject" => Self::InterfaceObject,
            "authenticated" => Self::Authenticated,
            "requiresScopes" => Self::RequiresScopes,
            "policy" => Self::Policy,
            "cost" => Self::Cost,
            "listSize" => Self::ListSize,
            "context" | "fromContext" | "cacheTag" => Self::Context,
            _ => return None,
        })
    }
}

/// What a directive name of a subgraph means, if composition knows it.
pub(crate) fn resolve(local: &str, links: &Links) -> Option<Known> {
    match local {
        "deprecated" => return Some(Known::Deprecated),
        "specifiedBy" => return Some(Known::SpecifiedBy),
        "oneOf" => return Some(Known::OneOf),
        _ => {}
    }
    for link in &links.0 {
        if link.spec.is_some_and(|spec| spec != Spec::Link)
            && let Some(element) = link.element_of_directive(local)
        {
            return Known::from_element(element);
        }
    }
    if links.federation().is_none()
        && ELEMENTS
            .iter()
            .any(|element| element.in_federation_1 && element.name == local)
    {
        return Known::from_element(local);
    }
    None
}

/// Definitions of all directives and types of the linked specifications under their local names, so that a
/// subgraph that does not write them itself is a whole schema. `defined` says what the subgraph defines.
pub(crate) fn definitions(links: &Links, defined: impl Fn(&str) -> bool) -> String {
    let mut out = String::new();
    let mut written: Vec<String> = Vec::new();
    let mut add = |name: String, text: String, is_directive: bool| {
        let key = if is_directive { format!("@{name}") } else { name };
        if !defined(&key) && !written.contains(&key) {
            out.push_str(&text);
            out.push('\n');
            written.push(key);
        }
    };
    add(
        "link".to_owned(),
        "directive @link(url: String, as: String, for: link__Purpose, import: [link__Import], feature: String) repeatable on SCHEMA".to_owned(),
        true,
    );
    // Part of GraphQL since September 2025; the parser does not bring it along.
    add(
        "oneOf".to_owned(),
        "directive @oneOf on INPUT_OBJECT".to_owned(),
        true,
    );
    add(
        "link__Purpose".to_owned(),
        "enum link__Purpose { SECURITY EXECUTION }".to_owned(),
        false,
    );
    add("link__Import".to_owned(), "scalar link__Import".to_owned(), false);
    for link in links.0.iter().filter(|link| link.spec == Some(Spec::Link)) {
        let local = link.local_name("@link");
        let text = format!(
            "directive @{local}(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA"
        );
        add(local, text, true);
    }
    for element in ELEMENTS
        .iter()
        .filter(|element| links.federation().is_none() && element.in_federation_1)
    {
        let ty = if element.ty.is_empty() { "" } else { "_FieldSet" };
        add("_FieldSet".to_owned(), "scalar _FieldSet".to_owned(), false);
        add(element.name.to_owned(), define(element, element.name, ty), true);
    }
    for link in &links.0 {
        let Some(spec) = link.spec.filter(|spec| *spec != Spec::Link) else {
            continue;
        };
        let minor = link.version.map_or(0, |version| version.1);
        for element in ELEMENTS
            .iter()
            .filter(|element| spec.has_element(element.at_name, minor))
        {
            let ty = if element.ty.is_empty() {
                String::new()
            } else {
                link.local_name(element.ty)
            };
            if !ty.is_empty() {
                add(ty.clone(), format!("scalar {ty}"), false);
            }
            let local = link.local_name(element.at_name);
            let text = define(element, &local, &ty);
            add(local, text, true);
        }
    }
    out
}

fn define(element: &Element, local: &str, ty: &str) -> String {
    let mut out = String::new();
    let _ = write!(out, "directive @{local}{}", element.definition);
    out.replace("$T", ty).replace("$A", ANYWHERE)
}

/// Whether a type of a subgraph belongs to a specification rather than to its domain.
pub(crate) fn is_spec_type(name: &str, links: &Links) -> bool {
    if matches!(
        name,
        "_Any" | "_Entity" | "_Service" | "_FieldSet" | "link__Purpose" | "link__Import"
    ) {
        return true;
    }
    links.0.iter().filter(|link| link.spec.is_some()).any(|link| {
        let prefixed = name.strip_prefix(link.prefix()).is_some_and(|rest| rest.starts_with("__"));
        prefixed
            || link
                .imports
                .iter()
                .any(|import| !import.element.starts_with('@') && import.local() == name)
    })
        // A library may define the field set type without importing it.
        || (name == "FieldSet" && links.federation().is_some())
}

//! `@link` (<https://specs.apollo.dev/link/v1.0>): which specification each name of a subgraph belongs to.

use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, Value};

use crate::error::{ErrorCode, Report};
use crate::spec::{self, Spec};

const APOLLO: &str = "https://specs.apollo.dev/";

/// One `@link` application.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// The address without its version, for example `https://specs.apollo.dev/federation`.
    pub(crate) identity: String,
    /// The last part of the identity, where there is one.
    pub(crate) name: Option<String>,
    pub(crate) version: Option<(u32, u32)>,
    /// The specification, if it is one that composition knows.
    pub(crate) spec: Option<Spec>,
    /// `as:` of the link.
    pub(crate) alias: Option<String>,
    pub(crate) imports: Vec<Import>,
    pub(crate) line: Option<u32>,
}

/// One entry of `import:`. Directives keep their `@`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) element: String,
    pub(crate) alias: Option<String>,
}

impl Import {
    /// The name in the subgraph, with `@` for a directive.
    pub(crate) fn local(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.element)
    }
}

impl Link {
    /// The prefix of names that are not imported: `prefix__name`.
    pub(crate) fn prefix(&self) -> &str {
        self.alias.as_deref().or(self.name.as_deref()).unwrap_or_default()
    }

    /// What an element of this specification (`@key`, `FieldSet`) is called in the subgraph.
    pub(crate) fn local_name(&self, element: &str) -> String {
        if let Some(import) = self.imports.iter().find(|import| import.element == element) {
            return import.local().trim_start_matches('@').to_owned();
        }
        let bare = element.trim_start_matches('@');
        if self.name.as_deref() == Some(bare) && element.starts_with('@') {
            return self.prefix().to_owned();
        }
        format!("{}__{bare}", self.prefix())
    }

    /// The element that a directive name of the subgraph stands for, without `@`.
    pub(crate) fn element_of_directive(&self, local: &str) -> Option<&str> {
        let imported = self.imports.iter().find(|import| {
            import.element.starts_with('@') && import.local().strip_prefix('@') == Some(local)
        });
        if let Some(import) = imported {
            return import.element.strip_prefix('@');
        }
        if local == self.prefix() {
            return self.name.as_deref();
        }
        let own = self.prefix().len();
        if let Some(spec) = self.spec
            && local.starts_with(self.prefix())
            && let Some(bare) = local.get(own..).and_then(|rest| rest.strip_prefix("__"))
        {
            return spec.element(bare);
        }
        None
    }
}

/// All links of one subgraph.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links(pub(crate) Vec<Link>);

impl Links {
    /// Reads the `@link` directives of a schema definition and its extensions.
    pub(crate) fn read<'a>(
        directives: impl Iterator<Item = (&'a Node<Directive>, Option<u32>)>,
        subgraph: &str,
        report: &mut Report,
    ) -> Self {
        let mut links: Vec<Link> = Vec::new();
        for (directive, line) in directives.filter(|(directive, _)| is_link(directive)) {
            match read(directive, line) {
                Ok(link) => {
                    let twice = links.iter().any(|other| {
                        other.identity == link.identity
                            || (!link.prefix().is_empty() && other.prefix() == link.prefix())
                    });
                    if twice {
                        report.at(
                            ErrorCode::InvalidLinkDirectiveUsage,
                            subgraph,
                            line,
                            format!("Duplicate inclusion of feature {}", link.identity),
                        );
                    } else {
                        check(&link, subgraph, report);
                        links.push(link);
                    }
                }
                Err((code, message)) => report.at(code, subgraph, line, message),
            }
        }
        Self(links)
    }

    pub(crate) fn of(&self, spec: Spec) -> Option<&Link> {
        self.0.iter().find(|link| link.spec == Some(spec))
    }

    /// The Federation 2 minor version; `None` is a Federation 1 subgraph.
    pub(crate) fn federation(&self) -> Option<u32> {
        self.of(Spec::Federation)
            .map(|link| link.version.map_or(0, |version| version.1))
    }
}

fn is_link(directive: &Directive) -> bool {
    if directive.name == "link" {
        return true;
    }
    // The link specification may itself be linked under another name.
    string(directive, "url").is_some_and(|url| url.starts_with("https://specs.apollo.dev/link/"))
}

fn string<'a>(directive: &'a Directive, name: &str) -> Option<&'a str> {
    directive
        .specified_argument_by_name(name)
        .and_then(|value| value.as_str())
}

type Refused = (ErrorCode, String);

fn read(directive: &Directive, line: Option<u32>) -> Result<Link, Refused> {
    let url = string(directive, "url").ok_or_else(|| {
        (
            ErrorCode::InvalidLinkDirectiveUsage,
            "Invalid use of @link: it takes the address of a specification, url: \"https://…\"".to_owned(),
        )
    })?;
    let (identity, name, version) = split_url(url).ok_or_else(|| {
        (
            ErrorCode::InvalidLinkIdentifier,
            format!("Invalid @link url \"{url}\": it is not an address"),
        )
    })?;
    let alias = string(directive, "as").map(str::to_owned);
    if let Some(alias) = &alias
        && (!is_name(alias) || alias.starts_with('@') || alias.contains("__") || alias.ends_with('_'))
    {
        return Err((
            ErrorCode::InvalidLinkIdentifier,
            format!("Invalid @link as \"{alias}\": it must be a name without \"@\" and \"__\""),
        ));
    }
    let imports = match directive.specified_argument_by_name("import") {
        Some(value) => read_imports(value)?,
        None => Vec::new(),
    };
    let spec = identity.strip_prefix(APOLLO).and_then(Spec::from_name);
    Ok(Link {
        identity,
        name,
        version,
        spec,
        alias,
        imports,
        line,
    })
}

fn read_imports(value: &Value) -> Result<Vec<Import>, Refused> {
    let refused = |text: String| (ErrorCode::InvalidLinkDirectiveUsage, text);
    let Some(entries) = value.as_list() else {
        return Err(refused("Invalid use of @link: import takes a list".to_owned()));
    };
    let mut imports = Vec::with_capacity(entries.len());
    for entry in entries {
        let import = match entry.as_ref() {
            Value::String(element) => Import {
                element: element.clone(),
                alias: None,
            },
            Value::Object(fields) => {
                let get = |key: &str| {
                    fields
                        .iter()
                        .find(|(name, _)| name == key)
                        .and_then(|(_, value)| value.as_str())
                };
                let Some(element) = get("name") else {
                    return Err(refused(
                        "Invalid entry in @link import: an object entry needs a name".to_owned(),
                    ));
                };
                Import {
                    element: element.to_owned(),
                    alias: get("as").map(str::to_owned),
                }
            }
            _ => return Err(refused(format!("Invalid entry in @link import: {entry}"))),
        };
        let is_directive = import.element.starts_with('@');
        if let Some(alias) = &import.alias
            && alias.starts_with('@') != is_directive
        {
            return Err(refused(format!(
                "Invalid alias \"{alias}\" for import name \"{}\": {}",
                import.element,
                if is_directive {
                    "it should start with \"@\""
                } else {
                    "it should not start with \"@\""
                },
            )));
        }
        imports.push(import);
    }
    Ok(imports)
}

fn check(link: &Link, subgraph: &str, report: &mut Report) {
    let Some(spec) = link.spec else { return };
    if !spec.knows_version(link.version) {
        let code = match spec {
            Spec::Federation => ErrorCode::UnknownFederationLinkVersion,
            _ => ErrorCode::UnknownLinkVersion,
        };
        let version = link
            .version
            .map_or_else(String::new, |(major, minor)| format!("v{major}.{minor} "));
        let name = link.name.as_deref().unwrap_or_default();
        report.at(
            code,
            subgraph,
            link.line,
            format!("Invalid version {version}for the {name} feature in @link directive on schema"),
        );
        return;
    }
    let minor = link.version.map_or(0, |version| version.1);
    for import in &link.imports {
        if !spec.has_element(&import.element, minor) {
            report.at(
                ErrorCode::InvalidLinkDirectiveUsage,
                subgraph,
                link.line,
                format!("Cannot import unknown element \"{}\".", import.element),
            );
        }
        if let Some(feature) = spec::unsupported(&import.element) {
            report.at(
                ErrorCode::UnsupportedFeature,
                subgraph,
                link.line,
                format!("\"{feature}\" is not supported by this composition."),
            );
        }
    }
}

type SplitUrl = (String, Option<String>, Option<(u32, u32)>);

/// Splits `https://host/path/name/v1.2` into the identity, the name and the version.
fn split_url(url: &str) -> Option<SplitUrl> {
    let trimmed = url.split(['?', '#']).next().unwrap_or(url).trim_end_matches('/');
    let (scheme, rest) = trimmed.split_once("://")?;
    if scheme.is_empty() || rest.is_empty() || rest.contains(char::is_whitespace) {
        return None;
    }
    let mut parts: Vec<&str> = rest.split('/').collect();
    let version = parts
        .last()
        .copied()
        .filter(|_| parts.len() > 1)
        .and_then(parse_version);
    if version.is_some() {
        parts.pop();
    }
    let name = parts
        .last()
        .copied()
        .filter(|name| parts.len() > 1 && is_name(name) && !name.contains("__"));
    let identity = format!("{scheme}://{}", parts.join("/"));
    Some((identity, name.map(str::to_owned), version))
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.strip_prefix('v')?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|rest| rest.is_ascii_alphanumeric() || rest == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_splits_into_identity_name_and_version() {
        let (identity, name, version) = split_url("https://specs.apollo.dev/federation/v2.9").unwrap();
        assert_eq!(identity, "https://specs.apollo.dev/federation");
        assert_eq!(name.as_deref(), Some("federation"));
        assert_eq!(version, Some((2, 9)));
    }

    #[test]
    fn an_address_needs_no_version() {
        let (identity, name, version) = split_url("https://example.com/my-spec").unwrap();
        assert_eq!(
            (identity.as_str(), name, version),
            ("https://example.com/my-spec", None, None)
        );
        assert!(split_url("nonsense").is_none());
    }
}

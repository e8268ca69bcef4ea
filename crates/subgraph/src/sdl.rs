//! The SDL of a subgraph as composition wants it.

use async_graphql::{ObjectType, SDLExportOptions, Schema, SubscriptionType};

/// Directives that the federation specification defines and [`crate::directives`] only spells out.
const IMPORTED: [&str; 5] = ["authenticated", "policy", "cost", "listSize", "cacheControl"];

/// The version of the federation specification that the platform's subgraphs are written for: the first with
/// demand control (`@cost`, `@listSize`).
const LINK: &str = r#"extend schema @link(
  url: "https://specs.apollo.dev/federation/v2.9",
  import: ["@authenticated", "@composeDirective", "@cost", "@external", "@inaccessible", "@interfaceObject", "@key", "@listSize", "@override", "@policy", "@provides", "@requires", "@requiresScopes", "@shareable", "@tag"]
)
"#;

/// What routers keep is said by a directive of Apollo's, which travels into the supergraph by `@composeDirective`. Its
/// definition has parts that a subgraph may use or not, so all of them spell it out.
const CACHE_CONTROL: &str = r#"
extend schema @link(
  url: "https://specs.apollo.dev/cacheControl/v0.1",
  import: ["@cacheControl", "CacheControlScope"]
) @composeDirective(name: "@cacheControl")

directive @cacheControl(
  maxAge: Int
  scope: CacheControlScope
  inheritMaxAge: Boolean
) on FIELD_DEFINITION | OBJECT | INTERFACE | UNION

"For whom routers keep something."
enum CacheControlScope @inaccessible {
  "For everybody."
  PUBLIC
  "For the caller."
  PRIVATE
}
"#;

/// The subgraph's schema in Federation 2 form.
pub fn sdl<Q, M, S>(schema: &Schema<Q, M, S>) -> String
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let options = SDLExportOptions::new()
        .federation()
        .use_space_ident()
        .prefer_single_line_descriptions();
    let exported = schema.sdl_with_options(options);
    // async-graphql always links v2.5 and defines what it does not know: the link is replaced by ours.
    let body = exported.split("extend schema @link(").next().unwrap_or_default();
    let mut text = [LINK, CACHE_CONTROL, "\n"].concat();
    text.reserve(exported.len());
    for definition in body.split("\n\n") {
        let definition = without_builtin_directives(definition);
        let definition = definition.trim_matches('\n');
        if !definition.is_empty() && !definition.contains("enum CacheControlScope {") {
            text.push_str(definition);
            text.push_str("\n\n");
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// Drops directive definitions: all that a subgraph of ours uses are the language's or the federation's.
fn without_builtin_directives(block: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for line in block.lines() {
        let name = line.strip_prefix("directive @").map(|rest| {
            rest.split(|c: char| !c.is_alphanumeric())
                .next()
                .unwrap_or_default()
        });
        match name {
            Some(name) if IMPORTED.contains(&name) || is_builtin(name) => {
                // Its description stands before it.
                while kept
                    .last()
                    .is_some_and(|line| !line.starts_with('}') && !line.is_empty())
                {
                    kept.pop();
                }
            }
            _ => kept.push(line),
        }
    }
    kept.join("\n")
}

fn is_builtin(name: &str) -> bool {
    matches!(name, "include" | "skip" | "deprecated" | "specifiedBy" | "oneOf")
}

//! One case for each rule: what composes, and what is refused with which code.

mod composes;
mod refused;

/// Subgraphs by name.
pub(crate) type Set = &'static [(&'static str, &'static str)];

/// What an independent implementation makes of a case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Oracle {
    /// The same.
    Agrees,
    /// Something else, and the Federation documentation is on our side for this reason.
    Differs(&'static str),
}

/// One case.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) subgraphs: Set,
    /// Error codes, or none if it composes.
    pub(crate) codes: &'static [&'static str],
    /// Texts that the supergraph must contain, spaces and line breaks aside, or the messages of errors.
    pub(crate) contains: &'static [&'static str],
    /// A query to plan, if the first root field is not telling.
    pub(crate) query: Option<&'static str>,
    pub(crate) oracle: Oracle,
}

pub(crate) fn all() -> Vec<Case> {
    composes::CASES.iter().chain(refused::CASES).copied().collect()
}

/// Subgraphs are written without their header: Federation 2.9 with everything imported. Those that start
/// with `#1` are Federation 1, and those with a `@link` are taken as they are.
pub(crate) fn expand(sdl: &str) -> String {
    if sdl.starts_with("#1") || sdl.contains("@link(") {
        return sdl.to_owned();
    }
    format!(
        "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.9\", import: [\"@key\", \"@requires\", \
         \"@provides\", \"@external\", \"@tag\", \"@inaccessible\", \"@override\", \"@shareable\", \"@interfaceObject\", \
         \"@authenticated\", \"@requiresScopes\", \"@policy\", \"@cost\", \"@listSize\", \"@extends\", \
         \"@composeDirective\"]) {sdl}"
    )
}

const fn case(name: &'static str, subgraphs: Set) -> Case {
    Case {
        name,
        subgraphs,
        codes: &[],
        contains: &[],
        query: None,
        oracle: Oracle::Agrees,
    }
}

impl Case {
    const fn has(mut self, contains: &'static [&'static str]) -> Self {
        self.contains = contains;
        self
    }

    const fn query(mut self, query: &'static str) -> Self {
        self.query = Some(query);
        self
    }

    const fn refused(mut self, codes: &'static [&'static str]) -> Self {
        self.codes = codes;
        self
    }

    const fn unlike_oracle(mut self, reason: &'static str) -> Self {
        self.oracle = Oracle::Differs(reason);
        self
    }
}

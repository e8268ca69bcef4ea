//! Which changes matter to the operations that clients send.

use crate::changes::{Comparison, Operation, OperationSource, Verdict};

fn sources(files: &[(&str, &str)]) -> Vec<OperationSource> {
    files
        .iter()
        .map(|(path, text)| OperationSource {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        })
        .collect()
}

fn judged(old: &str, new: &str, operations: &[&str]) -> Verdict {
    let files: Vec<_> = operations.iter().map(|text| ("a.graphql", *text)).collect();
    let operations = Operation::read(&sources(&files)).expect("operations");
    Comparison::read(old, new)
        .expect("two schemas")
        .judge(&operations)
}

/// The codes of changes that the operations use.
fn used(verdict: &Verdict) -> Vec<&'static str> {
    let used = |names: &Option<Vec<String>>| names.as_ref().is_some_and(|names| !names.is_empty());
    let judged = verdict.changes.iter().filter(|judged| used(&judged.used_by));
    judged.map(|judged| judged.change.code.as_str()).collect()
}

const OLD: &str = r#"
    type Query { habits(first: Int): [Habit!]! search(by: Filter, kind: Kind): [Found!] node: Node }
    interface Node { id: ID! }
    type Habit implements Node { id: ID! title: String! kind: Kind! old: Int }
    type Person implements Node { id: ID! name: String }
    union Found = Habit | Person
    enum Kind { DAILY WEEKLY }
    input Filter { title: String kind: Kind not: Filter }
    directive @cached(for: Int) repeatable on FIELD | QUERY
"#;

/// What is replaced in the old schema, by what, an operation that uses it, and the code of the change.
const USED: &[(&str, &str, &str, &str)] = &[
    (
        "title: String!",
        "title: String",
        "{ habits { title } }",
        "FIELD_CHANGED_KIND",
    ),
    ("old: Int", "", "{ habits { old } }", "FIELD_REMOVED"),
    (
        "old: Int",
        "",
        "{ habits { ...F } } fragment F on Habit { old }",
        "FIELD_REMOVED",
    ),
    (
        "old: Int",
        "",
        "{ node { ... on Habit { old } } }",
        "FIELD_REMOVED",
    ),
    ("(first: Int)", "", "{ habits(first: 1) { id } }", "ARG_REMOVED"),
    (
        "(first: Int)",
        "(first: Int!)",
        "{ habits { id } }",
        "ARG_CHANGED_KIND",
    ),
    (
        "(first: Int)",
        "(first: Int, of: ID!)",
        "{ habits { id } }",
        "REQUIRED_ARG_ADDED",
    ),
    (
        "DAILY WEEKLY",
        "DAILY",
        "{ habits { kind } }",
        "VALUE_REMOVED_FROM_ENUM",
    ),
    (
        "DAILY WEEKLY",
        "DAILY",
        "{ search(kind: WEEKLY) { __typename } }",
        "VALUE_REMOVED_FROM_ENUM",
    ),
    (
        "DAILY WEEKLY",
        "DAILY",
        "query A($by: Filter) { search(by: $by) { __typename } }",
        "VALUE_REMOVED_FROM_ENUM",
    ),
    (
        "DAILY WEEKLY",
        "DAILY WEEKLY X",
        "{ habits { kind } }",
        "VALUE_ADDED_TO_ENUM",
    ),
    (
        "not: Filter }",
        "not: Filter must: Int! }",
        "query A($by: Filter) { search(by: $by) { __typename } }",
        "REQUIRED_INPUT_FIELD_ADDED",
    ),
    (
        "not: Filter }",
        "not: Filter must: Int! }",
        "{ search(by: {title: \"a\"}) { __typename } }",
        "REQUIRED_INPUT_FIELD_ADDED",
    ),
    (
        "= Habit | Person",
        "= Habit",
        "{ search { ... on Person { name } } }",
        "TYPE_REMOVED_FROM_UNION",
    ),
    (
        "Person implements Node {",
        "Person {",
        "{ node { ... on Person { name } } }",
        "IMPLEMENTED_INTERFACE_REMOVED",
    ),
    (
        "@cached(for: Int)",
        "@cached",
        "{ habits @cached(for: 1) { id } }",
        "DIRECTIVE_ARG_REMOVED",
    ),
    (
        "FIELD | QUERY",
        "FIELD",
        "query A @cached { habits { id } }",
        "DIRECTIVE_LOCATION_REMOVED",
    ),
    (
        "repeatable on",
        "on",
        "{ habits @cached @cached { id } }",
        "DIRECTIVE_REPEATABLE_REMOVED",
    ),
];

#[test]
fn an_operation_uses_what_it_meets() {
    for &(from, to, operation, code) in USED {
        let new = OLD.replacen(from, to, 1);
        let verdict = judged(OLD, &new, &[operation]);
        assert_eq!(used(&verdict), [code], "{from} -> {to}: {operation}");
        let breaking = code != "VALUE_ADDED_TO_ENUM";
        assert_eq!(verdict.passes(), !breaking, "{from} -> {to}: {operation}");
        assert_eq!(verdict.working, usize::from(!breaking), "{operation}");
    }
}

#[test]
fn a_breaking_change_that_no_operation_uses_does_not_matter() {
    for (from, to, operation) in [
        ("title: String!", "title: String", "{ habits { id } }"),
        ("old: Int", "", "{ habits { title } }"),
        ("(first: Int)", "", "{ habits { id } }"),
        ("(first: Int)", "(first: Int!)", "{ habits(first: 1) { id } }"),
        ("DAILY WEEKLY", "DAILY", "{ habits { title } }"),
        ("DAILY WEEKLY", "DAILY", "{ search(kind: DAILY) { __typename } }"),
        (
            "DAILY WEEKLY",
            "DAILY",
            "{ search(by: {not: {kind: DAILY}}) { __typename } }",
        ),
        (
            "= Habit | Person",
            "= Habit",
            "{ search { ... on Habit { title } } }",
        ),
        ("repeatable on", "on", "{ habits @cached { id } }"),
        (
            "not: Filter }",
            "not: Filter must: Int! }",
            "{ search { __typename } }",
        ),
    ] {
        let new = OLD.replacen(from, to, 1);
        let verdict = judged(OLD, &new, &[operation]);
        assert_eq!(used(&verdict), [""; 0], "{from} -> {to}: {operation}");
        assert!(!verdict.changes.is_empty(), "{from} -> {to}");
        assert!(verdict.passes(), "{from} -> {to}: {operation}");
        assert_eq!(verdict.working, 1);
    }
}

#[test]
fn a_type_with_another_name_matters_to_who_names_it() {
    let new = OLD.replace("Habit", "Practice");
    for (operation, working) in [
        ("{ habits { id title kind } }", 1),
        ("{ habits { ... { id } ...F } } fragment F on Node { id }", 1),
        ("{ node { id } search { __typename } }", 1),
        ("{ habits { __typename id } }", 0),
        ("{ habits { ... on Node { name: __typename } } }", 0),
        (
            "{ node { ...F } habits { ...F } } fragment F on Node { __typename }",
            0,
        ),
        ("{ habits { ... on Habit { id } } }", 0),
    ] {
        let verdict = judged(OLD, &new, &[operation]);
        assert_eq!(verdict.working, working, "{operation}: {:?}", used(&verdict));
        assert_eq!(verdict.passes(), working == 1, "{operation}");
    }
    for (from, to) in [
        ("title: String!", "title: String"),
        ("kind: Kind!", "kind: [Kind!]"),
        ("title: String!", "title(long: Boolean = true): String!"),
        ("[Practice!]!", "[Practice!]"),
        ("[Practice!]!", "[Person!]!"),
    ] {
        let new = new.replacen(from, to, 1);
        let verdict = judged(
            OLD,
            &new.replace("title: String", "title: String name: String"),
            &["{ habits { id title kind } }"],
        );
        assert!(!verdict.passes(), "{from} -> {to}");
        assert!(judged(OLD, &new, &["{ search { __typename } }"]).passes());
    }
}

#[test]
fn an_input_that_takes_one_field_matters_to_who_gives_another_number() {
    let old = OLD.replace("(by: Filter", "(by: Filter, all: [Filter!]");
    let new = old.replace("input Filter {", "input Filter @oneOf {");
    for (operation, passes) in [
        ("{ search(by: {title: \"a\"}) { __typename } }", true),
        (
            "query A($t: String!) { search(by: {title: $t}) { __typename } }",
            true,
        ),
        ("{ search(by: {not: {kind: DAILY}}) { __typename } }", true),
        (
            "{ search(all: [{kind: DAILY}, {title: \"a\"}]) { __typename } }",
            true,
        ),
        ("{ search(kind: DAILY) { __typename } }", true),
        ("{ search(by: {}) { __typename } }", false),
        ("{ search(by: {title: null}) { __typename } }", false),
        (
            "query A($t: String) { search(by: {title: $t}) { __typename } }",
            false,
        ),
        (
            "{ search(by: {title: \"a\", kind: DAILY}) { __typename } }",
            false,
        ),
        (
            "{ search(by: {not: {title: \"a\", kind: DAILY}}) { __typename } }",
            false,
        ),
        ("{ search(all: [{kind: DAILY}, {}]) { __typename } }", false),
        ("query A($by: Filter) { search(by: $by) { __typename } }", false),
        (
            "query A($not: Filter!) { search(by: {not: $not}) { __typename } }",
            false,
        ),
    ] {
        let verdict = judged(&old, &new, &[operation]);
        assert_eq!(verdict.passes(), passes, "{operation}");
    }
}

#[test]
fn without_operations_every_breaking_change_counts() {
    let removed = OLD.replace("old: Int", "");
    assert!(!judged(OLD, &removed, &[]).passes());
    assert!(judged(&removed, OLD, &[]).passes());
    assert_eq!(judged(OLD, &removed, &[]).changes[0].used_by, None);
}

#[test]
fn an_operation_that_broke_is_told_by_name_and_place() {
    let new = OLD.replace("old: Int", "");
    let files = [
        ("b/all.graphql", "query All {\n  habits { ...F }\n}"),
        ("fragments/f.graphql", "fragment F on Habit {\n  old\n}"),
        (
            "c.graphql",
            "query Titles @rest(method: GET) { habits { title } }",
        ),
    ];
    let operations = Operation::read(&sources(&files)).expect("operations");
    let verdict = Comparison::read(OLD, &new)
        .expect("two schemas")
        .judge(&operations);
    assert_eq!((verdict.operations, verdict.working), (2, 1));
    let [broken] = &verdict.broken[..] else {
        panic!("one is broken: {verdict:?}");
    };
    assert_eq!(broken.operation, "All");
    let [fault] = &broken.faults[..] else {
        panic!("in one way: {broken:?}");
    };
    assert_eq!(
        fault.to_string(),
        "fragments/f.graphql:2:3: type `Habit` does not have a field `old`"
    );
    assert_eq!(
        verdict.changes[0].used_by.as_deref(),
        Some(&["All".to_owned()][..])
    );
}

#[test]
fn what_was_never_valid_is_nobodys_fault() {
    let verdict = judged(OLD, OLD, &["query A { nothing }"]);
    assert!(verdict.passes());
    assert_eq!((verdict.never_valid.len(), verdict.working), (1, 0));
    // It only waits for the new schema.
    let new = OLD.replace("type Query {", "type Query { nothing: Int");
    let verdict = judged(OLD, &new, &["query A { nothing }"]);
    assert_eq!((verdict.never_valid.len(), verdict.working), (0, 1));
}

#[test]
fn fragments_of_the_own_file_go_first() {
    let own = (
        "a.graphql",
        "query A { habits { ...F } } fragment F on Habit { id }",
    );
    let other = (
        "b.graphql",
        "query B { habits { ...F } } fragment F on Habit { old }",
    );
    let operations = Operation::read(&sources(&[own, other])).expect("operations");
    let new = OLD.replace("old: Int", "");
    let verdict = Comparison::read(OLD, &new)
        .expect("two schemas")
        .judge(&operations);
    let names: Vec<_> = verdict.broken.iter().map(|broken| &*broken.operation).collect();
    assert_eq!(names, ["B"]);
    let third = ("c.graphql", "query C { habits { ...F } }");
    let faults = Operation::read(&sources(&[own, other, third])).expect_err("two fragments");
    assert_eq!(
        faults[0].to_string(),
        "c.graphql:1:1: `F` may be any of 2 fragments"
    );
}

#[test]
fn texts_that_are_no_operations_are_refused() {
    for (text, message) in [
        (
            "type A { a: Int }",
            "a.graphql:1:1: operation files hold operations and fragments, no types",
        ),
        (
            "fragment F on A { a } fragment F on A { b }",
            "a.graphql:1:23: there is another fragment `F`",
        ),
    ] {
        let faults = Operation::read(&sources(&[("a.graphql", text)])).expect_err("no operation");
        assert_eq!(faults[0].to_string(), message);
    }
    assert!(Operation::read(&sources(&[("a.graphql", "query {")])).is_err());
}

#[test]
fn an_operation_without_a_name_is_called_by_its_file() {
    let operations =
        Operation::read(&sources(&[("ops/a.graphql", "{ habits { id } }")])).expect("operations");
    assert_eq!(operations[0].name(), "ops/a.graphql");
}

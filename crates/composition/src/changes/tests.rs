//! Changes by example: each code, and what is no change at all.

mod operations;

use super::{ChangeCode, Level, Side, changes};

/// `LEVEL CODE coordinate` of every change.
fn told(old: &str, new: &str) -> Vec<String> {
    let changes = changes(old, new).expect("two schemas");
    changes
        .iter()
        .map(|change| format!("{} {} {}", change.level, change.code, change.coordinate))
        .collect()
}

/// What a pair of schemas, with a query type added where they have none, has to tell.
fn expect(cases: &[(&str, &str, &[&str])]) {
    for (old, new, expected) in cases {
        let whole = |sdl: &str| format!("type Query {{ ok: Boolean }}\n{sdl}");
        assert_eq!(told(&whole(old), &whole(new)), *expected, "{old}  ->  {new}");
    }
}

#[test]
fn a_schema_does_not_differ_from_itself() {
    for sdl in [
        include_str!("../../../../schema/api.graphql"),
        include_str!("../../../../schema/supergraph.graphql"),
    ] {
        assert_eq!(told(sdl, sdl), [""; 0]);
    }
}

#[test]
fn a_supergraph_is_seen_as_its_clients_see_it_but_for_what_the_router_adds() {
    let supergraph = include_str!("../../../../schema/supergraph.graphql");
    let api = include_str!("../../../../schema/api.graphql");
    assert_eq!(
        told(supergraph, api),
        [
            "SAFE DIRECTIVE_ADDED @defer",
            "SAFE FIELD_ADDED Query.rateLimit",
            "SAFE TYPE_ADDED RateLimit"
        ]
    );
    assert_eq!(
        told(api, supergraph),
        [
            "BREAKING DIRECTIVE_REMOVED @defer",
            "BREAKING FIELD_REMOVED Query.rateLimit",
            "BREAKING TYPE_REMOVED RateLimit"
        ]
    );
}

#[test]
fn order_and_layout_are_no_change() {
    expect(&[
        ("enum E { A B }", "enum E { B A }", &[]),
        (
            "input I { a: In = {x: 1, y: [2]} } input In { x: Int y: [Int] }",
            "input In { y: [Int] x: Int } input I { a: In = {y: [2], x: 1} }",
            &[],
        ),
        ("scalar S", "directive @skip(if: Boolean!) on FIELD scalar S", &[]),
    ]);
}

#[test]
fn types_come_go_and_become_others() {
    expect(&[
        ("scalar S", "", &["BREAKING TYPE_REMOVED S"]),
        ("", "scalar S", &["SAFE TYPE_ADDED S"]),
        (
            "type T { a: Int }",
            "interface T { a: Int }",
            &["BREAKING TYPE_CHANGED_KIND T"],
        ),
        (
            "type A { a: Int } type B { a: Int } union U = A | B",
            "type A { a: Int } type B { a: Int } union U = A",
            &["BREAKING TYPE_REMOVED_FROM_UNION U"],
        ),
        (
            "type A { a: Int } type B { a: Int } union U = A",
            "type A { a: Int } type B { a: Int } union U = A | B",
            &["DANGEROUS TYPE_ADDED_TO_UNION U"],
        ),
        (
            "interface I { a: Int } type A implements I { a: Int }",
            "interface I { a: Int } type A { a: Int }",
            &["BREAKING IMPLEMENTED_INTERFACE_REMOVED A"],
        ),
        (
            "interface I { a: Int } interface A { a: Int }",
            "interface I { a: Int } interface A implements I { a: Int }",
            &["DANGEROUS IMPLEMENTED_INTERFACE_ADDED A"],
        ),
        (
            "enum E { A B }",
            "enum E { A }",
            &["BREAKING VALUE_REMOVED_FROM_ENUM E.B"],
        ),
        (
            "enum E { A }",
            "enum E { A B }",
            &["DANGEROUS VALUE_ADDED_TO_ENUM E.B"],
        ),
    ]);
}

#[test]
fn outputs_may_become_stricter() {
    let safe: &[&str] = &["SAFE FIELD_TYPE_NARROWED T.a"];
    let breaking: &[&str] = &["BREAKING FIELD_CHANGED_KIND T.a"];
    for (old, new, expected) in [
        ("Int", "Int!", safe),
        ("[Int]", "[Int!]", safe),
        ("[Int]", "[Int!]!", safe),
        ("Int!", "Int", breaking),
        ("[Int!]", "[Int]", breaking),
        ("Int", "[Int]", breaking),
        ("Int", "Float", breaking),
        // graphql-js takes a type of an interface for another type, and so do generated clients.
        ("Node", "T", breaking),
    ] {
        let of =
            |ty: &str| format!("interface Node {{ x: Int }} type T implements Node {{ x: Int a: {ty} }}");
        expect(&[(&of(old), &of(new), expected)]);
    }
}

#[test]
fn inputs_may_become_looser() {
    for (old, new, code) in [
        ("Int!", "Int", Some(("SAFE", "WIDENED"))),
        ("[Int!]!", "[Int]", Some(("SAFE", "WIDENED"))),
        ("Int", "Int!", Some(("BREAKING", "CHANGED"))),
        ("Int", "[Int]", Some(("BREAKING", "CHANGED"))),
        ("Int = 1", "Int = 2", Some(("DANGEROUS", "DEFAULT"))),
        ("Int = 1", "Int", Some(("DANGEROUS", "DEFAULT"))),
        ("Int", "Int = 1", Some(("DANGEROUS", "DEFAULT"))),
        ("Int! = 1", "Int!", Some(("BREAKING", "REQUIRED"))),
        ("Int!", "Int! = 1", Some(("SAFE", "ADDED"))),
        ("Int = 1", "Int = 1", None),
    ] {
        let argument = |ty: &str| format!("type T {{ f(a: {ty}): Int }}");
        let field = |ty: &str| format!("input I {{ a: {ty} }}");
        let directive = |ty: &str| format!("directive @d(a: {ty}) on FIELD");
        let codes = match code.map(|(_, what)| what) {
            Some("WIDENED") => [
                "ARG_TYPE_WIDENED",
                "INPUT_FIELD_TYPE_WIDENED",
                "DIRECTIVE_ARG_TYPE_WIDENED",
            ],
            Some("CHANGED") => [
                "ARG_CHANGED_KIND",
                "FIELD_CHANGED_KIND",
                "DIRECTIVE_ARG_CHANGED_KIND",
            ],
            Some("DEFAULT") => [
                "ARG_DEFAULT_VALUE_CHANGE",
                "INPUT_FIELD_DEFAULT_VALUE_CHANGE",
                "DIRECTIVE_ARG_DEFAULT_VALUE_CHANGE",
            ],
            Some("REQUIRED") => [
                "ARG_BECAME_REQUIRED",
                "INPUT_FIELD_BECAME_REQUIRED",
                "DIRECTIVE_ARG_BECAME_REQUIRED",
            ],
            _ => [
                "ARG_DEFAULT_VALUE_ADDED",
                "INPUT_FIELD_DEFAULT_VALUE_ADDED",
                "DIRECTIVE_ARG_DEFAULT_VALUE_ADDED",
            ],
        };
        let places = ["T.f(a:)", "I.a", "@d(a:)"];
        let pairs = [
            (argument(old), argument(new)),
            (field(old), field(new)),
            (directive(old), directive(new)),
        ];
        for ((pair, place), name) in pairs.iter().zip(places).zip(codes) {
            let line = code.map(|(level, _)| format!("{level} {name} {place}"));
            let expected: Vec<&str> = line.iter().map(String::as_str).collect();
            expect(&[(&pair.0, &pair.1, &expected)]);
        }
    }
}

#[test]
fn fields_arguments_and_inputs_come_and_go() {
    expect(&[
        (
            "type T { a: Int b: Int }",
            "type T { a: Int }",
            &["BREAKING FIELD_REMOVED T.b"],
        ),
        (
            "type T { a: Int }",
            "type T { a: Int b: Int }",
            &["SAFE FIELD_ADDED T.b"],
        ),
        (
            "type T { f(a: Int): Int }",
            "type T { f: Int }",
            &["BREAKING ARG_REMOVED T.f(a:)"],
        ),
        (
            "type T { f: Int }",
            "type T { f(a: Int!): Int }",
            &["BREAKING REQUIRED_ARG_ADDED T.f(a:)"],
        ),
        (
            "type T { f: Int }",
            "type T { f(a: Int! = 1): Int }",
            &["DANGEROUS OPTIONAL_ARG_ADDED T.f(a:)"],
        ),
        (
            "input I { a: Int b: Int }",
            "input I { a: Int }",
            &["BREAKING FIELD_REMOVED I.b"],
        ),
        (
            "input I { a: Int }",
            "input I { a: Int b: Int! c: Int }",
            &[
                "BREAKING REQUIRED_INPUT_FIELD_ADDED I.b",
                "DANGEROUS OPTIONAL_INPUT_FIELD_ADDED I.c",
            ],
        ),
        (
            "input I { a: Int }",
            "input I @oneOf { a: Int }",
            &["BREAKING INPUT_BECAME_ONE_OF I"],
        ),
        (
            "input I @oneOf { a: Int }",
            "input I { a: Int }",
            &["SAFE INPUT_CEASED_ONE_OF I"],
        ),
    ]);
}

#[test]
fn directives_change_as_well() {
    expect(&[
        ("directive @d on FIELD", "", &["BREAKING DIRECTIVE_REMOVED @d"]),
        ("", "directive @d on FIELD", &["SAFE DIRECTIVE_ADDED @d"]),
        (
            "directive @d(a: Int) on FIELD",
            "directive @d on FIELD",
            &["BREAKING DIRECTIVE_ARG_REMOVED @d(a:)"],
        ),
        (
            "directive @d on FIELD",
            "directive @d(a: Int! b: Int) on FIELD",
            &[
                "BREAKING REQUIRED_DIRECTIVE_ARG_ADDED @d(a:)",
                "SAFE OPTIONAL_DIRECTIVE_ARG_ADDED @d(b:)",
            ],
        ),
        (
            "directive @d repeatable on FIELD | QUERY",
            "directive @d on FIELD",
            &[
                "BREAKING DIRECTIVE_LOCATION_REMOVED @d",
                "BREAKING DIRECTIVE_REPEATABLE_REMOVED @d",
            ],
        ),
        (
            "directive @d on FIELD",
            "directive @d repeatable on FIELD | QUERY",
            &[
                "SAFE DIRECTIVE_LOCATION_ADDED @d",
                "SAFE DIRECTIVE_REPEATABLE_ADDED @d",
            ],
        ),
    ]);
}

#[test]
fn deprecations_and_descriptions_are_safe() {
    expect(&[
        (
            "type T { a: Int }",
            "type T { a: Int @deprecated }",
            &["SAFE FIELD_DEPRECATED T.a"],
        ),
        (
            "type T { a: Int @deprecated }",
            "type T { a: Int }",
            &["SAFE FIELD_UNDEPRECATED T.a"],
        ),
        (
            "enum E { A }",
            "enum E { A @deprecated }",
            &["SAFE VALUE_DEPRECATED E.A"],
        ),
        (
            "enum E { A @deprecated }",
            "enum E { A }",
            &["SAFE VALUE_UNDEPRECATED E.A"],
        ),
        (
            "type T { f(a: Int): Int }",
            "type T { f(a: Int @deprecated): Int }",
            &["SAFE ARG_DEPRECATED T.f(a:)"],
        ),
        (
            "enum E { A @deprecated(reason: \"a\") }",
            "enum E { A @deprecated(reason: \"b\") }",
            &["SAFE DEPRECATION_REASON_CHANGED E.A"],
        ),
        ("\"s\" scalar S", "scalar S", &["SAFE DESCRIPTION_CHANGED S"]),
        (
            "type T { f(a: Int): Int }",
            "type T { f(\"a\" a: Int): Int }",
            &["SAFE DESCRIPTION_CHANGED T.f(a:)"],
        ),
    ]);
}

#[test]
fn operations_of_a_kind_may_go_with_their_root() {
    let query = "type Query { ok: Boolean }";
    let mutation = format!("{query} type Mutation {{ ok: Boolean }}");
    let removed = [
        "BREAKING ROOT_TYPE_REMOVED Mutation",
        "BREAKING TYPE_REMOVED Mutation",
    ];
    assert_eq!(told(&mutation, query), removed);
    let added = ["SAFE ROOT_TYPE_ADDED Mutation", "SAFE TYPE_ADDED Mutation"];
    assert_eq!(told(query, &mutation), added);
    let two = "type Query { ok: Boolean } type Other { ok: Boolean }";
    let other = format!("schema {{ query: Other }} {two}");
    let same = format!("schema {{ query: Query }} {two}");
    assert_eq!(told(&same, &other), ["BREAKING ROOT_TYPE_CHANGED Query"]);
}

#[test]
fn the_worst_comes_first_and_then_the_alphabet() {
    let old = "type Query { b: Int a: Int c: Int } enum E { A }";
    let new = "type Query { c: Int! } enum E { A B } scalar A";
    assert_eq!(
        told(old, new),
        [
            "BREAKING FIELD_REMOVED Query.a",
            "BREAKING FIELD_REMOVED Query.b",
            "DANGEROUS VALUE_ADDED_TO_ENUM E.B",
            "SAFE TYPE_ADDED A",
            "SAFE FIELD_TYPE_NARROWED Query.c",
        ]
    );
}

#[test]
fn a_change_reads_as_one_line() {
    let found = changes("type Query { a: Int! }", "type Query { a: Int }").expect("two schemas");
    assert_eq!(
        found[0].to_string(),
        "BREAKING FIELD_CHANGED_KIND Query.a: its type was `Int!` and is `Int`"
    );
    assert_eq!(found[0].code, ChangeCode::FieldChangedKind);
    assert_eq!(found[0].level, Level::Breaking);
}

#[test]
fn an_unreadable_schema_is_told_by_its_side() {
    let good = "type Query { a: Int }";
    let error = changes(good, "type Query { a: Unknown }").expect_err("no schema");
    assert_eq!(error.side, Side::New);
    assert!(error.message.starts_with("1:17: "), "{error}");
    assert!(
        error.to_string().starts_with("the new schema cannot be read: "),
        "{error}"
    );
    let error = changes("type Query {", good).expect_err("no schema");
    assert_eq!(error.side, Side::Old);
    let error = changes(good, &"?\n".repeat(9)).expect_err("no schema");
    assert_eq!(error.message.lines().count(), 6, "{error}");
    assert!(error.message.ends_with(" more"), "{error}");
}

//! Sets that do not compose.

use super::{Case, case};

pub(super) static CASES: &[Case] = &[
    case("syntax", &[("a", "type Query { a: Int")]).refused(&["INVALID_GRAPHQL"])
        .unlike_oracle("the oracle takes parsed documents"),
    case("an unknown type", &[("a", "type Query { a: Nope }")]).refused(&["INVALID_GRAPHQL"]),
    case("defaults that are no values of their types", &[
        ("a", "type Query { a(x: E = C, y: [Int] = [1, \"2\"], z: I = {b: 1}, ok: [[E!]] = A, n: ID! = 3): Int } enum E { A B } \
               input I { a: Int! b: Float = 1 c: String = 2 }"),
    ])
    .refused(&["INVALID_GRAPHQL", "INVALID_GRAPHQL", "INVALID_GRAPHQL", "INVALID_GRAPHQL"])
    .has(&["Invalid default value (got: C) provided for argument Query.a(x:) of type E."]),
    case("a default that is no value of its type, where there are no queries", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! }"),
        ("b", "enum E { A } type T @key(fields: \"id\") { id: ID! x(e: E = B): Int }"),
    ])
    .refused(&["INVALID_GRAPHQL"])
    .has(&["Invalid default value (got: B) provided for argument T.x(e:) of type E."]),
    case("a directive that is not imported", &[
        ("a", "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\", import: [\"@key\"]) type Query { a: Int @shareable }"),
    ])
    .refused(&["INVALID_GRAPHQL"])
    .has(&["add \"@shareable\" to the `import` argument"]),
    case("an unknown import", &[
        ("a", "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\", import: [\"@nope\"]) type Query { a: Int }"),
    ])
    .refused(&["INVALID_LINK_DIRECTIVE_USAGE"]),
    case("an unknown federation version", &[
        ("a", "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.99\", import: [\"@key\"]) type Query { a: Int }"),
    ])
    .refused(&["UNKNOWN_FEDERATION_LINK_VERSION"]),
    case("no query", &[("a", "type T @key(fields: \"id\") { id: ID! }")]).refused(&["NO_QUERIES"]),
    case("a kind in each subgraph", &[
        ("a", "type Query { a: T } type T { x: Int }"),
        ("b", "type Query { b: T } scalar T"),
    ])
    .refused(&["TYPE_KIND_MISMATCH"]),
    case("a field that is not shareable", &[
        ("a", "type Query { a: Int }"),
        ("b", "type Query { a: Int @shareable }"),
    ])
    .refused(&["INVALID_FIELD_SHARING"])
    .has(&["Non-shareable field \"Query.a\" is resolved from multiple subgraphs"]),
    case("field types that do not fit", &[
        ("a", "type Query { a: Int @shareable }"),
        ("b", "type Query { a: String @shareable }"),
    ])
    .refused(&["FIELD_TYPE_MISMATCH"]),
    case("argument types that do not fit", &[
        ("a", "type Query { a(x: Int): Int @shareable }"),
        ("b", "type Query { a(x: String): Int @shareable }"),
    ])
    .refused(&["FIELD_ARGUMENT_TYPE_MISMATCH"]),
    case("argument defaults that differ", &[
        ("a", "type Query { a(x: Int = 1): Int @shareable }"),
        ("b", "type Query { a(x: Int = 2): Int @shareable }"),
    ])
    .refused(&["FIELD_ARGUMENT_DEFAULT_MISMATCH"]),
    case("input defaults that differ", &[
        ("a", "type Query { a(x: I): Int } input I { x: Int = 1 }"),
        ("b", "type Query { b(x: I): Int } input I { x: Int = 2 }"),
    ])
    .refused(&["INPUT_FIELD_DEFAULT_MISMATCH"]),
    case("a required argument that one subgraph lacks", &[
        ("a", "type Query { a(x: Int!): Int @shareable }"),
        ("b", "type Query { a: Int @shareable }"),
    ])
    .refused(&["REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH"]),
    case("a required input field that one subgraph lacks", &[
        ("a", "type Query { a(x: I): Int } input I { x: Int! y: Int }"),
        ("b", "type Query { b(x: I): Int } input I { y: Int }"),
    ])
    .refused(&["REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH"]),
    case("input types with nothing in common", &[
        ("a", "type Query { a(x: I): Int } input I { x: Int }"),
        ("b", "type Query { b(x: I): Int } input I { y: Int }"),
    ])
    .refused(&["EMPTY_MERGED_INPUT_TYPE"]),
    case("an enum of input with nothing in common", &[
        ("a", "type Query { a(x: E): Int } enum E { A }"),
        ("b", "type Query { b(x: E): Int } enum E { B }"),
    ])
    .refused(&["EMPTY_MERGED_ENUM_TYPE"]),
    case("an enum for both that differs", &[
        ("a", "type Query { a(x: E): E } enum E { A }"),
        ("b", "type Query { b: E } enum E { A B }"),
    ])
    .refused(&["ENUM_VALUE_MISMATCH"]),
    case("an external field that nothing uses", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! x: Int }"),
        ("b", "type T @key(fields: \"id\") { id: ID! x: Int @external }"),
    ])
    .refused(&["EXTERNAL_UNUSED"]),
    case("an external field that nobody has", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! }"),
        ("b", "type T @key(fields: \"id\") { id: ID! x: Int @external y: Int @requires(fields: \"x\") }"),
    ])
    .refused(&["EXTERNAL_MISSING_ON_BASE"]),
    case("an external field of another type", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! x: Int }"),
        ("b", "type T @key(fields: \"id\") { id: ID! x: String @external y: Int @requires(fields: \"x\") }"),
    ])
    .refused(&["EXTERNAL_TYPE_MISMATCH"])
    .unlike_oracle("the oracle reports FIELD_TYPE_MISMATCH as well, which is for fields that are resolved"),
    case("an external field that must not be null, where it may be", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! x: Int }"),
        ("b", "type T @key(fields: \"id\") { id: ID! x: Int! @external y: Int @requires(fields: \"x\") }"),
    ])
    .refused(&["EXTERNAL_TYPE_MISMATCH"]),
    case("an external field without an argument", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! x(a: Int): Int }"),
        ("b", "type T @key(fields: \"id\") { id: ID! x: Int @external y: Int @requires(fields: \"x\") }"),
    ])
    .refused(&["EXTERNAL_ARGUMENT_MISSING"]),
    case("an external field of an interface", &[
        ("a", "type Query { t: T } interface T { x: Int @external }  type U implements T { x: Int }"),
    ])
    .refused(&["EXTERNAL_ON_INTERFACE"])
    .unlike_oracle("the oracle ignores it; EXTERNAL_ON_INTERFACE is a published code"),
    case("a tag on an external field", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! x: Int }"),
        ("b", "type T @key(fields: \"id\") { id: ID! x: Int @external @tag(name: \"a\") y: Int @requires(fields: \"x\") }"),
    ])
    .refused(&["MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL"]),
    case("a key of unknown fields", &[
        ("a", "type Query { t: T } type T @key(fields: \"nope\") { id: ID! }"),
    ])
    .refused(&["KEY_INVALID_FIELDS"]),
    case("a key that does not parse", &[
        ("a", "type Query { t: T } type T @key(fields: \"id {\") { id: ID! }"),
    ])
    .refused(&["KEY_INVALID_FIELDS"]),
    case("a key that is no string", &[
        ("a", "type Query { t: T } type T @key(fields: [\"id\"]) { id: ID! }"),
    ])
    .refused(&["KEY_INVALID_FIELDS_TYPE"]),
    case("a key with arguments", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id(x: Int): ID! }"),
    ])
    .refused(&["KEY_FIELDS_HAS_ARGS"]),
    case("a key that selects a list", &[
        ("a", "type Query { t: T } type T @key(fields: \"ids\") { ids: [ID!]! }"),
    ])
    .refused(&["KEY_FIELDS_SELECT_INVALID_TYPE"])
    .unlike_oracle("the published code covers lists, interfaces and unions; the oracle lets lists pass"),
    case("a key with directives", &[
        ("a", "type Query { t: T } type T @key(fields: \"id @tag(name: \\\"a\\\")\") { id: ID! }"),
    ])
    .refused(&["KEY_DIRECTIVE_IN_FIELDS_ARG"])
    .unlike_oracle("KEY_DIRECTIVE_IN_FIELDS_ARG is the published code, for any directive"),
    case("a key of an interface before 2.3", &[
        ("a", "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.2\", import: [\"@key\"]) type Query { t: T } interface T @key(fields: \"id\") { id: ID! } type U implements T @key(fields: \"id\") { id: ID! }"),
    ])
    .refused(&["KEY_UNSUPPORTED_ON_INTERFACE"]),
    case("requires of unknown fields", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! y: Int @requires(fields: \"x\") }"),
    ])
    .refused(&["REQUIRES_INVALID_FIELDS"]),
    case("requires of a field that is not external", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! x: Int y: Int @requires(fields: \"x\") }"),
    ])
    .refused(&["REQUIRES_FIELDS_MISSING_EXTERNAL"]),
    case("provides of unknown fields", &[
        ("a", "type Query { t: T @provides(fields: \"x\") } type T @key(fields: \"id\") { id: ID! }"),
    ])
    .refused(&["PROVIDES_INVALID_FIELDS"]),
    case("provides of a field that is not external", &[
        ("a", "type Query { t: T @provides(fields: \"x\") } type T @key(fields: \"id\") { id: ID! x: Int }"),
    ])
    .refused(&["PROVIDES_FIELDS_MISSING_EXTERNAL"]),
    case("provides on a leaf", &[
        ("a", "type Query { t: Int @provides(fields: \"x\") }"),
    ])
    .refused(&["PROVIDES_ON_NON_OBJECT_FIELD"]),
    case("provides with arguments", &[
        ("a", "type Query { t: T @provides(fields: \"x\") u: T } type T @key(fields: \"id\") { id: ID! x(a: Int): Int @external }"),
        ("b", "type T @key(fields: \"id\") { id: ID! x(a: Int): Int @shareable }"),
    ])
    .refused(&["PROVIDES_FIELDS_HAS_ARGS"]),
    case("override from itself", &[
        ("a", "type Query { t: Int @override(from: \"a\") }"),
    ])
    .refused(&["OVERRIDE_FROM_SELF_ERROR"]),
    case("override of an override", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! x: Int @override(from: \"b\") }"),
        ("b", "type T @key(fields: \"id\") { id: ID! x: Int @override(from: \"a\") }"),
    ])
    .refused(&["OVERRIDE_SOURCE_HAS_OVERRIDE", "OVERRIDE_SOURCE_HAS_OVERRIDE"]),
    case("override of a field that is itself taken over", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! x: Int @override(from: \"b\") }"),
        ("b", "type T @key(fields: \"id\") { id: ID! x: Int @override(from: \"c\") }"),
        ("c", "type T @key(fields: \"id\") { id: ID! }"),
    ])
    .refused(&["OVERRIDE_SOURCE_HAS_OVERRIDE"])
    .unlike_oracle("OVERRIDE_SOURCE_HAS_OVERRIDE: the overridden field may not have @override; the oracle sees circles only"),
    case("provides of a field that its owner does not share", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! x: Int }"),
        ("b", "type Query { u: T @provides(fields: \"x\") } type T @key(fields: \"id\") { id: ID! x: Int @external }"),
    ])
    .refused(&["INVALID_FIELD_SHARING"])
    .unlike_oracle("a provided field is resolved in two subgraphs: its owners must mark it @shareable or @external"),
    case("override of a field that requires", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! x: Int @requires(fields: \"y\") y: Int @external }"),
        ("b", "type T @key(fields: \"id\") { id: ID! y: Int x: Int @override(from: \"a\") }"),
    ])
    .refused(&["OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE"])
    .unlike_oracle("the code is published for overridden fields with @external, @provides or @requires, too"),
    case("override of an external field", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! x: Int }"),
        ("b", "type T @key(fields: \"id\") { id: ID! x: Int @external @override(from: \"a\") y: Int @requires(fields: \"x\") }"),
    ])
    .refused(&["OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE"]),
    case("override with a bad label", &[
        ("a", "type Query { t: Int @shareable }"),
        ("b", "type Query { t: Int @override(from: \"a\", label: \"percent(200)\") }"),
    ])
    .refused(&["OVERRIDE_LABEL_INVALID"]),
    case("override on an interface", &[
        ("a", "type Query { t: T } interface T { x: Int @override(from: \"b\") } type U implements T { x: Int }"),
    ])
    .refused(&["OVERRIDE_ON_INTERFACE"]),
    case("shareable on an interface", &[
        ("a", "type Query { t: T } interface T { x: Int @shareable } type U implements T { x: Int }"),
    ])
    .refused(&["INVALID_SHAREABLE_USAGE"]),
    case("a shared subscription", &[
        ("a", "type Query { a: Int } type Subscription { s: Int @shareable }"),
        ("b", "type Subscription { s: Int @shareable }"),
    ])
    .refused(&["INVALID_FIELD_SHARING"]),
    case("a shared field whose worlds have nothing in common", &[
        ("a", "type Query { u: U @shareable } union U = X type X { x: Int }"),
        ("b", "type Query { u: U @shareable } union U = Y type Y { y: Int }"),
    ])
    .refused(&["SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES"])
    .unlike_oracle("the oracle does not look at runtime types"),
    case("an interface field that an implementation lacks", &[
        ("a", "type Query { n: N } interface N { id: ID! x: Int } type X implements N @key(fields: \"id\") { id: ID! x: Int }"),
        ("b", "type Query { m: N } interface N { id: ID! } type Y implements N @key(fields: \"id\") { id: ID! }"),
    ])
    .refused(&["INTERFACE_FIELD_NO_IMPLEM"]),
    case("an interface key that an implementation lacks", &[
        ("a", "type Query { n: N } interface N @key(fields: \"id\") { id: ID! } type X implements N { id: ID! }"),
    ])
    .refused(&["INTERFACE_KEY_NOT_ON_IMPLEMENTATION"]),
    case("an interface key in a subgraph that lacks an implementation", &[
        ("a", "type Query { n: N } interface N @key(fields: \"id\") { id: ID! } type X implements N @key(fields: \"id\") { id: ID! }"),
        ("b", "type Query { m: N } interface N { id: ID! } type Y implements N @key(fields: \"id\") { id: ID! }"),
    ])
    .refused(&["INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE"])
    .unlike_oracle("the oracle only looks when a subgraph has no implementation at all"),
    case("interface objects everywhere", &[
        ("a", "type Query { n: N } type N @interfaceObject @key(fields: \"id\") { id: ID! }"),
    ])
    .refused(&["INTERFACE_OBJECT_USAGE_ERROR"]),
    case("an interface object without a key", &[
        ("a", "type Query { n: N } type N @interfaceObject { id: ID! }"),
    ])
    .refused(&["INTERFACE_OBJECT_USAGE_ERROR"]),
    case("an interface object beside its implementations", &[
        ("a", "type Query { n: N } interface N @key(fields: \"id\") { id: ID! } type X implements N @key(fields: \"id\") { id: ID! }"),
        ("b", "type N @interfaceObject @key(fields: \"id\") { id: ID! y: Int } type X @key(fields: \"id\") { id: ID! }"),
    ])
    .refused(&["INTERFACE_OBJECT_USAGE_ERROR"])
    .unlike_oracle("a subgraph abstracts from the implementations or knows them; the oracle lets both pass"),
    case("a changed definition of a federation directive", &[
        ("a", "#1\n directive @key(id: Int) repeatable on OBJECT type Query { t: T } type T @key(id: 1) { id: ID! }"),
    ])
    .refused(&["DIRECTIVE_DEFINITION_INVALID"])
    .unlike_oracle("the oracle adds that the directive is there twice"),
    case("field sets that are no scalar", &[
        ("a", "#1\n type _FieldSet { a: Int } type Query { t: Int }"),
    ])
    .refused(&["TYPE_DEFINITION_INVALID"])
    .unlike_oracle("TYPE_DEFINITION_INVALID is published for all federation types"),
    case("an extension of nothing", &[
        ("a", "type Query { t: T } extend type T @key(fields: \"id\") { id: ID! }"),
    ])
    .refused(&["EXTENSION_WITH_NO_BASE"]),
    case("a visible field of a hidden type", &[
        ("a", "type Query { t: T u: Int } type T @inaccessible { x: Int }"),
    ])
    .refused(&["REFERENCED_INACCESSIBLE"]),
    case("a visible type of hidden fields", &[
        ("a", "type Query { t: T } type T { x: Int @inaccessible }"),
    ])
    .refused(&["ONLY_INACCESSIBLE_CHILDREN"]),
    case("a hidden argument that is required", &[
        ("a", "type Query { t(x: Int! @inaccessible): Int }"),
    ])
    .refused(&["REQUIRED_INACCESSIBLE"]),
    case("a hidden field of a visible interface", &[
        ("a", "type Query { n: N } interface N { x: Int y: Int } type X implements N { x: Int @inaccessible y: Int }"),
    ])
    .refused(&["IMPLEMENTED_BY_INACCESSIBLE"]),
    case("a default of a hidden type", &[
        ("a", "type Query { t(x: E = A): Int } enum E @inaccessible { A B }"),
    ])
    .refused(&["DEFAULT_VALUE_USES_INACCESSIBLE", "REFERENCED_INACCESSIBLE"]),
    case("a default that uses a hidden value", &[
        ("a", "type Query { t(x: E = A): Int } enum E { A @inaccessible B }"),
    ])
    .refused(&["DEFAULT_VALUE_USES_INACCESSIBLE"]),
    case("a hidden query root", &[("a", "type Query @inaccessible { t: Int }")])
        .refused(&["QUERY_ROOT_TYPE_INACCESSIBLE"]),
    case("authorisation on an interface", &[
        ("a", "type Query { n: N } interface N @authenticated { x: Int } type X implements N { x: Int }"),
    ])
    .refused(&["AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE"]),
    case("requires that goes around authorisation", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! x: Int @authenticated }"),
        ("b", "type T @key(fields: \"id\") { id: ID! x: Int @external y: Int @requires(fields: \"x\") }"),
    ])
    .refused(&["MISSING_TRANSITIVE_AUTH_REQUIREMENTS"]),
    case("a size for what is no list", &[
        ("a", "type Query { a: Int @listSize(assumedSize: 3) }"),
    ])
    .refused(&["LIST_SIZE_APPLIED_TO_NON_LIST"])
    .unlike_oracle("LIST_SIZE_APPLIED_TO_NON_LIST is the published code"),
    case("a negative size", &[
        ("a", "type Query { a: [Int] @listSize(assumedSize: -3) }"),
    ])
    .refused(&["LIST_SIZE_INVALID_ASSUMED_SIZE"]),
    case("a slicing argument that is none", &[
        ("a", "type Query { a(first: String): [Int] @listSize(slicingArguments: [\"first\"]) }"),
    ])
    .refused(&["LIST_SIZE_INVALID_SLICING_ARGUMENT"]),
    case("a sized field that is no list", &[
        ("a", "type Query { a: C @listSize(sizedFields: [\"items\"]) } type C { items: Int }"),
    ])
    .refused(&["LIST_SIZE_APPLIED_TO_NON_LIST"]),
    case("a sized field that is none", &[
        ("a", "type Query { a: C @listSize(sizedFields: [\"nope\"]) } type C { items: Int }"),
    ])
    .refused(&["LIST_SIZE_INVALID_SIZED_FIELD"]),
    case("a value type with a field of its own", &[
        ("a", "type Query { a: V } type V @shareable { x: Int }"),
        ("b", "type Query { b: V } type V @shareable { x: Int y: Int }"),
    ])
    .refused(&["SATISFIABILITY_ERROR"]),
    case("an overridden key field leads nowhere", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! a: Int }"),
        ("b", "type T @key(fields: \"id\") { id: ID! @override(from: \"a\") b: Int }"),
    ])
    .refused(&["SATISFIABILITY_ERROR", "SATISFIABILITY_ERROR"]),
    case("cost on an interface field", &[
        ("a", "type Query { n: N } interface N { x: Int @cost(weight: 3) } type X implements N { x: Int }"),
    ])
    .refused(&["COST_APPLIED_TO_INTERFACE_FIELD"]),
    case("composing a directive that is not linked", &[
        ("a", "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\", import: [\"@composeDirective\"]) @composeDirective(name: \"@rate\") directive @rate on FIELD_DEFINITION type Query { q: Int @rate }"),
    ])
    .refused(&["DIRECTIVE_COMPOSITION_ERROR"]),
    case("context is not supported", &[
        ("a", "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.8\", import: [\"@context\", \"@fromContext\"]) type Query { q: Int }"),
    ])
    .refused(&["UNSUPPORTED_FEATURE", "UNSUPPORTED_FEATURE"])
    .unlike_oracle("we do not support @context, and say so"),
    case("a root type name that is taken", &[
        ("a", "schema { query: Root } type Root { a: Int } type Query { b: Int }"),
    ])
    .refused(&["ROOT_QUERY_USED"]),
    case("a reserved subgraph name", &[("__a", "type Query { a: Int }")])
        .refused(&["INVALID_SUBGRAPH_NAME"]).unlike_oracle("INVALID_SUBGRAPH_NAME is a published code"),
    case("a subgraph name that has to be escaped", &[("a\"b", "type Query { a: Int }"), ("c\u{8}", "type Query { b: Int }")])
        .refused(&["INVALID_SUBGRAPH_NAME", "INVALID_SUBGRAPH_NAME"])
        .unlike_oracle("INVALID_SUBGRAPH_NAME is a published code"),
    case("a field out of reach", &[
        ("a", "type Query { t: T } type T { id: ID! @shareable }"),
        ("b", "type Query { b: Int } type T { id: ID! @shareable name: String }"),
    ])
    .refused(&["SATISFIABILITY_ERROR"])
    .has(&["{ t { name } }", "from subgraph \"a\"", "cannot find field \"T.name\"", "has no @key defined in subgraph \"b\""]),
    case("fields that must move together and do not", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! v: V } type V { w: Int @shareable x: Int }"),
        ("b", "type T @key(fields: \"id\") { id: ID! v: V @override(from: \"a\", label: \"one\") } type V { w: Int @shareable x: Int @override(from: \"a\", label: \"two\") }"),
    ])
    .refused(&["SATISFIABILITY_ERROR"]),
    case("a requirement of a subgraph that cannot be asked again", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\", resolvable: false) { id: ID! x: Int }"),
        ("b", "type T @key(fields: \"id\") { id: ID! x: Int @external y: Int @requires(fields: \"x\") }"),
    ])
    .refused(&["SATISFIABILITY_ERROR"]),
    case("a key that cannot be had", &[
        ("a", "type Query { t(id: ID!): T } type T @key(fields: \"id\") { id: ID! }"),
        ("b", "type T @key(fields: \"upc\") { upc: ID! name: String }"),
    ])
    .refused(&["SATISFIABILITY_ERROR", "SATISFIABILITY_ERROR"])
    .has(&["t(id: \"<any id>\")", "cannot move to subgraph \"b\" using @key(fields: \"upc\")"]),
    case("requirements in a circle", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! x: Int @requires(fields: \"y\") y: Int @external }"),
        ("b", "type T @key(fields: \"id\") { id: ID! y: Int @requires(fields: \"x\") x: Int @external }"),
    ])
    .refused(&["SATISFIABILITY_ERROR", "SATISFIABILITY_ERROR"])
    .unlike_oracle("the oracle runs out of stack"),
    case("a subgraph of references alone", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! }"),
        ("b", "type T @key(fields: \"id\", resolvable: false) { id: ID! name: String }"),
    ])
    .refused(&["SATISFIABILITY_ERROR"])
    .has(&["none of the @key defined on type \"T\" in subgraph \"b\" are resolvable"]),
];

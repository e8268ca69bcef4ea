//! Sets that compose.

use super::{Case, case};

pub(super) static CASES: &[Case] = &[
    case("a single subgraph", &[("a", "type Query { a: Int }")]).has(&["a: Int"]),
    case("an entity over two subgraphs", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! a: Int }"),
        ("b", "type T @key(fields: \"id\") { id: ID! b: Int }"),
    ])
    .has(&[
        "@join__type(graph: A, key: \"id\") @join__type(graph: B, key: \"id\")",
        "id: ID! a: Int @join__field(graph: A) b: Int @join__field(graph: B)",
    ]),
    case("several keys lead from one to the next", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! }"),
        ("b", "type T @key(fields: \"id\") @key(fields: \"upc\") { id: ID! upc: ID! }"),
        ("c", "type T @key(fields: \"upc\") { upc: ID! c: Int }"),
    ])
    .query("{ t { c } }"),
    case("compound and nested keys", &[
        ("a", "type Query { t: T } type T @key(fields: \"id org { id region { code } }\") { id: ID! org: Org! } type Org { id: ID! region: Region! } type Region { code: Int! }"),
        ("b", "type T @key(fields: \"id, org{id region{code}}\") { id: ID! org: Org! b: Int } type Org { id: ID! region: Region! } type Region { code: Int! }"),
    ])
    .has(&["key: \"id org { id region { code } }\""])
    .query("{ t { b } }"),
    case("a key that is not resolvable is a reference", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\", resolvable: false) { id: ID! }"),
        ("b", "type T @key(fields: \"id\") { id: ID! b: Int }"),
    ])
    .has(&["@join__type(graph: A, key: \"id\", resolvable: false)"])
    .query("{ t { b } }"),
    case("a shareable value type", &[
        ("a", "type Query { a: Money } type Money @shareable { amount: Int! currency: String }"),
        ("b", "type Query { b: Money } type Money { amount: Int @shareable currency: String @shareable }"),
    ])
    .has(&["amount: Int @join__field(graph: A, type: \"Int!\") @join__field(graph: B, type: \"Int\")"]),
    case("a hidden field need not be in reach", &[
        ("a", "type Query { a: V } type V @shareable { x: Int }"),
        ("b", "type Query { b: V } type V @shareable { x: Int y: Int @inaccessible }"),
    ]),
    case("requires with external fields", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! w: Int dims: Dims } type Dims { h: Int }"),
        ("b", "type T @key(fields: \"id\") { id: ID! w: Int @external dims: Dims @external cost: Int @requires(fields: \"w dims { h }\") } type Dims { h: Int @external }"),
    ])
    .has(&["requires: \"w dims { h }\""])
    .query("{ t { cost } }"),
    case("requires through arguments", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! price(currency: String): Int }"),
        ("b", "type T @key(fields: \"id\") { id: ID! price(currency: String): Int @external cost: Int @requires(fields: \"price(currency: \\\"EUR\\\")\") }"),
    ]),
    case("requires with fragments", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! u: U } interface U { x: Int } type P implements U { x: Int p: Int } type Q implements U { x: Int q: Int }"),
        ("b", "type T @key(fields: \"id\") { id: ID! u: U @external cost: Int @requires(fields: \"u { x ... on P { p } }\") } interface U { x: Int } type P implements U { x: Int @external p: Int @external } type Q implements U { x: Int @external }"),
    ]),
    case("provides", &[
        ("a", "type Query { t: T u: U } type T @key(fields: \"id\") { id: ID! name: String @shareable } type U @key(fields: \"id\") { id: ID! }"),
        ("b", "type T @key(fields: \"id\") { id: ID! name: String @external } type U @key(fields: \"id\") { id: ID! t: T @provides(fields: \"name\") }"),
    ])
    .has(&["provides: \"name\"", "@join__field(graph: B, external: true)"])
    .query("{ u { t { name } } }"),
    case("provides on an interface field of a union", &[
        ("a", "type Query { m: [M] @shareable } union M = P | Q type P @key(fields: \"id\") { id: ID! n: String @shareable } type Q @key(fields: \"id\") { id: ID! }"),
        ("b", "type Query { m2: [M] @provides(fields: \"... on P { n }\") } union M = P | Q type P @key(fields: \"id\") { id: ID! n: String @external } type Q @key(fields: \"id\") { id: ID! }"),
    ]),
    case("override moves a field", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! x: Int y: Int }"),
        ("b", "type T @key(fields: \"id\") { id: ID! x: Int @override(from: \"a\") }"),
    ])
    .has(&["x: Int @join__field(graph: B, override: \"a\")"])
    .query("{ t { x y } }"),
    case("a gradual override keeps both", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! x: Int }"),
        ("b", "type T @key(fields: \"id\") { id: ID! x: Int @override(from: \"a\", label: \"percent(25)\") }"),
    ])
    .has(&["overrideLabel: \"percent(25)\""]),
    case("fields that move together by one label", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") { id: ID! v: V } type V { w: Int @shareable x: Int }"),
        ("b", "type T @key(fields: \"id\") { id: ID! v: V @override(from: \"a\", label: \"one\") } type V { w: Int @shareable x: Int @override(from: \"a\", label: \"one\") }"),
    ])
    .query("{ t { v { x } } }"),
    case("an overridden key field stays in its subgraph", &[
        ("a", "type T @key(fields: \"id\") { id: ID! a: Int }"),
        ("b", "type Query { t: T } type T @key(fields: \"id\") { id: ID! @override(from: \"a\") b: Int }"),
    ])
    .has(&["id: ID! @join__field(graph: A, usedOverridden: true) @join__field(graph: B, override: \"a\")"])
    .query("{ t { a } }"),
    case("inaccessible and tags", &[
        ("a", "type Query { t: T @tag(name: \"x\") h: Hidden @inaccessible } type T @tag(name: \"y\") @tag(name: \"x\") { id: ID! @tag(name: \"a\") s: Int @inaccessible } type Hidden @inaccessible { x: Int }"),
    ])
    .has(&["@tag(name: \"y\") @tag(name: \"x\")", "s: Int @inaccessible", "https://specs.apollo.dev/inaccessible/v0.2"]),
    case("what is visible of inaccessible interfaces and unions", &[
        ("a", "type Query { t: T u: U } interface N @inaccessible { id: ID! } type T implements N { id: ID! } type H @inaccessible { x: Int } union U = T | H"),
    ])
    .has(&["T implements N", "union U"]),
    case("interfaces merge their fields and implementations", &[
        ("a", "type Query { n: N } interface N { id: ID! } type X implements N @key(fields: \"id\") { id: ID! }"),
        ("b", "type Query { n2: N } interface N { id: ID! } type Y implements N @key(fields: \"id\") { id: ID! }"),
    ])
    .has(&["@join__implements(graph: A, interface: \"N\")"]),
    case("an interface that implements an interface", &[
        ("a", "type Query { n: N } interface N { id: ID! } interface M implements N { id: ID! x: Int } type X implements N & M { id: ID! x: Int }"),
    ])
    .has(&["interface M implements N @join__type(graph: A) @join__implements(graph: A, interface: \"N\")"]),
    case("unions merge their members", &[
        ("a", "type Query { u: U } union U = X | Y type X @shareable { x: Int } type Y @shareable { x: Int }"),
        ("b", "type Query { v: U } union U = X | Z type X @shareable { x: Int } type Z { x: Int }"),
    ])
    .has(&["@join__unionMember(graph: A, member: \"Y\")", "@join__unionMember(graph: B, member: \"Z\") = X | Y | Z"]),
    case("an enum of output is a union", &[
        ("a", "type Query { e: E } enum E { A B }"),
        ("b", "type Query { f: E } enum E { B C }"),
    ])
    .has(&["B @join__enumValue(graph: A) @join__enumValue(graph: B)", "C @join__enumValue(graph: B)"]),
    case("an enum of input is an intersection", &[
        ("a", "type Query { a(e: E): Int } enum E { A B }"),
        ("b", "type Query { b(e: E): Int } enum E { B C }"),
    ])
    .has(&["enum E @join__type(graph: A) @join__type(graph: B) { B @join__enumValue"]),
    case("input types are an intersection", &[
        ("a", "type Query { a(i: I): Int } input I { x: Int! y: Int }"),
        ("b", "type Query { b(i: I): Int } input I { x: Int z: Int = 3 }"),
    ])
    .has(&["input I @join__type(graph: A) @join__type(graph: B) { x: Int! @join__field(graph: A, type: \"Int!\") @join__field(graph: B, type: \"Int\") }"]),
    case("arguments take the stricter type and drop what is not everywhere", &[
        ("a", "type Query { q(x: Int!, y: Int): Int @shareable }"),
        ("b", "type Query { q(x: Int): Int @shareable }"),
    ])
    .has(&["q(x: Int!): Int"])
    .query("{ q(x: 1) }"),
    case("field types take the more general type", &[
        ("a", "type Query { q: [Int!]! @shareable n: X @shareable } interface N { i: Int } type X implements N @shareable { i: Int }"),
        ("b", "type Query { q: [Int] @shareable n: N @shareable } interface N { i: Int } type X implements N @shareable { i: Int }"),
    ])
    .has(&["q: [Int] @join__field(graph: A, type: \"[Int!]!\")", "n: N @join__field(graph: A, type: \"X\")"])
    .unlike_oracle("the more general type is the interface, and each subgraph's own type is part of join"),
    case("defaults, deprecations and descriptions", &[
        ("a", "type Query { \"asks\" q(x: Int = 1): Int @shareable @deprecated(reason: \"old\") } "),
        ("b", "type Query { \"asks\" q(x: Int = 1): Int @shareable }"),
    ])
    .has(&["q(x: Int = 1): Int @deprecated(reason: \"old\")", "\"\"\"asks\"\"\""]),
    case("a default in one subgraph only is dropped", &[
        ("a", "type Query { q(x: Int = 1): Int @shareable }"),
        ("b", "type Query { q(x: Int): Int @shareable }"),
    ])
    .has(&["q(x: Int): Int"])
    .unlike_oracle("INCONSISTENT_DEFAULT_VALUE_PRESENCE: arguments merge as an intersection, defaults too"),
    case("custom scalars", &[
        ("a", "type Query { d: Date } scalar Date @specifiedBy(url: \"https://x.y\")"),
        ("b", "type Query { e: Date } scalar Date @specifiedBy(url: \"https://x.y\")"),
    ])
    .has(&["scalar Date @join__type(graph: A) @join__type(graph: B) @specifiedBy(url: \"https://x.y\")"]),
    case("authorisation is combined", &[
        ("a", "type Query { t: T } type T @key(fields: \"id\") @authenticated { id: ID! x: Int @shareable @requiresScopes(scopes: [[\"a\"], [\"b\"]]) }"),
        ("b", "type T @key(fields: \"id\") { id: ID! x: Int @shareable @requiresScopes(scopes: [[\"c\"]]) p: Int @policy(policies: [[\"p\"]]) }"),
    ])
    .has(&["@requiresScopes(scopes: [[\"a\", \"c\"], [\"b\", \"c\"]])", "@policy(policies: [[\"p\"]])", "https://specs.apollo.dev/policy/v0.1"]),
    case("authorisation passes on to interfaces", &[
        ("a", "type Query { n: N } interface N { id: ID! } type X implements N { id: ID! @authenticated } type Y implements N { id: ID! }"),
    ])
    .has(&["interface N @join__type(graph: A) { id: ID! @authenticated }"]),
    case("costs take the greatest", &[
        ("a", "type Query { q: [Int] @shareable @cost(weight: 3) @listSize(assumedSize: 5) }"),
        ("b", "type Query { q: [Int] @shareable @cost(weight: 7) @listSize(assumedSize: 50) }"),
    ])
    .has(&["@cost(weight: 7)", "assumedSize: 50"]),
    case("costs keep their names in the supergraph, whatever subgraphs call them", &[
        ("a", "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.9\", import: [{name: \"@cost\", as: \"@price\"}]) type Query { q(n: Int @price(weight: 2)): [T] @price(weight: 5) @federation__listSize(assumedSize: 9, slicingArguments: [\"n\"], requireOneSlicingArgument: false) } type T @price(weight: 4) { id: ID e: E s: S } enum E @price(weight: 6) { X } scalar S @price(weight: 8)"),
        ("b", "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.9\") type Query { r(i: I): [Int] @federation__listSize(assumedSize: 3) } input I { x: Int @federation__cost(weight: 7) }"),
    ])
    .has(&["@listSize(assumedSize: 9, slicingArguments: [\"n\"], requireOneSlicingArgument: false)", "@listSize(assumedSize: 3)", "n: Int @cost(weight: 2)", "@cost(weight: 5)", "@cost(weight: 4)", "@cost(weight: 6)", "@cost(weight: 8)", "x: Int @cost(weight: 7)"])
    .unlike_oracle("it gives the directives of the supergraph the name that subgraphs without an import use"),
    case("interface objects add fields to all implementations", &[
        ("a", "type Query { n: N } interface N @key(fields: \"id\") { id: ID! } type X implements N @key(fields: \"id\") { id: ID! } type Y implements N @key(fields: \"id\") { id: ID! y: Int }"),
        ("b", "type N @interfaceObject @key(fields: \"id\") { id: ID! added: Int } type Query { b: N }"),
    ])
    .has(&["isInterfaceObject: true", "added: Int @join__field"])
    .query("{ n { added ... on Y { y } } }"),
    case("custom directives are composed on demand", &[
        ("a", "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\", import: [\"@composeDirective\"]) @link(url: \"https://example.com/rate/v1.0\", import: [\"@rate\"]) @composeDirective(name: \"@rate\") directive @rate(limit: Int!) on FIELD_DEFINITION directive @mine on FIELD_DEFINITION type Query { q: Int @rate(limit: 3) @mine }"),
    ])
    .has(&["q: Int @rate(limit: 3)", "@link(url: \"https://example.com/rate/v1.0\", import: [\"@rate\"])", "directive @rate(limit: Int!) on FIELD_DEFINITION"]),
    case("directives for operations that all subgraphs know", &[
        ("a", "directive @live on QUERY | FIELD type Query { a: Int }"),
        ("b", "directive @live on QUERY type Query { b: Int }"),
    ])
    .has(&["directive @live on QUERY"]),
    case("names of the federation directives can change", &[
        ("a", "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\", as: \"fed\", import: [{name: \"@key\", as: \"@identity\"}]) type Query { t: T } type T @identity(fields: \"id\") { id: ID! x: Int @fed__shareable }"),
        ("b", "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\") type T @federation__key(fields: \"id\") { id: ID! x: Int @federation__shareable }"),
    ])
    .has(&["@join__type(graph: A, key: \"id\")"])
    .unlike_oracle("the oracle does not resolve an alias of the whole link for directives that are not imported"),
    case("root types can have other names", &[
        ("a", "schema { query: Root mutation: Change } extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\", import: [\"@key\"]) type Root { a: Int me: Root } type Change { a: Int }"),
        ("b", "type Query { b: Int }"),
    ])
    .has(&["me: Query @join__field(graph: A)", "mutation: Mutation"])
    .unlike_oracle("the oracle throws on a field of the renamed type"),
    case("federation's own queries are not part of the API", &[
        ("a", "type Query { a: T _service: _Service! _entities(representations: [_Any!]!): [_Entity]! } scalar _Any union _Entity = T type _Service { sdl: String } type T @key(fields: \"id\") { id: ID! }"),
    ]),
    case("federation 1 with extended entities", &[
        ("a", "#1\n type Query { t: T } type T @key(fields: \"id\") { id: ID! name: String v: V } type V { x: Int }"),
        ("b", "#1\n extend type T @key(fields: \"id\") { id: ID! @external name: String @external unused: Int @external b: Int @requires(fields: \"name\") v2: V } type V { x: Int } extend type Query { b: Int }"),
    ])
    .has(&["extension: true", "requires: \"name\""])
    .query("{ t { b } }"),
    case("federation 1 beside federation 2", &[
        ("a", "#1\n type Query { t: T } type T @key(fields: \"id\") { id: ID! v: V } type V { x: Int }"),
        ("b", "type T @key(fields: \"id\") { id: ID! b: V } type V @shareable { x: Int }"),
    ]),
    case("a mutation and a subscription", &[
        ("a", "type Query { a: Int } type Mutation { do(i: I!): Int } input I { a: [Int!]! = [1] } type Subscription { s: Int }"),
        ("b", "type Mutation { more: Int }"),
    ])
    .has(&["subscription: Subscription"]),
    case("names that clash as constants", &[
        ("a-b", "type Query { a: Int }"),
        ("a_b", "type Query { b: Int }"),
    ])
    .has(&["A_B_1 @join__graph(name: \"a-b\"", "A_B_2 @join__graph(name: \"a_b\""]),
];

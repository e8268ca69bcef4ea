//! Realistic sets of subgraphs.

use crate::cases::{Case, Oracle, Set};

/// All examples, for the oracle and the planner.
pub(crate) fn all() -> Vec<Case> {
    [
        ("shop", SHOP),
        ("habits", HABITS),
        ("federation 1", CLASSIC),
        ("media", MEDIA),
    ]
    .map(|(name, subgraphs)| Case {
        name,
        subgraphs,
        codes: &[],
        contains: &[],
        query: None,
        oracle: Oracle::Agrees,
    })
    .into()
}

/// A shop over four Federation 2 subgraphs.
pub(crate) const SHOP: Set = &[
    (
        "accounts",
        r#"
        extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@shareable", "@tag", "@inaccessible", "@authenticated", "@requiresScopes"])

        "Someone who buys."
        type User @key(fields: "id") @key(fields: "email") {
          id: ID!
          email: String! @authenticated
          name: String @tag(name: "public")
          birthday(format: DateFormat = ISO): Date
          password: String @inaccessible
          orders: Int @requiresScopes(scopes: [["read:orders"], ["admin"]])
        }
        scalar Date @specifiedBy(url: "https://example.com/date")
        enum DateFormat { ISO LONG }
        type Query { me: User  user(id: ID!): User }
        type Mutation { rename(id: ID!, name: String!): User  login(input: Login!): Token }
        input Login { email: String! password: String! remember: Boolean = false }
        type Token @shareable { value: String! expires: Int! }
        "#,
    ),
    (
        "inventory",
        r#"
        extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@external", "@requires", "@shareable"])
        type Product @key(fields: "upc") {
          upc: String!
          weight: Int @external
          price: Int @external
          inStock: Boolean
          shippingEstimate: Int @requires(fields: "price weight")
          dimensions: Dimensions @shareable
        }
        type Dimensions @shareable { size: String }
        "#,
    ),
    (
        "products",
        r#"
        extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])
        interface Item { upc: String! name: String }
        type Product implements Item @key(fields: "upc") @key(fields: "sku { code region }") {
          upc: String!
          sku: Sku!
          name: String
          price: Int
          weight: Int
          old: String @deprecated(reason: "use name")
        }
        type Sku @shareable { code: String! region: String! }
        type Book implements Item @key(fields: "upc") { upc: String! name: String isbn: String }
        union Hit = Product | Book
        type Query { topProducts(first: Int = 5): [Product]  search(text: String!): [Hit!]!  items: [Item!]! }
        "#,
    ),
    (
        "reviews",
        r#"
        extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@external", "@provides", "@shareable"])
        type Review @key(fields: "id") { id: ID! body: String author: User @provides(fields: "email") product: Product  rating: Rating! }
        enum Rating { GOOD BAD }
        type User @key(fields: "id") { id: ID! email: String! @external reviews: [Review!]! }
        type Product @key(fields: "upc") { upc: String! reviews(first: Int): [Review] }
        type Query { latest: [Review!]! }
        type Subscription { reviewAdded: Review }
        "#,
    ),
];

/// As async-graphql prints its subgraphs, with a directive of our own and rules of access.
pub(crate) const HABITS: Set = &[
    (
        "checkin",
        r#"
        type CheckIn @key(fields: "id") { id: ID! date: Date! habit: Habit! mood: Mood }
        scalar Date
        enum Mood { GOOD BAD }
        type Habit @key(fields: "id") {
          id: ID!
          rulesVersion: Int! @external
          stats: HabitStats! @requires(fields: "rulesVersion") @authenticated
          checkIns(first: Int, after: String): CheckInConnection! @policy(policies: [["checkins.read"]])
        }
        type HabitStats { currentStreak: Int! days: [Date!]! }
        type CheckInConnection { edges: [CheckInEdge!]! pageInfo: PageInfo! }
        type CheckInEdge { cursor: String! node: CheckIn! }
        type PageInfo @shareable { hasNextPage: Boolean! endCursor: String }
        type User @key(fields: "id", resolvable: true) { id: ID! stats: UserStats! }
        type UserStats { total: Int! }
        input CreateCheckInInput { habitId: ID! date: Date mood: Mood = GOOD }
        type Mutation { createCheckIn(input: CreateCheckInInput!): CheckIn! }
        type Query { checkIn(id: ID!): CheckIn today: [CheckIn!]! }
        directive @authenticated on FIELD_DEFINITION | OBJECT
        directive @policy(policies: [[String!]!]!) on FIELD_DEFINITION | OBJECT
        directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
        directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
        extend schema @link(
          url: "https://specs.apollo.dev/federation/v2.5",
          import: ["@key", "@tag", "@shareable", "@inaccessible", "@override", "@external", "@provides", "@requires", "@composeDirective", "@interfaceObject", "@requiresScopes"]
        )
        extend schema @link(url: "https://specs.apollo.dev/authenticated/v0.1", import: ["@authenticated"]) @composeDirective(name: "@authenticated")
        extend schema @link(url: "https://specs.apollo.dev/policy/v0.1", import: ["@policy"]) @composeDirective(name: "@policy")
        schema { query: Query mutation: Mutation }
        "#,
    ),
    (
        "habit",
        r#"
        type Habit @key(fields: "id") { id: ID! title: String! @since(version: "1") owner: User! rulesVersion: Int! schedule: Schedule! }
        union Schedule = Daily | Weekly
        type Daily { every: Int! }
        type Weekly { days: [Int!]! }
        type PageInfo @shareable { hasNextPage: Boolean! endCursor: String }
        type HabitConnection { nodes: [Habit!]! pageInfo: PageInfo! }
        type User @key(fields: "id") { id: ID! habits(first: Int = 20): HabitConnection! }
        input ScheduleInput @oneOf { daily: Int weekly: [Int!] }
        type Mutation { createHabit(title: String!, schedule: ScheduleInput): Habit! }
        type Query { habit(id: ID!): Habit }
        directive @since(version: String!) on FIELD_DEFINITION
        directive @oneOf on INPUT_OBJECT
        extend schema @link(
          url: "https://specs.apollo.dev/federation/v2.5",
          import: ["@key", "@tag", "@shareable", "@inaccessible", "@override", "@external", "@provides", "@requires", "@composeDirective", "@interfaceObject", "@requiresScopes"]
        )
        extend schema @link(url: "https://daka.dev/since/v1.0", import: ["@since"]) @composeDirective(name: "@since")
        schema { query: Query mutation: Mutation }
        "#,
    ),
    (
        "user",
        r#"
        type User @key(fields: "id") { id: ID! name: String! email: String @requiresScopes(scopes: [["email"], ["admin"]]) }
        type Query { me: User users(ids: [ID!]!): [User]! @requiresScopes(scopes: [["admin"]]) }
        type Subscription { userChanged(id: ID!): User! }
        extend schema @link(
          url: "https://specs.apollo.dev/federation/v2.5",
          import: ["@key", "@tag", "@shareable", "@inaccessible", "@override", "@external", "@provides", "@requires", "@composeDirective", "@interfaceObject", "@requiresScopes"]
        )
        schema { query: Query subscription: Subscription }
        "#,
    ),
];

/// Federation 1 throughout.
pub(crate) const CLASSIC: Set = &[
    (
        "accounts",
        "#1\n extend type Query { me: User } type User @key(fields: \"id\") { id: ID! name: String username: String }",
    ),
    (
        "products",
        "#1\n extend type Query { topProducts(first: Int = 5): [Product] } type Product @key(fields: \"upc\") { upc: String! name: String price: Int weight: Int }",
    ),
    (
        "inventory",
        "#1\n extend type Product @key(fields: \"upc\") { upc: String! @external weight: Int @external price: Int @external inStock: Boolean shippingEstimate: Int @requires(fields: \"price weight\") }",
    ),
    (
        "reviews",
        "#1\n type Review @key(fields: \"id\") { id: ID! body: String author: User @provides(fields: \"username\") product: Product } extend type User @key(fields: \"id\") { id: ID! @external username: String @external reviews: [Review] } extend type Product @key(fields: \"upc\") { upc: String! @external reviews: [Review] }",
    ),
];

/// Entity interfaces, interface objects and gradual overrides.
pub(crate) const MEDIA: Set = &[
    (
        "catalog",
        "type Query { media: [Media!]! featured: Book } interface Media @key(fields: \"id\") { id: ID! title: String! } type Book implements Media @key(fields: \"id\") { id: ID! title: String! pages: Int! isbn: String } type Film implements Media @key(fields: \"id\") { id: ID! title: String! minutes: Int! }",
    ),
    (
        "ratings",
        "type Media @interfaceObject @key(fields: \"id\") { id: ID! stars: Float ratings: [Rating!]! } type Rating { stars: Int! by: Person } type Person @key(fields: \"email\", resolvable: false) { email: String! }",
    ),
    (
        "people",
        "type Query { person(email: String!): Person } type Person @key(fields: \"email\") @key(fields: \"id\") { id: ID! email: String! @tag(name: \"private\") name: String! favourite: Media } type Media @interfaceObject @key(fields: \"id\", resolvable: false) { id: ID! }",
    ),
    (
        "books",
        "type Book @key(fields: \"id\") { id: ID! isbn: String @override(from: \"catalog\", label: \"percent(50)\") author: Person } type Person @key(fields: \"id\") { id: ID! wrote: [Book!]! }",
    ),
];

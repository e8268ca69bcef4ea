//! Costs by the examples of the specification and of Apollo Router, with their numbers.

mod property;

use std::sync::Arc;

use apollo_compiler::ast::Document;
use apollo_compiler::executable::ExecutableDocument;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Schema};
use serde_json::{Value, json};

use super::{Cost, Priced, Pricing, Weights};
use crate::selection::Case;
use crate::variables;

const DIRECTIVES: &str = r#"
    directive @cost(weight: String!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
    directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
"#;

const SHOP: &str = r#"
    type Query {
      top: Int @cost(weight: "5")
      found(near: Int @cost(weight: "10")): Int
      grade: Grade
      exact(input: Filter): Int
      hash: Hash
      photo: Photo
      words: [String!] @listSize(assumedSize: 2000, requireOneSlicingArgument: false)
      dear: [Hash] @listSize(assumedSize: 4)
      page(first: Int = 10, last: Int): Page @listSize(slicingArguments: ["first", "last"], sizedFields: ["items", "edges"], requireOneSlicingArgument: false)
      strict(first: Int, last: Int): [Item] @listSize(slicingArguments: ["first", "last"], assumedSize: 7)
      byIds(ids: [ID!]): [Item] @listSize(slicingArguments: ["ids"], assumedSize: 50, requireOneSlicingArgument: false)
      search(input: Search): [Item] @listSize(slicingArguments: ["input.page.first"], assumedSize: 25, requireOneSlicingArgument: false)
      deep(first: Int = 3): Deep @listSize(slicingArguments: ["first"], sizedFields: ["inner { items }"], requireOneSlicingArgument: false)
      items: [Item]
      grid: [[Item]]
      things: [Thing] @listSize(assumedSize: 3)
      one: Named
    }
    type Mutation { touch(id: ID!): Item  count: Int }
    enum Grade @cost(weight: "15") { GOOD BAD }
    scalar Hash @cost(weight: "30")
    scalar Any
    type Photo @cost(weight: "40") { id: ID  any: Any }
    input Filter { dear: Int @cost(weight: "20")  more: [Filter]  grade: Grade }
    input Search { page: Paging  text: String }
    input Paging { first: Int = 4 }
    type Page { items: [Item]  edges: [Edge]  other: [Item] }
    type Edge { node: Item }
    type Deep { inner: Page }
    interface Named { id: ID }
    type Item implements Named { id: ID  parts: [Item]  hash: Hash }
    type Cheap implements Named { id: ID }
    union Thing = Item | Cheap
"#;

/// How long a list counts of which nothing is said.
const LIST: u64 = 100;

struct Shop {
    schema: apollo_compiler::validation::Valid<Schema>,
    weights: Arc<Weights>,
}

impl Shop {
    fn of(sdl: &str) -> Self {
        let sdl = format!("{DIRECTIVES}{sdl}");
        let document = Document::parse(&sdl, "shop.graphql").unwrap();
        Self {
            schema: Schema::parse_and_validate(&sdl, "shop.graphql").unwrap(),
            weights: Arc::new(Weights::read(&document)),
        }
    }

    fn compiled(&self, query: &str) -> Cost {
        let document = ExecutableDocument::parse_and_validate(&self.schema, query, "query.graphql").unwrap();
        let possible = |name: &Name| match self.schema.types.get(name) {
            Some(ExtendedType::Union(union)) => {
                union.members.iter().map(|member| member.name.clone()).collect()
            }
            Some(ExtendedType::Interface(interface)) => self
                .schema
                .implementers_map()
                .get(&interface.name)
                .map(|all| all.objects.iter().cloned().collect())
                .unwrap_or_default(),
            _ => vec![name.clone()],
        };
        let pricing = Pricing {
            schema: &self.schema,
            weights: &self.weights,
            possible: &possible,
            list_size: LIST,
            max_fields: 10_000,
        };
        let operation = document.operations.get(None).unwrap();
        pricing.of(&document, operation, &Case::default()).unwrap()
    }

    fn priced(&self, query: &str, given: Value) -> Priced {
        let document = ExecutableDocument::parse_and_validate(&self.schema, query, "query.graphql").unwrap();
        let operation = document.operations.get(None).unwrap();
        let given = given.as_object().cloned().unwrap_or_default();
        let variables = variables::coerce(&self.schema, operation, &document.sources, given).unwrap();
        self.compiled(query).price(&variables)
    }
}

fn estimate(query: &str) -> u64 {
    estimate_with(query, json!({}))
}

fn estimate_with(query: &str, variables: Value) -> u64 {
    Shop::of(SHOP).priced(query, variables).estimate
}

fn actual(query: &str, answer: &Value) -> Option<u64> {
    let cost = Shop::of(SHOP).compiled(query);
    cost.actual(&cost.price(&Default::default()), answer.to_string().as_bytes())
}

#[test]
fn the_example_of_the_specification() {
    let shop = Shop::of(
        r#"type User { name: String  age: Int @cost(weight: "2.0") }
           type Query { users(max: Int): [User] @listSize(slicingArguments: ["max"]) }"#,
    );
    // Five users of 1, each with an age of 2.
    let query = "query Example { users(max: 5) { age } }";
    assert_eq!(shop.priced(query, json!({})).estimate, 15);
}

#[test]
fn an_object_costs_one_a_leaf_nothing_and_a_mutation_ten_more() {
    assert_eq!(estimate("{ one { id } }"), 1);
    assert_eq!(estimate("{ __typename __schema { types { name } } }"), 0);
    assert_eq!(estimate("mutation { count }"), 10);
    assert_eq!(estimate("mutation { touch(id: 1) { id } }"), 11);
    assert_eq!(estimate("{ items { id } }"), 100);
    assert_eq!(estimate("{ items { id parts { id } } }"), 100 * (1 + 100));
    assert_eq!(estimate("{ grid { id } }"), 100);
}

#[test]
fn weights_of_fields_arguments_types_and_inputs_add_up() {
    assert_eq!(estimate("{ top }"), 5);
    assert_eq!(estimate("{ found(near: 3) }"), 10);
    assert_eq!(estimate("{ found }"), 0);
    assert_eq!(estimate("{ found(near: null) }"), 0);
    assert_eq!(estimate("{ grade }"), 15);
    assert_eq!(estimate("{ hash }"), 30);
    assert_eq!(estimate("{ photo { id } }"), 40);
    assert_eq!(estimate("{ exact(input: {dear: 1}) }"), 1 + 20);
    assert_eq!(
        estimate("{ exact(input: {more: [{dear: 1}, {grade: GOOD}]}) }"),
        1 + 21 + 16
    );
    assert_eq!(estimate("{ words }"), 0);
    assert_eq!(estimate("{ dear }"), 4 * 30);
    let all = "{ top found(near: 3) grade exact(input: {dear: 10}) hash photo { id } words page(first: 5) { items { id } } }";
    assert_eq!(estimate(all), 127);
}

#[test]
fn variables_cost_what_literals_do() {
    let query = "query($near: Int, $input: Filter, $dear: Int) { found(near: $near) exact(input: $input) more: exact(input: {dear: $dear}) }";
    assert_eq!(estimate_with(query, json!({})), 1);
    let variables = json!({"near": 1, "input": {"more": [{"dear": 1}, {"grade": "GOOD"}]}, "dear": 2});
    assert_eq!(estimate_with(query, variables), 10 + 1 + 21 + 16 + 21);
    assert_eq!(estimate_with(query, json!({"near": null, "input": null})), 1);
}

#[test]
fn slicing_arguments_say_how_long_lists_get() {
    assert_eq!(
        estimate("{ page(first: 5) { items { id } edges { node { id } } other { id } } }"),
        1 + 5 + 5 * 2 + 100
    );
    // The default of the argument counts, and of several the greatest.
    assert_eq!(estimate("{ page { items { id } } }"), 1 + 10);
    assert_eq!(estimate("{ page(last: 30) { items { id } } }"), 1 + 30);
    assert_eq!(estimate("{ page(first: 0, last: null) { items { id } } }"), 1);
    assert_eq!(estimate("{ byIds(ids: [1, 2, 3]) { id } }"), 3);
    assert_eq!(estimate("{ byIds { id } }"), 50);
    assert_eq!(
        estimate("{ deep { inner { items { id } edges { node { id } } } } }"),
        1 + 1 + 3 + 100 * 2
    );
}

#[test]
fn slicing_arguments_may_be_variables_and_lie_within_inputs() {
    let query = "query($n: Int) { page(first: $n) { items { id } } }";
    for (variables, expected) in [
        (json!({"n": 7}), 8),
        (json!({}), 11),
        // A page without a first, and so without any size.
        (json!({"n": null}), 101),
        (json!({"n": -5}), 1),
        (json!({"n": i32::MAX}), 1 + 2_147_483_647),
    ] {
        assert_eq!(estimate_with(query, variables.clone()), expected, "{variables}");
    }
    let query = "query($ids: [ID!]) { byIds(ids: $ids) { id } }";
    assert_eq!(estimate_with(query, json!({"ids": ["a", "b"]})), 2);
    // Input objects cost 1 each.
    assert_eq!(estimate("{ search(input: {page: {first: 9}}) { id } }"), 2 + 9);
    assert_eq!(estimate("{ search(input: {page: {}}) { id } }"), 2 + 4);
    assert_eq!(
        estimate("{ search(input: {page: {first: null}}) { id } }"),
        2 + 25
    );
    let query = "query($input: Search, $page: Paging) { search(input: $input) { id } more: search(input: {page: $page}) { id } }";
    let given = json!({"input": {"page": {"first": 2}}, "page": {"first": 3}});
    assert_eq!(estimate_with(query, given), 2 + 2 + 2 + 3);
    let given = json!({"input": {"page": null}, "page": null});
    assert_eq!(estimate_with(query, given), 1 + 25 + 1 + 25);
}

#[test]
fn a_list_that_must_be_sliced_in_one_way_is_told_when_it_is_not() {
    let shop = Shop::of(SHOP);
    let fault = |query, variables| shop.priced(query, variables).fault;
    assert_eq!(fault("{ strict(first: 3) { id } }", json!({})), None);
    let none = fault("{ strict { id } }", json!({})).unwrap();
    insta::assert_snapshot!(none, @"Query.strict takes exactly one argument that limits it, and has 0");
    let both = "query($n: Int) { strict(first: 3, last: $n) { id } }";
    insta::assert_snapshot!(fault(both, json!({"n": 1})).unwrap(), @"Query.strict takes exactly one argument that limits it, and has 2");
    assert_eq!(fault(both, json!({"n": null})), None);
    // It costs something all the same.
    assert_eq!(estimate("{ strict { id } }"), 7);
}

#[test]
fn an_object_that_may_be_of_several_types_costs_what_the_costliest_does() {
    assert_eq!(
        estimate("{ things { ... on Item { hash } ... on Cheap { id } } }"),
        3 * (1 + 30)
    );
    assert_eq!(estimate("{ things { ... on Cheap { id } } }"), 3);
    assert_eq!(estimate("{ one { id ... on Item { hash more: hash } } }"), 1 + 60);
}

#[test]
fn a_field_that_is_selected_twice_costs_once() {
    let query = "{ photo { id } photo { any } ...F } fragment F on Query { photo { id } a: photo { id } }";
    assert_eq!(estimate(query), 80);
}

#[test]
fn what_is_too_large_to_count_is_the_greatest_number() {
    let query = "query($n: Int) { strict(first: $n) { ...L } }
        fragment L on Item { parts { parts { parts { parts { parts { parts { parts { parts { parts { id } } } } } } } } } }";
    assert_eq!(estimate_with(query, json!({"n": i32::MAX})), u64::MAX);
}

#[test]
fn an_answer_is_worth_what_is_there() {
    let query = "{ top found(near: 3) grade exact(input: {dear: 10}) hash photo { id any } words page(first: 5) { items { id } } }";
    let answer = json!({"top": 1, "found": 2, "grade": "GOOD", "exact": 3, "hash": "x", "photo": {"id": 5, "any": {"a": [1]}},
        "words": ["a", "b", "c"], "page": {"items": [{"id": 6}, {"id": 7}, {"id": 8}]}});
    assert_eq!(actual(query, &answer), Some(125));
    assert_eq!(actual("{ photo { id } }", &json!({"photo": null})), Some(0));
    assert_eq!(
        actual(
            "{ grid { id } }",
            &json!({"grid": [[{"id": 1}, {"id": 2}], [], null]})
        ),
        Some(2)
    );
    assert_eq!(actual("mutation { count }", &Value::Null), Some(10));
    assert_eq!(
        actual("{ dear }", &json!({"dear": ["a", null, "\u{e9}\n"]})),
        Some(90)
    );
}

#[test]
fn an_answer_of_several_types_is_counted_by_what_its_objects_have() {
    let query = "{ things { __typename ... on Item { parts { id } } ... on Cheap { id } } }";
    let answer = json!({"things": [{"__typename": "Cheap", "id": 1}, {"__typename": "Item", "parts": [{"id": 2}, {"id": 3}]}]});
    assert_eq!(actual(query, &answer), Some(4));
}

#[test]
fn a_text_that_is_no_answer_is_worth_nothing_that_could_be_said() {
    let cost = Shop::of(SHOP).compiled("{ items { id } }");
    let priced = cost.price(&Default::default());
    assert_eq!(cost.actual(&priced, b"{\"items\":[{"), None);
    let deep = format!("{{\"items\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(cost.actual(&priced, deep.as_bytes()), None);
}

#[test]
fn the_directives_may_have_other_names() {
    for (link, cost, size) in [
        (
            r#"import: [{name: "@cost", as: "@price"}, {name: "@listSize", as: "@length"}]"#,
            "price",
            "length",
        ),
        (r#"import: ["@listSize"]"#, "cost", "listSize"),
        (r#"as: "federation""#, "federation", "federation__listSize"),
        (r#"import: []"#, "cost", "cost__listSize"),
    ] {
        let sdl = format!(
            "schema @link(url: \"https://specs.apollo.dev/cost/v0.1\", {link}) {{ query: Query }}
             type Query {{ a: [Int] @{cost}(weight: 3) @{size}(assumedSize: 5) }}"
        );
        let weights = Weights::read(&Document::parse(sdl, "renamed.graphql").unwrap());
        let facts = weights.of_field("Query", "a").expect(link);
        assert_eq!(facts.weight, Some(3), "{link}");
        assert_eq!(facts.list.as_ref().unwrap().assumed, Some(5), "{link}");
    }
}

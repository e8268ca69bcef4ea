//! The federated answer is the monolith's answer.

use std::collections::BTreeSet;

use router::{RequestShare, RouterConfig};
use serde_json::{Value, json};

use crate::federations::World;
use crate::generate::Generator;
use crate::graph::Federation;
use crate::harness::ask;

pub(crate) fn library() -> Value {
    json!({
        "Query": {
            "me": "@Person/1",
            "people": ["@Person/1", "@Person/2", "@Person/3"],
            "creators": ["@Person/1", "@Group/1", "@Person/3"],
            "anyone": "@Group/1",
            "books": ["@Book/1", "@Book/2"],
            "media": ["@Book/1", "@Film/1", "@Book/2"],
            "found": ["@Film/1", null, "@Person/2", "@Book/1"],
            "library": {"__typename": "Library", "open": true, "books": ["@Book/2"], "query": {"__typename": "Query"}},
            "medium": "@Film/1",
            "top": ["@Book/2", "@Book/1", "@Book/2"],
        },
        "entities": {
            "Person/1": person(1, json!({"__typename": "Address", "city": "Köln \"am Rhein\"", "zip": 50667}), json!({
                "friends": ["@Person/2", "@Person/3"], "best": "@Person/2", "favourite": "@Film/1",
                "written": ["@Book/1", "@Film/1"], "rival": "@Person/3", "code": "C1", "tags": [["a", null], null, []],
                "rank": {"__typename": "Rank", "place": 1, "of": 3, "ahead": ["@Book/2"]}})),
            "Person/2": person(2, Value::Null, json!({
                "friends": [], "best": null, "favourite": "@Person/1", "written": ["@Book/2"], "rival": null,
                "code": null, "tags": null, "rank": null})),
            "Person/3": person(3, json!({"__typename": "Address", "city": "Oslo", "zip": null}), json!({
                "friends": ["@Person/3"], "best": "@Person/3", "favourite": null, "written": [], "rival": "@Person/1",
                "code": "C3", "tags": [["x"]], "rank": {"__typename": "Rank", "place": 2, "of": null, "ahead": []}})),
            "Group/1": {"__typename": "Group", "id": "g1", "org": "@Org/1", "name": "Trio", "code": ["T", "R"],
                "members": ["@Person/1", null, "@Person/2"], "leader": "@Person/3", "size": 3},
            "Org/1": {"__typename": "Org", "id": "o1", "title": "Guild", "staff": ["@Person/2", "@Person/1"]},
            "Book/1": book(1, json!(["@Person/2", "@Person/3"]), json!(["@Book/2"])),
            "Book/2": book(2, Value::Null, json!([])),
            "Film/1": {"__typename": "Film", "isbn": "f1", "title": null, "author": "@Person/3", "minutes": 90.5,
                "cast": ["@Person/1"], "views": 12, "reviewers": [null, "@Person/2"]},
        }
    })
}

fn person(id: u32, address: Value, more: Value) -> Value {
    let mut person = json!({"__typename": "Person", "id": format!("p{id}"), "name": format!("Person {id}"),
        "nick": format!("N{id}"), "age": id * 10, "address": address, "score": id * 100, "secret": "s"});
    let fields = person.as_object_mut().expect("an object");
    fields.extend(more.as_object().cloned().unwrap_or_default());
    person
}

fn book(id: u32, coauthors: Value, sequels: Value) -> Value {
    json!({"__typename": "Book", "isbn": format!("b{id}"), "title": format!("Book {id}"), "kind": (["NOVEL", "ESSAY"][id as usize % 2]),
        "author": format!("@Person/{id}"), "shelf": {"__typename": "Shelf", "row": id, "col": 7}, "pages": id * 50,
        "coauthors": coauthors, "sequels": sequels, "loans": id, "borrowers": ["@Person/1", "@Person/3"], "fee": 0.5})
}

pub(crate) fn nodes() -> Value {
    let item = |kind: &str, id: &str, more: Value| {
        let mut item = json!({"__typename": kind, "interfaces": ["Item"], "id": id, "name": format!("Item {id}"),
            "notes": [{"__typename": "Note", "text": format!("note on {id}"), "about": format!("@{id}")}],
            "noteCount": 1});
        item.as_object_mut()
            .expect("an object")
            .extend(more.as_object().cloned().unwrap_or_default());
        item
    };
    json!({
        "Query": {"items": ["@u1", "@r1", "@u2"], "item": "@r1", "users": ["@u1", "@u2"], "noted": ["@r1", "@u2"]},
        "entities": {
            "u1": item("User", "u1", json!({"age": 5, "friend": "@u2", "related": "@r1"})),
            "u2": item("User", "u2", json!({"age": null, "friend": null, "related": null, "notes": []})),
            "r1": item("Robot", "r1", json!({"model": "R2", "owner": "@u1", "related": "@u2"})),
        }
    })
}

fn paths(answer: &Value) -> BTreeSet<String> {
    let errors = answer["errors"].as_array().into_iter().flatten();
    errors.map(|error| error["path"].to_string()).collect()
}

/// What is wrong, if something is.
async fn compare(federation: &Federation, query: &str, variables: &Value) -> Option<String> {
    federation.calls.lock().expect("the calls").clear();
    let expected = federation.monolith(query, variables);
    let actual = ask(&federation.engine, query, variables).await;
    if actual["data"] == expected["data"] && paths(&actual) == paths(&expected) {
        return None;
    }
    let calls = federation.calls.lock().expect("the calls").join("\n");
    Some(format!(
        "{query}\n{variables}\nis       {actual}\nshould be {expected}\n{calls}\n"
    ))
}

pub(crate) fn assert_none(mut wrong: Vec<String>) {
    wrong.sort_by_key(String::len);
    let count = wrong.len();
    let shown: Vec<_> = wrong.into_iter().take(3).collect();
    assert!(
        shown.is_empty(),
        "{count} answers are wrong:\n{}",
        shown.join("\n")
    );
}

#[tokio::test]
async fn hand_written_queries() {
    let mut wrong = Vec::new();
    let library = Federation::open("library", library()).await;
    for query in [
        "{ me { id name score rank { place ahead { title fee } } } }",
        "{ me { id: name name: id score n: nick(upper: true) m: nick(upper: false) k: nick } }",
        "{ people(first: 2) { address { city zip } friends { score best { score } } tags written { __typename isbn title } } }",
        "{ creators { __typename ... on Person { code } ... on Group { codes: code size org { title staff { name } } members { score } leader { score } } } }",
        "{ anyone { name ... on Person { age } ... on Group { size members { favourite { ... on Film { views } } } } } }",
        "{ books { isbn author { name age score } coauthors { name } fee loans shelf { col row } borrowers { name best { name } } sequels { loans } } }",
        "{ media { title author { name age } ... on Book { fee } ... on Film { views minutes reviewers { rank { of } } } } }",
        "{ found { __typename ... on Medium { isbn } ... on Person { best { written { author { name } } } } } }",
        "{ top { isbn title shelf { row } author { id } } a: top { loans } }",
        "{ library { open books { fee title } query { me { name } library { open query { top { title } } } } } }",
        "{ library { query { media { author { code } } people { rival { age } } } } }",
        "{ medium(isbn: \"f1\") { ...M } x: medium { ...M } } fragment M on Medium { isbn author { ...P } } fragment P on Person { name rival { ...Q } } fragment Q on Person { name score }",
        "query($a: Boolean!, $b: Boolean!) { me { name @include(if: $a) score @skip(if: $b) ... @include(if: $b) { rank { place } best { score @skip(if: $a) name } } best { name @skip(if: $b) } } top @include(if: $a) { title } }",
        "{ me { favourite { ... on Book { title } ... on Film { cast { name score } } ... on Person { score } } } }",
        "{ me { __typename t: __typename best { t: __typename } } q: __typename }",
    ] {
        for variables in [
            json!({"a": true, "b": false}),
            json!({"a": false, "b": true}),
            json!({"a": true, "b": true}),
        ] {
            wrong.extend(compare(&library, query, &variables).await);
        }
    }
    let nodes = Federation::open("nodes", nodes()).await;
    for query in [
        "{ items { id name notes { text } } }",
        "{ noted { id noteCount } }",
        "{ noted { id name notes { text about { name } } } }",
        "{ noted { __typename id ... on User { age friend { notes { text } } } ... on Robot { model owner { noteCount } } } }",
        "{ users { noteCount related { name ... on Robot { model } } } }",
        "{ item { related { related { name } noteCount } } }",
    ] {
        wrong.extend(compare(&nodes, query, &json!({})).await);
    }
    assert_none(wrong);
}

#[tokio::test]
async fn fields_that_fail_lose_the_same_in_both() {
    let mut graph = library();
    for (entity, field) in [
        ("Person/1", "nick"),
        ("Person/2", "tags"),
        ("Person/3", "rank"),
        ("Book/1", "title"),
        ("Book/2", "loans"),
        ("Film/1", "minutes"),
        ("Group/1", "size"),
        ("Org/1", "staff"),
    ] {
        graph["entities"][entity][field] = json!({"error": format!("no {field}")});
    }
    graph["entities"]["Person/1"]["rank"]["place"] = json!({"error": "no place"});
    let library = Federation::open("library", graph).await;
    let mut wrong = Vec::new();
    for query in [
        "{ me { n: nick name best { t: tags name } rival { rank { of } name } r: rank { place of } } }",
        "{ me { rank { of } } b: books { title t: title author { name } } }",
        "{ p: people { id rank { place } nick } }",
        "{ me { favourite { ... on Film { minutes } } name } books { isbn } }",
        "{ anyone { ... on Group { size name org { title } } } }",
        "{ medium { isbn ... on Film { views m: minutes } } me { name } }",
        "{ me { w: written { isbn ... on Book { pages } } } found { ... on Book { title } } }",
    ] {
        wrong.extend(compare(&library, query, &json!({})).await);
    }
    assert_none(wrong);
}

#[tokio::test]
async fn generated_queries() {
    let mut wrong = Vec::new();
    for (folder, graph) in [("library", library()), ("nodes", nodes())] {
        let federation = Federation::open(folder, graph).await;
        let schema = federation.engine.api_schema().clone();
        for seed in 1..=40 {
            let query = Generator::new(&schema, seed).query();
            for variables in [json!({"t": true, "f": false}), json!({"t": false, "f": true})] {
                wrong.extend(compare(&federation, &query, &variables).await);
            }
        }
    }
    assert_none(wrong);
}

/// Where an error has made something null: the nearest null on the way to the error's place. Once that is null, it does
/// not matter how many of the fields below it are told of.
fn nulled(answer: &Value) -> BTreeSet<String> {
    let errors = answer["errors"].as_array().into_iter().flatten();
    errors
        .map(|error| {
            let mut place = String::new();
            let mut value = &answer["data"];
            for step in error["path"].as_array().into_iter().flatten() {
                if value.is_null() {
                    break;
                }
                place.push_str(&format!("/{step}"));
                value = match step.as_u64() {
                    Some(index) => &value[index as usize],
                    None => &value[step.as_str().unwrap_or_default()],
                };
            }
            format!("{place} is null: {}", value.is_null())
        })
        .collect()
}

async fn compare_in(
    world: &World,
    federation: &Federation,
    query: &str,
    variables: &Value,
) -> Option<String> {
    federation.calls.lock().expect("the calls").clear();
    let expected = federation.monolith(query, variables);
    let actual = ask(&federation.engine, query, variables).await;
    if actual["data"] == expected["data"] && nulled(&actual) == nulled(&expected) {
        return None;
    }
    let calls = federation.calls.lock().expect("the calls").join("\n");
    Some(format!(
        "{query}\n{variables}\nis       {actual}\nshould be {expected}\n{calls}\n{}",
        world.sdl()
    ))
}

/// Asks random federations random queries. By hand with thousands: `DAKA_TEST_SEEDS=1..5000`.
#[tokio::test]
async fn generated_queries_of_generated_federations() {
    let seeds = std::env::var("DAKA_TEST_SEEDS").unwrap_or_else(|_| "1..25".to_owned());
    let (first, last) = seeds.split_once("..").expect("seeds are written 1..25");
    let seeds = first.parse::<u64>().expect("a number")..last.parse().expect("a number");
    let (mut wrong, mut composed) = (Vec::new(), 0);
    let asked = seeds.end - seeds.start;
    for seed in seeds {
        let world = match World::new(seed, [0, 0, 8][seed as usize % 3]) {
            Ok(world) => world,
            Err(why) => {
                println!("seed {seed} does not compose: {why}");
                continue;
            }
        };
        composed += 1;
        let mut config = RouterConfig::default();
        config.limits.max_aliases = 2_000;
        let half = RequestShare::percent(50.0).expect("a share");
        config.overrides.labels.insert("slow".to_owned(), half);
        let federation =
            Federation::serve(&world.subgraphs, &world.supergraph, world.graph.clone(), &config).await;
        let schema = federation.engine.api_schema().clone();
        for number in 0..12 {
            let mut generator = Generator::new(&schema, seed * 100 + number);
            let query = if number == 0 {
                generator.mutation()
            } else {
                generator.query()
            };
            let (t, f) = (number % 2 == 0, number % 3 == 0);
            let found = compare_in(&world, &federation, &query, &json!({"t": t, "f": f})).await;
            wrong.extend(found.map(|found| format!("seed {seed}, query {number}: {found}")));
        }
    }
    assert!(composed * 3 > asked, "only {composed} of {asked} compose");
    assert_none(wrong);
}

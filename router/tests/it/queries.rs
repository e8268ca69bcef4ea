//! What healthy subgraphs give.

use serde_json::json;

use crate::harness::{Shop, shown};

#[tokio::test]
async fn fields_of_one_subgraph() {
    let shop = Shop::open().await;
    let answer = shop.ask("{ me { id n: name tags __typename } __typename }").await;
    insta::assert_snapshot!(shown(&answer), @r#"
    {
      "data": {
        "__typename": "Query",
        "me": {"__typename":"User","id":"1","n":"Ada \"the first\"","tags":["a","line\nbreak","ü"]}
      }
    }
    "#);
}

#[tokio::test]
async fn entities_are_followed_from_subgraph_to_subgraph_and_asked_once_each() {
    let shop = Shop::open().await;
    let query = "{ topReviews { id author { name } book { title shipping inStock reviews { body author { name } } } } }";
    let answer = shop.ask(query).await;
    insta::assert_snapshot!(shown(&answer), @r#"
    {
      "data": {
        "topReviews": [
          {
            "author": {"name":"Grace"},
            "book": {
              "inStock": false,
              "reviews": [
                {"author":{"name":"Grace"},"body":"Review 1"},
                {"author":{"name":"Ada \"the first\""},"body":"Review 3"}
              ],
              "shipping": 1001,
              "title": "Book b2"
            },
            "id": "1"
          },
          {
            "author": {"name":"Edsger"},
            "book": {
              "inStock": true,
              "reviews": [{"author":{"name":"Edsger"},"body":"Review 2"},{"author":{"name":"Grace"},"body":"Review 4"}],
              "shipping": 1001,
              "title": "Book b1"
            },
            "id": "2"
          },
          {
            "author": {"name":"Ada \"the first\""},
            "book": {
              "inStock": false,
              "reviews": [
                {"author":{"name":"Grace"},"body":"Review 1"},
                {"author":{"name":"Ada \"the first\""},"body":"Review 3"}
              ],
              "shipping": 1001,
              "title": "Book b2"
            },
            "id": "3"
          }
        ]
      }
    }
    "#);
    // Two engines asked, three users each in one place and their reviews' authors in another.
    assert!(shop.log.entities.load(std::sync::atomic::Ordering::SeqCst) <= 12);
}

#[tokio::test]
async fn interfaces_unions_and_fragments() {
    let shop = Shop::open().await;
    let answer = shop
        .ask(
            "query { products { ...P ... on Book { pages reviews { id } } }
               search { kind: __typename ... on Book { upc inStock } ... on Phone { size { ...S } } ... on Product { title } } }
             fragment P on Product { __typename upc title ... on Phone { size { width } } }
             fragment S on Size { height ... on Size { h: height } }",
        )
        .await;
    insta::assert_snapshot!(shown(&answer), @r#"
    {
      "data": {
        "products": [
          {"__typename":"Book","pages":200,"reviews":[{"id":"2"},{"id":"4"}],"title":"Book b1","upc":"b1"},
          {"__typename":"Phone","size":{"width":7.5},"title":null,"upc":"p1"},
          {"__typename":"Book","pages":200,"reviews":[{"id":"1"},{"id":"3"}],"title":"Book b2","upc":"b2"}
        ],
        "search": [
          {"inStock":true,"kind":"Book","title":"Book b1","upc":"b1"},
          {"kind":"Phone","size":{"h":15.0,"height":15.0},"title":null}
        ]
      }
    }
    "#);
}

#[tokio::test]
async fn variables_skip_and_include() {
    let shop = Shop::open().await;
    let query = "query($f: Filter, $no: Boolean!, $yes: Boolean! = true) {
        products(filter: $f) { upc @skip(if: $no) ... on Book @include(if: $yes) { title reviews @include(if: $no) { id } shipping } }
        users(first: 2) { id reviews @skip(if: $no) { body } }
        me @include(if: false) { id }
    }";
    let variables = |no: bool| json!({"f": {"kind": "PAPER", "maxPrice": 50}, "no": no});
    let without = shop.ask_with(query, variables(true)).await;
    insta::assert_snapshot!(shown(&without), @r#"
    {
      "data": {
        "products": [
          {"reviews":[{"id":"2"},{"id":"4"}],"shipping":1001,"title":"Book b1"},
          {"reviews":[{"id":"1"},{"id":"3"}],"shipping":1001,"title":"Book b2"}
        ],
        "users": [{"id":"1"},{"id":"2"}]
      }
    }
    "#);
    let with = shop.ask_with(query, variables(false)).await;
    insta::assert_snapshot!(shown(&with), @r#"
    {
      "data": {
        "products": [{"shipping":1001,"title":"Book b1","upc":"b1"},{"shipping":1001,"title":"Book b2","upc":"b2"}],
        "users": [
          {"id":"1","reviews":[{"body":"Review 3"}]},
          {"id":"2","reviews":[{"body":"Review 1"},{"body":"Review 4"}]}
        ]
      }
    }
    "#);
}

#[tokio::test]
async fn mutations_run_one_after_the_other_in_the_order_of_the_document() {
    let shop = Shop::open().await;
    let query = r#"mutation {
        a: rename(id: "1", name: "x") { name reviews { id } }
        b: reprice(upc: "b1", price: 3) { title shipping }
        c: rename(id: "2", name: "y") { name }
    }"#;
    let answer = shop.ask(query).await;
    insta::assert_snapshot!(shown(&answer), @r#"
    {
      "data": {
        "a": {"name":"Ada \"the first\"","reviews":[{"id":"3"}]},
        "b": {"shipping":1001,"title":"Book b1"},
        "c": {"name":"Grace"}
      }
    }
    "#);
    let once = ["rename 1 x", "reprice b1 3", "rename 2 y"];
    assert_eq!(shop.log.take(), [once, once].concat());
}

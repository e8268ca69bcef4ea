//! What is asked, and what the answer must be.

use serde_json::json;

use crate::world::World;

/// One kind of request.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// For people.
    pub(crate) what: &'static str,
    pub(crate) world: World,
    pub(crate) query: &'static str,
    /// Whether it is asked by its id.
    pub(crate) persisted: bool,
    /// The SHA-256 of the right answer.
    pub(crate) hash: &'static str,
}

const HEAVY: &str = "
fragment User on User { id username name }
fragment Review on Review { id body }
fragment Product on Product { inStock name price shippingEstimate upc weight }
query TestQuery {
  users {
    ...User
    reviews {
      ...Review
      product {
        ...Product
        reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } }
      }
    }
  }
  topProducts {
    ...Product
    reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } }
  }
}";

const TINY: &str = "{ me { id } }";

/// All of them.
pub(crate) const ALL: [Case; 4] = [
    Case {
        name: "heavy",
        what: "users → reviews → product → reviews → author → reviews → product; few entities, many times",
        world: World::Repeated,
        query: HEAVY,
        persisted: false,
        hash: "3acdb07e4949eabcbf083401e02cd39065fb510ab01237f7f749b03416466e78",
    },
    Case {
        name: "distinct",
        what: "the same query; every entity is another one",
        world: World::Distinct,
        query: HEAVY,
        persisted: false,
        hash: "e90bfa91d6a0a1f36591a71c859bb490320b3e65709a93d614a2b89351053013",
    },
    Case {
        name: "persisted",
        what: "the heavy query by its id",
        world: World::Repeated,
        query: HEAVY,
        persisted: true,
        hash: "3acdb07e4949eabcbf083401e02cd39065fb510ab01237f7f749b03416466e78",
    },
    Case {
        name: "tiny",
        what: "{ me { id } }: one field of one subgraph",
        world: World::Repeated,
        query: TINY,
        persisted: false,
        hash: "fb38fccc687d9dbdeb731eeb29118216bed51f1cfe2144abe0f8600e8b73506e",
    },
];

/// By which id the heavy query is known in the manifest.
const ID: &str = "heavy";

impl Case {
    /// The body of the request.
    pub(crate) fn body(&self) -> String {
        let body = if self.persisted {
            json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": ID } } })
        } else {
            json!({ "query": self.query })
        };
        body.to_string()
    }
}

/// The manifest of persisted operations, in Relay's form.
pub(crate) fn manifest() -> String {
    json!({ ID: HEAVY }).to_string()
}

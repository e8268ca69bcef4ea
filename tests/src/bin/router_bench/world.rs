//! What the four subgraphs know: the world that benchmarks of federated gateways use (users write reviews about products;
//! few entities, which come again and again), and the same shape with every entity another one.
//!
//! Shape and sizes follow <https://github.com/graphql-hive/graphql-gateways-benchmark>: six users with two reviews each,
//! all of them about one product, whose four reviews all have the same author.

use std::ops::RangeInclusive;

/// Which entities there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum World {
    /// Few: six users, nine products, eleven reviews.
    Repeated,
    /// A different one at each place: an id is the way that leads there.
    Distinct,
}

/// What is known of a product.
pub(crate) struct ProductFacts {
    pub(crate) name: &'static str,
    pub(crate) price: i32,
    pub(crate) weight: i32,
    pub(crate) in_stock: bool,
}

const USERS: [(&str, &str); 6] = [
    ("ada", "Ada Example"),
    ("brunhild", "Brunhild Example"),
    ("chidi", "Chidi Example"),
    ("dolores", "Dolores Example"),
    ("eun", "Eun Example"),
    ("farida", "Farida Example"),
];

const PRODUCTS: [ProductFacts; 9] = [
    product("Table", 899, 100, true),
    product("Couch", 1_299, 1_000, false),
    product("Glass", 15, 20, false),
    product("Chair", 499, 100, false),
    product("TV", 1_299, 1_000, true),
    product("Lamp", 6_999, 300, true),
    product("Grill", 3_999, 2_000, true),
    product("Fridge", 100_000, 6_000, false),
    product("Sofa", 9_999, 800, true),
];

/// For each product the numbers of its reviews.
const REVIEWS_OF: [RangeInclusive<usize>; 4] = [1..=4, 5..=8, 9..=9, 10..=11];

const BODIES: [&str; 5] = [
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore magna \
     aliqua. Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea commodo consequat. \
     Duis aute irure dolor in reprehenderit in voluptate velit esse cillum dolore eu fugiat nulla pariatur. Excepteur sint \
     occaecat cupidatat non proident, sunt in culpa qui officia deserunt mollit anim id est laborum.",
    "Sed ut perspiciatis unde omnis iste natus error sit voluptatem accusantium doloremque laudantium, totam rem \
     aperiam, eaque ipsa quae ab illo inventore veritatis et quasi architecto beatae vitae dicta sunt explicabo. Nemo enim \
     ipsam voluptatem quia voluptas sit aspernatur aut odit aut fugit.",
    "Sed quia consequuntur magni dolores eos qui ratione voluptatem sequi nesciunt. Neque porro quisquam est, qui \
     dolorem ipsum quia dolor sit amet, consectetur, adipisci velit, sed quia non numquam eius modi tempora incidunt ut \
     labore et dolore magnam aliquam quaerat voluptatem.",
    "Ut enim ad minima veniam, quis nostrum exercitationem ullam corporis suscipit laboriosam, nisi ut aliquid ex ea \
     commodi consequatur? Quis autem.",
    "At vero eos et accusamus et iusto odio dignissimos ducimus qui blanditiis praesentium voluptatum deleniti atque \
     corrupti quos dolores et quas molestias excepturi sint occaecati cupiditate non provident, similique sunt in culpa \
     qui officia deserunt mollitia animi, id est laborum et dolorum fuga.",
];

const fn product(name: &'static str, price: i32, weight: i32, in_stock: bool) -> ProductFacts {
    ProductFacts {
        name,
        price,
        weight,
        in_stock,
    }
}

impl World {
    /// Ids of all users at the root.
    pub(crate) fn users(self) -> Vec<String> {
        (1..=USERS.len()).map(|number| number.to_string()).collect()
    }

    /// The first products.
    pub(crate) fn products(self, first: usize) -> Vec<String> {
        let prefix = if self == Self::Repeated { "" } else { "t" };
        (1..=PRODUCTS.len().min(first))
            .map(|number| format!("{prefix}{number}"))
            .collect()
    }

    /// A user's login and name.
    pub(crate) fn user(self, id: &str) -> (String, String) {
        let (username, name) = USERS[turn(id, USERS.len())];
        match self {
            Self::Repeated => (username.to_owned(), name.to_owned()),
            Self::Distinct => (format!("{username}-{id}"), format!("{name} {id}")),
        }
    }

    /// A product's own facts.
    pub(crate) fn product(self, upc: &str) -> &'static ProductFacts {
        &PRODUCTS[turn(upc, PRODUCTS.len())]
    }

    /// What a review says.
    pub(crate) fn body(self, review: &str) -> &'static str {
        BODIES[turn(review, BODIES.len())]
    }

    /// The product that a review is about.
    pub(crate) fn product_of(self, review: &str) -> String {
        match self {
            Self::Distinct => format!("{review}p"),
            Self::Repeated => {
                let number = number(review);
                let product = REVIEWS_OF.iter().position(|reviews| reviews.contains(&number));
                (product.unwrap_or(0) + 1).to_string()
            }
        }
    }

    /// Who wrote a review.
    pub(crate) fn author_of(self, review: &str) -> String {
        match self {
            Self::Repeated => "1".to_owned(),
            Self::Distinct => format!("{review}a"),
        }
    }

    /// The reviews that a user wrote.
    pub(crate) fn reviews_by(self, user: &str) -> Vec<String> {
        match self {
            Self::Repeated => vec!["1".to_owned(), "2".to_owned()],
            Self::Distinct => vec![format!("{user}-1"), format!("{user}-2")],
        }
    }

    /// The reviews about a product.
    pub(crate) fn reviews_about(self, upc: &str) -> Vec<String> {
        let about = |number: usize| REVIEWS_OF.get(number.wrapping_sub(1)).cloned();
        match (self, upc.strip_prefix('t')) {
            (Self::Repeated, _) => about(number(upc))
                .into_iter()
                .flatten()
                .map(|n| n.to_string())
                .collect(),
            (Self::Distinct, Some(top)) => {
                let reviews = about(number(top)).into_iter().flatten();
                reviews.map(|review| format!("{upc}-{review}")).collect()
            }
            (Self::Distinct, None) => (1..=4).map(|review| format!("{upc}-{review}")).collect(),
        }
    }
}

fn number(id: &str) -> usize {
    id.parse().unwrap_or(0)
}

/// Which of some a thing of that id takes: of an id that is a number, the one of that number.
fn turn(id: &str, of: usize) -> usize {
    let number = id
        .parse()
        .unwrap_or_else(|_| id.bytes().map(usize::from).sum::<usize>());
    number.wrapping_sub(1) % of
}

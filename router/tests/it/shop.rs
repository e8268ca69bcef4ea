//! A shop of four subgraphs, as async-graphql schemas: accounts, products, reviews, inventory.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_graphql::{
    Context, EmptyMutation, EmptySubscription, Enum, Error, ErrorExtensions, ID, InputObject, Interface,
    Object, Result, Schema, SimpleObject, Union,
};
use kernel::Principal;

/// Counts the look-ups of entities and keeps what was asked, so that tests can see what arrives.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) entities: AtomicUsize,
    pub(crate) events: Mutex<Vec<String>>,
}

impl Log {
    fn event(&self, text: impl Into<String>) {
        self.events.lock().expect("the log").push(text.into());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.events.lock().expect("the log"))
    }
}

pub(crate) mod accounts {
    use super::*;

    pub(crate) struct User(pub(crate) ID);

    #[Object]
    impl User {
        async fn id(&self) -> &ID {
            &self.0
        }
        async fn name(&self) -> String {
            ["Ada \"the first\"", "Grace", "Edsger"][self.0.parse::<usize>().unwrap_or(1) - 1].to_owned()
        }
        /// Fails for the user 3.
        async fn email(&self) -> Option<Result<String>> {
            Some(match self.0.as_str() {
                "3" => Err(Error::new("no mail for Edsger").extend_with(|_, e| e.set("code", "NO_MAIL"))),
                id => Ok(format!("{id}@example.com")),
            })
        }
        async fn tags(&self) -> Vec<String> {
            vec!["a".to_owned(), "line\nbreak".to_owned(), "ü".to_owned()]
        }
    }

    pub(crate) struct Query;

    #[Object]
    impl Query {
        async fn me(&self) -> Option<User> {
            Some(User("1".into()))
        }
        async fn users(&self, #[graphql(default = 3)] first: usize) -> Vec<User> {
            (1..=first.min(3)).map(|id| User(id.to_string().into())).collect()
        }
        async fn broken(&self) -> Option<i32> {
            let nothing: Vec<i32> = Vec::new();
            Some(nothing[0])
        }
        async fn whoami(&self, ctx: &Context<'_>) -> Result<String> {
            let principal = ctx.data::<Arc<Principal>>()?;
            Ok(principal
                .user_id()
                .map_or_else(|| "nobody".to_owned(), |id| id.to_string()))
        }
        #[graphql(entity)]
        async fn user(&self, ctx: &Context<'_>, id: ID) -> Result<Option<User>> {
            ctx.data::<Arc<Log>>()?.entities.fetch_add(1, Ordering::SeqCst);
            Ok(matches!(id.as_str(), "1" | "2" | "3").then_some(User(id)))
        }
    }

    pub(crate) struct Mutation;

    #[Object]
    impl Mutation {
        async fn rename(&self, ctx: &Context<'_>, id: ID, name: String) -> Result<User> {
            ctx.data::<Arc<Log>>()?
                .event(format!("rename {} {name}", id.as_str()));
            Ok(User(id))
        }
    }

    pub(crate) fn schema(log: Arc<Log>) -> Schema<Query, Mutation, EmptySubscription> {
        Schema::build(Query, Mutation, EmptySubscription)
            .data(log)
            .finish()
    }
}

pub(crate) mod products {
    use super::*;

    #[derive(Enum, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Kind {
        Paper,
        Device,
    }

    #[derive(Interface)]
    #[graphql(
        field(name = "upc", ty = "&ID"),
        field(name = "title", ty = "&Option<String>")
    )]
    pub(crate) enum Product {
        Book(Book),
        Phone(Phone),
    }

    #[derive(SimpleObject, Clone)]
    pub(crate) struct Book {
        pub(crate) upc: ID,
        pub(crate) title: Option<String>,
        pub(crate) pages: i32,
        pub(crate) kind: Kind,
        pub(crate) price: Option<i32>,
        pub(crate) weight: i32,
    }

    #[derive(SimpleObject, Clone)]
    pub(crate) struct Phone {
        pub(crate) upc: ID,
        pub(crate) title: Option<String>,
        pub(crate) size: Size,
        pub(crate) kind: Kind,
        pub(crate) price: Option<i32>,
        pub(crate) weight: i32,
    }

    #[derive(SimpleObject, Clone)]
    #[graphql(shareable)]
    pub(crate) struct Size {
        pub(crate) width: f64,
        pub(crate) height: f64,
    }

    #[derive(Union)]
    pub(crate) enum Found {
        Book(Book),
        Phone(Phone),
    }

    #[derive(InputObject)]
    pub(crate) struct Filter {
        pub(crate) kind: Option<Kind>,
        pub max_price: Option<i32>,
    }

    fn book(upc: &str) -> Book {
        Book {
            upc: upc.into(),
            title: Some(format!("Book {upc}")),
            pages: 200,
            kind: Kind::Paper,
            price: Some(10),
            weight: 1,
        }
    }

    fn phone(upc: &str) -> Phone {
        Phone {
            upc: upc.into(),
            title: None,
            size: Size {
                width: 7.5,
                height: 15.0,
            },
            kind: Kind::Device,
            price: Some(900),
            weight: 2,
        }
    }

    pub(crate) struct Query;

    #[Object]
    impl Query {
        async fn products(&self, filter: Option<Filter>) -> Vec<Product> {
            let all = [
                Product::Book(book("b1")),
                Product::Phone(phone("p1")),
                Product::Book(book("b2")),
            ];
            let fits = |product: &Product| {
                let (kind, price) = match product {
                    Product::Book(book) => (book.kind, book.price),
                    Product::Phone(phone) => (phone.kind, phone.price),
                };
                filter.as_ref().is_none_or(|filter| {
                    filter.kind.is_none_or(|wanted| wanted == kind)
                        && filter.max_price.is_none_or(|max| price <= Some(max))
                })
            };
            all.into_iter().filter(fits).collect()
        }
        async fn search(&self) -> Vec<Found> {
            vec![Found::Book(book("b1")), Found::Phone(phone("p1"))]
        }
        #[graphql(entity)]
        async fn book(&self, upc: ID) -> Option<Book> {
            upc.starts_with('b').then(|| book(&upc))
        }
        #[graphql(entity)]
        async fn phone(&self, upc: ID) -> Option<Phone> {
            upc.starts_with('p').then(|| phone(&upc))
        }
    }

    pub(crate) struct Mutation;

    #[Object]
    impl Mutation {
        async fn reprice(&self, ctx: &Context<'_>, upc: ID, price: i32) -> Result<Option<Book>> {
            ctx.data::<Arc<Log>>()?
                .event(format!("reprice {} {price}", upc.as_str()));
            Ok(Some(book(&upc)))
        }
    }

    pub(crate) fn schema(log: Arc<Log>) -> Schema<Query, Mutation, EmptySubscription> {
        Schema::build(Query, Mutation, EmptySubscription)
            .register_output_type::<Product>()
            .data(log)
            .finish()
    }
}

pub(crate) mod reviews {
    use super::*;

    #[derive(Clone)]
    pub(crate) struct Review(usize);

    pub(crate) struct User(ID);
    pub(crate) struct Book(ID);

    #[Object]
    impl Review {
        async fn id(&self) -> ID {
            self.0.to_string().into()
        }
        async fn body(&self) -> String {
            format!("Review {}", self.0)
        }
        async fn author(&self) -> User {
            User((self.0 % 3 + 1).to_string().into())
        }
        async fn book(&self) -> Book {
            Book(["b1", "b2"][self.0 % 2].into())
        }
    }

    #[Object]
    impl User {
        async fn id(&self) -> &ID {
            &self.0
        }
        async fn reviews(&self) -> Vec<Review> {
            let id: usize = self.0.parse().unwrap_or(0);
            (1..=4).filter(|n| n % 3 + 1 == id).map(Review).collect()
        }
    }

    #[Object]
    impl Book {
        async fn upc(&self) -> &ID {
            &self.0
        }
        async fn reviews(&self) -> Vec<Review> {
            (1..=4)
                .filter(|n| ["b1", "b2"][n % 2] == self.0.as_str())
                .map(Review)
                .collect()
        }
    }

    pub(crate) struct Query;

    #[Object]
    impl Query {
        async fn top_reviews(&self) -> Vec<Review> {
            (1..=3).map(Review).collect()
        }
        #[graphql(entity)]
        async fn user(&self, id: ID) -> User {
            User(id)
        }
        #[graphql(entity)]
        async fn book(&self, upc: ID) -> Book {
            Book(upc)
        }
    }

    pub(crate) fn schema() -> Schema<Query, EmptyMutation, EmptySubscription> {
        Schema::build(Query, EmptyMutation, EmptySubscription).finish()
    }
}

pub(crate) mod inventory {
    use super::*;

    pub(crate) struct Book {
        upc: ID,
        price: Option<i32>,
        weight: Option<i32>,
    }

    #[Object]
    impl Book {
        async fn upc(&self) -> &ID {
            &self.upc
        }
        #[graphql(external)]
        async fn price(&self) -> Option<i32> {
            self.price
        }
        #[graphql(external)]
        async fn weight(&self) -> i32 {
            self.weight.unwrap_or_default()
        }
        async fn in_stock(&self) -> bool {
            self.upc.as_str() == "b1"
        }
        #[graphql(requires = "price weight")]
        async fn shipping(&self) -> Result<i32> {
            Ok(self.price.ok_or("no price")? * 100 + self.weight.ok_or("no weight")?)
        }
    }

    pub(crate) struct Query;

    #[Object]
    impl Query {
        #[graphql(entity)]
        async fn book_to_ship(&self, upc: ID, price: Option<i32>, weight: Option<i32>) -> Book {
            Book { upc, price, weight }
        }
        #[graphql(entity)]
        async fn book(&self, upc: ID) -> Book {
            Book {
                upc,
                price: None,
                weight: None,
            }
        }
    }

    pub(crate) fn schema() -> Schema<Query, EmptyMutation, EmptySubscription> {
        Schema::build(Query, EmptyMutation, EmptySubscription).finish()
    }
}

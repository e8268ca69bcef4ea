//! The four subgraphs, over HTTP, in one process.

use std::sync::Arc;

use async_graphql::{
    ComplexObject, EmptyMutation, EmptySubscription, ID, Object, ObjectType, SDLExportOptions, Schema,
    SimpleObject,
};
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::post;
use bytes::Bytes;
use composition::SubgraphSource;
use http::header::CONTENT_TYPE;
use tokio::net::TcpListener;

use crate::Failure;
use crate::world::World;

/// Their names, in the order of their addresses.
pub(crate) const NAMES: [&str; 4] = ["accounts", "inventory", "products", "reviews"];

/// Serves them at those addresses until the process is killed.
pub(crate) async fn serve(world: World, addresses: &[String]) -> Result<(), Failure> {
    let routes = [
        routes(accounts::schema(world)),
        routes(inventory::schema(world)),
        routes(products::schema(world)),
        routes(reviews::schema(world)),
    ];
    let mut serving = tokio::task::JoinSet::new();
    for (routes, address) in routes.into_iter().zip(addresses) {
        let listener = TcpListener::bind(address).await?;
        serving.spawn(async move { axum::serve(listener, routes).await });
    }
    while let Some(ended) = serving.join_next().await {
        ended??;
    }
    Ok(())
}

/// The supergraph of the four at those addresses.
pub(crate) fn supergraph(addresses: &[String]) -> Result<String, Failure> {
    let world = World::Repeated;
    let sdls = [
        sdl(&accounts::schema(world)),
        sdl(&inventory::schema(world)),
        sdl(&products::schema(world)),
        sdl(&reviews::schema(world)),
    ];
    let sources: Vec<_> = NAMES
        .iter()
        .zip(addresses)
        .zip(sdls)
        .map(|((name, address), sdl)| {
            SubgraphSource::new(*name, Some(format!("http://{address}/graphql")), sdl)
        })
        .collect();
    let composed = composition::compose(&sources);
    let composed = composed.map_err(|errors| format!("the subgraphs do not compose: {errors:?}"))?;
    Ok(composed.supergraph_sdl)
}

type Built<Q> = Schema<Q, EmptyMutation, EmptySubscription>;

fn built<Q: ObjectType + 'static>(query: Q, world: World) -> Built<Q> {
    Schema::build(query, EmptyMutation, EmptySubscription)
        .enable_federation()
        .data(world)
        .finish()
}

fn sdl<Q: ObjectType + 'static>(schema: &Built<Q>) -> String {
    schema.sdl_with_options(SDLExportOptions::new().federation().compose_directive())
}

fn routes<Q: ObjectType + 'static>(schema: Built<Q>) -> Router {
    Router::new()
        .route("/graphql", post(answer::<Q>))
        .with_state(Arc::new(schema))
}

async fn answer<Q: ObjectType + 'static>(
    State(schema): State<Arc<Built<Q>>>,
    body: Bytes,
) -> impl IntoResponse {
    let answer = match serde_json::from_slice::<async_graphql::Request>(&body) {
        Ok(request) => schema.execute(request).await,
        Err(error) => async_graphql::Response::from_errors(vec![async_graphql::ServerError::new(
            error.to_string(),
            None,
        )]),
    };
    let text = serde_json::to_vec(&answer).unwrap_or_default();
    ([(CONTENT_TYPE, "application/json")], text)
}

fn world(context: &async_graphql::Context<'_>) -> World {
    *context.data_unchecked::<World>()
}

mod accounts {
    use super::*;

    pub(super) fn schema(world: World) -> Built<Query> {
        built(Query, world)
    }

    #[derive(SimpleObject)]
    struct User {
        id: ID,
        name: Option<String>,
        #[graphql(shareable)]
        username: Option<String>,
    }

    pub(super) struct Query;

    #[Object]
    impl Query {
        async fn me(&self, context: &async_graphql::Context<'_>) -> Option<User> {
            Some(user(world(context), "1"))
        }

        async fn users(&self, context: &async_graphql::Context<'_>) -> Option<Vec<Option<User>>> {
            let world = world(context);
            Some(world.users().iter().map(|id| Some(user(world, id))).collect())
        }

        #[graphql(entity)]
        async fn find_user(&self, context: &async_graphql::Context<'_>, id: ID) -> User {
            user(world(context), &id)
        }
    }

    fn user(world: World, id: &str) -> User {
        let (username, name) = world.user(id);
        User {
            id: id.into(),
            name: Some(name),
            username: Some(username),
        }
    }
}

mod inventory {
    use super::*;

    pub(super) fn schema(world: World) -> Built<Query> {
        built(Query, world)
    }

    #[derive(SimpleObject)]
    #[graphql(complex)]
    struct Product {
        upc: String,
        #[graphql(external)]
        weight: Option<i32>,
        #[graphql(external)]
        price: Option<i32>,
        in_stock: Option<bool>,
    }

    #[ComplexObject]
    impl Product {
        #[graphql(requires = "price weight")]
        async fn shipping_estimate(&self) -> Option<i32> {
            match (self.price?, self.weight?) {
                (1_001.., _) => Some(0),
                (_, weight) => Some(weight / 2),
            }
        }
    }

    pub(super) struct Query;

    #[Object]
    impl Query {
        #[graphql(entity)]
        async fn find_product(
            &self,
            context: &async_graphql::Context<'_>,
            #[graphql(key)] upc: String,
            price: Option<i32>,
            weight: Option<i32>,
        ) -> Product {
            Product {
                in_stock: Some(world(context).product(&upc).in_stock),
                upc,
                weight,
                price,
            }
        }
    }
}

mod products {
    use super::*;

    pub(super) fn schema(world: World) -> Built<Query> {
        built(Query, world)
    }

    #[derive(SimpleObject)]
    struct Product {
        upc: String,
        name: Option<String>,
        price: Option<i32>,
        weight: Option<i32>,
    }

    pub(super) struct Query;

    #[Object]
    impl Query {
        async fn top_products(
            &self,
            context: &async_graphql::Context<'_>,
            #[graphql(default = 5)] first: usize,
        ) -> Option<Vec<Option<Product>>> {
            let world = world(context);
            let products = world.products(first).into_iter();
            Some(products.map(|upc| Some(product(world, upc))).collect())
        }

        #[graphql(entity)]
        async fn find_product(&self, context: &async_graphql::Context<'_>, upc: String) -> Product {
            product(world(context), upc)
        }
    }

    fn product(world: World, upc: String) -> Product {
        let facts = world.product(&upc);
        Product {
            name: Some(facts.name.to_owned()),
            price: Some(facts.price),
            weight: Some(facts.weight),
            upc,
        }
    }
}

mod reviews {
    use super::*;

    pub(super) fn schema(world: World) -> Built<Query> {
        built(Query, world)
    }

    struct Review(String);

    struct User(String);

    struct Product(String);

    #[Object]
    impl Review {
        async fn id(&self) -> ID {
            ID(self.0.clone())
        }

        async fn body(&self, context: &async_graphql::Context<'_>) -> Option<&'static str> {
            Some(world(context).body(&self.0))
        }

        async fn product(&self, context: &async_graphql::Context<'_>) -> Option<Product> {
            Some(Product(world(context).product_of(&self.0)))
        }

        #[graphql(provides = "username")]
        async fn author(&self, context: &async_graphql::Context<'_>) -> Option<User> {
            Some(User(world(context).author_of(&self.0)))
        }
    }

    #[Object]
    impl User {
        async fn id(&self) -> ID {
            ID(self.0.clone())
        }

        #[graphql(external)]
        async fn username(&self, context: &async_graphql::Context<'_>) -> Option<String> {
            Some(world(context).user(&self.0).0)
        }

        async fn reviews(&self, context: &async_graphql::Context<'_>) -> Option<Vec<Option<Review>>> {
            let reviews = world(context).reviews_by(&self.0).into_iter();
            Some(reviews.map(|id| Some(Review(id))).collect())
        }
    }

    #[Object]
    impl Product {
        async fn upc(&self) -> &str {
            &self.0
        }

        async fn reviews(&self, context: &async_graphql::Context<'_>) -> Option<Vec<Option<Review>>> {
            let reviews = world(context).reviews_about(&self.0).into_iter();
            Some(reviews.map(|id| Some(Review(id))).collect())
        }
    }

    pub(super) struct Query;

    #[Object]
    impl Query {
        #[graphql(entity)]
        async fn find_review(&self, id: ID) -> Review {
            Review(id.0)
        }

        #[graphql(entity)]
        async fn find_user(&self, id: ID) -> User {
            User(id.0)
        }

        #[graphql(entity)]
        async fn find_product(&self, upc: String) -> Product {
            Product(upc)
        }
    }
}

//! What the tools hear by which clients subscribe.

use std::sync::Arc;

use serde_json::json;

use super::feed::{Watch, Way, engine};
use super::{TWO, review};
use crate::standards::told;

#[tokio::test]
async fn the_tools_of_clients_hear_each_event() {
    let watch = Arc::<Watch>::default();
    let engine = engine(Way::InProcess, &watch, json!({})).await;
    let told = told("subscribe.mjs", engine, TWO).await;
    let heard = json!([review(1), review(2)]);
    let expected = json!({ "graphql-ws": heard, "graphql-sse": heard, "meros": heard });
    assert_eq!(told, expected);
    watch.open(0).await;
}

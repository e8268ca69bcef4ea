//! The platform is told to stop while people use it.

use std::time::{Duration, Instant};

use serde_json::json;
use tests::{Daka, Shape};

#[test]
fn an_embedded_platform_stops_without_losing_anything() {
    tests::block_on(nothing_is_lost(Shape::Embedded));
}

#[test]
fn a_distributed_platform_stops_without_losing_anything() {
    tests::block_on(nothing_is_lost(Shape::Distributed));
}

/// Everything that was acknowledged is there after the restart, its events included: the figures of the check-in
/// domain know every habit.
async fn nothing_is_lost(shape: Shape) {
    let mut daka = Daka::start(shape).await;
    let alice = daka.login("alice").await;
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let alice = alice.clone();
            tokio::spawn(async move {
                let mut made = Vec::new();
                loop {
                    let request = alice.request(reqwest::Method::POST, "/api/v1/habits");
                    // Not reached: it has stopped. A request that was taken is answered whole.
                    match request.body(json!({ "title": "Read" })).try_send().await {
                        Ok(answer) if answer.status == 201 => made.push(answer.body["id"].clone()),
                        Ok(answer) => {
                            assert_eq!(answer.status, 503, "{}", answer.body);
                            return made;
                        }
                        Err(_) => return made,
                    }
                }
            })
        })
        .collect();
    let since = Instant::now();
    while alice.query("{ habits { id } }", json!({})).await["habits"]
        .as_array()
        .is_none_or(|made| made.len() < 8)
    {
        assert!(since.elapsed() < Duration::from_secs(30), "nothing gets made");
    }
    daka.stop().await;
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.expect("every answer is good"));
    }
    daka.launch().await;

    let since = Instant::now();
    loop {
        let seen = alice
            .query(
                "{ today { habits { habitId } } myStats { totalHabits } }",
                json!({}),
            )
            .await;
        let known: Vec<_> = seen["today"]["habits"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| &one["habitId"])
            .collect();
        if acknowledged.iter().all(|habit| known.contains(&habit)) {
            assert_eq!(seen["myStats"]["totalHabits"], json!(known.len()));
            return;
        }
        assert!(
            since.elapsed() < Duration::from_secs(30),
            "lost: {acknowledged:?} {seen}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

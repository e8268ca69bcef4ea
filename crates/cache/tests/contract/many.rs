//! Many values at once.

use std::sync::Arc;

use cache::Cache;
use futures::future::join_all;

use super::MINUTE;

fn keys<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

fn texts(found: Vec<Option<Arc<[u8]>>>) -> Vec<Option<String>> {
    let text = |json: Arc<[u8]>| String::from_utf8(json.to_vec()).unwrap();
    found.into_iter().map(|found| found.map(text)).collect()
}

pub(super) async fn many_values_are_read_and_written_at_once(cache: Cache) {
    let value = |key: &str, json: &str| (key.to_owned(), json.as_bytes().to_vec(), MINUTE);
    cache
        .set_many(vec![value("a", "1"), value("b", "\"打卡\"")])
        .await
        .unwrap();
    cache.set("c", &3, MINUTE).await.unwrap();
    let found = cache.get_many(&keys(["c", "none", "b", "a", "b"])).await.unwrap();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        texts(found),
        [some("3"), None, some("\"打卡\""), some("1"), some("\"打卡\"")]
    );
    assert_eq!(cache.get("a").await, Ok(Some(1)));
    cache.delete_many(&keys(["a", "none", "b"])).await.unwrap();
    let left = cache.get_many(&keys(["a", "b", "c"])).await.unwrap();
    assert_eq!(texts(left), [None, None, some("3")]);
}

pub(super) async fn nothing_at_once_is_fine(cache: Cache) {
    assert_eq!(cache.get_many(&[]).await, Ok(Vec::new()));
    assert_eq!(cache.set_many(Vec::new()).await, Ok(()));
    assert_eq!(cache.delete_many(&[]).await, Ok(()));
    assert_eq!(cache.get_or_set_many(Vec::new(), MINUTE).await, Ok(Vec::new()));
}

pub(super) async fn all_who_set_what_is_absent_get_the_same(cache: Cache) {
    cache.set("there", &"old", MINUTE).await.unwrap();
    let asking = (0..20).map(|number| {
        let cache = cache.clone();
        async move {
            let json = number.to_string().into_bytes();
            let values = vec![("there".to_owned(), json.clone()), ("new".to_owned(), json)];
            texts(cache.get_or_set_many(values, MINUTE).await.unwrap())
        }
    });
    let found = join_all(asking).await;
    let first = found.first().unwrap();
    assert_eq!(first.first().unwrap().as_deref(), Some("\"old\""));
    assert!(found.iter().all(|found| found == first), "{found:?}");
}

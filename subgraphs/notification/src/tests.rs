//! What events make of inboxes, on a real store.

use std::pin::Pin;
use std::sync::Arc;

use async_graphql::{Request, Response, Value};
use cache::{Cache, CacheConfig};
use docstore::{DocStore, StoreConfig};
use events::{Event, Handler as _, HandlerError, Outbox, Payload};
use futures::Stream;
use kernel::{Clock, PostId, Random, UserId};
use relstore::{RelStore, RelStoreConfig};
use serde_json::json;
use subgraph::messages::{CommentCreated, PostLiked, PostUnliked, UserFollowed};
use subgraph::peers::{Peer, Peers};
use subgraph::service::{Deps, Executable};

use crate::app::App;
use crate::config::NotificationConfig;
use crate::consumers::Tell;
use crate::store::{COLLECTIONS, Kind, NotificationDoc};

/// A user domain in which everybody wants to be told everything.
struct Users;

impl Executable for Users {
    fn execute(&self, _: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        let times = rules::ZoneHistory::new(rules::UserTime::utc());
        let rules = rules::UserRules {
            version: 1,
            times,
            pauses: Vec::new(),
        };
        let known = json!({ "rules": rules, "isActivityPublic": false });
        let data = json!({ "_entities": [{ "known": known }] });
        let data = Value::from_json(data).expect("a value");
        Box::pin(async move { Response::new(data) })
    }

    fn execute_stream(&self, _: Request) -> Pin<Box<dyn Stream<Item = Response> + Send>> {
        Box::pin(futures::stream::empty())
    }
}

struct World {
    tell: Tell,
    random: Random,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = testkit::data_dir();
        let (clock, random) = (Clock::system(), Random::seeded(1));
        let path = folder.path().join("documents.sqlite");
        let store = DocStore::open(&StoreConfig::Sqlite { path }).await.unwrap();
        store.ensure(&COLLECTIONS).await.unwrap();
        store.ensure(events::COLLECTIONS).await.unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("r.sqlite").display());
        let peers = Peers::new("notification");
        let users = Peer::InProcess {
            schema: Arc::new(Users),
            version_of: None,
        };
        peers.connect([("user".to_owned(), users)].into());
        let deps = Deps {
            store,
            relations: RelStore::open(&RelStoreConfig { url }).await.unwrap(),
            cache: Cache::open(&CacheConfig::default(), clock.clone()).unwrap(),
            outbox: Outbox::new("notification", clock.clone(), random.clone()),
            clock,
            random: random.clone(),
            peers,
        };
        Self {
            tell: Tell(App::new(NotificationConfig::default(), deps)),
            random,
            _folder: folder,
        }
    }

    fn someone(&self) -> UserId {
        self.random.id(Clock::system().now())
    }

    fn post(&self) -> PostId {
        self.random.id(Clock::system().now())
    }

    fn event<P: Payload>(&self, user: UserId, payload: &P) -> Event {
        let now = Clock::system().now();
        Event {
            id: self.random.id::<Event>(now).to_string(),
            kind: P::KIND.to_owned(),
            user,
            at: now,
            payload: serde_json::to_value(payload).unwrap(),
            traceparent: None,
            source: "community".to_owned(),
        }
    }

    async fn happens<P: Payload>(&self, user: UserId, payload: &P) {
        self.tell.handle(&self.event(user, payload)).await.unwrap();
    }

    /// What somebody was told, and how much of it their inbox counts as unread.
    async fn inbox(&self, user: UserId) -> (Vec<NotificationDoc>, i64) {
        let app = &self.tell.0;
        let told = docstore::Query::all().eq("userId", user);
        let told = app.notifications().find(told).await.unwrap();
        let inbox = app.inbox(user).await.unwrap();
        (told, inbox.map_or(0, |inbox| inbox.unread))
    }
}

#[tokio::test]
async fn an_event_that_comes_twice_is_told_once() {
    let world = World::new().await;
    let (alice, bob) = (world.someone(), world.someone());
    let followed = world.event(bob, &UserFollowed { followed_id: alice });
    world.tell.handle(&followed).await.unwrap();
    let again = world.tell.handle(&followed).await;
    assert!(matches!(again, Err(HandlerError::Duplicate)), "{again:?}");
    let (told, unread) = world.inbox(alice).await;
    assert_eq!((told.len(), unread), (1, 1));
    assert_eq!((told[0].kind, told[0].actor_id), (Kind::Followed, Some(bob)));
}

#[tokio::test]
async fn likes_of_a_post_are_one_notification_that_counts_them() {
    let world = World::new().await;
    let (author_id, post_id) = (world.someone(), world.post());
    let likers = [world.someone(), world.someone(), world.someone()];
    let liked = PostLiked { post_id, author_id };
    let all = likers.map(|liker| world.event(liker, &liked));
    let handled = futures::future::join_all(all.iter().map(|event| world.tell.handle(event))).await;
    assert!(handled.iter().all(Result::is_ok), "{handled:?}");
    let (told, unread) = world.inbox(author_id).await;
    assert_eq!((told.len(), told[0].count, unread), (1, 3, 1));
    for (taken_back, left) in likers.iter().zip([2, 1, 0]) {
        let unliked = PostUnliked { post_id, author_id };
        world.happens(*taken_back, &unliked).await;
        let (told, unread) = world.inbox(author_id).await;
        assert_eq!(told.first().map_or(0, |told| told.count), left);
        assert_eq!(unread, i64::from(left > 0));
    }
}

#[tokio::test]
async fn a_comment_is_told_to_everybody_else_concerned_once() {
    let world = World::new().await;
    let (author, answered, writer) = (world.someone(), world.someone(), world.someone());
    let comment = |author_id, answered_id| CommentCreated {
        comment_id: world.random.id(Clock::system().now()),
        post_id: world.post(),
        author_id,
        answered_id,
    };
    world.happens(writer, &comment(author, Some(answered))).await;
    assert_eq!(world.inbox(author).await.0[0].kind, Kind::PostCommented);
    assert_eq!(world.inbox(answered).await.0[0].kind, Kind::CommentAnswered);
    world.happens(writer, &comment(author, Some(author))).await;
    assert_eq!(world.inbox(author).await.1, 2, "once, though for two reasons");
    world.happens(writer, &comment(writer, None)).await;
    assert_eq!(world.inbox(writer).await.1, 0, "nobody is told what they did");
}

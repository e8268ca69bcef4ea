//! What sessions promise, on every backend.

use cache::CacheConfig;
use docstore::StoreConfig;
use futures::future::join_all;
use kernel::ManualClock;

use super::*;

struct World {
    sessions: Sessions,
    store: DocStore,
    clock: ManualClock,
    random: Random,
    /// Another process on the same store, with a cache of its own.
    elsewhere: Sessions,
    user: UserId,
    _folder: tempfile::TempDir,
}

impl World {
    async fn on(config: &StoreConfig, folder: tempfile::TempDir) -> Self {
        let clock = ManualClock::at("2026-03-29T01:00:00Z".parse().unwrap());
        let random = Random::from_os();
        let store = DocStore::open(config).await.unwrap();
        store.ensure(COLLECTIONS).await.unwrap();
        let process = || {
            let cache = Cache::open(&CacheConfig::Memory { max_entries: 100 }, clock.clock()).unwrap();
            let config = AuthConfig::default();
            Sessions::new(store.clone(), cache, clock.clock(), random.clone(), &config)
        };
        Self {
            sessions: process(),
            elsewhere: process(),
            user: random.id(clock.now()),
            store,
            clock,
            random,
            _folder: folder,
        }
    }

    async fn log_in(&self) -> (Session, RefreshToken) {
        let device = Device {
            name: "Pixel 8".to_owned(),
            ..Device::default()
        };
        self.sessions.create(self.user, device).await.unwrap()
    }

    async fn rotate(&self, token: &RefreshToken) -> Result<(Session, RefreshToken), RotateError> {
        self.sessions.rotate(token.expose()).await
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

/// Makes each case a test per backend.
macro_rules! on_every_backend {
    ($($case:ident;)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                let folder = testkit::data_dir();
                let config = docstore::StoreConfig::Sqlite { path: folder.path().join("documents.sqlite") };
                super::$case(super::World::on(&config, folder).await).await;
            })*
        }
        mod mongodb {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                let config = docstore::StoreConfig::Mongo {
                    url: testkit::servers::mongo_url(),
                    database: testkit::unique_name("auth"),
                };
                super::$case(super::World::on(&config, testkit::data_dir()).await).await;
            })*
        }
    };
}

on_every_backend! {
    a_refresh_token_is_exchanged_for_the_next_one;
    a_token_used_before_revokes_its_session;
    a_lost_answer_does_not_lock_a_phone_out;
    the_grace_ends_when_the_next_token_is_used;
    a_phone_may_try_again_a_few_times_only;
    of_many_concurrent_uses_one_rotates_and_few_repeat;
    a_session_ends_after_thirty_days_without_use;
    unknown_and_malformed_tokens_are_refused;
    a_user_sees_and_ends_their_sessions;
    an_end_during_a_rotation_wins;
    an_end_is_seen_elsewhere_within_seconds;
    nothing_that_is_stored_lets_anybody_in;
}

async fn a_refresh_token_is_exchanged_for_the_next_one(world: World) {
    let (session, first) = world.log_in().await;
    assert_eq!((session.user_id, session.generation), (world.user, 0));
    let mut token = first;
    for generation in 1..=3 {
        world.pass(3600);
        let (rotated, next) = world.rotate(&token).await.unwrap();
        assert_eq!((rotated.id, rotated.generation), (session.id, generation));
        assert_eq!(rotated.last_used_at, world.clock.now());
        assert_ne!(next, token);
        token = next;
    }
    let stored = world.sessions.get(session.id).await.unwrap().unwrap();
    assert_eq!((stored.generation, stored.device.name.as_str()), (3, "Pixel 8"));
}

async fn a_token_used_before_revokes_its_session(world: World) {
    let (session, first) = world.log_in().await;
    let (_, other) = world.log_in().await;
    let (_, second) = world.rotate(&first).await.unwrap();
    world.pass(11);
    assert!(matches!(
        world.rotate(&first).await,
        Err(RotateError::Reused { .. })
    ));
    assert!(matches!(world.rotate(&second).await, Err(RotateError::Revoked)));
    assert!(matches!(world.rotate(&first).await, Err(RotateError::Revoked)));
    assert!(world.sessions.is_revoked(session.id).await.unwrap());
    let stored = world.sessions.get(session.id).await.unwrap().unwrap();
    assert_eq!(stored.revoked_by, Some(RevokedBy::Reuse));
    assert!(
        world.rotate(&other).await.is_ok(),
        "other sessions of the user go on"
    );
}

async fn a_lost_answer_does_not_lock_a_phone_out(world: World) {
    let (_, first) = world.log_in().await;
    let (_, lost) = world.rotate(&first).await.unwrap();
    world.pass(10);
    let (session, received) = world.rotate(&first).await.unwrap();
    assert_eq!(session.generation, 1);
    world.pass(7200);
    let (_, next) = world.rotate(&received).await.unwrap();
    world.pass(7200);
    assert!(world.rotate(&next).await.is_ok());
    // The answer that was lost turns up in other hands.
    assert!(matches!(
        world.rotate(&lost).await,
        Err(RotateError::Reused { .. })
    ));
}

async fn the_grace_ends_when_the_next_token_is_used(world: World) {
    let (_, first) = world.log_in().await;
    let (_, second) = world.rotate(&first).await.unwrap();
    let (_, third) = world.rotate(&second).await.unwrap();
    assert!(matches!(
        world.rotate(&first).await,
        Err(RotateError::Reused { .. })
    ));
    assert!(matches!(world.rotate(&third).await, Err(RotateError::Revoked)));
}

async fn a_phone_may_try_again_a_few_times_only(world: World) {
    let (_, first) = world.log_in().await;
    for _ in 0..=MAX_REPEATS {
        world.rotate(&first).await.unwrap();
    }
    assert!(matches!(
        world.rotate(&first).await,
        Err(RotateError::Reused { .. })
    ));
}

async fn of_many_concurrent_uses_one_rotates_and_few_repeat(world: World) {
    let (session, first) = world.log_in().await;
    let (one, other) = futures::join!(world.rotate(&first), world.elsewhere.rotate(first.expose()));
    let ((one, one_token), (other, other_token)) = (one.unwrap(), other.unwrap());
    assert_eq!((one.generation, other.generation), (1, 1));
    assert_ne!(one_token, other_token);
    assert_eq!((one.id, other.id), (session.id, session.id));

    let (session, first) = world.log_in().await;
    let many = join_all((0..24).map(|_| world.rotate(&first))).await;
    let won = many.iter().filter(|done| done.is_ok()).count();
    assert_eq!(won, 1 + MAX_REPEATS as usize);
    let reused = many
        .iter()
        .filter(|done| matches!(done, Err(RotateError::Reused { .. })))
        .count();
    assert_eq!(reused, 1, "one use too many revokes, the others find it revoked");
    assert!(world.elsewhere.is_revoked(session.id).await.unwrap());
}

async fn a_session_ends_after_thirty_days_without_use(world: World) {
    const DAY: i64 = 24 * 60 * 60;
    let (session, first) = world.log_in().await;
    world.pass(29 * DAY);
    let (_, second) = world.rotate(&first).await.unwrap();
    assert_eq!(
        world.sessions.purge().await.unwrap(),
        0,
        "the used token stays as long as it could be"
    );
    world.pass(30 * DAY);
    // Its end by itself is no theft.
    assert!(matches!(world.rotate(&first).await, Err(RotateError::Expired)));
    assert!(matches!(world.rotate(&second).await, Err(RotateError::Expired)));
    assert_eq!(world.sessions.list(world.user).await.unwrap(), []);
    world.pass(1);
    assert_eq!(world.sessions.purge().await.unwrap(), 3);
    assert!(matches!(world.rotate(&second).await, Err(RotateError::Unknown)));
    assert!(world.sessions.is_revoked(session.id).await.unwrap());
}

async fn unknown_and_malformed_tokens_are_refused(world: World) {
    let (_, token) = world.log_in().await;
    let good = token.expose();
    let unknown = RefreshToken::new(&world.random);
    for text in [
        "",
        "dkr_",
        "nonsense",
        unknown.expose(),
        &good[4..],
        &good[..46],
        &format!("{good}A"),
        &format!("{good}="),
        &good.replace("dkr_", "DKR_"),
        &"dkr_A".repeat(100_000),
    ] {
        assert!(matches!(
            world.sessions.rotate(text).await,
            Err(RotateError::Unknown)
        ));
    }
    assert!(world.rotate(&token).await.is_ok());
}

async fn a_user_sees_and_ends_their_sessions(world: World) {
    let (phone, _) = world.log_in().await;
    world.pass(1);
    let (tablet, tablet_token) = world.log_in().await;
    world.pass(1);
    let (laptop, _) = world.log_in().await;
    let stranger: UserId = world.random.id(world.clock.now());
    world.sessions.create(stranger, Device::default()).await.unwrap();
    world.pass(1);
    world.rotate(&tablet_token).await.unwrap();

    let ids = async || {
        let list = world.sessions.list(world.user).await.unwrap();
        list.iter().map(|session| session.id).collect::<Vec<_>>()
    };
    assert_eq!(ids().await, [tablet.id, laptop.id, phone.id]);
    world.sessions.revoke(laptop.id).await.unwrap();
    let ended = world.sessions.get(laptop.id).await.unwrap().unwrap();
    world.pass(5);
    world.sessions.revoke(laptop.id).await.unwrap();
    assert_eq!(
        world.sessions.get(laptop.id).await.unwrap().unwrap().revoked_at,
        ended.revoked_at
    );
    assert_eq!(ids().await, [tablet.id, phone.id]);
    let kept = Some(phone.id);
    assert_eq!(world.sessions.revoke_all(world.user, kept).await.unwrap(), 1);
    assert_eq!(ids().await, [phone.id]);
    assert_eq!(world.sessions.revoke_all(world.user, None).await.unwrap(), 1);
    assert_eq!(ids().await, []);
    assert_eq!(world.sessions.list(stranger).await.unwrap().len(), 1);
    world
        .sessions
        .revoke(world.random.id(world.clock.now()))
        .await
        .unwrap();
}

async fn an_end_during_a_rotation_wins(world: World) {
    for _ in 0..8 {
        let (session, token) = world.log_in().await;
        let (ended, rotated) = futures::join!(world.sessions.revoke(session.id), world.rotate(&token));
        ended.unwrap();
        // Whichever came first, the family is over.
        let next = rotated.map_or(token, |(_, next)| next);
        assert!(matches!(world.rotate(&next).await, Err(RotateError::Revoked)));
    }
}

async fn an_end_is_seen_elsewhere_within_seconds(world: World) {
    let (session, _) = world.log_in().await;
    assert!(!world.sessions.is_revoked(session.id).await.unwrap());
    assert!(!world.elsewhere.is_revoked(session.id).await.unwrap());
    world.sessions.revoke(session.id).await.unwrap();
    assert!(world.sessions.is_revoked(session.id).await.unwrap());
    // The other process has not even the cache in common, as when that is away.
    world.pass(8);
    assert!(world.elsewhere.is_revoked(session.id).await.unwrap());
    let reads = world.store.calls().reads;
    for _ in 0..10 {
        assert!(world.elsewhere.is_revoked(session.id).await.unwrap());
    }
    assert_eq!(world.store.calls().reads, reads);
}

async fn nothing_that_is_stored_lets_anybody_in(world: World) {
    let device = Device {
        name: "é".repeat(1000),
        ip: Some("1".repeat(1000)),
        user_agent: Some("x".repeat(1000)),
    };
    let (session, token) = world.sessions.create(world.user, device).await.unwrap();
    assert_eq!(session.device.name.chars().count(), 64);
    let issued = world.sessions.tokens.find(Query::all()).await.unwrap();
    let stored = serde_json::to_string(&(&session, &issued)).unwrap() + &format!("{token:?} {issued:?}");
    assert!(!stored.contains(&token.expose()[4..]));
    assert_eq!(token.expose().len(), 4 + 43);
    for issued in issued {
        let hash = docstore::Document::id(&issued);
        assert!(matches!(
            world.sessions.rotate(&hash).await,
            Err(RotateError::Unknown)
        ));
    }
}

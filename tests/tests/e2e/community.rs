//! What people share, and what they are to each other.

use serde_json::{Value, json};
use tests::{Caller, Daka};

scenarios!(
    likes_are_counted_exactly_however_many_like_at_once,
    a_post_is_seen_by_those_whom_it_is_for,
    a_block_hides_everything_both_ways,
    friends_are_made_by_two,
    whoever_follows_reads_whom_they_follow,
    pages_of_posts_stay_stable_while_others_post,
    a_post_shows_an_own_check_in_once,
    comments_are_deleted_by_those_who_may,
    pages_of_comments_lead_to_each_once,
    a_deleted_post_takes_everything_with_it,
    bad_posts_are_told_with_their_places,
);

const POST: &str =
    "mutation($input: CreatePostInput!) { createPost(input: $input) { id type visibility likeCount } }";
const SEE: &str = "query($id: ID!) { post(id: $id) { id likeCount isLiked likes commentCount comments { id content userId } } }";
const COMMENT: &str = "mutation($id: ID!, $content: String!) { createComment(postId: $id, input: { content: $content }) { id } }";

async fn share(author: &Caller, input: Value) -> String {
    let created = author.query(POST, json!({ "input": input })).await;
    created["createPost"]["id"].as_str().expect("an id").to_owned()
}

async fn say(caller: &Caller, post: &str, content: &str) -> String {
    let created = caller
        .query(COMMENT, json!({ "id": post, "content": content }))
        .await;
    created["createComment"]["id"].as_str().expect("an id").to_owned()
}

async fn sees(caller: &Caller, post: &str) -> bool {
    let seen = caller.query(SEE, json!({ "id": post })).await;
    !seen["post"].is_null()
}

async fn listed(caller: &Caller, filter: Value) -> Vec<String> {
    let query = "query($filter: PostFilter) { posts(filter: $filter, limit: 200) { id } }";
    let found = caller.query(query, json!({ "filter": filter })).await;
    let found = found["posts"].as_array().expect("a list");
    found
        .iter()
        .filter_map(|post| post["id"].as_str().map(str::to_owned))
        .collect()
}

/// Does something about somebody, by the name of the mutation.
async fn act(caller: &Caller, what: &str, other: &Caller) -> Value {
    let mutation = format!(
        "mutation($id: ID!) {{ {what}(id: $id) {{ id relationship {{ isFollowing isFollowed isFriend hasRequestedFriend isRequestedBy isBlocked isMuted }} }} }}"
    );
    caller.query(&mutation, json!({ "id": other.id })).await[what]["relationship"].take()
}

async fn likes_are_counted_exactly_however_many_like_at_once(daka: &Daka) {
    let alice = daka.someone().await;
    let post = share(&alice, json!({ "content": "Seven days!" })).await;
    let (like, unlike) = (
        "mutation($id: ID!) { likePost(id: $id) { isLiked } }",
        "mutation($id: ID!) { unlikePost(id: $id) { isLiked } }",
    );
    let fans = futures::future::join_all((0..12).map(|_| daka.someone())).await;
    // Each likes twice at once; every third one takes it back.
    let id = json!({ "id": post });
    let twice = fans.iter().chain(&fans).map(|fan| fan.query(like, id.clone()));
    for answer in futures::future::join_all(twice).await {
        assert_eq!(answer["likePost"]["isLiked"], true);
    }
    let back = fans.iter().step_by(3).map(|fan| fan.query(unlike, id.clone()));
    for answer in futures::future::join_all(back).await {
        assert_eq!(answer["unlikePost"]["isLiked"], false);
    }
    let seen = fans[1].query(SEE, id).await["post"].take();
    assert_eq!((&seen["likeCount"], &seen["isLiked"]), (&json!(8), &json!(true)));
    let likes = seen["likes"].as_array().expect("a list");
    assert_eq!(likes.len(), 8);
    assert!(likes.contains(&json!(fans[1].id)) && !likes.contains(&json!(fans[0].id)));
}

async fn a_post_is_seen_by_those_whom_it_is_for(daka: &Daka) {
    let (alice, bob, carol) = (daka.someone().await, daka.someone().await, daka.someone().await);
    act(&alice, "requestFriend", &bob).await;
    act(&bob, "acceptFriend", &alice).await;
    let shared =
        |visibility: &'static str| share(&alice, json!({ "content": "x", "visibility": visibility }));
    let (public, friends, private) = (
        shared("PUBLIC").await,
        shared("FRIENDS").await,
        shared("PRIVATE").await,
    );
    let of_alice = json!({ "userId": alice.id });
    for (who, seen) in [
        (&alice, vec![&private, &friends, &public]),
        (&bob, vec![&friends, &public]),
        (&carol, vec![&public]),
    ] {
        for post in [&public, &friends, &private] {
            assert_eq!(sees(who, post).await, seen.contains(&post));
        }
        let mut expected: Vec<String> = seen.into_iter().cloned().collect();
        let mut found = listed(who, of_alice.clone()).await;
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
        let all = listed(who, json!({})).await;
        assert!(expected.iter().all(|post| all.contains(post)));
        assert_eq!(all.contains(&friends), expected.contains(&friends));
    }
    assert_eq!(
        carol
            .refused(COMMENT, json!({ "id": friends, "content": "x" }))
            .await,
        "NOT_FOUND"
    );
    act(&alice, "removeFriend", &bob).await;
    assert!(!sees(&bob, &friends).await && sees(&bob, &public).await);
}

async fn a_block_hides_everything_both_ways(daka: &Daka) {
    let (alice, bob, carol) = (daka.someone().await, daka.someone().await, daka.someone().await);
    let (hers, his) = (
        share(&alice, json!({ "content": "hers" })).await,
        share(&bob, json!({ "content": "his" })).await,
    );
    let of_carol = share(&carol, json!({ "content": "carol's" })).await;
    say(&bob, &of_carol, "from Bob").await;
    act(&bob, "followUser", &alice).await;

    let blocked = act(&alice, "blockUser", &bob).await;
    assert_eq!(
        (&blocked["isBlocked"], &blocked["isFollowed"]),
        (&json!(true), &json!(false))
    );
    for (who, post, author) in [(&bob, &hers, &alice), (&alice, &his, &bob)] {
        assert!(!sees(who, post).await);
        assert_eq!(
            listed(who, json!({ "userId": author.id })).await,
            Vec::<String>::new()
        );
        assert!(!listed(who, json!({})).await.contains(post));
    }
    let comments = alice.query(SEE, json!({ "id": of_carol })).await["post"]["comments"].take();
    assert_eq!(comments, json!([]));
    // Nor can an answer reach, and tell, who is kept apart.
    let answered = say(&alice, &of_carol, "from Alice").await;
    let answer = json!({ "id": of_carol, "input": { "content": "x", "replyTo": answered } });
    let reply = "mutation($id: ID!, $input: CreateCommentInput!) { createComment(postId: $id, input: $input) { id } }";
    let refused = bob.graphql(reply, answer).await;
    assert_eq!(refused.issues(), ["input.replyTo NOT_FOUND"]);
    let follow = "mutation($id: ID!) { followUser(id: $id) { id } }";
    assert_eq!(bob.refused(follow, json!({ "id": alice.id })).await, "NOT_FOUND");
    act(&alice, "unblockUser", &bob).await;
    assert!(sees(&bob, &hers).await && sees(&alice, &his).await);
}

async fn friends_are_made_by_two(daka: &Daka) {
    let (alice, bob, carol) = (daka.someone().await, daka.someone().await, daka.someone().await);
    let asked = act(&alice, "requestFriend", &bob).await;
    assert_eq!(
        (&asked["hasRequestedFriend"], &asked["isFriend"]),
        (&json!(true), &json!(false))
    );
    let requests = bob.query("{ friendRequests { id } }", json!({})).await;
    assert_eq!(requests["friendRequests"], json!([{ "id": alice.id }]));
    // To ask back is to accept, and to do it again changes nothing.
    assert_eq!(act(&bob, "requestFriend", &alice).await["isFriend"], true);
    assert_eq!(act(&alice, "requestFriend", &bob).await["isFriend"], true);
    for (who, friend) in [(&alice, &bob), (&bob, &alice)] {
        let friends = who
            .query("{ friends { id } friendRequests { id } }", json!({}))
            .await;
        assert_eq!(
            friends,
            json!({ "friends": [{ "id": friend.id }], "friendRequests": [] })
        );
    }
    let alone = "mutation { updatePreferences(input: { privacy: { allowFriendRequest: false } }) { id } }";
    carol.query(alone, json!({})).await;
    let request = "mutation($id: ID!) { requestFriend(id: $id) { id } }";
    assert_eq!(
        alice.refused(request, json!({ "id": carol.id })).await,
        "FORBIDDEN"
    );
    assert_eq!(
        alice.refused(request, json!({ "id": alice.id })).await,
        "BAD_USER_INPUT"
    );
    let nobody = json!({ "id": "65f1c0ffee65f1c0ffee65f1" });
    assert_eq!(alice.refused(request, nobody).await, "NOT_FOUND");
}

async fn whoever_follows_reads_whom_they_follow(daka: &Daka) {
    let (alice, bob, carol) = (daka.someone().await, daka.someone().await, daka.someone().await);
    let following = json!({ "feed": "FOLLOWING" });
    assert_eq!(listed(&carol, following.clone()).await, Vec::<String>::new());
    act(&carol, "followUser", &alice).await;
    act(&carol, "followUser", &bob).await;
    let first = share(&alice, json!({ "content": "one" })).await;
    share(&alice, json!({ "content": "not hers", "visibility": "PRIVATE" })).await;
    let second = share(&bob, json!({ "content": "two" })).await;
    let mut both = listed(&carol, following.clone()).await;
    both.sort();
    let mut expected = vec![first.clone(), second];
    expected.sort();
    assert_eq!(both, expected);
    act(&carol, "muteUser", &bob).await;
    assert_eq!(listed(&carol, following).await, [first]);
    let known = carol
        .query(
            "query($id: ID!) { node: posts(filter: { userId: $id }) { user { followerCount } } }",
            json!({ "id": alice.id }),
        )
        .await;
    assert_eq!(known["node"][0]["user"]["followerCount"], 1);
}

async fn pages_of_posts_stay_stable_while_others_post(daka: &Daka) {
    let alice = daka.someone().await;
    let mut shared = Vec::new();
    for number in 0..7 {
        shared.push(share(&alice, json!({ "content": format!("{number}"), "tags": ["row"] })).await);
    }
    let (mut found, mut next) = (Vec::new(), format!("/api/v1/posts?limit=3&userId={}", alice.id));
    while !next.is_empty() {
        let page = alice.get(&next).await;
        let link = page.header("link").to_owned();
        let posts = page.ok(200);
        found.extend(
            posts
                .as_array()
                .expect("a list")
                .iter()
                .map(|post| post["id"].clone()),
        );
        share(&alice, json!({ "content": "meanwhile" })).await;
        next = link
            .split_once('<')
            .and_then(|(_, rest)| rest.split_once('>'))
            .map(|(link, _)| link.to_owned())
            .unwrap_or_default();
    }
    let mut sorted: Vec<String> = found
        .iter()
        .filter_map(|id| id.as_str().map(str::to_owned))
        .collect();
    sorted.sort();
    shared.sort();
    assert_eq!(sorted, shared, "each once, and nothing that came later");
    assert_eq!(
        listed(&alice, json!({ "userId": alice.id, "tag": "row" }))
            .await
            .len(),
        7
    );
}

async fn a_post_shows_an_own_check_in_once(daka: &Daka) {
    let (alice, bob) = (daka.someone().await, daka.someone().await);
    let habit = alice
        .new_habit(json!({ "title": "Read", "isPublic": true }))
        .await;
    let check_in = alice
        .check_in(json!({ "habitId": habit, "isPublic": true }))
        .await;
    let post = share(&alice, json!({ "checkInId": check_in, "habitId": habit })).await;
    let query = "query($id: ID!) { checkIn(id: $id) { post { id type habit { title } checkIn { id } } } }";
    let shown = alice.query(query, json!({ "id": check_in })).await;
    let expected = json!({ "id": post, "type": "CHECK_IN", "habit": { "title": "Read" }, "checkIn": { "id": check_in } });
    assert_eq!(shown["checkIn"]["post"], expected);
    let again = json!({ "input": { "checkInId": check_in } });
    assert_eq!(
        alice.refused(POST, again.clone()).await,
        "CONFLICT/ALREADY_POSTED"
    );
    let stolen = bob.graphql(POST, again).await;
    assert_eq!(
        (stolen.refusal(), stolen.issues()),
        (
            "BAD_USER_INPUT".to_owned(),
            vec!["input.checkInId NOT_FOUND".to_owned()]
        )
    );
}

async fn comments_are_deleted_by_those_who_may(daka: &Daka) {
    let (alice, bob, carol) = (daka.someone().await, daka.someone().await, daka.someone().await);
    let post = share(&alice, json!({ "content": "Hello" })).await;
    let delete = "mutation($id: ID!) { deleteComment(id: $id) }";
    let (first, second) = (say(&bob, &post, "one").await, say(&bob, &post, "two").await);
    assert_eq!(carol.refused(delete, json!({ "id": first })).await, "FORBIDDEN");
    bob.query(delete, json!({ "id": first })).await;
    assert_eq!(bob.refused(delete, json!({ "id": first })).await, "NOT_FOUND");
    alice.query(delete, json!({ "id": second })).await;
    let seen = carol.query(SEE, json!({ "id": post })).await["post"].take();
    assert_eq!(
        (&seen["commentCount"], &seen["comments"]),
        (&json!(0), &json!([]))
    );
}

async fn pages_of_comments_lead_to_each_once(daka: &Daka) {
    let (alice, bob) = (daka.someone().await, daka.someone().await);
    let post = share(&alice, json!({ "content": "Hello" })).await;
    let mut said = Vec::new();
    for number in 0..5 {
        said.push(json!({ "id": say(&bob, &post, &number.to_string()).await }));
    }
    let query = "query($id: ID!, $after: String) { post(id: $id) {
        commentsConnection(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
    } }";
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let asked = json!({ "id": post, "after": after });
        let page = alice.query(query, asked).await["post"]["commentsConnection"].take();
        found.extend(page["nodes"].as_array().cloned().unwrap_or_default());
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(found, said);
}

async fn a_deleted_post_takes_everything_with_it(daka: &Daka) {
    let (alice, bob) = (daka.someone().await, daka.someone().await);
    let post = share(&alice, json!({ "content": "Hello" })).await;
    let comment = say(&bob, &post, "Hi").await;
    let id = json!({ "id": post });
    let delete = "mutation($id: ID!) { deletePost(id: $id) }";
    assert_eq!(bob.refused(delete, id.clone()).await, "FORBIDDEN");
    alice.query(delete, id.clone()).await;
    for (who, again) in [
        (&alice, delete),
        (&bob, "mutation($id: ID!) { likePost(id: $id) { id } }"),
    ] {
        assert_eq!(who.refused(again, id.clone()).await, "NOT_FOUND");
    }
    assert!(!sees(&bob, &post).await);
    let gone = "mutation($id: ID!) { deleteComment(id: $id) }";
    assert_eq!(bob.refused(gone, json!({ "id": comment })).await, "NOT_FOUND");
}

async fn bad_posts_are_told_with_their_places(daka: &Daka) {
    let alice = daka.someone().await;
    let bad = json!({
        "content": "x".repeat(2001), "images": ["ftp://x"], "tags": ["a", "a"], "habitId": "x",
        "location": { "longitude": 181, "latitude": 0 }, "idempotencyKey": "",
    });
    let answer = alice.graphql(POST, json!({ "input": bad })).await;
    let mut issues = answer.issues();
    issues.sort();
    let expected = [
        "input.content TOO_LONG",
        "input.habitId INVALID_ID",
        "input.idempotencyKey INVALID_CHARACTER",
        "input.images.0 INVALID_URL",
        "input.location.longitude OUT_OF_RANGE",
        "input.tags.1 DUPLICATE",
    ];
    assert_eq!(
        (answer.refusal(), issues),
        ("BAD_USER_INPUT".to_owned(), expected.map(str::to_owned).to_vec())
    );
    let empty = alice.graphql(POST, json!({ "input": { "content": "  " } })).await;
    assert_eq!(empty.issues(), ["input.content REQUIRED"]);
    let odd = alice
        .graphql(POST, json!({ "input": { "content": "x", "type": "CHECK_IN" } }))
        .await;
    assert_eq!(odd.issues(), ["input.type CONTRADICTION"]);
    assert_eq!(
        listed(&alice, json!({ "userId": alice.id })).await,
        Vec::<String>::new()
    );
    let input = json!({ "content": "once", "idempotencyKey": "k1" });
    assert_eq!(share(&alice, input.clone()).await, share(&alice, input).await);
    let other = json!({ "input": { "content": "twice", "idempotencyKey": "k1" } });
    assert_eq!(alice.refused(POST, other).await, "CONFLICT/IDEMPOTENCY_MISMATCH");
}

//! Who may do and see what: a case for every root field and every private field of the schema.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use tests::{Caller, Daka};

mod cases;

use cases::Other::{Null, Own, Public, Refused};
use cases::{PRIVATE, ROOTS};

scenarios!(
    every_root_field_has_a_case,
    without_a_login_only_the_public_fields_answer,
    somebody_elses_things_are_out_of_reach,
    private_things_are_nowhere_to_be_seen,
    private_fields_of_public_things_are_absent,
    without_a_login_private_fields_are_refused,
);

struct Belongings {
    alice: Caller,
    habit: String,
    check_in: String,
    session: String,
    post: String,
    comment: String,
    notification: String,
}

impl Belongings {
    async fn new(daka: &Daka, is_public: bool) -> Self {
        let alice = daka.someone().await;
        let triggers = json!([{ "type": "PLACE", "condition": {} }]);
        let input = json!({
            "title": "Hers", "isPublic": is_public, "reminder": { "time": ["08:00"] }, "triggers": triggers,
        });
        let habit = alice.new_habit(input).await;
        let location = json!({ "longitude": 1, "latitude": 1, "name": "Home" });
        let check_in = json!({ "habitId": habit, "isPublic": is_public, "location": location });
        let check_in = alice.check_in(check_in).await;
        let sessions = alice.query("{ sessions { id } }", json!({})).await;
        let session = sessions["sessions"][0]["id"].as_str().expect("an id").to_owned();
        let visibility = if is_public { "PUBLIC" } else { "PRIVATE" };
        let input = json!({ "content": "Hers", "visibility": visibility });
        let post = "mutation($input: CreatePostInput!) { createPost(input: $input) { id } }";
        let post = alice.query(post, json!({ "input": input })).await;
        let post = post["createPost"]["id"].as_str().expect("an id").to_owned();
        let comment =
            "mutation($id: ID!) { createComment(postId: $id, input: { content: \"Hers\" }) { id } }";
        let comment = alice.query(comment, json!({ "id": post })).await;
        let comment = comment["createComment"]["id"].as_str().expect("an id").to_owned();
        let notification = crate::inbox::welcome(&alice).await["id"].clone();
        let notification = notification.as_str().expect("an id").to_owned();
        Self {
            alice,
            habit,
            check_in,
            session,
            post,
            comment,
            notification,
        }
    }

    fn filled(&self, request: &str) -> String {
        let quoted = |id: &str| format!("\"{id}\"");
        let request = request
            .replace("$h", &quoted(&self.habit))
            .replace("$c", &quoted(&self.check_in));
        request
            .replace("$n", &quoted(&self.notification))
            .replace("$p", &quoted(&self.post))
            .replace("$k", &quoted(&self.comment))
            .replace("$s", &quoted(&self.session))
            .replace("$u", &quoted(&self.alice.id))
    }
}

async fn every_root_field_has_a_case(daka: &Daka) {
    let query = "{ __schema { queryType { fields { name } } mutationType { fields { name } } } }";
    let schema = daka.nobody().query(query, json!({})).await;
    let fields = |kind: &str| {
        schema["__schema"][kind]["fields"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let there: BTreeSet<String> = [fields("queryType"), fields("mutationType")]
        .concat()
        .iter()
        .filter_map(|field| field["name"].as_str().map(str::to_owned))
        .collect();
    let cases: BTreeSet<String> = ROOTS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(there, cases);
}

#[test]
fn every_private_field_has_a_case() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/supergraph.graphql");
    let sdl = std::fs::read_to_string(path).expect("the schema is committed");
    let (mut of, mut private) = ("", BTreeSet::new());
    for line in sdl.lines() {
        if let Some(rest) = line.strip_prefix("type ") {
            of = rest.split_whitespace().next().unwrap_or_default();
        }
        let is_field = line.starts_with("  ") && !line.trim_start().starts_with(['"', ')']);
        if is_field && line.contains("@authenticated") && !["Query", "Mutation", "Subscription"].contains(&of)
        {
            let name = line.trim_start().split([':', '(']).next().unwrap_or_default();
            private.insert((of, name));
        }
    }
    assert_eq!(
        private,
        PRIVATE.iter().map(|(of, name, _)| (*of, *name)).collect()
    );
}

async fn without_a_login_only_the_public_fields_answer(daka: &Daka) {
    let hers = Belongings::new(daka, true).await;
    for (name, other, request) in ROOTS {
        let answer = daka.nobody().graphql(&hers.filled(request), json!({})).await;
        let expected = if *other == Public && *name != "refreshToken" {
            ""
        } else {
            "UNAUTHENTICATED"
        };
        assert_eq!(answer.refusal(), expected, "{name}: {}", answer.body);
        if !expected.is_empty() {
            let nothing = answer.body["data"]
                .as_object()
                .is_none_or(|data| data.values().all(Value::is_null));
            assert!(nothing, "{name}: {}", answer.body);
        }
    }
}

async fn somebody_elses_things_are_out_of_reach(daka: &Daka) {
    let (hers, bob) = (Belongings::new(daka, false).await, daka.someone().await);
    for (name, other, request) in ROOTS {
        let answer = bob.graphql(&hers.filled(request), json!({})).await;
        let refusal = answer.refusal();
        match other {
            Public if *name == "refreshToken" => assert_eq!(refusal, "UNAUTHENTICATED"),
            Public | Own => assert_eq!(refusal, "", "{name}: {}", answer.body),
            Null => {
                assert!(
                    ["", "NOT_FOUND"].contains(&refusal.as_str()),
                    "{name}: {}",
                    answer.body
                );
                assert_eq!(answer.body["data"][name], json!(null), "{name}");
            }
            Refused(code) => assert_eq!(&refusal, code, "{name}: {}", answer.body),
        }
    }
    let query = "query($h: ID!, $c: ID!) {
        habit(id: $h) { title isArchived isPaused } checkIn(id: $c) { note } me { version }
    }";
    let left = hers
        .alice
        .query(query, json!({ "h": hers.habit, "c": hers.check_in }))
        .await;
    assert_eq!(
        left["habit"],
        json!({ "title": "Hers", "isArchived": false, "isPaused": false })
    );
    assert_eq!(left["checkIn"], json!({ "note": "" }));
}

async fn private_things_are_nowhere_to_be_seen(daka: &Daka) {
    let (alice, bob) = (daka.someone().await, daka.someone().await);
    let hidden = alice.new_habit(json!({ "title": "Hidden" })).await;
    let shown = json!({ "title": "Shown", "isPublic": true, "linkedHabits": [hidden] });
    let shown = alice.new_habit(shown).await;
    let of_hidden = alice
        .check_in(json!({ "habitId": hidden, "isPublic": true }))
        .await;
    let own = alice.check_in(json!({ "habitId": shown })).await;
    shows(&alice, "PUBLIC").await;
    let query = "query($u: ID!, $hidden: ID!, $shown: ID!, $public: ID!, $own: ID!) {
        hidden: habit(id: $hidden) { title }
        shown: habit(id: $shown) { title linkedHabits { title } checkIns { nodes { id } } user { id } }
        habits(filter: { userId: $u }) { title }
        public: checkIn(id: $public) { id habit { title } }
        own: checkIn(id: $own) { id }
    }";
    let variables =
        json!({ "u": alice.id, "hidden": hidden, "shown": shown, "public": &of_hidden, "own": own });
    let seen = bob.query(query, variables).await;
    assert_eq!((&seen["hidden"], &seen["own"]), (&json!(null), &json!(null)));
    let expected = json!({
        "title": "Shown", "linkedHabits": [], "checkIns": { "nodes": [] }, "user": { "id": alice.id },
    });
    assert_eq!(seen["shown"], expected);
    assert_eq!(seen["habits"], json!([{ "title": "Shown" }]));
    assert_eq!(seen["public"], json!({ "id": of_hidden, "habit": null }));
}

fn selection(of: &str) -> String {
    let fields = PRIVATE
        .iter()
        .filter(|(kind, ..)| *kind == of)
        .map(|(_, _, selection)| *selection);
    fields.collect::<Vec<_>>().join(" ")
}

async fn private_fields_of_public_things_are_absent(daka: &Daka) {
    let (hers, bob) = (Belongings::new(daka, true).await, daka.someone().await);
    shows(&hers.alice, "PUBLIC").await;
    let (habit, check_in, user) = (selection("Habit"), selection("CheckIn"), selection("User"));
    let query = format!(
        "{{ habit(id: $h) {{ {habit} }} checkIn(id: $c) {{ {check_in} }} user(id: $u) {{ {user} }} }}"
    );
    let query = hers.filled(&query);
    let seen = bob.graphql(&query, json!({})).await.body["data"].clone();
    let own = hers.alice.graphql(&query, json!({})).await.body["data"].clone();
    for (of, name, _) in PRIVATE {
        let root = match *of {
            "Habit" => "habit",
            "CheckIn" => "checkIn",
            _ => "user",
        };
        // Figures are part of the activity, which everybody may see here.
        let is_absent = seen[root][name].is_null() || *name == "stats";
        assert!(seen[root].is_object() && is_absent, "{of}.{name}: {seen}");
        // WeChat gives a unionid only to linked programs; the membership does not end.
        let may_be_absent = ["unionid", "membershipExpireAt"].contains(name);
        assert!(
            may_be_absent || !own[root][name].is_null(),
            "the own {of}.{name}: {own}"
        );
    }
    shows(&hers.alice, "PRIVATE").await;
    let query = hers.filled("{ checkIn(id: $c) { id } user(id: $u) { stats { totalHabits } } }");
    let seen = bob.query(&query, json!({})).await;
    assert_eq!(seen, json!({ "checkIn": null, "user": { "stats": null } }));
}

/// Shows the profile to everybody, and the activity to whom it says.
async fn shows(caller: &Caller, activity: &str) {
    let update = "mutation($input: UpdatePreferencesInput!) { updatePreferences(input: $input) { id } }";
    let privacy = json!({ "profileVisibility": "PUBLIC", "activityVisibility": activity });
    caller
        .query(update, json!({ "input": { "privacy": privacy } }))
        .await;
}

async fn without_a_login_private_fields_are_refused(daka: &Daka) {
    let nobody = daka.nobody();
    for (of, name, selection) in PRIVATE {
        let request = match *of {
            "Habit" => format!("{{ habitTemplates {{ {selection} }} }}"),
            "CheckIn" => format!("{{ habitTemplates {{ checkIns {{ nodes {{ {selection} }} }} }} }}"),
            _ => format!("mutation {{ login(code: \"sandbox:private\") {{ user {{ {selection} }} }} }}"),
        };
        let answer = nobody.graphql(&request, json!({})).await;
        assert_eq!(
            answer.refusal(),
            "UNAUTHENTICATED",
            "{of}.{name}: {}",
            answer.body
        );
    }
}

//! What staff may do: with a role, and only as long as they have it.

use serde_json::{Value, json};
use tests::{Caller, Daka, Shape};

#[test]
fn an_embedded_platform_has_staff() {
    tests::block_on(administrators_run_the_platform(Shape::Embedded));
}

#[test]
fn a_distributed_platform_has_staff() {
    tests::block_on(administrators_run_the_platform(Shape::Distributed));
}

const GRANT: &str = "mutation($id: ID!, $role: String!) { grantRole(userId: $id, role: $role) { id roles } }";
const REVOKE: &str =
    "mutation($id: ID!, $role: String!) { revokeRole(userId: $id, role: $role) { id roles } }";
const VERIFY: &str =
    "mutation($id: ID!, $is: Boolean!) { setVerified(userId: $id, isVerified: $is) { isVerified } }";
const ENROL: &str = "mutation($id: ID!, $type: MembershipType!, $end: DateTime) {
    setMembership(userId: $id, membershipType: $type, expireAt: $end) { membershipType membershipExpireAt }
}";
const PROFILE: &str = "query($id: ID!) { user(id: $id) { openid isVerified roles } }";

async fn administrators_run_the_platform(shape: Shape) {
    let mut daka = Daka::start(shape).await;
    let known = daka
        .login("boss")
        .await
        .query("{ me { openid roles } }", json!({}))
        .await;
    assert_eq!(known["me"]["roles"], json!([]));
    daka.stop().await;
    let administrators = json!([known["me"]["openid"]]).to_string();
    daka.set("DAKA__USER__ADMINISTRATORS", administrators);
    daka.launch().await;

    let boss = daka.login("boss").await;
    assert_eq!(
        boss.query("{ me { roles } }", json!({})).await["me"]["roles"],
        json!(["admin"])
    );
    let (bob, carol) = (daka.someone().await, daka.someone().await);
    who_has_a_role_may_what_it_permits(&boss, &bob, &carol).await;
    memberships_end_when_they_expire(&boss, &carol).await;
    the_last_administrator_stays(&boss, &bob).await;
}

/// Bob sees the private profile of Carol and verifies her while he is in support, and no request longer.
async fn who_has_a_role_may_what_it_permits(boss: &Caller, bob: &Caller, carol: &Caller) {
    let hers = json!({ "id": carol.id });
    let verify = json!({ "id": carol.id, "is": true });
    let support = json!({ "id": bob.id, "role": "support" });
    assert_eq!(bob.query(PROFILE, hers.clone()).await["user"], Value::Null);
    assert_eq!(bob.refused(VERIFY, verify.clone()).await, "FORBIDDEN");

    let granted = boss.query(GRANT, support.clone()).await;
    assert_eq!(
        granted["grantRole"],
        json!({ "id": bob.id, "roles": ["support"] })
    );
    assert_eq!(boss.query(GRANT, support.clone()).await, granted, "twice is once");
    let seen = bob.query(PROFILE, hers.clone()).await["user"].take();
    let own = carol.query("{ me { openid isVerified roles } }", json!({})).await["me"].take();
    assert_eq!(seen, own);
    assert_eq!(
        bob.query(VERIFY, verify.clone()).await["setVerified"]["isVerified"],
        true
    );
    assert_eq!(
        carol.query("{ me { isVerified } }", json!({})).await["me"]["isVerified"],
        true
    );
    assert_eq!(
        bob.refused(GRANT, support.clone()).await,
        "FORBIDDEN",
        "that is not support's"
    );

    let revoked = boss.query(REVOKE, support).await;
    assert_eq!(revoked["revokeRole"], json!({ "id": bob.id, "roles": [] }));
    assert_eq!(bob.query(PROFILE, hers).await["user"], Value::Null);
    assert_eq!(bob.refused(VERIFY, verify).await, "FORBIDDEN");

    let unknown = boss
        .graphql(GRANT, json!({ "id": bob.id, "role": "emperor" }))
        .await;
    assert_eq!(unknown.refusal(), "BAD_USER_INPUT");
    assert_eq!(unknown.issues(), ["role NOT_FOUND"]);
    for nobody in ["65f1c0ffee65f1c0ffee65f1", "x"] {
        let nobody = json!({ "id": nobody, "role": "support" });
        assert_eq!(boss.refused(GRANT, nobody.clone()).await, "NOT_FOUND");
        assert_eq!(boss.refused(REVOKE, nobody).await, "NOT_FOUND");
    }
}

async fn memberships_end_when_they_expire(boss: &Caller, carol: &Caller) {
    let query = "{ me { membershipType membershipExpireAt } }";
    let free = json!({ "membershipType": "FREE", "membershipExpireAt": null });
    assert_eq!(carol.query(query, json!({})).await["me"], free);
    for (kind, end, expected) in [
        (
            "YEARLY",
            json!("2126-11-16T00:00:00Z"),
            json!({ "membershipType": "YEARLY", "membershipExpireAt": "2126-11-16T00:00:00.000Z" }),
        ),
        ("MONTHLY", json!("2026-01-01T00:00:00Z"), free),
        (
            "LIFETIME",
            Value::Null,
            json!({ "membershipType": "LIFETIME", "membershipExpireAt": null }),
        ),
    ] {
        let enrolled = boss
            .query(ENROL, json!({ "id": carol.id, "type": kind, "end": end }))
            .await;
        assert_eq!(enrolled["setMembership"], expected);
        assert_eq!(carol.query(query, json!({})).await["me"], expected);
    }
    let bad = boss
        .graphql(
            ENROL,
            json!({ "id": carol.id, "type": "FREE", "end": "tomorrow" }),
        )
        .await;
    assert_eq!(
        (bad.refusal(), bad.issues()),
        (
            "BAD_USER_INPUT".to_owned(),
            vec!["expireAt INVALID_DATE_TIME".to_owned()]
        )
    );
}

async fn the_last_administrator_stays(boss: &Caller, bob: &Caller) {
    let resign = json!({ "id": boss.id, "role": "admin" });
    assert_eq!(boss.refused(REVOKE, resign.clone()).await, "CONFLICT/LAST_ROLE");
    boss.query(GRANT, json!({ "id": bob.id, "role": "admin" })).await;
    bob.query(REVOKE, resign.clone()).await;
    assert_eq!(boss.refused(GRANT, resign).await, "FORBIDDEN");
    let stay = json!({ "id": bob.id, "role": "admin" });
    assert_eq!(bob.refused(REVOKE, stay).await, "CONFLICT/LAST_ROLE");
}

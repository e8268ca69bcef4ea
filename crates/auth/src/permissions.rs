//! The names of what staff may do, and which role is given what from the start.
//!
//! Everybody may act on their own data without any of these. Which person has which role, and what a role
//! permits, is kept by the user subgraph; here are the names that code refers to and the tables' first content.

/// See any person's account, private parts included.
pub const USERS_READ: &str = "users:read";
/// Change any person's account, and end their sessions.
pub const USERS_WRITE: &str = "users:write";
/// Give roles to people and take them away.
pub const ROLES_GRANT: &str = "roles:grant";
/// Judge what others have posted.
pub const CONTENT_MODERATE: &str = "content:moderate";
/// Write the platform's own content: articles, habit templates, official challenges.
pub const CONTENT_WRITE: &str = "content:write";
/// See figures about all people together.
pub const ANALYTICS_READ: &str = "analytics:read";
/// Look after third-party apps and their keys.
pub const APPS_MANAGE: &str = "apps:manage";
/// Look at the audit log.
pub const AUDIT_READ: &str = "audit:read";
/// Run the platform: dead letters, replays, jobs, switches.
pub const SYSTEM_OPERATE: &str = "system:operate";

/// Every permission.
pub const ALL: &[&str] = &[
    USERS_READ,
    USERS_WRITE,
    ROLES_GRANT,
    CONTENT_MODERATE,
    CONTENT_WRITE,
    ANALYTICS_READ,
    APPS_MANAGE,
    AUDIT_READ,
    SYSTEM_OPERATE,
];

/// The role of everybody who logs in.
pub const MEMBER: &str = "member";
/// The role of those who help people with their accounts.
pub const SUPPORT: &str = "support";
/// The role of those who judge posts and comments.
pub const MODERATOR: &str = "moderator";
/// The role of those who run the platform.
pub const ADMIN: &str = "admin";

/// The roles that exist from the start, each with its permissions.
pub const ROLES: &[(&str, &[&str])] = &[
    (MEMBER, &[]),
    (SUPPORT, &[USERS_READ, USERS_WRITE, AUDIT_READ]),
    (MODERATOR, &[USERS_READ, CONTENT_MODERATE]),
    (ADMIN, ALL),
];

/// Whether code knows a permission of that name.
pub fn is_known(permission: &str) -> bool {
    ALL.contains(&permission)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_no_staff_permission_and_admins_have_all() {
        let of = |role| {
            ROLES
                .iter()
                .find(|(name, _)| *name == role)
                .map(|(_, given)| *given)
        };
        assert_eq!(of(MEMBER), Some(&[][..]));
        assert_eq!(of(ADMIN), Some(ALL));
        for (role, given) in ROLES {
            assert!(given.iter().all(|permission| is_known(permission)), "{role}");
        }
        assert!(!is_known("users:erase"));
    }
}

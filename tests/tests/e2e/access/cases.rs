//! The cases: each root field, and each private field.

/// What becomes of a request of somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    /// It is for everybody.
    Public,
    /// It concerns only who asks.
    Own,
    /// The answer is `null`.
    Null,
    /// It is refused with this code.
    Refused(&'static str),
}

use Other::{Null, Own, Public, Refused};

/// Each root field, what becomes of it for somebody else, and a request: `$h` is a habit, `$c` a check-in, `$p` a post,
/// `$k` a comment, `$n` a notification, `$s` a session and `$u` the person whose all that is.
pub const ROOTS: &[(&str, Other, &str)] = &[
    (
        "createCheckIn",
        Refused("NOT_FOUND"),
        "mutation { createCheckIn(input: { habitId: $h }) { id } }",
    ),
    (
        "updateCheckIn",
        Refused("NOT_FOUND"),
        "mutation { updateCheckIn(id: $c, input: { note: \"x\" }) { id } }",
    ),
    (
        "deleteCheckIn",
        Refused("NOT_FOUND"),
        "mutation { deleteCheckIn(id: $c) }",
    ),
    (
        "skipDay",
        Refused("NOT_FOUND"),
        "mutation { skipDay(habitId: $h) { id } }",
    ),
    (
        "unskipDay",
        Refused("NOT_FOUND"),
        "mutation { unskipDay(habitId: $h, date: \"2026-01-01\") { id } }",
    ),
    (
        "pauseHabit",
        Refused("NOT_FOUND"),
        "mutation { pauseHabit(id: $h) { id } }",
    ),
    (
        "resumeHabit",
        Refused("NOT_FOUND"),
        "mutation { resumeHabit(id: $h) { id } }",
    ),
    (
        "buyFreeze",
        Refused("NOT_FOUND"),
        "mutation { buyFreeze(habitId: $h) { id } }",
    ),
    (
        "createHabit",
        Own,
        "mutation { createHabit(input: { title: \"Mine\" }) { id } }",
    ),
    (
        "updateHabit",
        Refused("NOT_FOUND"),
        "mutation { updateHabit(id: $h, input: { title: \"x\" }) { id } }",
    ),
    (
        "deleteHabit",
        Refused("NOT_FOUND"),
        "mutation { deleteHabit(id: $h) }",
    ),
    (
        "archiveHabit",
        Refused("NOT_FOUND"),
        "mutation { archiveHabit(id: $h) { id } }",
    ),
    (
        "unarchiveHabit",
        Refused("NOT_FOUND"),
        "mutation { unarchiveHabit(id: $h) { id } }",
    ),
    (
        "reorderHabits",
        Refused("BAD_USER_INPUT"),
        "mutation { reorderHabits(ids: [$h]) { id } }",
    ),
    (
        "login",
        Public,
        "mutation { login(code: \"sandbox:public\") { expiresIn } }",
    ),
    (
        "refreshToken",
        Public,
        "mutation { refreshToken(refreshToken: \"x\") { expiresIn } }",
    ),
    (
        "revokeSession",
        Refused("NOT_FOUND"),
        "mutation { revokeSession(id: $s) }",
    ),
    ("revokeOtherSessions", Own, "mutation { revokeOtherSessions }"),
    (
        "updateProfile",
        Own,
        "mutation { updateProfile(input: { bio: \"Mine\" }) { id } }",
    ),
    (
        "updatePreferences",
        Own,
        "mutation { updatePreferences(input: { theme: DARK }) { id } }",
    ),
    ("pauseAllHabits", Own, "mutation { pauseAllHabits { id } }"),
    ("resumeAllHabits", Own, "mutation { resumeAllHabits { id } }"),
    (
        "grantRole",
        Refused("FORBIDDEN"),
        "mutation { grantRole(userId: $u, role: \"admin\") { id } }",
    ),
    (
        "revokeRole",
        Refused("FORBIDDEN"),
        "mutation { revokeRole(userId: $u, role: \"admin\") { id } }",
    ),
    (
        "setMembership",
        Refused("FORBIDDEN"),
        "mutation { setMembership(userId: $u, membershipType: FREE) { id } }",
    ),
    (
        "setVerified",
        Refused("FORBIDDEN"),
        "mutation { setVerified(userId: $u, isVerified: true) { id } }",
    ),
    ("checkIns", Own, "{ checkIns { id } }"),
    (
        "checkInsConnection",
        Own,
        "{ checkInsConnection { nodes { id } } }",
    ),
    ("checkIn", Null, "{ checkIn(id: $c) { id } }"),
    ("todayCheckIns", Own, "{ todayCheckIns { id } }"),
    ("today", Own, "{ today { date } }"),
    (
        "calendarView",
        Own,
        "{ calendarView(year: 2026, month: 1) { year } }",
    ),
    ("myStats", Own, "{ myStats { totalHabits } }"),
    (
        "habitStats",
        Null,
        "{ habitStats(habitId: $h) { totalCheckIns } }",
    ),
    (
        "explainDay",
        Refused("NOT_FOUND"),
        "{ explainDay(habitId: $h, date: \"2026-01-01\") { reason } }",
    ),
    (
        "previewHabitUpdate",
        Refused("NOT_FOUND"),
        "{ previewHabitUpdate(id: $h, input: {}) { days { date } } }",
    ),
    (
        "previewMakeup",
        Refused("NOT_FOUND"),
        "{ previewMakeup(habitId: $h, date: \"2026-01-01\") { days { date } } }",
    ),
    ("habits", Own, "{ habits { id } }"),
    ("habitsConnection", Own, "{ habitsConnection { nodes { id } } }"),
    ("habit", Null, "{ habit(id: $h) { id } }"),
    ("habitTemplates", Public, "{ habitTemplates { id } }"),
    (
        "createPost",
        Own,
        "mutation { createPost(input: { content: \"Mine\" }) { id } }",
    ),
    (
        "deletePost",
        Refused("NOT_FOUND"),
        "mutation { deletePost(id: $p) }",
    ),
    (
        "likePost",
        Refused("NOT_FOUND"),
        "mutation { likePost(id: $p) { id } }",
    ),
    (
        "unlikePost",
        Refused("NOT_FOUND"),
        "mutation { unlikePost(id: $p) { id } }",
    ),
    (
        "createComment",
        Refused("NOT_FOUND"),
        "mutation { createComment(postId: $p, input: { content: \"x\" }) { id } }",
    ),
    (
        "deleteComment",
        Refused("NOT_FOUND"),
        "mutation { deleteComment(id: $k) }",
    ),
    ("followUser", Own, "mutation { followUser(id: $u) { id } }"),
    ("unfollowUser", Own, "mutation { unfollowUser(id: $u) { id } }"),
    ("requestFriend", Own, "mutation { requestFriend(id: $u) { id } }"),
    ("removeFriend", Own, "mutation { removeFriend(id: $u) { id } }"),
    ("muteUser", Own, "mutation { muteUser(id: $u) { id } }"),
    ("unmuteUser", Own, "mutation { unmuteUser(id: $u) { id } }"),
    ("blockUser", Own, "mutation { blockUser(id: $u) { id } }"),
    ("unblockUser", Own, "mutation { unblockUser(id: $u) { id } }"),
    (
        "acceptFriend",
        Refused("NOT_FOUND"),
        "mutation { acceptFriend(id: $u) { id } }",
    ),
    ("posts", Own, "{ posts { id } }"),
    ("postsConnection", Own, "{ postsConnection { nodes { id } } }"),
    ("post", Null, "{ post(id: $p) { id } }"),
    ("friends", Own, "{ friends { id } }"),
    ("friendRequests", Own, "{ friendRequests { id } }"),
    ("following", Own, "{ following { id } }"),
    ("followers", Own, "{ followers { id } }"),
    ("blockedUsers", Own, "{ blockedUsers { id } }"),
    ("mutedUsers", Own, "{ mutedUsers { id } }"),
    ("notifications", Own, "{ notifications { id } }"),
    (
        "notificationsConnection",
        Own,
        "{ notificationsConnection { nodes { id } } }",
    ),
    ("unreadNotificationCount", Own, "{ unreadNotificationCount }"),
    ("notification", Null, "{ notification(id: $n) { id } }"),
    (
        "markNotificationRead",
        Refused("NOT_FOUND"),
        "mutation { markNotificationRead(id: $n) { id } }",
    ),
    (
        "markAllNotificationsRead",
        Own,
        "mutation { markAllNotificationsRead }",
    ),
    (
        "deleteNotification",
        Refused("NOT_FOUND"),
        "mutation { deleteNotification(id: $n) }",
    ),
    // The router's own, of each caller.
    ("rateLimit", Public, "{ rateLimit { cost } }"),
    ("me", Own, "{ me { id } }"),
    ("user", Null, "{ user(id: $u) { id } }"),
    ("sessions", Own, "{ sessions { id } }"),
    // Last, for it ends the session that asks.
    ("logout", Own, "mutation { logout }"),
];

/// Each private field with a selection of it.
pub const PRIVATE: &[(&str, &str, &str)] = &[
    ("CheckIn", "timezone", "timezone"),
    ("CheckIn", "location", "location { name }"),
    ("CheckIn", "version", "version"),
    ("Habit", "reminder", "reminder { enabled }"),
    ("Habit", "triggers", "triggers { type }"),
    ("Habit", "version", "version"),
    ("User", "stats", "stats { totalHabits }"),
    ("User", "openid", "openid"),
    ("User", "unionid", "unionid"),
    ("User", "lastLoginAt", "lastLoginAt"),
    ("User", "preferences", "preferences { theme }"),
    ("User", "membershipType", "membershipType"),
    ("User", "membershipExpireAt", "membershipExpireAt"),
    ("User", "roles", "roles"),
    ("User", "version", "version"),
    ("User", "unreadNotifications", "unreadNotifications"),
];

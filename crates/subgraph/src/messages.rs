//! What domains tell each other: what one knows of another's entities, and the events that carry it.

use kernel::{CheckInId, CommentId, HabitId, PostId, UserId};
use rules::{HabitRules, UserRules};
use serde::{Deserialize, Serialize};

/// What other domains know of a user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownUser {
    /// Zones, day starts and pauses; their version is the entity's `rulesVersion`.
    pub rules: UserRules,
    /// Whether everybody may see statistics and public check-ins.
    pub is_activity_public: bool,
    /// Whether others may ask for friendship.
    #[serde(default)]
    pub is_open_to_friends: bool,
    /// Of what they want to be told.
    #[serde(default)]
    pub notices: KnownNotices,
}

/// Of what a user wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KnownNotices {
    /// Likes, comments, follows.
    pub community_activity: bool,
    /// Notices of the platform.
    pub system_notice: bool,
}

impl Default for KnownNotices {
    fn default() -> Self {
        Self {
            community_activity: true,
            system_notice: true,
        }
    }
}

/// What other domains know of a habit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownHabit {
    /// The habit.
    pub id: HabitId,
    /// Whose it is.
    pub user_id: UserId,
    /// Schedules and goals.
    pub rules: HabitRules,
    /// Whether everybody may see it.
    pub is_public: bool,
    /// Whether it is put away.
    pub is_archived: bool,
}

/// All habits of a user at one revision, which grows with each change of any of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownHabits {
    /// Counts the changes.
    pub revision: i64,
    /// The habits, archived ones included.
    pub habits: Vec<KnownHabit>,
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $kind:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl events::Payload for $name {
            const KIND: &'static str = $kind;
        }
    )*};
}

events! {
    /// Somebody logged in for the first time.
    UserRegistered = "user.registered" {
        /// What others know of them.
        user: KnownUser,
    }

    /// Somebody changed their zone, day start, week start, pauses or privacy.
    UserChanged = "user.changed" {
        /// What others know of them now.
        user: KnownUser,
    }

    /// Somebody's account changed in what nobody computes with: profile, look, log-in, roles, membership.
    UserEdited = "user.edited" {
    }

    /// A habit was made.
    HabitCreated = "habit.created" {
        /// The habit.
        habit: KnownHabit,
    }

    /// A habit changed in what others compute with.
    HabitChanged = "habit.changed" {
        /// The habit as it is now.
        habit: KnownHabit,
    }

    /// Habits changed in what nobody computes with: words, looks, order, links.
    HabitsEdited = "habit.edited" {
        /// Which ones.
        habit_ids: Vec<HabitId>,
    }

    /// A habit was deleted, with everything that belongs to it.
    HabitDeleted = "habit.deleted" {
        /// The habit that was.
        habit_id: HabitId,
    }

    /// Somebody checked in.
    CheckInCreated = "checkin.created" {
        /// The check-in.
        check_in: TellCheckIn,
    }

    /// A check-in was changed.
    CheckInUpdated = "checkin.updated" {
        /// The check-in as it is now.
        check_in: TellCheckIn,
    }

    /// A check-in was taken back.
    CheckInDeleted = "checkin.deleted" {
        /// The check-in as it was.
        check_in: TellCheckIn,
    }

    /// Something was said of a habit's days beside check-ins: a skip, a pause, a freeze.
    DaysMarked = "checkin.marked" {
        /// The habit.
        habit_id: HabitId,
    }

    /// The check-in domain has taken over what the owners of a person's account and habits told: who may see check-ins,
    /// and that those of a deleted habit are gone.
    OwnersTakenOver = "checkin.takenOver" {
    }

    /// Somebody posted something.
    PostCreated = "post.created" {
        /// The post.
        post_id: PostId,
        /// The check-in that it shows.
        check_in_id: Option<CheckInId>,
    }

    /// A post was deleted, with everything that belongs to it.
    PostDeleted = "post.deleted" {
        /// The post that was.
        post_id: PostId,
        /// The check-in that it showed.
        check_in_id: Option<CheckInId>,
    }

    /// Somebody likes a post.
    PostLiked = "post.liked" {
        /// The post.
        post_id: PostId,
        /// Whose post it is.
        author_id: UserId,
    }

    /// Somebody no longer likes a post.
    PostUnliked = "post.unliked" {
        /// The post.
        post_id: PostId,
        /// Whose post it is.
        author_id: UserId,
    }

    /// Somebody commented on a post.
    CommentCreated = "comment.created" {
        /// The comment.
        comment_id: CommentId,
        /// The post.
        post_id: PostId,
        /// Whose post it is.
        author_id: UserId,
        /// Who wrote the comment that this one answers.
        answered_id: Option<UserId>,
    }

    /// A comment was deleted.
    CommentDeleted = "comment.deleted" {
        /// The comment that was.
        comment_id: CommentId,
        /// The post.
        post_id: PostId,
    }

    /// Somebody follows somebody.
    UserFollowed = "user.followed" {
        /// Who is followed.
        followed_id: UserId,
    }

    /// Somebody asks somebody for friendship.
    FriendRequested = "friend.requested" {
        /// Who is asked.
        asked_id: UserId,
    }

    /// Somebody accepts a request for friendship.
    FriendAccepted = "friend.accepted" {
        /// Who had asked.
        friend_id: UserId,
    }

    /// Somebody is told something, or has read or deleted what they were told.
    NotificationsChanged = "notification.changed" {
    }

    /// What somebody sees of others, or shows them, changed: follows, friends, blocks, mutes.
    RelationsChanged = "relations.changed" {
        /// The other one.
        other_id: UserId,
    }
}

/// What a check-in's events tell of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TellCheckIn {
    /// The check-in.
    pub id: CheckInId,
    /// Of which habit.
    pub habit_id: HabitId,
    /// Its logical date.
    pub date: jiff::civil::Date,
    /// When it was made.
    pub at: jiff::Timestamp,
    /// On time, late, made up, imported.
    pub provenance: rules::Provenance,
    /// Whether the day's goal is reached.
    pub is_completed: bool,
    /// Minutes spent.
    pub minutes: Option<f64>,
    /// Things counted.
    pub count: Option<f64>,
    /// Mood, 1 to 5.
    pub mood: Option<i32>,
    /// Whether everybody may see it.
    pub is_public: bool,
}

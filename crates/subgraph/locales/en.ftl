# Refusals: the key is the code in kebab case.
unauthenticated = Please log in.
forbidden = You may not do this.
not-found = It does not exist.
bad-user-input = The input is not valid.
rate-limited = Too many requests. Please try again later.
service-unavailable = A part of the service does not answer. Please try again.
internal = Something went wrong on our side.
version-mismatch = It was changed in the meantime. Please load it again.
idempotency-mismatch = This idempotency key was used with another input.

# Logging in
refresh-token-invalid = The session has ended. Please log in again.

# Habits
too-many-habits = You already have { $max } habits.
habit-archived = This habit is archived.
last-role = The last administrator cannot be removed.

# Check-ins
already-posted = A post shows this check-in already.
already-checked-in = Already checked in for this day.
future-date = This date has not come yet.
outside-makeup-window = Days before { $oldest } can no longer be made up.
makeup-quota-spent = All { $quota } makeups of this month are used.
habit-ended = The habit ended before this date.
not-due = The habit is not due on this date.
day-closed = This day is over.
already-done = This is already done.

# Issues: the key is `issue-` and the code in kebab case.
issue-required = Is required.
issue-too-short = Must have at least { $min } characters.
issue-too-long = Must have at most { $max } characters.
issue-too-many = At most { $max } are allowed.
issue-out-of-range = Must be from { $min } to { $max }.
issue-invalid-character = Has a character that is not allowed.
issue-invalid-date = Must be an existing date as YYYY-MM-DD.
issue-invalid-time = Must be a time as HH:MM.
issue-invalid-date-time = Must be an instant as in RFC 3339.
issue-invalid-url = Must be an http or https address.
issue-invalid-id = Is not an id.
issue-invalid-cursor = Is not a cursor of this list.
issue-invalid-color = Must be a colour as #RRGGBB.
issue-duplicate = Is there already.
issue-not-found = Does not exist.
issue-contradiction = Does not go together with the rest of the input.
issue-before-start = Is before the start.
issue-cycle = Would link a habit to itself.
issue-past-date = Lies in the past.
wechat-invalid-code = The login code is not valid.
wechat-code-used = The login code was used already.
wechat-high-risk-user = WeChat refuses this log-in.
not-skipped = This day is not skipped.
already-skipped = This day is already skipped.
already-paused = It is already paused then.
amount-required = The goal needs an amount.
date-out-of-range = This date is too far away.
end-before-start = Ends before it starts.
freeze-limit = At most { $max } freezes can be held.
freeze-spent = The freeze is already spent.
no-such-date = This date does not exist in your time zone.
not-paused = It is not paused.
too-far-ahead = Nothing can be planned after { $latest }.
too-many-check-ins = At most { $max } check-ins a day.
too-many-pauses = At most { $max } pauses.
date-in-the-past = Lies in the past.
at-most-needs-days = A limit needs due days, not a number of times in a week or month.

# Why a day is what it is.
day-before-start = The habit had not begun.
day-after-end = The habit was over.
day-no-such-date = This date did not exist in the time zone.
day-off-schedule = The schedule does not ask for this day.
day-period-has-others = Other days of the period are enough.
day-period-complete = The period already has all it asks for.
day-still-open = There is still time.
day-achieved = A check-in reached the goal.
day-achieved-by-makeup = It was made up later.
day-kept-below = The limit was kept.
day-exceeded = The limit was passed.
day-too-little = Something was done, but not enough.
day-nothing-entered = Nothing was entered.
day-skip-entered = The day was skipped.
day-habit-paused = The habit was paused.
day-all-paused = All habits were paused.
day-archived = The habit was archived.
day-freeze-spent = A freeze saved the streak.

# Rules
duplicate = Is there twice.
required = Is required.
out-of-range = Must be from { $min } to { $max }.
too-long = Must have at most { $max } characters.
not-applicable = Does not apply to this kind.
too-many-versions = It was changed too often.
unknown-duration-unit = Must be minutes or hours.
unknown-time-zone = Must be the name of a time zone such as Asia/Shanghai.
numeric-offset = Must be the name of a time zone, not an offset.
invalid-cursor = Is not a cursor of this list.

# Notifications
notification-welcome = Welcome to Daka! Make your first habit and check in today.
notification-post-liked = { $count ->
    [one] Somebody likes your post.
   *[other] { $count } people like your post.
}
notification-post-commented = Somebody commented on your post.
notification-comment-answered = Somebody answered your comment.
notification-followed = Somebody follows you now.
notification-friend-requested = Somebody wants to be your friend.
notification-friend-accepted = Your request for friendship was accepted.

//! What clients get.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, Object, SimpleObject};
use kernel::{HabitId, Principal, Result, UserId};
use rules::{Amount, HabitView};
use subgraph::answer::Answer;
use subgraph::caller::{self, Caller};
use subgraph::directives::{KEPT_S, authenticated, kept, kept_as_parent, list_size, page_size};
use subgraph::lists::{Connected, DEFAULT_LIMIT, PageArgs, connected};
use subgraph::place::Location;
use subgraph::plain::{self, Plain, leaf, text};
use subgraph::plain_fields;
use subgraph::scalars::{Date, DateTime, TimeZone, Url};

use super::inputs::CheckInFilter;
use super::loaders::{Everything, Loaders};
use super::shared::{HabitDay, HabitStats, Provenance, int};
use crate::app::{App, Standing};
use crate::ops::{list_check_ins, statistics};
use crate::store::{CheckInDoc, UserLog, instant};

/// One time that somebody did a habit.
pub struct CheckIn(pub(super) Arc<CheckInDoc>);

impl CheckIn {
    /// A stored check-in.
    pub fn stored(check_in: impl Into<Arc<CheckInDoc>>) -> Self {
        Self(check_in.into())
    }

    fn private<T>(&self, ctx: &Context<'_>, value: impl FnOnce(&CheckInDoc) -> T) -> Option<T> {
        (ctx.caller().user_id() == Some(self.0.user_id)).then(|| value(&self.0))
    }
}

/// One time that somebody did a habit.
#[Object(directive = kept::apply(KEPT_S))]
impl CheckIn {
    /// The id.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Whose it is.
    async fn user_id(&self) -> ID {
        self.0.user_id.to_string().into()
    }

    /// Whose it is, where the caller may see them.
    async fn user(&self) -> Option<User> {
        Some(User::of(self.0.user_id))
    }

    /// The habit's id.
    async fn habit_id(&self) -> ID {
        self.0.habit_id.to_string().into()
    }

    /// The habit, where the caller may see it.
    async fn habit(&self) -> Option<Habit> {
        Some(Habit::of(self.0.habit_id))
    }

    /// The day that it counts for, in the person's zone when it was made.
    async fn date(&self) -> Date {
        self.0.date.into()
    }

    /// When it began and ended.
    async fn time(&self, ctx: &Context<'_>) -> async_graphql::Result<CheckInTime> {
        let start = ctx.answer(instant(self.0.story.start.unwrap_or(self.0.at)))?;
        let end = ctx.answer(self.0.story.end.map(instant).transpose())?;
        Ok(CheckInTime {
            start: start.into(),
            end: end.map(DateTime::from),
        })
    }

    /// The zone in which its day was decided; only for the person.
    #[graphql(directive = authenticated::apply())]
    async fn timezone(&self, ctx: &Context<'_>) -> Option<TimeZone> {
        self.private(ctx, |check_in| TimeZone(check_in.zone.clone()))
    }

    /// Minutes spent.
    async fn duration(&self) -> Option<f64> {
        self.0.done.minutes.map(Amount::to_f64)
    }

    /// Things counted.
    async fn count(&self) -> Option<f64> {
        self.0.done.count.map(Amount::to_f64)
    }

    /// How one felt, 1 to 5.
    async fn mood(&self) -> Option<i32> {
        self.0.story.mood
    }

    /// Some words.
    async fn note(&self) -> &str {
        &self.0.story.note
    }

    /// Addresses of pictures.
    #[graphql(directive = list_size::apply(9))]
    async fn images(&self) -> Vec<Url> {
        self.0.story.images.iter().cloned().map(Url).collect()
    }

    /// Where it was; only for the person.
    #[graphql(directive = authenticated::apply())]
    async fn location(&self, ctx: &Context<'_>) -> Option<Location> {
        self.private(ctx, |check_in| check_in.story.location.clone())
            .flatten()
    }

    /// Whether the day's goal is reached.
    async fn is_completed(&self) -> bool {
        self.0.is_completed
    }

    /// The part of the day's goal that is reached, 0 to 1.
    async fn completion_rate(&self) -> f64 {
        self.0.completion_rate
    }

    /// On time, late, made up, imported.
    async fn provenance(&self) -> Provenance {
        self.0.provenance.into()
    }

    /// When it was made.
    async fn created_at(&self, ctx: &Context<'_>) -> async_graphql::Result<DateTime> {
        ctx.answer(instant(self.0.created_at)).map(DateTime::from)
    }

    /// When it was last changed.
    async fn updated_at(&self, ctx: &Context<'_>) -> async_graphql::Result<DateTime> {
        ctx.answer(instant(self.0.updated_at)).map(DateTime::from)
    }

    /// Whether everybody may see it.
    async fn is_public(&self) -> bool {
        self.0.is_public
    }

    /// Words to find it by.
    #[graphql(directive = list_size::apply(20))]
    async fn tags(&self) -> &[String] {
        &self.0.story.tags
    }

    /// Grows with each change; for `version` in updates. Only for the person.
    #[graphql(directive = authenticated::apply())]
    async fn version(&self, ctx: &Context<'_>) -> Option<i64> {
        self.private(ctx, |check_in| check_in.version)
    }
}

plain_fields!(CheckIn, |check_in, field| {
    "id" => leaf(ID::from(check_in.0.id.to_string())),
    "userId" => leaf(ID::from(check_in.0.user_id.to_string())),
    "habitId" => leaf(ID::from(check_in.0.habit_id.to_string())),
    "habit" => plain::object(&Habit::of(check_in.0.habit_id), field),
    "date" => leaf(Date::from(check_in.0.date)),
    "duration" => leaf(check_in.0.done.minutes.map(Amount::to_f64)),
    "count" => leaf(check_in.0.done.count.map(Amount::to_f64)),
    "mood" => leaf(check_in.0.story.mood),
    "note" => text(&check_in.0.story.note),
    "isCompleted" => leaf(check_in.0.is_completed),
    "completionRate" => leaf(check_in.0.completion_rate),
    "provenance" => leaf(Provenance::from(check_in.0.provenance)),
    "isPublic" => leaf(check_in.0.is_public),
    "tags" => leaf(check_in.0.story.tags.clone()),
});

/// When something began and ended.
#[derive(SimpleObject)]
#[graphql(directive = kept_as_parent::apply(true))]
pub struct CheckInTime {
    /// The beginning.
    start: DateTime,
    /// The end, where it is known.
    end: Option<DateTime>,
}

/// What the check-in domain adds to a habit.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Habit {
    /// The id.
    id: ID,
    #[graphql(skip)]
    habit: HabitId,
}

plain_fields!(Habit, |habit, _field| {
    "id" => leaf(habit.id.clone()),
});

impl Habit {
    /// A reference to a habit.
    pub fn of(habit: HabitId) -> Self {
        Self {
            id: habit.to_string().into(),
            habit,
        }
    }

    /// The habit with its owner, as they are now, where the caller may see it.
    async fn standing(&self, ctx: &Context<'_>) -> Result<Option<(Arc<Standing>, Arc<UserLog>)>> {
        let ((loaders, app), caller) = (loaders_and_app(ctx), ctx.caller());
        // Making somebody fresh may change what is stored of their habits: so it comes first for the own ones.
        let own = match caller.user_id() {
            Some(user) => loaders.fresh.get(user).await?,
            None => None,
        };
        let Some(habit) = loaders.habits.get(self.habit).await? else {
            return Ok(None);
        };
        match own.filter(|own| own.id == habit.log.user_id) {
            Some(owner) => Ok(Some((habit, owner))),
            None => Self::of_somebody_else(loaders, app, &habit, caller.is_service()).await,
        }
    }

    async fn of_somebody_else(
        loaders: &Loaders,
        app: &App,
        habit: &Standing,
        sees_all: bool,
    ) -> Result<Option<(Arc<Standing>, Arc<UserLog>)>> {
        let Some(owner) = loaders.fresh.get(habit.log.user_id).await? else {
            return Ok(None);
        };
        let habit = app.logs().get(habit.log.id).await?;
        let visible = habit.filter(|log| sees_all || log.known.is_public);
        Ok(visible.map(|log| (Arc::new(Standing::new(log)), owner)))
    }

    async fn view<T>(&self, ctx: &Context<'_>, view: impl FnOnce(&HabitView) -> T) -> Result<Option<T>> {
        let Some((habit, owner)) = self.standing(ctx).await? else {
            return Ok(None);
        };
        let outlook = habit.outlook(loaders_and_app(ctx).1, &owner).await?;
        Ok(Some(view(&outlook.view)))
    }
}

/// What the check-in domain adds to a habit.
#[ComplexObject]
impl Habit {
    /// Figures; absent for a template.
    #[graphql(directive = kept::apply(0))]
    async fn stats(&self, ctx: &Context<'_>) -> Option<Plain<HabitStats>> {
        ctx.nullable(self.view(ctx, |view| Plain(HabitStats::from(view))).await)
    }

    /// What today is; absent for a template.
    #[graphql(directive = kept::apply(0))]
    async fn today(&self, ctx: &Context<'_>) -> Option<Plain<HabitDay>> {
        let day = |view: &HabitView| Plain(HabitDay::of(self.habit, view.today.clone()));
        ctx.nullable(self.view(ctx, day).await)
    }

    /// Whether today is within a pause.
    #[graphql(directive = kept::apply(0))]
    async fn is_paused(&self, ctx: &Context<'_>) -> Option<bool> {
        ctx.nullable(
            self.view(ctx, |view| view.today.status == rules::DayStatus::Paused)
                .await,
        )
    }

    /// Its check-ins, newest day first, as far as the caller may see them.
    #[graphql(directive = page_size::apply(DEFAULT_LIMIT, vec!["first".to_owned(), "last".to_owned()], vec!["nodes".to_owned(), "edges".to_owned()], false))]
    async fn check_ins(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many: 50 by default, up to 200.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, up to 200.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connected<CheckIn>> {
        let page = ctx.answer(
            PageArgs {
                first,
                after,
                last,
                before,
            }
            .request(),
        )?;
        ctx.answer(caller::person(&ctx.caller()))?;
        let owner = match ctx.answer(self.standing(ctx).await)? {
            Some((habit, _)) => habit.log.user_id,
            None => return Ok(connected(kernel::Page::<CheckInDoc>::empty(), CheckIn::stored)),
        };
        let filter = CheckInFilter {
            habit_id: Some(self.id.clone()),
            user_id: Some(owner.to_string().into()),
            ..CheckInFilter::default()
        };
        let found = list_check_ins::page(loaders_and_app(ctx).1, &ctx.caller(), &filter, &page).await;
        Ok(connected(ctx.answer(found)?, CheckIn::stored))
    }
}

/// What the check-in domain adds to a person.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct User {
    /// The id.
    id: ID,
    #[graphql(skip)]
    user: UserId,
}

impl User {
    /// A reference to a person.
    pub fn of(user: UserId) -> Self {
        Self {
            id: user.to_string().into(),
            user,
        }
    }
}

/// What the check-in domain adds to a person.
#[ComplexObject]
impl User {
    /// Figures over all habits; only where the person's activity is visible to the caller.
    #[graphql(directive = authenticated::apply(), directive = kept::apply(0))]
    async fn stats(&self, ctx: &Context<'_>) -> Option<UserStats> {
        ctx.nullable(person_stats(ctx, self.user).await)
    }
}

/// The figures of a person whom the caller may see.
pub(super) async fn person_stats(ctx: &Context<'_>, user: UserId) -> Result<Option<UserStats>> {
    let (loaders, app) = loaders_and_app(ctx);
    let Some(everything) = loaders.everything.get(user).await? else {
        return Ok(None);
    };
    let Everything { owner, habits } = &*everything;
    if !may_see_activity(&ctx.caller(), owner) {
        return Ok(None);
    }
    Ok(Some(UserStats::from(
        &statistics::of_person(app, owner, habits).await?,
    )))
}

/// Whether the caller may see what a person does. Friends are known to the community domain alone, so what is for
/// friends is not shown here.
pub(super) fn may_see_activity(caller: &Principal, owner: &UserLog) -> bool {
    caller.user_id() == Some(owner.id)
        || owner.known.is_activity_public
        || caller.may(auth::permissions::USERS_READ)
}

/// Figures of a person over all habits.
#[derive(SimpleObject)]
pub struct UserStats {
    /// How many habits there are, archived ones included.
    total_habits: i32,
    /// How many are neither archived nor ended.
    active_habits: i32,
    /// All check-ins.
    total_check_ins: i32,
    /// Days in a row with anything completed; days on which nothing was due do not break it.
    current_streak: i32,
    /// Most days in a row.
    longest_streak: i32,
    /// Done units among those that counted, over all habits, 0 to 1.
    completion_rate: f64,
    /// Minutes spent.
    total_duration: f64,
}

impl From<&statistics::PersonStats> for UserStats {
    fn from(stats: &statistics::PersonStats) -> Self {
        Self {
            total_habits: int(stats.habits),
            active_habits: int(stats.active_habits),
            total_check_ins: int(stats.totals.total_check_ins),
            current_streak: int(stats.streaks.current_streak),
            longest_streak: int(stats.streaks.longest_streak),
            completion_rate: stats.totals.completion_rate,
            total_duration: stats.totals.total_duration.to_f64(),
        }
    }
}

/// A person and their habits, as new as the owning domains say.
pub(super) async fn everything_of(ctx: &Context<'_>, user: UserId) -> Result<Arc<Everything>> {
    let found = loaders_and_app(ctx).0.everything.get(user).await?;
    Ok(found.ok_or_else(kernel::Refusal::unauthenticated)?)
}

pub(super) fn loaders_and_app<'a>(ctx: &Context<'a>) -> (&'a Loaders, &'a App) {
    (ctx.data_unchecked::<Arc<Loaders>>(), ctx.data_unchecked())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use kernel::Random;
    use subgraph::assert_plain_fields_agree;

    use super::*;
    use crate::store::{Done, Story};

    fn check_in() -> CheckIn {
        let random = Random::seeded(1);
        let now = "2026-03-29T06:00:00Z".parse().unwrap();
        let story = Story {
            mood: Some(4),
            note: "Chapter \"one\"".to_owned(),
            tags: vec!["home".to_owned()],
            ..Story::default()
        };
        CheckIn::stored(CheckInDoc {
            id: random.id(now),
            version: 3,
            user_id: random.id(now),
            habit_id: random.id(now),
            date: date(2026, 3, 29),
            at: now.as_millisecond(),
            zone: "Europe/Berlin".to_owned(),
            provenance: rules::Provenance::Late,
            done: Done {
                count: None,
                minutes: Some(Amount::whole(25)),
            },
            story,
            is_public: true,
            completion_rate: 0.5,
            is_completed: false,
            created_at: now.as_millisecond(),
            updated_at: now.as_millisecond(),
            undone: None,
            is_undone: false,
        })
    }

    #[tokio::test]
    async fn check_ins_are_the_same_in_both_ways() {
        assert_plain_fields_agree!(CheckIn, check_in(), "habit" => "{ __typename id }");
    }

    #[tokio::test]
    async fn a_reference_to_a_habit_is_the_same_in_both_ways() {
        assert_plain_fields_agree!(Habit, Habit::of(check_in().0.habit_id));
    }
}

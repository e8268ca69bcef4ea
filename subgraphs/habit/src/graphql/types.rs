//! What clients get.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, Object, SimpleObject, Value};
use jiff::Timestamp;
use jiff::civil::Date as CivilDate;
use kernel::{Locale, Result, UserId};
use rules::RuleVersion;
use subgraph::answer::Answer;
use subgraph::caller::{self, Caller};
use subgraph::directives::{KEPT_S, authenticated, kept, kept_as_parent, list_size};
use subgraph::habit_rules::{Frequency, Goal};
use subgraph::messages::{KnownHabit, KnownHabits};
use subgraph::plain::{self, leaf, text};
use subgraph::plain_fields;
use subgraph::scalars::{Date, DateTime, Json, TimeOfDay};

use super::loaders::Loaders;
use crate::app::App;
use crate::store::{Face, HabitDoc, Reminder as StoredReminder};
use crate::templates::Template;

/// A habit of somebody, or a template to make one from.
pub struct Habit(pub(super) Source);

/// Where a habit comes from.
pub(super) enum Source {
    Stored(Arc<HabitDoc>),
    Template(&'static Template, Box<Face>),
}

impl Habit {
    /// A stored habit.
    pub fn stored(habit: impl Into<Arc<HabitDoc>>) -> Self {
        Self(Source::Stored(habit.into()))
    }

    /// A template in a language.
    pub fn template(template: &'static Template, locale: Locale) -> Self {
        let face = Face {
            title: template.title(locale).to_owned(),
            description: template.description(locale).to_owned(),
            category: template.category.clone(),
            icon: template.icon.clone(),
            color: template.color.clone(),
            tags: Vec::new(),
        };
        Self(Source::Template(template, Box::new(face)))
    }

    fn doc(&self) -> Option<&Arc<HabitDoc>> {
        match &self.0 {
            Source::Stored(doc) => Some(doc),
            Source::Template(..) => None,
        }
    }

    fn face(&self) -> &Face {
        match &self.0 {
            Source::Stored(doc) => &doc.face,
            Source::Template(_, face) => face,
        }
    }

    fn id_text(&self) -> ID {
        match &self.0 {
            Source::Stored(doc) => doc.id.to_string().into(),
            Source::Template(template, _) => template.id().to_string().into(),
        }
    }

    fn archived(&self) -> bool {
        self.doc().is_some_and(|doc| doc.is_archived)
    }

    /// The goal of a stored habit; a template's is told in the caller's language.
    fn stored_goal(&self) -> Option<Option<&rules::Goal>> {
        self.doc()?;
        Some(self.latest().and_then(|version| version.goal.as_ref()))
    }

    /// The rules that were added last: what the owner set.
    fn latest(&self) -> Option<&RuleVersion> {
        self.doc().and_then(|doc| doc.rules.versions().last())
    }

    fn private<T>(&self, ctx: &Context<'_>, value: impl FnOnce(&HabitDoc) -> T) -> Option<T> {
        self.doc()
            .filter(|doc| ctx.caller().user_id() == Some(doc.user_id))
            .map(|doc| value(doc))
    }
}

/// A habit of somebody, or a template to make one from.
#[Object(directive = kept::apply(KEPT_S))]
impl Habit {
    /// The id.
    async fn id(&self) -> ID {
        self.id_text()
    }

    /// Whose it is; absent for a template.
    async fn user_id(&self) -> Option<ID> {
        self.doc().map(|doc| doc.user_id.to_string().into())
    }

    /// Whose it is, where the caller may see them; absent for a template.
    async fn user(&self) -> Option<User> {
        self.doc().map(|doc| User {
            id: doc.user_id.to_string().into(),
            user: doc.user_id,
        })
    }

    /// Name.
    async fn title(&self) -> &str {
        &self.face().title
    }

    /// More words.
    async fn description(&self) -> &str {
        &self.face().description
    }

    /// Group.
    async fn category(&self) -> &str {
        &self.face().category
    }

    /// An emoji, or the name of a picture.
    async fn icon(&self) -> &str {
        &self.face().icon
    }

    /// Colour as `#RRGGBB`.
    async fn color(&self) -> &str {
        &self.face().color
    }

    /// When it is due, as set last.
    async fn frequency(&self) -> Frequency {
        match &self.0 {
            Source::Stored(doc) => Frequency::from(&doc.rules.in_force(CivilDate::MAX).schedule),
            Source::Template(template, _) => Frequency {
                kind: template.frequency.kind(),
                days: template.frequency.days.clone().unwrap_or_default(),
                times: template.frequency.times,
                interval: template.frequency.interval,
                anchor: None,
            },
        }
    }

    /// When the owner is reminded; absent for others.
    #[graphql(directive = authenticated::apply())]
    async fn reminder(&self, ctx: &Context<'_>) -> Option<Reminder> {
        match &self.0 {
            Source::Stored(_) => self.private(ctx, |doc| Reminder::from(&doc.reminder)),
            Source::Template(template, _) => Some(Reminder::from(&StoredReminder {
                enabled: !template.reminders.is_empty(),
                time: template.reminders.clone(),
                advance: 0,
            })),
        }
    }

    /// What makes a day done, as set last; absent where any check-in does.
    async fn goal(&self, ctx: &Context<'_>) -> Option<Goal> {
        match &self.0 {
            Source::Stored(_) => self.stored_goal().flatten().map(Goal::from),
            Source::Template(template, _) => template.goal.as_ref().map(|goal| Goal {
                kind: goal.kind(),
                value: goal.value,
                unit: goal.unit(ctx.caller().locale).to_owned(),
                direction: goal.direction(),
            }),
        }
    }

    /// The first day; absent for a template.
    async fn start_date(&self) -> Option<Date> {
        self.doc().map(|doc| doc.rules.start.into())
    }

    /// The last day; absent where there is none.
    async fn end_date(&self) -> Option<Date> {
        self.doc().and_then(|doc| doc.rules.end).map(Date::from)
    }

    /// Whether it is put away.
    async fn is_archived(&self) -> bool {
        self.archived()
    }

    /// Whether it is a template.
    async fn is_template(&self) -> bool {
        self.doc().is_none()
    }

    /// The template that it was made from.
    async fn template_id(&self) -> Option<ID> {
        self.doc()
            .and_then(|doc| doc.template_id)
            .map(|id| id.to_string().into())
    }

    /// When it was made; absent for a template.
    async fn created_at(&self) -> Option<DateTime> {
        self.doc().map(|doc| instant(doc.created_at))
    }

    /// When it was last changed; absent for a template.
    async fn updated_at(&self) -> Option<DateTime> {
        self.doc().map(|doc| instant(doc.updated_at))
    }

    /// Words to find it by.
    #[graphql(directive = list_size::apply(20))]
    async fn tags(&self) -> &[String] {
        &self.face().tags
    }

    /// Whether everybody may see it.
    async fn is_public(&self) -> bool {
        self.doc().is_none_or(|doc| doc.is_public)
    }

    /// Habits of the same person that belong to it, as far as the caller may see them.
    #[graphql(directive = list_size::apply(20))]
    async fn linked_habits(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Self>> {
        ctx.answer(linked(ctx, self.doc()).await)
    }

    /// What sets it off; only for the owner.
    #[graphql(directive = authenticated::apply(), directive = list_size::apply(10))]
    async fn triggers(&self, ctx: &Context<'_>) -> Option<Vec<Trigger>> {
        self.private(ctx, |doc| doc.triggers.iter().map(Trigger::from).collect())
    }

    /// Grows with each change; for `version` in updates. Only for the owner.
    #[graphql(directive = authenticated::apply())]
    async fn version(&self, ctx: &Context<'_>) -> Option<i64> {
        self.private(ctx, |doc| doc.version)
    }
}

plain_fields!(Habit, |habit, field| {
    "id" => leaf(habit.id_text()),
    "title" => text(&habit.face().title),
    "description" => text(&habit.face().description),
    "category" => text(&habit.face().category),
    "icon" => text(&habit.face().icon),
    "color" => text(&habit.face().color),
    "goal" => match habit.stored_goal()? {
        Some(goal) => plain::object(&Goal::from(goal), field),
        None => Some(Value::Null),
    },
    "isArchived" => leaf(habit.archived()),
    "isTemplate" => leaf(habit.doc().is_none()),
});

async fn linked(ctx: &Context<'_>, doc: Option<&Arc<HabitDoc>>) -> Result<Vec<Habit>> {
    let Some(doc) = doc else { return Ok(Vec::new()) };
    let loader = &loaders_and_app(ctx).0.habits;
    let caller = ctx.caller().user_id();
    let found = futures::future::try_join_all(doc.linked_habits.iter().map(|id| loader.get(*id))).await?;
    Ok(found
        .into_iter()
        .flatten()
        .filter(|habit| habit.is_visible_to(caller))
        .map(Habit::stored)
        .collect())
}

/// When people are reminded of a habit.
#[derive(SimpleObject)]
#[graphql(directive = kept_as_parent::apply(true))]
pub struct Reminder {
    /// Whether they are.
    enabled: bool,
    /// Times of the owner's wall clock.
    #[graphql(directive = list_size::apply(10))]
    time: Vec<TimeOfDay>,
    /// Minutes before those times.
    advance: i32,
}

impl From<&StoredReminder> for Reminder {
    fn from(reminder: &StoredReminder) -> Self {
        Self {
            enabled: reminder.enabled,
            time: reminder.time.iter().cloned().map(TimeOfDay).collect(),
            advance: reminder.advance,
        }
    }
}

/// What sets a habit off.
#[derive(SimpleObject)]
#[graphql(directive = kept_as_parent::apply(true))]
pub struct Trigger {
    /// The kind, as the client understands it.
    #[graphql(name = "type")]
    kind: String,
    /// What must hold.
    condition: Json,
}

impl From<&crate::store::Trigger> for Trigger {
    fn from(trigger: &crate::store::Trigger) -> Self {
        let condition = serde_json::from_str(&trigger.condition).unwrap_or_default();
        Self {
            kind: trigger.kind.clone(),
            condition: Json(condition),
        }
    }
}

/// What the habit domain adds to a person.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct User {
    /// The id.
    pub(super) id: ID,
    #[graphql(skip)]
    pub(super) user: UserId,
}

/// What other domains ask.
#[ComplexObject]
impl User {
    /// Counts the changes of the person's habits that other domains compute with.
    #[graphql(inaccessible)]
    async fn habits_revision(&self, ctx: &Context<'_>) -> async_graphql::Result<i64> {
        ctx.answer(caller::service_only(&ctx.caller()))?;
        let owner = ctx.answer(loaders_and_app(ctx).0.owners.get(self.user).await)?;
        Ok(owner.map_or(0, |owner| owner.revision))
    }

    /// All habits of the person, as other domains know them.
    #[graphql(inaccessible)]
    async fn known_habits(&self, ctx: &Context<'_>) -> async_graphql::Result<Json> {
        ctx.answer(caller::service_only(&ctx.caller()))?;
        let app = loaders_and_app(ctx).1;
        let known = ctx.answer(known_habits(app, self.user).await)?;
        ctx.answer(
            serde_json::to_value(known)
                .map(Json)
                .map_err(kernel::Error::internal),
        )
    }
}

/// The revision is read first: habits that change meanwhile are newer than it says, which is found out next time.
async fn known_habits(app: &App, user: UserId) -> Result<KnownHabits> {
    let revision = app.owners().get(user).await?.map_or(0, |owner| owner.revision);
    let habits = app
        .habits()
        .find(App::of_user(user).limit(app.config.max_habits as usize))
        .await?;
    let habits: Vec<KnownHabit> = habits.iter().map(HabitDoc::known).collect();
    Ok(KnownHabits { revision, habits })
}

fn instant(millisecond: i64) -> DateTime {
    Timestamp::from_millisecond(millisecond)
        .unwrap_or_default()
        .into()
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
    use crate::seed::{Plan, What, document};

    fn habit(what: What) -> Habit {
        let (random, now) = (Random::seeded(1), "2026-03-29T06:00:00Z".parse().unwrap());
        let plan = Plan {
            id: random.id(now),
            user: random.id(now),
            what,
            locale: Locale::En,
            start: date(2026, 3, 1),
            end: None,
            raised: None,
            archived: None,
            is_public: true,
            linked: Vec::new(),
            created_at: now,
        };
        Habit::stored(document(&plan).unwrap())
    }

    fn own(goal: Option<rules::Goal>) -> Habit {
        habit(What::Own {
            title: "Read".to_owned(),
            category: "mind".to_owned(),
            icon: "📚".to_owned(),
            color: "#4F46E5".to_owned(),
            schedule: rules::Schedule::Daily,
            goal,
        })
    }

    fn goal() -> Option<rules::Goal> {
        rules::Goal::new(
            rules::GoalKind::Duration,
            20.0,
            "minutes",
            rules::GoalDirection::AtLeast,
        )
        .ok()
    }

    #[tokio::test]
    async fn habits_are_the_same_in_both_ways() {
        assert_plain_fields_agree!(Habit, own(goal()), "goal" => "{ type value unit direction }");
        assert_plain_fields_agree!(Habit, own(None), "goal" => "{ type }");
        assert_plain_fields_agree!(Habit, habit(What::Template(0)), "goal" => "{ type value unit direction }");
    }
}

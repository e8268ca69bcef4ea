//! Habits in bulk, for demonstrations and benchmarks: documents from plain values, without events.

use docstore::{Batch, CollectionSpec, Document as _};
use jiff::Timestamp;
use jiff::civil::Date;
use kernel::{HabitId, Locale, Refusal, Result, UserId};
use rules::{FactId, Goal, HabitRules, Pause, Schedule};
use subgraph::habit_rules::{FrequencyInput, GoalInput};
use subgraph::input::Checker;

use crate::store::{Face, Reminder};
use crate::templates::{self, Template};

pub use crate::store::{HabitDoc, OwnerDoc};

/// The collections that [`write`] writes to.
pub const COLLECTIONS: [CollectionSpec; 2] = [HabitDoc::COLLECTION, OwnerDoc::COLLECTION];

/// A habit as it is to be.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The id.
    pub id: HabitId,
    /// Whose it is.
    pub user: UserId,
    /// What it is.
    pub what: What,
    /// Language of a template's texts.
    pub locale: Locale,
    /// The first day.
    pub start: Date,
    /// The last day.
    pub end: Option<Date>,
    /// From which day on the goal is so many times what it was.
    pub raised: Option<(Date, f64)>,
    /// Since when it is put away.
    pub archived: Option<(FactId, Date)>,
    /// Whether everybody may see it.
    pub is_public: bool,
    /// Habits of the same person that belong to it; without cycles.
    pub linked: Vec<HabitId>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a habit is: one of the templates, by its place in the starter set, or one of the person's own.
#[derive(Debug, Clone)]
pub enum What {
    /// A template, below [`templates`].
    Template(usize),
    /// The person's own.
    Own {
        /// Name.
        title: String,
        /// Group.
        category: String,
        /// An emoji.
        icon: String,
        /// `#RRGGBB`.
        color: String,
        /// When it is due.
        schedule: Schedule,
        /// What makes a day done.
        goal: Option<Goal>,
    },
}

/// How many templates there are.
pub fn templates() -> usize {
    templates::list(None).count()
}

/// The document of a habit.
///
/// # Errors
/// Where the rules do not hold together, or there is no such template.
pub fn document(plan: &Plan) -> Result<HabitDoc> {
    let template = match plan.what {
        What::Template(place) => Some(templates::list(None).nth(place).ok_or_else(Refusal::not_found)?),
        What::Own { .. } => None,
    };
    let created_at = plan.created_at.as_millisecond();
    Ok(HabitDoc {
        id: plan.id,
        version: 0,
        user_id: plan.user,
        face: face(plan, template),
        reminder: Reminder {
            enabled: template.is_some_and(|template| !template.reminders.is_empty()),
            time: template
                .map(|template| template.reminders.clone())
                .unwrap_or_default(),
            advance: 0,
        },
        rules: rules(plan, template)?,
        is_archived: plan.archived.is_some(),
        is_public: plan.is_public,
        linked_habits: plan.linked.clone(),
        triggers: Vec::new(),
        template_id: template.map(Template::id),
        position: created_at,
        created_at,
        updated_at: created_at,
    })
}

/// Adds all habits of a person to a batch; those of the same ids are replaced. Returns the revision that other
/// domains know them by.
pub fn write(batch: &mut Batch, user: UserId, habits: &[HabitDoc]) -> i64 {
    for habit in habits {
        batch.put(habit);
    }
    let habits = i64::try_from(habits.len()).unwrap_or(i64::MAX);
    batch.put(&OwnerDoc {
        id: user,
        version: 0,
        revision: habits,
        habits,
    });
    habits
}

fn face(plan: &Plan, template: Option<&Template>) -> Face {
    match (&plan.what, template) {
        (
            What::Own {
                title,
                category,
                icon,
                color,
                ..
            },
            _,
        ) => Face {
            title: title.clone(),
            description: String::new(),
            category: category.clone(),
            icon: icon.clone(),
            color: color.clone(),
            tags: Vec::new(),
        },
        (What::Template(_), template) => {
            let text = |of: fn(&Template) -> &str| template.map_or("", of).to_owned();
            Face {
                title: template
                    .map_or("", |template| template.title(plan.locale))
                    .to_owned(),
                description: template
                    .map_or("", |template| template.description(plan.locale))
                    .to_owned(),
                category: text(|template| &template.category),
                icon: text(|template| &template.icon),
                color: text(|template| &template.color),
                tags: Vec::new(),
            }
        }
    }
}

fn rules(plan: &Plan, template: Option<&Template>) -> Result<HabitRules> {
    let (schedule, goal) = match (&plan.what, template) {
        (What::Own { schedule, goal, .. }, _) => (schedule.clone(), goal.clone()),
        (What::Template(_), template) => judged(template.ok_or_else(Refusal::not_found)?, plan)?,
    };
    let mut rules = HabitRules::new(1, plan.start, plan.end, schedule.clone(), goal.clone())
        .map_err(Refusal::bad_input)?;
    if let (Some((date, times)), Some(goal)) = (plan.raised, goal) {
        let value = goal.value.to_f64() * times;
        let goal = Goal::new(goal.kind, value, &goal.unit, goal.direction).map_err(Refusal::bad_input)?;
        rules
            .edit(Some(date), schedule, Some(goal), date)
            .map_err(Refusal::bad_input)?;
        rules.version += 1;
    }
    if let Some((id, from)) = plan.archived {
        rules.archives.push(Pause { id, from, to: None });
        rules.version += 1;
    }
    Ok(rules)
}

/// A template's rules, through the same judge as those that people send.
fn judged(template: &Template, plan: &Plan) -> Result<(Schedule, Option<Goal>)> {
    let frequency = FrequencyInput {
        kind: template.frequency.kind(),
        days: template.frequency.days.clone(),
        times: template.frequency.times,
        interval: template.frequency.interval,
        anchor: None,
    };
    let mut check = Checker::new("template");
    let schedule = frequency.judge(&mut check, plan.start);
    let goal = template.goal.as_ref().and_then(|goal| {
        let unit = Some(goal.unit(plan.locale).to_owned());
        GoalInput {
            kind: goal.kind(),
            value: goal.value,
            unit,
            direction: goal.direction(),
        }
        .judge(&mut check)
    });
    check.finish()?;
    Ok((schedule.ok_or_else(Refusal::not_found)?, goal))
}

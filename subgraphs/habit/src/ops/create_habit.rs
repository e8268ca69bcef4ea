//! Making a habit, from nothing or from a template.

use docstore::{Batch, ConflictKind, Filter, Update};
use jiff::civil::Date;
use kernel::{Locale, Principal, Refusal, Result, TemplateId, Text, UserId};
use rules::{Goal, HabitRules, Schedule};
use subgraph::caller;
use subgraph::habit_rules::{FrequencyInput, GoalInput};
use subgraph::idempotency::Idempotent;
use subgraph::input::Checker;
use subgraph::messages::HabitCreated;

use super::{judge, links};
use crate::app::App;
use crate::graphql::inputs::CreateHabitInput;
use crate::store::{Face, HabitDoc, OwnerDoc, Reminder};
use crate::templates::{self, Template};

/// Makes a habit.
///
/// # Errors
/// `BAD_USER_INPUT`; `CONFLICT` with `TOO_MANY_HABITS`, or with `IDEMPOTENCY_MISMATCH`.
pub async fn create_habit(app: &App, principal: &Principal, input: &CreateHabitInput) -> Result<HabitDoc> {
    let user = caller::person(principal)?;
    let idempotent = Idempotent::new(user, "createHabit", input.idempotency_key.as_deref(), input);
    // Judged before the key is looked up: bad input is bad input with every key.
    let today = app.today(user).await?;
    let habit = judged(app, principal, user, input, today)?;

    docstore::retry_stale(async || {
        if let Some(earlier) = earlier(app, idempotent.as_ref()).await? {
            return Ok(earlier);
        }
        let mut batch = Batch::new();
        if !habit.linked_habits.is_empty() {
            let all = app
                .habits()
                .find(App::of_user(user).limit(app.config.max_habits as usize))
                .await?;
            links::judge(habit.id, &habit.linked_habits, &all)?;
        }
        count_in(app, &mut batch, user).await?;
        batch.insert(&habit);
        app.deps
            .outbox
            .emit(&mut batch, user, &HabitCreated { habit: habit.known() })?;
        if let Some(idempotent) = &idempotent {
            idempotent.remember(&mut batch, habit.id, app.deps.clock.now());
        }
        match app.deps.store.commit(batch).await {
            Err(docstore::Error::Conflict(conflict)) if conflict.kind == ConflictKind::Missing => {
                let max = app.config.max_habits;
                Err(
                    Refusal::conflict("TOO_MANY_HABITS", Text::new("too-many-habits").with("max", max))
                        .into(),
                )
            }
            other => Ok(other.map(|()| habit.clone())?),
        }
    })
    .await
}

async fn earlier(app: &App, idempotent: Option<&Idempotent>) -> Result<Option<HabitDoc>> {
    let Some(idempotent) = idempotent else {
        return Ok(None);
    };
    match idempotent
        .earlier::<kernel::kinds::Habit>(&app.deps.store)
        .await?
    {
        // What was deleted since stays deleted.
        Some(id) => Ok(Some(app.habits().get(id).await?.ok_or_else(Refusal::not_found)?)),
        None => Ok(None),
    }
}

/// Counts one more habit, unless there are too many.
async fn count_in(app: &App, batch: &mut Batch, user: UserId) -> Result<()> {
    if app.owners().get(user).await?.is_none() {
        batch.insert(&OwnerDoc {
            id: user,
            version: 0,
            revision: 1,
            habits: 1,
        });
        return Ok(());
    }
    let below = Filter::Lt("habits".into(), i64::from(app.config.max_habits).into());
    batch.update::<OwnerDoc>(
        user,
        Update::new().inc("habits", 1).inc("revision", 1).when(below),
    );
    Ok(())
}

fn judged(
    app: &App,
    principal: &Principal,
    user: UserId,
    input: &CreateHabitInput,
    today: Date,
) -> Result<HabitDoc> {
    let now = app.deps.clock.now();
    let mut check = Checker::new("input");
    let template = template(&mut check, input);
    let face = face(&mut check, input, template, principal.locale);
    let before = Reminder {
        enabled: template.is_some_and(|template| !template.reminders.is_empty()),
        time: template
            .map(|template| template.reminders.clone())
            .unwrap_or_default(),
        advance: 0,
    };
    let reminder = judge::reminder(&mut check, &input.reminder, &before);
    let start = check.at("startDate", |check| {
        input.start_date.as_ref().and_then(|date| check.date(date))
    });
    let end = check.at("endDate", |check| {
        input.end_date.as_ref().and_then(|date| check.date(date))
    });
    let start = start.unwrap_or(today);
    let (schedule, goal) = schedule(&mut check, input, template, principal.locale, start);
    let rules = rules(&mut check, start, end, schedule, goal);
    let links = judge::links(&mut check, &input.linked_habits);
    let triggers = judge::triggers(&mut check, &input.triggers);
    check.idempotency_key(input.idempotency_key.as_deref());
    check.finish()?;
    let Some(rules) = rules else {
        return Err(Refusal::bad_input(Vec::new()).into());
    };
    Ok(HabitDoc {
        id: app.deps.random.id(now),
        version: 0,
        user_id: user,
        face,
        reminder,
        rules,
        is_archived: false,
        is_public: input.is_public.unwrap_or(false),
        linked_habits: links.unwrap_or_default(),
        triggers: triggers.unwrap_or_default(),
        template_id: template.map(Template::id),
        // Behind everything that was put in order by hand, which counts from 0.
        position: now.as_millisecond(),
        created_at: now.as_millisecond(),
        updated_at: now.as_millisecond(),
    })
}

fn template(check: &mut Checker, input: &CreateHabitInput) -> Option<&'static Template> {
    let id = input.template_id.as_ref()?;
    check.at("templateId", |check| {
        let id: TemplateId = check.id(id)?;
        let found = templates::find(id);
        if found.is_none() {
            check.issue("NOT_FOUND", Text::new("issue-not-found"));
        }
        found
    })
}

fn face(check: &mut Checker, input: &CreateHabitInput, template: Option<&Template>, locale: Locale) -> Face {
    let or = |given: Option<String>, of: fn(&Template) -> &str, otherwise: &str| {
        given.unwrap_or_else(|| template.map_or(otherwise, of).to_owned())
    };
    let title = check
        .at("title", |check| check.text(&input.title, 1, 50))
        .unwrap_or_default();
    let description = judge::text(check, "description", &input.description, 0, 500);
    let category = judge::text(check, "category", &input.category, 0, 30);
    let icon = judge::text(check, "icon", &input.icon, 0, 100);
    let color = judge::color(check, &input.color);
    Face {
        title,
        description: description.unwrap_or_else(|| {
            template
                .map(|template| template.description(locale))
                .unwrap_or_default()
                .to_owned()
        }),
        category: or(category, |template| &template.category, ""),
        icon: or(icon, |template| &template.icon, ""),
        color: or(color, |template| &template.color, judge::DEFAULT_COLOR),
        tags: judge::tags(check, &input.tags).unwrap_or_default(),
    }
}

fn schedule(
    check: &mut Checker,
    input: &CreateHabitInput,
    template: Option<&Template>,
    locale: Locale,
    start: Date,
) -> (Option<Schedule>, Option<Goal>) {
    let frequency = input.frequency.clone().or_else(|| {
        let frequency = &template?.frequency;
        Some(FrequencyInput {
            kind: frequency.kind(),
            days: frequency.days.clone(),
            times: frequency.times,
            interval: frequency.interval,
            anchor: None,
        })
    });
    let schedule = match frequency {
        Some(frequency) => check.at("frequency", |check| frequency.judge(check, start)),
        None => Some(Schedule::Daily),
    };
    let goal = input.goal.clone().or_else(|| {
        let goal = template?.goal.as_ref()?;
        Some(GoalInput {
            kind: goal.kind(),
            value: goal.value,
            unit: Some(goal.unit(locale).to_owned()),
            direction: goal.direction(),
        })
    });
    let goal = goal.and_then(|goal| check.at("goal", |check| goal.judge(check)));
    (schedule, goal)
}

fn rules(
    check: &mut Checker,
    start: Date,
    end: Option<Date>,
    schedule: Option<Schedule>,
    goal: Option<Goal>,
) -> Option<HabitRules> {
    match HabitRules::new(1, start, end, schedule?, goal) {
        Ok(rules) => Some(rules),
        Err(issues) => {
            for issue in issues {
                check.issue_at(issue.path, issue.code, issue.text);
            }
            None
        }
    }
}

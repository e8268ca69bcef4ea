//! Today and the calendar.

use async_graphql::{ComplexObject, Context, Object, SimpleObject};
use kernel::{HabitId, Result, UserId};
use subgraph::answer::Answer;
use subgraph::directives::list_size;
use subgraph::plain::{PlainList, leaf};
use subgraph::plain_fields;
use subgraph::scalars::{Date, DateTime};

use super::shared::{HabitDay, int};
use super::types::{CheckIn, everything_of, loaders_and_app};
use crate::ops::calendar::{self, Day};
use crate::ops::list_check_ins;

/// Today: what is to be done, and what was.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Today {
    /// The logical date.
    pub(super) date: Date,
    /// When the day ends.
    pub(super) ends_at: DateTime,
    #[graphql(skip)]
    pub(super) day: Day,
    #[graphql(skip)]
    pub(super) user: UserId,
}

/// Today: what is to be done, and what was.
#[ComplexObject]
impl Today {
    /// The habits that today has anything to do with.
    #[graphql(directive = list_size::apply(20))]
    async fn habits(&self) -> PlainList<HabitDay> {
        self.day
            .habits
            .iter()
            .map(|(habit, result)| HabitDay::of(*habit, result.clone()))
            .collect()
    }

    /// The check-ins that were made for today, newest first.
    #[graphql(directive = list_size::apply(20))]
    async fn check_ins(&self, ctx: &Context<'_>) -> async_graphql::Result<PlainList<CheckIn>> {
        let found = list_check_ins::on(loaders_and_app(ctx).1, self.user, self.day.date).await;
        Ok(ctx.answer(found)?.into_iter().map(CheckIn::stored).collect())
    }
}

/// A month.
#[derive(SimpleObject)]
pub struct CalendarData {
    /// The year.
    pub(super) year: i32,
    /// The month, 1 to 12.
    pub(super) month: i32,
    /// Its days, in order.
    #[graphql(directive = list_size::apply(31))]
    pub(super) days: PlainList<CalendarDay>,
}

/// A day over all habits.
pub struct CalendarDay(pub(super) Day);

/// A day over all habits.
#[Object]
impl CalendarDay {
    /// The day.
    async fn date(&self) -> Date {
        self.0.date.into()
    }

    /// How many habits were due, skipped and paused ones left out.
    async fn due_count(&self) -> i32 {
        self.due()
    }

    /// How many habits were done.
    async fn done_count(&self) -> i32 {
        self.done()
    }

    /// How many check-ins there were.
    async fn check_in_count(&self) -> i32 {
        self.check_ins()
    }

    /// Done habits among those that were due, 0 to 1; 0 where nothing was due.
    async fn completion_rate(&self) -> f64 {
        self.rate()
    }

    /// What the day is for each habit that it has anything to do with.
    #[graphql(directive = list_size::apply(20))]
    async fn habits(&self) -> PlainList<HabitDay> {
        self.0
            .habits
            .iter()
            .map(|(habit, result)| HabitDay::of(*habit, result.clone()))
            .collect()
    }
}

plain_fields!(CalendarDay, |day, _field| {
    "date" => leaf(Date::from(day.0.date)),
    "dueCount" => leaf(day.due()),
    "doneCount" => leaf(day.done()),
    "checkInCount" => leaf(day.check_ins()),
    "completionRate" => leaf(day.rate()),
});

impl CalendarDay {
    fn due(&self) -> i32 {
        int(self.counted().count())
    }

    fn done(&self) -> i32 {
        int(self.0.habits.iter().filter(|(_, day)| day.completed).count())
    }

    fn check_ins(&self) -> i32 {
        int(self.0.habits.iter().map(|(_, day)| day.check_ins).sum::<u32>())
    }

    fn rate(&self) -> f64 {
        let (mut due, mut done) = (0_u32, 0_u32);
        for (_, day) in self.counted() {
            due += 1;
            done += u32::from(day.completed);
        }
        if due == 0 {
            0.0
        } else {
            f64::from(done) / f64::from(due)
        }
    }

    fn counted(&self) -> impl Iterator<Item = &(HabitId, rules::DayResult)> {
        use rules::DayStatus::{Frozen, NotDue, Paused, Skipped};
        self.0
            .habits
            .iter()
            .filter(|(_, day)| !matches!(day.status, NotDue | Skipped | Paused | Frozen))
    }
}

/// Today of a person.
pub(super) async fn today_of(ctx: &Context<'_>, user: UserId) -> Result<Today> {
    let everything = everything_of(ctx, user).await?;
    let (owner, habits) = (&everything.owner, &everything.habits);
    let app = loaders_and_app(ctx).1;
    let now = app.now();
    let time = owner.known.rules.times.at(now);
    let date = owner.known.rules.times.today(now).date;
    let (_, ends_at) = rules::day_bounds(date, time);
    let days = calendar::days(app, owner, habits, date..=date).await?;
    let day = days.into_iter().next().unwrap_or(Day {
        date,
        habits: Vec::new(),
    });
    Ok(Today {
        date: date.into(),
        ends_at: ends_at.into(),
        day,
        user,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use subgraph::assert_plain_fields_agree;

    use super::*;

    fn day() -> CalendarDay {
        CalendarDay(Day {
            date: date(2026, 3, 29),
            habits: Vec::new(),
        })
    }

    #[tokio::test]
    async fn days_of_the_calendar_are_the_same_in_both_ways() {
        assert_plain_fields_agree!(CalendarDay, day());
    }
}

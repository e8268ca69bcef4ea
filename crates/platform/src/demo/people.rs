//! Who the demo's people are, and which habits they have.

use checkin::seed::Person;
use docstore::Batch;
use habit::HabitDoc;
use habit::seed::{Plan, What};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use kernel::{Id, Locale, Result, UserId};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rules::{
    CheckInPolicy, Goal, GoalDirection, GoalKind, Pause, Schedule, UserRules, UserTime, ZoneHistory,
    logical_date,
};
use user::{UserDoc, Visibility};

use super::causes::Temperament;
use super::{life, words};

/// What is the same for everybody.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    /// The same seed makes the same people.
    pub(super) seed: u64,
    /// How many days back somebody began at the most.
    pub(super) days: u32,
    /// When the record ends.
    pub(super) now: Timestamp,
    /// What may be entered late.
    pub(super) policy: CheckInPolicy,
}

/// Whom WeChat knows.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// The place in the list, from 1.
    pub(super) number: u32,
    /// The OpenID.
    pub(super) openid: String,
    /// The UnionID.
    pub(super) unionid: Option<String>,
}

/// Somebody with all that they did.
#[derive(Debug)]
pub(super) struct Somebody {
    pub(super) user: UserDoc,
    pub(super) habits: Vec<HabitDoc>,
    pub(super) record: Person,
}

impl Somebody {
    /// The documents, to be written in this order: whoever has an account is whole.
    pub(super) fn batches(mut self, now: Timestamp) -> Result<Vec<Batch>> {
        let mut last = Batch::new();
        self.record.habits_revision = habit::seed::write(&mut last, self.user.id, &self.habits);
        user::seed::write(&mut last, &self.user);
        let mut batches = checkin::seed::write(&self.record, now)?;
        match batches.last_mut() {
            Some(batch) => batch.append(last),
            None => batches.push(last),
        }
        Ok(batches)
    }
}

/// Makes somebody.
///
/// # Errors
/// Never, unless the words have a habit that the rules refuse.
pub(super) fn somebody(setting: &Setting, account: Account) -> Result<Somebody> {
    let mut random = StdRng::seed_from_u64(
        setting
            .seed
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add(u64::from(account.number)),
    );
    let random = &mut random;
    let temperament = Temperament::draw(random);
    let locale = if random.random_bool(0.7) {
        Locale::ZhCn
    } else {
        Locale::En
    };
    let time = time(random);
    let today = logical_date(setting.now, &time);
    let back = if random.random_bool(0.4) {
        setting.days
    } else {
        random.random_range(1..=setting.days)
    };
    let joined = earlier(today, back);
    let mut rules = UserRules::new(1, ZoneHistory::new(time));
    if back > 40 && random.random_bool(0.2) {
        let from = earlier(today, random.random_range(20..back));
        let to = earlier(from, 0).saturating_add(jiff::Span::new().days(random.random_range(3..12)));
        rules.pauses.push(Pause {
            id: id(random, midnight(from)),
            from,
            to: Some(to),
        });
        rules.version += 1;
    }
    let user = user(random, setting, account, locale, joined, rules);
    let habits = habits(random, setting, &user, locale, (joined, today))?;
    let record = life::live(random, setting, &temperament, locale, &user, &habits);
    Ok(Somebody { user, habits, record })
}

/// An id of something that was made at an instant.
pub(super) fn id<T>(random: &mut StdRng, at: Timestamp) -> Id<T> {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&u32::try_from(at.as_second()).unwrap_or(0).to_be_bytes());
    random.fill(&mut bytes[4..]);
    Id::from_bytes(bytes)
}

/// One of some.
pub(super) fn one<'a, T>(random: &mut StdRng, of: &'a [T]) -> &'a T {
    &of[random.random_range(0..of.len())]
}

/// The words of a language among those of all.
pub(super) fn spoken<const N: usize>(
    locale: Locale,
    words: &'static [[&'static str; N]; 2],
) -> &'static [&'static str] {
    &words[usize::from(locale == Locale::ZhCn)]
}

fn user(
    random: &mut StdRng,
    setting: &Setting,
    account: Account,
    locale: Locale,
    joined: Date,
    rules: UserRules,
) -> UserDoc {
    let created_at = midnight(joined);
    let name = match locale {
        Locale::ZhCn => *one(random, &words::CHINESE),
        Locale::En => *one(random, &words::ENGLISH),
    };
    let visibility = |random: &mut StdRng| match random.random_range(0..10) {
        0..4 => Visibility::Public,
        4..6 => Visibility::Friends,
        _ => Visibility::Private,
    };
    user::seed::document(user::seed::Person {
        id: id(random, created_at),
        openid: account.openid,
        unionid: account.unionid,
        nickname: if random.random_bool(0.3) {
            format!("{name}{}", random.random_range(1..100))
        } else {
            name.to_owned()
        },
        gender: random.random_range(0..3),
        bio: if random.random_bool(0.4) {
            (*one(random, spoken(locale, &words::BIOS))).to_owned()
        } else {
            String::new()
        },
        locale: random.random_bool(0.8).then_some(locale),
        dark: random.random_bool(0.3).then(|| random.random_bool(0.7)),
        reminders: if random.random_bool(0.5) {
            vec![format!("{:02}:30", random.random_range(6..23))]
        } else {
            Vec::new()
        },
        profile: visibility(random),
        activity: visibility(random),
        rules,
        created_at,
        last_login_at: setting.now - SignedDuration::from_mins(random.random_range(0..20_000)),
    })
}

fn time(random: &mut StdRng) -> UserTime {
    let mut place = random.random_range(0..words::ZONES.iter().map(|(_, people)| people).sum());
    let zone = words::ZONES.iter().find(|(_, people)| {
        let found = place < *people;
        place = place.saturating_sub(*people);
        found
    });
    let day_start = if random.random_bool(0.1) { 240 } else { 0 };
    let week_start = if random.random_bool(0.15) { 7 } else { 1 };
    UserTime::new(zone.map_or("UTC", |(name, _)| name), day_start, week_start)
        .unwrap_or_else(|_| UserTime::utc())
}

fn habits(
    random: &mut StdRng,
    setting: &Setting,
    user: &UserDoc,
    locale: Locale,
    (joined, today): (Date, Date),
) -> Result<Vec<HabitDoc>> {
    let mut plans: Vec<Plan> = Vec::new();
    let mut templates: Vec<usize> = (0..habit::seed::templates()).collect();
    let count = random.random_range(2..=7);
    for number in 0..count {
        let start = if number < 2 {
            joined
        } else {
            between(random, joined, today)
        };
        let created_at = midnight(start).min(setting.now) + SignedDuration::from_secs(number);
        let what = if random.random_bool(0.65) {
            What::Template(templates.swap_remove(random.random_range(0..templates.len())))
        } else {
            own(random, locale, start)
        };
        let age = (today - start).get_days();
        let raised =
            (age > 28 && random.random_bool(0.15)).then(|| (earlier(today, random.random_range(7..20)), 1.5));
        let archived = (age > 60 && random.random_bool(0.08))
            .then(|| earlier(today, random.random_range(1..30)))
            .map(|from| (id(random, midnight(from)), from));
        let end = (number > 0 && archived.is_none() && random.random_bool(0.1)).then(|| {
            today
                .saturating_add(jiff::Span::new().days(random.random_range(-5_i64..120)))
                .max(start)
        });
        let linked = plans
            .last()
            .filter(|_| random.random_bool(0.2))
            .map(|plan| plan.id);
        plans.push(Plan {
            id: id(random, created_at),
            user: user.id,
            what,
            locale,
            start,
            end,
            raised,
            archived,
            is_public: random.random_bool(0.35),
            linked: linked.into_iter().collect(),
            created_at,
        });
    }
    plans.iter().map(habit::seed::document).collect()
}

fn own(random: &mut StdRng, locale: Locale, start: Date) -> What {
    let own = one(random, words::OWN);
    let weekdays = |random: &mut StdRng| {
        let days: Vec<u8> = (1..=7).filter(|_| random.random_bool(0.45)).collect();
        if days.is_empty() { vec![6] } else { days }
    };
    let schedule = match random.random_range(0..6) {
        0 => Schedule::Daily,
        1 => Schedule::WeeklyDays {
            days: weekdays(random),
        },
        2 => Schedule::WeeklyTimes {
            times: random.random_range(2..=5),
        },
        3 => Schedule::MonthlyTimes {
            times: random.random_range(2..=10),
        },
        4 => Schedule::EveryDays {
            interval: random.random_range(2..=5),
            anchor: start,
        },
        _ => Schedule::EveryWeeksDays {
            days: weekdays(random),
            interval: 2,
            anchor: start,
        },
    };
    let unit = if locale == Locale::ZhCn {
        "分钟"
    } else {
        "minutes"
    };
    let goal = own.minutes.and_then(|minutes| {
        Goal::new(
            GoalKind::Duration,
            f64::from(minutes),
            unit,
            GoalDirection::AtLeast,
        )
        .ok()
    });
    What::Own {
        title: own.names[usize::from(locale == Locale::ZhCn)].to_owned(),
        category: own.category.to_owned(),
        icon: own.icon.to_owned(),
        color: own.color.to_owned(),
        schedule,
        goal,
    }
}

fn between(random: &mut StdRng, from: Date, to: Date) -> Date {
    earlier(
        to,
        random.random_range(0..=u32::try_from((to - from).get_days()).unwrap_or(0)),
    )
}

/// So many days before a date.
pub(super) fn earlier(date: Date, days: u32) -> Date {
    date.saturating_sub(jiff::Span::new().days(days))
}

fn midnight(date: Date) -> Timestamp {
    date.to_zoned(jiff::tz::TimeZone::UTC)
        .map(|zoned| zoned.timestamp())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Whose record it is.
pub(super) fn nobody_yet(user: &UserDoc) -> Person {
    let id: UserId = user.id;
    Person {
        id,
        known: user.known(),
        habits_revision: 0,
        habits: Vec::new(),
    }
}

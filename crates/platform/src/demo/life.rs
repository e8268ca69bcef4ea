//! Lives the demo's people through their days: the hidden causes decide, the rules say what is asked for.

use std::collections::HashMap;

use checkin::seed::{Entry, History, Person};
use habit::HabitDoc;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use kernel::{HabitId, Locale};
use rand::RngExt as _;
use rand::rngs::StdRng;
use rules::{Amount, DayResult, DayStatus, Fact, Goal, GoalDirection, GoalKind, Provenance, Rules, What};
use user::UserDoc;

use super::causes::{Bent, Condition, Standing, Temperament, When, normal};
use super::people::{self, Setting, id, one, spoken};
use super::words;

/// Makeups are made within so many days.
const MAKEUP_DAYS: u16 = 3;

/// A day of a person.
#[derive(Debug, Clone, Copy)]
struct Day {
    date: Date,
    start: Timestamp,
    end: Timestamp,
    when: When,
}

/// A habit while it is lived.
struct Track<'a> {
    habit: &'a HabitDoc,
    bent: Bent,
    standing: Standing,
    /// What the schedule says of each day from the habit's start on, were nothing done.
    plain: HashMap<Date, DayResult>,
    /// The last day on which anything can be entered.
    last: Date,
    done_today: bool,
    /// The first day of the current week or month, and how often it was done in it.
    unit: Option<(Date, u32)>,
    /// Days to make up, with the place of the day on which that happens.
    to_make_up: Vec<(Date, usize)>,
    /// Made-up dates by their month.
    makeups: HashMap<Date, u16>,
    entries: Vec<Entry>,
    facts: Vec<Fact>,
}

/// What everything is drawn with.
struct Life<'a> {
    random: &'a mut StdRng,
    setting: &'a Setting,
    temperament: &'a Temperament,
    locale: Locale,
    condition: Condition,
}

/// What somebody did with their habits, day by day.
pub(super) fn live(
    random: &mut StdRng,
    setting: &Setting,
    temperament: &Temperament,
    locale: Locale,
    user: &UserDoc,
    habits: &[HabitDoc],
) -> Person {
    let days = days(setting, user, habits);
    let mut tracks: Vec<Track<'_>> = habits
        .iter()
        .map(|habit| Track::begin(random, setting, temperament, user, habit, &days))
        .collect();
    let mut life = Life {
        random,
        setting,
        temperament,
        locale,
        condition: Condition::default(),
    };
    for (place, day) in days.iter().enumerate() {
        life.condition.sleep(life.random);
        let mut done: HashMap<HabitId, bool> = HashMap::new();
        for track in &mut tracks {
            if day.date < track.habit.rules.start || day.date > track.last {
                continue;
            }
            let company = track
                .habit
                .linked_habits
                .first()
                .and_then(|habit| done.get(habit).copied());
            track.done_today = false;
            life.make_up(track, day, place);
            life.spend(track, &days, place, company);
            done.insert(track.habit.id, track.done_today);
        }
    }
    let mut person = people::nobody_yet(user);
    person.habits = tracks
        .into_iter()
        .map(|track| History {
            habit: track.habit.known(),
            entries: track.entries,
            facts: track.facts,
        })
        .collect();
    person
}

/// The person's days from the first habit's start to the end of the record.
fn days(setting: &Setting, user: &UserDoc, habits: &[HabitDoc]) -> Vec<Day> {
    let today = user.rules.times.today(setting.now).date;
    let time = user.rules.times.at(setting.now);
    let first = habits
        .iter()
        .map(|habit| habit.rules.start)
        .min()
        .unwrap_or(today);
    let length = f64::from((today - first).get_days().max(1));
    let mut days = Vec::new();
    let mut date = first;
    while date <= today {
        let (start, end) = rules::day_bounds(date, time);
        let part = f64::from((date - first).get_days()) / length;
        let weekday = date.weekday().to_monday_one_offset();
        days.push(Day {
            date,
            start,
            end,
            when: When {
                weekday,
                day_of_year: date.day_of_year(),
                part,
            },
        });
        let Ok(next) = date.tomorrow() else { break };
        date = next;
    }
    days
}

impl<'a> Track<'a> {
    fn begin(
        random: &mut StdRng,
        setting: &Setting,
        temperament: &Temperament,
        user: &UserDoc,
        habit: &'a HabitDoc,
        days: &[Day],
    ) -> Self {
        let today = user.rules.times.today(setting.now).date;
        let rules = Rules::new(&habit.rules, &user.rules);
        let archived = habit.rules.archives.first().map(|archive| archive.from);
        let last = [habit.rules.end, archived.and_then(|date| date.yesterday().ok())];
        let last = last.into_iter().flatten().fold(today, Date::min);
        let open: Vec<&Day> = days
            .iter()
            .filter(|day| day.date >= habit.rules.start && day.date < last && day.start < setting.now)
            .collect();
        let mut facts = Vec::new();
        if open.len() > 30 && random.random_bool(1.0 / 6.0) {
            let day = one(random, &open);
            let at = day.start + SignedDuration::from_secs(random.random_range(60..300));
            let to = day
                .date
                .saturating_add(jiff::Span::new().days(random.random_range(6_i64..21)));
            facts.push(Fact {
                id: id(random, at),
                at,
                what: What::Pause {
                    from: day.date,
                    to: Some(to),
                },
            });
        }
        let plain = rules::evaluate(rules, &facts, habit.rules.start..=today, setting.now);
        if open.len() > 10 && random.random_bool(0.2) {
            let day = one(random, &open);
            let at = day.start + SignedDuration::from_secs(random.random_range(300..600));
            facts.push(Fact {
                id: id(random, at),
                at,
                what: What::Freeze { date: day.date },
            });
        }
        Self {
            habit,
            bent: Bent::draw(random, temperament),
            standing: Standing::default(),
            plain: plain.into_iter().map(|day| (day.date, day)).collect(),
            last,
            done_today: false,
            unit: None,
            to_make_up: Vec::new(),
            makeups: HashMap::new(),
            entries: Vec::new(),
            facts,
        }
    }

    /// How much is asked of a day, 0 to 1: all of it, or for a number of times in a period what is still needed for
    /// each day that is left.
    fn asked(&mut self, date: Date) -> f64 {
        let Some(day) = self.plain.get(&date) else {
            return 0.0;
        };
        let Some(unit) = &day.unit else {
            let is_asked = !matches!(
                day.status,
                DayStatus::NotDue | DayStatus::Paused | DayStatus::Frozen
            );
            return f64::from(u8::from(is_asked));
        };
        if day.status == DayStatus::Paused {
            return 0.0;
        }
        let done = self
            .unit
            .filter(|(from, _)| *from == unit.from)
            .map_or(0, |(_, done)| done);
        self.unit = Some((unit.from, done));
        let left = f64::from((unit.to - date).get_days() + 1);
        // Somewhat more than evenly: people mean to be done before the end.
        if done >= unit.need {
            0.03
        } else {
            (1.5 * f64::from(unit.need - done) / left).min(1.0)
        }
    }

    fn is_unit(&self) -> bool {
        self.unit.is_some()
    }
}

impl Life<'_> {
    /// A habit's part of a day.
    fn spend(&mut self, track: &mut Track<'_>, days: &[Day], place: usize, company: Option<bool>) {
        let Some(day) = days.get(place) else { return };
        let asked = track.asked(day.date);
        if asked == 0.0 || !self.random.random_bool(asked) {
            return;
        }
        let at = self.hour(track, day);
        if at > self.setting.now {
            return;
        }
        if !track.is_unit() && self.random.random_bool(0.009) {
            track.facts.push(Fact {
                id: id(self.random, at),
                at,
                what: What::Skip { date: day.date },
            });
            return;
        }
        let chance = track.bent.probability(
            self.temperament,
            &self.condition,
            track.standing,
            day.when,
            company,
        );
        let succeeds = self.random.random_bool(chance);
        let goal = track.habit.rules.in_force(day.date).goal.clone();
        let at_most = goal
            .as_ref()
            .is_some_and(|goal| goal.direction == GoalDirection::AtMost);
        let reached = match (succeeds, at_most) {
            (true, _) | (false, true) => self.enter(track, day, at, goal.as_ref(), succeeds),
            (false, false) => false,
        };
        track.done_today = reached;
        if reached {
            self.condition.done_today += 1;
            track.standing = Standing {
                run: track.standing.run + 1,
                missed: false,
            };
            track.unit = track.unit.map(|(from, done)| (from, done + 1));
        } else if !track.is_unit() {
            track.standing = Standing { run: 0, missed: true };
            let later = place + usize::from(self.random.random_range(1..=MAKEUP_DAYS));
            if !succeeds && !at_most && later < days.len() && self.random.random_bool(0.125) {
                track.to_make_up.push((day.date, later));
            }
        }
    }

    /// Makes up what was meant to be made up today.
    fn make_up(&mut self, track: &mut Track<'_>, day: &Day, place: usize) {
        let policy = self.setting.policy;
        let due: Vec<Date> = track
            .to_make_up
            .iter()
            .filter(|(_, later)| *later == place)
            .map(|(date, _)| *date)
            .collect();
        for date in due {
            let at = day.start + SignedDuration::from_mins(self.random.random_range(30..90));
            let used = track.makeups.entry(date.first_of_month()).or_default();
            let is_late = policy.allow_late;
            let in_window = date >= people::earlier(day.date, policy.makeup_window_days.into());
            if at > self.setting.now
                || at >= day.end
                || !in_window
                || (!is_late && *used >= policy.makeup_quota)
            {
                continue;
            }
            *used += 1;
            let provenance = if is_late {
                Provenance::Late
            } else {
                Provenance::Makeup
            };
            let goal = track.habit.rules.in_force(date).goal.as_ref();
            let (count, minutes) = amounts(goal, goal.map(|goal| goal.target().to_f64()).unwrap_or_default());
            let entry = Entry {
                provenance,
                date,
                count,
                minutes,
                ..self.entry(at, date)
            };
            track.entries.push(entry);
        }
    }

    /// Enters what was done; tells whether the day's goal is reached.
    fn enter(
        &mut self,
        track: &mut Track<'_>,
        day: &Day,
        at: Timestamp,
        goal: Option<&Goal>,
        succeeds: bool,
    ) -> bool {
        let target = goal.map_or(1.0, |goal| goal.target().to_f64());
        let at_most = goal.is_some_and(|goal| goal.direction == GoalDirection::AtMost);
        let share = match (at_most, succeeds) {
            (true, true) => self.random.random_range(0.2..1.0),
            (true, false) => self.random.random_range(1.1..2.5),
            (false, _) => (normal(self.random, 0.2 + 0.15 * self.condition.energy, 0.25)).exp(),
        };
        let total = rounded(goal, target * share, at_most && succeeds);
        let reached = goal.is_none() || if at_most { total <= target } else { total >= target };
        // What is kept below is often not worth an entry.
        if at_most && (total == 0.0 || (succeeds && self.random.random_bool(0.3))) {
            return true;
        }
        let whole = goal.is_some_and(|goal| goal.kind == GoalKind::Count);
        let first = if whole && total >= 2.0 && self.random.random_bool(0.3) {
            (total / 2.0).floor()
        } else {
            total
        };
        let mut at = at;
        for part in [first, total - first].into_iter().filter(|part| *part > 0.0) {
            if at > self.setting.now || at >= day.end {
                return false;
            }
            let (count, minutes) = amounts(goal, part);
            let entry = Entry {
                count,
                minutes,
                ..self.told(at, day, reached, track.habit.is_public)
            };
            if track.entries.len() % 150 == 149 && part == total {
                let later = at + SignedDuration::from_mins(3);
                if later <= self.setting.now {
                    track.entries.push(Entry {
                        undone: Some((id(self.random, later), later)),
                        ..entry
                    });
                    return false;
                }
            }
            track.entries.push(entry);
            at += SignedDuration::from_mins(self.random.random_range(30..120));
        }
        reached
    }

    /// A check-in with what people write about it.
    fn told(&mut self, at: Timestamp, day: &Day, reached: bool, is_public: bool) -> Entry {
        let hour = at.duration_since(day.start).as_secs_f64() / 3600.0;
        let mut entry = self.entry(at, day.date);
        entry.is_public = is_public && self.random.random_bool(0.8);
        if self.random.random_bool(0.35) {
            entry.mood = Some(self.condition.mood(self.random, reached, hour));
        }
        if self.random.random_bool(0.12) {
            let glad = entry.mood.map_or(reached, |mood| mood >= 3);
            let notes = spoken(self.locale, if glad { &words::GLAD } else { &words::TIRED });
            entry.note = (*one(self.random, notes)).to_owned();
        }
        if self.random.random_bool(0.06) {
            entry
                .tags
                .push((*one(self.random, spoken(self.locale, &words::TAGS))).to_owned());
        }
        if self.random.random_bool(0.02) {
            let &(longitude, latitude, name) = one(self.random, &words::PLACES);
            entry.place = Some((longitude, latitude, name.to_owned()));
        }
        entry
    }

    fn entry(&mut self, at: Timestamp, date: Date) -> Entry {
        Entry {
            id: id(self.random, at),
            date,
            at,
            provenance: Provenance::OnTime,
            count: None,
            minutes: None,
            mood: None,
            note: String::new(),
            tags: Vec::new(),
            place: None,
            is_public: false,
            undone: None,
        }
    }

    /// When a habit is done today.
    fn hour(&mut self, track: &Track<'_>, day: &Day) -> Timestamp {
        let weekend = if day.when.is_weekend() { 1.0 } else { 0.0 };
        let hour = track.bent.hour + weekend - 0.5 * self.condition.energy + normal(self.random, 0.0, 0.7);
        let seconds = (hour * 3600.0).clamp(300.0, 23.5 * 3600.0) as i64;
        // A person's day may be shorter than 24 hours, and begin later than midnight.
        (day.start + SignedDuration::from_secs(seconds)).min(day.end - SignedDuration::from_secs(60))
    }
}

/// An amount as people enter it: whole things, whole minutes.
fn rounded(goal: Option<&Goal>, amount: f64, down: bool) -> f64 {
    match goal {
        None => 1.0,
        Some(_) if down => amount.floor(),
        Some(goal) if goal.kind == GoalKind::Duration => amount.round().clamp(1.0, 600.0),
        Some(_) => amount.round().max(1.0),
    }
}

/// The count and the minutes of an amount.
fn amounts(goal: Option<&Goal>, amount: f64) -> (Option<Amount>, Option<Amount>) {
    match goal.map(|goal| goal.kind) {
        None => (None, None),
        Some(GoalKind::Count) => (Amount::new(amount), None),
        Some(GoalKind::Duration) => (None, Amount::new(amount)),
    }
}

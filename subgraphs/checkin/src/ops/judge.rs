//! Judges what clients send of a check-in.

use async_graphql::MaybeUndefined;
use jiff::Timestamp;
use kernel::Text;
use rules::Amount;
use subgraph::input::Checker;
use subgraph::place::LocationInput;
use subgraph::scalars::Url;

use crate::graphql::inputs::CheckInTimeInput;
use crate::store::Story;

/// A day's minutes.
const MAX_MINUTES: f64 = 24.0 * 60.0;
/// More than anybody counts in one go.
const MAX_COUNT: f64 = 1_000_000.0;

/// A number of things.
pub fn count(check: &mut Checker, count: f64) -> Option<Amount> {
    check.at("count", |check| amount(check, count, MAX_COUNT))
}

/// A time spent, in minutes.
pub fn minutes(check: &mut Checker, minutes: f64) -> Option<Amount> {
    check.at("duration", |check| amount(check, minutes, MAX_MINUTES))
}

fn amount(check: &mut Checker, value: f64, max: f64) -> Option<Amount> {
    check.number(value, 0.0, max).and_then(Amount::new)
}

/// When it began and ended, and how many minutes that is where both are known.
pub fn time(check: &mut Checker, story: &mut Story, input: &Option<CheckInTimeInput>) -> Option<f64> {
    let input = input.as_ref()?;
    check.at("time", |check| {
        let start: Option<Timestamp> = check.at("start", |check| check.instant(&input.start));
        let end = check.at("end", |check| {
            input.end.as_ref().and_then(|end| check.instant(end))
        });
        story.start = start.map(|start| start.as_millisecond());
        story.end = end.map(|end| end.as_millisecond());
        let minutes = (end?.as_millisecond() - start?.as_millisecond()) as f64 / 60_000.0;
        check.at("end", |check| {
            if minutes < 0.0 {
                check.issue("BEFORE_START", Text::new("issue-before-start"));
                return None;
            }
            check.number(minutes, 0.0, MAX_MINUTES)
        })
    })
}

/// How one felt; `null` clears.
pub fn mood(check: &mut Checker, story: &mut Story, mood: &MaybeUndefined<i32>) {
    match mood {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => story.mood = None,
        MaybeUndefined::Value(mood) => {
            let judged = check.at("mood", |check| check.range((*mood).into(), 1, 5));
            story.mood = judged.map(|mood| mood as i32);
        }
    }
}

/// Some words; `null` clears.
pub fn note(check: &mut Checker, story: &mut Story, note: &MaybeUndefined<String>) {
    match note {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => story.note.clear(),
        MaybeUndefined::Value(note) => {
            story.note = check
                .at("note", |check| check.text(note, 0, 2000))
                .unwrap_or_default();
        }
    }
}

/// Addresses of pictures.
pub fn images(check: &mut Checker, story: &mut Story, images: &Option<Vec<Url>>) {
    let Some(images) = images else { return };
    story.images = check.images(images);
}

/// Where it was; `null` clears.
pub fn location(check: &mut Checker, story: &mut Story, location: &MaybeUndefined<LocationInput>) {
    match location {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => story.location = None,
        MaybeUndefined::Value(place) => story.location = place.judged(check),
    }
}

/// Words to find it by, each once.
pub fn tags(check: &mut Checker, story: &mut Story, tags: &Option<Vec<String>>) {
    let Some(tags) = tags else { return };
    story.tags = check.tags(tags);
}

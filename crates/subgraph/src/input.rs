//! Judges input: collects every issue with its path, then refuses or lets pass.

use std::collections::BTreeSet;
use std::str::FromStr;

use async_graphql::ID;
use jiff::civil::{Date as CivilDate, Time};
use kernel::{Issue, PathSegment, Refusal, Text};

use crate::idempotency::is_valid_key;
use crate::scalars::{Date, DateTime, TimeOfDay, Url};

/// The issues of one input, found so far.
#[derive(Debug, Default)]
pub struct Checker {
    path: Vec<PathSegment>,
    issues: Vec<Issue>,
}

/// Longest address that is taken: what browsers and WeChat both handle.
const MAX_URL: usize = 2048;
/// Most tags of one thing.
const MAX_TAGS: usize = 20;
/// Most pictures of one thing.
const MAX_IMAGES: usize = 9;

impl Checker {
    /// Starts at an argument, such as `input`.
    pub fn new(argument: &'static str) -> Self {
        Self {
            path: vec![argument.into()],
            issues: Vec::new(),
        }
    }

    /// Judges what stands under `segment`.
    pub fn at<T>(&mut self, segment: impl Into<PathSegment>, judge: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(segment.into());
        let judged = judge(self);
        self.path.pop();
        judged
    }

    /// Judges each item of a list under its index.
    pub fn each<I, T>(
        &mut self,
        items: impl IntoIterator<Item = I>,
        mut judge: impl FnMut(&mut Self, I) -> Option<T>,
    ) -> Vec<T> {
        items
            .into_iter()
            .enumerate()
            .filter_map(|(index, item)| self.at(index, |check| judge(check, item)))
            .collect()
    }

    /// Adds an issue here. The text's key is `issue-` and the code in kebab case.
    pub fn issue(&mut self, code: &'static str, text: Text) {
        self.issues.push(Issue {
            path: self.path.clone(),
            code,
            text,
        });
    }

    /// Adds an issue that was found elsewhere, with its path from here on.
    pub fn issue_at(&mut self, below: impl IntoIterator<Item = PathSegment>, code: &'static str, text: Text) {
        let path = self.path.iter().cloned().chain(below).collect();
        self.issues.push(Issue { path, code, text });
    }

    /// Whether nothing was wrong so far.
    pub fn is_clean(&self) -> bool {
        self.issues.is_empty()
    }

    /// Lets pass or refuses with all issues.
    ///
    /// # Errors
    /// `BAD_USER_INPUT`.
    pub fn finish(self) -> Result<(), Refusal> {
        if self.issues.is_empty() {
            Ok(())
        } else {
            Err(Refusal::bad_input(self.issues))
        }
    }

    /// A text of `min` to `max` characters, without surrounding white space and control characters.
    pub fn text(&mut self, text: &str, min: usize, max: usize) -> Option<String> {
        let trimmed = text.trim();
        let length = trimmed.chars().count();
        if trimmed.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            self.issue("INVALID_CHARACTER", Text::new("issue-invalid-character"));
        } else if length < min {
            self.too_short(min);
        } else if length > max {
            self.too_long(max);
        } else {
            return Some(trimmed.to_owned());
        }
        None
    }

    /// A whole number from `min` to `max`.
    pub fn range(&mut self, value: i64, min: i64, max: i64) -> Option<i64> {
        if (min..=max).contains(&value) {
            return Some(value);
        }
        self.out_of_range(min as f64, max as f64);
        None
    }

    /// A finite number from `min` to `max`.
    pub fn number(&mut self, value: f64, min: f64, max: f64) -> Option<f64> {
        if value.is_finite() && (min..=max).contains(&value) {
            return Some(value);
        }
        self.out_of_range(min, max);
        None
    }

    /// At most `max` items.
    pub fn at_most(&mut self, items: usize, max: usize) {
        if items > max {
            self.issue("TOO_MANY", Text::new("issue-too-many").with("max", max));
        }
    }

    /// A civil date that exists.
    pub fn date(&mut self, date: &Date) -> Option<CivilDate> {
        let parsed = is_shape(&date.0, "dddd-dd-dd")
            .then(|| CivilDate::from_str(&date.0).ok())
            .flatten();
        if parsed.is_none() {
            self.issue("INVALID_DATE", Text::new("issue-invalid-date"));
        }
        parsed
    }

    /// A time of day.
    pub fn time(&mut self, time: &TimeOfDay) -> Option<Time> {
        let parsed = is_shape(&time.0, "dd:dd")
            .then(|| Time::from_str(&format!("{}:00", time.0)).ok())
            .flatten();
        if parsed.is_none() {
            self.issue("INVALID_TIME", Text::new("issue-invalid-time"));
        }
        parsed
    }

    /// An instant.
    pub fn instant(&mut self, instant: &DateTime) -> Option<jiff::Timestamp> {
        let parsed = jiff::Timestamp::from_str(&instant.0).ok();
        if parsed.is_none() {
            self.issue("INVALID_DATE_TIME", Text::new("issue-invalid-date-time"));
        }
        parsed
    }

    /// Words to find something by: at most 20 of 1 to 30 characters, each once.
    pub fn tags(&mut self, tags: &[String]) -> Vec<String> {
        self.at("tags", |check| {
            check.at_most(tags.len(), MAX_TAGS);
            let mut known = BTreeSet::new();
            check.each(tags, |check, tag| {
                let tag = check.text(tag, 1, 30)?;
                if !known.insert(tag.clone()) {
                    check.issue("DUPLICATE", Text::new("issue-duplicate"));
                }
                Some(tag)
            })
        })
    }

    /// Addresses of pictures, at most 9: what WeChat's own posts take.
    pub fn images(&mut self, images: &[Url]) -> Vec<String> {
        self.at("images", |check| {
            check.at_most(images.len(), MAX_IMAGES);
            check.each(images, |check, image| check.url(image))
        })
    }

    /// The key of a request that may be sent again.
    pub fn idempotency_key(&mut self, key: Option<&str>) {
        if key.is_some_and(|key| !is_valid_key(key)) {
            self.at("idempotencyKey", |check| {
                check.issue("INVALID_CHARACTER", Text::new("issue-invalid-character"));
            });
        }
    }

    /// An absolute `http` or `https` address without credentials.
    pub fn url(&mut self, url: &Url) -> Option<String> {
        let parsed = url::Url::parse(&url.0).ok().filter(|parsed| {
            matches!(parsed.scheme(), "http" | "https")
                && parsed.has_host()
                && parsed.username().is_empty()
                && parsed.password().is_none()
                && url.0.len() <= MAX_URL
        });
        if parsed.is_none() {
            self.issue("INVALID_URL", Text::new("issue-invalid-url"));
        }
        parsed.map(String::from)
    }

    /// An id of the right form; whether it exists is another question.
    pub fn id<T>(&mut self, id: &ID) -> Option<kernel::Id<T>> {
        let parsed = id.parse().ok();
        if parsed.is_none() {
            self.issue("INVALID_ID", Text::new("issue-invalid-id"));
        }
        parsed
    }

    fn too_short(&mut self, min: usize) {
        if min == 1 {
            self.issue("REQUIRED", Text::new("issue-required"));
        } else {
            self.issue("TOO_SHORT", Text::new("issue-too-short").with("min", min));
        }
    }

    fn too_long(&mut self, max: usize) {
        self.issue("TOO_LONG", Text::new("issue-too-long").with("max", max));
    }

    fn out_of_range(&mut self, min: f64, max: f64) {
        self.issue(
            "OUT_OF_RANGE",
            Text::new("issue-out-of-range").with("min", min).with("max", max),
        );
    }
}

/// Whether the text has exactly this shape, where `d` stands for a digit.
fn is_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(c, s)| if s == b'd' { c.is_ascii_digit() } else { c == s })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(check: Checker) -> Vec<(String, &'static str)> {
        check
            .issues
            .iter()
            .map(|issue| {
                (
                    issue
                        .path
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join("."),
                    issue.code,
                )
            })
            .collect()
    }

    #[test]
    fn every_issue_is_found_with_its_path() {
        let mut check = Checker::new("input");
        check.at("title", |check| check.text("  ", 1, 50));
        check.at("goal", |check| {
            check.at("value", |check| check.number(f64::NAN, 0.0, 10.0))
        });
        check.at("images", |check| {
            check.each(
                ["https://a.example/x.png", "javascript:alert(1)"],
                |check, url| check.url(&Url(url.to_owned())),
            )
        });
        assert_eq!(
            codes(check),
            [
                ("input.title".to_owned(), "REQUIRED"),
                ("input.goal.value".to_owned(), "OUT_OF_RANGE"),
                ("input.images.1".to_owned(), "INVALID_URL"),
            ]
        );
    }

    #[test]
    fn dates_and_times_must_exist() {
        let mut check = Checker::new("input");
        for date in ["2026-02-31", "2026-2-3", "20260203", "2026-02-03T00:00:00Z", ""] {
            assert_eq!(check.date(&Date(date.to_owned())), None, "{date}");
        }
        for time in ["24:00", "7:00", "07:60", "07:00:00"] {
            assert_eq!(check.time(&TimeOfDay(time.to_owned())), None, "{time}");
        }
        assert!(check.date(&Date("2024-02-29".to_owned())).is_some());
        assert!(check.time(&TimeOfDay("23:59".to_owned())).is_some());
    }
}

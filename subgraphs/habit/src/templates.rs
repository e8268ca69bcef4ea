//! The starter set of habits to begin with, in every language.

use std::collections::HashMap;
use std::sync::LazyLock;

use kernel::{Id, Locale, TemplateId};
use serde::Deserialize;
use subgraph::habit_rules::{FrequencyType, GoalDirection, GoalType};

/// A habit to begin with.
#[derive(Debug, Deserialize)]
pub struct Template {
    /// Stable name.
    pub code: String,
    /// Group.
    pub category: String,
    /// An emoji.
    pub icon: String,
    /// `#RRGGBB`.
    pub color: String,
    title: Texts,
    description: Texts,
    /// When it is due.
    pub frequency: TemplateFrequency,
    /// What makes a day done.
    pub goal: Option<TemplateGoal>,
    /// When to be reminded, as `HH:MM`.
    pub reminders: Vec<String>,
}

/// A template's schedule.
#[derive(Debug, Deserialize)]
pub struct TemplateFrequency {
    #[serde(rename = "type")]
    kind: String,
    /// ISO weekdays.
    pub days: Option<Vec<i32>>,
    /// How many times in each week or month.
    pub times: Option<i32>,
    /// Every how many days.
    pub interval: Option<i32>,
}

/// A template's goal.
#[derive(Debug, Deserialize)]
pub struct TemplateGoal {
    #[serde(rename = "type")]
    kind: String,
    /// How much.
    pub value: f64,
    direction: String,
    unit: Texts,
}

type Texts = HashMap<Locale, String>;

static TEMPLATES: LazyLock<Vec<Template>> = LazyLock::new(|| {
    // A test reads the same text, so that what is shipped is known to parse.
    serde_json::from_str(include_str!("templates.json")).unwrap_or_default()
});

/// Every habit that is looked up by id is looked for here first.
static BY_ID: LazyLock<HashMap<TemplateId, &'static Template>> = LazyLock::new(|| {
    TEMPLATES
        .iter()
        .map(|template| (template.id(), template))
        .collect()
});

/// The templates of a category, or all.
pub fn list(category: Option<&str>) -> impl Iterator<Item = &'static Template> {
    TEMPLATES
        .iter()
        .filter(move |template| category.is_none_or(|category| template.category == category))
}

/// A template by id.
pub fn find(id: TemplateId) -> Option<&'static Template> {
    BY_ID.get(&id).copied()
}

impl Template {
    /// The id: the first bytes of the code's hash, so that it stays the same wherever the set is extended.
    pub fn id(&self) -> TemplateId {
        use sha2::{Digest, Sha256};
        let hash = Sha256::digest(self.code.as_bytes());
        let mut bytes = [0; 12];
        bytes.copy_from_slice(&hash[..12]);
        Id::from_bytes(bytes)
    }

    /// Its name.
    pub fn title(&self, locale: Locale) -> &str {
        text(&self.title, locale)
    }

    /// More words.
    pub fn description(&self, locale: Locale) -> &str {
        text(&self.description, locale)
    }
}

impl TemplateFrequency {
    /// The kind of schedule.
    pub fn kind(&self) -> FrequencyType {
        match self.kind.as_str() {
            "WEEKLY" => FrequencyType::Weekly,
            "MONTHLY" => FrequencyType::Monthly,
            "CUSTOM" => FrequencyType::Custom,
            _ => FrequencyType::Daily,
        }
    }
}

impl TemplateGoal {
    /// What is counted.
    pub fn kind(&self) -> GoalType {
        if self.kind == "DURATION" {
            GoalType::Duration
        } else {
            GoalType::Count
        }
    }

    /// At least or at most.
    pub fn direction(&self) -> GoalDirection {
        if self.direction == "AT_MOST" {
            GoalDirection::AtMost
        } else {
            GoalDirection::AtLeast
        }
    }

    /// Of what. A duration's unit is a word of the API and the same in every language.
    pub fn unit(&self, locale: Locale) -> &str {
        match self.kind() {
            GoalType::Duration => "minutes",
            GoalType::Count => text(&self.unit, locale),
        }
    }
}

fn text(texts: &Texts, locale: Locale) -> &str {
    texts.get(&locale).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_whole_in_every_language() {
        let templates: Vec<Template> = serde_json::from_str(include_str!("templates.json")).unwrap();
        assert!(templates.len() > 20);
        for template in &templates {
            for locale in Locale::ALL {
                assert!(!template.title(locale).is_empty() && !template.description(locale).is_empty());
                assert!(
                    template
                        .goal
                        .as_ref()
                        .is_none_or(|goal| !goal.unit(locale).is_empty())
                );
            }
            assert_eq!(find(template.id()).map(|found| &found.code), Some(&template.code));
        }
    }
}

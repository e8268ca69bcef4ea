//! Every text exists in every language.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::{files, none};

const LANGUAGES: [&str; 2] = ["en", "zh-CN"];

/// A file's path with its language taken out, and the language: from `locales/en.ftl` or `locales/en/habit.ftl`.
fn split(path: &str) -> Option<(String, &'static str)> {
    LANGUAGES.into_iter().find_map(|language| {
        let whole = path
            .strip_suffix(&format!("/{language}.ftl"))
            .map(|folder| format!("{folder}/*.ftl"));
        let part = path
            .split_once(&format!("/{language}/"))
            .map(|(folder, file)| format!("{folder}/*/{file}"));
        Some((whole.or(part)?, language))
    })
}

/// The keys of the messages in a Fluent file, each with the variables that its text uses.
fn messages(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut messages = BTreeMap::new();
    let mut key = String::new();
    for line in text.lines() {
        if line.starts_with(|first: char| first.is_ascii_alphabetic() || first == '-') {
            key = line.split('=').next().unwrap_or_default().trim().to_owned();
        } else if line.starts_with('#') || key.is_empty() {
            continue;
        }
        let variables: &mut BTreeSet<String> = messages.entry(key.clone()).or_default();
        let name = |rest: &str| {
            rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
                .next()
                .map(str::to_owned)
        };
        variables.extend(line.split('$').skip(1).filter_map(name));
    }
    messages
}

#[test]
fn every_text_is_there_in_every_language() {
    let mut complaints = Vec::new();
    let mut groups: BTreeMap<String, BTreeMap<&str, _>> = BTreeMap::new();
    for (path, file) in files().into_iter().filter(|(path, _)| path.ends_with(".ftl")) {
        match split(&path) {
            Some((group, language)) => {
                groups
                    .entry(group)
                    .or_default()
                    .insert(language, messages(&fs::read_to_string(file).unwrap()));
            }
            None => complaints.push(format!(
                "{path}: of which language? The name is one of {LANGUAGES:?}"
            )),
        }
    }
    for (group, languages) in &groups {
        let all: BTreeSet<_> = languages.values().flat_map(BTreeMap::keys).collect();
        for language in LANGUAGES {
            let missing = all.iter().filter(|key| {
                languages
                    .get(language)
                    .is_none_or(|texts| !texts.contains_key(**key))
            });
            complaints.extend(missing.map(|key| format!("{group}: `{key}` is missing in {language}")));
        }
        for key in all {
            let variables: BTreeSet<_> = languages.values().filter_map(|texts| texts.get(key)).collect();
            if variables.len() > 1 {
                complaints.push(format!(
                    "{group}: `{key}` uses other variables in each language: {variables:?}"
                ));
            }
        }
    }
    none(&complaints);
}

#[test]
fn messages_are_read_with_their_variables() {
    let text = "# A note with { $no } meaning\ntoo-long = At most { $max } signs\nmany = { $count ->\n    [one] One\n   *[other] { $count }\n  }\n";
    let found = messages(text);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["many", "too-long"]);
    assert_eq!(found["many"], BTreeSet::from(["count".to_owned()]));
    assert_eq!(found["too-long"], BTreeSet::from(["max".to_owned()]));
}

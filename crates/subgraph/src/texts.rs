//! The texts that people read, from the Fluent catalogues under `locales/`.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use kernel::{Locale, Text, TextArg};

static ENGLISH: LazyLock<Catalogue> =
    LazyLock::new(|| catalogue(Locale::En, include_str!("../locales/en.ftl")));
static CHINESE: LazyLock<Catalogue> =
    LazyLock::new(|| catalogue(Locale::ZhCn, include_str!("../locales/zh-CN.ftl")));

type Catalogue = FluentBundle<FluentResource>;

/// The text in a language. A key that no catalogue has is shown as it is; a test holds that there is none.
pub fn render(text: &Text, locale: Locale) -> String {
    let catalogue: &Catalogue = match locale {
        Locale::En => &ENGLISH,
        Locale::ZhCn => &CHINESE,
    };
    let Some(pattern) = catalogue
        .get_message(text.key)
        .and_then(|message| message.value())
    else {
        return text.key.to_owned();
    };
    let mut args = FluentArgs::new();
    for (name, value) in &text.args {
        let value = match value {
            TextArg::Number(number) => FluentValue::from(*number),
            TextArg::String(string) => FluentValue::from(string.as_str()),
        };
        args.set(*name, value);
    }
    catalogue
        .format_pattern(pattern, Some(&args), &mut Vec::new())
        .into_owned()
}

fn catalogue(locale: Locale, source: &str) -> Catalogue {
    // A broken message is left out by the parser; the test below shows it as missing.
    let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
    let mut bundle = FluentBundle::new_concurrent(locale.tag().parse().into_iter().collect());
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(resource);
    bundle
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn keys(source: &str) -> BTreeSet<&str> {
        source
            .lines()
            .filter_map(|line| line.split_once(" ="))
            .map(|(key, _)| key.trim())
            .collect()
    }

    #[test]
    fn both_languages_have_the_same_texts_and_no_broken_one() {
        let (english, chinese) = (
            include_str!("../locales/en.ftl"),
            include_str!("../locales/zh-CN.ftl"),
        );
        assert_eq!(keys(english), keys(chinese));
        for source in [english, chinese] {
            assert!(FluentResource::try_new(source.to_owned()).is_ok());
        }
    }

    #[test]
    fn every_text_that_code_mentions_is_in_the_catalogues() {
        let known = keys(include_str!("../locales/en.ftl"));
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut missing = BTreeSet::new();
        let mut folders = vec![root.join("crates"), root.join("subgraphs")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let source = std::fs::read_to_string(&path).unwrap();
                    for mention in source.split(concat!("Text::", "new(")).skip(1) {
                        let Some(key) = mention.trim_start().strip_prefix('"') else {
                            continue;
                        };
                        let key = key.split('"').next().unwrap_or_default();
                        if !known.contains(key) {
                            missing.insert(format!("{key} in {}", path.display()));
                        }
                    }
                }
            }
        }
        assert!(missing.is_empty(), "{missing:#?}");
    }

    #[test]
    fn a_text_is_shown_in_the_language_asked_for() {
        let text = Text::new("issue-too-long").with("max", 50);
        assert_eq!(render(&text, Locale::En), "Must have at most 50 characters.");
        assert_eq!(render(&text, Locale::ZhCn), "最多 50 个字符。");
    }
}

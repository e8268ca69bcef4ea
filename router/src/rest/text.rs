//! Small things about texts of the documentation.

/// A description without the line breaks that only its source needed.
pub(super) fn unwrapped(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| {
        let is_list = paragraph
            .lines()
            .any(|line| line.trim_start().starts_with(['-', '*', '|', '`']));
        if is_list {
            paragraph.to_owned()
        } else {
            paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
        }
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// The text up to its first full stop, which stays.
pub(super) fn first_sentence(text: &str) -> &str {
    let paragraph = text.split("\n\n").next().unwrap_or(text);
    match paragraph.find(". ") {
        Some(end) => &paragraph[..=end],
        None => match paragraph.find('。') {
            Some(end) => &paragraph[..end + '。'.len_utf8()],
            None => paragraph,
        },
    }
}

/// Whether a path segment is a version, such as `v1`.
pub(super) fn is_version(word: &str) -> bool {
    word.strip_prefix('v')
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
}

/// `CreateHabitInput` or `createHabit` as words: `Create habit input`.
pub(super) fn words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        let starts_word = letter.is_uppercase() || letter == '_';
        if words.is_empty() {
            words.extend(letter.to_uppercase());
        } else if letter == '_' {
            words.push(' ');
        } else if starts_word {
            words.push(' ');
            words.extend(letter.to_lowercase());
        } else {
            words.push(letter);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_the_first_sentence() {
        assert_eq!(
            first_sentence("Makes a habit. It starts today."),
            "Makes a habit."
        );
        assert_eq!(first_sentence("创建习惯。从今天开始。"), "创建习惯。");
        assert_eq!(first_sentence("Version 1.5"), "Version 1.5");
    }

    #[test]
    fn names_become_words() {
        assert_eq!(words("createHabit"), "Create habit");
        assert_eq!(words("title"), "Title");
    }
}

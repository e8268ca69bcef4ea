//! The rules for the fields of subscription messages.
//!
//! A field's kind is its key without the number at its end. The rules are those of "参数值内容限制说明" in WeChat's
//! documentation of `subscribeMessage.send`.

use std::fmt;

use jiff::civil::{Date, Time};

/// A field that breaks its kind's rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the field {field:?} {rule}")]
pub struct FieldError {
    /// The field's key, such as `thing1`; empty when WeChat did not name it.
    pub field: String,
    /// What it should be.
    pub rule: FieldRule,
}

/// What the value of a field should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldRule {
    /// Not empty.
    NotEmpty,
    /// At most so many characters.
    AtMost(usize),
    /// Of the form that its kind asks for.
    Form(&'static str),
    /// WeChat refused it and gave no reason that is known.
    Refused,
}

impl FieldError {
    /// Reads the field's name out of WeChat's message, such as
    /// `argument invalid! data.thing1.value is empty rid: …`.
    pub(crate) fn from_message(message: &str) -> Self {
        let field = message
            .split_once("data.")
            .map(|(_, rest)| {
                rest.chars()
                    .take_while(|char| char.is_ascii_alphanumeric() || *char == '_')
                    .take(64)
                    .collect()
            })
            .unwrap_or_default();
        Self {
            field,
            rule: FieldRule::Refused,
        }
    }
}

/// Checks one field of a message. A kind that is not known here is WeChat's to judge.
///
/// # Errors
/// Names the field and its rule.
pub fn check(field: &str, value: &str) -> Result<(), FieldError> {
    let kind = field.trim_end_matches(|char: char| char.is_ascii_digit());
    check_kind(kind, value).map_err(|rule| FieldError {
        field: field.to_owned(),
        rule,
    })
}

fn check_kind(kind: &str, value: &str) -> Result<(), FieldRule> {
    if value.trim().is_empty() {
        return Err(FieldRule::NotEmpty);
    }
    let most = match kind {
        "thing" => 20,
        "number" | "letter" | "character_string" => 32,
        "symbol" | "phrase" => 5,
        "name" => match value.chars().any(is_han) {
            true => 10,
            false => 20,
        },
        "phone_number" | "phone" => 17,
        "car_number" | "car" => 8,
        _ => usize::MAX,
    };
    if value.chars().count() > most {
        return Err(FieldRule::AtMost(most));
    }
    let (fits, form) = match kind {
        "number" => (is_decimal(value), "must be digits, with a decimal point at most"),
        "letter" => (
            value.chars().all(|char| char.is_ascii_alphabetic()),
            "must be letters",
        ),
        "symbol" => (value.chars().all(is_symbol), "must be symbols"),
        "character_string" => (
            value.chars().all(|char| !is_han(char) && !char.is_control()),
            "must be digits, letters and symbols",
        ),
        "phrase" => (value.chars().all(is_han), "must be Chinese characters"),
        "name" => (
            !value.chars().any(|char| char.is_numeric() || char.is_control()),
            "must be characters, letters and symbols",
        ),
        "amount" => (
            is_amount(value),
            "must be a currency symbol and at most 10 digits",
        ),
        "phone_number" | "phone" => (
            value
                .chars()
                .all(|char| char.is_ascii_digit() || "+-() ".contains(char)),
            "must be digits and symbols",
        ),
        "car_number" | "car" => (is_car_number(value), "must be a car's number"),
        "time" => (is_range(value, is_time), "must be a time, or two with ~ between"),
        "date" => (is_range(value, is_date), "must be a date, or two with ~ between"),
        _ => (true, ""),
    };
    if fits { Ok(()) } else { Err(FieldRule::Form(form)) }
}

/// 汉字: the CJK ideographs of Unicode's blocks, compatibility forms and 〇.
fn is_han(char: char) -> bool {
    matches!(char,
        '\u{3007}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}')
}

fn is_symbol(char: char) -> bool {
    !char.is_alphanumeric() && !char.is_control() && !char.is_whitespace()
}

fn is_decimal(value: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match value.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(value),
    }
}

/// A currency symbol before the number, or 元 after it, or both.
fn is_amount(value: &str) -> bool {
    const CURRENCIES: [char; 12] = ['¥', '￥', '$', '＄', '€', '£', '₩', '₽', '₹', '฿', '₫', '₱'];
    let bare = value.strip_prefix(CURRENCIES).unwrap_or(value);
    let number = bare.strip_suffix('元').unwrap_or(bare);
    number.len() < value.len()
        && is_decimal(number)
        && number.bytes().filter(u8::is_ascii_digit).count() <= 10
}

/// The first and the last may be Chinese (粤A8Z888挂), the others are letters and digits.
fn is_car_number(value: &str) -> bool {
    let inner = value.strip_prefix(is_han).unwrap_or(value);
    let inner = inner.strip_suffix(is_han).unwrap_or(inner);
    !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_range(value: &str, fits: fn(&str) -> bool) -> bool {
    match value.split_once('~') {
        Some((from, to)) => fits(from.trim()) && fits(to.trim()),
        None => fits(value.trim()),
    }
}

/// `15:01`, with a date before it or without.
fn is_time(value: &str) -> bool {
    match value.rsplit_once(' ') {
        Some((date, time)) => is_day(date.trim()) && is_clock_time(time),
        None => is_clock_time(value),
    }
}

/// `2019年10月1日`, with a time after it or without.
fn is_date(value: &str) -> bool {
    match value.rsplit_once(' ') {
        Some((date, time)) => is_day(date.trim()) && is_clock_time(time),
        None => is_day(value),
    }
}

fn is_clock_time(value: &str) -> bool {
    let parts: Option<Vec<i8>> = value.split(':').map(|part| number(part, 2)).collect();
    match parts.as_deref() {
        Some([hour, minute]) => Time::new(*hour, *minute, 0, 0).is_ok(),
        Some([hour, minute, second]) => Time::new(*hour, *minute, *second, 0).is_ok(),
        _ => false,
    }
}

/// A day that exists, written as 2019年10月1日 or 2019-10-01.
fn is_day(value: &str) -> bool {
    let parts = match value.strip_suffix('日') {
        Some(rest) => rest
            .split_once('年')
            .and_then(|(year, rest)| Some((year, rest.split_once('月')?))),
        None => value
            .split_once('-')
            .and_then(|(year, rest)| Some((year, rest.split_once('-')?))),
    };
    parts.is_some_and(|(year, (month, day))| {
        let date = || Date::new(number(year, 4)?, number(month, 2)?, number(day, 2)?).ok();
        date().is_some()
    })
}

/// Up to so many digits and nothing else.
fn number<T: std::str::FromStr>(text: &str, digits: usize) -> Option<T> {
    let plain = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

impl fmt::Display for FieldRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEmpty => f.write_str("must not be empty"),
            Self::AtMost(most) => write!(f, "must have at most {most} characters"),
            Self::Form(form) => f.write_str(form),
            Self::Refused => f.write_str("was refused"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_takes_what_fits() {
        for (field, values) in [
            (
                "thing1",
                &["晨跑五公里 🏃", "一二三四五六七八九十一二三四五六七八九十"][..],
            ),
            ("number2", &["0", "12.50", "12345678901234567890123456789012"]),
            ("letter3", &["abcXYZ"]),
            ("symbol4", &["!?#%&", "￥"]),
            ("character_string5", &["A-1024/7", "no.42 ok"]),
            (
                "time6",
                &[
                    "15:01",
                    "2019年10月1日 15:01",
                    "07:00~08:30",
                    "2026-03-29 07:00:00",
                ],
            ),
            (
                "date7",
                &[
                    "2019年10月1日",
                    "2019年10月1日 15:01",
                    "2026-03-29~2026-04-01",
                    "2024年2月29日",
                ],
            ),
            ("amount8", &["¥100", "$0.99", "￥1234567890", "100元", "¥12.5元"]),
            ("phone_number9", &["+86-0766-66888866", "(020) 8888 6666"]),
            ("car_number10", &["粤A8Z888挂", "粤A12345", "AB123"]),
            (
                "name11",
                &["张三", "诸葛亮孔明先生在此处", "Ada Lovelace", "O'Neill-Smith"],
            ),
            ("phrase12", &["已完成", "坚持打卡吧"]),
            ("enum1", &["anything that WeChat takes"]),
        ] {
            for value in values {
                assert_eq!(check(field, value), Ok(()), "{field} {value}");
            }
        }
    }

    #[test]
    fn each_kind_refuses_what_does_not_and_names_the_field() {
        for (field, values) in [
            (
                "thing1",
                &["", "  ", "一二三四五六七八九十一二三四五六七八九十一"][..],
            ),
            (
                "number2",
                &[
                    "",
                    "-1",
                    "1.2.3",
                    "1e3",
                    ".5",
                    "５",
                    "123456789012345678901234567890123",
                ],
            ),
            ("letter3", &["abc1", "字", "a b"]),
            ("symbol4", &["a", "!!!!!!", "1"]),
            (
                "character_string5",
                &["第一", "123456789012345678901234567890123", "a\nb"],
            ),
            (
                "time6",
                &[
                    "25:00",
                    "7",
                    "2019年13月1日 15:01",
                    "15:01~",
                    "07:00~08:00~09:00",
                    "+7:00",
                ],
            ),
            (
                "date7",
                &[
                    "2023年2月29日",
                    "10月1日",
                    "2019/10/1",
                    "2019年10月1日 24:01",
                    "tomorrow",
                ],
            ),
            ("amount8", &["100", "¥", "¥12345678901", "¥1,000", "元", "¥¥1"]),
            ("phone_number9", &["12345678901234567 8", "call me"]),
            ("car_number10", &["粤A8Z888888", "粤", "A-12"]),
            (
                "name11",
                &["一二三四五六七八九十一", "Wolfeschlegelsteinhausen", "R2D2"],
            ),
            ("phrase12", &["abc", "一二三四五六", "打卡!"]),
            ("enum1", &[""]),
        ] {
            for value in values {
                let refused = check(field, value).unwrap_err();
                assert_eq!(refused.field, field, "{value}");
            }
        }
    }

    #[test]
    fn the_field_is_found_in_wechats_message() {
        for (message, field) in [
            ("argument invalid! data.thing1.value is empty rid: 5f8d", "thing1"),
            (
                "argument invalid! data.character_string12.value invalid",
                "character_string12",
            ),
            ("argument invalid!", ""),
        ] {
            assert_eq!(FieldError::from_message(message).field, field);
        }
    }
}

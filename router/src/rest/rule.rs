//! What may be wrong with a request before it reaches the engine: codes, and texts in every language.

use std::fmt::Write as _;

use kernel::Locale;
use serde_json::{Value, json};

/// One thing that is wrong with a request.
#[derive(Debug, PartialEq)]
pub(super) struct Issue {
    /// Where: in the body from its top on, or from the name of the parameter or header on.
    pub(super) path: Vec<Step>,
    /// The parameter or header that it came from, where it was one.
    pub(super) parameter: Option<String>,
    pub(super) rule: Rule,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Field(String),
    Index(usize),
}

/// The rule that is broken.
#[derive(Debug, PartialEq)]
pub(super) enum Rule {
    UnknownField,
    UnknownParameter,
    Required,
    InvalidType(Expected),
    UnknownValue(Vec<String>),
    Repeated,
    ExactlyOneField,
    HeaderDiffers(&'static str),
    EntityTag,
    InvalidEncoding,
}

/// What should stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Int,
    Float,
    Boolean,
    String,
    Id,
    List,
    Object,
    NotNull,
}

impl Issue {
    /// As it stands in `issues`.
    pub(super) fn to_json(&self, locale: Locale) -> Value {
        let path: Vec<Value> = self.path.iter().map(Step::to_json).collect();
        let mut issue =
            json!({ "path": path, "code": self.rule.code(), "message": self.rule.message(locale) });
        if let (Some(parameter), Some(issue)) = (&self.parameter, issue.as_object_mut()) {
            issue.insert("parameter".to_owned(), json!(parameter));
        }
        issue
    }
}

impl Step {
    /// As it stands in the path of an issue.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Field(name) => json!(name),
            Self::Index(index) => json!(index),
        }
    }

    /// Reads a step of the path of an issue.
    pub(super) fn of_json(step: &Value) -> Option<Self> {
        match step {
            Value::String(name) => Some(Self::Field(name.clone())),
            step => usize::try_from(step.as_u64()?).ok().map(Self::Index),
        }
    }
}

impl Rule {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownField => "UNKNOWN_FIELD",
            Self::UnknownParameter => "UNKNOWN_PARAMETER",
            Self::Required => "REQUIRED",
            Self::InvalidType(_) => "INVALID_TYPE",
            Self::UnknownValue(_) => "UNKNOWN_VALUE",
            Self::Repeated => "REPEATED",
            Self::ExactlyOneField => "EXACTLY_ONE_FIELD",
            Self::HeaderDiffers(_) => "HEADER_DIFFERS",
            Self::EntityTag => "INVALID_ENTITY_TAG",
            Self::InvalidEncoding => "INVALID_ENCODING",
        }
    }

    fn message(&self, locale: Locale) -> String {
        let (english, chinese) = match self {
            Self::UnknownField => ("There is no such field.", "没有这个字段。"),
            Self::UnknownParameter => ("There is no such parameter.", "没有这个参数。"),
            Self::Required => ("This is required.", "此项必填。"),
            Self::InvalidType(expected) => return expected.message(locale),
            Self::UnknownValue(values) => return one_of(values, locale),
            Self::Repeated => ("This may be given once only.", "此项只能出现一次。"),
            Self::ExactlyOneField => ("Give exactly one of the fields.", "必须且只能给出其中一个字段。"),
            Self::HeaderDiffers(header) => {
                return match locale {
                    Locale::En => format!("This differs from the header `{header}`."),
                    Locale::ZhCn => format!("与请求头 `{header}` 不一致。"),
                };
            }
            Self::EntityTag => (
                "This is no single strong entity tag with a version.",
                "必须是一个带版本号的强实体标签。",
            ),
            Self::InvalidEncoding => (
                "This is not percent-encoded UTF-8.",
                "不是正确的百分号编码（UTF-8）。",
            ),
        };
        match locale {
            Locale::En => english.to_owned(),
            Locale::ZhCn => chinese.to_owned(),
        }
    }
}

impl Expected {
    fn message(self, locale: Locale) -> String {
        let (english, chinese) = match self {
            Self::Int => ("This must be a whole number of 32 bits.", "必须是 32 位整数。"),
            Self::Float => ("This must be a number.", "必须是数字。"),
            Self::Boolean => ("This must be true or false.", "必须是 true 或 false。"),
            Self::String => ("This must be a text.", "必须是文本。"),
            Self::Id => ("This must be an id.", "必须是 ID。"),
            Self::List => ("This must be a list.", "必须是列表。"),
            Self::Object => ("This must be an object.", "必须是对象。"),
            Self::NotNull => ("This must not be null.", "不能为 null。"),
        };
        match locale {
            Locale::En => english.to_owned(),
            Locale::ZhCn => chinese.to_owned(),
        }
    }
}

fn one_of(values: &[String], locale: Locale) -> String {
    let mut message = match locale {
        Locale::En => "This must be one of ".to_owned(),
        Locale::ZhCn => "必须是以下之一：".to_owned(),
    };
    let comma = if locale == Locale::En { ", " } else { "、" };
    for (index, value) in values.iter().enumerate() {
        let comma = if index == 0 { "" } else { comma };
        // Writing to a string cannot fail.
        let _ = write!(message, "{comma}{value}");
    }
    message.push_str(if locale == Locale::En { "." } else { "。" });
    message
}

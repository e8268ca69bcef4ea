//! Which headers are passed on: the client's to a subgraph, and the subgraph's to the client.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Which headers are passed on in one direction, in this order: `propagate`, `remove`, `insert`. A list alone is
/// `propagate`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HeaderRules {
    /// Headers that are passed on. The first rule that writes a header has it.
    pub propagate: Vec<Propagate>,
    /// Headers of these that are not passed on even so, by their names after renaming.
    pub remove: Vec<HeaderMatch>,
    /// Headers with fixed values, in place of what was passed on under their names.
    pub insert: BTreeMap<String, String>,
}

/// Headers that are passed on: one by its name, or several by a pattern. A text alone is a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Propagate {
    /// The name of one.
    pub name: Option<String>,
    /// A regular expression for whole names.
    pub matching: Option<String>,
    /// The name under which it is passed on. With a pattern, `$1` is what its first group has matched.
    pub rename: Option<String>,
    /// The value where there is none. Not with a pattern.
    pub default: Option<String>,
    /// What becomes of it where several subgraphs answer with it: for answers only.
    pub merge: Option<HeaderMerge>,
}

/// One header by its name, or several by a pattern. A text alone is a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HeaderMatch {
    /// The name of one.
    pub name: Option<String>,
    /// A regular expression for whole names.
    pub matching: Option<String>,
}

/// What becomes of a header with which several subgraphs answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeaderMerge {
    /// The first one stays.
    First,
    /// The last one stays.
    #[default]
    Last,
    /// All of them, after each other with commas; of `set-cookie`, as lines of their own.
    Append,
}

/// A rule about headers that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct HeaderRuleError {
    /// Where it stands, such as `router.all_subgraphs.headers.propagate[0].name`.
    pub place: String,
    /// What is wrong with it.
    pub problem: String,
}

impl HeaderRules {
    /// Whether nothing is passed on.
    pub fn is_empty(&self) -> bool {
        self.propagate.is_empty() && self.insert.is_empty()
    }
}

impl From<&str> for Propagate {
    fn from(name: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            ..Self::default()
        }
    }
}

impl From<&str> for HeaderMatch {
    fn from(name: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            matching: None,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Table {
    #[serde(deserialize_with = "names_or_tables")]
    propagate: Vec<Propagate>,
    #[serde(deserialize_with = "names_or_tables")]
    remove: Vec<HeaderMatch>,
    insert: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for HeaderRules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Rules)
    }
}

struct Rules;

impl<'de> Visitor<'de> for Rules {
    type Value = HeaderRules;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of headers, or a table with `propagate`, `remove` and `insert`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<HeaderRules, A::Error> {
        let propagate = names_or_tables(SeqAccessDeserializer::new(list))?;
        Ok(HeaderRules {
            propagate,
            ..HeaderRules::default()
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<HeaderRules, A::Error> {
        let table = Table::deserialize(MapAccessDeserializer::new(map))?;
        Ok(HeaderRules {
            propagate: table.propagate,
            remove: table.remove,
            insert: table.insert,
        })
    }
}

fn names_or_tables<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + for<'n> From<&'n str>,
{
    let items = Vec::<NameOrTable<T>>::deserialize(deserializer)?;
    Ok(items.into_iter().map(|NameOrTable(item)| item).collect())
}

/// A text is a name, so that only what is more than that has to be a table.
struct NameOrTable<T>(T);

impl<'de, T: Deserialize<'de> + for<'n> From<&'n str>> Deserialize<'de> for NameOrTable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Item(PhantomData)).map(Self)
    }
}

struct Item<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + for<'n> From<&'n str>> Visitor<'de> for Item<T> {
    type Value = T;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the name of a header, or a table with `name` or `matching`")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<T, E> {
        Ok(name.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

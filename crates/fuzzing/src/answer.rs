//! The target `answer`: what subgraphs answer.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use router::{Engine, Prepared, TextSubgraph, Transports};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::conform::Shape;
use crate::world::{anybody, engine, names};
use crate::{on_a_small_stack, wait_for};

/// What is asked; the first byte of an input says which of them.
const QUERIES: [&str; 6] = [
    // From one subgraph.
    "{ me { id name nick friends { id name home { street city { name } } } home { city { name } } } }",
    "{ grid { id kind price tags extra size { width inner { width } } } }",
    "{ top { __typename id title } search { ... on Book { id title pages } ... on Lamp { watts isLit } ... on Person { wrote { tags } } } }",
    // From several.
    "{ goods { id ... on Book { shipping inStock author { name greeting } reviews { stars text author { name } } } } }",
    "{ me { best { nick reviews { book { title shipping } } } friends { reviews { stars size { width } } } } }",
    "{ stores { keeper { name friends { id } } books { title price shipping author { nick } } } people(ids: [\"1\"]) { id name } }",
];

/// So many of the first are for one subgraph, without a type that an answer would have to tell.
const TO_ONE: usize = 2;

/// Between two answers.
const NEXT: &[u8] = b"\n---\n";

/// A router whose subgraphs answer one after the other with what is there.
struct Told {
    engine: Arc<Engine>,
    answers: Arc<Mutex<VecDeque<Bytes>>>,
    prepared: Vec<Arc<Prepared>>,
}

/// Takes what subgraphs answer to one of a few operations: its number, a line end, and the answers in the order in which
/// they are asked for. What is right:
///
/// - The client's answer is JSON, and one to the operation: what was selected, of the right types.
/// - Where something is null that must not be, an error says so, and no error is a fault of the router.
/// - What a single subgraph answers to the whole operation, and is right, reaches the client as it is.
///
/// # Panics
/// Where one of these does not hold.
pub fn answer(bytes: &[u8]) {
    static TOLD: LazyLock<Told> = LazyLock::new(Told::open);
    LazyLock::force(&TOLD);
    on_a_small_stack(|| wait_for(TOLD.ask(bytes)));
}

impl Told {
    fn open() -> Self {
        let answers = Arc::<Mutex<VecDeque<Bytes>>>::default();
        let told = answers.clone();
        let next: TextSubgraph = Arc::new(move |_: &[u8]| {
            let next = told.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            next.unwrap_or_else(|| Bytes::from_static(b"{}"))
        });
        let transports = names().fold(Transports::default(), |all, name| {
            all.function(name, next.clone())
        });
        let engine = engine(transports);
        let prepared = QUERIES.map(|query| engine.prepare(query, None).expect("a good query"));
        Self {
            answers,
            prepared: prepared.into(),
            engine,
        }
    }

    async fn ask(&self, bytes: &[u8]) {
        let (number, rest) = bytes.split_first().unwrap_or((&0, b""));
        let Some(prepared) = self.prepared.get(usize::from(*number) % self.prepared.len()) else {
            return;
        };
        let rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        let answers = parts(rest);
        let first = answers.front().cloned().unwrap_or_default();
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner) = answers;
        let response = self
            .engine
            .execute_prepared(prepared, Map::new(), &anybody())
            .await;
        let body = response.into_body();
        let told = String::from_utf8_lossy(&body);
        serde_json::from_slice::<IgnoredAny>(&body).unwrap_or_else(|error| panic!("{error}: {told}"));
        // Numbers and escapes that JSON has and no type here may be passed on to clients in a custom scalar or a text.
        let Ok(answer) = serde_json::from_slice::<Value>(&body) else {
            return;
        };
        let shape = Shape {
            schema: self.engine.api_schema(),
            document: prepared.document(),
        };
        if let Some(fault) = shape.fault(prepared.operation(), &answer["data"]) {
            panic!("{fault}: {told}");
        }
        let errors = answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        for error in errors {
            // A subgraph that breaks its own schema is INTERNAL too, with a text that says so.
            assert_ne!(error["message"], "internal error", "{told}");
            assert!(error["message"].is_string(), "{told}");
        }
        assert!(
            !answer["data"].is_null() || !errors.is_empty(),
            "nothing, and no reason: {told}"
        );
        // The first queries go to one subgraph, whose answer is the client's if it is right.
        if usize::from(*number) % self.prepared.len() < TO_ONE
            && let Ok(sent) = serde_json::from_slice::<Value>(&first)
            && keys(&sent) == serde_json::from_slice::<Keys>(&first).map_or(0, |keys| keys.0)
            && sent.get("errors").is_none()
            && sent["data"].is_object()
            && shape.fault(prepared.operation(), &sent["data"]).is_none()
        {
            assert_eq!(answer["data"], sent["data"], "a right answer was changed");
        }
    }
}

fn parts(bytes: &[u8]) -> VecDeque<Bytes> {
    let mut parts = VecDeque::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(NEXT.len()).position(|window| window == NEXT) {
        parts.push_back(Bytes::copy_from_slice(&rest[..at]));
        rest = &rest[at + NEXT.len()..];
    }
    parts.push_back(Bytes::copy_from_slice(rest));
    parts
}

/// How many names a text has; of a name that comes twice a value knows one.
struct Keys(usize);

fn keys(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(keys).sum(),
        Value::Object(fields) => fields.len() + fields.values().map(keys).sum::<usize>(),
        _ => 0,
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Count)
    }
}

struct Count;

impl<'de> Visitor<'de> for Count {
    type Value = Keys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
        let mut count = 0;
        while let Some((_, Keys(inner))) = map.next_entry::<IgnoredAny, Keys>()? {
            count += 1 + inner;
        }
        Ok(Keys(count))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Keys, A::Error> {
        let mut count = 0;
        while let Some(Keys(inner)) = items.next_element()? {
            count += inner;
        }
        Ok(Keys(count))
    }

    fn visit_unit<E>(self) -> Result<Keys, E> {
        Ok(Keys(0))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Keys, E> {
        Ok(Keys(0))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Keys, E> {
        Ok(Keys(0))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Keys, E> {
        Ok(Keys(0))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Keys, E> {
        Ok(Keys(0))
    }

    fn visit_str<E>(self, _: &str) -> Result<Keys, E> {
        Ok(Keys(0))
    }
}

//! Puts one answer together of what is kept and what a subgraph said of the rest.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::entry::Hit;
use super::lookup::Questions;
use super::reply::Reply;

impl Questions<'_> {
    /// One answer of what is kept and what the subgraph said of the rest.
    pub(crate) fn compose(&self, hits: &[Option<Hit>], reply: Option<&Reply>) -> Bytes {
        let mut text = b"{\"data\":".to_vec();
        if self.is_root() {
            let hit = hits.first().and_then(Option::as_ref);
            let data = hit.and_then(|hit| hit.values.first());
            text.extend_from_slice(data.map_or("null", |data| data.get()).as_bytes());
        } else {
            text.push(b'{');
            self.write_lists(hits, reply, &mut text);
            text.push(b'}');
        }
        let errors = reply.map(|reply| self.errors(hits, reply)).unwrap_or_default();
        if !errors.is_empty() {
            text.extend_from_slice(b",\"errors\":");
            text.extend(serde_json::to_vec(&errors).unwrap_or_else(|_| b"[]".to_vec()));
        }
        text.push(b'}');
        text.into()
    }

    fn write_lists(&self, hits: &[Option<Hit>], reply: Option<&Reply>, text: &mut Vec<u8>) {
        let mut is_first = true;
        for (number, group) in self.groups.iter().enumerate() {
            for (position, list) in group.lists.iter().enumerate() {
                if !std::mem::take(&mut is_first) {
                    text.push(b',');
                }
                text.extend(serde_json::to_vec(list).unwrap_or_default());
                text.extend_from_slice(b":[");
                let mut asked = 0;
                for (at, (_, hit)) in self.of_group(number, hits).enumerate() {
                    if at > 0 {
                        text.push(b',');
                    }
                    match hit {
                        Some(hit) => {
                            let value = hit.values.get(position).map_or("null", |value| value.get());
                            text.extend_from_slice(value.as_bytes());
                        }
                        None => {
                            let value = reply.and_then(|reply| reply.value(number, position, asked));
                            text.extend_from_slice(value.map_or(b"null", |value| value));
                            asked += 1;
                        }
                    }
                }
                text.push(b']');
            }
        }
    }

    /// The subgraph's errors, at the places in the whole.
    fn errors(&self, hits: &[Option<Hit>], reply: &Reply) -> Vec<Value> {
        let missing = |number| {
            let group = self.of_group(number, hits).enumerate();
            let missing = group.filter(|(_, (_, hit))| hit.is_none());
            missing.map(|(at, _)| at).collect::<Vec<usize>>()
        };
        let lists = self.groups.iter().enumerate().flat_map(|(number, group)| {
            let places = missing(number);
            group
                .lists
                .iter()
                .map(move |list| (list.as_str(), places.clone()))
        });
        let lists: BTreeMap<&str, Vec<usize>> = lists.collect();
        let place = |error: &Map<String, Value>| {
            let path = error.get("path")?.as_array()?;
            let places = lists.get(path.first()?.as_str()?)?;
            let at = usize::try_from(path.get(1)?.as_u64()?).ok()?;
            let mut path = path.clone();
            *path.get_mut(1)? = json!(places.get(at)?);
            Some(path)
        };
        let with = |error: &Map<String, Value>, path: Vec<Value>| {
            let mut error = error.clone();
            error.insert("path".to_owned(), Value::Array(path));
            Value::Object(error)
        };
        let mut all = Vec::new();
        let mut general = None;
        for error in &reply.errors {
            match place(error) {
                Some(path) => all.push(with(error, path)),
                None if general.is_none() && reply.is_null() => general = Some(error),
                None => all.push(Value::Object(error.clone())),
            }
        }
        // Without any data all that was asked about is lost for the general reason, or the first that there is.
        if reply.is_null()
            && let Some(error) = general.or(reply.errors.first())
        {
            let places = lists
                .iter()
                .flat_map(|(list, places)| places.iter().map(move |at| (list, at)));
            let spoken: Vec<(Option<Value>, Option<Value>)> = all
                .iter()
                .map(|error| {
                    (
                        error.pointer("/path/0").cloned(),
                        error.pointer("/path/1").cloned(),
                    )
                })
                .collect();
            for (list, at) in places {
                let place = (Some(json!(list)), Some(json!(at)));
                if !spoken.contains(&place) {
                    all.push(with(error, vec![json!(list), json!(at)]));
                }
            }
        }
        all
    }
}

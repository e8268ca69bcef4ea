//! Puts a subgraph's answer where it belongs, with its errors at the places that they speak of.

use super::data::{Key, Keys, Object, Span, Value};
use super::representations::{Place, asked_fields, at, fail};
use super::shape::{DecodeField, DecodeSet};
use super::wire::{WireSegment, client_error, read, segment};
use super::{Execution, Failure, Reason, State};
use crate::error::{GraphQlError, PathSegment};
use crate::plan::{Batch, Fetch, FetchKind};
use crate::transport::{Answer, CallError, Service};

/// Delivers root fields to the objects at `places`.
pub(super) fn root(
    execution: &Execution<'_>,
    service: &Service,
    fetch: &Fetch,
    places: &[Place],
    answer: Result<Answer, CallError>,
    state: &mut State,
) {
    let asked = &fetch.shape.fields;
    let read = match answer.and_then(|answer| read(answer, &fetch.shape, state)) {
        Ok(read) => read,
        Err(error) => return fail_all(state, service, &error, places.iter(), asked),
    };
    let no_data = read.data.is_none();
    let mut value = Value::Object(read.data.unwrap_or_default());
    let mut general = None;
    for error in read.errors {
        let (path, error) = client_error(service, error);
        if path.is_empty() || !mark(&mut value, &fetch.shape, &path, &error, state) {
            if no_data && general.is_none() {
                general = Some(error);
            } else {
                let prefix = places
                    .first()
                    .map(|place| client_path(&state.root, place, &execution.compiled.keys));
                let place = prefix
                    .into_iter()
                    .flatten()
                    .chain(path.iter().map(segment))
                    .collect();
                state.loose.push(error.at(place));
            }
        }
    }
    let Value::Object(mut object) = value else { return };
    if no_data {
        fill(&mut object, asked, general, state);
    }
    deliver_to(execution, state, places.iter(), object);
}

/// Delivers entities to the objects that asked for them.
pub(super) fn entities(
    execution: &Execution<'_>,
    service: &Service,
    fetch: &Fetch,
    targets: &[Vec<(Place, usize)>],
    answer: Result<Answer, CallError>,
    state: &mut State,
) {
    let FetchKind::Entities(batches) = &fetch.kind else {
        return;
    };
    let mut read = match answer.and_then(|answer| read(answer, &fetch.shape, state)) {
        Ok(read) => read,
        Err(error) => {
            for (batch, targets) in batches.iter().zip(targets) {
                let places = targets.iter().map(|(place, _)| place);
                fail_all(state, service, &error, places, asked_fields(fetch, batch));
            }
            return;
        }
    };
    let no_data = read.data.is_none();
    let mut data = read.data.take().unwrap_or_default();
    let mut lists = Vec::with_capacity(batches.len());
    for (batch, targets) in batches.iter().zip(targets) {
        lists.push(entity_list(fetch, batch, targets, &mut data));
    }
    let mut general = None;
    for error in read.errors {
        let (path, error) = client_error(service, error);
        let placed = place_error(
            execution, fetch, batches, targets, &mut lists, &path, &error, state,
        );
        if !placed {
            if general.is_none() {
                general = Some(error);
            } else {
                state.loose.push(error);
            }
        }
    }
    let all_there = lists
        .iter()
        .zip(targets)
        .all(|(list, targets)| targets.is_empty() || list.complete);
    if !all_there && general.is_none() && !no_data {
        let what = "`_entities` is no list of an entity for each representation";
        general = Some(CallError::Malformed(what.into()).error(&service.name));
    }
    let all_null = |list: &List| list.items.iter().all(|item| matches!(item, Value::Null));
    let nothing = no_data || !all_there || lists.iter().all(all_null);
    let mut lost = match general {
        Some(error) if nothing => Some(state.failure(error, Vec::new())),
        general => {
            state.loose.extend(general);
            // Without `data` all are lost with the first of which an error speaks.
            no_data
                .then(|| lists.iter().find_map(List::first_failure))
                .flatten()
        }
    };
    for ((batch, targets), list) in batches.iter().zip(targets).zip(lists) {
        let asked = asked_fields(fetch, batch);
        for (place, item) in list.for_each(targets) {
            let failure = match item {
                Value::Object(object) => {
                    deliver_to(execution, state, std::iter::once(place), object);
                    continue;
                }
                Value::Failed(own) => own,
                _ => *lost.get_or_insert_with(|| state.not_returned(service)),
            };
            fail(&mut state.root, place, asked, failure);
        }
    }
}

/// The entities of one batch; `complete` if there was one entry for each representation.
struct List {
    items: Vec<Value>,
    complete: bool,
}

impl List {
    /// Each place with its entity: the last one who asked gets the entity itself, the others get copies.
    fn for_each(mut self, targets: &[(Place, usize)]) -> impl Iterator<Item = (&Place, Value)> {
        let mut left = vec![0_u32; self.items.len()];
        for (_, number) in targets {
            if let Some(count) = left.get_mut(*number) {
                *count += 1;
            }
        }
        targets.iter().filter_map(move |(place, number)| {
            let (item, left) = (self.items.get_mut(*number)?, left.get_mut(*number)?);
            *left -= 1;
            let is_last = *left == 0;
            let item = if is_last {
                std::mem::replace(item, Value::Null)
            } else {
                item.clone()
            };
            Some((place, item))
        })
    }

    fn first_failure(&self) -> Option<u32> {
        self.items.iter().find_map(|item| match item {
            Value::Failed(failure) => Some(*failure),
            Value::Object(object) => first_failure(object),
            _ => None,
        })
    }
}

fn first_failure(object: &Object) -> Option<u32> {
    object.fields.iter().find_map(|(_, value)| match value {
        Value::Failed(failure) => Some(*failure),
        _ => None,
    })
}

fn entity_list(fetch: &Fetch, batch: &Batch, targets: &[(Place, usize)], data: &mut Object) -> List {
    let expected = targets.iter().map(|(_, number)| number + 1).max().unwrap_or(0);
    let key = fetch.shape.field(&batch.field).map(|field| field.key);
    let value = key
        .and_then(|key| data.get_mut(key))
        .map(|value| std::mem::replace(value, Value::Null));
    match value {
        Some(Value::List(items)) if items.len() == expected && items.iter().all(is_entity) => List {
            items,
            complete: true,
        },
        _ => List {
            items: vec![Value::Null; expected],
            complete: false,
        },
    }
}

fn is_entity(item: &Value) -> bool {
    matches!(item, Value::Object(_) | Value::Null)
}

#[expect(
    clippy::too_many_arguments,
    reason = "the parts of one answer, which belong together here only"
)]
fn place_error(
    execution: &Execution<'_>,
    fetch: &Fetch,
    batches: &[Batch],
    targets: &[Vec<(Place, usize)>],
    lists: &mut [List],
    path: &[WireSegment],
    error: &GraphQlError,
    state: &mut State,
) -> bool {
    let [WireSegment::Key(field), WireSegment::Index(index), rest @ ..] = path else {
        return false;
    };
    let Some((number, batch)) = batches
        .iter()
        .enumerate()
        .find(|(_, batch)| batch.field == *field)
    else {
        return false;
    };
    let set = fetch.shape.field(field).and_then(|field| field.set.as_ref());
    let (Some(set), Some(list), Some(targets)) = (set, lists.get_mut(number), targets.get(number)) else {
        return false;
    };
    let Some(item) = list.items.get_mut(*index) else {
        return false;
    };
    if let (Value::Null, Some(WireSegment::Key(name))) = (&*item, rest.first()) {
        let spoken_of = set.field(name).map(|field| field.key);
        *item = Value::Object(lost_entity(asked_fields(fetch, batch), spoken_of, error, state));
    }
    if !mark(item, set, rest, error, state) {
        let target = targets.iter().find(|(_, representation)| representation == index);
        let prefix = target.map(|(place, _)| client_path(&state.root, place, &execution.compiled.keys));
        let place = prefix
            .into_iter()
            .flatten()
            .chain(rest.iter().map(segment))
            .collect();
        state.loose.push(error.clone().at(place));
    }
    true
}

/// An entity that is null because of a field in it: the other fields are lost with it.
fn lost_entity(
    asked: &[DecodeField],
    spoken_of: Option<Key>,
    error: &GraphQlError,
    state: &mut State,
) -> Object {
    let failure = state.failure(error.clone(), Vec::new());
    let mut lost = Object::default();
    if let Some(key) = spoken_of {
        lost.put(key, Value::Null);
    }
    let others = asked.iter().filter(|field| Some(field.key) != spoken_of);
    others.for_each(|field| lost.fail(std::slice::from_ref(field), failure));
    lost
}

fn deliver_to<'p>(
    execution: &Execution<'_>,
    state: &mut State,
    places: impl Iterator<Item = &'p Place>,
    object: Object,
) {
    let types = &execution.compiler.supergraph.types;
    let State { root, sources, .. } = state;
    // Where one subgraph knows an object's type and another only an interface of it, the type stays.
    let keeps_type = |old: Span, new: Span| {
        let old = sources
            .plain_string(old)
            .is_some_and(|old| !types.is_abstract(old));
        old && sources.plain_string(new).is_none_or(|new| types.is_abstract(new))
    };
    let mut places = places.peekable();
    let mut object = Some(object);
    while let Some(place) = places.next() {
        let copy = if places.peek().is_some() {
            object.clone()
        } else {
            object.take()
        };
        if let (Some(target), Some(copy)) = (at(root, place), copy) {
            target.merge(copy, keeps_type);
        }
    }
}

fn fail_all<'p>(
    state: &mut State,
    service: &Service,
    error: &CallError,
    places: impl ExactSizeIterator<Item = &'p Place>,
    asked: &[DecodeField],
) {
    if places.len() == 0 {
        return;
    }
    let failure = state.failure(error.error(&service.name), Vec::new());
    for place in places {
        fail(&mut state.root, place, asked, failure);
    }
}

/// Without `data`, fields that no error speaks of have failed, too: for the general reason, or with the first that did.
fn fill(object: &mut Object, asked: &[DecodeField], general: Option<GraphQlError>, state: &mut State) {
    let failure = match general {
        Some(error) => Some(state.failure(error, Vec::new())),
        None => first_failure(object),
    };
    if let Some(failure) = failure {
        object.fail(asked, failure);
    }
}

/// Puts an error to the null that it explains. `false` if there is no null on its path.
fn mark(
    value: &mut Value,
    set: &DecodeSet,
    path: &[WireSegment],
    error: &GraphQlError,
    state: &mut State,
) -> bool {
    let mut value = value;
    let mut set = Some(set);
    let mut path = path;
    loop {
        match value {
            Value::Null => {
                let below = path.iter().map(segment).collect();
                *value = Value::Failed(state.failure(error.clone(), below));
                return true;
            }
            Value::Failed(failure) => {
                let below = path.iter().map(segment).collect();
                if let Some(Failure::Errors(known)) = state.failures.get_mut(*failure as usize) {
                    let error = error.clone();
                    known.push(Reason { error, below });
                }
                return true;
            }
            Value::Object(object) => {
                let Some((WireSegment::Key(name), rest)) = path.split_first() else {
                    return false;
                };
                let Some(field) = set.and_then(|set| set.field(name)) else {
                    return false;
                };
                if object.get(field.key).is_none() {
                    object.fields.push((field.key, Value::Null));
                }
                let Some(inner) = object.get_mut(field.key) else {
                    return false;
                };
                value = inner;
                set = field.set.as_ref();
                path = rest;
            }
            Value::List(items) => {
                let Some((WireSegment::Index(index), rest)) = path.split_first() else {
                    return false;
                };
                let Some(item) = items.get_mut(*index) else {
                    return false;
                };
                value = item;
                path = rest;
            }
            Value::Scalar(_) => return false,
        }
    }
}

/// The way to an object by the client's names.
fn client_path(root: &Object, place: &[u32], keys: &Keys) -> Vec<PathSegment> {
    let mut path = Vec::with_capacity(place.len());
    let mut object = root;
    let mut steps = place.iter();
    while let Some(step) = steps.next() {
        let Some((key, mut value)) = object.fields.get(*step as usize).map(|(key, value)| (key, value))
        else {
            break;
        };
        path.push(PathSegment::Key(keys.client_name(*key).into()));
        while let (Value::List(items), Some(index)) = (value, steps.as_slice().first()) {
            steps.next();
            path.push(PathSegment::Index(*index as usize));
            match items.get(*index as usize) {
                Some(item) => value = item,
                None => return path,
            }
        }
        match value {
            Value::Object(inner) => object = inner,
            _ => break,
        }
    }
    path
}

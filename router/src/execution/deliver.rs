//! Puts a subgraph's answer where it belongs, with its errors at the places that they speak of.

use super::data::{Key, Keys, Object, Span, TYPENAME, Value};
use super::representations::{Place, at, fail, outputs};
use super::shape::DecodeSet;
use super::wire::{WireSegment, client_error, read, segment};
use super::{Execution, Reason, State};
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
    let keys = || {
        fetch
            .shape
            .fields
            .iter()
            .map(|field| field.key)
            .filter(|key| *key != TYPENAME)
    };
    let read = match answer.and_then(|answer| read(answer, &fetch.shape, state)) {
        Ok(read) => read,
        Err(error) => return fail_all(state, service, &error, places, keys),
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
        fill(&mut object, keys(), general, state);
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
                let places = targets.iter().map(|(place, _)| place.clone()).collect::<Vec<_>>();
                fail_all(state, service, &error, &places, || outputs(fetch, batch));
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
        general =
            Some(CallError::Malformed("the list of entities has another length".into()).error(&service.name));
    }
    let all_null = |list: &List| list.items.iter().all(|item| matches!(item, Value::Null));
    let nothing = no_data || !all_there || lists.iter().all(all_null);
    let failure = match general {
        Some(error) if nothing => Some(state.failure(Reason {
            error,
            below: Vec::new(),
        })),
        Some(error) => {
            state.loose.push(error);
            None
        }
        None => None,
    };
    for ((batch, targets), list) in batches.iter().zip(targets).zip(lists) {
        deliver_list(execution, fetch, batch, targets, list, failure, state);
    }
}

/// The entities of one batch; `complete` if there was one entry for each representation.
struct List {
    items: Vec<Value>,
    complete: bool,
}

fn entity_list(fetch: &Fetch, batch: &Batch, targets: &[(Place, usize)], data: &mut Object) -> List {
    let expected = targets.iter().map(|(_, number)| number + 1).max().unwrap_or(0);
    let key = fetch.shape.field(&batch.field).map(|field| field.key);
    let value = key
        .and_then(|key| data.get_mut(key))
        .map(|value| std::mem::replace(value, Value::Null));
    match value {
        Some(Value::List(items)) if items.len() == expected => List {
            items,
            complete: true,
        },
        _ => List {
            items: vec![Value::Null; expected],
            complete: false,
        },
    }
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
        *item = Value::Object(lost_entity(outputs(fetch, batch), spoken_of, error, state));
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
    keys: impl Iterator<Item = Key>,
    spoken_of: Option<Key>,
    error: &GraphQlError,
    state: &mut State,
) -> Object {
    let failure = state.failure(Reason {
        error: error.clone(),
        below: Vec::new(),
    });
    let lost = |key| {
        if Some(key) == spoken_of {
            Value::Null
        } else {
            Value::Failed(failure)
        }
    };
    Object {
        fields: keys.map(|key| (key, lost(key))).collect(),
    }
}

fn deliver_list(
    execution: &Execution<'_>,
    fetch: &Fetch,
    batch: &Batch,
    targets: &[(Place, usize)],
    list: List,
    failure: Option<u32>,
    state: &mut State,
) {
    let mut left = vec![0_u32; list.items.len()];
    for (_, number) in targets {
        if let Some(count) = left.get_mut(*number) {
            *count += 1;
        }
    }
    let mut items = list.items;
    for (place, number) in targets {
        let (Some(item), Some(left)) = (items.get_mut(*number), left.get_mut(*number)) else {
            continue;
        };
        *left -= 1;
        // The last one who asked gets the entity itself, the others get copies.
        let item = if *left == 0 {
            std::mem::replace(item, Value::Null)
        } else {
            item.clone()
        };
        match (item, failure) {
            (Value::Object(object), _) => deliver_to(execution, state, std::iter::once(place), object),
            (Value::Failed(failure), _) | (_, Some(failure)) => {
                fail(&mut state.root, place, outputs(fetch, batch), failure);
            }
            _ => {}
        }
    }
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

fn fail_all<I: Iterator<Item = Key>>(
    state: &mut State,
    service: &Service,
    error: &CallError,
    places: &[Place],
    keys: impl Fn() -> I,
) {
    if places.is_empty() {
        return;
    }
    let failure = state.failure(Reason {
        error: error.error(&service.name),
        below: Vec::new(),
    });
    for place in places {
        fail(&mut state.root, place, keys(), failure);
    }
}

/// Without `data`, fields that no error speaks of have failed, too: for the general reason, or with the first that did.
fn fill(
    object: &mut Object,
    keys: impl Iterator<Item = Key>,
    general: Option<GraphQlError>,
    state: &mut State,
) {
    let failure = match general {
        Some(error) => Some(state.failure(Reason {
            error,
            below: Vec::new(),
        })),
        None => object.fields.iter().find_map(|(_, value)| match value {
            Value::Failed(failure) => Some(*failure),
            _ => None,
        }),
    };
    if let Some(failure) = failure {
        keys.for_each(|key| object.fail(key, failure));
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
                *value = Value::Failed(state.failure(Reason {
                    error: error.clone(),
                    below,
                }));
                return true;
            }
            Value::Failed(failure) => {
                let below = path.iter().map(segment).collect();
                if let Some(known) = state.failures.get_mut(*failure as usize) {
                    known.errors.push(Reason {
                        error: error.clone(),
                        below,
                    });
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

//! Puts a subgraph's answer where it belongs, with its errors at the places that they speak of.

use std::collections::{HashMap, HashSet};

use super::data::{Key, Keys, Span};
use super::representations::{Target, asked_fields};
use super::shape::{DecodeField, DecodeSet};
use super::tree::{Copies, List, ObjectId, Slot, Tree, Value};
use super::wire::{WireSegment, client_error, read, segment};
use super::{Execution, Failure, ROOT, Reason, State};
use crate::error::{GraphQlError, PathSegment};
use crate::plan::{Batch, Fetch, FetchKind};
use crate::transport::{Answer, CallError, Service};

/// Delivers root fields to the objects at `places`.
pub(super) fn root(
    execution: &Execution<'_>,
    service: &Service,
    fetch: &Fetch,
    places: &[ObjectId],
    answer: Result<Answer, CallError>,
    state: &mut State,
) {
    let asked = &fetch.shape.fields;
    let read = match answer.and_then(|answer| read(answer, fetch, state)) {
        Ok(read) => read,
        Err(error) => return fail_all(state, service, &error, places.iter().copied(), asked),
    };
    let no_data = read.data.is_none();
    let object = read.data.unwrap_or_else(|| state.tree.object([]));
    let mut general = None;
    for error in read.errors {
        let (path, error) = client_error(service, error);
        let placed = match path.split_first() {
            Some((WireSegment::Key(name), rest)) => {
                mark_field(object, &fetch.shape, name, rest, &error, state)
            }
            _ => false,
        };
        if placed {
            continue;
        }
        if no_data && general.is_none() {
            general = Some(error);
        } else {
            let prefix = places.first().map(|place| client_path(execution, state, *place));
            let place = prefix
                .into_iter()
                .flatten()
                .chain(path.iter().map(segment))
                .collect();
            state.loose.push(error.at(place));
        }
    }
    if no_data {
        fill(object, asked, general, state);
    }
    let mut delivery = Delivery::new(fetch, 1);
    for place in places {
        delivery.give(execution, state, *place, object, 0);
    }
}

/// Delivers entities to the objects that asked for them.
pub(super) fn entities(
    execution: &Execution<'_>,
    service: &Service,
    fetch: &Fetch,
    targets: &[Vec<Target>],
    answer: Result<Answer, CallError>,
    state: &mut State,
) {
    let FetchKind::Entities(batches) = &fetch.kind else {
        return;
    };
    let rest_lost = match &answer {
        Ok(Answer::Partial(_, _, error)) => Some(error.error(&service.name)),
        _ => None,
    };
    let read = match answer.and_then(|answer| read(answer, fetch, state)) {
        Ok(read) => read,
        Err(error) => {
            for (batch, targets) in batches.iter().zip(targets) {
                let places = targets.iter().map(|target| target.object);
                fail_all(state, service, &error, places, asked_fields(fetch, batch));
            }
            return;
        }
    };
    let no_data = read.data.is_none();
    let mut lists = Vec::with_capacity(batches.len());
    for (batch, targets) in batches.iter().zip(targets) {
        lists.push(entity_list(fetch, batch, targets, read.data, &mut state.tree));
    }
    let mut general = None;
    for error in read.errors {
        let (path, error) = client_error(service, error);
        let placed = place_error(execution, fetch, batches, targets, &lists, &path, &error, state);
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
    let all_null = |list: &Entities| {
        state
            .tree
            .items(list.items)
            .iter()
            .all(|item| *item == Value::Null)
    };
    let nothing = no_data || !all_there || lists.iter().all(all_null);
    let mut lost = match general {
        _ if rest_lost.is_some() => rest_lost.map(|error| state.failure(error, Vec::new())),
        Some(error) if nothing => Some(state.failure(error, Vec::new())),
        general => {
            state.loose.extend(general);
            // Without `data` all are lost with the first of which an error speaks.
            no_data
                .then(|| lists.iter().find_map(|list| list.first_failure(&state.tree)))
                .flatten()
        }
    };
    let asked = batches.iter().zip(targets).zip(lists);
    give(execution, service, fetch, asked, &mut lost, state);
}

/// Gives the entities of each batch to the objects that asked for them; those for which there is none have `lost` what they
/// asked for.
fn give<'a>(
    execution: &Execution<'_>,
    service: &Service,
    fetch: &Fetch,
    batches: impl Iterator<Item = ((&'a Batch, &'a Vec<Target>), Entities)>,
    lost: &mut Option<u32>,
    state: &mut State,
) {
    let mut copies = Copies::since(state.tree.copies());
    for ((batch, targets), list) in batches {
        let asked = asked_fields(fetch, batch);
        let mut delivery = Delivery::new(fetch, batch.paths.len());
        for target in targets {
            // What one place is given may make copies of others below it, about which was asked, too.
            copies.follow(&state.tree);
            let copied = copies.of(target.object).iter().copied();
            let places = std::iter::once(target.object).chain(copied);
            let failure = match state.tree.items(list.items).get(target.number).copied() {
                Some(Value::Object(entity)) => {
                    for place in places {
                        delivery.give(execution, state, place, entity, target.path);
                    }
                    continue;
                }
                Some(Value::Failed(own)) => own,
                _ => *lost.get_or_insert_with(|| state.not_returned(service)),
            };
            for place in places {
                state.tree.fail(place, asked, failure);
            }
        }
    }
}

/// The entities of one batch; `complete` if there was one entry for each representation.
struct Entities {
    items: List,
    complete: bool,
}

impl Entities {
    fn first_failure(&self, tree: &Tree) -> Option<u32> {
        tree.items(self.items).iter().find_map(|item| match item {
            Value::Failed(failure) => Some(*failure),
            Value::Object(object) => first_failure(tree, *object),
            _ => None,
        })
    }
}

/// Gives objects of one answer to the places that asked for them. What was given before is given as a copy: a shallow one,
/// whose parts both places share, where the same happens to both from now on.
struct Delivery {
    may_share: bool,
    /// By object, where several paths lead to who asked: the one that is given along which path.
    by_path: Option<HashMap<ObjectId, (usize, ObjectId)>>,
}

impl Delivery {
    fn new(fetch: &Fetch, paths: usize) -> Self {
        Self {
            may_share: fetch.may_share,
            by_path: (fetch.may_share && paths > 1).then(HashMap::new),
        }
    }

    fn give(
        &mut self,
        execution: &Execution<'_>,
        state: &mut State,
        place: ObjectId,
        object: ObjectId,
        path: usize,
    ) {
        let tree = &mut state.tree;
        let object = match &mut self.by_path {
            Some(by_path) => {
                let (of_path, given) = by_path.entry(object).or_insert((path, object));
                if *of_path != path {
                    *given = tree.copy(*given, &mut HashMap::new());
                    *of_path = path;
                }
                *given
            }
            None if !self.may_share && tree.is_shared(object) => tree.copy(object, &mut HashMap::new()),
            None => object,
        };
        let types = &execution.compiler.supergraph.types;
        let sources = &state.sources;
        // Where one subgraph knows an object's type and another only an interface of it, the type stays.
        let keeps_type = |old: Span, new: Span| {
            let old = sources
                .plain_string(old)
                .is_some_and(|old| !types.is_abstract(old));
            old && sources.plain_string(new).is_none_or(|new| types.is_abstract(new))
        };
        tree.merge(place, object, &keeps_type);
        // It has been given.
        tree.share(object);
    }
}

fn first_failure(tree: &Tree, object: ObjectId) -> Option<u32> {
    tree.fields(object).iter().find_map(|(_, value)| match value {
        Value::Failed(failure) => Some(*failure),
        _ => None,
    })
}

fn entity_list(
    fetch: &Fetch,
    batch: &Batch,
    targets: &[Target],
    data: Option<ObjectId>,
    tree: &mut Tree,
) -> Entities {
    let expected = targets.iter().map(|target| target.number + 1).max().unwrap_or(0);
    let key = fetch.shape.field(&batch.field).map(|field| field.key);
    let value = data.zip(key).and_then(|(data, key)| tree.get(data, key));
    if let Some(Value::List(items)) = value {
        let entities = tree.items(items);
        if entities.len() == expected && entities.iter().all(is_entity) {
            return Entities {
                items,
                complete: true,
            };
        }
    }
    Entities {
        items: tree.list(std::iter::repeat_n(Value::Null, expected)),
        complete: false,
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
    targets: &[Vec<Target>],
    lists: &[Entities],
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
    let (Some(set), Some(list), Some(targets)) = (set, lists.get(number), targets.get(number)) else {
        return false;
    };
    let Some(slot) = state.tree.item_slot(list.items, *index) else {
        return false;
    };
    if let (Value::Null, Some(WireSegment::Key(name))) = (state.tree.at(slot), rest.first()) {
        let spoken_of = set.field(name).map(|field| field.key);
        let lost = lost_entity(asked_fields(fetch, batch), spoken_of, error, state);
        state.tree.set(slot, Value::Object(lost));
    }
    if !mark(slot, Some(set), rest, error, state) {
        let target = targets.iter().find(|target| target.number == *index);
        let prefix = target.map(|target| client_path(execution, state, target.object));
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
) -> ObjectId {
    let failure = state.failure(error.clone(), Vec::new());
    let lost = state.tree.object(spoken_of.map(|key| (key, Value::Null)));
    for field in asked.iter().filter(|field| Some(field.key) != spoken_of) {
        state.tree.fail(lost, std::slice::from_ref(field), failure);
    }
    lost
}

fn fail_all(
    state: &mut State,
    service: &Service,
    error: &CallError,
    places: impl ExactSizeIterator<Item = ObjectId>,
    asked: &[DecodeField],
) {
    if places.len() == 0 {
        return;
    }
    let failure = state.failure(error.error(&service.name), Vec::new());
    for place in places {
        state.tree.fail(place, asked, failure);
    }
}

/// Without `data`, fields that no error speaks of have failed, too: for the general reason, or with the first that did.
fn fill(object: ObjectId, asked: &[DecodeField], general: Option<GraphQlError>, state: &mut State) {
    let failure = match general {
        Some(error) => Some(state.failure(error, Vec::new())),
        None => first_failure(&state.tree, object),
    };
    if let Some(failure) = failure {
        state.tree.fail(object, asked, failure);
    }
}

/// Puts an error to the null that it explains, below a field of an object. `false` if there is no null on its path.
fn mark_field(
    object: ObjectId,
    set: &DecodeSet,
    name: &str,
    path: &[WireSegment],
    error: &GraphQlError,
    state: &mut State,
) -> bool {
    let Some(field) = set.field(name) else {
        return false;
    };
    if state.tree.get(object, field.key).is_none() {
        state.tree.put(object, field.key, Value::Null);
    }
    let slot = state.tree.field_slot(object, field.key);
    slot.is_some_and(|slot| mark(slot, field.set.as_ref(), path, error, state))
}

/// The same for the value at a place.
fn mark(
    slot: Slot,
    set: Option<&DecodeSet>,
    path: &[WireSegment],
    error: &GraphQlError,
    state: &mut State,
) -> bool {
    match state.tree.at(slot) {
        Value::Null => {
            let below = path.iter().map(segment).collect();
            let failure = state.failure(error.clone(), below);
            state.tree.set(slot, Value::Failed(failure));
            true
        }
        Value::Failed(failure) => {
            let below = path.iter().map(segment).collect();
            if let Some(Failure::Errors(known)) = state.failures.get_mut(failure as usize) {
                let error = error.clone();
                known.push(Reason { error, below });
            }
            true
        }
        Value::Object(object) => match (path.split_first(), set) {
            (Some((WireSegment::Key(name), rest)), Some(set)) => {
                mark_field(object, set, name, rest, error, state)
            }
            _ => false,
        },
        Value::List(list) => match path.split_first() {
            Some((WireSegment::Index(index), rest)) => {
                let slot = state.tree.item_slot(list, *index);
                slot.is_some_and(|slot| mark(slot, set, rest, error, state))
            }
            _ => false,
        },
        Value::Scalar(_) => false,
    }
}

/// The way to an object by the client's names; of a shared one, the first.
fn client_path(execution: &Execution<'_>, state: &State, place: ObjectId) -> Vec<PathSegment> {
    let mut search = Search {
        tree: &state.tree,
        keys: &execution.compiled.keys,
        place,
        seen: HashSet::new(),
        path: Vec::new(),
    };
    search.object(ROOT);
    search.path
}

struct Search<'s> {
    tree: &'s Tree,
    keys: &'s Keys,
    place: ObjectId,
    seen: HashSet<ObjectId>,
    path: Vec<PathSegment>,
}

impl Search<'_> {
    fn object(&mut self, object: ObjectId) -> bool {
        if object == self.place {
            return true;
        }
        if self.tree.is_shared(object) && !self.seen.insert(object) {
            return false;
        }
        self.tree.fields(object).iter().any(|(key, value)| {
            self.path
                .push(PathSegment::Key(self.keys.client_name(*key).into()));
            self.value(*value) || self.back()
        })
    }

    fn value(&mut self, value: Value) -> bool {
        match value {
            Value::Object(object) => self.object(object),
            Value::List(list) => self.tree.items(list).iter().enumerate().any(|(index, item)| {
                self.path.push(PathSegment::Index(index));
                self.value(*item) || self.back()
            }),
            Value::Null | Value::Failed(_) | Value::Scalar(_) => false,
        }
    }

    fn back(&mut self) -> bool {
        self.path.pop();
        false
    }
}

//! What a fetch asks, in the parts that are kept; looking them up, keeping them, and putting an answer together.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::ResponseCache;
use super::digest::{Digest, Name};
use super::entry::{self, Hit};
use super::freshness::CacheControl;
use super::freshness::Said;
use super::hints::Caching;
use super::reply::{Expected, Reply};
use super::tags::{self, Tag};
use crate::config::LONGEST_S;
use crate::header_rules::KeptField;
use crate::transport::{Argument, Call, Service};

/// Of more entities in one fetch nothing is kept: each takes a key or two and a tag in one question to the cache.
const MAX_ENTITIES: usize = 5_000;

/// How long a tag stays that nobody drops: at least as long as what depends on it.
const TAG_LIFETIME: std::time::Duration = std::time::Duration::from_secs(LONGEST_S as u64 + 3_600);

/// What a fetch asks.
pub(crate) struct Questions<'q> {
    units: Vec<Unit<'q>>,
    pub(super) groups: Vec<Asking<'q>>,
    /// The names of all tags that any unit depends on.
    tags: Vec<String>,
    /// The position of the caller's tag, on which all depends that is for the caller only.
    caller: usize,
}

/// What is kept as one.
pub(super) struct Unit<'q> {
    group: usize,
    /// Of an entity.
    representation: Option<&'q RawValue>,
    type_name: Box<str>,
    /// `None` if answers are never for everybody.
    public: Option<Name>,
    /// `None` if answers for one caller are not kept.
    private: Option<Name>,
    /// Positions in all tags.
    tags: Vec<usize>,
}

/// Units that are asked about by one variable; or all of a root fetch.
pub(super) struct Asking<'q> {
    /// Of representations; empty for a root fetch.
    variable: &'q str,
    pub(super) lists: &'q [String],
}

/// What was found.
pub(crate) struct Looked {
    /// What the tags are.
    pub(crate) tags: Vec<Option<u64>>,
    /// By unit.
    pub(crate) hits: Vec<Option<Hit>>,
}

#[derive(Deserialize)]
struct TypeName<'t> {
    #[serde(borrow, rename = "__typename")]
    name: Option<std::borrow::Cow<'t, str>>,
}

impl Looked {
    pub(crate) fn is_whole(&self) -> bool {
        self.hits.iter().all(Option::is_some)
    }
}

/// The tags of a fetch, each once.
#[derive(Default)]
struct Tags {
    names: Vec<String>,
    known: HashMap<String, usize>,
}

impl Tags {
    fn add(&mut self, tag: Tag<'_>) -> usize {
        self.named(tag.name())
    }

    fn named(&mut self, name: String) -> usize {
        if let Some(known) = self.known.get(&name) {
            return *known;
        }
        let position = self.names.len();
        self.names.push(name.clone());
        self.known.insert(name, position);
        position
    }
}

impl<'q> Questions<'q> {
    /// `None` if nothing of it can be kept.
    pub(crate) fn new(
        cache: &ResponseCache,
        service: &Service,
        call: &Call<'q>,
        caching: &'q Caching,
    ) -> Option<Self> {
        if caching.groups.iter().all(|group| is_never_kept(group, cache)) {
            return None;
        }
        let base = base(cache, service, call)?;
        let principal = serde_json::to_vec(&call.context.principal).ok()?;
        let mut tags = Tags::default();
        let caller = tags.named(tags::of_caller(call.context));
        let (mut units, mut groups) = (Vec::new(), Vec::new());
        for (number, group) in caching.groups.iter().enumerate() {
            let mut shared = vec![tags.add(Tag::Subgraph(&service.name))];
            let nested = group.nested.iter().map(|name| Tag::Nested(&service.name, name));
            shared.extend(nested.map(|tag| tags.add(tag)));
            let unit = |digest: Digest, representation, type_name: Box<str>, tags| Unit {
                group: number,
                representation,
                type_name,
                public: (!group.declared.is_private).then(|| digest.with(b"public").name()),
                private: cache
                    .config
                    .private
                    .then(|| digest.with(b"private").with(&principal).name()),
                tags,
            };
            let Some(argument) = call.arguments.get(number) else {
                let type_name = group.nested.iter().next().cloned().unwrap_or_default();
                let root = group
                    .lists
                    .is_empty()
                    .then(|| unit(base.clone(), None, type_name, shared))?;
                units.push(root);
                groups.push(Asking {
                    variable: "",
                    lists: &[],
                });
                continue;
            };
            let representations: Vec<&'q RawValue> = serde_json::from_slice(&argument.json).ok()?;
            if units.len() + representations.len() > MAX_ENTITIES {
                return None;
            }
            let digest = base.with(argument.name.as_bytes());
            for representation in representations {
                let text = representation.get();
                let type_name = serde_json::from_str::<TypeName<'_>>(text).ok()?.name?;
                let mut own = shared.clone();
                own.push(tags.add(Tag::Type(&service.name, &type_name)));
                let fields: Value = serde_json::from_str(text).ok()?;
                if let Some(key) = cache
                    .invalidator
                    .known
                    .keys
                    .key(&service.name, &type_name, &fields)
                {
                    own.push(tags.add(Tag::Entity(&service.name, &type_name, &key)));
                }
                let digest = digest.with(text.as_bytes());
                units.push(unit(digest, Some(representation), (*type_name).into(), own));
            }
            groups.push(Asking {
                variable: argument.name,
                lists: &group.lists,
            });
        }
        Some(Self {
            units,
            groups,
            tags: tags.names,
            caller,
        })
    }

    pub(crate) fn is_root(&self) -> bool {
        self.groups.iter().all(|group| group.lists.is_empty())
    }

    /// Looks everything up. `None` if the cache does not answer.
    pub(crate) async fn look(&self, cache: &ResponseCache) -> Option<Looked> {
        if !cache.invalidator.dropping.is_even().await {
            return None;
        }
        let mut keys = self.tags.clone();
        let names = self.units.iter().flat_map(|unit| [&unit.public, &unit.private]);
        keys.extend(names.flatten().map(Name::entry));
        let mut found = match cache.cache.get_many(&keys).await {
            Ok(found) => found.into_iter(),
            Err(error) => {
                tracing::debug!(%error, "nothing is looked up");
                return None;
            }
        };
        let tag = |json: Option<std::sync::Arc<[u8]>>| serde_json::from_slice(&json?).ok();
        let tags: Vec<Option<u64>> = found.by_ref().take(self.tags.len()).map(tag).collect();
        let hits = self.units.iter().map(|unit| {
            let mut hit = None;
            for (name, is_private) in [(&unit.public, false), (&unit.private, true)] {
                let Some(name) = name else { continue };
                let Some(json) = found.next().flatten() else {
                    continue;
                };
                let own = self.tags_of(unit, is_private, |tag| *tags.get(tag)?);
                if let (Some(own), None) = (own, &hit) {
                    hit = Hit::read(&json, name, &own, is_private, &cache.clock);
                    // Entries are read by the shape of what was asked.
                    hit = hit.filter(|hit| hit.values.len() == self.values_of(unit));
                }
            }
            hit
        });
        let hits = hits.collect();
        Some(Looked { tags, hits })
    }

    /// The names under which others ask for what is missing.
    pub(crate) fn names(&self, looked: &Looked, private: bool) -> Vec<Name> {
        let missing = self
            .units
            .iter()
            .zip(&looked.hits)
            .filter(|(_, hit)| hit.is_none());
        let name = |(unit, _): (&Unit<'_>, _)| if private { unit.private } else { unit.public };
        missing.filter_map(name).collect()
    }

    /// What the tags are, those included that were not there. `None` if nothing can be kept.
    pub(crate) async fn ensure_tags(
        &self,
        cache: &ResponseCache,
        known: Vec<Option<u64>>,
    ) -> Option<Vec<u64>> {
        let absent = self.tags.iter().zip(&known).filter(|(_, known)| known.is_none());
        let fresh = absent.map(|(name, _)| {
            let number = u64::from_le_bytes(cache.random.bytes());
            (name.clone(), number.to_string().into_bytes())
        });
        let set = cache.cache.get_or_set_many(fresh.collect(), TAG_LIFETIME).await;
        let mut set = set.ok()?.into_iter();
        let number = |known: Option<u64>| match known {
            Some(known) => Some(known),
            None => serde_json::from_slice(&set.next()??).ok(),
        };
        known.into_iter().map(number).collect()
    }

    /// What has to be asked about, where that is not everything.
    pub(crate) fn missing(&self, hits: &[Option<Hit>]) -> Option<Vec<Argument<'q>>> {
        if hits.iter().all(Option::is_none) {
            return None;
        }
        let argument = |(number, group): (usize, &Asking<'q>)| {
            let mut json = vec![b'['];
            for (unit, _) in self.of_group(number, hits).filter(|(_, hit)| hit.is_none()) {
                if json.len() > 1 {
                    json.push(b',');
                }
                json.extend_from_slice(unit.representation.map_or("null", RawValue::get).as_bytes());
            }
            json.push(b']');
            Argument {
                name: group.variable,
                json,
            }
        };
        Some(self.groups.iter().enumerate().map(argument).collect())
    }

    /// The lists of an answer about what is missing; nothing for a root fetch.
    pub(crate) fn expected(&self, hits: &[Option<Hit>]) -> Option<Expected<'q>> {
        let count = |number| {
            self.of_group(number, hits)
                .filter(|(_, hit)| hit.is_none())
                .count()
        };
        let groups = self.groups.iter().enumerate();
        (!self.is_root()).then(|| {
            groups
                .map(|(number, group)| (group.lists, count(number)))
                .collect()
        })
    }

    /// For how long and for whom an answer holds, by group.
    pub(crate) fn settle(
        &self,
        cache: &ResponseCache,
        service: &Service,
        caching: &Caching,
        said: Said,
    ) -> Vec<Option<CacheControl>> {
        let groups = caching.groups.iter();
        let settle =
            |group: &super::hints::Group| said.settle(&group.declared, &cache.config, service.tells());
        groups.map(settle).collect()
    }

    /// Keeps what holds of an answer.
    pub(crate) async fn keep(
        &self,
        cache: &ResponseCache,
        hits: &[Option<Hit>],
        (reply, headers): (&Reply, &[KeptField]),
        settled: &[Option<CacheControl>],
        tags: &[u64],
    ) {
        let mut entries = Vec::new();
        for (number, control) in settled.iter().enumerate() {
            let Some(control) = control else { continue };
            let missing = self.of_group(number, hits).filter(|(_, hit)| hit.is_none());
            for (at, (unit, _)) in missing.enumerate() {
                let Some(values) = reply.values(number, at) else {
                    continue;
                };
                let size: usize = values.iter().map(Bytes::len).sum();
                let name = if control.is_private {
                    unit.private
                } else {
                    unit.public
                };
                let Some(name) = name.filter(|_| size <= cache.config.max_entry_bytes) else {
                    continue;
                };
                let own = self.tags_of(unit, control.is_private, |tag| tags.get(tag).copied());
                let json = own.and_then(|own| {
                    entry::write(&name, own, *control, &values, headers.to_vec(), &cache.clock)
                });
                entries.extend(json.map(|json| (name.entry(), json, control.lifetime())));
            }
        }
        if let Err(error) = cache.cache.set_many(entries).await {
            tracing::debug!(%error, "an answer is not kept");
        }
    }

    /// By type, how many were found and how many were not.
    pub(crate) fn by_type(&self, hits: &[Option<Hit>]) -> impl Iterator<Item = (&str, u64, u64)> {
        let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for (unit, hit) in self.units.iter().zip(hits) {
            let (found, missing) = counts.entry(&unit.type_name).or_default();
            *(if hit.is_some() { found } else { missing }) += 1;
        }
        counts
            .into_iter()
            .map(|(name, (found, missing))| (name, found, missing))
    }

    pub(super) fn of_group<'s>(
        &'s self,
        number: usize,
        hits: &'s [Option<Hit>],
    ) -> impl Iterator<Item = (&'s Unit<'q>, &'s Option<Hit>)> {
        self.units
            .iter()
            .zip(hits)
            .filter(move |(unit, _)| unit.group == number)
    }

    /// What the tags are that an entry depends on. `None` if one is not there.
    fn tags_of(
        &self,
        unit: &Unit<'_>,
        is_private: bool,
        tag: impl Fn(usize) -> Option<u64>,
    ) -> Option<Vec<u64>> {
        let caller = is_private.then_some(self.caller);
        unit.tags.iter().copied().chain(caller).map(tag).collect()
    }

    fn values_of(&self, unit: &Unit<'_>) -> usize {
        self.groups
            .get(unit.group)
            .map_or(1, |group| group.lists.len().max(1))
    }
}

fn is_never_kept(group: &super::hints::Group, cache: &ResponseCache) -> bool {
    let declared = &group.declared;
    declared.max_age == Some(0) || (declared.is_private && !cache.config.private)
}

/// What all answers to a call depend on.
fn base(cache: &ResponseCache, service: &Service, call: &Call<'_>) -> Option<Digest> {
    let mut digest = Digest::default();
    digest.add(&cache.invalidator.known.digest);
    digest.add(service.name.as_bytes());
    let headers = service.forwarded(call.context);
    digest.add(&(headers.len() as u64).to_le_bytes());
    for (name, value) in &headers {
        digest.add(name.as_str().as_bytes());
        digest.add(value.as_bytes());
    }
    digest.add(service.header_digest());
    if service.tells() {
        digest.add(&serde_json::to_vec(&call.context.principal.locale).ok()?);
    }
    if service.is_in_process() {
        let client = &call.context.client;
        digest.add(client.name.as_deref().unwrap_or_default().as_bytes());
        digest.add(client.version.as_deref().unwrap_or_default().as_bytes());
    }
    digest.add(&call.fetch.body);
    for name in &call.fetch.variables {
        // A variable without a value differs from one that is null.
        let value = call.variables.get(name).map(serde_json::to_vec);
        digest.add(name.as_bytes());
        digest.add(&value.transpose().ok()?.unwrap_or_default());
    }
    Some(digest)
}

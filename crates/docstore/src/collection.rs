//! The documents of one type.

use std::marker::PhantomData;

use futures::future::{BoxFuture, FutureExt as _};
use kernel::{Cursor, Direction, Key, Page, PageRequest};
use tracing::Instrument as _;

use crate::batch::Batch;
use crate::document::{CollectionSpec, Document};
use crate::error::Result;
use crate::keyset::{self, Sort};
use crate::query::{Filter, Query};
use crate::store::{Backend, DocStore};

/// The documents of one type in a store.
pub struct Collection<D> {
    store: DocStore,
    kind: PhantomData<fn() -> D>,
}

/// A query as the backends take it.
#[derive(Debug, Clone)]
pub(crate) struct Find {
    pub(crate) collection: CollectionSpec,
    pub(crate) filters: Vec<Filter>,
    pub(crate) sort: Sort,
    pub(crate) limit: Option<usize>,
}

/// What a backend is asked for a page: at most `find.limit` documents beyond a position, with their sort keys,
/// and whether there is a document on the other side of it.
#[derive(Debug)]
pub(crate) struct FindPage {
    pub(crate) find: Find,
    pub(crate) from: Option<Vec<Key>>,
}

/// What a backend answers.
pub(crate) struct FoundPage<D> {
    pub(crate) items: Vec<(Vec<Key>, D)>,
    pub(crate) any_behind: bool,
}

impl<D: Document> Collection<D> {
    pub(crate) fn new(store: DocStore) -> Self {
        Self {
            store,
            kind: PhantomData,
        }
    }

    /// The document with this id.
    pub async fn get(&self, id: impl ToString) -> Result<Option<D>> {
        let id = id.to_string();
        let span = self.store.read_span(D::COLLECTION.name, "get");
        match self.store.backend() {
            Backend::Sqlite(sqlite) => span.in_scope(|| sqlite.get(D::COLLECTION, &id)),
            Backend::Mongo(mongo) => mongo.get(D::COLLECTION, id).instrument(span).await,
        }
    }

    /// The documents with these ids, in any order and without those that are not there. One call.
    pub fn get_many(&self, ids: impl IntoIterator<Item = impl ToString>) -> BoxFuture<'_, Result<Vec<D>>> {
        // Boxed, so that the future does not hold the iterator, which need not be `Send`.
        let ids: Vec<Key> = ids.into_iter().map(|id| Key::Text(id.to_string())).collect();
        if ids.is_empty() {
            return async { Ok(Vec::new()) }.boxed();
        }
        let find = Find {
            collection: D::COLLECTION,
            filters: vec![Filter::In("_id".to_owned(), ids)],
            sort: Vec::new(),
            limit: None,
        };
        self.run(find, "get_many").boxed()
    }

    /// The documents that fit.
    pub async fn find(&self, query: Query) -> Result<Vec<D>> {
        self.run(prepare::<D>(query), "find").await
    }

    /// The first document that fits.
    pub async fn find_one(&self, query: Query) -> Result<Option<D>> {
        let find = Find {
            limit: Some(1),
            ..prepare::<D>(query)
        };
        Ok(self.run(find, "find").await?.pop())
    }

    /// A page of the documents that fit. The limit is the page's; the query's does not count. Pages stay
    /// right while documents are inserted and removed, as a cursor is a place in the order.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`](crate::Error::InvalidCursor) if the cursor cannot be one of a list with this
    /// order.
    pub async fn page(&self, query: Query, page: &PageRequest) -> Result<Page<D>> {
        let mut find = prepare::<D>(query);
        if let Some(cursor) = &page.from {
            keyset::check(&find.sort, cursor, page.direction)?;
        }
        if page.direction == Direction::Backward {
            find.sort = keyset::reversed(&find.sort);
        }
        // One more than asked for tells whether there is more.
        find.limit = Some(page.limit.saturating_add(1));
        let request = FindPage {
            find,
            from: page.from.as_ref().map(|cursor| cursor.0.clone()),
        };
        let span = self.store.read_span(D::COLLECTION.name, "page");
        let found = match self.store.backend() {
            Backend::Sqlite(sqlite) => span.in_scope(|| sqlite.page(request))?,
            Backend::Mongo(mongo) => mongo.page(request).instrument(span).await?,
        };
        Ok(found.cut(page))
    }

    /// How many documents fit. The query's limit does not count.
    pub async fn count(&self, query: Query) -> Result<u64> {
        let find = prepare::<D>(query);
        let span = self.store.read_span(D::COLLECTION.name, "count");
        match self.store.backend() {
            Backend::Sqlite(sqlite) => span.in_scope(|| sqlite.count(&find)),
            Backend::Mongo(mongo) => mongo.count(find).instrument(span).await,
        }
    }

    /// Whether any document fits.
    pub async fn exists(&self, query: Query) -> Result<bool> {
        let find = prepare::<D>(query);
        let span = self.store.read_span(D::COLLECTION.name, "exists");
        match self.store.backend() {
            Backend::Sqlite(sqlite) => span.in_scope(|| sqlite.exists(&find)),
            Backend::Mongo(mongo) => mongo.exists(find).instrument(span).await,
        }
    }

    /// Commits a batch of [`Batch::insert`] alone.
    ///
    /// # Errors
    /// As [`DocStore::commit`].
    pub async fn insert(&self, doc: &D) -> Result<()> {
        let mut batch = Batch::new();
        batch.insert(doc);
        self.store.commit(batch).await
    }

    /// Commits a batch of [`Batch::replace`] alone.
    ///
    /// # Errors
    /// As [`DocStore::commit`].
    pub async fn replace(&self, doc: &mut D) -> Result<()> {
        let mut batch = Batch::new();
        batch.replace(doc);
        self.store.commit(batch).await
    }

    /// Removes the documents that fit, at most as many as the query's limit, the first in its order; returns
    /// how many. With MongoDB not in one transaction: if it fails, some may be gone.
    pub async fn delete_where(&self, query: Query) -> Result<u64> {
        let find = prepare::<D>(query);
        let span = self.store.write_span(D::COLLECTION.name, "delete");
        match self.store.backend() {
            Backend::Sqlite(sqlite) => sqlite.delete_where(find).instrument(span).await,
            Backend::Mongo(mongo) => {
                let deleted = mongo.delete_where(find).instrument(span).await?;
                self.store.announce();
                Ok(deleted)
            }
        }
    }

    async fn run(&self, find: Find, operation: &'static str) -> Result<Vec<D>> {
        let span = self.store.read_span(D::COLLECTION.name, operation);
        match self.store.backend() {
            Backend::Sqlite(sqlite) => span.in_scope(|| sqlite.find(&find)),
            Backend::Mongo(mongo) => mongo.find(find).instrument(span).await,
        }
    }
}

impl<D> Clone for Collection<D> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            kind: PhantomData,
        }
    }
}

impl<D> FoundPage<D> {
    fn cut(self, page: &PageRequest) -> Page<D> {
        let any_beyond = self.items.len() > page.limit;
        let items = self
            .items
            .into_iter()
            .take(page.limit)
            .map(|(keys, doc)| (Cursor(keys), doc));
        match page.direction {
            Direction::Forward => Page {
                items: items.collect(),
                has_next: any_beyond,
                has_previous: self.any_behind,
            },
            Direction::Backward => {
                let mut items: Vec<_> = items.collect();
                items.reverse();
                Page {
                    items,
                    has_next: self.any_behind,
                    has_previous: any_beyond,
                }
            }
        }
    }
}

fn prepare<D: Document>(query: Query) -> Find {
    Find {
        collection: D::COLLECTION,
        filters: query.filters,
        sort: keyset::total(&query.sort),
        limit: query.limit,
    }
}

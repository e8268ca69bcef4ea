//! Look-ups that one request makes in batches.

use std::collections::HashMap;
use std::sync::Arc;

use docstore::Query as Find;
use kernel::{CheckInId, CommentId, PostId, UserId};
use subgraph::loader::Loader;

use crate::app::App;
use crate::relations::Between;
use crate::store::{CommentDoc, LikeDoc, PostDoc};

/// The loaders of one request.
pub struct Loaders {
    /// Posts by id.
    pub posts: Loader<PostId, Arc<PostDoc>>,
    /// Posts by the check-in that they show.
    pub of_check_ins: Loader<CheckInId, Arc<PostDoc>>,
    /// Comments by id.
    pub comments: Loader<CommentId, Arc<CommentDoc>>,
    /// Whether somebody likes a post.
    pub likes: Loader<(PostId, UserId), ()>,
    /// What stands between somebody and somebody else.
    pub between: Loader<(UserId, UserId), Between>,
}

impl Loaders {
    /// Loaders that know nothing yet.
    pub fn new(app: &App) -> Self {
        let (posts, shown, comments, likes, relations) = (
            app.posts(),
            app.posts(),
            app.comments(),
            app.likes(),
            app.relations.clone(),
        );
        Self {
            posts: Loader::new(move |ids: Vec<PostId>| {
                let posts = posts.clone();
                async move {
                    let found = posts.get_many(&ids).await?;
                    Ok(found.into_iter().map(|post| (post.id, Arc::new(post))).collect())
                }
            }),
            of_check_ins: Loader::new(move |ids: Vec<CheckInId>| {
                let posts = shown.clone();
                async move {
                    let found = posts.find(Find::all().is_in("checkInId", ids)).await?;
                    let by_check_in = |post: PostDoc| Some((post.check_in_id?, Arc::new(post)));
                    Ok(found.into_iter().filter_map(by_check_in).collect())
                }
            }),
            comments: Loader::new(move |ids: Vec<CommentId>| {
                let comments = comments.clone();
                async move {
                    let found = comments.get_many(&ids).await?;
                    Ok(found
                        .into_iter()
                        .map(|comment| (comment.id, Arc::new(comment)))
                        .collect())
                }
            }),
            likes: Loader::new(move |asked: Vec<(PostId, UserId)>| {
                let likes = likes.clone();
                async move {
                    let ids = asked.iter().map(|(post, user)| LikeDoc::id_of(*post, *user));
                    let found = likes.get_many(ids).await?;
                    Ok(found
                        .into_iter()
                        .map(|like| ((like.post_id, like.user_id), ()))
                        .collect())
                }
            }),
            between: Loader::new(move |asked: Vec<(UserId, UserId)>| {
                let relations = relations.clone();
                async move {
                    let mut others: HashMap<UserId, Vec<UserId>> = HashMap::new();
                    for (me, other) in asked {
                        others.entry(me).or_default().push(other);
                    }
                    let mut known = HashMap::new();
                    // A request is of one person.
                    for (me, others) in others {
                        let found = relations.between(me, &others).await?;
                        known.extend(others.into_iter().map(|other| {
                            let between = found.get(&other).copied().unwrap_or_default();
                            ((me, other), between)
                        }));
                    }
                    Ok(known)
                }
            }),
        }
    }
}

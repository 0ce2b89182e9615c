//! `/tags`: words by which people find interactions again.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::routing::{get, put};
use axum::{Json, Router};
use desk::id::InteractionId;
use serde::{Deserialize, Serialize};

use super::App;
use super::body::{Body, Id};
use super::notes::{exists, may_see};
use super::problem::{Problem, ProblemBody};
use super::who::{Access, By, Serves, Tenant};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/tags", get(list))
        .route("/api/v1/interactions/{id}/tags", put(set))
}

/// A tag that is in use.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Tag {
    tag: String,
    /// On so many interactions.
    count: i64,
}

/// Tags, those of most interactions first.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct TagList {
    items: Vec<Tag>,
}

/// The tags of an interaction.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"tags": ["vip", "garantia"]}))]
pub(super) struct Tags {
    /// At most 20 of 1 to 40 characters, none of them a comma. Kept in small letters.
    tags: Vec<String>,
}

/// List the tags in use
///
/// At most 500.
#[utoipa::path(get, path = "/api/v1/tags", operation_id = "list_tags", tag = "records",
    params(("company" = Option<String>, Query)),
    responses((status = 200, body = TagList), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Serves(tenant): Serves,
) -> Result<Json<TagList>, Problem> {
    let (db, seen_by) = (app.store.pool(), tenant.seen_by());
    let used = store::tags::used(db, &tenant.company, seen_by.as_ref(), TAGS_LISTED).await?;
    let items = used.into_iter().map(|used| Tag {
        tag: used.tag,
        count: used.count,
    });
    Ok(Json(TagList {
        items: items.collect(),
    }))
}

/// Set the tags of an interaction
///
/// Whoever may read it may tag it, during it and afterwards.
#[utoipa::path(put, path = "/api/v1/interactions/{id}/tags", operation_id = "set_tags", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = Tags,
    responses((status = 200, body = Tags), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub(super) async fn set(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<InteractionId>,
    Body(asked): Body<Tags>,
) -> Result<Json<Tags>, Problem> {
    match &tenant.by {
        By::User { .. } => may_see(&app, &tenant, &id).await?,
        By::Key(_) => tenant.may(Access::Write)?,
    }
    exists(&app, &tenant, &id).await?;
    let tags = checked(&asked.tags)?;
    let mut db = app.store.begin().await?;
    store::tags::set(&mut db, &tenant.company, &id, &tags).await?;
    db.commit().await?;
    Ok(Json(Tags { tags }))
}

/// Tags as they are kept: each once, by their letters.
fn checked(tags: &[String]) -> Result<Vec<String>, Problem> {
    let tags: BTreeSet<String> = tags.iter().map(|tag| tag.trim().to_lowercase()).collect();
    if tags.len() > TAGS_MAX {
        return Err(Problem::field("tags", "too_many"));
    }
    let is_tag = |tag: &String| {
        (1..=TAG_CHARS_MAX).contains(&tag.chars().count())
            && !tag.contains(|c: char| c == ',' || c.is_control())
    };
    if tags.iter().all(is_tag) {
        Ok(tags.into_iter().collect())
    } else {
        Err(Problem::field("tags", "invalid_text"))
    }
}

/// More are a text.
const TAGS_MAX: usize = 20;

const TAG_CHARS_MAX: usize = 40;

/// So many are chosen from; others are typed.
const TAGS_LISTED: u32 = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_kept_in_small_letters_once_each() {
        let tags = |all: &[&str]| {
            let all: Vec<String> = all.iter().map(|tag| (*tag).to_owned()).collect();
            checked(&all).map_err(|problem| problem.at_field().map(str::to_owned))
        };
        let kept = tags(&[" VIP", "Garantia", "vip "]);
        assert_eq!(kept, Ok(vec!["garantia".to_owned(), "vip".to_owned()]));
        assert_eq!(tags(&[]), Ok(vec![]));
        for wrong in ["", "a,b", "a\nb", &"x".repeat(41)] {
            assert_eq!(tags(&[wrong]), Err(Some("tags".to_owned())), "{wrong:?}");
        }
        let many: Vec<String> = (0..21).map(|count| count.to_string()).collect();
        assert!(checked(&many).is_err());
    }
}

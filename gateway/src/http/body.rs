//! What requests carry, checked before a handler sees it.

use std::str::FromStr;

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::Page;

use super::App;
use super::problem::Problem;

/// A JSON body; what is wrong with it becomes a [`Problem`].
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let read: Result<axum::Json<T>, JsonRejection> =
            axum::Json::from_request(request, app).await;
        Ok(Self(read?.0))
    }
}

/// The id in the path; text that is no id names nothing.
pub(super) struct Id<T>(pub(super) T);

impl<T: FromStr> FromRequestParts<App> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let text = Path::<String>::from_request_parts(parts, app).await;
        let id = text.ok().and_then(|Path(text)| text.parse().ok());
        id.map(Self).ok_or_else(Problem::not_found)
    }
}

/// The query.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Ok(Self(Query::from_request_parts(parts, app).await?.0))
    }
}

/// A part of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// The `next` of the page before.
    after: Option<String>,
    /// How many at most: 1 to 500, 50 when not set.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl Paging {
    pub(super) fn limit(&self) -> u32 {
        self.limit.unwrap_or(PAGE_DEFAULT).clamp(1, store::PAGE_MAX)
    }

    pub(super) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    pub(super) fn page<T: FromStr>(&self) -> Result<Page<T>, Problem> {
        let wrong = |_| Problem::malformed("malformed").at("after");
        let after = self
            .after
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(wrong)?;
        Ok(Page {
            after,
            limit: self.limit(),
        })
    }
}

/// A page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Listed<T> {
    /// What it holds.
    pub(super) items: Vec<T>,
    /// What to send as `after` for the next page; nothing when this is the last.
    next: Option<String>,
}

impl<T> Listed<T> {
    /// A page of rows, each shown as a `T`; it may go on when it is full.
    pub(super) fn of<Row: Into<T>>(
        rows: Vec<Row>,
        limit: u32,
        place: impl Fn(&Row) -> String,
    ) -> axum::Json<Self> {
        let full = rows.len() >= limit as usize;
        let next = rows.last().filter(|_| full).map(place);
        axum::Json(Self {
            items: rows.into_iter().map(Into::into).collect(),
            next,
        })
    }
}

/// A name that people give: 1 to 100 characters that can be seen.
pub(super) fn name(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    let sane =
        !text.is_empty() && text.chars().count() <= 100 && !text.chars().any(char::is_control);
    if sane {
        Ok(text.to_owned())
    } else {
        Err(Problem::field("name", "invalid_name"))
    }
}

/// One of the languages of people and prompts.
pub(super) fn language(text: &str, field: &str) -> Result<String, Problem> {
    match text {
        "pt-BR" | "en" | "es" => Ok(text.to_owned()),
        _ => Err(Problem::field(field, "invalid_language")),
    }
}

/// A number in a range.
pub(super) fn within(value: u32, from: u32, to: u32, field: &str) -> Result<u32, Problem> {
    if (from..=to).contains(&value) {
        Ok(value)
    } else {
        Err(Problem::field(field, "out_of_range").because(format!("{from} to {to}")))
    }
}

/// A moment: RFC 3339, or milliseconds since 1970 (UTC).
pub(super) fn moment(text: &str, field: &str) -> Result<Timestamp, Problem> {
    let wrong = || Problem::field(field, "invalid_time");
    match text.parse::<i64>() {
        Ok(at_ms) => Timestamp::from_millisecond(at_ms).map_err(|_| wrong()),
        Err(_) => text.parse().map_err(|_| wrong()),
    }
}

const PAGE_DEFAULT: u32 = 50;

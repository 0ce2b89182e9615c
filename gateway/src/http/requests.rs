//! `/channels/{id}/requests`: what other systems asked of a channel, and what they were answered.

use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use desk::id::{ApiKeyId, ChannelId, MessageId, RequestId};
use media_engine_net::clock;
use serde::{Deserialize, Serialize};
use store::requests as rows;

use super::App;
use super::body::{Asked, Id, Listed, Paging, moment};
use super::channels::found;
use super::problem::{Problem, ProblemBody};
use super::who::Reads;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/channels/{id}/requests", get(list))
}

/// Has what is asked of these routes written down, if it comes by a key of a channel.
pub(super) fn noted(routes: Router<App>) -> Router<App> {
    routes.layer(middleware::from_fn(note))
}

/// What becomes known of a request while it is answered; clones share it.
#[derive(Clone, Default)]
pub(super) struct Known {
    asker: Arc<OnceLock<Asker>>,
    message: Arc<OnceLock<MessageId>>,
}

struct Asker {
    app: App,
    channel: ChannelId,
    api_key: ApiKeyId,
}

impl Known {
    /// Whose request it is.
    pub(super) fn is_of(&self, app: &App, channel: &ChannelId, api_key: &ApiKeyId) {
        // Who is known stays: each request is asked by one.
        let _ = self.asker.set(Asker {
            app: app.clone(),
            channel: channel.clone(),
            api_key: api_key.clone(),
        });
    }

    /// Which message it became.
    pub(super) fn became(&self, message: &MessageId) {
        let _ = self.message.set(message.clone());
    }
}

async fn note(mut request: Request, next: Next) -> Response {
    let known = Known::default();
    request.extensions_mut().insert(known.clone());
    let path = request.uri().path();
    let end = path.splitn(6, '/').nth(5).unwrap_or_default();
    let what = format!("{} {end}", request.method());
    let (begun, at_ms) = (clock::now(), clock::wall().as_millisecond());
    let response = next.run(request).await;
    let Some(asker) = known.asker.get() else {
        return response; // A stranger: nobody's log is filled by strangers.
    };
    let took = clock::now().duration_since(begun).as_millis();
    let problem = response.extensions().get::<Problem>();
    asker.app.channels.log(rows::Request {
        id: asker.app.id(RequestId::new),
        channel: asker.channel.clone(),
        api_key: asker.api_key.clone(),
        at_ms,
        what: what.chars().take(WHAT_CHARS_MAX).collect(),
        status: response.status().as_u16(),
        code: problem.map(|problem| problem.code().to_owned()),
        field: problem.and_then(|problem| problem.at_field().map(str::to_owned)),
        message: known.message.get().cloned(),
        took_ms: i64::try_from(took).unwrap_or(i64::MAX),
    });
    response
}

/// Something that another system asked.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RequestOfKey {
    #[schema(value_type = String)]
    id: RequestId,
    /// The key that was shown.
    #[schema(value_type = String)]
    key: ApiKeyId,
    at_ms: i64,
    /// The method, and the path behind the channel's: `POST receive_hook`.
    what: String,
    status: u16,
    /// The word of a refusal.
    code: Option<String>,
    /// The field at fault.
    field: Option<String>,
    /// The message that it became, or was before.
    #[schema(value_type = Option<String>)]
    message: Option<MessageId>,
    /// How long the answer took, in milliseconds.
    took_ms: i64,
}

impl From<rows::Request> for RequestOfKey {
    fn from(row: rows::Request) -> Self {
        Self {
            id: row.id,
            key: row.api_key,
            at_ms: row.at_ms,
            what: row.what,
            status: row.status,
            code: row.code,
            field: row.field,
            message: row.message,
            took_ms: row.took_ms,
        }
    }
}

/// Which requests; what is not set does not matter.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// By this key.
    #[param(value_type = Option<String>)]
    key: Option<ApiKeyId>,
    /// From this status on: 400 shows those that were refused.
    status_min: Option<u16>,
    /// Then or later: RFC 3339, or milliseconds since 1970.
    from: Option<String>,
    /// Before.
    until: Option<String>,
}

/// List what other systems asked of a channel by its keys
///
/// The last first; for a month, and no more than 100,000. What comes now is there within a second.
#[utoipa::path(get, path = "/api/v1/channels/{id}/requests", operation_id = "requests", tag = "channels",
    params(("id" = String, Path), Paging, Which, ("company" = Option<String>, Query)),
    responses((status = 200, body = Listed<RequestOfKey>), (status = 404, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<ChannelId>,
    Asked(paging): Asked<Paging>,
    Asked(asked): Asked<Which>,
) -> Result<Json<Listed<RequestOfKey>>, Problem> {
    let channel = found(&app, &tenant, &id).await?;
    let time = |text: Option<String>, field: &str| match text {
        Some(text) => Ok(Some(moment(&text, field)?.as_millisecond())),
        None => Ok::<_, Problem>(None),
    };
    let filter = rows::Filter {
        api_key: asked.key,
        status_min: asked.status_min,
        from_ms: time(asked.from, "from")?,
        until_ms: time(asked.until, "until")?,
    };
    let whose = (&tenant.company, &channel.id);
    let (pool, before) = (app.store.pool(), paging.after());
    let listed = rows::list(pool, whose, &filter, before, paging.limit()).await?;
    let place = |row: &rows::Request| row.id.to_string();
    Ok(Listed::of(listed, paging.limit(), place))
}

/// A path is as long as the asker likes; the log shows its beginning.
const WHAT_CHARS_MAX: usize = 100;

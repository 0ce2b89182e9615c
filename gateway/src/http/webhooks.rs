//! `/webhooks/{channel}`: where providers tell what happens on a channel.
//!
//! What is not proved to be theirs is refused and counted; what is theirs is on disk before it is
//! answered, and nothing is made of it before.

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, OriginalUri, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use channels::connector::{BODY_BYTES_MAX, Connector, Headers, Webhook};
use desk::id::{ChannelId, ReceiptId};
use store::channel_health::{self, Happened};
use store::channels::Channel;
use store::receipts::Receipt;

use super::App;
use super::problem::Problem;
use crate::channels::settings;

pub(super) fn routes() -> Router<App> {
    Router::new().route(
        "/webhooks/{channel}",
        get(handshake)
            .post(receive)
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX)),
    )
}

/// The channel of a path, if a provider may speak for it.
async fn spoken_for(app: &App, id: &str) -> Result<(Channel, Box<dyn Connector>), Problem> {
    let id: ChannelId = id.parse().map_err(|_| Problem::not_found())?;
    let channel = store::channels::of_work(app.store.pool(), &id).await?;
    let channel = channel.filter(|channel| !channel.disabled);
    let channel = channel.ok_or_else(Problem::not_found)?;
    let connector = settings::connector(&channel, &app.secrets);
    let connector = connector.map_err(|_| Problem::not_found())?;
    Ok((channel, connector))
}

/// The provider asks whether we are who we say.
async fn handshake(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<String, Problem> {
    let (_, connector) = spoken_for(&app, &id).await?;
    let answer = connector.handshake(&query.unwrap_or_default());
    answer.ok_or_else(Problem::forbidden)
}

async fn receive(
    State(app): State<App>,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body?;
    let (channel, connector) = spoken_for(&app, &id).await?;
    if !is_theirs(connector.as_ref(), (&uri.to_string(), &headers), &body) {
        let mut db = app.store.begin().await?;
        let now_ms = app.now_ms();
        channel_health::note(&mut db, &channel.id, Happened::Forged, now_ms).await?;
        db.commit().await?;
        tracing::warn!(channel = %channel.id, "a webhook was not the provider's");
        return Err(Problem::anonymous());
    }
    let receipt = Receipt {
        id: app.id(ReceiptId::new),
        channel: channel.id,
        instance: app.channels.instance().clone(),
        body: body.to_vec(),
        received_ms: app.now_ms(),
    };
    let kept = app.channels.keep(receipt).await;
    kept.map_err(|error| Problem::unavailable(&error).retry_after(RETRY_AFTER_S))?;
    let status = StatusCode::from_u16(connector.capabilities().acknowledge);
    Ok(status.unwrap_or(StatusCode::OK).into_response())
}

/// Whether the provider sent it. Some sign the address as well, and what stands before us may have taken
/// the TLS off.
fn is_theirs(connector: &dyn Connector, (path, all): (&str, &HeaderMap), body: &[u8]) -> bool {
    let text =
        |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Headers = all
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect();
    let host = all.get(header::HOST).map(text).unwrap_or_default();
    ["https", "http"].into_iter().any(|scheme| {
        let url = format!("{scheme}://{host}{path}");
        let webhook = Webhook {
            url: &url,
            headers: &headers,
            body,
        };
        connector.verify(&webhook).is_ok()
    })
}

/// As long as a restart of the database takes.
const RETRY_AFTER_S: u64 = 5;

//! `/health`: whether this process can do its work.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use media_engine_net::clock;
use serde::Serialize;
use std::time::Duration;

use super::App;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/health", get(health))
}

/// How this process is.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Health {
    /// Whether everything below works.
    healthy: bool,
    /// Whether the database answers.
    store: bool,
    /// Whether the task that owns the calls answers.
    telephony: bool,
    version: &'static str,
    uptime_s: u64,
}

/// Is it working?
///
/// 503 when it is not, for whoever sends traffic here.
#[utoipa::path(get, path = "/health", tag = "operation", security(()),
    responses((status = 200, body = Health), (status = 503, body = Health)))]
pub(super) async fn health(State(app): State<App>) -> (StatusCode, Json<Health>) {
    let store = tokio::time::timeout(PATIENCE, app.store.ping()).await;
    let telephony = tokio::time::timeout(PATIENCE, app.telephony.status()).await;
    let (store, telephony) = (matches!(store, Ok(Ok(()))), matches!(telephony, Ok(Ok(_))));
    let healthy = store && telephony;
    let status = if healthy {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let uptime_s = clock::now().duration_since(app.started).as_secs();
    let version = env!("CARGO_PKG_VERSION");
    (
        status,
        Json(Health {
            healthy,
            store,
            telephony,
            version,
            uptime_s,
        }),
    )
}

/// Longer than this nobody waits for an answer to "are you there".
const PATIENCE: Duration = Duration::from_secs(2);

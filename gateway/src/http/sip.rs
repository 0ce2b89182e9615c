//! `GET /sip`: SIP over WebSocket (RFC 7118) for pages that came from here.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::TokioIo;

use super::App;
use super::problem::Problem;

/// The one path.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/sip", get(handler))
}

/// Hands the socket to SIP. Whoever comes this way still has to authenticate as a device: no session, no
/// cookie and no API key counts here.
async fn handler(
    State(app): State<App>,
    ConnectInfo(remote): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Result<Response, Problem> {
    // HEAD is routed here, too.
    if request.method() != Method::GET {
        return Err(Problem::method());
    }
    let mut asked = axum::http::Request::new(());
    *asked.version_mut() = request.version();
    *asked.headers_mut() = request.headers().clone();
    let (response, guest) = match app.door.welcome(remote, &asked) {
        Ok(welcomed) => welcomed,
        Err(status) => return Ok(status.into_response()),
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let local = app.http;
    tokio::spawn(async move {
        // Whoever does not go on is not missed: the place is given back.
        if let Ok(stream) = upgrade.await {
            guest.serve(TokioIo::new(stream), local).await;
        }
    });
    Ok(response.map(|()| axum::body::Body::empty()))
}

//! What the simulator itself asks over HTTP: webhooks, handshakes and files. Plain HTTP only: the company
//! is a program on the same machine or network.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, SET_COOKIE, USER_AGENT};
use hyper::{HeaderMap, Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) mime: String,
    /// What the other side wants to be shown again.
    pub(super) cookie: String,
    pub(super) body: Vec<u8>,
}

/// Posts to an address and waits for the whole answer. An error says in words why there is none.
pub(super) async fn post(
    url: &str,
    headers: &[(String, String)],
    body: Vec<u8>,
    within: Duration,
) -> Result<Answer, String> {
    ask("POST", url, headers, body, within).await
}

/// Gets what is at an address.
pub(super) async fn get(url: &str, within: Duration) -> Result<Answer, String> {
    ask("GET", url, &[], vec![], within).await
}

/// Asks, and waits for the whole answer. An error says in words why there is none.
pub(super) async fn ask(
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: Vec<u8>,
    within: Duration,
) -> Result<Answer, String> {
    tokio::time::timeout(within, exchange(method, url, headers, body))
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {} ms", within.as_millis())))
}

async fn exchange(
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: Vec<u8>,
) -> Result<Answer, String> {
    let uri: Uri = url.parse().map_err(|_| format!("{url} is no address"))?;
    if uri.scheme_str() != Some("http") {
        return Err(format!("{url}: the simulator speaks plain http only"));
    }
    let authority = uri
        .authority()
        .ok_or_else(|| format!("{url} names no host"))?;
    let host = authority.host().trim_matches(['[', ']']);
    let port = authority.port_u16().unwrap_or(80);
    let stream = TcpStream::connect((host, port))
        .await
        .map_err(|error| format!("{authority}: {error}"))?;
    let request = request(method, &uri, headers, body).map_err(|error| error.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    // Whatever becomes of the connection, the answer says it.
    let connection = tokio::spawn(connection);
    let answer = answer(&mut sender, request).await;
    connection.abort();
    answer
}

async fn answer(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<Answer, String> {
    let response = sender.send_request(request).await;
    let (parts, body) = response.map_err(|error| error.to_string())?.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| error.to_string())?;
    Ok(Answer {
        status: parts.status.as_u16(),
        mime: text(&parts.headers, CONTENT_TYPE),
        cookie: text(&parts.headers, SET_COOKIE),
        body: body.to_bytes().to_vec(),
    })
}

fn text(headers: &HeaderMap, name: HeaderName) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

fn request(
    method: &str,
    uri: &Uri,
    headers: &[(String, String)],
    body: Vec<u8>,
) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, host)
        .header(USER_AGENT, "ramal-sim");
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        request = request.header(name, HeaderValue::from_str(value)?);
    }
    request.body(Full::new(Bytes::from(body)))
}

/// The largest file that WhatsApp carries, and something.
const ANSWER_BYTES_MAX: usize = 110 << 20;

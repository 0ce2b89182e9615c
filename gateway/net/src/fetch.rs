//! Asking other systems over HTTP, without ever asking ourselves.
//!
//! An address in a flow is written by a company's administrator and filled in by a caller's keys.
//! So it is resolved first, every address is judged, and the connection goes to the very address
//! that was judged: a name that answers differently the second time gains nothing. Redirects are
//! not followed, but for files ([`Fetcher::download`]), where each hop is judged again.

mod download;
mod guard;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use channels::connector::Headers;
use channels::send::{self, HeaderValue as Shown, Method as Asked};
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request as HttpRequest, Uri};
use hyper_util::rt::TokioIo;
use ivr::machine::{FETCHED_BYTES_MAX, FetchFailure, Fetched, Request};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub use download::DownloadFailure;
pub use guard::is_inside;
use guard::{Names, is_port_for_http};

/// Asks other systems; clones share what they know.
#[derive(Clone)]
pub struct Fetcher {
    tls: TlsConnector,
    inside: Inside,
    names: Names,
}

/// Whether addresses inside the house may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inside {
    /// Never: private, loopback and link-local addresses are refused.
    Refused,
    /// These alone: the operator has written them down. The list lives as long as the program.
    Only(&'static [SocketAddr]),
    /// Yes: the operator wrote the address, or a test's server is there.
    Allowed,
}

impl Inside {
    /// Whether an address may be asked.
    pub(crate) fn permits(self, address: SocketAddr) -> bool {
        match self {
            Self::Refused => !is_inside(address.ip()),
            Self::Only(known) => !is_inside(address.ip()) || known.contains(&address),
            Self::Allowed => true,
        }
    }
}

/// How long an answer may take, and how large it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the look-up of the name to the last byte.
    pub time: Duration,
    /// Of the body.
    pub bytes: usize,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Fetcher({:?})", self.inside)
    }
}

impl Fetcher {
    /// Trusts the authorities that this machine trusts.
    pub fn new(inside: Inside) -> Self {
        Self {
            tls: trusting(),
            inside,
            names: Names::System,
        }
    }

    /// Asks, and waits for the whole answer.
    ///
    /// # Errors
    ///
    /// [`FetchFailure`] says why there is none.
    pub async fn fetch(&self, request: &Request) -> Result<Fetched, FetchFailure> {
        let limits = Limits {
            time: request.timeout.min(TIMEOUT_MAX),
            bytes: FETCHED_BYTES_MAX,
        };
        self.fetch_within(request, limits).await
    }

    /// Asks within limits other than those of a flow, which the request's own time does not lower.
    ///
    /// # Errors
    ///
    /// [`FetchFailure`] says why there is no answer.
    pub async fn fetch_within(
        &self,
        request: &Request,
        limits: Limits,
    ) -> Result<Fetched, FetchFailure> {
        tokio::time::timeout(limits.time, self.ask(request, limits.bytes))
            .await
            .unwrap_or(Err(FetchFailure::TimedOut))
    }

    /// Asks what a channel's connector wants asked. `now_ms` is milliseconds since 1970 (UTC), for who
    /// answers until when to wait.
    ///
    /// # Errors
    ///
    /// [`Unanswered`] says whether it may have been carried out all the same.
    pub async fn carry_out(
        &self,
        request: &send::Request,
        limits: Limits,
        now_ms: i64,
    ) -> Result<send::Response, Unanswered> {
        // Set before the first byte leaves.
        let written = AtomicBool::new(false);
        let asking = async {
            let uri: Uri = request.url.parse().map_err(|_| FetchFailure::Refused)?;
            let message = channel_message(request, &uri)?;
            let stream = self.open(&uri).await?;
            answer_to(stream, message, limits.bytes, &written, now_ms).await
        };
        let answer = tokio::time::timeout(limits.time, asking).await;
        let answer = answer.unwrap_or(Err(FetchFailure::TimedOut));
        answer.map_err(|why| match written.load(Ordering::Relaxed) {
            true => Unanswered::Unknown(why),
            false => Unanswered::NotSent(why),
        })
    }

    async fn ask(&self, request: &Request, bytes_max: usize) -> Result<Fetched, FetchFailure> {
        let uri: Uri = request.url.parse().map_err(|_| FetchFailure::Refused)?;
        let message = message(request, &uri)?;
        let stream = self.open(&uri).await?;
        exchange(stream, message, bytes_max).await
    }

    /// Connects with whom a link names, if that is not us.
    async fn open(&self, uri: &Uri) -> Result<Box<dyn Stream>, FetchFailure> {
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(FetchFailure::Refused),
        };
        let authority = uri.authority().ok_or(FetchFailure::Refused)?;
        if authority.as_str().contains('@') {
            return Err(FetchFailure::Refused);
        }
        let host = authority.host().trim_matches(['[', ']']);
        let port = authority
            .port_u16()
            .unwrap_or(if secure { 443 } else { 80 });
        let stream = self.connect(host, port).await?;
        if !secure {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| FetchFailure::Refused)?;
        let stream = self.tls.connect(name, stream).await;
        Ok(Box::new(stream.map_err(|_| FetchFailure::Unreachable)?))
    }

    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, FetchFailure> {
        if self.inside != Inside::Allowed && !is_port_for_http(port) {
            return Err(FetchFailure::Refused);
        }
        let found = self.names.look_up(host, port).await;
        let addresses: Vec<SocketAddr> = found.map_err(|_| FetchFailure::Unreachable)?;
        // One address inside is enough to refuse: the name is not honest.
        let is_honest = addresses
            .iter()
            .all(|address| self.inside.permits(*address));
        if addresses.is_empty() || !is_honest {
            return Err(FetchFailure::Refused);
        }
        for address in addresses {
            if let Ok(stream) = TcpStream::connect(address).await {
                return Ok(stream);
            }
        }
        Err(FetchFailure::Unreachable)
    }
}

/// Makes secured connections to who proves to be who they say, to the authorities of this machine.
pub(crate) fn trusting() -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "an authority of this machine cannot be read");
    }
    roots.add_parsable_certificates(found.certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap_or_else(|error| unreachable!("ring has the default versions: {error}"));
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

/// A connection, secured or not.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Why there is no answer, as far as it says whether to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Nothing was asked: it surely was not carried out.
    NotSent(FetchFailure),
    /// It was asked, or some of it: it may have been carried out.
    Unknown(FetchFailure),
}

fn channel_message(
    request: &send::Request,
    uri: &Uri,
) -> Result<HttpRequest<Full<Bytes>>, FetchFailure> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut message = HttpRequest::new(Full::new(Bytes::from(request.body.clone())));
    *message.method_mut() = match request.method {
        Asked::Get => Method::GET,
        Asked::Post => Method::POST,
        Asked::Put => Method::PUT,
        Asked::Delete => Method::DELETE,
    };
    *message.uri_mut() = target.parse().map_err(|_| FetchFailure::Refused)?;
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let value = |text: &str| HeaderValue::from_str(text).map_err(|_| FetchFailure::Refused);
    let headers = message.headers_mut();
    headers.insert(HOST, value(authority)?);
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    for header in &request.headers {
        let name: HeaderName = header.name.parse().map_err(|_| FetchFailure::Refused)?;
        let text = match &header.value {
            Shown::Plain(text) => value(text)?,
            Shown::Secret(secret) => {
                let mut text = value(secret.expose())?;
                text.set_sensitive(true);
                text
            }
        };
        headers.insert(name, text);
    }
    Ok(message)
}

async fn answer_to(
    stream: Box<dyn Stream>,
    message: HttpRequest<Full<Bytes>>,
    bytes_max: usize,
    written: &AtomicBool,
    now_ms: i64,
) -> Result<send::Response, FetchFailure> {
    let unreachable = |_| FetchFailure::Unreachable;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(unreachable)?;
    let connection = AbortOnDrop(tokio::spawn(connection));
    written.store(true, Ordering::Relaxed);
    let answer = sender.send_request(message).await.map_err(unreachable)?;
    let status = answer.status().as_u16();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Headers = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect();
    let body = Limited::new(answer.into_body(), bytes_max).collect().await;
    drop(connection);
    match body {
        Ok(body) => Ok(send::Response {
            status,
            retry_after_ms: send::wait_ms(&headers, now_ms),
            body: body.to_bytes().to_vec(),
        }),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(FetchFailure::TooLarge),
        Err(_) => Err(FetchFailure::Unreachable),
    }
}

/// The task of a connection ends with who asked.
struct AbortOnDrop(tokio::task::JoinHandle<Result<(), hyper::Error>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn message(request: &Request, uri: &Uri) -> Result<HttpRequest<Full<Bytes>>, FetchFailure> {
    let method = match request.method {
        ivr::Method::Get => Method::GET,
        ivr::Method::Post => Method::POST,
        ivr::Method::Put => Method::PUT,
        ivr::Method::Patch => Method::PATCH,
        ivr::Method::Delete => Method::DELETE,
    };
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let body = Full::new(Bytes::from(request.body.clone().unwrap_or_default()));
    let mut message = HttpRequest::new(body);
    *message.method_mut() = method;
    *message.uri_mut() = target.parse().map_err(|_| FetchFailure::Refused)?;
    let headers = message.headers_mut();
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    headers.insert(
        HOST,
        HeaderValue::from_str(authority).map_err(|_| FetchFailure::Refused)?,
    );
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    if request.body.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for (name, value) in &request.headers {
        let name: HeaderName = name.parse().map_err(|_| FetchFailure::Refused)?;
        let value = HeaderValue::from_str(value).map_err(|_| FetchFailure::Refused)?;
        if name != HOST {
            headers.insert(name, value);
        }
    }
    Ok(message)
}

async fn exchange(
    stream: Box<dyn Stream>,
    message: HttpRequest<Full<Bytes>>,
    bytes_max: usize,
) -> Result<Fetched, FetchFailure> {
    let unreachable = |_| FetchFailure::Unreachable;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(unreachable)?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(message).await.map_err(unreachable)?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), bytes_max).collect().await;
    connection.abort();
    match body {
        Ok(body) => Ok(Fetched {
            status,
            body: body.to_bytes().to_vec(),
        }),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(FetchFailure::TooLarge),
        Err(_) => Err(FetchFailure::Unreachable),
    }
}

const AGENT: &str = concat!("Ramal/", env!("CARGO_PKG_VERSION"));

/// A caller hears silence meanwhile: nobody waits longer, whatever the flow says.
const TIMEOUT_MAX: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str) -> Request {
        Request {
            method: ivr::Method::Get,
            url: url.to_owned(),
            headers: vec![],
            body: None,
            timeout: Duration::from_secs(2),
        }
    }

    #[tokio::test]
    async fn no_spelling_of_an_address_inside_is_asked() {
        let fetcher = Fetcher::new(Inside::Refused);
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://0/",
            "http://0.0.0.0:8080/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://169.254.169.254/latest/meta-data",
            "http://100.64.0.1/",
            "http://10.0.0.1/",
            "http://localhost/",
            "http://user@127.0.0.1/",
            "file:///etc/passwd",
            "gopher://127.0.0.1/",
            "//127.0.0.1/",
            "",
        ] {
            let answer = fetcher.fetch(&request(url)).await;
            // A name that no resolver knows cannot be asked either.
            assert!(
                matches!(
                    answer,
                    Err(FetchFailure::Refused | FetchFailure::Unreachable)
                ),
                "{url}: {answer:?}"
            );
        }
    }

    #[tokio::test]
    async fn what_the_operator_wrote_down_is_asked_and_nothing_else_inside() {
        let known: SocketAddr = "127.0.0.1:8090".parse().expect("an address");
        let known: &'static [SocketAddr] = Box::leak(Box::new([known]));
        let inside = Inside::Only(known);
        let permits = |address: &str| inside.permits(address.parse().expect("an address"));
        assert!(permits("127.0.0.1:8090"));
        assert!(!permits("127.0.0.1:8091") && !permits("127.0.0.2:8090"));
        assert!(permits("198.51.200.7:443"));
        let fetcher = Fetcher::new(inside);
        let refused = fetcher.fetch(&request("http://127.0.0.1:8091/")).await;
        assert!(matches!(refused, Err(FetchFailure::Refused)), "{refused:?}");
    }

    #[tokio::test]
    async fn an_answer_is_read_and_one_that_is_too_large_is_not() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            for length in [2, FETCHED_BYTES_MAX + 1] {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let mut asked = vec![0; 1024];
                let read = stream.read(&mut asked).await.expect("a request");
                assert!(asked[..read].starts_with(b"GET /x?a=1 HTTP/1.1\r\n"));
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(&vec![b'1'; length]).await;
            }
        });
        let fetcher = Fetcher::new(Inside::Allowed);
        let url = format!("http://{address}/x?a=1");
        let answer = fetcher.fetch(&request(&url)).await.expect("an answer");
        assert_eq!((answer.status, answer.body), (200, b"11".to_vec()));
        let answer = fetcher.fetch(&request(&url)).await;
        assert!(matches!(answer, Err(FetchFailure::TooLarge)), "{answer:?}");
    }
}

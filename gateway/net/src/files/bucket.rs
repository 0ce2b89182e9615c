//! A bucket of S3, or of a server that speaks like it, over the same HTTP as everything else here.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::Uri;
use hyper::header::{HOST, HeaderValue};
use hyper_util::rt::TokioIo;
use object_store::aws::AmazonS3Builder;
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use object_store::{ObjectStore, RetryConfig};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::fetch::trusting;

/// Where a bucket is, and how it is opened. Nothing of it prints the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Bucket {
    /// `https://host[:port]` of the server; Amazon's own of the region where there is none.
    pub endpoint: Option<String>,
    /// The name of the bucket.
    pub name: String,
    /// The region, which is signed; a server of one's own mostly takes any.
    pub region: String,
    /// The id of the key.
    pub key_id: String,
    /// The key.
    pub key: String,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = self.endpoint.as_deref().unwrap_or("s3");
        write!(formatter, "Bucket({} at {endpoint})", self.name)
    }
}

/// Why a bucket cannot be used as it was set.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// The folder in which files grow.
    #[error("the disk: {0}")]
    Disk(#[from] io::Error),
    /// A value is not what it should be.
    #[error("the bucket: {0}")]
    Settings(#[from] object_store::Error),
}

impl Bucket {
    pub(super) fn open(&self) -> Result<Arc<dyn ObjectStore>, BucketError> {
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&self.name)
            .with_region(&self.region)
            .with_access_key_id(&self.key_id)
            .with_secret_access_key(&self.key)
            // The operator wrote the address: a server beside this one needs no TLS.
            .with_allow_http(true)
            .with_retry(RetryConfig {
                max_retries: RETRIES_MAX,
                retry_timeout: RETRY_TIME_MAX,
                ..RetryConfig::default()
            })
            .with_http_connector(Connector);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        Ok(Arc::new(builder.build()?))
    }
}

/// Makes clients for `object_store`, which brings none of its own here.
#[derive(Debug)]
struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Client { tls: trusting() }))
    }
}

/// One connection a request: files are few and large beside what a connection costs.
struct Client {
    tls: TlsConnector,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Client")
    }
}

#[async_trait::async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let asked = tokio::time::timeout(REQUEST_TIME_MAX, self.ask(request)).await;
        asked.unwrap_or_else(|late| Err(HttpError::new(HttpErrorKind::Timeout, late)))
    }
}

impl Client {
    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let uri = request.uri().clone();
        let host = uri
            .host()
            .ok_or_else(|| no_way("the address has no host"))?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = TcpStream::connect((host.as_str(), port)).await;
        let stream = stream.map_err(|error| HttpError::new(HttpErrorKind::Connect, error))?;
        if !secure {
            return exchange(stream, request, &uri).await;
        }
        let name = ServerName::try_from(host).map_err(|_| no_way("the host is no name"))?;
        let stream = self.tls.connect(name, stream).await;
        let stream = stream.map_err(|error| HttpError::new(HttpErrorKind::Connect, error))?;
        exchange(stream, request, &uri).await
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    mut request: HttpRequest,
    uri: &Uri,
) -> Result<HttpResponse, HttpError> {
    let failed = |error| HttpError::new(HttpErrorKind::Interrupted, error);
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(failed)?;
    // It ends with the answer, or when that is dropped.
    tokio::spawn(connection);
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let authority = HeaderValue::from_str(authority).map_err(|_| no_way("the host is no name"))?;
    request.headers_mut().insert(HOST, authority);
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    *request.uri_mut() = target.parse().map_err(|_| no_way("the path is none"))?;
    let answer = sender.send_request(request).await.map_err(failed)?;
    Ok(answer.map(|body| HttpResponseBody::new(body.map_err(failed))))
}

fn no_way(why: &'static str) -> HttpError {
    HttpError::new(HttpErrorKind::Request, io::Error::other(why))
}

/// Up to the head of the answer; the largest part that is sent has 10 MB.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(60);

/// Whoever asks tries again, or tells.
const RETRIES_MAX: usize = 3;

/// The same.
const RETRY_TIME_MAX: Duration = Duration::from_secs(90);

#[cfg(test)]
pub(super) mod tests {
    use std::net::TcpListener;
    use std::process::{Child, Command, Stdio};
    use std::time::Instant;

    use super::*;

    /// A server of S3 of another make, which the test starts: `moto_server`, where it is there.
    pub(in crate::files) struct Server {
        process: Child,
        port: u16,
    }

    impl Server {
        /// A server with the bucket `ramal` in it; none where there is no such program.
        pub(in crate::files) async fn start() -> Option<Self> {
            // The port is free again when the listener is dropped, at once.
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let port = listener.local_addr().expect("an address").port();
            drop(listener);
            let process = Command::new("moto_server")
                .args(["-H", "127.0.0.1", "-p", &port.to_string()])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            // Nothing installs it: where there is none, a store in memory has held the same to its word.
            let process = process.ok()?;
            let mut server = Self { process, port };
            server.make_bucket().await.then_some(server)
        }

        pub(in crate::files) fn bucket(&self, key: &str) -> Bucket {
            Bucket {
                endpoint: Some(format!("http://127.0.0.1:{}", self.port)),
                name: "ramal".to_owned(),
                region: "sa-east-1".to_owned(),
                key_id: "teste".to_owned(),
                key: key.to_owned(),
            }
        }

        /// Whether it came up: a name may be there without its program.
        async fn make_bucket(&mut self) -> bool {
            let begun = Instant::now();
            loop {
                let client = Client { tls: trusting() };
                let url = format!("http://127.0.0.1:{}/ramal", self.port);
                let request = hyper::Request::put(url)
                    .header("x-amz-bucket-region", "us-east-1")
                    .body(Vec::new().into())
                    .expect("a request");
                match client.ask(request).await {
                    Ok(answer) if answer.status().is_success() => return true,
                    Ok(_) | Err(_) => {}
                }
                if self.process.try_wait().is_ok_and(|ended| ended.is_some()) {
                    return false;
                }
                assert!(
                    begun.elapsed() < STARTS_WITHIN,
                    "the server does not come up"
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    impl Drop for Server {
        fn drop(&mut self) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }

    /// A large program in Python, on a busy machine.
    const STARTS_WITHIN: Duration = Duration::from_secs(60);

    #[test]
    fn the_key_of_a_bucket_is_not_printed() {
        let bucket = Bucket {
            endpoint: None,
            name: "ramal".to_owned(),
            region: "sa-east-1".to_owned(),
            key_id: "teste".to_owned(),
            key: "segredo".to_owned(),
        };
        assert_eq!(format!("{bucket:?}"), "Bucket(ramal at s3)");
        let opened = bucket.open().expect("a bucket");
        assert!(!format!("{opened:?}").contains("segredo"), "{opened:?}");
    }
}

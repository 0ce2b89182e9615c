//! Fetching a file into the store: as it comes, with a cap on its length and on the time it takes.

use std::time::Duration;

use channels::send::{self, HeaderValue, Method};
use http_body_util::BodyExt as _;
use hyper::body::Incoming as Body;
use hyper::header::HeaderValue as Value;
use hyper::header::{ACCEPT_ENCODING, CONTENT_LENGTH, LOCATION};
use hyper::{Response, Uri};
use hyper_util::rt::TokioIo;
use ivr::machine::FetchFailure;
use url::Url;

use super::{AbortOnDrop, Fetcher, channel_message};
use crate::files::{FilesError, Incoming, Stored};

/// Why a file was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum DownloadFailure {
    /// Whoever has it could not be asked, may not be, or was not done in time.
    #[error("the file was not fetched: {0:?}")]
    Fetch(FetchFailure),
    /// Whoever has it did not give it: the status of HTTP.
    #[error("the file was not given: {0}")]
    Status(u16),
    /// It is too long, or the store did not take it.
    #[error(transparent)]
    Files(#[from] FilesError),
}

impl From<FetchFailure> for DownloadFailure {
    fn from(failure: FetchFailure) -> Self {
        Self::Fetch(failure)
    }
}

impl DownloadFailure {
    /// Whether another try may end otherwise.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Fetch(FetchFailure::Unreachable | FetchFailure::TimedOut) => true,
            Self::Fetch(_) | Self::Files(FilesError::TooLarge(_)) => false,
            Self::Status(status) => *status >= 500 || matches!(status, 408 | 425 | 429),
            Self::Files(FilesError::Disk(_) | FilesError::Bucket(_)) => true,
        }
    }
}

impl Fetcher {
    /// Fetches what a connector wants fetched, all of it within `time`. Where the file is elsewhere, we
    /// go there, some times; each address is judged like the first, and secret headers stay with the
    /// host for which they are.
    ///
    /// # Errors
    ///
    /// [`DownloadFailure`].
    pub async fn download(
        &self,
        request: &send::Request,
        into: Incoming,
        time: Duration,
    ) -> Result<Stored, DownloadFailure> {
        let fetching = tokio::time::timeout(time, self.follow(request.clone(), into));
        fetching.await.unwrap_or(Err(FetchFailure::TimedOut.into()))
    }

    async fn follow(
        &self,
        mut request: send::Request,
        into: Incoming,
    ) -> Result<Stored, DownloadFailure> {
        for _ in 0..HOPS_MAX {
            let (answer, connection) = self.head(&request).await?;
            let status = answer.status();
            if status.is_success() {
                let stored = take(answer, into).await;
                drop(connection);
                return stored;
            }
            let elsewhere = answer
                .headers()
                .get(LOCATION)
                .filter(|_| status.is_redirection());
            match elsewhere {
                Some(there) if request.method == Method::Get => request = moved(request, there)?,
                Some(_) | None => return Err(DownloadFailure::Status(status.as_u16())),
            }
        }
        Err(FetchFailure::Refused.into())
    }

    async fn head(
        &self,
        request: &send::Request,
    ) -> Result<(Response<Body>, AbortOnDrop), FetchFailure> {
        let unreachable = |_| FetchFailure::Unreachable;
        let uri: Uri = request.url.parse().map_err(|_| FetchFailure::Refused)?;
        let mut message = channel_message(request, &uri)?;
        // Nothing small that becomes large.
        let plain = Value::from_static("identity");
        message.headers_mut().insert(ACCEPT_ENCODING, plain);
        let stream = self.open(&uri).await?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(unreachable)?;
        let connection = AbortOnDrop(tokio::spawn(connection));
        let answer = sender.send_request(message).await.map_err(unreachable)?;
        Ok((answer, connection))
    }
}

async fn take(answer: Response<Body>, mut into: Incoming) -> Result<Stored, DownloadFailure> {
    let told = answer.headers().get(CONTENT_LENGTH);
    let told = told.and_then(|told| told.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|told| told > into.bytes_max()) {
        return Err(FilesError::TooLarge(into.bytes_max()).into());
    }
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| FetchFailure::Unreachable)?;
        if let Some(piece) = frame.data_ref() {
            into.write(piece).await?;
        }
    }
    Ok(into.finish().await?)
}

/// The same, asked there.
fn moved(request: send::Request, there: &Value) -> Result<send::Request, FetchFailure> {
    let refused = |_| FetchFailure::Refused;
    let here = Url::parse(&request.url).map_err(refused)?;
    let there = there.to_str().map_err(|_| FetchFailure::Refused)?;
    let there = here.join(there).map_err(refused)?;
    if here.scheme() == "https" && there.scheme() != "https" {
        return Err(FetchFailure::Refused);
    }
    let mut request = request;
    if there.origin() != here.origin() {
        let is_for_all = |header: &send::Header| matches!(header.value, HeaderValue::Plain(_));
        request.headers.retain(is_for_all);
    }
    request.url = there.to_string();
    Ok(request)
}

/// Providers send from their API to a server of files, some by way of another.
const HOPS_MAX: u32 = 4;

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::{Arc, Mutex};

    use send::Request;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::super::Inside;
    use super::*;
    use crate::files::Files;

    /// Answers each connection with the next of these, and keeps what was asked.
    struct Server {
        address: SocketAddr,
        asked: Arc<Mutex<Vec<String>>>,
    }

    impl Server {
        async fn start(answers: Vec<String>) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("an address");
            let asked = Arc::new(Mutex::new(vec![]));
            let notes = asked.clone();
            tokio::spawn(async move {
                for answer in answers {
                    let (mut stream, _) = listener.accept().await.expect("a connection");
                    let mut bytes = vec![0; 4096];
                    let read = stream.read(&mut bytes).await.expect("a request");
                    let text = String::from_utf8_lossy(&bytes[..read]).to_lowercase();
                    notes.lock().expect("no panic").push(text);
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
                // The last stays silent, and there.
                std::future::pending::<()>().await;
            });
            Self { address, asked }
        }

        fn url(&self, path: &str) -> String {
            format!("http://{}{path}", self.address)
        }

        fn asked(&self) -> Vec<String> {
            self.asked.lock().expect("no panic").clone()
        }
    }

    fn found(body: &str) -> String {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    fn elsewhere(there: &str) -> String {
        format!("HTTP/1.1 302 Found\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n")
    }

    async fn store() -> (tempfile::TempDir, Files) {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files::on_disk(folder.path()).await.expect("a store");
        (folder, files)
    }

    const LONG: Duration = Duration::from_secs(20);

    async fn download(files: &Files, url: String) -> Result<Stored, DownloadFailure> {
        let request =
            Request::new(Method::Get, url).secret_header("authorization", "Bearer s3cret");
        let into = files.incoming(100).await.expect("begun");
        Fetcher::new(Inside::Allowed)
            .download(&request, into, LONG)
            .await
    }

    #[tokio::test]
    async fn a_file_comes_into_the_store_and_secrets_stay_with_their_host() {
        let (_folder, files) = store().await;
        let other = Server::start(vec![found("oi, arquivo")]).await;
        let server = Server::start(vec![elsewhere("/b"), elsewhere(&other.url("/c"))]).await;
        let stored = download(&files, server.url("/a")).await.expect("fetched");
        assert_eq!((stored.bytes, stored.mime), (11, "text/plain"));
        let read = files.read(&stored.hash, 100).await.expect("read");
        assert_eq!(read.as_deref(), Some(&b"oi, arquivo"[..]));
        let asked = server.asked();
        assert!(asked[0].starts_with("get /a ") && asked[1].starts_with("get /b "));
        assert!(
            asked
                .iter()
                .all(|asked| asked.contains("authorization: bearer s3cret"))
        );
        assert!(!other.asked()[0].contains("s3cret"), "{:?}", other.asked());
        assert!(other.asked()[0].contains("accept-encoding: identity"));
    }

    #[tokio::test]
    async fn a_secret_that_was_left_behind_does_not_come_back() {
        let (_folder, files) = store().await;
        let home = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let back = format!("http://{}/back", home.local_addr().expect("an address"));
        let other = Server::start(vec![elsewhere(&back)]).await;
        let there = other.url("/");
        let asked = tokio::spawn(async move {
            let mut asked = vec![];
            for answer in [elsewhere(&there), found("x")] {
                let (mut stream, _) = home.accept().await.expect("a connection");
                let mut bytes = vec![0; 4096];
                let read = stream.read(&mut bytes).await.expect("a request");
                asked.push(String::from_utf8_lossy(&bytes[..read]).into_owned());
                stream.write_all(answer.as_bytes()).await.expect("written");
            }
            asked
        });
        let first = back.replace("/back", "/first");
        download(&files, first).await.expect("fetched");
        let asked = asked.await.expect("no panic");
        assert!(
            asked[0].contains("s3cret") && !asked[1].contains("s3cret"),
            "{asked:?}"
        );
    }

    #[tokio::test]
    async fn every_hop_is_judged() {
        // What the judgement of the first address would say of these, it says of the second.
        let start = Request::new(Method::Get, "https://a.example/x");
        for there in [
            "http://127.0.0.1/",
            "http://a.example/x",
            "file:///etc/passwd",
            "gopher://a/",
            "http://[",
        ] {
            let there = Value::from_str(there).expect("a header");
            let next = moved(start.clone(), &there);
            assert!(
                matches!(next, Err(FetchFailure::Refused)),
                "{there:?}: {next:?}"
            );
        }
        let outside = Fetcher::new(Inside::Refused);
        let (_folder, files) = store().await;
        for there in [
            "https://127.0.0.1/",
            "//127.0.0.1/",
            "https://2130706433/",
            "https://[::1]/",
        ] {
            let there = Value::from_str(there).expect("a header");
            let next = moved(start.clone(), &there).expect("a request");
            let into = files.incoming(100).await.expect("begun");
            let fetched = outside.download(&next, into, LONG).await;
            let refused = matches!(fetched, Err(DownloadFailure::Fetch(FetchFailure::Refused)));
            assert!(refused, "{next:?}: {fetched:?}");
        }
    }

    #[tokio::test]
    async fn redirects_have_an_end() {
        let (_folder, files) = store().await;
        let server = Server::start(vec![elsewhere("/"); 10]).await;
        let fetched = download(&files, server.url("/")).await;
        assert!(matches!(
            fetched,
            Err(DownloadFailure::Fetch(FetchFailure::Refused))
        ));
        assert_eq!(server.asked().len(), HOPS_MAX as usize);
    }

    #[tokio::test]
    async fn what_is_too_long_breaks_off_or_is_not_there_is_not_stored() {
        let (folder, files) = store().await;
        let long = "x".repeat(101);
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let endless = format!("{chunked}65\r\n{long}\r\n");
        let cut = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nabc".to_owned();
        let gone = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned();
        let server = Server::start(vec![found(&long), endless, cut, gone]).await;
        for _ in 0..2 {
            let fetched = download(&files, server.url("/")).await;
            let too_large = matches!(
                fetched,
                Err(DownloadFailure::Files(FilesError::TooLarge(100)))
            );
            assert!(too_large, "{fetched:?}");
        }
        let fetched = download(&files, server.url("/"))
            .await
            .expect_err("cut off");
        assert!(fetched.may_pass(), "{fetched:?}");
        let fetched = download(&files, server.url("/"))
            .await
            .expect_err("not there");
        assert!(matches!(fetched, DownloadFailure::Status(404)) && !fetched.may_pass());
        let left: Vec<_> = std::fs::read_dir(folder.path().join("unfinished"))
            .expect("there")
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[tokio::test]
    async fn whoever_is_slow_is_left() {
        let (_folder, files) = store().await;
        let server = Server::start(vec![]).await;
        let request = Request::new(Method::Get, server.url("/"));
        let into = files.incoming(100).await.expect("begun");
        let short = Duration::from_millis(100);
        let fetched = Fetcher::new(Inside::Allowed)
            .download(&request, into, short)
            .await;
        assert!(matches!(
            fetched,
            Err(DownloadFailure::Fetch(FetchFailure::TimedOut))
        ));
    }
}

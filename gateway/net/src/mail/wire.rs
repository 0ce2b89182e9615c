//! A connection to a server that speaks in lines, with limits to all that it says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use rustls::RootCertStore;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::error::{Cause, Error, Step};
use super::tls::{self, Certificate};

/// Either a socket or TLS upon one.
trait Duplex: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Duplex for T {}

/// A connection. After an error it is not to be used any more.
pub(super) struct Wire {
    /// Taken while TLS is agreed upon.
    stream: Option<Box<dyn Duplex>>,
    /// What came and was not read.
    buffer: BytesMut,
    /// How far the conversation is: errors are told with it.
    pub(super) step: Step,
    /// How long an answer may take.
    pub(super) patience: Duration,
    /// Our end of it.
    pub(super) local: Option<SocketAddr>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, patience: Duration) -> Self {
        Self {
            local: stream.local_addr().ok(),
            stream: Some(Box::new(stream)),
            buffer: BytesMut::new(),
            step: Step::Greeting,
            patience,
        }
    }

    /// Goes on by TLS.
    ///
    /// What a server sent before, beyond its yes, is not its own: somebody in between wrote it, to have
    /// it taken for what came by TLS. The conversation ends.
    pub(super) async fn secure(
        &mut self,
        roots: &Arc<RootCertStore>,
        name: ServerName<'static>,
    ) -> Result<Option<Certificate>, Error> {
        if !self.buffer.is_empty() {
            return Err(self.misbehaved("words before TLS that are to seem to be within it"));
        }
        let stream = self.stream.take().ok_or_else(|| self.ended())?;
        let deadline = self.deadline();
        let agreed = timeout_at(deadline, tls::handshake(roots, name, stream)).await;
        let (stream, certificate) = agreed
            .map_err(|_| Cause::TimedOut.at(self.step))?
            .map_err(|cause| cause.at(self.step))?;
        self.stream = Some(Box::new(stream));
        Ok(certificate)
    }

    /// Sends.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let deadline = self.deadline() + transfer_time(bytes.len());
        let step = self.step;
        let ended = self.ended();
        let stream = self.stream.as_mut().ok_or(ended)?;
        let sent = timeout_at(deadline, async {
            stream.write_all(bytes).await?;
            stream.flush().await
        });
        match sent.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Cause::Lost(error.to_string()).at(step)),
            Err(_) => Err(Cause::TimedOut.at(step)),
        }
    }

    /// The next line, without its end. `bytes_max` is the most that it may have.
    pub(super) async fn line(&mut self, bytes_max: usize) -> Result<Vec<u8>, Error> {
        self.line_before(self.deadline(), bytes_max).await
    }

    /// The same, to be there at `deadline`.
    pub(super) async fn line_before(
        &mut self,
        deadline: Instant,
        bytes_max: usize,
    ) -> Result<Vec<u8>, Error> {
        let mut searched = 0;
        loop {
            let fresh = self.buffer.get(searched..).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', fresh) {
                let mut line = self.buffer.split_to(searched + at);
                self.buffer.advance(1);
                if line.last() == Some(&b'\r') {
                    line.truncate(line.len() - 1);
                }
                return Ok(line.to_vec());
            }
            searched = self.buffer.len();
            if searched > bytes_max {
                return Err(Cause::TooLarge(bytes_max).at(self.step));
            }
            self.more(deadline).await?;
        }
    }

    /// The next `length` bytes. The caller has judged the length.
    pub(super) async fn exactly(&mut self, length: usize) -> Result<Vec<u8>, Error> {
        let deadline = self.deadline() + transfer_time(length);
        while self.buffer.len() < length {
            self.more(deadline).await?;
        }
        Ok(self.buffer.split_to(length).to_vec())
    }

    /// When an answer that is waited for from now on must be there.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.patience
    }

    /// An error of a server that breaks the rules.
    pub(super) fn misbehaved(&self, what: impl Into<String>) -> Error {
        Cause::Misbehaved(what.into()).at(self.step)
    }

    async fn more(&mut self, deadline: Instant) -> Result<(), Error> {
        let step = self.step;
        let ended = self.ended();
        let stream = self.stream.as_mut().ok_or(ended)?;
        self.buffer.reserve(READ_BYTES);
        match timeout_at(deadline, stream.read_buf(&mut self.buffer)).await {
            Ok(Ok(0)) => Err(Cause::Lost("closed by the server".to_owned()).at(step)),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Cause::Lost(error.to_string()).at(step)),
            Err(_) => Err(Cause::TimedOut.at(step)),
        }
    }

    fn ended(&self) -> Error {
        Cause::Lost("TLS failed".to_owned()).at(self.step)
    }
}

/// What many bytes may take beyond one answer's time.
pub(super) fn transfer_time(bytes: usize) -> Duration {
    Duration::from_secs((bytes / BYTES_A_SECOND_MIN) as u64)
}

/// A slower line does not carry a mail with a picture before the server's own patience ends.
const BYTES_A_SECOND_MIN: usize = 16 * 1024;
/// What is read at once.
const READ_BYTES: usize = 16 * 1024;

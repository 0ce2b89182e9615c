//! SIP over a byte stream: TCP, or TLS over it.

use std::io;

use bytes::Bytes;
use media_engine::sip::framing::{Framer, FramingError, Item, PONG};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, timeout, timeout_at};

use super::connection::{End, Lines, Link};

/// Bytes taken from a stream at a time: two or three messages.
const READ_BYTES: usize = 4096;

/// A stream in the clear or under TLS: which of the two no longer matters here.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// See [`Duplex`].
pub(super) type ByteStream = Box<dyn Duplex>;

/// Who opened the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The peer: it owes us a first message soon.
    Accepted,
    /// We: the peer answers when it likes.
    Connected,
}

/// Carries messages both ways until one side ends.
pub(super) async fn drive(stream: ByteStream, lines: Lines, role: Role) -> End {
    let (reader, writer) = tokio::io::split(stream);
    let Lines { link, inbox } = lines;
    let patience = link.shared.config.patience;
    tokio::select! {
        end = read(reader, &link, role) => end,
        end = write(writer, inbox, patience) => end,
    }
}

async fn read(mut reader: impl AsyncRead + Unpin, link: &Link, role: Role) -> End {
    let config = &link.shared.config;
    let mut chunk = vec![0; READ_BYTES];
    let mut framer = Framer::new();
    let mut deadlines = Deadlines::new(config.patience, config.idle_max, role);
    loop {
        let read = match timeout_at(deadlines.next(), reader.read(&mut chunk)).await {
            Err(_) => return End::TimedOut,
            Ok(Ok(0) | Err(_)) => return End::Closed,
            Ok(Ok(read)) => read,
        };
        framer.push(chunk.get(..read).unwrap_or_default());
        let mut complete = false;
        loop {
            match framer.poll() {
                Ok(None) => break,
                Ok(Some(Item::Message(message))) => {
                    complete = true;
                    if let Err(end) = link.deliver(message).await {
                        return end;
                    }
                }
                Ok(Some(Item::Ping)) => link.answer(Bytes::from_static(PONG)),
                Ok(Some(Item::Pong)) => {}
                Err(error) => return malformed(link, &error),
            }
        }
        deadlines.heard(complete, framer.is_within_message());
    }
}

fn malformed(link: &Link, error: &FramingError) -> End {
    tracing::info!(remote = %link.flow.remote, %error, "SIP stream closed");
    End::Malformed
}

async fn write(
    mut writer: impl AsyncWrite + Unpin,
    mut inbox: mpsc::Receiver<Bytes>,
    patience: Duration,
) -> End {
    while let Some(message) = inbox.recv().await {
        let written = async {
            writer.write_all(&message).await?;
            if inbox.is_empty() {
                writer.flush().await?;
            }
            io::Result::Ok(())
        };
        match timeout(patience, written).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return End::Closed,
            Err(_) => return End::Slow,
        }
    }
    End::Closed
}

/// When a connection has been silent, or slow, for too long.
#[derive(Debug)]
struct Deadlines {
    patience: Duration,
    idle_max: Duration,
    last_heard: Instant,
    /// The end of a first message, or of one that has begun.
    message: Option<Instant>,
}

impl Deadlines {
    fn new(patience: Duration, idle_max: Duration, role: Role) -> Self {
        let now = Instant::now();
        let message = (role == Role::Accepted).then(|| now + patience);
        Self {
            patience,
            idle_max,
            last_heard: now,
            message,
        }
    }

    fn next(&self) -> Instant {
        let idle = self.last_heard + self.idle_max;
        self.message.map_or(idle, |message| message.min(idle))
    }

    /// Something was read: it ended a message or not, and left one unfinished or not.
    fn heard(&mut self, complete: bool, unfinished: bool) {
        self.last_heard = Instant::now();
        if complete {
            self.message = None;
        }
        if unfinished && self.message.is_none() {
            // From its first byte, not from its last: one byte a second is no progress.
            self.message = Some(self.last_heard + self.patience);
        }
    }
}

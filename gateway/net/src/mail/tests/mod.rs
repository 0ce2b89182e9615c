//! Conversations by the line, with servers that say what no good server says. Good servers are in
//! `tests/mail` of this crate.

mod imap;
mod mailbox;
mod pop3;
mod smtp;

use channels::secret::Secret;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::{Credential, Dialer, Login, Security, Server};
use crate::fetch::Inside;

/// A server that plays a script: `S: ` is said, `C: ` is expected, and `---` ends one connection and
/// waits for the next.
struct Played {
    server: Server,
    dialer: Dialer,
    script: JoinHandle<()>,
}

impl Played {
    async fn new(script: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let script = tokio::spawn(async move {
            for scene in script.trim().split("---\n") {
                let (stream, _) = listener.accept().await.expect("a connection");
                play(stream, scene).await;
            }
        });
        let server = Server {
            host: "127.0.0.1".to_owned(),
            port,
            security: Security::None,
        };
        let dialer = Dialer::new(Inside::Allowed, vec![]);
        Self {
            server,
            dialer,
            script,
        }
    }

    /// The same, which is to be asked for TLS first.
    fn by_start_tls(mut self) -> Self {
        self.server.security = Security::StartTls;
        self
    }

    /// All of the script was played.
    async fn ended(self) {
        self.script.await.expect("a script that was played");
    }
}

/// What is said in a row is sent at once.
async fn play(stream: TcpStream, scene: &str) {
    let mut stream = BufReader::new(stream);
    let mut said = String::new();
    for line in scene.lines().map(str::trim_start) {
        if let Some(words) = line.strip_prefix("S: ") {
            said.push_str(words);
            said.push_str("\r\n");
        } else if let Some(expected) = line.strip_prefix("C: ") {
            stream
                .write_all(said.as_bytes())
                .await
                .expect("somebody listens");
            said.clear();
            let mut heard = String::new();
            stream.read_line(&mut heard).await.expect("a line");
            assert_eq!(heard.trim_end_matches("\r\n"), expected);
        } else {
            assert!(line.is_empty(), "a line of a script: {line}");
        }
    }
    // Nobody has to listen to the end.
    let _ = stream.write_all(said.as_bytes()).await;
}

fn password() -> Login {
    Login {
        user: "ana".to_owned(),
        credential: Credential::Password(Secret::new("segredo")),
    }
}

fn token() -> Login {
    Login {
        user: "a@b.c".to_owned(),
        credential: Credential::Token(Secret::new("T")),
    }
}

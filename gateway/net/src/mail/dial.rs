//! The way to a server: its name, its port and, where asked for, TLS.
//!
//! Names of servers are typed by companies' administrators. As for HTTP (`crate::fetch`), a name is
//! resolved first, every address is judged, and the connection goes to the very address that was judged.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::error::{Cause, Error, Step};
use super::tls::Certificate;
use super::wire::Wire;
use super::{Security, Server};
use crate::fetch::Inside;

/// Reaches servers of mail; clones share what they know.
#[derive(Clone)]
pub struct Dialer {
    roots: Arc<RootCertStore>,
    inside: Inside,
    patience: Duration,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Dialer({:?})", self.inside)
    }
}

/// The steps that were taken, and what was seen at each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journal {
    /// In their order.
    pub passed: Vec<Passed>,
}

/// A step that went well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Which.
    pub step: Step,
    /// What the server said, or where it is.
    pub detail: String,
    /// Its certificate, where this is [`Step::Tls`].
    pub certificate: Option<Certificate>,
}

/// The certificates of authorities in a PEM file.
///
/// # Errors
///
/// The file cannot be read, or holds something else.
pub fn authorities(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    read.map_err(io::Error::other)
}

impl Journal {
    /// Notes a step that went well.
    pub fn note(&mut self, step: Step, detail: impl Into<String>) {
        self.passed.push(Passed {
            step,
            detail: detail.into(),
            certificate: None,
        });
    }

    fn note_certificate(&mut self, certificate: Option<Certificate>) {
        self.passed.push(Passed {
            step: Step::Tls,
            detail: String::new(),
            certificate,
        });
    }
}

impl Dialer {
    /// Believes the authorities that this machine believes, and `more`, which the operator names.
    pub fn new(inside: Inside, more: Vec<CertificateDer<'static>>) -> Self {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "an authority of this machine cannot be read");
        }
        roots.add_parsable_certificates(found.certs);
        roots.add_parsable_certificates(more);
        Self {
            roots: Arc::new(roots),
            inside,
            patience: PATIENCE,
        }
    }

    /// The same, which waits for each answer as long as `patience`.
    #[must_use]
    pub fn with_patience(&self, patience: Duration) -> Self {
        Self {
            patience,
            ..self.clone()
        }
    }

    /// How long it waits for each answer.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// The way to a server: by TLS where it is asked for from the first byte.
    pub(super) async fn open(&self, server: &Server, journal: &mut Journal) -> Result<Wire, Error> {
        let host = host(&server.host).map_err(|cause| cause.at(Step::Name))?;
        let addresses = self
            .resolve(&host, server.port)
            .await
            .map_err(|cause| cause.at(Step::Name))?;
        let list: Vec<String> = addresses.iter().map(|to| to.ip().to_string()).collect();
        journal.note(Step::Name, list.join(", "));
        let stream = reach(&addresses)
            .await
            .map_err(|cause| cause.at(Step::Connect))?;
        let peer = stream.peer_addr().map(|peer| peer.to_string());
        journal.note(Step::Connect, peer.unwrap_or_default());
        let mut wire = Wire::new(stream, self.patience);
        if server.security == Security::Tls {
            self.secure(&mut wire, server, journal).await?;
        }
        Ok(wire)
    }

    /// Goes on by TLS.
    pub(super) async fn secure(
        &self,
        wire: &mut Wire,
        server: &Server,
        journal: &mut Journal,
    ) -> Result<(), Error> {
        wire.step = Step::Tls;
        let name = host(&server.host)
            .and_then(|host| ServerName::try_from(host).map_err(|_| Cause::NameInvalid))
            .map_err(|cause| cause.at(Step::Tls))?;
        let certificate = wire.secure(&self.roots, name).await?;
        journal.note_certificate(certificate);
        Ok(())
    }

    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Cause> {
        let unknown = |error: std::io::Error| Cause::NameUnknown(error.to_string());
        let asked = timeout(RESOLVE_TIME, tokio::net::lookup_host((host, port)));
        let found = asked.await.map_err(|_| Cause::TimedOut)?.map_err(unknown)?;
        let addresses: Vec<SocketAddr> = found.take(ADDRESSES_MAX).collect();
        // One address inside is enough to refuse: the name is not honest.
        let is_honest = addresses
            .iter()
            .all(|address| self.inside.permits(*address));
        if !is_honest {
            return Err(Cause::Inside);
        }
        if addresses.is_empty() {
            return Err(Cause::NameUnknown("no address".to_owned()));
        }
        Ok(addresses)
    }
}

/// The name as the network knows it: in ASCII (RFC 5891), an address without brackets.
fn host(typed: &str) -> Result<String, Cause> {
    let typed = typed.trim().trim_end_matches('.');
    let bare = typed.trim_matches(['[', ']']);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    match url::Host::parse(typed) {
        Ok(host) if typed.len() <= HOST_BYTES_MAX => Ok(host.to_string()),
        Ok(_) | Err(_) => Err(Cause::NameInvalid),
    }
}

async fn reach(addresses: &[SocketAddr]) -> Result<TcpStream, Cause> {
    let mut last = Cause::TimedOut;
    for address in addresses {
        match timeout(CONNECT_TIME, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Commands are short and each waits for its answer.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = Cause::Unreachable(error.to_string()),
            Err(_) => last = Cause::TimedOut,
        }
    }
    Err(last)
}

/// RFC 5321 section 4.5.3.2 advises 5 minutes for most answers; servers that need more than one are ill.
const PATIENCE: Duration = Duration::from_secs(60);
/// Resolvers give up by themselves, some after 30 s.
const RESOLVE_TIME: Duration = Duration::from_secs(15);
/// To one address: three attempts of TCP are over after 7 s.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// Who has more has others that work.
const ADDRESSES_MAX: usize = 6;
/// RFC 1035 section 2.3.4.
const HOST_BYTES_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_spelling_of_an_address_inside_is_dialled() {
        let dialer = Dialer::new(Inside::Refused, vec![]);
        for typed in [
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "2130706433",
            "0",
            "0.0.0.0",
            "[::1]",
            "::1",
            "::ffff:127.0.0.1",
            "[64:ff9b::7f00:1]",
            "169.254.169.254",
            "10.0.0.1",
            "localhost",
            "localhost.",
            " LOCALHOST ",
        ] {
            let server = Server {
                host: typed.to_owned(),
                port: 25,
                security: Security::None,
            };
            let opened = dialer.open(&server, &mut Journal::default()).await;
            let error = opened.err().expect("an error");
            assert_eq!(error, Cause::Inside.at(Step::Name), "{typed}");
        }
    }

    #[test]
    fn names_are_said_as_the_network_knows_them() {
        let told = |typed| host(typed).ok();
        assert_eq!(
            told("imap.loja.example.").as_deref(),
            Some("imap.loja.example")
        );
        assert_eq!(
            told("correio.açaí.example").as_deref(),
            Some("correio.xn--aa-4iaz.example")
        );
        assert_eq!(told("[2001:db8::1]").as_deref(), Some("2001:db8::1"));
        for none in [
            "",
            " ",
            "a b",
            "a/b",
            "user@host",
            "host:25",
            "a\r\nb",
            "a\0b",
        ] {
            assert_eq!(told(none), None, "{none:?}");
        }
    }
}

//! TLS to servers of mail, and what their certificates say even where they are not believed.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, InvalidMessage, RootCertStore,
    SignatureScheme,
};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::error::{Cause, Flaw};

/// What a server's certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// The names that it is for, the first few of them.
    pub names: Vec<String>,
    /// Who vouches for it.
    pub issuer: String,
    /// Since when, in milliseconds since 1970 (UTC).
    pub from_ms: i64,
    /// Until when, in milliseconds since 1970 (UTC).
    pub until_ms: i64,
}

impl Certificate {
    fn read(der: &[u8]) -> Option<Self> {
        let certificate = x509_cert::Certificate::from_der(der).ok()?;
        let told = certificate.tbs_certificate();
        let common = told.subject().common_name().ok().flatten();
        let mut names: Vec<String> = common.iter().map(|name| shown(&name.value())).collect();
        if let Ok(Some((_, others))) = told.get_extension::<SubjectAltName>() {
            for name in others.0 {
                if let GeneralName::DnsName(name) = name {
                    names.push(shown(name.as_str()));
                }
            }
        }
        names.sort();
        names.dedup();
        names.truncate(NAMES_MAX);
        let issuer = told.issuer();
        let issuer = issuer
            .common_name()
            .ok()
            .flatten()
            .map_or_else(|| shown(&issuer.to_string()), |name| shown(&name.value()));
        let ms = |time: x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_millis()).unwrap_or(i64::MAX)
        };
        Some(Self {
            names,
            issuer,
            from_ms: ms(told.validity().not_before),
            until_ms: ms(told.validity().not_after),
        })
    }
}

/// A stranger's word, as it may be shown.
fn shown(text: &str) -> String {
    let printable = text.chars().filter(|character| !character.is_control());
    printable.take(NAME_CHARS_MAX).collect()
}

/// Begins TLS with a server that must prove that it is `name`.
pub(super) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    roots: &Arc<RootCertStore>,
    name: ServerName<'static>,
    stream: S,
) -> Result<(TlsStream<S>, Option<Certificate>), Cause> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let reader = Reader::new(roots, &provider).map_err(|error| Cause::Tls(error.to_string()))?;
    let reader = Arc::new(reader);
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Cause::Tls(error.to_string()))?
        .dangerous() // It believes whom WebPki believes, and remembers what it saw.
        .with_custom_certificate_verifier(reader.clone())
        .with_no_client_auth();
    match TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
    {
        Ok(stream) => Ok((stream, reader.seen())),
        Err(error) => Err(cause(&error, reader.seen())),
    }
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "a list of others that may grow"
)]
fn cause(error: &std::io::Error, certificate: Option<Certificate>) -> Cause {
    use CertificateError as Told;
    let told = error.get_ref().and_then(|error| error.downcast_ref());
    let flaw = match told {
        Some(rustls::Error::InvalidCertificate(told)) => match told {
            Told::Expired | Told::ExpiredContext { .. } => Flaw::Expired,
            Told::NotValidYet | Told::NotValidYetContext { .. } => Flaw::NotYet,
            Told::NotValidForName | Told::NotValidForNameContext { .. } => Flaw::WrongName,
            Told::UnknownIssuer => Flaw::UnknownIssuer,
            _ => Flaw::Invalid,
        },
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            return Cause::NotTls;
        }
        Some(error) => return Cause::Tls(error.to_string()),
        None => return Cause::Lost(error.to_string()),
    };
    let certificate = certificate.map(Box::new);
    Cause::Untrusted { flaw, certificate }
}

/// Believes whom the machine believes, and remembers the certificate either way.
#[derive(Debug)]
struct Reader {
    judge: Arc<WebPkiServerVerifier>,
    seen: Mutex<Option<Certificate>>,
}

impl Reader {
    fn new(
        roots: &Arc<RootCertStore>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, rustls::client::VerifierBuilderError> {
        let builder = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone());
        Ok(Self {
            judge: builder.build()?,
            seen: Mutex::default(),
        })
    }

    fn seen(&self) -> Option<Certificate> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl ServerCertVerifier for Reader {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Certificate::read(end_entity);
        self.judge
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}

/// Certificates of large providers have a hundred; a person looks at a few.
const NAMES_MAX: usize = 10;
/// RFC 1035 section 2.3.4: no name of a machine is longer.
const NAME_CHARS_MAX: usize = 255;

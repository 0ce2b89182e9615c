//! Certificates: ours for those who connect, the authorities for those we connect to.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// Where certificate and key lie.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain, our own certificate first (PEM).
    pub certificate: PathBuf,
    /// The private key (PEM).
    pub key: PathBuf,
}

/// Why certificates cannot be used. The configuration is at fault.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing or is not PEM.
    #[error("cannot read {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Certificate and key do not go together, or are of a kind we cannot use.
    #[error("certificate and key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// Both sides of TLS.
#[derive(Debug)]
pub(super) struct Tls {
    files: Option<TlsFiles>,
    server: RwLock<Option<Arc<ServerConfig>>>,
    client: Arc<ClientConfig>,
}

impl Tls {
    pub(super) fn new(
        files: Option<TlsFiles>,
        authorities: Option<&PathBuf>,
    ) -> Result<Self, TlsError> {
        let server = files.as_ref().map(server_config).transpose()?;
        let client = Arc::new(client_config(authorities)?);
        Ok(Self {
            files,
            server: RwLock::new(server),
            client,
        })
    }

    pub(super) fn server(&self) -> Option<Arc<ServerConfig>> {
        self.server
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn client(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.client)
    }

    pub(super) fn reload(&self) -> Result<(), TlsError> {
        let server = self.files.as_ref().map(server_config).transpose()?;
        *self.server.write().unwrap_or_else(PoisonError::into_inner) = server;
        Ok(())
    }
}

/// The name a peer's certificate must carry: the host that was asked for, else its address.
pub(super) fn server_name(host: Option<&str>, ip: IpAddr) -> Option<ServerName<'static>> {
    match host {
        Some(host) => ServerName::try_from(host.to_owned()).ok(),
        None => Some(ServerName::IpAddress(ip.into())),
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn server_config(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| TlsError::File {
        path: files.key.clone(),
        reason: error.to_string(),
    })?;
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Arc::new(config))
}

fn client_config(authorities: Option<&PathBuf>) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    let (_, unusable) = roots.add_parsable_certificates(system.certs);
    if unusable > 0 {
        tracing::debug!(unusable, "some system authorities cannot be used");
    }
    if let Some(path) = authorities {
        roots.add_parsable_certificates(certificates(path)?);
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn certificates(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |reason: String| TlsError::File {
        path: path.clone(),
        reason,
    };
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .map_err(|error| failed(error.to_string()))?
        .collect();
    let found = found.map_err(|error| failed(error.to_string()))?;
    if found.is_empty() {
        return Err(failed("it holds no certificate".to_owned()));
    }
    Ok(found)
}

/// What a failed handshake is as an I/O error.
pub(super) fn no_certificate() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "no certificate is configured")
}

//! Certificates of a test: an authority, and servers that it vouches for.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::CertificateDer;

/// An authority that nobody but the test believes.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// For how long a certificate is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    Good,
    Over,
}

/// The name in the certificates of good servers.
pub(crate) const NAME: &str = "localhost";

/// The name of the authority.
pub(crate) const ISSUER: &str = "Test Authority";

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, ISSUER);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }

    /// What who believes it must know.
    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A server's certificate and key, as servers read them.
    pub(crate) fn vouch(&self, time: Time) -> [String; 2] {
        let mut params = CertificateParams::new(vec![NAME.to_owned()]).expect("a name");
        params.distinguished_name.push(DnType::CommonName, NAME);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = match time {
            Time::Good => date_time_ymd(2100, 1, 1),
            Time::Over => date_time_ymd(2021, 1, 1),
        };
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        [certificate.pem(), key.serialize_pem()]
    }
}

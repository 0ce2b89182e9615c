//! What session descriptions say to and of a browser: ICE (RFC 8839) and DTLS (RFC 5763, RFC 8842).
//!
//! We are a lite agent at one address, so all our candidates stand in the first description and theirs
//! do not matter: a browser is where its checks come from. That is also why nothing has to be done
//! about candidates that come late, one by one (RFC 8838): an answer never waits for them.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use rand::SeedableRng;
use rand::rngs::StdRng;
use sha2::{Digest, Sha256};

use crate::dtls::{Fingerprint, Role};
use crate::ice::agent::Credentials;

use super::{SdpError, read::Stream};

/// Where a leg takes its media in: what our descriptions name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inlet {
    /// The address that the other side shall send to: public where we sit behind address translation.
    pub address: SocketAddr,
    /// Present where a browser comes in, over the port that all of them share.
    pub browser: Option<Entrance>,
}

impl Inlet {
    /// The host of its address.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.address.ip()
    }
}

impl From<SocketAddr> for Inlet {
    /// A port of the leg's own.
    fn from(address: SocketAddr) -> Self {
        Self {
            address,
            browser: None,
        }
    }
}

/// What makes a leg one for a browser.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Entrance {
    /// Of the certificate that we show.
    pub fingerprint: Fingerprint,
    secret: [u8; SECRET],
}

impl Entrance {
    /// `secret` is drawn for each leg, and nobody can guess it: names and passwords come of it.
    #[must_use]
    pub fn new(fingerprint: Fingerprint, secret: [u8; SECRET]) -> Self {
        Self {
            fingerprint,
            secret,
        }
    }

    /// Our name and password after so many restarts of ICE (RFC 8445 section 9: each has its own).
    #[must_use]
    pub fn credentials(&self, restarts: u32) -> Credentials {
        let seed = Sha256::new().chain_update(self.secret);
        let seed = seed.chain_update(restarts.to_be_bytes()).finalize();
        Credentials::draw(&mut StdRng::from_seed(seed.into()))
    }
}

impl fmt::Debug for Entrance {
    /// Keeps the secret.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Entrance({})", self.fingerprint)
    }
}

/// What was agreed on with a browser: how checks are signed, and who the other side is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairing {
    /// Our name and password in force.
    pub ours: Credentials,
    /// Theirs.
    pub theirs: Credentials,
    /// Whether we begin the handshake.
    pub role: Role,
    /// Of the certificate that they must show.
    pub fingerprint: Fingerprint,
}

/// `a=setup` (RFC 4145 section 4), as far as it is of use here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// The writer begins.
    Active,
    /// The writer waits.
    Passive,
    /// Either: offers say so.
    ActPass,
}

impl Setup {
    /// Reads the value of the attribute.
    #[must_use]
    pub fn read(value: &str) -> Option<Self> {
        [Self::Active, Self::Passive, Self::ActPass]
            .into_iter()
            .find(|setup| setup.name().eq_ignore_ascii_case(value))
    }

    /// The value of the attribute.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::ActPass => "actpass",
        }
    }

    /// What it leaves to us, who would rather wait: whoever sits behind address translation should be
    /// the one who speaks first. A role that was agreed on stays (RFC 8842 section 5).
    #[must_use]
    pub fn role(self, agreed: Option<Role>) -> Role {
        match (self, agreed) {
            (Self::Active, _) => Role::Server,
            (Self::Passive, _) => Role::Client,
            (Self::ActPass, agreed) => agreed.unwrap_or(Role::Server),
        }
    }
}

/// How our answer says which role we take.
pub(super) const fn setup_of(role: Role) -> Setup {
    match role {
        Role::Server => Setup::Passive,
        Role::Client => Setup::Active,
    }
}

/// Whether whoever wrote this wants what only browsers want: keys from a handshake beside the media.
/// It decides which kind of port a call gets, before anything else in the offer is looked at.
#[must_use]
pub fn is_browser(offer: &[u8]) -> bool {
    offer
        .split(|byte| *byte == b'\n')
        .take(super::read::LINES_MAX)
        .filter(|line| line.starts_with(b"m=audio "))
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(2))
        .any(|profile| is_dtls_profile(&String::from_utf8_lossy(profile)))
}

/// `UDP/TLS/RTP/SAVPF`, or without feedback messages (RFC 5764 section 8).
pub(super) fn is_dtls_profile(profile: &str) -> bool {
    [PROFILE, "UDP/TLS/RTP/SAVP"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(profile.trim_ascii()))
}

/// What a stream says of its writer, when it says all of it.
pub(super) fn pairing(
    stream: &Stream,
    ours: Credentials,
    agreed: Option<Role>,
) -> Result<Pairing, SdpError> {
    let parts = (stream.ice.clone(), stream.fingerprint, stream.setup);
    let (Some(theirs), Some(fingerprint), Some(setup)) = parts else {
        return Err(SdpError::NoCommonEncryption);
    };
    if !is_dtls_profile(&stream.profile) || !stream.rtcp_mux {
        return Err(SdpError::NoCommonEncryption);
    }
    Ok(Pairing {
        ours,
        theirs,
        role: setup.role(agreed),
        fingerprint,
    })
}

/// What our side of a stream says to a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) credentials: Credentials,
    pub(super) fingerprint: Fingerprint,
    pub(super) setup: Setup,
    pub(super) address: SocketAddr,
}

impl fmt::Display for Lines {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Credentials { ufrag, password } = &self.credentials;
        let (host, port) = (self.address.ip(), self.address.port());
        write!(out, "a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\n")?;
        write!(
            out,
            "a=candidate:1 1 udp {PRIORITY} {host} {port} typ host\r\na=end-of-candidates\r\n"
        )?;
        let setup = self.setup.name();
        write!(
            out,
            "a=fingerprint:{}\r\na=setup:{setup}\r\n",
            self.fingerprint
        )?;
        // Pages want a stream with a name (RFC 8830); nothing hangs on it.
        out.write_str("a=msid:ramal audio\r\n")
    }
}

/// The transport profile of browsers.
pub(super) const PROFILE: &str = "UDP/TLS/RTP/SAVPF";

/// The name of our stream in offers to browsers, which like to have one.
pub(super) const MID: &str = "0";

/// The priority of our only candidate, of the type "host" (RFC 8445 section 5.1.2.1): 126 · 2^24 +
/// 65,535 · 2^8 + 255.
const PRIORITY: u32 = (126 << 24) | (65_535 << 8) | 255;

/// Bytes of a leg's secret: a whole seed.
pub const SECRET: usize = 32;

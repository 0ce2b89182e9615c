//! What an endpoint is told about the place it runs in.

use std::net::SocketAddr;
use std::time::Duration;

use crate::sip::Transport;

/// What an endpoint is told about the place it runs in; it stays as it is while the endpoint lives.
#[derive(Debug, Clone)]
pub struct EndpointConfig {
    /// Where we listen, and under which address peers reach us there.
    pub listeners: Vec<Listener>,
    /// The domain we answer for: the realm of our challenges, the host in our From headers.
    pub domain: String,
    /// What we call ourselves in Server and User-Agent headers.
    pub product: String,
    /// How long a session may live without a sign of life, when the peer wants to be watched or
    /// we call (RFC 4028). At least [`EndpointConfig::session_expires_min`].
    pub session_expires: Duration,
    /// The shortest session interval that we accept (Min-SE); RFC 4028 demands at least 90 s.
    pub session_expires_min: Duration,
    /// What we hold at most.
    pub limits: Limits,
    /// Whether each message of a call is told, too ([`super::Output::Traced`]).
    pub trace: bool,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            listeners: Vec::new(),
            domain: "localhost".into(),
            product: "Ramal".into(),
            session_expires: Duration::from_secs(1800), // RFC 4028 section 4 recommends it.
            session_expires_min: Duration::from_secs(90),
            limits: Limits::default(),
            trace: false,
        }
    }
}

/// One address that we listen on.
#[derive(Debug, Clone)]
pub struct Listener {
    /// What is spoken there.
    pub transport: Transport,
    /// The address of the socket, as it stands in [`crate::sip::Flow::local`].
    pub local: SocketAddr,
    /// The host that peers reach it by, for Via and Contact: an address or a name. IPv6 addresses
    /// stand in brackets.
    pub public_host: String,
    /// The port that peers reach it by.
    pub public_port: u16,
}

/// What an endpoint holds at most. Beyond each limit a request is answered with 503 and
/// Retry-After, and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls in any state. A call holds about 2 KiB here, and its media far more.
    pub calls: usize,
    /// Transactions, both sides; each lives up to 32 s behind its answer. At 500 calls per second
    /// there are about 40,000.
    pub transactions: usize,
    /// Inbound calls not answered yet, from one source address: a carrier in its busiest second.
    pub early_calls_per_source: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls: 20_000,
            transactions: 400_000,
            early_calls_per_source: 2_000,
        }
    }
}

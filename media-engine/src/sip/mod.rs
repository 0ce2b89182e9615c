//! SIP (RFC 3261 and its successors), without a socket.
//!
//! `endpoint` owns all of it: transactions, dialogs and calls, and the standalone machines that
//! decide who may call (`guard`, `digest`, `registrar`, `trunk`, `identity`), that keep us known
//! to carriers (`registration`) and that turn a name into addresses (`resolve`). The types in this
//! file are the words these machines share.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

pub use method::Method;

mod body;
pub mod call;
pub mod dialog;
pub mod digest;
pub mod endpoint;
pub mod framing;
pub mod guard;
pub mod headers;
pub mod identity;
pub mod message;
pub mod method;
pub mod parse;
pub mod ping;
pub mod registrar;
pub mod registration;
pub mod resolve;
pub mod status;
pub mod transaction;
pub mod trunk;
pub mod uri;
pub mod write;

/// What carries a message (RFC 3261 section 18, RFC 7118 for the WebSocket ones).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams: we repeat what may be lost.
    Udp,
    /// A stream in the clear.
    Tcp,
    /// A stream under TLS.
    Tls,
    /// A WebSocket in the clear (RFC 7118).
    Ws,
    /// A WebSocket under TLS (RFC 7118).
    Wss,
}

impl Transport {
    /// Whether the transport itself repeats what is lost, so that our timers need not.
    pub fn is_reliable(self) -> bool {
        match self {
            Self::Udp => false,
            Self::Tcp | Self::Tls | Self::Ws | Self::Wss => true,
        }
    }

    /// Whether the hop is encrypted.
    pub fn is_secure(self) -> bool {
        match self {
            Self::Udp | Self::Tcp | Self::Ws => false,
            Self::Tls | Self::Wss => true,
        }
    }

    /// The transport that `token` names, in any case, as in a Via or a `transport` parameter.
    pub fn from_token(token: &[u8]) -> Option<Self> {
        let all = [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss];
        all.into_iter()
            .find(|transport| transport.as_str().as_bytes().eq_ignore_ascii_case(token))
    }

    /// The word of the Via header: `UDP`, `TCP`, `TLS`, `WS` or `WSS`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A stream connection, numbered by the shell; a number is never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// The path a message came by, or leaves by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Flow {
    /// What carries it.
    pub transport: Transport,
    /// Our address on this path.
    pub local: SocketAddr,
    /// The address of the other end, as the socket shows it.
    pub remote: SocketAddr,
    /// The stream connection; `None` for datagrams, and for a stream that is yet to be opened.
    pub connection: Option<ConnectionId>,
}

/// Our handle of one INVITE session. Not the Call-ID header, which a peer chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A carrier, by the id that the configuration gives it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrunkId(pub Arc<str>);

/// A device's SIP account, by the id that the configuration gives it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(pub Arc<str>);

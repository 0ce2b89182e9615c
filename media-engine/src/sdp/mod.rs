//! Session descriptions (RFC 8866) and offer/answer (RFC 3264).
//!
//! ```text
//!  bytes ─▶ read (limits, then sdp-types) ─▶ Description ─┐
//!                                     target: may we send there? ─▶ negotiate::Negotiation ─▶ MediaParameters ─▶ leg
//!  bytes ◀─ write ◀────────────────── LocalMedia ─────────┘
//! ```
//!
//! A description comes from the network, often before anybody is trusted: [`read`] bounds it by named
//! limits before a general parser sees it, and what it asks us to send to must pass [`target`].

pub mod browser;
pub mod crypto;
pub mod negotiate;
pub mod read;
pub mod target;
mod write;

use std::{net::SocketAddr, time::Duration};

use crate::{codec::Codec, rtp::srtp::Keys};
use read::Format;

/// Who may send, seen from the one who writes it (RFC 8866 section 6.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// Only the writer sends: it holds the other, perhaps with music.
    SendOnly,
    /// Only the other sends.
    RecvOnly,
    /// Nobody sends.
    Inactive,
}

impl Direction {
    /// Of what the writer sends and receives.
    #[must_use]
    pub const fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether the writer sends.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the writer receives.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// What remains when the other side has said `theirs` (RFC 3264 section 6.1).
    #[must_use]
    pub const fn answering(self, theirs: Self) -> Self {
        Self::new(
            self.sends() && theirs.receives(),
            self.receives() && theirs.sends(),
        )
    }

    /// The name of the attribute.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}

/// Everything an offer and an answer agreed on: what a leg needs to start or to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaParameters {
    /// The codec of both directions.
    pub codec: Codec,
    /// Its payload type in packets that we send.
    pub payload_type: u8,
    /// Its payload type in packets that we receive; it differs only when the peer numbers it
    /// differently from our offer (RFC 3264 section 6.1).
    pub payload_type_in: u8,
    /// Other codecs that the peer may send at any moment, under our payload types for them: it took
    /// several of our offer (RFC 3264 section 5.1).
    pub alternatives: Vec<Format>,
    /// Keys as events (RFC 4733); `None` when the peer does not know them.
    pub telephone_event: Option<TelephoneEvent>,
    /// How much audio each packet that we send carries: 10 to 60 ms in steps of 10.
    pub ptime: Duration,
    /// Where to send. `None` when there is no such place yet: the peer is held with the address 0.0.0.0, or it
    /// gave an address that only its own network knows, so that the first packet from it decides.
    pub remote: Option<SocketAddr>,
    /// Where to send RTCP; the same as `remote` when it is multiplexed.
    pub remote_rtcp: Option<SocketAddr>,
    /// RTP and RTCP share a port (RFC 5761).
    pub rtcp_mux: bool,
    /// Keys of both directions; `None` for plain RTP, and while a browser has not shaken hands.
    pub srtp: Option<Keys>,
    /// How a browser is known, whose address and keys come of it; `None` for everybody else.
    pub browser: Option<Box<browser::Pairing>>,
    /// Whether we send: music for a caller who holds us would be heard by nobody.
    pub send: bool,
    /// Whether we listen to what comes.
    pub receive: bool,
    /// The peer holds the call.
    pub held: bool,
}

/// How RFC 4733 events travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TelephoneEvent {
    /// The payload type in packets that we send.
    pub payload_type: u8,
    /// The payload type in packets that we receive.
    pub payload_type_in: u8,
    /// Units per second of durations and time stamps: 8,000, or 48,000 beside Opus.
    pub clock: u32,
}

/// Why there is no media. It is always the description, so always the peer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// Not a session description.
    #[error("not a session description: {0}")]
    Malformed(String),
    /// Larger than any sound description.
    #[error("{what}: {found}, at most {limit}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there is, or where counting stopped.
        found: usize,
        /// How much may be.
        limit: usize,
    },
    /// There is no audio stream that is switched on.
    #[error("no audio stream is offered")]
    NoAudio,
    /// No codec of the peer is one of ours.
    #[error("no codec in common")]
    NoCommonCodec,
    /// Encryption is asked for that we do not have, or not offered where we insist.
    #[error("no common way of media encryption")]
    NoCommonEncryption,
    /// The peer wants its media sent where nothing of ours should go.
    #[error("media target refused: {0}")]
    Target(#[from] target::Refused),
    /// The answer is not one to our offer.
    #[error("the answer does not fit the offer: {0}")]
    NotAnAnswer(&'static str),
}

impl SdpError {
    /// The SIP status that refuses a request with such a description.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::TooLarge { .. }
            | Self::NoAudio
            | Self::NoCommonCodec
            | Self::NoCommonEncryption
            | Self::Target(_)
            | Self::NotAnAnswer(_) => 488,
        }
    }
}

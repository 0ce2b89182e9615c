//! What a leg is told, and what it tells.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use crate::{
    audio::prompt::Frames,
    codec::Codec,
    dtmf::Key,
    rtp::srtp::Keys,
    sdp::{MediaParameters, browser::Pairing, read::Format},
};

pub use crate::sdp::TelephoneEvent;

/// Names a leg, one party's media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LegId(pub u64);

/// Names one order to play.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlayId(pub u64);

/// What offer and answer agreed on for one party.
#[derive(Clone, Debug, PartialEq)]
pub struct LegConfig {
    /// The codec both sides speak.
    pub codec: Codec,
    /// The payload type the peer wants it under.
    pub payload_type: u8,
    /// The payload type we asked for it under; the same unless the peer answered with another number.
    pub payload_type_in: u8,
    /// Other codecs that the peer may send, under the payload types that we asked for them under.
    pub alternatives: Vec<Format>,
    /// Audio per packet that the peer wants: 10 to 60 ms in steps of 10 (what lies between is rounded
    /// down). Opus always goes in packets of 20 ms.
    pub ptime: Duration,
    /// Telephone-events, if both sides have them.
    pub telephone_event: Option<TelephoneEvent>,
    /// Where the peer's SDP says that it receives RTP.
    pub remote: Option<SocketAddr>,
    /// Where it says that it receives RTCP (`a=rtcp`); `None` is the port above that of RTP.
    pub remote_rtcp: Option<SocketAddr>,
    /// RTCP goes over the RTP port (RFC 5761).
    pub rtcp_mux: bool,
    /// The host that signalling comes from: the only one beside `remote`'s that RTP may be learnt
    /// from. `None` for a peer that cannot sit behind NAT.
    pub signalling_host: Option<IpAddr>,
    /// SRTP keys, if both sides agreed on SDES.
    pub srtp: Option<Keys>,
    /// How a browser is known. Nothing goes out and nothing is heard until [`Leg::select`] and
    /// [`Leg::secure`](super::Leg::secure) have said where it is and how it is protected.
    ///
    /// [`Leg::select`]: super::Leg::select
    pub browser: Option<Box<Pairing>>,
    /// We may send audio: the peer does not hold us.
    pub send: bool,
    /// The peer may send audio to us.
    pub receive: bool,
    /// Listen for keys as tones in the audio. Has no effect with telephone-events.
    pub inband_dtmf: bool,
    /// Report [`LegEvent::Silent`] when nothing at all came for so long while both sides may send.
    pub inactivity: Option<Duration>,
}

impl LegConfig {
    /// A leg of this codec in packets of 20 ms, both ways, with everything optional left out.
    #[must_use]
    pub fn new(codec: Codec, payload_type: u8, remote: Option<SocketAddr>) -> Self {
        Self {
            codec,
            payload_type,
            payload_type_in: payload_type,
            alternatives: Vec::new(),
            ptime: crate::codec::FRAME,
            telephone_event: None,
            remote,
            remote_rtcp: None,
            rtcp_mux: false,
            signalling_host: None,
            srtp: None,
            browser: None,
            send: true,
            receive: true,
            inband_dtmf: false,
            inactivity: None,
        }
    }
}

impl LegConfig {
    /// The codec that the peer sends under this payload type.
    #[must_use]
    #[inline]
    pub fn codec_of(&self, payload_type: u8) -> Option<Codec> {
        if payload_type == self.payload_type_in {
            return Some(self.codec);
        }
        let mut others = self.alternatives.iter();
        others
            .find(|format| format.payload_type == payload_type)
            .map(|format| format.codec)
    }

    /// The payload type that the peer sends this codec under, if it may.
    #[must_use]
    pub fn payload_type_of(&self, codec: Codec) -> Option<u8> {
        if codec == self.codec {
            return Some(self.payload_type_in);
        }
        let mut others = self.alternatives.iter();
        others
            .find(|format| format.codec == codec)
            .map(|format| format.payload_type)
    }
}

impl From<&MediaParameters> for LegConfig {
    /// What offer and answer agreed on; what they do not decide is left out.
    fn from(agreed: &MediaParameters) -> Self {
        Self {
            payload_type_in: agreed.payload_type_in,
            alternatives: agreed.alternatives.clone(),
            ptime: agreed.ptime,
            telephone_event: agreed.telephone_event,
            remote_rtcp: agreed.remote_rtcp,
            rtcp_mux: agreed.rtcp_mux,
            srtp: agreed.srtp,
            browser: agreed.browser.clone(),
            send: agreed.send,
            receive: agreed.receive,
            ..Self::new(agreed.codec, agreed.payload_type, agreed.remote)
        }
    }
}

/// What to play.
#[derive(Clone, Debug, PartialEq)]
pub struct Playlist {
    /// Pieces in the leg's codec, played without a gap.
    pub items: Vec<Arc<Frames>>,
    /// Begin again at the end: waiting music.
    pub repeat: bool,
}

/// A fact about a leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LegEvent {
    /// The peer pressed a key: once for each press.
    Key {
        /// Which.
        key: Key,
        /// How it came.
        by: KeyPath,
    },
    /// The last frame of a playlist went out. Once for each play that ran out by itself; never for one
    /// that was stopped or replaced.
    PlayEnded {
        /// Which.
        play: PlayId,
    },
    /// The codec changed during a play: play the same [`PlayId`] again with frames in this codec, and
    /// it goes on where it was. Until then the peer hears silence.
    PlayNeedsCodec {
        /// Which.
        play: PlayId,
        /// The codec to encode it in.
        codec: Codec,
    },
    /// The peer sends another of the codecs agreed on from now on. At most once a second; settle
    /// anew how it is heard ([`Hearing::of`](super::Hearing::of)).
    CodecChanged {
        /// What it sends now.
        codec: Codec,
    },
    /// The peer's source is known: what it sends is taken from here alone.
    Latched {
        /// Where it sends from.
        source: SocketAddr,
    },
    /// Nothing came from the peer, neither RTP nor RTCP, for [`LegConfig::inactivity`]. Once, until
    /// something comes again.
    Silent,
}

/// The way a key press took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyPath {
    /// RFC 4733 telephone-event.
    Event,
    /// Tones in the audio.
    InBand,
}

/// A datagram that [`Leg`](super::Leg) has written for its own socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Its length in the buffer that was passed.
    pub len: usize,
    /// Where it goes.
    pub to: SocketAddr,
}

//! What a call tells its user, and the words of its commands.

use std::time::Duration;

use bytes::Bytes;

use crate::sip::{AccountId, CallId, Flow, TrunkId};

/// Who placed an inbound call: nobody else gets through.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A carrier, recognised by its address or by its credentials.
    Trunk(TrunkId),
    /// One of our devices, authenticated by digest.
    Device(AccountId),
}

/// The calling party, as far as the origin of the call may be believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The number, or the user part of the address where it is no number; empty when unknown.
    pub number: String,
    /// The name to show; chosen by the peer, so inert text.
    pub display_name: Option<String>,
    /// Whether the caller asked not to be shown (RFC 3323): number and name are for records alone.
    pub private: bool,
    /// The number the call was first meant for, when it was diverted to us (RFC 5806, RFC 7044).
    pub diverted_from: Option<String>,
}

/// A call that wants to come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Who placed it.
    pub origin: Origin,
    /// Whom they want: the user part of the request URI, percent-decoded, without parameters.
    pub dialled: String,
    /// The whole request URI as it came.
    pub request_uri: String,
    /// Who calls.
    pub caller: Caller,
    /// The text of the Call-ID header, for records.
    pub sip_call_id: String,
    /// The path it came by.
    pub flow: Flow,
    /// The SDP offer; `None` asks us to offer in the answer.
    pub offer: Option<Bytes>,
    /// What the peer calls its program (User-Agent header).
    pub user_agent: Option<String>,
    /// The call whose place this one wants to take (RFC 3891): answer this one, join it with
    /// whomever that one was joined with, and hang that one up. Both may be of different companies:
    /// whether the one may have the other is for our user to decide.
    pub replaces: Option<CallId>,
}

/// Where an outbound call goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A number, through a carrier.
    Trunk {
        /// The carrier.
        trunk: TrunkId,
        /// The number, in the form that the carrier wants.
        number: String,
    },
    /// A device of ours: it rings wherever it is registered, and the first that is taken gets the
    /// call.
    Device(AccountId),
    /// Any SIP URI, resolved as RFC 3263 says. No credentials are ever sent there.
    Uri(String),
}

/// An outbound call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dial {
    /// Where it goes.
    pub target: Target,
    /// Who calls: our number as the callee shall see it.
    pub caller: Caller,
    /// Our SDP offer.
    pub offer: Bytes,
    /// How long it may ring before it is cancelled.
    pub ring_limit: Duration,
    /// The transfer that makes us call, whose words go along.
    pub referral: Option<Box<Referral>>,
}

/// What a peer asks for that wants a call to be transferred (RFC 3515). All of it is the peer's
/// word: whether it may have such a call placed is for our user to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referral {
    /// Whom to call: the user part of the URI, percent-decoded, empty where there is none.
    pub to: String,
    /// The whole URI, without the headers in it.
    pub uri: String,
    /// The call whose place the new one is to take: the transfer is an attended one.
    pub replaces: Option<Replaced>,
    /// Who asks, as the Referred-By header says (RFC 3892).
    pub referred_by: Option<String>,
}

/// A call whose place another is to take (RFC 3891).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// One of ours: join its peer with the other party, and no call needs to be placed.
    Ours(CallId),
    /// One that somebody else has: the value of the Replaces header that the new call carries.
    Elsewhere(String),
}

/// Whom a peer is asked to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferTo {
    /// A SIP URI.
    Uri(String),
    /// The peer of another answered call, in which it then takes our place.
    Call(CallId),
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEvent {
    /// A call wants to come in. It hears 100 and nothing else until a command is given.
    Incoming {
        /// The call.
        call: CallId,
        /// What is known about it.
        invite: Box<Incoming>,
    },
    /// Outbound: the phone of the callee rings, and we must make the caller's ringing tone.
    Ringing {
        /// The call.
        call: CallId,
    },
    /// Outbound: the callee's side plays sound before the answer.
    EarlyMedia {
        /// The call.
        call: CallId,
        /// The SDP answer to our offer.
        sdp: Bytes,
        /// The path to the callee: a phone behind NAT names an address in its SDP that leads
        /// nowhere, and sends from the one that its signalling comes from.
        flow: Flow,
    },
    /// Outbound: the callee took the call.
    Answered {
        /// The call.
        call: CallId,
        /// The SDP answer to our offer; `None` where it was given in [`CallEvent::EarlyMedia`], and
        /// the callee has changed the media since by an offer of its own.
        sdp: Option<Bytes>,
        /// The path to the callee, as in [`CallEvent::EarlyMedia`].
        flow: Flow,
    },
    /// Inbound: our answer arrived.
    Confirmed {
        /// The call.
        call: CallId,
        /// The SDP answer, when the INVITE had no offer and so our 200 made it.
        sdp: Option<Bytes>,
    },
    /// The peer wants to change the media: call `accept_offer` or `reject_offer`.
    Offered {
        /// The call.
        call: CallId,
        /// The SDP offer; `None` asks us to offer, and [`CallEvent::OfferAnswered`] follows.
        sdp: Option<Bytes>,
    },
    /// The peer answered the offer that we made in `offer`, or in `accept_offer` after an empty
    /// [`CallEvent::Offered`].
    OfferAnswered {
        /// The call.
        call: CallId,
        /// The SDP answer.
        sdp: Bytes,
    },
    /// The peer refused the offer that we made in `offer`: the media stay as they were.
    OfferRejected {
        /// The call.
        call: CallId,
        /// The status it refused with.
        status: u16,
    },
    /// The peer sent a key by INFO (`application/dtmf-relay`, `application/dtmf`). Other content has
    /// been refused with 415 (RFC 6086 section 4.2.2).
    Info {
        /// The call.
        call: CallId,
        /// The Content-Type as it came.
        content_type: Bytes,
        /// The body.
        body: Bytes,
    },
    /// The peer wants the other party to be connected with somebody else: call `accept_transfer` and
    /// then `report_transfer`, or `refuse_transfer`. Without a word it is refused after 20 s.
    Transfer {
        /// The call.
        call: CallId,
        /// What it asks for.
        referral: Box<Referral>,
    },
    /// How the transfer is doing that we asked the peer for in `refer`.
    TransferProgress {
        /// The call.
        call: CallId,
        /// Below 200 it is under way; 200 to 299 it is done; else it failed, and the call goes on.
        status: u16,
    },
    /// The call is over, and its handle is void. Exactly once per call.
    Ended {
        /// The call.
        call: CallId,
        /// How it ended.
        end: End,
    },
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Who ended it.
    pub by: Party,
    /// The final status, where the call ended before it was answered (487 for a cancelled one).
    pub status: Option<u16>,
    /// What the peer's BYE, CANCEL or refusal gave as its reason.
    pub reason: Option<Reason>,
}

/// A side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// The other end, or somebody between who speaks for it.
    Peer,
    /// Our user, by a command.
    Us,
    /// Nobody: something was not heard in time, or a transport broke.
    Network,
}

/// A Reason header (RFC 3326).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Whose numbers the cause is from: `Q.850` or `SIP`, as it came.
    pub protocol: String,
    /// The cause.
    pub cause: Option<u16>,
    /// The text; chosen by the peer, so inert.
    pub text: Option<String>,
}

/// Why we end a call; told to the peer in a Reason header (RFC 3326).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The conversation is over (Q.850 cause 16).
    Normal,
    /// Nobody could take it (Q.850 cause 17).
    Busy,
    /// It rang too long (Q.850 cause 19).
    NoAnswer,
    /// Somebody else took it: a phone shows no missed call (SIP cause 200).
    AnsweredElsewhere,
    /// Media cannot go on: no codec in common, or silence on the line (Q.850 cause 31).
    Media,
    /// We are out of order, or closing down (Q.850 cause 41).
    Failure,
}

impl Cause {
    /// The value of the Reason header.
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Normal => "Q.850;cause=16;text=\"Normal call clearing\"",
            Self::Busy => "Q.850;cause=17;text=\"User busy\"",
            Self::NoAnswer => "Q.850;cause=19;text=\"No answer from user\"",
            Self::AnsweredElsewhere => "SIP;cause=200;text=\"Call completed elsewhere\"",
            Self::Media => "Q.850;cause=31;text=\"Normal, unspecified\"",
            Self::Failure => "Q.850;cause=41;text=\"Temporary failure\"",
        }
    }

    /// The status that refuses an inbound call which is given up before it was answered.
    pub(super) fn status(self) -> u16 {
        match self {
            Self::Normal | Self::NoAnswer => 480,
            Self::Busy | Self::AnsweredElsewhere => 486,
            Self::Media => 488,
            Self::Failure => 503,
        }
    }
}

/// A command that the state of the call does not allow: a fault of ours, not of the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{command} is not possible: {state}")]
pub struct Misuse {
    /// The command.
    pub command: &'static str,
    /// What the call is doing.
    pub state: &'static str,
}

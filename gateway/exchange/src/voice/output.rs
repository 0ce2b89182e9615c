//! What the voice side wants done.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use desk::id::{CompanyId, InteractionId, ServiceId};
use desk::kept::Kept;
use desk::record::{Change, InteractionOpened};
use ivr::machine::{Request, Ticket};
use media_engine::dtmf::Key;
use media_engine::leg::{LegConfig, LegId, PlayId};
use media_engine::sip::CallId;
use media_engine::sip::call::{Cause, Dial, Target};

use crate::clip::Clip;

use super::CallKey;
use super::live::LiveEvent;

/// What is to be done; the shell takes it in order.
#[derive(Debug)]
pub enum Output {
    /// Remember that this call began, and say so by [`super::Voice::handle_opened`] when it is
    /// durable: the call is answered only then.
    Open {
        /// The call.
        call: CallKey,
        /// What is known of it.
        opened: Box<InteractionOpened>,
    },
    /// Remember this, after all that was to be remembered before.
    Save(Change),
    /// Keep this of a desk, so that it goes on from there when the program begins again.
    Kept(Kept),
    /// Tell the SIP endpoint.
    Sip(SipCommand),
    /// Tell the media thread of this leg.
    Media(LegId, MediaCommand),
    /// Tell those who watch a company.
    Live {
        /// Which.
        company: CompanyId,
        /// The count of what it is told.
        seq: u64,
        /// What.
        event: Box<LiveEvent>,
    },
    /// Ask over HTTP for a written interaction; then [`super::Voice::handle_asked`].
    Ask {
        /// For whom.
        interaction: InteractionId,
        /// For the answer.
        ticket: Ticket,
        /// What to ask.
        request: Box<Request>,
    },
    /// Ask over HTTP; then [`super::Voice::handle_fetched`].
    Fetch {
        /// For whom.
        call: CallKey,
        /// For the answer.
        ticket: Ticket,
        /// What to ask.
        request: Box<Request>,
    },
}

/// A command for the SIP endpoint.
#[derive(Debug)]
pub enum SipCommand {
    /// Take the call.
    Answer {
        /// Which.
        call: CallId,
        /// Our SDP: the answer, or our offer where the INVITE had none.
        sdp: Bytes,
    },
    /// Refuse the call.
    Reject {
        /// Which.
        call: CallId,
        /// With this status.
        status: u16,
        /// When it makes sense to try again.
        retry_after: Option<Duration>,
    },
    /// Answer a change of the media; an offer of ours where the peer sent none.
    AcceptOffer {
        /// Of this call.
        call: CallId,
        /// Our SDP.
        sdp: Bytes,
    },
    /// Refuse a change of the media.
    RejectOffer {
        /// Of this call.
        call: CallId,
        /// With this status.
        status: u16,
    },
    /// Tell the caller that it rings.
    Ring(CallId),
    /// Let the caller hear something before the answer.
    EarlyMedia {
        /// Which.
        call: CallId,
        /// Our SDP, which the answer repeats.
        sdp: Bytes,
    },
    /// Do the transfer that the peer asks for.
    AcceptTransfer(CallId),
    /// Tell the peer how its transfer is doing.
    ReportTransfer {
        /// Of this call.
        call: CallId,
        /// Below 200 it is under way; 200 to 299 it is done; else it failed.
        status: u16,
    },
    /// Refuse the transfer that the peer asks for.
    RefuseTransfer {
        /// Of this call.
        call: CallId,
        /// With this status.
        status: u16,
    },
    /// End the call, whatever it is doing.
    HangUp {
        /// Which.
        call: CallId,
        /// Why.
        cause: Cause,
    },
    /// Call somebody; then [`super::Voice::handle_dialling`].
    Dial {
        /// The leg that will carry it, for the answer.
        leg: LegId,
        /// Whom, and how.
        dial: Box<Dial>,
    },
}

/// The other end of a leg before it has said where its media are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Toward {
    /// Its signalling comes from here.
    Address(IpAddr),
    /// It is a browser, whose signalling comes from here.
    Browser(IpAddr),
    /// It is yet to be called.
    Target(Target),
}

/// A command for the media of one leg.
#[derive(Debug)]
pub enum MediaCommand {
    /// Open a port; then [`super::Voice::handle_leg_opened`].
    Open {
        /// Who will send to it: the port is reachable from there.
        toward: Toward,
        /// The leg that it will be bridged to: both stay on one thread.
        beside: Option<LegId>,
    },
    /// Begin to send and receive.
    Start(Box<LegConfig>),
    /// Go on with other parameters.
    Reconfigure(Box<LegConfig>),
    /// Play these one after the other, in the place of what plays; then
    /// [`super::Voice::handle_played`], unless it repeats.
    Play {
        /// For the answer.
        play: PlayId,
        /// What.
        clips: Vec<Clip>,
        /// Whether it begins again at its end.
        repeat: bool,
    },
    /// Be silent.
    Stop,
    /// Record what is heard, beginning now, at most this long.
    Record {
        /// For the answer.
        ticket: Ticket,
        /// The longest recording.
        max: Duration,
    },
    /// End the recording; then [`super::Voice::handle_recorded`]. Where none of a message runs, end that
    /// of the call, of which nothing is told.
    StopRecording,
    /// Record the call: what comes from this leg on the left, what it hears of others on the right, until
    /// the leg closes. When it is over the shell puts it away for this interaction.
    RecordCall(InteractionId),
    /// Be silent in the recording of the call from now on.
    PauseRecording,
    /// Be heard in it again.
    ResumeRecording,
    /// Let this leg hear these from now on, in place of those before. What is played to it is heard
    /// in their place.
    Hear(Vec<LegId>),
    /// Press a key towards this leg.
    Press(Key),
    /// Close the port; then [`super::Voice::handle_leg_closed`].
    Close,
}

/// A message that a caller left, as the shell kept it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The name of the file, which no other message has.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// How long it is.
    pub length: Duration,
}

/// A message that is being recorded or put away.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) ticket: Ticket,
    pub(super) service: Option<ServiceId>,
    /// The flow went on without knowing whether it was kept, and said so.
    pub(super) told: bool,
}

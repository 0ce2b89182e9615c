//! INVITE sessions, both ways: what a call tells its user, and what its user may ask of it.
//!
//! ```text
//!  inbound    Incoming ─▶ ring · early_media ─▶ answer ─▶ Confirmed ─▶ Offered · offer · Info ─▶ Ended
//!                     └─▶ reject ──────────────────────────────────────────────────────────────▶ Ended
//!  outbound   dial ─▶ Ringing · EarlyMedia ─▶ Answered ─▶ Offered · offer · Info ─▶ Ended
//!                  └─▶ hang_up (CANCEL) ────────────────────────────────────────▶ Ended
//!  answered   Transfer ─▶ accept_transfer ─▶ report_transfer …      refer ─▶ TransferProgress …
//!                     └─▶ refuse_transfer
//! ```
//!
//! Whatever happens, a call says [`CallEvent::Ended`] exactly once, as its last event. Bodies are
//! opaque here: the user of the call negotiates SDP.
//!
//! Inside, a call is one of four states, each with a file of its own: `inbound` (an INVITE waits for
//! our answer), `outbound` (ours waits for theirs), `session` (answered) and `closing` (its user has
//! heard the end; what is owed to the peer is still being done). A state consumes itself and gives
//! the next one.

mod closing;
mod event;
mod inbound;
mod outbound;
mod plan;
mod referral;
mod reliable;
mod scene;
mod session;
mod session_timer;
mod unacknowledged;
mod unwanted;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

pub use event::{
    CallEvent, Caller, Cause, Dial, End, Incoming, Misuse, Origin, Party, Reason, ReferTo,
    Referral, Replaced, Target,
};
pub(in crate::sip) use inbound::Inbound;
pub(in crate::sip) use outbound::Outbound;
pub(in crate::sip) use plan::{Identity, Order, Plan, Way};
pub(in crate::sip) use referral::{escaped, replaces_of};
pub(in crate::sip) use scene::{Peer, Received, Scene, allow, supported};
pub(in crate::sip) use session_timer::{Agreed, TooSmall};

use super::headers::Name;
use super::message::Message;
use super::resolve::{Server, Unresolvable};
use super::transaction::Failure;
use super::transaction::key::Key;
use super::{ConnectionId, Transport};
use closing::Closing;
use session::Session;

/// One INVITE session.
#[derive(Debug)]
pub(in crate::sip) struct Call {
    pub(in crate::sip) peer: Peer,
    /// The address that an unanswered inbound call is counted under.
    pub(in crate::sip) early_source: Option<IpAddr>,
    /// Where the endpoint finds it for requests within its dialog.
    pub(in crate::sip) dialog: Key,
    /// The deadline as the endpoint knows it.
    pub(in crate::sip) armed: Option<Instant>,
    /// The connection that the endpoint has noted for this call.
    pub(in crate::sip) connection: Option<ConnectionId>,
    /// When a call whose connection is gone ends, unless the peer is heard before.
    missed_at: Option<Instant>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// An INVITE came and has no final response.
    Inbound(Box<Inbound>),
    /// Our INVITE is out and has no 2xx.
    Outbound(Box<Outbound>),
    /// It was answered, by us or by the peer.
    Session(Box<Session>),
    /// Its user has heard the end.
    Closing(Box<Closing>),
    /// Nothing is owed to anybody.
    Over,
}

impl Call {
    pub(in crate::sip) fn inbound(
        peer: Peer,
        dialog: Key,
        source: IpAddr,
        inbound: Inbound,
    ) -> Self {
        Self {
            peer,
            dialog,
            early_source: Some(source),
            armed: None,
            connection: None,
            missed_at: None,
            state: State::Inbound(Box::new(inbound)),
        }
    }

    pub(in crate::sip) fn outbound(peer: Peer, dialog: Key, outbound: Outbound) -> Self {
        Self {
            peer,
            dialog,
            early_source: None,
            armed: None,
            connection: None,
            missed_at: None,
            state: State::Outbound(Box::new(outbound)),
        }
    }

    /// Where the name of the target leads.
    pub(in crate::sip) fn handle_servers(
        &mut self,
        scene: &mut Scene<'_>,
        servers: Result<Vec<Server>, Unresolvable>,
    ) {
        self.state = match self.take() {
            State::Outbound(outbound) => outbound.handle_servers(scene, &mut self.peer, servers),
            other @ (State::Inbound(_) | State::Session(_) | State::Closing(_) | State::Over) => {
                other
            }
        };
    }

    /// Whether the endpoint may forget it.
    pub(in crate::sip) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Whether it is inbound and not answered yet.
    pub(in crate::sip) fn is_early(&self) -> bool {
        matches!(self.state, State::Inbound(_))
    }

    /// Whether a request of the peer belongs to a dialog of this call.
    pub(in crate::sip) fn is_of(&self, request: &Message) -> bool {
        match &self.state {
            State::Inbound(inbound) => inbound.dialog().is_with(request),
            State::Outbound(outbound) => outbound.is_of(request),
            State::Session(session) => session.dialog().is_with(request),
            State::Closing(closing) => closing.is_of(request),
            State::Over => false,
        }
    }

    /// Our tag in its dialogs.
    pub(in crate::sip) fn local_tag(&self) -> Option<&[u8]> {
        match &self.state {
            State::Inbound(inbound) => Some(inbound.dialog().local_tag()),
            State::Outbound(outbound) => Some(outbound.local_tag()),
            State::Session(session) => Some(session.dialog().local_tag()),
            State::Closing(closing) => Some(closing.local_tag()),
            State::Over => None,
        }
    }

    /// When [`Self::handle_timeout`] is due.
    pub(in crate::sip) fn poll_timeout(&self) -> Option<Instant> {
        let next = match &self.state {
            State::Inbound(inbound) => inbound.poll_timeout(),
            State::Outbound(outbound) => outbound.poll_timeout(),
            State::Session(session) => session.poll_timeout(),
            State::Closing(closing) => closing.poll_timeout(),
            State::Over => return None,
        };
        [next, self.missed_at].into_iter().flatten().min()
    }

    pub(in crate::sip) fn handle_timeout(&mut self, scene: &mut Scene<'_>) {
        if self.missed_at.take_if(|at| *at <= scene.now).is_some() {
            self.state = match self.take() {
                State::Inbound(inbound) => inbound.lost(scene),
                State::Outbound(outbound) => outbound.lost(scene),
                State::Session(session) => session.lost(scene, &mut self.peer, None),
                State::Closing(_) | State::Over => State::Over,
            };
        }
        self.state = match self.take() {
            State::Inbound(inbound) => inbound.handle_timeout(scene),
            State::Outbound(outbound) => outbound.handle_timeout(scene),
            State::Session(session) => session.handle_timeout(scene, &mut self.peer),
            State::Closing(closing) => closing.handle_timeout(scene, &mut self.peer),
            State::Over => State::Over,
        };
    }

    /// The connection to the peer closed. A browser can be reached by no other, so its calls end
    /// unless it comes back; anybody else is found again by the address in their Contact.
    pub(in crate::sip) fn handle_connection_closed(&mut self, now: Instant) {
        let is_browser = match self.peer.flow.transport {
            Transport::Ws | Transport::Wss => true,
            Transport::Udp | Transport::Tcp | Transport::Tls => false,
        };
        if is_browser {
            self.missed_at = Some(now + RETURN_TIME);
        } else {
            self.peer.flow.connection = None;
        }
    }

    /// A new request of the peer within the dialog; its transaction is open.
    pub(in crate::sip) fn handle_request(&mut self, scene: &mut Scene<'_>, request: Received) {
        self.peer.flow = request.flow;
        self.missed_at = None;
        self.state = match self.take() {
            State::Inbound(inbound) => inbound.handle_request(scene, request),
            State::Outbound(outbound) => outbound.handle_request(scene, request),
            State::Session(session) => session.handle_request(scene, &mut self.peer, request),
            State::Closing(closing) => closing.handle_request(scene, &mut self.peer, request),
            State::Over => State::Over,
        };
    }

    /// An ACK to a 2xx of ours.
    pub(in crate::sip) fn handle_ack(&mut self, scene: &mut Scene<'_>, ack: &Message) {
        self.state = match self.take() {
            State::Session(session) => session.handle_ack(scene, ack),
            State::Closing(closing) => closing.handle_ack(scene, &mut self.peer, ack),
            other @ (State::Inbound(_) | State::Outbound(_) | State::Over) => other,
        };
    }

    /// The peer takes its INVITE back, or the one that changes the session.
    pub(in crate::sip) fn handle_cancel(&mut self, scene: &mut Scene<'_>, cancel: &Message) {
        self.state = match self.take() {
            State::Inbound(inbound) => inbound.handle_cancel(scene, cancel),
            State::Session(session) => session.handle_cancel(scene),
            other @ (State::Outbound(_) | State::Closing(_) | State::Over) => other,
        };
    }

    /// A response to the request of ours under `key`.
    pub(in crate::sip) fn handle_response(
        &mut self,
        scene: &mut Scene<'_>,
        key: Key,
        response: &Message,
    ) {
        self.state = match self.take() {
            State::Outbound(outbound) => {
                outbound.handle_response(scene, &mut self.peer, key, response)
            }
            State::Session(session) => {
                session.handle_response(scene, &mut self.peer, key, response)
            }
            State::Closing(closing) => {
                closing.handle_response(scene, &mut self.peer, key, response)
            }
            other @ (State::Inbound(_) | State::Over) => other,
        };
    }

    /// The transaction under `key` ended without what it waited for.
    pub(in crate::sip) fn handle_failure(
        &mut self,
        scene: &mut Scene<'_>,
        key: Key,
        failure: Failure,
    ) {
        self.state = match self.take() {
            State::Outbound(outbound) => {
                outbound.handle_failure(scene, &mut self.peer, key, failure)
            }
            State::Session(session) => session.handle_failure(scene, &mut self.peer, key, failure),
            State::Closing(closing) => closing.handle_failure(key),
            other @ (State::Inbound(_) | State::Over) => other,
        };
    }

    /// Tells the caller that it rings (180).
    pub(in crate::sip) fn ring(&mut self, scene: &mut Scene<'_>) -> Result<(), Misuse> {
        match &mut self.state {
            State::Inbound(inbound) => inbound.ring(scene),
            State::Outbound(_) | State::Session(_) | State::Closing(_) | State::Over => {
                return self.misuse("ring");
            }
        }
        Ok(())
    }

    /// Lets the caller hear something before the answer (183).
    pub(in crate::sip) fn early_media(
        &mut self,
        scene: &mut Scene<'_>,
        sdp: Bytes,
    ) -> Result<(), Misuse> {
        match &mut self.state {
            State::Inbound(inbound) => inbound.early_media(scene, sdp),
            State::Outbound(_) | State::Session(_) | State::Closing(_) | State::Over => {
                return self.misuse("early_media");
            }
        }
        Ok(())
    }

    /// Takes an inbound call (200).
    pub(in crate::sip) fn answer(
        &mut self,
        scene: &mut Scene<'_>,
        sdp: Bytes,
    ) -> Result<(), Misuse> {
        match self.take() {
            State::Inbound(inbound) => {
                self.state = inbound.answer(scene, sdp);
                Ok(())
            }
            other @ (State::Outbound(_) | State::Session(_) | State::Closing(_) | State::Over) => {
                self.state = other;
                self.misuse("answer")
            }
        }
    }

    /// Refuses an inbound call.
    pub(in crate::sip) fn reject(
        &mut self,
        scene: &mut Scene<'_>,
        status: u16,
        retry_after: Option<Duration>,
    ) -> Result<(), Misuse> {
        match self.take() {
            State::Inbound(inbound) => {
                self.state = inbound.reject(scene, status, retry_after);
                Ok(())
            }
            other @ (State::Outbound(_) | State::Session(_) | State::Closing(_) | State::Over) => {
                self.state = other;
                self.misuse("reject")
            }
        }
    }

    /// Ends the call, whatever it is doing. One that ended meanwhile has ended: no misuse.
    pub(in crate::sip) fn hang_up(&mut self, scene: &mut Scene<'_>, cause: Cause) {
        self.state = match self.take() {
            State::Inbound(inbound) => inbound.reject(scene, cause.status(), None),
            State::Outbound(outbound) => outbound.hang_up(scene, cause),
            State::Session(session) => session.hang_up(scene, &mut self.peer, cause),
            other @ (State::Closing(_) | State::Over) => other,
        };
    }

    /// Changes the media of an answered call by a new offer of ours (re-INVITE).
    pub(in crate::sip) fn offer(
        &mut self,
        scene: &mut Scene<'_>,
        sdp: Bytes,
    ) -> Result<(), Misuse> {
        match &mut self.state {
            State::Session(session) => session.offer(scene, &mut self.peer, sdp),
            State::Inbound(_) | State::Outbound(_) | State::Closing(_) | State::Over => {
                self.misuse("offer")
            }
        }
    }

    /// Answers an offer of the peer; where it was empty, `sdp` is our offer.
    pub(in crate::sip) fn accept_offer(
        &mut self,
        scene: &mut Scene<'_>,
        sdp: Bytes,
    ) -> Result<(), Misuse> {
        match self.take() {
            State::Inbound(inbound) => {
                let (state, done) = inbound.accept_offer(scene, &sdp);
                self.state = state;
                done
            }
            State::Outbound(mut outbound) => {
                let done = outbound.accept_offer(scene, sdp);
                self.state = State::Outbound(outbound);
                done
            }
            State::Session(mut session) => {
                let done = session.accept_offer(scene, sdp);
                self.state = State::Session(session);
                done
            }
            other @ (State::Closing(_) | State::Over) => {
                self.state = other;
                self.misuse("accept_offer")
            }
        }
    }

    /// Refuses an offer of the peer: the media stay as they were.
    pub(in crate::sip) fn reject_offer(
        &mut self,
        scene: &mut Scene<'_>,
        status: u16,
    ) -> Result<(), Misuse> {
        match self.take() {
            State::Inbound(inbound) => {
                let (state, done) = inbound.reject_offer(scene, status);
                self.state = state;
                done
            }
            State::Outbound(mut outbound) => {
                let done = outbound.reject_offer(scene, status);
                self.state = State::Outbound(outbound);
                done
            }
            State::Session(mut session) => {
                let done = session.reject_offer(scene, status);
                self.state = State::Session(session);
                done
            }
            other @ (State::Closing(_) | State::Over) => {
                self.state = other;
                self.misuse("reject_offer")
            }
        }
    }

    /// Sends an INFO within an answered call.
    pub(in crate::sip) fn send_info(
        &mut self,
        scene: &mut Scene<'_>,
        content_type: &str,
        body: &[u8],
    ) -> Result<(), Misuse> {
        match &mut self.state {
            State::Session(session) => {
                session.send_info(scene, &mut self.peer, content_type, body);
                Ok(())
            }
            State::Inbound(_) | State::Outbound(_) | State::Closing(_) | State::Over => {
                self.misuse("send_info")
            }
        }
    }

    /// Accepts the transfer that the peer asks for.
    pub(in crate::sip) fn accept_transfer(&mut self, scene: &mut Scene<'_>) -> Result<(), Misuse> {
        match &mut self.state {
            State::Session(session) => session.accept_transfer(scene, &self.peer),
            State::Inbound(_) | State::Outbound(_) | State::Closing(_) | State::Over => {
                self.misuse("accept_transfer")
            }
        }
    }

    /// Refuses the transfer that the peer asks for.
    pub(in crate::sip) fn refuse_transfer(
        &mut self,
        scene: &mut Scene<'_>,
        status: u16,
    ) -> Result<(), Misuse> {
        match &mut self.state {
            State::Session(session) => session.refuse_transfer(scene, status),
            State::Inbound(_) | State::Outbound(_) | State::Closing(_) | State::Over => {
                self.misuse("refuse_transfer")
            }
        }
    }

    /// Tells the peer how the transfer goes.
    pub(in crate::sip) fn report_transfer(
        &mut self,
        scene: &mut Scene<'_>,
        status: u16,
    ) -> Result<(), Misuse> {
        match &mut self.state {
            State::Session(session) => session.report_transfer(scene, &self.peer, status),
            State::Inbound(_) | State::Outbound(_) | State::Closing(_) | State::Over => {
                self.misuse("report_transfer")
            }
        }
    }

    /// Asks the peer to call somebody in the place of this call.
    pub(in crate::sip) fn refer(
        &mut self,
        scene: &mut Scene<'_>,
        headers: Vec<(Name, String)>,
    ) -> Result<(), Misuse> {
        match &mut self.state {
            State::Session(session) => session.refer(scene, &self.peer, headers),
            State::Inbound(_) | State::Outbound(_) | State::Closing(_) | State::Over => {
                self.misuse("refer")
            }
        }
    }

    /// Whether the peer has this tag in a dialog of the call.
    pub(in crate::sip) fn is_with(&self, remote_tag: &[u8]) -> bool {
        match &self.state {
            State::Inbound(inbound) => inbound.dialog().remote_tag() == remote_tag,
            State::Outbound(outbound) => outbound.is_with(remote_tag),
            State::Session(session) => session.dialog().remote_tag() == remote_tag,
            State::Closing(_) | State::Over => false,
        }
    }

    /// Whether an INVITE may take the place of this call's peer, else what it is answered with (RFC
    /// 3891 section 3).
    pub(in crate::sip) fn replaceable(&self, early_only: bool) -> Result<(), u16> {
        match &self.state {
            State::Session(_) if early_only => Err(486),
            State::Session(_) | State::Outbound(_) => Ok(()),
            // A caller is not replaced before we have answered.
            State::Inbound(_) => Err(481),
            State::Closing(_) | State::Over => Err(603),
        }
    }

    /// The peer of an answered call as a Refer-To names it: whoever is called there takes our place
    /// (RFC 3891).
    pub(in crate::sip) fn refer_to(&self) -> Option<String> {
        match &self.state {
            State::Session(session) => Some(session.dialog().refer_to()),
            State::Inbound(_) | State::Outbound(_) | State::Closing(_) | State::Over => None,
        }
    }

    fn take(&mut self) -> State {
        std::mem::replace(&mut self.state, State::Over)
    }

    fn misuse<T>(&self, command: &'static str) -> Result<T, Misuse> {
        let state = match &self.state {
            State::Inbound(_) => "the call waits for our answer",
            State::Outbound(_) => "the call waits for the callee",
            State::Session(_) => "the call is answered",
            State::Closing(_) | State::Over => "the call has ended",
        };
        Err(Misuse { command, state })
    }
}

/// How long a browser may take to come back after its connection broke: a change of network, or a
/// page that is loaded again.
const RETURN_TIME: Duration = Duration::from_secs(15);

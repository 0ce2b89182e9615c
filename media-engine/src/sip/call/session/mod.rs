//! An answered call: changes of its media, keys, its end.

use std::time::Instant;

use bytes::Bytes;

use super::State;
use super::closing::Closing;
use super::event::{CallEvent, Cause, Party};
use super::scene::{Peer, Received, Scene, allow, reason, sdp};
use super::session_timer::{self, Agreed, SessionTimer};
use super::unacknowledged::{Due, Meaning, Unacknowledged};
use super::unwanted::Unwanted;
use crate::sip::body;
use crate::sip::dialog::Dialog;
use crate::sip::digest::Attempt;
use crate::sip::endpoint::{TracedWay, abilities};
use crate::sip::headers::Name;
use crate::sip::message::Message;
use crate::sip::transaction::Failure;
use crate::sip::transaction::key::Key;
use crate::sip::write::Writer;
use crate::sip::{Flow, Method};

mod ours;
mod theirs;
mod transfer;

use transfer::{Referred, Referring};

/// The state of an answered call.
#[derive(Debug)]
pub(super) struct Session {
    dialog: Dialog,
    /// Whether the Call-ID is ours: it decides who waits longer after a glare.
    is_caller: bool,
    /// Our 2xx, until its ACK.
    unacknowledged: Option<Unacknowledged>,
    /// Our last ACK, for copies of the 2xx that it answers.
    acknowledged: Option<Acknowledged>,
    /// As a caller: our INVITEs, of which others than the peer may take one too (RFC 3261 section
    /// 13.2.2.4).
    unwanted: Vec<Unwanted>,
    exchange: Exchange,
    later: Option<Later>,
    /// INFOs of ours that may yet be challenged.
    informing: Vec<Informing>,
    /// The transfer that the peer asked for.
    referred: Option<Referred>,
    /// The transfer that we asked for.
    referring: Option<Referring>,
    upkeep: Upkeep,
}

/// What keeps the session alive (RFC 4028).
#[derive(Debug)]
pub(super) struct Upkeep {
    timer: Option<SessionTimer>,
    /// Whether the peer takes UPDATE, which refreshes without touching the media.
    can_update: bool,
    /// The SDP of ours that is in force: a refresh by re-INVITE says it again.
    local_sdp: Bytes,
    /// Our refresh by UPDATE that waits for its response.
    update: Option<(Key, Attempt)>,
}

impl Upkeep {
    pub(super) fn new(timer: Option<SessionTimer>, can_update: bool, local_sdp: Bytes) -> Self {
        Self {
            timer,
            can_update,
            local_sdp,
            update: None,
        }
    }
}

/// An ACK that we sent.
#[derive(Debug)]
pub(super) struct Acknowledged {
    pub(super) invite: Key,
    pub(super) flow: Flow,
    pub(super) bytes: Bytes,
}

/// The offer that is under way (RFC 3264): one at a time, from one side.
#[derive(Debug)]
enum Exchange {
    /// None.
    Settled,
    /// The peer's, by re-INVITE or UPDATE: our user thinks about it.
    Theirs {
        request: Received,
        /// The session timer that our 2xx will agree to.
        agreed: Option<Agreed>,
    },
    /// Ours, by re-INVITE.
    Ours(Ours),
}

/// An offer of ours that met one of the peer (491): it is sent again (RFC 3261 section 14.1), after
/// what is under way by then.
#[derive(Debug)]
struct Later {
    sdp: Bytes,
    at: Instant,
}

/// An INFO of ours that waits for its response.
#[derive(Debug)]
struct Informing {
    info: Key,
    content_type: String,
    body: Bytes,
    attempt: Attempt,
}

#[derive(Debug)]
struct Ours {
    sdp: Bytes,
    invite: Key,
    sequence: u32,
    attempt: Attempt,
    give_up_at: Instant,
}

impl Session {
    /// An inbound call that we answered.
    pub(super) fn answered(dialog: Dialog, upkeep: Upkeep, unacknowledged: Unacknowledged) -> Self {
        Self {
            dialog,
            is_caller: false,
            unacknowledged: Some(unacknowledged),
            acknowledged: None,
            unwanted: Vec::new(),
            exchange: Exchange::Settled,
            later: None,
            informing: Vec::new(),
            referred: None,
            referring: None,
            upkeep,
        }
    }

    /// A call of ours that was answered.
    pub(super) fn called(
        dialog: Dialog,
        acknowledged: Acknowledged,
        unwanted: Vec<Unwanted>,
        upkeep: Upkeep,
    ) -> Self {
        Self {
            dialog,
            is_caller: true,
            unacknowledged: None,
            unwanted,
            acknowledged: Some(acknowledged),
            exchange: Exchange::Settled,
            later: None,
            informing: Vec::new(),
            referred: None,
            referring: None,
            upkeep,
        }
    }

    pub(super) fn dialog(&self) -> &Dialog {
        &self.dialog
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let unacknowledged = self
            .unacknowledged
            .as_ref()
            .map(Unacknowledged::poll_timeout);
        let exchange = match &self.exchange {
            Exchange::Settled | Exchange::Theirs { .. } => None,
            Exchange::Ours(ours) => Some(ours.give_up_at),
        };
        let later = self.later.as_ref().filter(|_| self.is_idle());
        let later = later.map(|later| later.at);
        let timer = self.upkeep.timer.as_ref().map(SessionTimer::poll_timeout);
        let unwanted = self
            .unwanted
            .iter()
            .filter_map(Unwanted::poll_timeout)
            .min();
        let transfer = self.transfer_timeout();
        [unacknowledged, exchange, later, timer, unwanted, transfer]
            .into_iter()
            .flatten()
            .min()
    }

    pub(super) fn handle_timeout(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
    ) -> State {
        if let Some(waiting) = &mut self.unacknowledged {
            match waiting.handle_timeout(scene.now) {
                Due::Nothing => {}
                Due::Repeat => {
                    let (server, response) = (waiting.server, waiting.response.clone());
                    scene.core.respond(scene.now, server, 200, response);
                }
                // RFC 3261 sections 13.3.1.4 and 14.2.
                Due::GiveUp => {
                    self.unacknowledged = None;
                    return self.lost(scene, peer, None);
                }
            }
        }
        let now = scene.now;
        for due in self.unwanted.extract_if(.., |it| it.is_due(now)) {
            due.abandon(scene);
        }
        self.handle_transfer_timeout(scene);
        if matches!(&self.exchange, Exchange::Ours(ours) if ours.give_up_at <= scene.now) {
            return self.lost(scene, peer, Some(408));
        }
        if self.is_idle()
            && let Some(later) = self.later.take_if(|later| later.at <= scene.now)
        {
            self.send_offer(scene, peer, later.sdp, Attempt::default());
        }
        let due = match &mut self.upkeep.timer {
            Some(timer) => timer.handle_timeout(scene.now),
            None => session_timer::Due::Nothing,
        };
        match due {
            session_timer::Due::Nothing => {}
            session_timer::Due::Refresh => self.refresh(scene, peer),
            // RFC 4028 section 10.
            session_timer::Due::Expired => return self.lost(scene, peer, None),
        }
        State::Session(self)
    }

    pub(super) fn handle_request(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        _peer: &mut Peer,
        request: Received,
    ) -> State {
        let tag = self.dialog.local_tag().to_vec();
        if let Err(fault) = self.dialog.handle_sequence(request.sequence()) {
            scene.reply(&request, fault.status(), &tag, Writer::finish);
            return State::Session(self);
        }
        match request.message.method() {
            Some(Method::Bye) => {
                scene.reply(&request, 200, &tag, Writer::finish);
                self.drop_exchange(scene);
                scene.ended(Party::Peer, None, reason(&request.message));
                return State::Over;
            }
            Some(Method::Invite) => self.handle_invite(scene, request),
            Some(Method::Update) => self.handle_update(scene, request),
            Some(Method::Info) => {
                scene.reply(&request, 200, &tag, Writer::finish);
                // What cannot be read has been refused; what may be passed over is.
                if let Ok(Some(part)) = body::read(&request.message) {
                    scene.tell(CallEvent::Info {
                        call: scene.call,
                        content_type: part.content_type,
                        body: part.bytes,
                    });
                }
            }
            Some(Method::Refer) => self.handle_refer(scene, request),
            Some(Method::Notify) => self.handle_notify(scene, &request),
            Some(Method::Options) => {
                scene.reply(&request, 200, &tag, |writer| abilities(writer).finish());
            }
            // All reliable responses of ours are long acknowledged (RFC 3262 section 3).
            Some(Method::Prack) => {
                scene.reply(&request, 481, &tag, Writer::finish);
            }
            Some(_) | None => {
                scene.reply(&request, 405, &tag, |writer| {
                    writer.header(Name::Allow, allow()).finish()
                });
            }
        }
        State::Session(self)
    }

    pub(super) fn handle_ack(mut self: Box<Self>, scene: &mut Scene<'_>, ack: &Message) -> State {
        let sequence = ack.cseq().map(|cseq| cseq.number).ok();
        let waiting = self
            .unacknowledged
            .take_if(|waiting| Some(waiting.sequence) == sequence);
        let call = scene.call;
        match waiting.map(|waiting| waiting.meaning) {
            Some(Meaning::Opened) => scene.tell(CallEvent::Confirmed { call, sdp: None }),
            Some(Meaning::OpenedWithOffer) => scene.tell(CallEvent::Confirmed {
                call,
                sdp: sdp(ack),
            }),
            Some(Meaning::Answers) => match sdp(ack) {
                Some(sdp) => scene.tell(CallEvent::OfferAnswered { call, sdp }),
                // It asked us to offer and does not answer: the media stay as they were.
                None => scene.tell(CallEvent::OfferRejected { call, status: 400 }),
            },
            Some(Meaning::Changed) | None => {}
        }
        State::Session(self)
    }

    pub(super) fn handle_response(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        key: Key,
        response: &Message,
    ) -> State {
        let status = response.status().unwrap_or(500);
        if let Some(acknowledged) = &self.acknowledged
            && acknowledged.invite == key
            && response.to_tag().unwrap_or_default() == self.dialog.remote_tag()
        {
            // A copy of the 2xx: our ACK was lost (RFC 3261 section 13.2.2.4).
            if (200..300).contains(&status) {
                let (flow, bytes) = (acknowledged.flow, acknowledged.bytes.clone());
                scene.core.trace(scene.call, TracedWay::Sent, flow, &bytes);
                scene.core.transmit(flow, bytes);
            }
            return State::Session(self);
        }
        if let Some(at) = self.unwanted.iter().position(|it| it.invite == key) {
            if self.unwanted[at].handle_response(scene, response) {
                self.unwanted.remove(at);
            }
            return State::Session(self);
        }
        if let Some(at) = self.informing.iter().position(|it| it.info == key) {
            if status >= 200 {
                let informing = self.informing.remove(at);
                self.handle_info_response(scene, peer, informing, status, response);
            }
            return State::Session(self);
        }
        if self.handle_refer_response(scene, peer, key, status, response) {
            return State::Session(self);
        }
        if let Some((_, attempt)) = self.upkeep.update.take_if(|(update, _)| *update == key) {
            return self.handle_update_response(scene, peer, (key, attempt), status, response);
        }
        match std::mem::replace(&mut self.exchange, Exchange::Settled) {
            Exchange::Ours(ours) if ours.invite == key => {
                self.handle_offer_response(scene, peer, ours, status, response)
            }
            other @ (Exchange::Settled | Exchange::Theirs { .. } | Exchange::Ours(_)) => {
                self.exchange = other;
                State::Session(self)
            }
        }
    }

    pub(super) fn handle_failure(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        key: Key,
        failure: Failure,
    ) -> State {
        self.unwanted.retain(|it| it.invite != key);
        self.informing.retain(|it| it.info != key);
        self.handle_refer_failure(scene, key);
        let is_offer = matches!(&self.exchange, Exchange::Ours(ours) if ours.invite == key);
        let is_update = matches!(&self.upkeep.update, Some((update, _)) if *update == key);
        if !is_offer && !is_update {
            return State::Session(self);
        }
        let status = match failure {
            Failure::TimedOut | Failure::AckMissing => 408,
            Failure::Transport => 503,
        };
        self.lost(scene, peer, Some(status))
    }

    pub(super) fn hang_up(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        cause: Cause,
    ) -> State {
        self.drop_exchange(scene);
        scene.ended(Party::Us, None, None);
        let cause = Some(cause);
        match self.unacknowledged {
            Some(waiting) if waiting.meaning.opens() => {
                State::Closing(Box::new(Closing::Unacknowledged {
                    dialog: self.dialog,
                    waiting,
                    cause,
                }))
            }
            Some(_) | None => Closing::leave(scene, peer, self.dialog, cause),
        }
    }

    /// Nothing is heard from the peer any more: the call ends, and a BYE says so in case the peer
    /// hears.
    pub(super) fn lost(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        status: Option<u16>,
    ) -> State {
        self.drop_exchange(scene);
        scene.ended(Party::Network, status, None);
        Closing::leave(scene, peer, self.dialog, None)
    }

    /// The call ends while an offer or a transfer is under way.
    fn drop_exchange(&mut self, scene: &mut Scene<'_>) {
        self.drop_referred(scene, 487);
        match std::mem::replace(&mut self.exchange, Exchange::Settled) {
            // RFC 3261 section 15.1.2.
            Exchange::Theirs { request, .. } => {
                scene.reply(&request, 487, self.dialog.local_tag(), Writer::finish);
            }
            Exchange::Ours(ours) => scene.core.abandon(ours.invite),
            Exchange::Settled => {}
        }
    }

    pub(super) fn send_info(
        &mut self,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        content_type: &str,
        body: &[u8],
    ) {
        let body = Bytes::copy_from_slice(body);
        self.inform(
            scene,
            peer,
            content_type.to_owned(),
            body,
            Attempt::default(),
        );
    }

    fn inform(
        &mut self,
        scene: &mut Scene<'_>,
        peer: &Peer,
        content_type: String,
        body: Bytes,
        attempt: Attempt,
    ) {
        let dialog = &mut self.dialog;
        let (info, _) = scene.request(peer, dialog, Method::Info, &body, |writer| {
            writer.finish_with_body(&content_type, &body)
        });
        // Nobody but a carrier gets credentials.
        if peer.trunk.is_some() && self.informing.len() < INFORMING_MAX {
            self.informing.push(Informing {
                info,
                content_type,
                body,
                attempt,
            });
        }
    }

    /// Sends an INFO again that was challenged. What else is said to it changes nothing.
    fn handle_info_response(
        &mut self,
        scene: &mut Scene<'_>,
        peer: &Peer,
        mut informing: Informing,
        status: u16,
        response: &Message,
    ) {
        let (source, attempt) = (scene.source, &mut informing.attempt);
        if matches!(status, 401 | 407) && scene.core.challenged(peer, attempt, response, source) {
            let Informing {
                content_type,
                body,
                attempt,
                ..
            } = informing;
            self.inform(scene, peer, content_type, body, attempt);
        }
    }
}

/// INFOs that are kept until they are answered: keys come a few a second.
const INFORMING_MAX: usize = 16;

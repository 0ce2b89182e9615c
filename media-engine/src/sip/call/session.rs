//! An answered call: changes of its media, keys, its end.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::State;
use super::closing::Closing;
use super::event::{CallEvent, Cause, Misuse, Party};
use super::outbound::{self, Identity};
use super::scene::{Peer, Received, SDP, Scene, allow, reason, sdp, supported};
use super::session_timer::{self, Agreed, SessionTimer, TooSmall};
use super::unacknowledged::{Due, Meaning, Unacknowledged};
use crate::sip::dialog::Dialog;
use crate::sip::digest::Attempt;
use crate::sip::headers::Name;
use crate::sip::message::Message;
use crate::sip::transaction::Failure;
use crate::sip::transaction::key::Key;
use crate::sip::write::Writer;
use crate::sip::{Flow, Method};

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
    /// As a caller: what makes it possible to leave the other branches of a fork.
    fork: Option<Fork>,
    exchange: Exchange,
    later: Option<Later>,
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

/// Our INVITE, of which several callees may take the call (RFC 3261 section 13.2.2.4).
#[derive(Debug)]
struct Fork {
    invite: Key,
    identity: Identity,
    sequence: u32,
    /// The tags of those we have left again.
    left: Vec<Bytes>,
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
            fork: None,
            exchange: Exchange::Settled,
            later: None,
            upkeep,
        }
    }

    /// A call of ours that was answered.
    pub(super) fn called(
        dialog: Dialog,
        acknowledged: Acknowledged,
        identity: Identity,
        sequence: u32,
        upkeep: Upkeep,
    ) -> Self {
        Self {
            dialog,
            is_caller: true,
            unacknowledged: None,
            fork: Some(Fork {
                invite: acknowledged.invite,
                identity,
                sequence,
                left: Vec::new(),
            }),
            acknowledged: Some(acknowledged),
            exchange: Exchange::Settled,
            later: None,
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
        [unacknowledged, exchange, later, timer]
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

    /// Whether we may offer: no offer is under way, and our last 2xx is confirmed.
    fn is_idle(&self) -> bool {
        matches!(self.exchange, Exchange::Settled) && self.unacknowledged.is_none()
    }

    /// Shows the peer that we live (RFC 4028 section 7.4): by UPDATE where it takes that, else by the
    /// media as they are. An offer that is under way refreshes too.
    fn refresh(&mut self, scene: &mut Scene<'_>, peer: &Peer) {
        if self.upkeep.can_update {
            if self.upkeep.update.is_none() {
                self.send_update(scene, peer, Attempt::default());
            }
        } else if self.is_idle() {
            let sdp = self.upkeep.local_sdp.clone();
            self.send_offer(scene, peer, sdp, Attempt::default());
        }
    }

    fn send_update(&mut self, scene: &mut Scene<'_>, peer: &Peer, attempt: Attempt) {
        let contact = scene.contact(&peer.flow);
        let seconds = self.interval(scene);
        let min = scene.core.config.session_expires_min;
        let (key, _) = scene.request(peer, &mut self.dialog, Method::Update, &[], |writer| {
            let writer = writer
                .header(Name::Contact, contact)
                .header(Name::Supported, supported());
            session_timer::ask(writer, min, seconds, true).finish()
        });
        self.upkeep.update = Some((key, attempt));
    }

    /// The session interval that we ask for, in seconds.
    fn interval(&self, scene: &Scene<'_>) -> u32 {
        match &self.upkeep.timer {
            Some(timer) => timer.seconds(),
            None => session_timer::seconds(scene.core.config.session_expires),
        }
    }

    /// Takes what a 2xx to a request of ours says about the timer.
    fn renew(&mut self, scene: &Scene<'_>, response: &Message) {
        let agreed = Agreed::as_caller(response);
        self.upkeep.timer = agreed.map(|agreed| SessionTimer::new(scene.now, agreed, true));
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
                let message = &request.message;
                scene.tell(CallEvent::Info {
                    call: scene.call,
                    content_type: message.header_bytes(Name::ContentType).unwrap_or_default(),
                    body: message.body(),
                });
            }
            Some(Method::Options) => {
                scene.reply(&request, 200, &tag, |writer| {
                    writer
                        .header(Name::Allow, allow())
                        .header(Name::Accept, SDP)
                        .finish()
                });
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

    /// A re-INVITE.
    fn handle_invite(&mut self, scene: &mut Scene<'_>, request: Received) {
        self.take_lost_ack(scene);
        if let Some(status) = self.busy() {
            return self.refuse_for_now(scene, &request, status);
        }
        let Some(agreed) = self.agree(scene, &request) else {
            return;
        };
        self.dialog.refresh_target(&request.message);
        let sdp = request.sdp();
        self.exchange = Exchange::Theirs { request, agreed };
        let call = scene.call;
        scene.tell(CallEvent::Offered { call, sdp });
    }

    /// An UPDATE (RFC 3311): a new offer, or only a sign of life.
    fn handle_update(&mut self, scene: &mut Scene<'_>, request: Received) {
        let sdp = request.sdp();
        if let Some(status) = self.busy().filter(|_| sdp.is_some()) {
            return self.refuse_for_now(scene, &request, status);
        }
        let Some(agreed) = self.agree(scene, &request) else {
            return;
        };
        self.dialog.refresh_target(&request.message);
        let Some(sdp) = sdp else {
            let contact = scene.contact(&request.flow);
            scene.reply(&request, 200, self.dialog.local_tag(), |writer| {
                let writer = writer.header(Name::Contact, contact);
                match agreed {
                    Some(agreed) => agreed.write(writer).finish(),
                    None => writer.finish(),
                }
            });
            self.upkeep.timer = agreed.map(|agreed| SessionTimer::new(scene.now, agreed, false));
            return;
        };
        self.exchange = Exchange::Theirs { request, agreed };
        let call = scene.call;
        scene.tell(CallEvent::Offered {
            call,
            sdp: Some(sdp),
        });
    }

    /// The session timer that our 2xx to this request agrees to; `None` where it has been refused.
    fn agree(&self, scene: &mut Scene<'_>, request: &Received) -> Option<Option<Agreed>> {
        match Agreed::as_callee(&request.message, &scene.core.config) {
            Ok(agreed) => Some(agreed),
            Err(TooSmall { min_s }) => {
                scene.reply(request, 422, self.dialog.local_tag(), |writer| {
                    writer.header_display(Name::MinSe, min_s).finish()
                });
                None
            }
        }
    }

    /// A peer that sends its next INVITE has heard our 2xx, so a missing ACK was lost on its way.
    /// Not so where it had to bring an answer.
    fn take_lost_ack(&mut self, scene: &mut Scene<'_>) {
        let waiting = self.unacknowledged.take();
        match waiting.as_ref().map(|waiting| waiting.meaning) {
            Some(Meaning::Opened) => {
                let call = scene.call;
                scene.tell(CallEvent::Confirmed { call, sdp: None });
            }
            Some(Meaning::OpenedWithOffer | Meaning::Answers) => self.unacknowledged = waiting,
            Some(Meaning::Changed) | None => {}
        }
    }

    /// Why the peer cannot offer (RFC 3261 section 14.2, RFC 3311 section 5.2).
    fn busy(&self) -> Option<u16> {
        let expects_answer = self
            .unacknowledged
            .as_ref()
            .is_some_and(|waiting| waiting.meaning.expects_answer());
        match &self.exchange {
            Exchange::Theirs { .. } => Some(500),
            Exchange::Ours(_) => Some(491),
            Exchange::Settled => expects_answer.then_some(491),
        }
    }

    fn refuse_for_now(&self, scene: &mut Scene<'_>, request: &Received, status: u16) {
        let seconds = scene.core.chance(0..=10); // RFC 3261 section 14.2
        scene.reply(request, status, self.dialog.local_tag(), |writer| {
            if status == 500 {
                writer.header_display(Name::RetryAfter, seconds).finish()
            } else {
                writer.finish()
            }
        });
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

    /// The peer takes its re-INVITE back.
    pub(super) fn handle_cancel(mut self: Box<Self>, scene: &mut Scene<'_>) -> State {
        if let Exchange::Theirs { request, .. } = &self.exchange
            && request.message.method() == Some(&Method::Invite)
        {
            scene.reply(request, 487, self.dialog.local_tag(), Writer::finish);
            self.exchange = Exchange::Settled;
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
        if self.is_other_branch(key, status, response) {
            self.leave_branch(scene, peer, response);
            return State::Session(self);
        }
        if let Some(acknowledged) = &self.acknowledged
            && acknowledged.invite == key
        {
            // A copy of the 2xx: our ACK was lost (RFC 3261 section 13.2.2.4).
            if (200..300).contains(&status) {
                let (flow, bytes) = (acknowledged.flow, acknowledged.bytes.clone());
                scene.core.transmit(flow, bytes);
            }
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

    fn handle_update_response(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        (key, mut attempt): (Key, Attempt),
        status: u16,
        response: &Message,
    ) -> State {
        match status {
            ..200 => self.upkeep.update = Some((key, attempt)),
            200..300 => {
                self.dialog.refresh_target(response);
                self.renew(scene, response);
            }
            401 | 407
                if scene
                    .core
                    .challenged(peer, &mut attempt, response, scene.source) =>
            {
                self.send_update(scene, peer, attempt);
            }
            408 | 481 => return self.lost(scene, peer, Some(status)),
            // It says UPDATE and means it not.
            405 | 501 => self.upkeep.can_update = false,
            // Not this time: it is tried again until the session expires.
            300.. => {}
        }
        State::Session(self)
    }

    /// Whether somebody else took the call too.
    fn is_other_branch(&self, key: Key, status: u16, response: &Message) -> bool {
        let is_ours = self.fork.as_ref().is_some_and(|fork| fork.invite == key);
        is_ours
            && (200..300).contains(&status)
            && response.to_tag().unwrap_or_default() != self.dialog.remote_tag()
    }

    /// Acknowledges another callee's 2xx, and hangs up on it.
    fn leave_branch(&mut self, scene: &mut Scene<'_>, peer: &Peer, response: &Message) {
        let Some(fork) = &mut self.fork else {
            return;
        };
        let Some(mut dialog) = outbound::open(&fork.identity, fork.sequence, response) else {
            return;
        };
        scene.acknowledge(peer, &dialog, fork.sequence, None);
        let tag = Bytes::copy_from_slice(dialog.remote_tag());
        if fork.left.contains(&tag) || fork.left.len() == BRANCHES_MAX {
            return;
        }
        fork.left.push(tag);
        let reason = Cause::AnsweredElsewhere.header();
        scene.request(peer, &mut dialog, Method::Bye, &[], |writer| {
            writer.header(Name::Reason, reason).finish()
        });
    }

    fn handle_offer_response(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        mut ours: Ours,
        status: u16,
        response: &Message,
    ) -> State {
        let call = scene.call;
        match status {
            ..200 => {
                ours.give_up_at = scene.now + OFFER_TIME;
                self.exchange = Exchange::Ours(ours);
            }
            200..300 => {
                self.dialog.refresh_target(response);
                self.renew(scene, response);
                self.upkeep.local_sdp = ours.sdp;
                let (flow, bytes) = scene.acknowledge(peer, &self.dialog, ours.sequence, None);
                self.acknowledged = Some(Acknowledged {
                    invite: ours.invite,
                    flow,
                    bytes,
                });
                scene.tell(match sdp(response) {
                    Some(sdp) => CallEvent::OfferAnswered { call, sdp },
                    None => CallEvent::OfferRejected { call, status: 400 },
                });
            }
            401 | 407
                if scene
                    .core
                    .challenged(peer, &mut ours.attempt, response, scene.source) =>
            {
                self.send_offer(scene, peer, ours.sdp, ours.attempt);
            }
            491 => {
                self.later = Some(Later {
                    sdp: ours.sdp,
                    at: scene.now + self.glare_pause(scene),
                });
            }
            // The peer knows no such dialog any more (RFC 3261 section 12.2.1.2).
            408 | 481 => return self.lost(scene, peer, Some(status)),
            300.. => scene.tell(CallEvent::OfferRejected { call, status }),
        }
        State::Session(self)
    }

    /// Whoever made the Call-ID waits longer, so that the two do not meet again (RFC 3261 section
    /// 14.1).
    fn glare_pause(&self, scene: &mut Scene<'_>) -> Duration {
        let hundredths = if self.is_caller {
            scene.core.chance(210..=400)
        } else {
            scene.core.chance(0..=200)
        };
        Duration::from_millis(u64::from(hundredths) * 10)
    }

    pub(super) fn handle_failure(
        self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        key: Key,
        failure: Failure,
    ) -> State {
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

    /// The call ends while an offer is under way.
    fn drop_exchange(&mut self, scene: &mut Scene<'_>) {
        match std::mem::replace(&mut self.exchange, Exchange::Settled) {
            // RFC 3261 section 15.1.2.
            Exchange::Theirs { request, .. } => {
                scene.reply(&request, 487, self.dialog.local_tag(), Writer::finish);
            }
            Exchange::Ours(ours) => scene.core.abandon(ours.invite),
            Exchange::Settled => {}
        }
    }

    pub(super) fn offer(
        &mut self,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        sdp: Bytes,
    ) -> Result<(), Misuse> {
        let refused = |state| {
            Err(Misuse {
                command: "offer",
                state,
            })
        };
        if let Some(later) = &mut self.later {
            later.sdp = sdp; // The newer one is the one that is meant.
            return Ok(());
        }
        if self.unacknowledged.is_some() {
            return refused("our last answer is not confirmed yet");
        }
        match &mut self.exchange {
            Exchange::Settled => self.send_offer(scene, peer, sdp, Attempt::default()),
            Exchange::Theirs { .. } => return refused("an offer of the peer is to be answered"),
            Exchange::Ours(_) => return refused("an offer of ours is under way"),
        }
        Ok(())
    }

    fn send_offer(&mut self, scene: &mut Scene<'_>, peer: &Peer, sdp: Bytes, attempt: Attempt) {
        let contact = scene.contact(&peer.flow);
        let timed = self.upkeep.timer.is_some();
        let (min, seconds) = (scene.core.config.session_expires_min, self.interval(scene));
        let (invite, sequence) =
            scene.request(peer, &mut self.dialog, Method::Invite, &sdp, |writer| {
                let mut writer = writer
                    .header(Name::Contact, contact)
                    .header(Name::Allow, allow())
                    .header(Name::Supported, supported());
                if timed {
                    writer = session_timer::ask(writer, min, seconds, true);
                }
                writer.finish_with_body(SDP, &sdp)
            });
        self.exchange = Exchange::Ours(Ours {
            sdp,
            invite,
            sequence,
            attempt,
            give_up_at: scene.now + OFFER_TIME,
        });
    }

    pub(super) fn accept_offer(&mut self, scene: &mut Scene<'_>, sdp: Bytes) -> Result<(), Misuse> {
        let (request, agreed) = self.their_offer("accept_offer")?;
        let contact = scene.contact(&request.flow);
        let response = scene.reply(&request, 200, self.dialog.local_tag(), |writer| {
            let writer = writer
                .header(Name::Contact, contact)
                .header(Name::Allow, allow())
                .header(Name::Supported, supported());
            let writer = match agreed {
                Some(agreed) => agreed.write(writer),
                None => writer,
            };
            writer.finish_with_body(SDP, &sdp)
        });
        self.upkeep.local_sdp = sdp;
        self.upkeep.timer = agreed.map(|agreed| SessionTimer::new(scene.now, agreed, false));
        if request.message.method() == Some(&Method::Invite) {
            let meaning = match request.sdp() {
                Some(_) => Meaning::Changed,
                None => Meaning::Answers,
            };
            let (key, sequence) = (request.key, request.sequence());
            self.unacknowledged = Some(Unacknowledged::new(
                scene.now, key, sequence, response, meaning,
            ));
        }
        Ok(())
    }

    pub(super) fn reject_offer(
        &mut self,
        scene: &mut Scene<'_>,
        status: u16,
    ) -> Result<(), Misuse> {
        let (request, _) = self.their_offer("reject_offer")?;
        let status = if (400..700).contains(&status) {
            status
        } else {
            488
        };
        scene.reply(&request, status, self.dialog.local_tag(), Writer::finish);
        Ok(())
    }

    fn their_offer(&mut self, command: &'static str) -> Result<(Received, Option<Agreed>), Misuse> {
        match std::mem::replace(&mut self.exchange, Exchange::Settled) {
            Exchange::Theirs { request, agreed } => Ok((request, agreed)),
            other @ (Exchange::Settled | Exchange::Ours(_)) => {
                self.exchange = other;
                Err(Misuse {
                    command,
                    state: "the peer has made no offer, or took it back",
                })
            }
        }
    }

    pub(super) fn send_info(
        &mut self,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        content_type: &str,
        body: &[u8],
    ) {
        scene.request(peer, &mut self.dialog, Method::Info, body, |writer| {
            writer.finish_with_body(content_type, body)
        });
    }
}

/// How long our re-INVITE may be thought about: a phone asks its user in less, and a peer that takes
/// longer is gone. As long as timer B, so that silence is reported by the transaction first.
const OFFER_TIME: Duration = Duration::from_secs(33);

/// Callees of one fork that are hung up on: more than a few take a call at once only to harm.
const BRANCHES_MAX: usize = 16;

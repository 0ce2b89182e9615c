//! An INVITE that waits for our answer.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::State;
use super::event::{CallEvent, Misuse, Party};
use super::reliable::{Due, Progress, Reliable};
use super::scene::{Received, SDP, Scene, allow, reason, supported};
use super::session::{Session, Upkeep};
use super::session_timer::{Agreed, SessionTimer};
use super::unacknowledged::{Meaning, Unacknowledged};
use crate::sip::Method;
use crate::sip::dialog::Dialog;
use crate::sip::endpoint::abilities;
use crate::sip::headers::{Name, RAck};
use crate::sip::message::Message;
use crate::sip::write::Writer;

/// The state of a call that came in and has no final response.
#[derive(Debug)]
pub(in crate::sip) struct Inbound {
    invite: Received,
    dialog: Dialog,
    /// The session timer that our 2xx will agree to.
    agreed: Option<Agreed>,
    /// What the caller was told last, and when that is told again.
    refresh: Option<(Progress, Instant)>,
    reliability: Reliability,
    answer: Answer,
    /// Our user has taken the call with this SDP, and the 2xx waits for what is under way: our answer
    /// in a reliable response, or an offer of the caller.
    taken: Option<Bytes>,
    /// An offer of the caller, by PRACK or UPDATE, that our user thinks about.
    change: Option<Received>,
    /// When nobody waits for an answer any more: the caller says so (Expires header, RFC 3261 section
    /// 13.2.1), or it must be gone.
    expires_at: Instant,
}

/// Whether provisional responses have to arrive (RFC 3262 section 3).
#[derive(Debug)]
enum Reliability {
    /// The caller does not know how.
    None,
    /// The caller can: those with SDP do.
    Possible(Reliable),
    /// The caller insists: all do.
    Required(Reliable),
}

/// How far our answer has got before the 2xx.
#[derive(Debug)]
enum Answer {
    /// The 2xx will bring it.
    NotGiven,
    /// It arrived in a reliable response: the 2xx goes without (RFC 3264 section 4, one answer to
    /// one offer).
    Arrived,
    /// The caller has changed the media since, and this is our side of them.
    Changed(Bytes),
}

impl Answer {
    /// Whether the caller's offer has its answer, so that another may be made (RFC 6337 section
    /// 2.2).
    fn has_arrived(&self) -> bool {
        match self {
            Self::NotGiven => false,
            Self::Arrived | Self::Changed(_) => true,
        }
    }
}

impl Inbound {
    /// Starts with an INVITE whose transaction is open, and the dialog it opens. `chance` is where
    /// reliable responses begin to count.
    pub(in crate::sip) fn new(
        now: Instant,
        invite: Received,
        dialog: Dialog,
        agreed: Option<Agreed>,
        chance: u32,
    ) -> Self {
        let expires = invite.message.seconds(Name::Expires);
        let expires = expires.map_or(UNANSWERED_MAX, |seconds| {
            Duration::from_secs(seconds.into()).min(UNANSWERED_MAX)
        });
        let lists = |name| invite.message.has_token(name, "100rel");
        let reliability = if lists(Name::Require) {
            Reliability::Required(Reliable::new(chance))
        } else if lists(Name::Supported) {
            Reliability::Possible(Reliable::new(chance))
        } else {
            Reliability::None
        };
        Self {
            expires_at: now + expires,
            invite,
            dialog,
            agreed,
            refresh: None,
            reliability,
            answer: Answer::NotGiven,
            taken: None,
            change: None,
        }
    }

    pub(in crate::sip) fn dialog(&self) -> &Dialog {
        &self.dialog
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let refresh_at = self.refresh.as_ref().map(|(_, at)| *at);
        let reliable = self.reliability.machine().and_then(Reliable::poll_timeout);
        [refresh_at, reliable, Some(self.expires_at)]
            .into_iter()
            .flatten()
            .min()
    }

    pub(super) fn handle_timeout(mut self: Box<Self>, scene: &mut Scene<'_>) -> State {
        if self.expires_at <= scene.now {
            return self.refuse(scene, 487, None, Party::Network, None);
        }
        let due = match self.reliability.machine_mut() {
            Some(reliable) => reliable.handle_timeout(scene.now),
            None => Due::Nothing,
        };
        match due {
            Due::GiveUp => return self.refuse(scene, 504, None, Party::Network, None),
            Due::Repeat { status, response } => {
                scene
                    .core
                    .respond(scene.now, self.invite.key, status, response);
            }
            Due::Nothing => {}
        }
        if let Some((progress, _)) = self.refresh.take_if(|(_, at)| *at <= scene.now) {
            self.tell(scene, progress);
        }
        State::Inbound(self)
    }

    pub(super) fn handle_request(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        request: Received,
    ) -> State {
        let tag = self.dialog.local_tag().to_vec();
        if let Err(fault) = self.dialog.handle_sequence(request.sequence()) {
            scene.reply(&request, fault.status(), &tag, Writer::finish);
            return State::Inbound(self);
        }
        match request.message.method() {
            // A caller may leave an early dialog by BYE too (RFC 3261 section 15).
            Some(Method::Bye) => {
                scene.reply(&request, 200, &tag, Writer::finish);
                let reason = reason(&request.message);
                return self.refuse(scene, 487, None, Party::Peer, reason);
            }
            // A second INVITE before the first is answered (RFC 3261 section 14.2).
            Some(Method::Invite) => {
                let seconds = scene.core.chance(0..=10);
                scene.reply(&request, 500, &tag, |writer| {
                    writer.header_display(Name::RetryAfter, seconds).finish()
                });
            }
            Some(Method::Options) => {
                scene.reply(&request, 200, &tag, |writer| abilities(writer).finish());
            }
            Some(Method::Info) => {
                scene.reply(&request, 200, &tag, Writer::finish);
            }
            Some(Method::Prack) => return self.handle_prack(scene, request),
            Some(Method::Update) if request.sdp().is_some() && self.may_change() => {
                self.dialog.refresh_target(&request.message);
                self.think_about(scene, request);
            }
            // The offer at hand is to be answered first (RFC 3311 section 5.2).
            Some(Method::Update) if request.sdp().is_some() => {
                let seconds = scene.core.chance(0..=10);
                scene.reply(&request, 500, &tag, |writer| {
                    writer.header_display(Name::RetryAfter, seconds).finish()
                });
            }
            Some(Method::Update) => {
                self.dialog.refresh_target(&request.message);
                let contact = scene.contact(&request.flow);
                scene.reply(&request, 200, &tag, |writer| {
                    writer.header(Name::Contact, contact).finish()
                });
            }
            // Nothing is there yet that could be transferred.
            Some(Method::Refer) => {
                scene.reply(&request, 403, &tag, Writer::finish);
            }
            Some(Method::Notify) => {
                scene.reply(&request, 481, &tag, Writer::finish);
            }
            Some(_) | None => {
                scene.reply(&request, 405, &tag, |writer| {
                    writer.header(Name::Allow, allow()).finish()
                });
            }
        }
        State::Inbound(self)
    }

    pub(super) fn handle_cancel(self: Box<Self>, scene: &mut Scene<'_>, cancel: &Message) -> State {
        let reason = reason(cancel);
        self.refuse(scene, 487, None, Party::Peer, reason)
    }

    /// A PRACK: the response under way has arrived (RFC 3262 section 3).
    fn handle_prack(mut self: Box<Self>, scene: &mut Scene<'_>, prack: Received) -> State {
        let tag = self.dialog.local_tag().to_vec();
        let number = prack.message.header_bytes(Name::RAck).and_then(|value| {
            let rack = RAck::parse(&value).ok()?;
            let is_ours =
                rack.cseq.number == self.invite.sequence() && rack.cseq.method == Method::Invite;
            is_ours.then_some(rack.rseq)
        });
        let machine = self.reliability.machine_mut();
        let Some((confirmed, behind)) = machine.and_then(|reliable| {
            let confirmed = reliable.handle_prack(number?)?;
            Some((confirmed, reliable.next_behind()))
        }) else {
            scene.reply(&prack, 481, &tag, Writer::finish);
            return State::Inbound(self);
        };
        if confirmed.has_sdp && !self.answer.has_arrived() {
            self.answer = Answer::Arrived;
        }
        match prack.sdp() {
            None => {
                scene.reply(&prack, 200, &tag, Writer::finish);
            }
            // A new offer (RFC 3262 section 5): its answer goes with the 2xx to the PRACK.
            Some(_) if self.may_change() => self.think_about(scene, prack),
            // An offer before ours is answered, or while another is thought about.
            Some(_) => {
                scene.reply(&prack, 488, &tag, Writer::finish);
            }
        }
        if let Some(progress) = behind {
            self.tell(scene, progress);
        }
        self.answer_if_taken(scene)
    }

    /// Whether the caller may change the media now.
    fn may_change(&self) -> bool {
        self.answer.has_arrived() && self.change.is_none()
    }

    fn think_about(&mut self, scene: &mut Scene<'_>, request: Received) {
        let (call, sdp) = (scene.call, request.sdp());
        self.change = Some(request);
        scene.tell(CallEvent::Offered { call, sdp });
    }

    /// Answers an offer that the caller made before our 2xx.
    pub(super) fn accept_offer(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        sdp: &Bytes,
    ) -> (State, Result<(), Misuse>) {
        let Some(request) = self.change.take() else {
            return self.no_offer("accept_offer");
        };
        let contact = scene.contact(&request.flow);
        scene.reply(&request, 200, self.dialog.local_tag(), |writer| {
            writer
                .header(Name::Contact, contact)
                .finish_with_body(SDP, sdp)
        });
        self.answer = Answer::Changed(sdp.clone());
        (self.answer_if_taken(scene), Ok(()))
    }

    /// Refuses it: the media stay as they were.
    pub(super) fn reject_offer(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        status: u16,
    ) -> (State, Result<(), Misuse>) {
        let Some(request) = self.change.take() else {
            return self.no_offer("reject_offer");
        };
        let status = if (400..700).contains(&status) {
            status
        } else {
            488
        };
        scene.reply(&request, status, self.dialog.local_tag(), Writer::finish);
        (self.answer_if_taken(scene), Ok(()))
    }

    fn no_offer(self: Box<Self>, command: &'static str) -> (State, Result<(), Misuse>) {
        let state = "the peer has made no offer, or took it back";
        (State::Inbound(self), Err(Misuse { command, state }))
    }

    pub(super) fn ring(&mut self, scene: &mut Scene<'_>) {
        let progress = Progress {
            status: 180,
            sdp: None,
        };
        self.tell(scene, progress);
    }

    pub(super) fn early_media(&mut self, scene: &mut Scene<'_>, sdp: Bytes) {
        let is_answerable = self.invite.sdp().is_some() && !self.answer.has_arrived();
        let progress = Progress {
            status: 183,
            // Without an offer there is nothing to answer yet (RFC 3264 section 4).
            sdp: is_answerable.then_some(sdp),
        };
        self.tell(scene, progress);
    }

    pub(super) fn answer(mut self: Box<Self>, scene: &mut Scene<'_>, sdp: Bytes) -> State {
        self.taken = Some(sdp);
        self.answer_if_taken(scene)
    }

    /// Sends the 2xx when our user has taken the call and nothing is in its way (RFC 3262 section 3,
    /// RFC 6337 section 2.2).
    fn answer_if_taken(mut self: Box<Self>, scene: &mut Scene<'_>) -> State {
        let machine = self.reliability.machine();
        let is_held = machine.is_some_and(Reliable::holds_back_the_answer);
        match self.taken.take_if(|_| !is_held && self.change.is_none()) {
            Some(sdp) => self.answer_now(scene, sdp),
            None => State::Inbound(self),
        }
    }

    fn answer_now(self: Box<Self>, scene: &mut Scene<'_>, sdp: Bytes) -> State {
        let invite = &self.invite;
        let contact = scene.contact(&invite.flow);
        let agreed = self.agreed;
        let has_arrived = self.answer.has_arrived();
        let response = scene.reply(invite, 200, self.dialog.local_tag(), |writer| {
            let mut writer = writer
                .header(Name::Contact, contact)
                .header(Name::Allow, allow())
                .header(Name::Supported, supported());
            if let Some(agreed) = agreed {
                writer = agreed.write(writer);
            }
            if has_arrived {
                writer.finish()
            } else {
                writer.finish_with_body(SDP, &sdp)
            }
        });
        let meaning = match invite.sdp() {
            Some(_) => Meaning::Opened,
            None => Meaning::OpenedWithOffer,
        };
        let (key, sequence) = (invite.key, invite.sequence());
        let unacknowledged = Unacknowledged::new(scene.now, key, sequence, response, meaning);
        let timer = agreed.map(|agreed| SessionTimer::new(scene.now, agreed, false));
        let can_update = invite.message.has_token(Name::Allow, "UPDATE");
        let in_force = match self.answer {
            Answer::NotGiven | Answer::Arrived => sdp,
            Answer::Changed(ours) => ours,
        };
        let upkeep = Upkeep::new(timer, can_update, in_force);
        State::Session(Box::new(Session::answered(
            self.dialog,
            upkeep,
            unacknowledged,
        )))
    }

    pub(super) fn reject(
        self: Box<Self>,
        scene: &mut Scene<'_>,
        status: u16,
        retry_after: Option<Duration>,
    ) -> State {
        // Only a final refusal refuses.
        let status = if (300..700).contains(&status) {
            status
        } else {
            500
        };
        self.refuse(scene, status, retry_after, Party::Us, None)
    }

    /// The caller cannot be reached any more.
    pub(super) fn lost(self: Box<Self>, scene: &mut Scene<'_>) -> State {
        self.refuse(scene, 480, None, Party::Network, None)
    }

    fn refuse(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        status: u16,
        retry_after: Option<Duration>,
        by: Party,
        reason: Option<super::Reason>,
    ) -> State {
        if let Some(request) = self.change.take() {
            scene.reply(&request, 487, self.dialog.local_tag(), Writer::finish);
        }
        scene.reply(
            &self.invite,
            status,
            self.dialog.local_tag(),
            |writer| match retry_after {
                Some(wait) => writer
                    .header_display(Name::RetryAfter, wait.as_secs())
                    .finish(),
                None => writer.finish(),
            },
        );
        scene.ended(by, Some(status), reason);
        State::Over
    }

    /// Sends a provisional response, so that it arrives where it must.
    fn tell(&mut self, scene: &mut Scene<'_>, progress: Progress) {
        let has_sdp = progress.sdp.is_some();
        let number = match &mut self.reliability {
            Reliability::Possible(reliable) if has_sdp => reliable.begin(progress.clone()),
            Reliability::Required(reliable) => reliable.begin(progress.clone()),
            Reliability::None | Reliability::Possible(_) => {
                self.send(scene, &progress, None);
                self.refresh = Some((progress, scene.now + PROGRESS_REFRESH));
                return;
            }
        };
        let Some(number) = number else {
            return; // Another is under way; this one follows it.
        };
        let response = self.send(scene, &progress, Some(number));
        if let Some(reliable) = self.reliability.machine_mut() {
            reliable.sent(scene.now, number, progress.status, has_sdp, response);
        }
        // What keeps the call alive on its way needs no SDP, and need not arrive.
        let refresh = Progress {
            sdp: None,
            ..progress
        };
        self.refresh = Some((refresh, scene.now + PROGRESS_REFRESH));
    }

    fn send(&self, scene: &mut Scene<'_>, progress: &Progress, number: Option<u32>) -> Bytes {
        let contact = scene.contact(&self.invite.flow);
        let tag = self.dialog.local_tag();
        scene.reply(&self.invite, progress.status, tag, |writer| {
            let mut writer = writer
                .header(Name::Contact, contact)
                .header(Name::Allow, allow());
            if let Some(number) = number {
                writer = writer
                    .header(Name::Require, "100rel")
                    .header_display(Name::RSeq, number);
            }
            match &progress.sdp {
                Some(sdp) => writer.finish_with_body(SDP, sdp),
                None => writer.finish(),
            }
        })
    }
}

impl Reliability {
    fn machine(&self) -> Option<&Reliable> {
        match self {
            Self::None => None,
            Self::Possible(reliable) | Self::Required(reliable) => Some(reliable),
        }
    }

    fn machine_mut(&mut self) -> Option<&mut Reliable> {
        match self {
            Self::None => None,
            Self::Possible(reliable) | Self::Required(reliable) => Some(reliable),
        }
    }
}

/// A proxy on the way forgets an INVITE of which it hears nothing for three minutes, so we are
/// heard each minute (RFC 3261 section 13.3.1.1).
const PROGRESS_REFRESH: Duration = Duration::from_secs(60);

/// How long a call may stay unanswered. A caller whose INVITE we got and who heard nothing of us
/// cannot take it back, so somebody must; no carrier lets a phone ring for longer.
const UNANSWERED_MAX: Duration = Duration::from_secs(600);

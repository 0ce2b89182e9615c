//! INVITEs of ours that wait for the callee.
//!
//! A call has one branch at a time, or one for each phone of the callee where those ring together:
//! the first that is taken gets the call, and the others are taken back.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::State;
use super::closing::Closing;
use super::event::{CallEvent, Cause, Dial, Misuse, Party, Reason};
use super::plan::{Identity, Order, Plan, Way};
use super::scene::{Peer, Received, SDP, Scene, allow, reason, sdp, supported};
use super::session::{Acknowledged, Session, Upkeep};
use super::session_timer::{self, Agreed, SessionTimer};
use super::unwanted::Unwanted;
use crate::sip::Method;
use crate::sip::dialog::MAX_FORWARDS;
use crate::sip::endpoint::{Outgoing, User};
use crate::sip::headers::{Name, retry_after};
use crate::sip::message::Message;
use crate::sip::resolve::{Server, Unresolvable};
use crate::sip::transaction::Failure;
use crate::sip::transaction::key::Key;
use crate::sip::write::Writer;
use branch::{Agreement, Branch, Early};

mod branch;

/// The state of a call that we place, until its first 2xx or its end.
#[derive(Debug)]
pub(in crate::sip) struct Outbound {
    identity: Identity,
    offer: Bytes,
    /// The number of the latest INVITE.
    sequence: u32,
    /// The session interval to ask for, where somebody on the way wants a longer one than we (RFC
    /// 4028 section 7.3), in seconds.
    interval: Option<u32>,
    /// Where to try next, when nobody answers where we try.
    ways: VecDeque<Way>,
    order: Order,
    /// Whether an INVITE that is too large for a datagram may go over a stream.
    may_stream: bool,
    /// The INVITEs that are out; none while the name of the target is looked up.
    branches: Vec<Branch>,
    /// What those who refused said, as far as it is worth telling.
    refusal: Option<Refusal>,
    /// An offer of a callee by UPDATE, that our user thinks about.
    change: Option<Received>,
    told_ringing: bool,
    ring_until: Instant,
}

/// How a branch ended.
#[derive(Debug)]
struct Refusal {
    by: Party,
    status: u16,
    reason: Option<Reason>,
}

impl Refusal {
    /// How much it tells about the callee, more is better: of several phones one may be busy while
    /// another is out of reach.
    fn worth(&self) -> u8 {
        match (self.by, self.status) {
            (Party::Network, _) => 0,
            (_, 408 | 480 | 481 | 487 | 500..600) => 1,
            (_, 486 | 600..) => 3,
            (_, _) => 2,
        }
    }
}

impl Outbound {
    pub(in crate::sip) fn new(now: Instant, plan: Plan, dial: &Dial) -> Self {
        Self {
            identity: plan.identity,
            offer: dial.offer.clone(),
            sequence: 0,
            interval: None,
            ways: plan.ways,
            order: plan.order,
            may_stream: plan.may_stream,
            branches: Vec::new(),
            refusal: None,
            change: None,
            told_ringing: false,
            ring_until: now + dial.ring_limit,
        }
    }

    pub(super) fn is_of(&self, request: &Message) -> bool {
        let mut early = self.branches.iter().flat_map(|branch| &branch.early);
        early.any(|early| early.dialog.is_with(request))
    }

    pub(super) fn is_with(&self, remote_tag: &[u8]) -> bool {
        let mut early = self.branches.iter().flat_map(|branch| &branch.early);
        early.any(|early| early.dialog.remote_tag() == remote_tag)
    }

    pub(super) fn local_tag(&self) -> &[u8] {
        self.identity.tag.as_bytes()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        Some(self.ring_until)
    }

    pub(super) fn handle_timeout(self: Box<Self>, scene: &mut Scene<'_>) -> State {
        if self.ring_until > scene.now {
            return State::Outbound(self);
        }
        scene.ended(Party::Network, Some(408), None);
        self.give_up(scene, Cause::NoAnswer)
    }

    /// The callee cannot be reached any more.
    pub(super) fn lost(self: Box<Self>, scene: &mut Scene<'_>) -> State {
        scene.ended(Party::Network, Some(503), None);
        self.give_up(scene, Cause::Failure)
    }

    /// Where the name of the target leads.
    pub(super) fn handle_servers(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        servers: Result<Vec<Server>, Unresolvable>,
    ) -> State {
        if let Ok(servers) = servers {
            let ways = servers.iter().filter_map(|server| {
                let (flow, server_name) = scene.core.flow_of(server)?;
                Some(Way {
                    flow,
                    server_name,
                    contact: None,
                })
            });
            self.ways.extend(ways);
        }
        self.ways.truncate(WAYS_MAX);
        if self.ways.is_empty() {
            scene.ended(Party::Network, Some(503), None);
            return State::Over;
        }
        let together = match self.order {
            Order::OneByOne => 1,
            Order::Together => self.ways.len(),
        };
        let first: Vec<Way> = self.ways.drain(..together).collect();
        // A phone that is registered twice sees one request by two ways, and rings once.
        self.sequence += 1;
        for way in first {
            self.begin(scene, peer, way);
        }
        State::Outbound(self)
    }

    /// Sends an INVITE by one of the ways.
    fn begin(&mut self, scene: &mut Scene<'_>, peer: &mut Peer, way: Way) {
        if self.order == Order::OneByOne {
            peer.flow = way.flow;
            peer.server_name = way.server_name.clone();
        }
        let (via, key) = scene.core.via(&way.flow, &Method::Invite);
        let branch = Branch::new(way, peer, &self.identity, key);
        self.send(scene, branch, via);
    }

    /// Sends the INVITE of a branch once more, under a new number.
    fn send_again(&mut self, scene: &mut Scene<'_>, mut branch: Branch) {
        self.sequence += 1;
        let (via, key) = scene.core.via(&branch.peer.flow, &Method::Invite);
        branch.invite = key;
        branch.early.clear();
        self.send(scene, branch, via);
    }

    fn send(&mut self, scene: &mut Scene<'_>, mut branch: Branch, via: String) {
        branch.sequence = self.sequence;
        let (identity, peer) = (&branch.identity, &branch.peer);
        let (flow, method) = (peer.flow, Method::Invite);
        let mut writer = Writer::request(&method, identity.uri.as_bytes())
            .header(Name::Via, via)
            .header(Name::MaxForwards, MAX_FORWARDS);
        for route in &identity.routes {
            writer = writer.header(Name::Route, route);
        }
        writer = writer
            .header(Name::From, &identity.from)
            .header_display(Name::To, format_args!("<{}>", identity.uri))
            .header(Name::CallId, &identity.call_id)
            .header_display(Name::CSeq, format_args!("{} {method}", self.sequence))
            .header(Name::Contact, scene.contact(&flow))
            .header(Name::Allow, allow())
            .header(Name::Supported, supported())
            .header(Name::UserAgent, &scene.core.config.product);
        let config = &scene.core.config;
        let ours = session_timer::seconds(config.session_expires);
        let (seconds, min) = match self.interval {
            Some(seconds) => (seconds.max(ours), Duration::from_secs(seconds.into())),
            None => (ours, config.session_expires_min),
        };
        writer = session_timer::ask(writer, min, seconds, false);
        for (name, value) in &identity.asserted {
            writer = writer.header(*name, value);
        }
        let (uri, to) = (&identity.uri, flow.remote.ip());
        let core = &mut scene.core;
        let writer = core.authorize(peer, writer, &method, uri, &self.offer, to);
        core.send(
            scene.now,
            Outgoing {
                key: branch.invite,
                invite: true,
                bytes: writer.finish_with_body(SDP, &self.offer),
                flow,
                server_name: peer.server_name.clone(),
                user: User::Call(scene.call),
                may_stream: self.may_stream,
            },
        );
        self.branches.push(branch);
    }

    pub(super) fn handle_response(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        key: Key,
        response: &Message,
    ) -> State {
        let found = self.branches.iter().position(|it| it.invite == key);
        let Some(at) = found else {
            for branch in &mut self.branches {
                branch.handle_prack_response(scene, key, response);
            }
            return State::Outbound(self);
        };
        let status = response.status().unwrap_or(500);
        match status {
            ..=100 => State::Outbound(self),
            101..200 => {
                self.handle_progress(scene, at, status, response);
                State::Outbound(self)
            }
            200..300 => self.handle_answer(scene, peer, at, response),
            401 | 407 => self.handle_challenge(scene, peer, at, status, response),
            // Once: whoever wants still more wants no call.
            422 if self.interval.is_none() && session_timer::min_se(response).is_some() => {
                self.interval = session_timer::min_se(response);
                let branch = self.branches.remove(at);
                self.send_again(scene, branch);
                State::Outbound(self)
            }
            // A 3xx is not followed: whoever sent it could make us call anybody at our cost.
            300.. => {
                if status == 503 {
                    let wait = response.header(Name::RetryAfter).and_then(retry_after);
                    let wait = wait.map(|seconds| Duration::from_secs(seconds.into()));
                    let flow = self.branches[at].peer.flow;
                    scene.core.dead.push((flow, wait));
                }
                self.refused(scene, peer, at, status, reason(response))
            }
        }
    }

    fn handle_challenge(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        at: usize,
        status: u16,
        response: &Message,
    ) -> State {
        let mut branch = self.branches.remove(at);
        let (source, attempt) = (scene.source, &mut branch.attempt);
        if scene
            .core
            .challenged(&branch.peer, attempt, response, source)
        {
            self.send_again(scene, branch);
            return State::Outbound(self);
        }
        self.branches.insert(at, branch);
        self.refused(scene, peer, at, status, reason(response))
    }

    fn handle_progress(
        &mut self,
        scene: &mut Scene<'_>,
        at: usize,
        status: u16,
        response: &Message,
    ) {
        let call = scene.call;
        let branch = &mut self.branches[at];
        if let Some(sdp) = branch.handle_progress(scene, response) {
            let flow = branch.peer.flow;
            scene.tell(CallEvent::EarlyMedia { call, sdp, flow });
        }
        if status == 180 && !self.told_ringing {
            self.told_ringing = true;
            scene.tell(CallEvent::Ringing { call });
        }
    }

    /// One branch was refused by whoever it reached.
    fn refused(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        at: usize,
        status: u16,
        reason: Option<Reason>,
    ) -> State {
        let refusal = Refusal {
            by: Party::Peer,
            status,
            reason,
        };
        match status {
            // This server has no room; another may (RFC 3263 section 4.3).
            503 => self.without(scene, peer, at, refusal),
            // It speaks for all phones of the callee (RFC 3261 section 16.7).
            600.. => {
                self.branches.remove(at);
                scene.ended(refusal.by, Some(status), refusal.reason);
                self.give_up(scene, Cause::AnsweredElsewhere)
            }
            _ => {
                self.ways.clear();
                self.without(scene, peer, at, refusal)
            }
        }
    }

    /// Goes on without one branch: with the others, else by the next way; else the call is over.
    fn without(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        at: usize,
        refusal: Refusal,
    ) -> State {
        self.branches.remove(at);
        let is_better = |before: &Refusal| refusal.worth() >= before.worth();
        if self.refusal.as_ref().is_none_or(is_better) {
            self.refusal = Some(refusal);
        }
        if !self.branches.is_empty() {
            return State::Outbound(self);
        }
        if let Some(way) = self.ways.pop_front() {
            self.sequence += 1;
            self.begin(scene, peer, way);
            return State::Outbound(self);
        }
        self.drop_change(scene, 487);
        if let Some(Refusal { by, status, reason }) = self.refusal.take() {
            scene.ended(by, Some(status), reason);
        }
        State::Over
    }

    fn handle_answer(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        at: usize,
        response: &Message,
    ) -> State {
        let mut branch = self.branches.remove(at);
        let Some(Early {
            mut dialog,
            agreement,
            ..
        }) = branch.take_dialog(response)
        else {
            // A 2xx that no ACK can be sent to: the callee gives up by itself.
            scene.ended(Party::Network, Some(500), None);
            return self.give_up(scene, Cause::Failure);
        };
        dialog.confirm(response);
        *peer = branch.peer.clone();
        let (flow, bytes) = scene.acknowledge(peer, &dialog, branch.sequence, None);
        let said = sdp(response);
        let (sdp, ours, is_agreed) = match agreement {
            Agreement::Open => (said.clone(), self.offer.clone(), said.is_some()),
            Agreement::Answered { sdp, is_reliable } => {
                let said = said.filter(|_| !is_reliable);
                (said.or(Some(sdp)), self.offer.clone(), true)
            }
            Agreement::Changed { ours } => (None, ours, true),
        };
        self.drop_change(scene, 491); // The callee offers again, in the call.
        if !is_agreed {
            scene.ended(Party::Network, Some(488), None);
            // The others are not waited for: what this one cannot, a phone beside it cannot either.
            drop(self.take_back(scene, Cause::Media));
            return Closing::leave(scene, peer, dialog, Some(Cause::Media));
        }
        let call = scene.call;
        scene.tell(CallEvent::Answered {
            call,
            sdp,
            flow: peer.flow,
        });
        let timer =
            Agreed::as_caller(response).map(|agreed| SessionTimer::new(scene.now, agreed, true));
        let can_update = response.has_token(Name::Allow, "UPDATE");
        let invite = (branch.invite, branch.sequence);
        let mut unwanted = self.take_back(scene, Cause::AnsweredElsewhere);
        unwanted.push(Unwanted::others(branch.peer, invite, branch.identity));
        let acknowledged = Acknowledged {
            invite: branch.invite,
            flow,
            bytes,
        };
        State::Session(Box::new(Session::called(
            dialog,
            acknowledged,
            unwanted,
            Upkeep::new(timer, can_update, ours),
        )))
    }

    pub(super) fn handle_failure(
        self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        key: Key,
        failure: Failure,
    ) -> State {
        let found = self.branches.iter().position(|it| it.invite == key);
        let Some(at) = found else {
            return State::Outbound(self);
        };
        let status = match failure {
            Failure::TimedOut | Failure::AckMissing => 408,
            Failure::Transport => 503,
        };
        scene.core.dead.push((self.branches[at].peer.flow, None));
        let refusal = Refusal {
            by: Party::Network,
            status,
            reason: None,
        };
        self.without(scene, peer, at, refusal)
    }

    /// A request of the callee within an early dialog.
    pub(super) fn handle_request(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        request: Received,
    ) -> State {
        let early = self
            .branches
            .iter_mut()
            .flat_map(|branch| &mut branch.early)
            .find(|early| early.dialog.is_with(&request.message));
        let Some(early) = early else {
            return self.reply(scene, &request, 481);
        };
        if let Err(fault) = early.dialog.handle_sequence(request.sequence()) {
            return self.reply(scene, &request, fault.status());
        }
        let status = match request.message.method() {
            Some(Method::Update) => match request.sdp() {
                None => {
                    early.dialog.refresh_target(&request.message);
                    200
                }
                // Our offer waits for its answer, or our user thinks about an offer (RFC 3311
                // section 5.2).
                Some(_) if !early.agreement.is_settled() => 491,
                Some(_) if self.change.is_some() => 500,
                Some(sdp) => {
                    early.dialog.refresh_target(&request.message);
                    let (call, sdp) = (scene.call, Some(sdp));
                    scene.tell(CallEvent::Offered { call, sdp });
                    self.change = Some(request);
                    return State::Outbound(self);
                }
            },
            Some(Method::Info | Method::Options) => 200,
            Some(Method::Bye | Method::Prack | Method::Notify) => 481,
            // Nothing is there yet that could be transferred.
            Some(Method::Refer) => 403,
            Some(Method::Invite) => 491,
            Some(_) | None => 405,
        };
        self.reply(scene, &request, status)
    }

    fn reply(self: Box<Self>, scene: &mut Scene<'_>, request: &Received, status: u16) -> State {
        let contact = scene.contact(&request.flow);
        let seconds = scene.core.chance(0..=10);
        scene.reply(request, status, self.identity.tag.as_bytes(), |writer| {
            let writer = writer
                .header(Name::Contact, contact)
                .header(Name::Allow, allow());
            match status {
                500 => writer.header_display(Name::RetryAfter, seconds).finish(),
                _ => writer.finish(),
            }
        });
        State::Outbound(self)
    }

    /// Answers an offer that the callee made before it answers the call.
    pub(super) fn accept_offer(&mut self, scene: &mut Scene<'_>, sdp: Bytes) -> Result<(), Misuse> {
        let request = self.change.take().ok_or(Misuse {
            command: "accept_offer",
            state: NO_OFFER,
        })?;
        let contact = scene.contact(&request.flow);
        scene.reply(&request, 200, self.identity.tag.as_bytes(), |writer| {
            writer
                .header(Name::Contact, contact)
                .header(Name::Allow, allow())
                .finish_with_body(SDP, &sdp)
        });
        let mut early = self.branches.iter_mut().flat_map(|it| &mut it.early);
        if let Some(early) = early.find(|early| early.dialog.is_with(&request.message)) {
            early.agreement = Agreement::Changed { ours: sdp };
        }
        Ok(())
    }

    /// Refuses it: the media stay as they were.
    pub(super) fn reject_offer(
        &mut self,
        scene: &mut Scene<'_>,
        status: u16,
    ) -> Result<(), Misuse> {
        let request = self.change.take().ok_or(Misuse {
            command: "reject_offer",
            state: NO_OFFER,
        })?;
        let status = if (400..700).contains(&status) {
            status
        } else {
            488
        };
        let tag = self.identity.tag.as_bytes();
        scene.reply(&request, status, tag, Writer::finish);
        Ok(())
    }

    /// The callee answers, or the call ends, while our user thinks about an offer.
    fn drop_change(&mut self, scene: &mut Scene<'_>, status: u16) {
        if let Some(request) = self.change.take() {
            let tag = self.identity.tag.as_bytes();
            scene.reply(&request, status, tag, Writer::finish);
        }
    }

    pub(super) fn hang_up(self: Box<Self>, scene: &mut Scene<'_>, cause: Cause) -> State {
        scene.ended(Party::Us, None, None);
        self.give_up(scene, cause)
    }

    /// Takes all INVITEs back. Its user has heard the end.
    fn give_up(mut self: Box<Self>, scene: &mut Scene<'_>, cause: Cause) -> State {
        let unwanted = self.take_back(scene, cause);
        if unwanted.is_empty() {
            return State::Over;
        }
        State::Closing(Box::new(Closing::Cancelling(unwanted)))
    }

    fn take_back(&mut self, scene: &mut Scene<'_>, cause: Cause) -> Vec<Unwanted> {
        self.drop_change(scene, 487);
        let branches = std::mem::take(&mut self.branches);
        let unwanted = branches.into_iter();
        unwanted.map(|it| it.give_up(scene, cause)).collect()
    }
}

/// The refusal of a command that answers an offer.
const NO_OFFER: &str = "the peer has made no offer, or took it back";

/// Places that one call is tried at: behind more than a few dead servers waits no callee, and
/// nobody has more phones.
const WAYS_MAX: usize = 8;

//! An INVITE of ours that waits for the callee.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::State;
use super::closing::Closing;
use super::event::{CallEvent, Caller, Cause, Dial, Party};
use super::scene::{Peer, Received, SDP, Scene, allow, reason, sdp, supported};
use super::session::{Acknowledged, Session, Upkeep};
use super::session_timer::{self, Agreed, SessionTimer};
use crate::sip::dialog::{Dialog, MAX_FORWARDS};
use crate::sip::digest::Attempt;
use crate::sip::endpoint::{Core, Outgoing, User};
use crate::sip::headers::{Name, retry_after};
use crate::sip::message::Message;
use crate::sip::resolve::{Server, Unresolvable};
use crate::sip::transaction::key::Key;
use crate::sip::transaction::{Failure, GIVE_UP};
use crate::sip::uri::Uri;
use crate::sip::write::{Writer, quoted};
use crate::sip::{Flow, Method};

/// The state of a call that we place, until its first 2xx or its end.
#[derive(Debug)]
pub(in crate::sip) struct Outbound {
    identity: Identity,
    offer: Bytes,
    sequence: u32,
    attempt: Attempt,
    /// The session interval to ask for, where somebody on the way wants a longer one than we (RFC
    /// 4028 section 7.3), in seconds.
    interval: Option<u32>,
    stage: Stage,
    /// Where to try next, when nobody answers where we try.
    ways: VecDeque<Way>,
    early: Vec<Early>,
    told_ringing: bool,
    ring_until: Instant,
}

/// What stays the same in all requests of the call.
#[derive(Debug, Clone)]
pub(in crate::sip) struct Identity {
    pub(in crate::sip) call_id: String,
    pub(in crate::sip) tag: String,
    pub(in crate::sip) uri: Uri,
    /// The From header with our tag.
    pub(in crate::sip) from: String,
    /// Headers that say who calls, beside From.
    pub(in crate::sip) asserted: Vec<(Name, String)>,
    /// Route headers of the first request.
    pub(in crate::sip) routes: Vec<Bytes>,
}

/// A place that the INVITE can be sent to.
#[derive(Debug, Clone)]
pub(in crate::sip) struct Way {
    pub(in crate::sip) flow: Flow,
    pub(in crate::sip) server_name: Option<Arc<str>>,
    /// The Request-URI there, where it differs (the contact of a device).
    pub(in crate::sip) uri: Option<Uri>,
}

#[derive(Debug)]
enum Stage {
    /// The name of the target is looked up.
    Resolving,
    /// The INVITE is out.
    Calling { invite: Key },
}

/// A dialog that a provisional response opened. A fork makes several.
#[derive(Debug)]
struct Early {
    dialog: Dialog,
    /// The last reliable response that we confirmed (RFC 3262 section 4).
    response_number: Option<u32>,
    /// The answer to our offer that it brought.
    answer: Option<Bytes>,
}

/// What [`Outbound`] is started with.
#[derive(Debug)]
pub(in crate::sip) struct Plan {
    pub(in crate::sip) identity: Identity,
    pub(in crate::sip) ways: VecDeque<Way>,
}

impl Identity {
    /// Says who calls: the number in From, hidden where that is wanted (RFC 3323 section 4.1.1.3),
    /// and asserted beside it to a carrier that trusts us (RFC 3325).
    pub(in crate::sip) fn new(
        core: &mut Core,
        uri: Uri,
        caller: &Caller,
        host: &str,
        is_trusted: bool,
    ) -> Self {
        let tag = core.word();
        let user = Some(caller.number.as_str()).filter(|number| !number.is_empty());
        let known = Uri::sip(user, host, None).map(|uri| uri.to_string());
        let known = known.unwrap_or_else(|_| ANONYMOUS.to_owned());
        let name = caller.display_name.as_deref().map(quoted);
        let shown = match (caller.private, &name) {
            (true, _) => format!("\"Anonymous\" <{ANONYMOUS}>"),
            (false, Some(name)) => format!("{name} <{known}>"),
            (false, None) => format!("<{known}>"),
        };
        let mut asserted = Vec::new();
        if is_trusted {
            asserted.push((Name::PAssertedIdentity, format!("<{known}>")));
        }
        if caller.private {
            asserted.push((Name::Privacy, "id".to_owned()));
        }
        if let Some(number) = &caller.diverted_from
            && let Ok(uri) = Uri::sip(Some(number), host, None)
        {
            asserted.push((Name::Diversion, format!("<{uri}>;reason=unconditional")));
        }
        Self {
            call_id: format!("{}{}", core.word(), core.word()),
            from: format!("{shown};tag={tag}"),
            tag,
            uri,
            asserted,
            routes: Vec::new(),
        }
    }
}

impl Outbound {
    pub(in crate::sip) fn new(now: Instant, plan: Plan, dial: &Dial) -> Self {
        Self {
            identity: plan.identity,
            offer: dial.offer.clone(),
            sequence: 0,
            attempt: Attempt::default(),
            interval: None,
            stage: Stage::Resolving,
            ways: plan.ways,
            early: Vec::new(),
            told_ringing: false,
            ring_until: now + dial.ring_limit,
        }
    }

    pub(super) fn is_of(&self, request: &Message) -> bool {
        self.early.iter().any(|early| early.dialog.is_with(request))
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
            let ways = servers.iter().take(WAYS_MAX).filter_map(|server| {
                let (flow, server_name) = scene.core.flow_of(server)?;
                Some(Way {
                    flow,
                    server_name,
                    uri: None,
                })
            });
            self.ways.extend(ways);
        }
        self.try_next(scene, peer, 503)
    }

    /// Tries the next place, or ends the call with `status` where there is none.
    pub(super) fn try_next(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        status: u16,
    ) -> State {
        let Some(way) = self.ways.pop_front() else {
            scene.ended(Party::Network, Some(status), None);
            return State::Over;
        };
        peer.flow = way.flow;
        peer.server_name = way.server_name;
        if let Some(uri) = way.uri {
            self.identity.uri = uri;
        }
        self.attempt = Attempt::default();
        self.send_invite(scene, peer);
        State::Outbound(self)
    }

    fn send_invite(&mut self, scene: &mut Scene<'_>, peer: &Peer) {
        self.sequence += 1;
        self.early.clear();
        let (flow, method) = (peer.flow, Method::Invite);
        let (via, key) = scene.core.via(&flow, &method);
        let identity = &self.identity;
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
        let to = flow.remote.ip();
        let writer = scene
            .core
            .authorize(peer, writer, &method, &identity.uri, &self.offer, to);
        scene.core.send(
            scene.now,
            Outgoing {
                key,
                invite: true,
                bytes: writer.finish_with_body(SDP, &self.offer),
                flow,
                server_name: peer.server_name.clone(),
                user: User::Call(scene.call),
            },
        );
        self.stage = Stage::Calling { invite: key };
    }

    pub(super) fn handle_response(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        key: Key,
        response: &Message,
    ) -> State {
        let is_ours = matches!(self.stage, Stage::Calling { invite } if invite == key);
        let status = response.status().unwrap_or(500);
        match status {
            _ if !is_ours => State::Outbound(self), // to a PRACK
            ..=100 => State::Outbound(self),
            101..200 => {
                self.handle_progress(scene, peer, status, response);
                State::Outbound(self)
            }
            200..300 => self.handle_answer(scene, peer, key, response),
            401 | 407
                if scene
                    .core
                    .challenged(peer, &mut self.attempt, response, scene.source) =>
            {
                self.send_invite(scene, peer);
                State::Outbound(self)
            }
            // Once: whoever wants still more wants no call.
            422 if self.interval.is_none() && session_timer::min_se(response).is_some() => {
                self.interval = session_timer::min_se(response);
                self.send_invite(scene, peer);
                State::Outbound(self)
            }
            // This server has no room; another may (RFC 3263 section 4.3).
            503 => {
                let wait = response.header(Name::RetryAfter).and_then(retry_after);
                let wait = wait.map(|seconds| Duration::from_secs(seconds.into()));
                scene.core.dead.push((peer.flow, wait));
                if self.ways.is_empty() {
                    scene.ended(Party::Peer, Some(status), reason(response));
                    return State::Over;
                }
                self.try_next(scene, peer, status)
            }
            // A 3xx is not followed: whoever sent it could make us call anybody at our cost.
            300.. => {
                scene.ended(Party::Peer, Some(status), reason(response));
                State::Over
            }
        }
    }

    fn handle_progress(
        &mut self,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        status: u16,
        response: &Message,
    ) {
        let call = scene.call;
        if let Some(at) = self.early_dialog(response) {
            let body = sdp(response);
            let early = &mut self.early[at];
            if response.has_token(Name::Require, "100rel") {
                let Some(number) = response.rseq() else {
                    return;
                };
                // One after the other; a copy was confirmed, and a later one comes again.
                match early.response_number {
                    Some(last) if Some(number) != last.checked_add(1) => return,
                    Some(_) | None => early.response_number = Some(number),
                }
                confirm(scene, peer, &mut early.dialog, number, self.sequence);
            }
            if let Some(sdp) = body
                && early.answer.is_none()
            {
                early.answer = Some(sdp.clone());
                let flow = peer.flow;
                scene.tell(CallEvent::EarlyMedia { call, sdp, flow });
            }
        }
        if status == 180 && !self.told_ringing {
            self.told_ringing = true;
            scene.tell(CallEvent::Ringing { call });
        }
    }

    /// The early dialog that a provisional response belongs to; a first one with a tag opens it.
    fn early_dialog(&mut self, response: &Message) -> Option<usize> {
        let tag = response.to_tag()?;
        let known = |early: &Early| early.dialog.remote_tag() == &tag[..];
        if let Some(at) = self.early.iter().position(known) {
            return Some(at);
        }
        if self.early.len() == FORKS_MAX {
            return None;
        }
        let dialog = self.open(response)?;
        self.early.push(Early {
            dialog,
            response_number: None,
            answer: None,
        });
        Some(self.early.len() - 1)
    }

    fn open(&self, response: &Message) -> Option<Dialog> {
        open(&self.identity, self.sequence, response)
    }

    fn handle_answer(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        invite: Key,
        response: &Message,
    ) -> State {
        let tag = response.to_tag().unwrap_or_default();
        let known = |early: &Early| early.dialog.remote_tag() == &tag[..];
        let (dialog, answer) = match self.early.iter().position(known) {
            Some(at) => {
                let mut early = self.early.swap_remove(at);
                early.dialog.confirm(response);
                (Some(early.dialog), early.answer)
            }
            None => (self.open(response), None),
        };
        let Some(dialog) = dialog else {
            // A 2xx that no ACK can be sent to: the callee gives up by itself.
            scene.ended(Party::Network, Some(500), None);
            return State::Over;
        };
        let (flow, bytes) = scene.acknowledge(peer, &dialog, self.sequence, None);
        let call = scene.call;
        let Some(sdp) = sdp(response).or(answer) else {
            scene.ended(Party::Network, Some(488), None);
            return Closing::leave(scene, peer, dialog, Some(Cause::Media));
        };
        scene.tell(CallEvent::Answered {
            call,
            sdp,
            flow: peer.flow,
        });
        let timer =
            Agreed::as_caller(response).map(|agreed| SessionTimer::new(scene.now, agreed, true));
        let can_update = response.has_token(Name::Allow, "UPDATE");
        let upkeep = Upkeep::new(timer, can_update, self.offer);
        let acknowledged = Acknowledged {
            invite,
            flow,
            bytes,
        };
        State::Session(Box::new(Session::called(
            dialog,
            acknowledged,
            self.identity,
            self.sequence,
            upkeep,
        )))
    }

    pub(super) fn handle_failure(
        self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        key: Key,
        failure: Failure,
    ) -> State {
        if !matches!(self.stage, Stage::Calling { invite } if invite == key) {
            return State::Outbound(self);
        }
        let status = match failure {
            Failure::TimedOut | Failure::AckMissing => 408,
            Failure::Transport => 503,
        };
        scene.core.dead.push((peer.flow, None));
        self.try_next(scene, peer, status)
    }

    /// A request of the callee within an early dialog.
    pub(super) fn handle_request(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        request: Received,
    ) -> State {
        let tag = self.identity.tag.clone().into_bytes();
        let early = self
            .early
            .iter_mut()
            .find(|early| early.dialog.is_with(&request.message));
        let order = early.map(|early| early.dialog.handle_sequence(request.sequence()));
        let status = match (order, request.message.method()) {
            (None, _) => 481,
            (Some(Err(fault)), _) => fault.status(),
            (Some(Ok(())), Some(Method::Update)) if request.sdp().is_none() => 200,
            // What the answer will be is agreed in the answer.
            (Some(Ok(())), Some(Method::Update)) => 488,
            (Some(Ok(())), Some(Method::Info | Method::Options)) => 200,
            (Some(Ok(())), Some(Method::Bye | Method::Prack)) => 481,
            (Some(Ok(())), Some(Method::Invite)) => 491,
            (Some(Ok(())), Some(_) | None) => 405,
        };
        let contact = scene.contact(&request.flow);
        scene.reply(&request, status, &tag, |writer| {
            writer
                .header(Name::Contact, contact)
                .header(Name::Allow, allow())
                .finish()
        });
        State::Outbound(self)
    }

    pub(super) fn hang_up(self: Box<Self>, scene: &mut Scene<'_>, cause: Cause) -> State {
        scene.ended(Party::Us, None, None);
        self.give_up(scene, cause)
    }

    /// Takes the INVITE back. Its user has heard the end.
    fn give_up(self: Box<Self>, scene: &mut Scene<'_>, cause: Cause) -> State {
        let Stage::Calling { invite } = self.stage else {
            return State::Over;
        };
        let mut cancelling = Cancelling {
            identity: self.identity,
            sequence: self.sequence,
            invite,
            cause,
            give_up_at: None,
        };
        // Nothing may be cancelled that was not heard of (RFC 3261 section 9.1).
        if scene.core.is_proceeding(invite) {
            cancelling.cancel(scene);
        }
        State::Closing(Box::new(Closing::Cancelling(cancelling)))
    }
}

/// An INVITE of ours that is taken back.
#[derive(Debug)]
pub(super) struct Cancelling {
    identity: Identity,
    sequence: u32,
    invite: Key,
    cause: Cause,
    /// Set once the CANCEL is out: when no final response is waited for any more.
    pub(super) give_up_at: Option<Instant>,
}

impl Cancelling {
    fn cancel(&mut self, scene: &mut Scene<'_>) {
        let reason = Some(self.cause.header());
        scene.core.cancel(scene.now, self.invite, reason);
        self.give_up_at = Some(scene.now + GIVE_UP); // RFC 3261 section 9.1
    }

    pub(super) fn local_tag(&self) -> &[u8] {
        self.identity.tag.as_bytes()
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.give_up_at.is_some_and(|at| at <= now)
    }

    pub(super) fn abandon(self, scene: &mut Scene<'_>) -> State {
        scene.core.abandon(self.invite);
        State::Over
    }

    pub(super) fn handle_response(
        mut self,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        key: Key,
        response: &Message,
    ) -> State {
        let status = response.status().unwrap_or(500);
        if key == self.invite {
            match status {
                ..200 if self.give_up_at.is_none() => self.cancel(scene),
                ..200 => {}
                // It crossed our CANCEL: the call is up, and is hung up (RFC 3261 section 9.1).
                200..300 => {
                    let Some(dialog) = open(&self.identity, self.sequence, response) else {
                        return State::Over;
                    };
                    scene.acknowledge(peer, &dialog, self.sequence, None);
                    return Closing::leave(scene, peer, dialog, Some(self.cause));
                }
                300.. => return State::Over,
            }
        }
        State::Closing(Box::new(Closing::Cancelling(self)))
    }

    pub(super) fn handle_failure(self, key: Key) -> State {
        if key == self.invite {
            return State::Over;
        }
        State::Closing(Box::new(Closing::Cancelling(self)))
    }
}

/// The dialog that a response to our INVITE opens.
pub(super) fn open(identity: &Identity, sequence: u32, response: &Message) -> Option<Dialog> {
    let from = Bytes::from(identity.from.clone());
    let tag = Bytes::from(identity.tag.clone());
    Dialog::open(from, tag, sequence, response).ok()
}

/// Confirms a reliable provisional response (RFC 3262 section 4).
fn confirm(
    scene: &mut Scene<'_>,
    peer: &Peer,
    dialog: &mut Dialog,
    number: u32,
    invite_sequence: u32,
) {
    scene.request(peer, dialog, Method::Prack, &[], |writer| {
        writer
            .header_display(
                Name::RAck,
                format_args!("{number} {invite_sequence} INVITE"),
            )
            .finish()
    });
}

/// The address of nobody (RFC 3323 section 4.1.1.3).
const ANONYMOUS: &str = "sip:anonymous@anonymous.invalid";

/// Early dialogs of one INVITE that are kept: a hunt group rings a few phones at once.
const FORKS_MAX: usize = 16;

/// Places that one call is tried at: behind more than a few dead servers waits no callee.
const WAYS_MAX: usize = 8;

//! Requests outside any dialog: who may ask for what.

use std::time::{Duration, Instant};

use super::Endpoint;
use super::receive::{Arrival, abilities, allow_header};
use crate::sip::body;
use crate::sip::call::{
    Agreed, Call, CallEvent, Caller, Inbound, Incoming, Origin, Peer, Received, TooSmall,
};
use crate::sip::dialog::Dialog;
use crate::sip::guard::Failure as Fault;
use crate::sip::headers::{Name, Replaces};
use crate::sip::identity;
use crate::sip::message::Message;
use crate::sip::transaction::key::Key;
use crate::sip::trunk::Trunk;
use crate::sip::write::Writer;
use crate::sip::{CallId, Flow, Method};

impl Endpoint {
    /// A request that no dialog and no transaction knows. Until it is admitted, each answer is
    /// given without keeping anything.
    pub(super) fn receive_outside(&mut self, now: Instant, arrival: Arrival, message: Message) {
        let flow = arrival.flow;
        let merged = self.core.keys.merged(&message);
        if merged.is_some_and(|merged| self.core.merged.contains_key(&merged)) {
            // The same request by another way (RFC 3261 section 8.2.2.2).
            return self.refuse(now, flow, &message, 482, Writer::finish);
        }
        match message.method() {
            Some(Method::Invite) => self.receive_invite(now, arrival, merged, message),
            Some(Method::Register) => self.receive_register(now, arrival, &message),
            Some(Method::Options) => self.refuse(now, flow, &message, 200, |writer| {
                abilities(writer).finish()
            }),
            // Within a dialog or not at all (RFC 3261 section 12.2.2).
            Some(Method::Bye | Method::Info | Method::Update | Method::Prack) => {
                self.refuse(now, flow, &message, 481, Writer::finish);
            }
            Some(_) | None => self.refuse_method(now, flow, &message),
        }
    }

    /// A method that we do not offer. Whoever is nobody to us learns nothing about what we do.
    fn refuse_method(&mut self, now: Instant, flow: Flow, message: &Message) {
        let source = self.source(&flow);
        if source.standing == crate::sip::guard::Standing::Stranger {
            self.guard
                .record_failure(now, &source, None, Fault::Refused);
            self.refuse(now, flow, message, 403, Writer::finish);
        } else {
            self.refuse(now, flow, message, 405, |writer| {
                allow_header(writer).finish()
            });
        }
    }

    fn receive_invite(
        &mut self,
        now: Instant,
        arrival: Arrival,
        merged: Option<Key>,
        message: Message,
    ) {
        let flow = arrival.flow;
        let Ok(uri) = message.request_uri() else {
            return self.refuse(now, flow, &message, 400, Writer::finish);
        };
        let user = uri.user_text().unwrap_or_default();
        let invite = match self.trunks.identify(flow.transport, flow.remote, &user) {
            Some(trunk) if !self.speaks_for_a_device(&flow, &message) => Some(incoming(
                Origin::Trunk(trunk.id.clone()),
                dialled(trunk, &message, &user),
                identity::caller_of_trunk(&message, trunk),
                &message,
                flow,
            )),
            Some(_) | None => self.authenticate(now, flow, &message).map(|account| {
                let caller = identity::caller_of_device(&message, &account);
                incoming(Origin::Device(account.id), user, caller, &message, flow)
            }),
        };
        if let Some(invite) = invite {
            self.admit(now, arrival, merged, message, invite);
        }
    }

    /// Somebody we know wants to call: is it a good INVITE, and is there room?
    fn admit(
        &mut self,
        now: Instant,
        arrival: Arrival,
        merged: Option<Key>,
        message: Message,
        mut invite: Box<Incoming>,
    ) {
        let Arrival {
            flow, reply, key, ..
        } = arrival;
        if let Some(status) = self.loops(&message) {
            return self.refuse(now, flow, &message, status, Writer::finish);
        }
        if self.refuse_unsupported(now, flow, &message) {
            return;
        }
        match self.replaced_by(&message, &invite.origin) {
            Ok(replaces) => invite.replaces = replaces,
            Err(status) => return self.refuse(now, flow, &message, status, Writer::finish),
        }
        let agreed = match Agreed::as_callee(&message, &self.core.config) {
            Ok(agreed) => agreed,
            Err(TooSmall { min_s }) => {
                return self.refuse(now, flow, &message, 422, |writer| {
                    writer.header_display(Name::MinSe, min_s).finish()
                });
            }
        };
        if self.is_full(&flow) {
            return self.refuse_overloaded(now, flow, &message);
        }
        let tag = self.core.word();
        let Ok(dialog) = Dialog::accept(&message, &tag) else {
            return self.refuse(now, flow, &message, 400, Writer::finish);
        };
        if let Origin::Trunk(trunk) = &invite.origin
            && let Err(refused) = self.trunks.begin_call(now, trunk)
        {
            let (status, wait) = (refused.status(), refused.retry_after());
            return self.refuse(now, flow, &message, status, |writer| {
                retry_after(writer, wait).finish()
            });
        }
        self.last_call += 1;
        let id = CallId(self.last_call);
        self.core
            .receive(key, true, reply, super::User::Call(id), merged);
        self.core.trace_request(key, flow, &message);
        let request = Received {
            key,
            message,
            flow,
            named: invite.replaces,
        };
        self.core.try_at_once(now, &request);
        let peer = peer(&invite.origin, flow);
        let first_number = self.core.chance(1..=FIRST_NUMBER_MAX);
        let inbound = Inbound::new(now, request, dialog, agreed, first_number);
        self.begin_inbound(now, id, peer, inbound, invite);
    }

    fn begin_inbound(
        &mut self,
        now: Instant,
        id: CallId,
        peer: Peer,
        inbound: Inbound,
        invite: Box<Incoming>,
    ) {
        let dialog = inbound.dialog();
        let found_by = self.core.keys.dialog(dialog.call_id(), dialog.local_tag());
        let source = peer.flow.remote.ip();
        self.calls
            .insert(id, Call::inbound(peer, found_by, source, inbound));
        self.dialogs.insert(found_by, id);
        *self.early.entry(source).or_insert(0) += 1;
        self.core.tell(CallEvent::Incoming { call: id, invite });
        self.visit(now, id, None, |_, _| ());
    }

    /// The call whose place an INVITE wants to take, or what it is answered with (RFC 3891 section
    /// 3).
    fn replaced_by(&self, message: &Message, origin: &Origin) -> Result<Option<CallId>, u16> {
        let mut lines = message.header_lines(Name::Replaces);
        let Some(line) = lines.next() else {
            return Ok(None);
        };
        let replaces = Replaces::parse(&line).map_err(|_| 400_u16)?;
        if lines.next().is_some() {
            return Err(400);
        }
        let id = self.call_of(&replaces).ok_or(481_u16)?;
        let call = self.calls.get(&id).ok_or(481_u16)?;
        // A carrier has no business with the calls of others, and learns nothing of them.
        let is_foreign = match origin {
            Origin::Trunk(trunk) => call.peer.trunk.as_ref() != Some(trunk),
            Origin::Device(_) => false,
        };
        if is_foreign {
            return Err(481);
        }
        call.replaceable(replaces.early_only)?;
        Ok(Some(id))
    }

    /// The call of ours whose dialog this names: its tags are from the side of whoever is to have the
    /// new call (RFC 3891 section 3).
    pub(super) fn call_of(&self, replaces: &Replaces) -> Option<CallId> {
        let dialog = self.core.keys.dialog(&replaces.call_id, &replaces.to_tag);
        let id = self.dialogs.get(&dialog).copied()?;
        let call = self.calls.get(&id)?;
        call.is_with(&replaces.from_tag).then_some(id)
    }

    /// Whether an INVITE went in a circle: it passed us before, or it has no hop left.
    fn loops(&self, message: &Message) -> Option<u16> {
        if message.max_forwards() == Ok(Some(0)) {
            return Some(483);
        }
        let is_ours = |sent_by: &[u8]| {
            self.core.config.listeners.iter().any(|listener| {
                let (host, port) = split_port(sent_by);
                host.eq_ignore_ascii_case(listener.public_host.as_bytes())
                    && port == Some(listener.public_port)
            })
        };
        let passed = message.vias().flatten().any(|via| is_ours(via.sent_by()));
        passed.then_some(482)
    }

    /// Whether there is no room for one more call, or for one more that is not answered from this
    /// address.
    fn is_full(&self, flow: &Flow) -> bool {
        let limits = &self.core.config.limits;
        let early = self.early.get(&flow.remote.ip()).copied().unwrap_or(0);
        self.calls.len() >= limits.calls
            || self.core.transactions() >= limits.transactions
            || early >= limits.early_calls_per_source
    }
}

/// The other end of a call that comes in.
fn peer(origin: &Origin, flow: Flow) -> Peer {
    let trunk = match origin {
        Origin::Trunk(trunk) => Some(trunk.clone()),
        Origin::Device(_) => None,
    };
    Peer {
        flow,
        is_pinned: trunk.is_none(),
        server_name: None,
        trunk,
    }
}

/// What is known about a call that comes in.
fn incoming(
    origin: Origin,
    dialled: String,
    caller: Caller,
    message: &Message,
    flow: Flow,
) -> Box<Incoming> {
    Box::new(Incoming {
        origin,
        dialled,
        request_uri: String::from_utf8_lossy(message.request_uri_bytes()).into_owned(),
        caller,
        sip_call_id: message
            .header_text(Name::CallId)
            .unwrap_or_default()
            .into_owned(),
        flow,
        offer: body::sdp(message),
        user_agent: message
            .header_text(Name::UserAgent)
            .and_then(|text| identity::inert(&text)),
        replaces: None,
    })
}

/// The number that was dialled: the user of the Request-URI, or of To where the carrier calls the
/// Contact that we registered there.
fn dialled(trunk: &Trunk, message: &Message, user: &str) -> String {
    let is_line = trunk.line.as_ref().is_some_and(|line| line.token == user);
    let to = || message.to().ok()?.uri().user_text();
    match is_line.then(to).flatten() {
        Some(number) => trunk.numbers.read(&number),
        None => trunk.numbers.read(user),
    }
}

fn retry_after(writer: Writer, wait: Option<Duration>) -> Writer {
    match wait {
        Some(wait) => writer.header_display(Name::RetryAfter, wait.as_secs()),
        None => writer,
    }
}

/// Host and port of a sent-by; a host of IPv6 keeps its brackets.
fn split_port(sent_by: &[u8]) -> (&[u8], Option<u16>) {
    let colon = sent_by.iter().rposition(|byte| *byte == b':');
    match colon {
        Some(colon) if sent_by.last() != Some(&b']') => {
            let port = std::str::from_utf8(&sent_by[colon + 1..]).ok();
            (&sent_by[..colon], port.and_then(|port| port.parse().ok()))
        }
        Some(_) | None => (sent_by, None),
    }
}

/// The largest RSeq that a call begins with; half of what RFC 3262 section 3 allows, so that it never
/// runs out.
const FIRST_NUMBER_MAX: u32 = 1 << 30;

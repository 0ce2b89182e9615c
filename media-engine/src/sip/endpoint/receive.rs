//! Messages as they come in: matched to what is going on, or judged as something new.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use super::{Endpoint, TracedWay};
use crate::sip::body;
use crate::sip::call::{Received, allow, replaces_of, supported};
use crate::sip::guard::{Admission, Failure as Fault, Source, Standing};
use crate::sip::headers::{Name, Replaces, Via};
use crate::sip::message::Message;
use crate::sip::parse::{ParseError, Parsed, parse};
use crate::sip::transaction::key::Key;
use crate::sip::write::Writer;
use crate::sip::{Flow, Method};

/// How a request came, and how it is answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    /// The path it came by.
    pub(super) flow: Flow,
    /// The path that its responses take.
    pub(super) reply: Flow,
    /// The transaction it belongs to.
    pub(super) key: Key,
    /// Its length in bytes.
    pub(super) length: usize,
}

impl Endpoint {
    pub(super) fn receive(&mut self, now: Instant, flow: Flow, bytes: Bytes) {
        let length = bytes.len();
        match parse(bytes) {
            Ok(Parsed::Keepalive) => {}
            Ok(Parsed::Message(message)) if message.is_request() => {
                self.receive_request(now, flow, message, length);
            }
            Ok(Parsed::Message(message)) => self.receive_response(now, flow, &message),
            Err(ParseError::Garbage(_)) => {
                let source = self.source(&flow);
                if self.guard.admit(now, &source, length) == Admission::Admitted {
                    self.guard
                        .record_failure(now, &source, None, Fault::Malformed);
                }
            }
            Err(ParseError::Rejected(rejected)) => {
                let source = self.source(&flow);
                if self.guard.admit(now, &source, length) == Admission::Admitted {
                    self.guard
                        .record_failure(now, &source, None, Fault::Malformed);
                    let status = rejected.fault.status;
                    self.refuse(now, flow, &rejected.message, status, Writer::finish);
                }
            }
        }
    }

    fn receive_response(&mut self, now: Instant, flow: Flow, response: &Message) {
        let Some((key, status)) = self.response_key(response) else {
            return; // To no request of ours: dropped (RFC 3261 section 18.1.2).
        };
        self.core.trace_response(key, flow, response);
        let Some(user) = self.core.receive_answer(now, key, status, response) else {
            return;
        };
        match user {
            super::User::Call(call) => {
                let source = Some(flow.remote.ip());
                self.visit(now, call, source, |call, scene| {
                    call.handle_response(scene, key, response);
                });
            }
            super::User::Registration { number, sequence } => {
                self.receive_registered(now, number, sequence, flow, response);
            }
            super::User::Ping { number, question } => {
                self.ping_answered(now, number, question, status);
            }
            super::User::Aside(_) | super::User::Nobody => {}
        }
    }

    fn response_key(&self, response: &Message) -> Option<(Key, u16)> {
        let mut vias = response.vias();
        let via = vias.next()?.ok()?;
        if vias.next().is_some() {
            return None; // It is for somebody behind us (RFC 3261 section 8.1.3.3).
        }
        let method = response.cseq().ok()?.method;
        let key = self.core.keys.client(via.branch()?, &method);
        Some((key, response.status()?))
    }

    fn receive_request(&mut self, now: Instant, flow: Flow, message: Message, length: usize) {
        let (Some(method), Ok(via)) = (message.method(), message.top_via()) else {
            return;
        };
        let Some(key) = self.core.keys.server(&message, &via, method) else {
            return;
        };
        self.core.trace_request(key, flow, &message);
        if *method == Method::Ack {
            return self.receive_ack(now, flow, key, &message);
        }
        let arrival = Arrival {
            flow,
            reply: reply_flow(flow, &via),
            key,
            length,
        };
        if self.core.receive_copy(now, key, arrival.reply) {
            return;
        }
        let is_cancel = *method == Method::Cancel;
        if let Err(fault) = message.check() {
            if self.is_admitted(now, &flow, length) {
                self.refuse(now, flow, &message, fault.status, Writer::finish);
            }
        } else if is_cancel {
            self.receive_cancel(now, arrival, &via, message);
        } else if let Some(tag) = message.to_tag() {
            self.receive_within(now, arrival, message, &tag);
        } else if self.is_admitted(now, &flow, length) {
            self.receive_outside(now, arrival, message);
        }
    }

    /// An ACK: to a 3xx-6xx it belongs to the transaction, to a 2xx to the dialog, and one that
    /// belongs to neither is nobody's (RFC 3261 section 17).
    fn receive_ack(&mut self, now: Instant, flow: Flow, key: Key, ack: &Message) {
        if self.core.receive_ack(now, key) {
            return;
        }
        let (Ok(call_id), Some(tag)) = (ack.call_id(), ack.to_tag()) else {
            return;
        };
        let dialog = self.core.keys.dialog(&call_id, &tag);
        if let Some(call) = self.dialogs.get(&dialog).copied() {
            let source = Some(flow.remote.ip());
            self.visit(now, call, source, |call, scene| {
                if call.is_of(ack) {
                    scene
                        .core
                        .trace(scene.call, TracedWay::Received, flow, ack.as_bytes());
                    call.handle_ack(scene, ack);
                }
            });
        }
    }

    /// RFC 3261 section 9.2: the CANCEL is answered in its own right, and takes back the INVITE
    /// that it names where that has no final response.
    fn receive_cancel(&mut self, now: Instant, arrival: Arrival, via: &Via, cancel: Message) {
        let Arrival {
            flow,
            reply,
            key,
            length,
        } = arrival;
        let invite = self.core.keys.server(&cancel, via, &Method::Invite);
        let Some(call) = invite.and_then(|invite| self.core.cancelled(invite)) else {
            if self.is_admitted(now, &flow, length) {
                self.refuse(now, flow, &cancel, 481, Writer::finish);
            }
            return;
        };
        let user = match call {
            Some(call) => super::User::Aside(call),
            None => super::User::Nobody,
        };
        self.core.receive(key, false, reply, user, None);
        self.core.trace_request(key, flow, &cancel);
        // The tag of the responses to its INVITE, where there is one (RFC 3261 section 9.2).
        let known = call.and_then(|call| self.calls.get(&call)?.local_tag());
        let tag = match known {
            Some(tag) => tag.to_vec(),
            None => self.core.stateless_tag(&cancel),
        };
        let response = Writer::response_to(&cancel, 200, Some(&tag), flow.remote).finish();
        self.core.respond(now, key, 200, response);
        if let Some(call) = call {
            self.visit(now, call, Some(flow.remote.ip()), |call, scene| {
                call.handle_cancel(scene, &cancel);
            });
        }
    }

    /// A request within a dialog (RFC 3261 section 12.2.2).
    fn receive_within(&mut self, now: Instant, arrival: Arrival, message: Message, tag: &[u8]) {
        let Arrival {
            flow,
            reply,
            key,
            length,
        } = arrival;
        let call_id = message.call_id().unwrap_or_default();
        let dialog = self.core.keys.dialog(&call_id, tag);
        let call = self.dialogs.get(&dialog).copied().filter(|call| {
            let call = self.calls.get(call);
            call.is_some_and(|call| call.is_of(&message))
        });
        let Some(call) = call else {
            if self.is_admitted(now, &flow, length) {
                self.refuse(now, flow, &message, 481, Writer::finish);
            }
            return;
        };
        if self.core.transactions() >= self.core.config.limits.transactions {
            return self.refuse_overloaded(now, flow, &message);
        }
        if self.refuse_unsupported(now, flow, &message) {
            return;
        }
        let invite = message.method() == Some(&Method::Invite);
        let user = super::User::Call(call);
        self.core.receive(key, invite, reply, user, None);
        self.core.trace_request(key, flow, &message);
        let named = (message.method() == Some(&Method::Refer))
            .then(|| replaces_of(&message))
            .flatten()
            .and_then(|value| Replaces::parse(&value).ok())
            .and_then(|replaces| self.call_of(&replaces));
        let request = Received {
            key,
            message,
            flow,
            named,
        };
        if invite {
            self.core.try_at_once(now, &request);
        }
        self.visit(now, call, Some(flow.remote.ip()), |call, scene| {
            call.handle_request(scene, request);
        });
    }

    /// Refuses a request that needs what we do not have: an extension (RFC 3261 section 8.2.2.3), a
    /// type of body (section 8.2.3). Says whether it did.
    pub(super) fn refuse_unsupported(
        &mut self,
        now: Instant,
        flow: Flow,
        message: &Message,
    ) -> bool {
        let unknown: Vec<&[u8]> = message
            .tokens(Name::Require)
            .filter(|token| {
                !SUPPORTED
                    .iter()
                    .any(|known| token.eq_ignore_ascii_case(known.as_bytes()))
            })
            .take(UNSUPPORTED_MAX)
            .collect();
        if !unknown.is_empty() {
            let unsupported = unknown.join(&b", "[..]);
            self.refuse(now, flow, message, 420, |writer| {
                writer.header(Name::Unsupported, unsupported).finish()
            });
            return true;
        }
        // RFC 6086 section 4.2.2: what other packages tell is for nobody here.
        let is_package = message.header(Name::InfoPackage).is_some() && !body::is_trickle(message);
        if message.method() == Some(&Method::Info) && is_package {
            self.refuse(now, flow, message, 469, |writer| {
                writer.header(Name::RecvInfo, body::TRICKLE).finish()
            });
            return true;
        }
        if body::read(message).is_err() {
            self.refuse(now, flow, message, 415, |writer| {
                writer
                    .header(Name::Accept, body::accept(message.method()))
                    .header(Name::AcceptEncoding, "identity")
                    .finish()
            });
            return true;
        }
        false
    }

    pub(super) fn refuse_overloaded(&mut self, now: Instant, flow: Flow, message: &Message) {
        self.refuse(now, flow, message, 503, |writer| {
            writer
                .header_display(Name::RetryAfter, OVERLOAD_RETRY_S)
                .finish()
        });
    }

    /// Answers without keeping anything: each copy of the request gets the same answer (RFC 3261
    /// section 8.2.7), and the ACK to it is nobody's.
    pub(super) fn refuse(
        &mut self,
        now: Instant,
        flow: Flow,
        message: &Message,
        status: u16,
        finish: impl FnOnce(Writer) -> Bytes,
    ) {
        let tag = self.core.stateless_tag(message);
        let writer = Writer::response_to(message, status, Some(&tag), flow.remote);
        let bytes = finish(writer);
        let source = self.source(&flow);
        if self.guard.may_answer(now, &source, bytes.len()) {
            let reply = message.top_via().map(|via| reply_flow(flow, &via));
            self.core.transmit(reply.unwrap_or(flow), bytes);
        }
    }

    fn is_admitted(&mut self, now: Instant, flow: &Flow, length: usize) -> bool {
        let source = self.source(flow);
        self.guard.admit(now, &source, length) == Admission::Admitted
    }

    /// What is known about who sent a message.
    pub(super) fn source(&self, flow: &Flow) -> Source {
        let address = flow.remote.ip();
        Source {
            address,
            proven: flow.connection.is_some(),
            standing: if self.trunks.is_trunk_address(address) {
                Standing::Trunk
            } else if self.registrar.is_device_address(address) {
                Standing::Device
            } else {
                Standing::Stranger
            },
        }
    }
}

/// Where responses to a request go (RFC 3261 section 18.2.2, RFC 3581 section 4): back over its
/// connection; as a datagram, to the address it came from, on the port it came from where the sender
/// asks for that, else on the port in its Via. The `maddr` of a Via is not obeyed: it would let
/// anybody point our answers at anybody.
fn reply_flow(flow: Flow, via: &Via) -> Flow {
    if flow.transport.is_reliable() || via.wants_rport() {
        return flow;
    }
    Flow {
        remote: SocketAddr::new(flow.remote.ip(), via.port().unwrap_or(5060)),
        ..flow
    }
}

/// The extensions that a peer may require of us.
const SUPPORTED: &[&str] = &["100rel", "timer", "replaces", "norefersub"];

/// The most unknown extensions that a 420 names, so that the answer is no longer than the request.
const UNSUPPORTED_MAX: usize = 16;

/// How long a peer should wait that met a full house, in seconds: calls end and transactions run
/// out in such a time.
const OVERLOAD_RETRY_S: u32 = 10;

/// The methods that we know, for the answer to any other.
pub(super) fn allow_header(writer: Writer) -> Writer {
    writer.header(Name::Allow, allow())
}

/// What we can, for the answer to OPTIONS (RFC 3261 section 11.2).
pub(in crate::sip) fn abilities(writer: Writer) -> Writer {
    allow_header(writer)
        .header(Name::Accept, body::accept(None))
        .header(Name::Supported, supported())
}

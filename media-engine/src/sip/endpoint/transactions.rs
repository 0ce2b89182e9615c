//! The transactions of an endpoint: found by key, given their deadlines, drained after each step.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::core::{Core, Way};
use super::deadlines::{Armed, Owner};
use super::output::{Output, Traced, TracedWay};
use crate::sip::dialog::MAX_FORWARDS;
use crate::sip::headers::Name;
use crate::sip::message::Message;
use crate::sip::parse::{Parsed, parse};
use crate::sip::transaction::client::Client;
use crate::sip::transaction::invite_client::InviteClient;
use crate::sip::transaction::invite_server::InviteServer;
use crate::sip::transaction::key::Key;
use crate::sip::transaction::server::Server;
use crate::sip::transaction::{Heard, Output as Wish};
use crate::sip::write::Writer;
use crate::sip::{CallId, Flow, Method, Transport};

/// Who sent a request of ours, and waits for its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sip) enum User {
    /// A call; it knows its requests by their keys.
    Call(CallId),
    /// A call, which waits for nothing that comes back.
    Aside(CallId),
    /// A registration of ours, by its number, and the number of its request.
    Registration { number: u32, sequence: u32 },
    /// The pings of a trunk, by their number, and which question it is.
    Ping { number: u32, question: u64 },
    /// Nobody: what comes back changes nothing.
    Nobody,
}

impl User {
    /// The call whose messages these are.
    fn call(self) -> Option<CallId> {
        match self {
            Self::Call(call) | Self::Aside(call) => Some(call),
            Self::Registration { .. } | Self::Ping { .. } | Self::Nobody => None,
        }
    }
}

impl ServerEntry {
    pub(super) fn call(&self) -> Option<CallId> {
        self.user.call()
    }
}

impl ClientEntry {
    pub(super) fn call(&self) -> Option<CallId> {
        self.user.call()
    }
}

/// A request of a peer.
#[derive(Debug)]
pub(super) struct ServerEntry {
    machine: ServerMachine,
    /// Where responses go.
    flow: Flow,
    user: User,
    merged: Option<Key>,
    armed: Armed,
}

#[derive(Debug)]
enum ServerMachine {
    Invite(InviteServer),
    Other(Server),
}

/// A request of ours.
#[derive(Debug)]
pub(super) struct ClientEntry {
    machine: ClientMachine,
    flow: Flow,
    server_name: Option<std::sync::Arc<str>>,
    user: User,
    /// An INVITE as it was sent: its ACK and its CANCEL are made from it.
    invite: Option<Bytes>,
    fallback: Option<Fallback>,
    armed: Armed,
}

/// The datagram of a request that was too large for one and went over a stream.
#[derive(Debug)]
struct Fallback {
    flow: Flow,
    bytes: Bytes,
    /// When it goes out after all, if nobody is heard over the stream. The branch is the same, so
    /// whoever got both has got one request twice.
    at: Instant,
}

#[derive(Debug)]
enum ClientMachine {
    Invite(InviteClient),
    Other(Client),
}

/// A request of ours on its way out.
#[derive(Debug)]
pub(in crate::sip) struct Outgoing {
    pub(in crate::sip) key: Key,
    pub(in crate::sip) invite: bool,
    pub(in crate::sip) bytes: Bytes,
    pub(in crate::sip) flow: Flow,
    pub(in crate::sip) server_name: Option<std::sync::Arc<str>>,
    pub(in crate::sip) user: User,
    /// Whether a stream may carry it where it is too large for a datagram: the target did not ask
    /// for datagrams.
    pub(in crate::sip) may_stream: bool,
}

impl Core {
    /// How many transactions live.
    pub(super) fn transactions(&self) -> usize {
        self.servers.len() + self.clients.len()
    }

    /// Opens the transaction of a request that just came.
    pub(in crate::sip) fn receive(
        &mut self,
        key: Key,
        invite: bool,
        flow: Flow,
        user: User,
        merged: Option<Key>,
    ) {
        let reliable = flow.transport.is_reliable();
        let machine = if invite {
            ServerMachine::Invite(InviteServer::new(reliable))
        } else {
            ServerMachine::Other(Server::new(reliable))
        };
        if let Some(merged) = merged {
            self.merged.insert(merged, key);
        }
        let entry = ServerEntry {
            machine,
            flow,
            user,
            merged,
            armed: None,
        };
        self.servers.insert(key, entry);
    }

    /// Hands a copy of a request to its transaction; says whether there is one.
    pub(super) fn receive_copy(&mut self, now: Instant, key: Key, flow: Flow) -> bool {
        let Some(entry) = self.servers.get_mut(&key) else {
            return false;
        };
        // A peer whose connection broke asks again over its next one.
        entry.flow = flow;
        match &mut entry.machine {
            ServerMachine::Invite(machine) => machine.handle_request(now),
            ServerMachine::Other(machine) => machine.handle_request(now),
        }
        self.drain_server(key);
        true
    }

    /// Hands an ACK to the INVITE transaction that it may belong to; says whether that took it. An
    /// ACK to a 2xx belongs to none (RFC 3261 section 17.1.1.2).
    pub(super) fn receive_ack(&mut self, now: Instant, key: Key) -> bool {
        let Some(entry) = self.servers.get_mut(&key) else {
            return false;
        };
        match &mut entry.machine {
            ServerMachine::Invite(machine) if !machine.is_accepted() => machine.handle_ack(now),
            ServerMachine::Invite(_) | ServerMachine::Other(_) => return false,
        }
        self.drain_server(key);
        true
    }

    /// The call of the INVITE under `key`, for a CANCEL. `Some(None)` for an INVITE that has its
    /// final response, or no call: a CANCEL does nothing to it.
    pub(super) fn cancelled(&self, key: Key) -> Option<Option<CallId>> {
        let entry = self.servers.get(&key)?;
        match (&entry.machine, &entry.user) {
            (ServerMachine::Invite(machine), User::Call(call)) if machine.is_proceeding() => {
                Some(Some(*call))
            }
            (ServerMachine::Invite(_), _) => Some(None),
            (ServerMachine::Other(_), _) => None,
        }
    }

    /// Sends a response in its transaction. A transaction that is gone sends nothing.
    pub(in crate::sip) fn respond(&mut self, now: Instant, key: Key, status: u16, response: Bytes) {
        let Some(entry) = self.servers.get_mut(&key) else {
            return;
        };
        match &mut entry.machine {
            ServerMachine::Invite(machine) => machine.respond(now, status, response),
            ServerMachine::Other(machine) => machine.respond(now, status, response),
        }
        self.drain_server(key);
    }

    /// Sends a request in a transaction of its own.
    pub(in crate::sip) fn send(&mut self, now: Instant, request: Outgoing) {
        let (request, fallback) = self.over_stream(now, request);
        let reliable = request.flow.transport.is_reliable();
        let invite = request.invite.then(|| request.bytes.clone());
        let machine = if request.invite {
            ClientMachine::Invite(InviteClient::new(now, request.bytes, reliable))
        } else {
            ClientMachine::Other(Client::new(now, request.bytes, reliable))
        };
        self.ways.insert((Way::of(&request.flow), request.key));
        let entry = ClientEntry {
            machine,
            flow: request.flow,
            server_name: request.server_name,
            user: request.user,
            invite,
            fallback,
            armed: None,
        };
        self.clients.insert(request.key, entry);
        self.drain_client(request.key);
    }

    /// Puts a request that is too large for a datagram on a stream (RFC 3261 section 18.1.1), unless
    /// there is none, or nobody was heard over it lately.
    fn over_stream(&self, now: Instant, request: Outgoing) -> (Outgoing, Option<Fallback>) {
        let datagram = request.flow;
        let stream = Flow {
            transport: Transport::Tcp,
            ..datagram
        };
        let is_large = request.bytes.len() > DATAGRAM_MAX;
        let is_refused = self.no_stream.find(&datagram.remote);
        let is_refused = is_refused.is_some_and(|until| *until > now);
        let listener = self.listener(&stream).filter(|_| {
            datagram.transport == Transport::Udp && is_large && request.may_stream && !is_refused
        });
        let Some(local) = listener.map(|listener| listener.local) else {
            return (request, None);
        };
        let stream = Flow { local, ..stream };
        let via =
            |flow: &Flow| format!("SIP/2.0/{} {};", flow.transport, self.public_address(flow));
        let Some(bytes) = replaced(&request.bytes, &via(&datagram), &via(&stream)) else {
            return (request, None);
        };
        let fallback = Fallback {
            flow: datagram,
            bytes: request.bytes,
            at: now + STREAM_WAIT,
        };
        let request = Outgoing {
            bytes,
            flow: stream,
            ..request
        };
        (request, Some(fallback))
    }

    /// Sends a request as a datagram after all.
    fn fall_back(&mut self, now: Instant, key: Key) {
        let Some(entry) = self.clients.get_mut(&key) else {
            return;
        };
        let Some(Fallback { flow, bytes, .. }) = entry.fallback.take() else {
            return;
        };
        self.ways.remove(&(Way::of(&entry.flow), key));
        self.ways.insert((Way::of(&flow), key));
        entry.flow = flow;
        match &mut entry.machine {
            ClientMachine::Invite(machine) => {
                entry.invite = Some(bytes.clone());
                *machine = InviteClient::new(now, bytes, false);
            }
            ClientMachine::Other(machine) => *machine = Client::new(now, bytes, false),
        }
        *self.no_stream.touch(flow.remote, || now) = now + STREAM_REST;
        self.drain_client(key);
    }

    /// Hands a response to the transaction of its request; tells whose it is when it is news.
    pub(super) fn receive_answer(
        &mut self,
        now: Instant,
        key: Key,
        status: u16,
        response: &Message,
    ) -> Option<User> {
        let entry = self.clients.get_mut(&key)?;
        entry.fallback = None;
        let invite = entry.invite.clone();
        let heard = match &mut entry.machine {
            ClientMachine::Invite(machine) => machine.handle_response(now, status, || {
                derived(invite, &Method::Ack, response.header(Name::To)).unwrap_or_default()
            }),
            ClientMachine::Other(machine) => machine.handle_response(now, status),
        };
        let user = entry.user;
        self.drain_client(key);
        (heard == Heard::News).then_some(user)
    }

    /// Whether the INVITE under `key` was heard of and has no final response: it may be cancelled.
    pub(in crate::sip) fn is_proceeding(&self, key: Key) -> bool {
        match self.clients.get(&key).map(|entry| &entry.machine) {
            Some(ClientMachine::Invite(machine)) => machine.is_proceeding(),
            Some(ClientMachine::Other(_)) | None => false,
        }
    }

    /// Takes an INVITE of ours back (RFC 3261 section 9.1): the CANCEL goes where the INVITE went.
    pub(in crate::sip) fn cancel(&mut self, now: Instant, invite: Key, reason: Option<&str>) {
        let Some(entry) = self.clients.get(&invite) else {
            return;
        };
        let Some(sent) = entry.invite.clone().and_then(read) else {
            return;
        };
        let Some(branch) = sent
            .top_via()
            .ok()
            .and_then(|via| via.branch().map(Bytes::copy_from_slice))
        else {
            return;
        };
        let (flow, server_name) = (entry.flow, entry.server_name.clone());
        let user = entry.call().map_or(User::Nobody, User::Aside);
        let mut writer = begin_derived(&sent, &Method::Cancel, sent.header(Name::To));
        if let Some(reason) = reason {
            writer = writer.header(Name::Reason, reason);
        }
        let key = self.keys.client(&branch, &Method::Cancel);
        self.send(
            now,
            Outgoing {
                key,
                invite: false,
                bytes: writer.finish(),
                flow,
                server_name,
                user,
                may_stream: false, // It follows its INVITE.
            },
        );
    }

    /// Forgets a request of ours whose answer is not waited for any more.
    pub(in crate::sip) fn abandon(&mut self, key: Key) {
        if let Some(entry) = self.clients.get_mut(&key)
            && let ClientMachine::Invite(machine) = &mut entry.machine
        {
            machine.abandon();
            self.drain_client(key);
        }
    }

    /// Fails all that waits for an answer by this way.
    pub(super) fn break_way(&mut self, now: Instant, way: Way) {
        let range = (way, Key::FIRST)..=(way, Key::LAST);
        let keys: Vec<Key> = self.ways.range(range).map(|(_, key)| *key).collect();
        for key in keys {
            let Some(entry) = self.clients.get_mut(&key) else {
                continue;
            };
            if entry.fallback.is_some() {
                self.fall_back(now, key);
                continue;
            }
            match &mut entry.machine {
                ClientMachine::Invite(machine) => machine.handle_transport_error(now),
                ClientMachine::Other(machine) => machine.handle_transport_error(now),
            }
            self.drain_client(key);
        }
    }

    /// Does what is due in one transaction.
    pub(super) fn server_due(&mut self, now: Instant, key: Key) {
        let Some(entry) = self.servers.get_mut(&key) else {
            return;
        };
        match &mut entry.machine {
            ServerMachine::Invite(machine) => machine.handle_timeout(now),
            ServerMachine::Other(machine) => machine.handle_timeout(now),
        }
        self.drain_server(key);
    }

    /// Does what is due in one transaction.
    pub(super) fn client_due(&mut self, now: Instant, key: Key) {
        let Some(entry) = self.clients.get_mut(&key) else {
            return;
        };
        if entry.fallback.as_ref().is_some_and(|it| it.at <= now) {
            return self.fall_back(now, key);
        }
        match &mut entry.machine {
            ClientMachine::Invite(machine) => machine.handle_timeout(now),
            ClientMachine::Other(machine) => machine.handle_timeout(now),
        }
        self.drain_client(key);
    }

    /// Takes what a machine wants, moves its deadline, and forgets it when it ended.
    fn drain_server(&mut self, key: Key) {
        let Some(entry) = self.servers.get_mut(&key) else {
            return;
        };
        loop {
            let wish = match &mut entry.machine {
                ServerMachine::Invite(machine) => machine.poll_output(),
                ServerMachine::Other(machine) => machine.poll_output(),
            };
            match wish {
                None => break,
                Some(Wish::Transmit(bytes)) => {
                    let flow = entry.flow;
                    if let Some(call) = entry.call().filter(|_| self.config.trace) {
                        let message = Traced::Message {
                            call,
                            way: TracedWay::Sent,
                            flow,
                            bytes: bytes.clone(),
                        };
                        self.outputs.push_back(Output::Traced(message));
                    }
                    self.outputs.push_back(Output::Transmit {
                        flow,
                        server_name: None,
                        bytes,
                    });
                }
                Some(Wish::Failed(failure)) => {
                    self.failures.push_back((key, entry.user, failure));
                }
            }
        }
        let (next, ended) = match &entry.machine {
            ServerMachine::Invite(machine) => (machine.poll_timeout(), machine.is_terminated()),
            ServerMachine::Other(machine) => (machine.poll_timeout(), machine.is_terminated()),
        };
        self.deadlines
            .set(Owner::Server(key), &mut entry.armed, next);
        if ended
            && let Some(entry) = self.servers.remove(&key)
            && let Some(merged) = entry.merged
        {
            self.merged.remove(&merged);
        }
    }

    fn drain_client(&mut self, key: Key) {
        let Some(entry) = self.clients.get_mut(&key) else {
            return;
        };
        loop {
            let wish = match &mut entry.machine {
                ClientMachine::Invite(machine) => machine.poll_output(),
                ClientMachine::Other(machine) => machine.poll_output(),
            };
            match wish {
                None => break,
                Some(Wish::Transmit(bytes)) => {
                    let flow = entry.flow;
                    if let Some(call) = entry.call().filter(|_| self.config.trace) {
                        let message = Traced::Message {
                            call,
                            way: TracedWay::Sent,
                            flow,
                            bytes: bytes.clone(),
                        };
                        self.outputs.push_back(Output::Traced(message));
                    }
                    self.outputs.push_back(Output::Transmit {
                        flow,
                        server_name: entry.server_name.clone(),
                        bytes,
                    });
                }
                Some(Wish::Failed(failure)) => {
                    self.failures.push_back((key, entry.user, failure));
                }
            }
        }
        let (next, ended) = match &entry.machine {
            ClientMachine::Invite(machine) => (machine.poll_timeout(), machine.is_terminated()),
            ClientMachine::Other(machine) => (machine.poll_timeout(), machine.is_terminated()),
        };
        let fallback = entry.fallback.as_ref().map(|fallback| fallback.at);
        let next = [next, fallback].into_iter().flatten().min();
        self.deadlines
            .set(Owner::Client(key), &mut entry.armed, next);
        if ended && let Some(entry) = self.clients.remove(&key) {
            self.ways.remove(&(Way::of(&entry.flow), key));
        }
    }
}

/// An ACK to a 3xx-6xx, or a CANCEL, made from the INVITE that it belongs to (RFC 3261 sections
/// 17.1.1.3 and 9.1): the same Request-URI, top Via, route, From, Call-ID and number.
fn derived(invite: Option<Bytes>, method: &Method, to: Option<&[u8]>) -> Option<Bytes> {
    let invite = read(invite?)?;
    Some(begin_derived(&invite, method, to).finish())
}

fn begin_derived(invite: &Message, method: &Method, to: Option<&[u8]>) -> Writer {
    let number = invite.cseq().map_or(0, |cseq| cseq.number);
    Writer::request(method, invite.request_uri_bytes())
        .copy(invite, Name::Via)
        .header(Name::MaxForwards, MAX_FORWARDS)
        .copy(invite, Name::Route)
        .copy(invite, Name::From)
        .header(Name::To, to.unwrap_or_default())
        .copy(invite, Name::CallId)
        .header_display(Name::CSeq, format_args!("{number} {method}"))
}

/// Reads a message of our own.
fn read(bytes: Bytes) -> Option<Message> {
    match parse(bytes) {
        Ok(Parsed::Message(message)) => Some(message),
        Ok(Parsed::Keepalive) | Err(_) => None,
    }
}

/// `bytes` with the first `old` replaced.
fn replaced(bytes: &[u8], old: &str, new: &str) -> Option<Bytes> {
    let at = memchr::memmem::find(bytes, old.as_bytes())?;
    Some(
        [&bytes[..at], new.as_bytes(), &bytes[at + old.len()..]]
            .concat()
            .into(),
    )
}

/// The largest request that goes in a datagram where the path is not known, in bytes (RFC 3261
/// section 18.1.1): a larger one may be cut on its way, and a firewall drops the pieces.
const DATAGRAM_MAX: usize = 1300;

/// How long a peer may be silent over a stream before it gets the datagram: one that drops what comes
/// by TCP would cost the whole 32 s of a transaction.
const STREAM_WAIT: Duration = Duration::from_secs(2);

/// How long a peer that was silent over a stream is not tried that way again.
const STREAM_REST: Duration = Duration::from_secs(600);

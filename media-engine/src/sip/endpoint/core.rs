//! What calls and everything else in an endpoint share: transactions, deadlines, outputs, chance.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::config::{EndpointConfig, Listener};
use super::deadlines::{Armed, Deadlines, Owner};
use super::output::{Output, Traced, TracedWay};
use super::transactions::{ClientEntry, ServerEntry, User};
use crate::sip::call::{CallEvent, Received};
use crate::sip::digest::Answerer;
use crate::sip::guard::recent::Recent;
use crate::sip::message::Message;
use crate::sip::transaction::Failure;
use crate::sip::transaction::key::{Key, KeyMap, Keys};
use crate::sip::write::Writer;
use crate::sip::{CallId, ConnectionId, Flow, Transport, TrunkId};

/// The hands of an endpoint. Whoever handles a message borrows it to act.
#[derive(Debug)]
pub(in crate::sip) struct Core {
    pub(in crate::sip) config: EndpointConfig,
    pub(in crate::sip) keys: Keys,
    pub(in crate::sip) random: StdRng,
    /// What answers the challenges of each carrier.
    pub(in crate::sip) answerers: BTreeMap<TrunkId, Answerer>,
    pub(super) servers: KeyMap<ServerEntry>,
    pub(super) clients: KeyMap<ClientEntry>,
    /// Requests outside dialogs by what their copies have in common (RFC 3261 section 8.2.2.2).
    pub(super) merged: KeyMap<Key>,
    /// Peers that were not heard over a stream when a request was too large for a datagram, and until
    /// when they are not tried again.
    pub(super) no_stream: Recent<SocketAddr, Instant>,
    /// Client transactions by where they sent to, for when a transport breaks.
    pub(super) ways: BTreeSet<(Way, Key)>,
    pub(super) deadlines: Deadlines,
    pub(super) outputs: VecDeque<Output>,
    /// Servers that did not answer, or have no room for a while.
    pub(in crate::sip) dead: Vec<(Flow, Option<Duration>)>,
    /// Transactions that failed, for their users to hear of.
    pub(super) failures: VecDeque<(Key, User, Failure)>,
}

/// Where messages go, as far as they share one fate when a transport breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Connection(ConnectionId),
    Address(Transport, SocketAddr),
}

impl Way {
    pub(super) fn of(flow: &Flow) -> Self {
        match flow.connection {
            Some(connection) => Self::Connection(connection),
            None => Self::Address(flow.transport, flow.remote),
        }
    }
}

impl Core {
    pub(super) fn new(config: EndpointConfig, seed: [u8; 32]) -> Self {
        let mut random = StdRng::from_seed(seed);
        Self {
            config,
            keys: Keys::new(&mut random),
            random,
            answerers: BTreeMap::new(),
            servers: KeyMap::default(),
            clients: KeyMap::default(),
            merged: KeyMap::default(),
            no_stream: Recent::new(NO_STREAM_MAX),
            ways: BTreeSet::new(),
            deadlines: Deadlines::default(),
            outputs: VecDeque::new(),
            dead: Vec::new(),
            failures: VecDeque::new(),
        }
    }

    /// A word that nobody can guess or draws twice: for tags and branches (RFC 3261 section 19.3
    /// asks for 32 bits of chance at least; these are 64).
    pub(in crate::sip) fn word(&mut self) -> String {
        format!("{:016x}", self.random.random::<u64>())
    }

    /// A seed for a machine of its own chance, as good as ours.
    pub(super) fn seed(&mut self) -> [u8; 32] {
        self.random.random()
    }

    /// The To tag of a response that is given without keeping anything.
    pub(in crate::sip) fn stateless_tag(&self, request: &Message) -> Vec<u8> {
        format!("{:016x}", self.keys.stateless_tag(request)).into_bytes()
    }

    /// Answers an INVITE with 100, so that it is not sent again while we think (RFC 3261 section
    /// 17.2.1).
    pub(in crate::sip) fn try_at_once(&mut self, now: Instant, invite: &Received) {
        let remote = invite.flow.remote;
        let response = Writer::response_to(&invite.message, 100, None, remote).finish();
        self.respond(now, invite.key, 100, response);
    }

    /// A number by chance.
    pub(in crate::sip) fn chance(&mut self, range: std::ops::RangeInclusive<u32>) -> u32 {
        self.random.random_range(range)
    }

    /// Tells the user of a call.
    pub(in crate::sip) fn tell(&mut self, event: CallEvent) {
        self.outputs.push_back(Output::Call(event));
    }

    /// Sends bytes that no transaction repeats.
    pub(in crate::sip) fn transmit(&mut self, flow: Flow, bytes: Bytes) {
        self.outputs.push_back(Output::Transmit {
            flow,
            server_name: None,
            bytes,
        });
    }

    /// Tells a message of a call, where that is wanted.
    pub(in crate::sip) fn trace(
        &mut self,
        call: CallId,
        way: TracedWay,
        flow: Flow,
        bytes: &Bytes,
    ) {
        if self.config.trace {
            let bytes = bytes.clone();
            let message = Traced::Message {
                call,
                way,
                flow,
                bytes,
            };
            self.outputs.push_back(Output::Traced(message));
        }
    }

    /// Tells a request that came, where its transaction is a call's.
    pub(super) fn trace_request(&mut self, key: Key, flow: Flow, request: &Message) {
        if self.config.trace
            && let Some(call) = self.servers.get(&key).and_then(ServerEntry::call)
        {
            self.trace(call, TracedWay::Received, flow, request.as_bytes());
        }
    }

    /// Tells a response that came, where its request is a call's.
    pub(super) fn trace_response(&mut self, key: Key, flow: Flow, response: &Message) {
        if self.config.trace
            && let Some(call) = self.clients.get(&key).and_then(ClientEntry::call)
        {
            self.trace(call, TracedWay::Received, flow, response.as_bytes());
        }
    }

    /// Moves the deadline of a call.
    pub(in crate::sip) fn arm_call(
        &mut self,
        call: CallId,
        armed: &mut Armed,
        next: Option<Instant>,
    ) {
        self.deadlines.set(Owner::Call(call), armed, next);
    }

    /// The listener that a flow belongs to: the one at its local address, else one that speaks the
    /// same transport in the same address family, so that Contact and Via say what peers can reach.
    pub(in crate::sip) fn listener(&self, flow: &Flow) -> Option<&Listener> {
        let all = &self.config.listeners;
        let same = |listener: &&Listener| listener.transport == flow.transport;
        let exact = all
            .iter()
            .find(|listener| same(listener) && listener.local == flow.local);
        let family = || {
            all.iter()
                .find(|listener| same(listener) && listener.local.is_ipv4() == flow.local.is_ipv4())
        };
        exact.or_else(family)
    }

    /// Host and port that peers reach us by on this flow, as they stand in Via and Contact.
    pub(in crate::sip) fn public_address(&self, flow: &Flow) -> String {
        match self.listener(flow) {
            Some(listener) => format!("{}:{}", listener.public_host, listener.public_port),
            None => flow.local.to_string(),
        }
    }
}

/// Peers that are remembered for taking datagrams alone: more than any system has carriers.
const NO_STREAM_MAX: usize = 1024;

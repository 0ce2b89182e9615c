//! Everything SIP under one owner: transactions, dialogs, calls, admission, registration.
//!
//! ```text
//!  handle_message ─▶ parse ─▶ transactions ─▶ dialogs ──────────────────────▶ call ─▶ CallEvent
//!                                  └─ new ─▶ guard ─▶ admit: trunk, device ─▶ call
//!  commands (dial, answer, …) ─▶ call ─▶ transactions ─▶ Output::Transmit
//! ```
//!
//! One task of the shell owns an endpoint. After each call of a method it takes all outputs, then
//! sleeps until [`Endpoint::poll_timeout`] or the next message.
//!
//! Invariants: what is refused before a call begins leaves nothing behind, so a flood costs time
//! and no memory; each map entry has a deadline or belongs to a call; a call that is over has no
//! entry and no deadline.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

mod admit;
mod config;
mod core;
mod deadlines;
mod devices;
mod dial;
mod output;
mod pings;
mod receive;
mod transactions;
mod upkeep;

#[cfg(test)]
mod tests;

pub use config::{EndpointConfig, Limits, Listener};
pub use output::{Output, Traced, TracedWay};

pub(in crate::sip) use core::Core;
pub(in crate::sip) use receive::abilities;
pub(in crate::sip) use transactions::{Outgoing, User};

use super::call::{Call, Cause, Misuse, ReferTo, Scene};
use super::digest::{Answerer, Challenger};
use super::guard::Guard;
use super::headers::Name;
use super::registrar::{Account, Registrar};
use super::resolve::{Families, ResolutionId, Resolver};
use super::transaction::key::KeyMap;
use super::trunk::{Trunk, Trunks};
use super::uri::Uri;
use super::{CallId, ConnectionId, Flow};
use core::Way;
use deadlines::{Armed, Owner};
use pings::Pinged;
use rand::Rng as _;
use upkeep::{Kept, Seeker};

/// The SIP side of a whole system.
pub struct Endpoint {
    core: Core,
    guard: Guard,
    challenger: Challenger,
    registrar: Registrar,
    registrar_armed: Armed,
    resolver: Resolver,
    resolver_armed: Armed,
    /// Who waits for a look-up.
    seekers: BTreeMap<ResolutionId, Seeker>,
    trunks: Trunks,
    registrations: BTreeMap<u32, Kept>,
    last_registration: u32,
    pings: BTreeMap<u32, Pinged>,
    last_ping: u32,
    calls: HashMap<CallId, Call>,
    /// Calls by what requests within their dialogs carry.
    dialogs: KeyMap<CallId>,
    /// Calls by the stream connection to their peer.
    connected: BTreeSet<(ConnectionId, CallId)>,
    /// Inbound calls that are not answered, by the address they came from.
    early: BTreeMap<IpAddr, usize>,
    last_call: u64,
}

impl fmt::Debug for Endpoint {
    /// How much there is of everything; what it is would fill a log and hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("calls", &self.calls.len())
            .field("transactions", &self.transactions())
            .field("deadlines", &self.deadlines())
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Creates an endpoint that knows nobody. `seed` is where all its chance comes from: tags,
    /// branches, Call-IDs, nonces and the keys of its maps come from a generator for ciphers, and are
    /// as unpredictable as these 256 bits.
    pub fn new(now: Instant, config: EndpointConfig, seed: [u8; 32]) -> Self {
        let families = families(&config.listeners);
        let domain = config.domain.clone();
        let mut core = Core::new(config, seed);
        let nonce_key = core.random.random();
        Self {
            guard: Guard::new(now, super::guard::Limits::default()),
            challenger: Challenger::new(now, &domain, nonce_key),
            registrar: Registrar::new(super::registrar::Limits::default()),
            registrar_armed: None,
            resolver: Resolver::new(families, core.random.random()),
            resolver_armed: None,
            seekers: BTreeMap::new(),
            trunks: Trunks::default(),
            registrations: BTreeMap::new(),
            last_registration: 0,
            pings: BTreeMap::new(),
            last_ping: 0,
            core,
            calls: HashMap::new(),
            dialogs: KeyMap::default(),
            connected: BTreeSet::new(),
            early: BTreeMap::new(),
            last_call: 0,
        }
    }

    /// Takes all trunks anew. Calls that are up stay up.
    pub fn set_trunks(&mut self, now: Instant, trunks: Vec<Trunk>) {
        let mut before = std::mem::take(&mut self.core.answerers);
        for trunk in &trunks {
            let Some(credentials) = trunk.credentials.clone() else {
                continue;
            };
            // What a carrier asked for stays good while we are the same to it.
            let is_same = self.trunks.find(&trunk.id).is_some_and(|old| {
                old.credentials == trunk.credentials && old.addresses == trunk.addresses
            });
            let known = before.remove(&trunk.id).filter(|_| is_same);
            let networks = trunk.addresses.iter().map(|address| address.network);
            let answerer = known.unwrap_or_else(|| Answerer::new(credentials, networks.collect()));
            self.core.answerers.insert(trunk.id.clone(), answerer);
        }
        self.set_registrations(now, &trunks);
        self.set_pings(now, &trunks);
        self.trunks.set(now, trunks);
        self.settle(now);
    }

    /// Takes all devices' accounts anew. Devices stay registered unless their account is gone or
    /// has another password.
    pub fn set_accounts(&mut self, now: Instant, accounts: Vec<Account>) {
        self.registrar.set_accounts(accounts);
        self.settle(now);
    }

    /// Who is registered, and where; for whoever wants to show it.
    pub fn registrar(&self) -> &Registrar {
        &self.registrar
    }

    /// What was let through and what was not.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// The trunks, and how many calls each has.
    pub fn trunks(&self) -> &Trunks {
        &self.trunks
    }

    /// How many calls there are, those included whose last words are still repeated.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// Whether there is this call.
    pub fn is_up(&self, call: CallId) -> bool {
        self.calls.contains_key(&call)
    }

    /// How many transactions there are.
    pub fn transactions(&self) -> usize {
        self.core.transactions()
    }

    /// How many deadlines wait. None when nothing is going on.
    pub fn deadlines(&self) -> usize {
        self.core.deadlines.len()
    }

    /// Takes a datagram, or one message that framing cut from a stream.
    pub fn handle_message(&mut self, now: Instant, flow: Flow, bytes: Bytes) {
        self.receive(now, flow, bytes);
        self.settle(now);
    }

    /// A stream connection is gone: what waits for an answer over it fails.
    pub fn handle_connection_closed(&mut self, now: Instant, connection: ConnectionId) {
        self.core.break_way(now, Way::Connection(connection));
        self.registrar.handle_connection_closed(connection);
        let range = (connection, CallId(0))..=(connection, CallId(u64::MAX));
        let calls: Vec<CallId> = self.connected.range(range).map(|(_, call)| *call).collect();
        for call in calls {
            self.visit(now, call, None, |call, scene| {
                call.handle_connection_closed(scene.now);
            });
        }
        self.settle(now);
    }

    /// A message could not be sent by this flow.
    pub fn handle_transport_error(&mut self, now: Instant, flow: Flow) {
        self.core.break_way(now, Way::of(&flow));
        self.settle(now);
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        for _ in 0..DUE_MAX {
            let Some(owner) = self.core.deadlines.due(now) else {
                return;
            };
            match owner {
                Owner::Server(key) => self.core.server_due(now, key),
                Owner::Client(key) => self.core.client_due(now, key),
                Owner::Call(call) => {
                    self.visit(now, call, None, |call, scene| call.handle_timeout(scene));
                }
                Owner::Registrar => self.registrar.handle_timeout(now),
                Owner::Resolver => self.resolver.handle_timeout(now),
                Owner::Registration(number) => self.registration_due(now, number),
                Owner::Ping(number) => self.ping_due(now, number),
            }
            self.settle(now);
        }
    }

    /// When [`Self::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.core.deadlines.first()
    }

    /// What is to be done or heard next; ask until it is `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.core.outputs.pop_front()
    }

    /// Tells the caller that it rings (180).
    ///
    /// # Errors
    ///
    /// When the call is not inbound and unanswered; it may have ended meanwhile.
    pub fn ring(&mut self, now: Instant, call: CallId) -> Result<(), Misuse> {
        self.command(now, call, "ring", |call, scene| call.ring(scene))
    }

    /// Lets the caller hear something before the answer (183). `sdp` answers its offer; without an
    /// offer the 183 goes out alone.
    ///
    /// # Errors
    ///
    /// As [`Endpoint::ring`].
    pub fn early_media(&mut self, now: Instant, call: CallId, sdp: Bytes) -> Result<(), Misuse> {
        self.command(now, call, "early_media", |call, scene| {
            call.early_media(scene, sdp)
        })
    }

    /// Takes an inbound call (200). `sdp` answers the offer, or is our offer where there was none;
    /// after [`Endpoint::early_media`] it must be the same again.
    ///
    /// # Errors
    ///
    /// As [`Endpoint::ring`].
    pub fn answer(&mut self, now: Instant, call: CallId, sdp: Bytes) -> Result<(), Misuse> {
        self.command(now, call, "answer", |call, scene| call.answer(scene, sdp))
    }

    /// Refuses an inbound call with a status of 300 to 699.
    ///
    /// # Errors
    ///
    /// As [`Endpoint::ring`].
    pub fn reject(
        &mut self,
        now: Instant,
        call: CallId,
        status: u16,
        retry_after: Option<Duration>,
    ) -> Result<(), Misuse> {
        self.command(now, call, "reject", |call, scene| {
            call.reject(scene, status, retry_after)
        })
    }

    /// Answers an offer of the peer within a call; where it was empty, `sdp` is our offer.
    ///
    /// # Errors
    ///
    /// When there is no such offer; the peer may have taken it back, or hung up.
    pub fn accept_offer(&mut self, now: Instant, call: CallId, sdp: Bytes) -> Result<(), Misuse> {
        self.command(now, call, "accept_offer", |call, scene| {
            call.accept_offer(scene, sdp)
        })
    }

    /// Refuses an offer of the peer within a call, with a status of 400 to 699 (488 mostly).
    ///
    /// # Errors
    ///
    /// As [`Endpoint::accept_offer`].
    pub fn reject_offer(&mut self, now: Instant, call: CallId, status: u16) -> Result<(), Misuse> {
        self.command(now, call, "reject_offer", |call, scene| {
            call.reject_offer(scene, status)
        })
    }

    /// Changes the media of an answered call (re-INVITE). When the peer offers at the same moment,
    /// ours is sent again by itself a little later.
    ///
    /// # Errors
    ///
    /// When the call is not answered, or an offer is under way.
    pub fn offer(&mut self, now: Instant, call: CallId, sdp: Bytes) -> Result<(), Misuse> {
        self.command(now, call, "offer", |call, scene| call.offer(scene, sdp))
    }

    /// Ends a call, whatever it is doing; `Ended` follows at once.
    ///
    /// # Errors
    ///
    /// When there is no such call; it may have ended meanwhile.
    pub fn hang_up(&mut self, now: Instant, call: CallId, cause: Cause) -> Result<(), Misuse> {
        self.command(now, call, "hang_up", |call, scene| {
            call.hang_up(scene, cause);
            Ok(())
        })
    }

    /// Sends an INFO within an answered call.
    ///
    /// # Errors
    ///
    /// When the call is not answered.
    pub fn send_info(
        &mut self,
        now: Instant,
        call: CallId,
        content_type: &str,
        body: &[u8],
    ) -> Result<(), Misuse> {
        self.command(now, call, "send_info", |call, scene| {
            call.send_info(scene, content_type, body)
        })
    }

    /// Accepts the transfer that the peer asks for ([`CallEvent::Transfer`]): it hears that it is
    /// tried.
    ///
    /// # Errors
    ///
    /// When there is no such wish; the peer may have waited too long, or hung up.
    ///
    /// [`CallEvent::Transfer`]: super::call::CallEvent::Transfer
    pub fn accept_transfer(&mut self, now: Instant, call: CallId) -> Result<(), Misuse> {
        self.command(now, call, "accept_transfer", |call, scene| {
            call.accept_transfer(scene)
        })
    }

    /// Refuses the transfer that the peer asks for, with a status of 300 to 699 (603 mostly).
    ///
    /// # Errors
    ///
    /// As [`Endpoint::accept_transfer`].
    pub fn refuse_transfer(
        &mut self,
        now: Instant,
        call: CallId,
        status: u16,
    ) -> Result<(), Misuse> {
        self.command(now, call, "refuse_transfer", |call, scene| {
            call.refuse_transfer(scene, status)
        })
    }

    /// Tells the peer how an accepted transfer goes, by the status that the call to the target has
    /// got. With 200 or more all is said.
    ///
    /// # Errors
    ///
    /// When no transfer was accepted, or its end was told.
    pub fn report_transfer(
        &mut self,
        now: Instant,
        call: CallId,
        status: u16,
    ) -> Result<(), Misuse> {
        self.command(now, call, "report_transfer", |call, scene| {
            call.report_transfer(scene, status)
        })
    }

    /// Asks the peer of an answered call to call somebody else (REFER). What comes of it is told by
    /// [`CallEvent::TransferProgress`]; the call itself goes on until somebody hangs it up.
    /// `referred_by` is the SIP URI of whoever wants it.
    ///
    /// # Errors
    ///
    /// When one of the calls is not answered, the target is no SIP URI, or a transfer is under way.
    ///
    /// [`CallEvent::TransferProgress`]: super::call::CallEvent::TransferProgress
    pub fn refer(
        &mut self,
        now: Instant,
        call: CallId,
        to: &ReferTo,
        referred_by: Option<&str>,
    ) -> Result<(), Misuse> {
        let command = "refer";
        let to = match to {
            ReferTo::Call(other) => self.calls.get(other).and_then(Call::refer_to),
            ReferTo::Uri(uri) => {
                let uri = uri.parse::<Uri>().ok();
                uri.map(|uri| format!("<{uri}>"))
            }
        };
        let to = to.ok_or(Misuse {
            command,
            state: "there is nobody to be called by that",
        })?;
        let mut headers = vec![(Name::ReferTo, to)];
        headers.extend(referred_by.map(|uri| (Name::ReferredBy, format!("<{uri}>"))));
        self.command(now, call, command, |call, scene| call.refer(scene, headers))
    }

    fn command(
        &mut self,
        now: Instant,
        call: CallId,
        command: &'static str,
        act: impl FnOnce(&mut Call, &mut Scene<'_>) -> Result<(), Misuse>,
    ) -> Result<(), Misuse> {
        let done = self.visit(now, call, None, act);
        self.settle(now);
        done.unwrap_or(Err(Misuse {
            command,
            state: "there is no such call",
        }))
    }

    /// Lets one call act, and keeps the books: its deadline, its place among the early ones, its
    /// end.
    fn visit<T>(
        &mut self,
        now: Instant,
        id: CallId,
        source: Option<IpAddr>,
        act: impl FnOnce(&mut Call, &mut Scene<'_>) -> T,
    ) -> Option<T> {
        let call = self.calls.get_mut(&id)?;
        let mut scene = Scene {
            core: &mut self.core,
            now,
            call: id,
            source,
        };
        let done = act(call, &mut scene);
        let next = call.poll_timeout();
        self.core.arm_call(id, &mut call.armed, next);
        if !call.is_early()
            && let Some(source) = call.early_source.take()
        {
            release(&mut self.early, source);
        }
        let connection = call.peer.flow.connection;
        if call.connection != connection {
            if let Some(before) = call.connection {
                self.connected.remove(&(before, id));
            }
            if let Some(connection) = connection {
                self.connected.insert((connection, id));
            }
            call.connection = connection;
        }
        if call.is_over() {
            self.forget(id);
        }
        Some(done)
    }

    fn forget(&mut self, id: CallId) {
        let Some(call) = self.calls.remove(&id) else {
            return;
        };
        if self.core.config.trace {
            self.core
                .outputs
                .push_back(Output::Traced(Traced::Over(id)));
        }
        self.dialogs.remove(&call.dialog);
        if let Some(connection) = call.connection {
            self.connected.remove(&(connection, id));
        }
        if let Some(trunk) = &call.peer.trunk {
            self.trunks.end_call(trunk);
        }
    }

    /// Passes on what one machine has to say to another, until all are silent.
    fn settle(&mut self, now: Instant) {
        self.settle_registrar();
        loop {
            self.settle_resolver(now);
            for (flow, wait) in std::mem::take(&mut self.core.dead) {
                self.resolver
                    .mark_dead(now, flow.transport, flow.remote, wait);
            }
            let Some((key, user, failure)) = self.core.failures.pop_front() else {
                break;
            };
            match user {
                User::Call(call) => {
                    self.visit(now, call, None, |call, scene| {
                        call.handle_failure(scene, key, failure);
                    });
                }
                User::Registration { number, sequence } => {
                    self.registration_unanswered(now, number, sequence);
                }
                User::Ping { number, question } => self.ping_unanswered(now, number, question),
                User::Aside(_) | User::Nobody => {}
            }
        }
        while let Some(audit) = self.guard.poll_output() {
            self.core.outputs.push_back(Output::Security(audit));
        }
    }
}

/// The kinds of addresses that we listen on, and so can send from.
fn families(listeners: &[Listener]) -> Families {
    let has = |is_ipv4| {
        let mut all = listeners.iter();
        all.any(|listener| listener.local.is_ipv4() == is_ipv4)
    };
    match (has(true), has(false)) {
        (true, true) => Families::V4First,
        (false, true) => Families::V6,
        (true | false, false) => Families::V4,
    }
}

/// How much is done in one visit, so that messages are not kept waiting behind it; the deadlines
/// that are left are due at once.
const DUE_MAX: usize = 10_000;

fn release(early: &mut BTreeMap<IpAddr, usize>, source: IpAddr) {
    if let std::collections::btree_map::Entry::Occupied(mut entry) = early.entry(source) {
        *entry.get_mut() = entry.get().saturating_sub(1);
        if *entry.get() == 0 {
            entry.remove();
        }
    }
}

//! What calls mean: who is called, what they hear, where they wait, what is remembered.
//!
//! ```text
//!  came in ─▶ Opening ─▶ Answering ─▶ Flow ◀──────▶ Handled ─▶ HangingUp ─▶ Closing ─▶ (gone)
//!             record      200 sent    prompts, the   an agent    BYE sent     SIP is over,
//!  placed ──▶ durable,                line of a      or guest                 media have their
//!             port open ─▶ Calling ───── service ──────▲                      last word
//! ```
//!
//! A `Call` is one interaction; each of its SIP legs is a `Line`, and `Talk` says who hears whom.
//!
//! [`Voice`] has the shape of every machine here: `handle_*` for what happened, `poll_timeout`,
//! `poll_output`. A call is answered only when its record is durable. The call ends exactly once in
//! the record, whatever ends first: the SIP dialog, the flow or the media. No stage lasts for ever:
//! each has a deadline of its own, whoever else fails to keep theirs.

mod admission;
mod bot;
mod call;
mod callback;
mod carriers;
mod control;
mod counted;
mod desks;
mod ending;
mod facts;
mod flow;
mod handing;
mod kept;
mod left;
mod life;
mod line;
mod lines;
mod live;
mod output;
mod outside;
mod people;
mod presence;
mod record;
mod talk;
mod tellings;
#[cfg(test)]
mod tests;
mod texting;
mod visitor;
mod waiting;
mod work;
mod written;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::id::{CompanyId, InstanceId, ServiceId};
use desk::record::Quality;
use desk::work::Customer;
use ivr::Now;
use ivr::machine::{FetchFailure, Fetched, Ticket};
use media_engine::codec::Codec;
use media_engine::dtmf::Key;
use media_engine::dtmf::pair::Way;
use media_engine::leg::{LegId, PlayId};
use media_engine::sip::CallId;
use media_engine::sip::call::CallEvent;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::directory::Directory;
use crate::outbound::Usage;

pub use bot::HandOver;
use call::Call;
pub use call::{CallOrder, Destination, KEYS_MAX, NOTE_LENGTH_MAX, OrderError, Tape};
pub use control::{CallSeen, PartySeen};
use desks::Desks;
use ending::Ending;
use facts::Origin;
pub use handing::{AgentTarget, ServiceTarget, Targets};
use life::Lives;
use line::Line;
use live::Live;
pub use live::{LiveEvent, LiveSnapshot, OfferSeen, QueueSeen, Today};
pub use output::{MediaCommand, Output, Recording, SipCommand, Toward};
pub use people::{AgentSeen, WaitingSeen, Wish};
pub use talk::Attention;
pub use visitor::{WrittenSeen, WrittenStanding};
pub use work::WorkSeen;
pub use written::{Holder, Written};

/// What the voice side is told about the place it runs in.
#[derive(Clone, Debug)]
pub struct VoiceConfig {
    /// Calls at once; the next one is answered 503. What the media threads can carry.
    pub calls_max: usize,
    /// The codecs we speak, the one we like best first.
    pub codecs: Vec<Codec>,
    /// How long a call may be without any RTP or RTCP before it counts as dead.
    pub inactivity: Duration,
    /// Which process this is, for the records.
    pub instance: Option<InstanceId>,
}

impl Default for VoiceConfig {
    fn default() -> Self {
        Self {
            calls_max: 4_000,
            // What carriers in Brazil deliver first; then what sounds better; then what is cheap
            // on the line and dear to us.
            codecs: vec![
                Codec::Pcma,
                Codec::Pcmu,
                Codec::G722,
                Codec::Opus,
                Codec::G729,
            ],
            // A caller may be silent with silence suppression for long; RTCP still comes.
            inactivity: Duration::from_secs(60),
            instance: None,
        }
    }
}

/// A call, with all its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey(pub u64);

/// The owner of what calls mean.
#[derive(Debug)]
pub struct Voice {
    calls: BTreeMap<CallKey, Call>,
    shared: Shared,
}

/// What all calls share, apart from the calls themselves, so that one call can be changed while
/// it speaks to the rest.
#[derive(Debug)]
struct Shared {
    config: VoiceConfig,
    directory: Arc<Directory>,
    desks: Desks,
    /// The automatic lives of written interactions.
    lives: Lives,
    random: StdRng,
    /// The lines of all calls, by the leg that carries their media.
    lines: BTreeMap<LegId, Line>,
    /// The line of each SIP call.
    sips: BTreeMap<CallId, LegId>,
    /// The calls that leave by carriers, and what they cost.
    usage: Usage,
    next_leg: u64,
    next_call: u64,
    /// The legs of those who are off the line, until their media say so.
    parting: BTreeMap<LegId, CallKey>,
    /// Messages of calls that are over, until they are put away.
    late: BTreeMap<(LegId, Ticket), (Option<ServiceId>, Origin)>,
    /// The deadline of each call that has one.
    deadlines: BTreeSet<(Instant, CallKey)>,
    /// What is to be told to those who watch.
    live: Live,
    /// Whether new calls are turned away because the process is about to end.
    closing: bool,
    outputs: VecDeque<Output>,
}

impl Voice {
    /// Nobody calls yet. `seed` is for ids and media keys: 32 bytes that
    /// nobody can guess.
    pub fn new(config: VoiceConfig, directory: Arc<Directory>, seed: [u8; 32]) -> Self {
        Self {
            calls: BTreeMap::new(),
            shared: Shared {
                config,
                directory,
                desks: Desks::default(),
                lives: Lives::default(),
                random: StdRng::from_seed(seed),
                lines: BTreeMap::new(),
                sips: BTreeMap::new(),
                usage: Usage::default(),
                next_leg: 1,
                next_call: 1,
                parting: BTreeMap::new(),
                late: BTreeMap::new(),
                deadlines: BTreeSet::new(),
                live: Live::default(),
                closing: false,
                outputs: VecDeque::new(),
            },
        }
    }

    /// Calls that are not over, but for those whose customers are to be called back.
    pub fn calls(&self) -> usize {
        let calls = self.calls.values();
        calls.filter(|call| !call.is_resting()).count()
    }

    /// Legs that calls hold.
    pub fn legs(&self) -> usize {
        self.shared.lines.len() + self.shared.parting.len()
    }

    /// Callers who wait for a service.
    pub fn waiting(&self) -> usize {
        self.calls.values().filter(|call| call.is_waiting()).count()
    }

    /// From here on new calls begin with this directory; calls that run keep theirs. The desks take
    /// its rules at once, without losing a place or an offer.
    pub fn set_directory(&mut self, now: Now, directory: Arc<Directory>) {
        self.shared.directory = directory;
        self.renew_desks(now);
        self.shared.renew_lives(now);
        self.attend(now);
    }

    /// The country calling code of a company's numbers without one.
    pub fn country_of(&self, company: &CompanyId) -> String {
        let known = self.shared.directory.companies.get(company);
        known.map_or_else(String::new, |company| company.country_code.clone())
    }

    /// New calls are refused with 503 from here on; calls that run go on.
    pub fn close(&mut self) {
        self.shared.closing = true;
    }

    /// Ends every call.
    pub fn hang_up_all(&mut self, now: Now) {
        self.close();
        let calls: Vec<CallKey> = self.calls.keys().copied().collect();
        for call in calls {
            self.with(now, call, |call, shared| {
                call.give_up(now, "shut_down", shared)
            });
        }
        self.attend(now);
    }

    /// Something happened to a SIP call.
    pub fn handle_call(&mut self, now: Now, event: CallEvent) {
        let id = call_of(&event);
        if let CallEvent::Incoming { call, invite } = event {
            // Nobody has a call that another may take over.
            if invite.replaces.is_some() {
                return self.shared.sip(SipCommand::Reject {
                    call,
                    status: 603,
                    retry_after: None,
                });
            }
            let begun = Call::begin(now, call, *invite, self.calls.len(), &mut self.shared);
            self.calls.extend(begun.map(|begun| (begun.key(), begun)));
        } else if let Some(leg) = self.shared.sips.get(&id).copied() {
            self.handle_line(now, leg, event);
        }
        self.attend(now);
    }

    /// The record of a new call is durable: its protocol number, and the customer where they are a
    /// contact of the company.
    pub fn handle_opened(
        &mut self,
        now: Now,
        call: CallKey,
        protocol: String,
        customer: Option<Customer>,
    ) {
        self.with(now, call, |call, shared| {
            call.handle_opened(now, protocol, customer, shared)
        });
    }

    /// The record of a new call could not be written: the call is refused.
    pub fn handle_not_opened(&mut self, now: Now, call: CallKey) {
        self.with(now, call, |call, shared| {
            call.handle_not_opened(now, shared)
        });
    }

    /// A key was pressed on this leg.
    pub fn handle_key(&mut self, now: Now, leg: LegId, key: Key) {
        self.press(now, leg, key, Way::Media);
        self.attend(now);
    }

    /// The party of this leg speaks another of the codecs agreed on.
    pub fn handle_codec(&mut self, now: Now, leg: LegId, codec: Codec) {
        if let Some(call) = self.call_at(leg) {
            self.with(now, call, |call, _| call.handle_codec(now, leg, codec));
        }
    }

    /// What this play had to say has been said, or cannot be.
    pub fn handle_played(&mut self, now: Now, leg: LegId, play: PlayId) {
        if let Some(call) = self.call_of_customer(leg) {
            self.with(now, call, |call, shared| {
                call.handle_played(now, play, shared)
            });
        }
        self.attend(now);
    }

    /// What [`MediaCommand::Record`] began under this ticket has ended and is on disk; nothing was
    /// kept where there is none.
    pub fn handle_recorded(
        &mut self,
        now: Now,
        leg: LegId,
        ticket: Ticket,
        recording: Option<Recording>,
    ) {
        let call = self.call_of_customer(leg);
        let call = call.or_else(|| self.shared.parting.get(&leg).copied());
        if let Some(call) = call.filter(|call| self.calls.contains_key(call)) {
            self.with(now, call, |call, shared| {
                call.handle_recorded(now, ticket, recording, shared)
            });
        } else if let Some((service, origin)) = self.shared.late.remove(&(leg, ticket))
            && let Some(recording) = recording
        {
            self.shared.keep(now, recording, service, origin);
        }
        self.attend(now);
    }

    /// The port of this leg is closed; this is how it sounded.
    pub fn handle_leg_closed(&mut self, now: Now, leg: LegId, quality: Option<Quality>) {
        if let Some(line) = self.shared.lines.get(&leg)
            && !self.is_customers(line.call, leg)
        {
            // We did not ask for it: its media died. Nobody hears anybody any more.
            let result = line.without_media();
            self.end_line(now, leg, result, Ending::ours("media_failed"));
            return self.attend(now);
        }
        let parting = self.shared.parting.remove(&leg);
        if let Some(call) = parting.or_else(|| self.call_at(leg)) {
            self.with(now, call, |call, shared| {
                call.handle_leg_closed(now, leg, quality, shared)
            });
        }
        self.attend(now);
    }

    /// The answer to [`Output::Fetch`].
    pub fn handle_fetched(
        &mut self,
        now: Now,
        call: CallKey,
        ticket: Ticket,
        answer: Result<Fetched, FetchFailure>,
    ) {
        self.with(now, call, |call, shared| {
            call.handle_fetched(now, ticket, answer, shared)
        });
        self.attend(now);
    }

    /// Time has come to [`Voice::poll_timeout`]. Firing early is harmless.
    pub fn handle_timeout(&mut self, now: Now) {
        self.handle_desk_timeout(now);
        self.handle_life_timeout(now);
        while let Some(&(due, call)) = self.shared.deadlines.first() {
            if due > now.instant {
                break;
            }
            self.shared.deadlines.pop_first();
            self.with(now, call, |call, shared| call.handle_timeout(now, shared));
        }
        self.attend(now);
    }

    /// When [`Voice::handle_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let call = self.shared.deadlines.first().map(|(due, _)| *due);
        let live = self.shared.live.poll_timeout();
        let life = self.shared.lives.poll_timeout();
        [call, live, life, self.shared.desks.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The next thing to be done, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.shared.outputs.pop_front()
    }

    /// The call that a leg is part of.
    fn call_at(&self, leg: LegId) -> Option<CallKey> {
        Some(self.shared.lines.get(&leg)?.call)
    }

    /// The call that a leg is the customer's of.
    fn call_of_customer(&self, leg: LegId) -> Option<CallKey> {
        self.call_at(leg)
            .filter(|call| self.is_customers(*call, leg))
    }

    fn is_customers(&self, call: CallKey, leg: LegId) -> bool {
        let call = self.calls.get(&call);
        call.is_some_and(|call| call.facts().leg == leg)
    }

    fn with(&mut self, now: Now, id: CallKey, change: impl FnOnce(&mut Call, &mut Shared)) {
        if let Some(call) = self.calls.get_mut(&id) {
            change(call, &mut self.shared);
            call.settle(now, &mut self.shared);
            if call.is_gone() {
                self.calls.remove(&id);
            }
            self.shared.live.mark_call(id);
        }
    }
}

fn call_of(event: &CallEvent) -> CallId {
    match event {
        CallEvent::Incoming { call, .. }
        | CallEvent::Ringing { call }
        | CallEvent::EarlyMedia { call, .. }
        | CallEvent::Answered { call, .. }
        | CallEvent::Confirmed { call, .. }
        | CallEvent::Offered { call, .. }
        | CallEvent::OfferAnswered { call, .. }
        | CallEvent::OfferRejected { call, .. }
        | CallEvent::Info { call, .. }
        | CallEvent::Transfer { call, .. }
        | CallEvent::TransferProgress { call, .. }
        | CallEvent::Ended { call, .. } => *call,
    }
}

//! The media thread: a tick of 2.5 ms, an eighth of the legs each tick, in one loop without a lock.
//! What is relayed passes on at every tick.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{
    Receiver as CommandReceiver, SyncSender, TryRecvError, TrySendError as SendError,
};
use std::time::{Duration, Instant};

use media_engine::codec::FRAME;
use media_engine::dtmf::Key;
use media_engine::leg::{
    DATAGRAM, Hearing, KeyPath, Leg, LegConfig, LegEvent, LegId, PlayId, Playlist,
};
use media_engine::rtp::srtp::Keys;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::browsers::Arrival;
use super::metrics::{self, ThreadMetrics};
use super::receive::Receiver;
use super::seat::{self, Seat, Source, Tools};
use super::tape::Tape;
use super::watch::Watch;
use super::{MediaEvent, News, SOURCES_MAX};
use crate::clock::{self, Stamps};
use crate::threads::{self, Tick, Ticker};

/// How many groups the legs are divided into; each is visited once in 20 ms.
const GROUPS: usize = 8;

/// The beat, and so the longest time that a relayed packet waits. Shorter ticks cost more wake-ups (400
/// a second are 0.2 % of a core), longer ones make that wait longer, and a group's last leg later.
pub(super) const TICK: Duration = Duration::from_micros(2_500);

/// A thread further behind than this leaves ticks out instead of sending in bursts: what is that
/// late no jitter buffer waits for.
const BEHIND_MAX: Duration = Duration::from_millis(100);

/// Commands taken in one tick; the rest in the next. A command costs about a microsecond.
const COMMANDS_PER_TICK: usize = 128;

/// Datagrams of browsers taken in one tick: more are not waiting, and a flood is cut here.
const ARRIVALS_PER_TICK: usize = 2_048;

/// Events kept back while the channel to the control plane is full. Beyond it they are lost and
/// counted: the control plane has then been stuck for seconds.
const EVENTS_KEPT: usize = 4096;

/// The load is measured over this many ticks: half a second.
const TICKS_PER_LOAD: u64 = 200;

/// A new leg goes to the group that is visited next unless that one has this many legs more than
/// the smallest: then balance matters more than the time until the first packet.
const IMBALANCE_MAX: usize = 32;

/// How long a leg that comes from another thread is waited for, which takes a tick: what takes longer
/// comes from a thread that hangs, and must not stop this one.
const HANDING_OVER_MAX: Duration = Duration::from_millis(200);

const _: () = assert!(TICK.as_micros() * GROUPS as u128 == FRAME.as_micros());

/// Something that is done with a leg.
type Way = fn(&mut Seat, Instant, &mut [Option<Box<Seat>>], &mut Tools, &ThreadMetrics);

/// A leg whose packets come more often than every 20 ms is attended to with every second one: ticks.
const ATTENDED_PAUSE: u64 = GROUPS as u64 - 2;

/// What the control plane asks of a thread.
pub(super) enum Command {
    Seat(Box<Seat>),
    Reconfigure(LegId, Box<LegConfig>),
    Play(LegId, PlayId, Playlist),
    Stop(LegId),
    Press(LegId, Key),
    Record(LegId, Tape),
    RecordCall(LegId, Tape),
    /// Whether it is silent from now on.
    PauseRecording(LegId, bool),
    StopRecording(LegId),
    /// All are on this thread.
    Hear(LegId, Vec<LegId>),
    /// Where the browser of a leg is; nowhere while it wants to hear nothing.
    Select(LegId, Option<SocketAddr>),
    /// The browser of a leg has proved itself.
    Secure(LegId, Box<Keys>),
    Close(LegId),
    /// The leg goes to the thread that waits for it there.
    Give(LegId, SyncSender<Box<Seat>>),
    /// A leg comes from another thread. No command is taken before it is here: it may be for it.
    Take(CommandReceiver<Box<Seat>>),
    /// End of the thread: every leg is closed.
    End,
}

/// What a thread is started with.
pub(super) struct Lines {
    pub(super) commands: CommandReceiver<Command>,
    /// What comes from browsers.
    pub(super) arrivals: CommandReceiver<Arrival>,
    pub(super) events: mpsc::Sender<MediaEvent>,
    /// Where seats go that are no longer visited: closing sockets and freeing memory is not for a
    /// media thread.
    pub(super) leaving: SyncSender<Box<Seat>>,
    pub(super) metrics: Arc<ThreadMetrics>,
}

pub(super) struct Worker {
    lines: Lines,
    /// Legs by place; a place keeps its number while it is taken.
    seats: Vec<Option<Box<Seat>>>,
    free: Vec<usize>,
    places: HashMap<LegId, usize>,
    groups: [Vec<usize>; GROUPS],
    next_group: usize,
    watch: Watch,
    /// Relayed packets that may yet be read in this round of the groups beyond one of each leg.
    relays_left: usize,
    /// The number of this tick.
    tick: u64,
    /// By place, in which tick a leg was attended to when something came for it: it needs no visit with
    /// its group then, nor is its memory brought into the cache for one.
    attended: Vec<u64>,
    tools: Tools,
    kept: VecDeque<MediaEvent>,
    /// A leg that another thread hands over, and until when it is waited for.
    awaited: Option<(CommandReceiver<Box<Seat>>, Instant)>,
    ended: bool,
}

/// Runs media thread `number` until it is told to end or its control plane is gone.
pub(super) fn run(lines: Lines, number: usize, legs_max: usize) -> std::io::Result<()> {
    let real_time = threads::run_in_real_time(number);
    lines.metrics.real_time.store(real_time, Relaxed);
    let mut ticker = Ticker::new(TICK)?;
    let mut worker = Worker::new(lines, legs_max, Watch::new()?);
    let mut load = Load::new();
    while !worker.ended {
        let tick = ticker.wait(BEHIND_MAX, GROUPS as u64);
        let woken = clock::now();
        worker.tick(&tick, woken);
        load.record(&tick, woken, &worker.lines.metrics);
    }
    Ok(())
}

impl Worker {
    fn new(lines: Lines, legs_max: usize, watch: Watch) -> Self {
        let group = || Vec::with_capacity(legs_max);
        Self {
            lines,
            seats: Vec::with_capacity(legs_max),
            free: Vec::with_capacity(legs_max),
            places: HashMap::with_capacity(legs_max),
            groups: std::array::from_fn(|_| group()),
            next_group: 0,
            watch,
            relays_left: 0,
            tick: 0,
            attended: Vec::with_capacity(legs_max),
            tools: Tools {
                receiver: Receiver::new(),
                stamps: Stamps::at(clock::now()),
                outgoing: Box::new([0; DATAGRAM]),
                extra_reads: 0,
            },
            kept: VecDeque::with_capacity(EVENTS_KEPT),
            awaited: None,
            ended: false,
        }
    }

    fn tick(&mut self, tick: &Tick, woken: Instant) {
        let metrics = Arc::clone(&self.lines.metrics);
        metrics::add(&metrics.missed_ticks, tick.missed);
        self.next_group = usize::try_from(tick.number % GROUPS as u64).unwrap_or(0);
        self.tick = tick.number;
        self.send_kept();
        self.take_commands(woken);
        self.take_arrivals(woken, &metrics);
        self.tools.stamps = Stamps::at(woken);
        self.relay(&metrics);
        self.tools.extra_reads = seat::extra_reads(self.groups[self.next_group].len());
        self.visit_group(tick.due, &metrics);
    }

    fn visit_group(&mut self, due: Instant, metrics: &ThreadMetrics) {
        let mut at = 0;
        while let Some(place) = self.groups[self.next_group].get(at).copied() {
            if self.since_attended(place) < GROUPS as u64 {
                at += 1;
                continue;
            }
            let now = clock::now();
            metrics.lateness.record(now.saturating_duration_since(due));
            if self.visit(place, now, metrics, Seat::visit_with_group) {
                at += 1;
            } else {
                self.leave(place, self.next_group, at, News::Failed, now);
            }
        }
    }

    /// Passes on what has come to the sockets that are watched, and attends to their legs if it is time.
    fn relay(&mut self, metrics: &ThreadMetrics) {
        if self.next_group == 0 {
            self.relays_left = seat::extra_reads(self.watch.watched());
        }
        let ready = self.watch.look();
        self.tools.extra_reads = self.relays_left;
        for at in 0..ready {
            let Some(place) = self.watch.ready(at) else {
                return;
            };
            let now = clock::now();
            let whole = if self.since_attended(place) >= ATTENDED_PAUSE {
                if let Some(attended) = self.attended.get_mut(place) {
                    *attended = self.tick;
                }
                self.visit(place, now, metrics, Seat::visit)
            } else if let Some(fewer) = self.tools.extra_reads.checked_sub(1) {
                self.tools.extra_reads = fewer;
                self.visit(place, now, metrics, Seat::pass_on)
            } else {
                true // a flood: more will come to it, and bring it back
            };
            if !whole {
                self.leave_group(place, News::Failed, now);
            }
        }
        self.relays_left = self.tools.extra_reads;
    }

    /// Ticks since a leg was attended to.
    fn since_attended(&self, place: usize) -> u64 {
        let attended = self.attended.get(place).copied();
        attended.map_or(u64::MAX, |attended| self.tick.wrapping_sub(attended))
    }

    /// Does something with one leg. A panic ends it and no other: then false comes back.
    fn guarded(
        &mut self,
        place: usize,
        metrics: &ThreadMetrics,
        order: impl FnOnce(&mut Seat, &mut [Option<Box<Seat>>], &mut Tools),
    ) -> bool {
        let Some(mut seat) = self.seats[place].take() else {
            return false;
        };
        let (tools, others) = (&mut self.tools, &mut self.seats);
        let whole = catch_unwind(AssertUnwindSafe(|| order(&mut seat, others, tools))).is_ok();
        self.seats[place] = Some(seat);
        metrics::add(&metrics.panics, u64::from(!whole));
        whole
    }

    /// Visits one leg in this way; false if it panicked.
    fn visit(&mut self, place: usize, now: Instant, metrics: &ThreadMetrics, way: Way) -> bool {
        if !self.guarded(place, metrics, |seat, others, tools| {
            way(seat, now, others, tools, metrics);
        }) {
            return false;
        }
        let Some(mut seat) = self.seats[place].take() else {
            return false;
        };
        let mut changed = false;
        while let Some(event) = seat.leg.poll_event() {
            changed |= matches!(event, LegEvent::CodecChanged { .. });
            pass_key_on(now, &event, &seat.hearers, &mut self.seats);
            let news = MediaEvent {
                leg: seat.id,
                news: News::Leg(event),
            };
            tell(&self.lines, &mut self.kept, news);
        }
        self.seats[place] = Some(seat);
        if changed {
            self.settle_around(place, now);
        }
        true
    }

    /// Takes what came from browsers since the last tick.
    fn take_arrivals(&mut self, now: Instant, metrics: &ThreadMetrics) {
        for _ in 0..ARRIVALS_PER_TICK {
            let Ok(mut arrival) = self.lines.arrivals.try_recv() else {
                return;
            };
            // A leg that has ended meanwhile hears nothing more.
            let Some(&place) = self.places.get(&arrival.leg) else {
                continue;
            };
            if !self.guarded(place, metrics, |seat, others, tools| {
                seat.take_arrival(now, &mut arrival, others, tools, metrics);
            }) {
                self.leave_group(place, News::Failed, now);
            }
        }
    }

    fn take_commands(&mut self, now: Instant) {
        for _ in 0..COMMANDS_PER_TICK {
            if self.is_awaiting(now) {
                return;
            }
            match self.lines.commands.try_recv() {
                Ok(command) => self.obey(command, now),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => return self.end(now),
            }
        }
    }

    fn obey(&mut self, command: Command, now: Instant) {
        match command {
            Command::Seat(seat) => self.sit(seat),
            Command::Reconfigure(leg, config) => {
                self.with(leg, |seat| seat.leg.reconfigure(now, *config));
                if let Some(&place) = self.places.get(&leg) {
                    self.settle_around(place, now);
                }
            }
            Command::Play(leg, play, list) => self.with(leg, |seat| seat.leg.play(now, play, list)),
            Command::Stop(leg) => self.with(leg, |seat| seat.leg.stop(now)),
            Command::Press(leg, key) => self.with(leg, |seat| {
                seat.leg.press(now, key);
            }),
            Command::Record(leg, tape) => self.with(leg, |seat| seat.tape = Some(tape)),
            Command::RecordCall(leg, tape) => self.with(leg, |seat| seat.call_tape = Some(tape)),
            Command::PauseRecording(leg, paused) => self.with(leg, |seat| {
                if let Some(tape) = &mut seat.call_tape {
                    tape.pause(paused);
                }
            }),
            Command::StopRecording(leg) => self.with(leg, |seat| {
                if seat.tape.take().is_none() {
                    seat.call_tape = None;
                }
            }),
            Command::Hear(leg, sources) => self.hear(leg, &sources, now),
            Command::Select(leg, address) => self.with(leg, |seat| seat.leg.select(now, address)),
            Command::Secure(leg, keys) => self.with(leg, |seat| seat.leg.secure(now, &keys)),
            Command::Close(leg) => self.close(leg, now),
            Command::Give(leg, taker) => self.give(leg, &taker, now),
            Command::Take(giver) => self.awaited = Some((giver, now + HANDING_OVER_MAX)),
            Command::End => self.end(now),
        }
    }

    /// Takes the leg that another thread hands over, if there is one; true while it has not come. One
    /// that has ended does not come.
    fn is_awaiting(&mut self, now: Instant) -> bool {
        let Some((giver, until)) = &self.awaited else {
            return false;
        };
        match giver.try_recv() {
            Ok(seat) => self.sit(seat),
            Err(TryRecvError::Empty) if now < *until => return true,
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => {}
        }
        self.awaited = None;
        false
    }

    /// Hands a leg to another thread; it hears nobody here any more, and nobody hears it.
    fn give(&mut self, leg: LegId, taker: &SyncSender<Box<Seat>>, now: Instant) {
        let seat = self.places.get(&leg).copied();
        let Some(seat) = seat.and_then(|place| self.unseat_from_group(place, now)) else {
            return;
        };
        // Nobody waits for it any more: it is lost.
        if let Err(SendError::Full(seat) | SendError::Disconnected(seat)) = taker.try_send(seat) {
            self.dismiss(seat, News::Failed);
        }
    }

    /// A command for a leg that has ended meanwhile is nothing: its end has been told.
    fn with(&mut self, leg: LegId, order: impl FnOnce(&mut Seat)) {
        let Some(seat) = self
            .places
            .get(&leg)
            .and_then(|place| self.seats[*place].as_deref_mut())
        else {
            return;
        };
        order(seat);
    }

    fn sit(&mut self, seat: Box<Seat>) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.seats.push(None);
            self.attended.push(0);
            self.seats.len() - 1
        });
        self.attended[place] = self.tick.wrapping_sub(GROUPS as u64); // its visit is due
        self.places.insert(seat.id, place);
        self.seats[place] = Some(seat);
        let group = self.group_for_new();
        self.groups[group].push(place);
        self.count_legs();
    }

    /// The group visited next (commands are taken just before it is), or the smallest.
    fn group_for_new(&self) -> usize {
        let smallest = (0..GROUPS)
            .min_by_key(|group| self.groups[*group].len())
            .unwrap_or(0);
        let next = self.next_group;
        if self.groups[next].len() > self.groups[smallest].len() + IMBALANCE_MAX {
            smallest
        } else {
            next
        }
    }

    /// Lets a leg hear these; of those it hears already it misses nothing.
    fn hear(&mut self, leg: LegId, sources: &[LegId], now: Instant) {
        let Some(&place) = self.places.get(&leg) else {
            return;
        };
        let before = self.take_sources(place);
        let mut after: Vec<Source> = Vec::with_capacity(sources.len());
        for source in sources {
            // A source that has ended meanwhile says nothing; its end has been told.
            let Some(&at) = self.places.get(source).filter(|at| **at != place) else {
                continue;
            };
            let Some(seat) = self.seats[at].as_deref_mut() else {
                continue;
            };
            if seat.hearers.contains(&place) {
                continue; // named twice
            }
            seat.hearers.push(place);
            let kept = before.iter().find(|one| one.place == at);
            let heard = kept.map_or_else(|| seat.leg.cursor(), |kept| kept.heard);
            let place = at;
            after.push(Source { place, heard });
        }
        if let Some(seat) = self.seats[place].as_deref_mut() {
            seat.sources = after;
        }
        self.settle_listener(place, now);
        for source in before {
            self.settle_wanted(source.place, now);
        }
    }

    /// Takes the sources of a leg away from it.
    fn take_sources(&mut self, place: usize) -> Vec<Source> {
        let sources = self.seats[place].as_deref_mut();
        let sources = sources.map_or_else(Vec::new, |seat| std::mem::take(&mut seat.sources));
        for source in &sources {
            if let Some(seat) = self.seats[source.place].as_deref_mut() {
                seat.hearers.retain(|hearer| *hearer != place);
            }
        }
        sources
    }

    /// What a leg speaks has changed: settles how it hears, and how it is heard.
    fn settle_around(&mut self, place: usize, now: Instant) {
        self.settle_listener(place, now);
        let hearers = self.seats[place].as_deref();
        for hearer in hearers.map_or_else(Vec::new, |seat| seat.hearers.clone()) {
            self.settle_listener(hearer, now);
        }
    }

    /// Settles how a leg hears its sources, and what these are to say for it.
    fn settle_listener(&mut self, place: usize, now: Instant) {
        self.settle_hearing(place, now);
        for at in 0..SOURCES_MAX {
            let seat = self.seats[place].as_deref();
            let Some(source) = seat.and_then(|seat| seat.sources.get(at)) else {
                return;
            };
            self.settle_wanted(source.place, now);
        }
    }

    /// Tells a leg how it hears its sources.
    fn settle_hearing(&mut self, place: usize, now: Instant) {
        let Some(mut seat) = self.seats[place].take() else {
            return;
        };
        let legs = seat
            .sources
            .iter()
            .filter_map(|source| self.leg(source.place));
        let hearing = Hearing::of(&seat.leg, legs);
        seat.leg.hear(now, hearing);
        self.seats[place] = Some(seat);
    }

    /// Tells a leg what its hearers want of it.
    fn settle_wanted(&mut self, place: usize, now: Instant) {
        let Some(mut seat) = self.seats[place].take() else {
            return;
        };
        let hearers = || {
            seat.hearers
                .iter()
                .filter_map(|at| self.seats[*at].as_deref())
        };
        let wanted = hearers().map(|hearer| hearer.leg.wants()).max();
        let relayed = hearers().any(|hearer| hearer.leg.hearing() == Hearing::Relay);
        seat.leg.be_heard(now, wanted.unwrap_or_default());
        seat.watch(&mut self.watch, place, relayed);
        self.seats[place] = Some(seat);
    }

    fn leg(&self, place: usize) -> Option<&Leg> {
        self.seats[place].as_deref().map(|seat| &seat.leg)
    }

    /// Takes a leg away from all that hear it or that it hears.
    fn part(&mut self, place: usize, now: Instant) {
        let sources = self.take_sources(place);
        for source in sources {
            self.settle_wanted(source.place, now);
        }
        let hearers = self.seats[place].as_deref_mut();
        for hearer in hearers.map_or_else(Vec::new, |seat| std::mem::take(&mut seat.hearers)) {
            if let Some(seat) = self.seats[hearer].as_deref_mut() {
                seat.sources.retain(|source| source.place != place);
            }
            self.settle_listener(hearer, now);
        }
        self.settle_hearing(place, now);
        self.settle_wanted(place, now);
    }

    fn close(&mut self, leg: LegId, now: Instant) {
        let Some(&place) = self.places.get(&leg) else {
            return;
        };
        let metrics = Arc::clone(&self.lines.metrics);
        let Some(seat) = self.seats[place].as_deref_mut() else {
            return;
        };
        seat.close(now, &mut self.tools, &metrics);
        let news = News::Closed(Box::new(seat.leg.report()));
        self.leave_group(place, news, now);
    }

    /// Takes a leg out, whichever group it is in, and tells why.
    fn leave_group(&mut self, place: usize, news: News, now: Instant) {
        if let Some(seat) = self.unseat_from_group(place, now) {
            self.dismiss(seat, news);
        }
    }

    /// Takes a leg out and tells why.
    fn leave(&mut self, place: usize, group: usize, at: usize, news: News, now: Instant) {
        if let Some(seat) = self.unseat(place, group, at, now) {
            self.dismiss(seat, news);
        }
    }

    fn unseat_from_group(&mut self, place: usize, now: Instant) -> Option<Box<Seat>> {
        let at = |group: &Vec<usize>| group.iter().position(|one| *one == place);
        let found = (0..GROUPS).find_map(|group| Some((group, at(&self.groups[group])?)));
        let (group, at) = found?;
        self.unseat(place, group, at, now)
    }

    fn unseat(&mut self, place: usize, group: usize, at: usize, now: Instant) -> Option<Box<Seat>> {
        self.part(place, now);
        self.groups[group].swap_remove(at);
        self.free.push(place);
        let seat = self.seats[place].take()?;
        self.places.remove(&seat.id);
        self.count_legs();
        Some(seat)
    }

    /// Tells that a leg is no more; its seat goes to the janitor.
    fn dismiss(&mut self, seat: Box<Seat>, news: News) {
        tell(
            &self.lines,
            &mut self.kept,
            MediaEvent { leg: seat.id, news },
        );
        // A full line means that thousands end at once: then the rest is freed here.
        drop(self.lines.leaving.try_send(seat));
    }

    fn count_legs(&self) {
        self.lines
            .metrics
            .legs
            .store(self.places.len() as u64, Relaxed);
    }

    fn end(&mut self, now: Instant) {
        let legs: Vec<LegId> = self.seats.iter().flatten().map(|seat| seat.id).collect();
        for leg in legs {
            self.close(leg, now);
        }
        self.send_kept();
        self.ended = true;
    }

    fn send_kept(&mut self) {
        while let Some(event) = self.kept.pop_front() {
            if let Err(TrySendError::Full(event)) = self.lines.events.try_send(event) {
                self.kept.push_front(event);
                return;
            }
        }
    }
}

/// A key that came as a telephone-event reaches those that hear the leg.
fn pass_key_on(now: Instant, event: &LegEvent, hearers: &[usize], seats: &mut [Option<Box<Seat>>]) {
    let LegEvent::Key {
        key,
        by: KeyPath::Event,
    } = event
    else {
        return; // tones are heard as they are
    };
    for hearer in hearers {
        if let Some(seat) = seats[*hearer].as_deref_mut() {
            seat.leg.hear_key(now, *key);
        }
    }
}

/// Sends an event, or keeps it for the next tick. Never waits, and never lets an event overtake
/// one that was kept.
fn tell(lines: &Lines, kept: &mut VecDeque<MediaEvent>, event: MediaEvent) {
    let event = if kept.is_empty() {
        match lines.events.try_send(event) {
            Ok(()) | Err(TrySendError::Closed(_)) => return,
            Err(TrySendError::Full(event)) => event,
        }
    } else {
        event
    };
    metrics::add(&lines.metrics.events_delayed, 1);
    if kept.len() < EVENTS_KEPT {
        kept.push_back(event);
    } else {
        metrics::add(&lines.metrics.events_lost, 1);
    }
}

/// Measures how much of its time the thread works.
struct Load {
    since: Instant,
    busy: Duration,
}

impl Load {
    fn new() -> Self {
        Self {
            since: clock::now(),
            busy: Duration::ZERO,
        }
    }

    fn record(&mut self, tick: &Tick, woken: Instant, metrics: &ThreadMetrics) {
        let done = clock::now();
        self.busy += done - woken;
        if tick.number % TICKS_PER_LOAD == TICKS_PER_LOAD - 1 {
            metrics.record_load(self.busy, done - self.since);
            *self = Self {
                since: done,
                busy: Duration::ZERO,
            };
        }
    }
}

//! The media thread: a tick of 5 ms, a quarter of the legs each tick, in one loop without a lock.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver as CommandReceiver, SyncSender, TryRecvError};
use std::time::{Duration, Instant};

use media_engine::codec::FRAME;
use media_engine::dtmf::Key;
use media_engine::leg::{
    DATAGRAM, Hearing, KeyPath, Leg, LegConfig, LegEvent, LegId, PlayId, Playlist,
};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::metrics::{self, ThreadMetrics};
use super::receive::Receiver;
use super::recorder::Tape;
use super::seat::{self, Seat, Source, Tools};
use super::{MediaEvent, News, SOURCES_MAX};
use crate::clock::{self, Stamps};
use crate::threads::{self, Tick, Ticker};

/// How many groups the legs are divided into; each is visited once in 20 ms.
const GROUPS: usize = 4;

/// The beat. Shorter ticks cost more wake-ups, longer ones make a group's last leg later.
pub(super) const TICK: Duration = Duration::from_millis(5);

/// A thread further behind than this leaves ticks out instead of sending in bursts: what is that
/// late no jitter buffer waits for.
const BEHIND_MAX: Duration = Duration::from_millis(100);

/// Commands taken in one tick; the rest in the next. A command costs about a microsecond.
const COMMANDS_PER_TICK: usize = 256;

/// Events kept back while the channel to the control plane is full. Beyond it they are lost and
/// counted: the control plane has then been stuck for seconds.
const EVENTS_KEPT: usize = 4096;

/// The load is measured over this many ticks: half a second.
const TICKS_PER_LOAD: u64 = 100;

/// A new leg goes to the group that is visited next unless that one has this many legs more than
/// the smallest: then balance matters more than 5 to 15 ms until the first packet.
const IMBALANCE_MAX: usize = 32;

const _: () = assert!(TICK.as_millis() * GROUPS as u128 == FRAME.as_millis());

/// What the control plane asks of a thread.
pub(super) enum Command {
    Seat(Box<Seat>),
    Reconfigure(LegId, Box<LegConfig>),
    Play(LegId, PlayId, Playlist),
    Stop(LegId),
    Press(LegId, Key),
    Record(LegId, Tape),
    StopRecording(LegId),
    /// All are on this thread.
    Hear(LegId, Vec<LegId>),
    Close(LegId),
    /// End of the thread: every leg is closed.
    End,
}

/// How a visit went.
enum Visited {
    Stays,
    /// The leg belongs into the group before.
    Earlier,
    Panicked,
}

/// What a thread is started with.
pub(super) struct Lines {
    pub(super) commands: CommandReceiver<Command>,
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
    tools: Tools,
    kept: VecDeque<MediaEvent>,
    ended: bool,
}

/// Runs media thread `number` until it is told to end or its control plane is gone.
pub(super) fn run(lines: Lines, number: usize, legs_max: usize) -> std::io::Result<()> {
    let real_time = threads::run_in_real_time(number);
    lines.metrics.real_time.store(real_time, Relaxed);
    let mut ticker = Ticker::new(TICK)?;
    let mut worker = Worker::new(lines, legs_max);
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
    fn new(lines: Lines, legs_max: usize) -> Self {
        let group = || Vec::with_capacity(legs_max);
        Self {
            lines,
            seats: Vec::with_capacity(legs_max),
            free: Vec::with_capacity(legs_max),
            places: HashMap::with_capacity(legs_max),
            groups: [group(), group(), group(), group()],
            next_group: 0,
            tools: Tools {
                receiver: Receiver::new(),
                stamps: Stamps::at(clock::now()),
                outgoing: Box::new([0; DATAGRAM]),
                extra_reads: 0,
            },
            kept: VecDeque::with_capacity(EVENTS_KEPT),
            ended: false,
        }
    }

    fn tick(&mut self, tick: &Tick, woken: Instant) {
        let metrics = Arc::clone(&self.lines.metrics);
        metrics::add(&metrics.missed_ticks, tick.missed);
        self.next_group = usize::try_from(tick.number % GROUPS as u64).unwrap_or(0);
        self.send_kept();
        self.take_commands(woken);
        self.tools.stamps = Stamps::at(woken);
        self.tools.extra_reads = seat::extra_reads(self.groups[self.next_group].len());
        self.visit_group(tick.due, &metrics);
    }

    fn visit_group(&mut self, due: Instant, metrics: &ThreadMetrics) {
        let mut at = 0;
        while let Some(place) = self.groups[self.next_group].get(at).copied() {
            let now = clock::now();
            metrics.lateness.record(now.saturating_duration_since(due));
            match self.visit(place, now, metrics) {
                Visited::Stays => at += 1,
                Visited::Earlier => {
                    // Visited 15 ms from now, and every 20 ms from then on.
                    self.groups[self.next_group].swap_remove(at);
                    self.groups[(self.next_group + GROUPS - 1) % GROUPS].push(place);
                }
                Visited::Panicked => self.leave(place, self.next_group, at, News::Failed, now),
            }
        }
    }

    /// Visits one leg. A panic ends it and no other.
    fn visit(&mut self, place: usize, now: Instant, metrics: &ThreadMetrics) -> Visited {
        let Some(mut seat) = self.seats[place].take() else {
            return Visited::Panicked;
        };
        let (tools, others) = (&mut self.tools, &mut self.seats);
        let visit = || seat.visit(now, others, tools, metrics);
        let whole = catch_unwind(AssertUnwindSafe(visit)).is_ok();
        let mut changed = false;
        let visited = if whole {
            while let Some(event) = seat.leg.poll_event() {
                changed |= matches!(event, LegEvent::CodecChanged { .. });
                pass_key_on(now, &event, &seat.hearers, &mut self.seats);
                let news = MediaEvent {
                    leg: seat.id,
                    news: News::Leg(event),
                };
                tell(&self.lines, &mut self.kept, news);
            }
            if seat.is_read_late() {
                Visited::Earlier
            } else {
                Visited::Stays
            }
        } else {
            metrics::add(&metrics.panics, 1);
            Visited::Panicked
        };
        self.seats[place] = Some(seat);
        if changed {
            self.settle_around(place, now);
        }
        visited
    }

    fn take_commands(&mut self, now: Instant) {
        for _ in 0..COMMANDS_PER_TICK {
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
            Command::Record(leg, tape) => self.with(leg, |seat| {
                seat.tape = Some(tape);
                seat.leg.start_recording(now);
            }),
            Command::StopRecording(leg) => self.with(leg, |seat| {
                seat.leg.stop_recording(now);
                seat.tape = None;
            }),
            Command::Hear(leg, sources) => self.hear(leg, &sources, now),
            Command::Close(leg) => self.close(leg, now),
            Command::End => self.end(now),
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
            self.seats.len() - 1
        });
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
            after.push(Source { place: at, heard });
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
        let legs = seat.hearers.iter().filter_map(|hearer| self.leg(*hearer));
        let wanted = legs.map(Leg::wants).max().unwrap_or_default();
        seat.leg.be_heard(now, wanted);
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
        let at = |group: &Vec<usize>| group.iter().position(|one| *one == place);
        let found = (0..GROUPS).find_map(|group| Some((group, at(&self.groups[group])?)));
        if let Some((group, at)) = found {
            self.leave(place, group, at, news, now);
        }
    }

    /// Takes a leg out and tells why; its seat goes to the janitor.
    fn leave(&mut self, place: usize, group: usize, at: usize, news: News, now: Instant) {
        self.part(place, now);
        self.groups[group].swap_remove(at);
        self.free.push(place);
        let Some(seat) = self.seats[place].take() else {
            return;
        };
        self.places.remove(&seat.id);
        tell(
            &self.lines,
            &mut self.kept,
            MediaEvent { leg: seat.id, news },
        );
        // A full line means that thousands end at once: then the rest is freed here.
        drop(self.lines.leaving.try_send(seat));
        self.count_legs();
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

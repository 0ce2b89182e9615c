//! Media: legs on threads of their own, one thread a core, and the handle that commands them.
//!
//! ```text
//!  open ─▶ ports bound, thread chosen      configure, play, stop, close ═ bounded channel ═▶ thread
//!  MediaEvent ◀═ bounded channel ═ thread, every 2.5 ms: what is relayed, then an eighth of its legs
//!  lateness, load, counters ◀─ atomics ─ thread      seats of ended legs ═▶ janitor: closes, frees
//! ```
//!
//! A media thread allocates, locks and logs nothing per packet, and waits for nobody: not for a full
//! channel, not for a slow disk. A thread near its limit refuses new legs ([`OpenError::Overloaded`]
//! becomes 503) before the old ones are late.

mod browsers;
mod metrics;
mod receive;
mod recorder;
mod seat;
mod tape;
mod watch;
mod worker;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use media_engine::dtmf::Key;
use media_engine::leg::{Leg, LegConfig, LegEvent, LegId, LegReport, PlayId, Playlist};
use rand::rngs::{SmallRng, StdRng};
use rand::{Rng, SeedableRng};
use tokio::sync::mpsc;

pub use browsers::BrowserMetrics;
use browsers::{Arrival, Browsers, Line};
use media_engine::sdp::browser::{Entrance, SECRET};
pub use metrics::ThreadMetrics;
use recorder::Recorder;
pub use recorder::{RECORDING_RATE, Recording};
use seat::{Lease, Seat, Sockets};
use worker::{Command, Lines};

use crate::clock;
use crate::ports::{PortError, Ports};

/// Commands that wait for a thread, which takes 128 every 2.5 ms: a fifth of a second of the fastest
/// control plane. A fuller channel means a thread that does not run.
const COMMANDS_MAX: usize = 8192;

/// Seats of ended legs that wait to be closed and freed.
const LEAVING_MAX: usize = 4096;

/// Legs that one leg hears at once: what each of them costs every listener stays far below what the
/// listener costs itself, and nobody follows so many voices.
pub const SOURCES_MAX: usize = 32;

/// What a leg adds to its thread's load, until it has been measured: 7 µs each 20 ms.
const LEG_LOAD: f64 = 0.000_35;

/// How media runs.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Media threads; `None` is one for each core.
    pub threads: Option<usize>,
    /// The ports for RTP and RTCP; a leg takes an even one and the next.
    pub ports: RangeInclusive<u16>,
    /// Legs on one thread at most.
    pub legs_per_thread_max: usize,
    /// Share of its time, 0 to 1, that a thread may be at work and still take new legs. The rest is
    /// for what the legs it has may yet ask for, and for the kernel.
    pub load_max: f64,
    /// Events that wait for the control plane; what comes beyond waits on the media thread.
    pub events_max: usize,
    /// Where browsers send their media, all of them to this one port; nowhere where there is none.
    pub browsers: Option<SocketAddr>,
    /// Where all random numbers come from: [`crate::chance::seed`], or a constant in a test.
    pub seed: [u8; 32],
}

impl MediaConfig {
    /// The usual configuration over a range of ports.
    pub fn new(ports: RangeInclusive<u16>, seed: [u8; 32]) -> Self {
        Self {
            threads: None,
            ports,
            legs_per_thread_max: 4000,
            load_max: 0.75,
            events_max: 4096,
            browsers: None,
            seed,
        }
    }
}

/// Why media does not start: the configuration, or the system, is at fault.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The range of ports cannot be used.
    #[error(transparent)]
    Ports(#[from] PortError),
    /// A thread could not be started.
    #[error("cannot start a media thread: {0}")]
    Thread(#[from] io::Error),
    /// The port of the browsers cannot be had.
    #[error("cannot bind the media port of browsers, {address}: {error}")]
    Browsers {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// There is no certificate for them.
    #[error("cannot make a certificate for browsers: {0}")]
    Certificate(#[from] rcgen::Error),
}

/// Why there is no media for a call. The call is answered with 503.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Every thread has as much as it can carry.
    #[error("media threads are at their limit")]
    Overloaded,
    /// No port is free, or none can be bound.
    #[error(transparent)]
    Ports(#[from] PortError),
    /// The number is in use: a bug of the caller.
    #[error("leg {0:?} is open already")]
    Open(LegId),
    /// No port was configured for browsers, or its thread takes no orders.
    #[error("there is no media port for browsers")]
    NoBrowsers,
}

/// Why a command was not taken.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// No such leg, or it has ended.
    #[error("there is no leg {0:?}")]
    Unknown(LegId),
    /// The leg has not been configured yet, so it cannot play: a bug of the caller.
    #[error("leg {0:?} is not configured yet")]
    NotConfigured(LegId),
    /// More sources than [`SOURCES_MAX`].
    #[error("leg {0:?} cannot hear so many others at once")]
    TooMany(LegId),
    /// Its sockets cannot be used.
    #[error("cannot use the leg's sockets: {0}")]
    Sockets(#[from] io::Error),
    /// The thread does not take commands: it hangs, or has ended.
    #[error("the media thread takes no commands")]
    Stuck,
}

/// Something happened to a leg.
#[derive(Debug)]
pub struct MediaEvent {
    /// Which.
    pub leg: LegId,
    /// What.
    pub news: News,
}

/// What can happen to a leg.
#[derive(Debug)]
pub enum News {
    /// Something in its media.
    Leg(LegEvent),
    /// A recording has ended: it was stopped, or its leg was.
    Recorded(Recording),
    /// Its visit panicked, and it is no more: a bug. [`Media::close`] frees its number.
    Failed,
    /// It has been closed as asked; this is what became of it, and the last that is told of it.
    Closed(Box<LegReport>),
}

/// The handle to all media of the process. Clones are handles to the same; dropping the last one
/// ends the threads.
#[derive(Clone)]
pub struct Media {
    inner: Arc<Inner>,
}

struct Inner {
    threads: Vec<Thread>,
    table: Mutex<Table>,
    ports: Arc<Mutex<Ports>>,
    browsers: Option<Browsers>,
    recorder: Recorder,
    legs_per_thread_max: usize,
    load_max: f64,
}

struct Thread {
    commands: SyncSender<Command>,
    arrivals: SyncSender<Arrival>,
    metrics: Arc<ThreadMetrics>,
    handle: Mutex<Option<JoinHandle<()>>>,
}

struct Table {
    legs: HashMap<LegId, Place>,
    /// Legs of each thread, those included that are open and not configured.
    counts: Vec<usize>,
    random: StdRng,
}

struct Place {
    thread: usize,
    state: State,
}

enum State {
    /// Ports are bound, and nobody reads them yet.
    Open(Sockets),
    /// Its thread visits it.
    Visited,
}

impl Media {
    /// Starts the threads. Events come out of the receiver.
    pub fn start(config: MediaConfig) -> Result<(Self, mpsc::Receiver<MediaEvent>), StartError> {
        let mut random = StdRng::from_seed(config.seed);
        let mut small = SmallRng::seed_from_u64(random.random());
        let ports = Ports::new(config.ports, &mut small)?;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let count = config.threads.unwrap_or(cores).max(1);
        let (events, receiver) = mpsc::channel(config.events_max);
        let leaving = start_janitor()?;
        let legs_max = config.legs_per_thread_max;
        let threads: Result<Vec<Thread>, _> = (0..count)
            .map(|number| start_thread(number, legs_max, events.clone(), leaving.clone()))
            .collect();
        let threads = threads?;
        let lines = || threads.iter().map(Thread::line).collect();
        let browsers = config
            .browsers
            .map(|address| Browsers::start(address, lines(), events.clone()))
            .transpose()?;
        let table = Table {
            legs: HashMap::new(),
            counts: vec![0; count],
            random,
        };
        let inner = Inner {
            threads,
            table: Mutex::new(table),
            ports: Arc::new(Mutex::new(ports)),
            browsers,
            recorder: Recorder::start(events)?,
            legs_per_thread_max: legs_max,
            load_max: config.load_max,
        };
        Ok((
            Self {
                inner: Arc::new(inner),
            },
            receiver,
        ))
    }

    /// Binds the ports of a new leg on `ip` and chooses its thread: that of `beside`, so that the two
    /// can hear each other, or the one with the least to do. Returns the RTP address.
    pub fn open(
        &self,
        leg: LegId,
        ip: IpAddr,
        beside: Option<LegId>,
    ) -> Result<SocketAddr, OpenError> {
        let mut table = self.table();
        let thread = self
            .inner
            .choose(&table, beside)
            .ok_or(OpenError::Overloaded)?;
        let Entry::Vacant(place) = table.legs.entry(leg) else {
            return Err(OpenError::Open(leg));
        };
        let sockets = lock(&self.inner.ports).open(clock::now(), ip)?;
        let address = sockets.address;
        let lease = Lease::new(Arc::clone(&self.inner.ports), address.port());
        place.insert(Place {
            thread,
            state: State::Open(Sockets::Own(sockets, lease)),
        });
        table.counts[thread] += 1;
        Ok(address)
    }

    /// Opens a leg for a browser, on the port that all of them share; its thread is chosen as in
    /// [`Media::open`]. Returns where the port is bound, and what our description says of the leg.
    pub fn open_browser(
        &self,
        leg: LegId,
        beside: Option<LegId>,
    ) -> Result<(SocketAddr, Entrance), OpenError> {
        let mut table = self.table();
        let browsers = self.inner.browsers.as_ref().ok_or(OpenError::NoBrowsers)?;
        let thread = self
            .inner
            .choose(&table, beside)
            .ok_or(OpenError::Overloaded)?;
        let mut secret = [0; SECRET];
        table.random.fill(&mut secret);
        let Entry::Vacant(place) = table.legs.entry(leg) else {
            return Err(OpenError::Open(leg));
        };
        let entrance = Entrance::new(browsers.fingerprint, secret);
        let opened = browsers.open(leg, entrance.credentials(0), thread);
        opened.map_err(|_| OpenError::NoBrowsers)?;
        place.insert(Place {
            thread,
            state: State::Open(Sockets::Shared(Arc::clone(&browsers.socket))),
        });
        table.counts[thread] += 1;
        Ok((browsers.address, entrance))
    }

    /// Tells a leg what offer and answer agreed on. The first time starts it: its first packet leaves
    /// within 5 ms. Later ones change it.
    pub fn configure(&self, leg: LegId, config: LegConfig) -> Result<(), CommandError> {
        let mut table = self.table();
        let Table { legs, random, .. } = &mut *table;
        let place = legs.get_mut(&leg).ok_or(CommandError::Unknown(leg))?;
        let thread = &self.inner.threads[place.thread];
        let pairing = config.browser.clone();
        match std::mem::replace(&mut place.state, State::Visited) {
            State::Visited => thread.send(Command::Reconfigure(leg, Box::new(config)))?,
            State::Open(sockets) => {
                let new = Leg::new(clock::now(), config, random.random());
                // Visits that read RTCP are spread over the legs by where they begin to count.
                let seat = Seat::new(leg, new, sockets, random.random())?;
                thread.send(Command::Seat(Box::new(seat)))?;
            }
        }
        // After the leg is on its thread, to which the port speaks of it from now on.
        match (pairing, &self.inner.browsers) {
            (Some(pairing), Some(browsers)) => browsers.pair(leg, pairing),
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// Plays `list` in place of whatever plays. [`LegEvent::PlayEnded`] tells when it is over.
    pub fn play(&self, leg: LegId, play: PlayId, list: Playlist) -> Result<(), CommandError> {
        self.command(leg, Command::Play(leg, play, list))
    }

    /// Ends what plays; nothing more is told of it.
    pub fn stop(&self, leg: LegId) -> Result<(), CommandError> {
        self.command(leg, Command::Stop(leg))
    }

    /// Presses a key towards the peer, as a telephone-event; nothing if the peer takes none.
    pub fn press(&self, leg: LegId, key: Key) -> Result<(), CommandError> {
        self.command(leg, Command::Press(leg, key))
    }

    /// Records what the peer says into a new WAV file at `path` (16 bits, [`RECORDING_RATE`]), until
    /// [`Media::stop_recording`] or the end of the leg; [`News::Recorded`] follows. What is recorded is
    /// on disk a second later at most.
    pub fn record(&self, leg: LegId, path: PathBuf) -> Result<(), CommandError> {
        self.visited(leg)?; // before there is a file
        let tape = self.inner.recorder.message(clock::now(), leg, path);
        self.command(leg, Command::Record(leg, tape))
    }

    /// Records a call into a new WAV file at `path` (16 bits, [`RECORDING_RATE`], two channels), as
    /// [`Media::record`] does: on the left what comes from this leg, on the right what it hears of its
    /// sources, whoever they are at each moment; never what is played to it. It is in step with the
    /// clock: silence where nobody speaks or packets are lost. One recording of a call at a time; a
    /// message may be recorded beside it.
    pub fn record_call(&self, leg: LegId, path: PathBuf) -> Result<(), CommandError> {
        self.visited(leg)?; // before there is a file
        let tape = self.inner.recorder.call(clock::now(), leg, path);
        self.command(leg, Command::RecordCall(leg, tape))
    }

    /// From now on the recording of the call is silent, and goes on.
    pub fn pause_recording(&self, leg: LegId) -> Result<(), CommandError> {
        self.command(leg, Command::PauseRecording(leg, true))
    }

    /// The recording of the call is heard again.
    pub fn resume_recording(&self, leg: LegId) -> Result<(), CommandError> {
        self.command(leg, Command::PauseRecording(leg, false))
    }

    /// Ends the recording: that of a message if there is one, or else that of the call.
    pub fn stop_recording(&self, leg: LegId) -> Result<(), CommandError> {
        self.command(leg, Command::StopRecording(leg))
    }

    /// From now on `leg` hears exactly these legs, in place of those before; with none it hears nobody.
    /// It is heard by whoever names it. What is played to the leg is heard in place of its sources, and
    /// keys that come to a source as telephone-events reach the leg, too. A source that ends is heard no
    /// longer.
    ///
    /// All should be on one thread: open each beside the first. A source that is elsewhere is brought
    /// over, which takes a tick or two; those whom it heard there, and who heard it, are to be told anew.
    pub fn hear(&self, leg: LegId, sources: Vec<LegId>) -> Result<(), CommandError> {
        let mut table = self.table();
        let thread = table.visited(leg)?;
        if sources.len() > SOURCES_MAX {
            return Err(CommandError::TooMany(leg));
        }
        for source in &sources {
            match table.visited(*source) {
                Ok(other) if other == thread => {}
                Ok(other) => self.inner.hand_over(&mut table, *source, other, thread)?,
                Err(CommandError::Unknown(_)) => {} // it has ended, and says nothing
                Err(error) => return Err(error),
            }
        }
        self.inner.threads[thread].send(Command::Hear(leg, sources))
    }

    /// Ends a leg and frees its number at once. What comes last is told by [`News::Closed`], except
    /// for a leg that was never configured, of which there is nothing to tell.
    pub fn close(&self, leg: LegId) -> Result<(), CommandError> {
        let mut table = self.table();
        let place = table.legs.remove(&leg).ok_or(CommandError::Unknown(leg))?;
        table.counts[place.thread] -= 1;
        drop(table);
        if let Some(browsers) = &self.inner.browsers {
            let _ = browsers.close(leg); // nothing to it where the leg is no browser's
        }
        match place.state {
            State::Open(sockets) => {
                drop(sockets);
                Ok(())
            }
            State::Visited => self.inner.threads[place.thread].send(Command::Close(leg)),
        }
    }

    /// The figures of each thread.
    pub fn metrics(&self) -> Vec<Arc<ThreadMetrics>> {
        self.inner
            .threads
            .iter()
            .map(|thread| Arc::clone(&thread.metrics))
            .collect()
    }

    /// Where browsers send their media, and what came there.
    pub fn browsers(&self) -> Option<(SocketAddr, Arc<BrowserMetrics>)> {
        let browsers = self.inner.browsers.as_ref()?;
        Some((browsers.address, Arc::clone(&browsers.metrics)))
    }

    /// Port pairs in use, and in all.
    pub fn ports(&self) -> (usize, usize) {
        let ports = lock(&self.inner.ports);
        (ports.in_use(), ports.capacity())
    }

    /// Closes every leg (each is told) and waits for the threads to end, a few milliseconds. The handle
    /// is of no use afterwards.
    pub fn shut_down(&self) {
        self.table().legs.clear();
        self.inner.end();
    }

    fn command(&self, leg: LegId, command: Command) -> Result<(), CommandError> {
        let thread = self.visited(leg)?;
        self.inner.threads[thread].send(command)
    }

    /// The thread that visits `leg`.
    fn visited(&self, leg: LegId) -> Result<usize, CommandError> {
        self.table().visited(leg)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        lock(&self.inner.table)
    }
}

impl Table {
    /// The thread that visits `leg`.
    fn visited(&self, leg: LegId) -> Result<usize, CommandError> {
        let place = self.legs.get(&leg).ok_or(CommandError::Unknown(leg))?;
        match place.state {
            State::Open { .. } => Err(CommandError::NotConfigured(leg)),
            State::Visited => Ok(place.thread),
        }
    }
}

impl Inner {
    /// Brings a leg from one thread to another. Both are told under the lock of the table: two legs that
    /// go opposite ways are given in the order in which they are awaited, and no thread waits for
    /// one that waits for it.
    fn hand_over(
        &self,
        table: &mut Table,
        leg: LegId,
        from: usize,
        to: usize,
    ) -> Result<(), CommandError> {
        let (taker, giver) = sync_channel(1);
        self.threads[from].send(Command::Give(leg, taker))?;
        self.threads[to].send(Command::Take(giver))?;
        if let Some(browsers) = &self.browsers {
            browsers.move_over(leg, to)?;
        }
        if let Some(place) = table.legs.get_mut(&leg) {
            place.thread = to;
        }
        table.counts[from] -= 1;
        table.counts[to] += 1;
        Ok(())
    }

    fn choose(&self, table: &Table, beside: Option<LegId>) -> Option<usize> {
        let partner = beside
            .and_then(|leg| table.legs.get(&leg))
            .map(|place| place.thread);
        if let Some(thread) = partner {
            return self.load(table, thread).map(|_| thread);
        }
        let loads = (0..self.threads.len()).filter_map(|at| Some((at, self.load(table, at)?)));
        loads
            .min_by(|(_, a), (_, b)| a.total_cmp(b))
            .map(|(thread, _)| thread)
    }

    /// The load a thread will have with the legs it has been given; `None` at its limit.
    fn load(&self, table: &Table, thread: usize) -> Option<f64> {
        let metrics = &self.threads[thread].metrics;
        let legs = table.counts[thread];
        let measured = usize::try_from(metrics.legs_at_measure()).unwrap_or(legs);
        let unmeasured = u32::try_from(legs.saturating_sub(measured)).unwrap_or(u32::MAX);
        let load = metrics.load() + f64::from(unmeasured) * LEG_LOAD;
        (load < self.load_max && legs < self.legs_per_thread_max).then_some(load)
    }
}

impl Inner {
    fn end(&self) {
        if let Some(browsers) = &self.browsers {
            browsers.end();
        }
        for thread in &self.threads {
            thread.end();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.end();
    }
}

impl Thread {
    fn line(&self) -> Line {
        Line {
            commands: self.commands.clone(),
            arrivals: self.arrivals.clone(),
        }
    }

    fn send(&self, command: Command) -> Result<(), CommandError> {
        self.commands
            .try_send(command)
            .map_err(|error| match error {
                TrySendError::Full(_) | TrySendError::Disconnected(_) => CommandError::Stuck,
            })
    }

    fn end(&self) {
        let handle = lock(&self.handle).take();
        let _ = self.commands.send(Command::End);
        if let Some(handle) = handle {
            let _ = handle.join(); // a panic of the thread has been printed already
        }
    }
}

fn start_thread(
    number: usize,
    legs_max: usize,
    events: mpsc::Sender<MediaEvent>,
    leaving: SyncSender<Box<Seat>>,
) -> io::Result<Thread> {
    let (commands, receiver) = sync_channel(COMMANDS_MAX);
    let (arrivals, arrived) = browsers::arrivals();
    let metrics = Arc::new(ThreadMetrics::default());
    let lines = Lines {
        commands: receiver,
        arrivals: arrived,
        events,
        leaving,
        metrics: Arc::clone(&metrics),
    };
    let run = move || {
        if let Err(error) = worker::run(lines, number, legs_max) {
            tracing::error!(%error, "a media thread ended");
        }
    };
    let handle = thread::Builder::new()
        .name(format!("media-{number}"))
        .spawn(run)?;
    Ok(Thread {
        commands,
        arrivals,
        metrics,
        handle: Mutex::new(Some(handle)),
    })
}

/// Starts the thread that closes the sockets of ended legs and frees their memory, so that no media
/// thread has to. It ends when the last media thread has.
fn start_janitor() -> io::Result<SyncSender<Box<Seat>>> {
    let (leaving, left) = sync_channel::<Box<Seat>>(LEAVING_MAX);
    thread::Builder::new()
        .name("media-janitor".to_owned())
        .spawn(move || left.into_iter().for_each(drop))?;
    Ok(leaving)
}

/// A lock is poisoned by a panic of a thread that held it; what it guards is whole between its
/// methods, and calls go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

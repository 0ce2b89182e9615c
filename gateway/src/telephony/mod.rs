//! The one task that owns everything about calls: the SIP endpoint, the exchange, the sockets.
//!
//! ```text
//!  sockets ─┐                                        ┌─▶ sockets
//!  media   ─┼─▶ turn: endpoint ⇄ voice until quiet ──┼─▶ media threads
//!  answers ─┤   (nothing here waits)                 ├─▶ writer: one group of changes a turn
//!  commands ┘                                        └─▶ background: clips, look-ups, recordings
//! ```
//!
//! Whatever takes time runs elsewhere and comes back as an answer. So a turn never blocks, and a
//! call never waits for another call's prompt, disk or web server.

mod customers;
mod ladder;
mod perform;
mod status;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::change::Snapshot;
use desk::id::{CompanyId, InteractionId, PromptId};
use desk::record::Change;
use desk::work::Customer;
use exchange::clip::Clip;
use exchange::directory::Directory;
use exchange::voice::{CallKey, Recording, Voice, VoiceConfig};
use ivr::Now;
use ivr::machine::{FetchFailure, Fetched, Ticket};
use media_engine::audio::prompt::Frames;
use media_engine::codec::Codec;
use media_engine::leg::{LegEvent, LegId, PlayId};
use media_engine::sip::CallId;
use media_engine::sip::call::CallEvent;
use media_engine::sip::endpoint::{Endpoint, EndpointConfig, Output, Traced};
use media_engine::sip::ping;
use media_engine::sip::registrar::{self, Account};
use media_engine::sip::registration::Health;
use media_engine::sip::resolve::{self, QueryId};
use media_engine::sip::trunk::Trunk;
use media_engine::sip::{AccountId, TrunkId};
use media_engine_net::clock;
use media_engine_net::media::{Media, MediaEvent, News};
use media_engine_net::resolver::Resolver;
use media_engine_net::route::Routes;
use media_engine_net::sip::{Event, Transports};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use store::lives::Life;
use store::{Store, Writer};
use tokio::sync::{mpsc, oneshot};

use crate::kept::Keeper;
use crate::live::{Hub, Teller};
use crate::playback::{Shelf, Sources};
use crate::recordings::Archive;
use crate::records::Records;
use gateway_net::fetch::Fetcher;

use customers::Customers;
pub(crate) use customers::LAST_AGENT_MS;
use ladder::Ladders;
pub use ladder::retain as retain_ladders;
pub use status::Status;

/// What calls may lead to, as the store has it now. Swapped whole at every change.
#[derive(Debug, Default)]
pub struct Setup {
    /// Companies with numbers, services and flows.
    pub directory: Arc<Directory>,
    /// Carriers.
    pub trunks: Vec<Trunk>,
    /// Devices that may register.
    pub accounts: Vec<Account>,
    /// The sound of each published prompt, by its hash.
    pub prompts: BTreeMap<PromptId, String>,
}

/// What the task needs from the rest of the program.
pub struct Surroundings {
    /// The SIP sockets.
    pub transports: Transports,
    /// The media threads.
    pub media: Media,
    /// What happens there.
    pub media_events: mpsc::Receiver<MediaEvent>,
    /// Answers what a carrier's name stands for.
    pub resolver: Arc<Resolver>,
    /// Where contacts are looked for.
    pub store: Store,
    /// Makes changes durable.
    pub writer: Writer,
    /// What the desks go on from.
    pub kept: BTreeMap<CompanyId, Snapshot>,
    /// What the automatic lives of written interactions go on from.
    pub lives: Vec<Life>,
    /// Where clips come from.
    pub sources: Arc<Sources>,
    /// Asks other systems.
    pub fetcher: Fetcher,
    /// Where messages that callers leave are kept.
    pub messages: PathBuf,
    /// Where calls are recorded.
    pub calls: PathBuf,
    /// Puts recordings of calls away.
    pub archive: Archive,
    /// The address that callers reach our media under; the one they called when not set.
    pub public_address: Option<IpAddr>,
}

/// A handle to the task; clones are handles to the same.
#[derive(Clone, Debug)]
pub struct Telephony {
    commands: mpsc::Sender<Command>,
    live: Hub,
}

/// The task is gone: the program is about to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("telephony has stopped")]
pub struct Stopped;

/// Why something that was decided is not sure to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    /// The task is gone.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The database did not take it: it is so now, and may not be after the next start.
    #[error("what was decided could not be written down")]
    NotKept,
}

/// Something that somebody asks of the exchange.
struct Errand(Box<Run>);

/// What runs between two turns.
type Run = dyn FnOnce(&mut Voice, Now) + Send;

impl Errand {
    fn new<T: Send + 'static>(
        run: impl FnOnce(&mut Voice, Now) -> T + Send + 'static,
        answer: oneshot::Sender<T>,
    ) -> Self {
        Self(Box::new(move |voice, now| {
            // Who went away does not want to know.
            let _ = answer.send(run(voice, now));
        }))
    }
}

impl std::fmt::Debug for Errand {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Errand")
    }
}

#[derive(Debug)]
enum Command {
    SetUp(Box<Setup>),
    Status(oneshot::Sender<Status>),
    /// Something that somebody asks of the exchange; and who is told when what came of it is durable.
    Errand(Errand, Option<oneshot::Sender<bool>>),
    Close,
    HangUpAll,
    End,
}

impl Telephony {
    /// Starts the task. It ends when the last handle is dropped, or by [`Telephony::close`].
    pub fn start(
        endpoint: EndpointConfig,
        voice: VoiceConfig,
        surroundings: Surroundings,
        seed: [u8; 32],
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        let (live, teller) = Hub::start(surroundings.writer.listen());
        let owner = Owner::new(endpoint, voice, surroundings, (teller, seed));
        let task = tokio::spawn(owner.run(receiver));
        (Self { commands, live }, task)
    }

    /// From here on new calls begin with this; calls that run go on as they are.
    ///
    /// # Errors
    ///
    /// [`Stopped`].
    pub async fn set_up(&self, setup: Setup) -> Result<(), Stopped> {
        self.send(Command::SetUp(Box::new(setup))).await
    }

    /// How it is going.
    ///
    /// # Errors
    ///
    /// [`Stopped`].
    pub async fn status(&self) -> Result<Status, Stopped> {
        self.ask(Command::Status).await
    }

    /// Asks the exchange something, between two turns.
    ///
    /// # Errors
    ///
    /// [`Stopped`].
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Voice, Now) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        self.ask(|answer| Command::Errand(Errand::new(look, answer), None))
            .await
    }

    /// What happens, for those who watch.
    pub fn live(&self) -> &Hub {
        &self.live
    }

    /// Has the exchange decide something; the answer comes when what it changed at the desks is
    /// durable.
    ///
    /// # Errors
    ///
    /// [`NotDone`].
    pub async fn decide<T: Send + 'static>(
        &self,
        decide: impl FnOnce(&mut Voice, Now) -> T + Send + 'static,
    ) -> Result<T, NotDone> {
        let (durable, kept) = oneshot::channel();
        let decided = self
            .ask(|answer| Command::Errand(Errand::new(decide, answer), Some(durable)))
            .await?;
        match kept.await {
            Ok(true) => Ok(decided),
            Ok(false) => Err(NotDone::NotKept),
            Err(_) => Err(NotDone::Stopped(Stopped)),
        }
    }

    /// Takes no new calls; when none is left, or when `patience` has passed and the rest was hung
    /// up, the task ends, whoever still has a handle to it.
    ///
    /// # Errors
    ///
    /// [`Stopped`].
    pub async fn close(&self, patience: Duration) -> Result<(), Stopped> {
        self.send(Command::Close).await?;
        let until = clock::now() + patience;
        let mut hung_up = false;
        while self.status().await?.calls > 0 {
            if !hung_up && clock::now() >= until {
                self.send(Command::HangUpAll).await?;
                hung_up = true;
            }
            if hung_up && clock::now() >= until + FAREWELL_MAX {
                break;
            }
            tokio::time::sleep(CLOSE_POLL).await;
        }
        self.send(Command::End).await
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Stopped> {
        let (answer, answered) = oneshot::channel();
        self.send(command(answer)).await?;
        answered.await.map_err(|_| Stopped)
    }

    async fn send(&self, command: Command) -> Result<(), Stopped> {
        self.commands.send(command).await.map_err(|_| Stopped)
    }
}

/// What came of something that ran in the background.
#[derive(Debug)]
enum Answer {
    /// The records of these calls are durable, with these protocol numbers, and who the customers are.
    Opened(Vec<(CallKey, String, Option<Customer>)>),
    /// The records of these calls could not be written.
    NotOpened(Vec<CallKey>),
    /// Clips that were not in memory; those that could not be had are missing.
    Loaded {
        leg: LegId,
        play: PlayId,
        codec: Codec,
        clips: Vec<(Clip, Arc<Frames>)>,
        by: Prompts,
    },
    /// A clip that is to be at hand.
    Warmed {
        clip: Clip,
        frames: Arc<Frames>,
        by: Prompts,
    },
    /// An HTTP look-up.
    Fetched {
        call: CallKey,
        ticket: Ticket,
        answer: Result<Fetched, FetchFailure>,
    },
    /// The same for a written interaction.
    Asked {
        interaction: InteractionId,
        ticket: Ticket,
        answer: Result<Fetched, FetchFailure>,
    },
    /// The DNS.
    Resolved {
        query: QueryId,
        answer: resolve::Answer,
    },
    /// A recording was put away; nothing was kept where there is none.
    Recorded {
        leg: LegId,
        ticket: Ticket,
        recording: Option<Recording>,
    },
}

/// The sound of each published prompt, by its hash, at one time.
type Prompts = Arc<BTreeMap<PromptId, String>>;

/// Whether a clip that was brought by one state of the prompts is what is heard by another: it may
/// have been published anew while it was under way.
fn is_current(clip: &Clip, by: &Prompts, now: &Prompts) -> bool {
    match clip {
        Clip::Prompt(id) => by.get(id) == now.get(id),
        Clip::Sound { .. } | Clip::Speech { .. } | Clip::Music | Clip::RingingTone => true,
    }
}

/// One leg, as far as playing goes.
#[derive(Debug)]
struct Leg {
    codec: Codec,
    playing: Option<Playing>,
    /// Recordings that have not ended, the oldest first.
    recording: VecDeque<Ticket>,
    /// Recordings that are being put away.
    keeping: usize,
    /// The call is over; the leg is kept until its recordings are.
    last: Option<LastWord>,
}

impl Leg {
    fn is_recorded(&self) -> bool {
        self.keeping > 0 || !self.recording.is_empty()
    }
}

/// What a closed leg had to say, kept back until its recording is put away.
#[derive(Debug)]
struct LastWord(Option<desk::record::Quality>);

#[derive(Debug)]
struct Playing {
    play: PlayId,
    clips: Vec<Clip>,
    repeat: bool,
    /// The codec in which clips are being brought for it.
    awaits: Option<Codec>,
}

struct Owner {
    endpoint: Endpoint,
    voice: Voice,
    transports: Transports,
    media: Media,
    media_events: mpsc::Receiver<MediaEvent>,
    resolver: Arc<Resolver>,
    /// What calls leave behind; what is of turns before when the writer was full.
    records: Records,
    /// What desks go on from when the program begins again.
    keeper: Keeper,
    live: Teller,
    customers: Customers,
    /// What SIP calls say and hear.
    ladders: Ladders,
    /// Who waits until what they decided is durable.
    awaiting: Vec<oneshot::Sender<bool>>,
    sources: Arc<Sources>,
    fetcher: Fetcher,
    messages: PathBuf,
    calls: PathBuf,
    archive: Archive,
    /// When this process began, milliseconds since 1970.
    begun_ms: i64,
    public_address: Option<IpAddr>,
    routes: Routes,
    prompts: Prompts,
    shelf: Shelf,
    legs: HashMap<LegId, Leg>,
    answers: (
        mpsc::UnboundedSender<Answer>,
        mpsc::UnboundedReceiver<Answer>,
    ),
    /// Devices that are registered.
    devices: BTreeSet<AccountId>,
    /// How each of our registrations at carriers is doing.
    registrations: BTreeMap<TrunkId, Health>,
    statistics: status::Counters,
}

impl Owner {
    fn new(
        endpoint: EndpointConfig,
        voice: VoiceConfig,
        surroundings: Surroundings,
        (live, seed): (Teller, [u8; 32]),
    ) -> Self {
        let now = clock::now();
        // The endpoint's chance is not the exchange's: neither tells of the other.
        let mut chance = StdRng::from_seed(seed);
        let endpoint = Endpoint::new(now, endpoint, chance.random());
        let mut voice = Voice::new(voice, Arc::default(), chance.random());
        voice.restore(surroundings.kept);
        let lives = surroundings.lives.into_iter();
        let lives = lives.map(|life| (life.company, life.interaction, life.record));
        voice.restore_lives(lives.collect());
        Self {
            endpoint,
            voice,
            transports: surroundings.transports,
            media: surroundings.media,
            media_events: surroundings.media_events,
            resolver: surroundings.resolver,
            keeper: Keeper::new(surroundings.writer.clone()),
            live,
            customers: Customers::new(surroundings.store),
            ladders: Ladders::default(),
            awaiting: Vec::new(),
            records: Records::new(surroundings.writer),
            sources: surroundings.sources,
            fetcher: surroundings.fetcher,
            messages: surroundings.messages,
            calls: surroundings.calls,
            archive: surroundings.archive,
            begun_ms: clock::wall().as_millisecond(),
            public_address: surroundings.public_address,
            routes: Routes::default(),
            prompts: Arc::default(),
            shelf: Shelf::default(),
            legs: HashMap::new(),
            // As many answers as things are under way, which calls and their flows bound.
            answers: mpsc::unbounded_channel(),
            devices: BTreeSet::new(),
            registrations: BTreeMap::new(),
            statistics: status::Counters::default(),
        }
    }

    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut received = Vec::new();
        loop {
            let due = self.due();
            tokio::select! {
                () = self.transports.receive(&mut received) => {
                    for event in received.drain(..) {
                        self.handle_transport(event);
                    }
                }
                Some(event) = self.media_events.recv() => {
                    self.handle_media(event);
                    while let Ok(event) = self.media_events.try_recv() {
                        self.handle_media(event);
                    }
                }
                Some(answer) = self.answers.1.recv() => self.handle_answer(answer),
                command = commands.recv() => match command {
                    Some(Command::End) | None => break,
                    Some(command) => self.handle_command(command),
                },
                () = tokio::time::sleep_until(due.into()) => {}
            }
            self.turn();
        }
        while self.records.waiting() > 0 || self.keeper.is_waiting() {
            tokio::time::sleep(WRITER_RETRY).await;
            self.hand_over();
        }
        self.media.shut_down();
    }

    /// When something is due that nobody tells us of.
    fn due(&self) -> Instant {
        let due = [self.endpoint.poll_timeout(), self.voice.poll_timeout()];
        let waiting = self.records.waiting() > 0 || self.keeper.is_waiting();
        let retry = waiting.then(|| clock::now() + WRITER_RETRY);
        let idle = clock::now() + IDLE;
        due.into_iter().flatten().chain(retry).min().unwrap_or(idle)
    }

    /// Lets the endpoint and the exchange tell each other everything, then hands the records over.
    fn turn(&mut self) {
        let now = moment();
        self.endpoint.handle_timeout(now.instant);
        self.voice.handle_timeout(now);
        loop {
            if let Some(output) = self.endpoint.poll_output() {
                self.perform_sip(now, output);
            } else if let Some(output) = self.voice.poll_output() {
                self.perform(now, output);
            } else {
                break;
            }
        }
        self.hand_over();
    }

    fn handle_transport(&mut self, event: Event) {
        let now = clock::now();
        match event {
            Event::Received { flow, bytes } => self.endpoint.handle_message(now, flow, bytes),
            Event::Closed { connection } => self.endpoint.handle_connection_closed(now, connection),
            Event::Failed { flow } => self.endpoint.handle_transport_error(now, flow),
        }
        while let Some(output) = self.endpoint.poll_output() {
            self.perform_sip(moment(), output);
        }
    }

    fn perform_sip(&mut self, now: Now, output: Output) {
        match output {
            Output::Transmit {
                flow,
                server_name,
                bytes,
            } => {
                self.transports.send(flow, server_name.as_deref(), bytes);
            }
            Output::Call(event) => {
                let begun = if let CallEvent::Incoming { call, .. } = &event {
                    Some(*call)
                } else {
                    None
                };
                self.voice.handle_call(now, event);
                if let Some(call) = begun {
                    self.know(call);
                }
            }
            Output::Traced(Traced::Message {
                call,
                way,
                flow,
                bytes,
            }) => {
                let (at_ms, endpoint) = (now.wall.as_millisecond(), &self.endpoint);
                self.ladders
                    .hear(at_ms, call, (way, flow, bytes), || endpoint.is_up(call));
            }
            Output::Traced(Traced::Over(call)) => {
                if let Some(ladder) = self.ladders.end(call) {
                    self.records.save(Change::SipLadder(Box::new(ladder)));
                }
            }
            Output::Ask { query, question } => {
                let (resolver, answers) = (self.resolver.clone(), self.answers.0.clone());
                tokio::spawn(async move {
                    let answer = resolver.answer(&question).await;
                    let _ = answers.send(Answer::Resolved { query, answer });
                });
            }
            Output::Device(registrar::Event::Registered { account, .. }) => {
                tracing::info!(device = %account.0, "a device registered");
                if let Ok(device) = account.0.parse() {
                    self.voice.handle_registered(now, &device);
                }
                self.devices.insert(account);
            }
            Output::Device(registrar::Event::Unregistered {
                account, reachable, ..
            }) => {
                tracing::info!(device = %account.0, "a device left");
                if !reachable {
                    if let Ok(device) = account.0.parse() {
                        self.voice.handle_unregistered(now, &device);
                    }
                    self.devices.remove(&account);
                }
            }
            Output::Registration(health) => {
                tracing::info!(trunk = %health.trunk.0, condition = ?health.condition, "registration at a carrier");
                self.registrations.insert(health.trunk.clone(), *health);
            }
            Output::Ping(health) => {
                tracing::info!(trunk = %health.trunk.0, condition = ?health.condition, "a carrier answers, or does not");
                if let Ok(trunk) = health.trunk.0.parse() {
                    let is_silent = health.condition == ping::Condition::Silent;
                    self.voice.handle_carrier(&trunk, is_silent);
                }
            }
            Output::Security(audit) => {
                self.statistics.security_events += 1;
                tracing::warn!(?audit, "somebody was kept out");
            }
        }
    }

    /// A SIP call has begun: its ladder belongs to the interaction that it is of, if it is of one.
    fn know(&mut self, call: CallId) {
        if let Some(owner) = self.voice.interaction_of(call) {
            self.ladders.belong(call, owner);
        }
    }

    fn handle_media(&mut self, event: MediaEvent) {
        let MediaEvent { leg, news } = event;
        let now = moment();
        match news {
            News::Leg(LegEvent::Key { key, .. }) => self.voice.handle_key(now, leg, key),
            News::Leg(LegEvent::PlayEnded { play }) => {
                if let Some(leg) = self.legs.get_mut(&leg) {
                    leg.playing.take_if(|playing| playing.play == play);
                }
                self.voice.handle_played(now, leg, play);
            }
            News::Leg(LegEvent::PlayNeedsCodec { play, codec }) => {
                self.play_again(now, leg, play, codec)
            }
            News::Leg(LegEvent::Silent) => self.voice.handle_silence(now, leg),
            News::Leg(LegEvent::CodecChanged { codec }) => self.voice.handle_codec(now, leg, codec),
            News::Leg(LegEvent::Latched { .. }) => {}
            News::Recorded(recording) => self.put_away(leg, recording),
            News::Failed => {
                tracing::error!(leg = leg.0, "a leg failed: its media are over");
                self.give_up(now, leg);
            }
            News::Closed(report) => {
                let quality = Some(status::quality(&report));
                self.leg_closed(now, leg, quality);
            }
        }
    }

    fn leg_closed(&mut self, now: Now, leg: LegId, quality: Option<desk::record::Quality>) {
        match self.legs.get_mut(&leg) {
            Some(state) if state.is_recorded() => state.last = Some(LastWord(quality)),
            Some(_) | None => {
                self.legs.remove(&leg);
                self.voice.handle_leg_closed(now, leg, quality);
            }
        }
    }

    fn handle_answer(&mut self, answer: Answer) {
        let now = moment();
        match answer {
            Answer::Opened(calls) => {
                for (call, protocol, customer) in calls {
                    self.voice.handle_opened(now, call, protocol, customer);
                }
            }
            Answer::NotOpened(calls) => {
                for call in calls {
                    self.voice.handle_not_opened(now, call);
                }
            }
            Answer::Loaded {
                leg,
                play,
                codec,
                clips,
                by,
            } => self.loaded(now, (leg, play, codec), clips, &by),
            Answer::Warmed { clip, frames, by } => {
                if is_current(&clip, &by, &self.prompts) {
                    self.shelf.keep(clip, frames);
                }
            }
            Answer::Fetched {
                call,
                ticket,
                answer,
            } => {
                self.voice.handle_fetched(now, call, ticket, answer);
            }
            Answer::Asked {
                interaction,
                ticket,
                answer,
            } => {
                self.voice.handle_asked(now, &interaction, ticket, answer);
            }
            Answer::Resolved { query, answer } => {
                self.endpoint.handle_resolved(now.instant, query, answer);
            }
            Answer::Recorded {
                leg,
                ticket,
                recording,
            } => {
                self.voice.handle_recorded(now, leg, ticket, recording);
                let last = self.legs.get_mut(&leg).and_then(|leg| {
                    leg.keeping = leg.keeping.saturating_sub(1);
                    if leg.is_recorded() {
                        None
                    } else {
                        leg.last.take()
                    }
                });
                if let Some(LastWord(quality)) = last {
                    self.leg_closed(now, leg, quality);
                }
            }
        }
    }

    fn handle_command(&mut self, command: Command) {
        match command {
            Command::SetUp(setup) => {
                let Setup {
                    directory,
                    trunks,
                    accounts,
                    prompts,
                } = *setup;
                self.voice.set_directory(moment(), directory);
                let now = clock::now();
                self.endpoint.set_trunks(now, trunks);
                self.endpoint.set_accounts(now, accounts);
                let trunks = self.endpoint.trunks();
                self.registrations
                    .retain(|trunk, _| trunks.find(trunk).is_some());
                self.take_prompts(prompts);
            }
            Command::Status(answer) => {
                let _ = answer.send(self.status());
            }
            Command::Errand(Errand(run), durable) => {
                run(&mut self.voice, moment());
                self.awaiting.extend(durable);
            }
            Command::Close => self.voice.close(),
            Command::HangUpAll => self.voice.hang_up_all(moment()),
            // The loop is over before it comes here.
            Command::End => {}
        }
    }
}

fn moment() -> Now {
    Now {
        instant: clock::now(),
        wall: clock::wall(),
    }
}

/// Commands come from people: more than these waiting means that nobody takes them.
const COMMANDS_MAX: usize = 64;

/// How soon a full writer is asked again.
const WRITER_RETRY: Duration = Duration::from_millis(20);

/// Without any deadline we look around now and then all the same.
const IDLE: Duration = Duration::from_secs(60);

/// How often the end of the last call is looked for while closing.
const CLOSE_POLL: Duration = Duration::from_millis(50);

/// How long hung-up calls may take to confirm.
const FAREWELL_MAX: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_that_was_published_anew_on_its_way_is_not_the_one_to_be_heard() {
        let id = |text: &str| text.parse::<PromptId>().expect("an id");
        let prompts = |all: &[(&str, &str)]| -> Prompts {
            let all = all
                .iter()
                .map(|(name, hash)| (id(name), (*hash).to_owned()));
            Arc::new(all.collect())
        };
        let before = prompts(&[("hello", "a1"), ("closed", "b1"), ("gone", "c1")]);
        let now = prompts(&[("hello", "a2"), ("closed", "b1"), ("new", "d1")]);
        let current = |name| is_current(&Clip::Prompt(id(name)), &before, &now);
        assert!(!current("hello") && !current("gone") && !current("new"));
        assert!(current("closed"));
        assert!(is_current(&Clip::Music, &before, &now));
    }
}

//! Ramal in the world: the real endpoint and the real exchange, joined as the program joins them,
//! with a thread and a store that only virtual time moves.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, VecDeque};
use std::hash::Hash;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use desk::id::InteractionId;
use desk::record::{Change, Quality};
use exchange::clip::Clip;
use exchange::voice::{CallKey, MediaCommand, Output, Recording, SipCommand, Voice, VoiceConfig};
use ivr::Now;
use ivr::machine::{FetchFailure, Fetched, Ticket};
use media_engine::audio::prompt::Frames;
use media_engine::codec::Codec;
use media_engine::dtmf::Key;
use media_engine::leg::{LegEvent, LegId, PlayId, Playlist};
use media_engine::sip::call::{CallEvent, Origin};
use media_engine::sip::endpoint::{self, Endpoint};
use media_engine::sip::{CallId, Flow};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::house;
use super::media::{Command, News, Thread};
use super::store::{Came, Room, Store};

/// What came of something that ran in the background.
#[derive(Debug)]
pub(super) enum Answer {
    NotOpened(Vec<CallKey>),
    Loaded(LegId, PlayId),
    Fetched(CallKey, Ticket, Result<Fetched, FetchFailure>),
    Recorded(LegId, Ticket, Option<Recording>),
    /// The writer has room again.
    Room,
}

struct Playing {
    play: PlayId,
    clips: Vec<Clip>,
    repeat: bool,
}

/// A leg as the program keeps it, as far as playing and recording go.
struct LegState {
    codec: Codec,
    playing: Option<Playing>,
    recording: Option<Ticket>,
    last: Option<Option<Quality>>,
}

/// Keys that one leg heard, and from when to when it could hear any.
pub(super) struct Heard {
    pub(super) from: Instant,
    pub(super) until: Option<Instant>,
    pub(super) keys: Vec<(Instant, Key)>,
}

/// Ramal.
pub(super) struct Node {
    pub(super) endpoint: Endpoint,
    pub(super) voice: Voice,
    pub(super) thread: Thread,
    pub(super) store: Store,
    pub(super) later: Vec<(Instant, Answer)>,
    pub(super) sent: Vec<(Flow, Bytes)>,
    /// How often each call ended that came in or was placed.
    pub(super) ends: BTreeMap<CallId, usize>,
    /// By the address of the leg's port.
    pub(super) heard: BTreeMap<SocketAddr, Heard>,
    pub(super) answered: usize,
    pub(super) refused: usize,
    pub(super) joined: usize,
    pub(super) from_device: usize,
    pub(super) history: DefaultHasher,
    legs: BTreeMap<LegId, LegState>,
    ports: BTreeMap<LegId, SocketAddr>,
    port: u16,
    /// The Call-ID of each call that came in, and the interaction that it became.
    call_ids: BTreeMap<CallId, String>,
    interactions: BTreeMap<String, InteractionId>,
    opening: Vec<CallKey>,
    changes: VecDeque<Change>,
    shelf: BTreeMap<(Clip, &'static str), Arc<Frames>>,
    random: StdRng,
}

impl Node {
    pub(super) fn new(now: Instant, seed: u64, refuse_permille: u32) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut endpoint = Endpoint::new(now, house::endpoint(house::NODE), random.random());
        endpoint.set_trunks(now, vec![house::carrier()]);
        endpoint.set_accounts(now, vec![house::account()]);
        let config = VoiceConfig {
            inactivity: INACTIVITY,
            ..VoiceConfig::default()
        };
        let voice = Voice::new(config, Arc::new(house::directory()), random.random());
        Self {
            endpoint,
            voice,
            thread: Thread::default(),
            store: Store::new(refuse_permille),
            later: Vec::new(),
            sent: Vec::new(),
            ends: BTreeMap::new(),
            heard: BTreeMap::new(),
            answered: 0,
            refused: 0,
            joined: 0,
            from_device: 0,
            history: DefaultHasher::new(),
            legs: BTreeMap::new(),
            ports: BTreeMap::new(),
            port: PORT_FIRST,
            call_ids: BTreeMap::new(),
            interactions: BTreeMap::new(),
            opening: Vec::new(),
            changes: VecDeque::new(),
            shelf: BTreeMap::new(),
            random,
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let timers = [
            self.endpoint.poll_timeout(),
            self.voice.poll_timeout(),
            self.store.poll_timeout(),
        ];
        timers.into_iter().flatten().min()
    }

    /// Lets endpoint and exchange tell each other everything, then hands the records over.
    pub(super) fn turn(&mut self, now: Now) {
        while let Some(came) = self.store.commit(now.instant) {
            self.handle_committed(now, came);
        }
        while let Some((leg, news)) = self.thread.news.pop_front() {
            self.handle_news(now, leg, news);
        }
        self.endpoint.handle_timeout(now.instant);
        self.voice.handle_timeout(now);
        loop {
            if let Some(output) = self.endpoint.poll_output() {
                self.perform_sip(now, output);
            } else if let Some(output) = self.voice.poll_output() {
                format!("{output:?}").hash(&mut self.history);
                self.perform(now, output);
            } else {
                break;
            }
        }
        self.hand_over(now);
    }

    pub(super) fn handle_answer(&mut self, now: Now, answer: Answer) {
        match answer {
            Answer::NotOpened(calls) => {
                for call in calls {
                    self.voice.handle_not_opened(now, call);
                }
            }
            Answer::Loaded(leg, play) => self.begin(now, leg, play),
            Answer::Fetched(call, ticket, answer) => {
                self.voice.handle_fetched(now, call, ticket, answer);
            }
            Answer::Recorded(leg, ticket, recording) => {
                self.voice.handle_recorded(now, leg, ticket, recording);
                let last = self.legs.get_mut(&leg).and_then(|leg| {
                    leg.recording.take_if(|one| *one == ticket);
                    if leg.recording.is_some() {
                        None
                    } else {
                        leg.last.take()
                    }
                });
                if let Some(quality) = last {
                    self.leg_closed(now, leg, quality);
                }
            }
            Answer::Room => {}
        }
    }

    fn handle_committed(&mut self, now: Now, came: Came) {
        match came {
            Came::Opened(calls) => {
                for (call, protocol) in calls {
                    self.voice.handle_opened(now, call, protocol, None);
                }
            }
            Came::NotOpened(calls) => {
                for call in calls {
                    self.voice.handle_not_opened(now, call);
                }
            }
        }
    }

    fn handle_news(&mut self, now: Now, leg: LegId, news: News) {
        match news {
            News::Leg(LegEvent::Key { key, .. }) => {
                if let Some(heard) = self.heard(leg) {
                    heard.keys.push((now.instant, key));
                }
                self.voice.handle_key(now, leg, key);
            }
            News::Leg(LegEvent::PlayEnded { play }) => {
                if let Some(leg) = self.legs.get_mut(&leg) {
                    leg.playing.take_if(|playing| playing.play == play);
                }
                self.voice.handle_played(now, leg, play);
            }
            News::Leg(LegEvent::PlayNeedsCodec { play, codec }) => {
                if let Some(state) = self.legs.get_mut(&leg) {
                    state.codec = codec;
                }
                self.begin(now, leg, play);
            }
            News::Leg(LegEvent::Silent) => self.voice.handle_silence(now, leg),
            News::Leg(LegEvent::CodecChanged { codec }) => {
                self.voice.handle_codec(now, leg, codec);
            }
            News::Leg(LegEvent::Latched { .. }) => {}
            News::Recorded(frames) => {
                let kept = (frames > FRAMES_MIN).then(|| Recording {
                    file: format!("{frames:064x}"),
                    bytes: u64::from(frames) * 320,
                    length: Duration::from_millis(20) * frames,
                });
                if let Some(ticket) = self.legs.get(&leg).and_then(|leg| leg.recording) {
                    self.answer_later(now, 100, Answer::Recorded(leg, ticket, kept));
                }
            }
            News::Closed(report) => {
                if let Some(heard) = self.heard(leg) {
                    heard.until = Some(now.instant);
                }
                let quality = Quality {
                    packets_received: report.received,
                    packets_sent: report.sent,
                    packets_lost: report.lost,
                    packets_lost_by_peer: report.lost_at_peer,
                    jitter_ms: report.jitter.as_secs_f64() * 1_000.0,
                    round_trip_ms: report.round_trip.map(|time| time.as_secs_f64() * 1_000.0),
                    mos: Some(report.quality.mos),
                    mos_at_peer: None,
                    course: vec![],
                    course_every_ms: 0,
                };
                self.leg_closed(now, leg, Some(quality));
            }
        }
    }

    fn heard(&mut self, leg: LegId) -> Option<&mut Heard> {
        self.heard.get_mut(self.ports.get(&leg)?)
    }

    fn leg_closed(&mut self, now: Now, leg: LegId, quality: Option<Quality>) {
        match self.legs.get_mut(&leg) {
            Some(state) if state.recording.is_some() => state.last = Some(quality),
            Some(_) | None => {
                self.legs.remove(&leg);
                self.voice.handle_leg_closed(now, leg, quality);
            }
        }
    }

    fn answer_later(&mut self, now: Now, within_ms: u64, answer: Answer) {
        let wait = Duration::from_millis(self.random.random_range(0..=within_ms));
        self.later.push((now.instant + wait, answer));
    }

    fn perform_sip(&mut self, now: Now, output: endpoint::Output) {
        match output {
            endpoint::Output::Transmit { flow, bytes, .. } => {
                bytes.hash(&mut self.history);
                self.sent.push((flow, bytes));
            }
            endpoint::Output::Call(event) => {
                format!("{event:?}").hash(&mut self.history);
                self.count(&event);
                self.voice.handle_call(now, event);
            }
            endpoint::Output::Ask { .. }
            | endpoint::Output::Device(_)
            | endpoint::Output::Registration(_)
            | endpoint::Output::Ping(_)
            | endpoint::Output::Security(_)
            | endpoint::Output::Traced(_) => {}
        }
    }

    fn count(&mut self, event: &CallEvent) {
        match event {
            CallEvent::Incoming { call, invite } => {
                self.ends.insert(*call, 0);
                self.call_ids.insert(*call, invite.sip_call_id.clone());
                self.from_device += usize::from(matches!(invite.origin, Origin::Device(_)));
            }
            CallEvent::Ended { call, .. } => {
                *self.ends.get_mut(call).expect("a call that began") += 1;
            }
            CallEvent::Ringing { call }
            | CallEvent::EarlyMedia { call, .. }
            | CallEvent::Answered { call, .. }
            | CallEvent::Confirmed { call, .. }
            | CallEvent::Offered { call, .. }
            | CallEvent::OfferAnswered { call, .. }
            | CallEvent::OfferRejected { call, .. }
            | CallEvent::Info { call, .. }
            | CallEvent::Transfer { call, .. }
            | CallEvent::TransferProgress { call, .. } => {
                assert_eq!(self.ends.get(call), Some(&0), "{event:?} behind the end");
            }
        }
    }

    fn perform(&mut self, now: Now, output: Output) {
        match output {
            Output::Open { call, opened } => {
                let sip_call_id = opened.sip_call_id.clone();
                self.interactions.insert(sip_call_id, opened.id.clone());
                self.opening.push(call);
                self.changes.push_back(Change::InteractionOpened(opened));
            }
            Output::Save(change) => self.changes.push_back(change),
            Output::Live { .. } => {} // Nobody watches here.
            Output::Kept(_) => {}     // Nobody takes calls here.
            Output::Ask { .. } => {}  // Nobody writes here.
            Output::Sip(command) => self.perform_command(now, command),
            Output::Media(leg, command) => self.perform_media(now, leg, command),
            Output::Fetch { call, ticket, .. } => {
                let answer = if self.random.random_bool(0.5) {
                    Ok(Fetched {
                        status: 200,
                        body: b"{}".to_vec(),
                    })
                } else {
                    Err(FetchFailure::TimedOut)
                };
                // Some answers come later than the flow waits.
                self.answer_later(now, 1_500, Answer::Fetched(call, ticket, answer));
            }
        }
    }

    fn perform_command(&mut self, now: Now, command: SipCommand) {
        let at = now.instant;
        let endpoint = &mut self.endpoint;
        // A command to a call that has ended meanwhile is refused, and changes nothing.
        let _ = match command {
            SipCommand::Answer { call, sdp } => {
                let sip_call_id = self.call_ids.get(&call).expect("it came in");
                let interaction = self.interactions.get(sip_call_id).expect("opened before");
                assert!(
                    self.store.is_durable(interaction),
                    "{call} is answered before its record is durable"
                );
                self.answered += 1;
                endpoint.answer(at, call, sdp)
            }
            SipCommand::Reject {
                call,
                status,
                retry_after,
            } => {
                self.refused += 1;
                endpoint.reject(at, call, status, retry_after)
            }
            SipCommand::AcceptOffer { call, sdp } => endpoint.accept_offer(at, call, sdp),
            SipCommand::RejectOffer { call, status } => endpoint.reject_offer(at, call, status),
            SipCommand::Ring(call) => endpoint.ring(at, call),
            SipCommand::EarlyMedia { call, sdp } => endpoint.early_media(at, call, sdp),
            SipCommand::AcceptTransfer(call) => endpoint.accept_transfer(at, call),
            SipCommand::ReportTransfer { call, status } => {
                endpoint.report_transfer(at, call, status)
            }
            SipCommand::RefuseTransfer { call, status } => {
                endpoint.refuse_transfer(at, call, status)
            }
            SipCommand::HangUp { call, cause } => endpoint.hang_up(at, call, cause),
            SipCommand::Dial { leg, dial } => {
                let call = endpoint.dial(at, *dial);
                if let Ok(call) = call {
                    self.ends.insert(call, 0);
                }
                self.voice.handle_dialling(now, leg, call);
                Ok(())
            }
        };
    }

    fn perform_media(&mut self, now: Now, leg: LegId, command: MediaCommand) {
        match command {
            MediaCommand::Open { .. } => {
                // Once in a while there is no port left.
                let address = self.random.random_bool(0.98).then(|| {
                    self.port += 2;
                    SocketAddr::new(house::NODE, self.port)
                });
                self.ports.extend(address.map(|address| (leg, address)));
                self.voice
                    .handle_leg_opened(now, leg, address.map(Into::into));
            }
            MediaCommand::Start(config) => {
                let address = *self.ports.get(&leg).expect("opened before");
                let heard = Heard {
                    from: now.instant,
                    until: None,
                    keys: Vec::new(),
                };
                self.heard.insert(address, heard);
                let state = LegState {
                    codec: config.codec,
                    playing: None,
                    recording: None,
                    last: None,
                };
                self.legs.insert(leg, state);
                let seed = self.random.random();
                self.thread.order(leg, Command::Seat(address, config, seed));
            }
            MediaCommand::Reconfigure(config) => {
                self.thread.order(leg, Command::Reconfigure(config))
            }
            MediaCommand::Play {
                play,
                clips,
                repeat,
            } => self.play(now, leg, play, clips, repeat),
            MediaCommand::Stop => {
                if let Some(state) = self.legs.get_mut(&leg) {
                    state.playing = None;
                }
                self.thread.order(leg, Command::Stop);
            }
            MediaCommand::Record { ticket, .. } => {
                if let Some(state) = self.legs.get_mut(&leg) {
                    state.recording = Some(ticket);
                }
                self.thread.order(leg, Command::Record);
            }
            MediaCommand::StopRecording => self.thread.order(leg, Command::StopRecording),
            // The worlds are about what becomes of calls: nobody listens to their recordings.
            MediaCommand::RecordCall(_)
            | MediaCommand::PauseRecording
            | MediaCommand::ResumeRecording => {}
            MediaCommand::Hear(sources) => {
                self.joined += usize::from(!sources.is_empty());
                self.thread.order(leg, Command::Hear(sources));
            }
            MediaCommand::Press(key) => self.thread.order(leg, Command::Press(key)),
            MediaCommand::Close => {
                self.thread.order(leg, Command::Close);
                if !self.legs.contains_key(&leg) {
                    self.voice.handle_leg_closed(now, leg, None);
                }
            }
        }
    }

    fn play(&mut self, now: Now, leg: LegId, play: PlayId, clips: Vec<Clip>, repeat: bool) {
        let Some(state) = self.legs.get_mut(&leg) else {
            return;
        };
        state.playing = Some(Playing {
            play,
            clips,
            repeat,
        });
        if self.random.random_bool(0.8) {
            self.begin(now, leg, play);
        } else {
            // It has to be fetched first; what played before must not go on.
            self.thread.order(leg, Command::Stop);
            self.answer_later(now, 300, Answer::Loaded(leg, play));
        }
    }

    /// Plays what the leg is to play, if that is still this.
    fn begin(&mut self, now: Now, leg: LegId, play: PlayId) {
        let Some(state) = self.legs.get(&leg) else {
            return;
        };
        let Some(playing) = state.playing.as_ref().filter(|one| one.play == play) else {
            return;
        };
        let (codec, repeat) = (state.codec, playing.repeat);
        let shelf = &mut self.shelf;
        let items: Vec<_> = playing
            .clips
            .iter()
            .map(|clip| {
                let key = (clip.clone(), codec.name());
                let frames = || Arc::new(frames(clip, codec));
                shelf.entry(key).or_insert_with(frames).clone()
            })
            .collect();
        if items.is_empty() {
            if !repeat {
                self.voice.handle_played(now, leg, play);
            }
        } else {
            self.thread
                .order(leg, Command::Play(play, Playlist { items, repeat }));
        }
    }

    fn hand_over(&mut self, now: Now) {
        if self.changes.is_empty() {
            return;
        }
        let opening = std::mem::take(&mut self.opening);
        if !opening.is_empty() && self.store.room(&mut self.random) == Room::No {
            // The changes stay with us until there is room; new calls are not taken meanwhile.
            self.later.push((now.instant, Answer::NotOpened(opening)));
            self.later.push((now.instant + WRITER_RETRY, Answer::Room));
            return;
        }
        let changes = std::mem::take(&mut self.changes).into();
        self.store
            .hand_over(now.instant, changes, opening, &mut self.random);
    }

    /// What must be true when the world has come to rest. Returns how many interactions there were.
    pub(super) fn check(&self) -> usize {
        assert_eq!(self.voice.calls(), 0);
        assert_eq!(self.voice.waiting(), 0);
        assert_eq!(self.voice.legs(), 0);
        assert_eq!(self.voice.poll_timeout(), None);
        assert_eq!(self.endpoint.calls(), 0);
        assert_eq!(self.endpoint.transactions(), 0);
        assert_eq!(self.endpoint.deadlines(), 0);
        assert_eq!(self.thread.legs(), 0);
        assert!(self.legs.is_empty());
        for (call, ends) in &self.ends {
            assert_eq!(*ends, 1, "{call}");
        }
        assert!(self.changes.is_empty());
        self.store.check()
    }
}

/// What a clip sounds like here: a tone whose length follows from its name.
fn frames(clip: &Clip, codec: Codec) -> Frames {
    let name = format!("{clip:?}");
    let count = 10 + name.len() % 30;
    let samples = codec.frame_samples() * count;
    let pcm: Vec<i16> = (0..samples)
        .map(|at| if at % 16 < 8 { 1_000 } else { -1_000 })
        .collect();
    Frames::encode(codec, &pcm)
}

/// Sooner than in life: a world without a peer is a long one.
const INACTIVITY: Duration = Duration::from_secs(15);

/// Ports are never used twice, so that a port names a leg.
const PORT_FIRST: u16 = 20_000;

/// Less than this is no message.
const FRAMES_MIN: u32 = 25;

/// How soon a full writer is asked again.
const WRITER_RETRY: Duration = Duration::from_millis(20);

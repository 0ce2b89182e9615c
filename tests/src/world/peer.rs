//! A carrier or a telephone: a real endpoint and real legs, and somebody who uses them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use media_engine::codec::Codec;
use media_engine::dtmf::Key;
use media_engine::leg::{LegConfig, LegId};
use media_engine::rtp::srtp::Secret;
use media_engine::sdp::negotiate::{Encryption, LocalMedia, Negotiation};
use media_engine::sdp::{Direction, MediaParameters};
use media_engine::sip::call::{CallEvent, Caller, Cause, Dial, Target};
use media_engine::sip::endpoint::{Endpoint, Output};
use media_engine::sip::{CallId, Flow, TrunkId};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::house;
use super::media::{Command, News, Thread};

/// What somebody does when a time has come.
#[derive(Debug)]
pub(super) enum Act {
    Dial(&'static str),
    Ring(CallId),
    Answer(CallId),
    Reject(CallId),
    Press(CallId, Key),
    Hold(CallId),
    Resume(CallId),
    HangUp(CallId),
}

/// How people in this world behave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manners {
    /// They cancel, put on hold, refuse, and hang up in the middle of a word.
    pub(super) restless: bool,
}

/// One key that was pressed.
pub(super) struct Press {
    pub(super) at: Instant,
    pub(super) key: Key,
}

/// One call, as the peer knows it.
pub(super) struct Story {
    negotiation: Negotiation,
    leg: LegId,
    local: SocketAddr,
    seated: bool,
    /// Our answer to an offer that was not taken yet.
    answer: Option<Bytes>,
    pub(super) ends: usize,
    pub(super) answered: bool,
    /// Where its media go: the port of a leg of Ramal's.
    pub(super) remote: Option<SocketAddr>,
    pub(super) presses: Vec<Press>,
    /// When its own leg was closed.
    pub(super) until: Option<Instant>,
}

/// A carrier or a telephone.
pub(super) struct Peer {
    pub(super) endpoint: Endpoint,
    pub(super) thread: Thread,
    pub(super) calls: BTreeMap<CallId, Story>,
    pub(super) later: Vec<(Instant, Act)>,
    pub(super) sent: Vec<(Flow, Bytes)>,
    place: usize,
    manners: Manners,
    legs: u64,
    random: StdRng,
}

impl Peer {
    pub(super) fn new(now: Instant, place: usize, seed: u64, manners: Manners) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let config = house::endpoint(house::host(place));
        let mut endpoint = Endpoint::new(now, config, random.random());
        endpoint.set_trunks(now, vec![house::ramal(place)]);
        Self {
            endpoint,
            thread: Thread::default(),
            calls: BTreeMap::new(),
            later: Vec::new(),
            sent: Vec::new(),
            place,
            manners,
            legs: 0,
            random,
        }
    }

    /// It is late: the telephone unregisters, nobody calls any more.
    pub(super) fn go_home(&mut self, now: Instant) {
        self.endpoint.set_trunks(now, Vec::new());
    }

    pub(super) fn turn(&mut self, now: Instant) {
        while let Some((leg, news)) = self.thread.news.pop_front() {
            if let News::Closed(_) = news
                && let Some(story) = self.calls.values_mut().find(|story| story.leg == leg)
            {
                story.until = Some(now);
            }
        }
        self.endpoint.handle_timeout(now);
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Transmit { flow, bytes, .. } => self.sent.push((flow, bytes)),
                Output::Call(event) => self.hear(now, event),
                Output::Ask { .. }
                | Output::Device(_)
                | Output::Registration(_)
                | Output::Ping(_)
                | Output::Security(_)
                | Output::Traced(_) => {}
            }
        }
    }

    pub(super) fn act(&mut self, now: Instant, act: Act) {
        // A command to a call that ended meanwhile is refused, and changes nothing.
        match act {
            Act::Dial(number) => self.dial(now, number),
            Act::Ring(call) => {
                let _ = self.endpoint.ring(now, call);
            }
            Act::Answer(call) => self.answer(now, call),
            Act::Reject(call) => {
                let _ = self.endpoint.reject(now, call, 486, None);
            }
            Act::Press(call, key) => {
                if let Some(story) = self.calls.get_mut(&call)
                    && story.seated
                    && story.ends == 0
                {
                    story.presses.push(Press { at: now, key });
                    self.thread.order(story.leg, Command::Press(key));
                }
            }
            Act::Hold(call) => self.offer(now, call, Direction::SendOnly),
            Act::Resume(call) => self.offer(now, call, Direction::SendRecv),
            Act::HangUp(call) => {
                let _ = self.endpoint.hang_up(now, call, Cause::Normal);
            }
        }
    }

    fn plan(&mut self, now: Instant, from_ms: u64, until_ms: u64, act: Act) {
        let wait = Duration::from_millis(self.random.random_range(from_ms..until_ms));
        self.later.push((now + wait, act));
    }

    fn chance(&mut self, permille: u32) -> bool {
        self.random.random_range(0..1000) < permille
    }

    fn story(&mut self) -> Story {
        self.legs += 1;
        let port = 30_000 + 2 * u16::try_from(self.legs).expect("few calls");
        let local = SocketAddr::new(house::host(self.place), port);
        let mut codecs = vec![Codec::Pcma, Codec::Pcmu, Codec::G722];
        codecs.rotate_left(self.random.random_range(0..3));
        codecs.truncate(self.random.random_range(1..=3));
        let mut secret = [0; Secret::BYTES];
        self.random.fill(&mut secret);
        let encryption = match self.random.random_range(0..10) {
            0 => Encryption::Required(Secret::from_bytes(secret)),
            1 => Encryption::Optional(Secret::from_bytes(secret)),
            _ => Encryption::Off,
        };
        let media = LocalMedia {
            session_id: self.legs,
            address: local.ip(),
            port,
            rtcp_mux: self.chance(300),
            codecs,
            prefer: None,
            direction: Direction::SendRecv,
            encryption,
            browser: None,
            signalling: house::NODE,
        };
        Story {
            negotiation: Negotiation::new(media),
            leg: LegId(self.legs),
            local,
            seated: false,
            answer: None,
            ends: 0,
            answered: false,
            remote: None,
            presses: Vec::new(),
            until: None,
        }
    }

    fn dial(&mut self, now: Instant, number: &str) {
        let mut story = self.story();
        let dial = Dial {
            target: Target::Trunk {
                trunk: TrunkId("ramal".into()),
                number: number.to_owned(),
            },
            caller: Caller {
                number: house::NAMES[self.place].to_owned(),
                ..Caller::default()
            },
            offer: story.negotiation.offer(),
            ring_limit: RING_LIMIT,
            referral: None,
        };
        let call = self.endpoint.dial(now, dial).expect("Ramal has an address");
        self.calls.insert(call, story);
        if self.manners.restless && self.chance(150) {
            self.plan(now, 0, 600, Act::HangUp(call));
        }
    }

    fn answer(&mut self, now: Instant, call: CallId) {
        let Some(story) = self.calls.get_mut(&call) else {
            return;
        };
        // What was offered was read when it came.
        let Some(sdp) = story.answer.take() else {
            return;
        };
        if self.endpoint.answer(now, call, sdp).is_ok() {
            story.answered = true;
        }
    }

    fn offer(&mut self, now: Instant, call: CallId, direction: Direction) {
        let Some(story) = self.calls.get_mut(&call) else {
            return;
        };
        let before = story.negotiation.clone();
        story.negotiation.local_mut().direction = direction;
        if direction == Direction::SendRecv {
            // Back with another taste.
            story.negotiation.local_mut().codecs.rotate_left(1);
        }
        let sdp = story.negotiation.offer();
        if self.endpoint.offer(now, call, sdp).is_err() {
            story.negotiation = before; // The one before is still under way.
        }
    }

    fn hear(&mut self, now: Instant, event: CallEvent) {
        match event {
            CallEvent::Incoming { call, invite } => {
                let mut story = self.story();
                let offer = invite.offer.expect("Ramal offers");
                match story.negotiation.answer(&offer) {
                    Ok(answer) => {
                        story.answer = Some(answer.sdp);
                        self.calls.insert(call, story);
                        self.seat(call, &answer.media);
                        self.think(now, call);
                    }
                    Err(error) => {
                        self.calls.insert(call, story);
                        let _ = self.endpoint.reject(now, call, error.status(), None);
                    }
                }
            }
            CallEvent::Answered { call, sdp, .. } => {
                let story = self.known(call);
                assert!(!story.answered, "answered twice");
                story.answered = true;
                let sdp = sdp.expect("Ramal offers nothing before it answers");
                match story.negotiation.read_answer(&sdp) {
                    Ok(media) => {
                        self.seat(call, &media);
                        self.talk(now, call);
                    }
                    Err(error) => panic!("Ramal answered what was not offered: {error}"),
                }
            }
            CallEvent::Confirmed { call, .. } => self.talk(now, call),
            CallEvent::Offered { call, sdp } => {
                let offer = sdp.expect("Ramal offers");
                let story = self.known(call);
                if let Ok(answer) = story.negotiation.answer(&offer) {
                    self.seat(call, &answer.media);
                    let _ = self.endpoint.accept_offer(now, call, answer.sdp);
                }
            }
            CallEvent::OfferAnswered { call, sdp } => {
                let story = self.known(call);
                let media = story.negotiation.read_answer(&sdp);
                let media = media.expect("Ramal answers what was offered");
                self.seat(call, &media);
            }
            CallEvent::Ended { call, .. } => {
                let story = self.known(call);
                story.ends += 1;
                let leg = story.leg;
                self.thread.order(leg, Command::Close);
            }
            CallEvent::Ringing { call }
            | CallEvent::EarlyMedia { call, .. }
            | CallEvent::OfferRejected { call, .. }
            | CallEvent::Info { call, .. }
            | CallEvent::Transfer { call, .. }
            | CallEvent::TransferProgress { call, .. } => {
                self.known(call);
            }
        }
    }

    /// A call of which something is told: it is not over.
    fn known(&mut self, call: CallId) -> &mut Story {
        let story = self.calls.get_mut(&call).expect("a call that began");
        assert_eq!(story.ends, 0, "{call} goes on behind its end");
        story
    }

    /// Takes what was agreed on.
    fn seat(&mut self, call: CallId, media: &MediaParameters) {
        let seed = self.random.random();
        let story = self.known(call);
        let config = Box::new(LegConfig::from(media));
        story.remote = story.remote.or(media.remote);
        let (leg, local) = (story.leg, story.local);
        let command = if std::mem::replace(&mut story.seated, true) {
            Command::Reconfigure(config)
        } else {
            Command::Seat(local, config, seed)
        };
        self.thread.order(leg, command);
    }

    /// What somebody does who is called.
    fn think(&mut self, now: Instant, call: CallId) {
        if self.chance(700) {
            self.plan(now, 0, 1_000, Act::Ring(call));
        }
        match self.random.random_range(0..10) {
            0 | 1 => self.plan(now, 100, 3_000, Act::Reject(call)),
            // Nobody is at home: at last the telephone itself gives up, should the caller be gone.
            2 => self.plan(now, PATIENCE_MS, PATIENCE_MS + 100, Act::Reject(call)),
            _ => self.plan(now, 100, 4_000, Act::Answer(call)),
        }
    }

    /// What somebody does who talks.
    fn talk(&mut self, now: Instant, call: CallId) {
        let mut at_ms = 300;
        for _ in 0..self.random.random_range(0..6) {
            let key = KEYS[self.random.random_range(0..KEYS.len())];
            let key = Key::from_char(key).expect("a key");
            self.plan(now, at_ms, at_ms + 700, Act::Press(call, key));
            at_ms += self.random.random_range(1_000..3_500);
        }
        let end_ms = if self.manners.restless {
            if self.chance(250) {
                self.plan(now, 100, 5_000, Act::Hold(call));
                self.plan(now, 5_000, 9_000, Act::Resume(call));
            }
            self.random.random_range(50..20_000)
        } else {
            at_ms + 4_000
        };
        // Some leave the end to the other party or to the flow, for as long as anybody listens.
        let leaves = self.manners.restless && self.chance(200);
        let end_ms = if leaves { PATIENCE_MS } else { end_ms };
        self.plan(now, end_ms, end_ms + 100, Act::HangUp(call));
    }

    /// What must be true when the world has come to rest.
    pub(super) fn check(&self) {
        assert_eq!(self.endpoint.calls(), 0);
        assert_eq!(self.endpoint.transactions(), 0);
        assert_eq!(self.endpoint.deadlines(), 0);
        assert_eq!(self.thread.legs(), 0);
        for (call, story) in &self.calls {
            assert_eq!(story.ends, 1, "{call} at {}", house::NAMES[self.place]);
        }
    }
}

/// What people press: mostly what leads somewhere.
const KEYS: [char; 14] = [
    '1', '1', '2', '2', '2', '3', '4', '5', '5', '6', '#', '*', '9', '0',
];

/// How long a caller waits for an answer.
const RING_LIMIT: Duration = Duration::from_secs(20);

/// When even the patient hang up, and telephones stop ringing: two of them would talk for ever.
const PATIENCE_MS: u64 = 45_000;

//! The whole product in virtual time, from one seed.
//!
//! ```text
//!   Peer (carrier, telephone)            bad network             Node (Ramal)
//!   real Endpoint ◀── SIP: lost, late, doubled, overtaken ──▶ real Endpoint ◀─▶ real Voice
//!   real Legs     ◀── RTP and RTCP, likewise ───────────────▶ real Legs          │
//!   somebody who dials, presses, holds, hangs up                   Store: durable later, or not
//! ```
//!
//! Nothing here knows a clock, a thread or a socket. Joining endpoint, exchange and legs is done
//! as the program does it; what a thread, a disk and a network do is played by [`Network`], the
//! store and the media thread of this module, each with a chance of its own drawn from the seed.
//! Opus and G.729 are left out: they cost more time than they would show here.

mod house;
mod media;
mod network;
mod node;
mod peer;
mod store;

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ivr::Now;
use jiff::Timestamp;
use media_engine::sip::{Flow, Transport};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

pub use house::{CARRIER, PHONE};
pub use network::{Missing, Network, Outage};

use media::Sent;
use node::{Answer, Node};
use peer::{Act, Manners, Peer, Story};

/// What kind of world it is.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// How many calls the peers place.
    pub calls: usize,
    /// The way of SIP.
    pub sip: Network,
    /// The way of RTP and RTCP.
    pub media: Network,
    /// What does not get through for a time.
    pub outage: Option<Outage>,
    /// Groups of a thousand that the store refuses or loses, of those that open calls.
    pub refuse_permille: u32,
    /// Whether people cancel, hold, and hang up at any moment.
    pub restless: bool,
}

impl Scenario {
    /// Anything that a day on the Internet may bring.
    pub fn any(random: &mut impl Rng) -> Self {
        let bad = |random: &mut dyn rand::RngCore| Network {
            loss_permille: [0, 20, 100, 300][random.random_range(0..4)],
            duplicate_permille: [0, 100][random.random_range(0..2)],
            delay_max: Duration::from_millis([1, 60, 250, 1_200][random.random_range(0..4)]),
        };
        let outage = Outage {
            peer: random.random_range(0..2),
            missing: [Missing::All, Missing::Acks][random.random_range(0..2)],
            from: Duration::from_millis(random.random_range(0..8_000)),
            lasts: Duration::from_secs([2, 20, 10_000][random.random_range(0..3)]),
        };
        Self {
            calls: random.random_range(1..=3),
            sip: bad(random),
            media: bad(random),
            outage: random.random_bool(0.3).then_some(outage),
            refuse_permille: [0, 0, 0, 300][random.random_range(0..4)],
            restless: true,
        }
    }

    /// SIP works, media lose at most a tenth, and nobody hangs up in the middle of a key.
    pub fn keys(random: &mut impl Rng) -> Self {
        Self {
            calls: random.random_range(1..=2),
            sip: Network::GOOD,
            media: Network {
                loss_permille: random.random_range(0..=100),
                duplicate_permille: [0, 100][random.random_range(0..2)],
                delay_max: Duration::from_millis([1, 30, 80][random.random_range(0..3)]),
            },
            outage: None,
            refuse_permille: 0,
            restless: false,
        }
    }
}

/// What happened in a world, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Calls of the peers.
    pub placed: usize,
    /// Calls that came from the telephone, proven by its password.
    pub from_device: usize,
    /// Calls that Ramal answered.
    pub answered: usize,
    /// Calls that Ramal refused.
    pub refused: usize,
    /// Calls that Ramal joined to another.
    pub joined: usize,
    /// Interactions that were remembered.
    pub interactions: usize,
    /// Keys pressed.
    pub pressed: usize,
    /// Keys that had to be heard, because nothing was in their way.
    pub owed: usize,
    /// Keys heard.
    pub heard: usize,
    /// How long it took until nothing was left, in virtual milliseconds.
    pub lasted_ms: u128,
    /// All that Ramal put out and all packets, in one number.
    pub history: u64,
}

enum Event {
    /// A datagram of SIP arrives at a peer, or at Ramal without one.
    Datagram {
        peer: Option<usize>,
        flow: Flow,
        bytes: Bytes,
    },
    Act(usize, Act),
    Answer(Answer),
}

/// The world.
pub struct World {
    start: Instant,
    now: Instant,
    scenario: Scenario,
    node: Node,
    peers: [Peer; 2],
    events: BTreeMap<(Instant, u64), Event>,
    /// The next visit of the media threads.
    beat: Instant,
    numbered: u64,
    is_late: bool,
    random: StdRng,
}

impl World {
    /// A world that begins at `start`; all its chance comes from `seed`.
    pub fn new(start: Instant, seed: u64, scenario: impl Fn(&mut StdRng) -> Scenario) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let scenario = scenario(&mut random);
        let manners = Manners {
            restless: scenario.restless,
        };
        let node = Node::new(start, random.random(), scenario.refuse_permille);
        let peers = [CARRIER, PHONE].map(|place| Peer::new(start, place, random.random(), manners));
        let mut world = Self {
            start,
            now: start,
            scenario,
            node,
            peers,
            events: BTreeMap::new(),
            beat: start + BEAT,
            numbered: 0,
            is_late: false,
            random,
        };
        for _ in 0..scenario.calls {
            let place = [CARRIER, CARRIER, PHONE][world.random.random_range(0..3)];
            let number = house::NUMBERS[world.random.random_range(0..house::NUMBERS.len())];
            let at = start + Duration::from_millis(world.random.random_range(1_000..5_000));
            world.plan(at, Event::Act(place, Act::Dial(number)));
        }
        world
    }

    /// Runs until nothing is under way and nobody waits for anything, and checks what must be true
    /// then.
    ///
    /// # Panics
    ///
    /// When the world does not come to rest, or something untrue is found.
    pub fn run(mut self) -> Summary {
        for _ in 0..STEPS_MAX {
            self.turn();
            let Some(next) = self.poll_timeout() else {
                return self.check();
            };
            self.now = self.now.max(next);
            self.step();
        }
        let Self { node, peers, .. } = &self;
        let endpoints = [
            &node.endpoint,
            &peers[CARRIER].endpoint,
            &peers[PHONE].endpoint,
        ];
        let legs = [&node.thread, &peers[CARRIER].thread, &peers[PHONE].thread];
        panic!(
            "the world does not come to rest in {STEPS_MAX} steps, {:?}: {endpoints:?}, legs {:?}, \
             calls {}, late {}, {:?}",
            self.now - self.start,
            legs.map(media::Thread::legs),
            node.voice.calls(),
            self.is_late,
            self.scenario,
        );
    }

    fn moment(&self) -> Now {
        let morning: Timestamp = MORNING.parse().expect("a time");
        Now {
            instant: self.now,
            wall: morning + (self.now - self.start),
        }
    }

    fn plan(&mut self, at: Instant, event: Event) {
        self.numbered += 1;
        self.events.insert((at, self.numbered), event);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let event = self.events.keys().next().map(|(at, _)| *at);
        let busy =
            self.node.thread.is_busy() || self.peers.iter().any(|peer| peer.thread.is_busy());
        let peers = self.peers.iter().map(|peer| peer.endpoint.poll_timeout());
        [event, busy.then_some(self.beat), self.node.poll_timeout()]
            .into_iter()
            .chain(peers)
            .flatten()
            .min()
    }

    fn step(&mut self) {
        let now = self.now;
        while let Some(entry) = self.events.first_entry().filter(|one| one.key().0 <= now) {
            match entry.remove() {
                Event::Datagram { peer, flow, bytes } => {
                    let endpoint = match peer {
                        Some(peer) => &mut self.peers[peer].endpoint,
                        None => &mut self.node.endpoint,
                    };
                    endpoint.handle_message(now, flow, bytes);
                }
                Event::Act(peer, act) => self.peers[peer].act(now, act),
                Event::Answer(answer) => {
                    let moment = self.moment();
                    self.node.handle_answer(moment, answer);
                }
            }
        }
        if self.beat <= now {
            self.beat(now);
        }
    }

    fn beat(&mut self, now: Instant) {
        // While nobody was there to visit, beats were left out.
        while self.beat <= now {
            self.beat += BEAT;
        }
        self.node.thread.visit(now);
        for sent in std::mem::take(&mut self.node.thread.sent) {
            sent.bytes.hash(&mut self.node.history);
            self.fly_media(sent);
        }
        for place in [CARRIER, PHONE] {
            self.peers[place].thread.visit(now);
            for sent in std::mem::take(&mut self.peers[place].thread.sent) {
                self.fly_media(sent);
            }
        }
    }

    /// Lets everybody do what they can do now, and gives what they sent to the network.
    fn turn(&mut self) {
        let moment = self.moment();
        self.node.turn(moment);
        for (at, answer) in std::mem::take(&mut self.node.later) {
            self.plan(at, Event::Answer(answer));
        }
        for (flow, bytes) in std::mem::take(&mut self.node.sent) {
            let peer = place_of(flow.remote).expect("Ramal knows nobody else");
            self.fly(Some(peer), peer, flow, &bytes);
        }
        for place in [CARRIER, PHONE] {
            self.peers[place].turn(self.now);
            for (at, act) in std::mem::take(&mut self.peers[place].later) {
                self.plan(at, Event::Act(place, act));
            }
            for (flow, bytes) in std::mem::take(&mut self.peers[place].sent) {
                self.fly(None, place, flow, &bytes);
            }
        }
        if !self.is_late && self.is_quiet() {
            self.is_late = true;
            for peer in &mut self.peers {
                peer.go_home(self.now);
            }
            self.turn();
        }
    }

    /// Whether all calls are over and no other will come.
    fn is_quiet(&self) -> bool {
        self.events.is_empty()
            && self.node.voice.calls() == 0
            && self.node.endpoint.calls() == 0
            && self.peers.iter().all(|peer| peer.endpoint.calls() == 0)
    }

    fn is_swallowed(&self, peer: usize, sip: Option<&[u8]>) -> bool {
        let outage = self.scenario.outage;
        outage.is_some_and(|outage| outage.swallows(self.start, self.now, peer, sip))
    }

    /// Gives a datagram of SIP to the network: to a peer, or from `place` to Ramal.
    fn fly(&mut self, to: Option<usize>, place: usize, flow: Flow, bytes: &Bytes) {
        if self.is_swallowed(place, Some(bytes)) {
            return;
        }
        for delay in self
            .scenario
            .sip
            .copies(&mut self.random)
            .into_iter()
            .flatten()
        {
            let flow = Flow {
                transport: Transport::Udp,
                local: flow.remote,
                remote: flow.local,
                connection: None,
            };
            let bytes = bytes.clone();
            let arrives = Event::Datagram {
                peer: to,
                flow,
                bytes,
            };
            self.plan(self.now + delay, arrives);
        }
    }

    /// Gives a datagram of media to the network.
    fn fly_media(&mut self, sent: Sent) {
        let (from, to) = (place_of(sent.from), place_of(sent.to));
        let Some(peer) = from.or(to) else {
            return; // Ramal to itself: no peer of ours asks for that.
        };
        if self.is_swallowed(peer, None) {
            return;
        }
        for delay in self
            .scenario
            .media
            .copies(&mut self.random)
            .into_iter()
            .flatten()
        {
            self.numbered += 1;
            let copy = Sent {
                from: sent.from,
                to: sent.to,
                bytes: sent.bytes.clone(),
            };
            let thread = match to {
                Some(peer) => &mut self.peers[peer].thread,
                None => &mut self.node.thread,
            };
            thread.deliver((self.now + delay, self.numbered), copy);
        }
    }

    fn check(&self) -> Summary {
        let mut summary = Summary {
            interactions: self.node.check(),
            from_device: self.node.from_device,
            answered: self.node.answered,
            refused: self.node.refused,
            joined: self.node.joined,
            lasted_ms: (self.now - self.start).as_millis(),
            history: self.node.history.finish(),
            ..Summary::default()
        };
        for peer in &self.peers {
            peer.check();
            summary.placed += peer.calls.len();
            for story in peer.calls.values() {
                self.check_keys(story, &mut summary);
            }
        }
        summary
    }

    /// Each key that was heard was pressed, once; each that nothing was in the way of was heard.
    fn check_keys(&self, story: &Story, summary: &mut Summary) {
        let ear = story.remote.and_then(|port| self.node.heard.get(&port));
        let mut heard = ear.map(|ear| ear.keys.clone()).unwrap_or_default();
        summary.heard += heard.len();
        let is_good = self.scenario.outage.is_none() && self.scenario.media.loss_permille <= 100;
        for press in &story.presses {
            let until = press.at + KEY_TIME;
            let found = heard
                .iter()
                .position(|(at, key)| *key == press.key && press.at <= *at && *at <= until);
            let owed = is_good
                && ear.is_some_and(|ear| {
                    ear.from <= press.at && ear.until.is_none_or(|end| end > until)
                })
                && story.until.is_none_or(|end| end > until);
            summary.pressed += 1;
            summary.owed += usize::from(owed);
            match found {
                Some(found) => {
                    heard.remove(found);
                }
                None => assert!(
                    !owed,
                    "{:?} was not heard, pressed {:?} after the beginning in {:?}",
                    press.key,
                    press.at - self.start,
                    self.scenario,
                ),
            }
        }
        assert!(heard.is_empty(), "nobody pressed these: {heard:?}");
    }
}

/// The peer at an address; `None` for Ramal.
fn place_of(address: SocketAddr) -> Option<usize> {
    [CARRIER, PHONE]
        .into_iter()
        .find(|place| house::host(*place) == address.ip())
}

/// A world that has not come to rest after so many steps never will: the longest calls take three
/// minutes of 50 visits a second, and few packets.
const STEPS_MAX: usize = 100_000;

/// Media threads visit each leg once in so long.
const BEAT: Duration = Duration::from_millis(20);

/// A key is heard within this time or not at all: 1.2 s on the way, and it lasts.
const KEY_TIME: Duration = Duration::from_millis(2_500);

/// It is Monday morning in Brazil, and the company opens: some calls come before, some after.
const MORNING: &str = "2026-11-23T10:59:57Z";

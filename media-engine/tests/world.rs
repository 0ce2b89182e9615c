//! Two endpoints and a bad network between them: whatever is lost, late, doubled or overtaken, each
//! call ends exactly once on each side, both sides agree about it, and nothing is left.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use media_engine::sip::call::{CallEvent, Caller, Cause, Dial, End, Party, ReferTo, Target};
use media_engine::sip::endpoint::{Endpoint, EndpointConfig, Listener, Output};
use media_engine::sip::trunk::{Address, Numbers, Trunk};
use media_engine::sip::{CallId, Flow, Transport, TrunkId};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// A world that has not come to rest after so many steps never will.
const STEPS_MAX: usize = 100_000;

/// What the network does to a datagram.
#[derive(Debug, Clone, Copy)]
struct Network {
    loss_permille: u32,
    duplicate_permille: u32,
    delay_max: Duration,
}

/// What a user does when a time has come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Dial,
    Ring(CallId),
    EarlyMedia(CallId),
    Answer(CallId),
    Reject(CallId, u16),
    Offer(CallId),
    Info(CallId),
    Refer(CallId),
    Report(CallId),
    HangUp(CallId),
}

/// One side: an endpoint and what its user has seen and done.
struct Side {
    endpoint: Endpoint,
    address: SocketAddr,
    /// The calls by what is known of each.
    calls: BTreeMap<CallId, Story>,
}

/// What happened to one call on one side.
#[derive(Debug, Default)]
struct Story {
    offered: Vec<Bytes>,
    answered: bool,
    took: bool,
    confirmed: bool,
    refused: Option<u16>,
    hung_up: bool,
    /// Whether it asked for a transfer and has not heard how that ended.
    refers: bool,
    end: Option<End>,
}

struct World {
    now: Instant,
    start: Instant,
    random: StdRng,
    network: Network,
    sides: [Side; 2],
    /// Datagrams under way, by when they arrive.
    flying: BTreeMap<(Instant, u64), (usize, Flow, Bytes)>,
    acts: BTreeSet<(Instant, usize, Act)>,
    sent: u64,
    /// Offers made, so that no two are alike.
    offers: u64,
    /// Transfers that worked, and those that failed, as those heard who asked for them.
    transfers: [usize; 2],
    seed: u64,
}

const CALLER: usize = 0;
const CALLEE: usize = 1;

fn address(side: usize) -> SocketAddr {
    let text = ["192.0.2.1:5060", "192.0.2.2:5060"][side];
    text.parse().expect("an address")
}

fn trunk(side: usize) -> Trunk {
    let peer = address(1 - side).ip().to_string();
    Trunk {
        id: TrunkId("peer".into()),
        company: "company".into(),
        name: "peer".into(),
        addresses: vec![Address {
            network: peer.parse().expect("a network"),
            transport: None,
        }],
        host: Some(peer),
        transport: Some(Transport::Udp),
        outbound_proxy: None,
        credentials: None,
        line: None,
        numbers: Numbers::default(),
        codecs: Vec::new(),
        calls_max: 1000,
        calls_per_second_max: 1000,
        trusted: true,
        ping: None,
    }
}

impl Side {
    fn new(now: Instant, side: usize, seed: [u8; 32]) -> Self {
        let config = EndpointConfig {
            listeners: vec![Listener {
                transport: Transport::Udp,
                local: address(side),
                public_host: address(side).ip().to_string(),
                public_port: 5060,
            }],
            ..EndpointConfig::default()
        };
        let mut endpoint = Endpoint::new(now, config, seed);
        endpoint.set_trunks(now, vec![trunk(side)]);
        Self {
            endpoint,
            address: address(side),
            calls: BTreeMap::new(),
        }
    }
}

impl World {
    /// The one clock read of this test: only differences count.
    #[allow(clippy::disallowed_methods)]
    fn new(seed: u64, calls: usize) -> Self {
        let start = Instant::now();
        let mut random = StdRng::seed_from_u64(seed);
        let network = Network {
            loss_permille: [0, 50, 150, 300][random.random_range(0..4)],
            duplicate_permille: [0, 100][random.random_range(0..2)],
            delay_max: Duration::from_millis([1, 80, 400, 1500][random.random_range(0..4)]),
        };
        let sides = [CALLER, CALLEE].map(|side| Side::new(start, side, random.random()));
        let mut world = Self {
            now: start,
            start,
            random,
            network,
            sides,
            flying: BTreeMap::new(),
            acts: BTreeSet::new(),
            sent: 0,
            offers: 0,
            transfers: [0; 2],
            seed,
        };
        for call in 0..calls {
            let at = start + Duration::from_millis(call as u64 * 700);
            world.acts.insert((at, CALLER, Act::Dial));
        }
        world
    }

    fn chance(&mut self, permille: u32) -> bool {
        self.random.random_range(0..1000) < permille
    }

    /// Has a user do something within `within_ms`.
    fn plan(&mut self, side: usize, within_ms: u64, act: Act) {
        let wait = self.random.random_range(0..=within_ms);
        let at = self.now + Duration::from_millis(wait);
        self.acts.insert((at, side, act));
    }

    /// Runs until nothing is under way and nobody waits for anything.
    fn run(&mut self) {
        for _ in 0..STEPS_MAX {
            for side in [CALLER, CALLEE] {
                self.drain(side);
            }
            let arrival = self.flying.keys().next().map(|(at, _)| *at);
            let act = self.acts.first().map(|(at, _, _)| *at);
            let timers = [CALLER, CALLEE].map(|side| self.sides[side].endpoint.poll_timeout());
            let next = [arrival, act, timers[0], timers[1]].into_iter().flatten();
            let Some(next) = next.min() else {
                return;
            };
            self.now = self.now.max(next);
            self.step();
        }
        panic!("seed {}: the world does not come to rest", self.seed);
    }

    fn step(&mut self) {
        let now = self.now;
        while let Some(entry) = self
            .flying
            .first_entry()
            .filter(|entry| entry.key().0 <= now)
        {
            let (side, flow, bytes) = entry.remove();
            self.sides[side].endpoint.handle_message(now, flow, bytes);
            self.drain(side);
        }
        while let Some((_, side, act)) = self.acts.first().cloned().filter(|(at, ..)| *at <= now) {
            self.acts.pop_first();
            self.act(side, act);
            self.drain(side);
        }
        for side in [CALLER, CALLEE] {
            let endpoint = &mut self.sides[side].endpoint;
            if endpoint.poll_timeout().is_some_and(|at| at <= now) {
                endpoint.handle_timeout(now);
            }
        }
    }

    fn drain(&mut self, side: usize) {
        while let Some(output) = self.sides[side].endpoint.poll_output() {
            match output {
                Output::Transmit { flow, bytes, .. } => self.fly(side, flow, &bytes),
                Output::Call(event) => self.hear(side, event),
                Output::Ask { .. }
                | Output::Device(_)
                | Output::Registration(_)
                | Output::Ping(_)
                | Output::Security(_)
                | Output::Traced(_) => {}
            }
        }
    }

    /// Gives a datagram to the network.
    fn fly(&mut self, from: usize, flow: Flow, bytes: &Bytes) {
        let to = 1 - from;
        assert_eq!(flow.remote, self.sides[to].address, "seed {}", self.seed);
        let copies = 1 + usize::from(self.chance(self.network.duplicate_permille));
        for _ in 0..copies {
            if self.chance(self.network.loss_permille) {
                continue;
            }
            let micros = u64::try_from(self.network.delay_max.as_micros()).unwrap_or(u64::MAX);
            let delay = Duration::from_micros(self.random.random_range(0..=micros));
            let flow = Flow {
                transport: Transport::Udp,
                local: self.sides[to].address,
                remote: self.sides[from].address,
                connection: None,
            };
            self.sent += 1;
            let at = (self.now + delay, self.sent);
            self.flying.insert(at, (to, flow, bytes.clone()));
        }
    }

    fn act(&mut self, side: usize, act: Act) {
        let now = self.now;
        self.offers += 1;
        let sdp = Bytes::from(format!("v=0 offer {}", self.offers));
        let Side {
            endpoint, calls, ..
        } = &mut self.sides[side];
        // A command to a call that ended meanwhile is refused, and changes nothing.
        match act {
            Act::Dial => {
                let dial = Dial {
                    target: Target::Trunk {
                        trunk: TrunkId("peer".into()),
                        number: "4000".into(),
                    },
                    caller: Caller::default(),
                    offer: sdp.clone(),
                    ring_limit: Duration::from_secs(40),
                    referral: None,
                };
                let call = endpoint.dial(now, dial).expect("a good target");
                calls.entry(call).or_default().offered.push(sdp);
                if self.chance(150) {
                    self.plan(side, 20_000, Act::HangUp(call));
                }
            }
            Act::Ring(call) => {
                endpoint.ring(now, call).ok();
            }
            Act::EarlyMedia(call) => {
                let answer = answer_to(calls, call);
                endpoint.early_media(now, call, answer).ok();
            }
            Act::Answer(call) => {
                let answer = answer_to(calls, call);
                if endpoint.answer(now, call, answer).is_ok() {
                    calls.entry(call).or_default().took = true;
                }
            }
            Act::Reject(call, status) => {
                if endpoint.reject(now, call, status, None).is_ok() {
                    calls.entry(call).or_default().refused = Some(status);
                }
            }
            Act::Offer(call) => {
                if endpoint.offer(now, call, sdp.clone()).is_ok() {
                    calls.entry(call).or_default().offered.push(sdp);
                }
            }
            Act::Info(call) => {
                endpoint.send_info(now, call, "application/dtmf", b"5").ok();
            }
            Act::Refer(call) => {
                let to = ReferTo::Uri("sip:4001@192.0.2.3".into());
                if endpoint.refer(now, call, &to, None).is_ok() {
                    calls.entry(call).or_default().refers = true;
                }
            }
            Act::Report(call) => {
                endpoint.report_transfer(now, call, 200).ok();
            }
            Act::HangUp(call) => {
                if endpoint.hang_up(now, call, Cause::Normal).is_ok() {
                    calls.entry(call).or_default().hung_up = true;
                }
            }
        }
    }

    fn hear(&mut self, side: usize, event: CallEvent) {
        let seed = self.seed;
        let call = call_of(&event);
        let story = self.sides[side].calls.entry(call).or_default();
        assert_eq!(story.end, None, "seed {seed}: {event:?} after the end");
        match event {
            CallEvent::Incoming { invite, .. } => {
                story.offered.push(invite.offer.expect("our callers offer"));
                self.think(side, call);
            }
            CallEvent::Ringing { .. } | CallEvent::Info { .. } => {}
            CallEvent::Transfer { .. } => {
                let now = self.now;
                let accepted = self.sides[side].endpoint.accept_transfer(now, call);
                assert_eq!(accepted, Ok(()), "seed {seed}");
                self.plan(side, 3_000, Act::Report(call));
            }
            CallEvent::TransferProgress { status, .. } => {
                assert!(story.refers, "seed {seed}: news of no transfer");
                story.refers = status < 200;
                self.transfers[usize::from(status >= 300)] += usize::from(status >= 200);
            }
            CallEvent::EarlyMedia { sdp, .. } => assert_answer(seed, story, &sdp),
            CallEvent::Answered { sdp, .. } => {
                assert!(!story.answered, "seed {seed}: answered twice");
                story.answered = true;
                assert_answer(seed, story, &sdp.expect("our callees make no offer before"));
                self.talk(side, call);
            }
            CallEvent::Confirmed { .. } => {
                assert!(!story.confirmed, "seed {seed}: confirmed twice");
                story.confirmed = true;
                self.talk(side, call);
            }
            CallEvent::Offered { sdp, .. } => {
                let offer = sdp.expect("our peers offer");
                let now = self.now;
                let endpoint = &mut self.sides[side].endpoint;
                let accepted = endpoint.accept_offer(now, call, answer(&offer));
                assert_eq!(accepted, Ok(()), "seed {seed}");
            }
            CallEvent::OfferAnswered { sdp, .. } => assert_answer(seed, story, &sdp),
            CallEvent::OfferRejected { .. } => {}
            CallEvent::Ended { end, .. } => story.end = Some(end),
        }
    }

    /// What a callee does with a call.
    fn think(&mut self, side: usize, call: CallId) {
        if self.chance(500) {
            self.plan(side, 2_000, Act::Ring(call));
        }
        if self.chance(300) {
            self.plan(side, 4_000, Act::EarlyMedia(call));
        }
        match self.random.random_range(0..10) {
            0 => self.plan(side, 6_000, Act::Reject(call, 486)),
            1 => {} // nobody is at home
            _ => self.plan(side, 6_000, Act::Answer(call)),
        }
    }

    /// What the two do while they talk.
    fn talk(&mut self, side: usize, call: CallId) {
        for _ in 0..self.random.random_range(0..3) {
            self.plan(side, 8_000, Act::Offer(call));
            self.plan(side, 8_000, Act::Info(call));
        }
        if self.chance(200) {
            self.plan(side, 8_000, Act::Refer(call));
        }
        // Some calls outlive a few refreshes; in others nobody ever hangs up but one side.
        let long = if self.chance(100) { 4_000_000 } else { 20_000 };
        if side == CALLER || self.chance(500) {
            self.plan(side, long, Act::HangUp(call));
        }
    }

    /// What must be true of every world that came to rest.
    fn check(&self) {
        let seed = self.seed;
        for side in &self.sides {
            assert_eq!(side.endpoint.calls(), 0, "seed {seed}");
            assert_eq!(side.endpoint.transactions(), 0, "seed {seed}");
            assert_eq!(side.endpoint.deadlines(), 0, "seed {seed}");
            for (call, story) in &side.calls {
                assert!(story.end.is_some(), "seed {seed}: call {call} has no end");
            }
        }
        let (caller, callee) = (&self.sides[CALLER].calls, &self.sides[CALLEE].calls);
        for story in caller.values() {
            self.check_pair(story, callee);
        }
        assert!(
            callee.len() <= caller.len(),
            "seed {seed}: a call from nowhere"
        );
    }

    /// Both sides must tell the same story of one call.
    fn check_pair(&self, caller: &Story, callees: &BTreeMap<CallId, Story>) {
        let seed = self.seed;
        let end = caller.end.as_ref().expect("checked before");
        let same = |story: &&Story| story.offered.first() == caller.offered.first();
        let Some(callee) = callees.values().find(same) else {
            assert!(!caller.answered, "seed {seed}: answered by nobody");
            return;
        };
        if caller.answered {
            assert!(callee.took, "seed {seed}: answered by nobody");
        }
        if callee.confirmed {
            assert!(
                caller.answered || caller.hung_up || end.status == Some(408),
                "seed {seed}"
            );
        }
        if let (Party::Peer, Some(status)) = (end.by, end.status) {
            let theirs = callee
                .refused
                .or(callee.end.as_ref().and_then(|end| end.status));
            assert_eq!(theirs, Some(status), "seed {seed}");
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

fn answer(offer: &Bytes) -> Bytes {
    [b"v=0 answer to ", &offer[..]].concat().into()
}

fn answer_to(calls: &BTreeMap<CallId, Story>, call: CallId) -> Bytes {
    let offer = calls.get(&call).and_then(|story| story.offered.first());
    answer(offer.expect("an inbound call had an offer"))
}

/// An answer must be to the last offer that this side made.
fn assert_answer(seed: u64, story: &Story, sdp: &Bytes) {
    let last = story.offered.last().expect("an answer follows an offer");
    assert_eq!(
        *sdp,
        answer(last),
        "seed {seed}: an answer to another offer"
    );
}

#[test]
fn every_call_ends_once_on_each_side_and_leaves_nothing() {
    let (mut answered, mut refused, mut lost, mut transferred) = (0, 0, 0, 0);
    for seed in 0..1000 {
        let mut world = World::new(seed, 1 + usize::try_from(seed % 3).expect("small"));
        world.run();
        world.check();
        transferred += world.transfers[0];
        for story in world.sides[CALLER].calls.values() {
            answered += usize::from(story.answered);
            let end = story.end.as_ref().expect("checked");
            refused += usize::from(end.by == Party::Peer && end.status.is_some());
            lost += usize::from(end.by == Party::Network);
        }
    }
    // The world is rich enough to mean something.
    assert!(answered > 500, "{answered} calls were answered");
    assert!(refused > 50, "{refused} calls were refused");
    assert!(lost > 50, "{lost} calls met silence");
    assert!(transferred > 50, "{transferred} transfers worked");
}

#[test]
fn on_a_good_network_nothing_is_repeated_and_each_call_is_answered() {
    let mut world = World::new(7, 3);
    world.network = Network {
        loss_permille: 0,
        duplicate_permille: 0,
        delay_max: Duration::from_millis(1),
    };
    world.run();
    world.check();
    assert!(world.now > world.start);
}

#[test]
fn the_same_seed_makes_the_same_world() {
    let run = |seed| {
        let mut world = World::new(seed, 2);
        world.run();
        (world.sent, world.now - world.start)
    };
    assert_eq!(run(42), run(42));
}

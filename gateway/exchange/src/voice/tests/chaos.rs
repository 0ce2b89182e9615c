//! Customers, agents, supervisors and telephones do what they like, in any order, under a seed:
//! whatever they do, each call ends once and nothing is left behind.

use desk::id::InteractionId;
use media_engine::sip::AccountId;
use media_engine::sip::call::Replaced;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::agents::{agent, company, staffed};
use super::*;
use crate::directory::{CallRules, Recording as Recorded};
use crate::voice::{Attention, CallOrder, Destination, Tape, Wish};

const AGENTS: &[&str] = &["ana", "bruno", "carla"];

/// How a SIP call stands at the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sip {
    /// It came in and was not answered.
    Asked,
    /// We answered, and the ACK is to come.
    Answered,
    /// We placed it.
    Placed,
    Up,
    /// We want its end.
    Ending,
}

struct World {
    scene: Scene,
    random: StdRng,
    sips: BTreeMap<CallId, Sip>,
    next_sip: u64,
    plays: BTreeMap<LegId, PlayId>,
    open: BTreeSet<LegId>,
    started: BTreeSet<LegId>,
    opened: BTreeSet<InteractionId>,
    ended: BTreeSet<InteractionId>,
    /// What has happened at all.
    kinds: BTreeSet<TrailKind>,
    surveyed: bool,
    history: Vec<String>,
}

impl World {
    fn new(seed: u64) -> Self {
        let team: Vec<(&str, &[&str])> = vec![
            ("ana", &["ana-phone", "ana-mobile"]),
            ("bruno", &["bruno-phone"]),
            ("carla", &["carla-phone"]),
        ];
        let mut scene = staffed(&team);
        let mut directory = Directory::clone(&scene.voice.shared.directory);
        let mut changed = Company::clone(&directory.companies[&company()]);
        for service in changed.services.values_mut() {
            service.line_max = 50;
            service.calls = CallRules {
                recording: Recorded::Always,
                survey: Some("menu".parse().expect("an id")),
                callback_key: ivr::Key::new('7'),
                ..CallRules::default()
            };
        }
        directory.companies.insert(company(), Arc::new(changed));
        scene.voice.set_directory(scene.now, Arc::new(directory));
        Self {
            scene,
            random: StdRng::seed_from_u64(seed),
            sips: BTreeMap::new(),
            next_sip: 1,
            plays: BTreeMap::new(),
            open: BTreeSet::new(),
            started: BTreeSet::new(),
            opened: BTreeSet::new(),
            ended: BTreeSet::new(),
            kinds: BTreeSet::new(),
            surveyed: false,
            history: vec![],
        }
    }

    fn now(&self) -> Now {
        self.scene.now
    }

    fn new_sip(&mut self, stands: Sip) -> CallId {
        let sip = CallId(1_000 + self.next_sip);
        self.next_sip += 1;
        self.sips.insert(sip, stands);
        sip
    }

    /// Does what the voice side wants, as a shell does.
    fn settle(&mut self) {
        while let Some(output) = self.scene.voice.poll_output() {
            self.history
                .push(format!("    {output:?}").chars().take(160).collect());
            self.perform(output);
        }
    }

    fn perform(&mut self, output: Output) {
        let now = self.now();
        match output {
            Output::Open { call, opened } => {
                assert!(self.opened.insert(opened.id.clone()), "opened twice");
                if self.random.random_bool(0.97) {
                    self.scene.voice.handle_opened(now, call, "1".into(), None);
                } else {
                    self.scene.voice.handle_not_opened(now, call);
                }
            }
            Output::Save(Change::InteractionUpdated { trail, .. }) => {
                self.kinds.extend(trail.iter().map(|line| line.kind));
            }
            Output::Save(Change::InteractionEnded {
                interaction, trail, ..
            }) => {
                self.kinds.extend(trail.iter().map(|line| line.kind));
                assert!(self.ended.insert(interaction), "ended twice");
            }
            Output::Save(Change::SurveyAnswered(_)) => self.surveyed = true,
            Output::Sip(command) => self.perform_sip(command),
            Output::Media(leg, command) => self.perform_media(leg, command),
            _ => {}
        }
    }

    fn perform_sip(&mut self, command: SipCommand) {
        match command {
            SipCommand::Answer { call, .. } => {
                if let Some(stands @ Sip::Asked) = self.sips.get_mut(&call) {
                    *stands = Sip::Answered;
                }
            }
            SipCommand::Reject { call, .. } | SipCommand::HangUp { call, .. } => {
                if let Some(stands) = self.sips.get_mut(&call) {
                    *stands = Sip::Ending;
                }
            }
            SipCommand::Dial { leg, .. } => {
                let now = self.now();
                if self.random.random_bool(0.97) {
                    let sip = self.new_sip(Sip::Placed);
                    self.scene.voice.handle_dialling(now, leg, Ok(sip));
                } else {
                    let misuse = media_engine::sip::call::Misuse {
                        command: "dial",
                        state: "none",
                    };
                    self.scene.voice.handle_dialling(now, leg, Err(misuse));
                }
            }
            _ => {}
        }
    }

    fn perform_media(&mut self, leg: LegId, command: MediaCommand) {
        let now = self.now();
        match command {
            MediaCommand::Open { .. } => {
                let address = self.random.random_bool(0.97).then(|| {
                    self.scene.ports = self.scene.ports.wrapping_add(2);
                    SocketAddr::from(([127, 0, 0, 1], self.scene.ports))
                });
                self.open.extend(address.map(|_| leg));
                self.scene
                    .voice
                    .handle_leg_opened(now, leg, address.map(Into::into));
            }
            MediaCommand::Start(_) => {
                assert!(self.open.contains(&leg), "{leg:?} has no port");
                assert!(self.started.insert(leg), "{leg:?} starts twice");
            }
            MediaCommand::Play { play, .. } => {
                self.plays.insert(leg, play);
            }
            MediaCommand::Hear(others) => {
                assert!(self.started.contains(&leg), "{leg:?} does not run");
                for other in others {
                    assert!(self.started.contains(&other), "{other:?} does not run");
                }
            }
            MediaCommand::Close => {
                self.open.remove(&leg);
                self.plays.remove(&leg);
                self.started.remove(&leg);
                self.scene.voice.handle_leg_closed(now, leg, None);
            }
            _ => {}
        }
    }

    fn tell(&mut self, what: &str, event: CallEvent) {
        self.history
            .push(format!("{what} {event:?}").chars().take(160).collect());
        let now = self.now();
        self.scene.voice.handle_call(now, event);
        self.settle();
    }

    fn end(&mut self, sip: CallId, by: Party, status: Option<u16>) {
        self.sips.remove(&sip);
        let end = End {
            by,
            status,
            reason: None,
        };
        self.tell("ends", CallEvent::Ended { call: sip, end });
    }

    fn some_sip(&mut self, stands: &[Sip]) -> Option<(CallId, Sip)> {
        let fitting: Vec<_> = self
            .sips
            .iter()
            .filter(|(_, sip)| stands.contains(sip))
            .map(|(sip, stands)| (*sip, *stands))
            .collect();
        fitting.choose(&mut self.random).copied()
    }

    fn incoming(&mut self) {
        let from_device = self.random.random_bool(0.2);
        let dialled = match from_device {
            true => ["300", "11987654321", "190", "+12025550100", "4000"]
                .choose(&mut self.random)
                .copied(),
            false => Some("4000"),
        };
        let sip = self.new_sip(Sip::Asked);
        let mut invite = incoming(dialled.unwrap_or("4000"));
        invite.sip_call_id = format!("{}@b", sip.0);
        if from_device {
            invite.origin = Origin::Device(AccountId("carla-phone".into()));
        }
        let invite = Box::new(invite);
        self.tell("comes", CallEvent::Incoming { call: sip, invite });
    }

    fn order(&mut self) {
        let calls = self.scene.voice.calls_of(&company());
        let Some(call) = calls.choose(&mut self.random) else {
            return;
        };
        let interaction = call.interaction.clone();
        let by = match (&call.agent, self.random.random_bool(0.8)) {
            (Some(agent), true) => agent.clone(),
            (Some(_), false) | (None, _) => agent(AGENTS.choose(&mut self.random).expect("agents")),
        };
        let to = [
            Destination::Agent(agent(AGENTS.choose(&mut self.random).expect("agents"))),
            Destination::Service("sales".parse().expect("an id")),
            Destination::Dialled("300".into()),
            Destination::Dialled("11 98765-4321".into()),
        ];
        let to = to.choose(&mut self.random).expect("somewhere").clone();
        let order = match self.random.random_range(0..18) {
            0 => CallOrder::Hold,
            1 => CallOrder::Resume,
            2 => CallOrder::Mute(true),
            3 => CallOrder::Transfer(to),
            4..=6 => CallOrder::Consult(to),
            7 => CallOrder::Switch,
            // Only who asks somebody who has answered can do this.
            8 | 15 | 16 => CallOrder::Join,
            17 => CallOrder::Bring,
            9 => CallOrder::Complete,
            10 => CallOrder::Cancel,
            11 => CallOrder::HangUp,
            12 => CallOrder::Record(Tape::Pause),
            13 => CallOrder::Attend(Attention::Whisper),
            _ => CallOrder::TakeOver,
        };
        self.history.push(format!("{by} {order:?}"));
        let now = self.now();
        // Most of it is not possible: that it is refused is all that is asked.
        let _ = self
            .scene
            .voice
            .order(now, &company(), &by, &interaction, order);
        self.settle();
    }

    fn step(&mut self) {
        let now = self.now();
        match self.random.random_range(0..20) {
            0 | 1 => self.incoming(),
            2 => {
                let who = agent(AGENTS.choose(&mut self.random).expect("agents"));
                let wish = match self.random.random_range(0..4) {
                    0 => Wish::Offline,
                    1 => Wish::Paused("almoco".parse().expect("an id")),
                    _ => Wish::Available,
                };
                self.history.push(format!("{who} {wish:?}"));
                let _ = self.scene.voice.set_presence(now, &company(), &who, wish);
                self.settle();
            }
            3 => {
                let who = agent(AGENTS.choose(&mut self.random).expect("agents"));
                self.history.push(format!("{who} calls"));
                let _ = self
                    .scene
                    .voice
                    .dial(now, &company(), &who, "11 98765-4321", None);
                self.settle();
            }
            4..=6 => {
                if let Some((sip, _)) = self.some_sip(&[Sip::Placed]) {
                    self.sips.insert(sip, Sip::Up);
                    let sdp = Some(OFFER.into());
                    let flow = path("127.0.0.1:5080");
                    self.tell(
                        "answers",
                        CallEvent::Answered {
                            call: sip,
                            sdp,
                            flow,
                        },
                    );
                }
            }
            7 => {
                if let Some((sip, _)) = self.some_sip(&[Sip::Placed]) {
                    let ringing = CallEvent::Ringing { call: sip };
                    let early = CallEvent::EarlyMedia {
                        call: sip,
                        sdp: OFFER.into(),
                        flow: path("127.0.0.1:5080"),
                    };
                    let event = if self.random.random() { ringing } else { early };
                    self.tell("rings", event);
                }
            }
            8 => {
                if let Some((sip, _)) = self.some_sip(&[Sip::Placed]) {
                    let status = [480, 486, 503, 603].choose(&mut self.random).copied();
                    self.end(sip, Party::Peer, status);
                }
            }
            9 | 10 => {
                if let Some((sip, _)) = self.some_sip(&[Sip::Answered]) {
                    self.sips.insert(sip, Sip::Up);
                    let sdp = None;
                    self.tell("confirms", CallEvent::Confirmed { call: sip, sdp });
                }
            }
            11 => {
                if let Some((sip, _)) = self.some_sip(&[Sip::Asked, Sip::Answered, Sip::Up]) {
                    self.end(sip, Party::Peer, None);
                }
            }
            12 | 13 => {
                if let Some((sip, _)) = self.some_sip(&[Sip::Ending]) {
                    self.end(sip, Party::Us, None);
                }
            }
            14 => {
                let legs: Vec<LegId> = self.started.iter().copied().collect();
                if let Some(leg) = legs.choose(&mut self.random).copied() {
                    let key = ['1', '1', '2', '3', '7', '*'].choose(&mut self.random);
                    let key = key.and_then(|key| Key::from_char(*key)).expect("a key");
                    self.history.push(format!("{leg:?} presses {key:?}"));
                    self.scene.voice.handle_key(now, leg, key);
                    self.settle();
                }
            }
            15 => {
                let plays: Vec<_> = self.plays.iter().map(|(leg, play)| (*leg, *play)).collect();
                if let Some((leg, play)) = plays.choose(&mut self.random).copied() {
                    self.plays.remove(&leg);
                    self.history.push(format!("{leg:?} has heard {play:?}"));
                    self.scene.voice.handle_played(now, leg, play);
                    self.settle();
                }
            }
            16 => self.order(),
            17 => {
                let legs: Vec<LegId> = self.started.iter().copied().collect();
                if let Some(leg) = legs.choose(&mut self.random).copied()
                    && self.random.random_bool(0.3)
                {
                    self.history.push(format!("{leg:?} is silent"));
                    self.scene.voice.handle_silence(now, leg);
                    self.settle();
                }
            }
            18 => self.refer(),
            _ => {
                let span = Duration::from_millis(self.random.random_range(0..8_000));
                self.scene.pass(span);
                self.history.push(format!("after {span:?}"));
                let now = self.now();
                self.scene.voice.handle_timeout(now);
                self.settle();
            }
        }
    }

    fn refer(&mut self) {
        let Some((sip, _)) = self.some_sip(&[Sip::Up]) else {
            return;
        };
        let other = self.some_sip(&[Sip::Up]).map(|(other, _)| other);
        let replaces = other
            .filter(|other| *other != sip && self.random.random())
            .map(Replaced::Ours);
        let referral = Box::new(Referral {
            to: "300".into(),
            uri: "sip:300@ramal".into(),
            replaces,
            referred_by: None,
        });
        self.tell(
            "refers",
            CallEvent::Transfer {
                call: sip,
                referral,
            },
        );
    }

    /// Everybody hangs up and goes home.
    fn come_to_rest(&mut self) {
        for name in AGENTS {
            let now = self.now();
            let _ = self
                .scene
                .voice
                .set_presence(now, &company(), &agent(name), Wish::Offline);
            self.settle();
        }
        for _ in 0..40 {
            let sips: Vec<CallId> = self.sips.keys().copied().collect();
            for sip in sips {
                if self.sips.contains_key(&sip) {
                    self.end(sip, Party::Peer, None);
                }
            }
            self.scene.pass(Duration::from_secs(120));
            let now = self.now();
            self.scene.voice.handle_timeout(now);
            self.settle();
        }
    }

    fn check(&mut self) {
        let now = self.now();
        for seen in self.scene.voice.agents(now, &company()) {
            let held = seen.status.in_hand;
            let idle = held.iter().all(|held| held.doing == "wrapping up");
            assert!(idle, "{} has {held:?} in hand", seen.name);
        }
        let shared = &self.scene.voice.shared;
        let mut calls = self.scene.voice.calls.values();
        let left = calls.find(|call| !call.is_resting());
        assert!(left.is_none(), "a call is left: {left:?}");
        assert!(
            shared.lines.is_empty(),
            "lines are left: {:?}",
            shared.lines
        );
        assert!(shared.sips.is_empty() && shared.parting.is_empty());
        assert!(self.open.is_empty(), "ports are left: {:?}", self.open);
        // Those who were promised a call wait at home; all other matters are over.
        let resting: BTreeSet<&InteractionId> = self
            .scene
            .voice
            .calls
            .values()
            .map(|call| call.facts().record.interaction())
            .collect();
        for interaction in &self.opened {
            let is_over = self.ended.contains(interaction);
            assert_ne!(is_over, resting.contains(interaction), "{interaction}");
        }
    }
}

fn run(seed: u64, steps: usize) -> World {
    let mut world = World::new(seed);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        for _ in 0..steps {
            world.step();
        }
        world.come_to_rest();
        world.check();
    }));
    if let Err(panic) = outcome {
        let from = world.history.len().saturating_sub(120);
        for line in &world.history[from..] {
            eprintln!("{line}");
        }
        eprintln!("seed {seed}");
        std::panic::resume_unwind(panic);
    }
    world
}

#[test]
fn whatever_people_do_each_call_ends_once_and_nothing_is_left() {
    let seed = std::env::var("RAMAL_CHAOS_SEED").ok();
    if let Some(seed) = seed.and_then(|seed| seed.parse().ok()) {
        run(seed, STEPS);
        return;
    }
    let (mut kinds, mut surveyed) = (BTreeSet::new(), false);
    for seed in 0..1_000 {
        let world = run(seed, STEPS);
        kinds.extend(world.kinds);
        surveyed |= world.surveyed;
    }
    // A world in which nothing happens proves nothing.
    for kind in [
        TrailKind::AgentAnswered,
        TrailKind::CallbackPromised,
        TrailKind::CalledBack,
        TrailKind::CallbackResting,
        TrailKind::Consulted,
        TrailKind::DialEnded,
        TrailKind::Held,
        TrailKind::Joined,
        TrailKind::OfferEnded,
        TrailKind::Recording,
        TrailKind::Refused,
        TrailKind::Supervised,
        TrailKind::Transferred,
    ] {
        assert!(kinds.contains(&kind), "{kind:?} never happened");
    }
    assert!(surveyed, "nobody answered a survey");
}

/// What people do in one world.
const STEPS: usize = 300;

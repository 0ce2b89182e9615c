//! Whole calls in virtual time, told to the voice side event by event.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one thing among many"
)]

use std::net::SocketAddr;

use desk::id::{FlowId, NumberId};
use desk::kept::Kept;
use desk::record::{Change, EndedBy, InteractionOpened, TrailEntry, TrailKind, VoiceMessageLeft};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use media_engine::sip::call::{Caller, Cause, End, Incoming, Origin, Party, Referral};
use media_engine::sip::{Flow, Transport, TrunkId};

use super::*;
use crate::clip::Clip;
use crate::directory::{Announcement, Company, Number, Outbound, Service};

mod after;
mod agents;
mod away;
mod bot;
mod callbacks;
mod chaos;
mod counted;
mod customers;
mod deadlines;
mod extensions;
mod handling;
mod life;
mod live;
mod messages;
mod presence;
mod restart;
mod trail;
mod work;
mod written;

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";

const CALL: CallId = CallId(1);

/// The voice side alone, with a clock that only this test moves.
struct Scene {
    voice: Voice,
    start: Now,
    now: Now,
    /// What was wanted and not looked at yet.
    wanted: VecDeque<Output>,
    opened: Option<Box<InteractionOpened>>,
    /// Who the next caller is known to be.
    customer: Option<desk::work::Customer>,
    changes: Vec<Change>,
    /// What was kept of the desks.
    kept: Vec<Kept>,
    /// What those who watch were told.
    live: Vec<(u64, LiveEvent)>,
    ports: u16,
}

impl Scene {
    #[allow(clippy::disallowed_methods)] // the one clock read of this module: only differences count
    fn new(flow: &str) -> Self {
        let start = Now {
            instant: Instant::now(),
            wall: "2026-11-23T12:00:00Z".parse::<Timestamp>().expect("a time"),
        };
        let voice = Voice::new(VoiceConfig::default(), Arc::new(directory(flow)), [7; 32]);
        Self {
            voice,
            start,
            now: start,
            wanted: VecDeque::new(),
            opened: None,
            customer: None,
            changes: vec![],
            kept: vec![],
            live: vec![],
            ports: 10_000,
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now.instant += time;
        self.now.wall = self.start.wall + (self.now.instant - self.start.instant);
    }

    /// Does what is routine for the shell, and keeps the rest for the test to look at.
    fn settle(&mut self) {
        while let Some(output) = self.voice.poll_output() {
            match output {
                Output::Open { call, opened } => {
                    self.opened = Some(opened);
                    self.voice.handle_opened(
                        self.now,
                        call,
                        "20261123000001".into(),
                        self.customer.clone(),
                    );
                }
                Output::Save(change) => self.changes.push(change),
                Output::Kept(kept) => self.kept.push(kept),
                Output::Live { seq, event, .. } => self.live.push((seq, *event)),
                Output::Media(leg, MediaCommand::Open { .. }) => {
                    self.ports += 2;
                    let address = SocketAddr::from(([127, 0, 0, 1], self.ports));
                    self.voice
                        .handle_leg_opened(self.now, leg, Some(address.into()));
                }
                Output::Media(leg, MediaCommand::Close) => {
                    self.voice.handle_leg_closed(self.now, leg, None);
                }
                other => self.wanted.push_back(other),
            }
        }
    }

    fn call(&mut self, dialled: &str) {
        let invite = Box::new(incoming(dialled));
        self.tell(CallEvent::Incoming { call: CALL, invite });
    }

    fn tell(&mut self, event: CallEvent) {
        self.voice.handle_call(self.now, event);
        self.settle();
    }

    fn answered(&mut self, dialled: &str) {
        self.call(dialled);
        assert!(matches!(
            self.next(),
            Output::Media(_, MediaCommand::Start(_))
        ));
        assert!(matches!(
            self.next(),
            Output::Sip(SipCommand::Answer { call: CALL, .. })
        ));
        self.tell(CallEvent::Confirmed {
            call: CALL,
            sdp: None,
        });
    }

    fn next(&mut self) -> Output {
        self.wanted.pop_front().expect("something is wanted")
    }

    /// The next thing wanted is that this is heard; returns the play.
    fn hears(&mut self, wanted: &[&str]) -> (LegId, PlayId) {
        let next = self.next();
        let Output::Media(leg, MediaCommand::Play { play, clips, .. }) = next else {
            panic!("not played but {next:?}");
        };
        let names: Vec<&str> = clips.iter().map(name).collect();
        assert_eq!(names, wanted);
        (leg, play)
    }

    fn played(&mut self, (leg, play): (LegId, PlayId)) {
        self.voice.handle_played(self.now, leg, play);
        self.settle();
    }

    fn press(&mut self, key: char) {
        self.voice
            .handle_key(self.now, LegId(1), Key::from_char(key).expect("a key"));
        self.settle();
    }

    /// Lets the next deadline come.
    fn tick(&mut self) {
        let due = self.voice.poll_timeout().expect("something is waited for");
        self.pass(due.saturating_duration_since(self.now.instant));
        self.voice.handle_timeout(self.now);
        self.settle();
    }

    /// Lets time pass until something is wanted; returns how much has passed since the beginning.
    fn wait(&mut self) -> Duration {
        while self.wanted.is_empty() {
            self.tick();
        }
        self.now.instant - self.start.instant
    }

    fn ended(&mut self, by: Party) {
        self.tell(CallEvent::Ended {
            call: CALL,
            end: End {
                by,
                status: None,
                reason: None,
            },
        });
    }

    fn ends(&self) -> Vec<(EndedBy, &str)> {
        self.changes
            .iter()
            .filter_map(|change| match change {
                Change::InteractionEnded { end, .. } => Some((end.by, end.cause.as_str())),
                Change::InteractionOpened(_)
                | Change::InteractionUpdated { .. }
                | Change::VoiceMessageLeft(_)
                | Change::SurveyAnswered(_)
                | Change::Outbound(_)
                | Change::SipLadder(_) => None,
            })
            .collect()
    }

    fn lines(&self) -> Vec<&TrailEntry> {
        self.changes
            .iter()
            .flat_map(|change| match change {
                Change::InteractionUpdated { trail, .. }
                | Change::InteractionEnded { trail, .. } => trail.as_slice(),
                Change::InteractionOpened(_)
                | Change::VoiceMessageLeft(_)
                | Change::SurveyAnswered(_)
                | Change::Outbound(_)
                | Change::SipLadder(_) => &[],
            })
            .collect()
    }

    fn trail(&self) -> Vec<TrailKind> {
        self.lines().iter().map(|line| line.kind).collect()
    }

    /// The details of the lines of this kind.
    fn details(&self, kind: TrailKind) -> Vec<&serde_json::Value> {
        let lines = self.lines().into_iter().filter(|line| line.kind == kind);
        lines.map(|line| &line.detail).collect()
    }

    fn messages(&self) -> Vec<&VoiceMessageLeft> {
        self.changes
            .iter()
            .filter_map(|change| match change {
                Change::VoiceMessageLeft(message) => Some(message.as_ref()),
                Change::InteractionOpened(_)
                | Change::InteractionUpdated { .. }
                | Change::InteractionEnded { .. }
                | Change::SurveyAnswered(_)
                | Change::Outbound(_)
                | Change::SipLadder(_) => None,
            })
            .collect()
    }
}

fn name(clip: &Clip) -> &str {
    match clip {
        Clip::Prompt(id) => id.as_str(),
        Clip::Sound { name, .. } => name,
        Clip::Speech { text, .. } => text,
        Clip::Music => "music",
        Clip::RingingTone => "ringing",
    }
}

fn incoming(dialled: &str) -> Incoming {
    let local = SocketAddr::from(([127, 0, 0, 1], 5060));
    let remote = SocketAddr::from(([127, 0, 0, 1], 5070));
    Incoming {
        origin: Origin::Trunk(TrunkId("carrier".into())),
        dialled: dialled.to_owned(),
        request_uri: format!("sip:{dialled}@127.0.0.1"),
        caller: Caller {
            number: "+551140000001".into(),
            ..Caller::default()
        },
        sip_call_id: "a@b".into(),
        flow: Flow {
            transport: Transport::Udp,
            local,
            remote,
            connection: None,
        },
        offer: Some(OFFER.into()),
        user_agent: None,
        replaces: None,
    }
}

fn directory(flow: &str) -> Directory {
    let flow: ivr::Flow = serde_json::from_str(flow).expect("a flow");
    let mut library = ivr::Library::default();
    library.flows.insert("menu".into(), Arc::new(flow));
    let id: FlowId = "menu".parse().expect("an id");
    let number: NumberId = "n4000".parse().expect("an id");
    let service = Service {
        name: "Vendas".into(),
        wait_limit: Duration::from_secs(60),
        line_max: 1,
        ring: Duration::from_secs(15),
        wrap_up: Duration::from_secs(10),
        music: None,
        announcements: vec![Announcement {
            prompt: "hold-on".parse().expect("an id"),
            after: Duration::ZERO,
            every: Some(Duration::from_secs(25)),
        }],
        say_position: false,
        unanswered: None,
        calendar: None,
        rules: desk::rules::ServiceRules::default(),
        calls: crate::directory::CallRules::default(),
    };
    let company = Company {
        id: "demo".parse().expect("an id"),
        name: "Demo".into(),
        language: ivr::Language::PtBr,
        zone: TimeZone::UTC,
        country_code: "55".into(),
        numbers: BTreeMap::from([
            (
                "4000".to_owned(),
                Number {
                    id: number.clone(),
                    trunk: None,
                    flow: Some((id, 3)),
                    priority: 0,
                },
            ),
            (
                "4009".to_owned(),
                Number {
                    id: number,
                    trunk: None,
                    flow: None,
                    priority: 0,
                },
            ),
        ]),
        extensions: ["200", "ana"]
            .map(|dialled| (dialled.to_owned(), "device".parse().expect("an id")))
            .into(),
        owners: BTreeMap::new(),
        outside_phones: BTreeMap::new(),
        outbound: Some(Outbound {
            trunk: "carrier".parse().expect("an id"),
            number: "4000".into(),
        }),
        outbound_rules: Arc::default(),
        channels: BTreeMap::new(),
        services: BTreeMap::from([("sales".parse().expect("an id"), service)]),
        agents: BTreeMap::new(),
        pauses: BTreeMap::new(),
        skills: BTreeMap::new(),
        desk: Arc::default(),
        prompts: BTreeMap::new(),
        library: Arc::new(library),
    };
    Directory {
        trunks: BTreeMap::from([("carrier".parse().expect("an id"), company.id.clone())]),
        devices: ["device", "other"]
            .map(|device| (device.parse().expect("an id"), company.id.clone()))
            .into(),
        companies: BTreeMap::from([(company.id.clone(), Arc::new(company))]),
    }
}

const MENU: &str = r#"{ "format": 1, "language": "pt-BR", "entry": "welcome", "nodes": {
    "welcome": { "kind": "prompt", "say": [{ "kind": "prompt", "prompt": "hello" }], "next": "menu" },
    "menu": { "kind": "menu", "say": [{ "kind": "text", "text": "Digite 1" }],
              "choices": [{ "key": "1", "to": "sales" }, { "key": "2", "to": "phone" },
                          { "key": "3", "to": "message" }] },
    "sales": { "kind": "queue", "service": "sales", "unanswered": "nobody" },
    "phone": { "kind": "dial", "to": { "extension": "200" }, "busy": "nobody", "failed": "nobody" },
    "message": { "kind": "record", "say": [], "beep": true, "service": "sales", "next": "nobody" },
    "nobody": { "kind": "hang-up", "say": [{ "kind": "prompt", "prompt": "sorry" }] } } }"#;

#[test]
fn a_caller_is_greeted_chooses_waits_and_is_told_that_nobody_came() {
    let mut scene = Scene::new(MENU);
    scene.answered("4000");
    let hello = scene.hears(&["hello"]);
    scene.played(hello);
    scene.hears(&["Digite 1"]);
    scene.press('1');
    assert!(matches!(scene.next(), Output::Media(_, MediaCommand::Stop)));
    let announcement = scene.hears(&["hold-on"]);
    scene.played(announcement);
    scene.hears(&["music"]);
    assert_eq!(scene.voice.waiting(), 1);

    assert_eq!(scene.wait(), Duration::from_secs(25));
    let announcement = scene.hears(&["hold-on"]);
    scene.played(announcement);
    scene.hears(&["music"]);
    assert_eq!(scene.wait(), Duration::from_secs(50));
    let announcement = scene.hears(&["hold-on"]);
    scene.played(announcement);
    scene.hears(&["music"]);

    assert_eq!(scene.wait(), Duration::from_secs(60), "the service's limit");
    assert_eq!(scene.voice.waiting(), 0);
    let sorry = scene.hears(&["sorry"]);
    scene.played(sorry);
    assert!(matches!(
        scene.next(),
        Output::Sip(SipCommand::HangUp {
            call: CALL,
            cause: Cause::Normal
        })
    ));
    scene.ended(Party::Us);

    assert_eq!(scene.ends(), [(EndedBy::Ramal, "flow_ended")]);
    let trail = scene.trail();
    let expected = [
        TrailKind::Arrived,
        TrailKind::Answered,
        TrailKind::OptionChosen,
        TrailKind::Queued,
    ];
    let mut seen = trail.iter();
    for kind in expected {
        assert!(
            seen.any(|other| *other == kind),
            "{kind} is missing or late in {trail:?}"
        );
    }
    assert_eq!(trail.last(), Some(&TrailKind::Ended));
    assert_eq!(scene.voice.calls(), 0);
    assert_eq!(
        scene.voice.poll_timeout(),
        None,
        "no deadline outlives the call"
    );
    assert!(scene.wanted.is_empty());
}

#[test]
fn a_caller_who_leaves_the_queue_frees_the_place() {
    let mut scene = Scene::new(MENU);
    scene.answered("4000");
    scene.press('1');
    assert_eq!(scene.voice.waiting(), 1);
    scene.ended(Party::Peer);
    assert_eq!(scene.voice.waiting(), 0);
    assert_eq!(scene.ends(), [(EndedBy::Customer, "hung_up")]);
    assert!(scene.rests());
}

#[test]
fn nobody_is_answered_before_the_record_is_durable() {
    let mut scene = Scene::new(MENU);
    let invite = Box::new(incoming("4000"));
    scene
        .voice
        .handle_call(scene.now, CallEvent::Incoming { call: CALL, invite });
    let mut answered = false;
    while let Some(output) = scene.voice.poll_output() {
        if let Output::Media(leg, MediaCommand::Open { .. }) = output {
            let address = SocketAddr::from(([127, 0, 0, 1], 10_000));
            scene
                .voice
                .handle_leg_opened(scene.now, leg, Some(address.into()));
        } else {
            answered |= matches!(output, Output::Sip(SipCommand::Answer { .. }));
        }
    }
    assert!(!answered);
    scene
        .voice
        .handle_opened(scene.now, CallKey(1), "1".into(), None);
    scene.settle();
    assert!(
        scene
            .wanted
            .iter()
            .any(|output| matches!(output, Output::Sip(SipCommand::Answer { .. })))
    );
}

#[test]
fn what_cannot_be_served_is_refused_with_the_right_status() {
    for (dialled, wanted) in [("9999", 404), ("4009", 480), ("", 404)] {
        let mut scene = Scene::new(MENU);
        scene.call(dialled);
        let next = scene.next();
        let Output::Sip(SipCommand::Reject { status, .. }) = next else {
            panic!("{next:?}")
        };
        assert_eq!(status, wanted, "{dialled}");
        assert!(scene.changes.is_empty(), "a stranger leaves no record");
    }
    let mut scene = Scene::new(MENU);
    scene.voice.close();
    scene.call("4000");
    assert!(matches!(
        scene.next(),
        Output::Sip(SipCommand::Reject {
            status: 503,
            retry_after: Some(_),
            ..
        })
    ));
}

#[test]
fn a_call_without_a_common_codec_is_refused_and_recorded() {
    let mut scene = Scene::new(MENU);
    let mut invite = incoming("4000");
    invite.offer = Some(OFFER.replace("8 101", "96").into());
    scene.tell(CallEvent::Incoming {
        call: CALL,
        invite: Box::new(invite),
    });
    assert!(matches!(
        scene.next(),
        Output::Sip(SipCommand::Reject { status: 488, .. })
    ));
    scene.ended(Party::Us);
    assert_eq!(scene.ends(), [(EndedBy::Ramal, "no_common_media")]);
}

#[test]
fn a_call_that_was_refused_already_is_not_refused_again_when_its_record_fails() {
    let mut scene = Scene::new(MENU);
    let invite = Box::new(incoming("4000"));
    scene
        .voice
        .handle_call(scene.now, CallEvent::Incoming { call: CALL, invite });
    scene.voice.handle_leg_opened(scene.now, LegId(1), None);
    scene.voice.handle_not_opened(scene.now, CallKey(1));
    let mut refusals = 0;
    while let Some(output) = scene.voice.poll_output() {
        refusals += usize::from(matches!(output, Output::Sip(SipCommand::Reject { .. })));
    }
    assert_eq!(refusals, 1);
}

#[test]
fn a_dialled_extension_rings_answers_and_is_joined() {
    let mut scene = Scene::new(MENU);
    scene.answered("4000");
    scene.press('2');
    let dialled = CallId(2);
    let leg = loop {
        if let Output::Sip(SipCommand::Dial { leg, .. }) = scene.next() {
            break leg;
        }
    };
    scene.voice.handle_dialling(scene.now, leg, Ok(dialled));
    scene.tell(CallEvent::Ringing { call: dialled });
    scene.hears(&["ringing"]);
    scene.tell(CallEvent::Answered {
        call: dialled,
        sdp: Some(OFFER.into()),
        flow: path("127.0.0.1:5080"),
    });
    assert!(
        matches!(scene.next(), Output::Media(started, MediaCommand::Start(_)) if started == leg)
    );
    assert!(scene.wanted.iter().any(|output| matches!(
        output,
        Output::Media(LegId(1), MediaCommand::Hear(heard)) if *heard == [leg]
    )));
    scene.wanted.clear();

    scene.ended(Party::Peer);
    assert!(scene.wanted.iter().any(|output| matches!(
        output,
        Output::Sip(SipCommand::HangUp { call, .. }) if *call == dialled
    )));
    assert_eq!(scene.ends(), [(EndedBy::Customer, "hung_up")]);
    assert!(scene.voice.shared.lines.is_empty());
}

/// The path to whoever answers from `remote`.
fn path(remote: &str) -> Flow {
    Flow {
        transport: Transport::Udp,
        local: SocketAddr::from(([127, 0, 0, 1], 5060)),
        remote: remote.parse().expect("an address"),
        connection: None,
    }
}

/// A call that dialled the extension, which answered as call 2: its leg.
fn joined() -> (Scene, LegId) {
    let mut scene = Scene::new(MENU);
    scene.answered("4000");
    scene.press('2');
    let leg = loop {
        if let Output::Sip(SipCommand::Dial { leg, .. }) = scene.next() {
            break leg;
        }
    };
    let call = CallId(2);
    scene.voice.handle_dialling(scene.now, leg, Ok(call));
    let sdp = Some(OFFER.into());
    let flow = path("127.0.0.1:5080");
    scene.tell(CallEvent::Answered { call, sdp, flow });
    scene.wanted.clear();
    (scene, leg)
}

fn hangs_up(scene: &Scene, wanted: CallId) -> bool {
    scene.wanted.iter().any(
        |output| matches!(output, Output::Sip(SipCommand::HangUp { call, .. }) if *call == wanted),
    )
}

#[test]
fn media_that_die_under_a_caller_end_the_call_that_was_dialled_for_them() {
    let (mut scene, _) = joined();
    scene.voice.handle_leg_closed(scene.now, LegId(1), None);
    scene.settle();
    assert!(hangs_up(&scene, CallId(2)) && hangs_up(&scene, CALL));
    assert_eq!(scene.ends(), [(EndedBy::Ramal, "media_failed")]);
    assert_eq!(scene.voice.calls(), 0);
    assert!(scene.voice.shared.lines.is_empty() && scene.voice.shared.sips.is_empty());
}

#[test]
fn media_that_die_under_a_waiting_caller_free_the_place() {
    let mut scene = Scene::new(MENU);
    scene.answered("4000");
    scene.press('1');
    scene.voice.handle_leg_closed(scene.now, LegId(1), None);
    scene.settle();
    assert!(scene.rests(), "nobody waits");
}

#[test]
fn media_that_die_under_a_dialled_call_end_it_and_the_flow_goes_on() {
    let (mut scene, leg) = joined();
    scene.voice.handle_leg_closed(scene.now, leg, None);
    scene.settle();
    assert!(hangs_up(&scene, CallId(2)));
    assert!(scene.voice.shared.lines.len() == 1);
    scene.ended(Party::Us);
    assert!(scene.trail().contains(&TrailKind::DialEnded));
    let left = scene.details(TrailKind::DialledLeft);
    assert_eq!(left[0]["cause"], "media_failed");
}

#[test]
fn the_ringing_tone_does_not_cover_what_the_other_side_lets_hear() {
    let mut scene = Scene::new(MENU);
    scene.answered("4000");
    scene.press('2');
    let leg = loop {
        if let Output::Sip(SipCommand::Dial { leg, .. }) = scene.next() {
            break leg;
        }
    };
    let call = CallId(2);
    scene.voice.handle_dialling(scene.now, leg, Ok(call));
    let sdp = OFFER.into();
    let flow = path("127.0.0.1:5080");
    scene.tell(CallEvent::EarlyMedia { call, sdp, flow });
    scene.wanted.clear();
    scene.tell(CallEvent::Ringing { call });
    assert!(scene.wanted.is_empty(), "{:?}", scene.wanted);
}

#[test]
fn a_dialled_phone_behind_nat_is_heard_from_where_its_signalling_comes_from() {
    let mut scene = Scene::new(MENU);
    scene.answered("4000");
    scene.press('2');
    let leg = loop {
        if let Output::Sip(SipCommand::Dial { leg, .. }) = scene.next() {
            break leg;
        }
    };
    let call = CallId(2);
    scene.voice.handle_dialling(scene.now, leg, Ok(call));
    scene.tell(CallEvent::Answered {
        call,
        sdp: Some(OFFER.replace("127.0.0.1", "192.168.7.7").into()),
        flow: path("198.51.100.7:40000"),
    });
    let Output::Media(started, MediaCommand::Start(config)) = scene.next() else {
        panic!("its media do not start");
    };
    assert_eq!(started, leg);
    assert_eq!(config.signalling_host, "198.51.100.7".parse().ok());
    assert_eq!(config.remote, None, "nobody is there that we could reach");

    // A change of its media is judged by the same address.
    scene.wanted.clear();
    scene.tell(CallEvent::Offered {
        call,
        sdp: Some(OFFER.replace("127.0.0.1", "192.168.7.7").into()),
    });
    assert!(scene.wanted.iter().any(|output| matches!(
        output,
        Output::Media(_, MediaCommand::Reconfigure(config))
            if config.signalling_host == "198.51.100.7".parse().ok()
    )));
}

#[test]
fn a_busy_extension_takes_the_branch_of_the_flow() {
    let mut scene = Scene::new(MENU);
    scene.answered("4000");
    scene.press('2');
    let leg = loop {
        if let Output::Sip(SipCommand::Dial { leg, .. }) = scene.next() {
            break leg;
        }
    };
    scene.voice.handle_dialling(scene.now, leg, Ok(CallId(2)));
    let end = End {
        by: Party::Peer,
        status: Some(486),
        reason: None,
    };
    scene.tell(CallEvent::Ended {
        call: CallId(2),
        end,
    });
    scene.hears(&["sorry"]);
}

#[test]
fn a_caller_may_neither_transfer_a_call_nor_take_one_over() {
    let mut scene = Scene::new(MENU);
    scene.answered("4000");
    scene.wanted.clear();
    let referral = Box::new(Referral {
        to: "0900123456".into(),
        uri: "sip:0900123456@127.0.0.1".into(),
        replaces: None,
        referred_by: None,
    });
    scene.tell(CallEvent::Transfer {
        call: CALL,
        referral,
    });
    assert!(matches!(
        scene.next(),
        Output::Sip(SipCommand::RefuseTransfer {
            call: CALL,
            status: 603
        })
    ));
    let mut invite = incoming("4000");
    invite.replaces = Some(CALL);
    let other = CallId(9);
    scene.tell(CallEvent::Incoming {
        call: other,
        invite: Box::new(invite),
    });
    assert!(matches!(
        scene.next(),
        Output::Sip(SipCommand::Reject { call, status: 603, .. }) if call == other
    ));
    assert_eq!(scene.voice.calls(), 1);
}

#[test]
fn a_key_that_comes_by_info_and_in_the_media_is_one_key() {
    let info = || CallEvent::Info {
        call: CALL,
        content_type: "application/dtmf-relay".into(),
        body: "Signal=7\r\nDuration=160\r\n".into(),
    };
    for (tellings, expected) in [(1, 1), (2, 2)] {
        let mut scene = Scene::new(MENU);
        scene.answered("4000");
        let hello = scene.hears(&["hello"]);
        scene.played(hello);
        scene.press('7');
        for _ in 0..tellings {
            scene.tell(info());
        }
        scene.ended(Party::Peer);
        let wrong = scene.details(TrailKind::InvalidInput).len();
        assert_eq!(
            wrong, expected,
            "once in the media, {tellings} times by INFO"
        );
    }
}

#[test]
fn a_party_that_changes_its_codec_is_in_the_trail() {
    let mut scene = Scene::new(MENU);
    scene.answered("4000");
    scene.voice.handle_codec(scene.now, LegId(1), Codec::Pcmu);
    scene.ended(Party::Peer);
    let details = scene.details(TrailKind::MediaChanged);
    assert_eq!(details.len(), 1);
    assert_eq!(details[0]["codec"], "PCMU");
}

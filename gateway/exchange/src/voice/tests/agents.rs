//! From the queue to a person: an agent's phones ring, and what comes of it.

use desk::change::{PauseReason, Presence};
use desk::id::{CompanyId, UserId};
use media_engine::sip::AccountId;
use media_engine::sip::call::Target;

use super::*;
use crate::directory::{Agent, Pause};
use crate::voice::Wish;

/// A phone that rings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phone {
    pub(super) leg: LegId,
    pub(super) call: CallId,
}

pub(super) fn company() -> CompanyId {
    "demo".parse().expect("an id")
}

pub(super) fn agent(name: &str) -> UserId {
    name.parse().expect("an id")
}

/// The company with these agents and their phones; all take the work of the one service.
pub(super) fn staffed(agents: &[(&str, &[&str])]) -> Scene {
    let mut scene = Scene::new(MENU);
    scene.staff(agents);
    scene
}

impl Scene {
    pub(super) fn staff(&mut self, agents: &[(&str, &[&str])]) {
        let mut directory = directory(MENU);
        let mut company = Company::clone(&directory.companies[&company()]);
        for (name, devices) in agents {
            let devices: Vec<desk::id::DeviceId> = devices
                .iter()
                .map(|device| device.parse().expect("an id"))
                .collect();
            for device in &devices {
                directory.devices.insert(device.clone(), company.id.clone());
                company.owners.insert(device.clone(), agent(name));
                if *name == "bruno" {
                    company.extensions.insert("300".into(), device.clone());
                }
            }
            let known = Agent {
                name: (*name).to_owned(),
                services: company.services.keys().cloned().collect(),
                devices,
                skills: BTreeMap::new(),
                transfers: desk::rules::Transfers::default(),
            };
            company.agents.insert(agent(name), known);
        }
        company
            .pauses
            .insert("almoco".parse().expect("an id"), Pause::default());
        directory
            .companies
            .insert(company.id.clone(), Arc::new(company));
        self.voice.set_directory(self.now, Arc::new(directory));
        self.settle();
    }

    /// Lets the one company be another from here on.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Company)) {
        let mut directory = Directory::clone(&self.voice.shared.directory);
        let mut changed = Company::clone(&directory.companies[&company()]);
        change(&mut changed);
        directory.companies.insert(company(), Arc::new(changed));
        self.voice.set_directory(self.now, Arc::new(directory));
        self.settle();
    }

    /// Lets so many wait for each service.
    pub(super) fn line_max(&mut self, line_max: usize) {
        self.change(|company| {
            for service in company.services.values_mut() {
                service.line_max = line_max;
            }
        });
    }

    pub(super) fn wish(&mut self, name: &str, wish: Wish) -> Result<(), desk::output::DeskError> {
        let done = self
            .voice
            .set_presence(self.now, &company(), &agent(name), wish);
        self.settle();
        done
    }

    pub(super) fn comes(&mut self, name: &str) {
        self.wish(name, Wish::Available).expect("an agent");
    }

    pub(super) fn presence(&mut self, name: &str) -> Presence {
        let mut all = self.voice.agents(self.now, &company()).into_iter();
        let found = all.find(|seen| seen.id == agent(name)).expect("an agent");
        found.status.presence
    }

    pub(super) fn doing(&mut self, name: &str) -> Vec<&'static str> {
        let mut all = self.voice.agents(self.now, &company()).into_iter();
        let found = all.find(|seen| seen.id == agent(name)).expect("an agent");
        found.status.in_hand.iter().map(|held| held.doing).collect()
    }

    pub(super) fn paused(&mut self, name: &str) -> Option<PauseReason> {
        match self.presence(name) {
            Presence::Paused { reason, .. } => Some(reason),
            Presence::Available | Presence::Offline => None,
        }
    }

    /// A caller chooses the service, and hears the music.
    pub(super) fn waits(&mut self) {
        self.answered("4000");
        self.press('1');
        let heard =
            |output: &Output| matches!(output, Output::Media(LegId(1), MediaCommand::Play { .. }));
        assert!(self.wanted.iter().any(heard), "who waits hears something");
    }

    /// The phones that are asked to ring, by their devices; the endpoint calls them.
    pub(super) fn phones(&mut self) -> Vec<(String, Phone)> {
        let mut found = vec![];
        let mut rest = VecDeque::new();
        for output in std::mem::take(&mut self.wanted) {
            match output {
                Output::Sip(SipCommand::Dial { leg, dial }) => {
                    let Target::Device(AccountId(device)) = dial.target else {
                        panic!("agents have phones");
                    };
                    let call = CallId(100 + leg.0);
                    self.voice.handle_dialling(self.now, leg, Ok(call));
                    found.push((device.to_string(), Phone { leg, call }));
                }
                other => rest.push_back(other),
            }
        }
        self.settle();
        rest.append(&mut self.wanted);
        self.wanted = rest;
        found
    }

    /// The one phone that is asked to ring.
    pub(super) fn phone(&mut self) -> Phone {
        let phones = self.phones();
        assert_eq!(phones.len(), 1, "{phones:?}");
        phones[0].1
    }

    pub(super) fn picks_up(&mut self, phone: Phone) {
        self.wanted.clear();
        self.tell(CallEvent::Answered {
            call: phone.call,
            sdp: Some(OFFER.into()),
            flow: path("127.0.0.1:5080"),
        });
    }

    pub(super) fn leaves(&mut self, phone: Phone, by: Party, status: Option<u16>) {
        let end = End {
            by,
            status,
            reason: None,
        };
        let call = phone.call;
        self.tell(CallEvent::Ended { call, end });
    }

    pub(super) fn media_of_caller(&self) -> Vec<String> {
        let media = self.wanted.iter().filter_map(|output| match output {
            Output::Media(LegId(1), command) => Some(match command {
                MediaCommand::Stop => "stop".to_owned(),
                MediaCommand::Hear(legs) => {
                    let legs: Vec<_> = legs.iter().map(|leg| leg.0.to_string()).collect();
                    format!("hear {}", legs.join(" ")).trim_end().to_owned()
                }
                MediaCommand::Play { .. } => "play".to_owned(),
                other => format!("{other:?}"),
            }),
            _ => None,
        });
        media.collect()
    }

    pub(super) fn until(&mut self, time: Duration) {
        while self.now.instant - self.start.instant < time {
            let left = time - (self.now.instant - self.start.instant);
            let due = self.voice.poll_timeout();
            let next = due.map_or(left, |due| {
                due.saturating_duration_since(self.now.instant).min(left)
            });
            self.pass(next);
            self.voice.handle_timeout(self.now);
            self.settle();
        }
    }
}

#[test]
fn who_waits_is_joined_with_an_agent_who_comes_and_answers_and_the_trail_names_them() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    scene.waits();
    assert!(scene.phones().is_empty(), "nobody is there");
    scene.until(Duration::from_secs(20));
    scene.wanted.clear();
    scene.comes("ana");
    let phone = scene.phone();
    assert_eq!(scene.doing("ana"), ["offered"]);
    scene.tell(CallEvent::Ringing { call: phone.call });
    assert_eq!(scene.media_of_caller(), [""; 0], "the music goes on");

    scene.picks_up(phone);
    // The music ends in the moment in which the two hear each other.
    let joined = format!("hear {}", phone.leg.0);
    assert_eq!(scene.media_of_caller(), ["stop".to_owned(), joined]);
    assert_eq!(scene.doing("ana"), ["handling"]);
    assert_eq!(scene.voice.waiting(), 0);
    scene.until(Duration::from_secs(300));
    assert_eq!(scene.voice.calls(), 1, "no limit of waiting ends a talk");

    scene.ended(Party::Peer);
    assert!(hangs_up(&scene, phone.call));
    assert_eq!(scene.ends(), [(EndedBy::Customer, "hung_up")]);
    let offered = scene.details(TrailKind::Offered);
    assert_eq!((offered.len(), &offered[0]["agent"]), (1, &"ana".into()));
    let answered = scene.details(TrailKind::AgentAnswered);
    assert_eq!(answered[0]["name"], "ana");
    assert_eq!(answered[0]["device"], "ana-phone");
    let over = scene.details(TrailKind::QueueEnded);
    assert_eq!(over[0]["result"], "answered", "{over:?}");
    assert!(scene.voice.shared.lines.is_empty());
}

#[test]
fn all_phones_of_an_agent_ring_and_the_first_that_is_taken_gets_the_caller() {
    let mut scene = staffed(&[("ana", &["desk-phone", "mobile"])]);
    scene.comes("ana");
    scene.waits();
    let phones = scene.phones();
    let names: Vec<&str> = phones.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["desk-phone", "mobile"]);
    let (_, mobile) = phones[1];
    scene.picks_up(mobile);
    assert!(hangs_up(&scene, phones[0].1.call), "the other falls silent");
    assert!(!hangs_up(&scene, mobile.call));
    // Who picks up a blink later is too late.
    scene.leaves(phones[0].1, Party::Us, Some(487));
    assert_eq!(scene.doing("ana"), ["handling"]);
    assert_eq!(scene.details(TrailKind::OfferEnded).len(), 0);
}

#[test]
fn a_caller_who_hangs_up_silences_the_phones_at_once() {
    let mut scene = staffed(&[("ana", &["desk-phone", "mobile"])]);
    scene.comes("ana");
    scene.waits();
    let phones = scene.phones();
    scene.wanted.clear();
    let before = scene.now.instant;
    scene.ended(Party::Peer);
    assert!(phones.iter().all(|(_, phone)| hangs_up(&scene, phone.call)));
    assert_eq!(scene.now.instant, before);
    assert_eq!(scene.doing("ana"), [""; 0]);
    assert_eq!(scene.presence("ana"), Presence::Available);
    let over = scene.details(TrailKind::OfferEnded);
    assert_eq!(over[0]["end"], "work_gone");
    assert!(scene.voice.shared.lines.is_empty());
    assert!(scene.rests());
}

#[test]
fn a_phone_that_does_not_take_the_call_pauses_its_agent_and_the_next_is_asked() {
    for (by, status, reason, end) in [
        (Party::Peer, 486, PauseReason::Busy, "refused"),
        (Party::Peer, 603, PauseReason::Refused, "refused"),
        (Party::Peer, 480, PauseReason::Missed, "lapsed"),
        (Party::Us, 480, PauseReason::Unreachable, "unreachable"),
        (Party::Network, 408, PauseReason::Unreachable, "unreachable"),
    ] {
        let mut scene = staffed(&[("ana", &["ana-phone"]), ("bruno", &["bruno-phone"])]);
        scene.comes("ana");
        scene.pass(Duration::from_secs(1));
        scene.comes("bruno");
        scene.waits();
        let phone = scene.phone();
        scene.leaves(phone, by, Some(status));
        assert_eq!(scene.paused("ana"), Some(reason), "{status}");
        let (next, other) = scene.phones().remove(0);
        assert_eq!(next, "bruno-phone", "{status}");
        assert_eq!(scene.voice.waiting(), 1, "the place is kept");
        scene.picks_up(other);
        assert_eq!(scene.doing("bruno"), ["handling"]);
        scene.ended(Party::Peer);
        assert_eq!(scene.details(TrailKind::OfferEnded)[0]["end"], end);
        let answered = scene.details(TrailKind::AgentAnswered);
        assert_eq!(answered[0]["agent"], "bruno");
    }
}

#[test]
fn a_phone_that_nobody_takes_rings_for_as_long_as_the_service_says() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    scene.comes("ana");
    scene.waits();
    let phone = scene.phone();
    let begun = scene.now.instant;
    scene.wanted.clear();
    while !hangs_up(&scene, phone.call) {
        scene.tick();
    }
    assert_eq!(scene.now.instant - begun, Duration::from_secs(15));
    assert_eq!(scene.paused("ana"), Some(PauseReason::Missed));
    assert_eq!(scene.voice.waiting(), 1);
    // It answered in the moment in which it was cancelled: the customer is not there.
    scene.picks_up(phone);
    assert_eq!(scene.media_of_caller(), [""; 0]);
}

#[test]
fn an_agent_without_a_phone_is_paused_and_nobody_is_left_waiting_for_them() {
    let mut scene = staffed(&[("ana", &[]), ("bruno", &["bruno-phone"])]);
    scene.comes("ana");
    scene.pass(Duration::from_secs(1));
    scene.comes("bruno");
    scene.waits();
    assert_eq!(scene.paused("ana"), Some(PauseReason::Unreachable));
    assert_eq!(scene.phones()[0].0, "bruno-phone");
}

#[test]
fn an_agent_who_was_unreachable_is_there_again_when_a_phone_registers() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    scene.comes("ana");
    scene.waits();
    let phone = scene.phone();
    scene.leaves(phone, Party::Us, Some(480));
    assert_eq!(scene.paused("ana"), Some(PauseReason::Unreachable));
    let device = "ana-phone".parse().expect("an id");
    scene.voice.handle_registered(scene.now, &device);
    scene.settle();
    assert_eq!(scene.phones()[0].0, "ana-phone", "the same caller");
}

#[test]
fn an_agent_who_hangs_up_ends_the_call_wraps_up_and_is_available_again() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    scene.comes("ana");
    scene.waits();
    let phone = scene.phone();
    scene.picks_up(phone);
    scene.wanted.clear();
    scene.leaves(phone, Party::Peer, None);
    assert!(hangs_up(&scene, CALL));
    assert_eq!(scene.doing("ana"), ["wrapping up"]);
    scene.ended(Party::Us);
    assert_eq!(scene.ends(), [(EndedBy::Agent, "hung_up")]);
    let begun = scene.now.instant;
    while !scene.doing("ana").is_empty() {
        scene.tick();
    }
    assert_eq!(scene.now.instant - begun, Duration::from_secs(10));
    assert_eq!(scene.presence("ana"), Presence::Available);
}

#[test]
fn a_caller_who_hangs_up_sends_the_agent_to_wrap_up() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    scene.comes("ana");
    scene.waits();
    let phone = scene.phone();
    scene.picks_up(phone);
    scene.ended(Party::Peer);
    assert!(hangs_up(&scene, phone.call));
    assert_eq!(scene.doing("ana"), ["wrapping up"]);
}

#[test]
fn the_limit_of_the_service_stands_where_nobody_comes_and_waits_for_a_phone_that_rings() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    scene.waits();
    let begun = scene.now.instant;
    scene.until(Duration::from_secs(50));
    scene.comes("ana");
    let _ringing = scene.phone();
    scene.until(Duration::from_secs(64));
    assert_eq!(
        scene.voice.waiting(),
        1,
        "nobody is sent away while it rings"
    );
    scene.wanted.clear();
    while scene.voice.waiting() > 0 {
        scene.tick();
    }
    assert_eq!(scene.now.instant - begun, Duration::from_secs(65));
    let sorry = loop {
        let next = scene.wanted.pop_front().expect("the last words");
        if let Output::Media(leg, MediaCommand::Play { play, clips, .. }) = next {
            assert_eq!(clips.iter().map(name).collect::<Vec<_>>(), ["sorry"]);
            break (leg, play);
        }
    };
    scene.played(sorry);
    assert!(hangs_up(&scene, CALL));
}

#[test]
fn a_caller_whose_agent_is_lost_goes_back_to_their_place() {
    let mut scene = staffed(&[("ana", &["ana-phone"]), ("bruno", &["bruno-phone"])]);
    scene.comes("ana");
    scene.waits();
    let phone = scene.phone();
    scene.picks_up(phone);
    scene.wish("bruno", Wish::Available).expect("an agent");
    scene
        .wish("ana", Wish::Paused("almoco".parse().expect("an id")))
        .expect("a known reason");
    scene.wanted.clear();
    scene.voice.handle_silence(scene.now, phone.leg);
    scene.settle();
    assert!(hangs_up(&scene, phone.call));
    assert!(!hangs_up(&scene, CALL));
    assert_eq!(scene.media_of_caller(), ["hear", "play"]);
    let other = scene.phone();
    scene.picks_up(other);
    assert_eq!(scene.doing("bruno"), ["handling"]);
    scene.ended(Party::Peer);
    assert_eq!(scene.details(TrailKind::AgentAnswered).len(), 2);
}

#[test]
fn an_agent_who_is_removed_while_talking_leaves_the_caller_in_the_line() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    scene.comes("ana");
    scene.waits();
    let phone = scene.phone();
    scene.picks_up(phone);
    scene.wanted.clear();
    let begun = scene.now.instant;
    scene
        .voice
        .set_directory(scene.now, Arc::new(directory(MENU)));
    scene.settle();
    assert!(hangs_up(&scene, phone.call));
    assert_eq!(scene.voice.waiting(), 1);
    // The flow is over for them: where nobody comes there is nothing left to say.
    while !hangs_up(&scene, CALL) {
        scene.tick();
    }
    assert_eq!(scene.now.instant - begun, Duration::from_secs(60));
}

//! Who waits asks to be called back, hangs up, and is called in their turn.

use media_engine::sip::call::Target;

use super::agents::{company, staffed};
use super::handling::guest;
use super::*;

/// Two agents; who waits may ask to be called back by the 7.
fn scene() -> Scene {
    let mut scene = staffed(&[("ana", &["ana-phone"]), ("bruno", &["bruno-phone"])]);
    let mut directory = Directory::clone(&scene.voice.shared.directory);
    let mut changed = Company::clone(&directory.companies[&company()]);
    for service in changed.services.values_mut() {
        service.calls.callback_key = ivr::Key::new('7');
        service.line_max = 10;
        service.wait_limit = Duration::from_secs(3_600);
    }
    directory.companies.insert(company(), Arc::new(changed));
    scene.voice.set_directory(scene.now, Arc::new(directory));
    scene.settle();
    scene
}

impl Scene {
    /// The caller asks to be called back at the number they call from, and is off the line.
    fn asks(&mut self) {
        self.waits();
        self.press('7');
        self.press('1');
        let farewell = self.last_play();
        self.wanted.clear();
        self.played(farewell);
        assert!(hangs_up(self, CALL), "they need not stay");
        self.ended(Party::Us);
        self.wanted.clear();
    }

    fn last_play(&self) -> (LegId, PlayId) {
        let mut plays = self.wanted.iter().rev().filter_map(|output| match output {
            Output::Media(leg, MediaCommand::Play { play, .. }) => Some((*leg, *play)),
            _ => None,
        });
        plays.next().expect("something is heard")
    }

    fn last_heard(&self) -> Vec<String> {
        let mut plays = self.wanted.iter().rev().filter_map(|output| match output {
            Output::Media(_, MediaCommand::Play { clips, .. }) => Some(clips),
            _ => None,
        });
        let clips = plays.next().expect("something is heard");
        clips.iter().map(|clip| name(clip).to_owned()).collect()
    }

    fn places(&mut self) -> usize {
        let sales = "sales".parse().expect("an id");
        self.voice.line(self.now, &company(), &sales).len()
    }
}

#[test]
fn who_asks_hears_their_number_hangs_up_and_keeps_the_place() {
    let mut scene = scene();
    scene.waits();
    scene.until(Duration::from_secs(20));
    let offered = scene.last_heard();
    assert!(
        offered.contains(&"sentences/callback-offer".to_owned()),
        "{offered:?}"
    );
    scene.press('7');
    let asked = scene.last_heard();
    assert_eq!(asked[0], "sentences/callback-number");
    assert_eq!(asked.len(), 12, "ten digits between two sentences");
    scene.press('1');
    assert_eq!(scene.last_heard(), ["sentences/callback-promised"]);
    scene.ended(Party::Peer);
    assert_eq!(scene.ends(), [], "the matter is not over");
    assert_eq!(scene.places(), 1);
    assert_eq!(scene.voice.calls(), 0);
    assert!(scene.voice.shared.lines.is_empty());
    scene.until(Duration::from_secs(40));
    let promised = scene.details(TrailKind::CallbackPromised);
    assert_eq!(promised[0]["number"], "+551140000001");
}

#[test]
fn who_was_promised_a_call_is_called_over_the_carrier_of_the_day() {
    let mut scene = scene();
    scene.asks();
    scene.change(|company| {
        let outbound = company.outbound.as_mut().expect("a carrier");
        outbound.trunk = "another".parse().expect("an id");
    });
    scene.comes("ana");
    let ana = scene.phone();
    scene.picks_up(ana);
    let (_, target) = guest(&mut scene);
    assert!(matches!(&target, Target::Trunk { trunk, .. } if &*trunk.0 == "another"));
}

#[test]
fn the_agent_is_there_before_the_customer_is_called_and_both_are_joined() {
    let mut scene = scene();
    scene.asks();
    scene.until(Duration::from_secs(600));
    assert!(
        scene.phones().is_empty(),
        "nobody is called without an agent"
    );
    scene.comes("ana");
    let ana = scene.phone();
    scene.picks_up(ana);
    assert_eq!(scene.doing("ana"), ["calling back"]);
    let (customer, target) = guest(&mut scene);
    assert!(matches!(&target, Target::Trunk { number, .. } if number == "+551140000001"));
    scene.tell(CallEvent::Ringing {
        call: customer.call,
    });
    let (leg, _) = scene.hears(&["ringing"]);
    assert_eq!(leg, ana.leg, "the agent hears it ring");
    scene.picks_up(customer);
    assert_eq!(scene.doing("ana"), ["handling"]);
    let hears = |of: LegId, other: LegId| {
        scene.wanted.iter().any(|output| {
            matches!(output, Output::Media(leg, MediaCommand::Hear(heard)) if *leg == of && *heard == [other])
        })
    };
    assert!(hears(ana.leg, customer.leg) && hears(customer.leg, ana.leg));
    scene.leaves(customer, Party::Peer, None);
    assert_eq!(scene.ends(), [(EndedBy::Customer, "hung_up")]);
    assert_eq!(scene.doing("ana"), ["wrapping up"]);
    assert!(scene.voice.shared.lines.is_empty() && scene.voice.calls.is_empty());
    let openings = scene
        .changes
        .iter()
        .filter(|change| matches!(change, Change::InteractionEnded { .. }));
    assert_eq!(
        openings.count(),
        1,
        "one matter from the first call to the last"
    );
}

#[test]
fn a_customer_who_is_not_reached_keeps_the_place_and_is_called_again() {
    let mut scene = scene();
    scene.asks();
    scene.comes("ana");
    let ana = scene.phone();
    scene.picks_up(ana);
    let (customer, _) = guest(&mut scene);
    scene.leaves(customer, Party::Peer, Some(480));
    assert!(hangs_up(&scene, ana.call), "the agent is free");
    assert_eq!(scene.doing("ana"), [""; 0]);
    assert_eq!(scene.places(), 0, "it rests");
    scene.wanted.clear();
    let phone = loop {
        scene.tick();
        if let Some((_, phone)) = scene.phones().pop() {
            break phone;
        }
    };
    scene.picks_up(phone);
    let (again, _) = guest(&mut scene);
    scene.picks_up(again);
    assert_eq!(scene.doing("ana"), ["handling"]);
}

#[test]
fn after_all_attempts_the_matter_is_closed_as_not_reached() {
    let mut scene = scene();
    scene.asks();
    scene.comes("ana");
    for _ in 0..3 {
        let phone = loop {
            if let Some((_, phone)) = scene.phones().pop() {
                break phone;
            }
            scene.tick();
        };
        scene.picks_up(phone);
        let (customer, _) = guest(&mut scene);
        scene.leaves(customer, Party::Peer, Some(486));
    }
    assert_eq!(scene.ends(), [(EndedBy::Ramal, "not_reached")]);
    assert!(scene.voice.shared.lines.is_empty() && scene.voice.calls.is_empty());
    assert_eq!(scene.doing("ana"), [""; 0]);
}

#[test]
fn who_changes_their_mind_stays_on_the_line_and_an_agent_cuts_the_question_short() {
    let mut scene = scene();
    scene.waits();
    scene.press('7');
    scene.press('*');
    assert_eq!(scene.last_heard(), ["music"]);
    scene.press('7');
    scene.comes("ana");
    let phone = scene.phone();
    scene.picks_up(phone);
    assert!(matches!(
        scene
            .wanted
            .iter()
            .find(|output| matches!(output, Output::Media(LegId(1), _))),
        Some(Output::Media(_, MediaCommand::Stop))
    ));
    assert_eq!(scene.doing("ana"), ["handling"]);
    assert_eq!(scene.voice.calls(), 1);
}

/// `reference`: the complaint about callbacks that jump the line in other products.
#[test]
fn those_who_are_called_back_and_those_who_stay_are_served_by_arrival() {
    let mut scene = scene();
    scene.asks(); // The first, at home.
    let second = CallId(2);
    let mut invite = incoming("4000");
    invite.sip_call_id = "second@b".into();
    let invite = Box::new(invite);
    scene.pass(Duration::from_secs(5));
    scene.tell(CallEvent::Incoming {
        call: second,
        invite,
    });
    scene.tell(CallEvent::Confirmed {
        call: second,
        sdp: None,
    });
    let leg = *scene.voice.shared.sips.get(&second).expect("a line");
    scene
        .voice
        .handle_key(scene.now, leg, Key::from_char('1').expect("a key"));
    scene.settle();
    assert_eq!(scene.places(), 2);
    scene.wanted.clear();
    scene.comes("ana");
    let ana = scene.phone();
    scene.picks_up(ana);
    let (customer, target) = guest(&mut scene);
    assert!(
        matches!(target, Target::Trunk { .. }),
        "the first is called"
    );
    scene.picks_up(customer);
    scene.comes("bruno");
    let bruno = scene.phone();
    scene.picks_up(bruno);
    assert_eq!(scene.doing("bruno"), ["handling"]);
    assert_eq!(scene.places(), 0);
}

//! What agents do with a call, and supervisors: hold, consultation, transfer, listening in.

use desk::id::UserId;
use media_engine::sip::AccountId;
use media_engine::sip::call::{Replaced, Target};

use super::agents::{Phone, agent, company, staffed};
use super::*;
use crate::voice::{Attention, CallOrder, Destination, OrderError, Wish};

const CUSTOMER: LegId = LegId(1);

/// Ana talks with a customer; Bruno and the chief are there as well.
pub(super) fn talking() -> (Scene, Phone) {
    let mut scene = staffed(&[
        ("ana", &["ana-phone"]),
        ("bruno", &["bruno-phone"]),
        ("chief", &["chief-phone"]),
    ]);
    scene.comes("ana");
    scene.waits();
    let phone = scene.phone();
    scene.picks_up(phone);
    scene.wanted.clear();
    (scene, phone)
}

impl Scene {
    fn interaction(&self) -> desk::id::InteractionId {
        self.opened.as_deref().expect("an opening").id.clone()
    }

    fn order(&mut self, by: &str, order: CallOrder) -> Result<(), OrderError> {
        let interaction = self.interaction();
        let done = self
            .voice
            .order(self.now, &company(), &agent(by), &interaction, order);
        self.settle();
        done
    }

    pub(super) fn does(&mut self, by: &str, order: CallOrder) {
        self.order(by, order).expect("it can be done");
    }

    /// What each leg was told last to hear, of those that were told something.
    fn told(&mut self) -> BTreeMap<u64, Vec<u64>> {
        let mut told = BTreeMap::new();
        for output in std::mem::take(&mut self.wanted) {
            if let Output::Media(leg, MediaCommand::Hear(heard)) = output {
                told.insert(leg.0, heard.iter().map(|leg| leg.0).collect());
            }
        }
        told
    }

    fn music(&self, leg: LegId) -> bool {
        let mut commands = self.wanted.iter().rev().filter_map(|output| match output {
            Output::Media(of, command) if *of == leg => Some(command),
            _ => None,
        });
        commands.any(|command| {
            matches!(command, MediaCommand::Play { repeat: true, clips, .. } if clips == &[Clip::Music])
        })
    }

    fn parties(&self) -> Vec<(&'static str, &'static str)> {
        let calls = self.voice.calls_of(&company());
        let parties = calls.iter().flat_map(|call| &call.parties);
        parties.map(|party| (party.role, party.place)).collect()
    }

    /// Who had it in hand last, as its record says when it is over.
    fn kept_agent(&self) -> Option<UserId> {
        let mut updates = self.changes.iter().filter_map(|change| match change {
            Change::InteractionUpdated { update, .. } | Change::InteractionEnded { update, .. } => {
                update.agent.clone()
            }
            _ => None,
        });
        updates.next_back()
    }

    fn kinds(&self, kind: TrailKind) -> usize {
        self.details(kind).len()
    }
}

fn to(agent_name: &str) -> Destination {
    Destination::Agent(agent(agent_name))
}

#[test]
fn a_customer_on_hold_hears_music_and_nothing_else_until_they_are_taken_back() {
    let (mut scene, ana) = talking();
    scene.does("ana", CallOrder::Hold);
    assert!(scene.music(CUSTOMER));
    let told = scene.told();
    assert_eq!(told[&1], [0; 0]);
    assert_eq!(told[&ana.leg.0], [0; 0]);
    scene.does("ana", CallOrder::Resume);
    let stops = matches!(scene.wanted[0], Output::Media(CUSTOMER, MediaCommand::Stop));
    assert!(stops, "the music ends");
    let told = scene.told();
    assert_eq!((&told[&1], &told[&ana.leg.0]), (&vec![ana.leg.0], &vec![1]));
    scene.ended(Party::Peer);
    assert_eq!(scene.kinds(TrailKind::Held), 1);
    assert_eq!(scene.kinds(TrailKind::Resumed), 1);
}

#[test]
fn a_phone_that_holds_leaves_the_customer_to_music() {
    let (mut scene, ana) = talking();
    let sdp = OFFER.replace("a=rtpmap", "a=sendonly\r\na=rtpmap");
    scene.tell(CallEvent::Offered {
        call: ana.call,
        sdp: Some(sdp.into()),
    });
    assert!(scene.music(CUSTOMER));
    scene.tell(CallEvent::Offered {
        call: ana.call,
        sdp: Some(OFFER.into()),
    });
    assert_eq!(scene.told()[&1], [ana.leg.0]);
}

#[test]
fn a_muted_agent_is_not_heard_and_hears() {
    let (mut scene, ana) = talking();
    scene.does("ana", CallOrder::Mute(true));
    assert!(!scene.music(CUSTOMER));
    let told = scene.told();
    assert_eq!(told.get(&1), Some(&vec![]));
    assert_eq!(told.get(&ana.leg.0), None, "nothing changed for her");
}

#[test]
fn only_who_has_a_call_in_hand_does_something_with_it() {
    let (mut scene, _) = talking();
    for by in ["bruno", "nobody"] {
        assert_eq!(scene.order(by, CallOrder::Hold), Err(OrderError::NotYours));
    }
    let elsewhere = scene.voice.order(
        scene.now,
        &"other".parse().expect("an id"),
        &agent("ana"),
        &scene.interaction(),
        CallOrder::Hold,
    );
    assert_eq!(elsewhere, Err(OrderError::NoSuchCall));
    assert!(scene.wanted.is_empty());
}

#[test]
fn an_agent_asks_a_colleague_who_takes_the_call_over() {
    let (mut scene, ana) = talking();
    scene.comes("bruno");
    scene.does("ana", CallOrder::Consult(to("bruno")));
    let bruno = scene.phone();
    assert!(scene.music(CUSTOMER), "nobody waits in silence");
    assert_eq!(scene.parties(), [("customer", "held"), ("agent", "aside")]);
    scene.picks_up(bruno);
    let told = scene.told();
    assert_eq!(told[&ana.leg.0], [bruno.leg.0]);
    assert_eq!(told[&bruno.leg.0], [ana.leg.0]);
    assert_eq!(told.get(&1), None, "the customer goes on hearing music");

    scene.does("ana", CallOrder::Complete);
    assert!(hangs_up(&scene, ana.call));
    let told = scene.told();
    assert_eq!(
        (&told[&1], &told[&bruno.leg.0]),
        (&vec![bruno.leg.0], &vec![1])
    );
    assert_eq!(scene.doing("ana"), [""; 0]);
    assert_eq!(scene.doing("bruno"), ["handling"]);
    scene.leaves(bruno, Party::Peer, None);
    assert!(hangs_up(&scene, CALL));
    scene.ended(Party::Us);
    assert_eq!(scene.doing("bruno"), ["wrapping up"]);
    let handed = scene.details(TrailKind::Transferred);
    assert_eq!(
        (&handed[0]["from"], &handed[0]["to"]),
        (&"ana".into(), &"bruno".into())
    );
    assert!(scene.voice.shared.lines.is_empty() && scene.voice.calls.is_empty());
    assert_eq!(scene.kept_agent(), Some(agent("bruno")));
}

#[test]
fn an_agent_who_hangs_up_while_asking_leaves_the_customer_with_the_colleague() {
    let (mut scene, ana) = talking();
    scene.comes("bruno");
    scene.does("ana", CallOrder::Consult(to("bruno")));
    let bruno = scene.phone();
    scene.picks_up(bruno);
    scene.wanted.clear();
    scene.leaves(ana, Party::Peer, None);
    assert!(!hangs_up(&scene, CALL));
    assert_eq!(scene.told()[&1], [bruno.leg.0]);
    assert_eq!(scene.doing("bruno"), ["handling"]);
}

#[test]
fn a_colleague_who_does_not_answer_leaves_the_agent_with_the_customer() {
    let (mut scene, ana) = talking();
    scene.comes("bruno");
    scene.does("ana", CallOrder::Consult(to("bruno")));
    let bruno = scene.phone();
    scene.wanted.clear();
    scene.leaves(bruno, Party::Peer, Some(486));
    // Nobody else may be asked in his place; after a while the question is given up.
    scene.does("ana", CallOrder::Cancel);
    let told = scene.told();
    assert_eq!((&told[&1], &told[&ana.leg.0]), (&vec![ana.leg.0], &vec![1]));
    assert_eq!(scene.doing("ana"), ["handling"]);
    assert_eq!(
        scene.order("ana", CallOrder::Complete),
        Err(OrderError::NotNow("nobody is asked about this call"))
    );
}

#[test]
fn three_who_are_joined_all_hear_each_other_and_who_leaves_leaves_the_others_together() {
    let (mut scene, ana) = talking();
    scene.comes("bruno");
    scene.does("ana", CallOrder::Consult(to("bruno")));
    let bruno = scene.phone();
    scene.picks_up(bruno);
    scene.wanted.clear();
    scene.does("ana", CallOrder::Join);
    let (a, b) = (ana.leg.0, bruno.leg.0);
    let all = BTreeMap::from([(1, vec![a, b]), (a, vec![1, b]), (b, vec![1, a])]);
    assert_eq!(scene.told(), all);
    // With the customer between two, either can leave.
    scene.leaves(bruno, Party::Peer, None);
    assert_eq!(scene.told(), BTreeMap::from([(1, vec![a]), (a, vec![1])]));
    assert_eq!(scene.doing("bruno"), [""; 0]);
    assert_eq!(scene.doing("ana"), ["handling"]);
}

#[test]
fn a_conference_grows_by_one_after_the_other_and_goes_on_when_its_first_agent_leaves() {
    let (mut scene, ana) = talking();
    let mut others = vec![];
    for name in ["bruno", "chief"] {
        scene.comes(name);
        scene.does("ana", CallOrder::Consult(to(name)));
        let phone = scene.phone();
        scene.picks_up(phone);
        scene.wanted.clear();
        scene.does("ana", CallOrder::Join);
        others.push(phone);
    }
    let (a, b, c) = (ana.leg.0, others[0].leg.0, others[1].leg.0);
    let told = scene.told();
    assert_eq!((&told[&1], &told[&c]), (&vec![a, b, c], &vec![1, a, b]));
    scene.leaves(ana, Party::Peer, None);
    let told = scene.told();
    assert_eq!((&told[&1], &told[&b]), (&vec![b, c], &vec![1, c]));
    assert_eq!(scene.doing("ana"), [""; 0], "who hands on is free");
    assert_eq!(scene.doing("chief"), ["handling"]);
    assert!(!hangs_up(&scene, CALL));
    scene.leaves(others[0], Party::Peer, None);
    assert_eq!(scene.doing("bruno"), [""; 0]);
    scene.ended(Party::Peer);
    assert!(scene.voice.shared.lines.is_empty());
}

#[test]
fn a_supervisor_who_is_no_agent_hands_a_call_on_that_they_took_over() {
    let (mut scene, _) = talking();
    scene.comes("bruno");
    scene.does("chief", CallOrder::TakeOver);
    let (chief, _) = guest(&mut scene);
    scene.picks_up(chief);
    scene.does("chief", CallOrder::Transfer(to("bruno")));
    assert!(hangs_up(&scene, chief.call));
    let phone = scene.phone();
    scene.picks_up(phone);
    assert_eq!(scene.doing("bruno"), ["handling"]);
    assert_eq!(scene.told()[&1], [phone.leg.0]);
}

#[test]
fn who_only_listens_presses_no_key_for_anybody() {
    let (mut scene, ana) = talking();
    scene.does("chief", CallOrder::Attend(Attention::Listen));
    let (chief, _) = guest(&mut scene);
    scene.picks_up(chief);
    scene.wanted.clear();
    let presses = |scene: &mut Scene, call| {
        scene.tell(CallEvent::Info {
            call,
            content_type: "application/dtmf".into(),
            body: "5".into(),
        });
        let wanted = std::mem::take(&mut scene.wanted).into_iter();
        let pressed = wanted.filter_map(|output| match output {
            Output::Media(leg, MediaCommand::Press(_)) => Some(leg.0),
            _ => None,
        });
        pressed.collect::<Vec<_>>()
    };
    assert_eq!(presses(&mut scene, chief.call), [0; 0]);
    assert_eq!(presses(&mut scene, ana.call), [1, chief.leg.0]);
}

#[test]
fn an_agent_goes_from_the_customer_to_the_colleague_and_back() {
    let (mut scene, ana) = talking();
    scene.comes("bruno");
    scene.does("ana", CallOrder::Consult(to("bruno")));
    let bruno = scene.phone();
    scene.picks_up(bruno);
    scene.wanted.clear();
    scene.does("ana", CallOrder::Switch);
    assert_eq!(
        scene.parties(),
        [
            ("customer", "together"),
            ("agent", "together"),
            ("agent", "held")
        ]
    );
    assert_eq!(scene.told()[&1], [ana.leg.0]);
    scene.does("ana", CallOrder::Switch);
    assert_eq!(
        scene.parties(),
        [("customer", "held"), ("agent", "aside"), ("agent", "aside")]
    );
}

#[test]
fn a_call_that_is_transferred_to_an_agent_rings_there_and_the_giver_is_free() {
    let (mut scene, ana) = talking();
    scene.comes("bruno");
    scene.does("ana", CallOrder::Transfer(to("bruno")));
    assert!(hangs_up(&scene, ana.call));
    let bruno = scene.phone();
    assert_eq!(scene.voice.waiting(), 1);
    assert_eq!(scene.doing("ana"), [""; 0]);
    scene.picks_up(bruno);
    assert_eq!(scene.told()[&1], [bruno.leg.0]);
    assert_eq!(scene.doing("bruno"), ["handling"]);
}

#[test]
fn who_may_not_have_a_call_is_not_given_it_and_it_stays_where_it_is() {
    let (mut scene, ana) = talking();
    let away = scene.order("ana", CallOrder::Transfer(to("bruno")));
    assert_eq!(away, Err(OrderError::Desk(desk::output::DeskError::Away)));
    let nowhere = Destination::Dialled("20".into());
    let nowhere = scene.order("ana", CallOrder::Transfer(nowhere));
    assert_eq!(nowhere, Err(OrderError::Nowhere));
    assert!(!hangs_up(&scene, ana.call));
    assert_eq!(scene.doing("ana"), ["handling"]);
}

/// The line that is placed to somebody outside of the desk.
pub(super) fn guest(scene: &mut Scene) -> (Phone, Target) {
    let (leg, target) = scene
        .wanted
        .iter()
        .find_map(|output| match output {
            Output::Sip(SipCommand::Dial { leg, dial }) => Some((*leg, dial.target.clone())),
            _ => None,
        })
        .expect("somebody is called");
    scene.wanted.clear();
    let call = CallId(500 + leg.0);
    scene.voice.handle_dialling(scene.now, leg, Ok(call));
    scene.settle();
    (Phone { leg, call }, target)
}

#[test]
fn a_call_is_handed_to_a_number_outside_and_ends_when_either_hangs_up() {
    let (mut scene, ana) = talking();
    let number = Destination::Dialled("11 98765-4321".into());
    scene.does("ana", CallOrder::Transfer(number));
    assert!(hangs_up(&scene, ana.call));
    let (outside, target) = guest(&mut scene);
    assert!(matches!(target, Target::Trunk { number, .. } if number == "+5511987654321"));
    assert_eq!(scene.doing("ana"), ["wrapping up"]);
    scene.tell(CallEvent::Ringing { call: outside.call });
    scene.hears(&["ringing"]);
    scene.picks_up(outside);
    let told = scene.told();
    assert_eq!(
        (&told[&1], &told[&outside.leg.0]),
        (&vec![outside.leg.0], &vec![1])
    );
    scene.leaves(outside, Party::Peer, None);
    assert!(hangs_up(&scene, CALL));
    scene.ended(Party::Us);
    assert!(scene.voice.shared.lines.is_empty() && scene.voice.calls.is_empty());
}

#[test]
fn a_customer_whose_transfer_nobody_answers_waits_for_the_service_again() {
    let (mut scene, _) = talking();
    scene.comes("bruno");
    let number = Destination::Dialled("11 98765-4321".into());
    scene.does("ana", CallOrder::Transfer(number));
    let (outside, _) = guest(&mut scene);
    scene.until(Duration::from_secs(25));
    scene.leaves(outside, Party::Peer, Some(480));
    assert!(!hangs_up(&scene, CALL));
    let phone = scene.phone();
    scene.picks_up(phone);
    assert_eq!(scene.doing("bruno"), ["handling"]);
    let work = scene.voice.work_of(scene.now, &company(), &agent("bruno"));
    let work = work.expect("an agent")[0].work.clone();
    let desk = scene.voice.shared.desk(scene.now, &company()).expect("one");
    let came = desk.work(&work).expect("in hand").work.arrived_ms;
    let age = scene.now.wall.as_millisecond() - came;
    assert!(age >= 25_000, "the place is kept: {age} ms");
}

#[test]
fn a_supervisor_listens_then_whispers_then_joins_and_is_in_the_trail() {
    let (mut scene, ana) = talking();
    scene.does("chief", CallOrder::Attend(Attention::Listen));
    let (chief, _) = guest(&mut scene);
    scene.picks_up(chief);
    let (a, c) = (ana.leg.0, chief.leg.0);
    assert_eq!(scene.told(), BTreeMap::from([(c, vec![1, a])]), "unheard");
    scene.does("chief", CallOrder::Attend(Attention::Whisper));
    assert_eq!(scene.told(), BTreeMap::from([(a, vec![1, c])]));
    scene.does("chief", CallOrder::Attend(Attention::Barge));
    assert_eq!(scene.told(), BTreeMap::from([(1, vec![a, c])]));
    scene.leaves(chief, Party::Peer, None);
    assert_eq!(scene.told(), BTreeMap::from([(1, vec![a]), (a, vec![1])]));
    assert!(!hangs_up(&scene, CALL));
    scene.ended(Party::Peer);
    let supervised = scene.details(TrailKind::Supervised);
    let how: Vec<_> = supervised.iter().map(|detail| &detail["how"]).collect();
    assert_eq!(how, ["listen", "whisper", "barge"]);
    assert!(supervised.iter().all(|detail| detail["by"] == "chief"));
}

#[test]
fn who_listens_to_a_call_is_offered_nothing_until_they_hang_up() {
    let (mut scene, _) = talking();
    scene.does("chief", CallOrder::Attend(Attention::Listen));
    let (chief, _) = guest(&mut scene);
    scene.picks_up(chief);
    scene.comes("chief");
    scene.page("chief", true);
    scene.task("t1", vec![]);
    assert_eq!(scene.doing("chief"), [""; 0]);
    scene.leaves(chief, Party::Peer, None);
    assert_eq!(scene.doing("chief"), ["offered"]);
}

#[test]
fn a_supervisor_takes_a_call_over_and_the_agent_wraps_up() {
    let (mut scene, ana) = talking();
    scene.comes("chief");
    scene.does("chief", CallOrder::TakeOver);
    let (chief, _) = guest(&mut scene);
    scene.picks_up(chief);
    assert!(hangs_up(&scene, ana.call));
    assert_eq!(scene.told()[&1], [chief.leg.0]);
    assert_eq!(scene.doing("ana"), ["wrapping up"]);
    assert_eq!(scene.doing("chief"), ["handling"]);
    scene.does("chief", CallOrder::Hold);
    scene.ended(Party::Peer);
    assert_eq!(scene.kept_agent(), Some(agent("chief")));
}

#[test]
fn an_agent_goes_on_with_a_call_on_a_phone_that_rings_anew() {
    let (mut scene, ana) = talking();
    scene.comes("bruno");
    scene.page("bruno", true);
    let interaction = scene.voice.calls_of(&company()).remove(0).interaction;
    let strange = scene.voice.order(
        scene.now,
        &company(),
        &agent("bruno"),
        &interaction,
        CallOrder::Bring,
    );
    strange.expect_err("not his");
    scene.does("ana", CallOrder::Bring);
    let (other, target) = guest(&mut scene);
    assert_eq!(target, Target::Device(AccountId("ana-phone".into())));
    assert!(
        !hangs_up(&scene, ana.call),
        "until it is answered all is as it was"
    );
    scene.picks_up(other);
    assert!(hangs_up(&scene, ana.call));
    let told = scene.told();
    assert_eq!(told[&1], [other.leg.0]);
    assert_eq!(told[&other.leg.0], [1]);
    assert_eq!(scene.doing("ana"), ["handling"]);
    // The end of the phone that is gone is not the end of the call.
    scene.leaves(ana, Party::Us, None);
    assert_eq!(scene.doing("ana"), ["handling"]);
    scene.does("ana", CallOrder::Hold);
    scene.does("ana", CallOrder::Resume);
    scene.leaves(other, Party::Peer, None);
    assert_eq!(scene.doing("ana"), ["wrapping up"]);
    assert!(hangs_up(&scene, CALL));
}

#[test]
fn a_phone_transfers_by_its_own_keys() {
    let (mut scene, ana) = talking();
    scene.comes("bruno");
    let referral = Box::new(Referral {
        to: "11987654321".into(),
        uri: "sip:11987654321@ramal".into(),
        replaces: None,
        referred_by: None,
    });
    let call = ana.call;
    scene.tell(CallEvent::Transfer { call, referral });
    let accepts = |output: &Output| matches!(output, Output::Sip(SipCommand::AcceptTransfer(of)) if *of == call);
    assert!(scene.wanted.iter().any(accepts));
    let (outside, _) = guest(&mut scene);
    scene.picks_up(outside);
    assert_eq!(scene.told()[&1], [outside.leg.0]);
}

#[test]
fn a_phone_joins_the_two_it_talks_with_and_is_free() {
    let (mut scene, ana) = talking();
    // On her second line she calls Bruno's telephone, who answers.
    let mut invite = incoming("300");
    invite.origin = Origin::Device(AccountId("ana-phone".into()));
    let second = CallId(77);
    let invite = Box::new(invite);
    scene.voice.handle_call(
        scene.now,
        CallEvent::Incoming {
            call: second,
            invite,
        },
    );
    let beside = scene
        .voice
        .shared
        .outputs
        .iter()
        .find_map(|output| match output {
            Output::Media(_, MediaCommand::Open { beside, .. }) => Some(*beside),
            _ => None,
        });
    assert_eq!(beside, Some(Some(ana.leg)), "both lines on one thread");
    scene.opened = None;
    scene.settle();
    let (bruno, target) = guest(&mut scene);
    assert_eq!(target, Target::Device(AccountId("bruno-phone".into())));
    scene.picks_up(bruno);
    scene.tell(CallEvent::Confirmed {
        call: second,
        sdp: None,
    });
    scene.wanted.clear();
    let referral = Box::new(Referral {
        to: "300".into(),
        uri: "sip:300@ramal".into(),
        replaces: Some(Replaced::Ours(second)),
        referred_by: None,
    });
    let call = ana.call;
    scene.tell(CallEvent::Transfer { call, referral });
    assert!(hangs_up(&scene, call) && hangs_up(&scene, second));
    let at = |wanted: fn(&SipCommand) -> bool| {
        let mut outputs = scene.wanted.iter();
        let at = outputs.position(|output| matches!(output, Output::Sip(sip) if wanted(sip)));
        at.expect("a command")
    };
    let answered = at(|sip| matches!(sip, SipCommand::AcceptTransfer(_)));
    assert!(answered < at(|sip| matches!(sip, SipCommand::ReportTransfer { .. })));
    assert!(answered < at(|sip| matches!(sip, SipCommand::HangUp { .. })));
    assert!(!hangs_up(&scene, bruno.call) && !hangs_up(&scene, CALL));
    let told = scene.told();
    assert_eq!(
        (&told[&1], &told[&bruno.leg.0]),
        (&vec![bruno.leg.0], &vec![1])
    );
    assert_eq!(scene.voice.calls(), 1);
    scene.ended(Party::Peer);
    assert!(hangs_up(&scene, bruno.call));
    assert!(scene.voice.shared.lines.is_empty() && scene.voice.calls.is_empty());
}

#[test]
fn a_customer_may_not_have_others_called_at_the_companys_cost() {
    let (mut scene, _) = talking();
    let referral = Box::new(Referral {
        to: "+19005550100".into(),
        uri: "sip:+19005550100@ramal".into(),
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
}

#[test]
fn a_click_rings_the_agent_first_and_then_the_customer() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    scene.comes("ana");
    let placed = scene
        .voice
        .dial(scene.now, &company(), &agent("ana"), "11 98765-4321", None);
    placed.expect("a call");
    scene.settle();
    let (ana, target) = guest(&mut scene);
    assert_eq!(target, Target::Device(AccountId("ana-phone".into())));
    assert_eq!(scene.doing("ana"), ["handling"], "nobody else rings her");
    scene.picks_up(ana);
    let (customer, target) = guest(&mut scene);
    assert!(matches!(target, Target::Trunk { .. }));
    scene.tell(CallEvent::Ringing {
        call: customer.call,
    });
    let (leg, _) = scene.hears(&["ringing"]);
    assert_eq!(leg, ana.leg);
    scene.picks_up(customer);
    let told = scene.told();
    assert_eq!(told[&ana.leg.0], [customer.leg.0]);
    assert_eq!(told[&customer.leg.0], [ana.leg.0]);
    let again = scene
        .voice
        .dial(scene.now, &company(), &agent("ana"), "190", None);
    again.expect_err("she is on the line");
    scene.leaves(customer, Party::Peer, None);
    assert!(hangs_up(&scene, ana.call));
    assert_eq!(scene.ends(), [(EndedBy::Customer, "hung_up")]);
    assert_eq!(scene.doing("ana"), ["wrapping up"]);
    assert!(scene.voice.shared.lines.is_empty() && scene.voice.calls.is_empty());
}

/// The flow talks with somebody of ours, whose phone was rung for it, and says `menu` after its greeting.
fn is_served(scene: &mut Scene, ana: Phone, menu: &str) {
    scene.picks_up(ana);
    let is_start = |output: Output| matches!(output, Output::Media(_, MediaCommand::Start(_)));
    assert!(is_start(scene.next()));
    let (leg, hello) = scene.hears(&["hello"]);
    assert_eq!(leg, ana.leg);
    scene.played((leg, hello));
    scene.hears(&[menu]);
}

#[test]
fn a_click_on_a_number_of_ours_has_its_flow_talk_with_the_agent() {
    let mut scene = staffed(&[("ana", &["ana-phone"]), ("bruno", &["bruno-phone"])]);
    scene.comes("ana");
    scene.comes("bruno");
    let placed = scene
        .voice
        .dial(scene.now, &company(), &agent("ana"), "4000", None);
    let interaction = placed.expect("a call");
    scene.settle();
    let opened = scene.opened.as_deref().expect("an opening");
    assert_eq!(opened.direction, desk::record::Direction::Inbound);
    assert!(opened.number.is_some() && opened.flow.is_some());
    assert_eq!(opened.to, "4000");
    let (ana, target) = guest(&mut scene);
    assert_eq!(target, Target::Device(AccountId("ana-phone".into())));
    is_served(&mut scene, ana, "Digite 1");
    assert!(scene.doing("ana").is_empty(), "it is no work of hers");
    let seen = scene.voice.calls_of(&company()).remove(0);
    assert_eq!(
        (seen.agent, seen.parties[0].user.clone()),
        (None, Some(agent("ana")))
    );
    let again = scene
        .voice
        .dial(scene.now, &company(), &agent("ana"), "4000", None);
    again.expect_err("she is on the line");
    // She is a customer of it like any other: her keys are for the flow, and others take what she waits for.
    let mut orders = |by: &str, order| {
        let done = scene
            .voice
            .order(scene.now, &company(), &agent(by), &interaction, order);
        scene.settle();
        done
    };
    orders("ana", CallOrder::Hold).expect_err("nobody to hold");
    orders("bruno", CallOrder::HangUp).expect_err("not his");
    orders("ana", CallOrder::Press(vec![Key::One])).expect("keys");
    assert_eq!(scene.voice.waiting(), 1);
    assert_eq!(scene.doing("ana"), Vec::<&str>::new());
    assert_eq!(scene.doing("bruno"), ["offered"]);
    let done = scene.voice.order(
        scene.now,
        &company(),
        &agent("ana"),
        &interaction,
        CallOrder::HangUp,
    );
    done.expect("the end");
    scene.settle();
    assert!(hangs_up(&scene, ana.call));
    scene.leaves(ana, Party::Us, None);
    assert_eq!(scene.ends(), [(EndedBy::Customer, "hung_up")]);
    assert_eq!(scene.voice.waiting(), 0);
}

#[test]
fn a_flow_that_is_not_published_is_heard_on_one_s_own_phone() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    let draft = MENU.replace("Digite 1", "Digite 1 ou espere");
    let draft: ivr::Flow = serde_json::from_str(&draft).expect("a flow");
    let heard = (ivr::FlowId::new("draft"), draft);
    let placed = scene.voice.try_flow(
        scene.now,
        &company(),
        &agent("ana"),
        "Principal".to_owned(),
        heard,
    );
    placed.expect("a call");
    scene.settle();
    let (ana, _) = guest(&mut scene);
    is_served(&mut scene, ana, "Digite 1 ou espere");
    let opened = scene.opened.as_deref().expect("an opening");
    assert_eq!((&opened.number, &opened.flow), (&None, &None));
    assert_eq!(opened.to, "Principal");
    scene.leaves(ana, Party::Peer, None);
    assert_eq!(scene.ends(), [(EndedBy::Customer, "hung_up")]);
    assert!(scene.voice.shared.lines.is_empty() && scene.voice.calls.is_empty());
}

#[test]
fn who_asked_to_hear_a_flow_and_does_not_answer_has_ended_it() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    let placed = scene
        .voice
        .dial(scene.now, &company(), &agent("ana"), "4000", None);
    placed.expect("a call");
    scene.settle();
    let (ana, _) = guest(&mut scene);
    scene.leaves(ana, Party::Peer, Some(486));
    assert_eq!(scene.ends().len(), 1);
    assert!(scene.voice.shared.lines.is_empty() && scene.voice.calls.is_empty());
}

#[test]
fn an_agent_without_a_phone_cannot_call_by_a_click_and_presence_is_untouched() {
    let mut scene = staffed(&[("ana", &[])]);
    scene.wish("ana", Wish::Available).expect("an agent");
    let placed = scene
        .voice
        .dial(scene.now, &company(), &agent("ana"), "11 98765-4321", None);
    assert_eq!(placed, Err(OrderError::NotNow("you have no phone")));
}

#[test]
fn a_customer_who_is_busy_is_told_to_the_record_with_the_carriers_status() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    scene.comes("ana");
    let placed = scene
        .voice
        .dial(scene.now, &company(), &agent("ana"), "11 98765-4321", None);
    placed.expect("a call");
    scene.settle();
    let (ana, _) = guest(&mut scene);
    scene.picks_up(ana);
    let (customer, _) = guest(&mut scene);
    scene.leaves(customer, Party::Peer, Some(486));
    assert!(hangs_up(&scene, ana.call));
    assert_eq!(scene.ends(), [(EndedBy::Customer, "busy")]);
    let status = scene.changes.iter().find_map(|change| match change {
        Change::InteractionEnded { end, .. } => end.sip_status,
        _ => None,
    });
    assert_eq!(status, Some(486));
    assert!(scene.voice.shared.lines.is_empty() && scene.voice.calls.is_empty());
}

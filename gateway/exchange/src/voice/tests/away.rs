//! Agents who are reached at a number outside: a mobile, a telephone at home.

use desk::change::PauseReason;
use media_engine::sip::call::Target;

use super::agents::{Phone, agent, staffed};
use super::*;

/// Ana's only phone is a mobile; she is there, and a caller waits.
fn called() -> (Scene, Phone) {
    let mut scene = staffed(&[("ana", &["ana-mobile"])]);
    scene.change(|company| {
        let mobile = "ana-mobile".parse().expect("an id");
        company
            .outside_phones
            .insert(mobile, "+5511987654321".into());
    });
    scene.comes("ana");
    scene.waits();
    let phone = dialled(&mut scene);
    (scene, phone)
}

/// The one telephone outside that is called, by a carrier.
fn dialled(scene: &mut Scene) -> Phone {
    let dials = scene.wanted.iter().filter_map(|output| match output {
        Output::Sip(SipCommand::Dial { leg, dial }) => match &dial.target {
            Target::Trunk { number, .. } => Some((*leg, number.clone())),
            Target::Device(_) | Target::Uri(_) => None,
        },
        _ => None,
    });
    let dials: Vec<_> = dials.collect();
    let [(leg, number)] = &dials[..] else {
        panic!("{dials:?}")
    };
    assert_eq!(number, "+5511987654321");
    let call = CallId(100 + leg.0);
    scene.voice.handle_dialling(scene.now, *leg, Ok(call));
    Phone { leg: *leg, call }
}

fn is_asked(scene: &Scene, phone: Phone) -> bool {
    scene.wanted.iter().any(|output| {
        matches!(output, Output::Media(leg, MediaCommand::Play { clips, .. })
            if *leg == phone.leg && matches!(&clips[..], [Clip::Speech { text, .. }] if text.contains("digite 1")))
    })
}

#[test]
fn an_agent_at_a_mobile_presses_a_key_and_has_the_caller() {
    let (mut scene, phone) = called();
    scene.picks_up(phone);
    assert!(is_asked(&scene, phone));
    assert_eq!(
        scene.doing("ana"),
        ["offered"],
        "a machine may have answered"
    );
    let press = |scene: &mut Scene, key| {
        scene.voice.handle_key(scene.now, phone.leg, key);
        scene.settle();
    };
    press(&mut scene, media_engine::dtmf::Key::Five);
    assert_eq!(scene.doing("ana"), ["offered"]);
    scene.wanted.clear();
    press(&mut scene, media_engine::dtmf::Key::One);
    assert_eq!(scene.doing("ana"), ["handling"]);
    let joined = format!("hear {}", phone.leg.0);
    assert_eq!(scene.media_of_caller(), ["stop".to_owned(), joined]);
    scene.ended(Party::Peer);
    assert!(hangs_up(&scene, phone.call));
    let answered = scene.details(TrailKind::AgentAnswered);
    assert_eq!(answered[0]["device"], "ana-mobile");
    assert!(scene.voice.shared.lines.is_empty());
}

#[test]
fn a_machine_that_answers_for_an_agent_gets_nobody_and_the_place_is_kept() {
    let (mut scene, phone) = called();
    scene.picks_up(phone);
    scene.until(Duration::from_secs(15));
    assert!(hangs_up(&scene, phone.call));
    assert_eq!(scene.paused("ana"), Some(PauseReason::Missed));
    assert_eq!(scene.voice.waiting(), 1);
}

#[test]
fn an_agent_whom_no_carrier_reaches_is_unreachable() {
    let mut scene = staffed(&[("ana", &["ana-mobile"])]);
    scene.change(|company| {
        let mobile = "ana-mobile".parse().expect("an id");
        company
            .outside_phones
            .insert(mobile, "+5511987654321".into());
        company.outbound = None;
    });
    scene.comes("ana");
    scene.waits();
    assert_eq!(scene.paused("ana"), Some(PauseReason::Unreachable));
    assert_eq!(scene.voice.waiting(), 1);
}

#[test]
fn who_has_only_a_mobile_is_not_lost_with_the_page() {
    let (mut scene, _) = called();
    scene.page("ana", true);
    scene.page("ana", false);
    let seen = scene.voice.agents(scene.now, &super::agents::company());
    let seen = seen.into_iter().find(|seen| seen.id == agent("ana"));
    assert_eq!(seen.expect("an agent").status.lost_until_ms, None);
}

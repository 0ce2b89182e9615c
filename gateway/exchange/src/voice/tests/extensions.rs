//! Devices of a company dial each other and the company's numbers; nobody from outside does.

use media_engine::sip::AccountId;
use media_engine::sip::call::Target;

use super::*;

fn from_device(device: &str, dialled: &str) -> Scene {
    let mut scene = Scene::new(MENU);
    let invite = Box::new(Incoming {
        origin: Origin::Device(AccountId(device.into())),
        ..incoming(dialled)
    });
    scene.tell(CallEvent::Incoming { call: CALL, invite });
    scene
}

fn refused(scene: &mut Scene) -> Option<u16> {
    match scene.next() {
        Output::Sip(SipCommand::Reject { status, .. }) => Some(status),
        _ => None,
    }
}

/// The line that is to be placed; it gets this handle.
fn placed(scene: &mut Scene, handle: CallId) -> (LegId, Box<media_engine::sip::call::Dial>) {
    let (leg, dial) = loop {
        if let Output::Sip(SipCommand::Dial { leg, dial }) = scene.next() {
            break (leg, dial);
        }
    };
    scene.voice.handle_dialling(scene.now, leg, Ok(handle));
    scene.settle();
    (leg, dial)
}

fn answers(scene: &mut Scene, call: CallId) {
    let sdp = Some(OFFER.into());
    let flow = path("127.0.0.1:5080");
    scene.tell(CallEvent::Answered { call, sdp, flow });
}

fn is_told(scene: &Scene, wanted: impl Fn(&SipCommand) -> bool) -> bool {
    scene
        .wanted
        .iter()
        .any(|output| matches!(output, Output::Sip(command) if wanted(command)))
}

fn hears(scene: &Scene, leg: LegId, other: LegId) -> bool {
    scene.wanted.iter().any(|output| {
        matches!(output, Output::Media(of, MediaCommand::Hear(heard)) if *of == leg && *heard == [other])
    })
}

#[test]
fn a_device_dials_another_by_extension_or_name_hears_it_ring_and_they_are_joined() {
    for dialled in ["200", "ana"] {
        let mut scene = from_device("other", dialled);
        let (leg, dial) = placed(&mut scene, CallId(2));
        assert_eq!(dial.target, Target::Device(AccountId("device".into())));
        scene.tell(CallEvent::Ringing { call: CallId(2) });
        assert!(is_told(&scene, |told| matches!(
            told,
            SipCommand::Ring(CALL)
        )));
        assert!(
            !is_told(&scene, |told| matches!(told, SipCommand::Answer { .. })),
            "nobody pays for ringing"
        );
        answers(&mut scene, CallId(2));
        assert!(is_told(&scene, |told| matches!(
            told,
            SipCommand::Answer { call: CALL, .. }
        )));
        assert!(hears(&scene, LegId(1), leg) && hears(&scene, leg, LegId(1)));
        scene.tell(CallEvent::Confirmed {
            call: CALL,
            sdp: None,
        });
        scene.ended(Party::Peer);
        assert!(is_told(&scene, |told| matches!(
            told,
            SipCommand::HangUp {
                call: CallId(2),
                ..
            }
        )));
        let opened = scene.opened.as_deref().expect("an opening");
        assert_eq!((&opened.number, &opened.flow), (&None, &None));
        assert_eq!(opened.device, Some("other".parse().expect("an id")));
        scene.tell(CallEvent::Ended {
            call: CallId(2),
            end: End {
                by: Party::Us,
                status: None,
                reason: None,
            },
        });
        assert_eq!(scene.ends(), [(EndedBy::Agent, "hung_up")]);
        assert!(scene.voice.shared.lines.is_empty() && scene.voice.calls.is_empty());
    }
}

#[test]
fn a_busy_device_is_told_to_the_one_who_dialled_it() {
    let mut scene = from_device("other", "200");
    placed(&mut scene, CallId(2));
    let (by, status, reason) = (Party::Peer, Some(486), None);
    let end = End { by, status, reason };
    let call = CallId(2);
    scene.tell(CallEvent::Ended { call, end });
    assert!(is_told(&scene, |told| matches!(
        told,
        SipCommand::Reject {
            call: CALL,
            status: 486,
            ..
        }
    )));
    assert_eq!(scene.ends(), [(EndedBy::Customer, "busy")]);
    assert!(scene.voice.shared.lines.is_empty() && scene.voice.calls.is_empty());
}

#[test]
fn who_dials_and_gives_up_silences_the_other_telephone() {
    let mut scene = from_device("other", "200");
    placed(&mut scene, CallId(2));
    let (by, status, reason) = (Party::Peer, Some(487), None);
    scene.tell(CallEvent::Ended {
        call: CALL,
        end: End { by, status, reason },
    });
    assert!(is_told(&scene, |told| matches!(
        told,
        SipCommand::HangUp {
            call: CallId(2),
            ..
        }
    )));
    let (by, status, reason) = (Party::Us, Some(487), None);
    scene.tell(CallEvent::Ended {
        call: CallId(2),
        end: End { by, status, reason },
    });
    assert_eq!(scene.ends(), [(EndedBy::Agent, "cancelled")]);
    assert!(scene.voice.calls.is_empty());
}

#[test]
fn a_number_outside_is_reached_by_the_companys_carrier_and_what_that_plays_is_heard() {
    let mut scene = from_device("other", "011987654321");
    let (leg, dial) = placed(&mut scene, CallId(2));
    let Target::Trunk { number, .. } = &dial.target else {
        panic!("a carrier");
    };
    assert_eq!(
        (number.as_str(), dial.caller.number.as_str()),
        ("+5511987654321", "4000")
    );
    scene.tell(CallEvent::EarlyMedia {
        call: CallId(2),
        sdp: OFFER.into(),
        flow: path("127.0.0.1:5080"),
    });
    assert!(is_told(&scene, |told| matches!(
        told,
        SipCommand::EarlyMedia { call: CALL, .. }
    )));
    assert!(hears(&scene, LegId(1), leg));
    scene.wanted.clear();
    answers(&mut scene, CallId(2));
    assert!(is_told(&scene, |told| matches!(
        told,
        SipCommand::Answer { call: CALL, .. }
    )));
    let opened = scene.opened.as_deref().expect("an opening");
    assert_eq!(opened.direction, desk::record::Direction::Outbound);
    assert_eq!(opened.to, "+5511987654321");
}

#[test]
fn a_device_dials_the_companys_numbers() {
    let mut scene = from_device("device", "4000");
    assert!(matches!(
        scene.next(),
        Output::Media(_, MediaCommand::Start(_))
    ));
    let opened = scene.opened.as_deref().expect("an opening");
    assert!(opened.number.is_some() && opened.flow.is_some());
}

#[test]
fn nobody_from_outside_reaches_a_device_and_no_device_itself() {
    for dialled in ["200", "ana"] {
        let mut scene = Scene::new(MENU);
        scene.call(dialled);
        assert_eq!(refused(&mut scene), Some(404), "{dialled}");
    }
    assert_eq!(refused(&mut from_device("device", "200")), Some(486));
    assert_eq!(refused(&mut from_device("device", "20")), Some(404));
    // Somebody's device that is nobody's any more.
    assert_eq!(refused(&mut from_device("gone", "200")), Some(404));
}

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

#[test]
fn a_device_dials_another_by_extension_or_name_and_they_are_joined() {
    for dialled in ["200", "ana"] {
        let mut scene = from_device("other", dialled);
        let sdp = None;
        scene.tell(CallEvent::Confirmed { call: CALL, sdp });
        let (leg, dial) = loop {
            if let Output::Sip(SipCommand::Dial { leg, dial }) = scene.next() {
                break (leg, dial);
            }
        };
        assert_eq!(dial.target, Target::Device(AccountId("device".into())));
        scene.voice.handle_dialling(scene.now, leg, Ok(CallId(2)));
        scene.tell(CallEvent::Ringing { call: CallId(2) });
        scene.hears(&["ringing"]);
        let sdp = Some(OFFER.into());
        let flow = path("127.0.0.1:5080");
        let call = CallId(2);
        scene.tell(CallEvent::Answered { call, sdp, flow });
        assert!(scene.wanted.iter().any(|output| matches!(
            output,
            Output::Media(LegId(1), MediaCommand::Bridge(other)) if *other == leg
        )));
        scene.ended(Party::Peer);
        let opened = scene.opened.as_deref().expect("an opening");
        assert_eq!((&opened.number, &opened.flow), (&None, &None));
        assert_eq!(opened.device, Some("other".parse().expect("an id")));
        assert_eq!(scene.ends(), [(EndedBy::Customer, "hung_up")]);
    }
}

#[test]
fn a_busy_device_is_told_to_the_one_who_dialled_it() {
    let mut scene = from_device("other", "200");
    let sdp = None;
    scene.tell(CallEvent::Confirmed { call: CALL, sdp });
    let leg = loop {
        if let Output::Sip(SipCommand::Dial { leg, .. }) = scene.next() {
            break leg;
        }
    };
    let call = CallId(2);
    scene.voice.handle_dialling(scene.now, leg, Ok(call));
    let (by, status, reason) = (Party::Peer, Some(486), None);
    let end = End { by, status, reason };
    scene.tell(CallEvent::Ended { call, end });
    assert!(matches!(
        scene.next(),
        Output::Sip(SipCommand::HangUp {
            call: CALL,
            cause: Cause::Busy
        })
    ));
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
    assert_eq!(refused(&mut from_device("device", "201")), Some(404));
    // Somebody's device that is nobody's any more.
    assert_eq!(refused(&mut from_device("gone", "200")), Some(404));
}

//! No stage of a call lasts for ever, whoever else fails.

use super::*;

/// Lets all deadlines come until there is none; the shell and the peer do nothing at all. Returns
/// what was wanted, and when.
fn alone(scene: &mut Scene) -> Vec<(Duration, Output)> {
    let mut wanted = vec![];
    loop {
        while let Some(output) = scene.voice.poll_output() {
            let since = scene.now.instant - scene.start.instant;
            match output {
                Output::Save(change) => scene.changes.push(change),
                other => wanted.push((since, other)),
            }
        }
        let Some(due) = scene.voice.poll_timeout() else {
            return wanted;
        };
        scene.pass(due.saturating_duration_since(scene.now.instant));
        scene.voice.handle_timeout(scene.now);
    }
}

fn incoming_call(scene: &mut Scene) {
    let invite = Box::new(incoming("4000"));
    let came = CallEvent::Incoming { call: CALL, invite };
    scene.voice.handle_call(scene.now, came);
}

#[test]
fn a_store_that_never_answers_ends_in_503_and_a_closed_call() {
    let mut scene = Scene::new(MENU);
    incoming_call(&mut scene);
    let address = SocketAddr::from(([127, 0, 0, 1], 10_000));
    scene
        .voice
        .handle_leg_opened(scene.now, LegId(1), Some(address.into()));
    let wanted = alone(&mut scene);
    let refused = wanted.iter().find_map(|(at, output)| match output {
        Output::Sip(SipCommand::Reject { status, .. }) => Some((*at, *status)),
        _ => None,
    });
    assert_eq!(refused, Some((Duration::from_secs(8), 503)));
    assert_eq!(scene.voice.calls(), 0);
    assert_eq!(scene.ends(), [(EndedBy::Ramal, "not_recorded")]);
    assert_eq!(scene.details(TrailKind::Refused)[0]["status"], 503);

    // Whatever the store says then, nobody is answered.
    scene
        .voice
        .handle_opened(scene.now, CallKey(1), "1".into(), None);
    assert!(scene.voice.poll_output().is_none());
}

#[test]
fn an_answer_that_is_never_confirmed_ends_by_itself() {
    let mut scene = Scene::new(MENU);
    scene.call("4000");
    let wanted = alone(&mut scene);
    let hung_up = wanted.iter().find_map(|(at, output)| match output {
        Output::Sip(SipCommand::HangUp { .. }) => Some(*at),
        _ => None,
    });
    assert_eq!(hung_up, Some(Duration::from_secs(40)));
    assert_eq!(scene.voice.calls(), 0);
    assert_eq!(scene.ends().len(), 1);
}

#[test]
fn a_hang_up_that_is_never_confirmed_ends_by_itself() {
    let mut scene = Scene::new(MENU);
    scene.answered("4000");
    scene.voice.hang_up_all(scene.now);
    let wanted = alone(&mut scene);
    let closed = wanted.iter().find_map(|(at, output)| match output {
        Output::Media(LegId(1), MediaCommand::Close) => Some(*at),
        _ => None,
    });
    assert_eq!(closed, Some(Duration::from_secs(40)), "{wanted:?}");
    assert_eq!(scene.voice.calls(), 0);
    assert_eq!(scene.voice.legs(), 0);
    assert_eq!(scene.ends(), [(EndedBy::Ramal, "shut_down")]);
}

#[test]
fn a_forgotten_line_is_hung_up_after_twelve_hours() {
    let (mut scene, _) = joined();
    let at = scene.wait();
    assert_eq!(at, Duration::from_secs(12 * 60 * 60));
    assert!(hangs_up(&scene, CALL) && hangs_up(&scene, CallId(2)));
    scene.ended(Party::Us);
    assert_eq!(scene.ends(), [(EndedBy::Ramal, "time_limit")]);
}

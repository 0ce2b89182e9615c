//! Messages that callers leave: kept whenever they come.

use super::*;

/// A call that is recorded, nine seconds of it spoken: the ticket of the recording.
fn speaking() -> (Scene, Ticket) {
    let mut scene = Scene::new(MENU);
    scene.answered("4000");
    scene.press('3');
    let beep = loop {
        if let Output::Media(leg, MediaCommand::Play { play, clips, .. }) = scene.next()
            && clips.iter().any(|clip| name(clip) == "generated/beep")
        {
            break (leg, play);
        }
    };
    scene.played(beep);
    let ticket = loop {
        if let Output::Media(_, MediaCommand::Record { ticket, .. }) = scene.next() {
            break ticket;
        }
    };
    scene.pass(Duration::from_secs(9));
    (scene, ticket)
}

fn recording() -> Option<Recording> {
    Some(Recording {
        file: "1-2".into(),
        bytes: 72_000,
        length: Duration::from_secs(9),
    })
}

fn hangs_up_without_last_word(scene: &mut Scene) {
    let by = Party::Peer;
    let (status, reason) = (None, None);
    let end = End { by, status, reason };
    let ended = CallEvent::Ended { call: CALL, end };
    scene.voice.handle_call(scene.now, ended);
}

#[test]
fn a_message_is_kept_even_when_its_speaker_hangs_up() {
    let (mut scene, ticket) = speaking();
    hangs_up_without_last_word(&mut scene);
    // A slow disk: longer than media may take that have nothing to keep.
    scene.pass(Duration::from_secs(20));
    scene.voice.handle_timeout(scene.now);
    scene
        .voice
        .handle_recorded(scene.now, LegId(1), ticket, recording());
    scene.settle();
    assert_eq!(scene.messages()[0].duration_ms, 9_000);
    assert_eq!(scene.details(TrailKind::MessageLeft)[0]["seconds"], 9);
    assert_eq!(scene.ends().len(), 1);
}

#[test]
fn a_message_that_the_flow_no_longer_waits_for_is_kept() {
    let (mut scene, ticket) = speaking();
    scene.press('#');
    scene.wanted.clear();
    // The flow waits 5 s for the disk, then goes on.
    scene.wait();
    scene.hears(&["sorry"]);
    assert_eq!(scene.messages().len(), 0);
    scene
        .voice
        .handle_recorded(scene.now, LegId(1), ticket, recording());
    scene.ended(Party::Peer);
    let message = scene.messages()[0];
    assert_eq!((message.duration_ms, message.file.as_str()), (9_000, "1-2"));
    let told = scene.details(TrailKind::MessageLeft);
    assert_eq!(
        (&told[0]["seconds"], &told[1]["seconds"]),
        (&0.into(), &9.into())
    );
    assert_eq!(told[1]["late"], true);
}

#[test]
fn a_message_that_comes_when_its_call_is_long_over_is_kept_once() {
    let (mut scene, ticket) = speaking();
    hangs_up_without_last_word(&mut scene);
    while scene.voice.calls() > 0 {
        let due = scene.voice.poll_timeout().expect("the end has a deadline");
        scene.pass(due - scene.now.instant);
        scene.voice.handle_timeout(scene.now);
        while let Some(output) = scene.voice.poll_output() {
            if let Output::Save(change) = output {
                scene.changes.push(change);
            }
        }
    }
    assert_eq!(scene.ends(), [(EndedBy::Customer, "hung_up")]);
    assert_eq!(
        scene.now.instant - scene.start.instant,
        Duration::from_secs(39)
    );
    for _ in 0..2 {
        scene.pass(Duration::from_secs(60));
        scene
            .voice
            .handle_recorded(scene.now, LegId(1), ticket, recording());
        scene.settle();
    }
    assert_eq!(scene.messages().len(), 1);
    assert!(scene.voice.shared.late.is_empty());
}

#[test]
fn messages_that_never_come_are_forgotten_in_the_end() {
    let mut scene = Scene::new(MENU);
    for leg in 0..3_000 {
        let mut facts = facts(&scene, LegId(leg));
        scene.voice.shared.forget(&mut facts);
    }
    assert_eq!(scene.voice.shared.late.len(), 1_000);
}

fn facts(scene: &Scene, leg: LegId) -> facts::Facts {
    let company = scene.voice.shared.directory.companies.values().next();
    facts::Facts {
        key: CallKey(1),
        others: BTreeSet::new(),
        leg,
        company: company.expect("a company").clone(),
        record: record::Record::new("i".parse().expect("an id")),
        caller: ivr::machine::Caller::default(),
        customer: None,
        messages: vec![output::Message {
            ticket: Ticket(1),
            service: None,
            told: false,
        }],
        left: BTreeMap::new(),
    }
}

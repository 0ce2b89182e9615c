//! What is remembered is what happened: who ended it and why, who changed the media, in few changes.

use super::*;

use desk::record::Quality;

fn scene_in_menu() -> Scene {
    let mut scene = Scene::new(MENU);
    scene.answered("4000");
    scene
}

/// The last line of the trail.
fn last(scene: &Scene) -> serde_json::Value {
    scene.details(TrailKind::Ended)[0].clone()
}

#[test]
fn a_short_call_is_two_changes_with_every_fact() {
    let mut scene = scene_in_menu();
    scene.pass(Duration::from_millis(700));
    scene.ended(Party::Peer);
    let [
        Change::InteractionEnded {
            update, end, trail, ..
        },
    ] = scene.changes.as_slice()
    else {
        panic!("the opening and one change more: {:?}", scene.changes);
    };
    assert_eq!((end.by, end.cause.as_str()), (EndedBy::Customer, "hung_up"));
    assert_eq!(end.ended_ms - update.answered_ms.expect("answered"), 700);
    assert_eq!(update.codec.as_deref(), Some("PCMA"));
    let kinds: Vec<_> = trail.iter().map(|line| line.kind).collect();
    use TrailKind::*;
    assert_eq!(kinds, [Arrived, Answered, NodeEntered, Ended]);
    assert_eq!(trail[0].detail["request_uri"], "sip:4000@127.0.0.1");
    assert_eq!(last(&scene)["node"], "welcome", "where the caller was");
    let opened = scene.opened.as_deref().expect("an opening");
    assert_eq!(opened.flow, Some(("menu".parse().expect("an id"), 3)));
    assert_eq!(
        (opened.to.as_str(), opened.from.as_str()),
        ("4000", "+551140000001")
    );
    assert!(opened.trunk.is_some());
}

/// What the store writes for these changes, behind the opening: a row for facts, one for lines.
fn rows(changes: &[Change]) -> usize {
    let row = |is_one: bool| usize::from(is_one);
    let rows = changes.iter().map(|change| match change {
        Change::InteractionUpdated { update, trail, .. } => {
            row(!update.is_empty()) + row(!trail.is_empty())
        }
        Change::InteractionEnded { .. } => 2,
        Change::InteractionOpened(_)
        | Change::VoiceMessageLeft(_)
        | Change::SurveyAnswered(_)
        | Change::Outbound(_)
        | Change::SipLadder(_) => 1,
    });
    rows.sum()
}

#[test]
fn a_call_through_menu_and_queue_is_few_changes_with_every_line() {
    let mut scene = scene_in_menu();
    let passes = |scene: &mut Scene, seconds| {
        let until = scene.now.instant + Duration::from_secs(seconds);
        while let Some(due) = scene.voice.poll_timeout().filter(|due| *due <= until) {
            scene.pass(due.saturating_duration_since(scene.now.instant));
            scene.voice.handle_timeout(scene.now);
            scene.settle();
        }
        scene.pass(until - scene.now.instant);
    };
    let hello = scene.hears(&["hello"]);
    passes(&mut scene, 4);
    scene.played(hello);
    passes(&mut scene, 3);
    scene.press('1');
    passes(&mut scene, 20);
    scene.ended(Party::Peer);
    use TrailKind::*;
    let expected = [
        Arrived,
        Answered,
        NodeEntered,
        PromptEnded,
        NodeEntered,
        PromptEnded,
        OptionChosen,
        Queued,
        Announced,
        Ended,
    ];
    assert_eq!(scene.trail(), expected);
    // Behind the opening: answered, menu, queue, end.
    assert_eq!((scene.changes.len(), rows(&scene.changes)), (4, 7));
}

#[test]
fn what_happens_in_a_call_is_written_within_a_second() {
    let mut scene = scene_in_menu();
    assert!(scene.changes.is_empty());
    scene.tick();
    assert_eq!(
        scene.now.instant - scene.start.instant,
        Duration::from_secs(1)
    );
    use TrailKind::*;
    assert_eq!(scene.trail(), [Arrived, Answered, NodeEntered]);
    scene.press('1');
    scene.tick();
    assert_eq!(
        scene.now.instant - scene.start.instant,
        Duration::from_secs(2)
    );
    let Some(Change::InteractionUpdated { update, .. }) = scene.changes.last() else {
        panic!("an update");
    };
    assert!(update.queued_ms.is_some());
    let queued = scene.details(TrailKind::Queued);
    assert_eq!(
        (&queued[0]["node"], &queued[0]["entered"]),
        (&"sales".into(), &"queue".into())
    );
    let seqs: Vec<u32> = scene.lines().iter().map(|line| line.seq).collect();
    assert!(
        seqs.iter().copied().eq(0..=seqs[seqs.len() - 1]),
        "{seqs:?}"
    );
}

#[test]
fn nobody_is_said_to_have_left_whom_we_hung_up_on() {
    for (cause, end) in [
        ("shut_down", Scene::shut_down as fn(&mut Scene)),
        ("no_media", |scene| {
            scene.voice.handle_silence(scene.now, LegId(1))
        }),
    ] {
        let mut scene = scene_in_menu();
        end(&mut scene);
        scene.settle();
        scene.ended(Party::Us);
        assert_eq!(scene.ends(), [(EndedBy::Ramal, cause)]);
        assert!(!scene.trail().contains(&TrailKind::FlowLeft));
        let told = last(&scene);
        assert_eq!(
            (&told["by"], &told["cause"]),
            (&"ramal".into(), &cause.into())
        );
    }
}

impl Scene {
    fn shut_down(&mut self) {
        self.voice.hang_up_all(self.now);
    }
}

#[test]
fn a_peer_that_fails_is_told_from_one_who_hangs_up() {
    let mut scene = scene_in_menu();
    let reason = media_engine::sip::call::Reason {
        protocol: "Q.850".into(),
        cause: Some(41),
        text: Some("Temporary failure".into()),
    };
    let end = End {
        by: Party::Peer,
        status: None,
        reason: Some(reason),
    };
    scene.tell(CallEvent::Ended { call: CALL, end });
    assert_eq!(scene.ends(), [(EndedBy::Network, "peer_error")]);
    let told = last(&scene);
    assert_eq!(told["reason"]["cause"], 41);
    assert!(told["sip_status"].is_null(), "41 is no SIP status");
}

#[test]
fn the_end_is_when_the_call_ended_and_not_when_its_media_had_said_so() {
    let mut scene = scene_in_menu();
    let (by, status, reason) = (Party::Peer, None, None);
    let end = End { by, status, reason };
    let ended = CallEvent::Ended { call: CALL, end };
    scene.voice.handle_call(scene.now, ended);
    let at = scene.now.wall.as_millisecond();
    scene.pass(Duration::from_secs(1));
    scene.voice.handle_leg_closed(scene.now, LegId(1), None);
    scene.settle();
    let Some(Change::InteractionEnded { end, .. }) = scene.changes.last() else {
        panic!("an end");
    };
    assert_eq!(end.ended_ms, at);
}

const HELD: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n";

const OTHER_CODEC: &str = "v=0\r\no=- 1 3 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";

/// A re-INVITE without SDP: the offer is ours, and this is the answer to it.
fn answers_our_offer(scene: &mut Scene, call: CallId, sdp: &'static str) {
    scene.tell(CallEvent::Offered { call, sdp: None });
    let sdp = sdp.into();
    scene.tell(CallEvent::OfferAnswered { call, sdp });
}

fn offers(scene: &mut Scene, call: CallId, sdp: &'static str) {
    let sdp = Some(sdp.into());
    scene.tell(CallEvent::Offered { call, sdp });
}

#[test]
fn a_refresh_of_the_session_changes_nothing() {
    let mut scene = scene_in_menu();
    // We said our answer again in a re-INVITE; this is the answer to that.
    let sdp = OTHER_CODEC.replace("AVP 0", "AVP 8").into();
    scene.tell(CallEvent::OfferAnswered { call: CALL, sdp });
    scene.ended(Party::Peer);
    let kinds: Vec<_> = scene.trail().into_iter().skip(3).collect();
    assert_eq!(kinds, [TrailKind::Ended]);
    let Some(Change::InteractionEnded { end, .. }) = scene.changes.last() else {
        panic!("an end");
    };
    assert_eq!(end.cause.as_str(), "hung_up");
}

#[test]
fn hold_and_codec_are_remembered_whoever_made_the_offer() {
    for change in [offers, answers_our_offer] {
        let mut scene = scene_in_menu();
        change(&mut scene, CALL, HELD);
        change(&mut scene, CALL, HELD);
        change(&mut scene, CALL, OTHER_CODEC);
        scene.ended(Party::Peer);
        let kinds: Vec<_> = scene.trail().into_iter().skip(3).collect();
        use TrailKind::*;
        assert_eq!(kinds, [Held, MediaChanged, Resumed, Ended]);
        assert_eq!(scene.details(MediaChanged)[0]["codec"], "PCMU");
        let Some(Change::InteractionEnded { update, .. }) = scene.changes.last() else {
            panic!("an end");
        };
        assert_eq!(update.codec.as_deref(), Some("PCMU"));
    }
}

#[test]
fn the_dialled_partys_hold_codec_and_quality_are_remembered() {
    for change in [offers, answers_our_offer] {
        let (mut scene, leg) = joined();
        let dialled = CallId(2);
        change(&mut scene, dialled, HELD);
        change(&mut scene, dialled, OTHER_CODEC);
        let (by, status, reason) = (Party::Peer, None, None);
        let end = End { by, status, reason };
        let ended = CallEvent::Ended { call: dialled, end };
        scene.voice.handle_call(scene.now, ended);
        scene
            .voice
            .handle_leg_closed(scene.now, leg, Some(quality()));
        scene.settle();
        scene.ended(Party::Us);

        for kind in [TrailKind::Held, TrailKind::Resumed] {
            assert_eq!(
                scene.details(kind),
                [&serde_json::json!({ "party": "dialled" })]
            );
        }
        let codecs = scene.details(TrailKind::MediaChanged);
        let codecs: Vec<_> = codecs.iter().map(|line| &line["codec"]).collect();
        assert_eq!(codecs, ["PCMA", "PCMU"]);
        let left = scene.details(TrailKind::DialledLeft)[0];
        assert_eq!(
            (&left["by"], &left["cause"]),
            (&"agent".into(), &"hung_up".into())
        );
        assert_eq!(
            (&left["codec"], &left["quality"]["mos"]),
            (&"PCMU".into(), &4.25.into())
        );
        assert_eq!(scene.ends(), [(EndedBy::Agent, "dialled_hung_up")]);
    }
}

#[test]
fn the_end_of_a_call_waits_for_the_quality_of_both_parties() {
    let (mut scene, leg) = joined();
    let (by, status, reason) = (Party::Peer, None, None);
    let end = End { by, status, reason };
    let ended = CallEvent::Ended { call: CALL, end };
    scene.voice.handle_call(scene.now, ended);
    scene
        .voice
        .handle_leg_closed(scene.now, LegId(1), Some(quality()));
    assert_eq!(scene.voice.calls(), 1);
    scene
        .voice
        .handle_leg_closed(scene.now, leg, Some(quality()));
    assert_eq!((scene.voice.calls(), scene.voice.legs()), (0, 0));
    while let Some(output) = scene.voice.poll_output() {
        if let Output::Save(change) = output {
            scene.changes.push(change);
        }
    }
    let left = scene.details(TrailKind::DialledLeft)[0];
    assert_eq!(left["cause"], "other_side_ended");
    assert_eq!(left["quality"]["mos"], 4.25);
    let Some(Change::InteractionEnded { end, .. }) = scene.changes.last() else {
        panic!("an end");
    };
    assert_eq!(end.quality, Some(quality()));
}

fn quality() -> Quality {
    Quality {
        packets_received: 500,
        packets_sent: 500,
        packets_lost: 0,
        packets_lost_by_peer: None,
        jitter_ms: 0.5,
        round_trip_ms: None,
        mos: Some(4.25),
        mos_at_peer: None,
        course: vec![],
        course_every_ms: 5_000,
    }
}

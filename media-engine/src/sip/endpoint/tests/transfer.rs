//! REFER both ways, and INVITE with Replaces.

use super::*;
use crate::sip::Method;
use crate::sip::call::{Caller, Dial, ReferTo, Referral, Replaced, Target};

const REFER_TO: &str = "Refer-To: <sip:4101@192.0.2.1>\n\
    Referred-By: <sip:5511@192.0.2.9>\nContact: <sip:5511@192.0.2.9:5060>\n";

/// A call whose peer has asked for a transfer; its handle and our tag.
fn asked(bench: &mut Bench, headers: &str) -> (CallId, String) {
    let (call, tag) = bench.answered();
    bench.receive(&within("REFER", 2, "refer", &tag, headers));
    (call, tag)
}

fn notified(sent: &Sent) -> (String, String) {
    assert_eq!(sent.message.method(), Some(&Method::Notify));
    assert_eq!(sent.header(Name::Event), "refer;id=2");
    assert_eq!(
        sent.header(Name::ContentType),
        "message/sipfrag;version=2.0"
    );
    let body = String::from_utf8_lossy(&sent.message.body()).into_owned();
    (sent.header(Name::SubscriptionState), body)
}

#[test]
fn a_transfer_is_accepted_and_the_peer_is_told_how_it_goes_to_its_end() {
    let mut bench = Bench::new();
    let (call, tag) = asked(&mut bench, REFER_TO);
    let referral = Box::new(Referral {
        to: "4101".into(),
        uri: "sip:4101@192.0.2.1".into(),
        replaces: None,
        referred_by: Some("<sip:5511@192.0.2.9>".into()),
    });
    assert_eq!(
        bench.take_events(),
        [CallEvent::Transfer { call, referral }]
    );
    assert!(bench.sent.is_empty(), "our user thinks");
    // One at a time.
    bench.receive(&within("REFER", 3, "refer3", &tag, REFER_TO));
    assert_eq!(bench.log(), ["491"]);
    bench.take_sent();

    let now = bench.now;
    assert_eq!(bench.endpoint.accept_transfer(now, call), Ok(()));
    bench.drain();
    assert_eq!(bench.log(), ["202", "NOTIFY"]);
    assert_eq!(bench.sent[0].header(Name::CSeq), "2 REFER");
    let (state, body) = notified(&bench.last());
    assert_eq!(state, "active;expires=60");
    assert_eq!(body, "SIP/2.0 100 Trying\r\n");
    for (status, state, body) in [
        (180, "active;expires=60", "SIP/2.0 180 Ringing\r\n"),
        (200, "terminated;reason=noresource", "SIP/2.0 200 OK\r\n"),
    ] {
        assert_eq!(bench.endpoint.report_transfer(now, call, status), Ok(()));
        bench.drain();
        let notify = bench.last();
        assert_eq!(notified(&notify), (state.to_owned(), body.to_owned()));
        bench.reply(&notify, 200, "", "", "");
    }
    assert!(bench.endpoint.report_transfer(now, call, 200).is_err());
    assert_eq!(bench.take_events(), []);

    // The call goes on until somebody hangs it up, and another transfer may be asked for.
    bench.receive(&within("REFER", 4, "refer4", &tag, REFER_TO));
    assert_eq!(bench.take_events().len(), 1);
    bench.receive(&within("BYE", 5, "bye", &tag, ""));
    let statuses: Vec<u16> = bench.statuses().split_off(bench.sent.len() - 2);
    assert_eq!(statuses, [200, 487], "the wish ends with the call");
    bench.assert_empty_in_the_end();
}

#[test]
fn a_transfer_that_is_refused_or_forgotten_leaves_the_call_as_it_was() {
    let mut bench = Bench::new();
    let (call, _) = asked(&mut bench, REFER_TO);
    let now = bench.now;
    assert_eq!(bench.endpoint.refuse_transfer(now, call, 403), Ok(()));
    bench.drain();
    assert_eq!(bench.log(), ["403"]);
    assert!(bench.endpoint.accept_transfer(now, call).is_err());
    assert_eq!(bench.endpoint.calls(), 1);

    let mut bench = Bench::new();
    let (call, _) = asked(&mut bench, REFER_TO);
    bench.run_until(19_999);
    assert!(bench.sent.is_empty());
    bench.run_until(20_000);
    assert_eq!(bench.log(), ["480"]);
    assert!(bench.endpoint.accept_transfer(bench.now, call).is_err());
    assert_eq!(bench.endpoint.calls(), 1);
}

#[test]
fn a_peer_that_wants_to_hear_nothing_hears_nothing() {
    let mut bench = Bench::new();
    let headers = format!("{REFER_TO}Refer-Sub: false\nRequire: norefersub\n");
    let (call, _) = asked(&mut bench, &headers);
    let now = bench.now;
    assert_eq!(bench.endpoint.accept_transfer(now, call), Ok(()));
    assert_eq!(bench.endpoint.report_transfer(now, call, 200), Ok(()));
    bench.drain();
    assert_eq!(bench.log(), ["202"]);
    assert_eq!(bench.last().header(Name::ReferSub), "false");
}

#[test]
fn what_cannot_be_called_is_refused_at_once() {
    let mut bench = Bench::new();
    let (_, tag) = bench.answered();
    bench.receive(&within("REFER", 2, "a", &tag, ""));
    bench.receive(&within("REFER", 3, "b", &tag, "Refer-To: <mailto:a@b>\n"));
    bench.receive(&within("NOTIFY", 4, "c", &tag, "Event: refer\n"));
    assert_eq!(bench.statuses(), [400, 416, 481]);
    assert_eq!(bench.take_events(), []);
    let mut early = Bench::new();
    early.receive(&invite("1", ""));
    let (ringing, _) = early.incoming();
    early.endpoint.ring(early.now, ringing).expect("it waits");
    early.drain();
    let early_tag = early.last().tag();
    early.receive(&within("REFER", 2, "e", &early_tag, REFER_TO));
    early.receive(&within("NOTIFY", 3, "f", &early_tag, "Event: refer\n"));
    assert_eq!(early.statuses().split_off(2), [403, 481]);
    // Outside of a call nobody may ask us to call anybody.
    let outside = within("REFER", 1, "d", "", REFER_TO).replace(";tag=\n", "\n");
    bench.receive(&outside);
    assert_eq!(bench.last().status(), 405);
}

/// A second call of the same trunk; its handle and our tag.
fn consulted(bench: &mut Bench) -> (CallId, String) {
    bench.receive(&invite("c1", "").replace("call-one", "call-two@x"));
    let (call, _) = bench.incoming();
    let now = bench.now;
    bench.endpoint.answer(now, call, ANSWER).expect("it waits");
    bench.drain();
    let tag = bench.last().tag();
    bench.receive(&within("ACK", 1, "c2", &tag, "").replace("call-one", "call-two@x"));
    bench.take_events();
    bench.take_sent();
    (call, tag)
}

#[test]
fn an_attended_transfer_names_the_call_that_is_to_be_replaced() {
    let mut bench = Bench::new();
    let (call, tag) = bench.answered();
    let (other, other_tag) = consulted(&mut bench);
    let refer = |at: u32, to_tag: &str| {
        let escaped = format!("call-two%40x%3Bto-tag%3D{to_tag}%3Bfrom-tag%3Dtheirs");
        let headers = format!("Refer-To: <sip:4101@192.0.2.1?Replaces={escaped}>\n");
        within("REFER", at, &format!("r{at}"), &tag, &headers)
    };
    bench.receive(&refer(2, &other_tag));
    let replaces = |events: Vec<CallEvent>| match &events[..] {
        [CallEvent::Transfer { call: of, referral }] if *of == call => referral.replaces.clone(),
        other => panic!("no transfer: {other:?}"),
    };
    assert_eq!(replaces(bench.take_events()), Some(Replaced::Ours(other)));
    let now = bench.now;
    assert_eq!(bench.endpoint.refuse_transfer(now, call, 603), Ok(()));
    bench.drain();
    // A dialog that is none of ours is somebody else's.
    bench.receive(&refer(3, "unknown"));
    let elsewhere = "call-two@x;to-tag=unknown;from-tag=theirs".to_owned();
    assert_eq!(
        replaces(bench.take_events()),
        Some(Replaced::Elsewhere(elsewhere.clone()))
    );

    // The call that is placed for it says whose place it takes, and who wanted it.
    let dial = Dial {
        target: Target::Uri("sip:b@192.0.2.9".into()),
        caller: Caller::default(),
        offer: Bytes::from_static(b"v=0 ours"),
        ring_limit: Duration::from_secs(20),
        referral: Some(Box::new(Referral {
            to: "b".into(),
            uri: "sip:b@192.0.2.9".into(),
            replaces: Some(Replaced::Elsewhere(elsewhere.clone())),
            referred_by: Some("<sip:ana@example.net>".into()),
        })),
    };
    bench.endpoint.dial(now, dial).expect("a good target");
    bench.drain();
    let invite = bench.last();
    assert_eq!(invite.header(Name::Replaces), elsewhere);
    assert_eq!(invite.header(Name::Require), "replaces");
    assert_eq!(invite.header(Name::ReferredBy), "<sip:ana@example.net>");
}

#[test]
fn an_invite_that_wants_to_take_the_place_of_a_call_names_it_or_is_refused() {
    let mut bench = Bench::new();
    let (call, tag) = bench.answered();
    let new = |branch: &str, replaces: &str| {
        let headers = format!("Require: replaces\nReplaces: {replaces}\n");
        invite(branch, &headers).replace("call-one\n", &format!("new-{branch}\n"))
    };
    let ours = format!("call-one;to-tag={tag};from-tag=theirs");
    bench.receive(&new("n1", &ours));
    let (_, invite) = bench.incoming();
    assert_eq!(invite.replaces, Some(call));
    bench.take_sent();
    for (at, (replaces, status)) in [
        ("nothing".to_owned(), 400),
        ("call-one;to-tag=x;from-tag=theirs".to_owned(), 481),
        (format!("call-one;to-tag={tag};from-tag=x"), 481),
        (format!("{ours};early-only"), 486),
    ]
    .into_iter()
    .enumerate()
    {
        bench.receive(&new(&format!("m{at}"), &replaces));
        assert_eq!(bench.last().status(), status, "{replaces}");
    }
    assert_eq!(bench.take_events(), []);

    // Another carrier learns nothing of it.
    let trunks = vec![trunk("carrier", "192.0.2.9"), trunk("other", "192.0.2.8")];
    bench.endpoint.set_trunks(bench.now, trunks);
    bench.receive_from("192.0.2.8:5060", &new("o1", &ours));
    assert_eq!(bench.last().status(), 481);

    // A call that has ended is not taken over.
    let now = bench.now;
    assert_eq!(bench.endpoint.hang_up(now, call, Cause::Normal), Ok(()));
    bench.drain();
    bench.receive(&new("n2", &ours));
    assert_eq!(bench.last().status(), 481);
}

#[test]
fn a_caller_that_we_have_not_answered_is_not_replaced() {
    let mut bench = Bench::new();
    bench.receive(&invite("1", ""));
    let (call, _) = bench.incoming();
    bench.endpoint.ring(bench.now, call).expect("it waits");
    bench.drain();
    let tag = bench.last().tag();
    let headers = format!("Replaces: call-one;to-tag={tag};from-tag=theirs\n");
    bench.receive(&invite("2", &headers).replace("call-one\n", "call-two\n"));
    assert_eq!(bench.last().status(), 481);
}

#[test]
fn a_peer_that_we_ask_to_transfer_tells_how_it_goes() {
    let mut bench = Bench::new();
    let (call, tag) = bench.answered();
    let now = bench.now;
    let to = ReferTo::Uri("sip:4101@example.net".into());
    let by = Some("sip:ana@localhost");
    assert_eq!(bench.endpoint.refer(now, call, &to, by), Ok(()));
    assert!(bench.endpoint.refer(now, call, &to, by).is_err());
    bench.drain();
    let refer = bench.last();
    assert_eq!(refer.header(Name::ReferTo), "<sip:4101@example.net>");
    assert_eq!(refer.header(Name::ReferredBy), "<sip:ana@localhost>");
    bench.reply(&refer, 202, "", "", "");
    let notify = |cseq: u32, state: &str, body: &str| {
        let headers =
            format!("Event: refer\nSubscription-State: {state}\nContent-Type: message/sipfrag\n");
        let branch = format!("n{cseq}");
        let text = within("NOTIFY", cseq, &branch, &tag, &headers);
        let length = format!("Content-Length: {}\n\n{body}", body.len());
        text.replace("Content-Length: 0\n\n", &length)
    };
    let mut told = |cseq: u32, state: &str, body: &str| {
        bench.receive(&notify(cseq, state, body));
        let answer = bench.last().status();
        let mut events = bench.take_events().into_iter();
        let status = events.next().map(|event| {
            let CallEvent::TransferProgress { status, .. } = event else {
                panic!("{event:?}");
            };
            status
        });
        (answer, status)
    };
    let active = "active;expires=60";
    assert_eq!(told(2, active, "SIP/2.0 100 Trying"), (200, Some(100)));
    assert_eq!(told(3, active, "what?"), (200, None));
    assert_eq!(
        told(4, "terminated;reason=noresource", "SIP/2.0 486 Busy"),
        (200, Some(486))
    );
    assert_eq!(told(5, active, "SIP/2.0 200 OK"), (481, None));
    assert_eq!(bench.endpoint.calls(), 1);
}

#[test]
fn a_peer_that_refuses_or_forgets_our_transfer_is_told_of() {
    let mut bench = Bench::new();
    let (call, _) = bench.answered();
    let now = bench.now;
    let to = ReferTo::Uri("sip:4101@example.net".into());
    assert_eq!(bench.endpoint.refer(now, call, &to, None), Ok(()));
    bench.drain();
    let refer = bench.last();
    bench.reply(&refer, 405, "", "", "");
    assert_eq!(
        bench.take_events(),
        [CallEvent::TransferProgress { call, status: 405 }]
    );
    assert_eq!(bench.endpoint.refer(now, call, &to, None), Ok(()));
    bench.drain();
    let refer = bench.last();
    bench.reply(&refer, 202, "", "", "");
    bench.run_until(180_000);
    assert_eq!(
        bench.take_events(),
        [CallEvent::TransferProgress { call, status: 408 }]
    );
    assert!(
        bench
            .endpoint
            .refer(now, call, &ReferTo::Uri("a b".into()), None)
            .is_err()
    );
}

#[test]
fn an_attended_transfer_of_ours_names_the_call_whose_place_is_to_be_taken() {
    let mut bench = Bench::new();
    let (call, _) = bench.answered();
    let (other, other_tag) = consulted(&mut bench);
    let now = bench.now;
    let to = ReferTo::Call(other);
    assert_eq!(bench.endpoint.refer(now, call, &to, None), Ok(()));
    bench.drain();
    assert_eq!(
        bench.last().header(Name::ReferTo),
        format!(
            "<sip:5511@192.0.2.9:5060?Replaces=call-two%40x%3Bto-tag%3Dtheirs\
             %3Bfrom-tag%3D{other_tag}>"
        )
    );
}

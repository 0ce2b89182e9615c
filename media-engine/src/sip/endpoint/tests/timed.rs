//! Reliable provisional responses and session timers.

use super::*;
use crate::sip::Method;
use crate::sip::call::{Caller, Dial, Target};

const RELIABLE: &str = "Supported: 100rel\n";

fn early(bench: &mut Bench, sdp: Bytes) -> CallId {
    bench.receive(&invite("1", RELIABLE));
    let (call, _) = bench.incoming();
    let now = bench.now;
    bench
        .endpoint
        .early_media(now, call, sdp)
        .expect("it waits");
    bench.drain();
    call
}

fn prack(bench: &mut Bench, branch: &str, cseq: u32, number: &str) {
    let tag = bench.sent[1].tag();
    let rack = format!("RAck: {number} 1 INVITE\n");
    bench.receive(&within("PRACK", cseq, branch, &tag, &rack));
}

#[test]
fn early_media_is_repeated_until_its_prack_and_the_answer_waits_for_it() {
    let mut bench = Bench::new();
    let call = early(&mut bench, ANSWER);
    let progress = bench.last();
    assert_eq!(progress.status(), 183);
    assert_eq!(progress.header(Name::Require), "100rel");
    assert_eq!(progress.message.body(), ANSWER);
    let number = progress.header(Name::RSeq);
    bench.run_until(700);
    assert_eq!(bench.statuses(), [100, 183, 183]);
    let now = bench.now;
    bench.endpoint.answer(now, call, ANSWER).expect("it waits");
    bench.drain();
    assert_eq!(bench.statuses(), [100, 183, 183], "the answer is under way");
    prack(&mut bench, "p0", 2, "1");
    assert_eq!(bench.last().status(), 481);
    prack(&mut bench, "p1", 3, &number);
    assert_eq!(bench.statuses(), [100, 183, 183, 481, 200, 200]);
    let ok = bench.last();
    assert_eq!(ok.header(Name::CSeq), "1 INVITE");
    assert!(ok.message.body().is_empty(), "the answer was given");
    let tag = ok.tag();
    bench.receive(&within("ACK", 1, "a", &tag, ""));
    assert_eq!(
        bench.take_events(),
        [CallEvent::Confirmed { call, sdp: None }]
    );
    bench.run_until(1000);
    assert_eq!(bench.sent.len(), 6);
}

#[test]
fn a_caller_that_never_confirms_is_refused_after_64_t1() {
    let mut bench = Bench::new();
    let call = early(&mut bench, ANSWER);
    bench.run_until(32_000);
    assert_eq!(bench.last().status(), 504);
    assert_eq!(
        bench.take_events(),
        [bench.ended(call, Party::Network, Some(504))]
    );
    bench.assert_empty_in_the_end();
}

#[test]
fn a_caller_that_knows_no_prack_hears_early_media_without() {
    let mut bench = Bench::new();
    bench.receive(&invite("1", ""));
    let (call, _) = bench.incoming();
    let now = bench.now;
    bench
        .endpoint
        .early_media(now, call, ANSWER)
        .expect("it waits");
    bench.drain();
    assert_eq!(bench.last().header(Name::RSeq), "");
    bench.run_until(60_000);
    assert_eq!(
        bench.statuses(),
        [100, 183, 183],
        "each minute a sign of life"
    );
    bench
        .endpoint
        .answer(bench.now, call, ANSWER)
        .expect("it waits");
    bench.drain();
    assert_eq!(bench.last().message.body(), ANSWER);
}

#[test]
fn too_short_a_session_is_refused_with_the_least_we_take() {
    let mut bench = Bench::new();
    bench.receive(&invite("1", "Supported: timer\nSession-Expires: 60\n"));
    assert_eq!(bench.statuses(), [422]);
    assert_eq!(bench.last().header(Name::MinSe), "90");
    assert_eq!(bench.endpoint.transactions(), 0);
}

#[test]
fn a_peer_that_promised_to_refresh_and_does_not_is_hung_up_on() {
    let mut bench = Bench::new();
    bench.receive(&invite(
        "1",
        "Supported: timer\nSession-Expires: 90;refresher=uac\n",
    ));
    let (call, _) = bench.incoming();
    let now = bench.now;
    bench.endpoint.answer(now, call, ANSWER).expect("it waits");
    bench.drain();
    let ok = bench.last();
    assert_eq!(ok.header(Name::SessionExpires), "90;refresher=uac");
    assert_eq!(ok.header(Name::Require), "timer");
    let tag = ok.tag();
    bench.receive(&within("ACK", 1, "a", &tag, ""));
    bench.run_until(50_000);
    let refresh = "Supported: timer\nSession-Expires: 90;refresher=uac\n";
    bench.receive(&within("UPDATE", 2, "u", &tag, refresh));
    assert_eq!(
        bench.last().header(Name::SessionExpires),
        "90;refresher=uac"
    );
    bench.take_events();
    bench.run_until(50_000 + 59_999);
    assert!(bench.take_events().is_empty());
    bench.run_until(50_000 + 60_000);
    assert_eq!(
        bench.take_events(),
        [bench.ended(call, Party::Network, None)]
    );
    assert_eq!(bench.last().message.method(), Some(&Method::Bye));
    bench.assert_empty_in_the_end();
}

#[test]
fn we_refresh_at_half_time_when_that_is_ours_to_do() {
    let mut bench = Bench::new();
    bench.receive(&invite(
        "1",
        "Supported: timer\nSession-Expires: 100\nAllow: UPDATE, INVITE\n",
    ));
    let (call, _) = bench.incoming();
    let now = bench.now;
    bench.endpoint.answer(now, call, ANSWER).expect("it waits");
    bench.drain();
    assert_eq!(
        bench.last().header(Name::SessionExpires),
        "100;refresher=uas"
    );
    let tag = bench.last().tag();
    bench.receive(&within("ACK", 1, "a", &tag, ""));
    bench.take_sent();
    bench.run_until(49_999);
    assert!(bench.sent.is_empty());
    bench.run_until(50_000);
    let update = bench.last();
    assert_eq!(update.message.method(), Some(&Method::Update));
    assert_eq!(update.header(Name::SessionExpires), "100;refresher=uac");
    bench.reply(
        &update,
        200,
        "theirs",
        "Session-Expires: 100;refresher=uac\n",
        "",
    );
    bench.take_sent();
    bench.run_until(99_999);
    assert!(bench.sent.is_empty());
    bench.run_until(100_000);
    let update = bench.last();
    bench.reply(&update, 481, "theirs", "", "");
    bench
        .take_events()
        .retain(|event| *event != CallEvent::Confirmed { call, sdp: None });
    assert_eq!(bench.last().message.method(), Some(&Method::Bye));
    bench.assert_empty_in_the_end();
}

#[test]
fn a_peer_without_update_is_refreshed_by_the_media_as_they_are() {
    let mut bench = Bench::new();
    bench.receive(&invite("1", "Supported: timer\nSession-Expires: 100\n"));
    let (call, _) = bench.incoming();
    let now = bench.now;
    bench.endpoint.answer(now, call, ANSWER).expect("it waits");
    bench.drain();
    let tag = bench.last().tag();
    bench.receive(&within("ACK", 1, "a", &tag, ""));
    bench.run_until(50_000);
    let refresh = bench.last();
    assert_eq!(refresh.message.method(), Some(&Method::Invite));
    assert_eq!(refresh.message.body(), ANSWER);
    assert_eq!(refresh.header(Name::CSeq), "1 INVITE");
}

#[test]
fn a_422_makes_us_ask_for_longer_once() {
    let mut bench = Bench::new();
    let target = Target::Uri("sip:a@192.0.2.9".into());
    let dial = Dial {
        target,
        caller: Caller::default(),
        offer: Bytes::from_static(b"v=0 ours"),
        ring_limit: Duration::from_secs(60),
        referral: None,
    };
    let call = bench.endpoint.dial(bench.now, dial).expect("a good target");
    bench.drain();
    let first = bench.last();
    assert_eq!(first.header(Name::SessionExpires), "1800");
    bench.reply(&first, 422, "t", "Min-SE: 3600\n", "");
    let second = bench.last();
    assert_eq!(second.header(Name::SessionExpires), "3600");
    assert_eq!(second.header(Name::MinSe), "3600");
    bench.reply(&second, 422, "t", "Min-SE: 7200\n", "");
    assert_eq!(
        bench.take_events(),
        [bench.ended(call, Party::Peer, Some(422))]
    );
}

#[test]
fn an_offer_in_a_prack_is_answered_with_it_and_the_2xx_waits_for_that() {
    let mut bench = Bench::new();
    let call = early(&mut bench, ANSWER);
    let tag = bench.last().tag();
    let number = bench.last().header(Name::RSeq);
    bench.take_events();
    bench.take_sent();
    let offer = within_with_sdp("PRACK", 2, "p", &tag, "v=0 change");
    let rack = format!("RAck: {number} 1 INVITE\nContent-Type");
    bench.receive(&offer.replace("Content-Type", &rack));
    let sdp = Some(Bytes::from_static(b"v=0 change"));
    assert_eq!(bench.take_events(), [CallEvent::Offered { call, sdp }]);
    let now = bench.now;
    // The user takes the call before it has thought about the offer.
    bench.endpoint.answer(now, call, ANSWER).expect("it waits");
    bench.drain();
    assert_eq!(bench.log(), [""; 0]);
    let again = Bytes::from_static(b"v=0 again");
    let accepted = bench.endpoint.accept_offer(now, call, again.clone());
    assert_eq!(accepted, Ok(()));
    bench.drain();
    assert_eq!(bench.log(), ["200", "200"]);
    assert_eq!(bench.sent[0].header(Name::CSeq), "2 PRACK");
    assert_eq!(bench.sent[0].message.body(), again);
    assert_eq!(bench.sent[1].header(Name::CSeq), "1 INVITE");
    assert_eq!(bench.sent[1].message.body(), "", "it was answered before");
}

#[test]
fn an_update_may_offer_once_our_answer_has_arrived_and_not_before() {
    let mut bench = Bench::new();
    let call = early(&mut bench, ANSWER);
    let tag = bench.last().tag();
    let number = bench.last().header(Name::RSeq);
    bench.take_events();
    bench.take_sent();
    bench.receive(&within_with_sdp("UPDATE", 2, "u1", &tag, "v=0 change"));
    assert_eq!(bench.log(), ["500"]);
    let rack = format!("RAck: {number} 1 INVITE\n");
    bench.receive(&within("PRACK", 3, "p", &tag, &rack));
    bench.receive(&within_with_sdp("UPDATE", 4, "u2", &tag, "v=0 change"));
    assert_eq!(bench.log(), ["500", "200"]);
    let sdp = Some(Bytes::from_static(b"v=0 change"));
    assert_eq!(bench.take_events(), [CallEvent::Offered { call, sdp }]);
    bench.receive(&within_with_sdp("UPDATE", 5, "u3", &tag, "v=0 more"));
    assert_eq!(bench.log(), ["500", "200", "500"], "one at a time");
    let now = bench.now;
    assert_eq!(bench.endpoint.reject_offer(now, call, 488), Ok(()));
    bench.drain();
    assert_eq!(bench.last().status(), 488);
    assert_eq!(bench.last().header(Name::CSeq), "4 UPDATE");

    // A caller that gives up while we think hears the end of both.
    bench.receive(&within_with_sdp("UPDATE", 6, "u4", &tag, "v=0 more"));
    bench.take_events();
    bench.take_sent();
    bench.receive(&within("CANCEL", 1, "1", "", "").replace(";tag=\n", "\n"));
    assert_eq!(bench.log(), ["200", "487", "487"]);
    assert_eq!(
        bench.take_events(),
        [bench.ended(call, Party::Peer, Some(487))]
    );
    bench.assert_empty_in_the_end();
}

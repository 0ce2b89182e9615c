//! Calls that we place.

use super::*;
use crate::sip::Method;
use crate::sip::call::{Caller, Dial, Target};
use crate::sip::digest::Credentials;
use crate::sip::resolve::{Answer, Record};

fn carrier(host: &str) -> Trunk {
    Trunk {
        host: Some(host.into()),
        credentials: Some(Credentials {
            username: "us".into(),
            password: "secret".into(),
            realm: None,
        }),
        ..trunk("carrier", "192.0.2.9")
    }
}

fn bench(host: &str) -> Bench {
    let mut bench = Bench::new();
    bench.endpoint.set_trunks(bench.now, vec![carrier(host)]);
    bench
}

fn dial(bench: &mut Bench, target: Target) -> CallId {
    let dial = Dial {
        target,
        caller: Caller {
            number: "1140004000".into(),
            display_name: Some("Ramal".into()),
            ..Caller::default()
        },
        offer: Bytes::from_static(b"v=0 ours"),
        ring_limit: Duration::from_secs(60),
        referral: None,
    };
    let call = bench.endpoint.dial(bench.now, dial).expect("a good target");
    bench.drain();
    call
}

fn by_trunk() -> Target {
    Target::Trunk {
        trunk: TrunkId("carrier".into()),
        number: "5511999".into(),
    }
}

/// A call that the trunk answered; its handle and the INVITE. Nothing is left to take.
fn up(bench: &mut Bench) -> (CallId, Sent) {
    let call = dial(bench, by_trunk());
    let invite = bench.last();
    bench.reply(&invite, 200, "t", "", "v=0 theirs");
    bench.take_sent();
    bench.take_events();
    (call, invite)
}

#[test]
fn a_call_goes_out_rings_is_answered_and_is_hung_up() {
    let mut bench = bench("192.0.2.9");
    let call = dial(&mut bench, by_trunk());
    let invite = bench.last();
    assert_eq!(invite.flow.remote, address("192.0.2.9:5060"));
    assert_eq!(invite.message.request_uri_bytes(), b"sip:5511999@192.0.2.9");
    assert!(
        invite
            .header(Name::From)
            .starts_with("\"Ramal\" <sip:1140004000@192.0.2.9>;tag=")
    );
    assert_eq!(invite.message.body(), "v=0 ours");

    bench.reply(&invite, 100, "", "", "");
    bench.reply(&invite, 180, "t", "", "");
    bench.reply(&invite, 180, "t", "", "");
    bench.reply(&invite, 183, "t", "", "v=0 early");
    let early = Bytes::from_static(b"v=0 early");
    assert_eq!(
        bench.take_events(),
        [
            CallEvent::Ringing { call },
            CallEvent::EarlyMedia {
                call,
                sdp: early,
                flow: invite.flow
            }
        ]
    );
    bench.reply(&invite, 200, "t", "", "v=0 theirs");
    let theirs = Bytes::from_static(b"v=0 theirs");
    assert_eq!(
        bench.take_events(),
        [CallEvent::Answered {
            call,
            sdp: Some(theirs),
            flow: invite.flow
        }]
    );
    assert_eq!(bench.log(), ["INVITE", "ACK"]);
    assert_eq!(
        bench.last().message.request_uri_bytes(),
        b"sip:t@192.0.2.9:5060"
    );
    assert_eq!(bench.last().header(Name::CSeq), "1 ACK");

    // A copy of the 200 means that our ACK was lost.
    bench.reply(&invite, 200, "t", "", "v=0 theirs");
    assert_eq!(bench.log(), ["INVITE", "ACK", "ACK"]);
    assert!(bench.take_events().is_empty());

    let now = bench.now;
    bench
        .endpoint
        .hang_up(now, call, Cause::Normal)
        .expect("it lives");
    bench.drain();
    assert_eq!(bench.take_events(), [bench.ended(call, Party::Us, None)]);
    let bye = bench.last();
    assert_eq!(bye.header(Name::CSeq), "2 BYE");
    bench.reply(&bye, 200, "t", "", "");
    bench.assert_empty_in_the_end();
}

#[test]
fn the_second_callee_who_answers_is_acknowledged_and_hung_up_on() {
    let mut bench = bench("192.0.2.9");
    let (call, invite) = up(&mut bench);
    bench.reply(&invite, 200, "other", "", "v=0 other");
    assert_eq!(bench.log(), ["ACK", "BYE"]);
    let bye = bench.last();
    assert_eq!(bye.message.request_uri_bytes(), b"sip:other@192.0.2.9:5060");
    assert!(bye.header(Name::Reason).contains("elsewhere"));
    bench.reply(&invite, 200, "other", "", "v=0 other");
    assert_eq!(bench.log(), ["ACK", "BYE", "ACK"]);
    bench.reply(&bye, 200, "other", "", "");
    assert!(bench.take_events().is_empty());
    assert_eq!(bench.endpoint.calls(), 1);
    let now = bench.now;
    bench
        .endpoint
        .hang_up(now, call, Cause::Normal)
        .expect("it lives");
    bench.drain();
    bench.assert_empty_in_the_end();
}

#[test]
fn a_cancel_waits_for_the_first_sign_of_life() {
    let mut bench = bench("192.0.2.9");
    let call = dial(&mut bench, by_trunk());
    let invite = bench.last();
    let now = bench.now;
    bench
        .endpoint
        .hang_up(now, call, Cause::NoAnswer)
        .expect("it lives");
    bench.drain();
    assert_eq!(bench.take_events(), [bench.ended(call, Party::Us, None)]);
    assert_eq!(bench.log(), ["INVITE"]);
    bench.reply(&invite, 100, "", "", "");
    assert_eq!(bench.log(), ["INVITE", "CANCEL"]);
    let cancel = bench.last();
    assert_eq!(cancel.header(Name::Via), invite.header(Name::Via));
    assert_eq!(cancel.header(Name::CSeq), "1 CANCEL");
    bench.reply(&cancel, 200, "x", "", "");
    bench.reply(&invite, 487, "t", "", "");
    assert_eq!(bench.log(), ["INVITE", "CANCEL", "ACK"]);
    assert_eq!(bench.last().header(Name::Via), invite.header(Name::Via));
    assert_eq!(bench.last().tag(), "t");
    assert_eq!(bench.endpoint.calls(), 0);
    bench.assert_empty_in_the_end();
    assert!(bench.take_events().is_empty());
}

#[test]
fn a_200_that_crosses_our_cancel_is_acknowledged_and_hung_up() {
    let mut bench = bench("192.0.2.9");
    let call = dial(&mut bench, by_trunk());
    let invite = bench.last();
    bench.reply(&invite, 180, "t", "", "");
    let now = bench.now;
    bench
        .endpoint
        .hang_up(now, call, Cause::Normal)
        .expect("it lives");
    bench.drain();
    bench.reply(&invite, 200, "t", "", "v=0 theirs");
    assert_eq!(bench.log(), ["INVITE", "CANCEL", "ACK", "BYE"]);
    let bye = bench.last();
    bench.reply(&bye, 200, "t", "", "");
    assert_eq!(
        bench.take_events(),
        [
            CallEvent::Ringing { call },
            bench.ended(call, Party::Us, None)
        ]
    );
    bench.assert_empty_in_the_end();
}

#[test]
fn a_cancelled_invite_that_is_never_answered_is_given_up() {
    let mut bench = bench("192.0.2.9");
    let call = dial(&mut bench, by_trunk());
    let invite = bench.last();
    bench.reply(&invite, 180, "t", "", "");
    let now = bench.now;
    bench
        .endpoint
        .hang_up(now, call, Cause::Normal)
        .expect("it lives");
    bench.assert_empty_in_the_end();
}

#[test]
fn a_phone_that_nobody_takes_is_cancelled_at_the_ring_limit() {
    let mut bench = bench("192.0.2.9");
    let call = dial(&mut bench, by_trunk());
    let invite = bench.last();
    bench.reply(&invite, 180, "t", "", "");
    bench.take_events();
    bench.run_until(60_000);
    assert_eq!(
        bench.take_events(),
        [bench.ended(call, Party::Network, Some(408))]
    );
    assert_eq!(bench.log(), ["INVITE", "CANCEL"]);
    assert!(bench.last().header(Name::Reason).contains("cause=19"));
    bench.reply(&invite, 487, "t", "", "");
    bench.assert_empty_in_the_end();
}

#[test]
fn a_refusal_ends_the_call_with_its_status_and_a_302_is_not_followed() {
    for status in [302, 404, 486, 603] {
        let mut bench = bench("192.0.2.9");
        let call = dial(&mut bench, by_trunk());
        let invite = bench.last();
        bench.reply(&invite, status, "t", "", "");
        assert_eq!(bench.log(), ["INVITE", "ACK"]);
        assert_eq!(
            bench.take_events(),
            [bench.ended(call, Party::Peer, Some(status))]
        );
        bench.assert_empty_in_the_end();
    }
}

#[test]
fn the_carrier_that_challenges_gets_credentials_once_and_nobody_else_does() {
    const CHALLENGE: &str =
        "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", algorithm=MD5, qop=\"auth\"\n";
    let mut bench = bench("192.0.2.9");
    let call = dial(&mut bench, by_trunk());
    let invite = bench.last();
    assert_eq!(invite.header(Name::Authorization), "");
    bench.reply(&invite, 401, "t", CHALLENGE, "");
    assert_eq!(bench.log(), ["INVITE", "ACK", "INVITE"]);
    let again = bench.last();
    assert!(
        again
            .header(Name::Authorization)
            .contains("username=\"us\"")
    );
    assert_eq!(again.header(Name::CSeq), "2 INVITE");
    assert_eq!(again.header(Name::CallId), invite.header(Name::CallId));
    assert_ne!(again.header(Name::Via), invite.header(Name::Via));
    bench.reply(&again, 401, "t", CHALLENGE, "");
    assert_eq!(
        bench.take_events(),
        [bench.ended(call, Party::Peer, Some(401))]
    );

    // An inbound caller on a trunk without credentials, who challenges our BYE.
    let mut bench = Bench::new();
    let (call, _) = bench.answered();
    let now = bench.now;
    bench
        .endpoint
        .hang_up(now, call, Cause::Normal)
        .expect("it lives");
    bench.drain();
    let bye = bench.last();
    bench.reply(&bye, 407, "", &CHALLENGE.replace("WWW", "Proxy"), "");
    assert_eq!(bench.log(), ["BYE"]);
    assert_eq!(bench.endpoint.calls(), 0);
}

#[test]
fn a_dead_server_is_left_for_the_next_one() {
    let mut bench = bench("sip.example.net:5060");
    let call = dial(&mut bench, by_trunk());
    assert_eq!(bench.log(), [""; 0]);
    let asked = std::mem::take(&mut bench.asked);
    assert_eq!(asked[0].1, Question::A("sip.example.net".into()));
    let answer = Answer::Found {
        records: vec![
            Record::Address("192.0.2.9".parse().expect("an address")),
            Record::Address("192.0.2.8".parse().expect("an address")),
        ],
        ttl: Duration::from_secs(60),
    };
    let now = bench.now;
    bench.endpoint.handle_resolved(now, asked[0].0, answer);
    bench.drain();
    let first = bench.last();
    bench.run_until(32_000);
    let second = bench.last();
    assert_ne!(first.flow.remote, second.flow.remote);
    assert_eq!(second.at_ms, 32_000);
    bench.reply(&second, 503, "t", "Retry-After: 5\n", "");
    assert_eq!(
        bench.take_events(),
        [bench.ended(call, Party::Peer, Some(503))]
    );
    bench.assert_empty_in_the_end();
}

#[test]
fn a_name_that_leads_nowhere_ends_the_call() {
    let mut bench = bench("sip.example.net:5060");
    let call = dial(&mut bench, by_trunk());
    for (query, _) in std::mem::take(&mut bench.asked) {
        let now = bench.now;
        bench.endpoint.handle_resolved(now, query, Answer::Nothing);
    }
    bench.drain();
    assert_eq!(
        bench.take_events(),
        [bench.ended(call, Party::Network, Some(503))]
    );
    bench.assert_empty_in_the_end();
}

#[test]
fn an_offer_that_meets_another_is_sent_again_after_a_pause() {
    let mut bench = bench("192.0.2.9");
    let (call, _) = up(&mut bench);
    let now = bench.now;
    let sdp = Bytes::from_static(b"v=0 again");
    bench
        .endpoint
        .offer(now, call, sdp)
        .expect("nothing is under way");
    bench.drain();
    let offer = bench.last();
    assert_eq!(offer.header(Name::CSeq), "2 INVITE");
    bench.reply(&offer, 491, "t", "", "");
    bench.take_sent();
    bench.run_until(2_000);
    assert!(
        bench.sent.is_empty(),
        "the maker of the Call-ID waits 2.1 s at least"
    );
    bench.run_until(4_000);
    let offer = bench.sent[0].clone();
    assert_eq!(offer.header(Name::CSeq), "3 INVITE");
    bench.take_sent();
    bench.reply(&offer, 200, "t", "", "v=0 done");
    let sdp = Bytes::from_static(b"v=0 done");
    assert_eq!(
        bench.take_events(),
        [CallEvent::OfferAnswered { call, sdp }]
    );
    assert_eq!(bench.log(), ["ACK"]);
}

#[test]
fn a_peer_that_knows_the_dialog_no_more_is_gone() {
    let mut bench = bench("192.0.2.9");
    let (call, _) = up(&mut bench);
    let now = bench.now;
    let sdp = Bytes::from_static(b"v=0 again");
    bench
        .endpoint
        .offer(now, call, sdp)
        .expect("nothing is under way");
    bench.drain();
    let offer = bench.last();
    bench.reply(&offer, 481, "t", "", "");
    assert_eq!(bench.log(), ["INVITE", "ACK", "BYE"]);
    assert_eq!(
        bench.take_events(),
        [bench.ended(call, Party::Network, Some(481))]
    );
    bench.assert_empty_in_the_end();
}

#[test]
fn an_offer_that_is_refused_leaves_the_call_as_it_was() {
    let mut bench = bench("192.0.2.9");
    let (call, _) = up(&mut bench);
    let now = bench.now;
    let sdp = Bytes::from_static(b"v=0 again");
    bench
        .endpoint
        .offer(now, call, sdp)
        .expect("nothing is under way");
    bench.drain();
    let offer = bench.last();
    bench.reply(&offer, 488, "t", "", "");
    assert_eq!(
        bench.take_events(),
        [CallEvent::OfferRejected { call, status: 488 }]
    );
    assert_eq!(bench.endpoint.calls(), 1);
}

#[test]
fn reliable_responses_are_confirmed_in_order() {
    let mut bench = bench("192.0.2.9");
    let call = dial(&mut bench, by_trunk());
    let invite = bench.last();
    let reliable = |number: u32| format!("Require: 100rel\nRSeq: {number}\n");
    bench.reply(&invite, 183, "t", &reliable(7), "v=0 early");
    assert_eq!(bench.log(), ["INVITE", "PRACK"]);
    let prack = bench.last();
    assert_eq!(prack.header(Name::RAck), "7 1 INVITE");
    assert_eq!(prack.message.request_uri_bytes(), b"sip:t@192.0.2.9:5060");
    bench.reply(&invite, 183, "t", &reliable(7), "v=0 early");
    bench.reply(&invite, 180, "t", &reliable(9), "");
    assert_eq!(
        bench.log(),
        ["INVITE", "PRACK"],
        "a copy, and one too early"
    );
    bench.reply(&invite, 180, "t", &reliable(8), "");
    assert_eq!(bench.last().header(Name::RAck), "8 1 INVITE");
    // The 200 need not repeat the answer.
    bench.reply(&invite, 200, "t", "", "");
    let sdp = Bytes::from_static(b"v=0 early");
    assert!(bench.take_events().contains(&CallEvent::Answered {
        call,
        sdp: Some(sdp),
        flow: invite.flow
    }));
    assert_eq!(bench.last().message.method(), Some(&Method::Ack));
}

#[test]
fn a_callee_that_agreed_reliably_may_offer_before_it_answers_and_its_2xx_changes_nothing() {
    let mut bench = bench("192.0.2.9");
    let call = dial(&mut bench, by_trunk());
    let invite = bench.last();
    bench.reply(&invite, 183, "t", "", "v=0 early");
    bench.take_events();
    let ours = invite.message.from_tag().expect("a tag");
    let update = |cseq: u32, branch: &str| {
        let ours = String::from_utf8_lossy(&ours);
        let text = within_with_sdp("UPDATE", cseq, branch, &ours, "v=0 change");
        let call_id = invite.header(Name::CallId);
        text.replace("call-one", &call_id).replace("=theirs", "=t")
    };
    // An answer that may yet be lost is none: the callee has to wait.
    bench.receive(&update(1, "u1"));
    assert_eq!(bench.last().status(), 491);
    assert_eq!(bench.take_events(), []);

    bench.reply(&invite, 183, "t", "Require: 100rel\nRSeq: 1\n", "v=0 early");
    assert_eq!(bench.last().message.method(), Some(&Method::Prack));
    bench.receive(&update(2, "u2"));
    let sdp = Some(Bytes::from_static(b"v=0 change"));
    assert_eq!(bench.take_events(), [CallEvent::Offered { call, sdp }]);
    bench.receive(&update(3, "u3"));
    assert_eq!(bench.last().status(), 500, "one at a time");
    let now = bench.now;
    bench
        .endpoint
        .accept_offer(now, call, ANSWER)
        .expect("it was offered");
    bench.drain();
    assert_eq!(bench.last().status(), 200);
    assert_eq!(bench.last().header(Name::CSeq), "2 UPDATE");
    assert_eq!(bench.last().message.body(), ANSWER);
    assert!(bench.endpoint.accept_offer(now, call, ANSWER).is_err());

    bench.reply(&invite, 200, "t", "", "v=0 early");
    assert_eq!(
        bench.take_events(),
        [CallEvent::Answered {
            call,
            sdp: None,
            flow: invite.flow
        }]
    );
}

#[test]
fn a_callee_that_refuses_while_we_think_about_its_offer_hears_the_end_of_that() {
    let mut bench = bench("192.0.2.9");
    let call = dial(&mut bench, by_trunk());
    let invite = bench.last();
    bench.reply(&invite, 183, "t", "Require: 100rel\nRSeq: 1\n", "v=0 early");
    let prack = bench.last();
    bench.reply(&prack, 200, "t", "", "");
    let ours = invite.message.from_tag().expect("a tag");
    let text = within_with_sdp("UPDATE", 1, "u", &String::from_utf8_lossy(&ours), "v=0");
    let call_id = invite.header(Name::CallId);
    bench.receive(&text.replace("call-one", &call_id).replace("=theirs", "=t"));
    bench.take_events();
    bench.take_sent();
    bench.reply(&invite, 486, "t", "", "");
    assert_eq!(bench.log(), ["ACK", "487"]);
    assert_eq!(
        bench.take_events(),
        [bench.ended(call, Party::Peer, Some(486))]
    );
    bench.assert_empty_in_the_end();
}

/// Each request of ours to a carrier that asks who we are is sent again, once, with the answer.
#[test]
fn each_request_within_a_call_answers_the_carriers_challenge_once() {
    let challenge = |nonce: &str| {
        format!(
            "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"{nonce}\", \
             algorithm=MD5, qop=\"auth\"\n"
        )
    };
    let asked = |bench: &mut Bench, method: &str, nonce: &str| {
        let first = bench.last();
        assert_eq!(bench.log().last().map(String::as_str), Some(method));
        bench.take_sent();
        bench.reply(&first, 407, "t", &challenge(nonce), "");
        let again = bench.last();
        assert_eq!(bench.log().last().map(String::as_str), Some(method));
        let proof = again.header(Name::ProxyAuthorization);
        assert!(proof.contains(&format!("nonce=\"{nonce}\"")), "{proof}");
        assert_ne!(again.header(Name::CSeq), first.header(Name::CSeq));
        assert_eq!(again.message.body(), first.message.body());
        again
    };
    let mut bench = bench("192.0.2.9");
    let call = dial(&mut bench, by_trunk());
    let invite = bench.last();
    bench.reply(&invite, 183, "t", "Require: 100rel\nRSeq: 4\n", "v=0 early");
    let again = asked(&mut bench, "PRACK", "n1");
    assert_eq!(again.header(Name::RAck), "4 1 INVITE");
    bench.reply(&again, 407, "t", &challenge("n1"), "");
    assert_eq!(
        bench.log(),
        ["PRACK"],
        "refused credentials are not repeated"
    );
    bench.reply(&invite, 200, "t", "", "");

    let now = bench.now;
    let info = bench
        .endpoint
        .send_info(now, call, "application/dtmf", b"5");
    assert_eq!(info, Ok(()));
    bench.drain();
    let again = asked(&mut bench, "INFO", "n2");
    assert_eq!(again.header(Name::ContentType), "application/dtmf");
    bench.reply(&again, 200, "t", "", "");

    let offer = bench.endpoint.offer(now, call, Bytes::from_static(b"v=0"));
    assert_eq!(offer, Ok(()));
    bench.drain();
    let again = asked(&mut bench, "INVITE", "n3");
    bench.reply(&again, 200, "t", "", "v=0 done");

    let bye = bench.endpoint.hang_up(now, call, Cause::Normal);
    assert_eq!(bye, Ok(()));
    bench.drain();
    let again = asked(&mut bench, "BYE", "n4");
    bench.reply(&again, 200, "t", "", "");
    assert_eq!(bench.endpoint.calls(), 0);
    bench.assert_empty_in_the_end();
}

/// Dials by the trunk with an offer that no datagram should carry.
fn dial_with_much_to_say(bench: &mut Bench) -> CallId {
    let dial = Dial {
        target: by_trunk(),
        caller: Caller::default(),
        offer: Bytes::from(vec![b'v'; 1300]),
        ring_limit: Duration::from_secs(60),
        referral: None,
    };
    let call = bench.endpoint.dial(bench.now, dial).expect("a good target");
    bench.drain();
    call
}

#[test]
fn a_request_too_large_for_a_datagram_goes_by_tcp() {
    let mut bench = bench("192.0.2.9");
    dial_with_much_to_say(&mut bench);
    assert_eq!(bench.log(), ["INVITE"]);
    let invite = bench.last();
    assert_eq!(invite.flow.transport, Transport::Tcp);
    assert_eq!(invite.flow.remote, address(TRUNK));
    let via = invite.header(Name::Via);
    assert!(
        via.starts_with("SIP/2.0/TCP 192.0.2.1:5060;branch="),
        "{via}"
    );
    // Once it is heard of, it waits as long as any other.
    bench.reply(&invite, 180, "t", "", "");
    bench.run_until(10_000);
    assert_eq!(bench.log(), ["INVITE"]);
    bench.reply(&invite, 486, "t", "", "");
    assert_eq!(bench.last().flow.transport, Transport::Tcp);
    assert_eq!(bench.last().header(Name::Via), via);
    bench.assert_empty_in_the_end();
}

#[test]
fn a_peer_that_refuses_tcp_gets_the_datagram_and_is_not_asked_again_for_a_while() {
    let mut bench = bench("192.0.2.9");
    let call = dial_with_much_to_say(&mut bench);
    let stream = bench.last();
    bench
        .endpoint
        .handle_transport_error(bench.now, stream.flow);
    bench.drain();
    assert_eq!(bench.log(), ["INVITE", "INVITE"]);
    let datagram = bench.last();
    assert_eq!(datagram.flow.transport, Transport::Udp);
    assert!(datagram.header(Name::Via).starts_with("SIP/2.0/UDP "));
    let branch = |sent: &Sent| {
        sent.message
            .top_via()
            .expect("a Via")
            .branch()
            .map(<[u8]>::to_vec)
    };
    assert_eq!(branch(&datagram), branch(&stream));
    assert_eq!(bench.take_events(), []);
    // From here on it is a datagram like any other.
    bench.run_until(600);
    assert_eq!(bench.log().len(), 3);
    bench.reply(&datagram, 180, "t", "", "");
    let now = bench.now;
    assert_eq!(bench.endpoint.hang_up(now, call, Cause::Normal), Ok(()));
    bench.drain();
    assert_eq!(bench.last().message.method(), Some(&Method::Cancel));
    assert_eq!(bench.last().flow.transport, Transport::Udp);
    assert_eq!(bench.last().header(Name::Via), datagram.header(Name::Via));
    bench.reply(&datagram, 487, "t", "", "");

    dial_with_much_to_say(&mut bench);
    assert_eq!(bench.last().flow.transport, Transport::Udp);
    bench.now += Duration::from_secs(600);
    dial_with_much_to_say(&mut bench);
    assert_eq!(bench.last().flow.transport, Transport::Tcp);
}

#[test]
fn a_peer_that_is_silent_over_tcp_gets_the_datagram_after_two_seconds() {
    let mut bench = bench("192.0.2.9");
    dial_with_much_to_say(&mut bench);
    bench.run_until(1_999);
    assert_eq!(bench.log(), ["INVITE"]);
    bench.run_until(2_000);
    assert_eq!(bench.last().flow.transport, Transport::Udp);
    assert_eq!(bench.last().at_ms, 2_000);
}

#[test]
fn a_carrier_that_asks_for_udp_gets_datagrams_however_large() {
    let mut bench = bench("192.0.2.9");
    let trunk = Trunk {
        transport: Some(Transport::Udp),
        ..carrier("192.0.2.9")
    };
    bench.endpoint.set_trunks(bench.now, vec![trunk]);
    dial_with_much_to_say(&mut bench);
    assert_eq!(bench.last().flow.transport, Transport::Udp);
}

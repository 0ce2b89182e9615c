//! Devices: registering, calling, being called.

use super::*;
use crate::sip::AccountId;
use crate::sip::call::{Caller, Dial, Origin, Target};
use crate::sip::digest::{Answerer, Attempt, Credentials, Outgoing, Secret};
use crate::sip::registrar::Account;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

const PHONE: &str = "198.51.100.7:40000";

fn bench() -> Bench {
    let mut bench = Bench::new();
    let account = Account {
        id: AccountId("device-ana".into()),
        user: "ana".into(),
        company: "company".into(),
        secret: Secret::new("ana", "localhost", "password"),
    };
    bench.endpoint.set_accounts(bench.now, vec![account]);
    bench
}

fn request(method: &str, branch: &str, cseq: u32, extra: &str) -> String {
    let body = if method == "INVITE" { OFFER } else { "" };
    let content = if body.is_empty() {
        ""
    } else {
        "Content-Type: application/sdp\n"
    };
    format!(
        "{method} sip:localhost SIP/2.0\n\
         Via: SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bK{branch};rport\n\
         Max-Forwards: 70\n\
         From: <sip:ana@localhost>;tag=phone\n\
         To: <sip:ana@localhost>\n\
         Call-ID: {method}-of-ana\n\
         CSeq: {cseq} {method}\n\
         Contact: <sip:ana@10.0.0.7:5060>\n\
         {extra}{content}Content-Length: {}\n\n{body}",
        body.len()
    )
}

/// The Authorization line that answers the challenge in `refusal`.
fn authorization(refusal: &Sent, method: &str, password: &str) -> String {
    let credentials = Credentials {
        username: "ana".into(),
        password: password.into(),
        realm: None,
    };
    let mut answerer = Answerer::new(credentials, vec!["192.0.2.1".parse().expect("a network")]);
    let lines: Vec<Bytes> = refusal
        .message
        .header_lines(Name::WwwAuthenticate)
        .collect();
    let us = address(US).ip();
    answerer
        .handle_challenge(
            &mut Attempt::default(),
            us,
            401,
            lines.iter().map(|line| &line[..]),
            &mut StdRng::seed_from_u64(1),
        )
        .expect("a challenge that can be answered");
    let headers = answerer.authorize(&Outgoing {
        method,
        uri: "sip:localhost",
        body: b"",
        to: us,
    });
    format!("Authorization: {}\n", headers[0].value)
}

fn register(bench: &mut Bench) {
    bench.receive_from(PHONE, &request("REGISTER", "r1", 1, ""));
    let refusal = bench.last();
    assert_eq!(refusal.status(), 401);
    let proof = authorization(&refusal, "REGISTER", "password");
    bench.receive_from(PHONE, &request("REGISTER", "r2", 2, &proof));
    assert_eq!(bench.last().status(), 200);
    // A copy of it gets the same answer, although its credentials are used up.
    bench.receive_from(PHONE, &request("REGISTER", "r2", 2, &proof));
    assert_eq!(bench.last().status(), 200);
    bench.take_sent();
}

#[test]
fn an_old_softphone_that_gives_up_at_sha_256_is_asked_for_md5_alone() {
    for (agent, challenges) in [
        ("baresip v1.0.0 (x86_64/linux)", 1),
        ("baresip v3.1", 2),
        ("x", 2),
    ] {
        let mut bench = bench();
        let line = format!("User-Agent: {agent}\n");
        bench.receive_from(PHONE, &request("REGISTER", "r1", 1, &line));
        let refusal = bench.last();
        let lines: Vec<Bytes> = refusal
            .message
            .header_lines(Name::WwwAuthenticate)
            .collect();
        assert_eq!(lines.len(), challenges, "{agent}");
        let last = lines.last().expect("a challenge");
        assert!(
            memchr::memmem::find(last, b"algorithm=MD5").is_some(),
            "{agent}"
        );
    }
}

#[test]
fn a_device_registers_and_is_called_by_the_way_it_came() {
    let mut bench = bench();
    register(&mut bench);
    let dial = Dial {
        target: Target::Device(AccountId("device-ana".into())),
        caller: Caller::default(),
        offer: Bytes::from_static(b"v=0 ours"),
        ring_limit: Duration::from_secs(20),
        referral: None,
    };
    bench.endpoint.dial(bench.now, dial).expect("a good target");
    bench.drain();
    let invite = bench.last();
    assert_eq!(invite.flow.remote, address(PHONE));
    assert_eq!(invite.message.request_uri_bytes(), b"sip:ana@10.0.0.7:5060");
    bench.reply(&invite, 200, "t", "", "v=0 theirs");
    let ack = bench.last();
    assert_eq!(ack.flow.remote, address(PHONE), "whatever the Contact says");
}

#[test]
fn a_device_that_is_nowhere_is_told_of_at_once() {
    let mut bench = bench();
    let dial = Dial {
        target: Target::Device(AccountId("device-ana".into())),
        caller: Caller::default(),
        offer: Bytes::new(),
        ring_limit: Duration::from_secs(20),
        referral: None,
    };
    let call = bench.endpoint.dial(bench.now, dial).expect("a good target");
    bench.drain();
    assert_eq!(
        bench.take_events(),
        [bench.ended(call, Party::Us, Some(480))]
    );
    bench.assert_empty_in_the_end();
}

#[test]
fn a_device_calls_once_it_has_proven_itself_and_its_bye_follows_the_flow() {
    let mut bench = bench();
    bench.receive_from(PHONE, &request("INVITE", "i1", 1, ""));
    let refusal = bench.last();
    assert_eq!(refusal.status(), 401);
    assert_eq!(bench.endpoint.transactions(), 0);
    let proof = authorization(&refusal, "INVITE", "password");
    bench.receive_from(PHONE, &request("INVITE", "i2", 2, &proof));
    let (call, invite) = bench.incoming();
    assert_eq!(
        invite.origin,
        Origin::Device(AccountId("device-ana".into()))
    );
    assert_eq!(invite.caller.number, "ana");
    let now = bench.now;
    bench.endpoint.answer(now, call, ANSWER).expect("it waits");
    bench.drain();
    let tag = bench.last().tag();
    let ack = request("ACK", "i3", 2, "")
        .replace(
            "To: <sip:ana@localhost>",
            &format!("To: <sip:ana@localhost>;tag={tag}"),
        )
        .replace("ACK-of-ana", "INVITE-of-ana");
    bench.receive_from(PHONE, &ack);
    assert_eq!(
        bench.take_events(),
        [CallEvent::Confirmed { call, sdp: None }]
    );
    bench
        .endpoint
        .hang_up(now, call, Cause::Normal)
        .expect("it lives");
    bench.drain();
    assert_eq!(bench.last().flow.remote, address(PHONE));
}

#[test]
fn known_and_unknown_users_with_wrong_passwords_get_the_same_answer() {
    let mut answers = Vec::new();
    for user in ["ana", "nobody"] {
        let mut bench = bench();
        bench.receive_from(PHONE, &request("REGISTER", "r1", 1, ""));
        let refusal = bench.last();
        let proof = authorization(&refusal, "REGISTER", "wrong")
            .replace("username=\"ana\"", &format!("username=\"{user}\""));
        bench.receive_from(PHONE, &request("REGISTER", "r2", 2, &proof));
        let answer = bench.last();
        answers.push((answer.status(), answer.message.as_bytes().len()));
        assert_eq!(bench.endpoint.transactions(), 0);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].0, 401);
}

/// Another phone of the same account.
const DESK: &str = "203.0.113.5:5060";

fn register_desk(bench: &mut Bench) {
    let desk = |cseq: u32, extra: &str| {
        request("REGISTER", &format!("d{cseq}"), cseq, extra)
            .replace("10.0.0.7", "10.9.9.9")
            .replace("REGISTER-of-ana", "desk-of-ana")
    };
    bench.receive_from(DESK, &desk(1, ""));
    let proof = authorization(&bench.last(), "REGISTER", "password");
    bench.receive_from(DESK, &desk(2, &proof));
    assert_eq!(bench.last().status(), 200);
    bench.take_sent();
}

/// Ana is called on two phones: the call, and the INVITEs to her desk and to her other phone.
fn ringing(bench: &mut Bench) -> (CallId, Sent, Sent) {
    register(bench);
    register_desk(bench);
    let dial = Dial {
        target: Target::Device(AccountId("device-ana".into())),
        caller: Caller::default(),
        offer: Bytes::from_static(b"v=0 ours"),
        ring_limit: Duration::from_secs(20),
        referral: None,
    };
    let call = bench.endpoint.dial(bench.now, dial).expect("a good target");
    bench.drain();
    assert_eq!(bench.log(), ["INVITE", "INVITE"]);
    let mut sent = bench.take_sent();
    let phone = sent.pop().expect("an INVITE");
    let desk = sent.pop().expect("an INVITE");
    assert_eq!(desk.flow.remote, address(DESK), "the latest comes first");
    assert_eq!(phone.flow.remote, address(PHONE));
    (call, desk, phone)
}

fn answered(call: CallId, sdp: &'static str, invite: &Sent) -> CallEvent {
    CallEvent::Answered {
        call,
        sdp: Some(Bytes::from_static(sdp.as_bytes())),
        flow: invite.flow,
    }
}

#[test]
fn all_phones_of_a_device_ring_and_the_first_that_is_taken_gets_the_call() {
    let mut bench = bench();
    let (call, desk, phone) = ringing(&mut bench);
    // A phone that is registered twice must see one request, and ring once.
    for name in [Name::CallId, Name::From, Name::CSeq] {
        assert_eq!(desk.header(name), phone.header(name));
    }
    assert_ne!(desk.header(Name::Via), phone.header(Name::Via));
    bench.reply(&desk, 180, "d", "", "");
    bench.reply(&phone, 180, "p", "", "");
    assert_eq!(bench.take_events(), [CallEvent::Ringing { call }]);

    bench.reply(&phone, 200, "p", "", "v=0 phone");
    assert_eq!(bench.take_events(), [answered(call, "v=0 phone", &phone)]);
    assert_eq!(bench.log(), ["ACK", "CANCEL"]);
    let cancel = bench.last();
    assert_eq!(cancel.flow.remote, address(DESK));
    assert_eq!(cancel.header(Name::Via), desk.header(Name::Via));
    assert!(cancel.header(Name::Reason).contains("elsewhere"));
    bench.reply(&cancel, 200, "d", "", "");
    bench.reply(&desk, 487, "d", "", "");
    assert_eq!(bench.log(), ["ACK", "CANCEL", "ACK"]);

    // What follows goes to the phone that was taken.
    let now = bench.now;
    assert_eq!(bench.endpoint.hang_up(now, call, Cause::Normal), Ok(()));
    bench.drain();
    let bye = bench.last();
    assert_eq!(bye.flow.remote, address(PHONE));
    bench.reply(&bye, 200, "p", "", "");
    assert_eq!(bench.take_events(), [bench.ended(call, Party::Us, None)]);
    assert_eq!(bench.endpoint.calls(), 0);
}

#[test]
fn a_second_phone_that_is_taken_at_the_same_moment_is_acknowledged_and_hung_up() {
    let mut bench = bench();
    let (call, desk, phone) = ringing(&mut bench);
    bench.reply(&desk, 180, "d", "", "");
    bench.reply(&phone, 200, "p", "", "v=0 phone");
    bench.take_sent();
    bench.take_events();
    bench.reply(&desk, 200, "d", "", "v=0 desk");
    assert_eq!(bench.log(), ["ACK", "BYE"]);
    assert!(
        bench
            .sent
            .iter()
            .all(|sent| sent.flow.remote == address(DESK))
    );
    let bye = bench.last();
    assert!(bye.header(Name::Reason).contains("elsewhere"));
    bench.reply(&desk, 200, "d", "", "v=0 desk");
    assert_eq!(
        bench.log(),
        ["ACK", "BYE", "ACK"],
        "a copy: our ACK was lost"
    );
    bench.reply(&bye, 200, "d", "", "");
    assert_eq!(bench.take_events(), []);
    // The phone that was taken is still connected, and its copies too are acknowledged.
    bench.reply(&phone, 200, "p", "", "v=0 phone");
    assert_eq!(bench.last().flow.remote, address(PHONE));
    let now = bench.now;
    assert_eq!(bench.endpoint.hang_up(now, call, Cause::Normal), Ok(()));
    bench.drain();
    bench.run_until(200_000);
    assert_eq!(bench.endpoint.calls(), 0);
    assert_eq!(bench.endpoint.transactions(), 0);
}

#[test]
fn a_busy_phone_leaves_the_others_ringing_and_a_declined_call_ends_them() {
    let mut bench = bench();
    let (call, desk, phone) = ringing(&mut bench);
    bench.reply(&phone, 180, "p", "", "");
    bench.take_events();
    bench.reply(&desk, 486, "d", "", "");
    assert_eq!(bench.take_events(), [], "the other one rings");
    bench.reply(&phone, 480, "p", "", "");
    assert_eq!(
        bench.take_events(),
        [bench.ended(call, Party::Peer, Some(486))],
        "busy tells more than away"
    );

    let mut bench = self::bench();
    let (call, desk, phone) = ringing(&mut bench);
    bench.reply(&phone, 180, "p", "", "");
    bench.take_events();
    bench.reply(&desk, 603, "d", "", "");
    assert_eq!(
        bench.take_events(),
        [bench.ended(call, Party::Peer, Some(603))]
    );
    assert_eq!(bench.log(), ["ACK", "CANCEL"]);
    assert_eq!(bench.last().flow.remote, address(PHONE));
}

#[test]
fn all_phones_are_cancelled_at_the_ring_limit_those_that_were_silent_once_they_speak() {
    let mut bench = bench();
    let (call, desk, phone) = ringing(&mut bench);
    bench.reply(&desk, 180, "d", "", "");
    bench.take_events();
    bench.run_until(20_000);
    assert_eq!(
        bench.take_events(),
        [bench.ended(call, Party::Network, Some(408))]
    );
    let log = bench.log();
    assert_eq!(log.last().map(String::as_str), Some("CANCEL"));
    assert_eq!(bench.last().flow.remote, address(DESK));
    bench.reply(&phone, 180, "p", "", "");
    assert_eq!(
        bench.last().message.method(),
        Some(&crate::sip::Method::Cancel)
    );
    assert_eq!(bench.last().flow.remote, address(PHONE));
    // Neither says anything more.
    bench.run_until(200_000);
    assert_eq!(bench.endpoint.calls(), 0);
    assert_eq!(bench.endpoint.transactions(), 0);
}

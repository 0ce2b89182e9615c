//! Trunks that are asked whether they live.

use super::*;
use crate::sip::Method;
use crate::sip::ping::{Condition, Rule};

fn bench() -> Bench {
    let mut bench = Bench::new();
    let asked = Trunk {
        host: Some("192.0.2.9".into()),
        ping: Some(Rule {
            every: Duration::from_secs(60),
            lost_max: 2,
        }),
        ..trunk("carrier", "192.0.2.9")
    };
    let only_calls_us = Trunk {
        host: None,
        id: TrunkId("other".into()),
        ..asked.clone()
    };
    let trunks = vec![asked, only_calls_us];
    bench.endpoint.set_trunks(bench.now, trunks);
    bench
}

/// Lets time pass until the next OPTIONS goes out.
fn next(bench: &mut Bench) -> Sent {
    bench.take_sent();
    while bench.sent.is_empty() {
        let at = bench.endpoint.poll_timeout().expect("it is asked again");
        bench.now = bench.now.max(at);
        bench.endpoint.handle_timeout(bench.now);
        bench.drain();
    }
    let options = bench.last();
    assert_eq!(options.message.method(), Some(&Method::Options));
    options
}

#[test]
fn a_trunk_is_asked_whether_it_lives_and_any_answer_says_so() {
    let mut bench = bench();
    assert_eq!(
        bench.endpoint.pings().count(),
        1,
        "one of them can be asked"
    );
    let first = next(&mut bench);
    assert!(first.at_ms <= 10_000);
    assert_eq!(first.flow.remote, address(TRUNK));
    assert_eq!(first.message.request_uri_bytes(), b"sip:192.0.2.9");
    assert!(first.header(Name::Accept).contains("application/sdp"));
    bench.reply(&first, 404, "t", "", "");
    assert_eq!(bench.pings, [Condition::Answering]);
    let second = next(&mut bench);
    assert_eq!(second.at_ms, first.at_ms + 60_000);
    assert_ne!(second.header(Name::CallId), first.header(Name::CallId));
}

#[test]
fn a_trunk_that_does_not_answer_is_silent_and_is_asked_on() {
    let mut bench = bench();
    let first = next(&mut bench);
    let start = u64::try_from(first.at_ms).expect("small");
    // Timer F and the pause to the next question, twice.
    bench.run_until(start + 91_999);
    assert_eq!(bench.pings, []);
    bench.run_until(start + 92_000);
    assert_eq!(bench.pings, [Condition::Silent]);
    let again = next(&mut bench);
    bench.reply(&again, 200, "t", "", "");
    assert_eq!(bench.pings, [Condition::Silent, Condition::Answering]);
}

#[test]
fn a_server_that_does_not_answer_is_dialled_last() {
    use crate::sip::call::{Caller, Dial, Target};
    use crate::sip::resolve::{Answer, Record};
    let mut bench = bench();
    let mut asked = trunk("carrier", "192.0.2.0/24");
    asked.host = Some("sip.example.net:5060".into());
    asked.ping = Some(Rule {
        every: Duration::from_secs(60),
        lost_max: 2,
    });
    bench.endpoint.set_trunks(bench.now, vec![asked]);
    let host = |last: u8| Record::Address([192, 0, 2, last].into());
    while bench.asked.is_empty() {
        bench.now = bench.endpoint.poll_timeout().expect("it is asked");
        bench.endpoint.handle_timeout(bench.now);
        bench.drain();
    }
    let answer = Answer::Found {
        records: vec![host(8), host(9)],
        ttl: Duration::from_secs(3600),
    };
    let query = bench.asked[0].0;
    bench.endpoint.handle_resolved(bench.now, query, answer);
    bench.drain();
    let silent = bench.last().flow.remote;
    let now = u64::try_from((bench.now - bench.start).as_millis()).expect("small");
    bench.run_until(now + 32_000);
    let lives = bench.last();
    assert_ne!(lives.flow.remote, silent);
    bench.reply(&lives, 200, "t", "", "");
    assert_eq!(bench.pings, [Condition::Answering], "one of two is enough");
    let dial = Dial {
        target: Target::Trunk {
            trunk: TrunkId("carrier".into()),
            number: "1".into(),
        },
        caller: Caller::default(),
        offer: Bytes::from_static(b"v=0 ours"),
        ring_limit: Duration::from_secs(20),
        referral: None,
    };
    bench.endpoint.dial(bench.now, dial).expect("a good target");
    bench.drain();
    assert_eq!(bench.last().flow.remote, lives.flow.remote);
}

#[test]
fn a_trunk_that_is_not_to_be_asked_any_more_leaves_no_deadline() {
    let mut bench = bench();
    let first = next(&mut bench);
    let plain = vec![trunk("carrier", "192.0.2.9")];
    bench.endpoint.set_trunks(bench.now, plain);
    bench.reply(&first, 200, "t", "", "");
    assert_eq!(bench.pings, []);
    bench.assert_empty_in_the_end();
}

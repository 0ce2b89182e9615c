use std::net::IpAddr;

use rand::rngs::SmallRng;

use super::*;
use crate::sip::Transport;
use crate::sip::digest::Credentials;
use crate::sip::parse::{Parsed, parse};
use crate::sip::trunk::Numbers;

fn origin() -> Instant {
    #[allow(clippy::disallowed_methods)] // Only differences count.
    Instant::now()
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn trunk() -> Trunk {
    Trunk {
        id: TrunkId("carrier".into()),
        company: "acme".into(),
        name: "Carrier".to_owned(),
        addresses: vec![],
        host: None,
        transport: None,
        outbound_proxy: None,
        credentials: Some(Credentials {
            username: "ramal".to_owned(),
            password: "swordfish".to_owned(),
            realm: None,
        }),
        line: Some(Line {
            token: "q7w3".to_owned(),
            address_of_record: "sip:ramal@carrier.example".to_owned(),
            registrar: "sip:carrier.example".to_owned(),
            expires: seconds(600),
        }),
        numbers: Numbers::default(),
        codecs: vec![],
        calls_max: 10,
        calls_per_second_max: 10,
        trusted: true,
        ping: None,
    }
}

fn server(last: u8) -> Server {
    Server {
        transport: Transport::Udp,
        address: ([192, 0, 2, last], 5060).into(),
        name: Some("carrier.example".to_owned()),
    }
}

fn status(status: u16) -> Response {
    Response {
        status,
        from: server(1).address.ip(),
        challenges: vec![],
        expires_s: None,
        min_expires_s: None,
        retry_after_s: None,
        service_route: vec![],
    }
}

fn ok(expires_s: u32) -> Response {
    Response {
        expires_s: Some(expires_s),
        ..status(200)
    }
}

fn challenge(nonce: &str) -> Response {
    let value = format!("Digest realm=\"carrier.example\", nonce=\"{nonce}\", qop=\"auth\"");
    Response {
        challenges: vec![value.into()],
        ..status(401)
    }
}

fn registration(start: Instant) -> Registration {
    Registration::new(start, &trunk(), [1; 32]).expect("the trunk has a line")
}

/// Everything it says at once, in a line each.
fn said(registration: &mut Registration) -> Vec<String> {
    std::iter::from_fn(|| registration.poll_output())
        .map(|output| match output {
            Output::Resolve(_) => "resolve".to_owned(),
            Output::Send(request) => format!(
                "send {} {} {} auth={}",
                request.server.address.ip(),
                request.cseq,
                request.expires_s,
                request.authorizations.len()
            ),
            Output::Changed(health) => format!("{:?}", health.condition),
        })
        .collect()
}

/// Registered for `granted_s` at the first of two servers.
fn registered(start: Instant, granted_s: u32) -> Registration {
    let mut registration = registration(start);
    registration.start(start);
    registration.handle_servers(start, Ok(vec![server(1), server(2)]));
    registration.handle_response(start, 1, &ok(granted_s));
    said(&mut registration);
    registration
}

#[test]
fn it_registers_proves_itself_and_refreshes_before_the_end() {
    let start = origin();
    let mut registration = registration(start);
    assert_eq!(
        registration.poll_timeout(),
        None,
        "nothing happens before the start"
    );
    registration.start(start);
    assert_eq!(said(&mut registration), ["Trying", "resolve"]);
    registration.handle_servers(start, Ok(vec![server(1), server(2)]));
    assert_eq!(said(&mut registration), ["send 192.0.2.1 1 600 auth=0"]);
    registration.handle_response(start, 1, &status(100));
    registration.handle_response(start, 1, &challenge("n1"));
    assert_eq!(said(&mut registration), ["send 192.0.2.1 2 600 auth=1"]);
    registration.handle_response(start, 2, &ok(600));
    assert_eq!(said(&mut registration), ["Registered"]);

    let health = registration.health();
    assert_eq!(health.registered_until, Some(start + seconds(600)));
    assert_eq!((health.last_error, health.server), (None, Some(server(1))));
    let refresh_at = registration.poll_timeout().expect("a refresh");
    let after = (refresh_at - start).as_secs();
    assert!(
        (525..=540).contains(&after),
        "60 s ahead and up to 15 s of chance: {after}"
    );
    registration.handle_timeout(refresh_at - Duration::from_millis(1));
    assert_eq!(said(&mut registration), [""; 0], "early is harmless");
    registration.handle_timeout(refresh_at);
    assert_eq!(
        said(&mut registration),
        ["send 192.0.2.1 3 600 auth=1"],
        "the nonce is used again"
    );
    registration.handle_response(refresh_at, 3, &ok(600));
    assert_eq!(
        registration.health().since,
        start,
        "still the same good health"
    );
}

#[test]
fn a_refresh_leaves_time_for_a_lost_one() {
    let start = origin();
    for (granted_s, earliest, latest) in [
        (3600, 3150, 3240),
        (600, 525, 540),
        (120, 70, 80),
        (60, 22, 30),
        (20, 7, 10),
        (1, 5, 5),
    ] {
        let registration = registered(start, granted_s);
        let health = registration.health();
        let refresh = (health.next_try.expect("a refresh") - start).as_secs();
        assert!(
            (earliest..=latest).contains(&refresh),
            "{granted_s}: {refresh}"
        );
    }
}

#[test]
fn a_refresh_that_is_not_answered_goes_to_the_other_servers_and_the_old_grant_stands() {
    let start = origin();
    let mut registration = registered(start, 600);
    let now = registration.poll_timeout().expect("a refresh");
    registration.handle_timeout(now);
    let now = now + seconds(32);
    registration.handle_unanswered(now, 2);
    assert_eq!(
        said(&mut registration),
        ["send 192.0.2.1 2 600 auth=0", "resolve"]
    );
    assert_eq!(registration.health().condition, Condition::Registered);
    registration.handle_servers(now, Ok(vec![server(2), server(1)]));
    registration.handle_response(now, 3, &ok(600));
    assert_eq!(
        said(&mut registration),
        ["send 192.0.2.2 3 600 auth=0", "Registered"]
    );
    assert_eq!(registration.server(), Some(&server(2)));
}

#[test]
fn servers_are_tried_in_order_then_it_waits_longer_each_time() {
    let start = origin();
    let mut registration = registration(start);
    registration.start(start);
    let mut now = start;
    let mut waits = vec![];
    let mut cseq = 0;
    for _ in 0..8 {
        registration.handle_servers(now, Ok(vec![server(1), server(2)]));
        registration.handle_unanswered(now, cseq + 1);
        registration.handle_response(now, cseq + 2, &status(503));
        cseq += 2;
        let lines = said(&mut registration);
        assert!(
            lines.iter().any(|line| line.starts_with("send 192.0.2.1")),
            "{lines:?}"
        );
        assert!(
            lines.iter().any(|line| line.starts_with("send 192.0.2.2")),
            "{lines:?}"
        );
        assert_eq!(lines.last().map(String::as_str), Some("Failing"));
        let health = registration.health();
        assert_eq!(health.last_error, Some(Failure::Status(503)));
        let until = health.next_try.expect("a next try");
        waits.push((until - now).as_secs_f64());
        now = until;
        registration.handle_timeout(now);
        assert_eq!(said(&mut registration), ["resolve"]);
    }
    for (wait, upper) in waits
        .iter()
        .zip([30.0, 60.0, 120.0, 240.0, 480.0, 600.0, 600.0, 600.0])
    {
        assert!((upper / 2.0..=upper).contains(wait), "{waits:?}");
    }
}

#[test]
fn a_retry_after_is_obeyed_within_reason() {
    let start = origin();
    for (retry_after_s, at_least, at_most) in [(120, 120, 120), (1, 15, 30), (u32::MAX, 3600, 3600)]
    {
        let mut registration = registration(start);
        registration.start(start);
        registration.handle_servers(start, Ok(vec![server(1)]));
        let busy = Response {
            retry_after_s: Some(retry_after_s),
            ..status(503)
        };
        registration.handle_response(start, 1, &busy);
        let wait = (registration.poll_timeout().expect("a try") - start).as_secs();
        assert!(
            (at_least..=at_most).contains(&wait),
            "{retry_after_s}: {wait}"
        );
    }
}

#[test]
fn a_longer_interval_is_asked_for_once_when_the_carrier_wants_it() {
    let start = origin();
    let mut registration = registration(start);
    registration.start(start);
    registration.handle_servers(start, Ok(vec![server(1)]));
    let brief = |min| Response {
        min_expires_s: Some(min),
        ..status(423)
    };
    registration.handle_response(start, 1, &brief(1800));
    registration.handle_response(start, 2, &brief(3600));
    let lines = said(&mut registration);
    assert_eq!(
        lines[2..],
        [
            "send 192.0.2.1 1 600 auth=0",
            "send 192.0.2.1 2 1800 auth=0",
            "Rejected"
        ]
    );
    for nonsense in [Some(0), Some(u32::MAX), None] {
        let mut registration = super::tests::registration(start);
        registration.start(start);
        registration.handle_servers(start, Ok(vec![server(1)]));
        let response = Response {
            min_expires_s: nonsense,
            ..status(423)
        };
        registration.handle_response(start, 1, &response);
        assert_eq!(registration.health().condition, Condition::Rejected);
    }
}

#[test]
fn a_refusal_is_shown_and_seldom_repeated() {
    let start = origin();
    for (response, failure) in [
        (status(403), Failure::Status(403)),
        (status(404), Failure::Status(404)),
        (status(302), Failure::Status(302)),
        (status(604), Failure::Status(604)),
        (
            status(401),
            Failure::Unanswerable(Unanswerable::Unsupported),
        ),
    ] {
        let mut registration = registration(start);
        registration.start(start);
        registration.handle_servers(start, Ok(vec![server(1), server(2)]));
        registration.handle_response(start, 1, &response);
        let health = registration.health();
        assert_eq!(health.condition, Condition::Rejected);
        assert_eq!(health.last_error, Some(failure));
        let wait = (health.next_try.expect("a next try") - start).as_secs();
        assert!((450..=900).contains(&wait), "{wait}");
    }
}

#[test]
fn a_wrong_password_is_tried_once() {
    let start = origin();
    let mut registration = registration(start);
    registration.start(start);
    registration.handle_servers(start, Ok(vec![server(1)]));
    registration.handle_response(start, 1, &challenge("n1"));
    registration.handle_response(start, 2, &challenge("n2"));
    let health = registration.health();
    assert_eq!(
        health.last_error,
        Some(Failure::Unanswerable(Unanswerable::Rejected))
    );
    assert_eq!(health.condition, Condition::Rejected);
}

#[test]
fn a_challenge_from_elsewhere_gets_no_credentials() {
    let start = origin();
    let mut registration = registration(start);
    registration.start(start);
    registration.handle_servers(start, Ok(vec![server(1)]));
    let forged = Response {
        from: IpAddr::from([198, 51, 100, 66]),
        ..challenge("n1")
    };
    registration.handle_response(start, 1, &forged);
    assert_eq!(
        registration.health().last_error,
        Some(Failure::Unanswerable(Unanswerable::Stranger))
    );
    assert!(
        said(&mut registration)
            .iter()
            .all(|line| !line.contains("auth=1"))
    );
}

#[test]
fn without_credentials_a_challenge_is_a_refusal() {
    let start = origin();
    let mut open = trunk();
    open.credentials = None;
    let mut registration = Registration::new(start, &open, [1; 32]).expect("a line");
    registration.start(start);
    registration.handle_servers(start, Ok(vec![server(1)]));
    registration.handle_response(start, 1, &challenge("n1"));
    assert_eq!(
        registration.health().last_error,
        Some(Failure::NoCredentials)
    );
}

#[test]
fn what_was_granted_ends_when_nothing_answers_any_more() {
    let start = origin();
    let mut registration = registered(start, 120);
    let mut now = start;
    let mut lost_at = None;
    for _ in 0..50 {
        now = registration.poll_timeout().unwrap_or(now).max(now);
        registration.handle_timeout(now);
        for _ in 0..4 {
            while let Some(output) = registration.poll_output() {
                match output {
                    Output::Resolve(_) => {
                        registration.handle_servers(now, Err(Unresolvable::Failed))
                    }
                    Output::Send(request) => {
                        registration.handle_unanswered(now, request.cseq);
                    }
                    Output::Changed(health) if health.condition == Condition::Failing => {
                        lost_at.get_or_insert(now);
                        assert_eq!(health.registered_until, None);
                    }
                    Output::Changed(_) => {}
                }
            }
        }
    }
    assert_eq!(lost_at, Some(start + seconds(120)));
}

#[test]
fn it_takes_itself_back_at_the_end_with_credentials_if_asked() {
    let start = origin();
    let mut registration = registered(start, 600);
    registration.unregister(start);
    assert_eq!(
        said(&mut registration),
        ["send 192.0.2.1 2 0 auth=0", "Stopped"]
    );
    registration.unregister(start);
    assert_eq!(said(&mut registration), [""; 0], "once is enough");
    registration.handle_response(start, 2, &challenge("n1"));
    assert_eq!(said(&mut registration), ["send 192.0.2.1 3 0 auth=1"]);
    assert!(!registration.is_stopped());
    registration.handle_response(start, 3, &status(200));
    assert!(registration.is_stopped());
    assert_eq!(registration.poll_timeout(), None);

    let mut never = super::tests::registration(start);
    never.unregister(start);
    assert!(never.is_stopped());
    assert_eq!(said(&mut never), [""; 0]);
}

#[test]
fn a_request_under_way_is_taken_back_too() {
    let start = origin();
    let mut registration = registration(start);
    registration.start(start);
    registration.handle_servers(start, Ok(vec![server(1)]));
    registration.unregister(start);
    let lines = said(&mut registration);
    assert_eq!(lines.last().map(String::as_str), Some("Stopped"));
    assert!(
        lines.contains(&"send 192.0.2.1 2 0 auth=0".to_owned()),
        "{lines:?}"
    );
    registration.handle_response(start, 1, &ok(600));
    registration.handle_unanswered(start, 2);
    assert!(registration.is_stopped());
    assert_eq!(registration.health().registered_until, None);
}

#[test]
fn a_lost_connection_brings_the_refresh_forward() {
    let start = origin();
    let mut registration = registered(start, 600);
    let now = start + seconds(10);
    registration.handle_flow_lost(now);
    assert_eq!(registration.poll_timeout(), Some(now + FLOW_LOST_WAIT));
}

#[test]
fn the_request_says_what_the_line_says() {
    let start = origin();
    let mut proxied = trunk();
    proxied.outbound_proxy = Some("sip:edge.carrier.example;lr".to_owned());
    proxied.transport = Some(Transport::Tls);
    let mut registration = Registration::new(start, &proxied, [1; 32]).expect("a line");
    registration.start(start);
    let Some(Output::Resolve(target)) = std::iter::from_fn(|| registration.poll_output())
        .find(|output| matches!(output, Output::Resolve(_)))
    else {
        panic!("nothing to resolve");
    };
    let edge = "sip:edge.carrier.example".parse().expect("a URI");
    let edge = Target::of_uri(&edge).expect("a target");
    assert_eq!(target.host, edge.host);
    assert_eq!(target.transport, Some(Transport::Tls));
    registration.handle_servers(start, Ok(vec![server(1)]));
    let Some(Output::Send(request)) = registration.poll_output() else {
        panic!("nothing sent");
    };
    assert_eq!(request.uri, "sip:carrier.example");
    assert_eq!(request.address_of_record, "sip:ramal@carrier.example");
    assert_eq!(request.contact_user, "q7w3");
    assert_eq!(
        request.route.as_deref(),
        Some("sip:edge.carrier.example;lr")
    );

    let mut broken = trunk();
    broken.outbound_proxy = Some("not a uri".to_owned());
    let mut registration = Registration::new(start, &broken, [1; 32]).expect("a line");
    registration.start(start);
    assert_eq!(registration.health().condition, Condition::Rejected);
    let mut without = trunk();
    without.line = None;
    assert!(Registration::new(start, &without, [1; 32]).is_none());
}

#[test]
fn a_response_is_read_with_our_own_contact_s_time() {
    let text = "SIP/2.0 200 OK\r\n\
        Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\n\
        From: <sip:ramal@carrier.example>;tag=a\r\n\
        To: <sip:ramal@carrier.example>;tag=b\r\n\
        Call-ID: one\r\n\
        CSeq: 1 REGISTER\r\n\
        Contact: <sip:other@198.51.100.1>;expires=3600, <sip:q7w3@192.0.2.7:5060>;expires=55\r\n\
        Expires: 1800\r\n\
        Service-Route: <sip:s1.carrier.example;lr>\r\n\
        Service-Route: <sip:s2.carrier.example;lr>\r\n\
        Content-Length: 0\r\n\r\n";
    let read = |text: &str| {
        let Ok(Parsed::Message(message)) = parse(Bytes::copy_from_slice(text.as_bytes())) else {
            panic!("no message");
        };
        Response::read(&message, server(1).address.ip(), "q7w3")
    };
    let response = read(text);
    assert_eq!(response.expires_s, Some(55));
    assert_eq!(response.service_route.len(), 2);
    assert_eq!(read(&text.replace("q7w3", "x")).expires_s, Some(1800));
    let challenged = text.replace("200 OK", "401 Unauthorized").replace(
        "Expires: 1800",
        "WWW-Authenticate: Digest realm=\"a\", nonce=\"b\"\r\nProxy-Authenticate: Digest x=y",
    );
    assert_eq!(
        read(&challenged).challenges,
        ["Digest realm=\"a\", nonce=\"b\""]
    );
}

/// Whatever the network and the carrier do for a day: one request at a time, growing CSeq, no
/// standstill, no storm, no credentials to strangers, and a health that is true.
#[test]
fn a_hostile_day_brings_no_storm_and_no_standstill() {
    for seed in 0..200 {
        hostile_day(seed);
    }
}

fn hostile_day(seed: u64) {
    let start = origin();
    let end = start + seconds(24 * 3600);
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut registration = Registration::new(start, &trunk(), rng.random()).expect("a line");
    registration.start(start);
    let mut now = start;
    let mut last_cseq = 0;
    let mut requests = 0_u32;
    while now < end {
        let mut waiting_for: Option<Box<Request>> = None;
        let mut resolving = false;
        while let Some(output) = registration.poll_output() {
            match output {
                Output::Resolve(_) => resolving = true,
                Output::Send(request) => {
                    assert!(waiting_for.is_none(), "seed {seed}: two requests at a time");
                    assert!(request.cseq > last_cseq, "seed {seed}");
                    last_cseq = request.cseq;
                    requests += 1;
                    waiting_for = Some(request);
                }
                Output::Changed(health) => {
                    let valid = health.registered_until.is_some_and(|until| until > now);
                    assert_eq!(
                        health.condition == Condition::Registered,
                        valid,
                        "seed {seed}"
                    );
                }
            }
        }
        if resolving {
            now += Duration::from_millis(rng.random_range(0..5000));
            let servers = match rng.random_range(0..4) {
                0 => Err(Unresolvable::Failed),
                1 => Ok(vec![]),
                _ => Ok(vec![server(1), server(2)]),
            };
            registration.handle_servers(now, servers);
            continue;
        }
        if let Some(request) = waiting_for {
            let cseq = request.cseq;
            now += Duration::from_millis(rng.random_range(0..3000));
            let mut response = hostile_response(&mut rng, request.server.address.ip());
            match rng.random_range(0..6) {
                0 => {
                    now += seconds(32);
                    registration.handle_unanswered(now, cseq);
                }
                1 => {
                    response.from = IpAddr::from([198, 51, 100, 66]);
                    registration.handle_response(now, cseq, &response);
                }
                _ => registration.handle_response(now, cseq, &response),
            }
            registration.handle_response(now, cseq, &response); // A copy, too late.
            registration.handle_timeout(now);
            continue;
        }
        let next = registration.poll_timeout().expect("it never stands still");
        now = now.max(next);
        registration.handle_timeout(now);
    }
    assert!(requests < 4000, "seed {seed}: {requests} requests in a day");
}

fn hostile_response(rng: &mut SmallRng, from: IpAddr) -> Response {
    let response = match rng.random_range(0..8) {
        0 => challenge(&format!("n{}", rng.random_range(0..4))),
        1 => status(423),
        2 => ok(rng.random_range(0..120)),
        3 => ok(rng.random()),
        4 => status(503),
        5 => status(rng.random_range(200..700)),
        _ => ok(600),
    };
    Response {
        from,
        retry_after_s: rng.random_bool(0.3).then(|| rng.random()),
        min_expires_s: rng.random_bool(0.5).then(|| rng.random_range(0..5000)),
        ..response
    }
}

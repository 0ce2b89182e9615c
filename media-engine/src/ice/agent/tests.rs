use rand::{SeedableRng, rngs::StdRng};

use super::*;
use crate::ice::stun::TransactionId;
use crate::rtp::origin;

const ONE: LegId = LegId(1);
const TWO: LegId = LegId(2);

/// An agent with two legs, and the credentials of each.
fn agent() -> (Agent, [Credentials; 2]) {
    let mut random = StdRng::seed_from_u64(1);
    let credentials = [(); 2].map(|()| Credentials::draw(&mut random));
    let mut agent = Agent::default();
    for (leg, ours) in [ONE, TWO].into_iter().zip(&credentials) {
        assert!(agent.open(leg, ours.clone(), Some("them".into())));
    }
    (agent, credentials)
}

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn browser() -> SocketAddr {
    at("198.51.100.7:50000")
}

fn unsigned(ours: &Credentials) -> Writer {
    Writer::new(Class::Request, TransactionId([7; 12]))
        .username(&format!("{}:them", ours.ufrag))
        .priority(1)
}

fn check(ours: &Credentials) -> Vec<u8> {
    unsigned(ours)
        .role(Role::Controlling(9))
        .finish(ours.password.as_bytes())
}

fn nomination(ours: &Credentials) -> Vec<u8> {
    unsigned(ours)
        .role(Role::Controlling(9))
        .nominate()
        .finish(ours.password.as_bytes())
}

fn outputs(agent: &mut Agent) -> Vec<Output> {
    std::iter::from_fn(|| agent.poll_output()).collect()
}

/// The one answer that was sent, and what else came out.
fn answered(agent: &mut Agent, to: SocketAddr) -> (Vec<u8>, Vec<Output>) {
    let mut rest = outputs(agent);
    let place = rest
        .iter()
        .position(|output| matches!(output, Output::Transmit { .. }))
        .expect("an answer");
    let Output::Transmit { to: found, bytes } = rest.remove(place) else {
        panic!("looked for above");
    };
    assert_eq!(found, to);
    (bytes, rest)
}

#[test]
fn a_check_is_answered_with_the_address_it_came_from_under_our_password() {
    let now = origin();
    let (mut agent, [one, _]) = agent();
    let belongs = agent.handle_datagram(now, browser(), &check(&one));
    assert_eq!(belongs, Belongs::Check);
    let (bytes, rest) = answered(&mut agent, browser());
    let answer = Message::read(&bytes).expect("an answer");
    assert_eq!(answer.class, Class::Success);
    assert_eq!(answer.transaction, TransactionId([7; 12]));
    assert_eq!(answer.mapped, Some(browser()));
    assert!(answer.is_signed_with(one.password.as_bytes()) && answer.has_fingerprint);
    assert_eq!(rest, [], "nothing is selected before it is nominated");
    assert_eq!(agent.selected(ONE), None);
    assert_eq!(agent.poll_timeout(), None);
}

#[test]
fn legs_behind_one_port_are_told_apart_by_name_and_then_by_address() {
    let now = origin();
    let (mut agent, [one, two]) = agent();
    let other = at("203.0.113.9:50000");
    assert_eq!(
        agent.handle_datagram(now, browser(), &[0x80; 172]),
        Belongs::Nobody
    );
    agent.handle_datagram(now, browser(), &check(&one));
    agent.handle_datagram(now, other, &check(&two));
    assert_eq!(
        agent.handle_datagram(now, browser(), &[0x80; 172]),
        Belongs::To(ONE)
    );
    assert_eq!(
        agent.handle_datagram(now, other, &[22; 60]),
        Belongs::To(TWO)
    );
    let third = at("198.51.100.7:50001");
    assert_eq!(
        agent.handle_datagram(now, third, &[0x80; 172]),
        Belongs::Nobody
    );
    agent.close(ONE);
    assert_eq!(
        agent.handle_datagram(now, browser(), &[0x80; 172]),
        Belongs::Nobody
    );
    assert_eq!(agent.counters().foreign, 3);
}

#[test]
fn what_is_nominated_is_selected_and_may_change() {
    let now = origin();
    let (mut agent, [one, _]) = agent();
    let mobile = at("[2001:db8::7]:40000");
    for (from, expected) in [
        (
            browser(),
            vec![Output::Selected {
                leg: ONE,
                address: browser(),
            }],
        ),
        (browser(), vec![]),
        (
            mobile,
            vec![Output::Selected {
                leg: ONE,
                address: mobile,
            }],
        ),
        (
            browser(),
            vec![Output::Selected {
                leg: ONE,
                address: browser(),
            }],
        ),
    ] {
        agent.handle_datagram(now, from, &nomination(&one));
        assert_eq!(answered(&mut agent, from).1, expected);
        assert_eq!(agent.selected(ONE), Some(from));
    }
    agent.handle_datagram(now, mobile, &check(&one));
    assert_eq!(
        agent.selected(ONE),
        Some(browser()),
        "a mere check changes nothing"
    );
}

#[test]
fn consent_lasts_thirty_seconds_from_the_last_check_of_the_selected_pair() {
    let start = origin();
    let (mut agent, [one, _]) = agent();
    agent.handle_datagram(start, browser(), &nomination(&one));
    assert_eq!(agent.poll_timeout(), Some(start + CONSENT));
    let again = start + Duration::from_secs(20);
    // A check that only renews consent names neither role nor priority.
    let renewal = Writer::new(Class::Request, TransactionId([8; 12]))
        .username(&format!("{}:them", one.ufrag))
        .finish(one.password.as_bytes());
    agent.handle_datagram(again, browser(), &renewal);
    agent.handle_datagram(
        again + Duration::from_secs(5),
        at("192.0.2.1:1"),
        &check(&one),
    );
    outputs(&mut agent);
    agent.handle_timeout(start + CONSENT);
    assert_eq!(outputs(&mut agent), []);
    assert_eq!(agent.poll_timeout(), Some(again + CONSENT));
    agent.handle_timeout(again + CONSENT);
    assert_eq!(outputs(&mut agent), [Output::ConsentLost { leg: ONE }]);
    assert_eq!(agent.selected(ONE), None);
    assert_eq!(agent.poll_timeout(), None);
    let late = again + CONSENT;
    assert_eq!(
        agent.handle_datagram(late, browser(), &[0x80; 172]),
        Belongs::Nobody
    );
    // Back after a tunnel.
    agent.handle_datagram(late, browser(), &nomination(&one));
    assert_eq!(agent.selected(ONE), Some(browser()));
    agent.close(ONE);
    assert_eq!(agent.poll_timeout(), None, "no timer outlives its leg");
}

#[test]
fn a_browser_that_wants_to_be_controlled_is_told_of_the_conflict() {
    let now = origin();
    let (mut agent, [one, _]) = agent();
    let conflict = unsigned(&one)
        .role(Role::Controlled(u64::MAX))
        .nominate()
        .finish(one.password.as_bytes());
    agent.handle_datagram(now, browser(), &conflict);
    let (bytes, rest) = answered(&mut agent, browser());
    let answer = Message::read(&bytes).expect("an answer");
    assert_eq!(answer.error.map(|error| error.code), Some(487));
    assert!(answer.is_signed_with(one.password.as_bytes()));
    assert_eq!(rest, []);
    assert_eq!(agent.selected(ONE), None);
    assert_eq!(
        agent.handle_datagram(now, browser(), &[22; 60]),
        Belongs::Nobody
    );
}

#[test]
fn what_must_be_understood_and_is_not_is_named() {
    let now = origin();
    let (mut agent, [one, _]) = agent();
    let odd = unsigned(&one)
        .attribute(0x7abc, b"odd")
        .finish(one.password.as_bytes());
    agent.handle_datagram(now, browser(), &odd);
    let (bytes, _) = answered(&mut agent, browser());
    let answer = Message::read(&bytes).expect("an answer");
    assert_eq!(answer.error.map(|error| error.code), Some(420));
    assert!(bytes.windows(6).any(|six| six == [0, 10, 0, 2, 0x7a, 0xbc]));
}

#[test]
fn who_cannot_sign_is_neither_answered_nor_heard() {
    let now = origin();
    let (mut agent, [one, two]) = agent();
    let other_password = unsigned(&one).finish(two.password.as_bytes());
    let no_signature = unsigned(&one).finish_unsigned();
    let no_name =
        Writer::new(Class::Request, TransactionId([1; 12])).finish(one.password.as_bytes());
    let named = |name: String| {
        Writer::new(Class::Request, TransactionId([1; 12]))
            .username(&name)
            .finish(one.password.as_bytes())
    };
    let bad = [
        other_password,
        no_signature,
        no_name,
        named("nobody:them".into()),
        named(format!("{}:somebody", one.ufrag)),
        named(one.ufrag.clone()),
        named(format!("{}:them", two.ufrag)),
    ];
    for bytes in &bad {
        assert_eq!(agent.handle_datagram(now, browser(), bytes), Belongs::Check);
        assert_eq!(outputs(&mut agent), []);
        assert_eq!(
            agent.handle_datagram(now, browser(), &[22; 60]),
            Belongs::Nobody
        );
    }
    assert_eq!(agent.counters().unsigned, bad.len() as u64);
    let mut broken = check(&one);
    broken[30] ^= 1;
    agent.handle_datagram(now, browser(), &broken);
    assert_eq!(agent.counters().malformed, 1);
    // Answers and indications are for nobody either.
    for class in [Class::Success, Class::Error, Class::Indication] {
        let bytes = Writer::new(class, TransactionId([7; 12]))
            .username(&format!("{}:them", one.ufrag))
            .finish(one.password.as_bytes());
        agent.handle_datagram(now, browser(), &bytes);
    }
    assert_eq!(outputs(&mut agent), []);
}

/// An agent of the company that forges the address of a customer must not get the customer's call.
#[test]
fn an_address_of_one_leg_cannot_be_taken_by_another() {
    let now = origin();
    let (mut agent, [one, two]) = agent();
    agent.handle_datagram(now, browser(), &nomination(&one));
    outputs(&mut agent);
    agent.handle_datagram(now, browser(), &nomination(&two));
    assert_eq!(outputs(&mut agent), []);
    assert_eq!(agent.counters().taken, 1);
    assert_eq!(
        agent.handle_datagram(now, browser(), &[0x80; 172]),
        Belongs::To(ONE)
    );
    agent.close(ONE);
    agent.handle_datagram(now, browser(), &nomination(&two));
    assert_eq!(
        agent.handle_datagram(now, browser(), &[0x80; 172]),
        Belongs::To(TWO)
    );
}

#[test]
fn of_many_addresses_the_oldest_is_forgotten_and_never_the_selected_one() {
    let now = origin();
    let (mut agent, [one, _]) = agent();
    agent.handle_datagram(now, browser(), &nomination(&one));
    let from = |port| at(&format!("203.0.113.1:{port}"));
    for port in 1..=20 {
        agent.handle_datagram(now, from(port), &check(&one));
    }
    let heard = (1..=20)
        .filter(|port| agent.handle_datagram(now, from(*port), &[0x80; 172]) == Belongs::To(ONE));
    assert_eq!(heard.collect::<Vec<_>>(), (14..=20).collect::<Vec<_>>());
    assert_eq!(
        agent.handle_datagram(now, browser(), &[0x80; 172]),
        Belongs::To(ONE)
    );
}

#[test]
fn before_their_description_is_known_any_name_of_theirs_will_do() {
    let now = origin();
    let mut random = StdRng::seed_from_u64(2);
    let ours = Credentials::draw(&mut random);
    let mut agent = Agent::default();
    assert!(agent.open(ONE, ours.clone(), None));
    assert!(
        !agent.open(ONE, Credentials::draw(&mut random), None),
        "the leg is taken"
    );
    assert!(!agent.open(TWO, ours.clone(), None), "the name is taken");
    agent.handle_datagram(now, browser(), &check(&ours));
    answered(&mut agent, browser());
    assert!(agent.pair(ONE, &ours, "someone"));
    agent.handle_datagram(now, browser(), &check(&ours));
    assert_eq!(outputs(&mut agent), []);
}

#[test]
fn ice_begun_anew_takes_another_name_and_keeps_the_address() {
    let now = origin();
    let (mut agent, [one, two]) = agent();
    agent.handle_datagram(now, browser(), &nomination(&one));
    outputs(&mut agent);
    let new = Credentials::draw(&mut StdRng::seed_from_u64(8));
    assert!(!agent.pair(ONE, &two, "them"), "the name of another leg");
    assert!(agent.pair(ONE, &new, "them"));
    assert_eq!(agent.selected(ONE), Some(browser()));
    agent.handle_datagram(now, browser(), &nomination(&one));
    assert_eq!(outputs(&mut agent), [], "the old name is nobody's");
    agent.handle_datagram(now, browser(), &nomination(&new));
    answered(&mut agent, browser());
    agent.close(ONE);
    assert!(agent.open(ONE, new, None), "nothing is left behind");
}

#[test]
fn names_and_passwords_are_long_and_not_shown() {
    let mut random = StdRng::seed_from_u64(3);
    let drawn = [(); 2].map(|()| Credentials::draw(&mut random));
    assert_ne!(drawn[0].ufrag, drawn[1].ufrag);
    assert_ne!(drawn[0].password, drawn[1].password);
    assert_eq!((drawn[0].ufrag.len(), drawn[0].password.len()), (8, 24));
    assert!(!format!("{:?}", drawn[0]).contains(&drawn[0].password));
}

/// Whatever strangers send, nobody is answered who did not sign.
#[test]
fn noise_is_never_answered() {
    let now = origin();
    let (mut agent, [one, _]) = agent();
    let mut random = StdRng::seed_from_u64(4);
    let good = check(&one);
    for _ in 0..20_000 {
        let mut bytes = good.clone();
        for _ in 0..random.random_range(1..4) {
            let place = random.random_range(0..bytes.len());
            bytes[place] = !bytes[place];
        }
        bytes.truncate(random.random_range(0..=bytes.len() * 2).min(bytes.len()));
        if bytes != good {
            agent.handle_datagram(now, browser(), &bytes);
            assert_eq!(outputs(&mut agent), []);
        }
    }
}

use super::super::{Answerer, Attempt, Credentials, Outgoing};
use super::*;
use rand::{SeedableRng, rngs::SmallRng};

const REALM: &str = "ramal";
const URI: &str = "sip:ramal.example";

fn origin() -> Instant {
    #[allow(clippy::disallowed_methods)] // Only differences count.
    Instant::now()
}

fn phone() -> IpAddr {
    IpAddr::from([192, 0, 2, 10])
}

/// A phone with our own client inside, so that both sides are held to each other.
struct Phone {
    answerer: Answerer,
    rng: SmallRng,
}

impl Phone {
    fn new(username: &str, password: &str) -> Self {
        let credentials = Credentials {
            username: username.to_owned(),
            password: password.to_owned(),
            realm: None,
        };
        let anywhere = "0.0.0.0/0".parse().expect("a network");
        Self {
            answerer: Answerer::new(credentials, vec![anywhere]),
            rng: SmallRng::seed_from_u64(1),
        }
    }

    fn take(&mut self, challenges: &[String]) {
        self.answerer
            .handle_challenge(
                &mut Attempt::default(),
                phone(),
                401,
                challenges.iter().map(String::as_bytes),
                &mut self.rng,
            )
            .expect("our own challenge");
    }

    fn answer(&mut self) -> String {
        let request = Outgoing {
            method: "REGISTER",
            uri: URI,
            body: b"",
            to: phone(),
        };
        self.answerer
            .authorize(&request)
            .pop()
            .expect("challenged")
            .value
    }
}

struct Server {
    challenger: Challenger,
    secret: Secret,
}

impl Server {
    fn new(start: Instant) -> Self {
        Self {
            challenger: Challenger::new(start, REALM, [7; 32]),
            secret: Secret::new("1001", REALM, "swordfish"),
        }
    }

    fn verify_from(&mut self, now: Instant, source: IpAddr, value: &str) -> Verdict {
        let request = Request {
            method: b"REGISTER",
            uri: URI.as_bytes(),
            source,
        };
        let secret = &self.secret;
        self.challenger
            .verify(now, &request, [value.as_bytes()], |name| {
                (name == "1001").then_some(secret)
            })
    }

    fn verify(&mut self, now: Instant, value: &str) -> Verdict {
        self.verify_from(now, phone(), value)
    }

    fn refusal(&mut self, now: Instant, value: &str) -> Refusal {
        refusal_of(self.verify(now, value))
    }
}

fn refusal_of(verdict: Verdict) -> Refusal {
    match verdict {
        Verdict::Refused { refusal, .. } => refusal,
        Verdict::Accepted { username } => panic!("{username} was let in"),
    }
}

fn accepted() -> Verdict {
    Verdict::Accepted {
        username: "1001".to_owned(),
    }
}

/// A server, and a phone that took its challenge.
fn met(start: Instant) -> (Server, Phone) {
    let mut server = Server::new(start);
    let mut phone_1001 = Phone::new("1001", "swordfish");
    phone_1001.take(&server.challenger.challenge(start, phone(), false));
    (server, phone_1001)
}

#[test]
fn the_strongest_challenge_stands_first() {
    let start = origin();
    let mut challenger = Challenger::new(start, REALM, [7; 32]);
    let [first, second] = challenger.challenge(start, phone(), false);
    assert!(
        first.starts_with("Digest realm=\"ramal\", nonce=\""),
        "{first}"
    );
    assert!(
        first.ends_with("\", algorithm=SHA-256, qop=\"auth\""),
        "{first}"
    );
    assert!(
        second.ends_with("\", algorithm=MD5, qop=\"auth\""),
        "{second}"
    );
    let [first, _] = challenger.challenge(start, phone(), true);
    assert!(first.ends_with(", stale=true"), "{first}");
}

#[test]
fn the_right_password_is_accepted_by_every_algorithm() {
    let start = origin();
    for algorithm in ["MD5", "SHA-256", "MD5-sess", "SHA-256-sess"] {
        let mut server = Server::new(start);
        let [challenge, _] = server.challenger.challenge(start, phone(), false);
        let mut phone_1001 = Phone::new("1001", "swordfish");
        phone_1001
            .take(&[challenge.replace("algorithm=SHA-256", &format!("algorithm={algorithm}"))]);
        let answer = phone_1001.answer();
        assert!(
            answer.contains(&format!("algorithm={algorithm},")),
            "{answer}"
        );
        assert_eq!(server.verify(start, &answer), accepted(), "{algorithm}");
    }
}

#[test]
fn a_nonce_can_be_used_more_than_255_times() {
    let start = origin();
    let (mut server, mut phone_1001) = met(start);
    for count in 1..=300_u32 {
        let answer = phone_1001.answer();
        assert!(answer.contains(&format!("nc={count:08x},")));
        assert_eq!(server.verify(start, &answer), accepted(), "{count}");
    }
    assert_eq!(server.challenger.remembered(), 1);
}

#[test]
fn a_replay_is_stale_and_overtaken_counts_are_taken_once() {
    let start = origin();
    let (mut server, mut phone_1001) = met(start);
    let answers: Vec<String> = (0..70).map(|_| phone_1001.answer()).collect();
    assert_eq!(server.verify(start, &answers[9]), accepted());
    assert_eq!(server.refusal(start, &answers[9]), Refusal::Replayed);
    assert!(Refusal::Replayed.is_stale());
    assert_eq!(
        server.verify(start, &answers[2]),
        accepted(),
        "late, not replayed"
    );
    assert_eq!(server.refusal(start, &answers[2]), Refusal::Replayed);
    assert_eq!(server.verify(start, &answers[69]), accepted());
    assert_eq!(
        server.refusal(start, &answers[9]),
        Refusal::Replayed,
        "still remembered"
    );
    assert_eq!(
        server.refusal(start, &answers[4]),
        Refusal::Replayed,
        "too far below"
    );
    assert_eq!(
        server.verify(start, &answers[5]),
        accepted(),
        "64 below is the last"
    );
}

/// Against a set that remembers everything: never twice, and always when new and within reach.
#[test]
fn the_count_window_agrees_with_a_plain_set() {
    use rand::Rng;
    use std::collections::BTreeSet;
    for seed in 0..200 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut window = CountWindow::default();
        let mut seen = BTreeSet::new();
        let mut base = 1_u32;
        for _ in 0..300 {
            base = base.saturating_add(rng.random_range(0..40));
            let count = base.saturating_sub(rng.random_range(0..80)).max(1);
            let highest = seen.last().copied().unwrap_or(0);
            let reachable = count > highest || highest - count <= 64;
            let expected = reachable && !seen.contains(&count);
            assert_eq!(window.take(count), expected, "seed {seed}, count {count}");
            if expected {
                seen.insert(count);
            }
        }
    }
}

#[test]
fn a_nonce_is_stale_after_its_lifetime_and_for_other_addresses() {
    let start = origin();
    let (mut server, mut phone_1001) = met(start);
    let answer = phone_1001.answer();
    assert_eq!(server.verify(start + NONCE_LIFETIME, &answer), accepted());
    let late = start + NONCE_LIFETIME + Duration::from_millis(1);
    let answer = phone_1001.answer();
    assert_eq!(server.refusal(late, &answer), Refusal::Stale);
    assert_eq!(
        server.challenger.remembered(),
        0,
        "expired nonces are forgotten"
    );

    let stranger = IpAddr::from([198, 51, 100, 1]);
    let (mut server, mut phone_1001) = met(start);
    let verdict = server.verify_from(start, stranger, &phone_1001.answer());
    assert_eq!(
        verdict,
        Verdict::Refused {
            refusal: Refusal::Stale,
            username: Some("1001".to_owned()),
            address_proven: false,
        }
    );
    let mapped = "::ffff:192.0.2.10".parse().expect("an address");
    assert_eq!(
        server.verify_from(start, mapped, &phone_1001.answer()),
        accepted()
    );
}

#[test]
fn a_restart_makes_nonces_stale_not_wrong() {
    let start = origin();
    let (_, mut phone_1001) = met(start);
    let mut server = Server::new(start);
    server.challenger = Challenger::new(start, REALM, [8; 32]);
    assert_eq!(server.refusal(start, &phone_1001.answer()), Refusal::Stale);
}

#[test]
fn an_unknown_user_and_a_wrong_password_look_alike() {
    let start = origin();
    let mut server = Server::new(start);
    let mut verdicts = vec![];
    for (username, password) in [("1001", "guess"), ("9999", "swordfish")] {
        let mut guesser = Phone::new(username, password);
        guesser.take(&server.challenger.challenge(start, phone(), false));
        verdicts.push(server.verify(start, &guesser.answer()));
    }
    for (verdict, name) in verdicts.iter().zip(["1001", "9999"]) {
        assert_eq!(
            *verdict,
            Verdict::Refused {
                refusal: Refusal::Wrong,
                username: Some(name.to_owned()),
                address_proven: true,
            }
        );
    }
    assert_eq!(
        server.challenger.remembered(),
        0,
        "guessing costs no memory"
    );
}

#[test]
fn credentials_without_what_was_asked_for_are_refused() {
    let start = origin();
    for (from, to, refusal) in [
        ("realm=\"ramal\"", "realm=\"other\"", Refusal::Missing),
        (
            "Digest ",
            "Basic ",
            Refusal::Malformed("not the Digest scheme"),
        ),
        (
            "username=\"1001\"",
            "user=\"1001\"",
            Refusal::Malformed("no usable username"),
        ),
        (
            "algorithm=SHA-256",
            "algorithm=SHA-512-256",
            Refusal::Malformed("algorithm not offered"),
        ),
        ("algorithm=SHA-256", "algorithm=MD5", Refusal::Wrong),
        (
            "qop=auth",
            "qop=auth-int",
            Refusal::Malformed("qop not offered"),
        ),
        ("qop=auth", "q=auth", Refusal::Malformed("no qop")),
        (
            "nc=00000001",
            "nc=1",
            Refusal::Malformed("nc is not eight hexadecimal digits"),
        ),
        (
            "nc=00000001",
            "nc=00000000",
            Refusal::Malformed("nc is not eight hexadecimal digits"),
        ),
        (
            "nc=00000001",
            "nc=0000000g",
            Refusal::Malformed("nc is not eight hexadecimal digits"),
        ),
        ("nc=00000001", "nc=00000002", Refusal::Wrong),
        ("cnonce=", "c=", Refusal::Malformed("no cnonce")),
        ("uri=", "u=", Refusal::Malformed("no uri")),
        ("response=", "r=", Refusal::Malformed("no response")),
        ("response=\"", "response=\"0", Refusal::Wrong),
        (
            "uri=\"sip:ramal.example\"",
            "uri=\"sip:other.example\"",
            Refusal::WrongUri,
        ),
        (
            "uri=\"sip:ramal.example\"",
            "uri=\"sip:1002@ramal.example\"",
            Refusal::WrongUri,
        ),
        ("nonce=\"0", "nonce=\"1", Refusal::Stale),
    ] {
        let (mut server, mut phone_1001) = met(start);
        let answer = phone_1001.answer();
        let tampered = answer.replacen(from, to, 1);
        assert_ne!(answer, tampered, "{from} is not in {answer}");
        assert_eq!(server.refusal(start, &tampered), refusal, "{to}");
    }
}

#[test]
fn the_method_is_part_of_the_proof() {
    let start = origin();
    let (mut server, mut phone_1001) = met(start);
    let answer = phone_1001.answer();
    let request = Request {
        method: b"INVITE",
        uri: URI.as_bytes(),
        source: phone(),
    };
    let secret = server.secret.clone();
    let verdict = server
        .challenger
        .verify(start, &request, [answer.as_bytes()], |_| Some(&secret));
    assert_eq!(refusal_of(verdict), Refusal::Wrong);
}

#[test]
fn uri_parameters_and_the_case_of_the_host_are_no_difference() {
    for (claimed, requested, same) in [
        ("sip:a.example", "sip:A.example;transport=udp", true),
        ("sip:a.example;transport=tcp", "sip:a.example", true),
        ("sip:1@a.example", "sip:1@a.example?x=y", true),
        ("sip:bob@a.example", "sip:Bob@a.example", false),
        ("sip:1@a.example", "sip:2@a.example", false),
        ("sip:a.example:5060", "sip:a.example:5070", false),
        ("", "sip:a.example", false),
    ] {
        let answer = same_resource(claimed.as_bytes(), requested.as_bytes());
        assert_eq!(answer, same, "{claimed} {requested}");
    }
}

#[test]
fn the_header_for_our_realm_is_found_among_others() {
    let start = origin();
    let (mut server, mut phone_1001) = met(start);
    let ours = phone_1001.answer();
    let other = ours.replace("realm=\"ramal\"", "realm=\"other\"");
    let request = Request {
        method: b"REGISTER",
        uri: URI.as_bytes(),
        source: phone(),
    };
    let secret = server.secret.clone();
    let mut verify = |headers: &[&str]| {
        let headers = headers.iter().map(|value| value.as_bytes());
        server
            .challenger
            .verify(start, &request, headers, |_| Some(&secret))
    };
    assert_eq!(refusal_of(verify(&[])), Refusal::Missing);
    assert_eq!(verify(&["Basic x", &other, &ours]), accepted());
    assert_eq!(
        refusal_of(verify(&[&other, &other, &other, &other, &ours])),
        Refusal::Missing,
        "only so many are looked at"
    );
}

#[test]
fn used_nonces_are_bounded_and_a_forgotten_one_is_stale() {
    let start = origin();
    let mut challenger = Challenger::new(start, REALM, [7; 32]);
    let nonce = |serial| NonceId {
        issued_ms: 5,
        serial,
    };
    let many = u32::try_from(NONCES_MAX).expect("small");
    for serial in 1..=many {
        assert_eq!(challenger.count(nonce(serial), 1), Ok(()));
    }
    assert_eq!(challenger.count(nonce(many + 1), 1), Ok(()));
    assert_eq!(challenger.remembered(), NONCES_MAX);
    assert!(
        !challenger.is_fresh(start, nonce(1)),
        "forgotten, so it cannot be replayed"
    );
    assert!(challenger.is_fresh(start, nonce(2)));
    assert_eq!(challenger.count(nonce(2), 1), Err(Refusal::Replayed));
}

/// Neither side is hurt by what it reads, and nothing mutated is let in.
#[test]
fn mutated_headers_hurt_nobody() {
    use rand::Rng;
    let start = origin();
    let mut rng = SmallRng::seed_from_u64(1);
    for _ in 0..20_000 {
        let (mut server, mut phone_1001) = met(start);
        let mut answer = phone_1001.answer().into_bytes();
        let [challenge, _] = server.challenger.challenge(start, phone(), true);
        let mut challenge = challenge.into_bytes();
        for text in [&mut answer, &mut challenge] {
            for _ in 0..rng.random_range(1..6) {
                let at = rng.random_range(0..text.len());
                match rng.random_range(0..3) {
                    0 => text[at] = rng.random(),
                    1 => text.insert(at, b"\",=\\ \r\n\0"[rng.random_range(0..8)]),
                    _ => text.truncate(at.max(1)),
                }
            }
        }
        let request = Request {
            method: b"REGISTER",
            uri: b"sip:other.example",
            source: phone(),
        };
        let secret = server.secret.clone();
        let verdict = server
            .challenger
            .verify(start, &request, [&answer], |_| Some(&secret));
        refusal_of(verdict);
        let _ = phone_1001.answerer.handle_challenge(
            &mut Attempt::default(),
            phone(),
            401,
            [&challenge],
            &mut phone_1001.rng,
        );
        let header = phone_1001.answer();
        let breaks = |byte: u8| byte.is_ascii_control() && byte != b'\t';
        assert!(!header.bytes().any(breaks), "{header:?}");
    }
}

use super::*;

/// A new identity: whoever asks gets another one.
fn identity() -> Identity {
    let made = rcgen::generate_simple_self_signed([]).expect("a certificate");
    Identity::new(made.cert.der().to_vec(), made.signing_key.serialize_der())
}

/// The two sides of one handshake.
struct Pair {
    now: Instant,
    client: Association,
    server: Association,
    /// The keys that each was told: the client's, the server's.
    told: [Vec<Keys>; 2],
    failures: [Vec<Failure>; 2],
    /// Datagrams to be lost, counted from the first.
    lost: fn(usize) -> bool,
    sent: usize,
}

impl Pair {
    fn new(client_expects: Option<Fingerprint>) -> Self {
        let (client, server) = (identity(), identity());
        let now = crate::rtp::origin();
        let expected = client_expects.unwrap_or(server.fingerprint());
        Self {
            now,
            client: Association::new(now, &client, Role::Client, expected),
            server: Association::new(now, &server, Role::Server, client.fingerprint()),
            told: [vec![], vec![]],
            failures: [vec![], vec![]],
            lost: |_| false,
            sent: 0,
        }
    }

    /// Carries what either side sends to the other, until nobody has anything to say.
    fn carry(&mut self) {
        loop {
            let (from, output) = if let Some(output) = self.client.poll_output() {
                (0, output)
            } else if let Some(output) = self.server.poll_output() {
                (1, output)
            } else {
                return;
            };
            match output {
                Output::Transmit(bytes) => {
                    assert!(is_dtls(&bytes) && bytes.len() <= 1_200);
                    self.sent += 1;
                    if !(self.lost)(self.sent) {
                        let to = if from == 0 {
                            &mut self.server
                        } else {
                            &mut self.client
                        };
                        to.handle_datagram(self.now, &bytes);
                    }
                }
                Output::Secured(keys) => self.told[from].push(keys),
                Output::Failed(failure) => self.failures[from].push(failure),
                Output::Closed => {}
            }
        }
    }

    /// Lets time pass from deadline to deadline, for so long.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            self.carry();
            let due = [self.client.poll_timeout(), self.server.poll_timeout()];
            let Some(next) = due.into_iter().flatten().min().filter(|at| *at <= until) else {
                return;
            };
            self.now = self.now.max(next);
            self.client.handle_timeout(self.now);
            self.server.handle_timeout(self.now);
        }
    }
}

#[test]
fn both_sides_are_told_the_same_keys_once() {
    let mut pair = Pair::new(None);
    pair.pass(Duration::from_secs(60));
    let [client, server] = &pair.told;
    let ([client], [server]) = (&client[..], &server[..]) else {
        panic!("once each: {:?}", pair.failures);
    };
    assert_eq!((client.local, client.remote), (server.remote, server.local));
    assert_ne!(client.local, client.remote);
    assert_eq!(client.local.suite(), Suite::Aes256Gcm);
    assert!(pair.client.is_secured() && pair.server.is_secured());
}

#[test]
fn whatever_is_lost_is_repeated() {
    for lost in [
        |sent| sent == 1,
        |sent| sent == 2,
        |sent| sent == 3,
        |sent| sent % 3 == 0,
        |sent: usize| sent < 6,
    ] {
        let mut pair = Pair::new(None);
        pair.lost = lost;
        pair.pass(Duration::from_secs(29));
        assert!(
            pair.client.is_secured() && pair.server.is_secured(),
            "{:?} after {} datagrams",
            pair.failures,
            pair.sent
        );
    }
}

#[test]
fn a_handshake_with_nobody_is_given_up() {
    let mut pair = Pair::new(None);
    pair.lost = |_| true;
    pair.pass(Duration::from_secs(60));
    let [client, server] = &pair.failures;
    assert!(matches!(client[..], [Failure::Handshake(_)]), "{client:?}");
    assert!(server.is_empty(), "nobody has spoken to it");
    assert_eq!(pair.client.poll_timeout(), None);
}

#[test]
fn a_certificate_that_was_not_announced_gives_no_keys() {
    let mut pair = Pair::new(Some(identity().fingerprint()));
    pair.pass(Duration::from_secs(60));
    assert_eq!(pair.failures[0], [Failure::Stranger]);
    assert!(pair.told[0].is_empty() && pair.told[1].is_empty());
}

#[test]
fn a_client_that_was_not_announced_gives_no_keys() {
    let (client, server) = (identity(), identity());
    let mut pair = Pair::new(None);
    let now = pair.now;
    pair.client = Association::new(now, &client, Role::Client, server.fingerprint());
    pair.server = Association::new(now, &server, Role::Server, identity().fingerprint());
    pair.pass(Duration::from_secs(60));
    assert_eq!(pair.failures[1], [Failure::Stranger]);
    assert!(pair.told[1].is_empty());
}

#[test]
fn a_fingerprint_is_read_as_it_is_written() {
    let fingerprint = Fingerprint::of(b"certificate");
    let text = fingerprint.to_string();
    assert_eq!(text.len(), 8 + 32 * 3 - 1);
    assert_eq!(Fingerprint::read(&text), Some(fingerprint));
    assert_eq!(Fingerprint::read(&text.to_lowercase()), Some(fingerprint));
    for bad in [
        text.replace("sha-256", "sha-1"),
        text[..text.len() - 3].to_owned(),
        format!("{text}:00"),
        text.replacen(':', "", 1),
        text.replace(':', " "),
        "sha-256".to_owned(),
        String::new(),
    ] {
        assert_eq!(Fingerprint::read(&bad), None, "{bad}");
    }
}

#[test]
fn noise_neither_panics_nor_hinders() {
    use rand::{Rng, SeedableRng, rngs::SmallRng};
    let mut random = SmallRng::seed_from_u64(5);
    let mut pair = Pair::new(None);
    let hello = match pair.client.poll_output() {
        Some(Output::Transmit(hello)) => hello,
        other => panic!("{other:?}"),
    };
    let now = pair.now;
    for _ in 0..2_000 {
        let mut noise = hello.clone();
        let length = random.random_range(0..=noise.len());
        noise.truncate(length);
        for _ in 0..random.random_range(1..6) {
            if let Some(byte) = noise.get_mut(random.random_range(0..hello.len())) {
                *byte = random.random();
            }
        }
        // A server of its own for each: what breaks one handshake breaks no other.
        let server = identity_of_noise();
        let mut server = Association::new(now, server, Role::Server, Fingerprint::of(b"x"));
        server.handle_datagram(now, &noise);
    }
    pair.server.handle_datagram(now, &hello);
    pair.pass(Duration::from_secs(10));
    assert!(pair.client.is_secured() && pair.server.is_secured());
}

fn identity_of_noise() -> &'static Identity {
    static ONE: std::sync::OnceLock<Identity> = std::sync::OnceLock::new();
    ONE.get_or_init(identity)
}

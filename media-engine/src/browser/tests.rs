use rand::{SeedableRng, rngs::StdRng};

use super::*;
use crate::dtls::Fingerprint;
use crate::ice::stun::{self, BINDING, Class, TransactionId, Writer};
use crate::rtp::origin;

const LEG: LegId = LegId(1);

fn identity() -> Identity {
    let made = rcgen::generate_simple_self_signed([]).expect("a certificate");
    Identity::new(made.cert.der().to_vec(), made.signing_key.serialize_der())
}

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn home() -> SocketAddr {
    at("198.51.100.7:50000")
}

fn stranger() -> SocketAddr {
    at("203.0.113.66:6666")
}

fn credentials(seed: u64) -> Credentials {
    Credentials::draw(&mut StdRng::seed_from_u64(seed))
}

/// A port with one leg, and the browser that comes to it.
struct Scene {
    now: Instant,
    port: Port,
    pairing: Pairing,
    /// The browser's side of the handshake.
    browser: Association,
    /// What the port told, without what it sent.
    told: Vec<Output>,
    /// The keys that the browser was told.
    keys: Vec<Keys>,
}

impl Scene {
    /// Both descriptions are known, and nothing has come yet.
    fn new(role: Role) -> Self {
        let mut scene = Self::announced(role);
        scene.pair();
        scene
    }

    /// Our description is on its way.
    fn announced(role: Role) -> Self {
        let (ours, theirs, now) = (identity(), identity(), origin());
        let mut port = Port::new(ours.clone());
        let pairing = Pairing {
            ours: credentials(1),
            theirs: credentials(2),
            role,
            fingerprint: theirs.fingerprint(),
        };
        assert!(port.open(LEG, pairing.ours.clone()));
        let other = match role {
            Role::Server => Role::Client,
            Role::Client => Role::Server,
        };
        Self {
            now,
            port,
            pairing,
            browser: Association::new(now, &theirs, other, ours.fingerprint()),
            told: vec![],
            keys: vec![],
        }
    }

    fn pair(&mut self) {
        let pairing = self.pairing.clone();
        self.port.pair(self.now, LEG, &pairing);
    }

    /// A check of the browser that chooses its address; returns whether it was answered.
    fn check(&mut self, from: SocketAddr) -> bool {
        let (ours, theirs) = (&self.pairing.ours, &self.pairing.theirs);
        let check = Writer::new(Class::Request, TransactionId([7; 12]))
            .username(&format!("{}:{}", ours.ufrag, theirs.ufrag))
            .priority(1)
            .role(stun::Role::Controlling(9))
            .nominate()
            .finish(ours.password.as_bytes());
        assert_eq!(self.port.handle_datagram(self.now, from, &check), None);
        let answer = self.port.outputs.iter().any(|output| {
            matches!(output, Output::Transmit { to, bytes } if *to == from && stun::is_stun(bytes))
        });
        self.port.outputs.retain(
            |output| !matches!(output, Output::Transmit { bytes, .. } if stun::is_stun(bytes)),
        );
        answer
    }

    /// Carries handshakes both ways between the browser at home and the port, for so long.
    fn carry(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            if let Some(output) = self.browser.poll_output() {
                match output {
                    dtls::Output::Transmit(bytes) => {
                        let leg = self.port.handle_datagram(self.now, home(), &bytes);
                        assert_eq!(leg, None, "a handshake is no media");
                    }
                    dtls::Output::Secured(keys) => self.keys.push(keys),
                    dtls::Output::Failed(_) | dtls::Output::Closed => {}
                }
            } else if let Some(output) = self.port.poll_output() {
                match output {
                    Output::Transmit { to, bytes } => {
                        assert_eq!(to, home());
                        self.browser.handle_datagram(self.now, &bytes);
                    }
                    told @ (Output::Selected { .. }
                    | Output::Secured { .. }
                    | Output::Failed { .. }) => self.told.push(told),
                }
            } else {
                let due = [self.browser.poll_timeout(), self.port.poll_timeout()];
                let Some(next) = due.into_iter().flatten().min().filter(|at| *at <= until) else {
                    return;
                };
                self.now = self.now.max(next);
                self.browser.handle_timeout(self.now);
                self.port.handle_timeout(self.now);
            }
        }
    }

    /// The keys that the leg was told.
    fn secured(&self) -> Vec<Keys> {
        let keys = self.told.iter().filter_map(|told| match told {
            Output::Secured { leg: LEG, keys } => Some(**keys),
            Output::Secured { .. }
            | Output::Transmit { .. }
            | Output::Selected { .. }
            | Output::Failed { .. } => None,
        });
        keys.collect()
    }

    fn assert_met(&self) {
        let (ours, theirs) = (self.secured(), &self.keys);
        let ([ours], [theirs]) = (&ours[..], &theirs[..]) else {
            panic!("keys once for each: {:?}", self.told)
        };
        assert_eq!((ours.local, ours.remote), (theirs.remote, theirs.local));
        let selected = Output::Selected {
            leg: LEG,
            address: Some(home()),
        };
        assert!(self.told.contains(&selected), "{:?}", self.told);
    }

    /// Everything that the port has sent and told since it was asked last.
    fn quiet(&mut self) -> bool {
        self.port.poll_output().is_none()
    }
}

/// An RTP packet: whose it is is not decided by what is in it.
const RTP: [u8; 14] = [0x80, 8, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4, 9, 9];

#[test]
fn a_browser_checks_shakes_hands_and_is_heard() {
    let mut scene = Scene::new(Role::Server);
    assert!(scene.check(home()));
    scene.carry(Duration::from_secs(5));
    scene.assert_met();
    let leg = scene.port.handle_datagram(scene.now, home(), &RTP);
    assert_eq!(leg, Some(LEG));
}

#[test]
fn who_shall_speak_first_waits_until_there_is_somebody() {
    let mut scene = Scene::new(Role::Client);
    assert!(scene.quiet(), "nowhere to send it");
    assert!(scene.check(home()));
    scene.carry(Duration::from_secs(5));
    scene.assert_met();
}

/// Row 6 of what telephony must survive: the race for the handshake.
#[test]
fn a_foreign_client_hello_is_ignored_before_between_and_after() {
    let mut scene = Scene::new(Role::Server);
    let foreign = identity();
    let mut attacker = Association::new(
        scene.now,
        &foreign,
        Role::Client,
        scene.port.identity.fingerprint(),
    );
    let Some(dtls::Output::Transmit(hello)) = attacker.poll_output() else {
        panic!("a hello")
    };
    let race = |scene: &mut Scene| {
        let foreign = scene.port.counters().foreign;
        let leg = scene.port.handle_datagram(scene.now, stranger(), &hello);
        assert_eq!(leg, None);
        assert_eq!(scene.port.counters().foreign, foreign + 1);
        assert!(scene.quiet());
    };
    race(&mut scene);
    assert!(scene.check(home()));
    while let Some(told) = scene.port.poll_output() {
        scene.told.push(told);
    }
    race(&mut scene);
    scene.carry(Duration::from_secs(5));
    race(&mut scene);
    scene.assert_met();
}

/// Rows 3 to 5: packets and checks of others.
#[test]
fn foreign_rtp_and_checks_that_nobody_signed_change_nothing() {
    let mut scene = Scene::new(Role::Server);
    assert!(scene.check(home()));
    scene.carry(Duration::from_secs(5));
    let ours = scene.pairing.ours.clone();
    let named = |name: &str, password: &str| {
        Writer::new(Class::Request, TransactionId([9; 12]))
            .username(&format!("{name}:{}", scene.pairing.theirs.ufrag))
            .priority(1)
            .role(stun::Role::Controlling(9))
            .nominate()
            .finish(password.as_bytes())
    };
    let forged = [
        named("another", &ours.password),
        named(&ours.ufrag, "the wrong password, by a letter"),
        RTP.to_vec(),
        vec![0; 20],
        vec![],
    ];
    for datagram in &forged {
        let leg = scene.port.handle_datagram(scene.now, stranger(), datagram);
        assert_eq!(leg, None);
        assert!(scene.quiet(), "{datagram:02x?}");
    }
    assert_eq!(
        stun::Message::read(&forged[0]).map(|m| m.method),
        Ok(BINDING)
    );
    let counters = scene.port.counters();
    assert_eq!((counters.unsigned, counters.foreign), (2, 3));
    // The browser goes on as before.
    let leg = scene.port.handle_datagram(scene.now, home(), &RTP);
    assert_eq!(leg, Some(LEG));
}

/// A call that we place: the browser may check and say hello before its answer is read.
#[test]
fn what_comes_before_the_answer_is_made_up_for_after_it() {
    let mut scene = Scene::announced(Role::Server);
    assert!(scene.check(home()), "checks need only our description");
    scene.carry(Duration::from_millis(50));
    assert!(scene.told.is_empty() && scene.keys.is_empty());
    scene.pair();
    scene.carry(Duration::from_secs(5));
    scene.assert_met();
}

#[test]
fn another_certificate_than_the_announced_one_means_no_media() {
    let mut scene = Scene::announced(Role::Server);
    scene.pairing.fingerprint = Fingerprint::of(b"somebody else's");
    scene.pair();
    assert!(scene.check(home()));
    scene.carry(Duration::from_secs(40));
    assert_eq!(scene.secured(), []);
    let failed = Output::Failed {
        leg: LEG,
        failure: Failure::Stranger,
    };
    assert!(scene.told.contains(&failed), "{:?}", scene.told);
}

#[test]
fn ice_begun_anew_keeps_the_keys_and_refuses_the_old_name() {
    let mut scene = Scene::new(Role::Server);
    assert!(scene.check(home()));
    scene.carry(Duration::from_secs(5));
    let before = scene.pairing.clone();
    scene.pairing.ours = credentials(11);
    scene.pairing.theirs = credentials(12);
    scene.pair();
    let leg = scene.port.handle_datagram(scene.now, home(), &RTP);
    assert_eq!(leg, Some(LEG), "media go on meanwhile");
    let now = std::mem::replace(&mut scene.pairing, before);
    assert!(!scene.check(home()), "the old name is nobody's");
    scene.pairing = now;
    let moved = at("198.51.100.99:1234");
    assert!(scene.check(moved));
    let told = std::iter::from_fn(|| scene.port.poll_output()).last();
    let selected = Output::Selected {
        leg: LEG,
        address: Some(moved),
    };
    assert_eq!(told, Some(selected));
    scene.assert_met();
}

#[test]
fn another_certificate_in_a_later_description_is_shaken_hands_with_anew() {
    let mut scene = Scene::new(Role::Server);
    assert!(scene.check(home()));
    scene.carry(Duration::from_secs(5));
    let other = identity();
    scene.pairing.fingerprint = other.fingerprint();
    scene.pair();
    let ours = scene.port.identity.fingerprint();
    scene.browser = Association::new(scene.now, &other, Role::Client, ours);
    scene.carry(Duration::from_secs(5));
    let ours = scene.secured();
    assert_eq!(ours.len(), 2);
    assert_ne!(ours[0], ours[1]);
    assert_eq!(ours[1].local, scene.keys[1].remote);
}

#[test]
fn a_browser_that_falls_silent_is_sent_nothing_more() {
    let mut scene = Scene::new(Role::Server);
    assert!(scene.check(home()));
    scene.carry(agent::CONSENT + Duration::from_secs(1));
    let lost = Output::Selected {
        leg: LEG,
        address: None,
    };
    assert_eq!(scene.told.last(), Some(&lost));
    let leg = scene.port.handle_datagram(scene.now, home(), &RTP);
    assert_eq!(leg, None);
}

#[test]
fn a_closed_leg_leaves_nothing_behind() {
    let mut scene = Scene::new(Role::Server);
    assert!(scene.check(home()));
    scene.port.close(LEG);
    scene.port.outputs.clear();
    assert_eq!((scene.port.legs(), scene.port.poll_timeout()), (0, None));
    assert!(!scene.check(home()));
    assert_eq!(scene.port.handle_datagram(scene.now, home(), &RTP), None);
    scene.pair();
    assert!(scene.quiet());
    assert!(
        scene.port.open(LEG, credentials(1)),
        "the name is free again"
    );
    assert!(!scene.port.open(LEG, credentials(3)), "the leg is not");
}

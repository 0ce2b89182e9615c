//! Browsers over the port that they share: pretended ones that check, shake hands and speak.

use media_engine::dtls::{Association, Fingerprint, Identity, Output, Role};
use media_engine::ice::agent::Credentials;
use media_engine::ice::stun::{self, Class, TransactionId, Writer};
use media_engine::rtp::packet::{HEADER, Header};
use media_engine::rtp::srtp::{Keys, Protector, TRAILER_MAX, Unprotector};
use media_engine::sdp::browser::Pairing;

use super::*;

/// Media with a port for browsers, and where it is.
fn start_with_browsers(ports: RangeInclusive<u16>) -> (Media, mpsc::Receiver<MediaEvent>) {
    let config = MediaConfig {
        threads: Some(1),
        browsers: Some((Ipv4Addr::LOCALHOST, 0).into()),
        ..MediaConfig::new(ports, [7; 32])
    };
    Media::start(config).expect("threads start")
}

/// One browser: its socket, its certificate, and what it knows of us.
struct Browser {
    socket: UdpSocket,
    port: SocketAddr,
    pairing: Pairing,
    association: Association,
    protector: Option<Protector>,
    unprotector: Option<Unprotector>,
    sequence: u16,
}

impl Browser {
    /// Opens a leg and lets the descriptions meet, as a call would.
    fn come(media: &Media, leg: LegId, beside: Option<LegId>) -> Self {
        let (port, entrance) = media.open_browser(leg, beside).expect("a port");
        let made = rcgen::generate_simple_self_signed([]).expect("a certificate");
        let (certificate, key) = (made.cert.der().to_vec(), made.signing_key.serialize_der());
        let identity = Identity::new(certificate, key);
        let word = |letter: &str, length| letter.repeat(length);
        let pairing = Pairing {
            ours: entrance.credentials(0),
            theirs: Credentials {
                ufrag: word("u", 4),
                password: word("p", 24),
            },
            role: Role::Server,
            fingerprint: identity.fingerprint(),
        };
        let config = LegConfig {
            browser: Some(Box::new(pairing.clone())),
            rtcp_mux: true,
            ..LegConfig::new(Codec::Pcma, 8, None)
        };
        media.configure(leg, config).expect("taken");
        let theirs: Fingerprint = entrance.fingerprint;
        let socket = phone();
        socket
            .set_read_timeout(Some(Duration::from_millis(100)))
            .expect("a time-out");
        Self {
            socket,
            port,
            pairing,
            association: Association::new(clock::now(), &identity, Role::Client, theirs),
            protector: None,
            unprotector: None,
            sequence: 0,
        }
    }

    /// Checks, and shakes hands, until there are keys.
    fn meet(&mut self) {
        let begun = clock::now();
        self.socket.send_to(&self.check(), self.port).expect("sent");
        while self.protector.is_none() {
            assert!(clock::now() - begun < PATIENCE, "never met");
            while let Some(output) = self.association.poll_output() {
                match output {
                    Output::Transmit(bytes) => {
                        self.socket.send_to(&bytes, self.port).expect("sent");
                    }
                    Output::Secured(Keys { local, remote }) => {
                        self.protector = Some(Protector::new(&local));
                        self.unprotector = Some(Unprotector::new(&remote));
                    }
                    Output::Failed(failure) => panic!("{failure}"),
                    Output::Closed => panic!("closed"),
                }
            }
            let mut buffer = [0; 2048];
            match self.socket.recv(&mut buffer) {
                Ok(length) if stun::is_stun(&buffer[..length]) => {
                    let answer = stun::Message::read(&buffer[..length]).expect("an answer");
                    assert_eq!(answer.class, Class::Success);
                    let key = self.pairing.ours.password.as_bytes();
                    assert!(answer.is_signed_with(key));
                    assert_eq!(answer.mapped, self.socket.local_addr().ok());
                }
                Ok(length) => self
                    .association
                    .handle_datagram(clock::now(), &buffer[..length]),
                Err(_) => self.association.handle_timeout(clock::now()),
            }
        }
        // What ends the handshake must leave, too.
        while let Some(output) = self.association.poll_output() {
            if let Output::Transmit(bytes) = output {
                self.socket.send_to(&bytes, self.port).expect("sent");
            }
        }
    }

    fn check(&self) -> Vec<u8> {
        let Pairing { ours, theirs, .. } = &self.pairing;
        Writer::new(Class::Request, TransactionId([7; 12]))
            .username(&format!("{}:{}", ours.ufrag, theirs.ufrag))
            .priority(1)
            .role(stun::Role::Controlling(1))
            .nominate()
            .finish(ours.password.as_bytes())
    }

    /// Says one frame of this byte.
    fn say(&mut self, byte: u8) {
        let mut packet = vec![byte; HEADER + 160];
        self.sequence += 1;
        let header = Header {
            marker: false,
            payload_type: 8,
            sequence: self.sequence,
            timestamp: 160 * u32::from(self.sequence),
            ssrc: 77,
        };
        header.write(&mut packet);
        let plain = packet.len();
        packet.resize(plain + TRAILER_MAX, 0);
        let protector = self.protector.as_mut().expect("they have met");
        let length = protector.protect(&mut packet, plain);
        self.socket
            .send_to(&packet[..length], self.port)
            .expect("sent");
    }

    /// The payload of the next packet of audio that it hears.
    fn hears(&mut self) -> Option<Vec<u8>> {
        let mut buffer = [0; 2048];
        loop {
            let length = self.socket.recv(&mut buffer).ok()?;
            if !(128..192).contains(&buffer[0]) {
                continue; // a late flight of the handshake
            }
            let unprotector = self.unprotector.as_mut().expect("they have met");
            let opened = unprotector.unprotect(&mut buffer[..length]);
            return Some(buffer[HEADER..opened.expect("under the keys")].to_vec());
        }
    }

    /// Says this byte until the other hears it.
    fn is_heard_by(&mut self, other: &mut Self, byte: u8) {
        let begun = clock::now();
        loop {
            self.say(byte);
            assert!(clock::now() - begun < PATIENCE, "never heard");
            if other.hears().is_some_and(|heard| heard == [byte; 160]) {
                return;
            }
        }
    }
}

#[test]
fn two_browsers_on_one_port_check_shake_hands_and_hear_each_other() {
    let (media, _events) = start_with_browsers(41_500..=41_509);
    let (one, two) = (LegId(1), LegId(2));
    let mut first = Browser::come(&media, one, None);
    let mut second = Browser::come(&media, two, Some(one));
    assert_eq!(first.port, second.port);
    first.meet();
    second.meet();
    media.hear(one, vec![two]).expect("taken");
    media.hear(two, vec![one]).expect("taken");
    first.is_heard_by(&mut second, 0x11);
    second.is_heard_by(&mut first, 0x22);
    assert_eq!(media.ports().0, 0, "no ports of their own");
}

#[test]
fn nothing_is_sent_to_a_browser_before_it_has_proved_itself() {
    let (media, _events) = start_with_browsers(41_510..=41_519);
    let mut browser = Browser::come(&media, LegId(1), None);
    let list = Playlist {
        items: vec![ramp(5)],
        repeat: true,
    };
    media.play(LegId(1), PlayId(1), list).expect("taken");
    let mut buffer = [0; 2048];
    assert!(browser.socket.recv(&mut buffer).is_err(), "not a byte");
    browser.meet();
    let begun = clock::now();
    while browser.hears().is_none() {
        assert!(clock::now() - begun < PATIENCE, "never heard");
    }
}

/// Rows 3 to 6 of what telephony must survive, over the socket: a stranger with a hello, with media and
/// with checks is answered by nothing, and the browser goes on.
#[test]
fn strangers_at_the_port_are_answered_by_nothing_and_change_nothing() {
    let (media, _events) = start_with_browsers(41_520..=41_529);
    let (one, two) = (LegId(1), LegId(2));
    let mut first = Browser::come(&media, one, None);
    let mut second = Browser::come(&media, two, Some(one));
    let stranger = phone();
    stranger
        .set_read_timeout(Some(Duration::from_millis(300)))
        .expect("a time-out");
    let mut attacker = Browser::come(&media, LegId(3), None);
    let hello = match attacker.association.poll_output() {
        Some(Output::Transmit(hello)) => hello,
        other => panic!("{other:?}"),
    };
    let mut forged = first.check();
    let last = forged.len() - 1;
    forged[last] = !forged[last];
    attacker.pairing.ours.ufrag = "nobodys".to_owned();
    let attacks = [hello, vec![0x80; 172], forged, attacker.check(), vec![0; 3]];
    let attack = || {
        for datagram in &attacks {
            stranger
                .send_to(datagram, first_port(&media))
                .expect("sent");
        }
    };
    attack();
    first.meet();
    attack();
    second.meet();
    media.hear(two, vec![one]).expect("taken");
    attack();
    first.is_heard_by(&mut second, 0x33);
    let mut buffer = [0; 2048];
    assert!(stranger.recv(&mut buffer).is_err(), "answered");
    let (_, metrics) = media.browsers().expect("a port");
    assert_eq!(metrics.foreign.load(Relaxed), 3 * 3);
    assert_eq!(metrics.unsigned.load(Relaxed), 3 * 2);
    media.close(one).expect("taken");
    media.close(two).expect("taken");
}

fn first_port(media: &Media) -> SocketAddr {
    media.browsers().expect("a port").0
}

#[test]
fn without_a_port_for_browsers_there_is_none() {
    let (media, _events) = start(41_530..=41_539);
    let opened = media.open_browser(LegId(1), None);
    assert!(matches!(opened, Err(OpenError::NoBrowsers)), "{opened:?}");
}

#[test]
fn a_port_that_somebody_else_holds_is_named_in_the_error() {
    let squatter = phone();
    let address = squatter.local_addr().expect("bound");
    let config = MediaConfig {
        browsers: Some(address),
        ..MediaConfig::new(41_540..=41_549, [7; 32])
    };
    let error = Media::start(config).err().expect("refused");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

//! Legs against each other and against strangers, over networks of any kind.

#![allow(clippy::cast_possible_truncation)] // sequence numbers wrap

use rand::{Rng, SeedableRng, rngs::SmallRng, rngs::StdRng, seq::SliceRandom};

use super::*;
use crate::rtp::srtp::{Keys, MasterKey, Suite};

fn address(leg: usize) -> SocketAddr {
    ["192.0.2.1:4000", "192.0.2.2:5000"][leg]
        .parse()
        .expect("an address")
}

/// Where RTCP lives without mux.
fn above(rtp: SocketAddr) -> SocketAddr {
    SocketAddr::new(rtp.ip(), rtp.port() + 1)
}

#[derive(Clone, Copy)]
struct Network {
    loss_percent: u32,
    double_percent: u32,
    delay_ms_max: u64,
}

/// Two legs that talk to each other.
struct Pair {
    now: Instant,
    legs: [Leg; 2],
    network: Network,
    random: SmallRng,
    on_the_way: Vec<(Instant, usize, bool, Vec<u8>)>,
    keys: [Vec<Key>; 2],
}

impl Pair {
    fn new(seed: u64, network: Network, srtp: bool) -> Self {
        let now = origin();
        let master = |seed| MasterKey::draw(Suite::Aes128Sha1_80, &mut StdRng::seed_from_u64(seed));
        let legs = [0, 1].map(|side: usize| {
            let keys = Keys {
                local: master(side as u64),
                remote: master(1 - side as u64),
            };
            let config = LegConfig {
                srtp: srtp.then_some(keys),
                remote: Some(address(1 - side)),
                ..config()
            };
            Leg::new(now, config, seed * 2 + side as u64)
        });
        let random = SmallRng::seed_from_u64(seed);
        Self {
            now,
            legs,
            network,
            random,
            on_the_way: vec![],
            keys: Default::default(),
        }
    }

    fn send(&mut self, to: usize, rtcp: bool, datagram: &[u8]) {
        let copies = 1 + u32::from(self.random.random_range(0..100) < self.network.double_percent);
        for _ in 0..copies {
            if self.random.random_range(0..100) >= self.network.loss_percent {
                let delay = self.random.random_range(0..=self.network.delay_ms_max);
                let at = self.now + Duration::from_millis(delay);
                self.on_the_way.push((at, to, rtcp, datagram.to_vec()));
            }
        }
    }

    fn visit(&mut self) {
        self.on_the_way.shuffle(&mut self.random);
        self.on_the_way.sort_by_key(|(at, ..)| *at);
        let due = self.on_the_way.partition_point(|(at, ..)| *at <= self.now);
        for (at, to, rtcp, mut datagram) in self.on_the_way.drain(..due).collect::<Vec<_>>() {
            if rtcp {
                self.legs[to].handle_rtcp(at, above(address(1 - to)), &mut datagram);
            } else {
                self.legs[to].handle_packet(self.now, at, address(1 - to), &mut datagram);
            }
        }
        for side in 0..2 {
            let mut datagram = [0; DATAGRAM];
            self.legs[side].handle_timeout(self.now);
            while let Some(transmit) = self.legs[side].poll_packet(self.now, &mut datagram) {
                self.send(1 - side, false, &datagram[..transmit.len]);
            }
            while let Some(transmit) = self.legs[side].poll_rtcp(self.now, &mut datagram) {
                assert_eq!(transmit.to, above(address(1 - side)));
                self.send(1 - side, true, &datagram[..transmit.len]);
            }
            while let Some(event) = self.legs[side].poll_event() {
                if let LegEvent::Key { key, .. } = event {
                    self.keys[side].push(key);
                }
            }
        }
        self.now += crate::codec::FRAME;
    }
}

/// Keys dialled from one leg into another: never more than were pressed, and all of them while some
/// packet of each gets through.
#[test]
fn one_key_is_one_event_over_a_thousand_lossy_networks() {
    for seed in 0..1_000 {
        let network = Network {
            loss_percent: u32::try_from(seed % 5).expect("small") * 10,
            double_percent: 20,
            delay_ms_max: 60,
        };
        let mut pair = Pair::new(seed, network, seed % 2 == 0);
        let pressed = [
            Key::One,
            Key::One,
            Key::Star,
            Key::Nine,
            Key::Nine,
            Key::Nine,
            Key::D,
        ];
        pair.visit();
        for key in pressed {
            assert!(pair.legs[0].press(pair.now, key));
        }
        for _ in 0..120 {
            pair.visit();
        }
        // At 40 % loss of seven packets, one key in six hundred is lost whole: none of these seeds
        // has more than one.
        let heard = &pair.keys[1];
        assert!(heard.len() <= pressed.len(), "seed {seed}: {heard:?}");
        assert!(heard.len() + 1 >= pressed.len(), "seed {seed}: {heard:?}");
        if network.loss_percent == 0 {
            assert_eq!(heard, &pressed, "seed {seed}");
        }
    }
}

#[test]
fn reports_tell_the_round_trip_the_loss_and_the_quality() {
    let good = Network {
        loss_percent: 0,
        double_percent: 0,
        delay_ms_max: 0,
    };
    let mut pair = Pair::new(1, good, true);
    for _ in 0..1_500 {
        pair.visit();
    }
    let report = pair.legs[0].report();
    assert!(
        report
            .round_trip
            .is_some_and(|way| way <= Duration::from_millis(41)),
        "{report:?}"
    );
    assert_eq!(
        (report.lost, report.lost_at_peer, report.foreign),
        (0, Some(0), 0)
    );
    assert!(
        report.quality.mos > 4.3
            && report
                .quality_at_peer
                .is_some_and(|rating| rating.mos > 4.3)
    );

    let bad = Network {
        loss_percent: 10,
        double_percent: 0,
        delay_ms_max: 50,
    };
    let mut pair = Pair::new(2, bad, false);
    for _ in 0..3_000 {
        pair.visit();
    }
    let report = pair.legs[0].report();
    assert!((200..400).contains(&report.lost), "{report:?}");
    assert!(
        report
            .lost_at_peer
            .is_some_and(|lost| (100..400).contains(&lost)),
        "{report:?}"
    );
    assert!(report.jitter > Duration::from_millis(5) && report.jitter < Duration::from_millis(40));
    assert!(report.quality.mos < 3.9, "{report:?}");
}

#[test]
fn a_goodbye_is_a_report_with_bye() {
    let mut pair = Pair::new(
        1,
        Network {
            loss_percent: 0,
            double_percent: 0,
            delay_ms_max: 0,
        },
        false,
    );
    pair.visit();
    let mut datagram = [0; DATAGRAM];
    let transmit = pair.legs[0]
        .close(pair.now, &mut datagram)
        .expect("a goodbye");
    let parts: Vec<_> = crate::rtp::rtcp::read(&datagram[..transmit.len]).collect();
    assert!(matches!(
        parts.last(),
        Some(crate::rtp::rtcp::Part::Bye { .. })
    ));
}

#[test]
fn reports_are_believed_from_one_address_of_the_peers_host() {
    let mut visits = Visits::new(config());
    let mut report = [0; 8];
    report[..4].copy_from_slice(&[0x80, 201, 0, 1]);
    let [stranger, moved, other] = ["203.0.113.1:4001", "192.0.2.7:9000", "192.0.2.7:9001"]
        .map(|address| address.parse::<SocketAddr>().expect("an address"));
    for (source, foreign) in [
        (stranger, 1),
        (moved, 1),
        (other, 2),
        (moved, 2),
        (above(peer()), 2),
    ] {
        visits
            .leg
            .handle_rtcp(visits.now, source, &mut report.clone());
        assert_eq!(visits.leg.report().foreign, foreign, "{source}");
    }
}

/// Attack: someone on the peer's host sends good-looking packets from another port before and after
/// the peer speaks (attacks: RTP inject). What is recorded is the peer alone.
#[test]
fn injected_audio_is_not_heard_and_changes_no_destination() {
    let mut visits = Visits::new(config());
    visits.leg.be_heard(visits.now, Wanted::Narrow);
    let attacker = SocketAddr::new(peer().ip(), 6_666);
    let mut loud = 0;
    for sequence in 0..500_u16 {
        let mut injected = audio_packet(8, 5, sequence);
        injected[HEADER..].fill(0x2a); // as loud as it goes
        visits.receive(attacker, &injected);
        visits.receive(peer(), &audio_packet(8, 5, sequence));
        visits.receive(attacker, &injected);
        while let Some(audio) = visits.leg.poll_audio(visits.now) {
            loud += audio
                .iter()
                .filter(|sample| sample.unsigned_abs() > 100)
                .count();
        }
        visits.visit(); // asserts that all of it goes to the peer
    }
    assert_eq!(loud, 0);
    assert_eq!(visits.leg.report().foreign, 1_000);
}

/// Attack: a flood of SRTP packets with bad tags, and replays of good ones.
#[test]
fn bad_tags_and_replays_are_counted_and_the_call_goes_on() {
    let quiet = Network {
        loss_percent: 0,
        double_percent: 0,
        delay_ms_max: 0,
    };
    let mut pair = Pair::new(3, quiet, true);
    for _ in 0..10 {
        pair.visit();
    }
    let mut forged = audio_packet(8, 5, 0);
    forged.extend([0; 10]);
    let mut datagram = [0; DATAGRAM];
    for _ in 0..1_000 {
        pair.legs[1].handle_packet(pair.now, pair.now, address(0), &mut forged.clone());
    }
    let transmit = pair.legs[0]
        .poll_packet(pair.now, &mut datagram)
        .expect("a packet");
    for _ in 0..10 {
        let mut copy = datagram[..transmit.len].to_vec();
        pair.legs[1].handle_packet(pair.now, pair.now, address(0), &mut copy);
    }
    pair.now += crate::codec::FRAME;
    pair.legs[0].press(pair.now, Key::Two);
    for _ in 0..10 {
        pair.visit();
    }
    let report = pair.legs[1].report();
    assert_eq!((report.bad_tag, report.replayed), (1_000, 9));
    assert_eq!(pair.keys[1], [Key::Two]);
}

#[test]
fn our_own_packets_that_come_back_are_a_loop_and_not_audio() {
    let mut visits = Visits::new(config());
    for _ in 0..20 {
        visits.visit();
        let own = visits.sent.last().expect("a packet").1.clone();
        visits.receive(peer(), &own);
    }
    let report = visits.leg.report();
    assert_eq!((report.looped, report.received), (20, 0));
}

#[test]
fn a_transferred_peer_with_another_ssrc_is_heard_from_its_second_packet() {
    let mut visits = Visits::new(config());
    for sequence in 0..10 {
        visits.receive(peer(), &audio_packet(8, 5, sequence));
    }
    for sequence in 900..910 {
        visits.receive(peer(), &audio_packet(8, 6, sequence));
    }
    let report = visits.leg.report();
    assert_eq!(
        (report.received, report.source_changes, report.unproven),
        (19, 1, 1)
    );
    assert_eq!(report.lost, 0);
}

/// Damaged packets of every kind into a leg that listens.
#[test]
fn a_hundred_thousand_damaged_packets_harm_nobody() {
    let mut random = SmallRng::seed_from_u64(9);
    let mut visits = Visits::new(LegConfig {
        rtcp_mux: true,
        ..config()
    });
    visits.leg.be_heard(visits.now, Wanted::Narrow);
    for turn in 0..100_000_u32 {
        let mut datagram = audio_packet(if turn % 7 == 0 { 101 } else { 8 }, 5, turn as u16);
        for _ in 0..random.random_range(0..4) {
            let place = random.random_range(0..datagram.len().min(40));
            datagram[place] = random.random();
        }
        datagram.truncate(random.random_range(0..=datagram.len()));
        visits.receive(peer(), &datagram);
        if turn % 4 == 0 {
            while let Some(audio) = visits.leg.poll_audio(visits.now) {
                assert_eq!(audio.len(), 160);
            }
            visits.visit();
        }
    }
    assert!(visits.leg.report().malformed > 0);
    fuzz(visits.now, &[8, 0x80, 0, 0, 1]);
}

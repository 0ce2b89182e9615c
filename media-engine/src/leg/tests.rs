mod bridge;
mod browser;
mod joined;
mod listen;
mod mix;
mod world;

use std::{net::SocketAddr, sync::Arc};

use super::*;
use crate::{
    audio::prompt::Frames,
    codec::Codec,
    rtp::{
        origin,
        packet::HEADER,
        srtp::{MasterKey, Suite},
    },
};

const PEER: &str = "192.0.2.7:4000";

fn peer() -> SocketAddr {
    PEER.parse().expect("an address")
}

fn config() -> LegConfig {
    LegConfig {
        telephone_event: Some(TelephoneEvent {
            payload_type: 101,
            payload_type_in: 101,
            clock: 8_000,
        }),
        ..LegConfig::new(Codec::Pcma, 8, Some(peer()))
    }
}

/// `count` frames of A-law, each of which holds its own number (from 1).
fn numbered(codec: Codec, count: i16) -> Arc<Frames> {
    let pcm: Vec<i16> = (1..=count)
        .flat_map(|frame| vec![frame * 500; codec.frame_samples()])
        .collect();
    Arc::new(Frames::encode(codec, &pcm))
}

fn once(frames: &Arc<Frames>) -> Playlist {
    Playlist {
        items: vec![frames.clone()],
        repeat: false,
    }
}

/// Visits every 20 ms and keeps what is sent, with when.
struct Visits {
    leg: Leg,
    start: Instant,
    now: Instant,
    sent: Vec<(u128, Vec<u8>)>,
    events: Vec<LegEvent>,
}

impl Visits {
    fn new(config: LegConfig) -> Self {
        let start = origin();
        let leg = Leg::new(start, config, 1);
        Self {
            leg,
            start,
            now: start,
            sent: vec![],
            events: vec![],
        }
    }

    fn visit(&mut self) {
        let mut datagram = [0; DATAGRAM];
        self.leg.handle_timeout(self.now);
        while let Some(transmit) = self.leg.poll_packet(self.now, &mut datagram) {
            assert_eq!(transmit.to, peer());
            let at = (self.now - self.start).as_millis();
            self.sent.push((at, datagram[..transmit.len].to_vec()));
        }
        while let Some(event) = self.leg.poll_event() {
            self.events.push(event);
        }
        self.now += crate::codec::FRAME;
    }

    fn payloads(&self) -> Vec<u8> {
        self.sent
            .iter()
            .flat_map(|(_, datagram)| packet::read(datagram).expect("our packet").payload.to_vec())
            .collect()
    }

    fn receive(&mut self, source: SocketAddr, datagram: &[u8]) {
        self.leg
            .handle_packet(self.now, self.now, source, &mut datagram.to_vec());
    }
}

fn codecs_told(events: &[LegEvent]) -> Vec<Codec> {
    let mut told = vec![];
    for event in events {
        if let LegEvent::CodecChanged { codec } = event {
            told.push(*codec);
        }
    }
    told
}

fn audio_packet(payload_type: u8, ssrc: u32, sequence: u16) -> Vec<u8> {
    let timestamp = u32::from(sequence) * 160;
    let mut datagram = vec![0xd5; HEADER + 160];
    packet::Header {
        marker: false,
        payload_type,
        sequence,
        timestamp,
        ssrc,
    }
    .write(&mut datagram);
    datagram
}

#[test]
fn a_prompt_goes_out_frame_by_frame_and_ends_once() {
    let mut visits = Visits::new(config());
    let frames = numbered(Codec::Pcma, 5);
    visits.leg.play(visits.now, PlayId(1), once(&frames));
    for _ in 0..5 {
        assert_eq!(visits.events, []);
        visits.visit();
    }
    assert_eq!(visits.events, [LegEvent::PlayEnded { play: PlayId(1) }]);
    visits.visit();
    visits.visit();
    assert_eq!(visits.events.len(), 1);

    let headers: Vec<_> = visits
        .sent
        .iter()
        .map(|(_, datagram)| packet::read(datagram).expect("our packet").header)
        .collect();
    assert!(headers[0].marker && headers[1..].iter().all(|header| !header.marker));
    for pair in headers.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
        assert_eq!(pair[1].timestamp, pair[0].timestamp.wrapping_add(160));
        assert_eq!(pair[1].ssrc, pair[0].ssrc);
    }
    let mut expected: Vec<u8> = (0..5)
        .flat_map(|i| frames.frame(i).expect("a frame").to_vec())
        .collect();
    expected.extend([0xd5; 320]);
    assert_eq!(visits.payloads(), expected, "the prompt, then silence");
    let times: Vec<u128> = visits.sent.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [0, 20, 40, 60, 80, 100, 120]);
}

#[test]
fn every_packet_time_carries_the_same_audio() {
    for codec in [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::G729] {
        for (ptime, per_100_visits) in [(10, 199), (20, 100), (30, 67), (40, 50), (60, 34)] {
            let mut visits = Visits::new(LegConfig {
                ptime: Duration::from_millis(ptime),
                ..LegConfig::new(codec, 8, Some(peer()))
            });
            let frames = numbered(codec, 30);
            visits.leg.play(visits.now, PlayId(1), once(&frames));
            for _ in 0..100 {
                visits.visit();
            }
            assert_eq!(visits.sent.len(), per_100_visits, "{codec} at {ptime} ms");
            let expected: Vec<u8> = (0..frames.count())
                .flat_map(|i| frames.frame(i).expect("a frame").to_vec())
                .collect();
            assert!(
                visits.payloads().starts_with(&expected),
                "{codec} at {ptime} ms"
            );
            assert_eq!(visits.events, [LegEvent::PlayEnded { play: PlayId(1) }]);
        }
    }
}

#[test]
fn opus_goes_one_frame_a_packet_whatever_the_packet_time() {
    let mut visits = Visits::new(LegConfig {
        ptime: Duration::from_millis(60),
        ..LegConfig::new(Codec::Opus, 111, Some(peer()))
    });
    let frames = numbered(Codec::Opus, 10);
    visits.leg.play(visits.now, PlayId(1), once(&frames));
    for _ in 0..12 {
        visits.visit();
    }
    assert_eq!(visits.sent.len(), 12);
    for (turn, (_, datagram)) in visits.sent.iter().enumerate() {
        let payload = packet::read(datagram).expect("our packet").payload;
        assert_eq!(payload, frames.frame(turn).unwrap_or(Codec::Opus.silence()));
    }
}

#[test]
fn waiting_music_begins_again_without_a_gap() {
    let mut visits = Visits::new(config());
    let (one, two) = (numbered(Codec::Pcma, 2), numbered(Codec::Pcma, 1));
    let items = vec![one.clone(), two.clone()];
    visits.leg.play(
        visits.now,
        PlayId(1),
        Playlist {
            items,
            repeat: true,
        },
    );
    for _ in 0..300 {
        visits.visit();
    }
    assert_eq!(visits.events, []);
    let cycle = [one.frame(0), one.frame(1), two.frame(0)].map(|frame| frame.expect("a frame"));
    let payloads = visits.payloads();
    for (turn, payload) in payloads.chunks(160).enumerate() {
        assert_eq!(payload, cycle[turn % 3]);
    }
}

#[test]
fn a_play_with_nothing_in_it_ends_at_once_even_if_repeated() {
    for repeat in [false, true] {
        let mut visits = Visits::new(config());
        visits.leg.play(
            visits.now,
            PlayId(9),
            Playlist {
                items: vec![],
                repeat,
            },
        );
        visits.visit();
        visits.visit();
        assert_eq!(visits.events, [LegEvent::PlayEnded { play: PlayId(9) }]);
    }
}

#[test]
fn barge_in_is_silence_with_the_next_packet_and_no_end() {
    let mut visits = Visits::new(config());
    visits
        .leg
        .play(visits.now, PlayId(1), once(&numbered(Codec::Pcma, 50)));
    visits.visit();
    visits.leg.stop(visits.now);
    visits.visit();
    assert!(visits.payloads()[160..].iter().all(|byte| *byte == 0xd5));
    assert_eq!(visits.events, []);
}

#[test]
fn a_replaced_play_does_not_end() {
    let mut visits = Visits::new(config());
    visits
        .leg
        .play(visits.now, PlayId(1), once(&numbered(Codec::Pcma, 50)));
    visits.visit();
    visits
        .leg
        .play(visits.now, PlayId(2), once(&numbered(Codec::Pcma, 1)));
    for _ in 0..60 {
        visits.visit();
    }
    assert_eq!(visits.events, [LegEvent::PlayEnded { play: PlayId(2) }]);
}

#[test]
fn music_survives_a_change_of_codec_at_its_place() {
    let mut visits = Visits::new(config());
    visits
        .leg
        .play(visits.now, PlayId(1), once(&numbered(Codec::Pcma, 10)));
    for _ in 0..4 {
        visits.visit();
    }
    let other = LegConfig {
        codec: Codec::Pcmu,
        payload_type: 0,
        payload_type_in: 0,
        ..config()
    };
    visits.leg.reconfigure(visits.now, other);
    visits.visit();
    assert_eq!(
        visits.events,
        [LegEvent::PlayNeedsCodec {
            play: PlayId(1),
            codec: Codec::Pcmu
        }]
    );
    let again = numbered(Codec::Pcmu, 10);
    visits.leg.play(visits.now, PlayId(1), once(&again));
    for _ in 0..6 {
        visits.visit();
    }
    let payloads = visits.payloads();
    assert_eq!(&payloads[4 * 160..5 * 160], Codec::Pcmu.silence());
    assert_eq!(
        &payloads[5 * 160..6 * 160],
        again.frame(4).expect("a frame")
    );
    assert_eq!(
        visits.events.last(),
        Some(&LegEvent::PlayEnded { play: PlayId(1) })
    );
}

#[test]
fn on_hold_nothing_goes_out_and_the_play_still_ends() {
    let mut visits = Visits::new(config());
    visits
        .leg
        .play(visits.now, PlayId(1), once(&numbered(Codec::Pcma, 10)));
    visits.visit();
    visits.leg.reconfigure(
        visits.now,
        LegConfig {
            send: false,
            ..config()
        },
    );
    for _ in 0..20 {
        visits.visit();
    }
    assert_eq!(visits.sent.len(), 1);
    assert_eq!(visits.events, [LegEvent::PlayEnded { play: PlayId(1) }]);
    visits.leg.reconfigure(visits.now, config());
    visits.visit();
    let [first, again] = [0, 1].map(|i| packet::read(&visits.sent[i].1).expect("ours").header);
    assert!(again.marker);
    assert_eq!(again.sequence, first.sequence.wrapping_add(1));
    assert_eq!(again.timestamp, first.timestamp.wrapping_add(21 * 160));
}

#[test]
fn a_visit_that_is_half_a_second_late_does_not_send_a_burst() {
    let mut visits = Visits::new(config());
    visits.visit();
    visits.now += Duration::from_millis(500);
    visits.visit();
    assert!(visits.sent.len() <= 3, "{}", visits.sent.len());
    let [first, then] = [0, 1].map(|i| packet::read(&visits.sent[i].1).expect("ours").header);
    assert!(then.marker);
    assert_eq!(then.timestamp.wrapping_sub(first.timestamp), 26 * 160);
    assert_eq!(visits.leg.report().slots_skipped, 25);
}

#[test]
fn keys_are_events_and_one_per_press() {
    let mut visits = Visits::new(config());
    visits.receive(peer(), &audio_packet(8, 5, 0));
    for (sequence, end) in [(1_u16, 0), (2, 0), (3, 0x80), (3, 0x80), (5, 0x80)] {
        let mut datagram = audio_packet(101, 5, sequence);
        packet::Header {
            marker: false,
            payload_type: 101,
            sequence,
            timestamp: 160,
            ssrc: 5,
        }
        .write(&mut datagram);
        datagram.truncate(HEADER + 4);
        datagram[HEADER..].copy_from_slice(&[11, end | 10, 1, 0]);
        visits.receive(peer(), &datagram);
    }
    visits.visit();
    assert_eq!(
        visits.events,
        [
            LegEvent::Latched { source: peer() },
            LegEvent::Key {
                key: Key::Pound,
                by: KeyPath::Event
            }
        ]
    );
}

#[test]
fn strangers_are_counted_and_never_answered() {
    let mut visits = Visits::new(config());
    let stranger: SocketAddr = "203.0.113.66:4000".parse().expect("an address");
    for sequence in 0..100 {
        visits.receive(stranger, &audio_packet(8, 5, sequence));
        visits.visit(); // asserts that everything goes to the peer
    }
    visits.receive(stranger, b"\x00\x01\x00\x00 not RTP at all");
    assert_eq!(visits.leg.report().foreign, 101);
    assert_eq!(visits.leg.report().received, 0);
    assert_eq!(visits.events, []);
}

#[test]
fn silence_is_reported_once_and_not_while_held() {
    let limit = Some(Duration::from_secs(30));
    let mut visits = Visits::new(LegConfig {
        inactivity: limit,
        ..config()
    });
    visits.leg.reconfigure(
        visits.now,
        LegConfig {
            inactivity: limit,
            send: false,
            ..config()
        },
    );
    for _ in 0..3_000 {
        visits.visit();
    }
    assert_eq!(visits.events, [], "a minute on hold");
    visits.leg.reconfigure(
        visits.now,
        LegConfig {
            inactivity: limit,
            ..config()
        },
    );
    for _ in 0..1_500 {
        visits.visit();
    }
    assert_eq!(visits.events, []);
    for _ in 0..3_000 {
        visits.visit();
    }
    assert_eq!(visits.events, [LegEvent::Silent]);
    visits.receive(peer(), &audio_packet(8, 5, 0));
    for _ in 0..1_600 {
        visits.visit();
    }
    assert_eq!(
        visits
            .events
            .iter()
            .filter(|event| **event == LegEvent::Silent)
            .count(),
        2
    );
}

#[test]
fn keys_are_dialled_into_others_in_place_of_audio() {
    let mut visits = Visits::new(config());
    assert!(visits.leg.press(visits.now, Key::Four));
    for _ in 0..15 {
        visits.visit();
    }
    let types: Vec<u8> = visits
        .sent
        .iter()
        .map(|(_, datagram)| packet::read(datagram).expect("ours").header.payload_type)
        .collect();
    assert_eq!(types, [101, 101, 101, 101, 101, 101, 101, 8, 8, 8, 8]);
    let sequences: Vec<u16> = visits
        .sent
        .iter()
        .map(|(_, datagram)| packet::read(datagram).expect("ours").header.sequence)
        .collect();
    assert!(
        sequences
            .windows(2)
            .all(|pair| pair[1] == pair[0].wrapping_add(1))
    );
    let audio = packet::read(&visits.sent[7].1).expect("ours").header;
    let tone = packet::read(&visits.sent[0].1).expect("ours").header;
    assert!(audio.marker && tone.marker);
    assert_eq!(audio.timestamp.wrapping_sub(tone.timestamp), 11 * 160);

    let mut without = Visits::new(LegConfig {
        telephone_event: None,
        ..config()
    });
    assert!(!without.leg.press(without.now, Key::Four));
}

/// Telephones draw a new key with every hold; ours stays, and so does what the peer counts with it.
#[test]
fn a_peer_with_a_new_key_still_understands_us_after_the_wrap() {
    let mut random = rand::rngs::StdRng::seed_from_u64(1);
    let [ours, theirs, new] = [(); 3].map(|()| MasterKey::draw(Suite::Aes128Sha1_80, &mut random));
    let keyed = |remote| LegConfig {
        srtp: Some(Keys {
            local: ours,
            remote,
        }),
        ..config()
    };
    let mut visits = Visits::new(keyed(theirs));
    let mut peer = Unprotector::new(&ours);
    for turn in 0..66_000 {
        if turn == 65_990 {
            visits.leg.reconfigure(visits.now, keyed(new));
        }
        visits.visit();
        for (_, mut datagram) in visits.sent.drain(..) {
            assert!(peer.unprotect(&mut datagram).is_ok(), "packet {turn}");
        }
    }
}

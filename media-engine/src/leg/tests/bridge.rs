//! Two legs joined, as a media thread would do it.

#![allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // synthesis

use super::{joined::Joined, joined::remote, *};
use crate::{
    codec::{Decoder, PACKET_SAMPLES_MAX, g711},
    sdp::read::Format,
};

fn leg(codec: Codec, payload_type: u8, leg: usize, events: u8) -> LegConfig {
    LegConfig {
        telephone_event: Some(TelephoneEvent {
            payload_type: events,
            payload_type_in: events,
            clock: 8_000,
        }),
        ..LegConfig::new(codec, payload_type, Some(remote(leg)))
    }
}

fn alike() -> Joined {
    Joined::pair([leg(Codec::Pcma, 8, 0, 101), leg(Codec::Pcma, 8, 1, 96)])
}

#[test]
fn packets_pass_at_once_with_our_numbers_and_their_gaps() {
    let mut joined = alike();
    joined.visit();
    let before = packet::read(&joined.sent[1][0]).expect("ours").header;
    for sequence in 100..150_u16 {
        if sequence != 120 {
            let mut datagram = audio_packet(8, 77, sequence);
            datagram[HEADER] = sequence as u8;
            joined.receive(0, datagram);
        }
        joined.visit();
    }
    let sent = &joined.sent[1][1..];
    assert_eq!(sent.len(), 49, "nothing of ours between them");
    let first = packet::read(&sent[0]).expect("ours").header;
    assert!(first.marker);
    assert_eq!(first.sequence, before.sequence.wrapping_add(1));
    assert_eq!(first.ssrc, before.ssrc);
    for datagram in sent {
        let packet = packet::read(datagram).expect("ours");
        let number = u16::from(packet.payload[0]) - 100;
        assert_eq!(packet.header.sequence, first.sequence.wrapping_add(number));
        let timestamp = first.timestamp.wrapping_add(u32::from(number) * 160);
        assert_eq!(packet.header.timestamp, timestamp);
        assert_eq!(packet.header.ssrc, first.ssrc);
    }
}

#[test]
fn keys_pass_under_the_other_payload_type_and_are_heard_on_the_way() {
    let mut joined = alike();
    joined.receive(0, audio_packet(8, 77, 1));
    for (sequence, duration, end) in [(2_u16, 160_u16, 0), (3, 320, 0), (4, 480, 0x80)] {
        let mut datagram = vec![0; HEADER];
        packet::Header {
            marker: sequence == 2,
            payload_type: 101,
            sequence,
            timestamp: 320,
            ssrc: 77,
        }
        .write(&mut datagram);
        datagram.extend([5, end | 10]);
        datagram.extend(duration.to_be_bytes());
        joined.receive(0, datagram);
    }
    joined.visit();
    let events: Vec<_> = joined.sent[1][1..4]
        .iter()
        .map(|datagram| packet::read(datagram).expect("ours"))
        .collect();
    assert!(events.iter().all(|packet| packet.header.payload_type == 96));
    assert!(
        events
            .windows(2)
            .all(|pair| pair[0].header.timestamp == pair[1].header.timestamp)
    );
    assert_eq!(events[2].payload, [5, 0x80 | 10, 1, 0xe0]);
    assert!(joined.events[0].contains(&LegEvent::Key {
        key: Key::Five,
        by: KeyPath::Event
    }));
}

#[test]
fn a_prompt_drowns_the_other_leg_and_numbers_go_on_behind_it() {
    let mut joined = alike();
    joined.legs[1].play(joined.now, PlayId(3), once(&numbered(Codec::Pcma, 5)));
    for sequence in 0..10 {
        joined.receive(0, audio_packet(8, 77, sequence));
        joined.visit();
    }
    let headers: Vec<_> = joined.sent[1]
        .iter()
        .map(|datagram| packet::read(datagram).expect("ours").header)
        .collect();
    assert_eq!(headers.len(), 10);
    assert!(
        headers
            .windows(2)
            .all(|pair| pair[1].sequence == pair[0].sequence.wrapping_add(1))
    );
    assert!(
        headers
            .windows(2)
            .all(|pair| pair[1].timestamp == pair[0].timestamp.wrapping_add(160))
    );
    assert_eq!(joined.events[1], [LegEvent::PlayEnded { play: PlayId(3) }]);
}

#[test]
fn silence_keeps_the_path_open_while_the_other_leg_says_nothing() {
    let mut joined = alike();
    joined.receive(0, audio_packet(8, 77, 1));
    for _ in 0..100 {
        joined.visit();
    }
    let sent = joined.sent[1].len();
    assert!((94..=97).contains(&sent), "{sent}");
    joined.receive(0, audio_packet(8, 77, 101));
    let last: Vec<_> = joined.sent[1][sent - 1..]
        .iter()
        .map(|datagram| packet::read(datagram).expect("ours").header)
        .collect();
    assert!(last[1].marker);
    assert_eq!(last[1].sequence, last[0].sequence.wrapping_add(1));
}

#[test]
fn nothing_passes_to_a_leg_on_hold() {
    let mut joined = alike();
    let held = LegConfig {
        send: false,
        ..joined.legs[1].config().clone()
    };
    joined.legs[1].reconfigure(joined.now, held);
    joined.receive(0, audio_packet(8, 77, 1));
    assert!(joined.sent[1].is_empty());
}

#[test]
fn a_prompt_over_a_transcoding_bridge_leaves_no_delay_behind() {
    let mut joined = Joined::pair([leg(Codec::Pcma, 8, 0, 101), leg(Codec::Pcmu, 0, 1, 101)]);
    joined.legs[1].play(joined.now, PlayId(1), once(&numbered(Codec::Pcmu, 50)));
    for sequence in 0..100 {
        let mut datagram = audio_packet(8, 5, sequence);
        if sequence == 90 {
            datagram[HEADER..].fill(0x2a);
        }
        joined.receive(0, datagram);
        joined.visit();
    }
    let loud = |datagram: &Vec<u8>| {
        let payload = packet::read(datagram).expect("ours").payload;
        payload
            .iter()
            .any(|byte| crate::codec::g711::from_ulaw(*byte).unsigned_abs() > 26_000)
    };
    let heard = joined.sent[1].iter().position(loud);
    // Two packets in the jitter buffer, and at most two frames behind the encoder.
    assert!(heard.is_some_and(|at| (92..=94).contains(&at)), "{heard:?}");
}

#[test]
fn a_peer_that_changes_its_codec_is_still_heard_by_the_other() {
    let mut one = leg(Codec::Pcma, 8, 0, 101);
    one.alternatives = vec![Format {
        payload_type: 0,
        codec: Codec::Pcmu,
    }];
    let mut joined = Joined::pair([one, leg(Codec::Pcma, 8, 1, 101)]);
    for turn in 0..150_u16 {
        let (payload_type, law) = match turn {
            50..100 => (0, g711::ulaw(9_000)),
            _ => (8, g711::alaw(9_000)),
        };
        let mut datagram = audio_packet(payload_type, 77, turn);
        datagram[HEADER..].fill(law);
        joined.receive(0, datagram);
        joined.visit();
    }
    let heard: Vec<i16> = joined.sent[1]
        .iter()
        .map(|datagram| {
            let packet = packet::read(datagram).expect("ours");
            assert_eq!(packet.header.payload_type, 8);
            g711::from_alaw(packet.payload[80])
        })
        .collect();
    assert!((147..=153).contains(&heard.len()), "{}", heard.len());
    let holes = heard.iter().filter(|sample| **sample < 8_000).count();
    // A packet of each change, two in the jitter buffer when it begins and its joint.
    assert!(holes <= 5, "{holes}");
    let changes = codecs_told(&joined.events[0]);
    assert_eq!(changes, [Codec::Pcmu, Codec::Pcma]);
}

/// No codec of ours makes them, and behind them there would be no room for a tag.
#[test]
fn a_packet_that_fills_its_datagram_is_not_passed_on() {
    let key = MasterKey::new(Suite::Aes128Sha1_80, &[7; 30]).expect("30 bytes");
    let keyed = LegConfig {
        srtp: Some(Keys {
            local: key,
            remote: key,
        }),
        ..leg(Codec::Pcma, 8, 1, 101)
    };
    let mut joined = Joined::pair([leg(Codec::Pcma, 8, 0, 101), keyed]);
    for (sequence, size, passed) in [(0, DATAGRAM, 0), (1, 492, 1), (2, DATAGRAM - 9, 1)] {
        let mut datagram = audio_packet(8, 77, sequence);
        datagram.resize(size, 0xd5);
        joined.receive(0, datagram);
        assert_eq!(joined.sent[1].len(), passed, "{size} bytes");
    }
}

/// A tone through every pair of codecs keeps its level, and comes without holes.
#[test]
fn every_codec_is_heard_in_every_other() {
    let type_of = |codec: Codec| codec.static_payload_type().unwrap_or(111);
    for from in Codec::ALL {
        for to in Codec::ALL.into_iter().filter(|to| *to != from) {
            let mut joined = Joined::pair([
                leg(from, type_of(from), 0, 101),
                leg(to, type_of(to), 1, 101),
            ]);
            let rate = from.sample_rate();
            let pcm: Vec<i16> = (0..rate * 2)
                .map(|n| {
                    (9_000.0 * (std::f32::consts::TAU * 500.0 * n as f32 / rate as f32).sin())
                        as i16
                })
                .collect();
            let frames = Frames::encode(from, &pcm);
            for turn in 0..100_u16 {
                let mut datagram = vec![0; HEADER];
                let timestamp = u32::from(turn) * from.frame_ticks();
                let payload_type = type_of(from);
                packet::Header {
                    marker: false,
                    payload_type,
                    sequence: turn,
                    timestamp,
                    ssrc: 5,
                }
                .write(&mut datagram);
                datagram.extend(frames.frame(usize::from(turn)).expect("a frame"));
                joined.receive(0, datagram);
                joined.visit();
            }
            let mut decoder = Decoder::new(to);
            let mut heard = vec![];
            for datagram in &joined.sent[1] {
                let mut pcm = [0; PACKET_SAMPLES_MAX];
                let payload = packet::read(datagram).expect("ours").payload;
                let length = decoder.decode(payload, &mut pcm).expect("audio");
                heard.extend_from_slice(&pcm[..length]);
            }
            assert_eq!(joined.sent[1].len(), 100, "{from} to {to}");
            let steady = &heard[heard.len() / 2..];
            for piece in steady.chunks(to.frame_samples()) {
                let energy: f32 = piece.iter().map(|s| f32::from(*s).powi(2)).sum();
                let level = (energy / piece.len() as f32).sqrt() * std::f32::consts::SQRT_2;
                assert!(
                    (4_500.0..13_500.0).contains(&level),
                    "{from} to {to}: {level}"
                );
            }
        }
    }
}

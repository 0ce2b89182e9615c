//! Several legs heard at once.

#![allow(clippy::cast_possible_truncation)] // sequence numbers wrap

use super::{
    joined::{Joined, remote},
    *,
};
use crate::codec::{Decoder, Encoder, FRAME_BYTES_MAX, PACKET_SAMPLES_MAX, g711};

fn leg(codec: Codec, leg: usize) -> LegConfig {
    let payload_type = codec.static_payload_type().unwrap_or(111);
    LegConfig {
        telephone_event: Some(TelephoneEvent {
            payload_type: 101,
            payload_type_in: 101,
            clock: 8_000,
        }),
        ..LegConfig::new(codec, payload_type, Some(remote(leg)))
    }
}

/// Parties of A-law who speak a constant level each, and what each of them hears.
struct Talk {
    joined: Joined,
    sequence: u16,
}

impl Talk {
    fn new(count: usize) -> Self {
        Self {
            joined: Joined::new((0..count).map(|at| leg(Codec::Pcma, at))),
            sequence: 0,
        }
    }

    /// Everybody hears everybody else.
    fn conference(count: usize) -> Self {
        let mut talk = Self::new(count);
        for listener in 0..count {
            let others: Vec<usize> = (0..count).filter(|at| *at != listener).collect();
            talk.joined.hear(listener, &others);
        }
        talk
    }

    /// One visit, before which each party says a frame of its level.
    fn turn(&mut self, levels: &[i16]) {
        for (from, level) in levels.iter().enumerate() {
            let mut datagram = audio_packet(8, 5, self.sequence);
            datagram[HEADER..].fill(g711::alaw(*level));
            self.joined.receive(from, datagram);
        }
        self.sequence += 1;
        self.joined.visit();
    }

    fn turns(&mut self, count: usize, levels: &[i16]) {
        for _ in 0..count {
            self.turn(levels);
        }
    }

    /// What `leg` was sent last: the level at the middle of the packet.
    fn heard(&self, leg: usize) -> i16 {
        let datagram = self.joined.sent[leg].last().expect("something was sent");
        let packet = packet::read(datagram).expect("ours");
        assert_eq!(packet.header.payload_type, 8);
        g711::from_alaw(packet.payload[80])
    }

    fn all_heard(&self) -> Vec<i16> {
        (0..self.joined.legs.len())
            .map(|leg| self.heard(leg))
            .collect()
    }
}

/// A level as it comes through A-law once.
fn coded(level: i16) -> i16 {
    g711::from_alaw(g711::alaw(level))
}

#[test]
fn each_party_hears_the_sum_of_all_others_and_never_itself() {
    let levels = [1_000, -3_000, 500, 9_000];
    let mut talk = Talk::conference(4);
    talk.turns(20, &levels);
    let sum: i16 = levels.iter().map(|level| coded(*level)).sum();
    let expected: Vec<i16> = levels.iter().map(|own| coded(sum - coded(*own))).collect();
    assert_eq!(talk.all_heard(), expected);
    for sent in &talk.joined.sent {
        assert_eq!(sent.len(), 20, "a packet every 20 ms");
    }
}

#[test]
fn a_sum_that_is_too_loud_is_cut_and_does_not_wrap() {
    let mut talk = Talk::conference(3);
    talk.turns(20, &[30_000, 30_000, -30_000]);
    let loudest = coded(i16::MAX);
    assert_eq!(talk.all_heard(), [coded(0), coded(0), loudest]);
}

#[test]
fn a_party_that_leaves_is_silent_with_the_next_packet() {
    let mut talk = Talk::conference(3);
    talk.turns(20, &[1_000, 2_000, 4_000]);
    assert_eq!(talk.heard(0), coded(coded(2_000) + coded(4_000)));
    talk.joined.hear(0, &[1]);
    talk.joined.hear(1, &[0]);
    talk.joined.hear(2, &[]);
    talk.turn(&[1_000, 2_000, 4_000]);
    // The two that are left hear each other's packets as they are.
    assert_eq!(talk.all_heard()[..2], [coded(2_000), coded(1_000)]);
    assert_eq!(talk.heard(2), coded(0));
}

#[test]
fn one_of_many_leaves_and_the_others_go_on_without_a_hole() {
    let mut talk = Talk::conference(4);
    talk.turns(20, &[1_000, 2_000, 4_000, 8_000]);
    for (listener, sources) in [(0, [1, 2]), (1, [0, 2]), (2, [0, 1])] {
        talk.joined.hear(listener, &sources);
    }
    talk.joined.hear(3, &[]);
    for _ in 0..10 {
        talk.turn(&[1_000, 2_000, 4_000, 8_000]);
        let [a, b, c] = [1_000, 2_000, 4_000].map(coded);
        assert_eq!(talk.all_heard()[..3], [b + c, a + c, a + b].map(coded));
    }
}

#[test]
fn a_supervisor_hears_both_and_nobody_hears_the_supervisor() {
    let mut talk = Talk::new(3);
    talk.joined.hear(0, &[1]);
    talk.joined.hear(1, &[0]);
    talk.turns(10, &[1_000, 2_000, 30_000]);
    talk.joined.hear(2, &[0, 1]);
    talk.turns(10, &[1_000, 2_000, 30_000]);
    let [a, b] = [1_000, 2_000].map(coded);
    assert_eq!(talk.all_heard(), [b, a, coded(a + b)]);
    let hearing = |at: usize| talk.joined.legs[at].hearing();
    assert_eq!(
        [hearing(0), hearing(1), hearing(2)],
        [Hearing::Relay, Hearing::Relay, Hearing::Mix],
        "the call is not touched"
    );
}

#[test]
fn a_whisper_reaches_the_agent_alone() {
    let mut talk = Talk::new(3);
    let (customer, agent, supervisor) = (0, 1, 2);
    talk.joined.hear(customer, &[agent]);
    talk.joined.hear(agent, &[customer, supervisor]);
    talk.joined.hear(supervisor, &[customer, agent]);
    talk.turns(20, &[1_000, 2_000, 4_000]);
    let [c, a, s] = [1_000, 2_000, 4_000].map(coded);
    assert_eq!(talk.all_heard(), [a, coded(c + s), coded(c + a)]);
}

#[test]
fn hearing_may_go_one_way_only() {
    let mut talk = Talk::new(2);
    talk.joined.hear(0, &[1]);
    talk.turns(10, &[1_000, 2_000]);
    assert_eq!(talk.all_heard(), [coded(2_000), coded(0)]);
}

#[test]
fn a_leg_that_is_played_to_does_not_hear_its_sources_and_then_does_again() {
    let mut talk = Talk::conference(3);
    talk.turns(10, &[1_000, 2_000, 4_000]);
    let music = Arc::new(Frames::encode(Codec::Pcma, &[6_000; 1_600]));
    let now = talk.joined.now;
    talk.joined.legs[0].play(now, PlayId(1), once(&music));
    talk.turns(10, &[1_000, 2_000, 4_000]);
    assert_eq!(talk.heard(0), coded(6_000));
    assert_eq!(
        talk.heard(1),
        coded(coded(1_000) + coded(4_000)),
        "it is heard"
    );
    talk.turn(&[1_000, 2_000, 4_000]);
    assert_eq!(talk.heard(0), coded(coded(2_000) + coded(4_000)), "at once");
}

#[test]
fn what_a_party_says_while_we_hold_it_is_for_nobody() {
    let mut talk = Talk::conference(3);
    talk.turns(10, &[1_000, 2_000, 4_000]);
    let held = LegConfig {
        receive: false,
        ..leg(Codec::Pcma, 2)
    };
    let now = talk.joined.now;
    talk.joined.legs[2].reconfigure(now, held);
    talk.joined.settle(2);
    talk.turns(30, &[1_000, 2_000, 4_000]);
    assert_eq!(talk.all_heard()[..2], [2_000, 1_000].map(coded));
}

/// Among the most frequent complaints about other engines: no key gets through a conference.
#[test]
fn a_key_pressed_by_one_party_reaches_all_others_of_a_conference() {
    let mut talk = Talk::conference(3);
    talk.turns(10, &[0, 0, 0]);
    let before: Vec<usize> = talk.joined.sent.iter().map(Vec::len).collect();
    let mut datagram = audio_packet(101, 5, talk.sequence);
    datagram.truncate(HEADER);
    datagram.extend([9, 10, 0, 160]);
    talk.joined.receive(0, datagram);
    talk.sequence += 1;
    talk.turns(20, &[0, 0, 0]);
    let keys = |leg: usize| {
        let mut receiver = event::Receiver::default();
        let sent = talk.joined.sent[leg][before[leg]..].iter();
        let packets = sent.map(|datagram| packet::read(datagram).expect("ours"));
        packets
            .filter(|packet| packet.header.payload_type == 101)
            .filter_map(|packet| {
                receiver.receive(talk.joined.now, packet.header.timestamp, packet.payload)
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (keys(0), keys(1), keys(2)),
        (vec![], vec![Key::Nine], vec![Key::Nine])
    );
}

/// The largest step from one sample to the next that `leg` was sent, from packet `from` on.
fn roughest(joined: &Joined, leg: usize, from: usize) -> i32 {
    let heard: Vec<i32> = joined.sent[leg][from..]
        .iter()
        .flat_map(|datagram| packet::read(datagram).expect("ours").payload)
        .map(|byte| i32::from(g711::from_alaw(*byte)))
        .collect();
    heard
        .windows(2)
        .map(|two| (two[1] - two[0]).abs())
        .max()
        .expect("audio")
}

#[test]
fn parties_enter_and_leave_without_a_click() {
    let mut talk = Talk::conference(4);
    talk.joined.hear(0, &[1, 2]);
    talk.turns(20, &[0, 2_000, 4_000, 8_000]);
    let from = talk.joined.sent[0].len() - 1;
    talk.joined.hear(0, &[1, 2, 3]);
    talk.turns(5, &[0, 2_000, 4_000, 8_000]);
    talk.joined.hear(0, &[1, 2]);
    talk.turns(5, &[0, 2_000, 4_000, 8_000]);
    // 8,000 over 40 samples, and the steps of A-law at this level.
    let roughest = roughest(&talk.joined, 0, from);
    assert!(roughest <= 1_024, "{roughest}");
}

#[test]
fn lost_packets_of_one_party_make_no_hole_in_what_the_others_say() {
    let mut talk = Talk::conference(3);
    talk.turns(20, &[1_000, 2_000, 4_000]);
    for turn in 0..50 {
        let all = [1_000, 2_000, 4_000];
        talk.turn(if turn % 10 == 3 { &all[..2] } else { &all });
        let heard = talk.heard(0);
        let least = coded(2_000);
        let most = coded(coded(2_000) + coded(4_000));
        assert!((least..=most).contains(&heard), "{heard}");
        assert_eq!(talk.heard(2), coded(coded(1_000) + coded(2_000)));
    }
}

#[test]
fn packets_of_every_length_carry_every_frame_once() {
    for (ptime, packets) in [(10, 200), (20, 100), (30, 67), (40, 50), (60, 34)] {
        let mut configs: Vec<LegConfig> = (0..3).map(|at| leg(Codec::Pcma, at)).collect();
        configs[0].ptime = Duration::from_millis(ptime);
        let mut joined = Joined::new(configs);
        for (listener, others) in [(0, [1, 2]), (1, [0, 2]), (2, [0, 1])] {
            joined.hear(listener, &others);
        }
        for sequence in 0..100_u16 {
            for from in [1, 2] {
                let mut datagram = audio_packet(8, 5, sequence);
                // Counts upwards, and both together are exact in A-law.
                datagram[HEADER..].fill(g711::alaw(level_of(sequence)));
                joined.receive(from, datagram);
            }
            joined.visit();
        }
        let heard: Vec<i16> = joined.sent[0]
            .iter()
            .flat_map(|datagram| packet::read(datagram).expect("ours").payload)
            .map(|byte| g711::from_alaw(*byte))
            .collect();
        let sent = joined.sent[0].len();
        assert!(sent.abs_diff(packets) <= 1, "{ptime} ms: {sent} packets");
        let first = heard
            .iter()
            .position(|sample| *sample == 2 * coded(level_of(0)));
        let first = first.expect("it was heard");
        for (at, frame) in heard[first + 40..].chunks_exact(160).enumerate() {
            let number = (at * 160 + 40) / 160;
            let expected = 2 * coded(level_of(number as u16));
            assert_eq!(frame[0], expected, "{ptime} ms, frame {at}");
        }
    }
}

/// Levels that A-law tells apart, and whose doubles it can say.
fn level_of(sequence: u16) -> i16 {
    let step = i16::try_from(sequence % 14).expect("small");
    1_056 + 64 * step
}

/// A tone of one party is heard at its level in every codec of a conference of all.
#[test]
fn narrow_and_wide_codecs_hear_each_other_in_one_conference() {
    let mut joined = Joined::new(
        Codec::ALL
            .into_iter()
            .enumerate()
            .map(|(at, codec)| leg(codec, at)),
    );
    let count = Codec::ALL.len();
    for listener in 0..count {
        let others: Vec<usize> = (0..count).filter(|at| *at != listener).collect();
        joined.hear(listener, &others);
    }
    for (speaker, codec) in Codec::ALL.into_iter().enumerate() {
        let mut encoder = Encoder::new(codec);
        let from: Vec<usize> = joined.sent.iter().map(Vec::len).collect();
        for sequence in 0..100_u16 {
            let datagram = tone_packet(&mut encoder, sequence);
            joined.receive(speaker, datagram);
            joined.visit();
        }
        for (listener, codec) in Codec::ALL.into_iter().enumerate() {
            let sent = &joined.sent[listener][from[listener]..];
            assert_eq!(sent.len(), 100);
            let level = level(codec, &sent[50..]);
            if listener == speaker {
                assert!(level < 300.0, "{codec} hears itself: {level}");
            } else {
                assert!(
                    (4_500.0..13_500.0).contains(&level),
                    "{speaker} to {codec}: {level}"
                );
            }
        }
    }
}

/// 20 ms of 500 Hz.
#[allow(clippy::cast_precision_loss)] // small
fn tone_packet(encoder: &mut Encoder, sequence: u16) -> Vec<u8> {
    let codec = encoder.codec();
    let (rate, samples) = (codec.sample_rate() as f32, codec.frame_samples());
    let pcm: Vec<i16> = (0..samples)
        .map(|n| (usize::from(sequence) * samples + n) as f32 / rate)
        .map(|t| (9_000.0 * (std::f32::consts::TAU * 500.0 * t).sin()) as i16)
        .collect();
    let mut datagram = vec![0; HEADER];
    let header = packet::Header {
        marker: false,
        payload_type: codec.static_payload_type().unwrap_or(111),
        sequence,
        timestamp: u32::from(sequence) * codec.frame_ticks(),
        ssrc: 5,
    };
    header.write(&mut datagram);
    let mut payload = [0; FRAME_BYTES_MAX];
    let length = encoder.encode(&pcm, &mut payload);
    datagram.extend(&payload[..length]);
    datagram
}

/// The amplitude of a tone in these packets.
#[allow(clippy::cast_precision_loss)] // small
fn level(codec: Codec, sent: &[Vec<u8>]) -> f32 {
    let mut decoder = Decoder::new(codec);
    let mut energy = 0.0;
    let mut count = 0;
    for datagram in sent {
        let mut pcm = [0; PACKET_SAMPLES_MAX];
        let payload = packet::read(datagram).expect("ours").payload;
        let length = decoder.decode(payload, &mut pcm).expect("audio");
        energy += pcm[..length]
            .iter()
            .map(|s| f32::from(*s).powi(2))
            .sum::<f32>();
        count += length;
    }
    (2.0 * energy / count as f32).sqrt()
}

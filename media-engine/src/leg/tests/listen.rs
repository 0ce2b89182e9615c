//! What a leg makes of audio that comes to it.

#![allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // synthesis

use rand::{Rng, SeedableRng, rngs::SmallRng};

use super::*;
use crate::{
    codec::{Encoder, FRAME_BYTES_MAX, g711},
    sdp::read::Format,
};

fn alaw_packet(sequence: u64, pcm: &[i16]) -> Vec<u8> {
    let mut datagram = audio_packet(8, 5, sequence as u16);
    datagram[4..8].copy_from_slice(&((sequence * 160) as u32).to_be_bytes());
    for (byte, sample) in datagram[HEADER..].iter_mut().zip(pcm) {
        *byte = g711::alaw(*sample);
    }
    datagram
}

fn tone(from: usize, count: usize) -> Vec<i16> {
    (from..from + count)
        .map(|n| (8_000.0 * (std::f32::consts::TAU * 400.0 * n as f32 / 8_000.0).sin()) as i16)
        .collect()
}

fn recorded(leg: &mut Leg, now: Instant) -> Vec<i16> {
    let mut pcm = vec![];
    while let Some(audio) = leg.poll_audio(now) {
        pcm.extend_from_slice(audio);
    }
    pcm
}

#[test]
fn a_recording_is_what_was_said_forty_milliseconds_later() {
    let mut visits = Visits::new(config());
    visits.leg.be_heard(visits.now, Wanted::Narrow);
    let mut said = vec![];
    let mut heard = vec![];
    for turn in 0..100 {
        let pcm = tone(turn * 160, 160);
        visits.receive(peer(), &alaw_packet(turn as u64, &pcm));
        said.extend(
            pcm.iter()
                .map(|sample| g711::from_alaw(g711::alaw(*sample))),
        );
        heard.extend(recorded(&mut visits.leg, visits.now));
        visits.visit();
    }
    assert_eq!(heard.len(), 100 * 160, "a frame a visit, silence included");
    let first = heard.iter().position(|sample| *sample != 0).expect("sound") / 160 * 160;
    assert_eq!(first, 320);
    assert_eq!(heard[first..], said[..said.len() - first]);
    visits.leg.be_heard(visits.now, Wanted::Nothing);
    assert_eq!(visits.leg.poll_audio(visits.now + FRAME), None);
}

/// A peer that took A-law, µ-law, G.722 and Opus of our offer.
fn several() -> LegConfig {
    let taken = [(Codec::Pcmu, 0), (Codec::G722, 9), (Codec::Opus, 111)];
    LegConfig {
        alternatives: taken
            .map(|(codec, payload_type)| Format {
                payload_type,
                codec,
            })
            .into(),
        ..config()
    }
}

/// Packet number `sequence` of somebody who encodes in one of [`several`].
fn packet_of(encoder: &mut Encoder, sequence: u32, pcm: &[i16]) -> Vec<u8> {
    let codec = encoder.codec();
    let payload_type = several().payload_type_of(codec).expect("agreed on");
    let mut datagram = audio_packet(payload_type, 5, sequence as u16);
    let timestamp = sequence * codec.frame_ticks();
    datagram[4..8].copy_from_slice(&timestamp.to_be_bytes());
    datagram.resize(HEADER + FRAME_BYTES_MAX, 0);
    let length = encoder.encode(pcm, &mut datagram[HEADER..]);
    datagram.truncate(HEADER + length);
    datagram
}

#[test]
fn each_packet_is_decoded_by_its_own_payload_type() {
    let mut visits = Visits::new(several());
    visits.leg.be_heard(visits.now, Wanted::Narrow);
    let mut encoders = [Codec::Pcma, Codec::Pcmu].map(Encoder::new);
    let (mut said, mut heard) = (vec![], vec![]);
    for turn in 0..100 {
        let pcm = tone(turn * 160, 160);
        let which = turn / 3 % 2;
        visits.receive(peer(), &packet_of(&mut encoders[which], turn as u32, &pcm));
        said.extend(pcm.iter().map(|sample| match which {
            0 => g711::from_alaw(g711::alaw(*sample)),
            _ => g711::from_ulaw(g711::ulaw(*sample)),
        }));
        heard.extend(recorded(&mut visits.leg, visits.now));
        visits.visit();
    }
    assert_eq!(
        heard[320..],
        said[..said.len() - 320],
        "not a sample is lost"
    );
    assert_eq!(visits.leg.report().wrong_type, 0);
    // Changes are told at once, but not more often than each second.
    let changes: Vec<_> = visits.events[1..].to_vec();
    let [pcmu, pcma] = [Codec::Pcmu, Codec::Pcma].map(|codec| LegEvent::CodecChanged { codec });
    assert_eq!(changes, [pcmu, pcma], "in two seconds");
}

#[test]
fn a_change_of_rate_or_clock_is_heard_through() {
    let mut visits = Visits::new(several());
    visits.leg.be_heard(visits.now, Wanted::Narrow);
    let wide = |turn: usize| -> Vec<i16> {
        (turn * 320..(turn + 1) * 320)
            .map(|n| (8_000.0 * (std::f32::consts::TAU * 400.0 * n as f32 / 16_000.0).sin()) as i16)
            .collect()
    };
    let mut heard = vec![];
    let mut spoken = vec![];
    let codecs = [
        Codec::Pcma,
        Codec::G722,
        Codec::Opus,
        Codec::G722,
        Codec::Pcma,
    ];
    for (part, codec) in codecs.into_iter().enumerate() {
        let mut encoder = Encoder::new(codec);
        for turn in part * 60..(part + 1) * 60 {
            let pcm = if codec == Codec::Pcma {
                tone(turn * 160, 160)
            } else {
                wide(turn)
            };
            visits.receive(peer(), &packet_of(&mut encoder, turn as u32, &pcm));
            heard.push(recorded(&mut visits.leg, visits.now));
            visits.visit();
        }
        spoken.push(visits.leg.spoken());
        assert_eq!(visits.leg.report().codec, codec);
    }
    assert_eq!(spoken, codecs);
    assert!(
        heard.iter().all(|frame| frame.len() == 160),
        "a frame a visit"
    );
    let quiet = heard[2..]
        .iter()
        .filter(|frame| frame.iter().all(|sample| sample.abs() < 2_000))
        .count();
    assert!(
        quiet <= 12,
        "{quiet} of 300 frames are lost with three changes of the clock"
    );
    let told = codecs_told(&visits.events);
    assert_eq!(told, codecs[1..]);
}

#[test]
fn a_codec_that_was_not_agreed_on_is_counted_and_not_heard() {
    let mut visits = Visits::new(config());
    visits.leg.be_heard(visits.now, Wanted::Narrow);
    let mut encoder = Encoder::new(Codec::Pcmu);
    for turn in 0..20 {
        let pcm = tone(turn * 160, 160);
        visits.receive(peer(), &packet_of(&mut encoder, turn as u32, &pcm));
        let heard = recorded(&mut visits.leg, visits.now);
        assert!(heard.iter().all(|sample| *sample == 0));
        visits.visit();
    }
    assert_eq!(visits.leg.report().wrong_type, 20);
    assert_eq!(visits.events, [LegEvent::Latched { source: peer() }]);
}

#[test]
fn a_new_agreement_decides_anew_what_is_spoken() {
    let mut visits = Visits::new(several());
    let mut encoder = Encoder::new(Codec::Pcmu);
    visits.receive(peer(), &packet_of(&mut encoder, 0, &[0; 160]));
    assert_eq!(visits.leg.spoken(), Codec::Pcmu);
    visits.leg.reconfigure(visits.now, several());
    assert_eq!(visits.leg.spoken(), Codec::Pcmu, "a mere hold");
    visits.leg.reconfigure(visits.now, config());
    assert_eq!(visits.leg.spoken(), Codec::Pcma, "the others are gone");
}

#[test]
fn nothing_is_decoded_when_nobody_listens() {
    let mut visits = Visits::new(LegConfig {
        inband_dtmf: true,
        ..config()
    });
    visits.receive(peer(), &alaw_packet(0, &[0; 160]));
    assert!(visits.leg.ear.is_none(), "telephone-events are agreed on");
    assert_eq!(visits.leg.poll_audio(visits.now), None);
}

fn press(key_tones: (f32, f32), from: usize) -> Vec<i16> {
    (from..from + 160)
        .map(|n| {
            let t = n as f32 / 8_000.0 * std::f32::consts::TAU;
            (5_000.0 * ((key_tones.0 * t).sin() + (key_tones.1 * t).sin())) as i16
        })
        .collect()
}

#[test]
fn keys_in_the_audio_are_heard_until_the_first_telephone_event() {
    let mut visits = Visits::new(LegConfig {
        telephone_event: None,
        inband_dtmf: true,
        ..config()
    });
    let say = |visits: &mut Visits, turn: u64| {
        // 100 ms of "6", 100 ms of silence.
        let pcm = if turn % 10 < 5 {
            press((770.0, 1_477.0), turn as usize * 160)
        } else {
            vec![0; 160]
        };
        visits.receive(peer(), &alaw_packet(turn, &pcm));
        assert_eq!(visits.leg.poll_audio(visits.now), None);
        visits.visit();
    };
    for turn in 0..50 {
        say(&mut visits, turn);
    }
    let keys = |visits: &Visits| {
        visits
            .events
            .iter()
            .filter(|event| matches!(event, LegEvent::Key { .. }))
            .count()
    };
    assert_eq!(keys(&visits), 5);
    assert!(visits.events.contains(&LegEvent::Key {
        key: Key::Six,
        by: KeyPath::InBand
    }));

    // A re-INVITE brings telephone-events; the tones go on being sent beside them.
    visits.leg.reconfigure(
        visits.now,
        LegConfig {
            inband_dtmf: true,
            ..config()
        },
    );
    for turn in 50..100 {
        say(&mut visits, turn);
    }
    assert_eq!(keys(&visits), 5, "one press, one key");
}

/// The peer's clock is off by 200 ppm for an hour; speech and pauses by turns.
#[test]
fn an_hour_of_clock_drift_neither_piles_up_nor_runs_dry() {
    let mut random = SmallRng::seed_from_u64(1);
    let voice: Vec<i16> = (0..8_000 * 4)
        .map(|n| {
            let loud = if n < 8_000 * 3 { 1.0 } else { 0.002 };
            (loud * f32::from(tone(n, 1)[0]) * 0.5) as i16
        })
        .collect();
    for ppm in [-200_i64, 200] {
        let mut visits = Visits::new(config());
        visits.leg.be_heard(visits.now, Wanted::Narrow);
        let mut sent = 0;
        let mut frames = 0;
        let mut longest = Duration::ZERO;
        for visit in 0..3_600 * 50_u64 {
            // The packets that the peer has sent by now, each up to 10 ms on its way.
            loop {
                let by_its_clock = sent * 20_000_000 * 1_000_000;
                let at =
                    Duration::from_nanos(by_its_clock / 1_000_000_u64.saturating_add_signed(ppm));
                let arrival =
                    visits.start + at + Duration::from_micros(random.random_range(0..10_000));
                if arrival > visits.now {
                    break;
                }
                let from = sent as usize * 160 % voice.len();
                let mut datagram = alaw_packet(sent, &voice[from..from + 160]);
                visits
                    .leg
                    .handle_packet(visits.now, arrival, peer(), &mut datagram);
                sent += 1;
            }
            frames += recorded(&mut visits.leg, visits.now).len() / 160;
            if visit > 500 {
                let held_back = visits.leg.ear.as_ref().and_then(|ear| ear.held_back());
                longest = longest.max(held_back.unwrap_or_default());
            }
            visits.now += FRAME;
        }
        let counts = visits.leg.ear.as_ref().expect("an ear").counts();
        println!("{ppm} ppm: at most {longest:?}, {counts:?}");
        assert_eq!(frames, 180_000);
        assert_eq!(
            (counts.late, counts.discarded, counts.resets),
            (0, 0, 0),
            "{ppm} ppm"
        );
        assert!(counts.concealed <= 3, "{ppm} ppm: {counts:?}");
        assert!(
            longest < Duration::from_millis(90),
            "{ppm} ppm: {longest:?}"
        );
    }
}

const FRAME: Duration = crate::codec::FRAME;

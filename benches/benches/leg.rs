//! What one leg costs a media thread per 20 ms, without the kernel's part (which is 3.0 µs).
//!
//! The goal for playing is far below 0.3 µs: it is copying behind a header.

use std::f32::consts::TAU;
use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use media_engine::audio::prompt::Frames;
use media_engine::codec::{Codec, Decoder, Encoder, FRAME, FRAME_BYTES_MAX, PACKET_SAMPLES_MAX};
use media_engine::dtmf::inband::Detector;
use media_engine::leg::{
    Cursor, DATAGRAM, Hearing, Leg, LegConfig, PlayId, Playlist, TelephoneEvent, Wanted,
};
use media_engine::rtp::packet::{HEADER, Header, read};
use media_engine::rtp::srtp::{Keys, MasterKey, Protector, Suite, Unprotector};

/// Legs that are visited in turn, so that the cache is as cold as in a thread with many calls.
const LEGS: usize = 1_000;

struct Legs {
    legs: Vec<Leg>,
    now: Instant,
    turn: usize,
    sequence: u16,
}

impl Legs {
    fn new(config: &LegConfig) -> Self {
        let now = Instant::now();
        let legs = (0..LEGS)
            .map(|seed| Leg::new(now, config.clone(), seed as u64))
            .collect();
        Self {
            legs,
            now,
            turn: 0,
            sequence: 0,
        }
    }

    /// The next leg, and what its peer sends.
    fn next(&mut self, payload_type: u8) -> (usize, Instant, Header) {
        self.turn += 1;
        if self.turn == LEGS {
            self.turn = 0;
            self.sequence = self.sequence.wrapping_add(1);
            self.now += FRAME;
        }
        let header = Header {
            marker: false,
            payload_type,
            sequence: self.sequence,
            timestamp: u32::from(self.sequence).wrapping_mul(160),
            ssrc: 9,
        };
        (self.turn, self.now, header)
    }
}

fn peer() -> SocketAddr {
    ([192, 0, 2, 10], 4000).into()
}

fn config(codec: Codec, payload_type: u8) -> LegConfig {
    LegConfig {
        telephone_event: Some(TelephoneEvent {
            payload_type: 101,
            payload_type_in: 101,
            clock: 8_000,
        }),
        inactivity: Some(Duration::from_secs(60)),
        ..LegConfig::new(codec, payload_type, Some(peer()))
    }
}

fn datagram(header: Header, buffer: &mut [u8; DATAGRAM]) -> &mut [u8] {
    header.write(&mut buffer[..]);
    buffer[HEADER..HEADER + 160].fill(0xd5);
    &mut buffer[..HEADER + 160]
}

/// Everything a thread does for a leg in one visit, but for the system calls.
fn visit(leg: &mut Leg, now: Instant, out: &mut [u8; DATAGRAM]) -> usize {
    let mut sent = 0;
    leg.handle_timeout(now);
    while let Some(audio) = leg.poll_audio(now) {
        black_box(audio);
    }
    while let Some(transmit) = leg.poll_packet(now, out) {
        sent += black_box(transmit).len;
    }
    while let Some(transmit) = leg.poll_rtcp(now, out) {
        sent += black_box(transmit).len;
    }
    while let Some(event) = leg.poll_event() {
        black_box(event);
    }
    sent
}

fn legs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("leg, 20 ms");
    let frames = Arc::new(Frames::encode(Codec::Pcma, &vec![100; 8_000 * 10]));
    let playing = |config: &LegConfig| {
        let mut legs = Legs::new(config);
        for leg in &mut legs.legs {
            let list = Playlist {
                items: vec![frames.clone()],
                repeat: true,
            };
            leg.play(legs.now, PlayId(1), list);
        }
        legs
    };
    let alaw = config(Codec::Pcma, 8);
    let mut out = [0; DATAGRAM];
    let mut packet = [0; DATAGRAM];

    let mut world = playing(&alaw);
    group.bench_function("play", |b| {
        b.iter(|| {
            let (turn, now, _) = world.next(8);
            visit(&mut world.legs[turn], now, &mut out)
        });
    });

    let mut world = playing(&alaw);
    group.bench_function("play and receive", |b| {
        b.iter(|| {
            let (turn, now, header) = world.next(8);
            let leg = &mut world.legs[turn];
            let datagram = datagram(header, &mut packet);
            black_box(leg.handle_packet(now, now, peer(), datagram));
            visit(leg, now, &mut out)
        });
    });

    let master = MasterKey::new(Suite::Aes128Sha1_80, &[7; 30]).expect("30 bytes");
    let srtp = Some(Keys {
        local: master,
        remote: master,
    });
    let mut world = playing(&LegConfig {
        srtp,
        ..alaw.clone()
    });
    group.bench_function("play under SRTP", |b| {
        b.iter(|| {
            let (turn, now, _) = world.next(8);
            visit(&mut world.legs[turn], now, &mut out)
        });
    });

    let mut world = playing(&alaw);
    for leg in &mut world.legs {
        leg.be_heard(world.now, Wanted::Narrow);
    }
    group.bench_function("play, receive and decode", |b| {
        b.iter(|| {
            let (turn, now, header) = world.next(8);
            let leg = &mut world.legs[turn];
            let datagram = datagram(header, &mut packet);
            black_box(leg.handle_packet(now, now, peer(), datagram));
            visit(leg, now, &mut out)
        });
    });

    let mut world = Legs::new(&alaw);
    let mut other = Legs::new(&alaw);
    for leg in world.legs.iter_mut().chain(&mut other.legs) {
        leg.hear(world.now, Hearing::Relay);
    }
    group.bench_function("receive and relay", |b| {
        b.iter(|| {
            let (turn, now, header) = world.next(8);
            let datagram = datagram(header, &mut packet);
            let relayed = world.legs[turn].handle_packet(now, now, peer(), datagram);
            relayed.and_then(|relayed| other.legs[turn].relay(now, &relayed, &mut out))
        });
    });
    group.finish();
}

fn parts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parts of a leg");
    let header = Header {
        marker: false,
        payload_type: 8,
        sequence: 1,
        timestamp: 160,
        ssrc: 9,
    };
    let mut packet = [0; DATAGRAM];
    let length = datagram(header, &mut packet).len();
    group.bench_function("read RTP", |b| {
        b.iter(|| read(black_box(&packet[..length])))
    });

    let master = MasterKey::new(Suite::Aes128Sha1_80, &[7; 30]).expect("30 bytes");
    let mut protector = Protector::new(&master);
    group.bench_function("protect 172 bytes", |b| {
        b.iter(|| protector.protect(black_box(&mut packet), length));
    });

    let mut sequence = 0_u16;
    let mut protector = Protector::new(&master);
    let mut unprotector = Unprotector::new(&master);
    group.bench_function("protect and unprotect 172 bytes", |b| {
        b.iter(|| {
            sequence = sequence.wrapping_add(1);
            let header = Header { sequence, ..header };
            let length = datagram(header, &mut packet).len();
            let length = protector.protect(&mut packet, length);
            unprotector.unprotect(&mut packet[..length])
        });
    });

    let mut detector = Detector::default();
    let pcm: [i16; 160] =
        std::array::from_fn(|n| i16::try_from(n * 7_919 % 4_001).map_or(0, |level| level - 2_000));
    group.bench_function("in-band keys, one frame", |b| {
        b.iter(|| detector.listen(black_box(&pcm)));
    });
    group.finish();
}

/// Parties of one conference, all of whom speak.
struct Conference {
    parties: Vec<Leg>,
    cursors: Vec<Vec<(usize, Cursor)>>,
    now: Instant,
    sequence: u16,
}

impl Conference {
    fn new(parties: usize) -> Self {
        let now = Instant::now();
        let mut parties: Vec<Leg> = (0..parties)
            .map(|seed| Leg::new(now, config(Codec::Pcma, 8), seed as u64))
            .collect();
        for leg in &mut parties {
            leg.hear(now, Hearing::Mix);
            leg.be_heard(now, Wanted::Narrow);
        }
        let others = |one: usize| (0..parties.len()).filter(move |other| *other != one);
        let cursors = (0..parties.len())
            .map(|one| others(one).map(|at| (at, parties[at].cursor())).collect())
            .collect();
        Self {
            parties,
            cursors,
            now,
            sequence: 0,
        }
    }

    /// 20 ms of everybody.
    fn turn(&mut self, packet: &mut [u8; DATAGRAM], out: &mut [u8; DATAGRAM]) -> usize {
        self.now += FRAME;
        self.sequence = self.sequence.wrapping_add(1);
        let mut sent = 0;
        for at in 0..self.parties.len() {
            let header = Header {
                marker: false,
                payload_type: 8,
                sequence: self.sequence,
                timestamp: u32::from(self.sequence).wrapping_mul(160),
                ssrc: 9,
            };
            let datagram = datagram(header, packet);
            let leg = &mut self.parties[at];
            black_box(leg.handle_packet(self.now, self.now, peer(), datagram));
            leg.handle_timeout(self.now);
            while leg.poll_audio(self.now).is_some() {}
            let (before, rest) = self.parties.split_at_mut(at);
            let Some((leg, behind)) = rest.split_first_mut() else {
                continue;
            };
            let cursors = &mut self.cursors[at];
            leg.mix(self.now, |sum| {
                for (source, cursor) in cursors.iter_mut() {
                    let source = if *source < at {
                        &before[*source]
                    } else {
                        &behind[*source - at - 1]
                    };
                    sum.add(source, cursor);
                }
            });
            sent += visit(leg, self.now, out);
        }
        sent
    }
}

fn mixing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("conference, 20 ms of a party");
    let (mut packet, mut out) = ([0; DATAGRAM], [0; DATAGRAM]);
    for parties in [3, 10, 30] {
        let mut conference = Conference::new(parties);
        group.throughput(Throughput::Elements(parties as u64));
        group.bench_function(format!("{parties} parties"), |b| {
            b.iter(|| conference.turn(&mut packet, &mut out));
        });
    }
    let mut conferences: Vec<Conference> = (0..LEGS / 3).map(|_| Conference::new(3)).collect();
    let mut turn = 0;
    group.throughput(Throughput::Elements(3));
    group.bench_function("3 parties, one of 333 conferences", |b| {
        b.iter(|| {
            turn = (turn + 1) % conferences.len();
            conferences[turn].turn(&mut packet, &mut out)
        });
    });
    group.finish();
}

/// A second of a voice-like sound, 20 ms at a time, in both codecs of a transcoded call.
struct Voices {
    narrow: Vec<[i16; 160]>,
    wide: Vec<[i16; 320]>,
    ulaw: Vec<Vec<u8>>,
    opus: Vec<Vec<u8>>,
}

#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // synthesis
fn voices() -> Voices {
    let sound = |rate: f32, at: usize| {
        let t = at as f32 / rate;
        let pitch = 120.0 + 30.0 * (t * 3.0).sin();
        let formants: f32 = (1..12)
            .map(|n| (t * pitch * n as f32 * TAU).sin() / n as f32)
            .sum();
        (3_000.0 * formants * (t * 2.0 * TAU).sin().max(0.05)) as i16
    };
    let narrow: Vec<[i16; 160]> = (0..50)
        .map(|frame| std::array::from_fn(|at| sound(8_000.0, frame * 160 + at)))
        .collect();
    let wide: Vec<[i16; 320]> = (0..50)
        .map(|frame| std::array::from_fn(|at| sound(16_000.0, frame * 320 + at)))
        .collect();
    let encode = |pcm: &[i16], encoder: &mut Encoder| {
        let mut payload = [0; FRAME_BYTES_MAX];
        let length = encoder.encode(pcm, &mut payload);
        payload[..length].to_vec()
    };
    let mut ulaw = Encoder::new(Codec::Pcmu);
    let mut opus = Encoder::new(Codec::Opus);
    Voices {
        ulaw: narrow.iter().map(|pcm| encode(pcm, &mut ulaw)).collect(),
        opus: wide.iter().map(|pcm| encode(pcm, &mut opus)).collect(),
        narrow,
        wide,
    }
}

/// A call between µ-law and Opus: what its two codecs cost by themselves, and what the legs make of it.
fn transcoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("PCMU to Opus and back, 20 ms");
    let voices = voices();

    let (mut ulaw, mut opus) = (Encoder::new(Codec::Pcmu), Encoder::new(Codec::Opus));
    let (mut from_ulaw, mut from_opus) = (Decoder::new(Codec::Pcmu), Decoder::new(Codec::Opus));
    let mut pcm = [0; PACKET_SAMPLES_MAX];
    let mut payload = [0; FRAME_BYTES_MAX];
    let mut at = 0;
    group.bench_function("the codecs alone", |b| {
        b.iter(|| {
            at = (at + 1) % 50;
            black_box(from_ulaw.decode(&voices.ulaw[at], &mut pcm).is_ok());
            black_box(opus.encode(&voices.wide[at], &mut payload));
            black_box(from_opus.decode(&voices.opus[at], &mut pcm).is_ok());
            black_box(ulaw.encode(&voices.narrow[at], &mut payload))
        });
    });

    let mut now = Instant::now();
    let mut legs =
        [config(Codec::Pcmu, 0), config(Codec::Opus, 111)].map(|config| Leg::new(now, config, 1));
    for leg in &mut legs {
        leg.hear(now, Hearing::Mix);
    }
    legs[0].be_heard(now, Wanted::Wide);
    legs[1].be_heard(now, Wanted::Narrow);
    let mut cursors = [legs[1].cursor(), legs[0].cursor()];
    let (mut packet, mut out) = ([0; DATAGRAM], [0; DATAGRAM]);
    let mut sequence = 0u16;
    group.bench_function("the call", |b| {
        b.iter(|| {
            now += FRAME;
            sequence = sequence.wrapping_add(1);
            let at = usize::from(sequence) % 50;
            let mut sent = 0;
            for (turn, cursor) in cursors.iter_mut().enumerate() {
                let (payload, payload_type, ticks) = if turn == 0 {
                    (&voices.ulaw[at], 0, 160)
                } else {
                    (&voices.opus[at], 111, 960)
                };
                let header = Header {
                    marker: false,
                    payload_type,
                    sequence,
                    timestamp: u32::from(sequence).wrapping_mul(ticks),
                    ssrc: 9,
                };
                header.write(&mut packet);
                packet[HEADER..HEADER + payload.len()].copy_from_slice(payload);
                let datagram = &mut packet[..HEADER + payload.len()];
                let [a, b] = &mut legs;
                let (leg, other) = if turn == 0 { (a, b) } else { (b, a) };
                black_box(leg.handle_packet(now, now, peer(), datagram));
                leg.handle_timeout(now);
                while leg.poll_audio(now).is_some() {}
                leg.mix(now, |sum| sum.add(other, cursor));
                sent += visit(leg, now, &mut out);
            }
            sent
        });
    });
    group.finish();
}

criterion_group!(benches, legs, parts, mixing, transcoding);
criterion_main!(benches);

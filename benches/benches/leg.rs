//! What one leg costs a media thread per 20 ms, without the kernel's part (which is 3.0 µs).
//!
//! The goal for playing is far below 0.3 µs: it is copying behind a header.

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use media_engine::audio::prompt::Frames;
use media_engine::codec::{Codec, FRAME};
use media_engine::dtmf::inband::Detector;
use media_engine::leg::{DATAGRAM, Hearing, Leg, LegConfig, PlayId, Playlist, TelephoneEvent};
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
        leg.start_recording(world.now);
    }
    group.bench_function("play, receive and record", |b| {
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

criterion_group!(benches, legs, parts);
criterion_main!(benches);

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

use rand::{Rng, SeedableRng, rngs::SmallRng};

use super::*;
use crate::rtp::origin;

const FRAME: Duration = crate::codec::FRAME;

/// A sender of 20 ms packets and a reader that takes a frame every 20 ms, each by its own clock.
struct World {
    start: Instant,
    buffer: Buffer,
    played: Vec<Heard>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// The packet with this number.
    Packet(u16),
    Lost,
    Dry,
    Nothing,
}

impl World {
    fn new() -> Self {
        let start = origin();
        Self {
            start,
            buffer: Buffer::new(start, Codec::Pcma),
            played: vec![],
        }
    }

    fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    /// Packet number `n` arrives.
    fn arrive(&mut self, ms: u64, n: u16) {
        let timestamp = 0xffff_f000_u32.wrapping_add(u32::from(n) * 160);
        let payload = n.to_be_bytes();
        self.buffer
            .insert(self.at(ms), timestamp, Codec::Pcma, &payload);
    }

    fn read(&mut self, ms: u64) -> Heard {
        let heard = match self.buffer.next(self.at(ms)) {
            Next::Packet(_, payload) => {
                let n = u16::from_be_bytes([payload[0], payload[1]]);
                self.buffer.advance(160);
                Heard::Packet(n)
            }
            Next::Lost => Heard::Lost,
            Next::Dry => Heard::Dry,
            Next::Nothing => Heard::Nothing,
        };
        self.played.push(heard);
        heard
    }

    fn packets(&self) -> Vec<u16> {
        let number = |heard: &Heard| match heard {
            Heard::Packet(n) => Some(*n),
            Heard::Lost | Heard::Dry | Heard::Nothing => None,
        };
        self.played.iter().filter_map(number).collect()
    }
}

#[test]
fn a_steady_stream_comes_out_in_order_forty_milliseconds_later() {
    let mut world = World::new();
    for n in 0..100 {
        world.arrive(20 * u64::from(n), n);
        let heard = world.read(20 * u64::from(n));
        let expected = if n < 2 {
            Heard::Nothing
        } else {
            Heard::Packet(n - 2)
        };
        assert_eq!(heard, expected);
        assert_ne!(
            world.buffer.advice(world.at(20 * u64::from(n)), 160),
            Advice::Stretch { urgent: true }
        );
    }
    assert_eq!(world.buffer.counts(), Counts::default());
}

#[test]
fn disorder_and_doubles_within_the_delay_are_put_right() {
    let mut world = World::new();
    for turn in 0..50_u16 {
        let now = 40 * u64::from(turn);
        // Two packets at a time, swapped, the second one twice.
        world.arrive(now, 2 * turn + 1);
        world.arrive(now, 2 * turn);
        world.arrive(now, 2 * turn);
        world.read(now);
        world.read(now + 20);
    }
    let packets = world.packets();
    assert!(packets.len() > 90);
    assert!(
        packets.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{packets:?}"
    );
    assert_eq!(world.buffer.counts().duplicate, 50);
}

#[test]
fn a_lost_packet_is_concealed_once_and_not_waited_for() {
    let mut world = World::new();
    for n in 0..20 {
        if n != 10 {
            world.arrive(20 * u64::from(n), n);
        }
        world.read(20 * u64::from(n));
    }
    assert_eq!(
        world.played[11..14],
        [Heard::Packet(9), Heard::Lost, Heard::Packet(11)]
    );
    world.arrive(400, 10);
    assert_eq!(world.buffer.counts().late, 1);
}

#[test]
fn a_hole_longer_than_the_buffer_does_not_add_delay() {
    let mut world = World::new();
    for n in 0..40 {
        if !(10..15).contains(&n) {
            world.arrive(20 * u64::from(n), n);
        }
        world.read(20 * u64::from(n));
    }
    let last = world.packets().last().copied();
    assert!(last >= Some(36), "{:?}", world.played);
}

#[test]
fn a_network_that_grows_slower_is_waited_for() {
    let mut world = World::new();
    for n in 0..200_u16 {
        let now = 20 * u64::from(n);
        if n < 50 {
            world.arrive(now, n);
        } else if n >= 55 {
            world.arrive(now, n - 5);
        }
        world.read(now);
    }
    let packets = world.packets();
    assert!(
        packets.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "nothing is lost by it"
    );
    assert_eq!(world.buffer.counts().late, 0);
}

#[test]
fn after_a_pause_the_stream_is_held_back_again() {
    let mut world = World::new();
    let mut now = 0;
    for n in 0..20 {
        world.arrive(now, n);
        world.read(now);
        now += 20;
    }
    for _ in 0..50 {
        world.read(now);
        now += 20;
    }
    assert_eq!(world.played.last(), Some(&Heard::Nothing));
    for n in 70..80 {
        world.arrive(now, n);
        world.read(now);
        now += 20;
    }
    assert_eq!(
        world.packets().last(),
        Some(&78),
        "one packet is held back: the stream was steady"
    );
    assert!(world.buffer.counts().concealed <= u64::from(DRY_MAX));
}

#[test]
fn a_jump_of_the_timestamps_is_a_new_stream_in_either_direction() {
    for jump in [1_000_000_u32, 0_u32.wrapping_sub(1_000_000)] {
        let start = origin();
        let mut buffer = Buffer::new(start, Codec::Pcma);
        let mut heard = 0;
        for n in 0..100_u32 {
            let now = start + FRAME * n;
            let timestamp = (n * 160).wrapping_add(if n < 50 { 0 } else { jump });
            buffer.insert(now, timestamp, Codec::Pcma, &[1]);
            if let Next::Packet(..) = buffer.next(now) {
                heard += 1;
                buffer.advance(160);
            }
        }
        assert_eq!(buffer.counts().resets, 1);
        assert!(heard >= 94, "{heard}");
    }
}

#[test]
fn a_change_of_the_codec_loses_nothing_while_the_clock_stays() {
    let start = origin();
    let mut buffer = Buffer::new(start, Codec::Pcma);
    let mut played = vec![];
    for n in 0..50_u8 {
        let now = start + FRAME * u32::from(n);
        let codec = [Codec::Pcma, Codec::G722, Codec::Pcmu][usize::from(n / 3 % 3)];
        buffer.insert(now, u32::from(n) * 160, codec, &[n]);
        if let Next::Packet(heard, payload) = buffer.next(now) {
            played.push((heard, payload[0]));
            buffer.advance(160);
        }
    }
    let expected: Vec<_> = (0..48)
        .map(|n| {
            (
                [Codec::Pcma, Codec::G722, Codec::Pcmu][usize::from(n / 3 % 3)],
                n,
            )
        })
        .collect();
    assert_eq!(played, expected);
    assert_eq!(buffer.counts(), Counts::default());
}

#[test]
fn with_another_clock_the_stream_begins_anew_and_goes_on_in_time() {
    let start = origin();
    let mut buffer = Buffer::new(start, Codec::Pcma);
    let mut heard = [0, 0];
    for n in 0..100_u32 {
        let now = start + FRAME * n;
        let (codec, step) = if n < 50 {
            (Codec::Pcma, 160)
        } else {
            (Codec::Opus, 960)
        };
        buffer.insert(now, n * step, codec, &[1]);
        if let Next::Packet(codec, _) = buffer.next(now) {
            heard[usize::from(codec == Codec::Opus)] += 1;
            buffer.advance(step);
        }
    }
    assert_eq!(buffer.counts().resets, 1);
    assert_eq!(heard, [48, 49]);
    assert_eq!(buffer.target(), Duration::from_millis(20), "learnt before");
}

#[test]
fn the_size_is_bounded_and_the_newest_are_kept() {
    let mut world = World::new();
    for n in 0..90 {
        world.arrive(0, n);
    }
    assert_eq!(world.buffer.counts().discarded, 50);
    world.read(1_000);
    assert_eq!(world.packets(), [50]);
    let long = [0; PAYLOAD_MAX + 1];
    world.buffer.insert(world.start, 0, Codec::Pcma, &long);
    assert_eq!(world.buffer.counts().discarded, 51);
}

/// Packets with random delays; nothing may panic, what comes out is in order, and nearly all of it.
#[test]
fn a_thousand_networks_come_out_in_order_and_nearly_whole() {
    for seed in 0..1_000 {
        let mut random = SmallRng::seed_from_u64(seed);
        let spread = random.random_range(1..80);
        let mut world = World::new();
        let mut arrivals: Vec<(u64, u16)> = (0..500)
            .map(|n| (20 * u64::from(n) + random.random_range(0..spread), n))
            .collect();
        arrivals.sort_unstable();
        let mut arrivals = arrivals.into_iter().peekable();
        for visit in 0..520 {
            let now = visit * 20;
            while let Some((at, n)) = arrivals.next_if(|(at, _)| *at <= now) {
                world.arrive(at, n);
            }
            world.read(now);
        }
        let packets = world.packets();
        assert!(
            packets.windows(2).all(|pair| pair[1] > pair[0]),
            "seed {seed}"
        );
        assert!(
            packets.len() >= 475,
            "seed {seed}, spread {spread}: {}",
            packets.len()
        );
    }
}

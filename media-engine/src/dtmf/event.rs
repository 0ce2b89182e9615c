//! Keys as telephone-events (RFC 4733): one press is a row of packets with one timestamp, of which
//! any may be lost, doubled or overtaken.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::Key;

/// Bytes of a telephone-event payload (RFC 4733 section 2.3).
pub const PAYLOAD: usize = 4;

/// Turns event packets into one key per press.
///
/// A press is known by its RTP timestamp. The key is reported with the first packet that arrives of
/// it, whichever that is, so the caller's menu reacts at once; everything else of that press is only
/// remembered. No end bit is needed: a new timestamp is a new press.
#[derive(Debug, Default)]
pub struct Receiver {
    /// The presses heard last, newest first. Empty places are `None`.
    heard: [Option<Press>; REMEMBERED],
    /// When keys were reported lately: the rate cap looks back on these.
    reported: [Option<Instant>; RATE_MAX],
    oldest: usize,
    ignored: u64,
}

#[derive(Clone, Copy, Debug)]
struct Press {
    code: u8,
    timestamp: u32,
    ended: bool,
}

impl Receiver {
    /// Takes the payload of an event packet with its RTP `timestamp`; returns the key if this packet
    /// is the first of a press.
    pub fn receive(&mut self, now: Instant, timestamp: u32, payload: &[u8]) -> Option<Key> {
        let Some(&[code, flags, ..]) = payload.first_chunk::<PAYLOAD>() else {
            self.ignored += 1;
            return None;
        };
        let Some(key) = Key::from_code(code) else {
            self.ignored += 1;
            return None;
        };
        let ended = flags & END != 0;
        if let Some(known) = self.known(timestamp) {
            known.ended |= ended;
            return None;
        }
        let continued = self.is_continued(code, timestamp);
        self.remember(Press {
            code,
            timestamp,
            ended,
        });
        if continued {
            return None;
        }
        if !self.is_rate_kept(now) {
            self.ignored += 1;
            return None;
        }
        Some(key)
    }

    /// Packets that were no key, or came faster than [`RATE_MAX`] presses a second.
    #[must_use]
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// Whether the last press was heard without its end so far: the tone may go on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.heard[0].is_some_and(|press| !press.ended)
    }

    /// Forgets everything: the sender starts anew (its timestamps too).
    pub fn restart(&mut self) {
        self.heard = [None; REMEMBERED];
    }

    fn known(&mut self, timestamp: u32) -> Option<&mut Press> {
        self.heard
            .iter_mut()
            .flatten()
            .find(|press| press.timestamp == timestamp)
    }

    /// RFC 4733 section 2.5.1.3: a key held so long that the duration field overflows goes on as a
    /// new segment, whose timestamp is the end of the one before.
    fn is_continued(&self, code: u8, timestamp: u32) -> bool {
        self.heard.iter().flatten().any(|press| {
            let step = timestamp.wrapping_sub(press.timestamp);
            press.code == code && !press.ended && (step == 0xffff || step == 0x1_0000)
        })
    }

    fn remember(&mut self, press: Press) {
        self.heard.rotate_right(1);
        self.heard[0] = Some(press);
    }

    fn is_rate_kept(&mut self, now: Instant) -> bool {
        let slot = &mut self.reported[self.oldest];
        if slot.is_some_and(|at| now.saturating_duration_since(at) < RATE_WINDOW) {
            return false;
        }
        *slot = Some(now);
        self.oldest = (self.oldest + 1) % RATE_MAX;
        true
    }
}

/// Sends keys: into an IVR of others, or past a bridge to a leg of another kind.
#[derive(Debug)]
pub struct Sender {
    clock: u32,
    waiting: VecDeque<Key>,
    state: State,
}

#[derive(Debug)]
enum State {
    Idle,
    /// The key is down since `timestamp`; `lasted` units of the event clock so far.
    Down {
        key: Key,
        timestamp: u32,
        lasted: u32,
        first: bool,
    },
    /// The end is repeated (RFC 4733 section 2.5.1.4).
    Ending {
        key: Key,
        timestamp: u32,
        lasted: u32,
        left: u8,
    },
    /// Silence between two keys.
    Pause {
        left: u32,
    },
}

/// One event packet to send in place of audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tone {
    /// The RTP timestamp of the press.
    pub timestamp: u32,
    /// Set on the first packet of a press.
    pub marker: bool,
    /// The payload.
    pub payload: [u8; PAYLOAD],
}

/// What goes out in a packet's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing is being pressed: audio.
    Audio,
    /// An event packet.
    Event(Tone),
    /// The pause between two keys: no packet, time passes.
    Nothing,
}

impl Sender {
    /// Creates an idle sender whose durations count in `clock` units per second.
    #[must_use]
    pub fn new(clock: u32) -> Self {
        Self {
            clock,
            waiting: VecDeque::new(),
            state: State::Idle,
        }
    }

    /// Queues a key; false when [`WAITING_MAX`] keys wait already.
    pub fn press(&mut self, key: Key) -> bool {
        if self.waiting.len() >= WAITING_MAX {
            return false;
        }
        self.waiting.push_back(key);
        true
    }

    /// Whether nothing is down and nothing waits.
    #[must_use]
    #[inline]
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle) && self.waiting.is_empty()
    }

    /// Decides on the packet that is due: `timestamp` is that of the audio it would carry, `packet_ms`
    /// its length.
    pub fn turn(&mut self, timestamp: u32, packet_ms: u32) -> Turn {
        let step = self.clock / 1_000 * packet_ms;
        match &mut self.state {
            State::Idle => self.start(timestamp, step),
            State::Down {
                key,
                timestamp,
                lasted,
                first,
            } => {
                *lasted += step;
                let ends = *lasted >= self.clock / 1_000 * TONE_MS;
                let tone = tone(*key, *timestamp, *lasted, std::mem::take(first), ends);
                if ends {
                    self.state = State::Ending {
                        key: *key,
                        timestamp: *timestamp,
                        lasted: *lasted,
                        left: END_PACKETS - 1,
                    };
                }
                Turn::Event(tone)
            }
            State::Ending {
                key,
                timestamp,
                lasted,
                left,
            } => {
                let tone = tone(*key, *timestamp, *lasted, false, true);
                *left -= 1;
                if *left == 0 {
                    self.state = State::Pause {
                        left: self.clock / 1_000 * PAUSE_MS,
                    };
                }
                Turn::Event(tone)
            }
            State::Pause { left } => {
                *left = left.saturating_sub(step);
                if *left == 0 {
                    self.state = State::Idle;
                }
                Turn::Nothing
            }
        }
    }

    fn start(&mut self, timestamp: u32, step: u32) -> Turn {
        let Some(key) = self.waiting.pop_front() else {
            return Turn::Audio;
        };
        self.state = State::Down {
            key,
            timestamp,
            lasted: step,
            first: false,
        };
        Turn::Event(tone(key, timestamp, step, true, false))
    }
}

fn tone(key: Key, timestamp: u32, lasted: u32, marker: bool, ends: bool) -> Tone {
    let [high, low] = u16::try_from(lasted).unwrap_or(u16::MAX).to_be_bytes();
    let flags = VOLUME | if ends { END } else { 0 };
    Tone {
        timestamp,
        marker,
        payload: [key.code(), flags, high, low],
    }
}

/// The duration field of an event payload in units of its clock; `None` if it is cut short.
#[must_use]
pub fn duration(payload: &[u8]) -> Option<u16> {
    payload
        .first_chunk::<PAYLOAD>()
        .map(|&[_, _, high, low]| u16::from_be_bytes([high, low]))
}

/// Presses remembered: packets of a press arrive within a second of it, in which nobody presses more.
const REMEMBERED: usize = 16;

/// Presses a second that are believed: speed dialling at 40 ms on and 40 off makes 12.
pub const RATE_MAX: usize = 16;
const RATE_WINDOW: Duration = Duration::from_secs(1);

/// Keys that may wait to be sent: longer than any number that is dialled.
pub const WAITING_MAX: usize = 64;

/// How long a key is down: RFC 4733 leaves it open; 100 ms is heard by every exchange.
const TONE_MS: u32 = 100;

/// Silence between keys: Q.24 asks for 40 ms, slow ones want more.
const PAUSE_MS: u32 = 80;

/// RFC 4733 section 2.5.1.4: the last packet is sent three times in all.
const END_PACKETS: u8 = 3;

const END: u8 = 0x80;

/// −10 dBm0 (RFC 4733 section 2.3.4).
const VOLUME: u8 = 10;

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::SmallRng, seq::SliceRandom};

    use super::*;

    fn payload(key: Key, ended: bool, duration: u16) -> [u8; 4] {
        let [high, low] = duration.to_be_bytes();
        [key.code(), if ended { END } else { 0 } | 10, high, low]
    }

    #[test]
    fn a_press_is_one_key_reported_with_its_first_packet() {
        let now = crate::rtp::origin();
        let mut receiver = Receiver::default();
        assert_eq!(
            receiver.receive(now, 1_000, &payload(Key::Five, false, 160)),
            Some(Key::Five)
        );
        for turn in 2..8 {
            assert_eq!(
                receiver.receive(now, 1_000, &payload(Key::Five, false, turn * 160)),
                None
            );
        }
        assert!(receiver.is_open());
        for _ in 0..3 {
            assert_eq!(
                receiver.receive(now, 1_000, &payload(Key::Five, true, 1_280)),
                None
            );
        }
        assert!(!receiver.is_open());
    }

    #[test]
    fn the_last_end_packet_alone_is_enough() {
        let now = crate::rtp::origin();
        let mut receiver = Receiver::default();
        assert_eq!(
            receiver.receive(now, 1_000, &payload(Key::Star, true, 800)),
            Some(Key::Star)
        );
    }

    #[test]
    fn the_same_key_twice_is_two_keys_even_if_the_first_end_is_lost() {
        let now = crate::rtp::origin();
        let mut receiver = Receiver::default();
        assert_eq!(
            receiver.receive(now, 1_000, &payload(Key::One, false, 160)),
            Some(Key::One)
        );
        assert_eq!(
            receiver.receive(now, 2_600, &payload(Key::One, false, 160)),
            Some(Key::One)
        );
        // A straggler of the first press after the second began.
        assert_eq!(
            receiver.receive(now, 1_000, &payload(Key::One, true, 800)),
            None
        );
    }

    #[test]
    fn a_key_held_for_half_a_minute_is_one_key() {
        let start = crate::rtp::origin();
        let mut receiver = Receiver::default();
        let mut keys = 0;
        for packet in 0..1_500_u32 {
            let lasted = (packet + 1) * 160;
            let segment = lasted / 0xffff;
            let now = start + Duration::from_millis(20) * packet;
            let within = u16::try_from(lasted - segment * 0xffff).expect("below 0xffff");
            let timestamp = 0xffff_0000_u32.wrapping_add(segment * 0xffff);
            keys += usize::from(
                receiver
                    .receive(now, timestamp, &payload(Key::Nine, false, within))
                    .is_some(),
            );
        }
        assert_eq!(keys, 1);
    }

    #[test]
    fn what_is_no_key_is_ignored_and_counted() {
        let now = crate::rtp::origin();
        let mut receiver = Receiver::default();
        for code in 16..=255 {
            assert_eq!(
                receiver.receive(now, u32::from(code), &[code, 0, 0, 160]),
                None
            );
        }
        assert_eq!(receiver.receive(now, 0, &[1, 0, 0]), None);
        assert_eq!(receiver.ignored(), 241);
    }

    #[test]
    fn a_flood_of_presses_is_capped() {
        let start = crate::rtp::origin();
        let mut receiver = Receiver::default();
        let keys = (0..10_000_u32)
            .filter(|turn| {
                let now = start + Duration::from_millis(1) * *turn;
                receiver
                    .receive(now, turn * 7, &payload(Key::Two, false, 1))
                    .is_some()
            })
            .count();
        assert_eq!(keys, 10 * RATE_MAX);
    }

    #[test]
    fn the_sender_marks_the_start_and_ends_three_times() {
        let mut sender = Sender::new(8_000);
        assert_eq!(sender.turn(0, 20), Turn::Audio);
        assert!(sender.press(Key::Seven));
        let mut sent = vec![];
        let mut timestamp = 5_000;
        while !sender.is_idle() {
            if let Turn::Event(tone) = sender.turn(timestamp, 20) {
                let [code, flags, high, low] = tone.payload;
                assert_eq!((code, tone.timestamp), (7, 5_000));
                sent.push((
                    tone.marker,
                    flags & END != 0,
                    u16::from_be_bytes([high, low]),
                ));
            }
            timestamp += 160;
        }
        assert_eq!(
            sent,
            [
                (true, false, 160),
                (false, false, 320),
                (false, false, 480),
                (false, false, 640),
                (false, true, 800),
                (false, true, 800),
                (false, true, 800),
            ]
        );
        assert_eq!(timestamp, 5_000 + (7 + 4) * 160, "80 ms of pause follow");
    }

    /// Keys of one call through a network that loses, doubles and reorders: each press of which any
    /// packet arrives is one key, and nothing else is.
    #[test]
    fn one_press_is_one_key_over_a_thousand_seeds() {
        for seed in 0..1_000 {
            let mut random = SmallRng::seed_from_u64(seed);
            let mut sender = Sender::new(8_000);
            let pressed: Vec<Key> = (0..10)
                .map(|_| Key::ALL[random.random_range(0..16)])
                .collect();
            pressed.iter().for_each(|key| assert!(sender.press(*key)));
            let mut timestamp: u32 = random.random();
            let mut arriving = vec![];
            let mut time = 0;
            while !sender.is_idle() {
                if let Turn::Event(tone) = sender.turn(timestamp, 20) {
                    for _ in 0..random.random_range(1..=2) {
                        if random.random_range(0..100) < 70 {
                            arriving.push((time + random.random_range(0..150), tone));
                        }
                    }
                }
                timestamp = timestamp.wrapping_add(160);
                time += 20;
            }
            arriving.shuffle(&mut random);
            arriving.sort_by_key(|(at, _)| *at);
            let mut presses: Vec<u32> = arriving.iter().map(|(_, tone)| tone.timestamp).collect();
            presses.sort_unstable();
            presses.dedup();

            let start = crate::rtp::origin();
            let mut receiver = Receiver::default();
            let keys: Vec<Key> = arriving
                .iter()
                .filter_map(|(at, tone)| {
                    let now = start + Duration::from_millis(*at);
                    receiver.receive(now, tone.timestamp, &tone.payload)
                })
                .collect();
            assert_eq!(keys.len(), presses.len(), "seed {seed}");
            if keys.len() == pressed.len() {
                // A press whose first packets are lost can be overtaken by the next one, no more.
                let (mut keys, mut pressed) = (keys, pressed);
                keys.sort_unstable();
                pressed.sort_unstable();
                assert_eq!(keys, pressed, "seed {seed}");
            }
        }
    }
}

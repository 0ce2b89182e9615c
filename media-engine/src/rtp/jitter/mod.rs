//! The jitter buffer: packets come when they come, audio leaves when it is due.
//!
//! ```text
//!  insert ─▶ [ packets by timestamp ] ─▶ next ─▶ Packet: decode it
//!              Idle ▶ Filling ▶ Playing        ├▶ Lost:   conceal 20 ms, the packet will not be waited for
//!                                              ├▶ Dry:    conceal 20 ms, it may still come (the delay grows)
//!                                              └▶ Nothing: silence
//!  advice ─▶ Keep · Shrink · Stretch: clock drift and changes of the target, made in the PCM
//! ```
//!
//! Driven by told time alone: arrivals carry the kernel's stamp, and the reader asks once per frame.

mod delay;

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::codec::{Codec, FRAMES_PER_SECOND};
use delay::Delay;

/// Packets of one stream in the order of their timestamps.
#[derive(Debug)]
pub struct Buffer {
    frame_ticks: i64,
    clock: i64,
    slots: Box<[Slot]>,
    free: Vec<u8>,
    /// Slots in use, the earliest first.
    order: VecDeque<u8>,
    extended: Option<Extended>,
    delay: Delay,
    state: State,
    counts: Counts,
}

#[derive(Clone, Debug)]
struct Slot {
    timestamp: i64,
    codec: Codec,
    length: usize,
    payload: [u8; PAYLOAD_MAX],
}

/// The last timestamp as it came and without its wraps.
#[derive(Clone, Copy, Debug)]
struct Extended {
    raw: u32,
    whole: i64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// No stream, or it paused.
    Idle,
    /// Packets are held back until the first is due.
    Filling,
    /// Audio of `next` is due with the next call; `dry` frames were concealed while waiting for it.
    Playing { next: i64, dry: u16, late: u16 },
}

/// What was done with packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Came after their time.
    pub late: u64,
    /// Came twice.
    pub duplicate: u64,
    /// Dropped because the buffer was full or the payload longer than [`PAYLOAD_MAX`].
    pub discarded: u64,
    /// Frames concealed for packets that did not come in time.
    pub concealed: u64,
    /// Times the stream was taken up anew after a jump of its timestamps or a change of its clock.
    pub resets: u64,
}

/// What to play next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// This payload of this codec; tell its length with [`Buffer::advance`].
    Packet(Codec, &'a [u8]),
    /// Conceal one frame for a packet that is given up.
    Lost,
    /// Conceal one frame: nothing is there, and what comes next follows it.
    Dry,
    /// Silence.
    Nothing,
}

/// How the PCM should be changed to bring the delay to its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Leave it.
    Keep,
    /// Leave some audio out: a silent frame, or if `urgent` a pitch period of speech too.
    Shrink {
        /// Far off.
        urgent: bool,
    },
    /// Play some audio twice: a silent frame, or if `urgent` a pitch period of speech too.
    Stretch {
        /// Far off.
        urgent: bool,
    },
}

impl Buffer {
    /// Creates an empty buffer for a stream that begins in this codec. This allocates; nothing else
    /// does.
    #[must_use]
    pub fn new(now: Instant, codec: Codec) -> Self {
        let clock = codec.rtp_clock();
        let slot = Slot {
            timestamp: 0,
            codec,
            length: 0,
            payload: [0; PAYLOAD_MAX],
        };
        Self {
            frame_ticks: i64::from(clock / FRAMES_PER_SECOND),
            clock: i64::from(clock),
            slots: vec![slot; usize::from(SLOTS)].into(),
            free: (0..SLOTS).collect(),
            order: VecDeque::with_capacity(usize::from(SLOTS)),
            extended: None,
            delay: Delay::new(now, clock),
            state: State::Idle,
            counts: Counts::default(),
        }
    }

    /// What was done with packets so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The delay that is aimed at.
    #[must_use]
    pub fn target(&self) -> Duration {
        self.delay.target()
    }

    /// How long audio that is played `now` has been held back; `None` while nothing plays.
    #[must_use]
    pub fn held_back(&self, now: Instant) -> Option<Duration> {
        let State::Playing { next, .. } = self.state else {
            return None;
        };
        Some(Duration::from_nanos(
            u64::try_from(self.delay.at(now, next)).unwrap_or(0),
        ))
    }

    /// Forgets the stream: another begins (a new SSRC, a restarted sender).
    pub fn reset(&mut self) {
        while let Some(slot) = self.order.pop_front() {
            self.free.push(slot);
        }
        self.extended = None;
        self.delay.rebase();
        self.state = State::Idle;
    }

    /// Puts a packet in its place. `arrival` is when it reached this machine.
    ///
    /// The sender may change to another codec with any packet. If its clock differs, timestamps before
    /// and behind the change cannot be compared (RFC 7160), and the stream begins anew.
    pub fn insert(&mut self, arrival: Instant, timestamp: u32, codec: Codec, payload: &[u8]) {
        if payload.len() > PAYLOAD_MAX {
            self.counts.discarded += 1;
            return;
        }
        if i64::from(codec.rtp_clock()) != self.clock {
            self.counts.resets += 1;
            self.reset();
            self.set_clock(codec.rtp_clock());
        }
        let mut whole = self.extend(timestamp);
        if self.is_jump(whole) {
            self.counts.resets += 1;
            self.reset();
            whole = self.extend(timestamp);
        }
        self.delay.note(arrival, whole);
        if let State::Playing { next, late, .. } = &mut self.state {
            if whole < *next {
                *late = late.saturating_add(1);
                self.counts.late += 1;
                return;
            }
            *late = 0;
        }
        self.keep(whole, codec, payload);
        if matches!(self.state, State::Idle) {
            self.state = State::Filling;
        }
    }

    /// Says what the next frame is made of. Call as often as audio is wanting.
    pub fn next(&mut self, now: Instant) -> Next<'_> {
        if matches!(self.state, State::Filling) {
            self.begin_if_due(now);
        }
        let State::Playing { next, dry, .. } = &mut self.state else {
            return Next::Nothing;
        };
        let Some(front) = self.order.front() else {
            self.counts.concealed += 1;
            *dry += 1;
            if *dry >= DRY_MAX {
                self.state = State::Idle;
            }
            return Next::Dry;
        };
        let slot = usize::from(*front);
        let mut gap = self.slots[slot].timestamp - *next;
        if gap > 0 && *dry > 0 {
            // What was concealed while nothing came stood for the packets that were lost.
            *next += gap.min(i64::from(*dry) * self.frame_ticks);
            gap = self.slots[slot].timestamp - *next;
        }
        *dry = 0;
        if gap > self.clock / SPURT_GAPS_PER_SECOND {
            self.state = State::Filling; // the sender paused
            return Next::Nothing;
        }
        if gap > 0 {
            self.counts.concealed += 1;
            let target = i64::try_from(self.delay.target().as_nanos()).unwrap_or(0);
            if self.delay.at(now, *next) < target {
                return Next::Dry; // a deeper buffer would have had it, so deepen it
            }
            *next += gap.min(self.frame_ticks);
            return Next::Lost;
        }
        self.free.extend(self.order.pop_front());
        let slot = &self.slots[slot];
        *next = slot.timestamp;
        Next::Packet(slot.codec, &slot.payload[..slot.length])
    }

    /// The last [`Next::Packet`] held this much audio, in timestamp units.
    pub fn advance(&mut self, ticks: u32) {
        if let State::Playing { next, .. } = &mut self.state {
            *next += i64::from(ticks);
        }
    }

    /// Compares the delay with its target; `ahead` is audio that has been taken out and not played
    /// yet, in timestamp units.
    #[must_use]
    pub fn advice(&self, now: Instant, ahead: u32) -> Advice {
        let State::Playing { next, .. } = self.state else {
            return Advice::Keep;
        };
        let target = i64::try_from(self.delay.target().as_nanos()).unwrap_or(0);
        let off = self.delay.at(now, next - i64::from(ahead)) - target;
        if off > TOO_LONG {
            Advice::Shrink {
                urgent: off > TOO_LONG_BY_FAR,
            }
        } else if off < TOO_SHORT {
            Advice::Stretch {
                urgent: off < TOO_SHORT_BY_FAR,
            }
        } else {
            Advice::Keep
        }
    }

    fn extend(&mut self, timestamp: u32) -> i64 {
        let whole = self.extended.map_or(0, |last| {
            last.whole + i64::from(timestamp.wrapping_sub(last.raw).cast_signed())
        });
        self.extended = Some(Extended {
            raw: timestamp,
            whole,
        });
        whole
    }

    fn set_clock(&mut self, clock: u32) {
        self.frame_ticks = i64::from(clock / FRAMES_PER_SECOND);
        self.clock = i64::from(clock);
        self.delay.set_clock(clock);
    }

    /// Whether a timestamp is so far off, or so many were late in a row, that the sender must have
    /// begun anew.
    fn is_jump(&self, timestamp: i64) -> bool {
        match self.state {
            State::Idle | State::Filling => {
                let latest = self
                    .order
                    .back()
                    .map(|slot| self.slots[usize::from(*slot)].timestamp);
                latest.is_some_and(|latest| (timestamp - latest).abs() > JUMP_SECONDS * self.clock)
            }
            State::Playing { next, late, .. } => {
                (timestamp - next).abs() > JUMP_SECONDS * self.clock || late >= LATE_MAX
            }
        }
    }

    fn keep(&mut self, timestamp: i64, codec: Codec, payload: &[u8]) {
        // From the back: nearly every packet is the latest.
        let mut place = self.order.len();
        while place > 0 {
            let other = self.slots[usize::from(self.order[place - 1])].timestamp;
            if other == timestamp {
                self.counts.duplicate += 1;
                return;
            }
            if other < timestamp {
                break;
            }
            place -= 1;
        }
        let Some(slot) = self.free.pop().or_else(|| self.drop_earliest(&mut place)) else {
            return;
        };
        let kept = &mut self.slots[usize::from(slot)];
        kept.timestamp = timestamp;
        kept.codec = codec;
        kept.length = payload.len();
        kept.payload[..payload.len()].copy_from_slice(payload);
        self.order.insert(place, slot);
    }

    /// The buffer is full: what is oldest goes, and playing goes on behind it.
    fn drop_earliest(&mut self, place: &mut usize) -> Option<u8> {
        let slot = self.order.pop_front()?;
        self.counts.discarded += 1;
        *place = place.saturating_sub(1);
        if let (State::Playing { next, .. }, Some(front)) = (&mut self.state, self.order.front()) {
            *next = (*next).max(self.slots[usize::from(*front)].timestamp);
        }
        Some(slot)
    }

    fn begin_if_due(&mut self, now: Instant) {
        let Some(front) = self.order.front() else {
            return;
        };
        let next = self.slots[usize::from(*front)].timestamp;
        let target = i64::try_from(self.delay.target().as_nanos()).unwrap_or(0);
        if self.delay.at(now, next) >= target {
            self.state = State::Playing {
                next,
                dry: 0,
                late: 0,
            };
        }
    }
}

/// The least delay: one frame, because the reader comes by once per frame.
pub const DELAY_MIN: Duration = Duration::from_millis(20);

/// The greatest delay: beyond it people talk into each other, and losing a packet is the lesser evil.
pub const DELAY_MAX: Duration = Duration::from_millis(300);

/// The longest payload: 60 ms of G.711 or G.722; Opus for speech stays below.
pub const PAYLOAD_MAX: usize = 480;

/// Packets held: [`DELAY_MAX`] in packets of 10 ms, and a third more for bursts.
const SLOTS: u8 = 40;

/// Frames concealed in a row after which a stream counts as paused: 200 ms; concealment has faded out.
const DRY_MAX: u16 = 10;

/// A gap longer than a fifth of a second is a pause of the sender, not loss.
const SPURT_GAPS_PER_SECOND: i64 = 5;

/// Timestamps this many seconds away belong to another stream.
const JUMP_SECONDS: i64 = 2;

/// Packets too late in a row after which the sender's clock must have been set back: half a second.
const LATE_MAX: u16 = 25;

/// Nanoseconds beyond the target at which a silent frame is left out (then 5 ms are still too many),
/// and at which speech is shortened.
const TOO_LONG: i64 = 25_000_000;
const TOO_LONG_BY_FAR: i64 = 60_000_000;

/// Nanoseconds short of the target at which a silent frame is played twice, and speech is lengthened:
/// early, for the slowest packets need the whole target.
const TOO_SHORT: i64 = -4_000_000;
const TOO_SHORT_BY_FAR: i64 = -8_000_000;

#[cfg(test)]
mod tests;

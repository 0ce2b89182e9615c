//! Listening: from packets as they come to a frame of PCM every 20 ms.

use std::time::{Duration, Instant};

use super::{
    decoded::Decoded,
    rate::{FRAME_MAX, Halver},
};
use crate::{
    codec::{Codec, FRAME},
    dtmf::{Key, inband},
    rtp::{
        conceal,
        jitter::{Advice, Buffer, Counts, Next},
    },
};

/// Jitter buffer and what was decoded of it. A leg has one only while somebody listens.
#[derive(Debug)]
pub(super) struct Ear {
    buffer: Buffer,
    decoded: Decoded,
    /// The frame that is played, at its `rate`.
    rate: u32,
    frame: [i16; FRAME_MAX],
    narrow: [i16; FRAME_MAX / 2],
    halver: Halver,
    detector: Option<Box<inband::Detector>>,
    held_back: Option<Duration>,
    next_frame: Instant,
    /// The length of the audio is changed at most every [`CHANGE_PAUSE`].
    next_change: Instant,
}

/// What one frame brought besides audio.
pub(super) struct Turn {
    /// A key that sounded in the audio.
    pub(super) key: Option<Key>,
}

impl Ear {
    pub(super) fn new(now: Instant, codec: Codec) -> Self {
        Self {
            buffer: Buffer::new(now, codec),
            decoded: Decoded::new(codec),
            rate: codec.sample_rate(),
            frame: [0; FRAME_MAX],
            narrow: [0; FRAME_MAX / 2],
            halver: Halver::new(),
            detector: None,
            held_back: None,
            next_frame: now,
            next_change: now,
        }
    }

    /// Whether tones in the audio should be reported as keys.
    pub(super) fn detect_keys(&mut self, wanted: bool) {
        if wanted != self.detector.is_some() {
            self.detector = wanted.then(Box::default);
        }
    }

    /// The stream begins anew.
    pub(super) fn restart(&mut self) {
        self.buffer.reset();
    }

    #[inline]
    pub(super) fn insert(
        &mut self,
        arrival: Instant,
        timestamp: u32,
        codec: Codec,
        payload: &[u8],
    ) {
        self.buffer.insert(arrival, timestamp, codec, payload);
    }

    pub(super) fn counts(&self) -> Counts {
        self.buffer.counts()
    }

    /// How long audio was held back in the last frame.
    pub(super) fn held_back(&self) -> Option<Duration> {
        self.held_back
    }

    /// Samples per second of the last frame.
    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    /// The last frame at its codec's rate.
    pub(super) fn frame(&self) -> &[i16] {
        let whole = if self.is_wide() {
            FRAME_MAX
        } else {
            FRAME_MAX / 2
        };
        &self.frame[..whole]
    }

    /// The last frame at 8 kHz.
    pub(super) fn narrow(&self) -> &[i16] {
        if self.is_wide() {
            &self.narrow
        } else {
            self.frame()
        }
    }

    /// Plays the next frame if one is due.
    pub(super) fn turn(&mut self, now: Instant) -> Option<Turn> {
        if now.saturating_duration_since(self.next_frame) > super::LATE_MAX {
            self.next_frame = now; // the visits stopped for a while
        }
        if now + super::EARLY < self.next_frame {
            return None;
        }
        self.next_frame += FRAME;
        self.play_frame(now);
        self.held_back = self.buffer.held_back(now);
        if self.is_wide() {
            self.halver.halve(&self.frame, &mut self.narrow);
        }
        let narrow: &[i16] = if self.is_wide() {
            &self.narrow
        } else {
            &self.frame[..FRAME_MAX / 2]
        };
        let key = self
            .detector
            .as_mut()
            .and_then(|detector| detector.listen(narrow));
        Some(Turn { key })
    }

    fn play_frame(&mut self, now: Instant) {
        self.refill(now, 1);
        let is_played = self.change_length(now);
        self.refill(now, 1);
        self.rate = self.decoded.rate();
        let frame = self.decoded.frame();
        self.frame[..frame.len()].copy_from_slice(frame);
        if is_played {
            self.decoded.consume();
        }
    }

    /// Brings the delay nearer to its target; returns false if the next frame is to be played twice.
    fn change_length(&mut self, now: Instant) -> bool {
        if now < self.next_change {
            return true;
        }
        let quiet = conceal::is_quiet(self.decoded.frame());
        match self.buffer.advice(now, self.decoded.ticks()) {
            Advice::Keep => return true,
            Advice::Shrink { .. } if quiet => self.decoded.consume(),
            Advice::Stretch { .. } if quiet => {
                self.next_change = now + CHANGE_PAUSE;
                return false;
            }
            Advice::Shrink { urgent: true } => {
                self.refill(now, 2);
                self.decoded.shorten();
            }
            Advice::Stretch { urgent: true } => {
                self.refill(now, 2);
                self.decoded.lengthen();
            }
            Advice::Shrink { urgent: false } | Advice::Stretch { urgent: false } => return true,
        }
        self.next_change = now + CHANGE_PAUSE;
        true
    }

    fn refill(&mut self, now: Instant, frames: usize) {
        while !self.decoded.has(frames) {
            match self.buffer.next(now) {
                Next::Packet(codec, payload) => {
                    let ticks = self.decoded.take(codec, payload);
                    self.buffer.advance(ticks);
                }
                Next::Nothing => self.decoded.pause(),
                Next::Lost | Next::Dry => self.decoded.conceal(),
            }
        }
    }

    fn is_wide(&self) -> bool {
        self.rate > 8_000
    }
}

/// Between two changes of the length, so that nobody hears them: five a second make up for a clock that
/// is off by a hundredth.
const CHANGE_PAUSE: Duration = Duration::from_millis(200);

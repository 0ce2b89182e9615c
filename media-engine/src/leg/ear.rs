//! Listening: from packets as they come to a frame of PCM every 20 ms.

use std::time::{Duration, Instant};

use super::{
    decoded::Decoded,
    mix::{Voice, Wanted},
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
    /// What was played last.
    voice: Voice,
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
    /// Listens from frame number `said` on.
    pub(super) fn new(now: Instant, codec: Codec, said: u64) -> Self {
        Self {
            buffer: Buffer::new(now, codec),
            decoded: Decoded::new(codec),
            voice: Voice::new(said),
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

    /// In what form frames are kept.
    pub(super) fn keep(&mut self, wanted: Wanted) {
        self.voice.keep_wide(wanted == Wanted::Wide);
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

    /// What was played last.
    pub(super) fn voice(&self) -> &Voice {
        &self.voice
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
        let narrow = self.voice.last();
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
        self.voice.say(self.decoded.frame());
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
}

/// Between two changes of the length, so that nobody hears them: five a second make up for a clock that
/// is off by a hundredth.
const CHANGE_PAUSE: Duration = Duration::from_millis(200);

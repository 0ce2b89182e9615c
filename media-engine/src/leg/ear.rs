//! Listening: from packets as they come to a frame of PCM every 20 ms.

use std::time::{Duration, Instant};

use super::rate::{FRAME_MAX, Halver};
use crate::{
    codec::{Codec, Decoder, FRAME, PACKET_SAMPLES_MAX},
    dtmf::{Key, inband},
    rtp::{
        conceal::{self, Concealer},
        jitter::{Advice, Buffer, Counts, Next},
    },
};

/// Jitter buffer, decoder, concealment and the queue of decoded audio. A leg has one only while
/// somebody listens.
#[derive(Debug)]
pub(super) struct Ear {
    codec: Codec,
    buffer: Buffer,
    decoder: Decoder,
    concealer: Concealer,
    /// Decoded and not played: the first `queued` samples.
    queue: Box<[i16; QUEUE]>,
    queued: usize,
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
            codec,
            buffer: Buffer::new(now, codec.rtp_clock()),
            decoder: Decoder::new(codec),
            concealer: Concealer::new(codec.sample_rate()),
            queue: Box::new([0; QUEUE]),
            queued: 0,
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
    pub(super) fn insert(&mut self, arrival: Instant, timestamp: u32, payload: &[u8]) {
        self.buffer.insert(arrival, timestamp, payload);
    }

    pub(super) fn counts(&self) -> Counts {
        self.buffer.counts()
    }

    /// How long audio was held back in the last frame.
    pub(super) fn held_back(&self) -> Option<Duration> {
        self.held_back
    }

    /// The last frame at the codec's rate.
    pub(super) fn frame(&self) -> &[i16] {
        &self.frame[..self.codec.frame_samples()]
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
        let samples = self.codec.frame_samples();
        self.refill(now, samples);
        let consumed = self.change_length(now);
        self.refill(now, samples);
        self.frame[..samples].copy_from_slice(&self.queue[..samples]);
        if consumed {
            self.consume(samples);
        }
    }

    /// Brings the delay nearer to its target; returns false if the next frame is to be played twice.
    fn change_length(&mut self, now: Instant) -> bool {
        let samples = self.codec.frame_samples();
        if now < self.next_change {
            return true;
        }
        let rate = self.codec.sample_rate();
        let quiet = conceal::is_quiet(&self.queue[..samples]);
        match self.buffer.advice(now, self.ticks(self.queued)) {
            Advice::Keep => return true,
            Advice::Shrink { .. } if quiet => self.consume(samples),
            Advice::Stretch { .. } if quiet => {
                self.next_change = now + CHANGE_PAUSE;
                return false;
            }
            Advice::Shrink { urgent: true } => {
                self.refill(now, 2 * samples);
                self.queued = conceal::shorten(&mut self.queue[..self.queued], rate);
            }
            Advice::Stretch { urgent: true } => {
                self.refill(now, 2 * samples);
                self.queued = conceal::lengthen(&mut self.queue[..], self.queued, rate);
            }
            Advice::Shrink { urgent: false } | Advice::Stretch { urgent: false } => return true,
        }
        self.next_change = now + CHANGE_PAUSE;
        true
    }

    fn refill(&mut self, now: Instant, samples: usize) {
        while self.queued < samples {
            let room = &mut self.queue[self.queued..];
            let frame = self.codec.frame_samples();
            let decoded = match self.buffer.next(now) {
                Next::Packet(payload) => self.decoder.decode(payload, room).ok(),
                Next::Nothing => {
                    room[..frame].fill(0);
                    self.queued += frame;
                    continue;
                }
                Next::Lost | Next::Dry => {
                    self.conceal();
                    continue;
                }
            };
            match decoded {
                Some(length) if length > 0 => {
                    self.concealer.hear(&mut room[..length]);
                    self.queued += length;
                    self.buffer.advance(ticks(self.codec, length));
                }
                Some(_) | None => {
                    self.conceal();
                    self.buffer.advance(self.codec.frame_ticks());
                }
            }
        }
    }

    fn conceal(&mut self) {
        let frame = self.codec.frame_samples();
        let room = &mut self.queue[self.queued..self.queued + frame];
        if self.decoder.conceal(room) {
            self.concealer.remember(room);
        } else {
            self.concealer.conceal(room);
        }
        self.queued += frame;
    }

    fn consume(&mut self, samples: usize) {
        self.queue.copy_within(samples..self.queued, 0);
        self.queued -= samples;
    }

    fn ticks(&self, samples: usize) -> u32 {
        ticks(self.codec, samples)
    }

    fn is_wide(&self) -> bool {
        self.codec.sample_rate() > 8_000
    }
}

/// Samples of PCM in units of the RTP clock.
fn ticks(codec: Codec, samples: usize) -> u32 {
    let samples = u64::try_from(samples).unwrap_or(0);
    let ticks = samples * u64::from(codec.rtp_clock()) / u64::from(codec.sample_rate());
    u32::try_from(ticks).unwrap_or(0)
}

/// Two frames that wait, the longest packet behind them, and room to lengthen by a pitch period.
const QUEUE: usize = 2 * FRAME_MAX + PACKET_SAMPLES_MAX + FRAME_MAX;

/// Between two changes of the length, so that nobody hears them: five a second make up for a clock that
/// is off by a hundredth.
const CHANGE_PAUSE: Duration = Duration::from_millis(200);

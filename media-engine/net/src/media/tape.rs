//! The media thread's ends of recordings: frames leave by a bounded channel, nothing waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use media_engine::codec::FRAME;
use media_engine::leg::Cursor;

/// Samples of 20 ms at 8 kHz.
pub(super) const SAMPLES: usize = 160;

/// Samples of 20 ms of a call: left and right in turn.
pub(super) const STEREO: usize = 2 * SAMPLES;

/// Frames of a call written at once; what is missing beyond is silence that the writer adds.
const BEHIND_MAX: Duration = Duration::from_millis(200);

/// 20 ms on their way to the writer.
pub(super) struct Frame<const SAMPLES: usize> {
    /// Which since the beginning: what was lost before it becomes silence.
    pub(super) number: u32,
    pub(super) samples: [i16; SAMPLES],
}

/// Hands frames on, or counts them as lost.
pub(super) struct Reel<const SAMPLES: usize> {
    frames: SyncSender<Frame<SAMPLES>>,
    lost: Arc<AtomicU64>,
    number: u32,
}

impl<const SAMPLES: usize> Reel<SAMPLES> {
    pub(super) fn new(frames: SyncSender<Frame<SAMPLES>>, lost: Arc<AtomicU64>) -> Self {
        Self {
            frames,
            lost,
            number: 0,
        }
    }

    /// Hands on one frame; never waits.
    pub(super) fn record(&mut self, samples: [i16; SAMPLES]) {
        let number = self.number;
        self.number = number.saturating_add(1);
        if self.frames.try_send(Frame { number, samples }).is_err() {
            self.lost.fetch_add(1, Relaxed);
        }
    }
}

/// A voice message: what one peer says. Dropping it ends the recording.
pub(super) type Tape = Reel<SAMPLES>;

/// A call: what one peer says on the left, what it hears of its sources on the right, in step with the
/// clock. Dropping it ends the recording.
pub(super) struct CallTape {
    reel: Reel<STEREO>,
    begun: Instant,
    /// How much of the leg's own peer is on it.
    pub(super) own: Option<Cursor>,
    paused: bool,
}

impl CallTape {
    /// A tape that begins now.
    pub(super) fn new(now: Instant, reel: Reel<STEREO>) -> Self {
        Self {
            reel,
            begun: now,
            own: None,
            paused: false,
        }
    }

    /// While paused, silence is recorded in place of what is said.
    pub(super) fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Whether 20 ms are to be recorded. After a time without visits what was missed is left out.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let behind = now.saturating_duration_since(self.begun + FRAME * self.reel.number);
        if behind > BEHIND_MAX {
            let missed = behind.as_nanos() / FRAME.as_nanos();
            self.reel.number += u32::try_from(missed).unwrap_or(0);
        }
        self.begun + FRAME * self.reel.number <= now
    }

    /// Records the first 20 ms of both sides at 8 kHz.
    pub(super) fn record(&mut self, left: &[i16], right: &[i16]) {
        let mut samples = [0; STEREO];
        if !self.paused {
            for (pair, (left, right)) in samples.chunks_exact_mut(2).zip(left.iter().zip(right)) {
                pair.copy_from_slice(&[*left, *right]);
            }
        }
        self.reel.record(samples);
    }
}

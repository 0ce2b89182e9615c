//! An uploaded file (mp3, wav, flac, ogg) becomes samples, or a clear error.
//!
//! ```text
//!  bytes ─▶ Intake::open (size, kind, rate, channels) ─▶ step, step, step … ─▶ finish ─▶ Upload
//!                          each step: about a second decoded, mixed to one channel, resampled to 16 kHz
//! ```
//!
//! Anybody who may upload may upload anything. What a file claims is never believed: nothing is
//! allocated by a number that stands in it beyond the limits below, what is decoded is counted, and a
//! decoder that panics on a crafted file ends that upload alone. Memory is bounded by [`DURATION_MAX`] at 16 kHz, not by
//! the file.

mod container;
mod opus;
mod streamed;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use bytes::Bytes;

use super::{
    Mono, duration_of, loudness,
    prompt::WIDE,
    resample::{ResampleError, Resampler},
};
use container::Container;
use opus::OggOpus;

/// Bytes of an upload: five minutes as on a CD. The longest prompts are waiting music, which comes as
/// mp3 and is a tenth of that.
pub const SIZE_MAX: usize = 50 * 1_024 * 1_024;

/// How long a prompt may play. Waiting music is the longest; 15 minutes take 43 MB as samples at
/// both rates.
pub const DURATION_MAX: Duration = Duration::from_secs(15 * 60);

/// Sample rates from the worst telephone to the best studio, in Hz.
pub const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// Channels up to what a film has.
pub const CHANNELS_MAX: usize = 8;

/// How much one [`Intake::step`] decodes: a few milliseconds of CPU.
const STEP: Duration = Duration::from_secs(1);

/// Packets of one step, for files whose packets hold nothing.
const STEP_PACKETS: usize = 256;

/// A file is damaged when more than one packet in this many cannot be decoded; a single broken frame
/// at the start of a cut mp3 is common and inaudible.
const BAD_PACKETS: u64 = 10;

/// The share of the claimed length that may be missing, in percent: encoders round to whole packets.
const MISSING_PERCENT: u64 = 2;

/// The missing length that is never minded, for the same reason.
const MISSING: Duration = Duration::from_millis(200);

/// Why an upload is no prompt. It is always the file; [`IntakeError::code`] is for whoever words it.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// No bytes, or no samples in them.
    #[error("the file holds no audio")]
    Empty,
    /// More than [`SIZE_MAX`] bytes.
    #[error("{bytes} bytes, at most {SIZE_MAX}")]
    TooLarge {
        /// The size of the file.
        bytes: usize,
    },
    /// It plays longer than [`DURATION_MAX`].
    #[error("longer than {DURATION_MAX:?}")]
    TooLong,
    /// None of the kinds of file that we read.
    #[error("neither mp3, wav, flac nor ogg")]
    UnknownKind,
    /// The kind is known, what is in it is not.
    #[error("cannot decode this: {0}")]
    Unsupported(String),
    /// A sample rate outside [`RATES`].
    #[error("{0} samples per second")]
    Rate(u32),
    /// No channel, or more than [`CHANNELS_MAX`].
    #[error("{0} channels")]
    Channels(usize),
    /// The file says that there is more in it: an upload that broke off.
    #[error("{found:?} of audio where the file says {claimed:?}")]
    Truncated {
        /// What the file says that it plays.
        claimed: Duration,
        /// What was there.
        found: Duration,
    },
    /// It cannot be read to its end.
    #[error("damaged: {0}")]
    Damaged(String),
    /// All of it is silence: most likely the wrong file or a microphone that was off.
    #[error("nothing can be heard")]
    Silent,
    /// The conversion to 16 kHz failed.
    #[error(transparent)]
    Resample(#[from] ResampleError),
}

impl IntakeError {
    /// A word that stays the same, for tables of messages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLarge { .. } => "too_large",
            Self::TooLong => "too_long",
            Self::UnknownKind => "unknown_kind",
            Self::Unsupported(_) => "unsupported",
            Self::Rate(_) => "rate",
            Self::Channels(_) => "channels",
            Self::Truncated { .. } => "truncated",
            Self::Damaged(_) => "damaged",
            Self::Silent => "silent",
            Self::Resample(_) => "internal",
        }
    }
}

/// What became of an upload.
#[derive(Clone, Debug, PartialEq)]
pub struct Upload {
    /// The audio, one channel at 16 kHz, not yet at one loudness: for
    /// [`Prompt::new`](super::prompt::Prompt::new).
    pub audio: Mono,
    /// Samples per second of the file.
    pub rate: u32,
    /// Channels of the file.
    pub channels: usize,
}

/// Whether [`Intake::step`] is to be called again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is more; this much is decoded.
    More(Duration),
    /// Call [`Intake::finish`].
    Done,
}

/// A file that is being decoded. The caller decides how many steps to spend on it.
pub struct Intake {
    source: Source,
    layout: Layout,
    resampler: Resampler,
    mixed: Vec<f32>,
    interleaved: Vec<f32>,
    wide: Vec<f32>,
    /// Samples of one channel, at the rate of the file.
    decoded: u64,
    good: u64,
    bad: u64,
}

/// What reads the file.
enum Source {
    Container(Box<Container>),
    OggOpus(Box<OggOpus>),
}

/// How the file lays out its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layout {
    rate: u32,
    channels: usize,
    /// Samples of one channel that the file says it has.
    claimed: Option<u64>,
}

/// What came of one packet.
enum Packet {
    /// Interleaved samples were appended.
    Samples,
    /// It could not be decoded.
    Bad,
    /// There are no more.
    End,
    /// The rest of the file is missing.
    Broken(String),
}

/// Decodes a whole file: all steps at once.
///
/// # Errors
///
/// [`IntakeError`] when it is no prompt.
pub fn read(bytes: Bytes) -> Result<Upload, IntakeError> {
    let mut intake = Intake::open(bytes)?;
    while intake.step()? != Progress::Done {}
    intake.finish()
}

impl Intake {
    /// Looks at the head of a file. What it is is told by its bytes, not by its name.
    ///
    /// # Errors
    ///
    /// [`IntakeError`] when it is no audio, or none that can be a prompt.
    pub fn open(bytes: Bytes) -> Result<Self, IntakeError> {
        match bytes.len() {
            0 => return Err(IntakeError::Empty),
            1..=SIZE_MAX => {}
            bytes => return Err(IntakeError::TooLarge { bytes }),
        }
        let (source, layout) = guarded(|| Source::open(bytes))??;
        if !RATES.contains(&layout.rate) {
            return Err(IntakeError::Rate(layout.rate));
        }
        if !(1..=CHANNELS_MAX).contains(&layout.channels) {
            return Err(IntakeError::Channels(layout.channels));
        }
        Ok(Self {
            source,
            layout,
            resampler: Resampler::new(layout.rate, WIDE)?,
            mixed: vec![],
            interleaved: vec![],
            wide: vec![],
            decoded: 0,
            good: 0,
            bad: 0,
        })
    }

    /// Decodes about one more second.
    ///
    /// # Errors
    ///
    /// [`IntakeError`] when the file turns out to be too long or damaged.
    pub fn step(&mut self) -> Result<Progress, IntakeError> {
        let before = self.duration();
        for _ in 0..STEP_PACKETS {
            self.interleaved.clear();
            let packet = guarded(|| self.source.next(self.layout, &mut self.interleaved))??;
            match packet {
                Packet::Samples => self.good += 1,
                Packet::Bad => self.bad += 1,
                Packet::End => return Ok(Progress::Done),
                Packet::Broken(why) => {
                    self.check_length()?;
                    return if self.is_open_ended() {
                        Ok(Progress::Done)
                    } else {
                        Err(IntakeError::Damaged(why))
                    };
                }
            }
            self.take_samples()?;
            if self.duration() > DURATION_MAX {
                return Err(IntakeError::TooLong);
            }
            if self.duration() - before >= STEP {
                break;
            }
        }
        Ok(Progress::More(self.duration()))
    }

    /// Ends decoding and checks the whole.
    ///
    /// # Errors
    ///
    /// [`IntakeError`] when there was too little, or only silence.
    pub fn finish(mut self) -> Result<Upload, IntakeError> {
        if self.bad > self.good / BAD_PACKETS {
            return Err(IntakeError::Damaged(format!(
                "{} of {} packets",
                self.bad,
                self.good + self.bad
            )));
        }
        if self.decoded == 0 {
            return Err(IntakeError::Empty);
        }
        self.check_length()?;
        self.resampler.finish(&mut self.wide)?;
        if loudness::integrated(&self.wide, WIDE).is_none() {
            return Err(IntakeError::Silent);
        }
        Ok(Upload {
            audio: Mono {
                rate: WIDE,
                samples: self.wide,
            },
            rate: self.layout.rate,
            channels: self.layout.channels,
        })
    }

    fn duration(&self) -> Duration {
        self.duration_of(self.decoded)
    }

    fn duration_of(&self, samples: u64) -> Duration {
        duration_of(
            usize::try_from(samples).unwrap_or(usize::MAX),
            self.layout.rate,
        )
    }

    /// Mixes what was decoded to one channel and passes it on.
    fn take_samples(&mut self) -> Result<(), IntakeError> {
        let channels = self.layout.channels;
        #[allow(clippy::cast_precision_loss, reason = "at most eight")]
        let share = 1.0 / channels as f32;
        self.mixed.clear();
        let mix = |frame: &[f32]| frame.iter().map(|sample| sane(*sample)).sum::<f32>() * share;
        self.mixed
            .extend(self.interleaved.chunks_exact(channels).map(mix));
        self.decoded += self.mixed.len() as u64;
        self.resampler.push(&self.mixed, &mut self.wide)?;
        Ok(())
    }

    /// A file that broke off during the upload says that it is longer than it is.
    fn check_length(&self) -> Result<(), IntakeError> {
        let Some(claimed) = self.layout.claimed.filter(|_| !self.is_open_ended()) else {
            return Ok(());
        };
        let missing = claimed.saturating_sub(self.decoded);
        let share = missing > claimed / 100 * MISSING_PERCENT;
        if share && self.duration_of(missing) > MISSING {
            return Err(IntakeError::Truncated {
                claimed: self.duration_of(claimed),
                found: self.duration(),
            });
        }
        Ok(())
    }

    /// Whether the file says no length, or one that only means "until the end".
    fn is_open_ended(&self) -> bool {
        self.layout.claimed.is_none()
    }
}

/// Floats from a file may be anything; beyond four times full scale they are no audio.
fn sane(sample: f32) -> f32 {
    if sample.is_finite() {
        sample.clamp(-4.0, 4.0)
    } else {
        0.0
    }
}

impl Source {
    fn open(bytes: Bytes) -> Result<(Self, Layout), IntakeError> {
        if opus::is_ogg_opus(&bytes) {
            let (source, layout) = OggOpus::open(bytes)?;
            return Ok((Self::OggOpus(Box::new(source)), layout));
        }
        let (source, layout) = Container::open(streamed::with_length(bytes))?;
        Ok((Self::Container(Box::new(source)), layout))
    }

    fn next(&mut self, layout: Layout, samples: &mut Vec<f32>) -> Result<Packet, IntakeError> {
        match self {
            Self::Container(container) => container.next(layout, samples),
            Self::OggOpus(ogg) => Ok(ogg.next(samples)),
        }
    }
}

/// Runs a decoder of others. They are written not to panic; should one do so on a crafted file, that
/// file is damaged, and nobody else notices.
fn guarded<T>(decode: impl FnOnce() -> T) -> Result<T, IntakeError> {
    catch_unwind(AssertUnwindSafe(decode))
        .map_err(|_| IntakeError::Damaged("the decoder gave up".to_owned()))
}

#[cfg(test)]
mod tests;

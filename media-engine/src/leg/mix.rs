//! Who hears whom, and what several legs say summed for the one that hears them.
//!
//! ```text
//!  one source, its codec:   a.handle_packet ─▶ Relayed ─▶ b.relay, at once (see relay.rs)
//!  else, every 20 ms:       a.poll_audio ─▶ its last frames ─┐
//!                           c.poll_audio ─▶ its last frames ─┴▶ b.mix (sum, encode) ─▶ b.poll_packet
//! ```
//!
//! Each listener reads its sources by [`Cursor`]s of its own, at its own time, so nothing is summed
//! ahead: a source that is taken away is silent with the next packet, and one that a listener does not
//! name costs it nothing. Adding a frame takes some 20 ns, so a sum for each listener costs less than
//! what a common one would need to be kept in step.

use std::time::Instant;

use super::{
    EARLY, Leg,
    player::Packing,
    rate::{Doubler, FRAME_MAX, Halver},
    relay::Relay,
};
use crate::{
    codec::{Codec, Encoder, FRAME, FRAME_BYTES_MAX},
    dtmf::Key,
};

/// How a leg hears those that it hears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hearing {
    /// It hears nobody.
    #[default]
    Nobody,
    /// It hears one leg, whose packets pass unchanged under new headers.
    Relay,
    /// What it hears passes through jitter buffers, decoders, a sum and an encoder.
    Mix,
}

impl Hearing {
    /// The cheapest way for `listener` to hear `sources`: unchanged, if it is one and speaks what the
    /// listener's peer takes.
    #[must_use]
    pub fn of<'s>(listener: &Leg, mut sources: impl Iterator<Item = &'s Leg>) -> Self {
        match (sources.next(), sources.next()) {
            (None, _) => Self::Nobody,
            (Some(one), None) if one.spoken() == listener.config().codec => Self::Relay,
            (Some(_), _) => Self::Mix,
        }
    }
}

/// In what form those that hear a leg want what its peer says; the greater holds the lesser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// Not decoded.
    #[default]
    Nothing,
    /// Decoded, 8,000 samples a second.
    Narrow,
    /// Decoded, 16,000 samples a second too.
    Wide,
}

/// A listener's place in what one leg says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The number of the frame that is heard next.
    next: u64,
}

/// The frames that a leg's peer said last, for whoever hears it.
#[derive(Debug)]
pub(super) struct Voice {
    /// Frames so far: the number of the next.
    said: u64,
    narrow: [[i16; NARROW]; FRAMES_KEPT],
    halver: Halver,
    wide: Option<Box<Wide>>,
}

#[derive(Debug)]
struct Wide {
    frames: [[i16; FRAME_MAX]; FRAMES_KEPT],
    doubler: Doubler,
}

impl Voice {
    /// Begins at frame number `said`: cursors outlive a voice.
    pub(super) fn new(said: u64) -> Self {
        Self {
            said,
            narrow: [[0; NARROW]; FRAMES_KEPT],
            halver: Halver::new(),
            wide: None,
        }
    }

    /// Frames so far.
    pub(super) fn said(&self) -> u64 {
        self.said
    }

    /// Whether somebody wants 16 kHz.
    pub(super) fn keep_wide(&mut self, wanted: bool) {
        if wanted != self.wide.is_some() {
            self.wide = wanted.then(|| {
                Box::new(Wide {
                    frames: [[0; FRAME_MAX]; FRAMES_KEPT],
                    doubler: Doubler::new(),
                })
            });
        }
    }

    /// Takes the frame that comes next, of 8 or 16 kHz.
    pub(super) fn say(&mut self, frame: &[i16]) {
        let place = place(self.said);
        let narrow = &mut self.narrow[place];
        if frame.len() == NARROW {
            narrow.copy_from_slice(frame);
            if let Some(wide) = &mut self.wide {
                wide.doubler.double(frame, &mut wide.frames[place]);
            }
        } else {
            self.halver.halve(frame, narrow);
            if let Some(wide) = &mut self.wide {
                wide.frames[place].copy_from_slice(frame);
            }
        }
        self.said += 1;
    }

    /// The last frame at 8 kHz.
    pub(super) fn last(&self) -> &[i16] {
        &self.narrow[place(self.said.wrapping_sub(1))]
    }

    fn frame(&self, number: u64, wide: bool) -> Option<&[i16]> {
        if wide {
            self.wide
                .as_ref()
                .map(|wide| &wide.frames[place(number)][..])
        } else {
            Some(&self.narrow[place(number)])
        }
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number % FRAMES_KEPT as u64).unwrap_or(0)
}

/// 20 ms of several legs, added up.
#[derive(Debug)]
pub struct Sum {
    pcm: [i32; FRAME_MAX],
    wide: bool,
    /// Frames that a listener takes at once: those of one of its packets.
    at_once: u64,
    /// How many sources are in it.
    voices: usize,
}

impl Sum {
    /// A sum at 8 kHz for one that takes a frame every 20 ms.
    #[must_use]
    pub fn narrow() -> Self {
        Self::new(false, 1)
    }

    fn new(wide: bool, at_once: u64) -> Self {
        Self {
            pcm: [0; FRAME_MAX],
            wide,
            at_once,
            voices: 0,
        }
    }

    /// Adds the next frame of what the peer of `source` says, and moves the cursor behind it. A frame
    /// that has not come yet is silence; more than one that waits beyond what is due is left out, or
    /// it would stay as delay.
    #[inline]
    pub fn add(&mut self, source: &Leg, cursor: &mut Cursor) {
        let said = source.said();
        let waiting = said.saturating_sub(cursor.next);
        if waiting > self.at_once + SPARE {
            cursor.next = said - self.at_once;
        }
        let Some(voice) = source.voice().filter(|_| waiting > 0) else {
            return;
        };
        if let Some(frame) = voice.frame(cursor.next, self.wide) {
            for (sum, sample) in self.pcm.iter_mut().zip(frame) {
                *sum += i32::from(*sample);
            }
        }
        cursor.next += 1;
        self.voices += 1;
    }

    /// The sum as PCM; what is too loud for it is cut.
    #[must_use]
    #[inline]
    pub fn pcm(&self) -> [i16; FRAME_MAX] {
        self.pcm.map(clip)
    }
}

#[allow(clippy::cast_possible_truncation)] // clamped
fn clip(sample: i32) -> i16 {
    sample.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

/// Encodes what a leg hears, and keeps it until a packet is due.
#[derive(Debug)]
pub(super) struct Mixer {
    encoder: Encoder,
    /// Frames that wait, the oldest first: whole ones, except that the first may have been cut.
    frames: [[u8; FRAME_BYTES_MAX]; FRAMES_KEPT],
    lengths: [usize; FRAMES_KEPT],
    waiting: usize,
    taken: usize,
    /// The last sample of the last frame, to go on from when other sources follow.
    last: i16,
    /// Sources in the last frame.
    voices: usize,
    is_new: bool,
}

impl Mixer {
    pub(super) fn new(codec: Codec) -> Self {
        Self {
            encoder: Encoder::new(codec),
            frames: [[0; FRAME_BYTES_MAX]; FRAMES_KEPT],
            lengths: [0; FRAMES_KEPT],
            waiting: 0,
            taken: 0,
            last: 0,
            voices: 0,
            is_new: true,
        }
    }

    pub(super) fn codec(&self) -> Codec {
        self.encoder.codec()
    }

    /// Other sources follow, or the same ones in another form.
    pub(super) fn change(&mut self) {
        self.is_new = true;
    }

    /// Forgets what waits: something else is said in its place.
    pub(super) fn clear(&mut self) {
        self.waiting = 0;
        self.taken = 0;
        self.last = 0;
        self.is_new = true;
    }

    /// Whether another frame is needed for `packets` packets.
    fn lacks(&self, packing: Packing, packets: u32) -> bool {
        let wanted = packing.bytes.unwrap_or(1) * packets as usize;
        let held = if packing.bytes.is_some() {
            self.held()
        } else {
            self.waiting
        };
        held < wanted && self.waiting < FRAMES_KEPT
    }

    fn take(&mut self, sum: &Sum) {
        let codec = self.codec();
        let mut pcm = sum.pcm();
        let pcm = &mut pcm[..codec.frame_samples()];
        let before = std::mem::replace(&mut self.voices, sum.voices);
        if std::mem::take(&mut self.is_new) || before != sum.voices {
            join(self.last, pcm);
        }
        self.last = pcm.last().copied().unwrap_or(0);
        let place = self.waiting;
        self.lengths[place] = self.encoder.encode(pcm, &mut self.frames[place]);
        self.waiting += 1;
    }

    /// Fills a packet; returns 0 if there is not enough.
    pub(super) fn fill(&mut self, packing: Packing, payload: &mut [u8]) -> usize {
        let wanted = packing.bytes.unwrap_or(self.lengths[0]);
        if self.waiting == 0 || self.held() < wanted {
            return 0;
        }
        let mut filled = 0;
        while filled < wanted {
            let rest = &self.frames[0][self.taken..self.lengths[0]];
            let length = rest.len().min(wanted - filled);
            payload[filled..filled + length].copy_from_slice(&rest[..length]);
            filled += length;
            self.taken += length;
            if self.taken == self.lengths[0] {
                self.frames.copy_within(1.., 0);
                self.lengths.copy_within(1.., 0);
                self.waiting -= 1;
                self.taken = 0;
            }
        }
        filled
    }

    /// Bytes that wait.
    fn held(&self) -> usize {
        self.lengths[..self.waiting].iter().sum::<usize>() - self.taken
    }
}

/// Leads from the last sample before a change to the first ones behind it, so that nobody hears a click.
#[allow(clippy::cast_possible_wrap, clippy::cast_possible_truncation)] // JOINT is small
fn join(last: i16, pcm: &mut [i16]) {
    let Some(first) = pcm.first() else { return };
    let step = i32::from(last) - i32::from(*first);
    for (at, sample) in pcm.iter_mut().take(JOINT).enumerate() {
        let left = step * (JOINT - at) as i32 / JOINT as i32;
        *sample = clip(i32::from(*sample) + left);
    }
}

/// What a leg keeps for hearing.
#[derive(Debug)]
pub(super) enum Hears {
    Nobody,
    Relaying(Relay),
    Mixing(Box<Mixer>),
}

impl Leg {
    /// From now on this leg hears in this way, from sources that the caller knows. Call it again when
    /// these change, or what they or this leg speak.
    pub fn hear(&mut self, _now: Instant, hearing: Hearing) {
        let codec = self.config.codec;
        match (hearing, &mut self.hears) {
            (Hearing::Mix, Hears::Mixing(mixer)) if mixer.codec() == codec => mixer.change(),
            (Hearing::Mix, _) => self.hears = Hears::Mixing(Box::new(Mixer::new(codec))),
            (Hearing::Relay, _) => self.hears = Hears::Relaying(Relay::default()),
            (Hearing::Nobody, _) => self.hears = Hears::Nobody,
        }
    }

    /// How this leg hears.
    #[must_use]
    pub fn hearing(&self) -> Hearing {
        match &self.hears {
            Hears::Nobody => Hearing::Nobody,
            Hears::Relaying(_) => Hearing::Relay,
            Hears::Mixing(_) => Hearing::Mix,
        }
    }

    /// In what form this leg wants what those say whom it hears.
    #[must_use]
    pub fn wants(&self) -> Wanted {
        match &self.hears {
            Hears::Nobody | Hears::Relaying(_) => Wanted::Nothing,
            Hears::Mixing(_) if self.config.codec.sample_rate() > 8_000 => Wanted::Wide,
            Hears::Mixing(_) => Wanted::Narrow,
        }
    }

    /// Those that hear this leg want what its peer says in this form, all of them taken together.
    pub fn be_heard(&mut self, now: Instant, wanted: Wanted) {
        self.wanted = wanted;
        self.listen_as_needed(now);
    }

    /// A source has heard this key as a telephone-event. Where packets are relayed it has passed with
    /// them; into a mix it is pressed anew. False if the peer takes none.
    pub fn hear_key(&mut self, now: Instant, key: Key) -> bool {
        matches!(self.hears, Hears::Mixing(_)) && self.press(now, key)
    }

    /// The place behind all that the peer has said so far.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor { next: self.said() }
    }

    /// Encodes what this leg hears for the packets that are due, if it hears by [`Hearing::Mix`]. `add`
    /// is called once for each 20 ms, to add the next frame of each source. Call it before
    /// [`Leg::poll_packet`].
    #[inline]
    pub fn mix(&mut self, now: Instant, mut add: impl FnMut(&mut Sum)) {
        self.catch_up(now);
        let due = self.packets_due(now);
        let spoken_over =
            self.player.is_playing() || !self.dialling.is_idle() || self.destination().is_none();
        let (packing, codec) = (self.packing, self.config.codec);
        let Hears::Mixing(mixer) = &mut self.hears else {
            return;
        };
        if spoken_over || mixer.codec() != codec {
            mixer.clear();
            return;
        }
        let wide = codec.sample_rate() > 8_000;
        let at_once = packing.time.as_nanos().div_ceil(FRAME.as_nanos());
        let at_once = u64::try_from(at_once).unwrap_or(1);
        while mixer.lacks(packing, due) {
            let mut sum = Sum::new(wide, at_once);
            add(&mut sum);
            mixer.take(&sum);
        }
    }

    /// Frames of the peer's that have been decoded.
    fn said(&self) -> u64 {
        self.voice().map_or(self.said_before, Voice::said)
    }

    fn voice(&self) -> Option<&Voice> {
        self.ear.as_ref().map(|ear| ear.voice())
    }

    /// Packets that [`Leg::poll_packet`] will write now.
    fn packets_due(&self, now: Instant) -> u32 {
        let Some(early) = (now + EARLY).checked_duration_since(self.next_packet) else {
            return 0;
        };
        let before = early.as_nanos() / self.packing.time.as_nanos();
        u32::try_from(before).unwrap_or(0).saturating_add(1)
    }
}

/// Samples of 20 ms at 8 kHz.
const NARROW: usize = FRAME_MAX / 2;

/// Frames that are kept: those of a packet of 60 ms and one more.
const FRAMES_KEPT: usize = 4;

/// Frames that may wait beyond those of a packet: a thread that was held up once may have brought
/// source and listener out of step by one.
const SPARE: u64 = 1;

/// Samples over which a change of the sources is smoothed: 5 ms at 8 kHz.
const JOINT: usize = 40;

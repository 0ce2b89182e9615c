//! Two legs joined: packets passed on as they are, or audio decoded here and encoded there.
//!
//! ```text
//!  same codec:   a.handle_packet ─▶ Relayed ─▶ b.relay ─▶ Transmit, at once: no buffer, no delay
//!  other codec:  a.poll_audio ─▶ Audio ─▶ b.hear (resample, encode) ─▶ b.poll_packet
//! ```

use std::time::{Duration, Instant};

use super::{
    Leg,
    player::Packing,
    rate::{Doubler, FRAME_MAX, Halver},
};
use crate::codec::{Codec, Encoder, FRAME, FRAME_BYTES_MAX};

/// How two legs are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bridge {
    /// Payloads pass unchanged under new headers.
    Relay,
    /// Audio passes through jitter buffer, decoder and encoder.
    Transcode,
}

impl Bridge {
    /// The cheapest way between two legs: unchanged, if each peer takes what the other one sends.
    #[must_use]
    pub fn between(one: &Leg, other: &Leg) -> Self {
        if (one.spoken(), other.spoken()) == (other.config().codec, one.config().codec) {
            Self::Relay
        } else {
            Self::Transcode
        }
    }
}

/// A packet of one leg for the other; its payload lies in the datagram that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relayed<'d> {
    pub(super) kind: Kind,
    /// Counts the streams of the sending leg: with a new one, numbers begin anew.
    pub(super) stream: u32,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) marker: bool,
    pub(super) payload: &'d [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Audio(Codec),
    /// A telephone-event whose durations count in this clock.
    Event {
        clock: u32,
    },
}

/// A frame of what the peer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audio<'a> {
    /// 20 ms at `rate`, for the other leg of a bridge.
    pub pcm: &'a [i16],
    /// Samples per second of `pcm`: 8,000 or 16,000.
    pub rate: u32,
    /// The same at 8 kHz while a recording is on: hand it to the recorder.
    pub recording: Option<&'a [i16]>,
}

/// What a leg keeps about the other one.
#[derive(Debug)]
pub(super) enum Bridged {
    Alone,
    Relaying(Relay),
    Transcoding(Box<Transcoder>),
}

/// How the other leg's numbers become ours.
#[derive(Debug, Default)]
pub(super) struct Relay {
    offsets: Option<Offsets>,
}

#[derive(Clone, Copy, Debug)]
struct Offsets {
    stream: u32,
    sequence: u16,
    timestamp: u32,
    /// When something was passed last.
    last: Instant,
}

/// The numbers of a relayed packet on our side.
pub(super) struct Renumbered {
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    /// The first since a pause or a change.
    pub(super) fresh: bool,
}

impl Relay {
    /// Whether the other leg speaks at present, so that we send nothing of our own.
    pub(super) fn is_speaking(&self, now: Instant) -> bool {
        self.offsets
            .is_some_and(|offsets| now < offsets.last + RELAY_PAUSE)
    }

    /// Something of our own goes out: the next relayed packet is numbered behind it.
    pub(super) fn interrupt(&mut self) {
        self.offsets = None;
    }

    /// Renumbers: gaps and disorder stay as they are, for the far end's jitter buffer to see.
    pub(super) fn renumber(
        &mut self,
        now: Instant,
        relayed: &Relayed<'_>,
        next_sequence: u16,
        next_timestamp: u32,
    ) -> Renumbered {
        let held = self
            .offsets
            .filter(|offsets| offsets.stream == relayed.stream);
        let mut offsets = held.unwrap_or(Offsets {
            stream: relayed.stream,
            sequence: next_sequence.wrapping_sub(relayed.sequence),
            timestamp: next_timestamp.wrapping_sub(relayed.timestamp),
            last: now,
        });
        offsets.last = now;
        self.offsets = Some(offsets);
        Renumbered {
            sequence: relayed.sequence.wrapping_add(offsets.sequence),
            timestamp: relayed.timestamp.wrapping_add(offsets.timestamp),
            fresh: held.is_none(),
        }
    }
}

/// Encodes what the other leg says, and keeps it until a packet is due.
#[derive(Debug)]
pub(super) struct Transcoder {
    encoder: Encoder,
    rate: Rate,
    pcm: [i16; FRAME_MAX],
    /// Frames that wait, the oldest first: whole ones, except that the first may have been cut.
    frames: [[u8; FRAME_BYTES_MAX]; FRAMES_WAITING],
    lengths: [usize; FRAMES_WAITING],
    waiting: usize,
    taken: usize,
}

#[derive(Debug)]
enum Rate {
    Same,
    Halve(Halver),
    Double(Doubler),
}

impl Transcoder {
    pub(super) fn new(codec: Codec) -> Self {
        Self {
            encoder: Encoder::new(codec),
            rate: Rate::Same,
            pcm: [0; FRAME_MAX],
            frames: [[0; FRAME_BYTES_MAX]; FRAMES_WAITING],
            lengths: [0; FRAMES_WAITING],
            waiting: 0,
            taken: 0,
        }
    }

    pub(super) fn codec(&self) -> Codec {
        self.encoder.codec()
    }

    /// Takes a frame for packets of this packing; what waits beyond one packet and a frame is dropped,
    /// or it would stay as delay.
    pub(super) fn hear(&mut self, audio: &Audio<'_>, packing: Packing) {
        let codec = self.codec();
        let samples = codec.frame_samples();
        if audio.pcm.len() > FRAME_MAX {
            return;
        }
        match (audio.rate, codec.sample_rate()) {
            (16_000, 8_000) => {
                if !matches!(self.rate, Rate::Halve(_)) {
                    self.rate = Rate::Halve(Halver::new());
                }
            }
            (8_000, 16_000) => {
                if !matches!(self.rate, Rate::Double(_)) {
                    self.rate = Rate::Double(Doubler::new());
                }
            }
            _ => self.rate = Rate::Same,
        }
        match &mut self.rate {
            Rate::Same => self.pcm[..audio.pcm.len()].copy_from_slice(audio.pcm),
            Rate::Halve(halver) => halver.halve(audio.pcm, &mut self.pcm[..samples]),
            Rate::Double(doubler) => doubler.double(audio.pcm, &mut self.pcm[..samples]),
        }
        let packet = packing.time.as_nanos().div_ceil(FRAME.as_nanos());
        while self.waiting >= FRAMES_WAITING || self.waiting as u128 > packet {
            self.drop_oldest();
        }
        let place = self.waiting;
        self.lengths[place] = self
            .encoder
            .encode(&self.pcm[..samples], &mut self.frames[place]);
        self.waiting += 1;
    }

    /// Fills a packet; returns 0 if there is not enough.
    pub(super) fn fill(&mut self, packing: Packing, payload: &mut [u8]) -> usize {
        let held: usize = self.lengths[..self.waiting].iter().sum::<usize>() - self.taken;
        let wanted = packing.bytes.unwrap_or(self.lengths[0]);
        if self.waiting == 0 || held < wanted {
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
                self.drop_oldest();
            }
        }
        filled
    }

    /// Forgets what waits: something else was said in its place.
    pub(super) fn clear(&mut self) {
        self.waiting = 0;
        self.taken = 0;
    }

    fn drop_oldest(&mut self) {
        self.frames.copy_within(1.., 0);
        self.lengths.copy_within(1.., 0);
        self.waiting -= 1;
        self.taken = 0;
    }
}

/// A duration field in another clock.
pub(super) fn rescale(duration: u16, from: u32, to: u32) -> u16 {
    let scaled = u64::from(duration) * u64::from(to) / u64::from(from.max(1));
    u16::try_from(scaled).unwrap_or(u16::MAX)
}

/// After this long without a relayed packet we send silence again, so that the path stays open.
const RELAY_PAUSE: Duration = Duration::from_millis(100);

/// Encoded frames that wait: a packet of 60 ms and one more.
const FRAMES_WAITING: usize = 4;

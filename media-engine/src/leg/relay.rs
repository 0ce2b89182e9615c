//! Packets of one leg passed on to another as they are.
//!
//! ```text
//!  a.handle_packet ─▶ Relayed ─▶ b.relay ─▶ Transmit, at once: no buffer, no delay
//! ```

use std::time::{Duration, Instant};

use super::playback::Said;
use crate::codec::Codec;

/// A packet of one leg for those that hear it alone; its payload lies in the datagram that was received.
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

impl<'d> Relayed<'d> {
    /// What was said, if this is audio.
    #[must_use]
    #[inline]
    pub fn said(&self) -> Option<Said<'d>> {
        match self.kind {
            Kind::Audio(codec) => Some(Said {
                stream: self.stream,
                timestamp: self.timestamp,
                codec,
                payload: self.payload,
            }),
            Kind::Event { .. } => None,
        }
    }
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

/// A duration field in another clock.
pub(super) fn rescale(duration: u16, from: u32, to: u32) -> u16 {
    let scaled = u64::from(duration) * u64::from(to) / u64::from(from.max(1));
    u16::try_from(scaled).unwrap_or(u16::MAX)
}

/// After this long without a relayed packet we send silence again, so that the path stays open.
const RELAY_PAUSE: Duration = Duration::from_millis(100);

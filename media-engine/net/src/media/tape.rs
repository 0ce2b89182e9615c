//! Recordings on their way from a media thread to the writer: packets as they came, in a ring of bytes.
//!
//! A packet costs its media thread a copy: no lock, no system call, no allocation. When the ring is full the
//! packet is lost and counted, and nothing waits.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::time::{Duration, Instant};

use media_engine::codec::Codec;
use media_engine::leg::{LegId, Said, Side};
use media_engine::rtp::jitter::PAYLOAD_MAX;
use rtrb::{Consumer, Producer, RingBuffer};

use crate::clock;

/// Room for 1.2 s of two parties in packets of 20 ms: the writer comes by every 400 ms, and a disk that
/// does not answer for twice as long costs no recording anything.
const RING_BYTES: usize = 24 * 1024;

/// Of a packet, before its payload: when it was read since the beginning (8 bytes of ns), how long it had
/// waited then (4 of ns), leg (8), stream (4), timestamp (4), codec (1), side (1), length (2).
const HEADER: usize = 32;

/// [`Ends::ended_ns`] of a recording that goes on.
const GOES_ON: u64 = u64::MAX;

/// The media thread's end of a recording. Dropping it ends the recording.
pub(super) struct Tape {
    ring: Producer<u8>,
    begun: Instant,
    paused: bool,
    ends: Arc<Ends>,
}

/// The writer's end.
pub(super) struct Reel {
    ring: Consumer<u8>,
    begun: Instant,
    payload: Box<[u8; PAYLOAD_MAX]>,
    ends: Arc<Ends>,
}

/// What both ends know.
struct Ends {
    /// Packets that did not fit in.
    lost: AtomicU64,
    /// When the recording ended, nanoseconds behind its beginning.
    ended_ns: AtomicU64,
}

/// A packet as it was recorded.
pub(super) struct Packet<'p> {
    /// When it was read.
    pub(super) now: Instant,
    /// When it came.
    pub(super) arrival: Instant,
    pub(super) leg: LegId,
    pub(super) side: Side,
    pub(super) said: Said<'p>,
}

/// A recording that begins now, by its two ends.
pub(super) fn tape(begun: Instant) -> (Tape, Reel) {
    let (writing, reading) = RingBuffer::new(RING_BYTES);
    let ends = Arc::new(Ends {
        lost: AtomicU64::new(0),
        ended_ns: AtomicU64::new(GOES_ON),
    });
    let tape = Tape {
        ring: writing,
        begun,
        paused: false,
        ends: Arc::clone(&ends),
    };
    let reel = Reel {
        ring: reading,
        begun,
        payload: Box::new([0; PAYLOAD_MAX]),
        ends,
    };
    (tape, reel)
}

impl Tape {
    /// While paused nothing that is said goes any further.
    pub(super) fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Records a packet; never waits.
    pub(super) fn record(&mut self, packet: &Packet<'_>) {
        if self.paused {
            return;
        }
        let mut bytes = [0; HEADER + PAYLOAD_MAX];
        let is_in = packet
            .write(self.begun, &mut bytes)
            .is_some_and(|length| self.ring.push_entire_slice(&bytes[..length]).is_ok());
        if !is_in {
            self.ends.lost.fetch_add(1, Relaxed);
        }
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        let ended = nanoseconds(clock::now().saturating_duration_since(self.begun));
        // Whoever sees it sees all that was recorded.
        self.ends.ended_ns.store(ended, Release);
    }
}

impl Reel {
    /// When the recording began.
    pub(super) fn begun(&self) -> Instant {
        self.begun
    }

    /// When it ended, if it has; what is read from then on is all there is.
    pub(super) fn ended(&self) -> Option<Instant> {
        let ended = self.ends.ended_ns.load(Acquire);
        (ended != GOES_ON).then(|| self.begun + Duration::from_nanos(ended))
    }

    /// Packets lost so far.
    pub(super) fn lost(&self) -> u64 {
        self.ends.lost.load(Relaxed)
    }

    /// The next packet.
    pub(super) fn read(&mut self) -> Option<Packet<'_>> {
        let mut header = [0; HEADER];
        self.ring.pop_entire_slice(&mut header).ok()?;
        let length = usize::from(u16::from_be_bytes(field(&header, 30)));
        // A packet is put in whole, so its payload is there.
        let payload = self.payload.get_mut(..length)?;
        self.ring.pop_entire_slice(payload).ok()?;
        Packet::read(self.begun, &header, payload)
    }
}

impl<'p> Packet<'p> {
    /// Writes the packet and returns how long it is; `None` if it is longer than audio can be.
    fn write(&self, begun: Instant, bytes: &mut [u8; HEADER + PAYLOAD_MAX]) -> Option<usize> {
        let said = &self.said;
        let end = HEADER + said.payload.len();
        bytes.get_mut(HEADER..end)?.copy_from_slice(said.payload);
        let read = nanoseconds(self.now.saturating_duration_since(begun));
        let waited = nanoseconds(self.now.saturating_duration_since(self.arrival));
        bytes[..8].copy_from_slice(&read.to_be_bytes());
        bytes[8..12].copy_from_slice(&u32::try_from(waited).unwrap_or(u32::MAX).to_be_bytes());
        bytes[12..20].copy_from_slice(&self.leg.0.to_be_bytes());
        bytes[20..24].copy_from_slice(&said.stream.to_be_bytes());
        bytes[24..28].copy_from_slice(&said.timestamp.to_be_bytes());
        bytes[28] = u8::try_from(said.codec.index()).ok()?;
        bytes[29] = u8::from(self.side == Side::Others);
        let length = u16::try_from(said.payload.len()).ok()?;
        bytes[30..HEADER].copy_from_slice(&length.to_be_bytes());
        Some(end)
    }

    fn read(begun: Instant, header: &[u8; HEADER], payload: &'p [u8]) -> Option<Self> {
        let now = begun + Duration::from_nanos(u64::from_be_bytes(field(header, 0)));
        let waited = Duration::from_nanos(u32::from_be_bytes(field(header, 8)).into());
        Some(Self {
            now,
            arrival: now.checked_sub(waited).unwrap_or(now),
            leg: LegId(u64::from_be_bytes(field(header, 12))),
            side: if header[29] == 0 {
                Side::Own
            } else {
                Side::Others
            },
            said: Said {
                stream: u32::from_be_bytes(field(header, 20)),
                timestamp: u32::from_be_bytes(field(header, 24)),
                codec: *Codec::ALL.get(usize::from(header[28]))?,
                payload,
            },
        })
    }
}

fn field<const N: usize>(header: &[u8; HEADER], at: usize) -> [u8; N] {
    std::array::from_fn(|byte| header[at + byte])
}

/// Of a duration below 584 years.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(begun: Instant, payload: &[u8]) -> Packet<'_> {
        Packet {
            now: begun + Duration::from_millis(70),
            arrival: begun + Duration::from_millis(55),
            leg: LegId(0x0123_4567_89ab_cdef),
            side: Side::Others,
            said: Said {
                stream: 3,
                timestamp: 0xfedc_ba98,
                codec: Codec::G722,
                payload,
            },
        }
    }

    #[test]
    fn a_packet_comes_out_as_it_went_in() {
        let begun = clock::now();
        let (mut tape, mut reel) = tape(begun);
        for length in [0, 20, 160, PAYLOAD_MAX] {
            let payload = vec![7; length];
            let sent = packet(begun, &payload);
            tape.record(&sent);
            let read = reel.read().expect("it is there");
            assert_eq!(read.said, sent.said);
            assert_eq!((read.now, read.arrival), (sent.now, sent.arrival));
            assert_eq!((read.leg, read.side), (sent.leg, sent.side));
            assert!(reel.read().is_none());
        }
        assert_eq!((reel.lost(), reel.ended()), (0, None));
    }

    #[test]
    fn what_does_not_fit_is_counted_and_what_did_is_whole() {
        let begun = clock::now();
        let (mut tape, mut reel) = tape(begun);
        tape.record(&packet(begun, &[0; PAYLOAD_MAX + 1]));
        assert_eq!(reel.lost(), 1, "longer than audio can be");
        for _ in 0..200 {
            tape.record(&packet(begun, &[1; 160]));
        }
        drop(tape);
        assert!(reel.ended().is_some());
        let mut read = 0;
        while let Some(packet) = reel.read() {
            assert_eq!(packet.said.payload, [1; 160]);
            read += 1;
        }
        assert_eq!((read, reel.lost()), (RING_BYTES as u64 / 192, 201 - read));
    }

    #[test]
    fn nothing_that_is_said_in_a_pause_goes_any_further() {
        let begun = clock::now();
        let (mut tape, mut reel) = tape(begun);
        tape.pause(true);
        tape.record(&packet(begun, &[1; 160]));
        tape.pause(false);
        tape.record(&packet(begun, &[2; 160]));
        assert_eq!(reel.read().map(|packet| packet.said.payload[0]), Some(2));
        assert!(reel.read().is_none());
        assert_eq!(reel.lost(), 0);
    }
}

//! Both directions of one RTP session: the numbers we put on packets, and what the peer's numbers
//! tell (RFC 3550 sections 5.1, 6.4.1 and appendix A).

use std::{
    ops::RangeInclusive,
    time::{Duration, Instant},
};

use rand::Rng;

use super::packet::Header;

/// The stream that we send.
#[derive(Debug)]
pub struct Outgoing {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    marker_due: bool,
    packets: u32,
    octets: u32,
}

impl Outgoing {
    /// Draws the source, the first sequence number and the first timestamp (RFC 3550 section 5.1).
    pub fn new(random: &mut impl Rng) -> Self {
        Self {
            ssrc: random.random(),
            sequence: random.random_range(FIRST_SEQUENCES),
            timestamp: random.random(),
            marker_due: true,
            packets: 0,
            octets: 0,
        }
    }

    /// Our synchronisation source.
    #[must_use]
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The timestamp of what is sent next.
    #[must_use]
    pub fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// The sequence number of what is sent next.
    #[must_use]
    pub fn sequence(&self) -> u16 {
        self.sequence
    }

    /// Packets sent, as sender reports count them (wraps).
    #[must_use]
    pub fn packets(&self) -> u32 {
        self.packets
    }

    /// Payload octets sent, as sender reports count them (wraps).
    #[must_use]
    pub fn octets(&self) -> u32 {
        self.octets
    }

    /// The header of the next packet of audio, which lasts `ticks` of the RTP clock.
    #[inline]
    pub fn audio(&mut self, payload_type: u8, payload: usize, ticks: u32) -> Header {
        let marker = std::mem::take(&mut self.marker_due);
        let header = self.header(payload_type, self.timestamp, marker, payload);
        self.timestamp = self.timestamp.wrapping_add(ticks);
        header
    }

    /// The header of a packet at a `timestamp` of its own (an event keeps that of its start, RFC 4733
    /// section 2.2). The clock of the audio does not move: [`Outgoing::pass`] does that.
    #[inline]
    pub fn header(
        &mut self,
        payload_type: u8,
        timestamp: u32,
        marker: bool,
        payload: usize,
    ) -> Header {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        self.count(payload);
        Header {
            marker,
            payload_type,
            sequence,
            timestamp,
            ssrc: self.ssrc,
        }
    }

    /// Time passes in which no audio goes out.
    #[inline]
    pub fn pass(&mut self, ticks: u32) {
        self.timestamp = self.timestamp.wrapping_add(ticks);
    }

    /// The next audio starts a talk-spurt (RFC 3551 section 4.1): there was a pause before it.
    pub fn start_spurt(&mut self) {
        self.marker_due = true;
    }

    /// A relayed packet went out under these numbers; ours go on behind the highest of them.
    #[inline]
    pub fn relayed(&mut self, sequence: u16, timestamp_end: u32, payload: usize) {
        self.count(payload);
        if is_ahead(sequence.wrapping_add(1), self.sequence) {
            self.sequence = sequence.wrapping_add(1);
        }
        if timestamp_end.wrapping_sub(self.timestamp) < HALF_TIMESTAMP {
            self.timestamp = timestamp_end;
        }
    }

    fn count(&mut self, payload: usize) {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self
            .octets
            .wrapping_add(u32::try_from(payload).unwrap_or(0));
    }
}

/// What the peer's packets tell about the way they came.
#[derive(Debug)]
pub struct Incoming {
    clock: u32,
    source: Option<Source>,
    /// Sums over the sources before the present one.
    past: Past,
}

#[derive(Clone, Copy, Debug, Default)]
struct Past {
    received: u64,
    expected: u64,
    bursts: u64,
    changes: u32,
}

#[derive(Debug)]
struct Source {
    ssrc: u32,
    /// A different SSRC has sent this sequence number; its successor makes it the new source.
    rival: Option<(u32, u16)>,
    base: u64,
    highest: u64,
    /// Gaps in the sequence, however long each.
    bursts: u64,
    /// After a jump: the number whose arrival would prove that the sender restarted.
    bad_next: Option<u16>,
    received: u64,
    expected_before: u64,
    received_before: u64,
    last: Option<(Instant, u32)>,
    jitter_ns: i64,
}

/// Where a packet stands in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the stream: the number extended to 64 bits. May be late or doubled; the jitter buffer knows.
    At(u64),
    /// The stream begins anew with this packet: first packet, new SSRC or a restarted sender.
    Restart(u64),
    /// Not believed (yet): a jump of the sequence or a new SSRC must be confirmed by a second packet
    /// (RFC 3550 appendix A.1).
    Unproven,
}

/// A summary for reports: RFC 3550 section 6.4.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reception {
    /// Whose stream this is about.
    pub ssrc: u32,
    /// Share lost since the last summary, in 256ths.
    pub fraction_lost: u8,
    /// Packets lost since the stream began: 24 bits on the wire, negative with duplicates.
    pub cumulative_lost: i32,
    /// Extended highest sequence number.
    pub highest: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
}

impl Incoming {
    /// Creates the reception state for a stream of this RTP `clock` (units per second).
    #[must_use]
    pub fn new(clock: u32) -> Self {
        Self {
            clock,
            source: None,
            past: Past::default(),
        }
    }

    /// Takes over another clock (the codec changed): jitter starts again.
    pub fn set_clock(&mut self, clock: u32) {
        if self.clock != clock {
            self.clock = clock;
            self.pause();
        }
    }

    /// The next packet's spacing tells nothing (the stream was held or its clock changed).
    pub fn pause(&mut self) {
        if let Some(source) = &mut self.source {
            source.last = None;
        }
    }

    /// Takes notice of a packet: `arrival` is when it reached this machine.
    #[inline]
    pub fn receive(&mut self, arrival: Instant, header: &Header) -> Place {
        let Some(source) = &mut self.source else {
            self.source = Some(Source::new(header));
            self.note_spacing(arrival, header.timestamp);
            return Place::Restart(FIRST + u64::from(header.sequence));
        };
        if source.ssrc != header.ssrc {
            return self.receive_rival(arrival, header);
        }
        source.rival = None;
        let place = source.place(header.sequence);
        match place {
            Place::At(_) => self.note_spacing(arrival, header.timestamp),
            Place::Restart(_) => {
                self.replace_source(header);
                self.note_spacing(arrival, header.timestamp);
            }
            Place::Unproven => {}
        }
        place
    }

    /// Packets that arrived, of all sources so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.past.received + self.source.as_ref().map_or(0, |source| source.received)
    }

    /// Packets that did not arrive, of all sources so far. Doubled packets count against it.
    #[must_use]
    pub fn lost(&self) -> u64 {
        let expected = self.past.expected + self.source.as_ref().map_or(0, Source::expected);
        expected.saturating_sub(self.received())
    }

    /// Runs of packets that did not arrive (or came out of order), of all sources so far.
    #[must_use]
    pub fn bursts(&self) -> u64 {
        self.past.bursts + self.source.as_ref().map_or(0, |source| source.bursts)
    }

    /// How often the sender restarted or changed its SSRC.
    #[must_use]
    pub fn changes(&self) -> u32 {
        self.past.changes
    }

    /// Interarrival jitter (RFC 3550 section 6.4.1).
    #[must_use]
    pub fn jitter(&self) -> Duration {
        let ns = self.source.as_ref().map_or(0, |source| source.jitter_ns);
        Duration::from_nanos(ns.unsigned_abs())
    }

    /// The SSRC that is listened to.
    #[must_use]
    pub fn ssrc(&self) -> Option<u32> {
        self.source.as_ref().map(|source| source.ssrc)
    }

    /// Sums up for a report block and starts the next interval; `None` before the first packet.
    pub fn summarise(&mut self) -> Option<Reception> {
        let source = self.source.as_mut()?;
        let expected = source.expected() - source.expected_before;
        let received = source.received - source.received_before;
        source.expected_before = source.expected();
        source.received_before = source.received;
        let fraction_lost = match expected.checked_sub(received) {
            Some(lost) if expected > 0 => u8::try_from(lost * 256 / expected).unwrap_or(u8::MAX),
            Some(_) | None => 0,
        };
        let lost = i64::try_from(source.expected()).unwrap_or(i64::MAX)
            - i64::try_from(source.received).unwrap_or(i64::MAX);
        Some(Reception {
            ssrc: source.ssrc,
            fraction_lost,
            cumulative_lost: i32::try_from(lost.clamp(-0x80_0000, 0x7f_ffff)).unwrap_or(0),
            // RFC 3550 section 6.4.1: cycles above, sequence number below; it may wrap.
            highest: low_word(source.highest - FIRST),
            jitter: low_word(source.jitter_ns.unsigned_abs() * u64::from(self.clock) / NANOSECONDS),
        })
    }

    /// A new SSRC from our peer's own address: some exchanges change it with each transfer. Its second
    /// packet in sequence makes it the source (RFC 3550 sections 8.2 and A.1).
    fn receive_rival(&mut self, arrival: Instant, header: &Header) -> Place {
        let Some(source) = &mut self.source else {
            return Place::Unproven;
        };
        if source.rival != Some((header.ssrc, header.sequence)) {
            source.rival = Some((header.ssrc, header.sequence.wrapping_add(1)));
            return Place::Unproven;
        }
        self.replace_source(header);
        self.note_spacing(arrival, header.timestamp);
        Place::Restart(FIRST + u64::from(header.sequence))
    }

    fn replace_source(&mut self, header: &Header) {
        if let Some(old) = self.source.replace(Source::new(header)) {
            self.past.received += old.received;
            self.past.expected += old.expected().max(old.received);
            self.past.bursts += old.bursts;
            self.past.changes = self.past.changes.saturating_add(1);
        }
    }

    fn note_spacing(&mut self, arrival: Instant, timestamp: u32) {
        let clock = i64::from(self.clock);
        let Some(source) = &mut self.source else {
            return;
        };
        let before = source.last.replace((arrival, timestamp));
        let Some((last_arrival, last_timestamp)) = before else {
            return;
        };
        let sent = i64::from(timestamp.wrapping_sub(last_timestamp).cast_signed());
        // Packets of one event or one frame share a timestamp; a pause tells nothing about the way.
        if sent == 0 || sent.abs() > clock {
            return;
        }
        let came = nanoseconds(arrival.saturating_duration_since(last_arrival))
            - nanoseconds(last_arrival.saturating_duration_since(arrival));
        let deviation = (came - sent * NANOSECONDS.cast_signed() / clock).abs();
        source.jitter_ns += (deviation - source.jitter_ns) / 16;
    }
}

impl Source {
    fn new(header: &Header) -> Self {
        let base = FIRST + u64::from(header.sequence);
        Self {
            ssrc: header.ssrc,
            rival: None,
            base,
            highest: base,
            bursts: 0,
            bad_next: None,
            received: 1,
            expected_before: 0,
            received_before: 0,
            last: None,
            jitter_ns: 0,
        }
    }

    fn expected(&self) -> u64 {
        self.highest - self.base + 1
    }

    /// RFC 3550 appendix A.1, with 64 bits instead of cycles.
    fn place(&mut self, sequence: u16) -> Place {
        let step = sequence.wrapping_sub(low_half(self.highest));
        if step < DROPOUT_MAX {
            self.bursts += u64::from(step > 1);
            self.highest += u64::from(step);
        } else if step <= u16::MAX - MISORDER_MAX {
            if self.bad_next != Some(sequence) {
                self.bad_next = Some(sequence.wrapping_add(1));
                return Place::Unproven;
            }
            return Place::Restart(FIRST + u64::from(sequence));
        }
        self.bad_next = None;
        self.received += 1;
        let back = u64::from(low_half(self.highest).wrapping_sub(sequence));
        Place::At(self.highest - back)
    }
}

/// Whether sequence number `a` is ahead of `b` or equal, the short way round.
#[must_use]
#[inline]
pub fn is_ahead(a: u16, b: u16) -> bool {
    a.wrapping_sub(b) < 0x8000
}

fn low_half(number: u64) -> u16 {
    let [.., high, low] = number.to_be_bytes();
    u16::from_be_bytes([high, low])
}

fn low_word(number: u64) -> u32 {
    let [_, _, _, _, a, b, c, d] = number.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// At most a minute: longer differences tell nothing, and sums of these must not overflow.
fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.min(Duration::from_secs(60)).as_nanos()).unwrap_or(0)
}

/// In a second.
const NANOSECONDS: u64 = 1_000_000_000;

/// Extended numbers start one cycle up, so that packets before the first one stay positive.
const FIRST: u64 = 1 << 16;

/// Streams begin in the lower half: a receiver of SRTP that misses what comes before the first wrap
/// would count one rollover too few, and understand nothing for the rest of the call. A relayed packet
/// that was overtaken by the first one is numbered before it, and must not wrap either.
const FIRST_SEQUENCES: RangeInclusive<u16> = MISORDER_MAX + 1..=u16::MAX / 2;

/// RFC 3550 appendix A.1: a gap this long (a minute of audio) is a restart, not a loss.
const DROPOUT_MAX: u16 = 3_000;

/// RFC 3550 appendix A.1: this far behind is late; further is a restart.
const MISORDER_MAX: u16 = 100;

/// Timestamps ahead by less than half the circle are later ones.
const HALF_TIMESTAMP: u32 = 1 << 31;

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::SmallRng};

    use super::*;

    fn header(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        Header {
            marker: false,
            payload_type: 8,
            sequence,
            timestamp,
            ssrc,
        }
    }

    #[test]
    fn numbers_go_on_across_the_wrap_and_the_first_packet_is_marked() {
        let mut random = SmallRng::seed_from_u64(1);
        let mut outgoing = Outgoing::new(&mut random);
        let first = outgoing.audio(8, 160, 160);
        assert!(first.marker);
        let mut last = first;
        for _ in 0..70_000 {
            let next = outgoing.audio(8, 160, 160);
            assert_eq!(next.sequence, last.sequence.wrapping_add(1));
            assert_eq!(next.timestamp, last.timestamp.wrapping_add(160));
            assert!(!next.marker);
            last = next;
        }
        assert_eq!(outgoing.packets(), 70_001);
        assert_eq!(outgoing.octets(), 70_001 * 160);
    }

    #[test]
    fn the_first_number_is_far_from_the_wrap() {
        for seed in 0..1000 {
            let mut outgoing = Outgoing::new(&mut SmallRng::seed_from_u64(seed));
            let first = outgoing.audio(8, 160, 160).sequence;
            assert!((101..0x8000).contains(&first), "seed {seed}: {first}");
        }
    }

    #[test]
    fn two_seeds_have_nothing_in_common() {
        let one = Outgoing::new(&mut SmallRng::seed_from_u64(1));
        let two = Outgoing::new(&mut SmallRng::seed_from_u64(2));
        assert_ne!(one.ssrc, two.ssrc);
        assert_ne!(one.sequence, two.sequence);
        assert_ne!(one.timestamp, two.timestamp);
    }

    #[test]
    fn the_extended_number_passes_the_wrap_both_ways() {
        let start = crate::rtp::origin();
        let mut incoming = Incoming::new(8_000);
        assert_eq!(
            incoming.receive(start, &header(1, 65_534, 0)),
            Place::Restart(FIRST + 65_534)
        );
        assert_eq!(
            incoming.receive(start, &header(1, 0, 320)),
            Place::At(FIRST + 65_536)
        );
        assert_eq!(
            incoming.receive(start, &header(1, 65_535, 160)),
            Place::At(FIRST + 65_535)
        );
        assert_eq!(incoming.lost(), 0);
        assert_eq!(incoming.received(), 3);
    }

    #[test]
    fn loss_is_counted_and_reported_per_interval() {
        let start = crate::rtp::origin();
        let mut incoming = Incoming::new(8_000);
        for sequence in (0..100).filter(|sequence| sequence % 4 != 1) {
            incoming.receive(start, &header(1, sequence, 160 * u32::from(sequence)));
        }
        let summary = incoming.summarise().expect("a stream");
        assert_eq!(summary.cumulative_lost, 25);
        assert_eq!(summary.fraction_lost, 64); // a quarter of 256
        assert_eq!(incoming.lost(), 25);
        let quiet = incoming.summarise().expect("a stream");
        assert_eq!((quiet.fraction_lost, quiet.cumulative_lost), (0, 25));
    }

    #[test]
    fn doubled_packets_never_make_the_loss_negative_for_people() {
        let start = crate::rtp::origin();
        let mut incoming = Incoming::new(8_000);
        for sequence in 0..10 {
            incoming.receive(start, &header(1, sequence, 0));
            incoming.receive(start, &header(1, sequence, 0));
        }
        assert_eq!(incoming.lost(), 0);
        assert_eq!(
            incoming.summarise().map(|summary| summary.cumulative_lost),
            Some(-10)
        );
    }

    #[test]
    fn a_lone_jump_is_noise_and_two_in_a_row_are_a_restart() {
        let start = crate::rtp::origin();
        let mut incoming = Incoming::new(8_000);
        incoming.receive(start, &header(1, 100, 0));
        assert_eq!(
            incoming.receive(start, &header(1, 40_000, 0)),
            Place::Unproven
        );
        assert_eq!(
            incoming.receive(start, &header(1, 101, 160)),
            Place::At(FIRST + 101)
        );
        assert_eq!(
            incoming.receive(start, &header(1, 40_000, 0)),
            Place::Unproven
        );
        assert_eq!(
            incoming.receive(start, &header(1, 40_001, 0)),
            Place::Restart(FIRST + 40_001)
        );
        assert_eq!(incoming.changes(), 1);
        assert_eq!(incoming.lost(), 0);
    }

    #[test]
    fn a_new_ssrc_needs_two_packets_in_a_row() {
        let start = crate::rtp::origin();
        let mut incoming = Incoming::new(8_000);
        incoming.receive(start, &header(1, 100, 0));
        assert_eq!(incoming.receive(start, &header(2, 7, 0)), Place::Unproven);
        assert_eq!(incoming.receive(start, &header(2, 9, 0)), Place::Unproven);
        assert_eq!(
            incoming.receive(start, &header(2, 10, 0)),
            Place::Restart(FIRST + 10)
        );
        assert_eq!(incoming.ssrc(), Some(2));
    }

    /// RFC 3550 section 6.4.1: one packet 16 ms late moves the estimate by a sixteenth of 16 ms,
    /// coming back by as much less of what is there.
    #[test]
    fn jitter_follows_the_formula() {
        let start = crate::rtp::origin();
        let mut incoming = Incoming::new(8_000);
        incoming.receive(start, &header(1, 0, 0));
        incoming.receive(start + Duration::from_millis(36), &header(1, 1, 160));
        assert_eq!(incoming.jitter(), Duration::from_millis(1));
        incoming.receive(start + Duration::from_millis(40), &header(1, 2, 320));
        assert_eq!(incoming.jitter(), Duration::from_nanos(1_937_500)); // 1 + (16 − 1)/16 ms
    }

    #[test]
    fn steady_packets_have_no_jitter() {
        let start = crate::rtp::origin();
        let mut incoming = Incoming::new(8_000);
        for turn in 0..100_u16 {
            let arrival = start + Duration::from_millis(20 * u64::from(turn));
            incoming.receive(arrival, &header(1, turn, 160 * u32::from(turn)));
        }
        assert_eq!(incoming.jitter(), Duration::ZERO);
    }
}

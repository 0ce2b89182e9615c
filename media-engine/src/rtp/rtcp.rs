//! RTCP (RFC 3550 section 6): compound reports written in place, and read with tolerance.

use std::time::{Duration, Instant};

use rand::{Rng, rngs::SmallRng};

/// What we send: a sender or receiver report, our name, and perhaps a goodbye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compound<'a> {
    /// Our synchronisation source.
    pub ssrc: u32,
    /// About our own stream; without it the report is a receiver report.
    pub sender: Option<SenderInfo>,
    /// About the peer's stream.
    pub block: Option<Block>,
    /// Our canonical name, at most 255 bytes; anonymous (RFC 7022).
    pub cname: &'a str,
    /// We leave.
    pub bye: bool,
}

/// The sender's part of a sender report (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderInfo {
    /// 64-bit NTP time: seconds and fraction.
    pub ntp: u64,
    /// The same moment in RTP timestamp units.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Payload octets sent.
    pub octets: u32,
}

/// A report block (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// Whose stream this is about.
    pub ssrc: u32,
    /// Share lost since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Packets lost since the beginning, 24 bits with sign.
    pub cumulative_lost: i32,
    /// Extended highest sequence number.
    pub highest: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
    /// The middle of the NTP time of the last sender report; 0 for none.
    pub last_report: u32,
    /// How long ago that came, in 65,536ths of a second.
    pub delay: u32,
}

/// One packet of a compound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// SR
    SenderReport {
        /// Who sends.
        ssrc: u32,
        /// About its stream.
        info: SenderInfo,
        /// About the streams it receives.
        blocks: Blocks<'a>,
    },
    /// RR
    ReceiverReport {
        /// Who sends.
        ssrc: u32,
        /// About the streams it receives.
        blocks: Blocks<'a>,
    },
    /// BYE: the source leaves. The call goes on until signalling says otherwise.
    Bye {
        /// The first source that leaves.
        ssrc: u32,
    },
    /// SDES, APP, feedback: nothing that a call needs.
    Other {
        /// The packet type.
        kind: u8,
    },
}

/// The report blocks of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks<'a>(&'a [u8]);

/// The packets of a compound. Ends at the first that contradicts itself.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a>(&'a [u8]);

/// Reads a compound. Tolerant: parts before the first bad one count, order does not matter, padding
/// and extensions are passed over.
#[must_use]
pub fn read(datagram: &[u8]) -> Parts<'_> {
    Parts(datagram)
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let &[first, kind, high, low] = self.0.first_chunk::<4>()?;
        if first & 0xc0 != 0x80 {
            return None;
        }
        let length = 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
        let (packet, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        let count = usize::from(first & 0x1f);
        read_part(kind, count, &packet[4..])
    }
}

impl Iterator for Blocks<'_> {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        let (block, rest) = self.0.split_first_chunk::<BLOCK>()?;
        self.0 = rest;
        let word = |place: usize| word(block, place).unwrap_or(0);
        Some(Block {
            ssrc: word(0),
            fraction_lost: block[4],
            // The sign of 24 bits, carried to 32.
            cumulative_lost: (word(4) << 8).cast_signed() >> 8,
            highest: word(8),
            jitter: word(12),
            last_report: word(16),
            delay: word(20),
        })
    }
}

impl Compound<'_> {
    /// Writes the compound and returns its length. `datagram` has room for [`COMPOUND_MAX`] bytes.
    ///
    /// # Panics
    ///
    /// If there is no room: buffers are ours.
    pub fn write(&self, datagram: &mut [u8]) -> usize {
        let mut writer = Writer {
            datagram,
            length: 0,
        };
        let blocks = u8::from(self.block.is_some());
        let report = writer.begin(if self.sender.is_some() { SR } else { RR }, blocks);
        writer.word(self.ssrc);
        if let Some(sender) = self.sender {
            writer.bytes(&sender.ntp.to_be_bytes());
            writer.word(sender.timestamp);
            writer.word(sender.packets);
            writer.word(sender.octets);
        }
        if let Some(block) = self.block {
            writer.block(&block);
        }
        writer.end(report);
        writer.description(self.ssrc, self.cname);
        if self.bye {
            let bye = writer.begin(BYE, 1);
            writer.word(self.ssrc);
            writer.end(bye);
        }
        writer.length
    }
}

fn read_part(kind: u8, count: usize, body: &[u8]) -> Option<Part<'_>> {
    match kind {
        SR => Some(Part::SenderReport {
            ssrc: word(body, 0)?,
            info: SenderInfo {
                ntp: (u64::from(word(body, 4)?) << 32) | u64::from(word(body, 8)?),
                timestamp: word(body, 12)?,
                packets: word(body, 16)?,
                octets: word(body, 20)?,
            },
            blocks: Blocks(body.get(24..24 + count * BLOCK)?),
        }),
        RR => Some(Part::ReceiverReport {
            ssrc: word(body, 0)?,
            blocks: Blocks(body.get(4..4 + count * BLOCK)?),
        }),
        BYE => Some(match word(body, 0).filter(|_| count > 0) {
            Some(ssrc) => Part::Bye { ssrc },
            None => Part::Other { kind },
        }),
        kind => Some(Part::Other { kind }),
    }
}

fn word(bytes: &[u8], place: usize) -> Option<u32> {
    bytes
        .get(place..)?
        .first_chunk()
        .map(|word| u32::from_be_bytes(*word))
}

struct Writer<'a> {
    datagram: &'a mut [u8],
    length: usize,
}

impl Writer<'_> {
    fn begin(&mut self, kind: u8, count: u8) -> usize {
        let place = self.length;
        self.bytes(&[0x80 | count, kind, 0, 0]);
        place
    }

    /// Writes the length of the packet that began at `place`: words after the first.
    fn end(&mut self, place: usize) {
        let words = (self.length - place) / 4 - 1;
        let words = u16::try_from(words).unwrap_or(0).to_be_bytes();
        self.datagram[place + 2..place + 4].copy_from_slice(&words);
    }

    fn block(&mut self, block: &Block) {
        self.word(block.ssrc);
        let lost = block
            .cumulative_lost
            .clamp(-0x80_0000, 0x7f_ffff)
            .cast_unsigned();
        self.word((u32::from(block.fraction_lost) << 24) | (lost & 0xff_ffff));
        self.word(block.highest);
        self.word(block.jitter);
        self.word(block.last_report);
        self.word(block.delay);
    }

    /// SDES with the name alone, closed by zeros up to a whole word (RFC 3550 section 6.5).
    fn description(&mut self, ssrc: u32, cname: &str) {
        let place = self.begin(SDES, 1);
        self.word(ssrc);
        let name = &cname.as_bytes()[..cname.len().min(CNAME_MAX)];
        self.bytes(&[1, u8::try_from(name.len()).unwrap_or(0)]);
        self.bytes(name);
        let zeros = 4 - self.length % 4;
        self.bytes(&[0; 4][..zeros]);
        self.end(place);
    }

    fn word(&mut self, word: u32) {
        self.bytes(&word.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.datagram[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }
}

/// When reports go out, and what the peer's tell about the way there and back.
#[derive(Debug)]
pub struct Reports {
    epoch: Instant,
    next: Instant,
    random: SmallRng,
    /// The middle of the NTP time of the peer's last sender report, and when it came.
    heard: Option<(u32, Instant)>,
    round_trip: Option<Duration>,
    remote: Option<Block>,
}

impl Reports {
    /// Starts to report.
    #[must_use]
    pub fn new(now: Instant, mut random: SmallRng) -> Self {
        // RFC 3550 section 6.2: the first comes after half the interval.
        let next = now + interval(&mut random) / 2;
        Self {
            epoch: now,
            next,
            random,
            heard: None,
            round_trip: None,
            remote: None,
        }
    }

    /// When the next report is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        self.next
    }

    /// Whether a report is due; if so, the next one is planned.
    pub fn is_due(&mut self, now: Instant) -> bool {
        let due = now >= self.next;
        if due {
            self.next = now + interval(&mut self.random);
        }
        due
    }

    /// The way there and back, from the peer's last report on our stream.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// What the peer reported last about our stream.
    #[must_use]
    pub fn remote(&self) -> Option<Block> {
        self.remote
    }

    /// Takes notice of one part of a compound of the peer's; `ours` is our source.
    pub fn handle(&mut self, now: Instant, ours: u32, part: Part<'_>) {
        let mut blocks = match part {
            Part::SenderReport { info, blocks, .. } => {
                self.heard = Some((middle(info.ntp), now));
                blocks
            }
            Part::ReceiverReport { blocks, .. } => blocks,
            Part::Bye { .. } | Part::Other { .. } => return,
        };
        let Some(block) = blocks.find(|block| block.ssrc == ours) else {
            return;
        };
        self.remote = Some(block);
        if block.last_report == 0 {
            return;
        }
        // RFC 3550 section 6.4.1: arrival minus last report minus delay, in 65,536ths of a second.
        let passed = middle(self.ntp(now)).wrapping_sub(block.last_report);
        let travelled = passed.wrapping_sub(block.delay);
        if travelled < ROUND_TRIP_MAX {
            self.round_trip = Some(Duration::from_micros(
                (u64::from(travelled) * 1_000_000) >> 16,
            ));
        }
    }

    /// Last report and delay for our block about the peer.
    #[must_use]
    pub fn last_report(&self, now: Instant) -> (u32, u32) {
        self.heard.map_or((0, 0), |(last_report, at)| {
            (
                last_report,
                middle(to_ntp(now.saturating_duration_since(at))),
            )
        })
    }

    /// Our NTP time: RFC 3550 section 6.4.1 lets a system without a wall clock count from the
    /// beginning of the session. Only differences are used.
    #[must_use]
    pub fn ntp(&self, now: Instant) -> u64 {
        to_ntp(now.saturating_duration_since(self.epoch) + NTP_START)
    }
}

/// RFC 3550 section 6.2: five seconds, times 0.5 to 1.5 so that nobody reports in step.
fn interval(random: &mut SmallRng) -> Duration {
    Duration::from_millis(random.random_range(2_500..7_500))
}

fn to_ntp(since: Duration) -> u64 {
    (since.as_secs() << 32) | ((u64::from(since.subsec_nanos()) << 32) / 1_000_000_000)
}

fn middle(ntp: u64) -> u32 {
    let [_, _, a, b, c, d, _, _] = ntp.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// Feeds arbitrary bytes to the reader. For fuzzing: it must return.
pub fn fuzz(datagram: &[u8]) {
    let parts = read(datagram).map(|part| match part {
        Part::SenderReport { blocks, .. } | Part::ReceiverReport { blocks, .. } => blocks.count(),
        Part::Bye { .. } | Part::Other { .. } => 0,
    });
    assert!(
        parts.sum::<usize>() * BLOCK <= datagram.len(),
        "blocks within the datagram"
    );
}

/// Room for a report of ours: SR with a block, the longest name, BYE.
pub const COMPOUND_MAX: usize = 28 + BLOCK + 12 + CNAME_MAX + 4 + 8;

const SR: u8 = 200;
const RR: u8 = 201;
const SDES: u8 = 202;
const BYE: u8 = 203;
const BLOCK: usize = 24;
const CNAME_MAX: usize = 255;

/// Our time does not begin at zero: a last report of 0 means none.
const NTP_START: Duration = Duration::from_secs(3_600);

/// A round trip of 30 s or a negative one is a peer that counts wrong.
const ROUND_TRIP_MAX: u32 = 30 << 16;

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rtcp_oracle::{
        goodbye::Goodbye, packet::unmarshal, receiver_report::ReceiverReport,
        reception_report::ReceptionReport, sender_report::SenderReport,
        source_description::SourceDescription,
    };
    use webrtc_util::marshal::Marshal;

    use super::*;

    fn full() -> Compound<'static> {
        Compound {
            ssrc: 0x0102_0304,
            sender: Some(SenderInfo {
                ntp: 0x1122_3344_5566_7788,
                timestamp: 9,
                packets: 10,
                octets: 11,
            }),
            block: Some(Block {
                ssrc: 5,
                fraction_lost: 64,
                cumulative_lost: 1_000,
                highest: 70_000,
                jitter: 80,
                last_report: 0x3344_5566,
                delay: 65_536,
            }),
            cname: "anonymous@ramal",
            bye: true,
        }
    }

    #[test]
    fn the_rtcp_crate_reads_what_we_write() {
        let mut datagram = [0; COMPOUND_MAX];
        let length = full().write(&mut datagram);
        let parts = unmarshal(&mut &datagram[..length]).expect("the oracle reads ours");
        let report = parts[0]
            .as_any()
            .downcast_ref::<SenderReport>()
            .expect("a sender report");
        assert_eq!(report.ssrc, 0x0102_0304);
        assert_eq!(report.ntp_time, 0x1122_3344_5566_7788);
        assert_eq!(
            (report.rtp_time, report.packet_count, report.octet_count),
            (9, 10, 11)
        );
        let block = &report.reports[0];
        assert_eq!(
            (block.ssrc, block.fraction_lost, block.total_lost),
            (5, 64, 1_000)
        );
        assert_eq!((block.last_sequence_number, block.jitter), (70_000, 80));
        assert_eq!(
            (block.last_sender_report, block.delay),
            (0x3344_5566, 65_536)
        );
        let names = parts[1]
            .as_any()
            .downcast_ref::<SourceDescription>()
            .expect("a name");
        assert_eq!(&names.chunks[0].items[0].text[..], b"anonymous@ramal");
        assert!(parts[2].as_any().downcast_ref::<Goodbye>().is_some());
    }

    #[test]
    fn we_read_what_the_rtcp_crate_writes() {
        let reports = (0..31).map(|ssrc| ReceptionReport {
            ssrc,
            jitter: 7,
            ..Default::default()
        });
        let report = ReceiverReport {
            ssrc: 77,
            reports: reports.collect(),
            ..Default::default()
        };
        let datagram = report.marshal().expect("the oracle writes");
        let mut parts = read(&datagram);
        let Some(Part::ReceiverReport { ssrc: 77, blocks }) = parts.next() else {
            panic!("an RR")
        };
        assert!(
            blocks
                .zip(0..31)
                .all(|(block, ssrc)| block.ssrc == ssrc && block.jitter == 7)
        );
        assert_eq!(parts.next(), None);
    }

    #[test]
    fn every_length_of_a_name_ends_on_a_word() {
        let name = "x".repeat(255);
        for length in 0..=255 {
            let compound = Compound {
                cname: &name[..length],
                ..full()
            };
            let mut datagram = [0xff; COMPOUND_MAX];
            let written = compound.write(&mut datagram);
            assert_eq!(written % 4, 0);
            assert_eq!(read(&datagram[..written]).count(), 3, "{length}");
        }
    }

    #[test]
    fn a_negative_loss_survives() {
        let block = Block {
            cumulative_lost: -3,
            ..Block::default()
        };
        let compound = Compound {
            sender: None,
            block: Some(block),
            ..full()
        };
        let mut datagram = [0; COMPOUND_MAX];
        let length = compound.write(&mut datagram);
        let Some(Part::ReceiverReport { mut blocks, .. }) = read(&datagram[..length]).next() else {
            panic!("an RR")
        };
        assert_eq!(blocks.next(), Some(block));
    }

    /// We report to a peer 30 ms away, which answers 500 ms later.
    #[test]
    fn the_round_trip_is_arrival_less_report_less_delay() {
        let start = crate::rtp::origin();
        let mut ours = Reports::new(start, SmallRng::seed_from_u64(1));
        let mut theirs = Reports::new(start, SmallRng::seed_from_u64(2));
        let sent = start + Duration::from_millis(1_234);
        let info = SenderInfo {
            ntp: ours.ntp(sent),
            ..SenderInfo::default()
        };
        let there = sent + Duration::from_millis(30);
        theirs.handle(
            there,
            2,
            Part::SenderReport {
                ssrc: 1,
                info,
                blocks: Blocks(&[]),
            },
        );
        let answered = there + Duration::from_millis(500);
        let (last_report, delay) = theirs.last_report(answered);
        let block = Block {
            ssrc: 1,
            last_report,
            delay,
            ..Block::default()
        };
        let compound = Compound {
            ssrc: 2,
            sender: None,
            block: Some(block),
            cname: "",
            bye: false,
        };
        let mut datagram = [0; COMPOUND_MAX];
        let length = compound.write(&mut datagram);
        let back = answered + Duration::from_millis(30);
        read(&datagram[..length]).for_each(|part| ours.handle(back, 1, part));
        let round_trip = ours.round_trip().expect("a round trip");
        assert!(round_trip.abs_diff(Duration::from_millis(60)) < Duration::from_micros(50));
        assert_eq!(ours.remote(), Some(block));
    }

    #[test]
    fn reports_are_five_seconds_apart_in_the_mean_and_never_in_step() {
        let start = crate::rtp::origin();
        let mut reports = Reports::new(start, SmallRng::seed_from_u64(3));
        let mut count = 0_u32;
        for turn in 0..5_000_u32 {
            count += u32::from(reports.is_due(start + Duration::from_secs(1) * turn));
        }
        assert!((850..1_000).contains(&count), "{count}"); // whole seconds round up
    }

    #[test]
    fn mutated_compounds_never_panic() {
        let mut random = SmallRng::seed_from_u64(4);
        for _ in 0..100_000 {
            let mut datagram = [0; COMPOUND_MAX];
            let length = full().write(&mut datagram);
            for _ in 0..random.random_range(1..6) {
                datagram[random.random_range(0..length)] = random.random();
            }
            fuzz(&datagram[..random.random_range(0..=length)]);
        }
    }
}

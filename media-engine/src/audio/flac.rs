//! Writing FLAC (RFC 9639): recordings of 16 bits, smaller by half and the same to the bit.
//!
//! Each block of a channel is written as the difference from a fixed polynomial (section 9.2.5 of the
//! RFC) in Rice codes, as silence is (constant), or as it is: whichever is shortest. Calls are half
//! silence, so this comes within a tenth of what slower encoders reach.

use std::io::{self, Seek, SeekFrom, Write};

/// Samples of a channel in each block but the last.
pub const BLOCK: usize = 4_096;

/// A file being written.
#[derive(Debug)]
pub struct Writer<W> {
    sink: W,
    rate: u32,
    channels: u8,
    blocks: u32,
    samples: u64,
    bits: Bits,
}

impl<W: Write + Seek> Writer<W> {
    /// Begins a file of one or two channels of 16 bits, `rate` samples a second (below 2^20).
    ///
    /// # Errors
    ///
    /// What the sink says.
    pub fn new(sink: W, rate: u32, channels: u8) -> io::Result<Self> {
        let mut writer = Self {
            sink,
            rate,
            channels,
            blocks: 0,
            samples: 0,
            bits: Bits::default(),
        };
        writer.write_head()?;
        Ok(writer)
    }

    /// Writes the next block: [`BLOCK`] samples of each channel, which come in turn; fewer only at the
    /// end.
    ///
    /// # Errors
    ///
    /// What the sink says.
    pub fn write(&mut self, pcm: &[i16]) -> io::Result<()> {
        let channels = usize::from(self.channels);
        let length = (pcm.len() / channels).min(BLOCK);
        if length == 0 {
            return Ok(());
        }
        self.write_frame_head(length);
        let mut one = Vec::with_capacity(length);
        for channel in 0..channels {
            one.clear();
            let samples = pcm.iter().skip(channel).step_by(channels).take(length);
            one.extend(samples.map(|sample| i32::from(*sample)));
            write_subframe(&mut self.bits, &one);
        }
        self.bits.align();
        let sum = crc16(&self.bits.bytes);
        self.sink.write_all(&self.bits.bytes)?;
        self.sink.write_all(&sum.to_be_bytes())?;
        self.bits.bytes.clear();
        self.blocks += 1;
        self.samples += length as u64;
        Ok(())
    }

    /// Ends the file: its head tells how long it is. Returns the sink.
    ///
    /// # Errors
    ///
    /// What the sink says.
    pub fn finish(mut self) -> io::Result<W> {
        self.sink.seek(SeekFrom::Start(0))?;
        self.write_head()?;
        self.sink.seek(SeekFrom::End(0))?;
        self.sink.flush()?;
        Ok(self.sink)
    }

    /// RFC 9639 section 8.2. What is 0 is unknown: frame sizes and the sum of the samples.
    fn write_head(&mut self) -> io::Result<()> {
        let bits = &mut self.bits;
        bits.bytes.extend(b"fLaC");
        bits.put(0x80, 8); // the last block of metadata, and the only one
        bits.put(34, 24);
        bits.put(BLOCK as u64, 16);
        bits.put(BLOCK as u64, 16);
        bits.put(0, 48);
        bits.put(u64::from(self.rate), 20);
        bits.put(u64::from(self.channels) - 1, 3);
        bits.put(15, 5);
        bits.put(self.samples, 36);
        bits.bytes.extend([0; 16]);
        self.sink.write_all(&bits.bytes)?;
        bits.bytes.clear();
        Ok(())
    }

    /// RFC 9639 section 9.1.
    fn write_frame_head(&mut self, length: usize) {
        let bits = &mut self.bits;
        bits.put(0xfff8, 16); // blocks of one size
        let whole = length == BLOCK;
        bits.put(if whole { 12 } else { 7 }, 4);
        bits.put(0, 4); // the rate is in the head of the file
        bits.put(u64::from(self.channels) - 1, 4);
        bits.put(0b1000, 4); // 16 bits
        put_number(bits, self.blocks);
        if !whole {
            bits.put(length as u64 - 1, 16);
        }
        let sum = crc8(&bits.bytes);
        bits.put(u64::from(sum), 8);
    }
}

/// A number in the manner of UTF-8 (RFC 9639 section 9.1.5).
fn put_number(bits: &mut Bits, number: u32) {
    if number < 0x80 {
        bits.put(u64::from(number), 8);
        return;
    }
    let mut behind = 1;
    while behind < 6 && u64::from(number) >= 1 << (6 * behind + 6 - behind) {
        behind += 1;
    }
    let ones = (0xff00_u64 >> (behind + 1)) & 0xff;
    bits.put(ones | u64::from(number) >> (6 * behind), 8);
    for place in (0..behind).rev() {
        bits.put(0x80 | u64::from(number) >> (6 * place) & 0x3f, 8);
    }
}

/// RFC 9639 section 9.2.
fn write_subframe(bits: &mut Bits, samples: &[i32]) {
    if samples.iter().all(|sample| *sample == samples[0]) {
        bits.put(0, 8);
        bits.put_signed(samples[0], 16);
        return;
    }
    let mut residual = samples.to_vec();
    let (order, size) = best_order(&mut residual, samples);
    if size >= 16 * samples.len() as u64 {
        bits.put(0b10, 8); // as it is
        samples
            .iter()
            .for_each(|sample| bits.put_signed(*sample, 16));
        return;
    }
    bits.put((0b1000 | order as u64) << 1, 8);
    for sample in &samples[..order] {
        bits.put_signed(*sample, 16);
    }
    let partitions = partition_order(samples.len());
    bits.put(0, 2); // Rice codes of 4 bits
    bits.put(u64::from(partitions), 4);
    for partition in partitions_of(&residual, order, partitions) {
        let (parameter, _) = best_parameter(partition);
        bits.put(u64::from(parameter), 4);
        for value in partition {
            let folded = fold(*value);
            bits.put_unary(folded >> parameter);
            bits.put(u64::from(folded) & ((1 << parameter) - 1), parameter);
        }
    }
}

/// The polynomial that leaves least, whose residual is left in `residual`; and the size in bits.
fn best_order(residual: &mut [i32], samples: &[i32]) -> (usize, u64) {
    let partitions = partition_order(samples.len());
    let highest = ORDER_MAX.min(samples.len() - 1);
    let mut best = (0, u64::MAX);
    let mut present = samples.to_vec();
    for order in 0..=highest {
        if order > 0 {
            for at in (order..present.len()).rev() {
                present[at] -= present[at - 1];
            }
        }
        let parts = partitions_of(&present, order, partitions);
        let size = parts.map(|part| 4 + best_parameter(part).1).sum::<u64>() + 16 * order as u64;
        if size < best.1 {
            best = (order, size);
            residual.copy_from_slice(&present);
        }
    }
    best
}

/// A partition is 256 samples; a last block is whole.
fn partition_order(length: usize) -> u32 {
    if length == BLOCK { 4 } else { 0 }
}

/// Of the first partition the samples that begin the polynomial are left out.
fn partitions_of(residual: &[i32], order: usize, partitions: u32) -> impl Iterator<Item = &[i32]> {
    let each = residual.len() >> partitions;
    let parts = residual.chunks(each).enumerate();
    parts.map(move |(at, part)| if at == 0 { &part[order..] } else { part })
}

/// The Rice parameter that makes a partition shortest, and its length in bits.
fn best_parameter(partition: &[i32]) -> (u32, u64) {
    let size = |parameter: u32| {
        let ones: u64 = partition
            .iter()
            .map(|value| u64::from(fold(*value) >> parameter))
            .sum();
        ones + partition.len() as u64 * (u64::from(parameter) + 1)
    };
    let sum: u64 = partition.iter().map(|value| u64::from(fold(*value))).sum();
    let mean = sum / (partition.len() as u64).max(1);
    // The best is the logarithm of the mean, or next to it.
    let near = mean.checked_ilog2().unwrap_or(0).min(PARAMETER_MAX);
    let range = near.saturating_sub(1)..=(near + 1).min(PARAMETER_MAX);
    let sized = range.map(|parameter| (parameter, size(parameter)));
    sized.min_by_key(|(_, size)| *size).unwrap_or((0, u64::MAX))
}

/// Signed to unsigned: 0, -1, 1, -2 …
fn fold(value: i32) -> u32 {
    (value << 1 ^ value >> 31).cast_unsigned()
}

/// Bits that become bytes, the highest first.
#[derive(Debug, Default)]
struct Bits {
    bytes: Vec<u8>,
    /// The low `count` bits wait; fewer than 8 between calls.
    waiting: u64,
    count: u32,
}

impl Bits {
    /// Adds the low `count` bits of `value`; at most 48, and no others are set.
    #[allow(clippy::cast_possible_truncation)] // a byte is cut out
    fn put(&mut self, value: u64, count: u32) {
        self.waiting = self.waiting << count | value;
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            self.bytes.push((self.waiting >> self.count) as u8);
        }
        self.waiting &= (1 << self.count) - 1;
    }

    fn put_signed(&mut self, value: i32, count: u32) {
        self.put(u64::from(value.cast_unsigned()) & ((1 << count) - 1), count);
    }

    /// So many zeros, and a one.
    fn put_unary(&mut self, mut zeros: u32) {
        while zeros >= 32 {
            self.put(0, 32);
            zeros -= 32;
        }
        self.put(1, zeros + 1);
    }

    fn align(&mut self) {
        if self.count > 0 {
            self.put(0, 8 - self.count);
        }
    }
}

fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ byte, |sum, _| {
            sum << 1 ^ if sum & 0x80 == 0 { 0 } else { 0x07 }
        })
    })
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, byte| {
        let place = usize::from((sum >> 8) as u8 ^ byte);
        sum << 8 ^ CRC16[place]
    })
}

const CRC16: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::cast_possible_truncation)] // below 256
        let mut sum = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            sum = sum << 1 ^ if sum & 0x8000 == 0 { 0 } else { 0x8005 };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
};

/// The highest polynomial of the fixed ones.
const ORDER_MAX: usize = 4;

/// The greatest Rice parameter of 4 bits; 15 means something else.
const PARAMETER_MAX: u32 = 14;

//! Writing and reading the WAV container.

use crate::codec::g711;

/// A whole file of 16-bit samples, one channel.
#[must_use]
pub fn pcm16(rate: u32, samples: &[i16]) -> Vec<u8> {
    let body = samples.iter().flat_map(|sample| sample.to_le_bytes());
    whole(Encoding::Pcm16, rate, body)
}

/// A whole A-law file, one channel.
#[must_use]
pub fn alaw(rate: u32, samples: &[i16]) -> Vec<u8> {
    whole(
        Encoding::Alaw,
        rate,
        samples.iter().copied().map(g711::alaw),
    )
}

/// A whole µ-law file, one channel.
#[must_use]
pub fn ulaw(rate: u32, samples: &[i16]) -> Vec<u8> {
    whole(
        Encoding::Ulaw,
        rate,
        samples.iter().copied().map(g711::ulaw),
    )
}

/// How the samples of a WAV file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// 16-bit little-endian.
    Pcm16,
    /// One A-law byte a sample.
    Alaw,
    /// One µ-law byte a sample.
    Ulaw,
}

impl Encoding {
    /// The format tag that Microsoft's registry gave it.
    const fn tag(self) -> u16 {
        match self {
            Self::Pcm16 => 1,
            Self::Alaw => 6,
            Self::Ulaw => 7,
        }
    }

    /// Bytes a sample.
    #[must_use]
    pub const fn bytes(self) -> u16 {
        match self {
            Self::Pcm16 => 2,
            Self::Alaw | Self::Ulaw => 1,
        }
    }
}

/// How a WAV file holds sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// How samples are written.
    pub encoding: Encoding,
    /// Samples a second of each channel.
    pub rate: u32,
    /// Channels, whose samples come in turn.
    pub channels: u16,
}

impl Format {
    /// One channel.
    #[must_use]
    pub const fn mono(encoding: Encoding, rate: u32) -> Self {
        Self {
            encoding,
            rate,
            channels: 1,
        }
    }
}

/// Bytes of [`header`].
pub const HEADER_BYTES: usize = 58;

/// The length that a header carries while the file is still being written. Readers take it as "until
/// the end of the file", so a recording whose writer was killed still plays.
pub const UNKNOWN: u32 = u32::MAX;

/// The header of a file with `bytes` bytes of samples ([`UNKNOWN`] while writing).
///
/// It has the extension field and the fact chunk in every encoding, which only PCM may leave out:
/// thus it is always [`HEADER_BYTES`] long and can be overwritten in place when the length is known.
#[must_use]
pub fn header(format: Format, bytes: u32) -> [u8; HEADER_BYTES] {
    let Format {
        encoding,
        rate,
        channels,
    } = format;
    let width = encoding.bytes() * channels;
    let samples = bytes / u32::from(width);
    let riff = bytes.saturating_add(50).saturating_add(bytes & 1);
    let mut header = [0; HEADER_BYTES];
    let fields: [&[u8]; 16] = [
        b"RIFF",
        &(if bytes == UNKNOWN { UNKNOWN } else { riff }).to_le_bytes(),
        b"WAVEfmt ",
        &18u32.to_le_bytes(),
        &encoding.tag().to_le_bytes(),
        &channels.to_le_bytes(),
        &rate.to_le_bytes(),
        &rate.saturating_mul(u32::from(width)).to_le_bytes(),
        &width.to_le_bytes(),
        &(encoding.bytes() * 8).to_le_bytes(),
        &0u16.to_le_bytes(),
        b"fact",
        &4u32.to_le_bytes(),
        &(if bytes == UNKNOWN { UNKNOWN } else { samples }).to_le_bytes(),
        b"data",
        &bytes.to_le_bytes(),
    ];
    let mut at = 0;
    for field in fields {
        header[at..at + field.len()].copy_from_slice(field);
        at += field.len();
    }
    header
}

/// Reads back what [`pcm16`] wrote at `rate`, or a recorder with [`header`] whose writer may have been
/// killed. `None` for anything else: other files go through [`intake`](super::intake).
#[must_use]
pub fn read_pcm16(rate: u32, file: &[u8]) -> Option<Vec<i16>> {
    let (head, body) = file.split_first_chunk::<HEADER_BYTES>()?;
    let (_, length) = head.split_last_chunk()?;
    let length = u32::from_le_bytes(*length);
    if *head != header(Format::mono(Encoding::Pcm16, rate), length) {
        return None;
    }
    let body = match length {
        UNKNOWN => body,
        length => body.get(..usize::try_from(length).ok()?)?,
    };
    let (samples, _) = body.as_chunks();
    Some(samples.iter().copied().map(i16::from_le_bytes).collect())
}

fn whole(encoding: Encoding, rate: u32, body: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut file = vec![0; HEADER_BYTES];
    file.extend(body);
    let bytes = u32::try_from(file.len() - HEADER_BYTES).unwrap_or(UNKNOWN);
    file[..HEADER_BYTES].copy_from_slice(&header(Format::mono(encoding, rate), bytes));
    if bytes % 2 == 1 {
        file.push(0); // RIFF chunks end on even bytes.
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_reads_back_even_when_the_writer_was_killed() {
        let samples: Vec<i16> = (-500..500).map(|n| n * 60).collect();
        let mut file = pcm16(16_000, &samples);
        assert_eq!(read_pcm16(16_000, &file), Some(samples.clone()));
        assert_eq!(read_pcm16(8_000, &file), None);
        assert_eq!(read_pcm16(16_000, &file[..file.len() - 1]), None);
        assert_eq!(read_pcm16(16_000, &file[..40]), None);
        assert_eq!(read_pcm16(8_000, &alaw(8_000, &samples)), None);

        file[..HEADER_BYTES]
            .copy_from_slice(&header(Format::mono(Encoding::Pcm16, 16_000), UNKNOWN));
        assert_eq!(read_pcm16(16_000, &file), Some(samples.clone()));
        assert_eq!(
            read_pcm16(16_000, &file[..file.len() - 1]),
            Some(samples[..999].to_vec())
        );
    }

    #[test]
    fn lengths_say_what_follows() {
        for (file, data) in [
            (pcm16(16_000, &[1, -1, 300]), 6),
            (alaw(8_000, &[0, 0, 0]), 3),
            (ulaw(8_000, &[0; 160]), 160),
        ] {
            let number = |at: usize| {
                u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes")) as usize
            };
            assert_eq!(number(4) + 8, file.len());
            assert_eq!(number(54), data);
            assert_eq!(file.len(), HEADER_BYTES + data + data % 2);
        }
    }
}

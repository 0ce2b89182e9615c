//! ITU-T G.711: A-law and µ-law by table.
//!
//! Both laws look only at the upper bits of a 16-bit sample (12 for A-law, 14 for µ-law), so the
//! compressing tables are 4 KiB and 16 KiB: they stay in the first-level cache of a media thread.
//! All four are computed at compile time from the segment rule of the standard.

/// The A-law byte of a zero sample.
pub const ALAW_SILENCE: u8 = 0xD5;

/// The µ-law byte of a zero sample.
pub const ULAW_SILENCE: u8 = 0xFF;

/// Compresses one 16-bit linear sample to A-law (ITU-T G.711 table 1, even bits inverted).
#[inline]
#[must_use]
pub const fn alaw(sample: i16) -> u8 {
    ALAW_COMPRESS[(sample.cast_unsigned() >> 4) as usize]
}

/// Compresses one 16-bit linear sample to µ-law (ITU-T G.711 table 2).
#[inline]
#[must_use]
pub const fn ulaw(sample: i16) -> u8 {
    ULAW_COMPRESS[(sample.cast_unsigned() >> 2) as usize]
}

/// Expands an A-law byte to a 16-bit linear sample: the middle of its interval.
#[inline]
#[must_use]
pub const fn from_alaw(byte: u8) -> i16 {
    ALAW_EXPAND[byte as usize]
}

/// Expands a µ-law byte to a 16-bit linear sample: the middle of its interval.
#[inline]
#[must_use]
pub const fn from_ulaw(byte: u8) -> i16 {
    ULAW_EXPAND[byte as usize]
}

static ALAW_COMPRESS: [u8; 4096] = {
    let mut table = [0; 4096];
    let mut index: u16 = 0;
    while index < 4096 {
        table[index as usize] = alaw_by_rule((index << 4).cast_signed());
        index += 1;
    }
    table
};

static ULAW_COMPRESS: [u8; 16_384] = {
    let mut table = [0; 16_384];
    let mut index: u16 = 0;
    while index < 16_384 {
        table[index as usize] = ulaw_by_rule((index << 2).cast_signed());
        index += 1;
    }
    table
};

static ALAW_EXPAND: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte: u8 = 0;
    loop {
        table[byte as usize] = from_alaw_by_rule(byte);
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

static ULAW_EXPAND: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte: u8 = 0;
    loop {
        table[byte as usize] = from_ulaw_by_rule(byte);
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

/// Every second bit is inverted on the line, so that silence keeps the clock of old carriers alive.
const ALAW_LINE: u8 = 0x55;

/// The µ-law segments start one bias above zero, which makes the eight of them one rule.
const ULAW_BIAS: i32 = 33;

/// The largest 14-bit magnitude that still has a µ-law code, with the bias added.
const ULAW_TOP: i32 = 0x1FFF;

#[allow(clippy::cast_possible_truncation, reason = "magnitude is at most 127")]
const fn alaw_by_rule(sample: i16) -> u8 {
    let positive = sample >= 0;
    // One's complement, so that the two halves are mirror images.
    let mut magnitude = (if positive { sample } else { !sample }).cast_unsigned() >> 4;
    if magnitude > 15 {
        let mut segment = 1;
        while magnitude > 31 {
            magnitude >>= 1;
            segment += 1;
        }
        magnitude = (magnitude - 16) + (segment << 4);
    }
    let sign = if positive { 0x80 } else { 0 };
    (magnitude as u8 | sign) ^ ALAW_LINE
}

const fn from_alaw_by_rule(byte: u8) -> i16 {
    let code = byte ^ ALAW_LINE;
    let segment = (code >> 4) & 7;
    let step = (code & 15) as i16;
    let magnitude = match segment {
        0 => (step << 4) + 8,
        _ => ((step << 4) + 8 + 256) << (segment - 1),
    };
    if code & 0x80 != 0 {
        magnitude
    } else {
        -magnitude
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "segment and step fill seven bits"
)]
const fn ulaw_by_rule(sample: i16) -> u8 {
    let linear = (sample >> 2) as i32;
    let positive = linear >= 0;
    let mut magnitude = (if positive { linear } else { !linear }) + ULAW_BIAS;
    if magnitude > ULAW_TOP {
        magnitude = ULAW_TOP;
    }
    let mut segment = 0;
    while magnitude >> (segment + 6) != 0 {
        segment += 1;
    }
    let step = (magnitude >> (segment + 1)) & 15;
    let sign = if positive { 0x80 } else { 0 };
    // The seven bits go inverted on the line.
    (!((segment << 4) | step) as u8 & 0x7F) | sign
}

const fn from_ulaw_by_rule(byte: u8) -> i16 {
    let code = !byte;
    let segment = (code >> 4) & 7;
    let step = (code & 15) as i16;
    let magnitude = (((step << 1) + 33) << segment) - 33;
    let sample = magnitude << 2;
    if code & 0x80 != 0 { -sample } else { sample }
}

#[cfg(test)]
mod tests {
    use audio_codec::{Decoder as _, pcma, pcmu};

    use super::*;

    #[test]
    fn every_sample_lands_in_its_interval_and_louder_is_never_quieter() {
        let half_alaw = |byte: u8| 8 << ((byte ^ ALAW_LINE) >> 4 & 7).saturating_sub(1);
        let half_ulaw = |byte: u8| 4 << (!byte >> 4 & 7);
        let (mut last_a, mut last_u) = (i16::MIN, i16::MIN);
        for sample in i16::MIN..=i16::MAX {
            let (a, u) = (alaw(sample), ulaw(sample));
            assert!(
                from_alaw(a).abs_diff(sample) <= half_alaw(a),
                "A-law of {sample}"
            );
            // µ-law has no codes beyond ±8158 of its 14 bits: louder is clipped.
            let heard = sample.clamp(-32_635, 32_635);
            assert!(
                from_ulaw(u).abs_diff(heard) <= half_ulaw(u),
                "µ-law of {sample}"
            );
            assert!(from_alaw(a) >= last_a && from_ulaw(u) >= last_u, "{sample}");
            (last_a, last_u) = (from_alaw(a), from_ulaw(u));
        }
    }

    #[test]
    fn every_byte_expands_as_an_independent_implementation_has_it() {
        let (mut a, mut u) = (pcma::PcmaDecoder::new(), pcmu::PcmuDecoder::new());
        let mut sample = [0];
        for byte in 0..=u8::MAX {
            a.decode_into(&[byte], &mut sample)
                .expect("one sample fits");
            assert_eq!(from_alaw(byte), sample[0], "A-law byte {byte:#x}");
            u.decode_into(&[byte], &mut sample)
                .expect("one sample fits");
            assert_eq!(from_ulaw(byte), sample[0], "µ-law byte {byte:#x}");
        }
    }

    #[test]
    fn the_corners_are_those_of_the_standard() {
        assert_eq!(alaw(0), ALAW_SILENCE);
        assert_eq!(ulaw(0), ULAW_SILENCE);
        assert_eq!((alaw(i16::MAX), alaw(i16::MIN)), (0xAA, 0x2A));
        assert_eq!((ulaw(i16::MAX), ulaw(i16::MIN)), (0x80, 0x00));
        assert_eq!((from_alaw(0xAA), from_alaw(0x2A)), (32_256, -32_256));
        assert_eq!((from_ulaw(0x80), from_ulaw(0x00)), (32_124, -32_124));
        assert_eq!((from_alaw(ALAW_SILENCE), from_ulaw(ULAW_SILENCE)), (8, 0));
    }

    #[test]
    fn a_byte_survives_expanding_and_compressing() {
        for byte in 0..=u8::MAX {
            assert_eq!(alaw(from_alaw(byte)), byte);
            // µ-law has two zeros; the negative one comes back as the positive one.
            let back = if byte == 0x7F { 0xFF } else { byte };
            assert_eq!(ulaw(from_ulaw(byte)), back);
        }
    }
}

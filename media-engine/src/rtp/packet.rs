//! The RTP header (RFC 3550 section 5.1), read in place and written in place.
//!
//! Reading borrows the datagram and copies nothing; writing fills the first [`HEADER`] bytes of a
//! buffer that already holds the payload behind them.

/// Bytes of the fixed header; we send no CSRC and no extension.
pub const HEADER: usize = 12;

/// Bytes of the longest datagram that is RTP or RTCP for us: an Ethernet frame's worth. What is
/// longer cannot be audio of at most 60 ms in our codecs.
pub const DATAGRAM_MAX: usize = 1_500;

/// What the fixed header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Marker bit: the first packet of a talk-spurt or of an event (RFC 3551 section 4.1).
    pub marker: bool,
    /// Payload type, 0 to 127.
    pub payload_type: u8,
    /// Sequence number: one more for each packet, wraps.
    pub sequence: u16,
    /// Timestamp in units of the payload's clock, wraps.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
}

/// A packet read in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The fixed header.
    pub header: Header,
    /// What follows header, CSRC list and extension, without the padding.
    pub payload: &'a [u8],
}

/// The datagram is no RTP packet. The peer's fault (or a stranger's): counted and dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Shorter than the header says it is.
    #[error("cut short")]
    Short,
    /// Not version 2: STUN, DTLS, ZRTP or noise (RFC 7983).
    #[error("not version 2")]
    Version,
    /// The padding count is zero or reaches into the header.
    #[error("impossible padding")]
    Padding,
}

impl Header {
    /// Writes the fixed header over the first [`HEADER`] bytes of `datagram`.
    ///
    /// # Panics
    ///
    /// If `datagram` is shorter than [`HEADER`]: buffers are ours and have a fixed size.
    #[inline]
    pub fn write(&self, datagram: &mut [u8]) {
        datagram[0] = VERSION_2;
        datagram[1] = (self.payload_type & 0x7f) | if self.marker { 0x80 } else { 0 };
        datagram[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        datagram[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        datagram[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
    }
}

/// Reads a packet whose payload is in the clear.
///
/// # Errors
///
/// [`Malformed`] when lengths contradict each other or the version is not 2.
#[inline]
pub fn read(datagram: &[u8]) -> Result<Packet<'_>, Malformed> {
    let (header, start) = read_header(datagram)?;
    let mut payload = &datagram[start..];
    if datagram[0] & PADDING != 0 {
        let count = usize::from(*payload.last().ok_or(Malformed::Padding)?);
        if count == 0 || count > payload.len() {
            return Err(Malformed::Padding);
        }
        payload = &payload[..payload.len() - count];
    }
    Ok(Packet { header, payload })
}

/// Reads the header alone and says where the payload starts. SRTP encrypts the padding together with
/// the payload, so its reader needs the start before it can look at the end.
///
/// # Errors
///
/// [`Malformed`] as [`read`], except for the padding, which is not looked at.
#[inline]
pub fn read_header(datagram: &[u8]) -> Result<(Header, usize), Malformed> {
    let Some(fixed) = datagram.first_chunk::<HEADER>() else {
        return Err(Malformed::Short);
    };
    if fixed[0] & 0xc0 != VERSION_2 {
        return Err(Malformed::Version);
    }
    let header = Header {
        marker: fixed[1] & 0x80 != 0,
        payload_type: fixed[1] & 0x7f,
        sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
        timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
        ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
    };
    let mut start = HEADER + 4 * usize::from(fixed[0] & 0x0f);
    if fixed[0] & EXTENSION != 0 {
        // RFC 3550 section 5.3.1: two bytes for the profile, then the count of 32-bit words.
        let Some(word) = datagram.get(start..start + 4) else {
            return Err(Malformed::Short);
        };
        start += 4 + 4 * usize::from(u16::from_be_bytes([word[2], word[3]]));
    }
    if start > datagram.len() {
        return Err(Malformed::Short);
    }
    Ok((header, start))
}

/// Whether a datagram on a port that carries both is RTCP rather than RTP (RFC 5761 section 4: the
/// second byte of RTCP is 192 to 223, which RTP leaves free).
#[must_use]
#[inline]
pub fn is_rtcp(datagram: &[u8]) -> bool {
    datagram.len() >= 4 && datagram[0] & 0xc0 == VERSION_2 && (192..=223).contains(&datagram[1])
}

/// Feeds arbitrary bytes to the reader. For fuzzing: it must return.
pub fn fuzz(datagram: &[u8]) {
    if let Ok(packet) = read(datagram) {
        assert!(
            packet.payload.len() + HEADER <= datagram.len(),
            "a payload within its datagram"
        );
    }
}

const VERSION_2: u8 = 0x80;
const PADDING: u8 = 0x20;
const EXTENSION: u8 = 0x10;

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::SmallRng};
    use rtp_oracle::packet::Packet as Oracle;
    use webrtc_util::marshal::{Marshal, Unmarshal};

    use super::*;

    /// A packet of the oracle's with CSRCs, an extension and padding as the generator has it.
    fn drawn(random: &mut SmallRng) -> Vec<u8> {
        let mut packet = Oracle::default();
        packet.header.version = 2;
        packet.header.marker = random.random();
        packet.header.payload_type = random.random_range(0..128);
        packet.header.sequence_number = random.random();
        packet.header.timestamp = random.random();
        packet.header.ssrc = random.random();
        packet.header.csrc = (0..random.random_range(0..16))
            .map(|_| random.random())
            .collect();
        if random.random() {
            packet.header.extension = true;
            packet.header.extension_profile = 0x1234; // neither one- nor two-byte form: raw words
            let words = random.random_range(0..6);
            packet
                .header
                .extensions
                .push(rtp_oracle::header::Extension {
                    id: 0,
                    payload: (0..words * 4).map(|_| random.random::<u8>()).collect(),
                });
        }
        let bytes: Vec<u8> = (0..random.random_range(1..200))
            .map(|_| random.random())
            .collect();
        packet.payload = bytes.into();
        let mut datagram = packet.marshal().expect("the oracle writes").to_vec();
        if random.random() {
            let count: u8 = random.random_range(1..9);
            datagram.extend((1..count).map(|_| 0));
            datagram.push(count);
            datagram[0] |= PADDING;
        }
        datagram
    }

    #[test]
    fn reads_what_the_rtp_crate_writes() {
        let mut random = SmallRng::seed_from_u64(1);
        for _ in 0..5_000 {
            let datagram = drawn(&mut random);
            let ours = read(&datagram).expect("a good packet");
            let theirs = Oracle::unmarshal(&mut &datagram[..]).expect("the oracle reads its own");
            assert_eq!(ours.header.marker, theirs.header.marker);
            assert_eq!(ours.header.payload_type, theirs.header.payload_type);
            assert_eq!(ours.header.sequence, theirs.header.sequence_number);
            assert_eq!(ours.header.timestamp, theirs.header.timestamp);
            assert_eq!(ours.header.ssrc, theirs.header.ssrc);
            assert_eq!(ours.payload, &theirs.payload[..]);
        }
    }

    #[test]
    fn the_rtp_crate_reads_what_we_write() {
        let header = Header {
            marker: true,
            payload_type: 101,
            sequence: 0xfffe,
            timestamp: 0xdead_beef,
            ssrc: 0x0102_0304,
        };
        let mut datagram = [7; HEADER + 5];
        header.write(&mut datagram);
        let theirs = Oracle::unmarshal(&mut &datagram[..]).expect("the oracle reads ours");
        assert!(theirs.header.marker);
        assert_eq!(theirs.header.payload_type, 101);
        assert_eq!(theirs.header.sequence_number, 0xfffe);
        assert_eq!(theirs.header.timestamp, 0xdead_beef);
        assert_eq!(theirs.header.ssrc, 0x0102_0304);
        assert_eq!(&theirs.payload[..], [7; 5]);
    }

    #[test]
    fn every_cut_of_a_full_header_is_short() {
        let mut datagram = vec![0x92, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        datagram.extend([0; 8]); // two CSRCs
        datagram.extend([0xbe, 0xde, 0, 2]); // an extension of two words
        datagram.extend([0; 8]);
        assert_eq!(read(&datagram).map(|packet| packet.payload.len()), Ok(0));
        for length in 0..datagram.len() {
            assert_eq!(
                read(&datagram[..length]),
                Err(Malformed::Short),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn padding_that_eats_the_header_is_refused() {
        let mut datagram = [0; HEADER + 4];
        datagram[0] = VERSION_2 | PADDING;
        for (count, payload) in [
            (0, None),
            (1, Some(3)),
            (4, Some(0)),
            (5, None),
            (255, None),
        ] {
            datagram[HEADER + 3] = count;
            assert_eq!(
                read(&datagram).ok().map(|packet| packet.payload.len()),
                payload,
                "{count}"
            );
        }
        assert_eq!(
            read(&datagram[..HEADER]),
            Err(Malformed::Padding),
            "no payload at all"
        );
    }

    #[test]
    fn stun_and_dtls_are_not_rtp() {
        assert_eq!(read(&[0; 20]), Err(Malformed::Version));
        assert_eq!(read(&[22; 20]), Err(Malformed::Version));
    }

    #[test]
    fn mutated_packets_never_panic() {
        let mut random = SmallRng::seed_from_u64(2);
        for _ in 0..100_000 {
            let mut datagram = drawn(&mut random);
            for _ in 0..random.random_range(1..6) {
                let place = random.random_range(0..datagram.len());
                datagram[place] = random.random();
            }
            datagram.truncate(random.random_range(0..=datagram.len()));
            fuzz(&datagram);
        }
    }
}

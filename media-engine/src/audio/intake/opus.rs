//! Ogg files with Opus inside (RFC 7845), as browsers and messengers record them.

use std::io::Cursor;

use bytes::Bytes;
use opus_pure::{MAX_PACKET_SAMPLES, OggOpusReader, OpusDecoder, Trim};

use crate::audio::prompt::WIDE;

use super::{IntakeError, Layout, Packet};

/// One Opus stream, decoded straight to 16 kHz: Opus resamples by itself.
pub(super) struct OggOpus {
    reader: OggOpusReader<Cursor<Bytes>>,
    decoder: OpusDecoder,
    trim: Trim,
    channels: usize,
    block: Vec<f32>,
}

/// Whether the first page of an Ogg file holds an Opus header (RFC 7845 section 3).
pub(super) fn is_ogg_opus(bytes: &[u8]) -> bool {
    /// Bytes of a page before its payload, when the payload is one short packet.
    const PAGE_HEADER: usize = 28;
    bytes.starts_with(b"OggS")
        && bytes
            .get(PAGE_HEADER..)
            .is_some_and(|b| b.starts_with(b"OpusHead"))
}

impl OggOpus {
    pub(super) fn open(bytes: Bytes) -> Result<(Self, Layout), IntakeError> {
        let rate = i32::try_from(WIDE).map_err(|_| IntakeError::Rate(WIDE))?;
        let damaged = |error: opus_pure::Error| IntakeError::Damaged(error.to_string());
        let reader = OggOpusReader::new(Cursor::new(bytes)).map_err(damaged)?;
        let head = reader.head();
        let channels = usize::from(head.channel_count);
        let decoder = head
            .decoder(rate)
            .map_err(|error| IntakeError::Unsupported(error.to_string()))?;
        let trim = Trim::new(head, rate, channels).map_err(damaged)?;
        let block = vec![0.0; MAX_PACKET_SAMPLES * channels];
        let layout = Layout {
            rate: WIDE,
            channels,
            claimed: None,
        };
        Ok((
            Self {
                reader,
                decoder,
                trim,
                channels,
                block,
            },
            layout,
        ))
    }

    pub(super) fn next(&mut self, samples: &mut Vec<f32>) -> Packet {
        let packet = match self.reader.read_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => return Packet::End,
            Err(error) => return Packet::Broken(error.to_string()),
        };
        match self
            .decoder
            .decode(&packet.data, MAX_PACKET_SAMPLES, &mut self.block)
        {
            Ok(frames) => {
                let decoded = &self.block[..frames * self.channels];
                samples.extend_from_slice(self.trim.keep(&packet, decoded));
                Packet::Samples
            }
            Err(_) => Packet::Bad,
        }
    }
}

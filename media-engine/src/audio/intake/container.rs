//! Files that `symphonia` reads: mp3, wav, aiff, flac, ogg vorbis.

use std::io::Cursor;

use bytes::Bytes;
use symphonia::core::{
    codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions},
    common::Limit,
    errors::Error,
    formats::{FormatOptions, FormatReader, TrackType, probe::Hint},
    io::MediaSourceStream,
    meta::MetadataOptions,
};

use super::{IntakeError, Layout, Packet};

/// Bytes of one tag or cover picture that is kept while reading: we want none of them.
const TAG_BYTES_MAX: usize = 64 * 1_024;

/// The length in bytes that writers put where they do not know it yet is 2³² − 1 or, from `sox` and
/// `espeak-ng`, just below 2³¹. No upload is that large, so it means "until the end".
const OPEN_ENDED_BYTES: u64 = 0x7FFF_0000;

/// One audio track of a file.
pub(super) struct Container {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
}

impl Container {
    pub(super) fn open(bytes: Bytes) -> Result<(Self, Layout), IntakeError> {
        let stream = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
        let mut metadata = MetadataOptions::default();
        metadata.limit_tag_bytes = Limit::Maximum(TAG_BYTES_MAX);
        metadata.limit_visual_bytes = Limit::Maximum(TAG_BYTES_MAX);
        let format = symphonia::default::get_probe()
            .probe(&Hint::new(), stream, FormatOptions::default(), metadata)
            .map_err(unreadable)?;
        let track = format
            .default_track(TrackType::Audio)
            .ok_or(IntakeError::Empty)?;
        let parameters = track
            .codec_params
            .as_ref()
            .and_then(|parameters| parameters.audio())
            .ok_or_else(|| IntakeError::Unsupported("no audio track".to_owned()))?;
        let (id, frames) = (track.id, track.num_frames);
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(undecodable)?;
        let layout = layout(decoder.codec_params(), parameters, frames)?;
        Ok((
            Self {
                format,
                decoder,
                track: id,
            },
            layout,
        ))
    }

    pub(super) fn next(
        &mut self,
        layout: Layout,
        samples: &mut Vec<f32>,
    ) -> Result<Packet, IntakeError> {
        let packet = match self.format.next_packet() {
            Ok(Some(packet)) if packet.track_id == self.track => packet,
            Ok(Some(_)) => return Ok(Packet::Samples),
            Ok(None) => return Ok(Packet::End),
            Err(error) => return Ok(Packet::Broken(error.to_string())),
        };
        match self.decoder.decode(&packet) {
            Ok(audio) if audio.frames() == 0 => Ok(Packet::Samples),
            Ok(audio) => {
                let spec = audio.spec();
                if (spec.rate(), spec.channels().count()) != (layout.rate, layout.channels) {
                    return Err(IntakeError::Damaged("the format changes inside".to_owned()));
                }
                audio.copy_to_vec_interleaved(samples);
                Ok(Packet::Samples)
            }
            Err(Error::DecodeError(_) | Error::IoError(_)) => Ok(Packet::Bad),
            Err(error) => Ok(Packet::Broken(error.to_string())),
        }
    }
}

fn layout(
    decoder: &AudioCodecParameters,
    container: &AudioCodecParameters,
    frames: Option<u64>,
) -> Result<Layout, IntakeError> {
    let rate = decoder.sample_rate.or(container.sample_rate);
    let channels = decoder.channels.as_ref().or(container.channels.as_ref());
    let rate = rate.ok_or_else(|| IntakeError::Unsupported("no sample rate".to_owned()))?;
    let channels = channels.map_or(0, symphonia::core::audio::Channels::count);
    let bits = container
        .bits_per_coded_sample
        .or(container.bits_per_sample)
        .unwrap_or(16);
    let bytes_a_frame = u64::from(bits.div_ceil(8)).saturating_mul(channels as u64);
    let claimed = frames.filter(|frames| frames.saturating_mul(bytes_a_frame) < OPEN_ENDED_BYTES);
    Ok(Layout {
        rate,
        channels,
        claimed,
    })
}

fn unreadable(error: Error) -> IntakeError {
    // The probe has read to the end and found no mark that it knows.
    let unknown = matches!(&error, Error::IoError(_))
        || matches!(&error, Error::Unsupported(what) if what.contains("no suitable format"));
    if unknown {
        IntakeError::UnknownKind
    } else {
        undecodable(error)
    }
}

fn undecodable(error: Error) -> IntakeError {
    if let Error::Unsupported(what) = error {
        return IntakeError::Unsupported(what.to_owned());
    }
    IntakeError::Damaged(error.to_string())
}

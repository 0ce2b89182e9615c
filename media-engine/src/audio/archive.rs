//! Recordings of calls as they are kept: from the WAV that the recorder wrote to a smaller file, and
//! back, to be sure of it before the WAV is deleted.
//!
//! Both ways read and write a little at a time: a recording may be hours long.

use std::io::{self, ErrorKind, Read, Seek, Write};

use opus_pure::{
    Application, MAX_PACKET_BYTES, OggOpusReader, OggOpusWriter, OpusEncoder, OpusHead,
    RateControl, Signal, Trim,
};
use symphonia::core::{
    codecs::audio::{AudioDecoder, AudioDecoderOptions},
    formats::{FormatOptions, FormatReader, TrackType, probe::Hint},
    io::{MediaSourceStream, ReadOnlySource},
    meta::MetadataOptions,
};

use super::{
    flac,
    wav::{self, Encoding, HEADER_BYTES},
};

/// How a recording is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// FLAC: the same to the bit, a third to a half of the size.
    Flac,
    /// Opus in Ogg: a sixth of the size, and sounds the same.
    Opus,
}

/// Why a recording is not kept.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The disk is at fault.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is no WAV file of our recorder.
    #[error("not a recording of ours")]
    Foreign,
    /// What was written does not decode to what was said: a bug.
    #[error("what was written is not what was said: {0}")]
    Unfaithful(String),
}

/// A WAV file of our recorder, read to its end whatever its head says: the process that wrote it may
/// have been killed.
#[derive(Debug)]
pub struct Recorded<R> {
    source: R,
    /// Samples a second.
    pub rate: u32,
    /// One, or two: left and right.
    pub channels: u8,
    bytes: Vec<u8>,
}

impl<R: Read> Recorded<R> {
    /// Reads the head.
    ///
    /// # Errors
    ///
    /// What the disk says, and where it is no WAV file of 16 bits with one or two channels.
    pub fn new(mut source: R) -> Result<Self, ArchiveError> {
        let mut head = [0; HEADER_BYTES];
        if let Err(error) = source.read_exact(&mut head) {
            return Err(if error.kind() == ErrorKind::UnexpectedEof {
                ArchiveError::Foreign
            } else {
                error.into()
            });
        }
        let [.., a, b, c, d] = head;
        let length = u32::from_le_bytes([a, b, c, d]);
        let rate = u32::from_le_bytes([head[24], head[25], head[26], head[27]]);
        for channels in [1, 2] {
            let format = wav::Format {
                encoding: Encoding::Pcm16,
                rate,
                channels: channels.into(),
            };
            if wav::header(format, length) == head {
                return Ok(Self {
                    source,
                    rate,
                    channels,
                    bytes: Vec::new(),
                });
            }
        }
        Err(ArchiveError::Foreign)
    }

    /// Reads the next so many samples of each channel into `pcm`; fewer only at the end.
    fn read(&mut self, samples: usize, pcm: &mut Vec<i16>) -> io::Result<()> {
        let frame = 2 * usize::from(self.channels);
        self.bytes.resize(samples * frame, 0);
        let mut filled = 0;
        while filled < self.bytes.len() {
            match self.source.read(&mut self.bytes[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // Of a frame that was cut off nothing is kept.
        let whole = &self.bytes[..filled - filled % frame];
        pcm.clear();
        let samples = whole.chunks_exact(2);
        pcm.extend(samples.map(|two| i16::from_le_bytes([two[0], two[1]])));
        Ok(())
    }
}

/// Writes a recording in this form; returns how many samples a channel has.
///
/// # Errors
///
/// What the disk says.
pub fn keep(
    recorded: &mut Recorded<impl Read>,
    keeping: Keeping,
    sink: impl Write + Seek,
) -> Result<u64, ArchiveError> {
    match keeping {
        Keeping::Flac => keep_flac(recorded, sink),
        Keeping::Opus => keep_opus(recorded, sink),
    }
}

fn keep_flac(
    recorded: &mut Recorded<impl Read>,
    sink: impl Write + Seek,
) -> Result<u64, ArchiveError> {
    let mut writer = flac::Writer::new(sink, recorded.rate, recorded.channels)?;
    let (mut pcm, mut total) = (Vec::new(), 0);
    loop {
        recorded.read(flac::BLOCK, &mut pcm)?;
        if pcm.is_empty() {
            writer.finish()?;
            return Ok(total);
        }
        total += (pcm.len() / usize::from(recorded.channels)) as u64;
        writer.write(&pcm)?;
    }
}

fn keep_opus(recorded: &mut Recorded<impl Read>, sink: impl Write) -> Result<u64, ArchiveError> {
    let channels = usize::from(recorded.channels);
    let rate = i32::try_from(recorded.rate).map_err(|_| ArchiveError::Foreign)?;
    let mut encoder = OpusEncoder::new(rate, channels, Application::Voip).map_err(unfaithful)?;
    encoder.bitrate_bps = OPUS_BITRATE * i32::from(recorded.channels);
    encoder.rate_control = RateControl::ConstrainedVbr;
    encoder.signal_type = Some(Signal::Voice);
    let head = OpusHead::for_encoder(&encoder, recorded.rate);
    // Granules count 48,000 a second, whatever the rate.
    let ticks = 48_000 / u64::from(recorded.rate);
    let pre_skip = u64::from(head.pre_skip);
    let mut writer = OggOpusWriter::new(sink, head).map_err(unfaithful)?;
    let frame = recorded.rate as usize / 50;
    let mut packet = vec![0; MAX_PACKET_BYTES];
    let (mut pcm, mut total, mut written) = (Vec::new(), 0, 0);
    loop {
        recorded.read(frame, &mut pcm)?;
        total += (pcm.len() / channels) as u64;
        let is_last = pcm.len() < frame * channels;
        // What is behind the end brings the encoder's delay out, and is not part of the file.
        let wanted = pre_skip + total * ticks;
        pcm.resize(frame * channels, 0);
        loop {
            let length = encoder
                .encode_s16(&pcm, frame, &mut packet)
                .map_err(unfaithful)?;
            let duration = if is_last {
                (wanted - written).min(frame as u64 * ticks)
            } else {
                frame as u64 * ticks
            };
            written += duration;
            let duration = u32::try_from(duration).unwrap_or(0);
            writer
                .write_packet_with_duration(&packet[..length], duration)
                .map_err(unfaithful)?;
            if !is_last || written >= wanted {
                break;
            }
            pcm.fill(0);
        }
        if is_last {
            writer.finish().map_err(unfaithful)?;
            return Ok(total);
        }
    }
}

/// Decodes what was kept and holds it against what was said: to the bit, or of Opus each channel's length
/// and energy. Returns how many samples a channel has.
///
/// # Errors
///
/// Where they differ, and what the disk says.
pub fn prove(
    recorded: &mut Recorded<impl Read>,
    keeping: Keeping,
    kept: impl Read + Send + Sync + 'static,
) -> Result<u64, ArchiveError> {
    match keeping {
        Keeping::Flac => prove_flac(recorded, kept),
        Keeping::Opus => prove_opus(recorded, kept),
    }
}

fn prove_flac(
    recorded: &mut Recorded<impl Read>,
    kept: impl Read + Send + Sync + 'static,
) -> Result<u64, ArchiveError> {
    let (mut format, mut decoder) = open_flac(kept).map_err(unfaithful)?;
    let (mut said, mut heard, mut total) = (Vec::new(), Vec::<i16>::new(), 0);
    while let Some(packet) = format.next_packet().map_err(unfaithful)? {
        let audio = decoder.decode(&packet).map_err(unfaithful)?;
        audio.copy_to_vec_interleaved(&mut heard);
        let samples = heard.len() / usize::from(recorded.channels);
        recorded.read(samples, &mut said)?;
        if said != heard {
            return Err(ArchiveError::Unfaithful(format!("behind sample {total}")));
        }
        total += samples as u64;
    }
    recorded.read(1, &mut said)?;
    if said.is_empty() {
        Ok(total)
    } else {
        Err(ArchiveError::Unfaithful(format!("ends at {total}")))
    }
}

type Opened = (Box<dyn FormatReader>, Box<dyn AudioDecoder>);

fn open_flac(
    kept: impl Read + Send + Sync + 'static,
) -> Result<Opened, symphonia::core::errors::Error> {
    let source = Box::new(ReadOnlySource::new(kept));
    let stream = MediaSourceStream::new(source, Default::default());
    let options = (FormatOptions::default(), MetadataOptions::default());
    let format =
        symphonia::default::get_probe().probe(&Hint::new(), stream, options.0, options.1)?;
    let none = symphonia::core::errors::Error::Unsupported("no audio track");
    let track = format.default_track(TrackType::Audio);
    let parameters = track
        .and_then(|track| track.codec_params.as_ref())
        .and_then(|parameters| parameters.audio())
        .ok_or(none)?;
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())?;
    Ok((format, decoder))
}

fn prove_opus(recorded: &mut Recorded<impl Read>, kept: impl Read) -> Result<u64, ArchiveError> {
    let channels = usize::from(recorded.channels);
    let rate = i32::try_from(recorded.rate).map_err(|_| ArchiveError::Foreign)?;
    let mut reader = OggOpusReader::new(kept).map_err(unfaithful)?;
    let mut decoder = reader.head().decoder(rate).map_err(unfaithful)?;
    let mut trim = Trim::new(reader.head(), rate, channels).map_err(unfaithful)?;
    let most = recorded.rate as usize * 120 / 1_000; // RFC 6716 section 3.1
    let mut pcm = vec![0; most * channels];
    let (mut said, mut heard) = (Loudness::default(), Loudness::default());
    while let Some(packet) = reader.read_packet().map_err(unfaithful)? {
        let samples = decoder
            .decode_s16(&packet.data, most, &mut pcm)
            .map_err(unfaithful)?;
        heard.add(trim.keep(&packet, &pcm[..samples * channels]), channels);
    }
    let mut block = Vec::new();
    loop {
        recorded.read(flac::BLOCK, &mut block)?;
        if block.is_empty() {
            break;
        }
        said.add(&block, channels);
    }
    if said.samples != heard.samples {
        let lengths = format!("{} samples for {}", heard.samples, said.samples);
        return Err(ArchiveError::Unfaithful(lengths));
    }
    for (channel, (said, heard)) in said.levels().into_iter().zip(heard.levels()).enumerate() {
        let alike = heard > said / 2.0 && heard < said * 2.0;
        if said > LEVEL_HEARD && !alike {
            let levels = format!("channel {channel} has a level of {heard:.0} for {said:.0}");
            return Err(ArchiveError::Unfaithful(levels));
        }
    }
    Ok(said.samples)
}

/// How long and loud the channels of a recording are.
#[derive(Debug, Default)]
struct Loudness {
    samples: u64,
    energy: [f64; 2],
}

impl Loudness {
    fn add(&mut self, pcm: &[i16], channels: usize) {
        self.samples += (pcm.len() / channels) as u64;
        for frame in pcm.chunks_exact(channels) {
            for (energy, sample) in self.energy.iter_mut().zip(frame) {
                *energy += f64::from(*sample).powi(2);
            }
        }
    }

    #[allow(clippy::cast_precision_loss)] // far below 2^52
    fn levels(&self) -> [f64; 2] {
        self.energy
            .map(|energy| (energy / self.samples.max(1) as f64).sqrt())
    }
}

fn unfaithful(error: impl std::fmt::Display) -> ArchiveError {
    ArchiveError::Unfaithful(error.to_string())
}

/// Bits a second and channel: telephone speech is clear from 10,000 on, but below 32,000 for both the
/// encoder brings left and right nearer to each other, and the parties are to stay apart.
const OPUS_BITRATE: i32 = 20_000;

/// Below this (about −50 dB) a channel is noise, whose level a codec of voices may change.
const LEVEL_HEARD: f64 = 100.0;

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use rand::{Rng, SeedableRng, rngs::SmallRng};

    use super::*;

    const STEREO: wav::Format = wav::Format {
        encoding: Encoding::Pcm16,
        rate: 8_000,
        channels: 2,
    };

    fn file(format: wav::Format, pcm: &[i16]) -> Vec<u8> {
        let bytes = u32::try_from(pcm.len() * 2).expect("short");
        let mut file = wav::header(format, bytes).to_vec();
        file.extend(pcm.iter().flat_map(|sample| sample.to_le_bytes()));
        file
    }

    fn recorded(file: &[u8]) -> Recorded<Cursor<Vec<u8>>> {
        Recorded::new(Cursor::new(file.to_vec())).expect("ours")
    }

    fn kept(file: &[u8], keeping: Keeping) -> (u64, Vec<u8>) {
        let mut sink = Cursor::new(Vec::new());
        let samples = keep(&mut recorded(file), keeping, &mut sink).expect("memory");
        (samples, sink.into_inner())
    }

    /// Two voices that speak in turn, each a few tones with a little noise.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // synthesis
    fn call(seconds: usize) -> Vec<i16> {
        let mut random = SmallRng::seed_from_u64(1);
        let mut pcm = Vec::new();
        for at in 0..seconds * 8_000 {
            let t = at as f32 / 8_000.0;
            let voice = |pitch: f32| (t * pitch * std::f32::consts::TAU).sin() * 5_000.0;
            let noise = random.random_range(-20..=20);
            let speaks = at / 12_000 % 2 == 0;
            let left = if speaks {
                voice(220.0) + voice(660.0)
            } else {
                0.0
            };
            let right = if speaks { 0.0 } else { voice(140.0) };
            pcm.extend([left as i16 + noise, right as i16]);
        }
        pcm
    }

    #[test]
    fn flac_is_smaller_and_the_same_to_the_bit() {
        let call = file(STEREO, &call(7));
        let (samples, flac) = kept(&call, Keeping::Flac);
        assert_eq!(samples, 56_000);
        assert!(
            flac.len() * 2 < call.len(),
            "{} of {}",
            flac.len(),
            call.len()
        );
        let proved = prove(&mut recorded(&call), Keeping::Flac, Cursor::new(flac));
        assert_eq!(proved.expect("the same"), 56_000);
    }

    #[test]
    fn flac_of_any_length_and_any_samples_is_the_same_to_the_bit() {
        let mut random = SmallRng::seed_from_u64(2);
        for length in [0, 1, 2, 5, 160, 4_095, 4_096, 4_097, 8_192, 600_000] {
            for channels in [1, 2] {
                let format = wav::Format { channels, ..STEREO };
                let loudest = [0, 3, 300, 32_767][random.random_range(0..4)];
                let sample = |_| random.random_range(-loudest..=loudest);
                let pcm: Vec<i16> = (0..length * usize::from(channels)).map(sample).collect();
                let said = file(format, &pcm);
                let (samples, flac) = kept(&said, Keeping::Flac);
                assert_eq!(samples, length as u64);
                if length == 0 {
                    continue; // nothing to decode
                }
                let proved = prove(&mut recorded(&said), Keeping::Flac, Cursor::new(flac));
                assert_eq!(proved.expect("the same"), length as u64, "{loudest}");
            }
        }
    }

    #[test]
    fn opus_is_a_fifth_as_large_at_most_as_long_and_has_each_voice_on_its_side() {
        let pcm = call(7);
        for cut in [0, 2, 100, 318] {
            let call = file(STEREO, &pcm[cut..]);
            let (samples, opus) = kept(&call, Keeping::Opus);
            assert!(
                opus.len() * 5 < call.len(),
                "{} of {}",
                opus.len(),
                call.len()
            );
            let proved = prove(&mut recorded(&call), Keeping::Opus, Cursor::new(opus));
            assert_eq!(proved.expect("alike"), samples);
        }
    }

    #[test]
    fn what_is_not_what_was_said_is_found() {
        let (pcm, mut other) = (call(3), call(3));
        other[20_000] ^= 1;
        // One of the two is not to be heard.
        let deaf: Vec<i16> = pcm.chunks(2).flat_map(|two| [0, two[1]]).collect();
        let short = &pcm[..pcm.len() - 2];
        let cases = [
            (Keeping::Flac, &other[..]),
            (Keeping::Flac, short),
            (Keeping::Opus, &deaf),
            (Keeping::Opus, short),
        ];
        for (keeping, written) in cases {
            let (_, kept) = kept(&file(STEREO, written), keeping);
            let proved = prove(
                &mut recorded(&file(STEREO, &pcm)),
                keeping,
                Cursor::new(kept),
            );
            assert!(
                matches!(proved, Err(ArchiveError::Unfaithful(_))),
                "{keeping:?}: {proved:?}"
            );
        }
    }

    /// Its head says less than there is, and its last sample is cut in two.
    #[test]
    fn a_recording_whose_process_was_killed_is_kept_to_its_last_sample() {
        let pcm = call(2);
        let mut killed = wav::header(STEREO, 32_000).to_vec();
        killed.extend(pcm.iter().flat_map(|sample| sample.to_le_bytes()));
        killed.truncate(killed.len() - 1);
        let (samples, flac) = kept(&killed, Keeping::Flac);
        assert_eq!(samples, 15_999);
        prove(&mut recorded(&killed), Keeping::Flac, Cursor::new(flac)).expect("the same");
    }

    #[test]
    fn files_of_others_are_refused() {
        let mut foreign = file(STEREO, &[1, 2]);
        foreign[20] = 3;
        for bytes in [&b"RIFF"[..], &foreign, b""] {
            let refused = Recorded::new(Cursor::new(bytes.to_vec()));
            assert!(matches!(refused, Err(ArchiveError::Foreign)));
        }
    }
}

//! The files in `tests/fixtures` hold a 440 Hz tone at 0.3 of full scale; they were made by
//! `sox -n -r 16000 -c 1 tone.mp3 synth 0.25 sine 440 vol 0.3` and the like. All others are made here.

use opus_pure::{Application, MAX_PACKET_BYTES, OggOpusWriter, OpusEncoder, OpusHead};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

use super::*;
use crate::audio::{to_i16, wav};

const MP3: &[u8] = include_bytes!("../../../tests/fixtures/tone.mp3");
const FLAC: &[u8] = include_bytes!("../../../tests/fixtures/tone.flac");
const OGG: &[u8] = include_bytes!("../../../tests/fixtures/tone.ogg");
const WAV_MS: &[u8] = include_bytes!("../../../tests/fixtures/tone-ms.wav");
const WAV_IMA: &[u8] = include_bytes!("../../../tests/fixtures/tone-ima.wav");
const AIFF: &[u8] = include_bytes!("../../../tests/fixtures/tone-24.aiff");

fn tone(rate: u32, seconds: f64) -> Vec<i16> {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small"
    )]
    let count = (f64::from(rate) * seconds) as u32;
    (0..count)
        .map(|n| {
            let phase = f64::from(n) / f64::from(rate) * 440.0 * std::f64::consts::TAU;
            #[allow(clippy::cast_possible_truncation, reason = "precision is enough")]
            let sample = 0.3 * phase.sin() as f32;
            to_i16(sample)
        })
        .collect()
}

fn wav() -> Vec<u8> {
    wav::pcm16(16_000, &tone(16_000, 0.25))
}

fn opus() -> Vec<u8> {
    let mut encoder = OpusEncoder::new(16_000, 1, Application::Voip).expect("an encoder");
    let head = OpusHead::for_encoder(&encoder, 16_000);
    let mut writer = OggOpusWriter::new(vec![], head).expect("a writer");
    let mut packet = vec![0; MAX_PACKET_BYTES];
    for frame in tone(16_000, 0.25).chunks(320) {
        let mut whole = [0; 320];
        whole[..frame.len()].copy_from_slice(frame);
        let length = encoder
            .encode_s16(&whole, 320, &mut packet)
            .expect("a packet");
        writer.write_packet(&packet[..length]).expect("memory");
    }
    writer.finish().expect("memory")
}

fn take(bytes: &[u8]) -> Result<Upload, IntakeError> {
    read(Bytes::copy_from_slice(bytes))
}

fn code(bytes: &[u8]) -> &'static str {
    take(bytes).expect_err("a refusal").code()
}

/// The pitch in Hz by counting zero crossings of the middle, and the peak there.
fn pitch_and_peak(upload: &Upload) -> (f64, f32) {
    let samples = &upload.audio.samples;
    let middle = &samples[samples.len() / 5..samples.len() * 4 / 5];
    let crossings = middle
        .windows(2)
        .filter(|pair| (pair[0] < 0.0) != (pair[1] < 0.0))
        .count();
    let seconds = middle.len() as f64 / f64::from(WIDE);
    let peak = middle
        .iter()
        .fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    (crossings as f64 / 2.0 / seconds, peak)
}

#[test]
fn every_kind_of_file_becomes_the_same_tone() {
    let (eight, sixteen) = (tone(8_000, 0.25), tone(16_000, 0.25));
    let stereo: Vec<u8> = {
        let mut file =
            wav::header(wav::Format::mono(wav::Encoding::Pcm16, 16_000), 16_000).to_vec();
        file[22] = 2;
        file[32] = 4;
        file.extend(
            sixteen
                .iter()
                .flat_map(|s| [s.to_le_bytes(), s.to_le_bytes()].concat()),
        );
        file
    };
    for (name, bytes, rate, channels, ms) in [
        ("mp3", MP3.to_vec(), 16_000, 1, 250),
        ("flac", FLAC.to_vec(), 16_000, 1, 250),
        ("ogg vorbis", OGG.to_vec(), 16_000, 1, 250),
        ("ogg opus", opus(), 16_000, 1, 250),
        ("wav ms adpcm", WAV_MS.to_vec(), 11_025, 2, 250),
        ("wav ima adpcm", WAV_IMA.to_vec(), 22_050, 1, 250),
        ("aiff 24 bits", AIFF.to_vec(), 48_000, 2, 50),
        ("wav", wav(), 16_000, 1, 250),
        ("wav stereo", stereo, 16_000, 2, 250),
        ("wav a-law", wav::alaw(8_000, &eight), 8_000, 1, 250),
        ("wav µ-law", wav::ulaw(8_000, &eight), 8_000, 1, 250),
        (
            "wav 192 kHz",
            wav::pcm16(192_000, &tone(192_000, 0.25)),
            192_000,
            1,
            250,
        ),
        (
            "wav 4 kHz",
            wav::pcm16(4_000, &tone(4_000, 0.25)),
            4_000,
            1,
            250,
        ),
    ] {
        let upload = take(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((upload.rate, upload.channels), (rate, channels), "{name}");
        assert_eq!(upload.audio.rate, WIDE);
        let off = upload.audio.duration().as_millis().abs_diff(ms);
        assert!(off <= 75, "{name}: {:?}", upload.audio.duration());
        let (pitch, peak) = pitch_and_peak(&upload);
        assert!((pitch - 440.0).abs() < 25.0, "{name}: {pitch} Hz");
        assert!((peak - 0.3).abs() < 0.05, "{name}: peak {peak}");
    }
}

#[test]
fn the_name_of_a_file_means_nothing_and_text_is_no_audio() {
    assert_eq!(code(b""), "empty");
    assert_eq!(
        code(
            b"hello, this is no audio at all, only words"
                .repeat(50)
                .as_slice()
        ),
        "unknown_kind"
    );
    assert_eq!(code(&[0; 5_000]), "unknown_kind");
    let mut random = SmallRng::seed_from_u64(1);
    let noise: Vec<u8> = (0..20_000).map(|_| random.random()).collect();
    assert!(take(&noise).is_err());
}

#[test]
fn rates_channels_and_sizes_beyond_the_limits_are_named() {
    let with = |at: usize, bytes: &[u8]| {
        let mut file = wav();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    for rate in [0u32, 1, 3_999, 192_001, u32::MAX] {
        let result = take(&with(24, &rate.to_le_bytes()));
        assert!(
            matches!(
                result,
                Err(IntakeError::Rate(_) | IntakeError::Damaged(_) | IntakeError::Unsupported(_))
            ),
            "{rate}: {result:?}"
        );
    }
    for channels in [0u16, 9, 255, u16::MAX] {
        assert!(
            take(&with(22, &channels.to_le_bytes())).is_err(),
            "{channels} channels"
        );
    }
    for bits in [0u16, 1, 7, 255, u16::MAX] {
        assert!(take(&with(34, &bits.to_le_bytes())).is_err(), "{bits} bits");
    }
    let large = read(Bytes::from(vec![0; SIZE_MAX + 1]));
    assert!(matches!(large, Err(IntakeError::TooLarge { .. })));
}

#[test]
fn silence_and_nothing_are_told_apart() {
    assert_eq!(code(&wav::pcm16(16_000, &[0; 16_000])), "silent");
    assert_eq!(code(&wav::pcm16(16_000, &[])), "empty");
    assert_eq!(code(&wav::pcm16(16_000, &[1; 8_000])), "silent");
}

#[test]
fn a_file_that_broke_off_is_told_from_one_that_never_said_its_length() {
    let whole = wav::pcm16(16_000, &tone(16_000, 2.0));
    match take(&whole[..whole.len() / 2]) {
        Err(IntakeError::Truncated { claimed, found }) => {
            assert_eq!(claimed, Duration::from_secs(2));
            assert!(found.as_millis().abs_diff(1_000) < 50, "{found:?}");
        }
        other => panic!("{other:?}"),
    }
    let half = FLAC.len() / 2;
    assert!(take(&FLAC[..half]).is_err());

    // Written by a recorder that was killed, and by the streaming forms of ffmpeg and sox.
    for length in [wav::UNKNOWN, 0x7FFF_F000, 0x7FFF_F024] {
        let mut file = wav();
        file[54..58].copy_from_slice(&length.to_le_bytes());
        file[4..8].copy_from_slice(&length.saturating_add(50).to_le_bytes());
        file[46..50].copy_from_slice(&length.to_le_bytes());
        let upload = take(&file).unwrap_or_else(|error| panic!("{length:#x}: {error}"));
        assert!(
            upload.audio.duration().as_millis().abs_diff(250) <= 10,
            "{length:#x}"
        );
    }
}

/// The header of a recorder that could not go back: RIFF, samples and `data` are said to be these.
fn streamed(outer: u32, samples: u32, data: u32) -> Vec<u8> {
    let mut file = wav();
    file[4..8].copy_from_slice(&outer.to_le_bytes());
    file[46..50].copy_from_slice(&samples.to_le_bytes());
    file[54..58].copy_from_slice(&data.to_le_bytes());
    file
}

#[test]
fn a_file_that_was_written_to_a_pipe_is_read_to_its_end() {
    for outer in [0, 36, 50, wav::UNKNOWN] {
        for samples in [0, wav::UNKNOWN] {
            for data in [0, wav::UNKNOWN, 0x7FFF_FFFF] {
                let what = format!("{outer:#x} {samples:#x} {data:#x}");
                let upload = take(&streamed(outer, samples, data));
                let upload = upload.unwrap_or_else(|error| panic!("{what}: {error}"));
                let ms = upload.audio.duration().as_millis();
                assert!(ms.abs_diff(250) <= 10, "{what}: {ms} ms");
            }
        }
    }
    // As ffmpeg and sox write it: no `fact`, and the last sample cut in half.
    let mut bare = streamed(0, 0, 0);
    bare.drain(38..50);
    bare.pop();
    let upload = take(&bare).expect("a prompt");
    assert!(upload.audio.duration().as_millis().abs_diff(250) <= 10);
}

#[test]
fn a_file_without_samples_stays_empty_and_one_that_lies_is_told() {
    let head = streamed(50, 0, 0)[..58].to_vec();
    assert_eq!(code(&head), "empty");
    let list = [&head[..], b"LIST\x06\0\0\0INFOxx", b"note\x01\0\0\0y\0"].concat();
    assert_eq!(code(&list), "empty", "chunks, and no samples");
    let whole = wav();
    let mut longer = whole.clone();
    longer[54..58].copy_from_slice(&1_000_000_u32.to_le_bytes());
    longer[46..50].copy_from_slice(&500_000_u32.to_le_bytes());
    longer[4..8].copy_from_slice(&1_000_050_u32.to_le_bytes());
    assert_eq!(code(&longer), "truncated");
    let chunks = b"junk\x02\0\0\0xx".repeat(100);
    let buried = [&whole[..12], &chunks, &whole[12..]].concat();
    let _ = take(&buried); // it returns
}

#[test]
fn a_pipe_without_end_ends_at_the_limit() {
    let mut file = wav::pcm16(4_000, &vec![1_000; 4_000 * 16 * 60]);
    file[54..58].copy_from_slice(&[0; 4]);
    file[4..8].copy_from_slice(&[0; 4]);
    assert_eq!(code(&file), "too_long");
}

#[test]
fn an_endless_file_ends_at_the_limit() {
    // 16 minutes at 4 kHz, 8 bits: 3.8 MB.
    let file = wav::ulaw(4_000, &vec![4_000; 4_000 * 60 * 16]);
    assert_eq!(code(&file), "too_long");
}

#[test]
fn decoding_goes_in_steps_of_about_a_second() {
    let file = wav::pcm16(16_000, &tone(16_000, 5.0));
    let mut intake = Intake::open(Bytes::from(file)).expect("a wav");
    let mut steps = 0;
    while let Progress::More(decoded) = intake.step().expect("a step") {
        steps += 1;
        assert!(
            decoded <= Duration::from_millis(1_500) * steps,
            "{decoded:?} after {steps}"
        );
    }
    assert!((3..=6).contains(&steps), "{steps} steps");
}

#[test]
fn errors_have_words_that_stay() {
    let codes = [
        IntakeError::Empty,
        IntakeError::TooLarge { bytes: 1 },
        IntakeError::TooLong,
        IntakeError::UnknownKind,
        IntakeError::Unsupported(String::new()),
        IntakeError::Rate(0),
        IntakeError::Channels(0),
        IntakeError::Truncated {
            claimed: Duration::ZERO,
            found: Duration::ZERO,
        },
        IntakeError::Damaged(String::new()),
        IntakeError::Silent,
    ]
    .map(|error| error.code());
    assert_eq!(
        codes,
        [
            "empty",
            "too_large",
            "too_long",
            "unknown_kind",
            "unsupported",
            "rate",
            "channels",
            "truncated",
            "damaged",
            "silent"
        ]
    );
}

/// Gives every whole Ogg page the checksum that its bytes ask for, so that mutations reach the decoder.
fn seal_ogg(bytes: &mut [u8]) {
    const CHECKSUM: std::ops::Range<usize> = 22..26;
    let mut at = 0;
    while let Some(segments) = bytes.get(at + 26).copied() {
        let table = at + 27..at + 27 + usize::from(segments);
        let Some(table) = bytes.get(table) else { break };
        let end = at + 27 + table.len() + table.iter().map(|s| usize::from(*s)).sum::<usize>();
        let Some(page) = bytes.get_mut(at..end) else {
            break;
        };
        page[CHECKSUM].fill(0);
        let sum = page.iter().fold(0u32, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte) << 24, |sum, _| {
                (sum << 1) ^ if sum >> 31 == 1 { 0x04C1_1DB7 } else { 0 }
            })
        });
        page[CHECKSUM].copy_from_slice(&sum.to_le_bytes());
        at = end;
    }
}

/// Mutated files of one kind: none panics, or else the panic is a known one of the decoder that was
/// caught. Returns how many were.
fn mutate(kind: &str, original: &[u8], rounds: u32) -> u32 {
    let mut random = SmallRng::seed_from_u64(u64::from(rounds));
    let (mut accepted, mut gave_up) = (0, 0);
    for round in 0..rounds {
        let mut bytes = original.to_vec();
        for _ in 0..random.random_range(1..=8) {
            let length = bytes.len();
            // Most of what a decoder can stumble over stands in the first bytes.
            let reach = if random.random_bool(0.5) {
                length.min(128)
            } else {
                length
            };
            let at = random.random_range(0..reach.max(1));
            match random.random_range(0..6) {
                0 => bytes[at] = random.random(),
                1 => bytes[at] ^= 1 << random.random_range(0..8),
                2 => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF][random.random_range(0..5)],
                3 => bytes.truncate(at.max(1)),
                4 => {
                    let end = (at + random.random_range(1..64)).min(length);
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ => {
                    let end = (at + 4).min(length);
                    random.fill(&mut bytes[at..end]);
                }
            }
        }
        if bytes.starts_with(b"OggS") {
            seal_ogg(&mut bytes);
        }
        match take(&bytes) {
            Ok(upload) => {
                accepted += 1;
                assert!(upload.audio.duration() <= DURATION_MAX, "{kind} {round}");
            }
            Err(IntakeError::Damaged(why)) if why.contains("gave up") => gave_up += 1,
            Err(_) => {}
        }
    }
    println!("{kind}: {rounds} mutations, {accepted} accepted, {gave_up} panics caught");
    gave_up
}

/// Rounds for each of the eight kinds: 50,000 in all.
const ROUNDS: u32 = 6_250;

#[test]
fn mutated_mp3_files_never_panic() {
    assert_eq!(mutate("mp3", MP3, ROUNDS), 0);
}

#[test]
fn mutated_flac_files_never_panic() {
    assert_eq!(mutate("flac", FLAC, ROUNDS), 0);
}

#[test]
fn mutated_opus_files_never_panic() {
    assert_eq!(mutate("opus", &opus(), ROUNDS), 0);
}

#[test]
fn mutated_ima_adpcm_files_never_panic() {
    assert_eq!(mutate("ima adpcm", WAV_IMA, ROUNDS), 0);
}

/// Known gap of symphonia 0.6.1: it adds and multiplies numbers from the file without a check (the
/// frame size of WAV and AIFF, the step of MS ADPCM, the delay of Vorbis). Overflow checks make that a
/// panic, and the panic is caught: the file is damaged. When this fails for a kind, it is mended there:
/// then move it to the tests above.
#[test]
fn files_that_make_the_decoder_panic_are_called_damaged_and_nothing_else_happens() {
    let pcm = wav::pcm16(8_000, &tone(8_000, 0.05));
    for (kind, file) in [
        ("wav", &pcm[..]),
        ("ms adpcm", WAV_MS),
        ("aiff", AIFF),
        ("vorbis", OGG),
    ] {
        assert_ne!(mutate(kind, file, ROUNDS), 0, "{kind}");
    }
}

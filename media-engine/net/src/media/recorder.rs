//! Recordings: frames leave a media thread by a bounded channel to the one thread that writes files.
//!
//! The writer wakes by itself every 50 ms, so that a frame costs its media thread a copy and no system
//! call. A disk that hangs costs recordings their frames (counted, and silent in the file, which stays in
//! step with the clock), and calls nothing.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use media_engine::audio::wav::{self, Encoding, HEADER_BYTES};
use media_engine::leg::LegId;
use tokio::sync::mpsc;

use super::tape::{CallTape, Frame, Reel, SAMPLES, STEREO, Tape};
use super::{MediaEvent, News};

/// Samples a second of recordings: they are of telephone calls.
pub const RECORDING_RATE: u32 = 8_000;

/// Frames that wait for the writer: 1.3 s of a disk that does not answer, 40 KB for a call.
const FRAMES_MAX: usize = 64;

/// So much is written at once, or what there is when the header is: half a second of a call.
const BYTES_AT_ONCE: usize = 16 * 1024;

/// How often the writer looks.
const PAUSE: Duration = Duration::from_millis(50);

/// How often a file's header is brought up to date, in turns of the writer: a recording whose
/// process was killed can be read up to its last second.
const TURNS_PER_HEADER: u32 = 20;

/// The longest message: two hours. A caller who leaves the receiver off the hook must not fill the
/// disk.
const MESSAGE_FRAMES_MAX: u32 = 2 * 3600 * FRAMES_PER_SECOND;

/// The longest call that is recorded: a day, 2.8 GB, within what a WAV file can hold.
const CALL_FRAMES_MAX: u32 = 24 * 3600 * FRAMES_PER_SECOND;

/// 20 ms each.
const FRAMES_PER_SECOND: u32 = 50;

/// What became of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The file.
    pub path: PathBuf,
    /// How much of it there is.
    pub duration: Duration,
    /// Frames of 20 ms that were lost because the disk was too slow, or the recording too long.
    pub frames_lost: u64,
    /// Why the file is missing or ends early.
    pub error: Option<String>,
}

/// The control plane's end of the writer thread.
pub(super) struct Recorder {
    begun: Sender<Writing>,
}

impl Recorder {
    /// Starts the writer thread, which ends when the recorder is dropped and every tape has ended.
    pub(super) fn start(events: mpsc::Sender<MediaEvent>) -> io::Result<Self> {
        let (begun, receiver) = channel();
        thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || write(&receiver, &events))?;
        Ok(Self { begun })
    }

    /// Begins the recording of a message; its file appears when the writer comes round.
    pub(super) fn message(&self, leg: LegId, path: PathBuf) -> Tape {
        self.begin(leg, path, Frames::Message)
    }

    /// Begins the recording of a call at `now`.
    pub(super) fn call(&self, now: Instant, leg: LegId, path: PathBuf) -> CallTape {
        CallTape::new(now, self.begin(leg, path, Frames::Call))
    }

    fn begin<const N: usize>(
        &self,
        leg: LegId,
        path: PathBuf,
        frames: impl FnOnce(Receiver<Frame<N>>) -> Frames,
    ) -> Reel<N> {
        let (sender, receiver) = sync_channel(FRAMES_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        // Without a writer every frame will count as lost.
        let _ = self.begun.send(Writing {
            leg,
            path,
            frames: frames(receiver),
            lost: Arc::clone(&lost),
            file: None,
            bytes: Vec::new(),
            written: 0,
        });
        Reel::new(sender, lost)
    }
}

/// The writer thread.
fn write(begun: &Receiver<Writing>, events: &mpsc::Sender<MediaEvent>) {
    let mut all: Vec<Writing> = Vec::new();
    let mut turn = 0u32;
    loop {
        let over = loop {
            match begun.try_recv() {
                Ok(writing) => all.push(writing),
                Err(TryRecvError::Empty) => break false,
                Err(TryRecvError::Disconnected) => break true,
            }
        };
        turn = turn.wrapping_add(1);
        let with_header = turn.is_multiple_of(TURNS_PER_HEADER);
        all.retain_mut(|writing| match writing.turn(with_header) {
            Turn::Goes => true,
            Turn::Ended => {
                let news = News::Recorded(writing.finish());
                // This thread may wait for the control plane, and does: the event is not lost.
                let _ = events.blocking_send(MediaEvent {
                    leg: writing.leg,
                    news,
                });
                false
            }
        });
        if over && all.is_empty() {
            return;
        }
        thread::sleep(PAUSE);
    }
}

/// A recording being written.
struct Writing {
    leg: LegId,
    path: PathBuf,
    frames: Frames,
    lost: Arc<AtomicU64>,
    /// `None` until the first turn.
    file: Option<io::Result<File>>,
    bytes: Vec<u8>,
    /// Frames so far.
    written: u32,
}

/// Where the frames of a recording come from.
enum Frames {
    Message(Receiver<Frame<SAMPLES>>),
    Call(Receiver<Frame<STEREO>>),
}

impl Frames {
    fn format(&self) -> wav::Format {
        let channels = match self {
            Self::Message(_) => 1,
            Self::Call(_) => 2,
        };
        wav::Format {
            encoding: Encoding::Pcm16,
            rate: RECORDING_RATE,
            channels,
        }
    }

    fn most(&self) -> u32 {
        match self {
            Self::Message(_) => MESSAGE_FRAMES_MAX,
            Self::Call(_) => CALL_FRAMES_MAX,
        }
    }

    /// Takes what has come: numbers and samples.
    fn take(&self, each: impl FnMut(u32, &[i16])) -> Turn {
        match self {
            Self::Message(frames) => take(frames, each),
            Self::Call(frames) => take(frames, each),
        }
    }
}

fn take<const N: usize>(frames: &Receiver<Frame<N>>, mut each: impl FnMut(u32, &[i16])) -> Turn {
    loop {
        match frames.try_recv() {
            Ok(frame) => each(frame.number, &frame.samples),
            Err(TryRecvError::Empty) => return Turn::Goes,
            Err(TryRecvError::Disconnected) => return Turn::Ended,
        }
    }
}

enum Turn {
    Goes,
    Ended,
}

impl Writing {
    /// Writes what has come.
    fn turn(&mut self, with_header: bool) -> Turn {
        let Self {
            path,
            frames,
            lost,
            file,
            bytes,
            written,
            ..
        } = self;
        let format = frames.format();
        let file = file.get_or_insert_with(|| create(path, format));
        let frame_bytes = frame_bytes(format);
        let most = frames.most();
        let turn = frames.take(|number, samples| {
            if file.is_err() || number >= most {
                lost.fetch_add(1, Relaxed);
                return;
            }
            // Of a gap no more than a turn's memory is written at once; the rest follows.
            let gap = number.saturating_sub(*written).min(GAP_MAX) as usize;
            let behind = bytes.len() + gap * frame_bytes as usize;
            bytes.resize(behind + frame_bytes as usize, 0);
            for (two, sample) in bytes[behind..].chunks_exact_mut(2).zip(samples) {
                two.copy_from_slice(&sample.to_le_bytes());
            }
            *written += u32::try_from(gap).unwrap_or(0) + 1;
        });
        let is_time = with_header || bytes.len() >= BYTES_AT_ONCE || matches!(turn, Turn::Ended);
        if !is_time && file.is_ok() {
            return turn;
        }
        if let Ok(open) = file {
            let mut done = open.write_all(bytes);
            if done.is_ok() && with_header {
                done = write_header(open, format, written.saturating_mul(frame_bytes));
            }
            if let Err(error) = done {
                *file = Err(error);
            }
        }
        bytes.clear();
        turn
    }

    fn finish(&mut self) -> Recording {
        let format = self.frames.format();
        let bytes = self.written.saturating_mul(frame_bytes(format));
        let closed = match &mut self.file {
            Some(Ok(file)) => write_header(file, format, bytes).err(),
            Some(Err(error)) => Some(io::Error::new(error.kind(), error.to_string())),
            None => None, // a turn comes before the end
        };
        Recording {
            path: std::mem::take(&mut self.path),
            duration: Duration::from_millis(20) * self.written,
            frames_lost: self.lost.load(Relaxed),
            error: closed.map(|error| error.to_string()),
        }
    }
}

/// Frames of silence that stand for missing ones at most, before each that came: ten minutes. A machine
/// that slept for longer has ended its calls.
const GAP_MAX: u32 = 600 * FRAMES_PER_SECOND;

/// Bytes of 20 ms.
fn frame_bytes(format: wav::Format) -> u32 {
    format.rate / FRAMES_PER_SECOND * u32::from(format.encoding.bytes() * format.channels)
}

fn create(path: &Path, format: wav::Format) -> io::Result<File> {
    // Never over something that is there: names are ours and used once.
    let mut file = File::create_new(path)?;
    file.write_all(&wav::header(format, 0))?;
    Ok(file)
}

/// Overwrites the header with the length so far, and goes back to the end.
fn write_header(file: &mut File, format: wav::Format, bytes: u32) -> io::Result<()> {
    const _: () = assert!(HEADER_BYTES < 64, "it is written at once");
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&wav::header(format, bytes))?;
    file.seek(SeekFrom::End(0))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use media_engine::codec::FRAME;

    use super::*;

    const MESSAGE: wav::Format = wav::Format::mono(Encoding::Pcm16, RECORDING_RATE);

    /// Both channels of a finished recording.
    fn sides(file: &[u8]) -> (Vec<i16>, Vec<i16>) {
        let sample = |two: &[u8]| i16::from_le_bytes([two[0], two[1]]);
        let pairs = file[HEADER_BYTES..].chunks_exact(4);
        pairs
            .map(|pair| (sample(&pair[..2]), sample(&pair[2..])))
            .unzip()
    }

    /// Tells a tape the time every 20 ms and records `left` and `right` whenever it is due.
    fn roll(tape: &mut CallTape, now: &mut Instant, turns: u32, left: i16, right: i16) {
        for _ in 0..turns {
            while tape.is_due(*now) {
                tape.record(&[left; SAMPLES], &[right; SAMPLES]);
            }
            *now += FRAME;
        }
    }

    #[test]
    fn a_call_has_both_sides_apart_and_silence_where_it_was_paused() {
        let folder = folder("call");
        let path = folder.join("call.wav");
        let (events, mut receiver) = mpsc::channel(8);
        let recorder = Recorder::start(events).expect("a thread");
        let mut now = crate::clock::now();
        let mut tape = recorder.call(now, LegId(5), path.clone());
        roll(&mut tape, &mut now, 10, 1, 2);
        tape.pause(true);
        roll(&mut tape, &mut now, 5, 3, 4);
        tape.pause(false);
        roll(&mut tape, &mut now, 10, 5, 6);
        now += Duration::from_secs(1); // nobody visited the leg
        roll(&mut tape, &mut now, 5, 7, 8);
        drop(tape);
        let event = receiver.blocking_recv().expect("the writer tells");
        let News::Recorded(recording) = event.news else {
            panic!("{event:?}")
        };
        assert_eq!(recording.duration, Duration::from_millis(30 * 20 + 1_000));
        assert_eq!((recording.frames_lost, recording.error), (0, None));
        let (left, right) = sides(&std::fs::read(&path).expect("written"));
        let expected = |values: [i16; 5]| -> Vec<i16> {
            let frames = values.into_iter().zip([10, 5, 10, 50, 5]);
            frames
                .flat_map(|(value, frames)| vec![value; frames * SAMPLES])
                .collect()
        };
        assert_eq!(left, expected([1, 0, 5, 0, 7]));
        assert_eq!(right, expected([2, 0, 6, 0, 8]));
        std::fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn what_a_slow_disk_loses_is_silence_and_what_follows_is_in_its_place() {
        let folder = folder("slow");
        let path = folder.join("call.wav");
        let (sender, frames) = sync_channel(1);
        let lost = Arc::new(AtomicU64::new(0));
        let mut reel = Reel::new(sender, Arc::clone(&lost));
        for value in 1..=3 {
            reel.record([value; STEREO]);
        }
        let mut writing = Writing {
            leg: LegId(1),
            path: path.clone(),
            frames: Frames::Call(frames),
            lost,
            file: None,
            bytes: Vec::new(),
            written: 0,
        };
        writing.turn(false);
        reel.record([4; STEREO]);
        writing.turn(true);
        assert_eq!(writing.finish().frames_lost, 2);
        let (left, _) = sides(&std::fs::read(&path).expect("written"));
        let heard: Vec<i16> = left.chunks(SAMPLES).map(|frame| frame[7]).collect();
        assert_eq!(heard, [1, 0, 0, 4]);
        std::fs::remove_dir_all(folder).expect("removed");
    }

    fn folder(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("ramal-recorder-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    #[test]
    fn a_recording_is_a_wav_file_with_every_frame_and_can_be_read_while_it_goes_on() {
        let folder = folder("whole");
        let path = folder.join("message.wav");
        let (events, mut receiver) = mpsc::channel(8);
        let recorder = Recorder::start(events).expect("a thread");
        let mut tape = recorder.message(LegId(3), path.clone());
        for value in 0..60i16 {
            tape.record([value; SAMPLES]);
        }
        let expected = wav::header(MESSAGE, 19_200);
        // Still open, as if the process were killed now.
        while std::fs::read(&path).is_ok_and(|file| !file.starts_with(&expected)) || !path.exists()
        {
            thread::yield_now();
        }
        drop(tape);
        let event = receiver.blocking_recv().expect("the writer tells");
        let News::Recorded(recording) = event.news else {
            panic!("{event:?}")
        };
        assert_eq!(
            recording,
            Recording {
                path: path.clone(),
                duration: Duration::from_millis(1_200),
                frames_lost: 0,
                error: None,
            }
        );
        let file = std::fs::read(&path).expect("written");
        let samples: Vec<i16> = file[HEADER_BYTES..]
            .chunks(2)
            .map(|two| i16::from_le_bytes([two[0], two[1]]))
            .collect();
        let frames: Vec<i16> = (0..60).flat_map(|value| [value; SAMPLES]).collect();
        assert_eq!(samples, frames);
        std::fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_and_holds_up_nobody() {
        let (events, mut receiver) = mpsc::channel(8);
        let recorder = Recorder::start(events).expect("a thread");
        let mut tape = recorder.message(LegId(4), "/nowhere/at/all.wav".into());
        for _ in 0..2 * FRAMES_MAX {
            tape.record([1; SAMPLES]);
        }
        drop(tape);
        let event = receiver.blocking_recv().expect("the writer tells");
        let News::Recorded(recording) = event.news else {
            panic!("{event:?}")
        };
        assert_eq!(
            (recording.duration, recording.frames_lost),
            (Duration::ZERO, 2 * FRAMES_MAX as u64)
        );
        assert!(recording.error.is_some());
    }
}

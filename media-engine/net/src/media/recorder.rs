//! Recordings: frames leave a media thread by a bounded channel to the one thread that writes files.
//!
//! The writer wakes by itself every 50 ms, so that a frame costs its media thread a copy and no system
//! call. A disk that hangs costs recordings their frames (counted), and calls nothing.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::thread;
use std::time::Duration;

use media_engine::audio::wav::{self, Encoding, HEADER_BYTES};
use media_engine::leg::LegId;
use tokio::sync::mpsc;

use super::{MediaEvent, News};

/// Samples a second of recordings: they are of telephone calls.
pub const RECORDING_RATE: u32 = 8_000;

/// Samples of one frame of 20 ms.
pub(super) const SAMPLES: usize = 160;

/// Frames that wait for the writer: 2.5 s of a disk that does not answer.
const FRAMES_MAX: usize = 128;

/// How often the writer looks.
const PAUSE: Duration = Duration::from_millis(50);

/// How often a file's header is brought up to date, in turns of the writer: a recording whose
/// process was killed can be read up to its last second.
const TURNS_PER_HEADER: u32 = 20;

/// The longest recording: two hours. A caller who leaves the receiver off the hook must not fill the
/// disk.
const SAMPLES_MAX: u32 = 2 * 3600 * RECORDING_RATE;

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

/// The media thread's end of a recording; dropping it ends the recording.
pub(super) struct Tape {
    frames: SyncSender<[i16; SAMPLES]>,
    lost: Arc<AtomicU64>,
}

impl Tape {
    /// Hands on one frame; never waits.
    pub(super) fn record(&self, frame: &[i16]) {
        let written = match <[i16; SAMPLES]>::try_from(frame) {
            Ok(frame) => self.frames.try_send(frame).is_ok(),
            Err(_) => false,
        };
        if !written {
            self.lost.fetch_add(1, Relaxed);
        }
    }
}

/// The control plane's end of the writer thread.
pub(super) struct Recorder {
    begun: Sender<Begun>,
}

struct Begun {
    leg: LegId,
    path: PathBuf,
    frames: Receiver<[i16; SAMPLES]>,
    lost: Arc<AtomicU64>,
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

    /// Begins a recording; its file appears when the writer comes round.
    pub(super) fn begin(&self, leg: LegId, path: PathBuf) -> Tape {
        let (frames, receiver) = sync_channel(FRAMES_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let begun = Begun {
            leg,
            path,
            frames: receiver,
            lost: Arc::clone(&lost),
        };
        // Without a writer every frame will count as lost.
        let _ = self.begun.send(begun);
        Tape { frames, lost }
    }
}

/// The writer thread.
fn write(begun: &Receiver<Begun>, events: &mpsc::Sender<MediaEvent>) {
    let mut reels: Vec<Reel> = Vec::new();
    let mut turn = 0u32;
    loop {
        let over = loop {
            match begun.try_recv() {
                Ok(begun) => reels.push(Reel::new(begun)),
                Err(TryRecvError::Empty) => break false,
                Err(TryRecvError::Disconnected) => break true,
            }
        };
        turn = turn.wrapping_add(1);
        let with_header = turn.is_multiple_of(TURNS_PER_HEADER);
        reels.retain_mut(|reel| match reel.turn(with_header) {
            Turn::Goes => true,
            Turn::Ended => {
                let news = News::Recorded(reel.finish());
                // This thread may wait for the control plane, and does: the event is not lost.
                let _ = events.blocking_send(MediaEvent {
                    leg: reel.leg,
                    news,
                });
                false
            }
        });
        if over && reels.is_empty() {
            return;
        }
        thread::sleep(PAUSE);
    }
}

/// A recording being written.
struct Reel {
    leg: LegId,
    path: PathBuf,
    frames: Receiver<[i16; SAMPLES]>,
    lost: Arc<AtomicU64>,
    file: io::Result<File>,
    bytes: Vec<u8>,
    samples: u32,
}

enum Turn {
    Goes,
    Ended,
}

impl Reel {
    fn new(begun: Begun) -> Self {
        let Begun {
            leg,
            path,
            frames,
            lost,
        } = begun;
        let file = create(&path);
        Self {
            leg,
            path,
            frames,
            lost,
            file,
            bytes: Vec::new(),
            samples: 0,
        }
    }

    /// Writes what has come.
    fn turn(&mut self, with_header: bool) -> Turn {
        let ended = loop {
            match self.frames.try_recv() {
                Ok(frame) => self.take(&frame),
                Err(TryRecvError::Empty) => break Turn::Goes,
                Err(TryRecvError::Disconnected) => break Turn::Ended,
            }
        };
        if let Ok(file) = &mut self.file {
            let mut written = file.write_all(&self.bytes);
            if written.is_ok() && with_header {
                written = write_header(file, self.samples);
            }
            if let Err(error) = written {
                self.file = Err(error);
            }
        }
        self.bytes.clear();
        ended
    }

    fn take(&mut self, frame: &[i16; SAMPLES]) {
        if self.file.is_err() || self.samples >= SAMPLES_MAX {
            self.lost.fetch_add(1, Relaxed);
            return;
        }
        self.samples += 160;
        self.bytes
            .extend(frame.iter().flat_map(|sample| sample.to_le_bytes()));
    }

    fn finish(&mut self) -> Recording {
        let closed = match &mut self.file {
            Ok(file) => write_header(file, self.samples).err(),
            Err(error) => Some(io::Error::new(error.kind(), error.to_string())),
        };
        Recording {
            path: std::mem::take(&mut self.path),
            duration: Duration::from_millis(
                u64::from(self.samples) * 1000 / u64::from(RECORDING_RATE),
            ),
            frames_lost: self.lost.load(Relaxed),
            error: closed.map(|error| error.to_string()),
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    // Never over something that is there: names are ours and used once.
    let mut file = File::create_new(path)?;
    file.write_all(&wav::header(Encoding::Pcm16, RECORDING_RATE, 0))?;
    Ok(file)
}

/// Overwrites the header with the length so far, and goes back to the end.
fn write_header(file: &mut File, samples: u32) -> io::Result<()> {
    const _: () = assert!(HEADER_BYTES < 64, "it is written at once");
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&wav::header(
        Encoding::Pcm16,
        RECORDING_RATE,
        samples.saturating_mul(2),
    ))?;
    file.seek(SeekFrom::End(0))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let tape = recorder.begin(LegId(3), path.clone());
        for value in 0..100i16 {
            tape.record(&[value; SAMPLES]);
        }
        let expected = wav::header(Encoding::Pcm16, RECORDING_RATE, 32_000);
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
                duration: Duration::from_secs(2),
                frames_lost: 0,
                error: None,
            }
        );
        let file = std::fs::read(&path).expect("written");
        let samples: Vec<i16> = file[HEADER_BYTES..]
            .chunks(2)
            .map(|two| i16::from_le_bytes([two[0], two[1]]))
            .collect();
        let frames: Vec<i16> = (0..100).flat_map(|value| [value; SAMPLES]).collect();
        assert_eq!(samples, frames);
        std::fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_and_holds_up_nobody() {
        let (events, mut receiver) = mpsc::channel(8);
        let recorder = Recorder::start(events).expect("a thread");
        let tape = recorder.begin(LegId(4), "/nowhere/at/all.wav".into());
        for _ in 0..2 * FRAMES_MAX {
            tape.record(&[1; SAMPLES]);
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

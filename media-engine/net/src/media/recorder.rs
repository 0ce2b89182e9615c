//! Recordings: packets leave a media thread by a ring of bytes to the one thread that decodes them and
//! writes files.
//!
//! The writer wakes by itself every 400 ms and takes what has come meanwhile in one go: that spares the
//! media threads system calls and decoding, and what a recording keeps is brought into the cache once
//! instead of twenty times. A disk that hangs costs recordings their sound (counted, and silent in the file,
//! which stays in step with the clock), and calls nothing.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use media_engine::audio::wav::{self, Encoding};
use media_engine::codec::FRAME;
use media_engine::leg::{LegId, NARROW_FRAME, Playback, Sides};
use tokio::sync::mpsc;

use super::tape::{self, Reel, Tape};
use super::{MediaEvent, News};
use crate::clock;

/// Samples a second of recordings: they are of telephone calls.
pub const RECORDING_RATE: u32 = 8_000;

/// How often the writer looks.
const PAUSE: Duration = Duration::from_millis(400);

/// What was read by a media thread so long ago is in its ring: a tick is under way for less.
const UNDER_WAY: Duration = Duration::from_millis(20);

/// How often a file's header is brought up to date, in turns of the writer: a recording whose process was
/// killed can be read up to its last second.
const TURNS_PER_HEADER: u32 = 2;

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
    /// Packets that were lost because the disk was too slow, and frames of 20 ms that could not be written
    /// or were beyond the longest recording.
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

    /// Begins the recording of a message at `now`; its file appears when the writer comes round.
    pub(super) fn message(&self, now: Instant, leg: LegId, path: PathBuf) -> Tape {
        self.begin(now, leg, path, Kind::Message)
    }

    /// Begins the recording of a call.
    pub(super) fn call(&self, now: Instant, leg: LegId, path: PathBuf) -> Tape {
        self.begin(now, leg, path, Kind::Call)
    }

    fn begin(&self, now: Instant, leg: LegId, path: PathBuf, kind: Kind) -> Tape {
        let (tape, reel) = tape::tape(now);
        // Without a writer all will be lost when the ring is full.
        let _ = self.begun.send(Writing::new(leg, path, kind, reel));
        tape
    }
}

/// The writer thread.
fn write(begun: &Receiver<Writing>, events: &mpsc::Sender<MediaEvent>) {
    let mut all: Vec<Writing> = Vec::new();
    let mut bytes = Vec::new();
    loop {
        let over = loop {
            match begun.try_recv() {
                Ok(writing) => all.push(writing),
                Err(TryRecvError::Empty) => break false,
                Err(TryRecvError::Disconnected) => break true,
            }
        };
        let now = clock::now();
        all.retain_mut(|writing| match writing.turn(now, &mut bytes) {
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
    kind: Kind,
    reel: Reel,
    playback: Playback,
    /// `None` until the first turn.
    file: Option<io::Result<File>>,
    /// Turns until the header is brought up to date.
    turns_left: u32,
    /// Frames so far.
    written: u32,
    /// Frames that could not be written.
    unwritten: u64,
}

/// What is recorded.
#[derive(Clone, Copy)]
enum Kind {
    /// What one peer says.
    Message,
    /// What one peer says on the left, what it hears of its sources on the right.
    Call,
}

impl Kind {
    fn format(self) -> wav::Format {
        let channels = match self {
            Self::Message => 1,
            Self::Call => 2,
        };
        wav::Format {
            encoding: Encoding::Pcm16,
            rate: RECORDING_RATE,
            channels,
        }
    }

    fn frames_max(self) -> u32 {
        match self {
            Self::Message => MESSAGE_FRAMES_MAX,
            Self::Call => CALL_FRAMES_MAX,
        }
    }

    /// Appends a frame as it is in the file.
    fn write(self, sides: &Sides, bytes: &mut Vec<u8>) {
        let before = bytes.len();
        match self {
            Self::Message => {
                bytes.resize(before + 2 * NARROW_FRAME, 0);
                for (two, sample) in bytes[before..].chunks_exact_mut(2).zip(&sides.own) {
                    two.copy_from_slice(&sample.to_le_bytes());
                }
            }
            Self::Call => {
                bytes.resize(before + 4 * NARROW_FRAME, 0);
                let pairs = sides.own.iter().zip(&sides.others);
                for (four, (left, right)) in bytes[before..].chunks_exact_mut(4).zip(pairs) {
                    four[..2].copy_from_slice(&left.to_le_bytes());
                    four[2..].copy_from_slice(&right.to_le_bytes());
                }
            }
        }
    }
}

enum Turn {
    Goes,
    Ended,
}

impl Writing {
    fn new(leg: LegId, path: PathBuf, kind: Kind, reel: Reel) -> Self {
        Self {
            leg,
            path,
            kind,
            playback: Playback::new(reel.begun()),
            reel,
            file: None,
            turns_left: TURNS_PER_HEADER,
            written: 0,
            unwritten: 0,
        }
    }

    /// Plays what has come and writes it. `bytes` is where it is put together.
    fn turn(&mut self, now: Instant, bytes: &mut Vec<u8>) -> Turn {
        if self.file.is_none() {
            self.file = Some(create(&self.path, self.kind.format()));
        }
        let ended = self.reel.ended();
        let until = ended.or(now.checked_sub(UNDER_WAY)).unwrap_or(now);
        bytes.clear();
        self.play(until, bytes);
        self.turns_left = self.turns_left.saturating_sub(1);
        let with_header = self.turns_left == 0 || ended.is_some();
        self.write(bytes, with_header);
        if ended.is_some() {
            Turn::Ended
        } else {
            Turn::Goes
        }
    }

    /// Plays all that was said until then.
    fn play(&mut self, until: Instant, bytes: &mut Vec<u8>) {
        let Self {
            kind,
            reel,
            playback,
            file,
            written,
            unwritten,
            ..
        } = self;
        let is_open = matches!(file, Some(Ok(_)));
        let mut play = |playback: &mut Playback, until| {
            while let Some(sides) = playback.poll_frame(until) {
                if is_open && *written < kind.frames_max() {
                    kind.write(&sides, bytes);
                    *written += 1;
                } else {
                    *unwritten += 1;
                }
            }
        };
        while let Some(packet) = reel.read() {
            play(playback, packet.now);
            playback.handle_packet(
                packet.now,
                packet.arrival,
                packet.leg,
                packet.side,
                &packet.said,
            );
        }
        play(playback, until);
    }

    /// Writes what has been played, and the header that says how much there is.
    fn write(&mut self, bytes: &[u8], with_header: bool) {
        let Some(Ok(file)) = &mut self.file else {
            return;
        };
        let mut done = file.write_all(bytes);
        if done.is_ok() && with_header {
            self.turns_left = TURNS_PER_HEADER;
            let format = self.kind.format();
            let length = self.written.saturating_mul(frame_bytes(format));
            done = file.write_all_at(&wav::header(format, length), 0);
        }
        if let Err(error) = done {
            self.file = Some(Err(error));
        }
    }

    fn finish(&mut self) -> Recording {
        let error = match &self.file {
            Some(Err(error)) => Some(error.to_string()),
            Some(Ok(_)) | None => None, // a turn comes before the end
        };
        Recording {
            path: std::mem::take(&mut self.path),
            duration: FRAME * self.written,
            frames_lost: self.reel.lost() + self.unwritten,
            error,
        }
    }
}

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

#[cfg(test)]
mod tests {
    use media_engine::audio::wav::HEADER_BYTES;
    use media_engine::codec::{Codec, g711};
    use media_engine::leg::{Said, Side};

    use super::super::tape::Packet;
    use super::*;

    const MESSAGE: wav::Format = wav::Format::mono(Encoding::Pcm16, RECORDING_RATE);

    /// Both channels of a finished recording, a sample of each frame.
    fn sides(file: &[u8]) -> Vec<(i16, i16)> {
        let sample = |two: &[u8]| i16::from_le_bytes([two[0], two[1]]);
        let frames = file[HEADER_BYTES..].chunks_exact(4 * NARROW_FRAME);
        frames
            .map(|frame| (sample(&frame[320..322]), sample(&frame[322..324])))
            .collect()
    }

    /// A call whose parties say a constant each.
    struct Talk {
        tape: Tape,
        begun: Instant,
        frame: u32,
    }

    impl Talk {
        fn say(&mut self, frames: u32, left: i16, right: i16) {
            for _ in 0..frames {
                let now = self.begun + FRAME * self.frame;
                let sides = [(1, Side::Own, left), (2, Side::Others, right)];
                for (leg, side, level) in sides {
                    let said = Said {
                        stream: 0,
                        timestamp: self.frame * 160,
                        codec: Codec::Pcma,
                        payload: &[g711::alaw(level); NARROW_FRAME],
                    };
                    self.tape.record(&Packet {
                        now,
                        arrival: now,
                        leg: LegId(leg),
                        side,
                        said,
                    });
                }
                self.frame += 1;
            }
        }

        fn now(&self) -> Instant {
            self.begun + FRAME * self.frame
        }
    }

    fn level(level: i16) -> i16 {
        g711::from_alaw(g711::alaw(level))
    }

    /// A recording that is written by hand.
    fn writing(path: &Path, kind: Kind) -> (Talk, Writing) {
        let begun = clock::now();
        let (tape, reel) = tape::tape(begun);
        let talk = Talk {
            tape,
            begun,
            frame: 0,
        };
        (talk, Writing::new(LegId(1), path.to_owned(), kind, reel))
    }

    #[test]
    fn a_call_has_both_sides_apart_and_silence_where_it_was_paused() {
        let folder = folder("call");
        let path = folder.join("call.wav");
        let (mut talk, mut writing) = writing(&path, Kind::Call);
        talk.say(30, 1_000, 2_000);
        talk.tape.pause(true);
        talk.say(40, 3_000, 4_000);
        talk.tape.pause(false);
        talk.say(30, 5_000, 6_000);
        for _ in 0..TURNS_PER_HEADER {
            writing.turn(talk.now() + UNDER_WAY, &mut Vec::new());
        }
        let heard = sides(&std::fs::read(&path).expect("written"));
        assert_eq!(heard.len(), 101, "one is of now");
        let (before, behind) = (level(1_000), level(2_000));
        assert!(heard[5..30].iter().all(|one| *one == (before, behind)));
        assert!(heard[45..70].iter().all(|one| *one == (0, 0)), "{heard:?}");
        assert_eq!(heard[95], (level(5_000), level(6_000)));
        let loudest = |heard: &(i16, i16)| heard.0.abs() < 2_500 || heard.0.abs() > 3_500;
        assert!(heard.iter().all(loudest), "nothing of the pause");
        std::fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn what_a_slow_disk_loses_is_silence_and_what_follows_is_in_its_place() {
        let folder = folder("slow");
        let path = folder.join("call.wav");
        let (mut talk, mut writing) = writing(&path, Kind::Call);
        talk.say(150, 1_000, 2_000); // the ring takes 64 frames of both
        for turn in 0..TURNS_PER_HEADER {
            writing.turn(talk.now() + PAUSE / 4 * turn, &mut Vec::new());
        }
        talk.frame += 40;
        talk.say(60, 3_000, 4_000);
        for _ in 0..TURNS_PER_HEADER {
            writing.turn(talk.now() + UNDER_WAY, &mut Vec::new());
        }
        let heard = sides(&std::fs::read(&path).expect("written"));
        assert_eq!(heard[60], (level(1_000), level(2_000)));
        assert!(heard[80..190].iter().all(|one| *one == (0, 0)));
        assert_eq!(heard[240], (level(3_000), level(4_000)));
        assert_eq!(heard.len(), 251);
        let lost = writing.finish().frames_lost;
        assert_eq!(lost, 300 - 128);
        std::fs::remove_dir_all(folder).expect("removed");
    }

    fn folder(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("ramal-recorder-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    #[test]
    fn a_recording_is_a_wav_file_that_can_be_read_while_it_goes_on() {
        let folder = folder("whole");
        let path = folder.join("message.wav");
        let (events, mut receiver) = mpsc::channel(8);
        let recorder = Recorder::start(events).expect("a thread");
        let begun = clock::now();
        let tape = recorder.message(begun, LegId(3), path.clone());
        let is_whole = |file: &[u8]| {
            // It is there before its header is.
            let bytes = file.len().saturating_sub(HEADER_BYTES);
            let bytes = u32::try_from(bytes).expect("short");
            bytes >= 6_400 && file.starts_with(&wav::header(MESSAGE, bytes))
        };
        // Still open, as if the process were killed now.
        while !std::fs::read(&path).is_ok_and(|file| is_whole(&file)) {
            thread::yield_now();
        }
        drop(tape);
        let lasted = begun.elapsed();
        let event = receiver.blocking_recv().expect("the writer tells");
        let News::Recorded(recording) = event.news else {
            panic!("{event:?}")
        };
        assert_eq!((event.leg, &recording.path), (LegId(3), &path));
        assert_eq!((recording.frames_lost, recording.error), (0, None));
        assert!(recording.duration >= Duration::from_millis(400));
        assert!(recording.duration <= lasted + FRAME);
        let file = std::fs::read(&path).expect("written");
        assert!(is_whole(&file));
        let frames = u32::try_from(file.len() - HEADER_BYTES).expect("short") / 320;
        assert_eq!(FRAME * frames, recording.duration);
        std::fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_and_holds_up_nobody() {
        let (_, mut writing) = writing(Path::new("/nowhere/at/all.wav"), Kind::Message);
        assert!(matches!(
            writing.turn(clock::now(), &mut Vec::new()),
            Turn::Ended
        ));
        let recording = writing.finish();
        assert_eq!(recording.duration, Duration::ZERO);
        assert!(recording.frames_lost > 0 && recording.error.is_some());
    }
}

//! Keys in the audio: what others hear as a key, we hear as the same key.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use desk::record::TrailKind;
use media_engine::dtmf::Key;
use media_engine::dtmf::inband::Detector;

use crate::peers;
use crate::server::Server;
use crate::sipp::{Calls, Step, Wanted};

/// The keys in the order of their rows and columns (ITU-T Q.23).
const KEYPAD: [(char, u32, u32); 16] = [
    ('1', 697, 1209),
    ('2', 697, 1336),
    ('3', 697, 1477),
    ('A', 697, 1633),
    ('4', 770, 1209),
    ('5', 770, 1336),
    ('6', 770, 1477),
    ('B', 770, 1633),
    ('7', 852, 1209),
    ('8', 852, 1336),
    ('9', 852, 1477),
    ('C', 852, 1633),
    ('*', 941, 1209),
    ('0', 941, 1336),
    ('#', 941, 1477),
    ('D', 941, 1633),
];

#[test]
fn a_caller_without_telephone_events_presses_by_tone() {
    if !peers(&["sipp", "sox"]) {
        return;
    }
    let server = Server::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("key.al");
    tone(&file, '1', "0.1", &["pad", "2", "3"]);
    let steps = [
        Step::Send(&file),
        Step::Wait(Duration::from_secs(6)),
        Step::HangUp,
    ];
    let call = Calls {
        telephone_events: false,
        ..Calls::one("4000", Wanted::Answered(&steps))
    };
    let counted = call.place(&server);
    assert_eq!((counted.succeeded, counted.failed), (1, 0));
    let records = server.ended_records(1);
    let chosen = records[0].lines(TrailKind::OptionChosen);
    assert_eq!(chosen.len(), 1, "{records:?}");
    assert_eq!(chosen[0]["key"], "1");
    assert_eq!(records[0].path().last(), Some(&"service-1"));
    let quality = records[0].call.quality.as_ref().expect("packets came");
    assert!(quality.packets_received > 200, "{quality:?}");
}

#[test]
fn our_detector_and_multimon_hear_the_same_keys() {
    if !peers(&["sox", "multimon-ng"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let all = folder.path().join("all.wav");
    let mut parts = vec![];
    for (key, ..) in KEYPAD {
        let part = folder.path().join(format!("{}.wav", parts.len()));
        tone(&part, key, "0.08", &["pad", "0", "0.08"]);
        parts.push(part);
    }
    let joined = Command::new("sox").args(&parts).arg(&all).status();
    assert!(joined.expect("sox").success());

    let raw = Command::new("sox")
        .arg(&all)
        .args(["-t", "raw", "-e", "signed", "-b", "16", "-L", "-"])
        .output()
        .expect("sox");
    let samples: Vec<i16> = raw
        .stdout
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    let mut detector = Detector::default();
    let ours: Vec<Key> = samples
        .chunks(160)
        .filter_map(|frame| detector.listen(frame))
        .collect();
    let wanted: Vec<Key> = KEYPAD
        .iter()
        .filter_map(|(key, ..)| Key::from_char(*key))
        .collect();
    assert_eq!(ours, wanted);

    let heard = Command::new("multimon-ng")
        .args(["-q", "-a", "DTMF", "-t", "wav"])
        .arg(&all)
        .stderr(Stdio::null())
        .output()
        .expect("multimon-ng");
    let theirs: Vec<Key> = String::from_utf8_lossy(&heard.stdout)
        .lines()
        .filter_map(|line| line.strip_prefix("DTMF: ")?.chars().next())
        .filter_map(Key::from_char)
        .collect();
    assert_eq!(theirs, ours, "{}", String::from_utf8_lossy(&heard.stdout));
}

/// Has sox write the tone of a key, at 8 kHz, with these effects behind it.
fn tone(file: &Path, key: char, seconds: &str, effects: &[&str]) {
    let (_, low, high) = *KEYPAD
        .iter()
        .find(|(known, ..)| *known == key)
        .expect("a key of the pad");
    let made = Command::new("sox")
        .args(["-n", "-r", "8000", "-c", "1"])
        .arg(file)
        .args(["synth", seconds, "sine", &low.to_string()])
        .args(["synth", seconds, "sine", "mix", &high.to_string()])
        .args(["gain", "-10"])
        .args(effects)
        .status();
    assert!(made.expect("sox").success());
}

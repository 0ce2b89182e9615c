//! Recordings as the API gives them, decoded by a program that is not ours.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::ear::{Voice, voices_by_tenth};
use crate::server::{Person, until};

/// What is heard in a recording, in tenths of a second.
pub(crate) struct Recording {
    /// When it began.
    pub(crate) started_ms: i64,
    pub(crate) duration_ms: i64,
    /// The customer's side.
    pub(crate) left: Vec<BTreeSet<Voice>>,
    /// The side of those whom the customer heard.
    pub(crate) right: Vec<BTreeSet<Voice>>,
}

impl Recording {
    /// The one recording of this call, as soon as it is put away.
    pub(crate) fn of(person: &Person, call: &str) -> Self {
        let list = format!("GET /api/v1/interactions/{call}/recordings");
        let known = until(Duration::from_secs(20), "the recording is put away", || {
            let known = person.ask(&list, &Value::Null);
            let known = known["items"].as_array().expect("a list");
            assert!(known.len() <= 1, "{known:?}");
            known.first().cloned()
        });
        assert_eq!(known["format"], "flac", "{known}");
        let id = known["id"].as_str().expect("an id");
        let sound = person.download(&format!("/api/v1/recordings/{id}/audio"));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("call.flac");
        fs::write(&file, sound).expect("a file of ours");
        let number = |name: &str| known[name].as_i64().expect("a number");
        Self {
            started_ms: number("started_ms"),
            duration_ms: number("duration_ms"),
            left: side(&file, "1"),
            right: side(&file, "2"),
        }
    }
}

/// For how many tenths of a second this voice is heard alone.
pub(crate) fn tenths_of(voice: Voice, side: &[BTreeSet<Voice>]) -> usize {
    let alone = BTreeSet::from([voice]);
    side.iter().filter(|heard| **heard == alone).count()
}

/// Who is heard on one side: their voices in the order in which they begin.
pub(crate) fn speakers(side: &[BTreeSet<Voice>]) -> Vec<Voice> {
    let mut speakers: Vec<Voice> = side.iter().flatten().copied().collect();
    speakers.dedup();
    speakers
}

fn side(file: &Path, channel: &str) -> Vec<BTreeSet<Voice>> {
    let made = Command::new("sox")
        .arg(file)
        .args([
            "-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-L", "-",
        ])
        .args(["remix", channel])
        .output()
        .expect("sox");
    assert!(made.status.success(), "{made:?}");
    let samples = made.stdout.chunks_exact(2);
    let samples: Vec<f64> = samples
        .map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]])))
        .collect();
    voices_by_tenth(8_000, &samples)
}

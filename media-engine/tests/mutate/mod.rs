//! Messages to start from, and seeded damage to them.

use std::fs;
use std::path::Path;

use rand::Rng as _;
use rand::rngs::SmallRng;

/// The ordinary messages, then the torture messages, each with its name.
pub(crate) fn corpus() -> Vec<(String, Vec<u8>)> {
    let mut messages = vec![];
    for folder in ["ordinary", "torture"] {
        // Both `media-engine` and `tests` use this file: each stands beside the other.
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../media-engine/tests")
            .join(folder);
        let entries = fs::read_dir(&folder).expect("the folder of messages");
        let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
        files.sort(); // a seed must mean the same everywhere
        for file in files {
            let name = file.file_stem().expect("a name").to_string_lossy();
            messages.push((name.into_owned(), fs::read(&file).expect("a readable file")));
        }
    }
    messages
}

/// Damages `message` in one to four places.
pub(crate) fn mutate(message: &mut Vec<u8>, others: &[(String, Vec<u8>)], random: &mut SmallRng) {
    for _ in 0..random.random_range(1..=4) {
        mutate_once(message, others, random);
    }
}

/// What breaks parsers: structure in the wrong place.
const TOKENS: &[&[u8]] = &[
    b"\r\n",
    b"\r\n\r\n",
    b"\r\n ",
    b"\n",
    b"\r",
    b"\0",
    b":",
    b";",
    b",",
    b"<",
    b">",
    b"\"",
    b"\\",
    b"@",
    b"%",
    b"=",
    b"[",
    b"]",
    b"?",
    b" ",
    b"\t",
    b"*",
    b"SIP/2.0",
    b"Content-Length: ",
    b"l:-1\r\n",
    b"4294967296",
    b"18446744073709551615",
    b"\xff\xfe",
    b"sip:",
    b"tel:+",
    b"[::1]",
    b"Via: ",
    b";rport",
    b";received=",
];

fn mutate_once(message: &mut Vec<u8>, others: &[(String, Vec<u8>)], random: &mut SmallRng) {
    let at = random.random_range(0..=message.len());
    let end = (at + random.random_range(0..12)).min(message.len());
    match random.random_range(0..7) {
        0 if at < message.len() => message[at] = random.random(),
        1 if at < message.len() => message[at] ^= 1 << random.random_range(0..8),
        2 => drop(message.drain(at..end)),
        3 => {
            let piece = message[at..end].to_vec();
            message.splice(at..at, piece);
        }
        4 => message.truncate(at),
        5 => {
            let (_, other) = &others[random.random_range(0..others.len())];
            let from = random.random_range(0..=other.len());
            let to = (from + random.random_range(0..80)).min(other.len());
            message.splice(at..end, other[from..to].iter().copied());
        }
        _ => {
            let token = TOKENS[random.random_range(0..TOKENS.len())];
            message.splice(at..at, token.iter().copied());
        }
    }
}

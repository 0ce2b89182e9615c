//! WAV files that were written to a pipe: the writer could not go back and say how long they are.

use bytes::Bytes;

/// The length that means "until the end of the file" to the reader.
const UNTIL_END: [u8; 4] = u32::MAX.to_le_bytes();

/// Chunks before the samples that are looked at; real files have up to ten.
const CHUNKS_MAX: usize = 64;

/// `RIFF`, a length, `WAVE`.
const HEADER: usize = 12;

/// A name and a length.
const CHUNK: usize = 8;

/// Lengths from here on mean that there is none, as in the reader of such files.
const OPEN_ENDED: u32 = 0x7FFF_0000;

/// Says "until the end" in a file whose samples are said to be none and yet are there, or whose outer
/// length contradicts samples without end. Any other file stays as it is.
pub(super) fn with_length(bytes: Bytes) -> Bytes {
    let Some(found) = Found::in_file(&bytes) else {
        return bytes;
    };
    let mut patched = bytes.to_vec();
    patched[4..8].copy_from_slice(&UNTIL_END);
    for place in [Some(found.data), found.fact].into_iter().flatten() {
        patched[place..place + 4].copy_from_slice(&UNTIL_END);
    }
    patched.into()
}

/// Where lengths stand that say nothing.
struct Found {
    /// Of the samples, in bytes.
    data: usize,
    /// Of the samples, in samples.
    fact: Option<usize>,
}

impl Found {
    fn in_file(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(b"RIFF") || bytes.get(8..HEADER) != Some(b"WAVE") {
            return None;
        }
        let mut at = HEADER;
        let mut fact = None;
        for _ in 0..CHUNKS_MAX {
            let (name, length) = chunk(bytes.get(at..)?)?;
            let start = at + CHUNK;
            if name == b"data" {
                let behind = bytes.get(start..)?;
                let is_streamed = match length {
                    0 => !behind.is_empty() && !are_chunks(behind),
                    length => length >= OPEN_ENDED,
                };
                return is_streamed.then_some(Self { data: at + 4, fact });
            }
            if name == b"fact" && length >= 4 {
                fact = Some(start);
            }
            at = next(start, length)?;
        }
        None
    }
}

/// Whether there are whole chunks to the very end: then the file has no samples, and says so.
fn are_chunks(mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        let Some((name, length)) = chunk(bytes) else {
            return false;
        };
        let is_name = name.iter().all(|byte| matches!(byte, b' '..=b'~'));
        let rest = next(CHUNK, length).and_then(|next| bytes.get(next..));
        match rest {
            Some(rest) if is_name => bytes = rest,
            Some(_) | None => return false,
        }
    }
    true
}

fn chunk(bytes: &[u8]) -> Option<(&[u8; 4], u32)> {
    let (name, rest) = bytes.split_first_chunk()?;
    Some((name, u32::from_le_bytes(*rest.first_chunk()?)))
}

/// Where the chunk behind one that begins at `start` and is this long begins: at an even place.
fn next(start: usize, length: u32) -> Option<usize> {
    let length = usize::try_from(length).ok()?;
    start.checked_add(length)?.checked_add(length % 2)
}

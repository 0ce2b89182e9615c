//! Messages that callers left: a sound file each, under a name that no other message has.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use exchange::voice::Recording;

use crate::files;

/// The file that a recording is written into before it is a message of this name.
pub fn unfinished(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{UNFINISHED}"))
}

/// Keeps a finished recording as the message of its name. When this returns, a power cut takes it no
/// more. A recording too short to be a message is deleted.
///
/// # Errors
///
/// What the disk says.
pub async fn keep(folder: &Path, file: &Path, length: Duration) -> io::Result<Option<Recording>> {
    let (folder, file) = (folder.to_owned(), file.to_owned());
    let kept = tokio::task::spawn_blocking(move || put(&folder, &file, length)).await;
    kept.map_err(io::Error::other)?
}

fn put(folder: &Path, file: &Path, length: Duration) -> io::Result<Option<Recording>> {
    if length < LENGTH_MIN {
        return match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(None),
        };
    }
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.and_then(|name| name.strip_suffix(UNFINISHED));
    let name = name.ok_or_else(|| io::Error::other("a recording under a foreign name"))?;
    let sound = fs::File::open(file)?;
    sound.sync_all()?;
    let bytes = sound.metadata()?.len();
    files::put(file, &path(folder, name))?;
    Ok(Some(Recording {
        file: name.to_owned(),
        bytes,
        length,
    }))
}

/// Where the message of this name is.
pub fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.wav"))
}

/// How the names of recordings end that are not messages yet.
const UNFINISHED: &str = ".unfinished.wav";

/// Shorter than this it is somebody who changed their mind.
const LENGTH_MIN: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn equal_messages_are_two_files_and_a_short_one_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        for (name, length) in [("1-1-4", 3_000), ("1-2-4", 3_000), ("1-3-4", 200)] {
            let file = unfinished(folder, name);
            fs::write(&file, b"the same words").expect("written");
            let length = Duration::from_millis(length);
            let kept = keep(folder, &file, length).await.expect("a disk");
            assert_eq!(kept.is_some(), name != "1-3-4");
            if let Some(kept) = kept {
                assert_eq!((kept.file.as_str(), kept.bytes), (name, 14));
                assert_eq!(kept.length, length);
            }
        }
        fs::remove_file(path(folder, "1-1-4")).expect("the first");
        let other = fs::read(path(folder, "1-2-4")).expect("the second stays");
        assert_eq!(other, b"the same words");
        assert_eq!(fs::read_dir(folder).expect("a folder").count(), 1);
        let foreign = folder.join("song.wav");
        assert!(keep(folder, &foreign, LENGTH_MIN).await.is_err());
    }
}

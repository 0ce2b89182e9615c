//! Messages that callers left: sound files named by the SHA-256 of their content.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use exchange::voice::Recording;
use sha2::{Digest, Sha256};

/// Names a finished recording by its content. A recording too short to be a message is deleted.
///
/// # Errors
///
/// What the disk says.
pub async fn keep(folder: &Path, file: &Path, length: Duration) -> io::Result<Option<Recording>> {
    if length < LENGTH_MIN {
        match tokio::fs::remove_file(file).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => return Ok(None),
        }
    }
    let content = tokio::fs::read(file).await?;
    let bytes = content.len() as u64;
    let name: String = Sha256::digest(&content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    tokio::fs::rename(file, path(folder, &name)).await?;
    Ok(Some(Recording {
        file: name,
        bytes,
        length,
    }))
}

/// Where the message of this name is.
pub fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.wav"))
}

/// Shorter than this it is somebody who changed their mind.
const LENGTH_MIN: Duration = Duration::from_millis(500);

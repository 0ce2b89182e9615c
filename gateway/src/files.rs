//! Files that are whole or not there, and their names.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

/// Writes beside the file and renames: after a crash there is the whole file, or what was there
/// before. Nobody but us reads it, from its first byte on. Waits for the disk.
///
/// # Errors
///
/// What the disk says.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Two who write the same file at once, as two callers who are told the same sentence, must not
    // write into one.
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let turn = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let unfinished = path.with_extension(format!("{turn}.unfinished"));
    // What a crash left there may be anybody's to read.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    put(&unfinished, path)
}

/// Gives a file, whose content is on disk, its final name, for good. Waits for the disk.
///
/// # Errors
///
/// What the disk says.
pub fn put(file: &Path, path: &Path) -> io::Result<()> {
    fs::rename(file, path)?;
    // A new name is in the folder, which has a cache of its own.
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// SHA-256 in lower-case hexadecimal, by which contents are named and keys are kept.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// In lower case.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_file_written_by_many_at_once_is_whole_and_ours_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ab.wav");
        let bytes: Arc<[u8]> = vec![7; 1_000_000].into();
        let many: Vec<_> = (0..8)
            .map(|_| {
                let (path, bytes) = (path.clone(), bytes.clone());
                std::thread::spawn(move || write_whole(&path, &bytes))
            })
            .collect();
        for one in many {
            one.join().expect("no panic").expect("written");
        }
        assert_eq!(fs::read(&path).expect("there"), &bytes[..]);
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let left = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 1, "nothing unfinished stays");
    }

    #[test]
    fn a_digest_is_the_one_everybody_computes() {
        // FIPS 180-2, appendix B.1.
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), known);
    }
}

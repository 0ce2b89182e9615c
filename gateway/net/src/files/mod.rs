//! Files of people, by what is in them.
//!
//! ```text
//!  bytes ─▶ Incoming (a file of its own, hashed as it grows) ─▶ aa/bb/<sha-256>   on disk, or
//!                                                           └─▶ the same name     in a bucket
//! ```
//!
//! Invariants:
//! - A file is whole or not there. It gets its name when its last byte is on disk.
//! - Its name is what is in it: the same file is kept once, and a name can hold nothing else.
//! - What it is, its bytes say; never its sender.

mod bucket;
mod name;
mod sniff;
pub mod thumbnail;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use object_store::buffered::BufWriter;
use object_store::path::Path as Key;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt as _};
use sha2::{Digest as _, Sha256};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

pub use bucket::{Bucket, BucketError};
pub use name::clean_name;
pub use sniff::{HEAD_BYTES, may_show, runs, sniff};

/// The store. Clones are the same store.
#[derive(Clone, Debug)]
pub struct Files {
    place: Place,
    /// Where files grow until they are whole.
    unfinished: PathBuf,
}

#[derive(Clone, Debug)]
enum Place {
    Disk(PathBuf),
    Bucket(Arc<dyn ObjectStore>),
}

/// What is known of a file that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub hash: Hash,
    /// Its length.
    pub bytes: u64,
    /// What its bytes say that it is.
    pub mime: &'static str,
}

/// The SHA-256 of a file in lower-case hexadecimal, which is its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(String);

impl Hash {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(hasher: Sha256) -> Self {
        let digest = hasher.finalize();
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Two folders deep: a folder of a million names is slow everywhere.
    fn path(&self) -> String {
        format!("{}/{}/{}", &self.0[..2], &self.0[2..4], self.0)
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What was to be the name of a file is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 in lower-case hexadecimal")]
pub struct NotAHash;

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let fits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 64 && text.bytes().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAHash)
        }
    }
}

/// Why a file was not taken, or not given.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// Whoever sends it sends too much.
    #[error("the file is longer than {0} bytes")]
    TooLarge(u64),
    /// The disk.
    #[error("the disk: {0}")]
    Disk(#[from] io::Error),
    /// The bucket, or the way to it.
    #[error("the bucket: {0}")]
    Bucket(#[from] object_store::Error),
}

/// A file that is read.
pub struct Reading {
    /// The length of the whole file.
    pub bytes: u64,
    /// The part that was asked for.
    pub pieces: BoxStream<'static, io::Result<Bytes>>,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Reading(of {} bytes)", self.bytes)
    }
}

impl Files {
    /// A store in this folder, which is ours alone; it is made where it is not there.
    ///
    /// # Errors
    ///
    /// What the disk says.
    pub async fn on_disk(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            unfinished: prepared(folder).await?,
            place: Place::Disk(folder.to_owned()),
        })
    }

    /// A store in a bucket. Files grow in this folder, which is ours alone, until they are whole.
    ///
    /// # Errors
    ///
    /// [`BucketError`].
    pub async fn in_bucket(bucket: &Bucket, folder: &Path) -> Result<Self, BucketError> {
        Ok(Self {
            unfinished: prepared(folder).await?,
            place: Place::Bucket(bucket.open()?),
        })
    }

    /// Begins to take a file of at most `bytes_max` bytes.
    ///
    /// # Errors
    ///
    /// What the disk says.
    pub async fn incoming(&self, bytes_max: u64) -> Result<Incoming, FilesError> {
        // Two processes may share the folder.
        static TURN: AtomicU64 = AtomicU64::new(0);
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        let path = self
            .unfinished
            .join(format!("{}.{turn}", std::process::id()));
        let mut options = fs::OpenOptions::new();
        // What a crash left there under the same number is overwritten.
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(&path).await?;
        Ok(Incoming {
            files: self.clone(),
            file,
            unfinished: Unfinished(path),
            hasher: Sha256::new(),
            head: Vec::new(),
            bytes: 0,
            bytes_max,
        })
    }

    /// Takes a file that is in memory.
    ///
    /// # Errors
    ///
    /// [`FilesError`].
    pub async fn put(&self, bytes: &[u8], bytes_max: u64) -> Result<Stored, FilesError> {
        let mut incoming = self.incoming(bytes_max).await?;
        incoming.write(bytes).await?;
        incoming.finish().await
    }

    /// Opens a file, or a part of it; none where it is not there. A part ends where the file ends.
    ///
    /// # Errors
    ///
    /// [`FilesError`]: a bucket refuses a part that begins behind the end.
    pub async fn open(
        &self,
        hash: &Hash,
        part: Option<Range<u64>>,
    ) -> Result<Option<Reading>, FilesError> {
        match &self.place {
            Place::Disk(folder) => read_disk(&folder.join(hash.path()), part).await,
            Place::Bucket(bucket) => read_bucket(bucket.as_ref(), hash, part).await,
        }
    }

    /// A whole file in memory; none where it is not there.
    ///
    /// # Errors
    ///
    /// [`FilesError`]; [`FilesError::TooLarge`] where it has more than `bytes_max` bytes.
    pub async fn read(&self, hash: &Hash, bytes_max: u64) -> Result<Option<Vec<u8>>, FilesError> {
        let Some(reading) = self.open(hash, None).await? else {
            return Ok(None);
        };
        if reading.bytes > bytes_max {
            return Err(FilesError::TooLarge(bytes_max));
        }
        let add = |mut whole: Vec<u8>, piece: Bytes| async move {
            whole.extend_from_slice(&piece);
            Ok(whole)
        };
        Ok(Some(reading.pieces.try_fold(vec![], add).await?))
    }

    /// Removes a file, if it is there. Whoever asks knows that nobody needs it.
    ///
    /// # Errors
    ///
    /// [`FilesError`].
    pub async fn delete(&self, hash: &Hash) -> Result<(), FilesError> {
        match &self.place {
            Place::Disk(folder) => match fs::remove_file(folder.join(hash.path())).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
                Ok(()) | Err(_) => Ok(()),
            },
            Place::Bucket(bucket) => match bucket.delete(&Key::from(hash.path())).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            },
        }
    }
}

/// Makes the folder, and the one for what is unfinished, and forgets what a crash left there long ago.
async fn prepared(folder: &Path) -> io::Result<PathBuf> {
    let unfinished = folder.join("unfinished");
    fs::create_dir_all(&unfinished).await?;
    let mut left = fs::read_dir(&unfinished).await?;
    while let Some(file) = left.next_entry().await? {
        let changed = file.metadata().await.and_then(|about| about.modified());
        let age = changed.ok().and_then(|changed| changed.elapsed().ok());
        if age.is_some_and(|age| age.as_secs() > UNFINISHED_SECONDS_MAX) {
            // Somebody else may be faster.
            let _ = fs::remove_file(file.path()).await;
        }
    }
    Ok(unfinished)
}

/// A file that is on its way. Dropped before [`Incoming::finish`], it never was.
#[derive(Debug)]
pub struct Incoming {
    files: Files,
    file: File,
    unfinished: Unfinished,
    hasher: Sha256,
    head: Vec<u8>,
    bytes: u64,
    bytes_max: u64,
}

/// A path at which there is nothing when this is gone.
#[derive(Debug)]
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // It has its name by now, or nobody wants it.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Incoming {
    /// Adds bytes at its end.
    ///
    /// # Errors
    ///
    /// [`FilesError`]. Nothing good comes of it afterwards: drop it.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), FilesError> {
        // As many bytes as memory can have fit.
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.bytes > self.bytes_max {
            return Err(FilesError::TooLarge(self.bytes_max));
        }
        let missing = HEAD_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..missing]);
        self.hasher.update(bytes);
        self.file.write_all(bytes).await?;
        Ok(())
    }

    /// How many bytes may come at most.
    pub fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    /// What its first bytes say that it is.
    pub fn mime(&self) -> &'static str {
        sniff(&self.head)
    }

    /// Gives it its name, for good.
    ///
    /// # Errors
    ///
    /// [`FilesError`].
    pub async fn finish(mut self) -> Result<Stored, FilesError> {
        self.file.flush().await?;
        let stored = Stored {
            mime: self.mime(),
            hash: Hash::of(self.hasher),
            bytes: self.bytes,
        };
        let unfinished = &self.unfinished.0;
        match &self.files.place {
            Place::Disk(folder) => {
                self.file.sync_all().await?;
                name_for_good(unfinished, folder, &folder.join(stored.hash.path())).await?;
            }
            Place::Bucket(bucket) => {
                let key = Key::from(stored.hash.path());
                // The last part makes it visible: until then there is no such object.
                let mut writer = BufWriter::new(bucket.clone(), key);
                let mut file = File::open(unfinished).await?;
                tokio::io::copy(&mut file, &mut writer).await?;
                writer.shutdown().await?;
            }
        }
        Ok(stored)
    }
}

async fn name_for_good(unfinished: &Path, root: &Path, path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(root);
    fs::create_dir_all(folder).await?;
    fs::rename(unfinished, path).await?;
    // Each of these folders has a cache of its own, and may be new in the one above.
    for folder in folder.ancestors().take(FOLDERS_DEEP) {
        File::open(folder).await?.sync_all().await?;
    }
    Ok(())
}

async fn read_disk(path: &Path, part: Option<Range<u64>>) -> Result<Option<Reading>, FilesError> {
    let mut file = match File::open(path).await {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let bytes = file.metadata().await?.len();
    let part = part.unwrap_or(0..bytes);
    file.seek(io::SeekFrom::Start(part.start)).await?;
    let left = part.end.min(bytes).saturating_sub(part.start);
    let pieces = stream::try_unfold((file, left), next_piece).boxed();
    Ok(Some(Reading { bytes, pieces }))
}

async fn next_piece((mut file, left): (File, u64)) -> io::Result<Option<(Bytes, (File, u64))>> {
    let mut piece = Vec::new();
    let read = (&mut file)
        .take(left.min(PIECE))
        .read_to_end(&mut piece)
        .await?;
    let left = left.saturating_sub(read as u64);
    Ok((read > 0).then_some((Bytes::from(piece), (file, left))))
}

async fn read_bucket(
    bucket: &dyn ObjectStore,
    hash: &Hash,
    part: Option<Range<u64>>,
) -> Result<Option<Reading>, FilesError> {
    let options = GetOptions {
        range: part.map(Into::into),
        ..GetOptions::default()
    };
    match bucket.get_opts(&Key::from(hash.path()), options).await {
        Ok(found) => Ok(Some(Reading {
            bytes: found.meta.size,
            pieces: found.into_stream().map_err(io::Error::other).boxed(),
        })),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// `aa/bb` and the store's own folder.
const FOLDERS_DEEP: usize = 3;

/// Bytes that are read at once.
const PIECE: u64 = 64 * 1024;

/// Nobody sends one file for a day.
const UNFINISHED_SECONDS_MAX: u64 = 24 * 3_600;

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: u64 = 1_000_000;

    async fn whole(files: &Files, hash: &Hash, part: Option<Range<u64>>) -> Option<Vec<u8>> {
        let reading = files.open(hash, part).await.expect("it can be read")?;
        let pieces: Vec<Bytes> = reading.pieces.try_collect().await.expect("all of it");
        Some(pieces.concat())
    }

    async fn a_store_keeps_its_word(files: &Files) {
        let long: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
        let stored = files.put(&long, CAP).await.expect("taken");
        assert_eq!(stored.bytes, 200_000);
        assert_eq!(stored.mime, "application/octet-stream");
        assert_eq!(
            whole(files, &stored.hash, None).await.as_deref(),
            Some(&long[..])
        );
        let part = whole(files, &stored.hash, Some(70_000..140_001)).await;
        assert_eq!(part.as_deref(), Some(&long[70_000..140_001]));
        let end = whole(files, &stored.hash, Some(199_999..300_000)).await;
        assert_eq!(end.as_deref(), Some(&long[199_999..]));
        let again = files.put(&long, CAP).await.expect("taken again");
        assert_eq!(again, stored, "the same file has the same name");
        let read = files.read(&stored.hash, CAP).await.expect("read");
        assert_eq!(read.as_deref(), Some(&long[..]));
        let refused = files.read(&stored.hash, 199_999).await;
        assert!(matches!(refused, Err(FilesError::TooLarge(199_999))));

        files.delete(&stored.hash).await.expect("gone");
        files.delete(&stored.hash).await.expect("and still gone");
        assert_eq!(whole(files, &stored.hash, None).await, None);

        let empty = files.put(b"", CAP).await.expect("taken");
        assert_eq!(whole(files, &empty.hash, None).await, Some(vec![]));
        let nothing: Vec<_> = std::fs::read_dir(&files.unfinished)
            .expect("a folder")
            .collect();
        assert!(nothing.is_empty(), "{nothing:?}");
    }

    #[tokio::test]
    async fn a_store_on_disk_gives_back_what_it_took() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files::on_disk(folder.path()).await.expect("a store");
        a_store_keeps_its_word(&files).await;
    }

    #[tokio::test]
    async fn a_store_in_a_bucket_gives_back_what_it_took() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files {
            place: Place::Bucket(Arc::new(object_store::memory::InMemory::new())),
            unfinished: prepared(folder.path()).await.expect("a folder"),
        };
        a_store_keeps_its_word(&files).await;
    }

    #[tokio::test]
    async fn a_bucket_of_a_real_server_gives_back_what_it_took() {
        let Some(server) = bucket::tests::Server::start().await else {
            return;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files::in_bucket(&server.bucket("segredo"), folder.path()).await;
        let files = files.expect("a store");
        a_store_keeps_its_word(&files).await;
        // More than one part: they are sent apart and put together there.
        let long = vec![7; 11_000_000];
        let stored = files.put(&long, 20_000_000).await.expect("taken");
        assert_eq!(whole(&files, &stored.hash, None).await, Some(long));
    }

    #[tokio::test]
    async fn a_file_is_named_by_what_is_in_it_and_is_ours_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files::on_disk(folder.path()).await.expect("a store");
        let stored = files.put(b"abc", CAP).await.expect("taken");
        // FIPS 180-2, appendix B.1.
        let name = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((stored.hash.as_str(), stored.mime), (name, "text/plain"));
        let path = folder.path().join("ba").join("78").join(name);
        let mode = std::fs::metadata(path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_file_that_grows_too_long_or_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files::on_disk(folder.path()).await.expect("a store");
        let mut incoming = files.incoming(10).await.expect("begun");
        incoming.write(b"12345").await.expect("fits");
        incoming.write(b"67890").await.expect("fits to the byte");
        let refused = incoming.write(b"1").await;
        assert!(matches!(refused, Err(FilesError::TooLarge(10))));
        drop(incoming);
        let given_up = files.incoming(10).await.expect("begun");
        drop(given_up);
        let left: Vec<_> = std::fs::read_dir(folder.path())
            .expect("a folder")
            .collect();
        assert_eq!(left.len(), 1, "the folder of what is unfinished: {left:?}");
        let left: Vec<_> = std::fs::read_dir(&files.unfinished)
            .expect("a folder")
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn nothing_but_a_hash_is_a_name() {
        let good = "a".repeat(64);
        assert!(good.parse::<Hash>().is_ok());
        let bad = [
            "A".repeat(64),
            "a".repeat(63),
            "g".repeat(64),
            String::new(),
            format!("../{}", "a".repeat(61)),
        ];
        for bad in bad {
            assert_eq!(bad.parse::<Hash>(), Err(NotAHash), "{bad}");
        }
    }
}

//! Files of messages: had from wherever their senders have them, apart from the messages themselves.
//!
//! ```text
//!  message ─ of ─▶ attachments (waiting) ─▶ Attachments::run ─ Locate ─▶ download ─▶ store of files
//!  upload ─────────▶ attachments (stored) ◀────────────────── thumbnail ◀──────────────┘
//! ```
//!
//! A message is there at once, and says of its files how far they came. A file that runs when it is
//! opened is not kept.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use channels::event::{Content, Media, MediaSource};
use channels::send::Request;
use desk::id::{AttachmentId, ChannelId};
use futures_util::StreamExt as _;
use gateway_net::fetch::{DownloadFailure, Fetcher};
use gateway_net::files::thumbnail::{self, PICTURE_BYTES_MAX, Thumbnailer};
use gateway_net::files::{Files, FilesError, Hash, Stored, clean_name, runs};
use ivr::machine::FetchFailure;
use media_engine_net::clock;
use rand::rngs::StdRng;
use serde::Deserialize;
use store::attachments::{self, Attachment, AttachmentState, Place, StoredFile};
use store::channels::Channel;
use store::messages::{self, Message};
use store::{Error, Store, Transaction};
use tokio::sync::{RwLock, RwLockReadGuard};

use crate::telephony::Telephony;

/// What is in a message, as far as it holds files.
#[derive(Deserialize)]
struct Kept {
    #[serde(flatten)]
    content: Content,
    #[serde(default)]
    attachments: Vec<Media>,
}

/// Writes down the files of a message that came by a channel, in the transaction of whoever calls.
///
/// # Errors
///
/// Of the store.
pub async fn of(
    db: &mut Transaction,
    random: &mut StdRng,
    channel: &Channel,
    message: &Message,
) -> Result<(), Error> {
    let Ok(kept) = serde_json::from_value::<Kept>(message.content.clone()) else {
        return Ok(()); // It holds nothing that we know.
    };
    let mut medias = kept.attachments;
    if let Content::Media(media) = kept.content {
        medias.insert(0, media);
    }
    for (place, media) in (0..).zip(medias) {
        let row = waiting(channel, message, place, &media, random);
        if !lays_down(channel) || !is_laid_down(db, channel, message, place, &media).await? {
            attachments::insert(&mut **db, &row).await?;
        }
    }
    Ok(())
}

/// Whether an id of a file on this channel is that of a file laid down here beforehand.
fn lays_down(channel: &Channel) -> bool {
    matches!(channel.kind.as_str(), "generic" | "webchat" | "email")
}

async fn is_laid_down(
    db: &mut Transaction,
    channel: &Channel,
    message: &Message,
    place: u32,
    media: &Media,
) -> Result<bool, Error> {
    let MediaSource::Id(upload) = &media.source else {
        return Ok(false);
    };
    let Ok(upload) = upload.parse::<AttachmentId>() else {
        return Ok(false);
    };
    let to = Place {
        company: &channel.company,
        channel: Some(&channel.id),
        interaction: &message.interaction,
        message: &message.id,
        place,
    };
    attachments::attach(&mut **db, &upload, to).await
}

fn waiting(
    channel: &Channel,
    message: &Message,
    place: u32,
    media: &Media,
    random: &mut StdRng,
) -> Attachment {
    let known = !lays_down(channel) || matches!(media.source, MediaSource::Url(_));
    Attachment {
        id: AttachmentId::new(message.at_ms, random),
        company: channel.company.clone(),
        channel: Some(channel.id.clone()),
        interaction: Some(message.interaction.clone()),
        message: Some(message.id.clone()),
        place,
        source: serde_json::to_value(&media.source).ok(),
        state: match known {
            true => AttachmentState::Waiting,
            false => AttachmentState::Failed,
        },
        file: None,
        name: media.name.as_deref().map(clean_name),
        attempts: 0,
        due_ms: message.at_ms,
        error: (!known).then(|| "unknown_upload".to_owned()),
        created_ms: message.at_ms,
    }
}

/// What finds out where a file is.
pub type Locating<'a> = Pin<Box<dyn Future<Output = Result<Request, NotLocated>> + Send + 'a>>;

/// Knows by which request a channel gives a file.
pub trait Locate: fmt::Debug + Send + Sync {
    /// The request of which the answer is the file.
    fn locate<'a>(
        &'a self,
        channel: Option<&'a ChannelId>,
        source: &'a MediaSource,
    ) -> Locating<'a>;
}

/// Why it is not known where a file is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotLocated {
    /// It never will be: the channel gives no such files, or the file is gone there.
    #[error("{0}")]
    Never(String),
    /// The channel could not say now.
    #[error("{0}")]
    Later(String),
}

/// Has files, keeps them, and forgets them. Clones are handles to the same.
#[derive(Clone, Debug)]
pub struct Attachments {
    store: Store,
    files: Files,
    thumbnailer: Thumbnailer,
    fetcher: Fetcher,
    locate: Arc<dyn Locate>,
    /// A file is not removed while another of the same bytes is on its way to its row. Of what is
    /// fetched none is: that and removing are done in turns.
    keeping: Arc<RwLock<()>>,
}

/// Why a file is not kept.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// It runs when it is opened.
    #[error("a program is not taken")]
    Runs,
    /// It is too long, or the store of files did not take it.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The database did not take its row.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Attachments {
    /// Over a store of files.
    pub fn new(
        store: Store,
        files: Files,
        thumbnailer: Thumbnailer,
        fetcher: Fetcher,
        locate: Arc<dyn Locate>,
    ) -> Self {
        Self {
            store,
            files,
            thumbnailer,
            fetcher,
            locate,
            keeping: Arc::default(),
        }
    }

    /// The bytes.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// While somebody holds this, no file is removed: from before a file has its name until its row is
    /// written.
    pub async fn hold(&self) -> RwLockReadGuard<'_, ()> {
        self.keeping.read().await
    }

    /// What a row says of a file that is in the store, with a small picture where it can have one.
    ///
    /// # Errors
    ///
    /// [`NotKept::Runs`].
    pub async fn judged(&self, stored: &Stored, name: Option<&str>) -> Result<StoredFile, NotKept> {
        if runs(stored.mime, name.unwrap_or_default()) {
            self.remove(stored.hash.as_str()).await;
            return Err(NotKept::Runs);
        }
        Ok(StoredFile {
            sha256: stored.hash.to_string(),
            mime: stored.mime.to_owned(),
            bytes: stored.bytes,
            thumbnail: self.small(stored).await.map(|small| small.to_string()),
        })
    }

    /// No picture is no harm: the file itself is there.
    async fn small(&self, stored: &Stored) -> Option<Hash> {
        if !thumbnail::takes(stored.mime) || stored.bytes > PICTURE_BYTES_MAX {
            return None;
        }
        let read = self.files.read(&stored.hash, PICTURE_BYTES_MAX).await;
        let small = self.thumbnailer.make(&read.ok()??).await;
        let small = small.inspect_err(|error| tracing::debug!(%error, "no small picture"));
        let put = self.files.put(&small.ok()?, PICTURE_BYTES_MAX).await;
        put.ok().map(|stored| stored.hash)
    }

    /// Has what is to be had, until it is dropped, and tells who has the messages on their screens.
    pub async fn run(self, telephony: Telephony) {
        let mut tidy_ms = 0;
        loop {
            let now_ms = clock::wall().as_millisecond();
            match attachments::due(self.store.pool(), now_ms, AT_ONCE_ROWS).await {
                Ok(due) => {
                    let tries = futures_util::stream::iter(due);
                    tries
                        .for_each_concurrent(AT_ONCE, |row| self.attempt(row, &telephony))
                        .await;
                }
                Err(error) => tracing::warn!(%error, "files wait: the database is away"),
            }
            if now_ms >= tidy_ms {
                tidy_ms = now_ms + TIDY_EVERY_MS;
                if let Err(error) = self.tidy(now_ms).await {
                    tracing::warn!(%error, "files that nobody needs stay for now");
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn attempt(&self, row: Attachment, telephony: &Telephony) {
        let until_ms = row.due_ms.max(clock::wall().as_millisecond()) + LEASE_MS;
        let ended = match attachments::claim(self.store.pool(), &row, until_ms).await {
            Ok(true) => match self.have(&row).await {
                Ok(()) => self.tell(&row, telephony).await,
                Err(error) => Err(error),
            },
            Ok(false) => return, // Somebody else tries.
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            // The lease ends, and it is tried again.
            tracing::warn!(attachment = %row.id, %error, "a file waits: the database is away");
        }
    }

    async fn have(&self, row: &Attachment) -> Result<(), Error> {
        let failure = match self.fetch(row).await {
            Ok(stored) => match self.judged(&stored, row.name.as_deref()).await {
                Ok(file) => {
                    attachments::stored(self.store.pool(), &row.id, &file).await?;
                    return Ok(());
                }
                Err(_) => Failure::Refused("program"),
            },
            Err(failure) => failure,
        };
        let now_ms = clock::wall().as_millisecond();
        let (state, due_ms, error) = failure.outcome(row.attempts + 1, now_ms);
        tracing::debug!(attachment = %row.id, error, state = state.as_str(), "a file was not had");
        attachments::not_had(self.store.pool(), &row.id, state, due_ms, &error).await
    }

    /// The message has its file, or never will: who has it on their screens looks again.
    async fn tell(&self, row: &Attachment, telephony: &Telephony) -> Result<(), Error> {
        let Some(message) = &row.message else {
            return Ok(());
        };
        let Some(message) = messages::of_work(self.store.pool(), message).await? else {
            return Ok(());
        };
        let told = telephony.look(move |voice, now| {
            voice.tell_message(now, &message.company, &message.interaction, message.seq);
        });
        if told.await.is_err() {
            tracing::debug!(attachment = %row.id, "nobody is told of a file: the program ends");
        }
        Ok(())
    }

    async fn fetch(&self, row: &Attachment) -> Result<Stored, Failure> {
        let source = row
            .source
            .clone()
            .map(serde_json::from_value::<MediaSource>);
        let Some(Ok(source)) = source else {
            return Err(Failure::Never("no_source".to_owned()));
        };
        let request = self.locate.locate(row.channel.as_ref(), &source).await;
        let request = request.map_err(|error| match error {
            NotLocated::Never(why) => Failure::Never(why),
            NotLocated::Later(why) => Failure::Later(why),
        })?;
        let into = self.files.incoming(FILE_BYTES_MAX).await;
        let into = into.map_err(|error| Failure::Later(error.to_string()))?;
        let fetched = self.fetcher.download(&request, into, FETCH_TIME_MAX).await;
        fetched.map_err(|error| Failure::of(&error))
    }

    /// Removes the bytes of what is forgotten, where nobody else has the same.
    async fn tidy(&self, now_ms: i64) -> Result<(), Error> {
        let mut db = self.store.begin().await?;
        attachments::forget_left(&mut db, now_ms - UNUSED_MS_MAX).await?;
        db.commit().await?;
        let _alone = self.keeping.write().await;
        loop {
            let gone = attachments::forgotten(self.store.pool(), AT_ONCE_ROWS).await?;
            if gone.is_empty() {
                return Ok(());
            }
            for row in gone {
                if let Some(file) = &row.file {
                    self.remove(&file.sha256).await;
                    if let Some(thumbnail) = &file.thumbnail {
                        self.remove(thumbnail).await;
                    }
                }
                attachments::delete(self.store.pool(), &row.id).await?;
            }
        }
    }

    /// Removes a file, unless a message or a mail needs it.
    pub async fn remove_unneeded(&self, hash: &Hash) {
        let _alone = self.keeping.write().await;
        self.remove(hash.as_str()).await;
    }

    /// Removes a file that no row wants.
    async fn remove(&self, name: &str) {
        let wanted = attachments::wants(self.store.pool(), name).await;
        let Ok(hash) = name.parse::<Hash>() else {
            return;
        };
        if matches!(wanted, Ok(false))
            && let Err(error) = self.files.delete(&hash).await
        {
            tracing::warn!(%error, "a file that nobody needs stays");
        }
    }
}

/// Why a file was not had, as far as it decides what follows.
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    Later(String),
    Never(String),
    Refused(&'static str),
}

impl Failure {
    fn of(error: &DownloadFailure) -> Self {
        match error {
            DownloadFailure::Files(FilesError::TooLarge(_)) => Self::Refused("too_large"),
            DownloadFailure::Fetch(FetchFailure::Refused) => Self::Refused("address"),
            DownloadFailure::Fetch(_) | DownloadFailure::Status(_) | DownloadFailure::Files(_) => {
                if error.may_pass() {
                    Self::Later(error.to_string())
                } else {
                    Self::Never(error.to_string())
                }
            }
        }
    }

    /// What becomes of the file after so many tries, when it is tried again, and why.
    fn outcome(self, attempts: u32, now_ms: i64) -> (AttachmentState, i64, String) {
        match self {
            Self::Refused(why) => (AttachmentState::Refused, now_ms, why.to_owned()),
            Self::Never(why) => (AttachmentState::Failed, now_ms, why),
            Self::Later(why) => {
                let wait = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
                match WAITS_S.get(wait) {
                    Some(wait_s) => (AttachmentState::Waiting, now_ms + wait_s * 1_000, why),
                    None => (AttachmentState::Failed, now_ms, why),
                }
            }
        }
    }
}

/// The longest file: what the channels carry at most, with room (WhatsApp's documents have 100 MB).
pub const FILE_BYTES_MAX: u64 = 110 * 1024 * 1024;

/// For all of a file, at 1 MB a second.
const FETCH_TIME_MAX: Duration = Duration::from_secs(120);

/// Longer than a try can take.
const LEASE_MS: i64 = 5 * 60_000;

/// Between the tries, in seconds. Links of providers die within minutes to days.
const WAITS_S: [i64; 6] = [5, 30, 120, 600, 3_600, 4 * 3_600];

/// Files that are fetched at once: a slow one does not hold up the others.
const AT_ONCE: usize = 8;

/// Rows that are looked at at once.
const AT_ONCE_ROWS: u32 = 64;

/// How soon a file begins to come: a message is read in that time.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How often what nobody needs is removed.
const TIDY_EVERY_MS: i64 = 600_000;

/// A file that was laid down is used within a day.
const UNUSED_MS_MAX: i64 = 24 * 3_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_tried_for_hours_and_then_given_up() {
        let mut now_ms = 0;
        let mut tries = 0;
        loop {
            tries += 1;
            let (state, due_ms, why) = Failure::Later("away".to_owned()).outcome(tries, now_ms);
            assert_eq!(why, "away");
            now_ms = due_ms;
            if state == AttachmentState::Failed {
                break;
            }
            assert_eq!(state, AttachmentState::Waiting);
        }
        assert_eq!((tries, now_ms), (7, 18_755_000));
    }

    #[test]
    fn what_no_try_can_mend_is_given_up_at_once() {
        let too_large = DownloadFailure::Files(FilesError::TooLarge(1));
        assert_eq!(Failure::of(&too_large), Failure::Refused("too_large"));
        let inside = DownloadFailure::Fetch(FetchFailure::Refused);
        assert_eq!(Failure::of(&inside), Failure::Refused("address"));
        let gone = Failure::of(&DownloadFailure::Status(404));
        assert_eq!(gone.outcome(1, 7).0, AttachmentState::Failed);
        let busy = Failure::of(&DownloadFailure::Status(503));
        assert_eq!(busy.outcome(1, 7).0, AttachmentState::Waiting);
    }
}

//! Files of messages on their way out: each is laid down where the provider takes it from.
//!
//! Until then a message names its file by our own id. Only files that are in the message itself are given
//! away: an id that somebody wrote into it leads nowhere.

use std::sync::Arc;
use std::time::Duration;

use channels::connector::Connector;
use channels::event::MediaSource;
use channels::failure::{Advice, Failure, FailureClass};
use channels::send::{OutContent, OutMedia, Outgoing};
use gateway_net::fetch::{Fetcher, Limits};
use gateway_net::files::Files;
use media_engine_net::clock;
use store::Store;
use store::attachments::{self, Attachment, StoredFile};
use store::messages::Message;
use tokio::sync::Semaphore;

use crate::secrets::Secrets;

use super::attachments::FILE_BYTES_MAX;
use super::{Needs, media_links};

/// Lays files down. Clones share what they may do at once.
#[derive(Clone)]
pub(super) struct OutgoingFiles {
    store: Store,
    secrets: Arc<Secrets>,
    fetcher: Fetcher,
    files: Files,
    public_url: Option<String>,
    /// A file is in memory while it goes up.
    room: Arc<Semaphore>,
}

impl OutgoingFiles {
    pub(super) fn new(needs: &Needs) -> Self {
        Self {
            store: needs.store.clone(),
            secrets: needs.secrets.clone(),
            fetcher: needs.fetcher.clone(),
            files: needs.files.clone(),
            public_url: needs.public_url.clone(),
            room: Arc::new(Semaphore::new(UPLOADS_MAX)),
        }
    }

    /// The message with its file where the provider takes it from.
    ///
    /// # Errors
    ///
    /// [`Failure`]. The message itself has surely not gone.
    pub(super) async fn lay_down(
        &self,
        connector: &dyn Connector,
        message: &Message,
        mut outgoing: Outgoing,
    ) -> Result<Outgoing, Failure> {
        let Some(media) = file_of(&mut outgoing.content) else {
            return Ok(outgoing);
        };
        if let MediaSource::Id(id) = &media.source {
            let (row, file) = self.found(message, id).await?;
            media.source = if connector.capabilities().upload {
                MediaSource::Id(self.upload(connector, &row, &file).await?)
            } else {
                MediaSource::Url(self.link(&row)?)
            };
        }
        Ok(outgoing)
    }

    async fn found(
        &self,
        message: &Message,
        id: &str,
    ) -> Result<(Attachment, StoredFile), Failure> {
        let pool = self.store.pool();
        let found = attachments::in_message(pool, &message.interaction, &message.id).await;
        let found = found.map_err(|error| later(&error.to_string()))?;
        let row = found.into_iter().find(|row| row.id.as_str() == id);
        let file = row.as_ref().and_then(|row| row.file.clone());
        row.zip(file).ok_or_else(|| gone("file"))
    }

    async fn upload(
        &self,
        connector: &dyn Connector,
        row: &Attachment,
        file: &StoredFile,
    ) -> Result<String, Failure> {
        let room = tokio::time::timeout(ROOM_WITHIN, self.room.acquire()).await;
        let _room = room.map_err(|_| later("other files are going up"))?;
        let hash = file.sha256.parse().map_err(|_| gone("sha256"))?;
        let bytes = self.files.read(&hash, FILE_BYTES_MAX).await;
        let bytes = bytes.map_err(|error| later(&error.to_string()))?;
        let bytes = bytes.ok_or_else(|| gone("bytes"))?;
        let name = row.name.as_deref().unwrap_or("arquivo");
        let request = connector
            .upload(&file.mime, name, &bytes)
            .map_err(|refusal| {
                let (class, advice) = (FailureClass::Permanent, Advice::File);
                Failure::new(class, advice, refusal.code(), &refusal.to_string())
            })?;
        drop(bytes);
        let now_ms = clock::wall().as_millisecond();
        // A file that went up and was not told of is only a file too many there.
        let answer = self.fetcher.carry_out(&request, LIMITS, now_ms).await;
        let answer = answer.map_err(|unanswered| later(&format!("{unanswered:?}")))?;
        connector.uploaded(&answer)
    }

    fn link(&self, row: &Attachment) -> Result<String, Failure> {
        let Some(url) = &self.public_url else {
            let (class, advice) = (FailureClass::ChannelBroken, Advice::Setup);
            let text = "public_url is not set: the provider cannot fetch files here";
            return Err(Failure::new(class, advice, "public_url", text));
        };
        let until_ms = clock::wall().as_millisecond() + LINK_LASTS_MS;
        let path = media_links::link(&self.secrets, &row.company, &row.id, until_ms);
        let path = path.map_err(|error| later(&error.to_string()))?;
        Ok(format!("{url}{path}"))
    }
}

/// The file that a message is, or has above it.
fn file_of(content: &mut OutContent) -> Option<&mut OutMedia> {
    match content {
        OutContent::Media(media) => Some(media),
        OutContent::Template(template) => template.header_media.as_mut(),
        OutContent::Text { .. }
        | OutContent::Location(_)
        | OutContent::Choices(_)
        | OutContent::Reaction { .. }
        | OutContent::AskPhone { .. }
        | OutContent::AskLocation { .. } => None,
    }
}

fn later(text: &str) -> Failure {
    Failure::not_connected(text)
}

fn gone(what: &str) -> Failure {
    let (class, advice) = (FailureClass::Permanent, Advice::File);
    Failure::new(class, advice, what, "the file is not there")
}

/// How long a file may take to go up, and how large the answer may be.
const LIMITS: Limits = Limits {
    time: Duration::from_secs(90),
    bytes: 256 * 1024,
};

/// Files that go up at once, each of which may be 100 MB in memory.
const UPLOADS_MAX: usize = 4;

/// How long a file waits for others before its message is tried later.
const ROOM_WITHIN: Duration = Duration::from_secs(30);

/// Providers fetch within seconds; some come back for it.
const LINK_LASTS_MS: i64 = 24 * 3_600_000;

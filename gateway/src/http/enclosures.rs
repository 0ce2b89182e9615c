//! Files that an agent, or another system, laid down for a message to a customer.

use channels::capabilities::Capabilities;
use channels::event::{MediaKind, MediaSource};
use channels::send::{OutContent, OutMedia};
use desk::id::{AttachmentId, CompanyId, InteractionId};
use store::attachments::{self, Attachment, Place};
use store::messages::Message;

use super::problem::Problem;

/// What was laid down for an interaction and is in no message yet, as it was asked for.
///
/// # Errors
///
/// 422 where there are more than the channel carries in one message, or one of them is not there.
pub(super) async fn laid_down(
    db: &mut store::Transaction,
    (company, interaction): (&CompanyId, &InteractionId),
    asked: &[AttachmentId],
    capabilities: &Capabilities,
) -> Result<Vec<Attachment>, Problem> {
    if asked.len() > capabilities.files_max {
        return Err(Problem::field("attachments", "too_many_files"));
    }
    let mut files = Vec::with_capacity(asked.len());
    for id in asked {
        let found = attachments::by_id(&mut **db, company, id).await?;
        let fits = |row: &Attachment| {
            row.interaction.as_ref() == Some(interaction)
                && row.message.is_none()
                && row.file.is_some()
        };
        let row = found.filter(fits);
        files.push(row.ok_or_else(|| Problem::field("attachments", "reference"))?);
    }
    Ok(files)
}

/// The first file as the channel carries it best; none without a file.
pub(super) fn media(
    files: &[Attachment],
    (caption, voice): (Option<String>, bool),
    capabilities: &Capabilities,
) -> Option<OutMedia> {
    let row = files.first()?;
    let file = row.file.as_ref()?;
    let kind = MediaKind::of_mime(&file.mime);
    let seen = OutMedia {
        kind,
        source: MediaSource::Id(row.id.to_string()),
        mime: file.mime.clone(),
        bytes: file.bytes,
        name: row.name.clone(),
        caption,
        voice: voice && kind == MediaKind::Audio,
    };
    let saved = OutMedia {
        kind: MediaKind::Document,
        voice: false,
        ..seen.clone()
    };
    // A picture that the channel does not show, it may still carry as a file to be saved.
    let takes = |media: &OutMedia| {
        capabilities
            .check(&OutContent::Media(media.clone()))
            .is_ok()
    };
    Some(if !takes(&seen) && takes(&saved) {
        saved
    } else {
        seen
    })
}

/// Puts the files into their message, in the transaction that writes it.
///
/// # Errors
///
/// 422 where one of them went into another message since.
pub(super) async fn attach(
    db: &mut store::Transaction,
    message: &Message,
    files: &[Attachment],
) -> Result<(), Problem> {
    for (place, file) in (0..).zip(files) {
        let to = Place {
            company: &message.company,
            channel: None,
            interaction: &message.interaction,
            message: &message.id,
            place,
        };
        if !attachments::attach(&mut **db, &file.id, to).await? {
            return Err(Problem::field("attachments", "reference"));
        }
    }
    Ok(())
}

//! A delivery in the words of the generic channel.

use channels::event::Content;
use channels::generic::notice::{
    Notice, NoticeAttachment, NoticeAttendance, NoticeAuthor, NoticeChannel, NoticeCustomer,
    NoticeKind, NoticeMessage, NoticeName,
};
use desk::record::Direction;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use store::attachments::{Attachment, AttachmentState};
use store::deliveries::{About, Delivery};
use store::messages::Message;

/// What the webhook is told; nothing of an event that this program does not know.
pub(super) fn of(
    delivery: &Delivery,
    about: &About,
    message: Option<(&Message, Vec<NoticeAttachment>)>,
) -> Option<String> {
    let kind: NoticeKind = delivery.event.parse().ok()?;
    let at = Timestamp::from_millisecond(about.at_ms).unwrap_or_default();
    let service = about.service.clone();
    let external = about
        .customer
        .as_ref()
        .and_then(|author| text(author, "external_id"));
    let notice = Notice {
        id: delivery.id.clone(),
        kind,
        occurred_at: format!("{at:.3}"),
        seq: i64::from(delivery.seq),
        company_id: about.company.to_string(),
        channel: NoticeChannel {
            id: delivery.channel.to_string(),
            kind: about.channel_kind.clone(),
            name: about.channel_name.clone(),
        },
        attendance: Some(NoticeAttendance {
            id: delivery.interaction.to_string(),
            protocol: about.protocol.clone(),
            service: service.map(|(id, name)| NoticeName { id, name }),
            status: status(kind).to_owned(),
        }),
        external_conversation_id: Some(about.thread.clone()),
        customer: Some(NoticeCustomer {
            external_id: external,
        }),
        message: message.map(|(message, files)| said(message, files)),
        more: more(kind, &about.detail),
    };
    serde_json::to_string(&notice).ok()
}

fn status(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::AttendanceOpened
        | NoticeKind::AttendanceQueued
        | NoticeKind::AttendanceTransferred
        | NoticeKind::AttendanceReopened => "queued",
        NoticeKind::AttendanceClosed => "closed",
        NoticeKind::AttendanceOnHold => "on_hold",
        NoticeKind::AttendanceAssigned
        | NoticeKind::MessageCreated
        | NoticeKind::MessageUpdated
        | NoticeKind::MessageDeleted
        | NoticeKind::MessageStatus
        | NoticeKind::TabulationCreated
        | NoticeKind::SurveySent
        | NoticeKind::SurveyAnswered
        | NoticeKind::Typing
        | NoticeKind::Ping => "in_progress",
    }
}

/// The particulars, of what has some.
fn more(kind: NoticeKind, detail: &Value) -> Map<String, Value> {
    let agent = json!({ "id": detail["agent"], "name": detail["name"] });
    let (name, value) = match kind {
        NoticeKind::AttendanceAssigned => ("agent", agent),
        NoticeKind::AttendanceClosed => ("reason", detail["cause"].clone()),
        NoticeKind::TabulationCreated => {
            let tabulation = json!({
                "id": detail["disposition"], "name": detail["disposition_name"],
                "fields": detail["fields"], "note": detail["note"], "agent": agent,
            });
            ("tabulation", tabulation)
        }
        NoticeKind::AttendanceOpened
        | NoticeKind::AttendanceQueued
        | NoticeKind::AttendanceTransferred
        | NoticeKind::AttendanceOnHold
        | NoticeKind::AttendanceReopened
        | NoticeKind::MessageCreated
        | NoticeKind::MessageUpdated
        | NoticeKind::MessageDeleted
        | NoticeKind::MessageStatus
        | NoticeKind::SurveySent
        | NoticeKind::SurveyAnswered
        | NoticeKind::Typing
        | NoticeKind::Ping => return Map::new(),
    };
    Map::from_iter([(name.to_owned(), value)])
}

fn said(message: &Message, attachments: Vec<NoticeAttachment>) -> NoticeMessage {
    let content: Option<Content> = serde_json::from_value(message.content.clone()).ok();
    let words = match content {
        Some(Content::Text { text }) => Some(text),
        Some(Content::Media(media)) => media.caption,
        Some(_) | None => None,
    };
    let kind = match text(&message.author, "kind").as_deref() {
        Some("agent") => "agent",
        Some("customer") => "customer",
        Some(_) | None => "system",
    };
    NoticeMessage {
        id: message.id.to_string(),
        direction: match message.direction {
            Direction::Inbound => "inbound",
            Direction::Outbound => "outbound",
        },
        author: NoticeAuthor {
            kind,
            id: text(&message.author, "id"),
            name: text(&message.author, "name"),
        },
        kind: if words.is_some() { "text" } else { "file" },
        text: words,
        attachments,
        reply_to_external_message_id: message.reply_to.clone(),
        status: None,
    }
}

/// A file of a message as the webhook is told of it, with the link at which it is fetched; nothing of one
/// that nobody will have. One that we wait for ourselves has no type and no length yet.
pub(super) fn file(row: Attachment, url: String) -> Option<NoticeAttachment> {
    match row.state {
        AttachmentState::Waiting | AttachmentState::Stored => {}
        AttachmentState::Failed | AttachmentState::Refused | AttachmentState::Forgotten => {
            return None;
        }
    }
    let known = row.file;
    Some(NoticeAttachment {
        url,
        filename: row.name.unwrap_or_default(),
        mime_type: known
            .as_ref()
            .map(|file| file.mime.clone())
            .unwrap_or_default(),
        size: known.as_ref().map(|file| file.bytes).unwrap_or_default(),
        sha256: known.map(|file| file.sha256).unwrap_or_default(),
    })
}

fn text(value: &Value, field: &str) -> Option<String> {
    value.get(field)?.as_str().map(str::to_owned)
}

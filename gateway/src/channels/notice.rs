//! What webhooks are told, in the words of the generic channel.

use channels::event::Content;
use channels::generic::notice::{
    Notice, NoticeAttachment, NoticeAttendance, NoticeAuthor, NoticeChannel, NoticeCustomer,
    NoticeKind, NoticeMessage, NoticeName,
};
use desk::id::CompanyId;
use desk::record::Direction;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use store::attachments::{Attachment, AttachmentState};
use store::messages::Message;
use store::notices::{self, Stage};

/// What webhooks are told; nothing of an event that this program does not know.
pub(super) fn of(
    told: &notices::Notice,
    message: Option<(&Message, Vec<NoticeAttachment>)>,
) -> Option<String> {
    let kind: NoticeKind = told.event.parse().ok()?;
    let at = Timestamp::from_millisecond(told.at_ms).unwrap_or_default();
    let service = told.service.clone();
    let notice = Notice {
        id: told.id.clone(),
        kind,
        occurred_at: format!("{at:.3}"),
        seq: i64::from(told.seq),
        company_id: told.company.to_string(),
        channel: channel(told),
        attendance: Some(NoticeAttendance {
            id: told.interaction.to_string(),
            protocol: told.protocol.clone(),
            medium: told.medium.as_str(),
            direction: told.direction.as_str(),
            service: service.map(|(id, name)| NoticeName { id, name }),
            status: status(kind, told).to_owned(),
        }),
        external_conversation_id: told.channel.as_ref().map(|channel| channel.thread.clone()),
        customer: Some(customer(told)),
        message: message.map(|(message, files)| said(message, files, &told.detail)),
        more: more(kind, &told.detail),
    };
    serde_json::to_string(&notice).ok()
}

/// What is told by who tries a webhook.
pub(crate) fn ping_text(id: &str, company: &CompanyId, at: Timestamp) -> String {
    let notice = json!({
        "id": id, "type": NoticeKind::Ping, "occurred_at": format!("{at:.3}"), "company_id": company,
    });
    notice.to_string()
}

fn channel(told: &notices::Notice) -> NoticeChannel {
    if let Some(channel) = &told.channel {
        return NoticeChannel {
            id: Some(channel.id.to_string()),
            kind: channel.kind.clone(),
            name: channel.name.clone(),
        };
    }
    let (from, to) = &told.addresses;
    NoticeChannel {
        id: told.number.as_ref().map(ToString::to_string),
        kind: told.medium.as_str().to_owned(),
        name: match told.direction {
            Direction::Inbound => to.clone(),
            Direction::Outbound => from.clone(),
        },
    }
}

fn customer(told: &notices::Notice) -> NoticeCustomer {
    let author = told.customer.as_ref();
    let (from, to) = &told.addresses;
    let address = match told.direction {
        Direction::Inbound => from,
        Direction::Outbound => to,
    };
    NoticeCustomer {
        external_id: author.and_then(|author| text(author, "external_id")),
        contact_id: told.contact.as_ref().map(ToString::to_string),
        address: told.channel.is_none().then(|| address.clone()),
    }
}

fn status(kind: NoticeKind, told: &notices::Notice) -> &'static str {
    match kind {
        NoticeKind::AttendanceOpened
        | NoticeKind::AttendanceQueued
        | NoticeKind::AttendanceTransferred
        | NoticeKind::AttendanceReopened => "queued",
        NoticeKind::AttendanceClosed => "closed",
        NoticeKind::AttendanceOnHold => "on_hold",
        NoticeKind::AttendanceAssigned => "in_progress",
        NoticeKind::MessageReceived
        | NoticeKind::MessageCreated
        | NoticeKind::MessageUpdated
        | NoticeKind::MessageDeleted
        | NoticeKind::MessageStatus
        | NoticeKind::TabulationCreated
        | NoticeKind::SurveySent
        | NoticeKind::SurveyAnswered
        | NoticeKind::Typing
        | NoticeKind::Ping => match told.stage {
            Stage::Queued => "queued",
            Stage::InProgress => "in_progress",
            Stage::Closed => "closed",
        },
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
        NoticeKind::SurveyAnswered => {
            let answer = json!({
                "flow": detail["flow"], "question": detail["question"], "answer": detail["answer"],
                "agent_id": detail["agent"],
            });
            ("survey", answer)
        }
        NoticeKind::MessageStatus if detail["failure"].is_object() => {
            ("failure", detail["failure"].clone())
        }
        NoticeKind::AttendanceOpened
        | NoticeKind::AttendanceQueued
        | NoticeKind::AttendanceTransferred
        | NoticeKind::AttendanceOnHold
        | NoticeKind::AttendanceReopened
        | NoticeKind::MessageReceived
        | NoticeKind::MessageCreated
        | NoticeKind::MessageUpdated
        | NoticeKind::MessageDeleted
        | NoticeKind::MessageStatus
        | NoticeKind::SurveySent
        | NoticeKind::Typing
        | NoticeKind::Ping => return Map::new(),
    };
    Map::from_iter([(name.to_owned(), value)])
}

fn said(message: &Message, attachments: Vec<NoticeAttachment>, detail: &Value) -> NoticeMessage {
    let content: Option<Content> = serde_json::from_value(message.content.clone()).ok();
    let (words, other) = match content {
        Some(Content::Text { text }) => (Some(text), None),
        Some(Content::Media(media)) => (media.caption, None),
        Some(_) | None => (None, Some(message.content.clone())),
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
        kind: match (&words, &other) {
            (_, Some(_)) => "other",
            (Some(_), None) => "text",
            (None, None) => "file",
        },
        text: words,
        attachments,
        reply_to_external_message_id: message.reply_to.clone(),
        content: other,
        status: detail["status"]
            .as_str()
            .and_then(|state| state.parse().ok()),
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

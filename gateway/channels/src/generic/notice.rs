//! What the other system is told: one notice for each thing that happened, with one id however often it
//! is sent.

use desk::words;
use serde::Serialize;
use serde_json::{Map, Value};

words! {
    /// What happened.
    NoticeKind {
        /// The customer wrote.
        MessageReceived = "message.received",
        /// The customer was written to.
        MessageCreated = "message.created",
        /// A message was written anew.
        MessageUpdated = "message.updated",
        /// A message was taken back.
        MessageDeleted = "message.deleted",
        /// A message came further, or failed.
        MessageStatus = "message.status",
        /// A matter was taken up.
        AttendanceOpened = "attendance.opened",
        /// It waits for an agent.
        AttendanceQueued = "attendance.queued",
        /// An agent has it.
        AttendanceAssigned = "attendance.assigned",
        /// It went to another service or agent.
        AttendanceTransferred = "attendance.transferred",
        /// It rests.
        AttendanceOnHold = "attendance.on_hold",
        /// It is done.
        AttendanceClosed = "attendance.closed",
        /// It came back.
        AttendanceReopened = "attendance.reopened",
        /// It was classified.
        TabulationCreated = "tabulation.created",
        /// The customer was asked how it was.
        SurveySent = "survey.sent",
        /// And said so.
        SurveyAnswered = "survey.answered",
        /// An agent types.
        Typing = "typing",
        /// Nothing: the administrator tries the webhook.
        Ping = "ping",
    }
}

/// What happened, as it is sent. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notice {
    /// Its id: the same whenever it is sent again.
    pub id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: NoticeKind,
    /// When.
    pub occurred_at: String,
    /// Counts up within the attendance, without gaps.
    pub seq: i64,
    /// The company.
    pub company_id: String,
    /// The channel.
    pub channel: NoticeChannel,
    /// The matter, of everything but a ping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attendance: Option<NoticeAttendance>,
    /// Their id of the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_conversation_id: Option<String>,
    /// The customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<NoticeCustomer>,
    /// The message, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<NoticeMessage>,
    /// What else there is to say: the tabulation, the survey's answer.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// The channel of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeChannel {
    /// Its id; of a call, that of the number, where it is one of the company's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it is; `phone` is a call.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// The matter of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeAttendance {
    /// Its id.
    pub id: String,
    /// Its protocol number.
    pub protocol: String,
    /// How one talks there: `phone`, `chat`, `email`.
    pub medium: &'static str,
    /// Who began: `inbound`, the customer.
    pub direction: &'static str,
    /// The service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<NoticeName>,
    /// How it stands.
    pub status: String,
}

/// Something that has an id and a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeName {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// The customer of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeCustomer {
    /// Their own id of the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Our id of them, where we know them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<String>,
    /// Their number, of a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// The message of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeMessage {
    /// Its id.
    pub id: String,
    /// `inbound` or `outbound`.
    pub direction: &'static str,
    /// Who wrote it.
    pub author: NoticeAuthor,
    /// `text`, `file`, or `other`: then `content` has it.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The files.
    pub attachments: Vec<NoticeAttachment>,
    /// Their id of the message to which it answers.
    pub reply_to_external_message_id: Option<String>,
    /// What is neither text nor a file, in our words: a place, a card, buttons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Value>,
    /// How far it came, where that is what the notice is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<crate::event::Delivery>,
}

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeAuthor {
    /// `agent`, `bot`, `system` or `customer`.
    pub kind: &'static str,
    /// Their id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What they are called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A file of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeAttachment {
    /// Where it is, for a while.
    pub url: String,
    /// Its name.
    pub filename: String,
    /// Its type.
    pub mime_type: String,
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

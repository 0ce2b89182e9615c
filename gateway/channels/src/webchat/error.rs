//! What the client is told when something is not done.

use desk::words;
use serde::{Deserialize, Serialize};

use super::client::ClientMessageId;

words! {
    /// Why something was not done.
    ErrorCode {
        /// The frame is not one of the protocol.
        BadFrame = "bad_frame",
        /// The page speaks another version.
        Version = "version",
        /// The token is expired, forged or of another channel.
        Token = "token",
        /// The HMAC of the shop's user is wrong.
        Identity = "identity",
        /// This visitor may not write.
        Blocked = "blocked",
        /// The page is not one of those on which the widget may be.
        Origin = "origin",
        /// There is no such channel, or it is off.
        Channel = "channel",
        /// The file is not there, or not there any more.
        Upload = "upload",
        /// The same id with another content.
        KeyReused = "key_reused",
        /// The frame or the file is too large.
        TooLarge = "too_large",
        /// Files of this type are not taken.
        FileType = "file_type",
        /// Something is asked for before the first message.
        FormNeeded = "form_needed",
        /// A person typed something that cannot be taken.
        Invalid = "invalid",
        /// Too many at once.
        TooFast = "too_fast",
        /// The server cannot keep it now.
        Unavailable = "unavailable",
        /// The visitor opened the chat in too many places: this is the oldest.
        Replaced = "replaced",
    }
}

impl ErrorCode {
    /// The status of HTTP, where the frame was posted.
    pub fn status(self) -> u16 {
        match self {
            Self::BadFrame | Self::Version => 400,
            Self::Token | Self::Identity => 401,
            Self::Blocked | Self::Origin => 403,
            Self::Channel | Self::Upload => 404,
            Self::KeyReused | Self::Replaced => 409,
            Self::TooLarge => 413,
            Self::FileType => 415,
            Self::FormNeeded | Self::Invalid => 422,
            Self::TooFast => 429,
            Self::Unavailable => 503,
        }
    }

    /// Whether the socket is closed with it, with [`CLOSE_STATUS`] and the word as its reason.
    pub fn closes(self) -> bool {
        match self {
            Self::Version
            | Self::Token
            | Self::Blocked
            | Self::Origin
            | Self::Channel
            | Self::Replaced => true,
            Self::BadFrame
            | Self::Identity
            | Self::Upload
            | Self::KeyReused
            | Self::TooLarge
            | Self::FileType
            | Self::FormNeeded
            | Self::Invalid
            | Self::TooFast
            | Self::Unavailable => false,
        }
    }
}

/// The status with which a socket is closed after an error (RFC 6455 section 7.4.2: for private use).
pub const CLOSE_STATUS: u16 = 4_000;

/// Something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}")]
pub struct FrameError {
    /// Why.
    pub code: ErrorCode,
    /// What was sent, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_message_id: Option<ClientMessageId>,
    /// Which fields, as the form and the frame call them (`text`, `email`); of a survey the ids of the
    /// questions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// How long to wait before it is sent again, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl FrameError {
    /// An error without particulars.
    pub fn new(code: ErrorCode) -> Self {
        Self {
            code,
            client_message_id: None,
            fields: vec![],
            retry_after_ms: None,
        }
    }

    /// What was sent.
    #[must_use]
    pub fn to(mut self, id: Option<ClientMessageId>) -> Self {
        self.client_message_id = id;
        self
    }

    /// Which fields.
    #[must_use]
    pub fn fields<F: Into<String>>(mut self, fields: impl IntoIterator<Item = F>) -> Self {
        self.fields = fields.into_iter().map(Into::into).collect();
        self
    }

    /// How long to wait, in milliseconds.
    #[must_use]
    pub fn after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }
}

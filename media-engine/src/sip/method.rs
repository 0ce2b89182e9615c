//! Request methods: those we know, and any other that a peer may send.

use std::fmt;

use bytes::Bytes;

/// A request method (RFC 3261 section 7.1). Methods compare by case.
///
/// The type is open: an unknown method is kept as it came, because it is answered with 405, not
/// dropped.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Method {
    /// Opens or changes a session (RFC 3261 section 13).
    Invite,
    /// Confirms the final response to an INVITE (RFC 3261 section 17.1.1.3).
    Ack,
    /// Ends a session (RFC 3261 section 15).
    Bye,
    /// Takes a pending request back (RFC 3261 section 9).
    Cancel,
    /// Asks what the other end can do, or whether it lives (RFC 3261 section 11).
    Options,
    /// Binds a contact to an address of record (RFC 3261 section 10).
    Register,
    /// Confirms a reliable provisional response (RFC 3262).
    Prack,
    /// Changes a session without touching the dialog's state (RFC 3311).
    Update,
    /// Carries application data within a dialog (RFC 6086).
    Info,
    /// Asks the peer to call somebody (RFC 3515).
    Refer,
    /// Reports an event (RFC 6665).
    Notify,
    /// Asks for reports of events (RFC 6665).
    Subscribe,
    /// Carries a page-mode message (RFC 3428).
    Message,
    /// Publishes event state (RFC 3903).
    Publish,
    /// Any other method; the bytes are a token, and so ASCII.
    Other(Bytes),
}

impl Method {
    /// Reads a method from a token that has been checked to be one.
    pub(crate) fn from_token(token: &[u8], source: &Bytes) -> Self {
        Self::known(token).unwrap_or_else(|| Self::Other(source.slice_ref(token)))
    }

    /// The known method that is spelled like this, if any.
    pub fn known(token: &[u8]) -> Option<Self> {
        Some(match token {
            b"INVITE" => Self::Invite,
            b"ACK" => Self::Ack,
            b"BYE" => Self::Bye,
            b"CANCEL" => Self::Cancel,
            b"OPTIONS" => Self::Options,
            b"REGISTER" => Self::Register,
            b"PRACK" => Self::Prack,
            b"UPDATE" => Self::Update,
            b"INFO" => Self::Info,
            b"REFER" => Self::Refer,
            b"NOTIFY" => Self::Notify,
            b"SUBSCRIBE" => Self::Subscribe,
            b"MESSAGE" => Self::Message,
            b"PUBLISH" => Self::Publish,
            _ => return None,
        })
    }

    /// The method as it stands on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Invite => "INVITE",
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Cancel => "CANCEL",
            Self::Options => "OPTIONS",
            Self::Register => "REGISTER",
            Self::Prack => "PRACK",
            Self::Update => "UPDATE",
            Self::Info => "INFO",
            Self::Refer => "REFER",
            Self::Notify => "NOTIFY",
            Self::Subscribe => "SUBSCRIBE",
            Self::Message => "MESSAGE",
            Self::Publish => "PUBLISH",
            // A token is ASCII, so the fallback is never taken.
            Self::Other(token) => std::str::from_utf8(token).unwrap_or_default(),
        }
    }

    /// The method as it stands on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        self.as_str().as_bytes()
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

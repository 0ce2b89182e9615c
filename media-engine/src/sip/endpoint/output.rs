//! What an endpoint wants done, and what it has to tell.

use std::sync::Arc;

use bytes::Bytes;

use crate::sip::Flow;
use crate::sip::call::CallEvent;

/// What an endpoint wants done, and what it has to tell. The shell takes them in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send one message.
    Transmit {
        /// The path. For a stream transport without a connection: over the open connection to
        /// `remote`, or a new one.
        flow: Flow,
        /// The name that a new TLS connection must prove to have; `None` for an address.
        server_name: Option<Arc<str>>,
        /// The message.
        bytes: Bytes,
    },
    /// Something happened to a call.
    Call(CallEvent),
}

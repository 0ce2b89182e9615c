//! What an endpoint wants done, and what it has to tell.

use std::sync::Arc;

use bytes::Bytes;

use crate::sip::call::CallEvent;
use crate::sip::guard::Audit;
use crate::sip::resolve::{QueryId, Question};
use crate::sip::{CallId, Flow};
use crate::sip::{ping, registrar, registration};

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
    /// Ask the DNS, and say the answer to [`super::Endpoint::handle_resolved`].
    Ask {
        /// To be said with the answer.
        query: QueryId,
        /// The question.
        question: Question,
    },
    /// A device came or went.
    Device(registrar::Event),
    /// A registration of ours at a carrier is doing otherwise than before.
    Registration(Box<registration::Health>),
    /// A trunk that is asked whether it lives does otherwise than before.
    Ping(ping::Health),
    /// Something that an administrator should be able to read later.
    Security(Audit),
    /// What a call says and hears, where [`super::EndpointConfig::trace`] asks for it. A message that
    /// is sent stands before its [`Output::Transmit`].
    Traced(Traced),
}

/// What a call says and hears. Bytes are shared with the message itself, not copied.
#[derive(Debug, Clone, PartialEq)]
pub enum Traced {
    /// One message.
    Message {
        /// Whose.
        call: CallId,
        /// Which way it goes.
        way: TracedWay,
        /// The path.
        flow: Flow,
        /// All of it.
        bytes: Bytes,
    },
    /// The call is over, and so is all that it says; at most copies follow.
    Over(CallId),
}

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TracedWay {
    /// To the peer.
    Sent,
    /// From the peer.
    Received,
}

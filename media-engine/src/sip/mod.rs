//! SIP (RFC 3261 and its successors).

pub mod call;
pub mod dialog;
pub mod digest;
pub mod endpoint;
pub mod framing;
pub mod guard;
pub mod headers;
pub mod identity;
pub mod message;
pub mod parse;
pub mod registrar;
pub mod registration;
pub mod resolve;
pub mod transaction;
pub mod trunk;
pub mod uri;
pub mod write;

//! Keys: RFC 4733 events, SIP INFO and in-band tones become one `Key` per press.

pub mod event;
pub mod inband;
pub mod info;

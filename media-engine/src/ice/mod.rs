//! Connectivity of browser legs: STUN (RFC 8489) and ICE as a lite agent (RFC 8445 section 2.5).

pub mod agent;
pub mod stun;

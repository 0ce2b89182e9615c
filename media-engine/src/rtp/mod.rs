//! RTP and RTCP (RFC 3550), SRTP (RFC 3711), and the way from packets to steady audio.

pub mod conceal;
pub mod jitter;
pub mod packet;
pub mod rtcp;
pub mod session;
pub mod srtp;

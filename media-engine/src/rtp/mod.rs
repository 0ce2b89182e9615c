//! RTP and RTCP (RFC 3550), SRTP (RFC 3711), and the way from packets to steady audio.

pub mod conceal;
pub mod jitter;
pub mod latch;
pub mod packet;
pub mod rtcp;
pub mod session;
pub mod srtp;

/// The one clock read of the tests in this crate's media half: only differences count.
#[cfg(test)]
#[allow(clippy::disallowed_methods)]
pub(crate) fn origin() -> std::time::Instant {
    std::time::Instant::now()
}

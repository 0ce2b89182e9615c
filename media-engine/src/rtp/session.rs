//! Sequence numbers, time stamps, sources and their statistics of one RTP session.

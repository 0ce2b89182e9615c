//! RTP headers, read in place and written in place (RFC 3550 section 5.1).

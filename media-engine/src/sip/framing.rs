//! Messages out of a byte stream (RFC 3261 section 18.3).

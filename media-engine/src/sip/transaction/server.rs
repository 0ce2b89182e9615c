//! The non-INVITE server transaction (RFC 3261 section 17.2.2).

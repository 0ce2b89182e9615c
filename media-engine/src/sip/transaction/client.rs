//! The non-INVITE client transaction (RFC 3261 section 17.1.2).

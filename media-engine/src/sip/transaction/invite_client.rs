//! The INVITE client transaction (RFC 3261 section 17.1.1, RFC 6026).

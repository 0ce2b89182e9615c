//! The INVITE server transaction (RFC 3261 section 17.2.1, RFC 6026).

//! Devices that register with us (RFC 3261 section 10).

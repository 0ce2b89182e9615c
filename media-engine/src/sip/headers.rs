//! Typed readings of header values.

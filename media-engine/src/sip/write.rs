//! The writer: a message straight into bytes.

//! The parser: one pass, one allocation.

//! Joins calls, flows and desk.

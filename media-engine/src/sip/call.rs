//! INVITE sessions, both ways.

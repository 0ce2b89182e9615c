//! The sockets, media threads, resolver and clock of the media engine.

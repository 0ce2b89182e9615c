//! Carriers: which trunk a request came from.

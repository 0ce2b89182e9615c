//! RFC 4733 telephone events: one key per press, whatever is lost, doubled or reordered.

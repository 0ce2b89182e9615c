//! Sample rate conversion without audible aliases.

//! Every prompt at one loudness (ITU-R BS.1770).

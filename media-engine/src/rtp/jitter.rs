//! The adaptive jitter buffer, driven by told time, following the sender's clock.

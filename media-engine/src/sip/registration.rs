//! Us registering with a carrier: refresh, back-off, health.

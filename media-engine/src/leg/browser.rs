//! A leg whose other side is a browser: where it is tell its checks, and its keys come of a handshake.

use std::{net::SocketAddr, time::Instant};

use super::{Leg, Protection};
use crate::rtp::{latch::Latch, srtp::Keys};

/// What is known of a browser. Only both together open the leg.
#[derive(Debug, Default)]
pub(super) struct Meeting {
    /// Where its checks want the media.
    address: Option<SocketAddr>,
    /// Whether it has shown the certificate that it announced.
    secured: bool,
}

impl Leg {
    /// The browser wants its media here, and sends them from here; with `None` it wants none.
    pub fn select(&mut self, now: Instant, address: Option<SocketAddr>) {
        self.meeting.address = address;
        self.meet(now);
    }

    /// The browser has proved itself: these are the keys from now on.
    pub fn secure(&mut self, now: Instant, keys: &Keys) {
        self.meeting.secured = true;
        self.protection = Protection::new(Some(keys));
        self.meet(now);
    }

    /// Nobody is sent anything in the clear, and nobody is heard who has not proved both.
    fn meet(&mut self, now: Instant) {
        let known = self.meeting.address.filter(|_| self.meeting.secured);
        self.latch = Latch::known(now, known);
    }
}

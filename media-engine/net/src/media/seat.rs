//! One leg on its media thread, with its sockets.

use std::net::UdpSocket;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use media_engine::leg::{DATAGRAM, Leg, LegEvent, LegId};

use super::metrics::{self, ThreadMetrics};
use super::receive::{self, Receiver};
use crate::clock::{self, Stamps};
use crate::ports::{MediaSockets, Ports};

/// Datagrams read in one visit at most: a flood to one port must not cost the other legs their turn.
/// A peer with packets of 10 ms that was held up for 150 ms is still caught up with at once.
const READS_PER_VISIT: u32 = 16;

/// Every so many visits the socket is read until empty, whatever the last visit found: finds a
/// packet that has been waiting in front of each new one since the peer was late once.
const VISITS_PER_DRAIN: u32 = 8;

/// RTCP comes every five seconds (RFC 3550 section 6.2): half a second late is early enough.
const VISITS_PER_RTCP: u32 = 25;

/// What a thread uses for every visit of a tick.
pub(super) struct Tools {
    pub(super) receiver: Receiver,
    pub(super) stamps: Stamps,
    pub(super) outgoing: Box<[u8; DATAGRAM]>,
}

/// A leg and its sockets.
pub(super) struct Seat {
    pub(super) id: LegId,
    pub(super) leg: Leg,
    rtp: UdpSocket,
    rtcp: UdpSocket,
    visits: u32,
    /// The last full read found other than one packet: read until empty this time, too.
    drains: bool,
    /// After the sockets, so that they are closed when the ports are given back.
    _lease: Lease,
}

/// A port pair in use; dropping it gives the pair back.
pub(super) struct Lease {
    ports: Arc<Mutex<Ports>>,
    port: u16,
}

impl Lease {
    pub(super) fn new(ports: Arc<Mutex<Ports>>, port: u16) -> Self {
        Self { ports, port }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
        ports.close(clock::now(), self.port);
    }
}

impl Seat {
    pub(super) fn new(
        id: LegId,
        leg: Leg,
        sockets: MediaSockets,
        lease: Lease,
        visits: u32,
    ) -> std::io::Result<Self> {
        receive::stamp(&sockets.rtp)?;
        let MediaSockets { rtp, rtcp, .. } = sockets;
        Ok(Self {
            id,
            leg,
            rtp,
            rtcp,
            visits,
            drains: true,
            _lease: lease,
        })
    }

    /// Reads, tells the time, sends: everything a leg needs once in 20 ms.
    pub(super) fn visit(&mut self, now: Instant, tools: &mut Tools, metrics: &ThreadMetrics) {
        self.visits = self.visits.wrapping_add(1);
        self.receive(now, tools, metrics);
        self.leg.handle_timeout(now);
        self.send(now, tools, metrics);
        if self.visits.is_multiple_of(VISITS_PER_RTCP) {
            self.visit_rtcp(now, tools, metrics);
        }
    }

    /// The next thing to tell about the leg.
    pub(super) fn poll_event(&mut self) -> Option<LegEvent> {
        self.leg.poll_event()
    }

    /// A read that finds nothing costs a tenth of a visit, so as long as one packet is there at each
    /// visit, one is read.
    fn receive(&mut self, now: Instant, tools: &mut Tools, metrics: &ThreadMetrics) {
        let drain = self.drains || self.visits.is_multiple_of(VISITS_PER_DRAIN);
        let wanted = if drain { READS_PER_VISIT } else { 1 };
        let mut found = 0;
        while found < wanted {
            let Some(datagram) = tools.receiver.receive(&self.rtp, now, &tools.stamps) else {
                break;
            };
            found += 1;
            self.leg
                .handle_packet(now, datagram.arrival, datagram.source, datagram.bytes);
        }
        self.drains = if drain { found != 1 } else { found == 0 };
        metrics::add(&metrics.received, u64::from(found));
    }

    fn send(&mut self, now: Instant, tools: &mut Tools, metrics: &ThreadMetrics) {
        while let Some(transmit) = self.leg.poll_packet(now, tools.outgoing.as_mut_slice()) {
            let packet = &tools.outgoing[..transmit.len];
            let counter = match self.rtp.send_to(packet, transmit.to) {
                Ok(_) => &metrics.sent,
                Err(_) => &metrics.send_errors,
            };
            metrics::add(counter, 1);
        }
    }

    fn visit_rtcp(&mut self, now: Instant, tools: &mut Tools, metrics: &ThreadMetrics) {
        let _ = (&self.rtcp, now, tools, metrics);
    }
}

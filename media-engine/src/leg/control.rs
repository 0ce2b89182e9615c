//! RTCP of a leg: when it reports, to whom, and whose reports it believes.

use std::{net::SocketAddr, time::Instant};

use rand::{Rng, rngs::SmallRng};

use super::{Leg, Liveness, config::Transmit};
use crate::rtp::{
    latch::is_destination,
    rtcp::{self, Block, Compound, Part, Reports, SenderInfo},
};

/// What a leg keeps for RTCP.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) reports: Reports,
    /// Anonymous and the same for the life of the leg (RFC 7022 section 4.2).
    cname: String,
    /// Where the peer's RTCP comes from: NAT may have moved its port.
    learnt: Option<SocketAddr>,
    /// RTP packets sent when the last report went out: whoever is silent sends a receiver report.
    sent_before: u32,
}

impl Control {
    pub(super) fn new(now: Instant, mut random: SmallRng) -> Self {
        let cname = format!("{:016x}@ramal.invalid", random.random::<u64>());
        Self {
            reports: Reports::new(now, random),
            cname,
            learnt: None,
            sent_before: 0,
        }
    }
}

impl Leg {
    /// Takes a datagram from the RTCP socket. With RTCP on the RTP port, [`Leg::handle_packet`] does
    /// it by itself.
    pub fn handle_rtcp(&mut self, now: Instant, source: SocketAddr, datagram: &mut [u8]) {
        if !self.may_report(source) {
            self.counters.foreign += 1;
            return;
        }
        let mut length = datagram.len();
        if let Some(protection) = &mut self.protection {
            match protection.unprotector.unprotect_rtcp(datagram) {
                Ok(opened) => length = opened,
                Err(rejected) => {
                    self.counters.count(rejected);
                    return;
                }
            }
        }
        let ours = self.outgoing.ssrc();
        let mut any = false;
        for part in rtcp::read(&datagram[..length]) {
            any |= matches!(
                part,
                Part::SenderReport { .. } | Part::ReceiverReport { .. }
            );
            self.control.reports.handle(now, ours, part);
        }
        if !any {
            self.counters.malformed += 1;
            return;
        }
        self.liveness = Liveness::Active { last: now };
        if is_destination(&source) {
            self.control.learnt = Some(source);
        }
    }

    /// Writes the report that is due into `datagram`. It goes out of the RTCP socket, or with
    /// [`rtcp_mux`](super::LegConfig::rtcp_mux) out of the RTP socket. Call until `None`.
    #[inline]
    pub fn poll_rtcp(&mut self, now: Instant, datagram: &mut [u8]) -> Option<Transmit> {
        if !self.control.reports.is_due(now) {
            return None;
        }
        self.write_report(now, datagram, false)
    }

    /// Writes the goodbye with which a leg ends (RFC 3550 section 6.3.7). It goes where reports go.
    pub fn close(&mut self, now: Instant, datagram: &mut [u8]) -> Option<Transmit> {
        self.write_report(now, datagram, true)
    }

    /// The peer's host, and there the address that its SDP names or else the one that reported first.
    fn may_report(&self, source: SocketAddr) -> bool {
        let learnt = self
            .control
            .learnt
            .filter(|learnt| self.latch.is_peer_host(learnt.ip()));
        self.latch.is_peer_host(source.ip())
            && (learnt.is_none_or(|learnt| learnt == source) || self.named_rtcp() == Some(source))
    }

    /// Where the peer's SDP has its RTCP, said or understood.
    fn named_rtcp(&self) -> Option<SocketAddr> {
        self.config
            .remote_rtcp
            .or_else(|| self.config.remote.and_then(above))
    }

    fn write_report(&mut self, now: Instant, datagram: &mut [u8], bye: bool) -> Option<Transmit> {
        let to = self.rtcp_destination()?;
        let (last_report, delay) = self.control.reports.last_report(now);
        let block = self.incoming.summarise().map(|summary| Block {
            ssrc: summary.ssrc,
            fraction_lost: summary.fraction_lost,
            cumulative_lost: summary.cumulative_lost,
            highest: summary.highest,
            jitter: summary.jitter,
            last_report,
            delay,
        });
        let packets = self.outgoing.packets();
        let sends = packets != std::mem::replace(&mut self.control.sent_before, packets);
        let compound = Compound {
            ssrc: self.outgoing.ssrc(),
            sender: sends.then(|| SenderInfo {
                ntp: self.control.reports.ntp(now),
                timestamp: self.outgoing.timestamp(),
                packets,
                octets: self.outgoing.octets(),
            }),
            block,
            cname: &self.control.cname,
            bye,
        };
        let mut len = compound.write(datagram);
        if let Some(protection) = &mut self.protection {
            len = protection.protector.protect_rtcp(datagram, len);
        }
        Some(Transmit { len, to })
    }

    /// To the RTP address with mux; else where the peer's RTCP comes from, where its SDP says, or to
    /// the port above RTP's. Hosts are always the one that RTP goes to.
    fn rtcp_destination(&self) -> Option<SocketAddr> {
        let media = self.latch.destination()?;
        if self.config.rtcp_mux {
            return Some(media);
        }
        let same_host = |address: &SocketAddr| address.ip() == media.ip();
        self.control
            .learnt
            .filter(same_host)
            .or(self
                .config
                .remote_rtcp
                .filter(same_host)
                .filter(is_destination))
            .or_else(|| above(media))
    }
}

/// RFC 3550 section 11: the next port.
fn above(media: SocketAddr) -> Option<SocketAddr> {
    media
        .port()
        .checked_add(1)
        .map(|port| SocketAddr::new(media.ip(), port))
}

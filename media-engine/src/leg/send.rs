//! The way out: what goes into the packet that is due.

use std::{net::SocketAddr, time::Instant};

use super::{
    EARLY, LATE_MAX, Leg,
    config::{LegEvent, Transmit},
    mix::Hears,
    relay::{self, Kind, Relayed},
};
use crate::{
    dtmf::event,
    rtp::{
        packet::{HEADER, Header},
        srtp::TRAILER_MAX,
    },
};

impl Leg {
    /// Writes the next packet that is due into `datagram` ([`DATAGRAM`](super::DATAGRAM) bytes). Call
    /// until `None`.
    #[inline]
    pub fn poll_packet(&mut self, now: Instant, datagram: &mut [u8]) -> Option<Transmit> {
        self.catch_up(now);
        while self.next_packet <= now + EARLY {
            self.next_packet += self.packing.time;
            if let Some(transmit) = self.write_due(now, datagram) {
                return Some(transmit);
            }
        }
        None
    }

    /// Writes a packet of the one leg that this one hears for our peer, at once. `None` when it is not
    /// wanted: we hear by a mix or nobody, play something ourselves, the peer holds us, or it does not
    /// take what this is.
    pub fn relay(
        &mut self,
        now: Instant,
        relayed: &Relayed<'_>,
        datagram: &mut [u8],
    ) -> Option<Transmit> {
        let to = self.destination()?;
        let own = self.player.is_playing() || !self.dialling.is_idle();
        let Hears::Relaying(relay) = &mut self.hears else {
            return None;
        };
        if own {
            relay.interrupt();
            return None;
        }
        let length = relayed.payload.len();
        if HEADER + length + TRAILER_MAX > datagram.len() {
            return None; // no codec of ours fills a datagram, and a tag must find room behind it
        }
        let payload = &mut datagram[HEADER..HEADER + length];
        payload.copy_from_slice(relayed.payload);
        let (payload_type, ticks) = match relayed.kind {
            Kind::Audio(codec) if codec == self.config.codec => {
                let ticks = codec.frame_bytes().map_or(codec.frame_ticks(), |bytes| {
                    let units = length.saturating_mul(codec.frame_ticks() as usize) / bytes;
                    u32::try_from(units).unwrap_or(0)
                });
                (self.config.payload_type, ticks)
            }
            Kind::Audio(_) => return None,
            Kind::Event { clock } => {
                let events = self.config.telephone_event?;
                let lasted = event::duration(payload)?;
                let lasted = relay::rescale(lasted, clock, events.clock);
                payload[2..event::PAYLOAD].copy_from_slice(&lasted.to_be_bytes());
                (events.payload_type, 0)
            }
        };
        let (sequence, timestamp) = (self.outgoing.sequence(), self.outgoing.timestamp());
        let numbers = relay.renumber(now, relayed, sequence, timestamp);
        let header = Header {
            marker: relayed.marker || numbers.fresh,
            payload_type,
            sequence: numbers.sequence,
            timestamp: numbers.timestamp,
            ssrc: self.outgoing.ssrc(),
        };
        header.write(datagram);
        self.outgoing.relayed(
            numbers.sequence,
            numbers.timestamp.wrapping_add(ticks),
            length,
        );
        Some(Transmit {
            len: self.protect(datagram, HEADER + length),
            to,
        })
    }

    /// Where RTP goes, if the peer may be sent to at all.
    pub(super) fn destination(&self) -> Option<SocketAddr> {
        self.latch.destination().filter(|_| self.config.send)
    }

    /// After a visit that came much too late, leaves out what nobody waits for any more.
    #[inline]
    pub(super) fn catch_up(&mut self, now: Instant) {
        let late = now.saturating_duration_since(self.next_packet);
        if late <= LATE_MAX {
            return;
        }
        let missed = late.as_nanos() / self.packing.time.as_nanos();
        let missed = u32::try_from(missed).unwrap_or(0);
        self.next_packet += self.packing.time * missed;
        self.outgoing.pass(self.packing.ticks.wrapping_mul(missed));
        self.outgoing.start_spurt();
        self.counters.slots_skipped += u64::from(missed);
    }

    /// Fills one packet. While the peer holds us, or has no address, the play goes on unheard, like a
    /// radio: a flow must not hang on a caller who put us on hold.
    fn write_due(&mut self, now: Instant, datagram: &mut [u8]) -> Option<Transmit> {
        let Some(to) = self.destination() else {
            self.fill(datagram);
            self.outgoing.pass(self.packing.ticks);
            self.outgoing.start_spurt();
            return None;
        };
        let len = if !self.dialling.is_idle() {
            self.write_event(datagram)?
        } else {
            if self.leaves_to_relay(now) {
                return None;
            }
            let bytes = self.fill(datagram);
            let ticks = self.packing.ticks;
            self.outgoing
                .audio(self.config.payload_type, bytes, ticks)
                .write(datagram);
            HEADER + bytes
        };
        Some(Transmit {
            len: self.protect(datagram, len),
            to,
        })
    }

    /// Whether the other leg's packets are going out, so that ours would be in their way.
    fn leaves_to_relay(&mut self, now: Instant) -> bool {
        let Hears::Relaying(relay) = &mut self.hears else {
            return false;
        };
        if !self.player.is_playing() && relay.is_speaking(now) {
            return true;
        }
        relay.interrupt();
        false
    }

    fn fill(&mut self, datagram: &mut [u8]) -> usize {
        let payload = &mut datagram[HEADER..];
        if let Hears::Mixing(mixer) = &mut self.hears
            && !self.player.is_playing()
            && mixer.codec() == self.config.codec
        {
            let bytes = mixer.fill(self.packing, payload);
            if bytes > 0 {
                return bytes;
            }
        }
        let filled = self.player.fill(self.packing, payload);
        if let Some(play) = filled.ended {
            self.events.push_back(LegEvent::PlayEnded { play });
        }
        filled.bytes
    }

    /// Writes a packet of the key that is being pressed.
    fn write_event(&mut self, datagram: &mut [u8]) -> Option<usize> {
        if let Hears::Relaying(relay) = &mut self.hears {
            relay.interrupt();
        }
        let payload_type = self.config.telephone_event?.payload_type;
        let packet_ms = u32::try_from(self.packing.time.as_millis()).unwrap_or(20);
        let turn = self.dialling.turn(self.outgoing.timestamp(), packet_ms);
        self.outgoing.pass(self.packing.ticks);
        self.outgoing.start_spurt();
        let event::Turn::Event(tone) = turn else {
            return None;
        };
        let header =
            self.outgoing
                .header(payload_type, tone.timestamp, tone.marker, event::PAYLOAD);
        header.write(datagram);
        datagram[HEADER..HEADER + event::PAYLOAD].copy_from_slice(&tone.payload);
        Some(HEADER + event::PAYLOAD)
    }

    #[inline]
    fn protect(&mut self, datagram: &mut [u8], len: usize) -> usize {
        match &mut self.protection {
            Some(protection) => protection.protector.protect(datagram, len),
            None => len,
        }
    }
}

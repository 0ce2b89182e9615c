//! The way in: whose packet it is, what it is, and who wants it.

use std::{net::SocketAddr, time::Instant};

use super::{
    Leg, Liveness,
    config::{KeyPath, LegEvent},
    mix::Wanted,
    relay::{Kind, Relayed},
};
use crate::{
    codec::Codec,
    rtp::{
        latch::Admission,
        packet::{self, Packet},
        session::Place,
    },
};

impl Leg {
    /// Takes a datagram from the RTP socket. `arrival` is the kernel's stamp, at or before `now`. The
    /// bytes are decrypted in place.
    ///
    /// What comes back is for those that hear this leg ([`Leg::relay`]), and for recordings
    /// ([`Relayed::said`]).
    #[inline]
    pub fn handle_packet<'d>(
        &mut self,
        now: Instant,
        arrival: Instant,
        source: SocketAddr,
        datagram: &'d mut [u8],
    ) -> Option<Relayed<'d>> {
        if packet::is_rtcp(datagram) {
            self.handle_rtcp(now, source, datagram);
            return None;
        }
        let packet = self.open(now, source, datagram)?;
        let codec = self.config.codec_of(packet.header.payload_type);
        if let Some(codec) = codec {
            self.incoming.set_clock(codec.rtp_clock());
        }
        match self.incoming.receive(arrival, &packet.header) {
            Place::At(_) => {}
            Place::Restart(_) => self.restart_stream(),
            Place::Unproven => {
                self.counters.unproven += 1;
                return None;
            }
        }
        self.take(now, arrival, codec, &packet)
    }

    /// The next 20 ms of what the peer says, at 8 kHz, while those that hear the leg want it: 50 frames a
    /// second, silence where nothing comes. Call until `None` in every visit, whether anybody listens or
    /// not.
    pub fn poll_audio(&mut self, now: Instant) -> Option<&[i16]> {
        let wanted = self.wanted > Wanted::Nothing;
        loop {
            let turn = self.ear.as_mut()?.turn(now)?;
            if let Some(key) = turn.key.filter(|_| !self.events_seen) {
                self.events.push_back(LegEvent::Key {
                    key,
                    by: KeyPath::InBand,
                });
            }
            if wanted {
                break;
            }
        }
        self.ear.as_ref().map(|ear| ear.voice().last())
    }

    /// Decides whether a datagram is our peer's, and reads it.
    fn open<'d>(
        &mut self,
        now: Instant,
        source: SocketAddr,
        datagram: &'d mut [u8],
    ) -> Option<Packet<'d>> {
        let Ok((header, _)) = packet::read_header(datagram) else {
            self.count_malformed(source);
            return None;
        };
        if !self.latch.is_possible(now, source) {
            self.counters.foreign += 1; // before any work on a flood
            return None;
        }
        let mut length = datagram.len();
        if let Some(protection) = &mut self.protection {
            // A source proves itself with packets whose tag fits, not with a header.
            match protection.unprotector.unprotect(datagram) {
                Ok(opened) => length = opened,
                Err(rejected) => {
                    self.counters.count(rejected);
                    return None;
                }
            }
        }
        match self.latch.admit(now, source, header.ssrc, header.sequence) {
            Admission::Peer => {}
            Admission::Settled => self.events.push_back(LegEvent::Latched { source }),
            Admission::Foreign => {
                self.counters.foreign += 1;
                return None;
            }
        }
        self.liveness = Liveness::Active { last: now };
        if header.ssrc == self.outgoing.ssrc() {
            // RFC 3550 section 8.2: our own packets come back.
            self.counters.looped += 1;
            return None;
        }
        let packet = packet::read(&datagram[..length]);
        self.counters.malformed += u64::from(packet.is_err());
        packet.ok()
    }

    fn count_malformed(&mut self, source: SocketAddr) {
        if self.latch.is_peer(source) {
            self.counters.malformed += 1;
        } else {
            self.counters.foreign += 1;
        }
    }

    fn restart_stream(&mut self) {
        self.counters.streams = self.counters.streams.wrapping_add(1);
        self.pressed.restart();
        if let Some(ear) = &mut self.ear {
            ear.restart();
        }
    }

    /// Hands a packet of the peer's on by its payload type, which is this codec's if it is audio.
    fn take<'d>(
        &mut self,
        now: Instant,
        arrival: Instant,
        codec: Option<Codec>,
        packet: &Packet<'d>,
    ) -> Option<Relayed<'d>> {
        let payload_type = packet.header.payload_type;
        let events = self
            .config
            .telephone_event
            .filter(|e| e.payload_type_in == payload_type);
        let kind = if let Some(events) = events {
            self.take_event(now, packet);
            Kind::Event {
                clock: events.clock,
            }
        } else if let Some(codec) = codec {
            if self.spoken.hear(now, codec) {
                self.events.push_back(LegEvent::CodecChanged { codec });
            }
            if let Some(ear) = self.ear.as_mut().filter(|_| self.config.receive) {
                ear.insert(arrival, packet.header.timestamp, codec, packet.payload);
            }
            Kind::Audio(codec)
        } else {
            self.counters.wrong_type += 1;
            return None;
        };
        // While we hold the peer, what it sends is for nobody.
        self.config.receive.then_some(Relayed {
            kind,
            stream: self.counters.streams,
            sequence: packet.header.sequence,
            timestamp: packet.header.timestamp,
            marker: packet.header.marker,
            payload: packet.payload,
        })
    }

    fn take_event(&mut self, now: Instant, packet: &Packet<'_>) {
        if !self.events_seen {
            self.events_seen = true;
            self.listen_as_needed(now);
        }
        if let Some(key) = self
            .pressed
            .receive(now, packet.header.timestamp, packet.payload)
        {
            self.events.push_back(LegEvent::Key {
                key,
                by: KeyPath::Event,
            });
        }
    }
}

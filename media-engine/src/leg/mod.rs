//! One party's media: everything that a media thread does for a call, composed.
//!
//! ```text
//!  datagram ─▶ latch ─▶ srtp ─▶ rtp::session ─┬▶ dtmf::event ─────────────────▶ LegEvent::Key
//!                                             └▶ hearing, when somebody listens ▶ recording, bridge, in-band keys
//!  Playlist ─▶ player ─┬▶ packet ─▶ srtp ─▶ Transmit
//!  keys to dial ───────┘
//! ```
//!
//! The thread visits a leg every 20 ms: each datagram that waits goes into [`Leg::handle_packet`], then
//! [`Leg::handle_timeout`], then [`Leg::poll_packet`], [`Leg::poll_rtcp`] and [`Leg::poll_event`]
//! until each says `None`. A visit allocates nothing. Audio is decoded only while somebody listens.

mod config;
mod player;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use rand::{SeedableRng, rngs::SmallRng};

pub use config::{KeyPath, LegConfig, LegEvent, LegId, PlayId, Playlist, TelephoneEvent, Transmit};
use player::{Packing, Player};

use crate::{
    codec::Codec,
    dtmf::{Key, event},
    rtp::{
        latch::{Admission, Latch},
        packet::{self, HEADER, Packet},
        session::{Incoming, Outgoing, Place},
        srtp::{Protector, Unprotector},
    },
};

/// Room for any datagram that a leg writes.
pub const DATAGRAM: usize = packet::DATAGRAM_MAX;

/// One party's media.
pub struct Leg {
    config: LegConfig,
    packing: Packing,
    latch: Latch,
    outgoing: Outgoing,
    incoming: Incoming,
    protection: Option<Box<Protection>>,
    player: Player,
    dialling: event::Sender,
    pressed: event::Receiver,
    /// When the next packet is due.
    next_packet: Instant,
    heard: Hearing,
    events: VecDeque<LegEvent>,
    counters: Counters,
}

/// SRTP of both directions.
struct Protection {
    protector: Protector,
    unprotector: Unprotector,
}

/// When the peer was last heard.
#[derive(Debug)]
enum Hearing {
    /// Something came at `last` (or the leg began then).
    Active { last: Instant },
    /// [`LegEvent::Silent`] has been reported.
    Silent,
}

/// What has come and gone; see [`LegReport`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counters {
    foreign: u64,
    malformed: u64,
    bad_tag: u64,
    replayed: u64,
    wrong_type: u64,
    looped: u64,
    unproven: u64,
    slots_skipped: u64,
}

/// What is known about a leg's media at this moment.
#[derive(Clone, Debug, PartialEq)]
pub struct LegReport {
    /// The codec.
    pub codec: Codec,
    /// The peer's source, once it has settled.
    pub latched: Option<SocketAddr>,
    /// RTP packets sent.
    pub sent: u64,
    /// RTP packets that arrived from the peer.
    pub received: u64,
    /// Packets that the peer sent and that did not arrive.
    pub lost: u64,
    /// Interarrival jitter (RFC 3550 section 6.4.1).
    pub jitter: Duration,
    /// How often the peer's stream began anew (another SSRC, a restart).
    pub source_changes: u32,
    /// Datagrams from elsewhere: dropped, never answered.
    pub foreign: u64,
    /// Datagrams from the peer that were no RTP.
    pub malformed: u64,
    /// SRTP packets whose tag did not fit.
    pub bad_tag: u64,
    /// SRTP packets that had been taken before.
    pub replayed: u64,
    /// Packets of a payload type that was not agreed on (comfort noise among them).
    pub wrong_type: u64,
    /// Packets with our own SSRC: they went in a circle.
    pub looped: u64,
    /// Packets of a source or a sequence that had not proved itself.
    pub unproven: u64,
    /// Packets that we could not send in time and left out.
    pub slots_skipped: u64,
}

impl Leg {
    /// Opens a leg. `seed` decides its SSRC and first numbers: draw it from a good generator, strangers
    /// must not guess them.
    #[must_use]
    pub fn new(now: Instant, config: LegConfig, seed: u64) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        Self {
            packing: Packing::new(config.codec, config.ptime),
            latch: Latch::new(now, config.remote, config.signalling_host),
            outgoing: Outgoing::new(&mut random),
            incoming: Incoming::new(config.codec.rtp_clock()),
            protection: Protection::new(&config),
            player: Player::new(config.codec),
            dialling: event::Sender::new(event_clock(&config)),
            pressed: event::Receiver::default(),
            next_packet: now,
            heard: Hearing::Active { last: now },
            events: VecDeque::with_capacity(EVENTS_USUAL),
            counters: Counters::default(),
            config,
        }
    }

    /// Takes what a new offer and answer agreed on. What plays goes on; sequence numbers and clock too.
    pub fn reconfigure(&mut self, now: Instant, config: LegConfig) {
        self.latch
            .rename(now, config.remote, config.signalling_host);
        self.packing = Packing::new(config.codec, config.ptime);
        self.incoming.set_clock(config.codec.rtp_clock());
        if self.config.srtp != config.srtp {
            self.protection = Protection::new(&config);
        }
        if let Some(play) = self.player.set_codec(config.codec) {
            self.events.push_back(LegEvent::PlayNeedsCodec {
                play,
                codec: config.codec,
            });
        }
        if event_clock(&self.config) != event_clock(&config) {
            self.dialling = event::Sender::new(event_clock(&config));
        }
        if !self.config.send || self.config.codec != config.codec {
            self.outgoing.start_spurt();
        }
        if !self.config.receive {
            self.incoming.pause();
        }
        self.heard = Hearing::Active { last: now };
        self.config = config;
    }

    /// Plays `list` in place of whatever plays; it is heard with the next packet. The same `play` again
    /// goes on where it is (after [`LegEvent::PlayNeedsCodec`]).
    pub fn play(&mut self, _now: Instant, play: PlayId, list: Playlist) {
        self.player.play(play, list);
    }

    /// Ends what plays (barge-in): the next packet is silence. No [`LegEvent::PlayEnded`] comes.
    pub fn stop(&mut self, _now: Instant) {
        self.player.stop();
    }

    /// Presses a key towards the peer, behind those that wait. False if the peer takes no
    /// telephone-events or too many keys wait.
    pub fn press(&mut self, _now: Instant, key: Key) -> bool {
        self.config.telephone_event.is_some() && self.dialling.press(key)
    }

    /// Takes a datagram from the RTP socket. `arrival` is the kernel's stamp, at or before `now`. The
    /// bytes are decrypted in place.
    pub fn handle_packet(
        &mut self,
        now: Instant,
        arrival: Instant,
        source: SocketAddr,
        datagram: &mut [u8],
    ) {
        let Some(header_and_payload) = self.open(now, source, datagram) else {
            return;
        };
        let place = self.incoming.receive(arrival, &header_and_payload.header);
        match place {
            Place::Unproven => {
                self.counters.unproven += 1;
                return;
            }
            Place::Restart(_) => self.pressed.restart(),
            Place::At(_) => {}
        }
        self.take(now, &header_and_payload);
    }

    /// Tells the time, once each visit.
    pub fn handle_timeout(&mut self, now: Instant) {
        let Some(limit) = self.config.inactivity.filter(|_| self.is_open_both_ways()) else {
            return;
        };
        match self.heard {
            Hearing::Active { last } if now.saturating_duration_since(last) >= limit => {
                self.heard = Hearing::Silent;
                self.events.push_back(LegEvent::Silent);
            }
            Hearing::Active { .. } | Hearing::Silent => {}
        }
    }

    /// Writes the next packet that is due into `datagram` ([`DATAGRAM`] bytes). Call until `None`.
    #[inline]
    pub fn poll_packet(&mut self, now: Instant, datagram: &mut [u8]) -> Option<Transmit> {
        self.catch_up(now);
        while self.next_packet <= now + EARLY {
            self.next_packet += self.packing.time;
            if let Some(transmit) = self.write_packet(datagram) {
                return Some(transmit);
            }
        }
        None
    }

    /// The next fact, oldest first.
    #[inline]
    pub fn poll_event(&mut self) -> Option<LegEvent> {
        self.events.pop_front()
    }

    /// When a visit has something to do at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        self.next_packet
    }

    /// What the leg speaks at present.
    #[must_use]
    pub fn config(&self) -> &LegConfig {
        &self.config
    }

    /// Sums up what has come and gone.
    #[must_use]
    pub fn report(&self) -> LegReport {
        let counters = self.counters;
        LegReport {
            codec: self.config.codec,
            latched: self.latch.settled(),
            sent: u64::from(self.outgoing.packets()),
            received: self.incoming.received(),
            lost: self.incoming.lost(),
            jitter: self.incoming.jitter(),
            source_changes: self.incoming.changes(),
            foreign: counters.foreign,
            malformed: counters.malformed,
            bad_tag: counters.bad_tag,
            replayed: counters.replayed,
            wrong_type: counters.wrong_type,
            looped: counters.looped,
            unproven: counters.unproven,
            slots_skipped: counters.slots_skipped,
        }
    }

    /// Decides whether a datagram is our peer's, and reads it.
    fn open<'d>(
        &mut self,
        now: Instant,
        source: SocketAddr,
        datagram: &'d mut [u8],
    ) -> Option<Packet<'d>> {
        let Ok((header, _)) = packet::read_header(datagram) else {
            let known = self.latch.is_peer(source);
            *if known {
                &mut self.counters.malformed
            } else {
                &mut self.counters.foreign
            } += 1;
            return None;
        };
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
        self.heard = Hearing::Active { last: now };
        if header.ssrc == self.outgoing.ssrc() {
            self.counters.looped += 1;
            return None;
        }
        match packet::read(&datagram[..length]) {
            Ok(packet) => Some(packet),
            Err(_) => {
                self.counters.malformed += 1;
                None
            }
        }
    }

    /// Hands a packet of the peer's on by its payload type.
    fn take(&mut self, now: Instant, packet: &Packet<'_>) {
        let events = self
            .config
            .telephone_event
            .map(|events| events.payload_type_in);
        if Some(packet.header.payload_type) == events {
            if let Some(key) = self
                .pressed
                .receive(now, packet.header.timestamp, packet.payload)
            {
                self.events.push_back(LegEvent::Key {
                    key,
                    by: KeyPath::Event,
                });
            }
        } else if packet.header.payload_type != self.config.payload_type_in {
            self.counters.wrong_type += 1;
        }
    }

    /// After a visit that came much too late, leaves out what nobody waits for any more.
    fn catch_up(&mut self, now: Instant) {
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
    fn write_packet(&mut self, datagram: &mut [u8]) -> Option<Transmit> {
        let to = self.latch.destination().filter(|_| self.config.send);
        let Some(to) = to else {
            self.fill(datagram);
            self.outgoing.pass(self.packing.ticks);
            self.outgoing.start_spurt();
            return None;
        };
        let len = if self.dialling.is_idle() {
            let bytes = self.fill(datagram);
            let ticks = self.packing.ticks;
            self.outgoing
                .audio(self.config.payload_type, bytes, ticks)
                .write(datagram);
            HEADER + bytes
        } else {
            self.write_event(datagram)?
        };
        Some(Transmit {
            len: self.protect(datagram, len),
            to,
        })
    }

    fn fill(&mut self, datagram: &mut [u8]) -> usize {
        let filled = self.player.fill(self.packing, &mut datagram[HEADER..]);
        if let Some(play) = filled.ended {
            self.events.push_back(LegEvent::PlayEnded { play });
        }
        filled.bytes
    }

    /// Writes a packet of the key that is being pressed.
    fn write_event(&mut self, datagram: &mut [u8]) -> Option<usize> {
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

    /// Whether silence means something: not while either side holds the other.
    fn is_open_both_ways(&self) -> bool {
        self.config.send && self.config.receive
    }
}

impl Protection {
    fn new(config: &LegConfig) -> Option<Box<Self>> {
        config.srtp.as_ref().map(|keys| {
            Box::new(Self {
                protector: Protector::new(&keys.local),
                unprotector: Unprotector::new(&keys.remote),
            })
        })
    }
}

impl Counters {
    fn count(&mut self, rejected: crate::rtp::srtp::Rejected) {
        use crate::rtp::srtp::Rejected;
        match rejected {
            Rejected::Malformed => self.malformed += 1,
            Rejected::BadTag => self.bad_tag += 1,
            Rejected::Replayed => self.replayed += 1,
        }
    }
}

fn event_clock(config: &LegConfig) -> u32 {
    config
        .telephone_event
        .map_or(config.codec.rtp_clock(), |events| events.clock)
}

/// How much before its time a packet may go: visits are 20 ms apart give or take the leg's place in
/// its group, and a packet that waited for the next visit would be 20 ms late.
const EARLY: Duration = Duration::from_millis(5);

/// A visit this late does not send all that was due: the peer's buffer has given up on it.
const LATE_MAX: Duration = Duration::from_millis(100);

/// Events that wait between two visits, usually at most; more would allocate, once.
const EVENTS_USUAL: usize = 8;

#[cfg(test)]
mod tests;

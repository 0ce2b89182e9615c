//! One party's media: everything that a media thread does for a call, composed.
//!
//! ```text
//!  datagram ─▶ srtp ─▶ latch ─▶ rtp::session ─┬▶ dtmf::event ───────────────────▶ LegEvent::Key
//!                                             ├▶ Relayed ─▶ those that hear it alone, at once; recordings
//!                                             └▶ ear, while somebody listens ─▶ frames: mixes
//!  Playlist ─▶ player ────┐                      (jitter buffer, decoder, concealment, in-band keys)
//!  keys to dial ──────────┼▶ packet ─▶ srtp ─▶ Transmit
//!  the legs it hears ─────┘
//! ```
//!
//! The thread visits a leg every 20 ms: each datagram that waits goes into [`Leg::handle_packet`] (or
//! [`Leg::handle_rtcp`]), then comes [`Leg::handle_timeout`], then [`Leg::poll_audio`] until `None`,
//! [`Leg::mix`], and [`Leg::poll_packet`], [`Leg::poll_rtcp`] and [`Leg::poll_event`] until each says
//! `None`. A visit allocates nothing. Audio is decoded only while somebody listens.
//!
//! Legs speak one codec each. A peer that took several of an offer of ours may send any of them with
//! any packet (RFC 3264 section 5.1): each is decoded by its own payload type, and
//! [`LegEvent::CodecChanged`] tells. How it is heard is then settled anew, as after a new agreement.
//!
//! Who hears whom is for the caller to know, any legs any others: a bridge, a conference, a supervisor
//! who listens unheard. It tells each listener how ([`Leg::hear`], by [`Hearing::of`]) and each source
//! what its listeners want of it ([`Leg::be_heard`]); hands what `handle_packet` of a source returns to
//! [`Leg::relay`] of each listener, and keys that came as events to [`Leg::hear_key`]; and adds up in
//! [`Leg::mix`] what the sources said. What a leg plays is heard in place of its sources.

mod browser;
mod config;
mod control;
mod course;
mod decoded;
mod ear;
mod mix;
mod playback;
mod player;
mod rate;
mod receive;
mod relay;
mod report;
mod send;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use rand::{SeedableRng, rngs::SmallRng};

pub use config::{KeyPath, LegConfig, LegEvent, LegId, PlayId, Playlist, TelephoneEvent, Transmit};
pub use mix::{Cursor, Hearing, Sum, Wanted};
pub use playback::{NARROW_FRAME, Playback, Said, Side, Sides};
pub use relay::Relayed;
pub use report::{CoursePoint, LegReport};

use browser::Meeting;
use control::Control;
use course::Course;
use ear::Ear;
use mix::Hears;
use player::{Packing, Player};
use report::Counters;

use crate::{
    codec::Codec,
    dtmf::{Key, event},
    rtp::{
        latch::Latch,
        packet,
        session::{Incoming, Outgoing},
        srtp::{Keys, Protector, Unprotector},
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
    spoken: Spoken,
    protection: Option<Box<Protection>>,
    /// Where a browser is, and whether it has proved itself.
    meeting: Meeting,
    control: Control,
    player: Player,
    dialling: event::Sender,
    pressed: event::Receiver,
    /// Telephone-events have come: tones in the audio are their echo.
    events_seen: bool,
    /// When the next packet is due.
    next_packet: Instant,
    liveness: Liveness,
    /// Present while somebody listens.
    ear: Option<Box<Ear>>,
    /// Frames that ears before it heard.
    said_before: u64,
    hears: Hears,
    /// What those want that hear this leg.
    wanted: Wanted,
    events: VecDeque<LegEvent>,
    counters: Counters,
    course: Course,
}

/// The codec that the peer speaks: the one agreed on, or another of those that it may send at any time.
#[derive(Debug)]
struct Spoken {
    codec: Codec,
    /// The one that was told last.
    told: Codec,
    /// No earlier is a change told again.
    next_told: Instant,
}

/// SRTP of both directions.
struct Protection {
    protector: Protector,
    unprotector: Unprotector,
}

/// When the peer was last heard.
#[derive(Debug)]
enum Liveness {
    /// Something came at `last` (or the leg began then).
    Active { last: Instant },
    /// [`LegEvent::Silent`] has been reported.
    Silent,
}

impl Leg {
    /// Opens a leg. `seed` decides its SSRC and first numbers: draw it from a good generator, strangers
    /// must not guess them.
    #[must_use]
    pub fn new(now: Instant, config: LegConfig, seed: u64) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut leg = Self {
            packing: Packing::new(config.codec, config.ptime),
            latch: first_latch(now, &config),
            outgoing: Outgoing::new(&mut random),
            incoming: Incoming::new(config.codec.rtp_clock()),
            spoken: Spoken::new(now, config.codec),
            protection: Protection::new(config.srtp.as_ref()),
            meeting: Meeting::default(),
            control: Control::new(now, random),
            player: Player::new(config.codec),
            dialling: event::Sender::new(event_clock(&config)),
            pressed: event::Receiver::default(),
            events_seen: false,
            next_packet: now,
            liveness: Liveness::Active { last: now },
            ear: None,
            said_before: 0,
            hears: Hears::Nobody,
            wanted: Wanted::Nothing,
            events: VecDeque::with_capacity(EVENTS_USUAL),
            counters: Counters::default(),
            course: Course::new(now),
            config,
        };
        leg.listen_as_needed(now);
        leg
    }

    /// Takes what a new offer and answer agreed on. What plays goes on; sequence numbers and clock too.
    /// Where the codec changed, settle anew how it hears and is heard.
    pub fn reconfigure(&mut self, now: Instant, config: LegConfig) {
        let old = std::mem::replace(&mut self.config, config);
        let config = &self.config;
        if config.browser.is_none() {
            self.latch
                .rename(now, config.remote, config.signalling_host);
        }
        self.packing = Packing::new(config.codec, config.ptime);
        if old.codec != config.codec || config.payload_type_of(self.spoken.codec).is_none() {
            self.spoken = Spoken::new(now, config.codec);
        }
        self.incoming.set_clock(self.spoken.codec.rtp_clock());
        if old.srtp != config.srtp {
            let before = self.protection.take().zip(old.srtp.as_ref());
            self.protection = Protection::change(before, config.srtp.as_ref());
        }
        if let Some(play) = self.player.set_codec(config.codec) {
            self.events.push_back(LegEvent::PlayNeedsCodec {
                play,
                codec: config.codec,
            });
        }
        if event_clock(&old) != event_clock(config) {
            self.dialling = event::Sender::new(event_clock(config));
        }
        if !old.send || old.codec != config.codec {
            self.outgoing.start_spurt();
        }
        if !old.receive {
            self.incoming.pause();
        }
        if old.codec != config.codec {
            self.drop_ear();
        }
        self.liveness = Liveness::Active { last: now };
        self.listen_as_needed(now);
    }

    /// Plays `list` in place of whatever plays; it is heard with the next packet. The same `play` again
    /// goes on where it is (after [`LegEvent::PlayNeedsCodec`]). It is heard in place of other legs.
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

    /// Tells the time, once each visit.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.course.is_due(now) {
            let so_far = self.so_far();
            self.course.end_stretch(now, so_far);
        }
        // Silence means nothing while either side holds the other.
        let open = self.config.send && self.config.receive;
        let Some(limit) = self.config.inactivity.filter(|_| open) else {
            return;
        };
        match self.liveness {
            Liveness::Active { last } if now.saturating_duration_since(last) >= limit => {
                self.liveness = Liveness::Silent;
                self.events.push_back(LegEvent::Silent);
            }
            Liveness::Active { .. } | Liveness::Silent => {}
        }
    }

    /// The next fact, oldest first.
    #[inline]
    pub fn poll_event(&mut self) -> Option<LegEvent> {
        self.events.pop_front()
    }

    /// Where all that is taken comes from and all that is written goes, once that is certain: the
    /// socket may be connected to it. Only [`Leg::reconfigure`] makes it uncertain again.
    #[must_use]
    #[inline]
    pub fn only_peer(&self) -> Option<SocketAddr> {
        self.latch.only_source()
    }

    /// When a visit has something to do at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        self.next_packet
    }

    /// The codec that the peer speaks at present.
    #[must_use]
    pub fn spoken(&self) -> Codec {
        self.spoken.codec
    }

    /// What the leg speaks at present.
    #[must_use]
    pub fn config(&self) -> &LegConfig {
        &self.config
    }

    /// Grows or drops the ear: decoding costs, and most callers only press keys.
    fn listen_as_needed(&mut self, now: Instant) {
        let keys =
            self.config.inband_dtmf && self.config.telephone_event.is_none() && !self.events_seen;
        if !(keys || self.wanted > Wanted::Nothing) {
            self.drop_ear();
            return;
        }
        let (codec, said) = (self.spoken.codec, self.said_before);
        let ear = self
            .ear
            .get_or_insert_with(|| Box::new(Ear::new(now, codec, said)));
        ear.detect_keys(keys);
        ear.keep(self.wanted);
    }

    fn drop_ear(&mut self) {
        if let Some(ear) = self.ear.take() {
            self.counters.late += ear.counts().late;
            self.said_before = ear.voice().said();
        }
    }
}

impl Spoken {
    fn new(now: Instant, codec: Codec) -> Self {
        Self {
            codec,
            told: codec,
            next_told: now,
        }
    }

    /// A packet of this codec has come; returns whether a change is to be told.
    #[inline]
    fn hear(&mut self, now: Instant, codec: Codec) -> bool {
        self.codec = codec;
        if self.told == codec || now < self.next_told {
            return false;
        }
        self.told = codec;
        self.next_told = now + CODEC_TOLD_PAUSE;
        true
    }
}

impl Protection {
    fn new(keys: Option<&Keys>) -> Option<Box<Self>> {
        keys.map(|keys| {
            Box::new(Self {
                protector: Protector::new(&keys.local),
                unprotector: Unprotector::new(&keys.remote),
            })
        })
    }

    /// Takes new keys. The direction whose key stays goes on: its rollover count is known to both
    /// sides, and beginning anew would use the same key stream twice.
    fn change(before: Option<(Box<Self>, &Keys)>, keys: Option<&Keys>) -> Option<Box<Self>> {
        let mut changed = Self::new(keys)?;
        let keys = keys?;
        if let Some((before, old)) = before {
            if old.local.is_same_key(&keys.local) {
                changed.protector = before.protector;
                changed.protector.rename(keys.local.identifier());
            }
            if old.remote.is_same_key(&keys.remote) {
                changed.unprotector = before.unprotector;
                changed.unprotector.rename(keys.remote.identifier());
            }
        }
        Some(changed)
    }
}

/// Feeds arbitrary bytes to the media port of a leg that listens: datagrams, each behind a byte that
/// tells its length. For fuzzing: it must return.
pub fn fuzz(now: Instant, data: &[u8]) {
    let peer = SocketAddr::from(([192, 0, 2, 1], 4_000));
    let config = LegConfig {
        rtcp_mux: true,
        ..LegConfig::new(Codec::Pcma, 8, Some(peer))
    };
    let mut leg = Leg::new(now, config, 1);
    leg.be_heard(now, Wanted::Narrow);
    let (mut rest, mut now) = (data, now);
    while let Some((length, behind)) = rest.split_first() {
        let (datagram, next) = behind.split_at(behind.len().min(usize::from(*length)));
        leg.handle_packet(now, now, peer, &mut datagram.to_vec());
        while let Some(audio) = leg.poll_audio(now) {
            assert_eq!(audio.len(), Codec::Pcma.frame_samples());
        }
        while leg.poll_event().is_some() {}
        rest = next;
        now += Duration::from_millis(5);
    }
}

/// A browser's checks say where it is, and nothing else does.
fn first_latch(now: Instant, config: &LegConfig) -> Latch {
    match config.browser {
        Some(_) => Latch::known(now, None),
        None => Latch::new(now, config.remote, config.signalling_host),
    }
}

/// Units per second of the durations of keys that we send.
fn event_clock(config: &LegConfig) -> u32 {
    config
        .telephone_event
        .map_or(config.codec.rtp_clock(), |events| events.clock)
}

/// How much before its time a frame may go: visits are 20 ms apart give or take the leg's place in
/// its group, and a packet that waited for the next visit would be 20 ms late.
const EARLY: Duration = Duration::from_millis(5);

/// A visit this late does not catch up on all that was due: the peer's buffer has given up on it.
const LATE_MAX: Duration = Duration::from_millis(100);

/// Between two changes of the codec that are told: a peer may change with every packet, and nobody
/// wants to read that.
const CODEC_TOLD_PAUSE: Duration = Duration::from_secs(1);

/// Events that wait between two visits, usually at most; more would allocate, once.
const EVENTS_USUAL: usize = 8;

#[cfg(test)]
mod tests;

//! What is known about a leg's media.

use std::{net::SocketAddr, time::Duration};

use super::Leg;
use super::course::Stretch;
use crate::{
    codec::Codec,
    quality::{Rating, Suffered},
    rtp::srtp::Rejected,
};

/// What is known about a leg's media at this moment.
#[derive(Clone, Debug, PartialEq)]
pub struct LegReport {
    /// The codec that the peer speaks.
    pub codec: Codec,
    /// The peer's source, once it has settled.
    pub latched: Option<SocketAddr>,
    /// RTP packets sent (wraps with the counter of sender reports).
    pub sent: u64,
    /// RTP packets that arrived from the peer.
    pub received: u64,
    /// Packets that the peer sent and that did not arrive.
    pub lost: u64,
    /// Packets that arrived too late to be played. Known only while somebody listens.
    pub late: u64,
    /// Interarrival jitter (RFC 3550 section 6.4.1).
    pub jitter: Duration,
    /// The way to the peer and back, if it sends RTCP.
    pub round_trip: Option<Duration>,
    /// How what came from the peer sounded.
    pub quality: Rating,
    /// How what we sent sounded at the peer, if it reports by RTCP.
    pub quality_at_peer: Option<Rating>,
    /// Packets of ours that the peer did not get, if it reports by RTCP.
    pub lost_at_peer: Option<u64>,
    /// How often the peer's stream began anew (another SSRC, a restart).
    pub source_changes: u32,
    /// Datagrams from elsewhere: dropped, never answered.
    pub foreign: u64,
    /// Datagrams from the peer that were no RTP or RTCP.
    pub malformed: u64,
    /// SRTP packets whose tag or key identifier did not fit.
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
    /// How what came from the peer fared, stretch by stretch: 64 at most, the oldest first.
    pub course: Vec<CoursePoint>,
    /// How long each of them is.
    pub course_every: Duration,
}

/// What came from the peer in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CoursePoint {
    /// Share of packets that were lost or came too late, 0 to 1.
    pub loss: f64,
    /// Interarrival jitter (RFC 3550 section 6.4.1).
    pub jitter: Duration,
    /// The way to the peer and back, if it sends RTCP.
    pub round_trip: Option<Duration>,
    /// How it sounded; none where nothing came.
    pub quality: Option<Rating>,
}

/// What has come and gone; see [`LegReport`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) foreign: u64,
    pub(super) malformed: u64,
    pub(super) bad_tag: u64,
    pub(super) replayed: u64,
    pub(super) wrong_type: u64,
    pub(super) looped: u64,
    pub(super) unproven: u64,
    pub(super) slots_skipped: u64,
    /// Streams of the peer so far: relaying numbers anew with each.
    pub(super) streams: u32,
    /// Of ears that were dropped.
    pub(super) late: u64,
}

impl Counters {
    pub(super) fn count(&mut self, rejected: Rejected) {
        match rejected {
            Rejected::Malformed => self.malformed += 1,
            Rejected::BadTag | Rejected::OtherKey => self.bad_tag += 1,
            Rejected::Replayed => self.replayed += 1,
        }
    }
}

impl Leg {
    /// Sums up what has come and gone.
    #[must_use]
    pub fn report(&self) -> LegReport {
        let counters = self.counters;
        let remote = self.control.reports.remote();
        let (course_every, stretches) = self.course.stretches();
        LegReport {
            codec: self.spoken.codec,
            latched: self.latch.settled(),
            sent: u64::from(self.outgoing.packets()),
            received: self.incoming.received(),
            lost: self.incoming.lost(),
            late: self.late(),
            jitter: self.incoming.jitter(),
            round_trip: self.control.reports.round_trip(),
            quality: self.quality(),
            quality_at_peer: self.quality_at_peer(),
            lost_at_peer: remote.map(|block| u64::try_from(block.cumulative_lost).unwrap_or(0)),
            source_changes: self.incoming.changes(),
            foreign: counters.foreign,
            malformed: counters.malformed,
            bad_tag: counters.bad_tag,
            replayed: counters.replayed,
            wrong_type: counters.wrong_type,
            looped: counters.looped,
            unproven: counters.unproven,
            slots_skipped: counters.slots_skipped,
            course: stretches.iter().map(|one| self.point(*one)).collect(),
            course_every,
        }
    }

    /// What has come so far, for the stretch that runs.
    pub(super) fn so_far(&self) -> Stretch {
        Stretch {
            received: self.incoming.received(),
            missing: self.incoming.lost().saturating_add(self.late()),
            jitter: self.incoming.jitter(),
            round_trip: self.control.reports.round_trip(),
        }
    }

    fn point(&self, one: Stretch) -> CoursePoint {
        let loss = ratio(one.missing, one.received.saturating_add(one.missing));
        let suffered = Suffered {
            codec: self.spoken.codec,
            loss,
            burst: 1.0,
            delay: one.round_trip.unwrap_or_default() / 2 + self.packing.time + one.jitter * 2,
        };
        CoursePoint {
            loss,
            jitter: one.jitter,
            round_trip: one.round_trip,
            quality: (one.received > 0).then(|| suffered.rate()),
        }
    }

    fn late(&self) -> u64 {
        self.counters.late + self.ear.as_ref().map_or(0, |ear| ear.counts().late)
    }

    /// Of what came from the peer. A late packet is as lost as any to who listens.
    fn quality(&self) -> Rating {
        let (received, lost) = (self.incoming.received(), self.incoming.lost());
        let missing = lost.saturating_add(self.late());
        let held_back = self.ear.as_ref().and_then(|ear| ear.held_back());
        Suffered {
            codec: self.spoken.codec,
            loss: ratio(missing, received.saturating_add(lost)),
            burst: ratio(lost, self.incoming.bursts()).max(1.0),
            delay: self.one_way(held_back.unwrap_or(self.incoming.jitter() * 2)),
        }
        .rate()
    }

    /// Of what we sent, by the peer's last report. It tells nothing about bursts.
    fn quality_at_peer(&self) -> Option<Rating> {
        let block = self.control.reports.remote()?;
        let sent = u64::from(self.outgoing.packets());
        let lost = u64::try_from(block.cumulative_lost).unwrap_or(0);
        let jitter_ms = u64::from(block.jitter) * 1_000 / u64::from(self.config.codec.rtp_clock());
        let suffered = Suffered {
            codec: self.config.codec,
            loss: ratio(lost, sent),
            burst: 1.0,
            delay: self.one_way(Duration::from_millis(2 * jitter_ms.min(1_000))),
        };
        Some(suffered.rate())
    }

    /// From mouth to ear: half the round trip, one packet, and what the receiver holds back.
    fn one_way(&self, held_back: Duration) -> Duration {
        let way = self.control.reports.round_trip().unwrap_or_default() / 2;
        way + self.packing.time + held_back
    }
}

/// `part` of `whole`, 0 of nothing, never above 2^32.
#[allow(clippy::cast_precision_loss)] // counts of packets, far below 2^52
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

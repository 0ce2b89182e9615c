//! How telephony is doing, in numbers.

use std::sync::Arc;
use std::time::Duration;

use desk::record::{Quality, QualityPoint};
use media_engine::leg::{CoursePoint, LegReport};
use media_engine::sip::ping;
use media_engine::sip::registration::Health;

use super::Owner;

/// What the task has counted since it began.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    pub(super) refused: u64,
    pub(super) without_media: u64,
    pub(super) legs_failed: u64,
    pub(super) saves_refused: u64,
    pub(super) security_events: u64,
    pub(super) outbound_alarms: u64,
}

/// How telephony is doing.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Inbound calls that are not over.
    pub calls: usize,
    /// Callers who wait for a service.
    pub waiting: usize,
    /// SIP transactions under way.
    pub transactions: usize,
    /// SIP connections that are open.
    pub connections: usize,
    /// Calls refused since the start.
    pub refused: u64,
    /// Calls that found no media thread or port free.
    pub without_media: u64,
    /// Legs ended by a fault of ours.
    pub legs_failed: u64,
    /// Turns at whose end the writer was full.
    pub saves_refused: u64,
    /// Changes of records that wait until the writer has room.
    pub records_waiting: usize,
    /// Changes of records that were lost because too many waited.
    pub records_lost: usize,
    /// Strangers, wrong passwords and floods that were kept out.
    pub security_events: u64,
    /// Hours in which a rule refused calls out.
    pub outbound_alarms: u64,
    /// Devices that are registered, by their ids.
    pub devices: Vec<Arc<str>>,
    /// How each of our registrations at carriers is doing.
    pub registrations: Vec<Health>,
    /// How the carriers answer that are asked whether they live.
    pub pings: Vec<ping::Health>,
    /// Bytes of prompts in memory.
    pub shelf_bytes: usize,
}

impl Owner {
    pub(super) fn status(&self) -> Status {
        Status {
            calls: self.voice.calls(),
            waiting: self.voice.waiting(),
            transactions: self.endpoint.transactions(),
            connections: self.transports.connection_count(),
            refused: self.statistics.refused,
            without_media: self.statistics.without_media,
            legs_failed: self.statistics.legs_failed,
            saves_refused: self.statistics.saves_refused,
            records_waiting: self.records.waiting(),
            records_lost: self.records.lost() + self.keeper.lost(),
            security_events: self.statistics.security_events,
            outbound_alarms: self.statistics.outbound_alarms,
            devices: self.devices.iter().map(|device| device.0.clone()).collect(),
            registrations: self.registrations.values().cloned().collect(),
            pings: self.endpoint.pings().collect(),
            shelf_bytes: self.shelf.bytes(),
        }
    }
}

/// The report of a leg in the words of the record.
pub(super) fn quality(report: &LegReport) -> Quality {
    Quality {
        packets_received: report.received,
        packets_sent: report.sent,
        packets_lost: report.lost,
        packets_lost_by_peer: report.lost_at_peer,
        jitter_ms: report.jitter.as_secs_f64() * 1_000.0,
        round_trip_ms: report.round_trip.map(|time| time.as_secs_f64() * 1_000.0),
        mos: (report.received > 0).then_some(report.quality.mos),
        mos_at_peer: report.quality_at_peer.map(|rating| rating.mos),
        course: report.course.iter().map(point).collect(),
        course_every_ms: u64::try_from(report.course_every.as_millis()).unwrap_or(u64::MAX),
    }
}

fn point(point: &CoursePoint) -> QualityPoint {
    let ms = |time: Duration| rounded(time.as_secs_f64() * 1_000.0, 10.0);
    QualityPoint {
        loss: rounded(point.loss, 10_000.0),
        jitter_ms: ms(point.jitter),
        round_trip_ms: point.round_trip.map(ms),
        mos: point.quality.map(|rating| rounded(rating.mos, 100.0)),
    }
}

/// As exact as anybody reads it: there are many of these in a record.
fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

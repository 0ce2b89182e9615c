//! `/metrics`: figures for Prometheus, in its text format 0.0.4. No name of a company or a person is
//! in them.

use media_engine::sip::registration::Condition;
use std::fmt::{Display, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use media_engine_net::clock;
use media_engine_net::media::{BrowserMetrics, ThreadMetrics};
use media_engine_net::sip::TransportCounters;

use super::App;
use crate::live::Hub;
use crate::telephony::Status;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/metrics", get(metrics))
}

/// Figures for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "operation", security(()),
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let mut text = Text::default();
    let up = clock::now().duration_since(app.started).as_secs();
    text.one("ramal_uptime_seconds", "gauge", "Time since the start.", up);
    match app.telephony.status().await {
        Ok(status) => telephony(&mut text, &status),
        Err(error) => tracing::error!(%error, "no figures of telephony"),
    }
    watchers(&mut text, app.telephony.live());
    transports(&mut text, &app.transports);
    let threads = app.media.metrics();
    let threads: Vec<&ThreadMetrics> = threads.iter().map(AsRef::as_ref).collect();
    media(&mut text, &threads);
    if let Some((_, came)) = app.media.browsers() {
        browsers(&mut text, &came);
    }
    let (free, all) = app.media.ports();
    text.one(
        "ramal_media_ports_free",
        "gauge",
        "RTP ports that no leg has.",
        free,
    );
    text.one("ramal_media_ports", "gauge", "RTP ports.", all);
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        text.0,
    )
}

fn browsers(text: &mut Text, came: &BrowserMetrics) {
    let read = |counter: &AtomicU64| counter.load(Relaxed);
    text.one(
        "ramal_browser_legs",
        "gauge",
        "Legs on the port of the browsers.",
        read(&came.legs),
    );
    for (name, what, counter) in [
        ("received", "Datagrams received.", &came.received),
        (
            "foreign",
            "Media and handshakes from addresses that proved nothing.",
            &came.foreign,
        ),
        ("unsigned", "Checks that nobody signed.", &came.unsigned),
        ("lost", "Media that a thread had no room for.", &came.lost),
        ("failed", "Handshakes that came to nothing.", &came.failed),
    ] {
        let name = format!("ramal_browser_{name}_total");
        text.one(&name, "counter", what, read(counter));
    }
}

fn watchers(text: &mut Text, live: &Hub) {
    text.one(
        "ramal_live_sockets",
        "gauge",
        "Sockets on which somebody watches.",
        live.sockets(),
    );
    text.one(
        "ramal_live_lost_total",
        "counter",
        "What those who watch were not told, because too much happened at once.",
        live.lost(),
    );
}

fn telephony(text: &mut Text, status: &Status) {
    text.one(
        "ramal_calls",
        "gauge",
        "Inbound calls that are not over.",
        status.calls,
    );
    text.one(
        "ramal_waiting",
        "gauge",
        "Callers who wait for a service.",
        status.waiting,
    );
    text.one(
        "ramal_sip_transactions",
        "gauge",
        "SIP transactions under way.",
        status.transactions,
    );
    text.one(
        "ramal_sip_connections",
        "gauge",
        "SIP connections that are open.",
        status.connections,
    );
    text.one(
        "ramal_calls_refused_total",
        "counter",
        "Calls refused.",
        status.refused,
    );
    let help = "Calls that found no media thread or port free.";
    text.one(
        "ramal_calls_without_media_total",
        "counter",
        help,
        status.without_media,
    );
    text.one(
        "ramal_legs_failed_total",
        "counter",
        "Legs ended by a fault of ours.",
        status.legs_failed,
    );
    text.one(
        "ramal_saves_refused_total",
        "counter",
        "Turns at whose end the writer of records was full.",
        status.saves_refused,
    );
    text.one(
        "ramal_records_waiting",
        "gauge",
        "Changes of records that the writer has no room for.",
        status.records_waiting,
    );
    text.one(
        "ramal_records_lost_total",
        "counter",
        "Changes of records that were lost because too many waited.",
        status.records_lost,
    );
    let registered = status.registrations.iter();
    let registered = registered.filter(|health| health.condition == Condition::Registered);
    text.one(
        "ramal_trunks_registered",
        "gauge",
        "Carriers at which we are registered.",
        registered.count(),
    );
    text.one(
        "ramal_trunks_registering",
        "gauge",
        "Carriers at which we mean to be registered.",
        status.registrations.len(),
    );
    text.one(
        "ramal_security_events_total",
        "counter",
        "Strangers, wrong passwords and floods that were kept out.",
        status.security_events,
    );
    text.one(
        "ramal_outbound_alarms_total",
        "counter",
        "Calls out that a rule refused, the first of each hour, company and rule.",
        status.outbound_alarms,
    );
    text.one(
        "ramal_shelf_bytes",
        "gauge",
        "Bytes of prompts in memory.",
        status.shelf_bytes,
    );
}

fn transports(text: &mut Text, counters: &TransportCounters) {
    let all = [
        ("received", "SIP messages received.", &counters.received),
        ("sent", "SIP messages sent.", &counters.sent),
        (
            "keep_alives",
            "Keep-alive datagrams.",
            &counters.keep_alives,
        ),
        (
            "send_buffer_full",
            "Datagrams dropped at a full socket.",
            &counters.send_buffer_full,
        ),
        ("accepted", "Connections accepted.", &counters.accepted),
        (
            "refused",
            "Connections refused at a cap.",
            &counters.refused,
        ),
        (
            "slow",
            "Connections closed because the peer read too slowly.",
            &counters.slow,
        ),
        (
            "timed_out",
            "Connections closed for silence.",
            &counters.timed_out,
        ),
        (
            "malformed",
            "Handshakes that failed and bytes that are no SIP.",
            &counters.malformed,
        ),
    ];
    for (name, help, counter) in all {
        text.one(
            &format!("ramal_sip_{name}_total"),
            "counter",
            help,
            counter.load(Relaxed),
        );
    }
}

fn media(text: &mut Text, threads: &[&ThreadMetrics]) {
    type Figure = fn(&ThreadMetrics) -> u64;
    let counters: [(&str, &str, &str, Figure); 8] = [
        ("legs", "gauge", "Legs on the thread.", |thread| {
            thread.legs.load(Relaxed)
        }),
        ("sent_total", "counter", "RTP packets sent.", |thread| {
            thread.sent.load(Relaxed)
        }),
        (
            "received_total",
            "counter",
            "Datagrams received.",
            |thread| thread.received.load(Relaxed),
        ),
        (
            "send_errors_total",
            "counter",
            "Packets the kernel refused.",
            |thread| thread.send_errors.load(Relaxed),
        ),
        (
            "missed_ticks_total",
            "counter",
            "Ticks left out.",
            |thread| thread.missed_ticks.load(Relaxed),
        ),
        (
            "events_delayed_total",
            "counter",
            "Events sent late.",
            |thread| thread.events_delayed.load(Relaxed),
        ),
        ("events_lost_total", "counter", "Events lost.", |thread| {
            thread.events_lost.load(Relaxed)
        }),
        (
            "panics_total",
            "counter",
            "Legs ended by a panic.",
            |thread| thread.panics.load(Relaxed),
        ),
    ];
    for (name, kind, help, figure) in counters {
        let name = format!("ramal_media_{name}");
        text.begin(&name, kind, help);
        for (at, thread) in threads.iter().enumerate() {
            text.labelled(&name, &format!("thread=\"{at}\""), figure(thread));
        }
    }
    text.begin(
        "ramal_media_load",
        "gauge",
        "Share of time that the thread is at work.",
    );
    for (at, thread) in threads.iter().enumerate() {
        text.labelled(
            "ramal_media_load",
            &format!("thread=\"{at}\""),
            thread.load(),
        );
    }
    lateness(text, threads);
}

/// How late visits are: what callers would hear as a gap comes last.
fn lateness(text: &mut Text, threads: &[&ThreadMetrics]) {
    let name = "ramal_media_lateness_seconds";
    text.begin(name, "histogram", "How late a leg was visited.");
    for (at, thread) in threads.iter().enumerate() {
        let counted = thread.lateness.snapshot();
        for limit_us in LATENESS_EDGES_US {
            let limit = Duration::from_micros(limit_us);
            let label = format!("thread=\"{at}\",le=\"{}\"", limit.as_secs_f64());
            text.labelled(
                &format!("{name}_bucket"),
                &label,
                counted.count_up_to(limit),
            );
        }
        let label = format!("thread=\"{at}\",le=\"+Inf\"");
        text.labelled(&format!("{name}_bucket"), &label, counted.count());
        let label = format!("thread=\"{at}\"");
        text.labelled(&format!("{name}_sum"), &label, counted.sum().as_secs_f64());
        text.labelled(&format!("{name}_count"), &label, counted.count());
    }
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.begin(name, kind, help);
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn begin(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn labelled(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "{name}{{{labels}}} {value}");
    }
}

/// From unheard to a lost frame.
const LATENESS_EDGES_US: [u64; 9] = [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 100_000];

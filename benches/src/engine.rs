//! The engine as a subject: legs of its own media threads, each playing a prompt, or two and two in a
//! call.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use media_engine::audio::prompt::Frames;
use media_engine::codec::Codec;
use media_engine::leg::{LegConfig, LegId, PlayId, Playlist};
use media_engine_net::media::{Media, MediaConfig};

use crate::process::{self, PEER, SUBJECT, WARM_UP};
use crate::usage;

/// What the legs do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Each plays a prompt.
    Plays,
    /// Two and two are in a call.
    Talks,
    /// The same, and each call is recorded.
    TalksRecorded,
}

/// Has `legs` callers for `window` and prints what it took. One media thread, as the other core of the
/// machine belongs to the peer.
pub fn engine_subject(legs: u64, doing: Doing, window: Duration) -> io::Result<()> {
    media_engine_net::limits::raise_open_files()?;
    let folder = tempfile::tempdir()?;
    let config = MediaConfig {
        threads: Some(1),
        legs_per_thread_max: 20_000,
        // A full core is measured, too: nobody is refused.
        load_max: f64::INFINITY,
        ..MediaConfig::new(20_000..=39_999, media_engine_net::chance::seed()?)
    };
    let (media, _events) = Media::start(config).map_err(io::Error::other)?;
    let before_kib = usage::resident_kib()?;
    let mut ports = Vec::new();
    for leg in 0..legs {
        let address = media
            .open(LegId(leg), SUBJECT.into(), None)
            .map_err(io::Error::other)?;
        ports.push(address.port());
    }
    process::meet(&ports)?;
    let prompt = prompt();
    for (leg, port) in (0..legs).zip(&ports) {
        let remote = Some((PEER, *port).into());
        let config = LegConfig::new(Codec::Pcma, 8, remote);
        media
            .configure(LegId(leg), config)
            .map_err(io::Error::other)?;
    }
    for leg in 0..legs {
        let other = LegId(leg ^ 1);
        let leg_id = LegId(leg);
        let done = match doing {
            Doing::Plays => {
                let list = Playlist {
                    items: vec![Arc::clone(&prompt)],
                    repeat: true,
                };
                media.play(leg_id, PlayId(leg), list)
            }
            Doing::TalksRecorded if leg % 2 == 0 => {
                let path = folder.path().join(format!("{leg}.wav"));
                media
                    .hear(leg_id, vec![other])
                    .and_then(|()| media.record_call(leg_id, path))
            }
            Doing::Talks | Doing::TalksRecorded => media.hear(leg_id, vec![other]),
        };
        done.map_err(io::Error::other)?;
    }
    std::thread::sleep(WARM_UP);

    let metrics = Arc::clone(&media.metrics()[0]);
    let counted = || {
        (
            metrics.sent.load(Relaxed),
            metrics.received.load(Relaxed),
            metrics.lateness.snapshot(),
        )
    };
    let (cpu, (sent, received, lateness)) = (usage::cpu()?, counted());
    std::thread::sleep(window);
    let used = usage::cpu()?.saturating_sub(cpu);
    let (sent_after, received_after, lateness_after) = counted();
    let late = lateness_after.since(&lateness);
    let us = |permille| late.permille(permille).as_micros();
    let sent = sent_after - sent;
    println!(
        "result cpu_us={:.3} sent={} received={} p50={} p99={} p999={} kib={} real_time={}",
        used.as_secs_f64() * 1e6 / sent.max(1) as f64,
        sent,
        received_after - received,
        us(500),
        us(990),
        us(999),
        usage::resident_kib()?.saturating_sub(before_kib),
        u8::from(metrics.real_time.load(Relaxed)),
    );
    Ok(())
}

/// Ten seconds that differ from frame to frame, so that copying them touches memory as a real prompt
/// does.
fn prompt() -> Arc<Frames> {
    let sample = |at: i32| i16::try_from((at * 37) % 8_000).unwrap_or(0);
    let pcm: Vec<i16> = (0..80_000).map(sample).collect();
    Arc::new(Frames::encode(Codec::Pcma, &pcm))
}

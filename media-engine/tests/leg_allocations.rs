//! A visit to a leg allocates nothing, whatever the leg does: a thousand callers share one thread.

#![allow(clippy::disallowed_methods)] // one clock read, only differences count

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use allocation_counter::measure;
use media_engine::{
    audio::prompt::Frames,
    codec::Codec,
    leg::{DATAGRAM, Hearing, Leg, LegConfig, PlayId, Playlist, TelephoneEvent, Wanted},
    rtp::{
        packet::{HEADER, Header},
        srtp::{Keys, MasterKey, Suite},
    },
};

const PEER: SocketAddr = SocketAddr::new(
    std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)),
    4_000,
);

struct Visited {
    leg: Leg,
    now: Instant,
    sequence: u16,
    payload: Vec<u8>,
    timestamp: u32,
    ticks: u32,
}

impl Visited {
    fn new(config: LegConfig) -> Self {
        let now = Instant::now();
        let codec = config.codec;
        let payload = codec.silence().to_vec();
        let leg = Leg::new(now, config, 1);
        Self {
            leg,
            now,
            sequence: 0,
            payload,
            timestamp: 0,
            ticks: codec.frame_ticks(),
        }
    }

    /// One packet in, one out, audio and reports where due.
    fn visit(&mut self) {
        let mut datagram = [0; DATAGRAM];
        let header = Header {
            marker: false,
            payload_type: 8,
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: 1,
        };
        header.write(&mut datagram);
        datagram[HEADER..HEADER + self.payload.len()].copy_from_slice(&self.payload);
        let length = HEADER + self.payload.len();
        self.leg
            .handle_packet(self.now, self.now, PEER, &mut datagram[..length]);
        self.leg.handle_timeout(self.now);
        while self.leg.poll_audio(self.now).is_some() {}
        while self.leg.poll_packet(self.now, &mut datagram).is_some() {}
        while self.leg.poll_rtcp(self.now, &mut datagram).is_some() {}
        while self.leg.poll_event().is_some() {}
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(self.ticks);
        self.now += Duration::from_millis(20);
    }

    fn allocations(&mut self) -> u64 {
        for _ in 0..100 {
            self.visit(); // codecs grow their scratch space in the first frames
        }
        measure(|| (0..1_000).for_each(|_| self.visit())).count_total
    }
}

fn config(codec: Codec) -> LegConfig {
    LegConfig {
        telephone_event: Some(TelephoneEvent {
            payload_type: 101,
            payload_type_in: 101,
            clock: 8_000,
        }),
        ..LegConfig::new(codec, 8, Some(PEER))
    }
}

#[test]
fn playing_allocates_nothing() {
    for codec in Codec::ALL {
        let mut visited = Visited::new(config(codec));
        let frames = Arc::new(Frames::encode(codec, &vec![0; 16_000]));
        let list = Playlist {
            items: vec![frames],
            repeat: true,
        };
        visited.leg.play(visited.now, PlayId(1), list);
        assert_eq!(visited.allocations(), 0, "{codec}");
    }
}

#[test]
fn being_heard_and_hearing_keys_allocate_nothing() {
    for codec in Codec::ALL {
        let mut visited = Visited::new(LegConfig {
            telephone_event: None,
            inband_dtmf: true,
            ..config(codec)
        });
        visited.leg.be_heard(visited.now, Wanted::Narrow);
        assert_eq!(visited.allocations(), 0, "{codec}");
    }
}

#[test]
fn mixing_allocates_nothing() {
    for codec in Codec::ALL {
        let mut listener = Visited::new(config(codec));
        let mut sources = [Codec::Pcma, Codec::G722].map(|codec| Visited::new(config(codec)));
        for source in &mut sources {
            source.leg.be_heard(source.now, Wanted::Wide);
        }
        listener.leg.hear(listener.now, Hearing::Mix);
        let mut cursors = sources.each_ref().map(|source| source.leg.cursor());
        let mut turn = || {
            sources.iter_mut().for_each(Visited::visit);
            listener.leg.mix(listener.now, |sum| {
                for (source, cursor) in sources.iter().zip(&mut cursors) {
                    sum.add(&source.leg, cursor);
                }
            });
            listener.visit();
        };
        (0..100).for_each(|_| turn());
        let allocations = measure(|| (0..1_000).for_each(|_| turn())).count_total;
        // A known gap: the Opus encoder allocates three times a frame, inside its crate.
        let known = if codec == Codec::Opus { 3_000 } else { 0 };
        assert_eq!(allocations, known, "{codec}");
    }
}

#[test]
fn srtp_allocates_nothing() {
    for suite in Suite::ALL {
        let key = MasterKey::new(suite, &vec![7; suite.master_bytes()]).expect("long enough");
        let srtp = Some(Keys {
            local: key,
            remote: key,
        });
        let mut visited = Visited::new(LegConfig {
            srtp,
            ..config(Codec::Pcma)
        });
        assert_eq!(visited.allocations(), 0, "{suite:?}");
    }
}

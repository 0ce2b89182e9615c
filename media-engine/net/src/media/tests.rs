//! Legs on real media threads over the loopback.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use media_engine::audio::prompt::Frames;
use media_engine::codec::Codec;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// The ports of each test are its own.
fn start(ports: RangeInclusive<u16>) -> (Media, mpsc::Receiver<MediaEvent>) {
    let config = MediaConfig {
        threads: Some(1),
        ..MediaConfig::new(ports, [7; 32])
    };
    Media::start(config).expect("threads start")
}

fn phone() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("free");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    socket
}

fn alaw(remote: &UdpSocket) -> LegConfig {
    LegConfig::new(Codec::Pcma, 8, Some(remote.local_addr().expect("bound")))
}

/// `count` frames of a ramp, so that each differs from silence and from the others.
fn ramp(count: usize) -> Arc<Frames> {
    let pcm: Vec<i16> = (0..count * 160)
        .map(|at| i16::try_from(at * 7 % 30_000).expect("small"))
        .collect();
    Arc::new(Frames::encode(Codec::Pcma, &pcm))
}

fn next(events: &mut mpsc::Receiver<MediaEvent>) -> MediaEvent {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let event = runtime.block_on(async { tokio::time::timeout(PATIENCE, events.recv()).await });
    event.expect("something happens").expect("the threads run")
}

fn packet(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; 2048];
    let (length, from) = socket.recv_from(&mut buffer).expect("a packet");
    (buffer[..length].to_vec(), from)
}

#[test]
fn a_leg_plays_its_prompt_to_the_last_frame_and_says_so() {
    let (media, mut events) = start(41_000..=41_019);
    let phone = phone();
    let leg = LegId(1);
    let address = media
        .open(leg, Ipv4Addr::LOCALHOST.into(), None)
        .expect("a port");
    media.configure(leg, alaw(&phone)).expect("taken");
    let frames = ramp(5);
    let list = Playlist {
        items: vec![Arc::clone(&frames)],
        repeat: false,
    };
    media.play(leg, PlayId(9), list).expect("taken");

    let mut heard = Vec::new();
    let mut sequence = None;
    while heard.len() < 5 {
        let (packet, from) = packet(&phone);
        assert_eq!((packet.len(), from), (172, address));
        let number = u16::from_be_bytes([packet[2], packet[3]]);
        assert!(
            sequence.is_none_or(|last: u16| last.wrapping_add(1) == number),
            "none is lost"
        );
        sequence = Some(number);
        if !heard.is_empty() || frames.frame(0) == packet.get(12..) {
            heard.push(packet[12..].to_vec());
        }
    }
    let played: Vec<_> = (0..5).filter_map(|at| frames.frame(at)).collect();
    assert_eq!(heard, played);
    let ended = next(&mut events);
    assert!(
        matches!(
            ended.news,
            News::Leg(LegEvent::PlayEnded { play: PlayId(9) })
        ),
        "{ended:?}"
    );

    media.close(leg).expect("taken");
    let closed = next(&mut events);
    let News::Closed(report) = closed.news else {
        panic!("{closed:?}")
    };
    assert!(report.sent >= 5);
    assert!(matches!(
        media.close(leg),
        Err(CommandError::Unknown(LegId(1)))
    ));
}

/// Frames that are over at once, to end a play.
fn short() -> Playlist {
    Playlist {
        items: vec![ramp(1)],
        repeat: false,
    }
}

#[test]
fn the_first_packet_leaves_soon_after_the_leg_is_configured_though_the_caller_is_silent() {
    let (media, _events) = start(41_020..=41_039);
    let phone = phone();
    media
        .open(LegId(1), Ipv4Addr::LOCALHOST.into(), None)
        .expect("a port");
    let configured = clock::now();
    media.configure(LegId(1), alaw(&phone)).expect("taken");
    packet(&phone);
    // 5 ms on a quiet machine; the tests of a busy one must not fail for that.
    assert!(clock::now() - configured < Duration::from_millis(500));
}

#[test]
fn a_key_that_the_phone_sends_is_told() {
    let (media, mut events) = start(41_040..=41_059);
    let phone = phone();
    let address = media
        .open(LegId(1), Ipv4Addr::LOCALHOST.into(), None)
        .expect("a port");
    let telephone_event = media_engine::leg::TelephoneEvent {
        payload_type: 101,
        payload_type_in: 101,
        clock: 8000,
    };
    let config = LegConfig {
        telephone_event: Some(telephone_event),
        ..alaw(&phone)
    };
    media.configure(LegId(1), config).expect("taken");
    for sequence in 0..12u8 {
        let (payload_type, payload): (u8, &[u8]) = match sequence {
            0..8 => (8, &[0xd5; 160]),
            // RFC 4733: digit 5, end bit, volume 10, duration 800 units.
            _ => (101, &[5, 0x8a, 0x03, 0x20]),
        };
        let timestamp = u32::from(sequence.min(8)) * 160;
        let mut datagram = vec![0x80, payload_type, 0, sequence];
        datagram.extend(timestamp.to_be_bytes());
        datagram.extend([1, 2, 3, 4]);
        datagram.extend(payload);
        phone.send_to(&datagram, address).expect("sent");
    }
    loop {
        if let News::Leg(LegEvent::Key { key, .. }) = next(&mut events).news {
            assert_eq!(key.to_string(), "5");
            break;
        }
    }
}

#[test]
fn a_thread_that_has_enough_legs_refuses_more_and_takes_one_when_one_left() {
    let config = MediaConfig {
        threads: Some(1),
        legs_per_thread_max: 2,
        ..MediaConfig::new(41_060..=41_079, [7; 32])
    };
    let (media, _events) = Media::start(config).expect("threads start");
    let here: IpAddr = Ipv4Addr::LOCALHOST.into();
    media.open(LegId(1), here, None).expect("first");
    assert!(matches!(
        media.open(LegId(1), here, None),
        Err(OpenError::Open(LegId(1)))
    ));
    media.open(LegId(2), here, Some(LegId(1))).expect("second");
    assert!(matches!(
        media.open(LegId(3), here, None),
        Err(OpenError::Overloaded)
    ));
    assert!(matches!(
        media.stop(LegId(1)),
        Err(CommandError::NotConfigured(LegId(1)))
    ));
    media.close(LegId(1)).expect("open");
    media.open(LegId(3), here, None).expect("one has left");
    assert_eq!(media.ports(), (2, 10));
}

#[test]
fn a_control_plane_that_does_not_listen_loses_no_event_and_holds_up_nobody() {
    let config = MediaConfig {
        threads: Some(1),
        events_max: 1,
        ..MediaConfig::new(41_100..=41_199, [7; 32])
    };
    let (media, mut events) = Media::start(config).expect("threads start");
    let phone = phone();
    for leg in (0..20).map(LegId) {
        media
            .open(leg, Ipv4Addr::LOCALHOST.into(), None)
            .expect("a port");
        media.configure(leg, alaw(&phone)).expect("taken");
        media.play(leg, PlayId(leg.0), short()).expect("taken");
    }
    let metrics = Arc::clone(&media.metrics()[0]);
    while metrics.events_delayed.load(Relaxed) < 10 {
        packet(&phone); // the packets go on
    }
    let mut ended: Vec<u64> = (0..20).map(|_| next(&mut events).leg.0).collect();
    ended.sort_unstable();
    assert_eq!(ended, (0..20).collect::<Vec<_>>());
    assert_eq!(metrics.events_lost.load(Relaxed), 0);
}

#[test]
fn shutting_down_ends_every_leg_and_closes_its_sockets() {
    let (media, mut events) = start(41_200..=41_299);
    let phone = phone();
    let mut addresses = Vec::new();
    for leg in (0..30).map(LegId) {
        addresses.push(
            media
                .open(leg, Ipv4Addr::LOCALHOST.into(), None)
                .expect("a port"),
        );
        media.configure(leg, alaw(&phone)).expect("taken");
    }
    media.shut_down();
    let closed = (0..30)
        .filter(|_| matches!(next(&mut events).news, News::Closed(_)))
        .count();
    assert_eq!(closed, 30);
    let waited = clock::now() + PATIENCE;
    while media.ports().0 > 0 {
        assert!(
            clock::now() < waited,
            "{:?} ports are not given back",
            media.ports()
        );
        thread::yield_now(); // the janitor is closing them
    }
    assert!(
        addresses
            .into_iter()
            .all(|address| UdpSocket::bind(address).is_ok())
    );
    assert!(matches!(
        media.stop(LegId(1)),
        Err(CommandError::Unknown(LegId(1)))
    ));
}

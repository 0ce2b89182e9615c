//! Legs on real media threads over the loopback.

mod browsers;

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use media_engine::audio::prompt::Frames;
use media_engine::codec::{Codec, FRAME};

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// The ports of each test are its own.
fn start(ports: RangeInclusive<u16>) -> (Media, mpsc::Receiver<MediaEvent>) {
    start_threads(1, ports)
}

fn start_threads(
    threads: usize,
    ports: RangeInclusive<u16>,
) -> (Media, mpsc::Receiver<MediaEvent>) {
    let config = MediaConfig {
        threads: Some(threads),
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
fn a_flood_from_a_stranger_is_counted_and_the_prompt_goes_on() {
    let (media, mut events) = start(41_080..=41_099);
    let (phone, stranger) = (phone(), phone());
    let address = media
        .open(LegId(1), Ipv4Addr::LOCALHOST.into(), None)
        .expect("a port");
    media.configure(LegId(1), alaw(&phone)).expect("taken");
    media
        .play(
            LegId(1),
            PlayId(1),
            Playlist {
                items: vec![ramp(5)],
                repeat: false,
            },
        )
        .expect("taken");
    for _ in 0..500 {
        // As the phone would send it, but from elsewhere.
        let datagram = [&[0x80, 8, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4], &[0xd5; 160][..]].concat();
        stranger.send_to(&datagram, address).expect("sent");
    }
    let ended = next(&mut events);
    assert!(
        matches!(ended.news, News::Leg(LegEvent::PlayEnded { .. })),
        "{ended:?}"
    );
    assert!(media.metrics()[0].received.load(Relaxed) > 0);
    media.close(LegId(1)).expect("taken");
    let News::Closed(report) = next(&mut events).news else {
        panic!("closed is next")
    };
    assert!(report.foreign > 50 && report.received == 0, "{report:?}");
    stranger.set_nonblocking(true).expect("a socket");
    assert!(
        stranger.recv(&mut [0; 10]).is_err(),
        "nothing went to the stranger"
    );
}

#[test]
fn a_peer_that_moves_is_followed_by_the_next_sdp_and_by_nothing_else() {
    let (media, mut events) = start(41_300..=41_319);
    let (before, after, stranger) = (phone(), phone(), phone());
    let address = media
        .open(LegId(1), Ipv4Addr::LOCALHOST.into(), None)
        .expect("a port");
    media.configure(LegId(1), alaw(&before)).expect("taken");
    let mut heard = 0;
    talk(&before, address, Codec::Pcma, 8, |_| {
        heard += 1;
        heard > 10
    });
    // The socket is connected by now: what a stranger sends does not reach the leg.
    stranger.send_to(&[0x80; 172], address).expect("sent");
    media.configure(LegId(1), alaw(&after)).expect("taken");
    let mut heard = 0;
    talk(&after, address, Codec::Pcma, 8, |_| {
        heard += 1;
        heard > 10
    });
    media.close(LegId(1)).expect("taken");
    let report = loop {
        if let News::Closed(report) = next(&mut events).news {
            break report;
        }
    };
    assert!(report.received > 10, "{report:?}");
    stranger.set_nonblocking(true).expect("a socket");
    assert!(stranger.recv(&mut [0; 10]).is_err());
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

/// A caller who speaks: sends a frame every few packets it hears, until `done`.
fn talk(
    phone: &UdpSocket,
    to: SocketAddr,
    codec: Codec,
    payload_type: u8,
    mut done: impl FnMut(&[u8]) -> bool,
) {
    let samples = usize::try_from(codec.sample_rate() / 50).expect("small");
    let loud: Vec<i16> = (0..samples)
        .map(|at| if at % 20 < 10 { 8_000 } else { -8_000 })
        .collect();
    let frames = Frames::encode(codec, &loud);
    let payload = frames.frame(0).expect("one frame").to_vec();
    let begun = clock::now();
    for sequence in 0u16.. {
        let timestamp = u32::from(sequence) * codec.frame_ticks();
        let mut datagram = vec![0x80, payload_type];
        datagram.extend(sequence.to_be_bytes());
        datagram.extend(timestamp.to_be_bytes());
        datagram.extend([9, 9, 9, u8::try_from(to.port() % 200).expect("small")]);
        datagram.extend(&payload);
        phone.send_to(&datagram, to).expect("sent");
        // What we hear in turn paces us: one packet each 20 ms.
        if done(&packet(phone).0) {
            return;
        }
        assert!(clock::now() - begun < PATIENCE, "it never came");
    }
}

fn is_loud(payload: &[u8]) -> bool {
    // A-law: bits inverted; the magnitude of speech is far from that of silence (0xd5, 0x55).
    payload
        .iter()
        .filter(|byte| (**byte ^ 0x55) & 0x70 >= 0x40)
        .count()
        > 100
}

/// Lets the two legs hear each other.
fn join(media: &Media) {
    for (leg, other) in [(1, 2), (2, 1)] {
        media
            .hear(LegId(leg), vec![LegId(other)])
            .expect("one thread");
    }
}

/// Opens two legs on one thread, bridged; returns phones and addresses.
fn bridged(media: &Media, codecs: [(Codec, u8); 2]) -> [(UdpSocket, SocketAddr); 2] {
    let mut number = 0;
    let pair = codecs.map(|(codec, payload_type)| {
        number += 1;
        let phone = phone();
        let beside = (number > 1).then_some(LegId(1));
        let address = media
            .open(LegId(number), Ipv4Addr::LOCALHOST.into(), beside)
            .expect("a port");
        let remote = Some(phone.local_addr().expect("bound"));
        media
            .configure(LegId(number), LegConfig::new(codec, payload_type, remote))
            .expect("taken");
        (phone, address)
    });
    join(media);
    pair
}

#[test]
fn bridged_legs_of_one_codec_hear_each_other_and_no_longer_when_parted() {
    let (media, _events) = start(41_300..=41_319);
    let [(one, to_one), (other, _)] = bridged(&media, [(Codec::Pcma, 8), (Codec::Pcma, 8)]);
    other.set_nonblocking(true).expect("a socket");
    let mut buffer = [0; 2048];
    let mut heard =
        || matches!(other.recv(&mut buffer), Ok(length) if is_loud(&buffer[12..length]));
    talk(&one, to_one, Codec::Pcma, 8, |_| heard());
    media.hear(LegId(2), vec![]).expect("taken");
    let mut quiet = 0;
    talk(&one, to_one, Codec::Pcma, 8, |_| {
        quiet = if heard() { 0 } else { quiet + 1 };
        quiet > 10
    });
}

#[test]
fn a_leg_on_another_thread_is_brought_over_to_whom_it_is_heard_by() {
    let (media, mut events) = start_threads(2, 41_440..=41_479);
    let thread = |leg: u64| media.table().legs[&LegId(leg)].thread;
    let phones: Vec<(UdpSocket, SocketAddr)> = (1..=2)
        .map(|number| {
            let phone = phone();
            let mut address = media
                .open(LegId(number), Ipv4Addr::LOCALHOST.into(), None)
                .expect("a port");
            // By chance both threads may have looked the same to it.
            while number == 2 && thread(1) == thread(2) {
                media.close(LegId(2)).expect("open");
                let ip = Ipv4Addr::LOCALHOST.into();
                address = media.open(LegId(2), ip, None).expect("a port");
            }
            let config = alaw(&phone);
            media.configure(LegId(number), config).expect("taken");
            (phone, address)
        })
        .collect();
    join(&media);
    assert_eq!(thread(1), thread(2));
    for (at, other) in [(0, 1), (1, 0)] {
        let ((from, to), (listener, _)) = (&phones[at], &phones[other]);
        listener.set_nonblocking(true).expect("a socket");
        let mut buffer = [0; 2048];
        talk(
            from,
            *to,
            Codec::Pcma,
            8,
            |_| matches!(listener.recv(&mut buffer), Ok(length) if is_loud(&buffer[12..length])),
        );
        listener.set_nonblocking(false).expect("a socket");
    }
    for leg in [1, 2] {
        media.close(LegId(leg)).expect("there is one");
        while !matches!(next(&mut events).news, News::Closed(_)) {}
    }
    assert_eq!(media.table().counts, [0, 0]);
}

/// Whenever it comes in the 20 ms between two visits of its leg.
#[test]
fn what_one_party_says_passes_on_within_five_milliseconds() {
    let (media, _events) = start(41_380..=41_399);
    let [(one, to_one), (other, _)] = bridged(&media, [(Codec::Pcma, 8), (Codec::Pcma, 8)]);
    let alarm = clock::Alarm::new().expect("a clock");
    let mut next = clock::now();
    let mut soon = std::collections::VecDeque::from([false; 50]);
    for sequence in 0u16..1000 {
        next += FRAME + Duration::from_millis(1); // each phase of the visits in turn
        alarm.sleep_until(next);
        let mut datagram = vec![0x80, 8];
        datagram.extend(sequence.to_be_bytes());
        datagram.extend((u32::from(sequence) * 160).to_be_bytes());
        datagram.extend([1, 2, 3, 4]);
        datagram.extend([0x2a; 158]);
        datagram.extend(sequence.to_be_bytes());
        let sent = clock::now();
        one.send_to(&datagram, to_one).expect("sent");
        if sequence < 50 {
            continue; // the source has to prove itself, and what it said is read below
        }
        while packet(&other).0.get(170..) != Some(&sequence.to_be_bytes()[..]) {}
        soon.pop_front();
        soon.push_back(clock::now() - sent < Duration::from_millis(5));
        // A busy machine is late now and then; a packet that waits for its visit always, but for a quarter.
        if soon.iter().filter(|soon| **soon).count() >= 40 {
            return;
        }
    }
    panic!("never heard soon");
}

#[test]
fn a_call_is_recorded_with_its_parties_apart_while_it_is_relayed() {
    let (media, mut events) = start(41_420..=41_439);
    let [(one, to_one), (other, _)] = bridged(&media, [(Codec::Pcma, 8), (Codec::Pcma, 8)]);
    let folder = std::env::temp_dir();
    let paths =
        [1, 2].map(|leg| folder.join(format!("ramal-call-{leg}-{}.wav", std::process::id())));
    for (leg, path) in [1, 2].into_iter().zip(&paths) {
        media.record_call(LegId(leg), path.clone()).expect("taken");
    }
    let mut turns = 0;
    talk(&one, to_one, Codec::Pcma, 8, |_| {
        turns += 1;
        turns == 60
    });
    drop(other);
    for leg in [1, 2] {
        media.stop_recording(LegId(leg)).expect("taken");
        while !matches!(next(&mut events).news, News::Recorded(ref recording)
            if recording.error.is_none() && recording.duration > Duration::from_secs(1))
        {}
    }
    // The first party alone speaks: on the left of its own recording, on the right of the other's.
    for (path, speaks) in paths.iter().zip([0, 1]) {
        let file = std::fs::read(path).expect("written");
        let loud = |side: usize| {
            let pairs = file[58..].chunks_exact(4);
            let samples =
                pairs.map(|pair| i16::from_le_bytes([pair[2 * side], pair[2 * side + 1]]));
            samples.filter(|sample| sample.abs() > 4_000).count()
        };
        assert!(loud(speaks) > 4_000, "{}", loud(speaks));
        assert_eq!(loud(1 - speaks), 0);
        std::fs::remove_file(path).expect("removed");
    }
}

#[test]
fn bridged_legs_of_two_codecs_hear_each_other() {
    let (media, _events) = start(41_320..=41_339);
    let [(one, to_one), (other, _)] = bridged(&media, [(Codec::G722, 9), (Codec::Pcma, 8)]);
    other.set_nonblocking(true).expect("a socket");
    let mut buffer = [0; 2048];
    let mut heard =
        || matches!(other.recv(&mut buffer), Ok(length) if is_loud(&buffer[12..length]));
    talk(&one, to_one, Codec::G722, 9, |_| heard());
}

#[test]
fn a_supervisor_hears_both_parties_and_neither_hears_the_supervisor() {
    let (media, _events) = start(41_400..=41_419);
    let [(one, to_one), (other, _)] = bridged(&media, [(Codec::Pcma, 8), (Codec::Pcma, 8)]);
    let supervisor = phone();
    let address = media
        .open(LegId(3), Ipv4Addr::LOCALHOST.into(), Some(LegId(1)))
        .expect("a port");
    media.configure(LegId(3), alaw(&supervisor)).expect("taken");
    media
        .hear(LegId(3), vec![LegId(1), LegId(2)])
        .expect("one thread");
    let mut turns = 0;
    talk(&supervisor, address, Codec::Pcma, 8, |_| {
        turns += 1;
        turns == 20
    });
    other.set_nonblocking(true).expect("a socket");
    let mut buffer = [0; 2048];
    while let Ok(length) = other.recv(&mut buffer) {
        assert!(!is_loud(&buffer[12..length]), "the supervisor is heard");
    }
    supervisor.set_nonblocking(true).expect("a socket");
    talk(
        &one,
        to_one,
        Codec::Pcma,
        8,
        |_| matches!(supervisor.recv(&mut buffer), Ok(length) if is_loud(&buffer[12..length])),
    );
    let too_many = (0..=SOURCES_MAX as u64).map(|_| LegId(1)).collect();
    assert!(matches!(
        media.hear(LegId(3), too_many),
        Err(CommandError::TooMany(LegId(3)))
    ));
    media.close(LegId(1)).expect("there");
    media.hear(LegId(3), vec![LegId(1)]).expect("it has ended");
}

#[test]
fn a_message_of_the_caller_is_recorded() {
    let (media, mut events) = start(41_340..=41_359);
    let phone = phone();
    let address = media
        .open(LegId(1), Ipv4Addr::LOCALHOST.into(), None)
        .expect("a port");
    assert!(matches!(
        media.record(LegId(1), "x".into()),
        Err(CommandError::NotConfigured(_))
    ));
    media.configure(LegId(1), alaw(&phone)).expect("taken");
    let path = std::env::temp_dir().join(format!("ramal-message-{}.wav", std::process::id()));
    media.record(LegId(1), path.clone()).expect("taken");
    let mut turns = 0;
    talk(&phone, address, Codec::Pcma, 8, |_| {
        turns += 1;
        turns == 40
    });
    media.stop_recording(LegId(1)).expect("taken");
    let recording = loop {
        if let News::Recorded(recording) = next(&mut events).news {
            break recording;
        }
    };
    assert_eq!(
        (recording.error, recording.frames_lost, &recording.path),
        (None, 0, &path)
    );
    assert!(
        recording.duration >= Duration::from_millis(500),
        "{:?}",
        recording.duration
    );
    let file = std::fs::read(&path).expect("written");
    let loud = file[58..]
        .chunks(2)
        .filter(|two| i16::from_le_bytes([two[0], two[1]]).abs() > 4_000)
        .count();
    assert!(loud > 2_000, "{loud} loud samples");
    std::fs::remove_file(path).expect("removed");
}

#[test]
fn a_leg_that_ends_says_goodbye_by_rtcp() {
    let (media, _events) = start(41_360..=41_379);
    let (phone, control) = (phone(), phone());
    let address = media
        .open(LegId(1), Ipv4Addr::LOCALHOST.into(), None)
        .expect("a port");
    let remote_rtcp = Some(control.local_addr().expect("bound"));
    media
        .configure(
            LegId(1),
            LegConfig {
                remote_rtcp,
                ..alaw(&phone)
            },
        )
        .expect("taken");
    packet(&phone);
    media.close(LegId(1)).expect("taken");
    let (goodbye, from) = packet(&control);
    assert_eq!(from.port(), address.port() + 1);
    let mut kinds = Vec::new();
    let mut rest = &goodbye[..];
    while let [_, kind, high, low, ..] = *rest {
        kinds.push(kind);
        rest = &rest[4 * (usize::from(u16::from_be_bytes([high, low])) + 1)..];
    }
    assert!(kinds.contains(&203), "BYE among {kinds:?}");
}

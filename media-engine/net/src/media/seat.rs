//! One leg on its media thread, with its sockets.

use std::net::{SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use media_engine::leg::{Cursor, DATAGRAM, Leg, LegId, Relayed, Side, Transmit};

use super::browsers::Arrival;
use super::metrics::{self, ThreadMetrics};
use super::receive::{self, Datagram, Receiver};
use super::tape::{Packet, Tape};
use super::watch::Watch;
use crate::clock::{self, Stamps};
use crate::ports::{MediaSockets, Ports};

/// Datagrams read in one visit at most: a flood to one port must not cost the other legs their turn.
/// A peer with packets of 10 ms that was held up for 150 ms is still caught up with at once.
const READS_PER_VISIT: u32 = 16;

/// Every so many visits the socket is read until empty, whatever the last visit found: finds a
/// packet that has been waiting in front of each new one since the peer was late once.
const VISITS_PER_DRAIN: u32 = 16;

/// Relayed packets that are told of so far apart came in step: 20 ms, a tick more or less. At any other
/// distance one was held up, and another may be behind it.
const IN_STEP: RangeInclusive<Duration> = Duration::from_millis(17)..=Duration::from_millis(23);

/// RTCP comes every five seconds (RFC 3550 section 6.2): half a second late is early enough.
const VISITS_PER_RTCP: u32 = 25;

/// RTCP datagrams read in one go; a peer sends one.
const RTCP_READS: u32 = 4;

/// What a thread uses for every visit of a tick.
pub(super) struct Tools {
    pub(super) receiver: Receiver,
    pub(super) stamps: Stamps,
    pub(super) outgoing: Box<[u8; DATAGRAM]>,
    /// Datagrams that may yet be read in this tick beyond the first of each visit.
    pub(super) extra_reads: usize,
}

/// What a tick over `legs` legs may read beyond one datagram each: as much again, and a burst for a
/// few. A flood to every port at once then costs half as much again as the legs do, not tenfold.
pub(super) fn extra_reads(legs: usize) -> usize {
    legs + 64
}

/// A leg and its sockets.
pub(super) struct Seat {
    pub(super) id: LegId,
    pub(super) leg: Leg,
    /// Whom this leg hears.
    pub(super) sources: Vec<Source>,
    /// Who hears this leg, by their places.
    pub(super) hearers: Vec<usize>,
    /// Where the recording of a message goes.
    pub(super) tape: Option<Tape>,
    /// Where the recording of the call goes.
    pub(super) call_tape: Option<Tape>,
    /// Its own, or the one that all browsers share.
    rtp: Arc<UdpSocket>,
    /// What it has of its own; what comes from browsers is handed to it. After `rtp`, which is closed
    /// when the ports are given back.
    own: Option<Own>,
    visits: u32,
    /// The last full read found other than one packet: read until empty this time, too.
    drains: bool,
    /// `rtp` is read when something has come to it, not by visits of its group.
    watched: bool,
    /// When something was read last.
    read: Instant,
}

/// What a leg is opened with.
pub(super) enum Sockets {
    /// A pair of ports of its own.
    Own(MediaSockets, Lease),
    /// The port of all browsers.
    Shared(Arc<UdpSocket>),
}

/// What a leg with ports of its own has.
struct Own {
    rtcp: UdpSocket,
    /// The only peer there is, once that is certain.
    followed: Option<SocketAddr>,
    connection: Connection,
    _lease: Lease,
}

/// How the socket of RTP is connected to the only peer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Connection {
    Parted,
    /// What waits may have come before, from anybody.
    Made,
    /// It was empty since: what comes is the peer's.
    Settled,
}

/// One that a leg hears.
pub(super) struct Source {
    /// Its place on the same thread.
    pub(super) place: usize,
    /// How much of it has been heard.
    pub(super) heard: Cursor,
}

/// A port pair in use; dropping it gives the pair back.
pub(super) struct Lease {
    ports: Arc<Mutex<Ports>>,
    port: u16,
}

impl Lease {
    pub(super) fn new(ports: Arc<Mutex<Ports>>, port: u16) -> Self {
        Self { ports, port }
    }
}

impl Own {
    /// Nothing waits at the socket of RTP.
    fn settle(&mut self) {
        if self.connection == Connection::Made {
            self.connection = Connection::Settled;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
        ports.close(clock::now(), self.port);
    }
}

impl Seat {
    /// Seats `leg`. `visits` is where its count of visits begins: a number drawn for each leg spreads
    /// what is done once in many visits.
    pub(super) fn new(id: LegId, leg: Leg, sockets: Sockets, visits: u32) -> std::io::Result<Self> {
        let (rtp, own) = match sockets {
            Sockets::Own(MediaSockets { rtp, rtcp, .. }, lease) => {
                receive::stamp(&rtp, true)?;
                let own = Own {
                    rtcp,
                    followed: None,
                    connection: Connection::Parted,
                    _lease: lease,
                };
                (Arc::new(rtp), Some(own))
            }
            Sockets::Shared(socket) => (socket, None),
        };
        Ok(Self {
            id,
            leg,
            sources: Vec::new(),
            hearers: Vec::new(),
            tape: None,
            call_tape: None,
            rtp,
            own,
            visits,
            drains: true,
            watched: false,
            read: clock::now(),
        })
    }

    /// Reads, tells the time, sends: everything a leg needs once in 20 ms. `others` are the other legs
    /// of the thread by their places.
    pub(super) fn visit(
        &mut self,
        now: Instant,
        others: &mut [Option<Box<Seat>>],
        tools: &mut Tools,
        metrics: &ThreadMetrics,
    ) {
        self.visits = self.visits.wrapping_add(1);
        self.receive(now, others, tools, metrics);
        self.attend(now, others, tools, metrics);
    }

    /// The visit with the leg's group: a watched socket is not read.
    pub(super) fn visit_with_group(
        &mut self,
        now: Instant,
        others: &mut [Option<Box<Seat>>],
        tools: &mut Tools,
        metrics: &ThreadMetrics,
    ) {
        if self.watched {
            self.visits = self.visits.wrapping_add(1);
            self.attend(now, others, tools, metrics);
        } else {
            self.visit(now, others, tools, metrics);
        }
    }

    fn attend(
        &mut self,
        now: Instant,
        others: &[Option<Box<Seat>>],
        tools: &mut Tools,
        metrics: &ThreadMetrics,
    ) {
        self.follow_peer();
        self.leg.handle_timeout(now);
        self.listen(now, others);
        self.send(now, tools, metrics);
        if self.visits.is_multiple_of(VISITS_PER_RTCP) {
            self.visit_rtcp(now, tools, metrics);
        }
    }

    /// Has the socket watched while somebody hears this leg by relay. `place` is its own.
    pub(super) fn watch(&mut self, watch: &mut Watch, place: usize, relayed: bool) {
        // What comes from browsers passes on at each tick anyhow.
        if relayed == self.watched || self.own.is_none() {
            return;
        }
        if relayed {
            self.watched = watch.add(&self.rtp, place);
        } else {
            watch.remove(&self.rtp);
            self.watched = false;
        }
        // What is read at the next tick needs none. Without one a packet is taken to come when it is read.
        let _ = receive::stamp(&self.rtp, !self.watched);
    }

    /// Reads what has come to a watched socket, and passes it on.
    pub(super) fn pass_on(
        &mut self,
        now: Instant,
        others: &mut [Option<Box<Seat>>],
        tools: &mut Tools,
        metrics: &ThreadMetrics,
    ) {
        self.visits = self.visits.wrapping_add(1);
        self.receive(now, others, tools, metrics);
    }

    /// A read that finds nothing costs a tenth of a visit, so as long as one packet is there at each
    /// visit, one is read.
    fn receive(
        &mut self,
        now: Instant,
        others: &mut [Option<Box<Seat>>],
        tools: &mut Tools,
        metrics: &ThreadMetrics,
    ) {
        if self.own.is_none() {
            return; // what comes from browsers is handed over
        }
        let in_step = IN_STEP.contains(&now.saturating_duration_since(self.read));
        let drain =
            self.drains || self.watched && !in_step || self.visits.is_multiple_of(VISITS_PER_DRAIN);
        let wanted = if drain { READS_PER_VISIT } else { 1 };
        let mut found = 0;
        let mut cut = false;
        while found < wanted {
            if found > 0 {
                // Whoever is not drained now goes on in its next visit.
                let Some(fewer) = tools.extra_reads.checked_sub(1) else {
                    cut = true;
                    break;
                };
                tools.extra_reads = fewer;
            }
            if !self.read(now, others, tools, metrics) {
                break;
            }
            found += 1;
        }
        self.drains = cut || if drain { found != 1 } else { found == 0 };
        metrics::add(&metrics.received, u64::from(found));
    }

    /// Reads a packet, and passes it on to those that hear it as it is. False when there is none.
    fn read(
        &mut self,
        now: Instant,
        others: &mut [Option<Box<Seat>>],
        tools: &mut Tools,
        metrics: &ThreadMetrics,
    ) -> bool {
        let Tools {
            receiver,
            stamps,
            outgoing,
            ..
        } = tools;
        let read = match &self.own {
            Some(Own {
                followed: Some(peer),
                connection: Connection::Settled,
                ..
            }) if self.watched => receiver.receive_of(*peer, &self.rtp, now),
            Some(_) | None => receiver.receive(&self.rtp, now, stamps),
        };
        let Some(read) = read else {
            if let Some(own) = &mut self.own {
                own.settle();
            }
            return false;
        };
        self.read = now;
        self.take(now, read, others, outgoing, metrics);
        true
    }

    /// Takes a datagram that came over the port of all browsers.
    pub(super) fn take_arrival(
        &mut self,
        now: Instant,
        arrival: &mut Arrival,
        others: &mut [Option<Box<Seat>>],
        tools: &mut Tools,
        metrics: &ThreadMetrics,
    ) {
        let datagram = Datagram {
            source: arrival.source,
            arrival: arrival.at,
            bytes: arrival.bytes(),
        };
        self.take(now, datagram, others, &mut tools.outgoing, metrics);
        metrics::add(&metrics.received, 1);
    }

    /// Takes a datagram, and passes it on to those that hear it as it is.
    fn take(
        &mut self,
        now: Instant,
        read: Datagram<'_>,
        others: &mut [Option<Box<Seat>>],
        outgoing: &mut [u8; DATAGRAM],
        metrics: &ThreadMetrics,
    ) {
        let (id, arrival) = (self.id, read.arrival);
        let relayed = self
            .leg
            .handle_packet(now, arrival, read.source, read.bytes);
        let Some(relayed) = relayed else { return };
        let own = self.tape.iter_mut().chain(&mut self.call_tape);
        own.for_each(|tape| record(tape, now, arrival, id, Side::Own, &relayed));
        for hearer in &self.hearers {
            let Some(hearer) = others[*hearer].as_deref_mut() else {
                continue;
            };
            if let Some(transmit) = hearer.leg.relay(now, &relayed, outgoing) {
                hearer.transmit(outgoing, transmit, metrics);
            }
            if let Some(tape) = &mut hearer.call_tape {
                record(tape, now, arrival, id, Side::Others, &relayed);
            }
        }
    }

    /// Connects the socket to the peer once it is certain, and parts it when it no longer is: the kernel
    /// then looks up the way once instead of for each packet, and drops what strangers send.
    fn follow_peer(&mut self) {
        let peer = self.leg.only_peer();
        let Some(own) = self.own.as_mut().filter(|own| own.followed != peer) else {
            return;
        };
        own.followed = peer;
        // A socket that cannot be connected works all the same: it sends to addresses.
        let connected = match peer {
            Some(peer) => self.rtp.connect(peer).is_ok(),
            None => rustix::net::connect_unspec(&self.rtp).is_err(),
        };
        own.connection = if connected {
            self.drains = true;
            Connection::Made
        } else {
            Connection::Parted
        };
    }

    /// Takes what the peer says, while somebody wants to hear it, and what it is to hear.
    fn listen(&mut self, now: Instant, others: &[Option<Box<Seat>>]) {
        while self.leg.poll_audio(now).is_some() {}
        let sources = &mut self.sources;
        self.leg.mix(now, |sum| {
            for source in sources.iter_mut() {
                if let Some(other) = &others[source.place] {
                    sum.add(&other.leg, &mut source.heard);
                }
            }
        });
    }

    fn send(&mut self, now: Instant, tools: &mut Tools, metrics: &ThreadMetrics) {
        while let Some(transmit) = self.leg.poll_packet(now, tools.outgoing.as_mut_slice()) {
            self.transmit(&tools.outgoing, transmit, metrics);
        }
    }

    fn transmit(&self, datagram: &[u8; DATAGRAM], transmit: Transmit, metrics: &ThreadMetrics) {
        let bytes = &datagram[..transmit.len];
        let follows =
            |own: &Own| own.connection != Connection::Parted && own.followed == Some(transmit.to);
        let sent = if self.own.as_ref().is_some_and(follows) {
            self.rtp.send(bytes)
        } else {
            self.rtp.send_to(bytes, transmit.to)
        };
        let counter = if sent.is_ok() {
            &metrics.sent
        } else {
            &metrics.send_errors
        };
        metrics::add(counter, 1);
    }

    fn visit_rtcp(&mut self, now: Instant, tools: &mut Tools, metrics: &ThreadMetrics) {
        if let Some(own) = &self.own {
            for _ in 0..RTCP_READS {
                let Some(read) = tools.receiver.receive(&own.rtcp, now, &tools.stamps) else {
                    break;
                };
                self.leg.handle_rtcp(now, read.source, read.bytes);
            }
        }
        while let Some(transmit) = self.leg.poll_rtcp(now, tools.outgoing.as_mut_slice()) {
            report_over(self.rtcp_socket(), &tools.outgoing, transmit, metrics);
        }
    }

    /// Says goodbye to the peer.
    pub(super) fn close(&mut self, now: Instant, tools: &mut Tools, metrics: &ThreadMetrics) {
        if let Some(transmit) = self.leg.close(now, tools.outgoing.as_mut_slice()) {
            report_over(self.rtcp_socket(), &tools.outgoing, transmit, metrics);
        }
    }

    fn rtcp_socket(&self) -> &UdpSocket {
        match &self.own {
            Some(own) if !self.leg.config().rtcp_mux => &own.rtcp,
            Some(_) | None => &self.rtp,
        }
    }
}

/// Records what the peer of `leg` said, if this is audio.
fn record(
    tape: &mut Tape,
    now: Instant,
    arrival: Instant,
    leg: LegId,
    side: Side,
    relayed: &Relayed<'_>,
) {
    if let Some(said) = relayed.said() {
        tape.record(&Packet {
            now,
            arrival,
            leg,
            side,
            said,
        });
    }
}

fn report_over(
    socket: &UdpSocket,
    datagram: &[u8; DATAGRAM],
    transmit: Transmit,
    metrics: &ThreadMetrics,
) {
    if socket
        .send_to(&datagram[..transmit.len], transmit.to)
        .is_err()
    {
        metrics::add(&metrics.send_errors, 1);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::atomic::Ordering::Relaxed;

    use media_engine::codec::{Codec, FRAME};
    use media_engine::leg::LegConfig;
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    /// A leg whose socket is watched, and its peer.
    struct Scene {
        seat: Seat,
        peer: UdpSocket,
        to: SocketAddr,
        tools: Tools,
        metrics: ThreadMetrics,
        now: Instant,
        said: u16,
    }

    impl Scene {
        fn new() -> Self {
            let ip = IpAddr::from(Ipv4Addr::LOCALHOST);
            let mut random = SmallRng::seed_from_u64(1);
            let mut ports = Ports::new(41_440..=41_459, &mut random).expect("a range");
            let now = clock::now();
            let sockets = ports.open(now, ip).expect("a port");
            let to = sockets.address;
            let peer = UdpSocket::bind((ip, 0)).expect("free");
            let remote = peer.local_addr().expect("bound");
            let leg = Leg::new(now, LegConfig::new(Codec::Pcma, 8, Some(remote)), 1);
            let lease = Lease::new(Arc::new(Mutex::new(ports)), to.port());
            let sockets = Sockets::Own(sockets, lease);
            let mut seat = Seat::new(LegId(1), leg, sockets, 0).expect("a seat");
            let mut watch = Watch::new().expect("epoll");
            seat.watch(&mut watch, 0, true);
            Self {
                seat,
                peer,
                to,
                tools: Tools {
                    receiver: Receiver::new(),
                    stamps: Stamps::at(now),
                    outgoing: Box::new([0; DATAGRAM]),
                    extra_reads: 100,
                },
                metrics: ThreadMetrics::default(),
                now,
                said: 0,
            }
        }

        /// So many packets come, and after `passed` the leg is told.
        fn tell(&mut self, packets: u16, passed: Duration) {
            for _ in 0..packets {
                self.said += 1;
                let mut datagram = [0xd5; 172];
                datagram[..2].copy_from_slice(&[0x80, 8]);
                datagram[2..4].copy_from_slice(&self.said.to_be_bytes());
                let timestamp = u32::from(self.said) * 160;
                datagram[4..8].copy_from_slice(&timestamp.to_be_bytes());
                self.peer.send_to(&datagram, self.to).expect("sent");
            }
            self.now += passed;
            let Self { seat, tools, .. } = self;
            seat.visit(self.now, &mut [], tools, &self.metrics);
        }

        fn unread(&self) -> u64 {
            u64::from(self.said) - self.metrics.received.load(Relaxed)
        }

        fn connection(&self) -> Connection {
            self.seat.own.as_ref().expect("its own ports").connection
        }
    }

    #[test]
    fn what_comes_out_of_step_is_read_whole_and_leaves_nothing_that_others_wait_behind() {
        let mut scene = Scene::new();
        let tick = super::super::worker::TICK;
        for _ in 0..60 {
            scene.tell(1, FRAME);
            assert_eq!(scene.unread(), 0);
        }
        assert!(scene.connection() == Connection::Settled);
        // Behind a packet that was held up come three more, within the tick that follows.
        for (packets, passed) in [(1, FRAME * 4), (3, tick), (1, FRAME), (2, FRAME * 2)] {
            scene.tell(packets, passed);
            assert_eq!(scene.unread(), 0, "{packets} after {passed:?}");
        }
    }

    #[test]
    fn what_strangers_sent_before_the_peer_was_certain_is_not_taken_for_its() {
        let mut scene = Scene::new();
        let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("free");
        let mut turns = 0;
        while scene.connection() == Connection::Parted {
            // More than are read in one visit: some wait when the socket is connected.
            for _ in 0..READS_PER_VISIT + 1 {
                stranger.send_to(&[0x80; 172], scene.to).expect("sent");
            }
            scene.tell(1, FRAME);
            turns += 1;
            assert!(turns < 100, "never certain");
        }
        let foreign = scene.seat.leg.report().foreign;
        while scene.connection() == Connection::Made {
            scene.tell(0, FRAME);
        }
        let report = scene.seat.leg.report();
        assert!(report.foreign > foreign, "they waited, and were known");
        assert_eq!(report.looped + report.wrong_type + report.unproven, 0);
    }
}

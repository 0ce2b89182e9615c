//! A media thread without a thread: legs, visited every 20 ms of virtual time.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use media_engine::dtmf::Key;
use media_engine::leg::{
    Cursor, DATAGRAM, Hearing, KeyPath, Leg, LegConfig, LegEvent, LegId, LegReport, PlayId,
    Playback, Playlist, Side,
};

/// What is asked of the thread; it obeys at its next visit.
pub(super) enum Command {
    Seat(SocketAddr, Box<LegConfig>, u64),
    Reconfigure(Box<LegConfig>),
    Play(PlayId, Playlist),
    Stop,
    Press(Key),
    Record,
    StopRecording,
    Hear(Vec<LegId>),
    Close,
}

/// What the thread tells.
#[derive(Debug)]
pub(super) enum News {
    Leg(LegEvent),
    /// A recording of so many frames ended.
    Recorded(u32),
    Closed(Box<LegReport>),
}

/// A datagram that a leg sent.
pub(super) struct Sent {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) bytes: Vec<u8>,
}

struct Seat {
    leg: Leg,
    local: SocketAddr,
    /// Whom it hears, and how much of each it has heard.
    sources: Vec<(LegId, Cursor)>,
    /// The recording that runs.
    tape: Option<Playback>,
    /// What is on its way to the socket, by when it arrives.
    inbox: BTreeMap<(Instant, u64), Sent>,
}

/// All legs of one place.
#[derive(Default)]
pub(super) struct Thread {
    commands: VecDeque<(LegId, Command)>,
    seats: BTreeMap<LegId, Seat>,
    places: BTreeMap<SocketAddr, LegId>,
    visits: u64,
    pub(super) news: VecDeque<(LegId, News)>,
    pub(super) sent: Vec<Sent>,
}

impl Thread {
    pub(super) fn order(&mut self, leg: LegId, command: Command) {
        self.commands.push_back((leg, command));
    }

    /// Legs that are open.
    pub(super) fn legs(&self) -> usize {
        self.seats.len()
    }

    /// Whether the next visit has something to do.
    pub(super) fn is_busy(&self) -> bool {
        !(self.seats.is_empty() && self.commands.is_empty())
    }

    /// A datagram will arrive at `at`; where no port is open it is lost.
    pub(super) fn deliver(&mut self, at: (Instant, u64), sent: Sent) {
        let port = SocketAddr::new(sent.to.ip(), sent.to.port() & !1); // RTCP is one above.
        let place = self.places.get(&port);
        if let Some(seat) = place.and_then(|leg| self.seats.get_mut(leg)) {
            seat.inbox.insert(at, sent);
        }
    }

    /// What a thread does in a round of its groups.
    pub(super) fn visit(&mut self, now: Instant) {
        self.visits += 1;
        while let Some((leg, command)) = self.commands.pop_front() {
            self.obey(now, leg, command);
        }
        let legs: Vec<LegId> = self.seats.keys().copied().collect();
        for id in legs {
            let Some(mut seat) = self.seats.remove(&id) else {
                continue;
            };
            seat.visit(now, id, &mut self.seats, self.visits, &mut self.sent);
            let mut changed = false;
            while let Some(event) = seat.leg.poll_event() {
                changed |= matches!(event, LegEvent::CodecChanged { .. });
                if let LegEvent::Key {
                    key,
                    by: KeyPath::Event,
                } = event
                {
                    for hearer in hearers(&mut self.seats, id) {
                        hearer.leg.hear_key(now, key);
                    }
                }
                self.news.push_back((id, News::Leg(event)));
            }
            self.seats.insert(id, seat);
            if changed {
                self.settle(now, id);
            }
        }
    }

    fn obey(&mut self, now: Instant, id: LegId, command: Command) {
        if let Command::Seat(local, config, seed) = command {
            let seat = Seat {
                leg: Leg::new(now, *config, seed),
                local,
                sources: vec![],
                tape: None,
                inbox: BTreeMap::new(),
            };
            self.places.insert(local, id);
            self.seats.insert(id, seat);
            return;
        }
        let Some(seat) = self.seats.get_mut(&id) else {
            return;
        };
        match command {
            Command::Seat(..) => {}
            Command::Reconfigure(config) => {
                seat.leg.reconfigure(now, *config);
                self.settle(now, id);
            }
            Command::Play(play, list) => seat.leg.play(now, play, list),
            Command::Stop => seat.leg.stop(now),
            Command::Press(key) => {
                seat.leg.press(now, key);
            }
            Command::Record => seat.tape = Some(Playback::new(now)),
            Command::StopRecording => {
                let recorded = seat.tape.take().map(|tape| frames(tape, now));
                self.news
                    .extend(recorded.map(|frames| (id, News::Recorded(frames))));
            }
            Command::Hear(sources) => self.hear(now, id, &sources),
            Command::Close => self.close(now, id),
        }
    }

    fn hear(&mut self, now: Instant, id: LegId, sources: &[LegId]) {
        let others = sources.iter().filter(|source| **source != id);
        let cursor = |source: &LegId| Some((*source, self.seats.get(source)?.leg.cursor()));
        let sources: Vec<_> = others.filter_map(cursor).collect();
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.sources = sources;
        }
        self.settle(now, id);
    }

    /// Settles how everybody hears and is heard, `changed` having changed.
    fn settle(&mut self, now: Instant, changed: LegId) {
        let legs: Vec<LegId> = self.seats.keys().copied().collect();
        for id in &legs {
            let Some(mut seat) = self.seats.remove(id) else {
                continue;
            };
            let sources = seat.sources.iter();
            let sources = sources.filter_map(|(source, _)| Some(&self.seats.get(source)?.leg));
            let hearing = Hearing::of(&seat.leg, sources);
            if *id == changed || hearing != seat.leg.hearing() {
                seat.leg.hear(now, hearing);
            }
            self.seats.insert(*id, seat);
        }
        for id in legs {
            let wanted = hearers(&mut self.seats, id).map(|hearer| hearer.leg.wants());
            let wanted = wanted.max().unwrap_or_default();
            if let Some(seat) = self.seats.get_mut(&id) {
                seat.leg.be_heard(now, wanted);
            }
        }
    }

    /// Takes a leg away from all that hear it or that it hears.
    fn part(&mut self, now: Instant, leg: LegId) {
        for seat in self.seats.values_mut() {
            seat.sources.retain(|(source, _)| *source != leg);
        }
        self.hear(now, leg, &[]);
    }

    fn close(&mut self, now: Instant, id: LegId) {
        self.part(now, id);
        let Some(mut seat) = self.seats.remove(&id) else {
            return;
        };
        self.places.remove(&seat.local);
        let mut datagram = [0; DATAGRAM];
        if let Some(transmit) = seat.leg.close(now, &mut datagram) {
            self.sent
                .push(seat.sent(true, transmit.to, &datagram[..transmit.len]));
        }
        if let Some(tape) = seat.tape.take() {
            let recorded = News::Recorded(frames(tape, now));
            self.news.push_back((id, recorded));
        }
        let report = Box::new(seat.leg.report());
        self.news.push_back((id, News::Closed(report)));
    }
}

/// The length of a recording that ends now.
fn frames(mut tape: Playback, now: Instant) -> u32 {
    let mut frames = 0;
    while tape.poll_frame(now).is_some() {
        frames += 1;
    }
    frames
}

/// Those that hear a leg.
fn hearers(seats: &mut BTreeMap<LegId, Seat>, leg: LegId) -> impl Iterator<Item = &mut Seat> {
    seats.values_mut().filter(move |seat| seat.hears(leg))
}

impl Seat {
    fn hears(&self, leg: LegId) -> bool {
        self.sources.iter().any(|(source, _)| *source == leg)
    }

    fn visit(
        &mut self,
        now: Instant,
        id: LegId,
        others: &mut BTreeMap<LegId, Self>,
        visits: u64,
        sent: &mut Vec<Sent>,
    ) {
        let mut datagram = [0; DATAGRAM];
        while let Some(entry) = self.inbox.first_entry().filter(|one| one.key().0 <= now) {
            let arrival = entry.key().0;
            let Sent {
                from,
                to,
                mut bytes,
            } = entry.remove();
            if to.port() != self.local.port() {
                self.leg.handle_rtcp(now, from, &mut bytes);
                continue;
            }
            let Some(relayed) = self.leg.handle_packet(now, arrival, from, &mut bytes) else {
                continue;
            };
            if let (Some(tape), Some(said)) = (&mut self.tape, relayed.said()) {
                tape.handle_packet(now, arrival, id, Side::Own, &said);
            }
            for hearer in hearers(others, id) {
                if let Some(transmit) = hearer.leg.relay(now, &relayed, &mut datagram) {
                    sent.push(hearer.sent(false, transmit.to, &datagram[..transmit.len]));
                }
            }
        }
        self.leg.handle_timeout(now);
        while self.leg.poll_audio(now).is_some() {}
        let sources = &mut self.sources;
        self.leg.mix(now, |sum| {
            for (source, heard) in sources.iter_mut() {
                if let Some(other) = others.get(source) {
                    sum.add(&other.leg, heard);
                }
            }
        });
        while let Some(transmit) = self.leg.poll_packet(now, &mut datagram) {
            sent.push(self.sent(false, transmit.to, &datagram[..transmit.len]));
        }
        if visits.is_multiple_of(VISITS_PER_RTCP) {
            while let Some(transmit) = self.leg.poll_rtcp(now, &mut datagram) {
                sent.push(self.sent(true, transmit.to, &datagram[..transmit.len]));
            }
        }
    }

    fn sent(&self, rtcp: bool, to: SocketAddr, bytes: &[u8]) -> Sent {
        let own = rtcp && !self.leg.config().rtcp_mux;
        let port = self.local.port() + u16::from(own);
        Sent {
            from: SocketAddr::new(self.local.ip(), port),
            to,
            bytes: bytes.to_vec(),
        }
    }
}

/// RTCP is looked at so rarely, as in the real thread.
const VISITS_PER_RTCP: u64 = 25;

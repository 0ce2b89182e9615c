//! A media thread without a thread: legs, visited every 20 ms of virtual time.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use media_engine::dtmf::Key;
use media_engine::leg::{
    Bridge, DATAGRAM, Leg, LegConfig, LegEvent, LegId, LegReport, PlayId, Playlist,
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
    Bridge(LegId),
    Unbridge,
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
    partner: Option<LegId>,
    /// Frames of the recording that runs.
    tape: Option<u32>,
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
            let mut partner = seat
                .partner
                .and_then(|id| Some((id, self.seats.remove(&id)?)));
            seat.visit(
                now,
                partner.as_mut().map(|(_, seat)| seat),
                self.visits,
                &mut self.sent,
            );
            let mut changed = false;
            while let Some(event) = seat.leg.poll_event() {
                changed |= matches!(event, LegEvent::CodecChanged { .. });
                self.news.push_back((id, News::Leg(event)));
            }
            self.seats.insert(id, seat);
            self.seats.extend(partner);
            if changed {
                self.join_again(now, id);
            }
        }
    }

    fn obey(&mut self, now: Instant, id: LegId, command: Command) {
        if let Command::Seat(local, config, seed) = command {
            let seat = Seat {
                leg: Leg::new(now, *config, seed),
                local,
                partner: None,
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
                self.join_again(now, id);
            }
            Command::Play(play, list) => seat.leg.play(now, play, list),
            Command::Stop => seat.leg.stop(now),
            Command::Press(key) => {
                seat.leg.press(now, key);
            }
            Command::Record => {
                seat.tape = Some(0);
                seat.leg.start_recording(now);
            }
            Command::StopRecording => {
                seat.leg.stop_recording(now);
                let tape = seat.tape.take();
                self.news
                    .extend(tape.map(|frames| (id, News::Recorded(frames))));
            }
            Command::Bridge(other) => self.bridge(now, id, other),
            Command::Unbridge => self.unbridge(now, id),
            Command::Close => self.close(now, id),
        }
    }

    fn bridge(&mut self, now: Instant, one: LegId, other: LegId) {
        self.unbridge(now, one);
        self.unbridge(now, other);
        if !self.seats.contains_key(&one) || !self.seats.contains_key(&other) {
            return;
        }
        for (leg, partner) in [(one, other), (other, one)] {
            if let Some(seat) = self.seats.get_mut(&leg) {
                seat.partner = Some(partner);
            }
        }
        self.join_again(now, one);
    }

    fn join_again(&mut self, now: Instant, one: LegId) {
        let Some(here) = self.seats.get(&one) else {
            return;
        };
        let Some((other, there)) = here
            .partner
            .and_then(|other| Some((other, self.seats.get(&other)?)))
        else {
            return;
        };
        let bridge = Bridge::between(&here.leg, &there.leg);
        for leg in [one, other] {
            if let Some(seat) = self.seats.get_mut(&leg) {
                seat.leg.bridge(now, Some(bridge));
            }
        }
    }

    fn unbridge(&mut self, now: Instant, leg: LegId) {
        let partner = self.seats.get(&leg).and_then(|seat| seat.partner);
        for leg in [Some(leg), partner].into_iter().flatten() {
            if let Some(seat) = self.seats.get_mut(&leg)
                && seat.partner.take().is_some()
            {
                seat.leg.bridge(now, None);
            }
        }
    }

    fn close(&mut self, now: Instant, id: LegId) {
        self.unbridge(now, id);
        let Some(mut seat) = self.seats.remove(&id) else {
            return;
        };
        self.places.remove(&seat.local);
        let mut datagram = [0; DATAGRAM];
        if let Some(transmit) = seat.leg.close(now, &mut datagram) {
            self.sent
                .push(seat.sent(true, transmit.to, &datagram[..transmit.len]));
        }
        if let Some(frames) = seat.tape.take() {
            self.news.push_back((id, News::Recorded(frames)));
        }
        let report = Box::new(seat.leg.report());
        self.news.push_back((id, News::Closed(report)));
    }
}

impl Seat {
    fn visit(
        &mut self,
        now: Instant,
        mut partner: Option<&mut Self>,
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
            let relayed = self.leg.handle_packet(now, arrival, from, &mut bytes);
            if let (Some(relayed), Some(partner)) = (relayed, partner.as_deref_mut())
                && let Some(transmit) = partner.leg.relay(now, &relayed, &mut datagram)
            {
                sent.push(partner.sent(false, transmit.to, &datagram[..transmit.len]));
            }
        }
        self.leg.handle_timeout(now);
        while let Some(audio) = self.leg.poll_audio(now) {
            if let (Some(tape), Some(_)) = (&mut self.tape, audio.recording) {
                *tape += 1;
            }
            if let Some(partner) = partner.as_deref_mut() {
                partner.leg.hear(now, &audio);
            }
        }
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

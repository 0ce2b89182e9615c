//! Legs that hear each other, as a media thread would have it.

use super::*;

/// Legs of one thread, who hears whom, and what goes out of each.
pub(super) struct Joined {
    pub(super) now: Instant,
    pub(super) legs: Vec<Leg>,
    sources: Vec<Vec<(usize, Cursor)>>,
    pub(super) sent: Vec<Vec<Vec<u8>>>,
    pub(super) events: Vec<Vec<LegEvent>>,
}

/// Where the peer of this leg is.
pub(super) fn remote(leg: usize) -> SocketAddr {
    let host = 7 + u8::try_from(leg).expect("few legs");
    SocketAddr::from(([192, 0, 2, host], 4_000))
}

impl Joined {
    pub(super) fn new(configs: impl IntoIterator<Item = LegConfig>) -> Self {
        let now = origin();
        let legs: Vec<Leg> = (1..)
            .zip(configs)
            .map(|(seed, config)| Leg::new(now, config, seed))
            .collect();
        Self {
            now,
            sources: vec![vec![]; legs.len()],
            sent: vec![vec![]; legs.len()],
            events: legs.iter().map(|_| vec![]).collect(),
            legs,
        }
    }

    /// Two legs that hear each other.
    pub(super) fn pair(configs: [LegConfig; 2]) -> Self {
        let mut joined = Self::new(configs);
        joined.hear(0, &[1]);
        joined.hear(1, &[0]);
        joined
    }

    /// From now on `leg` hears these.
    pub(super) fn hear(&mut self, leg: usize, sources: &[usize]) {
        let before = std::mem::take(&mut self.sources[leg]);
        let place = |source: &usize| {
            let kept = before.iter().find(|(at, _)| at == source).copied();
            kept.unwrap_or((*source, self.legs[*source].cursor()))
        };
        self.sources[leg] = sources.iter().map(place).collect();
        self.settle(leg);
    }

    /// Settles how everybody hears, as after a change of what `leg` speaks or hears.
    pub(super) fn settle(&mut self, leg: usize) {
        for listener in 0..self.legs.len() {
            let sources = &self.sources[listener];
            if listener != leg && sources.iter().all(|(source, _)| *source != leg) {
                continue;
            }
            let sources = sources.iter().map(|(source, _)| &self.legs[*source]);
            let hearing = Hearing::of(&self.legs[listener], sources);
            self.legs[listener].hear(self.now, hearing);
        }
        for source in 0..self.legs.len() {
            let hears =
                |sources: &Vec<(usize, Cursor)>| sources.iter().any(|(at, _)| *at == source);
            let listeners = self.legs.iter().zip(&self.sources);
            let wanted = listeners
                .filter(|(_, sources)| hears(sources))
                .map(|(listener, _)| listener.wants())
                .max();
            self.legs[source].be_heard(self.now, wanted.unwrap_or_default());
        }
    }

    /// The peer of leg `from` sends a datagram.
    pub(super) fn receive(&mut self, from: usize, mut datagram: Vec<u8>) {
        let now = self.now;
        let relayed = self.legs[from].handle_packet(now, now, remote(from), &mut datagram);
        let Some(relayed) = relayed else { return };
        for (listener, leg) in self.legs.iter_mut().enumerate() {
            let mut out = [0; DATAGRAM];
            if self.sources[listener]
                .iter()
                .any(|(source, _)| *source == from)
                && let Some(transmit) = leg.relay(now, &relayed, &mut out)
            {
                assert_eq!(transmit.to, remote(listener));
                self.sent[listener].push(out[..transmit.len].to_vec());
            }
        }
    }

    pub(super) fn visit(&mut self) {
        let now = self.now;
        for turn in 0..self.legs.len() {
            self.legs[turn].handle_timeout(now);
            while self.legs[turn].poll_audio(now).is_some() {}
            self.send(turn);
            let mut changed = false;
            while let Some(event) = self.legs[turn].poll_event() {
                changed |= matches!(event, LegEvent::CodecChanged { .. });
                if let LegEvent::Key {
                    key,
                    by: KeyPath::Event,
                } = event
                {
                    self.pass_on(turn, key);
                }
                self.events[turn].push(event);
            }
            if changed {
                self.settle(turn);
            }
        }
        self.now += crate::codec::FRAME;
    }

    fn send(&mut self, turn: usize) {
        let (before, rest) = self.legs.split_at_mut(turn);
        let (leg, behind) = rest.split_first_mut().expect("there");
        let sources = &mut self.sources[turn];
        leg.mix(self.now, |sum| {
            for (source, cursor) in sources.iter_mut() {
                let source = if *source < turn {
                    &before[*source]
                } else {
                    &behind[*source - turn - 1]
                };
                sum.add(source, cursor);
            }
        });
        let mut out = [0; DATAGRAM];
        while let Some(transmit) = leg.poll_packet(self.now, &mut out) {
            self.sent[turn].push(out[..transmit.len].to_vec());
        }
    }

    fn pass_on(&mut self, from: usize, key: Key) {
        for (listener, leg) in self.legs.iter_mut().enumerate() {
            if self.sources[listener]
                .iter()
                .any(|(source, _)| *source == from)
            {
                leg.hear_key(self.now, key);
            }
        }
    }
}

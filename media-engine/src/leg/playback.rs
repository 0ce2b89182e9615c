//! What peers said, from their packets, in told time: how a recording is heard.
//!
//! ```text
//!  a.handle_packet ─▶ Relayed::said ─ as it came, to whoever writes files ─▶ handle_packet ─▶ poll_frame
//! ```
//!
//! A recording needs nothing at once. Decoding for it at every visit would cost a media thread as much
//! again as relaying the call, most of it in bringing memory into the cache for 20 ms of sound; many
//! packets in one go cost a fraction, and any other thread can do it.

use std::time::Instant;

use super::{config::LegId, ear::Ear};
use crate::codec::{Codec, FRAME};

/// Samples of 20 ms at 8 kHz.
pub const NARROW_FRAME: usize = 160;

/// A packet of audio as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said<'p> {
    /// Counts the streams of the peer: with another one, timestamps begin anew.
    pub stream: u32,
    /// In units of the codec's RTP clock.
    pub timestamp: u32,
    /// What the payload is in.
    pub codec: Codec,
    /// The audio.
    pub payload: &'p [u8],
}

/// Whom a recording has heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The peer of the leg that is recorded.
    Own,
    /// Those whom that leg hears.
    Others,
}

/// 20 ms of both sides at 8 kHz.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sides {
    /// [`Side::Own`].
    pub own: [i16; NARROW_FRAME],
    /// [`Side::Others`], added up.
    pub others: [i16; NARROW_FRAME],
}

/// Plays what was said, in step with the clock: silence where nothing came.
#[derive(Debug)]
pub struct Playback {
    /// When the next frame is due.
    next: Instant,
    parties: Vec<Party>,
}

/// One leg whose peer is heard.
#[derive(Debug)]
struct Party {
    leg: LegId,
    side: Side,
    stream: u32,
    /// When it was heard last.
    last: Instant,
    ear: Ear,
}

impl Playback {
    /// Begins at `now`; the first frame is of this moment.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            next: now,
            parties: Vec::new(),
        }
    }

    /// Takes what came from the peer of `leg` at `arrival` and was read at `now`. First take what is due
    /// by then from [`Playback::poll_frame`], as it was heard without this packet.
    pub fn handle_packet(
        &mut self,
        now: Instant,
        arrival: Instant,
        leg: LegId,
        side: Side,
        said: &Said<'_>,
    ) {
        let party = self.party(now, leg, side, said);
        if party.stream != said.stream {
            party.stream = said.stream;
            party.ear.restart();
        }
        party.last = now;
        party
            .ear
            .insert(arrival, said.timestamp, said.codec, said.payload);
    }

    /// The next 20 ms, if they are due by `now`.
    pub fn poll_frame(&mut self, now: Instant) -> Option<Sides> {
        if self.next > now {
            return None;
        }
        let mut sides = Sides {
            own: [0; NARROW_FRAME],
            others: [0; NARROW_FRAME],
        };
        for party in &mut self.parties {
            if party.ear.turn(self.next).is_none() {
                continue;
            }
            let side = match party.side {
                Side::Own => &mut sides.own,
                Side::Others => &mut sides.others,
            };
            for (sum, sample) in side.iter_mut().zip(party.ear.voice().last()) {
                *sum = sum.saturating_add(*sample);
            }
        }
        self.next += FRAME;
        Some(sides)
    }

    /// The party of this leg, which may be new.
    fn party(&mut self, now: Instant, leg: LegId, side: Side, said: &Said<'_>) -> &mut Party {
        let known = self.parties.iter().position(|one| one.leg == leg);
        let place = known.unwrap_or_else(|| {
            let oldest = (0..self.parties.len()).min_by_key(|at| self.parties[*at].last);
            if let Some(oldest) = oldest.filter(|_| self.parties.len() >= PARTIES_MAX) {
                self.parties.swap_remove(oldest);
            }
            self.parties.push(Party {
                leg,
                side,
                stream: said.stream,
                last: now,
                ear: Ear::new(self.next, said.codec, 0),
            });
            self.parties.len() - 1
        });
        &mut self.parties[place]
    }
}

/// Parties that are kept, those heard last: all that a leg can hear at once, and some who have left. Each
/// takes some 25 KB.
const PARTIES_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::codec::g711;

    /// Legs that say a constant each, and the recording of it.
    struct Scene {
        playback: Playback,
        start: Instant,
        frame: u32,
    }

    impl Scene {
        fn new() -> Self {
            #[allow(clippy::disallowed_methods)] // only differences count
            let start = Instant::now();
            Self {
                playback: Playback::new(start),
                start,
                frame: 0,
            }
        }

        /// 20 ms in which these legs say these levels, and what is heard then.
        fn turn(&mut self, spoken: &[(u64, Side, i16)]) -> (i16, i16) {
            let now = self.start + FRAME * self.frame;
            for (leg, side, level) in spoken {
                let said = Said {
                    stream: 0,
                    timestamp: self.frame * 160,
                    codec: Codec::Pcma,
                    payload: &[g711::alaw(*level); NARROW_FRAME],
                };
                self.playback
                    .handle_packet(now, now, LegId(*leg), *side, &said);
            }
            self.frame += 1;
            let heard = self.playback.poll_frame(now).expect("one is due");
            assert_eq!(self.playback.poll_frame(now), None);
            (heard.own[80], heard.others[80])
        }
    }

    fn level(level: i16) -> i16 {
        g711::from_alaw(g711::alaw(level))
    }

    #[test]
    fn the_sides_are_apart_and_the_others_are_added_up() {
        let mut scene = Scene::new();
        let spoken = [
            (1, Side::Own, 1_000),
            (2, Side::Others, 2_000),
            (3, Side::Others, -500),
        ];
        let heard: Vec<_> = (0..50).map(|_| scene.turn(&spoken)).collect();
        assert_eq!(heard[0], (0, 0));
        let whole = (level(1_000), level(2_000) + level(-500));
        assert!(heard[3..].iter().all(|one| *one == whole), "{heard:?}");
    }

    #[test]
    fn it_is_silent_while_nobody_speaks_and_in_step_with_the_clock() {
        let mut scene = Scene::new();
        let speaks = [(1, Side::Own, 1_000)];
        let turns = [(10, &speaks[..]), (40, &[]), (10, &speaks[..])];
        let heard: Vec<i16> = turns
            .into_iter()
            .flat_map(|(turns, spoken)| vec![spoken; turns])
            .map(|spoken| scene.turn(spoken).0)
            .collect();
        assert_eq!(heard[9], level(1_000));
        assert!(heard[20..50].iter().all(|sample| *sample == 0), "{heard:?}");
        assert_eq!(heard[58], level(1_000));
        assert_eq!(scene.playback.next, scene.start + FRAME * 60);
    }

    #[test]
    fn a_party_that_was_brought_late_is_heard_at_its_time() {
        let mut scene = Scene::new();
        scene.frame = 30;
        let later = scene.start + FRAME * 30;
        let before = std::iter::from_fn(|| scene.playback.poll_frame(later - FRAME));
        assert_eq!(before.count(), 30);
        let heard: Vec<i16> = (0..5)
            .map(|_| scene.turn(&[(7, Side::Others, 3_000)]).1)
            .collect();
        assert_eq!((heard[0], heard[4]), (0, level(3_000)));
    }

    #[test]
    fn no_more_parties_are_kept_than_are_heard() {
        let mut scene = Scene::new();
        for leg in 0..100 {
            scene.turn(&[(leg, Side::Others, 1_000), (1_000, Side::Own, 1_000)]);
            assert!(scene.playback.parties.len() <= PARTIES_MAX);
        }
        let kept = |leg| scene.playback.parties.iter().any(|one| one.leg == leg);
        assert!(kept(LegId(99)) && kept(LegId(1_000)) && !kept(LegId(0)));
        assert!(Duration::from_secs(2) <= scene.playback.next - scene.start);
    }
}

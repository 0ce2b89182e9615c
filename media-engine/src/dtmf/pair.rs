//! One key for each press, though some telephones tell of each twice: in their media and by INFO.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::Key;

/// The two ways on which the same press may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// RFC 4733 events or tones, as a leg hears them: never both for one press.
    Media,
    /// SIP INFO.
    Info,
}

/// Finds the two tellings of one press.
///
/// What comes on one way is matched with the oldest telling of the same key on the other way that has
/// no match yet. So it does not matter which way is faster, nor how fast somebody types: as many
/// presses are heard as the fuller way tells.
#[derive(Debug, Default)]
pub struct Pairing {
    /// Presses told on one way so far, the oldest first.
    single: VecDeque<Told>,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    key: Key,
    way: Way,
    at: Instant,
}

impl Pairing {
    /// A key came on this way; returns whether it is a press that was not told before.
    pub fn is_new(&mut self, now: Instant, key: Key, way: Way) -> bool {
        self.single
            .retain(|told| now.saturating_duration_since(told.at) <= APART_MAX);
        let twin = |told: &Told| told.key == key && told.way != way;
        if let Some(place) = self.single.iter().position(twin) {
            self.single.remove(place);
            return false;
        }
        if self.single.len() == SINGLE_MAX {
            self.single.pop_front();
        }
        self.single.push_back(Told { key, way, at: now });
        true
    }
}

/// How far apart the tellings of a press may be: INFO comes at its end, and late when it is lost twice
/// (1.5 s); nobody holds a key for longer than the rest.
const APART_MAX: Duration = Duration::from_secs(4);

/// Presses that wait for their match: nobody types more within [`APART_MAX`].
const SINGLE_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use Way::{Info, Media};

    /// Which of these (milliseconds, key, way) are new presses.
    fn heard(told: &[(u64, char, Way)]) -> String {
        let start = crate::rtp::origin();
        let mut pairing = Pairing::default();
        let new = told.iter().filter(|(ms, key, way)| {
            let key = Key::from_char(*key).expect("a key");
            pairing.is_new(start + Duration::from_millis(*ms), key, *way)
        });
        new.map(|(_, key, _)| *key).collect()
    }

    #[test]
    fn a_press_told_twice_is_heard_once_whichever_comes_first() {
        assert_eq!(heard(&[(0, '1', Media), (90, '1', Info)]), "1");
        assert_eq!(heard(&[(0, '1', Info), (20, '1', Media)]), "1");
        assert_eq!(
            heard(&[(0, '1', Media), (3_900, '1', Info)]),
            "1",
            "held long"
        );
    }

    #[test]
    fn presses_told_once_are_all_heard() {
        for way in [Media, Info] {
            let told = [
                (0, '1', way),
                (100, '1', way),
                (200, '1', way),
                (300, '2', way),
            ];
            assert_eq!(heard(&told), "1112");
        }
    }

    #[test]
    fn the_same_key_twice_is_two_presses_however_the_tellings_are_mixed() {
        for told in [
            [
                (0, '1', Media),
                (50, '1', Info),
                (200, '1', Media),
                (250, '1', Info),
            ],
            [
                (0, '1', Media),
                (200, '1', Media),
                (210, '1', Info),
                (400, '1', Info),
            ],
            [
                (0, '1', Info),
                (1, '1', Info),
                (200, '1', Media),
                (201, '1', Media),
            ],
            [
                (0, '1', Media),
                (50, '1', Info),
                (200, '1', Info),
                (250, '1', Media),
            ],
        ] {
            assert_eq!(heard(&told), "11", "{told:?}");
        }
        let different = [
            (0, '1', Media),
            (100, '2', Media),
            (120, '1', Info),
            (220, '2', Info),
        ];
        assert_eq!(heard(&different), "12");
    }

    #[test]
    fn a_telling_that_was_lost_costs_no_press() {
        let told = [(0, '1', Info), (1_000, '1', Media), (1_100, '1', Info)];
        assert_eq!(heard(&told), "11");
    }

    #[test]
    fn another_key_and_a_late_one_are_no_match() {
        assert_eq!(heard(&[(0, '1', Media), (10, '2', Info)]), "12");
        assert_eq!(heard(&[(0, '1', Media), (4_001, '1', Info)]), "11");
    }

    #[test]
    fn what_waits_is_bounded() {
        let start = crate::rtp::origin();
        let mut pairing = Pairing::default();
        for _ in 0..1_000 {
            assert!(pairing.is_new(start, Key::One, Media));
        }
        assert_eq!(pairing.single.len(), SINGLE_MAX);
    }
}

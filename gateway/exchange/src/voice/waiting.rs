//! What a caller hears while waiting for a service.
//!
//! ```text
//!  begin ─▶ announcement ─▶ music ──(announce_every)──▶ announcement ─▶ music …
//! ```
//!
//! The place in line is never said again when it got no better: nothing discourages more.

use std::time::{Duration, Instant};

use ivr::Language;
use ivr::machine::Ticket;

use crate::clip::Clip;
use crate::directory::Service;
use crate::words;

/// One caller's wait.
#[derive(Debug)]
pub(super) struct Waiting {
    /// For the answer to the flow.
    pub(super) ticket: Ticket,
    service: Service,
    language: Language,
    /// Which announcement comes next.
    next: usize,
    /// The last place that was said.
    said: Option<usize>,
    announce_at: Option<Instant>,
}

/// What to play now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) clips: Vec<Clip>,
    pub(super) repeat: bool,
}

impl Waiting {
    pub(super) fn new(ticket: Ticket, service: Service, language: Language) -> Self {
        Self {
            ticket,
            service,
            language,
            next: 0,
            said: None,
            announce_at: None,
        }
    }

    /// The wait begins: what is heard first.
    pub(super) fn begin(&mut self, now: Instant, position: Option<usize>) -> Heard {
        self.announce_at = self.service.announce_every.map(|every| now + every);
        self.announcement(position).unwrap_or_else(|| self.music())
    }

    /// An announcement has been played to its end.
    pub(super) fn handle_played(&mut self) -> Heard {
        self.music()
    }

    /// Time has come to [`Waiting::poll_timeout`]: what is heard now, if that changes.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        position: Option<usize>,
    ) -> Option<Heard> {
        let due = self.announce_at.filter(|due| *due <= now)?;
        let every = self
            .service
            .announce_every
            .unwrap_or(ANNOUNCE_EVERY_MIN)
            .max(ANNOUNCE_EVERY_MIN);
        self.announce_at = Some(due.max(now) + every);
        self.announcement(position)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.announce_at
    }

    fn announcement(&mut self, position: Option<usize>) -> Option<Heard> {
        let mut clips = Vec::new();
        if !self.service.announcements.is_empty() {
            let index = self.next % self.service.announcements.len();
            clips.extend(
                self.service
                    .announcements
                    .get(index)
                    .cloned()
                    .map(Clip::Prompt),
            );
            self.next = index + 1;
        }
        if let Some(position) = position
            && self.service.say_position
            && self.said.is_none_or(|said| position < said)
        {
            self.said = Some(position);
            clips.extend(words::position(self.language, position));
        }
        (!clips.is_empty()).then_some(Heard {
            clips,
            repeat: false,
        })
    }

    fn music(&self) -> Heard {
        let clip = self.service.music.clone().map_or(Clip::Music, Clip::Prompt);
        Heard {
            clips: vec![clip],
            repeat: true,
        }
    }
}

/// More often than this nobody hears music at all, whatever was configured.
const ANNOUNCE_EVERY_MIN: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods)] // the one clock read of this module: only differences count
    fn origin() -> Instant {
        Instant::now()
    }

    fn service(announcements: usize, say_position: bool) -> Service {
        Service {
            name: "Vendas".into(),
            wait_limit: Duration::from_secs(60),
            line_max: 10,
            music: None,
            announcements: (0..announcements)
                .map(|index| format!("a{index}").parse().expect("an id"))
                .collect(),
            announce_every: Some(Duration::from_secs(20)),
            say_position,
        }
    }

    fn prompts(heard: &Heard) -> Vec<&str> {
        heard
            .clips
            .iter()
            .filter_map(|clip| match clip {
                Clip::Prompt(id) => Some(id.as_str()),
                Clip::Music => Some("music"),
                Clip::Sound { .. } => Some("word"),
                Clip::Speech { .. } | Clip::RingingTone => None,
            })
            .collect()
    }

    #[test]
    fn announcements_take_turns_and_music_fills_the_time_between() {
        let start = origin();
        let mut waiting = Waiting::new(Ticket(1), service(2, false), Language::PtBr);
        let first = waiting.begin(start, Some(1));
        assert_eq!(prompts(&first), ["a0"]);
        assert_eq!(
            waiting.handle_played(),
            Heard {
                clips: vec![Clip::Music],
                repeat: true
            }
        );

        let due = waiting.poll_timeout().expect("announcements are set");
        assert_eq!(due - start, Duration::from_secs(20));
        assert_eq!(
            waiting.handle_timeout(due - Duration::from_millis(1), Some(1)),
            None
        );
        let second = waiting
            .handle_timeout(due, Some(1))
            .expect("an announcement");
        assert_eq!(prompts(&second), ["a1"]);
        let due = waiting.poll_timeout().expect("announcements go on");
        let third = waiting
            .handle_timeout(due, Some(1))
            .expect("an announcement");
        assert_eq!(prompts(&third), ["a0"]);
    }

    #[test]
    fn the_place_is_said_when_it_got_better_and_never_when_it_did_not() {
        let start = origin();
        let mut waiting = Waiting::new(Ticket(1), service(0, true), Language::PtBr);
        assert!(
            !waiting.begin(start, Some(3)).repeat,
            "the place is said at once"
        );
        let due = waiting.poll_timeout().expect("a deadline");
        assert_eq!(waiting.handle_timeout(due, Some(3)), None);
        let due = waiting.poll_timeout().expect("a deadline");
        assert_eq!(waiting.handle_timeout(due, Some(4)), None);
        let due = waiting.poll_timeout().expect("a deadline");
        assert!(waiting.handle_timeout(due, Some(2)).is_some());
    }

    #[test]
    fn a_service_without_announcements_plays_music_at_once() {
        let mut waiting = Waiting::new(Ticket(1), service(0, false), Language::PtBr);
        assert_eq!(prompts(&waiting.begin(origin(), Some(1))), ["music"]);
    }
}

//! What a caller hears while waiting for a service.
//!
//! ```text
//!  begin ─▶ music ──(an announcement is due)──▶ announcement ─▶ music …
//! ```
//!
//! The place in line is never said again when it got no better: nothing discourages more.

use std::time::{Duration, Instant};

use desk::id::{ServiceId, WorkId};
use ivr::Language;
use ivr::machine::Ticket;

use crate::clip::Clip;
use crate::directory::Service;
use crate::words;

/// One caller's wait.
#[derive(Debug)]
pub(super) struct Waiting {
    /// What waits, as the desk knows it.
    pub(super) work: WorkId,
    /// For the answer to the flow, where one waits for it.
    pub(super) ticket: Option<Ticket>,
    id: ServiceId,
    service: Service,
    language: Language,
    /// When each announcement is said next, in the order of the service.
    due: Vec<Option<Instant>>,
    /// The last place that was said.
    said: Option<usize>,
}

/// What to play now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) clips: Vec<Clip>,
    pub(super) repeat: bool,
}

impl Waiting {
    pub(super) fn new(
        work: WorkId,
        ticket: Option<Ticket>,
        id: ServiceId,
        service: Service,
        language: Language,
    ) -> Self {
        Self {
            work,
            ticket,
            id,
            service,
            language,
            due: Vec::new(),
            said: None,
        }
    }

    /// Whose line it is.
    pub(super) fn service_id(&self) -> &ServiceId {
        &self.id
    }

    /// The wait begins: what is heard first.
    pub(super) fn begin(&mut self, now: Instant, position: Option<usize>) -> Heard {
        self.due = self
            .service
            .announcements
            .iter()
            .map(|said| Some(now + said.after))
            .collect();
        self.handle_timeout(now, position)
            .unwrap_or_else(|| self.music())
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
        let mut clips = Vec::new();
        for (due, said) in self.due.iter_mut().zip(&self.service.announcements) {
            if due.is_some_and(|due| due <= now) {
                *due = said.every.map(|every| now + every.max(EVERY_MIN));
                clips.push(Clip::Prompt(said.prompt.clone()));
            }
        }
        if clips.is_empty() {
            return None;
        }
        if let Some(position) = position
            && self.service.say_position
            && self.said.is_none_or(|said| position < said)
        {
            self.said = Some(position);
            clips.extend(words::position(self.language, position));
        }
        Some(Heard {
            clips,
            repeat: false,
        })
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due.iter().flatten().min().copied()
    }

    /// What is said at the end of a wait without success.
    pub(super) fn unanswered(&self) -> Option<Heard> {
        let prompt = self.service.unanswered.clone()?;
        Some(Heard {
            clips: vec![Clip::Prompt(prompt)],
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
const EVERY_MIN: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Announcement;

    #[allow(clippy::disallowed_methods)] // the one clock read of this module: only differences count
    fn origin() -> Instant {
        Instant::now()
    }

    fn work() -> WorkId {
        "w1".parse().expect("an id")
    }

    fn sales() -> ServiceId {
        "sales".parse().expect("an id")
    }

    fn service(announcements: &[(u64, Option<u64>)], say_position: bool) -> Service {
        let announcements = announcements
            .iter()
            .enumerate()
            .map(|(index, (after, every))| Announcement {
                prompt: format!("a{index}").parse().expect("an id"),
                after: Duration::from_secs(*after),
                every: every.map(Duration::from_secs),
            });
        Service {
            name: "Vendas".into(),
            wait_limit: Duration::from_secs(60),
            line_max: 10,
            ring: Duration::from_secs(15),
            wrap_up: Duration::ZERO,
            music: None,
            announcements: announcements.collect(),
            say_position,
            unanswered: None,
            calendar: None,
        }
    }

    fn names(heard: &Heard) -> Vec<&str> {
        heard
            .clips
            .iter()
            .filter_map(|clip| match clip {
                Clip::Prompt(id) => Some(id.as_str()),
                Clip::Music => Some("music"),
                Clip::Sound { .. } | Clip::Speech { .. } | Clip::RingingTone => None,
            })
            .collect()
    }

    #[test]
    fn each_announcement_keeps_its_own_time_and_music_fills_the_rest() {
        let start = origin();
        let mut waiting = Waiting::new(
            work(),
            Some(Ticket(1)),
            sales(),
            service(&[(0, None), (20, Some(30))], false),
            Language::PtBr,
        );
        assert_eq!(names(&waiting.begin(start, Some(1))), ["a0"]);
        assert_eq!(
            waiting.handle_played(),
            Heard {
                clips: vec![Clip::Music],
                repeat: true
            }
        );
        for seconds in [20, 50, 80] {
            let due = waiting.poll_timeout().expect("an announcement is to come");
            assert_eq!(due - start, Duration::from_secs(seconds));
            assert_eq!(
                waiting.handle_timeout(due - Duration::from_millis(1), Some(1)),
                None
            );
            let heard = waiting
                .handle_timeout(due, Some(1))
                .expect("an announcement");
            assert_eq!(names(&heard), ["a1"]);
        }
    }

    #[test]
    fn the_place_is_said_when_it_got_better_and_never_when_it_did_not() {
        let start = origin();
        let mut waiting = Waiting::new(
            work(),
            Some(Ticket(1)),
            sales(),
            service(&[(0, Some(10))], true),
            Language::PtBr,
        );
        let said = |waiting: &mut Waiting, place| {
            let due = waiting.poll_timeout().expect("a deadline");
            waiting
                .handle_timeout(due, Some(place))
                .expect("an announcement")
                .clips
                .len()
                > 1
        };
        assert!(
            waiting.begin(start, Some(3)).clips.len() > 1,
            "the place is said at once"
        );
        assert!(!said(&mut waiting, 3));
        assert!(!said(&mut waiting, 4));
        assert!(said(&mut waiting, 2));
    }

    #[test]
    fn a_service_without_announcements_plays_music_at_once() {
        let mut waiting = Waiting::new(
            work(),
            Some(Ticket(1)),
            sales(),
            service(&[], false),
            Language::PtBr,
        );
        assert_eq!(names(&waiting.begin(origin(), Some(1))), ["music"]);
        assert_eq!(waiting.poll_timeout(), None);
    }
}

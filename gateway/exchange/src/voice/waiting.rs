//! What a caller hears while waiting for a service.
//!
//! ```text
//!  begin ─▶ music ──(an announcement is due)──▶ announcement ─▶ music …
//! ```
//!
//! The place in line is never said again when it got no better: nothing discourages more.

use std::time::{Duration, Instant};

use desk::id::{PromptId, ServiceId, WorkId};
use ivr::machine::Ticket;
use ivr::{Key, Language};

use crate::clip::Clip;
use crate::directory::{Recording, Service};
use crate::words;

use super::callback::{self, Asking, Turn};

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
    /// The last wait that was foretold, in minutes.
    foretold: Option<u32>,
    /// The key by which they may ask to be called back, and when they are told so next.
    offer: Option<Offer>,
    /// They ask to be called back.
    asking: Option<Asking>,
    /// They were told that they may be recorded.
    noticed: bool,
}

#[derive(Debug)]
struct Offer {
    key: Key,
    due: Instant,
}

/// How somebody stands in the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// Their place, 1 being the next to be served.
    pub(super) position: Option<usize>,
    /// How long they will probably wait from now on, in milliseconds.
    pub(super) expected_ms: Option<i64>,
}

impl Standing {
    /// What is expected, in whole minutes: nobody is told of seconds.
    fn minutes(self) -> Option<u32> {
        let minutes = self.expected_ms?.max(0).unsigned_abs().div_ceil(60_000);
        u32::try_from(minutes.max(1)).ok()
    }
}

/// What a key of somebody who waits leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// This is heard from now on.
    Hear(Heard),
    /// Nothing changes.
    Nothing,
    /// They are to be called back at this number.
    Promise(String),
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
            foretold: None,
            offer: None,
            asking: None,
            noticed: false,
        }
    }

    /// Whose line it is.
    pub(super) fn service_id(&self) -> &ServiceId {
        &self.id
    }

    /// The wait begins: what is heard first.
    pub(super) fn begin(&mut self, now: Instant, standing: Standing) -> Heard {
        self.due = self
            .service
            .announcements
            .iter()
            .map(|said| Some(now + said.after))
            .collect();
        self.asking = None;
        let key = self.service.calls.callback_key;
        self.offer = key.map(|key| Offer {
            key,
            due: now + OFFER_AFTER,
        });
        let heard = self.announce(now, standing);
        match (heard, self.notice()) {
            (Some(heard), notice) => once(notice.into_iter().chain(heard.clips).collect()),
            (None, Some(notice)) => once(vec![notice]),
            (None, None) => self.music(),
        }
    }

    /// What is said of recording before anybody can be recorded, until it was heard once.
    fn notice(&self) -> Option<Clip> {
        self.notice_owed().map(Clip::Prompt)
    }

    /// What the customer must hear of recording, and has not heard to its end.
    pub(super) fn notice_owed(&self) -> Option<PromptId> {
        let rules = &self.service.calls;
        let notice = rules.recording_notice.clone();
        notice.filter(|_| rules.recording != Recording::Off && !self.noticed)
    }

    /// What was said has been said; nothing else is heard while an answer is waited for.
    pub(super) fn handle_played(&mut self, now: Instant) -> Option<Heard> {
        self.noticed = true; // It is in the first of all that is said.
        match &mut self.asking {
            Some(asking) => {
                asking.handle_played(now);
                None
            }
            None => Some(self.music()),
        }
    }

    /// The desk would have them called back: they are told so at once.
    pub(super) fn suggest_callback(&mut self, now: Instant) {
        let key = self.offer.as_ref().map(|offer| offer.key);
        let key = key.or_else(|| Key::new(SUGGESTED_KEY));
        self.offer = key.map(|key| Offer { key, due: now });
    }

    /// A key was pressed. `number` is the one they call from, where it can be called; `callable`
    /// knows what one that was typed stands for.
    pub(super) fn handle_key(
        &mut self,
        now: Instant,
        key: Key,
        number: impl FnOnce() -> Option<String>,
        callable: impl FnOnce(&str) -> Option<String>,
    ) -> Answer {
        if let Some(asking) = &mut self.asking {
            let turn = asking.handle_key(now, key, callable);
            return self.answer(turn);
        }
        if self.offer.as_ref().is_none_or(|offer| offer.key != key) {
            return Answer::Nothing;
        }
        let (asking, clips) = Asking::begin(self.language, number());
        self.asking = Some(asking);
        Answer::Hear(once(clips))
    }

    fn answer(&mut self, turn: Turn) -> Answer {
        match turn {
            Turn::Say(clips) => Answer::Hear(once(clips)),
            Turn::Listen => Answer::Nothing,
            Turn::Promise(number) => Answer::Promise(number),
            Turn::Back => {
                self.asking = None;
                Answer::Hear(self.music())
            }
        }
    }

    /// Time has come to [`Waiting::poll_timeout`].
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        standing: Standing,
        callable: impl FnOnce(&str) -> Option<String>,
    ) -> Answer {
        if let Some(asking) = &mut self.asking {
            let turn = asking.handle_timeout(now, callable);
            return self.answer(turn);
        }
        let heard = self.announce(now, standing);
        heard.map_or(Answer::Nothing, Answer::Hear)
    }

    /// What is said now, if anything is due.
    fn announce(&mut self, now: Instant, standing: Standing) -> Option<Heard> {
        let mut clips = Vec::new();
        for (due, said) in self.due.iter_mut().zip(&self.service.announcements) {
            if due.is_some_and(|due| due <= now) {
                *due = said.every.map(|every| now + every.max(EVERY_MIN));
                clips.push(Clip::Prompt(said.prompt.clone()));
            }
        }
        let announced = !clips.is_empty();
        if let Some(offer) = self.offer.as_mut().filter(|offer| offer.due <= now) {
            offer.due = now + OFFER_EVERY;
            clips.extend(callback::offer(self.language, offer.key));
        } else if !announced {
            return None;
        }
        // Place and wait are told as often as the announcements are set to be, and no oftener.
        let standing = if announced {
            standing
        } else {
            Standing::default()
        };
        if let Some(position) = standing.position
            && self.service.say_position
            && self.said.is_none_or(|said| position < said)
        {
            self.said = Some(position);
            clips.extend(words::position(self.language, position));
        }
        if let Some(minutes) = standing.minutes()
            && self.service.calls.say_wait
            && self.foretold.is_none_or(|foretold| minutes < foretold)
        {
            self.foretold = Some(minutes);
            clips.extend(words::wait(self.language, minutes));
        }
        Some(Heard {
            clips,
            repeat: false,
        })
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        if let Some(asking) = &self.asking {
            return asking.poll_timeout();
        }
        let offer = self.offer.as_ref().map(|offer| offer.due);
        self.due.iter().flatten().copied().chain(offer).min()
    }

    /// What is said at the end of a wait without success.
    pub(super) fn unanswered(&self) -> Option<Heard> {
        let prompt = self.service.unanswered.clone()?;
        Some(Heard {
            clips: vec![Clip::Prompt(prompt)],
            repeat: false,
        })
    }

    /// Whether they are asking to be called back.
    pub(super) fn asks(&self) -> bool {
        self.asking.is_some()
    }

    /// The last words to who will be called back.
    pub(super) fn farewell(&self) -> Heard {
        once(callback::promised(self.language))
    }

    fn music(&self) -> Heard {
        let clip = self.service.music.clone().map_or(Clip::Music, Clip::Prompt);
        Heard {
            clips: vec![clip],
            repeat: true,
        }
    }
}

fn once(clips: Vec<Clip>) -> Heard {
    Heard {
        clips,
        repeat: false,
    }
}

/// The key for who is asked by the desk, where the service has set none.
const SUGGESTED_KEY: char = '1';

/// How long one waits before one is told of being called back: who is answered soon need not know.
const OFFER_AFTER: Duration = Duration::from_secs(20);

/// How often it is said.
const OFFER_EVERY: Duration = Duration::from_secs(60);

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
            rules: desk::rules::ServiceRules::default(),
            calls: crate::directory::CallRules::default(),
        }
    }

    fn at(position: usize) -> Standing {
        Standing {
            position: Some(position),
            expected_ms: None,
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
        assert_eq!(names(&waiting.begin(start, at(1))), ["a0"]);
        assert_eq!(
            waiting.handle_played(start),
            Some(Heard {
                clips: vec![Clip::Music],
                repeat: true
            })
        );
        for seconds in [20, 50, 80] {
            let due = waiting.poll_timeout().expect("an announcement is to come");
            assert_eq!(due - start, Duration::from_secs(seconds));
            assert_eq!(
                waiting.announce(due - Duration::from_millis(1), at(1)),
                None
            );
            let heard = waiting.announce(due, at(1)).expect("an announcement");
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
                .announce(due, at(place))
                .expect("an announcement")
                .clips
                .len()
                > 1
        };
        assert!(
            waiting.begin(start, at(3)).clips.len() > 1,
            "the place is said at once"
        );
        assert!(!said(&mut waiting, 3));
        assert!(!said(&mut waiting, 4));
        assert!(said(&mut waiting, 2));
    }

    #[test]
    fn the_wait_is_foretold_in_minutes_and_never_when_it_got_longer() {
        let start = origin();
        let mut foretelling = service(&[(0, Some(10))], false);
        foretelling.calls.say_wait = true;
        let mut waiting = Waiting::new(work(), None, sales(), foretelling, Language::PtBr);
        let expects = |expected_ms| Standing {
            position: None,
            expected_ms: Some(expected_ms),
        };
        assert!(waiting.begin(start, expects(130_000)).clips.len() > 1);
        for (expected_ms, is_said) in [
            (180_000, false),
            (121_000, false),
            (60_000, true),
            (5_000, false),
        ] {
            let due = waiting.poll_timeout().expect("a deadline");
            let heard = waiting.announce(due, expects(expected_ms));
            let clips = heard.expect("an announcement").clips;
            assert_eq!(clips.len() > 1, is_said, "{expected_ms}");
        }
    }

    #[test]
    fn an_offer_to_call_back_says_no_place_that_no_announcement_is_due_to_say() {
        let mut offering = service(&[], true);
        offering.calls.callback_key = ivr::Key::new('7');
        let mut waiting = Waiting::new(work(), None, sales(), offering, Language::PtBr);
        waiting.begin(origin(), at(5));
        let due = waiting.poll_timeout().expect("an offer");
        let heard = waiting.announce(due, at(3)).expect("an offer");
        assert_eq!(heard.clips, callback::offer(Language::PtBr, offer_key()));
    }

    fn offer_key() -> ivr::Key {
        ivr::Key::new('7').expect("a key")
    }

    #[test]
    fn who_may_be_recorded_hears_so_before_anything_else_and_once() {
        let mut announced = service(&[(0, None)], false);
        announced.calls.recording = Recording::Always;
        announced.calls.recording_notice = Some("notice".parse().expect("an id"));
        let mut waiting = Waiting::new(work(), None, sales(), announced, Language::PtBr);
        assert_eq!(
            names(&waiting.begin(origin(), Standing::default())),
            ["notice", "a0"]
        );
        assert!(waiting.notice_owed().is_some(), "it is being said");
        waiting.handle_played(origin());
        assert_eq!(waiting.notice_owed(), None);
        assert_eq!(names(&waiting.begin(origin(), Standing::default())), ["a0"]);
        let mut silent = service(&[], false);
        silent.calls.recording_notice = Some("notice".parse().expect("an id"));
        let mut waiting = Waiting::new(work(), None, sales(), silent, Language::PtBr);
        assert_eq!(
            names(&waiting.begin(origin(), Standing::default())),
            ["music"]
        );
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
        assert_eq!(names(&waiting.begin(origin(), at(1))), ["music"]);
        assert_eq!(waiting.poll_timeout(), None);
    }
}

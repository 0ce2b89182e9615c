//! The conversation in which somebody who waits asks to be called back.
//!
//! ```text
//!  key ─▶ "we will call …" ─ 1 ─▶ promised
//!            ▲      │ 2, or no number known
//!  a number  │      ▼
//!  that goes └── typing
//! ```
//!
//! The star leads back to the music at any time, and so does silence. The place in the line is
//! nobody's business here: it is kept whatever is said.

use std::time::{Duration, Instant};

use ivr::words;
use ivr::{Key, Language};

use crate::clip::Clip;
use crate::words::clip;

/// Somebody asks to be called back.
#[derive(Debug)]
pub(super) struct Asking {
    language: Language,
    stage: Stage,
    /// When silence counts as an answer; none while something is said.
    until: Option<Instant>,
    /// How often nothing was answered.
    silent: u8,
}

#[derive(Debug)]
enum Stage {
    /// Whether this is the number.
    Confirming(String),
    Typing(String),
}

/// What comes of a key, or of silence.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// This is said next.
    Say(Vec<Clip>),
    /// Nothing changes.
    Listen,
    /// They are to be called back at this number.
    Promise(String),
    /// They go on waiting on the line.
    Back,
}

impl Asking {
    /// Begins, with the number that they call from where that can be called back.
    pub(super) fn begin(language: Language, number: Option<String>) -> (Self, Vec<Clip>) {
        let stage = number.map_or_else(|| Stage::Typing(String::new()), Stage::Confirming);
        let asking = Self {
            language,
            stage,
            until: None,
            silent: 0,
        };
        let question = asking.question();
        (asking, question)
    }

    /// A key was pressed. `callable` knows what a number that was typed stands for, if it can be
    /// called.
    pub(super) fn handle_key(
        &mut self,
        now: Instant,
        key: Key,
        callable: impl FnOnce(&str) -> Option<String>,
    ) -> Turn {
        self.silent = 0;
        self.until = Some(now + ANSWER_MAX);
        if key == Key::STAR {
            return Turn::Back;
        }
        match &mut self.stage {
            Stage::Confirming(number) => match key.face() {
                '1' => Turn::Promise(number.clone()),
                '2' => {
                    self.stage = Stage::Typing(String::new());
                    self.say(vec![])
                }
                _ => self.say(self.sentence("sentences/invalid-key")),
            },
            Stage::Typing(typed) if key == Key::HASH => {
                let typed = std::mem::take(typed);
                self.take(&typed, callable)
            }
            Stage::Typing(typed) => {
                if typed.len() < DIGITS_MAX {
                    typed.push(key.face());
                }
                self.until = Some(now + DIGIT_MAX);
                Turn::Listen
            }
        }
    }

    /// What was said has been said: an answer is waited for.
    pub(super) fn handle_played(&mut self, now: Instant) {
        self.until = Some(now + ANSWER_MAX);
    }

    /// When [`Asking::handle_timeout`] is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.until
    }

    /// Nothing was answered in time.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        callable: impl FnOnce(&str) -> Option<String>,
    ) -> Turn {
        if self.until.is_none_or(|until| until > now) {
            return Turn::Listen;
        }
        if let Stage::Typing(typed) = &mut self.stage
            && !typed.is_empty()
        {
            let typed = std::mem::take(typed);
            return self.take(&typed, callable);
        }
        self.silent += 1;
        if self.silent >= SILENT_MAX {
            return Turn::Back;
        }
        self.say(vec![])
    }

    fn take(&mut self, typed: &str, callable: impl FnOnce(&str) -> Option<String>) -> Turn {
        match callable(typed) {
            Some(number) => {
                self.stage = Stage::Confirming(number);
                self.say(vec![])
            }
            None => self.say(self.sentence("sentences/callback-invalid")),
        }
    }

    fn say(&mut self, first: Vec<Clip>) -> Turn {
        self.until = None;
        let question = self.question();
        Turn::Say(first.into_iter().chain(question).collect())
    }

    fn question(&self) -> Vec<Clip> {
        match &self.stage {
            Stage::Confirming(number) => {
                let mut said = self.sentence("sentences/callback-number");
                // As people write it at home: nobody dials the country they are in.
                let spoken = number.strip_prefix("+55").unwrap_or(number);
                let digits: String = spoken.chars().filter(char::is_ascii_digit).collect();
                let words = words::characters(self.language, &digits);
                said.extend(words.into_iter().map(|word| clip(self.language, word)));
                said.extend(self.sentence("sentences/callback-confirm"));
                said
            }
            Stage::Typing(_) => self.sentence("sentences/callback-type"),
        }
    }

    fn sentence(&self, name: &str) -> Vec<Clip> {
        sentence(self.language, name)
    }
}

/// What those who wait are told: that they may be called back, by which key.
pub(super) fn offer(language: Language, key: Key) -> Vec<Clip> {
    let mut said = sentence(language, "sentences/callback-offer");
    let words = words::characters(language, &key.face().to_string());
    said.extend(words.into_iter().map(|word| clip(language, word)));
    said
}

/// The last words to who will be called back.
pub(super) fn promised(language: Language) -> Vec<Clip> {
    sentence(language, "sentences/callback-promised")
}

fn sentence(language: Language, name: &str) -> Vec<Clip> {
    let word = words::sound(language, name);
    word.into_iter().map(|word| clip(language, word)).collect()
}

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(8);

/// How long between two digits before the number counts as whole.
const DIGIT_MAX: Duration = Duration::from_secs(5);

/// How often nothing may be answered before the music comes back.
const SILENT_MAX: u8 = 2;

/// The longest number (ITU-T E.164), and what may stand before it.
const DIGITS_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods)] // the one clock read of this module: only differences count
    fn origin() -> Instant {
        Instant::now()
    }

    fn key(face: char) -> Key {
        Key::new(face).expect("a key")
    }

    fn callable(typed: &str) -> Option<String> {
        (typed.len() == 11).then(|| format!("+55{typed}"))
    }

    fn names(clips: &[Clip]) -> Vec<&str> {
        clips
            .iter()
            .filter_map(|clip| match clip {
                Clip::Sound { name, .. } => Some(&**name),
                Clip::Prompt(_) | Clip::Speech { .. } | Clip::Music | Clip::RingingTone => None,
            })
            .collect()
    }

    fn said(turn: &Turn) -> Vec<&str> {
        match turn {
            Turn::Say(clips) => names(clips),
            Turn::Listen | Turn::Promise(_) | Turn::Back => vec![],
        }
    }

    fn types(asking: &mut Asking, now: Instant, digits: &str) -> Turn {
        let mut last = Turn::Listen;
        for digit in digits.chars() {
            last = asking.handle_key(now, key(digit), callable);
        }
        last
    }

    #[test]
    fn the_number_of_the_caller_is_read_back_and_promised_by_one() {
        let now = origin();
        let (mut asking, question) = Asking::begin(Language::PtBr, Some("+5511987654321".into()));
        let names = names(&question);
        assert_eq!(names.first(), Some(&"sentences/callback-number"));
        assert_eq!(
            names.len(),
            13,
            "eleven digits, and a sentence before and behind"
        );
        assert_eq!(
            asking.handle_key(now, key('1'), callable),
            Turn::Promise("+5511987654321".into())
        );
    }

    #[test]
    fn another_number_is_typed_checked_and_read_back() {
        let now = origin();
        let (mut asking, _) = Asking::begin(Language::PtBr, Some("+5511987654321".into()));
        let typing = asking.handle_key(now, key('2'), callable);
        assert_eq!(said(&typing), ["sentences/callback-type"]);
        let wrong = types(&mut asking, now, "123#");
        assert_eq!(said(&wrong)[0], "sentences/callback-invalid");
        let right = types(&mut asking, now, "21987654321#");
        assert_eq!(said(&right)[0], "sentences/callback-number");
        assert_eq!(
            types(&mut asking, now, "1"),
            Turn::Promise("+5521987654321".into())
        );
    }

    #[test]
    fn who_withholds_their_number_types_one_and_a_pause_ends_it() {
        let now = origin();
        let (mut asking, question) = Asking::begin(Language::En, None);
        assert_eq!(names(&question), ["sentences/callback-type"]);
        types(&mut asking, now, "11987654321");
        let due = asking.poll_timeout().expect("a deadline");
        assert_eq!(due - now, DIGIT_MAX);
        let turn = asking.handle_timeout(due, callable);
        assert_eq!(said(&turn)[0], "sentences/callback-number");
    }

    #[test]
    fn the_star_and_silence_lead_back_to_the_music() {
        let now = origin();
        let (mut asking, _) = Asking::begin(Language::Es, None);
        assert_eq!(types(&mut asking, now, "*"), Turn::Back);
        let (mut asking, _) = Asking::begin(Language::Es, None);
        assert_eq!(asking.poll_timeout(), None, "it is still being said");
        asking.handle_played(now);
        let due = asking.poll_timeout().expect("a deadline");
        assert_eq!(said(&asking.handle_timeout(due, callable)).len(), 1);
        asking.handle_played(due);
        let due = asking.poll_timeout().expect("a deadline");
        assert_eq!(asking.handle_timeout(due, callable), Turn::Back);
    }
}

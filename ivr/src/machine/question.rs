//! Questions: menus, digits, and the confirmation of digits.

use std::time::{Duration, Instant};

use super::{Did, Failure, Now, Onward, Playing, Session, State, Ticket};
use crate::{Collect, Key, Menu, Node, Retry, Say};

/// What a question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// One key of a menu.
    Choice,
    /// Several digits.
    Digits,
    /// Whether the digits are right.
    Confirmation,
}

/// How often an answer was wrong or missing since the node was entered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    wrong: u8,
    silent: u8,
}

/// A question that has been put to the caller.
#[derive(Clone, Debug)]
pub(super) struct Question {
    asked: Asked,
    heard: Heard,
    barge_in: bool,
    tally: Tally,
    digits: String,
}

/// How far the question is.
#[derive(Clone, Copy, Debug)]
enum Heard {
    /// It is being said.
    Playing(Playing),
    /// It has been said, and we wait for the next key until then.
    Whole { until: Instant },
}

impl Question {
    /// Whether a key pressed at this moment counts.
    pub(super) fn takes_keys(&self) -> bool {
        self.barge_in || self.playing().is_none()
    }

    /// The ticket of what is being said.
    pub(super) fn playing(&self) -> Option<Ticket> {
        match self.heard {
            Heard::Playing(playing) => Some(playing.ticket),
            Heard::Whole { .. } => None,
        }
    }

    pub(super) fn is_playing(&self, ticket: Ticket) -> bool {
        self.playing() == Some(ticket)
    }

    /// Whether digits were taken, and more may come.
    pub(super) fn has_digits(&self) -> bool {
        !self.digits.is_empty()
    }

    pub(super) fn asks(&self, asked: Asked) -> bool {
        self.asked == asked
    }

    /// The same question, with all its digits.
    pub(super) fn with_digits(self, digits: String) -> Self {
        Self { digits, ..self }
    }

    pub(super) fn until(&self) -> Instant {
        match self.heard {
            Heard::Playing(playing) => playing.until,
            Heard::Whole { until } => until,
        }
    }
}

impl Session {
    /// Puts a question, unless the caller has typed ahead: then it needs no saying.
    pub(super) fn ask(&mut self, now: Now, asked: Asked, tally: Tally, say: &[Say]) -> Onward {
        let (barge_in, first_digit) = match self.node() {
            Some(Node::Menu(menu)) => (menu.barge_in, menu.first_digit_ms),
            Some(Node::Collect(collect)) => (collect.barge_in, collect.first_digit_ms),
            Some(_) | None => return Onward::Fail(Failure::NoSuchNode),
        };
        if !barge_in {
            self.typed.clear();
        }
        let playing = if self.typed.is_empty() {
            self.play(now, say)
        } else {
            None
        };
        let heard = match playing {
            Some(playing) => Heard::Playing(playing),
            None => Heard::Whole {
                until: now.instant + milliseconds(first_digit),
            },
        };
        self.state = State::Asking(Question {
            asked,
            heard,
            barge_in,
            tally,
            digits: String::new(),
        });
        Onward::Stay
    }

    /// The question has been said to its end: time begins to run.
    pub(super) fn question_heard(&mut self, now: Now) {
        let first_digit = match self.node() {
            Some(Node::Menu(menu)) => menu.first_digit_ms,
            Some(Node::Collect(collect)) => collect.first_digit_ms,
            Some(_) | None => 0,
        };
        if let State::Asking(question) = &mut self.state {
            question.heard = Heard::Whole {
                until: now.instant + milliseconds(first_digit),
            };
            self.note(now, Did::Heard { interrupted: false });
        }
    }

    /// Gives a key to the question.
    pub(super) fn answer(&mut self, now: Now, key: Key) -> Onward {
        let State::Asking(question) = &self.state else {
            return Onward::Stay;
        };
        let question = question.clone();
        if let Some(ticket) = question.playing() {
            self.stop_playing(ticket);
            self.note(now, Did::Heard { interrupted: true });
        }
        let flow = self.flow();
        match (flow.nodes.get(&self.here()), question.asked) {
            (Some(Node::Menu(menu)), _) => self.choose(now, menu, question, key),
            (Some(Node::Collect(collect)), Asked::Confirmation) => {
                self.confirm(now, collect, question, key)
            }
            (Some(Node::Collect(collect)), Asked::Choice | Asked::Digits) => {
                self.take_digit(now, collect, question, key)
            }
            (Some(_) | None, _) => Onward::Fail(Failure::NoSuchNode),
        }
    }

    /// The caller has been silent for too long.
    pub(super) fn question_timed_out(&mut self, now: Now) -> Onward {
        let State::Asking(question) = &self.state else {
            return Onward::Stay;
        };
        let mut question = question.clone();
        let flow = self.flow();
        let retry = match flow.nodes.get(&self.here()) {
            Some(Node::Menu(menu)) => &menu.no_input,
            Some(Node::Collect(collect)) if !question.digits.is_empty() => {
                return self.digits_done(now, collect, question);
            }
            Some(Node::Collect(collect)) => &collect.no_input,
            Some(_) | None => return Onward::Fail(Failure::NoSuchNode),
        };
        question.tally.silent = question.tally.silent.saturating_add(1);
        self.note(
            now,
            Did::Silent {
                times: question.tally.silent,
            },
        );
        if question.tally.silent >= retry.attempts {
            return self.give_up(now);
        }
        self.ask_again(now, &question, &retry.say)
    }

    pub(super) fn choose(&mut self, now: Now, menu: &Menu, question: Question, key: Key) -> Onward {
        if let Some(choice) = menu.choices.iter().find(|choice| choice.key == key) {
            self.note(now, Did::Pressed { key });
            return Onward::To(choice.to.clone());
        }
        if menu.repeat_key == Some(key) {
            self.note(now, Did::Repeated { key });
            return match self.spend_step() {
                Some(why) => Onward::Fail(why),
                None => self.ask_again(now, &question, &[]),
            };
        }
        self.wrong(now, question, &key.to_string(), &menu.invalid)
    }

    fn take_digit(
        &mut self,
        now: Now,
        collect: &Collect,
        mut question: Question,
        key: Key,
    ) -> Onward {
        if collect.terminator == Some(key) {
            return self.digits_done(now, collect, question);
        }
        question.digits.push(key.face());
        if !key.is_digit() {
            let typed = shown(collect, &question.digits);
            return self.wrong(now, question, &typed, &collect.invalid);
        }
        let pause = now.instant + milliseconds(collect.inter_digit_ms);
        if question.digits.len() >= usize::from(collect.max) {
            // Whoever was told to end with # will press it although nothing is missing.
            self.late_terminator = collect.terminator.map(|terminator| (terminator, pause));
            return self.digits_done(now, collect, question);
        }
        question.heard = Heard::Whole { until: pause };
        self.state = State::Asking(question);
        Onward::Stay
    }

    pub(super) fn digits_done(
        &mut self,
        now: Now,
        collect: &Collect,
        question: Question,
    ) -> Onward {
        let typed = shown(collect, &question.digits);
        let long_enough = question.digits.len() >= usize::from(collect.min);
        let accepted = collect
            .accept
            .as_ref()
            .is_none_or(|accept| accept.holds(&question.digits));
        if !long_enough || !accepted {
            return self.wrong(now, question, &typed, &collect.invalid);
        }
        self.note(now, Did::Collected { digits: typed });
        self.variables
            .collect(&collect.variable, &question.digits, collect.sensitive);
        match &collect.confirm {
            Some(confirm) => self.ask(now, Asked::Confirmation, question.tally, &confirm.say),
            None => Onward::To(collect.next.clone()),
        }
    }

    pub(super) fn confirm(
        &mut self,
        now: Now,
        collect: &Collect,
        mut question: Question,
        key: Key,
    ) -> Onward {
        let Some(confirm) = &collect.confirm else {
            return Onward::Fail(Failure::NoSuchNode);
        };
        if key == confirm.yes {
            self.note(now, Did::Pressed { key });
            return Onward::To(collect.next.clone());
        }
        if key != confirm.no {
            return self.wrong(now, question, &key.to_string(), &collect.invalid);
        }
        self.note(now, Did::Pressed { key });
        self.typed.clear();
        question.tally.wrong = question.tally.wrong.saturating_add(1);
        if question.tally.wrong >= collect.invalid.attempts {
            return self.give_up(now);
        }
        self.ask(now, Asked::Digits, question.tally, &collect.say)
    }

    /// The answer is not among those possible. What was typed after it was meant for something
    /// else than what follows, and is dropped.
    pub(super) fn wrong(
        &mut self,
        now: Now,
        mut question: Question,
        typed: &str,
        retry: &Retry,
    ) -> Onward {
        question.tally.wrong = question.tally.wrong.saturating_add(1);
        self.note(
            now,
            Did::Invalid {
                digits: typed.to_owned(),
                times: question.tally.wrong,
            },
        );
        self.typed.clear();
        if question.tally.wrong >= retry.attempts {
            return self.give_up(now);
        }
        self.ask_again(now, &question, &retry.say)
    }

    fn ask_again(&mut self, now: Now, question: &Question, before: &[Say]) -> Onward {
        let flow = self.flow();
        let say = match (flow.nodes.get(&self.here()), question.asked) {
            (Some(Node::Menu(menu)), _) => Some(&menu.say),
            (Some(Node::Collect(collect)), Asked::Confirmation) => {
                collect.confirm.as_ref().map(|confirm| &confirm.say)
            }
            (Some(Node::Collect(collect)), Asked::Choice | Asked::Digits) => Some(&collect.say),
            (Some(_) | None, _) => None,
        };
        let Some(say) = say else {
            return Onward::Fail(Failure::NoSuchNode);
        };
        let all: Vec<Say> = before.iter().chain(say).cloned().collect();
        self.ask(now, question.asked, question.tally, &all)
    }

    fn give_up(&mut self, now: Now) -> Onward {
        self.note(now, Did::GaveUp);
        self.typed.clear();
        let otherwise = match self.node() {
            Some(Node::Menu(menu)) => menu.otherwise.clone(),
            Some(Node::Collect(collect)) => collect.otherwise.clone(),
            Some(_) | None => None,
        };
        otherwise.map_or(Onward::Fail(Failure::NoBranch), Onward::To)
    }
}

/// Digits as the trail may show them.
fn shown(collect: &Collect, digits: &str) -> String {
    if collect.sensitive {
        super::variables::mask(digits)
    } else {
        digits.to_owned()
    }
}

fn milliseconds(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}

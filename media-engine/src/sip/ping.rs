//! Whether a trunk lives: OPTIONS to it now and then (RFC 3261 section 11).
//!
//! ```text
//!   Waiting ──at──▶ Resolving ─▶ Asking ──an answer────────────────────────▶ Waiting
//!      ▲                           │ silence, or 408, 503, 504: the next server
//!      └──── a round is lost ◀─────┘ none left
//! ```
//!
//! A trunk is silent after so many rounds in a row were lost, and answers again with the first that
//! is not. Exactly one of [`Ping::handle_answer`] and [`Ping::handle_unanswered`] is expected for
//! each [`Output::Send`].

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::TrunkId;
use super::resolve::{Server, Target, Unresolvable};

/// How a trunk is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// How long from one question to the next; [`EVERY_MIN`] at least.
    pub every: Duration,
    /// How many rounds in a row may be lost before the trunk counts as silent; one at least.
    pub lost_max: u32,
}

/// How a trunk answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The trunk.
    pub trunk: TrunkId,
    /// In a word.
    pub condition: Condition,
    /// Since when.
    pub since: Instant,
    /// Rounds that were lost since the last answer.
    pub lost: u32,
    /// How long the last answer took.
    pub round_trip: Option<Duration>,
}

/// A health in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Nothing is known yet.
    Unknown,
    /// It answers.
    Answering,
    /// It does not.
    Silent,
}

/// What a ping wants done, and what it has to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Find the servers, and say them to [`Ping::handle_servers`].
    Resolve(Target),
    /// Send an OPTIONS to this server, in a transaction of its own.
    Send {
        /// Where it goes.
        server: Server,
        /// To be said with what comes of it.
        question: u64,
    },
    /// The condition is another one.
    Changed(Health),
}

/// The pings of one trunk.
#[derive(Debug)]
pub struct Ping {
    trunk: TrunkId,
    rule: Rule,
    target: Target,
    state: State,
    last_question: u64,
    condition: Condition,
    since: Instant,
    lost: u32,
    round_trip: Option<Duration>,
    outputs: VecDeque<Output>,
}

/// What is going on.
#[derive(Debug)]
enum State {
    Waiting {
        at: Instant,
    },
    Resolving {
        begun: Instant,
    },
    Asking {
        begun: Instant,
        asked: Instant,
        question: u64,
        /// The servers to try after this one, the next one last.
        others: Vec<Server>,
    },
}

impl Ping {
    /// Asks `target` by `rule`, for the first time at `first`.
    pub fn new(now: Instant, first: Instant, trunk: TrunkId, rule: Rule, target: Target) -> Self {
        Self {
            trunk,
            rule: Rule {
                every: rule.every.max(EVERY_MIN),
                lost_max: rule.lost_max.max(1),
            },
            target,
            state: State::Waiting { at: first },
            last_question: 0,
            condition: Condition::Unknown,
            since: now,
            lost: 0,
            round_trip: None,
            outputs: VecDeque::new(),
        }
    }

    /// How the trunk answers.
    pub fn health(&self) -> Health {
        Health {
            trunk: self.trunk.clone(),
            condition: self.condition,
            since: self.since,
            lost: self.lost,
            round_trip: self.round_trip,
        }
    }

    /// When [`Self::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Waiting { at } => Some(*at),
            State::Resolving { .. } | State::Asking { .. } => None,
        }
    }

    /// Asks, when it is time.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|at| at <= now) {
            self.state = State::Resolving { begun: now };
            self.outputs.push_back(Output::Resolve(self.target.clone()));
        }
    }

    /// Takes the servers that were asked for with [`Output::Resolve`].
    pub fn handle_servers(&mut self, now: Instant, servers: Result<Vec<Server>, Unresolvable>) {
        let State::Resolving { begun } = self.state else {
            return;
        };
        let mut servers = servers.unwrap_or_default();
        servers.truncate(SERVERS_MAX);
        servers.reverse();
        self.ask(now, begun, servers);
    }

    /// Takes the final status of an answer.
    pub fn handle_answer(&mut self, now: Instant, question: u64, status: u16) {
        if !is_sign_of_life(status) {
            return self.handle_unanswered(now, question);
        }
        let Some((begun, asked, _)) = self.asked(question) else {
            return;
        };
        self.lost = 0;
        self.round_trip = Some(now.saturating_duration_since(asked));
        self.wait(now, begun);
        self.show(now, Condition::Answering);
    }

    /// No answer came, or the request could not be sent.
    pub fn handle_unanswered(&mut self, now: Instant, question: u64) {
        if let Some((begun, _, others)) = self.asked(question) {
            self.ask(now, begun, others);
        }
    }

    /// What is to be done or heard next; ask until it is `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The question under way, if it is this one.
    fn asked(&mut self, wanted: u64) -> Option<(Instant, Instant, Vec<Server>)> {
        match &mut self.state {
            State::Asking {
                begun,
                asked,
                question,
                others,
            } if *question == wanted => Some((*begun, *asked, std::mem::take(others))),
            State::Asking { .. } | State::Waiting { .. } | State::Resolving { .. } => None,
        }
    }

    /// Asks the next server; where there is none the round is lost.
    fn ask(&mut self, now: Instant, begun: Instant, mut others: Vec<Server>) {
        let Some(server) = others.pop() else {
            self.lost = self.lost.saturating_add(1);
            self.wait(now, begun);
            if self.lost >= self.rule.lost_max {
                self.show(now, Condition::Silent);
            }
            return;
        };
        self.last_question += 1;
        let question = self.last_question;
        self.state = State::Asking {
            begun,
            asked: now,
            question,
            others,
        };
        self.outputs.push_back(Output::Send { server, question });
    }

    fn wait(&mut self, now: Instant, begun: Instant) {
        // A round that took longer than the pause is followed by the next at once, but not by a storm.
        let at = (begun + self.rule.every).max(now + PAUSE_MIN);
        self.state = State::Waiting { at };
    }

    fn show(&mut self, now: Instant, condition: Condition) {
        if self.condition != condition {
            self.condition = condition;
            self.since = now;
            let health = self.health();
            self.outputs.push_back(Output::Changed(health));
        }
    }
}

/// Whether an answer shows that calls may be tried there: any does, but those of a server that takes
/// none, or speaks for somebody behind it who is silent.
pub fn is_sign_of_life(status: u16) -> bool {
    !matches!(status, 408 | 503 | 504)
}

/// The shortest time between two questions: carriers take more often for a flood.
pub const EVERY_MIN: Duration = Duration::from_secs(10);

/// The shortest pause after a round that took longer than it should.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// Servers of one trunk that are asked in one round, of which each may take 32 s to be silent.
const SERVERS_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Transport;
    use crate::sip::resolve::TargetHost;

    /// The one clock read of these tests: only differences count.
    #[allow(clippy::disallowed_methods)]
    fn origin() -> Instant {
        Instant::now()
    }

    fn server(last: u8) -> Server {
        Server {
            transport: Transport::Udp,
            address: ([192, 0, 2, last], 5060).into(),
            name: None,
        }
    }

    fn ping(start: Instant, every_s: u64, lost_max: u32) -> Ping {
        let rule = Rule {
            every: Duration::from_secs(every_s),
            lost_max,
        };
        let target = Target {
            host: TargetHost::Address([192, 0, 2, 9].into()),
            port: None,
            transport: None,
            secure: false,
        };
        Ping::new(start, start, TrunkId("carrier".into()), rule, target)
    }

    /// Lets the next round begin at its servers; gives when, and the question.
    fn begin(ping: &mut Ping, start: Instant, servers: &[u8]) -> (Instant, u64) {
        let now = ping.poll_timeout().expect("it waits");
        ping.handle_timeout(now);
        assert!(matches!(ping.poll_output(), Some(Output::Resolve(_))));
        assert_eq!(ping.poll_timeout(), None, "one round at a time");
        let servers = servers.iter().map(|last| server(*last)).collect();
        ping.handle_servers(now, Ok(servers));
        let Some(Output::Send { question, .. }) = ping.poll_output() else {
            panic!("nothing is sent at {:?}", now - start);
        };
        (now, question)
    }

    #[test]
    fn a_trunk_is_silent_after_as_many_lost_rounds_as_it_may_lose_and_back_with_one_answer() {
        let start = origin();
        let mut ping = ping(start, 30, 2);
        let mut at_s = Vec::new();
        let answer = Duration::from_millis(40);
        let (now, question) = begin(&mut ping, start, &[9]);
        ping.handle_answer(now + answer, question, 405);
        let Some(Output::Changed(health)) = ping.poll_output() else {
            panic!("it answers");
        };
        assert_eq!(health.condition, Condition::Answering);
        assert_eq!(health.round_trip, Some(answer));
        for lost in 1..=3 {
            let (now, question) = begin(&mut ping, start, &[9]);
            at_s.push((now - start).as_secs());
            ping.handle_unanswered(now + Duration::from_secs(32), question);
            assert_eq!(ping.health().lost, lost);
            let expected = if lost < 2 {
                Condition::Answering
            } else {
                Condition::Silent
            };
            assert_eq!(ping.health().condition, expected);
            assert_eq!(ping.poll_output().is_some(), lost == 2, "said once");
        }
        // A question that hangs for longer than the pause does not make the next one follow at once.
        assert_eq!(at_s, [30, 63, 96]);
        let (now, question) = begin(&mut ping, start, &[9]);
        ping.handle_answer(now, question, 200);
        assert_eq!(ping.health().condition, Condition::Answering);
        assert_eq!(ping.health().lost, 0);
    }

    #[test]
    fn a_trunk_answers_when_one_of_its_servers_does() {
        let start = origin();
        let mut ping = ping(start, 30, 1);
        let (now, question) = begin(&mut ping, start, &[8, 9]);
        ping.handle_answer(now, question, 503);
        let next = ping.poll_output();
        let Some(Output::Send {
            server: next,
            question,
        }) = next
        else {
            panic!("the next server is asked, not {next:?}");
        };
        assert_eq!(next, server(9));
        ping.handle_answer(now, question, 200);
        assert_eq!(ping.health().condition, Condition::Answering);
        ping.handle_unanswered(now, question);
        assert_eq!(ping.health().lost, 0, "what comes too late changes nothing");
    }

    #[test]
    fn a_name_that_leads_nowhere_is_a_lost_round_and_too_often_is_not_asked() {
        let start = origin();
        let mut ping = ping(start, 1, 0);
        ping.handle_timeout(start);
        assert!(ping.poll_output().is_some());
        ping.handle_servers(start, Err(Unresolvable::NoSuchHost));
        assert_eq!(ping.health().condition, Condition::Silent);
        assert_eq!(ping.poll_timeout(), Some(start + EVERY_MIN));
        ping.handle_timeout(start + Duration::from_secs(9));
        assert!(matches!(ping.poll_output(), Some(Output::Changed(_))));
        assert_eq!(ping.poll_output(), None);
    }
}

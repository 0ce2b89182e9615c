//! The client side of any request but INVITE and ACK (RFC 3261 section 17.1.2).

use std::time::Instant;

use bytes::Bytes;

use super::{Failure, GIVE_UP, Heard, Output, Outputs, Repeat, T2, T4, earlier, pop};

/// A request we sent, until no copy of its response can come any more.
#[derive(Debug)]
pub struct Client {
    reliable: bool,
    state: State,
    outputs: Outputs,
}

#[derive(Debug)]
enum State {
    /// No final response came: the request is repeated (timer E) until timer F gives up. Once
    /// something was heard (`proceeding`), each pause is T2.
    Waiting {
        request: Bytes,
        timer_e: Option<Repeat>,
        timer_f: Instant,
        proceeding: Proceeding,
    },
    /// Copies of the final response are absorbed until timer K.
    Completed {
        timer_k: Instant,
    },
    Terminated,
}

/// RFC 3261 has two states, Trying and Proceeding, that differ in the pause of timer E alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proceeding {
    NotYet,
    Heard,
}

impl Client {
    /// Sends `request` over a transport that is `reliable` or not.
    pub fn new(now: Instant, request: Bytes, reliable: bool) -> Self {
        let mut outputs = Outputs::new();
        outputs.push(Output::Transmit(request.clone()));
        Self {
            reliable,
            state: State::Waiting {
                request,
                timer_e: Repeat::unless_reliable(now, reliable),
                timer_f: now + GIVE_UP,
                proceeding: Proceeding::NotYet,
            },
            outputs,
        }
    }

    /// Whether nothing more can happen.
    pub fn is_terminated(&self) -> bool {
        matches!(self.state, State::Terminated)
    }

    /// A response with `status` came.
    pub fn handle_response(&mut self, now: Instant, status: u16) -> Heard {
        match &mut self.state {
            State::Waiting { proceeding, .. } => {
                if status < 200 {
                    *proceeding = Proceeding::Heard;
                } else if self.reliable {
                    self.state = State::Terminated; // Timer K is zero (RFC 3261 section 17.1.2.2).
                } else {
                    self.state = State::Completed { timer_k: now + T4 };
                }
                Heard::News
            }
            State::Completed { .. } | State::Terminated => Heard::Absorbed,
        }
    }

    /// The transport could not send what we gave it.
    pub fn handle_transport_error(&mut self, _now: Instant) {
        match &self.state {
            State::Waiting { .. } => {
                self.outputs.push(Output::Failed(Failure::Transport));
                self.state = State::Terminated;
            }
            State::Completed { .. } | State::Terminated => {}
        }
    }

    /// When [`Self::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Waiting {
                timer_e, timer_f, ..
            } => Some(earlier(*timer_e, *timer_f)),
            State::Completed { timer_k } => Some(*timer_k),
            State::Terminated => None,
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Waiting { timer_f, .. } if *timer_f <= now => {
                self.outputs.push(Output::Failed(Failure::TimedOut));
                self.state = State::Terminated;
            }
            State::Waiting {
                request,
                timer_e: Some(repeat),
                proceeding,
                ..
            } if repeat.at <= now => {
                self.outputs.push(Output::Transmit(request.clone()));
                match proceeding {
                    Proceeding::NotYet => repeat.sent(now, T2),
                    Proceeding::Heard => {
                        repeat.interval = T2;
                        repeat.at = now + T2;
                    }
                }
            }
            State::Completed { timer_k } if *timer_k <= now => self.state = State::Terminated,
            State::Waiting { .. } | State::Completed { .. } | State::Terminated => {}
        }
    }

    /// What is to be done next; ask until it is `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        pop(&mut self.outputs)
    }
}

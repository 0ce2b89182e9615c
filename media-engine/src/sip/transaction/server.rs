//! The server side of any request but INVITE and ACK (RFC 3261 section 17.2.2).

use std::time::Instant;

use bytes::Bytes;

use super::{GIVE_UP, Output, Outputs, pop};

/// A request we received, from its arrival until no copy of it can come.
#[derive(Debug)]
pub struct Server {
    reliable: bool,
    state: State,
    outputs: Outputs,
}

#[derive(Debug)]
enum State {
    /// Nothing has been answered yet: copies are absorbed.
    Trying,
    /// A 1xx was answered and goes out again for each copy.
    Proceeding {
        provisional: Bytes,
    },
    /// The final response goes out again for each copy until timer J.
    Completed {
        last: Bytes,
        timer_j: Instant,
    },
    Terminated,
}

impl Server {
    /// Starts with a request that just came, over a transport that is `reliable` or not.
    pub fn new(reliable: bool) -> Self {
        Self {
            reliable,
            state: State::Trying,
            outputs: Outputs::new(),
        }
    }

    /// Whether nothing more can happen.
    pub fn is_terminated(&self) -> bool {
        matches!(self.state, State::Terminated)
    }

    /// Another copy of the request came: the last response goes out again.
    pub fn handle_request(&mut self, _now: Instant) {
        match &self.state {
            State::Proceeding { provisional: last } | State::Completed { last, .. } => {
                self.outputs.push(Output::Transmit(last.clone()));
            }
            State::Trying | State::Terminated => {}
        }
    }

    /// Sends a response: `status` and the whole message. After a final one nothing more is sent.
    pub fn respond(&mut self, now: Instant, status: u16, response: Bytes) {
        match &self.state {
            State::Trying | State::Proceeding { .. } => {
                self.outputs.push(Output::Transmit(response.clone()));
                self.state = if status < 200 {
                    State::Proceeding {
                        provisional: response,
                    }
                } else if self.reliable {
                    State::Terminated // Timer J is zero (RFC 3261 section 17.2.2).
                } else {
                    State::Completed {
                        last: response,
                        timer_j: now + GIVE_UP,
                    }
                };
            }
            State::Completed { .. } | State::Terminated => {}
        }
    }

    /// When [`Self::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Completed { timer_j, .. } => Some(*timer_j),
            State::Trying | State::Proceeding { .. } | State::Terminated => None,
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &self.state {
            State::Completed { timer_j, .. } if *timer_j <= now => self.state = State::Terminated,
            State::Trying
            | State::Proceeding { .. }
            | State::Completed { .. }
            | State::Terminated => {}
        }
    }

    /// What is to be done next; ask until it is `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        pop(&mut self.outputs)
    }
}

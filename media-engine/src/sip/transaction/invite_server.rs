//! The server side of an INVITE (RFC 3261 section 17.2.1, RFC 6026 section 7.1).

use std::time::Instant;

use bytes::Bytes;

use super::{Failure, GIVE_UP, Output, Outputs, Repeat, T2, T4, earlier, pop};

/// An INVITE we received, from its arrival until no copy of it, and none of its ACK, can come.
#[derive(Debug)]
pub struct InviteServer {
    reliable: bool,
    state: State,
    outputs: Outputs,
}

#[derive(Debug)]
enum State {
    /// No final response has been sent yet. Nothing is due: the call decides how long it rings.
    Proceeding {
        provisional: Option<Bytes>,
    },
    /// A 2xx was sent. The call repeats it, not we; we absorb copies of the INVITE until timer L.
    Accepted {
        timer_l: Instant,
    },
    /// A 3xx-6xx was sent and is repeated (timer G) until the ACK, or until timer H gives up.
    Completed {
        last: Bytes,
        timer_g: Option<Repeat>,
        timer_h: Instant,
    },
    /// The ACK arrived. Late copies of it are absorbed until timer I.
    Confirmed {
        timer_i: Instant,
    },
    Terminated,
}

impl InviteServer {
    /// Starts with an INVITE that just came, over a transport that is `reliable` or not.
    pub fn new(reliable: bool) -> Self {
        Self {
            reliable,
            state: State::Proceeding { provisional: None },
            outputs: Outputs::new(),
        }
    }

    /// Whether nothing more can happen.
    pub fn is_terminated(&self) -> bool {
        matches!(self.state, State::Terminated)
    }

    /// Whether no final response has been sent yet, so that a CANCEL still has an effect
    /// (RFC 3261 section 9.2).
    pub fn is_proceeding(&self) -> bool {
        matches!(self.state, State::Proceeding { .. })
    }

    /// Whether a 2xx was sent: its ACK is for the call (RFC 6026 section 7.1).
    pub fn is_accepted(&self) -> bool {
        matches!(self.state, State::Accepted { .. })
    }

    /// Another copy of the INVITE came: the last response goes out again.
    pub fn handle_request(&mut self, _now: Instant) {
        match &self.state {
            State::Proceeding {
                provisional: Some(last),
            }
            | State::Completed { last, .. } => self.outputs.push(Output::Transmit(last.clone())),
            State::Proceeding { provisional: None }
            | State::Accepted { .. }
            | State::Confirmed { .. }
            | State::Terminated => {}
        }
    }

    /// The ACK to a 3xx-6xx came. (The one to a 2xx is no part of the transaction.)
    pub fn handle_ack(&mut self, now: Instant) {
        match &self.state {
            State::Completed { .. } => {
                // Timer I is zero where copies cannot be under way (RFC 3261 section 17.2.1).
                self.state = if self.reliable {
                    State::Terminated
                } else {
                    State::Confirmed { timer_i: now + T4 }
                };
            }
            State::Proceeding { .. }
            | State::Accepted { .. }
            | State::Confirmed { .. }
            | State::Terminated => {}
        }
    }

    /// Sends a response: `status` and the whole message. A response that the state does not allow
    /// any more (a 180 after a final one, a second final one) is not sent.
    pub fn respond(&mut self, now: Instant, status: u16, response: Bytes) {
        match &mut self.state {
            State::Proceeding { provisional } => {
                self.outputs.push(Output::Transmit(response.clone()));
                match status {
                    ..200 => *provisional = Some(response),
                    200..300 => {
                        self.state = State::Accepted {
                            timer_l: now + GIVE_UP,
                        };
                    }
                    300.. => {
                        self.state = State::Completed {
                            last: response,
                            timer_g: Repeat::unless_reliable(now, self.reliable),
                            timer_h: now + GIVE_UP,
                        };
                    }
                }
            }
            // The call repeats its 2xx until the ACK (RFC 6026 section 7.1).
            State::Accepted { .. } if (200..300).contains(&status) => {
                self.outputs.push(Output::Transmit(response));
            }
            State::Accepted { .. }
            | State::Completed { .. }
            | State::Confirmed { .. }
            | State::Terminated => {}
        }
    }

    /// When [`Self::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Proceeding { .. } | State::Terminated => None,
            State::Accepted { timer_l: end } | State::Confirmed { timer_i: end } => Some(*end),
            State::Completed {
                timer_g, timer_h, ..
            } => Some(earlier(*timer_g, *timer_h)),
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Completed { timer_h, .. } if *timer_h <= now => {
                self.outputs.push(Output::Failed(Failure::AckMissing));
                self.state = State::Terminated;
            }
            State::Completed {
                last,
                timer_g: Some(repeat),
                ..
            } if repeat.at <= now => {
                self.outputs.push(Output::Transmit(last.clone()));
                repeat.sent(now, T2);
            }
            State::Accepted { timer_l: end } | State::Confirmed { timer_i: end } if *end <= now => {
                self.state = State::Terminated;
            }
            State::Proceeding { .. }
            | State::Accepted { .. }
            | State::Completed { .. }
            | State::Confirmed { .. }
            | State::Terminated => {}
        }
    }

    /// What is to be done next; ask until it is `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        pop(&mut self.outputs)
    }
}

//! The client side of an INVITE (RFC 3261 section 17.1.1, RFC 6026 section 7.2).

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Failure, GIVE_UP, Heard, Output, Outputs, Repeat, earlier, pop};

/// An INVITE we sent, until no response to it can come any more.
#[derive(Debug)]
pub struct InviteClient {
    reliable: bool,
    state: State,
    outputs: Outputs,
}

#[derive(Debug)]
enum State {
    /// Nothing was heard: the request is repeated (timer A) until timer B gives up.
    Calling {
        request: Bytes,
        timer_a: Option<Repeat>,
        timer_b: Instant,
    },
    /// The peer works on it. Nothing is due: the call decides how long it may ring.
    Proceeding,
    /// A 3xx-6xx came: each copy of it gets the same ACK until timer D.
    Completed {
        ack: Bytes,
        timer_d: Instant,
    },
    /// A 2xx came. Copies, and those of other branches of a fork, are for the call until timer M.
    Accepted {
        timer_m: Instant,
    },
    Terminated,
}

impl InviteClient {
    /// Sends `request` over a transport that is `reliable` or not.
    pub fn new(now: Instant, request: Bytes, reliable: bool) -> Self {
        let mut outputs = Outputs::new();
        outputs.push(Output::Transmit(request.clone()));
        Self {
            reliable,
            state: State::Calling {
                request,
                timer_a: Repeat::unless_reliable(now, reliable),
                timer_b: now + GIVE_UP,
            },
            outputs,
        }
    }

    /// Whether nothing more can happen.
    pub fn is_terminated(&self) -> bool {
        matches!(self.state, State::Terminated)
    }

    /// Whether a provisional response came and no final one: only then may a CANCEL be sent
    /// (RFC 3261 section 9.1).
    pub fn is_proceeding(&self) -> bool {
        matches!(self.state, State::Proceeding)
    }

    /// A response with `status` came; `ack` writes the ACK to it, and is asked only for a first
    /// 3xx-6xx (RFC 3261 section 17.1.1.3).
    pub fn handle_response(
        &mut self,
        now: Instant,
        status: u16,
        ack: impl FnOnce() -> Bytes,
    ) -> Heard {
        match &self.state {
            State::Calling { .. } | State::Proceeding => {
                self.state = match status {
                    ..200 => State::Proceeding,
                    200..300 => State::Accepted {
                        timer_m: now + GIVE_UP,
                    },
                    300.. => self.complete(now, ack()),
                };
                Heard::News
            }
            State::Completed { ack, .. } if status >= 300 => {
                self.outputs.push(Output::Transmit(ack.clone()));
                Heard::Absorbed
            }
            State::Accepted { .. } if (200..300).contains(&status) => Heard::News,
            State::Completed { .. } | State::Accepted { .. } | State::Terminated => Heard::Absorbed,
        }
    }

    fn complete(&mut self, now: Instant, ack: Bytes) -> State {
        self.outputs.push(Output::Transmit(ack.clone()));
        if self.reliable {
            return State::Terminated; // Timer D is zero (RFC 3261 section 17.1.1.2).
        }
        State::Completed {
            ack,
            timer_d: now + GIVE_UP,
        }
    }

    /// The transport could not send what we gave it.
    pub fn handle_transport_error(&mut self, _now: Instant) {
        match &self.state {
            State::Calling { .. } | State::Proceeding => {
                self.outputs.push(Output::Failed(Failure::Transport));
                self.state = State::Terminated;
            }
            State::Completed { .. } => self.state = State::Terminated,
            State::Accepted { .. } | State::Terminated => {}
        }
    }

    /// The call stopped waiting (no final response after its CANCEL): all is forgotten.
    pub fn abandon(&mut self) {
        self.state = State::Terminated;
    }

    /// When [`Self::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Calling {
                timer_a, timer_b, ..
            } => Some(earlier(*timer_a, *timer_b)),
            State::Completed { timer_d: end, .. } | State::Accepted { timer_m: end } => Some(*end),
            State::Proceeding | State::Terminated => None,
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Calling { timer_b, .. } if *timer_b <= now => {
                self.outputs.push(Output::Failed(Failure::TimedOut));
                self.state = State::Terminated;
            }
            State::Calling {
                request,
                timer_a: Some(repeat),
                ..
            } if repeat.at <= now => {
                self.outputs.push(Output::Transmit(request.clone()));
                // Timer A has no cap of its own: timer B comes first (RFC 3261 section 17.1.1.2).
                repeat.sent(now, Duration::MAX);
            }
            State::Completed { timer_d: end, .. } | State::Accepted { timer_m: end }
                if *end <= now =>
            {
                self.state = State::Terminated;
            }
            State::Calling { .. }
            | State::Proceeding
            | State::Completed { .. }
            | State::Accepted { .. }
            | State::Terminated => {}
        }
    }

    /// What is to be done next; ask until it is `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        pop(&mut self.outputs)
    }
}

//! A call whose user has heard the end, while something is still owed to the peer.

use std::time::Instant;

use super::State;
use super::event::Cause;
use super::scene::{Peer, Received, Scene, allow};
use super::unacknowledged::{Due, Unacknowledged};
use super::unwanted::Unwanted;
use crate::sip::Method;
use crate::sip::dialog::Dialog;
use crate::sip::digest::Attempt;
use crate::sip::headers::Name;
use crate::sip::message::Message;
use crate::sip::transaction::key::Key;
use crate::sip::write::Writer;

/// What is still owed.
#[derive(Debug)]
pub(super) enum Closing {
    /// Our 2xx has no ACK yet, and a callee must not send BYE before it (RFC 3261 section 15): it
    /// is repeated until the ACK, then BYE follows.
    Unacknowledged {
        dialog: Dialog,
        waiting: Unacknowledged,
        cause: Option<Cause>,
    },
    /// Our BYE waits for its response.
    Leaving {
        dialog: Dialog,
        bye: Key,
        cause: Option<Cause>,
        attempt: Attempt,
    },
    /// Our INVITEs are taken back, and some have no final response yet.
    Cancelling(Vec<Unwanted>),
}

impl Closing {
    /// Sends BYE.
    pub(super) fn leave(
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        dialog: Dialog,
        cause: Option<Cause>,
    ) -> State {
        Self::leave_again(scene, peer, dialog, cause, Attempt::default())
    }

    fn leave_again(
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        mut dialog: Dialog,
        cause: Option<Cause>,
        attempt: Attempt,
    ) -> State {
        let (bye, _sequence) =
            scene.request(peer, &mut dialog, Method::Bye, &[], |writer| match cause {
                Some(cause) => writer.header(Name::Reason, cause.header()).finish(),
                None => writer.finish(),
            });
        State::Closing(Box::new(Self::Leaving {
            dialog,
            bye,
            cause,
            attempt,
        }))
    }

    pub(super) fn is_of(&self, request: &Message) -> bool {
        match self {
            Self::Unacknowledged { dialog, .. } | Self::Leaving { dialog, .. } => {
                dialog.is_with(request)
            }
            Self::Cancelling(_) => false,
        }
    }

    pub(super) fn local_tag(&self) -> &[u8] {
        match self {
            Self::Unacknowledged { dialog, .. } | Self::Leaving { dialog, .. } => {
                dialog.local_tag()
            }
            Self::Cancelling(unwanted) => unwanted.first().map_or(&[], Unwanted::local_tag),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Unacknowledged { waiting, .. } => Some(waiting.poll_timeout()),
            Self::Leaving { .. } => None,
            Self::Cancelling(unwanted) => unwanted.iter().filter_map(Unwanted::poll_timeout).min(),
        }
    }

    pub(super) fn handle_timeout(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
    ) -> State {
        let due = match self.as_mut() {
            Self::Unacknowledged { waiting, .. } => waiting.handle_timeout(scene.now),
            Self::Cancelling(unwanted) => {
                let now = scene.now;
                for due in unwanted.extract_if(.., |it| it.is_due(now)) {
                    due.abandon(scene);
                }
                Due::Nothing
            }
            Self::Leaving { .. } => Due::Nothing,
        };
        match (*self, due) {
            (Self::Unacknowledged { dialog, cause, .. }, Due::GiveUp) => {
                Self::leave(scene, peer, dialog, cause)
            }
            (
                Self::Unacknowledged {
                    dialog,
                    waiting,
                    cause,
                },
                Due::Repeat,
            ) => {
                scene
                    .core
                    .respond(scene.now, waiting.server, 200, waiting.response.clone());
                State::Closing(Box::new(Self::Unacknowledged {
                    dialog,
                    waiting,
                    cause,
                }))
            }
            (Self::Cancelling(unwanted), _) => Self::cancelling(unwanted),
            (same, Due::Nothing | Due::Repeat | Due::GiveUp) => State::Closing(Box::new(same)),
        }
    }

    pub(super) fn handle_request(
        self: Box<Self>,
        scene: &mut Scene<'_>,
        _peer: &mut Peer,
        request: Received,
    ) -> State {
        let tag = self.local_tag().to_vec();
        match request.message.method() {
            // Both sides hung up at once: each answers the other's BYE.
            Some(Method::Bye) => {
                scene.reply(&request, 200, &tag, Writer::finish);
                if let Self::Unacknowledged { .. } = *self {
                    return State::Over;
                }
            }
            Some(
                Method::Invite
                | Method::Update
                | Method::Info
                | Method::Prack
                | Method::Refer
                | Method::Notify,
            ) => {
                scene.reply(&request, 481, &tag, Writer::finish);
            }
            Some(_) | None => {
                scene.reply(&request, 405, &tag, |writer| {
                    writer.header(Name::Allow, allow()).finish()
                });
            }
        }
        State::Closing(self)
    }

    pub(super) fn handle_ack(
        self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        ack: &Message,
    ) -> State {
        match *self {
            Self::Unacknowledged {
                dialog,
                waiting,
                cause,
            } if ack.cseq().is_ok_and(|cseq| cseq.number == waiting.sequence) => {
                Self::leave(scene, peer, dialog, cause)
            }
            same @ (Self::Unacknowledged { .. } | Self::Leaving { .. } | Self::Cancelling(_)) => {
                State::Closing(Box::new(same))
            }
        }
    }

    pub(super) fn handle_response(
        self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        key: Key,
        response: &Message,
    ) -> State {
        match *self {
            Self::Leaving {
                dialog,
                bye,
                cause,
                mut attempt,
            } if bye == key => match response.status() {
                Some(100..200) => State::Closing(Box::new(Self::Leaving {
                    dialog,
                    bye,
                    cause,
                    attempt,
                })),
                Some(401 | 407)
                    if scene
                        .core
                        .challenged(peer, &mut attempt, response, scene.source) =>
                {
                    Self::leave_again(scene, peer, dialog, cause, attempt)
                }
                // Whatever else it says, a BYE ends the session (RFC 3261 section 15.1.1).
                Some(_) | None => State::Over,
            },
            Self::Cancelling(unwanted) => {
                Self::handle_crossing(scene, peer, unwanted, key, response)
            }
            same @ (Self::Unacknowledged { .. } | Self::Leaving { .. }) => {
                State::Closing(Box::new(same))
            }
        }
    }

    /// A response to one of the INVITEs that we took back.
    fn handle_crossing(
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        mut unwanted: Vec<Unwanted>,
        key: Key,
        response: &Message,
    ) -> State {
        let Some(at) = unwanted.iter().position(|it| it.invite == key) else {
            return Self::cancelling(unwanted);
        };
        let is_answer = response.status().is_some_and(|it| (200..300).contains(&it));
        // The only one: its BYE may be challenged, and is waited for.
        if let [only] = &mut unwanted[..]
            && is_answer
            && let Some(dialog) = only.acknowledge(scene, response)
        {
            *peer = only.peer.clone();
            return Self::leave(scene, peer, dialog, Some(only.cause()));
        }
        if unwanted[at].handle_response(scene, response) {
            unwanted.remove(at);
        }
        Self::cancelling(unwanted)
    }

    fn cancelling(unwanted: Vec<Unwanted>) -> State {
        if unwanted.is_empty() {
            return State::Over;
        }
        State::Closing(Box::new(Self::Cancelling(unwanted)))
    }

    pub(super) fn handle_failure(self: Box<Self>, key: Key) -> State {
        match *self {
            Self::Leaving { bye, .. } if bye == key => State::Over,
            Self::Cancelling(mut unwanted) => {
                unwanted.retain(|it| it.invite != key);
                Self::cancelling(unwanted)
            }
            same @ (Self::Unacknowledged { .. } | Self::Leaving { .. }) => {
                State::Closing(Box::new(same))
            }
        }
    }
}

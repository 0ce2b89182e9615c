//! An INVITE of ours whose answer is not wanted, or not wanted any more: whoever takes it all the
//! same is hung up on.

use std::time::Instant;

use bytes::Bytes;

use super::event::Cause;
use super::plan::Identity;
use super::scene::{Peer, Scene};
use crate::sip::Method;
use crate::sip::dialog::Dialog;
use crate::sip::headers::Name;
use crate::sip::message::Message;
use crate::sip::transaction::GIVE_UP;
use crate::sip::transaction::key::Key;

/// The state of such an INVITE, until its transaction is done.
#[derive(Debug)]
pub(super) struct Unwanted {
    /// Where it went.
    pub(super) peer: Peer,
    pub(super) invite: Key,
    identity: Identity,
    sequence: u32,
    cause: Cause,
    stage: Stage,
    /// The tags of those who took it and were hung up on.
    left: Vec<Bytes>,
}

#[derive(Debug)]
enum Stage {
    /// Nothing may be cancelled that was not heard of (RFC 3261 section 9.1).
    Unheard,
    /// The CANCEL is out, or somebody took the call; nothing more is waited for after this time.
    Ending { give_up_at: Instant },
    /// Somebody whom we wanted took it: only others are not wanted.
    Taken,
}

impl Unwanted {
    /// Takes an INVITE back.
    pub(super) fn cancel(
        scene: &mut Scene<'_>,
        peer: Peer,
        (invite, sequence): (Key, u32),
        identity: Identity,
        cause: Cause,
    ) -> Self {
        let mut unwanted = Self {
            peer,
            invite,
            identity,
            sequence,
            cause,
            stage: Stage::Unheard,
            left: Vec::new(),
        };
        if scene.core.is_proceeding(invite) {
            unwanted.send_cancel(scene);
        }
        unwanted
    }

    /// An INVITE that was taken: what other callees it reached answer is not wanted (RFC 3261
    /// section 13.2.2.4).
    pub(super) fn others(peer: Peer, (invite, sequence): (Key, u32), identity: Identity) -> Self {
        Self {
            peer,
            invite,
            identity,
            sequence,
            cause: Cause::AnsweredElsewhere,
            stage: Stage::Taken,
            left: Vec::new(),
        }
    }

    fn send_cancel(&mut self, scene: &mut Scene<'_>) {
        let reason = Some(self.cause.header());
        scene.core.cancel(scene.now, self.invite, reason);
        let give_up_at = scene.now + GIVE_UP; // RFC 3261 section 9.1
        self.stage = Stage::Ending { give_up_at };
    }

    pub(super) fn local_tag(&self) -> &[u8] {
        self.identity.tag.as_bytes()
    }

    pub(super) fn cause(&self) -> Cause {
        self.cause
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.stage {
            Stage::Unheard | Stage::Taken => None,
            Stage::Ending { give_up_at } => Some(give_up_at),
        }
    }

    /// Whether nothing more is waited for.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.poll_timeout().is_some_and(|at| at <= now)
    }

    /// Forgets it, where no final response came.
    pub(super) fn abandon(self, scene: &mut Scene<'_>) {
        scene.core.abandon(self.invite);
    }

    /// A response to it. Returns whether nothing more can come.
    pub(super) fn handle_response(&mut self, scene: &mut Scene<'_>, response: &Message) -> bool {
        match response.status().unwrap_or(500) {
            ..200 => match self.stage {
                Stage::Unheard => self.send_cancel(scene),
                Stage::Ending { .. } | Stage::Taken => {}
            },
            // It crossed our CANCEL, or was taken by another callee too.
            200..300 => self.leave(scene, response),
            300.. => return true,
        }
        false
    }

    /// Confirms a 2xx that is not wanted, and gives the dialog to send BYE in.
    pub(super) fn acknowledge(
        &mut self,
        scene: &mut Scene<'_>,
        response: &Message,
    ) -> Option<Dialog> {
        let dialog = self.identity.open(self.sequence, response)?;
        scene.acknowledge(&self.peer, &dialog, self.sequence, None);
        Some(dialog)
    }

    /// Confirms a 2xx and hangs up on whoever sent it; a copy of it is only confirmed.
    fn leave(&mut self, scene: &mut Scene<'_>, response: &Message) {
        let Some(mut dialog) = self.acknowledge(scene, response) else {
            return;
        };
        let tag = Bytes::copy_from_slice(dialog.remote_tag());
        if self.left.contains(&tag) || self.left.len() == LEFT_MAX {
            return;
        }
        self.left.push(tag);
        let reason = self.cause.header();
        scene.request(&self.peer, &mut dialog, Method::Bye, &[], |writer| {
            writer.header(Name::Reason, reason).finish()
        });
        if !matches!(self.stage, Stage::Taken) {
            // Its copies come until the callee has heard of our ACK, or for as long as this.
            let give_up_at = scene.now + GIVE_UP;
            self.stage = Stage::Ending { give_up_at };
        }
    }
}

/// Callees of one INVITE that are hung up on: more than a few take a call at once only to harm.
const LEFT_MAX: usize = 16;

//! One INVITE of a call that we place, and the early dialogs that it opened.

use bytes::Bytes;

use super::super::event::Cause;
use super::super::plan::{Identity, Way};
use super::super::scene::{Peer, Scene, sdp};
use super::super::unwanted::Unwanted;
use crate::sip::Method;
use crate::sip::dialog::Dialog;
use crate::sip::digest::Attempt;
use crate::sip::headers::Name;
use crate::sip::message::Message;
use crate::sip::transaction::key::Key;

/// One INVITE that is out, or about to be.
#[derive(Debug)]
pub(super) struct Branch {
    /// Where it goes.
    pub(super) peer: Peer,
    /// What its requests carry.
    pub(super) identity: Identity,
    /// Its transaction, and its number.
    pub(super) invite: Key,
    pub(super) sequence: u32,
    pub(super) attempt: Attempt,
    pub(super) early: Vec<Early>,
    /// PRACKs that may yet be challenged.
    confirming: Vec<Confirming>,
}

/// A dialog that a provisional response opened. A fork makes several.
#[derive(Debug)]
pub(super) struct Early {
    pub(super) dialog: Dialog,
    /// The last reliable response that we confirmed (RFC 3262 section 4).
    response_number: Option<u32>,
    pub(super) agreement: Agreement,
}

/// How far the media have been agreed on in an early dialog.
#[derive(Debug)]
pub(super) enum Agreement {
    /// Our offer waits for its answer.
    Open,
    /// The answer came. Where that was not in a reliable response, it may yet be lost or said
    /// again, and nobody may make another offer (RFC 6337 section 2.2).
    Answered { sdp: Bytes, is_reliable: bool },
    /// The callee has changed it since, and this is our side of it.
    Changed { ours: Bytes },
}

impl Agreement {
    /// Whether the callee may make an offer of its own.
    pub(super) fn is_settled(&self) -> bool {
        match self {
            Self::Open => false,
            Self::Answered { is_reliable, .. } => *is_reliable,
            Self::Changed { .. } => true,
        }
    }
}

/// A PRACK of ours that waits for its response.
#[derive(Debug)]
struct Confirming {
    prack: Key,
    tag: Bytes,
    number: u32,
    attempt: Attempt,
}

impl Branch {
    /// The branch for one of the ways; its INVITE is not out yet.
    pub(super) fn new(way: Way, base: &Peer, identity: &Identity, invite: Key) -> Self {
        let mut identity = identity.clone();
        if let Some((uri, routes)) = way.contact {
            identity.uri = uri;
            identity.routes = routes;
        }
        Self {
            peer: Peer {
                flow: way.flow,
                server_name: way.server_name,
                ..base.clone()
            },
            identity,
            invite,
            sequence: 0,
            attempt: Attempt::default(),
            early: Vec::new(),
            confirming: Vec::new(),
        }
    }

    /// The early dialog that a provisional response belongs to; a first one with a tag opens it.
    pub(super) fn early_dialog(&mut self, response: &Message) -> Option<&mut Early> {
        let tag = response.to_tag()?;
        let known = |early: &Early| early.dialog.remote_tag() == &tag[..];
        if let Some(at) = self.early.iter().position(known) {
            return self.early.get_mut(at);
        }
        if self.early.len() == FORKS_MAX {
            return None;
        }
        let dialog = self.identity.open(self.sequence, response)?;
        self.early.push(Early {
            dialog,
            response_number: None,
            agreement: Agreement::Open,
        });
        self.early.last_mut()
    }

    /// Takes the dialog that a 2xx confirms, or opens.
    pub(super) fn take_dialog(&mut self, response: &Message) -> Option<Early> {
        let tag = response.to_tag().unwrap_or_default();
        let known = |early: &Early| early.dialog.remote_tag() == &tag[..];
        if let Some(at) = self.early.iter().position(known) {
            return Some(self.early.swap_remove(at));
        }
        Some(Early {
            dialog: self.identity.open(self.sequence, response)?,
            response_number: None,
            agreement: Agreement::Open,
        })
    }

    /// Takes a provisional response: confirms it where that is wanted, and gives the answer to our
    /// offer where this is the first to bring one.
    pub(super) fn handle_progress(
        &mut self,
        scene: &mut Scene<'_>,
        response: &Message,
    ) -> Option<Bytes> {
        let is_reliable = response.has_token(Name::Require, "100rel");
        let sdp = sdp(response);
        let early = self.early_dialog(response)?;
        let number = response.rseq().filter(|_| is_reliable);
        if is_reliable {
            let number = number?;
            // One after the other; a copy was confirmed, and a later one comes again.
            match early.response_number {
                Some(last) if Some(number) != last.checked_add(1) => return None,
                Some(_) | None => early.response_number = Some(number),
            }
        }
        let answer = early.handle_sdp(sdp, is_reliable);
        let tag = Bytes::copy_from_slice(early.dialog.remote_tag());
        if let Some(number) = number {
            self.confirm(scene, tag, number, Attempt::default());
        }
        answer
    }

    /// Confirms a reliable provisional response (RFC 3262 section 4).
    fn confirm(&mut self, scene: &mut Scene<'_>, tag: Bytes, number: u32, attempt: Attempt) {
        let known = |early: &&mut Early| early.dialog.remote_tag() == &tag[..];
        let Some(early) = self.early.iter_mut().find(known) else {
            return;
        };
        let rack = format!("{number} {} INVITE", self.sequence);
        let dialog = &mut early.dialog;
        let (prack, _) = scene.request(&self.peer, dialog, Method::Prack, &[], |writer| {
            writer.header(Name::RAck, rack).finish()
        });
        // Nobody but a carrier gets credentials.
        if self.peer.trunk.is_some() && self.confirming.len() < CONFIRMING_MAX {
            self.confirming.push(Confirming {
                prack,
                tag,
                number,
                attempt,
            });
        }
    }

    /// Takes the response to a PRACK; it is sent again where it is challenged.
    pub(super) fn handle_prack_response(
        &mut self,
        scene: &mut Scene<'_>,
        key: Key,
        response: &Message,
    ) {
        let Some(at) = self.confirming.iter().position(|it| it.prack == key) else {
            return;
        };
        match response.status() {
            Some(..200) | None => {}
            Some(401 | 407) => {
                let mut it = self.confirming.remove(at);
                let source = scene.source;
                if scene
                    .core
                    .challenged(&self.peer, &mut it.attempt, response, source)
                {
                    self.confirm(scene, it.tag, it.number, it.attempt);
                }
            }
            Some(200..) => {
                self.confirming.remove(at);
            }
        }
    }

    /// Takes the INVITE back.
    pub(super) fn give_up(self, scene: &mut Scene<'_>, cause: Cause) -> Unwanted {
        let invite = (self.invite, self.sequence);
        Unwanted::cancel(scene, self.peer, invite, self.identity, cause)
    }
}

impl Early {
    /// Takes the SDP of a provisional response; gives it where it is the answer to our offer.
    fn handle_sdp(&mut self, sdp: Option<Bytes>, is_reliable: bool) -> Option<Bytes> {
        let sdp = sdp?;
        match &mut self.agreement {
            Agreement::Open => {
                let answer = sdp.clone();
                self.agreement = Agreement::Answered { sdp, is_reliable };
                Some(answer)
            }
            // The same again, so that it arrives (RFC 6337 section 3.1.1).
            Agreement::Answered {
                is_reliable: known, ..
            } => {
                *known |= is_reliable;
                None
            }
            Agreement::Changed { .. } => None,
        }
    }
}

/// Early dialogs of one INVITE that are kept: a hunt group rings a few phones at once.
const FORKS_MAX: usize = 16;

/// PRACKs that are kept until they are answered: a callee sends the next reliable response after
/// the last one's.
const CONFIRMING_MAX: usize = 8;

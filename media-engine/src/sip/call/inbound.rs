//! An INVITE that waits for our answer.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::State;
use super::event::Party;
use super::scene::{Received, SDP, Scene, allow, reason};
use super::session::Session;
use super::unacknowledged::{Meaning, Unacknowledged};
use crate::sip::Method;
use crate::sip::dialog::Dialog;
use crate::sip::headers::Name;
use crate::sip::message::Message;
use crate::sip::write::Writer;

/// The state of a call that came in and has no final response.
#[derive(Debug)]
pub(in crate::sip) struct Inbound {
    invite: Received,
    dialog: Dialog,
    /// What the caller was told last, and when that is told again.
    progress: Option<Progress>,
    /// When the caller gives up by itself (Expires header, RFC 3261 section 13.2.1).
    expires_at: Option<Instant>,
}

/// A provisional response that is kept alive.
#[derive(Debug)]
struct Progress {
    status: u16,
    sdp: Option<Bytes>,
    refresh_at: Instant,
}

impl Inbound {
    /// Starts with an INVITE whose transaction is open, and the dialog it opens.
    pub(in crate::sip) fn new(now: Instant, invite: Received, dialog: Dialog) -> Self {
        let expires = invite.message.seconds(Name::Expires);
        Self {
            expires_at: expires.map(|seconds| now + Duration::from_secs(seconds.into())),
            invite,
            dialog,
            progress: None,
        }
    }

    pub(super) fn dialog(&self) -> &Dialog {
        &self.dialog
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let refresh_at = self.progress.as_ref().map(|progress| progress.refresh_at);
        [refresh_at, self.expires_at].into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(mut self: Box<Self>, scene: &mut Scene<'_>) -> State {
        if self.expires_at.is_some_and(|at| at <= scene.now) {
            return self.refuse(scene, 487, None, Party::Network, None);
        }
        if let Some(progress) = &self.progress
            && progress.refresh_at <= scene.now
        {
            let (status, sdp) = (progress.status, progress.sdp.clone());
            self.tell_progress(scene, status, sdp);
        }
        State::Inbound(self)
    }

    pub(super) fn handle_request(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        request: Received,
    ) -> State {
        let tag = self.dialog.local_tag().to_vec();
        if let Err(fault) = self.dialog.handle_sequence(request.sequence()) {
            scene.reply(&request, fault.status(), &tag, Writer::finish);
            return State::Inbound(self);
        }
        match request.message.method() {
            // A caller may leave an early dialog by BYE too (RFC 3261 section 15).
            Some(Method::Bye) => {
                scene.reply(&request, 200, &tag, Writer::finish);
                let reason = reason(&request.message);
                return self.refuse(scene, 487, None, Party::Peer, reason);
            }
            // A second INVITE before the first is answered (RFC 3261 section 14.2).
            Some(Method::Invite) => {
                let seconds = scene.core.chance(0..=10);
                scene.reply(&request, 500, &tag, |writer| {
                    writer.header_display(Name::RetryAfter, seconds).finish()
                });
            }
            Some(Method::Options) => {
                scene.reply(&request, 200, &tag, |writer| {
                    writer.header(Name::Allow, allow()).finish()
                });
            }
            Some(Method::Info) => {
                scene.reply(&request, 200, &tag, Writer::finish);
            }
            Some(Method::Prack) => {
                scene.reply(&request, 481, &tag, Writer::finish);
            }
            Some(_) | None => {
                scene.reply(&request, 405, &tag, |writer| {
                    writer.header(Name::Allow, allow()).finish()
                });
            }
        }
        State::Inbound(self)
    }

    pub(super) fn handle_cancel(self: Box<Self>, scene: &mut Scene<'_>, cancel: &Message) -> State {
        let reason = reason(cancel);
        self.refuse(scene, 487, None, Party::Peer, reason)
    }

    pub(super) fn ring(&mut self, scene: &mut Scene<'_>) {
        self.tell_progress(scene, 180, None);
    }

    pub(super) fn early_media(&mut self, scene: &mut Scene<'_>, sdp: Bytes) {
        // Without an offer there is nothing to answer yet (RFC 3264 section 4).
        let sdp = self.invite.sdp().map(|_offer| sdp);
        self.tell_progress(scene, 183, sdp);
    }

    pub(super) fn answer(self: Box<Self>, scene: &mut Scene<'_>, sdp: Bytes) -> State {
        let invite = &self.invite;
        let contact = scene.contact(&invite.flow);
        let response = scene.reply(invite, 200, self.dialog.local_tag(), |writer| {
            writer
                .header(Name::Contact, contact)
                .header(Name::Allow, allow())
                .finish_with_body(SDP, &sdp)
        });
        let unacknowledged = Unacknowledged::new(
            scene.now,
            invite.key,
            invite.sequence(),
            response,
            if invite.sdp().is_some() {
                Meaning::Opened
            } else {
                Meaning::OpenedWithOffer
            },
        );
        State::Session(Box::new(Session::answered(
            self.dialog,
            sdp,
            unacknowledged,
        )))
    }

    pub(super) fn reject(
        self: Box<Self>,
        scene: &mut Scene<'_>,
        status: u16,
        retry_after: Option<Duration>,
    ) -> State {
        // Only a final refusal refuses.
        let status = if (300..700).contains(&status) {
            status
        } else {
            500
        };
        self.refuse(scene, status, retry_after, Party::Us, None)
    }

    fn refuse(
        self: Box<Self>,
        scene: &mut Scene<'_>,
        status: u16,
        retry_after: Option<Duration>,
        by: Party,
        reason: Option<super::Reason>,
    ) -> State {
        scene.reply(
            &self.invite,
            status,
            self.dialog.local_tag(),
            |writer| match retry_after {
                Some(wait) => writer
                    .header_display(Name::RetryAfter, wait.as_secs())
                    .finish(),
                None => writer.finish(),
            },
        );
        scene.ended(by, Some(status), reason);
        State::Over
    }

    fn tell_progress(&mut self, scene: &mut Scene<'_>, status: u16, sdp: Option<Bytes>) {
        let contact = scene.contact(&self.invite.flow);
        scene.reply(&self.invite, status, self.dialog.local_tag(), |writer| {
            let writer = writer
                .header(Name::Contact, contact)
                .header(Name::Allow, allow());
            match &sdp {
                Some(sdp) => writer.finish_with_body(SDP, sdp),
                None => writer.finish(),
            }
        });
        self.progress = Some(Progress {
            status,
            sdp,
            refresh_at: scene.now + PROGRESS_REFRESH,
        });
    }
}

/// A proxy on the way forgets an INVITE of which it hears nothing for three minutes, so we are
/// heard each minute (RFC 3261 section 13.3.1.1).
const PROGRESS_REFRESH: Duration = Duration::from_secs(60);

//! Transfers within a call: the peer's REFER, and ours (RFC 3515).
//!
//! ```text
//!  theirs   REFER ─▶ Thinking ─accept─▶ Reporting ─ report(status) ─▶ NOTIFY … the last one ends it
//!                        └─ refuse
//!  ours     refer ─▶ Asking ─2xx─▶ NOTIFY … ─▶ TransferProgress … the last one ends it
//! ```

use std::time::{Duration, Instant};

use super::Session;
use crate::sip::Method;
use crate::sip::body;
use crate::sip::call::event::{CallEvent, Misuse};
use crate::sip::call::referral::{self, FRAGMENT};
use crate::sip::call::scene::{Peer, Received, Scene};
use crate::sip::digest::Attempt;
use crate::sip::headers::{Name, Word};
use crate::sip::message::Message;
use crate::sip::transaction::key::Key;
use crate::sip::write::Writer;

/// A REFER of the peer: one at a time.
#[derive(Debug)]
pub(super) enum Referred {
    /// Our user thinks about it.
    Thinking {
        request: Box<Received>,
        until: Instant,
    },
    /// It was accepted, and the peer is told what comes of it.
    Reporting {
        /// The number of the REFER, which names the subscription.
        id: u32,
        /// Where the peer wants to hear nothing (RFC 4488), nothing is told.
        is_quiet: bool,
    },
}

/// A REFER of ours, until the peer has told what came of it.
#[derive(Debug)]
pub(super) struct Referring {
    refer: Key,
    /// The Refer-To and Referred-By headers.
    headers: Vec<(Name, String)>,
    attempt: Attempt,
    until: Instant,
}

impl Session {
    pub(super) fn transfer_timeout(&self) -> Option<Instant> {
        let theirs = match &self.referred {
            Some(Referred::Thinking { until, .. }) => Some(*until),
            Some(Referred::Reporting { .. }) | None => None,
        };
        let ours = self.referring.as_ref().map(|referring| referring.until);
        [theirs, ours].into_iter().flatten().min()
    }

    pub(super) fn handle_transfer_timeout(&mut self, scene: &mut Scene<'_>) {
        let now = scene.now;
        if let Some(Referred::Thinking { until, .. }) = &self.referred
            && *until <= now
        {
            self.drop_referred(scene, 480);
        }
        if self.referring.take_if(|it| it.until <= now).is_some() {
            let call = scene.call;
            scene.tell(CallEvent::TransferProgress { call, status: 408 });
        }
    }

    /// The peer asks us to call somebody in the place of this call.
    pub(super) fn handle_refer(&mut self, scene: &mut Scene<'_>, request: Received) {
        let tag = self.dialog.local_tag();
        let referral = referral::read(&request.message, request.named);
        let status = match (&referral, &self.referred) {
            (Err(fault), _) => Some(fault.status),
            (Ok(_), Some(_)) => Some(491),
            (Ok(_), None) => None,
        };
        if let Some(status) = status {
            scene.reply(&request, status, tag, Writer::finish);
            return;
        }
        if let Ok(referral) = referral {
            let referral = Box::new(referral);
            self.referred = Some(Referred::Thinking {
                request: Box::new(request),
                until: scene.now + THINK_TIME,
            });
            let call = scene.call;
            scene.tell(CallEvent::Transfer { call, referral });
        }
    }

    /// Accepts it: the peer hears that it is tried.
    pub(in crate::sip::call) fn accept_transfer(
        &mut self,
        scene: &mut Scene<'_>,
        peer: &Peer,
    ) -> Result<(), Misuse> {
        let request = self.thought_about("accept_transfer")?;
        let is_quiet = request
            .message
            .header(Name::ReferSub)
            .is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case(b"false"));
        let contact = scene.contact(&request.flow);
        scene.reply(&request, 202, self.dialog.local_tag(), |writer| {
            let writer = writer.header(Name::Contact, contact);
            match is_quiet {
                true => writer.header(Name::ReferSub, "false").finish(),
                false => writer.finish(),
            }
        });
        let id = request.sequence();
        self.referred = Some(Referred::Reporting { id, is_quiet });
        self.report_transfer(scene, peer, 100)
    }

    /// Refuses it: the call goes on as it was.
    pub(in crate::sip::call) fn refuse_transfer(
        &mut self,
        scene: &mut Scene<'_>,
        status: u16,
    ) -> Result<(), Misuse> {
        let request = self.thought_about("refuse_transfer")?;
        let status = match status {
            300..700 => status,
            _ => 603,
        };
        scene.reply(&request, status, self.dialog.local_tag(), Writer::finish);
        Ok(())
    }

    /// Tells the peer how it goes, by the status that the call to the target has got. With a final
    /// one all is said.
    pub(in crate::sip::call) fn report_transfer(
        &mut self,
        scene: &mut Scene<'_>,
        peer: &Peer,
        status: u16,
    ) -> Result<(), Misuse> {
        let Some(Referred::Reporting { id, is_quiet }) = self.referred else {
            return Err(Misuse {
                command: "report_transfer",
                state: "no transfer was accepted, or its end was told",
            });
        };
        let is_last = status >= 200;
        if is_last {
            self.referred = None;
        }
        if is_quiet {
            return Ok(());
        }
        let contact = scene.contact(&peer.flow);
        let fragment = referral::fragment(status);
        let body = fragment.as_bytes();
        let (method, dialog) = (Method::Notify, &mut self.dialog);
        scene.request(peer, dialog, method, body, |writer| {
            let state = match is_last {
                true => "terminated;reason=noresource",
                false => "active;expires=60",
            };
            writer
                .header(Name::Contact, contact)
                .header_display(Name::Event, format_args!("refer;id={id}"))
                .header(Name::SubscriptionState, state)
                .finish_with_body(FRAGMENT, body)
        });
        Ok(())
    }

    fn thought_about(&mut self, command: &'static str) -> Result<Box<Received>, Misuse> {
        match self.referred.take() {
            Some(Referred::Thinking { request, .. }) => Ok(request),
            other @ (Some(Referred::Reporting { .. }) | None) => {
                self.referred = other;
                let state = "the peer has asked for no transfer, or asked too long ago";
                Err(Misuse { command, state })
            }
        }
    }

    /// Nobody decides about it any more.
    pub(super) fn drop_referred(&mut self, scene: &mut Scene<'_>, status: u16) {
        if let Some(Referred::Thinking { request, .. }) = self.referred.take() {
            scene.reply(&request, status, self.dialog.local_tag(), Writer::finish);
        }
    }

    /// Asks the peer to call somebody in the place of this call.
    pub(in crate::sip::call) fn refer(
        &mut self,
        scene: &mut Scene<'_>,
        peer: &Peer,
        headers: Vec<(Name, String)>,
    ) -> Result<(), Misuse> {
        if self.referring.is_some() {
            return Err(Misuse {
                command: "refer",
                state: "a transfer is under way",
            });
        }
        self.send_refer(scene, peer, headers, Attempt::default());
        Ok(())
    }

    fn send_refer(
        &mut self,
        scene: &mut Scene<'_>,
        peer: &Peer,
        headers: Vec<(Name, String)>,
        attempt: Attempt,
    ) {
        let contact = scene.contact(&peer.flow);
        let (method, dialog) = (Method::Refer, &mut self.dialog);
        let (refer, _) = scene.request(peer, dialog, method, &[], |writer| {
            let writer = writer.header(Name::Contact, contact);
            let add = |writer: Writer, (name, value): &(Name, String)| writer.header(*name, value);
            headers.iter().fold(writer, add).finish()
        });
        self.referring = Some(Referring {
            refer,
            headers,
            attempt,
            until: scene.now + TRANSFER_TIME,
        });
    }

    /// Takes the response to our REFER; says whether it was one.
    pub(super) fn handle_refer_response(
        &mut self,
        scene: &mut Scene<'_>,
        peer: &Peer,
        key: Key,
        status: u16,
        response: &Message,
    ) -> bool {
        let Some(mut referring) = self.referring.take_if(|it| it.refer == key) else {
            return false;
        };
        let (source, attempt) = (scene.source, &mut referring.attempt);
        match status {
            // How it goes is told by NOTIFY.
            ..300 => self.referring = Some(referring),
            401 | 407 if scene.core.challenged(peer, attempt, response, source) => {
                self.send_refer(scene, peer, referring.headers, referring.attempt);
            }
            300.. => {
                let call = scene.call;
                scene.tell(CallEvent::TransferProgress { call, status });
            }
        }
        true
    }

    /// Nothing was heard of our REFER; says whether it was one.
    pub(super) fn handle_refer_failure(&mut self, scene: &mut Scene<'_>, key: Key) {
        if self.referring.take_if(|it| it.refer == key).is_some() {
            let call = scene.call;
            scene.tell(CallEvent::TransferProgress { call, status: 408 });
        }
    }

    /// A NOTIFY: how our transfer goes (RFC 3515 section 2.4.4). There is no other subscription.
    pub(super) fn handle_notify(&mut self, scene: &mut Scene<'_>, request: &Received) {
        let tag = self.dialog.local_tag().to_vec();
        let message = &request.message;
        let word = |name| {
            let value = message.header_bytes(name)?;
            Word::parse(&value).ok()
        };
        if self.referring.is_none() || !word(Name::Event).is_some_and(|it| it.is("refer")) {
            scene.reply(request, 481, &tag, Writer::finish);
            return;
        }
        scene.reply(request, 200, &tag, Writer::finish);
        let part = body::read(message).ok().flatten();
        let told = part.and_then(|part| referral::status_in(&part.bytes));
        let is_over = word(Name::SubscriptionState).is_some_and(|it| it.is("terminated"));
        let status = match told {
            Some(status) if status >= 200 || !is_over => status,
            // It ends without having said how.
            Some(_) | None if is_over => 487,
            Some(_) | None => return,
        };
        if status >= 200 {
            self.referring = None;
        }
        let call = scene.call;
        scene.tell(CallEvent::TransferProgress { call, status });
    }
}

/// How long our user may think about a REFER: the peer waits 32 s for a response and repeats itself
/// for as long.
const THINK_TIME: Duration = Duration::from_secs(20);

/// How long the peer may take to tell what came of our REFER: as long as a phone rings.
const TRANSFER_TIME: Duration = Duration::from_secs(180);

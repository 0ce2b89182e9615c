//! Offers of the peer: re-INVITE and UPDATE (RFC 3261 section 14.2, RFC 3311 section 5.2).

use bytes::Bytes;

use super::{Exchange, Session};
use crate::sip::Method;
use crate::sip::call::State;
use crate::sip::call::event::{CallEvent, Misuse};
use crate::sip::call::scene::{Received, SDP, Scene, allow, supported};
use crate::sip::call::session_timer::{Agreed, SessionTimer, TooSmall};
use crate::sip::call::unacknowledged::{Meaning, Unacknowledged};
use crate::sip::headers::Name;
use crate::sip::write::Writer;

impl Session {
    /// A re-INVITE.
    pub(super) fn handle_invite(&mut self, scene: &mut Scene<'_>, request: Received) {
        self.take_lost_ack(scene);
        if let Some(status) = self.busy() {
            return self.refuse_for_now(scene, &request, status);
        }
        let Some(agreed) = self.agree(scene, &request) else {
            return;
        };
        self.dialog.refresh_target(&request.message);
        let sdp = request.sdp();
        self.exchange = Exchange::Theirs { request, agreed };
        let call = scene.call;
        scene.tell(CallEvent::Offered { call, sdp });
    }

    /// An UPDATE (RFC 3311): a new offer, or only a sign of life.
    pub(super) fn handle_update(&mut self, scene: &mut Scene<'_>, request: Received) {
        let sdp = request.sdp();
        if let Some(status) = self.busy().filter(|_| sdp.is_some()) {
            return self.refuse_for_now(scene, &request, status);
        }
        let Some(agreed) = self.agree(scene, &request) else {
            return;
        };
        self.dialog.refresh_target(&request.message);
        let Some(sdp) = sdp else {
            let contact = scene.contact(&request.flow);
            scene.reply(&request, 200, self.dialog.local_tag(), |writer| {
                let writer = writer.header(Name::Contact, contact);
                match agreed {
                    Some(agreed) => agreed.write(writer).finish(),
                    None => writer.finish(),
                }
            });
            self.upkeep.timer = agreed.map(|agreed| SessionTimer::new(scene.now, agreed, false));
            return;
        };
        self.exchange = Exchange::Theirs { request, agreed };
        let call = scene.call;
        scene.tell(CallEvent::Offered {
            call,
            sdp: Some(sdp),
        });
    }

    /// The session timer that our 2xx to this request agrees to; `None` where it has been refused.
    pub(super) fn agree(
        &self,
        scene: &mut Scene<'_>,
        request: &Received,
    ) -> Option<Option<Agreed>> {
        match Agreed::as_callee(&request.message, &scene.core.config) {
            Ok(agreed) => Some(agreed),
            Err(TooSmall { min_s }) => {
                scene.reply(request, 422, self.dialog.local_tag(), |writer| {
                    writer.header_display(Name::MinSe, min_s).finish()
                });
                None
            }
        }
    }

    /// A peer that sends its next INVITE has heard our 2xx, so a missing ACK was lost on its way.
    /// Not so where it had to bring an answer.
    pub(super) fn take_lost_ack(&mut self, scene: &mut Scene<'_>) {
        let waiting = self.unacknowledged.take();
        match waiting.as_ref().map(|waiting| waiting.meaning) {
            Some(Meaning::Opened) => {
                let call = scene.call;
                scene.tell(CallEvent::Confirmed { call, sdp: None });
            }
            Some(Meaning::OpenedWithOffer | Meaning::Answers) => self.unacknowledged = waiting,
            Some(Meaning::Changed) | None => {}
        }
    }

    /// Why the peer cannot offer (RFC 3261 section 14.2, RFC 3311 section 5.2).
    pub(super) fn busy(&self) -> Option<u16> {
        let expects_answer = self
            .unacknowledged
            .as_ref()
            .is_some_and(|waiting| waiting.meaning.expects_answer());
        match &self.exchange {
            Exchange::Theirs { .. } => Some(500),
            Exchange::Ours(_) => Some(491),
            Exchange::Settled => expects_answer.then_some(491),
        }
    }

    pub(super) fn refuse_for_now(&self, scene: &mut Scene<'_>, request: &Received, status: u16) {
        let seconds = scene.core.chance(0..=10); // RFC 3261 section 14.2
        scene.reply(request, status, self.dialog.local_tag(), |writer| {
            if status == 500 {
                writer.header_display(Name::RetryAfter, seconds).finish()
            } else {
                writer.finish()
            }
        });
    }

    /// The peer takes its re-INVITE back.
    pub(in crate::sip::call) fn handle_cancel(mut self: Box<Self>, scene: &mut Scene<'_>) -> State {
        if let Exchange::Theirs { request, .. } = &self.exchange
            && request.message.method() == Some(&Method::Invite)
        {
            scene.reply(request, 487, self.dialog.local_tag(), Writer::finish);
            self.exchange = Exchange::Settled;
        }
        State::Session(self)
    }

    pub(in crate::sip::call) fn accept_offer(
        &mut self,
        scene: &mut Scene<'_>,
        sdp: Bytes,
    ) -> Result<(), Misuse> {
        let (request, agreed) = self.their_offer("accept_offer")?;
        let contact = scene.contact(&request.flow);
        let response = scene.reply(&request, 200, self.dialog.local_tag(), |writer| {
            let writer = writer
                .header(Name::Contact, contact)
                .header(Name::Allow, allow())
                .header(Name::Supported, supported());
            let writer = match agreed {
                Some(agreed) => agreed.write(writer),
                None => writer,
            };
            writer.finish_with_body(SDP, &sdp)
        });
        self.upkeep.local_sdp = sdp;
        self.upkeep.timer = agreed.map(|agreed| SessionTimer::new(scene.now, agreed, false));
        if request.message.method() == Some(&Method::Invite) {
            let meaning = match request.sdp() {
                Some(_) => Meaning::Changed,
                None => Meaning::Answers,
            };
            let (key, sequence) = (request.key, request.sequence());
            self.unacknowledged = Some(Unacknowledged::new(
                scene.now, key, sequence, response, meaning,
            ));
        }
        Ok(())
    }

    pub(in crate::sip::call) fn reject_offer(
        &mut self,
        scene: &mut Scene<'_>,
        status: u16,
    ) -> Result<(), Misuse> {
        let (request, _) = self.their_offer("reject_offer")?;
        let status = if (400..700).contains(&status) {
            status
        } else {
            488
        };
        scene.reply(&request, status, self.dialog.local_tag(), Writer::finish);
        Ok(())
    }

    pub(super) fn their_offer(
        &mut self,
        command: &'static str,
    ) -> Result<(Received, Option<Agreed>), Misuse> {
        match std::mem::replace(&mut self.exchange, Exchange::Settled) {
            Exchange::Theirs { request, agreed } => Ok((request, agreed)),
            other @ (Exchange::Settled | Exchange::Ours(_)) => {
                self.exchange = other;
                Err(Misuse {
                    command,
                    state: "the peer has made no offer, or took it back",
                })
            }
        }
    }
}

//! Offers and refreshes of ours: re-INVITE and UPDATE (RFC 3261 section 14.1, RFC 4028 section 7.4).

use std::time::Duration;

use bytes::Bytes;

use super::{Acknowledged, Exchange, Later, Ours, Session};
use crate::sip::Method;
use crate::sip::call::State;
use crate::sip::call::event::{CallEvent, Misuse};
use crate::sip::call::scene::{Peer, SDP, Scene, allow, sdp, supported};
use crate::sip::call::session_timer::{self, Agreed, SessionTimer};
use crate::sip::digest::Attempt;
use crate::sip::headers::Name;
use crate::sip::message::Message;
use crate::sip::transaction::key::Key;

impl Session {
    /// Whether we may offer: no offer is under way, and our last 2xx is confirmed.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.exchange, Exchange::Settled) && self.unacknowledged.is_none()
    }

    pub(in crate::sip::call) fn offer(
        &mut self,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        sdp: Bytes,
    ) -> Result<(), Misuse> {
        let refused = |state| {
            Err(Misuse {
                command: "offer",
                state,
            })
        };
        if let Some(later) = &mut self.later {
            later.sdp = sdp; // The newer one is the one that is meant.
            return Ok(());
        }
        if self.unacknowledged.is_some() {
            return refused("our last answer is not confirmed yet");
        }
        match &mut self.exchange {
            Exchange::Settled => self.send_offer(scene, peer, sdp, Attempt::default()),
            Exchange::Theirs { .. } => return refused("an offer of the peer is to be answered"),
            Exchange::Ours(_) => return refused("an offer of ours is under way"),
        }
        Ok(())
    }

    pub(super) fn send_offer(
        &mut self,
        scene: &mut Scene<'_>,
        peer: &Peer,
        sdp: Bytes,
        attempt: Attempt,
    ) {
        let contact = scene.contact(&peer.flow);
        let timed = self.upkeep.timer.is_some();
        let (min, seconds) = (scene.core.config.session_expires_min, self.interval(scene));
        let (invite, sequence) =
            scene.request(peer, &mut self.dialog, Method::Invite, &sdp, |writer| {
                let mut writer = writer
                    .header(Name::Contact, contact)
                    .header(Name::Allow, allow())
                    .header(Name::Supported, supported());
                if timed {
                    writer = session_timer::ask(writer, min, seconds, true);
                }
                writer.finish_with_body(SDP, &sdp)
            });
        self.exchange = Exchange::Ours(Ours {
            sdp,
            invite,
            sequence,
            attempt,
            give_up_at: scene.now + OFFER_TIME,
        });
    }

    pub(super) fn handle_offer_response(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        mut ours: Ours,
        status: u16,
        response: &Message,
    ) -> State {
        let call = scene.call;
        match status {
            ..200 => {
                ours.give_up_at = scene.now + OFFER_TIME;
                self.exchange = Exchange::Ours(ours);
            }
            200..300 => {
                self.dialog.refresh_target(response);
                self.renew(scene, response);
                self.upkeep.local_sdp = ours.sdp;
                let (flow, bytes) = scene.acknowledge(peer, &self.dialog, ours.sequence, None);
                self.acknowledged = Some(Acknowledged {
                    invite: ours.invite,
                    flow,
                    bytes,
                });
                scene.tell(match sdp(response) {
                    Some(sdp) => CallEvent::OfferAnswered { call, sdp },
                    None => CallEvent::OfferRejected { call, status: 400 },
                });
            }
            401 | 407
                if scene
                    .core
                    .challenged(peer, &mut ours.attempt, response, scene.source) =>
            {
                self.send_offer(scene, peer, ours.sdp, ours.attempt);
            }
            491 => {
                self.later = Some(Later {
                    sdp: ours.sdp,
                    at: scene.now + self.glare_pause(scene),
                });
            }
            // The peer knows no such dialog any more (RFC 3261 section 12.2.1.2).
            408 | 481 => return self.lost(scene, peer, Some(status)),
            300.. => scene.tell(CallEvent::OfferRejected { call, status }),
        }
        State::Session(self)
    }

    /// Whoever made the Call-ID waits longer, so that the two do not meet again (RFC 3261 section
    /// 14.1).
    pub(super) fn glare_pause(&self, scene: &mut Scene<'_>) -> Duration {
        let hundredths = if self.is_caller {
            scene.core.chance(210..=400)
        } else {
            scene.core.chance(0..=200)
        };
        Duration::from_millis(u64::from(hundredths) * 10)
    }

    /// Shows the peer that we live (RFC 4028 section 7.4): by UPDATE where it takes that, else by the
    /// media as they are. An offer that is under way refreshes too.
    pub(super) fn refresh(&mut self, scene: &mut Scene<'_>, peer: &Peer) {
        if self.upkeep.can_update {
            if self.upkeep.update.is_none() {
                self.send_update(scene, peer, Attempt::default());
            }
        } else if self.is_idle() {
            let sdp = self.upkeep.local_sdp.clone();
            self.send_offer(scene, peer, sdp, Attempt::default());
        }
    }

    pub(super) fn send_update(&mut self, scene: &mut Scene<'_>, peer: &Peer, attempt: Attempt) {
        let contact = scene.contact(&peer.flow);
        let seconds = self.interval(scene);
        let min = scene.core.config.session_expires_min;
        let (key, _) = scene.request(peer, &mut self.dialog, Method::Update, &[], |writer| {
            let writer = writer
                .header(Name::Contact, contact)
                .header(Name::Supported, supported());
            session_timer::ask(writer, min, seconds, true).finish()
        });
        self.upkeep.update = Some((key, attempt));
    }

    pub(super) fn handle_update_response(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        peer: &mut Peer,
        (key, mut attempt): (Key, Attempt),
        status: u16,
        response: &Message,
    ) -> State {
        match status {
            ..200 => self.upkeep.update = Some((key, attempt)),
            200..300 => {
                self.dialog.refresh_target(response);
                self.renew(scene, response);
            }
            401 | 407
                if scene
                    .core
                    .challenged(peer, &mut attempt, response, scene.source) =>
            {
                self.send_update(scene, peer, attempt);
            }
            408 | 481 => return self.lost(scene, peer, Some(status)),
            // It says UPDATE and means it not.
            405 | 501 => self.upkeep.can_update = false,
            // Not this time: it is tried again until the session expires.
            300.. => {}
        }
        State::Session(self)
    }

    /// The session interval that we ask for, in seconds.
    pub(super) fn interval(&self, scene: &Scene<'_>) -> u32 {
        match &self.upkeep.timer {
            Some(timer) => timer.seconds(),
            None => session_timer::seconds(scene.core.config.session_expires),
        }
    }

    /// Takes what a 2xx to a request of ours says about the timer.
    pub(super) fn renew(&mut self, scene: &Scene<'_>, response: &Message) {
        let agreed = Agreed::as_caller(response);
        self.upkeep.timer = agreed.map(|agreed| SessionTimer::new(scene.now, agreed, true));
    }
}

/// How long our re-INVITE may be thought about: a phone asks its user in less, and a peer that takes
/// longer is gone. As long as timer B, so that silence is reported by the transaction first.
const OFFER_TIME: Duration = Duration::from_secs(33);

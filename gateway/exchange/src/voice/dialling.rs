//! Calls that we place for a flow, and the joining of the two parties.
//!
//! ```text
//!  dial ─▶ OpeningPort ─▶ Asking ─▶ Dialled (ringing) ─▶ Joined ─▶ (gone)
//! ```

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use ivr::machine::{DialResult, Ticket};
use ivr::{Destination, Now};
use media_engine::leg::LegId;
use media_engine::sdp::negotiate::Negotiation;
use media_engine::sip::call::{CallEvent, Caller, Cause, Dial, End, Target};
use media_engine::sip::{AccountId, CallId, TrunkId};

use super::facts::{Facts, leg_config, local_media, offer_plain};
use super::output::{MediaCommand, SipCommand, Toward};
use super::{Shared, Voice};

/// One call that we place.
#[derive(Debug)]
pub(super) struct Dialling {
    parent: CallId,
    parent_leg: LegId,
    ticket: Ticket,
    target: Target,
    caller: Caller,
    ring: Duration,
    stage: Stage,
    negotiation: Option<Box<Negotiation>>,
    /// Where the signalling of whoever answers comes from: their media may come from there too,
    /// whatever address their SDP names.
    peer: Option<SocketAddr>,
    /// Whether its media run already: they may before the answer.
    heard: bool,
}

#[derive(Debug)]
enum Stage {
    OpeningPort,
    /// The endpoint was asked and has not said the handle yet.
    Asking,
    Dialled(CallId),
    Joined(CallId),
    Over,
}

impl Shared {
    /// Begins to place a call; nothing when there is nobody to call or no way to them.
    pub(super) fn dial(
        &mut self,
        call: &Facts,
        ticket: Ticket,
        to: &Destination,
        ring: Duration,
    ) -> Option<LegId> {
        let company = call.company();
        let (target, number) = match to {
            Destination::Extension(extension) => {
                let device = company.extensions.get(extension.as_str())?;
                (
                    Target::Device(AccountId(device.as_str().into())),
                    call.from().to_owned(),
                )
            }
            Destination::Number(number) => {
                let outbound = company.outbound.as_ref()?;
                let trunk = TrunkId(outbound.trunk.as_str().into());
                (
                    Target::Trunk {
                        trunk,
                        number: number.clone(),
                    },
                    outbound.number.clone(),
                )
            }
        };
        let leg = LegId(self.next_leg);
        self.next_leg += 1;
        let dialling = Dialling {
            parent: call.id,
            parent_leg: call.leg,
            ticket,
            target: target.clone(),
            caller: Caller {
                number,
                ..Caller::default()
            },
            ring,
            stage: Stage::OpeningPort,
            negotiation: None,
            peer: None,
            heard: false,
        };
        self.dialling.insert(leg, dialling);
        self.media(
            leg,
            MediaCommand::Open {
                toward: Toward::Target(target),
                beside: Some(call.leg),
            },
        );
        Some(leg)
    }

    /// Gives up a call that we place, whatever it is doing.
    pub(super) fn cancel_dial(&mut self, leg: LegId) {
        let Some(dialling) = self.dialling.remove(&leg) else {
            return;
        };
        match dialling.stage {
            Stage::OpeningPort | Stage::Asking | Stage::Over => {}
            Stage::Dialled(call) | Stage::Joined(call) => {
                self.dialled_calls.remove(&call);
                self.hang_up(call, Cause::Normal);
            }
        }
        if dialling.heard {
            self.media(dialling.parent_leg, MediaCommand::Unbridge);
        }
        self.media(leg, MediaCommand::Close);
    }
}

impl Dialling {
    pub(super) fn parent(&self) -> (CallId, Ticket) {
        (self.parent, self.ticket)
    }

    fn end(&mut self, end: &End) -> DialResult {
        let before = std::mem::replace(&mut self.stage, Stage::Over);
        match end.status {
            _ if matches!(before, Stage::Joined(_)) => DialResult::Ended,
            Some(486 | 600) => DialResult::Busy,
            Some(408 | 480 | 487 | 603) => DialResult::NoAnswer,
            Some(_) | None => DialResult::Failed,
        }
    }

    /// How the call ends when its media do.
    pub(super) fn without_media(&self) -> DialResult {
        match self.stage {
            Stage::Joined(_) => DialResult::Ended,
            Stage::OpeningPort | Stage::Asking | Stage::Dialled(_) | Stage::Over => {
                DialResult::Failed
            }
        }
    }

    /// The endpoint has said the handle of the call.
    pub(super) fn handle_call(&mut self, call: CallId) {
        self.stage = Stage::Dialled(call);
    }

    /// Somebody speaks for the callee from this address.
    fn meet(&mut self, peer: SocketAddr) {
        self.peer = Some(peer);
        if let Some(negotiation) = &mut self.negotiation {
            negotiation.local_mut().signalling = peer.ip();
        }
    }

    fn call(&self) -> Option<CallId> {
        match self.stage {
            Stage::Dialled(call) | Stage::Joined(call) => Some(call),
            Stage::OpeningPort | Stage::Asking | Stage::Over => None,
        }
    }
}

impl Voice {
    /// The port of a call that we place is open, or there is none.
    pub(super) fn handle_dialling_leg(
        &mut self,
        now: Now,
        leg: LegId,
        address: Option<SocketAddr>,
    ) {
        let Some(address) = address else {
            return self.end_dialling(now, leg, DialResult::Failed);
        };
        let media = local_media(address, address.ip(), &mut self.shared);
        let Some(dialling) = self.shared.dialling.get_mut(&leg) else {
            return;
        };
        let mut negotiation = Negotiation::new(media);
        let offer = offer_plain(&mut negotiation);
        dialling.negotiation = Some(Box::new(negotiation));
        dialling.stage = Stage::Asking;
        let dial = Box::new(Dial {
            target: dialling.target.clone(),
            caller: dialling.caller.clone(),
            offer,
            ring_limit: dialling.ring,
        });
        self.shared.sip(SipCommand::Dial { leg, dial });
    }

    /// Something happened to a call that we place.
    pub(super) fn handle_dialled_call(&mut self, now: Now, leg: LegId, event: CallEvent) {
        let Some(dialling) = self.shared.dialling.get_mut(&leg) else {
            return;
        };
        let parent = dialling.parent;
        match event {
            // Who hears the other side already hears it ring, or speak.
            CallEvent::Ringing { .. } if dialling.heard => {}
            CallEvent::Ringing { .. } => {
                self.with(parent, |call, shared| call.handle_ringing(shared))
            }
            CallEvent::EarlyMedia { sdp, flow, .. } => {
                dialling.meet(flow.remote);
                // Sound that cannot be understood before the answer is no reason to end the call.
                self.hear(leg, &sdp);
            }
            CallEvent::Answered { sdp, flow, .. } => {
                dialling.meet(flow.remote);
                self.answered(now, leg, sdp.as_ref());
            }
            CallEvent::Offered { call, sdp } => self.dialled_offered(leg, call, sdp.as_ref()),
            CallEvent::OfferAnswered { sdp, .. } => {
                self.hear(leg, &sdp);
            }
            CallEvent::Ended { call, end } => {
                self.shared.dialled_calls.remove(&call);
                let result = dialling.end(&end);
                self.end_dialling(now, leg, result);
            }
            // Keys of the other party are for the other party's machine; the rest cannot happen
            // to a call that we place.
            CallEvent::Info { .. }
            | CallEvent::OfferRejected { .. }
            | CallEvent::Confirmed { .. }
            | CallEvent::Incoming { .. } => {}
        }
    }

    /// A call that we place is over, or never was: the flow goes on.
    pub(super) fn end_dialling(&mut self, now: Now, leg: LegId, result: DialResult) {
        let Some(dialling) = self.shared.dialling.get(&leg) else {
            return;
        };
        let (parent, ticket) = dialling.parent();
        self.shared.cancel_dial(leg);
        self.with(parent, |call, shared| {
            call.handle_dialled(now, ticket, result, shared)
        });
    }

    fn answered(&mut self, now: Now, leg: LegId, sdp: Option<&Bytes>) {
        // Without SDP what was agreed on before the answer stands.
        if sdp.is_some_and(|sdp| !self.hear(leg, sdp)) {
            return self.end_dialling(now, leg, DialResult::Failed);
        }
        let Some(dialling) = self.shared.dialling.get_mut(&leg) else {
            return;
        };
        if let Some(call) = dialling.call() {
            dialling.stage = Stage::Joined(call);
        }
        let (parent, ticket) = dialling.parent();
        self.with(parent, |call, shared| {
            call.handle_dialled(now, ticket, DialResult::Answered, shared);
        });
    }

    /// Takes an SDP answer of the other party and lets the two hear each other. Returns whether
    /// there is something to hear.
    fn hear(&mut self, leg: LegId, sdp: &Bytes) -> bool {
        let Some(dialling) = self.shared.dialling.get_mut(&leg) else {
            return false;
        };
        let Some(negotiation) = &mut dialling.negotiation else {
            return false;
        };
        let Ok(agreed) = negotiation.read_answer(sdp) else {
            return false;
        };
        let first = !std::mem::replace(&mut dialling.heard, true);
        let parent_leg = dialling.parent_leg;
        let peer = dialling.peer;
        let config = Box::new(leg_config(&agreed, peer, &self.shared));
        if first {
            self.shared.media(leg, MediaCommand::Start(config));
            self.shared.media(parent_leg, MediaCommand::Stop);
            self.shared.media(parent_leg, MediaCommand::Bridge(leg));
        } else {
            self.shared.media(leg, MediaCommand::Reconfigure(config));
        }
        true
    }

    fn dialled_offered(&mut self, leg: LegId, call: CallId, sdp: Option<&Bytes>) {
        let Some(dialling) = self.shared.dialling.get_mut(&leg) else {
            return;
        };
        let Some(negotiation) = &mut dialling.negotiation else {
            return;
        };
        let Some(sdp) = sdp else {
            let sdp = offer_plain(negotiation);
            return self.shared.sip(SipCommand::AcceptOffer { call, sdp });
        };
        match negotiation.answer(sdp) {
            Ok(answer) => {
                let peer = dialling.peer;
                let config = Box::new(leg_config(&answer.media, peer, &self.shared));
                self.shared.media(leg, MediaCommand::Reconfigure(config));
                self.shared.sip(SipCommand::AcceptOffer {
                    call,
                    sdp: answer.sdp,
                });
            }
            Err(error) => {
                let status = error.status();
                self.shared.sip(SipCommand::RejectOffer { call, status });
            }
        }
    }
}

//! What happens to a line, and to whom in its call that matters.

use bytes::Bytes;
use ivr::machine::DialResult;
use ivr::{Language, Now};
use media_engine::dtmf::{self, Key, pair::Way};
use media_engine::leg::{LegId, PlayId};
use media_engine::sdp::MediaParameters;
use media_engine::sdp::browser::Inlet;
use media_engine::sip::call::{CallEvent, End, Misuse};
use media_engine::sip::{CallId, Flow};

use super::Voice;
use super::ending::Ending;
use super::line::{Line, Offered, Purpose};
use super::output::MediaCommand;
use crate::clip::Clip;

impl Voice {
    /// Something happened to the SIP call of a line.
    pub(super) fn handle_line(&mut self, now: Now, leg: LegId, event: CallEvent) {
        match event {
            CallEvent::Ringing { .. } => {
                self.of_line(now, leg, |call, shared| call.handle_ringing(leg, shared));
            }
            CallEvent::EarlyMedia { sdp, flow, .. } => self.handle_early(now, leg, &sdp, &flow),
            CallEvent::Answered { sdp, flow, .. } => {
                self.handle_answered(now, leg, sdp.as_ref(), &flow);
            }
            CallEvent::Confirmed { sdp, .. } => self.of_line(now, leg, |call, shared| {
                call.handle_confirmed(now, leg, sdp.as_ref(), shared);
            }),
            CallEvent::Offered { call, sdp } => {
                let news = self.shared.handle_offer(leg, call, sdp.as_ref());
                self.of_line(now, leg, |call, shared| {
                    call.handle_news(now, leg, news, shared);
                });
            }
            CallEvent::OfferAnswered { sdp, .. } => self.of_line(now, leg, |call, shared| {
                call.handle_answer(now, leg, &sdp, shared);
            }),
            CallEvent::Info {
                content_type, body, ..
            } => {
                let content_type = String::from_utf8_lossy(&content_type);
                if let Some(pressed) = dtmf::info::read(&content_type, &body) {
                    self.press(now, leg, pressed.key, Way::Info);
                }
            }
            CallEvent::Transfer { call, referral } => {
                self.handle_referral(now, leg, call, &referral);
            }
            CallEvent::Ended { call, end } => self.handle_ended(now, leg, call, end),
            // We ask nobody for a transfer, and change nobody's media by ourselves.
            CallEvent::Incoming { .. }
            | CallEvent::TransferProgress { .. }
            | CallEvent::OfferRejected { .. } => {}
        }
    }

    fn of_line(
        &mut self,
        now: Now,
        leg: LegId,
        change: impl FnOnce(&mut super::call::Call, &mut super::Shared),
    ) {
        if let Some(key) = self.shared.lines.get(&leg).map(|line| line.call) {
            self.with(now, key, change);
        }
    }

    /// A call that [`super::SipCommand::Dial`] asked for is on its way under this handle, or cannot
    /// be.
    pub fn handle_dialling(&mut self, now: Now, leg: LegId, call: Result<CallId, Misuse>) {
        match (self.shared.lines.get_mut(&leg), call) {
            (Some(line), Ok(call)) => {
                line.handle_dialling(call);
                self.shared.sips.insert(call, leg);
            }
            // Given up in the meantime.
            (None, Ok(call)) => self
                .shared
                .hang_up(call, media_engine::sip::call::Cause::Normal),
            (_, Err(_)) => {
                let ending = Ending::ours("not_dialled");
                self.end_line(now, leg, DialResult::Failed, ending);
            }
        }
        self.attend(now);
    }

    /// A port is open for this leg, at the address that the peer shall send to; or there is none.
    pub fn handle_leg_opened(&mut self, now: Now, leg: LegId, address: Option<Inlet>) {
        match address {
            Some(address) => {
                if self.shared.handle_port(leg, address) {
                    self.of_line(now, leg, |call, shared| call.handle_port(now, shared));
                }
            }
            None => self.handle_no_port(now, leg),
        }
        self.attend(now);
    }

    fn handle_no_port(&mut self, now: Now, leg: LegId) {
        let Some(line) = self.shared.lines.get(&leg) else {
            return;
        };
        if line.is_asked() {
            return self.of_line(now, leg, |call, shared| call.handle_no_port(now, shared));
        }
        let ending = Ending::ours("no_media_capacity");
        self.end_line(now, leg, DialResult::Failed, ending);
    }

    fn handle_early(&mut self, now: Now, leg: LegId, sdp: &Bytes, flow: &Flow) {
        let Some(line) = self.shared.lines.get_mut(&leg) else {
            return;
        };
        line.meet(flow.remote);
        let purpose = line.purpose.clone();
        // Sound that cannot be understood before the answer is no reason to end the call.
        let Some((_, agreed)) = self.shared.read_answer(leg, sdp) else {
            return;
        };
        match purpose {
            // Who waits hears music until an agent is there.
            Purpose::Ringing(_) | Purpose::Fetched(..) | Purpose::Agent(_) | Purpose::Guest => {}
            Purpose::Flow(_) => self.of_line(now, leg, |call, shared| {
                call.hear_dialled(now, leg, &agreed, shared);
            }),
            Purpose::Customer => self.of_line(now, leg, |call, shared| {
                call.handle_customer_early(now, &agreed, shared);
            }),
        }
    }

    fn handle_answered(&mut self, now: Now, leg: LegId, sdp: Option<&Bytes>, flow: &Flow) {
        let Some(line) = self.shared.lines.get_mut(&leg) else {
            return;
        };
        line.meet(flow.remote);
        let purpose = line.purpose.clone();
        let line_is_outside = line.outside.is_some();
        // Without SDP what was agreed on before the answer stands.
        let agreed = match sdp {
            Some(sdp) => self.shared.read_answer(leg, sdp).map(|(_, agreed)| agreed),
            None => line.agreed().cloned(),
        };
        let Some(agreed) = agreed else {
            let ending = Ending::ours("no_common_media");
            return self.end_line(now, leg, DialResult::Failed, ending);
        };
        match purpose {
            Purpose::Ringing(offered) if line_is_outside => {
                self.ask_to_take(now, leg, &offered, &agreed);
            }
            Purpose::Ringing(offered) => self.agent_answered(now, leg, &offered, &agreed),
            Purpose::Flow(ticket) => self.of_line(now, leg, |call, shared| {
                shared.come_up(now, leg);
                call.hear_dialled(now, leg, &agreed, shared);
                call.handle_dialled(now, ticket, DialResult::Answered, shared);
            }),
            Purpose::Customer => self.of_line(now, leg, |call, shared| {
                call.handle_customer_answered(now, &agreed, shared);
            }),
            Purpose::Fetched(who, errand) => self.of_line(now, leg, |call, shared| {
                call.handle_fetched_phone(now, leg, (who, errand), &agreed, shared);
            }),
            Purpose::Guest => self.of_line(now, leg, |call, shared| {
                call.handle_guest(now, leg, &agreed, shared);
            }),
            Purpose::Agent(_) => {}
        }
    }

    /// A phone of an agent was answered: the two are joined, unless somebody was faster.
    fn agent_answered(
        &mut self,
        now: Now,
        leg: LegId,
        offered: &Offered,
        agreed: &MediaParameters,
    ) {
        if self.accept(now, offered, leg) {
            self.of_line(now, leg, |call, shared| {
                call.handle_agent(now, leg, offered, agreed, shared);
            });
        } else {
            self.shared.take_back(now, leg);
        }
    }

    /// Somebody is at a phone outside, or a machine that takes messages: a person presses a key to have
    /// the caller.
    fn ask_to_take(&mut self, now: Now, leg: LegId, offered: &Offered, agreed: &MediaParameters) {
        self.shared.come_up(now, leg);
        self.shared.run(leg, agreed);
        let company = self.shared.directory.companies.get(&offered.company);
        let Some(language) = company.map(|company| company.language) else {
            return;
        };
        let question = Clip::Speech {
            language,
            voice: None,
            text: take_this_call(language).to_owned(),
        };
        self.shared.media(
            leg,
            MediaCommand::Play {
                play: QUESTION,
                clips: vec![question],
                repeat: true,
            },
        );
    }

    /// A key was pressed at a line.
    pub(super) fn press(&mut self, now: Now, leg: LegId, key: Key, way: Way) {
        let Some(line) = self.shared.lines.get_mut(&leg) else {
            return;
        };
        let Purpose::Ringing(offered) = line.purpose.clone() else {
            return self.of_line(now, leg, |call, shared| {
                call.handle_key(now, leg, key, way, shared);
            });
        };
        let is_new = line.pressed.is_new(now.instant, key, way);
        let agreed = line.agreed().cloned().filter(|_| is_new && key == TAKES);
        if let Some(agreed) = agreed {
            self.shared.media(leg, MediaCommand::Stop);
            self.agent_answered(now, leg, &offered, &agreed);
        }
    }

    fn handle_ended(&mut self, now: Now, leg: LegId, sip: CallId, end: End) {
        self.shared.sips.remove(&sip);
        let Some(line) = self.shared.lines.get_mut(&leg) else {
            return;
        };
        line.handle_ended();
        let result = line.result(&end);
        let key = line.call;
        let is_last = match self.calls.get(&key) {
            Some(call) => call.ends_with(leg),
            None => true,
        };
        if is_last {
            return self.with(now, key, |call, shared| call.ended(now, end, shared));
        }
        let ending = match self.shared.lines.get(&leg).is_some_and(Line::came_in) {
            true => Ending::of_caller_of_ours(end),
            false => Ending::of_dialled(end),
        };
        self.end_line(now, leg, result, ending);
    }

    /// A line is over, or never was: its call goes on, or ends with it.
    pub(super) fn end_line(&mut self, now: Now, leg: LegId, result: DialResult, ending: Ending) {
        let Some(key) = self.shared.lines.get(&leg).map(|line| line.call) else {
            return;
        };
        let Some(left) = self.shared.leave(now, leg, result, ending) else {
            return;
        };
        if let Purpose::Ringing(offered) = &left.purpose {
            let reason = left.not_taken();
            return self.handle_phone_left(now, &offered.clone(), leg, reason);
        }
        self.with(now, key, |call, shared| {
            call.handle_left(now, leg, left, shared);
        });
    }

    /// Nothing at all came from this leg for [`super::VoiceConfig::inactivity`].
    pub fn handle_silence(&mut self, now: Now, leg: LegId) {
        let key = self.shared.lines.get(&leg).map(|line| line.call);
        let is_last = |key| self.calls.get(&key).is_some_and(|call| call.ends_with(leg));
        match key {
            Some(key) if is_last(key) => self.with(now, key, |call, shared| {
                call.give_up(now, "no_media", shared);
            }),
            Some(_) => {
                let ending = Ending::ours("no_media");
                self.end_line(now, leg, DialResult::Ended, ending);
            }
            None => {}
        }
        self.attend(now);
    }
}

/// What an agent hears who answers at a phone outside.
fn take_this_call(language: Language) -> &'static str {
    match language {
        Language::PtBr => "Há um cliente na linha. Para atender, digite 1.",
        Language::En => "There is a customer on the line. To take the call, press 1.",
        Language::Es => "Hay un cliente en la línea. Para atender, pulse 1.",
    }
}

/// The key by which an agent at a phone outside takes a call: a machine that answers presses none.
const TAKES: Key = Key::One;

/// The play of the question; nobody waits for its end.
const QUESTION: PlayId = PlayId(0);

//! Recording a call: both parties apart, from the moment in which somebody talks with the customer.
//!
//! The recording hangs on the customer's line. So it goes on through holds and transfers, and has
//! nothing of what the customer does not hear: whispers, questions aside.

use desk::id::{PromptId, UserId};
use desk::record::TrailKind;
use ivr::Now;
use serde_json::json;

use super::super::Shared;
use super::super::output::MediaCommand;
use super::super::talk::HOLD_MUSIC;
use super::orders::{OrderError, Tape};
use super::{Call, Stage};
use crate::clip::Clip;
use crate::directory::{CallRules, Recording};

/// How the recording of a call stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Taping {
    /// There is none, or no more.
    #[default]
    Off,
    On,
    /// It goes on in silence: what is said now is nobody's business later.
    Paused,
}

impl Taping {
    /// The state's name.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
            Self::Paused => "paused",
        }
    }
}

impl Call {
    /// Somebody talks with the customer: what the service says about recording is done.
    pub(super) fn record_by_rule(&mut self, now: Now, shared: &mut Shared) {
        let always = self.call_rules().map(|rules| rules.recording) == Some(Recording::Always);
        if always && self.taping == Taping::Off {
            self.tape(now, Tape::Start, None, shared);
        }
    }

    /// The customer hears that they may be recorded, before anything that is said to them.
    pub(super) fn give_notice(&self, notice: Option<PromptId>, shared: &mut Shared) {
        if let Some(notice) = notice {
            let play = MediaCommand::Play {
                play: HOLD_MUSIC,
                clips: vec![Clip::Prompt(notice)],
                repeat: false,
            };
            shared.media(self.facts.leg, play);
        }
    }

    /// Somebody wants the recording to begin, to be silent, to go on or to end.
    pub(super) fn order_tape(
        &mut self,
        now: Now,
        by: &UserId,
        wanted: Tape,
        shared: &mut Shared,
    ) -> Result<(), OrderError> {
        if !matches!(self.stage, Stage::Handled(_)) {
            return Err(OrderError::NotNow("nobody talks with the customer"));
        }
        let rules = self.call_rules();
        let may = rules.is_some_and(|rules| rules.recording != Recording::Off);
        if !may {
            return Err(OrderError::NotNow("calls of this service are not recorded"));
        }
        let always = rules.map(|rules| rules.recording) == Some(Recording::Always);
        match (self.taping, wanted) {
            (Taping::Off, Tape::Start)
            | (Taping::On, Tape::Pause)
            | (Taping::Paused, Tape::Resume) => {}
            (Taping::On | Taping::Paused, Tape::Stop) if !always => {}
            (Taping::On | Taping::Paused, Tape::Stop) => {
                return Err(OrderError::NotNow(
                    "calls of this service are recorded whole",
                ));
            }
            (Taping::Off, Tape::Pause | Tape::Resume | Tape::Stop)
            | (Taping::On, Tape::Start | Tape::Resume)
            | (Taping::Paused, Tape::Start | Tape::Pause) => {
                return Err(OrderError::NotNow("the recording stands otherwise"));
            }
        }
        self.tape(now, wanted, Some(by), shared);
        Ok(())
    }

    fn tape(&mut self, now: Now, wanted: Tape, by: Option<&UserId>, shared: &mut Shared) {
        let interaction = self.facts.record.interaction().clone();
        let (taping, command) = match wanted {
            Tape::Start => (Taping::On, MediaCommand::RecordCall(interaction)),
            Tape::Pause => (Taping::Paused, MediaCommand::PauseRecording),
            Tape::Resume => (Taping::On, MediaCommand::ResumeRecording),
            Tape::Stop => (Taping::Off, MediaCommand::StopRecording),
        };
        self.taping = taping;
        shared.media(self.facts.leg, command);
        let detail = json!({ "what": wanted.as_str(), "by": by });
        self.note(now, TrailKind::Recording, detail);
    }

    /// How the calls of its service are treated.
    pub(super) fn call_rules(&self) -> Option<&CallRules> {
        let service = self.facts.company.services.get(self.service()?)?;
        Some(&service.calls)
    }
}

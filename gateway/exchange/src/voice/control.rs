//! What people ask of calls, and what they see of them.

use std::sync::Arc;

use desk::id::{CompanyId, DeviceId, InteractionId, ServiceId, UserId};
use desk::output::DeskError;
use desk::record::InteractionState;
use ivr::Now;
use media_engine::sip::CallId;

use super::admission::Serving;
use super::call::{Call, CallOrder, OrderError};
use super::talk::Attention;
use super::{CallKey, Voice};
use crate::directory::Company;

/// A call, as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSeen {
    /// Whose.
    pub company: CompanyId,
    /// The interaction that it is.
    pub interaction: InteractionId,
    /// Its protocol number; empty before the record is durable.
    pub protocol: String,
    /// What it is doing.
    pub state: InteractionState,
    /// The customer's number; empty when withheld.
    pub customer: String,
    /// Whose work it is.
    pub service: Option<ServiceId>,
    /// Who has it in hand.
    pub agent: Option<UserId>,
    /// Who is on the line.
    pub parties: Vec<PartySeen>,
    /// Whether somebody is being asked about it.
    pub asks: bool,
    /// How its recording stands: `off`, `on` or `paused`.
    pub recording: &'static str,
}

/// Somebody on the line of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartySeen {
    /// What they do there: `customer`, `agent`, `guest`, `listen`, `whisper`, `barge`.
    pub role: &'static str,
    /// Who, where it is somebody of ours.
    pub user: Option<UserId>,
    /// With which device.
    pub device: Option<DeviceId>,
    /// With whom they are: `together`, `aside`, `held`.
    pub place: &'static str,
    /// Nobody hears them.
    pub muted: bool,
}

impl Voice {
    /// Does what somebody asks of a call. That they may is for the shell to know; whose call it is,
    /// is known here.
    ///
    /// # Errors
    ///
    /// [`OrderError`].
    pub fn order(
        &mut self,
        now: Now,
        company: &CompanyId,
        by: &UserId,
        interaction: &InteractionId,
        order: CallOrder,
    ) -> Result<(), OrderError> {
        let key = self.find(company, interaction);
        let key = key.ok_or(OrderError::NoSuchCall)?;
        let mut done = Err(OrderError::NoSuchCall);
        self.with(now, key, |call, shared| {
            done = call.handle_order(now, by, order, shared);
        });
        self.attend(now);
        done
    }

    /// Calls somebody for an agent, whose phones ring first. Returns the interaction that it is.
    ///
    /// # Errors
    ///
    /// [`OrderError::Nowhere`] where what was dialled leads nowhere, [`OrderError::NotNow`] for an
    /// agent without a phone, [`OrderError::Desk`] for one who has a call in hand.
    pub fn dial(
        &mut self,
        now: Now,
        company: &CompanyId,
        by: &UserId,
        dialled: &str,
        service: Option<ServiceId>,
    ) -> Result<InteractionId, OrderError> {
        let (known, device) = self.who_calls(company, by)?;
        if service
            .as_ref()
            .is_some_and(|id| !known.services.contains_key(id))
        {
            return Err(OrderError::Desk(DeskError::NoSuchService));
        }
        let to = known.to(dialled, None, Some(&device));
        let to = (dialled, &to.map_err(|_| OrderError::Nowhere)?);
        let call = Call::begin_by_click(now, &known, by, &device, to, service, &mut self.shared);
        Ok(self.add(now, call?))
    }

    /// Lets somebody hear a flow that is not published: their phones ring, and it talks with them as with
    /// any caller. `name` is what the call is shown to have dialled. Returns the interaction that it is.
    ///
    /// # Errors
    ///
    /// [`OrderError::NotNow`] for somebody without a phone, [`OrderError::Desk`] for one who has a call in hand.
    pub fn try_flow(
        &mut self,
        now: Now,
        company: &CompanyId,
        by: &UserId,
        name: String,
        (id, flow): (ivr::FlowId, ivr::Flow),
    ) -> Result<InteractionId, OrderError> {
        let (known, device) = self.who_calls(company, by)?;
        let mut library = ivr::Library::clone(&known.library);
        library.flows.insert(id.clone(), Arc::new(flow));
        let serves = Serving {
            library: Arc::new(library),
            flow: id,
        };
        let tried = (name, serves);
        let call = Call::begin_trial(now, &known, by, &device, tried, &mut self.shared);
        Ok(self.add(now, call))
    }

    /// The company of somebody who wants to call, and a phone of theirs.
    fn who_calls(
        &self,
        company: &CompanyId,
        by: &UserId,
    ) -> Result<(Arc<Company>, DeviceId), OrderError> {
        if self.shared.closing || self.calls.len() >= self.shared.config.calls_max {
            return Err(OrderError::NotNow("too many calls are up"));
        }
        if self.talks(company, by) {
            return Err(OrderError::Desk(DeskError::NoRoom));
        }
        let known = self.shared.directory.companies.get(company);
        let known = known.ok_or(OrderError::NoSuchCall)?;
        let device = known.devices_of(by).next().cloned();
        let device = device.ok_or(OrderError::NotNow("you have no phone"))?;
        Ok((known.clone(), device))
    }

    /// A call that somebody asked for begins.
    fn add(&mut self, now: Now, call: Call) -> InteractionId {
        let interaction = call.facts().record.interaction().clone();
        self.calls.insert(call.key(), call);
        self.attend(now);
        interaction
    }

    /// The interaction that a SIP call is of, and whose that is.
    pub fn interaction_of(&self, sip: CallId) -> Option<(CompanyId, InteractionId)> {
        let leg = self.shared.sips.get(&sip)?;
        let facts = self.calls.get(&self.call_at(*leg)?)?.facts();
        let interaction = facts.record.interaction().clone();
        Some((facts.company.id.clone(), interaction))
    }

    /// The calls of a company, the oldest first.
    pub fn calls_of(&self, company: &CompanyId) -> Vec<CallSeen> {
        let calls = self.calls.values();
        let own = calls.filter(|call| call.facts().company.id == *company);
        own.map(|call| call.seen(&self.shared)).collect()
    }

    /// Whether somebody has a call in hand.
    fn talks(&self, company: &CompanyId, who: &UserId) -> bool {
        let mut calls = self.calls.values();
        calls.any(|call| {
            let is_there = call.is_with(who) || call.is_customer(who, &self.shared);
            is_there && call.facts().company.id == *company
        })
    }

    fn find(&self, company: &CompanyId, interaction: &InteractionId) -> Option<CallKey> {
        let mut calls = self.calls.values();
        let found = calls.find(|call| {
            let facts = call.facts();
            facts.company.id == *company && facts.record.interaction() == interaction
        });
        found.map(Call::key)
    }
}

impl Attention {
    /// Its name, in trails and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::Whisper => "whisper",
            Self::Barge => "barge",
        }
    }
}

//! Who is let in: what of ours a caller dialled, or the status that refuses the call.
//!
//! A carrier reaches the numbers of its company. A device of the company reaches them as well, and
//! the other devices: nobody from outside ever dials a device.

use std::sync::Arc;

use desk::id::{DeviceId, FlowId, NumberId, TrunkId};
use media_engine::sip::call::{Incoming, Origin};

use crate::directory::Company;

use super::Shared;

/// What of ours answers a call, or the status that refuses it.
pub(super) fn admit(invite: &Incoming, calls: usize, shared: &Shared) -> Result<Dialled, u16> {
    if shared.closing || calls >= shared.config.calls_max {
        return Err(503);
    }
    let (trunk, device) = match &invite.origin {
        Origin::Trunk(trunk) => (trunk.0.parse::<TrunkId>().ok(), None),
        Origin::Device(account) => (None, account.0.parse::<DeviceId>().ok()),
    };
    let directory = &shared.directory;
    let company = match (&trunk, &device) {
        (Some(trunk), _) => directory.company_of_trunk(trunk),
        (None, Some(device)) => directory.company_of_device(device),
        (None, None) => None,
    };
    let company = company.ok_or(404_u16)?;
    let to = company.to(&invite.dialled, trunk.as_ref(), device.as_ref())?;
    if matches!(&to, To::Device(called) if Some(called) == device.as_ref()) {
        return Err(486); // Its line is taken: by the one who dials.
    }
    Ok(Dialled {
        company: company.clone(),
        to,
        trunk,
        device,
    })
}

/// What somebody dialled, and who they are.
pub(super) struct Dialled {
    pub(super) company: Arc<Company>,
    pub(super) to: To,
    pub(super) trunk: Option<TrunkId>,
    pub(super) device: Option<DeviceId>,
}

/// Where a call goes.
#[derive(Clone, Debug)]
pub(super) enum To {
    /// A number of the company.
    Number {
        number: NumberId,
        /// What answers there, and which published version.
        flow: (FlowId, u32),
        serves: Serving,
    },
    /// A device of the company.
    Device(DeviceId),
    /// Somebody outside, as it was dialled.
    Outside(String),
}

/// What answers a call.
#[derive(Clone, Debug)]
pub(super) struct Serving {
    pub(super) library: Arc<ivr::Library>,
    pub(super) flow: ivr::FlowId,
}

impl Company {
    /// Where what somebody dialled leads, or the status that refuses it. Only `device`s of the
    /// company reach its devices, and the world.
    pub(super) fn to(
        &self,
        dialled: &str,
        trunk: Option<&TrunkId>,
        device: Option<&DeviceId>,
    ) -> Result<To, u16> {
        if let Some(number) = self.number(dialled, trunk) {
            // Without a flow the number is ours, and nothing answers there yet.
            let flow = number.flow.clone().ok_or(480_u16)?;
            return Ok(To::Number {
                number: number.id.clone(),
                serves: Serving {
                    library: self.library.clone(),
                    flow: ivr::FlowId::new(flow.0.as_str()),
                },
                flow,
            });
        }
        device.ok_or(404_u16)?;
        let extension = self.extensions.get(dialled);
        // Nobody types names in the case in which somebody else wrote them.
        let extension = extension.or_else(|| self.extensions.get(&dialled.to_lowercase()));
        if let Some(called) = extension {
            return Ok(match self.outside_phones.get(called) {
                Some(number) => To::Outside(number.clone()),
                None => To::Device(called.clone()),
            });
        }
        if self.outbound.is_some() && is_number(dialled) {
            return Ok(To::Outside(dialled.to_owned()));
        }
        Err(404)
    }
}

/// Whether it may be a number outside: extensions are shorter.
fn is_number(dialled: &str) -> bool {
    let digits = dialled.chars().filter(char::is_ascii_digit).count();
    let others = dialled.trim_start_matches('+');
    digits >= OUTSIDE_DIGITS_MIN
        && others
            .chars()
            .all(|c| c.is_ascii_digit() || " -().".contains(c))
}

/// The shortest number outside: those for emergencies have three digits.
const OUTSIDE_DIGITS_MIN: usize = 3;

//! Who is let in: what of ours a caller dialled, or the status that refuses the call.

use std::sync::Arc;

use desk::id::{DeviceId, FlowId, NumberId, TrunkId};
use media_engine::sip::call::{Incoming, Origin};

use crate::directory::Company;

use super::Shared;

/// What of ours answers a call, or the status that refuses it.
pub(super) fn admit(
    invite: &Incoming,
    calls: usize,
    shared: &Shared,
) -> Result<(Dialled, (FlowId, u32)), u16> {
    if shared.closing || calls >= shared.config.calls_max {
        return Err(503);
    }
    let mut dialled = Dialled::find(invite, shared).ok_or(404_u16)?;
    // Without a flow the number is ours, and nothing answers there yet.
    let flow = dialled.flow.take().ok_or(480_u16)?;
    Ok((dialled, flow))
}

/// What of ours somebody dialled.
pub(super) struct Dialled {
    pub(super) company: Arc<Company>,
    pub(super) number: NumberId,
    pub(super) flow: Option<(FlowId, u32)>,
    pub(super) trunk: Option<TrunkId>,
    pub(super) device: Option<DeviceId>,
}

impl Dialled {
    fn find(invite: &Incoming, shared: &Shared) -> Option<Self> {
        let (trunk, device) = match &invite.origin {
            Origin::Trunk(trunk) => (Some(trunk.0.parse::<TrunkId>().ok()?), None),
            Origin::Device(account) => (None, Some(account.0.parse::<DeviceId>().ok()?)),
        };
        let directory = &shared.directory;
        let company = match (&trunk, &device) {
            (Some(trunk), _) => directory.company_of_trunk(trunk)?,
            (None, Some(device)) => directory.company_of_device(device)?,
            (None, None) => return None,
        };
        let number = company.number(&invite.dialled, trunk.as_ref())?;
        Some(Self {
            number: number.id.clone(),
            flow: number.flow.clone(),
            company: company.clone(),
            trunk,
            device,
        })
    }
}

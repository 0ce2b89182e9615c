//! Who is let in: what of ours a caller dialled, or the status that refuses the call.
//!
//! A carrier reaches the numbers of its company. A device of the company reaches them as well, and
//! the other devices: nobody from outside ever dials a device.

use std::collections::BTreeMap;
use std::sync::Arc;

use desk::id::{DeviceId, FlowId, NumberId, TrunkId};
use ivr::{Cause, Destination, Dial, Flow, HangUp, Language, Library, Node, NodeId};
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
    if let Some(number) = company.number(&invite.dialled, trunk.as_ref()) {
        // Without a flow the number is ours, and nothing answers there yet.
        let (flow, version) = number.flow.clone().ok_or(480_u16)?;
        return Ok(Dialled {
            company: company.clone(),
            number: Some(number.id.clone()),
            serves: Serving {
                library: company.library.clone(),
                flow: ivr::FlowId::new(flow.as_str()),
            },
            flow: Some((flow, version)),
            trunk,
            device,
        });
    }
    let called = device.as_ref().and(company.extensions.get(&invite.dialled));
    let called = called.ok_or(404_u16)?;
    if Some(called) == device.as_ref() {
        return Err(486); // Its line is taken: by the one who dials.
    }
    Ok(Dialled {
        company: company.clone(),
        number: None,
        serves: Serving::dial(&invite.dialled, company.language),
        flow: None,
        trunk,
        device,
    })
}

/// What of ours somebody dialled.
pub(super) struct Dialled {
    pub(super) company: Arc<Company>,
    pub(super) number: Option<NumberId>,
    /// What of the company's answers, and which published version.
    pub(super) flow: Option<(FlowId, u32)>,
    pub(super) serves: Serving,
    pub(super) trunk: Option<TrunkId>,
    pub(super) device: Option<DeviceId>,
}

/// What answers a call.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) library: Arc<ivr::Library>,
    pub(super) flow: ivr::FlowId,
}

impl Serving {
    /// Rings a device of the company, and joins the two when it answers.
    fn dial(extension: &str, language: Language) -> Self {
        let hang_up = |cause| Node::HangUp(HangUp { say: vec![], cause });
        let dial = Dial {
            to: Destination::Extension(extension.to_owned()),
            ring_ms: RING_MS,
            busy: Some(NodeId::new("busy")),
            no_answer: Some(NodeId::new("no-answer")),
            failed: Some(NodeId::new("failed")),
            ended: None,
        };
        let nodes = [
            ("dial", Node::Dial(dial)),
            ("busy", hang_up(Cause::Busy)),
            ("no-answer", hang_up(Cause::NoAnswer)),
            ("failed", hang_up(Cause::Failure)),
        ];
        let flow = Flow {
            format: ivr::FORMAT,
            language,
            voice: None,
            entry: NodeId::new("dial"),
            failure: None,
            variables: BTreeMap::new(),
            nodes: nodes.map(|(id, node)| (NodeId::new(id), node)).into(),
            layout: BTreeMap::new(),
        };
        let id = ivr::FlowId::new("extension");
        let library = Library {
            flows: BTreeMap::from([(id.clone(), Arc::new(flow))]),
            calendars: BTreeMap::new(),
        };
        Self {
            library: Arc::new(library),
            flow: id,
        }
    }
}

/// How long a device rings that another one dials: ten times.
const RING_MS: u32 = 50_000;

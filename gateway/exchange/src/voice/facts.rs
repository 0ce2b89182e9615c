//! What stays true of a call whatever it is doing, and what all calls say to the shell.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use desk::id::{CompanyId, InteractionId};
use desk::record::Change;
use desk::work::Customer;
use ivr::machine::{Caller, Ticket};
use media_engine::leg::{LegConfig, LegId};
use media_engine::rtp::srtp::Secret;
use media_engine::sdp::browser::Inlet;
use media_engine::sdp::negotiate::{Encryption, LocalMedia, Negotiation};
use media_engine::sdp::{Direction, MediaParameters};
use media_engine::sip::CallId;
use media_engine::sip::call::Cause;
use rand::RngCore;
use rand::rngs::StdRng;

use crate::directory::Company;

use super::left::Left;
use super::output::{MediaCommand, Message, Output, SipCommand};
use super::record::Record;
use super::{CallKey, Shared, VoiceConfig};

/// What stays true of a call whatever it is doing.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) key: CallKey,
    /// The line of the customer; [`NOBODY`] before they are called.
    pub(super) leg: LegId,
    /// The lines of all others who are on the line or are called for it.
    pub(super) others: BTreeSet<LegId>,
    pub(super) company: Arc<Company>,
    pub(super) record: Record,
    pub(super) caller: Caller,
    /// The customer, where they are a contact of the company.
    pub(super) customer: Option<Customer>,
    /// Messages that are being recorded or put away.
    pub(super) messages: Vec<Message>,
    /// Those who are off the line, until their media have had their last word.
    pub(super) left: BTreeMap<LegId, Left>,
}

/// Whose message it is that is put away.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) company: CompanyId,
    pub(super) interaction: InteractionId,
}

impl Facts {
    /// The company whose flow it walks.
    pub(super) fn company(&self) -> &Company {
        &self.company
    }

    /// What a message keeps of the call in which it was left.
    pub(super) fn origin(&self) -> Origin {
        Origin {
            company: self.company.id.clone(),
            interaction: self.record.interaction().clone(),
        }
    }

    pub(super) fn take_message(&mut self, ticket: Ticket) -> Option<Message> {
        let mut messages = self.messages.iter();
        let at = messages.position(|message| message.ticket == ticket)?;
        Some(self.messages.remove(at))
    }

    /// The flow has said what it knows of its messages, and will say no more.
    pub(super) fn told_of_messages(&mut self) {
        for message in &mut self.messages {
            message.told = true;
        }
    }

    /// The caller's number, empty when withheld.
    pub(super) fn from(&self) -> &str {
        &self.caller.from
    }
}

impl Shared {
    pub(super) fn save(&mut self, change: Change) {
        self.outputs.push_back(Output::Save(change));
    }

    pub(super) fn sip(&mut self, command: SipCommand) {
        self.outputs.push_back(Output::Sip(command));
    }

    pub(super) fn media(&mut self, leg: LegId, command: MediaCommand) {
        self.outputs.push_back(Output::Media(leg, command));
    }

    pub(super) fn hang_up(&mut self, call: CallId, cause: Cause) {
        self.sip(SipCommand::HangUp { call, cause });
    }

    /// A call is over. Its messages may still be on their way to the disk: they are kept when they
    /// come.
    pub(super) fn forget(&mut self, call: &mut Facts) {
        for message in std::mem::take(&mut call.messages) {
            let late = (message.service, call.origin());
            self.late.insert((call.leg, message.ticket), late);
        }
        while self.late.len() > LATE_MAX {
            self.late.pop_first();
        }
    }

    pub(super) fn new_leg(&mut self) -> LegId {
        let leg = LegId(self.next_leg);
        self.next_leg += 1;
        leg
    }

    pub(super) fn new_call(&mut self) -> CallKey {
        let key = CallKey(self.next_call);
        self.next_call += 1;
        key
    }
}

/// The line of a customer who was not called yet; lines count from 1.
pub(super) const NOBODY: LegId = LegId(0);

/// Messages of calls that are over that may be on their way to the disk: more than a disk that
/// works ever has, and of one that does not the oldest are forgotten.
const LATE_MAX: usize = 1_000;

/// Our side of the media of a new leg.
pub(super) fn local_media(
    inlet: Inlet,
    signalling: IpAddr,
    config: &VoiceConfig,
    random: &mut StdRng,
) -> LocalMedia {
    let mut secret = [0; Secret::BYTES];
    random.fill_bytes(&mut secret);
    LocalMedia {
        session_id: u64::from(random.next_u32()),
        address: inlet.ip(),
        port: inlet.address.port(),
        rtcp_mux: false,
        codecs: config.codecs.clone(),
        prefer: None,
        direction: Direction::SendRecv,
        encryption: Encryption::Optional(Secret::from_bytes(secret)),
        browser: inlet.browser,
        signalling,
    }
}

/// What a leg is told: what was agreed on, and our own rules.
pub(super) fn leg_config(
    media: &MediaParameters,
    peer: Option<SocketAddr>,
    ours: &VoiceConfig,
) -> LegConfig {
    let mut config = LegConfig::from(media);
    config.signalling_host = peer.map(|peer| peer.ip());
    config.inactivity = Some(ours.inactivity);
    // Tones are listened for where the peer cannot send events.
    config.inband_dtmf = config.telephone_event.is_none();
    config
}

/// An offer of ours. Keys stand in it only where the session has them already: in a plain profile
/// they are the peer's to propose, and strict peers refuse them (RFC 4568 section 3).
pub(super) fn offer_plain(negotiation: &mut Negotiation) -> Bytes {
    let encrypted = negotiation
        .agreed()
        .is_some_and(|media| media.srtp.is_some());
    if !encrypted {
        negotiation.local_mut().encryption = Encryption::Off;
    }
    negotiation.offer()
}

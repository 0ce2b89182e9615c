//! What a call that we place is made from: who calls, and by which ways.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::event::{Dial, Replaced};
use crate::sip::Flow;
use crate::sip::dialog::Dialog;
use crate::sip::endpoint::Core;
use crate::sip::headers::Name;
use crate::sip::message::Message;
use crate::sip::uri::Uri;
use crate::sip::write::quoted;

/// What stays the same in all requests of the call.
#[derive(Debug, Clone)]
pub(in crate::sip) struct Identity {
    pub(in crate::sip) call_id: String,
    pub(in crate::sip) tag: String,
    /// Whom the call is for, where a [`Way`] names nobody in particular.
    pub(in crate::sip) uri: Uri,
    /// The From header with our tag.
    pub(in crate::sip) from: String,
    /// Headers that say who calls, beside From.
    pub(in crate::sip) asserted: Vec<(Name, String)>,
    /// Route headers of the first request, where a [`Way`] has none of its own.
    pub(in crate::sip) routes: Vec<Bytes>,
}

/// A place that the INVITE can be sent to.
#[derive(Debug, Clone)]
pub(in crate::sip) struct Way {
    pub(in crate::sip) flow: Flow,
    pub(in crate::sip) server_name: Option<Arc<str>>,
    /// The contact of a device there, and the routes to it.
    pub(in crate::sip) contact: Option<(Uri, Vec<Bytes>)>,
}

/// What [`super::Outbound`] is started with.
#[derive(Debug)]
pub(in crate::sip) struct Plan {
    pub(in crate::sip) identity: Identity,
    pub(in crate::sip) ways: VecDeque<Way>,
    pub(in crate::sip) order: Order,
    /// Whether an INVITE that is too large for a datagram may go over a stream: nobody asked for
    /// datagrams, and we are not bound to the path of a device.
    pub(in crate::sip) may_stream: bool,
}

/// In which order the ways are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sip) enum Order {
    /// One after the other, where nobody answers: they lead to the same callee.
    OneByOne,
    /// All at once: several phones ring, and the first that is taken gets the call.
    Together,
}

impl Identity {
    /// Says who calls: the number in From, hidden where that is wanted (RFC 3323 section 4.1.1.3),
    /// and asserted beside it to a carrier that trusts us (RFC 3325); and on whose behalf, where a
    /// transfer made us call (RFC 3892).
    pub(in crate::sip) fn new(
        core: &mut Core,
        uri: Uri,
        Dial {
            caller, referral, ..
        }: &Dial,
        host: &str,
        is_trusted: bool,
    ) -> Self {
        let tag = core.word();
        let user = Some(caller.number.as_str()).filter(|number| !number.is_empty());
        let known = Uri::sip(user, host, None).map(|uri| uri.to_string());
        let known = known.unwrap_or_else(|_| ANONYMOUS.to_owned());
        let name = caller.display_name.as_deref().map(quoted);
        let shown = match (caller.private, &name) {
            (true, _) => format!("\"Anonymous\" <{ANONYMOUS}>"),
            (false, Some(name)) => format!("{name} <{known}>"),
            (false, None) => format!("<{known}>"),
        };
        let mut asserted = Vec::new();
        if is_trusted {
            asserted.push((Name::PAssertedIdentity, format!("<{known}>")));
        }
        if caller.private {
            asserted.push((Name::Privacy, "id".to_owned()));
        }
        if let Some(number) = &caller.diverted_from
            && let Ok(uri) = Uri::sip(Some(number), host, None)
        {
            asserted.push((Name::Diversion, format!("<{uri}>;reason=unconditional")));
        }
        if let Some(referral) = referral {
            let referred_by = referral.referred_by.iter();
            asserted.extend(referred_by.map(|it| (Name::ReferredBy, it.clone())));
            if let Some(Replaced::Elsewhere(dialog)) = &referral.replaces {
                asserted.push((Name::Require, "replaces".to_owned()));
                asserted.push((Name::Replaces, dialog.clone()));
            }
        }
        Self {
            call_id: format!("{}{}", core.word(), core.word()),
            from: format!("{shown};tag={tag}"),
            tag,
            uri,
            asserted,
            routes: Vec::new(),
        }
    }

    /// The dialog that a response to an INVITE of ours opens.
    pub(super) fn open(&self, sequence: u32, response: &Message) -> Option<Dialog> {
        let from = Bytes::from(self.from.clone());
        let tag = Bytes::from(self.tag.clone());
        Dialog::open(from, tag, sequence, response).ok()
    }
}

/// The address of nobody (RFC 3323 section 4.1.1.3).
const ANONYMOUS: &str = "sip:anonymous@anonymous.invalid";

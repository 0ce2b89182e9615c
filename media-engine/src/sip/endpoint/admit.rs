//! Requests outside any dialog: who may ask for what.

use std::time::{Duration, Instant};

use super::Endpoint;
use super::receive::{allow_header, reply_flow};
use crate::sip::call::{Call, CallEvent, Caller, Inbound, Incoming, Origin, Peer, Received};
use crate::sip::dialog::Dialog;
use crate::sip::guard::Failure as Fault;
use crate::sip::headers::Name;
use crate::sip::message::Message;
use crate::sip::transaction::key::Key;
use crate::sip::trunk::Trunk;
use crate::sip::write::Writer;
use crate::sip::{CallId, Flow, Method};

impl Endpoint {
    /// A request that no dialog and no transaction knows. Until it is admitted, each answer is
    /// given without keeping anything.
    pub(super) fn receive_outside(&mut self, now: Instant, flow: Flow, key: Key, message: Message) {
        let merged = self.core.keys.merged(&message);
        if merged.is_some_and(|merged| self.core.merged.contains_key(&merged)) {
            // The same request by another way (RFC 3261 section 8.2.2.2).
            return self.refuse(now, flow, &message, 482, Writer::finish);
        }
        match message.method() {
            Some(Method::Invite) => self.receive_invite(now, flow, key, merged, message),
            Some(Method::Options) => self.refuse(now, flow, &message, 200, |writer| {
                allow_header(writer)
                    .header(Name::Accept, "application/sdp")
                    .finish()
            }),
            // Within a dialog or not at all (RFC 3261 section 12.2.2).
            Some(Method::Bye | Method::Info | Method::Update | Method::Prack) => {
                self.refuse(now, flow, &message, 481, Writer::finish);
            }
            Some(_) | None => self.refuse_method(now, flow, &message),
        }
    }

    /// A method that we do not offer. Whoever is nobody to us learns nothing about what we do.
    fn refuse_method(&mut self, now: Instant, flow: Flow, message: &Message) {
        let source = self.source(&flow);
        if source.standing == crate::sip::guard::Standing::Stranger {
            self.guard
                .record_failure(now, &source, None, Fault::Refused);
            self.refuse(now, flow, message, 403, Writer::finish);
        } else {
            self.refuse(now, flow, message, 405, |writer| {
                allow_header(writer).finish()
            });
        }
    }

    fn receive_invite(
        &mut self,
        now: Instant,
        flow: Flow,
        key: Key,
        merged: Option<Key>,
        message: Message,
    ) {
        let Ok(uri) = message.request_uri() else {
            return self.refuse(now, flow, &message, 400, Writer::finish);
        };
        let user = uri.user_text().unwrap_or_default();
        let trunk = self.trunks.identify(flow.transport, flow.remote, &user);
        let Some(trunk) = trunk.cloned() else {
            let source = self.source(&flow);
            self.guard
                .record_failure(now, &source, None, Fault::Refused);
            return self.refuse(now, flow, &message, 403, Writer::finish);
        };
        if let Some(status) = self.loops(&message) {
            return self.refuse(now, flow, &message, status, Writer::finish);
        }
        if self.refuse_unsupported(now, flow, &message) {
            return;
        }
        if self.is_full(&flow) {
            return self.refuse_overloaded(now, flow, &message);
        }
        if let Err(refused) = self.trunks.begin_call(now, &trunk.id) {
            let (status, wait) = (refused.status(), refused.retry_after());
            return self.refuse(now, flow, &message, status, |writer| {
                retry_after(writer, wait).finish()
            });
        }
        if !self.begin(now, flow, key, merged, &message, &trunk, &user) {
            self.trunks.end_call(&trunk.id);
            self.refuse(now, flow, &message, 400, Writer::finish);
        }
    }

    /// Whether an INVITE went in a circle: it passed us before, or it has no hop left.
    fn loops(&self, message: &Message) -> Option<u16> {
        if message.max_forwards() == Ok(Some(0)) {
            return Some(483);
        }
        let is_ours = |sent_by: &[u8]| {
            self.core.config.listeners.iter().any(|listener| {
                let (host, port) = split_port(sent_by);
                host.eq_ignore_ascii_case(listener.public_host.as_bytes())
                    && port == Some(listener.public_port)
            })
        };
        let passed = message.vias().flatten().any(|via| is_ours(via.sent_by()));
        passed.then_some(482)
    }

    /// Whether there is no room for one more call, or for one more that is not answered from this
    /// address.
    fn is_full(&self, flow: &Flow) -> bool {
        let limits = &self.core.config.limits;
        let early = self.early.get(&flow.remote.ip()).copied().unwrap_or(0);
        self.calls.len() >= limits.calls
            || self.core.transactions() >= limits.transactions
            || early >= limits.early_calls_per_source
    }

    /// Opens the transaction, the dialog and the call; says whether the INVITE was good for it.
    #[allow(clippy::too_many_arguments)]
    fn begin(
        &mut self,
        now: Instant,
        flow: Flow,
        key: Key,
        merged: Option<Key>,
        message: &Message,
        trunk: &Trunk,
        user: &str,
    ) -> bool {
        let tag = self.core.word();
        let Ok(dialog) = Dialog::accept(message, &tag) else {
            return false;
        };
        self.last_call += 1;
        let id = CallId(self.last_call);
        let found_by = self.core.keys.dialog(dialog.call_id(), tag.as_bytes());
        self.core.receive(
            key,
            true,
            reply_flow(flow, message),
            super::User::Call(id),
            merged,
        );
        let request = Received {
            key,
            message: message.clone(),
            flow,
        };
        self.core.try_at_once(now, &request);
        let invite = Box::new(incoming(trunk, message, flow, user));
        let peer = Peer {
            flow,
            is_pinned: false,
            trunk: Some(trunk.id.clone()),
        };
        let source = flow.remote.ip();
        let inbound = Inbound::new(now, request, dialog);
        self.calls
            .insert(id, Call::inbound(peer, found_by, source, inbound));
        self.dialogs.insert(found_by, id);
        *self.early.entry(source).or_insert(0) += 1;
        self.core.tell(CallEvent::Incoming { call: id, invite });
        self.visit(now, id, None, |_, _| ());
        true
    }
}

fn incoming(trunk: &Trunk, message: &Message, flow: Flow, user: &str) -> Incoming {
    let from = message.from().ok();
    let number = from
        .as_ref()
        .and_then(|from| from.uri().user_text())
        .unwrap_or_default();
    let display_name = from
        .as_ref()
        .map(|from| from.display_name().into_owned())
        .filter(|name| !name.is_empty());
    Incoming {
        origin: Origin::Trunk(trunk.id.clone()),
        dialled: trunk.numbers.read(user),
        request_uri: String::from_utf8_lossy(message.request_uri_bytes()).into_owned(),
        caller: Caller {
            number: trunk.numbers.read(&number),
            display_name,
            private: false,
            diverted_from: None,
        },
        sip_call_id: message
            .header_text(Name::CallId)
            .unwrap_or_default()
            .into_owned(),
        flow,
        offer: Some(message.body()).filter(|body| !body.is_empty()),
        user_agent: message
            .header_text(Name::UserAgent)
            .map(std::borrow::Cow::into_owned),
    }
}

fn retry_after(writer: Writer, wait: Option<Duration>) -> Writer {
    match wait {
        Some(wait) => writer.header_display(Name::RetryAfter, wait.as_secs()),
        None => writer,
    }
}

/// Host and port of a sent-by; a host of IPv6 keeps its brackets.
fn split_port(sent_by: &[u8]) -> (&[u8], Option<u16>) {
    let colon = sent_by.iter().rposition(|byte| *byte == b':');
    match colon {
        Some(colon) if sent_by.last() != Some(&b']') => {
            let port = std::str::from_utf8(&sent_by[colon + 1..]).ok();
            (&sent_by[..colon], port.and_then(|port| port.parse().ok()))
        }
        Some(_) | None => (sent_by, None),
    }
}

//! Dialogs (RFC 3261 section 12): who the two sides are, which numbers their requests carry, and
//! by which way they go.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::headers::{Invalid, Name, NameAddr};
use super::message::Message;
use super::method::Method;
use super::uri::Uri;
use super::write::Writer;

/// One dialog, as our side of it sees it.
#[derive(Debug, Clone)]
pub struct Dialog {
    call_id: Bytes,
    /// Our From or To header, tag included.
    local: Bytes,
    local_tag: Bytes,
    /// The peer's From or To header, tag included.
    remote: Bytes,
    remote_tag: Bytes,
    local_sequence: u32,
    /// `None` until the peer sends its first request (RFC 3261 section 12.1.2).
    remote_sequence: Option<u32>,
    target: Uri,
    routes: Vec<Route>,
}

#[derive(Debug, Clone)]
struct Route {
    uri: Uri,
    /// The whole value, as it goes into a Route header.
    text: Bytes,
}

/// How a peer broke the rules of a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeerMisbehaved {
    /// RFC 3261 section 12.2.2: numbers only rise; gaps are legal.
    #[error("CSeq went back from {expected} to {received}")]
    CSeqWentBack {
        /// The highest number seen.
        expected: u32,
        /// The number of the request.
        received: u32,
    },
}

impl PeerMisbehaved {
    /// What the request is answered with.
    pub fn status(self) -> u16 {
        match self {
            Self::CSeqWentBack { .. } => 500,
        }
    }
}

impl Dialog {
    /// The dialog that our response to `invite` opens, under our tag (RFC 3261 section 12.1.1).
    ///
    /// # Errors
    ///
    /// Where the request lacks what a dialog is made of: one Contact, From, To, Call-ID, CSeq.
    pub fn accept(invite: &Message, local_tag: &str) -> Result<Self, Invalid> {
        let to = invite.header(Name::To).ok_or(Invalid("there is no To"))?;
        let from = invite
            .header_bytes(Name::From)
            .ok_or(Invalid("there is no From"))?;
        Ok(Self {
            call_id: invite.call_id()?,
            local: tagged(to, local_tag),
            local_tag: Bytes::copy_from_slice(local_tag.as_bytes()),
            remote: from,
            // A peer of RFC 2543 has no tag, which is one with no text (RFC 3261 section 12.1.1).
            remote_tag: invite.from_tag().unwrap_or_default(),
            local_sequence: 0,
            remote_sequence: Some(invite.cseq()?.number),
            target: invite.contact()?.uri().clone(),
            routes: routes(invite)?.collect(),
        })
    }

    /// The dialog that `response` to our INVITE opens (RFC 3261 section 12.1.2). `local` is our
    /// From header with its tag, `sequence` the number of the INVITE.
    ///
    /// # Errors
    ///
    /// Where the response lacks what a dialog is made of.
    pub fn open(
        local: Bytes,
        local_tag: Bytes,
        sequence: u32,
        response: &Message,
    ) -> Result<Self, Invalid> {
        let remote = response
            .header_bytes(Name::To)
            .ok_or(Invalid("there is no To"))?;
        let mut routes: Vec<Route> = routes(response)?.collect();
        routes.reverse();
        Ok(Self {
            call_id: response.call_id()?,
            local,
            local_tag,
            remote,
            remote_tag: response.to_tag().unwrap_or_default(),
            local_sequence: sequence,
            remote_sequence: None,
            target: response.contact()?.uri().clone(),
            routes,
        })
    }

    /// Our tag.
    pub fn local_tag(&self) -> &[u8] {
        &self.local_tag
    }

    /// The peer's tag; empty for a peer that has none.
    pub fn remote_tag(&self) -> &[u8] {
        &self.remote_tag
    }

    /// The Call-ID.
    pub fn call_id(&self) -> &Bytes {
        &self.call_id
    }

    /// Whether a request that has our tag and the Call-ID is of this peer: all three make the dialog
    /// (RFC 3261 section 12.2.2), and the first two found its call.
    pub fn is_with(&self, request: &Message) -> bool {
        request.from_tag().unwrap_or_default() == self.remote_tag
    }

    /// Takes the number of a new request of the peer (not of an ACK or CANCEL, which have that of
    /// their INVITE).
    ///
    /// # Errors
    ///
    /// Where it does not rise.
    pub fn handle_sequence(&mut self, received: u32) -> Result<(), PeerMisbehaved> {
        match self.remote_sequence {
            Some(expected) if received <= expected => {
                Err(PeerMisbehaved::CSeqWentBack { expected, received })
            }
            Some(_) | None => {
                self.remote_sequence = Some(received);
                Ok(())
            }
        }
    }

    /// Takes the new Contact of a target refresh request or of its 2xx (RFC 3261 section 12.2): a
    /// missing or broken one changes nothing.
    pub fn refresh_target(&mut self, message: &Message) {
        if let Ok(contact) = message.contact() {
            self.target = contact.uri().clone();
        }
    }

    /// Takes the route set of the 2xx in place of an early one (RFC 3261 section 13.2.2.4).
    pub fn confirm(&mut self, response: &Message) {
        if let Ok(routes) = routes(response) {
            self.routes = routes.collect();
            self.routes.reverse();
        }
        self.refresh_target(response);
    }

    /// The number for our next request.
    pub fn next_sequence(&mut self) -> u32 {
        self.local_sequence = self.local_sequence.saturating_add(1);
        self.local_sequence
    }

    /// Where requests go next: the first route, or the peer itself (RFC 3261 section 12.2.1.1).
    pub fn next_hop(&self) -> &Uri {
        self.routes.first().map_or(&self.target, |route| &route.uri)
    }

    /// The Request-URI of our requests (RFC 3261 section 12.2.1.1): the peer's target, or the first
    /// route where that is a router of RFC 2543, which puts itself there.
    pub fn request_uri(&self) -> &Uri {
        match self.strict_router() {
            Some(router) => &router.uri,
            None => &self.target,
        }
    }

    /// Begins a request within the dialog. `via` is the whole Via value.
    pub fn request(&self, method: &Method, sequence: u32, via: &str) -> Writer {
        let strict = self.strict_router().is_some();
        let mut writer = Writer::request(method, self.request_uri().as_bytes())
            .header(Name::Via, via)
            .header(Name::MaxForwards, MAX_FORWARDS);
        for route in self.routes.iter().skip(usize::from(strict)) {
            writer = writer.header(Name::Route, &route.text);
        }
        if strict {
            writer = writer.header(Name::Route, bracketed(self.target.as_bytes(), &[]));
        }
        writer
            .header(Name::From, &self.local)
            .header(Name::To, &self.remote)
            .header(Name::CallId, &self.call_id)
            .header_display(Name::CSeq, format_args!("{sequence} {method}"))
    }

    /// The peer as a Refer-To names it, to be called by somebody who takes our place in this dialog
    /// (RFC 3891 section 6.1).
    pub fn refer_to(&self) -> String {
        let replaces = [
            &self.call_id[..],
            b";to-tag=",
            &self.remote_tag,
            b";from-tag=",
            &self.local_tag,
        ]
        .concat();
        let target = String::from_utf8_lossy(self.target.as_bytes());
        format!("<{target}?Replaces={}>", super::call::escaped(&replaces))
    }

    fn strict_router(&self) -> Option<&Route> {
        self.routes
            .first()
            .filter(|route| !route.uri.is_loose_router())
    }
}

/// The Record-Route values of a message, in its order. More than [`ROUTES_MAX`] are refused: no
/// honest path is as long, and each of our requests repeats them.
fn routes(message: &Message) -> Result<impl Iterator<Item = Route>, Invalid> {
    let mut all = Vec::new();
    for address in message.addresses(Name::RecordRoute) {
        if all.len() == ROUTES_MAX {
            return Err(Invalid("Record-Route is too long"));
        }
        all.push(Route::of(&address?));
    }
    Ok(all.into_iter())
}

impl Route {
    fn of(address: &NameAddr) -> Self {
        Self {
            uri: address.uri().clone(),
            text: bracketed(address.uri().as_bytes(), address.params().as_bytes()),
        }
    }
}

fn bracketed(uri: &[u8], params: &[u8]) -> Bytes {
    let mut text = BytesMut::with_capacity(uri.len() + params.len() + 2);
    text.put_u8(b'<');
    text.put_slice(uri);
    text.put_u8(b'>');
    text.put_slice(params);
    text.freeze()
}

fn tagged(header: &[u8], tag: &str) -> Bytes {
    let mut text = BytesMut::with_capacity(header.len() + tag.len() + 5);
    text.put_slice(header);
    text.put_slice(b";tag=");
    text.put_slice(tag.as_bytes());
    text.freeze()
}

/// How many hops our requests may take (RFC 3261 section 8.1.1.6).
pub const MAX_FORWARDS: &str = "70";

/// The longest route set that is kept.
pub const ROUTES_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::parse::{Parsed, parse};

    fn message(text: &str) -> Message {
        let text = text.replace('\n', "\r\n");
        match parse(Bytes::from(text)).expect("a message") {
            Parsed::Message(message) => message,
            Parsed::Keepalive => panic!("no message"),
        }
    }

    fn invite(routes: &str) -> Message {
        message(&format!(
            "INVITE sip:4000@192.0.2.1 SIP/2.0\n\
             Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa\n\
             {routes}From: \"A\" <sip:a@example.net>;tag=theirs\n\
             To: <sip:4000@192.0.2.1>\n\
             Call-ID: one\n\
             CSeq: 7 INVITE\n\
             Contact: <sip:a@192.0.2.9:5070>\n\
             Content-Length: 0\n\n"
        ))
    }

    fn bye_of(dialog: &mut Dialog) -> Message {
        let sequence = dialog.next_sequence();
        let via = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKb";
        let bytes = dialog.request(&Method::Bye, sequence, via).finish();
        match parse(bytes).expect("our own request is read") {
            Parsed::Message(message) => message,
            Parsed::Keepalive => panic!("no message"),
        }
    }

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[test]
    fn a_bye_goes_back_the_way_the_invite_came() {
        let invite = invite("Record-Route: <sip:p2;lr>, <sip:p1;lr>\n");
        let mut dialog = Dialog::accept(&invite, "ours").expect("a dialog");
        let bye = bye_of(&mut dialog);
        assert_eq!(text(bye.request_uri_bytes()), "sip:a@192.0.2.9:5070");
        let routes: Vec<String> = bye
            .header_lines(Name::Route)
            .map(|line| text(&line))
            .collect();
        assert_eq!(routes, ["<sip:p2;lr>", "<sip:p1;lr>"]);
        assert_eq!(text(dialog.next_hop().as_bytes()), "sip:p2;lr");
        assert_eq!(
            bye.header(Name::From).map(text).as_deref(),
            Some("<sip:4000@192.0.2.1>;tag=ours")
        );
        assert_eq!(
            bye.header(Name::To).map(text).as_deref(),
            Some("\"A\" <sip:a@example.net>;tag=theirs")
        );
        assert_eq!(bye.header(Name::CSeq).map(text).as_deref(), Some("1 BYE"));
    }

    #[test]
    fn a_strict_router_stands_in_the_request_uri_and_the_target_is_the_last_route() {
        let invite = invite("Record-Route: <sip:old.example.net>\nRecord-Route: <sip:p1;lr>\n");
        let mut dialog = Dialog::accept(&invite, "ours").expect("a dialog");
        let bye = bye_of(&mut dialog);
        assert_eq!(text(bye.request_uri_bytes()), "sip:old.example.net");
        let routes: Vec<String> = bye
            .header_lines(Name::Route)
            .map(|line| text(&line))
            .collect();
        assert_eq!(routes, ["<sip:p1;lr>", "<sip:a@192.0.2.9:5070>"]);
        assert_eq!(text(dialog.next_hop().as_bytes()), "sip:old.example.net");
    }

    #[test]
    fn as_a_caller_the_route_set_is_turned_round() {
        let response = message(
            "SIP/2.0 200 OK\n\
             Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKb\n\
             Record-Route: <sip:p2;lr>\n\
             Record-Route: <sip:p1;lr>\n\
             From: <sip:b@192.0.2.1>;tag=ours\n\
             To: <sip:a@example.net>;tag=theirs\n\
             Call-ID: two\n\
             CSeq: 5 INVITE\n\
             Contact: <sip:a@192.0.2.9>\n\
             Content-Length: 0\n\n",
        );
        let local = Bytes::from_static(b"<sip:b@192.0.2.1>;tag=ours");
        let mut dialog =
            Dialog::open(local, Bytes::from_static(b"ours"), 5, &response).expect("a dialog");
        let bye = bye_of(&mut dialog);
        let routes: Vec<String> = bye
            .header_lines(Name::Route)
            .map(|line| text(&line))
            .collect();
        assert_eq!(routes, ["<sip:p1;lr>", "<sip:p2;lr>"]);
        assert_eq!(bye.header(Name::CSeq).map(text).as_deref(), Some("6 BYE"));
    }

    #[test]
    fn numbers_may_leave_gaps_and_may_not_go_back() {
        let mut dialog = Dialog::accept(&invite(""), "ours").expect("a dialog");
        assert_eq!(dialog.handle_sequence(12), Ok(()));
        for received in [12, 11, 7] {
            let fault = dialog.handle_sequence(received).expect_err("it went back");
            assert_eq!(fault.status(), 500);
        }
        assert_eq!(dialog.handle_sequence(13), Ok(()));
    }

    #[test]
    fn a_request_with_another_tag_is_of_another_peer() {
        let dialog = Dialog::accept(&invite(""), "ours").expect("a dialog");
        assert!(dialog.is_with(&invite("")));
        let other = message(
            "BYE sip:4000@192.0.2.1 SIP/2.0\n\
             Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKc\n\
             From: <sip:a@example.net>;tag=other\n\
             To: <sip:4000@192.0.2.1>;tag=ours\n\
             Call-ID: one\n\
             CSeq: 8 BYE\n\
             Content-Length: 0\n\n",
        );
        assert!(!dialog.is_with(&other));
    }
}

//! What a call acts with: the endpoint's hands, the time, and who its peer is.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::event::{CallEvent, End, Party, Reason};
pub(in crate::sip) use crate::sip::body::sdp;
use crate::sip::dialog::Dialog;
use crate::sip::digest::{self, Attempt};
use crate::sip::endpoint::{Core, Outgoing, TracedWay, User};
use crate::sip::headers::{self, Name};
use crate::sip::message::Message;
use crate::sip::resolve::Server;
use crate::sip::transaction::key::Key;
use crate::sip::uri::{Host, Scheme, Uri};
use crate::sip::write::Writer;
use crate::sip::{CallId, Flow, Method, Transport, TrunkId};

/// One visit to one call.
#[derive(Debug)]
pub(in crate::sip) struct Scene<'a> {
    pub(in crate::sip) core: &'a mut Core,
    pub(in crate::sip) now: Instant,
    pub(in crate::sip) call: CallId,
    /// Where the message at hand came from; `None` for commands and time-outs.
    pub(in crate::sip) source: Option<IpAddr>,
}

/// The other end of a call.
#[derive(Debug, Clone)]
pub(in crate::sip) struct Peer {
    /// The path its last request came by, or our first one went.
    pub(in crate::sip) flow: Flow,
    /// Whether all requests go back by that path, whatever a Contact says: our devices sit behind
    /// NAT, and their Contact names an address that only they know (RFC 5626 does the same).
    pub(in crate::sip) is_pinned: bool,
    /// The name that a new TLS connection to it must prove to have.
    pub(in crate::sip) server_name: Option<Arc<str>>,
    /// The carrier whose credentials answer its challenges.
    pub(in crate::sip) trunk: Option<TrunkId>,
}

/// A request of a peer whose transaction is open and waits for a response.
#[derive(Debug)]
pub(in crate::sip) struct Received {
    pub(in crate::sip) key: Key,
    pub(in crate::sip) message: Message,
    /// The path it came by.
    pub(in crate::sip) flow: Flow,
    /// The call of ours that it wants to be replaced, where it names one.
    pub(in crate::sip) named: Option<CallId>,
}

impl Received {
    fn source(&self) -> SocketAddr {
        self.flow.remote
    }

    /// The number of the request. A request without one does not get this far.
    pub(in crate::sip) fn sequence(&self) -> u32 {
        self.message.cseq().map_or(0, |cseq| cseq.number)
    }

    /// The SDP it carries.
    pub(in crate::sip) fn sdp(&self) -> Option<Bytes> {
        sdp(&self.message)
    }
}

impl Scene<'_> {
    pub(in crate::sip) fn tell(&mut self, event: CallEvent) {
        self.core.tell(event);
    }

    /// The last event of the call.
    pub(super) fn ended(&mut self, by: Party, status: Option<u16>, reason: Option<Reason>) {
        let end = End { by, status, reason };
        let call = self.call;
        self.core.tell(CallEvent::Ended { call, end });
    }

    /// Answers a request in its transaction; `finish` adds what the answer needs. Gives the bytes
    /// for whoever repeats them.
    pub(in crate::sip) fn reply(
        &mut self,
        request: &Received,
        status: u16,
        tag: &[u8],
        finish: impl FnOnce(Writer) -> Bytes,
    ) -> Bytes {
        let writer = Writer::response_to(&request.message, status, Some(tag), request.source());
        let bytes = finish(writer);
        self.core
            .respond(self.now, request.key, status, bytes.clone());
        bytes
    }

    /// Sends a request within a dialog, in a transaction of its own; `finish` adds what it needs.
    /// Gives the key of the transaction and the number of the request.
    pub(super) fn request(
        &mut self,
        peer: &Peer,
        dialog: &mut Dialog,
        method: Method,
        body: &[u8],
        finish: impl FnOnce(Writer) -> Bytes,
    ) -> (Key, u32) {
        let sequence = dialog.next_sequence();
        let flow = self.core.flow_to(peer, dialog.next_hop());
        let is_known = flow.remote == peer.flow.remote;
        let server_name = peer.server_name.clone().filter(|_| is_known);
        let (via, key) = self.core.via(&flow, &method);
        let writer = dialog.request(&method, sequence, &via);
        let uri = dialog.request_uri();
        let writer = self
            .core
            .authorize(peer, writer, &method, uri, body, flow.remote.ip());
        let bytes = finish(writer);
        let may_stream = !peer.is_pinned && dialog.next_hop().transport().is_none();
        self.core.send(
            self.now,
            Outgoing {
                key,
                invite: method == Method::Invite,
                bytes,
                flow,
                server_name,
                user: User::Call(self.call),
                may_stream,
            },
        );
        (key, sequence)
    }

    /// Writes and sends the ACK to a 2xx (RFC 3261 section 13.2.2.4), and gives it for copies.
    pub(super) fn acknowledge(
        &mut self,
        peer: &Peer,
        dialog: &Dialog,
        sequence: u32,
        sdp: Option<&[u8]>,
    ) -> (Flow, Bytes) {
        let flow = self.core.flow_to(peer, dialog.next_hop());
        let (via, _key) = self.core.via(&flow, &Method::Ack);
        let writer = dialog.request(&Method::Ack, sequence, &via);
        let writer = self.core.authorize(
            peer,
            writer,
            &Method::Ack,
            dialog.request_uri(),
            sdp.unwrap_or_default(),
            flow.remote.ip(),
        );
        let bytes = match sdp {
            Some(sdp) => writer.finish_with_body(SDP, sdp),
            None => writer.finish(),
        };
        self.core.trace(self.call, TracedWay::Sent, flow, &bytes);
        self.core.transmit(flow, bytes.clone());
        (flow, bytes)
    }

    /// Our Contact on a flow.
    pub(super) fn contact(&self, flow: &Flow) -> String {
        self.core.contact(flow)
    }
}

impl Core {
    /// A fresh Via for a request of ours, and the key of its transaction.
    pub(in crate::sip) fn via(&mut self, flow: &Flow, method: &Method) -> (String, Key) {
        let branch = format!("z9hG4bK{}", self.word());
        let key = self.keys.client(branch.as_bytes(), method);
        let sent_by = self.public_address(flow);
        let transport = flow.transport;
        let via = format!("SIP/2.0/{transport} {sent_by};branch={branch};rport");
        (via, key)
    }

    /// The path to a server that a look-up found, and the name it must prove to have. `None` where
    /// we do not speak its transport.
    pub(in crate::sip) fn flow_of(&self, server: &Server) -> Option<(Flow, Option<Arc<str>>)> {
        let mut flow = Flow {
            transport: server.transport,
            local: server.address,
            remote: server.address,
            connection: None,
        };
        flow.local = self.listener(&flow)?.local;
        Some((flow, server.name.as_deref().map(Arc::from)))
    }

    /// Our Contact on a flow, as peers there reach us.
    pub(in crate::sip) fn contact(&self, flow: &Flow) -> String {
        self.contact_of(flow, OUR_USER)
    }

    /// The same under another user.
    pub(in crate::sip) fn contact_of(&self, flow: &Flow, user: &str) -> String {
        let address = self.public_address(flow);
        let transport = match flow.transport {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
            Transport::Tls => ";transport=tls",
            Transport::Ws | Transport::Wss => ";transport=ws", // RFC 7118 section 5.2.3
        };
        format!("<sip:{user}@{address}{transport}>")
    }

    /// Adds our credentials to a request to a carrier that has challenged us before, and to nobody
    /// else.
    pub(in crate::sip) fn authorize(
        &mut self,
        peer: &Peer,
        mut writer: Writer,
        method: &Method,
        uri: &Uri,
        body: &[u8],
        to: IpAddr,
    ) -> Writer {
        let answerer = peer
            .trunk
            .as_ref()
            .and_then(|trunk| self.answerers.get_mut(trunk));
        let (Some(answerer), Ok(uri)) = (answerer, std::str::from_utf8(uri.as_bytes())) else {
            return writer;
        };
        let method = method.as_str();
        for header in answerer.authorize(&digest::Outgoing {
            method,
            uri,
            body,
            to,
        }) {
            writer = writer.header_named(header.name, header.value);
        }
        writer
    }

    /// Takes the challenge in a 401 or 407 to a request of ours; says whether the request is to be
    /// sent again. Only a configured carrier, from its own addresses, gets an answer.
    pub(in crate::sip) fn challenged(
        &mut self,
        peer: &Peer,
        attempt: &mut Attempt,
        response: &Message,
        source: Option<IpAddr>,
    ) -> bool {
        let answerer = peer
            .trunk
            .as_ref()
            .and_then(|trunk| self.answerers.get_mut(trunk));
        let (Some(answerer), Some(source), Some(status)) = (answerer, source, response.status())
        else {
            return false;
        };
        let name = if status == 401 {
            Name::WwwAuthenticate
        } else {
            Name::ProxyAuthenticate
        };
        let lines: Vec<Bytes> = response.header_lines(name).collect();
        let challenges = lines.iter().map(|line| &line[..]);
        answerer
            .handle_challenge(attempt, source, status, challenges, &mut self.random)
            .is_ok()
    }

    /// The path to the next hop of a dialog.
    ///
    /// An address is gone to directly. A name is not looked up again in the middle of a call: the
    /// path that the peer itself used leads there.
    pub(in crate::sip) fn flow_to(&self, peer: &Peer, next_hop: &Uri) -> Flow {
        let known = peer.flow;
        if peer.is_pinned {
            return known;
        }
        let Some(address) = next_hop.host().and_then(address_of) else {
            return known;
        };
        // An address that only the peer's own network knows leads nowhere from here.
        if is_private(address) && !is_private(known.remote.ip()) {
            return known;
        }
        let default = if next_hop.scheme() == Scheme::Sips {
            Transport::Tls
        } else {
            Transport::Udp
        };
        let is_same_host = address == known.remote.ip().to_canonical();
        let transport = match next_hop.transport() {
            Some(transport) => transport,
            None if is_same_host => known.transport,
            None => default,
        };
        if is_same_host && transport == known.transport && transport.is_reliable() {
            return known; // The connection is open.
        }
        let port = next_hop.port().unwrap_or(default_port(transport));
        let remote = SocketAddr::new(address, port);
        let flow = Flow {
            transport,
            local: known.local,
            remote,
            connection: None,
        };
        match self.listener(&flow) {
            Some(listener) => Flow {
                local: listener.local,
                ..flow
            },
            None => known, // We do not speak that transport: the known path is the best there is.
        }
    }
}

fn address_of(host: &Host) -> Option<IpAddr> {
    host.ip().map(|ip| ip.to_canonical())
}

/// Whether an address means something only inside one network (RFC 1918, RFC 6598, RFC 4193).
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let is_shared = matches!(address.octets(), [100, 64..=127, _, _]);
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
                || is_shared
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.is_unspecified()
        }
    }
}

/// The port of a transport where a URI names none (RFC 3261 section 19.1.2, RFC 7118).
pub(in crate::sip) fn default_port(transport: Transport) -> u16 {
    match transport {
        Transport::Udp | Transport::Tcp => 5060,
        Transport::Tls => 5061,
        Transport::Ws => 80,
        Transport::Wss => 443,
    }
}

/// What a peer gave as its reason to end a call (RFC 3326), texts cut to a length for records.
pub(in crate::sip) fn reason(message: &Message) -> Option<Reason> {
    let line = message.header_bytes(Name::Reason)?;
    let reason = headers::Reason::parse_list(&line).next()?.ok()?;
    Some(Reason {
        protocol: clip(&String::from_utf8_lossy(&reason.protocol)),
        cause: reason.cause,
        text: reason.text.as_deref().map(clip),
    })
}

fn clip(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(TEXT_MAX)
        .collect()
}

/// The methods we take, for Allow headers (RFC 3261 section 20.5).
pub(in crate::sip) fn allow() -> &'static str {
    "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY"
}

/// The extensions we know, for Supported headers.
pub(in crate::sip) fn supported() -> &'static str {
    "100rel, timer, replaces, norefersub"
}

/// The type of session descriptions.
pub(super) const SDP: &str = "application/sdp";

/// The user of our Contact: a name for whoever reads a trace, as the address says all.
const OUR_USER: &str = "ramal";

/// The longest reason text that is kept, in characters.
const TEXT_MAX: usize = 128;

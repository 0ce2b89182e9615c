//! Calls that we place.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

use super::Endpoint;
use super::upkeep::Seeker;
use crate::sip::call::{
    Call, CallEvent, Dial, End, Identity, Misuse, Order, Outbound, Party, Peer, Plan, Target, Way,
};
use crate::sip::resolve;
use crate::sip::trunk::Trunk;
use crate::sip::uri::Uri;
use crate::sip::{AccountId, CallId, Flow, Transport, TrunkId};

/// Where a call goes, before a name is looked up.
struct Course {
    plan: Plan,
    /// The name to look up, where the ways are not known yet.
    lookup: Option<resolve::Target>,
    trunk: Option<TrunkId>,
    is_pinned: bool,
}

impl Endpoint {
    /// Places a call. What becomes of it is told by events; where it cannot even begin (no such
    /// trunk or device, no room), by `Ended` at once, with the status that says why.
    ///
    /// # Errors
    ///
    /// When the target is no SIP URI, or the trunk has no host that could be called.
    pub fn dial(&mut self, now: Instant, dial: Dial) -> Result<CallId, Misuse> {
        self.last_call += 1;
        let id = CallId(self.last_call);
        let limits = &self.core.config.limits;
        let is_full =
            self.calls.len() >= limits.calls || self.core.transactions() >= limits.transactions;
        let course = if is_full {
            Err(503)
        } else {
            match &dial.target {
                Target::Trunk { trunk, number } => {
                    self.course_by_trunk(now, &dial, trunk, number)?
                }
                Target::Device(account) => self.course_to_device(now, &dial, account),
                Target::Uri(uri) => Ok(self.course_to_uri(&dial, uri)?),
            }
        };
        match course {
            Ok(course) => self.begin_outbound(now, id, &dial, course),
            Err(status) => {
                let end = End {
                    by: Party::Us,
                    status: Some(status),
                    reason: None,
                };
                self.core.tell(CallEvent::Ended { call: id, end });
            }
        }
        self.settle(now);
        Ok(id)
    }

    fn begin_outbound(&mut self, now: Instant, id: CallId, dial: &Dial, course: Course) {
        let identity = &course.plan.identity;
        let found_by = self
            .core
            .keys
            .dialog(identity.call_id.as_bytes(), identity.tag.as_bytes());
        let peer = Peer {
            flow: NOWHERE,
            is_pinned: course.is_pinned,
            server_name: None,
            trunk: course.trunk,
        };
        let outbound = Outbound::new(now, course.plan, dial);
        self.calls
            .insert(id, Call::outbound(peer, found_by, outbound));
        self.dialogs.insert(found_by, id);
        match course.lookup {
            Some(target) => {
                let resolution = self.resolver.resolve(now, target);
                self.seekers.insert(resolution, Seeker::Call(id));
                self.visit(now, id, None, |_, _| ());
            }
            None => {
                self.visit(now, id, None, |call, scene| {
                    call.handle_servers(scene, Ok(Vec::new()));
                });
            }
        }
    }

    fn course_by_trunk(
        &mut self,
        now: Instant,
        dial: &Dial,
        trunk: &TrunkId,
        number: &str,
    ) -> Result<Result<Course, u16>, Misuse> {
        let Some(trunk) = self.trunks.find(trunk).cloned() else {
            return Ok(Err(404));
        };
        let number = trunk.numbers.write(number);
        let addressed = trunk.addressed(Some(&number)).map_err(|_| NO_URI)?;
        let (uri, next) = addressed.ok_or(NO_HOST)?;
        let lookup = resolve::Target::of_uri(&next).map_err(|_| NO_URI)?;
        let proxy = trunk.outbound_proxy.as_ref().map(|_| &next);
        let mut plan = self.plan_by_trunk(dial, &trunk, uri, proxy);
        plan.may_stream = lookup.transport.is_none();
        if let Err(refused) = self.trunks.begin_call(now, &trunk.id) {
            return Ok(Err(refused.status()));
        }
        Ok(Ok(Course {
            plan,
            lookup: Some(lookup),
            trunk: Some(trunk.id),
            is_pinned: false,
        }))
    }

    fn plan_by_trunk(&mut self, dial: &Dial, trunk: &Trunk, uri: Uri, proxy: Option<&Uri>) -> Plan {
        let host = uri.host().map(ToString::to_string).unwrap_or_default();
        let mut identity = Identity::new(&mut self.core, uri, dial, &host, trunk.trusted);
        identity.routes = match proxy {
            Some(proxy) => vec![Bytes::from(format!("<{proxy}>"))],
            None => self.service_route(&trunk.id),
        };
        Plan {
            identity,
            ways: VecDeque::new(),
            order: Order::OneByOne,
            may_stream: false,
        }
    }

    fn course_to_device(
        &mut self,
        now: Instant,
        dial: &Dial,
        account: &AccountId,
    ) -> Result<Course, u16> {
        let targets = self.registrar.targets(now, account);
        let first = targets.first().ok_or(480_u16)?; // RFC 3261 section 21.4.18
        let domain = self.core.config.domain.clone();
        let uri = first.uri.clone();
        // The connection of an only phone is watched: a browser that leaves rings no more.
        let order = match targets.len() {
            1 => Order::OneByOne,
            _ => Order::Together,
        };
        let identity = Identity::new(&mut self.core, uri, dial, &domain, true);
        let ways = targets
            .into_iter()
            .map(|target| Way {
                flow: target.flow,
                server_name: None,
                contact: Some((target.uri, target.path)),
            })
            .collect();
        Ok(Course {
            plan: Plan {
                identity,
                ways,
                order,
                may_stream: false,
            },
            lookup: None,
            trunk: None,
            is_pinned: true,
        })
    }

    fn course_to_uri(&mut self, dial: &Dial, text: &str) -> Result<Course, Misuse> {
        let uri = uri_of(text)?;
        let lookup = resolve::Target::of_uri(&uri).map_err(|_| NO_URI)?;
        let domain = self.core.config.domain.clone();
        let identity = Identity::new(&mut self.core, uri, dial, &domain, false);
        Ok(Course {
            plan: Plan {
                identity,
                ways: VecDeque::new(),
                order: Order::OneByOne,
                may_stream: lookup.transport.is_none(),
            },
            lookup: Some(lookup),
            trunk: None,
            is_pinned: false,
        })
    }
}

fn uri_of(text: &str) -> Result<Uri, Misuse> {
    Uri::parse(Bytes::copy_from_slice(text.as_bytes())).map_err(|_| NO_URI)
}

/// The path of a call whose name is still looked up: no message takes it.
const NOWHERE: Flow = Flow {
    transport: Transport::Udp,
    local: std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0),
    remote: std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0),
    connection: None,
};

const NO_URI: Misuse = Misuse {
    command: "dial",
    state: "the target is no SIP URI that can be called",
};

const NO_HOST: Misuse = Misuse {
    command: "dial",
    state: "the trunk has no host to call",
};

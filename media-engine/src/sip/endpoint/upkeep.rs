//! What goes on without a call: names looked up, registrations at carriers kept alive.

use std::collections::BTreeMap;
use std::time::Instant;

use super::Endpoint;
use super::deadlines::{Armed, Owner};
use super::output::Output;
use super::transactions::{Outgoing, User};
use crate::sip::dialog::MAX_FORWARDS;
use crate::sip::headers::Name;
use crate::sip::message::Message;
use crate::sip::registration::{self, Registration, Request, Response};
use crate::sip::resolve::{self, QueryId, Server, Unresolvable};
use crate::sip::trunk::Trunk;
use crate::sip::write::Writer;
use crate::sip::{CallId, Flow, Method};

/// A registration at a carrier, under a number of its own.
#[derive(Debug)]
pub(super) struct Kept {
    registration: Registration,
    /// What it was made from: another configuration makes another registration.
    trunk: Trunk,
    armed: Armed,
}

/// Who waits for a look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sip) enum Seeker {
    Registration(u32),
    Call(CallId),
    Ping(u32),
}

impl Endpoint {
    /// Registers where the trunks say, and takes back what is not wanted any more.
    pub(super) fn set_registrations(&mut self, now: Instant, trunks: &[Trunk]) {
        let mut unwanted: BTreeMap<u32, ()> = BTreeMap::new();
        for (number, kept) in &self.registrations {
            if !trunks.contains(&kept.trunk) {
                unwanted.insert(*number, ());
            }
        }
        for number in unwanted.into_keys() {
            if let Some(kept) = self.registrations.get_mut(&number) {
                kept.registration.unregister(now);
            }
        }
        for trunk in trunks {
            let is_kept = self.registrations.values().any(|kept| kept.trunk == *trunk);
            let seed = self.core.seed();
            if is_kept {
                continue;
            }
            if let Some(mut registration) = Registration::new(now, trunk, seed) {
                registration.start(now);
                self.last_registration += 1;
                let kept = Kept {
                    registration,
                    trunk: trunk.clone(),
                    armed: None,
                };
                self.registrations.insert(self.last_registration, kept);
            }
        }
        let numbers: Vec<u32> = self.registrations.keys().copied().collect();
        for number in numbers {
            self.settle_registration(now, number);
        }
    }

    /// The routes that a carrier wants calls to take (RFC 3608), where we are registered there.
    pub(super) fn service_route(&self, trunk: &crate::sip::TrunkId) -> Vec<bytes::Bytes> {
        self.registrations
            .values()
            .find(|kept| kept.registration.trunk() == trunk)
            .map(|kept| kept.registration.service_route().to_vec())
            .unwrap_or_default()
    }

    pub(super) fn registration_due(&mut self, now: Instant, number: u32) {
        if let Some(kept) = self.registrations.get_mut(&number) {
            kept.registration.handle_timeout(now);
        }
        self.settle_registration(now, number);
    }

    pub(super) fn receive_registered(
        &mut self,
        now: Instant,
        number: u32,
        sequence: u32,
        flow: Flow,
        message: &Message,
    ) {
        if message.status().is_none_or(|status| status < 200) {
            return;
        }
        if let Some(kept) = self.registrations.get_mut(&number) {
            let user = kept.trunk.line.as_ref().map(|line| line.token.as_str());
            let response = Response::read(message, flow.remote.ip(), user.unwrap_or_default());
            kept.registration.handle_response(now, sequence, &response);
        }
        self.settle_registration(now, number);
    }

    pub(super) fn registration_unanswered(&mut self, now: Instant, number: u32, sequence: u32) {
        if let Some(kept) = self.registrations.get_mut(&number) {
            kept.registration.handle_unanswered(now, sequence);
        }
        self.settle_registration(now, number);
    }

    /// Does what a registration wants, moves its deadline, and forgets it when it was taken back.
    fn settle_registration(&mut self, now: Instant, number: u32) {
        while let Some(output) = self
            .registrations
            .get_mut(&number)
            .and_then(|kept| kept.registration.poll_output())
        {
            match output {
                registration::Output::Resolve(target) => {
                    let resolution = self.resolver.resolve(now, target);
                    let seeker = Seeker::Registration(number);
                    self.seekers.insert(resolution, seeker);
                }
                registration::Output::Send(request) => {
                    self.send_register(now, number, &request);
                }
                registration::Output::Changed(health) => {
                    let health = Box::new(health);
                    self.core.outputs.push_back(Output::Registration(health));
                }
            }
        }
        let Some(kept) = self.registrations.get_mut(&number) else {
            return;
        };
        let next = kept.registration.poll_timeout();
        let is_over = kept.registration.is_stopped();
        let next = next.filter(|_| !is_over);
        let owner = Owner::Registration(number);
        self.core.deadlines.set(owner, &mut kept.armed, next);
        if is_over {
            self.registrations.remove(&number);
        }
    }

    fn send_register(&mut self, now: Instant, number: u32, request: &Request) {
        let Some((flow, server_name)) = self.core.flow_of(&request.server) else {
            return self.registration_unanswered(now, number, request.cseq);
        };
        let method = Method::Register;
        let (via, key) = self.core.via(&flow, &method);
        let from = format!("<{}>;tag={}", request.address_of_record, request.tag);
        let contact = self.core.contact_of(&flow, &request.contact_user);
        let mut writer = Writer::request(&method, &request.uri)
            .header(Name::Via, via)
            .header(Name::MaxForwards, MAX_FORWARDS);
        if let Some(route) = &request.route {
            writer = writer.header_display(Name::Route, format_args!("<{route}>"));
        }
        writer = writer
            .header(Name::From, from)
            .header_display(Name::To, format_args!("<{}>", request.address_of_record))
            .header(Name::CallId, &request.call_id)
            .header_display(Name::CSeq, format_args!("{} {method}", request.cseq))
            .header(Name::Contact, contact)
            .header_display(Name::Expires, request.expires_s)
            .header(Name::UserAgent, &self.core.config.product);
        for header in &request.authorizations {
            writer = writer.header_named(header.name, &header.value);
        }
        self.core.send(
            now,
            Outgoing {
                key,
                invite: false,
                bytes: writer.finish(),
                flow,
                server_name,
                user: User::Registration {
                    number,
                    sequence: request.cseq,
                },
                may_stream: false, // It is small.
            },
        );
    }

    /// Passes on what the resolver asks and what it found, and moves its deadline.
    pub(super) fn settle_resolver(&mut self, now: Instant) {
        while let Some(output) = self.resolver.poll_output() {
            match output {
                resolve::Output::Ask { query, question } => {
                    self.core.outputs.push_back(Output::Ask { query, question });
                }
                resolve::Output::Resolved {
                    resolution,
                    servers,
                } => match self.seekers.remove(&resolution) {
                    Some(Seeker::Registration(number)) => {
                        if let Some(kept) = self.registrations.get_mut(&number) {
                            kept.registration.handle_servers(now, servers);
                        }
                        self.settle_registration(now, number);
                    }
                    Some(Seeker::Call(call)) => self.call_resolved(now, call, servers),
                    Some(Seeker::Ping(number)) => {
                        self.with_ping(now, number, |ping| ping.handle_servers(now, servers));
                    }
                    None => {}
                },
            }
        }
        let next = self.resolver.poll_timeout();
        let armed = &mut self.resolver_armed;
        self.core.deadlines.set(Owner::Resolver, armed, next);
    }

    fn call_resolved(
        &mut self,
        now: Instant,
        call: CallId,
        servers: Result<Vec<Server>, Unresolvable>,
    ) {
        let trunk = self
            .calls
            .get(&call)
            .and_then(|call| call.peer.trunk.clone());
        if let (Some(trunk), Ok(servers)) = (trunk, &servers)
            && let Some(answerer) = self.core.answerers.get_mut(&trunk)
        {
            // The carrier's name leads there, so its challenges come from there.
            answerer.set_addresses(servers.iter().map(|server| server.address.ip()));
        }
        self.visit(now, call, None, |call, scene| {
            call.handle_servers(scene, servers);
        });
    }

    /// Takes what the DNS said to [`Output::Ask`].
    pub fn handle_resolved(&mut self, now: Instant, query: QueryId, answer: resolve::Answer) {
        self.resolver.handle_answer(now, query, answer);
        self.settle(now);
    }
}

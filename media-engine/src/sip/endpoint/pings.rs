//! Trunks that are asked now and then whether they live.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Endpoint;
use super::deadlines::{Armed, Owner};
use super::output::Output;
use super::receive::abilities;
use super::transactions::{Outgoing, User};
use super::upkeep::Seeker;
use crate::sip::Method;
use crate::sip::dialog::MAX_FORWARDS;
use crate::sip::headers::Name;
use crate::sip::ping::{self, Ping};
use crate::sip::resolve::{Server, Target};
use crate::sip::transaction::GIVE_UP;
use crate::sip::trunk::Trunk;
use crate::sip::uri::Uri;
use crate::sip::write::Writer;

/// The pings of one trunk, under a number of their own.
#[derive(Debug)]
pub(super) struct Pinged {
    ping: Ping,
    /// What they were made from: another configuration makes others.
    trunk: Trunk,
    /// The Request-URI.
    uri: Uri,
    /// The server of the question under way.
    server: Option<Server>,
    armed: Armed,
}

impl Endpoint {
    /// Asks the trunks that want it, and no others.
    pub(super) fn set_pings(&mut self, now: Instant, trunks: &[Trunk]) {
        let mut before = std::mem::take(&mut self.pings);
        let mut kept = BTreeMap::new();
        for trunk in trunks {
            let same = before.iter().find(|(_, pinged)| pinged.trunk == *trunk);
            let same = same.map(|(number, _)| *number);
            if let Some((number, pinged)) = same.and_then(|it| before.remove_entry(&it)) {
                kept.insert(number, pinged);
            } else if let Some(pinged) = self.pinged(now, trunk) {
                self.last_ping += 1;
                kept.insert(self.last_ping, pinged);
            }
        }
        for (number, pinged) in &mut before {
            let owner = Owner::Ping(*number);
            self.core.deadlines.set(owner, &mut pinged.armed, None);
        }
        self.pings = kept;
        let numbers: Vec<u32> = self.pings.keys().copied().collect();
        for number in numbers {
            self.settle_ping(now, number);
        }
    }

    /// The pings of a trunk that wants them, where there is an address that they could go to.
    fn pinged(&mut self, now: Instant, trunk: &Trunk) -> Option<Pinged> {
        let rule = trunk.ping?;
        let (uri, next) = trunk.addressed(None).ok()??;
        let target = Target::of_uri(&next).ok()?;
        // After a restart not all trunks are asked in one moment.
        let spread = rule.every.min(FIRST_MAX);
        let first = now + spread.mul_f64(f64::from(self.core.chance(0..=1000)) / 1000.0);
        Some(Pinged {
            ping: Ping::new(now, first, trunk.id.clone(), rule, target),
            trunk: trunk.clone(),
            uri,
            server: None,
            armed: None,
        })
    }

    /// How the trunks answer that are asked whether they live.
    pub fn pings(&self) -> impl Iterator<Item = ping::Health> {
        self.pings.values().map(|pinged| pinged.ping.health())
    }

    pub(super) fn ping_due(&mut self, now: Instant, number: u32) {
        self.with_ping(now, number, |ping| ping.handle_timeout(now));
    }

    pub(super) fn ping_answered(&mut self, now: Instant, number: u32, question: u64, status: u16) {
        if status < 200 {
            return;
        }
        if !ping::is_sign_of_life(status) {
            return self.ping_unanswered(now, number, question);
        }
        let server = self.pings.get_mut(&number).and_then(|it| it.server.take());
        if let Some(server) = server {
            let (transport, address) = (server.transport, server.address);
            self.resolver.mark_alive(now, transport, address);
        }
        self.with_ping(now, number, |ping| {
            ping.handle_answer(now, question, status)
        });
    }

    /// No answer came. The server is tried last when a call goes there, or the next question.
    pub(super) fn ping_unanswered(&mut self, now: Instant, number: u32, question: u64) {
        let server = self.pings.get_mut(&number).and_then(|it| it.server.take());
        if let Some(server) = server {
            let (transport, address) = (server.transport, server.address);
            // Until the next question has been answered, or not.
            let wait = self.pings.get(&number).and_then(|it| it.trunk.ping);
            let wait = wait.map(|rule| rule.every + GIVE_UP);
            self.resolver.mark_dead(now, transport, address, wait);
        }
        self.with_ping(now, number, |ping| ping.handle_unanswered(now, question));
    }

    pub(super) fn with_ping(&mut self, now: Instant, number: u32, act: impl FnOnce(&mut Ping)) {
        if let Some(pinged) = self.pings.get_mut(&number) {
            act(&mut pinged.ping);
        }
        self.settle_ping(now, number);
    }

    /// Does what the pings of a trunk want, and moves their deadline.
    fn settle_ping(&mut self, now: Instant, number: u32) {
        while let Some(pinged) = self.pings.get_mut(&number)
            && let Some(output) = pinged.ping.poll_output()
        {
            match output {
                ping::Output::Resolve(target) => {
                    let resolution = self.resolver.resolve(now, target);
                    self.seekers.insert(resolution, Seeker::Ping(number));
                }
                ping::Output::Send { server, question } => {
                    pinged.server = Some(server.clone());
                    let uri = pinged.uri.clone();
                    self.send_options(now, number, question, &uri, &server);
                }
                ping::Output::Changed(health) => {
                    self.core.outputs.push_back(Output::Ping(health));
                }
            }
        }
        if let Some(pinged) = self.pings.get_mut(&number) {
            let next = pinged.ping.poll_timeout();
            let owner = Owner::Ping(number);
            self.core.deadlines.set(owner, &mut pinged.armed, next);
        }
    }

    fn send_options(
        &mut self,
        now: Instant,
        number: u32,
        question: u64,
        uri: &Uri,
        server: &Server,
    ) {
        let Some((flow, server_name)) = self.core.flow_of(server) else {
            return self.ping_unanswered(now, number, question);
        };
        let core = &mut self.core;
        let method = Method::Options;
        let (via, key) = core.via(&flow, &method);
        let (tag, call_id) = (core.word(), core.word());
        let domain = &core.config.domain;
        let writer = Writer::request(&method, uri.as_bytes())
            .header(Name::Via, via)
            .header(Name::MaxForwards, MAX_FORWARDS)
            .header_display(Name::From, format_args!("<sip:{domain}>;tag={tag}"))
            .header_display(Name::To, format_args!("<{uri}>"))
            .header(Name::CallId, call_id)
            .header_display(Name::CSeq, format_args!("1 {method}"))
            .header(Name::Contact, core.contact(&flow))
            .header(Name::UserAgent, &core.config.product);
        core.send(
            now,
            Outgoing {
                key,
                invite: false,
                bytes: abilities(writer).finish(),
                flow,
                server_name,
                user: User::Ping { number, question },
                may_stream: false, // It is small.
            },
        );
    }
}

/// The longest that the first question of a trunk waits.
const FIRST_MAX: Duration = Duration::from_secs(10);

//! Devices: who proves to be one, and where it is.

use std::time::Instant;

use super::Endpoint;
use super::output::Output;
use super::receive::Arrival;
use super::transactions::User;
use crate::sip::digest::{Refusal, Request, Verdict};
use crate::sip::guard::{Failure as Fault, Source};
use crate::sip::headers::Name;
use crate::sip::message::Message;
use crate::sip::registrar::{Account, Refused, Register, Unreadable};
use crate::sip::write::Writer;
use crate::sip::{Flow, Method};

impl Endpoint {
    /// The account that a request proves to come from. Where it proves none it has been answered:
    /// with a challenge, the same for accounts that exist and for those that do not.
    pub(super) fn authenticate(
        &mut self,
        now: Instant,
        flow: Flow,
        message: &Message,
    ) -> Option<Account> {
        let lines: Vec<_> = message.header_lines(Name::Authorization).collect();
        let method = message.method().map(Method::as_bytes).unwrap_or_default();
        let request = Request {
            method,
            uri: message.request_uri_bytes(),
            source: flow.remote.ip(),
        };
        let registrar = &self.registrar;
        let verdict =
            self.challenger
                .verify(now, &request, lines.iter().map(|line| &line[..]), |user| {
                    registrar
                        .account_of_user(user)
                        .map(|account| &account.secret)
                });
        let source = self.source(&flow);
        let is_stale = match verdict {
            Verdict::Accepted { username } => {
                let account = self.registrar.account_of_user(&username).cloned();
                // While an account is slowed down, the right password counts as little as a wrong
                // one: whoever guesses learns nothing.
                if self.guard.is_account_open(now, &source, &username) && account.is_some() {
                    self.guard.record_success(now, &source, &username);
                    return account;
                }
                false
            }
            Verdict::Refused {
                refusal,
                username,
                address_proven,
            } => {
                let source = Source {
                    proven: source.proven || address_proven,
                    ..source
                };
                let fault = fault(refusal);
                self.guard
                    .record_failure(now, &source, username.as_deref(), fault);
                refusal.is_stale()
            }
        };
        self.challenge(now, flow, message, is_stale);
        None
    }

    fn challenge(&mut self, now: Instant, flow: Flow, message: &Message, is_stale: bool) {
        let challenges = self.challenger.challenge(now, flow.remote.ip(), is_stale);
        let agent = message.header(Name::UserAgent).unwrap_or_default();
        let skipped = usize::from(gives_up_at_sha_256(agent));
        self.refuse(now, flow, message, 401, |mut writer| {
            for challenge in challenges.into_iter().skip(skipped) {
                writer = writer.header(Name::WwwAuthenticate, challenge);
            }
            writer.finish()
        });
    }

    /// Whether a request from a trunk's address is a device's all the same: it says so, or it comes
    /// by the way that a device registered by (a desk phone beside the carrier's box).
    pub(super) fn speaks_for_a_device(&self, flow: &Flow, message: &Message) -> bool {
        let names_us = message.header_lines(Name::Authorization).any(|line| {
            let realm = self.challenger.realm().as_bytes();
            memchr::memmem::find(&line, realm).is_some()
        });
        names_us || self.registrar.account_of_flow(flow).is_some()
    }

    /// A REGISTER (RFC 3261 section 10.3).
    pub(super) fn receive_register(&mut self, now: Instant, arrival: Arrival, message: &Message) {
        let Arrival {
            flow, reply, key, ..
        } = arrival;
        if self.refuse_unsupported(now, flow, message) {
            return;
        }
        let Some(account) = self.authenticate(now, flow, message) else {
            return;
        };
        if self.core.transactions() >= self.core.config.limits.transactions {
            return self.refuse_overloaded(now, flow, message);
        }
        // From here on a copy must find the same answer: its credentials are used up.
        self.core.receive(key, false, reply, User::Nobody, None);
        let done = Register::read(message, flow).and_then(|register| {
            let done = self.registrar.handle_register(now, &account.id, register);
            done.map_err(Unreadable::Refused)
        });
        let tag = self.core.stateless_tag(message);
        let status = match &done {
            Ok(_) => 200,
            Err(unreadable) => unreadable.status(),
        };
        let mut writer = Writer::response_to(message, status, Some(&tag), flow.remote);
        match done {
            Ok(contacts) => {
                if message.has_token(Name::Supported, "path") {
                    writer = writer.copy(message, Name::Path); // RFC 3327 section 5.3
                }
                for contact in contacts {
                    writer = writer.header_display(Name::Contact, contact);
                }
            }
            Err(Unreadable::Refused(Refused::IntervalTooBrief { min })) => {
                writer = writer.header_display(Name::MinExpires, min.as_secs());
            }
            Err(Unreadable::Refused(_) | Unreadable::Invalid(_)) => {}
        }
        self.core.respond(now, key, status, writer.finish());
    }

    /// Tells what the registrar has to tell, and moves its deadline.
    pub(super) fn settle_registrar(&mut self) {
        while let Some(event) = self.registrar.poll_output() {
            self.core.outputs.push_back(Output::Device(event));
        }
        let next = self.registrar.poll_timeout();
        let armed = &mut self.registrar_armed;
        self.core
            .deadlines
            .set(super::deadlines::Owner::Registrar, armed, next);
    }
}

/// How much of its patience a refusal costs a source.
fn fault(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::Missing | Refusal::Stale | Refusal::Replayed => Fault::Challenged,
        Refusal::Malformed(_) => Fault::Malformed,
        Refusal::WrongUri | Refusal::Wrong => Fault::WrongCredentials,
    }
}

/// Whether this program registers nowhere when one of the challenges is not MD5, instead of
/// choosing the one that it knows (RFC 8760 section 2.4): baresip before 2.0, which Debian 12 has.
/// Nothing is lost by believing the name: whoever wants to answer MD5 may do so anyway.
fn gives_up_at_sha_256(agent: &[u8]) -> bool {
    agent.starts_with(b"baresip v0.") || agent.starts_with(b"baresip v1.")
}

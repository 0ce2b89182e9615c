//! Our registration at a carrier (RFC 3261 section 10.2).
//!
//! ```text
//!   start ─▶ Resolving ─▶ Trying ──2xx──▶ Registered ──refresh_at──▶ Trying (the same server)
//!               ▲           │ 401, 407, 423: once more, same server
//!               │           │ no answer, 408, 5xx: the next server
//!               └─ Waiting ◀┘ none left, or refused
//!   unregister ─▶ Leaving ─▶ Stopped
//! ```
//!
//! The binding that the carrier granted outlives a failed refresh until its time is over, so it
//! stands beside the state. Exactly one of [`Registration::handle_response`] (with a final status)
//! and [`Registration::handle_unanswered`] is expected for each [`Output::Send`].

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};

use super::TrunkId;
use super::digest::{Answerer, Attempt, Authorization, Outgoing, Unanswerable};
use super::resolve::{Server, Target, Unresolvable};
use super::trunk::{Line, Trunk};
use super::uri::Uri;

mod response;

pub use response::Response;

/// One registration.
#[derive(Debug)]
pub struct Registration {
    trunk: TrunkId,
    line: Line,
    proxy: Option<String>,
    target: Result<Target, Unresolvable>,
    answerer: Option<Answerer>,
    rng: StdRng,
    call_id: String,
    tag: String,
    cseq: u32,
    /// For how long we ask; a 423 may raise it.
    expires: Duration,
    state: State,
    granted: Option<Granted>,
    failures: u32,
    last_error: Option<Failure>,
    condition: Condition,
    since: Instant,
    outputs: VecDeque<Output>,
}

/// What the registration wants done, and what it has to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Find the servers, and say them to [`Registration::handle_servers`].
    Resolve(Target),
    /// Send a REGISTER in a transaction of its own.
    Send(Box<Request>),
    /// The health is another one.
    Changed(Health),
}

/// A REGISTER to be written. The Contact's user is the line's token; its host and port are those
/// that the carrier reaches us by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Where it goes.
    pub server: Server,
    /// The Request-URI, as it has to be written: the credentials are for this text.
    pub uri: String,
    /// The URI of From and To.
    pub address_of_record: String,
    /// The tag of From.
    pub tag: String,
    /// The Call-ID, the same for all requests of this registration.
    pub call_id: String,
    /// The number of the CSeq.
    pub cseq: u32,
    /// The user of the Contact.
    pub contact_user: String,
    /// The Expires header, in seconds; 0 takes the registration back.
    pub expires_s: u64,
    /// A Route to pass first, as a SIP URI.
    pub route: Option<String>,
    /// Headers that prove who we are.
    pub authorizations: Vec<Authorization>,
}

/// How a registration is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The trunk it is for.
    pub trunk: TrunkId,
    /// In a word.
    pub condition: Condition,
    /// Since when.
    pub since: Instant,
    /// What went wrong last; `None` when nothing did since it last succeeded.
    pub last_error: Option<Failure>,
    /// When something is done next: the refresh, or the next try.
    pub next_try: Option<Instant>,
    /// Until when the carrier sends us calls, if nothing more is heard.
    pub registered_until: Option<Instant>,
    /// The server that granted it.
    pub server: Option<Server>,
}

/// A health in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Not asked for, or taken back.
    Stopped,
    /// The first try is under way.
    Trying,
    /// The carrier sends us calls.
    Registered,
    /// Nothing answers; it is tried again and again.
    Failing,
    /// The carrier refuses us; somebody has to look at the credentials. It is tried now and then.
    Rejected,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The registrar's name leads nowhere.
    #[error("registrar not found: {0}")]
    Unresolvable(#[from] Unresolvable),
    /// No server answered.
    #[error("no answer")]
    Unanswered,
    /// The carrier's final status.
    #[error("the carrier answered {0}")]
    Status(u16),
    /// The carrier asks for credentials and we cannot or must not give them.
    #[error(transparent)]
    Unanswerable(#[from] Unanswerable),
    /// The trunk has no credentials, and the carrier asks for some.
    #[error("the carrier asks for credentials and there are none")]
    NoCredentials,
    /// The carrier granted no time at all.
    #[error("the carrier granted no time")]
    NothingGranted,
}

impl Failure {
    /// Whether a person has to change something before it can work.
    fn is_refusal(self) -> bool {
        match self {
            Self::Unresolvable(Unresolvable::Unsupported)
            | Self::Unanswerable(_)
            | Self::NoCredentials => true,
            Self::Unresolvable(
                Unresolvable::NoSuchHost | Unresolvable::Failed | Unresolvable::Overloaded,
            )
            | Self::Unanswered
            | Self::NothingGranted => false,
            Self::Status(status) => !may_work_elsewhere(status),
        }
    }
}

/// What is going on.
#[derive(Debug)]
enum State {
    Stopped,
    Resolving,
    Trying(Trying),
    Registered { refresh_at: Instant },
    Waiting { until: Instant },
    Leaving(Trying),
}

/// What a request under way is for.
enum Purpose {
    Register,
    Leave,
}

/// A request under way.
#[derive(Debug)]
struct Trying {
    server: Server,
    /// The servers to try after this one, the next one last.
    others: Vec<Server>,
    cseq: u32,
    attempt: Attempt,
    /// Whether a 423 has been followed.
    prolonged: bool,
    /// A refresh at the server we are registered with; if that fails, all servers are looked up.
    refresh: bool,
}

/// What the carrier granted.
#[derive(Debug, Clone)]
struct Granted {
    until: Instant,
    server: Server,
    service_route: Vec<Bytes>,
}

impl Registration {
    /// Creates the registration of a trunk, which does nothing before [`Registration::start`].
    /// `None` when the trunk has no line. `seed` is for its tag, its Call-ID and what it proves itself
    /// with, and so must not be guessed.
    pub fn new(now: Instant, trunk: &Trunk, seed: [u8; 32]) -> Option<Self> {
        let line = trunk.line.clone()?;
        let mut rng = StdRng::from_seed(seed);
        let first_hop = trunk.outbound_proxy.as_ref().unwrap_or(&line.registrar);
        let target = first_hop
            .parse::<Uri>()
            .map_err(|_| Unresolvable::Unsupported)
            .and_then(|uri| Target::of_uri(&uri))
            .map(|target| Target {
                transport: target.transport.or(trunk.transport),
                ..target
            });
        let networks = trunk.addresses.iter().map(|known| known.network).collect();
        let answerer = trunk
            .credentials
            .clone()
            .map(|credentials| Answerer::new(credentials, networks));
        Some(Self {
            trunk: trunk.id.clone(),
            proxy: trunk.outbound_proxy.clone(),
            target,
            answerer,
            call_id: format!("{:016x}{:016x}", rng.next_u64(), rng.next_u64()),
            tag: format!("{:016x}", rng.next_u64()),
            cseq: 0,
            expires: line.expires,
            line,
            rng,
            state: State::Stopped,
            granted: None,
            failures: 0,
            last_error: None,
            condition: Condition::Stopped,
            since: now,
            outputs: VecDeque::new(),
        })
    }

    /// The trunk it is for.
    pub fn trunk(&self) -> &TrunkId {
        &self.trunk
    }

    /// How it is doing.
    pub fn health(&self) -> Health {
        Health {
            trunk: self.trunk.clone(),
            condition: self.condition,
            since: self.since,
            last_error: self.last_error,
            next_try: match &self.state {
                State::Registered { refresh_at: at } | State::Waiting { until: at } => Some(*at),
                State::Stopped | State::Resolving | State::Trying(_) | State::Leaving(_) => None,
            },
            registered_until: self.granted.as_ref().map(|granted| granted.until),
            server: self.granted.as_ref().map(|granted| granted.server.clone()),
        }
    }

    /// The server that calls to the carrier go to while we are registered there.
    pub fn server(&self) -> Option<&Server> {
        self.granted.as_ref().map(|granted| &granted.server)
    }

    /// The Route headers that calls to the carrier begin with (RFC 3608).
    pub fn service_route(&self) -> &[Bytes] {
        self.granted
            .as_ref()
            .map_or(&[], |granted| &granted.service_route)
    }

    /// Whether nothing is under way and nothing will be.
    pub fn is_stopped(&self) -> bool {
        matches!(self.state, State::Stopped)
    }

    /// Begins to register, and stays at it.
    pub fn start(&mut self, now: Instant) {
        if self.is_stopped() {
            self.failures = 0;
            self.resolve(now);
        }
    }

    /// Takes the registration back, once, and stops. For the end of the program or of the trunk.
    pub fn unregister(&mut self, now: Instant) {
        let server = match std::mem::replace(&mut self.state, State::Stopped) {
            // What is under way may yet succeed at this server.
            State::Trying(trying) => Some(trying.server),
            State::Registered { .. } | State::Waiting { .. } | State::Resolving => {
                self.granted.as_ref().map(|granted| granted.server.clone())
            }
            State::Stopped => return,
            leaving @ State::Leaving(_) => {
                self.state = leaving;
                return;
            }
        };
        self.granted = None;
        if let Some(server) = server {
            let trying = self.send(Trying::first(server, Vec::new()), Duration::ZERO);
            self.state = State::Leaving(trying);
        }
        self.show(now, Condition::Stopped);
    }

    /// The connection to the carrier broke: it could not reach us any more, so register anew.
    pub fn handle_flow_lost(&mut self, now: Instant) {
        if let State::Registered { refresh_at } = &mut self.state {
            *refresh_at = (*refresh_at).min(now + FLOW_LOST_WAIT);
        }
    }

    /// Takes the servers that were asked for with [`Output::Resolve`].
    pub fn handle_servers(&mut self, now: Instant, servers: Result<Vec<Server>, Unresolvable>) {
        if !matches!(self.state, State::Resolving) {
            return;
        }
        match servers {
            Ok(mut servers) => {
                if let Some(answerer) = &mut self.answerer {
                    answerer.set_addresses(servers.iter().map(|server| server.address.ip()));
                }
                servers.reverse();
                match servers.pop() {
                    Some(first) => self.try_server(Trying::first(first, servers)),
                    None => self.fail(now, Unresolvable::NoSuchHost.into(), None),
                }
            }
            Err(error) => self.fail(now, error.into(), None),
        }
    }

    /// Takes a response to the REGISTER with this CSeq number.
    pub fn handle_response(&mut self, now: Instant, cseq: u32, response: &Response) {
        if response.status < 200 {
            return;
        }
        match self.take_request(cseq) {
            Some((Purpose::Register, trying)) => self.answered(now, trying, response),
            Some((Purpose::Leave, trying)) => self.left(trying, response),
            None => {}
        }
    }

    /// Nothing answered the REGISTER with this CSeq number, or it could not be sent.
    pub fn handle_unanswered(&mut self, now: Instant, cseq: u32) {
        match self.take_request(cseq) {
            Some((Purpose::Register, trying)) => {
                self.next_server(now, trying, Failure::Unanswered, None);
            }
            Some((Purpose::Leave, _)) | None => {}
        }
    }

    /// Refreshes, tries again, and notices the end of what was granted.
    pub fn handle_timeout(&mut self, now: Instant) {
        let over = self
            .granted
            .as_ref()
            .is_some_and(|granted| granted.until <= now);
        if over {
            self.granted = None;
            let condition = match self.last_error {
                Some(failure) if failure.is_refusal() => Condition::Rejected,
                Some(_) | None => Condition::Failing,
            };
            self.show(now, condition);
        }
        match &self.state {
            State::Registered { refresh_at } if *refresh_at <= now => match &self.granted {
                Some(granted) => {
                    let server = granted.server.clone();
                    self.try_server(Trying {
                        refresh: true,
                        ..Trying::first(server, Vec::new())
                    });
                }
                None => self.resolve(now),
            },
            State::Waiting { until } if *until <= now => self.resolve(now),
            State::Stopped
            | State::Resolving
            | State::Trying(_)
            | State::Registered { .. }
            | State::Waiting { .. }
            | State::Leaving(_) => {}
        }
    }

    /// When there is something to do next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let granted = self.granted.as_ref().map(|granted| granted.until);
        let next = self.health().next_try;
        [granted, next].into_iter().flatten().min()
    }

    /// The next output, in order. Take them until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Takes the request with this CSeq number out of the state, which is `Stopped` until it is
    /// decided what follows. Any other number changes nothing.
    fn take_request(&mut self, cseq: u32) -> Option<(Purpose, Trying)> {
        match &self.state {
            State::Trying(trying) | State::Leaving(trying) if trying.cseq == cseq => {}
            State::Stopped
            | State::Resolving
            | State::Trying(_)
            | State::Registered { .. }
            | State::Waiting { .. }
            | State::Leaving(_) => return None,
        }
        match std::mem::replace(&mut self.state, State::Stopped) {
            State::Trying(trying) => Some((Purpose::Register, trying)),
            State::Leaving(trying) => Some((Purpose::Leave, trying)),
            State::Stopped
            | State::Resolving
            | State::Registered { .. }
            | State::Waiting { .. } => None,
        }
    }

    fn resolve(&mut self, now: Instant) {
        if self.granted.is_none() && self.last_error.is_none() {
            self.show(now, Condition::Trying);
        }
        match self.target.clone() {
            Ok(target) => {
                self.state = State::Resolving;
                self.outputs.push_back(Output::Resolve(target));
            }
            Err(error) => self.fail(now, error.into(), None),
        }
    }

    fn try_server(&mut self, trying: Trying) {
        let trying = self.send(trying, self.expires);
        self.state = State::Trying(trying);
    }

    fn send(&mut self, mut trying: Trying, expires: Duration) -> Trying {
        self.cseq = self.cseq.wrapping_add(1) & CSEQ_MAX;
        trying.cseq = self.cseq;
        let authorizations = self.answerer.as_mut().map_or_else(Vec::new, |answerer| {
            answerer.authorize(&Outgoing {
                method: "REGISTER",
                uri: &self.line.registrar,
                body: b"",
                to: trying.server.address.ip(),
            })
        });
        self.outputs.push_back(Output::Send(Box::new(Request {
            server: trying.server.clone(),
            uri: self.line.registrar.clone(),
            address_of_record: self.line.address_of_record.clone(),
            tag: self.tag.clone(),
            call_id: self.call_id.clone(),
            cseq: trying.cseq,
            contact_user: self.line.token.clone(),
            expires_s: expires.as_secs(),
            route: self.proxy.clone(),
            authorizations,
        })));
        trying
    }

    fn answered(&mut self, now: Instant, mut trying: Trying, response: &Response) {
        match response.status {
            200..=299 => self.succeed(now, trying, response),
            401 | 407 => match self.take_challenge(&mut trying, response) {
                Ok(()) => self.try_server(trying),
                Err(failure) => self.fail(now, failure, None),
            },
            423 if !trying.prolonged => {
                let wanted = response
                    .min_expires_s
                    .map(|s| Duration::from_secs(s.into()));
                match wanted.filter(|min| (self.expires..=EXPIRES_MAX).contains(min)) {
                    Some(min) => {
                        self.expires = min;
                        trying.prolonged = true;
                        self.try_server(trying);
                    }
                    None => self.fail(now, Failure::Status(423), None),
                }
            }
            status if may_work_elsewhere(status) => {
                let wait = response
                    .retry_after_s
                    .map(|s| Duration::from_secs(s.into()));
                self.next_server(now, trying, Failure::Status(status), wait);
            }
            status => {
                // RFC 3261 section 10.2.7: the carrier has spoken, other servers will say the same.
                self.granted = None;
                self.fail(now, Failure::Status(status), None);
            }
        }
    }

    fn left(&mut self, mut trying: Trying, response: &Response) {
        let challenged = matches!(response.status, 401 | 407);
        if challenged && self.take_challenge(&mut trying, response).is_ok() {
            let trying = self.send(trying, Duration::ZERO);
            self.state = State::Leaving(trying);
        }
    }

    fn take_challenge(&mut self, trying: &mut Trying, response: &Response) -> Result<(), Failure> {
        let answerer = self.answerer.as_mut().ok_or(Failure::NoCredentials)?;
        answerer.handle_challenge(
            &mut trying.attempt,
            response.from,
            response.status,
            response.challenges.iter().map(Bytes::as_ref),
            &mut self.rng,
        )?;
        Ok(())
    }

    fn succeed(&mut self, now: Instant, trying: Trying, response: &Response) {
        let granted = response
            .expires_s
            .map_or(self.expires, |s| Duration::from_secs(s.into()))
            .min(EXPIRES_MAX);
        if granted.is_zero() {
            self.next_server(now, trying, Failure::NothingGranted, None);
            return;
        }
        self.failures = 0;
        self.last_error = None;
        self.granted = Some(Granted {
            until: now + granted,
            server: trying.server,
            service_route: response.service_route.clone(),
        });
        self.state = State::Registered {
            refresh_at: now + self.refresh_after(granted),
        };
        self.show(now, Condition::Registered);
    }

    /// Early enough for a lost refresh to be noticed and made up for, and spread by chance so
    /// that all trunks of a restart do not come back together.
    fn refresh_after(&mut self, granted: Duration) -> Duration {
        let lead = (granted / 10).max(REFRESH_LEAD_MIN).min(granted / 2);
        let spread = lead.mul_f64(self.rng.random_range(0.0..0.25));
        (granted - lead - spread).max(REFRESH_MIN)
    }

    fn next_server(
        &mut self,
        now: Instant,
        mut trying: Trying,
        failure: Failure,
        wait: Option<Duration>,
    ) {
        match trying.others.pop() {
            Some(server) => self.try_server(Trying::first(server, trying.others)),
            None if trying.refresh => {
                self.last_error = Some(failure);
                self.resolve(now);
            }
            None => self.fail(now, failure, wait),
        }
    }

    /// Waits before the next try (RFC 5626 section 4.5): twice as long after each failure, and by
    /// chance between half of it and all.
    fn fail(&mut self, now: Instant, failure: Failure, at_least: Option<Duration>) {
        self.failures = self.failures.saturating_add(1);
        self.granted.take_if(|granted| granted.until <= now);
        let doublings = (self.failures - 1).min(16);
        let upper = match failure.is_refusal() {
            true => RETRY_REFUSED,
            false => RETRY_MIN.saturating_mul(1 << doublings).min(RETRY_MAX),
        };
        let wait = upper
            .mul_f64(self.rng.random_range(0.5..1.0))
            .max(at_least.unwrap_or_default().min(RETRY_AFTER_MAX));
        self.last_error = Some(failure);
        self.state = State::Waiting { until: now + wait };
        let condition = match (&self.granted, failure.is_refusal()) {
            (Some(_), _) => Condition::Registered,
            (None, true) => Condition::Rejected,
            (None, false) => Condition::Failing,
        };
        self.show(now, condition);
    }

    /// Tells the health, if it is another one.
    fn show(&mut self, now: Instant, condition: Condition) {
        if self.condition != condition {
            self.condition = condition;
            self.since = now;
        }
        let health = self.health();
        let told = self.outputs.iter().rev().find_map(|output| match output {
            Output::Changed(health) => Some(health),
            Output::Resolve(_) | Output::Send(_) => None,
        });
        if told != Some(&health) {
            self.outputs.push_back(Output::Changed(health));
        }
    }
}

impl Trying {
    fn first(server: Server, others: Vec<Server>) -> Self {
        Self {
            server,
            others,
            cseq: 0,
            attempt: Attempt::default(),
            prolonged: false,
            refresh: false,
        }
    }
}

/// Whether another server of the carrier, or the same one later, may answer otherwise.
fn may_work_elsewhere(status: u16) -> bool {
    matches!(status, 408 | 430 | 480 | 500..=599)
}

/// The first wait after a failure, at the most.
const RETRY_MIN: Duration = Duration::from_secs(30);

/// The longest wait while nothing answers: a carrier that is back is found within ten minutes.
const RETRY_MAX: Duration = Duration::from_secs(600);

/// The wait after a refusal, which a person has to mend; more often would look like guessing.
const RETRY_REFUSED: Duration = Duration::from_secs(900);

/// The longest Retry-After that is obeyed.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// How long before the end a refresh is sent at least: a transaction without an answer takes 32 s
/// (RFC 3261 section 17.1.2.2), and then another server has to be tried.
const REFRESH_LEAD_MIN: Duration = Duration::from_secs(40);

/// The shortest time between refreshes, whatever the carrier grants.
const REFRESH_MIN: Duration = Duration::from_secs(5);

/// The pause before registering again after the connection broke: whoever closes connections at
/// once shall not make us busy.
const FLOW_LOST_WAIT: Duration = Duration::from_secs(2);

/// The longest registration that is asked for or believed.
const EXPIRES_MAX: Duration = Duration::from_secs(24 * 3600);

/// CSeq numbers are below 2^31 (RFC 3261 section 8.1.1.5).
const CSEQ_MAX: u32 = (1 << 31) - 1;

#[cfg(test)]
mod tests;

//! Where a URI leads: transport, address and port, the first to be tried first (RFC 3263).
//!
//! ```text
//!  resolve(target) ─▶ what is lacking? ──Ask──▶ the shell's DNS ──handle_answer──▶ what is lacking? …
//!                        └─ nothing ─▶ order: NAPTR, SRV priority, weighted chance, family, not dead
//!                                      ─▶ Resolved
//! ```
//!
//! A resolution remembers the answers it got, and asks itself after each what it still lacks
//! (`plan`); there is no state beside them. The depth is that of RFC 3263 (NAPTR, SRV, address),
//! so no chain of records can make it longer.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::Transport;
use super::guard::recent::Recent;
use super::uri::{Host, Scheme, Uri};

mod plan;

/// What is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The name or address.
    pub host: TargetHost,
    /// The port, where one is written.
    pub port: Option<u16>,
    /// The transport, where one is written.
    pub transport: Option<Transport>,
    /// Whether only encrypted ways count (`sips:`).
    pub secure: bool,
}

/// A name or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetHost {
    /// A domain, in lower case and without the last dot.
    Domain(String),
    /// An address, which needs no look-up.
    Address(IpAddr),
}

/// A question to the DNS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// The NAPTR records of a domain.
    Naptr(String),
    /// The SRV records of a name like `_sip._udp.example.com`.
    Srv(String),
    /// The A records of a host.
    A(String),
    /// The AAAA records of a host.
    Aaaa(String),
}

/// What the DNS said. Aliases (CNAME) are followed by whoever asks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// There are records, and they are good for so long.
    Found {
        /// The records; those of another kind than asked for are passed over.
        records: Vec<Record>,
        /// The shortest time to live among them.
        ttl: Duration,
    },
    /// There are none.
    Nothing,
    /// The DNS did not answer, or not sensibly.
    Failed,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// NAPTR (RFC 3403).
    Naptr {
        /// Lower ones first, and only if those lead nowhere the higher.
        order: u16,
        /// Among equals of order, lower ones first.
        preference: u16,
        /// `s` when the replacement is a name for SRV. Others are passed over.
        flags: String,
        /// `SIP+D2U`, `SIP+D2T`, `SIPS+D2T`.
        service: String,
        /// The name to go on with.
        replacement: String,
    },
    /// SRV (RFC 2782).
    Srv {
        /// Lower ones first.
        priority: u16,
        /// The share of the calls among equals of priority.
        weight: u16,
        /// The port.
        port: u16,
        /// The host; `.` says that the service is not offered.
        target: String,
    },
    /// A or AAAA.
    Address(IpAddr),
}

/// A place to send a request to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The transport.
    pub transport: Transport,
    /// The address and port.
    pub address: SocketAddr,
    /// The domain of the URI: the name that a certificate has to be for (RFC 5922 section 4);
    /// `None` when the URI had an address.
    pub name: Option<String>,
}

/// Why there is no place to send to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unresolvable {
    /// The URI is no SIP URI, or its host is no domain name, or it wants `sips` over UDP.
    #[error("no address to look for")]
    Unsupported,
    /// The name leads nowhere. Asking again soon will not help.
    #[error("no such host")]
    NoSuchHost,
    /// The DNS did not answer. Asking again may help.
    #[error("the name service failed")]
    Failed,
    /// Too many look-ups are under way.
    #[error("too many look-ups at once")]
    Overloaded,
}

/// A look-up under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResolutionId(pub u64);

/// A question under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub u64);

/// What the resolver wants done, and what it found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Ask the DNS, and say the answer to [`Resolver::handle_answer`].
    Ask {
        /// To be said with the answer.
        query: QueryId,
        /// The question.
        question: Question,
    },
    /// A look-up is done; exactly one for each.
    Resolved {
        /// The look-up.
        resolution: ResolutionId,
        /// Where to send, the first to be tried first.
        servers: Result<Vec<Server>, Unresolvable>,
    },
}

/// Which kinds of addresses we can send to, and which we prefer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Families {
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
    /// Both, IPv4 first.
    V4First,
    /// Both, IPv6 first.
    V6First,
}

impl Target {
    /// The target of a request to `uri`: its `maddr`, else its host (RFC 3263 section 4).
    pub fn of_uri(uri: &Uri) -> Result<Self, Unresolvable> {
        let secure = match uri.scheme() {
            Scheme::Sip => false,
            Scheme::Sips => true,
            Scheme::Tel | Scheme::Other => return Err(Unresolvable::Unsupported),
        };
        let host = match (uri.params().get("maddr"), uri.host()) {
            (Some(maddr), _) => TargetHost::read(maddr)?,
            (None, Some(Host::Domain(name))) => TargetHost::read(name)?,
            (None, Some(Host::Ip(address))) => TargetHost::Address(*address),
            (None, None) => return Err(Unresolvable::Unsupported),
        };
        if uri.params().has("transport") && uri.transport().is_none() {
            return Err(Unresolvable::Unsupported);
        }
        let transport = match (uri.transport(), secure) {
            (Some(Transport::Udp), true) => return Err(Unresolvable::Unsupported),
            // RFC 3261 section 26.2.2: over `sips` a stream is an encrypted stream.
            (Some(Transport::Tcp | Transport::Tls), true) => Some(Transport::Tls),
            (Some(Transport::Ws | Transport::Wss), true) => Some(Transport::Wss),
            (transport, _) => transport,
        };
        Ok(Self {
            host,
            port: uri.port(),
            transport,
            secure,
        })
    }
}

impl TargetHost {
    /// Reads an address, in brackets if it is IPv6, or a domain name.
    fn read(text: &[u8]) -> Result<Self, Unresolvable> {
        let text = std::str::from_utf8(text).map_err(|_| Unresolvable::Unsupported)?;
        let bare = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
            .unwrap_or(text);
        if let Ok(address) = bare.parse() {
            return Ok(Self::Address(address));
        }
        domain(text)
            .map(Self::Domain)
            .ok_or(Unresolvable::Unsupported)
    }
}

/// The one spelling of a domain name; `None` for what cannot be asked for.
fn domain(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let legal = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    (text.len() <= 253 && text.split('.').all(legal)).then(|| text.to_ascii_lowercase())
}

/// All look-ups, what is known, and what is dead.
#[derive(Debug)]
pub struct Resolver {
    families: Families,
    rng: SmallRng,
    next: u64,
    resolutions: BTreeMap<ResolutionId, Resolution>,
    queries: BTreeMap<QueryId, Query>,
    by_question: BTreeMap<Question, QueryId>,
    known: Recent<Question, Known>,
    dead: Recent<(Transport, SocketAddr), Dead>,
    outputs: VecDeque<Output>,
}

/// One look-up and what it has learnt.
#[derive(Debug)]
struct Resolution {
    target: Target,
    answers: BTreeMap<Question, Answer>,
}

#[derive(Debug)]
struct Query {
    question: Question,
    deadline: Instant,
    for_whom: Vec<ResolutionId>,
}

#[derive(Debug)]
struct Known {
    answer: Answer,
    until: Instant,
}

/// A server that did not answer. It is tried after the living until then.
#[derive(Debug, Clone, Copy)]
struct Dead {
    until: Instant,
    length: Duration,
}

impl Resolver {
    /// Creates a resolver that knows nothing.
    pub fn new(families: Families, seed: u64) -> Self {
        Self {
            families,
            rng: SmallRng::seed_from_u64(seed),
            next: 0,
            resolutions: BTreeMap::new(),
            queries: BTreeMap::new(),
            by_question: BTreeMap::new(),
            known: Recent::new(KNOWN_MAX),
            dead: Recent::new(DEAD_MAX),
            outputs: VecDeque::new(),
        }
    }

    /// Begins a look-up. Its end is an [`Output::Resolved`], at once when nothing has to be asked.
    pub fn resolve(&mut self, now: Instant, target: Target) -> ResolutionId {
        let id = ResolutionId(self.number());
        if self.resolutions.len() >= RESOLUTIONS_MAX {
            self.outputs.push_back(Output::Resolved {
                resolution: id,
                servers: Err(Unresolvable::Overloaded),
            });
            return id;
        }
        let resolution = Resolution {
            target,
            answers: BTreeMap::new(),
        };
        self.resolutions.insert(id, resolution);
        self.advance(now, id);
        id
    }

    /// Takes an answer of the DNS. One that comes too late is not used.
    pub fn handle_answer(&mut self, now: Instant, query: QueryId, answer: Answer) {
        let Some(query) = self.queries.remove(&query) else {
            return;
        };
        self.by_question.remove(&query.question);
        let answer = answer.capped();
        if let Some(until) = answer.good_until(now) {
            let known = self.known.touch(query.question.clone(), || Known {
                answer: Answer::Failed,
                until,
            });
            *known = Known {
                answer: answer.clone(),
                until,
            };
        }
        for id in query.for_whom {
            if let Some(resolution) = self.resolutions.get_mut(&id) {
                resolution
                    .answers
                    .insert(query.question.clone(), answer.clone());
                self.advance(now, id);
            }
        }
    }

    /// Gives up questions that were not answered in time.
    pub fn handle_timeout(&mut self, now: Instant) {
        let late: Vec<QueryId> = self
            .queries
            .iter()
            .filter(|(_, query)| query.deadline <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in late {
            self.handle_answer(now, id, Answer::Failed);
        }
    }

    /// When the next question is given up. They are asked in order and all wait equally long, so
    /// the first one asked is the first one due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.queries
            .first_key_value()
            .map(|(_, query)| query.deadline)
    }

    /// The next output, in order. Take them until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Remembers that a server did not answer, or said 503: for a while the others come first
    /// (RFC 3263 section 4.3). `wait` is its Retry-After, where it gave one.
    pub fn mark_dead(
        &mut self,
        now: Instant,
        transport: Transport,
        address: SocketAddr,
        wait: Option<Duration>,
    ) {
        let dead = self.dead.touch((transport, address), || Dead {
            until: now,
            length: Duration::ZERO,
        });
        if now < dead.until {
            return; // Several requests learn of one failure: it is one.
        }
        let fresh = now.saturating_duration_since(dead.until) > DEAD_MAX_WAIT;
        let doubled = if fresh {
            Duration::ZERO
        } else {
            dead.length.saturating_mul(2)
        };
        dead.length = wait.unwrap_or(doubled).clamp(DEAD_MIN_WAIT, DEAD_MAX_WAIT);
        dead.until = now + dead.length;
    }

    /// Remembers that a server answered.
    pub fn mark_alive(&mut self, now: Instant, transport: Transport, address: SocketAddr) {
        let alive = Dead {
            until: now,
            length: Duration::ZERO,
        };
        if self.dead.find(&(transport, address)).is_some() {
            *self.dead.touch((transport, address), || alive) = alive;
        }
    }

    /// Whether a server is avoided at present.
    pub fn is_dead(&self, now: Instant, transport: Transport, address: SocketAddr) -> bool {
        self.dead
            .find(&(transport, address))
            .is_some_and(|dead| now < dead.until)
    }

    /// Asks what a look-up lacks, or ends it.
    fn advance(&mut self, now: Instant, id: ResolutionId) {
        let Some(mut resolution) = self.resolutions.remove(&id) else {
            return;
        };
        loop {
            match plan::plan(&resolution.target, self.families, &resolution.answers) {
                Ok(places) => {
                    let servers = self.servers(now, &resolution, places);
                    self.outputs.push_back(Output::Resolved {
                        resolution: id,
                        servers,
                    });
                    return;
                }
                Err(lacking) => {
                    let asked = lacking
                        .into_iter()
                        .filter(|question| !self.recall(now, &mut resolution, question))
                        .collect::<Vec<_>>();
                    if !asked.is_empty() {
                        self.resolutions.insert(id, resolution);
                        asked
                            .into_iter()
                            .for_each(|question| self.ask(now, id, question));
                        return;
                    }
                }
            }
        }
    }

    /// Answers a question from what is known. Whether it could.
    fn recall(&self, now: Instant, resolution: &mut Resolution, question: &Question) -> bool {
        let known = self.known.find(question).filter(|known| now < known.until);
        if let Some(known) = known {
            resolution
                .answers
                .insert(question.clone(), known.answer.clone());
        }
        known.is_some()
    }

    /// Puts a question under way, or joins one that is.
    fn ask(&mut self, now: Instant, id: ResolutionId, question: Question) {
        let under_way = self
            .by_question
            .get(&question)
            .and_then(|query| self.queries.get_mut(query));
        if let Some(query) = under_way {
            if !query.for_whom.contains(&id) {
                query.for_whom.push(id);
            }
            return;
        }
        let query = QueryId(self.number());
        self.by_question.insert(question.clone(), query);
        self.outputs.push_back(Output::Ask {
            query,
            question: question.clone(),
        });
        self.queries.insert(
            query,
            Query {
                question,
                deadline: now + ANSWER_WAIT,
                for_whom: vec![id],
            },
        );
    }

    fn servers(
        &mut self,
        now: Instant,
        resolution: &Resolution,
        places: Vec<plan::Place>,
    ) -> Result<Vec<Server>, Unresolvable> {
        let mut servers = plan::order(places, &mut self.rng);
        let failed = resolution
            .answers
            .values()
            .any(|answer| *answer == Answer::Failed);
        match (servers.is_empty(), failed) {
            (true, true) => Err(Unresolvable::Failed),
            (true, false) => Err(Unresolvable::NoSuchHost),
            (false, _) => {
                servers.sort_by_key(|server| self.is_dead(now, server.transport, server.address));
                Ok(servers)
            }
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl Answer {
    /// Without what is too much of it.
    fn capped(mut self) -> Self {
        if let Self::Found { records, .. } = &mut self {
            records.truncate(RECORDS_MAX);
        }
        self
    }

    /// How long it may be used again; `None` when only for the one who asked.
    fn good_until(&self, now: Instant) -> Option<Instant> {
        let ttl = match self {
            Self::Found { ttl, .. } => (*ttl).min(TTL_MAX),
            Self::Nothing => TTL_NOTHING,
            Self::Failed => TTL_FAILED,
        };
        (ttl > Duration::ZERO).then(|| now + ttl)
    }
}

/// How long the shell may take for an answer. Its own tries are shorter.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// How long an answer is used again at the most, whatever its time to live: a carrier that moves is
/// found within the hour.
const TTL_MAX: Duration = Duration::from_secs(3600);

/// How long "there is none" is believed.
const TTL_NOTHING: Duration = Duration::from_secs(30);

/// How long a failing name service is left alone about one question.
const TTL_FAILED: Duration = Duration::from_secs(2);

/// The first time that a dead server is avoided; each failure soon after doubles it.
const DEAD_MIN_WAIT: Duration = Duration::from_secs(30);

/// The longest time that a dead server is avoided.
const DEAD_MAX_WAIT: Duration = Duration::from_secs(300);

/// Look-ups under way at a time: one for each call being set up.
pub const RESOLUTIONS_MAX: usize = 4096;

/// Answers remembered. Carriers have a dozen names each.
pub const KNOWN_MAX: usize = 4096;

/// Dead servers remembered.
pub const DEAD_MAX: usize = 4096;

/// Records of one answer that are looked at: more than any carrier needs, and an answer of
/// thousands would be an attack.
const RECORDS_MAX: usize = 32;

#[cfg(test)]
mod tests;

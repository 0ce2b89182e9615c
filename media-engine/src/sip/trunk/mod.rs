//! Trunks: the carriers whose calls are taken, and what each may cost.
//!
//! A request belongs to a trunk because of where it came from (the longest matching network), or
//! because it is addressed to the line under which we registered there. Nothing in the text of a
//! request, other than that line, says which trunk it is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::digest::Credentials;
use super::guard::bucket::{Bucket, Rate};
use super::headers::Invalid;
use super::uri::{Uri, escape_user};
use super::{Transport, TrunkId, ping};
use crate::codec::Codec;

mod network;

pub use network::{Network, NetworkError};

/// A carrier, as configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Trunk {
    /// The id the shell knows it by.
    pub id: TrunkId,
    /// The company it belongs to, by its id.
    pub company: Arc<str>,
    /// The name on screen.
    pub name: String,
    /// Where its requests come from. Empty when they come by registration only.
    pub addresses: Vec<Address>,
    /// Where calls to it go, as a host or host:port of a SIP URI; `None` when it only calls us.
    pub host: Option<String>,
    /// What it takes calls over; `None` leaves the choice to DNS (RFC 3263).
    pub transport: Option<Transport>,
    /// A proxy that requests to it pass first, as a SIP URI.
    pub outbound_proxy: Option<String>,
    /// What proves us to it, for registration and for calls.
    pub credentials: Option<Credentials>,
    /// Set when we register there.
    pub line: Option<Line>,
    /// How its numbers are written.
    pub numbers: Numbers,
    /// The codecs offered and accepted, the preferred first; empty means all, in our order.
    pub codecs: Vec<Codec>,
    /// How many calls may be up at a time, both ways together.
    pub calls_max: u32,
    /// How many calls may begin in one second, both ways together.
    pub calls_per_second_max: u32,
    /// Whether it is believed who calls: P-Asserted-Identity, Privacy, Diversion
    /// (RFC 3325 section 8 calls this the trust domain).
    pub trusted: bool,
    /// Set when it is asked now and then whether it lives.
    pub ping: Option<ping::Rule>,
}

impl Trunk {
    /// The URI of a number there, or of the trunk itself, and the URI that requests to it go to
    /// first: the proxy's, where there is one. `None` where it only calls us.
    ///
    /// # Errors
    ///
    /// Where host or proxy make no SIP URI.
    pub fn addressed(&self, number: Option<&str>) -> Result<Option<(Uri, Uri)>, Invalid> {
        let Some(host) = &self.host else {
            return Ok(None);
        };
        let user = number.map_or_else(String::new, |number| format!("{}@", escape_user(number)));
        let transport = match self.transport {
            None => "",
            Some(Transport::Udp) => ";transport=udp",
            Some(Transport::Tcp) => ";transport=tcp",
            Some(Transport::Tls) => ";transport=tls",
            Some(Transport::Ws) => ";transport=ws",
            Some(Transport::Wss) => ";transport=wss",
        };
        let uri: Uri = format!("sip:{user}{host}{transport}").parse()?;
        let next = match &self.outbound_proxy {
            Some(proxy) => proxy.parse()?,
            None => uri.clone(),
        };
        Ok(Some((uri, next)))
    }
}

/// One entry of the addresses of a trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The addresses.
    pub network: Network,
    /// The one transport they use; `None` for any.
    pub transport: Option<Transport>,
}

/// How we register at a trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The user of our Contact there. Chance made it, so that nobody can guess it: a request
    /// addressed to it came from the one we gave it to.
    pub token: String,
    /// The address we register, as a SIP URI.
    pub address_of_record: String,
    /// The domain of the registrar, as a SIP URI without a user.
    pub registrar: String,
    /// For how long at a time.
    pub expires: Duration,
}

/// How the numbers of a trunk are read and written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers {
    /// The dialled numbers that arrive by this trunk, as written after `inbound`; empty for any.
    /// It chooses between trunks that share an address.
    pub owned: BTreeSet<String>,
    /// For numbers that arrive, dialled and calling. The first that fits is used.
    pub inbound: Vec<Rewrite>,
    /// For numbers that we dial. The first that fits is used.
    pub outbound: Vec<Rewrite>,
}

/// Replaces the beginning of a number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewrite {
    /// What the number begins with; empty fits every number.
    pub prefix: String,
    /// What stands there afterwards.
    pub replacement: String,
}

impl Numbers {
    /// A number that arrived, as the rest of the program writes it.
    pub fn read(&self, number: &str) -> String {
        rewrite(&self.inbound, number)
    }

    /// A number as this carrier wants it.
    pub fn write(&self, number: &str) -> String {
        rewrite(&self.outbound, number)
    }
}

fn rewrite(rules: &[Rewrite], number: &str) -> String {
    rules
        .iter()
        .find_map(|rule| {
            let rest = number.strip_prefix(rule.prefix.as_str())?;
            Some(format!("{}{rest}", rule.replacement))
        })
        .unwrap_or_else(|| number.to_owned())
}

/// All trunks, and the calls each has.
#[derive(Debug, Default)]
pub struct Trunks {
    trunks: BTreeMap<TrunkId, Entry>,
}

#[derive(Debug)]
struct Entry {
    trunk: Trunk,
    /// Where we are registered for it: its requests come from there as well.
    servers: Vec<IpAddr>,
    calls: u32,
    /// The calls that may begin at once.
    starts: Bucket,
}

/// Why a call may not begin on a trunk. Answered with [`CallRefused::status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallRefused {
    /// As many calls are up as the trunk may have.
    #[error("the trunk has {calls} calls, which is its limit")]
    TooMany {
        /// The calls that are up.
        calls: u32,
    },
    /// Too many began within a second.
    #[error("the trunk begins more than {per_second} calls a second")]
    TooFast {
        /// The limit.
        per_second: u32,
    },
    /// There is no such trunk any more.
    #[error("no such trunk")]
    Unknown,
}

impl CallRefused {
    /// The answer to an INVITE.
    pub fn status(self) -> u16 {
        match self {
            Self::TooMany { .. } | Self::TooFast { .. } => 503,
            Self::Unknown => 403,
        }
    }

    /// The Retry-After of that answer, so that a carrier moves on to its next route.
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Self::TooMany { .. } => Some(RETRY_AFTER_TOO_MANY),
            Self::TooFast { .. } => Some(RETRY_AFTER_TOO_FAST),
            Self::Unknown => None,
        }
    }
}

impl Trunks {
    /// Takes the whole configuration anew. Calls that are up stay counted; a trunk that is gone
    /// takes its count with it.
    pub fn set(&mut self, now: Instant, trunks: Vec<Trunk>) {
        let mut before = std::mem::take(&mut self.trunks);
        for trunk in trunks {
            let entry = match before.remove(&trunk.id) {
                Some(entry) => Entry { trunk, ..entry },
                None => Entry {
                    servers: Vec::new(),
                    calls: 0,
                    starts: Bucket::full(now, starts(&trunk)),
                    trunk,
                },
            };
            self.trunks.insert(entry.trunk.id.clone(), entry);
        }
    }

    /// A trunk by its id.
    pub fn find(&self, id: &TrunkId) -> Option<&Trunk> {
        self.trunks.get(id).map(|entry| &entry.trunk)
    }

    /// All trunks, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Trunk> {
        self.trunks.values().map(|entry| &entry.trunk)
    }

    /// Which trunk a request came from.
    ///
    /// `request_user` is the user of the Request-URI: our line at the trunk, or the number that
    /// was dialled. A line decides at once. Else, of the trunks with the source in a network of
    /// theirs, those that own the dialled number go before the others: companies may share a
    /// carrier's address. Among them the longest network wins; of several trunks with that same
    /// network, the first that owns no numbers in particular, else the first.
    pub fn identify(
        &self,
        transport: Transport,
        source: SocketAddr,
        request_user: &str,
    ) -> Option<&Trunk> {
        if let Some(trunk) = self.by_line(request_user) {
            return Some(trunk);
        }
        self.trunks
            .values()
            .filter_map(|entry| {
                let length = entry.longest(transport, source.ip())?;
                let trunk = &entry.trunk;
                let dialled = trunk.numbers.read(request_user);
                let ownership = match trunk.numbers.owned.contains(&dialled) {
                    true => Ownership::Ours,
                    false if trunk.numbers.owned.is_empty() => Ownership::Any,
                    false => Ownership::Others,
                };
                Some(((ownership == Ownership::Ours, length, ownership), trunk))
            })
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map(|(_, trunk)| trunk)
    }

    /// Whether an address belongs to any trunk: nothing that comes from it may ban it, since
    /// anybody can write its address on a datagram.
    pub fn is_trunk_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trunks.values().any(|entry| {
            let mut networks = entry.trunk.addresses.iter().map(|known| known.network);
            entry.servers.contains(&address) || networks.any(|network| network.contains(address))
        })
    }

    /// Takes the servers that a trunk's registration stands at, in place of those before; none
    /// when it is not registered. Many carriers call the number and not our line, from there.
    pub fn set_servers(&mut self, id: &TrunkId, servers: impl IntoIterator<Item = IpAddr>) {
        if let Some(entry) = self.trunks.get_mut(id) {
            let servers = servers.into_iter().take(SERVERS_MAX);
            entry.servers = servers.map(|address| address.to_canonical()).collect();
        }
    }

    /// How many calls a trunk has up.
    pub fn calls(&self, id: &TrunkId) -> u32 {
        self.trunks.get(id).map_or(0, |entry| entry.calls)
    }

    /// Counts a call that begins, either way, or says why it may not. Each `Ok` is paid back with
    /// [`Trunks::end_call`].
    pub fn begin_call(&mut self, now: Instant, id: &TrunkId) -> Result<(), CallRefused> {
        let entry = self.trunks.get_mut(id).ok_or(CallRefused::Unknown)?;
        if entry.calls >= entry.trunk.calls_max {
            return Err(CallRefused::TooMany { calls: entry.calls });
        }
        if !entry.starts.take(now, starts(&entry.trunk), 1) {
            let per_second = entry.trunk.calls_per_second_max;
            return Err(CallRefused::TooFast { per_second });
        }
        entry.calls = entry.calls.saturating_add(1);
        Ok(())
    }

    /// Counts a call that ended.
    pub fn end_call(&mut self, id: &TrunkId) {
        if let Some(entry) = self.trunks.get_mut(id) {
            entry.calls = entry.calls.saturating_sub(1);
        }
    }

    fn by_line(&self, user: &str) -> Option<&Trunk> {
        self.iter().find(|trunk| {
            let line = trunk.line.as_ref();
            line.is_some_and(|line| !line.token.is_empty() && line.token == user)
        })
    }
}

impl Entry {
    /// The length of the longest network that an address of the trunk is in; `None` when it is
    /// not the trunk's.
    fn longest(&self, transport: Transport, address: IpAddr) -> Option<u8> {
        let configured = self
            .trunk
            .addresses
            .iter()
            .filter(|known| known.transport.is_none_or(|only| only == transport))
            .map(|known| known.network);
        let registered = self.servers.iter().copied().map(Network::host);
        configured
            .chain(registered)
            .filter(|network| network.contains(address))
            .map(|network| network.length())
            .max()
    }
}

/// How fast calls may begin: a second's worth at once.
fn starts(trunk: &Trunk) -> Rate {
    Rate {
        per_second: trunk.calls_per_second_max,
        burst: trunk.calls_per_second_max,
    }
}

/// How well a dialled number fits a trunk, the best last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ownership {
    /// The trunk lists its numbers, and this is none of them.
    Others,
    /// The trunk takes any number.
    Any,
    /// The number is on the trunk's list.
    Ours,
}

/// How many servers of one registration are remembered.
const SERVERS_MAX: usize = 32;

/// A place becomes free when a call ends, which takes a while.
const RETRY_AFTER_TOO_MANY: Duration = Duration::from_secs(10);

/// The next second has room again.
const RETRY_AFTER_TOO_FAST: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;

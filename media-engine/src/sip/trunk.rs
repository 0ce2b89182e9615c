//! Trunks: the carriers whose calls are taken, and what each may cost.
//!
//! A request belongs to a trunk because of where it came from (the longest matching network), or
//! because it is addressed to the line under which we registered there. Nothing in the text of a
//! request, other than that line, says which trunk it is.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::digest::Credentials;
use super::guard::bucket::{Bucket, Rate};
use super::{Transport, TrunkId};
use crate::codec::Codec;

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
    pub owned: Vec<String>,
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

/// A range of addresses in CIDR notation, `192.0.2.0/24` or `2001:db8::/32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    first: IpAddr,
    length: u8,
}

/// Why a text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The part before the slash is no IP address.
    #[error("not an IP address")]
    Address,
    /// The part behind the slash is no prefix length of that kind of address.
    #[error("not a prefix length for this address")]
    Length,
}

impl Network {
    /// The network of `length` leading bits around an address. An IPv4 address written as IPv6
    /// (`::ffff:192.0.2.1`) counts as the IPv4 address. `None` when `length` is too large.
    pub fn new(address: IpAddr, length: u8) -> Option<Self> {
        let address = address.to_canonical();
        let first = match address {
            IpAddr::V4(v4) if length <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                IpAddr::V4((u32::from(v4) & mask).into())
            }
            IpAddr::V6(v6) if length <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                IpAddr::V6((u128::from(v6) & mask).into())
            }
            IpAddr::V4(_) | IpAddr::V6(_) => return None,
        };
        Some(Self { first, length })
    }

    /// The network of one address.
    pub fn host(address: IpAddr) -> Self {
        let first = address.to_canonical();
        let length = match first {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        Self { first, length }
    }

    /// Whether it holds an address.
    pub fn contains(&self, address: IpAddr) -> bool {
        Self::new(address, self.length).is_some_and(|network| network == *self)
    }

    /// How many leading bits its addresses have in common.
    pub fn length(&self) -> u8 {
        self.length
    }
}

impl std::str::FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| NetworkError::Address)?;
        match length {
            None => Ok(Self::host(address)),
            Some(length) => {
                let length = length.trim().parse().map_err(|_| NetworkError::Length)?;
                Self::new(address, length).ok_or(NetworkError::Length)
            }
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.length)
    }
}

/// All trunks, and the calls each has.
#[derive(Debug, Default)]
pub struct Trunks {
    trunks: BTreeMap<TrunkId, Entry>,
}

#[derive(Debug)]
struct Entry {
    trunk: Trunk,
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
    /// was dialled. A line decides at once. Else the longest network with the source in it wins;
    /// of several trunks with that same network, the one that owns the dialled number, else the
    /// first that owns no numbers in particular, else the first.
    pub fn identify(
        &self,
        transport: Transport,
        source: SocketAddr,
        request_user: &str,
    ) -> Option<&Trunk> {
        if let Some(trunk) = self.by_line(request_user) {
            return Some(trunk);
        }
        let longest = |trunk: &Trunk| {
            trunk
                .addresses
                .iter()
                .filter(|address| address.transport.is_none_or(|only| only == transport))
                .filter(|address| address.network.contains(source.ip()))
                .map(|address| address.network.length())
                .max()
        };
        self.iter()
            .filter_map(|trunk| {
                let length = longest(trunk)?;
                let dialled = trunk.numbers.read(request_user);
                let ownership = match trunk.numbers.owned.contains(&dialled) {
                    true => Ownership::Ours,
                    false if trunk.numbers.owned.is_empty() => Ownership::Any,
                    false => Ownership::Others,
                };
                Some(((length, ownership), trunk))
            })
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map(|(_, trunk)| trunk)
    }

    /// Whether an address belongs to any trunk: nothing that comes from it may ban it, since
    /// anybody can write its address on a datagram.
    pub fn is_trunk_address(&self, address: IpAddr) -> bool {
        self.iter()
            .flat_map(|trunk| &trunk.addresses)
            .any(|known| known.network.contains(address))
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

/// A place becomes free when a call ends, which takes a while.
const RETRY_AFTER_TOO_MANY: Duration = Duration::from_secs(10);

/// The next second has room again.
const RETRY_AFTER_TOO_FAST: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Instant {
        #[allow(clippy::disallowed_methods)] // Only differences count.
        Instant::now()
    }

    fn trunk(id: &str, addresses: &[&str]) -> Trunk {
        Trunk {
            id: TrunkId(id.into()),
            company: "acme".into(),
            name: id.to_owned(),
            addresses: addresses
                .iter()
                .map(|text| Address {
                    network: text.parse().expect("a network"),
                    transport: None,
                })
                .collect(),
            host: None,
            transport: None,
            outbound_proxy: None,
            credentials: None,
            line: None,
            numbers: Numbers::default(),
            codecs: vec![],
            calls_max: 2,
            calls_per_second_max: 2,
            trusted: true,
        }
    }

    fn trunks(list: Vec<Trunk>) -> Trunks {
        let mut trunks = Trunks::default();
        trunks.set(origin(), list);
        trunks
    }

    fn identified(trunks: &Trunks, source: &str, user: &str) -> Option<String> {
        let source = SocketAddr::new(source.parse().expect("an address"), 5060);
        trunks
            .identify(Transport::Udp, source, user)
            .map(|trunk| trunk.name.clone())
    }

    #[test]
    fn networks_hold_what_they_should() {
        for (network, address, holds) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.77/24", "192.0.2.1", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("192.0.2.0/24", "::ffff:192.0.2.9", true),
            ("::ffff:192.0.2.9", "192.0.2.9", true),
            ("0.0.0.0/0", "203.0.113.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "192.0.2.1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("2001:db8::1/128", "2001:db8::1", true),
        ] {
            let network: Network = network.parse().expect("a network");
            let address = address.parse().expect("an address");
            assert_eq!(network.contains(address), holds, "{network} {address}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        assert_eq!("carrier".parse::<Network>(), Err(NetworkError::Address));
        assert_eq!("192.0.2.0/33".parse::<Network>(), Err(NetworkError::Length));
        assert_eq!(
            "2001:db8::/129".parse::<Network>(),
            Err(NetworkError::Length)
        );
        assert_eq!("192.0.2.0/".parse::<Network>(), Err(NetworkError::Length));
    }

    #[test]
    fn the_longest_network_with_the_source_in_it_is_the_trunk() {
        let trunks = trunks(vec![
            trunk("a-wide", &["192.0.2.0/24", "2001:db8::/32"]),
            trunk("b-narrow", &["192.0.2.128/25"]),
        ]);
        assert_eq!(
            identified(&trunks, "192.0.2.1", "100").as_deref(),
            Some("a-wide")
        );
        assert_eq!(
            identified(&trunks, "192.0.2.200", "100").as_deref(),
            Some("b-narrow")
        );
        assert_eq!(
            identified(&trunks, "2001:db8::9", "100").as_deref(),
            Some("a-wide")
        );
        assert_eq!(identified(&trunks, "198.51.100.1", "100"), None);
    }

    #[test]
    fn an_address_bound_to_a_transport_is_good_for_it_alone() {
        let mut secure = trunk("secure", &["192.0.2.1"]);
        secure.addresses[0].transport = Some(Transport::Tls);
        let trunks = trunks(vec![secure]);
        let source = "192.0.2.1:5061".parse().expect("an address");
        assert!(trunks.identify(Transport::Tls, source, "100").is_some());
        assert!(trunks.identify(Transport::Udp, source, "100").is_none());
    }

    #[test]
    fn trunks_that_share_an_address_are_told_apart_by_the_number() {
        let mut first = trunk("a", &["192.0.2.1"]);
        first.numbers.inbound = vec![Rewrite {
            prefix: "0".to_owned(),
            replacement: "+55".to_owned(),
        }];
        first.numbers.owned = vec!["+551140028922".to_owned()];
        let second = trunk("b", &["192.0.2.1"]);
        let mut third = trunk("c", &["192.0.2.1"]);
        third.numbers.owned = vec!["4000".to_owned()];
        let trunks = trunks(vec![first, second, third]);
        assert_eq!(
            identified(&trunks, "192.0.2.1", "01140028922").as_deref(),
            Some("a")
        );
        assert_eq!(
            identified(&trunks, "192.0.2.1", "4000").as_deref(),
            Some("c")
        );
        assert_eq!(
            identified(&trunks, "192.0.2.1", "5000").as_deref(),
            Some("b")
        );
    }

    #[test]
    fn a_request_to_our_line_is_the_line_s_wherever_it_comes_from() {
        let mut registered = trunk("registered", &[]);
        registered.line = Some(Line {
            token: "q7w3".to_owned(),
            address_of_record: "sip:ramal@carrier.example".to_owned(),
            registrar: "sip:carrier.example".to_owned(),
            expires: Duration::from_secs(600),
        });
        let mut empty = registered.clone();
        empty.id = TrunkId("a-empty".into());
        empty.line.as_mut().expect("set above").token.clear();
        let trunks = trunks(vec![registered, empty, trunk("other", &["192.0.2.1"])]);
        assert_eq!(
            identified(&trunks, "198.51.100.7", "q7w3").as_deref(),
            Some("registered")
        );
        assert_eq!(
            identified(&trunks, "192.0.2.1", "q7w3").as_deref(),
            Some("registered")
        );
        assert_eq!(identified(&trunks, "198.51.100.7", ""), None);
    }

    #[test]
    fn calls_beyond_the_limit_get_503_until_one_ends() {
        let start = origin();
        let mut trunks = Trunks::default();
        let mut wide = trunk("t", &[]);
        wide.calls_per_second_max = 100;
        trunks.set(start, vec![wide.clone()]);
        let id = TrunkId("t".into());
        assert_eq!(trunks.begin_call(start, &id), Ok(()));
        assert_eq!(trunks.begin_call(start, &id), Ok(()));
        let refused = trunks.begin_call(start, &id).expect_err("two are up");
        assert_eq!(refused, CallRefused::TooMany { calls: 2 });
        assert_eq!(
            (refused.status(), refused.retry_after()),
            (503, Some(Duration::from_secs(10)))
        );
        trunks.set(start, vec![wide]);
        assert_eq!(trunks.calls(&id), 2, "a new configuration forgets no call");
        trunks.end_call(&id);
        assert_eq!(trunks.begin_call(start, &id), Ok(()));
        trunks.set(start, vec![]);
        assert_eq!(trunks.begin_call(start, &id), Err(CallRefused::Unknown));
    }

    #[test]
    fn calls_begin_no_faster_than_the_trunk_allows() {
        let start = origin();
        let mut trunks = Trunks::default();
        let mut limited = trunk("t", &[]);
        limited.calls_max = 1000;
        trunks.set(start, vec![limited]);
        let id = TrunkId("t".into());
        let begun_at_ms: Vec<u64> = (0..2000)
            .step_by(50)
            .filter(|ms| {
                trunks
                    .begin_call(start + Duration::from_millis(*ms), &id)
                    .is_ok()
            })
            .collect();
        assert_eq!(begun_at_ms, [0, 50, 500, 1000, 1500]);
    }

    #[test]
    fn numbers_are_rewritten_by_the_first_rule_that_fits() {
        let rule = |prefix: &str, replacement: &str| Rewrite {
            prefix: prefix.to_owned(),
            replacement: replacement.to_owned(),
        };
        let numbers = Numbers {
            owned: vec![],
            inbound: vec![rule("+", "+"), rule("00", "+"), rule("0", "+55")],
            outbound: vec![rule("+55", "0"), rule("+", "00")],
        };
        assert_eq!(numbers.read("+4930"), "+4930");
        assert_eq!(numbers.read("004930"), "+4930");
        assert_eq!(numbers.read("011"), "+5511");
        assert_eq!(numbers.read("4000"), "4000");
        assert_eq!(numbers.write("+5511"), "011");
        assert_eq!(numbers.write("+4930"), "004930");
    }
}

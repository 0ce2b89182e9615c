//! What strangers may cost.
//!
//! ```text
//!  request that is part of no transaction or call of ours
//!     │ admit            banned? too many from there? too many in all?  ─▶ dropped in silence
//!     ▼
//!  parse, digest ──▶ record_failure / record_success ─▶ patience ─▶ ban, back-off of the account
//!     ▼
//!  may_answer          would more bytes go to an unproven address than came from it? ─▶ silence
//! ```
//!
//! Ask about requests that match no transaction and no dialog: the rest has been admitted before.
//! Three rules hold whatever is sent:
//!
//! 1. An address that anybody can write on a datagram proves nothing. A trunk's or a registered
//!    device's address is never banned; it is only reported.
//! 2. Every table is bounded, and a full one forgets what was not touched for longest.
//! 3. Known and unknown account names are treated alike.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::trunk::Network;
use bucket::Bucket;
use recent::Recent;

pub(in crate::sip) mod bucket;
pub(in crate::sip) mod recent;

pub use bucket::Rate;

/// The watch over everybody who is not yet known. Ban and back-off run out by themselves, so it
/// has no timer.
#[derive(Debug)]
pub struct Guard {
    limits: Limits,
    sources: Recent<Network, Seen>,
    bans: Recent<Network, Ban>,
    accounts: Recent<String, BackOff>,
    /// Where accounts authenticated from before.
    homes: Recent<(Network, String), ()>,
    /// What all sources together that never authenticated may ask for.
    strangers: Bucket,
    /// The same for sources that authenticated before: a flood of strangers does not starve them.
    familiars: Bucket,
    flood_reported_at: Option<Instant>,
    counters: Counters,
    outputs: VecDeque<Audit>,
}

/// Where a request came from, and what that says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// The sender's address.
    pub address: IpAddr,
    /// Whether the sender has shown that it receives what we send there: it came on a stream
    /// connection, or with a nonce that we issued to this address.
    pub proven: bool,
    /// Who is known to be at this address.
    pub standing: Standing,
}

/// Who is known to be at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nobody.
    Stranger,
    /// A device is registered from there.
    Device,
    /// It is among the addresses of a trunk, which has limits of its own.
    Trunk,
}

/// Whether a request is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Parse it and answer it.
    Admitted,
    /// Drop it without an answer.
    Dropped(Dropped),
}

/// Why a request is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// Its source is banned.
    Banned,
    /// Too many came from its source.
    SourceTooFast,
    /// Too many came in all.
    TooFast,
}

/// What a source did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It sent a request without credentials and was challenged. Every honest phone does; it is
    /// taken back by [`Guard::record_success`].
    Challenged,
    /// It sent what is no SIP.
    Malformed,
    /// It asked for something that strangers never get.
    Refused,
    /// It sent credentials that are wrong.
    WrongCredentials,
}

/// Something an administrator should be able to read later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audit {
    /// A source used up its patience and is ignored for a while.
    SourceBanned {
        /// The addresses that are ignored.
        network: Network,
        /// For how long.
        length: Duration,
        /// Whether it is certain that they sent it.
        proven: bool,
    },
    /// A source used up its patience and is not banned, because it is a trunk's or a device's:
    /// a device with a wrong password, or somebody who forges its address.
    SourceSpared {
        /// The addresses.
        network: Network,
        /// Whose they are.
        standing: Standing,
    },
    /// Wrong passwords for one account: attempts from new places have to wait.
    AccountSlowed {
        /// The user name that was tried, whether it exists or not.
        account: String,
        /// The wrong attempts so far.
        failures: u32,
        /// For how long no attempt is let through.
        length: Duration,
    },
    /// More requests of strangers arrive than are answered. Reported at most once a minute.
    Flooded,
}

/// What happened so far, for the metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests let through.
    pub admitted: u64,
    /// Requests dropped because their source is banned.
    pub dropped_banned: u64,
    /// Requests dropped because their source sent too many.
    pub dropped_source_too_fast: u64,
    /// Requests dropped because all strangers together sent too many.
    pub dropped_too_fast: u64,
    /// Answers not sent because they would have amplified.
    pub answers_withheld: u64,
    /// Wrong credentials seen.
    pub wrong_credentials: u64,
    /// Bans begun.
    pub bans: u64,
    /// Audit entries lost because nobody took them.
    pub audits_lost: u64,
}

/// How much is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests from one source that nobody knows.
    pub stranger: Rate,
    /// Requests from one address with a registered device, behind which a whole office may sit.
    pub device: Rate,
    /// Requests from all strangers, and again from all who authenticated before.
    pub total: Rate,
    /// Bytes of answers to one unproven source, beyond the bytes it sent.
    pub answer_bytes: Rate,
    /// Points of failure that one source may gather; see [`Failure::points`].
    pub patience: Rate,
    /// The first ban; each one soon after is twice as long.
    pub ban_min: Duration,
    /// The longest ban.
    pub ban_max: Duration,
    /// The ban of a source that may be forged: never longer, so that a forger cannot silence
    /// somebody else for long.
    pub ban_unproven: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // An office that comes back after a power cut: its phones repeat what is lost.
            stranger: Rate {
                per_second: 10,
                burst: 60,
            },
            device: Rate {
                per_second: 50,
                burst: 300,
            },
            // 1,000 digest checks cost about 10 ms of CPU a second.
            total: Rate {
                per_second: 1000,
                burst: 2000,
            },
            // A challenge is some 100 bytes longer than a small request.
            answer_bytes: Rate {
                per_second: 500,
                burst: 4000,
            },
            // Ten wrong passwords, or fifty probes, at once.
            patience: Rate {
                per_second: 1,
                burst: 100,
            },
            ban_min: Duration::from_secs(60),
            ban_max: Duration::from_secs(3600),
            ban_unproven: Duration::from_secs(30),
        }
    }
}

impl Failure {
    /// What it costs of the source's patience.
    pub fn points(self) -> u64 {
        match self {
            Self::Challenged => 2,
            Self::Malformed | Self::Refused => 5,
            Self::WrongCredentials => 10,
        }
    }
}

/// What one source did lately.
#[derive(Debug)]
struct Seen {
    requests: Bucket,
    answer_bytes: Bucket,
    patience: Bucket,
}

/// A ban, kept after its end so that the next one can be longer.
#[derive(Debug, Clone, Copy)]
struct Ban {
    until: Instant,
    length: Duration,
}

/// The wrong attempts at one account.
#[derive(Debug, Clone, Copy)]
struct BackOff {
    failures: u32,
    last: Instant,
    open_at: Instant,
}

impl Guard {
    /// Creates a guard that has seen nobody.
    pub fn new(now: Instant, limits: Limits) -> Self {
        Self {
            limits,
            sources: Recent::new(SOURCES_MAX),
            bans: Recent::new(BANS_MAX),
            accounts: Recent::new(ACCOUNTS_MAX),
            homes: Recent::new(HOMES_MAX),
            strangers: Bucket::full(now, limits.total),
            familiars: Bucket::full(now, limits.total),
            flood_reported_at: None,
            counters: Counters::default(),
            outputs: VecDeque::new(),
        }
    }

    /// What happened so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many entries all tables hold together; bounded by the constants of this module.
    pub fn entries(&self) -> usize {
        self.sources.len() + self.bans.len() + self.accounts.len() + self.homes.len()
    }

    /// Whether a source is ignored at present.
    pub fn is_banned(&self, now: Instant, address: IpAddr) -> bool {
        self.bans
            .find(&network_of(address))
            .is_some_and(|ban| now < ban.until)
    }

    /// Decides about one request, before it is parsed. `bytes` is its length.
    pub fn admit(&mut self, now: Instant, source: &Source, bytes: usize) -> Admission {
        let rate = match source.standing {
            Standing::Trunk => return self.admitted(),
            Standing::Device => self.limits.device,
            Standing::Stranger if self.is_banned(now, source.address) => {
                self.counters.dropped_banned += 1;
                return Admission::Dropped(Dropped::Banned);
            }
            Standing::Stranger => self.limits.stranger,
        };
        let answer_bytes = self.limits.answer_bytes;
        let seen = self.seen(now, source);
        seen.answer_bytes.put(answer_bytes, count(bytes));
        if !seen.requests.take(now, rate, 1) {
            self.counters.dropped_source_too_fast += 1;
            return Admission::Dropped(Dropped::SourceTooFast);
        }
        let total = match (source.standing, self.is_familiar(source.address)) {
            (Standing::Trunk | Standing::Device, _) | (Standing::Stranger, true) => {
                &mut self.familiars
            }
            (Standing::Stranger, false) => &mut self.strangers,
        };
        if !total.take(now, self.limits.total, 1) {
            self.counters.dropped_too_fast += 1;
            self.report_flood(now);
            return Admission::Dropped(Dropped::TooFast);
        }
        self.admitted()
    }

    /// Decides about one answer of `bytes` to an admitted request. Over any stretch of time an
    /// unproven stranger gets no more bytes than it sent, beyond the rate of
    /// [`Limits::answer_bytes`]: we are of no use for flooding whoever owns a forged address.
    pub fn may_answer(&mut self, now: Instant, source: &Source, bytes: usize) -> bool {
        if source.proven || source.standing != Standing::Stranger {
            return true;
        }
        let rate = self.limits.answer_bytes;
        let may = self
            .seen(now, source)
            .answer_bytes
            .take(now, rate, count(bytes));
        if !may {
            self.counters.answers_withheld += 1;
        }
        may
    }

    /// Whether an attempt to authenticate as `account` counts at present. When it does not, answer
    /// as if the password were wrong, and verify all the same: the time it takes says nothing.
    ///
    /// An attempt from a place where the account authenticated before always counts, so that
    /// guessing from elsewhere locks nobody out.
    pub fn is_account_open(&self, now: Instant, source: &Source, account: &str) -> bool {
        let account = short(account);
        let home = (network_of(source.address), account.to_owned());
        self.homes.find(&home).is_some()
            || self
                .accounts
                .find(account)
                .is_none_or(|back_off| back_off.open_at <= now)
    }

    /// Records what a source did wrong, and for which account if it claimed one.
    pub fn record_failure(
        &mut self,
        now: Instant,
        source: &Source,
        account: Option<&str>,
        failure: Failure,
    ) {
        if failure == Failure::WrongCredentials {
            self.counters.wrong_credentials += 1;
            if let Some(account) = account {
                self.slow_account(now, source, short(account));
            }
        }
        let patience = self.limits.patience;
        let seen = self.seen(now, source);
        if seen.patience.take(now, patience, failure.points()) {
            return;
        }
        seen.patience = Bucket::full(now, patience);
        let network = network_of(source.address);
        match source.standing {
            Standing::Stranger => self.ban(now, network, source.proven),
            standing @ (Standing::Device | Standing::Trunk) => {
                self.audit(Audit::SourceSpared { network, standing });
            }
        }
    }

    /// Records that a source authenticated as `account`.
    pub fn record_success(&mut self, now: Instant, source: &Source, account: &str) {
        let patience = self.limits.patience;
        self.seen(now, source)
            .patience
            .put(patience, Failure::Challenged.points());
        let home = (network_of(source.address), short(account).to_owned());
        self.homes.touch(home, || ());
    }

    /// The next entry for the audit, in order. Take them until there is none.
    pub fn poll_output(&mut self) -> Option<Audit> {
        self.outputs.pop_front()
    }

    fn admitted(&mut self) -> Admission {
        self.counters.admitted += 1;
        Admission::Admitted
    }

    fn seen(&mut self, now: Instant, source: &Source) -> &mut Seen {
        let limits = self.limits;
        self.sources.touch(network_of(source.address), || Seen {
            requests: Bucket::full(
                now,
                match source.standing {
                    Standing::Stranger => limits.stranger,
                    Standing::Device | Standing::Trunk => limits.device,
                },
            ),
            answer_bytes: Bucket::full(now, limits.answer_bytes),
            patience: Bucket::full(now, limits.patience),
        })
    }

    fn is_familiar(&self, address: IpAddr) -> bool {
        let network = network_of(address);
        self.homes
            .first_from(&(network, String::new()))
            .is_some_and(|(home, _)| *home == network)
    }

    fn slow_account(&mut self, now: Instant, source: &Source, account: &str) {
        if !self.is_account_open(now, source, account) {
            return; // It did not count, so it does not prolong the wait either.
        }
        let back_off = self.accounts.touch(account.to_owned(), || BackOff {
            failures: 0,
            last: now,
            open_at: now,
        });
        if now.saturating_duration_since(back_off.last) > ACCOUNT_MEMORY {
            back_off.failures = 0;
        }
        back_off.failures = back_off.failures.saturating_add(1);
        back_off.last = now;
        let failures = back_off.failures;
        if failures <= ACCOUNT_FREE_FAILURES {
            return;
        }
        let doublings = (failures - ACCOUNT_FREE_FAILURES - 1).min(16);
        let length = ACCOUNT_WAIT_MIN
            .saturating_mul(1 << doublings)
            .min(ACCOUNT_WAIT_MAX);
        back_off.open_at = now + length;
        self.audit(Audit::AccountSlowed {
            account: account.to_owned(),
            failures,
            length,
        });
    }

    fn ban(&mut self, now: Instant, network: Network, proven: bool) {
        let before = self.bans.find(&network).copied();
        if !proven && before.is_none() && self.bans.is_full() {
            return; // Forged bans push out no real one; the rate still holds them.
        }
        let length = match before.filter(|ban| now < ban.until + BAN_MEMORY) {
            _ if !proven => self.limits.ban_unproven,
            Some(ban) => ban
                .length
                .saturating_mul(2)
                .clamp(self.limits.ban_min, self.limits.ban_max),
            None => self.limits.ban_min,
        };
        let until = now + length;
        let ban = self.bans.touch(network, || Ban { until, length });
        // A ban that is certain is not shortened by one that is not.
        *ban = Ban {
            until: ban.until.max(until),
            length: ban.length.max(length),
        };
        self.counters.bans += 1;
        self.audit(Audit::SourceBanned {
            network,
            length,
            proven,
        });
    }

    fn report_flood(&mut self, now: Instant) {
        let due = self
            .flood_reported_at
            .is_none_or(|at| now.saturating_duration_since(at) >= FLOOD_REPORT_INTERVAL);
        if due {
            self.flood_reported_at = Some(now);
            self.audit(Audit::Flooded);
        }
    }

    fn audit(&mut self, entry: Audit) {
        if self.outputs.len() < AUDITS_MAX {
            self.outputs.push_back(entry);
        } else {
            self.counters.audits_lost += 1;
        }
    }
}

/// What is treated as one sender: an IPv4 address, or the /64 that one IPv6 host has to itself.
fn network_of(address: IpAddr) -> Network {
    let address = address.to_canonical();
    let length = match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 64,
    };
    Network::new(address, length).unwrap_or_else(|| Network::host(address))
}

/// The part of an account's name that is remembered.
fn short(account: &str) -> &str {
    &account[..account.floor_char_boundary(ACCOUNT_NAME_MAX)]
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// How many sources are remembered: about 16 MB.
pub const SOURCES_MAX: usize = 65_536;

/// How many bans are remembered.
pub const BANS_MAX: usize = 16_384;

/// How many account names with wrong attempts are remembered, existing or not.
pub const ACCOUNTS_MAX: usize = 16_384;

/// How many pairs of account and place are remembered as having authenticated.
pub const HOMES_MAX: usize = 65_536;

/// The longest account name that is told apart, in bytes.
const ACCOUNT_NAME_MAX: usize = 64;

/// Wrong passwords that an account forgives before attempts have to wait: people mistype.
const ACCOUNT_FREE_FAILURES: u32 = 3;

/// The first wait of an account; each further failure doubles it.
const ACCOUNT_WAIT_MIN: Duration = Duration::from_secs(1);

/// The longest wait of an account: 1,440 guesses a day at the most, from anywhere.
const ACCOUNT_WAIT_MAX: Duration = Duration::from_secs(60);

/// After this much quiet an account's failures are forgotten.
const ACCOUNT_MEMORY: Duration = Duration::from_secs(3600);

/// A ban that follows the last one within this time is longer than it.
const BAN_MEMORY: Duration = Duration::from_secs(24 * 3600);

/// How often a flood is reported while it goes on.
const FLOOD_REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// How many audit entries wait to be taken.
const AUDITS_MAX: usize = 1024;

#[cfg(test)]
mod tests;

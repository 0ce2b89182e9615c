//! The registrar: where our devices are (RFC 3261 section 10, RFC 5626, RFC 3327).
//!
//! It is asked only about REGISTER requests whose sender has authenticated as the account. A
//! binding remembers the flow it came by, and a call goes back the same way: that is what reaches
//! a phone behind NAT and a browser behind a WebSocket.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::digest::Secret;
use super::uri::Uri;
use super::{AccountId, ConnectionId, Flow};

mod request;

pub use request::{Binding, Contacts, Register, Unreadable};

/// The account of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The id of the device.
    pub id: AccountId,
    /// The user of its address, which is also the user name it authenticates with. No two
    /// accounts have the same.
    pub user: String,
    /// The company it belongs to, by its id.
    pub company: Arc<str>,
    /// Proves its password.
    pub secret: Secret,
}

/// What is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The shortest registration; a device that asks for less gets 423. Shorter ones would be
    /// keep-alives by REGISTER, which cost a digest check each.
    pub expires_min: Duration,
    /// The longest registration: a device that vanished is missed after this time.
    pub expires_max: Duration,
    /// What a device gets that names no time.
    pub expires_default: Duration,
    /// Contacts of one account: a desk phone, a browser, a mobile, and leftovers of restarts.
    pub contacts_per_account: usize,
    /// Contacts of all accounts: about 1 KiB each.
    pub contacts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            expires_min: Duration::from_secs(30),
            expires_max: Duration::from_secs(3600),
            expires_default: Duration::from_secs(300),
            contacts_per_account: 8,
            contacts: 100_000,
        }
    }
}

/// Why a REGISTER is refused. Answered with [`Refused::status`]; nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The address of record in To is not the account's own.
    #[error("an account registers for itself alone")]
    NotYours,
    /// RFC 3261 section 10.3 step 7: answered with Min-Expires.
    #[error("shorter than {} s", min.as_secs())]
    IntervalTooBrief {
        /// The Min-Expires.
        min: Duration,
    },
    /// `*` with another contact or with an Expires that is not 0 (RFC 3261 section 10.3 step 6).
    #[error("`*` goes with Expires: 0 alone")]
    BadWildcard,
    /// A contact that no call can be sent to.
    #[error("the contact is no SIP URI of sane length")]
    BadContact,
    /// An older request of the same Call-ID that was overtaken (RFC 3261 section 10.3 step 7).
    #[error("overtaken by a newer request")]
    OutOfOrder,
    /// More contacts in one request than an account may have.
    #[error("too many contacts")]
    TooManyContacts,
    /// All places are taken.
    #[error("the registrar is full")]
    Full,
}

impl Refused {
    /// The answer.
    pub fn status(self) -> u16 {
        match self {
            Self::NotYours | Self::TooManyContacts => 403,
            Self::IntervalTooBrief { .. } => 423,
            Self::BadWildcard | Self::BadContact => 400,
            Self::OutOfOrder => 500,
            Self::Full => 503,
        }
    }
}

/// A contact that a 200 lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    /// The URI.
    pub uri: Uri,
    /// How long it stands from here on, in whole seconds, rounded up.
    pub expires_s: u64,
    /// The preference in thousandths.
    pub q_permille: u16,
}

impl std::fmt::Display for Current {
    /// The value of a Contact header.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{}>;expires={}", self.uri, self.expires_s)?;
        if self.q_permille == Q_DEFAULT {
            return Ok(());
        }
        write!(
            f,
            ";q={}.{:03}",
            self.q_permille / 1000,
            self.q_permille % 1000
        )
    }
}

/// A place where an account can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The Request-URI.
    pub uri: Uri,
    /// The Route headers, in order (RFC 3327: the Path that the registration took).
    pub path: Vec<Bytes>,
    /// The way to it.
    pub flow: Flow,
}

/// What changed, for the live picture of who is reachable. Refreshing changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A device came, or moved to another flow.
    Registered {
        /// The account.
        account: AccountId,
        /// The contact.
        contact: String,
        /// The way it came.
        flow: Flow,
        /// What the device calls its program; chosen by the device, so inert text.
        user_agent: Option<String>,
    },
    /// A device is gone.
    Unregistered {
        /// The account.
        account: AccountId,
        /// The contact.
        contact: String,
        /// Why.
        why: Gone,
        /// Whether the account has other contacts left.
        reachable: bool,
    },
}

/// Why a contact is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// The device said so.
    Removed,
    /// It was not refreshed in time.
    Expired,
    /// Its connection closed, and there is no other way to it.
    ConnectionClosed,
    /// A newer contact needed the place.
    Replaced,
    /// The account was removed, renamed or given another password.
    AccountChanged,
}

/// The registrar.
#[derive(Debug)]
pub struct Registrar {
    limits: Limits,
    accounts: BTreeMap<AccountId, Account>,
    users: BTreeMap<String, AccountId>,
    /// Numbered in the order of their last refresh, so that the oldest stands first.
    bindings: BTreeMap<u64, Bound>,
    number: u64,
    by_account: BTreeSet<(AccountId, u64)>,
    by_deadline: BTreeSet<(Instant, u64)>,
    by_address: BTreeSet<(IpAddr, u64)>,
    by_connection: BTreeSet<(ConnectionId, u64)>,
    outputs: VecDeque<Event>,
}

/// A contact of an account.
#[derive(Debug, Clone)]
struct Bound {
    account: AccountId,
    binding: Binding,
    call_id: Bytes,
    cseq: u32,
    flow: Flow,
    path: Vec<Bytes>,
    expires_at: Instant,
}

/// What one request does to one contact.
enum Change<'a> {
    Remove(u64),
    Put {
        binding: &'a Binding,
        expires: Duration,
    },
}

impl Registrar {
    /// Creates a registrar without accounts.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            accounts: BTreeMap::new(),
            users: BTreeMap::new(),
            bindings: BTreeMap::new(),
            number: 0,
            by_account: BTreeSet::new(),
            by_deadline: BTreeSet::new(),
            by_address: BTreeSet::new(),
            by_connection: BTreeSet::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes all accounts anew. Devices stay registered unless their account is gone or has
    /// another user or password: then they have to prove themselves again.
    pub fn set_accounts(&mut self, accounts: Vec<Account>) {
        let before = std::mem::take(&mut self.accounts);
        self.users.clear();
        for account in accounts {
            self.users.insert(account.user.clone(), account.id.clone());
            self.accounts.insert(account.id.clone(), account);
        }
        for (id, old) in before {
            let same = self
                .accounts
                .get(&id)
                .is_some_and(|new| new.user == old.user && new.secret == old.secret);
            if !same {
                for number in self.numbers_of(&id) {
                    self.remove(number, Gone::AccountChanged);
                }
            }
        }
    }

    /// An account by its id.
    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.get(id)
    }

    /// An account by the user of its address.
    pub fn account_of_user(&self, user: &str) -> Option<&Account> {
        self.accounts.get(self.users.get(user)?)
    }

    /// Whether any device is registered from an address: nothing that comes from it may ban it.
    pub fn is_device_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.by_address
            .range((address, 0)..=(address, u64::MAX))
            .next()
            .is_some()
    }

    /// The account that is registered by exactly this flow, when there is just one.
    pub fn account_of_flow(&self, flow: &Flow) -> Option<&AccountId> {
        let address = flow.remote.ip().to_canonical();
        let mut accounts = self
            .by_address
            .range((address, 0)..=(address, u64::MAX))
            .filter_map(|(_, number)| self.bindings.get(number))
            .filter(|bound| bound.flow == *flow)
            .map(|bound| &bound.account);
        let first = accounts.next()?;
        accounts.all(|other| other == first).then_some(first)
    }

    /// How many contacts there are.
    pub fn len(&self) -> usize {
        self.bindings.len()
    }

    /// Whether no device is registered.
    pub fn is_empty(&self) -> bool {
        self.bindings.is_empty()
    }

    /// Where an account can be reached: the most preferred first, of equals the latest refreshed.
    pub fn targets(&self, now: Instant, account: &AccountId) -> Vec<Target> {
        let mut bound: Vec<&Bound> = self
            .bound_of(account)
            .map(|(_, bound)| bound)
            .filter(|bound| bound.expires_at > now)
            .collect();
        bound.reverse();
        bound.sort_by_key(|bound| std::cmp::Reverse(bound.binding.q_permille));
        bound
            .into_iter()
            .map(|bound| Target {
                uri: bound.binding.uri.clone(),
                path: bound.path.clone(),
                flow: bound.flow,
            })
            .collect()
    }

    /// Carries out a REGISTER of an account that authenticated, all of it or nothing (RFC 3261
    /// section 10.3). Returns the contacts for the 200.
    pub fn handle_register(
        &mut self,
        now: Instant,
        account: &AccountId,
        register: Register,
    ) -> Result<Vec<Current>, Refused> {
        self.handle_timeout(now);
        let own = self
            .accounts
            .get(account)
            .is_some_and(|account| account.user == register.user);
        if !own {
            return Err(Refused::NotYours);
        }
        let changes = match register.contacts {
            Contacts::All => self.removal_of_all(account, &register)?,
            Contacts::Some(ref bindings) => self.changes(account, &register, bindings)?,
        };
        for change in changes {
            match change {
                Change::Remove(number) => self.remove(number, Gone::Removed),
                Change::Put { binding, expires } => {
                    self.put(now, account, &register, binding, expires);
                }
            }
        }
        Ok(self.current(now, account))
    }

    /// A connection closed. A contact behind it that can only be reached by it is gone: one that
    /// registered by WebSocket (RFC 7118 section 5), or with a flow of its own (RFC 5626).
    pub fn handle_connection_closed(&mut self, connection: ConnectionId) {
        let numbers: Vec<u64> = self
            .by_connection
            .range((connection, 0)..=(connection, u64::MAX))
            .map(|(_, number)| *number)
            .collect();
        for number in numbers {
            self.by_connection.remove(&(connection, number));
            let Some(bound) = self.bindings.get_mut(&number) else {
                continue;
            };
            let web = matches!(
                bound.flow.transport,
                super::Transport::Ws | super::Transport::Wss
            );
            if web || bound.binding.reg_id.is_some() {
                self.remove(number, Gone::ConnectionClosed);
            } else {
                bound.flow.connection = None; // A new connection to the same place may do.
            }
        }
    }

    /// Lets contacts expire.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((deadline, number)) = self.by_deadline.first().copied() {
            if deadline > now {
                break;
            }
            self.remove(number, Gone::Expired);
        }
    }

    /// When the next contact expires.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.by_deadline.first().map(|(deadline, _)| *deadline)
    }

    /// The next event, in order. Take them until there is none.
    pub fn poll_output(&mut self) -> Option<Event> {
        self.outputs.pop_front()
    }

    /// RFC 3261 section 10.3 step 6.
    fn removal_of_all(
        &self,
        account: &AccountId,
        register: &Register,
    ) -> Result<Vec<Change<'static>>, Refused> {
        if register.expires_s != Some(0) {
            return Err(Refused::BadWildcard);
        }
        self.bound_of(account)
            .map(|(number, bound)| {
                bound.check_order(register)?;
                Ok(Change::Remove(number))
            })
            .collect()
    }

    /// RFC 3261 section 10.3 step 7, without changing anything yet.
    fn changes<'r>(
        &self,
        account: &AccountId,
        register: &Register,
        bindings: &'r [Binding],
    ) -> Result<Vec<Change<'r>>, Refused> {
        let limits = &self.limits;
        if bindings.len() > limits.contacts_per_account {
            return Err(Refused::TooManyContacts);
        }
        let mut added = 0;
        let mut changes = Vec::with_capacity(bindings.len());
        for binding in bindings {
            let old = self.bound_at(account, binding);
            if let Some((_, bound)) = old {
                bound.check_order(register)?;
            }
            match (self.granted(register, binding)?, old) {
                (None, Some((number, _))) => changes.push(Change::Remove(number)),
                (None, None) => {} // Removing what is not there is done already.
                (Some(expires), old) => {
                    added += usize::from(old.is_none());
                    changes.push(Change::Put { binding, expires });
                }
            }
        }
        if self.bindings.len() + added > limits.contacts {
            return Err(Refused::Full);
        }
        Ok(changes)
    }

    /// How long a contact gets; `None` is a removal.
    fn granted(&self, register: &Register, binding: &Binding) -> Result<Option<Duration>, Refused> {
        let limits = &self.limits;
        let Some(wanted_s) = binding.expires_s.or(register.expires_s) else {
            return Ok(Some(limits.expires_default));
        };
        if wanted_s == 0 {
            return Ok(None);
        }
        let wanted = Duration::from_secs(u64::from(wanted_s));
        if wanted < limits.expires_min {
            return Err(Refused::IntervalTooBrief {
                min: limits.expires_min,
            });
        }
        Ok(Some(wanted.min(limits.expires_max)))
    }

    fn put(
        &mut self,
        now: Instant,
        account: &AccountId,
        register: &Register,
        binding: &Binding,
        expires: Duration,
    ) {
        let old = self
            .bound_at(account, binding)
            .map(|(number, _)| number)
            .and_then(|number| self.unlink(number));
        let moved = old.as_ref().is_none_or(|old| old.flow != register.flow);
        if old.is_none() {
            self.make_room(account);
        }
        if moved {
            self.outputs.push_back(Event::Registered {
                account: account.clone(),
                contact: binding.uri.to_string(),
                flow: register.flow,
                user_agent: register.user_agent.clone(),
            });
        }
        self.link(Bound {
            account: account.clone(),
            binding: binding.clone(),
            call_id: register.call_id.clone(),
            cseq: register.cseq,
            flow: register.flow,
            path: register.path.clone(),
            expires_at: now + expires,
        });
    }

    /// A phone that restarts ten times in an hour leaves ten contacts that nobody answers. It is
    /// the account's own; the oldest gives way instead of locking the device out.
    fn make_room(&mut self, account: &AccountId) {
        let numbers = self.numbers_of(account);
        if numbers.len() >= self.limits.contacts_per_account
            && let Some(oldest) = numbers.first()
        {
            self.remove(*oldest, Gone::Replaced);
        }
    }

    fn current(&self, now: Instant, account: &AccountId) -> Vec<Current> {
        self.bound_of(account)
            .map(|(_, bound)| {
                let left = bound.expires_at.saturating_duration_since(now);
                Current {
                    uri: bound.binding.uri.clone(),
                    expires_s: left.as_secs() + u64::from(left.subsec_nanos() > 0),
                    q_permille: bound.binding.q_permille,
                }
            })
            .collect()
    }

    fn bound_of(&self, account: &AccountId) -> impl Iterator<Item = (u64, &Bound)> {
        self.by_account
            .range((account.clone(), 0)..=(account.clone(), u64::MAX))
            .filter_map(|(_, number)| Some((*number, self.bindings.get(number)?)))
    }

    fn bound_at(&self, account: &AccountId, binding: &Binding) -> Option<(u64, &Bound)> {
        self.bound_of(account)
            .find(|(_, bound)| bound.binding.is_same_place(binding))
    }

    fn numbers_of(&self, account: &AccountId) -> Vec<u64> {
        self.bound_of(account).map(|(number, _)| number).collect()
    }

    fn remove(&mut self, number: u64, why: Gone) {
        if let Some(bound) = self.unlink(number) {
            let reachable = self.bound_of(&bound.account).next().is_some();
            self.outputs.push_back(Event::Unregistered {
                reachable,
                contact: bound.binding.uri.to_string(),
                account: bound.account,
                why,
            });
        }
    }

    fn link(&mut self, bound: Bound) {
        self.number += 1;
        let number = self.number;
        self.by_account.insert((bound.account.clone(), number));
        self.by_deadline.insert((bound.expires_at, number));
        let address = bound.flow.remote.ip().to_canonical();
        self.by_address.insert((address, number));
        if let Some(connection) = bound.flow.connection {
            self.by_connection.insert((connection, number));
        }
        self.bindings.insert(number, bound);
    }

    fn unlink(&mut self, number: u64) -> Option<Bound> {
        let bound = self.bindings.remove(&number)?;
        self.by_account.remove(&(bound.account.clone(), number));
        self.by_deadline.remove(&(bound.expires_at, number));
        let address = bound.flow.remote.ip().to_canonical();
        self.by_address.remove(&(address, number));
        if let Some(connection) = bound.flow.connection {
            self.by_connection.remove(&(connection, number));
        }
        Some(bound)
    }
}

impl Bound {
    fn check_order(&self, register: &Register) -> Result<(), Refused> {
        if self.call_id == register.call_id && register.cseq <= self.cseq {
            return Err(Refused::OutOfOrder);
        }
        Ok(())
    }
}

/// The preference of a contact that names none.
const Q_DEFAULT: u16 = 1000;

#[cfg(test)]
mod tests;

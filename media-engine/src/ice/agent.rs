//! The lite side of ICE (RFC 8445 section 2.5) for all legs behind one UDP port.
//!
//! ```text
//!  datagram ─▶ STUN? ─ ufrag ─▶ leg ─ signed with its password? ─▶ answer, and its address is known
//!                │                                                  └ nominated? ─▶ Selected
//!                no ─▶ an address that a check has proved? ─▶ that leg's media · else nobody's
//! ```
//!
//! We sit at a public address, so the browser does all the work: it checks, we answer, it nominates,
//! and checks again every few seconds for as long as it agrees to hear us (RFC 7675). Whoever cannot
//! sign with the password that our description carries is neither answered nor heard: a stranger
//! learns nothing, not even that somebody listens, and is sent nothing that it could point at others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand::{CryptoRng, Rng};

use super::stun::{self, BINDING, Class, Message, Role, Writer};
use crate::leg::LegId;

/// The name and the password of one side of one leg (RFC 8445 section 5.3).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `a=ice-ufrag`
    pub ufrag: String,
    /// `a=ice-pwd`
    pub password: String,
}

impl Credentials {
    /// Draws both: 48 bits of a name, which must differ among all legs of a port, and 144 of a password.
    pub fn draw(random: &mut (impl Rng + CryptoRng)) -> Self {
        let mut word = |length: usize| -> String {
            let character = |_| char::from(CHARACTERS[random.random_range(0..CHARACTERS.len())]);
            (0..length).map(character).collect()
        };
        Self {
            ufrag: word(UFRAG),
            password: word(PASSWORD),
        }
    }
}

impl fmt::Debug for Credentials {
    /// Names the name and keeps the password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Credentials({})", self.ufrag)
    }
}

/// Whose a datagram is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belongs {
    /// Media or DTLS of this leg.
    To(LegId),
    /// A check: it has been dealt with.
    Check,
    /// Nobody's: drop it.
    Nobody,
}

/// What the agent wants, or tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this.
    Transmit {
        /// Where to.
        to: SocketAddr,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Send this leg's media here from now on.
    Selected {
        /// Whose.
        leg: LegId,
        /// Where the browser wants it.
        address: SocketAddr,
    },
    /// The browser has not said for [`CONSENT`] that it wants to hear us: send this leg nothing, until
    /// it is [`Output::Selected`] again.
    ConsentLost {
        /// Whose.
        leg: LegId,
    },
}

/// What came and was not dealt with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Not STUN, from an address that no check has proved.
    pub foreign: u64,
    /// STUN that breaks the rules.
    pub malformed: u64,
    /// Checks for no leg of ours, or not signed with its password.
    pub unsigned: u64,
    /// Checks from an address that belongs to another leg.
    pub taken: u64,
}

/// Answers the checks of all legs behind one port.
#[derive(Debug, Default)]
pub struct Agent {
    legs: BTreeMap<LegId, Session>,
    names: BTreeMap<String, LegId>,
    addresses: BTreeMap<SocketAddr, LegId>,
    /// When consents may run out: one for each leg that has one, at its end or before.
    deadlines: BTreeSet<(Instant, LegId)>,
    outputs: VecDeque<Output>,
    counters: Counters,
}

#[derive(Debug)]
struct Session {
    ours: Credentials,
    /// The other side's name, once its description is known.
    theirs: Option<String>,
    /// Addresses that a check has proved, the oldest first.
    proved: Vec<SocketAddr>,
    state: State,
    /// Its place among the deadlines.
    deadline: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing has been nominated, or nobody wants to hear us any more.
    Waiting,
    /// This address has been nominated; until then its consent is good.
    Selected { address: SocketAddr, until: Instant },
}

impl Agent {
    /// Opens a leg. `theirs` is the other side's ufrag, if its description is known already. False if
    /// the name or the leg is taken: draw again.
    pub fn open(&mut self, leg: LegId, ours: Credentials, theirs: Option<String>) -> bool {
        if self.legs.contains_key(&leg) || self.names.contains_key(&ours.ufrag) {
            return false;
        }
        self.names.insert(ours.ufrag.clone(), leg);
        let session = Session {
            ours,
            theirs,
            proved: Vec::with_capacity(ADDRESSES_MAX),
            state: State::Waiting,
            deadline: None,
        };
        self.legs.insert(leg, session);
        true
    }

    /// The descriptions are known: only checks that bear both names count from now on. Where ours is
    /// another one than before, the other side begins ICE anew (RFC 8445 section 9); media go on between
    /// the addresses that were proved until it chooses others. False if the name is another leg's.
    pub fn pair(&mut self, leg: LegId, ours: &Credentials, theirs: &str) -> bool {
        let Some(session) = self.legs.get_mut(&leg) else {
            return false;
        };
        if session.ours != *ours {
            if self.names.contains_key(&ours.ufrag) {
                return false;
            }
            self.names.remove(&session.ours.ufrag);
            self.names.insert(ours.ufrag.clone(), leg);
            session.ours = ours.clone();
        }
        session.theirs = Some(theirs.to_owned());
        true
    }

    /// Closes a leg: its name and its addresses are nobody's.
    pub fn close(&mut self, leg: LegId) {
        let Some(session) = self.legs.remove(&leg) else {
            return;
        };
        self.names.remove(&session.ours.ufrag);
        for address in session.proved {
            self.addresses.remove(&address);
        }
        if let Some(deadline) = session.deadline {
            self.deadlines.remove(&(deadline, leg));
        }
    }

    /// Takes a datagram from the port.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) -> Belongs {
        if stun::is_stun(datagram) {
            self.handle_check(now, from, datagram);
            return Belongs::Check;
        }
        match self.addresses.get(&from) {
            Some(leg) => Belongs::To(*leg),
            None => {
                self.counters.foreign += 1;
                Belongs::Nobody
            }
        }
    }

    /// Tells the time at [`Agent::poll_timeout`]. Firing early is harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(due, leg)) = self.deadlines.first()
            && due <= now
        {
            self.deadlines.pop_first();
            let Some(session) = self.legs.get_mut(&leg) else {
                continue;
            };
            session.deadline = None;
            match session.state {
                // It was given again since.
                State::Selected { until, .. } if until > now => {
                    session.deadline = Some(until);
                    self.deadlines.insert((until, leg));
                }
                State::Selected { .. } => {
                    session.state = State::Waiting;
                    for address in session.proved.drain(..) {
                        self.addresses.remove(&address);
                    }
                    self.outputs.push_back(Output::ConsentLost { leg });
                }
                State::Waiting => {}
            }
        }
    }

    /// When a consent may run out.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|(due, _)| *due)
    }

    /// The next thing to be done, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Where this leg's media go.
    #[must_use]
    pub fn selected(&self, leg: LegId) -> Option<SocketAddr> {
        match self.legs.get(&leg)?.state {
            State::Waiting => None,
            State::Selected { address, .. } => Some(address),
        }
    }

    /// What came and was not dealt with.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn handle_check(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        // RFC 8445 section 7.1: checks have a fingerprint.
        let read = Message::read(datagram).ok();
        let Some(check) = read.filter(|message| message.has_fingerprint) else {
            self.counters.malformed += 1;
            return;
        };
        // We ask nothing, so nothing is answered to us; and indications keep NATs awake, no more.
        if (check.class, check.method) != (Class::Request, BINDING) {
            return;
        }
        let Some(leg) = self.signer(&check) else {
            self.counters.unsigned += 1;
            return;
        };
        if self.addresses.get(&from).is_some_and(|owner| *owner != leg) {
            self.counters.taken += 1;
            return;
        }
        let answer = match refusal(&check) {
            Some(refusal) => refusal,
            None => {
                self.believe(now, leg, from, check.is_nominated);
                Writer::new(Class::Success, check.transaction).mapped(from)
            }
        };
        if let Some(session) = self.legs.get(&leg) {
            let bytes = answer.finish(session.ours.password.as_bytes());
            self.outputs.push_back(Output::Transmit { to: from, bytes });
        }
    }

    /// The leg whose name a check bears and whose password it is signed with.
    fn signer(&self, check: &Message<'_>) -> Option<LegId> {
        let name = std::str::from_utf8(check.username?).ok()?;
        let (ours, theirs) = name.split_once(':')?;
        let leg = *self.names.get(ours)?;
        let session = self.legs.get(&leg)?;
        let is_theirs = session.theirs.as_ref().is_none_or(|known| known == theirs);
        let signed = check.is_signed_with(session.ours.password.as_bytes());
        (is_theirs && signed).then_some(leg)
    }

    /// The address has proved itself.
    fn believe(&mut self, now: Instant, leg: LegId, from: SocketAddr, is_nominated: bool) {
        let Some(session) = self.legs.get_mut(&leg) else {
            return;
        };
        let selected = match session.state {
            State::Waiting => None,
            State::Selected { address, .. } => Some(address),
        };
        if !session.proved.contains(&from) {
            if session.proved.len() == ADDRESSES_MAX {
                let oldest = session.proved.iter().position(|one| Some(*one) != selected);
                let oldest = session.proved.remove(oldest.unwrap_or(0));
                self.addresses.remove(&oldest);
            }
            session.proved.push(from);
            self.addresses.insert(from, leg);
        }
        if is_nominated || selected == Some(from) {
            let until = now + CONSENT;
            session.state = State::Selected {
                address: from,
                until,
            };
            if session.deadline.is_none() {
                session.deadline = Some(until);
                self.deadlines.insert((until, leg));
            }
        }
        if is_nominated && selected != Some(from) {
            self.outputs
                .push_back(Output::Selected { leg, address: from });
        }
    }
}

/// Feeds arbitrary bytes to an agent with one leg. For fuzzing: it must return, and answer nobody who
/// cannot know the password.
pub fn fuzz(now: Instant, datagram: &[u8]) {
    let ours = Credentials {
        ufrag: "name".to_owned(),
        password: "a password that nobody has".to_owned(),
    };
    let mut agent = Agent::default();
    agent.open(LegId(1), ours, None);
    let from = SocketAddr::from(([192, 0, 2, 1], 4_000));
    let belongs = agent.handle_datagram(now, from, datagram);
    assert_ne!(belongs, Belongs::To(LegId(1)), "heard without a check");
    assert_eq!(agent.poll_output(), None, "answered without a password");
}

/// What is wrong with a check that is signed as it should be.
fn refusal(check: &Message<'_>) -> Option<Writer> {
    let refuse = |code, reason| Writer::new(Class::Error, check.transaction).error(code, reason);
    if !check.unknown().is_empty() {
        let refusal = refuse(420, "Unknown Attribute").unknown(check.unknown());
        return Some(refusal);
    }
    match check.role {
        // A lite agent never decides (RFC 8445 section 6.1.1), so the other side has to.
        Some(Role::Controlled(_)) => Some(refuse(487, "Role Conflict")),
        // Checks that only renew consent may leave it out (RFC 7675 section 5.1).
        Some(Role::Controlling(_)) | None => None,
    }
}

/// Without a check of the selected pair for so long, the other side wants to hear nothing more (RFC
/// 7675 section 5.1). Browsers check every 2.5 seconds.
pub const CONSENT: Duration = Duration::from_secs(30);

/// Addresses of one browser that are remembered: its networks, each as its NATs show it.
pub const ADDRESSES_MAX: usize = 8;

/// Characters of names and passwords (RFC 8445 section 5.3: `ice-char`), 64 of them.
const CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Characters of a name: at least 4.
const UFRAG: usize = 8;

/// Characters of a password: at least 22.
const PASSWORD: usize = 24;

#[cfg(test)]
mod tests;

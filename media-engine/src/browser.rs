//! All browser legs behind one UDP port: whose a datagram is, and what each leg must know to begin.
//!
//! ```text
//!  datagram ─┬▶ STUN (0–3) ─▶ ice::Agent ─▶ answer · Selected · ConsentLost
//!            ├▶ DTLS (20–63), from an address that a check has proved ─▶ dtls::Association ─▶ Secured
//!            └▶ RTP, RTCP (128–191), from such an address ─▶ that leg
//! ```
//!
//! The order is what keeps strangers out (RFC 7983, RFC 8827): an address counts once a check from it
//! was signed with the password that only our session description has, so nobody else's ClientHello is
//! ever looked at; and a handshake counts once the certificate is the one that the other session
//! description announced. What belongs to nobody is counted and dropped.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::dtls::{self, Association, Failure, Identity, Role};
use crate::ice::agent::{self, Agent, Belongs, Counters, Credentials};
use crate::leg::LegId;
use crate::rtp::srtp::Keys;
use crate::sdp::browser::Pairing;

/// What the port wants, or tells.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this.
    Transmit {
        /// Where to.
        to: SocketAddr,
        /// The datagram.
        bytes: Vec<u8>,
    },
    /// This leg's media go here and come from here; with `None` the browser has not said for
    /// [`agent::CONSENT`] that it wants any.
    Selected {
        /// Whose.
        leg: LegId,
        /// Where the browser is.
        address: Option<SocketAddr>,
    },
    /// The browser has proved itself: these are the keys of its media.
    Secured {
        /// Whose.
        leg: LegId,
        /// Of both directions.
        keys: Box<Keys>,
    },
    /// There will be no media.
    Failed {
        /// Whose.
        leg: LegId,
        /// Why.
        failure: Failure,
    },
}

/// The port.
#[derive(Debug)]
pub struct Port {
    identity: Identity,
    agent: Agent,
    legs: BTreeMap<LegId, Leg>,
    /// When a handshake has something to repeat: one entry for each leg that has one.
    deadlines: BTreeSet<(Instant, LegId)>,
    outputs: VecDeque<Output>,
}

/// One leg, as far as it has come.
#[derive(Debug)]
enum Leg {
    /// Our description is out; theirs is not here yet.
    Announced,
    /// Both descriptions are known.
    Paired(Box<Paired>),
}

#[derive(Debug)]
struct Paired {
    pairing: Pairing,
    handshake: Handshake,
    /// Where the handshake goes: to where it came from last.
    heard: Option<SocketAddr>,
    deadline: Option<Instant>,
}

/// Whether somebody has begun.
enum Handshake {
    /// We begin, and do not know where to yet.
    Due,
    /// It runs, or has run.
    With(Box<Association>),
}

impl std::fmt::Debug for Handshake {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Due => "Due",
            Self::With(_) => "With(…)",
        })
    }
}

impl Port {
    /// A port without legs. All of them show this certificate.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            agent: Agent::default(),
            legs: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Opens a leg whose description is on its way. False if the name or the leg is taken.
    pub fn open(&mut self, leg: LegId, ours: Credentials) -> bool {
        let is_new = self.agent.open(leg, ours, None);
        if is_new {
            self.legs.insert(leg, Leg::Announced);
        }
        is_new
    }

    /// The other description is here, for the first time or changed. What was shaken hands on stays
    /// unless it shows another certificate or changes the roles (RFC 8842 section 4).
    pub fn pair(&mut self, now: Instant, leg: LegId, pairing: &Pairing) {
        if !self.agent.pair(leg, &pairing.ours, &pairing.theirs.ufrag) {
            return;
        }
        let Some(known) = self.legs.get_mut(&leg) else {
            return;
        };
        if let Leg::Paired(paired) = known {
            let before = std::mem::replace(&mut paired.pairing, pairing.clone());
            let same = (before.role, before.fingerprint) == (pairing.role, pairing.fingerprint);
            if same {
                return;
            }
            paired.handshake = Handshake::Due;
        } else {
            *known = Leg::Paired(Box::new(Paired {
                pairing: pairing.clone(),
                handshake: Handshake::Due,
                heard: None,
                deadline: None,
            }));
            let address = self.agent.selected(leg);
            if address.is_some() {
                self.outputs.push_back(Output::Selected { leg, address });
            }
        }
        self.begin(now, leg);
    }

    /// Closes a leg: nothing that comes is its any more.
    pub fn close(&mut self, leg: LegId) {
        self.agent.close(leg);
        if let Some(Leg::Paired(paired)) = self.legs.remove(&leg)
            && let Some(deadline) = paired.deadline
        {
            self.deadlines.remove(&(deadline, leg));
        }
    }

    /// Takes a datagram. What comes back is the leg whose RTP or RTCP it is.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        from: SocketAddr,
        datagram: &[u8],
    ) -> Option<LegId> {
        let belongs = self.agent.handle_datagram(now, from, datagram);
        match belongs {
            Belongs::To(leg) if dtls::is_dtls(datagram) => {
                self.shake(now, leg, from, datagram);
                None
            }
            Belongs::To(leg) => Some(leg),
            Belongs::Check => {
                self.take_checks(now);
                None
            }
            Belongs::Nobody => None,
        }
    }

    /// Tells the time at [`Port::poll_timeout`]. Firing early is harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
        self.take_checks(now);
        while let Some(&(due, leg)) = self.deadlines.first()
            && due <= now
        {
            self.deadlines.pop_first();
            if let Some(Leg::Paired(paired)) = self.legs.get_mut(&leg) {
                paired.deadline = None;
                if let Handshake::With(association) = &mut paired.handshake {
                    association.handle_timeout(now);
                }
            }
            self.settle(now, leg);
        }
    }

    /// When something is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let handshake = self.deadlines.first().map(|(due, _)| *due);
        [handshake, self.agent.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The next thing to be done, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What came and was not dealt with.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.agent.counters()
    }

    /// How many legs are open.
    #[must_use]
    pub fn legs(&self) -> usize {
        self.legs.len()
    }

    /// Passes on what the checks have brought.
    fn take_checks(&mut self, now: Instant) {
        while let Some(output) = self.agent.poll_output() {
            let (leg, address) = match output {
                agent::Output::Transmit { to, bytes } => {
                    self.outputs.push_back(Output::Transmit { to, bytes });
                    continue;
                }
                agent::Output::Selected { leg, address } => (leg, Some(address)),
                agent::Output::ConsentLost { leg } => (leg, None),
            };
            // Before both descriptions are known nobody has a use for it; then it is told.
            if let Some(Leg::Paired(_)) = self.legs.get(&leg) {
                self.outputs.push_back(Output::Selected { leg, address });
                self.begin(now, leg);
            }
        }
    }

    /// Begins the handshake when it is due: as the one who waits at once, as the one who speaks first
    /// when there is somebody to speak to.
    fn begin(&mut self, now: Instant, leg: LegId) {
        let address = self.agent.selected(leg);
        let Some(Leg::Paired(paired)) = self.legs.get_mut(&leg) else {
            return;
        };
        paired.heard = address.or(paired.heard);
        let Pairing {
            role, fingerprint, ..
        } = paired.pairing;
        match (&paired.handshake, role) {
            (Handshake::With(_), _) => return,
            (Handshake::Due, Role::Client) if address.is_none() => return,
            (Handshake::Due, Role::Client | Role::Server) => {}
        }
        let association = Association::new(now, &self.identity, role, fingerprint);
        paired.handshake = Handshake::With(Box::new(association));
        self.settle(now, leg);
    }

    /// A record from an address that a check has proved. What comes before the other description is
    /// here is dropped: nobody could tell whose certificate it is, and browsers repeat it soon.
    fn shake(&mut self, now: Instant, leg: LegId, from: SocketAddr, datagram: &[u8]) {
        if let Some(Leg::Paired(paired)) = self.legs.get_mut(&leg)
            && let Handshake::With(association) = &mut paired.handshake
        {
            paired.heard = Some(from);
            association.handle_datagram(now, datagram);
        }
        self.settle(now, leg);
    }

    /// Passes on what a handshake has brought.
    fn settle(&mut self, now: Instant, leg: LegId) {
        let Some(Leg::Paired(paired)) = self.legs.get_mut(&leg) else {
            return;
        };
        let Handshake::With(association) = &mut paired.handshake else {
            return;
        };
        while let Some(output) = association.poll_output() {
            match output {
                dtls::Output::Transmit(bytes) => {
                    // Nobody to send it to: it is repeated.
                    if let Some(to) = paired.heard {
                        self.outputs.push_back(Output::Transmit { to, bytes });
                    }
                }
                dtls::Output::Secured(keys) => {
                    let keys = Box::new(keys);
                    self.outputs.push_back(Output::Secured { leg, keys });
                }
                dtls::Output::Failed(failure) => {
                    self.outputs.push_back(Output::Failed { leg, failure });
                }
                // The end of the call says the rest.
                dtls::Output::Closed => {}
            }
        }
        // Whatever a handshake thinks, time passes between two of its turns.
        let due = association.poll_timeout();
        let due = due.map(|due| due.max(now + TURN));
        if paired.deadline != due {
            if let Some(before) = paired.deadline {
                self.deadlines.remove(&(before, leg));
            }
            self.deadlines.extend(due.map(|due| (due, leg)));
            paired.deadline = due;
        }
    }
}

/// Feeds arbitrary bytes to a port with one leg that is paired. For fuzzing: it must return, and tell
/// nobody anything who has no password.
pub fn fuzz(now: Instant, identity: &Identity, datagram: &[u8]) {
    let credentials = |name: &str| Credentials {
        ufrag: name.to_owned(),
        password: "a password that nobody has".to_owned(),
    };
    let mut port = Port::new(identity.clone());
    port.open(LegId(1), credentials("ours"));
    let pairing = Pairing {
        ours: credentials("ours"),
        theirs: credentials("theirs"),
        role: Role::Server,
        fingerprint: identity.fingerprint(),
    };
    port.pair(now, LegId(1), &pairing);
    let from = SocketAddr::from(([192, 0, 2, 1], 4_000));
    let leg = port.handle_datagram(now, from, datagram);
    assert_eq!(leg, None, "heard without a check");
    assert_eq!(port.poll_output(), None, "answered without a password");
}

/// The least time between two turns of one handshake.
const TURN: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests;

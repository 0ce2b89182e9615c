//! Who ended a call, and why: told as it was, whoever it was.

use desk::record::EndedBy;
use media_engine::sip::call::{End, Party, Reason};
use serde_json::{Map, Value, json};

/// Who ended a call, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) by: EndedBy,
    /// Why, in one word.
    pub(super) cause: &'static str,
    /// The SIP status of the end, or of a Reason header that names one.
    pub(super) sip_status: Option<u16>,
    /// What the other side gave as its reason.
    reason: Option<Reason>,
}

impl Ending {
    /// We ended it ourselves.
    pub(super) fn ours(cause: &'static str) -> Self {
        Self::by(EndedBy::Ramal, cause)
    }

    /// Somebody ended it of whom no SIP message tells.
    pub(super) fn by(by: EndedBy, cause: &'static str) -> Self {
        Self {
            by,
            cause,
            sip_status: None,
            reason: None,
        }
    }

    /// The call of a caller is over. `ours` is why we wanted that, if we did: it counts only where
    /// nobody else was faster.
    pub(super) fn of_caller(end: End, ours: Option<Self>) -> Self {
        let status = end.status;
        if let (Party::Us, Some(ours)) = (end.by, &ours) {
            let named = ours.clone();
            let told = Self::with(end, named.by, named.cause);
            return Self {
                sip_status: told.sip_status.or(named.sip_status),
                reason: told.reason.or(named.reason),
                ..told
            };
        }
        let (by, cause) = match end.by {
            Party::Us => (EndedBy::Ramal, "hung_up"),
            Party::Peer if is_error(end.reason.as_ref()) => (EndedBy::Network, "peer_error"),
            Party::Peer if status == Some(487) => (EndedBy::Customer, "cancelled"),
            Party::Peer => (EndedBy::Customer, "hung_up"),
            // The INVITE's own time was up (RFC 3261 section 13.3.1).
            Party::Network if status == Some(487) => (EndedBy::Network, "expired"),
            Party::Network => (EndedBy::Network, "connection_lost"),
        };
        Self::with(end, by, cause)
    }

    /// A call that we placed is over.
    pub(super) fn of_dialled(end: End) -> Self {
        let (by, cause) = match (end.by, end.status) {
            (Party::Peer, None) if is_error(end.reason.as_ref()) => {
                (EndedBy::Network, "peer_error")
            }
            (Party::Peer, None) => (EndedBy::Agent, "hung_up"),
            (Party::Peer, Some(486 | 600)) => (EndedBy::Agent, "busy"),
            (Party::Peer, Some(603)) => (EndedBy::Agent, "declined"),
            (Party::Peer, Some(408 | 480 | 487)) => (EndedBy::Agent, "no_answer"),
            (Party::Peer, Some(_)) => (EndedBy::Agent, "refused"),
            (Party::Us, None) => (EndedBy::Ramal, "hung_up"),
            (Party::Us, Some(_)) => (EndedBy::Ramal, "not_reachable"),
            (Party::Network, _) => (EndedBy::Network, "connection_lost"),
        };
        Self::with(end, by, cause)
    }

    /// The call of a phone that dialled is over.
    pub(super) fn of_caller_of_ours(end: End) -> Self {
        let ending = Self::of_caller(end, None);
        match ending.by {
            EndedBy::Customer => Self {
                by: EndedBy::Agent,
                ..ending
            },
            EndedBy::Agent | EndedBy::Ramal | EndedBy::Network | EndedBy::Restart => ending,
        }
    }

    /// How a call ends whose customer was not reached.
    pub(super) fn told_of_the_call(self) -> Self {
        match self.by {
            EndedBy::Agent => Self {
                by: EndedBy::Customer,
                ..self
            },
            EndedBy::Customer | EndedBy::Ramal | EndedBy::Network | EndedBy::Restart => self,
        }
    }

    fn with(end: End, by: EndedBy, cause: &'static str) -> Self {
        let named = end.reason.as_ref().filter(|reason| is_sip(reason));
        Self {
            by,
            cause,
            sip_status: end.status.or(named.and_then(|reason| reason.cause)),
            reason: end.reason,
        }
    }

    /// Writes it down.
    pub(super) fn describe(&self, detail: &mut Map<String, Value>) {
        detail.insert("by".into(), self.by.as_str().into());
        detail.insert("cause".into(), self.cause.into());
        if let Some(status) = self.sip_status {
            detail.insert("sip_status".into(), status.into());
        }
        if let Some(reason) = &self.reason {
            let Reason {
                protocol,
                cause,
                text,
            } = reason;
            let reason = json!({ "protocol": protocol, "cause": cause, "text": text });
            detail.insert("reason".into(), reason);
        }
    }
}

fn is_sip(reason: &Reason) -> bool {
    reason.protocol.eq_ignore_ascii_case("SIP")
}

/// Whether a BYE says that something failed, and not that somebody hung up.
fn is_error(reason: Option<&Reason>) -> bool {
    let Some(reason) = reason else {
        return false;
    };
    match reason.cause {
        Some(408 | 481 | 500..600) if is_sip(reason) => true,
        // Classes 2 to 7 of ITU-T Q.850: no circuit, no resource, not implemented, protocol error.
        Some(34..=127) if reason.protocol.eq_ignore_ascii_case("Q.850") => true,
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(by: Party, status: Option<u16>, reason: Option<(&str, u16)>) -> End {
        let reason = reason.map(|(protocol, cause)| Reason {
            protocol: protocol.to_owned(),
            cause: Some(cause),
            text: None,
        });
        End { by, status, reason }
    }

    #[test]
    fn a_caller_ends_a_call_unless_somebody_else_was_faster() {
        let limit = || Some(Ending::ours("time_limit"));
        for (by, status, reason, ours, expected) in [
            (
                Party::Peer,
                None,
                None,
                None,
                (EndedBy::Customer, "hung_up", None),
            ),
            (
                Party::Peer,
                None,
                None,
                limit(),
                (EndedBy::Customer, "hung_up", None),
            ),
            (
                Party::Peer,
                Some(487),
                None,
                limit(),
                (EndedBy::Customer, "cancelled", Some(487)),
            ),
            (
                Party::Us,
                None,
                None,
                limit(),
                (EndedBy::Ramal, "time_limit", None),
            ),
            (
                Party::Network,
                Some(408),
                None,
                None,
                (EndedBy::Network, "connection_lost", Some(408)),
            ),
            (
                Party::Network,
                Some(487),
                None,
                None,
                (EndedBy::Network, "expired", Some(487)),
            ),
            (
                Party::Peer,
                None,
                Some(("Q.850", 16)),
                None,
                (EndedBy::Customer, "hung_up", None),
            ),
            (
                Party::Peer,
                None,
                Some(("Q.850", 41)),
                None,
                (EndedBy::Network, "peer_error", None),
            ),
            (
                Party::Peer,
                None,
                Some(("SIP", 503)),
                None,
                (EndedBy::Network, "peer_error", Some(503)),
            ),
            (
                Party::Peer,
                None,
                Some(("sip", 200)),
                None,
                (EndedBy::Customer, "hung_up", Some(200)),
            ),
        ] {
            let ending = Ending::of_caller(end(by, status, reason), ours);
            let told = (ending.by, ending.cause, ending.sip_status);
            assert_eq!(told, expected, "{by:?} {status:?} {reason:?}");
        }
    }

    #[test]
    fn a_dialled_party_is_busy_declines_or_hangs_up() {
        for (by, status, expected) in [
            (Party::Peer, None, (EndedBy::Agent, "hung_up")),
            (Party::Peer, Some(486), (EndedBy::Agent, "busy")),
            (Party::Peer, Some(603), (EndedBy::Agent, "declined")),
            (Party::Peer, Some(480), (EndedBy::Agent, "no_answer")),
            (Party::Peer, Some(404), (EndedBy::Agent, "refused")),
            (Party::Us, Some(480), (EndedBy::Ramal, "not_reachable")),
            (
                Party::Network,
                Some(408),
                (EndedBy::Network, "connection_lost"),
            ),
        ] {
            let ending = Ending::of_dialled(end(by, status, None));
            assert_eq!((ending.by, ending.cause), expected, "{by:?} {status:?}");
        }
    }
}

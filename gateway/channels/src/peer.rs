//! Who a customer is to a channel.

pub use desk::identity::IdentityKind;
use serde::{Deserialize, Serialize};

/// An id of a customer as a channel wrote it, unchecked: the shell makes an identity of it, which may
/// need the company's key (of a CPF only a keyed hash is kept) and its place (for a telephone).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PeerId {
    /// What kind of id it is.
    pub kind: IdentityKind,
    /// The page, account, portfolio, site or channel within which it says who somebody is. Empty
    /// where it says so everywhere.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The id.
    pub value: String,
}

impl PeerId {
    /// An id that says everywhere who somebody is.
    pub fn new(kind: IdentityKind, value: impl Into<String>) -> Self {
        Self::scoped(kind, "", value)
    }

    /// An id that says who somebody is within `scope`.
    pub fn scoped(kind: IdentityKind, scope: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            kind,
            scope: scope.into(),
            value: value.into(),
        }
    }
}

/// A customer as one event tells of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// The ids, the one that stays theirs for longest first. None where the channel hid them all.
    pub ids: Vec<PeerId>,
    /// What they call themselves. Text of a stranger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Peer {
    /// Their id of a kind.
    pub fn id(&self, kind: IdentityKind) -> Option<&PeerId> {
        self.ids.iter().find(|id| id.kind == kind)
    }
}

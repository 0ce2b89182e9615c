//! Work: an interaction as the queue sees it.
//!
//! The desk knows neither calls nor chats. A medium matters to it as a cost of attention
//! ([`crate::rules::Costs`]) and in what it may interrupt; all else is the same for all of them.

use serde::{Deserialize, Serialize};

use crate::contact::OwnerFallback;
use crate::id::{ContactId, InteractionId, ServiceId, SkillId, UserId, WorkId};
pub use crate::record::Medium;

/// One piece of work, as it is handed to the desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Its id, made by whoever hands it over.
    pub id: WorkId,
    /// The interaction it stands for. A consultation is a second work of the same one.
    pub interaction: InteractionId,
    /// How the two sides talk.
    pub medium: Medium,
    /// Where it waits. Overflow and transfer change it.
    pub service: ServiceId,
    /// Who the customer is, where that is known.
    pub contact: Option<ContactId>,
    /// Where the customer can be called, where that is known: work on the phone that comes back at a
    /// date comes back as a callback there.
    #[serde(default)]
    pub number: Option<String>,
    /// When the customer came, in milliseconds since 1970 (UTC). It decides the place in the
    /// line and is kept through transfers, refusals and callbacks.
    pub arrived_ms: i64,
    /// How urgent it is beside others of the same age.
    pub priority: Priority,
    /// What an agent must be able to do.
    pub skills: Vec<SkillWanted>,
    /// Who should have it if that is soon possible.
    pub preferred: Option<Preferred>,
}

/// A customer, as far as they are known when they come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Who they are.
    pub contact: ContactId,
    /// What they are called.
    pub name: String,
    /// Points of priority for who they are.
    pub priority: i16,
    /// The agent whose customer they are.
    pub owner: Option<UserId>,
    /// Who serves them while that one cannot.
    pub owner_fallback: OwnerFallback,
    /// Who had them last.
    pub last_agent: Option<UserId>,
    /// Whether what comes from them is refused.
    pub blocked_in: bool,
    /// Whether they are not to be called.
    pub blocked_out: bool,
}

/// Points of priority. Each is worth as much as having come
/// [`Rules::point_ms`](crate::rules::Rules::point_ms) earlier; the points of the service are
/// added. Negative points make less urgent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Priority {
    /// For who the customer is.
    pub contact: i16,
    /// For the number or address that the customer chose.
    pub number: i16,
}

/// A skill that an agent must have to be offered the work.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SkillWanted {
    /// Which.
    pub skill: SkillId,
    /// The least level; 0 asks for nothing.
    pub level: u8,
    /// Whether it never relaxes, however long the wait: a language, a licence.
    pub fixed: bool,
}

/// The agent who should have the work: the last one, or the contact's owner.
///
/// The preferred agent needs neither the service nor the skills: they know the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferred {
    /// Who.
    pub agent: UserId,
    /// How long the work waits for them before the whole service may have it, in milliseconds.
    pub wait_ms: i64,
    /// Whether it waits even while they are offline or paused. Otherwise it goes to the service
    /// at once then.
    pub even_away: bool,
}

//! A message, whoever wrote it, and how far it came.

use serde::Serialize;

use super::content::Content;
use super::problem::Problem;
use crate::provider::Provider;

/// A message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    /// Its number in the simulator: they count up.
    pub id: u64,
    /// Who carries it.
    pub provider: Provider,
    /// The customer it is to or from.
    pub customer: String,
    /// Who wrote it.
    pub author: Author,
    /// When: milliseconds since 1970, by the simulated clock.
    pub at_ms: i64,
    /// WhatsApp's id of it.
    pub wamid: String,
    /// The provider's id of it; the same where the provider has none of its own.
    pub own_id: String,
    /// What is in it.
    pub content: Content,
    /// The message to which it answers.
    pub reply_to: Option<u64>,
    /// What the company called it.
    pub correlation: Option<String>,
    /// How far it came.
    pub progress: Progress,
    /// Each step on the way, with its time.
    pub steps: Vec<(Progress, i64)>,
    /// Why it did not arrive.
    pub problem: Option<Problem>,
    /// Whether the customer forwarded it.
    pub forwarded: bool,
    /// Whether the customer came by an advertisement.
    pub from_ad: bool,
    /// What it said before it was edited, the oldest first.
    pub before: Vec<String>,
    /// Whether it was taken back.
    pub revoked: bool,
    /// What both sides think of it.
    pub reactions: Reactions,
    /// Which of its answers the customer chose.
    pub pressed: Option<String>,
    /// Whether something of it was never told to the company, because the provider has no words for it or
    /// knows no webhook.
    pub untold: bool,
    /// Where the company wants to hear how far it came (Twilio).
    #[serde(skip)]
    pub(crate) status_url: Option<String>,
    /// Whether it may be sent for nothing.
    #[serde(skip)]
    pub(crate) billable: bool,
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The customer.
    Customer,
    /// The company, through the provider's API.
    Company,
    /// The company, on the telephone that has the number (Meta's coexistence).
    Phone,
}

/// How far a message came.
///
/// Of a customer's message: [`Progress::Sent`] until the company's webhook has taken it, then
/// [`Progress::Delivered`], and [`Progress::Read`] once the company says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// The provider has it.
    Accepted,
    /// It is under way.
    Sent,
    /// It did not arrive.
    Failed,
    /// It is on the telephone.
    Delivered,
    /// The customer saw it.
    Read,
    /// The customer heard it.
    Played,
}

impl Progress {
    /// Its word at Meta's; none where nobody is told.
    pub(crate) fn word(self) -> Option<&'static str> {
        match self {
            Self::Accepted => None,
            Self::Sent => Some("sent"),
            Self::Failed => Some("failed"),
            Self::Delivered => Some("delivered"),
            Self::Read => Some("read"),
            Self::Played => Some("played"),
        }
    }
}

/// What both sides think of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reactions {
    /// The customer.
    pub customer: Option<String>,
    /// The company.
    pub company: Option<String>,
}

impl Message {
    /// Whether an id of WhatsApp's or the provider's is its own.
    pub fn has_wire_id(&self, id: &str) -> bool {
        self.wamid == id || self.own_id == id
    }

    /// Whether it came from the company's side.
    pub fn is_ours(&self) -> bool {
        self.author != Author::Customer
    }

    /// Takes a step forward; steps back are none.
    pub(crate) fn advance(&mut self, to: Progress, now_ms: i64) -> bool {
        if to <= self.progress {
            return false;
        }
        self.progress = to;
        self.steps.push((to, now_ms));
        true
    }
}

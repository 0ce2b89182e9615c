//! Whether a channel's account is well: what is asked of a provider, and what its answers say.

use desk::words;
use serde::Serialize;

use crate::event::HealthLevel;

words! {
    /// What is asked.
    Check {
        /// How the number or the account stands.
        Account = "account",
        /// Until when the token is good, and for what.
        Token = "token",
        /// Whether the provider calls us.
        Subscription = "subscription",
    }
}

words! {
    /// What was found out.
    Fact {
        /// How the number or the account stands.
        Status = "status",
        /// How customers take the number (`GREEN`, `YELLOW`, `RED`).
        Quality = "quality",
        /// To how many customers a day we may write first.
        Limit = "limit",
        /// What customers see, and whether it is approved.
        Name = "name",
        /// Until when the token is good: milliseconds since 1970 (UTC), or `never`.
        TokenExpires = "token_expires",
        /// What the token lacks.
        PermissionMissing = "permission_missing",
        /// Where the provider calls us, or that it does so.
        Webhook = "webhook",
    }
}

/// One thing that was found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub fact: Fact,
    /// Its value, in the provider's words.
    pub value: String,
    /// How much it matters.
    pub level: HealthLevel,
}

impl Finding {
    /// A finding.
    pub fn new(fact: Fact, value: impl Into<String>, level: HealthLevel) -> Self {
        Self {
            fact,
            value: value.into(),
            level,
        }
    }
}

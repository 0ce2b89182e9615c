//! When anything may be written to a customer, and when it is free.
//!
//! ```text
//!  customer writes ──────── 24 h: anything ────────▶│ templates only
//!  by an advertisement, and we answer ─── 72 h: free of charge ───────────────▶│
//! ```
//!
//! The two are not the same: when the first ends within the second, only templates can be sent, and
//! they are free.

use crate::event::EventKind;

/// For how long after the customer's last message anything may be written, in milliseconds.
pub const OPEN_MS: i64 = 24 * 3_600_000;

/// For how long messages are free after our first answer to a customer whom an advertisement brought,
/// in milliseconds; the answer must come within [`OPEN_MS`].
pub const FREE_MS: i64 = 72 * 3_600_000;

/// What is known of a conversation. Times are milliseconds since 1970 (UTC), by the provider's clock
/// where it told them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// When the customer last did something that opens the window: see [`opens`].
    pub customer_at_ms: Option<i64>,
    /// When an advertisement last brought them.
    pub ad_at_ms: Option<i64>,
    /// When we first answered after that.
    pub ad_answered_at_ms: Option<i64>,
}

impl Facts {
    /// Until when anything may be written; none if it may not have been at all.
    pub fn open_until_ms(&self) -> Option<i64> {
        self.customer_at_ms
            .map(|at_ms| at_ms.saturating_add(OPEN_MS))
    }

    /// Until when messages are free by an advertisement.
    pub fn free_until_ms(&self) -> Option<i64> {
        let (ad_ms, answered_ms) = (self.ad_at_ms?, self.ad_answered_at_ms?);
        let waited_ms = answered_ms.saturating_sub(ad_ms);
        (0..OPEN_MS)
            .contains(&waited_ms)
            .then(|| answered_ms.saturating_add(FREE_MS))
    }

    /// How long anything may still be written, in milliseconds; 0 if only templates may be.
    pub fn left_ms(&self, now_ms: i64) -> i64 {
        let until_ms = self.open_until_ms().unwrap_or(i64::MIN);
        until_ms.saturating_sub(now_ms).clamp(0, OPEN_MS)
    }
}

/// Whether an event opens the window: what the customer writes or presses does, a reaction or a new
/// number does not.
pub fn opens(event: &EventKind) -> bool {
    match event {
        EventKind::Message(_) => true,
        EventKind::Echo(_)
        | EventKind::Status(_)
        | EventKind::Billed(_)
        | EventKind::Reaction(_)
        | EventKind::Edited(_)
        | EventKind::Revoked(_)
        | EventKind::Read(_)
        | EventKind::Typing(_)
        | EventKind::Arrived { .. }
        | EventKind::Closed { .. }
        | EventKind::Identified(_)
        | EventKind::Consent(_)
        | EventKind::Template(_)
        | EventKind::Health(_)
        | EventKind::Call(_)
        | EventKind::Unsupported { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn the_window_closes_24_hours_after_the_customers_last_word() {
        let facts = Facts {
            customer_at_ms: Some(1_000),
            ..Facts::default()
        };
        assert_eq!(facts.open_until_ms(), Some(1_000 + 24 * HOUR));
        let rows = [
            (1_000, 24 * HOUR),
            (1_000 + HOUR, 23 * HOUR),
            (1_000 + 24 * HOUR - 1, 1),
            (1_000 + 24 * HOUR, 0),
            (1_000 + 90 * HOUR, 0),
            // The provider's clock is ahead of ours.
            (0, 24 * HOUR),
        ];
        for (now_ms, left_ms) in rows {
            assert_eq!(facts.left_ms(now_ms), left_ms, "{now_ms}");
        }
        assert_eq!(Facts::default().left_ms(0), 0);
        assert_eq!(Facts::default().open_until_ms(), None);
    }

    #[test]
    fn an_advertisement_makes_72_hours_free_and_opens_no_more_than_24() {
        let facts = |answered: Option<i64>| Facts {
            customer_at_ms: Some(0),
            ad_at_ms: Some(0),
            ad_answered_at_ms: answered,
        };
        assert_eq!(facts(None).free_until_ms(), None);
        assert_eq!(facts(Some(HOUR)).free_until_ms(), Some(73 * HOUR));
        assert_eq!(facts(Some(24 * HOUR)).free_until_ms(), None, "too late");
        assert_eq!(facts(Some(HOUR)).left_ms(30 * HOUR), 0, "templates only");
        let far = Facts {
            customer_at_ms: Some(i64::MAX),
            ..Facts::default()
        };
        assert_eq!(far.left_ms(0), OPEN_MS, "a clock of a stranger");
    }
}

//! When anything may be written to a customer, and when it is free.
//!
//! ```text
//!  customer writes ──────── 24 h: anything ────────▶│ templates only
//!  by an advertisement, and we answer ─── 72 h: free of charge ───────────────▶│
//! ```
//!
//! The two are not the same: when the first ends within the second, only templates can be sent, and
//! they are free.

use serde::{Deserialize, Serialize};

use crate::event::EventKind;
use crate::failure::{Advice, Failure, FailureClass};
use crate::send::OutContent;

/// For how long after the customer's last message anything may be written, in milliseconds.
pub const OPEN_MS: i64 = 24 * 3_600_000;

/// For how long messages are free after our first answer to a customer whom an advertisement brought,
/// in milliseconds; the answer must come within [`OPEN_MS`].
pub const FREE_MS: i64 = 72 * 3_600_000;

/// What is known of a conversation. Times are milliseconds since 1970 (UTC), by the provider's clock
/// where it told them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// When the customer last did something that opens the window: see [`opens`].
    pub customer_at_ms: Option<i64>,
    /// When an advertisement last brought them.
    pub ad_at_ms: Option<i64>,
    /// When we first answered after that.
    pub ad_answered_at_ms: Option<i64>,
}

/// How long a conversation may still be written in, for the head of the agent's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Left {
    /// For how long anything may be written, in milliseconds. 0: templates only.
    pub open_ms: i64,
    /// For how long it is free by an advertisement, in milliseconds.
    pub free_ms: i64,
}

impl Facts {
    /// Takes in what the customer did, by the provider's clock if it told the time, else when it came.
    /// A webhook that comes days late opens nothing, and no clock of a stranger opens the future.
    pub fn saw(&mut self, event: &EventKind, told_ms: Option<i64>, received_ms: i64) {
        if !opens(event) {
            return;
        }
        let at_ms = told_ms.unwrap_or(received_ms).min(received_ms);
        self.customer_at_ms = self.customer_at_ms.max(Some(at_ms));
        let by_ad = matches!(event, EventKind::Message(message) if message.referral.is_some());
        if by_ad && self.ad_at_ms < Some(at_ms) {
            self.ad_at_ms = Some(at_ms);
            self.ad_answered_at_ms = None;
        }
    }

    /// Takes in that we wrote.
    pub fn answered(&mut self, at_ms: i64) {
        if self.ad_at_ms.is_some_and(|ad_ms| ad_ms <= at_ms) {
            self.ad_answered_at_ms = self.ad_answered_at_ms.or(Some(at_ms));
        }
    }

    /// Takes in that the provider says that the window was closed for what we wrote at `at_ms`, whatever
    /// our clock says.
    pub fn shut(&mut self, at_ms: i64) {
        self.customer_at_ms = self.customer_at_ms.filter(|seen_ms| *seen_ms > at_ms);
    }

    /// Whether this may be written now. Asked by the composer, and again when the message leaves, for it
    /// may have waited.
    ///
    /// # Errors
    ///
    /// A [`Failure`] of the class [`FailureClass::NeedsTemplate`], before the provider is asked.
    pub fn guard(&self, content: &OutContent, now_ms: i64) -> Result<(), Failure> {
        let is_template = matches!(content, OutContent::Template(_));
        if is_template || self.left(now_ms).open_ms > 0 {
            return Ok(());
        }
        let (class, advice) = (FailureClass::NeedsTemplate, Advice::WindowClosed);
        let text = "the window is closed";
        Err(Failure::new(class, advice, "window_closed", text))
    }

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

    /// How long the windows are still open.
    pub fn left(&self, now_ms: i64) -> Left {
        let left_ms = |until_ms: Option<i64>, max_ms: i64| {
            let left_ms = until_ms.unwrap_or(i64::MIN).saturating_sub(now_ms);
            left_ms.clamp(0, max_ms)
        };
        Left {
            open_ms: left_ms(self.open_until_ms(), OPEN_MS),
            free_ms: left_ms(self.free_until_ms(), FREE_MS),
        }
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
    use crate::event::{Content, Incoming, Referral};
    use crate::peer::Peer;

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
            assert_eq!(facts.left(now_ms).open_ms, left_ms, "{now_ms}");
        }
        assert_eq!(
            Facts::default().left(0),
            Left {
                open_ms: 0,
                free_ms: 0
            }
        );
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
        assert_eq!(
            facts(Some(HOUR)).left(30 * HOUR),
            Left {
                open_ms: 0,
                free_ms: 43 * HOUR
            },
            "templates only, and free"
        );
        let far = Facts {
            customer_at_ms: Some(i64::MAX),
            ..Facts::default()
        };
        assert_eq!(far.left(0).open_ms, OPEN_MS, "a clock of a stranger");
    }

    fn message(referral: bool) -> EventKind {
        EventKind::Message(Incoming {
            id: "wamid.A".to_owned(),
            from: Peer::default(),
            content: Content::Text {
                text: "Oi".to_owned(),
            },
            attachments: vec![],
            reply_to: None,
            forwarded: None,
            referral: referral.then(|| Referral {
                kind: Some("ad".to_owned()),
                ..Referral::default()
            }),
        })
    }

    #[test]
    fn what_is_written_is_stopped_once_the_window_is_closed_but_for_templates() {
        let mut facts = Facts::default();
        let text = OutContent::Text {
            text: "Oi".to_owned(),
            preview: false,
        };
        let template: OutContent = serde_json::from_value(serde_json::json!({
            "kind": "template", "id": "1", "name": "retorno", "language": "pt_BR",
        }))
        .expect("a template");
        let closed = facts.guard(&text, 0).expect_err("nobody wrote");
        assert_eq!(closed.class, FailureClass::NeedsTemplate);
        assert_eq!(closed.code, "window_closed");
        assert_eq!(facts.guard(&template, 0), Ok(()));
        facts.saw(&message(false), Some(0), 5);
        assert_eq!(facts.guard(&text, 24 * HOUR - 1), Ok(()));
        assert!(facts.guard(&text, 24 * HOUR).is_err());
        assert_eq!(facts.guard(&template, 24 * HOUR), Ok(()));
    }

    #[test]
    fn what_comes_late_or_from_the_future_opens_no_more_than_it_may() {
        let mut facts = Facts::default();
        // Told again for 7 days, and taken on the seventh.
        facts.saw(&message(false), Some(0), 7 * 24 * HOUR);
        assert_eq!(facts.left(7 * 24 * HOUR).open_ms, 0);
        facts.saw(&message(false), Some(i64::MAX), 7 * 24 * HOUR);
        assert_eq!(facts.customer_at_ms, Some(7 * 24 * HOUR));
        // What is older changes nothing; what tells no time counts from when it came.
        facts.saw(&message(false), Some(HOUR), 8 * 24 * HOUR);
        assert_eq!(facts.customer_at_ms, Some(7 * 24 * HOUR));
        facts.saw(&message(false), None, 8 * 24 * HOUR);
        assert_eq!(facts.left(8 * 24 * HOUR).open_ms, OPEN_MS);
        let before = facts;
        let peer = Peer::default();
        facts.saw(&EventKind::Arrived { peer }, None, 9 * 24 * HOUR);
        assert_eq!(facts, before, "who has not written opens nothing");
    }

    #[test]
    fn an_advertisement_counts_from_its_click_and_the_first_answer_after_it() {
        let mut facts = Facts::default();
        facts.answered(0);
        assert_eq!(facts.ad_answered_at_ms, None);
        facts.saw(&message(true), Some(HOUR), HOUR);
        facts.saw(&message(true), Some(HOUR), HOUR);
        facts.answered(2 * HOUR);
        facts.answered(3 * HOUR);
        assert_eq!(facts.free_until_ms(), Some(74 * HOUR));
        facts.saw(&message(false), Some(10 * HOUR), 10 * HOUR);
        assert_eq!(
            facts.left(10 * HOUR),
            Left {
                open_ms: OPEN_MS,
                free_ms: 64 * HOUR
            }
        );
        // Another click begins anew.
        facts.saw(&message(true), Some(20 * HOUR), 20 * HOUR);
        assert_eq!(facts.left(20 * HOUR).free_ms, 0);
        facts.answered(21 * HOUR);
        assert_eq!(facts.free_until_ms(), Some(93 * HOUR));
        let stored = serde_json::to_string(&facts).expect("JSON");
        assert_eq!(
            serde_json::from_str::<Facts>(&stored).expect("facts"),
            facts
        );
    }
}

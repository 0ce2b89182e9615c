//! What stands between one customer and the company at one provider.

use serde::Serialize;

/// What stands between one customer and the company at one provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Chat {
    /// Until when the company may write freely: milliseconds since 1970. None: the customer never wrote.
    pub open_until_ms: Option<i64>,
    /// Until when it may do so for nothing, because the customer came by an advertisement.
    pub free_until_ms: Option<i64>,
    /// Until when the company is shown as typing.
    pub typing_until_ms: Option<i64>,
    /// The id of the conversation at the ERP.
    pub ticket: Option<String>,
    /// The protocol number that the company gave it, at the ERP.
    pub protocol: Option<String>,
    /// How the matter stands, at the ERP.
    pub status: Option<String>,
    /// How many messages more the company may write at once, in thousandths, and as of when.
    #[serde(skip)]
    pub(crate) pair: Option<(i64, i64)>,
    /// How many tickets there were.
    #[serde(skip)]
    pub(crate) tickets: u32,
}

impl Chat {
    /// Whether the company may write freely.
    pub fn is_open(&self, now_ms: i64) -> bool {
        self.open_until_ms.is_some_and(|until_ms| now_ms < until_ms)
    }

    /// The customer wrote: the window is open for a day.
    pub(crate) fn open(&mut self, now_ms: i64) {
        self.open_until_ms = Some(now_ms + WINDOW_MS);
    }

    /// Takes one message of those that may go to one customer: one in 6 s, and some at once.
    pub(crate) fn take(&mut self, now_ms: i64, burst: u32) -> bool {
        let full = i64::from(burst) * 1_000;
        let (left, as_of_ms) = self.pair.unwrap_or((full, now_ms));
        let gained = (now_ms - as_of_ms).max(0) * 1_000 / PAIR_EVERY_MS;
        let left = left.saturating_add(gained).min(full);
        if left < 1_000 {
            self.pair = Some((left, now_ms));
            return false;
        }
        self.pair = Some((left - 1_000, now_ms));
        true
    }
}

/// How long after a customer's last message the company may write freely.
pub const WINDOW_MS: i64 = 24 * 3_600_000;

/// The same without cost, for customers who came by an advertisement.
pub const FREE_MS: i64 = 72 * 3_600_000;

/// One message to the same customer in so many milliseconds.
const PAIR_EVERY_MS: i64 = 6_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_messages_go_at_once_and_then_one_in_six_seconds() {
        let mut chat = Chat::default();
        let now = |ms: i64| 1_000_000 + ms;
        let taken: Vec<bool> = (0..4).map(|_| chat.take(now(0), 3)).collect();
        assert_eq!(taken, [true, true, true, false]);
        assert!(!chat.take(now(5_900), 3));
        assert!(chat.take(now(6_100), 3) && !chat.take(now(6_200), 3));
    }

    #[test]
    fn the_window_is_open_for_a_day_to_the_millisecond() {
        let mut chat = Chat::default();
        assert!(!chat.is_open(5));
        chat.open(5);
        assert!(chat.is_open(5 + WINDOW_MS - 1) && !chat.is_open(5 + WINDOW_MS));
    }
}

//! When a notice is sent again, and what an answer to it means.

use rand::RngCore;
use serde_json::Value;

use crate::json::{self, Fields};
use crate::send::Response;

/// How long an answer is waited for, in milliseconds.
pub const ANSWER_WITHIN_MS: u64 = 10_000;

/// After how long without success a notice is parked and shown, in milliseconds.
pub const PARKED_AFTER_MS: i64 = 72 * 3_600_000;

/// How long to wait after the first try, the second …, in seconds; then the last again.
const WAITS_S: [u64; 9] = [5, 30, 120, 600, 3_600, 10_800, 21_600, 43_200, 86_400];

/// How long to wait after `tries` tries in vain, in milliseconds: up to a tenth more than the table, so
/// that what failed together does not come back together.
pub fn wait_ms(tries: u32, random: &mut impl RngCore) -> u64 {
    let at = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX);
    let wait_ms = WAITS_S[at.min(WAITS_S.len() - 1)] * 1_000;
    wait_ms + u64::from(random.next_u32()) % (wait_ms / 10)
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is told.
    Done {
        /// What is to be written to the customer at once, where the other side is a bot.
        reply: Option<String>,
    },
    /// The address is gone for good: the webhook is switched off and an administrator is told.
    SwitchOff,
    /// Try again, no sooner than this many milliseconds from the answer.
    Again {
        /// What they asked for, or 0.
        after_ms: u64,
    },
}

/// What an answer means.
pub fn answered(response: &Response) -> Answer {
    match response.status {
        200..=299 => {
            let body = json::parse(&response.body).unwrap_or(Value::Null);
            let reply = body.at("reply").text("text");
            let is_short = |text: &String| text.len() <= super::receive::TEXT_BYTES_MAX;
            Answer::Done {
                reply: reply.filter(is_short),
            }
        }
        410 => Answer::SwitchOff,
        _ => Answer::Again {
            after_ms: response.retry_after_ms.unwrap_or(0),
        },
    }
}

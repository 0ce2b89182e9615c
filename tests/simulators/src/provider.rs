//! Who carries the messages.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Who carries messages between customers and the company.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Meta's Cloud API.
    Cloud,
    /// 360dialog.
    Dialog360,
    /// Gupshup.
    Gupshup,
    /// Zenvia.
    Zenvia,
    /// Twilio.
    Twilio,
    /// Another system of the company's, which speaks to the generic channel.
    Erp,
}

impl Provider {
    /// All of them, in the order in which the page shows them.
    pub const ALL: [Self; 6] = [
        Self::Cloud,
        Self::Dialog360,
        Self::Gupshup,
        Self::Zenvia,
        Self::Twilio,
        Self::Erp,
    ];

    /// Those that carry WhatsApp.
    pub const WHATSAPP: [Self; 5] = [
        Self::Cloud,
        Self::Dialog360,
        Self::Gupshup,
        Self::Zenvia,
        Self::Twilio,
    ];

    /// Its word in the simulator's own API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cloud => "cloud",
            Self::Dialog360 => "dialog360",
            Self::Gupshup => "gupshup",
            Self::Zenvia => "zenvia",
            Self::Twilio => "twilio",
            Self::Erp => "erp",
        }
    }

    /// Under which path of the server its API stands.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Cloud => "graph",
            Self::Dialog360 => "360",
            Self::Gupshup => "gupshup",
            Self::Zenvia => "zenvia",
            Self::Twilio => "twilio",
            Self::Erp => "erp",
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cloud => "Meta Cloud API",
            Self::Dialog360 => "360dialog",
            Self::Gupshup => "Gupshup",
            Self::Zenvia => "Zenvia",
            Self::Twilio => "Twilio",
            Self::Erp => "ERP",
        }
    }

    /// Whether it speaks Meta's own words.
    pub fn is_meta(self) -> bool {
        matches!(self, Self::Cloud | Self::Dialog360)
    }

    /// How long it waits for the answer to a webhook, in milliseconds of the real clock.
    ///
    /// 360dialog says 5 s, Gupshup 10 s, Standard Webhooks 15 s to 30 s at most; of the others nobody knows
    /// more than "a few seconds".
    pub fn answer_within_ms(self) -> u64 {
        match self {
            Self::Dialog360 | Self::Zenvia => 5_000,
            Self::Cloud | Self::Gupshup | Self::Erp => 10_000,
            Self::Twilio => 15_000,
        }
    }

    /// How long it waits before it tries a webhook again that failed `attempts` times, in milliseconds of
    /// the simulated clock; none when it gives up. `status`: what was answered, if anything was.
    pub fn again_after_ms(
        self,
        attempts: u32,
        since_first_ms: i64,
        status: Option<u16>,
    ) -> Option<i64> {
        let doubled = |first_ms: i64, last_ms: i64| {
            let times = 1_i64 << attempts.saturating_sub(1).min(20);
            first_ms.saturating_mul(times).min(last_ms)
        };
        let (wait_ms, until_ms) = match self {
            // "Up to 7 days, with growing gaps".
            Self::Cloud | Self::Dialog360 => (doubled(5_000, 3_600_000), 7 * DAY_MS),
            Self::Gupshup | Self::Zenvia => (doubled(10_000, 3_600_000), DAY_MS),
            // Once, and only where nobody answered.
            Self::Twilio if attempts == 1 && status.is_none() => (1_000, DAY_MS),
            Self::Twilio => return None,
            // A client of our own API knows that what was refused stays refused.
            Self::Erp if matches!(status, Some(400..=407 | 409..=428 | 430..=499)) => return None,
            Self::Erp => (doubled(5_000, 600_000), 3 * DAY_MS),
        };
        (since_first_ms + wait_ms <= until_ms).then_some(wait_ms)
    }
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let is_it = |provider: &&Self| provider.word() == word;
        Self::ALL.iter().find(is_it).copied().ok_or(UnknownProvider)
    }
}

/// A word that is no provider's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such provider: cloud, dialog360, gupshup, zenvia, twilio or erp")]
pub struct UnknownProvider;

const DAY_MS: i64 = 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meta_tries_for_seven_days_with_growing_gaps_and_twilio_once_where_nobody_answered() {
        let waits = |provider: Provider, status: Option<u16>| {
            let (mut waits, mut since) = (vec![], 0);
            for attempts in 1.. {
                let Some(wait) = provider.again_after_ms(attempts, since, status) else {
                    break;
                };
                waits.push(wait);
                since += wait;
            }
            (waits, since)
        };
        let (meta, total) = waits(Provider::Cloud, Some(500));
        assert_eq!(meta[..5], [5_000, 10_000, 20_000, 40_000, 80_000]);
        assert!(meta.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!((6 * DAY_MS..=7 * DAY_MS).contains(&total), "{total}");
        assert_eq!(waits(Provider::Twilio, None).0, [1_000]);
        assert_eq!(waits(Provider::Twilio, Some(500)).0, [0_i64; 0]);
        assert_eq!(waits(Provider::Erp, Some(422)).0, [0_i64; 0]);
        assert_eq!(waits(Provider::Erp, Some(503)).0[..2], [5_000, 10_000]);
    }

    #[test]
    fn each_provider_is_known_by_its_word() {
        for provider in Provider::ALL {
            assert_eq!(provider.word().parse(), Ok(provider));
        }
        assert_eq!("infobip".parse::<Provider>(), Err(UnknownProvider));
    }
}

//! Faults by switch: what can go wrong between a provider and the company, when it is asked for.

use rand::Rng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

use crate::provider::Provider;

/// A fault that is switched on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Of which provider; none: of all.
    #[serde(default)]
    pub provider: Option<Provider>,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// How many times more; none: until it is switched off.
    #[serde(default)]
    pub times: Option<u32>,
    /// How often, of a thousand chances.
    #[serde(default = "always")]
    pub permille: u16,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum FaultKind {
    /// A webhook is lost on its way. The provider has no answer and tries again as it does.
    Drop,
    /// A webhook arrives and its answer is lost: the provider tries again.
    LoseAnswer,
    /// A webhook comes so much later.
    Delay {
        /// How much, in milliseconds of the simulated clock.
        ms: u32,
    },
    /// A webhook comes twice.
    Duplicate,
    /// A webhook comes behind the next one.
    Reorder,
    /// A webhook is signed with another secret.
    WrongSignature,
    /// A message is not taken: too many (429).
    TooMany {
        /// What `Retry-After` says, in seconds.
        retry_after_s: u32,
    },
    /// A message is not taken: the provider is broken (500).
    ServerError,
    /// A message is taken, and the answer never comes.
    NeverAnswer,
    /// A message is taken, and the answer comes late.
    SlowAnswer {
        /// How late, in milliseconds of the real clock.
        ms: u32,
    },
    /// A message is not taken, with a code of Meta's.
    Refuse {
        /// Which.
        code: u32,
    },
    /// A message is taken, and fails afterwards with a code of Meta's.
    Fail {
        /// Which.
        code: u32,
    },
}

fn always() -> u16 {
    1_000
}

/// The faults that are switched on.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn list(&self) -> &[Fault] {
        &self.0
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Switches off those of a provider, or all.
    pub(crate) fn clear(&mut self, provider: Option<Provider>) {
        self.0
            .retain(|fault| provider.is_some() && fault.provider != provider);
    }

    /// The first fault of these kinds that strikes now. It is used up by one.
    pub(crate) fn strikes(
        &mut self,
        provider: Provider,
        random: &mut StdRng,
        kinds: impl Fn(&FaultKind) -> bool,
    ) -> Option<FaultKind> {
        let at = self.0.iter().position(|fault| {
            fault.provider.is_none_or(|of| of == provider)
                && kinds(&fault.kind)
                && (fault.permille >= 1_000 || random.random_range(0..1_000) < fault.permille)
        })?;
        let fault = &mut self.0[at];
        let kind = fault.kind.clone();
        if let Some(times) = &mut fault.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.0.remove(at);
            }
        }
        Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_fault_strikes_as_often_as_it_was_told_and_only_its_provider() {
        let mut random = StdRng::seed_from_u64(1);
        let mut faults = Faults::default();
        faults.add(Fault {
            provider: Some(Provider::Cloud),
            kind: FaultKind::Drop,
            times: Some(2),
            permille: 1_000,
        });
        let mut strike = |provider| {
            let kind = faults.strikes(provider, &mut random, |kind| *kind == FaultKind::Drop);
            kind.is_some()
        };
        let rows = [
            Provider::Twilio,
            Provider::Cloud,
            Provider::Cloud,
            Provider::Cloud,
        ]
        .map(&mut strike);
        assert_eq!(rows, [false, true, true, false]);
    }

    #[test]
    fn a_fault_is_written_flat() {
        let text = r#"{"provider":"cloud","fault":"too_many","retry_after_s":3,"times":1}"#;
        let fault: Fault = serde_json::from_str(text).expect("a fault");
        let kind = FaultKind::TooMany { retry_after_s: 3 };
        assert_eq!(
            (fault.kind, fault.times, fault.permille),
            (kind, Some(1), 1_000)
        );
    }
}

//! Webhooks under way to the company: what is sent when, and again.

use std::collections::BTreeMap;

use super::fault::FaultKind;
use crate::provider::Provider;
use crate::wire::proof::Signing;

/// A webhook of a provider, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) signing: Signing,
    /// What it tells, for the page.
    pub(crate) label: String,
}

/// A webhook under way.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) provider: Provider,
    /// The customer that it is about: first attempts of one customer's webhooks go one after the other.
    lane: String,
    /// The message of the customer that it carries.
    pub(crate) about: Option<u64>,
    pub(crate) webhook: Webhook,
    first_ms: i64,
    attempts: u32,
    stage: Stage,
    /// Whether it is the second one of a duplicate: nobody tries it again.
    is_copy: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It goes at this time.
    Waiting { due_ms: i64 },
    /// It lets the next of its provider pass, or goes at this time.
    Held { until_ms: i64 },
    /// An answer is waited for.
    UnderWay,
}

/// Why an attempt came to nothing, or what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody answered.
    Answered {
        /// The status.
        status: u16,
        /// What it said.
        body: Vec<u8>,
    },
    /// Nobody did, and why.
    Silent(String),
}

/// All webhooks under way.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    next: u64,
    under_way: BTreeMap<u64, Delivery>,
}

/// What became of a webhook.
pub(crate) struct Answered {
    pub(crate) delivery: Delivery,
    /// Whether it is told, or nobody tries any more.
    pub(crate) end: Option<End>,
}

/// How it ended for a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Told,
    GivenUp,
}

impl Deliveries {
    /// Takes a webhook on its way, with the faults that strike it at the start.
    pub(crate) fn push(
        &mut self,
        now_ms: i64,
        provider: Provider,
        (lane, about): (&str, Option<u64>),
        webhook: Webhook,
        fault: Option<FaultKind>,
    ) {
        let mut lane = lane.to_owned();
        let mut stage = Stage::Waiting { due_ms: now_ms };
        match fault {
            Some(FaultKind::Delay { ms }) => {
                let due_ms = now_ms + i64::from(ms);
                stage = Stage::Waiting { due_ms };
                lane = String::new();
            }
            Some(FaultKind::Reorder) => {
                let until_ms = now_ms + HELD_MS_MAX;
                stage = Stage::Held { until_ms };
                lane = String::new();
            }
            Some(FaultKind::Duplicate) => {
                let copy = self.delivery(now_ms, provider, (&lane, about), webhook.clone(), stage);
                self.insert(Delivery {
                    is_copy: true,
                    ..copy
                });
            }
            Some(_) | None => {}
        }
        let delivery = self.delivery(now_ms, provider, (&lane, about), webhook, stage);
        self.insert(delivery);
    }

    fn delivery(
        &self,
        first_ms: i64,
        provider: Provider,
        (lane, about): (&str, Option<u64>),
        webhook: Webhook,
        stage: Stage,
    ) -> Delivery {
        Delivery {
            provider,
            lane: lane.to_owned(),
            about,
            webhook,
            first_ms,
            attempts: 0,
            stage,
            is_copy: false,
        }
    }

    fn insert(&mut self, delivery: Delivery) {
        self.next += 1;
        self.under_way.insert(self.next, delivery);
    }

    /// The next webhook to be sent now, if any. It is under way from here on.
    pub(crate) fn due(&mut self, now_ms: i64) -> Option<(u64, &Delivery)> {
        let (id, _) = self.ready().find(|(_, due_ms)| *due_ms <= now_ms)?;
        let delivery = self.under_way.get_mut(&id)?;
        delivery.stage = Stage::UnderWay;
        delivery.attempts += 1;
        Some((id, delivery))
    }

    /// When the next one is due.
    pub(crate) fn next_due_ms(&self) -> Option<i64> {
        self.ready().map(|(_, due_ms)| due_ms).min()
    }

    /// Those that may go, with their times: no first attempt passes another of its lane.
    fn ready(&self) -> impl Iterator<Item = (u64, i64)> {
        let mut busy: Vec<(Provider, &str)> = vec![];
        self.under_way.iter().filter_map(move |(id, delivery)| {
            let lane = (delivery.provider, delivery.lane.as_str());
            let is_first = delivery.attempts == 0
                || (delivery.attempts == 1 && delivery.stage == Stage::UnderWay);
            let is_blocked = is_first && !lane.1.is_empty() && busy.contains(&lane);
            if is_first {
                busy.push(lane);
            }
            match delivery.stage {
                Stage::Waiting { due_ms } | Stage::Held { until_ms: due_ms } if !is_blocked => {
                    Some((*id, due_ms))
                }
                Stage::Waiting { .. } | Stage::Held { .. } | Stage::UnderWay => None,
            }
        })
    }

    /// Notes what came of an attempt.
    pub(crate) fn answered(&mut self, now_ms: i64, id: u64, outcome: &Outcome) -> Option<Answered> {
        let mut delivery = self.under_way.remove(&id)?;
        let provider = delivery.provider;
        for other in self.under_way.values_mut() {
            if other.provider == provider && matches!(other.stage, Stage::Held { .. }) {
                other.stage = Stage::Waiting { due_ms: now_ms };
            }
        }
        let status = match outcome {
            Outcome::Answered { status, .. } => Some(*status),
            Outcome::Silent(_) => None,
        };
        let is_told = matches!(status, Some(200..=299));
        let since_ms = now_ms - delivery.first_ms;
        let again = provider.again_after_ms(delivery.attempts, since_ms, status);
        let end = match again {
            _ if is_told => Some(End::Told),
            Some(wait_ms) if !delivery.is_copy => {
                let due_ms = now_ms + wait_ms;
                delivery.stage = Stage::Waiting { due_ms };
                None
            }
            Some(_) | None => Some(End::GivenUp),
        };
        if end.is_none() {
            self.under_way.insert(id, delivery.clone());
        }
        Some(Answered { delivery, end })
    }

    /// Sends everything that waits for its next attempt at once.
    pub(crate) fn hurry(&mut self, now_ms: i64) {
        for delivery in self.under_way.values_mut() {
            if delivery.stage != Stage::UnderWay {
                delivery.stage = Stage::Waiting { due_ms: now_ms };
            }
        }
    }

    /// Those that failed and are tried again: provider, what they tell, attempts and when next.
    pub(crate) fn retried(&self) -> impl Iterator<Item = (Provider, &str, u32, Option<i64>)> {
        let tried = self.under_way.values().filter(|one| one.attempts > 0);
        tried.map(|delivery| {
            let due_ms = match delivery.stage {
                Stage::Waiting { due_ms } | Stage::Held { until_ms: due_ms } => Some(due_ms),
                Stage::UnderWay => None,
            };
            let label = delivery.webhook.label.as_str();
            (delivery.provider, label, delivery.attempts, due_ms)
        })
    }

    /// How many are under way.
    pub(crate) fn len(&self) -> usize {
        self.under_way.len()
    }
}

/// How long a webhook lets others pass where none comes.
const HELD_MS_MAX: i64 = 5_000;

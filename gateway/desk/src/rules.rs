//! What a company decided about its services and agents.
//!
//! Rules come from the store and may change at any time; the desk takes the new ones without
//! losing a place or an offer. All spans are milliseconds.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::contact::OwnerFallback;
use crate::disposition::{self, Disposition};
use crate::id::{PauseId, ServiceId, SkillId, UserId};
use crate::words;
use crate::work::{Customer, Medium, Preferred};

/// All a desk has to know of its company.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// What each medium costs of an agent's attention.
    pub costs: Costs,
    /// Which medium may interrupt which: a call may come to an agent who writes an e-mail.
    pub interrupts: BTreeMap<Medium, BTreeSet<Medium>>,
    /// How much earlier one seems to have come for each point of priority.
    pub point_ms: i64,
    /// How long an agent whose connection is lost keeps their work and their presence. A page
    /// that is loaded again takes a few seconds, a browser that is started again most of a minute.
    pub grace_ms: i64,
    /// The same after a restart of the program: nobody is connected to the new one yet, and a phone
    /// that has only UDP notices when it registers again.
    pub restart_grace_ms: i64,
    /// How long work is not offered again to an agent who refused it or transferred it.
    pub refusal_rest_ms: i64,
    /// Whether what is no call is offered only to those who have a page open to see it.
    pub pages: bool,
    /// After how many offers missed in a row an agent is paused.
    pub lapses_before_pause: u32,
    /// The reasons for pauses that agents may choose.
    pub pauses: BTreeMap<PauseId, PauseRules>,
    /// The services.
    pub services: BTreeMap<ServiceId, ServiceRules>,
    /// The people who take work.
    pub agents: BTreeMap<UserId, AgentRules>,
}

/// What work costs of an agent's attention, out of [`CAPACITY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Costs {
    /// A call.
    pub phone: u32,
    /// A chat.
    pub chat: u32,
    /// An e-mail.
    pub email: u32,
    /// A task.
    pub task: u32,
}

/// A reason for a pause.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PauseRules {
    /// How long it should last; beyond it the supervisor is told.
    pub limit_ms: Option<i64>,
}

/// How one service treats its work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceRules {
    /// Who of the free agents is offered work.
    pub routing: Routing,
    /// Points of priority for all its work.
    pub priority: i16,
    /// How much faster its work ages than that of other services, for agents of several: with 2
    /// a minute counts as two. At least 1.
    pub weight: u32,
    /// How long an offer stands.
    pub ring_ms: i64,
    /// How many may wait; beyond it work is refused. At most [`LINE_MAX`].
    pub line_max: usize,
    /// How the levels of wanted skills relax with waiting.
    pub relax: Vec<Relax>,
    /// What happens to those who wait too long or are too many.
    pub overflow: Vec<Overflow>,
    /// What the service wants to reach.
    pub targets: Targets,
    /// What follows the conversation.
    pub wrap_up: WrapUp,
    /// How customers are called back.
    pub callback: Callbacks,
    /// Which agent a customer has first.
    pub preference: Preference,
    /// Where its work may be handed to, by those who may.
    pub transfers: Transfers,
    /// How long reopened work waits for the agent who closed it.
    pub reopen_wait_ms: i64,
}

words! {
    /// Who of the free agents that fit is offered work.
    Routing {
        /// Who has been without work for longest.
        LongestIdle = "longest_idle",
        /// Who was offered something longest ago.
        RoundRobin = "round_robin",
        /// Who has the least in hand.
        LeastOccupied = "least_occupied",
        /// Who handled least since the day began.
        FewestHandled = "fewest_handled",
        /// All at once; the first who accepts has it.
        RingAll = "ring_all",
    }
}

/// After so much waiting, wanted levels are so much lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relax {
    /// After how much waiting in this service.
    pub after_ms: i64,
    /// By how many levels, in addition to earlier steps.
    pub by: u8,
}

/// What happens to those who wait too long or are too many. Each rule acts once on each work in
/// a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overflow {
    /// When.
    pub when: OverflowWhen,
    /// What.
    pub then: OverflowThen,
}

/// When overflow happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverflowWhen {
    /// After so many milliseconds in this service.
    WaitedMs(i64),
    /// On arrival, when so many are already in the line and no fitting agent is free.
    Length(usize),
}

/// What overflow does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverflowThen {
    /// Wanted skills that are not fixed are not needed any more.
    RelaxSkills,
    /// The work goes over to this service, with its place by arrival.
    Service(ServiceId),
    /// The customer is asked whether they want to be called back.
    OfferCallback,
    /// The customer hears the message for unanswered or closed; the wait is over. Nobody who
    /// was promised a callback is closed so, and nothing that was left for us to read or hear.
    Close,
}

/// What the service wants to reach. What misses a target is told as it happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Targets {
    /// Within this an agent should have it.
    pub answer_ms: Option<i64>,
    /// Who leaves sooner than this does not count as abandoned: a wrong number.
    pub abandon_ms: Option<i64>,
    /// Within this an agent should reply to what the customer wrote.
    pub message_ms: Option<i64>,
}

/// What follows the conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WrapUp {
    /// How long the agent has; 0 is no wrap-up, unless a disposition is mandatory.
    pub limit_ms: i64,
    /// Whether the agent must choose a disposition. If so the wrap-up does not end at the limit,
    /// but the supervisor is told.
    pub mandatory: bool,
    /// The codes to choose from.
    pub dispositions: Vec<Disposition>,
}

/// How customers are called back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Callbacks {
    /// How often the customer is called before we give up; at least once.
    pub attempts: u32,
    /// How long after an attempt that failed the next may be. The place is kept.
    pub retry_ms: i64,
}

/// Which agent a customer has first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preference {
    /// Who of those who know the customer.
    pub whom: PreferredAgent,
    /// How long the customer waits for them before the whole service may have the work.
    pub wait_ms: i64,
    /// Whether the customer waits even while they are offline or paused.
    pub even_away: bool,
}

words! {
    /// Who of those who know a customer is to have them first.
    PreferredAgent {
        /// Nobody: all are alike.
        Nobody = "nobody",
        /// The owner of the contact.
        Owner = "owner",
        /// Who had them last.
        Last = "last",
        /// The owner of the contact; where there is none, who had them last.
        OwnerOrLast = "owner_or_last",
    }
}

/// What an agent may and can do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentRules {
    /// Whose work they take.
    pub services: BTreeSet<ServiceId>,
    /// What they can do, and how well: 1 is a little, 255 the most.
    pub skills: BTreeMap<SkillId, u8>,
    /// Where they may hand work to.
    pub transfers: Transfers,
}

/// Where an agent may transfer work to, or whom they may consult.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfers {
    /// Whether to other agents directly.
    pub agents: bool,
    /// Which services; `None` is all.
    pub services: Option<BTreeSet<ServiceId>>,
}

/// What is wrong with rules. Whoever wrote them is told; a desk that gets them all the same
/// takes the nearest sensible value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// A cost is 0 or above [`CAPACITY`].
    #[error("the cost of {0} must be 1 to {CAPACITY}")]
    Cost(Medium),
    /// A span is negative, or an offer would stand shorter than [`RING_MS_MIN`].
    #[error("{field} must not be shorter than {least_ms} ms")]
    Short {
        /// Which span, by the name of its field without the unit.
        field: &'static str,
        /// The least it may be, in milliseconds.
        least_ms: i64,
    },
    /// Steps are not in the order in which they are taken.
    #[error("the steps of service {0} by which skills relax are not in the order of their time")]
    Order(ServiceId),
    /// More rules than anybody understands.
    #[error("service {0} has more than {STEPS_MAX} rules of one kind")]
    TooMany(ServiceId),
    /// A weight of 0 would never be served.
    #[error("the weight of service {0} must be at least 1")]
    Weight(ServiceId),
    /// Overflow leads to a service that does not exist.
    #[error("service {from} overflows to {to}, which does not exist")]
    NoSuchService {
        /// Whose rule.
        from: ServiceId,
        /// What is missing.
        to: ServiceId,
    },
    /// A disposition tree has an id twice or is deeper than [`disposition::DEPTH_MAX`].
    #[error("the dispositions of service {0} have an id twice or are too deep")]
    Dispositions(ServiceId),
    /// A disposition is mandatory and there is none to choose.
    #[error("service {0} demands a disposition and has none")]
    NothingToChoose(ServiceId),
}

impl RulesError {
    /// The field at fault, without the unit of a span.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Cost(_) => "costs",
            Self::Short { field, .. } => field,
            Self::Weight(_) => "weight",
            Self::NoSuchService { .. } => "overflow.service",
            Self::Order(_) => "relax",
            Self::TooMany(_) => "overflow",
            Self::Dispositions(_) | Self::NothingToChoose(_) => "dispositions",
        }
    }
}

/// As long as what is written waits for its owner alone: a month, after which they do not come.
const MESSAGE_WAITS_MS: i64 = 30 * 24 * 3_600_000;

/// Steps of relaxation, or rules of overflow, of one service: more than anybody understands.
pub const STEPS_MAX: usize = 20;

/// All of an agent's attention.
pub const CAPACITY: u32 = 100;

/// Places in one service's line. Memory stays bounded, and the ten-thousandth customer is better
/// told at once.
pub const LINE_MAX: usize = 10_000;

/// The shortest offer: an agent must see it, and a phone must ring once.
pub const RING_MS_MIN: i64 = 3_000;

impl Rules {
    /// Looks for what cannot work.
    ///
    /// # Errors
    ///
    /// The first [`RulesError`] found.
    pub fn check(&self) -> Result<(), RulesError> {
        for medium in Medium::ALL {
            if !(1..=CAPACITY).contains(&self.costs.of(*medium)) {
                return Err(RulesError::Cost(*medium));
            }
        }
        at_least("point", self.point_ms, 0)?;
        at_least("grace", self.grace_ms, 0)?;
        at_least("restart_grace", self.restart_grace_ms, 0)?;
        at_least("refusal_rest", self.refusal_rest_ms, 1)?;
        for (id, service) in &self.services {
            service.check(id, self)?;
        }
        Ok(())
    }
}

impl ServiceRules {
    fn check(&self, id: &ServiceId, rules: &Rules) -> Result<(), RulesError> {
        at_least("ring", self.ring_ms, RING_MS_MIN)?;
        at_least("wrap_up", self.wrap_up.limit_ms, 0)?;
        at_least("callback.retry", self.callback.retry_ms, 0)?;
        at_least("preference.wait", self.preference.wait_ms, 0)?;
        if self.weight == 0 {
            return Err(RulesError::Weight(id.clone()));
        }
        if self.relax.len().max(self.overflow.len()) > STEPS_MAX {
            return Err(RulesError::TooMany(id.clone()));
        }
        if !self.relax.is_sorted_by_key(|step| step.after_ms) {
            return Err(RulesError::Order(id.clone()));
        }
        for step in &self.relax {
            at_least("relax.after", step.after_ms, 0)?;
        }
        for rule in &self.overflow {
            if let OverflowWhen::WaitedMs(after) = rule.when {
                at_least("overflow.after", after, 0)?;
            }
            match &rule.then {
                OverflowThen::Service(to) if !rules.services.contains_key(to) => {
                    return Err(RulesError::NoSuchService {
                        from: id.clone(),
                        to: to.clone(),
                    });
                }
                OverflowThen::Service(_)
                | OverflowThen::RelaxSkills
                | OverflowThen::OfferCallback
                | OverflowThen::Close => {}
            }
        }
        if !disposition::is_sound(&self.wrap_up.dispositions) {
            return Err(RulesError::Dispositions(id.clone()));
        }
        if self.wrap_up.mandatory && self.wrap_up.dispositions.is_empty() {
            return Err(RulesError::NothingToChoose(id.clone()));
        }
        Ok(())
    }

    /// Who should have the work of this customer; `owner_is_there` where their owner could have it now.
    /// While the owner could not, their fallback decides: another agent, or nobody else at all where what is written can
    /// wait for them (*recado*).
    pub fn preferred(
        &self,
        customer: &Customer,
        medium: Medium,
        owner_is_there: bool,
    ) -> Option<Preferred> {
        let (owner, last) = (customer.owner.as_ref(), customer.last_agent.as_ref());
        let agent = match self.preference.whom {
            PreferredAgent::Nobody => None,
            PreferredAgent::Owner => owner,
            PreferredAgent::Last => last,
            PreferredAgent::OwnerOrLast => owner.or(last),
        };
        let agent = agent?;
        let usual = Preferred {
            agent: agent.clone(),
            wait_ms: self.preference.wait_ms,
            even_away: self.preference.even_away,
        };
        if Some(agent) != owner || owner_is_there {
            return Some(usual);
        }
        Some(match &customer.owner_fallback {
            OwnerFallback::Backup { agent } => Preferred {
                agent: agent.clone(),
                ..usual
            },
            OwnerFallback::Message if medium != Medium::Phone => Preferred {
                wait_ms: MESSAGE_WAITS_MS,
                even_away: true,
                ..usual
            },
            // A call cannot wait so long, and is not sent elsewhere by the desk.
            OwnerFallback::Message
            | OwnerFallback::FollowMe { .. }
            | OwnerFallback::Queue
            | OwnerFallback::Unassign => usual,
        })
    }

    /// How long an offer stands, whatever the rule says.
    pub(crate) fn ring_ms(&self) -> i64 {
        self.ring_ms.max(RING_MS_MIN)
    }

    /// The overflow rules by time, the earliest first.
    pub(crate) fn overflow_by_time(&self) -> Vec<(i64, OverflowThen)> {
        let mut steps: Vec<_> = self
            .overflow
            .iter()
            .filter_map(|rule| match rule.when {
                OverflowWhen::WaitedMs(after) => Some((after.max(0), rule.then.clone())),
                OverflowWhen::Length(_) => None,
            })
            .collect();
        steps.sort_by_key(|(after, _)| *after);
        steps
    }

    /// What happens to work that finds `length` before it, by the longest line that is reached.
    pub(crate) fn overflow_by_length(&self, length: usize) -> Option<&OverflowThen> {
        self.overflow
            .iter()
            .filter_map(|rule| match rule.when {
                OverflowWhen::Length(limit) if limit <= length => Some((limit, &rule.then)),
                OverflowWhen::Length(_) | OverflowWhen::WaitedMs(_) => None,
            })
            .max_by_key(|(limit, _)| *limit)
            .map(|(_, then)| then)
    }
}

impl Costs {
    /// What work of `medium` costs.
    pub fn of(&self, medium: Medium) -> u32 {
        match medium {
            Medium::Phone => self.phone,
            Medium::Chat => self.chat,
            Medium::Email => self.email,
            Medium::Task => self.task,
        }
    }
}

impl Transfers {
    /// Whether work may go to `service`.
    pub fn allow(&self, service: &ServiceId) -> bool {
        self.services
            .as_ref()
            .is_none_or(|allowed| allowed.contains(service))
    }
}

fn at_least(field: &'static str, span_ms: i64, least_ms: i64) -> Result<(), RulesError> {
    if span_ms < least_ms {
        return Err(RulesError::Short { field, least_ms });
    }
    Ok(())
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            costs: Costs::default(),
            interrupts: BTreeMap::from([(
                Medium::Phone,
                BTreeSet::from([Medium::Email, Medium::Task]),
            )]),
            point_ms: 60_000,
            grace_ms: 30_000,
            restart_grace_ms: 300_000,
            refusal_rest_ms: 30_000,
            pages: false,
            lapses_before_pause: 1,
            pauses: BTreeMap::new(),
            services: BTreeMap::new(),
            agents: BTreeMap::new(),
        }
    }
}

impl Default for Costs {
    fn default() -> Self {
        Self {
            phone: 100,
            chat: 20,
            email: 10,
            task: 10,
        }
    }
}

impl Default for ServiceRules {
    fn default() -> Self {
        Self {
            routing: Routing::LongestIdle,
            priority: 0,
            weight: 1,
            ring_ms: 15_000,
            line_max: LINE_MAX,
            relax: vec![],
            overflow: vec![],
            targets: Targets::default(),
            wrap_up: WrapUp::default(),
            callback: Callbacks::default(),
            preference: Preference::default(),
            transfers: Transfers::default(),
            reopen_wait_ms: 300_000,
        }
    }
}

impl Default for Callbacks {
    fn default() -> Self {
        Self {
            attempts: 3,
            retry_ms: 300_000,
        }
    }
}

impl Default for Preference {
    /// Whoever gave a contact an owner wants them to have each other.
    fn default() -> Self {
        Self {
            whom: PreferredAgent::Owner,
            wait_ms: 30_000,
            even_away: false,
        }
    }
}

impl Default for Transfers {
    fn default() -> Self {
        Self {
            agents: true,
            services: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sales() -> ServiceId {
        "vendas".parse().expect("an id")
    }

    #[test]
    fn rules_that_cannot_work_are_refused_with_their_reason() {
        let with = |change: fn(&mut ServiceRules)| {
            let mut rules = Rules::default();
            let mut service = ServiceRules::default();
            change(&mut service);
            rules.services.insert(sales(), service);
            rules.check()
        };
        assert_eq!(with(|_| {}), Ok(()));
        assert_eq!(
            with(|service| service.weight = 0),
            Err(RulesError::Weight(sales()))
        );
        assert_eq!(
            with(|service| service.ring_ms = RING_MS_MIN - 1),
            Err(RulesError::Short {
                field: "ring",
                least_ms: RING_MS_MIN
            })
        );
        assert_eq!(
            with(|service| service.wrap_up.mandatory = true),
            Err(RulesError::NothingToChoose(sales()))
        );
        let step = |after_ms| Relax { after_ms, by: 1 };
        let mut backwards = Rules::default();
        let service = ServiceRules {
            relax: vec![step(20), step(10)],
            ..ServiceRules::default()
        };
        backwards.services.insert(sales(), service);
        let error = backwards.check().expect_err("backwards");
        assert_eq!(
            (&error, error.field()),
            (&RulesError::Order(sales()), "relax")
        );
        let nowhere: ServiceId = "nada".parse().expect("an id");
        assert_eq!(
            with(|service| service.overflow.push(Overflow {
                when: OverflowWhen::Length(3),
                then: OverflowThen::Service("nada".parse().expect("an id")),
            })),
            Err(RulesError::NoSuchService {
                from: sales(),
                to: nowhere
            })
        );
        let mut free = Rules::default();
        free.costs.chat = 0;
        assert_eq!(free.check(), Err(RulesError::Cost(Medium::Chat)));
    }

    #[test]
    fn of_several_lengths_the_longest_that_is_reached_counts() {
        let rule = |limit, then| Overflow {
            when: OverflowWhen::Length(limit),
            then,
        };
        let service = ServiceRules {
            overflow: vec![
                rule(20, OverflowThen::Close),
                rule(5, OverflowThen::OfferCallback),
            ],
            ..ServiceRules::default()
        };
        assert_eq!(service.overflow_by_length(4), None);
        assert_eq!(
            service.overflow_by_length(19),
            Some(&OverflowThen::OfferCallback)
        );
        assert_eq!(service.overflow_by_length(20), Some(&OverflowThen::Close));
    }

    #[test]
    fn rules_go_through_json_and_missing_parts_are_the_usual_ones() {
        let rules: Rules =
            serde_json::from_str(r#"{"services": {"vendas": {"routing": "ring_all"}}}"#)
                .expect("rules");
        assert_eq!(rules.services[&sales()].routing, Routing::RingAll);
        assert_eq!(rules.services[&sales()].ring_ms, 15_000);
        assert_eq!(rules.costs, Costs::default());
        let text = serde_json::to_string(&rules).expect("json");
        assert_eq!(serde_json::from_str::<Rules>(&text).expect("rules"), rules);
    }
}

//! How a service treats its work and its calls, as the API takes it.

use std::collections::BTreeMap;

use desk::disposition::{Action, Disposition};
use desk::id::{CompanyId, FlowId, NumberId, PromptId, ServiceId};
use desk::rules::{
    Callbacks, Overflow, OverflowThen, OverflowWhen, Preference, PreferredAgent, Relax, Routing,
    Rules, ServiceRules, Targets, WrapUp,
};
use serde::{Deserialize, Serialize};
use store::services::{self, CallSettings};
use store::{AnyExecutor, Page};

use super::body::within;
use super::desk_settings::{refused, seconds};
use super::problem::Problem;
use super::skills::TransferRights;

/// How a service treats its work; what is not set is as usual.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(example = json!({"routing": "longest_idle", "targets": {"answer_s": 20}, "overflow": [{"after_s": 60, "then": "callback"}]}))]
pub(super) struct WorkRules {
    /// Who of the free agents is offered work: `longest_idle`, `round_robin`, `least_occupied`,
    /// `fewest_handled` or `ring_all`.
    #[schema(value_type = String)]
    routing: Routing,
    /// Points of priority for all its work.
    priority: i16,
    /// How much faster its work ages than that of other services, for agents of several.
    weight: u32,
    targets: WorkTargets,
    /// How the levels of wanted skills relax with waiting, in order of time.
    relax: Vec<RelaxStep>,
    /// What happens to those who wait too long or are too many.
    overflow: Vec<OverflowRule>,
    /// Whether an agent must choose a disposition after each conversation.
    disposition_mandatory: bool,
    /// The codes to choose from: `id`, `name`, and either `children` or `fields` and `actions`.
    #[schema(value_type = Vec<Object>)]
    dispositions: Vec<Disposition>,
    callback: CallbackRules,
    preferred: PreferredRule,
    /// Where its work may be handed to.
    transfers: TransferRights,
    /// How long work that comes back at a date waits for the agent who closed it, in seconds.
    reopen_wait_s: u32,
}

/// What a service wants to reach.
#[derive(Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WorkTargets {
    /// Within so many seconds an agent should have it.
    answer_s: Option<u32>,
    /// Who leaves sooner than this does not count as abandoned.
    abandon_s: Option<u32>,
    /// Within so many seconds an agent should reply to what the customer wrote.
    message_s: Option<u32>,
}

/// After so much waiting, wanted levels are so much lower.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RelaxStep {
    after_s: u32,
    by: u8,
}

/// What happens after so many seconds, or when so many wait already.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OverflowRule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after_s: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    length: Option<u32>,
    then: OverflowDeed,
    /// Which service, where it goes over to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    service: Option<ServiceId>,
}

/// What overflow does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum OverflowDeed {
    /// Wanted skills that are not fixed are not needed any more.
    RelaxSkills,
    /// The work goes over to another service, with its place by arrival.
    Service,
    /// The customer is asked whether they want to be called back.
    Callback,
    /// The wait is over, with the message for unanswered calls.
    Close,
}

/// How customers are called back.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CallbackRules {
    /// How often the customer is called before we give up.
    attempts: u32,
    /// How long after an attempt that failed the next may be, in seconds.
    retry_s: u32,
}

/// Which agent a customer has first.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PreferredRule {
    /// Who of those who know the customer: `nobody`, `owner` (of the contact), `last` (who had them
    /// last) or `owner_or_last`.
    #[schema(value_type = String)]
    agent: PreferredAgent,
    /// How long the customer waits for them before the whole service may have the work, in seconds.
    wait_s: u32,
    /// Whether the customer waits even while they are offline or paused.
    #[serde(default)]
    even_away: bool,
}

/// How a service treats its calls; what is not set is as usual.
#[derive(Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ServiceCalls {
    recording: RecordingWord,
    /// What customers are told before their calls are recorded.
    #[schema(value_type = Option<String>)]
    recording_notice: Option<PromptId>,
    /// The flow that asks customers how it was, when the agent has left.
    #[schema(value_type = Option<String>)]
    survey: Option<FlowId>,
    /// The number that its calls to customers show; the company's when not set.
    #[schema(value_type = Option<String>)]
    caller_number: Option<NumberId>,
    /// Whether those who wait are told how long they will probably wait, with each announcement.
    say_wait: bool,
    /// The key by which who waits asks to be called back: `0` to `9`, `*` or `#`.
    callback_key: Option<String>,
}

/// Whether calls are recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RecordingWord {
    /// Not at all.
    #[default]
    Off,
    /// From the moment in which an agent answers.
    Always,
    /// When an agent or a supervisor says so.
    OnDemand,
}

impl Default for WorkRules {
    fn default() -> Self {
        Self::of(ServiceRules::default())
    }
}

impl WorkRules {
    pub(super) fn of(rules: ServiceRules) -> Self {
        let maybe = |span: Option<i64>| span.map(seconds);
        Self {
            routing: rules.routing,
            priority: rules.priority,
            weight: rules.weight,
            targets: WorkTargets {
                answer_s: maybe(rules.targets.answer_ms),
                abandon_s: maybe(rules.targets.abandon_ms),
                message_s: maybe(rules.targets.message_ms),
            },
            relax: rules
                .relax
                .iter()
                .map(|step| RelaxStep {
                    after_s: seconds(step.after_ms),
                    by: step.by,
                })
                .collect(),
            overflow: rules.overflow.into_iter().map(OverflowRule::of).collect(),
            disposition_mandatory: rules.wrap_up.mandatory,
            dispositions: rules.wrap_up.dispositions,
            callback: CallbackRules {
                attempts: rules.callback.attempts,
                retry_s: seconds(rules.callback.retry_ms),
            },
            preferred: PreferredRule {
                agent: rules.preference.whom,
                wait_s: seconds(rules.preference.wait_ms),
                even_away: rules.preference.even_away,
            },
            transfers: rules.transfers.into(),
            reopen_wait_s: seconds(rules.reopen_wait_ms),
        }
    }

    pub(super) fn read(self) -> Result<ServiceRules, Problem> {
        let span = |value: u32, field: &str| {
            within(value, 0, DAY_S, field).map(|value| i64::from(value) * 1_000)
        };
        let maybe = |value: Option<u32>, field| value.map(|value| span(value, field)).transpose();
        let steps = self.relax.iter().map(|step| {
            Ok(Relax {
                after_ms: span(step.after_s, "rules.relax.after_s")?,
                by: step.by,
            })
        });
        Ok(ServiceRules {
            routing: self.routing,
            priority: self.priority,
            weight: within(self.weight, 0, 1_000, "rules.weight")?,
            targets: Targets {
                answer_ms: maybe(self.targets.answer_s, "rules.targets.answer_s")?,
                abandon_ms: maybe(self.targets.abandon_s, "rules.targets.abandon_s")?,
                message_ms: maybe(self.targets.message_s, "rules.targets.message_s")?,
            },
            relax: steps.collect::<Result<_, Problem>>()?,
            overflow: self
                .overflow
                .into_iter()
                .map(OverflowRule::read)
                .collect::<Result<_, Problem>>()?,
            wrap_up: WrapUp {
                mandatory: self.disposition_mandatory,
                dispositions: named(self.dispositions)?,
                ..WrapUp::default()
            },
            callback: Callbacks {
                attempts: within(self.callback.attempts, 1, 20, "rules.callback.attempts")?,
                retry_ms: span(self.callback.retry_s, "rules.callback.retry_s")?,
            },
            preference: Preference {
                whom: self.preferred.agent,
                wait_ms: span(self.preferred.wait_s, "rules.preferred.wait_s")?,
                even_away: self.preferred.even_away,
            },
            transfers: self.transfers.into(),
            reopen_wait_ms: span(self.reopen_wait_s, "rules.reopen_wait_s")?,
            ..ServiceRules::default()
        })
    }
}

/// Codes and fields that an agent can read, or a refusal.
fn named(tree: Vec<Disposition>) -> Result<Vec<Disposition>, Problem> {
    fn is_named(tree: &[Disposition]) -> bool {
        tree.iter().all(|code| {
            let fields = code.fields.iter().map(|field| &field.name);
            let names = fields.chain([&code.name]);
            names.into_iter().all(|name| !name.trim().is_empty()) && is_named(&code.children)
        })
    }
    if is_named(&tree) {
        Ok(tree)
    } else {
        Err(Problem::field("rules.dispositions", "invalid_name"))
    }
}

impl OverflowRule {
    fn of(rule: Overflow) -> Self {
        let (after_s, length) = match rule.when {
            OverflowWhen::WaitedMs(after) => (Some(seconds(after)), None),
            OverflowWhen::Length(length) => (None, u32::try_from(length).ok()),
        };
        let (then, service) = match rule.then {
            OverflowThen::RelaxSkills => (OverflowDeed::RelaxSkills, None),
            OverflowThen::Service(service) => (OverflowDeed::Service, Some(service)),
            OverflowThen::OfferCallback => (OverflowDeed::Callback, None),
            OverflowThen::Close => (OverflowDeed::Close, None),
        };
        Self {
            after_s,
            length,
            then,
            service,
        }
    }

    fn read(self) -> Result<Overflow, Problem> {
        let wrong = |field: &str| Problem::field(field, "invalid_rules");
        let when = match (self.after_s, self.length) {
            (Some(after), None) => {
                let after = within(after, 0, DAY_S, "rules.overflow.after_s")?;
                OverflowWhen::WaitedMs(i64::from(after) * 1_000)
            }
            (None, Some(length)) => OverflowWhen::Length(length as usize),
            (Some(_), Some(_)) | (None, None) => return Err(wrong("rules.overflow.after_s")),
        };
        let then = match (self.then, self.service) {
            (OverflowDeed::RelaxSkills, None) => OverflowThen::RelaxSkills,
            (OverflowDeed::Service, Some(service)) => OverflowThen::Service(service),
            (OverflowDeed::Callback, None) => OverflowThen::OfferCallback,
            (OverflowDeed::Close, None) => OverflowThen::Close,
            (OverflowDeed::Service, None)
            | (OverflowDeed::RelaxSkills | OverflowDeed::Callback | OverflowDeed::Close, Some(_)) =>
            {
                return Err(wrong("rules.overflow.service"));
            }
        };
        Ok(Overflow { when, then })
    }
}

impl ServiceCalls {
    pub(super) fn of(row: &services::Service) -> Self {
        Self {
            recording: match row.calls.recording.as_str() {
                "always" => RecordingWord::Always,
                "on_demand" => RecordingWord::OnDemand,
                _ => RecordingWord::Off,
            },
            recording_notice: row.recording_notice.clone(),
            survey: row.survey.clone(),
            caller_number: row.caller_number.clone(),
            say_wait: row.calls.say_wait,
            callback_key: row.calls.callback_key.clone(),
        }
    }

    /// Puts it into the row.
    pub(super) fn read(self, row: &mut services::Service) -> Result<(), Problem> {
        let mut signs = self.callback_key.iter().flat_map(|key| key.chars());
        let known = signs.all(|sign| sign.is_ascii_digit() || "*#".contains(sign));
        let alone = self.callback_key.as_ref().is_none_or(|key| key.len() == 1);
        if !(known && alone) {
            return Err(Problem::field("calls.callback_key", "invalid_key"));
        }
        let recording = match self.recording {
            RecordingWord::Off => "off",
            RecordingWord::Always => "always",
            RecordingWord::OnDemand => "on_demand",
        };
        row.calls = CallSettings {
            recording: recording.to_owned(),
            say_wait: self.say_wait,
            callback_key: self.callback_key,
        };
        row.recording_notice = self.recording_notice;
        row.survey = self.survey;
        row.caller_number = self.caller_number;
        Ok(())
    }
}

/// Looks for what cannot work among the other services of the company, and for what belongs to
/// another.
pub(super) async fn check(
    db: &mut store::Transaction,
    company: &CompanyId,
    row: &services::Service,
) -> Result<(), Problem> {
    let mut rules = Rules {
        services: every(&mut **db, company)
            .await?
            .into_iter()
            .map(|other| (other.id, ServiceRules::default()))
            .collect::<BTreeMap<_, _>>(),
        ..Rules::default()
    };
    let known = |service: &ServiceId| rules.services.contains_key(service) || *service == row.id;
    if !row.rules.transfers.services.iter().flatten().all(known) {
        return Err(Problem::field("rules.transfers.services", "reference"));
    }
    rules.services.insert(row.id.clone(), row.rules.clone());
    rules.check().map_err(|error| refused(&error, "rules."))?;
    let foreign = |field: &str| Problem::field(field, "reference");
    if let Some(prompt) = &row.recording_notice {
        let found = store::prompts::by_id(&mut **db, company, prompt).await?;
        found.ok_or_else(|| foreign("calls.recording_notice"))?;
    }
    if let Some(flow) = &row.survey {
        let found = store::flows::by_id(&mut **db, company, flow).await?;
        found.ok_or_else(|| foreign("calls.survey"))?;
    }
    let mut named = Vec::new();
    flows_of(&row.rules.wrap_up.dispositions, &mut named);
    for flow in named {
        let id = flow.parse().map_err(|_| foreign("rules.dispositions"))?;
        let found = store::flows::by_id(&mut **db, company, &id).await?;
        found.ok_or_else(|| foreign("rules.dispositions"))?;
    }
    if let Some(number) = &row.caller_number {
        let found = store::numbers::by_id(&mut **db, company, number).await?;
        found.ok_or_else(|| foreign("calls.caller_number"))?;
    }
    Ok(())
}

/// Whether the rules of another service lead to this one.
pub(super) async fn is_named(
    db: &mut store::Transaction,
    company: &CompanyId,
    service: &ServiceId,
) -> Result<bool, Problem> {
    let others = every(&mut **db, company).await?.into_iter();
    let mut others = others.filter(|other| other.id != *service);
    Ok(others.any(|other| {
        let mut overflow = other.rules.overflow.iter();
        let to = OverflowThen::Service(service.clone());
        let transfers = other.rules.transfers.services.iter().flatten();
        overflow.any(|rule| rule.then == to) || transfers.into_iter().any(|to| to == service)
    }))
}

async fn every(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
) -> Result<Vec<services::Service>, Problem> {
    Ok(services::list(db, company, &Page::first()).await?)
}

/// Nobody waits longer for a person.
const DAY_S: u32 = 24 * 3_600;

/// The flows that the actions of a tree name.
fn flows_of<'a>(tree: &'a [Disposition], named: &mut Vec<&'a str>) {
    for code in tree {
        named.extend(code.actions.iter().filter_map(|action| match action {
            Action::Survey(flow) | Action::ReturnToBot(flow) => Some(flow.as_str()),
            Action::Message(_) | Action::Reopen(_) => None,
        }));
        flows_of(&code.children, named);
    }
}

//! `/flows/{id}/try`: a flow tried without a call, at any moment, with keys written down before.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::routing::post;
use axum::{Json, Router};
use desk::id::FlowId;
use ivr::hours::Calendar;
use ivr::machine::trial::{self, End, Exit, KEYS_MAX, Place, Script, Trial, Tried};
use ivr::machine::{Caller, Spoken};
use ivr::{CalendarId, Key, Library, NodeId, Now, ServiceId, Session};
use jiff::Timestamp;
use media_engine_net::clock;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::App;
use super::body::{Body, Id};
use super::findings::{Finding, shown};
use super::flows;
use super::problem::{Problem, ProblemBody, Tongue};
use super::who::{Reads, Tenant};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/flows/{id}/try", post(try_flow))
}

/// A call that is not made.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"at_ms": 1_766_970_000_000_i64, "keys": ["2", "", "12345#"],
    "exits": {"order": {"fetched": {"status": 200, "body": {"state": "shipped"}}}}}))]
pub(super) struct Attempt {
    /// When; now when not set.
    at_ms: Option<i64>,
    /// What is typed at each question, in order; an empty text is silence. At most 200.
    #[serde(default)]
    keys: Vec<String>,
    /// Who calls; withheld when not set.
    #[serde(default)]
    from: String,
    /// What is dialled.
    #[serde(default)]
    to: String,
    /// The flow, by `/schemas/flow.json`; the draft when not set.
    #[schema(value_type = Option<Object>)]
    document: Option<Value>,
    /// What happens outside, by node: `answered`, `unanswered`, `closed`, `busy`, `no-answer`, `failed`,
    /// `ended`, `{"fetched": {"status", "body"}}`, `{"recorded": seconds}`. No system is asked: without
    /// an answer here a look-up fails. Who waits or dials without one ends the trial.
    #[serde(default)]
    #[schema(value_type = Object)]
    exits: BTreeMap<NodeId, Exit>,
}

/// What came of it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Outcome {
    /// What happened, in order.
    steps: Vec<TrialStep>,
    end: TrialEnd,
    /// How many entries of `keys` were taken.
    keys_taken: usize,
    /// What is wrong with the flow, as `/validate` says it.
    findings: Vec<Finding>,
}

/// One thing that happened. What does not belong to it is left out.
#[derive(Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrialStep {
    at_ms: i64,
    /// Since the flow began.
    after_ms: u64,
    flow: String,
    node: String,
    /// `entered`, `said`, `heard`, `pressed`, `repeated`, `collected`, `invalid`, `silent`, `gave-up`, `hours`,
    /// `queued`, `queue-ended`, `dialled`, `dial-ended`, `not-asked`, `looked-up`, `set`, `branched`, `recorded`,
    /// `went-to`, `returned`, `failed` or `hung-up`.
    #[serde(default)]
    did: String,
    /// Of the node that was entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// What was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    say: Option<Vec<TrialSaid>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digits: Option<String>,
    /// How often the answer was wrong or missing so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interrupted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<bool>,
    /// The holiday or date of the company's own that it is closed for.
    #[serde(skip_serializing_if = "Option::is_none")]
    holiday: Option<String>,
    /// When the hours that were read change.
    #[serde(skip_serializing_if = "Option::is_none")]
    until_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    /// The flow that was gone to.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// What people call that service or flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// How a wait or a dialled call ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    result: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    succeeded: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    took_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variable: Option<String>,
    /// The case of a condition that held, counted from 0; nothing when none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// The calendar that does not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    calendar: Option<String>,
    /// Why the flow ended the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

/// Something that was said.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrialSaid {
    /// `prompt`, `text`, or `words` that ship.
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<String>,
    /// What people call the prompt; nothing when it does not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The words; empty for a recording that nobody noted the words of.
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice: Option<String>,
}

/// How it ended, and where.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct TrialEnd {
    flow: String,
    node: String,
    /// `waits-for-key`, `queued`, `answered`, `dialled`, `hung-up`, or `too-long` to be shown.
    how: String,
    /// The keys that lead somewhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<char>,
    /// Which digits are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    digits: Option<TrialDigits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    /// What people call the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The number or extension that is dialled.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// Why the flow ended the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    cause: Option<ivr::Cause>,
}

/// Which digits a question asks for.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct TrialDigits {
    min: u8,
    max: u8,
    /// The key that ends them early.
    terminator: Option<char>,
}

/// Try a flow without a call
///
/// Walks the draft as a call would, at the moment and with the keys that are given: nobody is dialled and no
/// system is asked. It stops where a question waits and `keys` has no more: add one and ask again.
#[utoipa::path(post, path = "/api/v1/flows/{id}/try", tag = "flows",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = Attempt,
    responses((status = 200, body = Outcome), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn try_flow(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<FlowId>,
    headers: HeaderMap,
    Body(asked): Body<Attempt>,
) -> Result<Json<Outcome>, Problem> {
    let row = flows::find(&app, &tenant, &id).await?;
    let at_ms = asked.at_ms.unwrap_or_else(|| app.now_ms());
    let wall = Timestamp::from_millisecond(at_ms);
    let wall = wall.map_err(|_| Problem::field("at_ms", "invalid_time"))?;
    let keys = typed(&asked.keys)?;
    let flow = flows::parse(asked.document.as_ref().unwrap_or(&row.draft))?;
    let findings = flows::judge(&app, &tenant, &id, &flow).await?;
    let around = Around::load(&app, &tenant).await?;
    let first = ivr::FlowId::new(id.as_str());
    let mut library = around.library.clone();
    library.flows.insert(first.clone(), Arc::new(flow));
    let caller = Caller {
        from: asked.from,
        to: asked.to,
        protocol: String::new(),
    };
    let session = Session::new(Arc::new(library), &first, &caller)
        .map_err(|error| Problem::unavailable(&error))?;
    let script = Script {
        keys: keys.into(),
        exits: asked.exits,
        services: around.services.clone(),
    };
    let now = Now {
        instant: clock::now(),
        wall,
    };
    let trial = trial::run(session, now, script);
    Ok(Json(Outcome {
        keys_taken: trial.keys_taken,
        end: around.end(&trial),
        steps: around.steps(trial.steps)?,
        findings: shown(&findings, Tongue::of(headers.get(header::ACCEPT_LANGUAGE))),
    }))
}

/// The keys of each entry.
fn typed(entries: &[String]) -> Result<Vec<Vec<Key>>, Problem> {
    if entries.len() > KEYS_MAX {
        return Err(Problem::field("keys", "out_of_range").because(format!("{KEYS_MAX} at most")));
    }
    let keys = |entry: &String| entry.chars().map(Key::new).collect::<Option<Vec<Key>>>();
    let keys: Option<Vec<Vec<Key>>> = entries.iter().map(keys).collect();
    keys.ok_or_else(|| Problem::field("keys", "invalid").because("0-9, *, # or A-D"))
}

/// What flows of a company may lead to, and what people call it.
struct Around {
    library: Library,
    services: BTreeMap<ServiceId, Option<CalendarId>>,
    service_names: BTreeMap<String, String>,
    flow_names: BTreeMap<String, String>,
    /// The name and the words of each prompt.
    prompts: BTreeMap<String, (String, String)>,
}

impl Around {
    async fn load(app: &App, tenant: &Tenant) -> Result<Self, Problem> {
        let db = app.store.pool();
        let mut library = Library::default();
        for row in store::flows::all_published(db).await? {
            if let (true, Ok(flow)) = (
                row.company == tenant.company,
                ivr::Flow::deserialize(&row.definition),
            ) {
                let id = row.flow.as_str().into();
                library.flows.insert(id, Arc::new(flow));
            }
        }
        for row in store::calendars::all(db).await? {
            if let (true, Ok(hours)) = (
                row.company == tenant.company,
                serde_json::from_value::<Calendar>(row.hours),
            ) {
                let id = row.id.as_str().into();
                library.calendars.insert(id, Arc::new(hours));
            }
        }
        let (mut services, mut service_names) = (BTreeMap::new(), BTreeMap::new());
        for row in store::services::all(db).await? {
            if row.company == tenant.company {
                if !row.disabled {
                    let calendar = row.calendar.as_ref().map(|id| id.as_str().into());
                    services.insert(row.id.as_str().into(), calendar);
                }
                service_names.insert(row.id.to_string(), row.name);
            }
        }
        let prompts = store::prompts::all(db).await?.into_iter();
        let prompts = prompts.filter(|row| row.company == tenant.company);
        Ok(Self {
            library,
            services,
            service_names,
            flow_names: flows::names_of(app, tenant).await?,
            prompts: prompts
                .map(|row| (row.id.to_string(), (row.name, row.text)))
                .collect(),
        })
    }

    fn steps(&self, steps: Vec<Tried>) -> Result<Vec<TrialStep>, Problem> {
        let step = |tried| {
            self.step(tried)
                .map_err(|error| Problem::unavailable(&error))
        };
        steps.into_iter().map(step).collect()
    }

    fn step(&self, tried: Tried) -> serde_json::Result<TrialStep> {
        Ok(match tried {
            Tried::Step { step, until } => {
                let mut did = serde_json::to_value(&step.did)?;
                // Of a step, `flow` is where it happened.
                if let Some(fields) = did.as_object_mut() {
                    if let Some(target) = fields.remove("flow") {
                        fields.insert("target".to_owned(), target);
                    }
                    let place = Place {
                        at: step.at,
                        after_ms: step.after_ms,
                        flow: step.flow,
                        node: step.node,
                    };
                    if let Value::Object(at) = stand(&place) {
                        fields.extend(at);
                    }
                }
                let mut shown: TrialStep = serde_json::from_value(did)?;
                shown.until_ms = until.map(|until| until.as_millisecond());
                let service = shown.service.as_ref();
                let flow = shown.target.as_ref();
                shown.name = service
                    .and_then(|id| self.service_names.get(id))
                    .or_else(|| flow.and_then(|id| self.flow_names.get(id)))
                    .cloned();
                shown
            }
            Tried::Said { at, items, .. } => TrialStep {
                did: "said".to_owned(),
                say: Some(self.said(&items)),
                ..serde_json::from_value(stand(&at))?
            },
            Tried::NotAsked { at, method, url } => TrialStep {
                did: "not-asked".to_owned(),
                method: Some(serde_json::from_value(json!(method))?),
                url: Some(url),
                ..serde_json::from_value(stand(&at))?
            },
        })
    }

    /// What was said; words that ship are one text.
    fn said(&self, items: &[Spoken]) -> Vec<TrialSaid> {
        let mut said: Vec<TrialSaid> = vec![];
        for item in items {
            let (kind, prompt, name, text, voice) = match item {
                Spoken::Prompt(id) => {
                    let known = self.prompts.get(id.as_str()).cloned();
                    let (name, text) =
                        known.map_or((None, String::new()), |(name, text)| (Some(name), text));
                    ("prompt", Some(id.to_string()), name, text, None)
                }
                Spoken::Text { text, voice } => {
                    let voice = voice.as_ref().map(ToString::to_string);
                    ("text", None, None, text.clone(), voice)
                }
                Spoken::Word(word) => {
                    if let Some(last) = said.last_mut().filter(|last| last.kind == "words") {
                        last.text.push(' ');
                        last.text.push_str(&word.text);
                        continue;
                    }
                    ("words", None, None, word.text.to_string(), None)
                }
            };
            said.push(TrialSaid {
                kind: kind.to_owned(),
                prompt,
                name,
                text,
                voice,
            });
        }
        said
    }

    fn end(&self, trial: &Trial) -> TrialEnd {
        let (flow, node) = match &trial.place {
            Some((flow, node)) => (flow.to_string(), node.to_string()),
            None => (String::new(), String::new()),
        };
        let mut end = TrialEnd {
            flow,
            node,
            how: String::new(),
            keys: vec![],
            digits: None,
            service: None,
            name: None,
            to: None,
            cause: None,
        };
        end.how = match &trial.end {
            End::WaitsForKey { keys, digits } => {
                end.keys = keys.iter().map(|key| key.face()).collect();
                end.digits = digits.as_ref().map(|digits| TrialDigits {
                    min: digits.min,
                    max: digits.max,
                    terminator: digits.terminator.map(Key::face),
                });
                "waits-for-key"
            }
            End::Queued { service } => {
                end.service = Some(service.to_string());
                end.name = self.service_names.get(service.as_str()).cloned();
                "queued"
            }
            End::Answered => "answered",
            End::Dialled { to } => {
                let (ivr::Destination::Number(to) | ivr::Destination::Extension(to)) = to;
                end.to = Some(to.clone());
                "dialled"
            }
            End::HungUp { cause } => {
                end.cause = Some(*cause);
                "hung-up"
            }
            End::TooLong => "too-long",
        }
        .to_owned();
        end
    }
}

/// When and where, as a step shows it.
fn stand(place: &Place) -> Value {
    json!({
        "at_ms": place.at.as_millisecond(), "after_ms": place.after_ms,
        "flow": place.flow, "node": place.node,
    })
}

//! `/live`: what happens in a company, as it happens, over a WebSocket.
//!
//! First everything as it is, then each change with a count. Who comes back with the last count they
//! heard (`?since=`) gets what they missed, or everything anew where that is not held any more.

use std::slice;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{FromRequestParts, Request};
use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;
use axum::routing::get;
use desk::id::{CompanyId, InteractionId, ServiceId, UserId, WorkId};
use desk::output::{Output as Told, Toward, WaitEnd};
use exchange::voice::{LiveEvent, LiveSnapshot, OfferSeen, QueueSeen};
use media_engine_net::clock;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::App;
use super::agents::{Agent, Waiting};
use super::body::Asked;
use super::calls::Call;
use super::problem::{Problem, ProblemBody};
use super::who::{Access, By, Tenant};
use LiveMessageEvent as Event;

use crate::live::{Feed, Place, Read, Reader};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/live", get(watch))
}

/// One thing that is told. Of an agent, a caller who waits, a service or a call it is always how it
/// is now, whole.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct LiveMessage {
    /// The count: what comes next has a higher one. Send the last as `?since=` to go on from there.
    seq: u64,
    #[serde(flatten)]
    event: LiveMessageEvent,
}

/// What is told.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum LiveMessageEvent {
    /// Everything as it is: the first that one gets, unless one goes on from a count.
    Snapshot {
        agents: Vec<Agent>,
        queues: Vec<Queue>,
        waiting: Vec<InLine>,
        offers: Vec<Offer>,
        calls: Vec<Call>,
    },
    /// Nothing happened, and the connection lives: every 25 seconds.
    Alive,
    /// An agent is so now.
    Agent { agent: Agent },
    /// A service is so now: at most once a second.
    Queue { queue: Queue },
    /// A customer waits so now.
    Waiting { waiting: InLine },
    /// A customer is in the line of this service no more.
    Left {
        #[schema(value_type = String)]
        work: WorkId,
        #[schema(value_type = String)]
        service: ServiceId,
        /// `answered`, `abandoned`, `closed` or `moved`.
        end: &'static str,
        /// Who answered.
        #[schema(value_type = Option<String>)]
        agent: Option<UserId>,
        /// Where they wait now.
        #[schema(value_type = Option<String>)]
        to: Option<ServiceId>,
        waited_ms: i64,
    },
    /// A call is so now.
    Call { call: Call },
    /// A call is over.
    CallEnded {
        #[schema(value_type = String)]
        interaction: InteractionId,
    },
    /// There is another message in a written interaction.
    Message {
        #[schema(value_type = String)]
        interaction: InteractionId,
        /// Its number: ask for what comes after the last one you have.
        message_seq: u32,
    },
    /// A colleague noted something about an interaction.
    Note {
        #[schema(value_type = String)]
        interaction: InteractionId,
        /// Who is to see it at once.
        #[schema(value_type = Vec<String>)]
        mentions: Vec<UserId>,
    },
    /// The customer of a written interaction types, or stopped. To be believed for six seconds.
    Typing {
        #[schema(value_type = String)]
        interaction: InteractionId,
        on: bool,
    },
    /// A colleague reads a written interaction, writes in it, or has left it, which one has in hand or is
    /// offered. To be believed for six seconds.
    Beside {
        #[schema(value_type = String)]
        interaction: InteractionId,
        #[schema(value_type = String)]
        by: UserId,
        name: String,
        /// `reading`, `typing` or `gone`.
        doing: &'static str,
    },
    /// Something is offered to an agent.
    Offer { offer: Offer },
    /// An offer stands no more.
    OfferEnded {
        offer: u64,
        #[schema(value_type = String)]
        work: WorkId,
        #[schema(value_type = String)]
        agent: UserId,
        /// `accepted`, `refused`, `lapsed`, `unreachable` …
        end: &'static str,
    },
    /// Something else happened at the desk.
    Desk {
        /// `returned`, `transferred`, `target_missed`, `wrap_up`, `wrap_up_overdue`, `finished`,
        /// `pause_overdue`, `callback` …
        what: &'static str,
        #[schema(value_type = Option<String>)]
        work: Option<WorkId>,
        #[schema(value_type = Option<String>)]
        agent: Option<UserId>,
        /// The particulars, by what it is.
        #[schema(value_type = Object)]
        detail: serde_json::Value,
    },
}

/// A customer who waits, and where.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct InLine {
    #[schema(value_type = String)]
    service: ServiceId,
    #[serde(flatten)]
    waiting: Waiting,
}

/// An offer that stands.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Offer {
    offer: u64,
    #[schema(value_type = String)]
    work: WorkId,
    #[schema(value_type = String)]
    interaction: InteractionId,
    #[schema(value_type = String)]
    service: ServiceId,
    #[schema(value_type = String)]
    agent: UserId,
    /// When it lapses.
    until_ms: i64,
}

/// A service as it is now.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Queue {
    #[schema(value_type = String)]
    service: ServiceId,
    waiting: usize,
    /// When the one came who waits longest.
    oldest_ms: Option<i64>,
    /// How long the last in the line will probably wait yet.
    expected_ms: Option<i64>,
    /// Agents who take its work now.
    available: usize,
    /// Agents of it who are paused.
    paused: usize,
    today: Today,
}

/// What came of those who waited today, since the program began.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Today {
    answered: u32,
    /// Of these, within the target of the service.
    in_target: u32,
    /// Of these, later.
    late: u32,
    abandoned: u32,
    closed: u32,
    moved: u32,
}

/// How to go on.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Since {
    /// The last count that was heard.
    since: Option<u64>,
}

impl From<OfferSeen> for Offer {
    fn from(seen: OfferSeen) -> Self {
        Self {
            offer: seen.offer.0,
            work: seen.work,
            interaction: seen.interaction,
            service: seen.service,
            agent: seen.agent,
            until_ms: seen.until_ms,
        }
    }
}

impl From<QueueSeen> for Queue {
    fn from(seen: QueueSeen) -> Self {
        Self {
            service: seen.service,
            waiting: seen.waiting,
            oldest_ms: seen.oldest_ms,
            expected_ms: seen.expected_ms,
            available: seen.available,
            paused: seen.paused,
            today: Today {
                answered: seen.today.answered,
                in_target: seen.today.in_target,
                late: seen.today.late,
                abandoned: seen.today.abandoned,
                closed: seen.today.closed,
                moved: seen.today.moved,
            },
        }
    }
}

impl From<LiveEvent> for Event {
    fn from(event: LiveEvent) -> Self {
        match event {
            LiveEvent::Agent(seen) => Self::Agent {
                agent: (*seen).into(),
            },
            LiveEvent::Queue(seen) => Self::Queue { queue: seen.into() },
            LiveEvent::Waiting { service, seen } => Self::Waiting {
                waiting: InLine {
                    service,
                    waiting: seen.into(),
                },
            },
            LiveEvent::Call { seen, .. } => Self::Call {
                call: (*seen).into(),
            },
            LiveEvent::CallEnded { interaction, .. } => Self::CallEnded { interaction },
            LiveEvent::Message {
                interaction, seq, ..
            } => Self::Message {
                interaction,
                message_seq: seq,
            },
            LiveEvent::Noted {
                interaction,
                mentions,
                ..
            } => Self::Note {
                interaction,
                mentions,
            },
            LiveEvent::Typing {
                interaction, on, ..
            } => Self::Typing { interaction, on },
            LiveEvent::Beside {
                interaction,
                by,
                name,
                doing,
                ..
            } => Self::Beside {
                interaction,
                by,
                name,
                doing,
            },
            LiveEvent::Offered(seen) => Self::Offer { offer: seen.into() },
            LiveEvent::Happened(told) => happened(*told),
        }
    }
}

/// What the desk tells, in the API's words.
fn happened(told: Told) -> Event {
    let desk = |what, work, agent, detail| Event::Desk {
        what,
        work,
        agent,
        detail,
    };
    match told {
        Told::WaitEnded {
            work,
            service,
            waited_ms,
            end,
        } => {
            let (end, agent, to) = match end {
                WaitEnd::Answered { agent, .. } => ("answered", Some(agent), None),
                WaitEnd::Abandoned { .. } => ("abandoned", None, None),
                WaitEnd::Closed(_) => ("closed", None, None),
                WaitEnd::Moved { to } => ("moved", None, Some(to)),
            };
            Event::Left {
                work,
                service,
                end,
                agent,
                to,
                waited_ms,
            }
        }
        Told::OfferEnded {
            offer,
            work,
            agent,
            end,
        } => Event::OfferEnded {
            offer: offer.0,
            work,
            agent,
            end: end.as_str(),
        },
        // It did not stand any more when it was looked at: its end follows.
        Told::Offered {
            work,
            agent,
            until_ms,
            ..
        } => desk(
            "offered",
            Some(work),
            Some(agent),
            json!({ "until_ms": until_ms }),
        ),
        Told::Returned { work, agent, why } => desk(
            "returned",
            Some(work),
            Some(agent),
            json!({ "why": why.as_str() }),
        ),
        Told::SkillsRelaxed { work } => desk("skills_relaxed", Some(work), None, json!({})),
        Told::CallbackSuggested { work } => desk("callback_suggested", Some(work), None, json!({})),
        Told::CallBack {
            work,
            agent,
            attempt,
            ..
        } => desk(
            "callback",
            Some(work),
            Some(agent),
            json!({ "attempt": attempt }),
        ),
        Told::CallbackResting {
            work,
            attempts,
            until_ms,
        } => {
            let detail = json!({ "attempts": attempts, "until_ms": until_ms });
            desk("callback_resting", Some(work), None, detail)
        }
        Told::Transferred { work, from, toward } => {
            let detail = match toward {
                Toward::Service(service) => json!({ "service": service }),
                Toward::Agent { agent, .. } => json!({ "agent": agent }),
            };
            desk("transferred", Some(work), Some(from), detail)
        }
        Told::TargetMissed {
            work,
            service,
            target,
        } => {
            let detail = json!({ "service": service, "target": target.as_str() });
            desk("target_missed", Some(work), None, detail)
        }
        Told::WrapUpBegan {
            work,
            agent,
            until_ms,
            mandatory,
        } => {
            let detail = json!({ "until_ms": until_ms, "mandatory": mandatory });
            desk("wrap_up", Some(work), Some(agent), detail)
        }
        Told::WrapUpOverdue { work, agent } => {
            desk("wrap_up_overdue", Some(work), Some(agent), json!({}))
        }
        Told::Finished {
            work,
            agent,
            reopens_ms,
            ..
        } => {
            let detail = json!({ "reopens_ms": reopens_ms });
            desk("finished", Some(work), Some(agent), detail)
        }
        Told::Reopened { work } => desk("reopened", Some(work), None, json!({})),
        Told::PresenceChanged {
            agent,
            lost_until_ms,
            ..
        } => {
            let detail = json!({ "lost_until_ms": lost_until_ms });
            desk("presence", None, Some(agent), detail)
        }
        Told::PauseOverdue { agent, .. } => desk("pause_overdue", None, Some(agent), json!({})),
        // Saves are not told.
        Told::Save(_) => desk("saved", None, None, json!({})),
    }
}

/// One thing that is told, as it goes on the wire.
pub(crate) fn live_text(seq: u64, event: LiveEvent) -> String {
    text(seq, event.into())
}

fn text(seq: u64, event: Event) -> String {
    // Keys are text and numbers finite: this cannot fail.
    serde_json::to_string(&LiveMessage { seq, event }).unwrap_or_default()
}

/// Everything that one may see.
fn snapshot_text(seen: LiveSnapshot, reader: &Reader) -> String {
    let (agents, offers) = (seen.agents.into_iter(), seen.offers.into_iter());
    let agents = agents.filter(|agent| reader.sees(slice::from_ref(&agent.id), &agent.services));
    let offers = offers.filter(|offer| {
        reader.sees(
            slice::from_ref(&offer.agent),
            slice::from_ref(&offer.service),
        )
    });
    let calls = seen.calls.into_iter().filter(|call| {
        let users: Vec<UserId> = call.users().into_iter().collect();
        reader.sees(&users, call.service.as_slice())
    });
    let about = |service: &ServiceId| reader.sees(&[], slice::from_ref(service));
    let queues = seen.queues.into_iter();
    let queues = queues.filter(|queue| about(&queue.service));
    let waiting = seen.waiting.into_iter();
    let waiting = waiting.filter(|(service, _)| about(service));
    let event = Event::Snapshot {
        agents: agents.map(Agent::from).collect(),
        queues: queues.map(Queue::from).collect(),
        waiting: waiting
            .map(|(service, seen)| InLine {
                service,
                waiting: seen.into(),
            })
            .collect(),
        offers: offers.map(Offer::from).collect(),
        calls: calls.map(Call::from).collect(),
    };
    text(seen.seq, event)
}

/// Watch what happens
///
/// A WebSocket. The first message is a snapshot, or with `since` what was missed, or a snapshot where
/// that is not held any more. People who may read the company see everything of it, agents what is
/// their own. Browsers show their cookie, and must be on a page of this host. The connection is
/// closed with 4001 for whoever is too slow, and with 4003 for whoever may not watch any more.
#[utoipa::path(get, path = "/api/v1/live", tag = "agents",
    params(Since, ("company" = Option<String>, Query)),
    responses((status = 101, description = "The messages follow.", body = LiveMessage), (status = 400, description = "This is no WebSocket.", body = ProblemBody), (status = 403, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(super) async fn watch(
    State(app): State<App>,
    tenant: Tenant,
    Asked(asked): Asked<Since>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade =
        upgrade.map_err(|error| Problem::malformed("malformed").because(error.body_text()))?;
    if !is_own_page(&headers, matches!(tenant.by, By::User { .. })) {
        return Err(Problem::forbidden());
    }
    let place = app.telephony.live().place();
    let place = place.ok_or_else(Problem::crowded)?;
    let watcher = Watcher::new(app, &tenant, headers, uri, place)?;
    // An idle socket is to cost kilobytes: what comes from there is next to nothing.
    Ok(upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(HEARD_BYTES_MAX)
        .max_frame_size(HEARD_BYTES_MAX)
        .on_upgrade(move |socket| watcher.run(socket, asked.since)))
}

/// Whether the page that opens the socket is one of ours: a browser sends the cookie wherever the
/// page is from, and says from where. Other systems say nothing.
pub(super) fn is_own_page(headers: &HeaderMap, by_cookie: bool) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text("origin") else {
        return !by_cookie;
    };
    let Some((_, page)) = origin.split_once("://") else {
        return false;
    };
    let hosts = [text(header::HOST.as_str()), text("x-forwarded-host")];
    hosts
        .into_iter()
        .flatten()
        .any(|host| host.eq_ignore_ascii_case(page))
}

/// Somebody who watches.
struct Watcher {
    app: App,
    company: CompanyId,
    /// What they see.
    reader: Reader,
    /// Who is there as long as they watch.
    user: Option<UserId>,
    feed: Arc<Feed>,
    /// With what they showed who they are, to look again.
    headers: HeaderMap,
    uri: Uri,
    _place: Place,
}

/// Why watching ends.
enum Over {
    /// They are gone.
    Gone,
    /// They are told why.
    Close(u16, &'static str),
}

impl Watcher {
    fn new(
        app: App,
        tenant: &Tenant,
        headers: HeaderMap,
        uri: Uri,
        place: Place,
    ) -> Result<Self, Problem> {
        let user = match &tenant.by {
            By::User { user, .. } => Some(user.id.clone()),
            By::Key(_) => None,
        };
        let reader = reader(tenant)?;
        Ok(Self {
            company: tenant.company.clone(),
            reader,
            user,
            feed: app.telephony.live().feed(&tenant.company),
            headers,
            uri,
            _place: place,
            app,
        })
    }

    async fn run(self, mut socket: WebSocket, since: Option<u64>) {
        self.connected(true).await;
        let over = self.tell(&mut socket, since).await;
        self.connected(false).await;
        if let Over::Close(code, reason) = over {
            let frame = CloseFrame {
                code,
                reason: reason.into(),
            };
            let _ = timeout(SEND_TIME, socket.send(Message::Close(Some(frame)))).await;
        }
    }

    /// The desk is told when somebody opens their first socket, and when their last one is gone.
    async fn connected(&self, is_there: bool) {
        let Some(user) = self.user.clone() else {
            return;
        };
        let company = self.company.clone();
        if is_there && self.feed.connect(&user) {
            let told = self.app.telephony.look(move |voice, now| {
                voice.agent_connected(now, &company, &user);
            });
            let _ = told.await; // A program that ends has no desk.
        } else if !is_there && self.feed.disconnect(&user) {
            let told = self.app.telephony.look(move |voice, now| {
                voice.agent_connection_lost(now, &company, &user);
            });
            let _ = told.await;
        }
    }

    async fn tell(&self, socket: &mut WebSocket, since: Option<u64>) -> Over {
        let mut news = self.feed.listen();
        let begun = match since.filter(|seq| self.feed.holds(*seq)) {
            Some(seq) => Ok(seq),
            None => self.begin(socket).await,
        };
        let mut seq = match begun {
            Ok(seq) => seq,
            Err(over) => return over,
        };
        let now = Instant::from_std(clock::now());
        let mut beat = interval_at(now + HEARTBEAT, HEARTBEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut heard, mut beats) = (clock::now(), 0_u32);
        loop {
            match self.read_on(socket, seq).await {
                Ok(read) => seq = read,
                Err(over) => return over,
            }
            tokio::select! {
                changed = news.changed() => if changed.is_err() {
                    return Over::Close(close_code::AWAY, "the program ends");
                },
                message = socket.recv() => match message {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Over::Gone,
                    Some(Ok(_)) => heard = clock::now(),
                },
                _ = beat.tick() => {
                    if clock::now().duration_since(heard) > SILENCE_MAX {
                        return Over::Gone;
                    }
                    beats += 1;
                    if beats.is_multiple_of(LOOK_AGAIN_BEATS) && !self.still_may().await {
                        return Over::Close(NOT_ANY_MORE, "you may not watch any more");
                    }
                    let alive = Message::Text(text(seq, Event::Alive).into());
                    if let Err(over) = send(socket, alive).await {
                        return over;
                    }
                    if let Err(over) = send(socket, Message::Ping(Default::default())).await {
                        return over;
                    }
                }
            }
        }
    }

    /// Sends everything as it is; returns its count.
    async fn begin(&self, socket: &mut WebSocket) -> Result<u64, Over> {
        let company = self.company.clone();
        let seen = self
            .app
            .telephony
            .look(move |voice, now| voice.live(now, &company))
            .await;
        let seen = seen.map_err(|_| Over::Close(close_code::AWAY, "the program ends"))?;
        let seq = seen.seq;
        let text = snapshot_text(seen, &self.reader);
        send(socket, Message::Text(text.into())).await?;
        Ok(seq)
    }

    /// Sends what there is behind `seq`; returns how far that leads.
    async fn read_on(&self, socket: &mut WebSocket, mut seq: u64) -> Result<u64, Over> {
        loop {
            match self.feed.read(seq, &self.reader) {
                Read::Nothing => return Ok(seq),
                Read::Gone => return Err(TOO_SLOW),
                Read::Events { texts, seq: read } => {
                    for text in texts {
                        send(socket, Message::Text(text)).await?;
                    }
                    seq = read;
                }
            }
        }
    }

    /// Whether the session or key still stands, and sees the same.
    async fn still_may(&self) -> bool {
        let mut request = Request::new(());
        *request.headers_mut() = self.headers.clone();
        *request.uri_mut() = self.uri.clone();
        let (mut parts, ()) = request.into_parts();
        match Tenant::from_request_parts(&mut parts, &self.app).await {
            Ok(tenant) => {
                let reads = reader(&tenant).is_ok_and(|reader| reader == self.reader);
                tenant.company == self.company && reads
            }
            // What is away will be there again.
            Err(problem) => problem.is_ours(),
        }
    }
}

/// What somebody sees of a company.
fn reader(tenant: &Tenant) -> Result<Reader, Problem> {
    let seen = tenant.may(Access::Read);
    match (&tenant.by, seen, &tenant.only) {
        (_, Ok(()), None) => Ok(Reader::All),
        (By::User { user, .. }, Ok(()), Some(only)) => Ok(Reader::Some {
            user: user.id.clone(),
            services: only.clone(),
        }),
        (By::User { user, .. }, Err(_), _) => Ok(Reader::Some {
            user: user.id.clone(),
            services: vec![],
        }),
        (By::Key(_), _, _) => Err(Problem::forbidden()),
    }
}

async fn send(socket: &mut WebSocket, message: Message) -> Result<(), Over> {
    match timeout(SEND_TIME, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Over::Gone),
        Err(_) => Err(TOO_SLOW),
    }
}

const TOO_SLOW: Over = Over::Close(4001, "too slow: connect again");

/// Whoever watches may not any more.
const NOT_ANY_MORE: u16 = 4003;

/// How often a silent connection shows that it lives: proxies cut those that are idle for a minute.
const HEARTBEAT: Duration = Duration::from_secs(25);

/// A browser answers each heartbeat; two are missing.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// How long one message may take to go out. Who reads so slowly is better off beginning anew.
const SEND_TIME: Duration = Duration::from_secs(10);

/// How often it is looked whether somebody may still watch, in heartbeats: a bit more than a minute.
const LOOK_AGAIN_BEATS: u32 = 3;

/// What is read at once: pongs.
const READ_BUFFER: usize = 1_024;

/// The largest that may come: nothing is expected.
const HEARD_BYTES_MAX: usize = 1_024;

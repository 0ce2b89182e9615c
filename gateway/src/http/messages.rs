//! `/interactions/{id}/messages`: what was written in an interaction, and writing.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use channels::event::{Content, Delivery};
use desk::id::{InteractionId, MessageId};
use desk::record::Direction;
use exchange::voice::Holder;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::conversations::{self, Conversation};
use store::{interactions, messages};

use super::App;
use super::body::{Asked, Body, Id};
use super::files::{self, FileOfMessage};
use super::problem::{Problem, ProblemBody};
use super::who::{Access, By, Tenant};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/interactions/{id}/messages", get(list).post(send))
}

/// One utterance.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Message {
    #[schema(value_type = String)]
    id: MessageId,
    /// Its number in the conversation, which may go through several interactions.
    seq: u32,
    /// `inbound`, or `outbound`.
    #[schema(value_type = String)]
    direction: Direction,
    /// Who wrote: `kind` (`customer`, `agent`, `system`), `id`, `name`.
    #[schema(value_type = Object)]
    author: Value,
    /// What: by its `kind` (`text`, `media` …).
    #[schema(value_type = Object)]
    content: Value,
    /// Its files.
    attachments: Vec<FileOfMessage>,
    /// The channel's id of it.
    external_id: Option<String>,
    /// The channel's id of the message that it answers.
    reply_to: Option<String>,
    /// When it was written, by the channel's clock.
    sent_ms: Option<i64>,
    /// When it came to us.
    at_ms: i64,
    /// How far it came, of ours: `queued`, `accepted`, `delivered`, `read`, `failed` …
    state: Option<String>,
    /// Why no further.
    #[schema(value_type = Option<Object>)]
    failure: Option<Value>,
}

impl From<messages::Message> for Message {
    fn from(row: messages::Message) -> Self {
        Self {
            id: row.id,
            seq: row.seq,
            direction: row.direction,
            author: row.author,
            content: row.content,
            attachments: vec![],
            external_id: row.external_id,
            reply_to: row.reply_to,
            sent_ms: row.sent_ms,
            at_ms: row.at_ms,
            state: row.state,
            failure: row.failure,
        }
    }
}

/// Messages, in their order.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct MessageList {
    items: Vec<Message>,
}

/// Which messages.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct After {
    /// Those behind this number; all when not set, 500 at a time.
    #[serde(default)]
    after_seq: u32,
}

/// A message to send.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"client_message_id": "0199f3c2-7a54-7cc3-98e4-3f0b2c5d1e6a", "text": "Vou verificar."}))]
pub(super) struct Sending {
    /// Your id of it: sent again under the same id it is the same message.
    client_message_id: String,
    /// The words.
    text: String,
    /// The message of the customer that it answers.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    reply_to: Option<MessageId>,
}

async fn holder(app: &App, tenant: &Tenant, id: &InteractionId) -> Result<Holder, Problem> {
    let (company, interaction) = (tenant.company.clone(), id.clone());
    let holder = app
        .telephony
        .look(move |voice, now| voice.holder(now, &company, &interaction))
        .await;
    holder.map_err(|stopped| Problem::unavailable(&stopped))
}

/// Whoever reads records may read them; an agent those that they have in hand or are offered.
pub(super) async fn may_read(
    app: &App,
    tenant: &Tenant,
    id: &InteractionId,
) -> Result<(), Problem> {
    let By::User { user, .. } = &tenant.by else {
        return tenant.may(Access::Read);
    };
    let own = match holder(app, tenant, id).await? {
        Holder::Agent(agent) => agent == user.id,
        Holder::Offered(agents) => agents.contains(&user.id),
        Holder::Nobody => false,
    };
    if own {
        Ok(())
    } else {
        tenant.may(Access::Read)
    }
}

/// Read what was written
#[utoipa::path(get, path = "/api/v1/interactions/{id}/messages", operation_id = "list_messages", tag = "records",
    params(("id" = String, Path), After, ("company" = Option<String>, Query)),
    responses((status = 200, body = MessageList), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<InteractionId>,
    Asked(after): Asked<After>,
) -> Result<Json<MessageList>, Problem> {
    may_read(&app, &tenant, &id).await?;
    let (db, company) = (app.store.pool(), &tenant.company);
    let found = interactions::by_id(db, company, &id).await?;
    found.ok_or_else(Problem::not_found)?;
    let rows = messages::list(db, company, &id, after.after_seq, store::PAGE_MAX).await?;
    let mut files = files::of_interaction(&app, company, &id).await?;
    let items = rows.into_iter().map(|row| Message {
        attachments: files.remove(&row.id).unwrap_or_default(),
        ..Message::from(row)
    });
    Ok(Json(MessageList {
        items: items.collect(),
    }))
}

/// Write to the customer
///
/// The agent who has the interaction in hand, or another system that may write. It is on its way when
/// this is answered; `state` says how far it came.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/messages", operation_id = "send_message", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = Sending,
    responses((status = 200, body = Message), (status = 201, body = Message), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn send(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<InteractionId>,
    Body(asked): Body<Sending>,
) -> Result<(StatusCode, Json<Message>), Problem> {
    let author = author(&app, &tenant, &id).await?;
    check(&asked)?;
    let company = &tenant.company;
    let mut db = app.store.begin().await?;
    // From here on the conversation is ours: who sends the same at once comes after us.
    let talk = conversations::next_of(&mut *db, company, &id).await?;
    let same = asked.client_message_id.as_str();
    if let Some(same) = messages::by_client_id(&mut *db, company, &id, same).await? {
        return Ok((StatusCode::OK, Json(same.into())));
    }
    let Some(talk) = talk else {
        let found = interactions::by_id(&mut *db, company, &id).await?;
        found.ok_or_else(Problem::not_found)?;
        return Err(Problem::conflict("not_open"));
    };
    let reply_to = match &asked.reply_to {
        Some(wanted) => Some(answered(&mut db, &talk, wanted).await?),
        None => None,
    };
    let row = messages::Message {
        id: app.id(MessageId::new),
        company: company.clone(),
        conversation: talk.id,
        seq: talk.seq,
        interaction: id.clone(),
        direction: Direction::Outbound,
        author,
        // Text always becomes JSON.
        content: json!(Content::Text { text: asked.text }),
        client_id: Some(asked.client_message_id),
        external_id: None,
        reply_to,
        sent_ms: None,
        at_ms: app.now_ms(),
        state: Some(Delivery::Queued.as_str().to_owned()),
        failure: None,
    };
    conversations::write(&mut db, &row, None).await?;
    db.commit().await?;
    app.channels.wake();
    let (company, seq) = (company.clone(), row.seq);
    let told = app
        .telephony
        .look(move |voice, now| voice.handle_reply(now, &company, &id, seq))
        .await;
    if let Err(error) = told {
        // It is sent all the same.
        tracing::warn!(%error, "the desk does not know of a reply");
    }
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Who writes, if they may.
pub(super) async fn author(
    app: &App,
    tenant: &Tenant,
    id: &InteractionId,
) -> Result<Value, Problem> {
    match &tenant.by {
        By::Key(key) => {
            tenant.may(Access::Write)?;
            Ok(json!({ "kind": "system", "id": key }))
        }
        By::User { user, .. } => {
            let holder = holder(app, tenant, id).await?;
            if holder != Holder::Agent(user.id.clone()) {
                return Err(Problem::forbidden());
            }
            Ok(json!({ "kind": "agent", "id": user.id, "name": user.name }))
        }
    }
}

fn check(asked: &Sending) -> Result<(), Problem> {
    let id = &asked.client_message_id;
    let is_odd = |letter: char| letter.is_whitespace() || letter.is_control();
    if id.is_empty() || id.len() > CLIENT_ID_BYTES_MAX || id.contains(is_odd) {
        return Err(Problem::field("client_message_id", "invalid_client_id"));
    }
    let text = &asked.text;
    if text.trim().is_empty() || text.len() > TEXT_BYTES_MAX || text.contains('\0') {
        return Err(Problem::field("text", "invalid_text"));
    }
    Ok(())
}

/// The channel's id of a message in the same conversation.
async fn answered(
    db: &mut store::Transaction,
    talk: &Conversation,
    wanted: &MessageId,
) -> Result<String, Problem> {
    let found = messages::by_id(&mut **db, &talk.company, wanted).await?;
    let own = found.filter(|found| found.conversation == talk.id);
    let external = own.and_then(|found| found.external_id);
    external.ok_or_else(|| Problem::field("reply_to", "reference"))
}

/// A UUID has 36.
const CLIENT_ID_BYTES_MAX: usize = 64;

/// What the generic channel takes.
const TEXT_BYTES_MAX: usize = channels::generic::receive::TEXT_BYTES_MAX;

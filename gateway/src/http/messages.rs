//! `/interactions/{id}/messages`: what was written in an interaction, and writing.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use channels::capabilities::Capabilities;
use channels::connector::Refusal;
use channels::event::{Delivery, MediaSource};
use channels::failure::{Advice, Failure};
use channels::send::{OutContent, OutMedia, OutTemplate};
use channels::template::{Template, Values};
use desk::explain::Language;
use desk::id::{AttachmentId, ChannelId, CompanyId, InteractionId, MessageId};
use desk::record::Direction;
use exchange::voice::Holder;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::attachments::Attachment;
use store::channels::Channel;
use store::conversations::{self, Conversation};
use store::{interactions, messages, trail};

use super::App;
use super::body::{Asked, Body, Id};
use super::enclosures;
use super::files::{self, FileOfMessage};
use super::problem::{Problem, ProblemBody};
use super::who::{Access, By, Tenant};
use crate::channels::email::heading::{Heading, Odd};
use crate::channels::outbound::{self, Writing, has_provider};
use crate::channels::settings::EMAIL;
use crate::channels::webchat::WEBCHAT;
use crate::channels::{facts, is_unwanted, settings};

pub(super) fn routes() -> Router<App> {
    let one = "/api/v1/interactions/{id}";
    Router::new()
        .route(&format!("{one}/messages"), get(list).post(send))
        .route(&format!("{one}/messages/{{message}}/resend"), post(resend))
        .route(&format!("{one}/composer"), get(composer))
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
    /// Why no further: `class`, `advice`, the provider's `code` and words; and in `sentence` what the agent
    /// is to do.
    #[schema(value_type = Option<Object>)]
    failure: Option<Value>,
    /// What was put on it, by `customer` and by `company`.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reactions: Option<Value>,
    /// What it said before it was written anew, oldest first.
    #[schema(value_type = Option<Vec<Object>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    edits: Option<Value>,
    /// When it was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_ms: Option<i64>,
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
            failure: row.failure.map(explained),
            reactions: row.reactions,
            edits: row.edits,
            revoked_ms: row.revoked_ms,
        }
    }
}

/// A failure with what the agent is to do about it.
pub(super) fn explained(mut failure: Value) -> Value {
    let told: Option<Failure> = serde_json::from_value(failure.clone()).ok();
    if let Some(told) = told {
        failure["sentence"] = json!(told.advice.sentence(Language::PtBr));
    }
    failure
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

/// A message to send: one of `text`, `content` and `template`; or files, alone, with `text` below them, or
/// one above a `template`.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"client_message_id": "0199f3c2-7a54-7cc3-98e4-3f0b2c5d1e6a", "text": "Vou verificar."}))]
pub(super) struct Sending {
    /// Your id of it: sent again under the same id it is the same message.
    client_message_id: String,
    /// Words.
    #[serde(default)]
    text: Option<String>,
    /// Anything else that the channel carries, by its `kind`; `composer` says what this channel takes.
    /// `location`: `latitude`, `longitude`, `name`, `address`. `choices`: `body`, `footer`, `open` (what opens
    /// the list), `choices` of `id`, `title`, `description`. `reaction`: `message` (its id, ours or the
    /// channel's), `emoji` (left out: taken away). `ask_phone` and `ask_location`: `text`. Files are laid
    /// down and named in `attachments`.
    #[serde(default)]
    #[schema(value_type = Option<Object>, example = json!({"kind": "choices", "body": "Resolvido?",
        "choices": [{"id": "sim", "title": "Sim"}, {"id": "nao", "title": "Não"}]}))]
    content: Option<OutContent>,
    /// Words that were approved beforehand, filled in.
    #[serde(default)]
    template: Option<Filled>,
    /// Files that were laid down before (their `upload_id`). `composer` says how many fit in one message.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    attachments: Vec<AttachmentId>,
    /// Whether a sound was spoken for this message, and is shown so.
    #[serde(default)]
    voice: bool,
    /// The message of the customer that it answers.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    reply_to: Option<MessageId>,
    /// What stands above it, where the channel is a mailbox.
    #[serde(default)]
    mail: Option<MailHeading>,
}

/// What stands above a mail instead of what would by itself.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"subject": "Segunda via do boleto", "cc": ["financeiro@loja.example"]}))]
pub(super) struct MailHeading {
    /// What it is about, 250 characters at most; what the conversation is about when not set.
    #[serde(default)]
    subject: Option<String>,
    /// Addresses of who else gets it, 20 at most; those of the mail that it answers, as the mailbox is set,
    /// when not set.
    #[serde(default)]
    cc: Option<Vec<String>>,
    /// Addresses of who else gets it without the others knowing, 20 at most.
    #[serde(default)]
    bcc: Vec<String>,
}

/// A template with its values.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "retorno_atendimento", "language": "pt_BR", "values": {"body": {"nome": "Ana"}}}))]
pub(super) struct Filled {
    pub(super) name: String,
    /// As the provider writes it (`pt_BR`).
    pub(super) language: String,
    /// By their places: `header`, `body`, `buttons`.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(super) values: Values,
}

/// What may be written in an interaction now.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Composer {
    #[schema(value_type = String)]
    channel: ChannelId,
    /// What the channel is: `generic`, `whatsapp` …
    kind: String,
    /// What the channel carries, with its limits.
    #[schema(value_type = Object)]
    capabilities: Value,
    /// Whether anything may be written, or templates only. Without a window always.
    open: bool,
    /// For how long anything may be written, in milliseconds.
    open_left_ms: Option<i64>,
    /// For how long messages are free by an advertisement, in milliseconds.
    free_left_ms: Option<i64>,
}

async fn holder(app: &App, tenant: &Tenant, id: &InteractionId) -> Result<Holder, Problem> {
    let (company, interaction) = (tenant.company.clone(), id.clone());
    let holder = app
        .telephony
        .look(move |voice, now| voice.holder(now, &company, &interaction))
        .await;
    holder.map_err(|stopped| Problem::unavailable(&stopped))
}

/// Whoever reads records may read them; an agent those that they have in hand or are offered, and those
/// about which a note names them.
pub(super) async fn may_read(
    app: &App,
    tenant: &Tenant,
    id: &InteractionId,
) -> Result<(), Problem> {
    let By::User { user, .. } = &tenant.by else {
        return tenant.may(Access::Read);
    };
    if tenant.may(Access::Read).is_ok() && tenant.reach(app, id).await.is_ok() {
        return Ok(());
    }
    let own = match holder(app, tenant, id).await? {
        Holder::Agent(agent) => agent == user.id,
        Holder::Offered(agents) => agents.contains(&user.id),
        Holder::Nobody => false,
    };
    if own || trail::mentions(app.store.pool(), id, &user.id).await? {
        Ok(())
    } else {
        Err(Problem::forbidden())
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
    shown(&app, company, &id, after).await
}

/// What was written in an interaction.
pub(super) async fn shown(
    app: &App,
    company: &CompanyId,
    id: &InteractionId,
    after: After,
) -> Result<Json<MessageList>, Problem> {
    let pool = app.store.pool();
    let rows = messages::list(pool, company, id, after.after_seq, store::PAGE_MAX).await?;
    let mut files = files::of_interaction(app, company, id).await?;
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
    Body(mut asked): Body<Sending>,
) -> Result<(StatusCode, Json<Message>), Problem> {
    let author = author(&app, &tenant, &id).await?;
    check(&asked)?;
    let company = &tenant.company;
    let mut db = app.store.begin().await?;
    // From here on the conversation is ours: who sends the same at once comes after us.
    let talk = conversations::next_of(&mut *db, company, &id).await?;
    let same = asked.client_message_id.as_str();
    if let Some(same) = messages::by_client_id(&mut *db, company, &id, same).await? {
        let text = asked.text.as_deref();
        if text.is_some_and(|text| asked.attachments.is_empty() && same.content["text"] != *text) {
            return Err(Problem::conflict("key_reused").at("client_message_id"));
        }
        return Ok((StatusCode::OK, Json(same.into())));
    }
    let Some(talk) = talk else {
        let found = interactions::by_id(&mut *db, company, &id).await?;
        found.ok_or_else(Problem::not_found)?;
        return Err(Problem::conflict("not_open"));
    };
    let channel = store::channels::of_work(&mut *db, &talk.channel).await?;
    let channel = channel.ok_or_else(Problem::not_found)?;
    let reply_to = match &asked.reply_to {
        Some(wanted) => Some(answered(&mut db, &talk, wanted).await?),
        None => None,
    };
    let client_id = Some(asked.client_message_id.clone());
    let mail = asked.mail.take();
    let mail = mail.map(|mail| heading(&channel, mail)).transpose()?;
    let capabilities = capabilities(&app, &channel);
    let files = (company, &id);
    let files = enclosures::laid_down(&mut db, files, &asked.attachments, &capabilities).await?;
    let mut content = content(&mut db, &channel, asked, (&files, &capabilities)).await?;
    if let OutContent::Reaction { message, emoji } = &mut content {
        if !emoji.as_deref().is_none_or(is_emoji) {
            return Err(Problem::field("content.emoji", "invalid"));
        }
        // By our id, or by the channel's own.
        let wanted = message.parse::<MessageId>();
        let of_ours = match &wanted {
            Ok(wanted) => answered(&mut db, &talk, wanted).await.ok(),
            Err(_) => None,
        };
        if let Some(external) = of_ours {
            *message = external;
        } else {
            let known = messages::by_external(&mut *db, &channel.id, message).await?;
            known
                .filter(|known| known.conversation == talk.id)
                .ok_or_else(|| Problem::field("content.message", "reference"))?;
        }
    }
    if is_unwanted(&mut db, (company, talk.contact.as_ref()), &content).await? {
        return Err(unwanted());
    }
    if has_provider(&channel) {
        may_go(&app, (&channel, &talk), &content)?;
    }
    let writing = Writing {
        id: app.id(MessageId::new),
        interaction: id.clone(),
        author,
        content,
        mail,
        client_id,
        reply_to,
        at_ms: app.now_ms(),
    };
    let row = outbound::write(&mut db, &talk, writing).await?;
    enclosures::attach(&mut db, &row, &files).await?;
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
    let written = Message {
        attachments: files.into_iter().map(FileOfMessage::from).collect(),
        ..Message::from(row)
    };
    Ok((StatusCode::CREATED, Json(written)))
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

/// What is to stand above a mail.
fn heading(channel: &Channel, asked: MailHeading) -> Result<Heading, Problem> {
    if channel.kind != EMAIL {
        return Err(Problem::field("mail", "unsupported"));
    }
    let heading = Heading::read(asked.subject, asked.cc, &asked.bcc);
    heading.map_err(|Odd(field)| match field {
        "subject" => Problem::field("mail.subject", "invalid_text"),
        field => Problem::field(&format!("mail.{field}"), "invalid_email"),
    })
}

fn check(asked: &Sending) -> Result<(), Problem> {
    let id = &asked.client_message_id;
    let is_odd = |letter: char| letter.is_whitespace() || letter.is_control();
    if id.is_empty() || id.len() > CLIENT_ID_BYTES_MAX || id.contains(is_odd) {
        return Err(Problem::field("client_message_id", "invalid_client_id"));
    }
    let forms = [
        asked.text.is_some(),
        asked.content.is_some(),
        asked.template.is_some(),
    ];
    let forms = forms.into_iter().filter(|form| *form).count();
    let fits = match asked.attachments.is_empty() {
        true => forms == 1,
        false => asked.content.is_none() && forms <= 1,
    };
    if !fits {
        return Err(Problem::field("text", "invalid_text"));
    }
    match &asked.text {
        Some(text)
            if text.trim().is_empty() || text.len() > TEXT_BYTES_MAX || text.contains('\0') =>
        {
            Err(Problem::field("text", "invalid_text"))
        }
        Some(_) | None => Ok(()),
    }
}

/// What is to be sent, in the channels' words.
async fn content(
    db: &mut store::Transaction,
    channel: &Channel,
    asked: Sending,
    (files, capabilities): (&[Attachment], &Capabilities),
) -> Result<OutContent, Problem> {
    if let Some(mut filled) = asked.template {
        let above = enclosures::media(files, (None, false), capabilities);
        filled.values.header_media = above.or(filled.values.header_media);
        return Ok(OutContent::Template(template(db, channel, filled).await?));
    }
    let below = (asked.text.clone(), asked.voice);
    if let Some(media) = enclosures::media(files, below, capabilities) {
        return Ok(OutContent::Media(media));
    }
    if let Some(text) = asked.text {
        let preview = false;
        return Ok(OutContent::Text { text, preview });
    }
    match asked.content {
        // Nobody sends a file by an id that is not theirs.
        Some(OutContent::Media(OutMedia {
            source: MediaSource::Id(_),
            ..
        })) => Err(Problem::field("content", "reference")),
        Some(content) if has_provider(channel) => Ok(content),
        Some(content) if channel.kind == WEBCHAT => match capabilities.check(&content) {
            Ok(()) => Ok(content),
            Err(refusal) => Err(refused(&refusal)),
        },
        // The generic channel's webhook has words alone.
        Some(_) | None => Err(Problem::field("content", "unsupported")),
    }
}

/// A template of the channel with its values, or what is wrong with them.
pub(super) async fn template(
    db: &mut store::Transaction,
    channel: &Channel,
    filled: Filled,
) -> Result<OutTemplate, Problem> {
    let listed = store::templates::list(&mut **db, &channel.id).await?;
    let is_it = |one: &&store::templates::Template| {
        one.name == filled.name && one.language == filled.language
    };
    let found = listed.iter().find(is_it);
    let found = found.ok_or_else(|| Problem::field("template.name", "reference"))?;
    let found: Template = serde_json::from_value(found.template.clone())
        .map_err(|_| Problem::field("template.name", "reference"))?;
    found.fill(&filled.values).map_err(|problems| {
        let first = problems.first();
        let field = first.map(|problem| format!("template.values.{}", problem.field));
        let said: Vec<String> = problems
            .iter()
            .map(|problem| problem.sentence(Language::PtBr))
            .collect();
        Problem::field(&field.unwrap_or_default(), "invalid").because(said.join(" "))
    })
}

/// The customer wants no advertising.
pub(super) fn unwanted() -> Problem {
    let why = Advice::MarketingStopped.sentence(Language::PtBr);
    Problem::conflict("marketing_stopped").because(why)
}

/// Whether the provider will take this now, as far as that can be known here.
pub(super) fn may_go(
    app: &App,
    (channel, talk): (&Channel, &Conversation),
    content: &OutContent,
) -> Result<(), Problem> {
    let capabilities = settings::capabilities(channel, &app.secrets)
        .map_err(|error| Problem::conflict("not_set_up").because(error))?;
    if capabilities.window_ms.is_some()
        && let Err(closed) = facts(&talk.window).guard(content, app.now_ms())
    {
        return Err(
            Problem::conflict("window_closed").because(closed.advice.sentence(Language::PtBr))
        );
    }
    if let OutContent::Template(_) = content {
        return Ok(());
    }
    capabilities
        .check(content)
        .map_err(|refusal| refused(&refusal))
}

/// What a channel does not carry.
fn refused(refusal: &Refusal) -> Problem {
    Problem::field("content", refusal.code()).because(refusal.sentence(Language::PtBr))
}

/// What the channel carries.
fn capabilities(app: &App, channel: &Channel) -> Capabilities {
    settings::capabilities(channel, &app.secrets).unwrap_or(channels::generic::GENERIC)
}

/// See what may be written now
///
/// What the channel carries, and for how long anything may still be written.
#[utoipa::path(get, path = "/api/v1/interactions/{id}/composer", operation_id = "composer", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Composer), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn composer(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<InteractionId>,
) -> Result<Json<Composer>, Problem> {
    may_read(&app, &tenant, &id).await?;
    let (db, company) = (app.store.pool(), &tenant.company);
    let found = interactions::by_id(db, company, &id).await?;
    found.ok_or_else(Problem::not_found)?;
    let talk = conversations::of_interaction(db, &id).await?;
    let talk = talk.ok_or_else(Problem::not_found)?;
    let channel = store::channels::of_work(db, &talk.channel).await?;
    let channel = channel.ok_or_else(Problem::not_found)?;
    let capabilities = capabilities(&app, &channel);
    let left = capabilities
        .window_ms
        .map(|_| facts(&talk.window).left(app.now_ms()));
    Ok(Json(Composer {
        channel: channel.id,
        kind: channel.kind,
        capabilities: json!(capabilities),
        open: left.is_none_or(|left| left.open_ms > 0),
        open_left_ms: left.map(|left| left.open_ms),
        free_left_ms: left.map(|left| left.free_ms),
    }))
}

/// Send a message again of which nobody knows whether it went
///
/// A person decides: it is never sent again by itself.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/messages/{message}/resend", operation_id = "resend_message", tag = "records",
    params(("id" = String, Path), ("message" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn resend(
    State(app): State<App>,
    tenant: Tenant,
    Path((id, message)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let id: InteractionId = id.parse().map_err(|_| Problem::not_found())?;
    let message: MessageId = message.parse().map_err(|_| Problem::not_found())?;
    author(&app, &tenant, &id).await?;
    let mut db = app.store.begin().await?;
    let found = messages::by_id(&mut *db, &tenant.company, &message).await?;
    let found = found.filter(|found| found.interaction == id);
    let found = found.ok_or_else(Problem::not_found)?;
    let state = found.state.as_deref().unwrap_or_default();
    let again = [Delivery::Uncertain, Delivery::Failed]
        .into_iter()
        .any(|again| again.as_str() == state);
    if !again {
        return Err(Problem::conflict("not_failed"));
    }
    let step = (state, Delivery::Queued.as_str());
    if !messages::advance(&mut db, &found, step, None, app.now_ms()).await? {
        return Err(Problem::conflict("not_failed"));
    }
    let due = messages::Message {
        at_ms: app.now_ms(),
        ..found
    };
    store::outbox::put(&mut *db, &due).await?;
    db.commit().await?;
    app.channels.wake();
    Ok(StatusCode::NO_CONTENT)
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

/// Whether a text is one sign, as far as can be told without the tables of Unicode: `👍🏽`, `1️⃣`, `❤️`.
fn is_emoji(text: &str) -> bool {
    let is_letter = |letter: char| letter < '\u{2000}' && letter.is_alphabetic();
    (1..=EMOJI_CHARS_MAX).contains(&text.chars().count())
        && !text.is_ascii()
        && !text.contains(is_letter)
        && !text.contains(char::is_whitespace)
}

/// A family of four with its joiners has seven, a flag of a region as many.
const EMOJI_CHARS_MAX: usize = 12;

/// A UUID has 36.
const CLIENT_ID_BYTES_MAX: usize = 64;

/// What the generic channel takes.
const TEXT_BYTES_MAX: usize = channels::generic::receive::TEXT_BYTES_MAX;

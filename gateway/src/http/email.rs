//! `/email`, `/oauth/email` and the mails of messages: what only mailboxes and mails have.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use channels::email::compose::{Draft, Stamp, compose};
use channels::email::document::Document;
use channels::email::html::{self, Clean, FRAME_POLICY, FRAME_SANDBOX, Images, View};
use channels::email::{self as words, Address, Mail, Meeting, Note, Protection, Verdict, quote};
use channels::secret::Secret;
use channels::send::{Method, Request};
use desk::explain::Language;
use desk::id::{ChannelId, MessageId};
use gateway_net::fetch::Limits;
use gateway_net::mail::Credential;
use gateway_net::mail::advice::Advice;
use gateway_net::mail::check::{Report, Settings, check};
use gateway_net::mail::oauth;
use rand::Rng as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::channels::Channel;
use store::{channel_health, channels as rows, mailboxes, mails, messages};
use tokio::task::JoinSet;

use super::body::{Asked, Body, Id};
use super::channels::found;
use super::embedded::text;
use super::messages::may_read;
use super::problem::{Problem, ProblemBody, Tongue};
use super::protection::MayBeFramed;
use super::who::{Administers, By, Reads, Tenant};
use super::{App, Deed, generator};
use crate::channels::SigningSecrets;
use crate::channels::email::accounts::NoCredential;
use crate::channels::email::settings::{EmailSettings, LoginKind, PASSWORD, secret};
use crate::channels::settings::EMAIL;

pub(super) fn routes() -> Router<App> {
    let channel = "/api/v1/channels/{id}/email";
    Router::new()
        .route("/api/v1/email/check", post(check_settings))
        .route("/api/v1/email/preview", post(preview))
        .route(channel, get(mailbox))
        .route(&format!("{channel}/authorise"), post(authorise))
        .route("/oauth/email", get(authorised))
        .route("/api/v1/messages/{id}/mail", get(mail))
        .route("/api/v1/messages/{id}/mail/page", get(show))
        .route("/api/v1/messages/{id}/mail/original", get(original))
}

/// Settings of a mailbox, saved or not.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckRequest {
    settings: EmailSettings,
    /// The channel of which they are, if there is one: its password is taken where none is given and
    /// server and user are as before.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    channel: Option<ChannelId>,
}

/// What came of every step between us and a mailbox.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CheckReport {
    ok: bool,
    /// That all is well, or what to do first.
    headline: String,
    /// Each step in its order: `side` (`receiving`, `sending`), `step`, `outcome` (`ok`, `failed`,
    /// `not_reached`), `detail` (the server's own sentence), `certificate`, `advice`, and in `sentence`
    /// what that means.
    #[schema(value_type = Vec<Object>)]
    steps: Vec<Value>,
}

/// Try settings of a mailbox
///
/// Every step is taken: the name, the connection, TLS with its certificate, the log-in, the folder; and for
/// sending, whether a mail to oneself would be taken. None is sent, and nothing is marked as read.
#[utoipa::path(post, path = "/api/v1/email/check", operation_id = "check_email", tag = "channels",
    params(("company" = Option<String>, Query)), request_body = CheckRequest,
    responses((status = 200, body = CheckReport), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn check_settings(
    State(app): State<App>,
    Administers(tenant): Administers,
    headers: HeaderMap,
    Body(asked): Body<CheckRequest>,
) -> Result<Json<CheckReport>, Problem> {
    let mut settings = asked.settings;
    refuse_wrong(&settings)?;
    let before = match &asked.channel {
        Some(id) => Some(mail_channel(&app, &tenant, id).await?),
        None => None,
    };
    let kept = match &before {
        Some((channel, _)) => kept(&app, channel)?.account,
        None => Map::new(),
    };
    let secrets = settings.split(before.as_ref().map(|(_, settings)| settings), kept);
    let credential = match settings.login {
        LoginKind::Password => {
            let password = secret(&secrets, PASSWORD);
            if password.is_empty() {
                return Err(Problem::field("settings.password", "required"));
            }
            Credential::Password(password)
        }
        LoginKind::Google | LoginKind::Microsoft => {
            let channel = asked
                .channel
                .ok_or_else(|| Problem::field("channel", "required"))?;
            let credential = app.mail.accounts.credential(&channel, &settings).await;
            credential.map_err(|error| no_credential(&error))?
        }
    };
    let missing = |field: &str| Problem::field(&format!("settings.{field}"), "required");
    let account = settings
        .account(credential.clone())
        .ok_or_else(|| missing("receiving"))?;
    let sending = settings.sending().ok_or_else(|| missing("sending"))?;
    let login = settings.login_by(credential);
    let tried = Settings {
        account: &account,
        sending: &sending,
        sender: settings.sending_login.then_some(&login),
        address: &settings.address,
    };
    let report = check(&app.mail.dialer, &tried).await;
    Ok(Json(shown(&report, language(&headers))))
}

fn shown(report: &Report, language: Language) -> CheckReport {
    let step = |step: &gateway_net::mail::check::StepReport| {
        let mut shown = json!(step);
        if let Some(advice) = step.advice {
            shown["sentence"] = json!(advice.sentence(language));
        }
        shown
    };
    CheckReport {
        ok: report.is_ok(),
        headline: report.headline(language).to_owned(),
        steps: report.steps.iter().map(step).collect(),
    }
}

/// How a mailbox is read. Times are milliseconds since 1970 (UTC).
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct MailboxState {
    /// `ok`, `failing`, or `new` while it was never looked into.
    state: &'static str,
    /// When it was last looked into.
    pub(super) looked_ms: Option<i64>,
    /// Since when it cannot be.
    pub(super) failed_ms: Option<i64>,
    /// Why: `step`, `advice`, `text`, and in `sentence` what to do.
    #[schema(value_type = Option<Object>)]
    pub(super) failure: Option<Value>,
}

/// See how a mailbox is read
#[utoipa::path(get, path = "/api/v1/channels/{id}/email", operation_id = "read_mailbox", tag = "channels",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = MailboxState), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn mailbox(
    State(app): State<App>,
    Reads(tenant): Reads,
    Id(id): Id<ChannelId>,
    headers: HeaderMap,
) -> Result<Json<MailboxState>, Problem> {
    let (channel, _) = mail_channel(&app, &tenant, &id).await?;
    let state = state(&app, &channel, language(&headers)).await?;
    state.map(Json).ok_or_else(Problem::not_found)
}

/// How the mailbox of a channel is read; none of a channel that has none.
pub(super) async fn state(
    app: &App,
    channel: &Channel,
    language: Language,
) -> Result<Option<MailboxState>, Problem> {
    if channel.kind != EMAIL {
        return Ok(None);
    }
    let row = mailboxes::by_channel(app.store.pool(), &channel.id).await?;
    let (looked_ms, failed_ms) = row
        .as_ref()
        .map_or((None, None), |row| (row.looked_ms, row.failed_ms));
    let failure = row.and_then(|row| row.failure).map(|mut failure| {
        let advice = failure["advice"]
            .as_str()
            .and_then(|word| word.parse::<Advice>().ok());
        failure["sentence"] = json!(advice.map(|advice| advice.sentence(language)));
        failure
    });
    let state = match (failed_ms, looked_ms) {
        (Some(_), _) => "failing",
        (None, Some(_)) => "ok",
        (None, None) => "new",
    };
    Ok(Some(MailboxState {
        state,
        looked_ms,
        failed_ms,
        failure,
    }))
}

/// A signature, as its editor has it.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PreviewRequest {
    settings: EmailSettings,
    /// What the answer says above it; a sentence of ours when not set.
    #[serde(default)]
    text: Option<String>,
}

/// An answer as its customer gets it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Preview {
    /// The mail that would be sent, byte by byte, in base64.
    original: String,
    /// A page that shows it, for a frame with the sandbox of `frame`.
    page: String,
    /// The same for programs that show no HTML.
    text: String,
    frame: &'static str,
}

/// See an answer with a signature
///
/// Made and read again by what makes and reads the mails themselves.
#[utoipa::path(post, path = "/api/v1/email/preview", operation_id = "preview_email", tag = "channels",
    params(("company" = Option<String>, Query)), request_body = PreviewRequest,
    responses((status = 200, body = Preview), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn preview(
    State(app): State<App>,
    Administers(_tenant): Administers,
    headers: HeaderMap,
    Body(asked): Body<PreviewRequest>,
) -> Result<Json<Preview>, Problem> {
    let settings = asked.settings;
    refuse_wrong(&settings)?;
    let sample = match language(&headers) {
        Language::PtBr => ["Re: Seu pedido", "Olá! Seu pedido já está a caminho."],
        Language::En => ["Re: Your order", "Hello! Your order is on its way."],
        Language::Es => ["Re: Su pedido", "¡Hola! Su pedido está en camino."],
    };
    let [subject, text] = sample;
    let text = asked.text.unwrap_or_else(|| text.to_owned());
    let from =
        Address::parse(&settings.address).map(|from| from.named(settings.sender_name.clone()));
    let from = from.ok_or_else(|| Problem::field("settings.address", "invalid"))?;
    let draft = Draft {
        to: vec![from.clone()],
        from,
        reply_to: None,
        cc: vec![],
        bcc: vec![],
        subject: subject.to_owned(),
        body: Document::from_text(&text),
        signature: Some(settings.signature.clone()),
        quoted: None,
        parent: None,
        protocol: None,
        automatic: None,
    };
    let stamp = Stamp {
        message_id: "preview@preview.invalid".to_owned(),
        date_ms: app.now_ms(),
    };
    let made = compose(&draft, &stamp, &settings.enclosed(), &[]);
    let made = made.map_err(|refusal| {
        Problem::field("settings.signature", "invalid").because(refusal.to_string())
    })?;
    let read = words::read(&made.bytes);
    let read = read.map_err(|error| Problem::unavailable(&error))?;
    Ok(Json(Preview {
        original: STANDARD.encode(&made.bytes),
        page: page(&read, false, Images::Blocked).0,
        text: read.text,
        frame: FRAME_SANDBOX,
    }))
}

/// Where to send the browser of whoever owns a mailbox.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Authorise {
    url: String,
}

/// What comes back with the browser. Nobody but us can read or make it.
#[derive(Serialize, Deserialize)]
struct Permission {
    channel: ChannelId,
    company: desk::id::CompanyId,
    user: Option<String>,
    verifier: String,
    until_ms: i64,
}

/// Connect a mailbox of Google or Microsoft
///
/// Send the browser of whoever owns the mailbox to `url`, within ten minutes.
#[utoipa::path(post, path = "/api/v1/channels/{id}/email/authorise", operation_id = "authorise_email", tag = "channels",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Authorise), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub(super) async fn authorise(
    State(app): State<App>,
    Administers(tenant): Administers,
    Id(id): Id<ChannelId>,
) -> Result<Json<Authorise>, Problem> {
    let (channel, settings) = mail_channel(&app, &tenant, &id).await?;
    let provider = settings.login.provider();
    let provider = provider.ok_or_else(|| Problem::conflict("password_login"))?;
    let registrations = app.mail.accounts.registrations();
    let registered = registrations.app(provider, settings.tenant.as_deref());
    let registered = registered.ok_or_else(|| Problem::conflict("not_registered"))?;
    let verifier = oauth::verifier(generator()?.random());
    let asked = Permission {
        channel: channel.id,
        company: tenant.company.clone(),
        user: user(&tenant),
        verifier: verifier.expose().to_owned(),
        until_ms: app.now_ms() + AUTHORISE_MS,
    };
    // Text always becomes JSON.
    let asked = serde_json::to_vec(&asked).unwrap_or_default();
    let sealed = app.secrets.seal(STATE, &asked);
    let state = URL_SAFE_NO_PAD.encode(sealed.map_err(|error| Problem::unavailable(&error))?);
    let url = oauth::authorise_url(&registered, settings.user(), &state, &verifier);
    let url = url.map_err(|error| Problem::unavailable(&error))?;
    Ok(Json(Authorise { url }))
}

/// With what the browser comes back.
#[derive(Deserialize)]
pub(super) struct Returned {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
}

/// The browser comes back from the provider. Only of the person who was sent there.
async fn authorised(
    State(app): State<App>,
    Administers(tenant): Administers,
    headers: HeaderMap,
    Query(returned): Query<Returned>,
) -> Result<Response, Problem> {
    let refused = || Problem::forbidden().at("state");
    let sealed = URL_SAFE_NO_PAD
        .decode(&returned.state)
        .map_err(|_| refused())?;
    let asked = app
        .secrets
        .open_sealed(STATE, &sealed)
        .map_err(|_| refused())?;
    let asked: Permission = serde_json::from_slice(&asked).map_err(|_| refused())?;
    let is_theirs = asked.company == tenant.company && asked.user == user(&tenant);
    if !is_theirs || app.now_ms() > asked.until_ms {
        return Err(refused());
    }
    let Some(code) = returned.code else {
        let why = returned.error.unwrap_or_default();
        return Err(
            Problem::conflict("not_authorised").because(why.chars().take(100).collect::<String>())
        );
    };
    let (channel, settings) = mail_channel(&app, &tenant, &asked.channel).await?;
    let accounts = &app.mail.accounts;
    let provider = settings.login.provider();
    let registered = provider.and_then(|provider| {
        accounts
            .registrations()
            .app(provider, settings.tenant.as_deref())
    });
    let registered = registered.ok_or_else(|| Problem::conflict("not_registered"))?;
    let verifier = Secret::new(asked.verifier);
    let tokens = oauth::exchange(accounts.fetcher(), &registered, &code, &verifier).await;
    let tokens =
        tokens.map_err(|error| Problem::conflict("not_authorised").because(error.to_string()))?;
    let kept = accounts.keep(&channel.id, tokens).await;
    kept.map_err(|error| no_credential(&error))?;
    let deed = Deed {
        company: Some(&tenant.company),
        action: "channel.authorise",
        target: channel.id.as_str(),
        detail: json!({ "address": settings.address }),
    };
    let mut db = app.store.begin().await?;
    // Its reader begins anew, and what waited to be sent need not wait.
    rows::touch(&mut *db, &channel.id, app.now_ms()).await?;
    channel_health::mended(&mut *db, &channel.id).await?;
    app.commit_quietly(db, &tenant, deed).await?;
    let done = match language(&headers) {
        Language::PtBr => "Conta conectada: você já pode fechar esta janela.",
        Language::En => "The account is connected: you may close this window.",
        Language::Es => "Cuenta conectada: ya puede cerrar esta ventana.",
    };
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((kind, done).into_response())
}

/// A mail, as it is shown.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct MailShown {
    #[schema(value_type = Vec<Object>)]
    from: Vec<Address>,
    #[schema(value_type = Vec<Object>)]
    reply_to: Vec<Address>,
    #[schema(value_type = Vec<Object>)]
    to: Vec<Address>,
    #[schema(value_type = Vec<Object>)]
    cc: Vec<Address>,
    subject: String,
    /// By the clock of its author, milliseconds since 1970 (UTC).
    date_ms: Option<i64>,
    /// What was written now, and what is quoted below it.
    text: String,
    quoted: Option<String>,
    /// A page that shows the mail, for a frame with the sandbox of `frame`; none of a mail of plain text.
    page: Option<String>,
    /// The same with what is quoted out of sight.
    page_folded: Option<String>,
    frame: &'static str,
    /// How many pictures elsewhere were not loaded: to load one tells its author who reads, and when.
    blocked: usize,
    /// Whether who wrote it is who they say, by the word of the company's own mail server: `passed`,
    /// `failed` (show that the sender is not verified), `unknown`. Not set where that server says nothing.
    #[schema(value_type = Option<String>)]
    verified: Option<Verdict>,
    #[schema(value_type = Option<String>)]
    protection: Option<Protection>,
    #[schema(value_type = Option<Object>)]
    meeting: Option<Meeting>,
    /// What could not be read or was left out.
    #[schema(value_type = Vec<String>)]
    notes: Vec<Note>,
    /// The whole mail, as it came or left.
    original_url: String,
}

/// Whether more of a mail is shown.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Showing {
    /// Whether pictures that lie elsewhere are fetched by us and shown: their servers learn that
    /// somebody reads the mail, but not who.
    #[serde(default)]
    pictures: bool,
}

/// Read the mail of a message
#[utoipa::path(get, path = "/api/v1/messages/{id}/mail", operation_id = "read_mail", tag = "records",
    params(("id" = String, Path), Showing, ("company" = Option<String>, Query)),
    responses((status = 200, body = MailShown), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn mail(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<MessageId>,
    Asked(asked): Asked<Showing>,
) -> Result<Json<MailShown>, Problem> {
    let kept = readable(&app, &tenant, &id).await?;
    let mail = app.mail.read(&kept).await.ok_or_else(Problem::not_found)?;
    let (_, settings) = mail_channel(&app, &tenant, &kept.channel).await?;
    let split = quote::split(&mail.text);
    let (text, quoted) = (split.written.to_owned(), split.quoted.map(str::to_owned));
    let had = match asked.pictures {
        true => pictures(&app, &mail).await,
        false => BTreeMap::new(),
    };
    let (whole, blocked) = page(&mail, false, Images::Had(&had));
    let (folded, _) = page(&mail, true, Images::Had(&had));
    let has_html = mail.html.is_some();
    let verified = settings.verifier().and_then(|server| mail.dmarc(server));
    Ok(Json(MailShown {
        from: mail.from,
        reply_to: mail.reply_to,
        to: mail.to,
        cc: mail.cc,
        subject: mail.subject,
        date_ms: mail.date_ms,
        text,
        quoted,
        page: has_html.then_some(whole),
        page_folded: has_html.then_some(folded),
        frame: FRAME_SANDBOX,
        blocked,
        verified,
        protection: mail.protection,
        meeting: mail.meeting,
        notes: mail.notes,
        original_url: format!("/api/v1/messages/{id}/mail/original"),
    }))
}

/// How a mail is shown by itself.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ShowingPage {
    /// Whether pictures that lie elsewhere are fetched by us and shown.
    #[serde(default)]
    pictures: bool,
    /// Whether what it quotes is folded away.
    #[serde(default)]
    folded: bool,
}

/// Read the mail of a message as a page for a frame
///
/// It runs no script and loads nothing, whatever shows it.
#[utoipa::path(get, path = "/api/v1/messages/{id}/mail/page", operation_id = "show_mail", tag = "records",
    params(("id" = String, Path), ShowingPage, ("company" = Option<String>, Query)),
    responses((status = 200, body = String, content_type = "text/html"), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub(super) async fn show(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<MessageId>,
    Asked(asked): Asked<ShowingPage>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let kept = readable(&app, &tenant, &id).await?;
    let mail = app.mail.read(&kept).await.ok_or_else(Problem::not_found)?;
    let had = match asked.pictures {
        true => pictures(&app, &mail).await,
        false => BTreeMap::new(),
    };
    let (page, _) = page(&mail, asked.folded, Images::Had(&had));
    let policy = format!("{FRAME_POLICY}; sandbox {FRAME_SANDBOX}; frame-ancestors 'self'");
    let mut response = text("text/html; charset=utf-8", &policy, page, &headers);
    response.extensions_mut().insert(MayBeFramed);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Save the mail of a message as it came or left
#[utoipa::path(get, path = "/api/v1/messages/{id}/mail/original", operation_id = "save_mail", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query)),
    responses((status = 200, body = Vec<u8>, content_type = "message/rfc822"), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub(super) async fn original(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<MessageId>,
) -> Result<Response, Problem> {
    let kept = readable(&app, &tenant, &id).await?;
    let hash = kept.file.as_deref().and_then(|file| file.parse().ok());
    let hash = hash.ok_or_else(Problem::not_found)?;
    let bytes_max = words::MAIL_BYTES_MAX as u64;
    let bytes = app.mail.files.read(&hash, bytes_max).await;
    let bytes = bytes.map_err(|error| Problem::unavailable(&error))?;
    let bytes = bytes.ok_or_else(Problem::not_found)?;
    let headers = [
        (header::CONTENT_TYPE, "message/rfc822"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"mensagem.eml\"",
        ),
    ];
    Ok((StatusCode::OK, headers, bytes).into_response())
}

/// The mail of a message that who asks may read.
async fn readable(app: &App, tenant: &Tenant, id: &MessageId) -> Result<mails::Mail, Problem> {
    let db = app.store.pool();
    let message = messages::by_id(db, &tenant.company, id).await?;
    let message = message.ok_or_else(Problem::not_found)?;
    may_read(app, tenant, &message.interaction).await?;
    let mail = mails::by_message(db, &tenant.company, id).await?;
    mail.ok_or_else(Problem::not_found)
}

/// A mail as a page, and how many pictures it does not show. Those that came with it are in the page
/// itself: in its sandbox it can ask us for nothing.
fn page(mail: &Mail, folded: bool, images: Images<'_>) -> (String, usize) {
    let mut room = PICTURES_BYTES_MAX;
    let mut media = BTreeMap::new();
    for file in &mail.files {
        if let Some(id) = &file.content_id
            && let Some(mime) = picture(&file.bytes)
            && file.bytes.len() <= room
        {
            room -= file.bytes.len();
            let data = STANDARD.encode(&file.bytes);
            media.insert(id.clone(), format!("data:{mime};base64,{data}"));
        }
    }
    let view = View {
        media: &media,
        images,
    };
    let clean = match &mail.html {
        Some(html) => html::clean(html, &view),
        None => Clean {
            html: html::of_text(&mail.text),
            ..Clean::default()
        },
    };
    (html::page(&clean, folded), clean.blocked)
}

/// The pictures of a mail that lie elsewhere, as far as they can be had, by their addresses. Whoever
/// wrote the mail chose these: nobody inside is asked.
async fn pictures(app: &App, mail: &Mail) -> BTreeMap<String, String> {
    let nothing = BTreeMap::new();
    let view = View {
        media: &nothing,
        images: Images::Blocked,
    };
    let html = mail.html.as_deref().unwrap_or_default();
    let mut asking = JoinSet::new();
    for address in html::clean(html, &view)
        .elsewhere
        .into_iter()
        .take(PICTURES_MAX)
    {
        let fetcher = app.fetcher.clone();
        asking.spawn(async move {
            let request = Request::new(Method::Get, &address);
            let answer = fetcher.carry_out(&request, PICTURE_LIMITS, 0).await.ok()?;
            let mime = picture(&answer.body).filter(|_| answer.status == 200)?;
            let data = STANDARD.encode(&answer.body);
            Some((address, format!("data:{mime};base64,{data}")))
        });
    }
    let mut room = PICTURES_BYTES_MAX;
    let mut had = BTreeMap::new();
    while let Some(found) = asking.join_next().await {
        if let Ok(Some((address, data))) = found
            && data.len() <= room
        {
            room -= data.len();
            had.insert(address, data);
        }
    }
    had
}

/// What kind of picture these bytes are, of those that browsers show and that run nothing.
fn picture(bytes: &[u8]) -> Option<&'static str> {
    let head = bytes.get(..gateway_net::files::HEAD_BYTES).unwrap_or(bytes);
    let mime = gateway_net::files::sniff(head);
    let is_picture = matches!(
        mime,
        "image/png" | "image/jpeg" | "image/gif" | "image/webp"
    );
    is_picture.then_some(mime)
}

/// A channel of e-mail of the company, and what is set of it.
async fn mail_channel(
    app: &App,
    tenant: &Tenant,
    id: &ChannelId,
) -> Result<(Channel, EmailSettings), Problem> {
    let channel = found(app, tenant, id).await?;
    let settings = EmailSettings::of(&channel).filter(|_| channel.kind == EMAIL);
    let settings = settings.ok_or_else(Problem::not_found)?;
    Ok((channel, settings))
}

/// The language of whoever asks.
fn language(headers: &HeaderMap) -> Language {
    match Tongue::of(headers.get(header::ACCEPT_LANGUAGE)) {
        Tongue::Portuguese => Language::PtBr,
        Tongue::English => Language::En,
        Tongue::Spanish => Language::Es,
    }
}

fn kept(app: &App, channel: &Channel) -> Result<SigningSecrets, Problem> {
    let sealed = channel.secrets.as_deref().unwrap_or_default();
    let kept = SigningSecrets::open(&app.secrets, channel.id.as_str(), sealed);
    kept.map_err(|error| Problem::unavailable(&error))
}

fn refuse_wrong(settings: &EmailSettings) -> Result<(), Problem> {
    match settings.wrong() {
        Some(field) => Err(Problem::field(&format!("settings.{field}"), "invalid")),
        None => Ok(()),
    }
}

fn no_credential(error: &NoCredential) -> Problem {
    match error {
        NoCredential::NotConnected => Problem::conflict("not_authorised"),
        NoCredential::NotRegistered => Problem::conflict("not_registered"),
        NoCredential::Provider(error) if error.is_over() => {
            Problem::conflict("not_authorised").because(error.to_string())
        }
        NoCredential::Provider(_) | NoCredential::Secret(_) | NoCredential::Store(_) => {
            Problem::unavailable(error)
        }
    }
}

fn user(tenant: &Tenant) -> Option<String> {
    match &tenant.by {
        By::User { user, .. } => Some(user.id.to_string()),
        By::Key(_) => None,
    }
}

/// For whom the state of an authorisation is sealed.
const STATE: &str = "oauth/email";

/// Who allows it reads what is asked, and may have to log in.
const AUTHORISE_MS: i64 = 10 * 60_000;

/// Of the pictures in a page: what a browser shows at once.
const PICTURES_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Pictures of advertising are a few dozen.
const PICTURES_MAX: usize = 40;

/// An agent waits for it.
const PICTURE_LIMITS: Limits = Limits {
    time: Duration::from_secs(10),
    bytes: 2 * 1024 * 1024,
};

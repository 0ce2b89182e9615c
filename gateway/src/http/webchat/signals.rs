//! `/interactions/{id}/signals`: what an agent does besides writing, for the customer to see.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use channels::webchat::TYPING_MS;
use desk::id::InteractionId;
use exchange::voice::Holder;
use media_engine_net::clock;
use serde::Deserialize;
use store::{conversations, webchat};

use super::super::App;
use super::super::body::{Body, Id};
use super::super::notes::may_see;
use super::super::problem::{Problem, ProblemBody};
use super::super::who::{By, Tenant};
use crate::channels::webchat::WEBCHAT;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/interactions/{id}/signals", post(signal))
}

/// What an agent does besides writing.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schema(example = json!({"kind": "typing", "on": true}))]
pub(in crate::http) enum Signal {
    /// They type, or stopped. Say it every few seconds while it lasts: it is believed for six.
    Typing { on: bool },
    /// They have read what the customer wrote, up to the message with this number.
    Read { seq: u32 },
    /// They look at it without having it in hand, write in it, or have left: for the colleague who has, on any
    /// channel. Whoever may read it may say so.
    Beside { doing: Doing },
}

/// What somebody does with what a colleague has in hand.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum Doing {
    Reading,
    Typing,
    Gone,
}

impl Doing {
    fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Typing => "typing",
            Self::Gone => "gone",
        }
    }
}

/// Say that you type, or have read
///
/// The agent who has the interaction in hand; `beside`, who may read it. Where the channel has no such thing,
/// nothing comes of it.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/signals", tag = "records",
    params(("id" = String, Path), ("company" = Option<String>, Query)), request_body = Signal,
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(in crate::http) async fn signal(
    State(app): State<App>,
    tenant: Tenant,
    Id(id): Id<InteractionId>,
    Body(asked): Body<Signal>,
) -> Result<StatusCode, Problem> {
    let By::User { user, .. } = &tenant.by else {
        return Err(Problem::forbidden());
    };
    let (company, interaction) = (tenant.company.clone(), id.clone());
    if let Signal::Beside { doing } = asked {
        may_see(&app, &tenant, &id).await?;
        let (by, name) = (user.id.clone(), user.name.clone());
        let told = app.telephony.look(move |voice, now| {
            voice.tell_beside(now, &company, &interaction, (&by, &name), doing.as_str());
        });
        told.await
            .map_err(|stopped| Problem::unavailable(&stopped))?;
        return Ok(StatusCode::NO_CONTENT);
    }
    let holder = app
        .telephony
        .look(move |voice, now| voice.holder(now, &company, &interaction))
        .await;
    let holder = holder.map_err(|stopped| Problem::unavailable(&stopped))?;
    if holder != Holder::Agent(user.id.clone()) {
        return Err(Problem::forbidden());
    }
    let channel = conversations::channel_of(app.store.pool(), &id).await?;
    if channel.is_none_or(|channel| channel.kind != WEBCHAT) {
        return Ok(StatusCode::NO_CONTENT);
    }
    let room = app.rooms.of(&id);
    match asked {
        Signal::Typing { on } => {
            let until = on.then(|| clock::now() + BELIEVED);
            if let Some(room) = room {
                room.agent_types(until);
            }
        }
        Signal::Read { seq } => {
            let talk = webchat::conversation_of(app.store.pool(), &tenant.company, &id).await?;
            let talk = talk.ok_or_else(Problem::not_found)?;
            // Nobody has read what is not there.
            let seq = seq.min(talk.1);
            let is_news = webchat::mark_company(app.store.pool(), &talk.0, seq).await?;
            if let Some(room) = room.filter(|_| is_news) {
                room.ring();
            }
        }
        Signal::Beside { .. } => {} // Told above.
    }
    Ok(StatusCode::NO_CONTENT)
}

const BELIEVED: Duration = Duration::from_millis(TYPING_MS);

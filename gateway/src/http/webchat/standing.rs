//! How everything is for a visitor, put together from what is written down and what the desk knows.

use std::time::Duration;

use channels::webchat::FrameError;
use channels::webchat::server::{Agent, Hours, Matter, Named, Phase, State};
use desk::id::WorkId;
use exchange::voice::{WrittenSeen, WrittenStanding};
use media_engine_net::clock;
use store::webchat::{self, Thread};

use super::chat::unavailable;
use super::survey;
use super::visit::Visit;

/// How everything is.
pub(super) struct Standing {
    pub(super) thread: Option<Thread>,
    pub(super) state: State,
    /// When to look again although nobody rings.
    pub(super) look_again: Option<Duration>,
}

/// Looks how everything is.
pub(super) async fn stands(visit: &Visit) -> Result<Standing, FrameError> {
    let (pool, channel) = (visit.app.store.pool(), &visit.chat.row.id);
    let thread = webchat::thread(pool, channel, visit.who.visitor.as_str()).await;
    let thread = thread.map_err(|error| unavailable(&error))?;
    let matter = thread.as_ref().and_then(|thread| thread.matter.as_ref());
    let (phase, look_again) = match matter {
        None => (Phase::Idle, None),
        Some(matter) if matter.ended_ms.is_some() => (closed(visit, thread.as_ref(), matter), None),
        Some(matter) => match seen(visit, matter).await? {
            Some(seen) if seen.standing == WrittenStanding::Over => {
                (closed(visit, thread.as_ref(), matter), None)
            }
            Some(seen) => (phase(seen.standing), None),
            // The desk hears of it in a moment, or the store that it is over.
            None => (LOST_SIGHT, Some(SOON)),
        },
    };
    let service = matter.and_then(|matter| matter.service.as_ref());
    let service = service.map_or(&visit.chat.row.service, |(id, _)| id);
    let opens = visit.opens_ms(service).await?;
    let typing_until = visit.typing_until();
    let is_typing = matches!(phase, Phase::Agent(_)) && typing_until.is_some();
    let left = typing_until.filter(|_| is_typing);
    let left = left.map(|until| until.saturating_duration_since(clock::now()));
    let in_line = matches!(phase, Phase::Waiting { .. }).then_some(IN_LINE);
    let answered = thread.as_ref().map_or(0, |thread| thread.answered);
    let state = State {
        version: 0,
        typing: is_typing,
        read_seq: visit.room.replied(0).max(answered),
        hours: match opens {
            None => Hours::Open,
            Some(opens_ms) => Hours::Away {
                opens_ms,
                // What is to be said of it is a message.
                message: None,
            },
        },
        matter: matter.map(named),
        phase,
    };
    Ok(Standing {
        state: visit.room.is_now(state, visit.app.now_ms()),
        look_again: look_again.or(left).or(in_line),
        thread,
    })
}

fn closed(visit: &Visit, thread: Option<&Thread>, matter: &webchat::Matter) -> Phase {
    Phase::Closed {
        survey: thread.and_then(|thread| survey::asked(visit, thread, matter)),
    }
}

async fn seen(visit: &Visit, matter: &webchat::Matter) -> Result<Option<WrittenSeen>, FrameError> {
    let (company, interaction) = (visit.chat.row.company.clone(), matter.interaction.clone());
    let seen = visit
        .app
        .telephony
        .look(move |voice, now| voice.written_seen(now, &company, &interaction));
    let seen = seen.await.map_err(|error| unavailable(&error))?;
    let work = seen.as_ref().and_then(|seen| seen.work.as_ref());
    let work = work.map(WorkId::as_str);
    let hub = visit.app.telephony.live();
    visit.room.follow(hub, &matter.interaction, work);
    Ok(seen)
}

fn phase(standing: WrittenStanding) -> Phase {
    match standing {
        WrittenStanding::Flow => Phase::Bot,
        WrittenStanding::Over => Phase::Closed { survey: None },
        WrittenStanding::Waiting {
            position,
            expected_ms,
        } => Phase::Waiting {
            position: position.and_then(|place| u32::try_from(place).ok()),
            // In whole minutes: a second less is no news.
            wait_ms: expected_ms.map(|wait| wait.max(0).unsigned_abs().div_ceil(60_000) * 60_000),
        },
        WrittenStanding::Agent { name, .. } => Phase::Agent(Agent { name, avatar: None }),
    }
}

fn named(matter: &webchat::Matter) -> Matter {
    let service = matter.service.clone();
    Matter {
        interaction: matter.interaction.to_string(),
        protocol: matter.protocol.clone(),
        service: service.map(|(id, name)| Named {
            id: id.to_string(),
            name,
        }),
    }
}

/// How it stands is not known for a moment.
const LOST_SIGHT: Phase = Phase::Waiting {
    position: None,
    wait_ms: None,
};

/// What is in the store and what the desk knows come together within a group of changes.
const SOON: Duration = Duration::from_millis(250);

/// How often somebody in a line looks where they are: others leave it without a word to them.
const IN_LINE: Duration = Duration::from_secs(5);

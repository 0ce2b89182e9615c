//! Frames of the server.

use desk::words;
use serde::{Deserialize, Serialize};

use super::VERSION;
use super::client::ClientMessageId;
use super::error::FrameError;
use super::form::Known;
use super::survey::Survey;
use super::token::VisitorId;
use crate::event::{Content, Location, MediaKind};
use crate::send::{OutChoice, OutContent};

/// What the server says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// Who you are.
    Welcome(Welcome),
    /// How everything is.
    State(Box<State>),
    /// Messages in their order.
    Messages {
        /// The conversation.
        conversation: String,
        /// The number of the message before the first of them.
        after: u32,
        /// The messages.
        messages: Vec<Said>,
        /// Forget what you had: you were away for long.
        #[serde(default, skip_serializing_if = "is_false")]
        reset: bool,
    },
    /// Older messages.
    History {
        /// The number of the message behind the last of them.
        before: u32,
        /// The messages.
        messages: Vec<Said>,
        /// Whether there are older ones.
        more: bool,
    },
    /// It is kept.
    Ack {
        /// What.
        client_message_id: ClientMessageId,
        /// Its number, of a message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seq: Option<u32>,
        /// When: milliseconds since 1970 (UTC).
        at_ms: i64,
    },
    /// It is not.
    Error(FrameError),
    /// Nothing happened.
    Alive {},
}

/// The answer to posted frames and to a poll.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Posted {
    /// What the server says.
    pub frames: Vec<ServerFrame>,
}

/// Who the visitor is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version of the protocol.
    v: u8,
    /// The token for the next time.
    pub token: String,
    /// The visitor.
    pub visitor: VisitorId,
    /// The conversation. None before the first message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// The number of its last message, or 0.
    pub last_seq: u32,
    /// What they told before.
    pub known: Known,
    /// Whether they are a user of the shop.
    pub identified: bool,
    /// The time: milliseconds since 1970 (UTC).
    pub now_ms: i64,
}

impl Welcome {
    /// To somebody without a conversation.
    pub fn new(token: String, visitor: VisitorId, now_ms: i64) -> Self {
        Self {
            v: VERSION,
            token,
            visitor,
            conversation: None,
            last_seq: 0,
            known: Known::default(),
            identified: false,
            now_ms,
        }
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// Its number in the conversation: it grows, with gaps.
    pub seq: u32,
    /// Its id.
    pub id: String,
    /// The matter that it belongs to.
    pub interaction: String,
    /// When it came: milliseconds since 1970 (UTC).
    pub at_ms: i64,
    /// Who wrote.
    pub author: Author,
    /// What.
    pub content: Shown,
    /// What the client called it, of the visitor's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_message_id: Option<ClientMessageId>,
}

/// Who wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// What they are.
    pub kind: AuthorKind,
    /// What they are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A path to their picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
}

words! {
    /// What somebody who wrote is.
    AuthorKind {
        /// The visitor.
        Visitor = "visitor",
        /// A person of the company.
        Agent = "agent",
        /// A program of the company.
        Bot = "bot",
        /// The server itself.
        System = "system",
    }
}

/// What is shown of a message. Words are text, never HTML.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Shown {
    /// Words.
    Text {
        /// The words.
        text: String,
    },
    /// A file.
    File {
        /// The file.
        file: File,
        /// Words below it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<String>,
    },
    /// A question with answers to choose from.
    Choices {
        /// The question.
        text: String,
        /// Small words below.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        footer: Option<String>,
        /// The answers.
        choices: Vec<OutChoice>,
    },
    /// What the visitor chose.
    Choice {
        /// Which.
        id: String,
        /// What they saw.
        title: String,
    },
    /// A place.
    Location(Location),
    /// Something that the widget cannot show.
    Unsupported {},
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// What it is to people.
    pub kind: MediaKind,
    /// Its name.
    pub name: String,
    /// Its type.
    pub mime: String,
    /// Its length.
    pub bytes: u64,
    /// Where it is: a signed path.
    pub url: String,
    /// Where its small picture is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumb: Option<String>,
    /// How wide it is, in points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// How high it is, in points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}

impl Shown {
    /// What a stored message shows; `file` is its file as the shell serves it.
    pub fn of(content: &Content, file: Option<File>) -> Self {
        match content {
            Content::Text { text } => Self::Text { text: text.clone() },
            Content::Media(media) => Self::file(file, media.caption.clone()),
            Content::Location(place) => Self::Location(place.clone()),
            Content::Choice(choice) => Self::Choice {
                id: choice.id.clone(),
                title: choice.title.clone(),
            },
            Content::Contacts { .. } | Content::Order(_) | Content::Unsupported { .. } => {
                Self::Unsupported {}
            }
        }
    }

    /// What a message of ours shows; `file` is its file as the shell serves it.
    pub fn of_ours(content: &OutContent, file: Option<File>) -> Self {
        match content {
            OutContent::Text { text, .. }
            | OutContent::AskPhone { text }
            | OutContent::AskLocation { text } => Self::Text { text: text.clone() },
            OutContent::Media(media) => Self::file(file, media.caption.clone()),
            OutContent::Location(place) => Self::Location(place.clone()),
            OutContent::Choices(question) => Self::Choices {
                text: question.body.clone(),
                footer: question.footer.clone(),
                choices: question.choices.clone(),
            },
            OutContent::Template(_) | OutContent::Reaction { .. } => Self::Unsupported {},
        }
    }

    fn file(file: Option<File>, caption: Option<String>) -> Self {
        match file {
            Some(file) => Self::File { file, caption },
            // It is not there yet, or was deleted.
            None => Self::Unsupported {},
        }
    }
}

/// How everything is. It replaces every older one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Flat", into = "Flat")]
pub struct State {
    /// A larger one is newer: see [`next_version`].
    pub version: i64,
    /// How far the matter is.
    pub phase: Phase,
    /// The matter that is open, or was last.
    pub matter: Option<Matter>,
    /// Whether somebody of the company types.
    pub typing: bool,
    /// Up to here an agent read what the visitor wrote.
    pub read_seq: u32,
    /// Whether somebody is there by the hours.
    pub hours: Hours,
}

/// How far a matter is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// None is open.
    Idle,
    /// A program answers.
    Bot,
    /// It waits for an agent.
    Waiting {
        /// The place in the line, from 1.
        position: Option<u32>,
        /// How long it will probably take, in milliseconds.
        wait_ms: Option<u64>,
    },
    /// An agent has it.
    Agent(Agent),
    /// One was open and is over.
    Closed {
        /// What to ask.
        survey: Option<Survey>,
    },
}

/// An agent as visitors see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// What they are called.
    pub name: String,
    /// A path to their picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
}

/// A matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matter {
    /// Its id.
    pub interaction: String,
    /// Its protocol number.
    pub protocol: String,
    /// The service that it is with.
    pub service: Option<Named>,
}

/// Something with an id and a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
}

/// Whether somebody is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hours {
    /// Somebody is.
    Open,
    /// Nobody is.
    Away {
        /// When somebody will be: milliseconds since 1970 (UTC).
        opens_ms: Option<i64>,
        /// What to say until then.
        message: Option<String>,
    },
}

/// The version of a state that changed now, after one of version `last`: milliseconds since 1970 (UTC),
/// made unique. It also grows when the clock was set back.
pub fn next_version(last: i64, now_ms: i64) -> i64 {
    now_ms.max(last.saturating_add(1))
}

/// [`State`] as it is written: flat, with everything always there.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Flat {
    version: i64,
    phase: PhaseWord,
    interaction: Option<String>,
    protocol: Option<String>,
    service: Option<Named>,
    position: Option<u32>,
    wait_ms: Option<u64>,
    agent: Option<Agent>,
    typing: bool,
    read_seq: u32,
    open: bool,
    opens_ms: Option<i64>,
    away: Option<String>,
    survey: Option<Survey>,
}

words! {
    /// How far a matter is, in a word.
    PhaseWord {
        /// See [`Phase::Idle`].
        Idle = "idle",
        /// See [`Phase::Bot`].
        Bot = "bot",
        /// See [`Phase::Waiting`].
        Waiting = "waiting",
        /// See [`Phase::Agent`].
        Agent = "agent",
        /// See [`Phase::Closed`].
        Closed = "closed",
    }
}

impl From<State> for Flat {
    fn from(state: State) -> Self {
        let (mut position, mut wait_ms, mut agent, mut survey) = (None, None, None, None);
        let phase = match state.phase {
            Phase::Idle => PhaseWord::Idle,
            Phase::Bot => PhaseWord::Bot,
            Phase::Waiting {
                position: place,
                wait_ms: wait,
            } => {
                (position, wait_ms) = (place, wait);
                PhaseWord::Waiting
            }
            Phase::Agent(who) => {
                agent = Some(who);
                PhaseWord::Agent
            }
            Phase::Closed { survey: asked } => {
                survey = asked;
                PhaseWord::Closed
            }
        };
        let (interaction, protocol, service) = match state.matter {
            Some(matter) => (
                Some(matter.interaction),
                Some(matter.protocol),
                matter.service,
            ),
            None => (None, None, None),
        };
        let (open, opens_ms, away) = match state.hours {
            Hours::Open => (true, None, None),
            Hours::Away { opens_ms, message } => (false, opens_ms, message),
        };
        Self {
            version: state.version,
            phase,
            interaction,
            protocol,
            service,
            position,
            wait_ms,
            agent,
            typing: state.typing,
            read_seq: state.read_seq,
            open,
            opens_ms,
            away,
            survey,
        }
    }
}

impl From<Flat> for State {
    fn from(flat: Flat) -> Self {
        let nameless = || Agent {
            name: String::new(),
            avatar: None,
        };
        let phase = match flat.phase {
            PhaseWord::Idle => Phase::Idle,
            PhaseWord::Bot => Phase::Bot,
            PhaseWord::Waiting => Phase::Waiting {
                position: flat.position,
                wait_ms: flat.wait_ms,
            },
            PhaseWord::Agent => Phase::Agent(flat.agent.unwrap_or_else(nameless)),
            PhaseWord::Closed => Phase::Closed {
                survey: flat.survey,
            },
        };
        let matter = flat
            .interaction
            .zip(flat.protocol)
            .map(|(interaction, protocol)| Matter {
                interaction,
                protocol,
                service: flat.service,
            });
        Self {
            version: flat.version,
            phase,
            matter,
            typing: flat.typing,
            read_seq: flat.read_seq,
            hours: match flat.open {
                true => Hours::Open,
                false => Hours::Away {
                    opens_ms: flat.opens_ms,
                    message: flat.away,
                },
            },
        }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

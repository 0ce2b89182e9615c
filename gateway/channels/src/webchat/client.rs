//! Frames of the client: read, checked, tidied.

use desk::explain::Language;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::{ErrorCode, FrameError};
use super::form::{Form, is_email};
use super::identity::{Identity, USER_BYTES_MAX};
use super::survey::{ANSWERS_MAX, Answer};
use super::{
    ANSWER_CHARS_MAX, CAPTION_CHARS_MAX, FRAME_BYTES_MAX, POST_BYTES_MAX, POST_FRAMES_MAX,
    TEXT_CHARS_MAX, VERSION,
};
use crate::event::{Choice, ChoiceKind, Content, Incoming, Media, MediaKind, MediaSource};
use crate::peer::Peer;

/// What the client says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientFrame {
    /// Who I am and what I have: the first frame.
    Hello(Hello),
    /// A message.
    Send(Send),
    /// The visitor types, or stopped.
    Typing {
        /// Whether they do.
        on: bool,
    },
    /// What came and what was seen. Both only grow.
    Seen {
        /// The number of the last message that came.
        delivered: u32,
        /// The number of the last one that a person saw.
        read: u32,
    },
    /// Something is missing.
    Resume {
        /// The number of the last message that is there.
        after_seq: u32,
    },
    /// What was before?
    History {
        /// The number of the oldest message that is there.
        before_seq: u32,
    },
    /// Answers to a survey.
    Survey(Answers),
    /// Mail me the conversation.
    Transcript {
        /// Its id.
        client_message_id: ClientMessageId,
        /// To whom.
        email: String,
    },
    /// The visitor ends the conversation.
    Close {
        /// Its id.
        client_message_id: ClientMessageId,
    },
    /// The shop says who this is.
    Identify {
        /// Who.
        identity: Identity,
    },
}

/// The first frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The version of the protocol: [`VERSION`].
    pub v: u8,
    /// The token that this browser had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Who the shop says that this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The language that the page speaks.
    pub language: Language,
    /// The number of the last message that is there. Of another conversation it means 0.
    pub after_seq: u32,
    /// Which conversation that counts in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// Where the visitor is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
}

/// The page of the shop on which something was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Its address, without query and fragment.
    pub url: String,
    /// What it is called.
    #[serde(default)]
    pub title: String,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// Its id: the same however often it is sent.
    pub client_message_id: ClientMessageId,
    /// What.
    pub content: ClientContent,
    /// What was asked before the first message of a matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// Where it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
}

/// What is in a message of a visitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientContent {
    /// Words.
    Text {
        /// The words.
        text: String,
    },
    /// A file that was laid down before.
    File {
        /// Its id.
        upload: String,
        /// Words below it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<String>,
    },
    /// An answer that was chosen.
    Choice {
        /// The number of the message that offered it.
        of: u32,
        /// Which.
        id: String,
        /// What the visitor saw.
        title: String,
    },
}

/// Answers to a survey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// Their id.
    pub client_message_id: ClientMessageId,
    /// Which survey.
    pub survey: String,
    /// The answers. None at all: the visitor would rather not.
    pub answers: Vec<Answer>,
}

/// The id that the client gives to what it sends: 8 to 64 letters, digits and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientMessageId(String);

/// Text that is no such id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a client_message_id has 8 to 64 letters, digits and '-'")]
pub struct InvalidId;

impl ClientMessageId {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ClientMessageId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        let is_right = (8..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_right.then_some(Self(text)).ok_or(InvalidId)
    }
}

impl From<ClientMessageId> for String {
    fn from(id: ClientMessageId) -> Self {
        id.0
    }
}

/// Reads a frame that came over a socket.
///
/// # Errors
///
/// What to answer, with the `client_message_id` wherever one could be read.
pub fn read(text: &[u8]) -> Result<ClientFrame, FrameError> {
    if text.len() > FRAME_BYTES_MAX {
        return Err(FrameError::new(ErrorCode::TooLarge));
    }
    let value = serde_json::from_slice(text).map_err(|_| bad())?;
    of_value(value)
}

/// Reads frames that were posted: `{"frames": […]}`. One that is wrong does not hide the others.
///
/// # Errors
///
/// What to answer where it is no such list.
pub fn read_posted(body: &[u8]) -> Result<Vec<Result<ClientFrame, FrameError>>, FrameError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Posted {
        frames: Vec<Value>,
    }
    if body.len() > POST_BYTES_MAX {
        return Err(FrameError::new(ErrorCode::TooLarge));
    }
    let posted: Posted = serde_json::from_slice(body).map_err(|_| bad())?;
    if posted.frames.len() > POST_FRAMES_MAX {
        return Err(FrameError::new(ErrorCode::TooLarge));
    }
    Ok(posted.frames.into_iter().map(of_value).collect())
}

fn of_value(value: Value) -> Result<ClientFrame, FrameError> {
    let text = |field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let id = text("client_message_id").and_then(|id| ClientMessageId::try_from(id).ok());
    // Asked first, for a page of another version may have other fields.
    let is_hello = text("type").as_deref() == Some("hello");
    let version = value.get("v").and_then(Value::as_u64);
    if is_hello && version.is_some_and(|version| version != u64::from(VERSION)) {
        return Err(FrameError::new(ErrorCode::Version));
    }
    let frame: Result<ClientFrame, _> = serde_json::from_value(value);
    let mut frame = frame.map_err(|_| bad().to(id.clone()))?;
    frame.tidy().map_err(|error| error.to(id))?;
    Ok(frame)
}

fn bad() -> FrameError {
    FrameError::new(ErrorCode::BadFrame)
}

/// The names of fields in which a person typed something that cannot be taken.
pub(super) type Faults = Vec<&'static str>;

impl ClientFrame {
    /// The id that the answer must carry.
    pub fn client_message_id(&self) -> Option<&ClientMessageId> {
        match self {
            Self::Send(send) => Some(&send.client_message_id),
            Self::Survey(answers) => Some(&answers.client_message_id),
            Self::Transcript {
                client_message_id, ..
            }
            | Self::Close { client_message_id } => Some(client_message_id),
            Self::Hello(_)
            | Self::Typing { .. }
            | Self::Seen { .. }
            | Self::Resume { .. }
            | Self::History { .. }
            | Self::Identify { .. } => None,
        }
    }

    /// Takes out what is not to be kept. What a page made wrongly is a bad frame; what a person typed
    /// wrongly is told with its fields.
    fn tidy(&mut self) -> Result<(), FrameError> {
        let mut faults = vec![];
        let is_sane = match self {
            Self::Hello(hello) => hello.tidy(),
            Self::Send(send) => send.tidy(&mut faults),
            Self::Survey(answers) => answers.tidy(&mut faults),
            Self::Identify { identity } => tidy_identity(identity),
            Self::Transcript { email, .. } => {
                *email = email.trim().to_owned();
                if !is_email(email) {
                    faults.push("email");
                }
                true
            }
            Self::Seen { delivered, read } => {
                // Who read it has it.
                *delivered = (*delivered).max(*read);
                true
            }
            Self::Typing { .. }
            | Self::Resume { .. }
            | Self::History { .. }
            | Self::Close { .. } => true,
        };
        if !is_sane {
            return Err(bad());
        }
        if !faults.is_empty() {
            return Err(FrameError::new(ErrorCode::Invalid).fields(faults));
        }
        Ok(())
    }
}

impl Hello {
    fn tidy(&mut self) -> bool {
        tidy_page(&mut self.page);
        let token = self.token.as_deref().unwrap_or_default();
        self.identity.as_mut().is_none_or(tidy_identity)
            && self.conversation.as_deref().is_none_or(is_id)
            && token.len() <= TOKEN_BYTES_MAX
    }
}

impl Send {
    fn tidy(&mut self, faults: &mut Faults) -> bool {
        tidy_page(&mut self.page);
        if let Some(form) = &mut self.form {
            form.tidy(faults);
        }
        match &mut self.content {
            ClientContent::Text { text } => {
                *text = text.replace('\0', "");
                if text.trim().is_empty() || text.chars().count() > TEXT_CHARS_MAX {
                    faults.push("text");
                }
                true
            }
            ClientContent::File { upload, caption } => {
                let caption_text = caption.as_deref().unwrap_or_default().replace('\0', "");
                if caption_text.chars().count() > CAPTION_CHARS_MAX {
                    faults.push("caption");
                }
                *caption = Some(caption_text).filter(|text| !text.trim().is_empty());
                is_id(upload)
            }
            ClientContent::Choice { id, title, .. } => {
                *title = title.replace('\0', "");
                let is_choice = |text: &str| !text.is_empty() && text.len() <= CHOICE_BYTES_MAX;
                is_choice(id) && is_choice(title) && !id.contains('\0')
            }
        }
    }

    /// The message in the words of all channels; the shell fills in what the file is.
    pub fn incoming(&self, from: Peer) -> Incoming {
        let (content, reply_to) = match &self.content {
            ClientContent::Text { text } => (Content::Text { text: text.clone() }, None),
            ClientContent::File { upload, caption } => {
                let media = Media {
                    kind: MediaKind::Document,
                    source: MediaSource::Id(upload.clone()),
                    mime: None,
                    name: None,
                    caption: caption.clone(),
                    voice: false,
                    sha256: None,
                    bytes: None,
                };
                (Content::Media(media), None)
            }
            ClientContent::Choice { of, id, title } => {
                let choice = Choice {
                    among: ChoiceKind::Buttons,
                    id: id.clone(),
                    title: title.clone(),
                    answers: None,
                };
                (Content::Choice(choice), Some(of.to_string()))
            }
        };
        Incoming {
            id: self.client_message_id.as_str().to_owned(),
            from,
            content,
            attachments: vec![],
            reply_to,
            forwarded: None,
            referral: None,
        }
    }
}

impl Answers {
    fn tidy(&mut self, faults: &mut Faults) -> bool {
        for answer in &mut self.answers {
            answer.value = answer.value.replace('\0', "");
            if answer.value.chars().count() > ANSWER_CHARS_MAX {
                faults.push("answers");
            }
        }
        faults.dedup();
        let ids = self.answers.iter().all(|answer| is_id(&answer.question));
        ids && is_id(&self.survey) && self.answers.len() <= ANSWERS_MAX
    }
}

/// The shop's page made it. What it says beside the user is shown, and so is cut rather than refused.
fn tidy_identity(identity: &mut Identity) -> bool {
    for field in [&mut identity.name, &mut identity.email, &mut identity.phone] {
        clean_line(field);
        if let Some(text) = field {
            cut(text, LINE_CHARS_MAX);
        }
    }
    let user = &identity.user_id;
    let is_user = !user.is_empty() && user.len() <= USER_BYTES_MAX && !user.contains('\0');
    is_user && identity.hash.len() <= HASH_BYTES_MAX
}

/// An address that is none is no reason to lose a message: it is left out.
fn tidy_page(page: &mut Option<Page>) {
    if let Some(page) = page {
        let end = page.url.find(['?', '#']).unwrap_or(page.url.len());
        page.url.truncate(end);
        page.url.retain(|letter| !letter.is_control());
        page.title.retain(|letter| !letter.is_control());
        cut(&mut page.url, URL_CHARS_MAX);
        cut(&mut page.title, LINE_CHARS_MAX);
    }
    if page
        .as_ref()
        .is_some_and(|page| crate::send::host(&page.url).is_none())
    {
        *page = None;
    }
}

/// One line of a person: without what cannot be seen, and nothing where nothing is left.
pub(super) fn clean_line(field: &mut Option<String>) {
    let Some(text) = field else { return };
    text.retain(|letter| !letter.is_control());
    let text = text.trim().to_owned();
    *field = (!text.is_empty()).then_some(text);
}

fn cut(text: &mut String, chars_max: usize) {
    if let Some((at, _)) = text.char_indices().nth(chars_max) {
        text.truncate(at);
    }
}

/// Whether a text can be an id of ours, or of a question.
fn is_id(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.len() <= desk::id::ID_LENGTH_MAX && text.bytes().all(is_word)
}

const URL_CHARS_MAX: usize = 1_000;
const LINE_CHARS_MAX: usize = 200;
/// What [`super::WEBCHAT`] offers is shorter: 200 characters of an id.
const CHOICE_BYTES_MAX: usize = 800;
/// Twice what ours have.
const TOKEN_BYTES_MAX: usize = 256;
/// Of SHA-256 in hexadecimal it has 64; what is longer is not compared.
const HASH_BYTES_MAX: usize = 128;

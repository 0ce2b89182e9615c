//! Writing to a customer: a message, its line in the trail, and its place in the outbox where a provider
//! carries it. All in the transaction of whoever calls.

use channels::event::Delivery;
use channels::send::{OutChoices, OutContent};
use desk::id::{InteractionId, MessageId};
use desk::record::Direction;
use serde_json::{Value, json};
use store::channels::Channel;
use store::conversations::{self, Conversation};
use store::messages::Message;
use store::{Error, Transaction};

use super::email::heading::Heading;
use super::settings::{EMAIL, WHATSAPP};

/// What is to be written.
#[derive(Debug, Clone)]
pub struct Writing {
    /// Its id.
    pub id: MessageId,
    /// In which interaction.
    pub interaction: InteractionId,
    /// Who writes, in the gateway's words.
    pub author: Value,
    /// What.
    pub content: OutContent,
    /// What stands above it, where it becomes a mail.
    pub mail: Option<Heading>,
    /// The id that the agent's page gave it.
    pub client_id: Option<String>,
    /// The channel's id of the message that it answers.
    pub reply_to: Option<String>,
    /// When.
    pub at_ms: i64,
}

/// Whether a provider carries what is written there: else it is told to the webhook, or fetched.
pub fn has_provider(channel: &Channel) -> bool {
    matches!(channel.kind.as_str(), WHATSAPP | EMAIL)
}

/// A question of ours with what it offers to choose from, in the channels' words.
pub fn offered(content: &Value) -> Option<OutContent> {
    let choices = serde_json::from_value(content.get("choices")?.clone()).ok()?;
    Some(OutContent::Choices(OutChoices {
        body: content.get("body")?.as_str()?.to_owned(),
        footer: None,
        open: None,
        choices,
    }))
}

/// A message of ours, under the number that its conversation gave out ([`conversations::next_of`]).
pub(super) fn row(
    talk: &Conversation,
    (id, interaction): (MessageId, InteractionId),
    (author, content): (Value, Value),
    at_ms: i64,
) -> Message {
    Message {
        id,
        company: talk.company.clone(),
        conversation: talk.id.clone(),
        seq: talk.seq,
        interaction,
        direction: Direction::Outbound,
        author,
        content,
        client_id: None,
        external_id: None,
        reply_to: None,
        sent_ms: None,
        at_ms,
        state: Some(Delivery::Queued.as_str().to_owned()),
        failure: None,
        reactions: None,
        edits: None,
        revoked_ms: None,
    }
}

/// Writes into a conversation whose next number was taken ([`conversations::next_of`]).
///
/// # Errors
///
/// Of the store.
pub async fn write(
    db: &mut Transaction,
    talk: &Conversation,
    writing: Writing,
) -> Result<Message, Error> {
    let mut content = json!(writing.content);
    if let Some(mail) = writing.mail {
        content["mail"] = json!(mail);
    }
    let said = (writing.author, content);
    let row = Message {
        client_id: writing.client_id,
        reply_to: writing.reply_to,
        ..row(talk, (writing.id, writing.interaction), said, writing.at_ms)
    };
    conversations::write(&mut *db, &row, None).await?;
    Ok(row)
}

//! SQL of messages: what was written, in the order in which it came to be known.

use desk::id::{ChannelId, CompanyId, ConversationId, InteractionId, MessageId};
use desk::record::Direction;
use serde_json::{Value, json as value};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor};

use crate::notices::{self, Happened, Seen};
use crate::row::{Columns, json};
use crate::{Error, PAGE_MAX, attachments};

/// One utterance of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Whose it is.
    pub company: CompanyId,
    /// In which thread.
    pub conversation: ConversationId,
    /// Its number there, from 1.
    pub seq: u32,
    /// In which interaction.
    pub interaction: InteractionId,
    /// Who wrote to whom.
    pub direction: Direction,
    /// Who wrote, in the gateway's words.
    pub author: Value,
    /// What, in the channels' words.
    pub content: Value,
    /// The id that the agent's page gave it.
    pub client_id: Option<String>,
    /// The id that the channel gave it.
    pub external_id: Option<String>,
    /// The channel's id of the message that it answers.
    pub reply_to: Option<String>,
    /// When it was written, by the channel's clock.
    pub sent_ms: Option<i64>,
    /// When it came to us.
    pub at_ms: i64,
    /// How far it came, of ours.
    pub state: Option<String>,
    /// Why no further.
    pub failure: Option<Value>,
    /// What was put on it (`customer`, `company`), in the gateway's words.
    pub reactions: Option<Value>,
    /// What it said before it was written anew, oldest first.
    pub edits: Option<Value>,
    /// When it was taken back.
    pub revoked_ms: Option<i64>,
}

/// Adds a message under the number that its conversation gave out.
pub async fn insert(db: impl AnyExecutor<'_>, message: &Message) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO messages (id, company, conversation, seq, interaction, direction, author,
                               content, client_id, external_id, reply_to, sent_ms, at_ms, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(message.id.as_str())
    .bind(message.company.as_str())
    .bind(message.conversation.as_str())
    .bind(i64::from(message.seq))
    .bind(message.interaction.as_str())
    .bind(message.direction.as_str())
    .bind(json(&message.author)?)
    .bind(json(&message.content)?)
    .bind(message.client_id.as_deref())
    .bind(message.external_id.as_deref())
    .bind(message.reply_to.as_deref())
    .bind(message.sent_ms)
    .bind(message.at_ms)
    .bind(message.state.as_deref())
    .execute(db)
    .await?;
    Ok(())
}

/// The message of a conversation that has this number.
pub async fn by_seq(
    db: impl AnyExecutor<'_>,
    conversation: &ConversationId,
    seq: u32,
) -> Result<Option<Message>, Error> {
    let found = sqlx::query("SELECT * FROM messages WHERE conversation = $1 AND seq = $2")
        .bind(conversation.as_str())
        .bind(i64::from(seq))
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Lists the messages of an interaction with higher numbers than `after_seq`, in their order.
pub async fn list(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    interaction: &InteractionId,
    after_seq: u32,
    limit: u32,
) -> Result<Vec<Message>, Error> {
    let found = sqlx::query(
        "SELECT * FROM messages
          WHERE interaction = $1 AND company = $2 AND seq > $3 ORDER BY seq LIMIT $4",
    )
    .bind(interaction.as_str())
    .bind(company.as_str())
    .bind(i64::from(after_seq))
    .bind(i64::from(limit.min(PAGE_MAX)))
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Finds a message of a company.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    id: &MessageId,
) -> Result<Option<Message>, Error> {
    let found = sqlx::query("SELECT * FROM messages WHERE id = $1 AND company = $2")
        .bind(id.as_str())
        .bind(company.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Finds what an agent's page sent under this id in the conversation of an interaction.
pub async fn by_client_id(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    interaction: &InteractionId,
    client_id: &str,
) -> Result<Option<Message>, Error> {
    let found = sqlx::query(
        "SELECT m.* FROM interactions i JOIN messages m ON m.conversation = i.conversation
          WHERE i.id = $1 AND i.company = $2 AND m.client_id = $3",
    )
    .bind(interaction.as_str())
    .bind(company.as_str())
    .bind(client_id)
    .try_map(read)
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// Finds a message by the id that its channel gave it.
pub async fn by_external(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
    external_id: &str,
) -> Result<Option<Message>, Error> {
    let found = sqlx::query(
        "SELECT m.* FROM messages m JOIN conversations v ON v.id = m.conversation
          WHERE m.external_id = $2 AND v.channel = $1 ORDER BY m.seq LIMIT 1",
    )
    .bind(channel.as_str())
    .bind(external_id)
    .try_map(read)
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// Finds a message by our own id on a channel, which its provider gave back.
pub async fn on_channel(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
    id: &MessageId,
) -> Result<Option<Message>, Error> {
    let found = sqlx::query(
        "SELECT m.* FROM messages m JOIN conversations v ON v.id = m.conversation
          WHERE m.id = $2 AND v.channel = $1",
    )
    .bind(channel.as_str())
    .bind(id.as_str())
    .try_map(read)
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// Finds a message that a worker goes on with.
pub async fn of_work(db: impl AnyExecutor<'_>, id: &MessageId) -> Result<Option<Message>, Error> {
    let found = sqlx::query("SELECT * FROM messages WHERE id = $1")
        .bind(id.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// The id that the channel gave a message of ours.
pub async fn given_id(
    db: impl AnyExecutor<'_>,
    id: &MessageId,
    external_id: &str,
) -> Result<(), Error> {
    sqlx::query("UPDATE messages SET external_id = COALESCE(external_id, $2) WHERE id = $1")
        .bind(id.as_str())
        .bind(external_id)
        .execute(db)
        .await?;
    Ok(())
}

/// What became of a message after it was written: reactions, what it said before, when it was taken back.
/// Webhooks are told.
pub async fn change(db: &mut AnyConnection, changed: &Message, at_ms: i64) -> Result<(), Error> {
    sqlx::query(
        "UPDATE messages SET content = $2, reactions = $3, edits = $4, revoked_ms = $5 WHERE id = $1",
    )
    .bind(changed.id.as_str())
    .bind(json(&changed.content)?)
    .bind(changed.reactions.as_ref().map(json).transpose()?)
    .bind(changed.edits.as_ref().map(json).transpose()?)
    .bind(changed.revoked_ms)
    .execute(&mut *db)
    .await?;
    let happened = Happened {
        interaction: &changed.interaction,
        at_ms,
        event: match changed.revoked_ms {
            Some(_) => "message.deleted",
            None => "message.updated",
        },
        detail: &value!({ "message": changed.id, "seq": changed.seq }),
    };
    notices::tell(db, happened, Seen::There).await
}

/// The messages of ours in a conversation that were sent until a time and that the customer has not read
/// as far as we know.
pub async fn unread(
    db: impl AnyExecutor<'_>,
    conversation: &ConversationId,
    until_ms: i64,
) -> Result<Vec<Message>, Error> {
    let found = sqlx::query(
        "SELECT * FROM messages
          WHERE conversation = $1 AND direction = 'outbound' AND at_ms <= $2
            AND state IN ('accepted', 'sent', 'delivered') ORDER BY seq",
    )
    .bind(conversation.as_str())
    .bind(until_ms)
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// A message of ours has come so far at `at_ms`, unless it has come elsewhere meanwhile; webhooks are told.
/// Returns whether it had not.
pub async fn advance(
    db: &mut AnyConnection,
    message: &Message,
    (from, to): (&str, &str),
    failure: Option<&Value>,
    at_ms: i64,
) -> Result<bool, Error> {
    let done =
        sqlx::query("UPDATE messages SET state = $3, failure = $4 WHERE id = $1 AND state = $2")
            .bind(message.id.as_str())
            .bind(from)
            .bind(to)
            .bind(failure.map(json).transpose()?)
            .execute(&mut *db)
            .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let mut detail = value!({ "message": message.id, "seq": message.seq, "status": to });
    if let Some(failure) = failure {
        detail["failure"] = failure.clone();
    }
    let happened = Happened {
        interaction: &message.interaction,
        at_ms,
        event: "message.status",
        detail: &detail,
    };
    notices::tell(db, happened, Seen::Here).await?;
    Ok(true)
}

/// Empties what was written in an interaction, and what webhooks were told of it: nobody is to find out
/// any more who wrote, nor what files they sent. When and in which direction stays.
pub(crate) async fn empty(
    db: &mut AnyConnection,
    interaction: &InteractionId,
) -> Result<(), Error> {
    crate::mails::forget(db, interaction).await?;
    sqlx::query(
        "UPDATE messages SET content = $2, author = CASE WHEN direction = 'inbound' THEN $3
                                                         ELSE author END
          WHERE interaction = $1",
    )
    .bind(interaction.as_str())
    .bind(r#"{"kind":"text","text":""}"#)
    .bind(r#"{"kind":"customer"}"#)
    .execute(&mut *db)
    .await?;
    notices::empty(db, interaction).await?;
    attachments::forget(db, interaction).await
}

pub(crate) fn read(row: AnyRow) -> sqlx::Result<Message> {
    Ok(Message {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        conversation: row.parsed("conversation")?,
        seq: row.count("seq")?,
        interaction: row.parsed("interaction")?,
        direction: row.parsed("direction")?,
        author: row.json("author")?,
        content: row.json("content")?,
        client_id: row.text_maybe("client_id")?,
        external_id: row.text_maybe("external_id")?,
        reply_to: row.text_maybe("reply_to")?,
        sent_ms: row.whole_maybe("sent_ms")?,
        at_ms: row.whole("at_ms")?,
        state: row.text_maybe("state")?,
        failure: row.json_maybe("failure")?,
        reactions: row.json_maybe("reactions")?,
        edits: row.json_maybe("edits")?,
        revoked_ms: row.whole_maybe("revoked_ms")?,
    })
}

//! SQL of conversations: threads with customers, and which interaction each is at.
//!
//! Whoever adds to a conversation takes the next of its numbers first, and so has it alone until the
//! commit: no two open an interaction in it, and its messages are in one order.

use desk::id::{
    ChannelId, CompanyId, ContactId, ConversationId, InstanceId, InteractionId, MessageId,
};
use desk::kept::{Kept, LateLine, Said, Step};
use desk::record::{Change, Direction, InteractionOpened, InteractionUpdate, TrailKind};
use serde_json::{Value, json};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor};

use crate::channels::{self, Channel};
use crate::messages::{self, Message};
use crate::row::{Columns, json as text};
use crate::{Error, changes, desks, outbox};

/// A thread with a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// Whose it is.
    pub company: CompanyId,
    /// By which channel.
    pub channel: ChannelId,
    /// What the channel calls it.
    pub thread: String,
    /// The interaction that is open in it, or was last.
    pub interaction: Option<InteractionId>,
    /// The number of its last message.
    pub seq: u32,
    /// With whom, where that is known by the thread itself.
    pub contact: Option<ContactId>,
    /// The ids by which the customer is reached, in the gateway's words.
    pub peer: Option<Value>,
    /// What decides when anything may be written.
    pub window: Window,
}

/// What decides when anything may be written to a customer: milliseconds since 1970 (UTC).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// When the customer last did something that opens it.
    pub customer_ms: Option<i64>,
    /// When an advertisement last brought them.
    pub ad_ms: Option<i64>,
    /// When we first answered after that.
    pub ad_answered_ms: Option<i64>,
}

/// A thread that may be new.
#[derive(Debug, Clone, Copy)]
pub struct Newcomer<'a> {
    /// Its id, if it is new.
    pub id: &'a ConversationId,
    /// Whose it is.
    pub company: &'a CompanyId,
    /// By which channel.
    pub channel: &'a ChannelId,
    /// What the channel calls it.
    pub thread: &'a str,
    /// When it begins, if it is new.
    pub now_ms: i64,
}

/// Takes the next number of a conversation, which begins with it if it is new.
pub async fn next(
    db: impl AnyExecutor<'_>,
    newcomer: &Newcomer<'_>,
) -> Result<Conversation, Error> {
    let found = sqlx::query(
        "INSERT INTO conversations (id, company, channel, thread, seq, created_ms)
         VALUES ($1, $2, $3, $4, 1, $5)
             ON CONFLICT (channel, thread) DO UPDATE SET seq = conversations.seq + 1
         RETURNING *",
    )
    .bind(newcomer.id.as_str())
    .bind(newcomer.company.as_str())
    .bind(newcomer.channel.as_str())
    .bind(newcomer.thread)
    .bind(newcomer.now_ms)
    .try_map(read)
    .fetch_one(db)
    .await?;
    Ok(found)
}

/// The thread with a contact on a channel, where the channel knows threads by who is in them; that of one
/// who turned out to be them counts as well. The last that was used comes first.
pub async fn with_contact(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
    contact: &ContactId,
) -> Result<Option<String>, Error> {
    let found = sqlx::query(
        "SELECT thread FROM conversations
          WHERE channel = $1
            AND contact IN (SELECT id FROM contacts WHERE id = $2 OR merged_into = $2)
          ORDER BY customer_ms DESC, id DESC LIMIT 1",
    )
    .bind(channel.as_str())
    .bind(contact.as_str())
    .try_map(|row: AnyRow| row.text("thread"))
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// Whether anything was ever written in a thread of a channel.
pub async fn is_known(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
    thread: &str,
) -> Result<bool, Error> {
    let found = sqlx::query("SELECT 1 FROM conversations WHERE channel = $1 AND thread = $2")
        .bind(channel.as_str())
        .bind(thread)
        .fetch_optional(db)
        .await?;
    Ok(found.is_some())
}

/// Finds a conversation by its id.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    id: &ConversationId,
) -> Result<Option<Conversation>, Error> {
    let found = sqlx::query("SELECT * FROM conversations WHERE id = $1")
        .bind(id.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Finds the conversation of an interaction.
pub async fn of_interaction(
    db: impl AnyExecutor<'_>,
    interaction: &InteractionId,
) -> Result<Option<Conversation>, Error> {
    let found = sqlx::query(
        "SELECT v.* FROM interactions i JOIN conversations v ON v.id = i.conversation
          WHERE i.id = $1",
    )
    .bind(interaction.as_str())
    .try_map(read)
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// Sets with whom a conversation is, how they are reached and when anything may be written.
pub async fn know(db: impl AnyExecutor<'_>, known: &Conversation) -> Result<(), Error> {
    sqlx::query(
        "UPDATE conversations SET contact = $2, peer = $3, customer_ms = $4, ad_ms = $5,
                                  ad_answered_ms = $6
          WHERE id = $1",
    )
    .bind(known.id.as_str())
    .bind(known.contact.as_ref().map(ContactId::as_str))
    .bind(known.peer.as_ref().map(text).transpose()?)
    .bind(known.window.customer_ms)
    .bind(known.window.ad_ms)
    .bind(known.window.ad_answered_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Takes the next number of the conversation of an interaction that is not over.
pub async fn next_of(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    interaction: &InteractionId,
) -> Result<Option<Conversation>, Error> {
    let found = sqlx::query(
        "UPDATE conversations SET seq = seq + 1
          WHERE id = (SELECT conversation FROM interactions
                       WHERE id = $1 AND company = $2 AND ended_ms IS NULL)
         RETURNING *",
    )
    .bind(interaction.as_str())
    .bind(company.as_str())
    .try_map(read)
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// Takes the next number of a conversation, whether or not anything is open in it.
pub async fn next_in(
    db: impl AnyExecutor<'_>,
    id: &ConversationId,
) -> Result<Option<Conversation>, Error> {
    let found = sqlx::query("UPDATE conversations SET seq = seq + 1 WHERE id = $1 RETURNING *")
        .bind(id.as_str())
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Opens an interaction in a conversation, which must be held by [`next`]; `step` says so. Returns its
/// protocol number.
pub async fn open(
    db: &mut AnyConnection,
    conversation: &ConversationId,
    opened: &InteractionOpened,
    step: Step,
) -> Result<String, Error> {
    let change = Change::InteractionOpened(Box::new(opened.clone()));
    let given = changes::apply(db, [&change]).await?;
    sqlx::query("UPDATE interactions SET conversation = $2 WHERE id = $1")
        .bind(opened.id.as_str())
        .bind(conversation.as_str())
        .execute(&mut *db)
        .await?;
    sqlx::query("UPDATE conversations SET interaction = $2 WHERE id = $1")
        .bind(conversation.as_str())
        .bind(opened.id.as_str())
        .execute(&mut *db)
        .await?;
    take(db, step).await?;
    Ok(given
        .into_iter()
        .next()
        .map_or_else(String::new, |given| given.number))
}

/// Takes a step of an interaction.
pub async fn take(db: &mut AnyConnection, step: Step) -> Result<(), Error> {
    desks::apply(db, [&Kept::Step(Box::new(step))]).await
}

/// Says in the trail that a message came or is to go.
pub async fn say(
    db: &mut AnyConnection,
    interaction: &InteractionId,
    (kind, message, seq): (TrailKind, &MessageId, u32),
    at_ms: i64,
) -> Result<(), Error> {
    let line = LateLine {
        interaction: interaction.clone(),
        at_ms,
        kind,
        detail: json!({ "message": message, "seq": seq }),
    };
    desks::apply(db, [&Kept::Line(line)]).await
}

/// Writes a message to the customer, on its way from here on, under the number that its conversation gave
/// out; the trail says for what, where no person wrote it.
pub async fn write(
    db: &mut AnyConnection,
    message: &Message,
    purpose: Option<&str>,
) -> Result<(), Error> {
    messages::insert(&mut *db, message).await?;
    outbox::put(&mut *db, message).await?;
    let mut detail = json!({ "message": message.id, "seq": message.seq });
    if let Some(purpose) = purpose {
        detail["purpose"] = json!(purpose);
    }
    let line = LateLine {
        interaction: message.interaction.clone(),
        at_ms: message.at_ms,
        kind: TrailKind::MessageSent,
        detail,
    };
    desks::apply(db, [&Kept::Line(line)]).await
}

/// Writes what no person wrote, unless the interaction is over.
pub(crate) async fn say_for_nobody(db: &mut AnyConnection, said: &Said) -> Result<(), Error> {
    let talk = next_of(&mut *db, &said.company, &said.interaction).await?;
    let Some(talk) = talk else {
        return Ok(());
    };
    let mut author = said.author.clone();
    author["purpose"] = json!(said.purpose);
    let message = Message {
        id: said.id.clone(),
        company: talk.company,
        conversation: talk.id,
        seq: talk.seq,
        interaction: said.interaction.clone(),
        direction: Direction::Outbound,
        author,
        content: said.content.clone(),
        client_id: None,
        external_id: None,
        reply_to: None,
        sent_ms: None,
        at_ms: said.at_ms,
        state: Some("queued".to_owned()),
        failure: None,
        reactions: None,
        edits: None,
        revoked_ms: None,
    };
    write(db, &message, Some(said.purpose)).await
}

/// The channel by which an interaction is written.
pub async fn channel_of(
    db: impl AnyExecutor<'_>,
    interaction: &InteractionId,
) -> Result<Option<Channel>, Error> {
    let found = sqlx::query(
        "SELECT c.* FROM interactions i JOIN conversations v ON v.id = i.conversation
           JOIN channels c ON c.id = v.channel WHERE i.id = $1",
    )
    .bind(interaction.as_str())
    .try_map(channels::read)
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// A written interaction that waits for nobody to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Which.
    pub interaction: InteractionId,
    /// Whose.
    pub company: CompanyId,
}

/// The written interactions of this process that are open and that no desk has: it ended before it
/// handed them over.
pub async fn without_work(
    db: impl AnyExecutor<'_>,
    instance: &InstanceId,
) -> Result<Vec<Unknown>, Error> {
    let found = sqlx::query(
        "SELECT id, company FROM interactions
          WHERE ended_ms IS NULL AND instance = $1 AND conversation IS NOT NULL
            AND id NOT IN (SELECT interaction FROM desk_works)
          ORDER BY id",
    )
    .bind(instance.as_str())
    .try_map(|row: AnyRow| {
        Ok(Unknown {
            interaction: row.parsed("id")?,
            company: row.parsed("company")?,
        })
    })
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// What is known with a step that changes nothing but the service and the state.
pub fn waits(service: &desk::id::ServiceId) -> InteractionUpdate {
    InteractionUpdate {
        state: Some(desk::record::InteractionState::Waiting),
        service: Some(service.clone()),
        ..InteractionUpdate::default()
    }
}

fn read(row: AnyRow) -> sqlx::Result<Conversation> {
    Ok(Conversation {
        id: row.parsed("id")?,
        company: row.parsed("company")?,
        channel: row.parsed("channel")?,
        thread: row.text("thread")?,
        interaction: row.parsed_maybe("interaction")?,
        seq: row.count("seq")?,
        contact: row.parsed_maybe("contact")?,
        peer: row.json_maybe("peer")?,
        window: Window {
            customer_ms: row.whole_maybe("customer_ms")?,
            ad_ms: row.whole_maybe("ad_ms")?,
            ad_answered_ms: row.whole_maybe("ad_answered_ms")?,
        },
    })
}

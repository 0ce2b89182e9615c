//! SQL of web chats: visitors, what they see of their conversation, and how far both sides have come.

use desk::id::{ChannelId, CompanyId, ConversationId, InteractionId, ServiceId, UserId};
use serde_json::Value;
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::messages::{self, Message};
use crate::row::{Columns, json};
use crate::{Error, PAGE_MAX};

/// Somebody who wrote by a web chat.
#[derive(Debug, Clone, PartialEq)]
pub struct Visitor {
    /// By which channel.
    pub channel: ChannelId,
    /// Who, as the token says.
    pub id: String,
    /// Who they are to the shop, which has proven it.
    pub user: Option<String>,
    /// Their name, as they told it.
    pub name: Option<String>,
    /// Their e-mail.
    pub email: Option<String>,
    /// Their telephone.
    pub phone: Option<String>,
    /// To what they agreed, when and from where, in the gateway's words.
    pub consent: Option<Value>,
    /// When they first wrote.
    pub created_ms: i64,
    /// When they last told something.
    pub updated_ms: i64,
}

/// The conversation of a visitor, and the matter that is open in it or was last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// The conversation.
    pub conversation: ConversationId,
    /// The number of its last message.
    pub seq: u32,
    /// The matter.
    pub matter: Option<Matter>,
    /// Up to here the company has read what the visitor wrote.
    pub answered: u32,
    /// Of which interaction the visitor has said what they think, or that they would rather not.
    pub surveyed: Option<InteractionId>,
}

/// The matter of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matter {
    /// Which.
    pub interaction: InteractionId,
    /// The number that is read to the customer.
    pub protocol: String,
    /// Where it waits or waited, and what that is called.
    pub service: Option<(ServiceId, String)>,
    /// When it ended, milliseconds since 1970 (UTC); none while it is open.
    pub ended_ms: Option<i64>,
    /// Who had it last.
    pub agent: Option<UserId>,
}

/// Keeps what a visitor told, beside what they told before; an id of the shop stays theirs.
pub async fn save(db: impl AnyExecutor<'_>, visitor: &Visitor) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO webchat_visitors (channel, id, user_id, name, email, phone, consent,
                                       created_ms, updated_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
             ON CONFLICT (channel, id) DO UPDATE
            SET user_id = COALESCE(webchat_visitors.user_id, excluded.user_id),
                name = COALESCE(excluded.name, webchat_visitors.name),
                email = COALESCE(excluded.email, webchat_visitors.email),
                phone = COALESCE(excluded.phone, webchat_visitors.phone),
                consent = COALESCE(excluded.consent, webchat_visitors.consent),
                updated_ms = excluded.updated_ms",
    )
    .bind(visitor.channel.as_str())
    .bind(&visitor.id)
    .bind(visitor.user.as_deref())
    .bind(visitor.name.as_deref())
    .bind(visitor.email.as_deref())
    .bind(visitor.phone.as_deref())
    .bind(visitor.consent.as_ref().map(json).transpose()?)
    .bind(visitor.updated_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Finds a visitor of a channel.
pub async fn by_id(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
    id: &str,
) -> Result<Option<Visitor>, Error> {
    let found = sqlx::query("SELECT * FROM webchat_visitors WHERE channel = $1 AND id = $2")
        .bind(channel.as_str())
        .bind(id)
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Finds the visitor that a user of the shop is.
pub async fn by_user(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
    user: &str,
) -> Result<Option<Visitor>, Error> {
    let found = sqlx::query("SELECT * FROM webchat_visitors WHERE channel = $1 AND user_id = $2")
        .bind(channel.as_str())
        .bind(user)
        .try_map(read)
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// A visitor turned out to be a user of the shop. Returns whether they are theirs now: not where the
/// user is another visitor, or the visitor another user, in the meantime.
pub async fn bind(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
    id: &str,
    user: &str,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE webchat_visitors SET user_id = $3
          WHERE channel = $1 AND id = $2 AND user_id IS NULL
            AND NOT EXISTS (SELECT 1 FROM webchat_visitors o
                             WHERE o.channel = $1 AND o.user_id = $3)",
    )
    .bind(channel.as_str())
    .bind(id)
    .bind(user)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The web chat that was made first, of those that are on.
pub async fn first(db: impl AnyExecutor<'_>) -> Result<Option<ChannelId>, Error> {
    let found = sqlx::query(
        "SELECT id FROM channels WHERE kind = 'webchat' AND disabled = 0
          ORDER BY created_ms, id LIMIT 1",
    )
    .try_map(|row: AnyRow| row.parsed("id"))
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// The conversation of a visitor, once they have written.
pub async fn thread(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
    visitor: &str,
) -> Result<Option<Thread>, Error> {
    let found = sqlx::query(
        "SELECT v.id, v.seq, i.id AS interaction, i.protocol, i.ended_ms, i.service,
                i.agent, s.name AS service_name, m.answered, m.surveyed
           FROM conversations v
           LEFT JOIN interactions i ON i.id = v.interaction
           LEFT JOIN services s ON s.id = i.service AND s.company = i.company
           LEFT JOIN webchat_marks m ON m.conversation = v.id
          WHERE v.channel = $1 AND v.thread = $2",
    )
    .bind(channel.as_str())
    .bind(visitor)
    .try_map(|row: AnyRow| {
        Ok(Thread {
            conversation: row.parsed("id")?,
            seq: row.count("seq")?,
            matter: matter(&row)?,
            answered: row.count_maybe("answered")?.unwrap_or_default(),
            surveyed: row.parsed_maybe("surveyed")?,
        })
    })
    .fetch_optional(db)
    .await?;
    Ok(found)
}

fn matter(row: &AnyRow) -> sqlx::Result<Option<Matter>> {
    let Some(interaction) = row.parsed_maybe("interaction")? else {
        return Ok(None);
    };
    let service: Option<ServiceId> = row.parsed_maybe("service")?;
    Ok(Some(Matter {
        interaction,
        protocol: row.text("protocol")?,
        service: service.zip(row.text_maybe("service_name")?),
        ended_ms: row.whole_maybe("ended_ms")?,
        agent: row.parsed_maybe("agent")?,
    }))
}

/// The conversation of an interaction of a company, and the number of its last message.
pub async fn conversation_of(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    interaction: &InteractionId,
) -> Result<Option<(ConversationId, u32)>, Error> {
    let found = sqlx::query(
        "SELECT v.id, v.seq FROM interactions i JOIN conversations v ON v.id = i.conversation
          WHERE i.id = $1 AND i.company = $2",
    )
    .bind(interaction.as_str())
    .bind(company.as_str())
    .try_map(|row: AnyRow| Ok((row.parsed("id")?, row.count("seq")?)))
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// The messages of a conversation with higher numbers than `after_seq`, in their order.
pub async fn after(
    db: impl AnyExecutor<'_>,
    conversation: &ConversationId,
    after_seq: u32,
    limit: u32,
) -> Result<Vec<Message>, Error> {
    let found = sqlx::query(
        "SELECT * FROM messages WHERE conversation = $1 AND seq > $2 ORDER BY seq LIMIT $3",
    )
    .bind(conversation.as_str())
    .bind(i64::from(after_seq))
    .bind(i64::from(limit.min(PAGE_MAX)))
    .try_map(messages::read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// The last messages of a conversation with lower numbers than `before_seq`, in their order.
pub async fn before(
    db: impl AnyExecutor<'_>,
    conversation: &ConversationId,
    before_seq: u32,
    limit: u32,
) -> Result<Vec<Message>, Error> {
    let mut found = sqlx::query(
        "SELECT * FROM messages WHERE conversation = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3",
    )
    .bind(conversation.as_str())
    .bind(i64::from(before_seq))
    .bind(i64::from(limit.min(PAGE_MAX)))
    .try_map(messages::read)
    .fetch_all(db)
    .await?;
    found.reverse();
    Ok(found)
}

/// The visitor has messages up to `delivered`, and saw them up to `seen`. Numbers only grow.
pub async fn mark_visitor(
    db: impl AnyExecutor<'_>,
    conversation: &ConversationId,
    (delivered, seen): (u32, u32),
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO webchat_marks (conversation, delivered, seen, answered)
         VALUES ($1, $2, $3, 0)
             ON CONFLICT (conversation) DO UPDATE
            SET delivered = CASE WHEN excluded.delivered > webchat_marks.delivered
                                 THEN excluded.delivered ELSE webchat_marks.delivered END,
                seen = CASE WHEN excluded.seen > webchat_marks.seen
                            THEN excluded.seen ELSE webchat_marks.seen END",
    )
    .bind(conversation.as_str())
    .bind(i64::from(delivered))
    .bind(i64::from(seen))
    .execute(db)
    .await?;
    Ok(())
}

/// The company has read what the visitor wrote up to here. The number only grows. Returns whether it did.
pub async fn mark_company(
    db: impl AnyExecutor<'_>,
    conversation: &ConversationId,
    answered: u32,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "INSERT INTO webchat_marks (conversation, delivered, seen, answered)
         VALUES ($1, 0, 0, $2)
             ON CONFLICT (conversation) DO UPDATE SET answered = excluded.answered
          WHERE webchat_marks.answered < excluded.answered",
    )
    .bind(conversation.as_str())
    .bind(i64::from(answered))
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The visitor has said what they think of an interaction. Returns whether they had not before.
pub async fn mark_surveyed(
    db: impl AnyExecutor<'_>,
    conversation: &ConversationId,
    interaction: &InteractionId,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "INSERT INTO webchat_marks (conversation, delivered, seen, answered, surveyed)
         VALUES ($1, 0, 0, 0, $2)
             ON CONFLICT (conversation) DO UPDATE SET surveyed = excluded.surveyed
          WHERE webchat_marks.surveyed IS NULL OR webchat_marks.surveyed <> excluded.surveyed",
    )
    .bind(conversation.as_str())
    .bind(interaction.as_str())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What we wrote in a conversation up to `seq` has come to the visitor, or was seen. Returns the
/// numbers of those of which this is news, with their interactions.
pub async fn reach(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    conversation: &ConversationId,
    (seq, is_seen): (u32, bool),
) -> Result<Vec<(InteractionId, u32)>, Error> {
    // How far a message can have come before: the order of the channels' `Delivery`.
    let statement = match is_seen {
        false => {
            "UPDATE messages SET state = 'delivered', failure = NULL
              WHERE conversation = $1 AND company = $2 AND direction = 'outbound' AND seq <= $3
                AND state IN ('queued', 'uncertain', 'accepted', 'sent', 'failed')
          RETURNING interaction, seq"
        }
        true => {
            "UPDATE messages SET state = 'read', failure = NULL
              WHERE conversation = $1 AND company = $2 AND direction = 'outbound' AND seq <= $3
                AND state IN ('queued', 'uncertain', 'accepted', 'sent', 'failed', 'delivered')
          RETURNING interaction, seq"
        }
    };
    let found = sqlx::query(statement)
        .bind(conversation.as_str())
        .bind(company.as_str())
        .bind(i64::from(seq))
        .try_map(|row: AnyRow| Ok((row.parsed("interaction")?, row.count("seq")?)))
        .fetch_all(db)
        .await?;
    Ok(found)
}

fn read(row: AnyRow) -> sqlx::Result<Visitor> {
    Ok(Visitor {
        channel: row.parsed("channel")?,
        id: row.text("id")?,
        user: row.text_maybe("user_id")?,
        name: row.text_maybe("name")?,
        email: row.text_maybe("email")?,
        phone: row.text_maybe("phone")?,
        consent: row.json_maybe("consent")?,
        created_ms: row.whole("created_ms")?,
        updated_ms: row.whole("updated_ms")?,
    })
}

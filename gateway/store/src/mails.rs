//! SQL of mails: which message each is, and what conversations by mail are about.

use desk::id::{ChannelId, CompanyId, ConversationId, InteractionId, MessageId};
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor, AssertSqlSafe};

use crate::Error;
use crate::row::{Columns, json};

/// The mail that a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Which message.
    pub message: MessageId,
    /// By which channel.
    pub channel: ChannelId,
    /// In which conversation.
    pub conversation: ConversationId,
    /// Its own id (`Message-ID`).
    pub mail_id: Option<String>,
    /// Who wrote it, in lower case.
    pub author: String,
    /// Whether the file is all of it (`whole`) or its head (`head`).
    pub part: String,
    /// The file, by its SHA-256; none where nobody could get it.
    pub file: Option<String>,
    /// When it came, or left.
    pub at_ms: i64,
}

/// What a conversation by mail is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thread {
    /// Its subject now.
    pub subject: String,
    /// The addresses of who wrote in it or had a copy.
    pub participants: Vec<String>,
}

/// A conversation to which a mail may belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub conversation: ConversationId,
    /// What the channel calls it.
    pub thread: String,
    /// When its last interaction was closed; none while one is open.
    pub closed_at_ms: Option<i64>,
    /// What it is about.
    pub about: Thread,
}

/// Adds a mail; one that is there stays as it is.
pub async fn insert(db: impl AnyExecutor<'_>, mail: &Mail) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO mails (message, channel, conversation, mail_id, author, part, file, at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (message) DO NOTHING",
    )
    .bind(mail.message.as_str())
    .bind(mail.channel.as_str())
    .bind(mail.conversation.as_str())
    .bind(mail.mail_id.as_deref())
    .bind(&mail.author)
    .bind(&mail.part)
    .bind(mail.file.as_deref())
    .bind(mail.at_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Finds the mail of a company's message.
pub async fn by_message(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    message: &MessageId,
) -> Result<Option<Mail>, Error> {
    let found = sqlx::query(
        "SELECT l.* FROM mails l JOIN messages m ON m.id = l.message
          WHERE l.message = $1 AND m.company = $2",
    )
    .bind(message.as_str())
    .bind(company.as_str())
    .try_map(read)
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// The last mail of a conversation that somebody wrote to us. What machines wrote (`why_no_work`) is
/// passed over: nobody is answered there.
pub async fn last_received(
    db: impl AnyExecutor<'_>,
    conversation: &ConversationId,
) -> Result<Option<Mail>, Error> {
    let found = sqlx::query(
        "SELECT l.*, m.author AS written_by FROM mails l JOIN messages m ON m.id = l.message
          WHERE l.conversation = $1 AND m.direction = 'inbound' ORDER BY m.seq DESC LIMIT $2",
    )
    .bind(conversation.as_str())
    .bind(RECEIVED_MAX)
    .try_map(|row: AnyRow| {
        let author: Value = row.json("written_by")?;
        Ok((author["why_no_work"].is_null(), read(row)?))
    })
    .fetch_all(db)
    .await?;
    let by_people = found.into_iter().find(|(by_people, _)| *by_people);
    Ok(by_people.map(|(_, mail)| mail))
}

/// The mail of a conversation that has this id.
pub async fn in_conversation(
    db: impl AnyExecutor<'_>,
    conversation: &ConversationId,
    mail_id: &str,
) -> Result<Option<Mail>, Error> {
    let found = sqlx::query(
        "SELECT * FROM mails WHERE conversation = $1 AND mail_id = $2 ORDER BY at_ms DESC LIMIT 1",
    )
    .bind(conversation.as_str())
    .bind(mail_id)
    .try_map(read)
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// An answer by a program.
#[derive(Debug, Clone, Copy)]
pub struct Automatic<'a> {
    /// By which channel.
    pub channel: &'a ChannelId,
    /// To whom: a hash of the address.
    pub address: &'a str,
    /// What for.
    pub purpose: &'a str,
    /// The message that it is.
    pub message: &'a MessageId,
    /// When.
    pub at_ms: i64,
}

/// Whether a program may answer: none has done so for this purpose since then. It has with this.
///
/// The `WHERE` decides; the same message may be tried again.
pub async fn may_answer(
    db: impl AnyExecutor<'_>,
    answer: &Automatic<'_>,
    since_ms: i64,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "INSERT INTO automatic_mails (channel, address, purpose, message, at_ms)
         VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (channel, address, purpose) DO UPDATE SET message = $4, at_ms = $5
                   WHERE automatic_mails.at_ms < $6 OR automatic_mails.message = $4",
    )
    .bind(answer.channel.as_str())
    .bind(answer.address)
    .bind(answer.purpose)
    .bind(answer.message.as_str())
    .bind(answer.at_ms)
    .bind(since_ms)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets what programs answered before then.
pub async fn forget_answers(db: impl AnyExecutor<'_>, before_ms: i64) -> Result<(), Error> {
    sqlx::query("DELETE FROM automatic_mails WHERE at_ms < $1")
        .bind(before_ms)
        .execute(db)
        .await?;
    Ok(())
}

/// In which conversations of a channel mails with these ids are: the id, and where.
pub async fn of_ids(
    db: &mut AnyConnection,
    channel: &ChannelId,
    ids: &[String],
) -> Result<Vec<(String, ConversationId)>, Error> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let places: Vec<String> = (0..ids.len()).map(|at| format!("${}", at + 2)).collect();
    let sql = format!(
        "SELECT mail_id, conversation FROM mails
          WHERE channel = $1 AND mail_id IN ({}) ORDER BY at_ms DESC",
        places.join(", ")
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).bind(channel.as_str());
    for id in ids {
        query = query.bind(id);
    }
    let found = query
        .try_map(|row: AnyRow| Ok((row.text("mail_id")?, row.parsed("conversation")?)))
        .fetch_all(db)
        .await?;
    Ok(found)
}

/// The conversation of a channel that has an interaction with this protocol number.
pub async fn of_protocol(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    channel: &ChannelId,
    protocol: &str,
) -> Result<Option<ConversationId>, Error> {
    let found = sqlx::query(
        "SELECT v.id FROM interactions i JOIN conversations v ON v.id = i.conversation
          WHERE i.company = $1 AND i.protocol = $2 AND v.channel = $3",
    )
    .bind(company.as_str())
    .bind(protocol)
    .bind(channel.as_str())
    .try_map(|row: AnyRow| row.parsed("id"))
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// What is known of a conversation of a channel, to tell whether a mail belongs there.
pub async fn candidate(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
    conversation: &ConversationId,
) -> Result<Option<Candidate>, Error> {
    let found = sqlx::query(
        "SELECT v.id, v.thread, i.ended_ms, t.subject, t.participants
           FROM conversations v
           LEFT JOIN interactions i ON i.id = v.interaction
           LEFT JOIN mail_threads t ON t.conversation = v.id
          WHERE v.id = $1 AND v.channel = $2",
    )
    .bind(conversation.as_str())
    .bind(channel.as_str())
    .try_map(|row: AnyRow| {
        let participants = row.json_maybe("participants")?;
        Ok(Candidate {
            conversation: row.parsed("id")?,
            thread: row.text("thread")?,
            closed_at_ms: row.whole_maybe("ended_ms")?,
            about: Thread {
                subject: row.text_maybe("subject")?.unwrap_or_default(),
                participants: participants.unwrap_or_default(),
            },
        })
    })
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// Sets what a conversation is about.
pub async fn set_thread(
    db: impl AnyExecutor<'_>,
    conversation: &ConversationId,
    about: &Thread,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO mail_threads (conversation, subject, participants) VALUES ($1, $2, $3)
             ON CONFLICT (conversation) DO UPDATE SET subject = $2, participants = $3",
    )
    .bind(conversation.as_str())
    .bind(&about.subject)
    .bind(json(&about.participants)?)
    .execute(db)
    .await?;
    Ok(())
}

/// How many mails of an author came by a channel since a time.
pub async fn received_since(
    db: impl AnyExecutor<'_>,
    channel: &ChannelId,
    author: &str,
    since_ms: i64,
) -> Result<u32, Error> {
    let found = sqlx::query(
        "SELECT COUNT(*) AS mails FROM mails WHERE channel = $1 AND author = $2 AND at_ms >= $3",
    )
    .bind(channel.as_str())
    .bind(author)
    .bind(since_ms)
    .try_map(|row: AnyRow| row.count("mails"))
    .fetch_one(db)
    .await?;
    Ok(found)
}

/// The addresses of all channels of a kind of a company, as their settings have them under `field`.
pub async fn addresses(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    (kind, field): (&str, &str),
) -> Result<Vec<String>, Error> {
    let found = sqlx::query("SELECT settings FROM channels WHERE company = $1 AND kind = $2")
        .bind(company.as_str())
        .bind(kind)
        .try_map(|row: AnyRow| row.json::<Value>("settings"))
        .fetch_all(db)
        .await?;
    let address = |settings: Value| settings[field].as_str().map(str::to_owned);
    Ok(found.into_iter().filter_map(address).collect())
}

/// The files of these mails are to be removed; the mails are no more. What else is known of the threads
/// goes too.
pub(crate) async fn forget(
    db: &mut AnyConnection,
    interaction: &InteractionId,
) -> Result<(), Error> {
    for sql in [
        "INSERT INTO mail_leftovers (file)
         SELECT DISTINCT l.file FROM mails l JOIN messages m ON m.id = l.message
          WHERE m.interaction = $1 AND l.file IS NOT NULL
             ON CONFLICT (file) DO NOTHING",
        "UPDATE mail_threads SET subject = '', participants = '[]'
          WHERE conversation IN (SELECT conversation FROM messages WHERE interaction = $1)",
        "DELETE FROM mails WHERE message IN (SELECT id FROM messages WHERE interaction = $1)",
    ] {
        sqlx::query(sql)
            .bind(interaction.as_str())
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

/// Files of mails that are to be removed, unless another mail is the same.
pub async fn leftovers(db: impl AnyExecutor<'_>, limit: u32) -> Result<Vec<String>, Error> {
    let found = sqlx::query("SELECT file FROM mail_leftovers ORDER BY file LIMIT $1")
        .bind(i64::from(limit))
        .try_map(|row: AnyRow| row.text("file"))
        .fetch_all(db)
        .await?;
    Ok(found)
}

/// A file was removed, or is needed after all.
pub async fn forgotten(db: impl AnyExecutor<'_>, file: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM mail_leftovers WHERE file = $1")
        .bind(file)
        .execute(db)
        .await?;
    Ok(())
}

fn read(row: AnyRow) -> sqlx::Result<Mail> {
    Ok(Mail {
        message: row.parsed("message")?,
        channel: row.parsed("channel")?,
        conversation: row.parsed("conversation")?,
        mail_id: row.text_maybe("mail_id")?,
        author: row.text("author")?,
        part: row.text("part")?,
        file: row.text_maybe("file")?,
        at_ms: row.whole("at_ms")?,
    })
}

/// Reports on mails that are looked past to find one by a person.
const RECEIVED_MAX: i64 = 20;
